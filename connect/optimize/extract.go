package optimize

import (
	"slices"

	"neptune/arrowexec/fn"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// What is taken out of something that the expression itself makes is taken directly: the parts beside it aren't
// computed, so they can't fail.

// made gives the arguments of e where it is a call of name.
func made(e plan.Expr, name string) ([]plan.Expr, bool) {
	c, ok := e.(*plan.Call)
	if !ok || c.Name != name || c.Kind != plan.FnScalar {
		return nil, false
	}
	return c.Args, true
}

// parts are the arguments of made, unless one holds a constant that failed to be computed: that is an error of the
// query even where nobody asks for it.
func parts(e plan.Expr, name string) ([]plan.Expr, bool) {
	args, ok := made(e, name)
	return args, ok && !contains(e, func(x plan.Expr) bool {
		switch x.(type) {
		case *plan.Call, *plan.Cast:
			return !whole(x) && deterministic(x) && !contains(x, func(k plan.Expr) bool {
				switch k.(type) {
				case *plan.Attr, *plan.OuterRef, *plan.LambdaVar, *plan.Subquery, *plan.UDF, *plan.Window, *plan.Bound:
					return true
				}
				return false
			})
		}
		return false
	})
}

// whole: e makes a struct, an array or a map, which is never null.
func whole(e plan.Expr) bool {
	for _, name := range [...]string{"named_struct", "array", "map"} {
		if _, ok := made(e, name); ok {
			return true
		}
	}
	return false
}

// field is a field of a struct that is made in place.
func field(g *plan.GetField) plan.Expr {
	args, ok := parts(g.Child, "named_struct")
	if i := 2*g.Index + 1; ok && i < len(args) && types.Equal(args[i].Type(), g.Type()) {
		return args[i]
	}
	return g
}

// item is an item of an array that is made in place; with a constant position beyond its end it is null, or an error
// that stays one.
func item(c *plan.Call) plan.Expr {
	args, ok := parts(c.Args[0], "array")
	l, lit := c.Args[1].(*plan.Literal)
	if !ok || !lit || len(c.Args) != 2 {
		return c
	}
	at, ok := l.Value.(int32)
	switch {
	case !ok:
	case at >= 0 && int(at) < len(args):
		if types.Equal(args[at].Type(), c.T) {
			return args[at]
		}
	case c.Name == "get" || c.Mode != plan.ANSI:
		return nullLit(c.T)
	}
	return c
}

// fields is the list of a field of each struct in an array that is made in place.
func (s *simplifier) fields(c *plan.Call) (plan.Expr, error) {
	args, ok := parts(c.Args[0], "array")
	l, lit := c.Args[1].(*plan.Literal)
	if !ok || !lit || len(args) == 0 {
		return c, nil
	}
	at, ok := l.Value.(int32)
	if !ok {
		return c, nil
	}
	n := *c.Args[0].(*plan.Call)
	n.T, n.Args = c.T, make([]plan.Expr, len(args))
	for i, a := range args {
		t := a.Type()
		if t.Kind != types.Struct || int(at) >= len(t.Fields) {
			return c, nil
		}
		var err error
		if n.Args[i], err = s.one(&plan.GetField{At: c.At, Child: a, Index: int(at), Name: t.Fields[at].Name}); err != nil {
			return nil, err
		}
		if !types.Equal(n.Args[i].Type(), c.T.Elem) {
			return c, nil
		}
	}
	return &n, nil
}

// value is the value of a key in a map that is made in place: that of the first key equal to it.
func (s *simplifier) value(c *plan.Call) (plan.Expr, error) {
	args, ok := parts(c.Args[0], "map")
	if !ok || len(args) == 0 || !contains(c, func(e plan.Expr) bool { _, col := e.(*plan.Attr); return col }) {
		return c, nil
	}
	key := c.Args[1]
	if !cheap(key) && len(args) > 2 || fn.KeyType(key.Type()) != nil {
		return c, nil
	}
	n := &plan.Case{At: c.At}
	for i := 0; i+1 < len(args); i += 2 {
		if !types.Equal(args[i].Type(), key.Type()) || !types.Equal(args[i+1].Type(), c.T) {
			return c, nil
		}
		w, err := s.one(boolCall("=", key, args[i]))
		if err != nil {
			return nil, err
		}
		n.When, n.Then = append(n.When, w), append(n.Then, args[i+1])
	}
	return s.caseWhen(n), nil
}

// extraction takes directly what c takes out of something made in place.
func (s *simplifier) extraction(c *plan.Call) (plan.Expr, error) {
	if len(c.Args) != 2 {
		return c, nil
	}
	switch c.Name {
	case "get_array_item", "get":
		return item(c), nil
	case "get_array_struct_fields":
		return s.fields(c)
	case "get_map_value":
		return s.value(c)
	}
	return c, nil
}

// countAll counts rows where c counts values that are never null since they are made in place.
func countAll(c *plan.Call) plan.Expr {
	if c.Name != "count" || c.Distinct || len(c.Args) != 1 || !whole(c.Args[0]) || !deterministic(c.Args[0]) {
		return c
	}
	n := *c
	n.Args = []plan.Expr{&plan.Literal{T: types.Int32Type, Value: int32(1)}}
	return &n
}

// onlyFields: in all of list, the column id is only looked at field by field.
func onlyFields(list []plan.Expr, id plan.ExprID) bool {
	var bare func(e plan.Expr) bool
	bare = func(e plan.Expr) bool {
		switch x := e.(type) {
		case *plan.Attr:
			return x.ID == id
		case *plan.GetField:
			if _, ok := x.Child.(*plan.Attr); ok {
				return false
			}
		}
		return slices.ContainsFunc(e.Children(), bare)
	}
	return !slices.ContainsFunc(list, bare)
}
