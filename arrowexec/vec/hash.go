package vec

import (
	"encoding/binary"
	"math"
	"math/bits"

	"neptune/internal/types"
)

// Constants of the mixing function: two odd numbers with well spread bits
// (the golden ratio's fraction, and one found by trial).
const (
	hashSeed  = 0x9E3779B97F4A7C15
	hashMul   = 0xD6E8FEB86659FD93
	hashNull  = 0xA0761D6478BD642F
	canonNaN  = 0x7FF8000000000000
	canonNaN4 = 0x7FC00000
)

// mix folds x into h by a 64x64 -> 128-bit multiplication.
func mix(h, x uint64) uint64 {
	hi, lo := bits.Mul64(h^x, hashMul)
	return hi ^ lo
}

// F64Bits returns the bits of f by which values are equal in SQL: -0.0 is 0.0
// and all NaNs are one.
func F64Bits(f float64) uint64 {
	if f == 0 {
		return 0
	}
	if f != f {
		return canonNaN
	}
	return math.Float64bits(f)
}

// F32Bits is F64Bits for float32.
func F32Bits(f float32) uint32 {
	if f == 0 {
		return 0
	}
	if f != f {
		return canonNaN4
	}
	return math.Float32bits(f)
}

// Hash writes to out[:n] a 64-bit hash of rows 0..n of the columns, which are
// dense. Rows that are equal (null = null, -0.0 = 0.0, NaN = NaN, maps whatever
// the order of their entries) have equal hashes. All bits are usable; the
// function is the engine's own and may change, so it never leaves a process.
func Hash(cols []*Vector, n int, out []uint64) {
	out = out[:n]
	for i := range out {
		out[i] = hashSeed
	}
	for _, v := range cols {
		hashColumn(v, out)
	}
}

func hashColumn(v *Vector, h []uint64) {
	n := len(h)
	if n == 0 {
		return
	}
	switch v.Layout {
	case None:
		for i := range h {
			h[i] = mix(h[i], hashNull)
		}
	case Byte:
		hashInts(Of[uint8](v), v.Null, h)
	case I8:
		hashInts(Of[int8](v), v.Null, h)
	case I16:
		hashInts(Of[int16](v), v.Null, h)
	case I32:
		hashInts(Of[int32](v), v.Null, h)
	case I64:
		hashInts(Of[int64](v), v.Null, h)
	case F32:
		s := Of[float32](v)[:n]
		for i, x := range s {
			h[i] = hashOr(v.Null, i, h[i], uint64(F32Bits(x)))
		}
	case F64:
		s := Of[float64](v)[:n]
		for i, x := range s {
			h[i] = hashOr(v.Null, i, h[i], F64Bits(x))
		}
	case Bytes:
		refs := Refs(v)[:n]
		for i, r := range refs {
			if v.Null != nil && v.Null[i] {
				h[i] = mix(h[i], hashNull)
				continue
			}
			h[i] = HashBytes(v.Buf[r.Start():r.Start()+r.Len()], h[i])
		}
	default:
		for i := range h {
			h[i] = hashAt(v, i, h[i])
		}
	}
}

func hashInts[T int8 | uint8 | int16 | int32 | int64](s []T, null []bool, h []uint64) {
	s = s[:len(h)]
	if null == nil {
		for i, x := range s {
			h[i] = mix(h[i], uint64(int64(x)))
		}
		return
	}
	null = null[:len(h)]
	for i, x := range s {
		k := uint64(int64(x))
		if null[i] {
			k = hashNull
		}
		h[i] = mix(h[i], k)
	}
}

func hashOr(null []bool, i int, h, x uint64) uint64 {
	if null != nil && null[i] {
		x = hashNull
	}
	return mix(h, x)
}

// Hash64 is the hash of one 64-bit word: what Hash gives for a column of one
// int64 without nulls.
func Hash64(x uint64) uint64 { return mix(hashSeed, x) }

// HashBytes folds the bytes of b into h, eight at a time.
func HashBytes(b []byte, h uint64) uint64 {
	n := len(b)
	h = bits.RotateLeft64(h, 23) + uint64(n)*hashNull
	for len(b) > 16 {
		hi, lo := bits.Mul64(binary.LittleEndian.Uint64(b)^hashMul, binary.LittleEndian.Uint64(b[8:])^h)
		h = hi ^ lo
		b = b[16:]
	}
	var x, y uint64
	switch n = len(b); {
	case n >= 8:
		x, y = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		x, y = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	case n > 0:
		x = uint64(b[0])<<16 | uint64(b[n>>1])<<8 | uint64(b[n-1])
	}
	hi, lo := bits.Mul64(x^hashMul, y^h)
	return mix(hi^lo, uint64(n))
}

// hashAt folds value i of v into h: the slow way, for nested values.
func hashAt(v *Vector, i int, h uint64) uint64 {
	if v.IsNull(i) {
		return mix(h, hashNull)
	}
	switch v.Layout {
	case Byte:
		return mix(h, uint64(Of[uint8](v)[i]))
	case I8:
		return mix(h, uint64(int64(Of[int8](v)[i])))
	case I16:
		return mix(h, uint64(int64(Of[int16](v)[i])))
	case I32:
		return mix(h, uint64(int64(Of[int32](v)[i])))
	case I64:
		return mix(h, uint64(Of[int64](v)[i]))
	case F32:
		return mix(h, uint64(F32Bits(Of[float32](v)[i])))
	case F64:
		return mix(h, F64Bits(Of[float64](v)[i]))
	case I128:
		x := Of[types.Int128](v)[i]
		return mix(mix(h, x.Lo), uint64(x.Hi))
	case CalI:
		x := Of[types.CalendarValue](v)[i]
		return mix(mix(h, uint64(uint32(x.Months))<<32|uint64(uint32(x.Days))), uint64(x.Micros))
	case Bytes:
		return HashBytes(v.Bytes(i), h)
	case List:
		r := Refs(v)[i]
		h = mix(h, uint64(r.Len()))
		if v.Type.Kind == types.Map {
			sum := uint64(0) // the order of entries doesn't matter
			for k := r.Start(); k < r.Start()+r.Len(); k++ {
				sum += hashAt(v.Child[1], k, hashAt(v.Child[0], k, hashSeed))
			}
			return mix(h, sum)
		}
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			h = hashAt(v.Child[0], k, h)
		}
		return h
	case Group:
		for _, c := range v.Child {
			h = hashAt(c, i, h)
		}
		return mix(h, uint64(len(v.Child)))
	}
	return h
}
