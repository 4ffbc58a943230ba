// Package server is the Spark Connect service: one file an RPC. It keeps
// sessions and executions, and speaks to the rest of the program through Engine.
package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/connect/translate"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// Version is the version of Spark that the server answers like.
const Version = "4.3.0"

// MaxMessage is how large a request may be, in bytes.
const MaxMessage = 128 << 20

// Options of a Server. Zero values take the defaults.
type Options struct {
	Engine Engine
	// Parser returns the SQL parser with a session's options; nil takes package sqlparse.
	Parser func(*session.Session) translate.Parser
	// Conf are the server's own spark.* and neptune.* settings.
	Conf map[string]string
	// Own are the neptune.* keys that there are; nil: any.
	Own map[string]session.OwnKey
	// DefaultJob is the job type of what nobody marked; nil: by the kind of plan.
	DefaultJob *session.JobType
	// Token, when not "", is what clients must send as "authorization: Bearer <token>".
	Token             string
	ArtifactDir       string
	SessionTimeout    time.Duration // 60 minutes; negative: never
	DetachedTimeout   time.Duration // an execution that nobody reads is given up; 5 minutes
	MaxStreamDuration time.Duration // of one response stream, then the client reattaches; 2 minutes
	MaxStreamBytes    int64         // of one response stream; 1 GiB
	SendBuffer        int           // bytes of results made ahead of the client; 32 MiB
	RetryBuffer       int           // bytes of results kept for a client that asks again; 10 MiB
	Log               *slog.Logger
}

// Server is the service. Make it with New, run it with Serve.
type Server struct {
	pb.UnimplementedSparkConnectServiceServer
	opt      Options
	log      *slog.Logger
	sessions *session.Manager
	grpc     *grpc.Server
	health   *health.Server
	stop     context.CancelFunc
	wg       sync.WaitGroup

	mu    sync.Mutex
	ops   map[opKey]*operation
	tombs map[opKey]pb.GetStatusResponse_OperationStatus_OperationState
	order []opKey // of tombs
	gone  map[opKey]bool
}

type opKey struct {
	session.Key
	op string
}

const keptTombs = 10_000

func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// New returns a server that doesn't listen yet. Close ends it.
func New(opt Options) *Server {
	opt.Parser = orParser(opt.Parser)
	opt.DetachedTimeout = or(opt.DetachedTimeout, 5*time.Minute)
	opt.MaxStreamDuration = or(opt.MaxStreamDuration, 2*time.Minute)
	opt.MaxStreamBytes = or(opt.MaxStreamBytes, 1<<30)
	opt.SendBuffer = or(opt.SendBuffer, defaultSendBuffer)
	opt.RetryBuffer = or(opt.RetryBuffer, defaultRetryBuffer)
	opt.Log = or(opt.Log, slog.Default())
	s := &Server{
		opt: opt, log: opt.Log, ops: map[opKey]*operation{}, gone: map[opKey]bool{},
		tombs: map[opKey]pb.GetStatusResponse_OperationStatus_OperationState{},
	}
	s.sessions = session.NewManager(session.Options{Base: opt.Conf, Own: opt.Own, Dir: opt.ArtifactDir, Timeout: opt.SessionTimeout, OnClose: s.closeSession})
	s.grpc = grpc.NewServer(
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(1<<31-1),
		grpc.InitialWindowSize(16<<20), grpc.InitialConnWindowSize(16<<20),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: time.Minute, Timeout: 20 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
		grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream),
	)
	pb.RegisterSparkConnectServiceServer(s.grpc, s)
	s.health = health.NewServer()
	s.health.SetServingStatus(pb.SparkConnectService_ServiceDesc.ServiceName, healthpb.HealthCheckResponse_SERVING)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	reflection.Register(s.grpc)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.wg.Go(func() { s.maintain(ctx) })
	return s
}

// GRPC is the server that the service is registered at, for those who add services before Serve.
func (s *Server) GRPC() *grpc.Server { return s.grpc }

