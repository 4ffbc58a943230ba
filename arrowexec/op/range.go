package op

import (
	"io"
	"math/big"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// rangeOp emits one partition of a range of integers.
type rangeOp struct {
	next, left, step int64 // next value, how many are left
	pool             *vec.Pool
}

// NewRange returns the part of start, start+step ... (before end) that task
// partition, of partitions, emits. Values are cut as Spark cuts them: n values,
// partition i has those from i*n/partitions on.
// The values' memory is of pool.
func NewRange(start, end, step int64, partition, partitions int, pool *vec.Pool) Operator {
	n := rangeCount(start, end, step)
	p := big.NewInt(int64(max(partitions, 1)))
	cut := func(i int) *big.Int {
		x := new(big.Int).Mul(n, big.NewInt(int64(i)))
		return x.Quo(x, p)
	}
	from, to := cut(partition), cut(partition+1)
	left := new(big.Int).Sub(to, from)
	first := new(big.Int).Mul(from, big.NewInt(step))
	first.Add(first, big.NewInt(start))
	r := &rangeOp{step: step, left: left.Int64(), pool: pool}
	if r.left > 0 {
		r.next = first.Int64()
	}
	return r
}

// rangeCount is the number of values; it can pass an int64.
func rangeCount(start, end, step int64) *big.Int {
	d := new(big.Int).Sub(big.NewInt(end), big.NewInt(start))
	s := big.NewInt(step)
	if step == 0 || d.Sign() != s.Sign() {
		return new(big.Int)
	}
	d.Abs(d).Sub(d, big.NewInt(1))
	d.Quo(d, s.Abs(s))
	return d.Add(d, big.NewInt(1))
}

func (r *rangeOp) Open(*task.Ctx) error { return nil }

func (r *rangeOp) Next(c *task.Ctx) (*vec.Batch, error) {
	if r.left <= 0 {
		return nil, io.EOF
	}
	n := min(r.left, int64(batchRows(c.Conf)))
	out := vec.Scratch[int64](r.pool, int(n))
	x := r.next
	for i := range out {
		out[i] = x
		x += r.step
	}
	r.next = x
	r.left -= n
	c.Stats.RowsIn.Add(n)
	v := vec.FromSlice(types.Int64Type, out, nil)
	b := &vec.Batch{N: int(n), Cols: []*vec.Vector{v}}
	b.Own(r.pool, v)
	return b, c.Yield()
}

func (r *rangeOp) Close() error { return nil }

func (r *rangeOp) Schema() []*types.Type { return []*types.Type{types.Int64Type} }

func (r *rangeOp) Inputs() []Operator { return nil }
