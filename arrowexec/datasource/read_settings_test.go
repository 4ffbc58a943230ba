package datasource

import (
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// TestLeafTypes: the types of columns that Spark didn't write, and the errors of those that it doesn't read.
func TestLeafTypes(t *testing.T) {
	for _, x := range []struct {
		lt    schema.LogicalType
		phys  parquet.Type
		width int
		want  string // a type, or the error's parquetType
	}{
		{schema.NewTimeLogicalType(false, schema.TimeUnitNanos), parquet.Types.Int64, -1, "time(9)"},
		{schema.NewTimeLogicalType(false, schema.TimeUnitMicros), parquet.Types.Int64, -1, "time(6)"},
		{schema.NewTimeLogicalType(false, schema.TimeUnitMillis), parquet.Types.Int32, -1, "INT32 (TIME(MILLIS,false))"},
		{schema.NewTimestampLogicalType(true, schema.TimeUnitNanos), parquet.Types.Int64, -1, "INT64 (TIMESTAMP(NANOS,true))"},
		{schema.UUIDLogicalType{}, parquet.Types.FixedLenByteArray, 16, "FIXED_LEN_BYTE_ARRAY (UUID)"},
		{schema.Float16LogicalType{}, parquet.Types.FixedLenByteArray, 2, "FIXED_LEN_BYTE_ARRAY (FLOAT16)"},
		{schema.BSONLogicalType{}, parquet.Types.ByteArray, -1, "binary"},
		{schema.JSONLogicalType{}, parquet.Types.ByteArray, -1, "string"},
		{schema.NewIntLogicalType(64, false), parquet.Types.Int64, -1, "decimal(20,0)"},
	} {
		node := schema.MustPrimitive(schema.NewPrimitiveNodeLogical("a", parquet.Repetitions.Optional, x.lt, x.phys, x.width, -1))
		leaf := schema.NewSchema(schema.MustGroup(schema.NewGroupNode("root", parquet.Repetitions.Required, schema.FieldList{node}, -1))).Column(0)
		got, err := leafType(leaf, inferSettings{})
		if err != nil {
			if e, ok := errs.As(err); !ok || e.Condition != "PARQUET_TYPE_ILLEGAL" || e.Params["parquetType"] != x.want {
				t.Errorf("%s: %v", x.want, err)
			}
		} else if got.String() != x.want {
			t.Errorf("%s: %s", x.want, got)
		}
	}
}

// TestDecimalsAsWholeNumbers: a column is read without its point as a type that has none; unsigned numbers are no decimals but the one they are like.
func TestDecimalsAsWholeNumbers(t *testing.T) {
	leafOf := func(lt schema.LogicalType, phys parquet.Type) *schema.Column {
		node := schema.MustPrimitive(schema.NewPrimitiveNodeLogical("a", parquet.Repetitions.Required, lt, phys, -1, -1))
		return schema.NewSchema(schema.MustGroup(schema.NewGroupNode("root", parquet.Repetitions.Required, schema.FieldList{node}, -1))).Column(0)
	}
	d9, d18 := leafOf(schema.NewDecimalLogicalType(9, 2), parquet.Types.Int32), leafOf(schema.NewDecimalLogicalType(18, 2), parquet.Types.Int64)
	u32, u64 := leafOf(schema.NewIntLogicalType(32, false), parquet.Types.Int32), leafOf(schema.NewIntLogicalType(64, false), parquet.Types.Int64)
	b := []byte{125, 0, 0, 0, 0, 0, 0, 0}
	for _, x := range []struct {
		leaf *schema.Column
		as   *types.Type
		want any // nil: not readable
	}{
		{d9, types.Int8Type, int8(125)}, {d9, types.Int32Type, int32(125)}, {d9, types.Int64Type, int64(125)}, {d9, types.Float64Type, 125.0}, {d9, types.DateType, int32(125)},
		{d9, types.NewDecimal(38, 2), types.I128(125)}, {d9, types.NewDecimal(38, 3), types.I128(1250)}, {d9, types.Float32Type, nil}, {d9, types.NewDecimal(38, 1), nil},
		{d18, types.Int64Type, int64(125)}, {d18, types.DayTimeType, int64(125)}, {d18, types.Int32Type, nil}, {d18, types.Float64Type, nil},
		{u32, types.Int64Type, int64(125)}, {u32, types.NewDecimal(20, 0), nil}, {u64, types.NewDecimal(20, 0), types.I128(125)}, {u64, types.NewDecimal(38, 2), nil}, {u64, types.Int64Type, nil},
	} {
		v, err := (&leafLevels{fixed: b, n: 1}).decode(x.leaf, x.as, readSettings{}, func() error { return nil })
		if (err != nil) != (x.want == nil) || err == nil && v.Value(0) != x.want {
			t.Errorf("%s as %s: %v, %v", x.leaf, x.as, v, err)
		}
	}
}

// TestInt96AsTimestamp: a file that doesn't say what its INT96 is has timestamps, or can't be read.
func TestInt96AsTimestamp(t *testing.T) {
	root := schema.MustGroup(schema.NewGroupNode("root", parquet.Repetitions.Required, schema.FieldList{schema.NewInt96Node("a", parquet.Repetitions.Optional, -1)}, -1))
	leaf := schema.NewSchema(root).Column(0)
	if got, err := leafType(leaf, newInferSettings(nil)); err != nil || got != types.TimestampType {
		t.Errorf("by default: %v, %v", got, err)
	}
	_, err := leafType(leaf, newInferSettings(map[string]string{"spark.sql.parquet.int96AsTimestamp": "false"}))
	if e, ok := errs.As(err); !ok || e.Condition != "_LEGACY_ERROR_TEMP_3071" {
		t.Errorf("where it is no timestamp: %v", err)
	}
}
