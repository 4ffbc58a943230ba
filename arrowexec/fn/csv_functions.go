package fn

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"neptune/arrowexec/csvline"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// csvOptions reads the options, argument k, and checks all of them.
func csvOptions(a *Args, k int) (*formatOptions, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	o, err := optionsOf(a, s, "csv", k)
	if err != nil {
		return nil, err
	}
	var conf map[string]string
	if a.Env.Conf != nil {
		conf = a.Env.Conf.Keys
	}
	return o, csvline.Check(o.raw, conf)
}

// someRow reports whether argument 0 has a value in a row that counts: without one, the options aren't looked at.
func someRow(a *Args) bool {
	for i := range a.N {
		if !a.skipped(i) && !a.V[0].IsNull(i) {
			return true
		}
	}
	return false
}

func fromCSV(a *Args) (*vec.Vector, error) {
	if !someRow(a) {
		return vec.MakeNull(a.Ret, a.N), nil
	}
	o, err := csvOptions(a, 2)
	if err != nil {
		return nil, err
	}
	d, err := csvline.New(o.raw)
	if err != nil {
		return nil, err
	}
	corrupt := a.Ret.FieldIndex(o.corrupt)
	want := len(a.Ret.Fields)
	if corrupt >= 0 {
		want--
	}
	b := vec.NewBuilder(a.Ret, a.N)
	var fields []csvline.Field
	for i := range a.N {
		if a.skipped(i) || a.V[0].IsNull(i) {
			b.AppendNull()
			continue
		}
		line := a.V[0].Bytes(i)
		fields = fields[:0]
		bad := false
		if len(line) > 0 {
			fields, _ = d.Split(line, fields)
			bad = len(fields) != want
		}
		k := 0
		for c, f := range a.Ret.Fields {
			to := b.Child(c)
			if c == corrupt {
				continue
			}
			if k >= len(fields) {
				to.AppendNull()
				k++
				continue
			}
			text, null := d.Value(fields[k])
			k++
			if null {
				to.AppendNull()
			} else if !appendScalar(to, f.Type, string(text), o, false) {
				bad = true
				to.AppendNull()
			}
		}
		if corrupt >= 0 {
			if bad {
				b.Child(corrupt).AppendBytes(line)
			} else {
				b.Child(corrupt).AppendNull()
			}
		}
		b.EndGroup()
		if bad && o.failFast {
			return nil, malformed(a, b)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

func toCSV(a *Args) (*vec.Vector, error) {
	if !someRow(a) {
		return vec.MakeNull(a.Ret, a.N), nil
	}
	o, err := csvOptions(a, 1)
	if err != nil {
		return nil, err
	}
	if e, ok := o.raw["linesep"]; ok && e == "" {
		return nil, errs.New(errs.IllegalArgument, "INVALID_LINE_SEPARATOR.EMPTY")
	} else if n := utf8.RuneCountInString(e); n > 2 {
		return nil, errs.New(errs.IllegalArgument, "INVALID_LINE_SEPARATOR.TOO_LONG", "length", strconv.Itoa(n))
	}
	w := &RowText{o: o}
	if w.csv, err = csvline.NewWriter(o.raw); err != nil {
		return nil, err
	}
	return textKernel(func(a *Args, i int, dst []byte) []byte { return w.CSV(dst, a.V[0].Child, i) })(a)
}

// csvText is a value that has no format of its own as a text.
func csvText(dst []byte, v *vec.Vector, i int, o *formatOptions) []byte {
	if v.Type.Kind == types.Binary {
		return appendBinary(dst, v.Bytes(i), o.binary)
	}
	return appendJava(dst, v, i, o.zone.loc)
}

// appendBinary writes bytes as the setting spark.sql.binaryOutputStyle says: as [01 FF] by default.
func appendBinary(dst, b []byte, style string) []byte {
	switch style {
	case "UTF-8", "UTF8":
		return append(dst, b...)
	case "BASIC":
		dst = append(dst, '[')
		for k, c := range b {
			if k > 0 {
				dst = append(dst, ", "...)
			}
			dst = strconv.AppendInt(dst, int64(int8(c)), 10)
		}
		return append(dst, ']')
	case "BASE64":
		return appendBase64(dst, b)
	case "HEX":
		return fmt.Appendf(dst, "%X", b)
	}
	return fmt.Appendf(dst, "[% X]", b)
}

func schemaOfCSV(a *Args) (*vec.Vector, error) {
	o, err := csvOptions(a, 1)
	if err != nil {
		return nil, err
	}
	d, err := csvline.New(o.raw)
	if err != nil {
		return nil, err
	}
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		fields, _ := d.Split(a.V[0].Bytes(i), nil)
		t := &types.Type{Kind: types.Struct}
		for k, f := range fields {
			ft := types.StringType
			if text, null := d.Value(f); !null {
				ft = inferScalar(string(text), o, true)
			}
			t.Fields = append(t.Fields, types.Field{Name: "_c" + strconv.Itoa(k), Type: ft, Nullable: true})
		}
		return append(dst, t.SQL()...), true, nil
	})(a)
}

// csvTypes refuses types that CSV doesn't hold; nested ones are written, not read.
func csvTypes(c *plan.Call, t *types.Type, read bool) error {
	for _, f := range t.Fields {
		switch {
		case f.Type.Kind == types.Variant || f.Type.Kind == types.Object || f.Type.IsSpatial():
			return errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "functionName", errs.ID(c.Name), "dataType", errs.Quote(t.SQL()), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
		case read && f.Type.IsNested():
			return errs.New(errs.Unsupported, "UNSUPPORTED_DATATYPE", "typeName", errs.Quote(f.Type.SQL())).At(c.Pos())
		}
	}
	return nil
}

// retFromText takes the schema, a struct, from the second argument: the JSON form of a type.
func retFromText(check func(*plan.Call, *types.Type, bool) error) func(c *plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		v, _ := constant(c.Args[1])
		s, _ := v.(string)
		t, err := types.ParseJSON(s)
		if err != nil {
			return nil, false, errs.New(errs.Analysis, "INVALID_SCHEMA.PARSE_ERROR", "inputSchema", errs.Quote(s), "reason", err.Error()).At(c.Pos())
		}
		if t.Kind != types.Struct {
			return nil, false, errs.New(errs.Analysis, "INVALID_SCHEMA.NON_STRUCT_TYPE", "inputSchema", errs.Quote(t.SQL()), "dataType", errs.Quote(t.SQL())).At(c.Pos())
		}
		if check != nil {
			if err := check(c, t, true); err != nil {
				return nil, false, err
			}
		}
		return types.AsNullable(t), true, checkMode(c, 2)
	}
}

