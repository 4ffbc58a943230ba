package analyze

import (
	"slices"

	"neptune/internal/plan"
)

// shownAs has the aliases whose calls are shown under another name: Spark
// replaces them before columns are named, or keeps no record of the alias.
var shownAs = map[string]string{
	"curdate": "current_date", "dateadd": "date_add", "array_agg": "collect_list", "log": "LOG", "pi": "PI",
}

// shownDefaults has arguments that are shown though they weren't written: all
// of a function's arguments, from the first on; "" stands for one that has to be written.
var shownDefaults = map[string][]string{
	"make_dt_interval":  {"0", "0", "0", "0.000000"},
	"make_interval":     {"0", "0", "0", "0", "0", "0", "0.000000"},
	"try_make_interval": {"0", "0", "0", "0", "0", "0", "0.000000"},
	"mask":              {"", "X", "x", "n", "NULL"},
	"position":          {"", "", "1"},
	"regexp_instr":      {"", "", "0"},
}

// shownFirst is how many arguments are shown at most, where replaced calls lose some.
var shownFirst = map[string]int{"try_make_timestamp": 6, "approx_count_distinct": 1}

// shownCall gives the name and the arguments that a call is shown with.
func shownCall(name string, args []string) (string, []string) {
	if d := shownDefaults[name]; len(args) < len(d) {
		args = append(slices.Clone(args), d[len(args):]...)
	}
	if n, ok := shownFirst[name]; ok && len(args) > n {
		args = args[:n]
	}
	if name == "instr" && len(args) == 3 {
		args = append(slices.Clone(args), "1")
	}
	if name == "log" && len(args) == 1 {
		args = []string{"E()", args[0]}
	}
	if s, ok := shownAs[name]; ok {
		name = s
	}
	return name, args
}

// updateSQL writes changes of one struct, made one after the other, as one call.
func (r *run) updateSQL(e *plan.UpdateFields) string {
	op := ""
	for {
		if e.Value == nil {
			op = ", dropfield()" + op
		} else {
			op = ", WithField(" + r.sql(e.Value) + ")" + op
		}
		child := e.Child
		if w, ok := r.orig[child]; ok {
			child = w
		}
		in, ok := child.(*plan.UpdateFields)
		if !ok {
			return "update_fields(" + r.sql(e.Child) + op + ")"
		}
		e = in
	}
}
