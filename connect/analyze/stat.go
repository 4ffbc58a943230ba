package analyze

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// The relations of df.stat whose columns or values depend on the data, and
// df.transpose. As in Spark they run a query while the plan is analyzed.

// statColumn finds a column by name.
func (r *run) statColumn(name string, child *rel) (plan.Expr, error) {
	return r.name(&plan.UnresolvedAttr{Parts: splitName(name)}, relScope(child, nil))
}

// ask runs a plan over child and returns its rows.
func (r *run) ask(what string, n plan.Node) ([][]any, error) {
	if r.RunScalar == nil {
		return nil, errs.NotSupported(what)
	}
	return r.RunScalar(r.ctx, fresh(&rel{node: n, out: n.Output()}).node)
}

// approxQuantile gives one row with, for each column, the values at the
// probabilities; a column without values has none. Nulls and NaN don't count.
func (r *run) approxQuantile(n *plan.NA, child *rel) (*rel, error) {
	ps, _ := n.Args["probabilities"].([]float64)
	if e, _ := n.Args["relative_error"].(float64); e < 0 || e != e {
		return nil, illegal("The relative error must not be negative.")
	}
	doubles := types.NewArray(types.Float64Type, false)
	list := &plan.Literal{T: doubles}
	vals := make([]any, len(ps))
	for i, p := range ps {
		if !(p >= 0 && p <= 1) {
			return nil, illegal("Probabilities must be within [0.0, 1.0].")
		}
		vals[i] = p
	}
	list.Value = vals
	var cols []plan.Expr
	for _, name := range n.Cols {
		a, err := r.statColumn(name, child)
		if err != nil {
			return nil, err
		}
		if !a.Type().IsNumeric() {
			return nil, illegal("Quantiles need numbers; the column " + name + " is " + a.Type().SQL() + ".")
		}
		x := r.implicit(a, types.Float64Type)
		if a.Type().Kind == types.Float32 || a.Type().Kind == types.Float64 {
			if x, err = r.call2("nanvl", x, nullLit(types.Float64Type)); err != nil {
				return nil, err
			}
		}
		q := plan.Expr(&plan.Literal{T: doubles, Value: []any{}})
		if len(ps) > 0 {
			if x, err = r.call2("percentile_approx", x, list); err != nil {
				return nil, err
			}
			if q, err = r.call2("coalesce", x, q); err != nil {
				return nil, err
			}
		}
		cols = append(cols, q)
	}
	all, err := r.call2("array", cols...)
	if err != nil {
		return nil, err
	}
	agg := &plan.Aggregate{Common: n.Common, Child: child.node, List: []plan.Expr{&plan.Alias{Child: all, Names: []string{"approx_quantile"}, ID: plan.NewID()}}}
	return &rel{node: agg, out: agg.Output()}, nil
}

// illegal is an argument that Spark's require refuses: an error without condition there.
func illegal(text string) error {
	return errs.New(errs.IllegalArgument, "CONNECT_INVALID_PLAN.ASSERTION_FAILURE", "message", text)
}

// asText casts to text, with null as the word.
func (r *run) asText(e plan.Expr) (plan.Expr, error) {
	return r.call2("coalesce", r.castString(e), strLit("null"))
}

// crosstab counts the pairs of two columns: a row for each value of the
// first, a column for each of the second.
func (r *run) crosstab(n *plan.NA, child *rel) (*rel, error) {
	var key [2]plan.Expr
	for i, name := range n.Cols {
		a, err := r.statColumn(name, child)
		if err != nil {
			return nil, err
		}
		if key[i], err = r.asText(a); err != nil {
			return nil, err
		}
	}
	pre := projectRel(child, []plan.Expr{
		&plan.Alias{Child: key[0], Names: []string{n.Cols[0] + "_" + n.Cols[1]}, ID: plan.NewID()},
		&plan.Alias{Child: key[1], Names: []string{"v"}, ID: plan.NewID()},
	}, n.Common)
	values, err := r.pivotValues(pre.out[1], pre)
	if err != nil {
		return nil, err
	}
	agg := &plan.Aggregate{Common: n.Common, Child: pre.node, Group: []plan.Expr{pre.out[0]}, List: []plan.Expr{pre.out[0]}}
	for _, v := range values {
		eq, err := r.compare(&plan.Call{Name: "=", Args: []plan.Expr{pre.out[1], &plan.Literal{T: types.StringType, Value: v}}})
		if err != nil {
			return nil, err
		}
		count, err := r.call2("count", &plan.Case{If: true, When: []plan.Expr{eq}, Then: []plan.Expr{intLit(1)}, Else: nullLit(types.Int32Type)})
		if err != nil {
			return nil, err
		}
		name, _ := v.(string)
		agg.List = append(agg.List, &plan.Alias{Child: count, Names: []string{strings.ReplaceAll(name, "`", "")}, ID: plan.NewID()})
	}
	return &rel{node: agg, out: agg.Output()}, nil
}

