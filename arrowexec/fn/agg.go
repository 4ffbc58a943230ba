package fn

import (
	"slices"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Parameter kinds of aggregates.
var (
	aggAny     = Accept{Name: "ANY", Test: func(*types.Type) bool { return true }}
	aggSummand = Accept{Name: `"NUMERIC" or "ANSI INTERVAL"`, Types: []*types.Type{types.Float64Type},
		Test: func(t *types.Type) bool { return t.IsNumeric() || t.IsAnsiInterval() }}
	aggDouble   = Accept{Types: []*types.Type{types.Float64Type}}
	aggBool     = Accept{Types: []*types.Type{types.BoolType}}
	aggBits     = Accept{Name: "INTEGRAL", Exact: true, Types: []*types.Type{types.Int32Type}, Test: func(t *types.Type) bool { return t.IsIntegral() }}
	aggIntegral = Accept{Name: "INTEGRAL", Types: []*types.Type{types.Int64Type},
		Test: func(t *types.Type) bool { return t.IsIntegral() }}
	aggText = Accept{Name: `("STRING" or "BINARY")`, Types: []*types.Type{types.StringType},
		Test: func(t *types.Type) bool { return t.IsString() || t.Kind == types.Binary }}
	aggFrequency = Accept{Name: "INTEGRAL", Exact: true, Types: []*types.Type{types.Int64Type}, Test: func(t *types.Type) bool { return t.IsIntegral() }}
	aggQuantile  = Accept{Name: `("NUMERIC" or "DATE" or "TIMESTAMP" or "TIMESTAMP_NTZ" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND" or "TIME")`,
		Types: []*types.Type{types.Float64Type},
		Test: func(t *types.Type) bool {
			return t.IsNumeric() || t.IsDatetime() || t.IsAnsiInterval() || t.Kind == types.Time
		}}
	aggPercent = Accept{Name: `("DOUBLE" or "ARRAY<DOUBLE>")`, Types: []*types.Type{types.Float64Type},
		Test: func(t *types.Type) bool {
			return t.IsNumeric() || t.Kind == types.Array && (t.Elem.IsNumeric() || t.Elem.Kind == types.Null)
		}}
)

func retSame(a []*types.Type) (*types.Type, error) { return a[0], nil }

func retConst(t *types.Type) func([]*types.Type) (*types.Type, error) {
	return func([]*types.Type) (*types.Type, error) { return t, nil }
}

func retSum(a []*types.Type) (*types.Type, error) {
	switch t := a[0]; {
	case t.Kind == types.Decimal:
		return types.NewDecimal(min(t.Precision+10, types.MaxPrecision), t.Scale), nil
	case t.IsIntegral():
		return types.Int64Type, nil
	case t.Kind == types.YearMonthInterval, t.Kind == types.DayTimeInterval:
		return t, nil
	}
	return types.Float64Type, nil
}

func retAvg(a []*types.Type) (*types.Type, error) {
	switch t := a[0]; {
	case t.Kind == types.Decimal:
		return types.NewDecimal(min(t.Precision+4, types.MaxPrecision), min(t.Scale+4, types.MaxPrecision)), nil
	case t.Kind == types.YearMonthInterval:
		return types.YearMonthType, nil
	case t.Kind == types.DayTimeInterval:
		return types.DayTimeType, nil
	}
	return types.Float64Type, nil
}

// orderable refuses types without an order, as min, max, mode ... do.
func orderable(name string, at int, ret func([]*types.Type) (*types.Type, error)) func([]*types.Type) (*types.Type, error) {
	return func(a []*types.Type) (*types.Type, error) {
		if !a[at].IsOrderable() {
			e := errs.New(errs.Analysis, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "functionName", errs.ID(name),
				"dataType", errs.Quote(a[at].SQL()), "sqlExpr", errs.Quote(name))
			e.State, e.Text = "42K09", "The function "+name+" can't order values of type "+a[at].SQL()+"."
			return nil, e
		}
		return ret(a)
	}
}

func stateConst(t ...*types.Type) func([]*types.Type, *types.Type) []*types.Type {
	return func([]*types.Type, *types.Type) []*types.Type { return t }
}

func stateArgs(args []*types.Type, _ *types.Type) []*types.Type { return args }

func stateDoubles(n int) func([]*types.Type, *types.Type) []*types.Type {
	t := make([]*types.Type, n)
	for i := range t {
		t[i] = types.Float64Type
	}
	return stateConst(t...)
}

func stateSum(args []*types.Type, _ *types.Type) []*types.Type {
	switch t := args[0]; {
	case t.Kind == types.Decimal:
		return []*types.Type{decState, types.Int64Type}
	case t.IsIntegral() || t.IsAnsiInterval():
		return []*types.Type{types.Int64Type, types.Int8Type}
	}
	return []*types.Type{types.Float64Type, types.Int64Type}
}

func stateAvg(args []*types.Type, _ *types.Type) []*types.Type {
	if t := args[0]; t.Kind == types.Decimal || t.IsAnsiInterval() {
		return []*types.Type{decState, types.Int64Type}
	}
	return []*types.Type{types.Float64Type, types.Int64Type}
}

func aggOver(p ...Accept) []Overload { return []Overload{{Params: p}} }

// aggDef completes the entry of an aggregate function.
func aggDef(d Def, ret func([]*types.Type) (*types.Type, error), a AggDef) Def {
	d.Kind, d.Group, d.Agg = plan.FnAggregate, "agg_funcs", &a
	for i := range d.Overloads {
		d.Overloads[i].Ret = ret
	}
	if d.Nulls == NullIn {
		d.Nulls = NullKernel
	}
	return d
}

func aggregates() []Def {
	return append(append(append(basicAggs(), momentAggs()...), collectAggs()...), bitAggs()...)
}

func basicAggs() []Def {
	count := aggDef(Def{Name: "count", Since: "1.0.0", Nulls: NullNever, Usage: "Counts rows: all of them for `count(*)`, else those in which no argument is null.",
		Overloads: []Overload{{Params: []Accept{aggAny}, Variadic: true, VarMin0: true}}, Examples: []Example{{"SELECT count(col) FROM VALUES (NULL), (5), (5) AS t(col)", "2"}}},
		retConst(types.Int64Type), AggDef{Empty: int64(0), State: stateConst(types.Int64Type), New: func(AggArgs) (Accumulator, error) { return &countAcc{}, nil }})
	sum := func(name, since, usage string, mode func(AggArgs) plan.EvalMode) Def {
		return aggDef(Def{Name: name, Since: since, Ansi: true, Usage: usage, Overloads: aggOver(aggSummand),
			Examples: []Example{{"SELECT " + name + "(col) FROM VALUES (5), (10), (NULL) AS t(col)", "15"}}},
			retSum, AggDef{State: stateSum, New: func(a AggArgs) (Accumulator, error) { return newSum(a, mode(a)), nil }})
	}
	avg := func(name, since, usage string, mode func(AggArgs) plan.EvalMode, alias ...string) Def {
		return aggDef(Def{Name: name, Aliases: alias, Since: since, Ansi: true, Usage: usage, Overloads: aggOver(aggSummand),
			Examples: []Example{{"SELECT " + name + "(col) FROM VALUES (1), (2), (NULL) AS t(col)", "1.5"}}},
			retAvg, AggDef{State: stateAvg, New: func(a AggArgs) (Accumulator, error) { return newAvg(a, mode(a)), nil }})
	}
	called := func(a AggArgs) plan.EvalMode { return a.Call.Mode }
	try := func(AggArgs) plan.EvalMode { return plan.Try }
	extreme := func(name, usage, want string, max bool) Def {
		return aggDef(Def{Name: name, Since: "1.0.0", Usage: usage, Overloads: aggOver(aggAny),
			Examples: []Example{{"SELECT " + name + "(col) FROM VALUES (10), (-1), (20) AS t(col)", want}}},
			orderable(name, 0, retSame), AggDef{State: stateArgs, IgnoresDistinct: true,
				New: func(a AggArgs) (Accumulator, error) { return newExtreme(a.Args[0], max), nil }})
	}
	by := func(name, usage, want string, max bool) Def {
		return aggDef(Def{Name: name, Since: "3.0.0", Usage: usage, Overloads: aggOver(aggAny, aggAny),
			Examples: []Example{{"SELECT " + name + "(x, y) FROM VALUES ('a', 10), ('b', 50), ('c', 20) AS t(x, y)", want}}},
			orderable(name, 1, retSame), AggDef{State: stateArgs, OrderMatters: true,
				New: func(a AggArgs) (Accumulator, error) { return newPick(a.Args, max, true), nil }})
	}
	first := func(name, since, usage, want string, last bool, alias ...string) Def {
		return aggDef(Def{Name: name, Aliases: alias, Since: since, Usage: usage,
			Overloads: []Overload{{Params: []Accept{aggAny}}, {Params: []Accept{aggAny, aggBool}}},
			Examples:  []Example{{"SELECT " + name + "(col) FROM VALUES (10), (5), (20) AS t(col)", want}}},
			retSame, AggDef{OrderMatters: true,
				State: func(a []*types.Type, _ *types.Type) []*types.Type { return []*types.Type{a[0], types.BoolType} },
				New: func(a AggArgs) (Accumulator, error) {
					skip := a.Call.Nulls == plan.IgnoreNulls
					if len(a.Call.Args) > 1 {
						v, ok := constant(a.Call.Args[1])
						if !ok {
							return nil, foldable(a.Call, "ignoreNulls", types.BoolType, a.Call.Args[1])
						}
						b, _ := v.(bool)
						skip = skip || b
					}
					return &firstAcc{rowStore: rowStore{types: a.Args[:1]}, last: last, skipNulls: skip}, nil
				}})
	}
	boolean := func(name, usage, want string, max bool, alias ...string) Def {
		return aggDef(Def{Name: name, Aliases: alias, Since: "3.0.0", Usage: usage, Overloads: aggOver(aggBool),
			Examples: []Example{{"SELECT " + name + "(col) FROM VALUES (true), (false), (true) AS t(col)", want}}},
			retConst(types.BoolType), AggDef{State: stateConst(types.BoolType), IgnoresDistinct: true,
				New: func(AggArgs) (Accumulator, error) { return newExtreme(types.BoolType, max), nil }})
	}
	return []Def{
		count,
		sum("sum", "1.0.0", "Adds up the values of a group.", called),
		sum("try_sum", "3.3.0", "Adds up the values of a group; NULL where the sum leaves its type.", try),
		avg("avg", "1.0.0", "Returns the mean of the values of a group.", called, "mean"),
		avg("try_avg", "3.3.0", "Returns the mean of the values of a group; NULL on overflow.", try),
		extreme("max", "Returns the greatest value of `expr`.", "20", true),
		extreme("min", "Returns the least value of `expr`.", "-1", false),
		withTop(by("max_by", "Returns the value of `x` in the row with the greatest `y`; with `k` those of the k greatest.", "b", true), true),
		withTop(by("min_by", "Returns the value of `x` in the row with the least `y`; with `k` those of the k least.", "a", false), false),
		first("first", "2.0.0", "Returns the value of the group's first row, or first row that isn't null if `isIgnoreNull`.", "10", false, "first_value"),
		first("last", "2.0.0", "Returns the value of the group's last row, or last row that isn't null if `isIgnoreNull`.", "20", true, "last_value"),
		first("any_value", "3.4.0", "Returns a value of some row of the group.", "10", false),
		boolean("bool_and", "Returns whether all values are true.", "false", false, "every"),
		boolean("bool_or", "Returns whether a value is true.", "true", true, "some", "any"),
		aggDef(Def{Name: "count_if", Since: "3.0.0", Nulls: NullNever, Usage: "Counts the rows where `expr` is true.", Overloads: aggOver(aggBool),
			Examples: []Example{{"SELECT count_if(col % 2 = 0) FROM VALUES (NULL), (0), (1), (2), (3) AS t(col)", "2"}}},
			retConst(types.Int64Type), AggDef{Empty: int64(0), State: stateConst(types.Int64Type),
				New: func(AggArgs) (Accumulator, error) { return &countAcc{test: true}, nil }}),
		aggDef(Def{Name: "product", Since: "3.2.0", Usage: "Multiplies the values of a group.", Overloads: aggOver(aggDouble)},
			retConst(types.Float64Type), AggDef{State: stateConst(types.Float64Type, types.Int64Type),
				New: func(AggArgs) (Accumulator, error) { return &sumFloatAcc{product: true}, nil }}),
		aggDef(Def{Name: "approx_count_distinct", Since: "1.6.0", Nulls: NullNever, Usage: "Estimates the number of different values by HyperLogLog++; `relativeSD` is the standard deviation allowed.",
			Overloads: []Overload{{Params: []Accept{aggAny}}, {Params: []Accept{aggAny, aggDouble}}},
			Examples:  []Example{{"SELECT approx_count_distinct(col1) FROM VALUES (1), (1), (2), (2), (3)", "3"}}},
			retConst(types.Int64Type), AggDef{Empty: int64(0), IgnoresDistinct: true, State: stateConst(types.BinaryType), New: newHLL}),
	}
}

func momentAggs() []Def {
	one := func(name, since, usage string, order int, f func(n, m2, m3, m4 float64) (float64, bool), want string, alias ...string) Def {
		return aggDef(Def{Name: name, Aliases: alias, Since: since, Usage: usage, Overloads: aggOver(aggDouble),
			Examples: []Example{{"SELECT " + name + "(col) FROM VALUES (1), (2), (3) AS t(col)", want}}},
			retConst(types.Float64Type), AggDef{State: stateDoubles(order + 1),
				New: func(AggArgs) (Accumulator, error) { return &momentsAcc{order: order, finish: f}, nil }})
	}
	two := func(name, since, usage string, swap bool, f func(pairStats) (float64, bool)) Def {
		return aggDef(Def{Name: name, Since: since, Usage: usage, Overloads: aggOver(aggDouble, aggDouble)},
			retConst(types.Float64Type), AggDef{State: stateDoubles(6),
				New: func(AggArgs) (Accumulator, error) { return &pairAcc{finish: f, swap: swap}, nil }})
	}
	regrCount := aggDef(Def{Name: "regr_count", Since: "3.4.0", Nulls: NullNever, Usage: "Counts the pairs in which neither value is null.", Overloads: aggOver(aggDouble, aggDouble)},
		retConst(types.Int64Type), AggDef{Empty: int64(0), State: stateDoubles(6),
			New: func(AggArgs) (Accumulator, error) { return &pairAcc{count: true, swap: true}, nil }})
	return []Def{
		one("stddev_samp", "1.6.0", "Returns the sample standard deviation.", 2, stddevSamp, "1.0", "stddev", "std"),
		one("stddev_pop", "1.6.0", "Returns the population standard deviation.", 2, stddevPop, "0.816496580927726"),
		one("var_samp", "1.6.0", "Returns the sample variance.", 2, varSamp, "1.0", "variance"),
		one("var_pop", "1.6.0", "Returns the population variance.", 2, varPop, "0.6666666666666666"),
		one("skewness", "1.6.0", "Returns the skewness of the values.", 3, skewness, "0.0"),
		one("kurtosis", "1.6.0", "Returns the excess kurtosis of the values.", 4, kurtosis, "-1.5"),
		two("covar_pop", "2.0.0", "Returns the population covariance of pairs.", false, covarPop),
		two("covar_samp", "2.0.0", "Returns the sample covariance of pairs.", false, covarSamp),
		two("corr", "1.6.0", "Returns Pearson's correlation of pairs.", false, corr),
		regrCount,
		two("regr_avgx", "3.3.0", "Returns the mean of `x` over pairs (y, x) without nulls.", true, regrAvgX),
		two("regr_avgy", "3.3.0", "Returns the mean of `y` over pairs (y, x) without nulls.", true, regrAvgY),
		two("regr_r2", "3.3.0", "Returns the coefficient of determination of pairs (y, x).", true, regrR2),
		two("regr_sxx", "3.4.0", "Returns the sum of squares of `x` about its mean, over pairs (y, x).", true, regrSXX),
		two("regr_syy", "3.4.0", "Returns the sum of squares of `y` about its mean, over pairs (y, x).", true, regrSYY),
		two("regr_sxy", "3.4.0", "Returns the sum of products of `x` and `y` about their means, over pairs (y, x).", true, regrSXY),
		two("regr_slope", "3.4.0", "Returns the slope of the least squares line through pairs (y, x).", true, regrSlope),
		two("regr_intercept", "3.4.0", "Returns the intercept of the least squares line through pairs (y, x).", true, regrIntercept),
	}
}

func bitAggs() []Def {
	one := func(name, word string, op byte, want string) Def {
		return aggDef(Def{Name: name, Since: "3.0.0", Usage: "Returns the bitwise " + word + " of the values.", Overloads: aggOver(aggBits),
			Examples: []Example{{"SELECT " + name + "(col) FROM VALUES (3), (5) AS t(col)", want}}},
			retSame, AggDef{State: stateArgs, IgnoresDistinct: op != '^',
				New: func(a AggArgs) (Accumulator, error) { return newBits(a.Args[0], op), nil }})
	}
	return []Def{one("bit_and", "AND", '&', "1"), one("bit_or", "OR", '|', "7"), one("bit_xor", "XOR", '^', "6")}
}

// percentRet is a percentile's type: of one value, or an array for an array of percentages.
func percentRet(at int, elem func(*types.Type) *types.Type) func(*plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		t := elem(AggInputs(c)[valueAt(c)].Type())
		if at >= len(c.Args) {
			return t, true, nil
		}
		_, list, err := percents(c, at)
		if err != nil {
			return nil, true, err
		}
		if err := checkAccuracy(c); err != nil {
			return nil, true, err
		}
		if list {
			t = types.NewArray(t, false)
		}
		return t, true, nil
	}
}

