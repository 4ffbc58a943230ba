package fn

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"neptune/arrowexec/sketch"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

var tupleModes = []string{"sum", "min", "max", "alwaysone"}

// tupleKind is what the names of tuple functions end with: the type of the summaries.
type tupleKind struct {
	name   string
	double bool
	typ    *types.Type
}

var tupleKinds = []tupleKind{{"double", true, types.Float64Type}, {"integer", false, types.Int32Type}}

// tupleArgs reads the constants at the end of a call: the size from lg on (below 0: it has none), the mode after it.
func tupleArgs(c *plan.Call, k tupleKind, lg, mode int) (int, sketch.Summary, error) {
	s := sketch.Summary{Double: k.double}
	size := sketch.DefaultLgNom
	hint := func(text string) error {
		return errs.New(errs.Analysis, "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT", "sqlExpr", errs.Quote(c.Name), "msg", text, "hint", "").At(c.Pos())
	}
	folded := func(name, typ string, at int) error {
		return errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", errs.Quote(c.Name), "inputName", name, "inputType", typ, "inputExpr", exprName(c.Args[at])).At(c.Pos())
	}
	if lg >= 0 && lg < len(c.Args) {
		v, ok := constant(c.Args[lg])
		if !ok {
			return 0, s, folded("lgNomEntries", "int", lg)
		}
		x, _ := v.(int32)
		if size = int(x); size < sketch.MinLgNom || size > sketch.MaxLgNom {
			return 0, s, hint(checkLgNom(size, c).Error())
		}
	}
	if mode >= 0 && mode < len(c.Args) {
		v, ok := constant(c.Args[mode])
		if !ok {
			return 0, s, folded("mode", "string", mode)
		}
		text, _ := v.(string)
		i := slices.Index(tupleModes, strings.ToLower(strings.TrimSpace(text)))
		if i < 0 {
			return 0, s, hint("[TUPLE_INVALID_SKETCH_MODE] The mode '" + text + "' of " + errs.ID(c.Name) + " isn't one of " + strings.Join(tupleModes, ", ") + ".")
		}
		s.Mode = sketch.Mode(i)
	}
	return size, s, nil
}

// exprName is a column's name, for messages.
func exprName(e plan.Expr) string {
	switch e := e.(type) {
	case *plan.Attr:
		return e.Name
	case *plan.Cast:
		return "CAST(" + exprName(e.Child) + " AS " + e.To.SQL() + ")"
	case *plan.Call:
		return e.Name
	}
	return ""
}

func badTuple(c *plan.Call, err error) error {
	if f, ok := err.(sketch.ErrFamily); ok {
		return runtimeErr("TUPLE_INVALID_INPUT_SKETCH_BUFFER_FAMILY", c.Name, "expectedFamily", "TUPLE", "actualFamily", string(f)).At(c.Pos())
	}
	return runtimeErr("TUPLE_INVALID_INPUT_SKETCH_BUFFER", c.Name).At(c.Pos())
}

// tupleState is a tuple sketch being made.
type tupleState struct {
	*sketch.Theta
	sum sketch.Summary
}

func (t tupleState) bytes() []byte { return t.Compact().TupleBytes(t.sum) }

func summaryAt(v *vec.Vector, i int) uint64 {
	if v.Layout == vec.F64 {
		return math.Float64bits(vec.Of[float64](v)[i])
	}
	return uint64(int64(vec.Of[int32](v)[i]))
}

func tupleAcc(a AggArgs, k tupleKind, lg, mode int, update func(tupleState, []*vec.Vector, int) error) (Accumulator, error) {
	size, s, err := tupleArgs(a.Call, k, lg, mode)
	if err != nil {
		return nil, err
	}
	return &objectAcc[tupleState]{fresh: func() tupleState { return tupleState{sketch.NewTuple(size), s} }, ret: a.Ret, update: update,
		merge: func(t tupleState, b []byte) error {
			c, err := sketch.ReadTuple(b, k.double)
			if err == nil {
				t.Union(c, s.Join)
			}
			return err
		},
		result: func(b *vec.Builder, t tupleState) error {
			b.AppendBytes(t.bytes())
			return nil
		}}, nil
}

