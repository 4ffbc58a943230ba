package types

// UpCasts reports whether a cast from a to b never fails nor loses anything
// (Spark: Cast.canUpCast, for the kinds that matter to nullability).
func UpCasts(a, b *Type) bool {
	if SameType(a, b) {
		return true
	}
	switch {
	case a.Kind == Null:
		return true
	case a.IsNumeric() && a.Kind != Decimal && b.IsNumeric() && b.Kind != Decimal:
		return a.Kind <= b.Kind
	case a.IsIntegral() && b.Kind == Decimal:
		return b.Precision-b.Scale >= integralDigits[a.Kind]
	case a.Kind == Decimal && b.Kind == Decimal:
		return b.Precision-b.Scale >= a.Precision-a.Scale && b.Scale >= a.Scale
	case a.Kind == Date && (b.Kind == Timestamp || b.Kind == TimestampNTZ):
		return true
	case a.Kind == Timestamp && b.Kind == TimestampNTZ, a.Kind == TimestampNTZ && b.Kind == Timestamp:
		return true
	case b.Kind == String && a.Kind != Array && a.Kind != Map && a.Kind != Struct && a.Kind != Variant && a.Kind != CalendarInterval:
		return true
	}
	return false
}

// integralDigits is how many decimal digits an integer type can need.
var integralDigits = map[Kind]int{Int8: 3, Int16: 5, Int32: 10, Int64: 20}
