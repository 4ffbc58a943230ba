package sqlparse

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// queryIn parses a query inside of parentheses.
func (p *parser) queryIn() plan.Node {
	saved := p.noPipe
	p.noPipe = 0
	n := p.query()
	p.noPipe = saved
	return n
}

// noNode stands for a relation after an error.
func noNode() plan.Node { return &plan.OneRow{} }

// query parses [WITH ...] terms [ORDER BY ... LIMIT ...].
func (p *parser) query() plan.Node {
	if !p.enter() {
		return noNode()
	}
	defer p.leave()
	s := p.i
	mark := len(p.windows)
	with := p.ctes()
	n := p.term(nil, s, 1)
	n = p.organization(n, s, mark)
	if with == nil {
		return n
	}
	with.Child = n
	with.Common = p.common(s)
	return with
}

// queryRest goes on with a query whose first operand, left, was parsed already.
func (p *parser) queryRest(left plan.Node, s int) plan.Node {
	saved := p.noPipe
	p.noPipe = 0
	mark := len(p.windows)
	n := p.organization(p.term(left, s, 1), s, mark)
	p.noPipe = saved
	return n
}

// startsQuery reports whether the nth token from here begins a query, not an expression.
func (p *parser) startsQuery(n int) bool {
	switch p.la(n) {
	case kwSelect:
		switch p.la(n + 1) {
		case tHintStart, tQuestion, tColon, tStar:
			return true
		}
		return p.startsExpr(n + 1)
	case kwWith:
		return p.la(n+1) == kwRecursive && p.isIdent(p.la(n+2)) || p.isIdent(p.la(n+1)) && (p.la(n+2) == kwAs || p.la(n+2) == tLParen || p.la(n+2) == kwMax)
	case kwValues:
		switch p.la(n + 1) {
		case tStar, tPlus, tLBracket:
			return false
		}
		return p.startsExpr(n + 1)
	case kwTable, kwFrom:
		return p.isIdent(p.la(n+1)) || p.la(n) == kwFrom && p.la(n+1) == tLParen
	}
	return false
}

// queryAfter is startsQuery for what follows the parenthesis at the nth token.
func (p *parser) queryAfter(n int) bool { return p.la(n) == tLParen && p.startsQuery(n+1) }

// queryBehindParens reports whether a query begins behind the run of
// parentheses here. The run's end is remembered, so that nested parentheses
// take linear time.
func (p *parser) queryBehindParens() bool {
	if p.i < p.runAt || p.i >= p.runEnd {
		p.runAt, p.runEnd = p.i, p.i
		for p.toks[p.runEnd].kind == tLParen {
			p.runEnd++
		}
	}
	return p.startsQuery(p.runEnd - p.i)
}

// continuesQuery reports whether the token goes on with a query behind a
// parenthesis, (SELECT ...) UNION ..., rather than with an expression.
func (p *parser) continuesQuery() bool {
	switch p.peek() {
	case kwUnion, kwIntersect, kwExcept, kwMinus, kwLimit, kwOffset, tOpPipe:
		return true
	case kwOrder, kwSort, kwCluster, kwDistribute:
		return p.la(1) == kwBy
	case tPipe:
		return !p.o.NoSinglePipe && pipeWord(p.la(1))
	}
	return false
}

func (p *parser) ctes() *plan.With {
	if p.peek() != kwWith || !p.startsQuery(0) {
		return nil
	}
	s := p.i
	p.next()
	w := &plan.With{}
	if p.peek() == kwRecursive && p.isIdent(p.la(1)) && p.la(1) != kwAs {
		p.next()
		w.Recursive = true
	}
	seen := map[string]bool{}
	dup := ""
	limited := false
	for {
		c := plan.CTE{Name: p.nameIdent(), Recursive: w.Recursive}
		if p.peek() == tLParen && !p.startsQuery(1) {
			c.Columns = p.identList()
		}
		if p.peek() == kwMax && p.la(1) == kwRecursion && p.la(2) == kwLevel {
			p.i += 3
			at := p.i
			switch p.peek() {
			case tQuestion, tColon:
				c.MaxLevel = p.parameter()
			default:
				n := p.integerValue()
				c.MaxLevel = &plan.Literal{At: p.from(at), T: types.Int32Type, Value: int32(n)}
			}
			limited = true
		}
		p.accept(kwAs)
		if !p.expect(tLParen) {
			return w
		}
		c.Plan = p.queryIn()
		p.expect(tRParen)
		key := strings.ToLower(c.Name)
		if seen[key] && dup == "" {
			dup = c.Name
		}
		seen[key] = true
		w.CTEs = append(w.CTEs, c)
		if !p.accept(tComma) {
			break
		}
	}
	if p.err == nil && (dup != "" || limited && !w.Recursive) {
		// Spark's context for these is the whole query.
		e := errs.New(errs.Parse, "DUPLICATED_CTE_NAMES", "duplicateNames", errs.ID(dup))
		if dup == "" {
			e = errs.New(errs.Parse, "_LEGACY_ERROR_TEMP_0035", "message", "Cannot specify MAX RECURSION LEVEL when the CTE is not marked as RECURSIVE")
		}
		p.organization(p.term(nil, p.i, 1), p.i, len(p.windows))
		if p.err == nil {
			p.stop(e.At(p.origin(s)))
		}
	}
	return w
}