func newTupleAgg(k tupleKind) func(AggArgs) (Accumulator, error) {
	return func(a AggArgs) (Accumulator, error) {
		col := collationOf(a.Args[0])
		var buf []byte
		return tupleAcc(a, k, 2, 3, func(t tupleState, args []*vec.Vector, i int) error {
			if h, ok := sketchHash(args[0], i, col, buf); ok {
				x := summaryAt(args[1], i)
				t.UpdateSum(h, t.sum.Join, t.sum.Start(x))
			}
			return nil
		})
	}
}

func newTupleUnion(k tupleKind) func(AggArgs) (Accumulator, error) {
	return func(a AggArgs) (Accumulator, error) {
		return tupleAcc(a, k, 1, 2, func(t tupleState, args []*vec.Vector, i int) error {
			c, err := sketch.ReadTuple(args[0].Bytes(i), k.double)
			if err != nil {
				return badTuple(a.Call, err)
			}
			t.Union(c, t.sum.Join)
			return nil
		})
	}
}

func newTupleIntersection(k tupleKind) func(AggArgs) (Accumulator, error) {
	return func(a AggArgs) (Accumulator, error) {
		_, sum, err := tupleArgs(a.Call, k, -1, 1)
		if err != nil {
			return nil, err
		}
		add := func(s *compactState, b []byte) error {
			c, err := sketch.ReadTuple(b, k.double)
			switch {
			case err != nil:
				return badTuple(a.Call, err)
			case s.c == nil:
				s.c = c
			default:
				s.c = sketch.Intersect(s.c, c, sum.Join)
			}
			return nil
		}
		return &objectAcc[*compactState]{fresh: func() *compactState { return &compactState{sum: &sum} }, ret: a.Ret,
			update: func(s *compactState, args []*vec.Vector, i int) error { return add(s, args[0].Bytes(i)) },
			merge:  add,
			result: func(b *vec.Builder, s *compactState) error {
				b.AppendBytes(s.bytes())
				return nil
			}}, nil
	}
}

// tupleBinary makes a kernel of an operation of a tuple sketch with another, or with a theta sketch.
func tupleBinary(k tupleKind, theta bool, lg, mode int, op func(a, b *sketch.Compact, size int, s sketch.Summary) *sketch.Compact) Kernel {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		size, s, err := tupleArgs(a.Call, k, lg, mode)
		if err != nil {
			return nil, false, err
		}
		x, err := sketch.ReadTuple(a.V[0].Bytes(i), k.double)
		if err != nil {
			return nil, false, badTuple(a.Call, err)
		}
		var y *sketch.Compact
		if theta {
			if y, err = sketch.ReadTheta(a.V[1].Bytes(i)); err != nil {
				return nil, false, badTheta(a.Call)
			}
			y = y.WithSum(s.Neutral())
		} else if y, err = sketch.ReadTuple(a.V[1].Bytes(i), k.double); err != nil {
			return nil, false, badTuple(a.Call, err)
		}
		return append(dst, op(x, y, size, s).TupleBytes(s)...), true, nil
	})
}

