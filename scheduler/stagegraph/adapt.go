package stagegraph

import (
	"fmt"
	"slices"
	"strings"

	"neptune/arrowexec/physical"
	"neptune/internal/plan"
)

// Adaptive is how stages are planned anew when the exchanges that they read are
// complete and their sizes known. The rules, and the settings they follow
// (spark.sql.adaptive.*), are those of Spark's adaptive execution.
type Adaptive struct {
	// Coalesce joins neighbouring partitions up to a target, which is at least
	// MinPartition and at most Advisory bytes, and such that MinTasks tasks are left.
	Coalesce               bool
	Advisory, MinPartition int64
	MinTasks               int
	// Skew divides, in joins, partitions of more than SkewThreshold bytes and
	// SkewFactor times the median among several tasks.
	Skew          bool
	SkewThreshold int64
	SkewFactor    float64
	// Broadcast is up to how many bytes a build side is given to all tasks whole; < 0: never.
	Broadcast int64
}

// Sizes tells how many bytes each task of a stage wrote to each partition, in
// the order of the tasks (RangeBy: to all of them together); nil: it isn't known.
type Sizes func(stage int) [][]int64

// Plan plans a stage whose parents have ended: it may replace stages of the
// graph by others, never what a stage writes. It returns what it did, "" for nothing.
func (a Adaptive) Plan(g *Graph, id int, sizes Sizes) string {
	s := g.Stages[id]
	if keepsState(s.Root) {
		return ""
	}
	if note := a.broadcast(g, s, sizes); note != "" {
		return note
	}
	p := &replanner{Adaptive: a, sizes: map[*physical.Exchange][][]int64{}}
	for _, k := range s.Parents {
		if list := sizes(k); list != nil {
			p.sizes[g.Stages[k].Output] = list
		}
	}
	root := p.group(s.Root)
	if root == s.Root {
		return ""
	}
	c := *s
	c.Root = root
	g.Stages[id] = &c
	return strings.Join(p.notes, "; ")
}

// keepsState: partitions of state are where the batch before left them.
func keepsState(n physical.Node) bool {
	switch n.(type) {
	case *physical.StateAggregate, *physical.StateDedup, *physical.Watermark, *physical.RecursiveLoop, *physical.LoopRef:
		return true
	case *physical.Exchange:
		return false
	}
	return slices.ContainsFunc(n.Children(), keepsState)
}

// broadcast lets the one stage that reads s take over its work, and with it the
// exchange between them, if it is a join whose other side, which is there
// already, turned out small: all tasks then read that whole.
func (a Adaptive) broadcast(g *Graph, s *Stage, sizes Sizes) string {
	if a.Broadcast < 0 || s.Output == nil || s.Output.Kind != physical.Hash || s.Output.UserN {
		return ""
	}
	var reader *Stage
	for _, k := range g.Stages {
		if slices.Contains(k.Parents, s.ID) {
			if reader != nil {
				return ""
			}
			reader = k
		}
	}
	if reader == nil || count(reader.Root, s.Output) != 1 {
		return ""
	}
	join := findJoin(reader.Root, func(j *physical.HashJoin) bool { return probe(j) == physical.Node(s.Output) })
	if join == nil || !join.BuildFirst {
		return ""
	}
	build, ok := buildSide(join).(*physical.Exchange)
	if !ok || build.Kind != physical.Hash {
		return ""
	}
	at := slices.IndexFunc(g.Stages, func(k *Stage) bool { return k.Output == build })
	if at < 0 {
		return ""
	}
	list := sizes(at)
	total := int64(0)
	for _, w := range list {
		total += sum(w)
	}
	if list == nil || total > a.Broadcast {
		return ""
	}
	j := *join
	j.BuildFirst = false
	whole := &physical.Read{Whole: true, Input: build}
	if j.Left, j.Right = s.Root, whole; !j.BuildRight {
		j.Left, j.Right = whole, s.Root
	}
	r := *reader
	r.Root = replace(r.Root, join, &j)
	r.Parents = slices.DeleteFunc(slices.Clone(r.Parents), func(k int) bool { return k == s.ID })
	for _, k := range s.Parents {
		if !slices.Contains(r.Parents, k) {
			r.Parents = append(r.Parents, k)
		}
	}
	t := *s
	t.TakenBy = &r
	g.Stages[r.ID], g.Stages[s.ID] = &r, &t
	return fmt.Sprintf("stage %d does this one's work: its join's build side has %d bytes, and is read whole", r.ID, total)
}

