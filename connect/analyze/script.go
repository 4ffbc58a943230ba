package analyze

import (
	"context"
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// localScope has the variables of one block of a script.
type localScope struct {
	label string
	vars  map[string]*catalog.Variable // by name in lower case
	outer *localScope
}

// localVariable finds a variable of the script around by the parts of a name; rest are fields in it.
func (r *run) localVariable(parts []string) (v *catalog.Variable, rest []string) {
	for s := r.locals; s != nil; s = s.outer {
		if v := s.vars[strings.ToLower(parts[0])]; v != nil {
			return v, parts[1:]
		}
		if len(parts) > 1 && s.label != "" && strings.EqualFold(s.label, parts[0]) {
			if v := s.vars[strings.ToLower(parts[1])]; v != nil {
				return v, parts[2:]
			}
		}
	}
	return nil, nil
}

// target is a variable that is assigned to.
type target struct {
	catalog.Variable
	local *catalog.Variable // of a script; nil: of the session
}

func (r *run) assignTo(t target, value any) {
	if t.local != nil {
		t.local.Value = value
		return
	}
	t.Value = value
	r.Catalog.SetVariable(t.Variable)
}

// script runs BEGIN ... END; its rows are those of the query that ran last.
func script(r *run, c *plan.Command) (plan.Node, error) {
	if r.Execute == nil {
		return nil, errs.NotSupported("scripts without an engine")
	}
	s := &scripter{ctx: r.ctx, a: *r.Analyzer}
	j, err := s.block(c.Script)
	if err != nil {
		return nil, err
	}
	if j != nil {
		return nil, errs.Internalf("a script jumped to %s, which isn't there", j.label)
	}
	if s.result == nil {
		return nothing()
	}
	return s.result, nil
}

// scripter runs the statements of a script one after the other.
type scripter struct {
	ctx    context.Context
	a      Analyzer
	guards []guard // blocks with handlers, the innermost last
	result plan.Node
}

// guard is a block whose handlers watch what runs in it.
type guard struct {
	block *plan.Script
	scope *localScope
}

// jump is LEAVE or ITERATE on its way to its label.
type jump struct {
	label   string
	iterate bool
}

// unwind leaves blocks up to that of a handler; err is what the handler itself failed with.
type unwind struct {
	block *plan.Script
	err   error
}

func (u *unwind) Error() string { return "a handler ends its block" }

// block runs the statements of b with variables of their own.
func (s *scripter) block(b *plan.Script) (*jump, error) {
	if b == nil {
		return nil, nil
	}
	around := s.a.locals
	s.a.locals = &localScope{label: b.Label, vars: map[string]*catalog.Variable{}, outer: around}
	defer func() { s.a.locals = around }()
	if len(b.Handlers) > 0 {
		s.guards = append(s.guards, guard{b, s.a.locals})
		defer func(n int) { s.guards = s.guards[:n] }(len(s.guards) - 1)
	}
	for _, st := range b.Body {
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		j, err := s.statement(st)
		if err != nil {
			if _, passing := err.(*unwind); !passing {
				j, err = s.handle(err)
			}
		}
		if u, ok := err.(*unwind); ok {
			if u.block == b {
				return nil, u.err
			}
			return nil, err
		}
		if j != nil || err != nil {
			return j, err
		}
	}
	return nil, nil
}

// handle runs the handler for an error, if there is one; else it gives the error back.
func (s *scripter) handle(err error) (*jump, error) {
	e, ok := errs.As(err)
	if !ok {
		return nil, err
	}
	for i := len(s.guards) - 1; i >= 0; i-- {
		g := s.guards[i]
		h := handlerFor(g.block.Handlers, e)
		if h == nil {
			continue
		}
		guards, locals := s.guards, s.a.locals
		s.guards, s.a.locals = slices.Clone(s.guards[:i]), g.scope
		j, herr := s.block(h.Body)
		s.guards, s.a.locals = guards, locals
		switch {
		case herr != nil:
			if u, ok := herr.(*unwind); ok {
				if u.err == nil { // a handler around took the handler's error: Spark goes on behind this block
					u = &unwind{g.block, nil}
				}
				return nil, u
			}
			return nil, &unwind{g.block, herr}
		case j != nil:
			return j, nil
		case h.Continue:
			return nil, nil
		}
		return nil, &unwind{g.block, nil}
	}
	return nil, err
}

// handlerFor takes the handler of the condition, else that of its main part, of the SQLSTATE, or of all errors.
func handlerFor(list []*plan.ScriptHandler, e *errs.Error) *plan.ScriptHandler {
	state := e.SQLState()
	main, _, _ := strings.Cut(e.Condition, ".")
	for _, ok := range []func(*plan.ScriptHandler) bool{
		func(h *plan.ScriptHandler) bool { return slices.Contains(h.Conditions, e.Condition) },
		func(h *plan.ScriptHandler) bool { return slices.Contains(h.Conditions, main) },
		func(h *plan.ScriptHandler) bool { return slices.Contains(h.States, state) },
		func(h *plan.ScriptHandler) bool { return h.NotFound && strings.HasPrefix(state, "02") },
		func(h *plan.ScriptHandler) bool {
			return h.Any && !strings.HasPrefix(state, "02") && !strings.HasPrefix(state, "XX")
		},
	} {
		if i := slices.IndexFunc(list, ok); i >= 0 {
			return list[i]
		}
	}
	return nil
}

func (s *scripter) statement(st *plan.ScriptStatement) (*jump, error) {
	switch st.Kind {
	case plan.ScriptBlock:
		j, err := s.block(st.Block)
		if j != nil && !j.iterate && st.Label != "" && strings.EqualFold(j.label, st.Label) {
			return nil, err
		}
		return j, err
	case plan.ScriptIf, plan.ScriptCase:
		return s.branch(st)
	case plan.ScriptWhile, plan.ScriptRepeat, plan.ScriptLoop:
		return s.loop(st)
	case plan.ScriptFor:
		return s.each(st)
	case plan.ScriptLeave, plan.ScriptIterate:
		return &jump{st.Label, st.Kind == plan.ScriptIterate}, nil
	}
	return nil, s.run(st.Node)
}

// run carries out a query or a command.
func (s *scripter) run(n plan.Node) error {
	c, ok := n.(*plan.Command)
	if !ok {
		out, err := s.a.Analyze(s.ctx, n)
		if err != nil {
			return err
		}
		s.result, err = s.a.Execute(s.ctx, out)
		return err
	}
	out, handled, err := s.a.RunCommand(s.ctx, c)
	switch {
	case err != nil:
		return err
	case !handled && c.Kind != "explain":
		return errs.NotSupported("statement " + c.Kind + " in a script").At(c.Origin)
	}
	if c.Kind == "set_timezone" && s.a.Reload != nil {
		locals := s.a.locals
		s.a = *s.a.Reload()
		s.a.locals = locals
	}
	if c.Kind != "execute_immediate" || out == nil || len(out.Output()) == 0 {
		return nil
	}
	if _, rows := out.(*plan.LocalRelation); !rows {
		if out, err = s.a.Execute(s.ctx, out); err != nil {
			return err
		}
	}
	s.result = out
	return nil
}

// holds evaluates a condition; null is false.
func (s *scripter) holds(e plan.Expr, text string) (bool, error) {
	r := s.a.newRun(s.ctx)
	x, err := r.expr(e, &scope{})
	if err != nil {
		return false, err
	}
	if x = unalias(x); x.Type().Kind != types.Bool {
		return false, aerr("INVALID_BOOLEAN_STATEMENT", "invalidStatement", text)
	}
	_, vals, err := r.values([]plan.Expr{x})
	if err != nil {
		return false, err
	}
	v, _ := vals[0].(bool)
	return v, nil
}

func (s *scripter) branch(st *plan.ScriptStatement) (*jump, error) {
	for i, c := range st.Conds {
		ok := false
		var err error
		if st.Subject != nil {
			ok, err = s.equals(st.Subject, c)
		} else {
			ok, err = s.holds(c, st.Texts[i])
		}
		if err != nil {
			return nil, err
		}
		if ok {
			return s.block(st.Blocks[i])
		}
	}
	return s.block(st.Else)
}

// equals compares the subject of CASE; null is equal to nothing.
func (s *scripter) equals(subject, e plan.Expr) (bool, error) {
	r := s.a.newRun(s.ctx)
	x, err := r.expr(&plan.Call{At: plan.At{Origin: e.Pos()}, Name: "=", Args: []plan.Expr{subject, e}, Infix: true}, &scope{})
	if err != nil {
		return false, err
	}
	_, vals, err := r.values([]plan.Expr{unalias(x)})
	if err != nil {
		return false, err
	}
	v, ok := vals[0].(bool)
	return ok && v, nil
}

// turn runs a loop's body once; stop: the loop is over.
func (s *scripter) turn(st *plan.ScriptStatement) (stop bool, j *jump, err error) {
	j, err = s.block(st.Block)
	if err != nil {
		return true, nil, err
	}
	if j == nil {
		return false, nil, s.ctx.Err()
	}
	if st.Label != "" && strings.EqualFold(j.label, st.Label) {
		return !j.iterate, nil, nil
	}
	return true, j, nil
}

func (s *scripter) loop(st *plan.ScriptStatement) (*jump, error) {
	for {
		if st.Kind == plan.ScriptWhile {
			if ok, err := s.holds(st.Conds[0], st.Texts[0]); err != nil || !ok {
				return nil, err
			}
		}
		if stop, j, err := s.turn(st); stop || err != nil {
			return j, err
		}
		if st.Kind == plan.ScriptRepeat {
			if done, err := s.holds(st.Conds[0], st.Texts[0]); err != nil || done {
				return nil, err
			}
		}
	}
}

// each is FOR: the body runs for each row of a query, whose columns are variables.
func (s *scripter) each(st *plan.ScriptStatement) (*jump, error) {
	out, err := s.a.Analyze(s.ctx, st.Node)
	if err != nil {
		return nil, err
	}
	if s.a.RunScalar == nil {
		return nil, errs.NotSupported("FOR without an engine")
	}
	cols := out.Output()
	rows, err := s.a.RunScalar(s.ctx, out)
	if err != nil {
		return nil, err
	}
	around := s.a.locals
	defer func() { s.a.locals = around }()
	for _, row := range rows {
		scope := &localScope{label: st.Row, vars: map[string]*catalog.Variable{}, outer: around}
		for i, c := range cols {
			scope.vars[strings.ToLower(c.Name)] = &catalog.Variable{Name: c.Name, Type: c.T, Value: row[i]}
		}
		s.a.locals = scope
		if stop, j, err := s.turn(st); stop || err != nil {
			return j, err
		}
	}
	return nil, nil
}
