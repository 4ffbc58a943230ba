package op

import (
	"fmt"
	"slices"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// micro runs one micro-batch of count(*) and sum(v) by an event time.
func micro(t *testing.T, dir, mode string, version, late, mark int64, in rows) []string {
	t.Helper()
	schema := []*types.Type{types.TimestampType, types.Int64Type}
	conf := &task.Conf{BatchRows: 8, SpillDir: t.TempDir()}
	var out rows
	err := task.Run(task.Info{Partitions: 1}, conf, mem.NewPool(0).NewAccount("t"), 1, func(c *task.Ctx) error {
		group := []plan.Expr{col(0, types.TimestampType)}
		v := col(1, types.Int64Type)
		aggs := []physical.Agg{aggOf("count", types.Int64Type), aggOf("sum", types.Int64Type, v)}
		aggs[0].Mode, aggs[1].Mode = physical.Partial, physical.Partial
		partial, err := NewHashAggregate(&source{table: table{schema, in}, size: 3}, &physical.HashAggregate{Mode: physical.Partial, Group: group, Aggs: aggs}, NewEnv(nil, 0))
		if err != nil {
			return err
		}
		final := slices.Clone(aggs)
		final[0].StateAt, final[1].StateAt = 1, 2
		o, err := NewStateAggregate(partial, &physical.StateAggregate{Group: group, Aggs: final, EventCol: 0, Watermark: mark, Late: late, Mode: mode,
			State: physical.StateInfo{Checkpoint: dir, Version: version}}, NewEnv(nil, 0), nil)
		if err != nil {
			return err
		}
		out, err = drain(c, o, -1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{}
	for _, r := range out {
		lines = append(lines, fmt.Sprint(r...))
	}
	slices.Sort(lines)
	return lines
}

func TestStateAggregateModes(t *testing.T) {
	first := rows{{int64(10), int64(1)}, {int64(10), int64(2)}, {int64(20), int64(5)}}
	second := rows{{int64(20), int64(1)}, {int64(5), int64(9)}, {int64(30), nil}}
	third := rows{{int64(5), int64(1)}, {int64(30), int64(1)}} // the first is late, except in mode complete
	for mode, want := range map[string][3][]string{
		"update":   {{"10 2 3", "20 1 5"}, {"20 2 6", "30 1 <nil>", "5 1 9"}, {"30 2 1"}},
		"append":   {{}, {"10 2 3", "5 1 9"}, {"20 2 6"}},
		"complete": {{"10 2 3", "20 1 5"}, {"10 2 3", "20 2 6", "30 1 <nil>", "5 1 9"}, {"10 2 3", "20 2 6", "30 2 1", "5 2 10"}},
	} {
		dir := t.TempDir()
		if got := micro(t, dir, mode, 0, 0, 0, first); !slices.Equal(got, want[0]) {
			t.Errorf("%s, first batch: %q, want %q", mode, got, want[0])
		}
		for range 2 { // the second batch runs again, as after a crash
			if got := micro(t, dir, mode, 1, 0, 10, second); !slices.Equal(got, want[1]) {
				t.Errorf("%s, second batch: %q, want %q", mode, got, want[1])
			}
		}
		if got := micro(t, dir, mode, 2, 10, 20, third); !slices.Equal(got, want[2]) {
			t.Errorf("%s, third batch: %q, want %q", mode, got, want[2])
		}
	}
}

func TestStateDedup(t *testing.T) {
	dir := t.TempDir()
	var stats StateStats
	batch := func(version int64, in rows) (n int) {
		conf := &task.Conf{BatchRows: 8}
		err := task.Run(task.Info{}, conf, mem.NewPool(0).NewAccount("t"), 0, func(c *task.Ctx) error {
			o := NewStateDedup(&source{table: table{[]*types.Type{types.Int64Type}, in}, size: 8}, &physical.StateDedup{Keys: []int{0}, EventCol: -1,
				State: physical.StateInfo{Checkpoint: dir, Version: version}}, func(_ int, s StateStats) { stats = s })
			out, err := drain(c, o, -1)
			n = len(out)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := batch(0, rows{{int64(1)}, {int64(1)}, {nil}}); n != 2 {
		t.Errorf("first batch passed %d rows", n)
	}
	if n := batch(1, rows{{int64(1)}, {int64(3)}, {nil}}); n != 1 {
		t.Errorf("second batch passed %d rows", n)
	}
	if stats.Name != "dedupe" || stats.Total != 3 || stats.Updated != 1 {
		t.Errorf("statistics are %+v", stats)
	}
}
