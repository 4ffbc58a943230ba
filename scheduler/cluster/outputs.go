package cluster

import (
	"maps"
	"slices"
	"sync/atomic"

	"neptune/scheduler/core"
	"neptune/scheduler/policy"
	"neptune/scheduler/stagegraph"
)

// Place is where the rows are that one task of a stage wrote.
type Place struct {
	Writer   int // partition of the task
	Executor policy.ExecutorID
	Addr     string // of the executor's exchange service
}

// Sources is where the rows of a stage's inputs are, by Exchange.ID. It doesn't
// change; tasks that have the same places share one.
type Sources struct {
	ID        int64 // unique in this process
	Exchanges map[int][]Place
}

// FetchFailure names rows that can't be read: those of an exchange on an executor.
type FetchFailure struct {
	Exchange int // id
	Executor policy.ExecutorID
}

// Exchanger is an Executor whose rows others can read.
type Exchanger interface {
	// Addr is what they dial.
	Addr() string
}

// Reserved is an Executor that may be for those stages alone whose home it is.
type Reserved interface{ Reserved() bool }

// Drainer is an Executor that wants to know when, after Drain, it runs nothing any more.
type Drainer interface{ Drained() }

// output is what one task of a stage left behind.
type output struct {
	executor policy.ExecutorID // "": not there yet, or lost
	sizes    []int64           // Status.Sizes
}

// ending is a task's end on its way to the core.
type ending struct {
	job          *running
	stage, index int
	output       output
	notes        any
}

var sourcesID atomic.Int64

// settle notes the outputs of tasks that the core is about to hear of, in the
// core's order: of two attempts that both finished, both take the same.
func (d *Driver) settle(batch []core.Event) {
	var told []ending
	d.mu.Lock()
	for _, ev := range batch {
		c, ok := ev.(core.TaskChanged)
		if !ok || c.State != core.Finished {
			continue
		}
		e, ok := d.ends[c.Task]
		if !ok {
			continue
		}
		delete(d.ends, c.Task)
		list := e.job.outputs[e.stage]
		if e.index >= len(list) || list[e.index].executor != "" {
			continue
		}
		if d.executors[e.output.executor] != nil {
			list[e.index] = e.output
		}
		e.job.sources = nil
		told = append(told, e)
	}
	d.mu.Unlock()
	for _, e := range told {
		if e.job.Noted != nil && e.notes != nil {
			e.job.Noted(e.stage, e.index, e.output.executor, e.notes)
		}
	}
}

// lost forgets outputs that are to be made again. The driver's lock is held.
func (j *running) lost(stage int, indexes []int) {
	for _, i := range indexes {
		if i < len(j.outputs[stage]) {
			j.outputs[stage][i] = output{}
		}
	}
	j.sources = nil
}

// sourcesOf is where the inputs of a stage are now. The driver's lock is held.
func (d *Driver) sourcesOf(j *running, s *stagegraph.Stage) *Sources {
	if !j.Spread {
		return nil
	}
	if out := j.sources[s.ID]; out != nil {
		return out
	}
	out := &Sources{ID: sourcesID.Add(1), Exchanges: map[int][]Place{}}
	for _, p := range s.Parents {
		places := []Place{}
		for i, o := range j.outputs[p] {
			if x, ok := d.executors[o.executor].(Exchanger); ok {
				places = append(places, Place{Writer: i, Executor: o.executor, Addr: x.Addr()})
			}
		}
		out.Exchanges[j.Graph.Stages[p].Output.ID] = places
	}
	if j.sources == nil {
		j.sources = map[int]*Sources{}
	}
	j.sources[s.ID] = out
	return out
}

// fetch says of a failure which stage wrote the rows.
func (j *running) fetch(f *FetchFailure) *core.FetchFailure {
	if f == nil {
		return nil
	}
	for _, s := range j.Graph.Stages {
		if s.Output != nil && s.Output.ID == f.Exchange {
			return &core.FetchFailure{Stage: s.ID, Executor: f.Executor}
		}
	}
	return nil
}

// written is stagegraph.Sizes of a job. The driver's lock is held.
func (j *running) written(stage int) [][]int64 {
	var list [][]int64
	for _, o := range j.outputs[stage] {
		if o.executor == "" || o.sizes == nil {
			return nil
		}
		list = append(list, o.sizes)
	}
	return list
}

// Lost says that an executor is gone, and all that it had. Its tasks and the
// outputs that somebody still reads are run again elsewhere.
func (d *Driver) Lost(id policy.ExecutorID) {
	d.mu.Lock()
	if d.executors[id] == nil {
		d.mu.Unlock()
		return
	}
	delete(d.executors, id)
	var ended []Event
	for _, task := range slices.Sorted(maps.Keys(d.tasks)) {
		l := d.tasks[task]
		if l.executor != id {
			continue
		}
		delete(d.tasks, task)
		l.count(-1)
		ended = append(ended, Event{Kind: TaskEnded, Query: l.job.Query, Job: int64(l.job.id), Stage: l.stage, Task: int64(task), Index: l.index, Attempt: l.attempt,
			Executor: id, Priority: l.job.Priority, State: core.Killed, Err: core.ExecutorLostError{ID: id}})
	}
	d.mu.Unlock()
	for _, ev := range ended {
		d.tell(ev)
	}
	d.tell(Event{Kind: ExecutorRemoved, Executor: id})
	d.post(core.ExecutorLost{ID: id})
}

// Drain gives an executor nothing new. When what it runs has ended it hears of
// that (Drainer); what it wrote may still be read until Holds says otherwise.
func (d *Driver) Drain(id policy.ExecutorID) { d.post(core.ExecutorDraining{ID: id}) }

// Holds reports whether an executor has rows that a job under way may ask for.
func (d *Driver) Holds(id policy.ExecutorID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, j := range d.jobs {
		for _, s := range j.Graph.Stages {
			if s.Output == nil {
				continue
			}
			for _, o := range j.outputs[s.ID] {
				if o.executor == id {
					return true
				}
			}
		}
	}
	return false
}

// count adds a task to the progress of its stage, or takes it away. The driver's lock is held.
func (l *live) count(by int) {
	p := &l.job.stages[l.stage]
	switch l.state {
	case core.Running, core.Launching:
		p.Running += by
	case core.Suspended:
		p.Suspended += by
	case core.Finished:
		p.Completed += by
	}
}
