package sqlparse

import (
	"strconv"
	"strings"

	"neptune/internal/plan"
)

// fromClause parses FROM relations, lateral views, PIVOT and UNPIVOT.
func (p *parser) fromClause() plan.Node {
	p.expect(kwFrom)
	s := p.i
	n := p.relation(nil, s)
	lateral := false
	height := 0
	for p.accept(tComma) {
		at := p.i
		lat := p.peek() == kwLateral && p.la(1) != kwView
		if lat {
			p.next()
			lateral = true
		}
		r := p.relationPrimary()
		if lat {
			p.checkLateral(r, at)
		}
		// As in Spark a, b JOIN c ON ... joins c to both: its condition sees a.
		n = &plan.Join{Common: p.common(s), Kind: plan.Inner, Lateral: lat, Left: n, Right: r}
		n = p.extensions(n, s)
		if height++; height > maxTree/2 {
			p.tooComplex()
		}
	}
	for p.peek() == kwLateral && p.la(1) == kwView {
		n = p.lateralView(n)
		lateral = true
	}
	// PIVOT behind a lateral view: relation takes the others.
	at := p.i
	pivot := p.isPivot()
	if pivot {
		n = p.pivot(n)
	}
	if p.isUnpivot() {
		n = p.unpivot(n)
		if pivot {
			p.fail(at, "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT")
		} else if lateral {
			p.fail(at, "NOT_ALLOWED_IN_FROM.LATERAL_WITH_UNPIVOT")
		}
	} else if pivot && lateral {
		p.fail(at, "NOT_ALLOWED_IN_FROM.LATERAL_WITH_PIVOT")
	}
	return n
}

// checkLateral refuses LATERAL before anything but a subquery or a table function.
func (p *parser) checkLateral(n plan.Node, s int) {
	for p.err == nil {
		switch x := n.(type) {
		case *plan.SubqueryAlias:
			n = x.Child
			continue
		case *plan.UnresolvedTable:
			// LATERAL t is refused, LATERAL (SELECT * FROM t) has a projection on top.
			p.fail(s, "INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC")
		case *plan.Join:
			p.fail(s, "INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC")
		}
		return
	}
}

// relation parses a table with the joins and pivots that follow. left, when not
// nil, is the first table, parsed already.
func (p *parser) relation(left plan.Node, s int) plan.Node {
	if left == nil {
		lateral := p.peek() == kwLateral && p.la(1) != kwView
		if lateral {
			p.next()
		}
		left = p.relationPrimary()
		if lateral {
			p.checkLateral(left, s)
			// The first table has nothing before it: Spark joins it with one row.
			left = &plan.Join{Common: p.common(s), Kind: plan.Inner, Lateral: true, Left: &plan.OneRow{Common: p.common(s)}, Right: left}
		}
	}
	return p.extensions(left, s)
}

func (p *parser) extensions(n plan.Node, s int) plan.Node {
	height := 0
	for p.err == nil {
		switch {
		case p.isPivot():
			n = p.pivot(n)
			if p.isUnpivot() {
				at := p.i
				p.unpivot(n)
				p.fail(at, "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT")
			}
		case p.isUnpivot():
			n = p.unpivot(n)
		case p.isJoin():
			n = p.join(n, s)
		case p.peek() == kwBin && p.la(1) == kwBy && p.la(2) == tLParen:
			at := p.i
			p.i += 2
			p.notSupported(at, "BIN BY clause")
		default:
			return n
		}
		if height++; height > maxTree/2 {
			p.tooComplex()
		}
	}
	return n
}

func (p *parser) isPivot() bool { return p.peek() == kwPivot && p.la(1) == tLParen }

func (p *parser) isUnpivot() bool {
	k := p.la(1)
	return p.peek() == kwUnpivot && (k == tLParen || (k == kwInclude || k == kwExclude) && p.la(2) == kwNulls)
}

// isJoin reports whether a join's words are next.
func (p *parser) isJoin() bool {
	n := 0
	if p.la(n) == kwNatural {
		n++
	}
	switch p.la(n) {
	case kwJoin:
		return true
	case kwAsof:
		return p.la(n+1) == kwJoin
	case kwInner, kwCross, kwSemi, kwAnti:
		return p.la(n+1) == kwJoin || p.la(n+1) == kwAsof
	case kwLeft, kwRight, kwFull:
		switch p.la(n + 1) {
		case kwJoin, kwAsof, kwOuter, kwSemi, kwAnti:
			return true
		}
	}
	return n == 1
}

