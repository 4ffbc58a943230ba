package analyze

import (
	"slices"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// na expands df.na and df.stat. show_string and html_string stay in the plan,
// with their one column as Out: the server runs the child and writes the text.
func (r *run) na(n *plan.NA, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	switch n.Op {
	case "fill_na":
		return r.fillNA(n, child)
	case "drop_na":
		return r.dropNA(n, child)
	case "replace":
		return r.replaceNA(n, child)
	case "show_string", "html_string":
		c := *n
		c.Child = child.node
		c.Out = []*plan.Attr{{ID: plan.NewID(), Name: n.Op, T: types.StringType}}
		return &rel{node: &c, out: c.Out}, nil
	case "cov", "corr":
		return r.covCorr(n, child)
	case "describe", "summary":
		return r.describe(n, child)
	case "sample_by":
		return r.sampleBy(n, child)
	case "approx_quantile":
		return r.approxQuantile(n, child)
	case "crosstab":
		return r.crosstab(n, child)
	case "freq_items":
		return r.freqItems(n, child)
	case "transpose":
		return r.transpose(n, child)
	}
	return nil, errs.NotSupported("relation " + n.Op)
}

// naColumns finds the named columns; none named are all.
func (r *run) naColumns(names []string, child *rel) (map[plan.ExprID]int, error) {
	hit := map[plan.ExprID]int{}
	if len(names) == 0 {
		for _, a := range child.out {
			hit[a.ID] = -1
		}
		return hit, nil
	}
	for i, name := range names {
		found, _ := r.match(splitName(name), child.out)
		if len(found) == 0 {
			return nil, r.unresolvedIn(&plan.UnresolvedAttr{Parts: splitName(name)}, child.out)
		}
		for _, a := range found {
			hit[a.ID] = i
		}
	}
	return hit, nil
}

func (r *run) call2(name string, args ...plan.Expr) (plan.Expr, error) {
	return r.call(&plan.Call{Name: name, Args: args, Internal: true}, &scope{})
}

func (r *run) fillNA(n *plan.NA, child *rel) (*rel, error) {
	cols, err := r.naColumns(n.Cols, child)
	if err != nil {
		return nil, err
	}
	list := make([]plan.Expr, len(child.out))
	for i, a := range child.out {
		list[i] = a
		at, ok := cols[a.ID]
		if !ok {
			continue
		}
		v := n.Exprs_[0].(*plan.Literal)
		if len(n.Exprs_) > 1 && at >= 0 {
			v = n.Exprs_[at].(*plan.Literal)
		}
		fits := v.T.IsNumeric() && a.T.IsNumeric() || v.T.IsString() && a.T.IsString() || v.T.Kind == types.Bool && a.T.Kind == types.Bool
		if !fits {
			continue
		}
		col := plan.Expr(a)
		if a.T.Kind == types.Float32 || a.T.Kind == types.Float64 {
			if col, err = r.call2("nanvl", a, nullLit(a.T)); err != nil {
				return nil, err
			}
		}
		x, err := r.call2("coalesce", col, r.implicit(v, a.T))
		if err != nil {
			return nil, err
		}
		list[i] = &plan.Alias{Child: x, Names: []string{a.Name}, ID: plan.NewID()}
	}
	return projectRel(child, list, n.Common), nil
}

func (r *run) dropNA(n *plan.NA, child *rel) (*rel, error) {
	cols, err := r.naColumns(n.Cols, child)
	if err != nil {
		return nil, err
	}
	var tests []plan.Expr
	for _, a := range child.out {
		if _, ok := cols[a.ID]; !ok {
			continue
		}
		t := plan.Expr(boolCall("isnotnull", nil, false, a))
		if a.T.Kind == types.Float32 || a.T.Kind == types.Float64 {
			nan, err := r.call2("isnan", a)
			if err != nil {
				return nil, err
			}
			t = boolCall("and", nil, false, t, boolCall("not", nil, false, nan))
		}
		tests = append(tests, t)
	}
	least := len(tests)
	if v, ok := n.Args["min_non_nulls"].(int); ok {
		least = v
	}
	var cond plan.Expr
	if least >= len(tests) {
		for _, t := range tests {
			if cond == nil {
				cond = t
			} else {
				cond = boolCall("and", nil, false, cond, t)
			}
		}
		if least > len(tests) {
			cond = &plan.Literal{T: types.BoolType, Value: false}
		}
	} else {
		sum := plan.Expr(intLit(0))
		for _, t := range tests {
			one := &plan.Case{If: true, When: []plan.Expr{t}, Then: []plan.Expr{intLit(1)}, Else: intLit(0)}
			sum = r.finish(&plan.Call{Name: "+", Args: []plan.Expr{sum, one}}, types.Int32Type, false)
		}
		cond = boolCall(">=", nil, false, sum, intLit(int32(least)))
	}
	if cond == nil {
		return child, nil
	}
	return &rel{node: &plan.Filter{Common: n.Common, Cond: cond, Child: child.node}, out: child.out, meta: child.meta, dfs: child.dfs}, nil
}

func (r *run) replaceNA(n *plan.NA, child *rel) (*rel, error) {
	cols, err := r.naColumns(n.Cols, child)
	if err != nil {
		return nil, err
	}
	list := make([]plan.Expr, len(child.out))
	for i, a := range child.out {
		list[i] = a
		if _, ok := cols[a.ID]; !ok {
			continue
		}
		var c plan.Case
		for k := 0; k+1 < len(n.Exprs_); k += 2 {
			from, to := n.Exprs_[k].(*plan.Literal), n.Exprs_[k+1].(*plan.Literal)
			kind := from.T
			if kind.Kind == types.Null {
				kind = to.T
			}
			fits := kind.IsNumeric() && a.T.IsNumeric() || kind.IsString() && a.T.IsString() || kind.Kind == types.Bool && a.T.Kind == types.Bool
			if !fits {
				continue
			}
			eq, err := r.compare(&plan.Call{Name: "=", Args: []plan.Expr{a, r.implicit(from, a.T)}})
			if err != nil {
				return nil, err
			}
			c.When, c.Then = append(c.When, eq), append(c.Then, r.implicit(to, a.T))
		}
		if c.When == nil {
			continue
		}
		c.Else = a
		list[i] = &plan.Alias{Child: &c, Names: []string{a.Name}, ID: plan.NewID()}
	}
	return projectRel(child, list, n.Common), nil
}

func (r *run) covCorr(n *plan.NA, child *rel) (*rel, error) {
	if m, _ := n.Args["method"].(string); n.Op == "corr" && m != "pearson" {
		return nil, errs.NotSupported("correlation method " + m)
	}
	s := relScope(child, nil)
	args := make([]plan.Expr, 2)
	for i, c := range n.Cols {
		a, err := r.name(&plan.UnresolvedAttr{Parts: splitName(c)}, s)
		if err != nil {
			return nil, err
		}
		if !a.Type().IsNumeric() {
			return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", errs.Quote(n.Op+"("+c+")"), "paramIndex", ordinal(i+1), "requiredType", `"NUMERIC"`, "inputSql", errs.Quote(c), "inputType", errs.Quote(a.Type().SQL()))
		}
		// Spark reads a null as zero here, unlike in the aggregates.
		if args[i], err = r.call2("coalesce", r.implicit(a, types.Float64Type), &plan.Literal{T: types.Float64Type, Value: 0.0}); err != nil {
			return nil, err
		}
	}
	name := "covar_samp"
	if n.Op == "corr" {
		name = "corr"
	}
	x, err := r.call2(name, args...)
	if err != nil {
		return nil, err
	}
	// No rows (or one) give 0 and NaN: cov is 0 where the aggregate is null, corr NaN.
	def := 0.0
	if n.Op == "corr" {
		def = nan
	}
	y, err := r.call2("coalesce", x, &plan.Literal{T: types.Float64Type, Value: def})
	if err != nil {
		return nil, err
	}
	agg := &plan.Aggregate{Common: n.Common, Child: child.node, List: []plan.Expr{&plan.Alias{Child: y, Names: []string{n.Op}, ID: plan.NewID()}}}
	return &rel{node: agg, out: agg.Output()}, nil
}

// describe is df.describe and df.summary: a row for each statistic.
func (r *run) describe(n *plan.NA, child *rel) (*rel, error) {
	stats := []string{"count", "mean", "stddev", "min", "max"}
	if n.Op == "summary" {
		stats = []string{"count", "mean", "stddev", "min", "25%", "50%", "75%", "max"}
		if l, ok := n.Args["statistics"].([]string); ok && len(l) > 0 {
			stats = l
		}
	}
	var cols []*plan.Attr
	if len(n.Cols) > 0 {
		for _, name := range n.Cols {
			found, _ := r.match(splitName(name), child.out)
			if len(found) == 0 {
				return nil, r.unresolvedIn(&plan.UnresolvedAttr{Parts: splitName(name)}, child.out)
			}
			cols = append(cols, found[0])
		}
	} else {
		cols = child.out
	}
	cols = slices.DeleteFunc(slices.Clone(cols), func(a *plan.Attr) bool { return !a.T.IsNumeric() && !a.T.IsString() })
	agg := &plan.Aggregate{Common: n.Common, Child: child.node}
	cell := make([][]plan.Expr, len(stats))
	for i, st := range stats {
		for _, a := range cols {
			num := plan.Expr(a)
			if a.T.IsString() {
				num = &plan.Cast{Child: a, To: types.Float64Type, Mode: plan.Try}
			}
			var x plan.Expr
			var err error
			switch st {
			case "count":
				x, err = r.call2("count", a)
			case "count_distinct":
				x, err = r.call(&plan.Call{Name: "count", Args: []plan.Expr{a}, Distinct: true}, &scope{})
			case "approx_count_distinct":
				x, err = r.call2("approx_count_distinct", a)
			case "mean":
				x, err = r.call2("avg", num)
			case "stddev":
				x, err = r.call2("stddev_samp", num)
			case "min", "max":
				x, err = r.call2(st, a)
			default:
				p, ok := percent(st)
				if !ok {
					return nil, errs.New(errs.IllegalArgument, "UNRECOGNIZED_STATISTIC", "stats", "'"+st+"'")
				}
				x, err = r.call2("percentile_approx", num, &plan.Literal{T: types.Float64Type, Value: p})
			}
			if err != nil {
				return nil, err
			}
			al := &plan.Alias{Child: x, Names: []string{a.Name}, ID: plan.NewID(), Auto: true}
			agg.List = append(agg.List, al)
			cell[i] = append(cell[i], r.castString(plan.ToAttr(al)))
		}
	}
	out := []*plan.Attr{{ID: plan.NewID(), Name: "summary", T: types.StringType, Null: true}}
	for _, a := range cols {
		out = append(out, &plan.Attr{ID: plan.NewID(), Name: a.Name, T: types.StringType, Null: true})
	}
	var rows [][]plan.Expr
	for i, st := range stats {
		rows = append(rows, append([]plan.Expr{strLit(st)}, cell[i]...))
	}
	var base plan.Node = agg
	if len(agg.List) == 0 {
		base = &plan.OneRow{}
	}
	return &rel{node: &plan.Expand{Projections: rows, Out: out, Child: base}, out: out}, nil
}

func (r *run) castString(e plan.Expr) plan.Expr {
	if e.Type().IsString() {
		return e
	}
	return &plan.Cast{Child: e, To: types.StringType, Mode: r.mode(), Implicit: true}
}

func (r *run) sampleBy(n *plan.NA, child *rel) (*rel, error) {
	s := relScope(child, nil)
	col, err := r.expr(n.Exprs_[0], s)
	if err != nil {
		return nil, err
	}
	col = unalias(col)
	fractions, _ := n.Args["fractions"].([]float64)
	var seed int64
	if v, ok := n.Args["seed"].(int64); ok {
		seed = v
	}
	c := &plan.Case{Else: &plan.Literal{T: types.Float64Type, Value: 0.0}}
	for i, f := range fractions {
		l := n.Exprs_[i+1].(*plan.Literal)
		eq, err := r.compare(&plan.Call{Name: "<=>", Args: []plan.Expr{col, r.implicit(l, col.Type())}})
		if err != nil {
			return nil, err
		}
		c.When, c.Then = append(c.When, eq), append(c.Then, &plan.Literal{T: types.Float64Type, Value: f})
	}
	var limit plan.Expr = c
	if len(c.When) == 0 {
		limit = c.Else
	}
	rnd, err := r.call2("rand", longLit(seed))
	if err != nil {
		return nil, err
	}
	return &rel{node: &plan.Filter{Common: n.Common, Cond: boolCall("<", nil, false, rnd, limit), Child: child.node}, out: child.out, dfs: child.dfs}, nil
}
