package analyze

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"neptune/internal/plan"
	"neptune/internal/types"
)

// Keys of a column's metadata. The names are Spark's: clients see them in schemas.
const (
	metaComment  = "comment"
	metaChar     = "__CHAR_VARCHAR_TYPE_STRING"
	metaDefault  = "CURRENT_DEFAULT"
	metaExisting = "EXISTS_DEFAULT"
)

// metaGet is a text of a metadata object.
func metaGet(meta, key string) (string, bool) {
	if meta == "" || !strings.Contains(meta, key) {
		return "", false
	}
	var m map[string]any
	if json.Unmarshal([]byte(meta), &m) != nil {
		return "", false
	}
	s, ok := m[key].(string)
	return s, ok
}

// metaSet returns the metadata with a text set, or removed where v is nil.
func metaSet(meta, key string, v *string) string {
	m := map[string]any{}
	if meta != "" && json.Unmarshal([]byte(meta), &m) != nil {
		m = map[string]any{}
	}
	if v == nil {
		delete(m, key)
	} else {
		m[key] = *v
	}
	if len(m) == 0 {
		return ""
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(m) != nil { // what was decoded encodes
		return meta
	}
	return strings.TrimSpace(b.String())
}

// deepRead is a type as queries see it: CHAR and VARCHAR are strings, at any depth.
func deepRead(t *types.Type) *types.Type {
	switch t.Kind {
	case types.Char, types.Varchar:
		return readType(t)
	case types.Array:
		if e := deepRead(t.Elem); e != t.Elem {
			return types.NewArray(e, t.ElemNulls)
		}
	case types.Map:
		if k, e := deepRead(t.Key), deepRead(t.Elem); k != t.Key || e != t.Elem {
			return types.NewMap(k, e, t.ElemNulls)
		}
	case types.Struct:
		for i, f := range t.Fields {
			if r := deepRead(f.Type); r != f.Type {
				c := *t
				c.Fields = append([]types.Field(nil), t.Fields...)
				for k := i; k < len(c.Fields); k++ {
					c.Fields[k].Type = deepRead(c.Fields[k].Type)
				}
				return &c
			}
		}
	}
	return t
}

// readField is a table's column as queries see it; what its type was is in the metadata.
func readField(f types.Field) types.Field {
	if t := deepRead(f.Type); t != f.Type {
		raw := f.Type.String()
		f.Type, f.Metadata = t, metaSet(f.Metadata, metaChar, &raw)
	}
	return f
}

// rawField is the column that readField was given.
func (r *run) rawField(f types.Field) types.Field {
	if text, ok := metaGet(f.Metadata, metaChar); ok {
		if t := r.rawType(text); t != nil && types.SameType(deepRead(t), f.Type) {
			f.Type = t
		}
		f.Metadata = metaSet(f.Metadata, metaChar, nil)
	}
	return f
}

func (r *run) rawType(text string) *types.Type {
	if t, err := types.ParseJSON(`"` + text + `"`); err == nil {
		return t
	}
	if r.ParseType == nil {
		return nil
	}
	t, err := r.ParseType("c " + text)
	if err != nil || t.Kind != types.Struct || len(t.Fields) != 1 {
		return nil
	}
	return t.Fields[0].Type
}

// rawFields are the columns of a relation, as a table of them has them.
func (r *run) rawFields(t *types.Type) []types.Field {
	out := make([]types.Field, len(t.Fields))
	for i, f := range t.Fields {
		out[i] = r.rawField(f)
	}
	return out
}

// charsAreStrings reports whether CHAR and VARCHAR are neither checked nor padded.
func (r *run) charsAreStrings() bool {
	return r.Conf.flag("spark.sql.legacy.charVarcharAsString", false)
}

// charCall calls char_read or char_write for a value of a column of type t; e itself where t has neither CHAR nor VARCHAR.
func (r *run) charCall(name string, e plan.Expr, t *types.Type) (plan.Expr, error) {
	if deepRead(t) == t || r.charsAreStrings() {
		return e, nil
	}
	return r.call(&plan.Call{Name: name, Args: []plan.Expr{e, &plan.Literal{T: types.StringType, Value: t.JSON()}}}, &scope{})
}

// padChars fills the CHAR columns of a table's rows up with blanks (spark.sql.readSideCharPadding).
func (r *run) padChars(x *rel, fields []types.Field) (*rel, error) {
	if !r.Conf.flag("spark.sql.readSideCharPadding", true) {
		return x, nil
	}
	list := make([]plan.Expr, len(x.out))
	any := false
	for i, a := range x.out {
		list[i] = a
		if strings.Contains(" "+strings.NewReplacer("<", " ", ":", " ", ",", " ").Replace(fields[i].Type.String()), " char(") {
			e, err := r.charCall("char_read", a, fields[i].Type)
			if err != nil {
				return nil, err
			}
			list[i], any = &plan.Alias{Child: e, Names: []string{a.Name}, ID: plan.NewID(), Metadata: a.Metadata}, true
		}
	}
	if !any {
		return x, nil
	}
	p := &plan.Project{List: list, Child: x.node}
	return &rel{node: p, out: p.Output(), meta: x.meta, leaf: x.leaf}, nil
}

// charLength is n of a column of type CHAR(n), 0 of other expressions.
func charLength(e plan.Expr) int {
	a, ok := e.(*plan.Attr)
	if !ok {
		if o, isOuter := e.(*plan.OuterRef); isOuter {
			a, ok = o.Attr, true
		}
	}
	if !ok || a.T.Kind != types.String {
		return 0
	}
	text, ok := metaGet(a.Metadata, metaChar)
	if !ok {
		return 0
	}
	t, err := types.ParseJSON(`"` + text + `"`)
	if err != nil || t.Kind != types.Char {
		return 0
	}
	return t.Length
}

// padCompared fills the shorter sides of a comparison with CHAR(n) columns up
// with blanks: other columns of CHAR, and literals. All arguments are compared
// with each other. It returns c itself where there is nothing to do, else the
// new call and the one as written, for its name.
func (r *run) padCompared(c *plan.Call) (padded, written *plan.Call, err error) {
	longest, chars := 0, false
	if r.charsAreStrings() {
		return c, nil, nil
	}
	for _, a := range c.Args {
		if a.Type().Kind != types.String {
			return c, nil, nil
		}
		n := charLength(a)
		if n > 0 {
			chars = true
		} else if s, ok := literalText(a); ok {
			n = utf8.RuneCountInString(s)
		} else {
			return c, nil, nil
		}
		longest = max(longest, n)
	}
	if !chars {
		return c, nil, nil
	}
	args := slices.Clone(c.Args)
	changed := false
	for i, a := range args {
		if s, ok := literalText(a); ok {
			if n := longest - utf8.RuneCountInString(s); n > 0 {
				l := *a.(*plan.Literal)
				l.Value = s + strings.Repeat(" ", n)
				args[i], changed = &l, true
			}
			continue
		}
		if charLength(a) < longest {
			e, err := r.charCall("char_read", a, &types.Type{Kind: types.Char, Length: longest})
			if err != nil {
				return nil, nil, err
			}
			args[i], changed = e, true
		}
	}
	if !changed {
		return c, nil, nil
	}
	p, w := *c, *c
	p.Args = args
	return &p, &w, nil
}

func literalText(e plan.Expr) (string, bool) {
	l, ok := e.(*plan.Literal)
	if !ok {
		return "", false
	}
	s, ok := l.Value.(string)
	return s, ok
}

// ReadSchema is a table's schema as queries see it.
func ReadSchema(t *types.Type) *types.Type {
	out := &types.Type{Kind: types.Struct, Fields: make([]types.Field, len(t.Fields))}
	for i, f := range t.Fields {
		out.Fields[i] = readField(f)
	}
	return out
}
