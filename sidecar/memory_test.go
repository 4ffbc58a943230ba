package sidecar

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/vec"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// spillFiles is the number of temporary files that the process has open.
func spillFiles(t *testing.T) (n int) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("looks at /proc")
	}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if at, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name())); err == nil && strings.Contains(at, "neptune-spill-") {
			n++
		}
	}
	return n
}

// clean checks that a query has left nothing behind.
func (r *rig) clean(t *testing.T, dir string) {
	t.Helper()
	if used, _ := r.engine.pool.Used(); used != 0 {
		t.Errorf("%d bytes are still reserved", used)
	}
	if n := spillFiles(t); n != 0 {
		t.Errorf("%d temporary files are open", n)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*spill*")); len(left) > 0 {
		t.Errorf("%s is left", left[0])
	}
}

const bigSort = "SELECT sum(r) FROM (SELECT row_number() OVER (ORDER BY hash(id), id) AS r FROM range(300000))"

// TestSpillFolderIsMissing: the query that must spill fails, and no other.
func TestSpillFolderIsMissing(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 1 << 20})
	good := r.engine.conf.LocalDir
	for _, sql := range []string{bigSort,
		"SELECT count(*), sum(c) FROM (SELECT id % 90000 AS k, count(*) AS c FROM range(200000) GROUP BY 1)",
		"SELECT /*+ SHUFFLE_HASH(b) */ count(*) FROM range(100000) a JOIN range(100000) b ON a.id = b.id",
	} {
		r.engine.conf.LocalDir = filepath.Join(good, "missing")
		_, _, err := r.run(sql)
		if e, ok := errs.As(err); !ok || e.Condition != "SPILL_OUT_OF_MEMORY" || e.SQLState() != "82003" || e.Params["consumerToSpill"] == "" {
			t.Errorf("%s: %v", sql, err)
		}
		r.clean(t, good)
		if _, _, err := r.run("SELECT sum(id) FROM range(1000)"); err != nil {
			t.Error(err)
		}
		r.engine.conf.LocalDir = good
		if _, _, err := r.run(sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
		r.clean(t, good)
	}
}

// TestOutOfMemory: what can't be divided fails with Spark's condition, alone.
func TestOutOfMemory(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 1 << 20})
	_, _, err := r.run("SELECT size(collect_list(id)) FROM range(1000000)")
	if e, ok := errs.As(err); !ok || e.Condition != "UNABLE_TO_ACQUIRE_MEMORY" || e.SQLState() != "53200" {
		t.Errorf("%v", err)
	}
	r.clean(t, r.engine.conf.LocalDir)
	if got := r.answer(bigSort); len(got) != 1 || got[0] != "45000150000" {
		t.Errorf("%v", got)
	}
	r.clean(t, r.engine.conf.LocalDir)
}

// TestLargeResultsOfFunctions: what a function's arguments make too large for the memory at hand, or for a
// value, is refused before it's made, whether it's constant or not; the server goes on.
func TestLargeResultsOfFunctions(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 32 << 20})
	for _, x := range []string{"repeat('abc', 100000000 + %s)", "space(100000000 + %s)", "lpad('a', 100000000 + %s, 'bc')", "rpad(X'01', 100000000 + %s, X'02')", "randstr(100000000)",
		"format_string(concat('%%', 100000000 + %s, 'd'), 1)", "format_number(1.5D, 100000000 + %s)", "replace(repeat('a', 100000 + %s), 'a', repeat('b', 10000))",
		"regexp_replace(repeat('a', 100000 + %s), 'a', repeat('b', 10000))", "concat_ws(repeat('a', 100000 + %s), sequence(1, 10000))", "array_repeat(1, 100000000 + %s)",
		"sequence(1, 1000000000 + %s)", "flatten(array_repeat(array_repeat(1, 10000 + %s), 100000))"} {
		for _, n := range []string{"0", "int(id)"} {
			sql := "SELECT " + strings.ReplaceAll(strings.ReplaceAll(x, "%s", n), "%%", "%") + " IS NULL FROM range(1, 2)"
			_, _, err := r.run(sql)
			if e, ok := errs.As(err); !ok || e.Condition != "UNABLE_TO_ACQUIRE_MEMORY" || e.SQLState() != "53200" {
				t.Errorf("%s: %v", sql, err)
			}
			sql = "SELECT " + strings.ReplaceAll(strings.ReplaceAll(x, "%s", "2147483640"), "%%", "%") + " IS NULL"
			if _, _, err = r.run(sql); err == nil {
				t.Errorf("%s: no error", sql)
			}
		}
	}
	r.clean(t, r.engine.conf.LocalDir)
	if got := r.answer("SELECT length(repeat('abc', 1000000)), size(array_repeat(1, 1000000)), lpad('x', 7, 'äbc'), rpad('x', 6, 'äbc'), rpad(X'01', 4, X'0203'), size(flatten(array(array(1), null)))"); len(got) != 1 || !strings.HasPrefix(got[0], "3000000|1000000|äbcäbcx|xäbcäb|") {
		t.Errorf("%v", got)
	}
	r.clean(t, r.engine.conf.LocalDir)
}