// Sessions are the open sessions.
func (s *Server) Sessions() []*session.Session { return s.sessions.Sessions() }

// Operations is how many executions there are: those that run, and those whose results a client has not released.
func (s *Server) Operations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ops)
}

// Serve answers on l until Close.
func (s *Server) Serve(l net.Listener) error { return s.grpc.Serve(l) }

// Close cancels all executions, closes all sessions and stops serving.
func (s *Server) Close() error {
	s.health.Shutdown()
	s.stop()
	err := s.sessions.Shutdown()
	s.grpc.Stop()
	s.wg.Wait()
	return err
}

func (s *Server) maintain(ctx context.Context) {
	t := time.NewTicker(min(30*time.Second, max(10*time.Millisecond, s.opt.DetachedTimeout/4)))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			if err := s.sessions.Expire(now); err != nil {
				s.log.Error("closing idle sessions", "error", err)
			}
			s.abandon(now)
		}
	}
}

// abandon gives up the executions that nobody has read for long.
func (s *Server) abandon(now time.Time) {
	var old []*operation
	s.mu.Lock()
	for k, o := range s.ops {
		if idle, unread := o.unread(); unread && now.Sub(idle) > s.opt.DetachedTimeout {
			old = append(old, o)
			s.gone[k] = true
		}
	}
	s.mu.Unlock()
	for _, o := range old {
		s.remove(o, errAbandoned)
	}
}

// remove ends an execution and leaves a tombstone.
func (s *Server) remove(o *operation, cause error) {
	k := opKey{o.s.Key, o.id}
	s.mu.Lock()
	if s.ops[k] == o {
		delete(s.ops, k)
		if _, ok := s.tombs[k]; !ok {
			s.order = append(s.order, k)
		}
		s.tombs[k] = o.state()
		if len(s.order) > keptTombs {
			delete(s.tombs, s.order[0])
			delete(s.gone, s.order[0])
			s.order = s.order[1:]
		}
	}
	s.mu.Unlock()
	o.close(cause)
}

func (s *Server) operations(k session.Key) []*operation {
	s.mu.Lock()
	defer s.mu.Unlock()
	var l []*operation
	for key, o := range s.ops {
		if key.Key == k {
			l = append(l, o)
		}
	}
	return l
}

// find returns an execution, or the error that Spark gives for its absence.
func (s *Server) find(k session.Key, id string) (*operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := opKey{k, id}
	if o := s.ops[key]; o != nil {
		return o, nil
	}
	if s.gone[key] {
		return nil, errs.New(errs.Session, "INVALID_HANDLE.OPERATION_ABANDONED", "handle", id)
	}
	return nil, errs.New(errs.Session, "INVALID_HANDLE.OPERATION_NOT_FOUND", "handle", id)
}

func (s *Server) closeSession(x *session.Session) {
	l := s.operations(x.Key)
	for _, o := range l {
		s.remove(o, errs.New(errs.Session, "INVALID_HANDLE.SESSION_CLOSED", "handle", x.ID))
	}
	for _, o := range l {
		<-o.ended
	}
	s.opt.Engine.CloseSession(x)
}

func key(u *pb.UserContext, id string) session.Key { return session.Key{User: u.GetUserId(), ID: id} }

// open finds or makes the session of a request.
func (s *Server) open(u *pb.UserContext, id, observed string) (*session.Session, func(), error) {
	x, done, err := s.sessions.Open(key(u, id), u.GetUserName(), observed)
	return x, done, statusOf(nil, err)
}

// unary and stream let no panic out, and log what is our own fault.
func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, h grpc.UnaryHandler) (res any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.fault(info.FullMethod, errs.Panic(p))
		}
	}()
	if err := s.allow(ctx, info.FullMethod); err != nil {
		return nil, err
	}
	return h(ctx, req)
}

func (s *Server) stream(srv any, ss grpc.ServerStream, info *grpc.StreamServerInfo, h grpc.StreamHandler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = s.fault(info.FullMethod, errs.Panic(p))
		}
	}()
	if err := s.allow(ss.Context(), info.FullMethod); err != nil {
		return err
	}
	return h(srv, ss)
}

