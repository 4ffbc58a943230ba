package sqlparse

import (
	"strconv"
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// alter parses ALTER TABLE | VIEW | DATABASE. Kinds, with Name and Flags view:
//
//	alter_view           AS query: Query, Text
//	view_schema          WITH SCHEMA: Args schema_mode
//	rename_table, rename_view   Args to
//	set_properties       Args "property.<key>"
//	unset_properties     Args property0 ...; Flags if_exists
//	set_serde            Args "property.<key>"; Flags serde where a class is named
//	set_location         Args location
//	add_columns          Columns; Args column0 ... their names as written, "default.<name>", Flags not_null
//	alter_column         Args column, and what is set of comment, default; Columns one of the new type;
//	                     Flags position, not_null, drop_default, bulk
//	rename_column, drop_columns, replace_columns, add_constraint, drop_constraint: Spark's catalog refuses them
//	add_partitions       specs "0.", "1." ... (see partitionSpec); Args "location0" ...; Flags if_not_exists
//	drop_partitions      specs; Flags if_exists, purge
//	rename_partition     specs "0." and "1."
//	recover_partitions
//	cluster_by           Args cluster_by
//	default_collation    Args collation
//	alter_database       Args "property.<key>", property0 ... to unset, location, collation
//
// SET on one partition has the spec "0.".
func (p *parser) alter(s int) plan.Node {
	p.next()
	k := p.next().kind
	switch {
	case k == kwTable || k == kwView:
	case p.isNamespace(k):
		return p.alterDatabase(s)
	case k == kwIndex:
		return p.hive(s, 2)
	default:
		p.i--
		p.syntax()
		return noNode()
	}
	c := p.command(s, "")
	p.target(c)
	c.Flags["view"] = k == kwView
	if c.Flags["view"] && (p.peek() == kwAs || p.startsQuery(0) || p.peek() == tLParen) && p.peek() != kwWith {
		p.accept(kwAs)
		c.Kind = "alter_view"
		p.inner(c)
		return p.done(c, s)
	}
	switch p.peek() {
	case kwRename:
		p.renameClause(c, s, k)
	case kwSet:
		p.setClause(c, s)
	case kwUnset:
		p.next()
		p.expect(kwTblproperties)
		c.Kind = "unset_properties"
		c.Flags["if_exists"] = p.ifExists()
		p.propertyKeys(c)
	case kwAdd:
		p.addClause(c, s)
	case kwDrop:
		p.dropClause(c, s)
	case kwAlter, kwChange:
		p.alterColumn(c, s)
	case kwReplace:
		p.next()
		p.expect(kwColumns)
		c.Kind = "replace_columns"
		p.clauseRest()
	case kwPartition:
		p.partitionSpec(c, s, "0.")
		switch {
		case p.acceptSeq(kwRename, kwTo):
			c.Kind = "rename_partition"
			if !p.partitionSpec(c, s, "1.") {
				p.syntax()
			}
		case p.peek() == kwSet:
			p.setClause(c, s)
		case p.isIdent(p.peek()):
			return p.invalidAlter(s)
		default:
			p.syntax()
		}
	case kwRecover:
		p.next()
		p.expect(kwPartitions)
		c.Kind = "recover_partitions"
	case kwWith:
		p.next()
		p.expect(kwSchema)
		c.Kind = "view_schema"
		c.Args["schema_mode"] = p.schemaMode()
	case kwCluster:
		p.next()
		p.expect(kwBy)
		c.Kind = "cluster_by"
		if p.word(0, "NONE") {
			p.next()
			c.Args["cluster_by"] = ""
			break
		}
		p.expect(tLParen)
		var names []string
		for {
			names = append(names, quoted(p.multipart()))
			if !p.accept(tComma) {
				break
			}
		}
		p.expect(tRParen)
		c.Args["cluster_by"] = strings.Join(names, ",")
	case kwDefault:
		if p.la(1) != kwCollation {
			p.syntax()
			break
		}
		c.Kind = "default_collation"
		p.defaultCollation(c, s)
	case kwTouch, kwArchive, kwUnarchive, kwCompact, kwConcatenate, kwExchange, kwClustered, kwSkewed, kwNot:
		return p.invalidAlter(s)
	default:
		p.syntax()
	}
	return p.done(c, s)
}

// invalidAlter refuses the statements of Hive's that Spark's grammar knows by name.
func (p *parser) invalidAlter(s int) plan.Node {
	words := []string{strings.ToUpper(p.text(p.toks[p.i]))}
	switch p.peek() {
	case kwArchive, kwUnarchive, kwExchange:
		words = append(words, "PARTITION")
	case kwClustered, kwSkewed:
		words = append(words, "BY")
	case kwNot:
		words = append(words, strings.ToUpper(p.text(p.toks[min(p.i+1, len(p.toks)-1)])))
	}
	p.i = len(p.toks) - 1
	p.fail(s, "INVALID_STATEMENT_OR_CLAUSE", "operation", "ALTER TABLE "+strings.Join(words, " "))
	return noNode()
}

func (p *parser) propertyKeys(c *plan.Command) {
	i := 0
	for key := range p.properties() {
		c.Args[numbered("property", i)] = key
		i++
	}
}

func (p *parser) propertyValues(c *plan.Command) {
	for key, v := range p.properties() {
		c.Args["property."+key] = v
	}
}

func (p *parser) renameClause(c *plan.Command, s int, k kind) {
	p.next()
	switch {
	case p.accept(kwTo):
		c.Kind = "rename_" + strings.ToLower(keywordText[k])
		parts, e := p.nameRef()
		if e != nil {
			p.notSupported(s, "an IDENTIFIER that is computed as the new name")
		}
		c.Args["to"] = quoted(parts)
	case p.accept(kwColumn):
		c.Kind = "rename_column"
		c.Args["column"] = quoted(p.columnParts())
		p.expect(kwTo)
		c.Args["to"] = p.columnName()
	default:
		p.syntax()
	}
}

func (p *parser) setClause(c *plan.Command, s int) {
	p.next()
	switch p.peek() {
	case kwTblproperties:
		p.next()
		c.Kind = "set_properties"
		p.propertyValues(c)
	case kwLocation:
		p.next()
		c.Kind = "set_location"
		c.Args["location"] = p.stringLit()
	case kwSerde:
		p.next()
		c.Kind = "set_serde"
		c.Flags["serde"] = true
		p.stringLit()
		if p.acceptSeq(kwWith, kwSerdeproperties) {
			p.propertyValues(c)
		}
	case kwSerdeproperties:
		p.next()
		c.Kind = "set_serde"
		p.propertyValues(c)
	case kwFileformat, kwSkewed:
		what := "FILEFORMAT"
		if p.peek() == kwSkewed {
			what = "SKEWED LOCATION"
		}
		p.i = len(p.toks) - 1
		p.fail(s, "INVALID_STATEMENT_OR_CLAUSE", "operation", "ALTER TABLE SET "+what)
	default:
		p.syntax()
	}
}

func (p *parser) addClause(c *plan.Command, s int) {
	p.next()
	c.Flags["if_not_exists"] = p.ifNotExists()
	switch p.peek() {
	case kwPartition:
		c.Kind = "add_partitions"
		for i := 0; p.partitionSpec(c, s, strconv.Itoa(i)+"."); i++ {
			if p.accept(kwLocation) {
				c.Args[numbered("location", i)] = p.stringLit()
			}
		}
		return
	case kwConstraint, kwCheck, kwPrimary, kwForeign, kwUnique:
		c.Kind = "add_constraint"
		p.clauseRest()
		return
	case kwColumn, kwColumns:
		p.next()
	default:
		p.syntax()
		return
	}
	c.Kind = "add_columns"
	paren := p.accept(tLParen)
	for i := 0; p.err == nil; i++ {
		parts := p.columnParts()
		c.Args[numbered("column", i)] = quoted(parts)
		f := types.Field{Name: parts[len(parts)-1], Nullable: true}
		f.Type = p.dataType()
		p.columnClauses(c, &f)
		c.Columns = append(c.Columns, f)
		if !p.accept(tComma) {
			break
		}
	}
	if paren {
		p.expect(tRParen)
	}
}

// columnClauses parses what follows a column's type in ADD and CHANGE COLUMN.
func (p *parser) columnClauses(c *plan.Command, f *types.Field) {
	for p.err == nil {
		switch p.peek() {
		case kwNot:
			p.next()
			p.expect(kwNull)
			c.Flags["not_null"], f.Nullable = true, false
		case kwComment:
			p.next()
			f.Metadata = commentMetadata(p.stringLit())
			c.Flags["comment"] = true
		case kwDefault:
			p.next()
			at := p.i
			p.expr()
			c.Args["default."+f.Name] = p.textFrom(at)
		case kwFirst:
			p.next()
			c.Flags["position"] = true
		case kwAfter:
			p.next()
			p.columnName()
			c.Flags["position"] = true
		case kwGenerated:
			c.Flags["generated columns"] = true
			p.next()
			p.clause()
		default:
			return
		}
	}
}

func (p *parser) dropClause(c *plan.Command, s int) {
	p.next()
	c.Flags["if_exists"] = p.ifExists()
	switch p.peek() {
	case kwPartition:
		c.Kind = "drop_partitions"
		for i := 0; p.partitionSpec(c, s, strconv.Itoa(i)+"."); i++ {
			p.accept(tComma)
		}
		c.Flags["purge"] = p.accept(kwPurge)
	case kwConstraint:
		c.Kind = "drop_constraint"
		p.clauseRest()
	case kwColumn, kwColumns:
		p.next()
		c.Kind = "drop_columns"
		c.Flags["if_exists"] = p.ifExists()
		paren := p.accept(tLParen)
		var names []string
		for {
			names = append(names, quoted(p.columnParts()))
			if !p.accept(tComma) {
				break
			}
		}
		c.Args["column"] = strings.Join(names, ",")
		if paren {
			p.expect(tRParen)
		}
	default:
		p.syntax()
	}
}

// alterColumn parses ALTER | CHANGE [COLUMN] a ..., and CHANGE COLUMN a a INT COMMENT 'c' of Hive.
func (p *parser) alterColumn(c *plan.Command, s int) {
	change := p.next().kind == kwChange
	p.accept(kwColumn)
	c.Kind = "alter_column"
	c.Args["column"] = quoted(p.columnParts())
	one := func() {
		switch p.peek() {
		case kwType:
			p.next()
			c.Columns = []types.Field{{Type: p.dataType(), Nullable: true}}
		case kwComment:
			p.next()
			c.Args["comment"] = p.stringLit()
		case kwFirst:
			p.next()
			c.Flags["position"] = true
		case kwAfter:
			p.next()
			p.columnName()
			c.Flags["position"] = true
		case kwSet:
			p.next()
			if p.accept(kwDefault) {
				at := p.i
				p.expr()
				c.Args["default"] = p.textFrom(at)
				break
			}
			p.expectSeq(kwNot, kwNull)
			c.Flags["not_null"] = true
		case kwDrop:
			p.next()
			if p.accept(kwDefault) {
				c.Flags["drop_default"] = true
				break
			}
			p.expectSeq(kwNot, kwNull)
			c.Flags["not_null"] = true
		case tEOF, tSemicolon:
			p.fail(s, "_LEGACY_ERROR_TEMP_0035", "message", "ALTER TABLE table ALTER COLUMN requires a TYPE, a SET/DROP, a COMMENT, or a FIRST/AFTER")
		default:
			p.syntax()
		}
	}
	if change && p.isIdent(p.peek()) && p.isIdent(p.la(1)) && p.peek() != kwType && p.peek() != kwComment && p.peek() != kwFirst && p.peek() != kwAfter && p.peek() != kwSet && p.peek() != kwDrop {
		name := p.columnName()
		f := types.Field{Name: name, Nullable: true}
		f.Type = p.dataType()
		p.columnClauses(c, &f)
		if old := c.Args["column"]; p.err == nil && !strings.EqualFold(old, quoted([]string{name})) {
			p.fail(s, "_LEGACY_ERROR_TEMP_0034", "operation", "Renaming column", "command", "ALTER COLUMN", "msg", ", please run RENAME COLUMN instead")
		}
		if p.err == nil && !f.Nullable {
			p.fail(s, "_LEGACY_ERROR_TEMP_0034", "operation", "NOT NULL", "command", "ALTER COLUMN", "msg", ", please run ALTER COLUMN ... SET/DROP NOT NULL instead")
		}
		c.Columns = []types.Field{f}
		return
	}
	one()
	for p.accept(tComma) {
		c.Flags["bulk"] = true
		p.columnParts()
		one()
	}
}

func (p *parser) alterDatabase(s int) plan.Node {
	c := p.command(s, "alter_database")
	p.target(c)
	switch {
	case p.accept(kwSet):
		switch {
		case p.acceptAny(kwDbproperties, kwProperties) != tEOF:
			p.propertyValues(c)
		case p.accept(kwLocation):
			c.Args["location"] = p.stringLit()
		default:
			p.syntax()
		}
	case p.accept(kwUnset):
		if p.acceptAny(kwDbproperties, kwProperties) == tEOF {
			p.syntax()
		}
		p.ifExists()
		p.propertyKeys(c)
	case p.peek() == kwDefault && p.la(1) == kwCollation:
		p.defaultCollation(c, s)
	default:
		p.syntax()
	}
	return p.done(c, s)
}

// schemaMode parses BINDING, COMPENSATION, [TYPE] EVOLUTION behind WITH SCHEMA.
func (p *parser) schemaMode() string {
	mode := ""
	if p.accept(kwType) {
		mode = "TYPE "
		if p.peek() != kwEvolution {
			p.syntax()
		}
	}
	k := p.acceptAny(kwBinding, kwCompensation, kwEvolution)
	if k == tEOF {
		p.syntax()
		return ""
	}
	return mode + keywordText[k]
}

// partitionSpec parses one of several PARTITION clauses: Args key+"0" ... are
// the columns, and key+"at" where in Exprs_ their values begin.
func (p *parser) partitionSpec(c *plan.Command, s int, key string) bool {
	if p.peek() != kwPartition {
		return false
	}
	sub := p.command(s, "")
	if !p.partition(sub, s) {
		p.syntax()
		return false
	}
	c.Args[key+"at"] = strconv.Itoa(len(c.Exprs_))
	for i := range sub.Exprs_ {
		name := sub.Args[numbered("partition", i)]
		c.Args[key+strconv.Itoa(i)] = name
		if sub.Flags["dynamic_partition"] {
			if a, ok := sub.Exprs_[i].(*plan.UnresolvedAttr); ok && len(a.Parts) == 1 && a.Parts[0] == name {
				p.fail(s, "INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", "partKey", "`"+name+"`")
			}
		}
	}
	c.Exprs_ = append(c.Exprs_, sub.Exprs_...)
	c.Flags["partition"] = true
	return true
}

// columnParts parses a column's name, IDENTIFIER('a') too.
func (p *parser) columnParts() []string {
	if p.peek() != kwIdentifier || p.la(1) != tLParen || p.o.LegacyIdentifierClause {
		return p.multipart()
	}
	s := p.i
	parts, e := p.nameRef()
	if e != nil {
		p.notSupported(s, "an IDENTIFIER that is computed as the name of a column")
		return []string{""}
	}
	return parts
}

func (p *parser) columnName() string {
	if p.peek() != kwIdentifier || p.la(1) != tLParen || p.o.LegacyIdentifierClause {
		return p.nameIdent()
	}
	s := p.i
	parts := p.columnParts()
	if len(parts) > 1 {
		p.fail(s, "IDENTIFIER_TOO_MANY_NAME_PARTS", "identifier", "`"+strings.Join(parts, "`.`")+"`", "limit", "1")
	}
	return parts[len(parts)-1]
}

// clauseRest takes the rest of the statement, whose clause is refused whatever it says.
func (p *parser) clauseRest() {
	for p.peek() != tEOF && p.peek() != tSemicolon {
		p.next()
	}
}
