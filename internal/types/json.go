package types

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// JSON writes t as Spark's DataType.json.
func (t *Type) JSON() string {
	var b strings.Builder
	t.writeJSON(&b)
	return b.String()
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return strconv.Quote(s) // strings always encode
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (t *Type) writeJSON(b *strings.Builder) {
	if t.UDT != "" {
		b.WriteString(t.UDT)
		return
	}
	switch t.Kind {
	case Array:
		b.WriteString(`{"type":"array","elementType":`)
		t.Elem.writeJSON(b)
		fmt.Fprintf(b, `,"containsNull":%t}`, t.ElemNulls)
	case Map:
		b.WriteString(`{"type":"map","keyType":`)
		t.Key.writeJSON(b)
		b.WriteString(`,"valueType":`)
		t.Elem.writeJSON(b)
		fmt.Fprintf(b, `,"valueContainsNull":%t}`, t.ElemNulls)
	case Struct:
		b.WriteString(`{"type":"struct","fields":[`)
		for i := range t.Fields {
			f := &t.Fields[i]
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`{"name":`)
			b.WriteString(quoteJSON(f.Name))
			b.WriteString(`,"type":`)
			f.Type.writeJSON(b)
			meta := f.Metadata
			if meta == "" {
				meta = "{}"
			}
			fmt.Fprintf(b, `,"nullable":%t,"metadata":%s}`, f.Nullable, meta)
		}
		b.WriteString("]}")
	case Geometry, Geography:
		b.WriteString(quoteJSON(t.spatialJSON()))
	default:
		b.WriteString(quoteJSON(typeName(t)))
	}
}

var (
	decimalRE  = regexp.MustCompile(`^decimal\(\s*(\d+)\s*,\s*(-?\d+)\s*\)$`)
	lengthRE   = regexp.MustCompile(`^(?i)(char|varchar)\(\s*(\d+)\s*\)(?: collate (\w+))?$`)
	timeRE     = regexp.MustCompile(`^time\((\d)\)$`)
	collateRE  = regexp.MustCompile(`^string collate (\w+)$`)
	intervalRE = regexp.MustCompile(`^interval (\w+)(?: to (\w+))?$`)
)

var jsonNames = map[string]*Type{
	"null": NullType, "void": NullType, "boolean": BoolType, "byte": Int8Type, "tinyint": Int8Type,
	"short": Int16Type, "smallint": Int16Type, "integer": Int32Type, "int": Int32Type, "long": Int64Type,
	"bigint": Int64Type, "float": Float32Type, "double": Float64Type, "decimal": NewDecimal(10, 0),
	"string": StringType, "binary": BinaryType, "date": DateType, "timestamp": TimestampType,
	"timestamp_ltz": TimestampType, "timestamp_ntz": TimestampNTZType, "time": TimeType,
	"interval": CalendarType, "calendarinterval": CalendarType, "variant": VariantType,
}

// ParseJSON reads what JSON writes.
func ParseJSON(s string) (*Type, error) {
	var v any
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("schema is not JSON: %w", err)
	}
	return fromJSON(v)
}

func fromJSON(v any) (*Type, error) {
	switch v := v.(type) {
	case string:
		return fromName(v)
	case map[string]any:
		kind, _ := v["type"].(string)
		switch kind {
		case "array":
			elem, err := fromJSON(v["elementType"])
			nulls, _ := v["containsNull"].(bool)
			return NewArray(elem, nulls), err
		case "map":
			key, err := fromJSON(v["keyType"])
			if err != nil {
				return nil, err
			}
			val, err := fromJSON(v["valueType"])
			nulls, _ := v["valueContainsNull"].(bool)
			return NewMap(key, val, nulls), err
		case "struct":
			list, _ := v["fields"].([]any)
			fields := make([]Field, 0, len(list))
			for _, x := range list {
				m, ok := x.(map[string]any)
				if !ok {
					return nil, fmt.Errorf("a struct field is not a JSON object: %v", x)
				}
				ft, err := fromJSON(m["type"])
				if err != nil {
					return nil, err
				}
				f := Field{Type: ft, Nullable: true}
				f.Name, _ = m["name"].(string)
				if n, ok := m["nullable"].(bool); ok {
					f.Nullable = n
				}
				meta, _ := m["metadata"].(map[string]any)
				if names, ok := meta[collationsKey].(map[string]any); ok {
					f.Type = collated(f.Type, f.Name, names)
					delete(meta, collationsKey)
				}
				if len(meta) > 0 {
					raw, err := json.Marshal(meta)
					if err != nil {
						return nil, err
					}
					f.Metadata = string(raw)
				}
				fields = append(fields, f)
			}
			return NewStruct(fields...), nil
		case "udt":
			base := &Type{Kind: Object}
			if v["sqlType"] != nil {
				var err error
				if base, err = fromJSON(v["sqlType"]); err != nil {
					return nil, err
				}
			}
			text := func(key string) string { s, _ := v[key].(string); return s }
			return NewUDT(base, text("class"), text("pyClass"), text("serializedClass")), nil
		}
	}
	return nil, fmt.Errorf("no data type: %v", v)
}

