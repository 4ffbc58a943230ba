package optimize

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/physical"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// StreamInfo tells the planning of a micro-batch where state lives and how far
// event time has come.
type StreamInfo struct {
	Checkpoint, RunID string
	Batch             int64
	// Watermark in microseconds, by the name of the event time column; "" holds for all.
	Watermark map[string]int64
	// Late is the watermark of the batch before, by which rows are late.
	Late map[string]int64
	Mode string // "append", "update", "complete"
	// Partitions of the state, the same for all of a query's life; 0 is as many as batches have.
	Partitions int
}

// streamPlan is a StreamInfo in use: operators with state are numbered in
// plan order, which is the same for each batch of a query.
type streamPlan struct {
	StreamInfo
	operators  int
	watermarks int
}

// OptimizeStream optimizes the plan of one micro-batch: streaming sources are
// relations of the batch already. Deduplication stays a node of its own, for its state.
func OptimizeStream(ctx context.Context, n plan.Node, c Conf) (plan.Node, error) {
	keys := maps.Clone(c.Keys)
	if keys == nil {
		keys = map[string]string{}
	}
	keys[streamKey] = "true"
	c.Keys = keys
	return Optimize(ctx, n, c)
}

// PhysicalStream plans an optimized micro-batch. Aggregates keep their groups
// in the state store: Partial, Exchange by the keys, StateAggregate; dropDuplicates
// becomes StateDedup; withWatermark becomes Watermark.
func PhysicalStream(ctx context.Context, n plan.Node, c Conf, s StreamInfo) (physical.Node, error) {
	p := &planner{ctx: ctx, conf: c, est: newEstimator(), once: map[int64]physical.Node{}, under: map[*plan.Aggregate][]plan.Expr{}, stream: &streamPlan{StreamInfo: s}}
	return p.root(n)
}

func (s *streamPlan) state() physical.StateInfo {
	info := physical.StateInfo{Checkpoint: s.Checkpoint, Operator: s.operators, Version: s.Batch, RunID: s.RunID}
	s.operators++
	return info
}

// mark is what some watermarks, by column, say of one.
func mark(marks map[string]int64, name string) (int64, bool) {
	if v, ok := marks[name]; ok {
		return v, true
	}
	v, ok := marks[""]
	return v, ok
}

// eventColumn finds which of some columns is event time: -1 for none. It is
// the column that a withWatermark below names, or a window over it.
func eventColumn(n plan.Node, exprs []plan.Expr) (at int, name string) {
	marked := map[plan.ExprID]string{}
	var nodes []plan.Node
	plan.WalkNodes(n, func(n plan.Node) bool { nodes = append(nodes, n); return true })
	for i := len(nodes) - 1; i >= 0; i-- {
		switch x := nodes[i].(type) {
		case *plan.WithWatermark:
			for j, a := range x.Child.Output() {
				if strings.EqualFold(a.Name, x.Column) {
					marked[a.ID] = a.Name
					if j < len(x.Output()) {
						marked[x.Output()[j].ID] = a.Name
					}
				}
			}
		default:
			for _, e := range x.Exprs() {
				al, ok := e.(*plan.Alias)
				if !ok {
					continue
				}
				for id := range refs(al) {
					if m, ok := marked[id]; ok && timeLike(al.Type()) {
						marked[al.ID] = m
					}
				}
			}
		}
	}
	for i, e := range exprs {
		if t := e.Type(); !timeLike(t) {
			continue
		}
		for id := range refs(e) {
			if m, ok := marked[id]; ok {
				return i, m
			}
		}
	}
	return -1, ""
}

// timeLike: a timestamp, or a window of two.
func timeLike(t *types.Type) bool {
	if t == nil {
		return false
	}
	if t.Kind == types.Struct {
		return len(t.Fields) == 2 && t.Fields[0].Name == "start" && timeLike(t.Fields[0].Type)
	}
	return t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ
}

// stateAggregate ends a streaming aggregation. r is the partial one.
func (p *planner) stateAggregate(r part, s aggSplit, keys []plan.Expr, final []physical.Agg, out []physical.Column) (part, error) {
	x := &physical.Exchange{Kind: physical.Hash, Keys: keys, N: p.streamPartitions()}
	if len(keys) == 0 {
		x = &physical.Exchange{Kind: physical.Single, N: 1}
	}
	r = p.exchange(r, x)
	node := &physical.StateAggregate{Group: keys, Aggs: final, Out: out, State: p.stream.state(), EventCol: -1, Mode: p.stream.Mode, Input: r.node}
	if s.event >= 0 {
		if wm, ok := mark(p.stream.Watermark, s.eventName); ok {
			node.EventCol, node.Watermark = s.event, wm
			node.Late, _ = mark(p.stream.Late, s.eventName)
		}
	}
	r.node = node
	return r, nil
}