func probe(j *physical.HashJoin) physical.Node {
	if j.BuildRight {
		return j.Left
	}
	return j.Right
}

func buildSide(j *physical.HashJoin) physical.Node {
	if j.BuildRight {
		return j.Right
	}
	return j.Left
}

// count is how often a stage's plan has a node.
func count(n, what physical.Node) int {
	if n == what {
		return 1
	}
	if _, ok := n.(*physical.Exchange); ok {
		return 0
	}
	c := 0
	for _, k := range n.Children() {
		c += count(k, what)
	}
	return c
}

func replace(n, old, by physical.Node) physical.Node {
	if n == old {
		return by
	}
	if _, ok := n.(*physical.Exchange); ok {
		return n
	}
	kids := slices.Clone(n.Children())
	changed := false
	for i, k := range kids {
		kids[i] = replace(k, old, by)
		changed = changed || kids[i] != k
	}
	if !changed {
		return n
	}
	return n.WithChildren(kids)
}

// local reports whether a node does the same however its rows (the probed
// ones of a join) are divided among tasks: it doesn't rely on equal keys being in one.
func local(n physical.Node) bool {
	switch x := n.(type) {
	case *physical.HashJoin:
		_, whole := physical.ReadWhole(buildSide(x))
		return whole
	case *physical.NestedLoopJoin:
		build := x.Left
		if x.BuildRight {
			build = x.Right
		}
		_, whole := physical.ReadWhole(build)
		return whole
	case *physical.HashAggregate:
		return x.Mode == physical.Partial && !slices.ContainsFunc(x.Aggs, func(g physical.Agg) bool { return g.Mode != physical.Partial })
	case *physical.Filter, *physical.Project, *physical.Expand, *physical.Generate, *physical.Sort, *physical.TopK, *physical.Limit,
		*physical.Union, *physical.Coalesce, *physical.Write, *physical.Observe:
		return true
	}
	return false
}

// findJoin finds a join over whose rows the stage does nothing that relies on
// rows with equal keys being in one task.
func findJoin(n physical.Node, want func(*physical.HashJoin) bool) *physical.HashJoin {
	if j, ok := n.(*physical.HashJoin); ok && want(j) {
		return j
	}
	if !local(n) {
		return nil
	}
	for _, k := range n.Children() {
		if j := findJoin(k, want); j != nil {
			return j
		}
	}
	return nil
}

// replanner rewrites the inputs of one stage.
type replanner struct {
	Adaptive
	sizes map[*physical.Exchange][][]int64
	notes []string
}

// group plans the inputs of tasks that agree in how they are divided: all of
// a stage, or one input of a union.
func (p *replanner) group(n physical.Node) physical.Node {
	if divides(n) {
		if !local(n) {
			return n // what wants equal keys together has an exchange below it
		}
		kids := slices.Clone(n.Children())
		changed := false
		for i, k := range kids {
			kids[i] = p.group(k)
			changed = changed || kids[i] != k
		}
		if changed {
			return n.WithChildren(kids)
		}
		return n
	}
	var leaves []*physical.Exchange
	if !inputs(n, &leaves) || len(leaves) == 0 {
		return n
	}
	parts := leaves[0].N
	for _, x := range leaves {
		if x.UserN || x.N != parts || p.sizes[x] == nil {
			return n
		}
	}
	if parts < 2 {
		return n
	}
	if p.Skew && len(leaves) == 2 {
		if out := p.skewed(n, leaves, parts); out != nil {
			return out
		}
	}
	if !p.Coalesce {
		return n
	}
	total := make([]int64, parts)
	seen := map[*physical.Exchange]bool{}
	for _, x := range leaves {
		if !seen[x] {
			seen[x] = true
			add(total, p.parts(x))
		}
	}
	pieces := coalesce(total, 0, p.target(sum(total)))
	if len(pieces) == parts {
		return n
	}
	p.notes = append(p.notes, fmt.Sprintf("%d partitions of %d bytes coalesced to %d", parts, sum(total), len(pieces)))
	return readAs(n, func(*physical.Exchange) []physical.Piece { return pieces })
}

