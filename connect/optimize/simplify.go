package optimize

import (
	"slices"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Expression rules. All keep the value for every row; an expression that may
// raise an error is never evaluated in more cases than before.

// simplify rewrites the expressions of all nodes.
func (o *optimizer) simplify(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		if len(n.Exprs()) == 0 {
			return n, nil
		}
		s := &simplifier{conf: o.conf, never: idSet{}}
		for _, k := range n.Children() {
			for _, a := range k.Output() {
				if !a.Null {
					s.never.add(a.ID)
				}
			}
		}
		if a, ok := n.(*plan.Aggregate); ok {
			return s.aggregate(a)
		}
		out, err := plan.TransformExprs(n, s.one)
		if err != nil {
			return nil, err
		}
		if f, ok := out.(*plan.Filter); ok {
			c := *f
			c.Cond = and(dedupe(split(s.condition(pushNot(f.Cond)))))
			if c.Cond == nil {
				return f.Child, nil
			}
			return &c, nil
		}
		if j, ok := out.(*plan.Join); ok && j.Cond != nil {
			c := *j
			c.Cond = and(dedupe(split(pushNot(j.Cond))))
			return &c, nil
		}
		return out, nil
	})
}

type simplifier struct {
	conf  Conf
	never idSet // columns that are never null
}

// aggregate simplifies inside, leaving group keys recognisable in the list.
func (s *simplifier) aggregate(a *plan.Aggregate) (plan.Node, error) {
	c := *a
	keys := map[string]plan.Expr{}
	c.Group = make([]plan.Expr, len(a.Group))
	for i, g := range a.Group {
		e, err := plan.Transform(g, s.one)
		if err != nil {
			return nil, err
		}
		if _, lit := e.(*plan.Literal); lit {
			e = g // a constant key stays as it is written in the list
		}
		c.Group[i] = e
		keys[key(g)] = e
	}
	var walk func(e plan.Expr) (plan.Expr, error)
	walk = func(e plan.Expr) (plan.Expr, error) {
		if al, ok := e.(*plan.Alias); ok {
			k, err := walk(al.Child)
			if err != nil || k == al.Child {
				return al, err
			}
			return al.WithChildren([]plan.Expr{k}), nil
		}
		if g, ok := keys[key(e)]; ok {
			if key(g) == key(e) {
				return e, nil
			}
			return g, nil
		}
		if isAggregate(e) {
			return plan.Transform(e, s.one)
		}
		kids := e.Children()
		if len(kids) == 0 {
			return s.one(e)
		}
		fresh := make([]plan.Expr, len(kids))
		for i, k := range kids {
			var err error
			if fresh[i], err = walk(k); err != nil {
				return nil, err
			}
		}
		return s.one(e.WithChildren(fresh))
	}
	c.List = make([]plan.Expr, len(a.List))
	for i, e := range a.List {
		var err error
		if c.List[i], err = walk(e); err != nil {
			return nil, err
		}
		if at, ok := e.(*plan.Attr); ok {
			if n, ok := c.List[i].(*plan.Attr); !ok || n.ID != at.ID {
				c.List[i] = e
			}
		}
	}
	return &c, nil
}

// one simplifies an expression whose children are simple already.
func (s *simplifier) one(e plan.Expr) (plan.Expr, error) {
	switch x := e.(type) {
	case *plan.Literal, *plan.Attr, *plan.Alias, *plan.Subquery:
		return e, nil
	case *plan.Cast:
		if types.Equal(x.Child.Type(), x.To) {
			return x.Child, nil
		}
	case *plan.Case:
		return s.caseWhen(x), nil
	}
	if l := s.foldConst(e); l != nil {
		return l, nil
	}
	e = propagateNull(e)
	if g, ok := e.(*plan.GetField); ok {
		return field(g), nil
	}
	c, ok := e.(*plan.Call)
	if !ok {
		return e, nil
	}
	if c.Kind == plan.FnAggregate {
		return countAll(c), nil
	}
	switch c.Name {
	case "and", "or":
		return s.logic(c), nil
	case "not":
		return pushNot(c), nil
	case "isnull", "isnotnull":
		return s.nullTest(c), nil
	case "=", "<=>", "<", "<=", ">", ">=":
		return s.comparison(c), nil
	case "in":
		return s.inList(c), nil
	case "between":
		if len(c.Args) == 3 && (cheap(c.Args[0]) || cheapCast(c.Args[0])) {
			return s.logic(boolCall("and", s.must(boolCall(">=", c.Args[0], c.Args[1])), s.must(boolCall("<=", c.Args[0], c.Args[2])))), nil
		}
	case "like":
		return likeRule(c), nil
	case "coalesce":
		return s.coalesce(c), nil
	}
	return s.extraction(c)
}

