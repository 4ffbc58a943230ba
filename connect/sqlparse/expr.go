package sqlparse

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// bad stands for an expression after an error.
func bad() plan.Expr { return &plan.Literal{T: types.NullType} }

// expr parses any expression (not an alias).
func (p *parser) expr() plan.Expr {
	if !p.enter() {
		return bad()
	}
	e := p.or(nil, p.i)
	p.leave()
	return e
}

// exprIn is expr inside of brackets, where a | can't be a pipe.
func (p *parser) exprIn() plan.Expr {
	p.noPipe++
	e := p.expr()
	p.noPipe--
	return e
}

func (p *parser) exprList() []plan.Expr {
	list := []plan.Expr{p.expr()}
	for p.accept(tComma) {
		list = append(list, p.expr())
	}
	return list
}

// exprListIn is a list inside of parentheses: (a, b).
func (p *parser) exprListIn() []plan.Expr {
	p.noPipe++
	p.expect(tLParen)
	list := p.exprList()
	p.expect(tRParen)
	p.noPipe--
	return list
}

// or parses a OR b OR c. left, when not nil, is the first primary expression, which
// began at token start and is parsed already.
func (p *parser) or(left plan.Expr, start int) plan.Expr {
	e := p.and(left, start)
	if p.peek() != kwOr {
		return e
	}
	terms, starts, ends := []plan.Expr{e}, []int{start}, []int{p.i - 1}
	h := p.height
	for p.peek() == kwOr {
		p.next()
		s := p.i
		terms = append(terms, p.and(nil, s))
		starts, ends = append(starts, s), append(ends, p.i-1)
		h = max(h, p.height)
	}
	if p.err != nil {
		return bad()
	}
	p.grow(h + bitsFor(len(terms)))
	return p.balanced("or", terms, starts, ends)
}

func (p *parser) and(left plan.Expr, start int) plan.Expr {
	e := p.not(left, start)
	if p.peek() != kwAnd {
		return e
	}
	terms, starts, ends := []plan.Expr{e}, []int{start}, []int{p.i - 1}
	h := p.height
	for p.peek() == kwAnd {
		p.next()
		s := p.i
		terms = append(terms, p.not(nil, s))
		starts, ends = append(starts, s), append(ends, p.i-1)
		h = max(h, p.height)
	}
	if p.err != nil {
		return bad()
	}
	p.grow(h + bitsFor(len(terms)))
	return p.balanced("and", terms, starts, ends)
}

// bitsFor is the height that a balanced tree of n leaves adds, at most.
func bitsFor(n int) int {
	h := 0
	for ; n > 0; n >>= 1 {
		h++
	}
	return h
}

func (p *parser) not(left plan.Expr, start int) plan.Expr {
	if left == nil && (p.peek() == tBang || p.peek() == kwNot && p.startsExpr(1)) {
		if !p.enter() {
			return bad()
		}
		p.next()
		e := p.not(nil, p.i)
		p.leave()
		p.grow(p.height)
		return &plan.Call{At: p.from(start), Name: "not", Args: []plan.Expr{e}, Infix: true}
	}
	e := p.value(left, start, 1)
	return p.predicate(e, start)
}

// startsExpr reports whether the nth token from here can begin an expression;
// it tells the word NOT from a column of that name.
func (p *parser) startsExpr(n int) bool {
	switch k := p.la(n); k {
	case tEOF, tRParen, tComma, tDot, tSemicolon, tEq, tNeq, tNeqj, tNseq, tLt, tLte, tGt, tGte, tSlash, tPercent,
		tAmp, tPipe, tHat, tConcat, tShl, tShr, tUshr, tColons, tArrow, tFatArrow, tRBracket, tOpPipe, tUnknown, tHintStart, tHintEnd,
		kwAs, kwIs, kwBetween, kwLike, kwIlike, kwRlike, kwIn, kwAnd, kwOr, kwFrom:
		return false
	default:
		return true
	}
}