// divides reports whether tasks of a stage's plan are divided otherwise below n than at n.
func divides(n physical.Node) bool {
	switch n.(type) {
	case *physical.Union, *physical.Coalesce:
		return true
	case *physical.Exchange:
		return false
	}
	return slices.ContainsFunc(n.Children(), divides)
}

// inputs gathers the exchanges that divide a group's tasks; false: something else does too.
func inputs(n physical.Node, out *[]*physical.Exchange) bool {
	switch n := n.(type) {
	case *physical.Exchange:
		if n.Kind == physical.Broadcast {
			return true
		}
		*out = append(*out, n)
		return n.Kind != physical.Single
	case *physical.Read:
		return n.Whole
	case *physical.Scan:
		return false // its children are what its rows are filtered by
	}
	kids := n.Children()
	for _, k := range kids {
		if !inputs(k, out) {
			return false
		}
	}
	return len(kids) > 0
}

// parts is how many bytes each partition of an exchange has. Those of ranges
// aren't known before they are read: they are cut to be equal.
func (p *replanner) parts(x *physical.Exchange) []int64 {
	out := make([]int64, x.N)
	for _, w := range p.sizes[x] {
		if x.Kind == physical.RangeBy {
			for i := range out {
				out[i] += sum(w) / int64(x.N)
			}
			continue
		}
		add(out, w)
	}
	return out
}

func (p *replanner) target(total int64) int64 {
	tasks := int64(max(1, p.MinTasks))
	return max(min((total+tasks-1)/tasks, p.Advisory), p.MinPartition, 1)
}

func add(to, list []int64) {
	for i := range min(len(to), len(list)) {
		to[i] += list[i]
	}
}

func sum(list []int64) (n int64) {
	for _, v := range list {
		n += v
	}
	return n
}

// coalesce joins neighbours as long as they have no more than target bytes
// together. at is the number of the first.
func coalesce(sizes []int64, at int, target int64) (out []physical.Piece) {
	from, have := 0, int64(0)
	for i, n := range sizes {
		if i > from && have+n > target {
			out = append(out, physical.Piece{From: at + from, To: at + i})
			from, have = i, 0
		}
		have += n
	}
	if from < len(sizes) {
		out = append(out, physical.Piece{From: at + from, To: at + len(sizes)})
	}
	return out
}

// readAs replaces the exchanges that divide a group's tasks by reads of pieces.
func readAs(n physical.Node, pieces func(*physical.Exchange) []physical.Piece) physical.Node {
	switch x := n.(type) {
	case *physical.Exchange:
		if x.Kind == physical.Broadcast {
			return n
		}
		return &physical.Read{Pieces: pieces(x), Input: x}
	case *physical.Read:
		return n
	}
	kids := slices.Clone(n.Children())
	for i, k := range kids {
		kids[i] = readAs(k, pieces)
	}
	return n.WithChildren(kids)
}

// splits says which side's rows may be divided among tasks that all read the
// other side's whole partition: only those whose matches decide about nothing else.
func splits(k plan.JoinType) (left, right bool) {
	switch k {
	case plan.Inner, plan.Cross:
		return true, true
	case plan.LeftOuter, plan.LeftSemi, plan.LeftAnti, plan.Existence, plan.LeftSingle:
		return true, false
	case plan.RightOuter:
		return false, true
	}
	return false, false
}

