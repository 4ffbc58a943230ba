// Package mem accounts for memory. One Pool serves all tasks of an executor;
// each task has an Account; operators hold Reservations that can be asked to
// spill when the pool runs short.
//
// The shape is that of Spark's TaskMemoryManager: a reservation that can't be
// met first makes the task's other reservations spill, largest first, then the
// asker itself. A task that then still holds less than its guaranteed share
// waits for the others to give memory back; else the reservation fails, and
// the query with it.
//
// Shares: of what the services (exchanges, tables that tasks share) leave of
// the pool, each of N tasks that hold memory may take 1/N, and is guaranteed
// 1/(2N). Suspended tasks don't count in N, and what they hold is accounted
// apart, up to a bound of its own; see docs/design/0004-memory.md.
package mem

import (
	"errors"
	"fmt"
	"maps"
	"sync"

	"neptune/internal/errs"
)

// ErrLate is what an Account's Wait returns when it has waited for long enough.
var ErrLate = errors.New("no memory came back in time")

// Pool is a bound on bytes shared by tasks. It is safe for concurrent use.
type Pool struct {
	mu       sync.Mutex
	limit    int64
	used     int64 // of tasks that aren't parked, and of services
	service  int64 // of used, that of services
	parked   int64 // of suspended tasks, apart from used
	maxPark  int64
	accounts map[*Account]struct{} // of tasks
	peak     int64
	spilled  map[string]int64 // by kind of operator
	freed    chan struct{}    // closed when memory comes back and somebody waits; nil: nobody does
}

// NewPool returns a pool of limit bytes; limit <= 0 means unbounded. What
// suspended tasks hold counts in it until SetParkLimit says otherwise.
func NewPool(limit int64) *Pool {
	return &Pool{limit: limit, accounts: map[*Account]struct{}{}, spilled: map[string]int64{}}
}

// SetParkLimit sets how many bytes suspended tasks may hold beside the pool.
func (p *Pool) SetParkLimit(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.maxPark = n
}

// Used returns the bytes reserved now, and the most there ever were.
func (p *Pool) Used() (now, peak int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.used, p.peak
}

// Parked returns the bytes that suspended tasks hold beside the pool, and the bound.
func (p *Pool) Parked() (now, limit int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.parked, p.maxPark
}

// Limit returns the bound, <= 0 when there is none.
func (p *Pool) Limit() int64 { return p.limit }

// NoteSpill counts bytes that an operator of that kind wrote to disk.
func (p *Pool) NoteSpill(kind string, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spilled[kind] += n
}

// Spilled returns the bytes written to disk so far, by kind of operator.
func (p *Pool) Spilled() map[string]int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.spilled)
}

// Account is the share of one task or service. Its methods are for the
// goroutine that runs the task (for Park, Unpark and SpillAll: for whoever
// keeps the task from running meanwhile); Used is for anyone.
type Account struct {
	pool    *Pool
	name    string
	service bool
	used    int64 // under pool.mu
	apart   bool  // parked: used counts in pool.parked
	asleep  bool  // parked, maybe without room to be apart
	held    []*Reservation
	// Wait, when set, gives the task's slot back until the channel is closed.
	// Without it a reservation that would have to wait fails.
	Wait func(<-chan struct{}) error
	// spilling: a spiller runs, and neither another may run nor anybody wait.
	spilling bool
}

// NewAccount opens a task's account; Close it when the task has ended.
func (p *Pool) NewAccount(name string) *Account {
	a := &Account{pool: p, name: name}
	p.mu.Lock()
	p.accounts[a] = struct{}{}
	p.mu.Unlock()
	return a
}

// NewService opens an account that is no task's: what it holds lessens what
// tasks share, and it takes no part in the sharing.
func (p *Pool) NewService(name string) *Account {
	return &Account{pool: p, name: name, service: true}
}

// Pool returns the pool of the account.
func (a *Account) Pool() *Pool { return a.pool }

// Close gives everything back. It is idempotent.
func (a *Account) Close() {
	p := a.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range a.held {
		r.size = 0
	}
	a.move(-a.used)
	a.held, a.asleep, a.apart = nil, false, false
	delete(p.accounts, a)
}

// move changes what the account holds, in all sums. pool.mu is held.
func (a *Account) move(n int64) {
	p := a.pool
	a.used += n
	switch {
	case a.apart:
		p.parked += n
	default:
		p.used += n
		p.peak = max(p.peak, p.used)
		if a.service {
			p.service += n
		}
	}
	if n < 0 {
		p.wake()
	}
}

// wake lets those who wait for memory try again. mu is held.
func (p *Pool) wake() {
	if p.freed != nil {
		close(p.freed)
		p.freed = nil
	}
}

// Used returns the bytes that the account holds.
func (a *Account) Used() int64 {
	a.pool.mu.Lock()
	defer a.pool.mu.Unlock()
	return a.used
}

// Park says that the task is suspended: it leaves the sharing, and what it
// holds is accounted apart if the bound for suspended tasks has room. It
// reports whether that is so; else the memory still counts in the pool, and
// SpillAll may be called to free it.
func (a *Account) Park() bool {
	p := a.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	a.asleep = true
	if a.apart || p.limit > 0 && p.parked+a.used > p.maxPark {
		return a.apart || a.used == 0
	}
	p.used -= a.used
	p.parked += a.used
	a.apart = true
	p.wake()
	return true
}

