package sqlparse

import (
	"neptune/internal/plan"
)

// dml parses DELETE FROM t WHERE c ("delete": Query the table, Exprs_ the
// condition), UPDATE t SET a = 1 WHERE c ("update": Exprs_ the columns, the
// values, and the condition), MERGE INTO t USING s ("merge": Query the join of
// both). No table here can be changed so: what they name is checked, and then they are refused.
func (p *parser) dml(s int) plan.Node {
	c := p.command(s, "")
	switch p.next().kind {
	case kwDelete:
		c.Kind = "delete"
		p.expect(kwFrom)
		p.changed(c)
	case kwUpdate:
		c.Kind = "update"
		p.changed(c)
		p.expect(kwSet)
		for p.err == nil {
			at := p.i
			parts := p.columnParts()
			c.Exprs_ = append(c.Exprs_, &plan.UnresolvedAttr{At: p.from(at), Parts: parts})
			p.expect(tEq)
			if e := p.expr(); e != nil {
				if a, ok := e.(*plan.UnresolvedAttr); !ok || len(a.Parts) > 1 || !p.wordAt(at, a) {
					c.Exprs_ = append(c.Exprs_, e)
				}
			}
			if !p.accept(tComma) {
				break
			}
		}
	case kwMerge:
		c.Kind = "merge"
		p.acceptSeq(kwWith, kwSchema, kwEvolution)
		p.expect(kwInto)
		p.changed(c)
		p.expect(kwUsing)
		at := p.i
		source := p.relationPrimary()
		p.expect(kwOn)
		on := p.expr()
		c.Query = &plan.Join{Common: p.common(at), Kind: plan.Inner, Left: c.Query, Right: source, Cond: on}
		if p.peek() != kwWhen {
			p.syntax()
		}
		p.clauseRest()
		return p.done(c, s)
	}
	if p.accept(kwWhere) {
		c.Exprs_ = append(c.Exprs_, p.expr())
	}
	return p.done(c, s)
}

// wordAt reports whether a is the word DEFAULT, which UPDATE may set.
func (p *parser) wordAt(_ int, a *plan.UnresolvedAttr) bool {
	return len(a.Parts) == 1 && (a.Parts[0] == "DEFAULT" || a.Parts[0] == "default")
}

// changed parses the table that is changed, with its alias.
func (p *parser) changed(c *plan.Command) {
	at := p.i
	parts, name := p.nameRef()
	c.Name = parts
	t := &plan.UnresolvedTable{Common: p.common(at), Parts: parts, NameExpr: name}
	c.Query = t
	if p.accept(kwAs) || p.isIdent(p.peek()) && p.peek() != kwSet && p.peek() != kwWhere && p.peek() != kwUsing {
		c.Query = &plan.SubqueryAlias{Common: p.common(at), Name: p.nameIdent(), Child: t}
	}
}

// repair parses MSCK REPAIR TABLE t [ADD | DROP | SYNC PARTITIONS] and REPAIR TABLE t: "repair", Args mode.
func (p *parser) repair(s int) plan.Node {
	p.accept(kwMsck)
	p.expectSeq(kwRepair, kwTable)
	c := p.command(s, "repair")
	p.target(c)
	if k := p.acceptAny(kwAdd, kwDrop, kwSync); k != tEOF {
		c.Args["mode"] = keywordText[k]
		p.expect(kwPartitions)
	}
	return p.done(c, s)
}

// load parses LOAD DATA [LOCAL] INPATH 'x' [OVERWRITE] INTO TABLE t [PARTITION]: "load", Args path.
func (p *parser) load(s int) plan.Node {
	p.next()
	c := p.command(s, "load")
	p.expect(kwData)
	c.Flags["local"] = p.accept(kwLocal)
	p.expect(kwInpath)
	c.Args["path"] = p.stringLit()
	c.Flags["overwrite"] = p.accept(kwOverwrite)
	p.expectSeq(kwInto, kwTable)
	p.target(c)
	p.partition(c, s)
	return p.done(c, s)
}
