package fn

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// xmlWriter writes values as XML.
type xmlWriter struct {
	o                                *formatOptions
	dst                              []byte
	prefix, value, indent, item, row string
	null                             string
	hasNull                          bool
	loose                            bool // names aren't checked
	lone                             bool // a row is the one variant in it
	most                             rune // what is above is written as a number; 0: nothing is
	pending                          bool // a start tag isn't closed yet
	shapes                           map[*types.Type]*xmlShape
	scratch                          []byte
	err                              error // the first
}

// xmlShape are the fields of a struct: those that are attributes, and the others.
type xmlShape struct {
	attrs, rest []int
	checked     []bool // whether the name is known to be one
}

// newXMLWriter reads the options of to_xml and of files.
func newXMLWriter(o *formatOptions) (*xmlWriter, error) {
	w := &xmlWriter{o: o, prefix: o.text("attributeprefix", "_"), value: o.text("valuetag", "_VALUE"), indent: o.text("indent", "    "), item: o.text("arrayelementname", "item"),
		row: o.text("rowtag", "ROW"), shapes: map[*types.Type]*xmlShape{}}
	w.null, w.hasNull = o.raw["nullvalue"]
	for _, name := range [...]string{"rowTag", "attributePrefix", "valueTag"} {
		if v, ok := o.raw[strings.ToLower(name)]; ok && v == "" {
			what := "an empty string"
			if name != "rowTag" {
				what = "empty string"
			}
			return nil, errs.Refused(errs.IllegalArgument, "requirement failed: '%s' option should not be %s.", name, what)
		}
	}
	for _, name := range [...]string{"rowTag", "rootTag", "declaration"} {
		if strings.ContainsAny(o.raw[strings.ToLower(name)], "<>") {
			return nil, errs.Refused(errs.IllegalArgument, "requirement failed: '%s' should not include angle brackets", name)
		}
	}
	if v, ok := o.raw["validatename"]; ok {
		switch strings.ToLower(v) {
		case "true":
		case "false":
			w.loose = true
		default:
			return nil, errs.Refused(errs.IllegalArgument, "For input string: \"%s\"", v)
		}
	}
	return w, nil
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

func (w *xmlWriter) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf(format, args...)
	}
}

// escape writes characters of a text, or of an attribute's value.
func (w *xmlWriter) escape(s []byte, attr bool) {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x80 {
			r, n := utf8.DecodeRune(s[i:])
			switch {
			case w.most > 0 && r > 0xffff:
				hi, lo := utf16.EncodeRune(r)
				w.dst = fmt.Appendf(w.dst, "&#x%x;&#x%x;", hi, lo)
			case w.most > 0 && r > w.most, r == 0xfffe, r == 0xffff, r < 0xa0 && !attr:
				w.dst = fmt.Appendf(w.dst, "&#x%x;", r)
			default:
				w.dst = append(w.dst, s[i:i+n]...)
			}
			i += n
			continue
		}
		switch {
		case c == '&':
			w.dst = append(w.dst, "&amp;"...)
		case c == '<':
			w.dst = append(w.dst, "&lt;"...)
		case c == '>' && !attr && (i == 0 || s[i-1] == ']'):
			w.dst = append(w.dst, "&gt;"...)
		case c == '"' && attr:
			w.dst = append(w.dst, "&quot;"...)
		case c == '\r', c == 0x7f && !attr, (c == '\n' || c == '\t') && attr:
			w.dst = fmt.Appendf(w.dst, "&#x%x;", c)
		case c < ' ' && c != '\n' && c != '\t':
			w.fail("Invalid white space character (0x%x) in text to output (in xml 1.1, could output as a character entity)", c)
		default:
			w.dst = append(w.dst, c)
		}
		i++
	}
}

// xmlNameChar: r may stand in a name, first if that is asked.
func xmlNameChar(r rune, first bool) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_':
		return true
	case r < 0x80:
		return !first && (r == '-' || r == '.' || r >= '0' && r <= '9')
	case r == 0xb7, r >= 0x300 && r <= 0x36f, r == 0x203f, r == 0x2040:
		return !first
	case r < 0xc0, r == 0xd7, r == 0xf7, r == 0x37e:
		return false
	}
	return r <= 0x1fff || r == 0x200c || r == 0x200d || r >= 0x2070 && r <= 0x218f || r >= 0x2c00 && r <= 0x2fef || r >= 0x3001 && r <= 0xd7ff ||
		r >= 0xf900 && r <= 0xfdcf || r >= 0xfdf0 && r <= 0xfffd || r >= 0x10000
}

