package core

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"neptune/scheduler/policy"
)

// world plays the executors and the driver: every stage gets the number of
// tasks that its line said, launched tasks run at once when their executor has
// a slot, and a task launched with Suspend suspends the last batch task there.
type world struct {
	*Core
	stages  map[[2]int][][]policy.ExecutorID
	homes   map[[2]int]policy.ExecutorID
	log     strings.Builder
	info    map[policy.TaskID]Launch
	state   map[policy.TaskID]TaskState
	slots   map[policy.ExecutorID]int
	queued  map[policy.ExecutorID][]policy.TaskID
	now     time.Duration
	verbose bool
	silent  bool // executors don't say when a task first runs, as the real ones don't
}

func newWorld(conf Conf) *world {
	return &world{Core: New(conf), stages: map[[2]int][][]policy.ExecutorID{}, info: map[policy.TaskID]Launch{},
		state: map[policy.TaskID]TaskState{}, slots: map[policy.ExecutorID]int{}, queued: map[policy.ExecutorID][]policy.TaskID{}}
}

func (w *world) name(t policy.TaskID) string {
	l := w.info[t]
	return fmt.Sprintf("job%d.%d.%d", l.Job, l.Stage, l.Index)
}

func (w *world) step(ev Event) {
	todo := []Event{ev}
	for len(todo) > 0 {
		cmds := slices.Clone(w.Step(todo[0]))
		todo = todo[1:]
		for _, c := range cmds {
			switch c := c.(type) {
			case PlanStage:
				todo = append(todo, StagePlanned{Job: c.Job, Stage: c.Stage, Prefer: w.stages[[2]int{int(c.Job), c.Stage}], Home: w.homes[[2]int{int(c.Job), c.Stage}]})
			case Launch:
				w.info[c.Task] = c
				w.state[c.Task] = Launching
				fmt.Fprintf(&w.log, "launch %s on %s", w.name(c.Task), c.Executor)
				if c.Suspend {
					w.log.WriteString(", suspending")
				}
				w.log.WriteString("\n")
				todo = append(todo, w.place(c)...)
			case Kill:
				if c.Evict {
					fmt.Fprintf(&w.log, "evict %s\n", w.name(c.Task))
				} else {
					fmt.Fprintf(&w.log, "kill %s\n", w.name(c.Task))
				}
				if !w.state[c.Task].Over() {
					todo = append(todo, w.end(c.Task, Killed, nil)...)
				}
			case Reprioritize:
				l := w.info[c.Task]
				l.Priority = c.Priority
				w.info[c.Task] = l
				fmt.Fprintf(&w.log, "%s has priority %d\n", w.name(c.Task), c.Priority)
			case Protect:
				fmt.Fprintf(&w.log, "%s is protected for %v\n", w.name(c.Task), c.For)
			case StageLost:
				fmt.Fprintf(&w.log, "stage job%d.%d lost %v\n", c.Job, c.Stage, c.Indexes)
			case JobReleased:
				if w.verbose {
					fmt.Fprintf(&w.log, "job%d released\n", c.Job)
				}
			case ExecutorDrained:
				fmt.Fprintf(&w.log, "%s drained\n", c.ID)
			case StageFinished:
				fmt.Fprintf(&w.log, "stage job%d.%d finished\n", c.Job, c.Stage)
			case JobFinished:
				fmt.Fprintf(&w.log, "job%d finished", c.Job)
				if c.Err != nil {
					fmt.Fprintf(&w.log, ": %v", c.Err)
				}
				w.log.WriteString("\n")
			}
		}
	}
}