func (p *parser) join(left plan.Node, s int) plan.Node {
	at := p.i
	j := &plan.Join{Left: left}
	j.Natural = p.accept(kwNatural)
	typeAt := p.i
	switch p.peek() {
	case kwInner:
		p.next()
	case kwCross:
		p.next()
		j.Kind = plan.Cross
	case kwLeft:
		p.next()
		j.Kind = plan.LeftOuter
		switch p.acceptAny(kwOuter, kwSemi, kwAnti) {
		case kwSemi:
			j.Kind = plan.LeftSemi
		case kwAnti:
			j.Kind = plan.LeftAnti
		}
	case kwSemi:
		p.next()
		j.Kind = plan.LeftSemi
	case kwAnti:
		p.next()
		j.Kind = plan.LeftAnti
	case kwRight:
		p.next()
		p.accept(kwOuter)
		j.Kind = plan.RightOuter
	case kwFull:
		p.next()
		p.accept(kwOuter)
		j.Kind = plan.FullOuter
	}
	typeText := strings.Join(strings.Fields(strings.ToUpper(p.sql[p.toks[typeAt].start:p.toks[p.i].start])), " ")
	if p.peek() == kwAsof {
		p.next()
		p.fail(at, "UNSUPPORTED_FEATURE.ASOF_JOIN", "config", `"spark.sql.join.asofJoin.enabled"`)
		return left
	}
	if !p.expect(kwJoin) {
		return left
	}
	lateral := p.i
	j.Lateral = p.accept(kwLateral)
	j.Right = p.relationPrimary()
	if j.Lateral {
		p.checkLateral(j.Right, lateral)
	}
	if j.Natural && j.Kind == plan.Cross {
		p.fail(at, "INCOMPATIBLE_JOIN_TYPES", "joinType1", "NATURAL", "joinType2", "CROSS")
		return left
	}
	if j.Natural && j.Lateral {
		p.fail(at, "INCOMPATIBLE_JOIN_TYPES", "joinType1", "LATERAL", "joinType2", "NATURAL")
		return left
	}
	if j.Lateral {
		switch j.Kind {
		case plan.Inner, plan.Cross, plan.LeftOuter:
		default:
			p.fail(at, "INVALID_LATERAL_JOIN_TYPE", "joinType", typeText)
			return left
		}
	}
	if !j.Natural {
		switch p.peek() {
		case kwOn:
			p.next()
			j.Cond = p.expr()
		case kwUsing:
			p.next()
			j.Using = p.identList()
			if j.Lateral {
				p.fail(at, "UNSUPPORTED_FEATURE.LATERAL_JOIN_USING")
			}
		case kwApprox, kwExact:
			if p.la(1) == kwNearest {
				p.i += 2
				p.notSupported(at, "NEAREST BY join")
			}
		}
	}
	j.Common = p.common(s)
	return j
}

// relationPrimary parses one table, subquery, VALUES or table function.
func (p *parser) relationPrimary() plan.Node {
	s := p.i
	k := p.peek()
	next := p.la(1)
	switch {
	case k == tLParen:
		n, bare := p.parenRelation()
		return p.tableTail(n, s, bare)
	case k == kwValues && p.startsExpr(1):
		p.next()
		return p.inlineTable(s)
	case k == kwUnnest && next == tLParen:
		p.next()
		p.notSupported(s, "UNNEST")
		return noNode()
	case k == kwJsonTable && next == tLParen:
		p.next()
		p.notSupported(s, "JSON_TABLE")
		return noNode()
	case k == kwStream && p.isIdent(next) && !p.endsTable(1):
		p.next()
		return p.tableName(s, true)
	case k == kwStream && next == tLParen && p.isIdent(p.la(2)) && (p.la(3) == tRParen || p.la(3) == tDot):
		p.i += 2
		parts := p.multipart()
		p.expect(tRParen)
		return p.tableRest(s, parts, nil, true)
	}
	if !p.isIdent(k) {
		if next == tLParen && (k == kwLeft || k == kwRight || k == kwFilter) {
			p.next()
			return p.tableFunction([]string{p.text(p.toks[s])}, s)
		}
		p.syntax()
		return noNode()
	}
	return p.tableName(s, false)
}

