package sqlparse

import (
	"strings"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// insert parses INSERT INTO | OVERWRITE: "insert", Name, Query, Flags
// overwrite, by_name, if_not_exists (of a partition), partition and
// dynamic_partition (see partition); Columns are the names of a column list;
// Args "option.<key>". INSERT OVERWRITE DIRECTORY is "insert_directory" with
// Args path, provider, "option.<key>", Flags local. INSERT INTO ... REPLACE
// WHERE cond has Flags replace_where and the condition last in Exprs_.
func (p *parser) insert(s int) plan.Node {
	p.next()
	c := p.command(s, "insert")
	if p.peek() == kwWith {
		return p.unsupported(s, "INSERT WITH SCHEMA EVOLUTION")
	}
	switch p.acceptAny(kwInto, kwOverwrite) {
	case kwOverwrite:
		c.Flags["overwrite"] = true
		if p.peek() == kwDirectory || p.peek() == kwLocal && p.la(1) == kwDirectory {
			return p.insertDirectory(c, s)
		}
	case tEOF:
		p.syntax()
		return c
	}
	if p.peek() == kwTable && p.isIdent(p.la(1)) {
		p.next()
	}
	p.target(c)
	if p.peek() == kwWith && p.la(1) == tLParen {
		p.next()
		for k, v := range p.properties() {
			c.Args["option."+k] = v
		}
	}
	p.partition(c, s)
	c.Flags["if_not_exists"] = p.ifNotExists()
	if p.peek() == kwReplace && p.la(1) == kwWhere {
		p.i += 2
		c.Exprs_ = append(c.Exprs_, p.expr())
		c.Flags["replace_where"] = true
	} else if p.peek() == kwReplace && (p.la(1) == kwOn || p.la(1) == kwUsing) || p.peek() == kwAs {
		return p.unsupported(s, "INSERT ... REPLACE ON/USING")
	}
	if p.acceptSeq(kwBy, kwName) {
		c.Flags["by_name"] = true
	} else if p.peek() == tLParen && !p.queryBehindParens() {
		p.next()
		for {
			c.Columns = append(c.Columns, types.Field{Name: p.nameIdent(), Nullable: true})
			if !p.accept(tComma) {
				break
			}
		}
		if p.peek() != tRParen {
			p.syntaxHint(": missing ')'")
		}
		p.expect(tRParen)
	}
	p.inner(c)
	return p.done(c, s)
}

func (p *parser) insertDirectory(c *plan.Command, s int) plan.Node {
	c.Kind = "insert_directory"
	c.Flags["local"] = p.accept(kwLocal)
	p.expect(kwDirectory)
	if p.peek() == tString {
		c.Args["path"] = p.stringLit()
	}
	if p.peek() == kwRow || p.peek() == kwStored {
		return p.unsupported(s, "INSERT OVERWRITE DIRECTORY with a Hive format")
	}
	if p.accept(kwUsing) {
		c.Args["provider"] = strings.Join(p.multipart(), ".")
		if p.accept(kwOptions) {
			for k, v := range p.properties() {
				c.Args["option."+k] = v
			}
		}
	}
	p.inner(c)
	return p.done(c, s)
}