func (w *world) on(e policy.ExecutorID, st TaskState) (out []policy.TaskID) {
	for t, s := range w.state {
		if s == st && w.info[t].Executor == e {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) place(l Launch) (evs []Event) {
	run := w.on(l.Executor, Running)
	if len(run) >= w.slots[l.Executor] {
		victim := policy.TaskID(-1)
		for _, t := range run {
			if w.info[t].Priority > l.Priority && victim != l.Victim {
				victim = t
			}
		}
		if !l.Suspend || victim < 0 {
			panic("launched without a slot: " + w.name(l.Task))
		}
		w.state[victim] = Suspended
		fmt.Fprintf(&w.log, "  %s suspended\n", w.name(victim))
		evs = append(evs, TaskChanged{Task: victim, State: Suspended})
	}
	w.state[l.Task] = Running
	if w.silent {
		return evs
	}
	return append(evs, TaskChanged{Task: l.Task, State: Running})
}

func (w *world) end(t policy.TaskID, st TaskState, err error) (evs []Event) {
	held := w.state[t] == Running
	w.state[t] = st
	e := w.info[t].Executor
	if sus := w.on(e, Suspended); held && len(sus) > 0 {
		w.state[sus[0]] = Running
		fmt.Fprintf(&w.log, "  %s resumed\n", w.name(sus[0]))
		evs = append(evs, TaskChanged{Task: sus[0], State: Running})
	}
	return append(evs, TaskChanged{Task: t, State: st, Err: err})
}

func (w *world) find(name string) policy.TaskID {
	for t := range w.info {
		if w.name(t) == name && !w.state[t].Over() {
			return t
		}
	}
	panic("no live task " + name)
}

func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		w := newWorld(Conf{Mode: Neptune, Policy: mustPolicy("load_balance"), MaxFailures: 1})
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			w.log.Reset()
			switch d.Cmd {
			case "scheduler":
				var mode, pol string
				d.ScanArgs(t, "mode", &mode)
				d.ScanArgs(t, "policy", &pol)
				c := Conf{Mode: Mode(mode), Policy: mustPolicy(pol), MaxFailures: 2, Pools: map[string]Pool{"heavy": {Weight: 3}, "floor": {MinShare: 2}, "shared": {Fair: true}}}
				for _, a := range d.CmdArgs {
					switch a.Key {
					case "suspensions":
						d.ScanArgs(t, a.Key, &c.MaxSuspensions)
					case "protected":
						c.ProtectedRun = duration(t, a)
					case "wait":
						c.LocalityWait = duration(t, a)
					case "speculation":
						c.Speculation = true
					case "share":
						_, err := fmt.Sscan(a.Vals[0], &c.BatchMinShare)
						if err != nil {
							t.Fatal(err)
						}
					}
				}
				w = newWorld(c)
				w.verbose, w.silent = d.HasArg("released"), d.HasArg("silent")
			case "executor":
				var id string
				var slots int
				d.ScanArgs(t, "id", &id)
				d.ScanArgs(t, "slots", &slots)
				w.slots[policy.ExecutorID(id)] = slots
				var host string
				if d.HasArg("host") {
					d.ScanArgs(t, "host", &host)
				}
				w.step(ExecutorJoined{ID: policy.ExecutorID(id), Slots: slots, Host: host, Reserved: d.HasArg("reserved")})
			case "advance":
				for _, a := range d.CmdArgs {
					w.now += duration(t, a)
				}
				w.step(Tick{w.now})
			case "drain":
				var id string
				d.ScanArgs(t, "id", &id)
				w.step(ExecutorDraining{policy.ExecutorID(id)})
			case "report": // what an executor says, whatever is true; each line a task
				var state string
				var seq int64
				d.ScanArgs(t, "state", &state)
				if d.HasArg("seq") {
					d.ScanArgs(t, "seq", &seq)
				}
				for _, name := range strings.Fields(d.Input) {
					id := policy.TaskID(99)
					if name != "unknown" {
						id = w.any(name)
					}
					for st, s := range stateNames {
						if s == state {
							w.state[id] = TaskState(st)
							w.step(TaskChanged{Task: id, State: TaskState(st), Seq: seq, Executor: w.info[id].Executor})
						}
					}
				}
			case "fetchfailed":
				var stage int
				var from string
				d.ScanArgs(t, "stage", &stage)
				d.ScanArgs(t, "from", &from)
				for _, name := range strings.Fields(d.Input) {
					id := w.find(name)
					evs := w.end(id, Failed, nil)
					evs[len(evs)-1] = TaskChanged{Task: id, State: Failed, Err: errors.New("gone"), Fetch: &FetchFailure{stage, policy.ExecutorID(from)}}
					for _, ev := range evs {
						w.step(ev)
					}
				}
			case "counts":
				return fmt.Sprintf("%+v\n", w.Counts())
			case "job": // [within=MS] each line a stage: tasks=N [parents=a,b] [prefer=e] [home=e]
				var id, prio int
				d.ScanArgs(t, "id", &id)
				d.ScanArgs(t, "priority", &prio)
				ev := JobSubmitted{Job: JobID(id), Priority: prio}
				if d.HasArg("within") {
					var ms int
					d.ScanArgs(t, "within", &ms)
					ev.Deadline = w.now + time.Duration(ms)*time.Millisecond
				}
				if d.HasArg("pool") {
					d.ScanArgs(t, "pool", &ev.Pool)
				}
				ev.Keys, ev.Gangs = make([]string, 9), make([]int, 9)
				for i, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
					n, parents, prefer := 0, []int(nil), policy.ExecutorID("")
					for _, f := range strings.Fields(line) {
						k, v, _ := strings.Cut(f, "=")
						switch k {
						case "tasks":
							fmt.Sscan(v, &n)
						case "parents":
							for _, p := range strings.Split(v, ",") {
								var x int
								fmt.Sscan(p, &x)
								parents = append(parents, x)
							}
						case "key":
							ev.Keys[i] = v
						case "gang":
							fmt.Sscan(v, &ev.Gangs[i])
						case "home":
							if w.homes == nil {
								w.homes = map[[2]int]policy.ExecutorID{}
							}
							w.homes[[2]int{id, i}] = policy.ExecutorID(v)
						case "prefer":
							prefer = policy.ExecutorID(v)
						}
					}
					tasks := make([][]policy.ExecutorID, n)
					for k := range tasks {
						if prefer != "" {
							tasks[k] = []policy.ExecutorID{prefer}
						}
					}
					w.stages[[2]int{id, i}] = tasks
					ev.Parents = append(ev.Parents, parents)
				}
				w.step(ev)
			case "finish":
				for _, name := range strings.Fields(d.Input) {
					for _, ev := range w.end(w.find(name), Finished, nil) {
						w.step(ev)
					}
				}
			case "fail":
				retry := d.HasArg("retry")
				for _, name := range strings.Fields(d.Input) {
					id := w.find(name)
					evs := w.end(id, Failed, nil)
					evs[len(evs)-1] = TaskChanged{Task: id, State: Failed, Err: errors.New("boom"), Retry: retry}
					for _, ev := range evs {
						w.step(ev)
					}
				}
			case "cancel":
				var id int
				d.ScanArgs(t, "id", &id)
				w.step(JobCancelled{Job: JobID(id), Err: errors.New("cancelled")})
			case "lost":
				var id string
				d.ScanArgs(t, "id", &id)
				for tk := range w.state {
					if w.info[tk].Executor == policy.ExecutorID(id) && !w.state[tk].Over() {
						w.state[tk] = Killed
					}
				}
				w.step(ExecutorLost{ID: policy.ExecutorID(id)})
			default:
				t.Fatalf("no command %s", d.Cmd)
			}
			if err := w.Audit(nil); err != nil {
				t.Fatal(err)
			}
			if w.log.Len() == 0 {
				return "nothing\n"
			}
			return w.log.String()
		})
	})
}

