package analyze

import (
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// call resolves a function or operator with its arguments.
func (r *run) call(e *plan.Call, s *scope) (_ plan.Expr, err error) {
	if e.T != nil && e.Kind != plan.FnUnresolved {
		return e, nil // resolved before
	}
	if e.NameExpr != nil {
		parts, err := r.identifier(e.NameExpr, s, e.Origin)
		if err != nil {
			return nil, err
		}
		n := *e
		n.NameExpr, n.Name, n.Path = nil, parts[len(parts)-1], parts[:len(parts)-1]
		e = &n
	}
	if e.Internal && e.Name == "identifier" && len(e.Args) == 1 {
		parts, err := r.identifier(e.Args[0], s, e.Origin)
		if err != nil {
			return nil, err
		}
		return r.expr(&plan.UnresolvedAttr{At: e.At, Parts: parts}, s)
	}
	if x, err := r.alongPath(e, s); x != nil || err != nil {
		return x, err
	}
	n := *e
	c := &n
	c.Name = strings.ToLower(e.Name)
	if len(c.Path) > 0 {
		if p := c.Path[len(c.Path)-1]; !strings.EqualFold(p, "builtin") && !strings.EqualFold(p, "session") || len(c.Path) > 2 {
			if f := r.Catalog; f != nil {
				if f := f.SQLFunction(append(slices.Clone(c.Path), c.Name)); f != nil {
					if c.Args, err = r.exprs(c.Args, s); err != nil {
						return nil, err
					}
					return r.sqlFunction(f, c)
				}
			}
			if len(c.Path) > 1 && !strings.EqualFold(c.Path[0], catalog.DefaultCatalog) && !isSchema(c.Path, builtinSchema) && !isSchema(c.Path, sessionSchema) {
				return nil, foreignName(append(slices.Clone(c.Path), e.Name))
			}
			return nil, r.unknownRoutine(e)
		}
	}
	if c.Name == "count" && len(c.Args) == 1 {
		if star, ok := c.Args[0].(*plan.UnresolvedStar); ok {
			if err := r.countStar(c, star, s); err != nil {
				return nil, err
			}
		}
	}
	if want := map[string]int{"nth_value": 3, "lag": 4, "lead": 4}[c.Name]; want > 0 && len(c.Args) == want {
		// DataFrames send IGNORE NULLS as a last argument.
		l, ok := c.Args[want-1].(*plan.Literal)
		if !ok || l.T.Kind != types.Bool {
			return nil, aerr("INVALID_PARAMETER_VALUE.BOOLEAN", "functionName", errs.ID(c.Name), "parameter", errs.ID("ignoreNulls"), "invalidValue", r.quoted(c.Args[want-1])).At(c.Origin)
		}
		if c.Args = c.Args[:want-1]; l.Value == true {
			c.Nulls = plan.IgnoreNulls
		}
	}
	if (c.Name == "lag" || c.Name == "lead") && len(c.Args) == 0 {
		c.Args = []plan.Expr{&plan.Literal{At: c.At, T: types.NullType}}
	}
	args := make([]plan.Expr, 0, len(c.Args))
	def := fn.Lookup(c.Name)
	hidden := unlisted[c.Name] && !c.Internal && c.Origin != nil && c.Origin.SQL != ""
	if hidden {
		def = nil
	}
	agg := def != nil && def.Kind == plan.FnAggregate
	if agg {
		s.inAgg++
	}
	lambdas := false
	for i, a := range c.Args {
		switch x := a.(type) {
		case *plan.UnresolvedStar, *plan.UnresolvedRegex:
			l, err := r.starInCall(c, a, s)
			if err != nil {
				return nil, err
			}
			if c.ArgNames != nil {
				c.ArgNames = slices.Insert(slices.Clone(c.ArgNames), i, make([]string, max(0, len(l)-1))...)
			}
			args = append(args, l...)
		case *plan.Lambda:
			lambdas = true
			args = append(args, x)
		default:
			x, err := r.expr(a, s)
			if err != nil {
				if r.unknown(c, def) {
					return nil, r.unknownRoutine(c) // told first, as in Spark
				}
				return nil, err
			}
			args = append(args, x)
		}
	}
	if hidden || r.unknown(c, def) {
		if f := r.Catalog; f == nil || f.Function(append(slices.Clone(c.Path), c.Name)) == nil && f.SQLFunction(append(slices.Clone(c.Path), c.Name)) == nil {
			return nil, r.unknownRoutine(e)
		}
	}
	if agg {
		s.inAgg--
	}
	c.Args = args
	if c.ArgNames != nil || lastDefaults[c.Name] != nil {
		if err := r.namedArgs(c); err != nil {
			return nil, err
		}
	}
	if e.Filter != nil {
		f, err := r.expr(e.Filter, s)
		if err != nil {
			return nil, err
		}
		c.Filter = unalias(f)
	}
	if e.Order != nil {
		c.Order = make([]plan.SortOrder, len(e.Order))
		for i, o := range e.Order {
			x, err := r.expr(o.Child, s)
			if err != nil {
				return nil, err
			}
			o.Child = unalias(x)
			c.Order[i] = o
		}
	}
	if c.Name == "struct" || c.Name == "named_struct" {
		if c.Name == "struct" {
			if len(e.Args) == len(c.Args) { // a parameter's value has the parameter's name
				for i, a := range e.Args {
					u, ok := a.(*plan.UnresolvedAttr)
					if _, constant := c.Args[i].(*plan.Attr); ok && !constant && s.params != nil {
						c.Args[i] = &plan.Alias{At: u.At, Child: unalias(c.Args[i]), Names: []string{u.Parts[len(u.Parts)-1]}, ID: plan.NewID()}
					}
				}
			}
			return r.structOf(c, c.Args)
		}
		return r.namedStructCall(c)
	}
	for i, a := range c.Args {
		c.Args[i] = unalias(a)
	}
	for _, a := range c.Args {
		if g, ok := a.(*plan.Call); ok && g.Kind == plan.FnGenerator {
			if s.operator != "" {
				return nil, aerr("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "plan", s.operator+" "+r.sql(c)).At(c.Origin)
			}
			return nil, aerr("UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "expression", r.quoted(c))
		}
	}
	if lambdas || higherOrder[c.Name] {
		if err := r.lambdas(c, s); err != nil {
			return nil, err
		}
	}
	if c.Distinct && !agg && (def != nil || operator(c.Name) != nil) {
		return nil, r.unsupportedSyntax(c, "DISTINCT")
	}
	if c.Filter != nil && !agg && (def != nil || operator(c.Name) != nil) {
		return nil, r.unsupportedSyntax(c, "FILTER CLAUSE")
	}
	if (c.Name == "trim" || c.Name == "ltrim" || c.Name == "rtrim") && len(c.Args) == 2 && !c.Infix { // trim(characters, text)
		c.Args[0], c.Args[1], c.Infix = c.Args[1], c.Args[0], true
	}
	if err := r.collations(c); err != nil {
		return nil, err
	}
	if op := operator(c.Name); op != nil {
		return op(r, c)
	}
	if sp, ok := specials()[c.Name]; ok {
		x, err := sp(r, c, s)
		if x != nil || err != nil {
			return x, err
		}
	}
	return r.function(c)
}

func (r *run) unsupportedSyntax(c *plan.Call, what string) error {
	return aerr("INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "prettyName", errs.ID(c.Name), "syntax", what).At(c.Origin)
}

func (r *run) unknownRoutine(c *plan.Call) error {
	return aerr("UNRESOLVED_ROUTINE", "routineName", errs.ID(append(slices.Clone(c.Path), c.Name)...), "searchPath", r.searchPath()).At(c.Origin)
}

// unknown reports whether a name is no function at all.
func (r *run) unknown(c *plan.Call, def *fn.Def) bool {
	if def != nil || c.Internal || operator(c.Name) != nil || specials()[c.Name] != nil || c.Name == "struct" || c.Name == "named_struct" {
		return false
	}
	path := append(slices.Clone(c.Path), c.Name)
	return r.Catalog == nil || r.Catalog.Function(path) == nil && r.Catalog.SQLFunction(path) == nil
}

// countStar makes count(*) count(1), and count(DISTINCT *) count of all columns.
func (r *run) countStar(c *plan.Call, star *plan.UnresolvedStar, s *scope) error {
	if len(star.Target) == 0 && !c.Distinct && star.Except == nil {
		c.Args = []plan.Expr{&plan.Literal{At: star.At, T: types.Int32Type, Value: int32(1)}}
		return nil
	}
	if len(star.Target) > 0 && !r.Conf.flag("spark.sql.legacy.allowStarWithSingleTableIdentifierInCount", false) {
		return aerr("INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT", "tableName", errs.ID(star.Target...)).At(star.Origin)
	}
	return nil
}

func (r *run) starInCall(c *plan.Call, a plan.Expr, s *scope) ([]plan.Expr, error) {
	l, err := r.expandStar(a, s)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// function resolves a call by the function table.
func (r *run) function(c *plan.Call) (plan.Expr, error) {
	def := fn.Lookup(c.Name)
	if def == nil {
		if r.Catalog != nil {
			if f := r.Catalog.Function(append(slices.Clone(c.Path), c.Name)); f != nil {
				n := *f
				n.Args, n.At = c.Args, c.At
				return &n, nil
			}
			if f := r.Catalog.SQLFunction(append(slices.Clone(c.Path), c.Name)); f != nil {
				return r.sqlFunction(f, c)
			}
		}
		return nil, r.unknownRoutine(c)
	}
	if def.Group == "internal" && c.Origin != nil && c.Origin.SQL != "" && !c.Internal {
		return nil, r.unknownRoutine(c)
	}
	if def.Gen != nil && def.Gen.Table {
		return nil, aerr("NOT_A_SCALAR_FUNCTION", "functionName", errs.ID(c.Name)).At(c.Origin)
	}
	return r.apply(def, c)
}

// skipsNulls are the functions that take IGNORE NULLS, and sortsWithin those that take WITHIN GROUP.
var (
	skipsNulls  = wordSet("lag lead nth_value first last any_value collect_list collect_set collect_union")
	sortsWithin = wordSet("listagg mode percentile_cont percentile_disc")
)

// apply chooses an overload of def, casts the arguments and computes the type.
func (r *run) apply(def *fn.Def, c *plan.Call) (plan.Expr, error) {
	written := *c
	written.Args = slices.Clone(c.Args)
	if c.Nulls == plan.IgnoreNulls && !skipsNulls[def.Name] || c.Nulls != plan.DefaultNulls && def.Kind != plan.FnAggregate && def.Kind != plan.FnWindow {
		return nil, r.unsupportedSyntax(c, "IGNORE NULLS")
	}
	if len(c.Order) > 0 && !sortsWithin[def.Name] {
		return nil, r.unsupportedSyntax(c, "WITHIN GROUP (ORDER BY ...)")
	}
	if def.Name == "json_tuple" && len(c.Args) > 1 && slices.ContainsFunc(c.Args, func(a plan.Expr) bool { return !a.Type().IsString() }) {
		return nil, aerr("DATATYPE_MISMATCH.NON_STRING_TYPE", "funcName", "`json_tuple`", "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	if err := r.untyped(def, c); err != nil {
		return nil, err
	}
	o, args, err := r.overload(def, c)
	if err != nil {
		return nil, err
	}
	c.Args = args
	if matches[def.Name] {
		if err := r.patternCollation(c, c); err != nil {
			return nil, err
		}
	}
	c.Kind = def.Kind
	c.Mode = r.mode()
	if def.Random {
		c.Seed = rand.Int64()
	}
	c.Name = def.Name
	if c.Filter != nil {
		if err := r.checkFilterClause(c); err != nil {
			return nil, err
		}
		c.Filter = r.implicit(c.Filter, types.BoolType)
	}
	switch def.Nulls {
	case fn.NullIn:
		c.Null = anyNull(args)
		if def.Agg != nil {
			c.Null = def.Agg.Empty == nil
		}
	case fn.NullNever:
		c.Null = false
	default:
		c.Null = true
	}
	switch {
	case def.Gen != nil:
		if len(args) > 0 && args[0].Type().Kind == types.Null {
			if want := generatorInput[strings.TrimSuffix(def.Name, "_outer")]; want != "" {
				return nil, r.unexpected(c, 0, want)
			}
		}
		f, err := def.Gen.Columns(c)
		if err != nil {
			return nil, r.located(err, c)
		}
		c.T = types.NewStruct(f...)
	case o.RetExpr != nil:
		if c.T, c.Null, err = o.RetExpr(c); err != nil {
			return nil, r.located(err, c)
		}
	case o.Ret != nil:
		if c.T, err = o.Ret(typesOf(args)); err != nil {
			return nil, r.located(err, c)
		}
	default:
		return nil, errs.Internalf("function %s has no result type", def.Name)
	}
	resultCollation(c)
	if c.T == nil {
		for i, a := range args {
			if a.Type().Kind == types.Null && i < len(o.Params) && o.Params[i].Name != "" {
				return nil, r.unexpected(c, i, errs.Quote(o.Params[i].Name)) // NULL, where an element's type is asked for
			}
		}
		return nil, errs.Internalf("function %s has no result type for its arguments", def.Name)
	}
	if def.Rewrite != nil {
		x, err := def.Rewrite(c)
		if err != nil {
			return nil, r.located(err, c)
		}
		if x.Type() == nil || hasUnresolved(x) {
			if x, err = r.expr(x, &scope{}); err != nil {
				return nil, r.located(err, c)
			}
		}
		return r.note(x, &written), nil
	}
	if written.Name != c.Name {
		return r.note(c, &written), nil
	}
	return c, nil
}

// untyped refuses NULL without a type where a function compares an array's elements or a map's keys, and what can't be hashed.
func (r *run) untyped(def *fn.Def, c *plan.Call) error {
	if len(c.Args) == 0 {
		return nil
	}
	null := func(i int) bool {
		return i < len(c.Args) && c.Args[i].Type() != nil && c.Args[i].Type().Kind == types.Null
	}
	other := func(cond, kind string) error {
		return aerr("DATATYPE_MISMATCH."+cond, "functionName", errs.ID(c.Name), "dataType", errs.Quote(kind),
			"leftType", errs.Quote(c.Args[0].Type().SQL()), "rightType", errs.Quote(c.Args[1].Type().SQL()), "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	switch def.Name {
	case "array_contains", "array_position":
		if null(0) || def.Name == "array_contains" && null(1) {
			return aerr("DATATYPE_MISMATCH.NULL_TYPE", "functionName", errs.ID(c.Name), "sqlExpr", r.quoted(c)).At(c.Origin)
		}
	case "array_remove":
		if len(c.Args) == 2 && null(0) {
			return other("ARRAY_FUNCTION_DIFF_TYPES", "ARRAY")
		}
	case "map_contains_key":
		if len(c.Args) == 2 && null(0) {
			return other("MAP_FUNCTION_DIFF_TYPES", "MAP")
		}
	case "hash", "xxhash64":
		for _, a := range c.Args {
			t := a.Type()
			switch {
			case t.Has(types.Map) && !r.Conf.flag("spark.sql.legacy.allowHashOnMapType", false):
				return aerr("DATATYPE_MISMATCH.HASH_MAP_TYPE", "functionName", errs.ID(c.Name), "sqlExpr", r.quoted(c)).At(c.Origin)
			case t.Has(types.Variant):
				return aerr("DATATYPE_MISMATCH.HASH_VARIANT_TYPE", "functionName", errs.ID(c.Name), "sqlExpr", r.quoted(c)).At(c.Origin)
			}
		}
	}
	return nil
}

// hasUnresolved reports whether a rewrite left calls for the analyzer to resolve.
func hasUnresolved(e plan.Expr) bool {
	bad := false
	plan.Walk(e, func(x plan.Expr) bool {
		if c, ok := x.(*plan.Call); ok && c.T == nil {
			bad = true
		}
		return !bad
	})
	return bad
}

func located(err error, c plan.Expr) error {
	if e, ok := errs.As(err); ok {
		e.At(c.Pos())
	}
	return err
}

// located adds the call's place and text to an error of the function table.
func (r *run) located(err error, c plan.Expr) error {
	if e, ok := errs.As(err); ok {
		e.At(c.Pos())
		if strings.HasPrefix(e.Condition, "DATATYPE_MISMATCH.") && e.Params != nil && !strings.Contains(e.Params["sqlExpr"], "(") {
			e.Params["sqlExpr"] = r.quoted(c)
		}
		if k, ok := c.(*plan.Call); ok && e.Params["inputSql"] == fn.LambdaText {
			for _, a := range k.Args {
				if _, ok := a.(*plan.Lambda); ok {
					e.Params["inputSql"] = r.quoted(a)
				}
			}
		}
		if k, ok := c.(*plan.Call); ok && strings.HasSuffix(e.Condition, ".NON_FOLDABLE_INPUT") && strings.HasPrefix(e.Params["inputExpr"], `"`) {
			for i := len(k.Args) - 1; i > 0; i-- { // the table can't write expressions
				if !foldable(k.Args[i]) {
					e.Params["inputExpr"] = r.quoted(k.Args[i])
				}
			}
		}
		if e.Class == errs.Internal && e.Condition == "" {
			e.Class = errs.Analysis
		}
	}
	return err
}

// arity reports whether an overload takes n arguments.
func arity(o *fn.Overload, n int) bool {
	p := len(o.Params)
	if !o.Variadic {
		return n == p
	}
	if o.VarMin0 {
		return n >= p-1
	}
	return n >= p
}

func param(o *fn.Overload, i int) *fn.Accept {
	if i >= len(o.Params) {
		i = len(o.Params) - 1
	}
	return &o.Params[i]
}

func (r *run) overload(def *fn.Def, c *plan.Call) (*fn.Overload, []plan.Expr, error) {
	var best *fn.Overload
	var bestArgs []plan.Expr
	bestCost := 1 << 30
	// The failure to report: that of the overload which failed latest.
	var failed *fn.Overload
	failAt := -1
	fits := false
	for i := range def.Overloads {
		o := &def.Overloads[i]
		if !arity(o, len(c.Args)) {
			continue
		}
		fits = true
		args, cost, bad := r.match1(o, c.Args)
		if bad >= 0 {
			if bad > failAt {
				failed, failAt = o, bad
			}
			continue
		}
		if cost < bestCost {
			best, bestArgs, bestCost = o, args, cost
		}
		if cost == 0 {
			break
		}
	}
	if best != nil {
		return best, bestArgs, nil
	}
	if !fits {
		return nil, nil, r.wrongNumArgs(c, expectedNum(def))
	}
	if failAt >= len(c.Args) { // arguments without a common type
		if failed.Unpromoted {
			return nil, nil, aerr("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "functionName", errs.ID(c.Name), "dataType", "["+joinTypes(c.Args, ", ")+"]", "sqlExpr", r.quoted(c)).At(c.Origin)
		}
		return nil, nil, aerr("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "functionName", errs.ID(c.Name), "dataType", "("+joinTypes(c.Args, " or ")+")", "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	want := requiredTypes(def, failed, failAt, len(c.Args))
	if slices.Contains(failed.Like, failAt) {
		t := errs.Quote(c.Args[0].Type().SQL())
		if def.Name == "listagg" {
			t = `"STRING" or "BINARY"`
		}
		want = "(" + t + ` or "VOID")`
	}
	return nil, nil, r.unexpected(c, failAt, want)
}

// requiredTypes is how a message names what a parameter takes.
func requiredTypes(def *fn.Def, failed *fn.Overload, at, n int) string {
	var names []string
	add := func(s string) {
		if s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	for i := range def.Overloads {
		o := &def.Overloads[i]
		if !arity(o, n) {
			continue
		}
		p := param(o, at)
		if p.Name != "" {
			if strings.HasPrefix(p.Name, "(") || strings.HasPrefix(p.Name, `"`) {
				return p.Name
			}
			add(errs.Quote(p.Name))
			continue
		}
		for _, t := range p.Types {
			add(errs.Quote(t.SQL()))
		}
	}
	switch len(names) {
	case 0:
		return `"ANY"`
	case 1:
		return names[0]
	}
	return "(" + strings.Join(names, " or ") + ")"
}

// expectedNum lists the numbers of arguments that a function takes.
func expectedNum(def *fn.Def) string {
	var n []int
	for i := range def.Overloads {
		o := &def.Overloads[i]
		if o.Variadic {
			m := len(o.Params)
			if o.VarMin0 {
				m--
			}
			return "> " + itoa(m-1)
		}
		if !slices.Contains(n, len(o.Params)) {
			n = append(n, len(o.Params))
		}
	}
	sort.Ints(n)
	if len(n) == 1 {
		return itoa(n[0])
	}
	s := make([]string, len(n))
	for i, x := range n {
		s[i] = itoa(x)
	}
	return "[" + strings.Join(s, ", ") + "]"
}

// match1 fits arguments to an overload: the cast arguments and what the casts
// cost, or the position of the first that doesn't fit (len(args): no common type).
func (r *run) match1(o *fn.Overload, in []plan.Expr) (out []plan.Expr, cost, bad int) {
	out = slices.Clone(in)
	if o.Same != nil {
		at := o.Same
		if len(at) == 0 {
			at = make([]int, len(in))
			for i := range at {
				at[i] = i
			}
		}
		var l []plan.Expr
		for _, i := range at {
			if i < len(in) {
				l = append(l, in[i])
			}
		}
		if len(l) > 1 {
			t := r.coercion().WiderAll(typesOf(l), !o.Unpromoted)
			if t == nil {
				return nil, 0, len(in)
			}
			for _, i := range at {
				if i < len(in) {
					if !types.SameType(out[i].Type(), t) {
						cost++
					}
					out[i] = r.implicit(out[i], t)
				}
			}
		}
	}
	for i := range out {
		p := param(o, i)
		if p.Lambda != 0 {
			if _, ok := out[i].(*plan.Lambda); !ok {
				return nil, 0, i
			}
			continue
		}
		if _, ok := out[i].(*plan.Lambda); ok {
			return nil, 0, i
		}
		t := out[i].Type()
		if t == nil {
			return nil, 0, i
		}
		if slices.Contains(o.Like, i) {
			p = &fn.Accept{Types: []*types.Type{out[0].Type()}}
		}
		x, n := r.accept(p, t)
		if n < 0 {
			return nil, 0, i
		}
		cost += n
		switch {
		case x != nil && t.Kind == types.Null && (p.Exact || p.Untyped != nil):
			out[i] = r.nullFor(out[i], x)
		case x != nil:
			out[i] = r.castTo(out[i], x)
		}
	}
	return out, cost, -1
}

func (r *run) castTo(e plan.Expr, t *types.Type) plan.Expr {
	if types.SameType(e.Type(), t) {
		return e
	}
	return r.implicit(e, t)
}

// accept is the type that a parameter casts t to (nil: as it is) and what it costs; cost < 0: it doesn't take t.
func (r *run) accept(p *fn.Accept, t *types.Type) (*types.Type, int) {
	if t.UDT != "" && p.Types != nil || t.UDT != "" && p.Test != nil { // its SQL type is nobody's business
		return nil, -1
	}
	if p.Test != nil && p.Test(t) {
		return nil, 0
	}
	if p.Exact {
		if t.Kind == types.Null && len(p.Types) > 0 {
			return p.Types[0], 1
		}
		return nil, -1
	}
	if p.Types == nil {
		if p.Test == nil {
			return nil, 0 // anything
		}
		if t.Kind == types.Null {
			return p.Untyped, 3
		}
		return nil, -1
	}
	for _, x := range p.Types {
		if types.SameType(t, x) || x.Kind == types.String && t.Kind == types.String {
			return nil, 0
		}
	}
	var best *types.Type
	cost := -1
	for _, x := range p.Types {
		if n := r.castCost(t, x); n >= 0 && (cost < 0 || n < cost) {
			best, cost = x, n
		}
	}
	return best, cost
}

// structOf is struct(a, b AS c, ...): fields are named as columns are.
func (r *run) structOf(c *plan.Call, l []plan.Expr) (plan.Expr, error) {
	args := make([]plan.Expr, 0, 2*len(l))
	for i, e := range l {
		name := "col" + itoa(i+1)
		switch x := e.(type) {
		case *plan.Alias:
			name = x.Names[0]
		case *plan.Attr:
			name = x.Name
		case *plan.OuterRef:
			name = x.Attr.Name
		case *plan.LambdaVar:
			name = x.Name
		case *plan.GetField:
			name = x.Name
		default:
			if w, ok := r.orig[e].(*plan.GetField); ok {
				name = w.Name
			}
		}
		args = append(args, strLit(name), e)
	}
	x := namedStruct(c.Origin, args)
	for i := 1; i < len(args); i += 2 {
		args[i] = unalias(args[i])
	}
	if c.Infix {
		return x, nil // (a, b) is shown with its fields' names
	}
	w := *c
	w.Name, w.Args, w.T = "struct", make([]plan.Expr, len(l)), x.T
	copy(w.Args, l)
	return r.note(x, &w), nil
}

func (r *run) namedStructCall(c *plan.Call) (plan.Expr, error) {
	if len(c.Args) == 0 || len(c.Args)%2 != 0 {
		return nil, r.wrongNumArgs(c, "2n (n > 0)")
	}
	for i := 0; i < len(c.Args); i += 2 {
		k := unalias(c.Args[i])
		l, ok := k.(*plan.Literal)
		if !ok {
			if x, isCall := k.(*plan.Call); isCall && x.Name == "collate" {
				k = x.Args[0]
			}
			f, isFold := foldString(k)
			if !isFold {
				return nil, aerr("DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "sqlExpr", r.quoted(c), "inputExprs", "["+r.quoted(k)+"]").At(c.Origin)
			}
			l = strLit(f)
		}
		if l.Value == nil {
			return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_NULL", "sqlExpr", r.quoted(c), "exprName", r.quoted(k)).At(c.Origin)
		}
		if !l.T.IsString() {
			return nil, aerr("DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING", "sqlExpr", r.quoted(c), "inputExprs", "["+r.quoted(k)+"]").At(c.Origin)
		}
		c.Args[i] = l
		c.Args[i+1] = unalias(c.Args[i+1])
	}
	return namedStruct(c.Origin, c.Args), nil
}

func foldString(e plan.Expr) (string, bool) {
	l, ok := e.(*plan.Literal)
	if !ok {
		if k, isCast := e.(*plan.Cast); isCast && k.To.IsString() {
			return foldString(k.Child)
		}
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}

// generatorInput is what a generator takes, where null is not taken for it.
var generatorInput = map[string]string{"explode": `("ARRAY" or "MAP")`, "posexplode": `("ARRAY" or "MAP")`, "inline": `"ARRAY<STRUCT>"`}

// parameterNames of the functions that take named arguments.
var parameterNames = map[string][]string{
	"mask":          {"str", "upperChar", "lowerChar", "digitChar", "otherChar"},
	"explode":       {"collection"},
	"explode_outer": {"collection"},
	"posexplode":    {"collection"}, "posexplode_outer": {"collection"},
	"inline": {"input"}, "inline_outer": {"input"},
	"variant_explode": {"input"}, "variant_explode_outer": {"input"},
	"range":               {"start", "end", "step", "numSlices"},
	"count_min_sketch":    {"column", "epsilon", "confidence", "seed"},
	"variant_set":         {"v", "path", "val", "create_if_missing"},
	"try_variant_set":     {"v", "path", "val", "create_if_missing"},
	"variant_strip_nulls": {"v", "include_arrays"},
	"counter_diff":        {"value", "start_time"},
}

// lastDefaults has the functions whose last parameters always get a value, or may be left out (nil), and are else required.
var lastDefaults = map[string][]any{"variant_set": {true}, "try_variant_set": {true}, "variant_strip_nulls": {true}, "counter_diff": {nil}}

// namedArgs puts named arguments into their places.
func (r *run) namedArgs(c *plan.Call) error {
	names := c.ArgNames
	c.ArgNames = nil
	last := lastDefaults[c.Name]
	if !slices.ContainsFunc(names, func(s string) bool { return s != "" }) && last == nil {
		return nil
	}
	id := errs.ID(c.Name)
	params, ok := parameterNames[c.Name]
	if !ok && r.Catalog != nil && fn.Lookup(c.Name) == nil && r.Catalog.SQLFunction(append(slices.Clone(c.Path), c.Name)) != nil {
		c.ArgNames = names // its own parameters
		return nil
	}
	if !ok {
		return aerr("NAMED_PARAMETERS_NOT_SUPPORTED", "functionName", id).At(c.Origin)
	}
	out := make([]plan.Expr, len(params))
	placed := 0 // arguments without names
	seen := false
	for i, a := range c.Args {
		n := ""
		if i < len(names) {
			n = names[i]
		}
		if n == "" {
			if seen {
				return aerr("UNEXPECTED_POSITIONAL_ARGUMENT", "routineName", id, "parameterName", errs.ID(names[i-1])).At(c.Origin)
			}
			if i >= len(out) {
				most := itoa(len(params))
				if len(last) > 0 {
					most = "[" + itoa(len(params)-1) + ", " + most + "]"
				}
				return r.wrongNumArgs(c, most)
			}
			out[i], placed = a, i+1
			continue
		}
		seen = true
		at := slices.IndexFunc(params, func(p string) bool { return strings.EqualFold(p, n) })
		if at < 0 {
			q := make([]string, len(params))
			for k, p := range params {
				q[k] = errs.ID(p)
			}
			return aerr("UNRECOGNIZED_PARAMETER_NAME", "routineName", id, "argumentName", errs.ID(n), "proposal", strings.Join(q, " ")).At(c.Origin)
		}
		if out[at] != nil {
			cond := "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE"
			if at < placed {
				cond = "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.BOTH_POSITIONAL_AND_NAMED"
			}
			return aerr(cond, "routineName", id, "parameterName", errs.ID(params[at])).At(c.Origin)
		}
		out[at] = a
	}
	for i, v := range last {
		if at := len(out) - len(last) + i; out[at] == nil && v != nil {
			out[at] = &plan.Literal{At: c.At, T: types.BoolType, Value: v}
		}
	}
	end := len(out)
	for end > 0 && out[end-1] == nil && (last == nil || end > len(out)-len(last)) {
		end--
	}
	defaults := map[string]string{"upperChar": "X", "lowerChar": "x", "digitChar": "n"}
	for i := range out[:end] {
		if out[i] == nil {
			d, ok := defaults[params[i]]
			if !ok {
				return aerr("REQUIRED_PARAMETER_NOT_FOUND", "routineName", id, "parameterName", errs.ID(params[i]), "index", itoa(i-placed)).At(c.Origin)
			}
			out[i] = strLit(d)
		}
	}
	c.Args = out[:end]
	return nil
}
