package fn

import (
	"math"
	"math/big"
	"sync"
)

// The elementary functions to the last digit as the JVM has them. Its StrictMath is defined by the algorithms of fdlibm
// (Sun Microsystems, 1993: freely granted), whose approximations and coefficients stand below; Go's own differ in the last
// digit for a value in four. Sine, cosine and tangent the JVM computes almost always correctly rounded, as is done here in
// doubled precision.

// highWord and withHigh are the sign, the exponent and the first 20 digits of a double; cleared is x without its low word.
func highWord(x float64) int32 { return int32(math.Float64bits(x) >> 32) }

func withHigh(x float64, h int32) float64 {
	return math.Float64frombits(math.Float64bits(x)&0xffffffff | uint64(uint32(h))<<32)
}

func cleared(x float64) float64 {
	return math.Float64frombits(math.Float64bits(x) &^ 0xffffffff)
}

const (
	ln2High   = 6.93147180369123816490e-01
	ln2Low    = 1.90821492927058770002e-10
	overLn2   = 1.44269504088896338700e+00
	halfPi    = 1.57079632679489655800e+00
	halfPiLow = 6.12323399573676603587e-17
)

// expTail is z*c of the approximation z - z^2*P(z^2) that exp and pow share.
func expTail(z float64) float64 {
	t := z * z
	return z - t*(1.66666666666666019037e-01+t*(-2.77777777770155933842e-03+t*(6.61375632143793436117e-05+t*(-1.65339022054652515390e-06+t*4.13813679705723846039e-08))))
}

func strictExp(x float64) float64 {
	if !(math.Abs(x) < 745) {
		return math.Exp(x)
	}
	h := highWord(x) & 0x7fffffff
	k, hi, lo := 0, x, 0.0
	switch {
	case h > 0x3fd62e42 && h < 0x3ff0a2b2: // up to 1.5 ln 2
		k = 1
		if x < 0 {
			k = -1
		}
		hi, lo = x-float64(k)*ln2High, float64(k)*ln2Low
	case h > 0x3fd62e42:
		k = int(overLn2*x + math.Copysign(0.5, x))
		hi, lo = x-float64(k)*ln2High, float64(k)*ln2Low
	case h < 0x3e300000:
		return 1 + x
	}
	r := hi - lo
	c := expTail(r)
	if k == 0 {
		return 1 - ((r*c)/(c-2) - r)
	}
	return math.Ldexp(1-((lo-(r*c)/(2-c))-hi), k)
}

// exponent is the binary exponent of a positive number, the high word of its digits, and the number itself, scaled up where
// it was subnormal.
func exponent(x float64) (k int, h int32, scaled float64) {
	if x < 0x1p-1022 {
		k, x = -54, x*0x1p54
	}
	h = highWord(x)
	return k + int(h>>20) - 1023, h, x
}

func strictLog(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log(x)
	}
	k, h, x := exponent(x)
	h &= 0xfffff
	i := (h + 0x95f64) & 0x100000
	x = withHigh(x, h|(i^0x3ff00000))
	k += int(i >> 20)
	f, d := x-1, float64(k)
	if 0xfffff&(2+h) < 3 { // f is small
		if f == 0 {
			return d*ln2High + d*ln2Low
		}
		r := f * f * (0.5 - 0.33333333333333333*f)
		if k == 0 {
			return f - r
		}
		return d*ln2High - ((r - d*ln2Low) - f)
	}
	s := f / (2 + f)
	z := s * s
	w := z * z
	r := z*(6.666666666666735130e-01+w*(2.857142874366239149e-01+w*(1.818357216161805012e-01+w*1.479819860511658591e-01))) +
		w*(3.999999999940941908e-01+w*(2.222219843214978396e-01+w*1.531383769920937332e-01))
	if (h-0x6147a)|(0x6b851-h) > 0 {
		half := 0.5 * f * f
		if k == 0 {
			return f - (half - s*(half+r))
		}
		return d*ln2High - ((half - (s*(half+r) + d*ln2Low)) - f)
	}
	if k == 0 {
		return f - s*(f-r)
	}
	return d*ln2High - ((s*(f-r) - d*ln2Low) - f)
}