// predicate parses what may follow a value once: BETWEEN, IN, LIKE, IS ...
func (p *parser) predicate(e plan.Expr, start int) plan.Expr {
	s := p.i
	negated := false
	k := p.peek()
	if (k == kwNot || k == tBang) && predicateWord(p.la(1)) {
		negated = true
		if k == tBang && !p.o.BangEqualsNot {
			// Spark's grammar takes ! here only to refuse it.
			p.next()
			p.fail(s, "SYNTAX_DISCONTINUED.BANG_EQUALS_NOT", "clause", "!")
			return bad()
		}
		p.next()
		k = p.peek()
	}
	h := p.height
	var out plan.Expr
	switch k {
	case kwBetween:
		p.next()
		lo := p.value(nil, p.i, 1)
		h = max(h, p.height)
		p.expect(kwAnd)
		hi := p.value(nil, p.i, 1)
		h = max(h, p.height)
		out = &plan.Call{At: p.from(s), Name: "between", Args: []plan.Expr{e, lo, hi}, Infix: true}
	case kwIn:
		if p.la(1) != tLParen {
			return e
		}
		p.next()
		out = p.in(e, s)
		h = max(h, p.height)
	case kwRlike:
		p.next()
		pat := p.value(nil, p.i, 1)
		h = max(h, p.height)
		out = &plan.Call{At: p.from(s), Name: "rlike", Args: []plan.Expr{e, pat}, Infix: true}
	case kwLike, kwIlike:
		return p.like(e, s, k, negated, h)
	case kwIs:
		return p.is(e, s, h)
	default:
		return e
	}
	p.grow(h)
	if negated {
		out = &plan.Call{At: p.from(s), Name: "not", Args: []plan.Expr{out}, Infix: true}
	}
	return out
}

func predicateWord(k kind) bool {
	switch k {
	case kwBetween, kwIn, kwRlike, kwLike, kwIlike:
		return true
	}
	return false
}

// in parses the parenthesis of IN; s is where the predicate began.
// typedSelect refuses SELECT 'a' in the parenthesis that is open at n-1, where Spark's grammar prefers a literal of
// the type SELECT to a query: in a list of IN, and with row in a row of several expressions, which may have names.
func (p *parser) typedSelect(n int, row bool) bool {
	if p.la(n) != kwSelect || p.la(n+1) != tString {
		return false
	}
	depth, commas := 0, 0
	for k := n + 2; ; k++ {
		t := p.la(k)
		switch {
		case t == tEOF:
			return false
		case t == tLParen || t == tLBracket:
			depth++
		case (t == tRParen || t == tRBracket) && depth > 0:
			depth--
		case depth > 0:
		case t == tComma:
			commas++
		case t == tRParen:
			if row && commas == 0 {
				return false
			}
			p.i += n
			s := p.i
			p.i += 2
			p.fail(s, "UNSUPPORTED_TYPED_LITERAL", "unsupportedType", `"SELECT"`, "supportedTypes", supportedLiterals)
			return true
		case t == kwAs || p.isIdent(t) && (p.la(k+1) == tComma || p.la(k+1) == tRParen) && p.la(k-1) == tString:
			if !row {
				return false
			}
		case t == kwFrom || t == kwWhere || t == kwUnion || t == kwIntersect || t == kwExcept || t == kwMinus || t == kwLimit || t == kwOffset || t == kwOrder || t == kwSort ||
			t == kwCluster || t == kwDistribute || t == kwGroup || t == kwHaving || t == kwQualify || t == kwWindow || t == kwLateral || t == tOpPipe:
			return false
		}
	}
}

func (p *parser) in(e plan.Expr, s int) plan.Expr {
	if p.la(1) == tRParen {
		p.i += 2
		p.fail(s, "INVALID_SQL_SYNTAX.EMPTY_IN_PREDICATE")
		return bad()
	}
	if p.typedSelect(1, false) {
		return bad()
	}
	first, query := p.inBody()
	if query != nil {
		sub := &plan.Subquery{Kind: plan.InSubquery, Values: []plan.Expr{e}, Plan: query}
		if row, ok := e.(*plan.Call); ok && isRow(row) {
			sub.Values = rowValues(row)
		}
		p.expect(tRParen)
		sub.At = p.from(s)
		return sub
	}
	args := []plan.Expr{e, first}
	p.noPipe++
	for p.accept(tComma) {
		args = append(args, p.expr())
	}
	p.noPipe--
	p.expect(tRParen)
	return &plan.Call{At: p.from(s), Name: "in", Args: args, Infix: true}
}

// inBody parses what is behind IN (: a query, or the list's first expression.
// As in Spark's grammar IN ((SELECT 1)) is a list of one scalar subquery.
func (p *parser) inBody() (plan.Expr, plan.Node) {
	p.next()
	s := p.i
	if p.startsQuery(0) {
		return nil, p.queryIn()
	}
	if p.peek() != tLParen || !p.queryBehindParens() {
		return p.exprIn(), nil
	}
	e, q := p.parenBody()
	if q != nil {
		if p.continuesQuery() {
			return nil, p.queryRest(q, s)
		}
		e = p.scalar(q, s)
	}
	p.noPipe++
	e = p.or(p.postfix(e, s), s)
	p.noPipe--
	return e, nil
}

// isRow reports whether a call is a row (a, b) or STRUCT(a, b).
func isRow(c *plan.Call) bool { return c.Name == "struct" }

// rowValues are the values of a row without their names.
func rowValues(c *plan.Call) []plan.Expr {
	out := make([]plan.Expr, len(c.Args))
	for i, a := range c.Args {
		if al, ok := a.(*plan.Alias); ok {
			a = al.Child
		}
		out[i] = a
	}
	return out
}

