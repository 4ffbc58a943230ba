package datasource

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// batches is an operator over rows at hand.
type batches struct {
	t    []*types.Type
	list []*vec.Batch
}

func (b *batches) Open(*task.Ctx) error  { return nil }
func (b *batches) Close() error          { return nil }
func (b *batches) Schema() []*types.Type { return b.t }
func (b *batches) Inputs() []op.Operator { return nil }
func (b *batches) Next(*task.Ctx) (*vec.Batch, error) {
	if len(b.list) == 0 {
		return nil, io.EOF
	}
	x := b.list[0]
	b.list = b.list[1:]
	return x, nil
}

func columns(t *types.Type) (out []physical.Column, ts []*types.Type) {
	for _, f := range t.Fields {
		out = append(out, physical.Column{Name: f.Name, Type: f.Type, Null: true})
		ts = append(ts, f.Type)
	}
	return out, ts
}

func writeAll(t *testing.T, a WriteArgs, b *vec.Batch, commit bool) error {
	job, err := PrepareWrite(context.Background(), a)
	if err != nil || job.Skip {
		return err
	}
	cols, ts := columns(a.Schema)
	node := &physical.Write{Format: a.Format, Path: job.Staging, Options: a.Options, Cols: cols}
	for _, p := range a.PartitionBy {
		node.PartitionBy = append(node.PartitionBy, a.Schema.FieldIndex(p))
	}
	w, err := NewWrite(node, &batches{ts, []*vec.Batch{b}}, 0)
	if err != nil {
		return err
	}
	err = task.Run(task.Info{}, &task.Conf{}, mem.NewPool(0).NewAccount("t"), 1, func(c *task.Ctx) error {
		defer w.Close()
		if err := w.Open(c); err != nil {
			return err
		}
		out, err := w.Next(c)
		if err != nil {
			return err
		}
		if got := out.Cols[1].Value(0); got != int64(b.N) {
			t.Errorf("%v rows written of %d", got, b.N)
		}
		return nil
	})
	if err != nil || !commit {
		job.Abort()
		return err
	}
	return job.Commit(context.Background())
}

func TestWriteParquetAndRead(t *testing.T) {
	b := sampleBatch(2500, true)
	for _, codec := range []string{"snappy", "zstd", "gzip", "none"} {
		dir := filepath.Join(t.TempDir(), "out")
		a := WriteArgs{Format: "parquet", Path: dir, Schema: sample, Options: map[string]string{"Compression": codec}}
		if err := writeAll(t, a, b, true); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "_SUCCESS")); err != nil {
			t.Error(err)
		}
		s := openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}})
		if !types.Equal(s.Source.Schema(), sample) {
			t.Errorf("schema %s", s.Source.Schema())
		}
		got, err := scanAll(t, s, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rowsOf(b), got); d != "" {
			t.Fatalf("%.1500s", d)
		}
	}
}

func TestWriteTextFormatsAndPartitions(t *testing.T) {
	st := types.NewStruct(field("k", types.StringType), field("n", types.Int32Type), field("s", types.StringType))
	bl := []*vec.Builder{vec.NewBuilder(types.StringType, 3), vec.NewBuilder(types.Int32Type, 3), vec.NewBuilder(types.StringType, 3)}
	rows := [][]any{{"a/b", int32(1), "x,y"}, {nil, int32(2), `q"`}, {"c", int32(3), "plain"}}
	for _, r := range rows {
		for i, x := range r {
			if err := bl[i].AppendValue(x); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := &vec.Batch{N: 3, Cols: []*vec.Vector{bl[0].Finish(), bl[1].Finish(), bl[2].Finish()}}
	for _, format := range []string{"csv", "json", "parquet"} {
		dir := filepath.Join(t.TempDir(), "out")
		if err := writeAll(t, WriteArgs{Format: format, Path: dir, Schema: st, PartitionBy: []string{"k"}}, b, true); err != nil {
			t.Fatal(err)
		}
		got, err := scanAll(t, openAll(t, OpenArgs{Format: format, Paths: []string{dir}, Schema: types.NewStruct(st.Fields[1:]...)}), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b []any) int { return int(a[0].(int32) - b[0].(int32)) })
		want := [][]any{{int32(1), "x,y", "a/b"}, {int32(2), `q"`, nil}, {int32(3), "plain", "c"}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", format, d)
		}
	}
}

func TestWriteModesAndAbort(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	b := sampleBatch(10, false)
	a := WriteArgs{Format: "parquet", Path: dir, Schema: sample}
	if err := writeAll(t, a, b, false); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("an aborted write left %s: %v", dir, err)
	}
	count := func(mode string, want int) {
		a.Mode = mode
		if err := writeAll(t, a, b, true); err != nil {
			t.Fatal(mode, err)
		}
		got, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}}), 1, 0)
		if err != nil || len(got) != want {
			t.Errorf("%s: %d rows, %v", mode, len(got), err)
		}
	}
	count("", 10)
	err := writeAll(t, a, b, true)
	if e, ok := errs.As(err); !ok || e.Condition != "PATH_ALREADY_EXISTS" {
		t.Errorf("second write: %v", err)
	}
	count("append", 20)
	count("ignore", 20)
	count("overwrite", 10)
}

func TestDictionariesOfUniqueColumns(t *testing.T) {
	n := 8192
	ids, few := make([]int64, n), make([]int64, n)
	for i := range ids {
		ids[i], few[i] = int64(i)*3, int64(i%5000)
	}
	for _, x := range []struct {
		v    []int64
		n    int
		want bool
	}{{ids, n, true}, {few, n, false}, {ids, 100, false}} {
		if got := mostlyUnique(vec.FromSlice(types.Int64Type, x.v, nil), nil, x.n); got != x.want {
			t.Errorf("%d rows that begin with %v: %t, want %t", x.n, x.v[:3], got, x.want)
		}
	}
}
