// Package policy decides where critical tasks go and who is suspended for
// them. A policy is a pure function from a snapshot of the cluster to
// decisions; each is a name of the conf key neptune.scheduling.policy, one file.
package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
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
	// VictimTasks are the victims one by one, for policies that choose (WantsVictims).
	VictimTasks []Victim
}

// Victim is a task that may be suspended.
type Victim struct {
	ID          TaskID
	Priority    int           // lower is more critical
	RetainedMB  float64       // memory that it would keep
	Ran         time.Duration // attained service
	Remaining   time.Duration // estimated; 0: unknown
	Suspensions int
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
	// Active counts tasks of the same set that hold a slot already.
	Active int
	// Laxity is how long the set can wait without missing its deadline, and
	// TaskTime what one of its tasks is expected to take; 0: unknown.
	Laxity, TaskTime time.Duration
}

// Decision places one task. Suspend says that it takes the slot of a victim.
// Tasks without a decision wait.
type Decision struct {
	Task     TaskID
	Executor ExecutorID
	Suspend  bool
	Victim   TaskID // who; 0: the executor chooses
}

// Policy decides. It has no state and no clock.
type Policy interface {
	Name() string
	Decide(Snapshot) []Decision
	// Once: the policy suspends others only when a set of tasks is submitted,
	// and what it left waiting takes slots as they come free. The policies of the
	// fork do that.
	Once() bool
}

// WantsVictims reports whether the policy looks at Executor.VictimTasks.
func WantsVictims(p Policy) bool { _, ok := p.(deadline); return ok }

// UsesLaxity reports whether sets of one priority are to come in order of their laxity.
func UsesLaxity(p Policy) bool { _, ok := p.(deadline); return ok }

func all(b Buckets) []Policy {
	return []Policy{lma{b}, lmaFork{b}, loadBalance{}, cacheLocalBalance{}, cacheBucketBalance{}, random{}, deadline{b}}
}

// aliases are the short names.
var aliases = map[string]string{"lb": "load_balance", "clb": "cache_local_balance", "cl": "cache_local_balance", "cbb": "cache_bucket_balance"}

// ByName returns the policy of that name or alias, with buckets of 1 MB and 1 %.
func ByName(name string) (Policy, error) { return New(name, Buckets{1, 1}) }

// New returns the policy of that name or alias.
func New(name string, b Buckets) (Policy, error) {
	want := strings.ToLower(strings.TrimSpace(name))
	if full, ok := aliases[want]; ok {
		want = full
	}
	for _, p := range all(b) {
		if p.Name() == want {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no scheduling policy %q; there are %s", name, strings.Join(Names(), ", "))
}

// Names lists the policies, the default first.
func Names() []string {
	var out []string
	for _, p := range all(Buckets{}) {
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
		return Decision{Task: t.ID, Executor: r.ID, Suspend: true}, true
	default:
		return Decision{}, false
	}
	r.given++
	return Decision{Task: t.ID, Executor: r.ID}, true
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
