package translate

import (
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"neptune/connect/pb"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// kindName is the name of the message that is set in d's oneof.
func kindName(d *pb.DataType) string {
	r := d.ProtoReflect()
	f := r.WhichOneof(r.Descriptor().Oneofs().ByName("kind"))
	if f == nil {
		return "KIND_NOT_SET"
	}
	return strings.ToUpper(string(f.Name()))
}

// Type translates a data type.
func (t *Translator) Type(d *pb.DataType) (*types.Type, error) {
	leave, err := t.down()
	if err != nil {
		return nil, err
	}
	defer leave()
	switch k := d.GetKind().(type) {
	case *pb.DataType_Null:
		return types.NullType, nil
	case *pb.DataType_Binary_:
		return types.BinaryType, nil
	case *pb.DataType_Boolean_:
		return types.BoolType, nil
	case *pb.DataType_Byte_:
		return types.Int8Type, nil
	case *pb.DataType_Short_:
		return types.Int16Type, nil
	case *pb.DataType_Integer_:
		return types.Int32Type, nil
	case *pb.DataType_Long_:
		return types.Int64Type, nil
	case *pb.DataType_Float_:
		return types.Float32Type, nil
	case *pb.DataType_Double_:
		return types.Float64Type, nil
	case *pb.DataType_Decimal_:
		p, s := 10, 0
		if k.Decimal.Precision != nil {
			p = int(*k.Decimal.Precision)
		}
		if k.Decimal.Scale != nil {
			s = int(*k.Decimal.Scale)
		}
		if p < 1 || p > types.MaxPrecision || s > p || s < -types.MaxPrecision {
			return nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("there is no DECIMAL(%d,%d).", p, s))
		}
		return types.NewDecimal(p, s), nil
	case *pb.DataType_String_:
		if c := k.String_.GetCollation(); c != "" && c != "UTF8_BINARY" {
			return &types.Type{Kind: types.String, Collation: c}, nil
		}
		return types.StringType, nil
	case *pb.DataType_Char_:
		return &types.Type{Kind: types.Char, Length: int(k.Char.GetLength())}, nil
	case *pb.DataType_VarChar_:
		return &types.Type{Kind: types.Varchar, Length: int(k.VarChar.GetLength())}, nil
	case *pb.DataType_Date_:
		return types.DateType, nil
	case *pb.DataType_Timestamp_:
		return types.TimestampType, nil
	case *pb.DataType_TimestampNtz:
		return types.TimestampNTZType, nil
	case *pb.DataType_Time_:
		p := types.DefaultTimePrecise
		if k.Time.Precision != nil {
			p = int(*k.Time.Precision)
		}
		if p < 0 || p > 9 {
			return nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("there is no TIME(%d).", p))
		}
		return &types.Type{Kind: types.Time, Precision: p}, nil
	case *pb.DataType_CalendarInterval_:
		return types.CalendarType, nil
	case *pb.DataType_YearMonthInterval_:
		s, e := types.Year, types.Month
		if k.YearMonthInterval.StartField != nil {
			s = uint8(*k.YearMonthInterval.StartField)
			e = s
		}
		if k.YearMonthInterval.EndField != nil {
			e = uint8(*k.YearMonthInterval.EndField)
		}
		if s > e || e > types.Month {
			return nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("there is no year-month interval of the fields %d to %d.", s, e))
		}
		return types.NewYearMonth(s, e), nil
	case *pb.DataType_DayTimeInterval_:
		s, e := types.Day, types.Second
		if k.DayTimeInterval.StartField != nil {
			s = uint8(*k.DayTimeInterval.StartField)
			e = s
		}
		if k.DayTimeInterval.EndField != nil {
			e = uint8(*k.DayTimeInterval.EndField)
		}
		if s > e || e > types.Second {
			return nil, invalid("ASSERTION_FAILURE", "message", fmt.Sprintf("there is no day-time interval of the fields %d to %d.", s, e))
		}
		return types.NewDayTime(s, e), nil
	case *pb.DataType_Array_:
		el, err := t.Type(k.Array.GetElementType())
		if err != nil {
			return nil, err
		}
		return types.NewArray(el, k.Array.GetContainsNull()), nil
	case *pb.DataType_Map_:
		key, err := t.Type(k.Map.GetKeyType())
		if err != nil {
			return nil, err
		}
		val, err := t.Type(k.Map.GetValueType())
		if err != nil {
			return nil, err
		}
		return types.NewMap(key, val, k.Map.GetValueContainsNull()), nil
	case *pb.DataType_Struct_:
		fields := make([]types.Field, 0, len(k.Struct.GetFields()))
		for _, f := range k.Struct.GetFields() {
			ft, err := t.Type(f.GetDataType())
			if err != nil {
				return nil, err
			}
			meta := f.GetMetadata()
			if meta == "{}" {
				meta = ""
			}
			fields = append(fields, types.Field{Name: f.GetName(), Type: ft, Nullable: f.GetNullable(), Metadata: meta})
		}
		return types.NewStruct(fields...), nil
	case *pb.DataType_Variant_:
		return types.VariantType, nil
	case *pb.DataType_Geometry_:
		return types.NewSpatial(types.Geometry, int(k.Geometry.GetSrid())), nil
	case *pb.DataType_Geography_:
		return types.NewSpatial(types.Geography, int(k.Geography.GetSrid())), nil
	case *pb.DataType_Udt:
		return t.udt(k.Udt)
	case *pb.DataType_Unparsed_:
		return t.dataType(k.Unparsed.GetDataTypeString())
	case nil:
		return nil, noOneof(orEmpty(d), "kind")
	}
	return nil, invalid("DATA_TYPE_UNSUPPORTED_PROTO_TO_CATALYST", "kindCase", kindName(d))
}

