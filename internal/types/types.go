// Package types is the SQL type system: Spark's data types, their names in
// SQL, in DDL and in JSON, and the values that literals hold.
package types

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind tells the family of a Type.
type Kind uint8

// The kinds of Spark's type system.
const (
	Null Kind = iota
	Bool
	Int8  // TINYINT
	Int16 // SMALLINT
	Int32 // INT
	Int64 // BIGINT
	Float32
	Float64
	Decimal
	String
	Char    // CHAR(n); only in schemas of tables, reads as String
	Varchar // VARCHAR(n); the same
	Binary
	Date         // days since 1970-01-01, int32
	Timestamp    // microseconds since 1970-01-01T00:00Z, int64
	TimestampNTZ // microseconds on the local clock, int64
	Time         // nanoseconds since midnight, int64
	YearMonthInterval
	DayTimeInterval
	CalendarInterval
	Array
	Map
	Struct
	Variant
	Object // an opaque value that only user functions know (UDT without a known SQL type)
	Geometry
	Geography
)

// Interval field numbers, as Spark's YearMonthIntervalType and DayTimeIntervalType number them.
const (
	Year   uint8 = 0
	Month  uint8 = 1
	Day    uint8 = 0
	Hour   uint8 = 1
	Minute uint8 = 2
	Second uint8 = 3
)

// Decimal limits (Spark: DecimalType).
const (
	MaxPrecision       = 38
	MaxInt64Precision  = 18 // up to here a decimal is an int64 in memory
	DefaultPrecision   = 10
	DefaultScale       = 0
	MinAdjustedScale   = 6
	DefaultTimePrecise = 6
)

// Type is one data type. Types are immutable once made; share pointers freely,
// compare with Equal (pointer equality is only a fast path).
type Type struct {
	Kind Kind

	Precision int // Decimal; Time: 0..9
	Scale     int // Decimal
	Length    int // Char, Varchar
	SRID      int // Geometry, Geography; AnySRID: each value has its own

	Start, End uint8 // interval fields, Year..Month or Day..Second

	Collation string // String, Char, Varchar: "" is UTF8_BINARY

	Elem      *Type // Array element, Map value
	Key       *Type // Map key
	ElemNulls bool  // Array: containsNull; Map: valueContainsNull

	Fields []Field // Struct

	// UDT, when not empty, is the JSON object by which a user defined type
	// travels; the Type itself is then the UDT's SQL type.
	UDT string
}

// Field is one field of a struct, or one column of a schema.
type Field struct {
	Name     string
	Type     *Type
	Nullable bool
	Metadata string // a JSON object, or ""
}

// The types without parameters, and the common ones with.
var (
	NullType         = &Type{Kind: Null}
	BoolType         = &Type{Kind: Bool}
	Int8Type         = &Type{Kind: Int8}
	Int16Type        = &Type{Kind: Int16}
	Int32Type        = &Type{Kind: Int32}
	Int64Type        = &Type{Kind: Int64}
	Float32Type      = &Type{Kind: Float32}
	Float64Type      = &Type{Kind: Float64}
	StringType       = &Type{Kind: String}
	BinaryType       = &Type{Kind: Binary}
	DateType         = &Type{Kind: Date}
	TimestampType    = &Type{Kind: Timestamp}
	TimestampNTZType = &Type{Kind: TimestampNTZ}
	TimeType         = &Type{Kind: Time, Precision: DefaultTimePrecise}
	CalendarType     = &Type{Kind: CalendarInterval}
	YearMonthType    = &Type{Kind: YearMonthInterval, Start: Year, End: Month}
	DayTimeType      = &Type{Kind: DayTimeInterval, Start: Day, End: Second}
	VariantType      = &Type{Kind: Variant}
	EmptyStruct      = &Type{Kind: Struct}
)

// NewDecimal returns DECIMAL(p, s); it doesn't check the bounds.
func NewDecimal(p, s int) *Type { return &Type{Kind: Decimal, Precision: p, Scale: s} }

