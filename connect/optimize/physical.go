package optimize

import (
	"context"
	"math"
	"math/rand/v2"
	"strings"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Physical makes the physical plan of an optimized logical one: operators
// chosen, columns bound to positions, exchanges placed. Partitions of the
// root, in order, are the result in order.
func Physical(ctx context.Context, n plan.Node, c Conf) (physical.Node, error) {
	p := &planner{ctx: ctx, conf: c, est: newEstimator(), once: map[int64]physical.Node{}, under: map[*plan.Aggregate][]plan.Expr{}, keys: map[*physical.HashJoin]joinKeys{}}
	return p.root(n)
}

const (
	// smallRows is up to how many rows one task is quicker than several.
	smallRows = 20000
	// unsureRows is from how many rows on groups are dealt out if their number is a guess:
	// few of them cost next to nothing then, many would be merged by one task.
	unsureRows = 4e6
	// rowsPerPartition is what a task after an exchange is given at least.
	rowsPerPartition = 250000
	// rangeSortRows is from how many rows on a global sort is range partitioned instead of merged.
	rangeSortRows = 4e6
	// topKRows bounds the rows that a TopK keeps in memory.
	topKRows = 100000
)

type planner struct {
	ctx  context.Context
	conf Conf
	est  *estimator
	ids  int
	// local plans everything as one task: inside recursive loops.
	local  bool
	once   map[int64]physical.Node
	stream *streamPlan
	keys   map[*physical.HashJoin]joinKeys
	under  map[*plan.Aggregate][]plan.Expr // by which keys the groups will be grouped again at once
}

// part is a physical plan with what is known of how its rows lie.
type part struct {
	node   physical.Node
	single bool            // one partition
	hash   [][]plan.ExprID // partitioned by hash of these columns, each entry an equal alternative
	n      int             // partitions of hash
	sorted []string        // each partition is sorted by these keys (orderKey)
}

func (p *planner) root(n plan.Node) (physical.Node, error) {
	if w, ok := n.(*plan.Write); ok {
		return p.write(w)
	}
	r, err := p.plan(n)
	if err != nil {
		return nil, err
	}
	if r, err = align(r, n.Output()); err != nil {
		return nil, err
	}
	return p.finish(r.node), nil
}

// finish makes equal exchanges one, and places runtime filters.
func (p *planner) finish(n physical.Node) physical.Node {
	r := newReuser()
	n = r.node(n)
	keys := map[*physical.HashJoin]joinKeys{}
	for j, k := range p.keys {
		if now, ok := r.done[j].(*physical.HashJoin); ok {
			keys[now] = k
		}
	}
	return p.runtimeFilters(n, keys)
}

// align makes a plan's columns exactly those wanted, in order.
func align(r part, want []*plan.Attr) (part, error) {
	got := r.node.Schema()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = got[i].ID == want[i].ID
	}
	if same {
		return r, nil
	}
	return project(r, asExprs(want))
}

func column(a *plan.Attr) physical.Column {
	return physical.Column{Name: a.Name, Type: a.T, Null: a.Null, ID: a.ID}
}

func columns(attrs []*plan.Attr) []physical.Column {
	out := make([]physical.Column, len(attrs))
	for i, a := range attrs {
		out[i] = column(a)
	}
	return out
}

// project computes a list of named expressions; what is known of the rows stays as far as columns survive.
func project(r part, list []plan.Expr) (part, error) {
	in := r.node.Schema()
	out := make([]physical.Column, len(list))
	exprs := make([]plan.Expr, len(list))
	moved := map[plan.ExprID]plan.ExprID{}
	for i, e := range list {
		b, err := physical.Bind(e, in)
		if err != nil {
			return r, err
		}
		at := plan.ToAttr(e)
		if at == nil {
			return r, errs.Internalf("projection of an unnamed expression %s", physical.ExprString(e))
		}
		exprs[i] = b
		out[i] = physical.Column{Name: at.Name, Type: b.Type(), Null: b.Nullable(), ID: at.ID}
		if a, ok := unalias(e).(*plan.Attr); ok {
			moved[a.ID] = at.ID
		}
	}
	res := part{node: &physical.Project{Exprs: exprs, Out: out, Input: r.node}, single: r.single, n: r.n}
	for _, h := range r.hash {
		var alt []plan.ExprID
		for _, id := range h {
			if to, ok := moved[id]; ok {
				alt = append(alt, to)
			}
		}
		if len(alt) == len(h) {
			res.hash = append(res.hash, alt)
		}
	}
	kept := true
	for _, c := range in {
		if to, ok := moved[c.ID]; ok && to != c.ID {
			kept = false
		}
	}
	if kept {
		res.sorted = r.sorted
	}
	return res, nil
}

