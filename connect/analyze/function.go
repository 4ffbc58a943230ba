package analyze

import (
	"slices"
	"strings"
	"time"

	"neptune/arrowexec/fn"
	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// A function of SQL text is put in the place of its calls: its body is resolved
// with the parameters standing for the arguments, cast to their types.

// parameters are what the parameters of a function stand for in a call.
type parameters struct {
	function string
	names    []string
	values   []plan.Expr
	uses     []int
	// lateral: of a function in FROM, whose arguments are of the relations before it.
	lateral bool
}

// parameter resolves a name to a parameter, or to a field in one; nil if it is none.
func (r *run) parameter(e *plan.UnresolvedAttr, p *parameters) (plan.Expr, error) {
	try := func(rest []string) (plan.Expr, error) {
		for i, n := range p.names {
			if r.eq(n, rest[0]) {
				if p.uses[i]++; p.uses[i] > 1 && random(p.values[i]) {
					return nil, errs.NotSupported("an argument that differs each time, of a function that uses it twice").At(e.Origin)
				}
				return r.fields(p.values[i], rest[1:], e.Origin)
			}
		}
		return nil, nil
	}
	x, err := try(e.Parts)
	if x == nil && err == nil && len(e.Parts) > 1 && r.eq(e.Parts[0], p.function) {
		return try(e.Parts[1:])
	}
	return x, err
}

func random(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		if c, ok := x.(*plan.Call); ok && isRandom(c.Name) {
			found = true
		}
		return !found
	})
	return found
}

// isClosed reports whether e needs no columns, so that it means the same at every level of a query.
func isClosed(e plan.Expr) bool {
	closed := true
	plan.Walk(e, func(x plan.Expr) bool {
		switch x.(type) {
		case *plan.Attr, *plan.OuterRef, *plan.Subquery, *plan.LambdaVar:
			closed = false
		}
		return closed
	})
	return closed
}

// notOuter says what is in e that a subquery can't take from outside; "": nothing.
func notOuter(e plan.Expr) (why string) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch k := x.(type) {
		case *plan.OuterRef:
			why = "a correlated reference"
		case *plan.Subquery:
			why = "a subquery"
		case *plan.Window:
			why = "a window function"
		case *plan.Call:
			if k.Kind == plan.FnAggregate {
				why = "an aggregate function"
			}
		}
		return why == ""
	})
	return why
}

// functionName is how messages and columns name a function.
func functionName(f *catalog.Function) []string {
	if f.Database == "" {
		return []string{f.Name}
	}
	return []string{catalog.DefaultCatalog, f.Database, f.Name}
}

// inFunction is a run for the body of f: a permanent one sees its own database
// and nothing of the session.
func (r *run) inFunction(f *catalog.Function) (*run, error) {
	id := "function " + strings.ToLower(strings.Join(functionName(f), "."))
	if slices.Contains(r.views, id) || len(r.views) > 100 {
		var path []string
		for _, v := range append(r.views, id) {
			path = append(path, errs.ID(splitName(strings.TrimPrefix(v, "function "))...))
		}
		return nil, aerr("CYCLIC_FUNCTION_REFERENCE", "path", strings.Join(path, " -> "))
	}
	inside := *r.Analyzer
	inside.inMode(f.ANSI)
	inside.locals = nil
	if f.Database != "" {
		inside.Catalog = r.Catalog.In(f.Database)
	}
	return &run{Analyzer: &inside, ctx: r.ctx, now: r.now, depth: r.depth, views: append(slices.Clone(r.views), id), orig: r.orig, used: r.used, frozen: f.Path, outside: r, inlined: r.inlined, reads: r.reads}, nil
}

