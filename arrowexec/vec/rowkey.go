package vec

import (
	"encoding/binary"
	"math"

	"neptune/internal/types"
)

// KeyOrder says how one key column sorts. Spark's defaults: ascending with
// nulls first, descending with nulls last.
type KeyOrder struct{ Desc, NullsLast bool }

// SortKeys are normalised keys: byte strings that compare (bytes.Compare) as
// the rows do by ORDER BY. They encode the same whatever batch a row is in, as
// long as Nulls is the same.
//
// A column is one byte for null or not (left out where Nulls says that no value
// is null), then: integers big-endian with the sign flipped; floats as ordered
// integers, -0.0 as 0.0 and NaN greatest; strings and binaries with 00 written 00 01
// and ended by 00 00; arrays each element after 01, ended by 00; structs
// field by field. Descending columns have all their value bytes inverted.
type SortKeys struct {
	Width int   // > 0: all keys have this length, and Off is nil
	Off   []int // key i is Buf[Off[i]:Off[i+1]]
	Buf   []byte
}

// Key returns key i.
func (k *SortKeys) Key(i int) []byte {
	if k.Off == nil {
		return k.Buf[i*k.Width : (i+1)*k.Width]
	}
	return k.Buf[k.Off[i]:k.Off[i+1]]
}

// Size is the memory held, in bytes.
func (k *SortKeys) Size() int64 { return int64(cap(k.Buf)) + 8*int64(cap(k.Off)) }

// fixedKey is the encoded size of a value of that layout, without its null byte; -1: it varies.
func fixedKey(t *types.Type) int {
	switch l := LayoutOf(t); l {
	case Bytes, List:
		return -1
	case Group:
		if t.Kind == types.Variant {
			return -1
		}
		w := 0
		for i := range t.Fields {
			f := fixedKey(t.Fields[i].Type)
			if f < 0 {
				return -1
			}
			w += 1 + f
		}
		return w
	default:
		return l.Width()
	}
}

// SortKeyWidth returns the length of the normalised key of columns of those
// types, null bytes included for the columns where nulls is true (nil: for
// all); 0 if it varies from row to row.
func SortKeyWidth(ts []*types.Type, nulls []bool) int {
	w := 0
	for i, t := range ts {
		f := fixedKey(t)
		if f < 0 {
			return 0
		}
		w += f
		if nulls == nil || nulls[i] {
			w++
		}
	}
	return w
}

// EncodeSortKeys encodes the n rows of dense columns. nulls[c] false leaves out
// column c's null byte: only where the column has no nulls in any batch whose
// keys are compared with these; nil writes all.
func EncodeSortKeys(cols []*Vector, order []KeyOrder, nulls []bool, n int) *SortKeys {
	ts := make([]*types.Type, len(cols))
	for i, v := range cols {
		ts[i] = v.Type
	}
	k := &SortKeys{Width: SortKeyWidth(ts, nulls)}
	pos := make([]int, n)
	if k.Width > 0 {
		k.Buf = make([]byte, n*k.Width)
		for i := range pos {
			pos[i] = i * k.Width
		}
	} else {
		k.Off = make([]int, n+1)
		lens := k.Off[1:]
		for c, v := range cols {
			extra := 1
			if nulls != nil && !nulls[c] {
				extra = 0
			}
			addKeyLens(v, extra, lens)
		}
		for i := range lens {
			lens[i] += k.Off[i]
		}
		copy(pos, k.Off)
		k.Buf = make([]byte, k.Off[n])
	}
	for c, v := range cols {
		encodeColumn(v, order[c], nulls == nil || nulls[c], pos, k.Buf)
	}
	return k
}

func addKeyLens(v *Vector, extra int, lens []int) {
	if f := fixedKey(v.Type); f >= 0 {
		for i := range lens {
			lens[i] += extra + f
		}
		return
	}
	for i := range lens {
		lens[i] += extra + valueKeyLen(v, i)
	}
}

// valueKeyLen is the encoded length of value i, 0 where it is null and of varying size.
func valueKeyLen(v *Vector, i int) int {
	if f := fixedKey(v.Type); f >= 0 {
		return f
	}
	if v.IsNull(i) {
		return 0
	}
	n := 0
	switch v.Layout {
	case Bytes:
		b := v.Bytes(i)
		n = len(b) + 2
		for _, x := range b {
			if x == 0 {
				n++
			}
		}
	case List:
		r := Refs(v)[i]
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			n++
			for _, c := range v.Child {
				n += 1 + valueKeyLen(c, k)
			}
		}
		n++
	case Group:
		for _, c := range v.Child {
			n += 1 + valueKeyLen(c, i)
		}
	}
	return n
}

