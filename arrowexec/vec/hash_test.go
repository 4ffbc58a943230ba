package vec

import (
	"bytes"
	"cmp"
	"math"
	"testing"

	"neptune/internal/types"
	"pgregory.net/rapid"
)

func vector(t *testing.T, typ *types.Type, values ...any) *Vector {
	t.Helper()
	b := NewBuilder(typ, len(values))
	for _, x := range values {
		if err := b.AppendValue(x); err != nil {
			t.Fatal(err)
		}
	}
	return b.Finish()
}

func TestMurmur3IsSparks(t *testing.T) {
	// The example of hash() in Spark's documentation.
	h := []int32{42}
	for _, v := range []*Vector{vector(t, types.StringType, "Spark"), vector(t, types.NewArray(types.Int32Type, true), []any{int32(123)}), vector(t, types.Int32Type, int32(2))} {
		Murmur3(v, h)
	}
	if h[0] != -1321691492 {
		t.Errorf("hash('Spark', array(123), 2) = %d", h[0])
	}
	out := make([]int32, 3)
	SparkPartition([]*Vector{vector(t, types.Int64Type, int64(0), nil, int64(-7))}, 3, 4, out)
	for _, p := range out {
		if p < 0 || p > 3 {
			t.Errorf("partition %d of 4", p)
		}
	}
}

var keyTypes = []*types.Type{
	types.BoolType, types.Int8Type, types.Int16Type, types.Int32Type, types.Int64Type, types.Float32Type, types.Float64Type,
	types.NewDecimal(9, 1), types.NewDecimal(38, 1), types.StringType, types.BinaryType, types.CalendarType,
	types.NewArray(types.StringType, true), types.NewMap(types.Int32Type, types.Int32Type, true),
	types.NewStruct(types.Field{Name: "a", Type: types.Float64Type, Nullable: true}, types.Field{Name: "b", Type: types.StringType, Nullable: true}),
}

func draw(t *rapid.T, typ *types.Type, nulls bool) any {
	if nulls && rapid.IntRange(0, 4).Draw(t, "null") == 0 {
		return nil
	}
	x := rapid.IntRange(-3, 3).Draw(t, "x")
	f := []float64{math.NaN(), math.Copysign(0, -1), 0, math.Inf(1), math.Inf(-1), 1.5, -1.5}[x+3]
	switch typ.Kind {
	case types.Bool:
		return x > 0
	case types.Int8:
		return int8(x * 40)
	case types.Int16:
		return int16(x * 10000)
	case types.Int32:
		return int32(x << 29)
	case types.Int64:
		return int64(x) << 61
	case types.Float32:
		return float32(f)
	case types.Float64:
		return f
	case types.Decimal:
		if typ.Precision > 18 {
			return types.Int128{Lo: uint64(x & 1), Hi: int64(x)}
		}
		return types.I128(int64(x))
	case types.String:
		return rapid.SampledFrom([]string{"", "a", "a\x00", "a\x00b", "ab", "abcdefgh", "abcdefghi", "abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyy"}).Draw(t, "s")
	case types.Binary:
		return rapid.SliceOfN(rapid.ByteRange(0, 2), 0, 3).Draw(t, "b")
	case types.CalendarInterval:
		return types.CalendarValue{Months: int32(x), Days: 1, Micros: int64(x)}
	case types.Array:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "n") {
			list = append(list, draw(t, typ.Elem, true))
		}
		return list
	case types.Map:
		m := types.MapValue{}
		for _, k := range rapid.SampledFrom([][]int{{}, {1}, {1, 2}, {2, 1}}).Draw(t, "keys") {
			m.Keys = append(m.Keys, int32(k))
			m.Values = append(m.Values, draw(t, typ.Elem, true))
		}
		return m
	case types.Struct:
		s := types.StructValue{}
		for _, f := range typ.Fields {
			s = append(s, draw(t, f.Type, true))
		}
		return s
	}
	panic(typ.String())
}

func drawVector(t *rapid.T, typ *types.Type, n int) *Vector {
	b := NewBuilder(typ, n)
	for range n {
		if err := b.AppendValue(draw(t, typ, true)); err != nil {
			t.Fatal(err)
		}
	}
	return b.Finish()
}

