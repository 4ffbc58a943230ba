package fn

import (
	"strconv"
	"strings"

	"neptune/arrowexec/sketch"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// kllState is a KLL sketch being made.
type kllState[T sketch.Number] struct{ s *sketch.KLL[T] }

func (k *kllState[T]) bytes() []byte { return k.s.Bytes() }
func (k *kllState[T]) Size() int64   { return 16 + k.s.Size() }

// kllK checks the constant k of a call.
func kllK(c *plan.Call, at int) (k int, given bool, err error) {
	if at >= len(c.Args) {
		return sketch.DefaultK, false, nil
	}
	v, ok := constant(c.Args[at])
	if !ok {
		return 0, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", errs.Quote(c.Name), "inputName", "k", "inputType", "int", "inputExpr", exprName(c.Args[at])).At(c.Pos())
	}
	x, _ := v.(int32)
	if x < sketch.MinK || x > sketch.MaxK {
		msg := "[KLL_SKETCH_K_OUT_OF_RANGE] k of " + errs.ID(c.Name) + " must be from " + strconv.Itoa(sketch.MinK) + " to " + strconv.Itoa(sketch.MaxK) + ", and is " + strconv.Itoa(int(x)) + "."
		return 0, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", "sqlExpr", errs.Quote(c.Name), "msg", msg, "hint", "").At(c.Pos())
	}
	return int(x), true, nil
}

func badKLL(c *plan.Call) error {
	return runtimeErr("KLL_INVALID_INPUT_SKETCH_BUFFER", c.Name).At(c.Pos())
}

func newKLLAcc[T sketch.Number](a AggArgs, update func(k *kllState[T], args []*vec.Vector, i int) error, k int, nulls bool) Accumulator {
	return &objectAcc[*kllState[T]]{fresh: func() *kllState[T] { return &kllState[T]{sketch.NewKLL[T](k)} }, ret: a.Ret, update: update, nulls: nulls,
		merge: func(k *kllState[T], b []byte) error {
			o, err := sketch.ReadKLL[T](b)
			if err != nil {
				return err
			}
			if k.s.N() == 0 {
				k.s = o
			} else {
				k.s.Merge(o)
			}
			return nil
		},
		result: func(b *vec.Builder, k *kllState[T]) error {
			b.AppendBytes(k.bytes())
			return nil
		}}
}

// kllKind is one of the types of numbers that KLL sketches hold.
func kllFunctions[T sketch.Number](name, class, example string, t *types.Type, in Accept, show func(T) string) []Def {
	at := func(v *vec.Vector, i int) T { return vec.Of[T](v)[i] }
	checkK := func(o []Overload, pos int) []Overload {
		for i := range o {
			o[i].RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
				_, _, err := kllK(c, pos)
				return types.BinaryType, false, err
			}
		}
		return o
	}
	sketchAgg := aggDef(Def{Name: "kll_sketch_agg_" + name, Since: "4.1.0", Nulls: NullNever, Usage: "Summarizes the distribution of a group's values as a KLL sketch; `k` (200 if not given) sets its size and exactness.",
		Overloads: checkK(optional(1, nil, nil, in, exactIntP), 1), Examples: []Example{{"SELECT kll_sketch_get_n_" + name + "(kll_sketch_agg_" + name + "(col)) FROM VALUES (" + example + ") tab(col)", "3"}}},
		retConst(types.BinaryType), AggDef{State: stateConst(types.BinaryType), Empty: sketch.NewKLL[T](sketch.DefaultK).Bytes(), New: func(a AggArgs) (Accumulator, error) {
			k, _, err := kllK(a.Call, 1)
			if err != nil {
				return nil, err
			}
			return newKLLAcc(a, func(s *kllState[T], args []*vec.Vector, i int) error {
				s.s.Update(kllValue[T](args[0], i))
				return nil
			}, k, false), nil
		}})
	mergeAgg := aggDef(Def{Name: "kll_merge_agg_" + name, Since: "4.1.0", Usage: "Merges KLL sketches into one, of the first one's `k` unless it is given.",
		Overloads: checkK(optional(1, nil, nil, exactBinaryP, exactIntP), 1), Examples: []Example{{"SELECT kll_sketch_get_n_" + name + "(kll_merge_agg_" + name + "(s)) FROM (SELECT kll_sketch_agg_" + name + "(col) AS s FROM VALUES (" + example + ") tab(col))", "3"}}},
		retConst(types.BinaryType), AggDef{State: stateConst(types.BinaryType), New: func(a AggArgs) (Accumulator, error) {
			k, given, err := kllK(a.Call, 1)
			if err != nil {
				return nil, err
			}
			return newKLLAcc(a, func(s *kllState[T], args []*vec.Vector, i int) error {
				o, err := sketch.ReadKLL[T](args[0].Bytes(i))
				if err != nil {
					return badKLL(a.Call)
				}
				if s.s.N() == 0 && !given {
					s.s = sketch.NewKLL[T](o.K())
				}
				s.s.Merge(o)
				return nil
			}, k, false), nil
		}})
	mergeAgg.Nulls = NullNever
	mergeAgg.Agg.Empty = sketch.NewKLL[T](sketch.DefaultK).Bytes()
	read := func(a *Args, k, i int) (*sketch.KLL[T], error) {
		s, err := sketch.ReadKLL[T](a.V[k].Bytes(i))
		if err != nil {
			return nil, badKLL(a.Call)
		}
		return s, nil
	}
	def := func(short, usage, call, want string, o ...Overload) Def {
		return Def{Name: "kll_sketch_" + short + "_" + name, Since: "4.1.0", Group: "sketch_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o,
			Examples: []Example{{"SELECT kll_sketch_" + short + "_" + name + "(kll_sketch_agg_" + name + "(col)" + call + ") FROM VALUES (" + example + ") tab(col)", want}}}
	}
	count := func(a *Args) (*vec.Vector, error) {
		out := make([]int64, a.N)
		for i := range out {
			if a.skipped(i) || a.V[0].IsNull(i) {
				continue
			}
			s, err := read(a, 0, i)
			if err != nil {
				return nil, err
			}
			out[i] = s.N()
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
	text := tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		s, err := read(a, 0, i)
		if err != nil {
			return nil, false, err
		}
		return append(dst, s.Summary(class, show)...), true, nil
	})
	merged := tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		x, err := read(a, 0, i)
		if err != nil {
			return nil, false, err
		}
		y, err := read(a, 1, i)
		if err != nil {
			return nil, false, err
		}
		x.Merge(y)
		return append(dst, x.Bytes()...), true, nil
	})
	quantile := func(a *Args, s *sketch.KLL[T], v *vec.Vector, i int, b *vec.Builder) error {
		q := vec.Of[float64](v)[i]
		switch {
		case !(q >= 0 && q <= 1):
			return errs.New(errs.Runtime, "KLL_SKETCH_INVALID_QUANTILE_RANGE", "functionName", errs.ID(a.Call.Name)).At(a.pos())
		case s.N() == 0:
			return badKLL(a.Call)
		}
		vec.Append(b, s.Quantile(q))
		return nil
	}
	rank := func(a *Args, s *sketch.KLL[T], v *vec.Vector, i int, b *vec.Builder) error {
		if s.N() == 0 {
			return badKLL(a.Call)
		}
		vec.Append(b, s.Rank(at(v, i)))
		return nil
	}
	// both makes the overloads of a question about one value or an array of them.
	both := func(in, out *types.Type, f func(*Args, *sketch.KLL[T], *vec.Vector, int, *vec.Builder) error) []Overload {
		kernel := func(a *Args) (*vec.Vector, error) {
			b := vec.NewBuilder(a.Ret, a.N)
			for i := range a.N {
				if a.skipped(i) || a.V[0].IsNull(i) || a.V[1].IsNull(i) {
					b.AppendNull()
					continue
				}
				s, err := read(a, 0, i)
				if err != nil {
					return nil, err
				}
				if a.V[1].Layout != vec.List {
					err = f(a, s, a.V[1], i, b)
				} else {
					r := vec.Refs(a.V[1])[i]
					for k := r.Start(); k < r.Start()+r.Len() && err == nil; k++ {
						if a.V[1].Child[0].IsNull(k) {
							b.Child(0).AppendNull()
							continue
						}
						err = f(a, s, a.V[1].Child[0], k, b.Child(0))
					}
					b.EndList(r.Len())
				}
				if err != nil {
					return nil, err
				}
				if err := a.yields(i); err != nil {
					return nil, err
				}
			}
			return b.Finish(), nil
		}
		list := types.NewArray(in, true)
		return []Overload{sig(gives(out), kernel, exactBinaryP, Accept{Types: []*types.Type{in}}), sig(gives(types.NewArray(out, true)), kernel, exactBinaryP, Accept{Types: []*types.Type{list}})}
	}
	return []Def{
		sketchAgg, mergeAgg,
		def("get_n", "Gives the number of values that a KLL sketch has seen.", "", "3", sig(gives(types.Int64Type), count, exactBinaryP)),
		def("get_quantile", "Gives the value at or below which a share of a KLL sketch's values lies, or those of an array of shares.", ", 0.5", show(2), both(types.Float64Type, t, quantile)...),
		def("get_rank", "Gives the share of a KLL sketch's values that lie at or below a value, or the shares for an array of them.", ", "+strings.Split(example, "), (")[0], "0.3333333333333333", both(t, types.Float64Type, rank)...),
		{Name: "kll_sketch_merge_" + name, Since: "4.1.0", Group: "sketch_funcs", Usage: "Merges two KLL sketches.", Kind: plan.FnScalar, Overloads: []Overload{sig(gives(types.BinaryType), merged, exactBinaryP, exactBinaryP)},
			Examples: []Example{{"SELECT kll_sketch_get_n_" + name + "(kll_sketch_merge_" + name + "(kll_sketch_agg_" + name + "(col), kll_sketch_agg_" + name + "(col))) FROM VALUES (" + example + ") tab(col)", "6"}}},
		{Name: "kll_sketch_to_string_" + name, Since: "4.1.0", Group: "sketch_funcs", Usage: "Describes a KLL sketch.", Kind: plan.FnScalar, Overloads: []Overload{sig(gives(types.StringType), text, exactBinaryP)},
			Examples: []Example{{"SELECT length(kll_sketch_to_string_" + name + "(kll_sketch_agg_" + name + "(col))) > 0 FROM VALUES (" + example + ") tab(col)", "true"}}},
	}
}