func orEmpty(d *pb.DataType) *pb.DataType {
	if d == nil {
		return &pb.DataType{}
	}
	return d
}

func (t *Translator) udt(u *pb.DataType_UDT) (*types.Type, error) {
	if u.GetType() != "udt" {
		return nil, invalid("UDT_TYPE_FIELD_INVALID", "udtType", u.GetType())
	}
	if u.GetJvmClass() == "" && (u.GetPythonClass() == "" || u.GetSerializedPythonClass() == "" || u.SqlType == nil) {
		return nil, invalid("PYTHON_UDT_MISSING_FIELDS")
	}
	base := &types.Type{Kind: types.Object}
	if u.SqlType != nil {
		var err error
		if base, err = t.Type(u.SqlType); err != nil {
			return nil, err
		}
	}
	return types.NewUDT(base, u.GetJvmClass(), u.GetPythonClass(), u.GetSerializedPythonClass()), nil
}

// dataType reads a type's text: JSON or SQL.
func (t *Translator) dataType(text string) (*types.Type, error) {
	if s := strings.TrimSpace(text); strings.HasPrefix(s, "{") || strings.HasPrefix(s, `"`) {
		if ty, err := types.ParseJSON(s); err == nil {
			return ty, nil
		}
	}
	return t.env.Parser.DataType(text)
}

// Schema reads a schema's text: JSON, a column list or a struct type. What isn't a struct becomes its one column "value" when
// wrap is set, and is refused otherwise.
func (t *Translator) Schema(text string) (*types.Type, error) {
	s := strings.TrimSpace(text)
	if strings.HasPrefix(s, "{") || strings.HasPrefix(s, `"`) {
		ty, err := types.ParseJSON(s)
		if err != nil {
			return nil, errs.New(errs.Parse, "INVALID_SCHEMA.PARSE_ERROR", "inputSchema", errs.Quote(text), "reason", err.Error())
		}
		if ty.Kind != types.Struct {
			return nil, invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", "inputSchema", errs.Quote(text), "dataType", errs.Quote(ty.SQL()))
		}
		return ty, nil
	}
	ty, err := t.env.Parser.Schema(text)
	if err == nil {
		return ty, nil
	}
	if dt, derr := t.env.Parser.DataType(text); derr == nil {
		if dt.Kind == types.Struct {
			return dt, nil
		}
		return nil, invalid("INVALID_SCHEMA_NON_STRUCT_TYPE", "inputSchema", errs.Quote(text), "dataType", errs.Quote(dt.SQL()))
	}
	return nil, err
}

