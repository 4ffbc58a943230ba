// Package shuffle moves rows from the tasks of one stage to those of the next.
//
// Local is the exchange inside a process: it passes pointers to batches, and
// writes to disk what the memory pool has no room for. Service is the seam
// behind which an exchange between processes fits.
//
// There is a barrier: readers start when all writers of the exchange have
// committed. The scheduler sees to it.
package shuffle

import (
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// Service is an exchange of rows between tasks.
type Service interface {
	// Writer opens the sink of one task (partition writer) of the stage under x,
	// which deals rows to parts partitions (1 for Single and Broadcast).
	Writer(c *task.Ctx, query string, x *physical.Exchange, writer, parts int) (Writer, error)
	// Exchanges is the reading side, as operators see it.
	op.Exchanges
	// Sizes returns how many bytes a writer of this process committed for each
	// partition (RangeBy: in all), nil if it hasn't.
	Sizes(query string, x *physical.Exchange, writer int) []int64
	// Release gives back all that a query's exchanges hold. No task of it may be running.
	Release(query string)
}

// Writer takes the rows of one task. Calls come on the task's goroutine.
type Writer interface {
	// Write deals the rows of a batch.
	Write(c *task.Ctx, b *vec.Batch) error
	// Commit makes the rows visible to readers, replacing those that an earlier
	// attempt of the same task committed.
	Commit(c *task.Ctx) error
	// Close drops what wasn't committed. It is idempotent.
	Close() error
}
