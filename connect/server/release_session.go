package server

import (
	"context"

	"neptune/connect/pb"
)

// ReleaseSession closes a session; its id can't be used again unless the client asks for it.
func (s *Server) ReleaseSession(_ context.Context, req *pb.ReleaseSessionRequest) (*pb.ReleaseSessionResponse, error) {
	k := key(req.GetUserContext(), req.GetSessionId())
	res := &pb.ReleaseSessionResponse{SessionId: req.GetSessionId()}
	if x, done, err := s.sessions.Find(k, ""); err == nil {
		res.ServerSideSessionId = x.ServerID
		done()
	}
	if err := s.sessions.Close(k, req.GetAllowReconnect()); err != nil {
		return nil, statusOf(nil, err)
	}
	return res, nil
}
