// Package experiments are the experiments of the Neptune paper, and ours, that
// run in virtual time: the real scheduler core on simulated executors.
package experiments

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"neptune/internal/bench"
	"neptune/scheduler/core"
	"neptune/scheduler/policy"
	"neptune/scheduler/virtual"
)

// Options are what all experiments know.
type Options struct {
	Runs  int    // repetitions, with different seeds
	Seed  uint64 // of the first
	Quick bool   // smaller, for tests
}

// Experiment is one of them.
type Experiment struct {
	Name, Doc string
	Run       func(context.Context, Options) (*bench.Report, error)
}

// All lists the experiments.
func All() []Experiment {
	return []Experiment{
		{"x1", "stream latency and batch throughput of the five modes", modes},
		{"x5", "stream demand from 0 to 100 % of the slots", demand},
		{"x6", "memory-limited executors: where stream tasks go", pressure},
		{"x7", "starvation: the guard and the batch share under 100 % stream load", starvation},
		{"x9", "random schedules with delayed, duplicated, reordered messages", chaos},
		{"x10", "the table of cases that a faithful policy reproduces", oracle},
		{"x11", "75 executors, 1,000 stream tasks over 10,000 batch tasks: time to decide", decisions},
		{"x13", "figure 3 of the paper", figure3},
		{"xdeadline", "policy deadline against lma_fork: missed deadlines at equal batch throughput", deadlines},
	}
}

func mustPolicy(name string) policy.Policy {
	p, err := policy.ByName(name)
	if err != nil {
		panic(err) // the names are constants of this package
	}
	return p
}

// executors makes n of them, two to a host.
func executors(n, slots int) (out []virtual.Executor) {
	for i := range n {
		out = append(out, virtual.Executor{ID: policy.ExecutorID(fmt.Sprintf("e%02d", i)), Host: fmt.Sprintf("h%02d", i/2), Slots: slots})
	}
	return out
}

// Messages take 50 to 250 us, and a task gives way within 100 us: about what the
// real driver and worker do on one machine.
func lan(r *rand.Rand) time.Duration {
	return 50*time.Microsecond + time.Duration(r.Int64N(int64(200*time.Microsecond)))
}

func yield(r *rand.Rand) time.Duration { return time.Duration(r.Int64N(int64(100 * time.Microsecond))) }

// around is d, 20 % more or less.
func around(r *rand.Rand, d time.Duration) time.Duration {
	return d*8/10 + time.Duration(r.Int64N(int64(d)*4/10+1))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// responses are those of the jobs of a name that have ended, in milliseconds, sorted.
func responses(r *virtual.Result, name string) (out []float64) {
	for _, j := range r.Jobs {
		if j.Name == name && j.Done && j.Err == nil {
			out = append(out, ms(j.Response()))
		}
	}
	slices.Sort(out)
	return out
}

// micro makes a stream: a job of a map stage and a reduce stage each interval.
func micro(r *rand.Rand, every, until time.Duration, maps, reduces int, work time.Duration) (out []virtual.Job) {
	for at := every; at < until; at += every {
		var m, d []virtual.Task
		for range maps {
			m = append(m, virtual.Task{Work: around(r, work)})
		}
		for range reduces {
			d = append(d, virtual.Task{Work: around(r, work/2)})
		}
		out = append(out, virtual.Job{Name: "stream", Priority: 1, Pool: "stream", Arrive: at,
			Stages: []virtual.Stage{{Tasks: m}, {Parents: []int{0}, Tasks: d}}})
	}
	return out
}

// long is a batch job of tasks of about that long.
func long(r *rand.Rand, n int, work time.Duration) virtual.Job {
	j := virtual.Job{Name: "batch", Priority: 2, Pool: "batch", Stages: []virtual.Stage{{}}}
	for range n {
		j.Stages[0].Tasks = append(j.Stages[0].Tasks, virtual.Task{Work: around(r, work)})
	}
	return j
}

var allModes = []core.Mode{core.Static, core.FIFO, core.FAIR, core.KILL, core.Neptune}

func report(o Options, name, title, rig string, columns ...string) *bench.Report {
	return &bench.Report{Name: name, Title: title, Rig: "virtual time, " + rig, Runs: o.Runs, Columns: columns}
}

func pick[T any](quick bool, small, full T) T {
	if quick {
		return small
	}
	return full
}