// freqItems gives one row with, for each column, the values that more than
// that share of the rows have. The counts are exact: unlike Spark's there are
// no values below the share.
func (r *run) freqItems(n *plan.NA, child *rel) (*rel, error) {
	support, _ := n.Args["support"].(float64)
	if !(support >= 1e-4 && support <= 1) {
		return nil, illegal("The support must be within [1e-4, 1].")
	}
	one, err := r.call2("count", intLit(1))
	if err != nil {
		return nil, err
	}
	total, err := r.ask("relation freq_items", &plan.Aggregate{Child: child.node, List: []plan.Expr{&plan.Alias{Child: one, Names: []string{"n"}, ID: plan.NewID()}}})
	if err != nil {
		return nil, err
	}
	rows, _ := total[0][0].(int64)
	out := []plan.Expr{}
	for _, name := range n.Cols {
		a, err := r.statColumn(name, child)
		if err != nil {
			return nil, err
		}
		key := &plan.Alias{Child: a, Names: []string{"v"}, ID: plan.NewID()}
		pre := projectRel(child, []plan.Expr{key}, n.Common)
		count, err := r.call2("count", intLit(1))
		if err != nil {
			return nil, err
		}
		c := &plan.Alias{Child: count, Names: []string{"n"}, ID: plan.NewID()}
		var node plan.Node = &plan.Aggregate{Child: pre.node, Group: []plan.Expr{pre.out[0]}, List: []plan.Expr{pre.out[0], c}}
		node = &plan.Filter{Cond: boolCall(">", nil, false, plan.ToAttr(c), longLit(int64(support*float64(rows)))), Child: node}
		hits, err := r.ask("relation freq_items", node)
		if err != nil {
			return nil, err
		}
		slices.SortStableFunc(hits, func(x, y []any) int { return cmp.Compare(y[1].(int64), x[1].(int64)) })
		items := make([]any, len(hits))
		for i, h := range hits {
			items[i] = h[0]
		}
		out = append(out, &plan.Alias{Child: &plan.Literal{T: types.NewArray(a.Type(), true), Value: items}, Names: []string{name + "_freqItems"}, ID: plan.NewID()})
	}
	return projectRel(&rel{node: &plan.OneRow{}}, out, n.Common), nil
}

// transpose makes columns of rows: the index column's values, in order, are
// the names; rows whose index is null are left out.
func (r *run) transpose(n *plan.NA, child *rel) (*rel, error) {
	bad := func(why string) error { return aerr("TRANSPOSE_INVALID_INDEX_COLUMN", "reason", why) }
	if len(child.out) == 0 {
		return child, nil
	}
	index := child.out[0]
	if len(n.Exprs_) > 0 {
		e, err := r.expr(n.Exprs_[0], relScope(child, nil))
		if err != nil {
			return nil, err
		}
		a, ok := e.(*plan.Attr)
		if !ok {
			return nil, bad("Index column must be an atomic attribute")
		}
		index = a
	}
	switch index.T.Kind {
	case types.Array, types.Map, types.Struct, types.Variant:
		return nil, bad("Index column must be of atomic type, but found: " + index.T.SQL())
	}
	t := types.NullType
	var rest []*plan.Attr
	for _, a := range child.out {
		if a.ID == index.ID {
			continue
		}
		w := r.coercion().Wider(t, a.T, false)
		if w == nil {
			return nil, aerr("TRANSPOSE_NO_LEAST_COMMON_TYPE", "dt1", errs.Quote(t.SQL()), "dt2", errs.Quote(a.T.SQL()))
		}
		rest, t = append(rest, a), w
	}
	if len(rest) == 0 {
		t = types.StringType
	}
	const most = 500
	list := []plan.Expr{&plan.Alias{Child: r.castString(index), Names: []string{"key"}, ID: plan.NewID()}}
	for _, a := range rest {
		list = append(list, &plan.Alias{Child: r.implicit(a, t), Names: []string{a.Name}, ID: plan.NewID()})
	}
	node := plan.Node(&plan.Filter{Cond: boolCall("isnotnull", nil, false, index), Child: child.node})
	node = &plan.Sort{Global: true, Order: []plan.SortOrder{{Child: index}}, Child: node}
	node = &plan.Limit{N: intLit(most + 1), Child: node}
	node = &plan.Project{List: list, Child: node}
	rows, err := r.ask("relation transpose", node)
	if err != nil {
		return nil, err
	}
	if len(rows) > most {
		return nil, aerr("TRANSPOSE_EXCEED_ROW_LIMIT", "maxValues", strconv.Itoa(most), "config", "spark.sql.transposeMaxValues")
	}
	out := []*plan.Attr{{ID: plan.NewID(), Name: "key", T: types.StringType}}
	for _, row := range rows {
		name, _ := row[0].(string)
		out = append(out, &plan.Attr{ID: plan.NewID(), Name: name, T: t, Null: true})
	}
	lines := [][]plan.Expr{}
	for i, a := range rest {
		line := []plan.Expr{strLit(a.Name)}
		for _, row := range rows {
			line = append(line, &plan.Literal{T: t, Value: row[i+1]})
		}
		lines = append(lines, line)
	}
	return &rel{node: &plan.Expand{Common: n.Common, ByRow: true, Projections: lines, Out: out, Child: &plan.OneRow{}}, out: out}, nil
}
