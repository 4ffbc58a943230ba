package virtual

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// run is a task on a virtual executor.
type run struct {
	core.Launch
	priority int
	work     Task
	left     time.Duration
	slot     int // -1: none
	began    time.Duration
	epoch    int // of its present run, so that old ends are ignored
	asked    bool
	killed   bool
	ran      bool
	parked   time.Duration
	seq      int64
	reports  int64
	hits     int
	over     bool
	paused   bool
	safe     time.Duration // no victim before then
	guard    time.Duration // to be safe for, from when it goes on
}

// executor does what arrowexec/worker does: a slot goes at the yield to the
// most critical task, among equals to the one suspended first, then to new ones.
type executor struct {
	Executor
	sim     *sim
	slots   []*run
	queue   []*run
	parked  []*run
	runs    map[policy.TaskID]*run
	killed  map[policy.TaskID]bool // told before their launch came
	dead    bool
	in, out time.Duration
	seq     int64
	used    float64 // MB
	spilled float64 // since the last heartbeat
	window  policy.Window
}

func newExecutor(s *sim, e Executor) *executor {
	return &executor{Executor: e, sim: s, slots: make([]*run, e.Slots), runs: map[policy.TaskID]*run{}, killed: map[policy.TaskID]bool{}, window: policy.Window{Size: 1}}
}

func (x *executor) launch(l core.Launch) {
	if x.runs[l.Task] != nil {
		return // delivered twice
	}
	x.seq++
	w := x.sim.jobs[l.Job-1].Stages[l.Stage].Tasks[l.Index]
	r := &run{Launch: l, priority: l.Priority, work: w, left: w.Work, slot: -1, seq: x.seq}
	x.runs[l.Task] = r
	if x.killed[l.Task] {
		x.end(r, core.Killed)
		return
	}
	x.queue = append(x.queue, r)
	for i := range x.slots {
		if x.slots[i] == nil {
			x.fill(i)
			return
		}
	}
	if l.Suspend {
		x.preempt(r)
	}
}

// preempt asks the best victim to yield.
func (x *executor) preempt(by *run) {
	var victim *run
	for _, v := range x.slots {
		if v == nil || v.asked || v.killed || x.sim.now < v.safe || v.priority <= by.priority {
			continue
		}
		if v.Task == by.Victim {
			victim = v
			break
		}
		if victim == nil || cmp.Or(cmp.Compare(v.priority, victim.priority), cmp.Compare(v.seq, victim.seq)) > 0 {
			victim = v
		}
	}
	if victim != nil {
		victim.asked = true
		x.yield(victim, func() { x.suspend(victim) })
	}
}

// yield lets a running task go on to its next yield point.
func (x *executor) yield(r *run, do func()) {
	wait := time.Duration(0)
	if x.sim.conf.Yield != nil {
		wait = x.sim.conf.Yield(x.sim.r)
	}
	epoch := r.epoch
	x.sim.at(x.sim.now+wait, func() {
		if !x.dead && r.epoch == epoch && r.slot >= 0 {
			do()
		}
	})
}

func (x *executor) suspend(r *run) {
	i := r.slot
	x.stop(r, false)
	r.parked = x.sim.now
	x.parked = append(x.parked, r)
	x.sim.res.Suspensions++
	r.hits++
	x.sim.res.MostSuspended = max(x.sim.res.MostSuspended, r.hits)
	x.report(r, core.Suspended)
	x.fill(i)
}

// block takes a task off its slot until what it waits for is there.
func (x *executor) block(r *run) {
	r.paused = true
	i := r.slot
	x.stop(r, false)
	x.report(r, core.Blocked)
	x.fill(i)
	x.sim.at(x.sim.now+r.work.Pause, func() {
		if x.dead || r.over {
			return
		}
		r.parked = x.sim.now
		x.parked = append(x.parked, r)
		for i := range x.slots {
			if x.slots[i] == nil {
				x.fill(i)
				return
			}
		}
		if x.sim.conf.Core.Mode == core.Neptune {
			x.preempt(r)
		}
	})
}

// stop takes r off its slot.
func (x *executor) stop(r *run, lost bool) {
	now := x.sim.now
	if x.sim.conf.Record && now > r.began {
		x.sim.res.Spans = append(x.sim.res.Spans, Span{x.ID, r.slot, int(r.Job) - 1, r.Stage, r.Index, r.began, now, lost})
	}
	r.left -= now - r.began
	x.slots[r.slot] = nil
	r.slot = -1
	r.epoch++
}

