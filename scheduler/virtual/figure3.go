package virtual

import (
	"time"

	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// Figure3 is the toy schedule of the paper's figure 3, with T a second: two
// executors of two cores; a batch job of four tasks of 3T and then three of T;
// and a stream job of two tasks of T and then two more, which arrives at T,
// while the batch job holds every core.
func Figure3(m core.Mode, pol policy.Policy) (Config, []Job) {
	const T = time.Second
	conf := Config{Core: core.Conf{Mode: m, Policy: pol, MaxFailures: 4}, Record: true,
		Executors: []Executor{{ID: "executor1", Slots: 2}, {ID: "executor2", Slots: 2}}}
	return conf, []Job{
		{Name: "batch", Priority: 2, Pool: "batch", Stages: []Stage{{Tasks: Tasks(4, 3*T)}, {Parents: []int{0}, Tasks: Tasks(3, T)}}},
		{Name: "stream", Priority: 1, Pool: "stream", Arrive: T, Stages: []Stage{{Tasks: Tasks(2, T)}, {Parents: []int{0}, Tasks: Tasks(2, T)}}},
	}
}

// Figure3Expected is what is computed by hand, in T: the end of both jobs, the
// stream job's response, and the batch work thrown away.
//
//   - static: the stream job has executor1 (T-3T); the batch job needs 0-6T for
//     its first stage on two cores, and two rounds for its second.
//   - fifo: at 3T the batch job's second stage goes first, and leaves one core;
//     the stream's second task follows at 4T, its second stage at 5T.
//   - fair: at 3T each job gets two cores; at 4T the stream's second stage and
//     the last batch task.
//   - kill: the stream job runs T-3T; two batch tasks lose T each, and start again at 3T.
//   - neptune: the same, but the two go on from where they were.
var Figure3Expected = map[core.Mode]struct{ Makespan, Response, Redone int }{
	core.Static:  {8, 2, 0},
	core.FIFO:    {6, 5, 0},
	core.FAIR:    {5, 4, 0},
	core.KILL:    {7, 2, 2},
	core.Neptune: {6, 2, 0},
}

// Tasks makes n equal tasks.
func Tasks(n int, work time.Duration) []Task {
	out := make([]Task, n)
	for i := range out {
		out[i].Work = work
	}
	return out
}
