package fn

import (
	"encoding/hex"
	"errors"
	"testing"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// hllAnswer runs an aggregate of one group over the values of a column.
func hllAnswer(t *testing.T, name string, ty *types.Type, vals []any, lits ...plan.Expr) ([]byte, error) {
	t.Helper()
	v := aggVec(t, ty, vals...)
	call := &plan.Call{Name: name, T: types.BinaryType, Kind: plan.FnAggregate, Args: append([]plan.Expr{&plan.Bound{T: ty, Null: true}}, lits...)}
	args := []*vec.Vector{v}
	for _, l := range lits {
		r, err := vec.Repeat(l.Type(), l.(*plan.Literal).Value, v.N)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, r)
	}
	a, err := NewAccumulator(&Env{Conf: &Conf{ANSI: true}, Yield: func() error { return nil }}, call)
	if err != nil {
		return nil, err
	}
	a.Grow(1)
	if err := a.Update(make([]int32, v.N), args, v.N); err != nil {
		return nil, err
	}
	out, err := a.Result(0, 1)
	if err != nil {
		return nil, err
	}
	return out.Bytes(0), nil
}

// The bytes are those of Spark 4.3.
func TestHLLAggregates(t *testing.T) {
	lit := func(ty *types.Type, v any) plan.Expr { return &plan.Literal{T: ty, Value: v} }
	lg := func(x int32) plan.Expr { return lit(types.Int32Type, x) }
	seq := func(from, to int64) (v []any) {
		for i := from; i < to; i++ {
			v = append(v, i)
		}
		return v
	}
	of := func(k int32, from, to int64) any {
		b, err := hllAnswer(t, "hll_sketch_agg", types.Int64Type, append(seq(from, to), nil), lg(k))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	yes, null := lit(types.BoolType, true), lit(types.BoolType, nil)
	for name, c := range map[string]struct {
		sketches []any
		lits     []plan.Expr
		want     string
	}{
		"none":                 {[]any{nil}, nil, "0201070c030400080000000000000000000000000000000000000000000000000000000000000000"},
		"registers":            {[]any{of(4, 0, 10), nil, of(4, 500, 520)}, nil, "0a0107040010000a00000000000000000000000000a019400000000000000000030000000000000002010201030303000202010202000500"},
		"of two sizes":         {[]any{of(5, 0, 10), of(4, 500, 520)}, []plan.Expr{yes}, "0a0107040010000a00000000000000000000000000a019400000000000000000030000000000000002010201030303000202010202000500"},
		"an empty one first":   {[]any{of(5, 0, 0), of(4, 0, 3)}, nil, "0201070403000308cbd7c2042bf2fb06862ff90d0000000000000000000000000000000000000000"},
		"an empty one then":    {[]any{of(5, 0, 3), of(4, 0, 0)}, nil, "0201070503000308cbd7c2042bf2fb06862ff90d0000000000000000000000000000000000000000"},
		"two empty ones":       {[]any{of(5, 0, 0), of(4, 0, 0)}, nil, "02010705030400080000000000000000000000000000000000000000000000000000000000000000"},
		"null for may differ?": {[]any{of(12, 0, 1), of(12, 1, 2)}, []plan.Expr{null}, "0201070c03000208cbd7c2042bf2fb06000000000000000000000000000000000000000000000000"},
	} {
		got, err := hllAnswer(t, "hll_union_agg", types.BinaryType, c.sketches, c.lits...)
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	refused := func(want string, err error) {
		t.Helper()
		var e *errs.Error
		if !errors.As(err, &e) || e.Condition != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, err := hllAnswer(t, "hll_union_agg", types.BinaryType, []any{of(5, 0, 10), of(4, 0, 10)})
	refused("HLL_UNION_DIFFERENT_LG_K", err)
	_, err = hllAnswer(t, "hll_union_agg", types.BinaryType, []any{[]byte("ab")})
	refused("HLL_INVALID_INPUT_SKETCH_BUFFER", err)
	for _, k := range []any{int32(3), int32(22), nil} {
		_, err = hllAnswer(t, "hll_sketch_agg", types.Int64Type, seq(0, 1), lit(types.Int32Type, k))
		refused("HLL_INVALID_LG_K", err)
	}
	call := &plan.Call{Name: "hll_sketch_agg", Args: []plan.Expr{&plan.Bound{T: types.Int64Type}, lg(4)}}
	if got, _ := Lookup("hll_sketch_agg").Agg.EmptyOf(call).([]byte); hex.EncodeToString(got[:8]) != "0201070403040008" {
		t.Errorf("over no rows: %x", got)
	}
}
