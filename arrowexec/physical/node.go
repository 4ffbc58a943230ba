// Package physical is the physical plan as data: what EXPLAIN prints, what the
// scheduler cuts into stages, and what executors build operators from.
// Expressions are resolved and bound: columns are plan.Bound.
package physical

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Node is a physical operator. Inputs are fields of the node; Children lists them.
type Node interface {
	Children() []Node
	WithChildren([]Node) Node
	// Schema is the output's columns.
	Schema() []Column
	// Name is the operator's name as EXPLAIN prints it (Spark's: "HashAggregate", "Exchange").
	Name() string
}

// Column is a column of a node's output.
type Column struct {
	Name string
	Type *types.Type
	Null bool
	ID   plan.ExprID // for EXPLAIN: name#id
}

// Types returns the types of columns.
func Types(cols []Column) []*types.Type {
	out := make([]*types.Type, len(cols))
	for i, c := range cols {
		out[i] = c.Type
	}
	return out
}

// Scan reads a source. Cols are positions in Source.Schema(), in output order;
// Filters are conjuncts bound to the output columns which the source may use to
// skip (statistics) and, when it says so, evaluates fully (Exact).
type Scan struct {
	Source  plan.Source
	Cols    []int
	Out     []Column
	Filters []plan.Expr
	Limit   int64 // -1: none; a source may stop after as many rows per task
	// Splits: how many tasks; the source divides itself (datasource.Split).
	Table          string
	RuntimeFilters []RuntimeFilter
}

// Local is rows that came with the plan: Batches are of one partition each.
type Local struct {
	Data any // *Rows: []*vec.Batch, kept apart from the codec
	Out  []Column
}

// Range is a range of int64 cut into Partitions.
type Range struct {
	Start, End, Step int64
	Partitions       int
	Out              []Column
}

// Filter keeps the rows where all conjuncts of Cond are true.
type Filter struct {
	Cond  plan.Expr
	Input Node
}

// Project computes Exprs.
type Project struct {
	Exprs []plan.Expr
	Out   []Column
	Input Node
}

// AggMode is the phase of an aggregation.
type AggMode uint8

// The phases: Partial makes states, PartialMerge merges states into states,
// Final merges them and finishes, Complete does all at once.
const (
	Partial AggMode = iota
	PartialMerge
	Final
	Complete
)

// Agg is one aggregate call. Args are bound to the input (of Partial and
// Complete); in Final and PartialMerge the states are the input's columns from StateAt on.
type Agg struct {
	Call    *plan.Call // name, types and Mode; its Args bound
	Filter  plan.Expr
	StateAt int
	Mode    AggMode // usually the node's; distinct plans mix Partial and PartialMerge
}

// HashAggregate groups by Group (bound). Output: the group columns, then each
// Agg's state columns (Partial, PartialMerge) or result (Final, Complete).
// Without Group there is one row even over no input (in Final and Complete; Partial emits one state row).
type HashAggregate struct {
	Group []plan.Expr
	Aggs  []Agg
	Mode  AggMode
	Out   []Column
	Input Node
}

// HashJoin joins on equal keys. Build says which side becomes the hash table.
// Cond is a further condition, bound to left columns then right columns.
type HashJoin struct {
	Kind                plan.JoinType
	LeftKeys, RightKeys []plan.Expr
	BuildRight          bool
	NullSafe            []bool // <=> by key
	Cond                plan.Expr
	// BuildFirst: the build side may turn out so small that it pays to give it to
	// all tasks whole. Its exchange is made before the other side's begins.
	BuildFirst  bool
	Left, Right Node
	Out         []Column
}

// NestedLoopJoin joins by Cond alone (nil: cross); the right side is broadcast, or the left for RightOuter.
type NestedLoopJoin struct {
	Kind        plan.JoinType
	Cond        plan.Expr
	BuildRight  bool
	Left, Right Node
	Out         []Column
}

// Order is a bound sort key.
type Order struct {
	Expr      plan.Expr
	Desc      bool
	NullsLast bool
}

// Sort sorts each partition.
type Sort struct {
	Order []Order
	Input Node
}

// TopK is the first Limit rows after Offset by Order, of one partition.
type TopK struct {
	Order         []Order
	Limit, Offset int64
	Input         Node
}

// Limit keeps rows Offset .. Offset+N of a partition; N < 0 is all. Tail keeps the last N.
type Limit struct {
	N, Offset int64
	Tail      bool
	Input     Node
}

// WindowFn is one window expression: Func a bound Call (an aggregate, rank, lag ...).
type WindowFn struct {
	Func  *plan.Call
	Frame *plan.Frame // resolved, never nil; offsets are literals or bound
}

// Window computes Fns over an input sorted by Partition and Order within a partition.
// Output: the input's columns, then one a Fn.
type Window struct {
	Partition []plan.Expr
	Order     []Order
	Fns       []WindowFn
	Out       []Column
	Input     Node
}

// Union concatenates the partitions of its inputs.
type Union struct {
	Inputs []Node
	Out    []Column
}

// Expand emits one row per projection for each input row.
type Expand struct {
	ByRow       bool // the rows made of an input row stay together
	Projections [][]plan.Expr
	Out         []Column
	Input       Node
}

// Generate runs a generator. Output: the input's columns at Keep, then the generated.
type Generate struct {
	Call  *plan.Call
	Outer bool
	Keep  []int
	Out   []Column
	Input Node
}

