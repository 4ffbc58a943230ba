package optimize

import (
	"cmp"
	"math"
	"slices"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Runtime filters: rows that a join is going to drop, because the other side
// doesn't have their key, needn't leave the scan. The side that becomes the
// table is there first, as an exchange; its keys restrict the scans that the
// other side's key column comes from, through other joins, aggregates by that
// column, and exchanges. (A scan below an exchange then begins when the keys are
// there, and not before. No circle comes of that: filters go from a join's
// build side to its probe side only, and never into a plan that is used twice.)

const (
	// A scan of fewer rows isn't worth it.
	filterScanRows = 50000
	// filterBuildRows: more keys aren't read.
	filterBuildRows = 8e6
	// A filter is planned if it is thought to keep less than these shares of the
	// rows: in the join's own stage, and below an exchange, where it costs time in a row.
	filterKeepNear, filterKeepFar = 0.9, 0.6
	filtersPerScan                = 4
)

// joinKeys are what was estimated of a join when it was planned.
type joinKeys struct {
	rows float64   // of the build side
	keep []float64 // by key: the share of the probe side's values that the build side has
}

func (p *planner) noteKeys(x *physical.HashJoin, s joinSides, lk, rk []plan.Expr) {
	if p.keys == nil {
		return
	}
	build, probe, bk, pk := s.j.Left, s.j.Right, lk, rk
	if x.BuildRight {
		build, probe, bk, pk = probe, build, rk, lk
	}
	b, q := p.est.of(build), p.est.of(probe)
	k := joinKeys{rows: b.rows}
	for i := range bk {
		share := 1.0
		to, ok1 := bk[i].(*plan.Attr)
		from, ok2 := pk[i].(*plan.Attr)
		if ok1 && ok2 {
			have := distinctAmong(b.col(to.ID).ndv, b.rows)
			share = have / math.Max(have, q.col(from.ID).ndv)
		}
		k.keep = append(k.keep, share)
	}
	p.keys[x] = k
}

// dropsProbe reports whether rows of the side that isn't the table are dropped when they find no key.
func dropsProbe(k plan.JoinType, buildRight bool) bool {
	switch k {
	case plan.FullOuter, plan.NullAwareAnti:
		return false
	case plan.Inner, plan.Cross, plan.LeftSemi:
		return true
	case plan.RightOuter:
		return buildRight
	}
	return !buildRight
}

// placed is a filter with the share of rows that it is thought to keep.
type placed struct {
	physical.RuntimeFilter
	keep float64
}

// filterPlacer adds runtime filters to a finished plan.
type filterPlacer struct {
	keys  map[*physical.HashJoin]joinKeys
	users map[physical.Node]int
	found map[*physical.Scan][]placed
	made  map[physical.Node]physical.Node
}

// runtimeFilters places filters; keys are of root's joins.
func (p *planner) runtimeFilters(root physical.Node, keys map[*physical.HashJoin]joinKeys) physical.Node {
	if p.stream != nil || p.local || len(keys) == 0 {
		return root
	}
	f := &filterPlacer{keys: keys, users: map[physical.Node]int{}, found: map[*physical.Scan][]placed{}, made: map[physical.Node]physical.Node{}}
	f.count(root)
	f.joins(root, map[physical.Node]bool{}, p.conf)
	if len(f.found) == 0 {
		return root
	}
	return f.rebuild(root)
}

func (f *filterPlacer) count(n physical.Node) {
	f.users[n]++
	if f.users[n] > 1 {
		return
	}
	for _, k := range n.Children() {
		f.count(k)
	}
}

func (f *filterPlacer) joins(n physical.Node, seen map[physical.Node]bool, c Conf) {
	if _, ok := n.(*physical.RecursiveLoop); ok || seen[n] {
		return
	}
	seen[n] = true
	if j, ok := n.(*physical.HashJoin); ok {
		f.join(j, c)
	}
	for _, k := range n.Children() {
		f.joins(k, seen, c)
	}
}

func (f *filterPlacer) join(j *physical.HashJoin, c Conf) {
	if !dropsProbe(j.Kind, j.BuildRight) {
		return
	}
	build, probe, bk, pk := j.Left, j.Right, j.LeftKeys, j.RightKeys
	if j.BuildRight {
		build, probe, bk, pk = probe, build, pk, bk
	}
	est, ok := f.keys[j]
	if !ok || est.rows > filterBuildRows {
		return
	}
	for i := range bk {
		from, ok1 := pk[i].(*plan.Bound)
		to, ok2 := bk[i].(*plan.Bound)
		if !ok1 || !ok2 || j.NullSafe[i] || !types.SameType(from.T, to.T) {
			continue
		}
		if l := vec.LayoutOf(to.T); l != vec.I32 && l != vec.I64 {
			continue
		}
		x, at := keySource(build, to.Index)
		if x == nil {
			continue
		}
		t := tracer{f: f, rows: c.rows(filterScanRows), near: est.keep[i] < filterKeepNear, far: est.keep[i] < filterKeepFar,
			filter: placed{physical.RuntimeFilter{From: x, Key: at}, est.keep[i]}}
		t.trace(probe, from.Index, false)
	}
}

// keySource finds the exchange that a column of a build side comes from, and the
// column there: it has all of its values, and perhaps some that were dropped since.
func keySource(n physical.Node, col int) (*physical.Exchange, int) {
	switch x := n.(type) {
	case *physical.Exchange:
		if x.Kind == physical.Broadcast || x.Kind == physical.Single || x.Kind == physical.Hash && x.N > 0 {
			return x, col
		}
	case *physical.Project:
		if b, ok := x.Exprs[col].(*plan.Bound); ok {
			return keySource(x.Input, b.Index)
		}
	case *physical.HashJoin:
		if col < len(x.Left.Schema()) {
			return keySource(x.Left, col)
		}
		if x.Kind == plan.Inner {
			return keySource(x.Right, col-len(x.Left.Schema()))
		}
	}
	return nil, 0
}

// tracer follows a column down to the scans that it comes from.
type tracer struct {
	f         *filterPlacer
	filter    placed
	rows      float64
	near, far bool
}

func (t *tracer) trace(n physical.Node, col int, far bool) {
	if t.f.users[n] > 1 || far && !t.far || !far && !t.near {
		return
	}
	switch x := n.(type) {
	case *physical.Scan:
		t.add(x, col)
	case *physical.Filter:
		if deterministic(x.Cond) {
			t.trace(x.Input, col, far)
		}
	case *physical.Project:
		for _, e := range x.Exprs {
			if !deterministic(e) {
				return // what it counts are the rows
			}
		}
		t.follow(x.Exprs[col], x.Input, far)
	case *physical.HashAggregate:
		if col < len(x.Group) {
			t.follow(x.Group[col], x.Input, far)
		}
	case *physical.Sort:
		t.trace(x.Input, col, far)
	case *physical.Coalesce:
		t.trace(x.Input, col, far)
	case *physical.Exchange:
		t.trace(x.Input, col, true)
	case *physical.Union:
		for _, in := range x.Inputs {
			t.trace(in, col, far)
		}
	case *physical.HashJoin:
		t.join(x, col, far)
	case *physical.NestedLoopJoin:
		nl := len(x.Left.Schema())
		switch {
		case col < nl && x.Kind != plan.RightOuter && x.Kind != plan.FullOuter && x.Kind != plan.NullAwareAnti:
			t.trace(x.Left, col, far)
		case col >= nl && x.Kind == plan.Inner:
			t.trace(x.Right, col-nl, far)
		}
	}
}

func (t *tracer) follow(e plan.Expr, in physical.Node, far bool) {
	if b, ok := e.(*plan.Bound); ok {
		t.trace(in, b.Index, far)
	}
}

// join follows a column of a join's output. Where the column is a key, rows of
// the other side with another key can only meet rows that are dropped.
func (t *tracer) join(x *physical.HashJoin, col int, far bool) {
	nl := len(x.Left.Schema())
	switch x.Kind {
	case plan.Inner:
	case plan.LeftSemi, plan.LeftAnti, plan.LeftOuter, plan.LeftSingle, plan.Existence:
		if col >= nl {
			return
		}
	default:
		return
	}
	side, other, keys, others := x.Left, x.Right, x.LeftKeys, x.RightKeys
	at := col
	if col >= nl {
		side, other, keys, others, at = x.Right, x.Left, x.RightKeys, x.LeftKeys, col-nl
	}
	t.trace(side, at, far)
	for i, k := range keys {
		b, ok := k.(*plan.Bound)
		if !ok || b.Index != at || x.NullSafe[i] {
			continue
		}
		if x.Kind == plan.Existence || x.Kind == plan.LeftSingle {
			continue
		}
		t.follow(others[i], other, far)
	}
}

func (t *tracer) add(s *physical.Scan, col int) {
	if s.Limit >= 0 || len(t.f.found[s]) >= filtersPerScan {
		return
	}
	if st := s.Source.Stats(); st.Rows >= 0 && float64(st.Rows) < t.rows {
		return
	}
	r := t.filter
	r.Col = col
	for _, have := range t.f.found[s] {
		if have.RuntimeFilter == r.RuntimeFilter {
			return
		}
	}
	t.f.found[s] = append(t.f.found[s], r)
	slices.SortStableFunc(t.f.found[s], func(a, b placed) int { return cmp.Compare(a.keep, b.keep) })
}

// rebuild copies the plan with the filters in their scans.
func (f *filterPlacer) rebuild(n physical.Node) physical.Node {
	if m, ok := f.made[n]; ok {
		return m
	}
	out := n
	if s, ok := n.(*physical.Scan); ok && len(f.found[s]) > 0 {
		c := *s
		for _, r := range f.found[s] {
			r.From = f.rebuild(r.From).(*physical.Exchange)
			c.RuntimeFilters = append(c.RuntimeFilters, r.RuntimeFilter)
		}
		out = &c
	} else {
		out = plan.MapChildren(n, f.rebuild)
	}
	f.made[n] = out
	return out
}
