package physical

import (
	"fmt"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Bind replaces the columns of an expression, found by id, by their positions
// in cols. The type and nullability are those of cols. A column that isn't
// there, or anything that only a logical plan may have, is an internal error.
func Bind(e plan.Expr, cols []Column) (plan.Expr, error) {
	return plan.Transform(e, func(e plan.Expr) (plan.Expr, error) {
		switch x := e.(type) {
		case *plan.Attr:
			for i := range cols {
				if cols[i].ID == x.ID {
					c := &cols[i]
					return &plan.Bound{Index: i, T: c.Type, Null: c.Null, Name: fmt.Sprintf("%s#%d", c.Name, c.ID)}, nil
				}
			}
			return nil, errs.Internalf("column %s#%d is not in the input", x.Name, x.ID).At(x.Origin)
		case *plan.Alias:
			return x.Child, nil
		case *plan.OuterRef:
			return nil, errs.Internalf("outer column %s#%d was not resolved by a join", x.Attr.Name, x.Attr.ID).At(x.Origin)
		case *plan.Subquery:
			return nil, errs.Internalf("a subquery was left in the physical plan").At(x.Origin)
		}
		return e, nil
	})
}

// BindAll binds a list.
func BindAll(list []plan.Expr, cols []Column) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = Bind(e, cols); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Validate checks a plan: every bound column exists in its node's input and
// has the input's type, keys of joins pair up, outputs have the types of what
// computes them. It is meant for tests and for servers that check invariants.
func Validate(n Node) error {
	seen := map[Node]bool{}
	var visit func(n Node) error
	visit = func(n Node) error {
		if seen[n] {
			return nil
		}
		seen[n] = true
		for _, k := range n.Children() {
			if err := visit(k); err != nil {
				return err
			}
		}
		if err := validate(n); err != nil {
			return fmt.Errorf("%s: %w", n.Name(), err)
		}
		return nil
	}
	return visit(n)
}

func checkBound(cols []Column, list ...plan.Expr) error {
	for _, e := range list {
		if e == nil {
			continue
		}
		var bad error
		plan.Walk(e, func(e plan.Expr) bool {
			switch x := e.(type) {
			case *plan.Bound:
				switch {
				case x.Index < 0 || x.Index >= len(cols):
					bad = fmt.Errorf("column %d (%s) of %d", x.Index, x.Name, len(cols))
				case !types.SameType(x.T, cols[x.Index].Type):
					bad = fmt.Errorf("column %d (%s) is %s, bound as %s", x.Index, x.Name, cols[x.Index].Type, x.T)
				}
			case *plan.Attr, *plan.OuterRef, *plan.Subquery, *plan.Alias:
				bad = fmt.Errorf("%T in a physical plan", e)
			}
			return bad == nil
		})
		if bad != nil {
			return bad
		}
		if e.Type() == nil {
			return fmt.Errorf("expression without a type: %s", ExprString(e))
		}
	}
	return nil
}

func checkOut(list []plan.Expr, out []Column) error {
	if len(list) > len(out) {
		return fmt.Errorf("%d expressions, %d columns", len(list), len(out))
	}
	for i, e := range list {
		if !types.SameType(e.Type(), out[i].Type) {
			return fmt.Errorf("column %s is %s, computed as %s", out[i].Name, out[i].Type, e.Type())
		}
	}
	return nil
}

func orderExprs(order []Order) []plan.Expr {
	out := make([]plan.Expr, len(order))
	for i, o := range order {
		out[i] = o.Expr
	}
	return out
}

func checkAggs(in []Column, aggs []Agg, mode AggMode) error {
	for _, a := range aggs {
		if mode == Partial || mode == Complete {
			if err := checkBound(in, append(append([]plan.Expr{}, a.Call.Children()...), a.Filter)...); err != nil {
				return err
			}
		} else if a.StateAt < 0 || a.StateAt > len(in) {
			return fmt.Errorf("state of %s at column %d of %d", a.Call.Name, a.StateAt, len(in))
		}
	}
	return nil
}

func checkJoin(left, right []Column, lk, rk []plan.Expr, cond plan.Expr) error {
	if len(lk) != len(rk) {
		return fmt.Errorf("%d left keys, %d right keys", len(lk), len(rk))
	}
	if err := checkBound(left, lk...); err != nil {
		return err
	}
	if err := checkBound(right, rk...); err != nil {
		return err
	}
	for i := range lk {
		if !types.SameType(lk[i].Type(), rk[i].Type()) {
			return fmt.Errorf("key %d is %s and %s", i, lk[i].Type(), rk[i].Type())
		}
	}
	if cond == nil {
		return nil
	}
	return checkBound(append(append([]Column{}, left...), right...), cond)
}

func validate(n Node) error {
	switch x := n.(type) {
	case *Scan:
		if len(x.Cols) != len(x.Out) {
			return fmt.Errorf("%d columns, %d in the output", len(x.Cols), len(x.Out))
		}
		return checkBound(x.Out, x.Filters...)
	case *Filter:
		return checkBound(x.Input.Schema(), x.Cond)
	case *Project:
		if err := checkBound(x.Input.Schema(), x.Exprs...); err != nil {
			return err
		}
		if len(x.Exprs) != len(x.Out) {
			return fmt.Errorf("%d expressions, %d columns", len(x.Exprs), len(x.Out))
		}
		return checkOut(x.Exprs, x.Out)
	case *HashAggregate:
		in := x.Input.Schema()
		if err := checkBound(in, x.Group...); err != nil {
			return err
		}
		if err := checkAggs(in, x.Aggs, x.Mode); err != nil {
			return err
		}
		return checkOut(x.Group, x.Out)
	case *StateAggregate:
		in := x.Input.Schema()
		if err := checkBound(in, x.Group...); err != nil {
			return err
		}
		return checkAggs(in, x.Aggs, Final)
	case *HashJoin:
		if err := checkJoin(x.Left.Schema(), x.Right.Schema(), x.LeftKeys, x.RightKeys, x.Cond); err != nil {
			return err
		}
		return checkJoinOut(x.Kind, x.Left, x.Right, x.Out)
	case *NestedLoopJoin:
		if err := checkJoin(x.Left.Schema(), x.Right.Schema(), nil, nil, x.Cond); err != nil {
			return err
		}
		return checkJoinOut(x.Kind, x.Left, x.Right, x.Out)
	case *Sort:
		return checkBound(x.Input.Schema(), orderExprs(x.Order)...)
	case *TopK:
		return checkBound(x.Input.Schema(), orderExprs(x.Order)...)
	case *Exchange:
		return checkBound(x.Input.Schema(), append(append([]plan.Expr{}, x.Keys...), orderExprs(x.Order)...)...)
	case *Window:
		in := x.Input.Schema()
		list := append(append([]plan.Expr{}, x.Partition...), orderExprs(x.Order)...)
		for _, f := range x.Fns {
			list = append(list, f.Func)
			if f.Frame == nil {
				return fmt.Errorf("%s has no frame", f.Func.Name)
			}
		}
		if len(x.Out) != len(in)+len(x.Fns) {
			return fmt.Errorf("%d columns from %d and %d functions", len(x.Out), len(in), len(x.Fns))
		}
		return checkBound(in, list...)
	case *Union:
		for _, k := range x.Inputs {
			s := k.Schema()
			if len(s) != len(x.Out) {
				return fmt.Errorf("input of %d columns, output of %d", len(s), len(x.Out))
			}
			for i := range s {
				if !types.SameType(s[i].Type, x.Out[i].Type) {
					return fmt.Errorf("column %s is %s, and %s in an input", x.Out[i].Name, x.Out[i].Type, s[i].Type)
				}
			}
		}
	case *Expand:
		for _, p := range x.Projections {
			if err := checkBound(x.Input.Schema(), p...); err != nil {
				return err
			}
			if len(p) != len(x.Out) {
				return fmt.Errorf("projection of %d for %d columns", len(p), len(x.Out))
			}
			if err := checkOut(p, x.Out); err != nil {
				return err
			}
		}
	case *Generate:
		in := x.Input.Schema()
		for _, i := range x.Keep {
			if i < 0 || i >= len(in) {
				return fmt.Errorf("keeps column %d of %d", i, len(in))
			}
		}
		return checkBound(in, x.Call)
	case *Observe:
		if err := checkAggs(x.Input.Schema(), x.Aggs, Complete); err != nil {
			return err
		}
	}
	return nil
}

func checkJoinOut(k plan.JoinType, l, r Node, out []Column) error {
	want := len(l.Schema())
	switch k {
	case plan.LeftSemi, plan.LeftAnti, plan.NullAwareAnti:
	case plan.Existence:
		want++
	default:
		want += len(r.Schema())
	}
	if len(out) != want {
		return fmt.Errorf("%d columns, want %d", len(out), want)
	}
	return nil
}
