package server

import (
	"context"

	"neptune/connect/pb"
)

// CloneSession copies a session: configuration, artifacts, temporary views and functions.
func (s *Server) CloneSession(ctx context.Context, req *pb.CloneSessionRequest) (*pb.CloneSessionResponse, error) {
	x, done, err := s.sessions.Find(key(req.GetUserContext(), req.GetSessionId()), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return nil, statusOf(nil, err)
	}
	defer done()
	c, err := s.sessions.Clone(ctx, x, req.GetNewSessionId(), s.opt.Engine.CloneSession)
	if err != nil {
		return nil, statusOf(x, err)
	}
	return &pb.CloneSessionResponse{SessionId: x.ID, ServerSideSessionId: x.ServerID, NewSessionId: c.ID, NewServerSideSessionId: c.ServerID}, nil
}