// check fails for what is no name.
func (w *xmlWriter) check(name string) {
	if w.loose {
		return
	}
	if name == "" {
		w.fail("Illegal to pass empty name")
	}
	for i, r := range name {
		if !xmlNameChar(r, i == 0) {
			first := ""
			if i == 0 {
				first = "first "
			}
			w.fail("Illegal %sname character '%c' (code %d)", first, r, r)
			return
		}
	}
}

// body ends a start tag that is open.
func (w *xmlWriter) body() {
	if w.pending {
		w.dst, w.pending = append(w.dst, '>'), false
	}
}

func (w *xmlWriter) start(name string, depth int) {
	w.body()
	if depth > 0 {
		w.line(depth)
	}
	w.dst, w.pending = append(append(w.dst, '<'), name...), true
}

// end closes an element; inside tells whether there are elements in it.
func (w *xmlWriter) end(name string, depth int, inside bool) {
	if w.pending {
		w.dst, w.pending = append(w.dst, "/>"...), false
		return
	}
	if inside {
		w.line(depth)
	}
	w.dst = append(append(append(w.dst, "</"...), name...), '>')
}

func (w *xmlWriter) attr(name string, text []byte) {
	name = strings.TrimPrefix(name, w.prefix)
	w.check(name)
	w.dst = append(append(append(w.dst, ' '), name...), '=', '"')
	w.escape(text, true)
	w.dst = append(w.dst, '"')
}

// text is the text of a scalar; of a time in an attribute it is the number that Spark keeps.
func (w *xmlWriter) text(v *vec.Vector, i int, attr bool) []byte {
	if v.IsNull(i) {
		return []byte(w.null)
	}
	switch k := v.Type.Kind; {
	case attr && (v.Type.IsDatetime() || k == types.Time || v.Type.IsAnsiInterval()):
		w.scratch = strconv.AppendInt(w.scratch[:0], getInt(v, i), 10)
		return w.scratch
	case k == types.DayTimeInterval, k == types.YearMonthInterval:
		if w.err == nil {
			w.err = xmlInterval(v, i)
		}
		return nil
	case k == types.Variant:
		w.scratch, _ = variantAt(v, i).json(w.scratch[:0], w.o.zone.loc)
		return w.scratch
	}
	var ok bool
	if w.scratch, ok = w.o.appendTime(w.scratch[:0], v, i); !ok {
		w.scratch = csvText(w.scratch, v, i, w.o)
	}
	return w.scratch
}

// xmlInterval is the error for an interval, which has no text in XML.
func xmlInterval(v *vec.Vector, i int) error {
	class, name := "java.lang.Long", "DayTimeIntervalType"
	if v.Type.Kind == types.YearMonthInterval {
		class, name = "java.lang.Integer", "YearMonthIntervalType"
	}
	return errs.New(errs.IllegalArgument, "_LEGACY_ERROR_TEMP_3238", "v", strconv.FormatInt(getInt(v, i), 10), "class", "class "+class,
		"dt", fmt.Sprintf("%s(%d,%d)", name, v.Type.Start, v.Type.End))
}

func (w *xmlWriter) isAttr(name string) bool {
	return strings.HasPrefix(name, w.prefix) && name != w.value
}

func (w *xmlWriter) shape(t *types.Type) *xmlShape {
	s := w.shapes[t]
	if s == nil {
		s = &xmlShape{checked: make([]bool, len(t.Fields))}
		for k, f := range t.Fields {
			if w.isAttr(f.Name) && !f.Type.IsNested() {
				s.attrs = append(s.attrs, k)
			} else {
				s.rest = append(s.rest, k)
			}
		}
		w.shapes[t] = s
	}
	return s
}

// fields writes the fields of a struct: attributes first. It reports whether there are elements.
func (w *xmlWriter) fields(t *types.Type, cols []*vec.Vector, i, depth int) (inside bool) {
	s := w.shape(t)
	for _, k := range s.attrs {
		if !cols[k].IsNull(i) || w.hasNull {
			w.attr(t.Fields[k].Name, w.text(cols[k], i, true))
		}
	}
	for _, k := range s.rest {
		name := t.Fields[k].Name
		switch {
		case cols[k].IsNull(i) && !w.hasNull:
		case name == w.value:
			inside = w.bare(cols[k], i, depth) || inside
		default:
			if !s.checked[k] {
				w.check(name)
				s.checked[k] = true
			}
			inside = w.child(name, cols[k], i, depth+1) || inside
		}
	}
	return inside
}

