package optimize

import (
	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// distinctAggregates writes aggregates over DISTINCT arguments as two plain
// ones: the lower groups by the keys and the arguments, the upper counts what
// came once. Plain calls beside them go through both where the values of parts give
// those of the whole. Else, and with several sets of arguments, each runs over a
// copy of the rows of its own (Expand), told apart by a number.
func (o *optimizer) distinctAggregates(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		a, ok := n.(*plan.Aggregate)
		if !ok {
			return n, nil
		}
		r := rewriteDistinct(a)
		if up, ok := r.(*plan.Aggregate); a.Live && ok && up.Child != a.Child {
			return nil, errs.NotSupported("DISTINCT aggregates over a stream").At(a.Origin)
		}
		return r, nil
	})
}

type distinctCall struct {
	call *plan.Call
	set  int
}

// aggregateCalls are the aggregate functions that an aggregate's list has, each once.
func aggregateCalls(a *plan.Aggregate) (calls []*plan.Call) {
	seen := map[string]bool{}
	for _, e := range a.List {
		plan.Walk(e, func(e plan.Expr) bool {
			c, ok := e.(*plan.Call)
			if !ok || c.Kind != plan.FnAggregate {
				return true
			}
			if k := key(c); !seen[k] {
				seen[k] = true
				calls = append(calls, c)
			}
			return false
		})
	}
	return calls
}

func rewriteDistinct(a *plan.Aggregate) plan.Node {
	sets := map[string]int{}
	var args [][]plan.Expr
	var filters []plan.Expr
	repl := map[string]plan.Expr{}
	var dist []distinctCall
	var plainCalls []*plan.Call
	for _, c := range aggregateCalls(a) {
		if !c.Distinct {
			plainCalls = append(plainCalls, c)
			continue
		}
		if d := fn.Lookup(c.Name); (d != nil && d.Agg != nil && d.Agg.IgnoresDistinct) || c.Name == "min" || c.Name == "max" {
			p := *c
			p.Distinct = false
			repl[key(c)] = &p
			plainCalls = append(plainCalls, &p)
			continue
		}
		k := ""
		for _, x := range distinctArgs(c) {
			k += key(x) + ","
		}
		k += "?" + key(c.Filter)
		i, ok := sets[k]
		if !ok {
			i = len(args)
			sets[k] = i
			args = append(args, distinctArgs(c))
			filters = append(filters, c.Filter)
		}
		dist = append(dist, distinctCall{c, i})
	}
	if len(dist) == 0 {
		if len(repl) == 0 {
			return a
		}
		return withCalls(a, repl)
	}
	if len(args) == 1 && regroupable(plainCalls) {
		return oneDistinct(a, dist, args[0], filters[0], plainCalls, repl)
	}
	return manyDistinct(a, dist, args, filters, plainCalls, repl)
}

// distinctArgs are the arguments that vary; constants stay in the call.
func distinctArgs(c *plan.Call) []plan.Expr {
	var out []plan.Expr
	for _, x := range c.Args {
		if _, ok := x.(*plan.Literal); !ok {
			out = append(out, x)
		}
	}
	// The analyzer lets a call be ordered only by what tells the same rows apart as its arguments do.
	for _, s := range c.Order {
		if _, ok := s.Child.(*plan.Literal); !ok && !containsKey(out, s.Child) {
			out = append(out, s.Child)
		}
	}
	if len(out) == 0 {
		return c.Args
	}
	return out
}

func containsKey(list []plan.Expr, e plan.Expr) bool {
	for _, x := range list {
		if key(x) == key(e) {
			return true
		}
	}
	return false
}

func withCalls(a *plan.Aggregate, repl map[string]plan.Expr) *plan.Aggregate {
	c := *a
	c.List = make([]plan.Expr, len(a.List))
	for i, e := range a.List {
		c.List[i] = swap(e, repl)
	}
	return &c
}

// swap replaces sub-expressions by key, top-down.
func swap(e plan.Expr, m map[string]plan.Expr) plan.Expr {
	if al, ok := e.(*plan.Alias); ok {
		return al.WithChildren([]plan.Expr{swap(al.Child, m)})
	}
	if r, ok := m[key(e)]; ok {
		return r
	}
	return plan.MapChildren(e, func(k plan.Expr) plan.Expr { return swap(k, m) })
}

