package shuffle

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/pierrec/lz4/v4"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// ticket is what DoGet is asked for. It goes as package wire writes it, so that
// processes of other builds are refused.
type ticket struct {
	Query    string
	Exchange int
	Executor string // who is meant
	Writers  []int  // not empty
	From, To int    // partitions
	// Sample asks for the samples of a RangeBy exchange rather than rows.
	Sample bool
	// Ranged asks for the rows of a RangeBy exchange whose key is above Above (nil: any) and,
	// if Bounded, not above UpTo.
	Ranged      bool
	Above, UpTo []byte
	Bounded     bool
}

// silence is after how long without a word a connection is probed, and then
// given up. gRPC doesn't allow less than 10 s for the first.
const (
	silence  = 10 * time.Second
	patience = 10 * time.Second
)

// --- client

// dialer keeps one connection to each executor.
type dialer struct {
	tls    *tls.Config
	mu     sync.Mutex
	conns  map[string]*grpc.ClientConn // by executor and address
	gone   map[string]bool             // executors that are lost
	closed bool
}

func (d *dialer) to(executor, addr string) (flight.FlightServiceClient, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errors.New("this executor is stopping")
	}
	if d.gone[executor] {
		return nil, errors.New("the executor is lost")
	}
	conn := d.conns[executor+" "+addr]
	if conn == nil {
		creds := insecure.NewCredentials()
		if d.tls != nil {
			creds = credentials.NewTLS(d.tls)
		}
		var err error
		conn, err = grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(creds),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
			grpc.WithInitialWindowSize(defaultWindow), grpc.WithInitialConnWindowSize(16<<20),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: silence, Timeout: patience}))
		if err != nil {
			return nil, err
		}
		if d.conns == nil {
			d.conns = map[string]*grpc.ClientConn{}
		}
		d.conns[executor+" "+addr] = conn
	}
	return flight.NewFlightServiceClient(conn), nil
}

func (d *dialer) lost(executor string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.gone == nil {
		d.gone = map[string]bool{}
	}
	d.gone[executor] = true
	for k, c := range d.conns {
		if len(k) > len(executor) && k[:len(executor)+1] == executor+" " {
			_ = c.Close() // it is gone anyway
			delete(d.conns, k)
		}
	}
}

func (d *dialer) found(executor string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.gone, executor)
}

func (d *dialer) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for k, c := range d.conns {
		_ = c.Close()
		delete(d.conns, k)
	}
}

// samples asks an executor for those of some writers.
func (r *Remote) samples(ctx context.Context, l Location, t ticket) ([]sample, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	raw, err := wire.Marshal(&t)
	if err != nil {
		return nil, err
	}
	client, err := r.dial.to(l.Executor, l.Addr)
	if err != nil {
		return nil, err
	}
	in, err := client.DoGet(ctx, &flight.Ticket{Ticket: raw})
	if err != nil {
		return nil, err
	}
	d, err := in.Recv()
	if err != nil {
		return nil, err
	}
	if h := d.GetAppMetadata(); len(h) == 0 || h[0] != kindSamples {
		return nil, vec.ErrCorrupt
	}
	var out []sample
	err = wire.Unmarshal(d.GetDataBody(), &out, nil)
	return out, err
}

// --- server

type server struct {
	flight.UnimplementedFlightServiceServer
	r *Remote
}

func (r *Remote) serve(lis net.Listener) {
	opts := []grpc.ServerOption{
		grpc.InitialWindowSize(defaultWindow), grpc.InitialConnWindowSize(16 << 20),
		grpc.MaxRecvMsgSize(64 << 20),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: silence, Timeout: patience}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: silence / 2, PermitWithoutStream: true}),
	}
	if r.conf.ServerTLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(r.conf.ServerTLS)))
	}
	r.server = grpc.NewServer(opts...)
	flight.RegisterFlightServiceServer(r.server, &server{r: r})
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		_ = r.server.Serve(lis) // ends with Stop; readers see a broken connection
	}()
}

