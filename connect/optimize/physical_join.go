package optimize

import (
	"neptune/arrowexec/physical"
	"neptune/internal/plan"
)

// Joins: which algorithm, which side becomes the table, and how the rows meet.

// joinSides is a join being planned.
type joinSides struct {
	j      *plan.Join
	kind   plan.JoinType
	l, r   part
	lr, rr float64 // rows
	lb, rb float64 // bytes
	keys   []equiKey
	rest   []plan.Expr
}

func (p *planner) join(j *plan.Join) (part, error) {
	s := joinSides{j: j, kind: j.Kind}
	if s.kind == plan.Cross {
		s.kind = plan.Inner
	}
	var err error
	if s.l, err = p.plan(j.Left); err != nil {
		return part{}, err
	}
	if s.r, err = p.plan(j.Right); err != nil {
		return part{}, err
	}
	s.lr, s.rr = p.est.of(j.Left).rows, p.est.of(j.Right).rows
	s.lb, s.rb = p.est.bytes(j.Left), p.est.bytes(j.Right)
	s.keys, s.rest = equiKeys(split(j.Cond), idsOf(j.Left.Output()), idsOf(j.Right.Output()))
	if s.kind == plan.NullAwareAnti && (len(s.keys) != 1 || len(s.rest) > 0) {
		// Null-aware tables hold one key: anything more is tested row by row.
		s.kind = plan.LeftAnti
		for _, c := range split(j.Cond) {
			s.rest = append(s.rest, boolCall("or", c, boolCall("isnull", c)))
		}
		s.rest, s.keys = s.rest[len(s.rest)-len(split(j.Cond)):], nil
	}
	if len(s.keys) == 0 {
		return p.nestedLoop(s)
	}
	return p.hashJoin(s)
}

// mayBroadcast says whether every task may have the whole side: rows that
// find no match on it must not have to be put out.
func mayBroadcast(k plan.JoinType, right bool) bool {
	if right {
		return k != plan.RightOuter && k != plan.FullOuter
	}
	return k == plan.Inner || k == plan.RightOuter
}

// joinOut is the output columns of a join.
func joinOut(s joinSides) []physical.Column {
	out := append([]physical.Column{}, s.l.node.Schema()...)
	nl := len(out)
	switch s.kind {
	case plan.LeftSemi, plan.LeftAnti, plan.NullAwareAnti:
		return out
	case plan.Existence:
		return append(out, column(s.j.Exists))
	}
	out = append(out, s.r.node.Schema()...)
	for i := range out {
		switch s.kind {
		case plan.LeftOuter, plan.LeftSingle:
			out[i].Null = out[i].Null || i >= nl
		case plan.RightOuter:
			out[i].Null = out[i].Null || i < nl
		case plan.FullOuter:
			out[i].Null = true
		}
	}
	return out
}

// residual binds the conditions beyond the keys to left columns then right columns.
func residual(s joinSides) (plan.Expr, error) {
	if len(s.rest) == 0 {
		return nil, nil
	}
	both := append(append([]physical.Column{}, s.l.node.Schema()...), s.r.node.Schema()...)
	return physical.Bind(and(s.rest), both)
}

