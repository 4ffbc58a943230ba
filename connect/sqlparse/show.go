package sqlparse

import (
	"strings"

	"neptune/internal/plan"
)

// show parses SHOW. Kinds, with Name the database or table and Args pattern:
// "show_tables", "show_table_extended", "show_views", "show_databases",
// "show_columns" (Args database), "show_functions" (Args scope = all, user or
// system; Name of a single function), "show_catalogs", "show_collations",
// "show_create_table" (Flags as_serde), "show_tblproperties" (Args key),
// "show_partitions", "show_current_database", "show_procedures"; Flags json for AS JSON.
func (p *parser) show(s int) plan.Node {
	p.next()
	c := p.command(s, "")
	k := p.next().kind
	switch k {
	case kwTables, kwViews:
		c.Kind = "show_" + strings.ToLower(keywordText[k])
		p.inDatabase(c)
		p.pattern(c)
		c.Flags["json"] = p.acceptSeq(kwAs, kwJson)
	case kwTable:
		c.Kind = "show_table_extended"
		p.expect(kwExtended)
		p.inDatabase(c)
		p.expect(kwLike)
		c.Args["pattern"] = p.stringLit()
		c.Flags["pattern"] = true
		p.partition(c, s)
		c.Flags["json"] = p.acceptSeq(kwAs, kwJson)
	case kwDatabases, kwSchemas, kwNamespaces:
		c.Kind = "show_databases"
		p.inDatabase(c)
		p.pattern(c)
	case kwColumns:
		c.Kind = "show_columns"
		if p.acceptAny(kwFrom, kwIn) == tEOF {
			p.syntax()
			return c
		}
		p.target(c)
		if p.acceptAny(kwFrom, kwIn) != tEOF {
			c.Args["database"] = quoted(p.multipart())
		}
	case kwCatalogs:
		c.Kind = "show_catalogs"
		p.pattern(c)
	case kwCollations:
		c.Kind = "show_collations"
		p.pattern(c)
	case kwCreate:
		c.Kind = "show_create_table"
		p.expect(kwTable)
		p.target(c)
		c.Flags["as_serde"] = p.acceptSeq(kwAs, kwSerde)
	case kwTblproperties:
		c.Kind = "show_tblproperties"
		p.target(c)
		if p.accept(tLParen) {
			c.Args["key"] = p.propertyKey()
			p.expect(tRParen)
		}
	case kwPartitions:
		c.Kind = "show_partitions"
		p.target(c)
		p.givenPartition(c, s)
		c.Flags["json"] = p.acceptSeq(kwAs, kwJson)
	case kwCurrent:
		if p.peek() == kwRoles {
			return p.hive(s, 3)
		}
		c.Kind = "show_current_database"
		if !p.isNamespace(p.peek()) {
			p.syntax()
			return c
		}
		p.next()
	case kwProcedures:
		c.Kind = "show_procedures"
		p.inDatabase(c)
	case kwRole:
		return p.hive(s, 3)
	case kwGrant, kwRoles, kwPrincipals, kwCompactions, kwTransactions, kwIndexes, kwLocks:
		return p.hive(s, 2)
	default:
		p.i--
		return p.showFunctions(c, s)
	}
	return p.done(c, s)
}

// givenPartition parses a PARTITION clause whose columns all have values.
func (p *parser) givenPartition(c *plan.Command, s int) bool {
	part := p.partition(c, s)
	if part && c.Flags["dynamic_partition"] && p.err == nil {
		for i, e := range c.Exprs_ {
			if _, ok := e.(*plan.UnresolvedAttr); ok {
				p.fail(s, "INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", "partKey", "`"+c.Args[numbered("partition", i)]+"`")
			}
		}
	}
	return part
}

func (p *parser) showFunctions(c *plan.Command, s int) plan.Node {
	c.Kind = "show_functions"
	c.Args["scope"] = "all"
	if p.peek() != kwFunctions {
		if !p.isIdent(p.peek()) || p.la(1) != kwFunctions {
			p.syntax()
			return c
		}
		scope := strings.ToLower(p.ident())
		switch scope {
		case "all", "user", "system":
		default:
			p.fail(s, "INVALID_SQL_SYNTAX.SHOW_FUNCTIONS_INVALID_SCOPE", "scope", "`"+scope+"`")
			return c
		}
		c.Args["scope"] = scope
	}
	p.expect(kwFunctions)
	p.inDatabase(c)
	like := p.accept(kwLike)
	switch {
	case p.peek() == tString:
		c.Args["pattern"] = p.stringLit()
		c.Flags["pattern"] = true
	case p.isIdent(p.peek()):
		parts := p.multipart()
		c.Args["pattern"] = parts[len(parts)-1]
		c.Flags["pattern"] = true
		if len(parts) > 1 {
			c.Name = parts[:len(parts)-1]
		}
	case like:
		p.syntax()
	}
	return p.done(c, s)
}

