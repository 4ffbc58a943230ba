package op

import (
	"math"
	"sort"
	"time"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// frames computes each row's frame lo..hi (hi excluded; empty where hi <= lo), within its partition.
func (f *windowFn) frames(k *chunk) (lo, hi []int32, err error) {
	n := k.b.N
	lo, hi = make([]int32, n), make([]int32, n)
	one := k.b.Slice(0, min(1, n))
	for side, end := range []plan.FrameEnd{f.Frame.Lower, f.Frame.Upper} {
		out, ev := lo, f.lower
		if side == 1 {
			out, ev = hi, f.upper
		}
		var off any
		if ev != nil && n > 0 {
			v, err := ev.Eval(one)
			if err != nil {
				return nil, nil, err
			}
			off = v.Value(0)
		}
		var shift func(i int) int // of RANGE with an offset
		if !f.Frame.Rows && ev != nil {
			if shift, err = f.rangeEnd(k, end, ev, off, side == 1); err != nil {
				return nil, nil, err
			}
		}
		rows := 0
		if f.Frame.Rows && ev != nil {
			x, ok := asInt(off)
			if !ok {
				return nil, nil, errs.NotSupported("a ROWS frame whose offset is no integer")
			}
			rows = int(max(min(x, math.MaxInt32), -math.MaxInt32))
			if end.Kind == plan.Preceding {
				rows = -rows
			}
		}
		for p := 0; p+1 < len(k.start); p++ {
			from, to := k.start[p], k.start[p+1]
			peer := from // of CURRENT ROW in a RANGE frame
			for i := from; i < to; i++ {
				switch {
				case end.Kind == plan.UnboundedPreceding:
					out[i] = int32(from)
				case end.Kind == plan.UnboundedFollowing:
					out[i] = int32(to)
				case f.Frame.Rows:
					out[i] = int32(max(min(i+rows+side, to), from))
				case shift != nil:
					out[i] = int32(shift(i))
				case side == 0:
					if !k.peer[i] {
						peer = i
					}
					out[i] = int32(peer)
				default:
					if i >= peer || i == from {
						for peer = i + 1; peer < to && k.peer[peer]; peer++ {
						}
					}
					out[i] = int32(peer)
				}
				if i%4096 == 4095 {
					if err := k.yield(); err != nil {
						return nil, nil, err
					}
				}
			}
		}
	}
	return lo, hi, nil
}

func asInt(x any) (int64, bool) {
	switch v := x.(type) {
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

// rangeEnd returns, of a row, where its frame begins (or ends, upper) by the
// value of the one order key and an offset. Nulls are each other's peers.
func (f *windowFn) rangeEnd(k *chunk, end plan.FrameEnd, ev expr.Evaluator, off any, upper bool) (func(int) int, error) {
	if len(k.order) == 0 { // all rows are peers: what lies beyond an offset is nothing
		beyond := func(side plan.BoundKind) bool { return end.Kind == side && !isZero(off) }
		return func(i int) int {
			from, to := k.start[k.of[i]], k.start[k.of[i]+1]
			if upper != (upper && beyond(plan.Preceding) || !upper && beyond(plan.Following)) {
				return to
			}
			return from
		}, nil
	}
	if len(k.order) != 1 {
		return nil, errs.NotSupported("a RANGE frame with an offset and several order keys")
	}
	v := k.order[0]
	desc := f.order[0].Desc
	minus := end.Kind == plan.Preceding != desc
	sign := int64(1)
	if minus {
		sign = -1
	}
	cmp := fn.Compare(v.Type)
	var moved *vec.Vector // the order keys, moved by the offset
	switch t := v.Type; {
	case v.Layout == vec.F64 || v.Layout == vec.F32:
		x, ok := off.(float64)
		if y, single := off.(float32); single {
			x, ok = float64(y), true
		}
		if z, integer := asInt(off); integer {
			x, ok = float64(z), true
		}
		if !ok {
			return nil, rangeRefused(v.Type, ev)
		}
		moved = moveRange(v, func(b *vec.Builder, i int) {
			if v.Layout == vec.F32 {
				vec.Append(b, vec.Of[float32](v)[i]+float32(float64(sign)*x))
			} else {
				vec.Append(b, vec.Of[float64](v)[i]+float64(sign)*x)
			}
		})
	case t.Kind == types.Decimal:
		x, ok := off.(types.Int128)
		if ot := ev.Type(); !ok || ot.Kind != types.Decimal || ot.Scale != t.Scale {
			return nil, rangeRefused(v.Type, ev)
		}
		if minus {
			x = x.Neg()
		}
		moved = moveRange(v, func(b *vec.Builder, i int) {
			if v.Layout == vec.I64 {
				vec.Append(b, addSaturated(vec.Of[int64](v)[i], int64(x.Lo)))
			} else {
				vec.Append(b, vec.Of[types.Int128](v)[i].Add(x))
			}
		})
	case ev.Type().Kind == types.YearMonthInterval && t.IsDatetime():
		months, _ := off.(int32)
		loc := time.UTC
		if t.Kind == types.Timestamp && f.env.Conf != nil && f.env.Conf.TimeZone != nil {
			loc = f.env.Conf.TimeZone
		}
		moved = moveRange(v, func(b *vec.Builder, i int) {
			if v.Layout == vec.I32 {
				at := addMonths(time.Unix(int64(vec.Of[int32](v)[i])*86400, 0).UTC(), int(sign)*int(months))
				vec.Append(b, int32(at.Unix()/86400))
				return
			}
			at := addMonths(time.UnixMicro(vec.Of[int64](v)[i]).In(loc), int(sign)*int(months))
			vec.Append(b, at.UnixMicro())
		})
	default:
		x, ok := asInt(off)
		if !ok {
			return nil, rangeRefused(v.Type, ev)
		}
		if t.Kind == types.Date && ev.Type().Kind == types.DayTimeInterval {
			x /= 86400e6
		}
		x *= sign
		over := false
		within := func(a, least, most int64) int64 {
			c := addSaturated(a, x)
			over = over || c != a+x || c < least || c > most
			return max(min(c, most), least)
		}
		moved = moveRange(v, func(b *vec.Builder, i int) {
			switch v.Layout {
			case vec.I8:
				vec.Append(b, int8(within(int64(vec.Of[int8](v)[i]), math.MinInt8, math.MaxInt8)))
			case vec.I16:
				vec.Append(b, int16(within(int64(vec.Of[int16](v)[i]), math.MinInt16, math.MaxInt16)))
			case vec.I32:
				vec.Append(b, int32(within(int64(vec.Of[int32](v)[i]), math.MinInt32, math.MaxInt32)))
			default:
				vec.Append(b, within(vec.Of[int64](v)[i], math.MinInt64, math.MaxInt64))
			}
		})
		if over && t.IsIntegral() && f.env.Conf != nil && f.env.Conf.ANSI {
			return nil, errs.New(errs.Arithmetic, "ARITHMETIC_OVERFLOW", "message", "the bound of a window frame is beyond "+t.SQL(), "alternative", "", "config", `"spark.sql.ansi.enabled"`)
		}
		if w := v.Layout; w != vec.I8 && w != vec.I16 && w != vec.I32 && w != vec.I64 {
			return nil, rangeRefused(v.Type, ev)
		}
	}
	return func(i int) int {
		from, to := k.start[k.of[i]], k.start[k.of[i]+1]
		// Nulls stand at one end of the partition.
		nulls := func(r int) bool { return v.IsNull(r) }
		a, b := from, to
		if f.order[0].NullsLast {
			b = from + sort.Search(to-from, func(r int) bool { return nulls(from + r) })
			if nulls(i) {
				a, b = b, to
			}
		} else {
			a = from + sort.Search(to-from, func(r int) bool { return !nulls(from + r) })
			if nulls(i) {
				a, b = from, a
			}
		}
		if nulls(i) {
			if upper {
				return b
			}
			return a
		}
		return a + sort.Search(b-a, func(r int) bool {
			d := cmp(v, a+r, moved, i)
			if desc {
				d = -d
			}
			if upper {
				return d > 0
			}
			return d >= 0
		})
	}, nil
}

// isZero reports whether a frame's offset is 0.
func isZero(off any) bool {
	if x, ok := asInt(off); ok {
		return x == 0
	}
	switch x := off.(type) {
	case float32:
		return x == 0
	case float64:
		return x == 0
	case types.Int128:
		return x.Sign() == 0
	case types.CalendarValue:
		return x == types.CalendarValue{}
	}
	return false
}

func rangeRefused(t *types.Type, ev expr.Evaluator) error {
	return errs.NotSupported("a RANGE frame over " + t.SQL() + " with an offset of type " + ev.Type().SQL())
}

func moveRange(v *vec.Vector, add func(*vec.Builder, int)) *vec.Vector {
	b := vec.NewBuilder(v.Type, v.N)
	for i := 0; i < v.N; i++ {
		if v.IsNull(i) {
			b.AppendNull()
		} else {
			add(b, i)
		}
	}
	return b.Finish()
}

func addSaturated(a, b int64) int64 {
	c := a + b
	if (a^c)&(b^c) < 0 {
		if b > 0 {
			return math.MaxInt64
		}
		return math.MinInt64
	}
	return c
}

// addMonths keeps the day, or takes the month's last.
func addMonths(t time.Time, n int) time.Time {
	y, m, d := t.Date()
	first := time.Date(y, m+time.Month(n), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d, last)-1)
}

// blockRows is the size of the blocks whose states long frames are put together from.
const blockRows = 64

// aggregate computes an aggregate function over each row's frame.
func (f *windowFn) aggregate(k *chunk, args []*vec.Vector, lo, hi []int32) (*vec.Vector, error) {
	n := k.b.N
	acc, err := f.accumulator()
	if err != nil {
		return nil, err
	}
	if f.Frame.Lower.Kind == plan.UnboundedPreceding && f.Frame.Upper.Kind == plan.UnboundedFollowing {
		acc.Grow(len(k.start) - 1)
		for from := 0; from < n; from += vec.DefaultRows { // one group a partition
			to := min(n, from+vec.DefaultRows)
			if err := acc.Update(k.of[from:to], sliceAll(args, from, to), to-from); err != nil {
				return nil, err
			}
			if err := k.yield(); err != nil {
				return nil, err
			}
		}
		v, err := acc.Result(0, len(k.start)-1)
		if err != nil {
			return nil, err
		}
		return v.Gather(k.of), nil
	}
	if v, ok, err := f.inBatches(k, args, lo, hi); ok || err != nil {
		return v, err
	}
	var back fn.Retractor
	if f.Frame.Lower.Kind != plan.UnboundedPreceding {
		slide, err := f.sliding()
		if err != nil {
			return nil, err
		}
		if slide != nil {
			acc = slide
			back, _ = slide.(fn.Retractor)
		}
	}
	out := vec.NewBuilder(f.Func.T, n)
	zeros := make([]int32, vec.DefaultRows)
	update := func(from, to int) error {
		for ; from < to; from += len(zeros) {
			m := min(to-from, len(zeros))
			if err := acc.Update(zeros[:m], sliceAll(args, from, from+m), m); err != nil {
				return err
			}
			if err := k.yield(); err != nil {
				return err
			}
		}
		return nil
	}
	var blocks []*vec.Vector // states of the chunk's blocks, made when a long frame asks
	a, b := int32(0), int32(0)
	part := int32(-1)
	for i := 0; i < n; i++ {
		l, h := lo[i], max(hi[i], lo[i])
		same := part == k.of[i] && l == a && h == b
		switch {
		case same:
		case part == k.of[i] && l == a && h > b: // grows
			if err := update(int(b), int(h)); err != nil {
				return nil, err
			}
		case part == k.of[i] && back != nil && l >= a && h >= b && l <= b: // slides
			if err := update(int(b), int(h)); err != nil {
				return nil, err
			}
			for from := int(a); from < int(l); from += len(zeros) {
				m := min(int(l)-from, len(zeros))
				if err := back.Retract(zeros[:m], sliceAll(args, from, from+m), m); err != nil {
					return nil, err
				}
			}
		default:
			acc.Reset()
			acc.Grow(1)
			first, last := (int(l)+blockRows-1)/blockRows, int(h)/blockRows
			if back != nil || last-first < 2 || f.Frame.Lower.Kind == plan.UnboundedPreceding {
				if err := update(int(l), int(h)); err != nil {
					return nil, err
				}
				break
			}
			if blocks == nil {
				if blocks, err = f.blockStates(k, args); err != nil {
					return nil, err
				}
			}
			if err := update(int(l), first*blockRows); err != nil {
				return nil, err
			}
			for at := first; at < last; at += len(zeros) {
				m := min(last-at, len(zeros))
				if err := acc.Merge(zeros[:m], sliceAll(blocks, at, at+m), m); err != nil {
					return nil, err
				}
			}
			if err := update(last*blockRows, int(h)); err != nil {
				return nil, err
			}
		}
		part, a, b = k.of[i], l, h
		v, err := acc.Result(0, 1)
		if err != nil {
			return nil, err
		}
		out.AppendVector(v)
		if i%512 == 511 {
			if err := k.yield(); err != nil {
				return nil, err
			}
		}
	}
	return out.Finish(), nil
}

func (f *windowFn) blockStates(k *chunk, args []*vec.Vector) ([]*vec.Vector, error) {
	n := k.b.N
	acc, err := f.accumulator()
	if err != nil {
		return nil, err
	}
	blocks := (n + blockRows - 1) / blockRows
	acc.Grow(blocks)
	group := make([]int32, vec.DefaultRows)
	for from := 0; from < n; from += len(group) {
		m := min(n-from, len(group))
		for i := range m {
			group[i] = int32((from + i) / blockRows)
		}
		if err := acc.Update(group[:m], sliceAll(args, from, from+m), m); err != nil {
			return nil, err
		}
		if err := k.yield(); err != nil {
			return nil, err
		}
	}
	return acc.State(0, blocks)
}