// NewArray returns ARRAY<elem>.
func NewArray(elem *Type, containsNull bool) *Type {
	return &Type{Kind: Array, Elem: elem, ElemNulls: containsNull}
}

// NewMap returns MAP<key, value>.
func NewMap(key, value *Type, valueContainsNull bool) *Type {
	return &Type{Kind: Map, Key: key, Elem: value, ElemNulls: valueContainsNull}
}

// NewStruct returns STRUCT<fields>.
func NewStruct(fields ...Field) *Type { return &Type{Kind: Struct, Fields: fields} }

// NewYearMonth returns INTERVAL start TO end of the year-month family.
func NewYearMonth(start, end uint8) *Type {
	return &Type{Kind: YearMonthInterval, Start: start, End: end}
}

// NewDayTime returns INTERVAL start TO end of the day-time family.
func NewDayTime(start, end uint8) *Type {
	return &Type{Kind: DayTimeInterval, Start: start, End: end}
}

// IsNumeric reports whether t is an integer, a float or a decimal.
func (t *Type) IsNumeric() bool { return t.Kind >= Int8 && t.Kind <= Decimal }

// IsIntegral reports whether t is TINYINT, SMALLINT, INT or BIGINT.
func (t *Type) IsIntegral() bool { return t.Kind >= Int8 && t.Kind <= Int64 }

// IsFractional reports whether t is FLOAT, DOUBLE or DECIMAL.
func (t *Type) IsFractional() bool { return t.Kind >= Float32 && t.Kind <= Decimal }

// IsString reports whether t is STRING, CHAR or VARCHAR.
func (t *Type) IsString() bool { return t.Kind >= String && t.Kind <= Varchar }

// IsDatetime reports whether t is DATE, TIMESTAMP or TIMESTAMP_NTZ.
func (t *Type) IsDatetime() bool { return t.Kind >= Date && t.Kind <= TimestampNTZ }

// IsAnsiInterval reports whether t is a year-month or a day-time interval.
func (t *Type) IsAnsiInterval() bool {
	return t.Kind == YearMonthInterval || t.Kind == DayTimeInterval
}

// IsNested reports whether t is an array, a map or a struct.
func (t *Type) IsNested() bool { return t.Kind == Array || t.Kind == Map || t.Kind == Struct }

// Any reports whether f holds for t or for a type inside it. A nil type has none.
func (t *Type) Any(f func(*Type) bool) bool {
	if t == nil {
		return false
	}
	return f(t) || t.Key.Any(f) || t.Elem.Any(f) || slices.ContainsFunc(t.Fields, func(x Field) bool { return x.Type.Any(f) })
}

// Has reports whether t is of a kind, or has a type of that kind inside.
func (t *Type) Has(k Kind) bool { return t.Any(func(t *Type) bool { return t.Kind == k }) }

// IsOrderable reports whether values of t can be sorted (Spark: RowOrdering.isOrderable).
func (t *Type) IsOrderable() bool {
	switch t.Kind {
	case Map, Variant, CalendarInterval, Object, Geometry, Geography:
		return false
	case Array:
		return t.Elem.IsOrderable()
	case Struct:
		for _, f := range t.Fields {
			if !f.Type.IsOrderable() {
				return false
			}
		}
	}
	return true
}

// FieldIndex returns the position of the field with that exact name, or -1.
func (t *Type) FieldIndex(name string) int {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return i
		}
	}
	return -1
}

// Equal reports whether a and b are the same type, nullability included.
func Equal(a, b *Type) bool { return equal(a, b, true) }

// SameType reports whether a and b are the same but for nullability inside
// (Spark: DataType.equalsIgnoreNullability).
func SameType(a, b *Type) bool { return equal(a, b, false) }

