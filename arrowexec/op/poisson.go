package op

import "math"

// well19937c is the generator of that name (Panneton, L'Ecuyer, Matsumoto),
// seeded as Apache Commons Math seeds it: Spark draws Poisson variables with it.
type well19937c struct {
	v  [624]uint32
	at int
}

func newWell(seed int64) *well19937c {
	w := &well19937c{}
	w.v[0], w.v[1] = uint32(uint64(seed)>>32), uint32(seed)
	for i := 2; i < len(w.v); i++ {
		l := int64(int32(w.v[i-2]))
		w.v[i] = uint32(1812433253*(l^l>>30) + int64(i))
	}
	return w
}

func (w *well19937c) next(bits uint) uint32 {
	const r = len(w.v)
	i := w.at
	m1, m2 := (i+r-1)%r, (i+r-2)%r
	v0, v1, v2, v3 := w.v[i], w.v[(i+70)%r], w.v[(i+179)%r], w.v[(i+449)%r]
	z0 := 0x80000000&w.v[m1] ^ 0x7fffffff&w.v[m2]
	z1 := v0 ^ v0<<25 ^ v1 ^ v1>>27
	z2 := v2>>9 ^ v3 ^ v3>>1
	z3 := z1 ^ z2
	z4 := z0 ^ z1 ^ z1<<9 ^ z2 ^ z2<<21 ^ z3 ^ z3>>21
	w.v[i], w.v[m1] = z3, z4
	w.v[m2] &= 0x80000000
	w.at = m1
	z4 ^= z4 << 7 & 0xe46e1700
	z4 ^= z4 << 15 & 0x9b868000
	return z4 >> (32 - bits)
}

func (w *well19937c) double() float64 {
	hi := uint64(w.next(26)) << 26
	return float64(hi|uint64(w.next(26))) * 0x1p-52
}

// maxPoisson is the mean from which on Commons Math draws in another way.
const maxPoisson = 40

// poisson draws a variable of a mean below maxPoisson; p is exp(-mean).
func (w *well19937c) poisson(mean, p float64) int {
	n, r := 0, 1.0
	for float64(n) < 1000*mean {
		if r *= w.double(); r < p {
			break
		}
		n++
	}
	return n
}

// replacing repeats each row by a Poisson variable.
type replacing struct {
	rand *well19937c
	mean float64
	p    float64
}

func newReplacing(mean float64, seed int64) *replacing {
	return &replacing{newWell(seed), mean, math.Exp(-mean)}
}

func (r *replacing) times() int {
	if r.mean <= 0 {
		return 0
	}
	return r.rand.poisson(r.mean, r.p)
}

// javaLong is the long number n, from 0, that a java.util.Random of a seed gives.
func javaLong(seed int64, n int) int64 {
	const mul, mask = 0x5deece66d, 1<<48 - 1
	x := (uint64(seed) ^ mul) & mask
	next := func() int64 {
		x = (x*mul + 11) & mask
		return int64(int32(x >> 16))
	}
	var out int64
	for range n + 1 {
		hi := next()
		out = hi<<32 + next()
	}
	return out
}
