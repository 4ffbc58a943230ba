package op

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/internal/types"
)

func scriptNode(text string) *physical.ScriptTransform {
	return &physical.ScriptTransform{Script: text, Field: ",", Null: `\N`, OutField: ",", OutNull: `\N`,
		Out: []physical.Column{{Name: "a", Type: types.StringType, Null: true}, {Name: "b", Type: types.StringType, Null: true}},
		As:  []*types.Type{types.StringType, types.StringType}}
}

func scriptCase(text string, in table, want rows) opCase {
	return opCase{inputs: []table{in}, ordered: true, want: want,
		build: func(in []Operator) (Operator, error) { return NewScript(in[0], scriptNode(text)), nil }}
}

func TestScript(t *testing.T) {
	in := table{schema: []*types.Type{types.StringType, types.StringType}}
	for i := range 7 {
		in.rows = append(in.rows, []any{fmt.Sprint(i), nil})
	}
	runCase(t, scriptCase("cat", in, in.rows))
	runCase(t, scriptCase("head -n 2", in, in.rows[:2]))
	runCase(t, scriptCase("wc -l | tr -d ' '", in, rows{{"7", nil}}))
	runCase(t, scriptCase("cat", table{schema: in.schema}, nil))
	failing := scriptCase("cat > /dev/null; echo why >&2; exit 5", in, nil)
	failing.err = "5"
	runCase(t, failing)
}

// More than the pipes hold goes both ways, and nobody waits for the other.
func TestScriptMuch(t *testing.T) {
	in := table{schema: []*types.Type{types.StringType, types.StringType}}
	for i := range 20000 {
		in.rows = append(in.rows, []any{fmt.Sprint(i), strings.Repeat("x", 60)})
	}
	c := scriptCase("cat", in, in.rows)
	c.sizes = []int{8192}
	runCase(t, c)
	c = scriptCase("head -n 1; cat > /dev/null", in, in.rows[:1])
	c.sizes = []int{8192}
	runCase(t, c)
}

// A task that waits for a script has given its slot back, and can be killed.
func TestScriptWaitsWithoutSlot(t *testing.T) {
	in := table{schema: []*types.Type{types.StringType}, rows: rows{{"x"}}}
	note := filepath.Join(t.TempDir(), "pid")
	o := NewScript(&source{table: in, size: 1}, scriptNode("sleep 1000 & echo $! > '"+note+"'; wait"))
	x := task.New(task.Info{}, &task.Conf{BatchRows: 8}, mem.NewPool(0).NewAccount("t"), func(c *task.Ctx) error {
		defer o.Close()
		if err := o.Open(c); err != nil {
			return err
		}
		_, err := o.Next(c)
		return err
	})
	for range 3 { // the row goes to the script, then there is nothing but to wait
		if e := x.Resume(); e.Kind != task.Blocked {
			t.Fatalf("event %v, want a task that gave its slot back", e)
		} else if !wakes(e.Wake) {
			break
		}
	}
	x.Kill()
	start := time.Now()
	e := x.Resume()
	if e.Kind == task.Blocked || !errors.Is(e.Err, task.ErrKilled) && !errors.Is(e.Err, context.Canceled) {
		t.Errorf("after the kill: %+v", e)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("the script lived on for %v", d)
	}
	pid, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); alive(strings.TrimSpace(string(pid))); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a process that the script had started lives on")
		}
	}
}

// alive reports whether a process runs; one that has ended, and whose parent hasn't asked for it, doesn't.
func alive(pid string) bool {
	out, err := exec.Command("ps", "-o", "stat=", "-p", pid).Output()
	return err == nil && !strings.HasPrefix(strings.TrimSpace(string(out)), "Z")
}

func wakes(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	case <-time.After(300 * time.Millisecond):
		return false
	}
}
