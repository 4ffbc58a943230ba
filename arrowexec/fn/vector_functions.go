package fn

import (
	"math"
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Functions over vectors: arrays of FLOAT of one length. A vector with a NULL in it counts as NULL.

var floatArray = types.NewArray(types.Float32Type, true)

// vectorP takes arrays of FLOAT and nothing else.
var vectorP = Accept{Name: "ARRAY<FLOAT>", Exact: true, Test: func(t *types.Type) bool { return t.Kind == types.Array && t.Elem.Kind == types.Float32 }}

// floatsOf is the vector of row i; ok is false when it is null, or holds a null.
func floatsOf(v *vec.Vector, i int) (x []float32, ok bool) {
	if v.IsNull(i) {
		return nil, false
	}
	r, child := vec.Refs(v)[i], v.Child[0]
	if child.Null != nil {
		for _, null := range child.Null[r.Start() : r.Start()+r.Len()] {
			if null {
				return nil, false
			}
		}
	}
	return vec.Of[float32](child)[r.Start() : r.Start()+r.Len()], true
}

func dimensions(fn string, a, b int, pos *errs.Origin) error {
	return errs.New(errs.Runtime, "VECTOR_DIMENSION_MISMATCH", "functionName", errs.ID(fn), "leftDim", strconv.Itoa(a), "rightDim", strconv.Itoa(b)).At(pos)
}

// vectorPair makes a kernel of two vectors; ok false gives NULL.
func vectorPair(f func(x, y []float32) (float32, bool)) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]float32, a.N)
		v := vec.FromSlice(a.Ret, out, nil)
		for i := range out {
			x, ok := floatsOf(a.V[0], i)
			y, also := floatsOf(a.V[1], i)
			if !ok || !also {
				setNull(v, i)
				continue
			}
			if len(x) != len(y) {
				return nil, dimensions(a.Call.Name, len(x), len(y), a.pos())
			}
			if out[i], ok = f(x, y); !ok {
				setNull(v, i)
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return v, nil
	}
}

func innerProduct(x, y []float32) (float32, bool) {
	sum := float32(0)
	for k := range x {
		sum += x[k] * y[k]
	}
	return sum, true
}

func cosineSimilarity(x, y []float32) (float32, bool) {
	var dot, nx, ny float32
	for k := range x {
		dot += x[k] * y[k]
		nx += x[k] * x[k]
		ny += y[k] * y[k]
	}
	n := math.Sqrt(float64(nx) * float64(ny))
	if n == 0 {
		return 0, false
	}
	return float32(float64(dot) / n), true
}

func distance(x, y []float32) (float32, bool) {
	sum := float32(0)
	for k := range x {
		d := x[k] - y[k]
		sum += d * d
	}
	return float32(math.Sqrt(float64(sum))), true
}

// normOf is the norm of a degree; ok is false for another degree than 1, 2 and infinity.
func normOf(x []float32, degree float32) (n float32, ok bool) {
	switch {
	case degree == 1:
		for _, y := range x {
			n += float32(math.Abs(float64(y)))
		}
	case degree == 2:
		for _, y := range x {
			n += y * y
		}
		n = float32(math.Sqrt(float64(n)))
	case math.IsInf(float64(degree), 1):
		for _, y := range x {
			n = max(n, float32(math.Abs(float64(y))))
		}
	default:
		return 0, false
	}
	return n, true
}

func normDegree(a *Args, i int) (float32, bool) {
	if len(a.V) < 2 {
		return 2, true
	}
	return vec.Of[float32](a.V[1])[i], !a.V[1].IsNull(i)
}

func badDegree(a *Args, d float32) error {
	return errs.New(errs.IllegalArgument, "INVALID_VECTOR_NORM_DEGREE", "functionName", errs.ID(a.Call.Name), "degree", string(types.AppendFloat(nil, d))).At(a.pos())
}

