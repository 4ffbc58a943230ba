package optimize

import (
	"fmt"
	"strings"

	"neptune/internal/plan"
)

// Working on trees of relations.

// produced are the ids that nodes of the tree make themselves.
func produced(n plan.Node) idSet {
	s := idSet{}
	plan.WalkNodes(n, func(n plan.Node) bool {
		for _, a := range makes(n) {
			s.add(a)
		}
		return true
	})
	return s
}

// makes are the ids that one node adds.
func makes(n plan.Node) []plan.ExprID {
	var out []plan.ExprID
	attrs := func(l []*plan.Attr) {
		for _, a := range l {
			out = append(out, a.ID)
		}
	}
	aliases := func(l []plan.Expr) {
		for _, e := range l {
			if a, ok := e.(*plan.Alias); ok {
				out = append(out, a.ID)
			}
		}
	}
	switch n := n.(type) {
	case *plan.Relation:
		attrs(n.Out)
	case *plan.LocalRelation:
		attrs(n.Out)
	case *plan.Range:
		attrs(n.Out)
	case *plan.CTERef:
		attrs(n.Out)
	case *plan.CachedRef:
		attrs(n.Out)
	case *plan.Project:
		aliases(n.List)
	case *plan.Aggregate:
		aliases(n.List)
	case *plan.WindowNode:
		aliases(n.List)
	case *plan.Generate:
		attrs(n.Out)
	case *plan.Expand:
		attrs(n.Out)
	case *plan.WithWatermark:
		attrs(n.Out)
	case *plan.SetOperation:
		attrs(n.Out)
	case *plan.RecursiveLoop:
		attrs(n.Out)
	case *shared:
		attrs(n.Out)
	case *plan.Join:
		if n.Exists != nil {
			out = append(out, n.Exists.ID)
		}
	}
	return out
}

// freshen copies a plan under new ids. to fixes some of them (old to new);
// the rest are drawn. Outer references stay.
func freshen(n plan.Node, to map[plan.ExprID]plan.ExprID) plan.Node {
	m := map[plan.ExprID]plan.ExprID{}
	for id := range produced(n) {
		m[id] = plan.NewID()
	}
	for a, b := range to {
		m[a] = b
	}
	return rename(n, m)
}

func renameAttr(a *plan.Attr, m map[plan.ExprID]plan.ExprID) *plan.Attr {
	if a == nil {
		return nil
	}
	id, ok := m[a.ID]
	if !ok {
		return a
	}
	c := *a
	c.ID = id
	return &c
}

func renameAttrs(l []*plan.Attr, m map[plan.ExprID]plan.ExprID) []*plan.Attr {
	if l == nil {
		return nil
	}
	out := make([]*plan.Attr, len(l))
	for i, a := range l {
		out[i] = renameAttr(a, m)
	}
	return out
}

func renameExpr(e plan.Expr, m map[plan.ExprID]plan.ExprID) (plan.Expr, error) {
	switch x := e.(type) {
	case *plan.Attr:
		return renameAttr(x, m), nil
	case *plan.Alias:
		if id, ok := m[x.ID]; ok {
			c := *x
			c.ID = id
			return &c, nil
		}
	case *plan.Subquery:
		// Of the inner plan only what it takes from here changes.
		return mapOuter(x, func(a *plan.Attr) plan.Expr { return &plan.OuterRef{Attr: renameAttr(a, m)} }), nil
	}
	return e, nil
}

func rename(n plan.Node, m map[plan.ExprID]plan.ExprID) plan.Node {
	out, _ := plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		n, _ = plan.TransformExprs(n, func(e plan.Expr) (plan.Expr, error) { return renameExpr(e, m) })
		switch x := n.(type) {
		case *plan.Relation:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.LocalRelation:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.Range:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.CTERef:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.CachedRef:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *shared:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.Generate:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			c.Required = renameAttrs(x.Required, m)
			return &c, nil
		case *plan.Expand:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.WithWatermark:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.SetOperation:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.RecursiveLoop:
			c := *x
			c.Out = renameAttrs(x.Out, m)
			return &c, nil
		case *plan.Join:
			c := *x
			c.Exists = renameAttr(x.Exists, m)
			if x.Lateral { // the right side takes columns of the left
				c.Right = mapOuterPlan(x.Right, func(a *plan.Attr) plan.Expr {
					if _, ok := m[a.ID]; ok {
						return &plan.OuterRef{Attr: renameAttr(a, m)}
					}
					return nil
				})
			}
			return &c, nil
		}
		return n, nil
	})
	return out
}

