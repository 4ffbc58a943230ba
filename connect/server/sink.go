package server

import (
	"bytes"
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"neptune/connect/pb"
	"neptune/connect/translate"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Schema implements Sink.
func (c *counting) Schema(t *types.Type) error { c.schema = true; return c.Sink.Schema(t) }

// Batch implements Sink.
func (c *counting) Batch(ipc []byte, rows int64) error {
	c.batch = true
	return c.Sink.Batch(ipc, rows)
}

// emptyIPC is the Arrow stream of a relation without columns and rows.
var emptyIPC = sync.OnceValues(func() ([]byte, error) {
	var b bytes.Buffer
	schema := arrow.NewSchema(nil, nil)
	w := ipc.NewWriter(&b, ipc.WithSchema(schema))
	// Clients want a batch, even one without rows.
	if err := w.Write(array.NewRecordBatch(schema, nil, 0)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
})

func emptyResult(c *counting) error {
	if !c.schema {
		if err := c.Schema(types.EmptyStruct); err != nil {
			return err
		}
	}
	data, err := emptyIPC()
	if err != nil {
		return err
	}
	return c.Batch(data, 0)
}

// collector keeps a command's result; progress and metrics go on.
type collector struct {
	Sink
	schema *types.Type
	parts  [][]byte
}

// Schema implements Sink.
func (c *collector) Schema(t *types.Type) error { c.schema = t; return nil }

// Batch implements Sink.
func (c *collector) Batch(ipc []byte, _ int64) error { c.parts = append(c.parts, ipc); return nil }

// Ready implements Sink.
func (c *collector) Ready() <-chan struct{} { return nil }

func isCommand(n plan.Node) bool {
	switch n.(type) {
	case *plan.Command, *plan.Write:
		return true
	}
	return false
}

// sqlCommand carries a statement out. A query only gets checked: its result is
// the relation itself, which the client executes when it wants the rows. What a command gives is sent as a local relation.
func (s *Server) sqlCommand(o *operation, c *pb.SqlCommand) error {
	r, err := translate.SQLCommand(c)
	if err != nil {
		return err
	}
	n, err := s.translator(o.s).Relation(r)
	if err != nil {
		return err
	}
	n, job, err := s.resolveJob(o.ctx, o.s, n, o.tags, nil, false)
	if err != nil {
		return err
	}
	if isCommand(n) {
		col := &collector{Sink: o}
		q := &Query{Session: o.s, OperationID: o.id, Tags: o.tags, Plan: n, Job: job, Text: title(r)}
		if err := s.opt.Engine.Execute(o.ctx, q, col); err != nil {
			return err
		}
		if r, err = col.relation(); err != nil {
			return err
		}
	} else if _, err := s.opt.Engine.Analyze(o.ctx, o.s, n); err != nil {
		return err
	}
	return o.put(func(res *pb.ExecutePlanResponse) {
		res.ResponseType = &pb.ExecutePlanResponse_SqlCommandResult_{SqlCommandResult: &pb.ExecutePlanResponse_SqlCommandResult{Relation: r}}
	})
}

func (c *collector) relation() (*pb.Relation, error) {
	t := c.schema
	if t == nil {
		t = types.EmptyStruct
	}
	schema := t.JSON()
	local := func(data []byte) *pb.Relation {
		return &pb.Relation{RelType: &pb.Relation_LocalRelation{LocalRelation: &pb.LocalRelation{Data: data, Schema: &schema}}}
	}
	if len(c.parts) == 0 {
		return local(nil), nil
	}
	if data, ok := translate.JoinStreams(c.parts); ok {
		return local(data), nil
	}
	all := true
	r := local(c.parts[0])
	for _, p := range c.parts[1:] {
		r = &pb.Relation{RelType: &pb.Relation_SetOp{SetOp: &pb.SetOperation{
			LeftInput: r, RightInput: local(p), SetOpType: pb.SetOperation_SET_OP_TYPE_UNION, IsAll: &all,
		}}}
	}
	return r, nil
}

// eager runs a plan whose result, if any, nobody wants.
func (s *Server) eager(ctx context.Context, o *operation, n plan.Node, text string) error {
	n, job, err := s.resolveJob(ctx, o.s, n, o.tags, nil, false)
	if err != nil {
		return err
	}
	return s.opt.Engine.Execute(ctx, &Query{Session: o.s, OperationID: o.id, Tags: o.tags, Plan: n, Job: job, Text: text}, &collector{Sink: o})
}