// keyColumn is the column that stands for an expression above a lower aggregate.
func keyColumn(e plan.Expr, name string) (item plan.Expr, at *plan.Attr) {
	if x, ok := e.(*plan.Attr); ok {
		return x, x
	}
	al := newAlias(name, e)
	return al, plan.ToAttr(al)
}

// over replaces the arguments of a distinct call by columns.
func over(c *plan.Call, cols map[string]plan.Expr, filter plan.Expr) *plan.Call {
	n := *c
	n.Distinct, n.Filter = false, filter
	n.Args = make([]plan.Expr, len(c.Args))
	for i, x := range c.Args {
		n.Args[i] = x
		if at, ok := cols[key(x)]; ok {
			n.Args[i] = at
		}
	}
	n.Order = append([]plan.SortOrder(nil), c.Order...)
	for i, s := range n.Order {
		if at, ok := cols[key(s.Child)]; ok {
			n.Order[i].Child = at
		}
	}
	return &n
}

// regroupable reports whether the calls' values for groups are made of those for parts of the
// groups. Sums of floats would be added in another order.
func regroupable(calls []*plan.Call) bool {
	for _, c := range calls {
		switch c.Name {
		case "count", "min", "max":
		case "sum":
			if t := c.Args[0].Type(); !t.IsIntegral() && t.Kind != types.Decimal {
				return false
			}
		case "avg":
			if !c.Args[0].Type().IsIntegral() {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// regroup makes a regroupable call of the values that lower's columns have for parts of the groups.
func regroup(c *plan.Call, lower func(*plan.Call) *plan.Attr) plan.Expr {
	again := func(name string, at *plan.Attr) *plan.Call {
		return &plan.Call{At: c.At, Name: name, Args: []plan.Expr{at}, T: at.T, Null: true, Kind: plan.FnAggregate, Mode: c.Mode}
	}
	switch c.Name {
	case "count":
		sum := again("sum", lower(c))
		return call("coalesce", c.T, sum, &plan.Literal{T: c.T, Value: int64(0)})
	case "avg":
		sum, count := *c, *c
		sum.Name, sum.T, sum.Null = "sum", c.T, true
		sum.Args = []plan.Expr{&plan.Cast{Child: c.Args[0], To: c.T, Implicit: true}}
		count.Name, count.T, count.Null = "count", types.Int64Type, false
		n := &plan.Cast{Child: again("sum", lower(&count)), To: c.T, Implicit: true}
		return nullable(call("try_divide", c.T, again("sum", lower(&sum)), n))
	}
	return again(c.Name, lower(c))
}

func nullable(c *plan.Call) *plan.Call {
	c.Null = true
	return c
}

func oneDistinct(a *plan.Aggregate, dist []distinctCall, args []plan.Expr, cond plan.Expr, plainCalls []*plan.Call, repl map[string]plan.Expr) plan.Node {
	lower := &plan.Aggregate{Common: a.Common, Child: a.Child}
	upper := &plan.Aggregate{Common: a.Common}
	m := map[string]plan.Expr{}
	have := map[string]*plan.Attr{}
	add := func(e plan.Expr, name string) *plan.Attr {
		k := key(e)
		if at, ok := have[k]; ok {
			return at
		}
		item, at := keyColumn(e, name)
		lower.Group = append(lower.Group, unalias(item))
		lower.List = append(lower.List, item)
		have[k] = at
		return at
	}
	for _, g := range a.Group {
		at := add(g, "key")
		upper.Group = append(upper.Group, at)
		m[key(g)] = at
	}
	cols := map[string]plan.Expr{}
	for _, x := range args {
		cols[key(x)] = add(x, "arg")
	}
	var f plan.Expr
	if cond != nil {
		f = add(cond, "cond")
	}
	for _, d := range dist {
		m[key(d.call)] = over(d.call, cols, f)
	}
	for _, c := range plainCalls {
		m[key(c)] = regroup(c, func(part *plan.Call) *plan.Attr {
			if at, ok := have[key(part)]; ok {
				return at
			}
			al := newAlias(part.Name, part)
			lower.List = append(lower.List, al)
			have[key(part)] = plan.ToAttr(al)
			return have[key(part)]
		})
	}
	for k, e := range repl {
		m[k] = m[key(e)]
	}
	upper.Child = lower
	for _, e := range a.List {
		upper.List = append(upper.List, sameName(swap(e, m), e))
	}
	return upper
}

// sameName gives a rewritten list item the column of the old one.
func sameName(e, old plan.Expr) plan.Expr {
	w := plan.ToAttr(old)
	if at := plan.ToAttr(e); at != nil && at.ID == w.ID {
		return e
	}
	return &plan.Alias{Child: unalias(e), Names: []string{w.Name}, ID: w.ID, Qualifier: w.Qualifier, Metadata: w.Metadata}
}

func manyDistinct(a *plan.Aggregate, dist []distinctCall, args [][]plan.Expr, filters []plan.Expr, plainCalls []*plan.Call, repl map[string]plan.Expr) plan.Node {
	ex := &plan.Expand{Child: a.Child}
	sets := len(args)
	rows := make([][]plan.Expr, 0, sets+1)
	if len(plainCalls) > 0 {
		rows = append(rows, nil)
	}
	first := len(rows)
	for range args {
		rows = append(rows, nil)
	}
	// column adds a column that has e's value in the given rows and null in the others (-1: all).
	column := func(e plan.Expr, name string, row int) *plan.Attr {
		at := &plan.Attr{ID: plan.NewID(), Name: name, T: e.Type(), Null: row >= 0 || e.Nullable()}
		ex.Out = append(ex.Out, at)
		for i := range rows {
			if row < 0 || row == i {
				rows[i] = append(rows[i], e)
			} else {
				rows[i] = append(rows[i], nullLit(e.Type()))
			}
		}
		return at
	}
	m := map[string]plan.Expr{}
	lower := &plan.Aggregate{Common: a.Common, Child: ex}
	upper := &plan.Aggregate{Common: a.Common, Child: lower}
	for _, g := range a.Group {
		at := column(g, "key", -1)
		m[key(g)] = at
		lower.Group = append(lower.Group, at)
		lower.List = append(lower.List, at)
		upper.Group = append(upper.Group, at)
	}
	cols := make([]map[string]plan.Expr, sets)
	conds := make([]plan.Expr, sets)
	for i := range args {
		cols[i] = map[string]plan.Expr{}
		for _, x := range args[i] {
			at := column(x, "arg", first+i)
			cols[i][key(x)] = at
			lower.Group = append(lower.Group, at)
			lower.List = append(lower.List, at)
		}
		if filters[i] != nil {
			at := column(filters[i], "cond", first+i)
			conds[i] = at
			lower.Group = append(lower.Group, at)
			lower.List = append(lower.List, at)
		}
	}
	gid := &plan.Attr{ID: plan.NewID(), Name: "gid", T: types.Int32Type}
	// Plain calls: their arguments too are columns, set in the first row only.
	plainCols := map[string]plan.Expr{}
	rewritten := make([]*plan.Call, len(plainCalls))
	for i, c := range plainCalls {
		n := *c
		kids := c.Children()
		fresh := make([]plan.Expr, len(kids))
		for j, x := range kids {
			if _, lit := x.(*plan.Literal); lit {
				fresh[j] = x
				continue
			}
			at, ok := plainCols[key(x)]
			if !ok {
				at = column(x, "arg", 0)
				plainCols[key(x)] = at
			}
			fresh[j] = at
		}
		rewritten[i] = n.WithChildren(fresh).(*plan.Call)
	}
	ex.Out = append(ex.Out, gid)
	for i := range rows {
		rows[i] = append(rows[i], &plan.Literal{T: types.Int32Type, Value: int32(i)})
	}
	ex.Projections = rows
	lower.Group = append(lower.Group, gid)
	lower.List = append(lower.List, gid)
	isRow := func(i int) plan.Expr {
		return boolCall("=", gid, &plan.Literal{T: types.Int32Type, Value: int32(i)})
	}
	for i, c := range rewritten {
		// One group of the lower aggregate holds all plain rows of a key.
		al := newAlias(c.Name, c)
		at := plan.ToAttr(al)
		at.Null = true
		lower.List = append(lower.List, al)
		f := firstOf(at)
		f.Filter = isRow(0)
		var e plan.Expr = f
		if empty := emptyValue(c); !isNull(empty) {
			e = call("coalesce", c.T, f, empty)
		}
		m[key(plainCalls[i])] = e
	}
	for _, d := range dist {
		f := isRow(first + d.set)
		if conds[d.set] != nil {
			f = boolCall("and", f, conds[d.set])
		}
		m[key(d.call)] = over(d.call, cols[d.set], f)
	}
	for k, e := range repl {
		m[k] = m[key(e)]
	}
	for _, e := range a.List {
		upper.List = append(upper.List, sameName(swap(e, m), e))
	}
	return upper
}
