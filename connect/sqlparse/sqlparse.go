// Package sqlparse turns Spark SQL text (the dialect of Spark 4.3) into the
// unresolved nodes and expressions of package plan. A hand-written lexer and
// recursive descent with precedence climbing; no backtracking, so the time is
// linear in the length of the text.
//
// Positions: every expression and relation has an errs.Origin, line from 1,
// column and offsets from 0, in characters. Errors are *errs.Error with
// Spark's conditions; a PARSE_SYNTAX_ERROR has line and column but, as in
// Spark, no offsets (Start and Stop are -1).
package sqlparse

import (
	"strings"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Options are the settings of a session that change what a text means.
type Options struct {
	ANSI                    bool           // spark.sql.ansi.enabled: the mode of CAST
	DoubleQuotedIdentifiers bool           // spark.sql.ansi.doubleQuotedIdentifiers, in ANSI mode
	EnforceReserved         bool           // spark.sql.ansi.enforceReservedKeywords, in ANSI mode
	EscapedStringLiterals   bool           // spark.sql.parser.escapedStringLiterals: no backslash escapes
	ConsecutiveStrings      bool           // spark.sql.legacy.consecutiveStringLiterals.enabled: 'a''b' is ab
	BangEqualsNot           bool           // spark.sql.legacy.bangEqualsNot: a ! IN (b)
	RegexColumns            bool           // spark.sql.parser.quotedRegexColumnNames: quoted names in a SELECT list are patterns
	NoSinglePipe            bool           // | doesn't stand for |> before a pipe operator's word
	LegacyIdentifierClause  bool           // IDENTIFIER('x') only where a whole table, column or function name may stand
	ExponentDecimal         bool           // spark.sql.legacy.exponentLiteralAsDecimal.enabled: 1e3 is a DECIMAL
	FlatSetOperations       bool           // spark.sql.legacy.setopsPrecedence.enabled: INTERSECT binds no tighter than UNION and EXCEPT
	ContinueHandlers        bool           // spark.sql.scripting.continueHandlerEnabled
	TimestampNTZ            bool           // spark.sql.timestampType is TIMESTAMP_NTZ
	TimeZone                *time.Location // spark.sql.session.timeZone, for TIMESTAMP literals; nil: UTC
	Now                     func() time.Time
	// Named and Positional are the arguments of :name and ?. Markers without
	// one become plan.Parameter.
	Named      map[string]plan.Expr
	Positional []plan.Expr
	// Substitute finds what ${key} stands for; nil: such references stay as they are.
	Substitute func(key string) (value string, ok bool)
}

// ParseStatement parses one statement: a query becomes its relation, others
// become a *plan.Command. Semicolons may follow.
func ParseStatement(sql string, o Options) (plan.Node, error) {
	sql = substitute(sql, o.Substitute)
	p, err := newParser(sql, o)
	if err != nil {
		return nil, err
	}
	k := p.peek()
	if k == tEOF {
		return nil, errs.New(errs.Parse, "PARSE_EMPTY_STATEMENT").At(p.lineOnly())
	}
	n := p.statement()
	for p.err == nil && p.peek() == tSemicolon {
		p.next()
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return n, nil
}

// ParseExpression parses an expression with an optional alias, as in a SELECT
// list: "a + 1 AS b", "*", "explode(m) AS (k, v)".
func ParseExpression(sql string, o Options) (plan.Expr, error) {
	sql = substitute(sql, o.Substitute)
	p, err := newParser(sql, o)
	if err != nil {
		return nil, err
	}
	if p.peek() == tEOF {
		return nil, errs.New(errs.Parse, "PARSE_EMPTY_STATEMENT").At(p.lineOnly())
	}
	e := p.namedExpr()
	if err := p.finish(); err != nil {
		return nil, err
	}
	return e, nil
}

// ParseDataType parses a type: "decimal(10,2)", "struct<a:int,b:string>".
func ParseDataType(sql string) (*types.Type, error) {
	p, err := newParser(sql, Options{})
	if err != nil {
		return nil, err
	}
	if p.peek() == tEOF {
		return nil, errs.New(errs.Parse, "PARSE_EMPTY_STATEMENT").At(p.lineOnly())
	}
	t := p.dataType()
	if p.err != nil && p.err.Condition == "UNSUPPORTED_DATATYPE" && p.toks[1].kind != tEOF && p.toks[1].kind != tLParen && p.toks[1].kind != tLt {
		unknown := p.err
		if p.err, p.i = nil, 0; p.isIdent(p.peek()) { // that a type is unknown is found when the text is whole
			p.next()
		} else {
			p.err = unknown
		}
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return t, nil
}

// ParseSchema parses a list of columns, "a INT NOT NULL COMMENT 'x', b: STRING",
// into a struct; a text that is one type, such as "struct<a:int>" or
// "array<int>", gives that type.
func ParseSchema(sql string) (*types.Type, error) {
	p, err := newParser(sql, Options{})
	if err != nil {
		return nil, err
	}
	if p.peek() == tEOF {
		return types.EmptyStruct, nil
	}
	fields := p.columns(true)
	ferr := p.finish()
	if ferr == nil {
		return types.NewStruct(fields...), nil
	}
	if t, err := ParseDataType(sql); err == nil {
		return t, nil
	}
	return nil, ferr
}

// ParseIdentifier parses a name of several parts: "`a`.b".
func ParseIdentifier(sql string) ([]string, error) {
	parts, err := parseName(sql)
	if err != nil {
		return nil, err
	}
	return parts, nil
}

func parseName(sql string) ([]string, *errs.Error) {
	p, err := newParser(sql, Options{})
	if err != nil {
		e, _ := errs.As(err)
		return nil, e
	}
	if p.peek() == tEOF {
		return nil, errs.New(errs.Parse, "PARSE_EMPTY_STATEMENT").At(p.lineOnly())
	}
	parts := p.multipart()
	if p.err == nil && p.peek() != tEOF {
		p.extraInput()
	}
	if p.err != nil {
		return nil, p.err
	}
	return parts, nil
}

// finish checks that nothing is left.
func (p *parser) finish() error {
	if p.err == nil && p.peek() != tEOF {
		p.extraInput()
	}
	if p.err != nil {
		return p.err
	}
	return nil
}

// extraInput: when one token stands before the end, Spark says that it is too much.
func (p *parser) extraInput() {
	hint := ""
	if p.la(1) == tEOF && p.i > 0 {
		hint = ": extra input '" + escapeSpace(p.text(p.toks[p.i])) + "'"
	}
	p.syntaxHint(hint)
}

func (p *parser) lineOnly() *errs.Origin {
	o := p.src.origin(len(p.sql)-len(strings.TrimLeft(p.sql, " \t\r\n")), len(p.sql))
	o.Start, o.Stop = -1, -1
	return o
}