// exactTextP takes strings alone; exactStructP structs.
var (
	exactTextP   = Accept{Name: "STRING", Test: (*types.Type).IsString}
	exactStructP = Accept{Name: "STRUCT", Test: func(t *types.Type) bool { return t.Kind == types.Struct }}
)

// firstArg is a Pretty that shows the first argument alone.
func firstArg(name string) func([]string) string {
	return func(args []string) string { return name + "(" + args[0] + ")" }
}

func csvFunctions() []Def {
	str := gives(types.StringType)
	def := func(name, since, usage, sql, want string, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "csv_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullMaybe, Overloads: o, Examples: []Example{{sql, want}}, Pretty: firstArg(name)}
	}
	read := retFromText(csvTypes)
	ret := func(c *plan.Call) (*types.Type, bool, error) {
		t, _, err := read(c)
		return t, c.Args[0].Nullable(), err
	}
	written := func(c *plan.Call) (*types.Type, bool, error) {
		t := c.Args[0].Type()
		if t.Kind != types.Struct {
			return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "functionName", errs.ID(c.Name), "dataType", errs.Quote(t.SQL()), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
		}
		return types.StringType, true, csvTypes(c, t, false)
	}
	return []Def{
		def("from_csv", "3.0.0", "Reads a line of CSV as a struct.", "SELECT from_csv('1, 0.8', 'a INT, b DOUBLE')", `{"a":1,"b":0.8}`,
			Overload{Params: params(exactTextP, stringP), RetExpr: ret, Eval: fromCSV}, Overload{Params: params(exactTextP, stringP, mapP), RetExpr: ret, Eval: fromCSV}),
		def("to_csv", "3.0.0", "Writes a struct as a line of CSV.", "SELECT to_csv(named_struct('a', 1, 'b', 2))", "1,2",
			Overload{Params: params(anyP), RetExpr: written, Eval: toCSV}, Overload{Params: params(anyP, mapP), RetExpr: written, Eval: toCSV}),
		def("schema_of_csv", "3.0.0", "Gives the type that a line of CSV has.", "SELECT schema_of_csv('1,abc')", "STRUCT<_c0: INT, _c1: STRING>",
			Overload{Params: params(exactTextP), RetExpr: retAnyNull(str), Eval: schemaOfCSV}, Overload{Params: params(exactTextP, mapP), RetExpr: retAnyNull(str), Eval: schemaOfCSV}),
	}
}
