package op

import (
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// EventTimes are statistics of an event time column, in microseconds (Spark: EventTimeStats).
type EventTimes struct {
	Max, Min int64
	Mean     float64
	Count    int64
	Delay    int64 // the watermark's delay
}

// watermark passes rows and notes their event times for the driver.
type watermark struct {
	unary
	node  *physical.Watermark
	note  func(node int, t EventTimes)
	times EventTimes
	sum   float64
}

// NewWatermark passes in through; at the end note gets the statistics of the
// event times seen, if any row had one. For window structs the time is the end.
func NewWatermark(in Operator, n *physical.Watermark, note func(node int, t EventTimes)) Operator {
	return &watermark{unary: unary{in}, node: n, note: note, times: EventTimes{Delay: n.Delay}}
}

func (w *watermark) Open(c *task.Ctx) error { return w.input.Open(c) }
func (w *watermark) Close() error           { return w.input.Close() }
func (w *watermark) Schema() []*types.Type  { return w.input.Schema() }

func (w *watermark) Next(c *task.Ctx) (*vec.Batch, error) {
	b, err := w.input.Next(c)
	if eof(err) && w.times.Count > 0 && w.note != nil {
		w.times.Mean = w.sum / float64(w.times.Count)
		w.note(w.node.Node_, w.times)
		w.times.Count = 0
	}
	if err != nil {
		return nil, err
	}
	v := b.Cols[w.node.Col]
	for i := range b.N {
		r := i
		if b.Sel != nil {
			r = int(b.Sel[i])
		}
		t, ok := eventTime(v, r)
		if !ok {
			continue
		}
		if w.times.Count == 0 {
			w.times.Max, w.times.Min = t, t
		}
		w.times.Max, w.times.Min = max(w.times.Max, t), min(w.times.Min, t)
		w.times.Count++
		w.sum += float64(t)
	}
	return b, c.Yield()
}

// eventTime is a row's event time in microseconds: a timestamp, or the end of a window struct.
func eventTime(v *vec.Vector, i int) (int64, bool) {
	if v.IsNull(i) {
		return 0, false
	}
	switch v.Layout {
	case vec.I64:
		return vec.Of[int64](v)[i], true
	case vec.Group:
		if len(v.Child) == 2 {
			return eventTime(v.Child[1], i)
		}
	}
	return 0, false
}