func (p *planner) exchange(r part, x *physical.Exchange) part {
	p.ids++
	x.ID, x.Input = p.ids, r.node
	out := part{node: x}
	switch x.Kind {
	case physical.Single:
		out.single = true
	case physical.Hash:
		var ids []plan.ExprID
		in := r.node.Schema()
		for _, k := range x.Keys {
			if b, ok := k.(*plan.Bound); ok {
				ids = append(ids, in[b.Index].ID)
			}
		}
		if len(ids) == len(x.Keys) {
			out.hash, out.n = [][]plan.ExprID{ids}, x.N
		}
		out.single = x.N == 1
	default:
		out.single = x.N == 1 && x.Kind != physical.Broadcast
	}
	return out
}

// toSingle brings all rows to one partition.
func (p *planner) toSingle(r part) part {
	if r.single {
		return r
	}
	return p.exchange(r, &physical.Exchange{Kind: physical.Single, N: 1})
}

func (p *planner) broadcast(r part) part {
	return p.exchange(r, &physical.Exchange{Kind: physical.Broadcast})
}

// partitions is how many an exchange of so many rows makes.
func (p *planner) partitions(rows float64) int {
	n := int(math.Min(math.Ceil(rows/p.conf.rows(rowsPerPartition)), 1<<20))
	n = max(n, p.conf.slots())
	return max(1, min(n, p.conf.slots()*4, p.conf.shufflePartitions()))
}

// oneTask makes a leaf one partition.
func oneTask(n physical.Node) part {
	return part{node: &physical.Coalesce{N: 1, Input: n}, single: true}
}

func (p *planner) plan(n plan.Node) (part, error) {
	if err := p.ctx.Err(); err != nil {
		return part{}, err
	}
	switch x := n.(type) {
	case *plan.Relation:
		return p.scan(x, nil)
	case *plan.LocalRelation:
		return p.localRows(x)
	case *plan.OneRow:
		return part{node: &physical.Local{Data: []*vec.Batch{{N: 1}}}, single: true}, nil
	case *plan.Range:
		return p.rangeScan(x), nil
	case *plan.CachedRef:
		leaf := &physical.Local{Data: x.Data, Out: columns(x.Out)}
		if p.local {
			return oneTask(leaf), nil
		}
		return part{node: leaf}, nil
	case *plan.CTERef:
		if x.Recursive {
			return part{node: &physical.LoopRef{ID: x.ID, Out: columns(x.Out)}, single: true}, nil
		}
		return part{}, errs.Internalf("common table expression %d has no definition", x.ID)
	case *shared:
		return p.shared(x)
	case *plan.Filter:
		return p.filter(x)
	case *plan.Project:
		return p.project(x)
	case *plan.Aggregate:
		return p.aggregate(x)
	case *plan.Join:
		return p.join(x)
	case *plan.Sort:
		return p.sort(x)
	case *plan.Limit:
		return p.limit(x)
	case *plan.WindowNode:
		return p.window(x)
	case *plan.SetOperation:
		return p.union(x)
	case *plan.Expand:
		return p.expand(x)
	case *plan.Generate:
		return p.generate(x)
	case *plan.Sample:
		return p.sample(x)
	case *plan.ScriptTransform:
		return p.script(x)
	case *plan.Repartition:
		return p.repartition(x)
	case *plan.RecursiveLoop:
		return p.loop(x)
	case *plan.Observe:
		return p.observe(x)
	case *plan.WithWatermark:
		return p.watermark(x)
	case *plan.Distinct:
		return p.dedup(x)
	}
	return part{}, errs.NotSupported("relation " + nodeName(n))
}