// Sample is Bernoulli (or Poisson, with replacement) sampling with Spark's generators.
type Sample struct {
	Lower, Upper    float64
	WithReplacement bool
	Seed            int64
	Input           Node
}

// ScriptTransform writes the rows of Input, which are strings, as lines to a
// script's standard input, and reads rows from what it writes. The columns of
// the answer are strings; As is what each is to become: what doesn't have its form is null.
type ScriptTransform struct {
	Script            string
	Field, Null       string // of the lines to the script
	OutField, OutNull string // of its answer
	As                []*types.Type
	Out               []Column
	Input             Node
}

// Partitioning is how an exchange deals rows.
type Partitioning uint8

// The partitionings. Broadcast gives every consumer task all rows.
const (
	Single Partitioning = iota
	Hash
	RoundRobin
	RangeBy
	Broadcast
)

// Exchange is a stage boundary. N is the number of output partitions (0: as
// many as the scheduler finds fit). ID is unique within a plan; the same
// Exchange pointer used twice is computed once (reuse).
type Exchange struct {
	ID    int
	Kind  Partitioning
	Keys  []plan.Expr // Hash: Spark's Murmur3 pmod for user-visible repartition; internal ones may differ
	Order []Order     // RangeBy
	N     int
	// UserN: the number was asked for by the user (repartition(n)) and must hold.
	UserN bool
	// For is what EXPLAIN shows as the reason.
	For Reason
	// Merge keeps sorted inputs sorted: the consumer merges by Order (Single only).
	Merge bool
	Input Node
}

// Reason is what an exchange is for, in the words of Spark's EXPLAIN.
type Reason uint8

// The zero Reason is that an operator needs its input so.
const (
	EnsureRequirements Reason = iota
	RepartitionByNum
	RepartitionByCol
	RebalanceByNone
	RebalanceByCol
)

var reasons = [...]string{"ENSURE_REQUIREMENTS", "REPARTITION_BY_NUM", "REPARTITION_BY_COL", "REBALANCE_PARTITIONS_BY_NONE", "REBALANCE_PARTITIONS_BY_COL"}

// Piece is what one task reads of an exchange: the rows of the partitions From
// .. To-1 that the writers Writer .. EndWriter-1 dealt there.
type Piece struct {
	From, To          int
	Writer, EndWriter int // EndWriter 0: all writers
}

// One is one partition.
func One(partition int) Piece { return Piece{From: partition, To: partition + 1} }

// Read is a stage's input after the stage was planned anew, when the sizes of
// its inputs were known: task i reads Pieces[i] of the exchange. Whole says
// that every task reads all of it, as of a broadcast.
type Read struct {
	Pieces []Piece
	Whole  bool
	Input  Node // an Exchange
}

// ReadWhole returns the exchange of which every task of a stage reads all rows, if n is such an input.
func ReadWhole(n Node) (*Exchange, bool) {
	switch n := n.(type) {
	case *Exchange:
		return n, n.Kind == Broadcast
	case *Read:
		x, ok := n.Input.(*Exchange)
		return x, ok && n.Whole
	}
	return nil, false
}

// Coalesce makes fewer partitions without an exchange.
type Coalesce struct {
	N     int
	Input Node
}

// RecursiveLoop runs Anchor, then Step over the rows of the last round until none come.
type RecursiveLoop struct {
	ID       int64
	Anchor   Node
	Step     Node
	Distinct bool
	MaxLevel int
	MaxRows  int64
	Out      []Column
}

// LoopRef is the rows of the last round inside Step.
type LoopRef struct {
	ID  int64
	Out []Column
}

// Write writes its input with a format's writer; output: one row a task of (path, rows, bytes).
type Write struct {
	Format      string
	Path        string // the job's staging folder is below; commit moves
	PartitionBy []int
	Options     map[string]string
	Cols        []Column
	Metadata    []string // of Cols, as JSON; nil: none has any
	Input       Node
}

// StateAggregate is a streaming aggregation: like Final, merging with the state of earlier batches.
type StateAggregate struct {
	Group []plan.Expr
	Aggs  []Agg
	Out   []Column
	// State tells where the state is and which version to read and write.
	State StateInfo
	// Watermark: groups whose column EventCol (a group column, -1: none) is below are evicted.
	EventCol  int
	Watermark int64 // microseconds
	// Late: rows whose EventCol is below are dropped, microseconds. It is the watermark that the
	// batch before had, so that a row is late only if its group may have been given out
	// (Spark's WatermarkPropagator, spark.sql.streaming.statefulOperator.allowMultiple).
	Late  int64
	Mode  string // append, update, complete
	Input Node
}

// StateInfo locates an operator's state.
type StateInfo struct {
	Checkpoint string
	Operator   int
	Version    int64 // batch id: reads Version, writes Version+1
	RunID      string
}

// StateDedup drops rows whose keys were seen (dropDuplicates on a stream).
type StateDedup struct {
	Keys      []int
	EventCol  int
	Watermark int64 // as in StateAggregate
	Late      int64
	State     StateInfo
	Input     Node
}

// Watermark notes the greatest event time seen, for the next batch (EventTimeStats).
type Watermark struct {
	Col   int
	Delay int64
	Node_ int // which withWatermark
	Input Node
}

// Observe computes aggregates of what passes, on the side.
type Observe struct {
	ID     string
	PlanID int64 // of the DataFrame that observes
	Aggs   []Agg
	Exprs  []plan.Expr // over the results
	Out    []Column
	Input  Node
}

// UDFEval calls user functions in workers (arrowexec/udf); not yet produced by the planner.