func (p *planner) hashJoin(s joinSides) (part, error) {
	lk, rk := make([]plan.Expr, len(s.keys)), make([]plan.Expr, len(s.keys))
	x := &physical.HashJoin{Kind: s.kind, NullSafe: make([]bool, len(s.keys))}
	for i, k := range s.keys {
		lk[i], rk[i] = k.left, k.right
	}
	safe := map[string]bool{}
	for _, c := range split(s.j.Cond) {
		if q, ok := isCall(c, "<=>"); ok {
			safe[key(q.Args[0])+"|"+key(q.Args[1])] = true
			safe[key(q.Args[1])+"|"+key(q.Args[0])] = true
		}
	}
	for i := range lk {
		x.NullSafe[i] = safe[key(lk[i])+"|"+key(rk[i])]
	}
	var err error
	if x.LeftKeys, err = physical.BindAll(lk, s.l.node.Schema()); err != nil {
		return part{}, err
	}
	if x.RightKeys, err = physical.BindAll(rk, s.r.node.Schema()); err != nil {
		return part{}, err
	}
	if x.Cond, err = residual(s); err != nil {
		return part{}, err
	}
	x.Out = joinOut(s)
	x.BuildRight = p.buildRight(s)
	out := part{}
	switch {
	case s.l.single && s.r.single:
		out.single = true
	case p.broadcastSide(s) != 0:
		x.BuildRight = p.broadcastSide(s) == 2
		probe, build := &s.l, &s.r
		if !x.BuildRight {
			probe, build = build, probe
		}
		if probe.single {
			*build = p.toSingle(*build)
		} else {
			*build = p.broadcast(*build)
		}
		out.single, out.hash, out.n, out.sorted = probe.single, probe.hash, probe.n, nil
	default:
		if p.copartition(&s, lk, rk, x) {
			x.BuildFirst = p.mayTurnOutSmall(s, x.BuildRight)
		}
		out.hash, out.n = append(out.hash, sideHash(s.kind, true, s.l)...), s.l.n
		out.hash = append(out.hash, sideHash(s.kind, false, s.r)...)
		out.single = s.l.single && s.r.single
	}
	x.Left, x.Right = s.l.node, s.r.node
	p.noteKeys(x, s, lk, rk)
	out.node = x
	out.hash = keepHash(out, x.Out)
	return out, nil
}

// sideHash is the partitioning that a shuffled join keeps of a side: not that
// of a side whose columns may have become null.
func sideHash(k plan.JoinType, left bool, r part) [][]plan.ExprID {
	switch k {
	case plan.FullOuter:
		return nil
	case plan.RightOuter:
		if left {
			return nil
		}
	case plan.Inner:
	default:
		if !left {
			return nil
		}
	}
	return r.hash
}

// mayTurnOutSmall reports whether a join's build side is estimated too large to
// be broadcast, and yet so near to it, and so much smaller than the other side,
// that it pays to look at its real size before the other side is dealt out.
func (p *planner) mayTurnOutSmall(s joinSides, right bool) bool {
	limit := float64(p.conf.AdaptiveBroadcast)
	if limit <= 0 || !mayBroadcast(s.kind, right) || s.j.LeftHint == "shuffle_hash" || s.j.RightHint == "shuffle_hash" {
		return false
	}
	build, probe, bytes := s.lr, s.rr, s.lb
	if right {
		build, probe, bytes = s.rr, s.lr, s.rb
	}
	return bytes <= 16*limit && probe >= 4*build
}

// copartition exchanges the sides by their keys, leaving one as it is when it
// lies right already; it reports whether both were exchanged.
func (p *planner) copartition(s *joinSides, lk, rk []plan.Expr, x *physical.HashJoin) bool {
	if at := lies(s.l, lk); at != nil {
		if s.r.n == s.l.n && sameLie(s.r, rk, at) {
			return false
		}
		s.r = p.exchange(s.r, &physical.Exchange{Kind: physical.Hash, Keys: pick(x.RightKeys, at), N: s.l.n})
		return false
	}
	if at := lies(s.r, rk); at != nil {
		s.l = p.exchange(s.l, &physical.Exchange{Kind: physical.Hash, Keys: pick(x.LeftKeys, at), N: s.r.n})
		return false
	}
	n := p.partitions(max(s.lr, s.rr))
	s.l = p.exchange(s.l, &physical.Exchange{Kind: physical.Hash, Keys: x.LeftKeys, N: n})
	s.r = p.exchange(s.r, &physical.Exchange{Kind: physical.Hash, Keys: x.RightKeys, N: n})
	return true
}

// lies finds which keys, in which order, a side is partitioned by; nil: none.
func lies(r part, keys []plan.Expr) []int {
	if r.n == 0 {
		return nil
	}
	for _, alt := range r.hash {
		if at := positions(alt, keys); at != nil {
			return at
		}
	}
	return nil
}

