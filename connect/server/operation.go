package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/connect/translate"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// Limits of an execution's buffer.
const (
	defaultSendBuffer  = 32 << 20 // bytes made and not yet sent, before the engine has to wait
	defaultRetryBuffer = 10 << 20 // bytes sent and kept for a client that asks again
	defaultChunk       = 16 << 20 // size of chunks when the client names none
	minChunk           = 1 << 10
)

// operation is one execution: what runs it, and the responses that wait to be
// sent or released.
type operation struct {
	s            *session.Session
	id           string
	tags         []string
	reattachable bool
	chunking     bool
	chunkSize    int64
	ids          responseIDs
	ctx          context.Context
	cancel       context.CancelCauseFunc
	sendBuffer   int
	retryBuffer  int
	progressGap  time.Duration
	started      time.Time
	ended        chan struct{} // closed when the engine is done with it

	mu       sync.Mutex
	frames   []*frame // of the indexes base+1 ...
	base     int64    // how many were dropped from the front
	sent     int64    // the highest index that was sent
	unsent   int      // bytes of frames above sent
	kept     int      // bytes of frames up to sent
	finished bool
	err      error         // how it ended
	changed  chan struct{} // closed at any change, and replaced
	consumer int           // number of the stream that reads; a new one sends the old one away
	reading  bool
	idle     time.Time // when the last reader left
	released bool
	rows     int64
	lastTick time.Time

	// What goes with the next response. One of its own would cost the client more than it
	// says: each response is released by a call.
	schema   *pb.DataType
	metrics  []*pb.ExecutePlanResponse_Metrics_MetricObject
	observed []*pb.ExecutePlanResponse_ObservedMetrics
}

var (
	errCanceled  = errs.New(errs.Session, "OPERATION_CANCELED")
	errAbandoned = errs.New(errs.Session, "OPERATION_CANCELED")
)

// broadcast wakes all that wait; o.mu is held.
func (o *operation) broadcast() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// empty is the operation's next response, without content. o.mu is held.
func (o *operation) empty() *pb.ExecutePlanResponse {
	return &pb.ExecutePlanResponse{
		SessionId: o.s.ID, ServerSideSessionId: o.s.ServerID, OperationId: o.id,
		ResponseId: o.ids.id(o.base + int64(len(o.frames)) + 1),
	}
}

// response is the operation's next response, with what was put aside for it. o.mu is held.
func (o *operation) response() *pb.ExecutePlanResponse {
	r := o.empty()
	r.Schema, r.ObservedMetrics = o.schema, o.observed
	if o.metrics != nil {
		r.Metrics = &pb.ExecutePlanResponse_Metrics{Metrics: o.metrics}
	}
	o.schema, o.metrics, o.observed = nil, nil, nil
	return r
}

// put adds a response; fill sets its content.
func (o *operation) put(fill func(*pb.ExecutePlanResponse)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.response()
	fill(r)
	return o.add(r)
}

// add encodes a response and adds it; o.mu is held.
func (o *operation) add(r *pb.ExecutePlanResponse) error {
	f, err := encode(r)
	if err != nil {
		return err
	}
	o.push(f)
	return nil
}

func (o *operation) push(f *frame) {
	if o.released {
		return
	}
	o.frames = append(o.frames, f)
	o.unsent += f.size()
	o.broadcast()
}

// Schema implements Sink.
func (o *operation) Schema(t *types.Type) error {
	d, err := translate.TypeProto(t)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.schema = d
	return nil
}

// Ready implements Sink.
func (o *operation) Ready() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unsent < o.sendBuffer {
		return nil
	}
	return o.changed
}

