package sidecar

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/google/uuid"
	dto "github.com/prometheus/client_model/go"

	"neptune/conf"
	"neptune/connect/server"
	"neptune/scheduler/cluster"
	"neptune/scheduler/eventlog"
	"neptune/scheduler/policy"
)

// jobMeta describes a job under way, for the status port and the event log.
type jobMeta struct {
	Type    string `json:"type"`
	Origin  string `json:"origin"` // of the type
	User    string `json:"user"`
	Session string `json:"session"`
	Text    string `json:"text"`
}

func metaOf(q *server.Query) jobMeta {
	m := jobMeta{Type: q.Job.String(), Origin: q.Job.Origin, Text: q.Text}
	if q.Session != nil {
		m.User, m.Session = q.Session.Key.User, q.Session.Key.ID
	}
	if len(m.Text) > 400 {
		m.Text = m.Text[:400]
	}
	return m
}

// properties are those of a job in the event log.
func (e *Engine) properties(query string) map[string]string {
	v, ok := e.metas.Load(query)
	if !ok {
		return nil
	}
	m := v.(jobMeta)
	return map[string]string{"spark.job.description": m.Text, "spark.jobGroup.id": query, "neptune.job.type": m.Type,
		"neptune.job.origin": m.Origin, "user": m.User, "spark.sql.session.id": m.Session}
}

// openEventLog begins the event log, if the configuration asks for one.
func (e *Engine) openEventLog(c *conf.Conf, log *slog.Logger) error {
	if !c.EventLog {
		return nil
	}
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	l, err := eventlog.Open(eventlog.Config{Dir: localPath(c.EventLogDir), Name: "neptune", User: name, Version: "4.3.0", MaxFileSize: c.EventLogSize,
		App:        fmt.Sprintf("app-%s-%s", time.Now().UTC().Format("20060102150405"), uuid.NewString()[:4]),
		Properties: e.properties,
		Host: func(id string) string {
			for _, x := range e.driver.Executors() {
				if x.ID == policy.ExecutorID(id) {
					return x.Host
				}
			}
			return ""
		},
		Failed: func(err error) { log.Error("the event log ended early", "error", err) }})
	if err != nil {
		return err
	}
	e.events = l
	for _, x := range e.driver.Executors() {
		l.Add(cluster.Event{Kind: cluster.ExecutorAdded, Time: time.Now(), Executor: x.ID, Tasks: x.Slots})
	}
	e.driver.Observe(l.Add)
	return nil
}

// The status as JSON: what `neptune top` shows.
type (
	statusJSON struct {
		Version   string         `json:"version"`
		Mode      string         `json:"mode"`
		Policy    string         `json:"policy"`
		Now       time.Time      `json:"now"`
		Started   time.Time      `json:"started"`
		Memory    memoryJSON     `json:"memory"`
		Suspend   latencyJSON    `json:"suspend"`
		Resume    latencyJSON    `json:"resume"`
		SlotTime  slotTimeJSON   `json:"slot_time"`
		Executors []executorJSON `json:"executors"`
		Jobs      []jobJSON      `json:"jobs"`
	}
	memoryJSON struct {
		Reserved       int64 `json:"reserved"`
		Limit          int64 `json:"limit"`
		Suspended      int64 `json:"suspended"`
		SuspendedLimit int64 `json:"suspended_limit"`
	}
	// slotTimeJSON is for how long tasks had slots, in seconds.
	slotTimeJSON struct {
		Stream float64 `json:"stream"`
		Batch  float64 `json:"batch"`
	}
	// latencyJSON are bounds of what a histogram holds, in seconds.
	latencyJSON struct {
		Count uint64  `json:"count"`
		P50   float64 `json:"p50"`
		P99   float64 `json:"p99"`
	}
	executorJSON struct {
		ID        string `json:"id"`
		Host      string `json:"host"`
		Slots     int    `json:"slots"`
		Running   int    `json:"running"`
		Suspended int    `json:"suspended"`
		Blocked   int    `json:"blocked"`
		// Reserved: it takes only what can't run elsewhere.
		Reserved bool `json:"reserved,omitempty"`
		// Of executors in processes of their own, as they last said:
		Draining bool        `json:"draining,omitempty"`
		Heard    *time.Time  `json:"heard,omitempty"`
		Exchange string      `json:"exchange,omitempty"`
		Memory   *memoryJSON `json:"memory,omitempty"`
		Spilled  int64       `json:"spilled,omitempty"`
		GC       float64     `json:"gc,omitempty"` // share of the CPU time
		// Tasks are those that the executor has: they hold a slot, wait for one, are blocked, or haven't begun.
		Tasks *[4]int32 `json:"tasks,omitempty"`
	}
	jobJSON struct {
		jobMeta
		Operation   string      `json:"operation"`
		Priority    int         `json:"priority"`
		Pool        string      `json:"pool,omitempty"`
		Seconds     float64     `json:"seconds"`
		Suspensions int64       `json:"suspensions"`
		Stages      []stageJSON `json:"stages"`
	}
	stageJSON struct {
		Tasks     int    `json:"tasks"`
		Completed int    `json:"completed"`
		Running   int    `json:"running"`
		Suspended int    `json:"suspended"`
		Bytes     int64  `json:"bytes"`
		Done      bool   `json:"done"`
		Replanned string `json:"replanned,omitempty"` // by adaptive execution
	}
)

