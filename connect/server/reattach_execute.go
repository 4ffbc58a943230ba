package server

import (
	"google.golang.org/grpc"

	"neptune/connect/pb"
	"neptune/internal/errs"
)

// ReattachExecute goes on with an execution's responses, after the last one that the client has.
func (s *Server) ReattachExecute(req *pb.ReattachExecuteRequest, stream grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	x, done, err := s.sessions.Find(key(req.GetUserContext(), req.GetSessionId()), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return statusOf(nil, err)
	}
	defer done()
	o, err := s.find(x.Key, req.GetOperationId())
	if err != nil {
		return statusOf(x, err)
	}
	if !o.reattachable {
		return statusOf(x, errs.New(errs.Session, "INVALID_CURSOR.NOT_REATTACHABLE"))
	}
	next := int64(1)
	if req.LastResponseId != nil {
		i, err := o.position(req.GetLastResponseId())
		if err != nil {
			return statusOf(x, err)
		}
		next = i + 1
	}
	return statusOf(x, o.deliver(stream, next, s.opt.MaxStreamDuration, s.opt.MaxStreamBytes))
}

// position is the index of a response that was made.
func (o *operation) position(id string) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, ok := o.ids.index(id)
	if !ok || i > o.base+int64(len(o.frames)) {
		return 0, errs.New(errs.Session, "INVALID_CURSOR.POSITION_NOT_FOUND", "responseId", id)
	}
	return i, nil
}
