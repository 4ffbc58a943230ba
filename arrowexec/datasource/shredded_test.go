package datasource

import (
	"reflect"
	"testing"

	"neptune/internal/errs"
	"neptune/internal/types"
)

// TestShreddedVariants writes the parts of variants as columns, and reads variants.
func TestShreddedVariants(t *testing.T) {
	bin := func(name string) types.Field { return field(name, types.BinaryType) }
	part := func(typed *types.Type) *types.Type { return types.NewStruct(bin("value"), field("typed_value", typed)) }
	whole := func(typed *types.Type) *types.Type {
		return types.NewStruct(types.Field{Name: "metadata", Type: types.BinaryType}, bin("value"), field("typed_value", typed))
	}
	names := []byte{1, 2, 0, 1, 2, 'a', 'z'} // a: 0, z: 1
	none := []byte{1, 0, 0}
	num := func(x byte) []byte { return []byte{3 << 2, x} }
	obj := types.NewStruct(field("a", part(types.Int64Type)), field("l", part(types.NewArray(part(types.StringType), true))))
	sv := func(x ...any) types.StructValue { return types.StructValue(x) }
	vv := func(value, meta []byte) any { return types.VariantValue{Value: value, Metadata: meta} }
	nothing := sv(nil, nil)
	for _, x := range []struct {
		what  string
		typed *types.Type
		row   any
		want  any // nil: malformed
	}{
		{"a typed number", types.Int64Type, sv(none, nil, int64(5)), vv(num(5), none)},
		{"a value of another type", types.Int64Type, sv(none, []byte{0}, nil), vv([]byte{0}, none)},
		{"nothing at all", types.Int64Type, sv(none, nil, nil), nil},
		{"a decimal", types.NewDecimal(9, 2), sv(none, nil, types.I128(125)), vv([]byte{8 << 2, 2, 125, 0, 0, 0}, none)},
		// {"a":5,"l":["x",7]}
		{"an object", obj, sv(none, nil, sv(sv(nil, int64(5)), sv(nil, []any{sv(nil, "x"), sv(num(7), nil)}))),
			vv([]byte{2, 2, 0, 1, 0, 2, 11, 12, 5, 3, 2, 0, 2, 4, 5, 'x', 12, 7}, []byte{1, 2, 0, 1, 2, 'a', 'l'})},
		// {"z":1} beside a: 5
		{"an object in two parts", obj, sv(names, []byte{2, 1, 1, 0, 2, 12, 1}, sv(sv(nil, int64(5)), nothing)), vv([]byte{2, 2, 0, 1, 0, 2, 4, 12, 5, 12, 1}, names)},
		{"an object that is empty", obj, sv(none, nil, sv(nothing, nothing)), vv([]byte{2, 0, 0}, none)},
		{"an object with a rest that is none", obj, sv(none, num(1), sv(nothing, nothing)), nil},
		{"a field in both parts", obj, sv(names, []byte{2, 1, 0, 0, 2, 12, 1}, sv(sv(nil, int64(5)), nothing)), nil},
		{"an array without its element", types.NewArray(part(types.Int64Type), true), sv(none, nil, []any{nothing}), nil},
	} {
		in := types.NewStruct(field("v", whole(x.typed)), field("o", types.NewStruct(field("v", whole(x.typed)))))
		dir, err := writeWith(t, in, nil, nil, rowsAs(t, in, []any{x.row, sv(x.row)}, []any{nil, nil}))
		if err != nil {
			t.Fatal(err)
		}
		as := types.NewStruct(field("v", types.VariantType), field("o", types.NewStruct(field("v", types.VariantType))))
		got, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}, Schema: as}), 1, 0)
		if x.want == nil {
			if e, _ := errs.As(err); conditionOf(err) != "FAILED_READ_FILE.NO_HINT" || conditionOf(e.Cause) != "MALFORMED_VARIANT" {
				t.Errorf("%s: %v, %v", x.what, got, err)
			}
			continue
		}
		if want := [][]any{{x.want, sv(x.want)}, {nil, nil}}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v", x.what, got, err)
		}
	}
	in := types.NewStruct(field("v", types.NewStruct(bin("value"), field("typed_value", types.Int64Type)))) // without metadata
	dir, err := writeWith(t, in, nil, nil, rowsAs(t, in, []any{sv(nil, int64(1))}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := scanAll(t, openAll(t, OpenArgs{Format: "parquet", Paths: []string{dir}, Schema: types.NewStruct(field("v", types.VariantType))}), 1, 0); conditionOf(err) != "FAILED_READ_FILE.NO_HINT" {
		t.Error(err)
	}
}