// DoGet sends the rows that a ticket asks for, writer by writer.
func (s *server) DoGet(raw *flight.Ticket, out flight.FlightService_DoGetServer) error {
	var t ticket
	if err := wire.Unmarshal(raw.GetTicket(), &t, nil); err != nil {
		return status.Error(codes.FailedPrecondition, err.Error())
	}
	r := s.r
	if t.Executor != r.conf.Executor {
		return status.Errorf(codes.NotFound, "executor %s was expected here, this is %s", t.Executor, r.conf.Executor)
	}
	if len(t.Writers) == 0 || t.From < 0 || t.To <= t.From && !t.Sample {
		return status.Error(codes.InvalidArgument, "the ticket asks for nothing")
	}
	r.mu.Lock()
	q := r.queries[t.Query]
	var x *physical.Exchange
	var conf *task.Conf
	if q != nil {
		x, conf = q.exchanges[t.Exchange], q.conf[t.Exchange]
	}
	r.mu.Unlock()
	if x == nil {
		return status.Errorf(codes.NotFound, "exchange %d of query %s isn't known here", t.Exchange, t.Query)
	}
	list, missing := r.local.pin(t.Query, x, t.Writers)
	if missing >= 0 {
		return status.Errorf(codes.NotFound, "the rows of writer %d aren't here", missing)
	}
	p := &pump{r: r, t: &t, x: x, conf: conf, out: out, lz4: r.compresses(out.Context())}
	// A reader that doesn't read blocks Send. It runs beside, so that Release can
	// end the call, and with it the Send, whatever the reader does.
	done := make(chan error, 1)
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		defer r.local.unpin(t.Query, list)
		done <- p.run(list)
	}()
	select {
	case err := <-done:
		if _, ok := status.FromError(err); err != nil && !ok {
			err = status.Error(codes.DataLoss, err.Error())
		}
		return err
	case <-q.released:
		return status.Errorf(codes.NotFound, "query %s has ended", t.Query)
	}
}

// compresses tells whether the one who asks is worth the work.
func (r *Remote) compresses(ctx context.Context) bool {
	switch r.conf.Compress {
	case CompressAlways:
		return true
	case CompressNever:
		return false
	}
	p, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	there, ok := p.Addr.(*net.TCPAddr)
	if !ok {
		return false
	}
	here, _ := p.LocalAddr.(*net.TCPAddr)
	return !there.IP.IsLoopback() && (here == nil || !here.IP.Equal(there.IP))
}

// pump sends the rows of one ticket.
type pump struct {
	r      *Remote
	t      *ticket
	x      *physical.Exchange
	conf   *task.Conf // of the writers
	out    flight.FlightService_DoGetServer
	lz4    bool
	poor   int // messages in a row that LZ4 hardly shortened
	buf    []byte
	packed []byte
	writer int

	keys  []expr.Evaluator // of Ranged
	order []vec.KeyOrder
}

func (p *pump) run(list []*output) error {
	if p.t.Sample {
		samples := []sample{}
		for _, o := range list {
			samples = append(samples, o.keys)
		}
		raw, err := wire.Marshal(&samples)
		if err != nil {
			return err
		}
		return p.out.Send(&flight.FlightData{AppMetadata: []byte{kindSamples}, DataBody: raw})
	}
	if p.t.Ranged {
		var err error
		if p.keys, p.order, err = op.CompileOrder(p.x.Order, op.NewEnv(p.conf, p.t.From)); err != nil {
			return err
		}
	}
	for i, o := range list {
		p.writer = p.t.Writers[i]
		for _, k := range o.blocksOf(physical.Piece{From: p.t.From, To: p.t.To}, p.t.Ranged) {
			if err := p.block(k); err != nil {
				return err
			}
		}
		if err := p.flush(0); err != nil {
			return err
		}
		head := binary.AppendUvarint([]byte{kindEnd}, uint64(p.writer))
		head = binary.AppendUvarint(head, uint64(o.of))
		if err := p.out.Send(&flight.FlightData{AppMetadata: head}); err != nil {
			return err
		}
	}
	return nil
}

