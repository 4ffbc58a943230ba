package translate

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// Rewrite rebuilds a plan bottom-up, everywhere that plans stand: in inputs,
// common table expressions, subqueries and the queries of commands. onExpr
// sees each expression after its children, onNode each node after its inputs and
// expressions; either may be nil.
func Rewrite(n plan.Node, onNode func(plan.Node) (plan.Node, error), onExpr func(plan.Expr) (plan.Expr, error)) (plan.Node, error) {
	r := rewriter{node: onNode, expr: onExpr, done: map[plan.Node]plan.Node{}}
	return r.visit(n)
}

type rewriter struct {
	node func(plan.Node) (plan.Node, error)
	expr func(plan.Expr) (plan.Expr, error)
	done map[plan.Node]plan.Node // shared nodes stay shared
}

func (r *rewriter) visit(n plan.Node) (plan.Node, error) {
	if d, ok := r.done[n]; ok {
		return d, nil
	}
	out, err := r.rebuild(n)
	if err == nil && r.node != nil {
		out, err = r.node(out)
	}
	if err != nil {
		return nil, err
	}
	r.done[n] = out
	return out, nil
}

func (r *rewriter) rebuild(n plan.Node) (plan.Node, error) {
	kids := n.Children()
	var fresh []plan.Node
	for i, k := range kids {
		c, err := r.visit(k)
		if err != nil {
			return nil, err
		}
		if c != k && fresh == nil {
			fresh = slices.Clone(kids)
		}
		if fresh != nil {
			fresh[i] = c
		}
	}
	if fresh != nil {
		n = n.WithChildren(fresh)
	}
	switch k := n.(type) {
	case *plan.With:
		var ctes []plan.CTE
		for i, c := range k.CTEs {
			p, err := r.visit(c.Plan)
			if err != nil {
				return nil, err
			}
			if p != c.Plan && ctes == nil {
				ctes = slices.Clone(k.CTEs)
			}
			if ctes != nil {
				ctes[i].Plan = p
			}
		}
		if ctes != nil {
			c := *k
			c.CTEs = ctes
			n = &c
		}
	case *plan.Command:
		if k.Query != nil {
			q, err := r.visit(k.Query)
			if err != nil {
				return nil, err
			}
			if q != k.Query {
				c := *k
				c.Query = q
				n = &c
			}
		}
	}
	return plan.TransformExprs(n, r.inExpr)
}

func (r *rewriter) inExpr(e plan.Expr) (plan.Expr, error) {
	if s, ok := e.(*plan.Subquery); ok && s.Plan != nil {
		p, err := r.visit(s.Plan)
		if err != nil {
			return nil, err
		}
		if p != s.Plan {
			c := *s
			c.Plan = p
			e = &c
		}
	}
	if r.expr == nil {
		return e, nil
	}
	return r.expr(e)
}

// bindParameters puts arguments in the places of :name and ?. A statement uses one of the two kinds.
func bindParameters(n plan.Node, named map[string]plan.Expr, pos []plan.Expr) (plan.Node, error) {
	var offsets []int
	_, err := Rewrite(n, nil, func(e plan.Expr) (plan.Expr, error) {
		if p, ok := e.(*plan.Parameter); ok && p.Name == "" {
			offsets = append(offsets, p.Offset)
		}
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(offsets)
	offsets = slices.Compact(offsets)
	return Rewrite(n, nil, func(e plan.Expr) (plan.Expr, error) {
		p, ok := e.(*plan.Parameter)
		if !ok {
			return e, nil
		}
		if p.Name != "" {
			if v, ok := named[p.Name]; ok {
				return v, nil
			}
			return nil, errs.New(errs.Analysis, "UNBOUND_SQL_PARAMETER", "name", p.Name).At(p.Origin)
		}
		if i, _ := slices.BinarySearch(offsets, p.Offset); i < len(pos) {
			return pos[i], nil
		}
		return nil, errs.New(errs.Analysis, "UNBOUND_SQL_PARAMETER", "name", "_"+itoa(p.Offset)).At(p.Origin)
	})
}

// TakeHint removes the hints of that name (any of names, in any case) and returns the value of the
// outermost one: its first argument as text. found is false when there was none.
func TakeHint(n plan.Node, names []string) (out plan.Node, value string, found bool, err error) {
	out, err = Rewrite(n, func(n plan.Node) (plan.Node, error) {
		h, ok := n.(*plan.Hint)
		if !ok || !slices.ContainsFunc(names, func(s string) bool { return strings.EqualFold(s, h.Name) }) {
			return n, nil
		}
		found, value = true, "" // bottom-up: the outermost comes last
		if len(h.Args) > 0 {
			value = hintText(h.Args[0])
		}
		return h.Child, nil
	}, nil)
	return out, value, found, err
}

func hintText(e plan.Expr) string {
	switch e := e.(type) {
	case *plan.Literal:
		if s, ok := e.Value.(string); ok {
			return s
		}
		if s, ok := integerText(e.Value); ok {
			return s
		}
	case *plan.UnresolvedAttr:
		return strings.Join(e.Parts, ".")
	}
	return ""
}
