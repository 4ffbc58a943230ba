package sidecar

import (
	"errors"
	"time"

	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/task"
	"neptune/connect/session"
	"neptune/internal/errs"
	"neptune/scheduler/cluster"
	"neptune/scheduler/control/controlpb"
	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// What goes between the driver and executors beside stages: a query's
// configuration, what tasks note, and errors.
type (
	queryWire struct {
		Zone          string // as session.LoadTimeZone knows it
		ANSI          bool
		CaseSensitive bool
		BatchRows     int
		Keys          map[string]string
		Every         int
		Slots         int
		Count         bool // the rows of scans
	}
	errorWire struct {
		Class     errs.Class
		Condition string
		State     string
		Params    map[string]string
		Context   *errs.Origin
		Text      string
		Cause     string // what it says
	}
)

// fingerprint is of all that crosses.
func fingerprint() uint64 { return wire.Fingerprint(queryWire{}, errorWire{}, taskNotes{}) }

func encodeQuery(p *payload) ([]byte, error) {
	return wire.Marshal(&queryWire{Zone: p.zone, ANSI: p.conf.ANSI, CaseSensitive: p.conf.CaseSensitive, BatchRows: p.conf.BatchRows, Keys: p.conf.Keys,
		Every: p.every, Slots: p.slots, Count: p.stats != nil})
}

// decodeQuery returns a query's configuration; its spilled data goes to dir.
func decodeQuery(data []byte, dir string) (q queryWire, c *task.Conf, err error) {
	if err := wire.Unmarshal(data, &q, nil); err != nil {
		return q, nil, err
	}
	zone := time.UTC
	if q.Zone != "" {
		if zone, err = session.LoadTimeZone(q.Zone); err != nil {
			return q, nil, err
		}
	}
	return q, &task.Conf{TimeZone: zone, ANSI: q.ANSI, CaseSensitive: q.CaseSensitive, BatchRows: q.BatchRows, SpillDir: dir, Keys: q.Keys}, nil
}

func encodeError(err error) []byte {
	x, ok := errs.As(err)
	if !ok {
		x = errs.Internalf("%v", err).Because(err)
	}
	w := errorWire{Class: x.Class, Condition: x.Condition, State: x.State, Params: x.Params, Context: x.Context, Text: x.Text}
	if x.Cause != nil {
		w.Cause = x.Cause.Error()
	}
	raw, e := wire.Marshal(&w)
	if e != nil {
		raw, _ = wire.Marshal(&errorWire{Condition: "INTERNAL_ERROR", Params: map[string]string{"message": err.Error()}})
	}
	return raw
}

func decodeError(raw []byte) error {
	var w errorWire
	if err := wire.Unmarshal(raw, &w, nil); err != nil {
		return errs.Internalf("an executor's error can't be read: %v", err)
	}
	x := &errs.Error{Class: w.Class, Condition: w.Condition, State: w.State, Params: w.Params, Context: w.Context, Text: w.Text}
	if w.Cause != "" {
		x.Cause = errors.New(w.Cause)
	}
	return x
}

var toState = map[core.TaskState]controlpb.State{core.Launching: controlpb.State_LAUNCHING, core.Running: controlpb.State_RUNNING, core.Suspended: controlpb.State_SUSPENDED,
	core.Blocked: controlpb.State_BLOCKED, core.Finished: controlpb.State_FINISHED, core.Failed: controlpb.State_FAILED, core.Killed: controlpb.State_KILLED}

var fromState = func() map[controlpb.State]core.TaskState {
	m := map[controlpb.State]core.TaskState{}
	for k, v := range toState {
		m[v] = k
	}
	return m
}()

func encodeStatus(s cluster.Status) *controlpb.Status {
	out := &controlpb.Status{Task: s.Task, State: toState[s.State], Bytes: s.Bytes, LatencyNs: int64(s.Latency), By: s.By, RetainedMb: s.RetainedMB, Retry: s.Retry, Sizes: s.Sizes}
	if s.Err != nil && s.State == core.Failed {
		out.Error = encodeError(s.Err)
	}
	if s.Fetch != nil {
		out.Fetch = &controlpb.FetchFailure{Exchange: int32(s.Fetch.Exchange), Executor: string(s.Fetch.Executor)}
	}
	if n, ok := s.Notes.(*taskNotes); ok && n != nil {
		raw, err := wire.Marshal(n)
		if err != nil {
			out.State, out.Error = controlpb.State_FAILED, encodeError(err)
		}
		out.Notes = raw
	}
	return out
}

func decodeStatus(by policy.ExecutorID, s *controlpb.Status) cluster.Status {
	out := cluster.Status{Task: s.Task, State: fromState[s.State], Bytes: s.Bytes, Latency: time.Duration(s.LatencyNs), By: s.By, RetainedMB: s.RetainedMb, Retry: s.Retry, Sizes: s.Sizes, Executor: by}
	if s.Error != nil {
		out.Err = decodeError(s.Error)
	}
	if s.Fetch != nil {
		out.Fetch = &cluster.FetchFailure{Exchange: int(s.Fetch.Exchange), Executor: policy.ExecutorID(s.Fetch.Executor)}
	}
	if s.Notes != nil {
		n := &taskNotes{}
		if err := wire.Unmarshal(s.Notes, n, nil); err != nil {
			out.State, out.Err = core.Failed, errs.Internalf("what a task noted can't be read: %v", err)
		} else {
			out.Notes = n
		}
	}
	return out
}
