package op

import (
	"errors"
	"io"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// windowRun computes the functions over one partition that is in a file, in
// one pass, or two where a row's value depends on rows far behind it. It holds
// a block of rows at a time, and the neighbours that bounded frames reach.
type windowRun struct {
	w     *window
	buf   *rowBuffer
	n     int64 // rows of the partition
	width int   // the input's columns
	fns   []*runFn

	before, after int64 // rows around a block that frames reach
	in            *bufferReader
	ended         bool
	have          *vec.Batch // rows from .. from+have.N
	from, at      int64      // at: the first row not yet emitted
	last          []*vec.Vector
	lastRow       int // in last: order keys of the row before a block
}

// runKind is how a function is computed over a partition in a file.
type runKind uint8

const (
	runRefused runKind = iota // only in memory
	runRank                   // by counting
	runWhole                  // one value for all rows
	runPeers                  // one value for rows equal in the order, from a file of values
	runRows                   // an accumulator that goes along, ahead rows ahead
	runNear                   // frames of bounded reach: over a block and its neighbours
)

type runFn struct {
	f     *windowFn
	kind  runKind
	ahead int64
	acc   fn.Accumulator
	done  int64       // rows in acc
	value *vec.Vector // of runWhole
	// of runPeers: (rows, value) by group of peers
	groups *Spill
	build  []*vec.Builder
	peers  int64
	read   *SpillReader
	part   *vec.Batch
	row    int
	left   int64
	// of runRank
	rank, dense int64
	buckets     int64
}

// kindOf says how f can be computed over a partition that isn't in memory,
// and how far its frames reach.
func (f *windowFn) kindOf(first *vec.Batch) (kind runKind, before, after, ahead int64, err error) {
	if f.Func.Distinct {
		return runRefused, 0, 0, 0, nil
	}
	switch f.name {
	case "row_number", "rank", "dense_rank", "percent_rank", "ntile":
		return runRank, 0, 0, 0, nil
	case "cume_dist":
		return runPeers, 0, 0, 0, nil
	case "lag", "lead":
		off := int64(1)
		if len(f.args) > 1 {
			v, err := f.args[1].Eval(first)
			if err != nil {
				return runRefused, 0, 0, 0, err
			}
			x, ok := v.Value(0).(int32)
			if !ok {
				return runRefused, 0, 0, 0, nil
			}
			off = int64(x)
		}
		if f.Func.Nulls == plan.IgnoreNulls {
			return runRefused, 0, 0, 0, nil
		}
		if f.name == "lag" {
			off = -off
		}
		return runNear, max(0, -off), max(0, off), 0, nil
	}
	lower, upper := f.Frame.Lower, f.Frame.Upper
	reach := func(end plan.FrameEnd, off interface {
		Eval(*vec.Batch) (*vec.Vector, error)
	}) (int64, bool) {
		if end.Kind == plan.CurrentRow {
			return 0, true
		}
		if end.Kind != plan.Preceding && end.Kind != plan.Following || off == nil {
			return 0, false
		}
		v, e := off.Eval(first)
		if e != nil {
			err = e
			return 0, false
		}
		x, ok := asInt(v.Value(0))
		if end.Kind == plan.Preceding {
			x = -x
		}
		return x, ok
	}
	agg := fn.Lookup(f.name).Agg != nil
	switch {
	case agg && lower.Kind == plan.UnboundedPreceding && upper.Kind == plan.UnboundedFollowing:
		return runWhole, 0, 0, 0, nil
	case agg && lower.Kind == plan.UnboundedPreceding && !f.Frame.Rows && upper.Kind == plan.CurrentRow:
		return runPeers, 0, 0, 0, nil
	case !f.Frame.Rows:
		return runRefused, 0, 0, 0, nil
	}
	hi, ok := reach(upper, f.upper)
	if !ok || err != nil {
		return runRefused, 0, 0, 0, err
	}
	if lower.Kind == plan.UnboundedPreceding {
		if !agg {
			return runRefused, 0, 0, 0, nil
		}
		return runRows, max(0, -hi), max(0, hi), hi, nil
	}
	lo, ok := reach(lower, f.lower)
	if !ok || err != nil {
		return runRefused, 0, 0, 0, err
	}
	return runNear, max(0, -lo, -hi), max(0, lo, hi), 0, nil
}

// newWindowRun prepares the functions over the rows of buf; nil if one of
// them can't be computed so.
func (w *window) newWindowRun(c *task.Ctx, buf *rowBuffer) (_ *windowRun, err error) {
	r := &windowRun{w: w, buf: buf, n: buf.rows, width: len(w.input.Schema())}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	first, err := buf.reader().next(c)
	if err != nil {
		return nil, err
	}
	one := &vec.Batch{N: 1, Cols: first.Slice(0, 1).Cols[:r.width]}
	for _, f := range w.fns {
		x := &runFn{f: f}
		var before, after int64
		if x.kind, before, after, x.ahead, err = f.kindOf(one); err != nil {
			return nil, err
		}
		r.before, r.after = max(r.before, before), max(r.after, after)
		r.fns = append(r.fns, x)
		switch x.kind {
		case runRefused:
			return nil, nil
		case runRank:
			if f.name == "ntile" {
				if x.buckets, err = f.ntiles(one); err != nil {
					return nil, err
				}
			}
			continue
		case runNear:
			continue
		}
		if f.name != "cume_dist" {
			if x.acc, err = f.accumulator(); err != nil {
				return nil, err
			}
			x.acc.Grow(1)
		}
	}
	if err := r.foresee(c); err != nil {
		return nil, err
	}
	r.in = buf.reader()
	return r, nil
}

func (r *windowRun) close() error {
	if r == nil {
		return nil
	}
	var first error
	for _, x := range r.fns {
		if err := x.groups.Close(); err != nil && first == nil {
			first = err
		}
	}
	if err := r.buf.close(); err != nil && first == nil {
		first = err
	}
	return first
}

func (r *windowRun) rows(b *vec.Batch) *vec.Batch { return &vec.Batch{N: b.N, Cols: b.Cols[:r.width]} }

func (r *windowRun) order(b *vec.Batch) []*vec.Vector { return b.Cols[r.width+len(r.w.part):] }

// peer marks the rows of b that are equal in the order to the row before.
func (r *windowRun) peer(b *vec.Batch) []bool {
	keys := r.order(b)
	out := make([]bool, b.N)
	out[0] = r.last != nil && sameRow(r.last, r.lastRow, keys, 0)
	for i := 1; i < b.N; i++ {
		out[i] = sameRow(keys, i-1, keys, i)
	}
	r.last, r.lastRow = keys, b.N-1
	return out
}

// foresee makes the first pass, if a function needs one.
func (r *windowRun) foresee(c *task.Ctx) error {
	var list []*runFn
	for _, x := range r.fns {
		if x.kind != runWhole && x.kind != runPeers {
			continue
		}
		list = append(list, x)
		if x.kind == runPeers {
			ts := []*types.Type{types.Int64Type, x.f.Func.T}
			x.groups = NewSpill(c, "window", ts)
			x.build = []*vec.Builder{vec.NewBuilder(ts[0], 0), vec.NewBuilder(ts[1], 0)}
		}
	}
	if len(list) == 0 {
		return nil
	}
	in, seen := r.buf.reader(), int64(0)
	for {
		b, err := in.next(c)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		peer := r.peer(b)
		for _, x := range list {
			if err := x.foresee(c, r, r.rows(b), peer, seen); err != nil {
				return err
			}
		}
		seen += int64(b.N)
	}
	r.last = nil
	for _, x := range list {
		if x.kind == runWhole {
			v, err := x.acc.Result(0, 1)
			if err != nil {
				return err
			}
			x.value = v
			continue
		}
		if err := x.endPeers(r, seen); err != nil {
			return err
		}
		if err := x.flush(c); err != nil {
			return err
		}
		if err := x.groups.Flush(c); err != nil {
			return err
		}
		x.read, x.build = x.groups.Reader(), nil
	}
	return nil
}

// foresee takes the rows of b, which come after seen others.
func (x *runFn) foresee(c *task.Ctx, r *windowRun, b *vec.Batch, peer []bool, seen int64) error {
	args, err := evalAll(x.f.args, b, nil)
	if err != nil {
		return err
	}
	zeros := make([]int32, b.N)
	if x.kind == runWhole {
		return x.acc.Update(zeros, args, b.N)
	}
	for i := 0; i < b.N; {
		to := i + 1
		for to < b.N && peer[to] {
			to++
		}
		if !peer[i] && seen+int64(i) > 0 {
			if err := x.endPeers(r, seen+int64(i)); err != nil {
				return err
			}
			if x.build[0].Len() >= vec.DefaultRows {
				if err := x.flush(c); err != nil {
					return err
				}
			}
		}
		if x.acc != nil {
			if err := x.acc.Update(zeros[:to-i], sliceAll(args, i, to), to-i); err != nil {
				return err
			}
		}
		x.peers += int64(to - i)
		i = to
		if i%512 == 511 {
			if err := c.Yield(); err != nil {
				return err
			}
		}
	}
	return c.Yield()
}

// endPeers notes the value of the group of peers that ends before row end.
func (x *runFn) endPeers(r *windowRun, end int64) error {
	vec.Append(x.build[0], x.peers)
	x.peers = 0
	if x.acc == nil { // cume_dist
		vec.Append(x.build[1], float64(end)/float64(r.n))
		return nil
	}
	v, err := x.acc.Result(0, 1)
	if err != nil {
		return err
	}
	x.build[1].AppendVector(v)
	return nil
}

func (x *runFn) flush(c *task.Ctx) error {
	b := &vec.Batch{N: x.build[0].Len()}
	if b.N == 0 {
		return nil
	}
	for i, t := range x.groups.schema {
		b.Cols = append(b.Cols, x.build[i].Finish())
		x.build[i] = vec.NewBuilder(t, 0)
	}
	return x.groups.Add(c, b)
}

// next returns the next block of output, io.EOF after the last.
func (r *windowRun) next(c *task.Ctx) (*vec.Batch, error) {
	if r.at >= r.n {
		return nil, io.EOF
	}
	// Hold what the block's frames reach; a block is no smaller than that, so
	// that neighbours aren't copied often.
	for !r.ended && r.end() < r.at+r.block(c)+r.after {
		b, err := r.in.next(c)
		if err == io.EOF {
			r.ended = true
			break
		}
		if err != nil {
			return nil, err
		}
		if r.have == nil {
			r.have = b
			continue
		}
		r.have = vec.Concat(r.buf.schema, []*vec.Batch{r.have, b})
		if err := r.w.mem.Resize(max(r.w.mem.Size(), r.have.LiveSize())); err != nil {
			return nil, err
		}
	}
	to := r.n
	if !r.ended {
		to = r.end() - r.after
	}
	to = min(to, r.at+int64(max(batchRows(c.Conf), 1)))
	i, j := int(r.at-r.from), int(to-r.from)
	rows := r.rows(r.have)
	out := rows.Slice(i, j)
	out = &vec.Batch{N: out.N, Cols: append([]*vec.Vector{}, out.Cols...)}
	peer := r.peer(r.have.Slice(i, j))
	var near *chunk
	for _, x := range r.fns {
		var v *vec.Vector
		var err error
		switch x.kind {
		case runRank:
			v, err = x.ranks(r, peer)
		case runWhole:
			v = x.value.Gather(make([]int32, out.N))
		case runPeers:
			v, err = x.peerValues(c, out.N)
		case runRows:
			v, err = x.along(c, r, rows, i, j)
		case runNear:
			if near == nil {
				near = &chunk{b: rows, start: []int{0, rows.N}, of: make([]int32, rows.N), peer: make([]bool, rows.N), order: r.order(r.have), yield: c.Yield}
			}
			if v, err = x.f.eval(near); err == nil {
				v = v.Slice(i, j)
			}
		}
		if err != nil {
			return nil, err
		}
		typed := *v
		typed.Type = x.f.Func.T
		out.Cols = append(out.Cols, &typed)
	}
	r.at = to
	if drop := int(r.at - r.before - r.from); drop > 0 {
		if drop >= r.have.N {
			r.from, r.have = r.from+int64(r.have.N), nil
		} else if drop > r.have.N/2 || r.before+r.after > 0 {
			r.from, r.have = r.from+int64(drop), r.have.Slice(drop, r.have.N)
		}
	}
	return out, c.Yield()
}

func (r *windowRun) block(c *task.Ctx) int64 {
	n := int64(1024)
	if r.have == nil {
		n = 1
	} else if share := c.Mem.Share(); share > 0 {
		n = max(8, min(n, share/16/(r.have.LiveSize()/int64(r.have.N)+1)))
	}
	return max(n, r.before+r.after)
}

func (r *windowRun) end() int64 {
	if r.have == nil {
		return r.from
	}
	return r.from + int64(r.have.N)
}

func (x *runFn) ranks(r *windowRun, peer []bool) (*vec.Vector, error) {
	ints, doubles := make([]int32, len(peer)), make([]float64, len(peer))
	for i, p := range peer {
		row := r.at + int64(i)
		if !p {
			x.rank = row + 1
			x.dense++
		}
		switch x.f.name {
		case "row_number":
			ints[i] = int32(row + 1)
		case "rank":
			ints[i] = int32(x.rank)
		case "dense_rank":
			ints[i] = int32(x.dense)
		case "percent_rank":
			if r.n > 1 {
				doubles[i] = float64(x.rank-1) / float64(r.n-1)
			}
		case "ntile":
			ints[i] = bucketOf(row, r.n, x.buckets)
		}
	}
	if x.f.name == "percent_rank" {
		return vec.FromSlice(types.Float64Type, doubles, nil), nil
	}
	return vec.FromSlice(types.Int32Type, ints, nil), nil
}

// peerValues spreads the values of groups of peers over the next n rows.
func (x *runFn) peerValues(c *task.Ctx, n int) (*vec.Vector, error) {
	out := vec.NewBuilder(x.f.Func.T, n)
	var idx []int32
	for done := 0; done < n; {
		if x.left == 0 {
			if x.part == nil || x.row+1 >= x.part.N {
				if len(idx) > 0 {
					out.AppendRows(x.part.Cols[1], idx)
					idx = idx[:0]
				}
				b, err := x.read.Next(c)
				if err == io.EOF {
					return nil, errs.Internalf("a window's values end before its rows")
				}
				if err != nil {
					return nil, err
				}
				x.part, x.row = b, -1
			}
			x.row++
			x.left = vec.Of[int64](x.part.Cols[0])[x.row]
		}
		m := int(min(x.left, int64(n-done)))
		for range m {
			idx = append(idx, int32(x.row))
		}
		x.left -= int64(m)
		done += m
	}
	if len(idx) > 0 {
		out.AppendRows(x.part.Cols[1], idx)
	}
	return out.Finish(), nil
}

// along takes an accumulator along rows i..j of the rows at hand.
func (x *runFn) along(c *task.Ctx, r *windowRun, rows *vec.Batch, i, j int) (*vec.Vector, error) {
	args, err := evalAll(x.f.args, rows, nil)
	if err != nil {
		return nil, err
	}
	out := vec.NewBuilder(x.f.Func.T, j-i)
	var zeros []int32
	for k := i; k < j; k++ {
		to := min(r.from+int64(k)+x.ahead+1, r.n)
		if to > x.done {
			m := int(to - x.done)
			if len(zeros) < m {
				zeros = make([]int32, m)
			}
			at := int(x.done - r.from)
			if err := x.acc.Update(zeros[:m], sliceAll(args, at, at+m), m); err != nil {
				return nil, err
			}
			x.done = to
		}
		v, err := x.acc.Result(0, 1)
		if err != nil {
			return nil, err
		}
		out.AppendVector(v)
		if k%512 == 511 {
			if err := c.Yield(); err != nil {
				return nil, err
			}
		}
	}
	return out.Finish(), nil
}
