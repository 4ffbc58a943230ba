package sqlparse

import (
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// special parses the calls that have a syntax of their own, such as CAST(x AS
// INT); nil when the token begins an ordinary call.
func (p *parser) special(k kind) plan.Expr {
	switch k {
	case kwCast, kwTryCast:
		return p.castCall(k)
	case kwStruct:
		return p.structCall()
	case kwExtract:
		if p.isIdent(p.la(2)) && p.la(3) == kwFrom {
			return p.extractCall()
		}
	case kwPosition, kwSubstring, kwSubstr, kwOverlay:
		return p.stringCall(k)
	case kwTrim:
		return p.trimCall()
	case kwIdentifier:
		return p.identifierCall()
	case kwTimestampadd, kwDateadd, kwDateAdd, kwTimestampdiff, kwDatediff, kwDateDiff, kwTimediff:
		return p.unitCall(k)
	}
	return nil
}

func (p *parser) castCall(k kind) plan.Expr {
	s := p.i
	saved := p.group()
	p.i += 2
	c := &plan.Cast{Mode: p.castMode()}
	if k == kwTryCast {
		c.Mode = plan.Try
	}
	c.Child = p.exprIn()
	p.expect(kwAs)
	c.To = p.dataType()
	p.expect(tRParen)
	p.ungroup(saved)
	c.At = p.from(s)
	return c
}

func (p *parser) structCall() plan.Expr {
	s := p.i
	saved := p.group()
	p.i += 2
	c := &plan.Call{Name: "struct"}
	p.noPipe++
	if p.peek() != tRParen {
		if !p.enter() {
			return bad()
		}
		c.Args = p.namedExprs()
		p.leave()
	}
	p.noPipe--
	p.expect(tRParen)
	p.ungroup(saved)
	return p.callTail(c, s)
}

func (p *parser) extractCall() plan.Expr {
	s := p.i
	p.i += 2
	f := p.i
	field := &plan.Literal{T: types.StringType, Value: p.ident()}
	field.At = p.from(f)
	p.expect(kwFrom)
	src := p.operandIn()
	p.expect(tRParen)
	p.grow(p.height)
	return &plan.Call{At: p.from(s), Name: "extract", Args: []plan.Expr{field, src}}
}

// operandIn is a value expression inside of a call's parentheses.
func (p *parser) operandIn() plan.Expr {
	if !p.enter() {
		return bad()
	}
	p.noPipe++
	e := p.value(nil, p.i, 1)
	p.noPipe--
	p.leave()
	return e
}

// stringCall parses POSITION(a IN b), SUBSTRING(a FROM b FOR c) and
// OVERLAY(a PLACING b FROM c FOR d), and the ordinary calls of these names.
func (p *parser) stringCall(k kind) plan.Expr {
	s := p.i
	name := p.text(p.toks[s])
	if p.la(2) == tRParen || p.la(2) == kwDistinct || p.la(3) == tFatArrow {
		return nil
	}
	saved := p.group()
	p.i += 2
	at := p.i
	first := p.operandIn()
	finish := func(name string, args ...plan.Expr) plan.Expr {
		p.expect(tRParen)
		p.ungroup(saved)
		return &plan.Call{At: p.from(s), Name: name, Args: args}
	}
	switch {
	case k == kwPosition && p.accept(kwIn):
		return finish("locate", first, p.operandIn())
	case k == kwOverlay && p.accept(kwPlacing):
		args := []plan.Expr{first, p.operandIn()}
		p.expect(kwFrom)
		args = append(args, p.operandIn())
		if p.accept(kwFor) {
			args = append(args, p.operandIn())
		}
		return finish("overlay", args...)
	case (k == kwSubstring || k == kwSubstr) && p.accept(kwFrom):
		args := []plan.Expr{first, p.operandIn()}
		if p.acceptAny(kwFor, tComma) != tEOF {
			args = append(args, p.operandIn())
		}
		return finish("substring", args...)
	}
	p.tallest = max(saved, p.tallest)
	p.noPipe++
	first = p.or(first, at)
	p.noPipe--
	return p.call([]string{name}, s, first)
}

// trimCall parses TRIM([BOTH|LEADING|TRAILING] [x] FROM y). The result is the
// call trim, ltrim or rtrim with the text first.
func (p *parser) trimCall() plan.Expr {
	s := p.i
	if p.la(2) == tRParen {
		return nil
	}
	name, opt := "trim", p.la(2)
	at := s + 2
	switch opt {
	case kwBoth, kwLeading, kwTrailing:
		if !p.startsExpr(3) && p.la(3) != kwFrom {
			break
		}
		at++
		if opt == kwLeading {
			name = "ltrim"
		} else if opt == kwTrailing {
			name = "rtrim"
		}
	}
	saved := p.group()
	p.i = at
	var args []plan.Expr
	if p.peek() != kwFrom || !p.startsExpr(1) {
		args = append(args, p.operandIn())
	}
	if p.accept(kwFrom) {
		args = append([]plan.Expr{p.operandIn()}, args...)
		p.expect(tRParen)
		p.ungroup(saved)
		return &plan.Call{At: p.from(s), Name: name, Args: args, Infix: true}
	}
	p.tallest = max(saved, p.tallest)
	if at != s+2 || len(args) == 0 {
		p.syntax()
		return bad()
	}
	p.noPipe++
	first := p.or(args[0], at)
	p.noPipe--
	return p.call([]string{p.text(p.toks[s])}, s, first)
}

// identifierCall parses IDENTIFIER(expr) in an expression: a column, or, before
// a parenthesis, a function. When the name is no constant, the column is the call identifier(expr).
func (p *parser) identifierCall() plan.Expr {
	s := p.i
	if p.la(2) == tRParen || p.la(2) == kwDistinct {
		return nil
	}
	saved := p.group()
	p.next()
	p.expect(tLParen)
	e := p.exprIn()
	if p.peek() == tComma { // a function of that name
		p.tallest = max(saved, p.tallest)
		return p.call([]string{p.text(p.toks[s])}, s, e)
	}
	p.expect(tRParen)
	p.ungroup(saved)
	if p.err != nil {
		return bad()
	}
	text, constant := constString(e)
	if p.peek() == tLParen {
		if constant {
			return p.call(p.identifierParts(s, text), s, nil)
		}
		f := p.call([]string{"identifier"}, s, nil)
		switch x := f.(type) {
		case *plan.Call:
			x.NameExpr = e
		case *plan.Window:
			if c, ok := x.Func.(*plan.Call); ok {
				c.NameExpr = e
			}
		}
		return f
	}
	// A call of its own, which the analyzer resolves to a column: its name isn't the column's.
	if constant {
		p.identifierParts(s, text)
		e = &plan.Literal{At: plan.At{Origin: e.Pos()}, T: types.StringType, Value: text}
	}
	return &plan.Call{At: p.from(s), Name: "identifier", Args: []plan.Expr{e}, Internal: true}
}

// unitCall parses TIMESTAMPADD(unit, n, t) and TIMESTAMPDIFF(unit, a, b) under
// their names: calls timestampadd and timestampdiff with the unit as a string.
func (p *parser) unitCall(k kind) plan.Expr {
	s := p.i
	unit := p.toks[s+2]
	p.next()
	e := p.call([]string{p.text(p.toks[s])}, s, nil)
	c, ok := e.(*plan.Call)
	if !ok || p.err != nil || len(c.Args) != 3 || c.ArgNames != nil || c.Distinct {
		return e
	}
	if unit.kind == tString && p.toks[s+3].kind == tComma {
		p.fail(s, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "functionName", "`"+p.text(p.toks[s])+"`",
			"parameter", "`unit`", "invalidValue", p.text(unit))
		return bad()
	}
	if !isDatetimeUnit(unit.kind) || p.toks[s+3].kind != tComma {
		return e
	}
	c.Name, c.Internal = "timestampadd", true
	switch k {
	case kwTimestampdiff, kwDatediff, kwDateDiff, kwTimediff:
		c.Name = "timestampdiff"
	}
	c.Args[0] = &plan.Literal{At: plan.At{Origin: c.Args[0].Pos()}, T: types.StringType, Value: p.text(unit)}
	return c
}

func isDatetimeUnit(k kind) bool {
	switch k {
	case kwYear, kwQuarter, kwMonth, kwWeek, kwDay, kwDayofyear, kwHour, kwMinute, kwSecond, kwMillisecond, kwMicrosecond:
		return true
	}
	return false
}

// call parses the parenthesis of a function call and what follows it. first is
// an argument that is parsed already, behind the parenthesis.
func (p *parser) call(name []string, s int, first plan.Expr) plan.Expr {
	if !p.enter() {
		return bad()
	}
	defer p.leave()
	saved := p.group()
	c := &plan.Call{Name: name[len(name)-1]}
	if len(name) > 1 {
		c.Path = name[:len(name)-1]
	}
	p.noPipe++
	if first != nil {
		c.Args = append(c.Args, first)
		if p.peek() == tComma {
			p.next()
			p.args(c)
		}
	} else {
		p.expect(tLParen)
		if p.peek() != tRParen {
			if q := p.peek(); (q == kwDistinct || q == kwAll) && p.startsExpr(1) && p.la(1) != tLBracket {
				p.next()
				c.Distinct = q == kwDistinct
			}
			p.args(c)
		}
	}
	if p.peek() == kwIgnore && p.la(1) == kwNulls && p.la(2) == tRParen && len(c.Args) == 1 {
		switch p.toks[s].kind {
		case kwFirst, kwLast, kwAnyValue:
			p.i += 2
			c.Nulls = plan.IgnoreNulls
		}
	}
	p.expect(tRParen)
	p.noPipe--
	if p.err != nil {
		return bad()
	}
	if len(c.Args) == 1 && !c.Distinct && c.Path == nil && strings.EqualFold(c.Name, "count") {
		if star, ok := c.Args[0].(*plan.UnresolvedStar); ok && star.Target == nil && star.Except == nil {
			c.Args[0] = &plan.Literal{At: star.At, T: types.Int32Type, Value: int32(1)}
		}
	}
	p.ungroup(saved)
	return p.callTail(c, s)
}

// args parses a list of arguments: expressions, name => expression.
func (p *parser) args(c *plan.Call) {
	for {
		name := ""
		if p.isIdent(p.peek()) && p.la(1) == tFatArrow {
			name = p.ident()
			p.next()
		}
		if name != "" && c.ArgNames == nil {
			c.ArgNames = make([]string, len(c.Args), len(c.Args)+1)
		}
		c.Args = append(c.Args, p.expr())
		if c.ArgNames != nil {
			c.ArgNames = append(c.ArgNames, name)
		}
		if !p.accept(tComma) {
			return
		}
	}
}

// callTail parses WITHIN GROUP, FILTER, IGNORE NULLS and OVER.
func (p *parser) callTail(c *plan.Call, s int) plan.Expr {
	if p.peek() == kwWithin && p.la(1) == kwGroup {
		p.i += 2
		p.expect(tLParen)
		p.expectSeq(kwOrder, kwBy)
		p.noPipe++
		c.Order = p.sortItems()
		p.noPipe--
		p.expect(tRParen)
	}
	if p.peek() == kwFilter && p.la(1) == tLParen && p.la(2) == kwWhere {
		p.i += 3
		c.Filter = p.exprIn()
		p.expect(tRParen)
	}
	if k := p.peek(); (k == kwIgnore || k == kwRespect) && p.la(1) == kwNulls {
		p.i += 2
		c.Nulls = plan.RespectNulls
		if k == kwIgnore {
			c.Nulls = plan.IgnoreNulls
		}
	}
	c.At = p.from(s)
	if p.peek() == kwOver && (p.la(1) == tLParen || p.isIdent(p.la(1))) {
		p.next()
		w := p.windowSpec()
		w.Func = c
		w.At = p.from(s)
		if w.Name != "" {
			p.windows = append(p.windows, w)
		}
		p.grow(p.height)
		return w
	}
	return c
}

// windowSpec parses a name, (name) or (PARTITION BY ... ORDER BY ... frame).
func (p *parser) windowSpec() *plan.Window {
	w := &plan.Window{}
	if p.peek() != tLParen {
		w.Name = p.nameIdent()
		return w
	}
	p.next()
	if p.isIdent(p.peek()) && p.la(1) == tRParen {
		w.Name = p.nameIdent()
		p.next()
		return w
	}
	p.noPipe++
	switch {
	case p.acceptSeq(kwCluster, kwBy):
		w.Partition = p.exprList()
		for _, e := range w.Partition {
			w.Order = append(w.Order, plan.SortOrder{Child: e})
		}
	default:
		if p.acceptSeq(kwPartition, kwBy) || p.acceptSeq(kwDistribute, kwBy) {
			w.Partition = p.exprList()
		}
		if p.acceptSeq(kwOrder, kwBy) || p.acceptSeq(kwSort, kwBy) {
			w.Order = p.sortItems()
		}
	}
	if k := p.peek(); k == kwRows || k == kwRange {
		p.next()
		w.Frame = &plan.Frame{Rows: k == kwRows}
		if p.accept(kwBetween) {
			w.Frame.Lower = p.frameEnd()
			p.expect(kwAnd)
			w.Frame.Upper = p.frameEnd()
		} else {
			w.Frame.Lower = p.frameEnd()
			w.Frame.Upper = plan.FrameEnd{Kind: plan.CurrentRow}
		}
	}
	p.noPipe--
	p.expect(tRParen)
	return w
}

func (p *parser) frameEnd() plan.FrameEnd {
	switch {
	case p.acceptSeq(kwUnbounded, kwPreceding):
		return plan.FrameEnd{Kind: plan.UnboundedPreceding}
	case p.acceptSeq(kwUnbounded, kwFollowing):
		return plan.FrameEnd{Kind: plan.UnboundedFollowing}
	case p.acceptSeq(kwCurrent, kwRow):
		return plan.FrameEnd{Kind: plan.CurrentRow}
	}
	e := p.expr()
	switch {
	case p.accept(kwPreceding):
		return plan.FrameEnd{Kind: plan.Preceding, Offset: e}
	case p.accept(kwFollowing):
		return plan.FrameEnd{Kind: plan.Following, Offset: e}
	}
	p.syntax()
	return plan.FrameEnd{}
}

// sortItems parses the keys of an ORDER BY, with Spark's default for nulls.
func (p *parser) sortItems() []plan.SortOrder {
	var out []plan.SortOrder
	for {
		o := plan.SortOrder{Child: p.expr()}
		if p.acceptAny(kwAsc, kwDesc) == kwDesc {
			o.Desc, o.NullsLast = true, true
		}
		if p.peek() == kwNulls && (p.la(1) == kwFirst || p.la(1) == kwLast) {
			o.NullsLast = p.la(1) == kwLast
			p.i += 2
		}
		out = append(out, o)
		if !p.accept(tComma) {
			return out
		}
	}
}
