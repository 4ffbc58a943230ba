package op

import (
	"io"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// Queue keeps batches of a task in order, in memory while there is room and
// else in a file, until they are drained.
type Queue struct {
	c    *task.Ctx
	rows *rowBuffer
}

// NewQueue returns an empty Queue; owner names who keeps the rows, in statistics and errors.
func NewQueue(c *task.Ctx, owner string, schema []*types.Type) *Queue {
	return &Queue{c, newRowBuffer(c, owner, schema)}
}

// Add keeps a batch.
func (q *Queue) Add(b *vec.Batch) error { return q.rows.add(b) }

// Drain hands all batches to f, in order. Nothing may be added any more.
func (q *Queue) Drain(f func(*vec.Batch) error) error {
	if err := q.rows.finish(); err != nil {
		return err
	}
	for r := q.rows.reader(); ; {
		b, err := r.next(q.c)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = f(b)
		}
		if err != nil {
			return err
		}
	}
}

// Close gives memory and file back. It is idempotent.
func (q *Queue) Close() error { return q.rows.close() }
