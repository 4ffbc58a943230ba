package analyze

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neptune/connect/catalog"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// fakeSource is a table without rows.
type fakeSource struct{ schema *types.Type }

func (s fakeSource) Format() string        { return "parquet" }
func (s fakeSource) Schema() *types.Type   { return s.schema }
func (s fakeSource) PartitionColumns() int { return 0 }
func (s fakeSource) Stats() plan.Stats     { return plan.Stats{Rows: -1, Bytes: -1} }

type fakeSources struct{}

func (fakeSources) Open(_ context.Context, _ string, _ map[string]string, _ []string, schema *types.Type, _ bool, _ map[string]string) (plan.Source, error) {
	return fakeSource{schema}, nil
}

func parse(t testing.TB, q string) plan.Node {
	t.Helper()
	n, err := sqlparse.ParseStatement(q, sqlparse.Options{})
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return n
}

// session has the views and tables that the goldens' queries name.
func session(t testing.TB) *Analyzer {
	t.Helper()
	a := &Analyzer{Catalog: catalog.NewSession(catalog.New(nil)), Sources: fakeSources{}, Conf: Conf{ANSI: true, User: "me"}, ParseType: sqlparse.ParseSchema, ParseDataType: sqlparse.ParseDataType}
	a.ParseSQL = func(s string) (plan.Node, error) { return sqlparse.ParseStatement(s, sqlparse.Options{}) }
	a.ParseBound = func(s string, pos []plan.Expr, named map[string]plan.Expr) (plan.Node, error) {
		return sqlparse.ParseStatement(s, sqlparse.Options{Positional: pos, Named: named})
	}
	a.Markers = func(s string) (bool, bool, error) { return sqlparse.Markers(s, sqlparse.Options{}) }
	for _, v := range []string{
		"create temporary view t as select * from values (1, 'x', 1.5, 2.5D, date'2020-01-01', timestamp'2020-01-01 00:00:00', true, 5L) as t(i,s,d,f,dt,ts,b,l)",
		"create temporary view n as select named_struct('a',1,'b',named_struct('c','x')) st, array(1,2) ar, map('k',1) m, array(named_struct('q',1)) ars",
	} {
		if _, ok, err := a.RunCommand(context.Background(), parse(t, v).(*plan.Command)); err != nil || !ok {
			t.Fatal(v, ok, err)
		}
	}
	f, err := os.ReadFile("testdata/tpch_tables.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(strings.TrimSpace(string(f)), "\n") {
		name, ddl, _ := strings.Cut(l, ": ")
		s, err := sqlparse.ParseSchema(ddl)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Catalog.PutTable(&catalog.Table{Database: "default", Name: name, Provider: "parquet", Location: "/data/" + name, Schema: s}); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// result is a query's columns, or its error.
type result struct {
	Schema [][]any           `json:"schema,omitempty"`
	Err    string            `json:"err,omitempty"`
	State  string            `json:"state,omitempty"`
	Params map[string]string `json:"params,omitempty"`
}

func analyzeOne(a *Analyzer, q string) result {
	n, err := sqlparse.ParseStatement(q, sqlparse.Options{})
	if err == nil {
		n, err = a.Analyze(context.Background(), n)
	}
	if err != nil {
		e, ok := errs.As(err)
		if !ok {
			return result{Err: err.Error()}
		}
		if len(e.Params) == 0 {
			e.Params = nil
		}
		return result{Err: e.Condition, State: e.SQLState(), Params: e.Params}
	}
	r := result{}
	for _, f := range Schema(n).Fields {
		r.Schema = append(r.Schema, []any{f.Name, f.Type.String(), f.Nullable})
	}
	return r
}

// TestAgainstSpark compares with what Spark 4.3.0 answered (ANSI mode, UTC):
// lines of a query, then its columns or its error in JSON. A file may begin with
// views that its queries are over.
func TestAgainstSpark(t *testing.T) {
	for _, file := range []string{"spark_4.3.0.txt", "tpch_4.3.0.txt", "aggregate_4.3.0.txt"} {
		a := session(t)
		f, err := os.Open("testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 1<<20)
		n := 0
		for sc.Scan() {
			q := sc.Text()
			if strings.HasPrefix(q, "create or replace temporary view ") {
				if _, ok, err := a.RunCommand(context.Background(), parse(t, q).(*plan.Command)); err != nil || !ok {
					t.Fatal(q, ok, err)
				}
				continue
			}
			if !sc.Scan() {
				t.Fatal("a query without an answer: " + q)
			}
			var want result
			if err := json.Unmarshal(sc.Bytes(), &want); err != nil {
				t.Fatal(err)
			}
			if len(want.Params) == 0 {
				want.Params = nil
			}
			if d := cmp.Diff(want, analyzeOne(a, q)); d != "" {
				t.Errorf("%s\n%s", q, d)
			}
			n++
		}
		if n == 0 {
			t.Errorf("%s is empty", file)
		}
	}
}

func TestErrorsSayWhere(t *testing.T) {
	a := session(t)
	for q, want := range map[string]string{
		"SELECT zz FROM t":              "zz",
		"SELECT i + b FROM t":           "i + b",
		"SELECT * FROM nope":            "nope",
		"SELECT sum(sum(i)) FROM t":     "sum(i)",
		"SELECT i FROM t ORDER BY 5":    "5",
		"SELECT 1, foo(i) AS x FROM t":  "foo(i)",
		"SELECT CAST(array(1) AS INT)":  "CAST(array(1) AS INT)",
		"SELECT i, sum(l) FROM t":       "SELECT i, sum(l) FROM t",
		"SELECT 1 UNION SELECT 1, 2":    "SELECT 1 UNION SELECT 1, 2",
		"SELECT i FROM t WHERE s = zzz": "zzz",
	} {
		_, err := a.Analyze(context.Background(), parse(t, q))
		e, ok := errs.As(err)
		if !ok || e.Context.Text() != want {
			t.Errorf("%s: %q (%v), want %q", q, e.Context.Text(), err, want)
		}
	}
}

func TestSelfJoinHasNewIDs(t *testing.T) {
	a := session(t)
	n, err := a.Analyze(context.Background(), parse(t, "SELECT * FROM t a JOIN t b ON a.i = b.i JOIN t c ON b.i = c.i"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[plan.ExprID]bool{}
	for _, c := range n.Output() {
		if seen[c.ID] {
			t.Errorf("column %s has the id of another", c.Name)
		}
		seen[c.ID] = true
	}
}

func TestDataFrameColumnsByPlanID(t *testing.T) {
	a := session(t)
	id := func(n int64) *int64 { return &n }
	base := func(pid int64) plan.Node {
		return &plan.UnresolvedTable{Common: plan.Common{PlanID: id(pid)}, Parts: []string{"t"}}
	}
	col := func(pid int64, name string) plan.Expr {
		return &plan.UnresolvedAttr{Parts: []string{name}, PlanID: id(pid)}
	}
	eq := func(x, y plan.Expr) plan.Expr { return &plan.Call{Name: "=", Args: []plan.Expr{x, y}} }
	join := &plan.Join{Left: base(1), Right: base(2), Cond: eq(col(1, "i"), col(2, "i"))}
	n, err := a.Analyze(context.Background(), &plan.Project{List: []plan.Expr{col(1, "s"), col(2, "s")}, Child: join})
	if err != nil {
		t.Fatal(err)
	}
	if o := n.Output(); o[0].ID == o[1].ID {
		t.Error("both sides' columns are one")
	}
	for name, bad := range map[string]plan.Node{
		"CANNOT_RESOLVE_DATAFRAME_COLUMN": &plan.Project{List: []plan.Expr{col(9, "i")}, Child: base(1)},
		"AMBIGUOUS_COLUMN_REFERENCE":      &plan.Join{Left: base(1), Right: base(1), Cond: eq(col(1, "i"), col(1, "i"))},
	} {
		if _, err := a.Analyze(context.Background(), bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
	}
	// A column that a projection dropped is still there for a filter above it.
	n, err = a.Analyze(context.Background(), &plan.Filter{Cond: eq(col(1, "i"), col(1, "i")), Child: &plan.Project{List: []plan.Expr{col(1, "s")}, Child: base(1)}})
	if err != nil || len(n.Output()) != 1 {
		t.Errorf("%v %v", n, err)
	}
	name := &plan.UnresolvedAttr{Parts: []string{"i"}}
	dropped := &plan.Project{List: []plan.Expr{col(1, "s")}, Child: base(1)}
	n, err = a.Analyze(context.Background(), &plan.Filter{Cond: eq(name, name), Child: dropped})
	if err != nil || len(n.Output()) != 1 {
		t.Errorf("by its name alone: %v %v", n, err)
	}
	n, err = a.Analyze(context.Background(), &plan.Filter{Cond: eq(name, name), Child: &plan.SubqueryAlias{Name: "x", Child: dropped}})
	if err == nil || !strings.Contains(err.Error(), "UNRESOLVED_COLUMN") {
		t.Errorf("below a relation with a name: %v %v", n, err)
	}
}

func TestParameters(t *testing.T) {
	a := session(t)
	n, err := BindParameters(parse(t, "SELECT :x + i, (SELECT :x) FROM t WHERE i > :y"), nil, map[string]plan.Expr{"x": intLit(1), "y": intLit(2)})
	if err != nil {
		t.Fatal(err)
	}
	if n, err = a.Analyze(context.Background(), n); err != nil || n.Output()[0].Name != "(1 + i)" {
		t.Errorf("%v %v", n, err)
	}
	if n, err = BindParameters(parse(t, "SELECT ?, ?"), []plan.Expr{intLit(1), strLit("a")}, nil); err != nil {
		t.Fatal(err)
	}
	if n, err = a.Analyze(context.Background(), n); err != nil || n.Output()[1].T != types.StringType {
		t.Errorf("%v %v", n, err)
	}
	if _, err = a.Analyze(context.Background(), parse(t, "SELECT :z")); err == nil || !strings.Contains(err.Error(), "UNBOUND_SQL_PARAMETER") {
		t.Error(err)
	}
}

func TestViewsAndCommands(t *testing.T) {
	a := session(t)
	do := func(q string) plan.Node {
		t.Helper()
		n, ok, err := a.RunCommand(context.Background(), parse(t, q).(*plan.Command))
		if err != nil || !ok {
			t.Fatal(q, ok, err)
		}
		return n
	}
	do("CREATE VIEW v AS SELECT i + 1 AS j FROM VALUES (1) AS t(i)")
	if r := analyzeOne(a, "SELECT v.j, j FROM v"); len(r.Schema) != 2 {
		t.Error(r)
	}
	do("CREATE OR REPLACE TEMPORARY VIEW v2 AS SELECT * FROM v")
	do("CREATE DATABASE d")
	do("USE d")
	if r := analyzeOne(a, "SELECT * FROM v"); r.Err != "TABLE_OR_VIEW_NOT_FOUND" {
		t.Error(r)
	}
	do("USE default")
	do("DROP VIEW v")
	if r := analyzeOne(a, "SELECT * FROM v2"); len(r.Schema) != 1 {
		t.Error(r)
	}
	n := do("DESCRIBE QUERY SELECT 1 AS a")
	if got := Schema(n).DDL(); got != "col_name STRING NOT NULL,data_type STRING NOT NULL,comment STRING" {
		t.Error(got)
	}
	do("SHOW TABLES")
	do("SHOW DATABASES")
}

func BenchmarkSelect1(b *testing.B) {
	a := session(b)
	n := parse(b, "SELECT 1")
	for b.Loop() {
		if _, err := a.Analyze(context.Background(), n); err != nil {
			b.Fatal(err)
		}
	}
}
