package fn

import (
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// unionAcc is collect_union: a set of the elements of arrays.
type unionAcc struct{ collectAcc }

func (a *unionAcc) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[0]
	var idx, grp []int32
	add := func() error {
		elems := v.Child[0].Gather(idx)
		err := a.collectAcc.Update(grp, []*vec.Vector{elems}, len(grp))
		idx, grp = idx[:0], grp[:0]
		if err == nil {
			err = a.yield()
		}
		return err
	}
	for i := range n {
		if v.IsNull(i) {
			continue
		}
		r := vec.Refs(v)[i]
		for k := range r.Len() {
			idx, grp = append(idx, int32(r.Start()+k)), append(grp, group[i])
			if len(grp) == logStep {
				if err := add(); err != nil {
					return err
				}
			}
		}
	}
	if len(grp) == 0 {
		return nil
	}
	return add()
}

// unites reports whether elements of type t have an equality that collect_union goes by.
func unites(t *types.Type) bool {
	switch t.Kind {
	case types.Map:
		return false
	case types.Array:
		return unites(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if !unites(f.Type) {
				return false
			}
		}
	}
	return !t.IsString() || t.Collation == "" || t.Collation == "UTF8_BINARY"
}

func collectUnion() []Def {
	d := aggDef(Def{Name: "collect_union", Since: "4.3.0", Nulls: NullNever, Usage: "Collects the different elements of arrays, without nulls, into an array.",
		Overloads: aggOver(Accept{Name: "ARRAY", Types: []*types.Type{}, Test: func(t *types.Type) bool { return t.Kind == types.Array }, Exact: true}),
		Examples:  []Example{{"SELECT collect_union(col) FROM VALUES (array(1, 2)), (array(2, 3)), (array(1)) AS tab(col)", "[1,2,3]"}}}, nil,
		AggDef{
			State: func(args []*types.Type, _ *types.Type) []*types.Type { return logState([]*types.Type{args[0].Elem}) },
			New: func(a AggArgs) (Accumulator, error) {
				skip := 1
				if a.Call.Nulls == plan.RespectNulls {
					skip = 0
				}
				return &unionAcc{collectAcc{newLog(a.Env, []*types.Type{a.Args[0].Elem}, skip, true), a.Ret}}, nil
			},
			Empty: []any{}, OrderMatters: true,
		})
	d.Overloads[0].RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
		t := c.Args[0].Type()
		if !unites(t.Elem) {
			return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE", "functionName", errs.ID(c.Name),
				"dataType", `"MAP" or "COLLATED STRING"`, "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
		}
		return types.NewArray(t.Elem, c.Nulls == plan.RespectNulls && t.ElemNulls), false, nil
	}
	return []Def{d}
}
