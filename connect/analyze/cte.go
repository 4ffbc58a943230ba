package analyze

import (
	"slices"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// cteScope is the WITH list around a query.
type cteScope struct {
	name  string
	rel   *rel  // resolved; given out with fresh ids from the second use on
	used  *bool // whether it was given out before
	self  *plan.CTERef
	outer *cteScope
}

// with resolves WITH: each use of a table expression is a copy of it.
func (r *run) with(n *plan.With, outer *scope) (*rel, error) {
	saved, around, below := r.ctes, r.outerCTEs, r.subqueryCTEs
	defer func() { r.ctes, r.outerCTEs, r.subqueryCTEs = saved, around, below }()
	if err := r.tableExpressions(n, outer); err != nil {
		return nil, err
	}
	r.outerCTEs, r.subqueryCTEs = nil, r.outerCTEs
	return r.node(n.Child, outer)
}

// tableExpressions resolves those of a WITH, and puts them into scope. Where an outer one has the name, the inner one
// counts unless spark.sql.legacy.ctePrecedencePolicy says EXCEPTION, or LEGACY: the outer one, but within the other
// expressions of the same WITH.
func (r *run) tableExpressions(n *plan.With, outer *scope) error {
	seen := map[string]bool{}
	policy := strings.ToUpper(r.Conf.Keys["spark.sql.legacy.ctePrecedencePolicy"])
	around, visible := r.outerCTEs, r.ctes
	if r.outerCTEs = slices.Clip(slices.Clone(around)); policy == "LEGACY" {
		r.outerCTEs = nil
	}
	var hidden []string
	for i := range n.CTEs {
		c := &n.CTEs[i]
		if seen[r.fold(c.Name)] {
			return errs.New(errs.Parse, "DUPLICATED_CTE_NAMES", "duplicateNames", errs.ID(c.Name)).At(n.Origin)
		}
		seen[r.fold(c.Name)] = true
		if slices.ContainsFunc(around, func(name string) bool { return r.eq(name, c.Name) }) {
			switch policy {
			case "EXCEPTION":
				return aerr("AMBIGUOUS_ALIAS_IN_NESTED_CTE", "name", errs.ID(c.Name), "config", errs.Quote("spark.sql.legacy.ctePrecedencePolicy"), "docroot", docRoot)
			case "LEGACY":
				hidden = append(hidden, c.Name)
			}
		}
		var x *rel
		var err error
		names := r.outerCTEs
		if r.subqueryCTEs = nil; !isWith(c.Plan) {
			r.outerCTEs = nil
		}
		if n.Recursive && refers(c.Plan, c.Name, r) {
			x, err = r.recursive(c, outer)
		} else {
			x, err = r.node(c.Plan, outer)
			if err == nil && len(c.Columns) > 0 {
				x, err = r.alias(&plan.SubqueryAlias{Name: c.Name, Columns: c.Columns}, x)
			}
		}
		if err != nil {
			return err
		}
		r.outerCTEs = append(names, c.Name)
		r.ctes = &cteScope{name: c.Name, rel: &rel{node: x.node, out: x.out}, used: new(bool), outer: r.ctes}
	}
	for _, name := range hidden {
		for c := visible; c != nil; c = c.outer {
			if r.eq(c.name, name) {
				shown := *c
				shown.outer = r.ctes
				r.ctes = &shown
				break
			}
		}
	}
	return nil
}

func isWith(n plan.Node) bool {
	_, ok := n.(*plan.With)
	return ok
}

// refers reports whether a plan mentions a table of that name.
func refers(n plan.Node, name string, r *run) bool {
	hit := false
	var walk func(plan.Node)
	walk = func(n plan.Node) {
		plan.WalkNodes(n, func(x plan.Node) bool {
			switch x := x.(type) {
			case *plan.UnresolvedTable:
				hit = hit || len(x.Parts) == 1 && r.eq(x.Parts[0], name)
			case *plan.With:
				for _, c := range x.CTEs {
					same := r.eq(c.Name, name)
					if !same || !c.Recursive {
						walk(c.Plan)
					}
					if same { // from here on the name means this one
						return false
					}
				}
			}
			for _, e := range x.Exprs() {
				plan.Walk(e, func(k plan.Expr) bool {
					if s, ok := k.(*plan.Subquery); ok && s.Plan != nil {
						walk(s.Plan)
					}
					return !hit
				})
			}
			return !hit
		})
	}
	walk(n)
	return hit
}

// misplaced returns the node of a step that may not be above a recursive reference: one that
// needs all rows of the recursion at once, or a side of an outer join that is filled up with nulls.
func misplaced(n plan.Node, name string, r *run) plan.Node {
	var found plan.Node
	plan.WalkNodes(n, func(x plan.Node) bool {
		bad := false
		switch x := x.(type) {
		case *plan.Join:
			switch x.Kind {
			case plan.LeftOuter, plan.LeftSemi, plan.LeftAnti:
				bad = refers(x.Right, name, r)
			case plan.RightOuter:
				bad = refers(x.Left, name, r)
			case plan.FullOuter:
				bad = refers(x, name, r)
			}
		case *plan.Aggregate, *plan.Sort, *plan.Distinct:
			bad = refers(x, name, r)
		case *plan.Project:
			bad = needsAll(x.List) && refers(x.Child, name, r)
		}
		for _, e := range x.Exprs() {
			plan.Walk(e, func(k plan.Expr) bool {
				if q, ok := k.(*plan.Subquery); ok && q.Plan != nil {
					bad = bad || misplaced(q.Plan, name, r) != nil
				}
				return !bad
			})
		}
		if bad && found == nil {
			found = x
		}
		return found == nil
	})
	return found
}

// needsAll reports whether a SELECT list has an aggregate or a window function.
func needsAll(list []plan.Expr) bool {
	all := false
	for _, e := range list {
		plan.Walk(e, func(x plan.Expr) bool {
			switch x := x.(type) {
			case *plan.Window:
				all = true
			case *plan.Call:
				if f := fn.Lookup(strings.ToLower(x.Name)); f != nil && f.Agg != nil {
					all = true
				}
			}
			return !all
		})
	}
	return all
}

// lookupCTE finds a table expression by name.
func (r *run) lookupCTE(name string) *rel {
	for c := r.ctes; c != nil; c = c.outer {
		if !r.eq(c.name, name) {
			continue
		}
		if c.self != nil {
			ref := *c.self
			ref.Out = make([]*plan.Attr, len(c.self.Out))
			for i, a := range c.self.Out {
				b := *a
				b.ID = plan.NewID()
				ref.Out[i] = &b
			}
			return &rel{node: &ref, out: ref.Out}
		}
		if *c.used {
			return fresh(c.rel)
		}
		*c.used = true
		return c.rel
	}
	return nil
}

// recursive resolves anchor UNION [ALL] step.
func (r *run) recursive(c *plan.CTE, outer *scope) (*rel, error) {
	body := c.Plan
	var inner *plan.With
	for {
		switch x := body.(type) {
		case *plan.With:
			inner = x
			body = x.Child
			continue
		case *plan.SubqueryAlias:
			body = x.Child
			continue
		}
		break
	}
	if inner != nil {
		shadowed, err := r.shadowing(inner, c)
		if err != nil {
			return nil, err
		}
		if shadowed { // the name means the inner one: nothing is recursive
			x, err := r.node(c.Plan, outer)
			if err == nil && len(c.Columns) > 0 {
				x, err = r.alias(&plan.SubqueryAlias{Name: c.Name, Columns: c.Columns}, x)
			}
			return x, err
		}
		saved := r.ctes
		defer func() { r.ctes = saved }()
		if err := r.tableExpressions(inner, outer); err != nil {
			return nil, err
		}
	}
	distinct := false
	if d, ok := body.(*plan.Distinct); ok {
		if u, ok := d.Child.(*plan.SetOperation); ok && u.Op == plan.UnionOp {
			body, distinct = u, true
		}
	}
	u, ok := body.(*plan.SetOperation)
	if !ok || u.Op != plan.UnionOp || len(u.Inputs) != 2 {
		return nil, aerr("INVALID_RECURSIVE_CTE").At(body.Info().Origin)
	}
	distinct = distinct || !u.All
	if refers(u.Inputs[0], c.Name, r) {
		return nil, aerr("INVALID_RECURSIVE_CTE").At(body.Info().Origin)
	}
	if distinct {
		return nil, aerr("UNION_NOT_SUPPORTED_IN_RECURSIVE_CTE").At(body.Info().Origin)
	}
	if at := misplaced(u.Inputs[1], c.Name, r); at != nil {
		return nil, aerr("INVALID_RECURSIVE_REFERENCE.PLACE").At(at.Info().Origin)
	}
	anchor, err := r.node(u.Inputs[0], outer)
	if err != nil {
		return nil, err
	}
	names := c.Columns
	if len(names) > 0 && len(names) != len(anchor.out) {
		return nil, aerr("ASSIGNMENT_ARITY_MISMATCH", "numExpr", itoa(len(names)), "numTarget", itoa(len(anchor.out))).At(body.Info().Origin)
	}
	loop := &plan.RecursiveLoop{ID: int64(plan.NewID()), Distinct: distinct}
	if c.MaxLevel != nil {
		x, err := r.expr(c.MaxLevel, &scope{})
		if err != nil {
			return nil, err
		}
		v, ok := intValue(x)
		if !ok {
			return nil, errs.NotSupported("MAX RECURSION LEVEL that is no constant")
		}
		loop.MaxLevel = int(v)
	}
	cols := make([]*types.Type, len(anchor.out))
	for i, a := range anchor.out {
		name := a.Name
		if len(names) > 0 {
			name = names[i]
		}
		cols[i] = types.AsNullable(a.T)
		loop.Out = append(loop.Out, &plan.Attr{ID: plan.NewID(), Name: name, T: cols[i], Null: true})
	}
	saved := r.ctes
	r.ctes = &cteScope{name: c.Name, self: &plan.CTERef{ID: loop.ID, Out: loop.Out, Recursive: true}, outer: saved}
	step, err := r.node(u.Inputs[1], outer)
	r.ctes = saved
	if err != nil {
		return nil, err
	}
	if len(step.out) != len(cols) {
		return nil, aerr("NUM_COLUMNS_MISMATCH", "operator", "UNION", "firstNumColumns", itoa(len(cols)), "invalidOrdinalNum", "second", "invalidNumColumns", itoa(len(step.out))).At(body.Info().Origin)
	}
	for i, a := range step.out {
		w := r.coercion().Wider(cols[i], a.T, true)
		if w == nil {
			return nil, aerr("INCOMPATIBLE_COLUMN_TYPE", "tableOrdinalNumber", "second", "columnOrdinalNumber", ordinal(i+1), "dataType2", errs.Quote(cols[i].SQL()), "operator", "UNION", "hint", "", "dataType1", errs.Quote(a.T.SQL())).At(body.Info().Origin)
		}
		if !types.SameType(w, cols[i]) {
			return nil, aerr("CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE", "left", errs.Quote(cols[i].SQL()), "right", errs.Quote(a.T.SQL()))
		}
	}
	loop.Anchor = r.castColumns(anchor, cols)
	loop.Step = r.castColumns(step, cols)
	return &rel{node: loop, out: loop.Out}, nil
}

// shadowing resolves the table expressions of a WITH inside a recursive one,
// which must not refer to it. shadowed: one of them has its name.
func (r *run) shadowing(w *plan.With, c *plan.CTE) (shadowed bool, err error) {
	for i := range w.CTEs {
		k := &w.CTEs[i]
		same := r.eq(k.Name, c.Name)
		if refers(k.Plan, c.Name, r) && !(same && k.Recursive) {
			return false, aerr("INVALID_RECURSIVE_CTE").At(w.Origin)
		}
		if same {
			return true, nil
		}
	}
	return false, nil
}

// withRelations resolves the protocol's subqueries by plan id.
func (r *run) withRelations(n *plan.WithRelations, outer *scope) (*rel, error) {
	if r.refs == nil {
		r.refs = map[int64]plan.Node{}
	}
	for _, k := range n.Refs {
		if a, ok := k.(*plan.SubqueryAlias); ok && a.PlanID == nil {
			x, err := r.node(a, outer)
			if err != nil {
				return nil, err
			}
			saved := r.ctes
			defer func() { r.ctes = saved }()
			r.ctes = &cteScope{name: a.Name, rel: x, used: new(bool), outer: r.ctes}
			continue
		}
		if id := k.Info().PlanID; id != nil {
			r.refs[*id] = k
		}
	}
	return r.node(n.Root, outer)
}
