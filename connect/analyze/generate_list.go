package analyze

import (
	"slices"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// generatorItem is the generator call that an item of a select list is, as
// written, and the names that it gives its columns.
func generatorItem(it plan.Expr) (*plan.Call, []string) {
	var names []string
	if a, ok := it.(*plan.Alias); ok {
		it, names = a.Child, a.Names
	}
	c, ok := it.(*plan.Call)
	if !ok || c.T != nil || c.Infix || c.NameExpr != nil || len(c.Path) > 0 && !strings.EqualFold(c.Path[len(c.Path)-1], "builtin") {
		return nil, nil
	}
	if d := fn.Lookup(strings.ToLower(c.Name)); d == nil || d.Kind != plan.FnGenerator {
		return nil, nil
	}
	return c, names
}

func hasGeneratorItem(items []plan.Expr) bool {
	return slices.ContainsFunc(items, func(e plan.Expr) bool { c, _ := generatorItem(e); return c != nil })
}

// writtenAggregate reports whether an unresolved expression calls an aggregate function other than over a window.
func writtenAggregate(e plan.Expr) (found bool) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch k := x.(type) {
		case *plan.Window:
			for i, c := range k.Children() {
				if i > 0 {
					found = found || writtenAggregate(c)
					continue
				}
				for _, a := range c.Children() {
					found = found || writtenAggregate(a)
				}
			}
			return false
		case *plan.Call:
			if d := fn.Lookup(strings.ToLower(k.Name)); d != nil && d.Kind == plan.FnAggregate {
				found = true
			}
		}
		return !found
	})
	return found
}

// listSlot is an item of a select list with generators.
type listSlot struct {
	written plan.Expr
	expr    plan.Expr     // resolved; of a generator: none
	uses    []*plan.Alias // earlier aliases that it refers to
	err     error         // why it isn't resolved yet
	gen     *plan.Call    // as written
	names   []string
	call    *plan.Call // resolved
	out     []*plan.Attr
}

// projectGenerators resolves a select list with generators but no aggregate
// functions. Items may name the columns that generators make, left and right
// of them, where the input has no column of the name: so resolution goes in
// rounds, each of which puts one generator below the list.
func (r *run) projectGenerators(n *plan.Project, items []plan.Expr, hidden []*plan.Attr, child *rel, outer *scope) (*rel, error) {
	s := relScope(child, outer)
	s.outerUsed = outerUsed(outer)
	slots := make([]listSlot, len(items))
	for i, it := range items {
		slots[i].written = it
		slots[i].gen, slots[i].names = generatorItem(it)
	}
	s.missing = hidden
	node := child.node
	for {
		if err := r.resolveSlots(slots, s); err != nil {
			return nil, err
		}
		next := slices.IndexFunc(slots, func(x listSlot) bool { return x.call != nil && x.out == nil })
		if next < 0 {
			break
		}
		x := &slots[next]
		g, err := r.generate(x.call, x.names, nil, pull(node, s.missing), plan.Common{})
		if err != nil {
			return nil, err
		}
		node, x.out = g, g.Out
		s.out = append(slices.Clone(s.out), g.Out...)
	}
	list := &selected{}
	for i := range slots {
		x := &slots[i]
		switch {
		case x.gen != nil && x.out == nil:
			s.lcaOn = true
			if _, err := r.expr(x.gen, s); err == nil {
				return nil, aerr("INTERNAL_ERROR", "message", "a generator refers to an alias of the same select list")
			}
			return nil, x.err
		case x.gen != nil:
			for _, a := range x.out {
				list.exprs, list.uses = append(list.exprs, a), append(list.uses, nil)
			}
		case x.expr == nil:
			return nil, x.err
		default:
			list.exprs, list.uses = append(list.exprs, x.expr), append(list.uses, x.uses)
			list.lca = list.lca || x.uses != nil
		}
	}
	node = pull(node, s.missing)
	for _, e := range list.exprs {
		if c := firstGrouping(e); c != nil {
			return nil, aerr("UNSUPPORTED_GROUPING_EXPRESSION").At(c.Pos())
		}
	}
	node, err := r.layers(list, node, n.Common)
	if err != nil {
		return nil, err
	}
	return &rel{node: node, out: node.Output(), meta: child.projectMeta(), dfs: child.dfs}, nil
}

// resolveSlots resolves what it can.
func (r *run) resolveSlots(slots []listSlot, s *scope) error {
	s.lca, s.lcaGens = nil, nil
	implicit := r.Conf.flag("spark.sql.lateralColumnAlias.enableImplicitResolution", true)
	for i := range slots {
		x := &slots[i]
		switch {
		case x.gen != nil:
			if x.call == nil {
				e, err := r.expr(x.gen, s)
				if err != nil && !isUnresolvedColumn(err) {
					return err
				}
				if x.err = err; err == nil {
					c, ok := unalias(e).(*plan.Call)
					if !ok {
						return errs.Internalf("a generator became %T", e)
					}
					x.call = c
				}
			}
			if len(x.names) == 1 {
				s.lcaGens = append(s.lcaGens, x.names[0])
			}
			continue
		case x.expr == nil:
			s.lcaUsed, s.lcaOn = nil, implicit
			e, err := r.selectItem(x.written, s)
			s.lcaOn = false
			if err != nil && !isUnresolvedColumn(err) {
				return err
			}
			if x.err = err; err == nil {
				x.expr, x.uses = e, s.lcaUsed
			}
		}
		if a, ok := x.expr.(*plan.Alias); ok && !a.Auto {
			s.lca = append(s.lca, a)
		} else if a, ok := x.written.(*plan.Alias); ok && x.expr == nil && len(a.Names) == 1 {
			s.lcaGens = append(s.lcaGens, a.Names[0]) // known, but not what it is
		}
	}
	return nil
}

