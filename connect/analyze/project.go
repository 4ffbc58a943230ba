package analyze

import (
	"slices"
	"sort"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// project resolves a SELECT list. With aggregate functions in it and no GROUP
// BY it is an aggregation over all rows.
func (r *run) project(n *plan.Project, outer *scope) (*rel, error) {
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
	if hasGeneratorItem(items) {
		if slices.ContainsFunc(items, writtenAggregate) && n.Pipe == "" {
			return r.aggregateGenerators(&plan.Aggregate{Common: n.Common}, items, nil, child, s, outer)
		}
		return r.projectGenerators(n, items, s.missing, child, outer)
	}
	hidden := s.missing // of stars
	list, s, err := r.selectList(items, child, outer, nil)
	if err != nil {
		return nil, err
	}
	for _, a := range hidden {
		s.missing = addAttr(s.missing, a)
	}
	if slices.ContainsFunc(list.exprs, r.hasAggregate) {
		if n.Pipe != "" {
			for _, e := range list.exprs {
				if a := firstAggregate(e); a != nil {
					return nil, aerr("PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION", "expr", r.sql(a), "clause", n.Pipe).At(a.Pos())
				}
			}
		}
		return r.finishAggregate(n.Common, nil, nil, nil, list, child, s)
	}
	node := pull(child.node, s.missing)
	for _, e := range list.exprs {
		if c := firstGrouping(e); c != nil {
			return nil, aerr("UNSUPPORTED_GROUPING_EXPRESSION").At(c.Pos())
		}
	}
	if list.exprs, node, err = r.windowColumns(list.exprs, node, n.Common, nil); err != nil {
		return nil, err
	}
	node, err = r.layers(list, node, n.Common)
	if err != nil {
		return nil, err
	}
	return &rel{node: node, out: node.Output(), meta: child.projectMeta(), dfs: child.dfs}, nil
}

// projectMeta: hidden columns stay within reach above a SELECT, up to the next alias.
func (x *rel) projectMeta() []*plan.Attr { return x.meta }

// selected is a resolved select list.
type selected struct {
	exprs []plan.Expr // Attr or Alias
	// uses has, for each item, the earlier aliases that it refers to.
	uses [][]*plan.Alias
	lca  bool
}

// selectList resolves items and names them. alts, when not nil, are aliases for GROUP BY; not used here.
func (r *run) selectList(items []plan.Expr, child *rel, outer *scope, _ any) (*selected, *scope, error) {
	s := relScope(child, outer)
	s.outerUsed = outerUsed(outer)
	list := &selected{}
	s.lcaOn = r.Conf.flag("spark.sql.lateralColumnAlias.enableImplicitResolution", true)
	for _, it := range items {
		s.lcaUsed = nil
		e, err := r.selectItem(it, s)
		if err != nil {
			return nil, nil, err
		}
		if s.lcaUsed != nil {
			if err := r.checkAliasUse(e); err != nil {
				return nil, nil, err
			}
		}
		list.exprs = append(list.exprs, e)
		list.uses = append(list.uses, s.lcaUsed)
		list.lca = list.lca || s.lcaUsed != nil
		if a, ok := e.(*plan.Alias); ok && !a.Auto {
			s.lca = append(s.lca, a)
		}
	}
	s.lcaOn = false
	return list, s, nil
}

// checkAliasUse refuses windows and aggregates of earlier aliases of the select list.
func (r *run) checkAliasUse(e plan.Expr) error {
	lateral := func(x plan.Expr) *plan.Attr {
		a, _ := first(x, func(x plan.Expr) bool { a, ok := x.(*plan.Attr); return ok && a.Lateral }, always).(*plan.Attr)
		return a
	}
	var err error
	plan.Walk(e, func(x plan.Expr) bool {
		w, window := x.(*plan.Window)
		if !window && !isAgg(x) || err != nil {
			return err == nil
		}
		a := lateral(x)
		switch {
		case a == nil:
		case window:
			err = aerr("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW", "lca", errs.ID(a.Name), "windowExpr", r.quoted(w)).At(w.Origin)
		default:
			err = aerr("UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC", "lca", errs.ID(a.Name), "aggFunc", r.quoted(x)).At(x.Pos())
		}
		return err == nil
	})
	return err
}

// outerUsed finds where a subquery collects its outer references.
func outerUsed(outer *scope) *[]*plan.Attr {
	if outer == nil {
		return nil
	}
	return outer.outerUsed
}

// selectItem resolves one item and makes a named expression of it.
func (r *run) selectItem(it plan.Expr, s *scope) (plan.Expr, error) {
	if a, ok := it.(*plan.Alias); ok {
		e, err := r.expr(a.Child, s)
		if err != nil {
			return nil, err
		}
		n := *a
		n.Child = unalias(e)
		if g, ok := n.Child.(*plan.Call); len(n.Names) > 1 && !(ok && g.Kind == plan.FnGenerator) {
			return nil, aerr("MULTI_ALIAS_WITHOUT_GENERATOR", "expr", r.quoted(n.Child), "names", strings.Join(n.Names, ", ")).At(n.Origin)
		}
		if n.ID == 0 {
			n.ID = plan.NewID()
		}
		return &n, nil
	}
	e, err := r.expr(it, s)
	if err != nil {
		return nil, err
	}
	return r.named(it, e), nil
}

// named gives a resolved expression its automatic alias.
func (r *run) named(written, e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Attr:
		if x.Lateral {
			c := *x
			c.Lateral = false
			return &c
		}
		return x
	case *plan.Alias:
		return x
	}
	auto := func(name string) plan.Expr {
		return &plan.Alias{At: plan.At{Origin: e.Pos()}, Child: e, Names: []string{name}, ID: plan.NewID(), Auto: true}
	}
	if _, ok := written.(*plan.UnresolvedAttr); ok {
		parts := written.(*plan.UnresolvedAttr).Parts
		if _, ok := r.orig[e].(*plan.Call); ok && len(parts) == 1 {
			return auto(r.sql(e)) // literalFunction's, with the parentheses that weren't written
		}
		return auto(parts[len(parts)-1])
	}
	switch x := e.(type) {
	case *plan.OuterRef:
		return auto(x.Attr.Name)
	case *plan.LambdaVar:
		return auto(x.Name)
	case *plan.Cast:
		if !x.Implicit {
			switch k := written.(type) {
			case *plan.Cast:
				if u, ok := k.Child.(*plan.UnresolvedAttr); ok {
					if _, isAttr := x.Child.(*plan.Attr); isAttr {
						return auto(u.Parts[len(u.Parts)-1])
					}
				}
				if a, ok := k.Child.(*plan.Alias); ok {
					return auto(a.Names[0])
				}
			case *plan.Call:
				if a, ok := x.Child.(*plan.Attr); ok {
					return auto(a.Name)
				}
				if len(k.Args) == 1 {
					return auto(r.sql(x.Child))
				}
			}
		}
	}
	return auto(r.sql(e))
}

