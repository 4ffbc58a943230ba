package optimize

import (
	"math"
	"math/bits"
	"slices"

	"neptune/internal/plan"
)

// Join order. A region of inner joins becomes relations and conditions; the
// order is found by dynamic programming over subsets (bushy trees, cross
// products only between parts that nothing connects), or greedily when there
// are many relations.

const dpLimit = 10

func (o *optimizer) reorder(n plan.Node) (plan.Node, error) {
	if err := o.ctx.Err(); err != nil {
		return nil, err
	}
	f, isFilter := n.(*plan.Filter)
	j, isJoin := n.(*plan.Join)
	if isFilter {
		if c, ok := f.Child.(*plan.Join); ok && deterministic(f.Cond) {
			j, isJoin = c, true
		}
	}
	if isJoin && reorderable(j) {
		return o.region(n)
	}
	if isJoin && !isFilter && semiLike(j.Kind) {
		return o.sinkSemi(j)
	}
	kids := n.Children()
	if len(kids) == 0 {
		return n, nil
	}
	fresh := make([]plan.Node, len(kids))
	for i, k := range kids {
		var err error
		if fresh[i], err = o.reorder(k); err != nil {
			return nil, err
		}
	}
	return n.WithChildren(fresh), nil
}

func semiLike(k plan.JoinType) bool {
	return k == plan.LeftSemi || k == plan.LeftAnti
}

func reorderable(j *plan.Join) bool {
	return (j.Kind == plan.Inner || j.Kind == plan.Cross) && j.LeftHint == "" && j.RightHint == "" && !j.Lateral
}

// sinkSemi moves a semi or anti join that drops most rows below the inner
// joins of its left side, to the relation that its condition is about.
func (o *optimizer) sinkSemi(j *plan.Join) (plan.Node, error) {
	right, err := o.reorder(j.Right)
	if err != nil {
		return nil, err
	}
	c := *j
	c.Right = right
	if in := o.stats.of(j.Left).rows; in > 0 && o.stats.of(j).rows < 0.3*in {
		left := j.Left
		if p, ok := left.(*plan.Project); ok && renamesOnly(p.List) && len(defs(p.List)) == 0 {
			left = p.Child
		}
		used := refs(j.Cond)
		for id := range idsOf(right.Output()) {
			delete(used, id)
		}
		if inner, ok := left.(*plan.Join); ok && reorderable(inner) && len(used) > 0 {
			if n, ok := sinkTo(left, &c, used); ok {
				out, err := o.reorder(n)
				if err != nil {
					return nil, err
				}
				return restore(out, j.Output()), nil
			}
		}
	}
	left, err := o.reorder(j.Left)
	if err != nil {
		return nil, err
	}
	c.Left = left
	return &c, nil
}

// sinkTo puts the semi join on top of the one relation below inner joins that has all of used.
func sinkTo(n plan.Node, semi *plan.Join, used idSet) (plan.Node, bool) {
	if j, ok := n.(*plan.Join); ok && reorderable(j) {
		c := *j
		if used.within(idsOf(j.Left.Output())) {
			l, ok := sinkTo(j.Left, semi, used)
			c.Left = l
			return &c, ok
		}
		if used.within(idsOf(j.Right.Output())) {
			r, ok := sinkTo(j.Right, semi, used)
			c.Right = r
			return &c, ok
		}
		return nil, false
	}
	if p, ok := n.(*plan.Project); ok && len(defs(p.List)) == 0 {
		if j, ok := p.Child.(*plan.Join); ok && reorderable(j) {
			child, ok := sinkTo(p.Child, semi, used)
			if !ok {
				return nil, false
			}
			return p.WithChildren([]plan.Node{child}), true
		}
	}
	c := *semi
	c.Left = n
	return &c, true
}

type joinRegion struct {
	rels  []plan.Node
	conds []plan.Expr
}

func (r *joinRegion) flatten(n plan.Node) {
	switch x := n.(type) {
	case *plan.Join:
		if reorderable(x) {
			r.flatten(x.Left)
			r.flatten(x.Right)
			r.conds = append(r.conds, split(x.Cond)...)
			return
		}
	case *plan.Filter:
		if j, ok := x.Child.(*plan.Join); ok && reorderable(j) && deterministic(x.Cond) {
			r.flatten(x.Child)
			r.conds = append(r.conds, split(x.Cond)...)
			return
		}
	case *plan.Project:
		// Only chooses columns: looked through, the region's end prunes again.
		if j, ok := x.Child.(*plan.Join); ok && reorderable(j) && len(defs(x.List)) == 0 {
			r.flatten(x.Child)
			return
		}
	}
	r.rels = append(r.rels, n)
}

