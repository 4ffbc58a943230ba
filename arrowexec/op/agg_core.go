package op

import (
	"errors"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// aggPart is a share of the groups: a table of keys and, by group number, the
// accumulators' state.
type aggPart struct {
	table *groupTable
	accs  []fn.Accumulator
	seen  []*groupTable // of DISTINCT calls: (group, arguments) that were counted
}

// aggBatch is evaluated input: keys, then each aggregate's columns, all dense.
type aggBatch struct {
	n    int
	keys []*vec.Vector
	args [][]*vec.Vector
	keep [][]bool // of FILTER: rows that count; nil: all
	from []int    // start of each partition, when the rows are sorted by partition

	temps []*vec.Vector // of keys and args, those whose memory is ours
}

// aggCore is the grouping itself, apart from where rows come from: it takes
// evaluated batches, splits its groups into partitions when they get many,
// spills them when memory is short, and gives the groups out in the end.
//
// Rows of a partitioned table wait until many batches have come, and are then
// taken partition by partition, so that a partition's table stays in the cache.
type aggCore struct {
	c     *task.Ctx
	env   *fn.Env
	keys  []*types.Type
	aggs  []aggCall
	bits  uint       // of the hash that choose a partition
	shift uint       // bits of the hash that the cores above used
	parts []*aggPart // one, or one for each value of bits; nil: no groups
	hash  *groupTable
	wait  []*aggBatch
	held  int   // rows waiting
	bytes int64 // of them
	mem   *mem.Reservation
	files []*Spill // by partition; nil: nothing of it was spilled
	disk  *Spill   // has no rows: the files' file
	busy  bool     // in the middle of an update: Spill must not run
	fixed bool     // groups can't be moved as states
	whole bool     // one table, however many groups there are, while memory lasts
	keeps bool     // an accumulator keeps hold of its input
	group []int32
	order []int32

	// emission
	emitting bool
	next     int // partition
	at       int // group of it
	child    *aggCore
	all      bool // merging only: inputs are states
}

// aggCall is one aggregate of the operator.
type aggCall struct {
	physical.Agg
	def   *fn.Def
	state []*types.Type
	// merge: the inputs are states; emit: the outputs are.
	merge, emit bool
	// distinct arguments are counted once a group.
	distinct bool
}

const (
	partBits    = 6
	aggParts    = 1 << partBits
	splitGroups = 1 << 15 // groups at which one table becomes many
	splitCoded  = 1 << 17 // the same where strings are numbered: of what a group takes little is read
	waitRows    = 32 * vec.DefaultRows
	maxShift    = 48 // beyond it groups have too much of the hash in common to be divided
)

func newAggCore(c *task.Ctx, env *fn.Env, keys []*types.Type, aggs []aggCall) (*aggCore, error) {
	a := &aggCore{c: c, env: env, keys: keys, aggs: aggs, bits: partBits, fixed: len(keys) == 0}
	for i := range aggs {
		a.fixed = a.fixed || aggs[i].distinct // a set of DISTINCT values would be lost
	}
	// A partition takes some 2 KiB and, spilled, a file's buffer.
	if share := c.Mem.Share(); share > 0 {
		for a.bits > 2 && share>>a.bits < 32<<10 {
			a.bits--
		}
	}
	a.hash = newGroupTable(keys, c.Yield)
	a.mem = c.Mem.Reserve("aggregate", a)
	p, err := a.newPart()
	if err != nil {
		return nil, errors.Join(err, a.close())
	}
	a.parts = []*aggPart{p}
	return a, nil
}

func (a *aggCore) newPart() (*aggPart, error) {
	p := &aggPart{table: newGroupTable(a.keys, a.c.Yield).shorten()}
	if len(a.parts) <= 1 && a.shift == 0 {
		room := int64(4 * directMost)
		if share := a.c.Mem.Share(); share > 0 {
			room = min(room, share/16)
		}
		p.table.directRoom(room)
	}
	for i := range a.aggs {
		g := &a.aggs[i]
		acc, err := fn.NewAccumulator(a.env, g.Call)
		if err != nil {
			return nil, err
		}
		p.accs = append(p.accs, acc)
		a.keeps = a.keeps || !fn.ReadsOnly(acc)
		var seen *groupTable
		if g.distinct {
			ts := []*types.Type{types.Int32Type}
			for _, e := range fn.AggInputs(g.Call) {
				ts = append(ts, e.Type())
			}
			seen = newGroupTable(ts, a.c.Yield).shorten()
		}
		p.seen = append(p.seen, seen)
	}
	if len(a.keys) == 0 {
		p.table.n = 1
		for _, acc := range p.accs {
			acc.Grow(1)
		}
	}
	return p, nil
}

// part returns partition k, made if need be.
func (a *aggCore) part(k int) (*aggPart, error) {
	var err error
	if a.parts[k] == nil {
		a.parts[k], err = a.newPart()
	}
	return a.parts[k], err
}

// groups is the number of groups in memory.
func (a *aggCore) groups() int {
	n := 0
	for _, p := range a.parts {
		if p != nil {
			n += p.table.n
		}
	}
	return n
}

func (p *aggPart) size() int64 {
	n := p.table.size()
	for i, acc := range p.accs {
		n += acc.Size()
		if p.seen[i] != nil {
			n += p.seen[i].size()
		}
	}
	return n
}

// add takes a batch.
func (a *aggCore) add(b *aggBatch) error {
	if len(a.parts) == 1 {
		p := a.parts[0]
		a.busy = true
		var hash []uint64
		var err error
		if len(b.keys) > 0 {
			hash, err = p.table.hashes(b.keys, b.n)
		}
		if err == nil {
			err = a.update(p, b, hash, 0, b.n)
		}
		a.busy = false
		if err != nil {
			return err
		}
		if a.splits(p) {
			if err := a.split(); err != nil {
				return err
			}
		}
		return a.account()
	}
	w, err := a.partition(b)
	if err != nil {
		return err
	}
	a.wait = append(a.wait, w)
	a.held += b.n
	a.bytes += w.size()
	share := a.c.Mem.Share()
	if a.held >= waitRows || share > 0 && a.bytes > share/16 {
		if err := a.flush(); err != nil {
			return err
		}
		return a.account()
	}
	return a.c.Yield()
}

// splits reports whether it is time to make one table many: it no longer fits
// the cache, or it takes so much memory that it may have to be spilled in parts.
func (a *aggCore) splits(p *aggPart) bool {
	if a.fixed || a.shift > maxShift {
		return false
	}
	most := splitGroups
	if p.table.codes != nil {
		most = splitCoded
	}
	if p.table.n >= most && !a.whole && p.table.direct == nil {
		return true
	}
	share := a.c.Mem.Share()
	return share > 0 && p.table.n >= 256 && p.size() > share/4
}

// size is the memory of a partitioned batch.
func (b *aggBatch) size() int64 {
	n := int64(0)
	seen := map[*vec.Vector]bool{}
	for _, list := range append([][]*vec.Vector{b.keys}, b.args...) {
		for _, v := range list {
			if !seen[v] {
				seen[v] = true
				n += v.Size()
			}
		}
	}
	return n
}

// partition sorts a batch's rows by partition.
func (a *aggCore) partition(b *aggBatch) (*aggBatch, error) {
	hash, err := a.hash.hashes(b.keys, b.n)
	if err != nil {
		return nil, err
	}
	var count [aggParts + 1]int
	for _, h := range hash {
		count[a.partOf(h)+1]++
	}
	for i := 1; i <= aggParts; i++ {
		count[i] += count[i-1]
	}
	from := append([]int{}, count[:]...)
	a.order = scratch(a.order, b.n)
	for i, h := range hash {
		k := a.partOf(h)
		a.order[count[k]] = int32(i)
		count[k]++
	}
	out := &aggBatch{n: b.n, from: from, args: make([][]*vec.Vector, len(b.args)), keep: make([][]bool, len(b.args))}
	for _, v := range b.keys {
		out.keys = append(out.keys, v.Gather(a.order))
	}
	done := map[*vec.Vector]*vec.Vector{} // several aggregates often share a column
	for i, args := range b.args {
		for _, v := range args {
			g := done[v]
			if g == nil {
				g = v.Gather(a.order)
				done[v] = g
			}
			out.args[i] = append(out.args[i], g)
		}
		if keep := b.keep[i]; keep != nil {
			sorted := make([]bool, b.n)
			for k, r := range a.order {
				sorted[k] = keep[r]
			}
			out.keep[i] = sorted
		}
	}
	return out, nil
}

func (a *aggCore) partOf(h uint64) int { return int(h << a.shift >> (64 - a.bits)) }

// flush takes the waiting rows, a partition at a time.
func (a *aggCore) flush() error {
	a.busy = true
	defer func() { a.busy = false }()
	since := 0 // rows since the last yield point
	for k := range a.parts {
		for _, b := range a.wait {
			from, to := b.from[k], b.from[k+1]
			if from == to {
				continue
			}
			p, err := a.part(k)
			if err != nil {
				return err
			}
			keys := sliceAll(b.keys, from, to)
			hash, err := p.table.hashes(keys, to-from)
			if err == nil {
				err = a.update(p, b, hash, from, to)
			}
			if err != nil {
				return err
			}
			if since += to - from; since >= findStep {
				since = 0
				if err := a.c.Yield(); err != nil {
					return err
				}
			}
		}
	}
	clear(a.wait)
	a.wait, a.held, a.bytes = a.wait[:0], 0, 0
	return nil
}

func sliceAll(cols []*vec.Vector, from, to int) []*vec.Vector {
	out := make([]*vec.Vector, len(cols))
	for i, v := range cols {
		out[i] = v.Slice(from, to)
	}
	return out
}

// update adds rows from..to of b to the groups of p.
func (a *aggCore) update(p *aggPart, b *aggBatch, hash []uint64, from, to int) error {
	n := to - from
	keys := b.keys
	whole := from == 0 && to == b.n
	if !whole {
		keys = sliceAll(keys, from, to)
	}
	if cap(a.group) < n {
		a.group = make([]int32, n)
	}
	group := a.group[:n]
	if len(keys) == 0 {
		clear(group)
	} else if _, err := p.table.find(keys, hash, n, group); err != nil {
		return err
	}
	if n > findStep {
		if err := a.c.Yield(); err != nil {
			return err
		}
	}
	for i := range a.aggs {
		args := b.args[i]
		if !whole {
			args = sliceAll(args, from, to)
		}
		g, m := group, n
		acc := p.accs[i]
		acc.Grow(p.table.n)
		if b.keep[i] != nil {
			var idx, of []int32
			for k, keep := range b.keep[i][from:to] {
				if keep {
					idx, of = append(idx, int32(k)), append(of, group[k])
				}
			}
			if len(idx) == 0 {
				continue
			}
			if len(idx) < n {
				g, m, args = of, len(idx), gatherAll(args, idx)
			}
		}
		if p.seen[i] != nil {
			var err error
			if g, args, err = distinctRows(p.seen[i], g, args, m); err != nil {
				return err
			}
			m = len(g)
		}
		if err := a.step(acc, &a.aggs[i], g, args, m); err != nil {
			return err
		}
		if n > findStep {
			if err := a.c.Yield(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *aggCore) step(acc fn.Accumulator, g *aggCall, group []int32, args []*vec.Vector, n int) error {
	if n == 0 {
		return nil
	}
	if g.merge || a.all {
		return acc.Merge(group, args, n)
	}
	return acc.Update(group, args, n)
}

func gatherAll(cols []*vec.Vector, idx []int32) []*vec.Vector {
	out := make([]*vec.Vector, len(cols))
	for i, v := range cols {
		out[i] = v.Gather(idx)
	}
	return out
}

// distinctRows leaves the rows whose (group, arguments) are new.
func distinctRows(seen *groupTable, group []int32, args []*vec.Vector, n int) ([]int32, []*vec.Vector, error) {
	keys := append([]*vec.Vector{vec.FromSlice(types.Int32Type, append([]int32{}, group[:n]...), nil)}, args...)
	out := make([]int32, n)
	hash, err := seen.hashes(keys, n)
	if err != nil {
		return nil, nil, err
	}
	fresh, err := seen.find(keys, hash, n, out)
	if err != nil {
		return nil, nil, err
	}
	idx := append([]int32{}, fresh...)
	g := make([]int32, len(idx))
	for i, r := range idx {
		g[i] = group[r]
	}
	return g, gatherAll(args, idx), nil
}

// accountStep is the least by which the reservation grows, in pools that aren't tiny.
const accountStep = 64 << 10

// account reserves what the groups hold, spilling them if it can't.
func (a *aggCore) account() error {
	if err := a.c.Yield(); err != nil {
		return err
	}
	step := int64(accountStep)
	if share := a.c.Mem.Share(); share > 0 {
		step = max(1<<10, min(step, share/64))
	}
	size := a.size()
	if size <= a.mem.Size() && size > a.mem.Size()-4*step {
		return nil
	}
	for range 2 {
		want := (a.size() + step - 1) / step * step
		if want <= a.mem.Size() {
			return a.mem.Resize(want)
		}
		if a.mem.Try(want - a.mem.Size()) {
			return nil
		}
		if _, err := a.Spill(); err != nil {
			return err
		}
	}
	return a.mem.Resize(a.size())
}

func (a *aggCore) size() int64 {
	n := a.bytes
	for _, p := range a.parts {
		if p != nil {
			n += p.size()
		}
	}
	return n
}

// split deals the groups of the one table to partitions.
func (a *aggCore) split() error {
	old := a.parts[0]
	a.busy = true
	defer func() { a.busy = false }()
	merging := a.all
	defer func() { a.all = merging }()
	a.parts, a.all = make([]*aggPart, 1<<a.bits), true
	for from := 0; from < old.table.n; from += 4096 {
		b, err := a.states(old, from, min(from+4096, old.table.n))
		if err != nil {
			return err
		}
		w, err := a.partition(b)
		if err != nil {
			return err
		}
		a.wait = append(a.wait, w)
		if err := a.c.Yield(); err != nil {
			return err
		}
	}
	return a.flush()
}

// states reads groups from..to of p as a batch to merge.
func (a *aggCore) states(p *aggPart, from, to int) (*aggBatch, error) {
	b := &aggBatch{n: to - from, keys: p.table.keyCols(from, to), args: make([][]*vec.Vector, len(a.aggs)), keep: make([][]bool, len(a.aggs))}
	for i, acc := range p.accs {
		acc.Grow(p.table.n)
		s, err := acc.State(from, to)
		if err != nil {
			return nil, err
		}
		b.args[i] = s
	}
	return b, nil
}

// end says that all input has come.
func (a *aggCore) end() error {
	if len(a.wait) > 0 {
		if err := a.flush(); err != nil {
			return err
		}
	}
	if a.groups() == 0 {
		return nil
	}
	return a.account()
}

// emit returns the next groups' output columns, at most rows of them; nil at the end.
func (a *aggCore) emit(rows int) (*vec.Batch, error) {
	a.emitting = true
	for {
		if a.child != nil {
			b, err := a.child.emit(rows)
			if b != nil || err != nil {
				return b, err
			}
			if err := a.child.close(); err != nil {
				return nil, err
			}
			a.child = nil
			a.next++
			continue
		}
		if a.next >= len(a.parts) {
			return nil, nil
		}
		if a.at == 0 && a.files != nil && a.files[a.next] != nil {
			if err := a.reread(); err != nil {
				return nil, err
			}
			continue
		}
		p := a.parts[a.next]
		if p == nil || a.at >= p.table.n {
			a.parts[a.next] = nil
			a.next++
			a.at = 0
			if err := a.mem.Resize(min(a.mem.Size(), a.size())); err != nil {
				return nil, err
			}
			continue
		}
		from, to := a.at, min(a.at+rows, p.table.n)
		a.at = to
		return a.output(p, from, to)
	}
}

func (a *aggCore) output(p *aggPart, from, to int) (*vec.Batch, error) {
	out := &vec.Batch{N: to - from, Cols: p.table.keyCols(from, to)}
	for i, acc := range p.accs {
		acc.Grow(p.table.n)
		if a.aggs[i].emit {
			s, err := acc.State(from, to)
			if err != nil {
				return nil, err
			}
			out.Cols = append(out.Cols, s...)
			continue
		}
		v, err := acc.Result(from, to)
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, v)
	}
	return out, a.c.Yield()
}

// close gives everything back; idempotent.
func (a *aggCore) close() error {
	var first error
	if a.child != nil {
		first = a.child.close()
		a.child = nil
	}
	for i, f := range a.files {
		if f != nil {
			if err := f.Close(); err != nil && first == nil {
				first = err
			}
			a.files[i] = nil
		}
	}
	if err := a.disk.Close(); err != nil && first == nil {
		first = err
	}
	a.parts, a.wait, a.hash, a.disk = nil, nil, nil, nil
	if a.mem != nil {
		a.mem.Release()
		a.mem = nil
	}
	return first
}

// newAggCalls resolves the aggregates of a node.
func newAggCalls(list []physical.Agg) ([]aggCall, error) {
	out := make([]aggCall, len(list))
	for i, g := range list {
		d := fn.Lookup(g.Call.Name)
		if d == nil || d.Agg == nil {
			return nil, errs.NotSupported("aggregate function " + g.Call.Name)
		}
		c := aggCall{Agg: g, def: d}
		c.merge = g.Mode == physical.PartialMerge || g.Mode == physical.Final
		c.emit = g.Mode == physical.Partial || g.Mode == physical.PartialMerge
		c.distinct = g.Call.Distinct && !d.Agg.IgnoresDistinct && g.Mode == physical.Complete
		if g.Call.Distinct && !d.Agg.IgnoresDistinct && g.Mode == physical.Partial {
			// The planner removes duplicates below; a partial state can't be merged otherwise.
			c.distinct = false
		}
		s, err := fn.AggStateTypes(g.Call)
		if err != nil {
			return nil, err
		}
		c.state = s
		out[i] = c
	}
	return out, nil
}
