package datasource

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/internal/errs"
	"neptune/internal/types"
)

func TestMergeTypes(t *testing.T) {
	st := func(fs ...types.Field) *types.Type { return types.NewStruct(fs...) }
	x, y := field("x", types.Int32Type), field("y", types.StringType)
	for _, c := range []struct{ a, b, want *types.Type }{
		{st(x), st(y), st(x, y)},
		{st(x), st(field("X", types.Int32Type)), st(x)},
		{st(field("s", st(x))), st(field("s", st(y))), st(field("s", st(x, y)))},
		{st(field("s", types.NewArray(st(x), false))), st(field("s", types.NewArray(st(y), true))), st(field("s", types.NewArray(st(x, y), true)))},
		{st(field("m", types.NewMap(types.StringType, st(x), true))), st(field("m", types.NewMap(types.StringType, st(y), true))), st(field("m", types.NewMap(types.StringType, st(x, y), true)))},
		{st(field("d", types.NewDecimal(9, 2))), st(field("d", types.NewDecimal(18, 2))), st(field("d", types.NewDecimal(18, 2)))},
		{st(field("d", types.NewDecimal(9, 2))), st(field("d", types.NewDecimal(9, 3))), nil},
		{st(field("i", types.NewYearMonth(types.Year, types.Year))), st(field("i", types.NewYearMonth(types.Month, types.Month))), st(field("i", types.YearMonthType))},
		{st(x), st(field("x", types.Int64Type)), nil},
		{st(field("f", types.Float32Type)), st(field("f", types.Float64Type)), nil},
		{st(field("s", types.StringType)), st(field("s", &types.Type{Kind: types.String, Collation: "UTF8_LCASE"})), nil},
		{st(field("n", types.NullType)), st(field("n", types.Int32Type)), nil},
	} {
		got, ok := mergeTypes(c.a, c.b, false)
		if ok != (c.want != nil) || ok && !types.Equal(got, c.want) {
			t.Errorf("%s and %s: %v, %v", c.a.SQL(), c.b.SQL(), got, ok)
		}
	}
	if got, ok := mergeTypes(st(x), st(field("X", types.Int64Type)), true); !ok || len(got.Fields) != 2 {
		t.Errorf("where case counts: %v", got)
	}
}

// TestFilesOfTheSchema: which footers tell the columns.
func TestFilesOfTheSchema(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, cols ...types.Field) {
		in := types.NewStruct(cols...)
		row := make([]any, len(cols))
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		writeBatch(t, filepath.Join(dir, name), in, rowsAs(t, in, row))
	}
	a, b, c, d := field("a", types.Int32Type), field("b", types.Int32Type), field("c", types.Int32Type), field("d", types.Int32Type)
	put("plain/1.parquet", a)
	put("plain/2.parquet", a, b)
	put("plain/3.parquet._COPYING_", d)
	put("sum/p=1/1.parquet", a)
	put("sum/p=2/1.parquet", a, b)
	put("sum/_common_metadata", a, c)
	put("sum/p=1/_metadata", a, d)
	put("bad/1.parquet", a)
	put("bad/2.parquet", field("a", types.StringType))
	for _, x := range []struct {
		path       string
		opts, conf map[string]string
		want       string
	}{
		{"plain", nil, nil, "struct<a:int>"},
		{"plain", map[string]string{"mergeSchema": "TRUE"}, nil, "struct<a:int,b:int>"},
		{"plain", nil, map[string]string{"spark.sql.parquet.mergeSchema": " True"}, "struct<a:int,b:int>"},
		{"plain", map[string]string{"mergeSchema": "false"}, map[string]string{"spark.sql.parquet.mergeSchema": "true"}, "struct<a:int>"},
		{"sum", nil, nil, "struct<a:int,c:int,p:int>"},
		{"sum", map[string]string{"mergeSchema": "true"}, nil, "struct<a:int,b:int,d:int,c:int,p:int>"},
		{"sum", map[string]string{"mergeSchema": "true"}, map[string]string{"spark.sql.parquet.respectSummaryFiles": "true"}, "struct<a:int,d:int,c:int,p:int>"},
		{"bad", map[string]string{"mergeSchema": "true"}, nil, "CANNOT_MERGE_SCHEMAS"},
		{"plain", map[string]string{"mergeSchema": "yes"}, nil, `For input string: "yes"`},
	} {
		src, err := Open(context.Background(), OpenArgs{Format: "parquet", Paths: []string{filepath.Join(dir, x.path)}, Options: x.opts, Conf: x.conf})
		if err != nil {
			if e, ok := errs.As(err); !ok || e.Condition != x.want && e.Error() != x.want {
				t.Errorf("%s %v %v: %v", x.path, x.opts, x.conf, err)
			}
		} else if got := src.Schema().String(); got != x.want {
			t.Errorf("%s %v %v: %s", x.path, x.opts, x.conf, got)
		}
	}
}

