package analyze

import (
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// window resolves f OVER (...).
func (r *run) window(w *plan.Window, s *scope) (plan.Expr, error) {
	n := *w
	if n.Name != "" && n.Partition == nil && n.Order == nil && n.Frame == nil {
		return nil, aerr("MISSING_WINDOW_SPECIFICATION", "windowName", n.Name, "docroot", docRoot).At(w.Origin)
	}
	was := s.inWindow
	s.inWindow = true
	agg := s.inAgg
	f, err := r.windowFunc(w.Func, s)
	s.inWindow, s.inAgg = was, agg
	if err != nil {
		return nil, err
	}
	f = unalias(f)
	c, isCall := f.(*plan.Call)
	if u, ok := f.(*plan.UDF); ok && u.Aggregate {
		return nil, errs.NotSupported("user defined aggregate " + u.Name + " over a window")
	}
	if !isCall || c.Kind != plan.FnAggregate && c.Kind != plan.FnWindow {
		return nil, aerr("UNSUPPORTED_EXPR_FOR_WINDOW", "sqlExpr", r.quoted(f)).At(w.Origin)
	}
	n.Func = f
	if n.Partition, err = r.exprs(w.Partition, s); err != nil {
		return nil, err
	}
	for i, p := range n.Partition {
		n.Partition[i] = unalias(p)
		if !n.Partition[i].Type().IsOrderable() {
			return nil, aerr("EXPRESSION_TYPE_IS_NOT_ORDERABLE", "expr", r.quoted(p), "exprType", errs.Quote(p.Type().SQL())).At(w.Origin)
		}
	}
	n.Order = make([]plan.SortOrder, len(w.Order))
	for i, o := range w.Order {
		x, err := r.expr(o.Child, s)
		if err != nil {
			return nil, err
		}
		o.Child = unalias(x)
		if err := r.checkOrder(o); err != nil {
			return nil, err
		}
		n.Order[i] = o
	}
	if err := r.frame(&n, w, c, s); err != nil {
		return nil, err
	}
	if err := r.checkWindowOrder(&n, c); err != nil {
		return nil, err
	}
	if c.Distinct {
		return nil, aerr("DISTINCT_WINDOW_FUNCTION_UNSUPPORTED", "windowExpr", r.quoted(&n)).At(w.Origin)
	}
	return &n, nil
}

// windowFunc resolves the function; a window-only function is legal here alone.
func (r *run) windowFunc(f plan.Expr, s *scope) (plan.Expr, error) {
	return r.expr(f, s)
}

// frame sets the window's frame and checks it.
func (r *run) frame(n, w *plan.Window, c *plan.Call, s *scope) error {
	rows := func(lo, hi plan.BoundKind) *plan.Frame {
		return &plan.Frame{Rows: true, Lower: plan.FrameEnd{Kind: lo}, Upper: plan.FrameEnd{Kind: hi}}
	}
	def := fn.Lookup(c.Name)
	needsOrder := def != nil && def.NeedsOrder && c.Kind == plan.FnWindow
	if needsOrder && len(n.Order) == 0 {
		if c.Name == "lag" || c.Name == "lead" {
			return aerr("WINDOW_FUNCTION_FRAME_NOT_ORDERED", "wf_name", c.Name, "wf_expr", r.sql(c)).At(nil)
		}
		return aerr("WINDOW_FUNCTION_FRAME_NOT_ORDERED", "wf_name", c.Name, "wf_expr", r.sql(c)).At(nil)
	}
	if err := r.checkCount(c); err != nil {
		return err
	}
	var want *plan.Frame
	switch {
	case c.Kind != plan.FnWindow || c.Name == "nth_value":
	case c.Name == "lag" || c.Name == "lead":
		off := plan.Expr(intLit(1))
		if len(c.Args) > 1 {
			off = c.Args[1]
		}
		if err := r.checkShift(c, off); err != nil {
			return err
		}
		if v, ok := intValue(off); ok {
			if c.Name == "lag" {
				v = -v
			}
			off = intLit(int32(v))
		} else if c.Name == "lag" {
			off = r.finish(&plan.Call{Name: "negative", Args: []plan.Expr{off}}, types.Int32Type, false)
		}
		want = &plan.Frame{Rows: true, Lower: plan.FrameEnd{Kind: plan.Following, Offset: off}, Upper: plan.FrameEnd{Kind: plan.Following, Offset: off}}
	case c.Name == "cume_dist":
		want = &plan.Frame{Lower: plan.FrameEnd{Kind: plan.UnboundedPreceding}, Upper: plan.FrameEnd{Kind: plan.CurrentRow}}
	default:
		want = rows(plan.UnboundedPreceding, plan.CurrentRow)
	}
	if w.Frame == nil {
		switch {
		case want != nil:
			n.Frame = want
		case len(n.Order) > 0:
			n.Frame = &plan.Frame{Lower: plan.FrameEnd{Kind: plan.UnboundedPreceding}, Upper: plan.FrameEnd{Kind: plan.CurrentRow}}
		default:
			n.Frame = rows(plan.UnboundedPreceding, plan.UnboundedFollowing)
		}
		return nil
	}
	f := *w.Frame
	ends := []*plan.FrameEnd{&f.Lower, &f.Upper}
	for i, e := range ends {
		if e.Offset == nil {
			continue
		}
		x, err := r.expr(e.Offset, s)
		if err != nil {
			return err
		}
		x = unalias(x)
		where := "lower"
		if i == 1 {
			where = "upper"
		}
		if !foldable(x) {
			return aerr("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "sqlExpr", r.quoted(x), "location", where, "exprType", errs.Quote(x.Type().SQL()), "expectedType", `"INT"`).At(w.Origin)
		}
		if f.Rows {
			if !x.Type().IsIntegral() || x.Type().Kind == types.Int64 {
				return aerr("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "sqlExpr", r.quoted(&plan.Window{Func: c, Partition: n.Partition, Order: n.Order}), "location", where, "exprType", errs.Quote(x.Type().SQL()), "expectedType", `"INT"`).At(w.Origin)
			}
			x = r.implicit(x, types.Int32Type)
			if v, ok := intValue(x); ok {
				x = intLit(int32(v))
			}
		} else if len(n.Order) == 1 {
			t := n.Order[0].Child.Type()
			switch {
			case t.IsNumeric() && (x.Type().IsNumeric() || x.Type().IsString() && castable(x.Type(), t, r.Conf.ANSI)):
				given := x
				x = r.implicit(x, t)
				if v, ok := intValue(x); ok {
					x = r.note(intOf(v, t, x), given)
				}
			case t.Kind == types.Date && x.Type().IsIntegral():
				x = r.implicit(x, types.Int32Type)
			case t.IsDatetime() && isInterval(x.Type()):
			case t.IsAnsiInterval() && x.Type().Kind == t.Kind:
			case (t.IsString() || t.Kind == types.Bool) && castable(x.Type(), t, r.Conf.ANSI):
				return aerr("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE", "sqlExpr", r.quoted(&plan.Window{Func: c, Partition: n.Partition, Order: n.Order}), "location", where, "exprType", errs.Quote(t.SQL()), "expectedType", `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`).At(w.Origin)
			case x.Type().IsNumeric() || isInterval(x.Type()):
				return aerr("DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", "sqlExpr", r.quoted(&plan.Window{Func: c, Partition: n.Partition, Order: n.Order}), "orderSpecType", errs.Quote(t.SQL()), "valueBoundaryType", errs.Quote(x.Type().SQL())).At(w.Origin)
			default:
				return aerr("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", "upper", r.frameEnd(f.Upper), "lower", r.frameEnd(f.Lower), "sqlExpr", r.quoted(n)).At(w.Origin)
			}
		}
		// 1 PRECEDING as -1 FOLLOWING never happens here: a negative offset turns round.
		if v, ok := intValue(x); ok && v < 0 {
			if e.Kind == plan.Preceding {
				e.Kind = plan.Following
			} else {
				e.Kind = plan.Preceding
			}
			x = intOf(-v, x.Type(), x)
		}
		e.Offset = x
	}
	if !f.Rows {
		value := f.Lower.Offset != nil || f.Upper.Offset != nil
		if len(n.Order) == 0 && (value || f.Lower.Kind != plan.UnboundedPreceding || f.Upper.Kind != plan.UnboundedFollowing) {
			return aerr("DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER", "sqlExpr", errs.Quote(strings.TrimSuffix(strings.TrimPrefix(r.windowSQL(&plan.Window{Func: c, Partition: n.Partition, Frame: &f}), r.sql(c)+" OVER "), ""))).At(w.Origin)
		}
		if value && len(n.Order) > 1 {
			return aerr("DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER", "sqlExpr", errs.Quote(strings.TrimPrefix(r.windowSQL(&plan.Window{Func: c, Partition: n.Partition, Order: n.Order, Frame: &f}), r.sql(c)+" OVER ")), "orderSpec", strings.Join(r.orderSQLs(n.Order), ",")).At(w.Origin)
		}
	}
	if f.Lower.Kind == plan.UnboundedFollowing || f.Upper.Kind == plan.UnboundedPreceding {
		return aerr("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_INVALID_BOUND", "upper", errs.Quote(r.frameEnd(f.Upper)), "lower", errs.Quote(r.frameEnd(f.Lower)), "sqlExpr", errs.Quote(r.frameSQL(&f))).At(w.Origin)
	}
	// As in Spark CURRENT ROW isn't compared: CURRENT ROW AND 1 PRECEDING is a frame without rows.
	lower, known := signed(f.Lower)
	if upper, both := signed(f.Upper); known && both && lower > upper {
		return aerr("DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON", "sqlExpr", errs.Quote(r.frameSQL(&f)), "comparison", "less than or equal").At(w.Origin)
	}
	if want != nil && !sameFrame(want, &f) && c.Name != "nth_value" {
		return aerr("WINDOW_FUNCTION_AND_FRAME_MISMATCH", "funcName", r.quoted(c), "windowExpr", errs.Quote(r.windowSQL(&plan.Window{Func: c, Partition: n.Partition, Order: n.Order, Frame: &f}))).At(w.Origin)
	}
	n.Frame = &f
	return nil
}

func intOf(v int64, t *types.Type, old plan.Expr) plan.Expr {
	switch t.Kind {
	case types.Int8:
		return &plan.Literal{T: t, Value: int8(v)}
	case types.Int16:
		return &plan.Literal{T: t, Value: int16(v)}
	case types.Int32:
		return &plan.Literal{T: t, Value: int32(v)}
	case types.Int64:
		return &plan.Literal{T: t, Value: v}
	}
	return old
}

func (r *run) orderSQLs(l []plan.SortOrder) []string {
	out := make([]string, len(l))
	for i, o := range l {
		out[i] = r.orderSQL(o)
	}
	return out
}

func (r *run) frameSQL(f *plan.Frame) string {
	kind := "RANGE"
	if f.Rows {
		kind = "ROWS"
	}
	return kind + " BETWEEN " + r.frameEnd(f.Lower) + " AND " + r.frameEnd(f.Upper)
}

// signed is the offset of a frame's end from the current row, if it has one that is an integer literal.
func signed(e plan.FrameEnd) (int64, bool) {
	if e.Offset == nil {
		return 0, false
	}
	v, ok := intValue(e.Offset)
	if e.Kind == plan.Preceding {
		v = -v
	}
	return v, ok
}

func sameFrame(a, b *plan.Frame) bool {
	end := func(x, y plan.FrameEnd) bool {
		return x.Kind == y.Kind && (x.Offset == nil) == (y.Offset == nil) && (x.Offset == nil || exprKey(x.Offset) == exprKey(y.Offset))
	}
	return a.Rows == b.Rows && end(a.Lower, b.Lower) && end(a.Upper, b.Upper)
}

// extractWindows puts WindowNodes under a resolved list: one for each
// partitioning and order, in the order they first appear.
func (r *run) extractWindows(list []plan.Expr, node plan.Node) ([]plan.Expr, plan.Node, error) {
	any := false
	for _, e := range list {
		if firstWindow(e) != nil {
			any = true
		}
		if c := bareWindowFunction(e); c != nil {
			return nil, nil, aerr("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "funcName", r.quoted(c)).At(c.Pos())
		}
	}
	if !any {
		return list, node, nil
	}
	type group struct {
		key string
		w   *plan.Window
		fns []plan.Expr
	}
	var groups []*group
	done := map[string]plan.Expr{}
	var pre []plan.Expr
	preOf := map[string]plan.Expr{}
	// column makes an operand a column of the window's input.
	column := func(e plan.Expr) plan.Expr {
		switch e.(type) {
		case *plan.Attr, *plan.Literal, *plan.OuterRef:
			return e
		}
		if foldable(e) {
			return e
		}
		k := exprKey(e)
		if a, ok := preOf[k]; ok {
			return a
		}
		al := &plan.Alias{Child: e, Names: []string{"_w" + itoa(len(pre))}, ID: plan.NewID(), Auto: true}
		pre = append(pre, al)
		a := plan.ToAttr(al)
		preOf[k] = a
		return a
	}
	take := func(w *plan.Window) (plan.Expr, error) {
		for _, k := range w.Children() {
			if x := firstWindow(k); x != nil {
				return nil, aerr("NESTED_AGGREGATE_FUNCTION").At(x.Pos())
			}
		}
		c := w.Func.(*plan.Call)
		for _, k := range c.Args {
			if a := first(k, isAgg, always); a != nil {
				return nil, aerr("NESTED_AGGREGATE_FUNCTION").At(a.Pos())
			}
		}
		key := exprKey(w)
		if a, ok := done[key]; ok {
			return a, nil
		}
		n := *w
		if len(c.Args) > 0 || c.Filter != nil || len(c.Order) > 0 {
			kids := c.Children()
			fresh := make([]plan.Expr, len(kids))
			for i, k := range kids {
				fresh[i] = column(k)
			}
			n.Func = c.WithChildren(fresh)
		}
		n.Partition = make([]plan.Expr, len(w.Partition))
		for i, p := range w.Partition {
			n.Partition[i] = column(p)
		}
		n.Order = make([]plan.SortOrder, len(w.Order))
		for i, o := range w.Order {
			o.Child = column(o.Child)
			n.Order[i] = o
		}
		var sb strings.Builder
		for _, p := range n.Partition {
			writeKey(&sb, p)
			sb.WriteByte(';')
		}
		sb.WriteByte('|')
		for _, o := range n.Order {
			writeKey(&sb, o.Child)
			if o.Desc {
				sb.WriteByte('d')
			}
			if o.NullsLast {
				sb.WriteByte('l')
			}
			sb.WriteByte(';')
		}
		var g *group
		for _, x := range groups {
			if x.key == sb.String() {
				g = x
			}
		}
		if g == nil {
			g = &group{key: sb.String(), w: &n}
			groups = append(groups, g)
		}
		al := &plan.Alias{Child: &n, Names: []string{"_we" + itoa(len(done))}, ID: plan.NewID(), Auto: true}
		g.fns = append(g.fns, al)
		a := plan.ToAttr(al)
		done[key] = a
		return a, nil
	}
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		x, err := transformDown(e, func(k plan.Expr) (plan.Expr, error) {
			if w, ok := k.(*plan.Window); ok {
				return take(w)
			}
			return nil, nil
		})
		if err != nil {
			return nil, nil, err
		}
		out[i] = x
	}
	if len(pre) > 0 {
		var l []plan.Expr
		for _, a := range node.Output() {
			l = append(l, a)
		}
		node = &plan.Project{List: append(l, pre...), Child: node}
	}
	for _, g := range groups {
		node = &plan.WindowNode{List: g.fns, Partition: g.w.Partition, Order: g.w.Order, Child: node}
	}
	return out, node, nil
}

// bareWindowFunction finds rank() and the like without OVER.
func bareWindowFunction(e plan.Expr) plan.Expr {
	if w, ok := e.(*plan.Window); ok {
		for i, k := range w.Children() {
			if i == 0 {
				for _, a := range k.Children() {
					if x := bareWindowFunction(a); x != nil {
						return x
					}
				}
				continue
			}
			if x := bareWindowFunction(k); x != nil {
				return x
			}
		}
		return nil
	}
	if c, ok := e.(*plan.Call); ok && c.Kind == plan.FnWindow {
		return c
	}
	for _, k := range e.Children() {
		if x := bareWindowFunction(k); x != nil {
			return x
		}
	}
	return nil
}

// checkShift checks the offset of lag and lead, a constant INT. lag is lead of the offset's negation, which its errors show.
func (r *run) checkShift(c *plan.Call, off plan.Expr) error {
	t := off.Type()
	if k, ok := off.(*plan.Cast); ok && k.Implicit {
		t = k.Child.Type()
	}
	if c.Name == "lag" && !t.IsNumeric() && t.Kind != types.Null && !isInterval(t) {
		return aerr("FAILED_FUNCTION_CALL", "funcName", errs.ID(c.Name)).At(c.Origin)
	}
	if !foldable(off) {
		shown := off
		if c.Name == "lag" {
			shown = r.finish(&plan.Call{Name: "negative", Infix: true, Args: []plan.Expr{off}}, t, true)
		}
		return aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", r.quoted(c), "inputName", "`offset`", "inputType", `"INT"`, "inputExpr", r.quoted(shown)).At(c.Origin)
	}
	if l, ok := off.(*plan.Literal); t.Kind != types.Int32 || ok && l.Value == nil {
		return aerr("_LEGACY_ERROR_TEMP_1035", "prettyName", c.Name).At(c.Origin)
	}
	return nil
}

// checkCount checks the constant, positive argument of ntile and nth_value.
func (r *run) checkCount(c *plan.Call) error {
	at, name, most, suffix := 0, "buckets", "2147483647", ""
	switch {
	case c.Kind != plan.FnWindow:
		return nil
	case c.Name == "nth_value":
		at, name, most, suffix = 1, "offset", "9223372036854775807", "L"
	case c.Name != "ntile":
		return nil
	}
	if at >= len(c.Args) {
		return nil
	}
	x := c.Args[at]
	if !foldable(x) {
		return aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", r.quoted(c), "inputName", errs.ID(name), "inputType", `"INT"`, "inputExpr", r.quoted(x)).At(c.Origin)
	}
	v, ok := intValue(x)
	if k, cast := x.(*plan.Cast); cast && !ok {
		x = k.Child
	}
	if l, null := x.(*plan.Literal); null && l.Value == nil {
		v, ok = 0, true
	}
	if ok && v <= 0 {
		return aerr("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", r.quoted(c), "exprName", name, "valueRange", "(0, "+most+"]", "currentValue", itoa(int(v))+suffix).At(c.Origin)
	}
	return nil
}
