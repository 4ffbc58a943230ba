package translate

import (
	"maps"
	"slices"

	"neptune/connect/pb"
	"neptune/internal/plan"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// statistics translates the relations of na, stat, show and the like to
// plan.NA. Args by Op:
//
//	fill_na         Cols, Exprs_: the values (one for all columns, or one a column)
//	drop_na         Cols; min_non_nulls int (absent: all)
//	replace         Cols, Exprs_: old and new values in turn
//	summary         statistics []string
//	describe        Cols
//	crosstab, cov   Cols: the two columns
//	corr            Cols: the two columns; method string
//	approx_quantile Cols; probabilities []float64; relative_error float64
//	freq_items      Cols; support float64
//	sample_by       Exprs_: the column, then the strata; fractions []float64; seed int64 (absent: any)
//	show_string     num_rows, truncate int; vertical bool
//	html_string     num_rows, truncate int
//	transpose       Exprs_: the index column, or none
func (t *Translator) statistics(r *pb.Relation) (plan.Node, error) {
	out := &plan.NA{Args: map[string]any{}}
	var in *pb.Relation
	var of protoMessage
	var err error
	switch k := r.GetRelType().(type) {
	case *pb.Relation_FillNa:
		in, of, out.Op, out.Cols = k.FillNa.GetInput(), k.FillNa, "fill_na", k.FillNa.GetCols()
		if len(k.FillNa.GetValues()) == 0 {
			return nil, invalid("NA_FILL_VALUES_EMPTY")
		}
		if n := len(k.FillNa.GetValues()); n > 1 && n != len(out.Cols) {
			return nil, invalid("NA_FILL_VALUES_LENGTH_MISMATCH")
		}
		out.Exprs_, err = t.literals(k.FillNa.GetValues())
	case *pb.Relation_DropNa:
		in, of, out.Op, out.Cols = k.DropNa.GetInput(), k.DropNa, "drop_na", k.DropNa.GetCols()
		if k.DropNa.MinNonNulls != nil {
			out.Args["min_non_nulls"] = int(k.DropNa.GetMinNonNulls())
		}
	case *pb.Relation_Replace:
		in, of, out.Op, out.Cols = k.Replace.GetInput(), k.Replace, "replace", k.Replace.GetCols()
		var l []*pb.Expression_Literal
		for _, p := range k.Replace.GetReplacements() {
			l = append(l, p.GetOldValue(), p.GetNewValue())
		}
		out.Exprs_, err = t.literals(l)
	case *pb.Relation_Summary:
		in, of, out.Op = k.Summary.GetInput(), k.Summary, "summary"
		out.Args["statistics"] = k.Summary.GetStatistics()
	case *pb.Relation_Describe:
		in, of, out.Op, out.Cols = k.Describe.GetInput(), k.Describe, "describe", k.Describe.GetCols()
	case *pb.Relation_Crosstab:
		in, of, out.Op, out.Cols = k.Crosstab.GetInput(), k.Crosstab, "crosstab", []string{k.Crosstab.GetCol1(), k.Crosstab.GetCol2()}
	case *pb.Relation_Cov:
		in, of, out.Op, out.Cols = k.Cov.GetInput(), k.Cov, "cov", []string{k.Cov.GetCol1(), k.Cov.GetCol2()}
	case *pb.Relation_Corr:
		in, of, out.Op, out.Cols = k.Corr.GetInput(), k.Corr, "corr", []string{k.Corr.GetCol1(), k.Corr.GetCol2()}
		out.Args["method"] = "pearson"
		if m := k.Corr.GetMethod(); m != "" {
			out.Args["method"] = m
		}
	case *pb.Relation_ApproxQuantile:
		in, of, out.Op, out.Cols = k.ApproxQuantile.GetInput(), k.ApproxQuantile, "approx_quantile", k.ApproxQuantile.GetCols()
		out.Args["probabilities"] = k.ApproxQuantile.GetProbabilities()
		out.Args["relative_error"] = k.ApproxQuantile.GetRelativeError()
	case *pb.Relation_FreqItems:
		in, of, out.Op, out.Cols = k.FreqItems.GetInput(), k.FreqItems, "freq_items", k.FreqItems.GetCols()
		out.Args["support"] = 0.01
		if k.FreqItems.Support != nil {
			out.Args["support"] = k.FreqItems.GetSupport()
		}
	case *pb.Relation_SampleBy:
		in, of, out.Op = k.SampleBy.GetInput(), k.SampleBy, "sample_by"
		col, cerr := t.need(k.SampleBy.GetCol(), k.SampleBy, "col")
		if cerr != nil {
			return nil, cerr
		}
		out.Exprs_ = []plan.Expr{col}
		fractions := []float64{}
		for _, f := range k.SampleBy.GetFractions() {
			l, lerr := t.Literal(f.GetStratum())
			if lerr != nil {
				return nil, lerr
			}
			out.Exprs_ = append(out.Exprs_, l)
			fractions = append(fractions, f.GetFraction())
		}
		out.Args["fractions"] = fractions
		if k.SampleBy.Seed != nil {
			out.Args["seed"] = k.SampleBy.GetSeed()
		}
	case *pb.Relation_ShowString:
		in, of, out.Op = k.ShowString.GetInput(), k.ShowString, "show_string"
		out.Args["num_rows"], out.Args["truncate"], out.Args["vertical"] = int(k.ShowString.GetNumRows()), int(k.ShowString.GetTruncate()), k.ShowString.GetVertical()
	case *pb.Relation_HtmlString:
		in, of, out.Op = k.HtmlString.GetInput(), k.HtmlString, "html_string"
		out.Args["num_rows"], out.Args["truncate"] = int(k.HtmlString.GetNumRows()), int(k.HtmlString.GetTruncate())
	case *pb.Relation_Transpose:
		in, of, out.Op = k.Transpose.GetInput(), k.Transpose, "transpose"
		out.Exprs_, err = t.exprs(k.Transpose.GetIndexColumns())
	}
	if err != nil {
		return nil, err
	}
	out.Child, err = t.input(in, of)
	return out, err
}

func (t *Translator) literals(l []*pb.Expression_Literal) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(l))
	for i, e := range l {
		x, err := t.Literal(e)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// userRelation translates the relations that run user functions to
// plan.UDFRelation. Args by Op:
//
//	map_partitions             is_barrier bool; profile_id int
//	group_map                  Group; sort []plan.SortOrder; and of stateful ones output_mode, timeout_conf string,
//	                           state_schema *types.Type, time_mode, event_time_column string, output_schema *types.Type,
//	                           initial_group []plan.Expr with the initial state as second input
//	cogroup_map                Group, Group2
//	apply_in_pandas_with_state Group; output_schema, state_schema *types.Type; output_mode, timeout_conf string
//	python_udtf                no input; Func.Args are the arguments
func (t *Translator) userRelation(r *pb.Relation) (plan.Node, error) {
	out := &plan.UDFRelation{Args: map[string]any{}}
	var err error
	need := func(l []*pb.Expression, to *[]plan.Expr) {
		if err == nil {
			*to, err = t.exprs(l)
		}
	}
	in := func(rel *pb.Relation, of protoMessage) {
		if err == nil {
			var n plan.Node
			if n, err = t.input(rel, of); err == nil {
				out.Inputs = append(out.Inputs, n)
			}
		}
	}
	fn := func(f *pb.CommonInlineUserDefinedFunction, of protoMessage) {
		if err == nil && f == nil {
			err = missing(of, "func")
		}
		if err == nil {
			out.Func, err = t.udf(f, plan.At{})
		}
	}
	typ := func(key string, d *pb.DataType) {
		if err == nil && d != nil {
			out.Args[key], err = t.Type(d)
		}
	}
	ddl := func(key, text string) {
		if err == nil && text != "" {
			out.Args[key], err = t.Schema(text)
		}
	}
	sorts := func(key string, l []*pb.Expression) {
		var order []plan.SortOrder
		for _, e := range l {
			if err != nil {
				return
			}
			var o plan.SortOrder
			if s := e.GetSortOrder(); s != nil {
				o, err = t.sortOrder(s)
			} else {
				o.Child, err = t.Expr(e)
			}
			order = append(order, o)
		}
		if order != nil {
			out.Args[key] = order
		}
	}
	switch k := r.GetRelType().(type) {
	case *pb.Relation_MapPartitions:
		m := k.MapPartitions
		out.Op = "map_partitions"
		out.Args["is_barrier"], out.Args["profile_id"] = m.GetIsBarrier(), int(m.GetProfileId())
		in(m.GetInput(), m)
		fn(m.GetFunc(), m)
	case *pb.Relation_GroupMap:
		m := k.GroupMap
		out.Op = "group_map"
		in(m.GetInput(), m)
		need(m.GetGroupingExpressions(), &out.Group)
		fn(m.GetFunc(), m)
		sorts("sort", m.GetSortingExpressions())
		if m.GetInitialInput() != nil {
			in(m.GetInitialInput(), m)
			var init []plan.Expr
			need(m.GetInitialGroupingExpressions(), &init)
			out.Args["initial_group"] = init
		}
		for key, v := range map[string]*string{"output_mode": m.OutputMode, "timeout_conf": m.TimeoutConf} {
			if v != nil {
				out.Args[key] = *v
			}
		}
		typ("state_schema", m.GetStateSchema())
		if w := m.GetTransformWithStateInfo(); w != nil {
			out.Args["time_mode"], out.Args["event_time_column"] = w.GetTimeMode(), w.GetEventTimeColumnName()
			typ("output_schema", w.GetOutputSchema())
		}
	case *pb.Relation_CoGroupMap:
		m := k.CoGroupMap
		out.Op = "cogroup_map"
		in(m.GetInput(), m)
		in(m.GetOther(), m)
		need(m.GetInputGroupingExpressions(), &out.Group)
		need(m.GetOtherGroupingExpressions(), &out.Group2)
		fn(m.GetFunc(), m)
		sorts("sort", m.GetInputSortingExpressions())
		sorts("sort2", m.GetOtherSortingExpressions())
	case *pb.Relation_ApplyInPandasWithState:
		m := k.ApplyInPandasWithState
		out.Op = "apply_in_pandas_with_state"
		in(m.GetInput(), m)
		need(m.GetGroupingExpressions(), &out.Group)
		fn(m.GetFunc(), m)
		ddl("output_schema", m.GetOutputSchema())
		ddl("state_schema", m.GetStateSchema())
		out.Args["output_mode"], out.Args["timeout_conf"] = m.GetOutputMode(), m.GetTimeoutConf()
	case *pb.Relation_CommonInlineUserDefinedTableFunction:
		m := k.CommonInlineUserDefinedTableFunction
		out.Op = "python_udtf"
		p := m.GetPythonUdtf()
		if p == nil {
			return nil, noOneof(m, "function")
		}
		out.Func = &plan.UDF{Name: m.GetFunctionName(), Deterministic: m.GetDeterministic(), Payload: m, Null: true}
		need(m.GetArguments(), &out.Func.Args)
		if err == nil && p.GetReturnType() != nil {
			out.Func.T, err = t.Type(p.GetReturnType())
		}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
