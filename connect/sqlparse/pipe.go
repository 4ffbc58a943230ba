package sqlparse

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// pipeWord reports whether a word behind | makes it a pipe: |> may be written | there.
func pipeWord(k kind) bool {
	switch k {
	case kwSelect, kwExtend, kwSet, kwDrop, kwAs, kwWhere, kwPivot, kwUnpivot, kwTablesample, kwInner, kwCross, kwLeft, kwRight,
		kwFull, kwNatural, kwSemi, kwAnti, kwJoin, kwUnion, kwExcept, kwMinus, kwIntersect, kwOrder, kwCluster, kwDistribute, kwSort,
		kwLimit, kwOffset, kwAggregate, kwWindow, kwLateral:
		return true
	}
	return false
}

// pipe parses what follows |> and applies it to the query before, which began at token s.
func (p *parser) pipe(left plan.Node, s int) plan.Node {
	at := p.i
	mark := len(p.windows)
	switch k := p.peek(); k {
	case kwSelect:
		return p.pipeSelect(left, at, mark)
	case kwExtend:
		p.next()
		list := append([]plan.Expr{&plan.UnresolvedStar{At: p.from(at)}}, p.namedExprs()...)
		for _, e := range list[1:] {
			if star, ok := e.(*plan.UnresolvedStar); ok && p.err == nil {
				p.stop(errs.New(errs.Analysis, "INVALID_USAGE_OF_STAR_OR_REGEX", "elem", "'*'", "prettyName", "expression `pipeexpression`").At(star.Origin))
			}
		}
		return &plan.Project{Common: p.common(at), List: list, Child: left, Pipe: "EXTEND"}
	case kwSet:
		return p.pipeSet(left, at)
	case kwDrop:
		p.next()
		star := &plan.UnresolvedStar{}
		star.Except = append(star.Except, p.multipart())
		for p.accept(tComma) {
			star.Except = append(star.Except, p.multipart())
		}
		star.At = p.from(at)
		return &plan.Project{Common: p.common(at), List: []plan.Expr{star}, Child: left}
	case kwAs:
		p.next()
		name := p.nameIdent()
		return &plan.SubqueryAlias{Common: p.common(at), Name: name, Child: left}
	case kwWhere:
		n := p.where(&plan.PipeInput{Common: p.common(s), Child: left})
		if p.isWindowClause(0) {
			p.windowClause(mark)
			p.fail(s, "NOT_ALLOWED_IN_PIPE_OPERATOR_WHERE.WINDOW_CLAUSE")
		}
		return n
	case kwTablesample:
		return p.sample(left)
	case kwPivot, kwUnpivot:
		return p.pipePivot(left, s)
	case kwUnion, kwExcept, kwMinus, kwIntersect:
		p.next()
		op := p.setOp(k)
		op.Inputs = []plan.Node{left, p.operandQuery()}
		op.Common = p.common(s)
		return op
	case kwAggregate:
		return p.pipeAggregate(left, at, s)
	case kwOrder, kwSort, kwCluster, kwDistribute, kwLimit, kwOffset, kwWindow:
		return p.pipeOrganization(left, at)
	case kwBin:
		p.next()
		p.notSupported(at, "BIN BY clause")
		return left
	}
	if p.isJoin() {
		return p.join(left, s)
	}
	p.syntax()
	return left
}

func (p *parser) pipeSelect(left plan.Node, at, mark int) plan.Node {
	c := p.selectClause()
	var agg *plan.Aggregate
	if p.peek() == kwGroup && p.la(1) == kwBy {
		agg = p.groupBy()
	}
	if p.isWindowClause(0) {
		p.windowClause(mark)
	}
	var n plan.Node = &plan.Project{Common: p.common(at), List: c.list, Child: left}
	if agg != nil {
		agg.List, agg.Child, agg.Common = c.list, left, p.common(at)
		n = agg
	}
	if c.distinct {
		n = &plan.Distinct{Common: p.common(at), AllCols: true, Child: n}
	}
	for i := len(c.hints) - 1; i >= 0; i-- {
		c.hints[i].Child = n
		n = c.hints[i]
	}
	return n
}