// fill gives slot i to whoever is next.
func (x *executor) fill(i int) {
	var best *run
	from := &x.queue
	better := func(a, b *run) bool {
		switch {
		case a.priority != b.priority:
			return x.preempts() && a.priority < b.priority || !x.preempts() && a.seq < b.seq
		case a.ran != b.ran:
			return a.ran
		case a.ran:
			return a.parked < b.parked
		}
		return a.seq < b.seq
	}
	for _, list := range []*[]*run{&x.parked, &x.queue} {
		for _, r := range *list {
			if best == nil || better(r, best) {
				best, from = r, list
			}
		}
	}
	if best == nil {
		return
	}
	*from = slices.DeleteFunc(*from, func(r *run) bool { return r == best })
	resumed := best.ran
	best.ran, best.asked, best.slot, best.began = true, false, i, x.sim.now
	x.slots[i] = best
	best.epoch++
	epoch := best.epoch
	until := best.left
	pause := best.work.Pause > 0 && !best.paused && best.left > best.work.Work/2
	if pause {
		until -= best.work.Work / 2
	}
	x.sim.at(x.sim.now+until, func() {
		switch {
		case x.dead || best.epoch != epoch:
		case pause:
			x.block(best)
		default:
			x.end(best, core.Finished)
		}
	})
	if resumed {
		if best.guard > 0 {
			x.shield(best, best.guard)
		}
		x.report(best, core.Running)
		return
	}
	x.hold(best.work.MemoryMB)
	res := &x.sim.res.Jobs[best.Job-1]
	if res.Started < 0 {
		res.Started = x.sim.now
	}
	if best.priority <= x.sim.stream {
		x.sim.res.StartDelays = append(x.sim.res.StartDelays, x.sim.now-x.sim.ready[[2]int{int(best.Job), best.Stage}])
	}
	x.report(best, core.Running)
}

func (x *executor) preempts() bool {
	return x.sim.conf.Core.Mode == core.Neptune || x.sim.conf.Core.Mode == core.KILL
}

// end takes a task off the executor.
func (x *executor) end(r *run, st core.TaskState) {
	i := r.slot
	done := r.work.Work - r.left
	if i >= 0 {
		done += x.sim.now - r.began
		x.stop(r, st != core.Finished)
	}
	if r.ran {
		x.hold(-r.work.MemoryMB)
	}
	x.queue = slices.DeleteFunc(x.queue, func(o *run) bool { return o == r })
	x.parked = slices.DeleteFunc(x.parked, func(o *run) bool { return o == r })
	if st == core.Finished {
		x.sim.res.Outputs[fmt.Sprintf("%d.%d.%d", r.Job, r.Stage, r.Index)]++
		if r.priority > x.sim.stream {
			x.sim.res.BatchWork += r.work.Work
		}
	} else {
		x.sim.res.Redone += done
	}
	r.over = true
	x.report(r, st)
	if i >= 0 {
		x.fill(i)
	}
}

func (x *executor) kill(id policy.TaskID) {
	r := x.runs[id]
	switch {
	case r == nil:
		x.killed[id] = true
	case r.over || r.killed:
	case r.slot < 0:
		x.end(r, core.Killed)
	default:
		r.killed = true
		x.yield(r, func() { x.end(r, core.Killed) })
	}
}

// protect keeps a task from being a victim. What waited for it is tried again afterwards.
func (x *executor) protect(id policy.TaskID, d time.Duration) {
	r := x.runs[id]
	if r == nil || r.over {
		return
	}
	if r.slot < 0 {
		r.guard = d // from when it goes on
		return
	}
	x.shield(r, d)
}

// shield starts a protected run.
func (x *executor) shield(r *run, d time.Duration) {
	r.safe, r.hits, r.guard = x.sim.now+d, 0, 0
	x.sim.at(r.safe, func() {
		if x.dead {
			return
		}
		asked := 0
		for _, v := range x.slots {
			if v != nil && v.asked {
				asked++
			}
		}
		for _, q := range slices.Clone(x.queue) {
			if !q.Suspend {
				continue
			}
			if asked--; asked < 0 {
				x.preempt(q)
			}
		}
	})
}

func (x *executor) reprioritize(id policy.TaskID, p int) {
	if r := x.runs[id]; r != nil {
		r.priority = p
	}
}

func (x *executor) report(r *run, st core.TaskState) {
	r.reports++
	ev := core.TaskChanged{Task: r.Task, State: st, Seq: r.reports, Executor: x.ID, RetainedMB: r.work.MemoryMB}
	x.sim.message(&x.out, func() { x.sim.hear(ev) })
}

// hold takes memory. Beyond the limit it is spilled.
func (x *executor) hold(mb float64) {
	if mb == 0 {
		return
	}
	x.used += mb
	if x.MemoryMB > 0 && mb > 0 && x.used > x.MemoryMB {
		over := min(mb, x.used-x.MemoryMB)
		x.spilled += over
		x.sim.res.SpilledMB += over
	}
	if x.sim.conf.Heartbeat == 0 {
		x.beat()
	}
}

func (x *executor) beat() {
	if x.dead || x.MemoryMB <= 0 {
		return
	}
	sample := policy.Sample{SpilledMB: x.spilled, MemoryPct: 100 * min(1, x.used/x.MemoryMB)}
	x.spilled = 0
	p := x.window.Add(sample)
	x.sim.message(&x.out, func() { x.sim.step(core.Heartbeat{ID: x.ID, Pressure: p}) })
}

func (x *executor) beatLater() {
	x.sim.at(x.sim.now+x.sim.conf.Heartbeat, func() {
		x.beat()
		if !x.dead {
			x.beatLater()
		}
	})
}

// die ends an executor and all it has.
func (x *executor) die() {
	x.dead = true
	x.close()
	for i := range x.slots {
		x.slots[i] = nil
	}
	x.queue, x.parked = nil, nil
}

// close ends the record of what still runs.
func (x *executor) close() {
	for _, r := range x.slots {
		if r != nil && x.sim.conf.Record && x.sim.now > r.began {
			x.sim.res.Spans = append(x.sim.res.Spans, Span{x.ID, r.slot, int(r.Job) - 1, r.Stage, r.Index, r.began, x.sim.now, x.dead})
		}
	}
}
