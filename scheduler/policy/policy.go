// Package policy decides where critical tasks go and who is suspended for
// them. A policy is a pure function from a snapshot of the cluster to
// decisions; each is a name of the conf key neptune.scheduling.policy, one file.
package policy

import (
	"fmt"
	"slices"
	"strings"
)

// ExecutorID names an executor.
type ExecutorID string

// TaskID is unique in a driver's life.
type TaskID int64

// Executor is one executor as a policy sees it.
type Executor struct {
	ID    ExecutorID
	Host  string
	Slots int
	// Running counts tasks that hold a slot; Victims those among them that a
	// task as critical as the pending ones may suspend (less critical, not
	// protected, not asked already).
	Running, Victims int
	Suspended        int
	Pressure         Pressure
}

// Free is the number of slots that nobody holds.
func (e *Executor) Free() int { return max(0, e.Slots-e.Running) }

// Pressure is an executor's memory state over the window of its last samples.
type Pressure struct {
	SpilledMB   Signal // spilled since the last sample
	MemoryPct   Signal // used * 100 / limit
	GCPct       Signal // CPU share of garbage collection
	SuspendedMB float64
}

// Signal is mean and standard deviation of samples.
type Signal struct{ Mean, Dev float64 }

// Task is one pending critical task.
type Task struct {
	ID     TaskID
	Prefer []ExecutorID // preferred executors, best first; empty: none
}

// Snapshot is what a policy decides on. Tasks are of one priority and in the
// order in which they shall start.
type Snapshot struct {
	Executors []Executor
	Tasks     []Task
	Seed      uint64 // for the random policy: same snapshot, same decision
}

// Decision places one task. Suspend says that it takes the slot of a victim.
// Tasks without a decision wait.
type Decision struct {
	Task     TaskID
	Executor ExecutorID
	Suspend  bool
}

// Policy decides. It has no state and no clock.
type Policy interface {
	Name() string
	Decide(Snapshot) []Decision
}

func all() []Policy { return []Policy{lma{}, loadBalance{}, random{}} }

// ByName returns the policy of that name or alias.
func ByName(name string) (Policy, error) {
	want := strings.ToLower(name)
	if want == "lb" {
		want = "load_balance"
	}
	for _, p := range all() {
		if p.Name() == want {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no scheduling policy %q; there are %s", name, strings.Join(Names(), ", "))
}

// Names lists the policies, the default first.
func Names() []string {
	var out []string
	for _, p := range all() {
		out = append(out, p.Name())
	}
	return out
}

// room is what a policy has left to give on one executor while it decides.
type room struct {
	*Executor
	free, victims int
	given         int
}

func rooms(s Snapshot) []*room {
	out := make([]*room, len(s.Executors))
	for i := range s.Executors {
		e := &s.Executors[i]
		out[i] = &room{Executor: e, free: e.Free(), victims: e.Victims}
	}
	return out
}

// take gives a slot of r to t, a free one first.
func (r *room) take(t Task) (Decision, bool) {
	switch {
	case r.free > 0:
		r.free--
	case r.victims > 0:
		r.victims--
		r.given++
		return Decision{t.ID, r.ID, true}, true
	default:
		return Decision{}, false
	}
	r.given++
	return Decision{t.ID, r.ID, false}, true
}

// fill places tasks on executors in the order given: all free slots first, and
// only if they don't suffice victims, executor by executor in that order.
func fill(order []*room, tasks []Task) []Decision {
	var out []Decision
	for _, suspend := range []bool{false, true} {
		for _, r := range order {
			for len(tasks) > 0 && (r.free > 0 || suspend && r.victims > 0) {
				d, _ := r.take(tasks[0])
				out = append(out, d)
				tasks = tasks[1:]
			}
		}
	}
	return out
}

func byFree(a, b *room) int {
	if c := b.free - a.free; c != 0 {
		return c
	}
	return strings.Compare(string(a.ID), string(b.ID))
}

func sorted(r []*room, less func(a, b *room) int) []*room {
	slices.SortStableFunc(r, less)
	return r
}