func strictLog10(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log10(x)
	}
	k, h, x := exponent(x)
	i := int32(0)
	if k < 0 {
		i = 1
	}
	y := float64(k + int(i))
	x = withHigh(x, h&0xfffff|(0x3ff-i)<<20)
	return y*3.69423907715893078616e-13 + 4.34294481903251816668e-01*strictLog(x) + y*3.01029995663611771306e-01
}

// arcRatio is the approximation that asin and acos share.
func arcRatio(t float64) float64 {
	p := t * (1.66666666666666657415e-01 + t*(-3.25565818622400915405e-01+t*(2.01212532134862925881e-01+t*(-4.00555345006794114027e-02+t*(7.91534994289814532176e-04+t*3.47933107596021167570e-05)))))
	q := 1 + t*(-2.40339491173441421878e+00+t*(2.02094576023350569471e+00+t*(-6.88283971605453293030e-01+t*7.70381505559019352791e-02)))
	return p / q
}

func strictAsin(x float64) float64 {
	a := math.Abs(x)
	switch {
	case !(a <= 1):
		return math.NaN()
	case a == 1:
		return x*halfPi + x*halfPiLow
	case a < 0x1p-27:
		return x
	case a < 0.5:
		return x + x*arcRatio(x*x)
	}
	t := (1 - a) * 0.5
	r, s := arcRatio(t), math.Sqrt(t)
	if highWord(a) >= 0x3fef3333 {
		return math.Copysign(halfPi-(2*(s+s*r)-halfPiLow), x)
	}
	w := cleared(s)
	c := (t - w*w) / (s + w)
	p := 2*s*r - (halfPiLow - 2*c)
	q := 7.85398163397448278999e-01 - 2*w
	return math.Copysign(7.85398163397448278999e-01-(p-q), x)
}

func strictAcos(x float64) float64 {
	a := math.Abs(x)
	switch {
	case !(a <= 1):
		return math.NaN()
	case x == 1:
		return 0
	case x == -1:
		return float64(math.Pi) // the sum with its low part, rounded
	case highWord(a) <= 0x3c600000:
		return halfPi + halfPiLow
	case a < 0.5:
		return halfPi - (x - (halfPiLow - x*arcRatio(x*x)))
	case x < 0:
		z := (1 + x) * 0.5
		s := math.Sqrt(z)
		w := arcRatio(z)*s - halfPiLow
		return math.Pi - 2*(s+w)
	}
	z := (1 - x) * 0.5
	s := math.Sqrt(z)
	d := cleared(s)
	c := (z - d*d) / (s + d)
	w := arcRatio(z)*s + c
	return 2 * (d + w)
}

var (
	atanHigh = [4]float64{4.63647609000806093515e-01, 7.85398163397448278999e-01, 9.82793723247329054082e-01, halfPi}
	atanLow  = [4]float64{2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17, halfPiLow}
)

func strictAtan(x float64) float64 {
	v := math.Abs(x)
	id := -1
	switch {
	case x != x:
		return x
	case v >= 0x1p66:
		return math.Copysign(atanHigh[3]+atanLow[3], x)
	case v < 0x1p-29:
		return x
	case v < 0.4375:
		v = x
	case v < 0.6875:
		id, v = 0, (2*v-1)/(2+v)
	case v < 1.1875:
		id, v = 1, (v-1)/(v+1)
	case v < 2.4375:
		id, v = 2, (v-1.5)/(1+1.5*v)
	default:
		id, v = 3, -1/v
	}
	z := v * v
	w := z * z
	s1 := z * (3.33333333333329318027e-01 + w*(1.42857142725034663711e-01+w*(9.09088713343650656196e-02+w*(6.66107313738753120669e-02+w*(4.97687799461593236017e-02+w*1.62858201153657823623e-02)))))
	s2 := w * (-1.99999999998764832476e-01 + w*(-1.11111104054623557880e-01+w*(-7.69187620504482999495e-02+w*(-5.83357013379057348645e-02+w*-3.65315727442169155270e-02))))
	if id < 0 {
		return v - v*(s1+s2)
	}
	return math.Copysign(atanHigh[id]-((v*(s1+s2)-atanLow[id])-v), x)
}

