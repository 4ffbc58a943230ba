package optimize

import (
	"maps"
	"math"
	"slices"

	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Cardinality estimation: rows, and for each column the size of its domain,
// its range and its share of nulls. Domains are those of the base tables: a
// condition on another column leaves them alone, which is what join
// selectivities need (keys of a filtered table are a subset of the other's).

// colStats are what is known of a column.
type colStats struct {
	ndv      float64 // distinct values in the domain; > 0
	guessed  bool    // ndv is a guess
	min, max float64 // NaN when unknown
	nulls    float64 // share
	width    float64 // bytes
	table    *table  // where it comes from; nil: it is computed
}

// table is a relation that columns come from. Columns of one have no more combinations than it has rows.
type table struct{ rows float64 }

// relStats are what is known of a relation.
type relStats struct {
	rows float64
	base float64 // rows before conditions
	cols map[plan.ExprID]colStats
}

// estimator remembers statistics per node of one planning.
type estimator struct{ memo map[plan.Node]*relStats }

func newEstimator() *estimator { return &estimator{memo: map[plan.Node]*relStats{}} }

const defaultRows = 1e6

func (e *estimator) of(n plan.Node) *relStats {
	if s, ok := e.memo[n]; ok {
		return s
	}
	s := e.compute(n)
	s.rows = math.Max(s.rows, 0)
	e.memo[n] = s
	return s
}

// bytes is the estimated size of a plan's rows.
func (e *estimator) bytes(n plan.Node) float64 {
	s := e.of(n)
	w := 8.0
	for _, a := range n.Output() {
		w += s.width(a)
	}
	return s.rows * w
}

func (s *relStats) width(a *plan.Attr) float64 {
	if c, ok := s.cols[a.ID]; ok && c.width > 0 {
		return c.width
	}
	return typeWidth(a.T)
}

func typeWidth(t *types.Type) float64 {
	l := vec.LayoutOf(t)
	switch l {
	case vec.Bytes:
		return 24
	case vec.List, vec.Group:
		return 64
	}
	return float64(max(1, l.Width()))
}

func (s *relStats) col(id plan.ExprID) colStats {
	if c, ok := s.cols[id]; ok {
		return c
	}
	return colStats{ndv: math.Max(1, math.Sqrt(math.Max(s.base, s.rows))), guessed: true, min: math.NaN(), max: math.NaN()}
}

// distinct is how many values of a domain of size ndv show up among rows.
func distinctAmong(ndv, rows float64) float64 {
	if ndv <= 1 {
		return 1
	}
	if rows >= ndv*20 {
		return ndv
	}
	return math.Max(1, ndv*(1-math.Exp(-rows/ndv)))
}

func (e *estimator) compute(n plan.Node) *relStats {
	switch x := n.(type) {
	case *plan.Relation:
		return relationStats(x)
	case *plan.LocalRelation:
		rows, known := localRows(x)
		if !known {
			rows = int64(len(x.Data)/64 + 1)
		}
		return &relStats{rows: float64(rows), base: float64(rows)}
	case *plan.OneRow:
		return &relStats{rows: 1, base: 1}
	case *plan.Range:
		rows := float64(rangeRows(x))
		c := colStats{ndv: math.Max(1, rows), min: float64(min(x.Start, x.End)), max: float64(max(x.Start, x.End)), width: 8, table: &table{rows}}
		return &relStats{rows: rows, base: rows, cols: map[plan.ExprID]colStats{x.Out[0].ID: c}}
	case *plan.Filter:
		s := e.of(x.Child)
		out := &relStats{rows: s.rows, base: s.base, cols: s.cols}
		agg, _ := x.Child.(*plan.Aggregate)
		for _, c := range split(x.Cond) {
			if agg != nil && s.having(c) {
				out.rows *= selHaving
				continue
			}
			out.rows *= out.selectivity(c)
			out.restrict(c)
		}
		out.rows = math.Max(out.rows, math.Min(s.rows, 1))
		return out
	case *plan.Project:
		s := e.of(x.Child)
		return &relStats{rows: s.rows, base: s.base, cols: s.project(x.List)}
	case *plan.Aggregate:
		s := e.of(x.Child)
		if len(x.Group) == 0 {
			return &relStats{rows: 1, base: 1}
		}
		rows := s.groups(x.Group)
		return &relStats{rows: rows, base: rows, cols: s.project(x.List)}
	case *plan.Limit:
		s := e.of(x.Child)
		rows := s.rows
		if v, ok := constInt(x.N); ok && v >= 0 {
			rows = math.Min(rows, float64(v))
		}
		return &relStats{rows: rows, base: s.base, cols: s.cols}
	case *plan.Sample:
		s := e.of(x.Child)
		f := x.Upper - x.Lower
		if x.BucketOf > 0 {
			f = float64(x.BucketNum) / float64(x.BucketOf)
		}
		return &relStats{rows: s.rows * math.Max(0, f), base: s.base, cols: s.cols}
	case *plan.Generate:
		s := e.of(x.Child)
		return &relStats{rows: s.rows * 4, base: s.rows * 4, cols: s.cols}
	case *plan.Expand:
		return e.of(x.Child).expand(x)
	case *plan.SetOperation:
		out := &relStats{}
		for _, in := range x.Inputs {
			s := e.of(in)
			out.rows += s.rows
			out.base += s.base
		}
		return out
	case *plan.Join:
		return e.join(x)
	case *shared:
		return e.of(x.Plan)
	}
	if k := n.Children(); len(k) == 1 {
		return e.of(k[0])
	}
	return &relStats{rows: defaultRows, base: defaultRows}
}

func (s *relStats) project(list []plan.Expr) map[plan.ExprID]colStats {
	m := make(map[plan.ExprID]colStats, len(list))
	for _, e := range list {
		at := plan.ToAttr(e)
		if at == nil {
			continue
		}
		if a, ok := stripCasts(unalias(e)).(*plan.Attr); ok {
			if c, ok := s.cols[a.ID]; ok {
				m[at.ID] = c
			}
		}
	}
	return m
}

// expand is the statistics of an Expand's rows: each column has the values of
// those that its projections take, and null where one is left out.
func (s *relStats) expand(x *plan.Expand) *relStats {
	rows := s.rows * float64(len(x.Projections))
	out := &relStats{rows: rows, base: rows, cols: maps.Clone(s.cols)}
	if out.cols == nil {
		out.cols = map[plan.ExprID]colStats{}
	}
	for i, at := range x.Out {
		var c colStats
		taken, nulls, known := idSet{}, 0, true
		literals := map[string]bool{}
		for _, list := range x.Projections {
			switch e := stripCasts(unalias(list[i])).(type) {
			case *plan.Literal:
				if e.Value == nil {
					nulls++
				} else {
					literals[key(e)] = true
				}
			case *plan.Attr:
				if k, ok := s.cols[e.ID]; ok && !taken.has(e.ID) {
					if len(taken) == 0 {
						c = k
					} else {
						c = colStats{ndv: c.ndv + k.ndv, guessed: c.guessed || k.guessed, min: math.NaN(), max: math.NaN(), width: math.Max(c.width, k.width)}
					}
					taken.add(e.ID)
				} else if !ok {
					known = false
				}
			default:
				known = false
			}
		}
		if !known || len(taken)+len(literals) == 0 {
			continue
		}
		if len(taken) == 0 {
			c = colStats{min: math.NaN(), max: math.NaN()}
		}
		c.ndv += float64(len(literals))
		if nulls > 0 {
			c.ndv++
		}
		c.nulls = math.Max(c.nulls, float64(nulls)/float64(len(x.Projections)))
		out.cols[at.ID] = c
	}
	return out
}

func stripCasts(e plan.Expr) plan.Expr {
	for {
		c, ok := e.(*plan.Cast)
		if !ok {
			return e
		}
		e = c.Child
	}
}

// groups estimates the number of groups.
func (s *relStats) groups(keys []plan.Expr) float64 {
	d := 1.0
	type combined struct {
		of *table
		n  float64
	}
	var tables []combined
	for _, g := range keys {
		switch x := stripCasts(g).(type) {
		case *plan.Attr:
			c := s.col(x.ID)
			if c.table == nil {
				d *= c.ndv
				continue
			}
			i := slices.IndexFunc(tables, func(x combined) bool { return x.of == c.table })
			if i < 0 {
				i = len(tables)
				tables = append(tables, combined{c.table, 1})
			}
			tables[i].n = math.Max(tables[i].n, math.Min(tables[i].n*c.ndv, c.table.rows))
		case *plan.Literal:
		default:
			d *= math.Max(1, math.Pow(s.rows, 0.4))
		}
	}
	for _, x := range tables {
		d *= x.n
	}
	return math.Max(1, math.Min(s.rows, distinctAmong(d, s.rows)))
}

// unsure reports whether the number of groups is a guess: a key is computed, or
// nothing is known of how many values its column has.
func (s *relStats) unsure(keys []plan.Expr) bool {
	for _, g := range keys {
		switch x := stripCasts(g).(type) {
		case *plan.Attr:
			if c := s.col(x.ID); c.guessed && c.ndv >= 200 {
				return true
			}
		case *plan.Literal:
		default:
			return true
		}
	}
	return false
}

func localRows(l *plan.LocalRelation) (int64, bool) {
	b, ok := l.Batches.([]*vec.Batch)
	if !ok {
		return 0, false
	}
	var rows int64
	for _, x := range b {
		rows += int64(x.N)
	}
	return rows, true
}

// noRows is the content of an empty relation.
var noRows = []*vec.Batch{}

func rangeRows(r *plan.Range) int64 {
	if r.Step == 0 {
		return 0
	}
	lo, hi, step := r.Start, r.End, r.Step
	if step < 0 {
		lo, hi, step = hi, lo, -step
	}
	if hi <= lo {
		return 0
	}
	d := uint64(hi) - uint64(lo)
	return int64(min((d-1)/uint64(step)+1, math.MaxInt64))
}

func relationStats(r *plan.Relation) *relStats {
	out := &relStats{rows: defaultRows, cols: map[plan.ExprID]colStats{}}
	if r.Handle == nil {
		out.base = out.rows
		return out
	}
	st := r.Handle.Stats()
	schema := r.Handle.Schema()
	switch {
	case st.Rows >= 0:
		out.rows = float64(st.Rows)
	case st.Bytes >= 0:
		out.rows = float64(st.Bytes)/100 + 1
	}
	out.base = out.rows
	from := &table{out.rows}
	for _, a := range r.Out {
		i := -1
		if schema != nil {
			i = schema.FieldIndex(a.Name)
		}
		if i < 0 || i >= len(st.Cols) {
			continue
		}
		c := columnStats(st.Cols[i], a.T, out.rows)
		c.table = from
		out.cols[a.ID] = c
	}
	return out
}

func columnStats(c plan.ColStats, t *types.Type, rows float64) colStats {
	s := colStats{min: number(c.Min, t), max: number(c.Max, t), width: float64(c.AvgBytes)}
	if c.Nulls > 0 && rows > 0 {
		s.nulls = float64(c.Nulls) / rows
	}
	if s.width == 0 {
		s.width = typeWidth(t)
	}
	switch {
	case c.Distinct > 0:
		s.ndv = float64(c.Distinct)
	case t.Kind == types.Bool:
		s.ndv = 2
	case !math.IsNaN(s.min) && !math.IsNaN(s.max) && (t.IsIntegral() || t.Kind == types.Date):
		s.ndv = math.Max(1, math.Min(rows, s.max-s.min+1))
		s.guessed = s.ndv > rows/4
	case !math.IsNaN(s.min) && !math.IsNaN(s.max) && t.Kind == types.Decimal:
		s.ndv = math.Max(1, math.Min(rows, (s.max-s.min)*math.Pow10(t.Scale)+1))
		s.guessed = true
	case t.IsString():
		lo, ok1 := c.Min.(string)
		hi, ok2 := c.Max.(string)
		if ok1 && ok2 && len(lo) <= 1 && len(hi) <= 1 && len(hi) > 0 {
			s.ndv = 5
			if len(lo) > 0 {
				s.ndv = math.Min(rows, float64(hi[0]-min(lo[0], hi[0]))+1)
			}
			s.ndv = math.Min(s.ndv, 10)
		} else {
			s.ndv, s.guessed = math.Min(rows, math.Max(10, math.Sqrt(rows))), true
		}
	default:
		s.ndv, s.guessed = math.Max(1, rows/2), true
	}
	s.ndv = math.Max(1, s.ndv)
	return s
}

// number puts a value on a line, NaN for what has no place there.
func number(v any, t *types.Type) float64 {
	switch x := v.(type) {
	case int8:
		return float64(x)
	case int16:
		return float64(x)
	case int32:
		return float64(x)
	case int64:
		if t.Kind == types.Decimal {
			return float64(x) / math.Pow10(t.Scale)
		}
		return float64(x)
	case float32:
		return float64(x)
	case float64:
		return x
	case types.Int128:
		f := float64(x.Hi)*math.Pow(2, 64) + float64(x.Lo)
		return f / math.Pow10(t.Scale)
	}
	return math.NaN()
}

// --- selectivities

const (
	selRange  = 0.33 // an inequality that nothing is known about
	selLike   = 0.1
	selOther  = 0.25
	selHaving = 0.1  // an inequality of an aggregate's result: HAVING is there to leave few
	selEqual  = 0.02 // equality on a column whose domain is a guess
)

// having: an inequality of columns that nothing is known about.
func (s *relStats) having(e plan.Expr) bool {
	c, ok := e.(*plan.Call)
	if !ok {
		return false
	}
	switch c.Name {
	case "<", "<=", ">", ">=":
	default:
		return false
	}
	for id := range refs(c) {
		if _, known := s.cols[id]; known {
			return false
		}
	}
	return true
}

func (s *relStats) selectivity(e plan.Expr) float64 {
	switch x := e.(type) {
	case *plan.Literal:
		if x.Value == true {
			return 1
		}
		return 0
	case *plan.Call:
		return clamp(s.callSelectivity(x))
	case *plan.Attr:
		return 0.5
	}
	return selOther
}

func clamp(f float64) float64 { return math.Max(0, math.Min(1, f)) }

func (s *relStats) callSelectivity(c *plan.Call) float64 {
	switch c.Name {
	case "and":
		return s.conjunction(splitBy(c, "and", nil))
	case "or":
		keep := 1.0
		for _, p := range splitBy(c, "or", nil) {
			keep *= 1 - s.selectivity(p)
		}
		return 1 - keep
	case "not":
		return 1 - s.selectivity(c.Args[0])
	case "isnull":
		if a, ok := c.Args[0].(*plan.Attr); ok {
			return math.Max(s.col(a.ID).nulls, 0.001)
		}
		return 0.05
	case "isnotnull":
		if a, ok := c.Args[0].(*plan.Attr); ok {
			return 1 - s.col(a.ID).nulls
		}
		return 0.95
	case "=", "<=>":
		return s.equality(c.Args[0], c.Args[1])
	case "in":
		return math.Min(0.9, float64(len(c.Args)-1)*s.equality(c.Args[0], c.Args[1]))
	case "<", "<=", ">", ">=":
		if f, ok := s.fraction(c); ok {
			return f
		}
		return selRange
	case "between":
		return selRange * 0.75
	case "like", "rlike", "ilike", "contains", "startswith", "endswith":
		return selLike
	}
	return selOther
}

func (s *relStats) conjunction(parts []plan.Expr) float64 {
	f := 1.0
	t := &relStats{rows: s.rows, base: s.base, cols: s.cols}
	for _, p := range parts {
		f *= t.selectivity(p)
		t.restrict(p)
	}
	return f
}

func (s *relStats) equality(a, b plan.Expr) float64 {
	x, ok := stripCasts(a).(*plan.Attr)
	if !ok {
		return selLike
	}
	c := s.col(x.ID)
	if y, ok := stripCasts(b).(*plan.Attr); ok {
		return 1 / math.Max(c.ndv, s.col(y.ID).ndv)
	}
	if l, ok := b.(*plan.Literal); ok {
		if v := number(l.Value, l.T); !math.IsNaN(v) && (v < c.min || v > c.max) {
			return 0
		}
	}
	if c.guessed && !(c.ndv < 200) {
		return math.Max(1/c.ndv, math.Min(selEqual, 1))
	}
	return 1 / c.ndv
}

// fraction is the share of a column's range that an inequality with a constant keeps.
func (s *relStats) fraction(c *plan.Call) (float64, bool) {
	a, ok := stripCasts(c.Args[0]).(*plan.Attr)
	if !ok {
		return 0, false
	}
	l, ok := c.Args[1].(*plan.Literal)
	if !ok || l.Value == nil {
		return 0, false
	}
	st := s.col(a.ID)
	v := number(l.Value, l.T)
	if a.T.Kind == types.Date && (l.T.Kind == types.Timestamp || l.T.Kind == types.TimestampNTZ) {
		v /= 24 * 3600 * 1e6
	}
	if math.IsNaN(v) || math.IsNaN(st.min) || math.IsNaN(st.max) {
		return 0, false
	}
	if st.max <= st.min {
		return 0.5, true
	}
	f := (v - st.min) / (st.max - st.min)
	if c.Name[0] == '>' {
		f = 1 - f
	}
	return math.Max(1e-6, clamp(f)) * (1 - st.nulls), true
}

// restrict narrows the statistics of a column that a condition restricts.
func (s *relStats) restrict(e plan.Expr) {
	c, ok := e.(*plan.Call)
	if !ok || len(c.Args) < 2 {
		return
	}
	a, ok := stripCasts(c.Args[0]).(*plan.Attr)
	if !ok {
		return
	}
	st, ok := s.cols[a.ID]
	if !ok {
		return
	}
	switch c.Name {
	case "=":
		if _, ok := c.Args[1].(*plan.Literal); !ok {
			return
		}
		st.ndv, st.guessed = 1, false
	case "in":
		st.ndv, st.guessed = math.Min(st.ndv, float64(len(c.Args)-1)), false
	case "<", "<=", ">", ">=":
		l, ok := c.Args[1].(*plan.Literal)
		f, ok2 := s.fraction(c)
		if !ok || !ok2 {
			return
		}
		st.ndv = math.Max(1, st.ndv*f)
		v := number(l.Value, l.T)
		if c.Name[0] == '<' {
			st.max = math.Min(st.max, v)
		} else {
			st.min = math.Max(st.min, v)
		}
	default:
		return
	}
	m := make(map[plan.ExprID]colStats, len(s.cols))
	for k, v := range s.cols {
		m[k] = v
	}
	m[a.ID] = st
	s.cols = m
}

// --- joins

func (e *estimator) join(j *plan.Join) *relStats {
	l, r := e.of(j.Left), e.of(j.Right)
	left, right := idsOf(j.Left.Output()), idsOf(j.Right.Output())
	keys, rest := equiKeys(split(j.Cond), left, right)
	both := &relStats{rows: l.rows * r.rows, base: math.Max(l.base, r.base), cols: map[plan.ExprID]colStats{}}
	for id, c := range l.cols {
		both.cols[id] = c
	}
	for id, c := range r.cols {
		both.cols[id] = c
	}
	inner := l.rows * r.rows
	if len(keys) > 0 {
		inner /= joinDomain(l, r, keys)
	}
	inner *= both.conjunction(rest)
	switch j.Kind {
	case plan.LeftSemi, plan.LeftAnti, plan.NullAwareAnti:
		f := semiFraction(l, r, keys, both.conjunction(rest))
		rows := l.rows * f
		if j.Kind != plan.LeftSemi {
			rows = math.Max(l.rows*(1-f), l.rows*0.1)
		}
		return &relStats{rows: rows, base: l.base, cols: l.cols}
	case plan.Existence:
		return &relStats{rows: l.rows, base: l.base, cols: l.cols}
	case plan.LeftSingle:
		both.rows = l.rows
	case plan.LeftOuter:
		both.rows = math.Max(inner, l.rows)
	case plan.RightOuter:
		both.rows = math.Max(inner, r.rows)
	case plan.FullOuter:
		both.rows = math.Max(inner, l.rows+r.rows)
	default:
		both.rows = inner
	}
	return both
}

type equiKey struct{ left, right plan.Expr }

// equiKeys separates the equalities between the sides from the other conditions.
func equiKeys(conds []plan.Expr, left, right idSet) (keys []equiKey, rest []plan.Expr) {
	for _, e := range conds {
		c, ok := e.(*plan.Call)
		if ok && (c.Name == "=" || c.Name == "<=>") {
			a, b := c.Args[0], c.Args[1]
			switch sa, sb := side(a, left, right), side(b, left, right); {
			case sa == 1 && sb == 2:
				keys = append(keys, equiKey{a, b})
				continue
			case sa == 2 && sb == 1:
				keys = append(keys, equiKey{b, a})
				continue
			}
		}
		rest = append(rest, e)
	}
	return keys, rest
}

func (s *relStats) keyNDV(e plan.Expr) float64 {
	if a, ok := stripCasts(e).(*plan.Attr); ok {
		return s.col(a.ID).ndv
	}
	return math.Max(1, math.Sqrt(s.base))
}

// joinDomain is what the product of two sides is divided by: the larger of
// the domains of the keys. Of several keys together a side has no more
// combinations than rows; where both sides are at that limit the smaller one is
// taken for the side whose key it is.
func joinDomain(l, r *relStats, keys []equiKey) float64 {
	dl, dr := 1.0, 1.0
	for _, k := range keys {
		dl *= l.keyNDV(k.left)
		dr *= r.keyNDV(k.right)
	}
	if len(keys) == 1 {
		return math.Max(1, math.Max(dl, dr))
	}
	cl, cr := dl > l.base, dr > r.base
	dl, dr = math.Min(dl, l.base), math.Min(dr, r.base)
	if cl && cr {
		return math.Max(1, math.Min(dl, dr))
	}
	return math.Max(1, math.Max(dl, dr))
}

// semiFraction is the share of left rows that have a match.
func semiFraction(l, r *relStats, keys []equiKey, rest float64) float64 {
	if len(keys) == 0 {
		if r.rows >= 1 {
			return math.Max(0.5, rest)
		}
		return 0.5
	}
	f := 1.0
	for _, k := range keys {
		dl, dr := l.keyNDV(k.left), r.keyNDV(k.right)
		have := distinctAmong(dr, r.rows)
		f = math.Min(f, have/math.Max(math.Max(dl, dr), have))
	}
	return clamp(f)
}