// mapOuter replaces the outer references of a subquery's plan; f returning nil keeps one.
func mapOuter(s *plan.Subquery, f func(*plan.Attr) plan.Expr) *plan.Subquery {
	if s.Plan == nil {
		return s
	}
	c := *s
	c.Plan = mapOuterPlan(s.Plan, f)
	c.Outer = nil
	for _, a := range s.Outer {
		if r, ok := f(a).(*plan.OuterRef); ok {
			c.Outer = append(c.Outer, r.Attr)
		} else {
			c.Outer = append(c.Outer, a)
		}
	}
	return &c
}

func mapOuterExpr(e plan.Expr, f func(*plan.Attr) plan.Expr) plan.Expr {
	if e == nil {
		return nil
	}
	out, _ := plan.Transform(e, func(e plan.Expr) (plan.Expr, error) {
		switch x := e.(type) {
		case *plan.OuterRef:
			if r := f(x.Attr); r != nil {
				return r, nil
			}
		case *plan.Subquery:
			// A reference from two levels down: it stays an outer one there.
			return mapOuter(x, func(a *plan.Attr) plan.Expr {
				switch r := f(a).(type) {
				case *plan.Attr:
					return &plan.OuterRef{Attr: r}
				case *plan.OuterRef:
					return r
				}
				return nil
			}), nil
		}
		return e, nil
	})
	return out
}

func mapOuterPlan(n plan.Node, f func(*plan.Attr) plan.Expr) plan.Node {
	out, _ := plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		return plan.TransformExprs(n, func(e plan.Expr) (plan.Expr, error) {
			switch x := e.(type) {
			case *plan.OuterRef:
				if r := f(x.Attr); r != nil {
					return r, nil
				}
			case *plan.Subquery:
				return mapOuterExpr(x, f), nil
			}
			return e, nil
		})
	})
	return out
}

// outerRefs lists what a plan takes from outside, each column once, in order of appearance.
func outerRefs(n plan.Node) []*plan.Attr {
	var out []*plan.Attr
	seen := idSet{}
	var visit func(n plan.Node, inner idSet)
	visit = func(n plan.Node, inner idSet) {
		plan.WalkNodes(n, func(n plan.Node) bool {
			for _, e := range n.Exprs() {
				plan.Walk(e, func(e plan.Expr) bool {
					switch x := e.(type) {
					case *plan.OuterRef:
						if !seen.has(x.Attr.ID) && !inner.has(x.Attr.ID) {
							seen.add(x.Attr.ID)
							out = append(out, x.Attr)
						}
					case *plan.Subquery:
						if x.Plan != nil {
							// What the enclosing plan makes itself isn't outer to it.
							in := produced(n)
							in.union(inner)
							visit(x.Plan, in)
						}
					}
					return true
				})
			}
			return true
		})
	}
	visit(n, idSet{})
	return out
}

// sameShape reports whether a rewriting changed nothing that prints.
func sameShape(a, b plan.Node) bool { return a == b || nodeKey(a) == nodeKey(b) }

func nodeKey(n plan.Node) string {
	var b strings.Builder
	writeNodeKey(&b, n)
	return b.String()
}

func writeNodeKey(b *strings.Builder, n plan.Node) {
	fmt.Fprintf(b, "%T", n)
	switch x := n.(type) {
	case *plan.Join:
		fmt.Fprintf(b, "%d", x.Kind)
	case *plan.Relation, *plan.LocalRelation, *plan.Range, *plan.CTERef, *plan.CachedRef:
		for _, a := range n.Output() {
			fmt.Fprintf(b, "#%d", a.ID)
		}
		return
	}
	b.WriteByte('[')
	for _, e := range n.Exprs() {
		if a, ok := e.(*plan.Alias); ok {
			fmt.Fprintf(b, "%d=", a.ID)
		}
		writeKey(b, e)
		b.WriteByte(';')
	}
	b.WriteByte(']')
	for _, k := range n.Children() {
		b.WriteByte('(')
		writeNodeKey(b, k)
		b.WriteByte(')')
	}
}

// restore projects a node back to the given columns, when it has others too.
func restore(n plan.Node, want []*plan.Attr) plan.Node {
	got := n.Output()
	if len(got) == len(want) {
		same := true
		for i := range got {
			same = same && got[i].ID == want[i].ID
		}
		if same {
			return n
		}
	}
	byID := map[plan.ExprID]*plan.Attr{}
	for _, a := range got {
		byID[a.ID] = a
	}
	list := make([]plan.Expr, len(want))
	for i, a := range want {
		list[i] = a
		if g, ok := byID[a.ID]; ok {
			list[i] = g
		}
	}
	return &plan.Project{List: list, Child: n}
}