// term parses operands and set operations; precedence: INTERSECT 4, the others 3, pipes 2.
func (p *parser) term(left plan.Node, s, minPrec int) plan.Node {
	if left == nil {
		left = p.operandQuery()
	}
	height := 0
	for p.err == nil {
		k := p.peek()
		prec := 0
		switch k {
		case kwIntersect:
			if prec = 4; p.o.FlatSetOperations {
				prec = 3
			}
		case kwUnion, kwExcept, kwMinus:
			prec = 3
		case tOpPipe:
			prec = 2
		case tPipe:
			if !p.o.NoSinglePipe && pipeWord(p.la(1)) {
				prec = 2
			}
		}
		if prec == 0 || prec < minPrec {
			return left
		}
		if height++; height > maxTree/2 {
			p.tooComplex()
		}
		p.next()
		if prec == 2 {
			left = p.pipe(left, s)
			continue
		}
		op := p.setOp(k)
		at := p.i
		right := p.term(nil, at, prec+1)
		op.Inputs = []plan.Node{left, right}
		op.Common = p.common(s)
		left = op
	}
	return left
}

func (p *parser) setOp(k kind) *plan.SetOperation {
	op := &plan.SetOperation{}
	switch k {
	case kwIntersect:
		op.Op = plan.IntersectOp
	case kwExcept, kwMinus:
		op.Op = plan.ExceptOp
	}
	if p.acceptAny(kwAll, kwDistinct) == kwAll {
		op.All = true
	}
	if op.Op == plan.UnionOp && p.acceptSeq(kwBy, kwName) {
		op.ByName = true
	}
	return op
}

func (p *parser) operandQuery() plan.Node {
	s := p.i
	switch p.peek() {
	case kwSelect:
		if p.isTransform() {
			return p.transformQuery()
		}
		return p.selectQuery()
	case kwFrom:
		return p.fromQuery()
	case kwTable:
		p.next()
		return p.tableRefOnly()
	case kwValues:
		p.next()
		return p.inlineTable(s)
	case tLParen:
		if !p.enter() {
			return noNode()
		}
		p.next()
		n := p.queryIn()
		p.expect(tRParen)
		p.leave()
		return n
	case kwMap, kwReduce:
		if p.isTransform() {
			return p.transformQuery()
		}
	}
	p.syntax()
	return noNode()
}

// selectQuery parses SELECT ... up to QUALIFY.
func (p *parser) selectQuery() plan.Node {
	s := p.i
	defer func(n int) { p.regex = n }(p.regex)
	p.regex = 0
	mark := len(p.windows)
	c := p.selectClause()
	var from plan.Node
	if p.peek() == kwFrom {
		from = p.fromClause()
	} else {
		from = &plan.OneRow{Common: plan.Common{Origin: p.span(s, s)}}
	}
	return p.selectBody(c, from, s, mark)
}

// fromQuery parses FROM t [SELECT ...]; without SELECT it is the relation itself.
func (p *parser) fromQuery() plan.Node {
	s := p.i
	mark := len(p.windows)
	from := p.fromClause()
	if p.peek() == kwInsert {
		p.syntax() // as a statement of its own it is parsed by multiInsert
		return noNode()
	}
	if p.peek() != kwSelect && !p.isTransform() {
		return from
	}
	var out plan.Node
	for p.peek() == kwSelect || p.isTransform() {
		at := p.i
		var n plan.Node
		if p.isTransform() {
			n = p.organization(p.transform(from, at, mark), at, mark)
		} else {
			c := p.selectClause()
			n = p.organization(p.selectBody(c, from, at, mark), at, mark)
		}
		if out == nil {
			out = n
			continue
		}
		out = &plan.SetOperation{Common: p.common(s), All: true, Inputs: []plan.Node{out, n}}
	}
	return out
}

