package types

// Common types and decimal result types, as Spark computes them. Nothing here
// knows of expressions: package analyze puts the casts in.

// ForIntegral is the decimal that holds any value of an integer type (Spark:
// DecimalType.forType), the default decimals of FLOAT and DOUBLE, and t itself
// when it is a decimal; nil for the other types.
func ForIntegral(t *Type) *Type {
	switch t.Kind {
	case Int8:
		return NewDecimal(3, 0)
	case Int16:
		return NewDecimal(5, 0)
	case Int32:
		return NewDecimal(10, 0)
	case Int64:
		return NewDecimal(20, 0)
	case Float32:
		return NewDecimal(14, 7)
	case Float64:
		return NewDecimal(30, 15)
	case Decimal:
		return t
	}
	return nil
}

// Bounded is DECIMAL(p, s) with both cut off at the greatest precision.
func Bounded(p, s int) *Type { return NewDecimal(min(p, MaxPrecision), min(s, MaxPrecision)) }

// AdjustedDecimal fits precision p and scale s into the greatest precision
// (Spark: DecimalType.adjustPrecisionScale): with allowLoss the scale gives way
// to the integer digits, but not below min(s, 6).
func AdjustedDecimal(p, s int, allowLoss bool) *Type {
	if !allowLoss {
		return Bounded(p, s)
	}
	switch {
	case p <= MaxPrecision:
		return NewDecimal(p, s)
	case s < 0:
		return NewDecimal(MaxPrecision, s)
	}
	return NewDecimal(MaxPrecision, max(MaxPrecision-(p-s), min(s, MinAdjustedScale)))
}

// AddDecimal is the type of a + b and a - b.
func AddDecimal(a, b *Type, allowLoss bool) *Type {
	s := max(a.Scale, b.Scale)
	return AdjustedDecimal(max(a.Precision-a.Scale, b.Precision-b.Scale)+s+1, s, allowLoss)
}

// MulDecimal is the type of a * b.
func MulDecimal(a, b *Type, allowLoss bool) *Type {
	return AdjustedDecimal(a.Precision+b.Precision+1, a.Scale+b.Scale, allowLoss)
}

// DivDecimal is the type of a / b.
func DivDecimal(a, b *Type, allowLoss bool) *Type {
	if allowLoss {
		s := max(MinAdjustedScale, a.Scale+b.Precision+1)
		return AdjustedDecimal(a.Precision-a.Scale+b.Scale+s, s, true)
	}
	whole := min(MaxPrecision, a.Precision-a.Scale+b.Scale)
	frac := min(MaxPrecision, max(MinAdjustedScale, a.Scale+b.Precision+1))
	if diff := whole + frac - MaxPrecision; diff > 0 {
		frac -= diff/2 + 1
		whole = MaxPrecision - frac
	}
	return Bounded(whole+frac, frac)
}

// ModDecimal is the type of a % b and pmod(a, b).
func ModDecimal(a, b *Type, allowLoss bool) *Type {
	s := max(a.Scale, b.Scale)
	return AdjustedDecimal(min(a.Precision-a.Scale, b.Precision-b.Scale)+s, s, allowLoss)
}

// DivIntDecimal is the decimal in which a div b is computed before it becomes BIGINT.
func DivIntDecimal(a, b *Type, allowLoss bool) *Type {
	p := a.Precision - a.Scale + b.Scale
	if p == 0 {
		p = 1
	}
	return AdjustedDecimal(p, 0, allowLoss)
}

// Rules are the settings by which two types find a common one.
type Rules struct {
	ANSI bool
	// FractionFirst: of a common decimal of more than 38 digits the fraction is
	// kept, not the whole part (spark.sql.legacy.decimal.retainFractionDigitsOnTruncate).
	FractionFirst bool
}

// WiderDecimal holds the values of both. Where that takes more than 38 digits,
// the scale gives way to the whole digits (Spark: DecimalPrecisionTypeCoercion.widerDecimalType).
func (r Rules) WiderDecimal(a, b *Type) *Type {
	s := max(a.Scale, b.Scale)
	p := max(a.Precision-a.Scale, b.Precision-b.Scale) + s
	if p <= MaxPrecision || r.FractionFirst {
		return Bounded(p, s)
	}
	return NewDecimal(MaxPrecision, max(0, s-(p-MaxPrecision)))
}