func equal(a, b *Type, nulls bool) bool {
	if a == b {
		return true
	}
	if a == nil || b == nil || a.Kind != b.Kind || a.UDT != b.UDT {
		return false
	}
	switch a.Kind {
	case Decimal:
		return a.Precision == b.Precision && a.Scale == b.Scale
	case Time:
		return a.Precision == b.Precision
	case Geometry, Geography:
		return a.SRID == b.SRID
	case String:
		return SameCollation(a.Collation, b.Collation)
	case Char, Varchar:
		return a.Length == b.Length && SameCollation(a.Collation, b.Collation)
	case YearMonthInterval, DayTimeInterval:
		return a.Start == b.Start && a.End == b.End
	case Array:
		return (!nulls || a.ElemNulls == b.ElemNulls) && equal(a.Elem, b.Elem, nulls)
	case Map:
		return (!nulls || a.ElemNulls == b.ElemNulls) && equal(a.Key, b.Key, nulls) && equal(a.Elem, b.Elem, nulls)
	case Struct:
		if len(a.Fields) != len(b.Fields) {
			return false
		}
		for i := range a.Fields {
			x, y := &a.Fields[i], &b.Fields[i]
			if x.Name != y.Name || (nulls && x.Nullable != y.Nullable) || !equal(x.Type, y.Type, nulls) {
				return false
			}
		}
	}
	return true
}

// Bare is t with the SQL types of user defined types in their places.
func Bare(t *Type) *Type {
	switch t.Kind {
	case Array:
		return NewArray(Bare(t.Elem), t.ElemNulls)
	case Map:
		return NewMap(Bare(t.Key), Bare(t.Elem), t.ElemNulls)
	case Struct:
		fields := make([]Field, len(t.Fields))
		for i, f := range t.Fields {
			f.Type = Bare(f.Type)
			fields[i] = f
		}
		return NewStruct(fields...)
	case Object:
		return t
	}
	if t.UDT == "" {
		return t
	}
	c := *t
	c.UDT = ""
	return &c
}

// SameCollation compares names of collations; the default one may be left out.
func SameCollation(a, b string) bool {
	return a == b || (a == "" || a == "UTF8_BINARY") && (b == "" || b == "UTF8_BINARY")
}

var simpleNames = [...]string{
	Null: "void", Bool: "boolean", Int8: "tinyint", Int16: "smallint", Int32: "int", Int64: "bigint",
	Float32: "float", Float64: "double", Decimal: "decimal", String: "string", Char: "char", Varchar: "varchar",
	Binary: "binary", Date: "date", Timestamp: "timestamp", TimestampNTZ: "timestamp_ntz", Time: "time",
	YearMonthInterval: "interval", DayTimeInterval: "interval", CalendarInterval: "interval",
	Array: "array", Map: "map", Struct: "struct", Variant: "variant", Object: "object",
	Geometry: "geometry", Geography: "geography",
}

var ymFields = [...]string{"year", "month"}
var dtFields = [...]string{"day", "hour", "minute", "second"}

func (t *Type) intervalName() string {
	names := dtFields[:]
	if t.Kind == YearMonthInterval {
		names = ymFields[:]
	}
	if t.Start == t.End {
		return "interval " + names[t.Start]
	}
	return "interval " + names[t.Start] + " to " + names[t.End]
}

// String is Spark's simpleString (catalogString): "decimal(10,2)", "array<int>".
func (t *Type) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *Type) write(b *strings.Builder) {
	if t == nil {
		b.WriteString("<unresolved>")
		return
	}
	switch t.Kind {
	case Decimal:
		fmt.Fprintf(b, "decimal(%d,%d)", t.Precision, t.Scale)
	case Time:
		fmt.Fprintf(b, "time(%d)", t.Precision)
	case Char, Varchar:
		fmt.Fprintf(b, "%s(%d)", simpleNames[t.Kind], t.Length)
		t.writeCollation(b, " collate ")
	case String:
		b.WriteString("string")
		t.writeCollation(b, " collate ")
	case YearMonthInterval, DayTimeInterval:
		b.WriteString(t.intervalName())
	case Geometry, Geography:
		b.WriteString(t.spatialName())
	case Array:
		b.WriteString("array<")
		t.Elem.write(b)
		b.WriteByte('>')
	case Map:
		b.WriteString("map<")
		t.Key.write(b)
		b.WriteByte(',')
		t.Elem.write(b)
		b.WriteByte('>')
	case Struct:
		b.WriteString("struct<")
		for i := range t.Fields {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(t.Fields[i].Name)
			b.WriteByte(':')
			t.Fields[i].Type.write(b)
		}
		b.WriteByte('>')
	default:
		b.WriteString(simpleNames[t.Kind])
	}
}

