package translate

import "neptune/internal/plan"

// StreamSpec is a writeStream...start(). The query itself is the Plan of the server's Query.
type StreamSpec struct {
	Format     string // sink: "memory", "console", "noop", "parquet" ...; "" with Table or a foreach function
	Options    map[string]string
	Partition  []string // partitioning columns
	Cluster    []string // clustering columns
	Trigger    Trigger
	OutputMode string // "append", "update", "complete"; "" is append
	Name       string // query name
	Path       string // start(path), "" if not given
	Table      string // toTable(name), "" if not given
	// Foreach and ForeachBatch are user functions: *pb.StreamingForeachFunction in the UDF's payload.
	Foreach      *plan.UDF
	ForeachBatch *plan.UDF
}

// Trigger says when micro-batches run.
type Trigger struct {
	Kind TriggerKind
	// Interval is the text as the user wrote it, "10 seconds", of ProcessingTime, Continuous and RealTime.
	Interval string
}

// TriggerKind is the kind of a trigger.
type TriggerKind uint8

// The triggers.
const (
	DefaultTrigger TriggerKind = iota // as soon as the last micro-batch has ended
	ProcessingTime
	AvailableNow
	Once
	Continuous
	RealTime
)