// Tightest is the type that both convert to without loss, or nil (Spark:
// findTightestCommonType). ANSI makes an integer and a FLOAT a DOUBLE.
func (r Rules) Tightest(a, b *Type) *Type {
	switch {
	case Equal(a, b):
		return a
	case a.Kind == Null:
		return b
	case b.Kind == Null:
		return a
	case a.UDT != "" || b.UDT != "": // a user defined type meets nothing but itself
		return nil
	case a.IsNumeric() && b.IsNumeric() && a.Kind != Decimal && b.Kind != Decimal:
		w, n := a, b
		if b.Kind > a.Kind {
			w, n = b, a
		}
		if r.ANSI && w.Kind == Float32 && n.IsIntegral() {
			return Float64Type
		}
		return w
	case a.Kind == Decimal && b.IsIntegral() && fits(b, a):
		return a
	case b.Kind == Decimal && a.IsIntegral() && fits(a, b):
		return b
	case a.IsDatetime() && b.IsDatetime():
		return widerDatetime(a, b)
	case a.Kind == b.Kind && a.Kind == YearMonthInterval:
		return NewYearMonth(min(a.Start, b.Start), max(a.End, b.End))
	case a.Kind == b.Kind && a.Kind == DayTimeInterval:
		return NewDayTime(min(a.Start, b.Start), max(a.End, b.End))
	case a.Kind == Time && b.Kind == Time:
		return &Type{Kind: Time, Precision: max(a.Precision, b.Precision)}
	case a.IsSpatial() && a.Kind == b.Kind:
		return NewSpatial(a.Kind, AnySRID)
	case a.IsString() && b.IsString() && SameCollation(a.Collation, b.Collation):
		return &Type{Kind: String, Collation: a.Collation}
	}
	return complexCommon(a, b, r.Tightest)
}

// fits reports whether any value of integer type t fits decimal d.
func fits(t, d *Type) bool {
	f := ForIntegral(t)
	return d.Scale <= 0 && d.Precision-d.Scale >= f.Precision || d.Precision-d.Scale >= f.Precision && d.Scale >= 0
}

func widerDatetime(a, b *Type) *Type {
	if a.Kind == Timestamp || b.Kind == Timestamp {
		return TimestampType
	}
	return TimestampNTZType
}

// Wider is the type that a set operation, CASE, IN, coalesce and the like give
// two values of (Spark: findWiderTypeForTwo), or nil. strings allows strings to
// meet other types: with ANSI the string becomes the other (integers BIGINT,
// fractions DOUBLE), without it the other becomes a string.
func (r Rules) Wider(a, b *Type, strings bool) *Type {
	if t := r.Tightest(a, b); t != nil || a.UDT != "" || b.UDT != "" {
		return t
	}
	if t := r.widerForDecimal(a, b); t != nil {
		return t
	}
	if strings {
		if t := promote(a, b, r.ANSI); t != nil {
			return t
		}
	}
	return complexCommon(a, b, func(x, y *Type) *Type { return r.Wider(x, y, strings) })
}

// widerForDecimal: a decimal and a number.
func (r Rules) widerForDecimal(a, b *Type) *Type {
	switch {
	case a.Kind == Decimal && b.Kind == Decimal:
		return r.WiderDecimal(a, b)
	case a.Kind == Decimal && b.IsIntegral():
		return r.WiderDecimal(a, ForIntegral(b))
	case b.Kind == Decimal && a.IsIntegral():
		return r.WiderDecimal(ForIntegral(a), b)
	case a.Kind == Decimal && (b.Kind == Float32 || b.Kind == Float64), b.Kind == Decimal && (a.Kind == Float32 || a.Kind == Float64):
		return Float64Type
	}
	return nil
}

func promote(a, b *Type, ansi bool) *Type {
	if ansi {
		return PromoteString(a, b)
	}
	switch {
	case a.IsString() && (b.Kind < Array && b.Kind != CalendarInterval || b.Kind == Variant) && b.Kind != Binary && b.Kind != Bool:
		return a
	case b.IsString() && (a.Kind < Array && a.Kind != CalendarInterval || a.Kind == Variant) && a.Kind != Binary && a.Kind != Bool:
		return b
	}
	return nil
}

// PromoteString is what ANSI mode makes of a string beside another type, or
// nil: of integers BIGINT, of fractions DOUBLE, of other atomic types the type itself.
func PromoteString(a, b *Type) *Type {
	if b.IsString() && !a.IsString() {
		a, b = b, a
	}
	if !a.IsString() || b.IsString() {
		return nil
	}
	switch {
	case b.Kind == Null:
		return a
	case b.IsIntegral():
		return Int64Type
	case b.IsFractional():
		return Float64Type
	case b.Kind == Bool, b.Kind == Binary, b.IsDatetime(), b.Kind == Time, b.Kind == Variant:
		return b
	}
	return nil
}

