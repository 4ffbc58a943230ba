package analyze

import (
	"slices"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// higherOrder are the functions that take a function.
var higherOrder = map[string]bool{"transform": true, "filter": true, "exists": true, "any_match": true, "forall": true, "all_match": true, "array_sort": true, "aggregate": true, "reduce": true,
	"zip_with": true, "map_filter": true, "transform_keys": true, "transform_values": true, "map_zip_with": true}

// sameShape is equality of types but for the names of fields and nulls.
func sameShape(a, b *types.Type) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case types.Array:
		return sameShape(a.Elem, b.Elem)
	case types.Map:
		return sameShape(a.Key, b.Key) && sameShape(a.Elem, b.Elem)
	case types.Struct:
		if len(a.Fields) != len(b.Fields) {
			return false
		}
		for i := range a.Fields {
			if !sameShape(a.Fields[i].Type, b.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return types.SameType(a, b)
}

// lambdas resolves the lambda arguments of a higher-order function: the types
// of their parameters follow from the other arguments.
func (r *run) lambdas(c *plan.Call, s *scope) error {
	if !higherOrder[c.Name] {
		if d := fn.Lookup(c.Name); d != nil && !slices.ContainsFunc(d.Overloads, func(o fn.Overload) bool { return arity(&o, len(c.Args)) }) {
			return r.wrongNumArgs(c, expectedNum(d))
		}
		return aerr("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "class", strings.ToLower(c.Name)).At(c.Origin)
	}
	least, most, shown := 2, 2, "2"
	switch c.Name {
	case "array_sort":
		least, shown = 1, "[1, 2]"
	case "aggregate", "reduce":
		least, most, shown = 3, 4, "[3, 4]"
	case "zip_with", "map_zip_with":
		least, most, shown = 3, 3, "3"
	}
	if n := len(c.Args); n < least || n > most {
		return r.wrongNumArgs(c, shown)
	}
	// A NULL without a type takes the type that is wanted, but not before lambdas are bound.
	lambda := slices.ContainsFunc(c.Args, func(e plan.Expr) bool { _, ok := e.(*plan.Lambda); return ok })
	untyped := func(i int, t *types.Type) {
		if x := c.Args[i].Type(); x != nil && x.Kind == types.Null && !lambda {
			c.Args[i] = r.nullFor(c.Args[i], t)
		}
	}
	arr := func(i int) (*types.Type, bool, error) {
		untyped(i, types.NewArray(types.NullType, true))
		t := c.Args[i].Type()
		if t == nil || t.Kind != types.Array {
			return nil, false, r.unexpected(c, i, `"ARRAY"`)
		}
		return t.Elem, t.ElemNulls, nil
	}
	mp := func(i int) (*types.Type, error) {
		untyped(i, types.NewMap(types.NullType, types.NullType, true))
		t := c.Args[i].Type()
		if t == nil || t.Kind != types.Map {
			return nil, r.unexpected(c, i, `"MAP"`)
		}
		return t, nil
	}
	type p struct {
		t    *types.Type
		null bool
	}
	bind := func(i int, params ...p) error {
		l, ok := c.Args[i].(*plan.Lambda)
		if !ok { // a value: the function that gives it whatever its arguments are
			hidden := make([]*plan.LambdaVar, len(params))
			for k, p := range params {
				hidden[k] = &plan.LambdaVar{Name: "col" + itoa(k), ID: plan.NewID(), T: p.t, Null: p.null}
			}
			c.Args[i] = &plan.Lambda{At: plan.At{Origin: c.Args[i].Pos()}, Args: hidden, Body: c.Args[i]}
			return nil
		}
		if len(l.Args) != len(params) {
			return aerr("INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "expectedNumArgs", itoa(len(l.Args)), "actualNumArgs", itoa(len(params))).At(l.Origin)
		}
		seen := map[string]bool{}
		ls := &lambdaScope{outer: s.lambda}
		for k, v := range l.Args {
			if seen[r.fold(v.Name)] {
				return aerr("INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES", "args", errs.ID(v.Name), "caseSensitiveConfig", `"spark.sql.caseSensitive"`).At(l.Origin)
			}
			seen[r.fold(v.Name)] = true
			ls.vars = append(ls.vars, &plan.LambdaVar{At: v.At, Name: v.Name, ID: plan.NewID(), T: params[k].t, Null: params[k].null})
		}
		s.lambda = ls
		body, err := r.expr(l.Body, s)
		s.lambda = ls.outer
		if err != nil {
			return err
		}
		n := *l
		n.Args, n.Body = ls.vars, unalias(body)
		c.Args[i] = &n
		return nil
	}
	// A predicate that gives NULL without a type is the NULL, whatever it would have done.
	predicate := func(i int, params ...p) error {
		if err := bind(i, params...); err != nil {
			return err
		}
		if l := c.Args[i].(*plan.Lambda); l.Body.Type() != nil && l.Body.Type().Kind == types.Null {
			n := *l
			n.Body = &plan.Literal{At: plan.At{Origin: l.Body.Pos()}, T: types.BoolType}
			c.Args[i] = &n
		}
		return nil
	}
	switch c.Name {
	case "transform", "filter", "exists", "any_match", "forall", "all_match":
		e, nulls, err := arr(0)
		if err != nil {
			return err
		}
		params := []p{{e, nulls}}
		if l, ok := c.Args[1].(*plan.Lambda); ok && len(l.Args) == 2 && (c.Name == "transform" || c.Name == "filter") {
			params = append(params, p{types.Int32Type, false}) // the index
		}
		if c.Name == "transform" {
			return bind(1, params...)
		}
		return predicate(1, params...)
	case "array_sort":
		if len(c.Args) != 2 {
			return nil // without a comparison
		}
		e, nulls, err := arr(0)
		if err != nil {
			return err
		}
		return bind(1, p{e, nulls}, p{e, nulls})
	case "aggregate", "reduce":
		e, nulls, err := arr(0)
		if err != nil {
			return err
		}
		zero := c.Args[1].Type()
		if err := bind(2, p{zero, true}, p{e, nulls}); err != nil {
			return err
		}
		// The merge may widen the zero: 0 + a bigint element. Spark keeps the zero's type and refuses others.
		if l, ok := c.Args[2].(*plan.Lambda); ok && !types.SameType(l.Body.Type(), zero) && sameShape(l.Body.Type(), zero) {
			n := *l
			n.Body = r.implicit(l.Body, zero) // fields have other names
			c.Args[2] = &n
		} else if ok && !types.SameType(l.Body.Type(), zero) {
			if w := r.coercion().Tightest(zero, l.Body.Type()); w == nil || !types.SameType(w, zero) {
				return r.unexpected(c, 2, errs.Quote(zero.SQL()))
			}
			n := *l
			n.Body = r.implicit(l.Body, zero)
			c.Args[2] = &n
		}
		if len(c.Args) == 4 {
			return bind(3, p{zero, true})
		}
		return nil
	case "zip_with":
		a, _, err := arr(0)
		if err != nil {
			return err
		}
		b, _, err := arr(1)
		if err != nil {
			return err
		}
		return bind(2, p{a, true}, p{b, true})
	case "map_filter", "transform_keys", "transform_values":
		m, err := mp(0)
		if err != nil {
			return err
		}
		if c.Name == "map_filter" {
			return predicate(1, p{m.Key, false}, p{m.Elem, m.ElemNulls})
		}
		return bind(1, p{m.Key, false}, p{m.Elem, m.ElemNulls})
	case "map_zip_with":
		a, err := mp(0)
		if err != nil {
			return err
		}
		b, err := mp(1)
		if err != nil {
			return err
		}
		return bind(2, p{a.Key, false}, p{a.Elem, true}, p{b.Elem, true})
	}
	return nil
}