func strictAtan2(y, x float64) float64 {
	const piLow = 1.2246467991473531772e-16
	y, x = y+0, x+0 // no -0.0, as in Spark
	if x == 0 || y == 0 || x != x || y != y || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return math.Atan2(y, x)
	}
	if x == 1 {
		return strictAtan(y)
	}
	k := (highWord(y)&0x7fffffff - highWord(x)&0x7fffffff) >> 20
	z := 0.0
	switch {
	case k > 60:
		z = halfPi + 0.5*piLow
	case x < 0 && k < -60:
	default:
		z = strictAtan(math.Abs(y / x))
	}
	switch {
	case x > 0:
		return math.Copysign(z, y)
	case y > 0:
		return math.Pi - (z - piLow)
	}
	return (z - piLow) - math.Pi
}

func strictSinh(x float64) float64 {
	a, h := math.Abs(x), math.Copysign(0.5, x)
	switch {
	case !(a < 710):
		return math.Sinh(x)
	case a < 0x1p-28:
		return x
	case a < 22:
		t := math.Expm1(a)
		if a < 1 {
			return h * (2*t - t*t/(t+1))
		}
		return h * (t + t/(t+1))
	case a < 709.7822265625:
		return h * strictExp(a)
	}
	w := strictExp(0.5 * a)
	return h * w * w
}

func strictCosh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case !(a < 710):
		return math.Cosh(x)
	case highWord(a) < 0x3fd62e43:
		t := math.Expm1(a)
		w := 1 + t
		if a < 0x1p-55 {
			return w
		}
		return 1 + (t*t)/(w+w)
	case a < 22:
		t := strictExp(a)
		return 0.5*t + 0.5/t
	case a < 709.7822265625:
		return 0.5 * strictExp(a)
	}
	w := strictExp(0.5 * a)
	return 0.5 * w * w
}

func strictTanh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case x != x:
		return x
	case a >= 22:
		return math.Copysign(1, x)
	case a < 0x1p-55:
		return x * (1 + x)
	case a >= 1:
		return math.Copysign(1-2/(math.Expm1(2*a)+2), x)
	}
	t := math.Expm1(-2 * a)
	return math.Copysign(-t/(t+2), x)
}

func strictCbrt(x float64) float64 {
	a := math.Abs(x)
	if a == 0 || !(a <= math.MaxFloat64) {
		return x
	}
	var t float64
	if a < 0x1p-1022 {
		t = withHigh(0, highWord(0x1p54*a)/3+696219795)
	} else {
		t = withHigh(0, highWord(a)/3+715094163)
	}
	r := t * t / a
	s := 5.42857142857142815906e-01 + r*t
	t *= 3.57142857142857150787e-01 + 1.60714285714285720630e+00/(s+1.41428571428571436819e+00+-7.05306122448979611050e-01/s)
	t = withHigh(0, highWord(t)+1)
	s = t * t
	r = a / s
	r = (r - t) / (t + t + r)
	return math.Copysign(t+t*r, x)
}

