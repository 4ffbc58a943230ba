package analyze

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func (r *run) sample(n *plan.Sample, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	if n.Rows != nil {
		rows, err := r.limitExpr("limit", n.Rows, child)
		if err != nil {
			return nil, err
		}
		return &rel{node: &plan.Limit{Common: n.Common, N: rows, Child: child.node}, out: child.out, meta: child.meta, dfs: child.dfs}, nil
	}
	if err := checkSample(n); err != nil {
		return nil, err
	}
	c := *n
	c.Child = child.node
	if n.Deterministic { // the splits of one data frame have to see its rows in one order
		order := []plan.SortOrder{}
		for _, a := range child.out {
			if !a.T.Has(types.Map) && a.T.Kind != types.Variant {
				order = append(order, plan.SortOrder{Child: a})
			}
		}
		if len(order) > 0 {
			c.Child = &plan.Sort{Common: n.Common, Order: order, Child: child.node}
		}
	}
	return &rel{node: &c, out: child.out, meta: child.meta, dfs: child.dfs}, nil
}

// checkSample refuses bounds outside of 0 to 1, but for what rounding may have added.
func checkSample(n *plan.Sample) error {
	const eps = 1e-6
	f, show := n.Upper-n.Lower, func(x float64) string { return JavaDouble(x, 64) }
	switch {
	case n.WithReplacement && f < -eps:
		return illegal("Sampling fraction (" + show(f) + ") must be nonnegative with replacement")
	case n.WithReplacement:
	case f < -eps || f > 1+eps:
		return illegal("Sampling fraction (" + show(f) + ") must be on interval [0, 1] without replacement")
	case n.Lower > n.Upper+eps:
		return illegal("Lower bound (" + show(n.Lower) + ") must be <= upper bound (" + show(n.Upper) + ")")
	case n.Lower < -eps:
		return illegal("Lower bound (" + show(n.Lower) + ") must be >= 0.0")
	case n.Upper > 1+eps:
		return illegal("Upper bound (" + show(n.Upper) + ") must be <= 1.0")
	}
	return nil
}

// hint keeps the hints that planning knows; Spark, too, only warns of others.
func (r *run) hint(n *plan.Hint, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	name := strings.ToUpper(n.Name)
	// Spark: ResolveHints.ResolveCoalesceHints.
	part := func(shuffle, ranged, rebalance bool) (*rel, error) {
		num, by := 0, n.Args
		if len(by) > 0 {
			if v, ok := intValue(by[0]); ok {
				if num, by = int(v), by[1:]; num <= 0 {
					return nil, errs.Refused(errs.IllegalArgument, "requirement failed: Number of partitions (%d) must be positive.", num).At(n.Origin)
				}
			}
		}
		if !shuffle && (num == 0 || len(by) > 0) {
			return nil, aerr("_LEGACY_ERROR_TEMP_1048", "hintName", name).At(n.Origin)
		}
		l := make([]plan.SortOrder, len(by))
		var bad []string
		for i, e := range by {
			switch x := e.(type) {
			case *plan.UnresolvedAttr:
			case *plan.Literal:
				if text, ok := x.Value.(string); ok && x.T.IsString() {
					e = &plan.UnresolvedAttr{At: x.At, Parts: []string{text}}
					break
				}
				bad = append(bad, r.quoted(e))
			default:
				bad = append(bad, r.quoted(e))
			}
			l[i] = plan.SortOrder{Child: e}
		}
		if bad != nil {
			return nil, aerr("_LEGACY_ERROR_TEMP_1047", "hintName", name, "invalidParams", strings.Join(bad, ", ")).At(n.Origin)
		}
		return r.repartition(&plan.Repartition{Common: n.Common, N: num, Shuffle: shuffle, Range: ranged, Rebalance: rebalance, By: l, Child: done(child)}, outer)
	}
	switch name {
	case "COALESCE":
		return part(false, false, false)
	case "REPARTITION":
		return part(true, false, false)
	case "REPARTITION_BY_RANGE":
		return part(true, true, false)
	}
	if name == "REBALANCE" && len(n.Args) > 0 {
		return part(true, false, true)
	}
	// What is left names relations, not columns; unknown hints may hold anything.
	c := *n
	c.Child, c.Args = child.node, nil
	for _, a := range n.Args {
		switch x := a.(type) {
		case *plan.UnresolvedAttr:
			c.Args = append(c.Args, &plan.Literal{Value: x.Parts[len(x.Parts)-1], T: types.StringType})
		case *plan.Literal:
			c.Args = append(c.Args, x)
		}
	}
	if len(c.Args) == 0 && len(n.Args) > 0 {
		return child, nil
	}
	return &rel{node: &c, out: child.out, meta: child.meta, dfs: child.dfs, agg: child.agg}, nil
}

