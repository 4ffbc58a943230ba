package datasource

import (
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/internal/errs"
	"neptune/internal/types"
)

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