type selectClause struct {
	hints    []*plan.Hint
	distinct bool
	list     []plan.Expr
}

func (p *parser) selectClause() selectClause {
	p.expect(kwSelect)
	var c selectClause
	for p.peek() == tHintStart {
		c.hints = append(c.hints, p.hints()...)
	}
	if k := p.peek(); (k == kwDistinct || k == kwAll) && (p.startsExpr(1) || p.la(1) == tStar) {
		p.next()
		c.distinct = k == kwDistinct
	}
	if p.o.RegexColumns {
		p.regex++
	}
	c.list = p.namedExprs()
	if p.o.RegexColumns {
		p.regex--
	}
	return c
}

func (p *parser) hints() []*plan.Hint {
	p.next()
	var out []*plan.Hint
	for p.err == nil {
		s := p.i
		if !p.isIdent(p.peek()) {
			p.syntax()
			break
		}
		h := &plan.Hint{Name: p.name(p.next())}
		if p.accept(tLParen) {
			p.noPipe++
			h.Args = append(h.Args, p.unary())
			for p.accept(tComma) {
				h.Args = append(h.Args, p.unary())
			}
			p.noPipe--
			p.expect(tRParen)
		}
		h.Common = p.common(s)
		out = append(out, h)
		if p.accept(tHintEnd) {
			break
		}
		p.accept(tComma)
	}
	return out
}

// selectBody parses what follows FROM and builds the nodes in Spark's order.
func (p *parser) selectBody(c selectClause, n plan.Node, s, mark int) plan.Node {
	for p.peek() == kwLateral && p.la(1) == kwView {
		n = p.lateralView(n)
	}
	if p.peek() == kwWhere {
		n = p.where(n)
	}
	var agg *plan.Aggregate
	if p.peek() == kwGroup && p.la(1) == kwBy {
		agg = p.groupBy()
	}
	var having plan.Expr
	hs := p.i
	if p.accept(kwHaving) {
		having = p.expr()
	}
	he := p.i - 1
	if p.isWindowClause(0) {
		p.windowClause(mark)
	}
	var qualify plan.Expr
	qs := p.i
	if p.peek() == kwQualify && p.startsExpr(1) {
		p.next()
		qualify = p.expr()
	}
	if p.err != nil {
		return noNode()
	}
	if agg == nil && having != nil {
		agg = &plan.Aggregate{}
	}
	if agg != nil {
		agg.List, agg.Child, agg.Common = c.list, n, p.common(s)
		n = agg
	} else {
		n = &plan.Project{Common: p.common(s), List: c.list, Child: n}
	}
	if having != nil {
		n = &plan.Filter{Common: plan.Common{Origin: p.span(hs, he)}, Cond: having, Child: n, Having: true}
	}
	if qualify != nil {
		n = &plan.Filter{Common: p.common(qs), Cond: qualify, Child: n, Qualify: true}
	}
	if c.distinct {
		n = &plan.Distinct{Common: p.common(s), AllCols: true, Child: n}
	}
	for i := len(c.hints) - 1; i >= 0; i-- {
		c.hints[i].Child = n
		n = c.hints[i]
	}
	return n
}

func (p *parser) where(n plan.Node) plan.Node {
	s := p.i
	p.next()
	cond := p.expr()
	return &plan.Filter{Common: p.common(s), Cond: cond, Child: n}
}

// isWindowClause reports whether the nth token from here begins WINDOW name AS.
func (p *parser) isWindowClause(n int) bool {
	return p.la(n) == kwWindow && p.isIdent(p.la(n+1)) && (p.la(n+2) == kwAs || p.la(n+1) == kwIdentifier && p.la(n+2) == tLParen)
}

