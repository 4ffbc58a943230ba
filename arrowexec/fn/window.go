package fn

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// windows are the functions that only make sense OVER a window. Operator
// Window computes them; they have no kernel.
func windows() []Def {
	def := func(name, since, usage string, order, nullable bool, o []Overload, ret func([]*types.Type) (*types.Type, error), example ...Example) Def {
		d := Def{Name: name, Since: since, Group: "window_funcs", Usage: usage, Kind: plan.FnWindow, NeedsOrder: order, Overloads: o, Nulls: NullNever, Examples: example}
		if nullable {
			d.Nulls = NullKernel
		}
		for i := range d.Overloads {
			d.Overloads[i].Ret = ret
		}
		return d
	}
	none := func() []Overload { return []Overload{{}} }
	ranked := func() []Overload { return []Overload{{}, {Params: []Accept{aggAny}, Variadic: true}} } // arguments mean nothing
	integer, double := retConst(types.Int32Type), retConst(types.Float64Type)
	onlyInt32 := exact("INT", func(t *types.Type) bool { return t.Kind == types.Int32 })
	anInt := Accept{Types: []*types.Type{types.Int32Type}}
	// The analyzer gives lag and lead an input where they have none, and takes their last argument, whether nulls are
	// ignored, away: these numbers of arguments are listed for messages.
	shift := func(offset Accept) []Overload {
		return []Overload{{}, {Params: []Accept{aggAny}}, {Params: []Accept{aggAny, offset}}, {Params: []Accept{aggAny, offset, aggAny}, Like: []int{2}},
			{Params: []Accept{aggAny, offset, aggAny, aggAny}}}
	}
	lead := def("lead", "2.0.0", "Returns `input` of the row `offset` rows after this one, or `default` where there is none.", true, true, shift(anInt), retSame)
	lag := def("lag", "2.0.0", "Returns `input` of the row `offset` rows before this one, or `default` where there is none.", true, true, shift(aggAny), retSame)
	for _, d := range []*Def{&lead, &lag} {
		for i := range d.Overloads {
			d.Overloads[i].RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
				null := len(c.Args) < 3 || c.Args[2].Nullable()
				return c.Args[0].Type(), null || c.Args[0].Nullable(), nil
			}
		}
	}
	return []Def{
		def("row_number", "2.0.0", "Numbers the rows of a partition from 1, in the window's order.", true, false, none(), integer,
			Example{"SELECT a, row_number() OVER (ORDER BY a) FROM VALUES (5), (3) AS t(a)", "3	1\n5	2"}),
		def("rank", "2.0.0", "Returns 1 and the number of rows before this one that are not its equals in the window's order.", true, false, ranked(), integer),
		def("dense_rank", "2.0.0", "Numbers the groups of equal rows from 1, in the window's order.", true, false, ranked(), integer),
		def("percent_rank", "2.0.0", "Returns (rank - 1) / (rows of the partition - 1).", true, false, ranked(), double),
		def("cume_dist", "2.0.0", "Returns the share of the partition's rows that come before this one or equal it.", true, false, none(), double),
		def("ntile", "2.0.0", "Cuts the partition into `n` parts of nearly equal size and returns the number of the row's part, from 1.", true, false,
			[]Overload{{}, {Params: []Accept{onlyInt32}}}, integer),
		lead, lag,
		def("nth_value", "3.1.0", "Returns `input` of the frame's row number `offset`, from 1.", true, true,
			[]Overload{{Params: []Accept{aggAny, anInt}}, {Params: []Accept{aggAny, anInt, aggAny}}}, retSame),
	}
}