// layers builds the projections of a select list: one, or one more for each
// level of references to earlier aliases.
func (r *run) layers(list *selected, node plan.Node, common plan.Common) (plan.Node, error) {
	if !list.lca {
		return r.buildProject(list.exprs, node, common)
	}
	level := map[plan.ExprID]int{}
	used := map[plan.ExprID]bool{}
	top := 0
	for i, e := range list.exprs {
		l := 0
		for _, a := range list.uses[i] {
			used[a.ID] = true
			l = max(l, level[a.ID]+1)
		}
		if a, ok := e.(*plan.Alias); ok {
			level[a.ID] = l
		}
		top = max(top, l)
	}
	for l := range top {
		var inner []plan.Expr
		for _, a := range node.Output() {
			inner = append(inner, a)
		}
		more := false
		for _, e := range list.exprs {
			if a, ok := e.(*plan.Alias); ok && used[a.ID] && level[a.ID] == l {
				inner, more = append(inner, a), true
			}
		}
		if !more {
			continue
		}
		var err error
		if node, err = r.buildProject(inner, node, plan.Common{}); err != nil {
			return nil, err
		}
	}
	final := make([]plan.Expr, len(list.exprs))
	for i, e := range list.exprs {
		if a, ok := e.(*plan.Alias); ok && used[a.ID] && level[a.ID] < top {
			final[i] = plan.ToAttr(a)
			continue
		}
		final[i] = e
	}
	return r.buildProject(final, node, common)
}

