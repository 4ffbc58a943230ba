package fn

import (
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// documented are functions that the analyzer resolves itself: they stand here
// for listings, descriptions and their examples.
func documented() []Def {
	def := func(group, name, since, usage string, ex ...Example) Def {
		return Def{Name: name, Since: since, Group: group, Usage: usage, Kind: plan.FnScalar, Examples: ex}
	}
	jvm := func(name, since string) Def {
		d := def("misc_funcs", name, since, name+"(class, method[, arg1[, arg2 ..]]) - Calls a method of a class of the JVM, which there is none of: refused.")
		d.Overloads = []Overload{{Params: params(onlyTextP, onlyTextP, anyP), Variadic: true, VarMin0: true, RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			return nil, false, errs.NotSupported("function " + name + ": there is no JVM").At(c.Pos())
		}}}
		return d
	}
	refused := func(group, name, since, usage, why string) Def {
		d := def(group, name, since, usage)
		d.Overloads = []Overload{{Params: params(anyP), Variadic: true, VarMin0: true, RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			return nil, false, errs.NotSupported("function " + name + ": " + why).At(c.Pos())
		}}}
		return d
	}
	avro, protobuf := "there is no support for Avro", "there is no support for protobuf"
	nanos := Accept{Name: `"(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])"`, Test: func(t *types.Type) bool { return t.Kind == types.Null }}
	out := []Def{
		refused("misc_funcs", "from_avro", "4.0.0", "from_avro(child, jsonFormatSchema, options) - Reads a value of Avro: refused.", avro),
		refused("misc_funcs", "to_avro", "4.0.0", "to_avro(child[, jsonFormatSchema]) - Writes a value as Avro: refused.", avro),
		refused("misc_funcs", "schema_of_avro", "4.0.0", "schema_of_avro(jsonFormatSchema, options) - Gives the type of an Avro schema: refused.", avro),
		refused("misc_funcs", "from_protobuf", "4.0.0", "from_protobuf(data, messageName, descFilePath, options) - Reads a message of protobuf: refused.", protobuf),
		refused("misc_funcs", "to_protobuf", "4.0.0", "to_protobuf(child, messageName, descFilePath, options) - Writes a message of protobuf: refused.", protobuf),
		refused("agg_funcs", "measure", "4.2.0", "measure(expr) - Gives a measure of a metric view: refused.", "there are no metric views"),
		{Name: "timestamp_nanos", Since: "4.3.0", Group: "datetime_funcs", Usage: "timestamp_nanos(nanoseconds) - Makes a timestamp of nanoseconds, a type that there is none of: refused.", Kind: plan.FnScalar,
			Overloads: []Overload{{Params: params(Accept{Name: `("INTEGRAL" or "DECIMAL")`, Test: func(t *types.Type) bool { return t.IsIntegral() || t.Kind == types.Decimal || t.Kind == types.Null }}),
				RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
					return nil, false, errs.NotSupported("function timestamp_nanos: there are no timestamps of nanoseconds").At(c.Pos())
				}}}},
		{Name: "unix_nanos", Since: "4.3.0", Group: "datetime_funcs", Usage: "unix_nanos(timestamp) - Gives the nanoseconds since 1970-01-01 00:00:00 UTC of a timestamp of nanoseconds, a type that there is none of: NULL alone is taken.",
			Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: []Overload{{Params: params(nanos), Ret: gives(types.NewDecimal(21, 0)), Eval: func(a *Args) (*vec.Vector, error) { return vec.MakeNull(a.Ret, a.N), nil }}}},
		def("predicate_funcs", "!=", "1.0.0", "expr1 != expr2 - Is true if the two values aren't equal."),
		def("predicate_funcs", "<>", "1.0.0", "expr1 <> expr2 - Is true if the two values aren't equal."),
		def("string_funcs", "||", "1.0.0", "expr1 || expr2 - Joins texts, binaries or arrays."),
		def("conversion_funcs", "cast", "1.0.0", "cast(expr AS type) - Converts a value to another type; expr :: type is the same.", Example{"SELECT cast('10' as int)", "10"}),
		jvm("reflect", "2.0.0"), jvm("java_method", "2.0.0"), jvm("try_reflect", "4.0.0"),
		def("conditional_funcs", "if", "1.0.0", "if(expr1, expr2, expr3) - Gives the second value where the first is true, else the third.", Example{"SELECT if(1 < 2, 'a', 'b')", "a"}),
		def("conditional_funcs", "case", "1.0.1", "CASE expr1 WHEN expr2 THEN expr3 [WHEN expr4 THEN expr5]* [ELSE expr6] END - Gives the value behind the first WHEN that equals the first value, else the last."),
		def("conditional_funcs", "when", "1.0.1", "CASE WHEN expr1 THEN expr2 [WHEN expr3 THEN expr4]* [ELSE expr5] END - Gives the value behind the first condition that is true, else the last.", Example{"SELECT CASE WHEN 1 < 0 THEN 1 WHEN 2 < 0 THEN 2.0 END", "NULL"}),
		def("struct_funcs", "struct", "1.4.0", "struct(col1, col2, col3, ...) - Makes a struct of values.", Example{"SELECT struct(1, 2, 3)", `{"col1":1,"col2":2,"col3":3}`}),
		def("misc_funcs", "typeof", "3.0.0", "typeof(expr) - Gives the name of a value's type.", Example{"SELECT typeof(1)", "int"}),
		def("agg_funcs", "grouping", "2.0.0", "grouping(col) - Gives 1 where a grouping set leaves the column out, else 0."),
		def("agg_funcs", "grouping_id", "2.0.0", "grouping_id([col1[, col2 ..]]) - Gives the columns that a grouping set leaves out, as the bits of a number."),
		def("datetime_funcs", "window", "2.0.0", "window(time_column, window_duration[, slide_duration[, start_time]]) - Puts rows into windows of time."),
		def("datetime_funcs", "session_window", "3.2.0", "session_window(time_column, gap_duration) - Puts rows into windows of time that end with a gap."),
		def("datetime_funcs", "window_time", "3.4.0", "window_time(window_column) - Gives the time that stands for a window."),
		def("datetime_funcs", "current_date", "1.5.0", "current_date() - Gives the date when the query began."),
		def("datetime_funcs", "curdate", "3.4.0", "curdate() - Gives the date when the query began."),
		def("datetime_funcs", "current_timestamp", "1.5.0", "current_timestamp() - Gives the time when the query began."),
		def("datetime_funcs", "now", "1.6.0", "now() - Gives the time when the query began."),
		def("datetime_funcs", "localtimestamp", "3.4.0", "localtimestamp() - Gives the time when the query began, without a time zone."),
		def("datetime_funcs", "current_timezone", "3.1.0", "current_timezone() - Gives the session's time zone."),
		def("datetime_funcs", "current_time", "4.1.0", "current_time([precision]) - Gives the time of day when the query began."),
		def("datetime_funcs", "localtime", "4.3.0", "localtime([precision]) - Gives the time of day when the query began."),
		def("misc_funcs", "current_user", "3.2.0", "current_user() - Gives the user's name."),
		def("misc_funcs", "user", "3.4.0", "user() - Gives the user's name."),
		def("misc_funcs", "session_user", "4.0.0", "session_user() - Gives the user's name."),
		def("misc_funcs", "current_catalog", "3.1.0", "current_catalog() - Gives the current catalog."),
		def("misc_funcs", "current_database", "1.6.0", "current_database() - Gives the current database."),
		def("misc_funcs", "current_schema", "3.4.0", "current_schema() - Gives the current database."),
		def("misc_funcs", "current_path", "4.2.0", "current_path() - Gives the places where names of routines are looked for."),
		def("math_funcs", "uniform", "4.0.0", "uniform(min, max[, seed]) - Gives random numbers between two bounds.", Example{"SELECT uniform(10, 20, 0) > 0", "true"}),
	}
	for _, t := range []string{"bigint", "binary", "boolean", "date", "decimal", "double", "float", "int", "smallint", "string", "timestamp", "tinyint"} {
		out = append(out, def("conversion_funcs", t, "2.0.1", t+"(expr) - Casts a value to "+t+"."))
	}
	out = append(out, def("conversion_funcs", "time", "4.1.0", "time(expr) - Casts a value to time.", Example{"SELECT time('12:30')", "12:30:00"}))
	return out
}
