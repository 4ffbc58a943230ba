package expr

import (
	"time"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// stepTime is what one step of a kernel may take before the task gets a yield
// point: a batch of a costly function (a digest, a regular expression, JSON)
// takes milliseconds, which a stream task would have to wait for.
const stepTime = 100 * time.Microsecond

// firstStep is the number of rows of the first step, when the cost of a row
// isn't known yet; minStep the least number.
const (
	firstStep = 128
	minStep   = 32

	paceGrowth = 8 // how much larger a step may be than the one before
)

// pace cuts the evaluation of a batch into steps of about stepTime, by what the
// rows before have cost. Cheap kernels see whole batches, at the price of
// reading the clock twice a batch.
type pace struct {
	rows  int // of the next step; 0: not known
	parts []*vec.Vector
}

// run computes n values of type t by calls of step(from, to), with env's yield point between two, and
// lays their results end to end. A step gets rows from..to of the batch.
func (p *pace) run(t *types.Type, n int, env *fn.Env, step func(from, to int) (*vec.Vector, error)) (*vec.Vector, error) {
	if p.rows == 0 {
		p.rows = firstStep
	}
	defer func() {
		clear(p.parts)
		p.parts = p.parts[:0]
	}()
	size, next := 0, 0
	for from := 0; ; {
		to := min(n, from+p.rows)
		start := time.Now()
		v, err := step(from, to)
		if err != nil {
			return nil, err
		}
		p.learn(to-from, time.Since(start))
		if from == 0 && to == n {
			return v, nil
		}
		if err := env.Yield(); err != nil {
			return nil, err
		}
		if v.Layout == vec.None {
			v = vec.MakeNull(t, v.N)
		}
		p.parts = append(p.parts, v)
		size += len(v.Buf)
		if err := env.Grown(&next, size); err != nil {
			return nil, err
		}
		if from = to; from == n {
			break
		}
	}
	return vec.ConcatColumn(t, p.parts, env.Yield)
}

// learn sets the size of the next step from one of k rows that took d.
func (p *pace) learn(k int, d time.Duration) {
	const most = 1 << 30
	if d <= 0 {
		p.rows = most
		return
	}
	rows := int64(k) * int64(stepTime) / int64(d)
	if k < minStep && rows < minStep {
		return // too few to tell: most of it is the call itself
	}
	rows = min(rows, max(paceGrowth*int64(k), firstStep)) // rows to come may be dearer than these
	p.rows = int(min(max(rows, minStep), most))
}
