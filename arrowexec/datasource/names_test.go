package datasource

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// rowsAs is a batch of those rows.
func rowsAs(t testing.TB, schema *types.Type, rows ...[]any) *vec.Batch {
	return batchOf(t, schema, len(rows), 0, func(k int) []any { return rows[k] })
}

// conditionOf is what err is called.
func conditionOf(err error) string {
	if e, ok := errs.As(err); ok {
		return e.Condition
	}
	return fmt.Sprint(err)
}

var exactly = map[string]string{"spark.sql.caseSensitive": "TRUE"}

// TestCaseOfNames: the setting says whether the file's A is a column a, at any depth, for rows, filters and statistics.
func TestCaseOfNames(t *testing.T) {
	in := types.NewStruct(field("A", types.Int64Type), field("s", types.NewStruct(field("X", types.Int64Type))))
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeBatch(t, path, in, rowsAs(t, in, []any{int64(1), types.StructValue{int64(2)}}, []any{int64(3), types.StructValue{int64(4)}}))
	as := types.NewStruct(field("a", types.Int64Type), field("s", types.NewStruct(field("x", types.Int64Type))))
	for _, x := range []struct {
		conf map[string]string
		want [][]any
		few  int // rows of a > 1
	}{
		{nil, [][]any{{int64(1), types.StructValue{int64(2)}}, {int64(3), types.StructValue{int64(4)}}}, 1},
		{exactly, [][]any{{nil, types.StructValue{nil}}, {nil, types.StructValue{nil}}}, 0},
	} {
		s := openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}, Schema: as, Conf: x.conf})
		if c := s.Source.Stats().Cols[0]; (c.Max == any(int64(3))) != (x.conf == nil) {
			t.Errorf("%v: statistics %v", x.conf, c)
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
			s.Filters = nil
			if got, err := scanAll(t, s, 1, 0); err != nil || !reflect.DeepEqual(got, x.want) {
				t.Errorf("%v: %v, %v", x.conf, got, err)
			}
			s.Filters = []plan.Expr{&plan.Call{Name: ">", T: types.BoolType, Kind: plan.FnScalar, Args: []plan.Expr{&plan.Bound{Index: 0, T: types.Int64Type}, &plan.Literal{T: types.Int64Type, Value: int64(1)}}}}
			if got, err := scanAll(t, s, 1, 0); err != nil || len(got) != x.few {
				t.Errorf("%v, filtered: %v, %v", x.conf, got, err)
			}
		}
	}
}

// TestNamesThatDifferByCase: where case doesn't count, a column that could be two is an error, and another isn't.
func TestNamesThatDifferByCase(t *testing.T) {
	pair := types.NewStruct(field("x", types.Int64Type), field("X", types.Int64Type), field("q", types.Int64Type))
	in := types.NewStruct(field("a", types.Int64Type), field("A", types.Int64Type), field("s", pair), field("z", types.Int64Type))
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeBatch(t, path, in, rowsAs(t, in, []any{int64(1), int64(2), types.StructValue{int64(3), int64(4), int64(5)}, int64(6)}))
	for _, x := range []struct {
		as   types.Field
		conf map[string]string
		want any // a condition or a value
	}{
		{field("a", types.Int64Type), nil, "FAILED_READ_FILE.NO_HINT"},
		{field("A", types.Int64Type), nil, "FAILED_READ_FILE.NO_HINT"},
		{field("A", types.Int64Type), exactly, int64(2)},
		{field("Z", types.Int64Type), nil, int64(6)},
		{field("S", types.NewStruct(field("X", types.Int64Type))), nil, "FAILED_READ_FILE.NO_HINT"},
		{field("S", types.NewStruct(field("Q", types.Int64Type))), nil, types.StructValue{int64(5)}},
		{field("s", types.NewStruct(field("X", types.Int64Type))), exactly, types.StructValue{int64(4)}},
	} {
		got, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}, Schema: types.NewStruct(x.as), Conf: x.conf}), 1, 0)
		if err != nil {
			if e, _ := errs.As(err); conditionOf(err) != x.want || e.Params["path"] != "file://"+path || e.Cause == nil {
				t.Errorf("%s, %v: %v", x.as.Name, x.conf, err)
			}
		} else if !reflect.DeepEqual(got, [][]any{{x.want}}) {
			t.Errorf("%s, %v: %v", x.as.Name, x.conf, got)
		}
	}
	open := func(s *types.Type, conf map[string]string) string {
		_, err := Open(context.Background(), OpenArgs{Format: "parquet", Paths: []string{path}, Schema: s, Conf: conf})
		return conditionOf(err)
	}
	for _, s := range []*types.Type{nil, types.NewStruct(field("l", types.NewArray(pair, true)))} {
		if open(s, nil) != "COLUMN_ALREADY_EXISTS" || open(s, exactly) != "<nil>" {
			t.Errorf("%v: %s, %s", s, open(s, nil), open(s, exactly))
		}
	}
}

