package sidecar

import (
	"runtime/metrics"
	"sync"
	"time"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/worker"
	"neptune/scheduler/control/controlpb"
	"neptune/scheduler/policy"
)

// lookEvery is how often an executor looks whether it has changed; who listens
// hears within 50 ms.
const lookEvery = 20 * time.Millisecond

// vitals watches how an executor is.
type vitals struct {
	pool   *mem.Pool
	worker *worker.Executor
	cpu    [2]metrics.Sample // collecting garbage, and all

	last      *controlpb.Heartbeat
	spilled   int64 // in all, when last told
	gc, total float64
}

func newVitals(pool *mem.Pool, w *worker.Executor) *vitals {
	v := &vitals{pool: pool, worker: w}
	v.cpu[0].Name, v.cpu[1].Name = "/cpu/classes/gc/total:cpu-seconds", "/cpu/classes/total:cpu-seconds"
	return v
}

// look returns how the executor is.
func (v *vitals) look() *controlpb.Heartbeat {
	h := &controlpb.Heartbeat{Limit: v.pool.Limit()}
	h.Reserved, _ = v.pool.Used()
	h.Suspended, h.SuspendedLimit = v.pool.Parked()
	a, b, c, d := v.worker.Counts()
	h.Running, h.Waiting, h.Blocked, h.Queued = int32(a), int32(b), int32(c), int32(d)
	for _, n := range v.pool.Spilled() {
		h.SpilledTotal += n
	}
	h.Spilled = h.SpilledTotal - v.spilled
	metrics.Read(v.cpu[:])
	if gc, total := v.cpu[0].Value.Float64(), v.cpu[1].Value.Float64(); total > v.total {
		h.GcShare = (gc - v.gc) / (total - v.total)
	} else if v.last != nil {
		h.GcShare = v.last.GcShare // the run time adds up when it collects
	}
	return h
}

// changed reports whether that is worth telling.
func (v *vitals) changed(h *controlpb.Heartbeat) bool {
	l := v.last
	if l == nil {
		return true
	}
	step := max(h.Limit/100, 1<<20)
	far := func(a, b int64) bool { return a-b >= step || b-a >= step || (a == 0) != (b == 0) }
	return h.Running != l.Running || h.Waiting != l.Waiting || h.Blocked != l.Blocked || h.Queued != l.Queued ||
		far(h.Reserved, l.Reserved) || far(h.Suspended, l.Suspended) || h.Spilled >= 1<<20
}

// told notes that h was told.
func (v *vitals) told(h *controlpb.Heartbeat) {
	v.last, v.spilled = h, h.SpilledTotal
	v.gc, v.total = v.cpu[0].Value.Float64(), v.cpu[1].Value.Float64()
}

// watch tells how the executor is each interval, and soon after a change, until done is closed.
func (v *vitals) watch(done <-chan struct{}, interval time.Duration, tell func(*controlpb.Heartbeat)) {
	tick := time.NewTicker(min(lookEvery, interval))
	defer tick.Stop()
	var at time.Time
	for {
		select {
		case <-done:
			return
		case now := <-tick.C:
			if h := v.look(); now.Sub(at) >= interval || v.changed(h) {
				tell(h)
				v.told(h)
				at = now
			}
		}
	}
}

// pressure makes heartbeats, which come at any time, samples of equal length.
type pressure struct {
	mu     sync.Mutex
	window policy.Window
	since  time.Time
	sum    policy.Sample // of the present interval
	last   policy.Sample // of the one before
	beat   *controlpb.Heartbeat
}

// add takes a heartbeat in and returns the pressure: that of the last whole
// interval, or of this one where it is higher already.
func (p *pressure) add(h *controlpb.Heartbeat, now time.Time, interval time.Duration) policy.Pressure {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.beat = h
	p.sum.SpilledMB += float64(h.Spilled) / (1 << 20)
	if h.Limit > 0 {
		p.sum.MemoryPct = float64(h.Reserved+h.Suspended) * 100 / float64(h.Limit)
	}
	p.sum.GCPct = h.GcShare * 100
	p.sum.SuspendedMB = float64(h.Suspended) / (1 << 20)
	if p.since.IsZero() {
		p.since = now
	}
	if now.Sub(p.since) >= interval {
		out := p.window.Add(p.sum)
		p.last, p.since = p.sum, now
		p.sum = policy.Sample{}
		return out
	}
	s := p.sum
	s.SpilledMB = max(s.SpilledMB, p.last.SpilledMB)
	return p.window.With(s)
}

// latest is the last heartbeat; nil: none has come.
func (p *pressure) latest() *controlpb.Heartbeat {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.beat
}
