package fn

import (
	"math"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// momentsAcc keeps count, mean and central moments by Welford's and Chan's
// updates (Pébay, "Formulas for robust, one-pass parallel computation of
// covariances and arbitrary-order statistical moments", 2008), in the order of
// operations that Spark uses, so that the last digits agree.
type momentsAcc struct {
	order      int // highest moment: 2, 3 or 4
	n, avg     []float64
	m2, m3, m4 []float64
	finish     func(n, m2, m3, m4 float64) (float64, bool)
}

func (a *momentsAcc) Grow(g int) {
	a.n, a.avg, a.m2 = aggGrow(a.n, g), aggGrow(a.avg, g), aggGrow(a.m2, g)
	if a.order >= 3 {
		a.m3 = aggGrow(a.m3, g)
	}
	if a.order >= 4 {
		a.m4 = aggGrow(a.m4, g)
	}
}

func (a *momentsAcc) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[0]
	if v.Layout == vec.None {
		return nil
	}
	for i, x := range doubles(v)[:n] {
		if v.Null != nil && v.Null[i] {
			continue
		}
		g := group[i]
		newN := a.n[g] + 1
		delta := x - a.avg[g]
		deltaN := delta / newN
		a.n[g] = newN
		a.avg[g] += deltaN
		m2 := a.m2[g] + delta*(delta-deltaN)
		if a.order >= 3 {
			delta2, deltaN2 := delta*delta, deltaN*deltaN
			m3 := a.m3[g] - 3*deltaN*m2 + delta*(delta2-deltaN2)
			if a.order >= 4 {
				a.m4[g] = a.m4[g] - 4*deltaN*m3 - 6*deltaN2*m2 + delta*(delta*delta2-deltaN*deltaN2)
			}
			a.m3[g] = m3
		}
		a.m2[g] = m2
	}
	return nil
}

func (a *momentsAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	ns, avgs, m2s := vec.Of[float64](state[0]), vec.Of[float64](state[1]), vec.Of[float64](state[2])
	var m3s, m4s []float64
	if a.order >= 3 {
		m3s = vec.Of[float64](state[3])
	}
	if a.order >= 4 {
		m4s = vec.Of[float64](state[4])
	}
	for i := 0; i < n; i++ {
		g := group[i]
		n1, n2 := a.n[g], ns[i]
		if n2 == 0 {
			continue
		}
		sum := n1 + n2
		delta := avgs[i] - a.avg[g]
		deltaN := delta / sum
		a1, b1 := a.m2[g], m2s[i]
		if a.order >= 4 {
			a.m4[g] += m4s[i] + deltaN*deltaN*deltaN*delta*n1*n2*(n1*n1-n1*n2+n2*n2) +
				deltaN*deltaN*6*(n1*n1*b1+n2*n2*a1) + deltaN*4*(n1*m3s[i]-n2*a.m3[g])
		}
		if a.order >= 3 {
			a.m3[g] += m3s[i] + deltaN*deltaN*delta*n1*n2*(n1-n2) + deltaN*3*(n1*b1-n2*a1)
		}
		a.m2[g] = a1 + b1 + delta*deltaN*n1*n2
		a.avg[g] += deltaN * n2
		a.n[g] = sum
	}
	return nil
}

func (a *momentsAcc) State(from, to int) ([]*vec.Vector, error) {
	cols := [][]float64{a.n, a.avg, a.m2}
	if a.order >= 3 {
		cols = append(cols, a.m3)
	}
	if a.order >= 4 {
		cols = append(cols, a.m4)
	}
	return doubleVecs(cols, from, to), nil
}

func doubleVecs(cols [][]float64, from, to int) []*vec.Vector {
	out := make([]*vec.Vector, len(cols))
	for i, c := range cols {
		out[i] = fixedVec(types.Float64Type, c[from:to], nil)
	}
	return out
}

func (a *momentsAcc) Result(from, to int) (*vec.Vector, error) {
	out, has := make([]float64, to-from), make([]bool, to-from)
	for i := range out {
		g := from + i
		var m3, m4 float64
		if a.order >= 3 {
			m3 = a.m3[g]
		}
		if a.order >= 4 {
			m4 = a.m4[g]
		}
		if a.n[g] > 0 {
			out[i], has[i] = a.finish(a.n[g], a.m2[g], m3, m4)
		}
	}
	return vec.FromSlice(types.Float64Type, out, missing(has)), nil
}

func (a *momentsAcc) Size() int64 {
	return int64(cap(a.n)+cap(a.avg)+cap(a.m2)+cap(a.m3)+cap(a.m4)) * 8
}

func (a *momentsAcc) Reset() {
	a.n, a.avg, a.m2, a.m3, a.m4 = a.n[:0], a.avg[:0], a.m2[:0], a.m3[:0], a.m4[:0]
}

