// Package control is the control stream between the driver and executors that
// are processes of their own: what each has to tell the other arrives once, in
// order, over any number of connections.
//
// A link numbers what it sends and keeps it until the other side has said that
// it came; after a reconnection the rest is sent again. Where a side's memory of
// the other is gone (an executor was lost, the driver was started again), there
// is no going on: the executor forgets all it has and joins under another name.
package control

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"neptune/scheduler/control/controlpb"
)

// message is what both directions' messages have in common.
type message interface {
	proto.Message
	GetSeq() int64
	GetAck() int64
}

// stream is one connection, as either side sees it.
type stream[Out, In any] interface {
	Send(Out) error
	Recv() (In, error)
}

// link is one side of a conversation. It is safe for concurrent use.
type link[Out, In message] struct {
	stamp func(m Out, seq, ack int64) // sets the numbers
	empty func() Out                  // an acknowledgement alone
	// deliver hears what comes, numbered messages once and in order. It must not block for long.
	deliver func(In)

	mu       sync.Mutex
	last     int64 // number of the last message sent
	kept     []Out // not acknowledged, in order
	loose    []Out // not numbered, for the next connection's turn
	received int64 // number of the last message that came
	news     chan struct{}
	settled  chan struct{} // closed and replaced when kept shrinks
}

func newLink[Out, In message](stamp func(Out, int64, int64), empty func() Out, deliver func(In)) *link[Out, In] {
	return &link[Out, In]{stamp: stamp, empty: empty, deliver: deliver, news: make(chan struct{}, 1), settled: make(chan struct{})}
}

// send gives a message its number and sends it, now or when there is a connection.
func (l *link[Out, In]) send(m Out) {
	l.mu.Lock()
	l.last++
	l.stamp(m, l.last, 0)
	l.kept = append(l.kept, m)
	l.mu.Unlock()
	l.wake()
}

// sendLoose sends a message without a number: it may get lost, and only the latest waits for a connection.
func (l *link[Out, In]) sendLoose(m Out) {
	l.mu.Lock()
	l.loose = append(l.loose[:0], m)
	l.mu.Unlock()
	l.wake()
}

func (l *link[Out, In]) wake() {
	select {
	case l.news <- struct{}{}:
	default:
	}
}

// flushed waits until all that was sent is acknowledged.
func (l *link[Out, In]) flushed(ctx context.Context) error {
	for {
		l.mu.Lock()
		n, settled := len(l.kept), l.settled
		l.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-settled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// has is the number of the last message that came.
func (l *link[Out, In]) has() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.received
}

// acked forgets messages that the other side has. mu is held.
func (l *link[Out, In]) acked(n int64) {
	i := 0
	for i < len(l.kept) && l.kept[i].GetSeq() <= n {
		i++
	}
	if i > 0 {
		l.kept = slices.Delete(l.kept, 0, i)
		close(l.settled)
		l.settled = make(chan struct{})
	}
}

// run talks over one connection until it breaks or ctx is done; has is what the
// other side said it has. One connection at a time. cancel must make the
// stream's calls return.
func (l *link[Out, In]) run(ctx context.Context, s stream[Out, In], has int64, cancel func()) error {
	l.mu.Lock()
	l.acked(has)
	if has > l.last {
		l.mu.Unlock()
		return fmt.Errorf("the other side has %d messages of %d", has, l.last)
	}
	l.mu.Unlock()
	ctx, stop := context.WithCancel(ctx)
	sent := make(chan error, 1)
	go func() {
		err := l.pump(ctx, s, has)
		cancel()
		sent <- err
	}()
	err := l.listen(s)
	stop()
	cancel()
	if e := <-sent; err == nil {
		err = e
	}
	return err
}

func (l *link[Out, In]) listen(s stream[Out, In]) error {
	for {
		m, err := s.Recv()
		if err != nil {
			return err
		}
		seq := m.GetSeq()
		l.mu.Lock()
		l.acked(m.GetAck())
		old := seq != 0 && seq <= l.received
		if seq > l.received+1 {
			l.mu.Unlock()
			return fmt.Errorf("message %d came after %d", seq, l.received)
		}
		l.mu.Unlock()
		if !old {
			l.deliver(m)
		}
		// Acknowledged when it has been dealt with: a receiver that breaks down before hears it again.
		if seq != 0 {
			l.mu.Lock()
			l.received = max(l.received, seq)
			l.mu.Unlock()
			l.wake()
		}
	}
}

// pump sends what there is to send, from the message after number sent on.
func (l *link[Out, In]) pump(ctx context.Context, s stream[Out, In], sent int64) error {
	acked := int64(-1)
	for {
		l.mu.Lock()
		var out []Out
		for _, m := range l.kept {
			if m.GetSeq() > sent {
				out = append(out, m)
			}
		}
		out = append(out, l.loose...)
		l.loose = nil
		ack := l.received
		l.mu.Unlock()
		if len(out) == 0 && ack != acked {
			out = append(out, l.empty())
		}
		for _, m := range out {
			// The same message may be kept and sent again: it isn't changed.
			c := proto.Clone(m).(Out)
			l.stamp(c, m.GetSeq(), ack)
			if err := s.Send(c); err != nil {
				return err
			}
			acked = ack
			sent = max(sent, m.GetSeq())
		}
		if len(out) > 0 {
			continue
		}
		select {
		case <-l.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func stampToDriver(m *controlpb.ToDriver, seq, ack int64)     { m.Seq, m.Ack = seq, ack }
func stampToExecutor(m *controlpb.ToExecutor, seq, ack int64) { m.Seq, m.Ack = seq, ack }
