package fn

import (
	"encoding/binary"
	"math"
	"strconv"

	"neptune/arrowexec/sketch"
	"neptune/arrowexec/vec"
	"neptune/internal/collation"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// What sketches take as values and as numbers; as given, without casts.
var (
	sketchValueP = Accept{Name: `("ARRAY<INT>" or "ARRAY<BIGINT>" or "BINARY" or "DOUBLE" or "FLOAT" or "INT" or "BIGINT" or "STRING")`,
		Test: func(t *types.Type) bool {
			switch t.Kind {
			case types.Array:
				return t.Elem.Kind == types.Int32 || t.Elem.Kind == types.Int64
			case types.Binary, types.Float64, types.Float32, types.Int32, types.Int64, types.String:
				return true
			}
			return false
		}}
	exactIntP    = Accept{Name: "INT", Test: func(t *types.Type) bool { return t.Kind == types.Int32 }}
	exactBinaryP = Accept{Name: "BINARY", Test: func(t *types.Type) bool { return t.Kind == types.Binary }}
)

// sketchHash is the hash by which value i enters a theta or tuple sketch; ok is false for empty texts and lists,
// which don't.
func sketchHash(v *vec.Vector, i int, col *collation.Collation, buf []byte) (h uint64, ok bool) {
	switch v.Layout {
	case vec.I32:
		return sketch.OfInt64(int64(vec.Of[int32](v)[i])), true
	case vec.I64:
		return sketch.OfInt64(vec.Of[int64](v)[i]), true
	case vec.F32:
		return sketch.OfFloat64(float64(vec.Of[float32](v)[i])), true
	case vec.F64:
		return sketch.OfFloat64(vec.Of[float64](v)[i]), true
	case vec.Bytes:
		b := v.Bytes(i)
		if col != nil {
			if col.Empty(b) {
				return 0, false
			}
			b = col.Key(buf[:0], b)
		}
		return sketch.OfBytes(b), len(b) > 0
	case vec.List:
		r := vec.Refs(v)[i]
		e := v.Child[0]
		buf = buf[:0]
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			switch e.Layout {
			case vec.I32:
				x := vec.Of[int32](e)[k]
				if e.IsNull(k) {
					x = 0
				}
				buf = binary.LittleEndian.AppendUint32(buf, uint32(x))
			case vec.I64:
				x := vec.Of[int64](e)[k]
				if e.IsNull(k) {
					x = 0
				}
				buf = binary.LittleEndian.AppendUint64(buf, uint64(x))
			}
		}
		return sketch.OfBytes(buf), len(buf) > 0
	}
	return 0, false
}

// collationOf is the collation of strings that compare otherwise than by their bytes, else nil.
func collationOf(t *types.Type) *collation.Collation {
	if t == nil || !t.IsString() || t.Collation == "" {
		return nil
	}
	c, ok := collation.Lookup(t.Collation)
	if !ok || c.Binary() {
		return nil
	}
	return c
}

// thetaState is a theta sketch being made, and the last state that can be told from it.
type thetaState struct{ *sketch.Theta }

func (t thetaState) bytes() []byte { return t.Compact().Bytes() }

// lgNom checks the constant that says how many entries a sketch has.
func lgNom(a AggArgs, at int) (int, error) {
	lg, ok := intArg(a, at, sketch.DefaultLgNom)
	if !ok {
		return 0, runtimeErr("THETA_LG_NOM_ENTRIES_MUST_BE_CONSTANT", a.Call.Name).At(a.Call.Pos())
	}
	return lg, checkLgNom(lg, a.Call)
}

func checkLgNom(lg int, c *plan.Call) error {
	if lg < sketch.MinLgNom || lg > sketch.MaxLgNom {
		return runtimeErr("SKETCH_INVALID_LG_NOM_ENTRIES", c.Name, "min", strconv.Itoa(sketch.MinLgNom), "max", strconv.Itoa(sketch.MaxLgNom), "value", strconv.Itoa(lg)).At(c.Pos())
	}
	return nil
}

func badTheta(c *plan.Call) error {
	return runtimeErr("THETA_INVALID_INPUT_SKETCH_BUFFER", c.Name).At(c.Pos())
}

func newThetaAgg(a AggArgs) (Accumulator, error) {
	lg, err := lgNom(a, 1)
	if err != nil {
		return nil, err
	}
	col := collationOf(a.Args[0])
	var buf []byte
	return thetaAcc(a, lg, func(t thetaState, args []*vec.Vector, i int) error {
		if h, ok := sketchHash(args[0], i, col, buf); ok {
			t.Update(h)
		}
		return nil
	}), nil
}