func strictHypot(x, y float64) float64 {
	a, b := math.Abs(x), math.Abs(y)
	if a < b {
		a, b = b, a
	}
	if b == 0 || !(a <= math.MaxFloat64) || b != b || highWord(a)-highWord(b) > 0x3c00000 {
		if math.IsInf(a, 1) || math.IsInf(b, 1) {
			return math.Inf(1)
		}
		return a + b
	}
	scale := 0
	if a > 0x1p500 {
		scale = 600
	} else if b < 0x1p-500 {
		scale = -600
		if b < 0x1p-1022 {
			scale = -1022
		}
	}
	a, b = math.Ldexp(a, -scale), math.Ldexp(b, -scale)
	w := a - b
	if w > b {
		t1 := cleared(a)
		t2 := a - t1
		w = math.Sqrt(t1*t1 - (b*(-b) - t2*(a+t1)))
	} else {
		h := highWord(a)
		a += a
		y1 := cleared(b)
		y2 := b - y1
		t1 := withHigh(0, h+0x100000)
		t2 := a - t1
		w = math.Sqrt(t1*y1 - (w*(-w) - (t1*y2 + t2*b)))
	}
	return math.Ldexp(w, scale)
}

// strictPow is pow where neither argument is special; else Go's has the same rules.
func strictPow(x, y float64) float64 {
	a := math.Abs(x)
	switch {
	case y == 1:
		return x
	case y == 2:
		return x * x
	case y == -1:
		return 1 / x
	case y == 0.5 && x >= 0 && a <= math.MaxFloat64:
		return math.Sqrt(x)
	case a == 0 || a == 1 || y == 0 || !(a <= math.MaxFloat64) || !(math.Abs(y) <= 0x1p31) || x < 0 && y != math.Trunc(y):
		return math.Pow(x, y)
	}
	sign := 1.0
	if x < 0 && math.Mod(y, 2) != 0 {
		sign = -1
	}
	n := 0
	if a < 0x1p-1022 {
		a, n = a*0x1p53, -53
	}
	h := highWord(a)
	n += int(h>>20) - 0x3ff
	j := h & 0xfffff
	h = j | 0x3ff00000
	base, dHigh, dLow, k := 1.0, 0.0, 0.0, int32(0)
	switch {
	case j <= 0x3988e:
	case j < 0xbb67a:
		base, dHigh, dLow, k = 1.5, 5.84962487220764160156e-01, 1.35003920212974897128e-08, 1
	default:
		n++
		h -= 0x100000
	}
	a = withHigh(a, h)
	u := a - base
	v := 1 / (a + base)
	s := u * v
	sHigh := cleared(s)
	tHigh := withHigh(0, (h>>1|0x20000000)+0x80000+k<<18)
	tLow := a - (tHigh - base)
	sLow := v * ((u - sHigh*tHigh) - sHigh*tLow)
	s2 := s * s
	r := s2 * s2 * (5.99999999999994648725e-01 + s2*(4.28571428578550184252e-01+s2*(3.33333329818377432918e-01+s2*(2.72728123808534006489e-01+s2*(2.30660745775561754067e-01+s2*2.06975017800338417784e-01)))))
	r += sLow * (sHigh + s)
	s2 = sHigh * sHigh
	tHigh = cleared(3 + s2 + r)
	tLow = r - ((tHigh - 3) - s2)
	u = sHigh * tHigh
	v = sLow*tHigh + tLow*s
	pHigh := cleared(u + v)
	pLow := v - (pHigh - u)
	zHigh := 9.61796700954437255859e-01 * pHigh
	zLow := -7.02846165095275826516e-09*pHigh + pLow*9.61796693925975554329e-01 + dLow
	t := float64(n)
	t1 := cleared(((zHigh + zLow) + dHigh) + t)
	t2 := zLow - (((t1 - t) - dHigh) - zHigh)

	y1 := cleared(y)
	pLow = (y-y1)*t1 + y*t2
	pHigh = y1 * t1
	z := pLow + pHigh
	if !(z < 1023.5 && z > -1021.5) {
		return math.Pow(x, y)
	}
	n = 0
	if math.Abs(z) > 0.5 {
		whole := math.Floor(math.Abs(z) + 0.5)
		n = int(math.Copysign(whole, z))
		pHigh -= float64(n)
	}
	t = cleared(pLow + pHigh)
	u = t * 6.93147182464599609375e-01
	v = (pLow-(t-pHigh))*6.93147180559945286227e-01 + t*-1.90465429995776804525e-09
	z = u + v
	w := v - (z - u)
	t1 = expTail(z)
	r = (z*t1)/(t1-2) - (w + z*w)
	return sign * math.Ldexp(1-(r-z), n)
}

