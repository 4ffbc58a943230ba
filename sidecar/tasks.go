package sidecar

import (
	"errors"
	"fmt"
	"syscall"

	"neptune/arrowexec/datasource"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/shuffle"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/arrowexec/worker"
	"neptune/scheduler/cluster"
	"neptune/scheduler/stagegraph"
)

// launch starts a task.
func (h *host) launch(l launch) {
	t := &hosted{account: h.pool.NewAccount(fmt.Sprintf("%s/%d.%d", l.info.Query, l.info.Stage, l.info.Partition)), notes: &taskNotes{}}
	h.tasks.Store(l.id, t)
	body := l.body
	if body == nil {
		body = func(c *task.Ctx) error { return l.run(c, t) }
	}
	tk := task.New(l.info, l.conf, t.account, func(c *task.Ctx) error {
		c.Every = l.every
		return body(c)
	})
	h.worker.Launch(worker.Launch{ID: l.id, Task: tk, Suspend: l.suspend, Victim: l.victim, Done: func(error) {
		t.account.Close()
		if l.done != nil {
			l.done()
		}
	}})
}

// run is the body of a task.
func (l *launch) run(c *task.Ctx, t *hosted) error {
	size := sizer{l.slots}
	deps := op.Deps{Conf: l.conf, Query: l.info.Query, Partition: l.info.Partition, Partitions: l.info.Partitions, Shuffle: l.service,
		Tasks: func(n physical.Node) int { return max(1, stagegraph.Tasks(n, size)) }, Scan: scan, Write: datasource.NewWrite}
	t.notes.take(&deps, l.root, l.count)
	st := worker.Stage{Root: l.root, Output: l.output, Deps: deps, Shuffle: l.service}
	if l.output == nil {
		st.Consume = func(c *task.Ctx, b *vec.Batch) error {
			t.notes.Rows += int64(b.N)
			if l.consume == nil {
				return nil
			}
			return l.consume(c, b)
		}
	} else {
		st.Parts = max(1, stagegraph.Tasks(l.output, size))
	}
	if l.around != nil {
		return l.around(c, func() error { return st.Run(c) })
	}
	err := st.Run(c)
	if err == nil && l.output != nil {
		t.sizes = l.service.Sizes(l.info.Query, l.output, l.info.Partition)
	}
	return err
}

// scan makes the reader of a task's share of a source, rows of the cache included.
func scan(s *physical.Scan, partition, partitions int) (op.Operator, error) {
	if rows, ok := s.Source.(*cachedSource); ok {
		return rows.scan(s, partition, partitions)
	}
	return datasource.NewScan(s, partition, partitions)
}

// sourcesOf is what the driver says of inputs, for the exchange.
func sourcesOf(s *cluster.Sources) shuffle.Sources {
	out := make(shuffle.Sources, len(s.Exchanges))
	for id, places := range s.Exchanges {
		list := make([]shuffle.Location, len(places))
		for i, p := range places {
			list[i] = shuffle.Location{Writer: p.Writer, Executor: string(p.Executor), Addr: p.Addr}
		}
		out[id] = list
	}
	return out
}

// mayPass reports whether a task that failed so may succeed elsewhere, or later:
// what a disk or a machine is short of is that one's affair.
func mayPass(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.EROFS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
