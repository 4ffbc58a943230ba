package session

import (
	"strconv"
	"strings"
	"time"

	"neptune/internal/errs"
)

// JobType says how critical a job is, and which channel said so.
type JobType struct {
	// Priority orders jobs: lower is more critical. Stream is 1, batch is 2;
	// users may give any number from 1 on.
	Priority int
	// Origin is the channel that decided: one of the Origin constants.
	Origin string
	// Pool is the fair scheduling pool (mode fair); "" is default.
	Pool string
	// Target is how soon the job should be done (policy deadline); 0: nobody said.
	Target time.Duration
}

// PoolKeys and TargetKeys are the spellings of the keys of the pool and the
// latency target. They come by the same channels as the job type.
var (
	PoolKeys   = []string{"spark.scheduler.pool"}
	TargetKeys = []string{"neptune.job.latencyTarget", "spark.neptune.job.latencyTarget", "spark.sql.neptune.job.latencyTarget"}
)

// ParseTarget reads a latency target: 250ms, 2s; milliseconds without a unit.
func ParseTarget(key, value string) (time.Duration, error) {
	d, ok := parseDuration(value)
	if !ok || d <= 0 {
		return 0, errs.New(errs.IllegalArgument, "INVALID_CONF_VALUE.REQUIREMENT",
			"confName", key, "confValue", value, "confRequirement", "A latency target is a time such as '250ms' or '2s'.")
	}
	return d, nil
}

// The priorities of the two named types.
const (
	StreamPriority = 1
	BatchPriority  = 2
)

// The channels, most specific first.
const (
	FromHint       = "hint"       // df.hint or a SQL hint
	FromTag        = "tag"        // spark.addTag("neptune.job.type=...")
	FromOption     = "option"     // option of a write or writeStream
	FromSession    = "session"    // session configuration
	FromConnection = "connection" // connection string, as call metadata
	FromServer     = "server"     // the server's default
	FromPlan       = "plan"       // nobody said anything: by the kind of plan
)

// JobTypeKeys are the spellings of the one key. The first is the canonical
// one; launchers forward only some of the others, and the last is the name
// that the first suspendable-task scheduler for Spark used.
var JobTypeKeys = []string{"neptune.job.type", "spark.neptune.job.type", "spark.sql.neptune.job.type", "neptune_pri"}

// IsJobTypeKey reports whether key is a spelling of neptune.job.type.
func IsJobTypeKey(key string) bool {
	for _, k := range JobTypeKeys {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}

// IsStream reports whether t is as critical as a stream.
func (t JobType) IsStream() bool { return t.Priority <= StreamPriority }

// String is the value as users write it: "stream", "batch" or a number.
func (t JobType) String() string {
	switch t.Priority {
	case StreamPriority:
		return "stream"
	case BatchPriority:
		return "batch"
	}
	return strconv.Itoa(t.Priority)
}

// ParseJobType reads a value of neptune.job.type: "stream", "batch" (any
// case) or a number from 1 on. key is the spelling that the user chose, for the
// error: INVALID_CONF_VALUE.REQUIREMENT.
func ParseJobType(key, value string) (int, error) {
	v := strings.TrimSpace(value)
	switch strings.ToLower(v) {
	case "stream":
		return StreamPriority, nil
	case "batch":
		return BatchPriority, nil
	}
	if n, err := strconv.Atoi(v); err == nil && n >= 1 && n <= 1_000_000 {
		return n, nil
	}
	return 0, errs.New(errs.IllegalArgument, "INVALID_CONF_VALUE.REQUIREMENT",
		"confName", key, "confValue", value,
		"confRequirement", "A job type is 'stream', 'batch' or a number from 1 (most critical) on.")
}