func TestKeysAgree(t *testing.T) {
	for _, typ := range keyTypes {
		t.Run(typ.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				const n = 8
				v, w := drawVector(t, typ, n), drawVector(t, types.Int32Type, n)
				cols := []*Vector{v, w}
				order := []KeyOrder{{Desc: rapid.Bool().Draw(t, "desc"), NullsLast: rapid.Bool().Draw(t, "last")}, {}}
				hash := make([]uint64, n)
				Hash(cols, n, hash)
				keys := EncodeSortKeys(cols, order, nil, n)
				words, packs := PackedWords([]*types.Type{typ, types.Int32Type}, true)
				packed := make([]uint64, n*words)
				if packs {
					Pack(cols, n, words, true, packed)
				}
				for i := range n {
					for j := range n {
						same := EqualAt(v, i, v, j) && EqualAt(w, i, w, j)
						eq := []bool{true}
						EqualRows(v, []int32{int32(i)}, v, []int32{int32(j)}, eq)
						EqualRows(w, []int32{int32(i)}, w, []int32{int32(j)}, eq)
						if eq[0] != same {
							t.Fatalf("EqualRows %v, EqualAt %v: %v %v", eq[0], same, v.Value(i), v.Value(j))
						}
						if same != (hash[i] == hash[j]) {
							t.Fatalf("equal %v, hashes %x %x: %v %v", same, hash[i], hash[j], v.Value(i), v.Value(j))
						}
						if packs && same != (compareWords(packed[i*words:(i+1)*words], packed[j*words:(j+1)*words]) == 0) {
							t.Fatalf("equal %v, packed %x %x", same, packed[i*words:(i+1)*words], packed[j*words:(j+1)*words])
						}
						if typ.Kind == types.Map {
							continue
						}
						d := CompareAt(v, i, v, j)
						if v.IsNull(i) != v.IsNull(j) {
							if order[0].NullsLast {
								d = -d
							}
						} else if order[0].Desc {
							d = -d
						}
						if d == 0 {
							d = CompareAt(w, i, w, j)
						}
						if got := bytes.Compare(keys.Key(i), keys.Key(j)); got != d {
							t.Fatalf("keys %x %x compare %d, want %d: %v %v %+v", keys.Key(i), keys.Key(j), got, d, v.Value(i), v.Value(j), order)
						}
					}
				}
			})
		})
	}
}

func compareWords(a, b []uint64) int {
	for i := range a {
		if a[i] != b[i] {
			return cmp.Compare(a[i], b[i])
		}
	}
	return 0
}

func TestCodecAndConcat(t *testing.T) {
	for _, typ := range append([]*types.Type{types.NullType, types.VariantType}, keyTypes...) {
		t.Run(typ.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				n := rapid.IntRange(0, 9).Draw(t, "n")
				var v *Vector
				switch typ.Kind {
				case types.Null:
					v = MakeNull(typ, n)
				case types.Variant:
					v = Make(typ, n)
				default:
					v = drawVector(t, typ, n)
				}
				b := &Batch{N: n, Cols: []*Vector{v}}
				if n > 1 && rapid.Bool().Draw(t, "sel") {
					b.Sel = []int32{int32(n - 1), 0}
					b.N = 2
				}
				enc := AppendBatch(nil, b)
				src := Aligned(len(enc))
				copy(src, enc)
				got, err := DecodeBatch([]*types.Type{typ}, src)
				if err != nil {
					t.Fatal(err)
				}
				same(t, got.Cols[0], b.Compact().Cols[0])
				for cut := 0; cut < len(src); cut += 8 { // a shorter block is refused or read, but never panics
					if g, err := DecodeBatch([]*types.Type{typ}, src[:cut]); err == nil && typ.Kind != types.Null {
						t.Fatalf("%d of %d bytes decoded to %d rows", cut, len(src), g.N)
					}
				}
				// the same rows, from pieces
				parts := []*Vector{v.Slice(0, n/2), v.Slice(n/2, n), got.Cols[0]}
				all, err := ConcatColumn(typ, parts, nil)
				if err != nil {
					t.Fatal(err)
				}
				want := NewBuilder(typ, 0)
				src2, row := []int32{}, []int32{}
				for k, p := range parts {
					want.AppendVector(p)
					for i := range p.N {
						src2, row = append(src2, int32(k)), append(row, int32(i))
					}
				}
				w := want.Finish()
				same(t, all, w)
				same(t, GatherMany(typ, parts, src2, row), w)
			})
		})
	}
}

func same(t *rapid.T, a, b *Vector) {
	if a.N != b.N {
		t.Fatalf("%d values, want %d", a.N, b.N)
	}
	for i := range a.N {
		if !EqualAt(a, i, b, i) {
			t.Fatalf("value %d: %v, want %v", i, a.Value(i), b.Value(i))
		}
	}
}
