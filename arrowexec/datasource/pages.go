package datasource

import (
	"encoding/binary"
	"errors"

	"neptune/arrowexec/vec"
)

var errCorrupt = errors.New("the Parquet page is broken")

// maxPage bounds what a page header may claim to inflate to.
const maxPage = 1 << 30

// pageHeader is what reading needs of Parquet's PageHeader.
type pageHeader struct {
	kind                 int64 // 0 data, 2 dictionary, 3 data v2
	raw, packed          int64 // bytes, inflated and as stored
	values, nulls        int64
	encoding             int64
	defBytes, repBytes   int64 // of v2
	compressed, isDataV2 bool
}

// thrift reads Thrift's compact protocol. Running over the end sets bad.
type thrift struct {
	b   []byte
	at  int
	bad bool
}

func (t *thrift) byte() byte {
	if t.at >= len(t.b) {
		t.bad = true
		return 0
	}
	t.at++
	return t.b[t.at-1]
}

func (t *thrift) uvarint() uint64 {
	if t.at > len(t.b) {
		t.bad = true
		return 0
	}
	v, n := binary.Uvarint(t.b[t.at:])
	if n <= 0 {
		t.bad = true
		return 0
	}
	t.at += n
	return v
}

func (t *thrift) varint() int64 {
	u := t.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// fields calls f for each field of a struct; f must consume the value or return false to have it skipped.
func (t *thrift) fields(depth int, f func(id int, kind byte) bool) {
	id := 0
	for !t.bad {
		h := t.byte()
		if h == 0 {
			return
		}
		if d := int(h >> 4); d != 0 {
			id += d
		} else {
			id = int(t.varint())
		}
		if !f(id, h&15) {
			t.skip(h&15, depth)
		}
	}
}

func (t *thrift) skip(kind byte, depth int) {
	if depth > 32 {
		t.bad = true
		return
	}
	switch kind {
	case 1, 2:
	case 3:
		t.byte()
	case 4, 5, 6:
		t.uvarint()
	case 7:
		t.at += 8
	case 8:
		n := t.uvarint()
		if n > uint64(len(t.b)) {
			t.bad = true
			return
		}
		t.at += int(n)
	case 9, 10:
		h := t.byte()
		n := uint64(h >> 4)
		if n == 15 {
			n = t.uvarint()
		}
		for i := uint64(0); i < n && !t.bad; i++ {
			if h&15 <= 2 {
				t.byte()
			} else {
				t.skip(h&15, depth+1)
			}
		}
	case 12:
		t.fields(depth+1, func(int, byte) bool { return false })
	default:
		t.bad = true
	}
	if t.at > len(t.b) {
		t.bad = true
	}
}

// readHeader parses the page header at the start of b and returns its length.
func readHeader(b []byte) (h pageHeader, n int, err error) {
	t := &thrift{b: b}
	h.compressed = true
	num := func(to *int64, kind byte) bool {
		if kind < 3 || kind > 6 {
			return false
		}
		*to = t.varint()
		return true
	}
	t.fields(0, func(id int, kind byte) bool {
		switch id {
		case 1:
			return num(&h.kind, kind)
		case 2:
			return num(&h.raw, kind)
		case 3:
			return num(&h.packed, kind)
		}
		if kind != 12 || id != 5 && id != 7 && id != 8 {
			return false
		}
		h.isDataV2 = id == 8
		t.fields(1, func(f int, kind byte) bool {
			switch {
			case f == 1:
				return num(&h.values, kind)
			case f == 2 && id != 8:
				return num(&h.encoding, kind)
			case f == 2:
				return num(&h.nulls, kind)
			case f == 4 && id == 8:
				return num(&h.encoding, kind)
			case f == 5 && id == 8:
				return num(&h.defBytes, kind)
			case f == 6 && id == 8:
				return num(&h.repBytes, kind)
			case f == 7 && id == 8 && kind <= 2:
				h.compressed = kind == 1
				return true
			}
			return false
		})
		return true
	})
	if t.bad || h.raw < 0 || h.packed < 0 || h.raw > maxPage || h.values < 0 || h.values > 1<<31-1 || h.defBytes < 0 || h.repBytes < 0 {
		return h, 0, errCorrupt
	}
	return h, t.at, nil
}

// rle reads the RLE / bit-packed hybrid of levels and dictionary codes.
type rle struct {
	b     []byte
	width uint
	run   int    // values left of a repeated run
	val   uint32 // its value
	pack  int    // values left of a bit-packed run
	bit   int    // position in b of the next packed value, in bits
}

func newRLE(b []byte, width uint) rle { return rle{b: b, width: width} }

// next starts the next run.
func (r *rle) next() error {
	h, n := binary.Uvarint(r.b)
	if n <= 0 {
		return errCorrupt
	}
	r.b = r.b[n:]
	if h&1 == 0 {
		w := int(r.width+7) / 8
		if len(r.b) < w || h>>1 > 1<<31 {
			return errCorrupt
		}
		r.val = 0
		for i := range w {
			r.val |= uint32(r.b[i]) << (8 * i)
		}
		r.b = r.b[w:]
		r.run = int(h >> 1)
		return nil
	}
	if h>>1 > 1<<28 {
		return errCorrupt
	}
	r.pack = int(h>>1) * 8
	r.bit = 0
	return nil
}

// endPack leaves a packed run that is used up.
func (r *rle) endPack() {
	if r.pack == 0 {
		r.b = r.b[min(len(r.b), (r.bit+7)/8):]
	}
}

func (r *rle) read(dst []int32) error {
	for len(dst) > 0 {
		switch {
		case r.run > 0:
			k := min(r.run, len(dst))
			for i := range dst[:k] {
				dst[i] = int32(r.val)
			}
			r.run -= k
			dst = dst[k:]
		case r.pack > 0:
			k := min(r.pack, len(dst))
			if (r.bit+k*int(r.width)+7)/8 > len(r.b) {
				return errCorrupt
			}
			unpack(dst[:k], r.b, r.bit, r.width)
			r.bit += k * int(r.width)
			r.pack -= k
			dst = dst[k:]
			r.endPack()
		default:
			if err := r.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

// ones reports whether the next n values are one run of ones, and passes over
// them then: the definition levels of a page without nulls.
func (r *rle) ones(n int) bool {
	if r.run == 0 && r.pack == 0 && (len(r.b) == 0 || r.next() != nil) {
		return false
	}
	if r.run < n || r.val != 1 {
		return false
	}
	r.run -= n
	return true
}

// readCodes reads len(dst) codes and looks their values up in dict.
func readCodes[T vec.Fixed](r *rle, dst, dict []T) error {
	for len(dst) > 0 {
		switch {
		case r.run > 0:
			k := min(r.run, len(dst))
			if uint64(r.val) >= uint64(len(dict)) {
				return errCorrupt
			}
			x := dict[r.val]
			for i := range dst[:k] {
				dst[i] = x
			}
			r.run -= k
			dst = dst[k:]
		case r.pack > 0:
			k := min(r.pack, len(dst))
			if (r.bit+k*int(r.width)+7)/8 > len(r.b) || !lookUp(dst[:k], dict, r.b, r.bit, r.width) {
				return errCorrupt
			}
			r.bit += k * int(r.width)
			r.pack -= k
			dst = dst[k:]
			r.endPack()
		default:
			if err := r.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

// pickCodes passes over n codes and looks up those at positions at, which rise
// and are counted from first.
func pickCodes[T vec.Fixed](r *rle, dst, dict []T, n int, at []int32, first int32) error {
	for n > 0 {
		switch {
		case r.run > 0:
			k := min(r.run, n)
			m := 0
			for m < len(at) && int(at[m]-first) < k {
				m++
			}
			if m > 0 {
				if uint64(r.val) >= uint64(len(dict)) {
					return errCorrupt
				}
				x := dict[r.val]
				for i := range dst[:m] {
					dst[i] = x
				}
			}
			dst, at = dst[m:], at[m:]
			r.run -= k
			n -= k
			first += int32(k)
		case r.pack > 0:
			k := min(r.pack, n)
			if (r.bit+k*int(r.width)+7)/8 > len(r.b) {
				return errCorrupt
			}
			m := len(at)
			if k < n {
				m = 0
				for m < len(at) && int(at[m]-first) < k {
					m++
				}
			}
			if !lookUpAt(dst[:m], dict, r.b, r.bit, r.width, at[:m], first) {
				return errCorrupt
			}
			dst, at = dst[m:], at[m:]
			r.bit += k * int(r.width)
			r.pack -= k
			n -= k
			first += int32(k)
			r.endPack()
		default:
			if err := r.next(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *rle) skip(n int) error {
	for n > 0 {
		switch {
		case r.run > 0:
			k := min(r.run, n)
			r.run -= k
			n -= k
		case r.pack > 0:
			k := min(r.pack, n)
			r.bit += k * int(r.width)
			if r.bit > 8*len(r.b)+64 {
				return errCorrupt
			}
			r.pack -= k
			n -= k
			r.endPack()
		default:
			if err := r.next(); err != nil {
				return err
			}
		}
	}
	return nil
}