// tupleNumber makes a kernel of a number that a tuple sketch gives.
func tupleNumber[T vec.Fixed](k tupleKind, mode int, f func(c *sketch.Compact, s sketch.Summary) T) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		_, s, err := tupleArgs(a.Call, k, -1, mode)
		if err != nil {
			return nil, err
		}
		out := make([]T, a.N)
		for i := range out {
			if a.skipped(i) {
				continue
			}
			c, err := sketch.ReadTuple(a.V[0].Bytes(i), k.double)
			if err != nil {
				return nil, badTuple(a.Call, err)
			}
			out[i] = f(c, s)
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

// optional makes overloads of all lengths from need parameters on.
func optional(need int, ret retFn, k Kernel, p ...Accept) []Overload {
	var o []Overload
	for n := need; n <= len(p); n++ {
		o = append(o, Overload{Params: p[:n:n], Ret: ret, Eval: k})
	}
	return o
}

// withDefaults is a Pretty that shows what isn't given of the constants at the end.
func withDefaults(name string, n int, defs ...string) func([]string) string {
	return func(args []string) string {
		for i := len(args) - n; i >= 0 && i < len(defs); i++ {
			args = append(args, defs[i])
		}
		return name + "(" + strings.Join(args, ", ") + ")"
	}
}

func tupleFunctions() []Def {
	modeP := Accept{Types: []*types.Type{types.StringType}}
	sizeP := int32P
	bin := gives(types.BinaryType)
	var out []Def
	for _, k := range tupleKinds {
		value := "1.0D"
		three := "6.0"
		if !k.double {
			value, three = "1", "6"
		}
		made := "tuple_sketch_agg_" + k.name
		estimate := "tuple_sketch_estimate_" + k.name
		lit := func(n int) string { return strings.Replace(value, "1", strconv.Itoa(n), 1) }
		rows := "FROM VALUES (1, " + lit(1) + ", 4), (2, " + lit(2) + ", 1), (3, " + lit(3) + ", 2) tab(a, x, b)"
		two := "SELECT " + estimate + "(%s(" + made + "(a, x), " + made + "(b, x))) " + rows
		mixed := "SELECT " + estimate + "(%s(" + made + "(a, x), theta_sketch_agg(b))) " + rows
		each := "SELECT " + estimate + "(%s(sketch)) FROM (SELECT " + made + "(a, x) AS sketch " + rows + " UNION ALL SELECT " + made + "(b, x) AS sketch " + rows + ")"
		empty := sketch.NewTuple(sketch.MinLgNom).Compact().TupleBytes(sketch.Summary{})
		check := func(o []Overload, ret *types.Type, lg, mode int) {
			for i := range o {
				o[i].RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
					null := false
					for _, a := range c.Args {
						null = null || a.Nullable()
					}
					_, _, err := tupleArgs(c, k, lg, mode)
					return ret, null && c.Kind == plan.FnScalar, err
				}
			}
		}
		agg := func(name, usage, sql, want string, need int, p []Accept, new func(AggArgs) (Accumulator, error), defs ...string) {
			d := aggDef(Def{Name: name + k.name, Since: "4.2.0", Usage: usage, Nulls: NullNever, Overloads: optional(need, nil, nil, p...), Examples: []Example{{strings.Replace(sql, "%s", name+k.name, 1), want}}},
				retConst(types.BinaryType), AggDef{State: stateConst(types.BinaryType), New: new, Empty: empty})
			d.Pretty = withDefaults(d.Name, need, defs...)
			lg := -1
			if len(defs) == 2 {
				lg = need
			}
			check(d.Overloads, types.BinaryType, lg, need+len(defs)-1)
			out = append(out, d)
		}
		def := func(name, usage, sql, want string, need int, o []Overload, defs ...string) {
			d := Def{Name: name + k.name, Since: "4.2.0", Group: "sketch_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o, Examples: []Example{{strings.Replace(sql, "%s", name+k.name, 1), want}}}
			d.Pretty = withDefaults(d.Name, need, defs...)
			if len(defs) > 0 {
				t, _ := o[0].Ret(nil)
				lg := -1
				if len(defs) == 2 {
					lg = need
				}
				check(d.Overloads, t, lg, need+len(defs)-1)
			}
			out = append(out, d)
		}
		agg("tuple_sketch_agg_", "Summarizes the different keys of a group, each with a number that `mode` makes of its values, as a tuple sketch.",
			"SELECT "+estimate+"(%s(a, x)) "+rows, "3.0", 2, params(sketchValueP, Accept{Types: []*types.Type{k.typ}}, sizeP, modeP), newTupleAgg(k), "12", "sum")
		agg("tuple_union_agg_", "Merges tuple sketches; `mode` makes one of a key's numbers.", each, "4.0", 1, params(exactBinaryP, sizeP, modeP), newTupleUnion(k), "12", "sum")
		agg("tuple_intersection_agg_", "Intersects tuple sketches; `mode` makes one of a key's numbers.", each, "2.0", 1, params(exactBinaryP, modeP), newTupleIntersection(k), "sum")
		union := func(a, b *sketch.Compact, size int, s sketch.Summary) *sketch.Compact {
			t := sketch.NewTuple(size)
			t.Union(a, s.Join)
			t.Union(b, s.Join)
			return t.Compact()
		}
		both := func(a, b *sketch.Compact, _ int, s sketch.Summary) *sketch.Compact {
			return sketch.Intersect(a, b, s.Join)
		}
		less := func(a, b *sketch.Compact, _ int, _ sketch.Summary) *sketch.Compact { return sketch.Without(a, b) }
		for _, theta := range []bool{false, true} {
			mid, sql, with := "", two, "a second"
			if theta {
				mid, sql, with = "theta_", mixed, "a theta sketch, whose keys have the number that changes no other"
			}
			def("tuple_union_"+mid, "Merges a tuple sketch with "+with+".", sql, "4.0", 2,
				optional(2, bin, tupleBinary(k, theta, 2, 3, union), exactBinaryP, exactBinaryP, sizeP, modeP), "12", "sum")
			def("tuple_intersection_"+mid, "Intersects a tuple sketch with "+with+".", sql, "2.0", 2,
				optional(2, bin, tupleBinary(k, theta, -1, 2, both), exactBinaryP, exactBinaryP, modeP), "sum")
			def("tuple_difference_"+mid, "Leaves the keys of a tuple sketch that "+with+" doesn't have.", sql, "1.0", 2,
				optional(2, bin, tupleBinary(k, theta, -1, -1, less), exactBinaryP, exactBinaryP))
		}
		def("tuple_sketch_estimate_", "Estimates the number of different keys of a tuple sketch.", "SELECT %s("+made+"(a, x)) "+rows, "3.0", 1,
			optional(1, gives(types.Float64Type), tupleNumber(k, -1, func(c *sketch.Compact, _ sketch.Summary) float64 { return c.Estimate() }), exactBinaryP))
		def("tuple_sketch_theta_", "Gives the share of all hashes that a tuple sketch keeps.", "SELECT %s("+made+"(a, x)) "+rows, "1.0", 1,
			optional(1, gives(types.Float64Type), tupleNumber(k, -1, func(c *sketch.Compact, _ sketch.Summary) float64 { return float64(c.Theta) / math.MaxInt64 }), exactBinaryP))
		total, ret := tupleNumber(k, 1, func(c *sketch.Compact, s sketch.Summary) int64 {
			var sum int64
			for i, x := range c.Sum {
				switch y := int64(x); {
				case s.Mode == sketch.AlwaysOne:
					sum++
				case s.Mode == sketch.Sum:
					sum += y
				case i == 0, s.Mode == sketch.Min && y < sum, s.Mode == sketch.Max && y > sum:
					sum = y
				}
			}
			return sum
		}), types.Int64Type
		if k.double {
			total, ret = tupleNumber(k, 1, func(c *sketch.Compact, s sketch.Summary) float64 {
				if s.Mode == sketch.AlwaysOne {
					return float64(len(c.Sum))
				}
				x, _ := c.Total(s)
				return math.Float64frombits(x)
			}), types.Float64Type
		}
		def("tuple_sketch_summary_", "Makes one number of the numbers of all keys of a tuple sketch, as `mode` says.", "SELECT %s("+made+"(a, x)) "+rows, three, 1,
			optional(1, gives(ret), total, exactBinaryP, modeP), "sum")
	}
	return out
}