func vectorNorm(a *Args) (*vec.Vector, error) {
	out := make([]float32, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		x, ok := floatsOf(a.V[0], i)
		d, also := normDegree(a, i)
		if !ok || !also {
			setNull(v, i)
			continue
		}
		if out[i], ok = normOf(x, d); !ok {
			return nil, badDegree(a, d)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func vectorNormalize(a *Args) (*vec.Vector, error) {
	refs, null := make([]vec.Ref, a.N), make([]bool, a.N)
	var flat []float32
	for i := range refs {
		x, ok := floatsOf(a.V[0], i)
		d, also := normDegree(a, i)
		if null[i] = !ok || !also; null[i] {
			continue
		}
		n, ok := normOf(x, d)
		if !ok {
			return nil, badDegree(a, d)
		}
		if null[i] = n == 0 && len(x) > 0; null[i] {
			continue
		}
		refs[i] = vec.MakeRef(len(flat), len(x))
		for _, y := range x {
			flat = append(flat, y/n)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	v := vec.FromSlice(a.Ret, refs, null)
	v.Child = []*vec.Vector{vec.FromSlice(types.Float32Type, flat, nil)}
	return v, nil
}

// vectorAgg sums vectors, or averages them, element by element. State: the
// vector and, of averages, how many rows went into it.
type vectorAgg struct {
	name string
	mean bool
	pos  *errs.Origin
	vals [][]float32 // by group; one allocation a group that has rows, of the vector's own length
	n    []int64     // rows of each group
	size int64
}

func (v *vectorAgg) Grow(g int) { v.vals, v.n = aggGrow(v.vals, g), aggGrow(v.n, g) }

func (v *vectorAgg) add(g int32, x []float32, rows int64) error {
	if v.n[g] == 0 {
		v.vals[g] = append(v.vals[g][:0], x...)
		v.size += int64(4 * len(x))
		v.n[g] = rows
		return nil
	}
	to := v.vals[g]
	if len(to) != len(x) {
		return dimensions(v.name, len(to), len(x), v.pos)
	}
	was := v.n[g]
	v.n[g] += rows
	switch {
	case !v.mean:
		for k, y := range x {
			to[k] += y
		}
	case rows == 1:
		for k, y := range x {
			to[k] += (y - to[k]) / float32(v.n[g])
		}
	default:
		l, r := float32(was)/float32(v.n[g]), float32(rows)/float32(v.n[g])
		for k, y := range x {
			to[k] = to[k]*l + y*r
		}
	}
	return nil
}

func (v *vectorAgg) Update(group []int32, args []*vec.Vector, n int) error {
	for i := range n {
		x, ok := floatsOf(args[0], i)
		if !ok {
			continue
		}
		if err := v.add(group[i], x, 1); err != nil {
			return err
		}
	}
	return nil
}

func (v *vectorAgg) Merge(group []int32, state []*vec.Vector, n int) error {
	for i := range n {
		x, ok := floatsOf(state[0], i)
		if !ok {
			continue
		}
		if err := v.add(group[i], x, vec.Of[int64](state[1])[i]); err != nil {
			return err
		}
	}
	return nil
}

func (v *vectorAgg) Result(from, to int) (*vec.Vector, error) {
	refs, null := make([]vec.Ref, to-from), make([]bool, to-from)
	var flat []float32
	for i := range refs {
		if null[i] = v.n[from+i] == 0; null[i] {
			continue
		}
		x := v.vals[from+i]
		refs[i] = vec.MakeRef(len(flat), len(x))
		flat = append(flat, x...)
	}
	out := vec.FromSlice(floatArray, refs, null)
	out.Child = []*vec.Vector{vec.FromSlice(types.Float32Type, flat, nil)}
	return out, nil
}

func (v *vectorAgg) State(from, to int) ([]*vec.Vector, error) {
	x, err := v.Result(from, to)
	if err != nil {
		return nil, err
	}
	return []*vec.Vector{x, vec.FromSlice(types.Int64Type, append([]int64(nil), v.n[from:to]...), nil)}, nil
}

func (v *vectorAgg) Size() int64 { return v.size + int64(cap(v.vals))*24 + int64(cap(v.n))*8 }

func (v *vectorAgg) Reset() {
	clear(v.vals)
	v.vals, v.n, v.size = v.vals[:0], v.n[:0], 0
}

func vectorFunctions() []Def {
	flt := gives(types.Float32Type)
	def := func(name, usage string, ex []Example, o ...Overload) Def {
		return Def{Name: name, Since: "4.2.0", Group: "vector_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullKernel, Overloads: o, Examples: ex}
	}
	floatP := Accept{Name: "FLOAT", Exact: true, Test: func(t *types.Type) bool { return t.Kind == types.Float32 }}
	arr := gives(floatArray)
	agg := func(name, usage string, mean bool, sql, want string) Def {
		return Def{Name: name, Since: "4.2.0", Group: "vector_funcs", Usage: usage, Kind: plan.FnAggregate, Overloads: []Overload{{Params: params(vectorP), Ret: gives(types.NewArray(types.Float32Type, false))}}, Examples: []Example{{sql, want}},
			Agg: &AggDef{
				State: func([]*types.Type, *types.Type) []*types.Type { return []*types.Type{floatArray, types.Int64Type} },
				New: func(a AggArgs) (Accumulator, error) {
					v := &vectorAgg{name: name, mean: mean}
					if a.Call != nil {
						v.pos = a.Call.Pos()
					}
					return v, nil
				},
			}}
	}
	norm := def("vector_norm", "Gives the length of a vector by the norm of a degree: 1, 2 (which is meant when none is given) or infinity.", []Example{{"SELECT vector_norm(array(3.0F, 4.0F), 2.0F)", "5.0"}, {"SELECT vector_norm(array(3.0F, 4.0F), float('inf'))", "4.0"}}, sig(flt, vectorNorm, vectorP), sig(flt, vectorNorm, vectorP, floatP))
	norm.Pretty = withDefaults("vector_norm", 1, "2.0")
	normalize := def("vector_normalize", "Gives a vector of the same direction and the length 1.", []Example{{"SELECT vector_normalize(array(3.0F, 4.0F), float('inf'))", "[0.75,1.0]"}}, sig(arr, vectorNormalize, vectorP), sig(arr, vectorNormalize, vectorP, floatP))
	normalize.Pretty = withDefaults("vector_normalize", 1, "2.0")
	return []Def{
		def("vector_inner_product", "Gives the inner product of two vectors.", []Example{{"SELECT vector_inner_product(array(1.0F, 2.0F, 3.0F), array(4.0F, 5.0F, 6.0F))", "32.0"}}, sig(flt, vectorPair(innerProduct), vectorP, vectorP)),
		def("vector_cosine_similarity", "Gives the cosine of the angle between two vectors; NULL where one has no length.", []Example{{"SELECT vector_cosine_similarity(array(1.0F, 2.0F, 3.0F), array(4.0F, 5.0F, 6.0F))", "0.97463185"}}, sig(flt, vectorPair(cosineSimilarity), vectorP, vectorP)),
		def("vector_l2_distance", "Gives the distance of two points.", []Example{{"SELECT vector_l2_distance(array(1.0F, 2.0F, 3.0F), array(4.0F, 5.0F, 6.0F))", "5.196152"}}, sig(flt, vectorPair(distance), vectorP, vectorP)),
		norm, normalize,
		agg("vector_sum", "Sums the vectors of a group, element by element.", false, "SELECT vector_sum(col) FROM VALUES (array(1.0F, 2.0F)), (array(3.0F, 4.0F)) AS tab(col)", "[4.0,6.0]"),
		agg("vector_avg", "Gives the mean of the vectors of a group, element by element.", true, "SELECT vector_avg(col) FROM VALUES (array(1.0F, 2.0F)), (array(3.0F, 4.0F)) AS tab(col)", "[2.0,3.0]"),
	}
}
