package plan

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Canonical writes an analyzed plan so that plans that do the same, but for
// the names of columns and the ids that the analyzer gave, read the same:
// ids become numbers in the order in which they are met. It is exact for equal
// plans, and cautious for others (Spark: QueryPlan.sameResult).
// The columns of outside keep their ids: those of the query around a subquery.
func Canonical(n Node, outside ...*Attr) string {
	c := canonical{ids: map[ExprID]int{}, parts: map[int64]int{}}
	for _, a := range outside {
		c.ids[a.ID] = -int(a.ID)
	}
	c.write(reflect.ValueOf(n))
	return c.b.String()
}

type canonical struct {
	b     strings.Builder
	ids   map[ExprID]int
	next  int
	parts map[int64]int // of common table expressions and the like
}

// skipped are fields that don't change what a plan gives.
var skipped = map[string]bool{"Origin": true, "PlanID": true, "At": true, "Common": true, "Names": true, "Metadata": true, "Text": true, "Qualifier": true}

// canonicalSource is a source that knows what it reads.
type canonicalSource interface{ Canonical() string }

func (c *canonical) id(id ExprID) {
	n, ok := c.ids[id]
	if !ok {
		n = c.next
		c.next++
		c.ids[id] = n
	}
	c.b.WriteString("#" + strconv.Itoa(n))
}

// known writes nodes and expressions that need more than a list of their fields.
func (c *canonical) known(v any) bool {
	switch x := v.(type) {
	case *Attr:
		c.id(x.ID)
		c.write(reflect.ValueOf(x.T))
	case *SubqueryAlias:
		c.write(reflect.ValueOf(x.Child))
	case *LocalRelation:
		c.b.WriteString("LocalRelation{" + x.Digest)
		if x.Digest == "" && x.Batches != nil { // rows that nothing else is known of are equal to themselves
			if rows := reflect.ValueOf(x.Batches); rows.Kind() == reflect.Slice {
				fmt.Fprintf(&c.b, "%x+%d", rows.Pointer(), rows.Len())
			}
		}
		c.write(reflect.ValueOf(x.Out))
		fmt.Fprintf(&c.b, "%x}", x.Data)
	case canonicalSource:
		c.b.WriteString(x.Canonical())
	case Source:
		fmt.Fprintf(&c.b, "%T(%p)", x, x)
	default:
		return false
	}
	return true
}

func (c *canonical) write(v reflect.Value) {
	b := &c.b
	switch v.Kind() {
	case reflect.Invalid:
		b.WriteString("nil")
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		if v.CanInterface() && c.known(v.Interface()) {
			return
		}
		c.write(v.Elem())
	case reflect.Struct:
		b.WriteString(v.Type().Name() + "{")
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if skipped[f.Name] || !f.IsExported() {
				continue
			}
			b.WriteString(f.Name + ":")
			if f.Name == "ID" && f.Type.Kind() == reflect.Int64 && f.Type != reflect.TypeFor[ExprID]() {
				n, ok := c.parts[v.Field(i).Int()]
				if !ok {
					n = len(c.parts)
					c.parts[v.Field(i).Int()] = n
				}
				fmt.Fprintf(b, "%d ", n)
				continue
			}
			c.write(v.Field(i))
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
			fmt.Fprintf(b, "%x", v.Bytes())
			return
		}
		b.WriteByte('[')
		for i := range v.Len() {
			c.write(v.Index(i))
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		b.WriteString("map[")
		for _, k := range keys {
			fmt.Fprintf(b, "%v:", k)
			c.write(v.MapIndex(k))
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.String:
		b.WriteString(strconv.Quote(v.String()))
	case reflect.Int64:
		if v.Type() == reflect.TypeFor[ExprID]() {
			c.id(ExprID(v.Int()))
			return
		}
		b.WriteString(strconv.FormatInt(v.Int(), 10))
	default:
		fmt.Fprintf(b, "%v", v)
	}
}
