package datasource

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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
		if got := mostlyUnique(vec.FromSlice(types.Int64Type, x.v[:x.n], nil)); got != x.want {
			t.Errorf("%d rows that begin with %v: %t, want %t", x.n, x.v[:3], got, x.want)
		}
	}
}

// What Spark 4.3.0 writes of the same rows with the same options.
func TestTextWriteOptions(t *testing.T) {
	st := types.NewStruct(field("b", types.StringType), field("a", types.TimestampType))
	la, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	build := []*vec.Builder{vec.NewBuilder(types.StringType, 2), vec.NewBuilder(types.TimestampType, 2)}
	for i, s := range []string{`x\y`, "é\nz"} {
		build[0].AppendBytes([]byte(s))
		vec.Append(build[1], []int64{-14831741222000000, 253402329600000000}[i]) // 1500-01-01 00:00:00 and 10000-01-01 00:00:00
	}
	b := &vec.Batch{N: 2, Cols: []*vec.Vector{build[0].Finish(), build[1].Finish()}}
	for _, c := range []struct {
		format  string
		options map[string]string
		want    string
	}{
		{"csv", nil, "x\\y,1500-01-01T00:00:00.000-07:52:58\n\"é\nz\",+10000-01-01T00:00:00.000-08:00\n"},
		{"csv", map[string]string{"linesep": "\r\n", "timestampformat": "yyyy"}, "x\\y,1500\r\n\"é\r\nz\",+10000\r\n"},
		{"csv", map[string]string{"quote": "", "timestampformat": "y"}, "x\\y,1500\n\x00é\nz\x00,10000\n"},
		{"csv", map[string]string{"encoding": "UTF-16", "timestampformat": "y", "header": "true"}, "\xfe\xff\x00b\x00,\x00a\x00\n\x00x\x00\\\x00y\x00,\x001\x005\x000\x000\x00\n\x00\"\x00\xe9\x00\n\x00z\x00\"\x00,\x001\x000\x000\x000\x000\x00\n"},
		{"csv", map[string]string{"charset": "iso-8859-1", "timestampformat": "y"}, "x\\y,1500\n\"\xe9\nz\",10000\n"},
		{"csv", map[string]string{"encoding": "US-ASCII", "timestampformat": "y"}, "x\\y,1500\n\"?\nz\",10000\n"},
		{"json", nil, `{"b":"x\\y","a":"1500-01-01T00:00:00.000-07:52:58"}` + "\n" + `{"b":"é\nz","a":"+10000-01-01T00:00:00.000-08:00"}` + "\n"},
		{"json", map[string]string{"sortkeys": "true", "writenonasciicharacterascodepoint": "true", "timestampformat": "y"}, `{"a":"1500","b":"x\\y"}` + "\n" + `{"a":"10000","b":"\u00E9\nz"}` + "\n"},
		{"json", map[string]string{"pretty": "true", "timestampformat": "y"}, "{\n  \"b\" : \"x\\\\y\",\n  \"a\" : \"1500\"\n}\n{\n  \"b\" : \"é\\nz\",\n  \"a\" : \"10000\"\n}\n"},
		{"xml", map[string]string{"rowtag": "r"}, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<ROWS>\n    <r>\n        <b>x\\y</b>\n        <a>1500-01-01T00:00:00.000-07:52:58</a>\n    </r>\n" +
			"    <r>\n        <b>é\nz</b>\n        <a>+10000-01-01T00:00:00.000-08:00</a>\n    </r>\n</ROWS>"},
		{"xml", map[string]string{"rowtag": "r", "timestampformat": "y", "encoding": "US-ASCII", "indent": "", "roottag": "a b='c'", "declaration": "x"},
			"<?xml x?>\n<a b=\"c\">\n<r><b>x\\y</b><a>1500</a></r>\n<r><b>&#xe9;\nz</b><a>10000</a></r>\n</a>"},
	} {
		fh, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := newTextSink(fh, c.format, st, c.options, &task.Conf{TimeZone: la})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.write(nil, b), s.close(nil)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(fh.Name())
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != c.want {
			t.Errorf("%s %v: %q, want %q", c.format, c.options, got, c.want)
		}
	}
}

// Names that are none, characters that XML has no place for, and a missing option.
func TestXMLIsRefused(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, o map[string]string) error {
		st := types.NewStruct(field(name, types.StringType))
		v := vec.NewBuilder(types.StringType, 1)
		v.AppendBytes([]byte(text))
		return writeAll(t, WriteArgs{Format: "xml", Path: filepath.Join(dir, "out"), Mode: "overwrite", Schema: st, Options: o}, &vec.Batch{N: 1, Cols: []*vec.Vector{v.Finish()}}, true)
	}
	row := map[string]string{"rowTag": "r"}
	for _, c := range []struct {
		name, text string
		options    map[string]string
		want       string
	}{
		{"a", "x", nil, "XML_ROW_TAG_MISSING"},
		{"a b", "x", row, "TASK_WRITE_FAILED"},
		{"1", "x", row, "TASK_WRITE_FAILED"},
		{"a", "\x01", row, "TASK_WRITE_FAILED"},
		{"a", "x", map[string]string{"rowTag": "r", "rootTag": "a b"}, "TASK_WRITE_FAILED"},
		{"a b", "x", map[string]string{"rowTag": "r", "validateName": "false"}, ""},
		{"a", "x", row, ""},
	} {
		got := ""
		if err := write(c.name, c.text, c.options); err != nil {
			e, ok := errs.As(err)
			if !ok {
				t.Fatal(err)
			}
			got = e.Condition
		}
		if got != c.want {
			t.Errorf("%q %q %v: %q, want %q", c.name, c.text, c.options, got, c.want)
		}
	}
}

func TestMaxRecordsPerFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	b := sampleBatch(10, false)
	if err := writeAll(t, WriteArgs{Format: "json", Path: dir, Schema: sample, Options: map[string]string{"maxRecordsPerFile": "4"}}, b, true); err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "part-00000-*-c00[0-2].json"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, n := range names {
		text, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Count(string(text), "\n"))
	}
	if d := cmp.Diff([]int{4, 4, 2}, lines); d != "" {
		t.Error(d)
	}
}
