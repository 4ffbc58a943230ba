package optimize_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"neptune/arrowexec/physical"
	"neptune/connect/optimize"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// genQuery draws a query over t, u and s with joins, subqueries and grouping.
func genQuery(r *rapid.T) string {
	pick := func(label string, list ...string) string { return rapid.SampledFrom(list).Draw(r, label) }
	var cond func(depth int, cols []string) string
	cond = func(depth int, cols []string) string {
		c := rapid.SampledFrom(cols).Draw(r, "col")
		d := rapid.SampledFrom(cols).Draw(r, "col2")
		switch k := rapid.IntRange(0, 11).Draw(r, "cond"); {
		case k <= 2:
			return fmt.Sprintf("%s %s %d", c, pick("op", "=", "<", ">=", "<>"), rapid.IntRange(0, 9).Draw(r, "n"))
		case k == 3:
			return c + " is " + pick("null", "null", "not null")
		case k == 4:
			return c + " = " + d
		case k == 5 && depth > 0:
			return "(" + cond(depth-1, cols) + " or " + cond(depth-1, cols) + ")"
		case k == 6 && depth > 0:
			return "not (" + cond(depth-1, cols) + ")"
		case k == 7:
			return fmt.Sprintf("%s %s (select x from u where y > 3)", c, pick("in", "in", "not in"))
		case k == 8:
			return fmt.Sprintf("%sexists (select 1 from u where x %s %s)", pick("not", "", "not "), pick("cop", "=", "<"), c)
		case k == 9:
			return fmt.Sprintf("%s > (select %s from u where x %s %s)", c, pick("agg", "count(*)", "max(y)", "sum(y) + count(x)"), pick("cop", "=", "<"), d)
		case k == 10:
			return fmt.Sprintf("%s > (select min(y) from u)", c)
		}
		return fmt.Sprintf("%s in (1, 2, 3)", c)
	}
	cols := []string{"a", "b"}
	from := "t"
	if rapid.Bool().Draw(r, "join") {
		kind := pick("kind", "join", "left join", "right join", "full join", "cross join", "left semi join", "left anti join")
		on := " on a = k"
		switch {
		case kind == "cross join":
			on = ""
		case rapid.Bool().Draw(r, "more"):
			on = " on a = k and " + pick("on", "b > 3", "k < 5", "b < k")
		case rapid.Bool().Draw(r, "less"):
			on = " on a < k"
		}
		from += " " + kind + " s" + on
		if !strings.Contains(kind, "semi") && !strings.Contains(kind, "anti") {
			cols = append(cols, "k")
		}
	}
	where := ""
	if rapid.Bool().Draw(r, "where") {
		where = " where " + cond(2, cols)
		if rapid.Bool().Draw(r, "and") {
			where += " and " + cond(1, cols)
		}
	}
	list := strings.Join(cols, ", ")
	group := ""
	switch rapid.IntRange(0, 4).Draw(r, "shape") {
	case 0:
		list, group = "b, count(*) as n, sum(a) as m", " group by b having count(*) > 1"
	case 1:
		list = "count(distinct a) as n, sum(b) as m"
	case 2:
		list = "distinct " + list
	case 3:
		list += ", row_number() over (partition by b order by a) as n"
	}
	q := "select " + list + " from " + from + where + group
	switch rapid.IntRange(0, 4).Draw(r, "outer") {
	case 0:
		q = "select * from (" + q + ") q order by 1 limit 5"
	case 1:
		q = "select n.* from (" + q + ") n order by 1"
	case 2:
		q = "with w as (" + q + ") select w1.* from w w1 limit 3"
	}
	return q
}

// TestRandomQueries plans random queries: each must plan, to a plan that is valid and has the query's columns.
func TestRandomQueries(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		q := genQuery(r)
		if _, err := planned(t, q); err != nil {
			r.Fatalf("%s\n%v", q, err)
		}
	})
}

func BenchmarkSelectOne(b *testing.B) {
	p := &plan.Project{List: []plan.Expr{&plan.Alias{Child: &plan.Literal{T: types.Int32Type, Value: int32(1)}, Names: []string{"1"}, ID: plan.NewID()}}, Child: &plan.OneRow{}}
	c := conf()
	for b.Loop() {
		n, err := optimize.Optimize(context.Background(), p, c)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := optimize.Physical(context.Background(), n, c); err != nil {
			b.Fatal(err)
		}
	}
}

// TestStream plans a windowless streaming count with a watermark, and deduplication.
func TestStream(t *testing.T) {
	src := table("events", -1, col{"ts", types.TimestampType, nil, nil, 0}, col{"k", types.Int64Type, nil, nil, 0})
	ts := &plan.Attr{ID: plan.NewID(), Name: "ts", T: types.TimestampType, Null: true}
	k := &plan.Attr{ID: plan.NewID(), Name: "k", T: types.Int64Type, Null: true}
	rel := &plan.Relation{Name: "events", Handle: src, Out: []*plan.Attr{ts, k}}
	wm := &plan.WithWatermark{Common: plan.Common{Live: true}, Column: "ts", Delay: "10 seconds", Child: rel}
	count := &plan.Alias{Child: &plan.Call{Name: "count", Args: []plan.Expr{k}, T: types.Int64Type, Kind: plan.FnAggregate}, Names: []string{"n"}, ID: plan.NewID()}
	info := optimize.StreamInfo{Checkpoint: "/c", RunID: "r", Batch: 7, Watermark: map[string]int64{"ts": 1000}, Mode: "append"}
	stream := func(n plan.Node) physical.Node {
		t.Helper()
		o, err := optimize.OptimizeStream(context.Background(), n, conf())
		if err != nil {
			t.Fatal(err)
		}
		p, err := optimize.PhysicalStream(context.Background(), o, conf(), info)
		if err != nil {
			t.Fatal(err)
		}
		if err := physical.Validate(p); err != nil {
			t.Fatalf("%v\n%s", err, physical.Explain(p, "simple"))
		}
		return p
	}
	find := func(n physical.Node, ok func(physical.Node) bool) bool {
		var walk func(physical.Node) bool
		walk = func(n physical.Node) bool {
			if ok(n) {
				return true
			}
			for _, k := range n.Children() {
				if walk(k) {
					return true
				}
			}
			return false
		}
		return walk(n)
	}
	agg := stream(&plan.Aggregate{Common: plan.Common{Live: true}, Group: []plan.Expr{ts}, List: []plan.Expr{ts, count}, Child: wm})
	if !find(agg, func(n physical.Node) bool {
		s, ok := n.(*physical.StateAggregate)
		return ok && s.EventCol == 0 && s.Watermark == 1000 && s.State.Version == 7 && s.Mode == "append"
	}) {
		t.Errorf("no state aggregate with a watermark:\n%s", physical.Explain(agg, "simple"))
	}
	if !find(agg, func(n physical.Node) bool {
		w, ok := n.(*physical.Watermark)
		return ok && w.Col == 0 && w.Delay == 10_000_000
	}) {
		t.Errorf("no watermark:\n%s", physical.Explain(agg, "simple"))
	}
	dd := stream(&plan.Distinct{Common: plan.Common{Live: true}, Keys: []*plan.Attr{k, ts}, Child: wm})
	if !find(dd, func(n physical.Node) bool {
		s, ok := n.(*physical.StateDedup)
		return ok && len(s.Keys) == 2 && s.EventCol == 0 && s.Watermark == 1000
	}) {
		t.Errorf("no state deduplication:\n%s", physical.Explain(dd, "simple"))
	}
}