func thetaAcc(a AggArgs, lg int, update func(thetaState, []*vec.Vector, int) error) Accumulator {
	return &objectAcc[thetaState]{fresh: func() thetaState { return thetaState{sketch.NewTheta(lg)} }, ret: a.Ret, update: update,
		merge: func(t thetaState, b []byte) error {
			c, err := sketch.ReadTheta(b)
			if err == nil {
				t.Union(c, nil)
			}
			return err
		},
		result: func(b *vec.Builder, t thetaState) error {
			b.AppendBytes(t.bytes())
			return nil
		}}
}

func newThetaUnion(a AggArgs) (Accumulator, error) {
	lg, err := lgNom(a, 1)
	if err != nil {
		return nil, err
	}
	return thetaAcc(a, lg, func(t thetaState, args []*vec.Vector, i int) error {
		c, err := sketch.ReadTheta(args[0].Bytes(i))
		if err != nil {
			return badTheta(a.Call)
		}
		t.Union(c, nil)
		return nil
	}), nil
}

// compactState is the intersection so far; nil before the first sketch.
type compactState struct {
	c   *sketch.Compact
	sum *sketch.Summary // of tuple sketches
}

func (s *compactState) bytes() []byte {
	c := s.c
	if c == nil {
		c = sketch.NewTheta(sketch.MinLgNom).Compact()
	}
	if s.sum != nil {
		return c.TupleBytes(*s.sum)
	}
	return c.Bytes()
}

func (s *compactState) Size() int64 {
	if s.c == nil {
		return 16
	}
	return 64 + int64(cap(s.c.Hash)+cap(s.c.Sum))*8
}

func newThetaIntersection(a AggArgs) (Accumulator, error) {
	add := func(s *compactState, b []byte) error {
		c, err := sketch.ReadTheta(b)
		switch {
		case err != nil:
			return badTheta(a.Call)
		case s.c == nil:
			s.c = c
		default:
			s.c = sketch.Intersect(s.c, c, nil)
		}
		return nil
	}
	return &objectAcc[*compactState]{fresh: func() *compactState { return &compactState{} }, ret: a.Ret,
		update: func(s *compactState, args []*vec.Vector, i int) error { return add(s, args[0].Bytes(i)) },
		merge:  add,
		result: func(b *vec.Builder, s *compactState) error {
			b.AppendBytes(s.bytes())
			return nil
		}}, nil
}

// thetaBinary makes a kernel of an operation of two sketches; with lg the third argument is the size of the result.
func thetaBinary(op func(a, b *sketch.Compact, lg int) *sketch.Compact) Kernel {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		x, err := sketch.ReadTheta(a.V[0].Bytes(i))
		if err != nil {
			return nil, false, badTheta(a.Call)
		}
		y, err := sketch.ReadTheta(a.V[1].Bytes(i))
		if err != nil {
			return nil, false, badTheta(a.Call)
		}
		lg := sketch.DefaultLgNom
		if len(a.V) > 2 {
			lg = int(vec.Of[int32](a.V[2])[i])
			if err := checkLgNom(lg, a.Call); err != nil {
				return nil, false, err
			}
		}
		return append(dst, op(x, y, lg).Bytes()...), true, nil
	})
}

