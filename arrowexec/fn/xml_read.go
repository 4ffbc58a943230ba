package fn

import (
	"slices"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// xmlReader turns XML into values of a type: fields by child elements and, with
// a prefix, by attributes. What doesn't fit is null, and bad is set.
type xmlReader struct {
	o             *formatOptions
	src           []byte
	prefix, value string
	trim, exact   bool
	noAttrs       bool
	null          string
	hasNull       bool
	bad           bool
}

func newXMLReader(o *formatOptions, exact bool) *xmlReader {
	r := &xmlReader{o: o, prefix: o.text("attributeprefix", "_"), value: o.text("valuetag", "_VALUE"), trim: !o.not("ignoresurroundingspaces"), exact: exact, noAttrs: o.is("excludeattribute")}
	r.null, r.hasNull = o.raw["nullvalue"]
	return r
}

func (r *xmlReader) field(t *types.Type, name string) int {
	return slices.IndexFunc(t.Fields, func(f types.Field) bool {
		return f.Name == name || !r.exact && strings.EqualFold(f.Name, name)
	})
}

func (r *xmlReader) clean(s string) string {
	if r.trim {
		return strings.TrimSpace(s)
	}
	return s
}

// object appends a struct made of an element; skip is a field left alone.
func (r *xmlReader) object(b *vec.Builder, t *types.Type, n *xmlNode, skip int) {
	at := make([][]*xmlNode, len(t.Fields))
	if !r.noAttrs {
		for _, a := range n.attrs {
			if k := r.field(t, r.prefix+a.name); k >= 0 && k != skip {
				at[k] = append(at[k], a)
			}
		}
	}
	for _, c := range n.kids {
		if c.kind == 'e' {
			if k := r.field(t, c.name); k >= 0 && k != skip {
				at[k] = append(at[k], c)
			}
		}
	}
	text, _ := n.own()
	text = r.clean(text)
	for k, f := range t.Fields {
		to := b.Child(k)
		switch {
		case k == skip:
		case len(at[k]) == 0 && f.Name == r.value && text != "":
			r.scalar(to, f.Type, text)
		case len(at[k]) == 0:
			to.AppendNull()
		case f.Type.Kind == types.Array:
			count := 0
			for _, c := range at[k] {
				before := to.Child(0).Len()
				if r.element(to.Child(0), f.Type.Elem, c, true) {
					count += to.Child(0).Len() - before
				}
			}
			to.EndList(count)
		default:
			r.element(to, f.Type, at[k][len(at[k])-1], false)
		}
	}
	b.EndGroup()
}

// element appends the value of a node; inList: what doesn't fit isn't appended at all.
func (r *xmlReader) element(b *vec.Builder, t *types.Type, n *xmlNode, inList bool) bool {
	text, elements := n.text, false
	if n.kind == 'e' {
		text, elements = n.own()
	}
	switch t.Kind {
	case types.Struct:
		if n.kind == 'a' || !elements && len(n.attrs) == 0 && r.clean(text) == "" {
			b.AppendNull()
			return true
		}
		if !elements && len(n.attrs) == 0 && r.field(t, r.value) < 0 {
			r.bad = true
			if !inList {
				b.AppendNull()
			}
			return !inList
		}
		r.object(b, t, n, -1)
		return true
	case types.Map:
		if !elements && len(n.attrs) == 0 {
			b.AppendNull()
			return true
		}
		r.entries(b, t, n)
		return true
	case types.Array:
		count := 0
		for _, c := range n.kids {
			if c.kind == 'e' && r.element(b.Child(0), t.Elem, c, true) {
				count++
			}
		}
		b.EndList(count)
		return true
	case types.String, types.Char, types.Varchar:
		if elements {
			b.AppendString(r.clean(string(r.src[n.innerAt:n.innerTo])))
			return true
		}
		text = r.clean(text)
		if r.hasNull && text == r.null {
			b.AppendNull()
		} else {
			b.AppendString(text)
		}
		return true
	}
	text = r.clean(text)
	if text == "" || r.hasNull && text == r.null {
		b.AppendNull()
		return true
	}
	if !appendScalar(b, t, text, r.o, true) {
		r.bad = true
		if !inList {
			b.AppendNull()
		}
		return !inList
	}
	return true
}

func (r *xmlReader) scalar(b *vec.Builder, t *types.Type, text string) {
	if r.hasNull && text == r.null {
		b.AppendNull()
		return
	}
	if !appendScalar(b, t, text, r.o, true) {
		r.bad = true
		b.AppendNull()
	}
}

func (r *xmlReader) entries(b *vec.Builder, t *types.Type, n *xmlNode) {
	count := 0
	put := func(key string, c *xmlNode) {
		if r.element(b.Child(1), t.Elem, c, true) {
			b.Child(0).AppendString(key)
			count++
		}
	}
	if !r.noAttrs {
		for _, a := range n.attrs {
			put(r.prefix+a.name, a)
		}
	}
	for _, c := range n.kids {
		if c.kind == 'e' {
			put(c.name, c)
		}
	}
	b.EndList(count)
}

func fromXML(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	o, err := optionsOf(a, s, "xml", 2)
	if err != nil {
		return nil, err
	}
	r := newXMLReader(o, a.Env.Conf != nil && a.Env.Conf.Keys["spark.sql.caseSensitive"] == "true")
	corrupt := a.Ret.FieldIndex(o.corrupt)
	b := vec.NewBuilder(a.Ret, a.N)
	for i := range a.N {
		if a.skipped(i) || a.V[0].IsNull(i) {
			b.AppendNull()
			continue
		}
		r.src, r.bad = a.V[0].Bytes(i), false
		doc, ok := parseXML(r.src, !strings.EqualFold(o.raw["ignorenamespace"], "true"))
		if ok {
			if root := doc.root(); root != nil {
				r.object(b, a.Ret, root, corrupt)
			}
		} else {
			r.bad = true
			for k := range a.Ret.Fields {
				if k != corrupt {
					b.Child(k).AppendNull()
				}
			}
			b.EndGroup()
		}
		if corrupt >= 0 {
			if r.bad {
				b.Child(corrupt).AppendBytes(r.src)
			} else {
				b.Child(corrupt).AppendNull()
			}
		}
		if r.bad && o.failFast {
			return nil, malformed(a, b)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

// infer is the type of an element's content.
func (r *xmlReader) infer(n *xmlNode) *types.Type {
	text, elements := n.own()
	text = r.clean(text)
	attrs := len(n.attrs) > 0 && !r.noAttrs
	scalar := func(s string) *types.Type {
		switch {
		case s == "" || r.hasNull && s == r.null:
			return types.NullType
		case r.o.not("inferschema"):
			return types.StringType
		}
		return inferScalar(s, r.o, false)
	}
	if !elements && !attrs {
		return scalar(text)
	}
	var names []string
	found := map[string]*types.Type{}
	count := map[string]int{}
	add := func(name string, t *types.Type) {
		if old, ok := found[name]; ok {
			t = xmlWider(old, t)
		} else {
			names = append(names, name)
		}
		found[name] = t
		count[name]++
	}
	if attrs {
		for _, a := range n.attrs {
			if a.name != "xmlns" && a.prefix != "xmlns" {
				add(r.prefix+a.name, scalar(r.clean(a.text)))
			}
		}
	}
	for _, c := range n.kids {
		if c.kind == 'e' {
			add(c.name, r.infer(c))
		}
	}
	if text != "" {
		add(r.value, scalar(text))
	}
	slices.Sort(names)
	out := &types.Type{Kind: types.Struct}
	for _, name := range names {
		t := found[name]
		if count[name] > 1 {
			t = types.NewArray(t, true)
		}
		out.Fields = append(out.Fields, types.Field{Name: name, Type: t, Nullable: true})
	}
	return out
}

// xmlWider is the type that both of two elements of a name fit.
func xmlWider(a, b *types.Type) *types.Type {
	switch {
	case a.Kind == types.Null:
		return b
	case b.Kind == types.Null, types.SameType(a, b):
		return a
	case a.Kind == types.Struct && b.Kind == types.Struct:
		out := &types.Type{Kind: types.Struct, Fields: slices.Clone(a.Fields)}
		for _, f := range b.Fields {
			if k := out.FieldIndex(f.Name); k >= 0 {
				out.Fields[k].Type = xmlWider(out.Fields[k].Type, f.Type)
			} else {
				out.Fields = append(out.Fields, f)
			}
		}
		slices.SortFunc(out.Fields, func(x, y types.Field) int { return strings.Compare(x.Name, y.Name) })
		return out
	case a.Kind == types.Array && b.Kind == types.Array:
		return types.NewArray(xmlWider(a.Elem, b.Elem), true)
	case a.Kind == types.Array:
		return types.NewArray(xmlWider(a.Elem, b), true)
	case b.Kind == types.Array:
		return types.NewArray(xmlWider(a, b.Elem), true)
	case a.IsNumeric() && b.IsNumeric():
		return types.Float64Type
	case a.IsDatetime() && b.IsDatetime():
		return types.TimestampType
	}
	return types.StringType
}

// settled makes strings of what no value told the type of.
func settled(t *types.Type) *types.Type {
	switch t.Kind {
	case types.Null:
		return types.StringType
	case types.Array:
		return types.NewArray(settled(t.Elem), true)
	case types.Struct:
		out := &types.Type{Kind: types.Struct, Fields: slices.Clone(t.Fields)}
		for i := range out.Fields {
			out.Fields[i].Type = settled(out.Fields[i].Type)
		}
		return out
	}
	return t
}

func schemaOfXML(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	o, err := optionsOf(a, s, "xml", 1)
	if err != nil {
		return nil, err
	}
	r := newXMLReader(o, true)
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		doc, ok := parseXML(a.V[0].Bytes(i), true)
		if !ok {
			if o.failFast {
				return nil, false, malformed(a, nil)
			}
			t := types.NewStruct(types.Field{Name: o.corrupt, Type: types.StringType, Nullable: true})
			return append(dst, t.SQL()...), true, nil
		}
		t := settled(r.infer(doc.root()))
		if t.Kind != types.Struct {
			t = types.NewStruct(types.Field{Name: r.value, Type: t, Nullable: true})
		}
		return append(dst, t.SQL()...), true, nil
	})(a)
}