// content is what is in the element of a nested value.
func (w *xmlWriter) content(v *vec.Vector, i, depth int) (inside bool) {
	switch v.Type.Kind {
	case types.Struct:
		return w.fields(v.Type, v.Child, i, depth)
	case types.Array:
		r := vec.Refs(v)[i]
		if r.Len() > 0 {
			w.check(w.item)
		}
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			inside = w.child(w.item, v.Child[0], k, depth+1) || inside
		}
	case types.Map:
		r, vals := vec.Refs(v)[i], v.Child[1]
		for _, attrs := range [...]bool{true, false} {
			for k := r.Start(); k < r.Start()+r.Len(); k++ {
				name := string(appendInternal(nil, v.Child[0], k))
				switch {
				case (w.isAttr(name) && !vals.Type.IsNested()) != attrs, vals.IsNull(k) && !w.hasNull:
				case attrs:
					w.attr(name, w.text(vals, k, true))
				case name == w.value:
					inside = w.bare(vals, k, depth) || inside
				default:
					w.check(name)
					inside = w.child(name, vals, k, depth+1) || inside
				}
			}
		}
	}
	return inside
}

// bare writes the value of the field that has no element of its own.
func (w *xmlWriter) bare(v *vec.Vector, i, depth int) (inside bool) {
	switch {
	case v.IsNull(i) || !v.Type.IsNested():
		if !v.IsNull(i) || w.hasNull {
			w.body()
			w.escape(w.text(v, i, false), false)
		}
		return false
	case v.Type.Kind == types.Array:
		r := vec.Refs(v)[i]
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			inside = w.bare(v.Child[0], k, depth) || inside
		}
		return inside
	}
	return w.content(v, i, depth)
}

// child writes an element, or one for each element of an array.
func (w *xmlWriter) child(name string, v *vec.Vector, i, depth int) (any bool) {
	if v.Type.Kind != types.Array || v.IsNull(i) {
		return w.element(name, v, i, depth)
	}
	r := vec.Refs(v)[i]
	for k := r.Start(); k < r.Start()+r.Len(); k++ {
		any = w.element(name, v.Child[0], k, depth) || any
	}
	return any
}

// element writes an element of a value; nulls are left out unless there is a word for them.
func (w *xmlWriter) element(name string, v *vec.Vector, i, depth int) bool {
	null := v.IsNull(i)
	if null && !w.hasNull {
		return false
	}
	if v.Type.Kind == types.Variant && !null {
		return w.variant(name, variantAt(v, i), depth)
	}
	w.start(name, depth)
	inside := false
	if null || !v.Type.IsNested() {
		w.body()
		w.escape(w.text(v, i, false), false)
	} else {
		inside = w.content(v, i, depth)
	}
	w.end(name, depth, inside)
	return true
}

// variantText is the text of a scalar in a variant.
func (w *xmlWriter) variantText(x variant, k variantKind, id int) []byte {
	dst := w.scratch[:0]
	switch k {
	case variantDate, variantStamp, variantStampNTZ:
		var one *vec.Vector
		switch us := x.long(id); k {
		case variantDate:
			one = vec.FromSlice(types.DateType, []int32{int32(us)}, nil)
		case variantStamp:
			one = vec.FromSlice(types.TimestampType, []int64{us}, nil)
		default:
			one = vec.FromSlice(types.TimestampNTZType, []int64{us}, nil)
		}
		dst, _ = w.o.appendTime(dst, one, 0)
	case variantString:
		return x.text(id)
	case variantBinary:
		dst = appendBase64(dst, x.text(id))
	case variantFloat:
		dst = types.AppendFloat(dst, x.float32())
	case variantDouble:
		dst = types.AppendDouble(dst, x.float64())
	default:
		dst, _ = x.json(dst, w.o.zone.loc)
	}
	w.scratch = dst
	return dst
}

// variant writes an element of a variant, or one for each element of an array in it.
func (w *xmlWriter) variant(name string, x variant, depth int) (any bool) {
	k, id := x.kind()
	if k == variantArray {
		c, ok := x.container(k, id)
		for i := 0; ok && i < c.n; i++ {
			e, tag := c.at(i), name
			if ek, _ := e.kind(); ek == variantArray {
				tag = w.item
			}
			any = w.variant(tag, e, depth) || any
		}
		return any
	}
	w.check(name)
	w.start(name, depth)
	inside := false
	switch k {
	case variantObject:
		inside = w.members(x, k, id, depth)
	case variantNull:
		if w.hasNull {
			w.body()
			w.escape([]byte(w.null), false)
		}
	default:
		w.body()
		w.escape(w.variantText(x, k, id), false)
	}
	w.end(name, depth, inside)
	return true
}

