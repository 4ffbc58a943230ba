package sqlparse

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// scriptCommand parses BEGIN ... END: "script", Script.
func (p *parser) scriptCommand(s int) plan.Node {
	c := p.command(s, "script")
	p.script = &scriptState{}
	c.Script = p.compound("")
	p.script = nil
	c.Text = p.textFrom(s)
	return p.done(c, s)
}

// scriptState is what the parser knows within a script.
type scriptState struct {
	labels []scriptLabel
	conds  []map[string]string // declared, by scope
}

type scriptLabel struct {
	name     string
	compound bool
}

// fault stops with a condition of scripts, which have no query context.
func (p *parser) fault(condition string, kv ...string) {
	if p.err == nil {
		p.stop(errs.New(errs.Parse, condition, kv...))
	}
}

// compound parses BEGIN ... END without its label.
func (p *parser) compound(label string) *plan.Script {
	out := &plan.Script{Label: label, Conditions: map[string]string{}}
	if !p.enter() {
		return out
	}
	defer p.leave()
	p.expect(kwBegin)
	p.acceptSeq(kwNot, kwAtomic)
	p.script.conds = append(p.script.conds, out.Conditions)
	p.scriptBody(out, true, kwEnd)
	p.script.conds = p.script.conds[:len(p.script.conds)-1]
	p.expect(kwEnd)
	return out
}

// scriptBody parses statements up to one of the words; declarations come first in a compound.
func (p *parser) scriptBody(out *plan.Script, compound bool, ends ...kind) {
	const (
		variables = iota
		handlers
		statements
	)
	stage := variables
	for p.err == nil {
		for _, k := range ends {
			if p.peek() == k {
				return
			}
		}
		s := p.i
		switch {
		case p.peek() == kwDeclare && p.isHandler():
			if stage == statements || !compound {
				p.fault("INVALID_HANDLER_DECLARATION.WRONG_PLACE_OF_DECLARATION")
				return
			}
			stage = handlers
			p.handler(out)
		case p.peek() == kwDeclare && p.isIdent(p.la(1)) && p.la(2) == kwCondition:
			name := strings.ToUpper(p.name(p.toks[p.i+1]))
			if stage != variables || !compound {
				p.fault("INVALID_ERROR_CONDITION_DECLARATION.NOT_AT_START_OF_COMPOUND_STATEMENT", "conditionName", errs.ID(name))
				return
			}
			p.declareCondition(out)
		case p.peek() == kwDeclare:
			n := p.statement()
			c, ok := n.(*plan.Command)
			if p.err != nil || !ok {
				return
			}
			if stage != variables || !compound {
				where := "ONLY_AT_BEGINNING"
				if !compound {
					where = "NOT_ALLOWED_IN_SCOPE"
				}
				p.fault("INVALID_VARIABLE_DECLARATION."+where, "varName", errs.ID(c.Name...))
				return
			}
			out.Body = append(out.Body, &plan.ScriptStatement{Node: n, Origin: p.origin(s)})
		default:
			stage = statements
			out.Body = append(out.Body, p.scriptStatement())
		}
		if p.err == nil && !p.accept(tSemicolon) {
			p.syntax()
		}
	}
}

func (p *parser) isHandler() bool {
	return (p.la(1) == kwExit || p.la(1) == kwContinue) && p.la(2) == kwHandler
}

func (p *parser) declareCondition(out *plan.Script) {
	p.next()
	name := strings.ToUpper(p.name(p.next()))
	p.next()
	state := "45000"
	if p.accept(kwFor) {
		p.expect(kwSqlstate)
		p.accept(kwValue)
		state = p.sqlState()
	}
	if _, dup := out.Conditions[name]; dup {
		p.fault("DUPLICATE_CONDITION_IN_SCOPE", "condition", errs.ID(name))
	}
	out.Conditions[name] = state
}

func (p *parser) sqlState() string {
	text := p.stringLit()
	state := strings.ToUpper(text)
	ok := len(state) == 5 && !strings.HasPrefix(state, "00") && !strings.HasPrefix(state, "01") && !strings.HasPrefix(state, "XX")
	for i := 0; i < len(state); i++ {
		ok = ok && (state[i] >= '0' && state[i] <= '9' || state[i] >= 'A' && state[i] <= 'Z')
	}
	if !ok {
		p.fault("INVALID_SQLSTATE", "sqlState", text)
	}
	return state
}

