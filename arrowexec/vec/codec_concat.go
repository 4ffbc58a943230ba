package vec

import (
	"unsafe"

	"neptune/internal/types"
)

// ConcatColumn lays vectors of type t end to end in memory of its own size,
// calling yield (which may be nil) every few thousand values. Total values
// must fit an int32 and total bytes 4 GiB: the caller splits before.
func ConcatColumn(t *types.Type, parts []*Vector, yield func() error) (*Vector, error) {
	if yield == nil {
		yield = func() error { return nil }
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	total, nulls := 0, false
	for _, p := range parts {
		total += p.N
		nulls = nulls || p.Null != nil
	}
	out := &Vector{Type: t, Layout: LayoutOf(t), N: total}
	switch out.Layout {
	case List, Group:
		b := NewBuilder(t, total)
		for _, p := range parts {
			for at := 0; at < p.N; at += concatStep {
				b.AppendVector(p.Slice(at, min(p.N, at+concatStep)))
				if err := yield(); err != nil {
					return nil, err
				}
			}
		}
		return b.Finish(), nil
	}
	var err error
	if nulls {
		if out.Null, err = Zeroed[bool](total, yield); err != nil {
			return nil, err
		}
	}
	w := out.Layout.Width()
	out.Data = dirty(total * w)
	bufs, err := newBufs(out.Layout, parts, yield)
	if err != nil {
		return nil, err
	}
	step := 4 * concatStep
	if out.Layout == Bytes {
		step = concatStep
	}
	at := 0
	for _, p := range parts {
		if out.Layout == Bytes {
			if err := bufs.whole(p, yield); err != nil {
				return nil, err
			}
		}
		for from := 0; from < p.N; from += step {
			n := min(step, p.N-from)
			if p.Null != nil {
				copy(out.Null[at:at+n], p.Null[from:])
			}
			if out.Layout == Bytes {
				bufs.appendRefs(unsafe.Slice((*Ref)(unsafe.Pointer(&out.Data[at*w])), n), p, from)
			} else {
				copy(out.Data[at*w:(at+n)*w], p.Data[from*w:])
			}
			at += n
			if err := yield(); err != nil {
				return nil, err
			}
		}
	}
	out.Buf = bufs.buf
	return out, nil
}

// bufs merges the buffers of Bytes vectors: one that is mostly in use is
// copied whole, once, however many vectors share it; of others only the values.
type bufs struct {
	buf  []byte
	live map[*byte]int // bytes in use, by buffer
	base map[*byte]int // where a whole buffer was put
}

func newBufs(l Layout, parts []*Vector, yield func() error) (*bufs, error) {
	b := &bufs{live: map[*byte]int{}, base: map[*byte]int{}}
	if l != Bytes {
		return b, nil
	}
	lens := map[*byte]int{}
	for _, p := range parts {
		k := unsafe.SliceData(p.Buf)
		n := 0
		for i, r := range Refs(p) {
			if p.Null == nil || !p.Null[i] {
				n += r.Len()
			}
			if i%(8*concatStep) == 8*concatStep-1 {
				if err := yield(); err != nil {
					return nil, err
				}
			}
		}
		b.live[k] += n
		lens[k] = max(lens[k], len(p.Buf))
	}
	size := 0
	for k, n := range b.live {
		size += max(n, 0)
		if n >= lens[k]/2 {
			size += max(0, lens[k]-n)
		}
	}
	b.buf = dirty(size)[:0]
	return b, nil
}

// whole copies the buffer of p, if it is one to be copied whole and hasn't been yet.
func (b *bufs) whole(p *Vector, yield func() error) error {
	k := unsafe.SliceData(p.Buf)
	if _, ok := b.base[k]; ok || len(p.Buf) == 0 || b.live[k] < len(p.Buf)/2 {
		return nil
	}
	b.base[k] = len(b.buf)
	for from := 0; from < len(p.Buf); from += clearStep {
		b.buf = append(b.buf, p.Buf[from:min(len(p.Buf), from+clearStep)]...)
		if err := yield(); err != nil {
			return err
		}
	}
	return nil
}

func (b *bufs) appendRefs(dst []Ref, p *Vector, from int) {
	src := Refs(p)[from : from+len(dst)]
	k := unsafe.SliceData(p.Buf)
	base, ok := b.base[k]
	for i, r := range src {
		switch {
		case r.Len() == 0 || p.Null != nil && p.Null[from+i]:
			dst[i] = 0
		case ok:
			dst[i] = MakeRef(base+r.Start(), r.Len())
		default:
			dst[i] = MakeRef(len(b.buf), r.Len())
			b.buf = append(b.buf, p.Buf[r.Start():r.Start()+r.Len()]...)
		}
	}
}

// GatherMany returns the values at (src[k], row[k]) of several vectors of type t.
func GatherMany(t *types.Type, vs []*Vector, src, row []int32) *Vector {
	out := &Vector{Type: t, Layout: LayoutOf(t), N: len(row)}
	switch out.Layout {
	case List, Group, Bytes:
		b := NewBuilder(t, len(row))
		for k := 0; k < len(row); {
			e := k + 1
			for e < len(row) && src[e] == src[k] {
				e++
			}
			b.AppendRows(vs[src[k]], row[k:e])
			k = e
		}
		return b.Finish()
	}
	out.Data = dirty(len(row) * out.Layout.Width())
	switch out.Layout.Width() {
	case 1:
		gatherMany[uint8](out, vs, src, row)
	case 2:
		gatherMany[int16](out, vs, src, row)
	case 4:
		gatherMany[int32](out, vs, src, row)
	case 8:
		gatherMany[int64](out, vs, src, row)
	case 16:
		gatherMany[types.Int128](out, vs, src, row)
	}
	for _, v := range vs {
		if v.Null == nil {
			continue
		}
		out.Null = make([]bool, len(row))
		for k, s := range src {
			out.Null[k] = vs[s].IsNull(int(row[k]))
		}
		break
	}
	return out
}

func gatherMany[T Fixed](out *Vector, vs []*Vector, src, row []int32) {
	in := make([][]T, len(vs))
	for i, v := range vs {
		in[i] = Of[T](v)
	}
	dst := Of[T](out)
	for k, s := range src {
		dst[k] = in[s][row[k]]
	}
}