func (o *optimizer) region(n plan.Node) (plan.Node, error) {
	r := &joinRegion{}
	r.flatten(n)
	for i, rel := range r.rels {
		x, err := o.reorder(rel)
		if err != nil {
			return nil, err
		}
		r.rels[i] = x
	}
	s := newJoinSearch(o.stats, r)
	var tree plan.Node
	if len(r.rels) <= dpLimit {
		tree = s.dynamic()
	} else {
		tree = s.greedy()
	}
	return restore(filter(s.leftover(), tree), n.Output()), nil
}

// joinSearch is the state of one search. Sets of relations are bit masks.
type joinSearch struct {
	est   *estimator
	rels  []plan.Node
	stats []*relStats
	ids   []idSet
	conds []searchCond
	rows  map[uint64]float64
	loose []plan.Expr // conditions over no relation
}

type searchCond struct {
	e    plan.Expr
	mask uint64
	// Of an equality between two relations:
	equi        bool
	left, right uint64
	a, b        plan.Expr
	class       int
}

func newJoinSearch(est *estimator, r *joinRegion) *joinSearch {
	s := &joinSearch{est: est, rels: r.rels, rows: map[uint64]float64{}}
	for _, rel := range r.rels {
		s.stats = append(s.stats, est.of(rel))
		s.ids = append(s.ids, idsOf(rel.Output()))
	}
	for _, e := range dedupe(r.conds) {
		c := searchCond{e: e, mask: s.maskOf(e), class: -1}
		if c.mask == 0 {
			s.loose = append(s.loose, e)
			continue
		}
		if q, ok := e.(*plan.Call); ok && (q.Name == "=" || q.Name == "<=>") {
			l, r := s.maskOf(q.Args[0]), s.maskOf(q.Args[1])
			if l != 0 && r != 0 && l&r == 0 {
				c.equi, c.left, c.right, c.a, c.b = true, l, r, q.Args[0], q.Args[1]
			}
		}
		s.conds = append(s.conds, c)
	}
	s.close()
	return s
}

func (s *joinSearch) maskOf(e plan.Expr) uint64 {
	var m uint64
	for id := range refs(e) {
		for i, ids := range s.ids {
			if ids.has(id) {
				m |= 1 << i
				break
			}
		}
	}
	return m
}

// close numbers the classes of equal columns and adds the equalities that
// follow, a = b and b = c give a = c, so that any order finds its keys.
func (s *joinSearch) close() {
	parent := map[plan.ExprID]plan.ExprID{}
	var find func(x plan.ExprID) plan.ExprID
	find = func(x plan.ExprID) plan.ExprID {
		if p, ok := parent[x]; ok {
			return find(p)
		}
		return x
	}
	attrs := []*plan.Attr{}
	seen := idSet{}
	for _, c := range s.conds {
		a, b, ok := attrEquality(c.e)
		if !ok || !c.equi || a.T.Kind != b.T.Kind {
			continue
		}
		for _, x := range []*plan.Attr{a, b} {
			if !seen.has(x.ID) {
				seen.add(x.ID)
				attrs = append(attrs, x)
			}
		}
		if x, y := find(a.ID), find(b.ID); x != y {
			parent[x] = y
		}
	}
	class := map[plan.ExprID]int{}
	for _, a := range attrs {
		r := find(a.ID)
		if _, ok := class[r]; !ok {
			class[r] = len(class)
		}
	}
	have := map[[2]plan.ExprID]bool{}
	for i := range s.conds {
		c := &s.conds[i]
		a, b, ok := attrEquality(c.e)
		if !ok || !c.equi || a.T.Kind != b.T.Kind {
			continue
		}
		c.class = class[find(a.ID)]
		have[[2]plan.ExprID{a.ID, b.ID}], have[[2]plan.ExprID{b.ID, a.ID}] = true, true
	}
	for i, a := range attrs {
		for _, b := range attrs[i+1:] {
			if find(a.ID) != find(b.ID) || have[[2]plan.ExprID{a.ID, b.ID}] {
				continue
			}
			l, r := s.maskOf(a), s.maskOf(b)
			if l == r {
				// Two columns of one relation: between takes one equality of a
				// class, so that this one has to hold before.
				k := bits.TrailingZeros64(l)
				s.rels[k] = filter(fresh([]plan.Expr{boolCall("=", a, b)}, s.rels[k]), s.rels[k])
				s.stats[k] = s.est.of(s.rels[k])
				continue
			}
			s.conds = append(s.conds, searchCond{e: boolCall("=", a, b), mask: l | r, equi: true, left: l, right: r, a: a, b: b, class: class[find(a.ID)]})
		}
	}
}

