package analyze

import (
	"sort"
	"strings"

	"neptune/internal/plan"
)

// BindParameters puts arguments in the place of :name and ? in a statement,
// sub-queries included. positional and named must not both be given.
func BindParameters(n plan.Node, positional []plan.Expr, named map[string]plan.Expr) (plan.Node, error) {
	b := &binder{named: named, at: map[int]plan.Expr{}}
	if len(positional) > 0 {
		var offs []int
		walkParams(n, func(p *plan.Parameter) {
			if p.Name == "" {
				offs = append(offs, p.Offset)
			}
		})
		sort.Ints(offs)
		for i, o := range offs {
			if i < len(positional) {
				b.at[o] = positional[i]
			}
		}
	}
	return b.node(n)
}

type binder struct {
	named map[string]plan.Expr
	at    map[int]plan.Expr
}

func (b *binder) expr(e plan.Expr) (plan.Expr, error) {
	return plan.Transform(e, func(x plan.Expr) (plan.Expr, error) {
		switch x := x.(type) {
		case *plan.Parameter:
			if x.Name == "" {
				if v, ok := b.at[x.Offset]; ok {
					return v, nil
				}
				return nil, aerr("UNBOUND_SQL_PARAMETER", "name", "_"+itoa(x.Offset)).At(x.Origin)
			}
			if v, ok := b.named[x.Name]; ok {
				return v, nil
			}
			for k, v := range b.named {
				if strings.EqualFold(k, x.Name) {
					return v, nil
				}
			}
			return nil, aerr("UNBOUND_SQL_PARAMETER", "name", x.Name).At(x.Origin)
		case *plan.Subquery:
			if x.Plan == nil {
				return x, nil
			}
			p, err := b.node(x.Plan)
			if err != nil {
				return nil, err
			}
			c := *x
			c.Plan = p
			return &c, nil
		}
		return x, nil
	})
}

func (b *binder) node(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(x plan.Node) (plan.Node, error) {
		switch k := x.(type) {
		case *plan.Command:
			c := *k
			if k.Query != nil {
				q, err := b.node(k.Query)
				if err != nil {
					return nil, err
				}
				c.Query = q
			}
			c.Exprs_ = nil
			for _, e := range k.Exprs_ {
				y, err := b.expr(e)
				if err != nil {
					return nil, err
				}
				c.Exprs_ = append(c.Exprs_, y)
			}
			return &c, nil
		case *plan.With:
			c := *k
			c.CTEs = append([]plan.CTE{}, k.CTEs...)
			for i := range c.CTEs {
				p, err := b.node(c.CTEs[i].Plan)
				if err != nil {
					return nil, err
				}
				c.CTEs[i].Plan = p
			}
			return &c, nil
		case *plan.Aggregate:
			if len(k.GroupParts) > 0 {
				c := *k
				parts, err := b.parts(k.GroupParts)
				if err != nil {
					return nil, err
				}
				c.GroupParts = parts
				x = &c
			}
		}
		if len(x.Exprs()) == 0 {
			return x, nil
		}
		l := x.Exprs()
		out := make([]plan.Expr, len(l))
		changed := false
		for i, e := range l {
			y, err := b.expr(e)
			if err != nil {
				return nil, err
			}
			changed = changed || y != e
			out[i] = y
		}
		if !changed {
			return x, nil
		}
		return x.WithExprs(out), nil
	})
}

func (b *binder) parts(l []plan.GroupPart) ([]plan.GroupPart, error) {
	out := make([]plan.GroupPart, len(l))
	for i, p := range l {
		q := p
		q.Sets = make([][]plan.Expr, len(p.Sets))
		for k, set := range p.Sets {
			for _, e := range set {
				x, err := b.expr(e)
				if err != nil {
					return nil, err
				}
				q.Sets[k] = append(q.Sets[k], x)
			}
		}
		nested, err := b.parts(p.Nested)
		if err != nil {
			return nil, err
		}
		if len(nested) > 0 {
			q.Nested = nested
		}
		out[i] = q
	}
	return out, nil
}

// walkParams visits the parameters of a plan.
func walkParams(n plan.Node, f func(*plan.Parameter)) {
	expr := func(e plan.Expr) {
		plan.Walk(e, func(x plan.Expr) bool {
			switch x := x.(type) {
			case *plan.Parameter:
				f(x)
			case *plan.Subquery:
				if x.Plan != nil {
					walkParams(x.Plan, f)
				}
			}
			return true
		})
	}
	plan.WalkNodes(n, func(x plan.Node) bool {
		for _, e := range x.Exprs() {
			expr(e)
		}
		switch k := x.(type) {
		case *plan.With:
			for _, c := range k.CTEs {
				walkParams(c.Plan, f)
			}
		case *plan.Command:
			if k.Query != nil {
				walkParams(k.Query, f)
			}
		}
		return true
	})
}
