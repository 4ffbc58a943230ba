package analyze

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// first finds the first sub-expression that ok accepts; into says whether to look inside one.
func first(e plan.Expr, ok func(plan.Expr) bool, into func(plan.Expr) bool) plan.Expr {
	var hit plan.Expr
	plan.Walk(e, func(x plan.Expr) bool {
		if hit != nil {
			return false
		}
		if ok(x) {
			hit = x
			return false
		}
		return into(x)
	})
	return hit
}

func always(plan.Expr) bool { return true }

func isAgg(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Call:
		return x.Kind == plan.FnAggregate
	case *plan.UDF:
		return x.Aggregate
	}
	return false
}

// firstAggregate finds an aggregate call that isn't itself a window's function.
func firstAggregate(e plan.Expr) plan.Expr {
	if w, ok := e.(*plan.Window); ok {
		for i, k := range w.Children() {
			if i == 0 {
				for _, a := range k.Children() {
					if x := firstAggregate(a); x != nil {
						return x
					}
				}
				continue
			}
			if x := firstAggregate(k); x != nil {
				return x
			}
		}
		return nil
	}
	if isAgg(e) {
		return e
	}
	for _, k := range e.Children() {
		if x := firstAggregate(k); x != nil {
			return x
		}
	}
	return nil
}

func (r *run) hasAggregate(e plan.Expr) bool { return firstAggregate(e) != nil }

func firstWindow(e plan.Expr) plan.Expr {
	return first(e, func(x plan.Expr) bool { _, ok := x.(*plan.Window); return ok }, always)
}

func firstGenerator(e plan.Expr) plan.Expr {
	return first(e, func(x plan.Expr) bool { c, ok := x.(*plan.Call); return ok && c.Kind == plan.FnGenerator }, always)
}

// firstGrouping finds grouping() or grouping_id() that no grouping sets replaced.
func firstGrouping(e plan.Expr) plan.Expr {
	return first(e, func(x plan.Expr) bool {
		c, ok := x.(*plan.Call)
		return ok && (c.Name == "grouping" || c.Name == "grouping_id")
	}, always)
}

func isRandom(name string) bool {
	switch name {
	case "rand", "random", "randn", "uuid", "monotonically_increasing_id", "spark_partition_id", "shuffle", "randstr", "uniform", "input_file_name", "input_file_block_start", "input_file_block_length", "raise_error", "assert_true":
		return true
	}
	d := fn.Lookup(name)
	return d != nil && d.Random
}

// exprKey is equal for expressions that compute the same (Spark: canonicalized).
func exprKey(e plan.Expr) string {
	var b strings.Builder
	writeKey(&b, e)
	return b.String()
}

// sameValue has the keys of the operands of an operator that may be written in
// another order: sorted, those of a + (b + c) as one list, and a > b as b < a.
func sameValue(x *plan.Call) (operands []string, name string) {
	if len(x.Args) != 2 {
		return nil, ""
	}
	switch x.Name {
	case "+", "*", "and", "or", "&", "|", "^":
		var collect func(e plan.Expr)
		collect = func(e plan.Expr) {
			if c, ok := e.(*plan.Call); ok && c.Name == x.Name && c.Mode == x.Mode && len(c.Args) == 2 && types.SameType(c.T, x.T) {
				collect(c.Args[0])
				collect(c.Args[1])
				return
			}
			operands = append(operands, exprKey(e))
		}
		collect(x)
		slices.Sort(operands)
		return operands, x.Name
	case "=", "<=>":
		operands = []string{exprKey(x.Args[0]), exprKey(x.Args[1])}
		slices.Sort(operands)
		return operands, x.Name
	case ">":
		return []string{exprKey(x.Args[1]), exprKey(x.Args[0])}, "<"
	case ">=":
		return []string{exprKey(x.Args[1]), exprKey(x.Args[0])}, "<="
	}
	return nil, ""
}

