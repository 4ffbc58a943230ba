package shuffle

import (
	"io"
	"slices"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func bind(i int) plan.Expr { return &plan.Bound{Index: i, T: types.Int64Type, Null: true} }

func call(name string, t *types.Type, args ...plan.Expr) plan.Expr {
	return &plan.Call{Name: name, Args: args, T: t, Null: true, Kind: plan.FnScalar}
}

func lit(x int64) plan.Expr { return &plan.Literal{T: types.Int64Type, Value: x} }

var ids = []physical.Column{{Name: "id", Type: types.Int64Type}}

// collect runs one task of a stage.
func collect(c *task.Ctx, n physical.Node, d op.Deps) (out []int64, err error) {
	o, err := op.Build(n, d)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	if err := o.Open(c); err != nil {
		return nil, err
	}
	for {
		b, err := o.Next(c)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, vec.Of[int64](b.Compact().Cols[0])...)
	}
}

// TestPlanOfTwoStages broadcasts a range, joins another with it by a shared
// table under a condition, and unites, coalesces and sorts.
func TestPlanOfTwoStages(t *testing.T) {
	pool := mem.NewPool(0)
	l := NewLocal(pool)
	small := &physical.Exchange{ID: 1, Kind: physical.Broadcast, Input: &physical.Range{Start: 0, End: 50, Step: 5, Partitions: 1, Out: ids}}
	big := &physical.Range{Start: 0, End: 100, Step: 1, Partitions: 4, Out: ids}
	join := &physical.HashJoin{Kind: plan.Inner, LeftKeys: []plan.Expr{bind(0)}, RightKeys: []plan.Expr{bind(0)}, BuildRight: true,
		Cond: call("<", types.BoolType, bind(1), lit(30)), Left: big, Right: small, Out: append(append([]physical.Column{}, ids...), ids...)}
	loop := &physical.NestedLoopJoin{Kind: plan.LeftSemi, BuildRight: true, Cond: call("=", types.BoolType, bind(0), bind(1)), Left: big, Right: small, Out: ids}
	last := &physical.Project{Exprs: []plan.Expr{bind(0)}, Out: ids, Input: join}
	root := &physical.Sort{Order: []physical.Order{{Expr: bind(0), Desc: true}}, Input: &physical.Coalesce{N: 1,
		Input: &physical.Union{Inputs: []physical.Node{last, loop}, Out: ids}}}
	tasks := func(n physical.Node) int {
		switch n.(type) {
		case *physical.Union:
			return 8
		}
		return 4
	}
	run(t, pool, func(c *task.Ctx) error {
		d := op.Deps{Conf: c.Conf, Query: "q", Partitions: 1, Shuffle: l, Tasks: tasks}
		w, err := l.Writer(c, "q", small, 0, 1)
		if err != nil {
			return err
		}
		defer w.Close()
		o, err := op.Build(small.Input, d)
		if err != nil {
			return err
		}
		if err := o.Open(c); err != nil {
			return err
		}
		b, err := o.Next(c)
		if err != nil {
			return err
		}
		if err := w.Write(c, b); err != nil {
			return err
		}
		if err := w.Commit(c); err != nil {
			return err
		}
		got, err := collect(c, root, d)
		if err != nil {
			return err
		}
		var want []int64
		for i := int64(45); i >= 0; i -= 5 {
			want = append(want, i)
			if i < 30 {
				want = append(want, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		return nil
	})
	l.Release("q")
	if used, _ := pool.Used(); used != 0 {
		t.Errorf("%d bytes left", used)
	}
}
