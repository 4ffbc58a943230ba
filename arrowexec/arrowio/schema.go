// Package arrowio turns vectors into Arrow and back: schemas, IPC messages and
// streams for the wire, and arrays that came from clients.
//
// The mapping of types is Spark's (ArrowUtils): strings as utf8, timestamps as
// microseconds with the session's zone (without a zone for TIMESTAMP_NTZ),
// day-time intervals as durations of microseconds, year-month intervals as
// months, calendar intervals as month_day_nano, TIME as time64 of nanoseconds,
// decimals as decimal128, a VARIANT as a marked struct of value and metadata.
package arrowio

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// Codec is how the bodies of record batches are compressed.
type Codec uint8

// The codecs that Arrow IPC knows.
const (
	Plain Codec = iota
	LZ4
	Zstd
)

// Options say how types and batches are written.
type Options struct {
	// TimeZone is the session's zone, the zone of TIMESTAMP fields; "" is UTC.
	TimeZone string
	// LargeVar writes strings and binaries with 64-bit offsets (spark.sql.execution.arrow.useLargeVarTypes).
	LargeVar bool
	Codec    Codec
	Level    int // of Zstd, in that format's own numbers; 0: the fastest
}

// variantKey marks the metadata field of the struct that a VARIANT becomes,
// which is how Spark's clients recognise it.
const variantKey = "variant"

// Schema is the Arrow schema of a struct type's fields. Its only error is
// UNSUPPORTED_ARROWTYPE, for opaque objects.
func Schema(t *types.Type, o Options) (*arrow.Schema, error) {
	fields, err := fieldsOf(t, o)
	if err != nil {
		return nil, err
	}
	return arrow.NewSchema(fields, nil), nil
}

func fieldsOf(t *types.Type, o Options) ([]arrow.Field, error) {
	out := make([]arrow.Field, len(t.Fields))
	for i := range t.Fields {
		f := &t.Fields[i]
		at, err := DataType(f.Type, o)
		if err != nil {
			return nil, err
		}
		out[i] = arrow.Field{Name: f.Name, Type: at, Nullable: f.Nullable}
	}
	return out, nil
}

// DataType is the Arrow type of t.
func DataType(t *types.Type, o Options) (arrow.DataType, error) {
	switch t.Kind {
	case types.Null:
		return arrow.Null, nil
	case types.Bool:
		return arrow.FixedWidthTypes.Boolean, nil
	case types.Int8:
		return arrow.PrimitiveTypes.Int8, nil
	case types.Int16:
		return arrow.PrimitiveTypes.Int16, nil
	case types.Int32:
		return arrow.PrimitiveTypes.Int32, nil
	case types.Int64:
		return arrow.PrimitiveTypes.Int64, nil
	case types.Float32:
		return arrow.PrimitiveTypes.Float32, nil
	case types.Float64:
		return arrow.PrimitiveTypes.Float64, nil
	case types.Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}, nil
	case types.String, types.Char, types.Varchar:
		if o.LargeVar {
			return arrow.BinaryTypes.LargeString, nil
		}
		return arrow.BinaryTypes.String, nil
	case types.Binary:
		if o.LargeVar {
			return arrow.BinaryTypes.LargeBinary, nil
		}
		return arrow.BinaryTypes.Binary, nil
	case types.Date:
		return arrow.FixedWidthTypes.Date32, nil
	case types.Timestamp:
		zone := o.TimeZone
		if zone == "" {
			zone = "UTC"
		}
		return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: zone}, nil
	case types.TimestampNTZ:
		return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
	case types.Time:
		return arrow.FixedWidthTypes.Time64ns, nil
	case types.YearMonthInterval:
		return arrow.FixedWidthTypes.MonthInterval, nil
	case types.DayTimeInterval:
		return arrow.FixedWidthTypes.Duration_us, nil
	case types.CalendarInterval:
		return arrow.FixedWidthTypes.MonthDayNanoInterval, nil
	case types.Array:
		e, err := DataType(t.Elem, o)
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: e, Nullable: t.ElemNulls}), nil
	case types.Map:
		k, err := DataType(t.Key, o)
		if err != nil {
			return nil, err
		}
		v, err := DataType(t.Elem, o)
		if err != nil {
			return nil, err
		}
		return arrow.MapOfFields(arrow.Field{Name: "key", Type: k}, arrow.Field{Name: "value", Type: v, Nullable: t.ElemNulls}), nil
	case types.Struct:
		fields, err := fieldsOf(t, o)
		if err != nil {
			return nil, err
		}
		return arrow.StructOf(distinctNames(fields)...), nil
	case types.Geometry, types.Geography:
		b, _ := DataType(types.BinaryType, o)
		name := "geometry"
		if t.Kind == types.Geography {
			name = "geography"
		}
		return arrow.StructOf(
			arrow.Field{Name: "srid", Type: arrow.PrimitiveTypes.Int32},
			arrow.Field{Name: "wkb", Type: b, Metadata: arrow.NewMetadata([]string{name, "srid"}, []string{"true", strconv.Itoa(t.SRID)})},
		), nil
	case types.Variant:
		b, _ := DataType(types.BinaryType, o)
		return arrow.StructOf(
			arrow.Field{Name: "value", Type: b},
			arrow.Field{Name: "metadata", Type: b, Metadata: arrow.NewMetadata([]string{variantKey}, []string{"true"})},
		), nil
	}
	return nil, unsupported(t.String())
}