// --- leaves

func (p *planner) scan(r *plan.Relation, conds []plan.Expr) (part, error) {
	if r.Handle == nil {
		return part{}, errs.Internalf("relation %s has no source", r.Name)
	}
	s := &physical.Scan{Source: r.Handle, Out: columns(r.Out), Limit: -1, Table: r.Name, Cols: make([]int, len(r.Out))}
	schema := r.Handle.Schema()
	for i, a := range r.Out {
		if s.Cols[i] = schema.FieldIndex(a.Name); s.Cols[i] < 0 {
			return part{}, errs.NotSupported("column " + a.Name + " of source " + r.Handle.Format()).At(r.Origin)
		}
	}
	for _, c := range conds {
		b, err := physical.Bind(c, s.Out)
		if err != nil {
			return part{}, err
		}
		s.Filters = append(s.Filters, b)
	}
	if st := r.Handle.Stats(); p.local || st.Rows >= 0 && float64(st.Rows) <= p.conf.rows(smallRows) {
		return oneTask(s), nil
	}
	return part{node: s}, nil
}

func (p *planner) localRows(l *plan.LocalRelation) (part, error) {
	leaf := &physical.Local{Data: l.Batches, Out: columns(l.Out)}
	batches, made := l.Batches.([]*vec.Batch)
	if l.Batches == nil {
		if len(l.Data) > 0 {
			return part{}, errs.Internalf("a local relation whose data wasn't decoded")
		}
		leaf.Data = []*vec.Batch{} // an empty micro-batch
		return oneTask(leaf), nil
	}
	if made && len(batches) <= 1 {
		return part{node: leaf, single: true}, nil
	}
	if rows, known := localRows(l); p.local || known && float64(rows) <= p.conf.rows(smallRows) {
		return oneTask(leaf), nil
	}
	return part{node: leaf}, nil
}

func (p *planner) rangeScan(r *plan.Range) part {
	n := r.Partitions
	if n <= 0 {
		n = p.conf.slots()
		if float64(rangeRows(r)) <= p.conf.rows(smallRows) {
			n = 1
		}
	}
	leaf := &physical.Range{Start: r.Start, End: r.End, Step: r.Step, Partitions: n, Out: columns(r.Out)}
	if n > 1 && p.local {
		return oneTask(leaf)
	}
	return part{node: leaf, single: n == 1}
}

func (p *planner) shared(s *shared) (part, error) {
	n, ok := p.once[s.ID]
	if !ok {
		r, err := p.plan(s.Plan)
		if err != nil {
			return part{}, err
		}
		if r, err = align(r, s.Plan.Output()); err != nil {
			return part{}, err
		}
		x := &physical.Exchange{Kind: physical.RoundRobin, N: p.conf.slots()}
		if r.single {
			x.Kind, x.N = physical.Single, 1
		}
		n = p.exchange(r, x).node
		p.once[s.ID] = n
	}
	list := make([]plan.Expr, len(s.Out))
	for i, a := range s.Plan.Output() {
		list[i] = &plan.Alias{Child: a, Names: []string{s.Out[i].Name}, ID: s.Out[i].ID}
	}
	return project(part{node: n, single: n.(*physical.Exchange).Kind == physical.Single}, list)
}

// --- row by row

func (p *planner) filter(f *plan.Filter) (part, error) {
	conds := split(f.Cond)
	var in part
	var err error
	if r, ok := f.Child.(*plan.Relation); ok {
		var push []plan.Expr
		for _, c := range conds {
			if deterministic(c) {
				push = append(push, c)
			}
		}
		in, err = p.scan(r, push)
	} else {
		in, err = p.plan(f.Child)
	}
	if err != nil {
		return in, err
	}
	return applyFilter(in, conds)
}