func (p *parser) like(e plan.Expr, s int, k kind, negated bool, h int) plan.Expr {
	p.next()
	name := "like"
	if k == kwIlike {
		name = "ilike"
	}
	if q := p.peek(); (q == kwAny || q == kwSome || q == kwAll) && p.la(1) == tLParen {
		p.next()
		if p.la(1) == tRParen {
			p.i += 2
			p.fail(s, "INVALID_SQL_SYNTAX.EMPTY_QUANTIFIED_PATTERN")
			return bad()
		}
		saved := p.group()
		args := append([]plan.Expr{e}, p.exprListIn()...)
		p.tallest = max(p.tallest, h)
		p.ungroup(saved)
		if q == kwAll {
			name += "_all"
		} else {
			name += "_any"
		}
		if negated {
			name = "not_" + name
		}
		return &plan.Call{At: p.from(s), Name: name, Args: args, Infix: true}
	}
	args := []plan.Expr{e, p.value(nil, p.i, 1)}
	if p.peek() == kwEscape && (p.la(1) == tString || p.la(1) == tQuestion || p.la(1) == tColon) {
		p.next()
		at := p.i
		esc := p.stringLit()
		if p.err == nil && utf16Len(esc) != 1 {
			p.fail(s, "INVALID_ESC", "invalidEscape", sqlString(esc))
			return bad()
		}
		args = append(args, &plan.Literal{At: p.from(at), T: types.StringType, Value: esc})
	}
	p.grow(max(h, p.height))
	var out plan.Expr = &plan.Call{At: p.from(s), Name: name, Args: args, Infix: true}
	if negated {
		out = &plan.Call{At: p.from(s), Name: "not", Args: []plan.Expr{out}, Infix: true}
	}
	return out
}

// is parses IS [NOT] NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM. As in
// Spark, IS TRUE is <=> true, and IS DISTINCT FROM is NOT <=>.
func (p *parser) is(e plan.Expr, s, h int) plan.Expr {
	n := 1
	negated := p.la(1) == kwNot || p.la(1) == tBang
	if negated {
		n = 2
	}
	call := func(name string, args ...plan.Expr) plan.Expr {
		p.grow(h)
		return &plan.Call{At: p.from(s), Name: name, Args: args, Infix: true}
	}
	k := p.la(n)
	switch k {
	case kwNull, kwUnknown, kwTrue, kwFalse, kwDistinct:
		p.i += n + 1
	default:
		p.i += n
		p.syntax()
		return bad()
	}
	var out plan.Expr
	switch k {
	case kwNull, kwUnknown:
		if negated {
			return call("isnotnull", e)
		}
		return call("isnull", e)
	case kwDistinct:
		p.expect(kwFrom)
		r := p.value(nil, p.i, 1)
		h = max(h, p.height)
		out = call("<=>", e, r)
		negated = !negated
	default:
		out = call("<=>", e, &plan.Literal{At: p.from(p.i - 1), T: types.BoolType, Value: k == kwTrue})
	}
	if negated {
		out = &plan.Call{At: p.from(s), Name: "not", Args: []plan.Expr{out}, Infix: true}
	}
	return out
}

type operator struct {
	name string
	prec int
}

// binary is the operator that a token stands for; prec 0: none. Higher binds tighter.
func binary(k kind) operator {
	switch k {
	case tStar:
		return operator{"*", 7}
	case tSlash:
		return operator{"/", 7}
	case tPercent:
		return operator{"%", 7}
	case kwDiv:
		return operator{"div", 7}
	case tPlus:
		return operator{"+", 6}
	case tMinus:
		return operator{"-", 6}
	case tConcat:
		return operator{"concat", 6}
	case tShl:
		return operator{"shiftleft", 5}
	case tShr:
		return operator{"shiftright", 5}
	case tUshr:
		return operator{"shiftrightunsigned", 5}
	case tAmp:
		return operator{"&", 4}
	case tHat:
		return operator{"^", 3}
	case tPipe:
		return operator{"|", 2}
	case tEq:
		return operator{"=", 1}
	case tNeq, tNeqj:
		return operator{"<>", 1}
	case tNseq:
		return operator{"<=>", 1}
	case tLt:
		return operator{"<", 1}
	case tLte:
		return operator{"<=", 1}
	case tGt:
		return operator{">", 1}
	case tGte:
		return operator{">=", 1}
	}
	return operator{}
}

