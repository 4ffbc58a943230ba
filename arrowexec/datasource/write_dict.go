package datasource

import (
	"bytes"
	"encoding/binary"
	"unsafe"

	"github.com/apache/arrow-go/v18/parquet"

	"neptune/arrowexec/vec"
)

// dictWriter collects the different values of a chunk and gives them numbers.
type dictWriter struct {
	most  int // bytes of the dictionary page
	n     int
	codes []uint32 // of the page's values
	size  int      // bytes of the dictionary page
	table []uint32 // by hash: code + 1, 0 where there is none
	width int      // of fixed-length values in words or buf; 0: ends says
	words []uint64 // numbers of 4 or 8 bytes, as bits
	buf   []byte   // other values, encoded as PLAIN
	ends  []uint32 // of byte arrays in buf
}

func (d *dictWriter) memory() int64 {
	return int64(4*cap(d.codes) + 4*cap(d.table) + 8*cap(d.words) + cap(d.buf) + 4*cap(d.ends))
}

// grow makes room in the table for one more value.
func (d *dictWriter) grow(hash func(code int) uint64) {
	if 2*(d.n+1) <= len(d.table) {
		return
	}
	d.table = make([]uint32, max(1024, 2*len(d.table)))
	mask := uint64(len(d.table) - 1)
	for k := range d.n {
		at := hash(k) & mask
		for d.table[at] != 0 {
			at = (at + 1) & mask
		}
		d.table[at] = uint32(k + 1)
	}
}

// addFixed adds values until the dictionary is too large, and returns how many.
func addFixed[T int32 | int64 | float32 | float64](d *dictWriter, x []T) int {
	if unsafe.Sizeof(x[0]) == 4 {
		return addWords(d, unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(x))), len(x)), 4)
	}
	return addWords(d, unsafe.Slice((*uint64)(unsafe.Pointer(unsafe.SliceData(x))), len(x)), 8)
}

func addWords[T uint32 | uint64](d *dictWriter, x []T, width int) int {
	d.width = width
	last, code := x[0], uint32(0) // equal values often come together
	for i, v := range x {
		if i > 0 && v == last {
			d.codes = append(d.codes, code)
			continue
		}
		word := uint64(v)
		d.grow(func(k int) uint64 { return vec.Hash64(d.words[k]) })
		mask := uint64(len(d.table) - 1)
		at := vec.Hash64(word) & mask
		for d.table[at] != 0 && d.words[d.table[at]-1] != word {
			at = (at + 1) & mask
		}
		if d.table[at] == 0 {
			if d.size+width > d.most {
				return i
			}
			d.words = append(d.words, word)
			d.n++
			d.size += width
			d.table[at] = uint32(d.n)
		}
		last, code = v, d.table[at]-1
		d.codes = append(d.codes, code)
	}
	return len(x)
}

// add adds one value of bytes, which has its length before it or not; false: the dictionary is too large.
func (d *dictWriter) add(v []byte, length bool) bool {
	d.grow(func(k int) uint64 { return vec.HashBytes(d.bytes(k), 0) })
	mask := uint64(len(d.table) - 1)
	at := vec.HashBytes(v, 0) & mask
	for d.table[at] != 0 && !bytes.Equal(d.bytes(int(d.table[at]-1)), v) {
		at = (at + 1) & mask
	}
	if d.table[at] == 0 {
		if len(d.buf)+len(v)+4 > d.most {
			return false
		}
		if length {
			d.buf = binary.LittleEndian.AppendUint32(d.buf, uint32(len(v)))
		} else {
			d.width = len(v)
		}
		d.buf = append(d.buf, v...)
		if length {
			d.ends = append(d.ends, uint32(len(d.buf)))
		}
		d.n++
		d.table[at] = uint32(d.n)
	}
	d.codes = append(d.codes, d.table[at]-1)
	return true
}

// bytes is a value without its length.
func (d *dictWriter) bytes(k int) []byte {
	if d.ends == nil {
		return d.buf[k*d.width : (k+1)*d.width]
	}
	from := uint32(0)
	if k > 0 {
		from = d.ends[k-1]
	}
	return d.buf[from+4 : d.ends[k]]
}

// value is a value as PLAIN has it.
func (d *dictWriter) value(code uint32) []byte {
	switch {
	case d.words != nil:
		return unsafe.Slice((*byte)(unsafe.Pointer(&d.words[code])), d.width) // the low bytes come first
	case d.ends == nil:
		return d.bytes(int(code))
	}
	b := d.bytes(int(code))
	return d.buf[int(d.ends[code])-len(b)-4 : d.ends[code]]
}

// plain is the dictionary page's body.
func (d *dictWriter) plain(phys parquet.Type) []byte {
	if d.words == nil {
		return d.buf
	}
	if phys == parquet.Types.Int96 {
		return appendInt96(nil, unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(d.words))), d.n))
	}
	if d.width == 8 {
		return vec.AsBytes(d.words)
	}
	out := make([]byte, 0, 4*len(d.words))
	for _, w := range d.words {
		out = binary.LittleEndian.AppendUint32(out, uint32(w))
	}
	return out
}

// bounds takes the dictionary's values, each of which some row has, into the chunk's.
func (d *dictWriter) bounds(w *leafWriter) {
	switch w.phys {
	case parquet.Types.Int32, parquet.Types.Float:
		b := d.plain(w.phys)
		if w.phys == parquet.Types.Float {
			addBounds(&w.bounds, unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), d.n))
		} else {
			addBounds(&w.bounds, unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(b))), d.n))
		}
	case parquet.Types.Int64:
		addBounds(&w.bounds, unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(d.words))), d.n))
	case parquet.Types.Double:
		addBounds(&w.bounds, unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(d.words))), d.n))
	case parquet.Types.Int96: // has none
	default:
		for k := range d.n {
			w.bounds.bytes(d.bytes(k), w.phys == parquet.Types.FixedLenByteArray)
		}
	}
}
