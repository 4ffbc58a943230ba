package server

import (
	"context"
	"slices"

	"neptune/connect/pb"
)

// GetStatus reports the states of executions: of those asked for, or of all that the session has.
func (s *Server) GetStatus(_ context.Context, req *pb.GetStatusRequest) (*pb.GetStatusResponse, error) {
	x, done, err := s.sessions.Find(key(req.GetUserContext(), req.GetSessionId()), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return nil, statusOf(nil, err)
	}
	defer done()
	res := &pb.GetStatusResponse{SessionId: x.ID, ServerSideSessionId: x.ServerID}
	if req.OperationStatus == nil {
		return res, nil
	}
	states := map[string]pb.GetStatusResponse_OperationStatus_OperationState{}
	s.mu.Lock()
	for k, st := range s.tombs {
		if k.Key == x.Key {
			states[k.op] = st
		}
	}
	s.mu.Unlock()
	for _, o := range s.operations(x.Key) {
		states[o.id] = o.state()
	}
	ids := req.GetOperationStatus().GetOperationIds()
	if len(ids) == 0 {
		for id := range states {
			ids = append(ids, id)
		}
		slices.Sort(ids)
	}
	for _, id := range ids {
		st, ok := states[id]
		if !ok {
			st = pb.GetStatusResponse_OperationStatus_OPERATION_STATE_UNKNOWN
		}
		res.OperationStatuses = append(res.OperationStatuses, &pb.GetStatusResponse_OperationStatus{OperationId: id, State: st})
	}
	return res, nil
}
