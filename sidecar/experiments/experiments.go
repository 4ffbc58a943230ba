// Package experiments are the experiments that run on the real engine, in this
// process (rig R), beside those in virtual time (scheduler/virtual/experiments).
package experiments

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"neptune/internal/bench"
	"neptune/sidecar"
)

// Options are what all experiments know.
type Options struct {
	Runs  int  // repetitions
	Quick bool // smaller, to see that it works
	// Processes is how many executors of one slot, in processes of their own, run
	// the tasks; 0: the embedded one does.
	Processes int
}

// Experiment is one of them.
type Experiment struct {
	Name, Doc string
	Run       func(context.Context, Options) (*bench.Report, error)
	Processes bool // it runs on executors that are processes, too
}

// All lists the experiments.
func All() []Experiment {
	return []Experiment{
		{"x1", "stream latency, batch throughput and work done again (X2) of the five modes", modes, true},
		{"x3", "time to suspend and to resume a task in every operator and 22 shapes of queries", suspension, true},
		{"x4", "the cost of being suspendable, without suspensions", overhead, false},
		{"x6", "memory-limited executors: where stream tasks go", pressure, false},
		{"x8", "queries cancelled while suspended, and executors killed", faults, true},
		{"x12", "X1's figures from the client's side", clients, false},
		{"xdeadline", "policy deadline against lma_fork", deadlines, false},
		{"xsections", "where batch tasks work longest between two yield points", sections, false},
	}
}

// rig is what an experiment runs on.
type rig struct {
	*sidecar.Rig
	crew *sidecar.Cluster // nil: the executor is embedded
	name string

	children []*sidecar.Child
	names    []string
	made     int // children ever
}

// open starts a rig with the given settings.
func open(ctx context.Context, o Options, set ...string) (*rig, error) {
	if o.Processes == 0 {
		r, err := sidecar.NewRig(set...)
		if err != nil {
			return nil, err
		}
		return &rig{Rig: r, name: rigName(r.Slots())}, nil
	}
	c, err := sidecar.NewCluster(sidecar.Self, set...)
	if err != nil {
		return nil, err
	}
	r := &rig{Rig: c.Rig, crew: c, name: fmt.Sprintf("%d executor processes x 1 slot, %d cores", o.Processes, runtime.NumCPU())}
	for i := range o.Processes {
		name := fmt.Sprint("x", i)
		x, err := c.Join(ctx, name, "--slots", "1")
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		r.children, r.names, r.made = append(r.children, x), append(r.names, name), i+1
	}
	return r, nil
}

func (r *rig) Close() error {
	if r.crew != nil {
		return r.crew.Close()
	}
	return r.Rig.Close()
}

// where is a report's name on this rig.
func (o Options) where(name string) string {
	if o.Processes > 0 {
		return name + " processes"
	}
	return name + " real"
}

func rigName(slots int) string {
	return fmt.Sprintf("embedded executor, %d slots, %d cores", slots, runtime.NumCPU())
}

// quantile of sorted values.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// tables makes the data that queries read: two Parquet tables in files.
func tables(ctx context.Context, r *rig, rows int) error {
	for _, text := range []string{
		fmt.Sprintf(`CREATE TABLE events USING parquet AS
			SELECT id, id * 7919 %% 100003 AS k, id %% 1000 AS g, cast(id * 31 %% 9973 AS double) / 7 AS v,
			cast(id %% 100000 / 100 AS decimal(12,2)) AS price, concat('event number ', id * 104729 %% 1000003, ' of many') AS note,
			timestamp_seconds(1700000000 + id) AS ts FROM range(%d)`, rows),
		fmt.Sprintf(`CREATE TABLE names USING parquet AS SELECT id AS k, concat('name ', id) AS name, id %% 17 AS kind FROM range(%d)`, min(rows, 100003)),
	} {
		if err := r.Exec(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", strings.Fields(text)[2], err)
		}
	}
	return nil
}

func sorted(l []time.Duration) []time.Duration { slices.Sort(l); return l }
