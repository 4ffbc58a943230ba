package types

import "testing"

// TestCollationsInMetadata: strings have their collations in the metadata of the field they are in.
func TestCollationsInMetadata(t *testing.T) {
	got, err := ParseJSON(`{"type":"struct","fields":[
		{"name":"a","type":"string","nullable":false,"metadata":{"__COLLATIONS":{"a":"spark.UTF8_LCASE"}}},
		{"name":"m","type":{"type":"map","keyType":"string","valueType":{"type":"array","elementType":"string","containsNull":true},"valueContainsNull":true},
		 "nullable":true,"metadata":{"comment":"x","__COLLATIONS":{"m.value.element":"icu.UNICODE_CI"}}},
		{"name":"b","type":"string","nullable":true,"metadata":{}}]}`)
	if err != nil {
		t.Fatal(err)
	}
	want := NewStruct(Field{Name: "a", Type: &Type{Kind: String, Collation: "UTF8_LCASE"}},
		Field{Name: "m", Type: NewMap(StringType, NewArray(&Type{Kind: String, Collation: "UNICODE_CI"}, true), true), Nullable: true}, Field{Name: "b", Type: StringType, Nullable: true})
	if !Equal(got, want) || got.Fields[0].Metadata != "" || got.Fields[1].Metadata != `{"comment":"x"}` {
		t.Errorf("%s, metadata %q, %q", got.SQL(), got.Fields[0].Metadata, got.Fields[1].Metadata)
	}
}
