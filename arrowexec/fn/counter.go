package fn

import (
	"math"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// counterValue is a counter's value: an integer or the digits of a decimal, or a floating-point number.
type counterValue struct {
	n types.Int128
	f float64
}

// counterState is what counter_diff knows of the rows so far.
type counterState struct {
	last, diff               counterValue
	start                    int64 // micros
	hasLast, hasStart, isSet bool  // isSet: there is a difference for the latest row
}

// counterAcc is counter_diff: by group, the difference of the latest value that isn't null from the one before it.
type counterAcc struct {
	g        []counterState
	env      *Env
	ret      *types.Type
	call     *plan.Call
	floating bool
}

func (a *counterAcc) Grow(n int) { a.g = aggGrow(a.g, n) }

func (a *counterAcc) read(v *vec.Vector, i int) (x counterValue) {
	switch v.Type.Kind {
	case types.Float32:
		x.f = float64(vec.Of[float32](v)[i])
	case types.Float64:
		x.f = vec.Of[float64](v)[i]
	case types.Decimal:
		x.n = getDecimal(v, i)
	default:
		x.n = types.I128(getInt(v, i))
	}
	return x
}

// less orders as Spark does: NaN is above all numbers.
func (a *counterAcc) less(x, y counterValue) bool {
	if a.floating {
		return x.f < y.f || math.IsNaN(y.f) && !math.IsNaN(x.f)
	}
	return x.n.Cmp(y.n) < 0
}

func (a *counterAcc) Update(group []int32, args []*vec.Vector, n int) error {
	for i := range n {
		s := &a.g[group[i]]
		s.isSet = false
		if args[0].IsNull(i) {
			continue
		}
		x := a.read(args[0], i)
		if a.less(x, counterValue{}) {
			return errs.New(errs.Runtime, "COUNTER_DIFF_NEGATIVE_COUNTER_VALUE", "function", errs.ID(a.call.Name),
				"value", string(AppendText(nil, args[0], i, a.env.Conf.TimeZone))).At(a.call.Pos())
		}
		reset := s.hasLast && a.less(x, s.last)
		had := s.hasStart
		s.hasStart = len(args) > 1 && !args[1].IsNull(i)
		if s.hasStart {
			start := vec.Of[int64](args[1])[i]
			if had && start < s.start {
				was := vec.FromSlice(args[1].Type, []int64{s.start}, nil)
				return errs.New(errs.Runtime, "COUNTER_DIFF_START_TIME_DECREASED", "function", errs.ID(a.call.Name),
					"previousStartTime", string(AppendText(nil, was, 0, a.env.Conf.TimeZone)), "currentStartTime", string(AppendText(nil, args[1], i, a.env.Conf.TimeZone))).At(a.call.Pos())
			}
			reset = reset || had && start > s.start
			s.start = start
		}
		if s.isSet = s.hasLast && !reset; s.isSet {
			s.diff = counterValue{x.n.Sub(s.last.n), x.f - s.last.f}
		}
		s.last, s.hasLast = x, true
	}
	return nil
}

// The state of a group: the latest value and start time, and the result.
func counterTypes(args []*types.Type, ret *types.Type) []*types.Type {
	return []*types.Type{ret, types.TimestampType, ret}
}

func (a *counterAcc) append(b *vec.Builder, x counterValue, ok bool) {
	switch {
	case !ok:
		b.AppendNull()
	case a.ret.Kind == types.Float32:
		vec.Append(b, float32(x.f))
	case a.ret.Kind == types.Float64:
		vec.Append(b, x.f)
	case vec.LayoutOf(a.ret) == vec.I128:
		vec.Append(b, x.n)
	case vec.LayoutOf(a.ret) == vec.I64:
		vec.Append(b, int64(x.n.Lo))
	case a.ret.Kind == types.Int32:
		vec.Append(b, int32(x.n.Lo))
	case a.ret.Kind == types.Int16:
		vec.Append(b, int16(x.n.Lo))
	default:
		vec.Append(b, int8(x.n.Lo))
	}
}

func (a *counterAcc) State(from, to int) ([]*vec.Vector, error) {
	last, start, diff := vec.NewBuilder(a.ret, to-from), vec.NewBuilder(types.TimestampType, to-from), vec.NewBuilder(a.ret, to-from)
	for i := range a.g[from:to] {
		s := &a.g[from+i]
		a.append(last, s.last, s.hasLast)
		a.append(diff, s.diff, s.isSet)
		if s.hasStart {
			vec.Append(start, s.start)
		} else {
			start.AppendNull()
		}
	}
	return []*vec.Vector{last.Finish(), start.Finish(), diff.Finish()}, nil
}

// Merge takes the state of the rows before those of the group.
func (a *counterAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	for i := range n {
		s := &a.g[group[i]]
		*s = counterState{hasLast: !state[0].IsNull(i), hasStart: !state[1].IsNull(i), isSet: !state[2].IsNull(i)}
		if s.hasLast {
			s.last = a.read(state[0], i)
		}
		if s.hasStart {
			s.start = vec.Of[int64](state[1])[i]
		}
		if s.isSet {
			s.diff = a.read(state[2], i)
		}
	}
	return nil
}

func (a *counterAcc) Result(from, to int) (*vec.Vector, error) {
	b := vec.NewBuilder(a.ret, to-from)
	for i := range a.g[from:to] {
		a.append(b, a.g[from+i].diff, a.g[from+i].isSet)
	}
	return b.Finish(), nil
}

func (a *counterAcc) Size() int64 { return int64(cap(a.g)) * 96 }
func (a *counterAcc) Reset()      { a.g = a.g[:0] }

// counters is counter_diff, a function of windows whose frames grow row by row.
func counters() []Def {
	start := Accept{Name: `("TIMESTAMP" or "TIMESTAMP_NTZ")`, Types: []*types.Type{types.TimestampType},
		Test: func(t *types.Type) bool { return t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ }, Exact: true}
	number := Accept{Name: "NUMERIC", Types: []*types.Type{types.Float64Type}, Test: (*types.Type).IsNumeric, Exact: true}
	return []Def{{Name: "counter_diff", Since: "4.3.0", Group: "window_funcs", Kind: plan.FnWindow, NeedsOrder: true, Nulls: NullKernel,
		Usage:     "Gives the difference of a counter from its value in the row before, and NULL in the first row and where the counter was reset: where it is less, or `start_time` later.",
		Overloads: []Overload{{Params: params(number), Ret: retSame}, {Params: params(number, start), Ret: retSame}},
		Agg: &AggDef{State: counterTypes, New: func(a AggArgs) (Accumulator, error) {
			return &counterAcc{env: a.Env, ret: a.Ret, call: a.Call, floating: a.Ret.Kind == types.Float32 || a.Ret.Kind == types.Float64}, nil
		}},
		Examples: []Example{{"SELECT t, counter_diff(c) OVER (ORDER BY t) FROM VALUES (1, 100), (2, 200), (3, 50), (4, 100) AS tab(t, c)", "1\tNULL\n2\t100\n3\tNULL\n4\t50"}}}}
}
