package optimize

import (
	"fmt"
	"strconv"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Building and taking apart expressions.

var (
	trueLit  = &plan.Literal{T: types.BoolType, Value: true}
	falseLit = &plan.Literal{T: types.BoolType, Value: false}
)

func nullLit(t *types.Type) *plan.Literal { return &plan.Literal{T: t} }

func isTrue(e plan.Expr) bool {
	l, ok := e.(*plan.Literal)
	return ok && l.Value == true
}

func isFalse(e plan.Expr) bool {
	l, ok := e.(*plan.Literal)
	return ok && l.Value == false
}

func isNull(e plan.Expr) bool {
	l, ok := e.(*plan.Literal)
	return ok && l.Value == nil
}

// call makes a resolved scalar call that is null when an argument is.
func call(name string, t *types.Type, args ...plan.Expr) *plan.Call {
	c := &plan.Call{Name: name, Args: args, T: t, Kind: plan.FnScalar}
	switch name {
	case "<=>", "isnull", "isnotnull":
	default:
		for _, a := range args {
			c.Null = c.Null || a.Nullable()
		}
	}
	for _, a := range args {
		if p := a.Pos(); p != nil {
			c.Origin = p
			break
		}
	}
	return c
}

func boolCall(name string, args ...plan.Expr) *plan.Call { return call(name, types.BoolType, args...) }

func not(e plan.Expr) plan.Expr { return boolCall("not", e) }

// isCall returns e as a call of that name.
func isCall(e plan.Expr, name string) (*plan.Call, bool) {
	c, ok := e.(*plan.Call)
	if !ok || c.Name != name {
		return nil, false
	}
	return c, true
}

// split cuts a condition at its ANDs; nil has no parts.
func split(e plan.Expr) []plan.Expr { return splitBy(e, "and", nil) }

func splitBy(e plan.Expr, op string, out []plan.Expr) []plan.Expr {
	if e == nil {
		return out
	}
	if c, ok := isCall(e, op); ok {
		for _, a := range c.Args {
			out = splitBy(a, op, out)
		}
		return out
	}
	return append(out, e)
}

// and joins conditions; nil when there are none.
func and(list []plan.Expr) plan.Expr { return fold2("and", list) }

func fold2(op string, list []plan.Expr) plan.Expr {
	var out plan.Expr
	for _, e := range list {
		if out == nil {
			out = e
		} else {
			out = boolCall(op, out, e)
		}
	}
	return out
}

// dedupe drops repeated expressions and, for conjuncts, literal trues.
func dedupe(list []plan.Expr) []plan.Expr {
	seen := make(map[string]bool, len(list))
	out := make([]plan.Expr, 0, len(list))
	for _, e := range list {
		if isTrue(e) {
			continue
		}
		k := key(e)
		if seen[k] {
			continue
		}
		seen[k] = true
		out = append(out, e)
	}
	return out
}

func filter(conds []plan.Expr, n plan.Node) plan.Node {
	conds = dedupe(conds)
	if len(conds) == 0 {
		return n
	}
	return &plan.Filter{Cond: and(conds), Child: n}
}

// --- sets of columns

type idSet map[plan.ExprID]struct{}

func (s idSet) has(id plan.ExprID) bool { _, ok := s[id]; return ok }

func (s idSet) add(ids ...plan.ExprID) {
	for _, id := range ids {
		s[id] = struct{}{}
	}
}

func (s idSet) union(t idSet) {
	for id := range t {
		s[id] = struct{}{}
	}
}

func (s idSet) within(t idSet) bool {
	for id := range s {
		if !t.has(id) {
			return false
		}
	}
	return true
}

func (s idSet) meets(t idSet) bool {
	for id := range s {
		if t.has(id) {
			return true
		}
	}
	return false
}

func idsOf(attrs []*plan.Attr) idSet {
	s := make(idSet, len(attrs))
	for _, a := range attrs {
		s.add(a.ID)
	}
	return s
}

// refs are the columns that expressions take from their node's inputs; outer
// references don't count, columns inside subqueries neither.
func refs(list ...plan.Expr) idSet {
	s := idSet{}
	addRefs(s, list...)
	return s
}

func addRefs(s idSet, list ...plan.Expr) {
	for _, e := range list {
		if e == nil {
			continue
		}
		plan.Walk(e, func(x plan.Expr) bool {
			switch x := x.(type) {
			case *plan.Attr:
				s.add(x.ID)
			case *plan.Subquery:
				for _, a := range x.Outer {
					s.add(a.ID)
				}
			}
			return true
		})
	}
}

func asExprs(attrs []*plan.Attr) []plan.Expr {
	out := make([]plan.Expr, len(attrs))
	for i, a := range attrs {
		out[i] = a
	}
	return out
}

// contains reports whether any sub-expression satisfies f.
func contains(e plan.Expr, f func(plan.Expr) bool) bool {
	found := false
	if e == nil {
		return false
	}
	plan.Walk(e, func(x plan.Expr) bool {
		if !found && f(x) {
			found = true
		}
		return !found
	})
	return found
}

func hasSubquery(e plan.Expr) bool {
	return contains(e, func(x plan.Expr) bool { _, ok := x.(*plan.Subquery); return ok })
}

func hasOuter(e plan.Expr) bool {
	return contains(e, func(x plan.Expr) bool { _, ok := x.(*plan.OuterRef); return ok })
}

func isAggregate(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Call:
		return x.Kind == plan.FnAggregate
	case *plan.UDF:
		return x.Aggregate
	}
	return false
}

// deterministic reports whether e gives the same value for the same row each time.
func deterministic(list ...plan.Expr) bool {
	for _, e := range list {
		if contains(e, random) {
			return false
		}
	}
	return true
}

