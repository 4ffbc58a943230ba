package translate

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"google.golang.org/protobuf/proto"

	"neptune/connect/pb"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func literalName(l *pb.Expression_Literal) string {
	r := l.ProtoReflect()
	if f := r.WhichOneof(r.Descriptor().Oneofs().ByName("literal_type")); f != nil {
		return strings.ToUpper(string(f.Name()))
	}
	return "LITERALTYPE_NOT_SET"
}

// Literal translates a literal of any type, nested ones included.
func (t *Translator) Literal(l *pb.Expression_Literal) (*plan.Literal, error) {
	ty, v, err := t.literal(l)
	if err != nil {
		return nil, err
	}
	return &plan.Literal{T: ty, Value: v}, nil
}

func (t *Translator) literal(l *pb.Expression_Literal) (*types.Type, any, error) {
	leave, err := t.down()
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	switch k := l.GetLiteralType().(type) {
	case *pb.Expression_Literal_Null:
		// Since 4.1 the type of a null stands beside it, too.
		d := k.Null
		if l.DataType != nil && d.GetKind() == nil {
			d = l.DataType
		}
		ty, err := t.Type(d)
		return ty, nil, err
	case *pb.Expression_Literal_Binary:
		return types.BinaryType, k.Binary, nil
	case *pb.Expression_Literal_Boolean:
		return types.BoolType, k.Boolean, nil
	case *pb.Expression_Literal_Byte:
		if k.Byte != int32(int8(k.Byte)) {
			return nil, nil, outOfRange("TINYINT", int64(k.Byte))
		}
		return types.Int8Type, int8(k.Byte), nil
	case *pb.Expression_Literal_Short:
		if k.Short != int32(int16(k.Short)) {
			return nil, nil, outOfRange("SMALLINT", int64(k.Short))
		}
		return types.Int16Type, int16(k.Short), nil
	case *pb.Expression_Literal_Integer:
		return types.Int32Type, k.Integer, nil
	case *pb.Expression_Literal_Long:
		return types.Int64Type, k.Long, nil
	case *pb.Expression_Literal_Float:
		return types.Float32Type, k.Float, nil
	case *pb.Expression_Literal_Double:
		return types.Float64Type, k.Double, nil
	case *pb.Expression_Literal_Decimal_:
		return decimal(k.Decimal)
	case *pb.Expression_Literal_String_:
		if l.DataType.GetString_().GetCollation() != "" {
			ty, err := t.Type(l.DataType)
			return ty, k.String_, err
		}
		return types.StringType, k.String_, nil
	case *pb.Expression_Literal_Date:
		return types.DateType, k.Date, nil
	case *pb.Expression_Literal_Timestamp:
		return types.TimestampType, k.Timestamp, nil
	case *pb.Expression_Literal_TimestampNtz:
		return types.TimestampNTZType, k.TimestampNtz, nil
	case *pb.Expression_Literal_Time_:
		p := types.DefaultTimePrecise
		if k.Time.Precision != nil {
			p = int(*k.Time.Precision)
		}
		if n := k.Time.GetNano(); n < 0 || n >= 86_400_000_000_000 || p < 0 || p > 9 {
			return nil, nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("there is no TIME(%d) of %d ns.", p, n))
		}
		return &types.Type{Kind: types.Time, Precision: p}, k.Time.GetNano(), nil
	case *pb.Expression_Literal_CalendarInterval_:
		c := k.CalendarInterval
		return types.CalendarType, types.CalendarValue{Months: c.GetMonths(), Days: c.GetDays(), Micros: c.GetMicroseconds()}, nil
	case *pb.Expression_Literal_YearMonthInterval:
		ty := types.YearMonthType
		if l.DataType.GetYearMonthInterval() != nil {
			if ty, err = t.Type(l.DataType); err != nil {
				return nil, nil, err
			}
		}
		return ty, k.YearMonthInterval, nil
	case *pb.Expression_Literal_DayTimeInterval:
		ty := types.DayTimeType
		if l.DataType.GetDayTimeInterval() != nil {
			if ty, err = t.Type(l.DataType); err != nil {
				return nil, nil, err
			}
		}
		return ty, k.DayTimeInterval, nil
	case *pb.Expression_Literal_Array_:
		return t.arrayLiteral(l, k.Array)
	case *pb.Expression_Literal_SpecializedArray_:
		return specialArray(l, k.SpecializedArray)
	case *pb.Expression_Literal_Map_:
		return t.mapLiteral(l, k.Map)
	case *pb.Expression_Literal_Struct_:
		return t.structLiteral(l, k.Struct)
	case nil:
		if l == nil {
			l = &pb.Expression_Literal{}
		}
		return nil, nil, noOneof(l, "literal_type")
	}
	return nil, nil, invalid("UNSUPPORTED_LITERAL_TYPE", "typeInfo", literalName(l))
}

