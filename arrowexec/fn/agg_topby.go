package fn

import (
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// topMost is the most values that max_by and min_by give at once.
const topMost = 100000

// topK checks the third argument of max_by and min_by.
func topK(c *plan.Call) (int, error) {
	v, ok := constant(c.Args[2])
	if !ok {
		return 0, errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", errs.Quote(c.Name), "inputName", "k", "inputType", "int", "inputExpr", exprName(c.Args[2])).At(c.Pos())
	}
	k, _ := v.(int32)
	if k < 1 || k > topMost {
		return 0, errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", errs.ID("k"), "valueRange", "[1, "+strconv.Itoa(topMost)+"]", "currentValue", strconv.Itoa(int(k)), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
	}
	return int(k), nil
}

// topByAcc is max_by(x, y, k) and min_by: the values of x in the k rows with the greatest or least y, in that order.
type topByAcc struct{ finishAcc }

func (a *topByAcc) Update(group []int32, args []*vec.Vector, n int) error {
	return a.valueLog.Update(group, []*vec.Vector{args[1], args[0]}, n)
}

func newTopBy(a AggArgs, max bool) (Accumulator, error) {
	k, err := topK(a.Call)
	if err != nil {
		return nil, err
	}
	cmp := comparer(a.Args[1])
	t := &topByAcc{finishAcc{valueLog: newLog(a.Env, []*types.Type{a.Args[1], a.Args[0]}, 1, false), ret: a.Ret}}
	t.finish = func(out *vec.Builder, vals []*vec.Vector, idx []int32) error {
		if len(idx) == 0 {
			out.AppendNull()
			return nil
		}
		y := vals[0]
		if err := sortSteps(idx, func(i, j int32) int {
			d := cmp(y, int(i), y, int(j))
			if max {
				return -d
			}
			return d
		}, a.Env.Yield); err != nil {
			return err
		}
		idx = idx[:min(k, len(idx))]
		out.Child(0).AppendRows(vals[1], idx)
		out.EndList(len(idx))
		return nil
	}
	return t, nil
}

// withTop adds to max_by and min_by the overload that gives several values.
func withTop(d Def, max bool) Def {
	one := d.Agg.New
	d.Overloads = append(d.Overloads, Overload{Params: params(aggAny, aggAny, exactIntP), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
		if _, err := orderable(d.Name, 1, retSame)([]*types.Type{c.Args[0].Type(), c.Args[1].Type()}); err != nil {
			return nil, false, err
		}
		_, err := topK(c)
		return types.NewArray(c.Args[0].Type(), true), true, err
	}})
	state := d.Agg.State
	d.Agg.State = func(args []*types.Type, ret *types.Type) []*types.Type {
		if len(args) == 3 {
			return logState([]*types.Type{args[1], args[0]})
		}
		return state(args, ret)
	}
	d.Agg.New = func(a AggArgs) (Accumulator, error) {
		if len(a.Call.Args) == 3 {
			return newTopBy(a, max)
		}
		return one(a)
	}
	return d
}
