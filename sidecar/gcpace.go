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
// allocates fast have gcRoom beyond what is live before the next run, so that
// runs are gcApart apart; one that allocates little stays small. Beyond that
// the room is gcShare of what is live: batches hold few pointers, so that
// marking is cheap and memory is better used for rows. (With three quarters instead, the
// peak of a window over 1e7 rows was 884 MiB rather than 735, and its CPU 1.29 s rather than 1.41.)
//
// While stream tasks come the room may be larger: for the 2 ms that a run takes, an
// event may wait behind the threads that mark, which are as urgent as its own. With
// ten runs a second that was every fiftieth event.
const (
	gcApart      = 250 * time.Millisecond
	gcRoom       = 160 << 20
	gcMixed      = 384 << 20 // instead of gcRoom while stream tasks come
	gcLeast      = 4 << 20
	gcShare      = 0.4
	gcMixedShare = 0.75 // the same for gcShare
	gcFirst      = 200  // GOGC at the start
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
	room, share := gcRoom, gcShare
	if mixed.Load() > 0 {
		room, share = gcMixed, gcMixedShare
	}
	n := gcPercent(live, p.percent, now.Sub(p.last), room, share)
	p.last = now
	// To set it stops the world: small changes aren't worth that.
	if n > p.percent*5/4 || n < p.percent*4/5 {
		p.percent = n
		debug.SetGCPercent(n)
	}
}

// gcPercent is GOGC for a heap of which live bytes are in use, when the last
// run was apart ago and GOGC was percent; most bounds the room that comes from gcApart,
// and share of live is there at least.
func gcPercent(live int64, percent int, apart time.Duration, most int, share float64) int {
	live = max(live, gcLeast)
	room := float64(live) * float64(percent) / 100 // what has been allocated since
	room *= float64(gcApart) / float64(max(apart, time.Millisecond))
	room = max(min(room, float64(most)), float64(live)*share, gcLeast)
	return int(room * 100 / float64(live))
}
