package optimize

import (
	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// collations makes strings that don't compare by their bytes compare by keys:
// in comparisons, orders and groups. A group keeps one of the strings that are
// equal. It comes before the rules that take equal for the same, and once more
// behind those that group by what had been arguments of DISTINCT.
func (o *optimizer) collations(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		n, err := plan.TransformExprs(n, func(e plan.Expr) (plan.Expr, error) { return collated(e), nil })
		if err != nil {
			return nil, err
		}
		switch x := n.(type) {
		case *plan.Sort:
			if l := collatedOrder(x.Order); l != nil {
				c := *x
				c.Order = l
				return &c, nil
			}
		case *plan.WindowNode:
			part, order := sortKeys(x.Partition), collatedOrder(x.Order)
			if part == nil && order == nil {
				return n, nil
			}
			c := *x
			if part != nil {
				c.Partition = part
			}
			if order != nil {
				c.Order = order
			}
			return &c, nil
		case *plan.Aggregate:
			return collatedGroups(x)
		case *plan.Distinct:
			for _, a := range x.Output() {
				if fn.KeyType(a.T) != nil {
					return nil, errs.NotSupported("DISTINCT of a stream over strings of collation " + a.T.Collation).At(x.Origin)
				}
			}
		}
		return n, nil
	})
}

// sortKey is e, or the key by which its values compare.
func sortKey(e plan.Expr) plan.Expr {
	t := fn.KeyType(e.Type())
	if t == nil {
		return e
	}
	return &plan.Call{At: plan.At{Origin: e.Pos()}, Name: "collation_key", Args: []plan.Expr{e}, T: t, Null: e.Nullable(), Kind: plan.FnScalar, Internal: true}
}

// sortKeys replaces what needs a key; nil: nothing does.
func sortKeys(l []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for i, e := range l {
		if k := sortKey(e); k != e {
			if out == nil {
				out = append([]plan.Expr{}, l...)
			}
			out[i] = k
		}
	}
	return out
}

func collatedOrder(l []plan.SortOrder) []plan.SortOrder {
	var out []plan.SortOrder
	for i, s := range l {
		if k := sortKey(s.Child); k != s.Child {
			if out == nil {
				out = append([]plan.SortOrder{}, l...)
			}
			out[i].Child = k
		}
	}
	return out
}

// comparing has the functions all of whose arguments are compared.
var comparing = map[string]bool{"=": true, "<=>": true, "<": true, "<=": true, ">": true, ">=": true, "in": true, "between": true}

func collated(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Window:
		part, order := sortKeys(x.Partition), collatedOrder(x.Order)
		if part == nil && order == nil {
			return e
		}
		c := *x
		if part != nil {
			c.Partition = part
		}
		if order != nil {
			c.Order = order
		}
		return &c
	case *plan.Call:
		order := collatedOrder(x.Order)
		args := []plan.Expr(nil)
		name := x.Name
		switch {
		case comparing[name]:
			args = sortKeys(x.Args)
		case x.Kind != plan.FnAggregate || len(x.Args) == 0:
		case name == "count" && x.Distinct:
			args = sortKeys(x.Args)
		case name == "approx_count_distinct":
			if k := sortKeys(x.Args[:1]); k != nil {
				args = append(k, x.Args[1:]...)
			}
		case name == "min" || name == "max":
			if k := sortKeys(x.Args[:1]); k != nil {
				args, name = []plan.Expr{x.Args[0], k[0]}, name+"_by"
			}
		case (name == "min_by" || name == "max_by") && len(x.Args) == 2:
			if k := sortKeys(x.Args[1:]); k != nil {
				args = []plan.Expr{x.Args[0], k[0]}
			}
		}
		if args == nil && order == nil {
			return e
		}
		c := *x
		c.Name = name
		if args != nil {
			c.Args = args
		}
		if order != nil {
			c.Order = order
		}
		return &c
	}
	return e
}

// collatedGroups groups by keys; where the value grouped by is asked for it is that of some row.
func collatedGroups(a *plan.Aggregate) (plan.Node, error) {
	group := sortKeys(a.Group)
	if group == nil {
		return a, nil
	}
	if a.Sets != nil {
		return nil, errs.Internalf("grouping sets over collated strings")
	}
	byKey := map[string]bool{}
	for i, g := range a.Group {
		if group[i] != g {
			byKey[key(g)] = true
		}
	}
	some := func(e plan.Expr) *plan.Call {
		return &plan.Call{At: plan.At{Origin: e.Pos()}, Name: "any_value", Args: []plan.Expr{e}, T: e.Type(), Null: e.Nullable(), Kind: plan.FnAggregate}
	}
	var swap func(e plan.Expr) plan.Expr
	swap = func(e plan.Expr) plan.Expr {
		if c, ok := e.(*plan.Call); ok && c.Kind == plan.FnAggregate || ok && c.Name == "collation_key" {
			return e
		}
		if _, ok := e.(*plan.Alias); !ok && byKey[key(e)] {
			return some(e)
		}
		kids := e.Children()
		fresh := make([]plan.Expr, len(kids))
		same := true
		for i, k := range kids {
			fresh[i] = swap(k)
			same = same && fresh[i] == k
		}
		if same {
			return e
		}
		return e.WithChildren(fresh)
	}
	c := *a
	c.Group = group
	c.List = make([]plan.Expr, len(a.List))
	for i, e := range a.List {
		if at, ok := e.(*plan.Attr); ok && byKey[key(e)] {
			c.List[i] = &plan.Alias{At: at.At, Child: some(at), Names: []string{at.Name}, ID: at.ID, Metadata: at.Metadata}
			continue
		}
		c.List[i] = swap(e)
	}
	return &c, nil
}