// collationsKey is the key of a field's metadata that has the collations of its strings, by their places.
const collationsKey = "__COLLATIONS"

// collated is t with the collations of its strings, but for those in structs, whose fields have their own; at is the place
// of t, and names are such as spark.UTF8_LCASE.
func collated(t *Type, at string, names map[string]any) *Type {
	switch t.Kind {
	case String:
		if name, ok := names[at].(string); ok {
			return &Type{Kind: String, Collation: name[strings.LastIndexByte(name, '.')+1:]}
		}
	case Array:
		return NewArray(collated(t.Elem, at+".element", names), t.ElemNulls)
	case Map:
		return NewMap(collated(t.Key, at+".key", names), collated(t.Elem, at+".value", names), t.ElemNulls)
	}
	return t
}

func fromName(s string) (*Type, error) {
	name := strings.ToLower(strings.TrimSpace(s))
	if t, ok := jsonNames[name]; ok {
		return t, nil
	}
	if m := decimalRE.FindStringSubmatch(name); m != nil {
		p, _ := strconv.Atoi(m[1])
		sc, _ := strconv.Atoi(m[2])
		return NewDecimal(p, sc), nil
	}
	if m := lengthRE.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		n, _ := strconv.Atoi(m[2])
		k := Char
		if strings.EqualFold(m[1], "varchar") {
			k = Varchar
		}
		return &Type{Kind: k, Length: n, Collation: m[3]}, nil
	}
	if m := timeRE.FindStringSubmatch(name); m != nil {
		p, _ := strconv.Atoi(m[1])
		return &Type{Kind: Time, Precision: p}, nil
	}
	if m := collateRE.FindStringSubmatch(strings.TrimSpace(s)); m != nil {
		return &Type{Kind: String, Collation: m[1]}, nil
	}
	if t := parseSpatial(strings.TrimSpace(s)); t != nil {
		return t, nil
	}
	if m := intervalRE.FindStringSubmatch(name); m != nil {
		if m[2] == "" {
			m[2] = m[1]
		}
		if t := Interval(m[1], m[2]); t != nil {
			return t, nil
		}
	}
	return nil, fmt.Errorf("no data type: %q", s)
}

// Interval returns the ANSI interval type from field names ("year", "month" or
// "day" ... "second"), or nil if there is none.
func Interval(start, end string) *Type {
	find := func(names []string) (s, e int) {
		s, e = -1, -1
		for i, n := range names {
			if n == start {
				s = i
			}
			if n == end {
				e = i
			}
		}
		return s, e
	}
	if s, e := find(ymFields[:]); s >= 0 && e >= s {
		return NewYearMonth(uint8(s), uint8(e))
	}
	if s, e := find(dtFields[:]); s >= 0 && e >= s {
		return NewDayTime(uint8(s), uint8(e))
	}
	return nil
}

// shippedUDTs are the user defined types of Spark's own libraries by their JVM classes, and the Python class that each of them
// names as its other half: Spark makes the type of the JVM class, whatever Python class comes with it.
var shippedUDTs = map[string]string{
	"org.apache.spark.ml.linalg.MatrixUDT":      "pyspark.ml.linalg.MatrixUDT",
	"org.apache.spark.ml.linalg.VectorUDT":      "pyspark.ml.linalg.VectorUDT",
	"org.apache.spark.mllib.linalg.MatrixUDT":   "pyspark.mllib.linalg.MatrixUDT",
	"org.apache.spark.mllib.linalg.VectorUDT":   "pyspark.mllib.linalg.VectorUDT",
	"org.apache.spark.sql.test.ExamplePointUDT": "pyspark.testing.objects.ExamplePointUDT",
}

// NewUDT returns the user defined type of these classes over a SQL type, which is an Object where nobody knows it. class is of
// the JVM, pyClass and serialized of Python; either side may be empty.
func NewUDT(base *Type, class, pyClass, serialized string) *Type {
	if v := shippedUDTs[class]; v != "" {
		pyClass = v
	}
	var b strings.Builder
	b.WriteByte('{')
	for _, f := range [...][2]string{{"class", class}, {"pyClass", pyClass}, {"serializedClass", serialized}} {
		if f[1] != "" {
			b.WriteString(quoteJSON(f[0]) + ":" + quoteJSON(f[1]) + ",")
		}
	}
	if base.Kind != Object {
		b.WriteString(`"sqlType":` + base.JSON() + ",")
	}
	b.WriteString(`"type":"udt"}`)
	t := *base
	t.UDT = b.String()
	return &t
}
