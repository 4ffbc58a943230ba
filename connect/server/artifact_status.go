package server

import (
	"context"
	"strings"

	"neptune/connect/pb"
)

// ArtifactStatus says which artifacts the session has. As with Spark, only cached blocks are ever found.
func (s *Server) ArtifactStatus(_ context.Context, req *pb.ArtifactStatusesRequest) (*pb.ArtifactStatusesResponse, error) {
	x, done, err := s.open(req.GetUserContext(), req.GetSessionId(), req.GetClientObservedServerSideSessionId())
	if err != nil {
		return nil, err
	}
	defer done()
	res := &pb.ArtifactStatusesResponse{SessionId: x.ID, ServerSideSessionId: x.ServerID, Statuses: map[string]*pb.ArtifactStatusesResponse_ArtifactStatus{}}
	for _, n := range req.GetNames() {
		res.Statuses[n] = &pb.ArtifactStatusesResponse_ArtifactStatus{Exists: strings.HasPrefix(n, "cache/") && x.Artifacts.Has(n)}
	}
	return res, nil
}