// distinctNames numbers the fields of a struct that have one name: Arrow's libraries can't read such a struct as a row. As in Spark.
func distinctNames(fields []arrow.Field) []arrow.Field {
	count := make(map[string]int, len(fields))
	for _, f := range fields {
		count[f.Name]++
	}
	if len(count) == len(fields) {
		return fields
	}
	next := map[string]int{}
	for i, f := range fields {
		if count[f.Name] > 1 {
			fields[i].Name = fmt.Sprintf("%s_%d", f.Name, next[f.Name])
			next[f.Name]++
		}
	}
	return fields
}

func unsupported(name string) error {
	return errs.New(errs.Unsupported, "UNSUPPORTED_ARROWTYPE", "typeName", name)
}

// TypeOf is the SQL type of an Arrow field, the inverse of DataType; Arrow
// types that Spark never writes but that fit (large strings, views, other time
// units) are taken too.
func TypeOf(f arrow.Field) (*types.Type, error) {
	switch t := f.Type.(type) {
	case *arrow.NullType:
		return types.NullType, nil
	case *arrow.BooleanType:
		return types.BoolType, nil
	case *arrow.Int8Type:
		return types.Int8Type, nil
	case *arrow.Int16Type:
		return types.Int16Type, nil
	case *arrow.Int32Type:
		return types.Int32Type, nil
	case *arrow.Int64Type:
		return types.Int64Type, nil
	case *arrow.Float32Type:
		return types.Float32Type, nil
	case *arrow.Float64Type:
		return types.Float64Type, nil
	case *arrow.Decimal128Type:
		return decimalType(t.Precision, t.Scale, t)
	case *arrow.Decimal256Type:
		return decimalType(t.Precision, t.Scale, t)
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return types.StringType, nil
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return types.BinaryType, nil
	case *arrow.Date32Type, *arrow.Date64Type:
		return types.DateType, nil
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return types.TimestampNTZType, nil
		}
		return types.TimestampType, nil
	case *arrow.Time32Type, *arrow.Time64Type:
		return types.TimeType, nil
	case *arrow.DurationType:
		return types.DayTimeType, nil
	case *arrow.MonthIntervalType:
		return types.YearMonthType, nil
	case *arrow.MonthDayNanoIntervalType:
		return types.CalendarType, nil
	case *arrow.DictionaryType:
		return TypeOf(arrow.Field{Type: t.ValueType})
	case *arrow.MapType:
		k, err := TypeOf(t.KeyField())
		if err != nil {
			return nil, err
		}
		v, err := TypeOf(t.ItemField())
		if err != nil {
			return nil, err
		}
		return types.NewMap(k, v, t.ItemField().Nullable), nil
	case *arrow.ListType:
		return listType(t.ElemField())
	case *arrow.LargeListType:
		return listType(t.ElemField())
	case *arrow.FixedSizeListType:
		return listType(t.ElemField())
	case *arrow.StructType:
		if isVariant(t) {
			return types.VariantType, nil
		}
		out := &types.Type{Kind: types.Struct, Fields: make([]types.Field, t.NumFields())}
		for i := range out.Fields {
			ft, err := TypeOf(t.Field(i))
			if err != nil {
				return nil, err
			}
			out.Fields[i] = types.Field{Name: t.Field(i).Name, Type: ft, Nullable: t.Field(i).Nullable}
		}
		return out, nil
	}
	return nil, unsupported(typeName(f.Type))
}

func typeName(t arrow.DataType) string {
	if t == nil {
		return "none"
	}
	return strings.ToLower(t.Name())
}

func listType(f arrow.Field) (*types.Type, error) {
	e, err := TypeOf(f)
	if err != nil {
		return nil, err
	}
	return types.NewArray(e, f.Nullable), nil
}

func decimalType(p, s int32, t arrow.DataType) (*types.Type, error) {
	if p < 1 || p > types.MaxPrecision || s < 0 || s > p {
		return nil, unsupported(fmt.Sprintf("%s(%d,%d)", typeName(t), p, s))
	}
	return types.NewDecimal(int(p), int(s)), nil
}

func isVariant(t *arrow.StructType) bool {
	if t.NumFields() != 2 {
		return false
	}
	value, metadata := false, false
	for _, f := range t.Fields() {
		switch f.Name {
		case "value":
			value = true
		case "metadata":
			v, ok := f.Metadata.GetValue(variantKey)
			metadata = ok && v == "true"
		}
	}
	return value && metadata
}

// StructOf is the struct type of an Arrow schema.
func StructOf(s *arrow.Schema) (*types.Type, error) {
	out := &types.Type{Kind: types.Struct, Fields: make([]types.Field, s.NumFields())}
	for i := range out.Fields {
		f := s.Field(i)
		t, err := TypeOf(f)
		if err != nil {
			return nil, err
		}
		out.Fields[i] = types.Field{Name: f.Name, Type: t, Nullable: f.Nullable}
	}
	return out, nil
}
