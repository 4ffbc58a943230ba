package datasource

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// corruptColumn takes the text of records that can't be parsed, unless an option names another.
const corruptColumn = "_corrupt_record"

// jsonType is the type that a JSON value has by itself; nil is null.
func (o *textOptions) jsonType(n *node) (*types.Type, error) {
	if o.json.asString && strings.IndexByte("\"tf0.N", n.kind) >= 0 {
		return types.StringType, nil
	}
	switch n.kind {
	case 't', 'f':
		return types.BoolType, nil
	case 'n':
		return nil, nil
	case '0':
		if v, r := types.ParseDecimal(str(n.raw), 0); r == types.DecimalOK {
			if v.IsInt64() {
				return types.Int64Type, nil
			}
			return types.NewDecimal(v.Digits(), 0), nil
		}
		return types.Float64Type, nil
	case '.', 'N':
		if n.kind == '.' && o.json.decimals {
			if v, scale, r := types.ParseDecimalExact(str(n.raw), types.MaxPrecision); r == types.DecimalOK && scale >= 0 && scale <= types.MaxPrecision {
				return types.NewDecimal(max(v.Digits(), scale, 1), scale), nil
			}
		}
		return types.Float64Type, nil
	case '[':
		var e *types.Type
		for i := range n.kids {
			t, err := o.jsonType(&n.kids[i])
			if err != nil {
				return nil, err
			}
			e = mergeJSON(e, t)
		}
		return types.NewArray(e, true), nil
	case '{':
		out := types.NewStruct()
		for i := range n.kids {
			t, err := o.jsonType(&n.kids[i])
			if err != nil {
				return nil, err
			}
			k := slices.IndexFunc(out.Fields, func(f types.Field) bool { return f.Name == n.keys[i] })
			if k >= 0 {
				out.Fields[k].Type = mergeJSON(out.Fields[k].Type, t)
			} else {
				out.Fields = append(out.Fields, types.Field{Name: n.keys[i], Type: t, Nullable: true})
			}
		}
		sortFields(out)
		return out, nil
	}
	if o.json.decimals {
		if v, scale, r := types.ParseDecimalExact(n.text, types.MaxPrecision); r == types.DecimalOK && scale >= 0 && v.Fits(types.MaxPrecision) {
			return types.NewDecimal(max(v.Digits(), scale, 1), scale), nil
		}
	}
	if o.json.times {
		if _, ok := o.parseStamp(n.text); ok {
			return types.TimestampType, nil
		}
	}
	return types.StringType, nil
}

func sortFields(t *types.Type) {
	slices.SortFunc(t.Fields, func(a, b types.Field) int { return strings.Compare(a.Name, b.Name) })
}

// mergeJSON is the type that holds values of both; nil is no value yet.
func mergeJSON(a, b *types.Type) *types.Type {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.Kind == types.Struct && b.Kind == types.Struct:
		out := types.NewStruct(slices.Clone(a.Fields)...)
		for _, f := range b.Fields {
			i := slices.IndexFunc(out.Fields, func(g types.Field) bool { return g.Name == f.Name })
			if i >= 0 {
				out.Fields[i].Type = mergeJSON(out.Fields[i].Type, f.Type)
			} else {
				out.Fields = append(out.Fields, f)
			}
		}
		sortFields(out)
		return out
	case a.Kind == types.Array && b.Kind == types.Array:
		return types.NewArray(mergeJSON(a.Elem, b.Elem), true)
	case types.SameType(a, b):
		return a
	case a.IsNumeric() && b.IsNumeric():
		if a.Kind == types.Float64 || b.Kind == types.Float64 {
			return types.Float64Type
		}
		wide := func(t *types.Type) (scale, whole int) {
			if t.Kind == types.Decimal {
				return t.Scale, t.Precision - t.Scale
			}
			return 0, 20
		}
		sa, wa := wide(a)
		sb, wb := wide(b)
		if s, w := max(sa, sb), max(wa, wb); s+w <= types.MaxPrecision {
			return types.NewDecimal(s+w, s)
		}
		return types.Float64Type
	}
	return types.StringType
}

// dropEmpty leaves out what had no value at all, or only empty arrays and structs (the option dropFieldIfAllNull).
func dropEmpty(t *types.Type) *types.Type {
	switch {
	case t == nil:
		return nil
	case t.Kind == types.Array:
		if e := dropEmpty(t.Elem); e != nil {
			return types.NewArray(e, true)
		}
		return nil
	case t.Kind == types.Struct:
		out := types.NewStruct()
		for _, f := range t.Fields {
			if f.Type = dropEmpty(f.Type); f.Type != nil {
				out.Fields = append(out.Fields, f)
			}
		}
		if len(out.Fields) == 0 {
			return nil
		}
		return out
	}
	return t
}

// settle puts STRING where no value said more, and leaves out structs without fields.
func settle(t *types.Type) *types.Type {
	switch {
	case t == nil:
		return types.StringType
	case t.Kind == types.Array:
		if e := settle(t.Elem); e != nil {
			return types.NewArray(e, true)
		}
		return nil
	case t.Kind == types.Struct:
		out := types.NewStruct()
		for _, f := range t.Fields {
			if f.Type = settle(f.Type); f.Type != nil {
				out.Fields = append(out.Fields, f)
			}
		}
		if len(out.Fields) == 0 {
			return nil
		}
		return out
	}
	return t
}

// sameNames finds fields of one struct, at any depth, with the same name; fold: the case of letters doesn't count.
func sameNames(t *types.Type, fold bool) error {
	seen := map[string]bool{}
	for _, f := range t.Fields {
		k := f.Name
		if fold {
			k = strings.ToLower(k)
		}
		if seen[k] {
			return errs.New(errs.Analysis, "COLUMN_ALREADY_EXISTS", "columnName", errs.ID(k))
		}
		seen[k] = true
	}
	for _, f := range t.Fields {
		if err := sameNames(f.Type, fold); err != nil {
			return err
		}
	}
	for _, in := range []*types.Type{t.Key, t.Elem} {
		if in != nil {
			if err := sameNames(in, fold); err != nil {
				return err
			}
		}
	}
	return nil
}

// jsonReads refuses types that JSON values can't be read as here.
func jsonReads(t *types.Type) error {
	switch t.Kind {
	case types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Float32, types.Float64, types.Decimal, types.String, types.Binary, types.Date, types.Timestamp, types.TimestampNTZ,
		types.YearMonthInterval, types.DayTimeInterval:
		return nil
	case types.Array:
		return jsonReads(t.Elem)
	case types.Map:
		if t.Key.Kind == types.String {
			return jsonReads(t.Elem)
		}
	case types.Struct:
		for _, f := range t.Fields {
			if err := jsonReads(f.Type); err != nil {
				return err
			}
		}
		return nil
	}
	return errs.NotSupported("reading JSON as " + t.String())
}
