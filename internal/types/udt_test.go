package types

import "testing"

// The Python half of a type that Spark ships is the one that its JVM class names, and a user defined type meets nothing but
// itself.
func TestUDT(t *testing.T) {
	arr := NewArray(Float64Type, false)
	a := NewUDT(arr, "org.apache.spark.sql.test.ExamplePointUDT", "somewhere.ExamplePointUDT", "")
	b, err := ParseJSON(`{"type":"udt","sqlType":{"type":"array","elementType":"double","containsNull":false},"pyClass":"elsewhere.X","class":"org.apache.spark.sql.test.ExamplePointUDT"}`)
	if err != nil || !Equal(a, b) {
		t.Errorf("one JVM class is one type: %s, %s, %v", a.JSON(), b.JSON(), err)
	}
	c := NewUDT(arr, "", "m.C", "gAS=")
	back, err := ParseJSON(c.JSON())
	if err != nil || !Equal(c, back) {
		t.Errorf("%s isn't read back: %v", c.JSON(), err)
	}
	for _, other := range []*Type{arr, a, StringType} {
		if w := (Rules{ANSI: true}).Wider(c, other, true); w != nil {
			t.Errorf("%s and %s meet as %s", c.JSON(), other.JSON(), w.JSON())
		}
	}
	if w := (Rules{}).Wider(c, NullType, true); w == nil || !Equal(w, c) {
		t.Errorf("NULL is of any type")
	}
}