func outOfRange(ty string, v int64) *errs.Error {
	return invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("%d is no %s.", v, ty))
}

// decimal reads a decimal's text. Without precision and scale they are those of the digits.
func decimal(d *pb.Expression_Literal_Decimal) (*types.Type, any, error) {
	text := strings.TrimSpace(d.GetValue())
	bad := invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("%q is no decimal number.", text))
	if len(text) > 200 {
		return nil, nil, bad
	}
	mant, exp := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		if _, err := fmt.Sscanf(text[i+1:]+" ", "%d ", &exp); err != nil || exp > 1000 || exp < -1000 {
			return nil, nil, bad
		}
		mant = text[:i]
	}
	whole, frac, _ := strings.Cut(mant, ".")
	u, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok || whole+frac == "" {
		return nil, nil, bad
	}
	scale := len(frac) - exp
	if scale < 0 {
		u.Mul(u, pow10(-scale))
		scale = 0
	}
	digits := len(new(big.Int).Abs(u).String())
	p, s := max(digits, scale), scale
	if d.Scale != nil {
		// Python clients say (10, 0) of any number: digits are never lost to that.
		s = max(int(*d.Scale), scale)
		if s > types.MaxPrecision {
			return nil, nil, bad
		}
		u.Mul(u, pow10(s-scale))
		p = max(len(new(big.Int).Abs(u).String()), s)
	}
	if d.Precision != nil {
		p = max(p, int(*d.Precision))
	}
	v, fits := types.FromBig(u)
	if p > types.MaxPrecision || p < 1 || s > p || !fits {
		return nil, nil, bad
	}
	return types.NewDecimal(p, s), v, nil
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func (t *Translator) elements(l []*pb.Expression_Literal) (ty *types.Type, vals []any, nulls bool, err error) {
	vals = make([]any, len(l))
	for i, e := range l {
		et, v, err := t.literal(e)
		if err != nil {
			return nil, nil, false, err
		}
		if ty == nil || ty.Kind == types.Null {
			ty = et
		}
		nulls = nulls || v == nil
		vals[i] = v
	}
	return ty, vals, nulls, nil
}

func (t *Translator) arrayLiteral(l *pb.Expression_Literal, a *pb.Expression_Literal_Array) (*types.Type, any, error) {
	inferred, vals, nulls, err := t.elements(a.GetElements())
	if err != nil {
		return nil, nil, err
	}
	if d := l.DataType.GetArray(); d != nil {
		el, err := t.Type(d.GetElementType())
		if err != nil {
			return nil, nil, err
		}
		return types.NewArray(el, d.GetContainsNull() || nulls), vals, nil
	}
	//nolint:staticcheck // clients before 4.1 send the element type only here
	if d := a.GetElementType(); d != nil {
		el, err := t.Type(d)
		if err != nil {
			return nil, nil, err
		}
		return types.NewArray(el, true), vals, nil
	}
	if inferred == nil {
		return nil, nil, invalid("ARRAY_LITERAL_MISSING_DATA_TYPE")
	}
	return types.NewArray(inferred, nulls), vals, nil
}

func specialArray(l *pb.Expression_Literal, a *pb.Expression_Literal_SpecializedArray) (*types.Type, any, error) {
	nulls := l.DataType.GetArray().GetContainsNull()
	switch v := a.GetValueType().(type) {
	case *pb.Expression_Literal_SpecializedArray_Bools:
		return types.NewArray(types.BoolType, nulls), anys(v.Bools.GetValues()), nil
	case *pb.Expression_Literal_SpecializedArray_Ints:
		switch l.DataType.GetArray().GetElementType().GetKind().(type) {
		case *pb.DataType_Byte_:
			out, err := narrow[int8](v.Ints.GetValues(), math.MinInt8, math.MaxInt8)
			return types.NewArray(types.Int8Type, nulls), out, err
		case *pb.DataType_Short_:
			out, err := narrow[int16](v.Ints.GetValues(), math.MinInt16, math.MaxInt16)
			return types.NewArray(types.Int16Type, nulls), out, err
		}
		return types.NewArray(types.Int32Type, nulls), anys(v.Ints.GetValues()), nil
	case *pb.Expression_Literal_SpecializedArray_Longs:
		return types.NewArray(types.Int64Type, nulls), anys(v.Longs.GetValues()), nil
	case *pb.Expression_Literal_SpecializedArray_Floats:
		return types.NewArray(types.Float32Type, nulls), anys(v.Floats.GetValues()), nil
	case *pb.Expression_Literal_SpecializedArray_Doubles:
		return types.NewArray(types.Float64Type, nulls), anys(v.Doubles.GetValues()), nil
	case *pb.Expression_Literal_SpecializedArray_Strings:
		return types.NewArray(types.StringType, nulls), anys(v.Strings.GetValues()), nil
	}
	return nil, nil, noOneof(a, "value_type")
}

