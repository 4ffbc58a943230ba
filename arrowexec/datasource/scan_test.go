package datasource

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"neptune/arrowexec/arrowio"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func field(name string, t *types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

var sample = types.NewStruct(field("b", types.BoolType), field("i8", types.Int8Type), field("i32", types.Int32Type), field("i64", types.Int64Type),
	field("f", types.Float64Type), field("d", types.NewDecimal(9, 2)), field("wide", types.NewDecimal(30, 3)), field("s", types.StringType),
	field("uniq", types.StringType), field("day", types.DateType), field("ts", types.TimestampType), field("arr", types.NewArray(types.Int64Type, true)),
	field("st", types.NewStruct(field("x", types.StringType))))

func sampleBatch(n int, nulls bool) *vec.Batch {
	r := rand.New(rand.NewPCG(5, 6))
	bl := make([]*vec.Builder, len(sample.Fields))
	for i := range bl {
		bl[i] = vec.NewBuilder(sample.Fields[i].Type, n)
	}
	for k := range n {
		row := []any{k%3 == 0, int8(k), int32(k), int64(k) * 7, float64(r.IntN(50)) / 4, types.I128(int64(r.IntN(1000))), types.Mul64(int64(k), -1<<40),
			fmt.Sprint("s", r.IntN(20)), fmt.Sprint("unique text ", k), int32(k % 400), int64(k) * 1e6, []any{int64(k), nil}, types.StructValue{fmt.Sprint(k)}}
		for i, x := range row {
			if nulls && r.IntN(4) == 0 {
				x = nil
			}
			if err := bl[i].AppendValue(x); err != nil {
				panic(err)
			}
		}
	}
	b := &vec.Batch{N: n}
	for _, x := range bl {
		b.Cols = append(b.Cols, x.Finish())
	}
	return b
}

func writeSample(t testing.TB, path string, b *vec.Batch, props ...parquet.WriterProperty) {
	writeBatch(t, path, sample, b, props...)
}

func writeBatch(t testing.TB, path string, schema *types.Type, b *vec.Batch, props ...parquet.WriterProperty) {
	e, err := arrowio.NewEncoder(schema, arrowio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := e.Stream(b)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ipc.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	r.Next()
	table := array.NewTableFromRecords(r.Schema(), []arrow.RecordBatch{r.RecordBatch()})
	defer table.Release()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := pqarrow.WriteTable(table, f, 3000, parquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps()); err != nil {
		t.Fatal(err)
	}
}

func scanAll(t testing.TB, s *physical.Scan, parts, every int) ([][]any, error) {
	var out [][]any
	for p := range parts {
		o, err := NewScan(s, p, parts)
		if err != nil {
			return nil, err
		}
		err = task.Run(task.Info{Partition: p}, &task.Conf{BatchRows: 1000}, mem.NewPool(0).NewAccount("t"), every, func(c *task.Ctx) error {
			defer o.Close()
			if err := o.Open(c); err != nil {
				return err
			}
			for {
				b, err := o.Next(c)
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				b = b.Compact()
				for i := range b.N {
					var row []any
					for _, v := range b.Cols {
						row = append(row, v.Value(i))
					}
					out = append(out, row)
				}
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func openAll(t testing.TB, a OpenArgs) *physical.Scan {
	src, err := Open(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	s := &physical.Scan{Source: src, Limit: -1}
	for i := range src.Schema().Fields {
		s.Cols = append(s.Cols, i)
	}
	return s
}

func rowsOf(b *vec.Batch) [][]any {
	var out [][]any
	for i := range b.N {
		var row []any
		for _, v := range b.Cols {
			row = append(row, v.Value(i))
		}
		out = append(out, row)
	}
	return out
}

func TestParquetCodecsPagesAndNulls(t *testing.T) {
	defer SetPageCache(0)
	for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Zstd, compress.Codecs.Brotli, compress.Codecs.Lz4Raw, compress.Codecs.Lz4} {
		for _, v2 := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
			for _, nulls := range []bool{false, true} {
				path := filepath.Join(t.TempDir(), "a.parquet")
				b := sampleBatch(3200, nulls)
				writeSample(t, path, b, parquet.WithCompression(codec), parquet.WithDataPageVersion(v2), parquet.WithDataPageSize(4000), parquet.WithDictionaryPageSizeLimit(20000))
				s := openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}})
				if !types.Equal(s.Source.Schema(), sample) {
					t.Fatalf("schema %s", s.Source.Schema())
				}
				SetPageCache(0)
				SetPageCache(100 << 10) // a part of what is read fits
				_, before := PageCache()
				for _, parts := range []int{1, 2, 1, 2} {
					got, err := scanAll(t, s, parts, parts%2)
					if err != nil {
						t.Fatal(err)
					}
					if want := rowsOf(b); reflect.DeepEqual(want, got) {
						continue
					} else if d := cmp.Diff(want, got); d != "" {
						t.Fatalf("%v %v nulls=%v: %.2000s", codec, v2, nulls, d)
					}
				}
				if _, after := PageCache(); codec == compress.Codecs.Snappy && after == before {
					t.Error("no page was used again")
				}
			}
		}
	}
}

func TestParquetFilterAndStats(t *testing.T) {
	path := filepath.Join(t.TempDir(), "k=5", "a.parquet")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	b := sampleBatch(7000, false)
	writeSample(t, path, b)
	s := openAll(t, OpenArgs{Format: "parquet", Paths: []string{filepath.Dir(filepath.Dir(path))}})
	s.Filters = []plan.Expr{&plan.Call{Name: ">=", T: types.BoolType, Kind: plan.FnScalar, Args: []plan.Expr{&plan.Bound{Index: 2, T: types.Int32Type}, &plan.Literal{T: types.Int32Type, Value: int32(6500)}}}}
	got, err := scanAll(t, s, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := rowsOf(b)[6500:]
	for i := range want {
		want[i] = append(want[i], int32(5))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%.2000s", d)
	}
	st := s.Source.Stats()
	if st.Rows != 7000 || st.Cols[2].Min != int32(0) || st.Cols[2].Max != int32(6999) || st.Cols[2].Distinct != 7000 {
		t.Errorf("stats %+v", st.Cols[2])
	}
}

// Small files are read ahead together, and decoded by the same readers: files that say other things of a column come between
// them here, as do some of which a filter needs nothing, and a broken one.
func TestManySmallParquetFiles(t *testing.T) {
	defer SetPageCache(0)
	for _, cache := range []int64{0, 1 << 20} {
		SetPageCache(cache)
		dir := t.TempDir()
		var want [][]any
		for i := range 150 {
			b := sampleBatch(20, i%3 == 0)
			props := []parquet.WriterProperty{parquet.WithCompression(compress.Codecs.Snappy)}
			if i%5 == 1 {
				props[0] = parquet.WithCompression(compress.Codecs.Uncompressed)
			}
			writeSample(t, filepath.Join(dir, fmt.Sprintf("%03d.parquet", i)), b, append(props, parquet.WithDictionaryDefault(i%2 == 0))...)
			if i%7 == 3 { // a file of fewer columns, one of them narrower
				few := types.NewStruct(field("i64", types.Int32Type), types.Field{Name: "s", Type: types.StringType})
				bl := []*vec.Builder{vec.NewBuilder(types.Int32Type, 5), vec.NewBuilder(types.StringType, 5)}
				for k := range 5 {
					if err := errors.Join(bl[0].AppendValue(int32(k*7)), bl[1].AppendValue(fmt.Sprint("few", k))); err != nil {
						t.Fatal(err)
					}
				}
				b = &vec.Batch{N: 5, Cols: []*vec.Vector{bl[0].Finish(), bl[1].Finish()}}
				writeBatch(t, filepath.Join(dir, fmt.Sprintf("%03d.parquet", i)), few, b, props...)
				for _, row := range rowsOf(b) {
					all := make([]any, len(sample.Fields))
					all[3], all[7] = int64(row[0].(int32)), row[1]
					want = append(want, all)
				}
				continue
			}
			want = append(want, rowsOf(b)...)
		}
		broken := filepath.Join(dir, "075.parquet")
		whole, err := os.ReadFile(broken)
		if err != nil {
			t.Fatal(err)
		}
		a := OpenArgs{Format: "parquet", Paths: []string{dir}, Schema: sample}
		s := openAll(t, a)
		for _, run := range []struct{ parts, every int }{{1, 0}, {2, 1}, {3, 0}, {1, 1}} {
			got, err := scanAll(t, s, run.parts, run.every)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("%+v: %.2000s", run, d)
			}
		}
		from := 12 * 7
		s.Filters = []plan.Expr{&plan.Call{Name: ">=", T: types.BoolType, Kind: plan.FnScalar, Args: []plan.Expr{&plan.Bound{Index: 3, T: types.Int64Type}, &plan.Literal{T: types.Int64Type, Value: int64(from)}}}}
		var some [][]any
		for _, row := range want {
			if x, ok := row[3].(int64); ok && x >= int64(from) {
				some = append(some, row)
			}
		}
		for every := range 2 {
			got, err := scanAll(t, s, 2, every)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(some, got); d != "" {
				t.Fatalf("filtered: %.2000s", d)
			}
		}
		s.Filters, s.Limit = nil, 333
		if got, err := scanAll(t, s, 1, 1); err != nil || !reflect.DeepEqual(want[:333], got) {
			t.Fatalf("of a limit: %d rows, %v", len(got), err)
		}
		if err := os.WriteFile(broken, whole[:len(whole)/2], 0o644); err != nil {
			t.Fatal(err)
		}
		s = openAll(t, a)
		if _, err := scanAll(t, s, 1, 0); err == nil {
			t.Fatal("a broken file is no error")
		}
		a.Options = map[string]string{"ignoreCorruptFiles": "true"}
		got, err := scanAll(t, openAll(t, a), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want)-20 {
			t.Fatalf("%d rows beside a broken file, not %d", len(got), len(want)-20)
		}
	}
}

func TestBrokenParquetIsAnError(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.parquet")
	writeSample(t, path, sampleBatch(500, true))
	data, _ := os.ReadFile(path)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 300 {
		bad := append([]byte(nil), data...)
		for range 3 {
			bad[r.IntN(len(bad)*9/10)] = byte(r.Int())
		}
		if i%5 == 0 {
			bad = bad[:r.IntN(len(bad))]
		}
		p := filepath.Join(dir, fmt.Sprint(i, ".parquet"))
		if err := os.WriteFile(p, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		src, err := Open(context.Background(), OpenArgs{Format: "parquet", Paths: []string{p}})
		if err == nil {
			s := &physical.Scan{Source: src, Limit: -1}
			for c := range src.Schema().Fields {
				s.Cols = append(s.Cols, c)
			}
			_, err = scanAll(t, s, 1, 0)
		}
		if e, ok := errs.As(err); err != nil && (!ok || e.Condition == "INTERNAL_ERROR") {
			t.Fatalf("file %d: %v", i, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	for _, x := range []struct {
		a    OpenArgs
		want string
	}{
		{OpenArgs{Format: "parquet", Paths: []string{"/nonexistent/x"}}, "PATH_NOT_FOUND"},
		{OpenArgs{Format: "nope"}, "DATA_SOURCE_NOT_FOUND"},
		{OpenArgs{Format: "orc"}, "UNSUPPORTED_FEATURE"},
		{OpenArgs{Format: "parquet", Paths: []string{t.TempDir()}}, "UNABLE_TO_INFER_SCHEMA"},
	} {
		_, err := Open(context.Background(), x.a)
		if e, ok := errs.As(err); !ok || e.Condition != x.want {
			t.Errorf("%+v: %v", x.a, err)
		}
	}
}

func TestTextFormats(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	csv := write("a.csv", "a,b\n1,x\n\"2\",\"y, \"\"z\"\"\"\n3,\n")
	js := write("a.json", `{"n":1,"s":"x","a":[1,2]}`+"\n"+`{"n":2.5}`+"\n"+`{bad`+"\n")
	times := write("t.csv", "2020-01-02 03:04:05.5,2020-01-02\n2020-01-02T03:04:06,\n")
	txt := write("a.txt", "one\r\n\nthree")
	for _, x := range []struct {
		a    OpenArgs
		want [][]any
	}{
		{OpenArgs{Format: "csv", Paths: []string{csv}, Options: map[string]string{"Header": "true", "inferSchema": "true", "escape": `"`}}, [][]any{{int32(1), "x"}, {int32(2), `y, "z"`}, {int32(3), nil}}},
		{OpenArgs{Format: "json", Paths: []string{js}}, [][]any{{nil, []any{int64(1), int64(2)}, 1.0, "x"}, {nil, nil, 2.5, nil}, {"{bad", nil, nil, nil}}},
		{OpenArgs{Format: "csv", Paths: []string{times}, Options: map[string]string{"inferSchema": "true"}}, [][]any{{int64(1577934245500000), int32(18263)}, {int64(1577934246000000), nil}}},
		{OpenArgs{Format: "text", Paths: []string{txt}}, [][]any{{"one"}, {""}, {"three"}}},
	} {
		for parts := 1; parts < 9; parts++ {
			got, err := scanAll(t, openAll(t, x.a), parts, 1)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(x.want, got); d != "" {
				t.Errorf("%s in %d parts: %s", x.a.Format, parts, d)
			}
		}
	}
}

func TestParquetOfAnotherType(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeSample(t, path, sampleBatch(10, false))
	read := func(name string, to *types.Type) ([][]any, error) {
		return scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}, Schema: types.NewStruct(field(name, to))}), 1, 0)
	}
	for name, to := range map[string]*types.Type{"s": types.Int32Type, "i64": types.Int32Type, "f": types.StringType, "d": types.NewDecimal(9, 3)} {
		_, err := read(name, to)
		e, ok := errs.As(err)
		if !ok || e.Condition != "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH" || e.Params["column"] != "["+name+"]" || e.Params["path"] != "file://"+path {
			t.Errorf("%s as %s: %v", name, to, err)
		}
		if name == "s" && (e.Params["actualType"] != "BINARY" || e.Params["expectedType"] != "int") {
			t.Error(e.Params)
		}
	}
	for _, to := range []*types.Type{types.NewDecimal(12, 2), types.NewDecimal(30, 2)} {
		if got, err := read("i32", to); err != nil || fmt.Sprint(got[3][0]) != fmt.Sprint(types.I128(300)) {
			t.Error(to, got, err)
		}
	}
	if got, err := read("I32", types.Int64Type); err != nil || got[3][0] != int64(3) {
		t.Error(got, err)
	}
	got, err := read("st", types.NewStruct(field("new", types.StringType)))
	if st, ok := got[3][0].(types.StructValue); err != nil || !ok || st[0] != nil {
		t.Error(got, err) // a part that the file hasn't is null
	}
	for _, x := range []struct {
		name string
		to   *types.Type
	}{{"st", types.StringType}, {"st", types.NewArray(types.StringType, true)}, {"arr", types.NewStruct(field("x", types.Int64Type))}, {"arr", types.Int64Type}, {"i32", types.NewStruct(field("x", types.Int32Type))}, {"i32", types.VariantType}} {
		if got, err := read(x.name, x.to); conditionOf(err) != "FAILED_READ_FILE.NO_HINT" {
			t.Errorf("%s as %s: %v, %v", x.name, x.to, got, err)
		}
	}
	if _, err := read("i32", types.NewMap(types.StringType, types.Int32Type, true)); conditionOf(err) != "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH" {
		t.Error(err)
	} else if e, _ := errs.As(err); e.Params["expectedType"] != "map<string,int>" {
		t.Error(e.Params)
	}
	_, err = Open(context.Background(), OpenArgs{Format: "parquet", Paths: []string{path}, Schema: types.NewStruct(field("s", types.StringType), field("S", types.StringType))})
	if e, ok := errs.As(err); !ok || e.Condition != "COLUMN_ALREADY_EXISTS" {
		t.Error(err)
	}
}