func (t *Type) writeCollation(b *strings.Builder, word string) {
	if t.Collation != "" {
		b.WriteString(word)
		b.WriteString(t.Collation)
	}
}

// SQL is the type as Spark's error messages and DDL write it: "DECIMAL(10,2)", "ARRAY<INT>".
func (t *Type) SQL() string {
	switch t.Kind {
	case Array:
		return "ARRAY<" + t.Elem.SQL() + ">"
	case Map:
		return "MAP<" + t.Key.SQL() + ", " + t.Elem.SQL() + ">"
	case Struct:
		var b strings.Builder
		b.WriteString("STRUCT<")
		for i := range t.Fields {
			f := &t.Fields[i]
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(QuoteIfNeeded(f.Name))
			b.WriteString(": ")
			b.WriteString(f.Type.SQL())
			if !f.Nullable {
				b.WriteString(" NOT NULL")
			}
		}
		b.WriteByte('>')
		return b.String()
	case String, Char, Varchar:
		c := *t
		c.Collation = ""
		s := strings.ToUpper(c.String())
		if t.Collation != "" {
			s += " COLLATE " + t.Collation
		}
		return s
	}
	return strings.ToUpper(t.String())
}

// QuoteIfNeeded puts backticks round a name that is not a plain identifier.
func QuoteIfNeeded(name string) string {
	plain := name != ""
	digits := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= '0' && c <= '9':
		case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			digits = false
		default:
			plain = false
		}
	}
	if plain && !digits {
		return name
	}
	return QuoteIdentifier(name)
}

// QuoteIdentifier puts backticks round a name.
func QuoteIdentifier(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// DDL writes a struct's fields as a column list, "a INT,b STRING NOT NULL"
// (Spark: StructType.toDDL).
func (t *Type) DDL() string {
	var b strings.Builder
	for i := range t.Fields {
		f := &t.Fields[i]
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(QuoteIfNeeded(f.Name))
		b.WriteByte(' ')
		b.WriteString(f.Type.SQL())
		if !f.Nullable {
			b.WriteString(" NOT NULL")
		}
	}
	return b.String()
}

// TreeString is printSchema's text, maxLevel < 0 for all levels.
func (t *Type) TreeString(maxLevel int) string {
	var b strings.Builder
	b.WriteString("root\n")
	t.tree(&b, " |", 1, maxLevel)
	return b.String()
}

func (t *Type) tree(b *strings.Builder, prefix string, level, maxLevel int) {
	if maxLevel >= 0 && level > maxLevel {
		return
	}
	one := func(name string, ft *Type, attr string) {
		fmt.Fprintf(b, "%s-- %s: %s (%s)\n", prefix, name, typeName(ft), attr)
		ft.tree(b, prefix+"    |", level+1, maxLevel)
	}
	switch t.Kind {
	case Struct:
		for i := range t.Fields {
			f := &t.Fields[i]
			one(f.Name, f.Type, "nullable = "+strconv.FormatBool(f.Nullable))
		}
	case Array:
		one("element", t.Elem, "containsNull = "+strconv.FormatBool(t.ElemNulls))
	case Map:
		fmt.Fprintf(b, "%s-- key: %s\n", prefix, typeName(t.Key))
		t.Key.tree(b, prefix+"    |", level+1, maxLevel)
		one("value", t.Elem, "valueContainsNull = "+strconv.FormatBool(t.ElemNulls))
	}
}

var typeNames = map[Kind]string{Int8: "byte", Int16: "short", Int32: "integer", Int64: "long"}

// typeName is Spark's DataType.typeName.
func typeName(t *Type) string {
	if n, ok := typeNames[t.Kind]; ok {
		return n
	}
	switch t.Kind {
	case Array, Map, Struct:
		return simpleNames[t.Kind]
	}
	return t.String()
}
