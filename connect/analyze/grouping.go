package analyze

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// groupingSets is GROUPING SETS, CUBE or ROLLUP of a GROUP BY: the sets as
// positions of grouping expressions.
type groupingSets struct {
	sets [][]int
	// group are the grouping expressions, resolved, and gid the column that numbers the sets; set by expandSets.
	group []plan.Expr
	keys  []plan.Expr
	gid   *plan.Attr
	pos   *plan.Attr // tells equal sets apart; nil when all differ
}

// maxGroupingSets bounds CUBE: 2^20 sets.
const maxGroupingSets = 1 << 20

// groupParts lists the grouping expressions, unresolved, and the sets of them.
func (r *run) groupParts(n *plan.Aggregate) ([]plan.Expr, *groupingSets, error) {
	if n.GroupKind != plan.GroupAnalytic && n.Sets == nil {
		return append([]plan.Expr{}, n.Group...), nil, nil
	}
	if n.Sets != nil {
		return append([]plan.Expr{}, n.Group...), &groupingSets{sets: n.Sets}, nil
	}
	var group []plan.Expr
	index := map[string]int{}
	at := func(e plan.Expr) int {
		k := r.fold(r.sql(e))
		if i, ok := index[k]; ok {
			return i
		}
		group = append(group, e)
		index[k] = len(group) - 1
		return len(group) - 1
	}
	// Written group expressions come first, in their order, where the parser lists them.
	for _, e := range n.Group {
		at(e)
	}
	total := [][]int{{}}
	for _, p := range n.GroupParts {
		sets, err := partSets(p, at)
		if err != nil {
			return nil, nil, err
		}
		if len(total)*len(sets) > maxGroupingSets {
			return nil, nil, aerr("GROUPING_SIZE_LIMIT_EXCEEDED", "maxSize", "64").At(n.Origin)
		}
		var next [][]int
		for _, a := range total {
			for _, b := range sets {
				next = append(next, append(append([]int{}, a...), b...))
			}
		}
		total = next
	}
	if len(group) > 64 {
		return nil, nil, aerr("GROUPING_SIZE_LIMIT_EXCEEDED", "maxSize", "64").At(n.Origin)
	}
	return group, &groupingSets{sets: total}, nil
}

// partSets is the sets of one element of GROUP BY.
func partSets(p plan.GroupPart, at func(plan.Expr) int) ([][]int, error) {
	ids := make([][]int, len(p.Sets))
	for i, set := range p.Sets {
		for _, e := range set {
			ids[i] = append(ids[i], at(e))
		}
	}
	var out [][]int
	switch p.Kind {
	case "rollup":
		for i := len(ids); i >= 0; i-- {
			set := []int{}
			for _, x := range ids[:i] {
				set = append(set, x...)
			}
			out = append(out, set)
		}
	case "cube":
		if len(ids) > 20 {
			return nil, aerr("GROUPING_SIZE_LIMIT_EXCEEDED", "maxSize", "64")
		}
		for mask := 0; mask < 1<<len(ids); mask++ {
			set := []int{}
			for i, x := range ids {
				if mask&(1<<i) == 0 {
					set = append(set, x...)
				}
			}
			out = append(out, set)
		}
	case "sets":
		for _, s := range ids {
			if s == nil {
				s = []int{}
			}
			out = append(out, s)
		}
		for _, k := range p.Nested {
			x, err := partSets(k, at)
			if err != nil {
				return nil, err
			}
			out = append(out, x...)
		}
	default:
		set := []int{}
		for _, x := range ids {
			set = append(set, x...)
		}
		out = append(out, set)
	}
	return out, nil
}

