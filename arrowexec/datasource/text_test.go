package datasource

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// sparkCase is what Spark 4.3.0 answered for some files, in UTC.
type sparkCase struct {
	Fmt, Schema, Enc, Sub string
	Opts, Files           map[string]string
	Want, Err             string
	Rows                  [][]any
}

// ddl reads schemas such as "a int, b array<int>", as far as the cases have them.
func ddl(t *testing.T, s string) *types.Type {
	t.Helper()
	name := map[string]*types.Type{"int": types.Int32Type, "string": types.StringType, "boolean": types.BoolType, "date": types.DateType, "timestamp": types.TimestampType,
		"timestamp_ntz": types.TimestampNTZType, "double": types.Float64Type, "binary": types.BinaryType, "decimal(5,2)": types.NewDecimal(5, 2), "decimal(3,1)": types.NewDecimal(3, 1),
		"decimal(38,10)": types.NewDecimal(38, 10), "map<string,int>": types.NewMap(types.StringType, types.Int32Type, true), "array<int>": types.NewArray(types.Int32Type, true),
		"struct<x:int,y:string>": types.NewStruct(field("x", types.Int32Type), field("y", types.StringType))}
	out := types.NewStruct()
	depth, from := 0, 0
	for i, c := range s + "," {
		switch {
		case strings.ContainsRune("<(", c):
			depth++
		case strings.ContainsRune(">)", c):
			depth--
		case c == ',' && depth == 0:
			n, ty, _ := strings.Cut(strings.TrimSpace(s[from:i]), " ")
			if name[ty] == nil {
				t.Fatalf("type %q", ty)
			}
			out.Fields = append(out.Fields, field(n, name[ty]))
			from = i + 1
		}
	}
	return out
}

// show is a value as the cases have it.
func show(v any, t *types.Type) any {
	switch x := v.(type) {
	case int8, int16, int32, int64:
		switch t.Kind {
		case types.Date:
			return string(types.AppendDate(nil, x.(int32)))
		case types.Timestamp, types.TimestampNTZ:
			s := time.UnixMicro(x.(int64)).UTC().Format("2006-01-02 15:04:05.000000")
			return strings.TrimSuffix(s, ".000000")
		case types.Decimal:
			return string(types.AppendDecimal(nil, types.I128(x.(int64)), t.Scale))
		}
		var f float64
		fmt.Sscan(fmt.Sprint(x), &f)
		return f
	case types.Int128:
		return string(types.AppendDecimal(nil, x, t.Scale))
	case float64:
		switch {
		case math.IsNaN(x):
			return "NaN"
		case math.IsInf(x, 1):
			return "Infinity"
		case math.IsInf(x, -1):
			return "-Infinity"
		}
	case []byte:
		return "b'" + string(x) + "'"
	case []any:
		out := []any{}
		for _, e := range x {
			out = append(out, show(e, t.Elem))
		}
		return out
	case types.StructValue:
		out := []any{}
		for i, e := range x {
			out = append(out, show(e, t.Fields[i].Type))
		}
		return out
	case types.MapValue:
		out := map[string]any{}
		for i, k := range x.Keys {
			out[k.(string)] = show(x.Values[i], t.Elem)
		}
		return out
	}
	return v
}

func encoded(text, enc string) []byte {
	switch enc {
	case "latin-1":
		var out []byte
		for _, r := range text {
			out = append(out, byte(r))
		}
		return out
	case "utf-16", "utf-16-le":
		var out []byte
		if enc == "utf-16" {
			out = []byte{0xff, 0xfe}
		}
		for _, u := range utf16.Encode([]rune(text)) {
			out = append(out, byte(u), byte(u>>8))
		}
		return out
	}
	return []byte(text)
}

