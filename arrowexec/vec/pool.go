package vec

import (
	"math/bits"
	"unsafe"
)

// Pool keeps the memory of vectors that nobody reads any more for those to
// come. Batches that are made and dropped 8192 rows at a time else cost more in
// the runtime's allocator and collector than in kernels, and never meet the
// same cache line twice. A pool belongs to one task, and to one goroutine at a
// time; nil is a pool that keeps nothing.
type Pool struct {
	free [poolClasses][][]byte
	held int
}

// Buffers are of 2^poolLeast to 2^poolMost bytes: shorter ones are cheap
// anyway, longer ones are rare. A pool holds poolHolds bytes at most.
const (
	poolLeast   = 12
	poolMost    = 18
	poolClasses = poolMost - poolLeast + 1
	poolHolds   = 8 << 20
)

// poolClass is the class of buffers of at least n bytes; false: they aren't kept.
func poolClass(n int) (int, bool) {
	if n <= 1<<(poolLeast-1) || n > 1<<poolMost {
		return 0, false
	}
	return max(bits.Len(uint(n-1)), poolLeast) - poolLeast, true
}

// get returns n bytes, aligned to 8, of unknown contents.
func (p *Pool) get(n int) []byte {
	k, ok := poolClass(n)
	if p == nil || !ok {
		return dirty(n)
	}
	if list := p.free[k]; len(list) > 0 {
		b := list[len(list)-1]
		list[len(list)-1] = nil
		p.free[k] = list[:len(list)-1]
		p.held -= len(b)
		return b[:n:n]
	}
	return dirty(1 << (k + poolLeast))[:n:n]
}

// put takes back what get gave.
func (p *Pool) put(b []byte) {
	k, ok := poolClass(len(b))
	if p == nil || !ok {
		return
	}
	size := 1 << (k + poolLeast)
	if p.held+size > poolHolds {
		return
	}
	b = unsafe.Slice(unsafe.SliceData(b), size) // get cut it
	if poison {
		for i := range b {
			b[i] = 0xa5
		}
	}
	p.held += size
	p.free[k] = append(p.free[k], b)
}

// Scratch returns n values of unknown contents from p.
func Scratch[T Fixed](p *Pool, n int) []T {
	if n == 0 {
		return nil
	}
	var z T
	b := p.get(n * int(unsafe.Sizeof(z)))
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n)
}

// Recycle takes the memory of v's values, for whose last reader it is: nobody
// may look into v, or a slice of it, afterwards (bytes of strings aside). The
// memory must have come from a pool.
func (p *Pool) Recycle(v *Vector) {
	if p == nil || v == nil {
		return
	}
	p.put(v.Data)
}

// RecycleSlice is Recycle for memory of Scratch that became no vector.
func RecycleSlice[T Fixed](p *Pool, s []T) {
	if p != nil {
		p.put(AsBytes(s))
	}
}

// AsBytes is the memory of s.
func AsBytes[T Fixed](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	var z T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(z)))
}

// SameMemory reports whether a and b are the same bytes of memory.
func SameMemory(a, b []byte) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

// SharesData reports whether values of a, or of its parts, lie in the memory of those of b.
func SharesData(a, b *Vector) bool {
	for _, c := range a.Child {
		if SharesData(c, b) {
			return true
		}
	}
	return overlap(a.Data, b.Data)
}

// GatherPool is Gather with memory of p.
func (v *Vector) GatherPool(p *Pool, idx []int32) *Vector {
	return v.gatherInto(p.get(len(idx)*v.Layout.Width()), idx)
}

// Free gives the memory of a batch's columns and selection back to those who made them: for
// the operator that has read it and kept nothing of it, neither columns nor
// selection nor slices of them (bytes of strings may be kept). It does nothing when they didn't
// ask for it back. The batch mustn't be read afterwards.
func (b *Batch) Free() {
	for _, o := range b.owned {
		o.pool.put(o.data)
	}
	b.owned = nil
}

// Own hands memory of p, v's values, to b: Free gives it back.
func (b *Batch) Own(p *Pool, v *Vector) {
	if p != nil && len(v.Data) > 0 {
		b.owned = append(b.owned, owned{p, v.Data})
	}
}

// OwnSel hands b's selection, scratch of p, to b.
func (b *Batch) OwnSel(p *Pool) {
	if p != nil && cap(b.Sel) > 0 {
		b.owned = append(b.owned, owned{p, AsBytes(b.Sel[:cap(b.Sel)])})
	}
}

// OwnAll hands what from owns to b, whose columns are from's or made of them.
func (b *Batch) OwnAll(from *Batch) {
	if b == from || len(from.owned) == 0 {
		return
	}
	if b.owned == nil {
		b.owned = from.owned
	} else {
		b.owned = append(b.owned, from.owned...)
	}
	from.owned = nil
}

// Shares reports whether values of v lie in memory that b owns.
func (b *Batch) Shares(v *Vector) bool {
	for _, c := range v.Child {
		if b.Shares(c) {
			return true
		}
	}
	for _, o := range b.owned {
		if overlap(v.Data, o.data) {
			return true
		}
	}
	return false
}

// Disown leaves what b owns to the garbage collector: for who keeps some of it.
func (b *Batch) Disown() { b.owned = nil }

func overlap(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	x, y := uintptr(unsafe.Pointer(unsafe.SliceData(a))), uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return x < y+uintptr(len(b)) && y < x+uintptr(len(a))
}

type owned struct {
	pool *Pool
	data []byte
}
