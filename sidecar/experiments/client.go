package experiments

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"neptune/connect/pb"
)

// client is as much of a Spark Connect client as the experiments need: one session over a connection.
type client struct {
	conn    *grpc.ClientConn
	rpc     pb.SparkConnectServiceClient
	session string
}

func dial(addr string) (*client, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(128<<20)))
	if err != nil {
		return nil, err
	}
	return &client{conn, pb.NewSparkConnectServiceClient(conn), uuid.NewString()}, nil
}

func (c *client) user() *pb.UserContext { return &pb.UserContext{UserId: "bench", UserName: "bench"} }

func (c *client) close(ctx context.Context) error {
	_, err := c.rpc.ReleaseSession(ctx, &pb.ReleaseSessionRequest{SessionId: c.session, UserContext: c.user()})
	return errors.Join(err, c.conn.Close())
}

func relation(text string) *pb.Relation {
	return &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: text}}}
}

// reply is what an execution answered.
type reply struct {
	rows    int64
	data    []byte // the batches as they came
	metrics map[string]int64
	started *pb.WriteStreamOperationStartResult
	stream  *pb.StreamingQueryCommandResult
}

func (c *client) execute(ctx context.Context, p *pb.Plan, tags ...string) (*reply, error) {
	in, err := c.rpc.ExecutePlan(ctx, &pb.ExecutePlanRequest{SessionId: c.session, UserContext: c.user(), Plan: p, Tags: tags})
	if err != nil {
		return nil, err
	}
	out := &reply{metrics: map[string]int64{}}
	for {
		m, err := in.Recv()
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if b := m.GetArrowBatch(); b != nil {
			out.rows += b.RowCount
			out.data = append(out.data, b.Data...)
		}
		for _, x := range m.GetMetrics().GetMetrics() {
			for name, v := range x.ExecutionMetrics {
				out.metrics[name] += v.Value
			}
		}
		if r := m.GetWriteStreamOperationStartResult(); r != nil {
			out.started = r
		}
		if r := m.GetStreamingQueryCommandResult(); r != nil {
			out.stream = r
		}
	}
}

// sql runs a query. tags are its operation's.
func (c *client) sql(ctx context.Context, text string, tags ...string) (*reply, error) {
	return c.execute(ctx, &pb.Plan{OpType: &pb.Plan_Root{Root: relation(text)}}, tags...)
}

func (c *client) command(ctx context.Context, cmd *pb.Command) (*reply, error) {
	return c.execute(ctx, &pb.Plan{OpType: &pb.Plan_Command{Command: cmd}})
}

// set sets a key of the session's configuration.
func (c *client) set(ctx context.Context, key, value string) error {
	_, err := c.rpc.Config(ctx, &pb.ConfigRequest{SessionId: c.session, UserContext: c.user(), Operation: &pb.ConfigRequest_Operation{
		OpType: &pb.ConfigRequest_Operation_Set{Set: &pb.ConfigRequest_Set{Pairs: []*pb.KeyValue{{Key: key, Value: &value}}}}}})
	return err
}

// jobType is what EXPLAIN says of a query's job type.
func (c *client) jobType(ctx context.Context, text string) (string, error) {
	r, err := c.rpc.AnalyzePlan(ctx, &pb.AnalyzePlanRequest{SessionId: c.session, UserContext: c.user(), Analyze: &pb.AnalyzePlanRequest_Explain_{Explain: &pb.AnalyzePlanRequest_Explain{
		Plan: &pb.Plan{OpType: &pb.Plan_Root{Root: relation(text)}}, ExplainMode: pb.AnalyzePlanRequest_Explain_EXPLAIN_MODE_SIMPLE}}})
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(r.GetExplain().GetExplainString()) {
		if t, ok := strings.CutPrefix(line, "Job type: "); ok {
			return strings.TrimSpace(t), nil
		}
	}
	return "", fmt.Errorf("EXPLAIN says nothing of the job type")
}

// startStream starts a streaming query of a rate source that nobody sees the rows of.
func (c *client) startStream(ctx context.Context, rate int, every string) (*pb.StreamingQueryInstanceId, error) {
	format := "rate"
	read := &pb.Relation{RelType: &pb.Relation_Read{Read: &pb.Read{IsStreaming: true, ReadType: &pb.Read_DataSource_{DataSource: &pb.Read_DataSource{
		Format: &format, Options: map[string]string{"rowsPerSecond": fmt.Sprint(rate), "numPartitions": "2"}}}}}}
	word := func(s string) *pb.Expression {
		return &pb.Expression{ExprType: &pb.Expression_ExpressionString_{ExpressionString: &pb.Expression_ExpressionString{Expression: s}}}
	}
	grouped := &pb.Relation{RelType: &pb.Relation_Aggregate{Aggregate: &pb.Aggregate{Input: read, GroupType: pb.Aggregate_GROUP_TYPE_GROUPBY,
		GroupingExpressions: []*pb.Expression{word("value % 100 AS k")}, AggregateExpressions: []*pb.Expression{word("count(1) AS n")}}}}
	r, err := c.command(ctx, &pb.Command{CommandType: &pb.Command_WriteStreamOperationStart{WriteStreamOperationStart: &pb.WriteStreamOperationStart{
		Input: grouped, Format: "noop", OutputMode: "update", Trigger: &pb.WriteStreamOperationStart_ProcessingTimeInterval{ProcessingTimeInterval: every}}}})
	if err != nil {
		return nil, err
	}
	if r.started == nil {
		return nil, fmt.Errorf("the streaming query has no id")
	}
	return r.started.QueryId, nil
}

// progress returns the recent progress of a streaming query, each as JSON.
func (c *client) progress(ctx context.Context, id *pb.StreamingQueryInstanceId) ([]string, error) {
	r, err := c.command(ctx, &pb.Command{CommandType: &pb.Command_StreamingQueryCommand{StreamingQueryCommand: &pb.StreamingQueryCommand{
		QueryId: id, Command: &pb.StreamingQueryCommand_RecentProgress{RecentProgress: true}}}})
	if err != nil {
		return nil, err
	}
	return r.stream.GetRecentProgress().GetRecentProgressJson(), nil
}

func (c *client) stopStream(ctx context.Context, id *pb.StreamingQueryInstanceId) error {
	_, err := c.command(ctx, &pb.Command{CommandType: &pb.Command_StreamingQueryCommand{StreamingQueryCommand: &pb.StreamingQueryCommand{
		QueryId: id, Command: &pb.StreamingQueryCommand_Stop{Stop: true}}}})
	return err
}