func applyFilter(in part, conds []plan.Expr) (part, error) {
	if len(conds) == 0 {
		return in, nil
	}
	cond, err := physical.Bind(and(conds), in.node.Schema())
	if err != nil {
		return in, err
	}
	in.node = &physical.Filter{Cond: cond, Input: in.node}
	return in, nil
}

func (p *planner) project(x *plan.Project) (part, error) {
	in, err := p.plan(x.Child)
	if err != nil {
		return in, err
	}
	list := x.List
	if pre, rest := common(list, nil); len(pre) > 0 {
		if in, err = project(in, append(passed(in, rest), pre...)); err != nil {
			return in, err
		}
		list = rest
	}
	return project(in, list)
}

// passed are the columns of a plan that expressions read.
func passed(in part, list []plan.Expr) []plan.Expr {
	need := refs(list...)
	var out []plan.Expr
	for _, c := range in.node.Schema() {
		if need.has(c.ID) {
			out = append(out, &plan.Attr{ID: c.ID, Name: c.Name, T: c.Type, Null: c.Null})
		}
	}
	return out
}

func (p *planner) expand(x *plan.Expand) (part, error) {
	in, err := p.plan(x.Child)
	if err != nil {
		return in, err
	}
	e := &physical.Expand{ByRow: x.ByRow, Out: columns(x.Out), Input: in.node}
	for _, l := range x.Projections {
		b, err := physical.BindAll(l, in.node.Schema())
		if err != nil {
			return in, err
		}
		for i := range b {
			e.Out[i].Null = e.Out[i].Null || b[i].Nullable()
		}
		e.Projections = append(e.Projections, b)
	}
	return part{node: e, single: in.single}, nil
}

func (p *planner) generate(x *plan.Generate) (part, error) {
	in, err := p.plan(x.Child)
	if err != nil {
		return in, err
	}
	cols := in.node.Schema()
	e, err := physical.Bind(unalias(x.Gen), cols)
	if err != nil {
		return in, err
	}
	c, ok := e.(*plan.Call)
	if !ok {
		return in, errs.NotSupported("generator " + physical.ExprString(x.Gen)).At(x.Gen.Pos())
	}
	g := &physical.Generate{Call: c, Outer: x.Outer, Input: in.node, Keep: []int{}}
	need := x.Required
	if need == nil {
		need = x.Child.Output()
	}
	for _, a := range need {
		for i, c := range cols {
			if c.ID == a.ID {
				g.Keep = append(g.Keep, i)
				g.Out = append(g.Out, c)
				break
			}
		}
	}
	for _, a := range x.Out {
		c := column(a)
		c.Null = c.Null || x.Outer
		g.Out = append(g.Out, c)
	}
	return part{node: g, single: in.single}, nil
}

func (p *planner) script(x *plan.ScriptTransform) (part, error) {
	in, err := p.plan(x.Child)
	if err != nil {
		return in, err
	}
	if in, err = align(in, x.Child.Output()); err != nil {
		return in, err
	}
	n := &physical.ScriptTransform{Script: x.Script, Field: x.In.Field, Null: x.In.Null, OutField: x.Answer.Field, OutNull: x.Answer.Null,
		Out: columns(x.Out), Input: in.node}
	for _, f := range x.Columns {
		n.As = append(n.As, f.Type)
	}
	return part{node: n, single: in.single}, nil
}

