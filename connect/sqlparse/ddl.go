package sqlparse

import (
	"strings"

	"neptune/internal/collation"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// create parses CREATE and REPLACE.
func (p *parser) create(s int) plan.Node {
	c := p.command(s, "")
	if p.next().kind == kwReplace {
		c.Flags["replace"] = true
	} else if p.acceptSeq(kwOr, kwReplace) {
		c.Flags["or_replace"] = true
	}
	if p.peek() == kwGlobal {
		p.next()
		c.Flags["global"] = true
	}
	if p.peek() == kwTemporary {
		p.next()
		c.Flags["temporary"] = true
	}
	external := p.accept(kwExternal)
	c.Flags["external"] = external
	switch k := p.peek(); {
	case k == kwView:
		p.next()
		return p.createView(c, s)
	case k == kwTable:
		p.next()
		return p.createTable(c, s)
	case p.isNamespace(k):
		p.next()
		return p.createDatabase(c, s)
	case k == kwFunction:
		p.next()
		return p.createFunction(c, s)
	case k == kwMaterialized || k == kwStreaming:
		kind := "MATERIALIZED VIEW"
		if k == kwStreaming {
			kind = "STREAMING TABLE"
		}
		p.i = len(p.toks) - 1
		p.fail(s, "UNSUPPORTED_FEATURE.CREATE_PIPELINE_DATASET_QUERY_EXECUTION", "pipelineDatasetType", kind)
		return c
	case k == kwFlow:
		return p.unsupported(s, "CREATE FLOW (pipelines)")
	case k == kwIndex:
		p.next()
		c.Kind, c.Flags["create"] = "index", true
		return p.index(c, s)
	case k == kwRole:
		return p.hive(s, 2)
	case k == kwMacro && c.Flags["temporary"]:
		return p.hive(s, 3)
	}
	p.syntax()
	return c
}

// index parses the rest of CREATE INDEX and DROP INDEX: "index", Name the table, Flags create. Hive's own form names a TABLE.
func (p *parser) index(c *plan.Command, s int) plan.Node {
	if c.Flags["create"] {
		p.ifNotExists()
	} else {
		p.ifExists()
	}
	p.ident()
	if !p.expect(kwOn) {
		return c
	}
	if p.peek() == kwTable && p.isIdent(p.la(1)) {
		return p.hive(s, 2)
	}
	p.target(c)
	p.i = len(p.toks) - 1
	return p.done(c, s)
}

// createView: "create_view", Flags or_replace, temporary, global,
// if_not_exists; Columns (names, comments in the metadata), Args comment,
// schema_mode (as WITH SCHEMA says) and "property.<key>", Query, Text. With USING: Args provider and
// "option.<key>", Columns with types.
func (p *parser) createView(c *plan.Command, s int) plan.Node {
	c.Kind = "create_view"
	if c.Flags["if_not_exists"] = p.ifNotExists(); c.Flags["if_not_exists"] && c.Flags["temporary"] {
		p.i = len(p.toks) - 1
		p.fail(s, "_LEGACY_ERROR_TEMP_0053")
		return c
	}
	p.target(c)
	if p.peek() == tLParen {
		if c.Flags["temporary"] && p.isIdent(p.la(1)) && p.la(2) != tComma && p.la(2) != tRParen && p.la(2) != kwComment &&
			!(p.la(1) == kwIdentifier && p.la(2) == tLParen) {
			p.next()
			c.Columns = p.columns(false)
			p.expect(tRParen)
		} else {
			p.viewColumns(c)
		}
	}
	for p.err == nil {
		switch p.peek() {
		case kwComment:
			p.next()
			c.Args["comment"] = p.stringLit()
			continue
		case kwTblproperties:
			p.next()
			for k, v := range p.properties() {
				c.Args["property."+k] = v
			}
			continue
		case kwUsing:
			p.next()
			c.Args["provider"] = strings.Join(p.multipart(), ".")
			if p.accept(kwOptions) {
				for k, v := range p.properties() {
					c.Args["option."+k] = v
				}
			}
			return p.done(c, s)
		case kwWith:
			if c.Flags["temporary"] {
				p.i = len(p.toks) - 1
				p.fail(s, "UNSUPPORTED_FEATURE.TEMPORARY_VIEW_WITH_SCHEMA_BINDING_MODE")
				return c
			}
			p.next()
			if !p.accept(kwSchema) {
				return p.unsupported(s, "CREATE VIEW WITH METRICS")
			}
			c.Args["schema_mode"] = p.schemaMode()
			continue
		case kwDefault:
			if p.la(1) != kwCollation {
				break
			}
			p.defaultCollation(c, s)
			continue
		case kwPartitioned:
			return p.unsupported(s, "CREATE VIEW ... PARTITIONED ON")
		case kwLanguage:
			return p.unsupported(s, "CREATE VIEW ... LANGUAGE")
		}
		break
	}
	p.expect(kwAs)
	p.inner(c)
	switch {
	case p.err != nil:
	case c.Flags["or_replace"] && c.Flags["if_not_exists"]:
		p.fail(s, "CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE", "viewName", "`"+strings.Join(c.Name, "`.`")+"`")
	case c.Flags["temporary"] && !c.Flags["identifier"] && len(c.Name) > 1:
		n := len(c.Name) - 1
		if q := strings.ToLower(strings.Join(c.Name[:n], ".")); q == "session" || q == "system.session" {
			c.Name = c.Name[n:]
			break
		}
		p.fail(s, "INVALID_TEMP_OBJ_QUALIFIER", "objectType", "VIEW", "objectName", "`"+c.Name[n]+"`", "qualifier", "`"+strings.Join(c.Name[:n], "`.`")+"`")
	}
	return p.done(c, s)
}

func (p *parser) viewColumns(c *plan.Command) {
	p.next()
	for {
		f := types.Field{Name: p.nameIdent(), Nullable: true}
		if p.peek() == kwComment {
			p.next()
			f.Metadata = commentMetadata(p.stringLit())
		}
		c.Columns = append(c.Columns, f)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen)
}

// createDatabase: "create_database", Flags if_not_exists, Args comment, location, "property.<key>".
func (p *parser) createDatabase(c *plan.Command, s int) plan.Node {
	c.Kind = "create_database"
	c.Flags["if_not_exists"] = p.ifNotExists()
	p.target(c)
	for p.err == nil {
		switch p.peek() {
		case kwComment:
			p.next()
			p.once(c, s, "comment", "COMMENT")
			c.Args["comment"] = p.stringLit()
			continue
		case kwLocation:
			p.next()
			p.once(c, s, "location", "LOCATION")
			c.Args["location"] = p.stringLit()
			continue
		case kwWith:
			p.next()
			if p.acceptAny(kwDbproperties, kwProperties) == tEOF {
				p.syntax()
			}
			for k, v := range p.properties() {
				c.Args["property."+k] = v
			}
			continue
		case kwDefault:
			if p.la(1) == kwCollation {
				p.defaultCollation(c, s)
				continue
			}
		}
		break
	}
	return p.done(c, s)
}

// once refuses a clause that was there already.
func (p *parser) once(c *plan.Command, s int, key, clause string) {
	if _, ok := c.Args[key]; ok {
		p.fail(s, "DUPLICATE_CLAUSES", "clauseName", clause)
	}
}

// createTable: "create_table", Flags if_not_exists, external, or_replace,
// replace (REPLACE TABLE); Columns; Args provider, comment, location,
// partition_by and cluster_by (names joined by commas, quoted where needed),
// "option.<key>", "property.<key>", "default.<column>" (text of the default);
// Query and Text of AS SELECT. CREATE TABLE a LIKE b is "create_table_like"
// with Args source.
func (p *parser) createTable(c *plan.Command, s int) plan.Node {
	c.Kind = "create_table"
	c.Flags["if_not_exists"] = p.ifNotExists()
	p.target(c)
	if p.peek() == kwLike {
		p.next()
		c.Kind = "create_table_like"
		c.Args["source"] = quoted(p.multipart())
	} else if p.peek() == tLParen && !p.startsQuery(1) {
		p.tableColumns(c, s)
	}
	for first := true; p.err == nil; first = false {
		switch k := p.peek(); k {
		case kwUsing:
			if !first && c.Kind == "create_table" { // it stands right behind the columns
				p.syntax()
				return c
			}
			p.next()
			p.once(c, s, "provider", "USING")
			c.Args["provider"] = strings.Join(p.multipart(), ".")
			continue
		case kwOptions:
			p.next()
			for k, v := range p.exprProperties() {
				c.Args["option."+k] = v
			}
			continue
		case kwTblproperties:
			p.next()
			for k, v := range p.properties() {
				c.Args["property."+k] = v
			}
			continue
		case kwPartitioned:
			p.next()
			p.expect(kwBy)
			p.once(c, s, "partition_by", "PARTITIONED BY")
			p.partitionedBy(c, s)
			continue
		case kwLocation:
			p.next()
			p.once(c, s, "location", "LOCATION")
			c.Args["location"] = p.stringLit()
			continue
		case kwComment:
			p.next()
			p.once(c, s, "comment", "COMMENT")
			c.Args["comment"] = p.stringLit()
			continue
		case kwStored:
			if p.la(1) == kwAs && p.isIdent(p.la(2)) && p.la(2) != kwInputformat {
				p.i += 2
				c.Args["stored_as"] = strings.ToLower(p.ident())
				continue
			}
			return p.unsupported(s, "CREATE TABLE ... STORED AS INPUTFORMAT / STORED BY")
		case kwDefault:
			if p.la(1) == kwCollation {
				p.defaultCollation(c, s)
				continue
			}
			p.syntax()
		case kwRow:
			c.Args["stored_as"] = "ROW FORMAT" // of Hive's tables: refused with them
			p.i = len(p.toks) - 1
			return p.done(c, s)
		case kwSkewed:
			return p.unsupported(s, "CREATE TABLE ... "+keywordText[k])
		case kwClustered:
			p.bucketBy(c, s)
			continue
		case kwCluster:
			if p.la(1) == kwBy {
				p.i += 2
				p.expect(tLParen)
				p.once(c, s, "cluster_by", "CLUSTER BY")
				var names []string
				for {
					names = append(names, quoted(p.multipart()))
					if !p.accept(tComma) {
						break
					}
				}
				c.Args["cluster_by"] = strings.Join(names, ",")
				p.expect(tRParen)
				continue
			}
		}
		break
	}
	if p.accept(kwAs) || p.startsQuery(0) || p.peek() == tLParen {
		p.inner(c)
	}
	if c.Flags["temporary"] && p.err == nil {
		switch {
		case c.Query != nil:
			p.fail(s, "_LEGACY_ERROR_TEMP_0035", "message", "CREATE TEMPORARY TABLE ... AS ..., use CREATE TEMPORARY VIEW instead")
		case c.Args["provider"] == "":
			p.fail(s, "_LEGACY_ERROR_TEMP_0046")
		default: // a temporary view of files
			c.Kind = "create_view"
			if path, ok := c.Args["location"]; ok {
				c.Args["option.path"] = path
			}
		}
	}
	return p.done(c, s)
}

// defaultCollation parses DEFAULT COLLATION name: Args collation.
func (p *parser) defaultCollation(c *plan.Command, s int) {
	p.i += 2
	p.once(c, s, "collation", "DEFAULT COLLATION")
	parts := p.multipart()
	if p.err != nil {
		return
	}
	k, ok := collation.Lookup(parts[len(parts)-1])
	if !ok {
		p.fail(s, "COLLATION_INVALID_NAME", "collationName", strings.Join(parts, "."), "proposals", collation.Suggest(parts[len(parts)-1]))
		return
	}
	c.Args["collation"] = k.Name()
}

// bucketBy: Args bucket_by, sort_by and buckets.
func (p *parser) bucketBy(c *plan.Command, s int) {
	p.next()
	p.expect(kwBy)
	p.once(c, s, "bucket_by", "CLUSTERED BY")
	c.Args["bucket_by"] = quotedList(p.identList())
	if p.acceptSeq(kwSorted, kwBy) {
		p.expect(tLParen)
		var names []string
		for {
			names = append(names, p.nameIdent())
			if p.acceptAny(kwAsc, kwDesc) == kwDesc {
				p.fail(s, "_LEGACY_ERROR_TEMP_0035", "message", "Column ordering must be ASC, was '"+p.text(p.toks[p.i-1])+"'")
			}
			if !p.accept(tComma) {
				break
			}
		}
		p.expect(tRParen)
		c.Args["sort_by"] = quotedList(names)
	}
	p.expect(kwInto)
	at := p.i
	p.integerValue()
	if p.err == nil {
		c.Args["buckets"] = p.text(p.toks[at])
	}
	p.expect(kwBuckets)
}

func (p *parser) partitionedBy(c *plan.Command, s int) {
	p.expect(tLParen)
	var names []string
	for {
		if p.la(1) == tLParen {
			at := p.i
			p.clause()
			c.Args["transform"] = p.textFrom(at)
			if !p.accept(tComma) {
				break
			}
			continue
		}
		if p.isIdent(p.peek()) && p.la(1) != tComma && p.la(1) != tRParen && p.la(1) != tDot {
			f := p.column1(false)
			c.Columns = append(c.Columns, f)
			names = append(names, types.QuoteIfNeeded(f.Name))
		} else {
			names = append(names, quoted(p.multipart()))
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen)
	c.Args["partition_by"] = strings.Join(names, ",")
}

// tableColumns parses (a INT NOT NULL DEFAULT 1 COMMENT 'x', ...).
func (p *parser) tableColumns(c *plan.Command, s int) {
	p.next()
	for p.err == nil {
		switch k := p.peek(); k {
		case kwConstraint, kwCheck, kwPrimary, kwForeign, kwUnique:
			if k == kwConstraint && p.isIdent(p.la(1)) || p.la(1) == tLParen || p.la(1) == kwKey {
				c.Flags["CONSTRAINT"] = true
				p.clause()
				if !p.accept(tComma) {
					p.expect(tRParen)
					return
				}
				continue
			}
		}
		f := types.Field{Name: p.columnName(), Nullable: true}
		f.Type = p.dataType()
		meta := map[string]bool{}
		for p.err == nil {
			k := p.peek()
			clause := keywordText[min(int(k), len(keywordText)-1)]
			switch k {
			case kwNot:
				p.next()
				p.expect(kwNull)
				f.Nullable = false
				clause = "NOT NULL"
			case kwComment:
				p.next()
				f.Metadata = commentMetadata(p.stringLit())
			case kwDefault:
				p.next()
				at := p.i
				p.expr()
				c.Args["default."+f.Name] = p.textFrom(at)
			case kwGenerated:
				what := "generated columns"
				for i := 1; i < 5; i++ {
					if p.la(i) == kwIdentity {
						what = "identity columns"
					}
				}
				c.Flags[what] = true
				p.next()
				p.clause()
				clause = ""
			case kwConstraint, kwCheck, kwPrimary, kwUnique, kwReferences:
				c.Flags["CONSTRAINT"] = true
				p.clause()
				clause = ""
			default:
				clause = ""
			}
			if clause == "" {
				break
			}
			if meta[clause] {
				p.fail(s, "CREATE_TABLE_COLUMN_DESCRIPTOR_DUPLICATE", "columnName", f.Name, "optionName", clause)
			}
			meta[clause] = true
		}
		c.Columns = append(c.Columns, f)
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen)
}

// clause takes all up to the comma or the parenthesis that ends the element of a list.
func (p *parser) clause() {
	for depth := 0; p.err == nil; p.next() {
		switch p.peek() {
		case tLParen:
			depth++
		case tRParen, tComma:
			if depth == 0 {
				return
			}
			if p.peek() == tRParen {
				depth--
			}
		case tEOF:
			p.syntax()
			return
		}
	}
}

// exprProperties parses OPTIONS of CREATE TABLE, whose values may be expressions: only constants are taken.
func (p *parser) exprProperties() map[string]string {
	out := map[string]string{}
	if !p.expect(tLParen) {
		return out
	}
	for {
		s := p.i
		key := p.propertyKey()
		if p.accept(tEq) || p.peek() != tComma && p.peek() != tRParen {
			at := p.i
			e := p.exprIn()
			if text, ok := constString(e); ok {
				out[key] = text
			} else if l, ok := e.(*plan.Literal); ok && l.Value != nil {
				out[key] = strings.ToLower(p.textFrom(at))
			} else if p.err == nil {
				p.notSupported(s, "an expression as the value of option "+key)
			}
		} else {
			out[key] = ""
		}
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen)
	return out
}

// drop parses DROP TABLE, VIEW ("drop_table", "drop_view": Flags if_exists,
// purge), DATABASE ("drop_database": Flags if_exists, cascade), FUNCTION
// ("drop_function": Flags if_exists, temporary), TEMPORARY VARIABLE ("drop_variable": Flags if_exists).
func (p *parser) drop(s int) plan.Node {
	p.next()
	c := p.command(s, "")
	c.Flags["temporary"] = p.accept(kwTemporary)
	switch k := p.peek(); {
	case k == kwTable:
		c.Kind = "drop_table"
	case k == kwView:
		c.Kind = "drop_view"
	case p.isNamespace(k):
		c.Kind = "drop_database"
	case k == kwFunction:
		c.Kind = "drop_function"
	case (k == kwVariable || k == kwVar) && c.Flags["temporary"]:
		c.Kind = "drop_variable"
	case k == kwIndex:
		p.next()
		c.Kind = "index"
		return p.index(c, s)
	case k == kwRole:
		return p.hive(s, 2)
	case k == kwMacro && c.Flags["temporary"]:
		return p.hive(s, 3)
	default:
		p.syntax()
		return c
	}
	p.next()
	c.Flags["if_exists"] = p.ifExists()
	p.target(c)
	switch c.Kind {
	case "drop_table":
		c.Flags["purge"] = p.accept(kwPurge)
	case "drop_database":
		c.Flags["cascade"] = p.acceptAny(kwRestrict, kwCascade) == kwCascade
	}
	return p.done(c, s)
}
