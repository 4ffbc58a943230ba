package policy

import (
	"cmp"
	"math"
	"slices"
)

// Buckets are the widths that pressure is compared in, rounding down, so that
// small differences don't outweigh what comes after them.
type Buckets struct {
	MB         float64 // neptune.lma.bucketMB
	Percentage float64 // neptune.lma.bucketPercentage
}

// compare orders by spill, memory and GC, each mean first and deviation
// second, lexicographically: no weights, no thresholds.
func (w Buckets) compare(a, b Pressure) int {
	return cmp.Or(
		signal(a.SpilledMB, b.SpilledMB, w.MB),
		signal(a.MemoryPct, b.MemoryPct, w.Percentage),
		signal(a.GCPct, b.GCPct, w.Percentage))
}

func signal(a, b Signal, width float64) int {
	return cmp.Or(cmp.Compare(bucket(a.Mean, width), bucket(b.Mean, width)), cmp.Compare(bucket(a.Dev, width), bucket(b.Dev, width)))
}

func bucket(x, width float64) int {
	if width <= 0 {
		width = 1
	}
	return int(math.Floor(x / width))
}

// Sample is one heartbeat's figures of an executor.
type Sample struct {
	SpilledMB   float64 // since the last sample
	MemoryPct   float64 // used * 100 / limit
	GCPct       float64 // share of CPU time in garbage collection * 100
	SuspendedMB float64 // held by suspended tasks
}

// Window keeps an executor's last samples (neptune.lma.window of them).
type Window struct {
	Size    int
	samples []Sample
}

// With is what Add would return, without taking the sample in.
func (w *Window) With(s Sample) Pressure {
	c := Window{w.Size, slices.Clone(w.samples)}
	return c.Add(s)
}

// Add takes a sample in and returns the pressure over the window.
func (w *Window) Add(s Sample) Pressure {
	if n := max(1, w.Size); len(w.samples) >= n {
		w.samples = append(w.samples[:0], w.samples[len(w.samples)-n+1:]...)
	}
	w.samples = append(w.samples, s)
	of := func(get func(Sample) float64) Signal {
		n, sum, sq := float64(len(w.samples)), 0.0, 0.0
		for _, s := range w.samples {
			sum += get(s)
		}
		mean := sum / n
		for _, s := range w.samples {
			sq += (get(s) - mean) * (get(s) - mean)
		}
		return Signal{mean, math.Sqrt(sq / n)}
	}
	return Pressure{
		SpilledMB: of(func(s Sample) float64 { return s.SpilledMB }), MemoryPct: of(func(s Sample) float64 { return s.MemoryPct }),
		GCPct: of(func(s Sample) float64 { return s.GCPct }), SuspendedMB: s.SuspendedMB,
	}
}
