package fn

import (
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// placing has what is written about rows' places rather than about values.
func placing() []Def {
	dir := func(args []string) string {
		s := args[0] + " ASC"
		if args[1] == "true" {
			s = args[0] + " DESC"
		}
		if args[2] == "true" {
			return s + " NULLS LAST"
		}
		return s + " NULLS FIRST"
	}
	transform := func(name string, o ...Accept) Def {
		return Def{Name: name, Since: "3.1.0", Group: "internal", Usage: "Is a way to partition a table, which can't be computed.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: []Overload{sig(gives(types.Int32Type), notAValue, o...)}}
	}
	bucket := transform("bucket", int32P, anyP)
	bucket.Pretty = func(args []string) string { return "bucket(" + args[len(args)-1] + ")" }
	return []Def{
		transform("years", anyP), transform("months", anyP), transform("days", anyP), transform("hours", anyP), bucket,
		{Name: "sort_order", Since: "1.3.0", Group: "internal", Usage: "Is an order outside of a sort, which can't be computed.", Kind: plan.FnScalar, Pretty: dir, Nulls: NullMaybe,
			Overloads: []Overload{sig(givesArg(0), noOrder, anyP, boolP, boolP)}},
		{Name: "shuffle_partition_key", Since: "4.1.0", Group: "internal", Usage: "Gives a number whose hash is that of the partition asked for.", Kind: plan.FnScalar, Nulls: NullNever,
			Overloads: []Overload{sig(gives(types.Int32Type), partitionKey, int32P, int32P)}},
	}
}

// notAValue is what partition transforms do outside of partitionedBy.
func notAValue(a *Args) (*vec.Vector, error) {
	if a.N > 0 {
		what := "..."
		if a.Call != nil && len(a.Call.Args) > 0 {
			if b, ok := a.Call.Args[len(a.Call.Args)-1].(*plan.Bound); ok {
				what = b.Name
			}
		}
		name := ""
		if a.Call != nil {
			name = a.Call.Name
		}
		return nil, errs.New(errs.Execution, "PARTITION_TRANSFORM_EXPRESSION_NOT_IN_PARTITIONED_BY", "expression", errs.Quote(name+"("+what+")")).At(a.pos())
	}
	return vec.NewBuilder(a.Ret, 0).Finish(), nil
}

func noOrder(a *Args) (*vec.Vector, error) {
	if a.N > 0 {
		return nil, errs.New(errs.Internal, "INTERNAL_ERROR", "message", "an order can't be computed as a value").At(a.pos())
	}
	return vec.NewBuilder(a.Ret, 0).Finish(), nil
}

// partitionKey turns numbers of partitions into keys that a hash exchange of
// n partitions deals to them. Numbers count modulo n; null is 0.
func partitionKey(a *Args) (*vec.Vector, error) {
	n := 0
	if a.N > 0 {
		n = int(a.i32(1, 0))
	}
	keys, err := state(a, func() ([]int32, error) { return partitionKeys(n, a.Env.Yield) })
	if err != nil {
		return nil, err
	}
	out := make([]int32, a.N)
	for i := range out {
		p := 0
		if !a.V[0].IsNull(i) {
			if p = int(a.i32(0, i)) % n; p < 0 {
				p += n
			}
		}
		out[i] = keys[p]
	}
	return vec.FromSlice(types.Int32Type, out, nil), nil
}

func partitionKeys(n int, yield func() error) ([]int32, error) {
	keys, have := make([]int32, n), make([]bool, n)
	const step = 1024
	try, part := make([]int32, step), make([]int32, step)
	for at, left := int32(0), n; left > 0; at += step {
		for i := range try {
			try[i] = at + int32(i)
		}
		vec.SparkPartition([]*vec.Vector{vec.FromSlice(types.Int32Type, try, nil)}, step, n, part)
		for i, p := range part {
			if !have[p] {
				keys[p], have[p] = try[i], true
				left--
			}
		}
		if err := yield(); err != nil {
			return nil, err
		}
	}
	return keys, nil
}
