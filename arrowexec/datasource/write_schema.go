package datasource

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// parquetSettings are the options and settings of a session that say how Parquet is written.
type parquetSettings struct {
	codec      compress.Compression
	timestamps string // INT96, TIMESTAMP_MICROS or TIMESTAMP_MILLIS
	legacy     bool   // lists, maps and decimals as Spark 1.4 wrote them
	fieldIDs   bool
	dates      rebaseMode // of dates and timestamps
	int96      rebaseMode
	zone       *time.Location
	zoneID     string
	groupBytes int64
	pageBytes  int
	dictBytes  int
	dict       bool
}

const outputTimestampType = "spark.sql.parquet.outputTimestampType"

// parquetCodecName is the codec that a write takes: the option compression comes first, then the other, then the session.
func parquetCodecName(opts, conf map[string]string) string {
	for _, v := range []string{opts["compression"], opts["parquet.compression"]} {
		if v != "" {
			return v
		}
	}
	return conf["spark.sql.parquet.compression.codec"]
}

// newParquetSettings reads them. Options have names in lower case.
func newParquetSettings(opts, conf map[string]string, zone *time.Location) (*parquetSettings, error) {
	s := &parquetSettings{timestamps: "INT96", zone: zone, zoneID: conf["spark.sql.session.timeZone"], fieldIDs: true, dict: true, groupBytes: groupBytes, pageBytes: pageRoom, dictBytes: dictBytes}
	var err error
	if s.codec, err = codecOf("parquet", parquetCodecName(opts, conf)); err != nil {
		return nil, err
	}
	if v := strings.ToUpper(strings.TrimSpace(conf[outputTimestampType])); v != "" {
		s.timestamps = v
	}
	s.legacy = isTrue(conf["spark.sql.parquet.writeLegacyFormat"])
	s.fieldIDs = !strings.EqualFold(conf["spark.sql.parquet.fieldId.write.enabled"], "false")
	if s.dates, err = rebaseOf(conf["spark.sql.parquet.datetimeRebaseModeInWrite"]); err != nil {
		return nil, err
	}
	if s.int96, err = rebaseOf(conf["spark.sql.parquet.int96RebaseModeInWrite"]); err != nil {
		return nil, err
	}
	if v, ok := opts["parquet.enable.dictionary"]; ok {
		s.dict = strings.EqualFold(v, "true")
	}
	for k, to := range map[string]func(n int64){
		"parquet.block.size":           func(n int64) { s.groupBytes = min(n, groupBytes) },
		"parquet.page.size":            func(n int64) { s.pageBytes = int(min(n, 1<<30)) },
		"parquet.dictionary.page.size": func(n int64) { s.dictBytes = int(min(n, 1<<30)) },
	} {
		v, ok := opts[k]
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return nil, errs.Refused(errs.NumberFormat, "For input string: %q", v).Because(err)
		}
		to(max(n, 1))
	}
	return s, nil
}

// schema is the file's schema (Spark: SparkToParquetSchemaConverter).
func (s *parquetSettings) schema(t *types.Type) (*schema.Schema, error) {
	fields, err := s.fields(t)
	if err != nil {
		return nil, err
	}
	root, err := schema.NewGroupNode("spark_schema", parquet.Repetitions.Required, fields, -1)
	if err != nil {
		return nil, err
	}
	return schema.NewSchema(root), nil
}

