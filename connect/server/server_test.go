package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/uuid"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/connect/translate"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// fake is an engine that makes the rows of ranges, and remembers what it was asked.
type fake struct {
	Engine  // nil: what a test doesn't need panics, and the server must stand it
	batch   int
	before  func(Sink) error // if set, called before the rows of a range
	last    atomic.Pointer[Query]
	running chan string // gets the operation id of a query that blocks
	closed  atomic.Int32
}

func idBatch(from, to int64) ([]byte, error) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for i := from; i < to; i++ {
		b.Append(i)
	}
	a := b.NewArray()
	rec := array.NewRecordBatch(schema, []arrow.Array{a}, to-from)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	if err := w.Write(rec); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

func (f *fake) Execute(ctx context.Context, q *Query, sink Sink) error {
	f.last.Store(q)
	r, ok := q.Plan.(*plan.Range)
	if !ok {
		if c, ok := q.Plan.(*plan.Command); ok {
			if c.Kind == "fail" {
				return errs.New(errs.Arithmetic, "DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`).At(&errs.Origin{SQL: "fail", Stop: 3, Line: 1})
			}
			return nil
		}
		return errs.NotSupported(fmt.Sprintf("%T", q.Plan))
	}
	if r.End < 0 { // runs until it is stopped
		f.running <- q.OperationID
		<-ctx.Done()
		return ctx.Err()
	}
	if f.before != nil {
		if err := f.before(sink); err != nil {
			return err
		}
	}
	if err := sink.Schema(types.NewStruct(types.Field{Name: "id", Type: types.Int64Type})); err != nil {
		return err
	}
	for from := r.Start; from < r.End || from == r.Start; from += int64(f.batch) {
		to := min(from+int64(f.batch), r.End)
		data, err := idBatch(from, to)
		if err != nil {
			return err
		}
		if err := sink.Batch(data, to-from); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) Analyze(_ context.Context, _ *session.Session, n plan.Node) (plan.Node, error) {
	return n, nil
}
func (f *fake) CloneSession(context.Context, *session.Session, *session.Session) error { return nil }
func (f *fake) CloseSession(*session.Session)                                          { f.closed.Add(1) }

func parser(*session.Session) translate.Parser {
	return translate.Parser{
		Statement: func(sql string) (plan.Node, error) {
			if sql == "range" {
				return &plan.Range{End: 3, Step: 1}, nil
			}
			return &plan.Command{Kind: sql}, nil
		},
		Expression: func(string) (plan.Expr, error) { return nil, errs.NotSupported("expressions") },
		DataType: func(s string) (*types.Type, error) {
			if s == "int" {
				return types.Int32Type, nil
			}
			return nil, errs.New(errs.Parse, "PARSE_SYNTAX_ERROR", "error", s, "hint", "")
		},
		Schema: func(string) (*types.Type, error) { return types.EmptyStruct, nil },
	}
}

type rig struct {
	t  *testing.T
	f  *fake
	s  *Server
	c  pb.SparkConnectServiceClient
	id string
}

func start(t *testing.T, opt Options) *rig {
	t.Helper()
	f := &fake{batch: 10, running: make(chan string, 10)}
	opt.Engine, opt.Parser, opt.ArtifactDir = f, parser, t.TempDir()
	s := New(opt)
	l := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///x", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return l.Dial() }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(conn.Close(), s.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return &rig{t: t, f: f, s: s, c: pb.NewSparkConnectServiceClient(conn), id: uuid.NewString()}
}

func (r *rig) user() *pb.UserContext { return &pb.UserContext{UserId: "ada"} }

func rangeTo(n int64) *pb.Plan {
	return &pb.Plan{OpType: &pb.Plan_Root{Root: &pb.Relation{RelType: &pb.Relation_Range{Range: &pb.Range{End: n, Step: 1}}}}}
}

func (r *rig) request(p *pb.Plan, opts ...*pb.ExecutePlanRequest_RequestOption) *pb.ExecutePlanRequest {
	op := uuid.NewString()
	return &pb.ExecutePlanRequest{SessionId: r.id, UserContext: r.user(), OperationId: &op, Plan: p, RequestOptions: opts}
}

func reattach() *pb.ExecutePlanRequest_RequestOption {
	return &pb.ExecutePlanRequest_RequestOption{RequestOption: &pb.ExecutePlanRequest_RequestOption_ReattachOptions{ReattachOptions: &pb.ReattachOptions{Reattachable: true}}}
}

func chunked(n int64) *pb.ExecutePlanRequest_RequestOption {
	return &pb.ExecutePlanRequest_RequestOption{RequestOption: &pb.ExecutePlanRequest_RequestOption_ResultChunkingOptions{
		ResultChunkingOptions: &pb.ResultChunkingOptions{AllowArrowBatchChunking: true, PreferredArrowChunkSize: &n}}}
}

type responses interface {
	Recv() (*pb.ExecutePlanResponse, error)
}

func drain(s responses) (out []*pb.ExecutePlanResponse, err error) {
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, m)
	}
}

