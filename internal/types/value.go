package types

import (
	"math/big"
	"math/bits"
)

// Int128 is a signed 128-bit integer in two's complement, laid out as Arrow's
// decimal128: low word first.
type Int128 struct {
	Lo uint64
	Hi int64
}

// I128 widens an int64.
func I128(v int64) Int128 { return Int128{uint64(v), v >> 63} }

// Add returns a+b, wrapping.
func (a Int128) Add(b Int128) Int128 {
	lo, c := bits.Add64(a.Lo, b.Lo, 0)
	return Int128{lo, int64(uint64(a.Hi) + uint64(b.Hi) + c)}
}

// Sub returns a-b, wrapping.
func (a Int128) Sub(b Int128) Int128 {
	lo, c := bits.Sub64(a.Lo, b.Lo, 0)
	return Int128{lo, int64(uint64(a.Hi) - uint64(b.Hi) - c)}
}

// Neg returns -a, wrapping.
func (a Int128) Neg() Int128 { return Int128{}.Sub(a) }

// Sign returns -1, 0 or 1.
func (a Int128) Sign() int {
	if a.Hi < 0 {
		return -1
	}
	if a.Hi == 0 && a.Lo == 0 {
		return 0
	}
	return 1
}

// Cmp returns -1, 0 or 1.
func (a Int128) Cmp(b Int128) int {
	switch {
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// IsInt64 reports whether a fits an int64.
func (a Int128) IsInt64() bool { return a.Hi == int64(a.Lo)>>63 }

// Mul64 returns the full product of two int64.
func Mul64(a, b int64) Int128 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	h := int64(hi)
	if a < 0 {
		h -= b
	}
	if b < 0 {
		h -= a
	}
	return Int128{lo, h}
}

// Big returns a as a big.Int.
func (a Int128) Big() *big.Int {
	v := big.NewInt(a.Hi)
	v.Lsh(v, 64)
	return v.Add(v, new(big.Int).SetUint64(a.Lo))
}

// FromBig converts back; ok is false when v doesn't fit 128 bits.
func FromBig(v *big.Int) (a Int128, ok bool) {
	if v.BitLen() > 127 {
		return a, false
	}
	abs := new(big.Int).Abs(v)
	lo := new(big.Int).And(abs, new(big.Int).SetUint64(^uint64(0))).Uint64()
	hi := abs.Rsh(abs, 64).Uint64()
	a = Int128{lo, int64(hi)}
	if v.Sign() < 0 {
		a = a.Neg()
	}
	return a, true
}

// Dec is a decimal literal's value: Unscaled * 10^-scale, the scale in the Type.
type Dec = Int128

// CalendarValue is a value of the CalendarInterval type; its memory layout is
// that of Arrow's month_day_nano interval but with microseconds.
type CalendarValue struct {
	Months, Days int32
	Micros       int64
}

// MapValue is a map literal: keys and values side by side.
type MapValue struct{ Keys, Values []any }

// StructValue is a struct literal: the values of its fields in order.
type StructValue []any

// VariantValue is a VARIANT: Spark's value and metadata binaries.
type VariantValue struct{ Value, Metadata []byte }

// The Go types of literal values by Kind:
//
//	Null               nil
//	Bool               bool
//	Int8..Int64        int8, int16, int32, int64
//	Float32, Float64   float32, float64
//	Decimal            Int128 (unscaled)
//	String, Char...    string
//	Binary             []byte
//	Date               int32
//	Timestamp(NTZ)     int64
//	Time               int64
//	YearMonthInterval  int32 (months)
//	DayTimeInterval    int64 (microseconds)
//	CalendarInterval   CalendarValue
//	Array              []any
//	Map                MapValue
//	Struct             StructValue
//	Variant            VariantValue
