package arrowio

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/google/go-cmp/cmp"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

func field(name string, t *types.Type) types.Field {
	return types.Field{Name: name, Type: t, Nullable: true}
}

func allTypes() *types.Type {
	return types.NewStruct(
		field("n", types.NullType), field("b", types.BoolType), field("i8", types.Int8Type), field("i16", types.Int16Type),
		field("i32", types.Int32Type), field("i64", types.Int64Type), field("f32", types.Float32Type), field("f64", types.Float64Type),
		field("d9", types.NewDecimal(9, 2)), field("d38", types.NewDecimal(38, 10)), field("s", types.StringType), field("bin", types.BinaryType),
		field("date", types.DateType), field("ts", types.TimestampType), field("ntz", types.TimestampNTZType), field("ym", types.YearMonthType),
		field("dt", types.DayTimeType), field("cal", types.CalendarType),
		field("arr", types.NewArray(types.StringType, true)), field("map", types.NewMap(types.StringType, types.Int32Type, true)),
		field("st", types.NewStruct(field("x", types.Int32Type), field("y", types.NewArray(types.NewDecimal(5, 1), true)))),
		field("var", types.VariantType),
	)
}

func value(r *rand.Rand, t *types.Type) any {
	if r.IntN(5) == 0 || t.Kind == types.Null {
		return nil
	}
	switch t.Kind {
	case types.Bool:
		return r.IntN(2) == 0
	case types.Int8:
		return int8(r.Int())
	case types.Int16:
		return int16(r.Int())
	case types.Int32, types.Date, types.YearMonthInterval:
		return r.Int32N(100000) - 50000
	case types.Int64, types.Timestamp, types.TimestampNTZ, types.DayTimeInterval:
		return r.Int64() - 1<<62
	case types.Float32:
		return r.Float32()
	case types.Float64:
		return r.Float64()
	case types.Decimal:
		if t.Precision > 18 {
			return types.Mul64(r.Int64(), -r.Int64())
		}
		return types.I128(r.Int64N(100) - 50)
	case types.String:
		return fmt.Sprint("é", r.IntN(10000))
	case types.Binary:
		return []byte{1, byte(r.Int())}
	case types.CalendarInterval:
		return types.CalendarValue{Months: -3, Days: r.Int32N(9), Micros: r.Int64N(1 << 40)}
	case types.Array:
		out := make([]any, r.IntN(4))
		for i := range out {
			out[i] = value(r, t.Elem)
		}
		return out
	case types.Map:
		m := types.MapValue{Keys: []any{}, Values: []any{}}
		for i := range r.IntN(3) {
			m.Keys = append(m.Keys, fmt.Sprint(i))
			m.Values = append(m.Values, value(r, t.Elem))
		}
		return m
	case types.Struct:
		out := types.StructValue{}
		for _, f := range t.Fields {
			out = append(out, value(r, f.Type))
		}
		return out
	case types.Variant:
		return types.VariantValue{Value: []byte{12, byte(r.Int())}, Metadata: []byte{1, 0, 0}}
	}
	panic(t.String())
}

func makeBatch(t testing.TB, st *types.Type, n int, seed uint64) *vec.Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	b := &vec.Batch{N: n}
	for _, f := range st.Fields {
		bl := vec.NewBuilder(f.Type, n)
		for range n {
			if err := bl.AppendValue(value(r, f.Type)); err != nil {
				t.Fatal(err)
			}
		}
		b.Cols = append(b.Cols, bl.Finish())
	}
	return b
}

func rows(b *vec.Batch) [][]any {
	b = b.Compact()
	out := make([][]any, b.N)
	for i := range out {
		for _, c := range b.Cols {
			out[i] = append(out[i], c.Value(i))
		}
	}
	return out
}

