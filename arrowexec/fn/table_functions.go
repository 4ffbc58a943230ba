package fn

import (
	_ "embed"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/collation"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// keywordList has a line a keyword of Spark SQL 4.3, with " reserved" behind those that the ANSI mode of keywords reserves.
//
//go:embed keywords.txt
var keywordList string

// tableFunctions are the functions that stand in FROM only.
func tableFunctions() []Def {
	def := func(name, since, usage string, g *GenDef, ex ...Example) Def {
		g.Table = true
		return Def{Name: name, Since: since, Group: "table_funcs", Usage: usage, Kind: plan.FnGenerator, Nulls: NullKernel, Gen: g, Overloads: []Overload{{Ret: gives(types.NullType)}}, Examples: ex}
	}
	fields := func(f ...types.Field) func(*plan.Call) ([]types.Field, error) {
		return func(*plan.Call) ([]types.Field, error) { return f, nil }
	}
	text := func(name string, null bool) types.Field {
		return types.Field{Name: name, Type: types.StringType, Nullable: null}
	}
	refused := &GenDef{Columns: func(c *plan.Call) ([]types.Field, error) {
		return nil, errs.NotSupported("function " + c.Name + ": logs of Python workers aren't kept").At(c.Pos())
	}}
	return []Def{
		def("range", "2.0.0", "range(start[, end[, step[, numSlices]]]) / range(end) - Gives the numbers from `start` to before `end`.", &GenDef{}),
		def("collations", "4.0.0", "collations() - Gives the collations of strings.", &GenDef{
			Columns: fields(text("CATALOG", false), text("SCHEMA", false), text("NAME", false), text("LANGUAGE", true), text("COUNTRY", true),
				text("ACCENT_SENSITIVITY", false), text("CASE_SENSITIVITY", false), text("PAD_ATTRIBUTE", false), text("ICU_VERSION", true)),
			Run: func(a *Args, _ bool) ([]*vec.Vector, []int32, error) {
				return tableRows(a, 9, func(add func(...string)) {
					for _, c := range collation.All() {
						add(append([]string{"SYSTEM", "BUILTIN"}, c.Row()...)...)
					}
				})
			},
		}, Example{"SELECT * FROM collations() WHERE NAME = 'UTF8_BINARY'", "SYSTEM\tBUILTIN\tUTF8_BINARY\tNULL\tNULL\tACCENT_SENSITIVE\tCASE_SENSITIVE\tNO_PAD\tNULL"}),
		def("sql_keywords", "3.5.0", "sql_keywords() - Gives the keywords of SQL, and whether each is reserved.", &GenDef{
			Columns: fields(text("keyword", false), types.Field{Name: "reserved", Type: types.BoolType}),
			Run: func(a *Args, _ bool) ([]*vec.Vector, []int32, error) {
				strict := a.Env.Conf != nil && a.Env.Conf.ANSI && strings.EqualFold(a.Env.Conf.Keys["spark.sql.ansi.enforceReservedKeywords"], "true")
				var reserved []bool
				cols, row, err := tableRows(a, 1, func(add func(...string)) {
					for line := range strings.Lines(keywordList) {
						k, flag, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
						add(k)
						reserved = append(reserved, strict && flag != "")
					}
				})
				if err != nil {
					return nil, nil, err
				}
				return append(cols, vec.FromSlice(types.BoolType, reserved, nil)), row, nil
			},
		}, Example{"SELECT * FROM sql_keywords() LIMIT 2", "ADD\tfalse\nAFTER\tfalse"}),
		def("python_worker_logs", "4.1.0", "python_worker_logs() - Gives the logs of Python workers, which aren't kept: refused.", refused),
	}
}

// tableRows makes the columns of a table of texts, once for each row of the input; an empty text is null.
func tableRows(a *Args, cols int, rows func(add func(...string))) ([]*vec.Vector, []int32, error) {
	b := make([]*vec.Builder, cols)
	for k := range b {
		b[k] = vec.NewBuilder(types.StringType, 0)
	}
	var row []int32
	for i := range a.N {
		rows(func(s ...string) {
			for k, x := range s {
				if x == "" {
					b[k].AppendNull()
				} else {
					b[k].AppendString(x)
				}
			}
			row = append(row, int32(i))
		})
		if err := a.Env.Yield(); err != nil {
			return nil, nil, err
		}
	}
	out := make([]*vec.Vector, cols)
	for k := range b {
		out[k] = b[k].Finish()
	}
	return out, row, nil
}
