package sqlparse

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

func isNumber(k kind) bool { return k >= tInt && k <= tBigDecimal }

// number parses a numeric literal; negative: a minus sign at token s was taken,
// which Spark's grammar counts to the literal, so that -2147483648 is an INT.
func (p *parser) number(s int, negative bool) plan.Expr {
	p.height = 0
	t := p.next()
	raw := p.text(t)
	var digits string
	text := raw
	if negative {
		text = "-" + raw
	}
	// Literal.Text stays empty: Spark names a column by the value, 1e3 as 1000.0 and 1L as 1.
	lit := &plan.Literal{At: p.from(s)}
	switch t.kind {
	case tInt:
		p.integer(lit, text, s)
	case tBigint, tSmallint, tTinyint:
		digits = text[:len(text)-1]
		p.sized(lit, t.kind, digits, s)
	case tExponent:
		if p.o.ExponentDecimal {
			p.decimal(lit, text, s)
		} else {
			p.double(lit, text, s)
		}
	case tDoubleLit:
		p.double(lit, text[:len(text)-1], s)
	case tFloat:
		v, err := strconv.ParseFloat(text[:len(text)-1], 32)
		if err != nil || math.IsInf(v, 0) {
			p.numericRange(s, text[:len(text)-1], "float", "-3.4028234663852886E+38", "3.4028234663852886E+38")
			return bad()
		}
		lit.T, lit.Value = types.Float32Type, float32(v)
	case tDecimal:
		p.decimal(lit, text, s)
	case tBigDecimal:
		p.decimal(lit, text[:len(text)-2], s)
	}
	if lit.T == nil {
		lit.T = types.NullType
	}
	return lit
}

// integer is an INT, a BIGINT, or a DECIMAL, whichever holds it first.
func (p *parser) integer(lit *plan.Literal, text string, s int) {
	v, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		p.decimal(lit, text, s)
	case v >= math.MinInt32 && v <= math.MaxInt32:
		lit.T, lit.Value = types.Int32Type, int32(v)
	default:
		lit.T, lit.Value = types.Int64Type, v
	}
}

func (p *parser) sized(lit *plan.Literal, k kind, text string, s int) {
	bits, name := 64, "bigint"
	switch k {
	case tSmallint:
		bits, name = 16, "smallint"
	case tTinyint:
		bits, name = 8, "tinyint"
	}
	v, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		limit := int64(1)<<(bits-1) - 1
		p.numericRange(s, text, name, strconv.FormatInt(-limit-1, 10), strconv.FormatInt(limit, 10))
		return
	}
	switch k {
	case tSmallint:
		lit.T, lit.Value = types.Int16Type, int16(v)
	case tTinyint:
		lit.T, lit.Value = types.Int8Type, int8(v)
	default:
		lit.T, lit.Value = types.Int64Type, v
	}
}

func (p *parser) double(lit *plan.Literal, text string, s int) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(v, 0) {
		p.numericRange(s, text, "double", "-1.7976931348623157E+308", "1.7976931348623157E+308")
		return
	}
	lit.T, lit.Value = types.Float64Type, v
}

func (p *parser) numericRange(s int, value, typeName, lo, hi string) {
	p.fail(s, "INVALID_NUMERIC_LITERAL_RANGE", "rawStrippedQualifier", value, "minValue", lo, "maxValue", hi, "typeName", typeName)
}

// decimal makes a DECIMAL of as many digits as were written: 1.5 is (2,1), 0.05 is (2,2).
func (p *parser) decimal(lit *plan.Literal, text string, s int) {
	exp := 0
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		n, err := strconv.Atoi(text[i+1:])
		if err != nil || n > 1<<20 || n < -(1<<20) {
			p.tooPrecise(s, strconv.Itoa(1<<20))
			return
		}
		exp, mantissa = n, text[:i]
	}
	scale := 0
	if i := strings.IndexByte(mantissa, '.'); i >= 0 {
		scale = len(mantissa) - i - 1
		mantissa = mantissa[:i] + mantissa[i+1:]
	}
	scale -= exp
	neg := strings.HasPrefix(mantissa, "-")
	mantissa = strings.TrimLeft(strings.TrimPrefix(mantissa, "-"), "0")
	if scale < 0 { // 1e3BD is 1000
		if mantissa != "" {
			if len(mantissa)-scale > 4*types.MaxPrecision {
				p.tooPrecise(s, strconv.Itoa(len(mantissa)-scale))
				return
			}
			mantissa += strings.Repeat("0", -scale)
		}
		scale = 0
	}
	precision := max(len(mantissa), scale, 1)
	if precision > types.MaxPrecision {
		p.tooPrecise(s, strconv.Itoa(precision))
		return
	}
	var v types.Int128
	if mantissa != "" {
		b, ok := new(big.Int).SetString(mantissa, 10)
		if ok {
			v, ok = types.FromBig(b)
		}
		if !ok {
			p.syntax()
			return
		}
	}
	if neg {
		v = v.Neg()
	}
	lit.T, lit.Value = types.NewDecimal(precision, scale), v
}

func (p *parser) tooPrecise(s int, precision string) {
	p.fail(s, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", precision, "maxPrecision", strconv.Itoa(types.MaxPrecision))
}

// utf16Len is the length as the JVM counts it.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// sqlString quotes a string for a message: 'it\'s'.
func sqlString(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
