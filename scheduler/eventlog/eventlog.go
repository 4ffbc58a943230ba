// Package eventlog writes what jobs, stages and tasks do to files, as the
// history server of Spark reads them (JsonProtocol.scala and
// EventLogFileWriters.scala: a rolling log, version 2). What Spark has no event
// for, suspension, is in events of our own, whose names begin with Neptune;
// Spark's reader passes over names that it doesn't know.
package eventlog

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"neptune/scheduler/cluster"
	"neptune/scheduler/core"
)

// Config says what a log is of.
type Config struct {
	Dir         string // must exist
	App         string // id of the application, part of file names
	Name, User  string
	Version     string // of Spark, that the reader takes the events for
	MaxFileSize int64
	Host        func(executor string) string
	// Properties describes a job: its SQL text, job type and so on; nil: none.
	Properties func(query string) map[string]string
	// Failed is called once if the log can't be written; it then ends.
	Failed func(error)
}

// Log is an event log. Its methods are safe for concurrent use.
type Log struct {
	conf   Config
	dir    string
	mu     sync.Mutex
	queue  []cluster.Event
	wake   chan struct{}
	stop   chan struct{}
	done   chan struct{}
	file   *os.File
	out    *bufio.Writer
	size   int64
	number int

	stages map[int64]int // of a job, the id of its first stage
	next   int
	tasks  map[int64]*taskInfo
	open   map[int]*stageInfo
	opened time.Time
	props  map[int64]map[string]string
}

type taskInfo struct {
	ID        int64  `json:"Task ID"`
	Index     int    `json:"Index"`
	Attempt   int    `json:"Attempt"`
	Partition int    `json:"Partition ID"`
	Launch    int64  `json:"Launch Time"`
	Executor  string `json:"Executor ID"`
	Host      string `json:"Host"`
	Locality  string `json:"Locality"`
	Spec      bool   `json:"Speculative"`
	Getting   int64  `json:"Getting Result Time"`
	Finish    int64  `json:"Finish Time"`
	Failed    bool   `json:"Failed"`
	Killed    bool   `json:"Killed"`
	Acc       []any  `json:"Accumulables"`

	suspended int
}

type stageInfo struct {
	ID        int    `json:"Stage ID"`
	Attempt   int    `json:"Stage Attempt ID"`
	Name      string `json:"Stage Name"`
	Tasks     int    `json:"Number of Tasks"`
	RDD       []any  `json:"RDD Info"`
	Parents   []int  `json:"Parent IDs"`
	Details   string `json:"Details"`
	Submitted int64  `json:"Submission Time,omitempty"`
	Completed int64  `json:"Completion Time,omitempty"`
	Acc       []any  `json:"Accumulables"`
	Profile   int    `json:"Resource Profile Id"`
}

