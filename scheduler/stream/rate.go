package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

var rateSchema = types.NewStruct(
	types.Field{Name: "timestamp", Type: types.TimestampType, Nullable: true},
	types.Field{Name: "value", Type: types.Int64Type, Nullable: true})

// rate is Spark's rate source: rowsPerSecond rows in each whole second since
// the query's first start, released when the second has passed.
type rate struct {
	perSecond  int64
	rampUp     int64 // seconds
	partitions int
}

// NewRate makes the rate source of options rowsPerSecond, rampUpTime and numPartitions.
func NewRate(options map[string]string, slots int) (Def, error) {
	r := &rate{perSecond: 1, partitions: slots}
	for k, v := range options {
		n, err := strconv.ParseInt(v, 10, 64)
		switch strings.ToLower(k) {
		case "rowspersecond":
			if err != nil || n <= 0 {
				return nil, badOption("rowsPerSecond", v, "must be a positive number")
			}
			r.perSecond = n
		case "rampuptime":
			d, err := parseSeconds(v)
			if err != nil {
				return nil, badOption("rampUpTime", v, "must be a duration in seconds")
			}
			r.rampUp = d
		case "numpartitions":
			if err != nil || n <= 0 || n > 1<<16 {
				return nil, badOption("numPartitions", v, "must be a positive number")
			}
			r.partitions = int(n)
		default:
			if !commonOption(k) {
				return nil, errs.NotSupported("option " + k + " of the rate source")
			}
		}
	}
	return r, nil
}

// commonOption tells the options that any stream may have: ours, and those of the session's defaults.
func commonOption(k string) bool {
	k = strings.ToLower(k)
	return strings.Contains(k, "neptune") || k == "path"
}

func badOption(name, value, why string) error {
	return errs.Refused(errs.IllegalArgument, "Invalid value '%s'. The option '%s' %s", value, name, why)
}

func parseSeconds(s string) (int64, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, nil
	}
	d, err := time.ParseDuration(s)
	return int64(d / time.Second), err
}

func (r *rate) Format() string        { return "rate" }
func (r *rate) Schema() *types.Type   { return rateSchema }
func (r *rate) PartitionColumns() int { return 0 }
func (r *rate) Stats() plan.Stats     { return plan.Stats{Rows: -1, Bytes: -1} }

func (r *rate) Start(metadata string) (Source, error) {
	created, err := creationTime(metadata)
	return &rateSource{rate: r, created: created}, err
}

// creationTime returns when the query first started, in ms, and keeps it for restarts.
func creationTime(dir string) (int64, error) {
	path := filepath.Join(dir, "0")
	if raw, err := os.ReadFile(path); err == nil {
		text := strings.TrimPrefix(strings.TrimSpace(string(raw)), "v1\n")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, damaged(path, "it holds no time", err)
		}
		return n, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	now := time.Now().UnixMilli()
	return now, os.WriteFile(path, fmt.Appendf(nil, "v1\n%d", now), 0o644)
}

type rateSource struct {
	*rate
	created int64 // ms
	limit   int64 // second, 0: none
}

func (r *rateSource) Description() string {
	return fmt.Sprintf("RateStreamV2[rowsPerSecond=%d, rampUpTimeSeconds=%d, numPartitions=%d]", r.perSecond, r.rampUp, r.partitions)
}

// before is how many rows were made before second s (Spark: RateStreamProvider.valueAtSecond).
func (r *rate) before(s int64) int64 {
	if r.rampUp == 0 {
		return s * r.perSecond
	}
	delta := r.perSecond / (r.rampUp + 1)
	if s <= r.rampUp {
		if delta == 0 {
			return int64(float64(s) * float64(s-1) / 2 * float64(r.perSecond) / float64(r.rampUp+1))
		}
		return s * (s + 1) / 2 * delta
	}
	return r.before(r.rampUp) + (s-r.rampUp)*r.perSecond
}