func (r *rig) run(req *pb.ExecutePlanRequest) ([]*pb.ExecutePlanResponse, error) {
	s, err := r.c.ExecutePlan(r.t.Context(), req)
	if err != nil {
		return nil, err
	}
	return drain(s)
}

// rowsOf puts chunks together and reads the rows.
func rowsOf(t *testing.T, l []*pb.ExecutePlanResponse) (n int64) {
	t.Helper()
	var data []byte
	for _, m := range l {
		b := m.GetArrowBatch()
		if b == nil {
			continue
		}
		if len(data) == 0 && b.GetStartOffset() != n {
			t.Errorf("a batch starts at %d, after %d rows", b.GetStartOffset(), n)
		}
		data = append(data, b.GetData()...)
		if c := b.GetNumChunksInBatch(); c > 0 && b.GetChunkIndex() < c-1 {
			continue
		}
		rd, err := ipc.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for rd.Next() {
			ids := rd.RecordBatch().Column(0).(*array.Int64)
			for i := range ids.Len() {
				if ids.Value(i) != n {
					t.Fatalf("row %d is %d", n, ids.Value(i))
				}
				n++
			}
		}
		rd.Release()
		data = nil
	}
	return n
}

func condition(err error) string {
	for _, d := range status.Convert(err).Details() {
		if i, ok := d.(*errdetails.ErrorInfo); ok {
			return i.Metadata["errorClass"]
		}
	}
	return fmt.Sprint(err)
}

func (r *rig) wants(err error, cond string) {
	r.t.Helper()
	if got := condition(err); got != cond {
		r.t.Errorf("got %s, want %s", got, cond)
	}
}

func TestResultsComeWholeAndInOrder(t *testing.T) {
	r := start(t, Options{})
	for _, req := range []*pb.ExecutePlanRequest{r.request(rangeTo(95)), r.request(rangeTo(95), reattach()), r.request(rangeTo(9500), chunked(1)), r.request(rangeTo(0))} {
		r.f.batch = 2000
		l, err := r.run(req)
		if err != nil {
			t.Fatal(err)
		}
		want := req.GetPlan().GetRoot().GetRange().GetEnd()
		if n := rowsOf(t, l); n != want {
			t.Errorf("%d rows, want %d", n, want)
		}
		if l[0].GetSchema() == nil || l[len(l)-1].GetResultComplete() == nil {
			t.Error("the schema doesn't come first, or result_complete last")
		}
		// Each response costs the client a call that releases it: rows and end, no more.
		if want <= 2000 && req.GetRequestOptions() == nil && len(l) != 2 {
			t.Errorf("%d responses for one batch", len(l))
		}
		seen := map[string]bool{}
		for _, m := range l {
			if seen[m.GetResponseId()] || m.GetSessionId() != r.id || m.GetOperationId() != req.GetOperationId() || m.GetServerSideSessionId() == "" {
				t.Errorf("bad ids: %v", m)
			}
			seen[m.GetResponseId()] = true
		}
	}
}