// members are those of an object: attributes first.
func (w *xmlWriter) members(x variant, k variantKind, id, depth int) (inside bool) {
	c, ok := x.container(k, id)
	if !ok {
		return false
	}
	for _, attrs := range [...]bool{true, false} {
		for i := range c.n {
			name, e := string(c.key(i)), c.at(i)
			ek, eid := e.kind()
			scalar := ek != variantObject && ek != variantArray
			switch {
			case (w.isAttr(name) && scalar) != attrs:
			case attrs:
				if ek == variantNull {
					if w.hasNull {
						w.attr(name, []byte(w.null))
					}
					continue
				}
				w.attr(name, w.variantText(e, ek, eid))
			case name == w.value && scalar:
				if ek != variantNull {
					w.body()
					w.escape(w.variantText(e, ek, eid), false)
				}
			default:
				inside = w.variant(name, e, depth+1) || inside
			}
		}
	}
	return inside
}

// record writes a row as an element.
func (w *xmlWriter) record(t *types.Type, cols []*vec.Vector, i, depth int) {
	w.pending = false
	if w.lone && len(cols) == 1 && t.Fields[0].Type.Kind == types.Variant && !cols[0].IsNull(i) {
		w.variant(w.row, variantAt(cols[0], i), depth)
	} else {
		w.check(w.row)
		w.start(w.row, depth)
		w.end(w.row, depth, w.fields(t, cols, i, depth))
	}
	if w.indent == "" {
		w.dst = append(w.dst, '\n')
	}
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
	w, err := newXMLWriter(o)
	if err != nil {
		return nil, err
	}
	_, w.lone = o.raw["singlevariantcolumn"]
	t := a.V[0].Type
	v, err := textKernel(func(a *Args, i int, dst []byte) []byte {
		if w.err == nil {
			w.dst = dst
			w.record(t, a.V[0].Child, i, 0)
			dst = w.dst
		}
		return dst
	})(a)
	if w.err != nil && err == nil {
		if e, ok := errs.As(w.err); ok {
			return nil, e.At(a.pos())
		}
		return nil, errs.Refused(errs.Runtime, "%s", w.err.Error()).At(a.pos())
	}
	return v, err
}

// XMLText writes rows as a file of XML has them: as to_xml writes a struct, within a root element.
type XMLText struct {
	w                 *xmlWriter
	root, declaration string
}

// XML makes a writer of XML of the same options. Characters above most are written as numbers; 0: none are.
func (r *RowText) XML(most rune) (*XMLText, error) {
	w, err := newXMLWriter(r.o)
	if err != nil {
		return nil, err
	}
	_, w.lone = r.o.raw["singlevariantcolumn"]
	w.most = most
	return &XMLText{w: w, root: r.o.text("roottag", "ROWS"), declaration: r.o.text("declaration", `version="1.0" encoding="UTF-8" standalone="yes"`)}, nil
}

// Begin appends what stands before the first row.
func (x *XMLText) Begin(dst []byte) ([]byte, error) {
	w := x.w
	w.dst = dst
	if x.declaration != "" {
		w.dst = append(append(append(w.dst, "<?xml "...), x.declaration...), "?>\n"...)
	}
	words := strings.Fields(x.root)
	if len(words) == 0 {
		words = []string{""}
	}
	w.check(words[0])
	w.dst = append(append(w.dst, '<'), words[0]...)
	for _, at := range words[1:] {
		name, val, ok := strings.Cut(at, "=")
		if !ok || strings.Contains(val, "=") {
			w.fail("The attribute %s of the option rootTag must be a name and a value", at)
		}
		w.check(name)
		w.dst = append(append(append(w.dst, ' '), name...), '=', '"')
		w.escape([]byte(strings.NewReplacer("'", "", `"`, "").Replace(val)), true)
		w.dst = append(w.dst, '"')
	}
	w.dst = append(w.dst, '>')
	if w.indent == "" {
		w.dst = append(w.dst, '\n')
	}
	x.root = words[0]
	return w.dst, w.err
}

// Row appends row i of the columns of a struct.
func (x *XMLText) Row(dst []byte, t *types.Type, cols []*vec.Vector, i int) ([]byte, error) {
	x.w.dst = dst
	x.w.record(t, cols, i, 1)
	return x.w.dst, x.w.err
}

// End appends what stands behind the last row.
func (x *XMLText) End(dst []byte) []byte {
	x.w.dst = dst
	x.w.line(0)
	return append(append(append(x.w.dst, "</"...), x.root...), '>')
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
		def("to_xml", "4.0.0", "Writes a struct as XML.", "SELECT to_xml(named_struct('a', 1, 'b', 2), map('indent', ''))", "<ROW><a>1</a><b>2</b></ROW>\n",
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