func orderF64(f float64) uint64 {
	b := F64Bits(f)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

func orderF32(f float32) uint32 {
	b := F32Bits(f)
	return b ^ (uint32(int32(b)>>31) | 1<<31)
}

// nullByte is what stands before a value, and instead of it.
func (o KeyOrder) nullByte(null bool) byte {
	if null != o.NullsLast {
		return 0
	}
	return 1
}

// encodeColumn writes one column at pos, and moves pos past it.
func encodeColumn(v *Vector, o KeyOrder, nulls bool, pos []int, buf []byte) {
	if len(pos) == 0 {
		return
	}
	if nulls {
		for i, p := range pos {
			buf[p] = o.nullByte(v.IsNull(i))
			pos[i] = p + 1
		}
	}
	var flip uint64
	if o.Desc {
		flip = math.MaxUint64
	}
	switch v.Layout {
	case None:
	case I32:
		for i, x := range Of[int32](v)[:len(pos)] {
			p := pos[i]
			pos[i] = p + 4
			if v.Null == nil || !v.Null[i] {
				binary.BigEndian.PutUint32(buf[p:], uint32(x)^1<<31^uint32(flip))
			}
		}
	case I64:
		for i, x := range Of[int64](v)[:len(pos)] {
			p := pos[i]
			pos[i] = p + 8
			if v.Null == nil || !v.Null[i] {
				binary.BigEndian.PutUint64(buf[p:], uint64(x)^1<<63^flip)
			}
		}
	case F64:
		for i, x := range Of[float64](v)[:len(pos)] {
			p := pos[i]
			pos[i] = p + 8
			if v.Null == nil || !v.Null[i] {
				binary.BigEndian.PutUint64(buf[p:], orderF64(x)^flip)
			}
		}
	default:
		fixed := fixedKey(v.Type)
		for i, p := range pos {
			end := p + fixed
			if !v.IsNull(i) {
				end = encodeValue(v, i, buf, p)
				if o.Desc {
					for k := p; k < end; k++ {
						buf[k] = ^buf[k]
					}
				}
			} else if fixed < 0 {
				end = p
			}
			pos[i] = end
		}
	}
}

// encodeValue writes value i, which isn't null, ascending, and returns the end.
func encodeValue(v *Vector, i int, buf []byte, p int) int {
	switch v.Layout {
	case Byte:
		buf[p] = Of[uint8](v)[i]
		return p + 1
	case I8:
		buf[p] = uint8(Of[int8](v)[i]) ^ 0x80
		return p + 1
	case I16:
		binary.BigEndian.PutUint16(buf[p:], uint16(Of[int16](v)[i])^0x8000)
		return p + 2
	case I32:
		binary.BigEndian.PutUint32(buf[p:], uint32(Of[int32](v)[i])^1<<31)
		return p + 4
	case I64:
		binary.BigEndian.PutUint64(buf[p:], uint64(Of[int64](v)[i])^1<<63)
		return p + 8
	case F32:
		binary.BigEndian.PutUint32(buf[p:], orderF32(Of[float32](v)[i]))
		return p + 4
	case F64:
		binary.BigEndian.PutUint64(buf[p:], orderF64(Of[float64](v)[i]))
		return p + 8
	case I128:
		x := Of[types.Int128](v)[i]
		binary.BigEndian.PutUint64(buf[p:], uint64(x.Hi)^1<<63)
		binary.BigEndian.PutUint64(buf[p+8:], x.Lo)
		return p + 16
	case CalI:
		x := Of[types.CalendarValue](v)[i]
		binary.BigEndian.PutUint32(buf[p:], uint32(x.Months)^1<<31)
		binary.BigEndian.PutUint32(buf[p+4:], uint32(x.Days)^1<<31)
		binary.BigEndian.PutUint64(buf[p+8:], uint64(x.Micros)^1<<63)
		return p + 16
	case Bytes:
		for _, x := range v.Bytes(i) {
			buf[p] = x
			p++
			if x == 0 {
				buf[p] = 1
				p++
			}
		}
		buf[p], buf[p+1] = 0, 0
		return p + 2
	case List:
		r := Refs(v)[i]
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			buf[p] = 1
			p++
			for _, c := range v.Child {
				p = encodeNullable(c, k, buf, p)
			}
		}
		buf[p] = 0
		return p + 1
	case Group:
		for _, c := range v.Child {
			p = encodeNullable(c, i, buf, p)
		}
	}
	return p
}

