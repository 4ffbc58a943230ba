package datasource

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// TestTableFiles reads the partitions that it is told of and no others, gives rows
// older than a column that column's value, and finds partitions by folder.
func TestTableFiles(t *testing.T) {
	dir := t.TempDir()
	st := types.NewStruct(field("a", types.Int32Type), field("p", types.StringType))
	a, p := vec.NewBuilder(types.Int32Type, 3), vec.NewBuilder(types.StringType, 3)
	for i, v := range []any{"x", "y/z", nil} {
		if err := a.AppendValue(int32(i)); err != nil {
			t.Fatal(err)
		}
		if err := p.AppendValue(v); err != nil {
			t.Fatal(err)
		}
	}
	b := &vec.Batch{N: 3, Cols: []*vec.Vector{a.Finish(), p.Finish()}}
	if err := writeAll(t, WriteArgs{Format: "parquet", Path: dir, Mode: "append", Schema: st, PartitionBy: []string{"p"}}, b, true); err != nil {
		t.Fatal(err)
	}
	found, err := FindPartitions(dir, []string{"P"}, true)
	if err != nil {
		t.Fatal(err)
	}
	var values [][]string
	for _, f := range found {
		values = append(values, f.Values)
		if got := filepath.Join(dir, PartitionFolder([]string{"p"}, f.Values)); got != f.Path {
			t.Errorf("%v: folder %s, found %s", f.Values, got, f.Path)
		}
		if d := cmp.Diff(f.Values, PartitionValues(filepath.Base(f.Path))); d != "" {
			t.Error(d)
		}
	}
	if d := cmp.Diff([][]string{{NullPartition}, {"x"}, {"y/z"}}, values); d != "" {
		t.Fatal(d)
	}
	newer := types.NewStruct(field("a", types.Int32Type), types.Field{Name: "n", Type: types.Int64Type, Nullable: true, Metadata: `{"EXISTS_DEFAULT":"7"}`}, field("p", types.StringType))
	open := func(parts []TablePart) [][]any {
		t.Helper()
		got, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}, Schema: newer, Table: &TableFiles{PartitionBy: []string{"p"}, Parts: parts}}), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if d := cmp.Diff([][]any{{int32(1), int64(7), "y/z"}}, open(found[2:])); d != "" {
		t.Error(d)
	}
	if got := open([]TablePart{{Path: filepath.Join(dir, "gone"), Values: []string{"q"}}}); len(got) != 0 {
		t.Error(got)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if src, err := Open(context.Background(), OpenArgs{Format: "parquet", Paths: []string{dir}, Schema: st, Table: &TableFiles{}}); err != nil || len(src.(*Files).files) != 0 {
		t.Error("a table whose folder is gone:", err)
	}
}