// tableName parses a name, IDENTIFIER(...) or a call of a table function.
func (p *parser) tableName(s int, streaming bool) plan.Node {
	if p.peek() == kwIdentifier && p.la(1) == tLParen {
		parts, e := p.nameRef()
		if p.peek() == tLParen {
			if e != nil {
				n := p.tableFunction([]string{"identifier"}, s)
				at := n
				if a, ok := at.(*plan.SubqueryAlias); ok {
					at = a.Child
				}
				if t, ok := at.(*plan.UnresolvedTVF); ok {
					t.Call.NameExpr = e
				}
				return n
			}
			return p.tableFunction(parts, s)
		}
		return p.tableRest(s, parts, e, streaming)
	}
	parts := p.multipart()
	if p.peek() == tLParen && p.err == nil {
		if streaming {
			p.notSupported(s, "STREAM of a table function")
			return noNode()
		}
		return p.tableFunction(parts, s)
	}
	return p.tableRest(s, parts, nil, streaming)
}

// tableRest parses what follows a table's name.
func (p *parser) tableRest(s int, parts []string, name plan.Expr, streaming bool) plan.Node {
	t := &plan.UnresolvedTable{Parts: parts, NameExpr: name, Streaming: streaming}
	switch {
	case p.peek() == tAt:
		p.next()
		p.fail(s, "UNSUPPORTED_FEATURE.TIME_TRAVEL_AT_SYNTAX", "config", `"spark.sql.timeTravel.atSyntax.enabled"`)
		return t
	case p.peek() == kwChanges && p.la(1) == kwFrom:
		p.i += 2
		p.fail(s, "UNSUPPORTED_FEATURE.CHANGE_DATA_CAPTURE", "catalogName", "spark_catalog")
		return t
	}
	p.temporal(t)
	if p.peek() == kwWith && p.la(1) == tLParen {
		p.next()
		t.Options = p.properties()
	}
	t.Common = p.common(s)
	return p.tableTail(t, s, false)
}

// temporal parses [FOR] VERSION AS OF v and [FOR] TIMESTAMP AS OF t.
func (p *parser) temporal(t *plan.UnresolvedTable) {
	n := 0
	if p.peek() == kwFor {
		n = 1
	}
	if p.la(n+1) != kwAs || p.la(n+2) != kwOf {
		return
	}
	switch p.la(n) {
	case kwSystemVersion, kwVersion:
		p.i += n + 3
		if p.peek() == tInt {
			t.Version = p.text(p.next())
		} else {
			t.Version = p.stringLit()
		}
	case kwSystemTime, kwTimestamp:
		p.i += n + 3
		t.Timestamp = p.value(nil, p.i, 1)
	}
}

// tableTail parses TABLESAMPLE, WATERMARK and the alias. bare marks a
// subquery, which gets a name of its own when it has no alias.
func (p *parser) tableTail(n plan.Node, s int, bare bool) plan.Node {
	if p.isSample() {
		n = p.sample(n)
	}
	if p.peek() == kwWatermark && p.startsExpr(1) && !p.endsTable(1) && p.la(1) != kwAs {
		n = p.watermark(n)
	}
	a := p.tableAlias(n, s)
	if bare && a == n {
		return &plan.SubqueryAlias{Common: p.common(s), Name: subqueryName, Child: n}
	}
	return a
}

// subqueryName is the name that Spark gives to subqueries without an alias.
const subqueryName = "__auto_generated_subquery_name"

// watermark parses WATERMARK column DELAY OF INTERVAL ...
func (p *parser) watermark(n plan.Node) plan.Node {
	s := p.i
	p.next()
	at := p.i
	e := p.expr()
	if p.accept(kwAs) {
		p.i--
		p.notSupported(s, "WATERMARK over an expression")
		return n
	}
	col, ok := e.(*plan.UnresolvedAttr)
	if !ok || len(col.Parts) != 1 {
		p.i = max(p.i, at+1)
		p.notSupported(s, "WATERMARK over an expression")
		return n
	}
	p.expectSeq(kwDelay, kwOf)
	d := p.i
	if p.peek() != kwInterval || p.interval() == nil {
		p.syntax()
		return n
	}
	delay := strings.ReplaceAll(p.sql[p.toks[d+1].start:p.toks[p.i-1].end], "'", "")
	return &plan.WithWatermark{Common: p.common(s), Column: col.Parts[0], Delay: delay, Child: n}
}

