package server

import (
	"context"
	"errors"
	"time"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/internal/errs"
)

// command carries a command out.
func (s *Server) command(o *operation, c *pb.Command) error {
	t := s.translator(o.s)
	switch k := c.GetCommandType().(type) {
	case *pb.Command_SqlCommand:
		return s.sqlCommand(o, k.SqlCommand)
	case *pb.Command_WriteOperation:
		n, err := t.Write(k.WriteOperation)
		if err != nil {
			return err
		}
		return s.eager(o.ctx, o, n, "write")
	case *pb.Command_WriteOperationV2:
		n, err := t.WriteV2(k.WriteOperationV2)
		if err != nil {
			return err
		}
		return s.eager(o.ctx, o, n, "writeTo")
	case *pb.Command_CreateDataframeView:
		n, err := t.CreateView(k.CreateDataframeView)
		if err != nil {
			return err
		}
		return s.eager(o.ctx, o, n, "create view")
	case *pb.Command_RegisterFunction:
		f, err := t.Function(k.RegisterFunction)
		if err != nil {
			return err
		}
		return s.opt.Engine.RegisterFunction(o.ctx, o.s, f)
	case *pb.Command_CheckpointCommand:
		return s.checkpoint(o, k.CheckpointCommand)
	case *pb.Command_RemoveCachedRemoteRelationCommand:
		s.opt.Engine.DropCheckpoint(o.s, k.RemoveCachedRemoteRelationCommand.GetRelation().GetRelationId())
		return nil
	case *pb.Command_GetResourcesCommand:
		return o.put(func(r *pb.ExecutePlanResponse) {
			r.ResponseType = &pb.ExecutePlanResponse_GetResourcesCommandResult{GetResourcesCommandResult: &pb.GetResourcesCommandResult{}}
		})
	case *pb.Command_WriteStreamOperationStart:
		return s.startStream(o, k.WriteStreamOperationStart)
	case *pb.Command_StreamingQueryCommand:
		return s.streamCommand(o, k.StreamingQueryCommand)
	case *pb.Command_StreamingQueryManagerCommand:
		return s.streamManager(o, k.StreamingQueryManagerCommand)
	case *pb.Command_StreamingQueryListenerBusCommand:
		return s.listenerBus(o, k.StreamingQueryListenerBusCommand)
	case *pb.Command_Extension:
		return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.NO_HANDLER_FOR_EXTENSION", "extensionTypeUrl", k.Extension.GetTypeUrl())
	case nil:
		return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.Command", "name", "command_type")
	}
	m := c.ProtoReflect()
	return errs.NotSupported("command " + string(m.WhichOneof(m.Descriptor().Oneofs().ByName("command_type")).Message().Name()))
}

func (s *Server) checkpoint(o *operation, c *pb.CheckpointCommand) error {
	n, err := s.translator(o.s).Relation(c.GetRelation())
	if err != nil {
		return err
	}
	n, job, err := s.resolveJob(o.ctx, o.s, n, o.tags, nil, false)
	if err != nil {
		return err
	}
	id, err := s.opt.Engine.Checkpoint(o.ctx, &Query{Session: o.s, OperationID: o.id, Tags: o.tags, Plan: n, Job: job, Text: "checkpoint"}, c.GetEager(), c.GetLocal())
	if err != nil {
		return err
	}
	return o.put(func(r *pb.ExecutePlanResponse) {
		r.ResponseType = &pb.ExecutePlanResponse_CheckpointCommandResult{
			CheckpointCommandResult: &pb.CheckpointCommandResult{Relation: &pb.CachedRemoteRelation{RelationId: id}},
		}
	})
}

func instance(q Stream) *pb.StreamingQueryInstanceId {
	return &pb.StreamingQueryInstanceId{Id: q.ID(), RunId: q.RunID()}
}

func (s *Server) startStream(o *operation, w *pb.WriteStreamOperationStart) error {
	n, spec, err := s.translator(o.s).StartStream(w)
	if err != nil {
		return err
	}
	options := spec.Options
	if options == nil {
		options = map[string]string{}
	}
	n, job, err := s.resolveJob(o.ctx, o.s, n, o.tags, options, true)
	if err != nil {
		return err
	}
	q, err := s.opt.Engine.StartStream(o.ctx, &Query{Session: o.s, OperationID: o.id, Tags: o.tags, Plan: n, Job: job, Text: "writeStream " + spec.Name}, spec)
	if err != nil {
		return err
	}
	res := &pb.WriteStreamOperationStartResult{QueryId: instance(q), Name: q.Name()}
	if e := q.StartedEvent(); e != "" {
		res.QueryStartedEventJson = &e
	}
	return o.put(func(r *pb.ExecutePlanResponse) {
		r.ResponseType = &pb.ExecutePlanResponse_WriteStreamOperationStartResult{WriteStreamOperationStartResult: res}
	})
}