func TestStreamsRoundTrip(t *testing.T) {
	st := allTypes()
	for _, o := range []Options{{}, {TimeZone: "Europe/Berlin", LargeVar: true}, {Codec: LZ4}, {Codec: Zstd}} {
		e, err := NewEncoder(st, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{0, 1, 7, 8, 500} {
			b := makeBatch(t, st, n, uint64(n))
			if n == 500 { // slices, selections and scattered refs
				b = b.Slice(3, 490)
				b.Sel = []int32{480, 1, 2, 2, 77}
				b.N = len(b.Sel)
			}
			data, err := e.Stream(b)
			if err != nil {
				t.Fatal(err)
			}
			got, gt, err := Decode(data)
			if err != nil {
				t.Fatalf("%+v, %d rows: %v", o, n, err)
			}
			if !types.Equal(gt, st) {
				t.Fatalf("type %s, want %s", gt, st)
			}
			if n == 0 {
				if len(got) != 0 {
					t.Fatalf("%d batches of an empty stream", len(got))
				}
				continue
			}
			if d := cmp.Diff(rows(b), rows(got[0])); d != "" {
				t.Fatalf("%+v, %d rows: %s", o, n, d)
			}
		}
	}
}

// TestRecords: a record is what arrow-go reads of the stream.
func TestRecords(t *testing.T) {
	st := allTypes()
	for _, o := range []Options{{}, {TimeZone: "Europe/Berlin", LargeVar: true}} {
		e, err := NewEncoder(st, o)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := Schema(st, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range []int{1, 8, 500} {
			b := makeBatch(t, st, n, uint64(n))
			if n == 500 {
				b = b.Slice(3, 490)
				b.Sel = []int32{480, 1, 2, 2, 77}
				b.N = len(b.Sel)
			}
			got, err := e.Record(schema, b)
			if err != nil {
				t.Fatal(err)
			}
			data, err := e.Stream(b)
			if err != nil {
				t.Fatal(err)
			}
			r, err := ipc.NewReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if !r.Next() {
				t.Fatal(r.Err())
			}
			if want := r.RecordBatch(); !array.RecordEqual(got, want) || !got.Schema().Equal(want.Schema()) {
				t.Errorf("%+v, %d rows: %v, want %v", o, n, got, want)
			}
			r.Release()
		}
	}
}

func TestSchemaNames(t *testing.T) {
	s, err := Schema(types.NewStruct(field("m", types.NewMap(types.Int32Type, types.StringType, true)), field("t", types.TimestampType)), Options{TimeZone: "Asia/Tokyo"})
	if err != nil {
		t.Fatal(err)
	}
	want := "schema:\n  fields: 2\n    - m: type=map<int32, utf8, items_nullable>, nullable\n    - t: type=timestamp[us, tz=Asia/Tokyo], nullable"
	if got := s.String(); got != want {
		t.Errorf("got %s", got)
	}
}

func TestBrokenStreamsAreErrors(t *testing.T) {
	st := allTypes()
	e, _ := NewEncoder(st, Options{})
	data, err := e.Stream(makeBatch(t, st, 50, 9))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		bad := append([]byte(nil), data...)
		for range 1 + r.IntN(4) {
			bad[r.IntN(len(bad))] = byte(r.Int())
		}
		if r.IntN(3) == 0 {
			bad = bad[:r.IntN(len(bad))]
		}
		if got, _, err := Decode(bad); err == nil {
			for _, b := range got {
				rows(b) // every value is safe to read
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	st := allTypes()
	for _, o := range []Options{{}, {Codec: LZ4}, {Codec: Zstd}} {
		e, _ := NewEncoder(st, o)
		data, err := e.Stream(makeBatch(f, st, 20, 9))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, _, err := Decode(data)
		if err == nil {
			for _, b := range got {
				rows(b)
			}
		}
	})
}

func BenchmarkStream(b *testing.B) {
	st := types.NewStruct(field("a", types.Int64Type), field("d", types.NewDecimal(15, 2)), field("s", types.StringType))
	e, _ := NewEncoder(st, Options{})
	batch := makeBatch(b, st, 8192, 1)
	b.ReportAllocs()
	for b.Loop() {
		out, err := e.Stream(batch)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(out)))
	}
}