// streamPartitions is fixed for the life of a query: state is kept by partition.
func (p *planner) streamPartitions() int {
	if p.stream.Partitions > 0 {
		return p.stream.Partitions
	}
	return StreamPartitions(p.conf)
}

// StreamPartitions is how many partitions the state of a new query has.
func StreamPartitions(c Conf) int { return max(1, min(c.slots(), c.shufflePartitions())) }

func (p *planner) watermark(x *plan.WithWatermark) (part, error) {
	in, err := p.plan(x.Child)
	if err != nil || p.stream == nil || !x.Live {
		return in, err // over a batch a watermark means nothing
	}
	col := p.findColumn(x.Child.Output(), x.Column)
	if in, err = align(in, x.Child.Output()); err != nil {
		return in, err
	}
	if col < 0 {
		return in, errs.Internalf("watermark column %s is not in the input", x.Column)
	}
	delay, err := parseDelay(x.Delay)
	if err != nil {
		return in, err
	}
	in.node = &physical.Watermark{Col: col, Delay: delay, Node_: p.stream.watermarks, Input: in.node}
	p.stream.watermarks++
	if x.Out == nil {
		return in, nil
	}
	list := make([]plan.Expr, len(x.Out))
	for i, a := range x.Child.Output() {
		if a.ID == x.Out[i].ID {
			list[i] = x.Out[i]
			continue
		}
		list[i] = &plan.Alias{Child: a, Names: []string{x.Out[i].Name}, ID: x.Out[i].ID, Metadata: x.Out[i].Metadata}
	}
	if renames(x) {
		return project(in, list)
	}
	return in, nil
}

func renames(x *plan.WithWatermark) bool {
	for i, a := range x.Child.Output() {
		if a.ID != x.Out[i].ID {
			return true
		}
	}
	return false
}

// parseDelay reads "10 minutes", "1 hour 30 seconds" as microseconds.
func parseDelay(s string) (int64, error) {
	words := strings.Fields(strings.TrimPrefix(strings.ToLower(s), "interval "))
	var total int64
	bad := func() error {
		return errs.New(errs.Analysis, "CANNOT_PARSE_INTERVAL", "intervalString", "'"+s+"'")
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return 0, bad()
	}
	units := map[string]time.Duration{"microsecond": time.Microsecond, "millisecond": time.Millisecond, "second": time.Second,
		"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour, "month": 31 * 24 * time.Hour, "year": 12 * 31 * 24 * time.Hour}
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.ParseFloat(words[i], 64)
		u, ok := units[strings.TrimSuffix(words[i+1], "s")]
		if err != nil || !ok {
			return 0, bad()
		}
		total += int64(n * float64(u/time.Microsecond))
	}
	return total, nil
}

// dedup plans dropDuplicates on a stream.
func (p *planner) dedup(x *plan.Distinct) (part, error) {
	if p.stream == nil {
		return part{}, errs.Internalf("DISTINCT left in the plan")
	}
	if x.Within {
		return part{}, errs.NotSupported("dropDuplicatesWithinWatermark")
	}
	in, err := p.plan(x.Child)
	if err != nil {
		return in, err
	}
	keys := x.Keys
	if keys == nil {
		keys = x.Child.Output()
	}
	b, err := physical.BindAll(asExprs(keys), in.node.Schema())
	if err != nil {
		return in, err
	}
	in = p.exchange(in, &physical.Exchange{Kind: physical.Hash, Keys: b, N: p.streamPartitions()})
	node := &physical.StateDedup{EventCol: -1, State: p.stream.state(), Input: in.node}
	for _, k := range b {
		node.Keys = append(node.Keys, k.(*plan.Bound).Index)
	}
	if at, name := eventColumn(x.Child, asExprs(keys)); at >= 0 {
		if wm, ok := mark(p.stream.Watermark, name); ok {
			node.EventCol, node.Watermark = node.Keys[at], wm
			node.Late, _ = mark(p.stream.Late, name)
		}
	}
	in.node = node
	return in, nil
}