// tableAlias parses [AS] name [(columns)].
func (p *parser) tableAlias(n plan.Node, s int) plan.Node {
	if p.peek() == kwAs && !(p.la(1) == tLParen && !p.startsQuery(2)) { // AS (a) is an alias named "as"
		p.next()
		if !p.isStrictIdent(p.peek()) {
			p.syntax()
			return n
		}
	} else if !p.isStrictIdent(p.peek()) || p.endsTable(0) {
		return n
	}
	a := &plan.SubqueryAlias{Name: p.ident(), Child: n}
	if p.peek() == tLParen && p.isIdent(p.la(1)) && !p.startsQuery(1) {
		a.Columns = p.identList()
	} else if p.peek() == tLParen && p.la(1) != tRParen && !p.startsQuery(1) && p.la(1) != tLParen {
		p.identList() // names the token that is wrong
	}
	a.Common = p.common(s)
	return a
}

// endsTable reports whether the nth word from here begins a clause rather than being an alias without AS.
func (p *parser) endsTable(n int) bool {
	k := p.la(n)
	if k < firstKeyword {
		return false
	}
	next := p.la(n + 1)
	if p.script != nil && k == kwDo {
		return true
	}
	if next == tEOF || next == tRParen || next == tComma {
		return k == kwEnd
	}
	switch k {
	case kwAs:
		return next != tLParen
	case kwWhere, kwHaving, kwLimit, kwOffset, kwSelect, kwSet, kwOn, kwUsing, kwValues, kwWhen, kwThen:
		return true
	case kwGroup, kwOrder, kwSort, kwCluster, kwDistribute:
		return next == kwBy
	case kwWindow:
		return p.isWindowClause(n)
	case kwQualify:
		return p.startsExpr(n + 1)
	case kwPivot:
		return next == tLParen
	case kwUnpivot:
		return next == tLParen || next == kwInclude || next == kwExclude
	case kwTablesample:
		return next == tLParen || next == kwBernoulli || next == kwSystem
	case kwInsert:
		return next == kwInto || next == kwOverwrite
	case kwAsof:
		return next == kwJoin
	case kwApprox, kwExact:
		return next == kwNearest
	case kwBin:
		return next == kwBy
	case kwWatermark:
		return p.startsExpr(n + 1)
	case kwFor:
		return true
	case kwWith:
		return next == tLParen
	}
	return false
}

// parenRelation parses (query) or (relation); bare: it is a query. Nested
// parentheses are resolved as in parenBody, without going back.
func (p *parser) parenRelation() (n plan.Node, bare bool) {
	if !p.enter() {
		return noNode(), false
	}
	defer p.leave()
	p.next()
	s := p.i
	if p.peek() == kwValues && p.startsQuery(0) {
		// A join shows that it was a table; else it is a query's first operand.
		p.next()
		n = p.inlineTable(s)
		if p.isJoin() || p.isPivot() || p.isUnpivot() {
			n = p.extensions(n, s)
			p.expect(tRParen)
			return n, false
		}
		n = p.queryRest(n, s)
		p.expect(tRParen)
		return n, true
	}
	if p.startsQuery(0) {
		n = p.queryIn()
		p.expect(tRParen)
		return n, true
	}
	if p.peek() == tLParen {
		inner, isQuery := p.parenRelation()
		if isQuery && (p.continuesQuery() || p.peek() == tRParen) {
			n = p.queryRest(inner, s)
			p.expect(tRParen)
			return n, true
		}
		n = p.relation(p.tableTail(inner, s, isQuery), s)
	} else {
		n = p.relation(nil, s)
	}
	p.expect(tRParen)
	return n, false
}

// inlineTable parses the rest of VALUES.
func (p *parser) inlineTable(s int) plan.Node {
	t := &plan.InlineTable{}
	width := -1
	for {
		e := p.expr()
		row := []plan.Expr{e}
		if c, ok := e.(*plan.Call); ok && isRow(c) && len(c.Args) > 0 {
			row = rowValues(c)
		}
		if p.err != nil {
			return noNode()
		}
		if width < 0 {
			width = len(row)
		}
		t.Rows = append(t.Rows, row)
		if !p.accept(tComma) {
			break
		}
	}
	t.Common = p.common(s)
	n := p.tableAlias(t, s)
	if p.err != nil {
		return n
	}
	a, aliased := n.(*plan.SubqueryAlias)
	if aliased && a.Columns != nil {
		t.Names, a.Columns = a.Columns, nil
		width = len(t.Names)
	}
	for i, row := range t.Rows {
		if len(row) != width {
			p.fail(s, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH", "expectedNumCols", strconv.Itoa(width),
				"actualNumCols", strconv.Itoa(len(row)), "rowIndex", strconv.Itoa(i))
			break
		}
	}
	t.Common = p.common(s)
	return n
}