// An execution can be several jobs, and each tells its metrics.
func TestMetricsOfEachJobAreTold(t *testing.T) {
	r := start(t, Options{})
	r.f.before = func(sink Sink) error {
		for _, p := range []int64{1, 2} {
			sink.Progress(Progress{JobType: "batch", Origin: "conf", Priority: p, Ended: true})
		}
		return nil
	}
	l, err := r.run(r.request(rangeTo(5)))
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, m := range l {
		for _, x := range m.GetMetrics().GetMetrics() {
			got = append(got, x.GetExecutionMetrics()["priority"].GetValue())
		}
	}
	if !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("metrics of the jobs %v, want those of 1 and 2", got)
	}
}

func TestObservedBeforeAFailureIsTold(t *testing.T) {
	r := start(t, Options{})
	r.f.before = func(sink Sink) error {
		if err := sink.Metrics(Observed{Name: "seen", Keys: []string{"n"}, Types: []*types.Type{types.Int64Type}, Values: []any{int64(7)}}); err != nil {
			return err
		}
		return errs.New(errs.Arithmetic, "DIVIDE_BY_ZERO", "config", `"spark.sql.ansi.enabled"`)
	}
	l, err := r.run(r.request(rangeTo(5)))
	r.wants(err, "DIVIDE_BY_ZERO")
	if len(l) != 1 || len(l[0].GetObservedMetrics()) != 1 || l[0].GetObservedMetrics()[0].GetName() != "seen" {
		t.Errorf("got %v", l)
	}
}

func TestReattachGoesOnWhereTheClientWas(t *testing.T) {
	r := start(t, Options{MaxStreamBytes: 1}) // each stream carries one response
	req := r.request(rangeTo(55), reattach())
	all, err := r.run(req)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; len(all) > 0 && all[len(all)-1].GetResultComplete() == nil; i++ {
		if i > 100 {
			t.Fatal("no end")
		}
		last := all[len(all)-1].GetResponseId()
		s, err := r.c.ReattachExecute(t.Context(), &pb.ReattachExecuteRequest{SessionId: r.id, UserContext: r.user(), OperationId: req.GetOperationId(), LastResponseId: &last})
		if err != nil {
			t.Fatal(err)
		}
		more, err := drain(s)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, more...)
	}
	if n := rowsOf(t, all); n != 55 {
		t.Errorf("%d rows", n)
	}
	// From the start again: all is still kept.
	s, err := r.c.ReattachExecute(t.Context(), &pb.ReattachExecuteRequest{SessionId: r.id, UserContext: r.user(), OperationId: req.GetOperationId()})
	if err != nil {
		t.Fatal(err)
	}
	if again, err := drain(s); err != nil || len(again) != 1 || again[0].GetResponseId() != all[0].GetResponseId() {
		t.Errorf("%v %v", again, err)
	}
	release := func(until string) error {
		q := &pb.ReleaseExecuteRequest{SessionId: r.id, UserContext: r.user(), OperationId: req.GetOperationId(), Release: &pb.ReleaseExecuteRequest_ReleaseAll_{}}
		if until != "" {
			q.Release = &pb.ReleaseExecuteRequest_ReleaseUntil_{ReleaseUntil: &pb.ReleaseExecuteRequest_ReleaseUntil{ResponseId: until}}
		}
		_, err := r.c.ReleaseExecute(t.Context(), q)
		return err
	}
	if err := release(all[2].GetResponseId()); err != nil {
		t.Fatal(err)
	}
	again := func(last *string) error {
		s, err := r.c.ReattachExecute(t.Context(), &pb.ReattachExecuteRequest{SessionId: r.id, UserContext: r.user(), OperationId: req.GetOperationId(), LastResponseId: last})
		if err != nil {
			return err
		}
		_, err = drain(s)
		return err
	}
	r.wants(again(nil), "INVALID_CURSOR.POSITION_NOT_AVAILABLE")
	odd := uuid.NewString()
	r.wants(again(&odd), "INVALID_CURSOR.POSITION_NOT_FOUND")
	r.wants(release(odd), "INVALID_CURSOR.POSITION_NOT_FOUND")
	if err := release(""); err != nil {
		t.Fatal(err)
	}
	r.wants(again(nil), "INVALID_HANDLE.OPERATION_NOT_FOUND")
	_, err = r.run(req)
	r.wants(err, "INVALID_HANDLE.OPERATION_ALREADY_EXISTS")
}

