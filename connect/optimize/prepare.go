package optimize

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// prepare removes what only analysis needed (aliases, hints, WITH) and writes
// set operations, DISTINCT and grouping sets in terms of joins, aggregates and
// Expand, so that the rules after it know few kinds of nodes.

// cteDef is a common table expression, prepared.
type cteDef struct {
	plan   plan.Node
	shared bool // used more than once and not deterministic: evaluated once
}

// shared stands for a plan that must be evaluated once though it is used several times.
type shared struct {
	plan.Common
	ID   int64
	Plan plan.Node
	Out  []*plan.Attr
}

func (s *shared) Children() []plan.Node              { return nil }
func (s *shared) WithChildren([]plan.Node) plan.Node { return s }
func (s *shared) Exprs() []plan.Expr                 { return nil }
func (s *shared) WithExprs([]plan.Expr) plan.Node    { return s }
func (s *shared) Output() []*plan.Attr               { return s.Out }

func (o *optimizer) prepare(n plan.Node) (plan.Node, error) {
	switch x := n.(type) {
	case *plan.With:
		for _, c := range x.CTEs {
			p, err := o.prepare(c.Plan)
			if err != nil {
				return nil, err
			}
			d := &cteDef{plan: p}
			d.shared = !deterministicPlan(p) && countRefs(n, c.ID) > 1
			if d.shared {
				// Optimized once here; its uses only refer to it.
				if d.plan, err = (&optimizer{ctx: o.ctx, conf: o.conf, ctes: o.ctes, stats: o.stats}).optimize(p, p.Output()); err != nil {
					return nil, err
				}
			}
			o.ctes[c.ID] = d
		}
		return o.prepare(x.Child)
	case *plan.WithRelations:
		return o.prepare(x.Root)
	case *plan.CTERef:
		d, ok := o.ctes[x.ID]
		if !ok || x.Recursive {
			return x, nil
		}
		if d.shared {
			return &shared{Common: x.Common, ID: x.ID, Plan: d.plan, Out: x.Out}, nil
		}
		return aliasAs(d.plan, x.Out), nil
	case *plan.SubqueryAlias:
		return o.prepare(x.Child)
	case *plan.Hint:
		return o.prepareHint(x)
	case *plan.Join:
		x = joinHints(x)
		n = x
	}
	kids := n.Children()
	if len(kids) > 0 {
		fresh := make([]plan.Node, len(kids))
		for i, k := range kids {
			var err error
			if fresh[i], err = o.prepare(k); err != nil {
				return nil, err
			}
		}
		n = n.WithChildren(fresh)
	}
	if j, ok := n.(*plan.Join); ok {
		if l, r := produced(j.Left), produced(j.Right); l.meets(r) {
			// One view on both sides: their insides must differ, their outputs do already.
			c := *j
			c.Left, c.Right = aliasAs(j.Left, j.Left.Output()), aliasAs(j.Right, j.Right.Output())
			n = &c
		}
	}
	n, err := plan.TransformExprs(n, func(e plan.Expr) (plan.Expr, error) {
		s, ok := e.(*plan.Subquery)
		if !ok || s.Plan == nil {
			return e, nil
		}
		p, err := o.prepare(s.Plan)
		if err != nil {
			return nil, err
		}
		c := *s
		c.Plan = p
		return &c, nil
	})
	if err != nil {
		return nil, err
	}
	switch x := n.(type) {
	case *plan.Distinct:
		return o.prepareDistinct(x)
	case *plan.SetOperation:
		return prepareSetOp(x)
	case *plan.Aggregate:
		if x.Sets != nil {
			return expandSets(x)
		}
	}
	return n, nil
}

// aliasAs copies a plan so that its columns have the ids of out.
func aliasAs(n plan.Node, out []*plan.Attr) plan.Node {
	in := n.Output()
	to := map[plan.ExprID]plan.ExprID{}
	made := produced(n)
	for i, a := range in {
		_, twice := to[a.ID]
		if twice || !made.has(a.ID) {
			// One column twice: names alone can't tell them apart.
			n = freshen(n, nil)
			in = n.Output()
			list := make([]plan.Expr, len(in))
			for j, a := range in {
				list[j] = &plan.Alias{Child: a, Names: []string{out[j].Name}, ID: out[j].ID, Qualifier: out[j].Qualifier}
			}
			return &plan.Project{List: list, Child: n}
		}
		to[a.ID] = out[i].ID
	}
	return freshen(n, to)
}

