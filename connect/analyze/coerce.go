package analyze

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// implicit casts e to t where they differ. Types that differ only in inner
// nullability need no cast when t allows more nulls, as t is what consumers see.
func (r *run) implicit(e plan.Expr, t *types.Type) plan.Expr {
	from := e.Type()
	if types.Equal(from, t) {
		return e
	}
	if l, ok := e.(*plan.Literal); ok && l.Value == nil && l.T.Kind == types.Null {
		return r.note(&plan.Literal{At: l.At, T: t}, e)
	}
	if x := r.byDay(e, t); x != nil {
		return r.note(x, e)
	}
	at := r.within
	if at == nil {
		at = e.Pos()
	}
	return &plan.Cast{At: plan.At{Origin: at}, Child: e, To: t, Mode: r.mode(), Implicit: true}
}

// nullFor is the argument e, a NULL without a type, of a parameter that takes t and casts nothing to it (Spark: ExpectsInputTypes
// without ImplicitCastInputTypes). It is the NULL of that type, whatever e would have done.
func (r *run) nullFor(e plan.Expr, t *types.Type) plan.Expr {
	return &plan.Literal{At: plan.At{Origin: e.Pos()}, T: t}
}

func (r *run) implicitAll(l []plan.Expr, t *types.Type) []plan.Expr {
	out := make([]plan.Expr, len(l))
	for i, e := range l {
		out[i] = r.implicit(e, t)
	}
	return out
}

// common is the type that all of l are given (CASE, IN, coalesce, array), or nil.
func (r *run) common(l []plan.Expr) *types.Type {
	t := r.coercion().WiderAll(typesOf(l), true)
	return t
}

// canImplicit reports whether a function argument of type a may be cast to b
// without being asked (Spark: AnsiTypeCoercion.implicitCast, TypeCoercion.implicitCast).
func (r *run) canImplicit(a, b *types.Type) bool {
	switch {
	case types.SameType(a, b), a.Kind == types.Null:
		return true
	case a.UDT != "" || b.UDT != "":
		return false
	case a.IsString() && b.IsString():
		return true
	case a.IsString():
		return b.IsNumeric() || b.Kind == types.Bool || b.Kind == types.Binary || b.IsDatetime() || b.Kind == types.Time || b.IsAnsiInterval()
	case b.IsString():
		return a.Kind < types.Array && (r.Conf.ANSI || a.Kind != types.CalendarInterval) || a.Kind == types.Variant
	case a.IsNumeric() && b.IsNumeric():
		return true
	case (a.IsDatetime() || a.Kind == types.Time) && b.IsDatetime():
		return true
	case a.Kind == types.Time && b.Kind == types.Time:
		return true
	case a.Kind == b.Kind && a.IsAnsiInterval():
		return true
	case a.Kind == types.Array && b.Kind == types.Array:
		return r.canImplicit(a.Elem, b.Elem)
	case a.Kind == types.Map && b.Kind == types.Map:
		return r.canImplicit(a.Key, b.Key) && r.canImplicit(a.Elem, b.Elem)
	case a.Kind == types.Struct && b.Kind == types.Struct:
		if len(a.Fields) != len(b.Fields) {
			return false
		}
		for i := range a.Fields {
			if !r.canImplicit(a.Fields[i].Type, b.Fields[i].Type) {
				return false
			}
		}
		return true
	}
	return false
}

// castCost ranks implicit casts: which of several overloads a call takes.
// Below 0: there is none.
func (r *run) castCost(a, b *types.Type) int {
	switch {
	case types.SameType(a, b):
		return 0
	case a.Kind == types.Null:
		return 1
	case !r.canImplicit(a, b):
		return -1
	case a.Kind == types.Decimal && b.Kind == types.Decimal:
		return 2
	case a.IsNumeric() && b.IsNumeric():
		if t := (types.Rules{}).Tightest(a, b); t != nil && types.SameType(t, b) {
			return 2 + int(b.Kind) - int(a.Kind)
		}
		if b.Kind == types.Float64 {
			return 15
		}
		if b.Kind == types.Decimal {
			return 12
		}
		return 60
	case a.IsString() && b.IsString():
		return 1
	case a.IsString():
		switch b.Kind {
		case types.Float64:
			return 20
		case types.Binary:
			return 18
		case types.Timestamp:
			return 25
		}
		return 30
	case b.IsString() && a.IsNumeric():
		return 61
	case b.IsString():
		return 40
	case a.Kind == types.Date && b.Kind == types.Timestamp:
		return 5
	case a.IsDatetime():
		return 8
	}
	return 10
}

// literalDecimal is the tightest decimal of an integer literal, which meets
// decimals with its own digits rather than with those of its type.
func literalDecimal(e plan.Expr) *types.Type {
	l, ok := e.(*plan.Literal)
	if !ok || l.Value == nil {
		return nil
	}
	var v int64
	switch x := l.Value.(type) {
	case int16:
		v = int64(x)
	case int32:
		v = int64(x)
	case int64:
		v = x
	default:
		return nil
	}
	if !l.T.IsIntegral() {
		return nil
	}
	p := 1
	for v /= 10; v != 0; v /= 10 {
		p++
	}
	return types.NewDecimal(p, 0)
}

// coercion is how two types find a common one in this session.
func (r *run) coercion() types.Rules {
	return types.Rules{ANSI: r.Conf.ANSI, FractionFirst: r.Conf.flag("spark.sql.legacy.decimal.retainFractionDigitsOnTruncate", false)}
}

func (r *run) allowLoss() bool {
	return r.Conf.flag("spark.sql.decimalOperations.allowPrecisionLoss", true)
}