func TestSlowClientHoldsTheEngineBack(t *testing.T) {
	r := start(t, Options{SendBuffer: 10_000})
	r.f.batch = 1000
	s, err := r.c.ExecutePlan(t.Context(), r.request(rangeTo(200_000), reattach()))
	if err != nil {
		t.Fatal(err)
	}
	l, err := drain(s)
	if err != nil || rowsOf(t, l) != 200_000 {
		t.Errorf("%d responses, %v", len(l), err)
	}
}

func TestClientGoneMidResult(t *testing.T) {
	r := start(t, Options{SendBuffer: 1000})
	ctx, cancel := context.WithCancel(t.Context())
	req := r.request(rangeTo(1 << 30))
	s, err := r.c.ExecutePlan(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Recv(); err != nil {
		t.Fatal(err)
	}
	k := session.Key{User: "ada", ID: r.id}
	o, err := r.s.find(k, req.GetOperationId())
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	<-o.ended // or the test times out
}

func TestEventsWaitForTheStartsResponse(t *testing.T) {
	r := start(t, Options{})
	req := r.request(rangeTo(3), reattach())
	id := uuid.NewString()
	req.OperationId = &id
	if _, err := r.run(req); err != nil {
		t.Fatal(err)
	}
	k := session.Key{User: "ada", ID: r.id}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		r.s.untilStarted(t.Context(), k, id, time.Hour)
	}()
	select {
	case <-heard:
		t.Error("an event goes out before the client has the response to the start")
	case <-time.After(20 * time.Millisecond):
	}
	release := &pb.ReleaseExecuteRequest{SessionId: r.id, UserContext: r.user(), OperationId: id, Release: &pb.ReleaseExecuteRequest_ReleaseAll_{ReleaseAll: &pb.ReleaseExecuteRequest_ReleaseAll{}}}
	if _, err := r.c.ReleaseExecute(t.Context(), release); err != nil {
		t.Fatal(err)
	}
	<-heard
	r.s.untilStarted(t.Context(), k, id, time.Hour) // at once: it is released
}

func TestInterrupt(t *testing.T) {
	r := start(t, Options{})
	for _, q := range []*pb.InterruptRequest{
		{InterruptType: pb.InterruptRequest_INTERRUPT_TYPE_ALL},
		{InterruptType: pb.InterruptRequest_INTERRUPT_TYPE_TAG, Interrupt: &pb.InterruptRequest_OperationTag{OperationTag: "t"}},
		{InterruptType: pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID},
	} {
		req := r.request(rangeTo(-1), reattach())
		req.Tags = []string{"t"}
		errc := make(chan error, 1)
		go func() { _, err := r.run(req); errc <- err }()
		id := <-r.f.running
		if q.InterruptType == pb.InterruptRequest_INTERRUPT_TYPE_OPERATION_ID {
			q.Interrupt = &pb.InterruptRequest_OperationId{OperationId: id}
		}
		q.SessionId, q.UserContext = r.id, r.user()
		res, err := r.c.Interrupt(t.Context(), q)
		if err != nil || len(res.GetInterruptedIds()) != 1 || res.GetInterruptedIds()[0] != id {
			t.Errorf("%v %v", res, err)
		}
		r.wants(<-errc, "OPERATION_CANCELED")
	}
	bad := r.request(rangeTo(1))
	bad.Tags = []string{"a,b"}
	_, err := r.run(bad)
	r.wants(err, "CONNECT_INVALID_PLAN.ASSERTION_FAILURE")
}

