package analyze

import (
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// limit resolves LIMIT and OFFSET: constants.
func (r *run) limit(n *plan.Limit, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	if n.All {
		return &rel{node: endless(child.node, true), out: child.out, meta: child.meta, dfs: child.dfs}, nil
	}
	c := *n
	c.Child = child.node
	if n.N != nil {
		c.Child = endless(child.node, false)
	}
	if c.N, err = r.limitExpr("limit", n.N, child); err != nil {
		return nil, err
	}
	if c.Offset, err = r.limitExpr("offset", n.Offset, child); err != nil {
		return nil, err
	}
	return &rel{node: &c, out: child.out, meta: child.meta, dfs: child.dfs}, nil
}

// endless lifts the limit on the rows of a recursion right below LIMIT; through filters, too, of LIMIT ALL.
func endless(n plan.Node, filters bool) plan.Node {
	switch x := n.(type) {
	case *plan.RecursiveLoop:
		c := *x
		c.Endless = true
		return &c
	case *plan.Filter:
		if !filters {
			return n
		}
	case *plan.Project, *plan.SubqueryAlias:
	default:
		return n
	}
	k := n.Children()[0]
	if c := endless(k, filters); c != k {
		return n.WithChildren([]plan.Node{c})
	}
	return n
}

func (r *run) limitExpr(name string, e plan.Expr, child *rel) (plan.Expr, error) {
	if e == nil {
		return nil, nil
	}
	x, err := r.expr(e, relScope(child, nil))
	if err != nil {
		return nil, err
	}
	return r.limitValue(name, unalias(x))
}

func (r *run) limitValue(name string, x plan.Expr) (plan.Expr, error) {
	if err := r.checkPlacement("GlobalLimit", x); err != nil {
		return nil, err
	}
	bad := func(kind string, kv ...string) error {
		return aerr("INVALID_LIMIT_LIKE_EXPRESSION."+kind, append([]string{"name", name, "expr", r.quoted(x)}, kv...)...).At(x.Pos())
	}
	if !foldable(x) {
		return nil, bad("IS_UNFOLDABLE")
	}
	if t := x.Type(); t.Kind != types.Int32 {
		if !t.IsIntegral() || t.Kind == types.Int64 {
			if v, ok := intValue(x); !ok || !t.IsIntegral() || v != int64(int32(v)) {
				return nil, bad("DATA_TYPE", "dataType", errs.Quote(t.SQL()))
			}
		}
	}
	if l, ok := x.(*plan.Literal); ok && l.Value == nil {
		return nil, bad("IS_NULL")
	}
	if v, ok := intValue(x); ok {
		if v < 0 {
			return nil, bad("IS_NEGATIVE", "v", itoa(int(v)))
		}
		return &plan.Literal{At: plan.At{Origin: x.Pos()}, T: types.Int32Type, Value: int32(v)}, nil
	}
	if c, ok := x.(*plan.Call); ok && c.Name == "negative" {
		if v, ok := intValue(c.Args[0]); ok && v > 0 {
			return nil, bad("IS_NEGATIVE", "v", itoa(-int(v)))
		}
	}
	if _, isLit := x.(*plan.Literal); !isLit && r.RunScalar != nil {
		_, vals, err := r.values([]plan.Expr{x})
		if err != nil {
			return nil, err
		}
		v, ok := vals[0].(int32)
		switch {
		case vals[0] == nil:
			return nil, bad("IS_NULL")
		case ok && v < 0:
			return nil, bad("IS_NEGATIVE", "v", itoa(int(v)))
		case ok:
			return &plan.Literal{At: plan.At{Origin: x.Pos()}, T: types.Int32Type, Value: v}, nil
		}
	}
	return x, nil
}

// intValue is the value of an integer constant, computed if it is simple arithmetic.
func intValue(e plan.Expr) (int64, bool) {
	switch x := e.(type) {
	case *plan.Literal:
		switch v := x.Value.(type) {
		case int8:
			return int64(v), true
		case int16:
			return int64(v), true
		case int32:
			if x.T.Kind == types.Int32 {
				return int64(v), true
			}
		case int64:
			if x.T.Kind == types.Int64 {
				return v, true
			}
		}
	case *plan.Cast:
		if x.To.IsIntegral() && x.Child.Type().IsIntegral() {
			return intValue(x.Child)
		}
	case *plan.Call:
		if len(x.Args) == 2 && (x.Name == "+" || x.Name == "-" || x.Name == "*") {
			a, ok1 := intValue(x.Args[0])
			b, ok2 := intValue(x.Args[1])
			const lim = 1 << 31
			if ok1 && ok2 && a < lim && b < lim && a > -lim && b > -lim {
				switch x.Name {
				case "+":
					return a + b, true
				case "-":
					return a - b, true
				}
				return a * b, true
			}
		}
		if len(x.Args) == 1 && x.Name == "negative" {
			v, ok := intValue(x.Args[0])
			return -v, ok
		}
	}
	return 0, false
}

// foldable reports whether e is constant for the query.
func foldable(e plan.Expr) bool {
	ok := true
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.Attr, *plan.OuterRef, *plan.Subquery, *plan.Window, *plan.UDF, *plan.Bound, *plan.LambdaVar:
			ok = false
		case *plan.Call:
			if x.Kind != plan.FnScalar || isRandom(x.Name) {
				ok = false
			}
		}
		return ok
	})
	return ok
}
