package expr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"testing"
	"time"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

var conf = &fn.Conf{TimeZone: time.UTC, ANSI: true}

func lit(t *types.Type, v any) *plan.Literal { return &plan.Literal{T: t, Value: v} }
func i32(v int32) *plan.Literal              { return lit(types.Int32Type, v) }
func str(s string) *plan.Literal             { return lit(types.StringType, s) }
func dec(p, s int, v int64) *plan.Literal    { return lit(types.NewDecimal(p, s), types.I128(v)) }

// mk resolves a call by the table, as the analyzer does once arguments are coerced.
func mk(t *testing.T, name string, args ...plan.Expr) *plan.Call {
	t.Helper()
	c := &plan.Call{Name: name, Args: args, Kind: plan.FnScalar, Null: true}
	d := fn.Lookup(name)
	if d == nil {
		t.Fatalf("no function %s", name)
	}
	ts := make([]*types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	o := d.Pick(ts)
	if o == nil {
		t.Fatalf("no overload of %s for %v", name, ts)
	}
	var err error
	if o.RetExpr != nil {
		c.T, c.Null, err = o.RetExpr(c)
	} else {
		c.T, err = o.Ret(ts)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func text(t *testing.T, e plan.Expr) string {
	t.Helper()
	l, err := Fold(e, conf)
	if err != nil {
		if x, ok := errs.As(err); ok {
			return "!" + x.Condition
		}
		return "!" + err.Error()
	}
	v, err := vec.Repeat(l.T, l.Value, 1)
	if err != nil {
		t.Fatal(err)
	}
	if v.IsNull(0) {
		return "NULL"
	}
	return string(fn.AppendText(nil, v, 0, time.UTC))
}

func castTo(e plan.Expr, to *types.Type, m plan.EvalMode) plan.Expr {
	return &plan.Cast{Child: e, To: to, Mode: m}
}

func mode(c *plan.Call, m plan.EvalMode) *plan.Call { c.Mode = m; return c }

func TestFunctions(t *testing.T) {
	min32, max8 := i32(-2147483648), lit(types.Int8Type, int8(127))
	null := lit(types.Int32Type, nil)
	date := func(s string) plan.Expr { return castTo(str(s), types.DateType, plan.ANSI) }
	ts := func(s string) plan.Expr { return castTo(str(s), types.TimestampType, plan.ANSI) }
	f64 := func(f float64) plan.Expr { return lit(types.Float64Type, f) }
	for _, c := range []struct {
		e    plan.Expr
		want string
	}{
		{mk(t, "+", i32(1), i32(2)), "3"},
		{mk(t, "-", min32, i32(1)), "!ARITHMETIC_OVERFLOW"},
		{mode(mk(t, "-", min32, i32(1)), plan.Legacy), "2147483647"},
		{mk(t, "try_subtract", min32, i32(1)), "NULL"},
		{mk(t, "+", max8, lit(types.Int8Type, int8(1))), "!BINARY_ARITHMETIC_OVERFLOW"},
		{mk(t, "*", lit(types.Int64Type, int64(1)<<62), lit(types.Int64Type, int64(2))), "!ARITHMETIC_OVERFLOW"},
		{mk(t, "*", lit(types.Int64Type, int64(-1)<<62), lit(types.Int64Type, int64(2))), "-9223372036854775808"},
		{mk(t, "/", f64(1), f64(0)), "!DIVIDE_BY_ZERO"},
		{mode(mk(t, "/", f64(1), f64(0)), plan.Legacy), "NULL"},
		{mk(t, "%", i32(-7), i32(3)), "-1"}, {mk(t, "pmod", i32(-7), i32(3)), "2"}, {mk(t, "%", i32(1), i32(0)), "!REMAINDER_BY_ZERO"},
		{mk(t, "%", min32, i32(-1)), "0"},
		{mk(t, "+", null, i32(1)), "NULL"},
		{mk(t, "+", dec(15, 2, 150), dec(10, 4, 25000)), "4.0000"},
		{mk(t, "*", dec(15, 2, 12345), dec(16, 2, 95)), "117.2775"},
		{mk(t, "/", dec(15, 2, 100), dec(15, 2, 300)), "0.333333333333333333"},
		{mk(t, "%", dec(5, 2, 750), dec(5, 1, 20)), "1.50"},
		{mk(t, "=", f64(nan()), f64(nan())), "true"}, {mk(t, ">", f64(nan()), f64(1e300)), "true"},
		{mk(t, "<=>", null, null), "true"}, {mk(t, "<=>", null, i32(1)), "false"},
		{mk(t, "in", i32(1), i32(2), null), "NULL"}, {mk(t, "in", i32(2), i32(2), null), "true"},
		{mk(t, "greatest", i32(3), null, i32(7)), "7"},
		{mk(t, "coalesce", null, i32(4)), "4"},
		{mk(t, "and", lit(types.BoolType, false), lit(types.BoolType, nil)), "false"},
		{mk(t, "or", lit(types.BoolType, nil), lit(types.BoolType, true)), "true"},
		{mk(t, "and", lit(types.BoolType, false), mk(t, "=", mk(t, "/", f64(1), f64(0)), f64(1))), "false"},
		{mk(t, "like", str("special packages requests"), str("%special%requests%")), "true"},
		{mk(t, "like", str("abc"), str("a_c")), "true"}, {mk(t, "like", str("aéc"), str("a_c")), "true"}, {mk(t, "like", str("abbc"), str("%b_c")), "true"},
		{mk(t, "like", str("abc"), str("a%d")), "false"}, {mk(t, "like", str("aa"), str("a%a%a")), "false"}, {mk(t, "like", str("50%"), str(`50\%`)), "true"},
		{mk(t, "like", str(""), str("%")), "true"}, {mk(t, "like", str("x"), str("")), "false"}, {mk(t, "like", str("x"), str(`a\`)), "!INVALID_FORMAT.ESC_AT_THE_END"},
		{mk(t, "rlike", str("aab"), str("a+b")), "true"}, {mk(t, "rlike", str("foobar"), str("foo(?=bar)")), "true"},
		{mk(t, "substring", str("Spark SQL"), i32(5), i32(3)), "k S"}, {mk(t, "substring", str("Spark"), i32(-3)), "ark"},
		{mk(t, "substring", str("Spärk"), i32(3), i32(2)), "är"}, {mk(t, "substring", str("abc"), i32(0), i32(2)), "ab"}, {mk(t, "substring", str("abc"), i32(-5), i32(3)), "a"},
		{mk(t, "upper", str("straße")), "STRASSE"}, {mk(t, "lpad", str("hi"), i32(5), str("ab")), "abahi"}, {mk(t, "trim", str("  x ")), "x"},
		{mk(t, "concat", str("a"), str("b"), str("c")), "abc"}, {mk(t, "instr", str("SparkSQL"), str("SQL")), "6"},
		{mk(t, "year", date("1998-12-01")), "1998"}, {mk(t, "weekofyear", date("2021-01-03")), "53"}, {mk(t, "dayofweek", date("2009-07-30")), "5"},
		{mk(t, "add_months", date("2016-08-31"), i32(1)), "2016-09-30"}, {mk(t, "date_sub", date("1998-12-01"), i32(90)), "1998-09-02"},
		{mk(t, "datediff", date("2009-07-31"), date("2009-07-30")), "1"}, {mk(t, "last_day", date("2024-02-01")), "2024-02-29"},
		{mk(t, "trunc", date("2019-08-04"), str("week")), "2019-07-29"}, {mk(t, "hour", ts("2009-07-30 12:58:59")), "12"},
		{mk(t, "months_between", ts("1997-02-28 10:30:00"), ts("1996-10-30")), "3.94959677"},
		{mk(t, "subtract_dates", date("2020-03-01"), date("2020-02-01")), "INTERVAL '29' DAY"},
		{mk(t, "floor", dec(5, 2, -110)), "-2"}, {mk(t, "ceil", f64(1.2)), "2"}, {mk(t, "round", dec(5, 2, 250), i32(0)), "3"}, {mk(t, "bround", f64(2.5)), "2.0"},
		{mk(t, "round", f64(1.005), i32(2)), "1.01"}, {mk(t, "round", i32(1255), i32(-2)), "1300"},
		{mk(t, "&", i32(3), i32(5)), "1"}, {mk(t, "shiftrightunsigned", i32(-1), i32(28)), "15"}, {mk(t, "ln", f64(0)), "NULL"},
		{mk(t, "element_at", mk(t, "array", i32(1), i32(2)), i32(3)), "!INVALID_ARRAY_INDEX_IN_ELEMENT_AT"}, {mk(t, "element_at", mk(t, "array", i32(1), i32(2)), i32(-1)), "2"},
		{mk(t, "map", str("a"), i32(1)), "{a -> 1}"}, {mk(t, "named_struct", str("x"), i32(1), str("y"), str("z")), "{1, z}"},
		{mk(t, "map", str("a"), i32(1), str("a"), i32(2)), "!DUPLICATED_MAP_KEY"}, {mk(t, "array", i32(1), null), "[1, null]"},
		{castTo(str(" 12 "), types.Int32Type, plan.ANSI), "12"}, {castTo(str("x"), types.Int32Type, plan.ANSI), "!CAST_INVALID_INPUT"},
		{castTo(str("1.9"), types.Int32Type, plan.ANSI), "!CAST_INVALID_INPUT"}, {castTo(str("1.9"), types.Int32Type, plan.Legacy), "1"}, {castTo(str("x"), types.Int32Type, plan.Try), "NULL"},
		{castTo(i32(300), types.Int8Type, plan.ANSI), "!CAST_OVERFLOW"}, {castTo(i32(300), types.Int8Type, plan.Legacy), "44"},
		{castTo(f64(1e10), types.Int32Type, plan.Legacy), "2147483647"}, {castTo(f64(nan()), types.Int32Type, plan.ANSI), "!CAST_OVERFLOW"},
		{castTo(f64(1.235), types.NewDecimal(10, 2), plan.ANSI), "1.24"}, {castTo(dec(5, 2, 12345), types.NewDecimal(4, 2), plan.ANSI), "!NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"},
		{castTo(f64(1e20), types.StringType, plan.ANSI), "1.0E20"}, {castTo(dec(9, 8, 1), types.StringType, plan.Legacy), "1E-8"},
		{castTo(str("2020-1-2 3:4:5+01:00"), types.TimestampType, plan.ANSI), "2020-01-02 02:04:05"}, {castTo(ts("2020-01-02 03:00:00"), types.DateType, plan.ANSI), "2020-01-02"},
		{castTo(lit(types.BoolType, true), types.Int32Type, plan.ANSI), "1"}, {castTo(str("yes"), types.BoolType, plan.ANSI), "true"},
		{castTo(mk(t, "array", str("1"), str("2")), types.NewArray(types.Int32Type, true), plan.ANSI), "[1, 2]"},
		{castTo(str("1-2"), types.YearMonthType, plan.ANSI), "INTERVAL '1-2' YEAR TO MONTH"},
		{castTo(str("1 day 2 hours"), types.CalendarType, plan.ANSI), "1 days 2 hours"},
		{&plan.Case{When: []plan.Expr{mk(t, "=", i32(1), i32(2))}, Then: []plan.Expr{mk(t, "/", f64(1), f64(0))}, Else: f64(5)}, "5.0"},
	} {
		if got := text(t, c.e); got != c.want {
			k, _ := key(c.e)
			t.Errorf("%s: %s, want %s", k, got, c.want)
		}
	}
}

func nan() float64 { z := 0.0; return z / z }

func randomBatch(r *rand.Rand, n int) *vec.Batch {
	cols := []*types.Type{types.Int32Type, types.Int32Type, types.NewDecimal(15, 2), types.StringType, types.Float64Type}
	b := &vec.Batch{N: n}
	for c, t := range cols {
		bl := vec.NewBuilder(t, n)
		for range n {
			if r.IntN(7) == 0 {
				bl.AppendNull()
				continue
			}
			var v any
			switch c {
			case 0, 1:
				v = int32(r.IntN(20) - 10)
			case 2:
				v = types.I128(int64(r.IntN(2000) - 1000))
			case 3:
				v = fmt.Sprint("s", r.IntN(30), "x")
			case 4:
				v = float64(r.IntN(10))
			}
			if err := bl.AppendValue(v); err != nil {
				panic(err)
			}
		}
		b.Cols = append(b.Cols, bl.Finish())
	}
	return b
}

// exprs are expressions over randomBatch's columns; the divisions are guarded.
func exprs(t *testing.T) []plan.Expr {
	a := &plan.Bound{Index: 0, T: types.Int32Type, Null: true}
	b := &plan.Bound{Index: 1, T: types.Int32Type, Null: true}
	d := &plan.Bound{Index: 2, T: types.NewDecimal(15, 2), Null: true}
	s := &plan.Bound{Index: 3, T: types.StringType, Null: true}
	f := &plan.Bound{Index: 4, T: types.Float64Type, Null: true}
	ratio := mk(t, "/", castTo(a, types.Float64Type, plan.ANSI), castTo(b, types.Float64Type, plan.ANSI))
	zero := i32(0)
	return []plan.Expr{
		mk(t, "+", a, b), mk(t, "*", d, mk(t, "-", dec(1, 0, 1), d)), mk(t, "<", a, b), mk(t, ">=", a, i32(3)), mk(t, "not", mk(t, "=", s, str("s3x"))),
		mk(t, "and", mk(t, "not", mk(t, "=", b, zero)), mk(t, ">", ratio, lit(types.Float64Type, 1.0))),
		mk(t, "or", mk(t, "=", b, zero), mk(t, ">", ratio, lit(types.Float64Type, 1.0))),
		&plan.Case{When: []plan.Expr{mk(t, "=", b, zero), mk(t, "isnull", b)}, Then: []plan.Expr{f, f}, Else: ratio},
		&plan.Case{When: []plan.Expr{mk(t, "like", s, str("%1%"))}, Then: []plan.Expr{mk(t, "upper", s)}, Else: mk(t, "substring", s, i32(2))},
		mk(t, "coalesce", a, b, zero), mk(t, "in", s, str("s1x"), str("s2x"), str("s30x")), mk(t, "in", a, i32(1), lit(types.Int32Type, nil)),
		mk(t, "and", mk(t, "and", mk(t, ">", a, i32(-5)), mk(t, "<=", d, dec(15, 2, 500))), mk(t, "like", s, str("s_x"))),
		mk(t, "greatest", a, b), castTo(d, types.StringType, plan.ANSI), castTo(a, types.NewDecimal(20, 3), plan.ANSI), mk(t, "<=>", a, b), mk(t, ">", i32(2), a),
		mk(t, "<", f, lit(types.Float64Type, 5.0)), mk(t, "isnotnull", s), mk(t, ">", s, str("s2")),
	}
}

func same(t *testing.T, what string, x, y *vec.Vector) {
	t.Helper()
	if x.N != y.N {
		t.Fatalf("%s: %d values and %d", what, x.N, y.N)
	}
	for i := range x.N {
		if p, q := fmt.Sprint(x.Value(i)), fmt.Sprint(y.Value(i)); p != q {
			t.Fatalf("%s: row %d is %s and %s", what, i, p, q)
		}
	}
}

func TestSelectionMakesNoDifference(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	env := NewEnv(conf, 0, nil)
	list := exprs(t)
	all, err := CompileAll(list, env)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		b := randomBatch(r, 1+r.IntN(300))
		for i := range b.N {
			if r.IntN(2) == 0 {
				b.Sel = append(b.Sel, int32(i))
			}
		}
		if b.Sel != nil {
			b.N = len(b.Sel)
		}
		for i, e := range list {
			name, _ := key(e)
			one, err := Compile(e, env)
			if err != nil {
				t.Fatal(err)
			}
			x, err := one.Eval(b)
			if err != nil {
				t.Fatal(name, err)
			}
			y, err := one.Eval(b.Compact())
			if err != nil {
				t.Fatal(name, err)
			}
			same(t, name, x, y)
			z, err := all[i].Eval(b)
			if err != nil {
				t.Fatal(name, err)
			}
			same(t, "shared "+name, x, z)
			if e.Type().Kind != types.Bool {
				continue
			}
			p, err := CompilePredicate(e, env)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Select(b)
			if err != nil {
				t.Fatal(name, err)
			}
			var want []int32
			for k := range x.N {
				if v, _ := x.Value(k).(bool); v {
					if b.Sel != nil {
						want = append(want, b.Sel[k])
					} else {
						want = append(want, int32(k))
					}
				}
			}
			sel := got.Sel
			if sel == nil {
				sel = allRows(got.N)
			}
			if fmt.Sprint(sel[:got.N]) != fmt.Sprint(want) {
				t.Fatalf("%s selects %v, want %v", name, sel, want)
			}
		}
	}
}

func TestLambdaSeesElementAndOuterColumn(t *testing.T) {
	x := &plan.LambdaVar{Name: "x", ID: plan.NewID(), T: types.Int32Type}
	body := mk(t, "+", x, &plan.Bound{Index: 0, T: types.Int32Type})
	c := &compiler{env: NewEnv(conf, 0, nil), round: &round{}}
	owner := &call{batch: &vec.Batch{N: 2, Cols: []*vec.Vector{vec.FromSlice(types.Int32Type, []int32{10, 20}, nil)}}}
	f, err := c.lambdaFn(&plan.Lambda{Body: body, Args: []*plan.LambdaVar{x}}, owner)
	if err != nil {
		t.Fatal(err)
	}
	v, err := f([]*vec.Vector{vec.FromSlice(types.Int32Type, []int32{1, 2, 3}, nil)}, []int32{0, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(vec.Of[int32](v)); got != "[11 12 23]" {
		t.Errorf("got %s", got)
	}
}

func TestAllocationsDoNotGrowWithRows(t *testing.T) {
	env := NewEnv(conf, 0, nil)
	d := &plan.Bound{Index: 2, T: types.NewDecimal(15, 2), Null: true}
	e, err := Compile(mk(t, "*", d, mk(t, "-", dec(1, 0, 1), d)), env)
	if err != nil {
		t.Fatal(err)
	}
	b := randomBatch(rand.New(rand.NewPCG(7, 8)), 4096)
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a run of the collector would empty pools
	n := math.Inf(1)
	for range 10 { // all goroutines' allocations are counted: what others do meanwhile can only add to ours
		n = min(n, testing.AllocsPerRun(20, func() {
			if _, err := e.Eval(b); err != nil {
				t.Fatal(err)
			}
		}))
	}
	if n > 12 {
		t.Errorf("%v allocations for a batch", n)
	}
}

func BenchmarkQ6Predicate(b *testing.B) {
	env := NewEnv(conf, 0, nil)
	col := &plan.Bound{Index: 0, T: types.Int32Type}
	ge := &plan.Call{Name: ">=", Args: []plan.Expr{col, i32(-3)}, T: types.BoolType}
	lt := &plan.Call{Name: "<", Args: []plan.Expr{col, i32(3)}, T: types.BoolType}
	p, err := CompilePredicate(&plan.Call{Name: "and", Args: []plan.Expr{ge, lt}, T: types.BoolType}, env)
	if err != nil {
		b.Fatal(err)
	}
	batch := randomBatch(rand.New(rand.NewPCG(1, 1)), vec.DefaultRows)
	for b.Loop() {
		if _, err := p.Select(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/vec.DefaultRows, "ns/row")
}