func random(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Call:
		if d := fn.Lookup(x.Name); d != nil {
			return d.Random
		}
		switch x.Name {
		case "rand", "random", "randn", "uuid", "shuffle", "monotonically_increasing_id", "spark_partition_id", "randstr", "uniform":
			return true
		}
	case *plan.UDF:
		return !x.Deterministic
	}
	return false
}

// cheap reports whether evaluating e again costs next to nothing.
func cheap(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Attr, *plan.Literal, *plan.OuterRef, *plan.Bound:
		return true
	case *plan.Alias:
		return cheap(x.Child)
	case *plan.GetField:
		return cheap(x.Child)
	}
	return false
}

// replace puts other expressions in the place of columns.
func replace(e plan.Expr, m map[plan.ExprID]plan.Expr) plan.Expr {
	if e == nil || len(m) == 0 {
		return e
	}
	out, _ := plan.Transform(e, func(x plan.Expr) (plan.Expr, error) {
		switch a := x.(type) {
		case *plan.Attr:
			if r, ok := m[a.ID]; ok {
				return r, nil
			}
		case *plan.Subquery:
			return mapOuter(a, func(at *plan.Attr) plan.Expr {
				if r, ok := m[at.ID].(*plan.Attr); ok {
					return &plan.OuterRef{Attr: r}
				}
				return nil
			}), nil
		}
		return x, nil
	})
	return out
}

// defs maps the columns that a list of named expressions makes to what they stand for.
func defs(list []plan.Expr) map[plan.ExprID]plan.Expr {
	m := make(map[plan.ExprID]plan.Expr, len(list))
	for _, e := range list {
		if a, ok := e.(*plan.Alias); ok {
			m[a.ID] = a.Child
		}
	}
	return m
}

// newAlias names e under a fresh id.
func newAlias(name string, e plan.Expr) *plan.Alias {
	return &plan.Alias{Child: e, Names: []string{name}, ID: plan.NewID()}
}

// --- structural equality

// key writes an expression so that equal keys mean equal values for the same
// row: names, origins and aliases of display don't count.
func key(e plan.Expr) string {
	var b strings.Builder
	writeKey(&b, e)
	return b.String()
}

func writeKey(b *strings.Builder, e plan.Expr) {
	switch x := e.(type) {
	case nil:
		b.WriteByte('_')
	case *plan.Literal:
		fmt.Fprintf(b, "L<%s>(%T:%v)", x.T, x.Value, x.Value)
	case *plan.Attr:
		b.WriteByte('#')
		b.WriteString(strconv.FormatInt(int64(x.ID), 10))
	case *plan.OuterRef:
		b.WriteByte('^')
		b.WriteString(strconv.FormatInt(int64(x.Attr.ID), 10))
	case *plan.Bound:
		fmt.Fprintf(b, "$%d<%s>", x.Index, x.T)
	case *plan.LambdaVar:
		fmt.Fprintf(b, "v%d:%s", x.ID, x.Name)
	case *plan.Alias:
		writeKey(b, x.Child)
	case *plan.Cast:
		fmt.Fprintf(b, "cast%d<%s>(", x.Mode, x.To)
		writeKey(b, x.Child)
		b.WriteByte(')')
	case *plan.GetField:
		writeKey(b, x.Child)
		fmt.Fprintf(b, ".%d", x.Index)
	case *plan.Call:
		b.WriteString(x.Name)
		if x.Mode != plan.ANSI {
			b.WriteByte('0' + byte(x.Mode))
		}
		if x.Distinct {
			b.WriteString("!d")
		}
		if x.Nulls != plan.DefaultNulls {
			b.WriteByte('n')
			b.WriteByte('0' + byte(x.Nulls))
		}
		b.WriteByte('(')
		for i, a := range x.Args {
			if i > 0 {
				b.WriteByte(',')
			}
			writeKey(b, a)
		}
		b.WriteByte(')')
		if x.T != nil && x.T.Kind == types.Decimal {
			b.WriteString(x.T.String())
		}
		if x.Filter != nil {
			b.WriteString("?")
			writeKey(b, x.Filter)
		}
		writeOrder(b, x.Order)
	case *plan.Window:
		b.WriteString("over(")
		writeKey(b, x.Func)
		for _, p := range x.Partition {
			b.WriteByte(',')
			writeKey(b, p)
		}
		writeOrder(b, x.Order)
		if x.Frame != nil {
			fmt.Fprintf(b, "%v%d%d", x.Frame.Rows, x.Frame.Lower.Kind, x.Frame.Upper.Kind)
			writeKey(b, x.Frame.Lower.Offset)
			writeKey(b, x.Frame.Upper.Offset)
		}
		b.WriteByte(')')
	case *plan.Subquery, *plan.UDF, *plan.UpdateFields:
		// Never equal to another: by identity.
		fmt.Fprintf(b, "%p", x)
	default:
		fmt.Fprintf(b, "%T(", x)
		if c, ok := x.(*plan.Case); ok && c.Else == nil {
			b.WriteByte('~')
		}
		if l, ok := x.(*plan.Lambda); ok {
			for _, v := range l.Args {
				fmt.Fprintf(b, "v%d:%s ", v.ID, v.Name)
			}
		}
		for _, k := range e.Children() {
			writeKey(b, k)
			b.WriteByte(',')
		}
		b.WriteByte(')')
	}
}

func writeOrder(b *strings.Builder, order []plan.SortOrder) {
	for _, o := range order {
		fmt.Fprintf(b, "[%v%v", o.Desc, o.NullsLast)
		writeKey(b, o.Child)
		b.WriteByte(']')
	}
}
