package optimize_test

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/physical"
	"neptune/connect/analyze"
	"neptune/connect/catalog"
	"neptune/connect/optimize"
	"neptune/connect/sqlparse"
	"neptune/internal/plan"
)

func newAnalyzer(tb testing.TB) *analyze.Analyzer {
	tb.Helper()
	s := catalog.NewSession(catalog.New(nil))
	for _, src := range append(tpch(), small()...) {
		out := make([]*plan.Attr, len(src.schema.Fields))
		for i, f := range src.schema.Fields {
			out[i] = &plan.Attr{ID: plan.NewID(), Name: f.Name, T: f.Type, Null: f.Nullable}
		}
		if err := s.CreateTempView(&catalog.View{Name: src.name, Plan: &plan.Relation{Name: src.name, Handle: src, Out: out}}, false, true); err != nil {
			tb.Fatal(err)
		}
	}
	return &analyze.Analyzer{
		Catalog: s, Conf: analyze.Conf{ANSI: true, Keys: map[string]string{}, Now: time.Unix(1700000000, 0)},
		ParseSQL:  func(q string) (plan.Node, error) { return sqlparse.ParseStatement(q, sqlparse.Options{}) },
		ParseType: sqlparse.ParseSchema, ParseDataType: sqlparse.ParseDataType,
		ParseExpr: func(q string) (plan.Expr, error) { return sqlparse.ParseExpression(q, sqlparse.Options{}) },
	}
}

func conf() optimize.Conf {
	fc := &fn.Conf{ANSI: true, TimeZone: time.UTC, Keys: map[string]string{}}
	return optimize.Conf{ANSI: true, Slots: 2, Fold: func(e plan.Expr) (*plan.Literal, error) { return expr.Fold(e, fc) }}
}

func optimized(tb testing.TB, sql string) (plan.Node, error) {
	tb.Helper()
	n, err := sqlparse.ParseStatement(sql, sqlparse.Options{})
	if err != nil {
		return nil, err
	}
	if n, err = newAnalyzer(tb).Analyze(context.Background(), n); err != nil {
		return nil, err
	}
	want := n.Output()
	o, err := optimize.Optimize(context.Background(), n, conf())
	if err != nil {
		return nil, err
	}
	got := o.Output()
	if len(got) != len(want) {
		tb.Errorf("%d columns, want %d:\n%s", len(got), len(want), sql)
		return o, nil
	}
	for i := range got {
		if got[i].ID != want[i].ID || got[i].Name != want[i].Name || got[i].T.String() != want[i].T.String() {
			tb.Errorf("column %d is %s#%d %s, want %s#%d %s:\n%s", i, got[i].Name, got[i].ID, got[i].T, want[i].Name, want[i].ID, want[i].T, sql)
		}
	}
	return o, nil
}

func planned(tb testing.TB, sql string) (physical.Node, error) {
	tb.Helper()
	o, err := optimized(tb, sql)
	if err != nil {
		return nil, err
	}
	n, err := optimize.Physical(context.Background(), o, conf())
	if err != nil {
		return nil, err
	}
	if err := physical.Validate(n); err != nil {
		tb.Errorf("invalid plan: %v\n%s\n%s", err, sql, physical.Explain(n, "simple"))
	}
	crosses(tb, n)
	return n, nil
}

var (
	idPattern   = regexp.MustCompile(`#\d+`)
	loopPattern = regexp.MustCompile(`(UnionLoop(?:Ref)?) \d+`)
)

// stable numbers the column ids of a plan from 1 in order of appearance.
func stable(s string) string {
	s = loopPattern.ReplaceAllString(s, "$1")
	ids := map[string]string{}
	return idPattern.ReplaceAllStringFunc(s, func(m string) string {
		if _, ok := ids[m]; !ok {
			ids[m] = "#" + strconv.Itoa(len(ids)+1)
		}
		return ids[m]
	})
}

// TestPlans are the goldens: "optimize" prints the optimized logical plan of a
// query, "physical" and "formatted" the physical one.
func TestPlans(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			var text string
			switch td.Cmd {
			case "optimize":
				n, err := optimized(t, td.Input)
				if err != nil {
					return err.Error() + "\n"
				}
				text = optimize.ExplainLogical(n)
			case "physical", "formatted":
				n, err := planned(t, td.Input)
				if err != nil {
					return err.Error() + "\n"
				}
				text = strings.TrimPrefix(physical.Explain(n, td.Cmd), "== Physical Plan ==\n")
			default:
				t.Fatalf("unknown command %s", td.Cmd)
			}
			return stable(text)
		})
	})
}
