package fn

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// percents are the percentages that a call asks for, and whether it wants an array.
func percents(c *plan.Call, at int) (ps []float64, list bool, err error) {
	e := c.Args[at]
	v, ok := constant(e)
	if !ok {
		return nil, false, foldable(c, "percentage", types.Float64Type, e)
	}
	if v == nil {
		er := errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNEXPECTED_NULL", "exprName", "percentage", "sqlExpr", errs.Quote(c.Name))
		er.State, er.Text = "42K09", "The percentage of "+c.Name+" must not be null."
		return nil, false, er.At(c.Pos())
	}
	vals, list := v.([]any)
	if !list {
		vals = []any{v}
	}
	for _, x := range vals {
		f, ok := number(x, elemOf(e.Type()))
		if !ok || f < 0 || f > 1 || f != f {
			er := errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", "percentage", "valueRange", "[0.0, 1.0]",
				"currentValue", valueTexts(vals, elemOf(e.Type())), "sqlExpr", errs.Quote(c.Name))
			er.State, er.Text = "42K09", "The percentage of "+c.Name+" must be within [0.0, 1.0]."
			return nil, false, er.At(c.Pos())
		}
		ps = append(ps, f)
	}
	return ps, list, nil
}

// valueTexts lists doubles as Spark writes literals in SQL: 0.5D,2.0D.
func valueTexts(vals []any, t *types.Type) string {
	s := make([]string, len(vals))
	for i, v := range vals {
		s[i] = "NULL"
		if f, ok := number(v, t); ok {
			s[i] = aggFloatText(f) + "D"
		}
	}
	return strings.Join(s, ",")
}

// checkAccuracy checks the third argument of percentile_approx, which is a positive INT.
func checkAccuracy(c *plan.Call) error {
	if c.Name != "percentile_approx" || len(c.Args) < 3 {
		return nil
	}
	e := c.Args[2]
	v, ok := constant(e)
	if !ok {
		free := false
		plan.Walk(e, func(x plan.Expr) bool {
			_, col := x.(*plan.Attr)
			free = free || col
			return !free
		})
		if free {
			return foldable(c, "accuracy", e.Type(), e)
		}
		return nil // a constant, which as the answer is exact needn't be known
	}
	if v == nil {
		er := errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNEXPECTED_NULL", "exprName", "accuracy", "sqlExpr", errs.Quote(c.Name))
		er.State, er.Text = "42K09", "The accuracy of "+c.Name+" must not be null."
		return er.At(c.Pos())
	}
	if f, num := number(v, e.Type()); num && (f < 1 || f > math.MaxInt32) {
		er := errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", "accuracy", "valueRange", "(0, 2147483647]",
			"currentValue", strconv.FormatInt(int64(f), 10)+"L", "sqlExpr", errs.Quote(c.Name))
		er.State, er.Text = "42K09", "The accuracy of "+c.Name+" must be within (0, 2147483647]."
		return er.At(c.Pos())
	}
	return nil
}

// percentileKind is how a percentile picks between values.
type percentileKind uint8

const (
	interpolate percentileKind = iota // percentile, median, percentile_cont
	discrete                          // percentile_disc
	approximate                       // percentile_approx: computed exactly, so well within any accuracy
)

// newPercentile makes the accumulator of all of them. Values are sorted at the end.
func newPercentile(a AggArgs, kind percentileKind, value, percent, freq int) (Accumulator, error) {
	ps, list := []float64{0.5}, false
	if percent >= 0 {
		var err error
		if ps, list, err = percents(a.Call, percent); err != nil {
			return nil, err
		}
	}
	desc := value == len(a.Call.Args) && a.Call.Order[0].Desc
	keep := []*types.Type{a.Args[value]}
	skip := 1
	if freq >= 0 {
		keep = append(keep, a.Args[freq])
		skip = 2
	}
	acc := &percentileAcc{value: value, freq: freq}
	acc.valueLog, acc.ret = newLog(a.Env, keep, skip, false), a.Ret
	elem := elemOf(a.Ret)
	cmp := zerosApart(keep[0], desc)
	if desc {
		up := cmp
		cmp = func(a *vec.Vector, i int, b *vec.Vector, j int) int { return up(b, j, a, i) }
	}
	acc.finish = func(out *vec.Builder, vals []*vec.Vector, idx []int32) error {
		v := vals[0]
		var cum []int64 // by sorted value, the count up to it
		if err := sortSteps(idx, func(x, y int32) int { return cmp(v, int(x), v, int(y)) }, a.Env.Yield); err != nil {
			return err
		}
		total := int64(len(idx))
		if freq >= 0 {
			total = 0
			for _, i := range idx {
				f, _ := number(vals[1].Value(int(i)), vals[1].Type)
				if f < 0 {
					e := errs.New(errs.Runtime, "NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION", "frequencyExpression", errs.Quote(frequencyText(a.Call.Args[freq])),
						"negativeValue", strconv.FormatInt(int64(f), 10)+"L")
					return e.At(a.Call.Pos())
				}
				total += int64(f)
				cum = append(cum, total)
			}
		}
		if total == 0 || list && len(ps) == 0 {
			out.AppendNull()
			return nil
		}
		at := func(rank int64) int { // the value of 0-based rank
			if cum == nil {
				return int(idx[rank])
			}
			k, _ := slices.BinarySearch(cum, rank+1)
			return int(idx[k])
		}
		dst := out
		if list {
			dst = out.Child(0)
		}
		for _, p := range ps {
			switch kind {
			case approximate:
				rank := max(int64(math.Ceil(p*float64(total)))-1, 0)
				k := at(min(rank, total-1))
				if throughDouble(v.Type) {
					appendNumber(dst, v.Type, doubleAt(v, k))
				} else {
					dst.AppendRows(v, []int32{int32(k)})
				}
			default:
				var x float64
				if kind == discrete {
					rank := max(int64(math.Ceil(p*float64(total)))-1, 0)
					x = doubleAt(v, at(min(rank, total-1)))
				} else {
					pos := float64(total-1) * p
					lo, hi := int64(math.Floor(pos)), int64(math.Ceil(pos))
					l, h := doubleAt(v, at(lo)), 0.0
					if lo == hi {
						x = l
					} else if h = doubleAt(v, at(hi)); l == h {
						x = l
					} else {
						x = l + float64((h-l)*(pos-float64(lo)))
					}
				}
				switch elem.Kind {
				case types.YearMonthInterval:
					vec.Append(dst, int32(x))
				case types.DayTimeInterval, types.Time:
					vec.Append(dst, javaLong(x))
				default:
					vec.Append(dst, x)
				}
			}
		}
		if list {
			out.EndList(len(ps))
		}
		return nil
	}
	return acc, nil
}