// buildProject takes generators and windows out of a resolved list and projects the rest.
func (r *run) buildProject(list []plan.Expr, node plan.Node, common plan.Common) (plan.Node, error) {
	list, node, err := r.generators(list, node)
	if err != nil {
		return nil, err
	}
	list, node, err = r.extractWindows(list, node)
	if err != nil {
		return nil, err
	}
	return &plan.Project{Common: common, List: list, Child: node}, nil
}

// expandList expands the stars of a select list; other items are left unresolved.
func (r *run) expandList(l []plan.Expr, s *scope) ([]plan.Expr, error) {
	var out []plan.Expr
	for _, e := range l {
		switch e.(type) {
		case *plan.UnresolvedStar, *plan.UnresolvedRegex:
			x, err := r.expandStar(e, s)
			if err != nil {
				return nil, err
			}
			out = append(out, x...)
		default:
			out = append(out, e)
		}
	}
	return out, nil
}

// expandStar is the columns of *, t.*, s.* or a regular expression.
func (r *run) expandStar(e plan.Expr, s *scope) ([]plan.Expr, error) {
	if re, ok := e.(*plan.UnresolvedRegex); ok {
		return r.expandRegex(re, s)
	}
	star := e.(*plan.UnresolvedStar)
	out := s.out
	if star.PlanID != nil {
		var err error
		if out, err = r.dataFrameStar(star, s); err != nil {
			return nil, err
		}
	}
	var list []plan.Expr
	if len(star.Target) == 0 {
		if len(out) == 0 && s.below != nil {
			if _, ok := s.below.(*plan.OneRow); ok && star.PlanID == nil && s.outer != nil && len(s.outer.out) > 0 {
				return nil, nil // a lateral subquery without FROM: no columns of its own
			}
			if _, ok := s.below.(*plan.OneRow); ok && star.PlanID == nil {
				return nil, aerr("INVALID_USAGE_OF_STAR_OR_REGEX", "elem", "'*'", "prettyName", "query").At(star.Origin)
			}
		}
		for _, a := range out {
			list = append(list, a)
		}
		return r.starExcept(list, star)
	}
	for _, a := range out {
		if q := len(a.Qualifier); q >= len(star.Target) && r.eqAll(a.Qualifier[q-len(star.Target):], star.Target) {
			list = append(list, a)
		}
	}
	if list == nil { // qualified access to hidden columns: t2.* of a USING join
		if x, err := r.name(&plan.UnresolvedAttr{At: star.At, Parts: star.Target}, s); err == nil {
			if x.Type().Kind != types.Struct {
				return nil, aerr("CANNOT_RESOLVE_STAR_EXPAND", "targetString", errs.ID(star.Target...), "columns", columnList(out)).At(star.Origin)
			}
			for i, f := range x.Type().Fields {
				list = append(list, &plan.Alias{At: star.At, Child: &plan.GetField{At: star.At, Child: x, Index: i, Name: f.Name}, Names: []string{f.Name}, ID: plan.NewID()})
			}
			return r.starExcept(list, star)
		}
		if s.outer != nil {
			for _, a := range s.outer.out {
				if q := len(a.Qualifier); q >= len(star.Target) && r.eqAll(a.Qualifier[q-len(star.Target):], star.Target) {
					list = append(list, &plan.Alias{At: star.At, Child: s.outerRef(a), Names: []string{a.Name}, ID: plan.NewID()})
				}
			}
		}
		if list == nil {
			return nil, aerr("CANNOT_RESOLVE_STAR_EXPAND", "targetString", errs.ID(star.Target...), "columns", columnList(out)).At(star.Origin)
		}
	}
	for _, a := range s.meta { // t2.* shows the right key of USING, too
		if q := len(a.Qualifier); a.Name != metadataName && q >= len(star.Target) && r.eqAll(a.Qualifier[q-len(star.Target):], star.Target) {
			if c, ok := list[0].(*plan.Attr); ok && slices.Equal(c.Qualifier, a.Qualifier) {
				s.missing = addAttr(s.missing, a)
				list = slices.Insert(list, 0, plan.Expr(a))
			}
		}
	}
	return r.starExcept(list, star)
}

