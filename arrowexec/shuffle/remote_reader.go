package shuffle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"encoding/binary"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/pierrec/lz4/v4"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

const (
	// defaultWindow is how many bytes are fetched ahead from one executor.
	defaultWindow = 1 << 20
	// frameBytes is how much a message holds at least, but for the last.
	frameBytes = 256 << 10
)

// fetch gives the rows of a piece, writer by writer in their order, from
// wherever they are. All executors are read from at the same time, up to a window.
type fetch struct {
	r       *Remote
	query   string
	x       *physical.Exchange
	piece   physical.Piece
	schema  []*types.Type
	sources []Location
	all     int  // how many writers the task was told of: those of sources, and those not in the piece
	one     bool // sources is one of several, which are merged
	pauses  bool // next returns errWriterEnds after the rows of each writer

	ahead   *mem.Reservation
	streams map[string]*stream // by executor
	at      int                // in sources
	here    *reader            // of sources[at], when it is in this process
	pinned  []*output          // what here reads
	frame   []byte             // batches that came and weren't taken yet
}

func (f *fetch) local(l Location) bool { return l.Executor == f.r.conf.Executor }

func (f *fetch) failed(executor, addr string, writers []int, err error) *FetchError {
	return &FetchError{Query: f.query, Exchange: f.x.ID, Executor: executor, Addr: addr, Writers: writers, Err: err}
}

// start begins to fetch for reader r.
func (f *fetch) start(c *task.Ctx, r *reader) error {
	f.close() // opened again
	f.at, f.frame = 0, nil
	if r.keys != nil {
		b, err := f.bounds(c)
		if err != nil {
			return err
		}
		r.bounds = b
	}
	t := ticket{Query: f.query, Exchange: f.x.ID, From: f.piece.From, To: f.piece.To}
	if from, last := f.piece.From, f.piece.To-1; r.keys != nil && from <= len(r.bounds) {
		t.Ranged = true
		if from > 0 {
			t.Above = r.bounds[from-1]
		}
		if last < len(r.bounds) {
			t.UpTo, t.Bounded = r.bounds[last], true
		}
	} else if r.keys != nil {
		f.at = len(f.sources) // fewer ranges than partitions
		return nil
	}
	f.streams = map[string]*stream{}
	var order []string
	for _, l := range f.sources {
		if f.local(l) {
			continue
		}
		s := f.streams[l.Executor]
		if s == nil {
			s = &stream{executor: l.Executor, addr: l.Addr, window: f.r.conf.Window}
			s.room = sync.NewCond(&s.mu)
			f.streams[l.Executor] = s
			order = append(order, l.Executor)
		}
		s.writers = append(s.writers, l.Writer)
	}
	if len(order) > 0 && c.Mem != nil {
		f.ahead = c.Mem.Reserve("exchange", nil)
	}
	for _, id := range order {
		s := f.streams[id]
		if f.ahead != nil && !f.ahead.Try(s.window+frameBytes) {
			s.window = 1 // one message at a time
		}
		t.Executor, t.Writers = s.executor, s.writers
		raw, err := wire.Marshal(&t)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(context.Background())
		s.cancel = cancel
		s.wg.Add(1)
		go s.run(ctx, f.r, raw)
	}
	return nil
}

// bounds are those of a RangeBy exchange, found once in this process for all
// readers of the same writers.
func (f *fetch) bounds(c *task.Ctx) ([][]byte, error) {
	v, err := f.r.local.Shared(c, f.query, f.x, "bounds "+place(f.sources), func(c *task.Ctx) (any, int64, error) {
		samples := make([]sample, len(f.sources))
		at := map[int]int{} // writer -> place
		groups := map[string][]int{}
		for i, l := range f.sources {
			at[l.Writer] = i
			groups[l.Executor] = append(groups[l.Executor], l.Writer)
		}
		for i, l := range f.sources {
			writers := groups[l.Executor]
			if writers == nil {
				continue // done
			}
			groups[l.Executor] = nil
			var got []sample
			if f.local(l) {
				list, missing := f.r.local.pin(f.query, f.x, writers)
				if missing >= 0 {
					return nil, 0, f.failed(l.Executor, l.Addr, []int{missing}, errNotHere)
				}
				for _, o := range list {
					got = append(got, o.keys)
				}
				f.r.local.unpin(f.query, list)
			} else {
				err := c.Do(func(ctx context.Context) (err error) {
					got, err = f.r.samples(ctx, l, ticket{Query: f.query, Exchange: f.x.ID, Executor: l.Executor, Writers: writers, Sample: true})
					return err
				})
				if errors.Is(err, task.ErrKilled) {
					return nil, 0, err
				}
				if err == nil && len(got) != len(writers) {
					err = fmt.Errorf("%d samples of %d", len(got), len(writers))
				}
				if err != nil {
					return nil, 0, f.failed(l.Executor, f.sources[i].Addr, writers, err)
				}
			}
			for k, w := range writers {
				samples[at[w]] = got[k]
			}
		}
		return rangeBounds(samples), 0, nil
	})
	if err != nil {
		return nil, err
	}
	return v.([][]byte), nil
}