func writeKey(b *strings.Builder, e plan.Expr) {
	switch x := e.(type) {
	case *plan.Attr:
		b.WriteByte('#')
		b.WriteString(strconv.FormatInt(int64(x.ID), 10))
		return
	case *plan.OuterRef:
		b.WriteString("outer#")
		b.WriteString(strconv.FormatInt(int64(x.Attr.ID), 10))
		return
	case *plan.Alias:
		writeKey(b, x.Child)
		return
	case *plan.Literal:
		fmt.Fprintf(b, "%v:%s", x.Value, x.T)
		return
	case *plan.LambdaVar:
		b.WriteString("lambda#")
		b.WriteString(strconv.FormatInt(int64(x.ID), 10))
		return
	case *plan.Call:
		if operands, name := sameValue(x); operands != nil {
			fmt.Fprintf(b, "%s %d(%s)", name, x.Mode, strings.Join(operands, ","))
			return
		}
		b.WriteString(x.Name)
		if x.Distinct {
			b.WriteString(" distinct")
		}
		switch x.Nulls {
		case plan.IgnoreNulls:
			b.WriteString(" ignore")
		case plan.RespectNulls:
			b.WriteString(" respect")
		}
		if isRandom(x.Name) && len(x.Args) == 0 {
			fmt.Fprintf(b, "@%p", x)
		}
		if x.Filter != nil {
			b.WriteString(" filter")
		}
		for _, o := range x.Order {
			fmt.Fprintf(b, " %t%t", o.Desc, o.NullsLast)
		}
		fmt.Fprintf(b, " %d", x.Mode)
	case *plan.Cast:
		fmt.Fprintf(b, "cast:%s:%d", x.To, x.Mode)
	case *plan.GetField:
		b.WriteString("field")
		b.WriteString(strconv.Itoa(x.Index))
	case *plan.Window:
		b.WriteString("window")
		for _, o := range x.Order {
			fmt.Fprintf(b, " %t%t", o.Desc, o.NullsLast)
		}
		if x.Frame != nil {
			fmt.Fprintf(b, " %t %d %d", x.Frame.Rows, x.Frame.Lower.Kind, x.Frame.Upper.Kind)
		}
		fmt.Fprintf(b, " %d", len(x.Partition))
	case *plan.Subquery, *plan.UDF:
		fmt.Fprintf(b, "%p", x)
	default:
		b.WriteString(reflect.TypeOf(e).Elem().Name())
	}
	b.WriteByte('(')
	for i, k := range e.Children() {
		if i > 0 {
			b.WriteByte(',')
		}
		writeKey(b, k)
	}
	b.WriteByte(')')
}

func nodeName(n any) string { return reflect.TypeOf(n).Elem().Name() }

// transformDown rewrites e top-down: where f answers, its answer stands and is not looked into.
func transformDown(e plan.Expr, f func(plan.Expr) (plan.Expr, error)) (plan.Expr, error) {
	x, err := f(e)
	if err != nil {
		return nil, err
	}
	if x != nil {
		return x, nil
	}
	kids := e.Children()
	var fresh []plan.Expr
	for i, k := range kids {
		n, err := transformDown(k, f)
		if err != nil {
			return nil, err
		}
		if n != k && fresh == nil {
			fresh = append([]plan.Expr{}, kids...)
		}
		if fresh != nil {
			fresh[i] = n
		}
	}
	if fresh == nil {
		return e, nil
	}
	return e.WithChildren(fresh), nil
}

// qualifiedSQL is SQL with qualified columns and all casts, as a few messages have it.
func (r *run) qualifiedSQL(e plan.Expr) string {
	x, err := plan.Transform(e, func(k plan.Expr) (plan.Expr, error) {
		if a, ok := k.(*plan.Attr); ok {
			c := *a
			c.Name = strings.Join(append(append([]string{}, a.Qualifier...), a.Name), ".")
			return &c, nil
		}
		if c, ok := k.(*plan.Cast); ok && c.Implicit {
			w := *c
			w.Implicit = false
			return &w, nil
		}
		return k, nil
	})
	if err != nil {
		return r.sql(e)
	}
	return r.sql(x)
}