func stddevPop(n, m2, _, _ float64) (float64, bool) { return math.Sqrt(m2 / n), true }
func varPop(n, m2, _, _ float64) (float64, bool)    { return m2 / n, true }
func stddevSamp(n, m2, _, _ float64) (float64, bool) {
	return math.Sqrt(m2 / (n - 1)), n > 1
}
func varSamp(n, m2, _, _ float64) (float64, bool) { return m2 / (n - 1), n > 1 }
func skewness(n, m2, m3, _ float64) (float64, bool) {
	return math.Sqrt(n) * m3 / math.Sqrt(m2*m2*m2), m2 != 0
}
func kurtosis(n, m2, _, m4 float64) (float64, bool) { return n*m4/(m2*m2) - 3, m2 != 0 }

// pairAcc is what the statistics of two variables are made of: count, means,
// co-moment and the second moments of both. Rows where either is null don't count.
type pairAcc struct {
	n, x, y, c, xx, yy []float64
	swap               bool // regr_f(y, x): the first argument is y
	count              bool // regr_count
	finish             func(p pairStats) (float64, bool)
}

type pairStats struct{ n, x, y, c, xx, yy float64 }

func (a *pairAcc) cols() []*[]float64 { return []*[]float64{&a.n, &a.x, &a.y, &a.c, &a.xx, &a.yy} }

func (a *pairAcc) Grow(g int) {
	for _, c := range a.cols() {
		*c = aggGrow(*c, g)
	}
}

func (a *pairAcc) Update(group []int32, args []*vec.Vector, n int) error {
	if args[0].Layout == vec.None || args[1].Layout == vec.None {
		return nil
	}
	xs, ys := doubles(args[0]), doubles(args[1])
	if a.swap {
		xs, ys = ys, xs
	}
	null := anyNull(args, n)
	for i := 0; i < n; i++ {
		if null != nil && null[i] {
			continue
		}
		g := group[i]
		m := a.n[g] + 1
		dx, dy := xs[i]-a.x[g], ys[i]-a.y[g]
		nx, ny := a.x[g]+dx/m, a.y[g]+dy/m
		a.c[g] += dx * (ys[i] - ny)
		a.xx[g] += dx * (xs[i] - nx)
		a.yy[g] += dy * (ys[i] - ny)
		a.n[g], a.x[g], a.y[g] = m, nx, ny
	}
	return nil
}

func (a *pairAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	var s [6][]float64
	for i := range s {
		s[i] = vec.Of[float64](state[i])
	}
	for i := 0; i < n; i++ {
		n2 := s[0][i]
		if n2 == 0 {
			continue
		}
		g := group[i]
		n1 := a.n[g]
		sum := n1 + n2
		dx, dy := s[1][i]-a.x[g], s[2][i]-a.y[g]
		dxN, dyN := dx/sum, dy/sum
		a.c[g] += s[3][i] + dx*dyN*n1*n2
		a.xx[g] += s[4][i] + dx*dxN*n1*n2
		a.yy[g] += s[5][i] + dy*dyN*n1*n2
		a.x[g] += dxN * n2
		a.y[g] += dyN * n2
		a.n[g] = sum
	}
	return nil
}

func (a *pairAcc) State(from, to int) ([]*vec.Vector, error) {
	return doubleVecs([][]float64{a.n, a.x, a.y, a.c, a.xx, a.yy}, from, to), nil
}

func (a *pairAcc) Result(from, to int) (*vec.Vector, error) {
	if a.count {
		out := make([]int64, to-from)
		for i := range out {
			out[i] = int64(a.n[from+i])
		}
		return vec.FromSlice(types.Int64Type, out, nil), nil
	}
	out, has := make([]float64, to-from), make([]bool, to-from)
	for i := range out {
		g := from + i
		if a.n[g] > 0 {
			out[i], has[i] = a.finish(pairStats{a.n[g], a.x[g], a.y[g], a.c[g], a.xx[g], a.yy[g]})
		}
	}
	return vec.FromSlice(types.Float64Type, out, missing(has)), nil
}

func (a *pairAcc) Size() int64 { return int64(cap(a.n)) * 48 }

func (a *pairAcc) Reset() {
	for _, c := range a.cols() {
		*c = (*c)[:0]
	}
}

func covarPop(p pairStats) (float64, bool)  { return p.c / p.n, true }
func covarSamp(p pairStats) (float64, bool) { return p.c / (p.n - 1), p.n > 1 }
func corr(p pairStats) (float64, bool) {
	d := math.Sqrt(p.xx * p.yy)
	return p.c / d, p.n > 1 && d != 0
}
func regrAvgX(p pairStats) (float64, bool)  { return p.x, true }
func regrAvgY(p pairStats) (float64, bool)  { return p.y, true }
func regrSXX(p pairStats) (float64, bool)   { return p.xx, true }
func regrSYY(p pairStats) (float64, bool)   { return p.yy, true }
func regrSXY(p pairStats) (float64, bool)   { return p.c, true }
func regrSlope(p pairStats) (float64, bool) { return p.c / p.xx, p.xx != 0 && p.n > 1 }
func regrIntercept(p pairStats) (float64, bool) {
	return p.y - p.c/p.xx*p.x, p.xx != 0 && p.n > 1
}
func regrR2(p pairStats) (float64, bool) {
	if p.n < 2 || p.xx == 0 {
		return 0, false
	}
	if p.yy == 0 {
		return 1, true
	}
	r := p.c / math.Sqrt(p.xx*p.yy)
	return r * r, true
}