// skewed divides the large partitions of a join of two exchanges; nil: there are none.
func (p *replanner) skewed(n physical.Node, leaves []*physical.Exchange, parts int) physical.Node {
	join := findJoin(n, func(j *physical.HashJoin) bool {
		return j.Left == physical.Node(leaves[0]) && j.Right == physical.Node(leaves[1])
	})
	if join == nil || leaves[0] == leaves[1] || leaves[0].Kind != physical.Hash || leaves[1].Kind != physical.Hash {
		return nil
	}
	var may [2]bool
	may[0], may[1] = splits(join.Kind)
	var size [2][]int64
	var limit, target [2]int64
	for k, x := range leaves {
		size[k] = p.parts(x)
		sorted := slices.Sorted(slices.Values(size[k]))
		median := sorted[parts/2]
		if parts%2 == 0 {
			median = (sorted[parts/2-1] + sorted[parts/2]) / 2
		}
		limit[k] = max(p.SkewThreshold, int64(float64(max(median, 1))*p.SkewFactor))
		normal, n := int64(0), int64(0)
		for _, v := range size[k] {
			if v <= limit[k] {
				normal, n = normal+v, n+1
			}
		}
		target[k] = p.Advisory
		if n > 0 {
			target[k] = max(p.Advisory, normal/n)
		}
	}
	both := slices.Clone(size[0])
	add(both, size[1])
	var pieces [2][]physical.Piece
	divided, plain := 0, 0
	flush := func(to int) {
		run := both[plain:to]
		list := []physical.Piece{}
		if p.Coalesce {
			list = coalesce(run, plain, p.target(sum(both)))
		} else {
			for i := range run {
				list = append(list, physical.One(plain+i))
			}
		}
		pieces[0], pieces[1] = append(pieces[0], list...), append(pieces[1], list...)
	}
	for i := range parts {
		var cut [2][]physical.Piece
		for k, x := range leaves {
			cut[k] = []physical.Piece{physical.One(i)}
			if may[k] && size[k][i] > limit[k] {
				cut[k] = divide(i, p.sizes[x], target[k])
			}
		}
		if len(cut[0])*len(cut[1]) == 1 {
			continue
		}
		divided++
		flush(i)
		plain = i + 1
		for _, l := range cut[0] {
			for _, r := range cut[1] {
				pieces[0], pieces[1] = append(pieces[0], l), append(pieces[1], r)
			}
		}
	}
	if divided == 0 {
		return nil
	}
	flush(parts)
	p.notes = append(p.notes, fmt.Sprintf("%d of %d partitions of a join are divided, %d tasks", divided, parts, len(pieces[0])))
	return readAs(n, func(x *physical.Exchange) []physical.Piece {
		if x == leaves[0] {
			return pieces[0]
		}
		return pieces[1]
	})
}

// divide cuts a partition between writers into pieces of about target bytes.
func divide(part int, writers [][]int64, target int64) (out []physical.Piece) {
	from, have := 0, int64(0)
	for w, sizes := range writers {
		n := int64(0)
		if part < len(sizes) {
			n = sizes[part]
		}
		if w > from && have > 0 && have+n > target {
			out = append(out, physical.Piece{From: part, To: part + 1, Writer: from, EndWriter: w})
			from, have = w, 0
		}
		have += n
	}
	// What is left is too little for a task of its own.
	if last := len(out) - 1; last >= 0 && have < target/5 {
		out[last].EndWriter = len(writers)
		from = len(writers)
	}
	if from < len(writers) {
		out = append(out, physical.Piece{From: part, To: part + 1, Writer: from, EndWriter: len(writers)})
	}
	if len(out) <= 1 {
		return []physical.Piece{physical.One(part)}
	}
	return out
}