func (s *joinSearch) leftover() []plan.Expr { return s.loose }

// between lists the conditions that become testable when l and r are joined.
// Of one class of equal columns one equality is enough.
func (s *joinSearch) between(l, r uint64) (list []searchCond, connected bool) {
	classes := map[int]bool{}
	for _, c := range s.conds {
		if c.mask&^(l|r) != 0 || c.mask&^l == 0 || c.mask&^r == 0 {
			continue
		}
		if c.equi && (c.left&^l == 0 && c.right&^r == 0 || c.left&^r == 0 && c.right&^l == 0) {
			connected = true
		} else {
			c.equi = false
		}
		if c.class >= 0 {
			if classes[c.class] {
				continue
			}
			classes[c.class] = true
		}
		list = append(list, c)
	}
	return list, connected || len(list) > 0
}

// card estimates the rows of a set, the same whatever the order: relations
// are added to the lowest one by one, connected ones first.
func (s *joinSearch) card(set uint64) float64 {
	if v, ok := s.rows[set]; ok {
		return v
	}
	first := bits.TrailingZeros64(set)
	var v float64
	if bits.OnesCount64(set) == 1 {
		v = s.stats[first].rows
	} else {
		// Take away the last relation that leaves the rest connected to it.
		last := -1
		for i := 63 - bits.LeadingZeros64(set); i >= 0; i-- {
			if set&(1<<i) == 0 {
				continue
			}
			if _, ok := s.between(set&^(1<<i), 1<<i); ok && s.linked(set&^(1<<i)) {
				last = i
				break
			}
		}
		if last < 0 {
			last = 63 - bits.LeadingZeros64(set)
		}
		v = s.joinRows(set&^(1<<last), 1<<last)
	}
	s.rows[set] = v
	return v
}

// linked reports whether conditions connect all relations of a set.
func (s *joinSearch) linked(set uint64) bool {
	reach := set & -set
	for {
		next := reach
		for _, c := range s.conds {
			if c.mask&^set == 0 && c.mask&next != 0 {
				next |= c.mask
			}
		}
		if next == reach {
			return reach == set
		}
		reach = next
	}
}

func (s *joinSearch) joinRows(l, r uint64) float64 {
	rows := s.card(l) * s.card(r)
	conds, _ := s.between(l, r)
	lo, ro := s.union(l), s.union(r)
	var keys []equiKey
	all := &relStats{rows: rows, base: rows, cols: lo.cols}
	for _, c := range conds {
		if c.equi {
			k := equiKey{c.a, c.b}
			if c.left&^l != 0 {
				k = equiKey{c.b, c.a}
			}
			keys = append(keys, k)
		} else {
			rows *= all.selectivity(c.e)
		}
	}
	if len(keys) > 0 {
		rows /= joinDomain(lo, ro, keys)
	}
	return math.Max(rows, 1e-3)
}

// union is the statistics of the columns of a set, its base the largest of its relations'.
func (s *joinSearch) union(set uint64) *relStats {
	if bits.OnesCount64(set) == 1 {
		return s.stats[bits.TrailingZeros64(set)]
	}
	out := &relStats{cols: map[plan.ExprID]colStats{}}
	for i, st := range s.stats {
		if set&(1<<i) == 0 {
			continue
		}
		out.base = math.Max(out.base, st.base)
		for id, c := range st.cols {
			out.cols[id] = c
		}
	}
	return out
}

type joinPlan struct {
	cost        float64
	left, right uint64 // 0: a relation
}

