package fn

import (
	"slices"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// The functions of collections give their arguments one type by rules of their
// own, which are the same in ANSI mode (Spark: inputTypes of
// collectionOperations.scala): that to which both convert without loss, so that
// decimals of several precisions, and numbers and texts, don't go together.

// lossless is the type that holds the values of both without loss, or nil.
func lossless(a, b *types.Type) *types.Type { return types.Rules{}.Tightest(a, b) }

// wider is, where functions compare only, the type that holds the values of both, or nil.
func wider(a, b *types.Type) *types.Type { return types.Rules{}.Wider(a, b, false) }

// unifyElem rewrites a call of an array and, at elem, a value that goes with its elements.
func unifyElem(elem int, common func(a, b *types.Type) *types.Type) func(c *plan.Call) (plan.Expr, error) {
	return func(c *plan.Call) (plan.Expr, error) {
		arr, x := c.Args[0].Type(), c.Args[elem].Type()
		if arr.Kind != types.Array {
			return c, nil
		}
		w := arr.Elem
		if !types.SameType(w, x) {
			w = common(w, x)
		}
		switch {
		case w == nil:
			return nil, differ(c, "ARRAY_FUNCTION_DIFF_TYPES", "dataType", "ARRAY", x)
		case c.T.Kind != types.Array || c.Name == "array_remove": // they compare
			if err := mustOrder(c, w); err != nil {
				return nil, err
			}
		}
		n := castArgs(c, map[int]*types.Type{0: types.NewArray(w, arr.ElemNulls), elem: w})
		if c.T != nil && c.T.Kind == types.Array {
			n.T = types.NewArray(w, c.T.ElemNulls)
		}
		return n, nil
	}
}

// unifyKey rewrites a call of a map and a value that is looked for among its keys; other calls stay.
func unifyKey(common func(a, b *types.Type) *types.Type) func(c *plan.Call) (plan.Expr, error) {
	return func(c *plan.Call) (plan.Expr, error) {
		m, x := c.Args[0].Type(), c.Args[1].Type()
		if m.Kind != types.Map || types.SameType(m.Key, x) {
			return c, nil
		}
		w := common(m.Key, x)
		if w == nil {
			return nil, differ(c, "MAP_FUNCTION_DIFF_TYPES", "dataType", "MAP", x)
		}
		return castArgs(c, map[int]*types.Type{0: types.NewMap(w, m.Elem, m.ElemNulls), 1: w}), nil
	}
}

// unifyArrays rewrites a call of two arrays.
func unifyArrays(c *plan.Call) (plan.Expr, error) {
	w, err := commonArray(c)
	if err == nil {
		err = mustOrder(c, w.Elem)
	}
	if err != nil {
		return nil, err
	}
	return castArgs(c, map[int]*types.Type{0: types.NewArray(w.Elem, c.Args[0].Type().ElemNulls), 1: types.NewArray(w.Elem, c.Args[1].Type().ElemNulls)}), nil
}

// commonArray is the type of which both arrays of a call can be.
func commonArray(c *plan.Call) (*types.Type, error) {
	a, b := c.Args[0].Type(), c.Args[1].Type()
	if a.Kind == types.Array && b.Kind == types.Array {
		if w := lossless(a, b); w != nil {
			return w, nil
		}
	}
	return nil, differ(c, "BINARY_ARRAY_DIFF_TYPES", "arrayType", "ARRAY", b)
}

// retArrays is the result of a function of two arrays: an array of either's
// elements, in which nulls says whether there may be NULLs.
func retArrays(nulls func(a, b bool) bool) func(c *plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		w, err := commonArray(c)
		if err != nil {
			return nil, false, err
		}
		a, b := c.Args[0], c.Args[1]
		return types.NewArray(w.Elem, nulls(a.Type().ElemNulls, b.Type().ElemNulls)), a.Nullable() || b.Nullable(), nil
	}
}

// differ is the error of a call whose first argument and one of type b have no common type.
func differ(c *plan.Call, condition, kind, of string, b *types.Type) error {
	return errs.New(errs.Analysis, "DATATYPE_MISMATCH."+condition, "functionName", errs.ID(c.Name), kind, errs.Quote(of),
		"leftType", errs.Quote(c.Args[0].Type().SQL()), "rightType", errs.Quote(b.SQL()), "sqlExpr", "").At(c.Pos())
}

// mustOrder refuses elements that can't be compared.
func mustOrder(c *plan.Call, elem *types.Type) error {
	if elem.IsOrderable() {
		return nil
	}
	return errs.New(errs.Analysis, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE", "functionName", errs.ID(c.Name), "dataType", errs.Quote(elem.SQL()), "sqlExpr", "").At(c.Pos())
}

// castArgs is the call with arguments of the types given.
func castArgs(c *plan.Call, to map[int]*types.Type) *plan.Call {
	n := *c
	n.Args = slices.Clone(c.Args)
	for i, t := range to {
		if !types.SameType(n.Args[i].Type(), t) {
			n.Args[i] = &plan.Cast{At: c.At, Child: n.Args[i], To: t, Mode: c.Mode}
		}
	}
	return &n
}
