// Package sketch holds the summaries of Apache DataSketches: Theta, Tuple, KLL and HLL.
// Their serialized forms are those of datasketches-java 6 and the estimates
// are equal to its. References: the published binary formats, and the papers
// that each file names.
package sketch

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// ErrFormat says that bytes are no sketch of the kind asked for.
var ErrFormat = errors.New("not a sketch of that kind")

// defaultSeed is the seed of all hashes; seedHash is what sketches keep of it.
const (
	defaultSeed = 9001
	seedHash    = 0x93cc
)

// hash128 is MurmurHash3_x64_128 (Austin Appleby, public domain).
func hash128(b []byte, seed uint64) (uint64, uint64) {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	h1, h2 := seed, seed
	n := uint64(len(b))
	k1 := func(k uint64) uint64 { return bits.RotateLeft64(k*c1, 31) * c2 }
	k2 := func(k uint64) uint64 { return bits.RotateLeft64(k*c2, 33) * c1 }
	for ; len(b) >= 16; b = b[16:] {
		h1 ^= k1(binary.LittleEndian.Uint64(b))
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= k2(binary.LittleEndian.Uint64(b[8:]))
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
	}
	var tail [16]byte
	copy(tail[:], b)
	h1 ^= k1(binary.LittleEndian.Uint64(tail[:]))
	h2 ^= k2(binary.LittleEndian.Uint64(tail[8:]))
	h1 ^= n
	h2 ^= n
	h1 += h2
	h2 += h1
	h1, h2 = mix64(h1), mix64(h2)
	h1 += h2
	return h1, h1 + h2
}

func mix64(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// OfBytes, OfInt64 and OfFloat64 are the hashes by which values enter theta
// and tuple sketches: 63 bits, never 0 in practice.
func OfBytes(b []byte) uint64 {
	h, _ := hash128(b, defaultSeed)
	return h >> 1
}

// OfInt64 hashes an integer.
func OfInt64(x int64) uint64 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(x))
	return OfBytes(b[:])
}

// OfFloat64 hashes a double; -0.0 is 0.0, and there is one NaN.
func OfFloat64(x float64) uint64 {
	switch {
	case x == 0:
		x = 0
	case x != x:
		return OfInt64(0x7ff8000000000000)
	}
	if x == 0 {
		return OfInt64(0)
	}
	return OfInt64(int64(math.Float64bits(x)))
}
