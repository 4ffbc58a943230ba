package server

import (
	"context"

	"neptune/connect/pb"
	"neptune/internal/errs"
)

// ReleaseExecute drops responses that the client has, or all of the execution. Releasing what isn't there is no error.
func (s *Server) ReleaseExecute(_ context.Context, req *pb.ReleaseExecuteRequest) (*pb.ReleaseExecuteResponse, error) {
	x, done, err := s.sessions.Find(key(req.GetUserContext(), req.GetSessionId()), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return nil, statusOf(nil, err)
	}
	defer done()
	res := &pb.ReleaseExecuteResponse{SessionId: x.ID, ServerSideSessionId: x.ServerID}
	o, err := s.find(x.Key, req.GetOperationId())
	if err != nil {
		return res, nil //nolint:nilerr // as documented
	}
	if !o.reattachable {
		return nil, statusOf(x, errs.New(errs.Session, "INVALID_CURSOR.NOT_REATTACHABLE"))
	}
	switch k := req.GetRelease().(type) {
	case *pb.ReleaseExecuteRequest_ReleaseAll_:
		s.remove(o, errAbandoned)
	case *pb.ReleaseExecuteRequest_ReleaseUntil_:
		if err := o.releaseUntil(k.ReleaseUntil.GetResponseId()); err != nil {
			return nil, statusOf(x, err)
		}
	default:
		return nil, statusOf(x, errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.INVALID_ONE_OF_FIELD_NOT_SET", "fullName", "spark.connect.ReleaseExecuteRequest", "name", "release"))
	}
	res.OperationId = &o.id
	return res, nil
}