// Version is what the server says it is; the main package sets it.
var Version = "dev"

func (e *Engine) status(started time.Time) statusJSON {
	now := time.Now()
	s := statusJSON{Version: Version, Mode: e.conf.Mode, Policy: e.conf.Policy, Now: now, Started: started, Executors: []executorJSON{}, Jobs: []jobJSON{},
		Suspend: latencyOf(e.metrics.SuspendSeconds), Resume: latencyOf(e.metrics.ResumeSeconds)}
	s.Memory.Reserved, _ = e.pool.Used()
	s.Memory.Limit = e.pool.Limit()
	s.Memory.Suspended, s.Memory.SuspendedLimit = e.pool.Parked()
	stream, batch := e.slotTime.total(now)
	s.SlotTime = slotTimeJSON{stream.Seconds(), batch.Seconds()}
	for _, x := range e.driver.Executors() {
		out := executorJSON{ID: string(x.ID), Host: x.Host, Slots: x.Slots, Running: x.Running, Suspended: x.Suspended, Blocked: x.Blocked, Reserved: x.Reserved}
		if e.executors != nil {
			e.executors.describe(&out)
		}
		s.Executors = append(s.Executors, out)
	}
	for _, j := range e.driver.Jobs() {
		out := jobJSON{Operation: j.Query, Priority: j.Priority, Pool: j.Pool, Seconds: now.Sub(j.Started).Seconds(), Suspensions: j.Suspensions, Stages: []stageJSON{}}
		if m, ok := e.metas.Load(j.Query); ok {
			out.jobMeta = m.(jobMeta)
		}
		for _, t := range j.Stages {
			out.Stages = append(out.Stages, stageJSON{t.Tasks, t.Completed, t.Running, t.Suspended, t.Bytes, t.Done, t.Note})
		}
		s.Jobs = append(s.Jobs, out)
	}
	return s
}

// latencyOf reads quantiles from a histogram: the upper bound of the bucket they are in.
func latencyOf(h interface{ Write(*dto.Metric) error }) (l latencyJSON) {
	var m dto.Metric
	if h.Write(&m) != nil || m.Histogram == nil {
		return l
	}
	l.Count = m.Histogram.GetSampleCount()
	at := func(q float64) float64 {
		for _, b := range m.Histogram.Bucket {
			if float64(b.GetCumulativeCount()) >= q*float64(l.Count) {
				return b.GetUpperBound()
			}
		}
		return 0
	}
	if l.Count > 0 {
		l.P50, l.P99 = at(0.5), at(0.99)
	}
	return l
}

// serveStatus answers /api/v1/neptune.
func (e *Engine) serveStatus() http.HandlerFunc {
	started := time.Now()
	return func(w http.ResponseWriter, _ *http.Request) {
		raw, err := json.Marshal(e.status(started))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(raw)))
		if _, err := w.Write(raw); err != nil && !os.IsTimeout(err) {
			e.log.Debug("status", "error", err)
		}
	}
}
