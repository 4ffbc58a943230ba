package vec

import (
	"encoding/binary"
	"math/bits"

	"neptune/internal/types"
)

// Murmur3 folds column v into h, one value a row, as Spark's hash() does:
// Murmur3_x86_32 over 4-byte words, the bytes of the tail each as a word of
// their own (which is Spark's difference from the published function), a null
// leaving h as it was. Start with h[i] = 42. Equality of values is that of Hash.
func Murmur3(v *Vector, h []int32) {
	n := len(h)
	if n == 0 || v.Layout == None {
		return
	}
	null := v.Null
	switch v.Layout {
	case I32:
		for i, x := range Of[int32](v)[:n] {
			if null == nil || !null[i] {
				h[i] = murmurInt(x, h[i])
			}
		}
	case I64:
		for i, x := range Of[int64](v)[:n] {
			if null == nil || !null[i] {
				h[i] = murmurLong(x, h[i])
			}
		}
	default:
		for i := range h {
			h[i] = murmurAt(v, i, h[i])
		}
	}
}

// SparkPartition writes to out[:n] the partition, of parts, in which Spark puts
// each row when it repartitions by cols: pmod(murmur3(cols, seed 42), parts).
func SparkPartition(cols []*Vector, n, parts int, out []int32) {
	out = out[:n]
	for i := range out {
		out[i] = 42
	}
	for _, v := range cols {
		Murmur3(v, out)
	}
	p := int32(parts)
	for i, x := range out {
		r := x % p
		if r < 0 {
			r += p
		}
		out[i] = r
	}
}

func murmurAt(v *Vector, i int, h int32) int32 {
	if v.IsNull(i) {
		return h
	}
	switch v.Layout {
	case Byte:
		return murmurInt(int32(Of[uint8](v)[i]), h)
	case I8:
		return murmurInt(int32(Of[int8](v)[i]), h)
	case I16:
		return murmurInt(int32(Of[int16](v)[i]), h)
	case I32:
		return murmurInt(Of[int32](v)[i], h)
	case I64:
		return murmurLong(Of[int64](v)[i], h)
	case F32:
		return murmurInt(int32(F32Bits(Of[float32](v)[i])), h)
	case F64:
		return murmurLong(int64(F64Bits(Of[float64](v)[i])), h)
	case I128:
		return MurmurBytes(bigEndian(Of[types.Int128](v)[i]), h)
	case CalI:
		x := Of[types.CalendarValue](v)[i]
		return murmurInt(x.Months, murmurInt(x.Days, murmurLong(x.Micros, h)))
	case Bytes:
		return MurmurBytes(v.Bytes(i), h)
	case List:
		r := Refs(v)[i]
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			for _, c := range v.Child {
				h = murmurAt(c, k, h)
			}
		}
	case Group:
		for _, c := range v.Child {
			h = murmurAt(c, i, h)
		}
	}
	return h
}

// bigEndian is Java's BigInteger.toByteArray: the fewest big-endian bytes that
// keep the sign.
func bigEndian(x types.Int128) []byte {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(x.Hi))
	binary.BigEndian.PutUint64(b[8:], x.Lo)
	i := 0
	for i < 15 && (b[i] == 0 && b[i+1] < 0x80 || b[i] == 0xFF && b[i+1] >= 0x80) {
		i++
	}
	return append([]byte(nil), b[i:]...)
}

func murmurMix(k, h uint32) uint32 {
	k *= 0xcc9e2d51
	k = bits.RotateLeft32(k, 15)
	k *= 0x1b873593
	h ^= k
	h = bits.RotateLeft32(h, 13)
	return h*5 + 0xe6546b64
}

func murmurEnd(h, length uint32) int32 {
	h ^= length
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	h ^= h >> 16
	return int32(h)
}

func murmurInt(x, seed int32) int32 { return murmurEnd(murmurMix(uint32(x), uint32(seed)), 4) }

func murmurLong(x int64, seed int32) int32 {
	h := murmurMix(uint32(x), uint32(seed))
	return murmurEnd(murmurMix(uint32(uint64(x)>>32), h), 8)
}

// MurmurBytes is the hash of a string or binary value.
func MurmurBytes(b []byte, seed int32) int32 {
	h := uint32(seed)
	n := uint32(len(b))
	for len(b) >= 4 {
		h = murmurMix(binary.LittleEndian.Uint32(b), h)
		b = b[4:]
	}
	for _, x := range b {
		h = murmurMix(uint32(int32(int8(x))), h)
	}
	return murmurEnd(h, n)
}