func second(o Offset) int64 {
	n, err := strconv.ParseInt(string(o), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func (r *rateSource) Latest(_ context.Context, from Offset, _ bool) (Offset, error) {
	s := (time.Now().UnixMilli() - r.created) / 1000
	if r.limit > 0 {
		s = min(s, r.limit)
	}
	return Offset(strconv.FormatInt(max(s, second(from)), 10)), nil
}

func (r *rateSource) Freeze(ctx context.Context, from Offset) error {
	end, err := r.Latest(ctx, from, true)
	r.limit = max(1, second(end))
	return err
}

func (r *rateSource) Batch(_ context.Context, from, to Offset, out []*plan.Attr) (plan.Node, int64, error) {
	a, b := second(from), second(to)
	lo, hi := r.before(a), r.before(b)
	if hi < lo || hi > math.MaxInt64/2 {
		return nil, 0, errs.Internalf("rate source: offsets %s to %s", from, to)
	}
	base, span := r.created+a*1000, (b-a)*1000
	return timed(lo, hi, r.partitions, out, func(v plan.Expr) plan.Expr {
		// base + (value - lo) * span div n
		return long("+", lit(base), long("div", long("*", long("-", v, lit(lo)), lit(span)), lit(max(1, hi-lo))))
	}), hi - lo, nil
}

func (r *rateSource) Commit(Offset) error { return nil }

func lit(n int64) plan.Expr { return &plan.Literal{T: types.Int64Type, Value: n} }

func long(op string, a, b plan.Expr) plan.Expr {
	return &plan.Call{Name: op, Args: []plan.Expr{a, b}, T: types.Int64Type, Kind: plan.FnScalar}
}

// timed is rows of (timestamp, value): values lo..hi, the time in ms by millis.
func timed(lo, hi int64, partitions int, out []*plan.Attr, millis func(value plan.Expr) plan.Expr) plan.Node {
	value := &plan.Attr{ID: plan.NewID(), Name: "value", T: types.Int64Type}
	rows := &plan.Range{Start: lo, End: hi, Step: 1, Partitions: int(min(int64(partitions), max(1, (hi-lo)/10000))), Out: []*plan.Attr{value}}
	list := make([]plan.Expr, len(out))
	for i, o := range out {
		var e plan.Expr = value
		if o.Name == "timestamp" {
			e = &plan.Call{Name: "timestamp_millis", Args: []plan.Expr{millis(value)}, T: types.TimestampType, Kind: plan.FnScalar}
		}
		list[i] = &plan.Alias{Child: e, Names: []string{o.Name}, ID: o.ID, Qualifier: o.Qualifier, Metadata: o.Metadata}
	}
	return &plan.Project{List: list, Child: rows}
}

// rateMicroBatch is Spark's rate-micro-batch source: rowsPerBatch rows in each
// batch, whose time advances by advanceMillisPerBatch.
type rateMicroBatch struct {
	rows, start, advance int64
	partitions           int
}

// NewRateMicroBatch makes the source of options rowsPerBatch, numPartitions, startTimestamp and advanceMillisPerBatch.
func NewRateMicroBatch(options map[string]string, slots int) (Def, error) {
	r := &rateMicroBatch{advance: 1000, partitions: slots}
	for k, v := range options {
		n, err := strconv.ParseInt(v, 10, 64)
		low := strings.ToLower(k)
		switch low {
		case "rowsperbatch", "numpartitions", "starttimestamp", "advancemillisperbatch":
			if err != nil || n < 0 || n == 0 && (low == "rowsperbatch" || low == "numpartitions") {
				return nil, badOption(k, v, "must be a positive number")
			}
		}
		switch low {
		case "rowsperbatch":
			r.rows = n
		case "numpartitions":
			r.partitions = int(min(n, 1<<16))
		case "starttimestamp":
			r.start = n
		case "advancemillisperbatch":
			r.advance = n
		default:
			if !commonOption(k) {
				return nil, errs.NotSupported("option " + k + " of the rate-micro-batch source")
			}
		}
	}
	if r.rows == 0 {
		return nil, badOption("rowsPerBatch", "", "is required and must be a positive number")
	}
	return r, nil
}

func (r *rateMicroBatch) Format() string        { return "rate-micro-batch" }
func (r *rateMicroBatch) Schema() *types.Type   { return rateSchema }
func (r *rateMicroBatch) PartitionColumns() int { return 0 }
func (r *rateMicroBatch) Stats() plan.Stats     { return plan.Stats{Rows: -1, Bytes: -1} }

func (r *rateMicroBatch) Start(string) (Source, error) {
	return &rateMicroBatchSource{rateMicroBatch: r}, nil
}

type rateMicroBatchSource struct {
	*rateMicroBatch
	limit Offset // "": none
}

type rateMicroBatchOffset struct {
	Offset    int64 `json:"offset"`
	Timestamp int64 `json:"timestamp"`
}

func (r *rateMicroBatchSource) Description() string {
	return fmt.Sprintf("RatePerMicroBatchStream[rowsPerBatch=%d, numPartitions=%d, startTimestamp=%d, advanceMillisPerBatch=%d]", r.rows, r.partitions, r.start, r.advance)
}

func (r *rateMicroBatchSource) at(o Offset) (x rateMicroBatchOffset, err error) {
	if o == "" {
		return rateMicroBatchOffset{0, r.start}, nil
	}
	err = json.Unmarshal([]byte(o), &x)
	return x, err
}

func (r *rateMicroBatchSource) Latest(_ context.Context, from Offset, _ bool) (Offset, error) {
	if r.limit != "" {
		return r.limit, nil
	}
	x, err := r.at(from)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(rateMicroBatchOffset{x.Offset + r.rows, x.Timestamp + r.advance})
	return Offset(raw), err
}

// Freeze allows one more batch.
func (r *rateMicroBatchSource) Freeze(ctx context.Context, from Offset) (err error) {
	r.limit, err = r.Latest(ctx, from, true)
	return err
}

func (r *rateMicroBatchSource) Batch(_ context.Context, from, to Offset, out []*plan.Attr) (plan.Node, int64, error) {
	a, err := r.at(from)
	if err != nil {
		return nil, 0, err
	}
	b, err := r.at(to)
	if err != nil {
		return nil, 0, err
	}
	return timed(a.Offset, b.Offset, r.partitions, out, func(plan.Expr) plan.Expr { return lit(a.Timestamp) }), b.Offset - a.Offset, nil
}

func (r *rateMicroBatchSource) Commit(Offset) error { return nil }