func (r *run) repartition(n *plan.Repartition, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	s := relScope(child, outer)
	c := *n
	c.By = nil
	for _, o := range n.By {
		e, err := r.expr(o.Child, s)
		if err != nil {
			return nil, err
		}
		o.Child = unalias(e)
		c.By = append(c.By, o)
	}
	return r.restore(child, s.missing, func(k plan.Node) plan.Node {
		c.Child = k
		return &c
	}), nil
}

func projectRel(child *rel, list []plan.Expr, common plan.Common) *rel {
	p := &plan.Project{Common: common, List: list, Child: child.node}
	return &rel{node: p, out: p.Output(), dfs: child.dfs}
}

func (r *run) toDF(n *plan.ToDF, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	if len(n.Names) != len(child.out) {
		return nil, aerr("ASSIGNMENT_ARITY_MISMATCH", "numExpr", itoa(len(n.Names)), "numTarget", itoa(len(child.out))).At(n.Origin)
	}
	list := make([]plan.Expr, len(child.out))
	for i, a := range child.out {
		list[i] = &plan.Alias{Child: a, Names: []string{n.Names[i]}, ID: plan.NewID()}
	}
	return projectRel(child, list, n.Common), nil
}

func (r *run) withColumns(n *plan.WithColumns, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	used := make([]bool, len(n.Cols))
	var items []plan.Expr
	for i, c := range n.Cols {
		for _, d := range n.Cols[:i] {
			if r.eq(c.Names[0], d.Names[0]) {
				return nil, aerr("COLUMN_ALREADY_EXISTS", "columnName", errs.ID(r.fold(c.Names[0])))
			}
		}
	}
	for _, a := range child.out {
		item := plan.Expr(a)
		for i, c := range n.Cols {
			if r.eq(c.Names[0], a.Name) {
				item, used[i] = c, true
			}
		}
		items = append(items, item)
	}
	for i, c := range n.Cols {
		if !used[i] {
			if n.MustExist {
				return nil, r.unresolvedIn(&plan.UnresolvedAttr{At: c.At, Parts: c.Names[:1]}, child.out)
			}
			items = append(items, c)
		}
	}
	x, err := r.projectOver(items, child, n.Common, outer)
	if err != nil {
		return nil, err
	}
	return x, nil
}

// projectOver is a select list over a resolved child, without references to earlier aliases.
func (r *run) projectOver(items []plan.Expr, child *rel, common plan.Common, outer *scope) (*rel, error) {
	s := relScope(child, outer)
	s.outerUsed = outerUsed(outer)
	list := make([]plan.Expr, len(items))
	for i, it := range items {
		e, err := r.selectItem(it, s)
		if err != nil {
			return nil, err
		}
		list[i] = e
		if a := firstAggregate(e); a != nil {
			return r.finishAggregateOver(items, child, common, outer)
		}
	}
	node, err := r.buildProject(list, pull(child.node, s.missing), common)
	if err != nil {
		return nil, err
	}
	return &rel{node: node, out: node.Output(), dfs: child.dfs}, nil
}

func (r *run) finishAggregateOver(items []plan.Expr, child *rel, common plan.Common, outer *scope) (*rel, error) {
	list, s, err := r.selectList(items, child, outer, nil)
	if err != nil {
		return nil, err
	}
	return r.finishAggregate(common, nil, nil, nil, list, child, s)
}

func (r *run) withColumnsRenamed(n *plan.WithColumnsRenamed, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(child.out))
	for i, a := range child.out {
		names[i] = a.Name
	}
	for k, from := range n.From {
		for i := range names {
			if r.eq(names[i], from) {
				names[i] = n.To[k]
			}
		}
	}
	list := make([]plan.Expr, len(child.out))
	for i, a := range child.out {
		list[i] = a
		if names[i] != a.Name {
			list[i] = &plan.Alias{Child: a, Names: []string{names[i]}, ID: plan.NewID()}
		}
	}
	return projectRel(child, list, n.Common), nil
}

func (r *run) drop(n *plan.Drop, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	gone := map[plan.ExprID]bool{}
	for _, e := range n.Cols {
		x, err := r.expr(e, relScope(child, outer))
		if err != nil {
			if isUnresolvedColumn(err) {
				continue // as Spark, columns that don't exist are left alone
			}
			return nil, err
		}
		if a, ok := unalias(x).(*plan.Attr); ok {
			gone[a.ID] = true
		}
	}
	for _, name := range n.Names {
		for _, a := range child.out {
			if r.eq(a.Name, name) {
				gone[a.ID] = true
			}
		}
	}
	list := []plan.Expr{}
	for _, a := range child.out {
		if !gone[a.ID] {
			list = append(list, a)
		}
	}
	return projectRel(child, list, n.Common), nil
}