func anys[T any](l []T) []any {
	out := make([]any, len(l))
	for i, v := range l {
		out[i] = v
	}
	return out
}

func narrow[T int8 | int16](l []int32, lo, hi int32) ([]any, error) {
	out := make([]any, len(l))
	for i, v := range l {
		if v < lo || v > hi {
			return nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("%d doesn't fit its array's type.", v))
		}
		out[i] = T(v)
	}
	return out, nil
}

func (t *Translator) mapLiteral(l *pb.Expression_Literal, m *pb.Expression_Literal_Map) (*types.Type, any, error) {
	if len(m.GetKeys()) != len(m.GetValues()) {
		return nil, nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("a map literal has %d keys and %d values.", len(m.GetKeys()), len(m.GetValues())))
	}
	kt, keys, nullKey, err := t.elements(m.GetKeys())
	if err != nil {
		return nil, nil, err
	}
	if nullKey {
		return nil, nil, errs.New(errs.Runtime, "NULL_MAP_KEY")
	}
	vt, vals, nulls, err := t.elements(m.GetValues())
	if err != nil {
		return nil, nil, err
	}
	d := l.DataType.GetMap()
	kd, vd := d.GetKeyType(), d.GetValueType()
	if d == nil {
		kd, vd = m.GetKeyType(), m.GetValueType() //nolint:staticcheck // clients before 4.1
		nulls = true
	} else {
		nulls = nulls || d.GetValueContainsNull()
	}
	if kd != nil {
		if kt, err = t.Type(kd); err != nil {
			return nil, nil, err
		}
	}
	if vd != nil {
		if vt, err = t.Type(vd); err != nil {
			return nil, nil, err
		}
	}
	if kt == nil || vt == nil {
		return nil, nil, invalid("MAP_LITERAL_MISSING_DATA_TYPE")
	}
	return types.NewMap(kt, vt, nulls), types.MapValue{Keys: keys, Values: vals}, nil
}

func (t *Translator) structLiteral(l *pb.Expression_Literal, s *pb.Expression_Literal_Struct) (*types.Type, any, error) {
	vals := make(types.StructValue, len(s.GetElements()))
	kinds := make([]*types.Type, len(vals))
	for i, e := range s.GetElements() {
		et, v, err := t.literal(e)
		if err != nil {
			return nil, nil, err
		}
		vals[i], kinds[i] = v, et
	}
	d := l.DataType
	if d.GetStruct() == nil {
		d = s.GetStructType() //nolint:staticcheck // clients before 4.1
	}
	if d == nil {
		return nil, nil, invalid("STRUCT_LITERAL_MISSING_DATA_TYPE")
	}
	// Fields may leave out types that their values say.
	st := d.GetStruct()
	if st == nil || len(st.GetFields()) != len(vals) {
		return nil, nil, invalid("INCOMPATIBLE_LITERAL_DATA_TYPE", "dataTypeKindCase", kindName(d), "literalTypeCase", "STRUCT")
	}
	fields := make([]types.Field, len(vals))
	for i, f := range st.GetFields() {
		ft := kinds[i]
		if f.GetDataType().GetKind() != nil {
			var err error
			if ft, err = t.Type(f.GetDataType()); err != nil {
				return nil, nil, err
			}
		}
		fields[i] = types.Field{Name: f.GetName(), Type: ft, Nullable: f.GetNullable() || vals[i] == nil, Metadata: f.GetMetadata()}
	}
	return types.NewStruct(fields...), vals, nil
}

