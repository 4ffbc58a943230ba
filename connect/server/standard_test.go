package server

import (
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"

	"neptune/connect/pb"
)

// dial runs a server with a token on a port of its own, and connects to it.
func dial(t *testing.T, token string) *grpc.ClientConn {
	t.Helper()
	s := New(Options{Engine: &fake{batch: 10}, Parser: parser, ArtifactDir: t.TempDir(), Token: token})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	c, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestHealth(t *testing.T) {
	c := healthpb.NewHealthClient(dial(t, "secret")) // health needs no token
	for _, name := range []string{"", pb.SparkConnectService_ServiceDesc.ServiceName} {
		r, err := c.Check(t.Context(), &healthpb.HealthCheckRequest{Service: name})
		if err != nil || r.GetStatus() != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%q: %v, %v", name, r, err)
		}
	}
	if _, err := c.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "no.such"}); status.Code(err) != codes.NotFound {
		t.Errorf("an unknown service: %v", err)
	}
}

func TestReflection(t *testing.T) {
	c, err := reflectpb.NewServerReflectionClient(dial(t, "")).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(r *reflectpb.ServerReflectionRequest) *reflectpb.ServerReflectionResponse {
		if err := c.Send(r); err != nil {
			t.Fatal(err)
		}
		res, err := c.Recv()
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	var names []string
	for _, s := range ask(&reflectpb.ServerReflectionRequest{MessageRequest: &reflectpb.ServerReflectionRequest_ListServices{}}).GetListServicesResponse().GetService() {
		names = append(names, s.GetName())
	}
	if !strings.Contains(strings.Join(names, " "), "spark.connect.SparkConnectService") {
		t.Errorf("services: %v", names)
	}
	f := ask(&reflectpb.ServerReflectionRequest{MessageRequest: &reflectpb.ServerReflectionRequest_FileContainingSymbol{FileContainingSymbol: "spark.connect.ExecutePlanRequest"}})
	if len(f.GetFileDescriptorResponse().GetFileDescriptorProto()) == 0 {
		t.Errorf("no descriptor: %v", f)
	}
}

func TestToken(t *testing.T) {
	c := pb.NewSparkConnectServiceClient(dial(t, "secret"))
	req := &pb.ConfigRequest{SessionId: "6f1b8a52-0a5c-4c0e-8d8d-0123456789ab", UserContext: &pb.UserContext{UserId: "u"},
		Operation: &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_GetAll{GetAll: &pb.ConfigRequest_GetAll{}}}}
	for _, x := range []struct {
		header string
		want   codes.Code
	}{{"", codes.Unauthenticated}, {"Bearer wrong", codes.Unauthenticated}, {"secret", codes.Unauthenticated}, {"Bearer secret", codes.OK}} {
		ctx := t.Context()
		if x.header != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, "authorization", x.header)
		}
		if _, err := c.Config(ctx, req); status.Code(err) != x.want {
			t.Errorf("%q: %v, want %v", x.header, err, x.want)
		}
	}
}