// toSchema is df.to(schema).
func (r *run) toSchema(n *plan.ToSchema, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	list := make([]plan.Expr, len(n.Schema.Fields))
	for i, f := range n.Schema.Fields {
		if err := r.plainType(f.Type); err != nil {
			return nil, err
		}
		var hit *plan.Attr
		for _, a := range child.out {
			if r.eq(a.Name, f.Name) {
				if hit != nil {
					return nil, aerr("AMBIGUOUS_COLUMN_OR_FIELD", "name", errs.ID(f.Name), "n", "2")
				}
				hit = a
			}
		}
		var e plan.Expr
		if hit == nil {
			if !f.Nullable {
				return nil, r.unresolvedIn(&plan.UnresolvedAttr{Parts: []string{f.Name}}, child.out)
			}
			e = nullLit(f.Type)
		} else {
			if hit.Null && !f.Nullable {
				return nil, aerr("NULLABLE_COLUMN_OR_FIELD", "name", errs.ID(f.Name))
			}
			e = hit
			if !types.SameType(hit.T, f.Type) {
				if !r.storeAssignable(hit.T, f.Type) {
					return nil, aerr("INVALID_COLUMN_OR_FIELD_DATA_TYPE", "name", errs.ID(f.Name), "type", errs.Quote(hit.T.SQL()), "expectedType", errs.Quote(f.Type.SQL()))
				}
				e = r.implicit(hit, f.Type)
			}
		}
		list[i] = &plan.Alias{Child: e, Names: []string{f.Name}, ID: plan.NewID(), Metadata: f.Metadata}
	}
	return projectRel(child, list, n.Common), nil
}

// storeAssignable is Spark's Cast.canANSIStoreAssign.
func (r *run) storeAssignable(a, b *types.Type) bool {
	if a.IsString() && !b.IsString() {
		return false
	}
	return r.canImplicit(a, b)
}

func (r *run) watermark(n *plan.WithWatermark, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	parts := splitName(n.Column)
	found, rest := r.match(parts, child.out)
	if len(found) == 0 {
		return nil, r.unresolvedIn(&plan.UnresolvedAttr{Parts: parts}, child.out)
	}
	if len(found) > 1 || len(rest) > 0 && found[0].T.Kind != types.Struct {
		return nil, aerr("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "eventName", errs.Quote(n.Column), "eventType", errs.Quote(found[0].T.SQL()))
	}
	a := found[0]
	okType := isTS(a.T) || a.T.Kind == types.Struct && len(a.T.Fields) > 1 && isTS(a.T.Fields[len(a.T.Fields)-1].Type)
	if !okType {
		return nil, aerr("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "eventName", errs.Quote(n.Column), "eventType", errs.Quote(a.T.SQL()))
	}
	us, err := durationMicros(n.Delay)
	if err != nil {
		return nil, aerr("CANNOT_PARSE_INTERVAL", "intervalString", n.Delay)
	}
	if us < 0 {
		return nil, errs.New(errs.IllegalArgument, "INTERNAL_ERROR", "message", "the delay of a watermark must not be negative: "+n.Delay)
	}
	c := *n
	c.Child = child.node
	c.Out = slices.Clone(child.out)
	for i, o := range c.Out {
		if o.ID == a.ID {
			b := *o
			b.Metadata = `{"spark.watermarkDelayMs":` + itoa(int(us/1000)) + `}`
			c.Out[i] = &b
		}
	}
	return &rel{node: &c, out: c.Out, dfs: child.dfs}, nil
}

func (r *run) observe(n *plan.Observe, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	s := relScope(child, outer)
	c := *n
	c.Child = child.node
	c.Metrics = make([]plan.Expr, len(n.Metrics))
	for i, m := range n.Metrics {
		e, err := r.selectItem(m, s)
		if err != nil {
			return nil, err
		}
		bad := first(e, func(x plan.Expr) bool { _, ok := x.(*plan.Window); return ok }, always)
		if bad != nil {
			return nil, aerr("INVALID_OBSERVED_METRICS.WINDOW_EXPRESSIONS_UNSUPPORTED", "expr", r.quoted(bad))
		}
		if err := r.observed(e); err != nil {
			return nil, err
		}
		c.Metrics[i] = e
	}
	return &rel{node: &c, out: child.out, meta: child.meta, dfs: child.dfs}, nil
}

// observed refuses metrics that are no aggregates.
func (r *run) observed(e plan.Expr) error {
	if isAgg(e) {
		if c, ok := e.(*plan.Call); ok && c.Distinct {
			return aerr("INVALID_OBSERVED_METRICS.AGGREGATE_EXPRESSION_WITH_DISTINCT_UNSUPPORTED", "expr", r.quoted(e))
		}
		return r.checkAggregate(e)
	}
	if a, ok := e.(*plan.Attr); ok {
		return aerr("INVALID_OBSERVED_METRICS.NON_AGGREGATE_FUNC_ARG_IS_ATTRIBUTE", "expr", r.quoted(a))
	}
	for _, k := range e.Children() {
		if err := r.observed(k); err != nil {
			return err
		}
	}
	return nil
}