// LiteralProto writes a value, in the Go form of literals, as the protocol's literal.
func LiteralProto(ty *types.Type, v any) (*pb.Expression_Literal, error) {
	dt, err := TypeProto(ty)
	if err != nil {
		return nil, err
	}
	l := &pb.Expression_Literal{}
	if v == nil {
		l.LiteralType = &pb.Expression_Literal_Null{Null: dt}
		return l, nil
	}
	var ok bool
	switch ty.Kind {
	case types.Bool:
		var x bool
		x, ok = v.(bool)
		l.LiteralType = &pb.Expression_Literal_Boolean{Boolean: x}
	case types.Int8:
		var x int8
		x, ok = v.(int8)
		l.LiteralType = &pb.Expression_Literal_Byte{Byte: int32(x)}
	case types.Int16:
		var x int16
		x, ok = v.(int16)
		l.LiteralType = &pb.Expression_Literal_Short{Short: int32(x)}
	case types.Int32:
		var x int32
		x, ok = v.(int32)
		l.LiteralType = &pb.Expression_Literal_Integer{Integer: x}
	case types.Int64:
		var x int64
		x, ok = v.(int64)
		l.LiteralType = &pb.Expression_Literal_Long{Long: x}
	case types.Float32:
		var x float32
		x, ok = v.(float32)
		l.LiteralType = &pb.Expression_Literal_Float{Float: x}
	case types.Float64:
		var x float64
		x, ok = v.(float64)
		l.LiteralType = &pb.Expression_Literal_Double{Double: x}
	case types.Decimal:
		var x types.Dec
		x, ok = v.(types.Dec)
		l.LiteralType = &pb.Expression_Literal_Decimal_{Decimal: &pb.Expression_Literal_Decimal{
			Value: decimalText(x, ty.Scale), Precision: proto.Int32(int32(ty.Precision)), Scale: proto.Int32(int32(ty.Scale)),
		}}
	case types.String, types.Char, types.Varchar:
		var x string
		x, ok = v.(string)
		l.LiteralType = &pb.Expression_Literal_String_{String_: x}
	case types.Binary:
		var x []byte
		x, ok = v.([]byte)
		l.LiteralType = &pb.Expression_Literal_Binary{Binary: x}
	case types.Date:
		var x int32
		x, ok = v.(int32)
		l.LiteralType = &pb.Expression_Literal_Date{Date: x}
	case types.Timestamp:
		var x int64
		x, ok = v.(int64)
		l.LiteralType = &pb.Expression_Literal_Timestamp{Timestamp: x}
	case types.TimestampNTZ:
		var x int64
		x, ok = v.(int64)
		l.LiteralType = &pb.Expression_Literal_TimestampNtz{TimestampNtz: x}
	case types.Time:
		var x int64
		x, ok = v.(int64)
		l.LiteralType = &pb.Expression_Literal_Time_{Time: &pb.Expression_Literal_Time{Nano: x, Precision: proto.Int32(int32(ty.Precision))}}
	case types.CalendarInterval:
		var x types.CalendarValue
		x, ok = v.(types.CalendarValue)
		l.LiteralType = &pb.Expression_Literal_CalendarInterval_{CalendarInterval: &pb.Expression_Literal_CalendarInterval{Months: x.Months, Days: x.Days, Microseconds: x.Micros}}
	case types.YearMonthInterval:
		var x int32
		x, ok = v.(int32)
		l.LiteralType = &pb.Expression_Literal_YearMonthInterval{YearMonthInterval: x}
	case types.DayTimeInterval:
		var x int64
		x, ok = v.(int64)
		l.LiteralType = &pb.Expression_Literal_DayTimeInterval{DayTimeInterval: x}
	case types.Array:
		x, isArray := v.([]any)
		if ok = isArray; ok {
			el, err := literalProtos(x, func(int) *types.Type { return ty.Elem })
			if err != nil {
				return nil, err
			}
			l.DataType = dt
			l.LiteralType = &pb.Expression_Literal_Array_{Array: &pb.Expression_Literal_Array{Elements: el, ElementType: dt.GetArray().GetElementType()}}
		}
	case types.Map:
		x, isMap := v.(types.MapValue)
		if ok = isMap; ok {
			keys, err := literalProtos(x.Keys, func(int) *types.Type { return ty.Key })
			if err != nil {
				return nil, err
			}
			vals, err := literalProtos(x.Values, func(int) *types.Type { return ty.Elem })
			if err != nil {
				return nil, err
			}
			l.DataType = dt
			l.LiteralType = &pb.Expression_Literal_Map_{Map: &pb.Expression_Literal_Map{Keys: keys, Values: vals, KeyType: dt.GetMap().GetKeyType(), ValueType: dt.GetMap().GetValueType()}}
		}
	case types.Struct:
		x, isStruct := v.(types.StructValue)
		if ok = isStruct && len(x) == len(ty.Fields); ok {
			el, err := literalProtos(x, func(i int) *types.Type { return ty.Fields[i].Type })
			if err != nil {
				return nil, err
			}
			l.DataType = dt
			l.LiteralType = &pb.Expression_Literal_Struct_{Struct: &pb.Expression_Literal_Struct{Elements: el, StructType: dt}}
		}
	default:
		return nil, invalid("UNSUPPORTED_LITERAL_TYPE", "typeInfo", ty.SQL())
	}
	if !ok {
		return nil, errs.Internalf("a %T is no value of the type %s", v, ty)
	}
	return l, nil
}

func literalProtos(vals []any, ty func(int) *types.Type) ([]*pb.Expression_Literal, error) {
	out := make([]*pb.Expression_Literal, len(vals))
	for i, v := range vals {
		var err error
		if out[i], err = LiteralProto(ty(i), v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func decimalText(v types.Dec, scale int) string {
	s := v.Big().String()
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	if scale > 0 {
		if len(s) <= scale {
			s = strings.Repeat("0", scale-len(s)+1) + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if neg {
		s = "-" + s
	}
	return s
}