// TestSettingsTellSourcesApart: what is read under one setting is not what is read under another.
func TestSettingsTellSourcesApart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.parquet")
	writeSample(t, path, sampleBatch(1, false))
	seen := map[string]int{}
	for i, conf := range []map[string]string{nil, exactly, {datetimeModeKey: "LEGACY"}, {int96ModeKey: "EXCEPTION"}, {"spark.sql.session.timeZone": "Asia/Tokyo"}} {
		c := openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}, Conf: conf}).Source.(*Files).Canonical()
		if k, ok := seen[c]; ok {
			t.Errorf("%d and %d are one source: %s", k, i, c)
		}
		seen[c] = i
	}
}

func TestGlobs(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"p1", "p2", "p3", "a,b", "_h", ".p1.crc", "d/p1", "d/q1", "e/q2"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, n)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, n), []byte("x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const bad = "Illegal file pattern: "
	for _, x := range []struct {
		pattern, filter string
		want            []string
		err             string
	}{
		{"p{1,2}", "", []string{"p1", "p2"}, ""},
		{"p{1,{2,3}}*", "", []string{"p1", "p2", "p3"}, ""},
		{"p{[12],3}", "", []string{"p1", "p2", "p3"}, ""},
		{"p[!1]", "", []string{"p2", "p3"}, ""},
		{"p[^1]", "", []string{"p2", "p3"}, ""},
		{"?1", "", []string{"p1"}, ""},
		{"*1*", "", []string{"p1"}, ""},
		{`a\,b`, "", []string{"a,b"}, ""},
		{`{a\,b,p1}`, "", []string{"a,b", "p1"}, ""},
		{"{d/q,p}1", "", []string{"d/q1", "p1"}, ""},
		{"{d,e}/q*", "", []string{"d/q1", "e/q2"}, ""},
		{"[_p]*", "", []string{"p1", "p2", "p3"}, ""},
		{"{p1,p2", "", nil, bad + "error parsing regexp: Unclosed group at pos 6: `{p1,p2`"},
		{"p[1", "", nil, bad + "error parsing regexp: Unclosed character class at pos 3: `p[1`"},
		{`p\1*`, "", nil, bad + "error parsing regexp: invalid escape sequence: `\\1`"},
		{"x*", "", nil, "PATH_NOT_FOUND"},
		{"p1/*", "", nil, "PATH_NOT_FOUND"},
		{"", "{q,p}1", []string{"p1"}, ""},
		{"", "p{[12],3}", []string{"p1", "p2", "p3"}, ""},
		{"d", "[!p]*", []string{"d/q1"}, ""},
		{"", "{p1,p2", nil, bad + "error parsing regexp: Unclosed group at pos 6: `{p1,p2`"},
	} {
		opts := map[string]string{}
		if x.filter != "" {
			opts["pathglobfilter"] = x.filter
		}
		l, err := listFiles([]string{filepath.Join(dir, x.pattern)}, opts, false)
		if err != nil {
			e, ok := errs.As(err)
			if !ok || x.err != e.Condition && x.err != e.Error() || e.Condition == "" && e.Class != errs.IO {
				t.Errorf("%s %s: %v", x.pattern, x.filter, err)
			}
			continue
		}
		var got []string
		for _, f := range l.files {
			rel, err := filepath.Rel(dir, f.path)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, rel)
		}
		if !slices.Equal(got, x.want) || x.err != "" {
			t.Errorf("%s %s: %q", x.pattern, x.filter, got)
		}
	}
}
