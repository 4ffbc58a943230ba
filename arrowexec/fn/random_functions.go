package fn

import (
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// xorShiftOf is Spark's generator, seeded by argument k or, if there is none, by the call, and by the partition and the round of a recursion.
func xorShiftOf(a *Args, k int) (*xorShift, error) {
	return state(a, func() (*xorShift, error) {
		seed := a.Call.Seed
		if k < len(a.V) {
			if seed = 0; a.N > 0 && !a.V[k].IsNull(0) {
				seed = getInt(a.V[k], 0)
			}
		}
		return newXorShift(seed + a.Env.seedShift()), nil
	})
}

const randomLetters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func randStr(a *Args) (*vec.Vector, error) {
	x, err := xorShiftOf(a, 1)
	if err != nil {
		return nil, err
	}
	return textKernel(func(a *Args, i int, dst []byte) []byte {
		if a.V[0].IsNull(i) {
			return dst
		}
		a.room(len(dst), max(a.i32(0, i), 0))
		for range max(a.i32(0, i), 0) {
			v := int32(x.next(32)) % int32(len(randomLetters))
			dst = append(dst, randomLetters[max(v, -v)])
		}
		return dst
	})(a)
}

// randomNames are the functions that give another value for each row. (The table itself can't be asked: it refers to this file.)
var randomNames = map[string]bool{"rand": true, "randn": true, "randstr": true, "uuid": true, "shuffle": true, "monotonically_increasing_id": true, "spark_partition_id": true, "input_file_name": true, "input_file_block_start": true, "input_file_block_length": true}

// varies reports whether an argument may differ from row to row.
func varies(e plan.Expr) bool {
	found := false
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.Attr, *plan.OuterRef, *plan.Bound, *plan.LambdaVar, *plan.Subquery, *plan.Window, *plan.UDF:
			found = true
		case *plan.Call:
			found = found || x.Kind != plan.FnScalar || randomNames[x.Name]
		}
		return !found
	})
	return found
}

// mustBeConstant refuses an argument that isn't the same for all rows.
func mustBeConstant(c *plan.Call, i int, name, kind string) error {
	if i >= len(c.Args) || !varies(c.Args[i]) {
		return nil
	}
	return errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", errs.ID(name), "inputType", kind, "inputExpr", errs.Quote(exprName(c.Args[i])))
}

// seedP takes what seeds may be.
var seedP = Accept{Name: `("INT" or "BIGINT")`, Exact: true, Types: []*types.Type{types.Int64Type}, Test: func(t *types.Type) bool { return t.Kind == types.Int64 || t.Kind == types.Int32 }}

func retRandStr(c *plan.Call) (*types.Type, bool, error) {
	for i, name := range []string{"length", "seed"} {
		if err := mustBeConstant(c, i, name, "integer"); err != nil {
			return nil, false, err
		}
	}
	if v, ok := constant(c.Args[0]); ok {
		if n, ok := IntValue(v); ok && n < 0 {
			return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", "", "exprName", errs.ID("length"), "valueRange", "[0, 2147483647]", "currentValue", strconv.FormatInt(n, 10))
		}
	}
	return types.StringType, false, nil
}

func retRandom(c *plan.Call) (*types.Type, bool, error) {
	if len(c.Args) > 0 && varies(c.Args[0]) {
		return nil, false, errs.New(errs.Analysis, "SEED_EXPRESSION_IS_UNFOLDABLE", "seedExpr", errs.Quote(exprName(c.Args[0])), "exprWithSeed", errs.Quote(c.Name+"("+exprName(c.Args[0])+")"))
	}
	return types.Float64Type, false, nil
}

func randomFunctions() []Def {
	return []Def{
		{Name: "randstr", Since: "4.0.0", Group: "string_funcs", Usage: "Gives a random text of letters and digits, of a length.", Kind: plan.FnScalar, Nulls: NullNever, Random: true,
			Overloads: []Overload{{Params: params(int32P), RetExpr: retRandStr, Eval: randStr}, {Params: params(int32P, seedP), RetExpr: retRandStr, Eval: randStr}}, Examples: []Example{{"SELECT randstr(3, 0)", "ceV"}}},
	}
}