// bind matches the arguments of a call with the parameters: in turn, by name, or by default.
func (r *run) bind(f *catalog.Function, c *plan.Call) (*parameters, error) {
	if f.Class != "" {
		return nil, noClass(f)
	}
	if f.Data == "reads" {
		*r.reads = true
	}
	required := 0
	for _, p := range f.Params {
		if _, ok := f.Defaults[p.Name]; !ok {
			required++
		}
	}
	if len(c.Args) > len(f.Params) || len(c.Args) < required && c.ArgNames == nil {
		return nil, aerr("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "functionName", errs.ID(functionName(f)...), "expectedNum", itoa(len(f.Params)), "actualNum", itoa(len(c.Args)), "docroot", docRoot).At(c.Origin)
	}
	given := make([]plan.Expr, len(f.Params))
	for i, a := range c.Args {
		at := i
		if i < len(c.ArgNames) && c.ArgNames[i] != "" {
			at = slices.IndexFunc(f.Params, func(p types.Field) bool { return r.eq(p.Name, c.ArgNames[i]) })
			if at < 0 {
				return nil, aerr("UNRECOGNIZED_PARAMETER_NAME", "routineName", errs.ID(functionName(f)...), "argumentName", errs.ID(c.ArgNames[i]), "proposal", proposals(f)).At(c.Origin)
			}
			if given[at] != nil {
				return nil, aerr("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED", "routineName", errs.ID(functionName(f)...), "parameterName", errs.ID(f.Params[at].Name)).At(c.Origin)
			}
		}
		given[at] = unalias(a)
	}
	p := &parameters{function: f.Name, uses: make([]int, len(f.Params))}
	for i, param := range f.Params {
		if given[i] == nil {
			text, ok := f.Defaults[param.Name]
			if !ok {
				return nil, aerr("REQUIRED_PARAMETER_NOT_FOUND", "routineName", errs.ID(functionName(f)...), "parameterName", errs.ID(param.Name), "index", itoa(i)).At(c.Origin)
			}
			x, err := r.parameterDefault(f, text)
			if err != nil {
				return nil, err
			}
			given[i] = x
		}
		x, err := r.variableCast(given[i], deepRead(param.Type), c.Origin)
		if err != nil {
			return nil, err
		}
		p.names, p.values = append(p.names, param.Name), append(p.values, x)
	}
	return p, nil
}

func proposals(f *catalog.Function) string {
	var l []string
	for _, p := range f.Params {
		l = append(l, errs.ID(p.Name))
	}
	return strings.Join(l, " ")
}

func (r *run) parameterDefault(f *catalog.Function, text string) (plan.Expr, error) {
	e, err := r.ParseExpr(text)
	if err != nil {
		return nil, err
	}
	in, err := r.inFunction(f)
	if err != nil {
		return nil, err
	}
	x, err := in.expr(e, &scope{})
	if err != nil {
		return nil, err
	}
	return unalias(x), nil
}

// sqlFunction puts the body of f in the place of a call with resolved arguments.
func (r *run) sqlFunction(f *catalog.Function, c *plan.Call) (plan.Expr, error) {
	if f.Table {
		return nil, aerr("NOT_A_SCALAR_FUNCTION", "functionName", errs.ID(functionName(f)...)).At(c.Origin)
	}
	if c.Distinct || c.Filter != nil {
		what := "DISTINCT"
		if c.Filter != nil {
			what = "FILTER CLAUSE"
		}
		return nil, r.unsupportedSyntax(c, what)
	}
	p, err := r.bind(f, c)
	if err != nil {
		return nil, err
	}
	x, err := r.scalarBody(f, p)
	if err != nil {
		return nil, err
	}
	mode := plan.ANSI
	if !r.Conf.ANSI {
		mode = plan.Legacy
	}
	// A cast even where the type is right: the result is an expression of its own, with the call's name.
	written := &plan.Call{At: c.At, Name: strings.Join(functionName(f), "."), Args: c.Args, T: f.Returns, Kind: plan.FnScalar}
	if c.ArgNames != nil {
		written.Args = p.values // named ones in the parameters' order
	}
	value := &plan.Cast{At: c.At, Child: x, To: f.Returns, Mode: mode, Implicit: true}
	r.inlined[value] = functionName(f)
	return r.note(value, written), nil
}

func (r *run) scalarBody(f *catalog.Function, p *parameters) (plan.Expr, error) {
	in, err := r.inFunction(f)
	if err != nil {
		return nil, err
	}
	var e plan.Expr
	if f.Query {
		n, err := in.ParseSQL(f.Body)
		if err != nil {
			return nil, err
		}
		e = &plan.Subquery{Kind: plan.ScalarSubquery, Plan: n}
		if q, ok := n.(*plan.Project); ok && len(q.List) == 1 {
			if _, one := q.Child.(*plan.OneRow); one { // SELECT without FROM
				e = q.List[0]
			}
		}
	} else if e, err = in.ParseExpr(f.Body); err != nil {
		return nil, err
	} else if q, ok := e.(*plan.Subquery); ok && q.Kind == plan.ScalarSubquery {
		if p, ok := q.Plan.(*plan.Project); ok && len(p.List) == 1 {
			if _, one := p.Child.(*plan.OneRow); one {
				e = p.List[0]
			}
		}
	}
	x, err := in.expr(e, &scope{params: p})
	if err != nil {
		return nil, err
	}
	return unalias(x), nil
}

// tableFunction is the relation of a call in FROM; s is where its arguments are resolved.
func (r *run) tableFunction(f *catalog.Function, call *plan.Call, s *scope) (*rel, error) {
	if f.Class != "" {
		return nil, noClass(f)
	}
	if !f.Table {
		return nil, aerr("NOT_A_TABLE_FUNCTION", "functionName", errs.ID(functionName(f)...)).At(call.Origin)
	}
	c := *call
	var err error
	if c.Args, err = r.exprs(call.Args, s); err != nil {
		return nil, err
	}
	p, err := r.bind(f, &c)
	if err != nil {
		return nil, err
	}
	p.lateral = true
	x, err := r.tableBody(f, p, s.outerUsed)
	if err != nil {
		return nil, err
	}
	list := make([]plan.Expr, len(x.out))
	for i, a := range x.out {
		var e plan.Expr = a
		name := a.Name
		if len(f.Columns) > 0 {
			name = f.Columns[i].Name
			if e, err = r.variableCast(a, deepRead(f.Columns[i].Type), call.Origin); err != nil {
				return nil, err
			}
		}
		list[i] = &plan.Alias{Child: e, Names: []string{name}, ID: plan.NewID(), Qualifier: []string{f.Name}}
	}
	n := &plan.Project{List: list, Child: x.node}
	return &rel{node: n, out: n.Output()}, nil
}

func (r *run) tableBody(f *catalog.Function, p *parameters, outer *[]*plan.Attr) (*rel, error) {
	in, err := r.inFunction(f)
	if err != nil {
		return nil, err
	}
	n, err := in.ParseSQL(f.Body)
	if err != nil {
		return nil, err
	}
	return in.node(n, &scope{params: p, outerUsed: outer})
}

func createFunction(r *run, c *plan.Command) (plan.Node, error) {
	if r.ParseExpr == nil || r.ParseSQL == nil || r.ParseType == nil {
		return nil, errs.NotSupported("CREATE FUNCTION without a parser")
	}
	f := &catalog.Function{Params: c.Columns, Defaults: map[string]string{}, Table: c.Flags["table"], Body: c.Text, Query: c.Flags["query"],
		Comment: c.Args["comment"], Deterministic: c.Args["deterministic"], Data: c.Args["data"]}
	f.Name = c.Name[len(c.Name)-1]
	switch {
	case c.Flags["or_replace"] && c.Flags["if_not_exists"]:
		return nil, errs.New(errs.Parse, "INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE").At(c.Origin)
	case c.Flags["temporary"] && c.Flags["if_not_exists"]:
		return nil, errs.New(errs.Parse, "INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS").At(c.Origin)
	case c.Flags["temporary"]:
		if _, ok := catalog.VariableName(c.Name); !ok {
			n := len(c.Name) - 1
			return nil, errs.New(errs.Parse, "INVALID_TEMP_OBJ_QUALIFIER", "objectType", "FUNCTION", "objectName", errs.ID(f.Name), "qualifier", errs.ID(c.Name[:n]...)).At(c.Origin)
		}
	default:
		db, _, ok := r.Catalog.Resolve(c.Name)
		if !ok {
			return nil, aerr("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", catalog.DefaultCatalog, "identifier", errs.ID(c.Name...))
		}
		if _, err := r.database([]string{db}); err != nil {
			return nil, err
		}
		f.Database = db
	}
	f.Path = r.freezePath()
	f.ANSI = &r.Conf.ANSI
	if f.Class = c.Args["class"]; f.Class != "" {
		return r.classFunction(f, c)
	}
	if err := r.checkParameters(f, c); err != nil {
		return nil, err
	}
	if text := c.Args["returns"]; text != "" {
		t, err := r.ParseType(text)
		if err != nil {
			return nil, err
		}
		if f.Table {
			f.Columns = t.Fields
		} else {
			f.Returns = deepRead(t)
		}
	}
	f.Created = time.Now()
	if err := r.checkBody(f); err != nil {
		return nil, r.bodyError(f, r.temporaryInside(f, err))
	}
	return r.keepFunction(f, c)
}

// classFunction keeps a function of a Java class. None can be loaded here,
// which Spark too finds out for a permanent function when it is called.
func (r *run) classFunction(f *catalog.Function, c *plan.Command) (plan.Node, error) {
	if f.Database == "" {
		return nil, noClass(f)
	}
	return r.keepFunction(f, c)
}

func noClass(f *catalog.Function) error {
	return aerr("CANNOT_LOAD_FUNCTION_CLASS", "className", f.Class, "functionName", errs.ID(functionName(f)...))
}

func (r *run) keepFunction(f *catalog.Function, c *plan.Command) (plan.Node, error) {
	name := c.Name
	if f.Database != "" {
		name = functionName(f)
	}
	if old := r.Catalog.SQLFunction(name); old != nil && old.Database == f.Database && !c.Flags["or_replace"] {
		if c.Flags["if_not_exists"] {
			return nothing()
		}
		return nil, aerr("ROUTINE_ALREADY_EXISTS", "routineName", routineID(f.Database, f.Name), "newRoutineType", "routine", "existingRoutineType", "routine")
	}
	r.Catalog.PutSQLFunction(f)
	return nothing()
}

func (r *run) checkParameters(f *catalog.Function, c *plan.Command) error {
	seen := map[string]bool{}
	for i, p := range f.Params {
		k := strings.ToLower(p.Name)
		if seen[k] {
			return aerr("DUPLICATE_ROUTINE_PARAMETER_NAMES", "routineName", f.Name, "names", errs.ID(k))
		}
		seen[k] = true
		if !p.Nullable {
			return aerr("USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS", "input", p.Name)
		}
		if err := r.plainType(p.Type); err != nil {
			return err
		}
		text, ok := c.Args["default."+p.Name]
		if !ok {
			if i > 0 {
				if _, before := f.Defaults[f.Params[i-1].Name]; before {
					return aerr("USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION", "functionName", f.Name, "parameterName", f.Params[i-1].Name, "nextParameterName", p.Name)
				}
			}
			continue
		}
		e, err := r.ParseExpr(text)
		if err != nil {
			return err
		}
		sub := false
		plan.Walk(e, func(x plan.Expr) bool {
			_, is := x.(*plan.Subquery)
			sub = sub || is
			return !sub
		})
		if sub {
			return aerr("USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_EXPRESSION", "functionName", errs.ID(f.Name), "parameterName", errs.ID(p.Name))
		}
		x, err := r.parameterDefault(f, text)
		if err != nil {
			return err
		}
		if _, err := r.variableCast(x, deepRead(p.Type), c.Origin); err != nil {
			return err
		}
		f.Defaults[p.Name] = text
	}
	if c.Flags["returns_not_null"] {
		return aerr("USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS", "input", c.Args["returns"])
	}
	return nil
}

// plainType refuses CHAR and VARCHAR, which functions don't have.
func (r *run) plainType(t *types.Type) error {
	if !types.SameType(deepRead(t), t) && !r.charsAreStrings() {
		return aerr("UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING")
	}
	return nil
}

// checkBody resolves the body once, with columns for the arguments, and finds what it returns.
func (r *run) checkBody(f *catalog.Function) error {
	before := *r.reads
	*r.reads = false
	defer func() { *r.reads = before }()
	if err := r.resolveBody(f); err != nil {
		return err
	}
	if f.Data == "contains" && *r.reads {
		return aerr("INVALID_SQL_FUNCTION_DATA_ACCESS")
	}
	if f.Data == "" && *r.reads {
		f.Data = "reads"
	}
	return nil
}

// bodyError is an error of a body as CREATE FUNCTION tells it: names may be those of parameters, and what a
// permanent function calls must be there.
func (r *run) bodyError(f *catalog.Function, err error) error {
	x, ok := errs.As(err)
	switch {
	case !ok:
	case x.Condition == "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION" && len(f.Params) > 0:
		names := make([]string, len(f.Params))
		for i, p := range f.Params {
			if names[i] = errs.ID(p.Name); strings.EqualFold(names[i], x.Params["objectName"]) {
				return err // it is there, but subqueries of subqueries don't see it
			}
		}
		return aerr("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", x.Params["objectName"], "proposal", strings.Join(names, ", "))
	case x.Condition == "UNRESOLVED_ROUTINE" && f.Database != "" && !strings.Contains(x.Params["routineName"], "`.`"):
		return aerr("ROUTINE_NOT_FOUND", "routineName", errs.ID(f.Database)+"."+x.Params["routineName"])
	}
	return err
}

// routineID is how messages name a function of the session catalog.
func routineID(db, name string) string {
	if db == "" {
		return errs.ID(name)
	}
	return errs.ID(db, name)
}

func (r *run) resolveBody(f *catalog.Function) error {
	p := &parameters{function: f.Name, uses: make([]int, len(f.Params))}
	for _, param := range f.Params {
		p.names = append(p.names, param.Name)
		p.values = append(p.values, &plan.Attr{ID: plan.NewID(), Name: param.Name, T: deepRead(param.Type), Null: true})
	}
	if f.Returns != nil {
		if err := r.plainType(f.Returns); err != nil {
			return err
		}
	}
	if !f.Table {
		x, err := r.scalarBody(f, p)
		if err != nil {
			return err
		}
		if why := complexCall(x); why {
			return aerr("USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS", "queryText", f.Body)
		}
		if f.Returns == nil {
			f.Returns = x.Type()
		}
		f.Random = random(x)
		if f.Deterministic != "" {
			f.Random = f.Deterministic == "false"
		}
		_, err = r.variableCast(x, f.Returns, nil)
		return err
	}
	if !f.Query {
		return aerr("USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY", "name", errs.ID(functionName(f)...))
	}
	seen := map[string]bool{}
	for _, col := range f.Columns {
		if k := strings.ToLower(col.Name); seen[k] {
			return aerr("DUPLICATE_ROUTINE_RETURNS_COLUMNS", "routineName", f.Name, "columns", errs.ID(k))
		} else {
			seen[k] = true
		}
		if err := r.plainType(col.Type); err != nil {
			return err
		}
	}
	var used []*plan.Attr
	x, err := r.tableBody(f, p, &used)
	if err != nil {
		return err
	}
	if len(f.Columns) > 0 && len(f.Columns) != len(x.out) {
		return aerr("USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH", "outputSize", itoa(len(x.out)), "returnParamSize", itoa(len(f.Columns)), "name", strings.Join(functionName(f), "."))
	}
	for i, a := range x.out {
		if len(f.Columns) > 0 {
			if _, err := r.variableCast(a, deepRead(f.Columns[i].Type), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// temporaryInside explains why a permanent function doesn't find what it names,
// if a temporary one would.
func (r *run) temporaryInside(f *catalog.Function, err error) error {
	x, ok := errs.As(err)
	if !ok || f.Database == "" {
		return err
	}
	kind, name := "", ""
	switch x.Condition {
	case "UNRESOLVED_ROUTINE":
		kind, name = "FUNCTION", x.Params["routineName"]
	case "UNRESOLVABLE_TABLE_VALUED_FUNCTION":
		kind, name = "FUNCTION", x.Params["name"]
	case "TABLE_OR_VIEW_NOT_FOUND":
		kind, name = "VIEW", x.Params["relationName"]
	case "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "UNRESOLVED_COLUMN.WITH_SUGGESTION":
		kind, name = "VARIABLE", x.Params["objectName"]
	default:
		return err
	}
	here := *f
	here.Database, here.Name = "", "\x00"+f.Name
	if r.checkBody(&here) != nil {
		return err
	}
	return aerr("INVALID_TEMP_OBJ_REFERENCE", "obj", "FUNCTION", "objName", routineID(f.Database, f.Name), "tempObj", kind, "tempObjName", name)
}

// complexCall reports whether an expression calls what only a query can.
func complexCall(e plan.Expr) (found bool) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch k := x.(type) {
		case *plan.Window:
			found = true
		case *plan.Call:
			found = found || k.Kind == plan.FnAggregate || k.Kind == plan.FnGenerator
		}
		return !found
	})
	return found
}

func dropFunction(r *run, c *plan.Command) (plan.Node, error) {
	db := ""
	name := c.Name[len(c.Name)-1]
	if d := fn.Lookup(name); d != nil && d.Group != "internal" && len(c.Name) == 1 && r.Catalog.TempSQLFunction(name) == nil {
		return nil, aerr("FORBIDDEN_OPERATION", "statement", "DROP", "objectType", "FUNCTION", "objectName", errs.ID(name))
	}
	if _, ok := catalog.VariableName(c.Name); c.Flags["temporary"] && !ok {
		return nil, errs.New(errs.Parse, "INVALID_TEMP_OBJ_QUALIFIER", "objectType", "FUNCTION", "objectName", errs.ID(name), "qualifier", errs.ID(c.Name[:len(c.Name)-1]...)).At(c.Origin)
	}
	if !c.Flags["temporary"] {
		var ok bool
		if db, _, ok = r.Catalog.Resolve(c.Name); !ok {
			return nil, aerr("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", catalog.DefaultCatalog, "identifier", errs.ID(c.Name...))
		}
		if len(c.Name) == 1 && r.Catalog.TempSQLFunction(name) != nil {
			return nil, aerr("EXPECT_PERSISTENT_FUNCTION_NOT_TEMP", "functionName", errs.ID(name), "operation", "DROP FUNCTION",
				"alternative", " Please use DROP TEMPORARY FUNCTION to drop a temporary function.")
		}
		if d, err := r.Catalog.Database(db); err != nil || d == nil {
			if c.Flags["if_exists"] {
				return nothing()
			}
			return nil, noSchema(db)
		}
	}
	if r.Catalog.DropSQLFunction(db, name) || c.Flags["if_exists"] {
		return nothing()
	}
	return nil, aerr("ROUTINE_NOT_FOUND", "routineName", routineID(db, name))
}
