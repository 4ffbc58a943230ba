package analyze

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// grouped is what ORDER BY and HAVING need to know of an aggregation: they may
// name grouping columns and aggregate functions that the select list lacks.
type grouped struct {
	agg   *plan.Aggregate
	child *rel
	outer *scope
	// keys maps grouping expressions (by exprKey) to what stands for them above.
	keys map[string]plan.Expr
	sets *groupingSets
	// subs are the subqueries in grouping expressions, by subqueryKey.
	subs map[string]plan.Expr
	// closed: HAVING needed columns that the list lacks, so that ORDER BY sees the list's and grouping columns only.
	closed bool
}

func (r *run) aggregate(n *plan.Aggregate, outer *scope) (*rel, error) {
	return r.aggregateHaving(n, nil, outer)
}

// having resolves HAVING (and QUALIFY), whose condition may use aggregate functions.
func (r *run) having(n *plan.Filter, outer *scope) (*rel, error) {
	if n.Qualify {
		return r.qualify(n, outer)
	}
	switch c := n.Child.(type) {
	case *plan.Aggregate:
		return r.aggregateHaving(c, n, outer)
	case *plan.Project:
		return r.aggregateHaving(&plan.Aggregate{Common: c.Common, List: c.List, Child: c.Child}, n, outer)
	}
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	return r.filter(&plan.Filter{Common: n.Common, Cond: n.Cond, Child: done(child)}, outer)
}

// qualify filters by windows: over the input's columns and the select list's names; over
// an aggregation, these are what is grouped by.
func (r *run) qualify(n *plan.Filter, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	s := relScope(child, outer)
	s.outerUsed = outerUsed(outer)
	windows := listsWindow(n.Child)
	check := func(x plan.Expr) error {
		if a := firstAggregate(x); a != nil {
			return aerr("QUALIFY_AGGREGATE_NOT_ALLOWED", "aggregateExpr", r.quoted(a)).At(a.Pos())
		}
		if !windows && firstWindow(x) == nil {
			return aerr("QUALIFY_REQUIRES_WINDOW_FUNCTION").At(n.Origin)
		}
		return nil
	}
	var cond plan.Expr
	if child.agg != nil {
		c, g := *child, *child.agg
		g.closed, c.agg = true, &g
		x, ok, err := r.overAggregate(n.Cond, &c, outer, check)
		if err != nil {
			return nil, err
		}
		if ok {
			cond, child = x.expr, x.rel
		}
	}
	if cond == nil {
		if cond, err = r.sortKey(n.Cond, child, s); err != nil {
			return nil, err
		}
		if err := check(cond); err != nil {
			return nil, err
		}
	}
	if cond, err = r.mustBool(cond, "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", n.Common); err != nil {
		return nil, err
	}
	out := s.out
	list, base, err := r.extractWindows([]plan.Expr{cond}, pull(child.node, s.missing))
	if err != nil {
		return nil, err
	}
	return &rel{node: projectTo(out, &plan.Filter{Common: n.Common, Cond: list[0], Child: base}), out: out, dfs: child.dfs}, nil
}

// listsWindow reports whether a SELECT list has a window function.
func listsWindow(n plan.Node) bool {
	if f, ok := n.(*plan.Filter); ok && f.Having {
		return listsWindow(f.Child)
	}
	for _, e := range n.Exprs() {
		if firstWindow(e) != nil {
			return true
		}
	}
	return false
}