// TestColumnsByNumber: columns are found by their field ids where the setting says so.
func TestColumnsByNumber(t *testing.T) {
	numbered := func(f types.Field, id string) types.Field {
		f.Metadata = `{"parquet.field.id":` + id + `}`
		return f
	}
	in := types.NewStruct(numbered(field("a", types.Int64Type), "1"), numbered(field("s", types.NewStruct(numbered(field("x", types.Int64Type), "3"))), "2"), field("n", types.Int64Type))
	bare := types.NewStruct(field("a", types.Int64Type))
	write := func(s *types.Type, row ...any) string {
		dir, err := writeWith(t, s, nil, nil, rowsAs(t, s, row))
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	with, without := write(in, int64(5), types.StructValue{int64(6)}, int64(7)), write(bare, int64(8))
	as := types.NewStruct(numbered(field("q", types.Int64Type), "1"), numbered(field("r", types.NewStruct(numbered(field("y", types.Int64Type), "3"))), "2"), field("N", types.Int64Type), numbered(field("none", types.Int64Type), "9"))
	on := map[string]string{"spark.sql.parquet.fieldId.read.enabled": "true"}
	for _, x := range []struct {
		path string
		conf map[string]string
		want []any // nil: an error
	}{
		{with, on, []any{int64(5), types.StructValue{int64(6)}, int64(7), nil}},
		{with, nil, []any{nil, nil, int64(7), nil}},
		{without, on, nil},
		{without, map[string]string{"spark.sql.parquet.fieldId.read.enabled": "true", "spark.sql.parquet.fieldId.read.ignoreMissing": "true"}, []any{nil, nil, nil, nil}},
	} {
		got, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{x.path}, Schema: as, Conf: x.conf}), 1, 0)
		if x.want == nil {
			if conditionOf(err) != "FAILED_READ_FILE.NO_HINT" {
				t.Errorf("%s %v: %v, %v", x.path, x.conf, got, err)
			}
		} else if err != nil || !reflect.DeepEqual(got, [][]any{x.want}) {
			t.Errorf("%s %v: %v, %v", x.path, x.conf, got, err)
		}
	}
}