// block sends those rows in memory, then those on disk.
func (p *pump) block(k *block) error {
	for _, b := range k.held {
		if err := p.add(b); err != nil {
			return err
		}
	}
	if k.file == nil {
		return nil
	}
	if !p.t.Ranged {
		for i := 0; ; i++ {
			var err error
			p.buf, err = k.file.AppendRaw(p.buf, i)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := p.flush(frameBytes); err != nil {
				return err
			}
		}
	}
	schema := physical.Types(p.x.Schema())
	for i := 0; ; i++ {
		raw, err := k.file.AppendRaw(vec.Aligned(8)[:0], i)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for len(raw) >= 8 {
			n := binary.NativeEndian.Uint64(raw)
			if n > uint64(len(raw)-8) {
				return vec.ErrCorrupt
			}
			b, err := vec.DecodeBatch(schema, raw[8:8+n])
			if err != nil {
				return err
			}
			if err := p.add(b); err != nil {
				return err
			}
			raw = raw[8+n:]
		}
	}
}

// add appends a batch, cut into pieces when it is large.
func (p *pump) add(b *vec.Batch) error {
	if p.t.Ranged {
		var err error
		if b, err = p.within(b); err != nil {
			return err
		}
	}
	if b.N == 0 {
		return nil
	}
	n := max(1, min(b.N, int(b.LiveSize()/frameBytes)))
	for i := range n {
		at := len(p.buf)
		p.buf = append(p.buf, 0, 0, 0, 0, 0, 0, 0, 0)
		p.buf = vec.AppendBatch(p.buf, b.Slice(b.N*i/n, b.N*(i+1)/n))
		binary.NativeEndian.PutUint64(p.buf[at:], uint64(len(p.buf)-at-8))
		if err := p.flush(frameBytes); err != nil {
			return err
		}
	}
	return nil
}

// within keeps the rows of a batch that are in the ticket's range.
func (p *pump) within(b *vec.Batch) (*vec.Batch, error) {
	enc, err := encode(p.keys, p.order, b)
	if err != nil {
		return nil, err
	}
	sel := make([]int32, 0, b.N)
	for i := range b.N {
		k := enc.Key(i)
		if p.t.Above != nil && bytes.Compare(k, p.t.Above) <= 0 || p.t.Bounded && bytes.Compare(k, p.t.UpTo) > 0 {
			continue
		}
		sel = append(sel, int32(i))
	}
	if len(sel) == b.N {
		return b, nil
	}
	out := &vec.Batch{N: len(sel), Cols: make([]*vec.Vector, len(b.Cols))}
	for i, v := range b.Cols {
		out.Cols[i] = v.Gather(sel)
	}
	return out, nil
}

// flush sends what is buffered if it is at least so much.
func (p *pump) flush(least int) error {
	if len(p.buf) == 0 || len(p.buf) < least {
		return nil
	}
	d := &flight.FlightData{DataBody: p.buf, AppMetadata: binary.AppendUvarint([]byte{kindRows}, uint64(p.writer))}
	if p.lz4 {
		if bound := lz4.CompressBlockBound(len(p.buf)); cap(p.packed) < bound {
			p.packed = make([]byte, bound)
		}
		n, err := lz4.CompressBlock(p.buf, p.packed[:cap(p.packed)], nil)
		if err != nil {
			return fmt.Errorf("compressing rows: %w", err)
		}
		if n > 0 && n < len(p.buf)*9/10 {
			p.poor = 0
			head := binary.AppendUvarint([]byte{kindRowsLZ4}, uint64(p.writer))
			d.AppMetadata, d.DataBody = binary.AppendUvarint(head, uint64(len(p.buf))), p.packed[:n]
		} else if p.poor++; p.poor == 4 {
			p.lz4 = false // these rows don't shrink
		}
	}
	err := p.out.Send(d)
	p.buf = p.buf[:0]
	return err
}
