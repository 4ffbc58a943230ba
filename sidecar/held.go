package sidecar

import (
	"sync"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/vec"
)

// held accounts for rows that no task owns: those that come with a plan, and
// results that the driver gathers. It is safe for concurrent use.
type held struct {
	mu      sync.Mutex
	account *mem.Account
	mem     *mem.Reservation
	small   int64 // bytes not counted yet
}

// uncounted is how many bytes of a query's rows aren't worth counting.
const uncounted = 1 << 20

func (e *Engine) hold(name string) *held {
	a := e.pool.NewService(name)
	return &held{account: a, mem: a.Reserve(name, nil)}
}

// add reserves n bytes, or fails with UNABLE_TO_ACQUIRE_MEMORY.
func (h *held) add(n int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.small += n; h.small <= uncounted {
		return nil
	}
	n, h.small = h.small, uncounted
	if h.mem.Size() > 0 {
		n -= uncounted
	}
	return h.mem.Grow(n)
}

// close gives all back; rows that come later aren't counted.
func (h *held) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.account.Close()
}

// localBytes is the memory of the rows that stand in a plan.
func localBytes(root physical.Node) (size int64) {
	seen := map[physical.Node]bool{}
	var walk func(n physical.Node)
	walk = func(n physical.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		size += ownBytes(n)
		for _, k := range n.Children() {
			walk(k)
		}
	}
	walk(root)
	return size
}

func ownBytes(n physical.Node) (size int64) {
	if l, ok := n.(*physical.Local); ok {
		batches, _ := l.Data.([]*vec.Batch)
		for _, b := range batches {
			size += b.Size()
		}
	}
	return size
}

// resultBuffer is how many bytes of a query's result may wait for its client.
func (e *Engine) resultBuffer() int64 {
	if e.conf.Memory <= 0 {
		return 64 << 20
	}
	return max(1<<20, min(64<<20, e.conf.Memory/16))
}