func TestSessions(t *testing.T) {
	r := start(t, Options{})
	if _, err := r.run(r.request(rangeTo(1))); err != nil {
		t.Fatal(err)
	}
	version := func(user, id, seen string) (string, error) {
		q := &pb.AnalyzePlanRequest{SessionId: id, UserContext: &pb.UserContext{UserId: user}, Analyze: &pb.AnalyzePlanRequest_SparkVersion_{}}
		if seen != "" {
			q.ClientObservedServerSideSessionId = &seen
		}
		a, err := r.c.AnalyzePlan(t.Context(), q)
		return a.GetServerSideSessionId(), err
	}
	mine, err := version("ada", r.id, "")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := version("ada", r.id, mine); err != nil || again != mine {
		t.Errorf("the server-side id changed: %v", err)
	}
	if other, err := version("bob", r.id, ""); err != nil || other == mine {
		t.Errorf("two users share a session: %v", err)
	}
	_, err = version("ada", r.id, uuid.NewString())
	r.wants(err, "INVALID_HANDLE.SESSION_CHANGED")
	_, err = version("ada", "no-uuid", "")
	r.wants(err, "INVALID_HANDLE.FORMAT")
	clone, err := r.c.CloneSession(t.Context(), &pb.CloneSessionRequest{SessionId: r.id, UserContext: r.user()})
	if err != nil || clone.GetNewSessionId() == r.id {
		t.Errorf("%v %v", clone, err)
	}
	_, err = r.c.CloneSession(t.Context(), &pb.CloneSessionRequest{SessionId: r.id, UserContext: r.user(), NewSessionId: &r.id})
	r.wants(err, "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS")
	if _, err := r.c.ReleaseSession(t.Context(), &pb.ReleaseSessionRequest{SessionId: r.id, UserContext: r.user()}); err != nil {
		t.Fatal(err)
	}
	if r.f.closed.Load() != 1 {
		t.Error("the engine wasn't told")
	}
	_, err = version("ada", r.id, "")
	r.wants(err, "INVALID_HANDLE.SESSION_CLOSED")
}

func TestErrorsHaveAllThatClientsRead(t *testing.T) {
	r := start(t, Options{})
	_, err := r.run(r.request(&pb.Plan{OpType: &pb.Plan_Root{Root: &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: "fail"}}}}}))
	r.wants(err, "DIVIDE_BY_ZERO")
	var info *errdetails.ErrorInfo
	for _, d := range status.Convert(err).Details() {
		info, _ = d.(*errdetails.ErrorInfo)
	}
	if info.GetReason() != "org.apache.spark.SparkArithmeticException" || info.Metadata["sqlState"] != "22012" ||
		!strings.Contains(info.Metadata["classes"], "java.lang.ArithmeticException") || !strings.Contains(info.Metadata["messageParameters"], "config") {
		t.Errorf("%v", info)
	}
	d, err := r.c.FetchErrorDetails(t.Context(), &pb.FetchErrorDetailsRequest{SessionId: r.id, UserContext: r.user(), ErrorId: info.Metadata["errorId"]})
	if err != nil || d.GetErrors()[d.GetRootErrorIdx()].GetSparkThrowable().GetQueryContexts()[0].GetFragment() != "fail" {
		t.Errorf("%v %v", d, err)
	}
	huge := errs.New(errs.Runtime, "X", "p", strings.Repeat("ü\n", 1<<20))
	if n := len(status.Convert(statusOf(nil, huge)).Message()); n > maxErrorMessage {
		t.Errorf("the message has %d bytes", n)
	}
	// A call that the fake engine doesn't have panics: the client gets an error, and the server goes on.
	_, err = r.c.AnalyzePlan(t.Context(), &pb.AnalyzePlanRequest{SessionId: r.id, UserContext: r.user(), Analyze: &pb.AnalyzePlanRequest_InputFiles_{InputFiles: &pb.AnalyzePlanRequest_InputFiles{Plan: rangeTo(1)}}})
	r.wants(err, "INTERNAL_ERROR")
	if strings.Contains(fmt.Sprint(err), "goroutine") {
		t.Error("a stack reached the client")
	}
}

