package fn

import (
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// xmlWriter writes values as XML.
type xmlWriter struct {
	o                           *formatOptions
	dst                         []byte
	prefix, value, indent, item string
	null                        string
	hasNull                     bool
}

func (w *xmlWriter) line(depth int) {
	if w.indent == "" {
		return
	}
	w.dst = append(w.dst, '\n')
	for range depth {
		w.dst = append(w.dst, w.indent...)
	}
}

func (w *xmlWriter) escape(s string, attr bool) {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '&':
			w.dst = append(w.dst, "&amp;"...)
		case c == '<':
			w.dst = append(w.dst, "&lt;"...)
		case c == '>':
			w.dst = append(w.dst, "&gt;"...)
		case c == '"' && attr:
			w.dst = append(w.dst, "&quot;"...)
		default:
			w.dst = append(w.dst, c)
		}
	}
}

// text is a scalar's text.
func (w *xmlWriter) text(v *vec.Vector, i int) string {
	if v.IsNull(i) {
		return w.null
	}
	if t, ok := w.o.appendTime(nil, v, i); ok {
		return string(t)
	}
	return string(csvText(nil, v, i, w.o))
}

// fields are the names and values of an element's struct or map.
func xmlFields(v *vec.Vector, i int, w *xmlWriter) (names []string, cols []*vec.Vector, at []int) {
	switch v.Type.Kind {
	case types.Struct:
		for k, f := range v.Type.Fields {
			names, cols, at = append(names, f.Name), append(cols, v.Child[k]), append(at, i)
		}
	case types.Map:
		r := vec.Refs(v)[i]
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			names, cols, at = append(names, string(appendJava(nil, v.Child[0], k, w.o.zone.loc))), append(cols, v.Child[1]), append(at, k)
		}
	}
	return names, cols, at
}

// element writes an element of a value; nulls are left out unless there is a word for them.
func (w *xmlWriter) element(name string, v *vec.Vector, i, depth int) bool {
	if v.IsNull(i) && !w.hasNull {
		return false
	}
	if v.Type.Kind == types.Array && !v.IsNull(i) {
		r := vec.Refs(v)[i]
		any := false
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			if e := v.Child[0]; e.Type.Kind == types.Array && !e.IsNull(k) {
				w.line(depth)
				w.dst = append(append(append(w.dst, '<'), name...), '>')
				w.element(w.item, e, k, depth+1)
				w.line(depth)
				w.dst = append(append(append(w.dst, "</"...), name...), '>')
				any = true
				continue
			}
			any = w.element(name, v.Child[0], k, depth) || any
		}
		return any
	}
	if depth > 0 {
		w.line(depth)
	}
	w.dst = append(append(w.dst, '<'), name...)
	if !v.Type.IsNested() || v.IsNull(i) {
		w.dst = append(w.dst, '>')
		w.escape(w.text(v, i), false)
		w.dst = append(append(append(w.dst, "</"...), name...), '>')
		return true
	}
	names, cols, at := xmlFields(v, i, w)
	isAttr := func(k int) bool {
		return w.prefix != "" && strings.HasPrefix(names[k], w.prefix) && names[k] != w.value && !cols[k].Type.IsNested()
	}
	for k := range names {
		if isAttr(k) && (!cols[k].IsNull(at[k]) || w.hasNull) {
			w.dst = append(append(append(w.dst, ' '), strings.TrimPrefix(names[k], w.prefix)...), '=', '"')
			w.escape(w.text(cols[k], at[k]), true)
			w.dst = append(w.dst, '"')
		}
	}
	open := len(w.dst)
	w.dst = append(w.dst, '>')
	inside := false
	for k := range names {
		switch {
		case isAttr(k):
		case names[k] == w.value && !cols[k].Type.IsNested():
			if !cols[k].IsNull(at[k]) || w.hasNull {
				w.escape(w.text(cols[k], at[k]), false)
			}
		default:
			inside = w.element(names[k], cols[k], at[k], depth+1) || inside
		}
	}
	if len(w.dst) == open+1 {
		w.dst = append(w.dst[:open], "/>"...)
		return true
	}
	if inside {
		w.line(depth)
	}
	w.dst = append(append(append(w.dst, "</"...), name...), '>')
	return true
}