// handler parses DECLARE EXIT HANDLER FOR conditions statement.
func (p *parser) handler(out *plan.Script) {
	p.next()
	h := &plan.ScriptHandler{Continue: p.next().kind == kwContinue}
	if h.Continue && !p.o.ContinueHandlers {
		p.fault("UNSUPPORTED_FEATURE.CONTINUE_EXCEPTION_HANDLER")
		return
	}
	p.next()
	p.expect(kwFor)
	n := 0
	seen := map[string]bool{}
	twice := func(kind, key, value string) {
		if seen[kind+value] {
			p.fault("INVALID_HANDLER_DECLARATION.DUPLICATE_"+kind+"_IN_HANDLER_DECLARATION", key, value)
		}
		seen[kind+value] = true
	}
	for p.err == nil {
		n++
		switch {
		case p.accept(kwSqlexception):
			h.Any = true
		case p.acceptSeq(kwNot, kwFound):
			h.NotFound = true
		case p.accept(kwSqlstate):
			p.accept(kwValue)
			state := p.sqlState()
			twice("SQLSTATE", "sqlState", state)
			h.States = append(h.States, state)
		default:
			name := strings.ToUpper(strings.Join(p.multipart(), "."))
			if p.err != nil {
				return
			}
			if !p.knownCondition(name) {
				p.fault("INVALID_HANDLER_DECLARATION.CONDITION_NOT_FOUND", "condition", name)
			}
			twice("CONDITION", "condition", name)
			h.Conditions = append(h.Conditions, name)
		}
		if !p.accept(tComma) {
			break
		}
	}
	if (h.Any || h.NotFound) && (len(h.States) > 0 || len(h.Conditions) > 0) {
		p.fault("INVALID_HANDLER_DECLARATION.INVALID_CONDITION_COMBINATION")
	}
	for _, other := range out.Handlers {
		for _, c := range h.Conditions {
			for _, d := range other.Conditions {
				if c == d {
					p.fault("DUPLICATE_EXCEPTION_HANDLER.CONDITION", "condition", c)
				}
			}
		}
		for _, c := range h.States {
			for _, d := range other.States {
				if c == d {
					p.fault("DUPLICATE_EXCEPTION_HANDLER.SQLSTATE", "sqlState", c)
				}
			}
		}
		if h.Any && other.Any {
			p.fault("DUPLICATE_EXCEPTION_HANDLER.CONDITION", "condition", "SQLEXCEPTION")
		}
		if h.NotFound && other.NotFound {
			p.fault("DUPLICATE_EXCEPTION_HANDLER.CONDITION", "condition", "NOT FOUND")
		}
	}
	if p.peek() == kwBegin {
		h.Body = p.compound("")
	} else {
		at := p.i
		n := p.scriptRun()
		h.Body = &plan.Script{Body: []*plan.ScriptStatement{{Node: n, Origin: p.origin(at)}}}
	}
	out.Handlers = append(out.Handlers, h)
}

// knownCondition: declared around, or one that errors have.
func (p *parser) knownCondition(name string) bool {
	for _, c := range p.script.conds {
		if _, ok := c[name]; ok {
			return true
		}
	}
	return errs.KnownPrefix(name)
}

// scriptStatement parses one statement of a script, without its semicolon.
func (p *parser) scriptStatement() *plan.ScriptStatement {
	s := p.i
	st := &plan.ScriptStatement{}
	if !p.enter() {
		return st
	}
	defer p.leave()
	label := ""
	if p.isIdent(p.peek()) && p.la(1) == tColon {
		switch p.la(2) {
		case kwBegin, kwWhile, kwRepeat, kwLoop, kwFor:
			label = p.name(p.next())
			p.next()
		}
	}
	inside := func(compound bool, f func()) {
		if label == "" {
			f()
			return
		}
		p.declareLabel(label)
		p.script.labels = append(p.script.labels, scriptLabel{strings.ToLower(label), compound})
		f()
		p.script.labels = p.script.labels[:len(p.script.labels)-1]
	}
	switch p.peek() {
	case kwBegin:
		st.Kind, st.Label = plan.ScriptBlock, label
		inside(true, func() { st.Block = p.compound(label) })
		p.endLabel(label)
	case kwIf:
		p.next()
		st.Kind = plan.ScriptIf
		p.branches(st, kwElseif, kwElse, kwEnd)
		p.expectSeq(kwEnd, kwIf)
	case kwCase:
		p.next()
		st.Kind = plan.ScriptCase
		if p.peek() != kwWhen {
			st.Subject = p.expr()
		}
		p.expect(kwWhen)
		p.branches(st, kwWhen, kwElse, kwEnd)
		p.expectSeq(kwEnd, kwCase)
	case kwWhile:
		p.next()
		st.Kind, st.Label = plan.ScriptWhile, label
		p.condition(st)
		p.expect(kwDo)
		inside(false, func() { st.Block = p.block(kwEnd) })
		p.expectSeq(kwEnd, kwWhile)
		p.endLabel(label)
	case kwRepeat:
		p.next()
		st.Kind, st.Label = plan.ScriptRepeat, label
		inside(false, func() { st.Block = p.block(kwUntil) })
		p.expect(kwUntil)
		p.condition(st)
		p.expectSeq(kwEnd, kwRepeat)
		p.endLabel(label)
	case kwLoop:
		p.next()
		st.Kind, st.Label = plan.ScriptLoop, label
		inside(false, func() { st.Block = p.block(kwEnd) })
		p.expectSeq(kwEnd, kwLoop)
		p.endLabel(label)
	case kwFor:
		p.next()
		st.Kind, st.Label = plan.ScriptFor, label
		if p.isIdent(p.peek()) && p.la(1) == kwAs {
			st.Row = p.name(p.next())
			p.next()
			p.declareLabel(st.Row)
			p.script.labels = append(p.script.labels, scriptLabel{strings.ToLower(st.Row), true})
		}
		st.Node = p.query()
		p.expect(kwDo)
		inside(false, func() { st.Block = p.block(kwEnd) })
		if st.Row != "" && p.err == nil {
			p.script.labels = p.script.labels[:len(p.script.labels)-1]
		}
		p.expectSeq(kwEnd, kwFor)
		p.endLabel(label)
	case kwLeave, kwIterate:
		p.jump(st)
	default:
		st.Node = p.scriptRun()
	}
	st.Origin = p.origin(s)
	return st
}

