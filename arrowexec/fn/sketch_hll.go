package fn

import (
	"math"
	"strconv"

	"neptune/arrowexec/sketch"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

var (
	hllValueP = Accept{Name: `("INT" or "BIGINT" or "STRING" or "BINARY")`, Test: func(t *types.Type) bool {
		return t.Kind == types.Int32 || t.Kind == types.Int64 || t.Kind == types.String || t.Kind == types.Binary
	}}
	exactBoolP = Accept{Name: "BOOLEAN", Test: func(t *types.Type) bool { return t.Kind == types.Bool }}
)

// hllState is an HLL sketch being made; of unions nil before the first.
type hllState struct{ s *sketch.HLL }

func (h *hllState) bytes() []byte {
	if h.s == nil {
		return sketch.NewHLL(sketch.DefaultLgK).Bytes()
	}
	return h.s.Bytes()
}

func (h *hllState) Size() int64 {
	if h.s == nil {
		return 16
	}
	return 16 + h.s.Size()
}

func hllAccumulator(a AggArgs, fresh func() *hllState, update func(*hllState, []*vec.Vector, int) error, merge func(*hllState, []byte) error) Accumulator {
	return &objectAcc[*hllState]{fresh: fresh, ret: a.Ret, update: update, merge: merge, result: func(b *vec.Builder, h *hllState) error {
		b.AppendBytes(h.bytes())
		return nil
	}}
}

func newHLLSketchAgg(a AggArgs) (Accumulator, error) {
	lg, ok := intArg(a, 1, sketch.DefaultLgK)
	if !ok {
		return nil, runtimeErr("HLL_K_MUST_BE_CONSTANT", a.Call.Name).At(a.Call.Pos())
	}
	if lg < sketch.MinLgK || lg > sketch.MaxLgK {
		return nil, runtimeErr("HLL_INVALID_LG_K", a.Call.Name, "min", strconv.Itoa(sketch.MinLgK), "max", strconv.Itoa(sketch.MaxLgK), "value", strconv.Itoa(lg)).At(a.Call.Pos())
	}
	col := collationOf(a.Args[0])
	var buf []byte
	return hllAccumulator(a, func() *hllState { return &hllState{sketch.NewHLL(lg)} }, func(h *hllState, args []*vec.Vector, i int) error {
		switch v := args[0]; v.Layout {
		case vec.I32:
			h.s.UpdateInt64(int64(vec.Of[int32](v)[i]))
		case vec.I64:
			h.s.UpdateInt64(vec.Of[int64](v)[i])
		case vec.Bytes:
			b := v.Bytes(i)
			if col != nil {
				if col.Empty(b) {
					return nil
				}
				buf = col.Key(buf[:0], b)
				b = buf
			}
			h.s.Update(b)
		}
		return nil
	}, func(h *hllState, b []byte) error {
		o, err := sketch.ReadHLL(b)
		if err == nil {
			h.s.Union(o)
		}
		return err
	}), nil
}

// hllEmpty is the result of hll_sketch_agg over no rows.
func hllEmpty(c *plan.Call) any {
	lg := sketch.DefaultLgK
	if len(c.Args) > 1 {
		v, _ := constant(c.Args[1])
		if x, ok := v.(int32); ok && x >= sketch.MinLgK && x <= sketch.MaxLgK {
			lg = int(x)
		}
	}
	return sketch.NewHLL(lg).Bytes()
}

func hllRead(c *plan.Call, b []byte) (*sketch.HLL, error) {
	s, err := sketch.ReadHLL(b)
	if err != nil {
		return nil, runtimeErr("HLL_INVALID_INPUT_SKETCH_BUFFER", c.Name).At(c.Pos())
	}
	return s, nil
}

// hllSizes refuses two sketches of different sizes unless they may differ. An empty sketch goes with any.
func hllSizes(c *plan.Call, x, y *sketch.HLL, differ bool) error {
	if differ || x.LgK() == y.LgK() || x.Empty() || y.Empty() {
		return nil
	}
	return runtimeErr("HLL_UNION_DIFFERENT_LG_K", c.Name, "left", strconv.Itoa(x.LgK()), "right", strconv.Itoa(y.LgK())).At(c.Pos())
}

func newHLLUnionAgg(a AggArgs) (Accumulator, error) {
	differ := false
	if len(a.Call.Args) > 1 {
		v, ok := constant(a.Call.Args[1])
		if !ok {
			return nil, foldable(a.Call, "allowDifferentLgConfigK", types.BoolType, a.Call.Args[1])
		}
		differ, _ = v.(bool)
	}
	add := func(h *hllState, b []byte) error {
		s, err := hllRead(a.Call, b)
		switch {
		case err != nil:
			return err
		case h.s == nil:
			h.s = s
			return nil
		case s.Empty():
			return nil
		case h.s.Empty():
			h.s = s
			return nil
		}
		if err := hllSizes(a.Call, h.s, s, differ); err != nil {
			return err
		}
		h.s.Union(s)
		return nil
	}
	acc := hllAccumulator(a, func() *hllState { return &hllState{} }, func(h *hllState, args []*vec.Vector, i int) error { return add(h, args[0].Bytes(i)) }, add)
	return ofFirst{acc}, nil
}

// ofFirst is an aggregate whose later arguments are constants that may be null.
type ofFirst struct{ Accumulator }

func (f ofFirst) Update(group []int32, args []*vec.Vector, n int) error {
	return f.Accumulator.Update(group, args[:1], n)
}

func hllUnion(a *Args, i int, dst []byte) ([]byte, bool, error) {
	differ := len(a.V) > 2 && vec.Of[bool](a.V[2])[i]
	x, err := hllRead(a.Call, a.V[0].Bytes(i))
	if err != nil {
		return nil, false, err
	}
	y, err := hllRead(a.Call, a.V[1].Bytes(i))
	if err != nil {
		return nil, false, err
	}
	if err := hllSizes(a.Call, x, y, differ); err != nil {
		return nil, false, err
	}
	lg := min(x.LgK(), y.LgK())
	switch {
	case x.Empty() && !y.Empty():
		lg = y.LgK()
	case y.Empty() && !x.Empty():
		lg = x.LgK()
	}
	u := sketch.NewHLL(lg)
	u.Union(x)
	u.Union(y)
	return append(dst, u.Bytes()...), true, nil
}

func hllSketchEstimate(a *Args) (*vec.Vector, error) {
	out := make([]int64, a.N)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		s, err := hllRead(a.Call, a.V[0].Bytes(i))
		if err != nil {
			return nil, err
		}
		out[i] = int64(math.Floor(s.Estimate() + 0.5))
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

func hllSketches() []Def {
	const one, five = "VALUES (1), (1), (2), (2), (3) tab(col)", "VALUES (1, 4), (1, 4), (2, 5), (2, 5), (3, 6) tab(col1, col2)"
	empty := sketch.NewHLL(sketch.DefaultLgK).Bytes()
	return []Def{
		aggDef(Def{Name: "hll_sketch_agg", Since: "3.5.0", Nulls: NullNever, Pretty: defaultArg("hll_sketch_agg", 1, "12"),
			Usage:     "Summarizes the different values of a group as an HLL sketch of 2^`lgConfigK` registers (12 if not given).",
			Overloads: optional(1, nil, nil, hllValueP, exactIntP), Examples: []Example{{"SELECT hll_sketch_estimate(hll_sketch_agg(col, 12)) FROM " + one, "3"}}},
			retConst(types.BinaryType), AggDef{State: stateConst(types.BinaryType), New: newHLLSketchAgg, Empty: empty, EmptyOf: hllEmpty}),
		aggDef(Def{Name: "hll_union_agg", Since: "3.5.0", Nulls: NullNever, Pretty: defaultArg("hll_union_agg", 1, "false"),
			Usage:     "Merges HLL sketches into one; those of different sizes only if `allowDifferentLgConfigK` is true.",
			Overloads: optional(1, nil, nil, exactBinaryP, exactBoolP),
			Examples:  []Example{{"SELECT hll_sketch_estimate(hll_union_agg(sketch, true)) FROM (SELECT hll_sketch_agg(col) AS sketch FROM VALUES (1) tab(col) UNION ALL SELECT hll_sketch_agg(col, 20) AS sketch FROM VALUES (1) tab(col))", "1"}}},
			retConst(types.BinaryType), AggDef{State: stateConst(types.BinaryType), New: newHLLUnionAgg, Empty: empty}),
		{Name: "hll_union", Since: "3.5.0", Group: "misc_funcs", Kind: plan.FnScalar, Pretty: defaultArg("hll_union", 2, "false"),
			Usage:     "Merges two HLL sketches; those of different sizes only if `allowDifferentLgConfigK` is true.",
			Overloads: optional(2, gives(types.BinaryType), tryText(hllUnion), exactBinaryP, exactBinaryP, exactBoolP),
			Examples:  []Example{{"SELECT hll_sketch_estimate(hll_union(hll_sketch_agg(col1), hll_sketch_agg(col2))) FROM " + five, "6"}}},
		{Name: "hll_sketch_estimate", Since: "3.5.0", Group: "misc_funcs", Kind: plan.FnScalar, Usage: "Estimates the number of different values of an HLL sketch.",
			Overloads: []Overload{sig(gives(types.Int64Type), hllSketchEstimate, exactBinaryP)},
			Examples:  []Example{{"SELECT hll_sketch_estimate(hll_sketch_agg(col)) FROM " + one, "3"}}},
	}
}
