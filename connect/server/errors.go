package server

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"neptune/connect/pb"
	"neptune/connect/session"
	"neptune/internal/errs"
)

// Limits on what an error may put into gRPC's metadata, which clients cap at 8
// or 16 KB in all. The rest is there for FetchErrorDetails.
const (
	maxErrorMessage = 2048
	maxErrorParams  = 1024
	keptErrors      = 20 // a session
)

// hierarchies are the JVM classes, most special first, by which clients choose the
// exception that they raise.
var hierarchies = map[errs.Class][]string{
	errs.Internal:               {"org.apache.spark.SparkException", "java.lang.Exception"},
	errs.Execution:              {"org.apache.spark.SparkException", "java.lang.Exception"},
	errs.Analysis:               {"org.apache.spark.sql.AnalysisException", "java.lang.Exception"},
	errs.Parse:                  {"org.apache.spark.sql.catalyst.parser.ParseException", "org.apache.spark.sql.AnalysisException", "java.lang.Exception"},
	errs.Arithmetic:             {"org.apache.spark.SparkArithmeticException", "java.lang.ArithmeticException", "java.lang.RuntimeException"},
	errs.ArrayIndex:             {"org.apache.spark.SparkArrayIndexOutOfBoundsException", "java.lang.ArrayIndexOutOfBoundsException", "java.lang.IndexOutOfBoundsException", "java.lang.RuntimeException"},
	errs.DateTime:               {"org.apache.spark.SparkDateTimeException", "java.time.DateTimeException", "java.lang.RuntimeException"},
	errs.NumberFormat:           {"org.apache.spark.SparkNumberFormatException", "java.lang.NumberFormatException", "java.lang.IllegalArgumentException", "java.lang.RuntimeException"},
	errs.IllegalArgument:        {"org.apache.spark.SparkIllegalArgumentException", "java.lang.IllegalArgumentException", "java.lang.RuntimeException"},
	errs.Unsupported:            {"org.apache.spark.SparkUnsupportedOperationException", "java.lang.UnsupportedOperationException", "java.lang.RuntimeException"},
	errs.Runtime:                {"org.apache.spark.SparkRuntimeException", "java.lang.RuntimeException"},
	errs.NoSuchElement:          {"org.apache.spark.SparkNoSuchElementException", "java.util.NoSuchElementException", "java.lang.RuntimeException"},
	errs.PythonWorker:           {"org.apache.spark.api.python.PythonException", "java.lang.RuntimeException"},
	errs.StreamingQuery:         {"org.apache.spark.sql.streaming.StreamingQueryException", "java.lang.Exception"},
	errs.Upgrade:                {"org.apache.spark.SparkUpgradeException", "java.lang.RuntimeException"},
	errs.InvalidPlan:            {"org.apache.spark.sql.connect.common.InvalidPlanInput", "java.lang.RuntimeException"},
	errs.InvalidCommand:         {"org.apache.spark.sql.connect.common.InvalidCommandInput", "java.lang.RuntimeException"},
	errs.Session:                {"org.apache.spark.SparkSQLException", "java.sql.SQLException", "java.lang.Exception"},
	errs.FileNotFound:           {"org.apache.spark.SparkFileNotFoundException", "java.io.FileNotFoundException", "java.io.IOException", "java.lang.Exception"},
	errs.TempTableExists:        {"org.apache.spark.sql.catalyst.analysis.TempTableAlreadyExistsException", "org.apache.spark.sql.catalyst.analysis.TableAlreadyExistsException", "org.apache.spark.sql.AnalysisException", "java.lang.Exception"},
	errs.NoSuchTable:            {"org.apache.spark.sql.catalyst.analysis.NoSuchTableException", "org.apache.spark.sql.AnalysisException", "java.lang.Exception"},
	errs.NoSuchDatabase:         {"org.apache.spark.sql.catalyst.analysis.NoSuchNamespaceException", "org.apache.spark.sql.AnalysisException", "java.lang.Exception"},
	errs.ConcurrentModification: {"org.apache.spark.SparkConcurrentModificationException", "java.util.ConcurrentModificationException", "java.lang.RuntimeException"},
	errs.OutOfMemory:            {"org.apache.spark.memory.SparkOutOfMemoryError", "java.lang.OutOfMemoryError", "java.lang.VirtualMachineError", "java.lang.Error"},
	errs.IO:                     {"java.io.IOException", "java.lang.Exception"},
}

// classes returns an error's JVM classes, down to Object.
func classes(e *errs.Error) []string {
	h, ok := hierarchies[e.Class]
	if !ok {
		h = hierarchies[errs.Internal]
	}
	out := append([]string{}, h...)
	return append(out, "java.lang.Throwable", "java.lang.Object", "org.apache.spark.SparkThrowable")
}

