package fn

import (
	"math"

	"neptune/arrowexec/sketch"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

type countMinState struct{ *sketch.CountMin }

func (c countMinState) bytes() []byte { return c.Bytes() }

// countMinEmpty makes an empty sketch by the constants of a call, which it checks.
func countMinEmpty(c *plan.Call) (func() countMinState, error) {
	var v [3]any
	names := [3]string{"eps", "confidence", "seed"}
	for i, name := range names {
		x, ok := constant(c.Args[i+1])
		if !ok {
			return nil, errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "inputName", errs.ID(name), "inputType", errs.Quote(c.Args[i+1].Type().SQL()),
				"inputExpr", errs.Quote(exprName(c.Args[i+1])), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
		}
		v[i] = x
	}
	for i, name := range names {
		if v[i] == nil {
			return nil, errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNEXPECTED_NULL", "exprName", name, "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
		}
	}
	outside := func(name, valid string, x float64) error {
		return errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", name, "valueRange", valid,
			"currentValue", string(types.AppendDouble(nil, x))+"D", "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
	}
	eps, _ := v[0].(float64)
	confidence, _ := v[1].(float64)
	switch {
	case !(eps > 0):
		return nil, outside(names[0], "(0.0, 1.7976931348623157E308]", eps)
	case !(confidence > 0 && confidence < 1):
		return nil, outside(names[1], "(0.0, 1.0]", confidence)
	}
	var seed int64
	switch x := v[2].(type) {
	case int32:
		seed = int64(x)
	case int64:
		seed = int64(int32(x)) // Spark cuts it
	}
	depth, width := sketch.CountMinSize(eps, confidence)
	if depth*(width+1)*8 > math.MaxInt32-20 {
		return nil, errs.NotSupported("count_min_sketch of more than 2 GiB").At(c.Pos())
	}
	return func() countMinState { return countMinState{sketch.NewCountMin(int(depth), int(width), seed)} }, nil
}

func newCountMin(a AggArgs) (Accumulator, error) {
	fresh, err := countMinEmpty(a.Call)
	if err != nil {
		return nil, err
	}
	return &objectAcc[countMinState]{fresh: fresh, ret: a.Ret,
		update: func(c countMinState, args []*vec.Vector, i int) error {
			if v := args[0]; v.Layout == vec.Bytes {
				h := vec.MurmurBytes(v.Bytes(i), 0)
				c.AddHashes(h, vec.MurmurBytes(v.Bytes(i), h))
			} else {
				c.AddInt64(getInt(v, i))
			}
			return nil
		},
		merge: func(c countMinState, b []byte) error { return c.MergeBytes(b) },
		result: func(b *vec.Builder, c countMinState) error {
			b.AppendBytes(c.bytes())
			return nil
		}}, nil
}

func countMinFunctions() []Def {
	value := Accept{Name: `("INTEGRAL" or "STRING" or "BINARY")`, Test: func(t *types.Type) bool {
		return t.IsIntegral() || t.Kind == types.Binary || t.IsString() && collationOf(t) == nil
	}}
	double := Accept{Name: "DOUBLE", Test: func(t *types.Type) bool { return t.Kind == types.Float64 }}
	seed := Accept{Name: `("INT" or "BIGINT")`, Test: func(t *types.Type) bool { return t.Kind == types.Int32 || t.Kind == types.Int64 }}
	return []Def{aggDef(Def{Name: "count_min_sketch", Since: "2.2.0", Nulls: NullNever,
		Usage: "Summarizes how often the values of a group come as a count-min sketch of relative error `eps` and a confidence; `seed` chooses its hashes.",
		Overloads: []Overload{{Params: params(value, double, double, seed), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			_, err := countMinEmpty(c)
			return types.BinaryType, false, err
		}}},
		Examples: []Example{{"SELECT hex(count_min_sketch(col, 0.5d, 0.5d, 1)) FROM VALUES (1), (2), (1) AS tab(col)",
			"0000000100000000000000030000000100000004000000005D8D6AB90000000000000000000000000000000200000000000000010000000000000000"}}},
		retConst(types.BinaryType), AggDef{State: stateConst(types.BinaryType), New: newCountMin, Empty: []byte(nil), EmptyOf: func(c *plan.Call) any {
			fresh, err := countMinEmpty(c)
			if err != nil {
				return nil // analysis has refused it
			}
			return fresh().bytes()
		}})}
}
