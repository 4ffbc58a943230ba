package analyze_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/connect/analyze"
	"neptune/connect/catalog"
	"neptune/connect/sqlparse"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// shown writes a value as the tables of examples do: texts inside of others in quotes.
func shown(v *vec.Vector, i int, inner bool) string {
	if v.IsNull(i) {
		if inner {
			return "null"
		}
		return "NULL"
	}
	switch v.Type.Kind {
	case types.Array, types.Map:
		r := vec.Refs(v)[i]
		parts := make([]string, r.Len())
		for k := range parts {
			parts[k] = shown(v.Child[0], r.Start()+k, true)
			if v.Type.Kind == types.Map {
				parts[k] += ":" + shown(v.Child[1], r.Start()+k, true)
			}
		}
		if v.Type.Kind == types.Map {
			return "{" + strings.Join(parts, ",") + "}"
		}
		return "[" + strings.Join(parts, ",") + "]"
	case types.Struct:
		parts := make([]string, len(v.Child))
		for k, c := range v.Child {
			parts[k] = `"` + v.Type.Fields[k].Name + `":` + shown(c, i, true)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case types.Binary:
		return string(v.Bytes(i))
	}
	s := string(fn.AppendText(nil, v, i, time.UTC))
	switch v.Type.Kind {
	case types.DayTimeInterval:
		if s, ok := strings.CutPrefix(s, "INTERVAL '"); ok {
			f := strings.SplitN(s, "'", 2)[0]
			if !strings.Contains(f, ".") {
				return f + ".000000000"
			}
			return (f + "000000000")[:strings.Index(f, ".")+10]
		}
	case types.YearMonthInterval:
		if s, ok := strings.CutPrefix(s, "INTERVAL '"); ok {
			return strings.SplitN(s, "'", 2)[0]
		}
	}
	if inner && v.Type.IsString() {
		return `"` + s + `"`
	}
	return s
}

// close allows for the last digit of a transcendental function.
func close(a, b string) bool {
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err == nil && err2 == nil && strings.Contains(b, ".") && math.Abs(x-y) <= 1e-15*math.Abs(y)
}

// TestExamples runs the examples of all functions that are a single row of scalar expressions.
func TestExamples(t *testing.T) {
	conf := &fn.Conf{TimeZone: time.UTC, ANSI: true}
	ran := 0
	for _, d := range fn.All() {
		if d.Kind != plan.FnScalar || d.Random {
			continue
		}
		for _, ex := range d.Examples {
			node, err := sqlparse.ParseStatement(ex.SQL, sqlparse.Options{})
			if err != nil {
				t.Errorf("%s: %v", ex.SQL, err)
				continue
			}
			a := &analyze.Analyzer{Catalog: catalog.NewSession(catalog.New(nil)), Conf: analyze.Conf{ANSI: true, User: "me"}, ParseType: sqlparse.ParseSchema, ParseDataType: sqlparse.ParseDataType}
			node, err = a.Analyze(t.Context(), node)
			if err != nil {
				t.Errorf("%s: %v", ex.SQL, err)
				continue
			}
			p, ok := node.(*plan.Project)
			if !ok {
				continue
			}
			env := expr.NewEnv(conf, 0, nil)
			var got []string
			for _, e := range p.List {
				ev, err := expr.Compile(e, env)
				if err == nil {
					var v *vec.Vector
					if v, err = ev.Eval(&vec.Batch{N: 1}); err == nil {
						if v.IsNull(0) && !e.Nullable() {
							t.Errorf("%s: NULL of an expression that can't be null", ex.SQL)
						}
						got = append(got, shown(v, 0, false))
					}
				}
				if err != nil {
					t.Errorf("%s: %v", ex.SQL, err)
				}
			}
			ran++
			if s := strings.Join(got, "\t"); s != ex.Want && !close(s, ex.Want) {
				t.Errorf("%s:\n got %s\nwant %s", ex.SQL, s, ex.Want)
			}
		}
	}
	if ran < 150 {
		t.Errorf("only %d examples ran", ran)
	}
}