func TestJobTypeChannels(t *testing.T) {
	hint := func(p *pb.Plan, v string) *pb.Plan {
		l := &pb.Expression{ExprType: &pb.Expression_Literal_{Literal: &pb.Expression_Literal{LiteralType: &pb.Expression_Literal_String_{String_: v}}}}
		return &pb.Plan{OpType: &pb.Plan_Root{Root: &pb.Relation{RelType: &pb.Relation_Hint{Hint: &pb.Hint{Input: p.GetRoot(), Name: "neptune.job.type", Parameters: []*pb.Expression{l}}}}}}
	}
	for _, c := range []struct {
		name                          string
		hint, tag, conf, conn, server string
		priority                      int
		origin                        string
	}{
		{"nothing", "", "", "", "", "", 2, session.FromPlan},
		{"server", "", "", "", "", "stream", 1, session.FromServer},
		{"connection over server", "", "", "", "7", "stream", 7, session.FromConnection},
		{"session over connection", "", "", "stream", "batch", "batch", 1, session.FromSession},
		{"tag over session", "", "neptune.job.type=stream", "batch", "batch", "batch", 1, session.FromTag},
		{"hint over all", "3", "neptune.job.type=stream", "batch", "batch", "stream", 3, session.FromHint},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Conf: map[string]string{}}
			if c.server != "" {
				o.Conf["neptune.job.type"] = c.server
			}
			r := start(t, o)
			if c.conf != "" {
				if _, err := r.c.Config(t.Context(), r.set("spark.sql.neptune.job.type", c.conf, false)); err != nil {
					t.Fatal(err)
				}
			}
			p := rangeTo(1)
			if c.hint != "" {
				p = hint(p, c.hint)
			}
			req := r.request(p)
			if c.tag != "" {
				req.Tags = []string{c.tag}
			}
			ctx := t.Context()
			if c.conn != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "neptune.job.type", c.conn)
			}
			s, err := r.c.ExecutePlan(ctx, req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := drain(s); err != nil {
				t.Fatal(err)
			}
			if j := r.f.last.Load().Job; j.Priority != c.priority || j.Origin != c.origin {
				t.Errorf("got %+v", j)
			}
		})
	}
	r := start(t, Options{})
	_, err := r.run(r.request(hint(rangeTo(1), "urgent")))
	r.wants(err, "INVALID_CONF_VALUE.REQUIREMENT")
	_, err = r.c.Config(t.Context(), r.set("neptune.job.type", "urgent", true))
	r.wants(err, "INVALID_CONF_VALUE.REQUIREMENT")
	// An option of a write.
	for opt, want := range map[string]int{"stream": 1, "batch": 2} {
		_, j, err := r.s.resolveJob(t.Context(), &session.Session{Conf: session.NewConf(nil)}, &plan.Write{Child: &plan.OneRow{}, Options: map[string]string{"neptune.job.type": opt}}, nil, nil, false)
		if err != nil || j.Priority != want || j.Origin != session.FromOption {
			t.Errorf("%+v %v", j, err)
		}
	}
}

func (r *rig) set(k, v string, silent bool) *pb.ConfigRequest {
	return &pb.ConfigRequest{SessionId: r.id, UserContext: r.user(), Operation: &pb.ConfigRequest_Operation{OpType: &pb.ConfigRequest_Operation_Set{
		Set: &pb.ConfigRequest_Set{Pairs: []*pb.KeyValue{{Key: k, Value: &v}}, Silent: &silent}}}}
}

