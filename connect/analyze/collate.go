package analyze

import (
	"slices"
	"strings"

	"neptune/internal/collation"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// indeterminate is the collation of strings whose columns have different ones.
const indeterminate = "null"

// How strongly a collation is meant, the strongest first.
const (
	explicit  = iota // COLLATE
	unknown          // two implicit ones met
	implied          // of a column, a cast, a variable
	byDefault        // of a literal
	noString         // the expression has no string
)

// collating is the collation that an expression brings into another.
type collating struct {
	name     string
	strength int
}

func normal(name string) string {
	if name == "" {
		return "UTF8_BINARY"
	}
	return name
}

// leaf is the collation of the first string inside t; ok is false where there is none.
func leaf(t *types.Type) (string, bool) {
	if t == nil {
		return "", false
	}
	switch t.Kind {
	case types.String, types.Char, types.Varchar:
		return t.Collation, true
	case types.Array:
		return leaf(t.Elem)
	case types.Map:
		if c, ok := leaf(t.Key); ok {
			return c, true
		}
		return leaf(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if c, ok := leaf(f.Type); ok {
				return c, true
			}
		}
	}
	return "", false
}

// hasCollation reports whether a string inside t compares otherwise than by its bytes.
func hasCollation(t *types.Type) bool {
	return t.Any(func(t *types.Type) bool { return t.IsString() && normal(t.Collation) != "UTF8_BINARY" })
}

// recollated is t with another collation of all strings inside.
func recollated(t *types.Type, name string) *types.Type {
	switch t.Kind {
	case types.String, types.Char, types.Varchar:
		if types.SameCollation(t.Collation, name) {
			return t
		}
		return &types.Type{Kind: types.String, Collation: name}
	case types.Array:
		return types.NewArray(recollated(t.Elem, name), t.ElemNulls)
	case types.Map:
		return types.NewMap(recollated(t.Key, name), recollated(t.Elem, name), t.ElemNulls)
	}
	return t
}

// collationContext is Spark's rule of which collation an expression brings along.
func (r *run) collationContext(e plan.Expr) (collating, error) {
	name, ok := leaf(e.Type())
	if !ok {
		return collating{strength: noString}, nil
	}
	switch x := e.(type) {
	case *plan.Call:
		if x.Name == "collate" {
			return collating{name, explicit}, nil
		}
	case *plan.Cast:
		if _, text := leaf(x.Child.Type()); text {
			if x.Implicit && types.SameType(recollated(x.Child.Type(), name), x.To) {
				return r.collationContext(x.Child)
			}
			return collating{name, implied}, nil
		}
		return collating{name, byDefault}, nil
	case *plan.Literal:
		return collating{name, byDefault}, nil
	case *plan.Attr, *plan.OuterRef, *plan.Alias, *plan.Subquery, *plan.LambdaVar, *plan.Bound:
		return collating{name, implied}, nil
	}
	out, any := collating{name, byDefault}, false
	for _, k := range e.Children() {
		if _, isLambda := k.(*plan.Lambda); isLambda {
			continue
		}
		c, err := r.collationContext(k)
		if err != nil {
			return c, err
		}
		switch {
		case c.strength == noString:
		case !any:
			out, any = c, true
		default:
			if out, err = merge(out, c); err != nil {
				return out, err
			}
		}
	}
	if out.strength != explicit && normal(name) == indeterminate {
		return collating{indeterminate, unknown}, nil
	}
	return out, nil
}

func merge(a, b collating) (collating, error) {
	switch {
	case a.strength != b.strength:
		if a.strength < b.strength {
			return a, nil
		}
		return b, nil
	case types.SameCollation(a.name, b.name):
		return a, nil
	case a.strength == explicit:
		show := func(c collating) string { return errs.Quote("STRING COLLATE " + normal(c.name)) }
		return a, aerr("COLLATION_MISMATCH.EXPLICIT", "explicitTypes", show(a)+", "+show(b))
	}
	return collating{indeterminate, unknown}, nil
}

// oneCollation has the functions whose strings are brought to one collation.
var oneCollation = wordSet("in array array_join concat || greatest least coalesce nvl ifnull array_contains array_except concat_ws mask replace translate trim ltrim rtrim btrim " +
	"array_append array_intersect array_position array_remove array_union arrays_overlap contains endswith startswith = == <=> < <= > >= <> != find_in_set instr to_number try_to_number " +
	"str_to_map levenshtein split split_part lag lead regexp_replace rpad lpad overlay elt substring_index locate position charindex between nullif equal_null")

// needsCollation has the functions that fail where a collation can't be told.
var needsCollation = wordSet("= == <=> < <= > >= <> != contains endswith startswith upper lower ucase lcase initcap find_in_set instr replace locate position charindex substring_index trim ltrim rtrim btrim translate split_part in")

// keepsCollation has the functions whose result has the collation of their first string.
var keepsCollation = wordSet("concat concat_ws upper lower ucase lcase initcap substring substr left right trim ltrim rtrim btrim repeat reverse lpad rpad replace translate overlay split_part " +
	"substring_index elt regexp_replace regexp_substr regexp_extract mask array_join split sentences str_to_map regexp_extract_all format_string printf make_valid_utf8 try_validate_utf8 validate_utf8")

// noAccents has the functions that don't take collations with case and without accents.
var noAccents = wordSet("contains endswith startswith instr locate position charindex replace translate trim ltrim rtrim btrim split_part substring_index")

func wordSet(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

// collations brings the strings of a call to one collation, as Spark's precedence of collations has it.
func (r *run) collations(c *plan.Call) error {
	some := false
	for _, a := range c.Args {
		if _, ok := a.(*plan.Lambda); !ok {
			some = some || hasCollation(a.Type())
		}
	}
	if !some {
		return nil
	}
	args := c.Args
	if oneCollation[c.Name] {
		var err error
		if args, err = r.oneCollationOf(c.Args, c.Name == "btrim" || c.Name == "nvl" || c.Name == "ifnull" || c.Name == "nullif", func() error {
			if !needsCollation[c.Name] {
				return nil
			}
			return aerr("INDETERMINATE_COLLATION_IN_EXPRESSION", "expr", r.quoted(c)).At(c.Origin)
		}); err != nil {
			return err
		}
	} else if needsCollation[c.Name] && slices.ContainsFunc(args, func(a plan.Expr) bool { n, _ := leaf(a.Type()); return n == indeterminate }) {
		return aerr("INDETERMINATE_COLLATION_IN_EXPRESSION", "expr", r.quoted(c)).At(c.Origin)
	}
	c.Args = args
	if noAccents[c.Name] {
		for i, a := range c.Args {
			if t := a.Type(); t.IsString() {
				if k, ok := collation.Lookup(normal(t.Collation)); ok && k.CaseOnly() {
					return r.unexpected(c, i, `"STRING"`)
				}
			}
		}
	}
	return nil
}

// oneCollationOf gives all strings of l the collation that is meant strongest; lost is asked where there is none. Literals show
// their new collation in names, unless plain is set.
func (r *run) oneCollationOf(l []plan.Expr, plain bool, lost func() error) ([]plan.Expr, error) {
	win := collating{strength: noString}
	for _, e := range l {
		if _, ok := e.(*plan.Lambda); ok {
			continue
		}
		x, err := r.collationContext(e)
		switch {
		case err != nil:
			return nil, err
		case x.strength == noString:
		case win.strength == noString:
			win = x
		default:
			if win, err = merge(win, x); err != nil {
				return nil, err
			}
		}
	}
	if win.strength == noString {
		return l, nil
	}
	if win.strength == unknown {
		if err := lost(); err != nil {
			return nil, err
		}
	}
	out := slices.Clone(l)
	for i, e := range l {
		if _, ok := e.(*plan.Lambda); ok {
			continue
		}
		t := e.Type()
		to := recollated(t, win.name)
		switch {
		case types.Equal(t, to):
		default:
			if lit, ok := e.(*plan.Literal); ok && !plain {
				n := *lit
				n.T = to
				out[i] = &n
				continue
			}
			out[i] = &plan.Cast{At: plan.At{Origin: e.Pos()}, Child: e, To: to, Mode: r.mode(), Implicit: true}
		}
	}
	return out, nil
}

// collationOf gives a call's result the collation of its strings.
func resultCollation(c *plan.Call) {
	if !keepsCollation[c.Name] || c.T == nil {
		return
	}
	for _, a := range c.Args {
		if t := a.Type(); t != nil && t.IsString() {
			if t.Collation != "" {
				c.T = stringsOf(c.T, t.Collation)
			} else if oneCollation[c.Name] {
				continue // what was no text, and is one now
			}
			return
		}
		if t := a.Type(); t != nil && t.Kind == types.Array && t.Elem.IsString() && t.Elem.Collation != "" {
			c.T = stringsOf(c.T, t.Elem.Collation)
			return
		}
	}
}

// stringsOf is t with the collation of its strings named, be it the default one.
func stringsOf(t *types.Type, name string) *types.Type {
	switch {
	case t.IsString():
		return &types.Type{Kind: types.String, Collation: name}
	case t.Kind == types.Array:
		return types.NewArray(stringsOf(t.Elem, name), t.ElemNulls)
	case t.Kind == types.Map:
		return types.NewMap(stringsOf(t.Key, name), stringsOf(t.Elem, name), t.ElemNulls)
	}
	return t
}

// collateCall is COLLATE: the name becomes part of the type.
func collateCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	e, n := c.Args[0], c.Args[1]
	name, ok := foldString(n)
	switch {
	case n.Type().Kind == types.Null:
		return nil, aerr("UNEXPECTED_INPUT_TYPE", "paramIndex", "first", "functionName", errs.ID("collate"), "requiredType", errs.Quote("STRING"), "inputSql", r.quoted(n), "inputType", errs.Quote(n.Type().SQL())).At(c.Origin)
	case !ok:
		return nil, aerr("NON_FOLDABLE_ARGUMENT", "funcName", errs.ID("collate"), "paramName", errs.ID("collationName"), "paramType", errs.Quote("STRING")).At(c.Origin)
	case !e.Type().IsString() && e.Type().Kind != types.Null:
		return nil, r.unexpected(c, 0, `"STRING"`)
	}
	k, err := findCollation(name)
	if err != nil {
		return nil, err.At(c.Origin)
	}
	w := *c
	w.Args = slices.Clone(c.Args)
	if e.Type().Kind == types.Null {
		e = r.implicit(e, types.StringType)
	}
	c.Args = []plan.Expr{e, n}
	return r.note(r.finish(c, &types.Type{Kind: types.String, Collation: k.Name()}, e.Nullable()), &w), nil
}

// findCollation looks a name up; it may be written system.builtin.name.
func findCollation(name string) (*collation.Collation, *errs.Error) {
	short := name
	if len(name) > 15 && strings.EqualFold(name[:15], "system.builtin.") {
		short = name[15:]
	}
	k, ok := collation.Lookup(short)
	if !ok {
		return nil, aerr("COLLATION_INVALID_NAME", "collationName", name, "proposals", collation.Suggest(short))
	}
	return k, nil
}

func collationCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 1); err != nil {
		return nil, err
	}
	t := c.Args[0].Type()
	if !t.IsString() && t.Kind != types.Null {
		return nil, r.unexpected(c, 0, `"STRING"`)
	}
	name := normal(t.Collation)
	if name == indeterminate {
		return nil, aerr("INDETERMINATE_COLLATION_IN_EXPRESSION", "expr", r.quoted(c)).At(c.Origin)
	}
	return r.note(strLit("SYSTEM.BUILTIN."+name), c), nil
}

// withDefault gives a string literal of a view's text the view's default collation.
func (r *run) withDefault(l *plan.Literal) plan.Expr {
	if r.collation == "" || l.T.Kind != types.String || l.T.Collation != "" {
		return l
	}
	n := *l
	n.T = &types.Type{Kind: types.String, Collation: r.collation}
	return &n
}
