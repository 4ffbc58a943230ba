package analyze

import (
	"slices"
	"sort"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// join resolves a join; equal ids on both sides (self joins) get new ones on the right.
func (r *run) join(n *plan.Join, outer *scope) (*rel, error) {
	left, err := r.node(n.Left, outer)
	if err != nil {
		return nil, err
	}
	if n.Lateral {
		return r.lateralJoin(n, left, outer)
	}
	right, err := r.node(n.Right, outer)
	if err != nil {
		return nil, err
	}
	right = r.dedup(left, right)
	return r.finishJoin(n, left, right, outer)
}

func concat[T any](a, b []T) []T { return append(slices.Clip(slices.Clone(a)), b...) }

func (r *run) finishJoin(n *plan.Join, left, right *rel, outer *scope) (*rel, error) {
	j := *n
	j.Left, j.Right = left.node, right.node
	j.Using, j.Natural = nil, false
	using := n.Using
	if n.Natural { // the names that both sides have, as often as both have them
		using = nil
		taken := make([]bool, len(right.out))
		for _, a := range left.out {
			for i, b := range right.out {
				if r.eq(a.Name, b.Name) && !taken[i] {
					using, taken[i] = append(using, a.Name), true
					break
				}
			}
		}
	}
	if len(using) > 0 {
		return r.usingJoin(&j, using, left, right)
	}
	both := &rel{out: concat(left.out, right.out), meta: concat(left.meta, right.meta), dfs: concat(left.dfs, right.dfs)}
	if n.Cond != nil {
		s := relScope(both, outer)
		s.outerUsed = outerUsed(outer)
		s.operator = "'Join"
		cond, err := r.expr(n.Cond, s)
		if err != nil {
			return nil, err
		}
		cond = unalias(cond)
		if varies(cond) {
			return nil, aerr("INVALID_NON_DETERMINISTIC_EXPRESSIONS", "sqlExprs", r.quoted(cond)).At(n.Origin)
		}
		if err := r.checkPlacement("Join", cond); err != nil {
			return nil, err
		}
		if t := cond.Type(); t.Kind != types.Bool {
			return nil, aerr("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "joinCondition", r.quoted(cond), "conditionType", errs.Quote(t.SQL())).At(n.Origin)
		}
		if a := firstAggregate(cond); a != nil {
			return nil, aerr("UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "Join", "invalidExprSqls", r.quoted(a)).At(a.Pos())
		}
		if w := firstWindow(cond); w != nil {
			return nil, aerr("UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "Join", "invalidExprSqls", r.quoted(w)).At(w.Pos())
		}
		j.Cond = cond
		for _, m := range s.missing {
			if reachable(left.node, m.ID) {
				j.Left = pull(j.Left, []*plan.Attr{m})
			} else {
				j.Right = pull(j.Right, []*plan.Attr{m})
			}
		}
		if len(s.missing) > 0 {
			j.Cond = cond
			return &rel{node: projectTo(joinOut(n.Kind, left, right), &j), out: joinOut(n.Kind, left, right), meta: metaOf(n.Kind, left, right), dfs: both.dfs}, nil
		}
	}
	return &rel{node: &j, out: joinOut(n.Kind, left, right), meta: metaOf(n.Kind, left, right), dfs: both.dfs}, nil
}

func metaOf(k plan.JoinType, l, x *rel) []*plan.Attr {
	if k == plan.LeftSemi || k == plan.LeftAnti {
		return l.meta
	}
	lm, xm := l.meta, x.meta
	if k == plan.RightOuter || k == plan.FullOuter {
		lm = asNullable(lm)
	}
	if k == plan.LeftOuter || k == plan.FullOuter {
		xm = asNullable(xm)
	}
	return concat(lm, xm)
}

func asNullable(l []*plan.Attr) []*plan.Attr {
	out := make([]*plan.Attr, len(l))
	for i, a := range l {
		c := *a
		c.Null = true
		out[i] = &c
	}
	return out
}

func joinOut(k plan.JoinType, l, x *rel) []*plan.Attr {
	switch k {
	case plan.LeftSemi, plan.LeftAnti:
		return l.out
	case plan.LeftOuter:
		return concat(l.out, asNullable(x.out))
	case plan.RightOuter:
		return concat(asNullable(l.out), x.out)
	case plan.FullOuter:
		return concat(asNullable(l.out), asNullable(x.out))
	}
	return concat(l.out, x.out)
}

// usingJoin joins on columns of the same names, which come once and first.
func (r *run) usingJoin(j *plan.Join, using []string, left, right *rel) (*rel, error) {
	one := func(out []*plan.Attr, name, side string) (*plan.Attr, error) {
		var hit []*plan.Attr
		for _, a := range out {
			if r.eq(a.Name, name) {
				hit = append(hit, a)
			}
		}
		if len(hit) == 0 {
			names := make([]string, len(out))
			for i, a := range out {
				names[i] = errs.ID(a.Name)
			}
			sort.Strings(names)
			return nil, aerr("UNRESOLVED_USING_COLUMN_FOR_JOIN", "colName", errs.ID(name), "side", side, "suggestion", strings.Join(names, ", "))
		}
		return hit[0], nil // the first of several
	}
	var lk, rk []*plan.Attr
	for _, u := range using {
		a, err := one(left.out, u, "left")
		if err != nil {
			return nil, err
		}
		b, err := one(right.out, u, "right")
		if err != nil {
			return nil, err
		}
		eq, err := r.compare(&plan.Call{Name: "=", Args: []plan.Expr{a, b}})
		if err != nil {
			return nil, err
		}
		lk, rk = append(lk, a), append(rk, b)
		if j.Cond == nil {
			j.Cond = eq
		} else {
			j.Cond = boolCall("and", nil, j.Cond.Nullable() || eq.Nullable(), j.Cond, eq)
		}
	}
	rest := func(out, keys []*plan.Attr) []*plan.Attr {
		var l []*plan.Attr
		for _, a := range out {
			if !hasID(keys, a.ID) {
				l = append(l, a)
			}
		}
		return l
	}
	lr, rr := rest(left.out, lk), rest(right.out, rk)
	x := &rel{dfs: concat(left.dfs, right.dfs)}
	var list []plan.Expr
	add := func(l []*plan.Attr) {
		for _, a := range l {
			list = append(list, a)
		}
	}
	switch j.Kind {
	case plan.LeftSemi, plan.LeftAnti:
		add(lk)
		add(lr)
		x.meta = left.meta
	case plan.RightOuter:
		add(rk)
		add(asNullable(lr))
		add(rr)
		x.meta = concat(concat(asNullable(lk), left.meta), right.meta)
	case plan.FullOuter:
		for i := range lk {
			a, b := asNullable(lk[i : i+1])[0], asNullable(rk[i : i+1])[0]
			t := r.common([]plan.Expr{a, b})
			if t == nil {
				return nil, r.diffTypes(&plan.Call{Name: "=", Args: []plan.Expr{a, b}})
			}
			c := &plan.Call{Name: "coalesce", Args: []plan.Expr{r.implicit(a, t), r.implicit(b, t)}, T: t, Null: true, Kind: plan.FnScalar, Mode: r.mode()}
			list = append(list, &plan.Alias{Child: c, Names: []string{a.Name}, ID: plan.NewID()})
		}
		add(asNullable(lr))
		add(asNullable(rr))
		x.meta = concat(concat(asNullable(lk), asNullable(rk)), concat(left.meta, right.meta))
	case plan.LeftOuter:
		add(lk)
		add(lr)
		add(asNullable(rr))
		x.meta = concat(asNullable(rk), concat(left.meta, right.meta))
	default:
		add(lk)
		add(lr)
		add(rr)
		x.meta = concat(rk, concat(left.meta, right.meta))
	}
	x.node = &plan.Project{Common: j.Common, List: list, Child: j}
	x.out = x.node.Output()
	return x, nil
}

// lateralJoin resolves the right side with the left one around it.
func (r *run) lateralJoin(n *plan.Join, left *rel, outer *scope) (*rel, error) {
	if n.Kind != plan.Inner && n.Kind != plan.Cross && n.Kind != plan.LeftOuter {
		return nil, errs.New(errs.Parse, "UNSUPPORTED_JOIN_TYPE", "typ", "lateral", "supported", "'INNER', 'LEFT OUTER', 'CROSS'").At(n.Origin)
	}
	s := relScope(left, outer)
	var used []*plan.Attr
	s.outerUsed = &used
	right, err := r.node(n.Right, s)
	if err != nil {
		return nil, err
	}
	if err := r.checkLateral(left.node, right.node); err != nil {
		return nil, err
	}
	if err := r.checkCorrelation(right.node); err != nil {
		return nil, err
	}
	for _, a := range s.missing {
		left = &rel{node: pull(left.node, []*plan.Attr{a}), out: left.out, meta: left.meta, dfs: left.dfs}
	}
	if len(used) == 0 {
		right = r.dedup(left, right)
		j := *n
		j.Lateral = false
		return lateralCondition(r.finishJoin(&j, left, right, outer))
	}
	// A generator over columns of the left is a Generate over it.
	if g, out, ok := lateralGenerate(right.node, left.node); ok && n.Cond == nil && len(n.Using) == 0 && !n.Natural {
		if n.Kind == plan.LeftOuter {
			c := *g
			c.Outer = true
			g = &c
			out = asNullable(out)
			g.Out = asNullable(g.Out)
		}
		node := plan.Node(g)
		x := &rel{node: node, out: concat(left.out, out), dfs: left.dfs}
		x.node = projectTo(x.out, node)
		return x, nil
	}
	right = r.dedup(left, right)
	return lateralCondition(r.finishJoin(n, left, right, outer))
}

// lateralCondition names what Spark says of a lateral join's condition that differs each time.
func lateralCondition(x *rel, err error) (*rel, error) {
	if e, ok := errs.As(err); ok && e.Condition == "INVALID_NON_DETERMINISTIC_EXPRESSIONS" {
		return nil, aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.LATERAL_JOIN_CONDITION_NON_DETERMINISTIC", "condition", e.Params["sqlExprs"])
	}
	return x, err
}

// lateralGenerate turns Generate(OneRow) on the right of a lateral join, under aliases only, into one over left.
func lateralGenerate(n, left plan.Node) (*plan.Generate, []*plan.Attr, bool) {
	out := n.Output()
	for {
		switch x := n.(type) {
		case *plan.SubqueryAlias:
			n = x.Child
			continue
		case *plan.Project:
			// A renaming of all columns: keep the names by renaming the generated ones.
			g, ok := x.Child.(*plan.Generate)
			if !ok || len(x.List) != len(g.Out) {
				return nil, nil, false
			}
			c := *g
			c.Out = make([]*plan.Attr, len(g.Out))
			for i, e := range x.List {
				al, ok := e.(*plan.Alias)
				if !ok {
					return nil, nil, false
				}
				a, ok := al.Child.(*plan.Attr)
				if !ok || a.ID != g.Out[i].ID {
					return nil, nil, false
				}
				b := *out[i]
				c.Out[i] = &b
			}
			n = &c
			continue
		case *plan.Generate:
			if _, ok := x.Child.(*plan.OneRow); !ok {
				return nil, nil, false
			}
			c := *x
			gen, err := plan.Transform(x.Gen, func(e plan.Expr) (plan.Expr, error) {
				if o, ok := e.(*plan.OuterRef); ok {
					return o.Attr, nil
				}
				return e, nil
			})
			if err != nil {
				return nil, nil, false
			}
			c.Gen, c.Child = gen, left
			return &c, out, true
		}
		return nil, nil, false
	}
}

// dedup gives right new ids where left has the same ones.
func (r *run) dedup(left, right *rel) *rel {
	clash := false
	for _, a := range right.out {
		if hasID(left.out, a.ID) {
			clash = true
		}
	}
	for _, a := range right.meta {
		if hasID(left.out, a.ID) || hasID(left.meta, a.ID) {
			clash = true
		}
	}
	if !clash {
		ids := map[plan.ExprID]bool{}
		producers(left.node, ids)
		also := map[plan.ExprID]bool{}
		producers(right.node, also)
		for id := range also {
			if ids[id] {
				clash = true
			}
		}
	}
	if !clash {
		return right
	}
	return fresh(right)
}

// producers collects the ids that the nodes of n bring into being.
func producers(n plan.Node, ids map[plan.ExprID]bool) {
	plan.WalkNodes(n, func(x plan.Node) bool {
		switch x := x.(type) {
		case *plan.Relation, *plan.LocalRelation, *plan.Range, *plan.CTERef, *plan.CachedRef, *plan.SetOperation, *plan.RecursiveLoop, *plan.Expand:
			for _, a := range x.Output() {
				ids[a.ID] = true
			}
		case *plan.Generate:
			for _, a := range x.Out {
				ids[a.ID] = true
			}
		case *plan.Project, *plan.Aggregate, *plan.WindowNode, *plan.NA:
			for _, e := range x.Exprs() {
				if a, ok := e.(*plan.Alias); ok {
					ids[a.ID] = true
				}
			}
		}
		return true
	})
}

// fresh copies x with new ids for all that it brings into being.
func fresh(x *rel) *rel {
	ids := map[plan.ExprID]plan.ExprID{}
	node := freshNode(x.node, ids)
	dfs := make([]dfRef, len(x.dfs))
	for i, d := range x.dfs {
		dfs[i] = dfRef{d.id, mapAttrs(d.out, ids), mapAttrs(d.meta, ids), d.depth}
	}
	return &rel{node: node, out: mapAttrs(x.out, ids), meta: mapAttrs(x.meta, ids), dfs: dfs}
}

func mapAttrs(l []*plan.Attr, ids map[plan.ExprID]plan.ExprID) []*plan.Attr {
	if l == nil {
		return nil
	}
	out := make([]*plan.Attr, len(l))
	for i, a := range l {
		out[i] = a
		if id, ok := ids[a.ID]; ok {
			c := *a
			c.ID = id
			out[i] = &c
		}
	}
	return out
}

func renew(l []*plan.Attr, ids map[plan.ExprID]plan.ExprID) []*plan.Attr {
	for _, a := range l {
		if _, ok := ids[a.ID]; !ok {
			ids[a.ID] = plan.NewID()
		}
	}
	return mapAttrs(l, ids)
}

func freshNode(n plan.Node, ids map[plan.ExprID]plan.ExprID) plan.Node {
	if k := n.Children(); len(k) > 0 {
		nk := make([]plan.Node, len(k))
		for i := range k {
			nk[i] = freshNode(k[i], ids)
		}
		n = n.WithChildren(nk)
	}
	switch x := n.(type) {
	case *plan.Relation:
		c := *x
		c.Out = renew(x.Out, ids)
		return &c
	case *plan.LocalRelation:
		c := *x
		c.Out = renew(x.Out, ids)
		return &c
	case *plan.Range:
		c := *x
		c.Out = renew(x.Out, ids)
		return &c
	case *plan.CTERef:
		c := *x
		c.Out = renew(x.Out, ids)
		return &c
	case *plan.CachedRef:
		c := *x
		c.Out = renew(x.Out, ids)
		return &c
	case *plan.SetOperation:
		if x.Out != nil {
			c := *x
			c.Out = renew(x.Out, ids)
			n = &c
		}
	case *plan.RecursiveLoop:
		c := *x
		c.Out = renew(x.Out, ids)
		return &c
	case *plan.WithWatermark:
		c := *x
		c.Out = mapAttrs(x.Out, ids)
		return &c
	case *plan.Distinct:
		c := *x
		c.Keys = mapAttrs(x.Keys, ids)
		return &c
	}
	list := n.Exprs()
	if len(list) > 0 {
		out := make([]plan.Expr, len(list))
		for i, e := range list {
			out[i] = freshExpr(e, ids)
			if a, ok := out[i].(*plan.Alias); ok {
				c := *a
				if _, ok := ids[a.ID]; !ok {
					ids[a.ID] = plan.NewID()
				}
				c.ID = ids[a.ID]
				out[i] = &c
			}
		}
		n = n.WithExprs(out)
	}
	switch x := n.(type) {
	case *plan.Generate:
		c := *x
		c.Out = renew(x.Out, ids)
		c.Required = mapAttrs(x.Required, ids)
		return &c
	case *plan.Expand:
		c := *x
		in := map[plan.ExprID]bool{}
		for _, a := range x.Child.Output() {
			in[a.ID] = true
		}
		c.Out = make([]*plan.Attr, len(x.Out))
		for i, a := range x.Out {
			b := *a
			if id, ok := ids[a.ID]; ok {
				b.ID = id
			} else if !in[a.ID] {
				ids[a.ID] = plan.NewID()
				b.ID = ids[a.ID]
			}
			c.Out[i] = &b
		}
		return &c
	}
	return n
}

func freshExpr(e plan.Expr, ids map[plan.ExprID]plan.ExprID) plan.Expr {
	x, err := plan.Transform(e, func(k plan.Expr) (plan.Expr, error) {
		switch a := k.(type) {
		case *plan.Attr:
			if id, ok := ids[a.ID]; ok {
				c := *a
				c.ID = id
				return &c, nil
			}
		case *plan.Subquery:
			c := *a
			c.Outer = mapAttrs(a.Outer, ids)
			c.Plan = freshOuter(a.Plan, ids)
			return &c, nil
		}
		return k, nil
	})
	if err != nil {
		return e
	}
	return x
}

// freshOuter renames the outer references inside a subquery's plan.
func freshOuter(n plan.Node, ids map[plan.ExprID]plan.ExprID) plan.Node {
	out, err := plan.TransformUp(n, func(x plan.Node) (plan.Node, error) {
		return plan.TransformExprs(x, func(e plan.Expr) (plan.Expr, error) {
			if o, ok := e.(*plan.OuterRef); ok {
				if id, ok := ids[o.Attr.ID]; ok {
					a := *o.Attr
					a.ID = id
					return &plan.OuterRef{At: o.At, Attr: &a}, nil
				}
			}
			return e, nil
		})
	})
	if err != nil {
		return n
	}
	return out
}