// within is ctx that ends after ms milliseconds, if that is not nil.
func within(ctx context.Context, ms *int64) (context.Context, context.CancelFunc) {
	if ms == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, time.Duration(*ms)*time.Millisecond)
}

func (s *Server) streamCommand(o *operation, c *pb.StreamingQueryCommand) error {
	id := c.GetQueryId()
	q, ok := s.opt.Engine.Stream(o.s, id.GetId(), id.GetRunId())
	if !ok {
		q, ok = s.opt.Engine.Stream(o.s, id.GetId(), "")
	}
	if !ok {
		return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.STREAMING_QUERY_NOT_FOUND", "id", id.GetId())
	}
	if q.RunID() != id.GetRunId() {
		return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.STREAMING_QUERY_RUN_ID_MISMATCH", "id", id.GetId(), "runId", id.GetRunId(), "serverRunId", q.RunID())
	}
	res := &pb.StreamingQueryCommandResult{QueryId: instance(q)}
	switch k := c.GetCommand().(type) {
	case *pb.StreamingQueryCommand_Status:
		st := q.Status()
		res.ResultType = &pb.StreamingQueryCommandResult_Status{Status: &pb.StreamingQueryCommandResult_StatusResult{
			StatusMessage: st.Message, IsDataAvailable: st.DataAvailable, IsTriggerActive: st.TriggerActive, IsActive: st.Active,
		}}
	case *pb.StreamingQueryCommand_LastProgress, *pb.StreamingQueryCommand_RecentProgress:
		p := q.RecentProgress()
		if _, last := k.(*pb.StreamingQueryCommand_LastProgress); last && len(p) > 1 {
			p = p[len(p)-1:]
		}
		res.ResultType = &pb.StreamingQueryCommandResult_RecentProgress{RecentProgress: &pb.StreamingQueryCommandResult_RecentProgressResult{RecentProgressJson: p}}
	case *pb.StreamingQueryCommand_Stop:
		if err := q.Stop(o.ctx); err != nil {
			return err
		}
	case *pb.StreamingQueryCommand_ProcessAllAvailable:
		if err := q.ProcessAllAvailable(o.ctx); err != nil {
			return err
		}
	case *pb.StreamingQueryCommand_Explain:
		text, err := q.Explain(k.Explain.GetExtended())
		if err != nil {
			return err
		}
		res.ResultType = &pb.StreamingQueryCommandResult_Explain{Explain: &pb.StreamingQueryCommandResult_ExplainResult{Result: text}}
	case *pb.StreamingQueryCommand_Exception:
		x := &pb.StreamingQueryCommandResult_ExceptionResult{}
		if err := q.Err(); err != nil {
			e := sparkError(err)
			msg := e.Error()
			x.ExceptionMessage = &msg
			if e.Condition != "" {
				x.ErrorClass = &e.Condition
			}
		}
		res.ResultType = &pb.StreamingQueryCommandResult_Exception{Exception: x}
	case *pb.StreamingQueryCommand_AwaitTermination:
		ctx, cancel := within(o.ctx, k.AwaitTermination.TimeoutMs)
		defer cancel()
		done, err := q.Await(ctx)
		if err = s.awaited(o, err); err != nil {
			return err
		}
		res.ResultType = &pb.StreamingQueryCommandResult_AwaitTermination{AwaitTermination: &pb.StreamingQueryCommandResult_AwaitTerminationResult{Terminated: done}}
	default:
		return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.StreamingQueryCommand", "name", "command")
	}
	return o.put(func(r *pb.ExecutePlanResponse) {
		r.ResponseType = &pb.ExecutePlanResponse_StreamingQueryCommandResult{StreamingQueryCommandResult: res}
	})
}

