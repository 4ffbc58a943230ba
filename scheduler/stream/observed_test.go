package stream

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"neptune/internal/types"
)

// A listener gets an observation as an object, and the recent progress as values and a schema, as with Spark.
func TestObservedRow(t *testing.T) {
	row := types.NewStruct(
		types.Field{Name: "n", Type: types.Int64Type},
		types.Field{Name: "m", Type: types.NewMap(types.Int32Type, types.StringType, true), Nullable: true},
		types.Field{Name: "d", Type: types.NewDecimal(10, 2), Nullable: true},
		types.Field{Name: "x", Type: types.Float64Type, Nullable: true},
		types.Field{Name: "b", Type: types.BinaryType, Nullable: true},
		types.Field{Name: "s", Type: types.NewStruct(types.Field{Name: "q", Type: types.NewArray(types.Int32Type, true)}), Nullable: true})
	p := Progress{ObservedMetrics: map[string]ObservedRow{"o": {Type: row, Zone: time.UTC, Values: []any{
		int64(10), types.MapValue{Keys: []any{int32(1)}, Values: []any{`a"b`}}, types.I128(14500), math.NaN(), []byte("abc"), types.StructValue{[]any{int32(1), nil}}}}}}
	text := func(p Progress) string {
		raw, err := json.Marshal(p.ObservedMetrics)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if got, want := text(p), `{"o":{"n":10,"m":[{"key":1,"value":"a\"b"}],"d":145.00,"x":"NaN","b":"YWJj","s":{"q":[1,null]}}}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var long struct {
		O struct {
			Values []json.RawMessage
			Schema json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(text(p.Recent())), &long); err != nil {
		t.Fatal(err)
	}
	if len(long.O.Values) != 6 || string(long.O.Values[1]) != `{"1":"a\"b"}` || string(long.O.Schema) != row.JSON() {
		t.Errorf("%s", text(p.Recent()))
	}
	if text(p) == text(p.Recent()) {
		t.Error("Recent changed the progress that it is made of")
	}
}