var errNotHere = errors.New("the rows aren't there")

// next returns the next batch, of any size, or io.EOF.
func (f *fetch) next(c *task.Ctx) (*vec.Batch, error) {
	for {
		if len(f.frame) > 0 {
			return f.decode()
		}
		if f.at >= len(f.sources) {
			return nil, io.EOF
		}
		l := f.sources[f.at]
		if f.local(l) {
			b, err := f.nextHere(c, l)
			if err != io.EOF {
				return b, err
			}
			if err := f.complete(f.pinned[0].of); err != nil {
				return nil, err
			}
			f.unpin()
			f.at++
			if f.pauses {
				return nil, errWriterEnds
			}
			continue
		}
		m, err := f.streams[l.Executor].take(c)
		if err != nil {
			if errors.Is(err, task.ErrKilled) {
				return nil, err
			}
			return nil, f.failed(l.Executor, l.Addr, f.streams[l.Executor].writers, err)
		}
		switch {
		case m.writer != l.Writer:
			return nil, f.failed(l.Executor, l.Addr, []int{l.Writer}, fmt.Errorf("rows of writer %d came", m.writer))
		case m.end:
			if err := f.complete(m.of); err != nil {
				return nil, err
			}
			f.at++
			if f.pauses {
				return nil, errWriterEnds
			}
		default:
			f.frame = m.body
		}
	}
}

// complete checks that the task was told of all writers: rows may be missing
// where the driver was wrong, but never in silence.
func (f *fetch) complete(of int) error {
	if of > 0 && !f.one && of != f.all {
		return errs.Internalf("exchange %d has %d writers, and the places of %d are known", f.x.ID, of, f.all)
	}
	return nil
}

// nextHere reads what is in this process.
func (f *fetch) nextHere(c *task.Ctx, l Location) (*vec.Batch, error) {
	if f.here == nil {
		list, missing := f.r.local.pin(f.query, f.x, []int{l.Writer})
		if missing >= 0 {
			return nil, f.failed(l.Executor, l.Addr, []int{l.Writer}, errNotHere)
		}
		f.here = &reader{blocks: list[0].blocksOf(f.piece, f.x.Kind == physical.RangeBy)}
		f.pinned = list
	}
	return f.here.block(c)
}

func (f *fetch) unpin() {
	f.r.local.unpin(f.query, f.pinned)
	f.here, f.pinned = nil, nil
}

// decode takes the next batch out of a message.
func (f *fetch) decode() (*vec.Batch, error) {
	l := f.sources[f.at]
	n := uint64(0)
	if len(f.frame) >= 8 {
		n = binary.NativeEndian.Uint64(f.frame)
	}
	if len(f.frame) < 8 || n > uint64(len(f.frame)-8) || n%8 != 0 {
		return nil, f.failed(l.Executor, l.Addr, []int{l.Writer}, vec.ErrCorrupt)
	}
	b, err := vec.DecodeBatch(f.schema, f.frame[8:8+n])
	if err != nil {
		return nil, f.failed(l.Executor, l.Addr, []int{l.Writer}, err)
	}
	f.frame = f.frame[8+n:]
	return b, nil
}

// close ends all streams. It waits until nothing of them runs.
func (f *fetch) close() {
	for _, s := range f.streams {
		s.stop()
	}
	f.unpin()
	f.streams, f.frame = nil, nil
	if f.ahead != nil {
		f.ahead.Release()
		f.ahead = nil
	}
}

