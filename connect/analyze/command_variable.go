package analyze

import (
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// variableID is how conditions name a session variable.
func variableID(name string) string { return errs.ID("system", "session", name) }

// sessionPath is where variables are looked for that are declared or dropped.
const sessionPath = "[`system`.`session`]"

// variable resolves a reference to a session variable, or to a field in one; nil if there is none.
func (r *run) variable(e *plan.UnresolvedAttr) (plan.Expr, error) {
	if r.Catalog == nil {
		return nil, nil
	}
	if v, rest := r.localVariable(e.Parts); v != nil {
		r.variables = append(r.variables, v.Name)
		x := r.note(&plan.Literal{At: e.At, T: v.Type, Value: v.Value},
			&plan.UnresolvedAttr{At: e.At, Parts: []string{"variablereference(local." + v.Name + "=" + literalSQL(v.Type, v.Value, r) + ")"}})
		return r.fields(x, rest, e.Origin)
	}
	for n := len(e.Parts); n > 0; n-- {
		name, ok := catalog.VariableName(e.Parts[:n])
		if !ok || n == 1 && !r.hasSession() {
			continue
		}
		v, ok := r.Catalog.FindVariable(name)
		if !ok {
			continue
		}
		r.variables = append(r.variables, v.Name)
		var x plan.Expr = &plan.Literal{At: e.At, T: v.Type, Value: v.Value}
		// Spark names an expression of variables by their values.
		x = r.note(x, &plan.UnresolvedAttr{At: e.At, Parts: []string{"variablereference(system.session." + v.Name + "=" + literalSQL(v.Type, v.Value, r) + ")"}})
		return r.fields(x, e.Parts[n:], e.Origin)
	}
	return nil, nil
}

// literalSQL is a value as SQL text, as Spark's Literal.sql.
func literalSQL(t *types.Type, v any, r *run) string {
	text := r.literal(&plan.Literal{T: t, Value: v})
	switch {
	case v == nil && t.Kind != types.Null:
		return "CAST(NULL AS " + t.SQL() + ")"
	case v != nil && t.IsString():
		return errs.Text(text)
	case t.Kind == types.Int64:
		return text + "L"
	case t.Kind == types.Int16:
		return text + "S"
	case t.Kind == types.Int8:
		return text + "Y"
	case t.Kind == types.Decimal:
		return text + "BD"
	case t.Kind == types.Float64:
		return text + "D"
	}
	return text
}

// values evaluates resolved expressions without columns: their types and values.
func (r *run) values(list []plan.Expr) ([]*types.Type, []any, error) {
	if r.RunScalar == nil {
		return nil, nil, errs.NotSupported("statements that evaluate an expression, without an engine")
	}
	p := &plan.Project{Child: &plan.OneRow{}}
	var ts []*types.Type
	for _, e := range list {
		p.List = append(p.List, &plan.Alias{Child: e, Names: []string{"v"}, ID: plan.NewID(), Auto: true})
		ts = append(ts, e.Type())
	}
	rows, err := r.RunScalar(r.ctx, p)
	if err != nil {
		return nil, nil, err
	}
	if len(rows) != 1 {
		return nil, nil, errs.Internalf("an expression without columns gave %d rows", len(rows))
	}
	return ts, rows[0], nil
}

// castTo casts a resolved expression to a variable's type.
func (r *run) variableCast(e plan.Expr, to *types.Type, o *errs.Origin) (plan.Expr, error) {
	e = unalias(e)
	if types.SameType(e.Type(), to) && e.Type().String() == to.String() {
		return e, nil
	}
	mode := plan.ANSI
	if !r.Conf.ANSI {
		mode = plan.Legacy
	}
	// Checked with a column in the place of e, which may have a subquery: that isn't resolved twice.
	stand := &plan.Attr{ID: plan.NewID(), Name: r.sql(e), T: e.Type(), Null: true}
	x, err := r.expr(&plan.Cast{At: plan.At{Origin: o}, Child: r.note(stand, e), To: to, Mode: mode}, &scope{})
	if err != nil {
		return nil, err
	}
	return plan.Transform(x, func(k plan.Expr) (plan.Expr, error) {
		if k == plan.Expr(stand) {
			return e, nil
		}
		return k, nil
	})
}

func declareVariable(r *run, c *plan.Command) (plan.Node, error) {
	all := [][]string{c.Name}
	for i := 1; c.Args["name"+itoa(i)] != ""; i++ {
		all = append(all, splitName(c.Args["name"+itoa(i)]))
	}
	var names []string
	seen := map[string]bool{}
	for _, parts := range all {
		name, ok := catalog.VariableName(parts)
		if r.locals != nil {
			switch {
			case c.Flags["or_replace"]:
				return nil, aerr("INVALID_VARIABLE_DECLARATION.REPLACE_LOCAL_VARIABLE", "varName", errs.ID(parts...)).At(c.Origin)
			case len(parts) > 1:
				return nil, aerr("INVALID_VARIABLE_DECLARATION.QUALIFIED_LOCAL_VARIABLE", "varName", errs.ID(parts...)).At(c.Origin)
			case r.locals.vars[strings.ToLower(name)] != nil:
				return nil, aerr("VARIABLE_ALREADY_EXISTS", "variableName", errs.ID(name))
			}
		}
		if !ok {
			return nil, aerr("UNRESOLVED_VARIABLE", "variableName", errs.ID(parts...), "searchPath", sessionPath).At(c.Origin)
		}
		if seen[strings.ToLower(name)] {
			return nil, aerr("DUPLICATE_VARIABLE_NAME_INSIDE_DECLARE", "variableName", variableID(name))
		}
		seen[strings.ToLower(name)] = true
		names = append(names, name)
	}
	v := catalog.Variable{}
	if len(c.Columns) > 0 {
		v.Type = deepRead(c.Columns[0].Type)
	}
	if len(c.Exprs_) > 0 {
		v.Default = c.Exprs_[0]
		var err error
		if v.Type, v.Value, err = r.variableDefault(v, names[0], c.Text, c.Origin); err != nil {
			return nil, err
		}
	}
	if v.Type == nil {
		return nil, errs.New(errs.Parse, "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED").At(c.Origin)
	}
	if r.locals != nil {
		for _, name := range names {
			l := v
			l.Name = name
			r.locals.vars[strings.ToLower(name)] = &l
		}
		return nothing()
	}
	if !c.Flags["or_replace"] {
		for _, name := range names {
			if _, ok := r.Catalog.FindVariable(name); ok {
				return nil, aerr("VARIABLE_ALREADY_EXISTS", "variableName", variableID(name))
			}
		}
	}
	for _, name := range names {
		v.Name = name
		r.Catalog.SetVariable(v)
	}
	return nothing()
}

// variableDefault evaluates the default of a variable, and finds its type if it has none.
func (r *run) variableDefault(v catalog.Variable, name, text string, o *errs.Origin) (*types.Type, any, error) {
	if v.Default == nil {
		return v.Type, nil, nil
	}
	var sub plan.Expr
	plan.Walk(v.Default, func(e plan.Expr) bool {
		if _, ok := e.(*plan.Subquery); ok {
			sub = e
		}
		return sub == nil
	})
	if sub != nil {
		return nil, nil, aerr("INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION", "statement", "DECLARE VARIABLE", "colName", variableID(name), "defaultValue", text)
	}
	x, err := r.expr(v.Default, &scope{})
	if err != nil {
		return nil, nil, err
	}
	if a := firstAggregate(x); a != nil {
		return nil, nil, aerr("UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "CreateVariable", "invalidExprSqls", r.quoted(a)).At(o)
	}
	t := v.Type
	if t == nil {
		t = x.Type()
	}
	if x, err = r.variableCast(x, t, o); err != nil {
		return nil, nil, err
	}
	_, vals, err := r.values([]plan.Expr{x})
	if err != nil {
		return nil, nil, err
	}
	return t, vals[0], nil
}

// targets finds the variables that values are assigned to.
func (r *run) targets(names []string, o *errs.Origin, condition string) ([]target, error) {
	var out []target
	seen := map[string]bool{}
	for _, n := range names {
		parts := splitName(n)
		name, ok := catalog.VariableName(parts)
		var v target
		found := false
		if l, rest := r.localVariable(parts); l != nil && len(rest) == 0 {
			v, found, name = target{*l, l}, true, strings.Join(parts, ".")
		} else if ok {
			v.Variable, found = r.Catalog.FindVariable(name)
		}
		if !found {
			if condition == "UNRESOLVED_VARIABLE" {
				return nil, aerr(condition, "variableName", errs.ID(parts...), "searchPath", r.searchPath()).At(o)
			}
			return nil, aerr(condition, "objectName", errs.ID(parts...)).At(o)
		}
		if seen[strings.ToLower(name)] {
			return nil, aerr("DUPLICATE_ASSIGNMENTS", "nameList", errs.ID(name))
		}
		seen[strings.ToLower(name)] = true
		out = append(out, v)
	}
	return out, nil
}

func numberedArgs(c *plan.Command, name string) (out []string) {
	for i := 0; c.Args[name+itoa(i)] != ""; i++ {
		out = append(out, c.Args[name+itoa(i)])
	}
	return out
}

func setVariable(r *run, c *plan.Command) (plan.Node, error) {
	vars, err := r.targets(numberedArgs(c, "name"), c.Origin, "UNRESOLVED_VARIABLE")
	if err != nil {
		return nil, err
	}
	if c.Query != nil {
		if err := r.assignRow(vars, c.Query, c.Origin); err != nil {
			return nil, err
		}
		return nothing()
	}
	list := make([]plan.Expr, len(vars))
	for i, e := range c.Exprs_ {
		if isDefault(e) {
			_, v, err := r.variableDefault(vars[i].Variable, vars[i].Name, "", c.Origin)
			if err != nil {
				return nil, err
			}
			list[i] = &plan.Literal{T: vars[i].Type, Value: v}
			continue
		}
		x, err := r.expr(e, &scope{})
		if err != nil {
			return nil, err
		}
		if list[i], err = r.variableCast(x, vars[i].Type, c.Origin); err != nil {
			return nil, err
		}
	}
	_, vals, err := r.values(list)
	if err != nil {
		return nil, err
	}
	for i, v := range vars {
		r.assignTo(v, vals[i])
	}
	return nothing()
}

// assignRow assigns the one row of a query; nulls if it has none.
func (r *run) assignRow(vars []target, query plan.Node, o *errs.Origin) error {
	x, err := r.node(query, nil)
	if err != nil {
		return err
	}
	if len(x.out) != len(vars) {
		return aerr("ASSIGNMENT_ARITY_MISMATCH", "numTarget", itoa(len(vars)), "numExpr", itoa(len(x.out)))
	}
	p := &plan.Project{Child: &plan.Limit{Child: x.node, N: &plan.Literal{T: types.Int32Type, Value: int32(2)}}}
	for i, a := range x.out {
		e, err := r.variableCast(a, vars[i].Type, o)
		if err != nil {
			return err
		}
		p.List = append(p.List, &plan.Alias{Child: e, Names: []string{"v"}, ID: plan.NewID(), Auto: true})
	}
	if r.RunScalar == nil {
		return errs.NotSupported("SET VARIABLE to a query, without an engine")
	}
	rows, err := r.RunScalar(r.ctx, p)
	if err != nil {
		return err
	}
	if len(rows) > 1 {
		return errs.New(errs.Execution, "ROW_SUBQUERY_TOO_MANY_ROWS")
	}
	for i, v := range vars {
		var value any
		if len(rows) == 1 {
			value = rows[0][i]
		}
		r.assignTo(v, value)
	}
	return nil
}

func dropVariable(r *run, c *plan.Command) (plan.Node, error) {
	name, ok := catalog.VariableName(c.Name)
	if !ok {
		return nil, aerr("UNRESOLVED_VARIABLE", "variableName", errs.ID(c.Name...), "searchPath", sessionPath).At(c.Origin)
	}
	if !r.Catalog.DropVariable(name) && !c.Flags["if_exists"] {
		return nil, aerr("VARIABLE_NOT_FOUND", "variableName", variableID(name))
	}
	return nothing()
}

// executeImmediate runs the statement that a text holds.
func executeImmediate(r *run, c *plan.Command) (plan.Node, error) {
	text, err := r.statementText(c.Exprs_[0])
	if err != nil {
		return nil, err
	}
	if r.ParseSQL == nil {
		return nil, errs.NotSupported("EXECUTE IMMEDIATE without a parser")
	}
	n, err := r.bound(text, c.Exprs_[1:])
	if err != nil {
		return nil, err
	}
	into := numberedArgs(c, "into")
	cmd, isCommand := n.(*plan.Command)
	if isCommand && cmd.Kind == "script" {
		return nil, aerr("SQL_SCRIPT_IN_EXECUTE_IMMEDIATE", "sqlString", strings.ToUpper(text))
	}
	_, isWrite := n.(*plan.Write)
	if len(into) > 0 {
		if isCommand || isWrite {
			return nil, aerr("INVALID_STATEMENT_FOR_EXECUTE_INTO", "sqlString", strings.ToUpper(text))
		}
		vars, err := r.targets(into, c.Origin, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION")
		if err != nil {
			return nil, err
		}
		locals := r.locals
		inside := *r.Analyzer
		inside.locals = nil
		r.Analyzer = &inside
		err = r.assignRow(vars, n, c.Origin)
		inside.locals = locals
		if err != nil {
			return nil, err
		}
		return nothing()
	}
	switch {
	case isCommand:
		inside := *r.Analyzer // the text sees nothing of a script around
		inside.locals = nil
		out, handled, err := inside.RunCommand(r.ctx, cmd)
		if err == nil && !handled {
			err = errs.NotSupported("statement " + cmd.Kind + " in EXECUTE IMMEDIATE")
		}
		if out == nil && err == nil {
			return nothing()
		}
		return out, err
	case isWrite:
		return nil, errs.NotSupported("writes to files in EXECUTE IMMEDIATE")
	}
	inside := *r.Analyzer
	inside.locals = nil
	x, err := inside.newRun(r.ctx).node(n, nil)
	if err != nil {
		return nil, err
	}
	return x.node, nil
}

// bound parses a text with arguments in the places of its parameters.
func (r *run) bound(text string, args []plan.Expr) (plan.Node, error) {
	if r.ParseBound == nil || r.Markers == nil {
		return nil, errs.NotSupported("EXECUTE IMMEDIATE without a parser")
	}
	byName, byPlace, err := r.Markers(text)
	if err != nil {
		return nil, err
	}
	positional, named, err := r.arguments(byName, byPlace, args)
	if err != nil {
		return nil, err
	}
	n, err := r.ParseBound(text, positional, named)
	if err != nil {
		return nil, err
	}
	return BindParameters(n, nil, named) // names those without an argument
}

// noSubquery refuses a subquery where a parameter is.
func (r *run) noSubquery(e plan.Expr) error {
	var sub *plan.Subquery
	plan.Walk(e, func(x plan.Expr) bool {
		if s, ok := x.(*plan.Subquery); ok && sub == nil {
			sub = s
		}
		return sub == nil
	})
	if sub == nil {
		return nil
	}
	return aerr("UNSUPPORTED_EXPR_FOR_PARAMETER", "invalidExprSql", `"scalarsubquery()"`).At(sub.Origin)
}

// statementText evaluates what EXECUTE IMMEDIATE is given to run.
func (r *run) statementText(e plan.Expr) (string, error) {
	if err := r.noSubquery(e); err != nil {
		return "", err
	}
	x, err := r.expr(e, &scope{})
	if err != nil {
		return "", err
	}
	if t := x.Type(); !t.IsString() {
		return "", aerr("INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE", "exprType", errs.Quote(t.SQL()))
	}
	_, vals, err := r.values([]plan.Expr{x})
	if err != nil {
		return "", err
	}
	s, ok := vals[0].(string)
	if !ok {
		name := r.sql(x)
		if a, ok := e.(*plan.UnresolvedAttr); ok {
			name = a.Parts[len(a.Parts)-1]
		}
		return "", aerr("NULL_QUERY_STRING_EXECUTE_IMMEDIATE", "varName", errs.ID(name))
	}
	return s, nil
}

// arguments evaluates what USING gives, for the parameters that the statement has.
func (r *run) arguments(byName, byPlace bool, args []plan.Expr) (positional []plan.Expr, named map[string]plan.Expr, err error) {
	if byName && byPlace {
		return nil, nil, aerr("INVALID_QUERY_MIXED_QUERY_PARAMETERS")
	}
	var names, nameless []string
	var list []plan.Expr
	for _, a := range args {
		if err := r.noSubquery(a); err != nil {
			return nil, nil, err
		}
		name := ""
		switch k := a.(type) {
		case *plan.Alias:
			name, a = k.Names[0], k.Child
		case *plan.UnresolvedAttr:
			name = k.Parts[len(k.Parts)-1]
		}
		x, err := r.expr(a, &scope{})
		if err != nil {
			return nil, nil, err
		}
		x = unalias(x)
		if name == "" {
			nameless = append(nameless, r.quoted(x))
		}
		names, list = append(names, name), append(list, x)
	}
	if byName && len(nameless) > 0 {
		return nil, nil, aerr("ALL_PARAMETERS_MUST_BE_NAMED", "exprs", strings.Join(nameless, ", "))
	}
	if len(list) == 0 || !byName && !byPlace {
		return nil, nil, nil
	}
	ts, vals, err := r.values(list)
	if err != nil {
		return nil, nil, err
	}
	named = map[string]plan.Expr{}
	for i, v := range vals {
		l := &plan.Literal{T: ts[i], Value: v}
		if byName {
			named[names[i]] = l
		} else {
			positional = append(positional, l)
		}
	}
	return positional, named, nil
}