// double is the sum of two doubles, the second less than half a last digit of the first.
type double struct{ hi, lo float64 }

func twoSum(a, b float64) double {
	s := a + b
	x := s - a
	return double{s, (a - (s - x)) + (b - x)}
}

func (a double) times(b double) double {
	p := a.hi * b.hi
	e := math.FMA(a.hi, b.hi, -p) + (a.hi*b.lo + a.lo*b.hi)
	s := p + e
	return double{s, e - (s - p)}
}

func (a double) plus(b double) double {
	s := twoSum(a.hi, b.hi)
	e := s.lo + a.lo + b.lo
	h := s.hi + e
	return double{h, e - (h - s.hi)}
}

func (a double) over(b double) float64 {
	q := a.hi / b.hi
	r := math.FMA(-q, b.hi, a.hi) + a.lo - q*b.lo
	return q + r/b.hi
}

// quarterTurns takes multiples of a quarter turn off x; what is left is within an eighth, to about 100 digits of 2.
func quarterTurns(x float64) (r double, n int64) {
	if math.Abs(x) >= turnsMost {
		return longTurns(x)
	}
	const p1, p2, p3 = halfPi, halfPiLow, -1.4973849048591698e-33
	k := math.RoundToEven(x * (2 / math.Pi))
	a := k * p1
	aLow := math.FMA(k, p1, -a)
	b := k * p2
	bLow := math.FMA(k, p2, -b)
	s := double{x - a, 0} // exact: they are close
	s = s.plus(double{-aLow, 0}).plus(double{-b, 0}).plus(double{-bLow - k*p3, 0})
	return s, int64(k)
}

// sineOf and cosineOf are series; only their first terms need doubled precision.
func sineOf(r double) double {
	z := r.times(r)
	t := z.hi
	tail := t * (-1.0/39916800 + t*(1.0/6227020800+t*(-1.0/1307674368000+t*(1.0/355687428096000+t*(-1.0/121645100408832000)))))
	s := double{2.7557319223985893e-06, -1.858393274046472e-22}.plus(double{tail, 0})
	s = s.times(z).plus(double{-1.984126984126984e-04, -1.7209558293420705e-22})
	s = s.times(z).plus(double{8.333333333333333e-03, 1.1564823173178714e-19})
	s = s.times(z).plus(double{-1.6666666666666666e-01, -9.25185853854297e-18})
	return s.times(z).times(r).plus(r)
}

func cosineOf(r double) double {
	z := r.times(r)
	t := z.hi
	tail := t * (-1.0/3628800 + t*(1.0/479001600+t*(-1.0/87178291200+t*(1.0/20922789888000+t*(-1.0/6402373705728000)))))
	s := double{2.48015873015873e-05, 2.1511947866775882e-23}.plus(double{tail, 0})
	s = s.times(z).plus(double{-1.388888888888889e-03, 5.300543954373577e-20})
	s = s.times(z).plus(double{4.1666666666666664e-02, 2.3129646346357427e-18})
	s = s.times(z).plus(double{-0.5, 0})
	return s.times(z).plus(double{1, 0})
}

// turnsMost is up to where quarterTurns is exact enough by three parts of a quarter turn.
const turnsMost = 1 << 30

