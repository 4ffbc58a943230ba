package fn

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Nullability that no NullRule says: what Spark answers in df.schema.

// retAnyNull is nullable where an argument is.
func retAnyNull(ret func([]*types.Type) (*types.Type, error)) func(c *plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		t, err := ret(argTypes(c))
		null := false
		for _, a := range c.Args {
			null = null || a.Nullable()
		}
		return t, null, err
	}
}

// retAllNull is nullable where all arguments are.
func retAllNull(ret func([]*types.Type) (*types.Type, error)) func(c *plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		t, err := ret(argTypes(c))
		null := true
		for _, a := range c.Args {
			null = null && a.Nullable()
		}
		return t, null, err
	}
}

// retNullable is nullable whatever the arguments are.
func retNullable(t *types.Type) func(c *plan.Call) (*types.Type, bool, error) {
	return func(*plan.Call) (*types.Type, bool, error) { return t, true, nil }
}

func argTypes(c *plan.Call) []*types.Type {
	out := make([]*types.Type, len(c.Args))
	for i, a := range c.Args {
		out[i] = a.Type()
	}
	return out
}

// retItem is the element of an array at an index that counts from base; try: an
// index that isn't there gives NULL in any mode. Of array(...) at a constant
// index it is as nullable as that element; any other array at a constant index
// may lack it. Spark forgets NULL as the array or as the index; here they make
// the result nullable, as a NULL in a column said to have none is read wrongly.
func retItem(base int64, try bool) func(c *plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		t := c.Args[0].Type()
		fails := !try && c.Mode == plan.ANSI
		if c.Args[0].Nullable() || c.Args[1].Nullable() {
			return t.Elem, true, nil
		}
		n, ok := int64(0), false
		if v, is := constant(c.Args[1]); is {
			n, ok = IntValue(v)
		}
		if !ok {
			return t.Elem, !fails || t.ElemNulls, nil
		}
		list, _ := c.Args[0].(*plan.Call)
		if list == nil || list.Name != "array" {
			return t.Elem, true, nil
		}
		if base == 1 && n < 0 {
			n = -n // Spark looks at the element so far from the start
		}
		if base == 1 && n == 0 {
			return t.Elem, false, nil // fails in any mode
		}
		if n -= base; n < 0 || n >= int64(len(list.Args)) {
			return t.Elem, !fails, nil
		}
		return t.Elem, list.Args[n].Nullable(), nil
	}
}