// Open begins a log: a folder eventlog_v2_<app> in conf.Dir.
func Open(conf Config) (*Log, error) {
	if info, err := os.Stat(conf.Dir); err != nil {
		return nil, fmt.Errorf("the folder of the event log: %w", err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("the event log's %s is no folder", conf.Dir)
	}
	l := &Log{conf: conf, dir: filepath.Join(conf.Dir, "eventlog_v2_"+conf.App), wake: make(chan struct{}, 1), stop: make(chan struct{}),
		done: make(chan struct{}), stages: map[int64]int{}, tasks: map[int64]*taskInfo{}, open: map[int]*stageInfo{}, opened: time.Now(),
		props: map[int64]map[string]string{}}
	if err := os.Mkdir(l.dir, 0o770); err != nil {
		return nil, err
	}
	if err := os.WriteFile(l.mark(true), nil, 0o660); err != nil {
		return nil, err
	}
	if err := l.roll(); err != nil {
		return nil, err
	}
	now := l.opened.UnixMilli()
	err := errors.Join(
		l.write(map[string]any{"Event": "SparkListenerLogStart", "Spark Version": conf.Version}),
		l.write(map[string]any{"Event": "SparkListenerApplicationStart", "App Name": conf.Name, "App ID": conf.App, "Timestamp": now, "User": conf.User}),
		l.out.Flush())
	if err != nil {
		return nil, errors.Join(err, l.file.Close())
	}
	go l.run()
	return l, nil
}

func (l *Log) mark(inProgress bool) string {
	p := filepath.Join(l.dir, "appstatus_"+l.conf.App)
	if inProgress {
		p += ".inprogress"
	}
	return p
}

// Add takes an event. It never waits for the disk.
func (l *Log) Add(ev cluster.Event) {
	var p map[string]string
	if ev.Kind == cluster.JobStarted && l.conf.Properties != nil {
		p = l.conf.Properties(ev.Query) // now: later the job may be forgotten
	}
	l.mu.Lock()
	if p != nil {
		l.props[ev.Job] = p
	}
	l.queue = append(l.queue, ev)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Close writes what is left, and marks the log complete.
func (l *Log) Close() error {
	close(l.stop)
	<-l.done
	if l.file == nil {
		return nil // it failed before, and said so
	}
	err := errors.Join(l.write(map[string]any{"Event": "SparkListenerApplicationEnd", "Timestamp": time.Now().UnixMilli()}), l.out.Flush(), l.file.Close())
	if err != nil {
		return err
	}
	return os.Rename(l.mark(true), l.mark(false))
}

func (l *Log) run() {
	defer close(l.done)
	for last := false; !last; {
		select {
		case <-l.wake:
			// Many events in one write: a reader sees them a little later.
			select {
			case <-time.After(100 * time.Millisecond):
			case <-l.stop:
				last = true
			}
		case <-l.stop:
			last = true
		}
		l.mu.Lock()
		list := l.queue
		l.queue = nil
		l.mu.Unlock()
		if l.file == nil {
			continue
		}
		var err error
		for i := 0; i < len(list) && err == nil; i++ {
			err = l.event(list[i])
		}
		if err == nil && len(list) > 0 {
			err = l.out.Flush()
		}
		if err == nil && l.size > l.conf.MaxFileSize {
			err = l.roll()
		}
		if err != nil {
			err = errors.Join(err, l.file.Close())
			l.file = nil
			l.conf.Failed(err)
		}
	}
}

// roll goes on in a new file.
func (l *Log) roll() error {
	if l.file != nil {
		if err := errors.Join(l.out.Flush(), l.file.Close()); err != nil {
			return err
		}
	}
	l.number++
	f, err := os.OpenFile(filepath.Join(l.dir, fmt.Sprintf("events_%d_%s", l.number, l.conf.App)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o660)
	if err != nil {
		return err
	}
	l.file, l.out, l.size = f, bufio.NewWriterSize(f, 64<<10), 0
	return nil
}

// write writes an event. Its name comes first in the line: the history server
// tells the events that it wants by how lines begin.
func (l *Log) write(v map[string]any) error {
	name, err := json.Marshal(v["Event"])
	if err != nil {
		return err
	}
	delete(v, "Event")
	rest, err := json.Marshal(v)
	if err != nil {
		return err
	}
	raw := append([]byte(`{"Event":`), name...)
	if len(v) > 0 {
		raw = append(raw, ',')
	}
	raw = append(raw, rest[1:]...)
	l.size += int64(len(raw)) + 1
	if _, err := l.out.Write(raw); err != nil {
		return err
	}
	return l.out.WriteByte('\n')
}

func (l *Log) properties(ev cluster.Event) map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.props[ev.Job]; p != nil {
		return p
	}
	return map[string]string{}
}

// event writes an event; some of ours are none of Spark's, and some of Spark's two of ours.
func (l *Log) event(ev cluster.Event) error {
	at := ev.Time.UnixMilli()
	stage := l.stages[ev.Job] + ev.Stage
	switch ev.Kind {
	case cluster.ExecutorAdded:
		return l.write(map[string]any{"Event": "SparkListenerExecutorAdded", "Timestamp": at, "Executor ID": string(ev.Executor),
			"Executor Info": map[string]any{"Host": l.conf.Host(string(ev.Executor)), "Total Cores": ev.Tasks, "Log Urls": map[string]string{}, "Attributes": map[string]string{},
				"Resources": map[string]string{}, "Resource Profile Id": 0}})
	case cluster.ExecutorRemoved:
		reason := ""
		if ev.Err != nil {
			reason = ev.Err.Error()
		}
		return l.write(map[string]any{"Event": "SparkListenerExecutorRemoved", "Timestamp": at, "Executor ID": string(ev.Executor), "Removed Reason": reason})
	case cluster.JobStarted:
		l.stages[ev.Job] = l.next
		ids, infos := []int{}, []*stageInfo{}
		for i := range ev.Tasks {
			ids, infos = append(ids, l.next+i), append(infos, l.stage(l.next+i, ev.Query, 0))
		}
		l.next += ev.Tasks
		return l.write(map[string]any{"Event": "SparkListenerJobStart", "Job ID": ev.Job, "Submission Time": at, "Stage Infos": infos, "Stage IDs": ids, "Properties": l.properties(ev)})
	case cluster.JobEnded:
		result := map[string]any{"Result": "JobSucceeded"}
		if ev.Err != nil {
			result = map[string]any{"Result": "JobFailed", "Exception": map[string]any{"Message": ev.Err.Error(), "Stack Trace": []any{}}}
		}
		delete(l.stages, ev.Job)
		l.mu.Lock()
		delete(l.props, ev.Job)
		l.mu.Unlock()
		return l.write(map[string]any{"Event": "SparkListenerJobEnd", "Job ID": ev.Job, "Completion Time": at, "Job Result": result})
	case cluster.StageStarted:
		s := l.stage(stage, ev.Query, ev.Tasks)
		s.Submitted = at
		l.open[stage] = s
		err := l.write(map[string]any{"Event": "SparkListenerStageSubmitted", "Stage Info": s, "Properties": l.properties(ev)})
		if err == nil && ev.Note != "" {
			err = l.write(map[string]any{"Event": "NeptuneStagePlanned", "Timestamp": at, "Stage ID": stage, "Change": ev.Note})
		}
		return err
	case cluster.StageEnded:
		s := l.open[stage]
		if s == nil {
			s = l.stage(stage, ev.Query, ev.Tasks)
		}
		delete(l.open, stage)
		s.Completed = at
		return l.write(map[string]any{"Event": "SparkListenerStageCompleted", "Stage Info": s})
	case cluster.StageRepeats:
		return l.write(map[string]any{"Event": "NeptuneStageRepeats", "Timestamp": at, "Stage ID": stage, "Number of Tasks": ev.Tasks})
	case cluster.TaskLaunched:
		t := &taskInfo{ID: ev.Task, Index: ev.Index, Attempt: ev.Attempt, Partition: ev.Index, Launch: at, Executor: string(ev.Executor),
			Host: l.conf.Host(string(ev.Executor)), Locality: "PROCESS_LOCAL", Acc: []any{}}
		l.tasks[ev.Task] = t
		return l.write(map[string]any{"Event": "SparkListenerTaskStart", "Stage ID": stage, "Stage Attempt ID": 0, "Task Info": t})
	case cluster.TaskEnded:
		t := l.tasks[ev.Task]
		if t == nil {
			return nil
		}
		delete(l.tasks, ev.Task)
		t.Finish = at
		end := map[string]any{"Reason": "Success"}
		switch {
		case ev.State == core.Killed:
			t.Killed = true
			end = map[string]any{"Reason": "TaskKilled", "Kill Reason": text(ev.Err), "Accumulator Updates": []any{}}
		case ev.State == core.Failed:
			t.Failed = true
			end = map[string]any{"Reason": "ExceptionFailure", "Class Name": fmt.Sprintf("%T", ev.Err), "Description": text(ev.Err), "Stack Trace": []any{},
				"Full Stack Trace": text(ev.Err), "Accumulator Updates": []any{}}
		}
		return l.write(map[string]any{"Event": "SparkListenerTaskEnd", "Stage ID": stage, "Stage Attempt ID": 0, "Task Type": "ResultTask", "Task End Reason": end,
			"Task Info": t, "Task Executor Metrics": map[string]any{}, "Neptune Suspensions": t.suspended})
	case cluster.TaskSuspended:
		if t := l.tasks[ev.Task]; t != nil {
			t.suspended++
		}
		return l.write(map[string]any{"Event": "NeptuneTaskSuspended", "Timestamp": at, "Stage ID": stage, "Task ID": ev.Task, "Executor ID": string(ev.Executor),
			"For Task ID": ev.By, "For Query": ev.ByQuery, "For Priority": ev.ByPriority, "Reason": ev.Reason, "Priority": ev.Priority,
			"Retained MB": ev.RetainedMB, "Latency Nanos": ev.Latency.Nanoseconds()})
	case cluster.TaskResumed:
		return l.write(map[string]any{"Event": "NeptuneTaskResumed", "Timestamp": at, "Stage ID": stage, "Task ID": ev.Task, "Executor ID": string(ev.Executor),
			"Suspended Nanos": ev.Away.Nanoseconds(), "Latency Nanos": ev.Latency.Nanoseconds()})
	case cluster.TaskBlocked:
		return l.write(map[string]any{"Event": "NeptuneTaskBlocked", "Timestamp": at, "Stage ID": stage, "Task ID": ev.Task, "Executor ID": string(ev.Executor)})
	}
	return nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (l *Log) stage(id int, query string, tasks int) *stageInfo {
	return &stageInfo{ID: id, Name: "stage of " + query, Tasks: tasks, RDD: []any{}, Parents: []int{}, Acc: []any{}}
}