func columnList(out []*plan.Attr) string {
	var names []string
	for _, a := range out {
		names = append(names, errs.ID(a.Name))
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// starExcept applies EXCEPT (a, s.b).
func (r *run) starExcept(list []plan.Expr, star *plan.UnresolvedStar) ([]plan.Expr, error) {
	for k, ex := range star.Except {
		for _, other := range star.Except[:k] {
			if len(other) == len(ex) && r.eqAll(other, ex) {
				cols := make([]string, len(star.Except))
				for i, c := range star.Except {
					cols[i] = strings.Join(c, ".")
				}
				return nil, aerr("EXCEPT_OVERLAPPING_COLUMNS", "columns", strings.Join(cols, ", ")).At(star.Origin)
			}
		}
		whole := slices.ContainsFunc(list, func(e plan.Expr) bool { // a column comes before a field
			rest, ok := r.exceptMatch(plan.ToAttr(e), ex)
			return ok && len(rest) == 0
		})
		hit := false
		for i := 0; i < len(list); i++ {
			a := plan.ToAttr(list[i])
			rest, ok := r.exceptMatch(a, ex)
			if !ok || whole && len(rest) > 0 {
				continue
			}
			hit = true
			if len(rest) == 0 {
				list = append(list[:i:i], list[i+1:]...)
				i--
				continue
			}
			if err := r.fieldThere(a.T, rest, star.Origin); err != nil {
				return nil, err
			}
			x, err := r.withField(unalias(list[i]), rest, nil, &plan.UpdateFields{At: star.At, Child: a, Name: rest, Except: true})
			if err != nil {
				return nil, err
			}
			list = slices.Clone(list)
			list[i] = &plan.Alias{At: star.At, Child: x, Names: []string{a.Name}, ID: plan.NewID()}
		}
		if !hit {
			names := make([]string, len(list))
			for i, e := range list {
				names[i] = errs.ID(plan.ToAttr(e).Name)
			}
			return nil, aerr("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", errs.ID(ex...), "proposal", strings.Join(names[:min(5, len(names))], ", ")).At(star.Origin)
		}
	}
	return list, nil
}

// fieldThere refuses a path of fields that a type hasn't.
func (r *run) fieldThere(t *types.Type, path []string, o *errs.Origin) error {
	for _, f := range path {
		if t.Kind != types.Struct {
			return nil // withField says why
		}
		i, err := r.fieldIndex(t, f, o)
		if err != nil {
			return err
		}
		t = t.Fields[i].Type
	}
	return nil
}

func (r *run) exceptMatch(a *plan.Attr, parts []string) (rest []string, ok bool) {
	for q := min(len(a.Qualifier), len(parts)-1); q >= 0; q-- {
		if r.eqAll(a.Qualifier[len(a.Qualifier)-q:], parts[:q]) && r.eq(a.Name, parts[q]) {
			return parts[q+1:], true
		}
	}
	return nil, false
}

func (r *run) expandRegex(e *plan.UnresolvedRegex, s *scope) ([]plan.Expr, error) {
	p := strings.TrimSuffix(strings.TrimPrefix(e.Pattern, "`"), "`")
	flags := "(?i)"
	if r.Conf.CaseSensitive {
		flags = ""
	}
	re, err := fn.CompileRegexp(flags + "^(?:" + p + ")$")
	if err != nil {
		return nil, errs.NotSupported("the column pattern " + p)
	}
	var failed error
	matches := func(name string) bool {
		ok, err := re.MatchString(name)
		if err != nil {
			failed = errs.NotSupported("the column pattern " + p)
		}
		return ok && err == nil
	}
	out := s.out
	if e.PlanID != nil {
		for i := range s.dfs {
			if s.dfs[i].id == *e.PlanID {
				out = s.dfs[i].out
			}
		}
	}
	var list []plan.Expr
	for _, a := range out {
		if q := len(a.Qualifier); matches(a.Name) && (len(e.Table) == 0 || q >= len(e.Table) && r.eqAll(a.Qualifier[q-len(e.Table):], e.Table)) {
			list = append(list, a)
		}
	}
	return list, failed
}

// filter resolves WHERE, HAVING and QUALIFY.
func (r *run) filter(n *plan.Filter, outer *scope) (*rel, error) {
	if n.Having || n.Qualify {
		return r.having(n, outer)
	}
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	if agg, ok := child.node.(*plan.Aggregate); ok && isAggregateNode(n.Child) && !child.closed {
		if x, ok, err := r.filterAggregate(n, child, agg, outer); ok || err != nil {
			return x, err
		}
	}
	s := relScope(child, outer)
	s.outerUsed = outerUsed(outer)
	s.operator = "'Filter"
	cond, err := r.expr(n.Cond, s)
	if err != nil && isUnresolvedColumn(err) && !child.closed {
		s.outer, s.missing = nil, nil
		cond, err = r.exprBelow(n.Cond, child, s, err)
	}
	if err != nil {
		return nil, err
	}
	cond = unalias(cond)
	if outer != nil && outer.outerAgg != nil {
		if cond, err = r.outerAggregates(cond, outer); err != nil {
			return nil, err
		}
	}
	if cond, err = r.filterCond(cond, n); err != nil {
		return nil, err
	}
	return r.restore(child, s.missing, func(c plan.Node) plan.Node {
		return &plan.Filter{Common: n.Common, Cond: cond, Child: c}
	}), nil
}

func isAggregateNode(n plan.Node) bool { _, ok := n.(*plan.Aggregate); return ok }

// filterCond checks a WHERE condition.
func (r *run) filterCond(cond plan.Expr, n *plan.Filter) (plan.Expr, error) {
	if w := firstWindow(cond); w != nil {
		return nil, aerr("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "clauseName", "WHERE").At(n.Origin)
	}
	cond, err := r.mustBool(cond, "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", n.Common)
	if err != nil {
		return nil, err
	}
	if a := firstAggregate(cond); a != nil {
		return nil, aerr("INVALID_WHERE_CONDITION", "condition", r.quoted(cond), "expressionList", r.qualifiedSQL(a)).At(n.Origin)
	}
	if g := firstGenerator(cond); g != nil {
		return nil, aerr("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "plan", "Filter "+r.sql(cond)).At(n.Origin)
	}
	return cond, nil
}

func (r *run) mustBool(cond plan.Expr, condition string, c plan.Common) (plan.Expr, error) {
	t := cond.Type()
	if t.Kind == types.Bool {
		return cond, nil
	}
	return nil, aerr(condition, "sqlExpr", r.quoted(cond), "filter", r.quoted(cond), "type", errs.Quote(t.SQL())).At(c.Origin)
}

// restore builds an operator over child extended by missing columns, and
// projects these away again above it.
func (r *run) restore(child *rel, missing []*plan.Attr, build func(plan.Node) plan.Node) *rel {
	node := build(pull(child.node, missing))
	if len(missing) > 0 {
		list := make([]plan.Expr, len(child.out))
		for i, a := range child.out {
			list[i] = a
		}
		node = &plan.Project{List: list, Child: node}
	}
	return &rel{node: node, out: child.out, meta: child.meta, dfs: child.dfs}
}

// pull makes n put out extra columns that lie below it.
func pull(n plan.Node, extra []*plan.Attr) plan.Node {
	var need []*plan.Attr
	out := n.Output()
	for _, a := range extra {
		if !hasID(out, a.ID) {
			need = append(need, a)
		}
	}
	if len(need) == 0 {
		return n
	}
	switch n := n.(type) {
	case *plan.Relation:
		if n.Metadata != nil && hasID(need, n.Metadata.ID) {
			return showMetadata(n)
		}
		return n
	case *plan.Project:
		c := *n
		c.Child = pull(n.Child, need)
		c.List = slices.Clone(n.List)
		for _, a := range need {
			c.List = append(c.List, a)
		}
		return &c
	case *plan.SubqueryAlias:
		return pull(n.Child, append(slices.Clone(out), extra...))
	case *plan.Join:
		c := *n
		for _, a := range need {
			if reachable(n.Left, a.ID) {
				c.Left = pull(c.Left, []*plan.Attr{a})
			} else if n.Kind != plan.LeftSemi && n.Kind != plan.LeftAnti {
				c.Right = pull(c.Right, []*plan.Attr{a})
			}
		}
		return &c
	case *plan.Filter, *plan.Sort, *plan.Limit, *plan.WindowNode, *plan.Sample, *plan.WithWatermark, *plan.Hint, *plan.Repartition, *plan.Observe, *plan.Generate:
		k := n.Children()
		if w, ok := n.(*plan.WithWatermark); ok && w.Out != nil {
			return n
		}
		if g, ok := n.(*plan.Generate); ok && g.Required != nil {
			c := *g
			c.Child = pull(g.Child, need)
			c.Required = append(slices.Clone(g.Required), need...)
			return &c
		}
		return n.WithChildren([]plan.Node{pull(k[0], need)})
	}
	return n
}

// reachable reports whether pull can bring a column up.
func reachable(n plan.Node, id plan.ExprID) bool {
	for n != nil {
		if hasID(n.Output(), id) {
			return true
		}
		switch x := n.(type) {
		case *plan.Relation:
			return x.Metadata != nil && x.Metadata.ID == id
		case *plan.Join:
			if x.Kind != plan.LeftSemi && x.Kind != plan.LeftAnti && reachable(x.Right, id) {
				return true
			}
			n = x.Left
		case *plan.Project, *plan.SubqueryAlias, *plan.Filter, *plan.Sort, *plan.Limit, *plan.WindowNode, *plan.Sample, *plan.Hint, *plan.Repartition, *plan.Observe, *plan.Generate:
			n = n.Children()[0]
		default:
			return false
		}
	}
	return false
}

// sort resolves ORDER BY: against the output, else against what is below.
func (r *run) sort(n *plan.Sort, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	order := n.Order
	if n.All && len(order) > 0 && !slices.ContainsFunc(child.out, func(a *plan.Attr) bool { return strings.EqualFold(a.Name, "all") }) {
		o := order[0]
		order = nil
		for _, a := range child.out {
			order = append(order, plan.SortOrder{Child: a, Desc: o.Desc, NullsLast: o.NullsLast})
		}
	}
	if x, ok, err := r.sortAggregate(n, order, child, outer); ok || err != nil {
		return x, err
	}
	s := relScope(child, outer)
	s.outerUsed = outerUsed(outer)
	keys := make([]plan.SortOrder, 0, len(order))
	for _, o := range order {
		if _, ok := o.Child.(*plan.UnresolvedStar); ok {
			l, err := r.expandStar(o.Child, s)
			if err != nil {
				return nil, err
			}
			for _, e := range l {
				k := o
				k.Child = e
				keys = append(keys, k)
			}
			continue
		}
		e, err := r.sortKey(o.Child, child, s)
		if err != nil {
			return nil, err
		}
		o.Child = e
		if err := r.checkOrder(o); err != nil {
			return nil, err
		}
		keys = append(keys, o)
	}
	base := pull(child.node, s.missing)
	extra := len(s.missing) > 0
	list := make([]plan.Expr, len(keys))
	for i := range keys {
		list[i] = keys[i].Child
		if a := firstAggregate(list[i]); a != nil {
			return nil, aerr("UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "Sort", "invalidExprSqls", r.quoted(a)).At(a.Pos())
		}
	}
	if err := r.checkPlacement("Sort", list...); err != nil {
		return nil, err
	}
	list, base2, err := r.extractWindows(list, base)
	if err != nil {
		return nil, err
	}
	if base2 != base {
		extra = true
	}
	for i := range keys {
		keys[i].Child = list[i]
	}
	var node plan.Node = &plan.Sort{Common: n.Common, Order: keys, Global: n.Global, Child: base2}
	if extra {
		node = projectTo(child.out, node)
	}
	return &rel{node: node, out: child.out, meta: child.meta, dfs: child.dfs}, nil
}

func projectTo(out []*plan.Attr, n plan.Node) plan.Node {
	list := make([]plan.Expr, len(out))
	for i, a := range out {
		list[i] = a
	}
	return &plan.Project{List: list, Child: n}
}

// ordinalKey is the column at position n of an ORDER BY.
func (r *run) ordinalKey(o *plan.UnresolvedOrdinal, out []*plan.Attr) (plan.Expr, error) {
	if o.N < 1 || o.N > len(out) {
		return nil, aerr("ORDER_BY_POS_OUT_OF_RANGE", "index", itoa(o.N), "size", itoa(len(out))).At(o.Origin)
	}
	return out[o.N-1], nil
}

// sortKey resolves a key; columns that the input lacks are searched below it.
func (r *run) sortKey(e plan.Expr, child *rel, s *scope) (plan.Expr, error) {
	if o, ok := e.(*plan.UnresolvedOrdinal); ok {
		return r.ordinalKey(o, child.out)
	}
	if s.outer != nil { // what is below comes before the outer query
		in := *s
		in.outer = nil
		if x, err := r.sortKey(e, child, &in); err == nil || !isUnresolvedColumn(err) && !isAmbiguous(err) {
			s.missing = in.missing
			return x, err
		}
	}
	x, err := r.expr(e, s)
	if err == nil {
		return unalias(x), nil
	}
	if s.outer != nil || !isUnresolvedColumn(err) && !isAmbiguous(err) {
		return nil, err
	}
	if child.closed {
		return nil, err
	}
	return r.exprBelow(e, child, s, err)
}

// exprBelow resolves e, which child's columns and s failed to with err, by the
// columns of the operators below child, one at a time, down to a relation with a name.
func (r *run) exprBelow(e plan.Expr, child *rel, s *scope, err error) (plan.Expr, error) {
	ambiguous := isAmbiguous(err)
	for below := child.node; below != nil; {
		switch below.(type) {
		case *plan.Project, *plan.Filter, *plan.Sort, *plan.Limit, *plan.WindowNode, *plan.Sample, *plan.Hint, *plan.Repartition, *plan.Generate:
			below = below.Children()[0]
		default:
			return nil, err
		}
		var more []*plan.Attr
		for _, a := range below.Output() {
			if !hasID(s.out, a.ID) {
				more = append(more, a)
			}
		}
		if len(more) == 0 && !ambiguous {
			continue
		}
		wide := *s
		wide.missing = nil
		wide.meta = append(slices.Clone(s.meta), more...)
		if ambiguous { // a name that two items have means the column below
			wide.out = below.Output()
		}
		x, e2 := r.expr(e, &wide)
		if e2 == nil {
			for _, a := range wide.missing {
				s.missing = addAttr(s.missing, a)
			}
			if ambiguous {
				plan.Walk(x, func(k plan.Expr) bool {
					if a, ok := k.(*plan.Attr); ok && !hasID(s.out, a.ID) {
						s.missing = addAttr(s.missing, a)
					}
					return true
				})
			}
			return unalias(x), nil
		}
		if !isUnresolvedColumn(e2) && !isAmbiguous(e2) {
			return nil, e2
		}
	}
	return nil, err
}

func isUnresolvedColumn(err error) bool {
	e, ok := errs.As(err)
	return ok && (strings.HasPrefix(e.Condition, "UNRESOLVED_COLUMN.") || e.Condition == "CANNOT_RESOLVE_DATAFRAME_COLUMN")
}

func isAmbiguous(err error) bool {
	e, ok := errs.As(err)
	return ok && e.Condition == "AMBIGUOUS_REFERENCE"
}

func (r *run) checkOrder(o plan.SortOrder) error {
	if t := o.Child.Type(); !t.IsOrderable() {
		return aerr("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "functionName", "`sortorder`", "dataType", errs.Quote(t.SQL()), "sqlExpr", errs.Quote(r.orderSQL(o))).At(o.Child.Pos())
	}
	return nil
}

// distinct resolves DISTINCT and dropDuplicates.
func (r *run) distinct(n *plan.Distinct, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	c := *n
	c.Child = child.node
	keys := child.out
	if len(n.Columns) > 0 && !n.AllCols {
		keys = nil
		for _, name := range n.Columns {
			hit := false
			for _, a := range child.out {
				if r.eq(a.Name, name) {
					keys, hit = addAttr(keys, a), true
				}
			}
			if !hit {
				return nil, aerr("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "colName", name, "fieldNames", fieldNames(child.out)).At(n.Origin)
			}
		}
		c.Keys = keys
	}
	for _, a := range keys {
		if a.T.Has(types.Map) {
			return nil, aerr("UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "colName", errs.ID(a.Name), "dataType", errs.Quote(a.T.SQL())).At(n.Origin)
		}
		if a.T.Kind == types.Variant {
			return nil, aerr("UNSUPPORTED_FEATURE.SET_OPERATION_ON_VARIANT_TYPE", "colName", errs.ID(a.Name), "dataType", errs.Quote(a.T.SQL())).At(n.Origin)
		}
	}
	return &rel{node: &c, out: child.out, dfs: child.dfs}, nil
}

func fieldNames(out []*plan.Attr) string {
	names := make([]string, len(out))
	for i, a := range out {
		names[i] = a.Name
	}
	return strings.Join(names, ", ")
}

func (r *run) subqueryAlias(n *plan.SubqueryAlias, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	return r.alias(n, child)
}

func (r *run) alias(n *plan.SubqueryAlias, child *rel) (*rel, error) {
	node := child.node
	if len(n.Columns) > 0 {
		if len(n.Columns) != len(child.out) {
			if t, ok := n.Child.(*plan.UnresolvedTVF); ok {
				return nil, aerr("NUM_TABLE_VALUE_ALIASES_MISMATCH", "funcName", errs.ID(strings.ToLower(t.Call.Name)), "aliasesNum", itoa(len(n.Columns)), "outColsNum", itoa(len(child.out))).At(n.Origin)
			}
			return nil, aerr("ASSIGNMENT_ARITY_MISMATCH", "numExpr", itoa(len(n.Columns)), "numTarget", itoa(len(child.out))).At(n.Origin)
		}
		list := make([]plan.Expr, len(child.out))
		for i, a := range child.out {
			list[i] = &plan.Alias{Child: a, Names: []string{n.Columns[i]}, ID: plan.NewID()}
		}
		node = &plan.Project{List: list, Child: node}
	}
	c := *n
	c.Columns = nil
	c.Child = node
	out := c.Output()
	x := &rel{node: &c, out: out, dfs: child.dfs, leaf: child.leaf && len(n.Columns) == 0}
	if x.leaf { // hidden columns of a join don't leave its alias
		for _, a := range child.meta {
			m := *a
			m.Qualifier = append(slices.Clone(n.Path), n.Name)
			x.meta = append(x.meta, &m)
		}
	}
	return x, nil
}
