package sidecar

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"neptune/connect/translate"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/scheduler/stream"
)

// placeCheckpoint finds where a query's checkpoint is: given as an option, below
// the session's folder for checkpoints, or, for sinks that keep nothing, temporary.
func (e *Engine) placeCheckpoint(spec *translate.StreamSpec, conf *sessionConf, mode string, cfg *stream.Config) (err error) {
	format := strings.ToLower(spec.Format)
	brief := slices.Contains([]string{"noop", "console", "memory"}, format)
	root := conf.keys["spark.sql.streaming.checkpointLocation"]
	cfg.Checkpoint = lowerKeys(spec.Options)["checkpointlocation"]
	switch {
	case cfg.Checkpoint != "":
		cfg.Checkpoint = localPath(cfg.Checkpoint)
	case root != "":
		name := spec.Name
		if name == "" {
			name = cfg.RunID
		}
		cfg.Checkpoint = filepath.Join(localPath(root), name)
	case brief:
		cfg.Temporary = true
		cfg.Checkpoint, err = os.MkdirTemp(e.conf.LocalDir, "neptune-checkpoint-")
		return err
	default:
		return errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1298", "config", "spark.sql.streaming.checkpointLocation")
	}
	if cfg.Checkpoint, err = filepath.Abs(cfg.Checkpoint); err != nil {
		return err
	}
	if format == "memory" && mode != "complete" {
		if _, err := os.Stat(filepath.Join(cfg.Checkpoint, "offsets")); err == nil {
			return errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1299", "checkpointPath", filepath.Join(cfg.Checkpoint, "offsets"))
		}
	}
	return nil
}

// activeStreams are the running queries of all sessions by their checkpoints: two can't share one.
type activeStreams struct {
	mu sync.Mutex
	by map[string]*stream.Query
}

func (a *activeStreams) add(checkpoint string, q *stream.Query) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by == nil {
		a.by = map[string]*stream.Query{}
	}
	a.by[checkpoint] = q
}

func (a *activeStreams) remove(checkpoint string, q *stream.Query) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by[checkpoint] == q {
		delete(a.by, checkpoint)
	}
}

// displace stops the run that has the checkpoint, if there is one; or refuses, if stop is not set.
func (a *activeStreams) displace(ctx context.Context, checkpoint string, stop bool) error {
	a.mu.Lock()
	q := a.by[checkpoint]
	a.mu.Unlock()
	if q == nil || !q.Active() {
		return nil
	}
	if !stop {
		x := errs.New(errs.Execution, "CONCURRENT_QUERY")
		x.Text = "A streaming query with the checkpoint location " + checkpoint + " is running. Stop it first, or set spark.sql.streaming.stopActiveRunOnRestart to true."
		return x
	}
	return q.Stop(ctx)
}

// notAStream refuses streaming sources in batch queries.
func notAStream(n plan.Node) (err error) {
	plan.WalkNodes(n, func(n plan.Node) bool {
		if r, ok := n.(*plan.Relation); ok && r.Streaming {
			x := errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_3102", "msg", r.Name)
			x.Text = "A query over a streaming source (" + r.Name + ") is run by writeStream.start()."
			err = x
		}
		return err == nil
	})
	return err
}

// console is where the console sink prints.
var console io.Writer = os.Stdout

// shape is what checkStream found in a streaming plan.
type shape struct{ stateful bool }

// checkStream refuses what a streaming query can't do (Spark: UnsupportedOperationChecker).
func checkStream(n plan.Node, mode string) (shape, error) {
	var s shape
	var err error
	refuse := func(what string) {
		if err == nil {
			err = errs.NotSupported(what)
		}
	}
	streaming := map[plan.Node]bool{}
	watermarked := false
	var walk func(n plan.Node) bool
	walk = func(n plan.Node) bool {
		is := false
		for _, k := range n.Children() {
			is = walk(k) || is
		}
		if r, ok := n.(*plan.Relation); ok && r.Streaming {
			is = true
		}
		streaming[n] = is
		if !is {
			return false
		}
		switch n := n.(type) {
		case *plan.WithWatermark:
			watermarked = true
		case *plan.Aggregate:
			if s.stateful {
				refuse("several stateful operators in one streaming query")
			}
			s.stateful = true
			if mode == "append" && !watermarked && err == nil {
				err = errs.New(errs.Analysis, "UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK", "outputMode", "append", "statefulOperator", "aggregation")
			}
		case *plan.Distinct:
			if s.stateful {
				refuse("several stateful operators in one streaming query")
			}
			s.stateful = true
		case *plan.Join:
			if streaming[n.Left] && streaming[n.Right] {
				refuse("stream-stream join")
			}
			if streaming[n.Right] && n.Kind == plan.LeftOuter || streaming[n.Left] && n.Kind == plan.RightOuter || n.Kind == plan.FullOuter ||
				streaming[n.Right] && (n.Kind == plan.LeftSemi || n.Kind == plan.LeftAnti) {
				refuse("outer, semi or anti join whose preserved side is static, in a streaming query")
			}
		case *plan.Sort:
			if mode != "complete" {
				refuse("sorting of a streaming DataFrame in output mode " + mode)
			}
		case *plan.Limit:
			refuse("limit of a streaming DataFrame")
		case *plan.WindowNode:
			refuse("window functions over a streaming DataFrame")
		case *plan.SetOperation:
			if n.Op != plan.UnionOp {
				refuse("INTERSECT or EXCEPT of a streaming DataFrame")
			}
		}
		return true
	}
	if !walk(n) {
		return s, errs.New(errs.Analysis, "WRITE_STREAM_NOT_ALLOWED")
	}
	if err == nil && mode == "complete" && !s.stateful {
		err = errs.New(errs.Analysis, "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "outputMode", "complete", "operation", "a streaming query without aggregation")
	}
	return s, err
}