func deterministicPlan(n plan.Node) bool {
	ok := true
	plan.WalkNodes(n, func(n plan.Node) bool {
		if s, is := n.(*plan.Sample); is && s.Seed == nil {
			ok = false
		}
		for _, e := range n.Exprs() {
			plan.Walk(e, func(e plan.Expr) bool {
				if random(e) {
					ok = false
				}
				if s, is := e.(*plan.Subquery); is && s.Plan != nil && !deterministicPlan(s.Plan) {
					ok = false
				}
				return ok
			})
		}
		return ok
	})
	return ok
}

// countRefs counts the uses of a common table expression below n.
func countRefs(n plan.Node, id int64) int {
	count := 0
	plan.WalkNodes(n, func(n plan.Node) bool {
		switch x := n.(type) {
		case *plan.CTERef:
			if x.ID == id {
				count++
			}
		case *plan.With:
			for _, c := range x.CTEs {
				count += countRefs(c.Plan, id)
			}
		}
		for _, e := range n.Exprs() {
			plan.Walk(e, func(e plan.Expr) bool {
				if s, ok := e.(*plan.Subquery); ok && s.Plan != nil {
					count += countRefs(s.Plan, id)
				}
				return true
			})
		}
		return true
	})
	return count
}

// --- hints

var joinHintNames = map[string]string{
	"broadcast": "broadcast", "broadcastjoin": "broadcast", "mapjoin": "broadcast",
	"shuffle_hash": "shuffle_hash", "merge": "merge", "shuffle_merge": "merge", "mergejoin": "merge",
	"shuffle_replicate_nl": "shuffle_replicate_nl",
}

func (o *optimizer) prepareHint(h *plan.Hint) (plan.Node, error) {
	name := strings.ToLower(h.Name)
	if kind, ok := joinHintNames[name]; ok && len(h.Args) > 0 {
		return o.prepare(hintRelations(h.Child, argNames(h.Args), kind))
	}
	child, err := o.prepare(h.Child)
	if err != nil {
		return nil, err
	}
	switch name {
	case "coalesce", "repartition", "rebalance":
		r := &plan.Repartition{Common: h.Common, Shuffle: name != "coalesce", Child: child}
		for _, a := range h.Args {
			switch x := a.(type) {
			case *plan.Literal:
				if v, ok := asInt(x.Value); ok {
					r.N = int(v)
				}
			case *plan.Attr:
				r.By = append(r.By, plan.SortOrder{Child: x})
			}
		}
		if r.N == 0 && len(r.By) == 0 {
			return child, nil // asks for what planning decides by itself
		}
		return r, nil
	}
	return child, nil // an unknown hint changes nothing, as in Spark
}

