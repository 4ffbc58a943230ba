// Package mem accounts for memory. One Pool serves all tasks of an executor;
// each task has an Account; operators hold Reservations that can be asked to
// spill when the pool runs short.
//
// The shape is that of Spark's TaskMemoryManager: a reservation that can't be
// met first makes the task's other reservations spill, largest first, then the
// asker itself, and only then fails with a clear error. Each task is guaranteed
// 1/(2N) of the pool, N being the number of tasks with reservations.
package mem

import (
	"fmt"
	"sync"

	"neptune/internal/errs"
)

// Pool is a bound on bytes shared by tasks. It is safe for concurrent use.
type Pool struct {
	mu       sync.Mutex
	limit    int64
	used     int64
	accounts map[*Account]struct{}
	peak     int64
}

// NewPool returns a pool of limit bytes; limit <= 0 means unbounded.
func NewPool(limit int64) *Pool {
	return &Pool{limit: limit, accounts: map[*Account]struct{}{}}
}

// Used returns the bytes reserved now, and the most there ever were.
func (p *Pool) Used() (now, peak int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used, p.peak
}

// Limit returns the bound, <= 0 when there is none.
func (p *Pool) Limit() int64 { return p.limit }

// Account is the share of one task. Its methods are for the goroutine that
// runs the task; Used is for anyone.
type Account struct {
	pool *Pool
	name string
	used int64 // under pool.mu
	held []*Reservation
}

// NewAccount opens an account; Close it when the task has ended.
func (p *Pool) NewAccount(name string) *Account {
	a := &Account{pool: p, name: name}
	p.mu.Lock()
	p.accounts[a] = struct{}{}
	p.mu.Unlock()
	return a
}

// Close gives everything back. It is idempotent.
func (a *Account) Close() {
	p := a.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used -= a.used
	a.used = 0
	for _, r := range a.held {
		r.size = 0
	}
	a.held = nil
	delete(p.accounts, a)
}

// Used returns the bytes that the account holds.
func (a *Account) Used() int64 {
	a.pool.mu.Lock()
	defer a.pool.mu.Unlock()
	return a.used
}

// Spiller frees memory by writing state to disk. It returns the bytes it
// freed (having called Resize or Release itself), 0 if it can't. It runs on
// the task's own goroutine, inside another operator's Grow, so it may not
// yield.
type Spiller interface {
	Spill() (freed int64, err error)
}

// Reservation is what one operator holds.
type Reservation struct {
	account *Account
	owner   string
	size    int64
	spiller Spiller
}

// Reserve opens an empty reservation; s may be nil if the owner can't spill.
func (a *Account) Reserve(owner string, s Spiller) *Reservation {
	r := &Reservation{account: a, owner: owner, spiller: s}
	a.held = append(a.held, r)
	return r
}

// Size returns the bytes held.
func (r *Reservation) Size() int64 { return r.size }

// take tries to move the reservation by n bytes.
func (r *Reservation) take(n int64) bool {
	p := r.account.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > 0 && p.limit > 0 {
		active := int64(0)
		for a := range p.accounts {
			if a.used > 0 || a == r.account {
				active++
			}
		}
		// A task may have at most 1/N of the pool (Spark: ExecutionMemoryPool).
		if p.used+n > p.limit || active > 1 && r.account.used+n > p.limit/active {
			return false
		}
	}
	p.used += n
	r.account.used += n
	r.size += n
	p.peak = max(p.peak, p.used)
	return true
}

// Try grows by n bytes if the pool has them, without making anyone spill.
func (r *Reservation) Try(n int64) bool { return r.take(n) }

// Grow grows by n bytes, making the task's operators spill if it must. Its
// error is UNABLE_TO_ACQUIRE_MEMORY: the query can't go on in this pool.
func (r *Reservation) Grow(n int64) error {
	if r.take(n) {
		return nil
	}
	tried := map[*Reservation]bool{r: true}
	for {
		var victim *Reservation
		for _, o := range r.account.held {
			if !tried[o] && o.spiller != nil && o.size > 0 && (victim == nil || o.size > victim.size) {
				victim = o
			}
		}
		if victim == nil {
			break
		}
		tried[victim] = true
		if _, err := victim.spiller.Spill(); err != nil {
			return err
		}
		if r.take(n) {
			return nil
		}
	}
	if r.spiller != nil && r.size > 0 {
		if _, err := r.spiller.Spill(); err != nil {
			return err
		}
		if r.take(n) {
			return nil
		}
	}
	return errs.New(errs.OutOfMemory, "UNABLE_TO_ACQUIRE_MEMORY",
		"requestedBytes", fmt.Sprint(n), "receivedBytes", fmt.Sprint(max(0, r.account.pool.limit-r.account.pool.usedNow())))
}

func (p *Pool) usedNow() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used
}

// Resize sets the size: growing may spill others, shrinking never fails.
func (r *Reservation) Resize(n int64) error {
	if n > r.size {
		return r.Grow(n - r.size)
	}
	r.take(n - r.size)
	return nil
}

// Release gives everything back and closes the reservation. It is idempotent.
func (r *Reservation) Release() {
	r.take(-r.size)
	held := r.account.held
	for i, o := range held {
		if o == r {
			r.account.held = append(held[:i:i], held[i+1:]...)
			return
		}
	}
}
