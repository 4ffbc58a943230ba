package vec

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"neptune/internal/types"
)

// The flat form of a batch, for spill files and shuffle blocks: not portable
// (values are in the machine's byte order) and not kept across versions.
//
//	batch:  rows u64, then each column
//	column: flags u64 (1: has null bytes), null bytes, then by layout
//	  fixed width   the values
//	  Bytes         total u64, the refs (rebased to 0), the bytes
//	  List          total u64, the refs (rebased to 0), the children over total elements
//	  Group         the children
//
// Every part is padded to 8 bytes, so that a decoded vector is a view of the buffer.

// ErrCorrupt is what DecodeBatch returns for bytes that AppendBatch didn't write.
var ErrCorrupt = errors.New("corrupt block of rows")

// Aligned returns n zeroed bytes aligned to 8, to read an encoded batch into.
func Aligned(n int) []byte { return alloc(n) }

// AppendBatch appends the flat form of b to dst. Only what the rows of b
// refer to is written, whatever buffers they share.
func AppendBatch(dst []byte, b *Batch) []byte {
	b = b.Compact()
	dst = appendWord(dst, uint64(b.N))
	for _, v := range b.Cols {
		dst = appendColumn(dst, v)
	}
	return dst
}

func appendWord(dst []byte, x uint64) []byte { return binary.NativeEndian.AppendUint64(dst, x) }

func appendPadded(dst, part []byte) []byte {
	dst = append(dst, part...)
	for len(dst)%8 != 0 {
		dst = append(dst, 0)
	}
	return dst
}

func bytesOf[T any](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	var z T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(z)))
}

func appendColumn(dst []byte, v *Vector) []byte {
	n := v.N
	if v.Null != nil {
		dst = appendWord(dst, 1)
		dst = appendPadded(dst, bytesOf(v.Null[:n]))
	} else {
		dst = appendWord(dst, 0)
	}
	switch v.Layout {
	case Bytes:
		refs, total := rebase(v)
		dst = appendWord(dst, uint64(total))
		dst = append(dst, bytesOf(refs)...)
		for i, r := range refs {
			if r.Len() > 0 {
				s := Refs(v)[i].Start()
				dst = append(dst, v.Buf[s:s+r.Len()]...)
			}
		}
		return appendPadded(dst, nil)
	case List:
		refs, total := rebase(v)
		dst = appendWord(dst, uint64(total))
		dst = append(dst, bytesOf(refs)...)
		idx := make([]int32, 0, total)
		for i, r := range refs {
			s := Refs(v)[i].Start()
			for k := range r.Len() {
				idx = append(idx, int32(s+k))
			}
		}
		for _, c := range v.Child {
			dst = appendColumn(dst, c.Gather(idx))
		}
		return dst
	case Group:
		for _, c := range v.Child {
			dst = appendColumn(dst, c.Slice(0, n))
		}
		return dst
	}
	return appendPadded(dst, v.Data[:n*v.Layout.Width()])
}

// rebase returns refs to the runs of v laid end to end; nulls become empty.
func rebase(v *Vector) (refs []Ref, total int) {
	refs = make([]Ref, v.N)
	for i, r := range Refs(v) {
		n := r.Len()
		if v.Null != nil && v.Null[i] {
			n = 0
		}
		refs[i] = MakeRef(total, n)
		total += n
	}
	return refs, total
}

// DecodeBatch reads the flat form of a batch whose columns have those types.
// The batch's vectors are views of src, which must be aligned to 8 (see
// Aligned) and stay as it is. The error is ErrCorrupt.
func DecodeBatch(schema []*types.Type, src []byte) (*Batch, error) {
	d := &decoder{src: src}
	n := d.word()
	if n > 1<<31 {
		return nil, ErrCorrupt
	}
	b := &Batch{N: int(n), Cols: make([]*Vector, len(schema))}
	for i, t := range schema {
		b.Cols[i] = d.column(t, b.N)
	}
	if d.bad {
		return nil, ErrCorrupt
	}
	return b, nil
}

type decoder struct {
	src []byte
	bad bool
}

func (d *decoder) word() uint64 {
	if len(d.src) < 8 {
		d.bad = true
		return 0
	}
	x := binary.NativeEndian.Uint64(d.src)
	d.src = d.src[8:]
	return x
}

func (d *decoder) part(n int) []byte {
	padded := (n + 7) &^ 7
	if n < 0 || padded > len(d.src) {
		d.bad = true
		return nil
	}
	p := d.src[:n:n]
	d.src = d.src[padded:]
	return p
}

func (d *decoder) column(t *types.Type, n int) *Vector {
	v := &Vector{Type: t, Layout: LayoutOf(t), N: n}
	if flags := d.word(); flags&1 != 0 {
		if p := d.part(n); n > 0 && p != nil {
			v.Null = unsafe.Slice((*bool)(unsafe.Pointer(unsafe.SliceData(p))), n)
			for _, x := range p {
				if x > 1 {
					d.bad = true
				}
			}
		}
	}
	switch v.Layout {
	case Bytes, List:
		total := int(d.word())
		v.Data = d.part(8 * n)
		if d.bad || total < 0 || total > 1<<32 {
			d.bad = true
			return v
		}
		for _, r := range Refs(v) {
			if r.Start()+r.Len() > total {
				d.bad = true
				return v
			}
		}
		if v.Layout == Bytes {
			v.Buf = d.part(total)
			return v
		}
		if t.Kind == types.Map {
			v.Child = []*Vector{d.column(t.Key, total), d.column(t.Elem, total)}
		} else {
			v.Child = []*Vector{d.column(t.Elem, total)}
		}
	case Group:
		if t.Kind == types.Variant {
			v.Child = []*Vector{d.column(types.BinaryType, n), d.column(types.BinaryType, n)}
			return v
		}
		for i := range t.Fields {
			v.Child = append(v.Child, d.column(t.Fields[i].Type, n))
		}
	default:
		v.Data = d.part(n * v.Layout.Width())
	}
	if d.bad {
		v.N = 0
	}
	return v
}

// LiveSize is the memory that the rows of a dense batch need by themselves, in bytes:
// of shared buffers only what the rows refer to. It is what an operator that
// keeps the batch accounts for.
func (b *Batch) LiveSize() int64 {
	n := int64(64)
	for _, v := range b.Cols {
		n += v.liveSize()
	}
	return n + 4*int64(len(b.Sel))
}

func (v *Vector) liveSize() int64 {
	n := int64(v.N*v.Layout.Width()) + int64(len(v.Null))
	switch v.Layout {
	case Bytes:
		total := 0
		for _, r := range Refs(v) {
			total += r.Len()
		}
		n += int64(min(total, len(v.Buf)))
	case List, Group:
		for _, c := range v.Child {
			n += c.liveSize()
		}
	}
	return n
}