func (s *simplifier) must(c *plan.Call) plan.Expr {
	e, err := s.one(c)
	if err != nil {
		return c
	}
	return e
}

func cheapCast(e plan.Expr) bool {
	c, ok := e.(*plan.Cast)
	return ok && cheap(c.Child)
}

// foldConst computes an expression without columns; nil where that isn't possible.
func (s *simplifier) foldConst(e plan.Expr) *plan.Literal {
	if s.conf.Fold == nil || e.Type() == nil {
		return nil
	}
	switch x := e.(type) {
	case *plan.Call:
		if x.Kind != plan.FnScalar || random(x) || len(x.Args) == 0 {
			return nil
		}
	case *plan.Cast, *plan.GetField:
	default:
		return nil
	}
	for _, k := range e.Children() {
		if _, ok := k.(*plan.Literal); !ok {
			return nil
		}
	}
	l, err := s.conf.Fold(e)
	if err != nil || l == nil {
		return nil
	}
	if !types.Equal(l.T, e.Type()) {
		c := *l
		c.T = e.Type()
		l = &c
	}
	return l
}

// propagateNull makes null of a null-strict call with a null argument.
func propagateNull(e plan.Expr) plan.Expr {
	switch x := e.(type) {
	case *plan.Cast:
		if isNull(x.Child) {
			return nullLit(x.To)
		}
	case *plan.GetField:
		if isNull(x.Child) {
			return nullLit(x.Type())
		}
	case *plan.Call:
		if x.Kind != plan.FnScalar || !strict(x.Name) {
			return e
		}
		for _, a := range x.Args {
			if isNull(a) {
				return nullLit(x.T)
			}
		}
	}
	return e
}

// strict functions give null whenever an argument is null.
func strict(name string) bool {
	switch name {
	case "=", "<", "<=", ">", ">=", "not", "+", "-", "*", "/", "%", "div", "negative", "positive", "like":
		return true
	case "and", "or", "<=>", "in", "isnull", "isnotnull", "coalesce", "between":
		return false
	}
	if d := fn.Lookup(name); d != nil {
		return d.Kind != plan.FnAggregate && (d.Nulls == fn.NullIn || d.Nulls == fn.NullMaybe)
	}
	return false
}

// --- logic

// logic simplifies AND and OR: constants, repetition, absorption, and what all
// branches of an OR have in common, (a and b) or (a and c) = a and (b or c).
func (s *simplifier) logic(c *plan.Call) plan.Expr {
	absorbing, neutral := plan.Expr(falseLit), plan.Expr(trueLit)
	is, isNot := isFalse, isTrue
	if c.Name == "or" {
		absorbing, neutral = neutral, absorbing
		is, isNot = isTrue, isFalse
	}
	parts := splitBy(c, c.Name, nil)
	seen := map[string]bool{}
	var keep []plan.Expr
	for _, p := range parts {
		if is(p) {
			return absorbing
		}
		if k := key(p); !isNot(p) && !seen[k] {
			seen[k] = true
			keep = append(keep, p)
		}
	}
	if len(keep) == 0 {
		return neutral
	}
	if len(keep) == 1 {
		return keep[0]
	}
	if c.Name == "or" {
		if common, rest := commonConjuncts(keep); len(common) > 0 {
			if rest == nil {
				return and(common)
			}
			return and(append(common, rest))
		}
		keep = equalsToIn(keep)
	}
	return fold2(c.Name, keep)
}

// commonConjuncts takes what every disjunct demands out of an OR. rest is what
// remains, nil when that is true.
func commonConjuncts(disjuncts []plan.Expr) (common []plan.Expr, rest plan.Expr) {
	count := map[string]int{}
	lists := make([][]plan.Expr, len(disjuncts))
	for i, d := range disjuncts {
		lists[i] = dedupe(split(d))
		for _, e := range lists[i] {
			count[key(e)]++
		}
	}
	shared := map[string]bool{}
	for _, e := range lists[0] {
		if k := key(e); count[k] == len(disjuncts) && deterministic(e) {
			shared[k] = true
			common = append(common, e)
		}
	}
	if len(common) == 0 {
		return nil, nil
	}
	var ors []plan.Expr
	for _, l := range lists {
		var left []plan.Expr
		for _, e := range l {
			if !shared[key(e)] {
				left = append(left, e)
			}
		}
		if len(left) == 0 {
			return common, nil
		}
		ors = append(ors, and(left))
	}
	return common, fold2("or", ors)
}