func frequencyText(e plan.Expr) string {
	if v, ok := constant(e); ok {
		if f, num := number(v, e.Type()); num {
			return strconv.FormatInt(int64(f), 10)
		}
	}
	return exprName(e)
}

// throughDouble: values of t aren't all doubles, which is what Spark keeps of them.
func throughDouble(t *types.Type) bool {
	l := vec.LayoutOf(t)
	return l == vec.I64 || l == vec.I128 || t.Kind == types.Decimal
}

func doubleAt(v *vec.Vector, i int) float64 { return doubles(v.Slice(i, i+1))[0] }

// percentileAcc passes on the columns that matter.
type percentileAcc struct {
	finishAcc
	value, freq int
}

func (a *percentileAcc) Update(group []int32, args []*vec.Vector, n int) error {
	keep := []*vec.Vector{args[a.value]}
	if a.freq >= 0 {
		keep = append(keep, args[a.freq])
	}
	return a.valueLog.Update(group, keep, n)
}

// histAcc is histogram_numeric(x, bins): the on-line histogram of Ben-Haim and
// Tom-Tov (JMLR 11, 2010), as an array of centres and heights.
func newHistogram(a AggArgs) (Accumulator, error) {
	v, ok := constant(a.Call.Args[1])
	bins, num := number(v, a.Args[1])
	if !ok || !num || bins < 2 {
		e := errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", "nb", "valueRange", "[2, 2147483647]",
			"currentValue", strings.TrimSuffix(valueTexts([]any{v}, a.Args[1]), "D"), "sqlExpr", errs.Quote(a.Call.Name))
		e.State, e.Text = "42K09", "The number of bins of histogram_numeric must be a constant of at least 2."
		return nil, e.At(a.Call.Pos())
	}
	acc := &percentileAcc{value: 0, freq: -1}
	acc.valueLog, acc.ret = newLog(a.Env, a.Args[:1], 1, false), a.Ret
	xt := a.Ret.Elem.Fields[0].Type
	acc.finish = func(out *vec.Builder, vals []*vec.Vector, idx []int32) error {
		if len(idx) == 0 {
			out.AppendNull()
			return nil
		}
		type bin struct{ x, y float64 }
		var h []bin
		for _, i := range idx {
			x := doubleAt(vals[0], int(i))
			k, found := slices.BinarySearchFunc(h, x, func(b bin, x float64) int {
				switch {
				case b.x < x:
					return -1
				case b.x > x:
					return 1
				}
				return 0
			})
			if found {
				h[k].y++
				continue
			}
			h = slices.Insert(h, k, bin{x, 1})
			if float64(len(h)) > bins {
				best := 0
				for j := 1; j+1 < len(h); j++ {
					if h[j+1].x-h[j].x < h[best+1].x-h[best].x {
						best = j
					}
				}
				l, r := h[best], h[best+1]
				h[best] = bin{(l.x*l.y + r.x*r.y) / (l.y + r.y), l.y + r.y}
				h = slices.Delete(h, best+1, best+2)
			}
		}
		rows := out.Child(0)
		for _, b := range h {
			appendNumber(rows.Child(0), xt, b.x)
			vec.Append(rows.Child(1), b.y)
			rows.EndGroup()
		}
		out.EndList(len(h))
		return nil
	}
	return acc, nil
}

func appendNumber(b *vec.Builder, t *types.Type, x float64) {
	switch vec.LayoutOf(t) {
	case vec.I8:
		vec.Append(b, int8(x))
	case vec.I16:
		vec.Append(b, int16(x))
	case vec.I32:
		vec.Append(b, int32(x))
	case vec.F32:
		vec.Append(b, float32(x))
	case vec.F64:
		vec.Append(b, x)
	default:
		if t.Kind == types.Decimal {
			d, ok := decimalNear(x, t)
			switch {
			case !ok:
				b.AppendNull()
			case vec.LayoutOf(t) == vec.I128:
				vec.Append(b, d)
			default:
				vec.Append(b, int64(d.Lo))
			}
			return
		}
		vec.Append(b, javaLong(x))
	}
}

// decimalNear is the decimal that the shortest text of x says, rounded to the scale of t; ok is false where t has no place for it.
func decimalNear(x float64, t *types.Type) (types.Int128, bool) {
	d, r := types.ParseDecimal(strconv.FormatFloat(x, 'e', -1, 64), t.Scale)
	return d, r == types.DecimalOK && d.Fits(t.Precision)
}