// TypeProto writes a type as the protocol's message.
func TypeProto(t *types.Type) (*pb.DataType, error) {
	if t == nil {
		return nil, errs.Internalf("a type that isn't resolved can't be sent")
	}
	if t.UDT != "" {
		return udtProto(t)
	}
	switch t.Kind {
	case types.Null:
		return &pb.DataType{Kind: &pb.DataType_Null{Null: &pb.DataType_NULL{}}}, nil
	case types.Bool:
		return &pb.DataType{Kind: &pb.DataType_Boolean_{Boolean: &pb.DataType_Boolean{}}}, nil
	case types.Int8:
		return &pb.DataType{Kind: &pb.DataType_Byte_{Byte: &pb.DataType_Byte{}}}, nil
	case types.Int16:
		return &pb.DataType{Kind: &pb.DataType_Short_{Short: &pb.DataType_Short{}}}, nil
	case types.Int32:
		return &pb.DataType{Kind: &pb.DataType_Integer_{Integer: &pb.DataType_Integer{}}}, nil
	case types.Int64:
		return &pb.DataType{Kind: &pb.DataType_Long_{Long: &pb.DataType_Long{}}}, nil
	case types.Float32:
		return &pb.DataType{Kind: &pb.DataType_Float_{Float: &pb.DataType_Float{}}}, nil
	case types.Float64:
		return &pb.DataType{Kind: &pb.DataType_Double_{Double: &pb.DataType_Double{}}}, nil
	case types.Decimal:
		return &pb.DataType{Kind: &pb.DataType_Decimal_{Decimal: &pb.DataType_Decimal{Precision: proto.Int32(int32(t.Precision)), Scale: proto.Int32(int32(t.Scale))}}}, nil
	case types.String:
		c := t.Collation
		if c == "" {
			c = "UTF8_BINARY"
		}
		return &pb.DataType{Kind: &pb.DataType_String_{String_: &pb.DataType_String{Collation: c}}}, nil
	case types.Char:
		return &pb.DataType{Kind: &pb.DataType_Char_{Char: &pb.DataType_Char{Length: int32(t.Length)}}}, nil
	case types.Varchar:
		return &pb.DataType{Kind: &pb.DataType_VarChar_{VarChar: &pb.DataType_VarChar{Length: int32(t.Length)}}}, nil
	case types.Binary:
		return &pb.DataType{Kind: &pb.DataType_Binary_{Binary: &pb.DataType_Binary{}}}, nil
	case types.Date:
		return &pb.DataType{Kind: &pb.DataType_Date_{Date: &pb.DataType_Date{}}}, nil
	case types.Timestamp:
		return &pb.DataType{Kind: &pb.DataType_Timestamp_{Timestamp: &pb.DataType_Timestamp{}}}, nil
	case types.TimestampNTZ:
		return &pb.DataType{Kind: &pb.DataType_TimestampNtz{TimestampNtz: &pb.DataType_TimestampNTZ{}}}, nil
	case types.Time:
		return &pb.DataType{Kind: &pb.DataType_Time_{Time: &pb.DataType_Time{Precision: proto.Int32(int32(t.Precision))}}}, nil
	case types.CalendarInterval:
		return &pb.DataType{Kind: &pb.DataType_CalendarInterval_{CalendarInterval: &pb.DataType_CalendarInterval{}}}, nil
	case types.YearMonthInterval:
		return &pb.DataType{Kind: &pb.DataType_YearMonthInterval_{YearMonthInterval: &pb.DataType_YearMonthInterval{StartField: proto.Int32(int32(t.Start)), EndField: proto.Int32(int32(t.End))}}}, nil
	case types.DayTimeInterval:
		return &pb.DataType{Kind: &pb.DataType_DayTimeInterval_{DayTimeInterval: &pb.DataType_DayTimeInterval{StartField: proto.Int32(int32(t.Start)), EndField: proto.Int32(int32(t.End))}}}, nil
	case types.Variant:
		return &pb.DataType{Kind: &pb.DataType_Variant_{Variant: &pb.DataType_Variant{}}}, nil
	case types.Geometry:
		return &pb.DataType{Kind: &pb.DataType_Geometry_{Geometry: &pb.DataType_Geometry{Srid: int32(t.SRID)}}}, nil
	case types.Geography:
		return &pb.DataType{Kind: &pb.DataType_Geography_{Geography: &pb.DataType_Geography{Srid: int32(t.SRID)}}}, nil
	case types.Array:
		el, err := TypeProto(t.Elem)
		if err != nil {
			return nil, err
		}
		return &pb.DataType{Kind: &pb.DataType_Array_{Array: &pb.DataType_Array{ElementType: el, ContainsNull: t.ElemNulls}}}, nil
	case types.Map:
		key, err := TypeProto(t.Key)
		if err != nil {
			return nil, err
		}
		val, err := TypeProto(t.Elem)
		if err != nil {
			return nil, err
		}
		return &pb.DataType{Kind: &pb.DataType_Map_{Map: &pb.DataType_Map{KeyType: key, ValueType: val, ValueContainsNull: t.ElemNulls}}}, nil
	case types.Struct:
		fields := make([]*pb.DataType_StructField, len(t.Fields))
		for i := range t.Fields {
			f := &t.Fields[i]
			ft, err := TypeProto(f.Type)
			if err != nil {
				return nil, err
			}
			fields[i] = &pb.DataType_StructField{Name: f.Name, DataType: ft, Nullable: f.Nullable}
			if f.Metadata != "" {
				fields[i].Metadata = proto.String(f.Metadata)
			}
		}
		return &pb.DataType{Kind: &pb.DataType_Struct_{Struct: &pb.DataType_Struct{Fields: fields}}}, nil
	}
	return nil, invalid("DATA_TYPE_UNSUPPORTED_CATALYST_TO_PROTO", "typeName", t.String())
}

func udtProto(t *types.Type) (*pb.DataType, error) {
	var obj struct {
		Class           string `json:"class"`
		PyClass         string `json:"pyClass"`
		SerializedClass string `json:"serializedClass"`
	}
	if err := json.Unmarshal([]byte(t.UDT), &obj); err != nil {
		return nil, fmt.Errorf("reading a user defined type: %w", err)
	}
	u := &pb.DataType_UDT{Type: "udt"}
	if obj.Class != "" {
		u.JvmClass = &obj.Class
	}
	if obj.PyClass != "" {
		u.PythonClass = &obj.PyClass
	}
	if obj.SerializedClass != "" {
		u.SerializedPythonClass = &obj.SerializedClass
	}
	if t.Kind != types.Object {
		base := *t
		base.UDT = ""
		b, err := TypeProto(&base)
		if err != nil {
			return nil, err
		}
		u.SqlType = b
	}
	return &pb.DataType{Kind: &pb.DataType_Udt{Udt: u}}, nil
}
