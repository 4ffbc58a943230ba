package sqlparse

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// TABLESAMPLE, PIVOT and UNPIVOT.

func (p *parser) isSample() bool {
	k := p.la(1)
	return p.peek() == kwTablesample && (k == tLParen || (k == kwBernoulli || k == kwSystem) && p.la(2) == tLParen)
}

// sample parses TABLESAMPLE.
func (p *parser) sample(n plan.Node) plan.Node {
	s := p.i
	p.next()
	if k := p.acceptAny(kwBernoulli, kwSystem); k == kwSystem {
		p.fail(s, "UNSUPPORTED_FEATURE.TABLESAMPLE_SYSTEM")
		return n
	}
	p.next()
	sm := &plan.Sample{Child: n}
	if p.accept(tRParen) {
		p.fail(s, "_LEGACY_ERROR_TEMP_0014")
		return n
	}
	at := p.i
	neg := 0
	if p.peek() == tMinus {
		neg = 1
	}
	switch {
	case (p.la(neg) == tInt || p.la(neg) == tDecimal) && p.la(neg+1) == kwPercent:
		p.i += neg + 2
		f, err := strconv.ParseFloat(p.text(p.toks[at+neg]), 64)
		if err != nil {
			f = 2
		}
		if neg == 1 {
			f = -f
		}
		sm.Upper = f / 100
		p.fraction(sm.Upper, s)
	case p.peek() == kwBucket && p.la(1) == tInt && p.la(2) == kwOut:
		p.next()
		sm.BucketNum = p.integerValue()
		p.expectSeq(kwOut, kwOf)
		sm.BucketOf = p.integerValue()
		if p.accept(kwOn) {
			p.multipart()
			what := "BUCKET x OUT OF y ON colname"
			if p.acceptSeq(tLParen, tRParen) {
				what = "BUCKET x OUT OF y ON function"
			}
			p.fail(at, "_LEGACY_ERROR_TEMP_0015", "msg", what)
			return n
		}
		sm.Upper = float64(sm.BucketNum) / float64(sm.BucketOf)
		p.fraction(sm.Upper, s)
	default:
		e := p.exprIn()
		if p.accept(kwRows) {
			sm.Rows = e
			break
		}
		text := p.textFrom(at)
		p.expect(tRParen)
		if p.acceptSeq(kwRepeatable, tLParen) {
			p.integerValue()
			p.expect(tRParen)
		}
		if validBytes(text) {
			p.fail(s, "_LEGACY_ERROR_TEMP_0015", "msg", "byteLengthLiteral")
		} else {
			p.fail(s, "_LEGACY_ERROR_TEMP_0016", "bytesStr", text)
		}
		return n
	}
	p.expect(tRParen)
	if p.acceptSeq(kwRepeatable, tLParen) {
		seed := int64(p.integerValue())
		sm.Seed = &seed
		p.expect(tRParen)
	} else if sm.Rows == nil {
		seed := rand.Int64()
		sm.Seed = &seed
	}
	sm.Common = p.common(s)
	return sm
}

// fraction checks a sampling fraction, with Spark's tolerance.
func (p *parser) fraction(f float64, s int) {
	const eps = 1e-6
	if !(f >= 0-eps && f <= 1+eps) {
		p.fail(s, "INVALID_TABLESAMPLE_FRACTION", "fraction", string(types.AppendDouble(nil, f)))
	}
}

func validBytes(s string) bool {
	if len(s) < 2 || strings.IndexByte("bBkKmMgG", s[len(s)-1]) < 0 {
		return false
	}
	return digits(s, 0) == len(s)-1
}

// pivot parses PIVOT (aggregates FOR column IN (values)).
func (p *parser) pivot(n plan.Node) plan.Node {
	s := p.i
	p.i += 2
	p.noPipe++
	defer func() { p.noPipe-- }()
	pv := &plan.Pivot{Implicit: true, Child: n}
	pv.Aggs = p.namedExprs()
	p.expect(kwFor)
	at := p.i
	if p.peek() == tLParen {
		row := &plan.Call{Name: "struct", Infix: true}
		for {
			p.next()
			c := p.i
			name := p.nameIdent()
			row.Args = append(row.Args, &plan.UnresolvedAttr{At: p.from(c), Parts: []string{name}})
			if p.peek() != tComma {
				break
			}
		}
		p.expect(tRParen)
		row.At = p.from(at)
		pv.Column = row
		if len(row.Args) == 1 {
			pv.Column = row.Args[0]
		}
	} else {
		name := p.nameIdent()
		pv.Column = &plan.UnresolvedAttr{At: p.from(at), Parts: []string{name}}
	}
	p.expectSeq(kwIn, tLParen)
	for {
		v := p.i
		e := p.expr()
		if p.accept(kwAs) || p.isIdent(p.peek()) {
			e = &plan.Alias{Child: e, Names: []string{p.nameIdent()}, At: p.from(v)}
		}
		pv.Values = append(pv.Values, e)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen)
	p.expect(tRParen)
	pv.Common = p.common(s)
	return pv
}

// unpivot parses UNPIVOT.
func (p *parser) unpivot(n plan.Node) plan.Node {
	s := p.i
	p.next()
	u := &plan.Unpivot{Child: n}
	if k := p.acceptAny(kwInclude, kwExclude); k != tEOF {
		p.next()
		u.IncludeNulls = k == kwInclude
	}
	p.expect(tLParen)
	multi := p.peek() == tLParen
	if multi {
		u.ValueNames = p.identList()
	} else {
		u.ValueNames = []string{p.ident()}
	}
	p.expect(kwFor)
	u.VarName = p.ident()
	p.expectSeq(kwIn, tLParen)
	aliased := false
	for {
		var set []plan.Expr
		if multi {
			p.expect(tLParen)
			set = append(set, p.unpivotColumn())
			for p.accept(tComma) {
				set = append(set, p.unpivotColumn())
			}
			p.expect(tRParen)
		} else {
			set = []plan.Expr{p.unpivotColumn()}
		}
		u.Values = append(u.Values, set)
		alias := ""
		if p.accept(kwAs) || p.isIdent(p.peek()) {
			alias = p.nameIdent()
			aliased = true
		}
		u.Aliases = append(u.Aliases, alias)
		if !p.accept(tComma) {
			break
		}
	}
	if !aliased {
		u.Aliases = nil
	}
	p.expect(tRParen)
	p.expect(tRParen)
	u.Common = p.common(s)
	if p.peek() == kwAs && p.isIdent(p.la(1)) || p.isStrictIdent(p.peek()) && !p.endsTable(0) && !p.isPivot() {
		p.accept(kwAs)
		return &plan.SubqueryAlias{Name: p.nameIdent(), Child: u, Common: p.common(s)}
	}
	return u
}

func (p *parser) unpivotColumn() plan.Expr {
	s := p.i
	parts := p.multipart()
	return &plan.UnresolvedAttr{At: p.from(s), Parts: parts}
}
