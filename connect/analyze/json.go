package analyze

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// fromJSONCall puts the schema of a from_json call into the form that the
// function table reads: a type as JSON. It may be written as JSON, as a type,
// as a list of columns, or as schema_of_json of a constant.
func fromJSONCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) < 2 {
		return nil, nil
	}
	text, ok := foldString(c.Args[1])
	if !ok {
		return nil, aerr("INVALID_SCHEMA.NON_STRING_LITERAL", "inputSchema", r.quoted(c.Args[1])).At(c.Origin)
	}
	t, err := types.ParseJSON(text)
	if err != nil {
		if t, err = r.ResolveType(text); err != nil {
			if t, err = r.ResolveType("STRUCT<" + text + ">"); err != nil {
				return nil, aerr("INVALID_SCHEMA.PARSE_ERROR", "inputSchema", errs.Quote(text), "reason", strings.TrimSpace(err.Error())).At(c.Origin)
			}
		}
	}
	c.Args[1] = strLit(t.JSON())
	return nil, nil
}