// TestRecursionSpills has rounds of rows that don't fit.
func TestRecursionSpills(t *testing.T) {
	r := newRig(t, way{slots: 1, memory: 256 << 10})
	got := r.answer("WITH RECURSIVE t(n, s) AS (SELECT id, repeat('x', 40) FROM range(20000) UNION ALL SELECT n + 20000, s FROM t WHERE n < 60000) SELECT count(*), sum(n), sum(length(s)) FROM t")
	if len(got) != 1 || got[0] != "80000|3199960000|3200000" {
		t.Errorf("%v", got)
	}
	if r.engine.pool.Spilled()["recursion"] == 0 {
		t.Error("nothing was spilled")
	}
	r.clean(t, r.engine.conf.LocalDir)
}

// TestLargeBroadcastIsJoinedAnyway: a table that doesn't fit in memory is made by no task.
func TestLargeBroadcastIsJoinedAnyway(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 1 << 20})
	for _, sql := range []string{
		"SELECT /*+ BROADCAST(b) */ count(*), sum(b.id) FROM range(100000) a JOIN range(100000) b ON a.id = b.id",
		"SELECT /*+ BROADCAST(b) */ count(*), sum(b.id) FROM range(100000) a LEFT JOIN range(100000) b ON a.id = b.id",
	} {
		if got := r.answer(sql); len(got) != 1 || got[0] != "100000|4999950000" {
			t.Errorf("%s: %v", sql, got)
		}
		r.clean(t, r.engine.conf.LocalDir)
	}
}

// TestCancelWhileSpilling leaves no file and no memory behind.
func TestCancelWhileSpilling(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 1 << 20})
	c := r.engine.sessionConf(r.session)
	n, err := sqlparse.ParseStatement("SELECT sum(r) FROM (SELECT row_number() OVER (ORDER BY hash(id), id) AS r FROM range(100000000))", c.parser())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	resolved, err := r.engine.analyze(ctx, r.session, c, n)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for len(r.engine.pool.Spilled()) == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	q := &server.Query{Session: r.session, OperationID: "cancelled", Job: session.JobType{Priority: session.BatchPriority}}
	if _, err := r.engine.collect(ctx, q, c, resolved); err == nil {
		t.Error("it wasn't cancelled")
	}
	r.clean(t, r.engine.conf.LocalDir)
}

// TestGatheredRowsAreBounded: a result that the driver must hold, and rows that
// come with a plan, count too.
func TestGatheredRowsAreBounded(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 1 << 20})
	_, _, err := r.run("SELECT id, id + 1 FROM range(1000000)")
	if e, ok := errs.As(err); !ok || e.Condition != "UNABLE_TO_ACQUIRE_MEMORY" {
		t.Errorf("%v", err)
	}
	r.clean(t, r.engine.conf.LocalDir)
	b := &vec.Batch{N: 1000, Cols: []*vec.Vector{vec.FromSlice(types.Int64Type, make([]int64, 1000), nil)}}
	if n := localBytes(&physical.Limit{Input: &physical.Local{Data: []*vec.Batch{b, b}}}); n != 16000 {
		t.Errorf("%d bytes stand in the plan", n)
	}
	rows := r.engine.hold("rows")
	for range 3 { // the first megabyte is free, and counted from the second on
		if err := rows.add(400 << 10); err != nil {
			if e, ok := errs.As(err); !ok || e.Condition != "UNABLE_TO_ACQUIRE_MEMORY" {
				t.Error(err)
			}
			break
		}
		if used, _ := r.engine.pool.Used(); used != 0 {
			t.Errorf("%d bytes are reserved", used)
		}
	}
	rows.close()
	r.clean(t, r.engine.conf.LocalDir)
}
