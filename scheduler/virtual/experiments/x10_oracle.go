package experiments

import (
	"context"
	"fmt"
	"slices"
	"time"

	"neptune/internal/bench"
	"neptune/scheduler/core"
	"neptune/scheduler/policy"
	"neptune/scheduler/virtual"
)

// oracleCase is a row of the table: executors with so many batch tasks on them
// (low), stream tasks that arrive (high), and what comes of it.
type oracleCase struct {
	name      string
	policies  []string
	slots     int
	low       []int
	high      int
	prefer    int // how many of the high ones prefer executor at
	at        int
	pressure  []policy.Pressure
	suspended int
	placed    []int // nil: any
	highRuns  int   // at once, -1: all
}

func spilled(mb ...float64) (out []policy.Pressure) {
	for _, x := range mb {
		out = append(out, policy.Pressure{SpilledMB: policy.Signal{Mean: x}})
	}
	return out
}

func memory(a, b policy.Pressure) []policy.Pressure { return []policy.Pressure{a, b} }

func oracleCases() []oracleCase {
	lb, clb, fork, cbb := []string{"load_balance"}, []string{"cache_local_balance"}, []string{"lma_fork"}, []string{"cache_bucket_balance"}
	sig := func(m float64) policy.Signal { return policy.Signal{Mean: m} }
	return []oracleCase{
		{"1x1: 1 low; 1 high", policy.Names(), 1, []int{1}, 1, 0, 0, nil, 1, []int{1}, -1},
		{"1x4: 2 low; 4 high", lb, 4, []int{2}, 4, 0, 0, nil, 2, []int{4}, -1},
		{"1x4: 4 low; 2 high", lb, 4, []int{4}, 2, 0, 0, nil, 2, []int{2}, -1},
		{"2x4: 7 low (4+3); 4 high", lb, 4, []int{4, 3}, 4, 0, 0, nil, 3, []int{0, 4}, -1},
		{"4x4: 12 low (3 each); 4 high", lb, 4, []int{3, 3, 3, 3}, 4, 0, 0, nil, 0, []int{1, 1, 1, 1}, -1},
		{"2x4: 7 low (4+3); 4 high all prefer executor 0", clb, 4, []int{4, 3}, 4, 4, 0, nil, 4, []int{4, 0}, -1},
		{"4x4: 12 low (3 each); 1 high prefers executor 0", clb, 4, []int{3, 3, 3, 3}, 1, 1, 0, nil, 0, []int{1, 0, 0, 0}, -1},
		{"4x4: 12 low (3 each); 8 high, no preference", clb, 4, []int{3, 3, 3, 3}, 8, 0, 0, nil, 4, []int{2, 2, 2, 2}, -1},
		{"2x4: low 4+1, spill 5 and 1 MB; 3 high, no preference", fork, 4, []int{4, 1}, 3, 0, 0, spilled(5, 1), 0, []int{0, 3}, -1},
		{"4x4: 4 low on executor 0; 6 high, 1 prefers it; spill 5, 1, 2, 3 MB", fork, 4, []int{4, 0, 0, 0}, 6, 1, 0, spilled(5, 1, 2, 3), 1, []int{1, 4, 1, 0}, -1},
		{"2x4: 7 low; 4 high prefer executor 1", cbb, 4, []int{4, 3}, 4, 4, 1, nil, 3, []int{0, 4}, -1},
		{"2x4: 8 low; 6 high, 4 prefer executor 0", cbb, 4, []int{4, 4}, 6, 4, 0, nil, 6, []int{4, 2}, -1},
		{"2x4: 8 low; 6 high, 5 prefer executor 0", cbb, 4, []int{4, 4}, 6, 5, 0, nil, 5, []int{4, 1}, 5},
		{"ordering: spill differs", fork, 1, []int{1, 1}, 1, 0, 0, spilled(5, 1), 1, []int{0, 1}, -1},
		{"ordering: same spill, memory 90 and 80 %", fork, 1, []int{1, 1}, 1, 0, 0, memory(policy.Pressure{MemoryPct: sig(90)}, policy.Pressure{MemoryPct: sig(80)}), 1, []int{0, 1}, -1},
		{"ordering: same both, GC 50 and 40 %", fork, 1, []int{1, 1}, 1, 0, 0, memory(policy.Pressure{GCPct: sig(50)}, policy.Pressure{GCPct: sig(40)}), 1, []int{0, 1}, -1},
		// Where ours differ on purpose: nobody is suspended while a slot is free anywhere.
		{"lma: 2x4: 7 low (4+3); 1 high prefers executor 0", []string{"lma", "deadline"}, 4, []int{4, 3}, 1, 1, 0, nil, 0, []int{0, 1}, -1},
		{"lma: 2x4: 8 low; 2 high prefer executor 1", []string{"lma", "deadline"}, 4, []int{4, 4}, 2, 2, 1, nil, 2, []int{0, 2}, -1},
		{"lma: 2x4: 8 low, memory 95 and 40 %; 3 high", []string{"lma", "deadline"}, 4, []int{4, 4}, 3, 0, 0, memory(policy.Pressure{MemoryPct: sig(95)}, policy.Pressure{MemoryPct: sig(40)}), 3, []int{0, 3}, -1},
	}
}