// awaited tells an interrupted wait from one that was over in its time.
func (s *Server) awaited(o *operation, err error) error {
	if o.ctx.Err() != nil {
		return context.Cause(o.ctx)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (s *Server) streamManager(o *operation, c *pb.StreamingQueryManagerCommand) error {
	res := &pb.StreamingQueryManagerCommandResult{}
	query := func(q Stream) *pb.StreamingQueryManagerCommandResult_StreamingQueryInstance {
		i := &pb.StreamingQueryManagerCommandResult_StreamingQueryInstance{Id: instance(q)}
		if n := q.Name(); n != "" {
			i.Name = &n
		}
		return i
	}
	switch k := c.GetCommand().(type) {
	case *pb.StreamingQueryManagerCommand_Active:
		a := &pb.StreamingQueryManagerCommandResult_ActiveResult{}
		for _, q := range s.opt.Engine.ActiveStreams(o.s) {
			a.ActiveQueries = append(a.ActiveQueries, query(q))
		}
		res.ResultType = &pb.StreamingQueryManagerCommandResult_Active{Active: a}
	case *pb.StreamingQueryManagerCommand_GetQuery:
		if q, ok := s.opt.Engine.Stream(o.s, k.GetQuery, ""); ok && q.Status().Active {
			res.ResultType = &pb.StreamingQueryManagerCommandResult_Query{Query: query(q)}
		}
	case *pb.StreamingQueryManagerCommand_AwaitAnyTermination:
		ctx, cancel := within(o.ctx, k.AwaitAnyTermination.TimeoutMs)
		defer cancel()
		done, err := s.opt.Engine.AwaitAnyStream(ctx, o.s)
		if err = s.awaited(o, err); err != nil {
			return err
		}
		res.ResultType = &pb.StreamingQueryManagerCommandResult_AwaitAnyTermination{AwaitAnyTermination: &pb.StreamingQueryManagerCommandResult_AwaitAnyTerminationResult{Terminated: done}}
	case *pb.StreamingQueryManagerCommand_ResetTerminated:
		s.opt.Engine.ResetTerminated(o.s)
		res.ResultType = &pb.StreamingQueryManagerCommandResult_ResetTerminated{ResetTerminated: true}
	case *pb.StreamingQueryManagerCommand_AddListener, *pb.StreamingQueryManagerCommand_RemoveListener, *pb.StreamingQueryManagerCommand_ListListeners:
		return errs.NotSupported("streaming query listeners that run in the server")
	default:
		return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.StreamingQueryManagerCommand", "name", "command")
	}
	return o.put(func(r *pb.ExecutePlanResponse) {
		r.ResponseType = &pb.ExecutePlanResponse_StreamingQueryManagerCommandResult{StreamingQueryManagerCommandResult: res}
	})
}

type listenerKey struct{}

// listener holds the end of a session's listener bus.
type listener struct{ stop chan context.CancelFunc }

// listenerBus sends the events of the session's streaming queries until the client removes its listener.
func (s *Server) listenerBus(o *operation, c *pb.StreamingQueryListenerBusCommand) error {
	l, _ := o.s.Value(listenerKey{}, func() any { return &listener{stop: make(chan context.CancelFunc, 1)} }).(*listener)
	if c.GetRemoveListenerBusListener() {
		select {
		case stop := <-l.stop:
			stop()
		default:
		}
		return nil
	}
	ctx, cancel := context.WithCancel(o.ctx)
	defer cancel()
	select {
	case l.stop <- cancel:
	default: // there is one already; events go to both
	}
	events := s.opt.Engine.StreamEvents(ctx, o.s)
	send := func(m *pb.StreamingQueryListenerEventsResult) error {
		return o.put(func(r *pb.ExecutePlanResponse) {
			r.ResponseType = &pb.ExecutePlanResponse_StreamingQueryListenerEventsResult{StreamingQueryListenerEventsResult: m}
		})
	}
	yes := true
	if err := send(&pb.StreamingQueryListenerEventsResult{ListenerBusListenerAdded: &yes}); err != nil {
		return err
	}
	kinds := map[StreamEventKind]pb.StreamingQueryEventType{
		StreamProgressed: pb.StreamingQueryEventType_QUERY_PROGRESS_EVENT,
		StreamTerminated: pb.StreamingQueryEventType_QUERY_TERMINATED_EVENT,
		StreamIdle:       pb.StreamingQueryEventType_QUERY_IDLE_EVENT,
	}
	for e := range events {
		s.untilStarted(ctx, o.s.Key, e.StartID, startedWait)
		m := &pb.StreamingQueryListenerEvent{EventJson: e.JSON, EventType: kinds[e.Kind]}
		if err := send(&pb.StreamingQueryListenerEventsResult{Events: []*pb.StreamingQueryListenerEvent{m}}); err != nil {
			return err
		}
	}
	if o.ctx.Err() != nil {
		return context.Cause(o.ctx)
	}
	return nil
}

// Bounds of how long a query's events are held back.
const (
	startedWait = time.Second           // for a client that doesn't release what it read
	startedHead = 10 * time.Millisecond // from the release to the listeners' call
)

// untilStarted waits until the client has taken the response to the start of a query. Clients tell their listeners that
// it started themselves, once they have that response, and what comes over the bus in another thread: an event
// of a short batch would be heard before the start.
func (s *Server) untilStarted(ctx context.Context, k session.Key, id string, wait time.Duration) {
	start, err := s.find(k, id)
	if err != nil {
		return // released, as it nearly always is
	}
	bound := time.NewTimer(wait)
	defer bound.Stop()
	for {
		released, changed := start.taken()
		if released {
			break
		}
		select {
		case <-changed:
		case <-bound.C:
			return
		case <-ctx.Done():
			return
		}
	}
	select {
	case <-time.After(startedHead):
	case <-ctx.Done():
	}
}
