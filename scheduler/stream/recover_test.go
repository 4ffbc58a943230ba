package stream

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"neptune/internal/errs"
)

func TestTheSlowestWatermarkCounts(t *testing.T) {
	q := &Query{operators: 2, marks: map[int]int64{}}
	steps := []struct {
		stats []EventTime
		want  int64
	}{
		{[]EventTime{{Operator: 1, Max: 50, DelayMs: 10, Count: 1}}, 0}, // of the other nothing is known yet
		{[]EventTime{{Operator: 0, Max: 30, DelayMs: 10, Count: 1}}, 20},
		{[]EventTime{{Operator: 0, Max: 90, DelayMs: 10, Count: 1}}, 40},
		{[]EventTime{{Operator: 0, Max: 10, DelayMs: 10, Count: 1}, {Operator: 1, Max: 5, DelayMs: 10, Count: 1}}, 40},
		{nil, 40},
	}
	now := int64(0)
	for i, s := range steps {
		if now = q.advance(now, s.stats); now != s.want {
			t.Errorf("step %d: the watermark is %d, not %d", i, now, s.want)
		}
	}
	q.FastestWatermark = true
	if got := q.advance(now, nil); got != 80 {
		t.Errorf("the fastest is %d", got)
	}
}

func TestDamagedLogsAreNamed(t *testing.T) {
	for name, content := range map[string]string{"offsets/1": "v1\n{", "commits/1": "v1\nx", "metadata": "x", "offsets/2": "v1\n", "sources/0/0": "v1\nx"} {
		dir, cp := t.TempDir(), t.TempDir()
		run := func() error {
			q, err := Start(Config{Plan: relation(folderDef(t, dir, nil)), Runner: &recorder{}, Checkpoint: cp, Trigger: Available, FreshID: "fresh"})
			if err != nil {
				return err
			}
			<-q.Done()
			return q.Err()
		}
		for _, file := range []string{"a", "b"} {
			touch(t, dir, file)
			if err := run(); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(cp, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		err := run()
		x, ok := errs.As(err)
		if !ok || x.Condition != "MALFORMED_LOG_FILE" || !strings.Contains(err.Error(), filepath.Join(cp, name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSettingsOfTheFirstRunAreKept(t *testing.T) {
	dir, cp := t.TempDir(), t.TempDir()
	var last string
	for _, n := range []string{"3", "7"} {
		touch(t, dir, "f"+n)
		r := &recorder{}
		q := start(t, Config{Plan: relation(folderDef(t, dir, nil)), Runner: r, Checkpoint: cp, Trigger: Available,
			Conf: map[string]string{"spark.sql.shuffle.partitions": n}})
		<-q.Done()
		if err := q.Stop(context.Background()); err != nil || len(r.batches) != 1 {
			t.Fatal(err, len(r.batches))
		}
		last = r.batches[0].Conf["spark.sql.shuffle.partitions"]
	}
	if last != "3" {
		t.Errorf("the second run has %s", last)
	}
}