// value parses an expression without NOT, AND, OR and predicates, of operators
// that bind at least as tight as minPrec.
func (p *parser) value(left plan.Expr, start, minPrec int) plan.Expr {
	if left == nil {
		left = p.unary()
	}
	for {
		k := p.peek()
		op := binary(k)
		if op.prec == 0 || op.prec < minPrec {
			return left
		}
		if k == tPipe && !p.o.NoSinglePipe && p.noPipe == 0 && pipeWord(p.la(1)) {
			return left
		}
		if k == kwDiv && !p.startsExpr(1) {
			return left
		}
		h := p.height
		p.next()
		right := p.value(nil, p.i, op.prec+1)
		if p.err != nil {
			return bad()
		}
		p.grow(max(h, p.height))
		c := &plan.Call{At: p.from(start), Name: op.name, Args: []plan.Expr{left, right}, Infix: true}
		if op.name == "<>" {
			c.Name = "="
			c = &plan.Call{At: c.At, Name: "not", Args: []plan.Expr{c}, Infix: true}
		}
		left = c
	}
}

func (p *parser) unary() plan.Expr {
	s := p.i
	var name string
	switch p.peek() {
	case tMinus:
		if isNumber(p.la(1)) {
			p.next()
			return p.postfix(p.number(s, true), s)
		}
		name = "negative"
	case tPlus:
		name = "positive"
	case tTilde:
		name = "~"
	default:
		return p.primary()
	}
	if !p.enter() {
		return bad()
	}
	p.next()
	e := p.unary()
	p.leave()
	p.grow(p.height)
	return &plan.Call{At: p.from(s), Name: name, Args: []plan.Expr{e}, Infix: true}
}

// namedExpr parses an expression with an optional alias: e [AS] name, e AS (x, y).
func (p *parser) namedExpr() plan.Expr {
	s := p.i
	e := p.expr()
	return p.alias(e, s)
}

func (p *parser) alias(e plan.Expr, s int) plan.Expr {
	if p.err != nil {
		return bad()
	}
	as := p.peek() == kwAs && (p.isIdent(p.la(1)) || p.la(1) == tLParen)
	switch {
	case as:
		p.next()
	case p.peek() == tLParen:
		if !p.aliasList() {
			return e
		}
	case !p.isIdent(p.peek()) || p.endsNamed():
		return e
	}
	var names []string
	if p.peek() == tLParen {
		names = p.identList()
	} else {
		names = []string{p.nameIdent()}
	}
	return &plan.Alias{At: p.from(s), Child: e, Names: names}
}

// aliasList reports whether the parenthesis here is a list of names: explode(m) (k, v).
func (p *parser) aliasList() bool {
	n := 1
	for {
		if !p.isIdent(p.la(n)) {
			return false
		}
		switch p.la(n + 1) {
		case tRParen:
			return true
		case tComma:
			n += 2
		default:
			return false
		}
	}
}

// endsNamed reports whether the word here begins the next clause rather than being an alias without AS.
func (p *parser) endsNamed() bool {
	k := p.peek()
	if k < firstKeyword {
		return false
	}
	next := p.la(1)
	if next == tEOF || next == tComma || next == tRParen || next == tSemicolon {
		switch k {
		case kwEnd: // of CASE, or of a block
			return true
		}
		return p.o.EnforceReserved && keywordFlags[k]&ansiReserved != 0
	}
	switch k {
	case kwFrom, kwWhere, kwHaving, kwLimit, kwOffset, kwUnion, kwExcept, kwIntersect, kwMinus, kwAs,
		kwThen, kwWhen, kwElse, kwEnd, kwUsing, kwFor, kwAnd, kwOr, kwIs, kwNot, kwIn, kwSelect, kwJoin, kwCross, kwInner,
		kwFull, kwNatural, kwOn, kwInto:
		return k != kwFrom || next != kwFrom || p.la(2) != tLParen && !p.isIdent(p.la(2)) // a FROM FROM t
	case kwGroup, kwOrder, kwSort, kwCluster, kwDistribute:
		return next == kwBy
	case kwLeft, kwRight:
		return next == kwJoin || next == kwOuter || next == kwSemi || next == kwAnti || next == kwAsof
	case kwSemi, kwAnti:
		return next == kwJoin
	case kwLateral:
		return next == kwView || next == kwJoin
	case kwWindow:
		return p.isWindowClause(0)
	case kwQualify:
		return p.startsExpr(1)
	case kwPivot:
		return next == tLParen
	case kwUnpivot:
		return next == tLParen || next == kwInclude || next == kwExclude
	case kwTablesample:
		return next == tLParen || next == kwBernoulli || next == kwSystem
	case kwWith:
		return next == kwRollup || next == kwCube
	case kwGrouping:
		return next == kwSets
	case kwInsert:
		return next == kwInto || next == kwOverwrite
	case kwWatermark:
		return p.startsExpr(1)
	}
	return false
}

func (p *parser) namedExprs() []plan.Expr {
	list := []plan.Expr{p.namedExpr()}
	for p.accept(tComma) {
		list = append(list, p.namedExpr())
	}
	return list
}
