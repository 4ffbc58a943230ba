// Package stream drives micro-batches: it waits for triggers, asks sources how
// far they are, logs offsets, has each batch planned and run by its Runner, and
// commits. The logs and the order of writing them are those of Spark's
// MicroBatchExecution: offsets before the batch, a commit after it, so that a
// restart repeats at most the last batch with the same offsets.
package stream

import (
	"context"

	"neptune/internal/plan"
)

// Offset is a source's position, as JSON; "" is before the first row.
type Offset string

// Source is where a streaming relation's rows come from. Its methods are
// called by one goroutine.
type Source interface {
	// Description names the source in progress reports.
	Description() string
	// Latest is the newest position to go to from there: limited as the
	// source's options say unless all is set, "" or from itself when there is nothing new.
	Latest(ctx context.Context, from Offset, all bool) (Offset, error)
	// Freeze fixes the end: Latest never goes beyond what is there now (trigger availableNow).
	Freeze(ctx context.Context, from Offset) error
	// Batch returns the rows in (from, to] as a relation with the given output columns,
	// and their number, -1 if that isn't known beforehand.
	Batch(ctx context.Context, from, to Offset, out []*plan.Attr) (plan.Node, int64, error)
	// Commit tells that rows up to there have been processed.
	Commit(to Offset) error
}

// Def is an opened streaming source that has no query yet: the Handle of a
// plan.Relation with Streaming set.
type Def interface {
	plan.Source
	// Start makes the source of one query. metadata is a folder of its own in the checkpoint.
	Start(metadata string) (Source, error)
}
