package types

import (
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendInt128 writes a in decimal.
func AppendInt128(dst []byte, a Int128) []byte {
	if a.IsInt64() {
		return strconv.AppendInt(dst, int64(a.Lo), 10)
	}
	lo, hi, neg := a.Abs()
	if neg {
		dst = append(dst, '-')
	}
	w := Wide{lo, hi}
	var part [3]uint64
	n := 0
	for w[1] != 0 || n == 0 && w[0] != 0 || w[0] != 0 {
		w, part[n], _ = divWide(w, uint64(Pow10[18]), 0)
		n++
	}
	dst = strconv.AppendUint(dst, part[n-1], 10)
	for i := n - 2; i >= 0; i-- {
		dst = appendPadded(dst, part[i], 18)
	}
	return dst
}

// appendPadded writes v with leading zeros to width digits (at most 20).
func appendPadded(dst []byte, v uint64, width int) []byte {
	var buf [20]byte
	i := len(buf)
	for v > 0 || width > 0 {
		i--
		buf[i] = byte('0' + v%10)
		v /= 10
		width--
	}
	return append(dst, buf[i:]...)
}

// AppendDecimal writes a decimal without an exponent: "-0.05", "12".
func AppendDecimal(dst []byte, v Int128, scale int) []byte {
	if scale <= 0 {
		dst = AppendInt128(dst, v)
		if v.Sign() != 0 {
			for ; scale < 0; scale++ {
				dst = append(dst, '0')
			}
		}
		return dst
	}
	if v.IsInt64() && scale <= 18 {
		x := int64(v.Lo)
		u := uint64(x)
		if x < 0 {
			dst = append(dst, '-')
			u = -u
		}
		p := uint64(Pow10[scale])
		dst = strconv.AppendUint(dst, u/p, 10)
		dst = append(dst, '.')
		return appendPadded(dst, u%p, scale)
	}
	var buf [48]byte
	s := AppendInt128(buf[:0], v)
	if s[0] == '-' {
		dst = append(dst, '-')
		s = s[1:]
	}
	if len(s) <= scale {
		dst = append(dst, '0', '.')
		for i := len(s); i < scale; i++ {
			dst = append(dst, '0')
		}
		return append(dst, s...)
	}
	dst = append(dst, s[:len(s)-scale]...)
	dst = append(dst, '.')
	return append(dst, s[len(s)-scale:]...)
}

// AppendDecimalSci writes a decimal as Java's BigDecimal.toString does: with an
// exponent where the value is below 10^-6 (casts outside ANSI mode).
func AppendDecimalSci(dst []byte, v Int128, scale int) []byte {
	digits := v.Digits()
	exp := digits - 1 - scale
	if scale >= 0 && exp >= -6 {
		return AppendDecimal(dst, v, scale)
	}
	var buf [48]byte
	s := AppendInt128(buf[:0], v)
	if s[0] == '-' {
		dst = append(dst, '-')
		s = s[1:]
	}
	dst = append(dst, s[0])
	if len(s) > 1 {
		dst = append(dst, '.')
		dst = append(dst, s[1:]...)
	}
	dst = append(dst, 'E')
	if exp > 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, int64(exp), 10)
}

// AppendDouble writes x as Java's Double.toString: shortest digits, a point
// always, an exponent outside [1e-3, 1e7).
func AppendDouble(dst []byte, x float64) []byte { return appendFloat(dst, x, 64) }

// AppendFloat is AppendDouble for single precision.
func AppendFloat(dst []byte, x float32) []byte { return appendFloat(dst, float64(x), 32) }

func appendFloat(dst []byte, x float64, size int) []byte {
	switch {
	case math.IsNaN(x):
		return append(dst, "NaN"...)
	case math.IsInf(x, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(x, -1):
		return append(dst, "-Infinity"...)
	}
	abs := math.Abs(x)
	if abs == 0 || abs >= 1e-3 && abs < 1e7 {
		from := len(dst)
		dst = strconv.AppendFloat(dst, x, 'f', -1, size)
		for _, c := range dst[from:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, '.', '0')
	}
	var buf [32]byte
	s := strconv.AppendFloat(buf[:0], x, 'e', -1, size)
	e := len(s) - 1
	for s[e] != 'e' {
		e--
	}
	from := len(dst)
	dst = append(dst, s[:e]...)
	point := false
	for _, c := range dst[from:] {
		point = point || c == '.'
	}
	if !point {
		// Java looks at two digits at least: 4.9E-324, where 5E-324 would do.
		digit := byte('0')
		if abs < 1e-300 || size == 32 && abs < 1e-36 {
			var two [32]byte
			t := strconv.AppendFloat(two[:0], abs, 'e', 1, size)
			if f, err := strconv.ParseFloat(string(t), size); err == nil && f == abs {
				dst[len(dst)-1] = t[0]
				digit = t[2]
			}
		}
		dst = append(dst, '.', digit)
	}
	dst = append(dst, 'E')
	s = s[e+1:]
	if s[0] == '-' {
		dst = append(dst, '-')
	}
	s = s[1:]
	for len(s) > 1 && s[0] == '0' {
		s = s[1:]
	}
	return append(dst, s...)
}

// AppendUTF8 writes bytes as text: what isn't UTF-8 becomes U+FFFD, as Java's decoder has it.
func AppendUTF8(dst, b []byte) []byte {
	if utf8.Valid(b) {
		return append(dst, b...)
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			dst = append(dst, "\uFFFD"...)
			b = b[1:]
			continue
		}
		dst = append(dst, b[:n]...)
		b = b[n:]
	}
	return dst
}
