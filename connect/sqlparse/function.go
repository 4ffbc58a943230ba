package sqlparse

import (
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// createFunction parses CREATE FUNCTION f(a INT DEFAULT 1, ...) RETURNS ... RETURN ...:
// "create_function", Flags or_replace, temporary, if_not_exists, table, query (the
// body is one); Columns are the parameters, Args "default.<name>" their defaults'
// texts, "returns" the type or, of a table, the columns, comment, deterministic,
// data, security; Text is the body.
func (p *parser) createFunction(c *plan.Command, s int) plan.Node {
	c.Kind = "create_function"
	c.Flags["if_not_exists"] = p.ifNotExists()
	p.target(c)
	if p.accept(kwAs) {
		return p.classFunction(c, s)
	}
	if !p.expect(tLParen) {
		return c
	}
	for p.peek() != tRParen && p.err == nil {
		p.functionParameter(c, s)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen)
	if p.accept(kwReturns) {
		at := p.i
		if p.peek() == kwTable {
			p.next()
			c.Flags["table"] = true
			if p.accept(tLParen) {
				at = p.i
				for first := true; first || p.accept(tComma); first = false {
					p.columnName()
					p.dataType()
					if p.accept(kwNot) {
						p.expect(kwNull)
						c.Flags["returns_not_null"] = true
					}
					if p.accept(kwComment) {
						p.stringLit()
					}
				}
				c.Args["returns"] = p.textFrom(at)
				p.expect(tRParen)
			}
		} else {
			p.dataType()
			c.Args["returns"] = p.textFrom(at)
		}
	}
	p.characteristics(c, s)
	if p.peek() != kwReturn {
		if p.err == nil {
			p.syntax()
		}
		return c
	}
	p.next()
	at := p.i
	switch k := p.peek(); {
	case k == kwSelect, k == kwWith, k == kwValues, k == kwFrom, k == kwTable, c.Flags["table"] && p.queryBehindParens():
		c.Flags["query"] = true
		p.query()
	default:
		p.expr()
	}
	c.Text = p.textFrom(at)
	return p.done(c, s)
}

// classFunction parses CREATE FUNCTION f AS 'class' [USING JAR 'x', ...]: Args class, "resource0" ... as "jar x".
func (p *parser) classFunction(c *plan.Command, s int) plan.Node {
	c.Args["class"] = p.stringLit()
	if p.accept(kwUsing) {
		for i := 0; p.err == nil; i++ {
			k := p.ident()
			switch strings.ToLower(k) {
			case "jar", "file", "archive":
			default:
				p.fail(s, "_LEGACY_ERROR_TEMP_0035", "message", "CREATE FUNCTION with resource type '"+k+"'")
			}
			c.Args[numbered("resource", i)] = strings.ToLower(k) + " " + p.stringLit()
			if !p.accept(tComma) {
				break
			}
		}
	}
	return p.done(c, s)
}

func (p *parser) functionParameter(c *plan.Command, s int) {
	f := types.Field{Name: p.columnName(), Nullable: true}
	f.Type = p.dataType()
	for p.err == nil {
		switch p.peek() {
		case kwNot:
			p.next()
			p.expect(kwNull)
			f.Nullable = false
			continue
		case kwComment:
			p.next()
			f.Metadata = commentMetadata(p.stringLit())
			continue
		case kwDefault:
			p.next()
			at := p.i
			p.expr()
			c.Args["default."+f.Name] = p.textFrom(at)
			continue
		case kwGenerated:
			p.fail(s, "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_GENERATED_COLUMNS_AS_PARAMETERS")
		case kwConstraint, kwCheck, kwPrimary, kwUnique, kwReferences, kwForeign:
			p.fail(s, "INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_COLUMN_CONSTRAINTS")
		}
		break
	}
	c.Columns = append(c.Columns, f)
}

// characteristics parses what stands between RETURNS and RETURN, each at most once.
func (p *parser) characteristics(c *plan.Command, s int) {
	seen := map[string]bool{}
	for p.err == nil {
		what := ""
		switch k := p.peek(); {
		case k == kwLanguage:
			p.next()
			what = "LANGUAGE"
			if l := p.ident(); l != "SQL" && l != "sql" && l != "Sql" {
				p.unsupported(s, "CREATE FUNCTION ... LANGUAGE "+l)
			}
		case k == kwDeterministic:
			p.next()
			what, c.Args["deterministic"] = "DETERMINISTIC", "true"
		case k == kwNot && p.la(1) == kwDeterministic:
			p.i += 2
			what, c.Args["deterministic"] = "DETERMINISTIC", "false"
		case k == kwComment:
			p.next()
			what, c.Args["comment"] = "COMMENT", p.stringLit()
		case k == kwContains:
			p.next()
			p.ident()
			what, c.Args["data"] = "CONTAINS SQL", "contains"
		case k == kwReads:
			p.next()
			p.ident()
			p.ident()
			what, c.Args["data"] = "CONTAINS SQL", "reads"
		case k == kwSecurity || p.isIdent(k) && p.la(1) == kwSecurity:
			if k != kwSecurity {
				p.next()
			}
			p.next()
			what = "SQL SECURITY"
			c.Args["security"] = p.ident()
		default:
			return
		}
		if seen[what] {
			p.fail(s, "DUPLICATE_CLAUSES", "clauseName", what)
		}
		seen[what] = true
	}
}
