package sqlparse

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// scriptField is what stands between the columns of a script's rows, and scriptNull what is a null there.
const (
	scriptField = "\x01"
	scriptNull  = `\N`
)

// isTransform tells SELECT TRANSFORM(...) USING 'script' from a call of the
// function transform, and MAP and REDUCE ... USING from the functions of these names.
func (p *parser) isTransform() bool {
	k := p.peek()
	if k == kwMap || k == kwReduce {
		return p.startsExpr(1) || p.la(1) == tStar
	}
	if k != kwSelect || p.la(1) != kwTransform || p.la(2) != tLParen || p.la(3) == tRParen {
		return false
	}
	depth := 0
	for n := 2; ; n++ {
		switch p.la(n) {
		case tLParen:
			depth++
		case tRParen:
			if depth--; depth == 0 {
				k := p.la(n + 1)
				return k == kwUsing || k == kwRow && p.la(n+2) == kwFormat || k == kwRecordwriter
			}
		case tEOF:
			return false
		}
	}
}

// transformQuery parses a script transformation that begins a query.
func (p *parser) transformQuery() plan.Node {
	s := p.i
	return p.transform(nil, s, len(p.windows))
}

// transform parses SELECT TRANSFORM(...), MAP ... or REDUCE ..., with USING and
// what follows, over from or, where that is nil, a FROM clause of its own.
func (p *parser) transform(from plan.Node, s, mark int) plan.Node {
	t := &plan.ScriptTransform{In: plan.RowFormat{Field: scriptField, Null: scriptNull}, Answer: plan.RowFormat{Field: scriptField, Null: scriptNull}}
	inside := p.next().kind == kwSelect
	if inside {
		p.i += 2
	}
	quantified := (p.peek() == kwDistinct || p.peek() == kwAll) && (p.startsExpr(1) || p.la(1) == tStar)
	if quantified {
		p.next()
	}
	c := selectClause{list: []plan.Expr{p.expr()}}
	for p.accept(tComma) {
		c.list = append(c.list, p.expr())
	}
	if inside {
		p.expect(tRParen)
	}
	serde := p.scriptFormat(&t.In, s)
	classes := p.accept(kwRecordwriter)
	if classes {
		p.stringLit()
	}
	p.expect(kwUsing)
	t.Script = p.stringLit()
	if p.accept(kwAs) {
		t.Columns = p.scriptColumns()
	}
	serde = p.scriptFormat(&t.Answer, s) || serde
	if p.accept(kwRecordreader) {
		p.stringLit()
		classes = true
	}
	switch {
	case from != nil:
	case p.peek() == kwFrom:
		from = p.fromClause()
	default:
		from = &plan.OneRow{Common: plan.Common{Origin: p.span(s, s)}}
	}
	n := p.selectBody(c, from, s, mark)
	switch {
	case p.err != nil:
		return noNode()
	case quantified:
		p.fail(s, "UNSUPPORTED_FEATURE.TRANSFORM_DISTINCT_ALL")
	case classes:
		p.fail(s, "_LEGACY_ERROR_TEMP_0048")
	case serde:
		p.fail(s, "UNSUPPORTED_FEATURE.TRANSFORM_NON_HIVE")
	}
	t.Common, t.Child = p.common(s), n
	return t
}

// scriptColumns parses what follows AS: names, or names with types, in parentheses or not.
func (p *parser) scriptColumns() []types.Field {
	parens := p.accept(tLParen)
	var out []types.Field
	typed := p.isIdent(p.la(1))
	switch p.la(1) {
	case kwFrom, kwWhere, kwRow, kwRecordreader, kwLateral, kwGroup, kwHaving, kwWindow, kwOrder, kwSort, kwDistribute, kwCluster, kwLimit, kwOffset, kwUnion, kwIntersect, kwExcept, kwMinus:
		typed = parens
	}
	if !typed {
		for _, name := range p.identSeq() {
			out = append(out, types.Field{Name: name, Type: types.StringType, Nullable: true})
		}
	} else {
		out = p.columns(false)
	}
	if parens {
		p.expect(tRParen)
	}
	return out
}

// scriptFormat parses ROW FORMAT DELIMITED into f, and reports ROW FORMAT SERDE.
func (p *parser) scriptFormat(f *plan.RowFormat, s int) bool {
	if p.peek() != kwRow || p.la(1) != kwFormat {
		return false
	}
	p.i += 2
	if p.accept(kwSerde) {
		p.stringLit()
		if p.accept(kwWith) {
			p.expect(kwSerdeproperties)
			p.properties()
		}
		return true
	}
	p.expect(kwDelimited)
	for p.err == nil {
		switch p.peek() {
		case kwFields:
			p.next()
			p.terminated(&f.Field)
			if p.acceptSeq(kwEscaped, kwBy) {
				p.stringLit()
			}
		case kwCollection:
			p.next()
			p.expect(kwItems)
			p.terminated(nil)
		case kwMap:
			if p.la(1) != kwKeys {
				return false
			}
			p.i += 2
			p.terminated(nil)
		case kwLines:
			p.next()
			var end string
			p.terminated(&end)
			if end != "\n" {
				p.fail(s, "INVALID_SQL_SYNTAX.UNSUPPORTED_ROW_FORMAT_LINES_TERMINATED_BY", "value", end)
			}
		case kwNull:
			p.next()
			p.expect(kwDefined)
			p.expect(kwAs)
			f.Null = p.stringLit()
		default:
			return false
		}
	}
	return false
}

// terminated parses TERMINATED BY 'x' into to, if that isn't nil.
func (p *parser) terminated(to *string) {
	p.expect(kwTerminated)
	p.expect(kwBy)
	if x := p.stringLit(); to != nil {
		*to = x
	}
}