func argNames(args []plan.Expr) []string {
	var out []string
	for _, a := range args {
		switch x := a.(type) {
		case *plan.UnresolvedAttr:
			out = append(out, x.Parts[len(x.Parts)-1])
		case *plan.Attr:
			out = append(out, x.Name)
		case *plan.Literal:
			if s, ok := x.Value.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// hintRelations marks the joins whose side is one of the named relations.
func hintRelations(n plan.Node, names []string, kind string) plan.Node {
	out, _ := plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		j, ok := n.(*plan.Join)
		if !ok {
			return n, nil
		}
		c := *j
		if named := relationName(j.Left); named != "" && hasName(names, named) {
			c.LeftHint = kind
		}
		if named := relationName(j.Right); named != "" && hasName(names, named) {
			c.RightHint = kind
		}
		return &c, nil
	})
	return out
}

func hasName(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func relationName(n plan.Node) string {
	switch x := n.(type) {
	case *plan.SubqueryAlias:
		return x.Name
	case *plan.Relation:
		return x.Name
	case *plan.Filter:
		return relationName(x.Child)
	case *plan.Hint:
		return relationName(x.Child)
	}
	return ""
}

// joinHints takes df.hint("broadcast") on a side into the join.
func joinHints(j *plan.Join) *plan.Join {
	c := *j
	if k := sideHint(j.Left); k != "" && c.LeftHint == "" {
		c.LeftHint = k
	}
	if k := sideHint(j.Right); k != "" && c.RightHint == "" {
		c.RightHint = k
	}
	return &c
}

func sideHint(n plan.Node) string {
	switch x := n.(type) {
	case *plan.Hint:
		if k, ok := joinHintNames[strings.ToLower(x.Name)]; ok && len(x.Args) == 0 {
			return k
		}
		return sideHint(x.Child)
	case *plan.SubqueryAlias:
		return sideHint(x.Child)
	case *plan.Project:
		return sideHint(x.Child)
	case *plan.Filter:
		return sideHint(x.Child)
	}
	return ""
}

// --- DISTINCT and set operations

func (o *optimizer) prepareDistinct(d *plan.Distinct) (plan.Node, error) {
	if o.conf.Keys[streamKey] != "" && d.Live {
		return d, nil // stays: streaming plans it with state
	}
	if d.Within {
		return nil, errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_3102", "msg", "dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets").At(d.Origin)
	}
	out := d.Child.Output()
	if d.Keys == nil {
		return distinct(d.Child), nil
	}
	keys := idsOf(d.Keys)
	list := make([]plan.Expr, len(out))
	for i, a := range out {
		if keys.has(a.ID) {
			list[i] = a
			continue
		}
		list[i] = &plan.Alias{Child: firstOf(a), Names: []string{a.Name}, ID: a.ID, Qualifier: a.Qualifier, Metadata: a.Metadata}
	}
	return &plan.Aggregate{Common: d.Common, Group: asExprs(d.Keys), List: list, Child: d.Child}, nil
}

func firstOf(e plan.Expr) *plan.Call {
	return &plan.Call{Name: "first", Args: []plan.Expr{e}, T: e.Type(), Null: true, Kind: plan.FnAggregate}
}

// distinct keeps one of each row. Columns that appear twice count once.
func distinct(n plan.Node) plan.Node {
	out := n.Output()
	seen := idSet{}
	var group []plan.Expr
	for _, a := range out {
		if !seen.has(a.ID) {
			seen.add(a.ID)
			group = append(group, a)
		}
	}
	return &plan.Aggregate{Group: group, List: asExprs(out), Child: n}
}

func prepareSetOp(s *plan.SetOperation) (plan.Node, error) {
	if s.Op == plan.UnionOp {
		if s.Out == nil {
			return nil, errs.Internalf("union without output columns")
		}
		var inputs []plan.Node
		for _, in := range s.Inputs {
			// A union of unions is one, when the inner has no columns of its own meaning.
			if u, ok := in.(*plan.SetOperation); ok && u.Op == plan.UnionOp && u.All {
				inputs = append(inputs, u.Inputs...)
				continue
			}
			inputs = append(inputs, in)
		}
		c := *s
		c.Inputs, c.All = apart(inputs), true
		if !s.All {
			return distinct(&c), nil
		}
		return &c, nil
	}
	n := s.Inputs[0]
	for _, r := range s.Inputs[1:] {
		r = freshen(r, nil)
		kind := plan.LeftSemi
		if s.Op == plan.ExceptOp {
			kind = plan.LeftAnti
		}
		left, right := n, r
		lk, rk := asExprs(n.Output()), asExprs(r.Output())
		if s.All {
			// The i-th copy of a row on the left meets the i-th copy on the right.
			var la, ra *plan.Attr
			left, la = numbered(n)
			right, ra = numbered(r)
			lk, rk = append(lk, la), append(rk, ra)
		}
		conds := make([]plan.Expr, len(lk))
		for i := range lk {
			conds[i] = boolCall("<=>", lk[i], rk[i])
		}
		var j plan.Node = &plan.Join{Kind: kind, Cond: and(conds), Left: left, Right: right}
		if s.All {
			n = restore(j, n.Output())
		} else {
			n = distinct(j)
		}
	}
	if s.Out == nil {
		return n, nil
	}
	in := n.Output()
	list := make([]plan.Expr, len(in))
	for i, a := range in {
		if a.ID == s.Out[i].ID {
			list[i] = a
			continue
		}
		list[i] = &plan.Alias{Child: a, Names: []string{s.Out[i].Name}, ID: s.Out[i].ID}
	}
	return &plan.Project{List: list, Child: n}, nil
}

// apart gives fresh ids to inputs that share some with an earlier one.
func apart(inputs []plan.Node) []plan.Node {
	seen := idSet{}
	out := make([]plan.Node, len(inputs))
	for i, n := range inputs {
		ids := produced(n)
		if ids.meets(seen) {
			n = freshen(n, nil)
			ids = produced(n)
		}
		seen.union(ids)
		out[i] = n
	}
	return out
}

// numbered adds to each row which copy of that row it is, from 1.
func numbered(n plan.Node) (plan.Node, *plan.Attr) {
	keys := asExprs(n.Output())
	w, a := rowNumber(n, keys, []plan.SortOrder{{Child: keys[0]}})
	return w, a
}

// rowNumber adds row_number() over (partition by ... order by ...).
func rowNumber(n plan.Node, partition []plan.Expr, order []plan.SortOrder) (plan.Node, *plan.Attr) {
	if len(order) == 0 {
		order = []plan.SortOrder{{Child: &plan.Literal{T: types.Int32Type, Value: int32(1)}}}
	}
	f := &plan.Call{Name: "row_number", T: types.Int32Type, Kind: plan.FnWindow}
	w := &plan.Window{Func: f, Partition: partition, Order: order, Frame: &plan.Frame{
		Rows: true, Lower: plan.FrameEnd{Kind: plan.UnboundedPreceding}, Upper: plan.FrameEnd{Kind: plan.CurrentRow}}}
	al := newAlias("_rn", w)
	return &plan.WindowNode{List: []plan.Expr{al}, Partition: partition, Order: order, Child: n}, plan.ToAttr(al)
}

// --- grouping sets

// expandSets writes GROUPING SETS as one row per set (Expand) and a plain
// aggregate over the keys and the set's number.
func expandSets(a *plan.Aggregate) (plan.Node, error) {
	in := a.Child.Output()
	if len(a.Group) > 63 {
		return nil, errs.NotSupported("more than 63 grouping columns")
	}
	out := append([]*plan.Attr{}, in...)
	keys := make([]*plan.Attr, len(a.Group))
	for i, g := range a.Group {
		name := "key" + string(rune('0'+i%10))
		if at := plan.ToAttr(g); at != nil {
			name = at.Name
		}
		keys[i] = &plan.Attr{ID: plan.NewID(), Name: name, T: g.Type(), Null: true}
	}
	gid := &plan.Attr{ID: plan.NewID(), Name: "spark_grouping_id", T: types.Int64Type}
	out = append(append(out, keys...), gid)
	// Two equal sets must stay two groups: a running number tells them apart.
	seen := map[int64]int{}
	twice := false
	var pos *plan.Attr
	for _, s := range a.Sets {
		if seen[setID(s, len(a.Group))]++; seen[setID(s, len(a.Group))] > 1 {
			twice = true
		}
	}
	if twice {
		pos = &plan.Attr{ID: plan.NewID(), Name: "_gen_grouping_pos", T: types.Int64Type}
		out = append(out, pos)
	}
	var rows [][]plan.Expr
	for i, s := range a.Sets {
		in := map[int]bool{}
		for _, k := range s {
			in[k] = true
		}
		row := asExprs(a.Child.Output())
		for k, g := range a.Group {
			if in[k] {
				row = append(row, unalias(g))
			} else {
				row = append(row, nullLit(g.Type()))
			}
		}
		row = append(row, &plan.Literal{T: types.Int64Type, Value: setID(s, len(a.Group))})
		if pos != nil {
			row = append(row, &plan.Literal{T: types.Int64Type, Value: int64(i)})
		}
		rows = append(rows, row)
	}
	ex := &plan.Expand{Projections: rows, Out: out, Child: a.Child}
	group := append(asExprs(keys), gid)
	if pos != nil {
		group = append(group, pos)
	}
	byKey := map[string]*plan.Attr{}
	at := map[string]int{}
	for i, g := range a.Group {
		byKey[key(g)] = keys[i]
		at[key(g)] = i
	}
	list := make([]plan.Expr, len(a.List))
	for i, e := range a.List {
		r, err := groupingRefs(e, byKey, at, keys, gid)
		if err != nil {
			return nil, err
		}
		if _, ok := r.(*plan.Alias); !ok || plan.ToAttr(r).ID != plan.ToAttr(e).ID {
			w := plan.ToAttr(e)
			r = &plan.Alias{Child: r, Names: []string{w.Name}, ID: w.ID, Qualifier: w.Qualifier}
		}
		list[i] = r
	}
	return &plan.Aggregate{Common: a.Common, Group: group, List: list, Child: ex}, nil
}

func setID(set []int, n int) int64 {
	id := int64(1)<<n - 1
	for _, k := range set {
		id &^= 1 << (n - 1 - k)
	}
	return id
}

func unalias(e plan.Expr) plan.Expr {
	if a, ok := e.(*plan.Alias); ok {
		return a.Child
	}
	return e
}

// groupingRefs puts the expanded keys in the place of the grouping expressions,
// outside aggregate calls, and computes grouping() and grouping_id().
func groupingRefs(e plan.Expr, byKey map[string]*plan.Attr, at map[string]int, keys []*plan.Attr, gid *plan.Attr) (plan.Expr, error) {
	if a, ok := e.(*plan.Alias); ok {
		c, err := groupingRefs(a.Child, byKey, at, keys, gid)
		if err != nil {
			return nil, err
		}
		return a.WithChildren([]plan.Expr{c}), nil
	}
	if k, ok := byKey[key(e)]; ok {
		return k, nil
	}
	if c, ok := e.(*plan.Call); ok {
		switch c.Name {
		case "grouping":
			if len(c.Args) == 1 {
				i, ok := at[key(c.Args[0])]
				if !ok {
					return nil, errs.Internalf("grouping() of an expression that is no key")
				}
				sh := &plan.Literal{T: types.Int32Type, Value: int32(len(keys) - 1 - i)}
				one := &plan.Literal{T: types.Int64Type, Value: int64(1)}
				bit := call("&", types.Int64Type, call("shiftright", types.Int64Type, gid, sh), one)
				return &plan.Cast{Child: bit, To: c.T, Mode: plan.Legacy}, nil
			}
		case "grouping_id":
			if len(c.Args) == 0 || sameKeys(c.Args, at) {
				if types.SameType(c.T, types.Int64Type) {
					return gid, nil
				}
				return &plan.Cast{Child: gid, To: c.T, Mode: plan.Legacy}, nil
			}
			var sum plan.Expr
			for j, a := range c.Args {
				i, ok := at[key(a)]
				if !ok {
					return nil, errs.Internalf("grouping_id() of an expression that is no key")
				}
				sh := &plan.Literal{T: types.Int32Type, Value: int32(len(keys) - 1 - i)}
				up := &plan.Literal{T: types.Int32Type, Value: int32(len(c.Args) - 1 - j)}
				one := &plan.Literal{T: types.Int64Type, Value: int64(1)}
				var bit plan.Expr = call("&", types.Int64Type, call("shiftright", types.Int64Type, gid, sh), one)
				bit = call("shiftleft", types.Int64Type, bit, up)
				if sum == nil {
					sum = bit
				} else {
					sum = call("|", types.Int64Type, sum, bit)
				}
			}
			return sum, nil
		}
	}
	if isAggregate(e) {
		return e, nil
	}
	kids := e.Children()
	if len(kids) == 0 {
		return e, nil
	}
	fresh := make([]plan.Expr, len(kids))
	for i, k := range kids {
		var err error
		if fresh[i], err = groupingRefs(k, byKey, at, keys, gid); err != nil {
			return nil, err
		}
	}
	return e.WithChildren(fresh), nil
}

func sameKeys(args []plan.Expr, at map[string]int) bool {
	if len(args) != len(at) {
		return false
	}
	for i, a := range args {
		if j, ok := at[key(a)]; !ok || i != j {
			return false
		}
	}
	return true
}

// asInt reads an integer literal's value of any width.
func asInt(v any) (int64, bool) {
	switch x := v.(type) {
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	}
	return 0, false
}

// streamKey marks the configuration of a streaming micro-batch's planning.
const streamKey = "neptune.internal.streaming"