// equalsToIn joins x = 1 or x = 2 or x in (3, 4) into one IN.
func equalsToIn(parts []plan.Expr) []plan.Expr {
	type group struct {
		x    plan.Expr
		vals []plan.Expr
		at   int
		n    int
	}
	groups := map[string]*group{}
	out := make([]plan.Expr, 0, len(parts))
	for _, p := range parts {
		c, ok := p.(*plan.Call)
		var x plan.Expr
		var vals []plan.Expr
		if ok && c.Name == "=" && isConst(c.Args[1]) && !isConst(c.Args[0]) {
			x, vals = c.Args[0], c.Args[1:]
		} else if ok && c.Name == "in" && allConst(c.Args[1:]) {
			x, vals = c.Args[0], c.Args[1:]
		}
		if x == nil || !deterministic(x) {
			out = append(out, p)
			continue
		}
		k := key(x)
		g := groups[k]
		if g == nil {
			g = &group{x: x, at: len(out)}
			groups[k] = g
			out = append(out, p)
		}
		g.n++
		g.vals = append(g.vals, vals...)
	}
	for _, g := range groups {
		if g.n > 1 {
			out[g.at] = boolCall("in", append([]plan.Expr{g.x}, dedupeExprs(g.vals)...)...)
		}
	}
	return out
}

func isConst(e plan.Expr) bool {
	l, ok := e.(*plan.Literal)
	return ok && l.Value != nil
}

func allConst(list []plan.Expr) bool {
	for _, e := range list {
		if !isConst(e) {
			return false
		}
	}
	return true
}

func dedupeExprs(list []plan.Expr) []plan.Expr {
	seen := map[string]bool{}
	var out []plan.Expr
	for _, e := range list {
		if k := key(e); !seen[k] {
			seen[k] = true
			out = append(out, e)
		}
	}
	return out
}

var negations = map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<", "isnull": "isnotnull", "isnotnull": "isnull"}

// pushNot moves negation down to where it vanishes or stops.
func pushNot(e plan.Expr) plan.Expr {
	c, ok := e.(*plan.Call)
	if !ok {
		return e
	}
	switch c.Name {
	case "and", "or":
		changed := false
		fresh := make([]plan.Expr, len(c.Args))
		for i, a := range c.Args {
			fresh[i] = pushNot(a)
			changed = changed || fresh[i] != a
		}
		if !changed {
			return c
		}
		return c.WithChildren(fresh)
	case "not":
	default:
		return e
	}
	in := c.Args[0]
	if l, ok := in.(*plan.Literal); ok {
		if v, ok := l.Value.(bool); ok {
			if v {
				return falseLit
			}
			return trueLit
		}
		return nullLit(types.BoolType)
	}
	x, ok := in.(*plan.Call)
	if !ok {
		return e
	}
	switch x.Name {
	case "not":
		return pushNot(x.Args[0])
	case "and", "or":
		op := "or"
		if x.Name == "or" {
			op = "and"
		}
		fresh := make([]plan.Expr, len(x.Args))
		for i, a := range x.Args {
			fresh[i] = pushNot(not(a))
		}
		return fold2(op, fresh)
	}
	if op, ok := negations[x.Name]; ok && (len(x.Args) == 1 || !isFloat(x.Args[0].Type())) {
		n := boolCall(op, x.Args...)
		n.At = x.At
		return n
	}
	return e
}

// isFloat: NaN needs no care (it compares as greatest, totally ordered), but
// nested types may hold anything; keep negations of plain comparisons only.
func isFloat(t *types.Type) bool { return t == nil || t.IsNested() }

// condition simplifies where null counts as false: WHERE, HAVING.
func (s *simplifier) condition(e plan.Expr) plan.Expr {
	if isNull(e) {
		return falseLit
	}
	if c, ok := e.(*plan.Call); ok && (c.Name == "and" || c.Name == "or") {
		fresh := make([]plan.Expr, len(c.Args))
		changed := false
		for i, a := range c.Args {
			fresh[i] = s.condition(a)
			changed = changed || fresh[i] != a
		}
		if changed {
			return s.logic(c.WithChildren(fresh).(*plan.Call))
		}
	}
	return e
}