// windowClause parses WINDOW w AS (...), ... and gives the definitions to the
// windows used since mark.
func (p *parser) windowClause(mark int) {
	s := p.i
	p.next()
	defs := map[string]*plan.Window{}
	var order []string
	for {
		name := p.nameIdent()
		if !p.accept(kwAs) {
			p.syntaxHint(": missing 'AS'")
			return
		}
		spec := p.windowSpec()
		if defs[name] != nil {
			p.fail(s, "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION", "windowName", errs.ID(name))
			return
		}
		defs[name] = spec
		order = append(order, name)
		if !p.accept(tComma) {
			break
		}
	}
	resolved := make(map[string]*plan.Window, len(defs))
	for _, name := range order {
		w := defs[name]
		if w.Name != "" { // WINDOW a AS b
			target := defs[w.Name]
			switch {
			case target == nil:
				p.fail(s, "INVALID_SQL_SYNTAX.UNRESOLVED_WINDOW_REFERENCE", "windowName", errs.ID(w.Name))
				return
			case target.Name != "":
				p.fail(s, "INVALID_SQL_SYNTAX.INVALID_WINDOW_REFERENCE", "windowName", errs.ID(w.Name))
				return
			}
			w = target
		}
		resolved[name] = w
	}
	rest := p.windows[:mark]
	for _, w := range p.windows[mark:] {
		d := resolved[w.Name]
		if d == nil {
			rest = append(rest, w)
			continue
		}
		w.Name, w.Partition, w.Order, w.Frame = "", d.Partition, d.Order, d.Frame
	}
	p.windows = rest
}

// groupBy parses GROUP BY.
func (p *parser) groupBy() *plan.Aggregate {
	s := p.i
	p.i += 2
	a := &plan.Aggregate{}
	analytic := false
	for {
		part := p.groupPart(s)
		if part.Kind != "" {
			analytic = true
		}
		a.GroupParts = append(a.GroupParts, part)
		if !p.accept(tComma) {
			break
		}
	}
	if p.err != nil {
		return a
	}
	switch {
	case !analytic && p.peek() == kwWith && (p.la(1) == kwRollup || p.la(1) == kwCube):
		kind := "rollup"
		if p.la(1) == kwCube {
			kind = "cube"
		}
		p.i += 2
		part := plan.GroupPart{Kind: kind}
		for _, g := range a.GroupParts {
			part.Sets = append(part.Sets, g.Sets[0])
		}
		a.GroupParts = []plan.GroupPart{part}
		analytic = true
	case !analytic && p.peek() == kwGrouping && p.la(1) == kwSets:
		for _, g := range a.GroupParts {
			a.Group = append(a.Group, g.Sets[0][0])
		}
		p.i += 2
		a.GroupParts = []plan.GroupPart{{Kind: "sets", Sets: p.groupingSets()}}
		analytic = true
	}
	if analytic {
		a.GroupKind = plan.GroupAnalytic
		return a
	}
	for _, g := range a.GroupParts {
		a.Group = append(a.Group, g.Sets[0][0])
	}
	a.GroupParts = nil
	if len(a.Group) == 1 && p.i == s+3 && p.toks[s+2].kind == kwAll {
		a.GroupKind, a.Group = plan.GroupAll, nil
	}
	return a
}

func (p *parser) groupPart(group int) plan.GroupPart {
	switch k := p.peek(); {
	case (k == kwRollup || k == kwCube) && p.la(1) == tLParen:
		p.next()
		part := plan.GroupPart{Kind: strings.ToLower(keywordText[k]), Sets: p.groupingSets()}
		for _, set := range part.Sets {
			if len(set) == 0 {
				// Spark's context is the whole clause.
				for p.accept(tComma) {
					p.groupPart(group)
				}
				p.fail(group, "_LEGACY_ERROR_TEMP_0051", "element", keywordText[k])
			}
		}
		return part
	case k == kwGrouping && p.la(1) == kwSets && p.la(2) == tLParen:
		p.i += 3
		part := plan.GroupPart{Kind: "sets"}
		for {
			switch k := p.peek(); {
			case (k == kwRollup || k == kwCube) && p.la(1) == tLParen, k == kwGrouping && p.la(1) == kwSets:
				if !p.enter() {
					return part
				}
				part.Nested = append(part.Nested, p.groupPart(group))
				p.leave()
			default:
				set := p.groupingSet()
				part.Nested = append(part.Nested, plan.GroupPart{Sets: [][]plan.Expr{set}})
			}
			if !p.accept(tComma) {
				break
			}
		}
		p.expect(tRParen)
		flat := true
		for _, n := range part.Nested {
			flat = flat && n.Kind == ""
		}
		if flat {
			for _, n := range part.Nested {
				part.Sets = append(part.Sets, n.Sets[0])
			}
			part.Nested = nil
		}
		return part
	}
	return plan.GroupPart{Sets: [][]plan.Expr{{p.ordinal(p.namedExpr())}}}
}