func duration(t *testing.T, a datadriven.CmdArg) time.Duration {
	d, err := time.ParseDuration(a.Vals[0])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// any is the last task of a name, over or not.
func (w *world) any(name string) (id policy.TaskID) {
	for t := range w.info {
		if w.name(t) == name && t > id {
			id = t
		}
	}
	return id
}

func mustPolicy(name string) policy.Policy {
	p, err := policy.ByName(name)
	if err != nil {
		panic(err)
	}
	return p
}

// TestRandomSchedules plays random jobs to the end, with duplicated and late
// messages: no slot is given twice, every job ends, nothing is left.
func TestRandomSchedules(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		mode := Neptune
		if r.IntN(3) == 0 {
			mode = FIFO
		}
		w := newWorld(Conf{Mode: mode, Policy: mustPolicy(policy.Names()[r.IntN(3)]), MaxFailures: 2})
		for i := range 1 + r.IntN(3) {
			id := policy.ExecutorID(fmt.Sprint("e", i))
			w.slots[id] = 1 + r.IntN(3)
			w.step(ExecutorJoined{ID: id, Slots: w.slots[id]})
		}
		jobs := 0
		for range 400 {
			var live []policy.TaskID
			for tk, s := range w.state {
				if s == Running {
					live = append(live, tk)
				}
			}
			slices.Sort(live)
			switch k := r.IntN(10); {
			case k < 2 && jobs < 12:
				jobs++
				ev := JobSubmitted{Job: JobID(jobs), Priority: 1 + r.IntN(3)}
				for s := range 1 + r.IntN(3) {
					w.stages[[2]int{jobs, s}] = make([][]policy.ExecutorID, 1+r.IntN(5))
					var parents []int
					if s > 0 {
						parents = []int{s - 1}
					}
					ev.Parents = append(ev.Parents, parents)
				}
				w.step(ev)
			case k == 9 && len(live) > 0:
				tk := live[r.IntN(len(live))]
				w.step(TaskChanged{Task: tk, State: Running}) // a duplicate
			case k == 8 && jobs > 0:
				w.step(JobCancelled{Job: JobID(1 + r.IntN(jobs)), Err: errors.New("cancelled")})
			case len(live) > 0:
				tk := live[r.IntN(len(live))]
				evs := w.end(tk, Finished, nil)
				for _, ev := range append(evs, evs[len(evs)-1]) { // the last one twice
					w.step(ev)
				}
			}
		}
		for range 10000 {
			var live []policy.TaskID
			for tk, s := range w.state {
				if s == Running {
					live = append(live, tk)
				}
			}
			if len(live) == 0 {
				break
			}
			slices.Sort(live)
			for _, ev := range w.end(live[0], Finished, nil) {
				w.step(ev)
			}
		}
		if c := w.Counts(); c != (Counts{}) {
			t.Fatalf("seed %d: left over %+v\n%s", seed, c, w.log.String())
		}
	}
}