func TestSQLCommand(t *testing.T) {
	r := start(t, Options{})
	for sql, local := range map[string]bool{"range": false, "use": true} {
		for _, c := range []*pb.SqlCommand{
			{Sql: sql}, //nolint:staticcheck // as 3.5 sends it
			{Input: &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: sql}}}},
		} {
			l, err := r.run(r.request(&pb.Plan{OpType: &pb.Plan_Command{Command: &pb.Command{CommandType: &pb.Command_SqlCommand{SqlCommand: c}}}}))
			if err != nil {
				t.Fatal(err)
			}
			rel := l[0].GetSqlCommandResult().GetRelation()
			if (rel.GetLocalRelation() != nil) != local || (rel.GetSql() != nil) == local {
				t.Errorf("%s: %v", sql, rel)
			}
		}
	}
}

func TestRandomBytesAreRefused(t *testing.T) {
	r := start(t, Options{})
	g := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		raw := make([]byte, g.IntN(40))
		for i := range raw {
			raw[i] = byte(g.Uint32())
		}
		p := &pb.Plan{}
		if proto.Unmarshal(raw, p) != nil {
			p = &pb.Plan{OpType: &pb.Plan_CompressedOperation_{CompressedOperation: &pb.Plan_CompressedOperation{Data: raw, CompressionCodec: 1, OpType: 1}}}
		}
		if _, err := r.run(r.request(p)); err == nil || condition(err) == "INTERNAL_ERROR" {
			t.Errorf("%x: %v", raw, err)
		}
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The pool and the latency target come by the channels of the job type.
func TestPoolAndTargetChannels(t *testing.T) {
	s := &Server{opt: Options{Conf: map[string]string{"spark.scheduler.pool": "server"}}}
	x := &session.Session{Conf: session.NewConf(nil)}
	resolve := func(ctx context.Context, n plan.Node, tags []string, options map[string]string) session.JobType {
		t.Helper()
		_, j, err := s.resolveJob(ctx, x, n, tags, options, false)
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	text := func(v string) plan.Expr { return &plan.Literal{T: types.StringType, Value: v} }
	if j := resolve(t.Context(), &plan.OneRow{}, nil, nil); j.Pool != "server" || j.Target != 0 {
		t.Errorf("got %+v", j)
	}
	conn := metadata.NewIncomingContext(t.Context(), metadata.Pairs("spark.scheduler.pool", "conn", "neptune.job.latencytarget", "1s"))
	if j := resolve(conn, &plan.OneRow{}, nil, nil); j.Pool != "conn" || j.Target != time.Second {
		t.Errorf("got %+v", j)
	}
	for k, v := range map[string]string{"spark.scheduler.pool": "session", "neptune.job.latencyTarget": "2s"} {
		if err := x.Conf.Set(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if j := resolve(conn, &plan.OneRow{}, nil, nil); j.Pool != "session" || j.Target != 2*time.Second {
		t.Errorf("got %+v", j)
	}
	options := map[string]string{"spark.scheduler.pool": "option", "neptune.job.latencytarget": "3s"}
	if j := resolve(conn, &plan.OneRow{}, nil, options); j.Pool != "option" || j.Target != 3*time.Second {
		t.Errorf("got %+v", j)
	}
	if j := resolve(conn, &plan.OneRow{}, []string{"spark.scheduler.pool=tag", "neptune.job.latencyTarget:4s"}, options); j.Pool != "tag" || j.Target != 4*time.Second {
		t.Errorf("got %+v", j)
	}
	hinted := &plan.Hint{Name: "neptune_pool", Args: []plan.Expr{text("hint")}, Child: &plan.Hint{Name: "neptune.job.latencyTarget", Args: []plan.Expr{text("5s")}, Child: &plan.OneRow{}}}
	if j := resolve(conn, hinted, []string{"spark.scheduler.pool=tag"}, options); j.Pool != "hint" || j.Target != 5*time.Second {
		t.Errorf("got %+v", j)
	}
	if _, _, err := s.resolveJob(t.Context(), x, &plan.OneRow{}, []string{"neptune.job.latencyTarget=soon"}, nil, false); err == nil {
		t.Error("a target that is no time was taken")
	}
}
