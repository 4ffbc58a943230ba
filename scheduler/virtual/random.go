package virtual

import (
	"fmt"
	"math/rand/v2"
	"time"

	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// Chaos makes a random cluster and random jobs of a seed: any mode and policy;
// messages that are late, out of order and delivered twice; executors that go
// away, jobs that are cancelled; gangs, shared stages, pools, guards.
func Chaos(seed uint64) (Config, []Job) {
	r := rand.New(rand.NewPCG(seed, 17))
	names := policy.Names()
	pol, err := policy.ByName(names[r.IntN(len(names))])
	if err != nil {
		panic(err) // the names are its own
	}
	modes := core.Modes()
	conf := Config{Seed: seed, Disorder: r.IntN(2) == 0, Core: core.Conf{
		Mode: core.Mode(modes[r.IntN(len(modes))]), Policy: pol, MaxFailures: 6, MaxStageAttempts: 6,
		Pools: map[string]core.Pool{"a": {Weight: 2}, "b": {MinShare: 1, Fair: true}},
	}}
	some := func(n int, d time.Duration) time.Duration {
		if r.IntN(n) == 0 {
			return d
		}
		return 0
	}
	conf.Core.LocalityWait = some(3, 3*time.Second)
	if r.IntN(3) == 0 {
		conf.Core.MaxSuspensions, conf.Core.ProtectedRun = 1+r.IntN(3), 200*time.Millisecond
	}
	if r.IntN(4) == 0 {
		conf.Core.BatchMinShare = 0.2
	}
	conf.Core.Speculation = r.IntN(5) == 0
	longest := time.Duration(1+r.IntN(300)) * time.Millisecond
	conf.Delay = func(r *rand.Rand) time.Duration { return time.Duration(r.Int64N(int64(longest))) }
	conf.Yield = func(r *rand.Rand) time.Duration { return time.Duration(r.Int64N(int64(20 * time.Millisecond))) }
	n := 1 + r.IntN(4)
	for i := range n {
		conf.Executors = append(conf.Executors, Executor{ID: policy.ExecutorID(fmt.Sprint("e", i)), Host: fmt.Sprint("h", i/2), Slots: 1 + r.IntN(4)})
	}
	if n > 1 && r.IntN(4) == 0 {
		conf.Lose = map[policy.ExecutorID]time.Duration{"e0": time.Duration(r.IntN(6000)) * time.Millisecond}
	}
	var jobs []Job
	key := 0
	for i := range 1 + r.IntN(8) {
		j := Job{Priority: 1 + r.IntN(3), Pool: []string{"", "a", "b"}[r.IntN(3)], Arrive: time.Duration(r.IntN(3000)) * time.Millisecond}
		j.Name = [...]string{"stream", "batch", "batch"}[j.Priority-1]
		if r.IntN(3) == 0 {
			j.Target, j.Estimate = time.Duration(100+r.IntN(3000))*time.Millisecond, time.Duration(r.IntN(500))*time.Millisecond
		}
		for s := range 1 + r.IntN(4) {
			st := Stage{}
			for p := range s {
				if p == s-1 || r.IntN(3) == 0 {
					st.Parents = append(st.Parents, p)
				}
			}
			for range r.IntN(8) {
				t := Task{Work: time.Duration(1+r.IntN(1000)) * time.Millisecond}
				if r.IntN(4) == 0 {
					t.Pause = time.Duration(1+r.IntN(300)) * time.Millisecond
				}
				if r.IntN(3) == 0 {
					t.Prefer = []policy.ExecutorID{policy.ExecutorID(fmt.Sprint("e", r.IntN(n+1)))}
				}
				st.Tasks = append(st.Tasks, t)
			}
			j.Stages = append(j.Stages, st)
		}
		if r.IntN(6) == 0 && len(conf.Lose) == 0 && len(j.Stages[0].Tasks) == 1 {
			j.Stages[0].Gang = 1
		}
		if i > 0 && r.IntN(5) == 0 { // its first stage is also another job's
			key++
			k := fmt.Sprint("k", key)
			other := &jobs[r.IntN(len(jobs))]
			if other.Stages[0].Key == "" && other.Stages[0].Gang == 0 && j.Stages[0].Gang == 0 {
				other.Stages[0].Key, j.Stages[0].Key = k, k
				j.Stages[0].Tasks = other.Stages[0].Tasks
			}
		}
		jobs = append(jobs, j)
	}
	if r.IntN(3) == 0 {
		conf.Cancel = map[core.JobID]time.Duration{core.JobID(1 + r.IntN(len(jobs))): time.Duration(r.IntN(8000)) * time.Millisecond}
	}
	conf.Check = (*core.Core).Audit
	return conf, jobs
}

// Soak runs a random schedule and checks its end: every job has ended, with all
// of its outputs unless it was cancelled or cut short by the loss of executors.
func Soak(seed uint64) error {
	conf, jobs := Chaos(seed)
	res, err := Run(conf, jobs)
	if err != nil {
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	for i, j := range res.Jobs {
		if !j.Done {
			return fmt.Errorf("seed %d: job %d has not ended", seed, i+1)
		}
		_, cancelled := conf.Cancel[core.JobID(i+1)]
		if j.Err != nil && !cancelled && len(conf.Lose) == 0 {
			return fmt.Errorf("seed %d: job %d: %w", seed, i+1, j.Err)
		}
		if j.Err != nil {
			continue
		}
		for s, st := range jobs[i].Stages {
			if st.Key != "" || !needed(jobs[i], s) {
				continue // made by whichever job came first, or for nobody
			}
			for k := range st.Tasks {
				if n := res.Outputs[fmt.Sprintf("%d.%d.%d", i+1, s, k)]; n == 0 && !behindShared(jobs[i], s) {
					return fmt.Errorf("seed %d: partition %d of stage %d.%d was never made", seed, k, i+1, s)
				}
			}
		}
	}
	return nil
}

// needed reports whether the job's result depends on stage s.
func needed(j Job, s int) bool {
	if s == len(j.Stages)-1 {
		return true
	}
	for k := s + 1; k < len(j.Stages); k++ {
		for _, p := range j.Stages[k].Parents {
			if p == s && needed(j, k) {
				return true
			}
		}
	}
	return false
}

// behindShared reports whether stage s may be made by another job, because all ways from it go through shared stages.
func behindShared(j Job, s int) bool {
	for _, st := range j.Stages {
		if st.Key != "" {
			return s == 0
		}
	}
	return false
}