// expandSets puts an Expand under the aggregation: a row for each set, with
// nulls for the grouping columns that the set leaves out. keys are the columns to group by.
func (r *run) expandSets(gs *groupingSets, group []plan.Expr, base plan.Node) (plan.Node, []plan.Expr, error) {
	gs.group = group
	in := base.Output()
	var pre []plan.Expr
	for _, a := range in {
		pre = append(pre, a)
	}
	src := make([]plan.Expr, len(group))
	extra := false
	for i, g := range group {
		if a, ok := g.(*plan.Attr); ok {
			src[i] = a
			continue
		}
		al := &plan.Alias{Child: g, Names: []string{r.sql(g)}, ID: plan.NewID(), Auto: true}
		pre, extra = append(pre, al), true
		src[i] = plan.ToAttr(al)
	}
	if extra {
		base = &plan.Project{List: pre, Child: base}
	}
	keys := make([]plan.Expr, len(group))
	out := append([]*plan.Attr{}, in...)
	for i, g := range src {
		a := *g.(*plan.Attr)
		a.ID, a.Null = plan.NewID(), true
		keys[i] = &a
		out = append(out, &a)
		if _, ok := group[i].(*plan.Attr); !ok {
			r.note(&a, group[i])
		}
	}
	gs.keys = keys
	gs.gid = &plan.Attr{ID: plan.NewID(), Name: "spark_grouping_id", T: types.Int64Type}
	out = append(out, gs.gid)
	seen := map[string]int{}
	dup := false
	for _, s := range gs.sets {
		k := setKey(s, len(group))
		seen[k]++
		dup = dup || seen[k] > 1
	}
	if dup {
		gs.pos = &plan.Attr{ID: plan.NewID(), Name: "_gen_grouping_pos", T: types.Int32Type}
		out = append(out, gs.pos)
	}
	var rows [][]plan.Expr
	for p, s := range gs.sets {
		in1 := make([]bool, len(group))
		for _, i := range s {
			in1[i] = true
		}
		var row []plan.Expr
		for _, a := range in {
			row = append(row, a)
		}
		var id uint64
		for i := range group {
			id <<= 1
			if in1[i] {
				row = append(row, src[i])
			} else {
				id |= 1
				row = append(row, nullLit(src[i].Type()))
			}
		}
		row = append(row, longLit(int64(id)))
		if dup {
			row = append(row, intLit(int32(p)))
		}
		rows = append(rows, row)
	}
	return &plan.Expand{Projections: rows, Out: out, Child: base}, keys, nil
}

func setKey(s []int, n int) string {
	b := make([]byte, n)
	for _, i := range s {
		b[i] = 1
	}
	return string(b)
}

// groupingCall is grouping(col) and grouping_id(cols) over the column that numbers the sets.
func (r *run) groupingCall(c *plan.Call, gr *grouped) (plan.Expr, error) {
	gs := gr.sets
	gid := plan.Expr(gs.gid)
	if c.Name == "grouping_id" {
		if t := r.groupingIDType(); t != types.Int64Type {
			gid = &plan.Cast{At: c.At, Child: gid, To: t, Mode: plan.Legacy, Implicit: true}
		}
		ok := len(c.Args) == 0
		if len(c.Args) == len(gs.group) {
			ok = true
			for i, a := range c.Args {
				ok = ok && (exprKey(a) == exprKey(gs.group[i]) || exprKey(a) == exprKey(gs.keys[i]))
			}
		}
		if !ok {
			return nil, aerr("GROUPING_ID_COLUMN_MISMATCH", "groupingIdColumn", strings.Join(r.sqls(c.Args), ","), "groupByColumns", strings.Join(r.sqls(gs.group), ",")).At(c.Origin)
		}
		return r.note(&plan.Alias{Child: gid, Names: []string{"grouping_id"}, Auto: true}, c).(*plan.Alias).Child, nil
	}
	if len(c.Args) != 1 {
		return nil, r.wrongNumArgs(c, "1")
	}
	for i, g := range gs.group {
		if k := exprKey(c.Args[0]); exprKey(g) != k && exprKey(gs.keys[i]) != k {
			continue
		}
		shifted := gid
		if n := len(gs.group) - 1 - i; n > 0 {
			shifted = r.finish(&plan.Call{At: c.At, Name: "shiftright", Args: []plan.Expr{gid, intLit(int32(n))}}, types.Int64Type, false)
		}
		bit := r.finish(&plan.Call{At: c.At, Name: "&", Args: []plan.Expr{shifted, longLit(1)}}, types.Int64Type, false)
		return r.note(&plan.Cast{At: c.At, Child: bit, To: types.Int8Type, Mode: plan.Legacy, Implicit: true}, c), nil
	}
	return nil, aerr("GROUPING_COLUMN_MISMATCH", "grouping", r.sql(c.Args[0]), "groupingColumns", strings.Join(r.sqls(gs.group), ",")).At(c.Origin)
}

var _ = errs.ID
