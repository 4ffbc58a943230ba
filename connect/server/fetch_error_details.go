package server

import (
	"context"

	"neptune/connect/pb"
)

// FetchErrorDetails tells all about an error whose id a client got, as long as it is among the session's last ones.
func (s *Server) FetchErrorDetails(_ context.Context, req *pb.FetchErrorDetailsRequest) (*pb.FetchErrorDetailsResponse, error) {
	x, done, err := s.sessions.Find(key(req.GetUserContext(), req.GetSessionId()), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return nil, statusOf(nil, err)
	}
	defer done()
	res := &pb.FetchErrorDetailsResponse{SessionId: x.ID, ServerSideSessionId: x.ServerID}
	if e := errorsOf(x).get(req.GetErrorId()); e != nil {
		root := int32(0)
		res.RootErrorIdx = &root
		res.Errors = details(e)
	}
	return res, nil
}