// scriptRun parses a query or a command. SET assigns variables here.
func (p *parser) scriptRun() plan.Node {
	s := p.i
	switch p.peek() {
	case kwSet:
		if p.la(1) != kwCatalog && !(p.la(1) == kwTime && p.la(2) == kwZone) {
			p.next()
			c := p.command(s, "set_variable")
			return p.assignments(c, s)
		}
	case kwDrop:
		if p.la(1) == kwTemporary && (p.la(2) == kwVariable || p.la(2) == kwVar) {
			p.fail(s, "UNSUPPORTED_FEATURE.SQL_SCRIPTING_DROP_TEMPORARY_VARIABLE")
			return noNode()
		}
	case kwOpen, kwFetch, kwClose:
		p.fault("UNSUPPORTED_FEATURE.SQL_CURSOR")
		return noNode()
	}
	return p.statement()
}

// condition parses one condition and keeps its text.
func (p *parser) condition(st *plan.ScriptStatement) {
	at := p.i
	st.Conds = append(st.Conds, p.expr())
	st.Texts = append(st.Texts, p.textFrom(at))
}

func (p *parser) block(ends ...kind) *plan.Script {
	out := &plan.Script{}
	p.scriptBody(out, false, ends...)
	return out
}

// branches parses condition THEN statements, more of them behind the word again, and ELSE.
func (p *parser) branches(st *plan.ScriptStatement, again, otherwise, end kind) {
	for p.err == nil {
		p.condition(st)
		p.expect(kwThen)
		st.Blocks = append(st.Blocks, p.block(again, otherwise, end))
		if !p.accept(again) {
			break
		}
	}
	if p.accept(otherwise) {
		st.Else = p.block(end)
	}
}

func (p *parser) declareLabel(name string) {
	switch strings.ToLower(name) {
	case "system", "session", "builtin":
		p.fault("LABEL_OR_FOR_VARIABLE_NAME_FORBIDDEN", "label", errs.ID(name))
	}
	for _, l := range p.script.labels {
		if l.name == strings.ToLower(name) {
			p.fault("LABEL_OR_FOR_VARIABLE_ALREADY_EXISTS", "label", errs.ID(name))
		}
	}
}

func (p *parser) endLabel(label string) {
	if p.peek() == tSemicolon || p.peek() == tEOF || p.err != nil || !p.isIdent(p.peek()) {
		return
	}
	name := p.name(p.next())
	switch {
	case label == "":
		p.fault("END_LABEL_WITHOUT_BEGIN_LABEL", "endLabel", errs.ID(name))
	case !strings.EqualFold(label, name):
		p.fault("LABELS_MISMATCH", "beginLabel", errs.ID(label), "endLabel", errs.ID(name))
	}
}

func (p *parser) jump(st *plan.ScriptStatement) {
	st.Kind = plan.ScriptLeave
	word := "LEAVE"
	if p.next().kind == kwIterate {
		st.Kind, word = plan.ScriptIterate, "ITERATE"
	}
	st.Label = p.ident()
	for _, l := range p.script.labels {
		if l.name == strings.ToLower(st.Label) {
			if l.compound && st.Kind == plan.ScriptIterate {
				p.fault("INVALID_LABEL_USAGE.ITERATE_IN_COMPOUND", "labelName", strings.ToUpper(st.Label))
			}
			return
		}
	}
	p.fault("INVALID_LABEL_USAGE.DOES_NOT_EXIST", "labelName", strings.ToUpper(st.Label), "statementType", word)
}