func (p *parser) groupingSets() [][]plan.Expr {
	p.expect(tLParen)
	sets := [][]plan.Expr{p.groupingSet()}
	for p.accept(tComma) {
		sets = append(sets, p.groupingSet())
	}
	p.expect(tRParen)
	return sets
}

// groupingSet parses (a, b), () or a.
func (p *parser) groupingSet() []plan.Expr {
	if p.acceptSeq(tLParen, tRParen) {
		return []plan.Expr{}
	}
	e := p.expr()
	if c, ok := e.(*plan.Call); ok && isRow(c) && c.Infix {
		out := rowValues(c)
		for i := range out {
			out[i] = p.ordinal(out[i])
		}
		return out
	}
	return []plan.Expr{p.ordinal(e)}
}

// ordinal turns an INT literal into a position.
func (p *parser) ordinal(e plan.Expr) plan.Expr {
	if l, ok := e.(*plan.Literal); ok && l.T != nil && l.T.Kind == types.Int32 {
		if n, ok := l.Value.(int32); ok {
			return &plan.UnresolvedOrdinal{At: l.At, N: int(n)}
		}
	}
	return e
}

// organization parses ORDER BY to OFFSET over n, which began at token s.
func (p *parser) organization(n plan.Node, s, mark int) plan.Node {
	begin := p.i
	var order, sortBy []plan.SortOrder
	var cluster, distribute []plan.Expr
	all := false
	if p.acceptSeq(kwOrder, kwBy) {
		at := p.i
		order = p.ordinals(p.sortItems())
		if a, ok := order[0].Child.(*plan.UnresolvedAttr); ok && len(order) == 1 && len(a.Parts) == 1 && p.toks[at].kind == kwAll {
			all = true
		}
	}
	if p.acceptSeq(kwCluster, kwBy) {
		cluster = p.exprList()
	}
	if p.acceptSeq(kwDistribute, kwBy) {
		distribute = p.exprList()
	}
	if p.acceptSeq(kwSort, kwBy) {
		sortBy = p.ordinals(p.sortItems())
	}
	switch {
	case p.err != nil:
		return noNode()
	case order != nil && cluster == nil && distribute == nil && sortBy == nil:
		n = &plan.Sort{Common: p.common(begin), Order: order, Global: true, Child: n, All: all}
	case order == nil && cluster != nil && distribute == nil && sortBy == nil:
		by := make([]plan.SortOrder, len(cluster))
		for i, e := range cluster {
			by[i].Child = e
		}
		r := &plan.Repartition{Common: p.common(begin), Shuffle: true, By: by, Child: n}
		n = &plan.Sort{Common: p.common(begin), Order: by, Child: r}
	case order == nil && cluster == nil:
		if distribute != nil {
			by := make([]plan.SortOrder, len(distribute))
			for i, e := range distribute {
				by[i].Child = e
			}
			n = &plan.Repartition{Common: p.common(begin), Shuffle: true, By: by, Child: n}
		}
		if sortBy != nil {
			n = &plan.Sort{Common: p.common(begin), Order: sortBy, Child: n}
		}
	default:
		p.fail(begin, "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES")
		return noNode()
	}
	if p.isWindowClause(0) {
		p.windowClause(mark)
	}
	at := p.i
	var limit, offset plan.Expr
	if p.accept(kwLimit) {
		if p.peek() == kwAll && p.acceptAny(kwAll) == kwAll {
			n = &plan.Limit{Common: p.common(at), All: true, Child: n}
		} else {
			limit = p.expr()
		}
	}
	if p.accept(kwOffset) {
		offset = p.expr()
	}
	if limit != nil || offset != nil {
		n = &plan.Limit{Common: p.common(at), N: limit, Offset: offset, Child: n}
	}
	return n
}

func (p *parser) ordinals(o []plan.SortOrder) []plan.SortOrder {
	for i := range o {
		o[i].Child = p.ordinal(o[i].Child)
	}
	return o
}