func (p *planner) sample(x *plan.Sample) (part, error) {
	if x.Rows != nil {
		return p.limit(&plan.Limit{Common: x.Common, N: x.Rows, Child: x.Child})
	}
	if x.WithReplacement && x.Upper <= x.Lower { // nothing is drawn, and nothing of the child is evaluated
		return p.plan(empty(x.Output()))
	}
	in, err := p.plan(x.Child)
	if err != nil {
		return in, err
	}
	s := &physical.Sample{Lower: x.Lower, Upper: x.Upper, WithReplacement: x.WithReplacement, Input: in.node}
	if x.BucketOf > 0 {
		s.Lower, s.Upper = 0, float64(x.BucketNum)/float64(x.BucketOf)
	}
	if x.Seed != nil {
		s.Seed = *x.Seed
	} else {
		s.Seed = rand.Int64()
	}
	if x.Deterministic {
		// The same rows must fall to the same split each time: sort what can be sorted.
		var order []physical.Order
		for i, c := range in.node.Schema() {
			if c.Type.IsOrderable() {
				order = append(order, physical.Order{Expr: &plan.Bound{Index: i, T: c.Type, Null: c.Null, Name: c.Name}})
			}
		}
		if len(order) > 0 {
			s.Input = &physical.Sort{Order: order, Input: in.node}
		}
	}
	return part{node: s, single: in.single}, nil
}

// --- order and limits

func (p *planner) order(list []plan.SortOrder, cols []physical.Column) ([]physical.Order, error) {
	var out []physical.Order
	for _, o := range list {
		if _, ok := o.Child.(*plan.Literal); ok {
			continue // a constant orders nothing
		}
		b, err := physical.Bind(o.Child, cols)
		if err != nil {
			return nil, err
		}
		out = append(out, physical.Order{Expr: b, Desc: o.Desc, NullsLast: o.NullsLast})
	}
	return out, nil
}

func orderKeys(list []plan.SortOrder) []string {
	var out []string
	for _, o := range list {
		if _, ok := o.Child.(*plan.Literal); ok {
			continue
		}
		var b strings.Builder
		writeOrder(&b, []plan.SortOrder{o})
		out = append(out, b.String())
	}
	return out
}

func hasPrefix(have, want []string) bool {
	if len(want) > len(have) {
		return false
	}
	for i := range want {
		if have[i] != want[i] {
			return false
		}
	}
	return true
}

// sortLocal sorts each partition, unless it is sorted already.
func (p *planner) sortLocal(in part, list []plan.SortOrder) (part, []physical.Order, error) {
	order, err := p.order(list, in.node.Schema())
	if err != nil {
		return in, nil, err
	}
	keys := orderKeys(list)
	if len(order) == 0 || hasPrefix(in.sorted, keys) {
		return in, order, nil
	}
	in.node = &physical.Sort{Order: order, Input: in.node}
	in.sorted = keys
	return in, order, nil
}

func (p *planner) sort(s *plan.Sort) (part, error) {
	in, err := p.plan(s.Child)
	if err != nil {
		return in, err
	}
	if s.Global && !in.single && p.est.of(s.Child).rows >= p.conf.rows(rangeSortRows) {
		order, err := p.order(s.Order, in.node.Schema())
		if err != nil {
			return in, err
		}
		if len(order) > 0 {
			in = p.exchange(in, &physical.Exchange{Kind: physical.RangeBy, Order: order, N: p.partitions(p.est.of(s.Child).rows)})
		}
		in, _, err = p.sortLocal(in, s.Order)
		return in, err
	}
	in, order, err := p.sortLocal(in, s.Order)
	if err != nil || !s.Global || in.single {
		return in, err
	}
	return p.mergeSingle(in, order), nil
}

func (p *planner) mergeSingle(in part, order []physical.Order) part {
	sorted := in.sorted
	out := p.exchange(in, &physical.Exchange{Kind: physical.Single, N: 1, Merge: len(order) > 0, Order: order})
	out.sorted = sorted
	return out
}