func (r *run) aggregateHaving(n *plan.Aggregate, having *plan.Filter, outer *scope) (*rel, error) {
	if having != nil && firstWindow(having.Cond) != nil {
		return nil, aerr("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "HAVING").At(having.Origin)
	}
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	s := relScope(child, outer)
	s.outerUsed = outerUsed(outer)
	items, err := r.expandList(n.List, s)
	if err != nil {
		return nil, err
	}
	if n.GroupKind == plan.GroupPlain && slices.ContainsFunc(n.List, isStar) && slices.ContainsFunc(n.Group, isOrdinal) {
		return nil, aerr("STAR_GROUP_BY_POS").At(n.Origin)
	}
	if n.GroupKind == plan.GroupAll && r.namedAll(items, child) {
		k := *n
		k.GroupKind, k.Group = 0, []plan.Expr{&plan.UnresolvedAttr{At: plan.At{Origin: n.Origin}, Parts: []string{"all"}}}
		n = &k
	}
	if hasGeneratorItem(items) {
		return r.aggregateGenerators(n, items, having, child, s, outer)
	}
	groupIn, sets, err := r.groupParts(n)
	if err != nil {
		return nil, err
	}
	if n.KeysFirst {
		// Keys are resolved once, so that their aliases have one id.
		var keys []plan.Expr
		for i, g := range groupIn {
			if _, star := g.(*plan.UnresolvedStar); star {
				l, err := r.expandStar(g, s)
				if err != nil {
					return nil, err
				}
				keys = append(keys, l...)
				continue
			}
			if o, ok := g.(*plan.UnresolvedOrdinal); ok && n.Pipe { // of the input's columns
				if o.N < 1 || o.N > len(child.out) {
					return nil, aerr("GROUP_BY_POS_OUT_OF_RANGE", "index", itoa(o.N), "size", itoa(len(child.out))).At(o.Origin)
				}
				groupIn[i] = child.out[o.N-1]
				keys = append(keys, child.out[o.N-1])
				continue
			}
			e, err := r.groupExpr(g, items, s)
			if err != nil {
				return nil, err
			}
			groupIn[i] = e
			keys = append(keys, r.named(g, e))
		}
		if len(keys) > len(groupIn) {
			groupIn = slices.Clone(keys)
		}
		items = append(keys, items...)
	}
	for _, it := range items {
		if a, ok := it.(*plan.Alias); ok && len(a.Names) == 1 && r.Conf.flag("spark.sql.groupByAliases", true) {
			s.alts = append(s.alts, a)
		}
	}
	group := make([]plan.Expr, len(groupIn))
	for i, g := range groupIn {
		e, err := r.groupExpr(g, items, s)
		if err != nil {
			return nil, err
		}
		group[i] = unalias(e)
	}
	s.alts = nil
	// A time window is computed below the aggregation, so that its name is a column's for the select list.
	var winKey string
	var winAttr plan.Expr
	for i, g := range group {
		if isTimeWindow(g) {
			if sets != nil && g.(*plan.Call).Name == "session_window" {
				return nil, errs.NotSupported("function session_window in grouping sets").At(g.Pos())
			}
			g2, base, err := r.windowColumns(group, pull(child.node, s.missing), n.Common, group)
			if err != nil {
				return nil, err
			}
			winKey, winAttr = exprKey(g), g2[i]
			group = g2
			child = &rel{node: base, out: base.Output(), meta: child.meta, dfs: child.dfs}
			break
		}
	}
	list, ls, err := r.selectList(items, child, outer, nil)
	if err != nil {
		return nil, err
	}
	if n.Pipe {
		for _, e := range list.exprs[len(list.exprs)-len(n.List):] {
			if firstAggregate(e) == nil {
				return nil, aerr("PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION", "expr", r.sql(unalias(e))).At(e.Pos())
			}
		}
	}
	for _, a := range s.missing {
		ls.missing = addAttr(ls.missing, a)
	}
	if winAttr != nil {
		for i, e := range list.exprs {
			x, err := transformDown(e, func(k plan.Expr) (plan.Expr, error) {
				if isTimeWindow(k) && exprKey(k) == winKey {
					return winAttr, nil
				}
				return nil, nil
			})
			if err != nil {
				return nil, err
			}
			if al, ok := x.(*plan.Alias); ok && al.Auto && al.Child == winAttr {
				x = winAttr
			}
			list.exprs[i] = x
		}
	}
	if n.GroupKind == plan.GroupAll {
		for i, e := range list.exprs {
			if list.uses[i] != nil && !r.hasAggregate(unalias(e)) {
				return nil, aerr("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GROUP_BY").At(n.Origin)
			}
		}
		if group, err = groupAll(list.exprs); err != nil {
			return nil, err
		}
	}
	return r.finishAggregate(n.Common, group, sets, having, list, child, ls)
}

// namedAll reports whether a column or an alias is called all, so that GROUP BY ALL means it.
func (r *run) namedAll(items []plan.Expr, child *rel) bool {
	for _, a := range child.out {
		if strings.EqualFold(a.Name, "all") {
			return true
		}
	}
	for _, it := range items {
		if a, ok := it.(*plan.Alias); ok && len(a.Names) == 1 && strings.EqualFold(a.Names[0], "all") {
			return true
		}
	}
	return false
}

func isStar(e plan.Expr) bool { _, ok := e.(*plan.UnresolvedStar); return ok }

func isOrdinal(e plan.Expr) bool { _, ok := e.(*plan.UnresolvedOrdinal); return ok }

// hiveGroupingID is Hive's name for grouping_id().
const hiveGroupingID = "grouping__id"

// groupAll is GROUP BY ALL: the items without aggregate functions, of windows
// too. With none of these the items may have no column outside of an aggregate function.
func groupAll(list []plan.Expr) ([]plan.Expr, error) {
	var group []plan.Expr
	var outside plan.Expr
	for _, e := range list {
		if x := unalias(e); first(x, isAgg, always) == nil {
			group = append(group, x)
		} else if outside == nil {
			outside = first(x, func(k plan.Expr) bool { _, ok := k.(*plan.Attr); return ok }, func(k plan.Expr) bool { return !isAgg(k) })
		}
	}
	if len(group) == 0 && outside != nil {
		return nil, aerr("UNRESOLVED_ALL_IN_GROUP_BY").At(outside.Pos())
	}
	return group, nil
}

// groupExpr resolves one element of GROUP BY.
func (r *run) groupExpr(g plan.Expr, items []plan.Expr, s *scope) (plan.Expr, error) {
	if o, ok := g.(*plan.UnresolvedOrdinal); ok {
		if o.N < 1 || o.N > len(items) {
			return nil, aerr("GROUP_BY_POS_OUT_OF_RANGE", "index", itoa(o.N), "size", itoa(len(items))).At(o.Origin)
		}
		it, name := items[o.N-1], ""
		if a, ok := it.(*plan.Alias); ok {
			it, name = a.Child, a.Names[0]
		}
		alts := s.alts
		s.alts = nil
		e, err := r.expr(it, s)
		s.alts = alts
		if err != nil {
			return nil, r.lateralInGroupBy(err, alts)
		}
		if a := firstAggregate(e); a != nil {
			if name == "" {
				name = r.sql(e)
			}
			return nil, aerr("GROUP_BY_POS_AGGREGATE", "index", itoa(o.N), "aggExpr", r.qualifiedSQL(e)+" AS "+types.QuoteIfNeeded(name)).At(o.Origin)
		}
		return e, nil
	}
	if star, ok := g.(*plan.UnresolvedStar); ok {
		return nil, aerr("INVALID_USAGE_OF_STAR_OR_REGEX", "elem", "'*'", "prettyName", "Aggregate").At(star.Origin)
	}
	return r.expr(g, s)
}

// finishAggregate builds the aggregation of a resolved list.
func (r *run) finishAggregate(common plan.Common, group []plan.Expr, sets *groupingSets, having *plan.Filter, list *selected, child *rel, s *scope) (*rel, error) {
	for _, g := range group {
		if a := firstAggregate(g); a != nil {
			return nil, aerr("GROUP_BY_AGGREGATE", "sqlExpr", r.qualifiedSQL(a)).At(a.Pos())
		}
		if t := g.Type(); t.Kind == types.Variant || t.Kind == types.Object {
			return nil, aerr("GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE", "sqlExpr", r.quoted(g), "dataType", errs.Quote(t.SQL())).At(g.Pos())
		}
	}
	base := pull(child.node, s.missing)
	var err error
	if group, base, err = r.timeWindows(group, list, base, common); err != nil {
		return nil, err
	}
	gr := &grouped{child: child, outer: s.outer, keys: map[string]plan.Expr{}, subs: subqueriesOf(group)}
	keys := group
	if gr.subs != nil && sets == nil {
		keys, base = r.projectSubqueries(group, base)
	}
	if sets != nil {
		if base, keys, err = r.expandSets(sets, group, base); err != nil {
			return nil, err
		}
		gr.sets = sets
	}
	for i, g := range group {
		k := exprKey(g)
		if _, dup := gr.keys[k]; !dup {
			gr.keys[k] = keys[i]
		}
	}
	// Group keys of expressions become what stands for them.
	mine := map[plan.ExprID]bool{}
	split := list.lca
	for i, e := range list.exprs {
		if a, ok := e.(*plan.Alias); ok {
			mine[a.ID] = true
		}
		if list.exprs[i], err = r.overKeys(e, gr); err != nil {
			return nil, err
		}
		split = split || firstWindow(e) != nil || firstGenerator(e) != nil
	}
	for _, e := range list.exprs {
		if err := r.checkGrouped(e, gr, keys, mine, common); err != nil {
			return nil, err
		}
	}
	for _, g := range group {
		if w := firstWindow(g); w != nil {
			return nil, aerr("UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "Aggregate", "invalidExprSqls", r.quoted(w)).At(w.Pos())
		}
	}
	agg := &plan.Aggregate{Common: common, Group: keys, Child: base}
	if sets != nil && sets.gid != nil {
		agg.Group = append(slices.Clone(keys), sets.gid)
		if sets.pos != nil {
			agg.Group = append(agg.Group, sets.pos)
		}
	}
	gr.agg = agg
	var above func(plan.Node) (plan.Node, error)
	if split {
		var aggList []plan.Expr
		upper := &selected{uses: list.uses, lca: list.lca}
		seen := map[string]plan.Expr{}
		for _, e := range list.exprs {
			x, err := r.splitAgg(e, gr, seen, &aggList, mine)
			if err != nil {
				return nil, err
			}
			upper.exprs = append(upper.exprs, x)
		}
		agg.List = aggList
		above = func(n plan.Node) (plan.Node, error) { return r.layers(upper, n, plan.Common{}) }
	} else {
		agg.List = slices.Clone(list.exprs)
	}
	var out []*plan.Attr
	for _, e := range list.exprs {
		if a := plan.ToAttr(e); a != nil {
			out = append(out, a)
		}
	}
	var node plan.Node = agg
	if having != nil {
		cond, extra, err := r.havingCond(having, gr, out, s.outer, list, split)
		if err != nil {
			return nil, err
		}
		agg.List = append(agg.List, extra...)
		node = &plan.Filter{Common: having.Common, Cond: cond, Child: agg, Having: true}
		if above == nil && len(extra) > 0 {
			node = projectTo(out, node)
		}
		gr.closed = len(extra) > 0
	}
	if above != nil {
		if node, err = above(node); err != nil {
			return nil, err
		}
		out = node.Output()
	}
	return &rel{node: node, out: out, dfs: child.dfs, agg: gr}, nil
}

// overKeys puts the keys' columns in the place of grouping expressions, when
// these differ (grouping sets), and resolves grouping() and grouping_id().
func (r *run) overKeys(e plan.Expr, gr *grouped) (plan.Expr, error) {
	if gr.subs != nil {
		x, err := transformDown(e, func(k plan.Expr) (plan.Expr, error) {
			if q, ok := k.(*plan.Subquery); ok {
				return gr.subs[subqueryKey(q)], nil
			}
			return nil, nil
		})
		if err != nil {
			return nil, err
		}
		e = x
	}
	if gr.sets == nil {
		if c := firstGrouping(e); c != nil {
			return nil, aerr("UNSUPPORTED_GROUPING_EXPRESSION").At(c.Pos())
		}
		// 1 + a becomes the a + 1 that is grouped by.
		return transformDown(e, func(k plan.Expr) (plan.Expr, error) {
			if isAgg(k) {
				return k, nil
			}
			if _, alias := k.(*plan.Alias); gr.subs != nil && !alias {
				if x, ok := gr.keys[exprKey(k)]; ok && x != k {
					return x, nil
				}
			}
			if c, ok := k.(*plan.Call); ok {
				if same, _ := sameValue(c); same != nil {
					if x, ok := gr.keys[exprKey(k)]; ok && x != k {
						return x, nil
					}
				}
			}
			return nil, nil
		})
	}
	name := ""
	if a, ok := e.(*plan.Attr); ok {
		name = a.Name
	}
	x, err := transformDown(e, func(k plan.Expr) (plan.Expr, error) {
		if isAgg(k) {
			return k, nil
		}
		if _, ok := k.(*plan.Alias); ok {
			return nil, nil
		}
		if x, ok := gr.keys[exprKey(k)]; ok {
			return x, nil
		}
		if c, ok := k.(*plan.Call); ok && (c.Name == "grouping" || c.Name == "grouping_id") {
			return r.groupingCall(c, gr)
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	if a, ok := x.(*plan.Attr); ok && name != "" && a.Name != name {
		c := *a
		c.Name = name
		return &c, nil
	}
	return x, nil
}

// subqueryKey is one for subqueries that give the same for each row of the query around them.
func subqueryKey(q *plan.Subquery) string {
	keys := make([]string, len(q.Values))
	for i, v := range q.Values {
		keys[i] = exprKey(v)
	}
	return itoa(int(q.Kind)) + " " + strings.Join(keys, ",") + " " + plan.Canonical(q.Plan, q.Outer...)
}

// subqueriesOf has the subqueries in expressions by their keys, nil if there is none.
func subqueriesOf(list []plan.Expr) map[string]plan.Expr {
	var m map[string]plan.Expr
	for _, e := range list {
		plan.Walk(e, func(k plan.Expr) bool {
			if q, ok := k.(*plan.Subquery); ok {
				if m == nil {
					m = map[string]plan.Expr{}
				}
				if key := subqueryKey(q); m[key] == nil {
					m[key] = q
				}
			}
			return true
		})
	}
	return m
}

// projectSubqueries computes the grouping expressions that have subqueries below the
// aggregation. keys are the columns to group by.
func (r *run) projectSubqueries(group []plan.Expr, base plan.Node) (keys []plan.Expr, _ plan.Node) {
	var list []plan.Expr
	for _, a := range base.Output() {
		list = append(list, a)
	}
	keys = slices.Clone(group)
	for i, g := range group {
		if subqueriesOf(group[i:i+1]) == nil {
			continue
		}
		al := &plan.Alias{Child: g, Names: []string{r.sql(g)}, ID: plan.NewID(), Auto: true}
		list = append(list, al)
		a := plan.ToAttr(al)
		r.note(a, g)
		keys[i] = a
	}
	return keys, &plan.Project{List: list, Child: base}
}

// checkGrouped refuses columns that are neither grouped by nor aggregated, and
// aggregates inside aggregates.
func (r *run) checkGrouped(e plan.Expr, gr *grouped, keys []plan.Expr, mine map[plan.ExprID]bool, common plan.Common) error {
	set := map[string]bool{}
	for _, k := range keys {
		set[exprKey(k)] = true
	}
	if gr.sets != nil && gr.sets.gid != nil {
		set[exprKey(gr.sets.gid)] = true
	}
	var walk func(plan.Expr) error
	walk = func(e plan.Expr) error {
		if _, ok := e.(*plan.Alias); !ok && set[exprKey(e)] && firstWindow(e) == nil {
			return nil
		}
		if isAgg(e) {
			return r.checkAggregate(e)
		}
		switch x := e.(type) {
		case *plan.Attr:
			if mine[x.ID] {
				return nil
			}
			if len(gr.keys) == 0 {
				return aerr("MISSING_GROUP_BY").At(common.Origin)
			}
			return aerr("MISSING_AGGREGATION", "expression", r.quoted(x), "expressionAnyValue", errs.Quote("any_value("+r.sql(x)+")"))
		case *plan.Window:
			for i, k := range x.Children() {
				if i == 0 {
					for _, a := range k.Children() {
						if err := walk(a); err != nil {
							return err
						}
					}
					continue
				}
				if err := walk(k); err != nil {
					return err
				}
			}
			return nil
		case *plan.Subquery:
			if x.Kind == plan.ScalarSubquery && len(x.Outer) > 0 {
				return aerr("SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION", "sqlExpr", r.quoted(x)).At(x.Origin)
			}
			for _, o := range x.Outer {
				if !set[exprKey(o)] && !mine[o.ID] {
					if len(gr.keys) == 0 && len(x.Values) == 0 {
						return aerr("MISSING_GROUP_BY").At(common.Origin)
					}
					return aerr("SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION", "sqlExpr", r.quoted(x)).At(x.Origin)
				}
			}
		}
		for _, k := range e.Children() {
			if err := walk(k); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(e)
}

// checkAggregate refuses what no argument of an aggregate function may hold.
func (r *run) checkAggregate(e plan.Expr) error {
	for _, k := range e.Children() {
		if a := first(k, isAgg, always); a != nil {
			return aerr("NESTED_AGGREGATE_FUNCTION").At(a.Pos())
		}
		if w := firstWindow(k); w != nil {
			return aerr("NESTED_AGGREGATE_FUNCTION").At(w.Pos())
		}
		if g := firstGenerator(k); g != nil {
			return aerr("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", r.quoted(e)).At(g.Pos())
		}
		if c, ok := first(k, func(x plan.Expr) bool {
			c, ok := x.(*plan.Call)
			return ok && c.Kind == plan.FnScalar && isRandom(c.Name) && c.Name != "raise_error" && c.Name != "assert_true"
		}, always).(*plan.Call); ok && c != nil {
			return aerr("AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION", "sqlExpr", r.quoted(e)).At(c.Origin)
		}
	}
	if c, ok := e.(*plan.Call); ok && c.Distinct && len(c.Order) > 0 {
		if err := r.checkDistinctOrder(c); err != nil {
			return err
		}
	}
	return nil
}

// checkDistinctOrder refuses an order of distinct values by anything but the
// values themselves, or what they were cast from when no two of those can
// become one value by the cast.
func (r *run) checkDistinctOrder(c *plan.Call) error {
	arg, by := c.Args[0], c.Order[0].Child
	if len(c.Order) == 1 && exprKey(arg) == exprKey(by) {
		return nil
	}
	k, ok := arg.(*plan.Cast)
	if ok && k.Implicit && exprKey(k.Child) != exprKey(by) { // both may have been widened on the way
		if w, wider := k.Child.(*plan.Cast); wider && w.Implicit && exprKey(w.Child) == exprKey(by) {
			k = &plan.Cast{At: k.At, Child: w.Child, To: k.To, Mode: k.Mode, Implicit: true}
		}
	}
	if ok {
		if w, wider := k.Child.(*plan.Cast); wider && w.Implicit && w.To.IsIntegral() && w.Child.Type().IsIntegral() {
			k = &plan.Cast{At: k.At, Child: w.Child, To: k.To, Mode: k.Mode}
		}
	}
	if ok && len(c.Order) == 1 && exprKey(k.Child) == exprKey(by) {
		from := by.Type()
		exact := k.To.IsString() && k.To.Collation == "" || k.To.Kind == types.Binary
		switch {
		case exact && (from.IsString() && from.Collation == "" || from.Kind == types.Binary || from.Kind == types.Bool || from.Kind == types.Date || from.Kind == types.TimestampNTZ):
			return nil
		case exact && from.IsAnsiInterval():
			return nil
		case exact && from.IsNumeric() && from.Kind != types.Float32 && from.Kind != types.Float64:
			return nil
		}
		return aerr("INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT_UNSAFE_CAST", "funcName", errs.ID(c.Name), "inputType", errs.Quote(from.SQL()), "castType", errs.Quote(k.To.SQL())).At(c.Origin)
	}
	orders := make([]string, len(c.Order))
	for i, o := range c.Order {
		orders[i] = errs.Quote(r.sql(o.Child))
	}
	return aerr("INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT", "funcName", errs.ID(c.Name), "funcArg", errs.Quote(r.sql(arg)), "orderingExpr", strings.Join(orders, ", ")).At(c.Origin)
}

// splitAgg takes the aggregate calls and grouping expressions out of a list's
// item into columns of the aggregation.
func (r *run) splitAgg(e plan.Expr, gr *grouped, seen map[string]plan.Expr, list *[]plan.Expr, mine map[plan.ExprID]bool) (plan.Expr, error) {
	isKey := map[string]bool{}
	for _, k := range gr.agg.Group {
		isKey[exprKey(k)] = true
	}
	take := func(k plan.Expr) plan.Expr {
		key := exprKey(k)
		if a, ok := seen[key]; ok {
			return a
		}
		if a, ok := k.(*plan.Attr); ok {
			seen[key] = a
			*list = append(*list, a)
			return a
		}
		name := "_groupingexpression"
		if isAgg(k) {
			name = r.sql(k)
		}
		al := &plan.Alias{Child: k, Names: []string{name}, ID: plan.NewID(), Auto: true}
		*list = append(*list, al)
		a := plan.ToAttr(al)
		r.note(a, k)
		seen[key] = a
		return a
	}
	name := ""
	if a, ok := e.(*plan.Attr); ok {
		name = a.Name
	}
	var f func(k plan.Expr) (plan.Expr, error)
	f = func(k plan.Expr) (plan.Expr, error) {
		if _, ok := k.(*plan.Alias); ok {
			return nil, nil
		}
		if a, ok := k.(*plan.Attr); ok && mine[a.ID] {
			return a, nil
		}
		if isKey[exprKey(k)] && !foldable(k) {
			return take(k), nil
		}
		if w, ok := k.(*plan.Window); ok {
			kids := w.Children()
			fresh := make([]plan.Expr, len(kids))
			for i, c := range kids {
				var err error
				if i == 0 { // the function itself stays; its arguments are split
					args := c.Children()
					na := make([]plan.Expr, len(args))
					for j := range args {
						if na[j], err = transformDown(args[j], f); err != nil {
							return nil, err
						}
					}
					fresh[0] = c
					if len(args) > 0 {
						fresh[0] = c.WithChildren(na)
					}
					continue
				}
				if fresh[i], err = transformDown(c, f); err != nil {
					return nil, err
				}
			}
			return w.WithChildren(fresh), nil
		}
		if isAgg(k) {
			return take(k), nil
		}
		return nil, nil
	}
	x, err := transformDown(e, f)
	if err != nil {
		return nil, err
	}
	if a, ok := x.(*plan.Attr); ok && name != "" && a.Name != name {
		c := *a
		c.Name = name
		return &c, nil
	}
	if _, ok := e.(*plan.Alias); ok {
		return x, nil
	}
	return x, nil
}

// underScope resolves HAVING and ORDER BY over an aggregation.
func (r *run) underScope(gr *grouped, out []*plan.Attr, dfs []dfRef, outer *scope) *scope {
	s := &scope{out: out, dfs: dfs, outer: outer, outerUsed: outerUsed(outer)}
	s.under = relScope(gr.child, nil)
	s.under.below = nil
	return s
}

// havingCond resolves the condition; extra are columns to add to the aggregation.
func (r *run) havingCond(n *plan.Filter, gr *grouped, out []*plan.Attr, outer *scope, list *selected, split bool) (plan.Expr, []plan.Expr, error) {
	s := r.underScope(gr, out, gr.child.dfs, outer)
	s.keys = gr.keys
	var asked []plan.Expr // by subqueries
	s.outerAgg = func(a plan.Expr) (*plan.Attr, error) {
		x, more, err := r.aboveAggregate(a, gr, append(slices.Clone(gr.agg.List), asked...), nil)
		if err != nil {
			return nil, err
		}
		asked = append(asked, more...)
		at, ok := x.(*plan.Attr)
		if !ok {
			return nil, errs.Internalf("an aggregate became %T", x)
		}
		return at, nil
	}
	cond, err := r.expr(n.Cond, s)
	if err != nil {
		return nil, nil, err
	}
	gr.agg.Child = pull(gr.agg.Child, s.under.missing)
	cond = unalias(cond)
	if cond.Type().Kind != types.Bool { // HAVING, other than WHERE, casts its condition
		if cond, err = r.variableCast(cond, types.BoolType, n.Origin); err != nil {
			return nil, nil, err
		}
	}
	if w := firstWindow(cond); w != nil {
		return nil, nil, aerr("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "HAVING").At(n.Origin)
	}
	if split {
		// The select list is computed above: its aliases stand for what they are.
		if cond, err = r.unaliased(cond, list, out); err != nil {
			return nil, nil, err
		}
	}
	cond, extra, err := r.aboveAggregate(cond, gr, append(slices.Clone(gr.agg.List), asked...), out)
	return cond, append(asked, extra...), err
}

// unaliased puts what the aliases of a select list stand for in their places;
// a window's can't be asked for yet.
func (r *run) unaliased(e plan.Expr, list *selected, out []*plan.Attr) (plan.Expr, error) {
	byID := map[plan.ExprID]*plan.Alias{}
	for _, x := range list.exprs {
		if a, ok := x.(*plan.Alias); ok {
			byID[a.ID] = a
		}
	}
	var late func(x plan.Expr) bool // made of windows, by way of other aliases, too
	late = func(x plan.Expr) bool {
		return firstWindow(x) != nil || first(x, func(x plan.Expr) bool {
			a, ok := x.(*plan.Attr)
			return ok && byID[a.ID] != nil && late(byID[a.ID].Child)
		}, always) != nil
	}
	var put func(x plan.Expr) (plan.Expr, error)
	put = func(x plan.Expr) (plan.Expr, error) {
		a, ok := x.(*plan.Attr)
		if !ok || byID[a.ID] == nil {
			return nil, nil
		}
		child := byID[a.ID].Child
		if late(child) {
			rest := slices.DeleteFunc(slices.Clone(out), func(o *plan.Attr) bool { return byID[o.ID] != nil && late(byID[o.ID].Child) })
			return nil, r.unresolvedIn(&plan.UnresolvedAttr{At: a.At, Parts: []string{a.Name}}, rest)
		}
		return transformDown(child, put)
	}
	return transformDown(e, put)
}

// aboveAggregate rewrites e, resolved by underScope, over the columns of an
// aggregation with that list, adding those that it lacks to extra.
func (r *run) aboveAggregate(e plan.Expr, gr *grouped, list []plan.Expr, out []*plan.Attr) (plan.Expr, []plan.Expr, error) {
	e, err := r.overKeys(e, gr)
	if err != nil {
		return nil, nil, err
	}
	have := map[string]*plan.Attr{}
	for _, l := range list {
		if a := plan.ToAttr(l); a != nil {
			if k := exprKey(l); have[k] == nil {
				have[k] = a
			}
		}
	}
	isKey := map[string]bool{}
	for _, k := range gr.agg.Group {
		isKey[exprKey(k)] = true
	}
	var extra []plan.Expr
	take := func(k plan.Expr) plan.Expr {
		key := exprKey(k)
		if a, ok := have[key]; ok {
			return a
		}
		if a, ok := k.(*plan.Attr); ok {
			extra = append(extra, a)
			have[key] = a
			return a
		}
		al := &plan.Alias{Child: k, Names: []string{r.sql(k)}, ID: plan.NewID(), Auto: true}
		extra = append(extra, al)
		a := plan.ToAttr(al)
		have[key] = a
		return a
	}
	x, err := transformDown(e, func(k plan.Expr) (plan.Expr, error) {
		if a, ok := k.(*plan.Attr); ok && hasID(out, a.ID) {
			return a, nil
		}
		if a, ok := have[exprKey(k)]; ok && hasID(out, a.ID) && !foldable(k) {
			return a, nil // an item of the list
		}
		if isAgg(k) {
			if err := r.checkAggregate(k); err != nil {
				return nil, err
			}
			return take(k), nil
		}
		if isKey[exprKey(k)] && !foldable(k) {
			return take(k), nil
		}
		if w, ok := k.(*plan.Window); ok {
			_ = w
			return nil, nil
		}
		if q, ok := k.(*plan.Subquery); ok {
			for _, o := range q.Outer { // the subquery names them by id
				if !hasID(out, o.ID) && isKey[exprKey(o)] && !slices.ContainsFunc(append(list[:len(list):len(list)], extra...), func(e plan.Expr) bool {
					a, ok := e.(*plan.Attr)
					return ok && a.ID == o.ID
				}) {
					extra = append(extra, o)
				}
			}
			return nil, nil
		}
		if a, ok := k.(*plan.Attr); ok {
			return nil, r.unresolvedIn(&plan.UnresolvedAttr{At: a.At, Parts: []string{a.Name}}, out)
		}
		return nil, nil
	})
	return x, extra, err
}
