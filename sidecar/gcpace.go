package sidecar

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// The garbage collector runs when the heap has doubled, which a server with few
// live bytes and fast queries does a hundred times a second; each run takes a
// core from tasks, and stops the world twice. paceGC lets a process that
// allocates fast have some room beyond what is live before the next run, so that
// runs are gcApart apart; one that allocates little stays small. Where much is
// live the room is less, down to a share of that: batches hold few pointers, so that
// marking is cheap and memory is better used for rows. (TPC-H's 22 queries in turn, SF1: peak 574 MiB with a share
// of 0.4 and no bound of the heap, 482 with 0.2, 456 with 0.1, in the same time.)
//
// While stream tasks come the room may be larger: for the 2 ms that a run takes, an
// event may wait behind the threads that mark, which are as urgent as its own. With
// ten runs a second that was every fiftieth event.
const (
	gcApart = 250 * time.Millisecond
	gcLeast = 4 << 20
	gcFirst = 200 // GOGC at the start
)

// gcRoom bounds what may be allocated between two runs.
type gcRoom struct {
	most  int64   // bytes
	heap  int64   // bytes with what is live: the room ends there
	share float64 // but it's this share of what is live at least
}

var (
	gcBatch = gcRoom{most: 160 << 20, heap: 288 << 20, share: 0.15}
	gcMixed = gcRoom{most: 384 << 20, heap: 1 << 40, share: 0.75}
)

// mixed is how many executors of this process stream tasks come to.
var mixed atomic.Int32

// paceMixed counts one more, or one less.
func paceMixed(yes bool) {
	if yes {
		mixed.Add(1)
	} else {
		mixed.Add(-1)
	}
}

// gcPacer sets GOGC anew after each run of the garbage collector.
type gcPacer struct {
	last    time.Time
	percent int
	stopped atomic.Bool
	sample  []metrics.Sample
}

// paceGC begins; the returned function ends it and sets GOGC back. It does
// nothing if GOGC is set by others.
func paceGC() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	debug.SetGCPercent(gcFirst)
	p := &gcPacer{last: time.Now(), percent: gcFirst, sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	p.arm()
	return func() {
		if !p.stopped.Swap(true) {
			debug.SetGCPercent(100)
		}
	}
}

// sentinel dies in each run of the garbage collector. It has a pointer, since
// the smallest objects without one share memory and die together.
type sentinel struct{ p *gcPacer }

// arm has set called after the next run, by the runtime's own goroutine.
func (p *gcPacer) arm() {
	runtime.AddCleanup(&sentinel{p}, func(p *gcPacer) {
		if !p.stopped.Load() {
			p.set()
			p.arm()
		}
	}, p)
}

func (p *gcPacer) set() {
	metrics.Read(p.sample)
	live := int64(p.sample[0].Value.Uint64())
	now := time.Now()
	room := gcBatch
	if mixed.Load() > 0 {
		room = gcMixed
	}
	n := gcPercent(live, p.percent, now.Sub(p.last), room)
	p.last = now
	// To set it stops the world: small changes aren't worth that.
	if n > p.percent*5/4 || n < p.percent*4/5 {
		p.percent = n
		debug.SetGCPercent(n)
	}
}

// gcPercent is GOGC for a heap of which live bytes are in use, when the last
// run was apart ago and GOGC was percent.
func gcPercent(live int64, percent int, apart time.Duration, bound gcRoom) int {
	live = max(live, gcLeast)
	room := float64(live) * float64(percent) / 100 // what has been allocated since
	room *= float64(gcApart) / float64(max(apart, time.Millisecond))
	room = max(min(room, float64(min(bound.most, bound.heap-live))), float64(live)*bound.share, gcLeast)
	return int(room * 100 / float64(live))
}