// valueAt is the position among AggInputs of the values: the first argument, or the key of WITHIN GROUP.
func valueAt(c *plan.Call) int {
	if len(c.Order) > 0 {
		return len(c.Args)
	}
	return 0
}

func interpolated(t *types.Type) *types.Type {
	switch t.Kind {
	case types.YearMonthInterval:
		return types.YearMonthType
	case types.DayTimeInterval:
		return types.DayTimeType
	case types.Time:
		return t
	}
	return types.Float64Type
}

// unfitForSet reports whether t has maps or strings whose collation isn't that of their bytes.
func unfitForSet(t *types.Type) bool {
	switch t.Kind {
	case types.Map:
		return true
	case types.String:
		return t.Collation != "" && t.Collation != "UTF8_BINARY"
	case types.Array:
		return unfitForSet(t.Elem)
	case types.Struct:
		return slices.ContainsFunc(t.Fields, func(f types.Field) bool { return unfitForSet(f.Type) })
	}
	return false
}

func collectAggs() []Def {
	collect := func(name, usage, want string, set bool, alias ...string) Def {
		d := aggDef(Def{Name: name, Aliases: alias, Since: "2.0.0", Nulls: NullNever, Usage: usage, Overloads: aggOver(aggAny),
			Examples: []Example{{"SELECT " + name + "(col) FROM VALUES (1), (2), (1) AS t(col)", want}}}, nil,
			AggDef{Empty: []any{}, OrderMatters: !set, IgnoresDistinct: set,
				State: func(a []*types.Type, _ *types.Type) []*types.Type { return logState(a[:1]) },
				New: func(a AggArgs) (Accumulator, error) {
					skip := 1
					if a.Call.Nulls == plan.RespectNulls {
						skip = 0
					}
					return &collectAcc{newLog(a.Env, a.Args[:1], skip, set), a.Ret}, nil
				}})
		d.Overloads[0].RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
			t := c.Args[0].Type()
			if set && unfitForSet(t) {
				e := errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "functionName", errs.ID("collect_set"),
					"dataType", `"MAP" or "COLLATED STRING"`, "sqlExpr", errs.Quote(c.Name))
				e.State, e.Text = "42K09", "collect_set can't compare maps or strings with a collation."
				return nil, false, e.At(c.Pos())
			}
			return types.NewArray(t, c.Nulls == plan.RespectNulls && c.Args[0].Nullable()), false, nil
		}
		return d
	}
	percentile := func(d Def, kind percentileKind, percent int, elem func(*types.Type) *types.Type, freq func(*plan.Call) int) Def {
		d = aggDef(d, nil, AggDef{
			State: func(args []*types.Type, ret *types.Type) []*types.Type { return nil },
			New: func(a AggArgs) (Accumulator, error) {
				f := -1
				if freq != nil {
					f = freq(a.Call)
				}
				return newPercentile(a, kind, valueAt(a.Call), percent, f)
			}})
		d.Agg.State = func(args []*types.Type, _ *types.Type) []*types.Type {
			if percent == 0 { // WITHIN GROUP: the value is last
				return logState(args[len(args)-1:])
			}
			if kind == interpolate && len(args) > 2 {
				return logState([]*types.Type{args[0], args[2]})
			}
			return logState(args[:1])
		}
		for i := range d.Overloads {
			d.Overloads[i].RetExpr = percentRet(percent, elem)
			if percent < 0 {
				d.Overloads[i].RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
					return elem(c.Args[0].Type()), true, nil
				}
			}
		}
		return d
	}
	freqOf := func(c *plan.Call) int {
		if len(c.Args) > 2 {
			return 2
		}
		return -1
	}
	same := func(t *types.Type) *types.Type { return t }
	mode := aggDef(Def{Name: "mode", Since: "3.4.0", Usage: "Returns the most frequent value that isn't null.",
		Overloads: []Overload{{}, {Params: []Accept{aggAny}}, {Params: []Accept{aggAny, aggBool}}},
		Examples:  []Example{{"SELECT mode(col) FROM VALUES (0), (10), (10) AS t(col)", "10"}}}, nil,
		AggDef{State: func(a []*types.Type, _ *types.Type) []*types.Type { return logState(a[:1]) }, New: newMode})
	for i := range mode.Overloads {
		mode.Overloads[i].RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
			in := AggInputs(c)
			if len(in) == 0 {
				return nil, true, errs.NotSupported("mode() without WITHIN GROUP")
			}
			return in[0].Type(), true, nil
		}
	}
	listagg := aggDef(Def{Name: "listagg", Aliases: []string{"string_agg"}, Since: "4.0.0", Usage: "Joins the values that aren't null, with `delimiter` between them.",
		Overloads: []Overload{{Params: []Accept{aggText}}, {Params: []Accept{aggText, aggAny}, Like: []int{1}}},
		Examples:  []Example{{"SELECT listagg(col, ', ') FROM VALUES ('a'), ('b'), ('c') AS t(col)", "a, b, c"}}},
		func(a []*types.Type) (*types.Type, error) {
			if a[0].Kind == types.Binary {
				return a[0], nil
			}
			return &types.Type{Kind: types.String, Collation: a[0].Collation}, nil
		}, AggDef{OrderMatters: true, New: newListagg})
	listagg.Agg.State = func(args []*types.Type, _ *types.Type) []*types.Type {
		return logState(args) // refined by AggStateTypes, which knows how many arguments are not keys
	}
	hist := aggDef(Def{Name: "histogram_numeric", Since: "3.3.0", Usage: "Returns a histogram of the values in at most `nb` bins of unequal width, as centres x and heights y.",
		Overloads: aggOver(aggQuantile, aggIntegral)},
		func(a []*types.Type) (*types.Type, error) {
			return types.NewArray(types.NewStruct(types.Field{Name: "x", Type: a[0], Nullable: true}, types.Field{Name: "y", Type: types.Float64Type, Nullable: true}), true), nil
		}, AggDef{State: func(a []*types.Type, _ *types.Type) []*types.Type { return logState(a[:1]) }, New: newHistogram})
	return []Def{
		collect("collect_list", "Collects the values that aren't null into an array.", "[1,2,1]", false, "array_agg"),
		collect("collect_set", "Collects the different values that aren't null into an array.", "[1,2]", true),
		percentile(Def{Name: "percentile", Since: "2.1.0", Usage: "Returns the exact percentiles of the values, interpolated; `frequency` says how often each counts.",
			Overloads: []Overload{{Params: []Accept{aggQuantile, aggPercent}}, {Params: []Accept{aggQuantile, aggPercent, aggFrequency}}},
			Examples:  []Example{{"SELECT percentile(col, 0.3) FROM VALUES (0), (10) AS t(col)", "3.0"}}}, interpolate, 1, interpolated, freqOf),
		percentile(Def{Name: "median", Since: "3.4.0", Usage: "Returns the value in the middle, interpolated.", Overloads: aggOver(aggQuantile),
			Examples: []Example{{"SELECT median(col) FROM VALUES (0), (10) AS t(col)", "5.0"}}}, interpolate, -1, interpolated, nil),
		percentile(Def{Name: "percentile_approx", Aliases: []string{"approx_percentile"}, Since: "2.1.0",
			Usage:     "Returns the least value at or above which a share `percentage` of the values lies. Always computed exactly, whatever `accuracy` allows.",
			Overloads: []Overload{{Params: []Accept{aggQuantile, aggPercent}}, {Params: []Accept{aggQuantile, aggPercent, aggBits}}},
			Examples:  []Example{{"SELECT percentile_approx(col, 0.5) FROM VALUES (0), (6), (7), (9), (10) AS t(col)", "7"}}}, approximate, 1, same, nil),
		percentile(Def{Name: "percentile_cont", Since: "4.0.0", Usage: "Returns the percentile of the key of WITHIN GROUP, interpolated.", Overloads: aggOver(aggPercent)},
			interpolate, 0, interpolated, nil),
		percentile(Def{Name: "percentile_disc", Since: "4.0.0", Usage: "Returns the first value of the key of WITHIN GROUP whose rank reaches the percentage.", Overloads: aggOver(aggPercent)},
			discrete, 0, interpolated, nil),
		mode, listagg, hist,
	}
}
