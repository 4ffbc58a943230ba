package op

import (
	"fmt"
	"io"
	"math/bits"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// RuntimeFilter is a set of integer keys, made of the build side of a join, that
// is asked about rows long before they reach the join. It is exact when the
// keys lie close enough together to be bits of a map; else it may let keys
// through that it doesn't have, about one in a hundred. It is read-only once made.
type RuntimeFilter struct {
	rows      int
	low, high int64
	bits      []uint64 // by key-low
	bloom     []uint64 // else: four bits of one word a key
	mask      uint64
}

const (
	// Up to how many bits a key the map may have, and in all.
	filterSpread  = 64
	filterMaxBits = 1 << 27
	// filterMaxRows: sets of more keys aren't made.
	filterMaxRows = 1 << 25
	// A filter that keeps more than passShare of the first learnRows rows is left off.
	learnRows   = 1 << 16
	filterShare = 0.9
)

// NewRuntimeFilter makes the set of the values of columns of 4 or 8 byte integers; nulls aren't in it.
func NewRuntimeFilter(cols []*vec.Vector, yield func() error) (*RuntimeFilter, error) {
	f := &RuntimeFilter{low: 1<<63 - 1, high: -1 << 63}
	for _, v := range cols {
		var lo, hi int64
		var err error
		if v.Layout == vec.I32 {
			lo, hi, err = keyRange[int32](v, yield)
		} else {
			lo, hi, err = keyRange[int64](v, yield)
		}
		if err != nil {
			return nil, err
		}
		f.low, f.high = min(f.low, lo), max(f.high, hi)
		f.rows += v.N
	}
	if f.low > f.high {
		f.rows = 0
		return f, nil
	}
	var err error
	span := uint64(f.high) - uint64(f.low)
	if span < filterMaxBits && span/filterSpread <= uint64(f.rows)+64 {
		f.bits, err = vec.Zeroed[uint64](int(span/64)+1, yield)
	} else {
		n := 1 << bits.Len(uint(f.rows/4)+8)
		f.mask = uint64(n - 1)
		f.bloom, err = vec.Zeroed[uint64](n, yield)
	}
	if err != nil {
		return nil, err
	}
	for _, v := range cols {
		for from := 0; from < v.N; from += 8 * joinStep {
			part := v.Slice(from, min(v.N, from+8*joinStep))
			if part.Layout == vec.I32 {
				enter(f, vec.Of[int32](part), part.Null)
			} else {
				enter(f, vec.Of[int64](part), part.Null)
			}
			if err := yield(); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// bloomBits are the four bits of a hash.
func bloomBits(h uint64) uint64 {
	return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
}

func enter[T int32 | int64](f *RuntimeFilter, keys []T, null []bool) {
	for i, k := range keys {
		if null != nil && null[i] {
			continue
		}
		if f.bits != nil {
			at := uint64(int64(k)) - uint64(f.low)
			f.bits[at>>6] |= 1 << (at & 63)
			continue
		}
		h := vec.Hash64(uint64(int64(k)))
		f.bloom[h>>32&f.mask] |= bloomBits(h)
	}
}

// Empty reports whether there is no key: no row can pass.
func (f *RuntimeFilter) Empty() bool { return f.rows == 0 }

// Range is the least and the greatest key, when there is one.
func (f *RuntimeFilter) Range() (low, high int64) { return f.low, f.high }

// Size is the memory of the set, in bytes.
func (f *RuntimeFilter) Size() int64 { return 8 * int64(len(f.bits)+len(f.bloom)) }

// Select appends to out the rows of v that may be in the set: of those at sel,
// or of all when sel is nil. out must have room for them all.
func (f *RuntimeFilter) Select(v *vec.Vector, sel, out []int32) []int32 {
	if f.Empty() {
		return out
	}
	if v.Layout == vec.I32 {
		return pass(f, vec.Of[int32](v), v.Null, sel, out)
	}
	return pass(f, vec.Of[int64](v), v.Null, sel, out)
}

func pass[T int32 | int64](f *RuntimeFilter, keys []T, null []bool, sel, out []int32) []int32 {
	n := len(out)
	low, set := uint64(f.low), f.bits
	switch {
	case set != nil && null == nil && sel == nil:
		room := out[n:cap(out)][:len(keys)]
		k := 0
		for i, x := range keys {
			at := uint64(int64(x)) - low
			room[k] = int32(i)
			if w := at >> 6; w < uint64(len(set)) {
				k += int(set[w] >> (at & 63) & 1)
			}
		}
		return out[: n+k : cap(out)]
	case set != nil && null == nil:
		room := out[n:cap(out)][:len(sel)]
		k := 0
		for _, i := range sel {
			at := uint64(int64(keys[i])) - low
			room[k] = i
			if w := at >> 6; w < uint64(len(set)) {
				k += int(set[w] >> (at & 63) & 1)
			}
		}
		return out[: n+k : cap(out)]
	case sel == nil:
		for i, x := range keys {
			if (null == nil || !null[i]) && f.has(int64(x)) {
				out = append(out, int32(i))
			}
		}
	default:
		for _, i := range sel {
			if (null == nil || !null[i]) && f.has(int64(keys[i])) {
				out = append(out, i)
			}
		}
	}
	return out
}

func (f *RuntimeFilter) has(x int64) bool {
	if f.bits != nil {
		at := uint64(x) - uint64(f.low)
		return at>>6 < uint64(len(f.bits)) && f.bits[at>>6]>>(at&63)&1 != 0
	}
	h := vec.Hash64(uint64(x))
	b := bloomBits(h)
	return f.bloom[h>>32&f.mask]&b == b
}

// KeyFilter is a RuntimeFilter in a task that asks it about rows. It is made
// when the first row comes, and left off when it lets most of them through.
type KeyFilter struct {
	Col  int // of the batches
	make func(*task.Ctx) (*RuntimeFilter, error)
	set  *RuntimeFilter
	off  bool
	in   int64
	out  int64
}

// Set returns the keys; nil when there are none to be had, or when it doesn't pay to look.
func (k *KeyFilter) Set(c *task.Ctx) (*RuntimeFilter, error) {
	if k.off {
		return nil, nil
	}
	if k.set == nil {
		set, err := k.make(c)
		if err != nil {
			return nil, err
		}
		k.set, k.off = set, set == nil
	}
	return k.set, nil
}

// Select narrows b to the rows that may find their key. Column Col must be
// there; its batch keeps its other columns as they are, there or not. The selection is of pool.
func (k *KeyFilter) Select(c *task.Ctx, b *vec.Batch, pool *vec.Pool) (*vec.Batch, error) {
	set, err := k.Set(c)
	if set == nil || err != nil || b.N == 0 {
		return b, err
	}
	buf := vec.Scratch[int32](pool, b.N)
	sel := set.Select(b.Cols[k.Col], b.Sel, buf[:0])
	k.in += int64(b.N)
	k.out += int64(len(sel))
	if k.in >= learnRows && float64(k.out) > filterShare*float64(k.in) {
		k.off = true
	}
	if len(sel) == b.N {
		vec.RecycleSlice(pool, buf)
		return b, nil
	}
	out := &vec.Batch{N: len(sel), Cols: b.Cols, Sel: sel}
	out.OwnSel(pool)
	return out, nil
}

// Restricted is a source that applies runtime filters itself, before it reads the other columns.
type Restricted interface {
	Operator
	// Restrict comes before Open.
	Restrict([]*KeyFilter)
}

// restrict applies the filters of a scan, inside it when it can.
func restrict(in Operator, n *physical.Scan, d Deps) Operator {
	var list []*KeyFilter
	for _, f := range n.RuntimeFilters {
		if l := vec.LayoutOf(n.Out[f.Col].Type); d.Shuffle != nil && (l == vec.I32 || l == vec.I64) {
			list = append(list, &KeyFilter{Col: f.Col, make: d.keySet(f)})
		}
	}
	if len(list) == 0 {
		return in
	}
	if r, ok := in.(Restricted); ok {
		r.Restrict(list)
		return in
	}
	return &keyFiltered{unary{in}, list}
}

// keySet gives the set of a filter, made once a process.
func (d Deps) keySet(f physical.RuntimeFilter) func(*task.Ctx) (*RuntimeFilter, error) {
	return func(c *task.Ctx) (*RuntimeFilter, error) {
		v, err := d.Shuffle.Shared(c, d.Query, f.From, fmt.Sprintf("filter %d", f.Key), func(c *task.Ctx) (any, int64, error) {
			held := c.Mem.Reserve("runtime filter", nil)
			defer held.Release()
			set, err := d.readKeys(c, f, held)
			if set == nil || err != nil {
				return (*RuntimeFilter)(nil), 0, err
			}
			held.Release() // from here on it is the exchange's
			return set, set.Size(), nil
		})
		if short(err) {
			return nil, nil // the join above drops the rows that it would have
		}
		if err != nil {
			return nil, err
		}
		return v.(*RuntimeFilter), nil
	}
}

// readKeys reads the keys, of all partitions; nil when they are too many.
func (d Deps) readKeys(c *task.Ctx, f physical.RuntimeFilter, held *mem.Reservation) (*RuntimeFilter, error) {
	parts := 1
	if f.From.Kind == physical.Hash {
		parts = max(1, f.From.N)
	}
	in, err := d.Shuffle.Reader(d.Conf, d.Query, f.From, physical.Piece{To: parts})
	if err != nil {
		return nil, err
	}
	var cols []*vec.Vector
	rows := 0
	if err := readOut(c, in, func(b *vec.Batch) error {
		v := b.Cols[f.Key]
		if b.Sel != nil {
			v = v.Gather(b.Sel)
		}
		cols = append(cols, v)
		if rows += b.N; rows > filterMaxRows {
			return io.EOF
		}
		return held.Grow(int64(b.N * v.Layout.Width()))
	}); err != nil {
		return nil, err
	}
	if rows > filterMaxRows {
		return nil, nil
	}
	set, err := NewRuntimeFilter(cols, c.Yield)
	if err != nil {
		return nil, err
	}
	return set, held.Grow(set.Size())
}

// readOut reads an operator to its end, or until take returns io.EOF.
func readOut(c *task.Ctx, o Operator, take func(*vec.Batch) error) (err error) {
	defer func() {
		if e := o.Close(); e != nil && err == nil {
			err = e
		}
	}()
	if err := o.Open(c); err != nil {
		return err
	}
	for {
		b, err := o.Next(c)
		if err == nil {
			err = take(b)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// keyFiltered applies runtime filters to rows of sources that don't themselves.
type keyFiltered struct {
	unary
	list []*KeyFilter
}

func (f *keyFiltered) Schema() []*types.Type { return f.input.Schema() }

func (f *keyFiltered) Open(c *task.Ctx) error { return f.input.Open(c) }

func (f *keyFiltered) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		b, err := f.input.Next(c)
		if err != nil {
			return nil, err
		}
		for _, k := range f.list {
			if b, err = k.Select(c, b, nil); err != nil {
				return nil, err
			}
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
		if b.N > 0 {
			return b, nil
		}
	}
}

func (f *keyFiltered) Close() error { return f.input.Close() }