// Batch implements Sink.
func (o *operation) Batch(ipc []byte, rows int64) error {
	for {
		wait := o.Ready()
		if wait == nil {
			break
		}
		select {
		case <-wait:
		case <-o.ctx.Done():
			return context.Cause(o.ctx)
		}
	}
	if err := o.ctx.Err(); err != nil {
		return context.Cause(o.ctx)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	size := int64(len(ipc))
	if !o.chunking || size <= o.chunkSize {
		f, err := encodeBatch(o.response(), chunk{rows: rows, offset: o.rows}, ipc)
		if err != nil {
			return err
		}
		o.push(f)
		o.rows += rows
		return nil
	}
	n := (size + o.chunkSize - 1) / o.chunkSize
	for i := range n {
		part := ipc[i*o.chunkSize : min((i+1)*o.chunkSize, size)]
		f, err := encodeBatch(o.response(), chunk{rows: rows, offset: o.rows, index: i, count: n}, part)
		if err != nil {
			return err
		}
		o.push(f)
	}
	o.rows += rows
	return nil
}

// Progress implements Sink: at most one message each progressGap. ExecutionProgress has
// no place for what the scheduler did to the job; that goes with the metrics at the end.
func (o *operation) Progress(p Progress) {
	if p.Ended {
		o.scheduled(p)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.progressGap < 0 || time.Since(o.lastTick) < o.progressGap || o.finished {
		return
	}
	o.lastTick = time.Now()
	r := o.empty() // what was observed goes with a response whose failure is told
	m := &pb.ExecutePlanResponse_ExecutionProgress{NumInflightTasks: p.InflightTasks}
	for _, s := range p.Stages {
		m.Stages = append(m.Stages, &pb.ExecutePlanResponse_ExecutionProgress_StageInfo{
			StageId: s.ID, NumTasks: s.Tasks, NumCompletedTasks: s.Completed, InputBytesRead: s.InputBytes, Done: s.Done,
		})
	}
	r.ResponseType = &pb.ExecutePlanResponse_ExecutionProgress_{ExecutionProgress: m}
	if f, err := encode(r); err == nil { // a message of numbers always encodes
		o.push(f)
	}
}

// scheduled tells the client of the job's type and suspensions, as Spark tells
// of an operator's metrics.
func (o *operation) scheduled(p Progress) {
	value := func(name, kind string, v int64) *pb.ExecutePlanResponse_Metrics_MetricValue {
		return &pb.ExecutePlanResponse_Metrics_MetricValue{Name: name, Value: v, MetricType: kind}
	}
	tasks := int64(0)
	for _, s := range p.Stages {
		tasks += s.Tasks
	}
	m := &pb.ExecutePlanResponse_Metrics_MetricObject{Name: fmt.Sprintf("Neptune job: %s (%s)", p.JobType, p.Origin),
		ExecutionMetrics: map[string]*pb.ExecutePlanResponse_Metrics_MetricValue{
			"priority":      value("priority", "sum", p.Priority),
			"tasks":         value("number of tasks", "sum", tasks),
			"suspensions":   value("number of suspensions", "sum", p.Suspensions),
			"suspendedTime": value("time suspended", "nsTiming", int64(p.Suspended)),
		}}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.metrics = append(o.metrics, m)
}

// Metrics implements Sink.
func (o *operation) Metrics(m Observed) error {
	out := &pb.ExecutePlanResponse_ObservedMetrics{Name: m.Name, Keys: m.Keys, PlanId: m.PlanID}
	for i, v := range m.Values {
		l, err := translate.LiteralProto(m.Types[i], v)
		if err != nil {
			return err
		}
		out.Values = append(out.Values, l)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.observed = append(o.observed, out)
	return nil
}

// finish says how the execution ended. A good end is the message result_complete. What
// was observed before a bad one is told as well.
func (o *operation) finish(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil || o.observed != nil {
		r := o.response()
		if err == nil {
			r.ResponseType = &pb.ExecutePlanResponse_ResultComplete_{ResultComplete: &pb.ExecutePlanResponse_ResultComplete{}}
		}
		// Why the execution failed says more than that a response can't be encoded.
		if e := o.add(r); err == nil {
			err = e
		}
	}
	o.finished, o.err = true, err
	o.broadcast()
}

// state is the operation's state as GetStatus names it.
func (o *operation) state() pb.GetStatusResponse_OperationStatus_OperationState {
	o.mu.Lock()
	defer o.mu.Unlock()
	e, _ := errs.As(o.err)
	switch {
	case !o.finished && o.ctx.Err() != nil:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_TERMINATING
	case !o.finished:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_RUNNING
	case o.err == nil:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_SUCCEEDED
	case e != nil && e.Condition == errCanceled.Condition || e == nil && o.ctx.Err() != nil:
		return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_CANCELLED
	}
	return pb.GetStatusResponse_OperationStatus_OPERATION_STATE_FAILED
}

// sender is the part of a gRPC stream that deliver needs.
type sender interface {
	Context() context.Context
	SendMsg(m any) error
}

// deliver sends responses from index next on until the last one, or until the
// stream has lasted or carried enough (then the client attaches again), or another
// stream takes over. The error is the execution's, or why delivering stopped.
func (o *operation) deliver(to sender, next int64, maxTime time.Duration, maxBytes int64) error {
	o.mu.Lock()
	o.consumer++
	me := o.consumer
	o.reading = true
	o.broadcast()
	o.mu.Unlock()
	defer func() {
		o.mu.Lock()
		if o.consumer == me {
			o.reading = false
			o.idle = time.Now()
		}
		o.mu.Unlock()
	}()
	var timeout <-chan time.Time
	if o.reattachable && maxTime > 0 {
		t := time.NewTimer(maxTime)
		defer t.Stop()
		timeout = t.C
	}
	var total int64
	for {
		f, wait, err := o.next(me, next)
		if err != nil || f == nil && wait == nil {
			return err
		}
		if f == nil {
			select {
			case <-wait:
				continue
			case <-to.Context().Done():
				return to.Context().Err()
			case <-timeout:
				return nil
			}
		}
		if o.reattachable && maxBytes > 0 && total > 0 && total+int64(f.size()) > maxBytes {
			return nil
		}
		if err := to.SendMsg(f); err != nil {
			return err
		}
		total += int64(f.size())
		o.delivered(next)
		next++
	}
}

// next returns the frame of an index, or a channel to wait on, or the end: neither.
func (o *operation) next(me int, index int64) (*frame, <-chan struct{}, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.consumer != me:
		return nil, nil, errs.New(errs.Session, "INVALID_CURSOR.DISCONNECTED")
	case index <= o.base:
		return nil, nil, errs.New(errs.Session, "INVALID_CURSOR.POSITION_NOT_AVAILABLE", "responseId", o.ids.id(index), "index", itoa(index))
	case index <= o.base+int64(len(o.frames)):
		return o.frames[index-o.base-1], nil, nil
	case o.finished:
		return nil, nil, o.err
	}
	return nil, o.changed, nil
}

// delivered counts a response as sent, and drops what needn't be kept.
func (o *operation) delivered(index int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if index > o.sent {
		o.sent = index
		if i := index - o.base - 1; i >= 0 && i < int64(len(o.frames)) {
			n := o.frames[i].size()
			o.unsent -= n
			o.kept += n
		}
	}
	keep := o.retryBuffer
	if !o.reattachable {
		keep = 0
	}
	// The last response stays: a client that missed it asks again.
	for o.base+1 < o.sent && o.kept > keep {
		o.drop()
	}
	o.broadcast()
}

// drop forgets the first frame; o.mu is held.
func (o *operation) drop() {
	n := o.frames[0].size()
	if o.base+1 <= o.sent {
		o.kept -= n
	} else {
		o.unsent -= n
	}
	o.frames[0] = nil
	o.frames = o.frames[1:]
	o.base++
}

// releaseUntil drops the responses up to that id.
func (o *operation) releaseUntil(id string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	index, ok := o.ids.index(id)
	if !ok || index > o.base+int64(len(o.frames)) {
		return errs.New(errs.Session, "INVALID_CURSOR.POSITION_NOT_FOUND", "responseId", id)
	}
	for o.base < index {
		o.drop()
	}
	o.sent = max(o.sent, index)
	o.broadcast()
	return nil
}

// close stops the execution and drops all that it has.
func (o *operation) close(cause error) {
	o.cancel(cause)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.released = true
	o.base += int64(len(o.frames))
	o.frames, o.kept, o.unsent = nil, 0, 0
	o.broadcast()
}

// taken reports whether the client has all responses and said so, and the channel to wait on if not.
func (o *operation) taken() (bool, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.released || o.finished && len(o.frames) == 0, o.changed
}

// unread reports since when nobody reads.
func (o *operation) unread() (time.Time, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.idle, !o.reading
}
