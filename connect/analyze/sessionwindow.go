package analyze

import (
	"slices"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

const sessionMeta = `{"spark.sessionWindow":true}`

// sessionWindow checks session_window(time, gap) and leaves the call for the operator around it, which replaces it
// (windowColumns).
func (r *run) sessionWindow(c *plan.Call) (plan.Expr, error) {
	if len(c.Args) != 2 {
		return nil, r.wrongNumArgs(c, "2")
	}
	c.Args = slices.Clone(c.Args)
	if err := r.windowOverWindow(c); err != nil {
		return nil, err
	}
	if t := c.Args[1].Type(); t.Kind != types.CalendarInterval {
		if !t.IsString() && t.Kind != types.Null {
			return nil, errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1040", "dt", t.String()).At(c.Origin)
		}
		gap := &plan.Cast{At: plan.At{Origin: c.Args[1].Pos()}, Child: c.Args[1], To: types.CalendarType, Mode: plan.Legacy, Implicit: true} // NULL for what is none, ANSI or not
		c.Args[1] = r.note(gap, c.Args[1])
	}
	t := c.Args[0].Type()
	c.Kind, c.Null = plan.FnScalar, c.Args[0].Nullable()
	c.T = types.NewStruct(types.Field{Name: "start", Type: t, Nullable: true}, types.Field{Name: "end", Type: t, Nullable: true})
	return c, nil
}

// sessionColumn puts under an operator the column that c stands for: the time and the gap behind it, and where rows are
// grouped by keys beside it, what such windows of one group make together where they overlap or touch. Rows without a
// time, and those whose gap isn't above 0, are dropped.
func (r *run) sessionColumn(c *plan.Call, base plan.Node, keys []plan.Expr, grouped bool) (*plan.Attr, plan.Node, error) {
	if streams(base) {
		return nil, nil, errs.NotSupported("function session_window in a streaming query").At(c.Origin)
	}
	in := base.Output()
	t := c.Args[0].Type()
	nullable := func(a *plan.Attr) *plan.Attr {
		n := *a
		n.Null = true
		return &n
	}
	column := func(name string, e plan.Expr) (*plan.Alias, *plan.Attr) {
		al := &plan.Alias{Child: e, Names: []string{name}, ID: plan.NewID(), Auto: true}
		return al, plan.ToAttr(al)
	}
	start, s := column("_session_start", c.Args[0])
	end, e := column("_session_end", r.finish(&plan.Call{At: c.At, Name: "time_add_calendar", Args: c.Args}, t, true))
	base = &plan.Project{List: append(asExprs(in), start, end), Child: base}
	base = &plan.Filter{Cond: boolCall("and", c.Origin, true, boolCall("isnotnull", c.Origin, false, s), boolCall(">", c.Origin, true, e, s)), Child: base}
	if grouped {
		beside := slices.DeleteFunc(slices.Clone(keys), func(k plan.Expr) bool { return isTimeWindow(k) })
		largest := func(x *plan.Attr, frame *plan.Frame, partition ...plan.Expr) (plan.Expr, error) {
			f, err := r.function(&plan.Call{At: c.At, Name: "max", Args: []plan.Expr{x}})
			if err != nil {
				return nil, err
			}
			w := &plan.Window{At: c.At, Func: f, Partition: append(slices.Clone(beside), partition...), Frame: frame}
			if frame.Upper.Kind != plan.UnboundedFollowing {
				w.Order = []plan.SortOrder{{Child: s}}
			}
			return w, nil
		}
		// Each window is added to the columns so far, as the next looks at it.
		add := func(name string, x plan.Expr, err error) (*plan.Attr, error) {
			if err != nil {
				return nil, err
			}
			al, a := column(name, x)
			list, node, err := r.extractWindows(append(asExprs(base.Output()), al), base)
			if err != nil {
				return nil, err
			}
			base = &plan.Project{List: list, Child: node}
			return a, nil
		}
		one := &plan.Literal{T: types.Int32Type, Value: int32(1)}
		before := &plan.Frame{Rows: true, Upper: plan.FrameEnd{Kind: plan.Preceding, Offset: one}}
		x, err := largest(e, before)
		reached, err := add("_session_reached", x, err)
		if err != nil {
			return nil, nil, err
		}
		reached = nullable(reached)
		joins := boolCall("<=", c.Origin, true, s, reached)
		begins, err := add("_session_begins", &plan.Case{If: true, When: []plan.Expr{joins}, Then: []plan.Expr{nullLit(t)}, Else: s}, nil)
		if err != nil {
			return nil, nil, err
		}
		x, err = largest(nullable(begins), &plan.Frame{Rows: true, Upper: plan.FrameEnd{Kind: plan.CurrentRow}})
		if s, err = add("_session", x, err); err != nil {
			return nil, nil, err
		}
		x, err = largest(e, &plan.Frame{Rows: true, Upper: plan.FrameEnd{Kind: plan.UnboundedFollowing}}, s)
		if e, err = add("_session_until", x, err); err != nil {
			return nil, nil, err
		}
	}
	both := namedStruct(c.Origin, []plan.Expr{strLit("start"), s, strLit("end"), e})
	both.T = c.T
	attr := &plan.Attr{ID: plan.NewID(), Name: "session_window", T: c.T, Metadata: sessionMeta}
	return attr, &plan.Project{List: append(asExprs(in), &plan.Alias{Child: both, Names: []string{attr.Name}, ID: attr.ID, Metadata: sessionMeta}), Child: base}, nil
}

// streams reports whether rows of a stream arrive at n.
func streams(n plan.Node) bool {
	if r, ok := n.(*plan.Relation); ok && r.Streaming {
		return true
	}
	return slices.ContainsFunc(n.Children(), streams)
}

func asExprs(l []*plan.Attr) []plan.Expr {
	out := make([]plan.Expr, len(l))
	for i, a := range l {
		out[i] = a
	}
	return out
}
