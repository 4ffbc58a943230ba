package sidecar

import (
	"context"
	"sync"

	"neptune/arrowexec/task"
)

// results carries the encoded batches of a query's result stage from its tasks
// to the one goroutine that hands them to the client, partition after
// partition. Tasks that are ahead of the client wait, without a slot, once
// limit bytes are buffered; the task whose turn it is never waits for others.
type results struct {
	mu     sync.Mutex
	parts  []part
	opened chan struct{} // closed when the number of partitions is known
	turn   int           // partition that the client reads now
	bytes  int64
	limit  int64
	// hold keeps a partition back until it is complete, or too large to keep, so
	// that its task can start again (mode kill).
	hold bool
	news chan struct{} // closed and replaced when something was put or a partition ended
	room chan struct{} // the same, when something was taken
}

type part struct {
	chunks []chunk
	done   bool
	sent   bool // some of it is with the client
	doomed bool // its task is being killed, to start again
}

type chunk struct {
	ipc  []byte
	rows int64
}

func newResults(limit int64) *results {
	return &results{opened: make(chan struct{}), news: make(chan struct{}), room: make(chan struct{}), limit: limit}
}

// open says how many partitions there are; the driver calls it before the first of them runs.
func (r *results) open(n int) {
	r.mu.Lock()
	r.parts = make([]part, n)
	r.mu.Unlock()
	close(r.opened)
}

func signal(c *chan struct{}) {
	close(*c)
	*c = make(chan struct{})
}

// put adds a chunk of a partition, waiting while too much is buffered.
func (r *results) put(c *task.Ctx, p int, ipc []byte, rows int64) error {
	for {
		r.mu.Lock()
		if r.bytes == 0 || p == r.turn && r.bytes < 2*r.limit || r.bytes+int64(len(ipc)) <= r.limit {
			r.parts[p].chunks = append(r.parts[p].chunks, chunk{ipc, rows})
			r.bytes += int64(len(ipc))
			signal(&r.news)
			r.mu.Unlock()
			return nil
		}
		room := r.room
		r.mu.Unlock()
		if err := c.Await(room); err != nil {
			return err
		}
	}
}

// begin forgets what an earlier attempt at a partition put.
func (r *results) begin(p int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.parts[p].chunks {
		r.bytes -= int64(len(c.ipc))
	}
	r.parts[p] = part{}
	signal(&r.room)
}

// evict reports whether the task of a partition can start again, and keeps back what it puts until it does.
func (r *results) evict(p int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.parts[p].sent || r.parts[p].done {
		return false
	}
	r.parts[p].doomed = true
	return true
}

// end says that a partition is complete.
func (r *results) end(p int) {
	r.mu.Lock()
	r.parts[p].done, r.parts[p].doomed = true, false
	signal(&r.news)
	r.mu.Unlock()
}

// drain hands all chunks to f in order, until all partitions have ended. It
// returns early with f's error, or when ctx is done with its cause.
func (r *results) drain(ctx context.Context, f func(ipc []byte, rows int64) error) error {
	select {
	case <-r.opened:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		r.mu.Lock()
		if r.turn == len(r.parts) {
			r.mu.Unlock()
			return nil
		}
		p := &r.parts[r.turn]
		var chunks []chunk
		if !p.doomed && (!r.hold || p.done || r.bytes >= r.limit) {
			chunks, p.chunks = p.chunks, nil
		}
		p.sent = p.sent || len(chunks) > 0
		for _, c := range chunks {
			r.bytes -= int64(len(c.ipc))
		}
		if len(chunks) == 0 && p.done {
			r.turn++
			signal(&r.room)
			r.mu.Unlock()
			continue
		}
		news := r.news
		if len(chunks) > 0 {
			signal(&r.room)
		}
		r.mu.Unlock()
		for _, c := range chunks {
			if err := f(c.ipc, c.rows); err != nil {
				return err
			}
		}
		if len(chunks) == 0 {
			select {
			case <-news:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}
