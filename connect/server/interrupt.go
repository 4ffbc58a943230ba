package server

import (
	"context"
	"slices"

	"neptune/connect/pb"
	"neptune/internal/errs"
)

// Interrupt cancels executions of a session: all, those with a tag, or one.
func (s *Server) Interrupt(_ context.Context, req *pb.InterruptRequest) (*pb.InterruptResponse, error) {
	x, done, err := s.open(req.GetUserContext(), req.GetSessionId(), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return nil, err
	}
	defer done()
	var hit func(*operation) bool
	switch req.GetInterruptType() {
	case pb.InterruptRequest_INTERRUPT_TYPE_ALL:
		hit = func(*operation) bool { return true }
	case pb.InterruptRequest_INTERRUPT_TYPE_TAG:
		hit = func(o *operation) bool { return slices.Contains(o.tags, req.GetOperationTag()) }
	case pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID:
		hit = func(o *operation) bool { return o.id == req.GetOperationId() }
	default:
		return nil, statusOf(x, errs.New(errs.Unsupported, "CONNECT_INVALID_PLAN.INVALID_ENUM",
			"fullName", "spark.connect.InterruptRequest", "name", req.GetInterruptType().String(), "number", itoa(int64(req.GetInterruptType()))))
	}
	res := &pb.InterruptResponse{SessionId: x.ID, ServerSideSessionId: x.ServerID}
	for _, o := range s.operations(x.Key) {
		if hit(o) && o.state() == pb.GetStatusResponse_OperationStatus_OPERATION_STATE_RUNNING {
			o.cancel(errCanceled)
			res.InterruptedIds = append(res.InterruptedIds, o.id)
		}
	}
	slices.Sort(res.InterruptedIds)
	return res, nil
}