func (s *parquetSettings) fields(t *types.Type) (out schema.FieldList, err error) {
	for i := range t.Fields {
		f := &t.Fields[i]
		id := int32(-1)
		if s.fieldIDs {
			if v, ok := fieldID(f.Metadata); ok {
				id = v
			}
		}
		n, err := s.field(f.Name, f.Type, optional(f.Nullable), id)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// fieldIDKey is the key in a column's metadata that has its number in files.
const fieldIDKey = "parquet.field.id"

func fieldID(meta string) (int32, bool) {
	if !strings.Contains(meta, fieldIDKey) {
		return 0, false
	}
	var m struct {
		ID *int32 `json:"parquet.field.id"`
	}
	if err := json.Unmarshal([]byte(meta), &m); err != nil || m.ID == nil {
		return 0, false
	}
	return *m.ID, true
}

func optional(null bool) parquet.Repetition {
	if null {
		return parquet.Repetitions.Optional
	}
	return parquet.Repetitions.Required
}

func (s *parquetSettings) field(name string, t *types.Type, rep parquet.Repetition, id int32) (schema.Node, error) {
	leaf := func(phys parquet.Type, lt schema.LogicalType) (schema.Node, error) {
		return schema.NewPrimitiveNodeLogical(name, rep, lt, phys, -1, id)
	}
	none := schema.LogicalType(schema.NoLogicalType{})
	group := func(lt schema.LogicalType, kids ...schema.Node) (schema.Node, error) {
		return schema.NewGroupNodeLogical(name, rep, kids, lt, id)
	}
	switch t.Kind {
	case types.Null:
		return schema.NewPrimitiveNodeLogical(name, parquet.Repetitions.Optional, schema.NullLogicalType{}, parquet.Types.Boolean, -1, id)
	case types.Bool:
		return leaf(parquet.Types.Boolean, none)
	case types.Int8:
		return leaf(parquet.Types.Int32, schema.NewIntLogicalType(8, true))
	case types.Int16:
		return leaf(parquet.Types.Int32, schema.NewIntLogicalType(16, true))
	case types.Int32, types.YearMonthInterval:
		return leaf(parquet.Types.Int32, none)
	case types.Int64, types.DayTimeInterval:
		return leaf(parquet.Types.Int64, none)
	case types.Float32:
		return leaf(parquet.Types.Float, none)
	case types.Float64:
		return leaf(parquet.Types.Double, none)
	case types.String, types.Char, types.Varchar:
		return leaf(parquet.Types.ByteArray, schema.StringLogicalType{})
	case types.Binary:
		return leaf(parquet.Types.ByteArray, none)
	case types.Date:
		return leaf(parquet.Types.Int32, schema.DateLogicalType{})
	case types.TimestampNTZ:
		return leaf(parquet.Types.Int64, schema.NewTimestampLogicalType(false, schema.TimeUnitMicros))
	case types.Time:
		return leaf(parquet.Types.Int64, schema.NewTimeLogicalType(false, schema.TimeUnitMicros))
	case types.Timestamp:
		switch s.timestamps {
		case "TIMESTAMP_MICROS":
			return leaf(parquet.Types.Int64, schema.NewTimestampLogicalType(true, schema.TimeUnitMicros))
		case "TIMESTAMP_MILLIS":
			return leaf(parquet.Types.Int64, schema.NewTimestampLogicalType(true, schema.TimeUnitMillis))
		}
		return leaf(parquet.Types.Int96, none)
	case types.Decimal:
		lt := schema.NewDecimalLogicalType(int32(t.Precision), int32(t.Scale))
		switch {
		case t.Precision <= 9 && !s.legacy:
			return leaf(parquet.Types.Int32, lt)
		case t.Precision <= 18 && !s.legacy:
			return leaf(parquet.Types.Int64, lt)
		}
		return schema.NewPrimitiveNodeLogical(name, rep, lt, parquet.Types.FixedLenByteArray, decimalBytes(t.Precision), id)
	case types.Variant:
		req := parquet.Repetitions.Required
		return group(schema.VariantLogicalType{}, schema.NewByteArrayNode("value", req, -1), schema.NewByteArrayNode("metadata", req, -1))
	case types.Struct:
		kids, err := s.fields(t)
		if err != nil {
			return nil, err
		}
		return schema.NewGroupNode(name, rep, kids, id)
	case types.Array:
		if s.legacy && !t.ElemNulls && t.Elem.Kind != types.Null {
			kid, err := s.field("array", t.Elem, parquet.Repetitions.Repeated, -1)
			if err != nil {
				return nil, err
			}
			return group(schema.NewListLogicalType(), kid)
		}
		list, elem := "list", "element"
		if s.legacy {
			list, elem = "bag", "array"
		}
		kid, err := s.field(elem, t.Elem, optional(t.ElemNulls), -1)
		if err != nil {
			return nil, err
		}
		entries, err := schema.NewGroupNode(list, parquet.Repetitions.Repeated, schema.FieldList{kid}, -1)
		if err != nil {
			return nil, err
		}
		return group(schema.NewListLogicalType(), entries)
	case types.Map:
		k, err := s.field("key", t.Key, parquet.Repetitions.Required, -1)
		if err != nil {
			return nil, err
		}
		v, err := s.field("value", t.Elem, optional(t.ElemNulls), -1)
		if err != nil {
			return nil, err
		}
		mark := schema.ConvertedTypes.None
		if s.legacy {
			mark = schema.ConvertedTypes.MapKeyValue
		}
		entries, err := schema.NewGroupNodeConverted("key_value", parquet.Repetitions.Repeated, schema.FieldList{k, v}, mark, -1)
		if err != nil {
			return nil, err
		}
		return group(schema.MapLogicalType{}, entries)
	}
	return nil, errs.Internalf("no Parquet column for %s", t)
}

// decimalBytes is how many bytes the greatest number of so many digits needs.
func decimalBytes(digits int) int {
	most, n := types.Pow10Wide[digits], 1
	for ; n < 16; n++ {
		limit := types.I128(1)
		for range 8*n - 1 {
			limit = limit.Add(limit)
		}
		if most.Cmp(limit) <= 0 {
			return n
		}
	}
	return n
}

// storedSchema is the schema that the footer keeps as JSON: CHAR and VARCHAR are strings there, with the type beside.
func storedSchema(t *types.Type) string {
	c := *t
	c.Fields = append([]types.Field(nil), t.Fields...)
	for i := range c.Fields {
		f := &c.Fields[i]
		if k := f.Type.Kind; k == types.Char || k == types.Varchar {
			f.Metadata = withKey(f.Metadata, "__CHAR_VARCHAR_TYPE_STRING", f.Type.String())
			f.Type = types.StringType
		}
	}
	return c.JSON()
}

// withKey adds a text to a column's metadata.
func withKey(meta, key, value string) string {
	if strings.Contains(meta, strconv.Quote(key)) {
		return meta
	}
	k, _ := json.Marshal(key)
	v, _ := json.Marshal(value)
	if meta == "" || meta == "{}" {
		return "{" + string(k) + ":" + string(v) + "}"
	}
	return strings.TrimSuffix(meta, "}") + "," + string(k) + ":" + string(v) + "}"
}
