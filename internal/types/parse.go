package types

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// TrimAll takes ASCII white space and control characters off both ends, as casts from strings do.
func TrimAll(s string) string {
	i, j := 0, len(s)
	for i < j && (s[i] <= ' ' || s[i] == 0x7f) {
		i++
	}
	for j > i && (s[j-1] <= ' ' || s[j-1] == 0x7f) {
		j--
	}
	return s[i:j]
}

func parseExact(b []byte) float64 {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return f // out of range gives the infinity that is wanted
	}
	return f
}

// ParseInt reads an integer for a type of that many bits. With fraction set
// digits after a point are read and dropped ("1.9" is 1: casts outside ANSI mode).
func ParseInt(s string, bits int, fraction bool) (int64, bool) {
	s = TrimAll(s)
	neg := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if s == "" || s == "." {
		return 0, false
	}
	limit := uint64(1)<<(bits-1) - 1
	if neg {
		limit++
	}
	var v uint64
	i := 0
	for ; i < len(s) && s[i] != '.'; i++ {
		d := uint64(s[i] - '0')
		if d > 9 || v > (limit-d)/10 {
			return 0, false
		}
		v = v*10 + d
	}
	if i < len(s) {
		if !fraction {
			return 0, false
		}
		for i++; i < len(s); i++ {
			if s[i]-'0' > 9 {
				return 0, false
			}
		}
	}
	if neg {
		return -int64(v), true
	}
	return int64(v), true
}

// ParseDouble reads what Java's Double.parseDouble does, and the words for
// infinity and NaN in any case. bits is 32 or 64.
func ParseDouble(s string, bits int) (float64, bool) {
	s = TrimAll(s)
	if s == "" {
		return 0, false
	}
	last := s[len(s)-1]
	if last >= '0' && last <= '9' || last == '.' {
		if strings.IndexByte(s, '_') >= 0 || strings.IndexByte(s, 'x') >= 0 || strings.IndexByte(s, 'X') >= 0 {
			return parseHexDouble(s, bits)
		}
		return parseFloat(s, bits)
	}
	switch strings.ToLower(s) {
	case "inf", "+inf", "infinity", "+infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	case "nan":
		return math.NaN(), true
	}
	switch last {
	case 'd', 'D', 'f', 'F':
		s = s[:len(s)-1]
		if s != "" && (s[len(s)-1] >= '0' && s[len(s)-1] <= '9' || s[len(s)-1] == '.') {
			if strings.ContainsAny(s, "xX_") {
				return parseHexDouble(s, bits)
			}
			return parseFloat(s, bits)
		}
	}
	return 0, false
}

func parseHexDouble(s string, bits int) (float64, bool) {
	if strings.IndexByte(s, '_') >= 0 || !strings.ContainsAny(s, "pP") {
		return 0, false
	}
	return parseFloat(s, bits)
}

func parseFloat(s string, bits int) (float64, bool) {
	f, err := strconv.ParseFloat(s, bits)
	if err != nil {
		if !errors.Is(err, strconv.ErrRange) {
			return 0, false
		}
	}
	return f, true
}

// ParseBool reads the words for true and false that casts take.
func ParseBool(s string) (v, ok bool) {
	s = TrimAll(s)
	if len(s) > 5 {
		return false, false
	}
	switch strings.ToLower(s) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}

// DecimalParse says how reading a decimal went.
type DecimalParse uint8

// The outcomes of ParseDecimal.
const (
	DecimalOK       DecimalParse = iota
	DecimalBad                   // not a number
	DecimalTooLarge              // a number of more than 38 digits before the point
)

// ParseDecimal reads a number such as "-12.50" or "1e-3" at the given scale,
// rounding half up. The precision isn't checked.
func ParseDecimal(s string, scale int) (Int128, DecimalParse) {
	v, sc, r := ParseDecimalExact(s, scale)
	if r != DecimalOK {
		return v, r
	}
	v, ok := Rescale(v, sc, scale)
	if !ok {
		return v, DecimalTooLarge
	}
	return v, DecimalOK
}

// ParseDecimalExact reads a number and the scale it is written with. Digits
// beyond 38 are dropped after rounding half up, if they are behind the point.
func ParseDecimalExact(s string, wantScale int) (v Int128, scale int, r DecimalParse) {
	s = TrimAll(s)
	i := 0
	neg := false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	digits, seen := 0, false // digits counts significant ones kept
	var lo uint64            // the digits, while they fit
	wide := Int128{}
	isWide := false
	dropped, roundUp, firstDrop := 0, false, true
	point := -1
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			if point >= 0 {
				return v, 0, DecimalBad
			}
			point = 0
			continue
		}
		d := c - '0'
		if d > 9 {
			break
		}
		seen = true
		if digits >= 38 {
			if firstDrop {
				roundUp = d >= 5
				firstDrop = false
			}
			if point < 0 {
				dropped++
			}
			continue
		}
		if digits > 0 || d != 0 {
			digits++
		}
		if !isWide && digits > 18 {
			isWide = true
			wide = Int128{Lo: lo}
		}
		if isWide {
			w, _ := (Wide{wide.Lo, uint64(wide.Hi)}).scaleUp(1)
			wide = Int128{w[0], int64(w[1])}.Add(Int128{Lo: uint64(d)})
		} else {
			lo = lo*10 + uint64(d)
		}
		if point >= 0 {
			point++
		}
	}
	if !seen {
		return v, 0, DecimalBad
	}
	exp := int64(0)
	if i < len(s) {
		if s[i] != 'e' && s[i] != 'E' {
			return v, 0, DecimalBad
		}
		e := s[i+1:]
		if len(e) > 1 && e[0] == '+' && e[1] != '-' {
			e = e[1:]
		}
		var err error
		if exp, err = strconv.ParseInt(e, 10, 32); err != nil {
			return v, 0, DecimalBad
		}
	}
	if !isWide {
		wide = Int128{Lo: lo}
	}
	if roundUp {
		wide = wide.Add(Int128{Lo: 1})
	}
	if neg {
		wide = wide.Neg()
	}
	sc := int64(max(point, 0)) - exp - int64(dropped)
	switch {
	case wide.Sign() == 0:
		return wide, wantScale, DecimalOK
	case int64(digits)-sc > 38:
		return v, 0, DecimalTooLarge
	case sc > int64(wantScale)+60:
		return Int128{}, wantScale, DecimalOK
	}
	return wide, int(sc), DecimalOK
}