func (p *planner) limit(l *plan.Limit) (part, error) {
	n, ok := constInt(l.N)
	off, ok2 := constInt(l.Offset)
	if !ok || !ok2 {
		return part{}, errs.NotSupported("LIMIT or OFFSET that isn't a constant").At(l.Origin)
	}
	off = max(off, 0)
	if s, ok := l.Child.(*plan.Sort); ok && s.Global && !l.Tail && n >= 0 && n+off <= topKRows {
		return p.topK(s, n, off)
	}
	in, err := p.plan(l.Child)
	if err != nil {
		return in, err
	}
	if l.Tail {
		if !in.single {
			in.node = &physical.Limit{N: n, Tail: true, Input: in.node}
			in = p.toSingle(in)
		}
		in.node = &physical.Limit{N: n, Tail: true, Input: in.node}
		return in, nil
	}
	if n >= 0 {
		in.node = scanLimit(in.node, n+off)
	}
	if !in.single {
		if n >= 0 {
			in.node = &physical.Limit{N: n + off, Input: in.node}
		}
		in = p.toSingle(in)
	}
	in.node = &physical.Limit{N: n, Offset: off, Input: in.node}
	return in, nil
}

// scanLimit tells a scan how many rows are enough, when nothing between drops any.
func scanLimit(n physical.Node, rows int64) physical.Node {
	switch x := n.(type) {
	case *physical.Scan:
		if len(x.Filters) > 0 {
			return x
		}
		c := *x
		c.Limit = rows
		return &c
	case *physical.Project, *physical.Coalesce:
		return n.WithChildren([]physical.Node{scanLimit(n.Children()[0], rows)})
	}
	return n
}

func (p *planner) topK(s *plan.Sort, n, off int64) (part, error) {
	in, err := p.plan(s.Child)
	if err != nil {
		return in, err
	}
	order, err := p.order(s.Order, in.node.Schema())
	if err != nil {
		return in, err
	}
	if !in.single {
		in.node = &physical.TopK{Order: order, Limit: n + off, Input: in.node}
		in = p.toSingle(in)
	}
	return part{node: &physical.TopK{Order: order, Limit: n, Offset: off, Input: in.node}, single: true, sorted: orderKeys(s.Order)}, nil
}

func (p *planner) window(w *plan.WindowNode) (part, error) {
	in, err := p.plan(w.Child)
	if err != nil {
		return in, err
	}
	if in, err = p.cluster(in, w.Partition, p.est.of(w.Child)); err != nil {
		return in, err
	}
	var by []plan.SortOrder
	for _, e := range w.Partition {
		by = append(by, plan.SortOrder{Child: e})
	}
	if in, _, err = p.sortLocal(in, append(by, w.Order...)); err != nil {
		return in, err
	}
	cols := in.node.Schema()
	x := &physical.Window{Input: in.node, Out: append([]physical.Column{}, cols...)}
	if x.Partition, err = physical.BindAll(w.Partition, cols); err != nil {
		return in, err
	}
	if x.Order, err = p.order(w.Order, cols); err != nil {
		return in, err
	}
	for _, e := range w.List {
		at := plan.ToAttr(e)
		win, ok := unalias(e).(*plan.Window)
		if !ok || at == nil {
			return in, errs.Internalf("window list item %s", physical.ExprString(e))
		}
		b, err := physical.Bind(win, cols)
		if err != nil {
			return in, err
		}
		win = b.(*plan.Window)
		f, ok := win.Func.(*plan.Call)
		if !ok {
			return in, errs.NotSupported("user defined aggregate over a window").At(win.Pos())
		}
		frame := win.Frame
		if frame == nil {
			frame = &plan.Frame{Rows: len(w.Order) == 0, Lower: plan.FrameEnd{Kind: plan.UnboundedPreceding}, Upper: plan.FrameEnd{Kind: plan.CurrentRow}}
			if len(w.Order) == 0 {
				frame.Upper.Kind = plan.UnboundedFollowing
			}
		}
		x.Fns = append(x.Fns, physical.WindowFn{Func: f, Frame: frame})
		x.Out = append(x.Out, physical.Column{Name: at.Name, Type: f.T, Null: f.Nullable(), ID: at.ID})
	}
	in.node = x
	return in, nil
}

// cluster brings rows with equal keys to one partition.
func (p *planner) cluster(in part, keys []plan.Expr, st *relStats) (part, error) {
	if in.single || clustered(in, keys) {
		return in, nil
	}
	if len(keys) == 0 || st.rows <= p.conf.rows(smallRows) {
		return p.toSingle(in), nil
	}
	b, err := physical.BindAll(p.dealBy(keys, st), in.node.Schema())
	if err != nil {
		return in, err
	}
	return p.exchange(in, &physical.Exchange{Kind: physical.Hash, Keys: b, N: p.partitions(st.rows)}), nil
}

