package datasource

import (
	"encoding/json"
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// corruptColumn takes the text of records that can't be parsed.
const corruptColumn = "_corrupt_record"

// jsonType is the type that a JSON value has by itself; nil is null.
func jsonType(x any, asString bool) *types.Type {
	switch v := x.(type) {
	case bool:
		if !asString {
			return types.BoolType
		}
	case json.Number:
		if asString {
			break
		}
		if _, err := v.Int64(); err == nil && !strings.ContainsAny(v.String(), ".eE") {
			return types.Int64Type
		}
		return types.Float64Type
	case nil:
		return nil
	case []any:
		var e *types.Type
		for _, y := range v {
			e = mergeJSON(e, jsonType(y, asString))
		}
		return types.NewArray(e, true)
	case map[string]any:
		out := types.NewStruct()
		for k, y := range v {
			out.Fields = append(out.Fields, types.Field{Name: k, Type: jsonType(y, asString), Nullable: true})
		}
		slices.SortFunc(out.Fields, func(a, b types.Field) int { return strings.Compare(a.Name, b.Name) })
		return out
	}
	return types.StringType
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
			if i := out.FieldIndex(f.Name); i >= 0 {
				out.Fields[i].Type = mergeJSON(out.Fields[i].Type, f.Type)
			} else {
				out.Fields = append(out.Fields, f)
			}
		}
		slices.SortFunc(out.Fields, func(a, b types.Field) int { return strings.Compare(a.Name, b.Name) })
		return out
	case a.Kind == types.Array && b.Kind == types.Array:
		return types.NewArray(mergeJSON(a.Elem, b.Elem), true)
	case a.Kind == b.Kind:
		return a
	case a.IsNumeric() && b.IsNumeric():
		return types.Float64Type
	}
	return types.StringType
}

// settle puts STRING where no value said more.
func settle(t *types.Type) *types.Type {
	switch {
	case t == nil:
		return types.StringType
	case t.Kind == types.Array:
		return types.NewArray(settle(t.Elem), true)
	case t.Kind == types.Struct:
		for i := range t.Fields {
			t.Fields[i].Type = settle(t.Fields[i].Type)
		}
	}
	return t
}

// jsonReads refuses types that JSON values can't be read as here.
func jsonReads(t *types.Type) error {
	switch t.Kind {
	case types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Float32, types.Float64, types.String, types.Date, types.Timestamp, types.TimestampNTZ:
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
