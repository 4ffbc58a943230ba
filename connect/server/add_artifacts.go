package server

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/internal/errs"
)

// AddArtifacts stores what a client uploads: whole artifacts in batches, or one in chunks.
func (s *Server) AddArtifacts(stream grpc.ClientStreamingServer[pb.AddArtifactsRequest, pb.AddArtifactsResponse]) error {
	up := uploads{}
	defer func() {
		if up.open != nil {
			up.open.Abort()
		}
		if up.done != nil {
			up.done()
		}
	}()
	for {
		req, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if up.s == nil {
			x, done, err := s.open(req.GetUserContext(), req.GetSessionId(), req.GetClientObservedServerSideSessionId())
			if err != nil {
				return err
			}
			up.s, up.done = x, done
		}
		if err := up.take(req); err != nil {
			return statusOf(up.s, err)
		}
	}
	if up.open != nil {
		return statusOf(up.s, malformed(fmt.Sprintf("the upload of %s ended after %d chunks too few.", up.name, up.left)))
	}
	if up.s == nil {
		return statusOf(nil, malformed("an upload without a request."))
	}
	return stream.SendAndClose(&pb.AddArtifactsResponse{SessionId: up.s.ID, ServerSideSessionId: up.s.ServerID, Artifacts: up.summary})
}

func malformed(msg string) error {
	return errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.ASSERTION_FAILURE", "message", msg)
}

// uploads is the state of one call.
type uploads struct {
	s       *session.Session
	done    func()
	open    *session.Upload // an artifact in chunks
	name    string
	left    int64 // chunks that are still to come
	summary []*pb.AddArtifactsResponse_ArtifactSummary
}

func (u *uploads) take(req *pb.AddArtifactsRequest) error {
	switch k := req.GetPayload().(type) {
	case *pb.AddArtifactsRequest_Batch_:
		if u.open != nil {
			return malformed("a batch of artifacts inside of another one's chunks.")
		}
		for _, a := range k.Batch.GetArtifacts() {
			if err := u.begin(a.GetName(), 1); err != nil {
				return err
			}
			if err := u.chunk(a.GetData()); err != nil {
				return err
			}
		}
		return nil
	case *pb.AddArtifactsRequest_BeginChunk:
		if u.open != nil {
			return malformed("an artifact begins inside of another one's chunks.")
		}
		if k.BeginChunk.GetNumChunks() < 1 {
			return malformed("an artifact of no chunks.")
		}
		if err := u.begin(k.BeginChunk.GetName(), k.BeginChunk.GetNumChunks()); err != nil {
			return err
		}
		return u.chunk(k.BeginChunk.GetInitialChunk())
	case *pb.AddArtifactsRequest_Chunk:
		if u.open == nil {
			return malformed("a chunk of no artifact.")
		}
		return u.chunk(k.Chunk)
	}
	return malformed("an upload without payload.")
}

func (u *uploads) begin(name string, chunks int64) error {
	up, err := u.s.Artifacts.Begin(name)
	u.open, u.name, u.left = up, name, chunks
	return err
}

func (u *uploads) chunk(c *pb.AddArtifactsRequest_ArtifactChunk) error {
	if err := u.open.Write(c.GetData(), c.GetCrc()); err != nil {
		return err
	}
	if u.left--; u.left > 0 {
		return nil
	}
	up := u.open
	u.open = nil
	ok, err := up.Commit()
	if err != nil {
		return err
	}
	u.summary = append(u.summary, &pb.AddArtifactsResponse_ArtifactSummary{Name: u.name, IsCrcSuccessful: ok})
	return nil
}