// dealBy chooses by which of the keys rows are dealt out: one fixed-width
// column with many values does as well as all of them, and hashes faster.
func (p *planner) dealBy(keys []plan.Expr, st *relStats) []plan.Expr {
	if len(keys) < 2 {
		return keys
	}
	best, most := -1, p.evenly()
	for i, k := range keys {
		a, ok := k.(*plan.Attr)
		if !ok || a.T.Kind == types.Decimal || vec.LayoutOf(a.T).Width() == 0 || vec.LayoutOf(a.T) == vec.Bytes || vec.LayoutOf(a.T) == vec.List {
			continue
		}
		if c, ok := st.cols[a.ID]; ok && c.ndv >= most {
			best, most = i, c.ndv
		}
	}
	if best < 0 {
		return keys
	}
	return keys[best : best+1]
}

// evenly is of how many values by which rows are dealt out all slots get about the same share.
func (p *planner) evenly() float64 { return float64(1000 * p.conf.slots()) }

// clustered: the rows are partitioned by a subset of the keys.
func clustered(in part, keys []plan.Expr) bool {
	ids := idSet{}
	for _, k := range keys {
		if a, ok := k.(*plan.Attr); ok {
			ids.add(a.ID)
		}
	}
	for _, alt := range in.hash {
		ok := len(alt) > 0
		for _, id := range alt {
			ok = ok && ids.has(id)
		}
		if ok {
			return true
		}
	}
	return false
}

// --- the rest

func (p *planner) union(u *plan.SetOperation) (part, error) {
	if u.Op != plan.UnionOp {
		return part{}, errs.Internalf("set operation left in the plan")
	}
	x := &physical.Union{Out: columns(u.Out)}
	all := true
	for _, in := range u.Inputs {
		r, err := p.plan(in)
		if err != nil {
			return r, err
		}
		if r, err = align(r, in.Output()); err != nil {
			return r, err
		}
		for i, c := range r.node.Schema() {
			x.Out[i].Null = x.Out[i].Null || c.Null
		}
		all = all && r.single
		x.Inputs = append(x.Inputs, r.node)
	}
	if all && (p.local || p.est.of(u).rows <= p.conf.rows(smallRows)) {
		return oneTask(x), nil
	}
	return part{node: x}, nil
}

func (p *planner) repartition(x *plan.Repartition) (part, error) {
	in, err := p.plan(x.Child)
	if err != nil {
		return in, err
	}
	if p.local {
		return in, nil
	}
	n := x.N
	if n <= 0 {
		n = p.partitions(p.est.of(x.Child).rows)
	}
	if !x.Shuffle {
		return part{node: &physical.Coalesce{N: n, Input: in.node}, single: in.single || n == 1}, nil
	}
	ex := &physical.Exchange{Kind: physical.RoundRobin, N: n, UserN: x.N > 0 && !x.Rebalance, For: physical.RepartitionByCol}
	switch {
	case x.Rebalance && len(x.By) == 0:
		ex.For = physical.RebalanceByNone
	case x.Rebalance:
		ex.For = physical.RebalanceByCol
	case ex.UserN:
		ex.For = physical.RepartitionByNum
	}
	switch {
	case x.Range:
		ex.Kind = physical.RangeBy
		if ex.Order, err = p.order(x.By, in.node.Schema()); err != nil {
			return in, err
		}
	case len(x.By) > 0:
		ex.Kind = physical.Hash
		for _, o := range x.By {
			b, err := physical.Bind(o.Child, in.node.Schema())
			if err != nil {
				return in, err
			}
			ex.Keys = append(ex.Keys, b)
		}
	case n == 1:
		ex.Kind = physical.Single
	}
	return p.exchange(in, ex), nil
}