func positions(alt []plan.ExprID, keys []plan.Expr) []int {
	var at []int
	for _, id := range alt {
		found := -1
		for i, k := range keys {
			if a, ok := k.(*plan.Attr); ok && a.ID == id {
				found = i
			}
		}
		if found < 0 {
			return nil
		}
		at = append(at, found)
	}
	return at
}

func sameLie(r part, keys []plan.Expr, at []int) bool {
	for _, alt := range r.hash {
		got := positions(alt, keys)
		if len(got) != len(at) {
			continue
		}
		same := true
		for i := range at {
			same = same && got[i] == at[i]
		}
		if same {
			return true
		}
	}
	return false
}

func pick(keys []plan.Expr, at []int) []plan.Expr {
	out := make([]plan.Expr, len(at))
	for i, k := range at {
		out[i] = keys[k]
	}
	return out
}

// buildRight chooses the table's side where both are possible: the smaller;
// for joins that keep the left's rows the right, unless it is much larger.
func (p *planner) buildRight(s joinSides) bool {
	switch s.kind {
	case plan.Inner:
		return s.rr <= s.lr
	case plan.NullAwareAnti, plan.LeftSingle, plan.Existence:
		return true
	case plan.RightOuter:
		return s.rr*4 < s.lr
	}
	return s.rr <= s.lr*4
}

// broadcastSide is 2 for the right, 1 for the left, 0 for neither.
func (p *planner) broadcastSide(s joinSides) int {
	if s.kind == plan.NullAwareAnti {
		return 2 // a null anywhere on the right concerns every row
	}
	if s.j.RightHint == "broadcast" && mayBroadcast(s.kind, true) {
		return 2
	}
	if s.j.LeftHint == "broadcast" && mayBroadcast(s.kind, false) {
		return 1
	}
	if s.j.LeftHint == "shuffle_hash" || s.j.RightHint == "shuffle_hash" || s.j.LeftHint == "merge" || s.j.RightHint == "merge" {
		return 0
	}
	limit := p.conf.broadcastThreshold()
	small := func(build, probe, bytes float64) bool {
		// One table for all tasks of a process costs its rows once; two exchanges cost both sides' rows.
		return bytes <= limit || limit >= 0 && (build*10 < probe && bytes < 1<<30 || build*2 < probe && bytes < 1<<28)
	}
	right := mayBroadcast(s.kind, true) && small(s.rr, s.lr, s.rb)
	left := mayBroadcast(s.kind, false) && small(s.lr, s.rr, s.lb)
	switch {
	case right && left && s.r.single && !s.l.single && s.lr > p.conf.rows(smallRows):
		return 2 // keep the side that has many tasks as the probe
	case right && left && s.l.single && !s.r.single && s.rr > p.conf.rows(smallRows):
		return 1
	case right && left:
		if s.rb <= s.lb {
			return 2
		}
		return 1
	case right:
		// Semi-like joins whose left is far smaller build there instead.
		if s.kind != plan.Inner && s.lr*20 < s.rr && s.rb > limit {
			return 0
		}
		return 2
	case left:
		return 1
	}
	return 0
}

func (p *planner) nestedLoop(s joinSides) (part, error) {
	x := &physical.NestedLoopJoin{Kind: s.kind, BuildRight: true, Out: joinOut(s)}
	var err error
	if x.Cond, err = residual(s); err != nil {
		return part{}, err
	}
	out := part{}
	switch s.kind {
	case plan.FullOuter:
		s.l, s.r = p.toSingle(s.l), p.toSingle(s.r)
		out.single = true
	case plan.RightOuter:
		x.BuildRight = false
	case plan.Inner:
		x.BuildRight = s.rb <= s.lb
	}
	if !out.single {
		probe, build := &s.l, &s.r
		if !x.BuildRight {
			probe, build = build, probe
		}
		switch {
		case probe.single:
			*build = p.toSingle(*build)
		default:
			*build = p.broadcast(*build)
		}
		out.single, out.n = probe.single, probe.n
		out.hash = keepHash(*probe, x.Out)
	}
	x.Left, x.Right = s.l.node, s.r.node
	out.node = x
	return out, nil
}
