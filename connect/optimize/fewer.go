package optimize

import (
	"math"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// fewerAggregates leaves out what follows from the rest of an aggregate: keys that are made
// of other keys, and sums that differ by a constant.
func fewerAggregates(n plan.Node) plan.Node {
	out, _ := plan.TransformUp(n, func(n plan.Node) (plan.Node, error) { // f has no error
		if a, ok := n.(*plan.Aggregate); ok && len(a.Sets) == 0 && !a.Live {
			return shiftedSums(withoutMadeKeys(a)), nil
		}
		return n, nil
	})
	return out
}

// withoutMadeKeys drops keys that are functions of other keys: these alone tell the groups
// apart, and the list computes the others once a group. A key that isn't in
// the list stays: it may fail, and would no longer be computed.
func withoutMadeKeys(a *plan.Aggregate) *plan.Aggregate {
	base, listed := idSet{}, map[string]bool{}
	for _, g := range a.Group {
		if at, ok := g.(*plan.Attr); ok && exactEquality(at.T) {
			base.add(at.ID)
		}
	}
	for _, e := range a.List {
		listed[key(unalias(e))] = true
	}
	var keep []plan.Expr
	for _, g := range a.Group {
		if _, ok := g.(*plan.Attr); ok || len(base) == 0 || !refs(g).within(base) || !listed[key(g)] ||
			!deterministic(g) || hasSubquery(g) || contains(g, func(e plan.Expr) bool { _, ok := e.(*plan.UDF); return ok }) {
			keep = append(keep, g)
		}
	}
	if len(keep) == len(a.Group) {
		return a
	}
	c := *a
	c.Group = keep
	return &c
}

// exactEquality reports whether equal values of t are the same to every function: 0.0 and -0.0
// are not, nor are texts that a collation takes for equal.
func exactEquality(t *types.Type) bool {
	switch t.Kind {
	case types.Bool, types.Date, types.Timestamp, types.TimestampNTZ, types.Decimal, types.Binary:
		return true
	case types.String:
		return t.Collation == ""
	}
	return t.IsIntegral()
}

// fewSums is up to how many sums of one expression plus different constants stay as they are.
const fewSums = 2

// shiftedSums writes sum(x + 1), sum(x + 2) and so on as sum(x) + 1 * count(x) and so on, where
// x is of a type by which neither can overflow.
func shiftedSums(a *plan.Aggregate) *plan.Aggregate {
	type shifted struct {
		call *plan.Call
		x    plan.Expr
		by   int64
	}
	found := map[string][]shifted{}
	for _, c := range aggregateCalls(a) {
		if x, by, ok := shift(c); ok {
			found[key(x)] = append(found[key(x)], shifted{c, x, by})
		}
	}
	m := map[string]plan.Expr{}
	for _, list := range found {
		if len(list) <= fewSums {
			continue
		}
		for _, s := range list {
			sum, count := *s.call, *s.call
			sum.Args, count.Args = []plan.Expr{s.x}, []plan.Expr{s.x}
			count.Name, count.T, count.Null = "count", types.Int64Type, false
			m[key(s.call)] = call("+", s.call.T, &sum, call("*", s.call.T, &count, &plan.Literal{T: types.Int64Type, Value: s.by}))
		}
	}
	if len(m) == 0 {
		return a
	}
	c := *a
	c.List = make([]plan.Expr, len(a.List))
	for i, e := range a.List {
		c.List[i] = sameName(swap(e, m), e)
	}
	return &c
}

// shift reports whether c is the sum of x plus or minus a constant, so small and of such
// types that neither the addition nor the sums can overflow.
func shift(c *plan.Call) (x plan.Expr, by int64, ok bool) {
	if c.Name != "sum" || c.Distinct || c.Filter != nil || c.T.Kind != types.Int64 || len(c.Args) != 1 {
		return nil, 0, false
	}
	add, ok := c.Args[0].(*plan.Call)
	if !ok || add.Name != "+" && add.Name != "-" || len(add.Args) != 2 || !add.T.IsIntegral() {
		return nil, 0, false
	}
	x, lit := add.Args[0], add.Args[1]
	if _, left := x.(*plan.Literal); left && add.Name == "+" {
		x, lit = lit, x
	}
	l, ok := lit.(*plan.Literal)
	if !ok {
		return nil, 0, false
	}
	if by, ok = asInt(l.Value); !ok || by < math.MinInt16 || by > math.MaxInt16 {
		return nil, 0, false
	}
	if add.Name == "-" {
		by = -by
	}
	from := x
	for {
		cast, ok := from.(*plan.Cast)
		if !ok || !cast.To.IsIntegral() || !cast.Child.Type().IsIntegral() || intBits(cast.Child.Type()) > intBits(cast.To) {
			break
		}
		from = cast.Child
	}
	return from, by, intBits(add.T) >= 32 && intBits(from.Type()) < intBits(add.T)
}

// intBits is how many bits an integer type has; 64 of others.
func intBits(t *types.Type) int {
	switch t.Kind {
	case types.Int8:
		return 8
	case types.Int16:
		return 16
	case types.Int32:
		return 32
	}
	return 64
}