func toXML(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	o, err := optionsOf(a, s, "xml", 1)
	if err != nil {
		return nil, err
	}
	w := &xmlWriter{o: o, prefix: o.text("attributeprefix", "_"), value: o.text("valuetag", "_VALUE"), indent: o.text("indent", "    "), item: o.text("arrayelementname", "item")}
	w.null, w.hasNull = o.raw["nullvalue"]
	tag := o.text("rowtag", "ROW")
	return textKernel(func(a *Args, i int, dst []byte) []byte {
		w.dst = dst
		w.element(tag, a.V[0], i, 0)
		return w.dst
	})(a)
}

func xmlFunctions() []Def {
	str := gives(types.StringType)
	def := func(name, since, usage, sql, want string, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "xml_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullMaybe, Overloads: o, Examples: []Example{{sql, want}}, Pretty: firstArg(name)}
	}
	ret := retFromText(nil)
	xpath := func(name, usage, sql, want string, t *types.Type, k Kernel, alias ...string) Def {
		d := def(name, "2.0.0", usage, sql, want, Overload{Params: params(onlyTextP, onlyTextP), Eval: k, RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			if varies(c.Args[1]) {
				return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "inputName", errs.ID("path"), "inputType", errs.Quote("STRING"),
					"inputExpr", errs.Quote(exprName(c.Args[1])), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
			}
			return t, true, nil
		}})
		d.Pretty, d.Aliases = nil, alias
		return d
	}
	return []Def{
		def("from_xml", "4.0.0", "Reads an XML text as a struct.", "SELECT from_xml('<p><a>1</a><b>0.8</b></p>', 'a INT, b DOUBLE')", `{"a":1,"b":0.8}`,
			Overload{Params: params(exactTextP, stringP), RetExpr: ret, Eval: fromXML}, Overload{Params: params(exactTextP, stringP, mapP), RetExpr: ret, Eval: fromXML}),
		def("to_xml", "4.0.0", "Writes a struct as XML.", "SELECT to_xml(named_struct('a', 1, 'b', 2), map('indent', ''))", "<ROW><a>1</a><b>2</b></ROW>",
			sig(str, toXML, exactStructP), sig(str, toXML, exactStructP, mapP)),
		def("schema_of_xml", "4.0.0", "Gives the type that an XML text has.", "SELECT schema_of_xml('<p><a>1</a></p>')", "STRUCT<a: BIGINT>",
			Overload{Params: params(exactTextP), RetExpr: retAnyNull(str), Eval: schemaOfXML}, Overload{Params: params(exactTextP, mapP), RetExpr: retAnyNull(str), Eval: schemaOfXML}),
		xpath("xpath", "Gives the values of the nodes that an XPath expression finds.", "SELECT xpath('<a><b>b1</b><b>b2</b></a>', 'a/b/text()')", `["b1","b2"]`, types.NewArray(types.StringType, true), xpathList),
		xpath("xpath_boolean", "Says whether an XPath expression is true, or finds a node.", "SELECT xpath_boolean('<a><b>1</b></a>', 'a/b')", "true", types.BoolType, xpathBool),
		xpath("xpath_short", "Gives the number of an XPath expression as a SMALLINT, 0 where it is none.", "SELECT xpath_short('<a><b>1</b><b>2</b></a>', 'sum(a/b)')", "3", types.Int16Type, xpathNumber(func(f float64) int16 { return int16(javaInt(f)) })),
		xpath("xpath_int", "Gives the number of an XPath expression as an INT, 0 where it is none.", "SELECT xpath_int('<a><b>1</b><b>2</b></a>', 'sum(a/b)')", "3", types.Int32Type, xpathNumber(javaInt)),
		xpath("xpath_long", "Gives the number of an XPath expression as a BIGINT, 0 where it is none.", "SELECT xpath_long('<a><b>1</b><b>2</b></a>', 'sum(a/b)')", "3", types.Int64Type, xpathNumber(javaLong)),
		xpath("xpath_float", "Gives the number of an XPath expression as a FLOAT, NaN where it is none.", "SELECT xpath_float('<a><b>1</b><b>2</b></a>', 'sum(a/b)')", "3.0", types.Float32Type, xpathNumber(func(f float64) float32 { return float32(f) })),
		xpath("xpath_double", "Gives the number of an XPath expression, NaN where it is none.", "SELECT xpath_double('<a><b>1</b><b>2</b></a>', 'sum(a/b)')", "3.0", types.Float64Type, xpathNumber(func(f float64) float64 { return f }), "xpath_number"),
		xpath("xpath_string", "Gives the text of the first node that an XPath expression finds.", "SELECT xpath_string('<a><b>b</b><c>cc</c></a>', 'a/c')", "cc", types.StringType, xpathString),
	}
}