func (s *simplifier) nonNull(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Attr:
		return s.never.has(x.ID)
	case *plan.Literal:
		return x.Value != nil
	}
	// An expression's own word for it may be stale when a column below it is.
	if e.Nullable() {
		return false
	}
	ok := true
	plan.Walk(e, func(k plan.Expr) bool {
		if a, is := k.(*plan.Attr); is && !s.never.has(a.ID) {
			ok = false
		}
		return ok
	})
	return ok
}

func (s *simplifier) nullTest(c *plan.Call) plan.Expr {
	a := c.Args[0]
	if l, ok := a.(*plan.Literal); ok {
		if (l.Value == nil) == (c.Name == "isnull") {
			return trueLit
		}
		return falseLit
	}
	if deterministic(a) && (whole(a) || s.nonNull(a) && cheap(a)) {
		if c.Name == "isnull" {
			return falseLit
		}
		return trueLit
	}
	return c
}

func (s *simplifier) coalesce(c *plan.Call) plan.Expr {
	var keep []plan.Expr
	for _, a := range c.Args {
		if isNull(a) {
			continue
		}
		keep = append(keep, a)
		if s.nonNull(a) {
			break
		}
	}
	switch {
	case len(keep) == 0:
		return nullLit(c.T)
	case len(keep) == 1 && types.Equal(keep[0].Type(), c.T):
		return keep[0]
	case len(keep) < len(c.Args):
		n := *c
		n.Args = keep
		return &n
	}
	return c
}

// caseWhen drops branches that can't be taken.
func (s *simplifier) caseWhen(c *plan.Case) plan.Expr {
	n := &plan.Case{At: c.At, Else: c.Else, If: c.If}
	changed := false
	for i, w := range c.When {
		if isFalse(w) || isNull(w) {
			changed = true
			continue
		}
		if isTrue(w) {
			n.Else, changed = c.Then[i], true
			break
		}
		n.When, n.Then = append(n.When, w), append(n.Then, c.Then[i])
	}
	if !changed {
		if len(c.When) == 1 && c.Else != nil && isTrue(c.Then[0]) && isFalse(c.Else) && s.nonNull(c.When[0]) {
			return c.When[0]
		}
		return c
	}
	if len(n.When) == 0 {
		if n.Else == nil {
			return nullLit(c.Type())
		}
		return n.Else
	}
	return n
}

// --- IN and LIKE

func (s *simplifier) inList(c *plan.Call) plan.Expr {
	if len(c.Args) < 2 {
		return c
	}
	vals := c.Args[1:]
	if isNull(c.Args[0]) || !slices.ContainsFunc(vals, func(e plan.Expr) bool { return !isNull(e) }) {
		return nullLit(c.T)
	}
	if allConst(vals) {
		vals = dedupeExprs(vals)
		x := c.Args[0]
		if y, lits, ok := unwrapAll(x, vals); ok {
			x, vals = y, lits
		}
		if len(vals) == 1 {
			e := boolCall("=", x, vals[0])
			e.At = c.At
			return s.comparison(e)
		}
		if len(vals) < len(c.Args)-1 || x != c.Args[0] {
			n := *c
			n.Args = append([]plan.Expr{x}, vals...)
			return &n
		}
	}
	return c
}

// likeRule turns patterns without wildcards inside into cheaper tests.
func likeRule(c *plan.Call) plan.Expr {
	if len(c.Args) != 2 {
		return c
	}
	l, ok := c.Args[1].(*plan.Literal)
	if !ok || c.Args[0].Type().Collation != "" || c.Args[0].Type().Kind != types.String {
		return c
	}
	p, ok := l.Value.(string)
	if !ok || strings.ContainsAny(p, `_\`) {
		return c
	}
	mk := func(name, part string) plan.Expr {
		if name != "=" && fn.Lookup(name) == nil {
			return c
		}
		e := boolCall(name, c.Args[0], &plan.Literal{At: l.At, T: types.StringType, Value: part})
		e.At = c.At
		return e
	}
	inner := strings.Trim(p, "%")
	if strings.Contains(inner, "%") {
		return c
	}
	head, tail := strings.HasPrefix(p, "%"), strings.HasSuffix(p, "%")
	switch {
	case p == "":
		return mk("=", "")
	case inner == "":
		return c // only %: true unless null; rare
	case head && tail:
		return mk("contains", inner)
	case head:
		return mk("endswith", inner)
	case tail:
		return mk("startswith", inner)
	}
	return mk("=", p)
}