// sparkError makes an errs.Error of any error.
func sparkError(err error) *errs.Error {
	if e, ok := errs.As(err); ok {
		return e
	}
	return errs.Internalf("%v", err)
}

// statusOf turns an error into the gRPC status that clients understand. With a session,
// the details are kept for FetchErrorDetails. nil stays nil.
func statusOf(s *session.Session, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	if _, ok := errs.As(err); !ok && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return status.FromContextError(err).Err()
	}
	e := sparkError(err)
	h := classes(e)
	info := &errdetails.ErrorInfo{Reason: h[0], Domain: "org.apache.spark", Metadata: map[string]string{}}
	if raw, jerr := json.Marshal(h); jerr == nil {
		info.Metadata["classes"] = string(raw)
	}
	if e.Condition != "" {
		info.Metadata["errorClass"] = e.Condition
	}
	if st := e.SQLState(); st != "" {
		info.Metadata["sqlState"] = st
	}
	params := e.Params
	if params == nil {
		params = map[string]string{}
	}
	if raw, jerr := json.Marshal(params); jerr == nil && len(raw) <= maxErrorParams {
		info.Metadata["messageParameters"] = string(raw)
	}
	if s != nil {
		id := uuid.NewString()
		info.Metadata["errorId"] = id
		errorsOf(s).put(id, e)
	}
	st, derr := status.New(codes.Internal, clip(e.Error(), maxErrorMessage)).WithDetails(info)
	if derr != nil {
		return status.Error(codes.Internal, clip(e.Error(), maxErrorMessage))
	}
	return st.Err()
}

// clip cuts s so that it takes at most n bytes when gRPC writes it: three for each byte that isn't plain ASCII.
func clip(s string, n int) string {
	used := 0
	for i, r := range s {
		w := utf8.RuneLen(r)
		if w < 0 {
			w = 3
		}
		if r < ' ' || r > '~' || r == '%' {
			w *= 3
		}
		if used += w; used > n-3 {
			return s[:i] + "..."
		}
	}
	return s
}

// errorLog keeps a session's last errors by id.
type errorLog struct {
	mu    sync.Mutex
	byID  map[string]*errs.Error
	order []string
}

type errorLogKey struct{}

func errorsOf(s *session.Session) *errorLog {
	l, _ := s.Value(errorLogKey{}, func() any { return &errorLog{byID: map[string]*errs.Error{}} }).(*errorLog)
	return l
}

func (l *errorLog) put(id string, e *errs.Error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byID[id] = e
	if l.order = append(l.order, id); len(l.order) > keptErrors {
		delete(l.byID, l.order[0])
		l.order = l.order[1:]
	}
}

// get returns an error, as often as it is asked for: a client that lost the answer asks again.
func (l *errorLog) get(id string) *errs.Error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id]
}

// details writes an error and its causes for FetchErrorDetails, the error first. Causes that
// aren't in Spark's shape are ours to know, and stay here.
func details(e *errs.Error) []*pb.FetchErrorDetailsResponse_Error {
	var out []*pb.FetchErrorDetailsResponse_Error
	for len(out) < 10 {
		d := &pb.FetchErrorDetailsResponse_Error{ErrorTypeHierarchy: classes(e), Message: e.Error()}
		th := &pb.FetchErrorDetailsResponse_SparkThrowable{MessageParameters: e.Params}
		if e.Condition != "" {
			th.ErrorClass = &e.Condition
		}
		if st := e.SQLState(); st != "" {
			th.SqlState = &st
		}
		if c := e.Context; c != nil {
			th.QueryContexts = []*pb.FetchErrorDetailsResponse_QueryContext{queryContext(c)}
		}
		d.SparkThrowable = th
		out = append(out, d)
		var next *errs.Error
		if !errors.As(e.Cause, &next) {
			break
		}
		idx := int32(len(out))
		d.CauseIdx = &idx
		e = next
		if len(out) == 10 {
			d.CauseIdx = nil
		}
	}
	return out
}

func queryContext(o *errs.Origin) *pb.FetchErrorDetailsResponse_QueryContext {
	if o.SQL == "" {
		return &pb.FetchErrorDetailsResponse_QueryContext{
			ContextType: pb.FetchErrorDetailsResponse_QueryContext_DATAFRAME,
			Fragment:    o.Fragment, CallSite: o.CallSite,
			Summary: "== DataFrame ==\n\"" + o.Fragment + "\" was called from\n" + o.CallSite + "\n",
		}
	}
	return &pb.FetchErrorDetailsResponse_QueryContext{
		ContextType: pb.FetchErrorDetailsResponse_QueryContext_SQL,
		ObjectType:  o.ObjectType, ObjectName: o.ObjectName,
		StartIndex: int32(o.Start), StopIndex: int32(o.Stop), Fragment: o.Text(), Summary: o.SQL,
	}
}
