package analyze

import (
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// schemaCall puts the schema of a call of from_json, from_csv or from_xml into
// the form that the function table reads: a type as JSON. It may be written as
// JSON, as a type, as a list of columns, or as schema_of_json and its like of a
// constant.
func schemaCall(only bool) special {
	return func(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
		if len(c.Args) < 2 || len(c.Args) > 3 {
			return nil, nil
		}
		if err := r.optionsArg(c, 2); err != nil {
			return nil, err
		}
		text, ok := foldString(c.Args[1])
		if k, isCall := c.Args[1].(*plan.Call); isCall && !ok {
			var err error
			if text, ok, err = fn.SchemaOfText(&fn.Conf{TimeZone: r.Conf.TimeZone, ANSI: r.Conf.ANSI}, k); err != nil {
				return nil, r.located(err, c)
			}
		}
		if !ok {
			return nil, aerr("INVALID_SCHEMA.NON_STRING_LITERAL", "inputSchema", r.quoted(c.Args[1])).At(c.Origin)
		}
		t, err := types.ParseJSON(text)
		if err != nil {
			if t, err = r.schemaType(text); err != nil {
				return nil, r.located(err, c)
			}
		}
		if err := r.plainType(t); err != nil {
			return nil, r.located(err, c)
		}
		switch {
		case t.Kind == types.Struct:
		case c.Name == "from_xml" && t.Kind == types.Variant:
			return nil, errs.NotSupported("from_xml as a VARIANT")
		case c.Name == "from_xml":
			return nil, aerr("DATATYPE_MISMATCH.INVALID_XML_SCHEMA", "schema", errs.Quote(t.SQL()), "sqlExpr", r.quoted(c)).At(c.Origin)
		case only:
			return nil, aerr("INVALID_SCHEMA.NON_STRUCT_TYPE", "inputSchema", errs.Quote(text), "dataType", errs.Quote(t.SQL())).At(c.Origin)
		}
		c.Args[1] = strLit(t.JSON())
		return nil, nil
	}
}

// schemaType reads a schema's text, a type or a list of columns. What is neither is wrong as a type.
func (r *run) schemaType(text string) (*types.Type, error) {
	t, err := r.ParseDataType(text)
	if err != nil && strings.TrimSpace(text) != "" {
		if t, wrong := r.ParseType(text); wrong == nil {
			return t, nil
		}
	}
	return t, err
}

// optionsArg refuses options that aren't a map of strings.
func (r *run) optionsArg(c *plan.Call, at int) error {
	if at >= len(c.Args) {
		return nil
	}
	m, ok := c.Args[at].(*plan.Call)
	t := c.Args[at].Type()
	switch {
	case !ok || t == nil || t.Kind != types.Map || m.Name != "map":
		return aerr("INVALID_OPTIONS.NON_MAP_FUNCTION").At(c.Origin)
	case !t.Key.IsString() || !t.Elem.IsString():
		return aerr("INVALID_OPTIONS.NON_STRING_TYPE", "mapType", errs.Quote(t.SQL())).At(c.Origin)
	}
	return nil
}

// writeCall checks the options of to_json, to_csv and to_xml.
func writeCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) != 2 {
		return nil, nil
	}
	return nil, r.optionsArg(c, 1)
}

// schemaOfCall checks the constant that schema_of_json and its like read.
func schemaOfCall(what string) special {
	return func(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
		if len(c.Args) == 0 || len(c.Args) > 2 {
			return nil, nil
		}
		if err := r.optionsArg(c, 1); err != nil {
			return nil, err
		}
		e := c.Args[0]
		l, ok := e.(*plan.Literal)
		switch t := e.Type(); {
		case ok && l.Value == nil:
			return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_NULL", "exprName", what, "sqlExpr", r.quoted(c)).At(c.Origin)
		case !t.IsString():
			return nil, r.unexpected(c, 0, `"STRING"`)
		case !foldable(e):
			return nil, aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "inputName", errs.ID(what), "inputType", errs.Quote("STRING"), "inputExpr", r.quoted(e), "sqlExpr", r.quoted(c)).At(c.Origin)
		}
		return nil, nil
	}
}