// allow checks the token; health checks need none.
func (s *Server) allow(ctx context.Context, method string) error {
	if s.opt.Token == "" || strings.HasPrefix(method, "/grpc.health.") {
		return nil
	}
	md, _ := metadata.FromIncomingContext(ctx)
	for _, v := range md.Get("authorization") {
		if subtle.ConstantTimeCompare([]byte(v), []byte("Bearer "+s.opt.Token)) == 1 {
			return nil
		}
	}
	return status.Error(codes.Unauthenticated, "The server wants a token: sc://host:port/;token=...")
}

// orParser is p, or package sqlparse with the session's options.
func orParser(p func(*session.Session) translate.Parser) func(*session.Session) translate.Parser {
	if p != nil {
		return p
	}
	return func(x *session.Session) translate.Parser {
		o := ParserOptions(x.Conf.Get)
		if loc, err := session.LoadTimeZone(x.Conf.String("spark.sql.session.timeZone")); err == nil {
			o.TimeZone = loc
		}
		return translate.Parser{
			Statement: func(sql string) (plan.Node, error) { return sqlparse.ParseStatement(sql, o) },
			Bound: func(sql string, positional []plan.Expr, named map[string]plan.Expr) (plan.Node, error) {
				b := o
				b.Positional, b.Named = positional, named
				return sqlparse.ParseStatement(sql, b)
			},
			Expression: func(sql string) (plan.Expr, error) { return sqlparse.ParseExpression(sql, o) },
			DataType:   sqlparse.ParseDataType,
			Schema:     sqlparse.ParseSchema,
		}
	}
}

// ParserOptions are the SQL parser's options of a session with these settings, but for the time zone.
func ParserOptions(get func(key string) (value string, ok bool)) sqlparse.Options {
	is := func(key, value string) bool {
		v, _ := get(key)
		return strings.EqualFold(v, value)
	}
	ansi := is("spark.sql.ansi.enabled", "true")
	return sqlparse.Options{
		ANSI:                    ansi,
		DoubleQuotedIdentifiers: ansi && is("spark.sql.ansi.doubleQuotedIdentifiers", "true"),
		EnforceReserved:         ansi && is("spark.sql.ansi.enforceReservedKeywords", "true"),
		EscapedStringLiterals:   is("spark.sql.parser.escapedStringLiterals", "true"),
		LegacyIdentifierClause:  is("spark.sql.legacy.identifierClause", "true"),
		ConsecutiveStrings:      is("spark.sql.legacy.consecutiveStringLiterals.enabled", "true"),
		BangEqualsNot:           is("spark.sql.legacy.bangEqualsNot", "true"),
		ExponentDecimal:         is("spark.sql.legacy.exponentLiteralAsDecimal.enabled", "true"),
		FlatSetOperations:       is("spark.sql.legacy.setopsPrecedence.enabled", "true"),
		RegexColumns:            is("spark.sql.parser.quotedRegexColumnNames", "true"),
		NoSinglePipe:            is("spark.sql.parser.singleCharacterPipeOperator.enabled", "false"),
		ContinueHandlers:        is("spark.sql.scripting.continueHandlerEnabled", "true"),
		Substitute:              session.Substitution(get),
		TimestampNTZ:            is("spark.sql.timestampType", "TIMESTAMP_NTZ"),
	}
}

func (s *Server) fault(where string, e *errs.Error) error {
	s.log.Error("internal error", "where", where, "error", e, "cause", errors.Unwrap(e))
	return statusOf(nil, e)
}

// env is what a translation needs of a session.
func (s *Server) translator(x *session.Session) *translate.Translator {
	return translate.New(translate.Env{
		Parser: s.opt.Parser(x), ANSI: x.Conf.Bool("spark.sql.ansi.enabled"), Cached: x.Artifacts.Cached, SessionID: x.ID,
		MaxLocalRelation: x.Conf.Int("spark.sql.session.localRelationSizeLimit", 0),
	})
}
