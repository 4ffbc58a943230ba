package worker

import (
	"io"

	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/shuffle"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// Stage is what a task of a stage does: pull the rows of its plan, and deal
// them to an exchange or hand them to Consume.
type Stage struct {
	Root physical.Node
	Deps op.Deps
	// Output is where the rows go, divided among Parts partitions; nil: to Consume, which may be nil too.
	Output  *physical.Exchange
	Parts   int
	Shuffle shuffle.Service
	Consume func(c *task.Ctx, b *vec.Batch) error
}

// Run is the body of the task.
func (s *Stage) Run(c *task.Ctx) (err error) {
	root, err := op.Build(s.Root, s.Deps)
	if err != nil {
		return err
	}
	defer func() {
		if e := root.Close(); err == nil {
			err = e
		}
	}()
	put := s.Consume
	if s.Output != nil {
		w, err := s.Shuffle.Writer(c, c.Info.Query, s.Output, c.Info.Partition, s.Parts)
		if err != nil {
			return err
		}
		defer func() {
			if e := w.Close(); err == nil {
				err = e
			}
		}()
		if err := s.pull(c, root, w.Write); err != nil {
			return err
		}
		return w.Commit(c)
	}
	return s.pull(c, root, put)
}

func (s *Stage) pull(c *task.Ctx, root op.Operator, put func(*task.Ctx, *vec.Batch) error) error {
	if err := root.Open(c); err != nil {
		return err
	}
	for {
		b, err := root.Next(c)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if put != nil {
			if err := put(c, b); err != nil {
				return err
			}
		}
		if err := c.Yield(); err != nil {
			return err
		}
	}
}