// kllValue is a number of any width as the sketch's type.
func kllValue[T sketch.Number](v *vec.Vector, i int) T {
	switch v.Layout {
	case vec.F32:
		return T(vec.Of[float32](v)[i])
	case vec.F64:
		return T(vec.Of[float64](v)[i])
	case vec.I64:
		return T(vec.Of[int64](v)[i])
	}
	return T(getInt(v, i))
}

func kllTables() []Def {
	kinds := func(name string, k ...types.Kind) Accept {
		return Accept{Name: name, Test: func(t *types.Type) bool {
			for _, x := range k {
				if t.Kind == x {
					return true
				}
			}
			return false
		}}
	}
	ints := kinds(`("TINYINT" or "INT" or "BIGINT" or "SMALLINT")`, types.Int8, types.Int16, types.Int32, types.Int64)
	out := kllFunctions("bigint", "Longs", "1L), (2L), (3L", types.Int64Type, ints, func(x int64) string { return strconv.FormatInt(x, 10) })
	out = append(out, kllFunctions("float", "Floats", "CAST(1 AS FLOAT)), (CAST(2 AS FLOAT)), (CAST(3 AS FLOAT)", types.Float32Type, kinds("FLOAT", types.Float32), func(x float32) string { return string(types.AppendFloat(nil, x)) })...)
	return append(out, kllFunctions("double", "Doubles", "1D), (2D), (3D", types.Float64Type, kinds(`("FLOAT" or "DOUBLE")`, types.Float32, types.Float64), func(x float64) string { return string(types.AppendDouble(nil, x)) })...)
}
