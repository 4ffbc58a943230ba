package server

import (
	"context"
	"time"

	"neptune/connect/session"
	"neptune/connect/translate"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Engine is what the protocol needs of the rest of the program. The
// composition root implements it; tests have a fake one.
//
// All methods may be called concurrently, also for one session. Errors are
// errs.Error where a user can act on them; anything else reaches the user as
// an INTERNAL_ERROR. Nodes are unresolved, as translate or the parser made
// them.
type Engine interface {
	// Execute runs a relation, a plan.Command or a plan.Write, and hands what comes out
	// to sink in order, from one goroutine at a time. It returns when the last call of sink
	// has returned. When ctx is cancelled (interrupt, client gone, session closed) it
	// stops soon and returns any error; the server knows why.
	//
	// For a relation, and for a command that has a result, it calls sink.Schema once, before
	// anything else, then sink.Batch at least once (with 0 rows if there are none).
	// A command without result calls neither.
	Execute(ctx context.Context, q *Query, sink Sink) error

	// Analyze resolves a plan. Its Output is the schema.
	Analyze(ctx context.Context, s *session.Session, n plan.Node) (plan.Node, error)

	// Explain is the text of EXPLAIN. mode is "simple", "extended", "codegen", "cost" or "formatted".
	Explain(ctx context.Context, q *Query, mode string) (string, error)

	// InputFiles lists the files that a plan reads, as URIs.
	InputFiles(ctx context.Context, s *session.Session, n plan.Node) ([]string, error)

	// Persist marks a plan as cached, Unpersist forgets it (a plan that isn't cached is no
	// error), StorageLevel says how it is cached: the zero value when it isn't.
	Persist(ctx context.Context, s *session.Session, n plan.Node, level StorageLevel) error
	Unpersist(ctx context.Context, s *session.Session, n plan.Node, blocking bool) error
	StorageLevel(ctx context.Context, s *session.Session, n plan.Node) (StorageLevel, error)

	// Checkpoint materialises q.Plan (at once when eager) and returns a key
	// that plan.CachedRef nodes of this session use from then on.
	// DropCheckpoint forgets it; a key that isn't there is no error.
	Checkpoint(ctx context.Context, q *Query, eager, local bool) (key string, err error)
	DropCheckpoint(s *session.Session, key string)

	// RegisterFunction makes a user function callable by name in SQL and DataFrames of the
	// session: a *plan.UDF without Args (spark.udf.register).
	RegisterFunction(ctx context.Context, s *session.Session, f *plan.UDF) error

	// StartStream starts a streaming query; it returns once the query has been set up (its first
	// micro-batch need not have run). The query outlives ctx.
	StartStream(ctx context.Context, q *Query, spec *translate.StreamSpec) (Stream, error)
	// Stream finds a query of the session, active or ended, by id and, if not "", run id.
	Stream(s *session.Session, id, runID string) (Stream, bool)
	// ActiveStreams are the session's running queries, oldest first.
	ActiveStreams(s *session.Session) []Stream
	// AwaitAnyStream waits until a query of the session has ended since the last ResetTerminated.
	// It returns false when ctx is done first, and the query's error if it failed.
	AwaitAnyStream(ctx context.Context, s *session.Session) (bool, error)
	ResetTerminated(s *session.Session)
	// StreamEvents subscribes to the events of the session's queries until ctx is done, when the channel is closed.
	StreamEvents(ctx context.Context, s *session.Session) <-chan StreamEvent

	// CloneSession copies views, functions, current catalog and database; configuration and artifacts are copied by then.
	CloneSession(ctx context.Context, from, to *session.Session) error
	// CloseSession frees all that the engine holds for s, and stops its streaming queries. It is called once, after all of
	// the session's executions ended.
	CloseSession(s *session.Session)
}

// Query is one execution.
type Query struct {
	Session     *session.Session
	OperationID string
	Tags        []string
	Plan        plan.Node
	// Job is the job's type as the marking channels say it, the server's default included.
	Job session.JobType
	// Estimate is how long the job takes alone, if that is known (policy deadline).
	Estimate time.Duration
	// Text is the SQL text, if the client sent SQL, or the name of the command or root relation, for the log and the UI.
	Text string
	// Metrics, if set, takes the values of the plan's Observe nodes when a job of the query has ended.
	Metrics func(Observed) error
}

// Sink takes the results of an execution. An error from any method means that nobody
// wants the rest (the context is then cancelled, too): Execute returns it.
type Sink interface {
	// Schema gives the result's columns, a struct type.
	Schema(t *types.Type) error
	// Batch takes a complete Arrow IPC stream (schema, record batches, end mark) of
	// that many rows. The sink keeps ipc: the engine must not touch it again. Batch blocks while the
	// client reads slower than the engine makes rows; a task should rather wait for Ready.
	Batch(ipc []byte, rows int64) error
	// Ready returns nil if Batch won't block, else a channel that is closed when it is worth to look again.
	Ready() <-chan struct{}
	// Progress reports how far the execution is; it never blocks. Call it as often as wanted.
	Progress(p Progress)
	// Metrics gives the values of an Observe node, once it is complete.
	Metrics(m Observed) error
}

// Progress is the state of an execution's stages.
type Progress struct {
	Stages        []StageProgress
	InflightTasks int64
	// JobType and Origin are the job's type, and where it came from.
	JobType, Origin string
	Priority        int64
	// Suspensions counts those of the job's tasks, and Suspended is for how long they were, in sum.
	Suspensions int64
	Suspended   time.Duration
	// Ended: this is the last report of the job.
	Ended bool
}

// StageProgress counts one stage's tasks.
type StageProgress struct {
	ID, Tasks, Completed int64
	InputBytes           int64
	Done                 bool
}

// Observed are the metrics of one Observe node. Values are in the Go form of literals.
type Observed struct {
	Name   string
	PlanID int64
	Keys   []string
	Types  []*types.Type
	Nulls  []bool // whether a value may be null
	Values []any
}

// StorageLevel is how a plan is cached.
type StorageLevel struct {
	Disk, Memory, OffHeap, Deserialized bool
	Replication                         int32
}

// Stream is a streaming query.
type Stream interface {
	// ID is the query's id, which survives restarts from a checkpoint; RunID is that of this run.
	ID() string
	RunID() string
	Name() string // "" when the user gave none
	Status() StreamStatus
	// RecentProgress are StreamingQueryProgress objects as JSON, oldest first.
	RecentProgress() []string
	// StartedEvent is the QueryStartedEvent as JSON, "" if there is none.
	StartedEvent() string
	Explain(extended bool) (string, error)
	// Stop ends the query and waits until it has ended.
	Stop(ctx context.Context) error
	// ProcessAllAvailable waits until all data that was there when it was called has been processed and committed.
	ProcessAllAvailable(ctx context.Context) error
	// Await waits for the query's end: true and the query's error, if it failed; false when ctx is done first.
	Await(ctx context.Context) (bool, error)
	// Err is the error that ended the query, nil if it runs or was stopped.
	Err() error
}

// StreamStatus is StreamingQuery.status.
type StreamStatus struct {
	Message       string
	DataAvailable bool
	TriggerActive bool
	Active        bool
}

// StreamEvent is an event for streaming query listeners. JSON is in the form
// that the clients' listener classes read. StartID is the operation that started the query.
type StreamEvent struct {
	Kind    StreamEventKind
	StartID string
	JSON    string
}

// StreamEventKind is the kind of a StreamEvent.
type StreamEventKind uint8

// The kinds of events.
const (
	StreamProgressed StreamEventKind = iota
	StreamTerminated
	StreamIdle
)