func TestTextAsSpark(t *testing.T) {
	raw, err := os.ReadFile("testdata/text_spark_4.3.0.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []sparkCase
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.Files {
				p := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(p, encoded(text, c.Enc), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			a := OpenArgs{Format: c.Fmt, Options: c.Opts, Paths: []string{dir + c.Sub}}
			if c.Schema != "" {
				a.Schema = ddl(t, c.Schema)
			}
			for parts := 1; parts < 5; parts++ {
				src, err := Open(context.Background(), a)
				var got [][]any
				if err == nil {
					got, err = scanAll(t, openAll(t, a), parts, 0)
				}
				if c.Err != "" {
					if e, ok := errs.As(err); !ok || e.Condition != c.Err {
						t.Fatalf("%v, not %s", err, c.Err)
					}
					continue
				}
				if err != nil {
					t.Fatalf("%v of %q", err, c.Files)
				}
				st := src.Schema()
				if s := simple(st); s != c.Want {
					t.Fatalf("schema %s, not %s", s, c.Want)
				}
				rows := [][]any{}
				for _, r := range got {
					for k := range r {
						r[k] = show(r[k], st.Fields[k].Type)
					}
					rows = append(rows, r)
				}
				order := func(a, b []any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
				if len(c.Files) > 1 { // the order of files is nobody's promise
					slices.SortFunc(rows, order)
					slices.SortFunc(c.Rows, order)
				}
				if d := cmp.Diff(c.Rows, rows); d != "" {
					t.Fatalf("%d parts of %q, %v: %s", parts, c.Files, c.Opts, d)
				}
			}
		})
	}
}

// simple is a type as Spark's simpleString has it.
func simple(t *types.Type) string {
	switch t.Kind {
	case types.Struct:
		var out []string
		for _, f := range t.Fields {
			out = append(out, f.Name+":"+simple(f.Type))
		}
		return "struct<" + strings.Join(out, ",") + ">"
	case types.Array:
		return "array<" + simple(t.Elem) + ">"
	}
	return strings.ReplaceAll(strings.ToLower(t.SQL()), ", ", ",")
}

func TestCompressedText(t *testing.T) {
	dir := t.TempDir()
	gz, err := os.Create(filepath.Join(dir, "a.txt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(gz)
	fmt.Fprint(w, "one\ntwo\n")
	if err := errors.Join(w.Close(), gz.Close()); err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if err := os.WriteFile(filepath.Join(dir, "b.txt.zst"), z.EncodeAll([]byte("three"), nil), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := scanAll(t, openAll(t, OpenArgs{Format: "text", Paths: []string{dir}}), 3, 1)
	if d := cmp.Diff([][]any{{"one"}, {"two"}, {"three"}}, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if err := os.WriteFile(filepath.Join(dir, "c.txt.gz"), []byte("no gzip"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = scanAll(t, openAll(t, OpenArgs{Format: "text", Paths: []string{dir}}), 1, 0)
	if e, ok := errs.As(err); !ok || e.Condition != "FAILED_READ_FILE.NO_HINT" {
		t.Error(err)
	}
}

// Tasks that share a file must read each line once, wherever it is cut.
func TestTextIsCutAnywhere(t *testing.T) {
	for _, sep := range []string{"", ";"} {
		for _, end := range []string{"\n", "\r\n", "\r", ";"} {
			if (sep == "") == (end == ";") {
				continue
			}
			var text strings.Builder
			var want [][]any
			for i := range 40 {
				line := strings.Repeat("x", i%7)
				text.WriteString(line + end)
				want = append(want, []any{line})
			}
			p := filepath.Join(t.TempDir(), "a.txt")
			if err := os.WriteFile(p, []byte(text.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			a := OpenArgs{Format: "text", Paths: []string{p}}
			if sep != "" {
				a.Options = map[string]string{"lineSep": sep}
			}
			for parts := 1; parts < 60; parts += 3 {
				got, err := scanAll(t, openAll(t, a), parts, 0)
				if d := cmp.Diff(want, got); err != nil || d != "" {
					t.Fatalf("%q in %d parts: %v %s", end, parts, err, d)
				}
			}
		}
	}
}

// What Spark refuses before it reads anything.
func TestTextIsRefused(t *testing.T) {
	p := filepath.Join(t.TempDir(), "a.txt")
	if err := os.WriteFile(p, []byte("a"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a    OpenArgs
		want string
	}{
		{OpenArgs{Format: "csv", Paths: []string{p}, Options: map[string]string{"lineSep": "xyz"}}, "INVALID_LINE_SEPARATOR.TOO_LONG"},
		{OpenArgs{Format: "text", Paths: []string{p}, Schema: ddl(t, "x int")}, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"},
	} {
		_, err := Open(context.Background(), c.a)
		if e, ok := errs.As(err); !ok || e.Condition != c.want {
			t.Errorf("%s: %v, want %s", c.a.Format, err, c.want)
		}
	}
}

func TestFailedCommitLeavesTheOldFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	st := types.NewStruct(field("k", types.StringType), field("n", types.Int32Type))
	row := func(k string, n int32) *vec.Batch {
		b := &vec.Batch{N: 1}
		for i, x := range []any{k, n} {
			v, err := vec.Repeat(st.Fields[i].Type, x, 1)
			if err != nil {
				t.Fatal(err)
			}
			b.Cols = append(b.Cols, v)
		}
		return b
	}
	read := func() [][]any {
		got, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}}), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		slices.SortFunc(got, func(a, b []any) int { return int(a[0].(int32) - b[0].(int32)) })
		return got
	}
	a := WriteArgs{Format: "parquet", Path: dir, Schema: st, PartitionBy: []string{"k"}, Mode: "overwrite"}
	for k, n := range map[string]int32{"a": 1, "b": 2} {
		a.Mode = "append"
		if err := writeAll(t, a, row(k, n), true); err != nil {
			t.Fatal(err)
		}
	}
	want := [][]any{{int32(1), "a"}, {int32(2), "b"}}
	a.Mode = "overwrite"
	job, err := PrepareWrite(context.Background(), a)
	if err != nil {
		t.Fatal(err)
	}
	// A file in the way of the folder that a new file needs: the commit fails half way.
	for _, p := range []string{"k=z/f", "k=z2"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(job.Staging, p)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(job.Staging, p), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, stagingPrefix+"other"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(job.Staging+"-old", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(job.Staging+"-old", "k=b"), nil, 0o644); err != nil { // a folder can't be renamed to a file
		t.Fatal(err)
	}
	if err := job.Commit(context.Background()); err == nil {
		t.Fatal("the commit went through")
	}
	if d := cmp.Diff(want, read()); d != "" {
		t.Error(d)
	}
	// Only the partitions that get rows are replaced, if asked for.
	a.Options = map[string]string{"partitionOverwriteMode": "dynamic"}
	if err := writeAll(t, a, row("b", 7), true); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]any{{int32(1), "a"}, {int32(7), "b"}}, read()); d != "" {
		t.Error(d)
	}
	a.Options = nil
	if err := writeAll(t, a, row("c", 9), true); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]any{{int32(9), "c"}}, read()); d != "" {
		t.Error(d)
	}
	src := openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}}).Source
	if e, ok := errs.As(CheckOverwrite(src, "file:"+dir)); !ok || e.Condition != "UNSUPPORTED_OVERWRITE.PATH" {
		t.Error("a query may overwrite what it reads")
	}
	if err := CheckOverwrite(src, dir+"2"); err != nil {
		t.Error(err)
	}
}

// Spark 4.3.0: how many fields a record has counts where all of them are read, or without pruning, which multiLine ends too.
func TestCSVPruning(t *testing.T) {
	p := filepath.Join(t.TempDir(), "m.csv")
	if err := os.WriteFile(p, []byte("1,a,x\n2,b\n3,c,z,more\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	st := types.NewStruct(field("i", types.Int32Type), field("s", types.StringType), field("d", types.StringType))
	for _, c := range []struct {
		options map[string]string
		conf    map[string]string
		rows    int
	}{
		{nil, nil, 3},
		{map[string]string{"columnPruning": "false"}, nil, 1},
		{map[string]string{"multiLine": "true"}, nil, 1},
		{nil, map[string]string{"spark.sql.csv.parser.columnPruning.enabled": "false"}, 1},
	} {
		o := map[string]string{"mode": "DROPMALFORMED"}
		maps.Copy(o, c.options)
		s := openAll(t, OpenArgs{Format: "csv", Paths: []string{p}, Schema: st, Options: o, Conf: c.conf})
		s.Cols = s.Cols[1:2]
		rows, err := scanAll(t, s, 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != c.rows {
			t.Errorf("%v %v: %d rows, want %d", c.options, c.conf, len(rows), c.rows)
		}
	}
}
