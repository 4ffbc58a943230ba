package experiments

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"neptune/internal/bench"
)

// faults is experiment X8: queries are cancelled while tasks of theirs are
// suspended, and run along others that must not notice. On executor processes each
// other time the process is killed (SIGKILL) instead, and another takes its place:
// then all queries must end as if nothing had been.
func faults(ctx context.Context, o Options) (_ *bench.Report, err error) {
	rows, seeds := 500_000, 10*max(1, o.Runs)
	if o.Quick {
		rows, seeds = 100_000, 5
	}
	r, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := tables(ctx, r, rows); err != nil {
		return nil, err
	}
	report := &bench.Report{Name: o.where("x8"), Title: "cancelled or killed while suspended", Rig: r.name, Runs: seeds,
		Columns: []string{"query", "times", "cancelled", "executors killed", "suspensions", "back after ms, p50", "max", "answers"}}
	alone := map[string]string{}
	for _, q := range operators {
		_, d, err := r.Run(ctx, q.text, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		alone[q.name] = d
	}
	type tally struct {
		times, cancelled, killed, suspensions int
		back                                  []time.Duration
		same                                  bool
	}
	sums := map[string]*tally{}
	equal, leaks, late := true, 0, 0
	var all []time.Duration
	for seed := range seeds {
		g := rand.New(rand.NewPCG(uint64(seed), 8))
		doomed, other := operators[g.IntN(len(operators))], operators[g.IntN(len(operators))]
		s := sums[doomed.name]
		if s == nil {
			s = &tally{same: true}
			sums[doomed.name] = s
		}
		stop, count, err := r.Interfere(200 * time.Microsecond)
		if err != nil {
			return nil, err
		}
		part, cancel := context.WithCancel(ctx)
		type answer struct {
			digest string
			err    error
		}
		ended := make(chan answer, 1)
		go func() {
			_, d, err := r.Run(part, doomed.text, false)
			ended <- answer{d, err}
		}()
		beside := make(chan answer, 1)
		go func() {
			_, d, err := r.Run(ctx, other.text, false)
			beside <- answer{d, err}
		}()
		// While something of it is suspended, or when it has ended before that.
		least := 1 + g.IntN(50)
		early := false
		for limit := time.Now().Add(10 * time.Second); count() < least && time.Now().Before(limit) && !early; {
			select {
			case a := <-ended:
				ended <- a
				early = true
			default:
				time.Sleep(100 * time.Microsecond)
			}
		}
		kill := r.crew != nil && seed%2 == 1 && !early
		if kill {
			if err := r.replace(ctx, g.IntN(o.Processes)); err != nil {
				cancel()
				return nil, err
			}
			s.killed++
		} else {
			cancel()
		}
		a := <-ended
		cancel()
		err = a.err
		if kill && err != nil {
			return nil, fmt.Errorf("%s, executor killed: %w", doomed.name, err)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, fmt.Errorf("%s, cancelled: %w", doomed.name, err)
		}
		s.times++
		cancelled := err != nil
		if cancelled {
			s.cancelled++
		}
		b := <-beside
		if b.err != nil {
			return nil, fmt.Errorf("%s, beside it: %w", other.name, b.err)
		}
		l, err := stop()
		if err != nil {
			return nil, err
		}
		s.suspensions += len(l.Suspend)
		s.same = s.same && b.digest == alone[other.name] && (cancelled || a.digest == alone[doomed.name])
		equal = equal && s.same
		at := time.Now()
		for {
			if r.idle() {
				break
			}
			if time.Since(at) > 5*time.Second {
				leaks++
				break
			}
			time.Sleep(100 * time.Microsecond)
		}
		took := time.Since(at)
		if took > time.Second {
			late++
		}
		s.back, all = append(s.back, took), append(all, took)
	}
	for _, q := range operators {
		s := sums[q.name]
		if s == nil {
			continue
		}
		answers := "equal"
		if !s.same {
			answers = "DIFFER"
		}
		l := sorted(s.back)
		report.Row(q.name, s.times, s.cancelled, s.killed, s.suspensions, micros(quantile(l, 0.5))/1000, micros(l[len(l)-1])/1000, answers)
	}
	// The same query again, undisturbed: nothing of what was cancelled is left in it.
	for _, q := range operators {
		_, d, err := r.Run(ctx, q.text, false)
		if err != nil {
			return nil, fmt.Errorf("%s, at the end: %w", q.name, err)
		}
		equal = equal && d == alone[q.name]
	}
	l := sorted(all)
	report.Value("back after ms", []float64{micros(quantile(l, 0.5)) / 1000})
	report.Check("same answers", equal, "of the queries beside, and of all afterwards")
	report.Check("memory and slots back within 1 s", late == 0, "%d of %d later; max %.1f ms", late, seeds, micros(l[len(l)-1])/1000)
	report.Check("nothing leaked", leaks == 0, "%d times something was held 5 s later", leaks)
	return report, nil
}

// idle reports whether nothing runs, and nothing is held, anywhere.
func (r *rig) idle() bool {
	tasks, bytes := r.Leaks()
	for _, name := range r.names {
		x, ok := r.crew.Find(name)
		tasks, bytes = tasks+x.Held, bytes+x.Reserved
		if !ok {
			tasks++
		}
	}
	return tasks == 0 && bytes == 0
}

// replace kills the process of an executor and starts another.
func (r *rig) replace(ctx context.Context, i int) error {
	if err := r.children[i].Signal(syscall.SIGKILL); err != nil {
		return err
	}
	_ = r.children[i].Wait(ctx) // it was killed
	name := fmt.Sprint("x", r.made)
	r.made++
	x, err := r.crew.Join(ctx, name, "--slots", "1")
	if err != nil {
		return err
	}
	r.children[i], r.names[i] = x, name
	return nil
}