// quarterTurn is a quarter turn to 1,216 digits of 2: enough for the greatest double.
var quarterTurn = sync.OnceValue(func() *big.Float {
	const digits = 1216
	arctan := func(n int64) *big.Int { // of 1/n, by its series
		square := big.NewInt(n * n)
		term := new(big.Int).Lsh(big.NewInt(1), digits+32)
		term.Quo(term, big.NewInt(n))
		sum := new(big.Int).Set(term)
		part := new(big.Int)
		for k := int64(3); term.Sign() != 0; k += 2 {
			if part.Quo(term.Quo(term, square), big.NewInt(k)); k%4 == 3 {
				sum.Sub(sum, part)
			} else {
				sum.Add(sum, part)
			}
		}
		return sum
	}
	// Machin: an eighth is 4 arctan(1/5) - arctan(1/239).
	eighth := arctan(5)
	eighth.Sub(eighth.Lsh(eighth, 2), arctan(239))
	quarter := new(big.Float).SetPrec(digits).SetInt(eighth)
	return quarter.SetMantExp(quarter, 1-(digits+32))
})

// longTurns is quarterTurns for numbers from turnsMost on.
func longTurns(x float64) (r double, n int64) {
	quarter := quarterTurn()
	v := new(big.Float).SetPrec(quarter.Prec()).SetFloat64(x)
	q := new(big.Float).Quo(v, quarter)
	k, _ := q.Add(q, big.NewFloat(math.Copysign(0.5, x))).Int(nil) // rounded, halves away from 0
	v.Sub(v, new(big.Float).SetPrec(quarter.Prec()).Mul(new(big.Float).SetInt(k), quarter))
	r.hi, _ = v.Float64()
	r.lo, _ = v.Sub(v, big.NewFloat(r.hi)).Float64()
	return r, new(big.Int).And(k, big.NewInt(3)).Int64()
}

func roundedSin(x float64) float64 {
	if a := math.Abs(x); !(a <= math.MaxFloat64) || a < 0x1p-27 {
		return math.Sin(x)
	}
	r, n := quarterTurns(x)
	v := r
	switch n & 3 {
	case 0:
		v = sineOf(r)
	case 1:
		v = cosineOf(r)
	case 2:
		v = sineOf(r)
		v.hi = -v.hi
	case 3:
		v = cosineOf(r)
		v.hi = -v.hi
	}
	return v.hi
}

func roundedCos(x float64) float64 {
	if !(math.Abs(x) <= math.MaxFloat64) {
		return math.Cos(x)
	}
	r, n := quarterTurns(x)
	switch n & 3 {
	case 0:
		return cosineOf(r).hi
	case 1:
		return -sineOf(r).hi
	case 2:
		return -cosineOf(r).hi
	}
	return sineOf(r).hi
}

func roundedTan(x float64) float64 {
	if a := math.Abs(x); !(a <= math.MaxFloat64) || a < 0x1p-27 {
		return math.Tan(x)
	}
	r, n := quarterTurns(x)
	s, c := sineOf(r), cosineOf(r)
	if n&1 == 0 {
		return s.over(c)
	}
	return -c.over(s)
}

func strictAsinh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case !(a <= math.MaxFloat64), a < 0x1p-28:
		return x
	case a > 0x1p28:
		a = strictLog(a) + math.Ln2
	case a > 2:
		a = strictLog(2*a + 1/(math.Sqrt(a*a+1)+a))
	default:
		a = math.Log1p(a + a*a/(1+math.Sqrt(1+a*a)))
	}
	return math.Copysign(a, x)
}

func strictAcosh(x float64) float64 {
	switch {
	case !(x >= 1):
		return math.NaN()
	case x > 0x1p28:
		return strictLog(x) + math.Ln2
	case x > 2:
		return strictLog(2*x - 1/(x+math.Sqrt(x*x-1)))
	}
	t := x - 1
	return math.Log1p(t + math.Sqrt(2*t+t*t))
}
