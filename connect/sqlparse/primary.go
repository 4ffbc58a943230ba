package sqlparse

import (
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// primary parses an operand with what is glued to it: a.b[0]::int COLLATE x.
func (p *parser) primary() plan.Expr {
	s := p.i
	p.height = 0
	return p.postfix(p.operand(), s)
}

func (p *parser) postfix(e plan.Expr, s int) plan.Expr {
	for p.err == nil {
		switch p.peek() {
		case tLBracket:
			h := p.height
			p.next()
			p.noPipe++
			if !p.enter() {
				return bad()
			}
			key := p.value(nil, p.i, 1)
			p.leave()
			p.noPipe--
			p.expect(tRBracket)
			p.grow(max(h, p.height))
			e = &plan.Extract{At: p.from(s), Child: e, Key: key}
		case tDot:
			if !p.isIdent(p.la(1)) {
				p.next()
				p.syntax()
				return bad()
			}
			p.next()
			at := p.i
			name := p.ident()
			if a, ok := e.(*plan.UnresolvedAttr); ok {
				e = &plan.UnresolvedAttr{At: p.from(s), Parts: append(append([]string{}, a.Parts...), name)}
				continue
			}
			p.grow(p.height)
			e = &plan.Extract{At: p.from(s), Child: e, Key: &plan.Literal{At: p.from(at), T: types.StringType, Value: name}}
		case tColons:
			p.next()
			t := p.dataType()
			p.grow(p.height)
			e = &plan.Cast{At: p.from(s), Child: e, To: t, Mode: p.castMode()}
		case kwCollate:
			if !p.isIdent(p.la(1)) {
				return e
			}
			p.next()
			at := p.i
			name := strings.Join(p.multipart(), ".")
			p.grow(p.height)
			e = &plan.Call{At: p.from(s), Name: "collate", Args: []plan.Expr{e, &plan.Literal{At: p.from(at), T: types.StringType, Value: name}}}
		case tColon:
			if k := p.la(1); k != tLBracket && !p.isIdent(k) {
				return e
			}
			p.next()
			e = p.variantPath(e, s)
		default:
			return e
		}
	}
	return bad()
}

// variantPath parses v:a.b[0]['c'], a path into a VARIANT: variant_get(v, '$.a.b[0]['c']'), named as the
// path's last field. Names in backquotes lose them, so that a dot in one parts two fields, as in Spark.
func (p *parser) variantPath(e plan.Expr, s int) plan.Expr {
	at := p.i
	var b strings.Builder
	b.WriteByte('$')
	last := ""
	field := func() {
		name := p.ident()
		b.WriteString("." + name)
		last = name[strings.LastIndexByte(name, '.')+1:]
		if strings.Contains(name, "[") || strings.Trim(name, ".") != name || name == "" || strings.Contains(name, "..") {
			p.fail(at, "PARSE_SYNTAX_ERROR", "error", "'"+name+"'", "hint", "")
		}
	}
	if p.peek() != tLBracket {
		field()
	}
	for p.err == nil {
		switch p.peek() {
		case tDot:
			p.next()
			field()
			continue
		case tLBracket:
			p.next()
			switch p.peek() {
			case tInt:
				b.WriteString("[" + p.text(p.next()) + "]")
			case tString:
				raw := p.text(p.toks[p.i])
				last = p.stringLit()
				b.WriteString("[" + raw + "]")
			default:
				p.ident()
				p.fail(at, "PARSE_SYNTAX_ERROR", "error", "'['", "hint", "")
			}
			p.expect(tRBracket)
			continue
		}
		break
	}
	p.grow(p.height)
	path := &plan.Literal{At: p.from(at), T: types.StringType, Value: b.String()}
	x := &plan.Call{At: p.from(s), Name: "variant_get", Args: []plan.Expr{e, path}, Infix: true}
	if last == "" {
		return x
	}
	return &plan.Alias{At: x.At, Child: x, Names: []string{last}}
}

func (p *parser) castMode() plan.EvalMode {
	if p.o.ANSI {
		return plan.ANSI
	}
	return plan.Legacy
}

// operand parses a literal, a name, a call or something in parentheses.
func (p *parser) operand() plan.Expr {
	s := p.i
	k := p.peek()
	if isNumber(k) {
		return p.number(s, false)
	}
	call := p.la(1) == tLParen
	switch k {
	case tString:
		v := p.stringLit()
		return &plan.Literal{At: p.from(s), T: types.StringType, Value: v}
	case tLParen:
		return p.paren()
	case tStar:
		p.next()
		return p.star(nil, s)
	case tQuestion, tColon:
		e := p.parameter()
		if l, ok := e.(*plan.Literal); ok && p.moreString() {
			if v, ok := l.Value.(string); ok { // strings side by side are one
				return &plan.Literal{At: p.from(s), T: types.StringType, Value: v + p.stringLit()}
			}
		}
		return e
	case kwNull:
		if !call && p.la(1) != tDot {
			p.next()
			return &plan.Literal{At: p.from(s), T: types.NullType}
		}
	case kwTrue, kwFalse:
		if !call && p.la(1) != tDot {
			p.next()
			return &plan.Literal{At: p.from(s), T: types.BoolType, Value: k == kwTrue}
		}
	case kwCase:
		if p.la(1) == kwWhen || !call && p.startsExpr(1) || call && p.isCase() {
			return p.caseExpr()
		}
	case kwInterval:
		if e := p.interval(); e != nil {
			return e
		}
	case kwExists:
		if call && p.queryAfter(1) {
			return p.exists()
		}
	}
	if call {
		if e := p.special(k); e != nil {
			return e
		}
	} else if p.o.EnforceReserved {
		switch k {
		case kwCurrentDate, kwCurrentTimestamp, kwCurrentTime, kwCurrentUser, kwUser, kwSessionUser, kwLocaltime:
			p.next()
			name := strings.ToLower(p.text(p.toks[s]))
			return &plan.Call{At: p.from(s), Name: name}
		}
	}
	return p.column()
}

// isCase tells CASE (x) WHEN from a function named case.
func (p *parser) isCase() bool {
	depth := 0
	for n := 1; ; n++ {
		switch p.la(n) {
		case tLParen:
			depth++
		case tRParen:
			if depth--; depth == 0 {
				switch p.la(n + 1) {
				case tEOF, tComma, tRParen, tSemicolon, kwFrom, kwAs:
					return false
				}
				return true
			}
		case tEOF:
			return true
		}
	}
}

func (p *parser) caseExpr() plan.Expr {
	s := p.i
	if !p.enter() {
		return bad()
	}
	defer p.leave()
	saved := p.group()
	p.next()
	c := &plan.Case{}
	var subject plan.Expr
	if p.peek() != kwWhen {
		subject = p.expr()
	}
	for p.peek() == kwWhen || len(c.When) == 0 {
		if !p.expect(kwWhen) {
			return bad()
		}
		at := p.i
		cond := p.expr()
		if subject != nil {
			cond = &plan.Call{At: p.from(at), Name: "=", Args: []plan.Expr{subject, cond}, Infix: true}
		}
		p.expect(kwThen)
		c.When = append(c.When, cond)
		c.Then = append(c.Then, p.expr())
	}
	if p.accept(kwElse) {
		c.Else = p.expr()
	}
	p.expect(kwEnd)
	if p.err != nil {
		return bad()
	}
	p.ungroup(saved)
	c.At = p.from(s)
	return c
}

func (p *parser) exists() plan.Expr {
	s := p.i
	if !p.enter() {
		return bad()
	}
	defer p.leave()
	p.next()
	p.next()
	q := p.queryIn()
	p.expect(tRParen)
	return &plan.Subquery{At: p.from(s), Kind: plan.ExistsSubquery, Plan: q}
}

func (p *parser) scalar(q plan.Node, s int) plan.Expr {
	p.height = 0
	return &plan.Subquery{At: p.from(s), Kind: plan.ScalarSubquery, Plan: q}
}

// paren parses (expr), (a, b), (query) and (x, y) -> body.
func (p *parser) paren() plan.Expr {
	s := p.i
	if p.aliasList() {
		n := 1
		for p.la(n) != tRParen {
			n++
		}
		if p.la(n+1) == tArrow {
			p.next()
			args := p.lambdaArgs()
			p.expect(tRParen)
			return p.lambda(s, args)
		}
	}
	e, q := p.parenBody()
	if q != nil {
		return p.scalar(q, s)
	}
	return e
}

func (p *parser) lambdaArgs() []*plan.LambdaVar {
	var args []*plan.LambdaVar
	for {
		s := p.i
		args = append(args, &plan.LambdaVar{Name: p.ident(), At: p.from(s), Null: true})
		if !p.accept(tComma) {
			return args
		}
	}
}

// lambda parses -> body.
func (p *parser) lambda(s int, args []*plan.LambdaVar) plan.Expr {
	p.expect(tArrow)
	body := p.expr()
	p.grow(p.height)
	return &plan.Lambda{At: p.from(s), Args: args, Body: body}
}

// parenBody parses a parenthesis that holds either a query or expressions;
// which of them, shows only behind nested parentheses: ((SELECT 1) UNION SELECT 2) is
// a query, ((SELECT 1) + 1) isn't. It never goes back, so the time is linear.
func (p *parser) parenBody() (plan.Expr, plan.Node) {
	if !p.enter() {
		return bad(), nil
	}
	defer p.leave()
	open := p.i
	p.next()
	s := p.i
	if p.typedSelect(0, true) {
		return bad(), nil
	}
	if p.startsQuery(0) {
		q := p.queryIn()
		p.expect(tRParen)
		return nil, q
	}
	saved := p.group()
	p.noPipe++
	var e plan.Expr
	if p.peek() == tLParen && p.queryBehindParens() {
		var q plan.Node
		e, q = p.parenBody()
		if q != nil {
			if p.continuesQuery() {
				p.noPipe--
				q = p.queryRest(q, s)
				p.expect(tRParen)
				return nil, q
			}
			if p.peek() == tRParen {
				p.noPipe--
				p.next()
				return nil, q
			}
			e = p.scalar(q, s)
		}
		e = p.or(p.postfix(e, s), s)
	} else {
		e = p.expr()
	}
	e = p.alias(e, s)
	if p.peek() != tComma {
		if _, ok := e.(*plan.Alias); ok && p.err == nil {
			p.i-- // an alias makes sense in a row only
			p.syntax()
		}
		p.expect(tRParen)
		p.noPipe--
		p.tallest = max(saved, p.tallest)
		return e, nil
	}
	list := []plan.Expr{e}
	for p.accept(tComma) {
		list = append(list, p.namedExpr())
	}
	p.expect(tRParen)
	p.noPipe--
	p.ungroup(saved)
	return &plan.Call{At: p.from(open), Name: "struct", Args: list, Infix: true}, nil
}

// column parses what begins with a name: a, a.b, a.*, f(x), x -> y, DATE '2020-01-01'.
func (p *parser) column() plan.Expr {
	s := p.i
	k := p.peek()
	if !p.isIdent(k) {
		if p.la(1) == tLParen && (k == kwLeft || k == kwRight || k == kwFilter) {
			p.next()
			return p.call([]string{p.text(p.toks[s])}, s, nil)
		}
		p.syntax()
		return bad()
	}
	switch p.la(1) {
	case tArrow:
		return p.lambda(s, p.lambdaArgs())
	case tString:
		if k != tQuoted {
			return p.typedLiteral()
		}
	}
	var room [3]string
	parts := append(room[:0], p.ident())
	for p.peek() == tDot {
		if p.la(1) == tStar {
			p.i += 2
			return p.star(append([]string{}, parts...), s)
		}
		if !p.isIdent(p.la(1)) {
			p.next()
			p.syntax()
			return bad()
		}
		p.next()
		parts = append(parts, p.ident())
	}
	names := append(make([]string, 0, len(parts)), parts...)
	if p.peek() == tLParen {
		return p.call(names, s, nil)
	}
	if p.regex > 0 && p.toks[p.i-1].kind == tQuoted {
		last := len(names) - 1
		return &plan.UnresolvedRegex{At: p.from(s), Pattern: names[last], Table: names[:last]}
	}
	return &plan.UnresolvedAttr{At: p.from(s), Parts: names}
}

// star parses the rest of * or t.*, its EXCEPT.
func (p *parser) star(target []string, s int) plan.Expr {
	e := &plan.UnresolvedStar{Target: target}
	if p.peek() == kwExcept && p.la(1) == tLParen && p.isIdent(p.la(2)) && !p.queryAfter(1) {
		p.i += 2
		e.Except = append(e.Except, p.multipart())
		for p.accept(tComma) {
			e.Except = append(e.Except, p.multipart())
		}
		p.expect(tRParen)
	}
	e.At = p.from(s)
	return e
}

// parameter takes :name or ?.
func (p *parser) parameter() plan.Expr {
	s := p.i
	t := p.next()
	if t.kind == tQuestion {
		n := p.positional
		p.positional++
		if n < len(p.o.Positional) {
			return p.o.Positional[n]
		}
		off := p.src.char(int(t.start))
		return &plan.Parameter{At: p.from(s), Offset: off}
	}
	if !p.isIdent(p.peek()) {
		p.syntax()
		return bad()
	}
	name := p.name(p.next())
	if e, ok := p.o.Named[name]; ok {
		return e
	}
	for k, e := range p.o.Named {
		if strings.EqualFold(k, name) {
			return e
		}
	}
	return &plan.Parameter{At: p.from(s), Name: name}
}

// identifierClause parses IDENTIFIER(expr): the name's parts, or, when the
// expression is no constant, the expression.
func (p *parser) identifierClause() ([]string, plan.Expr) {
	s := p.i
	p.next()
	p.expect(tLParen)
	e := p.exprIn()
	p.expect(tRParen)
	if p.err != nil {
		return []string{""}, nil
	}
	if text, ok := constString(e); ok {
		return p.identifierParts(s, text), nil
	}
	return nil, e
}

// identifierParts splits the text of an IDENTIFIER clause, which began at token s.
func (p *parser) identifierParts(s int, text string) []string {
	parts, err := parseName(text)
	if err != nil {
		p.stop(err)
		return []string{""}
	}
	return parts
}

// constString is the value of a string literal, or of a concatenation of them.
func constString(e plan.Expr) (string, bool) {
	switch e := e.(type) {
	case *plan.Literal:
		s, ok := e.Value.(string)
		return s, ok
	case *plan.Call:
		if !strings.EqualFold(e.Name, "concat") || e.Path != nil {
			return "", false
		}
		var b strings.Builder
		for _, a := range e.Args {
			s, ok := constString(a)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		}
		return b.String(), true
	}
	return "", false
}
