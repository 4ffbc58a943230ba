package op

import (
	"strconv"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// windowFn is one function of a Window.
type windowFn struct {
	physical.WindowFn
	name  string           // canonical
	args  []expr.Evaluator // with a FILTER that is the last
	order []physical.Order
	env   *fn.Env
	lower expr.Evaluator // offsets of the frame
	upper expr.Evaluator
}

func newWindowFn(f physical.WindowFn, order []physical.Order, env *fn.Env) (*windowFn, error) {
	d := fn.Lookup(f.Func.Name)
	if d == nil || d.Kind != plan.FnWindow && d.Agg == nil {
		return nil, errs.NotSupported("window function " + f.Func.Name)
	}
	w := &windowFn{WindowFn: f, name: d.Name, order: order, env: env}
	var err error
	in := fn.AggInputs(f.Func)
	if f.Func.Filter != nil {
		in = append(in[:len(in):len(in)], f.Func.Filter)
	}
	if w.args, err = CompileKeys(in, env); err != nil {
		return nil, err
	}
	if w.Frame == nil {
		w.Frame = &plan.Frame{Lower: plan.FrameEnd{Kind: plan.UnboundedPreceding}, Upper: plan.FrameEnd{Kind: plan.UnboundedFollowing}}
	}
	if e := w.Frame.Lower.Offset; e != nil {
		if w.lower, err = Compile(e, env); err != nil {
			return nil, err
		}
	}
	if e := w.Frame.Upper.Offset; e != nil {
		w.upper, err = Compile(e, env)
	}
	return w, err
}

func (f *windowFn) eval(k *chunk) (*vec.Vector, error) {
	switch f.name {
	case "row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile":
		return f.rank(k)
	}
	args, err := evalAll(f.args, k.b, make([]*vec.Vector, 0, len(f.args)))
	if err != nil {
		return nil, err
	}
	switch f.name {
	case "lag", "lead":
		return f.shift(k, args)
	}
	lo, hi, err := f.frames(k)
	if err != nil {
		return nil, err
	}
	switch {
	case f.Func.Filter != nil: // an aggregate function's, of the rows of the filter only
	case f.name == "first" || f.name == "last" || f.name == "any_value" || f.name == "nth_value":
		return f.pick(k, args, lo, hi)
	}
	if f.Func.Distinct {
		if d := fn.Lookup(f.name); !d.Agg.IgnoresDistinct {
			return nil, errs.NotSupported("DISTINCT in a window function")
		}
	}
	return f.aggregate(k, args, lo, hi)
}

func (f *windowFn) rank(k *chunk) (*vec.Vector, error) {
	n := k.b.N
	ints, doubles := make([]int32, n), []float64(nil)
	if f.name == "percent_rank" || f.name == "cume_dist" {
		doubles = make([]float64, n)
	}
	buckets := int64(1)
	if f.name == "ntile" {
		var err error
		if buckets, err = f.ntiles(k.b.Slice(0, 1)); err != nil {
			return nil, err
		}
	}
	for p := 0; p+1 < len(k.start); p++ {
		from, to := k.start[p], k.start[p+1]
		rank, dense := 0, 0
		size := to - from
		end := from // of the row's peers
		for i := from; i < to; i++ {
			if !k.peer[i] {
				rank = i - from + 1
				dense++
				if f.name == "cume_dist" {
					for end = i + 1; end < to && k.peer[end]; end++ {
					}
				}
			}
			switch f.name {
			case "row_number":
				ints[i] = int32(i - from + 1)
			case "rank":
				ints[i] = int32(rank)
			case "dense_rank":
				ints[i] = int32(dense)
			case "percent_rank":
				if size > 1 {
					doubles[i] = float64(rank-1) / float64(size-1)
				}
			case "cume_dist":
				doubles[i] = float64(end-from) / float64(size)
			case "ntile":
				ints[i] = bucketOf(int64(i-from), int64(size), buckets)
			}
			if i%8192 == 8191 {
				if err := k.yield(); err != nil {
					return nil, err
				}
			}
		}
	}
	if doubles != nil {
		return vec.FromSlice(types.Float64Type, doubles, nil), nil
	}
	return vec.FromSlice(types.Int32Type, ints, nil), nil
}

// ntiles is the number of buckets of ntile.
func (f *windowFn) ntiles(first *vec.Batch) (int64, error) {
	if len(f.args) == 0 {
		return 1, nil
	}
	v, err := f.args[0].Eval(first)
	if err != nil {
		return 0, err
	}
	b, ok := v.Value(0).(int32)
	if !ok || b <= 0 {
		e := errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", "buckets", "valueRange", "(0, 2147483647]", "currentValue", strconv.Itoa(int(b)), "sqlExpr", errs.Quote("ntile"))
		e.State, e.Text = "42K09", "The number of buckets of ntile must be positive."
		return 0, e.At(f.Func.Pos())
	}
	return int64(b), nil
}

// bucketOf is the bucket, from 1, of a partition's row: the first size%buckets have one row more.
func bucketOf(row, size, buckets int64) int32 {
	q, r := size/buckets, size%buckets
	if big := r * (q + 1); row >= big {
		return int32(r+(row-big)/q) + 1
	}
	return int32(row/(q+1)) + 1
}

// shift is lag and lead.
func (f *windowFn) shift(k *chunk, args []*vec.Vector) (*vec.Vector, error) {
	off := 1
	if len(args) > 1 && args[1].N > 0 {
		o, ok := args[1].Value(0).(int32)
		if !ok {
			return nil, errs.NotSupported(f.name + " with an offset that is no constant integer")
		}
		off = int(o)
	}
	if f.name == "lag" {
		off = -off
	}
	v := args[0]
	skip := f.Func.Nulls == plan.IgnoreNulls && off != 0
	idx := make([]int32, v.N)
	out := false
	for p := 0; p+1 < len(k.start); p++ {
		from, to := k.start[p], k.start[p+1]
		var solid []int32 // rows that aren't null
		if skip {
			for i := from; i < to; i++ {
				if !v.IsNull(i) {
					solid = append(solid, int32(i))
				}
			}
		}
		before := 0 // solid rows before i
		for i := from; i < to; i++ {
			j := i + off
			ok := j >= from && j < to
			if skip {
				isSolid := before < len(solid) && int(solid[before]) == i
				at := before + off
				if off > 0 {
					at--
					if isSolid {
						at++
					}
				}
				if ok = at >= 0 && at < len(solid); ok {
					j = int(solid[at])
				}
				if isSolid {
					before++
				}
			}
			idx[i] = int32(j)
			if !ok {
				idx[i], out = -1, true
			}
		}
		if err := k.yield(); err != nil {
			return nil, err
		}
	}
	if len(args) < 3 || !out || args[2].Layout == vec.None {
		return v.GatherNulls(idx), nil
	}
	both := vec.NewBuilder(f.Func.T, 2*v.N)
	if v.Layout == vec.None {
		both.AppendVector(vec.MakeNull(f.Func.T, v.N))
	} else {
		both.AppendVector(v)
	}
	both.AppendVector(args[2])
	for i := range idx {
		if idx[i] < 0 {
			idx[i] = int32(v.N + i)
		}
	}
	return both.Finish().Gather(idx), nil
}

// pick is first, last, any_value and nth_value: a row of the frame.
func (f *windowFn) pick(k *chunk, args []*vec.Vector, lo, hi []int32) (*vec.Vector, error) {
	v := args[0]
	skip := f.Func.Nulls == plan.IgnoreNulls
	nth := 1
	if len(args) > 1 && v.N > 0 {
		switch x := args[1].Value(0).(type) {
		case bool:
			skip = skip || x
		case int32:
			nth = int(x)
		}
	}
	if f.name == "nth_value" && nth <= 0 {
		e := errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", "offset", "valueRange", "(0, 9223372036854775807]", "currentValue", strconv.Itoa(nth)+"L", "sqlExpr", errs.Quote("nth_value"))
		e.State, e.Text = "42K09", "The offset of nth_value must be positive."
		return nil, e.At(f.Func.Pos())
	}
	// next[i] and prev[i]: the nearest row at or after, at or before i, that isn't null.
	var solid []int32 // number of rows before i that aren't null
	var rows []int32
	if skip {
		solid = make([]int32, v.N+1)
		for i := 0; i < v.N; i++ {
			solid[i+1] = solid[i]
			if !v.IsNull(i) {
				solid[i+1]++
				rows = append(rows, int32(i))
			}
		}
	}
	idx := make([]int32, v.N)
	for i := range idx {
		a, b := lo[i], hi[i]
		if skip {
			a, b = solid[a], solid[max(b, lo[i])]
		}
		j := a + int32(nth) - 1
		if f.name == "last" {
			j = b - 1
		}
		switch {
		case j < a || j >= b:
			idx[i] = -1
		case skip:
			idx[i] = rows[j]
		default:
			idx[i] = j
		}
		if i%8192 == 8191 {
			if err := k.yield(); err != nil {
				return nil, err
			}
		}
	}
	return v.GatherNulls(idx), nil
}