// Unpark says that the task runs again. The pool may be over its limit then,
// until tasks that are over their share next ask for memory, and spill.
func (a *Account) Unpark() {
	p := a.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	a.asleep = false
	if a.apart {
		p.parked -= a.used
		p.used += a.used
		p.peak = max(p.peak, p.used)
		a.apart = false
	}
}

// SpillAll makes the reservations of the account spill, largest first, but for
// small ones, which aren't worth a file. An operator that is in the middle of
// something gives nothing.
func (a *Account) SpillAll() error {
	small := min(64<<10, a.pool.limit/64)
	tried := map[*Reservation]bool{}
	for {
		r := a.largest(tried)
		if r == nil || r.size < small {
			return nil
		}
		tried[r] = true
		if err := r.spill(); err != nil {
			return err
		}
	}
}

func (a *Account) largest(except map[*Reservation]bool) *Reservation {
	var out *Reservation
	if a.spilling {
		return nil
	}
	for _, o := range a.held {
		if !except[o] && o.spiller != nil && o.size > 0 && (out == nil || o.size > out.size) {
			out = o
		}
	}
	return out
}

// Spiller frees memory by writing state to disk. It returns the bytes it
// freed (having called Resize or Release itself), 0 if it can't.
//
// It is called on the task's own goroutine, inside another operator's Grow, or
// beside it while the task is suspended at a yield point: any point where its
// operator yields or asks for memory. An operator that isn't in order there
// must say so by a flag of its own and free nothing. Spill may not yield.
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

// spill asks the owner.
func (r *Reservation) spill() error {
	r.account.spilling = true
	defer func() { r.account.spilling = false }()
	_, err := r.spiller.Spill()
	return err
}

// share is the most that a task may hold, and the least that it is guaranteed. mu is held.
func (p *Pool) share(asker *Account) (most, least int64) {
	n := int64(0)
	for a := range p.accounts {
		if a == asker || a.used > 0 && !a.asleep {
			n++
		}
	}
	most = max(0, p.limit-p.service) / max(n, 1)
	return most, most / 2
}

// Share is the most that the account may hold now, 0 when there is no bound.
// Operators size their fixed buffers by it.
func (a *Account) Share() int64 {
	p := a.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit <= 0 {
		return 0
	}
	most, _ := p.share(a)
	return max(most, 1)
}

// take tries to move the reservation by n bytes. When it can't, wait is closed
// when memory has come back; it is nil when waiting would be no use.
func (r *Reservation) take(n int64) (ok bool, wait <-chan struct{}) {
	a := r.account
	p := a.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if n > 0 && p.limit > 0 && !a.apart {
		full := p.used+n > p.limit
		if a.service {
			if full {
				return false, nil
			}
		} else if most, least := p.share(a); full || a.used+n > most {
			if a.used+n > least {
				return false, nil
			}
			if p.freed == nil {
				p.freed = make(chan struct{})
			}
			return false, p.freed
		}
	}
	r.size += n
	a.move(n)
	return true, nil
}

// takeFree is the last resort of a task that has nothing to spill: it takes
// more than its share, of what is free. Others spill or wait sooner for it.
func (r *Reservation) takeFree(n int64) bool {
	p := r.account.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used+n > p.limit {
		return false
	}
	r.size += n
	r.account.move(n)
	return true
}

// Try grows by n bytes if the pool has them, without making anyone spill.
func (r *Reservation) Try(n int64) bool {
	ok, _ := r.take(n)
	return ok
}

// Grow grows by n bytes, making the task's operators spill if it must, and
// waiting for other tasks if they hold what this one is guaranteed. Its
// error is UNABLE_TO_ACQUIRE_MEMORY: the query can't go on in this pool.
func (r *Reservation) Grow(n int64) error {
	ok, _ := r.take(n)
	if ok {
		return nil
	}
	tried := map[*Reservation]bool{r: true}
	for {
		victim := r.account.largest(tried)
		if victim == nil {
			break
		}
		tried[victim] = true
		if err := victim.spill(); err != nil {
			return err
		}
		if r.Try(n) {
			return nil
		}
	}
	if r.spiller != nil && r.size > 0 && !r.account.spilling {
		if err := r.spill(); err != nil {
			return err
		}
	}
	for {
		ok, wait := r.take(n)
		if ok || r.takeFree(n) {
			return nil
		}
		if wait == nil || r.account.Wait == nil || r.account.spilling {
			return r.Refused(n)
		}
		if err := r.account.Wait(wait); err == ErrLate {
			return r.Refused(n)
		} else if err != nil {
			return err
		}
	}
}

// Refused is the error for n bytes that there is no room for: UNABLE_TO_ACQUIRE_MEMORY.
func (r *Reservation) Refused(n int64) error {
	a := r.account
	p := a.pool
	p.mu.Lock()
	free := p.limit - p.used
	if !a.service {
		most, _ := p.share(a)
		free = min(free, most-a.used)
	}
	p.mu.Unlock()
	return errs.New(errs.OutOfMemory, "UNABLE_TO_ACQUIRE_MEMORY", "requestedBytes", fmt.Sprint(n), "receivedBytes", fmt.Sprint(max(0, free)))
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