func thetaEstimate(a *Args) (*vec.Vector, error) {
	out := make([]int64, a.N)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		c, err := sketch.ReadTheta(a.V[0].Bytes(i))
		if err != nil {
			return nil, badTheta(a.Call)
		}
		out[i] = int64(math.Floor(c.Estimate() + 0.5))
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

// defaultArg is a Pretty that shows the last argument's default where it isn't given.
func defaultArg(name string, n int, def string) func([]string) string {
	return func(args []string) string {
		s := name + "("
		for i, a := range args {
			if i > 0 {
				s += ", "
			}
			s += a
		}
		if len(args) == n {
			s += ", " + def
		}
		return s + ")"
	}
}

func thetaFunctions() []Def {
	bin := gives(types.BinaryType)
	agg := func(name, since, usage, sql, want string, o []Overload, new func(AggArgs) (Accumulator, error)) Def {
		return aggDef(Def{Name: name, Since: since, Usage: usage, Nulls: NullNever, Overloads: o, Examples: []Example{{sql, want}}}, retConst(types.BinaryType),
			AggDef{State: stateConst(types.BinaryType), New: new, Empty: sketch.EmptyTheta()})
	}
	def := func(name, usage, sql, want string, nulls NullRule, o ...Overload) Def {
		return Def{Name: name, Since: "4.1.0", Group: "sketch_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: o, Examples: []Example{{sql, want}}}
	}
	sketchAgg := agg("theta_sketch_agg", "4.1.0", "Summarizes the different values of a group as a theta sketch of 2^`lgNomEntries` nominal entries (12 if not given).",
		"SELECT theta_sketch_estimate(theta_sketch_agg(col, 12)) FROM VALUES (1), (1), (2), (2), (3) tab(col)", "3",
		[]Overload{{Params: params(sketchValueP)}, {Params: params(sketchValueP, exactIntP)}}, newThetaAgg)
	sketchAgg.Pretty = defaultArg("theta_sketch_agg", 1, "12")
	unionAgg := agg("theta_union_agg", "4.1.0", "Merges theta sketches into one of 2^`lgNomEntries` nominal entries (12 if not given).",
		"SELECT theta_sketch_estimate(theta_union_agg(sketch)) FROM (SELECT theta_sketch_agg(col) AS sketch FROM VALUES (1) tab(col) UNION ALL SELECT theta_sketch_agg(col, 20) AS sketch FROM VALUES (1) tab(col))", "1",
		[]Overload{{Params: params(exactBinaryP)}, {Params: params(exactBinaryP, exactIntP)}}, newThetaUnion)
	unionAgg.Pretty = defaultArg("theta_union_agg", 1, "12")
	interAgg := agg("theta_intersection_agg", "4.1.0", "Intersects theta sketches.",
		"SELECT theta_sketch_estimate(theta_intersection_agg(sketch)) FROM (SELECT theta_sketch_agg(col) AS sketch FROM VALUES (1) tab(col) UNION ALL SELECT theta_sketch_agg(col) AS sketch FROM VALUES (1) tab(col))", "1",
		[]Overload{{Params: params(exactBinaryP)}}, newThetaIntersection)
	union := def("theta_union", "Merges two theta sketches into one of 2^`lgNomEntries` nominal entries (12 if not given).",
		"SELECT theta_sketch_estimate(theta_union(theta_sketch_agg(col1), theta_sketch_agg(col2))) FROM VALUES (1, 4), (1, 4), (2, 5), (2, 5), (3, 6) tab(col1, col2)", "6", NullIn)
	k := thetaBinary(func(a, b *sketch.Compact, lg int) *sketch.Compact {
		t := sketch.NewTheta(lg)
		t.Union(a, nil)
		t.Union(b, nil)
		return t.Compact()
	})
	union.Overloads = []Overload{sig(bin, k, exactBinaryP, exactBinaryP), sig(bin, k, exactBinaryP, exactBinaryP, exactIntP)}
	union.Pretty = defaultArg("theta_union", 2, "12")
	return []Def{
		sketchAgg, unionAgg, interAgg, union,
		def("theta_intersection", "Intersects two theta sketches.",
			"SELECT theta_sketch_estimate(theta_intersection(theta_sketch_agg(col1), theta_sketch_agg(col2))) FROM VALUES (5, 4), (1, 4), (2, 5), (2, 5), (3, 1) tab(col1, col2)", "2", NullIn,
			sig(bin, thetaBinary(func(a, b *sketch.Compact, _ int) *sketch.Compact { return sketch.Intersect(a, b, nil) }), exactBinaryP, exactBinaryP)),
		def("theta_difference", "Leaves the values of the first theta sketch that the second doesn't have.",
			"SELECT theta_sketch_estimate(theta_difference(theta_sketch_agg(col1), theta_sketch_agg(col2))) FROM VALUES (5, 4), (1, 4), (2, 5), (2, 5), (3, 1) tab(col1, col2)", "2", NullIn,
			sig(bin, thetaBinary(func(a, b *sketch.Compact, _ int) *sketch.Compact { return sketch.Without(a, b) }), exactBinaryP, exactBinaryP)),
		def("theta_sketch_estimate", "Estimates the number of different values of a theta sketch.",
			"SELECT theta_sketch_estimate(theta_sketch_agg(col)) FROM VALUES (1), (1), (2), (2), (3) tab(col)", "3", NullIn,
			sig(gives(types.Int64Type), thetaEstimate, exactBinaryP)),
	}
}