// TestInt96OfTheWall: INT96 of other writers is the time of day of the session's zone where the setting says so.
func TestInt96OfTheWall(t *testing.T) {
	root := schema.MustGroup(schema.NewGroupNode("root", parquet.Repetitions.Required, schema.FieldList{schema.NewInt96Node("a", parquet.Repetitions.Required, -1)}, -1))
	leaf := schema.NewSchema(root).Column(0)
	zone, err := types.LoadZone("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	set, err := newReadSettings(nil, map[string]string{"spark.sql.parquet.int96TimestampConversion": "true"}, zone)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 12) // noon of 1970-01-01
	noon := int64(12 * 3600 * 1e9)
	for i := range 8 {
		b[i] = byte(noon >> (8 * i))
	}
	for i := range 4 {
		b[8+i] = byte(int32(julianEpoch) >> (8 * i))
	}
	for _, x := range []struct {
		java bool
		want int64
	}{{false, 20 * 3600e6}, {true, 12 * 3600e6}} {
		l := &leafLevels{fixed: b, n: 1}
		v, err := l.decode(leaf, types.TimestampType, (&footer{java: x.java}).settings(set), func() error { return nil })
		if err != nil || v.Value(0) != any(x.want) {
			t.Errorf("java %v: %v, %v", x.java, v, err)
		}
	}
}

// TestPartitionColumnsInFiles: a column that folders have too has their values, at the place that it has in the files; a
// given schema has it last.
func TestPartitionColumnsInFiles(t *testing.T) {
	dir := t.TempDir()
	in := types.NewStruct(field("K", types.Int64Type), field("a", types.Int32Type), field("b", types.StringType))
	for k, v := range map[string]int32{"k=x/j=1": 1, "k=y/j=2": 2} {
		if err := os.MkdirAll(filepath.Join(dir, "pq", k), 0o755); err != nil {
			t.Fatal(err)
		}
		writeBatch(t, filepath.Join(dir, "pq", k, "1.parquet"), in, rowsAs(t, in, []any{int64(v) + 100, v, "t"}))
	}
	text := filepath.Join(dir, "csv", "b=7", "1.csv")
	if err := os.MkdirAll(filepath.Dir(text), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(text, []byte("a,b,c\n1,2,3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		format string
		as     *types.Type
		conf   map[string]string
		schema string
		want   [][]any
	}{
		{"pq", nil, nil, "struct<k:string,a:int,b:string,j:int>", [][]any{{"x", int32(1), "t", int32(1)}, {"y", int32(2), "t", int32(2)}}},
		{"pq", nil, exactly, "struct<K:bigint,a:int,b:string,k:string,j:int>", [][]any{{int64(101), int32(1), "t", "x", int32(1)}, {int64(102), int32(2), "t", "y", int32(2)}}},
		{"pq", types.NewStruct(field("K", types.StringType), field("a", types.Int32Type)), nil, "struct<a:int,K:string,j:int>", [][]any{{int32(1), "x", int32(1)}, {int32(2), "y", int32(2)}}},
		{"csv", nil, nil, "struct<a:string,b:int,c:string>", [][]any{{"1", int32(7), "3"}}},
	} {
		s := openAll(t, OpenArgs{Format: map[string]string{"pq": "parquet", "csv": "csv"}[x.format], Paths: []string{filepath.Join(dir, x.format)}, Schema: x.as, Conf: x.conf, Options: map[string]string{"header": "true"}})
		if got := s.Source.Schema().String(); got != x.schema {
			t.Errorf("%s %v: %s", x.format, x.conf, got)
			continue
		}
		data, err := wire.Encode(&wire.Stage{Root: s})
		if err != nil {
			t.Fatal(err)
		}
		st, err := wire.Decode(data, WireSources())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*physical.Scan{s, st.Root.(*physical.Scan)} {
			if got, err := scanAll(t, s, 1, 0); err != nil || !reflect.DeepEqual(got, x.want) {
				t.Errorf("%s %v: %v, %v", x.format, x.conf, got, err)
			}
		}
		if cols := s.Source.Stats().Cols; x.format == "pq" && x.as == nil && x.conf == nil && (cols[1].Max != any(int32(2)) || cols[0].Max != nil) {
			t.Errorf("statistics %v", cols)
		}
		// Columns of the file behind them.
		f := s.Source.(*Files).WithMetadata().(*Files)
		n := len(f.schema.Fields)
		m := &physical.Scan{Source: f, Limit: -1, Cols: []int{0, n - 1, len(s.Cols) + 1}}
		if got, err := scanAll(t, m, 1, 0); err != nil || len(got) != len(x.want) || got[0][0] != x.want[0][0] || x.format == "pq" && got[0][1] != any(int64(0)) || got[0][2] != "1."+f.format {
			t.Errorf("%s %v with metadata: %v, %v", x.format, x.conf, got, err)
		}
	}
}
