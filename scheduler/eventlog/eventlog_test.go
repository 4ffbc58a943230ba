package eventlog

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"neptune/scheduler/cluster"
	"neptune/scheduler/core"
)

func config(t *testing.T) Config {
	return Config{Dir: t.TempDir(), App: "app-1", Name: "test", User: "me", Version: "4.3.0", MaxFileSize: 1 << 20,
		Host: func(string) string { return "here" }, Failed: func(err error) { t.Error(err) },
		Properties: func(q string) map[string]string { return map[string]string{"spark.job.description": "text of " + q} }}
}

func lines(t *testing.T, dir string) (out []map[string]any) {
	files, err := filepath.Glob(filepath.Join(dir, "eventlog_v2_app-1", "events_*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
			if line == "" {
				continue
			}
			if !strings.HasPrefix(line, `{"Event":"`) {
				t.Errorf("the history server would pass over %s", line)
			}
			m := map[string]any{}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			out = append(out, m)
		}
	}
	return out
}

func TestLog(t *testing.T) {
	conf := config(t)
	l, err := Open(conf)
	if err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(1700000000000)
	for _, ev := range []cluster.Event{
		{Kind: cluster.ExecutorAdded, Executor: "driver", Tasks: 2},
		{Kind: cluster.JobStarted, Job: 1, Query: "q1", Tasks: 2},
		{Kind: cluster.StageStarted, Job: 1, Query: "q1", Tasks: 1},
		{Kind: cluster.TaskLaunched, Job: 1, Task: 7, Executor: "driver"},
		{Kind: cluster.TaskSuspended, Job: 1, Task: 7, Executor: "driver", By: 9, Latency: 50 * time.Microsecond},
		{Kind: cluster.TaskResumed, Job: 1, Task: 7, Executor: "driver", Latency: time.Microsecond},
		{Kind: cluster.TaskEnded, Job: 1, Task: 7, State: core.Finished},
		{Kind: cluster.StageEnded, Job: 1},
		{Kind: cluster.JobStarted, Job: 2, Query: "q2", Tasks: 1},
		{Kind: cluster.StageStarted, Job: 1, Stage: 1, Tasks: 1},
		{Kind: cluster.TaskLaunched, Job: 1, Stage: 1, Task: 8},
		{Kind: cluster.TaskEnded, Job: 1, Stage: 1, Task: 8, State: core.Failed, Err: errors.New("why")},
		{Kind: cluster.JobEnded, Job: 1, Err: errors.New("why")},
		{Kind: cluster.StageStarted, Job: 2, Tasks: 3},
	} {
		ev.Time = at
		l.Add(ev)
	}
	mark := filepath.Join(conf.Dir, "eventlog_v2_app-1", "appstatus_app-1")
	if _, err := os.Stat(mark + ".inprogress"); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mark); err != nil {
		t.Error(err)
	}
	got := lines(t, conf.Dir)
	var names []string
	for _, m := range got {
		names = append(names, strings.TrimPrefix(m["Event"].(string), "SparkListener"))
	}
	want := "LogStart ApplicationStart ExecutorAdded JobStart StageSubmitted TaskStart NeptuneTaskSuspended NeptuneTaskResumed TaskEnd StageCompleted " +
		"JobStart StageSubmitted TaskStart TaskEnd JobEnd StageSubmitted ApplicationEnd"
	if g := strings.Join(names, " "); g != want {
		t.Errorf("got  %s\nwant %s", g, want)
	}
	if p := got[3]["Properties"].(map[string]any); p["spark.job.description"] != "text of q1" {
		t.Errorf("properties %v", p)
	}
	if n := got[6]["Latency Nanos"]; n != 50000.0 || got[6]["For Task ID"] != 9.0 {
		t.Errorf("%v", got[6])
	}
	// Stages are numbered through the application.
	if s := got[15]["Stage Info"].(map[string]any); s["Stage ID"] != 2.0 || s["Number of Tasks"] != 3.0 {
		t.Errorf("%v", s)
	}
	if r := got[13]["Task End Reason"].(map[string]any); r["Reason"] != "ExceptionFailure" || r["Description"] != "why" {
		t.Errorf("%v", r)
	}
}

func TestRoll(t *testing.T) {
	conf := config(t)
	conf.MaxFileSize = 1000
	l, err := Open(conf)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		l.Add(cluster.Event{Kind: cluster.TaskSuspended, Task: int64(i)})
		for range 20 {
			l.Add(cluster.Event{Kind: cluster.TaskResumed, Task: int64(i)})
		}
		for n := 0; n == 0 || n > 0 && len(l.drained()) > 0; n++ {
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(150 * time.Millisecond)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(conf.Dir, "*", "events_*"))
	if len(files) < 2 {
		t.Errorf("one file: %v", files)
	}
	if n := len(lines(t, conf.Dir)); n != 3+63 {
		t.Errorf("%d lines", n)
	}
}

func (l *Log) drained() []cluster.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue
}

func TestBadFolder(t *testing.T) {
	conf := config(t)
	conf.Dir = filepath.Join(conf.Dir, "none")
	if _, err := Open(conf); err == nil || !strings.Contains(err.Error(), "event log") {
		t.Error(err)
	}
}
