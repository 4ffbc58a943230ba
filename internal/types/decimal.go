package types

import "math/bits"

// Pow10 has the powers of ten that fit an int64, 10^0 to 10^18.
var Pow10 = func() (p [19]int64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// Pow10Wide has 10^0 to 10^38.
var Pow10Wide = func() (p [39]Int128) {
	p[0] = I128(1)
	for i := 1; i < len(p); i++ {
		x := p[i-1]
		hi, lo := bits.Mul64(x.Lo, 10)
		p[i] = Int128{lo, int64(uint64(x.Hi)*10 + hi)}
	}
	return p
}()

// Wide is an unsigned 256-bit integer, low word first: the exact result of
// multiplying two decimals, before it is rounded.
type Wide [4]uint64

// Abs returns |a| as two words, low first, and whether a was negative.
func (a Int128) Abs() (lo, hi uint64, neg bool) {
	if a.Hi < 0 {
		a = a.Neg()
		return a.Lo, uint64(a.Hi), true
	}
	return a.Lo, uint64(a.Hi), false
}

// mulWide multiplies two unsigned 128-bit numbers.
func mulWide(alo, ahi, blo, bhi uint64) (w Wide) {
	h0, l0 := bits.Mul64(alo, blo)
	w[0] = l0
	if ahi|bhi == 0 {
		w[1] = h0
		return w
	}
	h1, l1 := bits.Mul64(alo, bhi)
	h2, l2 := bits.Mul64(ahi, blo)
	h3, l3 := bits.Mul64(ahi, bhi)
	var c, d uint64
	w[1], c = bits.Add64(h0, l1, 0)
	w[2], c = bits.Add64(h1, l3, c)
	w[3] = h3 + c
	w[1], d = bits.Add64(w[1], l2, 0)
	w[2], d = bits.Add64(w[2], h2, d)
	w[3] += d
	return w
}

// divWide divides n by d (not 0): Knuth's algorithm D over at most two words of divisor.
func divWide(n Wide, dlo, dhi uint64) (q Wide, rlo, rhi uint64) {
	if dhi == 0 {
		var r uint64
		for i := 3; i >= 0; i-- {
			if r == 0 && n[i] < dlo {
				r = n[i]
				continue
			}
			q[i], r = bits.Div64(r, n[i], dlo)
		}
		return q, r, 0
	}
	s := uint(bits.LeadingZeros64(dhi))
	d1 := dhi<<s | dlo>>1>>(63-s)
	d0 := dlo << s
	var u [5]uint64
	u[4] = n[3] >> 1 >> (63 - s)
	for i := 3; i > 0; i-- {
		u[i] = n[i]<<s | n[i-1]>>1>>(63-s)
	}
	u[0] = n[0] << s
	for j := 2; j >= 0; j-- {
		var qh, rh uint64
		var over bool
		if u[j+2] >= d1 {
			qh = ^uint64(0)
			var c uint64
			rh, c = bits.Add64(u[j+1], d1, 0)
			over = c != 0
		} else {
			qh, rh = bits.Div64(u[j+2], u[j+1], d1)
		}
		for !over {
			ph, pl := bits.Mul64(qh, d0)
			if ph < rh || ph == rh && pl <= u[j] {
				break
			}
			qh--
			var c uint64
			rh, c = bits.Add64(rh, d1, 0)
			over = c != 0
		}
		ph, pl := bits.Mul64(qh, d0)
		qhi, qlo := bits.Mul64(qh, d1)
		var c, b uint64
		mid, c := bits.Add64(ph, qlo, 0)
		top := qhi + c
		u[j], b = bits.Sub64(u[j], pl, 0)
		u[j+1], b = bits.Sub64(u[j+1], mid, b)
		u[j+2], b = bits.Sub64(u[j+2], top, b)
		if b != 0 {
			qh--
			u[j], c = bits.Add64(u[j], d0, 0)
			u[j+1], c = bits.Add64(u[j+1], d1, c)
			u[j+2] += c
		}
		q[j] = qh
	}
	rlo = u[0]>>s | u[1]<<1<<(63-s)
	rhi = u[1] >> s
	return q, rlo, rhi
}

// signed turns a magnitude back into an Int128; ok is false when it needs more than 127 bits.
func (w Wide) signed(neg bool) (Int128, bool) {
	if w[2]|w[3] != 0 || w[1]>>63 != 0 {
		return Int128{}, false
	}
	v := Int128{w[0], int64(w[1])}
	if neg {
		v = v.Neg()
	}
	return v, true
}

func (w Wide) inc() Wide {
	var c uint64 = 1
	for i := range w {
		w[i], c = bits.Add64(w[i], 0, c)
	}
	return w
}

// roundDiv divides a magnitude by 10^drop, rounding half up (away from zero).
func (w Wide) roundDiv(drop int) Wide {
	for drop > 38 {
		// Two steps round once only: the first truncates to a digit more than the half can see.
		w, _, _ = divWide(w, Pow10Wide[19].Lo, uint64(Pow10Wide[19].Hi))
		drop -= 19
	}
	if drop <= 0 {
		return w
	}
	p := Pow10Wide[drop]
	q, rlo, rhi := divWide(w, p.Lo, uint64(p.Hi))
	if !halfBelow(rlo, rhi, p.Lo, uint64(p.Hi)) {
		q = q.inc()
	}
	return q
}

// halfBelow reports whether 2r < d.
func halfBelow(rlo, rhi, dlo, dhi uint64) bool {
	lo, c := bits.Add64(rlo, rlo, 0)
	hi, c := bits.Add64(rhi, rhi, c)
	return c == 0 && (hi < dhi || hi == dhi && lo < dlo)
}

// MulRound returns a*b / 10^drop, rounded half up; ok is false when the result needs more than 127 bits.
func MulRound(a, b Int128, drop int) (v Int128, ok bool) {
	alo, ahi, an := a.Abs()
	blo, bhi, bn := b.Abs()
	return mulWide(alo, ahi, blo, bhi).roundDiv(drop).signed(an != bn)
}

// DivRound returns a * 10^shift / b (b not 0), rounded half up; shift may be negative.
// ok is false when the result needs more than 127 bits, or the intermediate more than 256.
func DivRound(a, b Int128, shift int) (v Int128, ok bool) {
	alo, ahi, an := a.Abs()
	blo, bhi, bn := b.Abs()
	n := Wide{alo, ahi}
	switch {
	case shift > 0:
		if n, ok = n.scaleUp(shift); !ok {
			return v, false
		}
	case shift < 0:
		w, ok := (Wide{blo, bhi}).scaleUp(-shift)
		if !ok || w[2]|w[3] != 0 {
			return Int128{}, ok || a.Sign() != 0 // the divisor is huge: the quotient rounds to 0
		}
		blo, bhi = w[0], w[1]
	}
	q, rlo, rhi := divWide(n, blo, bhi)
	if !halfBelow(rlo, rhi, blo, bhi) {
		q = q.inc()
	}
	return q.signed(an != bn)
}

func (w Wide) scaleUp(shift int) (Wide, bool) {
	for shift > 0 {
		k := min(shift, 19)
		p := Pow10Wide[k].Lo
		var c uint64
		for i := range w {
			hi, lo := bits.Mul64(w[i], p)
			var carry uint64
			w[i], carry = bits.Add64(lo, c, 0)
			c = hi + carry
		}
		if c != 0 {
			return w, false
		}
		shift -= k
	}
	return w, true
}

// QuoRem divides a, of scale sa, by b (not 0), of scale sb: the integral part
// of the quotient, and the remainder at scale max(sa, sb). Both truncate toward
// zero. ok is false when the quotient or the remainder needs more than 127 bits.
func QuoRem(a, b Int128, sa, sb int) (q, r Int128, ok bool) {
	alo, ahi, an := a.Abs()
	blo, bhi, bn := b.Abs()
	n, d := Wide{alo, ahi}, Wide{blo, bhi}
	var ok1, ok2 = true, true
	if sb > sa {
		n, ok1 = n.scaleUp(sb - sa)
	} else if sa > sb {
		d, ok2 = d.scaleUp(sa - sb)
	}
	if !ok1 || !ok2 {
		return q, r, false
	}
	if d[2]|d[3] != 0 {
		// |a| < 2^127 < |b|: the quotient is 0.
		return Int128{}, a, true
	}
	qw, rlo, rhi := divWide(n, d[0], d[1])
	q, ok1 = qw.signed(an != bn)
	r, ok2 = (Wide{rlo, rhi}).signed(an)
	return q, r, ok1 && ok2
}

// Mul returns a*b; ok is false when it needs more than 127 bits.
func (a Int128) Mul(b Int128) (v Int128, ok bool) {
	if a.IsInt64() && b.IsInt64() {
		return Mul64(int64(a.Lo), int64(b.Lo)), true
	}
	return MulRound(a, b, 0)
}

// DivMod10 divides by 10^n truncating; the remainder has a's sign. n <= 38.
func (a Int128) DivMod10(n int) (q, r Int128) {
	if a.IsInt64() && n <= 18 {
		v := int64(a.Lo)
		return I128(v / Pow10[n]), I128(v % Pow10[n])
	}
	lo, hi, neg := a.Abs()
	p := Pow10Wide[n]
	w, rlo, rhi := divWide(Wide{lo, hi}, p.Lo, uint64(p.Hi))
	q, _ = w.signed(neg)
	r, _ = (Wide{rlo, rhi}).signed(neg)
	return q, r
}

// Rescale changes the scale of a decimal, rounding half up; ok is false on more than 127 bits.
func Rescale(a Int128, from, to int) (v Int128, ok bool) {
	switch {
	case from == to:
		return a, true
	case to > from:
		d := to - from
		if d > 38 {
			return Int128{}, a.Sign() == 0
		}
		if d <= 18 && a.IsInt64() {
			return Mul64(int64(a.Lo), Pow10[d]), true
		}
		return a.Mul(Pow10Wide[d])
	}
	lo, hi, neg := a.Abs()
	return (Wide{lo, hi}).roundDiv(from - to).signed(neg)
}

// Fits reports whether |a| < 10^precision.
func (a Int128) Fits(precision int) bool {
	if precision > 38 {
		return true
	}
	lo, hi, _ := a.Abs()
	p := Pow10Wide[precision]
	return hi < uint64(p.Hi) || hi == uint64(p.Hi) && lo < p.Lo
}

// ToScale is Rescale followed by a check of the precision.
func ToScale(a Int128, from, precision, scale int) (v Int128, ok bool) {
	v, ok = Rescale(a, from, scale)
	return v, ok && v.Fits(precision)
}

// Digits is the number of decimal digits of |a|, 1 for 0.
func (a Int128) Digits() int {
	lo, hi, _ := a.Abs()
	for n := 1; n < len(Pow10Wide); n++ {
		p := Pow10Wide[n]
		if hi < uint64(p.Hi) || hi == uint64(p.Hi) && lo < p.Lo {
			return n
		}
	}
	return 39
}

// Float64 returns the double nearest to a / 10^scale.
func (a Int128) Float64(scale int) float64 {
	if a.IsInt64() && scale <= 18 {
		if v := int64(a.Lo); scale == 0 {
			return float64(v)
		} else if v > -1<<53 && v < 1<<53 && scale <= 22 {
			return float64(v) / float64(Pow10[scale]) // both exact: one correct rounding
		}
	}
	return parseExact(AppendDecimal(make([]byte, 0, 48), a, scale))
}