func (p *parser) inDatabase(c *plan.Command) {
	if p.acceptAny(kwFrom, kwIn) != tEOF {
		p.target(c)
	}
}

// pattern parses [LIKE] 'pattern'; Flags pattern tells an empty one from none.
func (p *parser) pattern(c *plan.Command) {
	like := p.accept(kwLike)
	if like || p.peek() == tString {
		c.Args["pattern"] = p.stringLit()
		c.Flags["pattern"] = true
	}
}

// describe parses DESCRIBE. "describe_function" (Name; Flags extended),
// "describe_database" (Flags extended), "describe_table" (Flags extended,
// json; Args column; partition as partition documents), "describe_query" (Query, Text).
func (p *parser) describe(s int) plan.Node {
	p.next()
	c := p.command(s, "")
	switch k := p.peek(); {
	case k == kwFunction && p.la(1) != tDot && p.la(1) != tEOF:
		p.next()
		c.Kind = "describe_function"
		if p.peek() == kwExtended && p.la(1) != tEOF && p.la(1) != tSemicolon {
			p.next()
			c.Flags["extended"] = true
		}
		p.functionName(c)
		return p.done(c, s)
	case k == kwProcedure && p.isIdent(p.la(1)):
		p.next()
		c.Kind = "call"
		c.Name = p.multipart()
		return p.done(c, s)
	case p.isNamespace(k) && p.isIdent(p.la(1)):
		p.next()
		c.Kind = "describe_database"
		if p.peek() == kwExtended && p.isIdent(p.la(1)) {
			p.next()
			c.Flags["extended"] = true
		}
		p.target(c)
		return p.done(c, s)
	case k == kwQuery && (p.startsQuery(1) || p.la(1) == tLParen):
		p.next()
		c.Kind = "describe_query"
		p.inner(c)
		return p.done(c, s)
	case k == tLParen || p.startsQuery(0) && !(k == kwTable && p.isDescribeTable()):
		c.Kind = "describe_query"
		p.inner(c)
		return p.done(c, s)
	}
	c.Kind = "describe_table"
	if p.peek() == kwTable && p.isIdent(p.la(1)) {
		p.next()
	}
	if k := p.peek(); (k == kwExtended || k == kwFormatted) && p.isIdent(p.la(1)) {
		p.next()
		c.Flags["extended"] = true
	}
	p.target(c)
	part := p.givenPartition(c, s)
	if p.isIdent(p.peek()) && !(p.peek() == kwAs && p.la(1) == kwJson) {
		c.Args["column"] = quoted(p.multipart())
		if part {
			p.fail(s, "UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_PARTITION")
		}
	}
	if p.acceptSeq(kwAs, kwJson) {
		c.Flags["json"] = true
		switch {
		case c.Args["column"] != "":
			p.stopPlain("UNSUPPORTED_FEATURE.DESC_TABLE_COLUMN_JSON")
		case !c.Flags["extended"]:
			p.stopPlain("DESCRIBE_JSON_NOT_EXTENDED", "tableName", strings.Join(c.Name, "."))
		}
	}
	return p.done(c, s)
}

// isDescribeTable tells DESCRIBE TABLE t from DESCRIBE (the query) TABLE t: the first wins in Spark's grammar.
func (p *parser) isDescribeTable() bool { return p.peek() == kwTable }

// functionName parses the name behind DESCRIBE FUNCTION: an operator or a string too.
func (p *parser) functionName(c *plan.Command) {
	switch k := p.peek(); {
	case k == tString:
		c.Name = []string{p.stringLit()}
	case k == kwOr || k == kwAnd || k == kwIn || k == kwNot:
		c.Name = []string{strings.ToLower(p.text(p.next()))}
	case p.isIdent(k):
		p.target(c)
	case k >= tBang && k <= tHat:
		c.Name = []string{p.text(p.next())}
	default:
		p.syntax()
	}
}