func (p *parser) tableFunction(name []string, s int) plan.Node {
	if !p.enter() {
		return noNode()
	}
	defer p.leave()
	c := &plan.Call{Name: name[len(name)-1]}
	if len(name) > 1 {
		c.Path = name[:len(name)-1]
	}
	p.expect(tLParen)
	p.noPipe++
	if p.peek() != tRParen {
		for {
			argName := ""
			if p.isIdent(p.peek()) && p.la(1) == tFatArrow {
				argName = p.ident()
				p.next()
			}
			if argName != "" && c.ArgNames == nil {
				c.ArgNames = make([]string, len(c.Args), len(c.Args)+1)
			}
			if p.peek() == kwTable && (p.la(1) == tLParen || p.isIdent(p.la(1))) {
				c.Args = append(c.Args, p.tableArg())
			} else {
				c.Args = append(c.Args, p.expr())
			}
			if c.ArgNames != nil {
				c.ArgNames = append(c.ArgNames, argName)
			}
			if !p.accept(tComma) {
				break
			}
		}
	}
	p.noPipe--
	p.expect(tRParen)
	c.At = p.from(s)
	n := &plan.UnresolvedTVF{Common: p.common(s), Call: c}
	if p.peek() == kwIdentified && p.la(1) == kwBy {
		p.i += 2
		p.notSupported(s, "IDENTIFIED BY clause")
		return n
	}
	return p.tableTail(n, s, false)
}

// tableArg parses TABLE t, TABLE(t) and TABLE(query).
func (p *parser) tableArg() plan.Expr {
	s := p.i
	p.next()
	sub := &plan.Subquery{Kind: plan.TableArg}
	if p.accept(tLParen) {
		if p.startsQuery(0) || p.peek() == tLParen {
			sub.Plan = p.queryIn()
		} else {
			sub.Plan = p.tableRefOnly()
		}
		p.expect(tRParen)
	} else {
		sub.Plan = p.tableRefOnly()
	}
	switch k := p.peek(); {
	case k == kwWith && p.la(1) == kwSingle, k == kwPartition, k == kwDistribute, k == kwOrder, k == kwSort:
		p.next()
		p.notSupported(s, "PARTITION BY and ORDER BY of a TABLE argument")
	}
	sub.At = p.from(s)
	return sub
}

// tableRefOnly is a table's name without anything behind it.
func (p *parser) tableRefOnly() plan.Node {
	s := p.i
	t := &plan.UnresolvedTable{}
	t.Parts, t.NameExpr = p.nameRef()
	t.Common = p.common(s)
	return t
}

// nameRef parses a name or IDENTIFIER(expr).
func (p *parser) nameRef() ([]string, plan.Expr) {
	if p.peek() != kwIdentifier || p.la(1) != tLParen {
		return p.multipart(), nil
	}
	parts, e := p.identifierClause()
	for e == nil && p.peek() == tDot && p.isIdent(p.la(1)) && !p.o.LegacyIdentifierClause {
		p.next()
		parts = append(parts, p.nameIdent())
	}
	return parts, e
}

// lateralView parses LATERAL VIEW [OUTER] f(x) t [AS] a, b.
func (p *parser) lateralView(n plan.Node) plan.Node {
	s := p.i
	p.i += 2
	g := &plan.Generate{Child: n}
	if p.peek() == kwOuter && p.la(1) != tLParen {
		p.next()
		g.Outer = true
	}
	at := p.i
	name := p.multipart()
	c := &plan.Call{Name: name[len(name)-1]}
	if len(name) > 1 {
		c.Path = name[:len(name)-1]
	}
	p.expect(tLParen)
	if p.peek() != tRParen {
		p.noPipe++
		c.Args = p.exprList()
		p.noPipe--
	}
	p.expect(tRParen)
	c.At = p.from(at)
	g.Gen = c
	g.Table = p.ident()
	if p.accept(kwAs) || p.isIdent(p.peek()) && !p.endsTable(0) && !p.isJoin() && !(p.peek() == kwLateral && p.la(1) == kwView) && !p.continuesQuery() {
		g.Names = append(g.Names, p.ident())
		for p.peek() == tComma && p.isIdent(p.la(1)) {
			p.next()
			g.Names = append(g.Names, p.ident())
		}
	}
	g.Common = p.common(s)
	return g
}