// encodeNullable writes a nested value: nulls are the smallest.
func encodeNullable(v *Vector, i int, buf []byte, p int) int {
	null := v.IsNull(i)
	buf[p] = KeyOrder{}.nullByte(null)
	p++
	if !null {
		return encodeValue(v, i, buf, p)
	}
	if f := fixedKey(v.Type); f > 0 {
		clear(buf[p : p+f])
		p += f
	}
	return p
}

// PackBits returns the bits that one value of t takes in a packed key, 0 if it can't be packed.
func PackBits(t *types.Type) int {
	switch l := LayoutOf(t); l {
	case Byte, I8, I16, I32, I64, F32, F64, I128, CalI:
		return 8 * l.Width()
	}
	return 0
}

// PackedWords returns how many 64-bit words a packed key of columns of those
// types takes, with a null bit a column if nulls; ok is false when a column has no fixed width.
func PackedWords(ts []*types.Type, nulls bool) (words int, ok bool) {
	total := 0
	for _, t := range ts {
		b := PackBits(t)
		if b == 0 {
			return 0, false
		}
		total += b
		if nulls {
			total++
		}
	}
	return (total + 63) / 64, len(ts) > 0
}

// Pack writes packed keys of n rows of dense fixed-width columns: row i is
// out[i*words:(i+1)*words], words being PackedWords(types, nulls). Rows are equal
// (as in Hash) if and only if their words are. A null is zero bits and, with nulls, a set null
// bit; without nulls it can't be told from zero: the caller looks at Null itself.
func Pack(cols []*Vector, n, words int, nulls bool, out []uint64) {
	clear(out[:n*words])
	bit := 0
	for _, v := range cols {
		switch v.Layout {
		case Byte, I8:
			packColumn(Of[uint8](v), v.Null, n, words, bit, out, func(x uint8) uint64 { return uint64(x) })
		case I16:
			packColumn(Of[int16](v), v.Null, n, words, bit, out, func(x int16) uint64 { return uint64(uint16(x)) })
		case I32:
			packColumn(Of[int32](v), v.Null, n, words, bit, out, func(x int32) uint64 { return uint64(uint32(x)) })
		case I64:
			packColumn(Of[int64](v), v.Null, n, words, bit, out, func(x int64) uint64 { return uint64(x) })
		case F32:
			packColumn(Of[float32](v), v.Null, n, words, bit, out, func(x float32) uint64 { return uint64(F32Bits(x)) })
		case F64:
			packColumn(Of[float64](v), v.Null, n, words, bit, out, F64Bits)
		case I128:
			packColumn(Of[types.Int128](v), v.Null, n, words, bit, out, func(x types.Int128) uint64 { return x.Lo })
			packColumn(Of[types.Int128](v), v.Null, n, words, bit+64, out, func(x types.Int128) uint64 { return uint64(x.Hi) })
		case CalI:
			packColumn(Of[types.CalendarValue](v), v.Null, n, words, bit, out, func(x types.CalendarValue) uint64 {
				return uint64(uint32(x.Months))<<32 | uint64(uint32(x.Days))
			})
			packColumn(Of[types.CalendarValue](v), v.Null, n, words, bit+64, out, func(x types.CalendarValue) uint64 { return uint64(x.Micros) })
		}
		bit += 8 * v.Layout.Width()
	}
	if !nulls {
		return
	}
	for _, v := range cols {
		if v.Null != nil {
			w, s := bit/64, bit%64
			for i, x := range v.Null[:n] {
				if x {
					out[i*words+w] |= 1 << s
				}
			}
		}
		bit++
	}
}

func packColumn[T Fixed](s []T, null []bool, n, words, bit int, out []uint64, conv func(T) uint64) {
	w, shift := bit/64, bit%64
	for i, x := range s[:n] {
		if null != nil && null[i] {
			continue
		}
		k := conv(x)
		out[i*words+w] |= k << shift
		if hi := k >> (63 - shift) >> 1; hi != 0 {
			out[i*words+w+1] |= hi
		}
	}
}

// HashWords writes to out[:n] hashes of packed keys.
func HashWords(keys []uint64, n, words int, out []uint64) {
	out = out[:n]
	if words == 1 {
		for i, k := range keys[:n] {
			out[i] = mix(hashSeed, k)
		}
		return
	}
	for i := range out {
		h := uint64(hashSeed)
		for _, k := range keys[i*words : (i+1)*words] {
			h = mix(h, k)
		}
		out[i] = h
	}
}