// play runs a case and says what came of it.
func (x oracleCase) play(name string) (got, want string, err error) {
	ex := executors(len(x.low), x.slots)
	conf := virtual.Config{Core: core.Conf{Mode: core.Neptune, Policy: mustPolicy(name), MaxFailures: 4, LocalityWait: time.Hour}, Executors: ex, Limit: 1500 * time.Millisecond, Record: true,
		Pressure: map[policy.ExecutorID]policy.Pressure{}}
	for i, p := range x.pressure {
		conf.Pressure[ex[i].ID] = p
	}
	batch := virtual.Job{Name: "batch", Priority: 2, Stages: []virtual.Stage{{}}}
	for i, n := range x.low {
		for range n {
			batch.Stages[0].Tasks = append(batch.Stages[0].Tasks, virtual.Task{Work: 100 * time.Second, Prefer: []policy.ExecutorID{ex[i].ID}})
		}
	}
	stream := virtual.Job{Name: "stream", Priority: 1, Arrive: time.Second, Stages: []virtual.Stage{{Tasks: virtual.Tasks(x.high, time.Second)}}}
	for i := range x.prefer {
		stream.Stages[0].Tasks[i].Prefer = []policy.ExecutorID{ex[x.at].ID}
	}
	res, err := virtual.Run(conf, []virtual.Job{batch, stream})
	if err != nil {
		return "", "", err
	}
	runs := 0
	for _, s := range res.Spans {
		if s.Job == 1 && s.To == conf.Limit {
			runs++
		}
	}
	placed := make([]int, len(ex))
	for i := range ex {
		placed[i] = res.Placed[ex[i].ID]
	}
	wantRuns := x.highRuns
	if wantRuns < 0 {
		wantRuns = x.high
	}
	wantPlaced := x.placed
	if wantPlaced == nil {
		wantPlaced = placed
	}
	return fmt.Sprintf("%d suspended, %v placed, %d run", res.Suspensions, placed, runs), fmt.Sprintf("%d suspended, %v placed, %d run", x.suspended, wantPlaced, wantRuns), nil
}

// oracle is X10.
func oracle(_ context.Context, o Options) (*bench.Report, error) {
	o.Runs = 1
	r := report(o, "x10 virtual", "cases that a faithful policy reproduces", "no message takes time", "set-up", "policy", "outcome")
	for _, x := range oracleCases() {
		for _, name := range x.policies {
			got, want, err := x.play(name)
			if err != nil {
				return nil, err
			}
			r.Row(x.name, name, got)
			r.Check(x.name+", "+name, got == want, "%s; expected %s", got, want)
		}
	}
	for _, name := range policy.Names() {
		got, err := offeredFirst(name)
		if err != nil {
			return nil, err
		}
		r.Row("1x1: batch, stream, batch, batch queued, then another stream", name, got)
		r.Check("stream stages are offered first, "+name, got == "stream stream batch batch batch", "%s", got)
		got, err = resumeFirst(name)
		if err != nil {
			return nil, err
		}
		r.Row("1x4: 12 low (4 running); 4 high finish", name, got)
		r.Check("the suspended resume before any pending starts, "+name, got == "4 resumed, then 8 started, nothing launched twice", "%s", got)
	}
	return r, nil
}

// offeredFirst queues stages behind a busy slot and says in which order they start.
func offeredFirst(name string) (string, error) {
	one := func(kind string, priority int, at time.Duration) virtual.Job {
		return virtual.Job{Name: kind, Priority: priority, Arrive: at, Stages: []virtual.Stage{{Tasks: virtual.Tasks(1, time.Second)}}}
	}
	jobs := []virtual.Job{one("first", 1, 0), one("batch", 2, 100*time.Millisecond), one("stream", 1, 200*time.Millisecond), one("batch", 2, 300*time.Millisecond),
		one("batch", 2, 400*time.Millisecond), one("stream", 1, 1500*time.Millisecond)}
	res, err := virtual.Run(virtual.Config{Core: core.Conf{Mode: core.Neptune, Policy: mustPolicy(name)}, Executors: executors(1, 1)}, jobs)
	if err != nil {
		return "", err
	}
	order := slices.Clone(res.Jobs[1:])
	slices.SortStableFunc(order, func(a, b virtual.JobResult) int { return int(a.Started - b.Started) })
	out := ""
	for i, j := range order {
		if i > 0 {
			out += " "
		}
		out += j.Name
	}
	return out, nil
}

// resumeFirst lets four stream tasks pass over twelve batch tasks on four slots.
func resumeFirst(name string) (string, error) {
	jobs := []virtual.Job{
		{Name: "batch", Priority: 2, Stages: []virtual.Stage{{Tasks: virtual.Tasks(12, 3*time.Second)}}},
		{Name: "stream", Priority: 1, Arrive: time.Second, Stages: []virtual.Stage{{Tasks: virtual.Tasks(4, time.Second)}}},
	}
	res, err := virtual.Run(virtual.Config{Core: core.Conf{Mode: core.Neptune, Policy: mustPolicy(name)}, Executors: executors(1, 4), Record: true}, jobs)
	if err != nil {
		return "", err
	}
	resumed, started := 0, 0
	firstStart := time.Hour
	spans := map[int]int{}
	for _, s := range res.Spans {
		if s.Job == 0 {
			spans[s.Index]++
			if s.Index >= 4 {
				firstStart = min(firstStart, s.From)
			}
		}
	}
	for _, s := range res.Spans {
		if s.Job == 0 && s.Index < 4 && s.From > 0 && s.From < firstStart {
			resumed++
		}
		if s.Job == 0 && s.Index >= 4 {
			started++
		}
	}
	again := "nothing launched twice"
	if res.Redone > 0 || len(spans) != 12 {
		again = "work was done again"
	}
	return fmt.Sprintf("%d resumed, then %d started, %s", resumed, started, again), nil
}