func (p *planner) loop(x *plan.RecursiveLoop) (part, error) {
	was := p.local
	p.local = true
	defer func() { p.local = was }()
	a, err := p.plan(x.Anchor)
	if err != nil {
		return a, err
	}
	if a, err = align(a, x.Anchor.Output()); err != nil {
		return a, err
	}
	s, err := p.plan(x.Step)
	if err != nil {
		return s, err
	}
	if s, err = align(s, x.Step.Output()); err != nil {
		return s, err
	}
	l := &physical.RecursiveLoop{ID: x.ID, Anchor: p.toSingle(a).node, Step: p.toSingle(s).node, Distinct: x.Distinct, MaxLevel: x.MaxLevel, Out: columns(x.Out)}
	if x.Endless {
		l.MaxRows = -1
	}
	return part{node: l, single: true}, nil
}

func (p *planner) observe(x *plan.Observe) (part, error) {
	in, err := p.plan(x.Child)
	if err != nil {
		return in, err
	}
	if in, err = align(in, x.Child.Output()); err != nil {
		return in, err
	}
	s := splitAggregate(nil, x.Metrics)
	o := &physical.Observe{ID: x.Name, Input: in.node}
	if x.PlanID != nil {
		o.PlanID = *x.PlanID
	}
	var results []physical.Column
	for _, c := range s.calls {
		b, err := physical.Bind(c.call, in.node.Schema())
		if err != nil {
			return in, err
		}
		bc := *b.(*plan.Call)
		f := bc.Filter
		bc.Filter = nil
		o.Aggs = append(o.Aggs, physical.Agg{Call: &bc, Filter: f, Mode: physical.Complete})
		results = append(results, column(c.out))
	}
	for i, e := range s.list {
		b, err := physical.Bind(e, results)
		if err != nil {
			return in, err
		}
		name := "metric"
		if at := plan.ToAttr(x.Metrics[i]); at != nil {
			name = at.Name
		}
		o.Exprs = append(o.Exprs, b)
		o.Out = append(o.Out, physical.Column{Name: name, Type: b.Type(), Null: b.Nullable()})
	}
	in.node = o
	return in, nil
}

func (p *planner) write(w *plan.Write) (physical.Node, error) {
	switch {
	case w.Buckets > 0:
		return nil, errs.NotSupported("bucketed writes")
	case w.V2 == "overwrite" || w.Condition != nil:
		return nil, errs.NotSupported("overwriting by condition")
	}
	r, err := p.plan(w.Child)
	if err != nil {
		return nil, err
	}
	out := w.Child.Output()
	if r, err = align(r, out); err != nil {
		return nil, err
	}
	if len(w.Sort) > 0 {
		var by []plan.SortOrder
		for _, s := range w.Sort {
			if i := p.findColumn(out, s); i >= 0 {
				by = append(by, plan.SortOrder{Child: out[i]})
			}
		}
		if r, _, err = p.sortLocal(r, by); err != nil {
			return nil, err
		}
	}
	x := &physical.Write{Format: w.Format, Path: w.Path, Options: w.Options, Cols: columns(out), Input: r.node}
	for i, a := range out {
		if a.Metadata != "" {
			if x.Metadata == nil {
				x.Metadata = make([]string, len(out))
			}
			x.Metadata[i] = a.Metadata
		}
	}
	for _, name := range w.PartitionBy {
		i := p.findColumn(out, name)
		if i < 0 {
			return nil, errs.New(errs.Analysis, "COLUMN_NOT_FOUND", "colName", errs.ID(name), "caseSensitiveConfig", errs.Quote("spark.sql.caseSensitive"))
		}
		x.PartitionBy = append(x.PartitionBy, i)
	}
	x.Input = p.finish(x.Input)
	return x, nil
}

func (p *planner) findColumn(out []*plan.Attr, name string) int {
	for i, a := range out {
		if a.Name == name || !p.conf.CaseSensitive && strings.EqualFold(a.Name, name) {
			return i
		}
	}
	return -1
}