// pipeSet parses |> SET a = x, b = y: one node each, since y sees the new a.
func (p *parser) pipeSet(n plan.Node, at int) plan.Node {
	p.next()
	for {
		s := p.i
		name := p.multipart()
		p.expect(tEq)
		e := p.expr()
		if len(name) > 1 {
			p.fail(s, "_LEGACY_ERROR_TEMP_0035", "message", "SQL pipe syntax |> SET operator with multi-part assignment key (only single-part keys are allowed)")
			return n
		}
		col := &plan.Alias{At: p.from(s), Child: e, Names: name}
		n = &plan.WithColumns{Common: p.common(at), Cols: []*plan.Alias{col}, Child: n, MustExist: true}
		if !p.accept(tComma) {
			return n
		}
	}
}

func (p *parser) pipePivot(left plan.Node, at int) plan.Node {
	var n plan.Node
	switch {
	case p.isPivot():
		n = p.pivot(left)
		if p.isUnpivot() {
			p.unpivot(n)
			p.fail(at, "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT")
		}
	case p.isUnpivot():
		n = p.unpivot(left)
		if p.isPivot() {
			p.pivot(n)
			p.fail(at, "NOT_ALLOWED_IN_FROM.UNPIVOT_WITH_PIVOT")
		}
	default:
		p.next()
		p.syntax()
		n = left
	}
	return n
}

// pipeAggregate parses |> AGGREGATE list [GROUP BY keys]: the keys come out first.
func (p *parser) pipeAggregate(left plan.Node, at, s int) plan.Node {
	p.next()
	var list []plan.Expr
	if k := p.peek(); k != tEOF && k != tRParen && k != tSemicolon && k != tOpPipe && !(k == kwGroup && p.la(1) == kwBy && p.startsExpr(2)) {
		list = p.namedExprs()
	}
	if p.peek() != kwGroup || p.la(1) != kwBy {
		if len(list) == 0 {
			p.fail(s, "_LEGACY_ERROR_TEMP_0035", "message",
				"The AGGREGATE clause requires a list of aggregate expressions or a list of grouping expressions, or both")
			return left
		}
		return &plan.Aggregate{Common: p.common(at), List: list, Child: left, KeysFirst: true, Pipe: true}
	}
	a := p.groupBy()
	if a.GroupKind != plan.GroupPlain && p.err == nil {
		what := "GROUPING SETS"
		if a.GroupKind == plan.GroupAll {
			what = "GROUP BY ALL"
		} else if len(a.GroupParts) > 0 {
			switch a.GroupParts[len(a.GroupParts)-1].Kind {
			case "rollup":
				what = "GROUP BY ROLLUP"
			case "cube":
				what = "GROUP BY CUBE"
			}
		}
		p.fail(s, "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE", "case", what)
		return left
	}
	for _, e := range list {
		if what := outsideAggregate(e); what != "" && p.err == nil {
			p.fail(s, "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE", "case", what)
			return left
		}
	}
	a.List, a.Child, a.KeysFirst, a.Pipe = list, left, true, true
	a.Common = p.common(at)
	return a
}

func (p *parser) pipeOrganization(left plan.Node, at int) plan.Node {
	sorts := p.peek() == kwOrder || p.peek() == kwSort || p.peek() == kwCluster || p.peek() == kwDistribute
	kindAt := p.peek()
	n := p.organization(&plan.PipeInput{Common: p.common(at), Child: left}, at, len(p.windows))
	if l, ok := n.(*plan.Limit); ok && p.err == nil && sorts {
		second := "LIMIT"
		if l.N == nil {
			second = "OFFSET"
		}
		p.fail(at, "MULTIPLE_QUERY_RESULT_CLAUSES_WITH_PIPE_OPERATORS", "clause1", keywordText[kindAt]+" BY", "clause2", second)
	}
	return n
}

// outsideAggregate names what |> AGGREGATE can't compute in e, or is empty.
func outsideAggregate(e plan.Expr) string {
	what := ""
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Window:
			what = "window functions; please update the query to move the window functions to a subsequent |> SELECT operator instead"
		case *plan.Call:
			if n := strings.ToUpper(e.Name); n == "GROUPING" || n == "GROUPING_ID" {
				what = n
			}
		}
		return what == ""
	})
	return what
}
