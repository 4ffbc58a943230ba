package wire

import (
	"reflect"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// registry lists the types that may stand behind an interface. The number on
// the wire is the place here, from 1; the fingerprint changes with the list.
var registry = []reflect.Type{
	// physical.Node
	reflect.TypeFor[*physical.Scan](),
	reflect.TypeFor[*physical.Local](),
	reflect.TypeFor[*physical.Range](),
	reflect.TypeFor[*physical.Filter](),
	reflect.TypeFor[*physical.Project](),
	reflect.TypeFor[*physical.HashAggregate](),
	reflect.TypeFor[*physical.HashJoin](),
	reflect.TypeFor[*physical.NestedLoopJoin](),
	reflect.TypeFor[*physical.Sort](),
	reflect.TypeFor[*physical.TopK](),
	reflect.TypeFor[*physical.Limit](),
	reflect.TypeFor[*physical.Window](),
	reflect.TypeFor[*physical.Union](),
	reflect.TypeFor[*physical.Expand](),
	reflect.TypeFor[*physical.Generate](),
	reflect.TypeFor[*physical.Sample](),
	reflect.TypeFor[*physical.ScriptTransform](),
	reflect.TypeFor[*physical.Exchange](),
	reflect.TypeFor[*physical.Coalesce](),
	reflect.TypeFor[*physical.RecursiveLoop](),
	reflect.TypeFor[*physical.LoopRef](),
	reflect.TypeFor[*physical.Write](),
	reflect.TypeFor[*physical.StateAggregate](),
	reflect.TypeFor[*physical.StateDedup](),
	reflect.TypeFor[*physical.Watermark](),
	reflect.TypeFor[*physical.Observe](),
	reflect.TypeFor[*physical.Read](),

	// plan.Expr, those that a bound expression may have
	reflect.TypeFor[*plan.Literal](),
	reflect.TypeFor[*plan.Bound](),
	reflect.TypeFor[*plan.Attr](), // in lambdas and names only; a stage has none that is evaluated
	reflect.TypeFor[*plan.Alias](),
	reflect.TypeFor[*plan.LambdaVar](),
	reflect.TypeFor[*plan.Lambda](),
	reflect.TypeFor[*plan.Call](),
	reflect.TypeFor[*plan.Cast](),
	reflect.TypeFor[*plan.Case](),
	reflect.TypeFor[*plan.GetField](),
	reflect.TypeFor[*plan.Window](),

	// values of literals, see package types
	reflect.TypeFor[bool](),
	reflect.TypeFor[int](),
	reflect.TypeFor[int8](),
	reflect.TypeFor[int16](),
	reflect.TypeFor[int32](),
	reflect.TypeFor[int64](),
	reflect.TypeFor[float32](),
	reflect.TypeFor[float64](),
	reflect.TypeFor[types.Int128](),
	reflect.TypeFor[string](),
	reflect.TypeFor[[]byte](),
	reflect.TypeFor[types.CalendarValue](),
	reflect.TypeFor[[]any](),
	reflect.TypeFor[types.MapValue](),
	reflect.TypeFor[types.StructValue](),
	reflect.TypeFor[types.VariantValue](),

	// rows that come with a plan
	reflect.TypeFor[[]*vec.Batch](),
}

// refused are types that implement the interfaces and never cross, and why.
var refused = map[reflect.Type]string{
	reflect.TypeFor[*plan.UDF]():               "its function lives in this process's workers",
	reflect.TypeFor[*plan.UnresolvedAttr]():    unresolved,
	reflect.TypeFor[*plan.UnresolvedStar]():    unresolved,
	reflect.TypeFor[*plan.UnresolvedRegex]():   unresolved,
	reflect.TypeFor[*plan.UnresolvedOrdinal](): unresolved,
	reflect.TypeFor[*plan.Parameter]():         unresolved,
	reflect.TypeFor[*plan.Extract]():           unresolved,
	reflect.TypeFor[*plan.UpdateFields]():      unresolved,
	reflect.TypeFor[*plan.NamedExprList]():     unresolved,
	reflect.TypeFor[*plan.OuterRef]():          logical,
	reflect.TypeFor[*plan.Subquery]():          logical,
}

const (
	unresolved = "it isn't resolved"
	logical    = "only a logical plan may have it"
)

var numbers = func() map[reflect.Type]uint64 {
	m := map[reflect.Type]uint64{}
	for i, t := range registry {
		m[t] = uint64(i + 1)
	}
	return m
}()

// whyRefused says why a type that isn't in the registry doesn't cross.
func whyRefused(t reflect.Type) *RefusedError {
	why, ok := refused[t]
	if !ok {
		why = "there is no encoding of it"
	}
	return &RefusedError{What: t.String(), Why: why}
}
