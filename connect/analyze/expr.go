package analyze

import (
	"slices"
	"strconv"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func itoa(n int) string { return strconv.Itoa(n) }

func aerr(condition string, kv ...string) *errs.Error {
	return errs.New(errs.Analysis, condition, kv...)
}

// expr resolves e against s.
func (r *run) expr(e plan.Expr, s *scope) (plan.Expr, error) {
	r.depth++
	outer := r.within
	if r.within = e.Pos(); r.within == nil {
		r.within = outer
	}
	defer func() { r.depth, r.within = r.depth-1, outer }()
	if r.depth > maxDepth {
		return nil, aerr("INTERNAL_ERROR", "message", "the expression is nested too deeply")
	}
	switch e := e.(type) {
	case *plan.Literal:
		return r.withDefault(r.legacyInterval(e)), nil
	case *plan.Attr, *plan.OuterRef, *plan.Bound:
		return e, nil
	case *plan.UnresolvedAttr:
		return r.name(e, s)
	case *plan.LambdaVar:
		if e.T != nil {
			return e, nil
		}
		return r.name(&plan.UnresolvedAttr{At: e.At, Parts: strings.Split(e.Name, ".")}, s)
	case *plan.UnresolvedStar:
		return nil, aerr("INVALID_USAGE_OF_STAR_OR_REGEX", "elem", "'*'", "prettyName", "expression").At(e.Origin)
	case *plan.UnresolvedRegex:
		return nil, aerr("INVALID_USAGE_OF_STAR_OR_REGEX", "elem", "regular expression `"+e.Pattern+"`", "prettyName", "expression").At(e.Origin)
	case *plan.UnresolvedOrdinal:
		return &plan.Literal{At: e.At, T: types.Int32Type, Value: int32(e.N)}, nil
	case *plan.Parameter:
		if e.Name == "" {
			return nil, aerr("UNBOUND_SQL_PARAMETER", "name", "_"+itoa(e.Offset)).At(e.Origin)
		}
		return nil, aerr("UNBOUND_SQL_PARAMETER", "name", e.Name).At(e.Origin)
	case *plan.Alias:
		c, err := r.expr(e.Child, s)
		if err != nil {
			return nil, err
		}
		n := *e
		n.Child = c
		if n.ID == 0 {
			n.ID = plan.NewID()
		}
		if k, ok := c.(*plan.Call); ok && k.Infix && k.Name == "variant_get" { // v:a is shown with its name
			shown := *k
			r.note(k, &plan.Alias{Child: &shown, Names: e.Names})
		}
		return &n, nil
	case *plan.Cast:
		return r.cast(e, s)
	case *plan.Case:
		return r.caseWhen(e, s)
	case *plan.Extract:
		c, err := r.expr(e.Child, s)
		if err != nil {
			return nil, err
		}
		k, err := r.expr(e.Key, s)
		if err != nil {
			return nil, err
		}
		return r.extract(unalias(c), k, e.Origin)
	case *plan.GetField:
		c, err := r.expr(e.Child, s)
		if err != nil {
			return nil, err
		}
		return e.WithChildren([]plan.Expr{c}), nil
	case *plan.UpdateFields:
		return r.updateFields(e, s)
	case *plan.Call:
		return r.call(e, s)
	case *plan.Window:
		return r.window(e, s)
	case *plan.Subquery:
		return r.subquery(e, s)
	case *plan.NamedExprList:
		args, err := r.exprs(e.List, s)
		if err != nil {
			return nil, err
		}
		return r.structOf(&plan.Call{At: e.At, Name: "struct"}, args)
	case *plan.UDF:
		args, err := r.exprs(e.Args, s)
		if err != nil {
			return nil, err
		}
		for i := range args {
			args[i] = unalias(args[i])
		}
		n := *e
		n.Args = args
		return &n, nil
	case *plan.Lambda:
		return nil, aerr("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "class", "expression").At(e.Origin)
	}
	return nil, errs.Internalf("unknown expression %T", e)
}

func (r *run) exprs(l []plan.Expr, s *scope) ([]plan.Expr, error) {
	out := make([]plan.Expr, len(l))
	for i, e := range l {
		x, err := r.expr(e, s)
		if err != nil {
			return nil, err
		}
		out[i] = x
	}
	return out, nil
}

// unalias takes an alias away where a value is wanted.
func unalias(e plan.Expr) plan.Expr {
	for {
		a, ok := e.(*plan.Alias)
		if !ok {
			return e
		}
		e = a.Child
	}
}

// note remembers what x was written as.
func (r *run) note(x, written plan.Expr) plan.Expr {
	if x == written {
		return x
	}
	if r.orig == nil {
		r.orig = map[plan.Expr]plan.Expr{}
	}
	r.orig[x] = written
	return x
}

func boolCall(name string, o *errs.Origin, null bool, args ...plan.Expr) *plan.Call {
	return &plan.Call{At: plan.At{Origin: o}, Name: name, Args: args, T: types.BoolType, Null: null, Kind: plan.FnScalar}
}

func anyNull(l []plan.Expr) bool {
	for _, e := range l {
		if e.Nullable() {
			return true
		}
	}
	return false
}

func typesOf(l []plan.Expr) []*types.Type {
	out := make([]*types.Type, len(l))
	for i, e := range l {
		out[i] = e.Type()
	}
	return out
}

// cast resolves an explicit CAST.
func (r *run) cast(e *plan.Cast, s *scope) (plan.Expr, error) {
	c, err := r.expr(e.Child, s)
	if err != nil {
		return nil, err
	}
	c = unalias(c)
	n := *e
	n.Child = c
	if n.Mode == plan.ANSI && !r.Conf.ANSI {
		n.Mode = plan.Legacy
	}
	n.To = readType(n.To)
	if r.collation != "" && !n.Implicit {
		n.To = withCollation(n.To, r.collation)
	}
	if err := r.checkCast(&n); err != nil {
		return nil, err
	}
	if x := r.byDay(c, n.To); x != nil {
		return r.note(x, &n), nil
	}
	return &n, nil
}

// byDay is the cast of e to t where that depends on the day of the query; else nil.
func (r *run) byDay(e plan.Expr, t *types.Type) plan.Expr {
	if x := r.onToday(e, t); x != nil {
		return x
	}
	return r.dayByName(e, t)
}

// dayByName is the date or timestamp that a literal names: 'now', 'today', 'epoch' ...; nil where it names none.
func (r *run) dayByName(e plan.Expr, t *types.Type) plan.Expr {
	l, ok := e.(*plan.Literal)
	if !ok || !t.IsDatetime() {
		return nil
	}
	word, _ := l.Value.(string)
	word = strings.ToLower(types.TrimAll(word))
	days := map[string]int32{"now": 0, "today": 0, "yesterday": -1, "tomorrow": 1}
	shift, known := days[word]
	if !known && word != "epoch" {
		return nil
	}
	out := &plan.Literal{At: l.At, T: t}
	day, _ := r.nowLiteral("current_date", l.At).Value.(int32)
	day += shift
	zone := types.NewZoneCache(r.Conf.TimeZone)
	switch {
	case t.Kind == types.Date && word == "epoch":
		out.Value = int32(0)
	case t.Kind == types.Date:
		out.Value = day
	case word == "epoch":
		out.Value = int64(0)
	case word == "now" && t.Kind == types.Timestamp:
		out.Value = r.now.UnixMicro()
	case word == "now":
		out.Value = zone.ToLocal(r.now.UnixMicro())
	case t.Kind == types.Timestamp:
		out.Value = zone.FromLocal(int64(day) * types.MicrosPerDay)
	default:
		out.Value = int64(day) * types.MicrosPerDay
	}
	return out
}

// onToday is the timestamp of a time of day, that of the query's date; nil where e is no time or t no timestamp.
func (r *run) onToday(e plan.Expr, t *types.Type) plan.Expr {
	if e.Type().Kind != types.Time || !isTS(t) {
		return nil
	}
	name := "make_timestamp_ltz"
	if t.Kind == types.TimestampNTZ {
		name = "make_timestamp_ntz"
	}
	at := plan.At{Origin: e.Pos()}
	x, err := r.function(&plan.Call{At: at, Name: name, Args: []plan.Expr{r.nowLiteral("current_date", at), e}})
	if err != nil {
		return nil
	}
	return x
}

// readType is a type as queries see it: CHAR and VARCHAR are strings.
func readType(t *types.Type) *types.Type {
	switch t.Kind {
	case types.Char, types.Varchar:
		return &types.Type{Kind: types.String, Collation: t.Collation}
	}
	return t
}

// checkCast refuses casts between types that have none.
func (r *run) checkCast(c *plan.Cast) error {
	from := c.Child.Type()
	if castable(from, c.To, c.Mode != plan.Legacy) {
		return nil
	}
	kv := []string{"sqlExpr", r.quoted(c), "srcType", shownType(from), "targetType", shownType(c.To)}
	if other := castFunction(from, c.To); other != "" && c.Mode != plan.Legacy {
		return aerr("DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION", append(kv, "functionNames", errs.ID(other))...).At(c.Origin)
	}
	if c.Mode == plan.ANSI && castable(from, c.To, false) {
		return aerr("DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION", append(kv, "config", `"spark.sql.ansi.enabled"`, "configVal", "'false'")...).At(c.Origin)
	}
	return aerr("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", kv...).At(c.Origin)
}

// castFunction is the function that does what no cast between a number and a date does; "" for other types.
func castFunction(from, to *types.Type) string {
	switch {
	case from.IsNumeric() && to.Kind == types.Date:
		return "DATE_FROM_UNIX_DATE"
	case from.Kind == types.Date && to.IsNumeric():
		return "UNIX_DATE"
	}
	return ""
}

// shownType is a type as errors show it.
func shownType(t *types.Type) string {
	if t.UDT != "" {
		return "UDT(" + errs.Quote(t.SQL()) + ")"
	}
	return errs.Quote(t.SQL())
}

// castable is Spark's Cast.canAnsiCast (ansi) or canCast.
func castable(a, b *types.Type, ansi bool) bool {
	if types.SameType(a, b) || a.Kind == types.Null {
		return true
	}
	str := func(t *types.Type) bool { return t.IsString() }
	switch {
	case a.UDT != "" || b.UDT != "": // a user defined type is its own, and has a text
		return a.UDT == b.UDT || b.UDT == "" && str(b)
	case a.IsSpatial():
		return types.CastsSpatial(a, b)
	case b.IsSpatial():
		return false
	case a.Kind == types.Variant:
		return b.Kind != types.CalendarInterval && b.Kind != types.Object && !b.IsAnsiInterval()
	case b.Kind == types.Variant:
		return a.Kind != types.CalendarInterval && !a.IsAnsiInterval() && a.Kind != types.Map && a.Kind != types.Struct &&
			(a.Kind != types.Array || castable(a.Elem, b, ansi))
	case str(b):
		return true
	case b.Kind == types.Binary:
		return str(a) || a.IsIntegral() && !ansi
	case b.Kind == types.Bool:
		return str(a) || a.IsNumeric() || !ansi && (a.IsDatetime())
	case b.Kind == types.Timestamp:
		return str(a) || a.Kind == types.Date || a.Kind == types.TimestampNTZ || a.IsNumeric() || a.Kind == types.Time || !ansi && a.Kind == types.Bool
	case b.Kind == types.TimestampNTZ:
		return str(a) || a.Kind == types.Date || a.Kind == types.Timestamp || a.Kind == types.Time
	case b.Kind == types.Date:
		return str(a) || a.Kind == types.Timestamp || a.Kind == types.TimestampNTZ
	case b.Kind == types.Time:
		return str(a) || a.Kind == types.Time || a.Kind == types.Timestamp || a.Kind == types.TimestampNTZ
	case b.Kind == types.CalendarInterval:
		return str(a)
	case b.Kind == types.YearMonthInterval:
		return str(a) || a.Kind == types.YearMonthInterval || a.IsIntegral() || a.Kind == types.Decimal
	case b.Kind == types.DayTimeInterval:
		return str(a) || a.Kind == types.DayTimeInterval || a.IsIntegral() || a.Kind == types.Decimal
	case b.IsNumeric():
		switch {
		case str(a), a.IsNumeric(), a.Kind == types.Bool:
			return true
		case a.Kind == types.Timestamp:
			return true
		case a.Kind == types.Time:
			return b.IsIntegral() || b.Kind == types.Decimal
		case a.Kind == types.Date:
			return !ansi
		case a.IsAnsiInterval():
			return b.IsIntegral() || b.Kind == types.Decimal
		}
		return false
	case a.Kind != b.Kind:
		return false
	case a.Kind == types.Array:
		return castable(a.Elem, b.Elem, ansi) && nullsOK(a.Elem, b.Elem, a.ElemNulls, b.ElemNulls)
	case a.Kind == types.Map:
		return castable(a.Key, b.Key, ansi) && !types.ForcesNulls(a.Key, b.Key) && castable(a.Elem, b.Elem, ansi) && nullsOK(a.Elem, b.Elem, a.ElemNulls, b.ElemNulls)
	case a.Kind == types.Struct:
		if len(a.Fields) != len(b.Fields) {
			return false
		}
		for i := range a.Fields {
			x, y := &a.Fields[i], &b.Fields[i]
			if !castable(x.Type, y.Type, ansi) || !nullsOK(x.Type, y.Type, x.Nullable, y.Nullable) {
				return false
			}
		}
		return true
	}
	return false
}

func nullsOK(a, b *types.Type, an, bn bool) bool { return bn || !an && !types.ForcesNulls(a, b) }

// caseWhen resolves CASE and IF.
func (r *run) caseWhen(e *plan.Case, s *scope) (plan.Expr, error) {
	kids, err := r.exprs(e.Children(), s)
	if err != nil {
		return nil, err
	}
	for i := range kids {
		kids[i] = unalias(kids[i])
	}
	return r.finishCase(e.WithChildren(kids).(*plan.Case))
}

func (r *run) finishCase(c *plan.Case) (plan.Expr, error) {
	for i, w := range c.When {
		t := w.Type()
		switch {
		case t.Kind == types.Bool:
		case t.Kind == types.Null && c.If:
			c.When[i] = r.implicit(w, types.BoolType)
		default:
			return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", r.quoted(c), "paramIndex", ordinal(2*i+1), "requiredType", `"BOOLEAN"`, "inputSql", r.quoted(w), "inputType", errs.Quote(t.SQL())).At(c.Origin)
		}
	}
	vals := append([]plan.Expr{}, c.Then...)
	if c.Else != nil {
		vals = append(vals, c.Else)
	}
	if slices.ContainsFunc(vals, func(e plan.Expr) bool { return hasCollation(e.Type()) }) {
		l, err := r.oneCollationOf(vals, false, func() error { return nil })
		if err != nil {
			return nil, err
		}
		vals = l
		c.Then = slices.Clone(l[:len(c.Then)])
		if c.Else != nil {
			c.Else = l[len(l)-1]
		}
	}
	t := r.common(vals)
	if t == nil {
		name, cond := "casewhen", "DATATYPE_MISMATCH.DATA_DIFF_TYPES"
		if c.If {
			name = "if"
		}
		return nil, aerr(cond, "functionName", errs.ID(name), "dataType", "["+joinTypes(vals, ", ")+"]", "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	for i := range c.Then {
		c.Then[i] = r.implicit(c.Then[i], t)
	}
	if c.Else != nil {
		c.Else = r.implicit(c.Else, t)
	}
	return c, nil
}

func joinTypes(l []plan.Expr, sep string) string {
	out := make([]string, len(l))
	for i, e := range l {
		out[i] = shownType(e.Type())
	}
	return strings.Join(out, sep)
}

// extract is child[key] or child.key.
func (r *run) extract(c, k plan.Expr, o *errs.Origin) (plan.Expr, error) {
	t := c.Type()
	if t.UDT != "" {
		return nil, aerr("INVALID_EXTRACT_BASE_FIELD_TYPE", "base", r.quoted(c), "other", shownType(t)).At(o)
	}
	at := plan.At{Origin: o}
	lit, _ := k.(*plan.Literal)
	switch t.Kind {
	case types.Struct:
		name, ok := "", false
		if lit != nil {
			name, ok = lit.Value.(string)
		}
		if !ok {
			return nil, aerr("INVALID_EXTRACT_FIELD_TYPE", "extraction", r.quoted(k)).At(o)
		}
		i, err := r.fieldIndex(t, name, o)
		if err != nil {
			return nil, err
		}
		return &plan.GetField{At: at, Child: c, Index: i, Name: name}, nil
	case types.Array:
		if name, ok := literalString(lit); ok && t.Elem.Kind == types.Struct {
			i, err := r.fieldIndex(t.Elem, name, o)
			if err != nil {
				return nil, err
			}
			f := t.Elem.Fields[i]
			x := &plan.Call{At: at, Name: "get_array_struct_fields", Args: []plan.Expr{c, intLit(int32(i))}, Kind: plan.FnScalar, Null: c.Nullable(), T: types.NewArray(f.Type, t.ElemNulls || f.Nullable)}
			return r.note(x, &plan.GetField{At: at, Child: c, Name: name, Index: i}), nil
		}
		if !k.Type().IsIntegral() && k.Type().Kind != types.Null {
			bad := &plan.Extract{At: at, Child: c, Key: k}
			return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", r.quoted(bad), "paramIndex", "second", "requiredType", `"INTEGRAL"`, "inputSql", r.quoted(k), "inputType", errs.Quote(k.Type().SQL())).At(o)
		}
		if k.Type().Kind == types.Null {
			k = r.implicit(k, types.Int32Type)
		}
		x := &plan.Call{At: at, Name: "get_array_item", Args: []plan.Expr{c, k}, Kind: plan.FnScalar, Mode: r.mode()}
		var err error
		x.T, x.Null, err = fn.Lookup(x.Name).Overloads[0].RetExpr(x)
		return x, err
	case types.Map:
		if !types.SameType(k.Type(), t.Key) {
			w := r.coercion().Tightest(t.Key, k.Type())
			if w == nil || !types.SameType(w, t.Key) {
				if !r.canImplicit(k.Type(), t.Key) {
					bad := &plan.Extract{At: at, Child: c, Key: k}
					return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", r.quoted(bad), "paramIndex", "second", "requiredType", errs.Quote(t.Key.SQL()), "inputSql", r.quoted(k), "inputType", errs.Quote(k.Type().SQL())).At(o)
				}
			}
			k = r.implicit(k, t.Key)
		}
		return &plan.Call{At: at, Name: "get_map_value", Args: []plan.Expr{c, k}, T: t.Elem, Null: true, Kind: plan.FnScalar}, nil
	}
	if t.Kind == types.Null { // what is in a null is null
		return r.note(&plan.Literal{At: at, T: types.NullType}, &plan.Extract{At: at, Child: c, Key: k}), nil
	}
	return nil, aerr("INVALID_EXTRACT_BASE_FIELD_TYPE", "base", r.quoted(c), "other", shownType(t)).At(o)
}

func literalString(l *plan.Literal) (string, bool) {
	if l == nil {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok && l.T.IsString()
}

func (r *run) fieldIndex(t *types.Type, name string, o *errs.Origin) (int, error) {
	at := -1
	for i := range t.Fields {
		if r.eq(t.Fields[i].Name, name) {
			if at >= 0 {
				return 0, aerr("AMBIGUOUS_REFERENCE_TO_FIELDS", "field", errs.ID(name), "count", itoa(countFields(r, t, name))).At(o)
			}
			at = i
		}
	}
	if at < 0 {
		names := make([]string, len(t.Fields))
		for i := range t.Fields {
			names[i] = errs.ID(t.Fields[i].Name)
		}
		return 0, aerr("FIELD_NOT_FOUND", "fieldName", errs.ID(name), "fields", strings.Join(names, ", ")).At(o)
	}
	return at, nil
}

func countFields(r *run, t *types.Type, name string) int {
	n := 0
	for i := range t.Fields {
		if r.eq(t.Fields[i].Name, name) {
			n++
		}
	}
	return n
}

func intLit(v int32) *plan.Literal  { return &plan.Literal{T: types.Int32Type, Value: v} }
func longLit(v int64) *plan.Literal { return &plan.Literal{T: types.Int64Type, Value: v} }
func strLit(v string) *plan.Literal { return &plan.Literal{T: types.StringType, Value: v} }

func nullLit(t *types.Type) *plan.Literal { return &plan.Literal{T: t} }

// ordinal is how messages count: first, second, third, 4th ... 21th.
func ordinal(n int) string {
	if n < 4 {
		return [...]string{"0th", "first", "second", "third"}[n]
	}
	return itoa(n) + "th"
}

// updateFields makes a named_struct of withField and dropFields.
func (r *run) updateFields(e *plan.UpdateFields, s *scope) (plan.Expr, error) {
	c, err := r.expr(e.Child, s)
	if err != nil {
		return nil, err
	}
	var v plan.Expr
	if e.Value != nil {
		if v, err = r.expr(e.Value, s); err != nil {
			return nil, err
		}
		v = unalias(v)
	}
	x, err := r.withField(unalias(c), e.Name, v, e)
	if err != nil {
		return nil, err
	}
	n := *e
	n.Child, n.Value = c, v
	return r.note(x, &n), nil
}

func (r *run) withField(c plan.Expr, path []string, v plan.Expr, e *plan.UpdateFields) (plan.Expr, error) {
	t := c.Type()
	if t.Kind != types.Struct {
		return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", r.quoted(e), "paramIndex", "first", "requiredType", `"STRUCT"`, "inputSql", r.quoted(c), "inputType", errs.Quote(t.SQL())).At(e.Origin)
	}
	var args []plan.Expr
	add := func(name string, x plan.Expr) { args = append(args, strLit(name), x) }
	found := false
	for i, f := range t.Fields {
		if !r.eq(f.Name, path[0]) {
			add(f.Name, &plan.GetField{Child: c, Index: i, Name: f.Name})
			continue
		}
		found = true
		switch {
		case len(path) > 1:
			x, err := r.withField(&plan.GetField{Child: c, Index: i, Name: f.Name}, path[1:], v, e)
			if err != nil {
				return nil, err
			}
			add(f.Name, x)
		case v != nil:
			add(path[0], v)
		}
	}
	if !found {
		if len(path) > 1 {
			_, err := r.fieldIndex(t, path[0], e.Origin)
			return nil, err
		}
		if v != nil {
			add(path[0], v)
		}
	}
	if len(args) == 0 && !e.Except {
		return nil, aerr("DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS", "sqlExpr", r.quoted(e)).At(e.Origin)
	}
	x := namedStruct(e.Origin, args)
	if !c.Nullable() {
		return x, nil
	}
	return &plan.Case{At: e.At, If: true, When: []plan.Expr{boolCall("isnull", e.Origin, false, c)}, Then: []plan.Expr{nullLit(x.T)}, Else: x}, nil
}

// namedStruct builds a struct of literal names and values in turn.
func namedStruct(o *errs.Origin, args []plan.Expr) *plan.Call {
	f := make([]types.Field, len(args)/2)
	for i := range f {
		name, _ := args[2*i].(*plan.Literal).Value.(string)
		v := args[2*i+1]
		f[i] = types.Field{Name: name, Type: v.Type(), Nullable: v.Nullable(), Metadata: metadataOf(v)}
	}
	return &plan.Call{At: plan.At{Origin: o}, Name: "named_struct", Args: args, T: types.NewStruct(f...), Kind: plan.FnScalar}
}

func metadataOf(e plan.Expr) string {
	switch e := e.(type) {
	case *plan.Attr:
		return e.Metadata
	case *plan.Alias:
		if e.Metadata != "" {
			return e.Metadata
		}
		return metadataOf(e.Child)
	}
	return ""
}
