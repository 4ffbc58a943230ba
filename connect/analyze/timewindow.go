package analyze

import (
	"errors"
	"strconv"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

const windowMeta = `{"spark.timeWindow":true}`

// timeWindow checks window(time, length[, slide[, start]]) and leaves the call
// for the operator around it, which replaces it (timeWindows).
func timeWindow(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if c.Name == "session_window" {
		return r.sessionWindow(c)
	}
	if len(c.Args) < 2 || len(c.Args) > 4 {
		return nil, r.wrongNumArgs(c, "[2, 3, 4]")
	}
	if err := r.windowOverWindow(c); err != nil {
		return nil, err
	}
	t := c.Args[0].Type()
	c.Kind, c.Null = plan.FnScalar, c.Args[0].Nullable()
	c.T = types.NewStruct(types.Field{Name: "start", Type: t, Nullable: true}, types.Field{Name: "end", Type: t, Nullable: true})
	if _, err := r.windowSpec(c); err != nil {
		return nil, err
	}
	return c, nil
}

// windowOverWindow makes the first argument a timestamp: that of a window, if it is one.
func (r *run) windowOverWindow(c *plan.Call) error {
	t := c.Args[0].Type()
	if t.Kind == types.Struct && len(t.Fields) == 2 && isTS(t.Fields[1].Type) {
		w, err := windowTime(r, &plan.Call{At: c.At, Name: "window_time", Args: c.Args[:1]}, nil)
		if err != nil {
			return err
		}
		c.Args = append([]plan.Expr{w}, c.Args[1:]...)
		t = w.Type()
	}
	if !isTS(t) {
		if !r.canImplicit(t, types.TimestampType) {
			return r.unexpected(c, 0, `("TIMESTAMP" or "TIMESTAMP WITHOUT TIME ZONE")`)
		}
		c.Args = append([]plan.Expr{r.implicit(c.Args[0], types.TimestampType)}, c.Args[1:]...)
	}
	return nil
}

type windowSpec struct{ length, slide, start int64 }

func (r *run) windowSpec(c *plan.Call) (w windowSpec, err error) {
	v := make([]int64, 3)
	for i, a := range c.Args[1:] {
		l, ok := a.(*plan.Literal)
		if !ok {
			return w, aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", r.quoted(c), "inputName", errs.ID([]string{"windowDuration", "slideDuration", "startTime"}[i]), "inputType", `"STRING"`, "inputExpr", r.quoted(a)).At(c.Origin)
		}
		switch x := l.Value.(type) {
		case string:
			if v[i], err = durationMicros(x); err != nil {
				return w, aerr("CANNOT_PARSE_INTERVAL", "intervalString", x).At(c.Origin)
			}
		case int64:
			v[i] = x
		case types.CalendarValue:
			if x.Months != 0 {
				return w, aerr("CANNOT_PARSE_INTERVAL", "intervalString", r.sql(a)).At(c.Origin)
			}
			v[i] = int64(x.Days)*86_400_000_000 + x.Micros
		default:
			return w, r.unexpected(c, i+1, `"STRING"`)
		}
	}
	w = windowSpec{v[0], v[1], v[2]}
	if len(c.Args) < 3 {
		w.slide = w.length
	}
	name := []string{"window_duration", "slide_duration"}
	for i, x := range []int64{w.length, w.slide} {
		if x <= 0 {
			return w, aerr("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", r.quoted(c), "exprName", errs.ID(name[i]), "valueRange", "(0, 9223372036854775807]", "currentValue", strconv.FormatInt(x, 10)+"L").At(c.Origin)
		}
	}
	if w.slide > w.length {
		return w, aerr("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "sqlExpr", r.quoted(c), "leftExprName", "`slide_duration`", "leftExprValue", strconv.FormatInt(w.slide, 10)+"L", "constraint", "<=", "rightExprName", "`window_duration`", "rightExprValue", strconv.FormatInt(w.length, 10)+"L").At(c.Origin)
	}
	if abs := max(w.start, -w.start); abs >= w.slide {
		return w, aerr("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION", "sqlExpr", r.quoted(c), "leftExprName", "`abs(start_time)`", "leftExprValue", strconv.FormatInt(abs, 10)+"L", "constraint", "<", "rightExprName", "`slide_duration`", "rightExprValue", strconv.FormatInt(w.slide, 10)+"L").At(c.Origin)
	}
	return w, nil
}

func isTimeWindow(e plan.Expr) bool {
	c, ok := e.(*plan.Call)
	return ok && (c.Name == "window" || c.Name == "session_window") && c.Kind == plan.FnScalar
}

// timeWindows replaces window(...) in an aggregation by a column computed
// below it: one window a row when they don't overlap, else a row for each.
func (r *run) timeWindows(group []plan.Expr, list *selected, base plan.Node, common plan.Common) ([]plan.Expr, plan.Node, error) {
	all := append([]plan.Expr{}, group...)
	all = append(all, list.exprs...)
	out, base, err := r.windowColumns(all, base, common, group)
	if err != nil {
		return nil, nil, err
	}
	copy(list.exprs, out[len(group):])
	return out[:len(group)], base, nil
}

// windowColumns replaces the window(...) and session_window(...) calls of a list by columns of an extended base. keys are
// what rows are grouped by; nil: they aren't.
func (r *run) windowColumns(list []plan.Expr, base plan.Node, common plan.Common, keys []plan.Expr) ([]plan.Expr, plan.Node, error) {
	calls := map[string]*plan.Call{}
	for _, e := range list {
		if w := first(e, isTimeWindow, always); w != nil {
			calls[exprKey(w)] = w.(*plan.Call)
		}
	}
	if len(calls) == 0 {
		return list, base, nil
	}
	if len(calls) > 1 {
		return nil, nil, errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1039").At(common.Origin)
	}
	replaced := func(key string, attr *plan.Attr) error {
		out := make([]plan.Expr, len(list))
		for i, e := range list {
			x, err := transformDown(e, func(k plan.Expr) (plan.Expr, error) {
				if isTimeWindow(k) && exprKey(k) == key {
					return attr, nil
				}
				return nil, nil
			})
			if err != nil {
				return err
			}
			if al, ok := x.(*plan.Alias); ok && al.Auto && al.Child == plan.Expr(attr) {
				named := *al
				named.Names = []string{attr.Name}
				x = &named
			}
			out[i] = x
		}
		list = out
		return nil
	}
	for key, c := range calls {
		if c.Name == "session_window" {
			attr, node, err := r.sessionColumn(c, base, keys, keys != nil)
			if err != nil {
				return nil, nil, err
			}
			err = replaced(key, attr)
			return list, node, err
		}
		w, err := r.windowSpec(c)
		if err != nil {
			return nil, nil, err
		}
		ts := c.Args[0]
		at := func(i int) plan.Expr {
			start := r.finish(&plan.Call{At: c.At, Name: "window_start", Args: []plan.Expr{ts, longLit(w.length), longLit(w.slide), longLit(w.start), intLit(int32(i))}}, ts.Type(), ts.Nullable())
			end := r.finish(&plan.Call{At: c.At, Name: "timestamp_add_micros", Args: []plan.Expr{start, longLit(w.length)}}, ts.Type(), ts.Nullable())
			x := namedStruct(c.Origin, []plan.Expr{strLit("start"), start, strLit("end"), end})
			x.T = c.T
			return x
		}
		n := int((w.length + w.slide - 1) / w.slide)
		if n > 100_000 {
			return nil, nil, errs.NotSupported("more than 100000 overlapping windows for one row").At(c.Origin)
		}
		attr := &plan.Attr{ID: plan.NewID(), Name: "window", T: c.T, Metadata: windowMeta}
		in := base.Output()
		var cond plan.Expr = boolCall("isnotnull", c.Origin, false, ts)
		if n == 1 {
			if ts.Nullable() {
				base = &plan.Filter{Cond: cond, Child: base}
			}
			l := make([]plan.Expr, 0, len(in)+1)
			for _, a := range in {
				l = append(l, a)
			}
			base = &plan.Project{List: append(l, &plan.Alias{Child: at(0), Names: []string{"window"}, ID: attr.ID, Metadata: windowMeta}), Child: base}
		} else {
			var rows [][]plan.Expr
			for i := range n {
				row := make([]plan.Expr, 0, len(in)+1)
				for _, a := range in {
					row = append(row, a)
				}
				rows = append(rows, append(row, at(i)))
			}
			base = &plan.Expand{Projections: rows, Out: append(append([]*plan.Attr{}, in...), attr), Child: base}
			// The last window may start too early to hold the time.
			end := &plan.GetField{Child: attr, Index: 1, Name: "end"}
			inside := boolCall("<", c.Origin, true, ts, end)
			base = &plan.Filter{Cond: boolCall("and", c.Origin, true, cond, inside), Child: base}
		}
		if err := replaced(key, attr); err != nil {
			return nil, nil, err
		}
	}
	return list, base, nil
}

// windowTime is the last instant of a window: its end less a microsecond.
func windowTime(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if err := r.needArgs(c, 1); err != nil {
		return nil, err
	}
	t := c.Args[0].Type()
	if t.Kind != types.Struct || len(t.Fields) != 2 || !isTS(t.Fields[1].Type) {
		return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "sqlExpr", r.quoted(c), "paramIndex", "first", "requiredType", `"STRUCT"`, "inputSql", r.quoted(c.Args[0]), "inputType", errs.Quote(t.SQL())).At(c.Origin)
	}
	end := &plan.GetField{At: c.At, Child: c.Args[0], Index: 1, Name: "end"}
	x := r.finish(&plan.Call{At: c.At, Name: "timestamp_add_micros", Args: []plan.Expr{end, longLit(-1)}}, t.Fields[1].Type, true)
	return r.note(x, c), nil
}

var unitMicros = map[string]int64{"microsecond": 1, "millisecond": 1000, "second": 1_000_000, "minute": 60_000_000, "hour": 3_600_000_000, "day": 86_400_000_000, "week": 7 * 86_400_000_000}

var errDuration = errors.New("no duration")

// durationMicros reads "10 minutes", "interval 1 hour 30 minutes", "1.5 seconds". Months and years have no fixed length.
func durationMicros(s string) (int64, error) {
	f := strings.Fields(strings.ToLower(strings.TrimSpace(s)))
	if len(f) > 0 && f[0] == "interval" {
		f = f[1:]
	}
	if len(f) == 0 || len(f)%2 != 0 {
		return 0, errDuration
	}
	var total int64
	for i := 0; i < len(f); i += 2 {
		u, ok := unitMicros[strings.TrimSuffix(f[i+1], "s")]
		if !ok {
			return 0, errDuration
		}
		if n, err := strconv.ParseInt(f[i], 10, 64); err == nil {
			total += n * u
			continue
		}
		x, err := strconv.ParseFloat(f[i], 64)
		if err != nil || u != 1_000_000 {
			return 0, errDuration
		}
		total += int64(x * 1e6)
	}
	return total, nil
}