// complexCommon merges arrays, maps and structs of the same shape by f.
func complexCommon(a, b *Type, f func(x, y *Type) *Type) *Type {
	if a.Kind != b.Kind {
		return nil
	}
	switch a.Kind {
	case Array:
		if e := f(a.Elem, b.Elem); e != nil {
			return NewArray(e, a.ElemNulls || b.ElemNulls || ForcesNulls(a.Elem, e) || ForcesNulls(b.Elem, e))
		}
	case Map:
		k, v := f(a.Key, b.Key), f(a.Elem, b.Elem)
		if k != nil && v != nil && !ForcesNulls(a.Key, k) && !ForcesNulls(b.Key, k) {
			return NewMap(k, v, a.ElemNulls || b.ElemNulls || ForcesNulls(a.Elem, v) || ForcesNulls(b.Elem, v))
		}
	case Struct:
		if len(a.Fields) != len(b.Fields) {
			return nil
		}
		fields := make([]Field, len(a.Fields))
		for i := range fields {
			x, y := &a.Fields[i], &b.Fields[i]
			if !equalFold(x.Name, y.Name) {
				return nil
			}
			t := f(x.Type, y.Type)
			if t == nil {
				return nil
			}
			fields[i] = Field{Name: x.Name, Type: t, Nullable: x.Nullable || y.Nullable || ForcesNulls(x.Type, t) || ForcesNulls(y.Type, t)}
		}
		return NewStruct(fields...)
	}
	return nil
}

func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return a == b
	}
	for i := 0; i < len(a); i++ {
		x, y := a[i], b[i]
		if 'A' <= x && x <= 'Z' {
			x += 'a' - 'A'
		}
		if 'A' <= y && y <= 'Z' {
			y += 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}

// ForcesNulls reports whether a cast between two types makes its result
// nullable whatever the mode (Spark: Cast.forceNullable).
func ForcesNulls(from, to *Type) bool {
	switch {
	case from.Kind == Null || Equal(from, to):
		return false
	case from.Kind == Variant:
		return true
	case from.IsString():
		return !to.IsString() && to.Kind != Binary
	case to.IsString():
		return false
	case from.Kind == Timestamp && (to.Kind == Int8 || to.Kind == Int16 || to.Kind == Int32),
		(from.Kind == Float32 || from.Kind == Float64) && to.Kind == Timestamp:
		return true
	case from.Kind == Timestamp && to.Kind == Date:
		return false
	case to.Kind == Date, to.Kind == CalendarInterval:
		return true
	case to.Kind == Decimal && from.IsIntegral():
		return !fits(from, to)
	case to.Kind == Decimal && from.Kind == Decimal:
		whole, had := to.Precision-to.Scale, from.Precision-from.Scale
		return whole < had || whole == had && to.Scale < from.Scale // rounding may need one more
	case to.Kind == Decimal:
		return from.Kind != Bool || to.Precision-to.Scale < 1
	case from.IsFractional() && to.IsIntegral():
		return true
	}
	return false
}

// WiderAll folds Wider over a list; Null for an empty one, nil when there is none. Without ANSI strings go first, as
// anything beside them becomes a string.
func (r Rules) WiderAll(list []*Type, strings bool) *Type {
	t := NullType
	for pass := range 2 {
		for _, x := range list {
			if r.ANSI && pass == 0 || !r.ANSI && hasString(x) == (pass == 0) {
				if t = r.Wider(t, x, strings); t == nil {
					return nil
				}
			}
		}
	}
	return t
}

func hasString(t *Type) bool {
	switch t.Kind {
	case String, Char, Varchar:
		return true
	case Array:
		return hasString(t.Elem)
	}
	return false
}

// AsNullable is t with nulls allowed everywhere inside.
func AsNullable(t *Type) *Type {
	switch t.Kind {
	case Array:
		return NewArray(AsNullable(t.Elem), true)
	case Map:
		return NewMap(AsNullable(t.Key), AsNullable(t.Elem), true)
	case Struct:
		fields := make([]Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = f
			fields[i].Type, fields[i].Nullable = AsNullable(f.Type), true
		}
		return NewStruct(fields...)
	}
	return t
}