// message is one Flight message: batches, each after its length; or the end of a writer's rows.
type message struct {
	writer int
	end    bool
	of     int    // at the end: how many writers there are in all, 0: not known
	body   []byte // aligned to 8
}

// stream fetches from one executor. A goroutine of its own receives, and
// stops receiving while window bytes wait to be taken: the sender then stops too.
type stream struct {
	executor, addr string
	writers        []int
	window         int64
	cancel         context.CancelFunc
	wg             sync.WaitGroup

	mu     sync.Mutex
	room   *sync.Cond
	queue  []message
	bytes  int64         // in queue
	ready  chan struct{} // closed when something comes; nil: nobody waits
	err    error         // after queue
	closed bool
}

func (s *stream) run(ctx context.Context, r *Remote, raw []byte) {
	defer s.wg.Done()
	err := s.receive(ctx, r, raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
	s.wake()
}

func (s *stream) wake() {
	if s.ready != nil {
		close(s.ready)
		s.ready = nil
	}
}

func (s *stream) receive(ctx context.Context, r *Remote, raw []byte) error {
	client, err := r.dial.to(s.executor, s.addr)
	if err != nil {
		return err
	}
	in, err := client.DoGet(ctx, &flight.Ticket{Ticket: raw})
	if err != nil {
		return err
	}
	ends := 0
	for {
		d, err := in.Recv()
		if err == io.EOF && ends < len(s.writers) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err // io.EOF too, which nobody will see: all ends were taken
		}
		m, err := unpack(d)
		if err != nil {
			return err
		}
		if m.end {
			ends++
		}
		s.mu.Lock()
		for s.bytes >= s.window && !s.closed {
			s.room.Wait()
		}
		if s.closed {
			s.mu.Unlock()
			return context.Canceled
		}
		s.queue = append(s.queue, m)
		s.bytes += int64(len(m.body))
		s.wake()
		s.mu.Unlock()
	}
}

// take returns the next message. The task gives its slot back while there is none.
func (s *stream) take(c *task.Ctx) (message, error) {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			m := s.queue[0]
			s.queue = slices.Delete(s.queue, 0, 1)
			s.bytes -= int64(len(m.body))
			s.room.Signal()
			s.mu.Unlock()
			return m, nil
		}
		if s.err != nil {
			s.mu.Unlock()
			return message{}, s.err
		}
		if s.ready == nil {
			s.ready = make(chan struct{})
		}
		ready := s.ready
		s.mu.Unlock()
		if err := c.Await(ready); err != nil {
			return message{}, err
		}
	}
}

func (s *stream) stop() {
	s.mu.Lock()
	s.closed = true
	s.room.Broadcast()
	s.mu.Unlock()
	if s.cancel != nil {
		s.cancel()
	}
	s.wg.Wait()
}

// The head of a message is in app_metadata: kind, writer, and for compressed
// rows how many bytes they become; the rows are in data_body.
const (
	kindRows = iota
	kindRowsLZ4
	kindEnd
	kindSamples
)

func unpack(d *flight.FlightData) (m message, err error) {
	head := d.GetAppMetadata()
	if len(head) == 0 {
		return m, vec.ErrCorrupt
	}
	kind := head[0]
	w, n := binary.Uvarint(head[1:])
	if n <= 0 || w > 1<<31 {
		return m, vec.ErrCorrupt
	}
	m.writer = int(w)
	switch kind {
	case kindRows:
		m.body = d.GetDataBody()
		if uintptr(unsafe.Pointer(unsafe.SliceData(m.body)))%8 != 0 {
			m.body = append(vec.Aligned(len(m.body))[:0], m.body...)
		}
	case kindRowsLZ4:
		size, k := binary.Uvarint(head[1+n:])
		// LZ4 makes at most 255 bytes of one.
		if k <= 0 || size > 255*uint64(len(d.GetDataBody())) {
			return m, vec.ErrCorrupt
		}
		m.body = vec.Aligned(int(size))
		got, err := lz4.UncompressBlock(d.GetDataBody(), m.body)
		if err != nil || got != int(size) {
			return m, vec.ErrCorrupt
		}
	case kindEnd:
		of, k := binary.Uvarint(head[1+n:])
		if k <= 0 || of > 1<<31 {
			return m, vec.ErrCorrupt
		}
		m.end, m.of = true, int(of)
	default:
		return m, vec.ErrCorrupt
	}
	return m, nil
}
