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
func (p *parser) insert(s int) plan.Node { return p.insertFrom(s, nil) }

// insertFrom parses an INSERT whose query, where from isn't nil, is a SELECT without FROM of that relation.
func (p *parser) insertFrom(s int, from plan.Node) plan.Node {
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
		c.Flags["replace_on"] = true
		p.i = len(p.toks) - 1
		return p.done(c, s)
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
	if from != nil {
		at, mark := p.i, len(p.windows)
		if p.peek() != kwSelect {
			p.syntax()
			return c
		}
		sel := p.selectClause()
		c.Query = p.organization(p.selectBody(sel, from, at, mark), at, mark)
		return p.done(c, s)
	}
	p.inner(c)
	return p.done(c, s)
}

// isMultiInsert reports whether the statement, which begins with FROM, has INSERTs behind its relations.
func (p *parser) isMultiInsert() bool {
	depth := 0
	for _, t := range p.toks[p.i:] {
		switch t.kind {
		case tLParen:
			depth++
		case tRParen:
			depth--
		case kwSelect:
			if depth == 0 {
				return false
			}
		case kwInsert:
			if depth == 0 {
				return true
			}
		}
	}
	return false
}

// multiInsert parses FROM t INSERT INTO a SELECT ... INSERT INTO b SELECT ...: "multi_insert", More the INSERTs.
func (p *parser) multiInsert(s int, with *plan.With) plan.Node {
	c := p.command(s, "multi_insert")
	from := p.fromClause()
	for p.peek() == kwInsert && p.err == nil {
		one, ok := p.insertFrom(p.i, from).(*plan.Command)
		if !ok || p.err != nil {
			return c
		}
		if with != nil {
			w := *with
			w.Child = one.Query
			one.Query = &w
		}
		c.More = append(c.More, one)
	}
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
		c.Flags["hive"] = true
		for p.peek() != tEOF && !p.startsQuery(0) {
			p.next()
		}
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