// step is the cost of one join on conds: a row of the build side costs several of the
// probe side, a row that comes out about as much as one probed. Without an
// equality each pair of rows is looked at.
func (s *joinSearch) step(l, r uint64, conds []searchCond) float64 {
	a, b := s.card(l), s.card(r)
	if a < b {
		a, b = b, a
	}
	cost := a + 3*b + s.card(l|r)
	if !slices.ContainsFunc(conds, func(c searchCond) bool { return c.equi }) {
		cost += a * b
	}
	return cost
}

func (s *joinSearch) dynamic() plan.Node {
	n := len(s.rels)
	full := uint64(1)<<n - 1
	best := make([]joinPlan, full+1)
	for i := range n {
		best[1<<i] = joinPlan{}
	}
	for set := uint64(1); set <= full; set++ {
		if bits.OnesCount64(set) < 2 {
			continue
		}
		found := joinPlan{cost: math.Inf(1)}
		// Cross products only when no split is connected.
		for _, cross := range []bool{false, true} {
			for l := (set - 1) & set; l > 0; l = (l - 1) & set {
				r := set &^ l
				if l < r {
					continue // each split once
				}
				if math.IsInf(best[l].cost, 1) || math.IsInf(best[r].cost, 1) {
					continue
				}
				conds, ok := s.between(l, r)
				if !ok && !cross {
					continue
				}
				if c := best[l].cost + best[r].cost + s.step(l, r, conds); c < found.cost {
					found = joinPlan{cost: c, left: l, right: r}
				}
			}
			if !math.IsInf(found.cost, 1) || s.linked(set) || set != full && !s.tiny(set) {
				break
			}
		}
		best[set] = found
	}
	if math.IsInf(best[full].cost, 1) {
		return s.greedy()
	}
	var build func(set uint64) plan.Node
	build = func(set uint64) plan.Node {
		p := best[set]
		if p.left == 0 {
			return s.rels[bits.TrailingZeros64(set)]
		}
		return s.make(p.left, p.right, build(p.left), build(p.right))
	}
	return build(full)
}

// tiny: a product of few rows may be worth making before the rest is joined.
func (s *joinSearch) tiny(set uint64) bool { return s.card(set) <= 1000 }

// make joins two parts, the larger on the left: plans read the same way each time.
func (s *joinSearch) make(l, r uint64, ln, rn plan.Node) plan.Node {
	if s.card(l) < s.card(r) || s.card(l) == s.card(r) && l > r {
		l, r, ln, rn = r, l, rn, ln
	}
	conds, _ := s.between(l, r)
	list := make([]plan.Expr, len(conds))
	for i, c := range conds {
		list[i] = c.e
	}
	j := &plan.Join{Kind: plan.Inner, Cond: and(list), Left: ln, Right: rn}
	if len(list) == 0 {
		j.Kind = plan.Cross
	}
	return j
}

// greedy joins the pair that costs least, until one is left.
func (s *joinSearch) greedy() plan.Node {
	type part struct {
		set  uint64
		node plan.Node
	}
	parts := make([]part, len(s.rels))
	if len(s.rels) > 63 {
		// Too many for bit masks: as written.
		n := s.rels[0]
		for _, r := range s.rels[1:] {
			n = &plan.Join{Kind: plan.Cross, Left: n, Right: r}
		}
		for _, c := range s.conds {
			s.loose = append(s.loose, c.e)
		}
		return n
	}
	for i, r := range s.rels {
		parts[i] = part{1 << i, r}
	}
	for len(parts) > 1 {
		bi, bj, cost := -1, -1, math.Inf(1)
		for _, cross := range []bool{false, true} {
			for i := range parts {
				for j := i + 1; j < len(parts); j++ {
					conds, ok := s.between(parts[i].set, parts[j].set)
					if !ok && !cross {
						continue
					}
					if c := s.step(parts[i].set, parts[j].set, conds); c < cost {
						bi, bj, cost = i, j, c
					}
				}
			}
			if bi >= 0 {
				break
			}
		}
		p := part{parts[bi].set | parts[bj].set, s.make(parts[bi].set, parts[bj].set, parts[bi].node, parts[bj].node)}
		parts[bi] = p
		parts = append(parts[:bj], parts[bj+1:]...)
	}
	return parts[0].node
}
