// Package op holds the operators, one a file. Package exec (build.go) makes
// them from physical nodes.
package op

import (
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// Operator is a node of a task's pipeline, pulled from above.
//
// Calls come in this order, on one goroutine: Open once, Next until it returns
// io.EOF or another error, Close. Close may come at any time, even without
// Open, and more than once; it closes the inputs and gives back memory, files
// and goroutines.
type Operator interface {
	// Open opens the inputs and reserves what is needed from the start. It may yield.
	Open(c *task.Ctx) error
	// Next returns the next batch, never an empty one (N == 0), or io.EOF.
	// The batch stays valid for ever (vectors are immutable); its memory is
	// the consumer's to account for once the next Next has been called.
	Next(c *task.Ctx) (*vec.Batch, error)
	Close() error
	// Schema is the types of the columns of the batches.
	Schema() []*types.Type
	Inputs() []Operator
}