// aggregateGenerators is an aggregation with a generator in its list: the
// aggregation gives what the generator takes, and a projection above it generates.
func (r *run) aggregateGenerators(n *plan.Aggregate, items []plan.Expr, having *plan.Filter, child *rel, s *scope, outer *scope) (*rel, error) {
	var all []string
	for _, it := range items {
		if c, _ := generatorItem(it); c != nil {
			all = append(all, r.writtenSQL(c, s))
		}
	}
	if len(all) > 1 {
		return nil, aerr("UNSUPPORTED_GENERATOR.MULTI_GENERATOR", "num", itoa(len(all)), "generators", strings.Join(all, ", ")).At(n.Origin)
	}
	if err := r.ambiguousAliases(items, s); err != nil {
		return nil, err
	}
	var list []plan.Expr
	var gen *plan.Call
	var names []string
	place, at := 0, 0
	var taken []int // which arguments the aggregation gives
	for _, it := range items {
		c, as := generatorItem(it)
		if c == nil {
			list = append(list, it)
			continue
		}
		k := *c
		k.Args = slices.Clone(c.Args)
		gen, names, place = &k, as, len(list)
		for i, a := range c.Args {
			if !writtenAggregate(a) {
				trial := *s
				if e, err := r.expr(a, &trial); err == nil && foldable(unalias(e)) {
					continue
				}
			}
			taken = append(taken, i)
			list = append(list, &plan.Alias{At: plan.At{Origin: a.Pos()}, Child: a, Names: []string{"_gen_input_" + itoa(i)}})
		}
		at = len(list)
	}
	agg := *n
	agg.List, agg.Child = list, done(child)
	x, err := r.aggregateHaving(&agg, nil, outer)
	if err != nil {
		return nil, err
	}
	keys := len(x.out) - len(list) // those that a pipe's aggregation puts first
	for i, arg := range taken {
		gen.Args[arg] = x.out[keys+place+i]
	}
	over := relScope(x, outer)
	over.outerUsed = outerUsed(outer)
	e, err := r.expr(gen, over)
	if err != nil {
		return nil, err
	}
	c, ok := unalias(e).(*plan.Call)
	if !ok {
		return nil, errs.Internalf("a generator became %T", e)
	}
	g, err := r.generate(c, names, nil, x.node, plan.Common{})
	if err != nil {
		return nil, err
	}
	var final []plan.Expr
	for _, a := range x.out[:keys+place] {
		final = append(final, a)
	}
	for _, a := range g.Out {
		final = append(final, a)
	}
	for _, a := range x.out[keys+at:] {
		final = append(final, a)
	}
	p := &plan.Project{Common: n.Common, List: final, Child: g}
	res := &rel{node: p, out: p.Output(), dfs: x.dfs}
	if having == nil {
		return res, nil
	}
	return r.filter(&plan.Filter{Common: having.Common, Cond: having.Cond, Child: done(res)}, outer)
}

// ambiguousAliases refuses references to a name that several items to the left
// have, a generator among them, and no column of the input. Where it isn't
// among them the aggregation below finds it itself.
func (r *run) ambiguousAliases(items []plan.Expr, s *scope) error {
	if !r.Conf.flag("spark.sql.lateralColumnAlias.enableImplicitResolution", true) {
		return nil
	}
	var left, gens []string
	for _, it := range items {
		var found error
		plan.Walk(it, func(e plan.Expr) bool {
			u, ok := e.(*plan.UnresolvedAttr)
			if !ok || u.PlanID != nil || found != nil {
				_, lambda := e.(*plan.Lambda)
				return !lambda && found == nil
			}
			same := func(name string) bool { return r.eq(name, u.Parts[0]) }
			n := 0
			for _, name := range left {
				if same(name) {
					n++
				}
			}
			if n < 2 || !slices.ContainsFunc(gens, same) {
				return true
			}
			trial := *s
			if x, err := r.nameIn(u, &trial); x == nil && err == nil {
				found = errs.New(errs.Analysis, "AMBIGUOUS_LATERAL_COLUMN_ALIAS", "name", errs.ID(u.Parts...), "n", itoa(n)).At(u.Origin)
			}
			return true
		})
		if found != nil {
			return found
		}
		if a, ok := it.(*plan.Alias); ok && len(a.Names) == 1 {
			left = append(left, a.Names[0])
			if c, _ := generatorItem(it); c != nil {
				gens = append(gens, a.Names[0])
			}
		}
	}
	return nil
}

// writtenSQL is a call as SQL, for messages: resolved if it can be.
func (r *run) writtenSQL(c *plan.Call, s *scope) string {
	trial := *s
	if e, err := r.expr(c, &trial); err == nil {
		return r.quoted(e)
	}
	return errs.Quote(c.Name)
}
