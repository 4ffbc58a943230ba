package op

import (
	"io"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// local emits batches that exist already.
type local struct {
	schema  []*types.Type
	batches []*vec.Batch
	at      int // batch
	row     int // in it
}

// NewLocal returns an operator that emits batches, cut to the task's batch size.
func NewLocal(schema []*types.Type, batches []*vec.Batch) Operator {
	return &local{schema: schema, batches: batches}
}

// Share returns the part of batches that task partition, of partitions, emits:
// neighbours stay together, so that all tasks in turn keep the order.
func Share(batches []*vec.Batch, partition, partitions int) []*vec.Batch {
	if partitions <= 1 {
		return batches
	}
	n := len(batches)
	return batches[n*partition/partitions : n*(partition+1)/partitions]
}

func (l *local) Open(*task.Ctx) error { return nil }

func (l *local) Next(c *task.Ctx) (*vec.Batch, error) {
	for l.at < len(l.batches) {
		b := l.batches[l.at]
		if l.row >= b.N {
			l.at, l.row = l.at+1, 0
			continue
		}
		to := min(b.N, l.row+batchRows(c.Conf))
		out := b.Slice(l.row, to)
		l.row = to
		return out, c.Yield()
	}
	return nil, io.EOF
}

func (l *local) Close() error { return nil }

func (l *local) Schema() []*types.Type { return l.schema }

func (l *local) Inputs() []Operator { return nil }
