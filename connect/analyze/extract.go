package analyze

import (
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// extractFields has, for the fields of EXTRACT, the functions that they are of dates and timestamps.
var extractFields = map[string]string{
	"year": "year", "y": "year", "years": "year", "yr": "year", "yrs": "year",
	"quarter": "quarter", "qtr": "quarter",
	"month": "month", "mon": "month", "mons": "month", "months": "month",
	"week": "weekofyear", "w": "weekofyear", "weeks": "weekofyear",
	"day": "dayofmonth", "d": "dayofmonth", "days": "dayofmonth",
	"dayofweek": "dayofweek", "dow": "dayofweek",
	"doy":  "dayofyear",
	"hour": "hour", "h": "hour", "hours": "hour", "hr": "hour", "hrs": "hour",
	"minute": "minute", "m": "minute", "min": "minute", "mins": "minute", "minutes": "minute",
}

// extractCall is extract(field FROM x) and date_part('field', x), unless the function table has them.
func extractCall(r *run, c *plan.Call, s *scope) (plan.Expr, error) {
	if fn.Lookup(c.Name) != nil {
		return nil, nil
	}
	if err := r.needArgs(c, 2); err != nil {
		return nil, err
	}
	field, ok := foldString(c.Args[0])
	if !ok {
		return nil, aerr("NON_FOLDABLE_ARGUMENT", "funcName", errs.ID(c.Name), "paramName", "`field`", "paramType", `"STRING"`).At(c.Origin)
	}
	t := c.Args[1].Type()
	name := extractFields[strings.ToLower(field)]
	if name == "" || t.IsAnsiInterval() || t.Kind == types.CalendarInterval || t.Kind == types.Time {
		if t.IsAnsiInterval() || t.Kind == types.CalendarInterval || t.Kind == types.Time || secondFields[strings.ToLower(field)] {
			return nil, errs.NotSupported("extract " + field + " from " + t.SQL()).At(c.Origin)
		}
		return nil, aerr("INVALID_EXTRACT_FIELD", "field", errs.ID(field), "expr", r.quoted(c.Args[1])).At(c.Origin)
	}
	w := *c
	w.Args = append([]plan.Expr{}, c.Args...)
	x, err := r.function(&plan.Call{At: c.At, Name: name, Args: c.Args[1:2:2], Internal: true})
	if err != nil {
		return nil, err
	}
	return r.note(x, &w), nil
}

// secondFields are Spark's, too, but need functions that the table lacks.
var secondFields = map[string]bool{"second": true, "s": true, "sec": true, "secs": true, "seconds": true, "yearofweek": true, "dayofweek_iso": true, "dow_iso": true}
