package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/internal/errs"
)

// ExecutePlan starts an execution and streams its responses.
func (s *Server) ExecutePlan(req *pb.ExecutePlanRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	x, done, err := s.open(req.GetUserContext(), req.GetSessionId(), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return err
	}
	defer done()
	o, err := s.start(stream.Context(), x, req)
	if err != nil {
		return statusOf(x, err)
	}
	err = o.deliver(stream, 1, s.opt.MaxStreamDuration, s.opt.MaxStreamBytes)
	if !o.reattachable {
		s.remove(o, errAbandoned)
		<-o.ended
	}
	return statusOf(x, err)
}

// start registers an execution and lets it run.
func (s *Server) start(ctx context.Context, x *session.Session, req *pb.ExecutePlanRequest) (*operation, error) {
	id := req.GetOperationId()
	if id == "" {
		id = uuid.NewString()
	} else if err := session.CheckID(id); err != nil {
		return nil, err
	}
	for _, t := range req.GetTags() {
		if t == "" || strings.Contains(t, ",") {
			return nil, errs.New(errs.IllegalArgument, "CONNECT_INVALID_PLAN.ASSERTION_FAILURE", "message", fmt.Sprintf("the tag %q is empty or has a comma.", t))
		}
	}
	gap := time.Duration(x.Conf.Int("spark.connect.progress.reportInterval", 2000)) * time.Millisecond
	o := &operation{
		s: x, id: id, tags: req.GetTags(), ids: newResponseIDs(), sendBuffer: s.opt.SendBuffer, retryBuffer: s.opt.RetryBuffer,
		chunkSize: defaultChunk, progressGap: gap, started: time.Now(), lastTick: time.Now(), idle: time.Now(),
		ended: make(chan struct{}), changed: make(chan struct{}),
	}
	for _, opt := range req.GetRequestOptions() {
		if r := opt.GetReattachOptions(); r != nil {
			o.reattachable = r.GetReattachable()
		}
		if c := opt.GetResultChunkingOptions(); c != nil {
			o.chunking = c.GetAllowArrowBatchChunking()
			if c.PreferredArrowChunkSize != nil {
				o.chunkSize = max(minChunk, min(c.GetPreferredArrowChunkSize(), defaultChunk))
			}
		}
	}
	// The execution outlives the call that started it, with what the call's metadata says.
	o.ctx, o.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	k := opKey{x.Key, id}
	s.mu.Lock()
	_, dead := s.tombs[k]
	if s.ops[k] != nil || dead {
		s.mu.Unlock()
		o.cancel(nil)
		return nil, errs.New(errs.Session, "INVALID_HANDLE.OPERATION_ALREADY_EXISTS", "handle", id)
	}
	s.ops[k] = o
	s.mu.Unlock()
	done := x.Use(time.Now())
	s.wg.Go(func() {
		defer close(o.ended)
		defer done()
		defer o.cancel(nil)
		err := s.run(o, req.GetPlan())
		// Why it was stopped says more than how it took it.
		if cause := context.Cause(o.ctx); err != nil && cause != nil && o.ctx.Err() != nil {
			err = cause
		}
		if err != nil {
			if e := sparkError(err); e.Class == errs.Internal {
				s.log.Error("execution failed", "operation", id, "error", err, "cause", errors.Unwrap(e))
			}
		}
		o.finish(err)
	})
	return o, nil
}

// run carries a plan out; no panic gets further.
func (s *Server) run(o *operation, p *pb.Plan) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errs.Panic(r)
		}
	}()
	rel, cmd, err := decodePlan(p)
	if err != nil {
		return err
	}
	if cmd != nil {
		return s.command(o, cmd)
	}
	return s.relation(o, rel)
}

var decoders = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(512<<20), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil
	}
	return d
}}

// decodePlan returns a plan's relation or command, decompressed.
func decodePlan(p *pb.Plan) (*pb.Relation, *pb.Command, error) {
	switch k := p.GetOpType().(type) {
	case *pb.Plan_Root:
		return k.Root, nil, nil
	case *pb.Plan_Command:
		return nil, k.Command, nil
	case *pb.Plan_CompressedOperation_:
		c := k.CompressedOperation
		bad := func(msg string) error {
			return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.CANNOT_PARSE", "errorMsg", msg)
		}
		if c.GetCompressionCodec() != pb.CompressionCodec_COMPRESSION_CODEC_ZSTD {
			return nil, nil, bad("the codec " + c.GetCompressionCodec().String() + " is not supported")
		}
		d, ok := decoders.Get().(*zstd.Decoder)
		if !ok {
			return nil, nil, errs.Internalf("there is no zstd decoder")
		}
		defer decoders.Put(d)
		raw, err := d.DecodeAll(c.GetData(), nil)
		if err != nil {
			return nil, nil, bad(err.Error())
		}
		switch c.GetOpType() {
		case pb.Plan_CompressedOperation_OP_TYPE_RELATION:
			r := &pb.Relation{}
			if err := proto.Unmarshal(raw, r); err != nil {
				return nil, nil, bad(err.Error())
			}
			return r, nil, nil
		case pb.Plan_CompressedOperation_OP_TYPE_COMMAND:
			r := &pb.Command{}
			if err := proto.Unmarshal(raw, r); err != nil {
				return nil, nil, bad(err.Error())
			}
			return nil, r, nil
		}
		return nil, nil, bad("the operation type " + c.GetOpType().String() + " is not supported")
	}
	return nil, nil, errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.Plan", "name", "op_type")
}

// relationOf is decodePlan for requests that take relations only.
func relationOf(p *pb.Plan) (*pb.Relation, error) {
	r, c, err := decodePlan(p)
	if err == nil && c != nil {
		err = errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.ASSERTION_FAILURE", "message", "a command stands where a relation belongs.")
	}
	return r, err
}

func (s *Server) relation(o *operation, r *pb.Relation) error {
	n, err := s.translator(o.s).Relation(r)
	if err != nil {
		return err
	}
	n, job, err := s.resolveJob(o.ctx, o.s, n, o.tags, nil, false)
	if err != nil {
		return err
	}
	c := &counting{Sink: o}
	if err := s.opt.Engine.Execute(o.ctx, &Query{Session: o.s, OperationID: o.id, Tags: o.tags, Plan: n, Job: job, Text: title(r)}, c); err != nil {
		return err
	}
	if !c.batch {
		// A catalog call without result: clients expect rows all the same.
		return emptyResult(c)
	}
	return nil
}

// counting knows whether a result came.
type counting struct {
	Sink
	schema, batch bool
}

// title names a plan for the log and the UI.
func title(r *pb.Relation) string {
	if q := r.GetSql(); q != nil {
		return q.GetQuery()
	}
	if w := r.GetWithRelations(); w != nil && w.GetRoot().GetSql() != nil {
		return w.GetRoot().GetSql().GetQuery()
	}
	m := r.ProtoReflect()
	if f := m.WhichOneof(m.Descriptor().Oneofs().ByName("rel_type")); f != nil {
		return string(f.Name())
	}
	return "relation"
}
