package analyze

import (
	"slices"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// generators takes the generator calls out of a resolved list: each becomes a
// Generate below, and its columns stand in the list.
func (r *run) generators(list []plan.Expr, node plan.Node) ([]plan.Expr, plan.Node, error) {
	any := false
	for _, e := range list {
		if firstGenerator(e) != nil {
			any = true
		}
	}
	if !any {
		return list, node, nil
	}
	var out []plan.Expr
	for _, e := range list {
		g := firstGenerator(e)
		if g == nil {
			out = append(out, e)
			continue
		}
		c, ok := unalias(e).(*plan.Call)
		if !ok || c.Kind != plan.FnGenerator {
			return nil, nil, aerr("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", r.quoted(unalias(e)))
		}
		for _, a := range c.Args {
			if firstGenerator(a) != nil {
				return nil, nil, aerr("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", r.quoted(c))
			}
		}
		var names []string
		if a, ok := e.(*plan.Alias); ok && !a.Auto {
			names = a.Names
		}
		gen, err := r.generate(c, names, nil, node, plan.Common{})
		if err != nil {
			return nil, nil, err
		}
		node = gen
		for _, a := range gen.Out {
			out = append(out, a)
		}
	}
	return out, node, nil
}

// generate builds a Generate over node; names rename its columns.
func (r *run) generate(c *plan.Call, names, qualifier []string, node plan.Node, common plan.Common) (*plan.Generate, error) {
	f := c.T.Fields
	if len(names) > 0 && len(names) != len(f) {
		return nil, aerr("UDTF_ALIAS_NUMBER_MISMATCH", "aliasesSize", itoa(len(f)), "aliasesNames", strings.Join(names, ",")).At(c.Origin)
	}
	outerGen := strings.HasSuffix(c.Name, "_outer")
	if outerGen {
		base := strings.TrimSuffix(c.Name, "_outer")
		if d := fn.Lookup(base); d != nil && d.Gen != nil {
			n := *c
			n.Name = base
			c = &n
		}
	}
	g := &plan.Generate{Common: common, Gen: c, Outer: outerGen, Child: node, Names: names}
	for i, x := range f {
		name := x.Name
		if len(names) > 0 {
			name = names[i]
		}
		g.Out = append(g.Out, &plan.Attr{ID: plan.NewID(), Name: name, T: x.Type, Null: x.Nullable || outerGen, Qualifier: qualifier})
	}
	return g, nil
}

// lateralView is LATERAL VIEW [OUTER] gen(...) t AS a, b.
func (r *run) lateralView(n *plan.Generate, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	s := relScope(child, outer)
	s.outerUsed = outerUsed(outer)
	e, err := r.expr(n.Gen, s)
	if err != nil {
		return nil, err
	}
	e = unalias(e)
	if err := r.checkPlacement("Generate", e); err != nil {
		return nil, err
	}
	c, ok := e.(*plan.Call)
	if !ok || c.Kind != plan.FnGenerator {
		return nil, aerr("UNSUPPORTED_GENERATOR.NOT_GENERATOR", "functionName", errs.ID(strings.Split(r.sql(e), "(")[0]), "classCanonicalName", "expression").At(n.Origin)
	}
	var q []string
	if n.Table != "" {
		q = []string{n.Table}
	}
	g, err := r.generate(c, n.Names, q, pull(child.node, s.missing), n.Common)
	if err != nil {
		return nil, err
	}
	if n.Outer {
		g.Outer = true
		for i, a := range g.Out {
			x := *a
			x.Null = true
			g.Out[i] = &x
		}
	}
	return &rel{node: g, out: append(append([]*plan.Attr{}, child.out...), g.Out...), dfs: child.dfs}, nil
}

// tvf is a table function in FROM.
func (r *run) tvf(n *plan.UnresolvedTVF, outer *scope) (*rel, error) {
	s := &scope{outer: outer, outerUsed: outerUsed(outer)}
	if e := n.Call.NameExpr; e != nil {
		parts, err := r.identifier(e, s, n.Call.Origin)
		if err != nil {
			return nil, err
		}
		t, c := *n, *n.Call
		c.NameExpr, c.Name, c.Path = nil, parts[len(parts)-1], parts[:len(parts)-1]
		t.Call, n = &c, &t
	}
	name := strings.ToLower(n.Call.Name)
	if _, custom := r.path(); custom && len(n.Call.Path) == 0 && r.Catalog != nil {
		f, _, builtin, err := r.pathFunction(n.Call.Name)
		switch {
		case err != nil:
			return nil, err
		case f != nil:
			return r.tableFunction(f, n.Call, s)
		case !builtin:
			return nil, aerr("UNRESOLVABLE_TABLE_VALUED_FUNCTION", "name", errs.ID(n.Call.Name)).At(n.Call.Origin)
		}
	}
	switch name {
	case "range":
		c := *n.Call
		c.Name = name
		args, err := r.exprs(n.Call.Args, s)
		if err != nil {
			return nil, err
		}
		c.Args = args
		return r.rangeTVF(&c, n)
	}
	d := fn.Lookup(name)
	if d == nil && r.Catalog != nil {
		if f := r.Catalog.SQLFunction(append(slices.Clone(n.Call.Path), n.Call.Name)); f != nil {
			return r.tableFunction(f, n.Call, s)
		}
	}
	if d == nil || d.Gen == nil {
		if d != nil {
			return nil, aerr("NOT_A_TABLE_FUNCTION", "functionName", errs.ID(n.Call.Name)).At(n.Call.Origin)
		}
		return nil, aerr("UNRESOLVABLE_TABLE_VALUED_FUNCTION", "name", errs.ID(n.Call.Name)).At(n.Call.Origin)
	}
	var e plan.Expr
	var err error
	if d.Gen.Table {
		c := *n.Call
		c.Name = name
		if c.Args, err = r.exprs(n.Call.Args, s); err == nil {
			e, err = r.apply(d, &c)
		}
	} else {
		e, err = r.expr(n.Call, s)
	}
	if err != nil {
		return nil, err
	}
	g, err := r.generate(e.(*plan.Call), nil, nil, &plan.OneRow{}, n.Common)
	if err != nil {
		return nil, err
	}
	return &rel{node: g, out: g.Out}, nil
}

func (r *run) rangeTVF(c *plan.Call, n *plan.UnresolvedTVF) (*rel, error) {
	if len(c.Args) < 1 || len(c.Args) > 4 {
		return nil, r.wrongNumArgs(c, "[1, 2, 3, 4]")
	}
	v := make([]int64, len(c.Args))
	for i, a := range c.Args {
		a = unalias(a)
		x, ok := intValue(a)
		if !ok {
			var err error
			if x, err = r.rangeArg(c, i, a); err != nil {
				return nil, err
			}
		}
		v[i] = x
	}
	x := &plan.Range{Common: n.Common, Step: 1}
	switch len(v) {
	case 1:
		x.End = v[0]
	case 4:
		x.Partitions = int(v[3])
		fallthrough
	case 3:
		x.Step = v[2]
		fallthrough
	default:
		x.Start, x.End = v[0], v[1]
	}
	if x.Step == 0 {
		return nil, aerr("FAILED_FUNCTION_CALL", "funcName", "`range`").At(c.Origin)
	}
	return r.rangeNode(x)
}

// rangeArg evaluates an argument of range() that isn't a plain number.
func (r *run) rangeArg(c *plan.Call, i int, a plan.Expr) (int64, error) {
	bad := func() error {
		return aerr("UNEXPECTED_INPUT_TYPE", "paramIndex", ordinal(i+1), "functionName", "`range`", "requiredType", `"BIGINT"`, "inputSql", r.quoted(a), "inputType", errs.Quote(a.Type().SQL())).At(c.Origin)
	}
	if !foldable(a) {
		names := []string{"start", "end", "step", "numSlices"}
		if len(c.Args) == 1 {
			names = names[1:]
		}
		return 0, aerr("NON_FOLDABLE_ARGUMENT", "funcName", "`range`", "paramName", errs.ID(names[i]), "paramType", `"BIGINT"`).At(c.Origin)
	}
	if t := a.Type(); !t.IsNumeric() && !t.IsString() {
		return 0, bad()
	}
	x, err := r.variableCast(a, types.Int64Type, c.Origin)
	if err != nil {
		return 0, err
	}
	_, vals, err := r.values([]plan.Expr{x})
	if err != nil {
		return 0, err
	}
	v, ok := vals[0].(int64)
	if !ok {
		return 0, bad()
	}
	return v, nil
}

func (r *run) rangeNode(n *plan.Range) (*rel, error) {
	c := *n
	c.Out = []*plan.Attr{{ID: plan.NewID(), Name: "id", T: types.Int64Type}}
	return &rel{node: &c, out: c.Out}, nil
}
