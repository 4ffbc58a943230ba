package fn

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// retArith is the result type of a binary operator: a decimal's by the
// operator, the wider fields of two intervals, else that of the first argument.
func retArith(op arithOp) retFn {
	return func(args []*types.Type) (*types.Type, error) {
		x, y := args[0], args[1]
		switch {
		case x.Kind == types.Decimal && y.Kind == types.Decimal:
			switch op {
			case opAdd, opSub:
				return types.AddDecimal(x, y, true), nil
			case opMul:
				return types.MulDecimal(x, y, true), nil
			case opDiv:
				return types.DivDecimal(x, y, true), nil
			}
			return types.ModDecimal(x, y, true), nil
		case x.IsAnsiInterval() && y.Kind == x.Kind:
			t := *x
			t.Start, t.End = min(x.Start, y.Start), max(x.End, y.End)
			return &t, nil
		}
		return x, nil
	}
}

// retScaled is the type of interval * number: all fields of the family.
func retScaled(args []*types.Type) (*types.Type, error) {
	switch args[0].Kind {
	case types.YearMonthInterval:
		return types.YearMonthType, nil
	case types.DayTimeInterval:
		return types.DayTimeType, nil
	}
	return args[0], nil
}

var divisibleP = Accept{Name: `("DOUBLE" or "DECIMAL")`, Types: []*types.Type{types.Float64Type},
	Test: func(t *types.Type) bool { return t.Kind == types.Float64 || t.Kind == types.Decimal }}

var divIntP = Accept{Name: `("BIGINT" or "DECIMAL" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`, Types: []*types.Type{types.Int64Type},
	Test: func(t *types.Type) bool {
		return t.Kind == types.Int64 || t.Kind == types.Decimal || t.IsAnsiInterval()
	}}

// infix is the Pretty of a binary operator.
func infix(op string) func([]string) string {
	return func(a []string) string {
		if len(a) == 1 {
			return "(" + op + " " + a[0] + ")"
		}
		return "(" + a[0] + " " + op + " " + a[1] + ")"
	}
}

func prefix(op string) func([]string) string {
	return func(a []string) string { return "(" + op + " " + a[0] + ")" }
}

func arithmetic() []Def {
	scaled := func(divide bool, m plan.EvalMode, fixed bool) Overload {
		k := scaleInterval(divide)
		if fixed {
			k = withMode(k, m)
		}
		return sig(retScaled, k, intervalP, numericP)
	}
	try := func(op arithOp) Kernel { return withMode(arith(op), plan.Try) }
	both := []int{}
	op := func(o arithOp, k Kernel, p Accept) Overload {
		return Overload{Params: params(p, p), Same: both, Ret: retArith(o), Eval: k}
	}
	return []Def{
		{Name: "+", Since: "1.0.0", Group: "math_funcs", Usage: "Adds two numbers or two intervals.", Ansi: true, Kind: plan.FnScalar, Pretty: infix("+"),
			Overloads: []Overload{op(opAdd, arith(opAdd), numberOrIntervalP)}, Examples: []Example{{"SELECT 1 + 2", "3"}}},
		{Name: "-", Since: "1.0.0", Group: "math_funcs", Usage: "Subtracts the second number or interval from the first.", Ansi: true, Kind: plan.FnScalar, Pretty: infix("-"),
			Overloads: []Overload{op(opSub, arith(opSub), numberOrIntervalP)}, Examples: []Example{{"SELECT 2 - 1", "1"}}},
		{Name: "*", Since: "1.0.0", Group: "math_funcs", Usage: "Multiplies two numbers, or an interval by a number.", Ansi: true, Kind: plan.FnScalar, Pretty: infix("*"),
			Overloads: []Overload{op(opMul, arith(opMul), numericP), scaled(false, 0, false)}, Examples: []Example{{"SELECT 2 * 3", "6"}}},
		{Name: "/", Since: "1.0.0", Group: "math_funcs", Usage: "Divides; the result is a DOUBLE or a DECIMAL, or an interval when the first argument is one.", Ansi: true, Nulls: NullMaybe, Kind: plan.FnScalar, Pretty: infix("/"),
			Overloads: []Overload{op(opDiv, arith(opDiv), divisibleP), scaled(true, 0, false)}, Examples: []Example{{"SELECT 3 / 2", "1.5"}}},
		{Name: "%", Aliases: []string{"mod"}, Since: "1.0.0", Group: "math_funcs", Usage: "Gives the remainder of a division, with the sign of the first argument.", Ansi: true, Nulls: NullMaybe, Kind: plan.FnScalar, Pretty: infix("%"),
			Overloads: []Overload{op(opMod, arith(opMod), numericP)}, Examples: []Example{{"SELECT 2 % 1.8", "0.2"}, {"SELECT MOD(-7, 3)", "-1"}}},
		{Name: "div", Since: "3.0.0", Group: "math_funcs", Usage: "Divides and drops the fraction; the result is a BIGINT.", Ansi: true, Nulls: NullMaybe, Kind: plan.FnScalar, Pretty: infix("div"),
			Overloads: []Overload{{Params: params(divIntP, divIntP), Same: both, Ret: gives(types.Int64Type), Eval: integralDivide}}, Examples: []Example{{"SELECT 7 div 2", "3"}}},
		{Name: "pmod", Since: "1.5.0", Group: "math_funcs", Usage: "Gives the remainder of a division as a number that isn't negative (for a positive divisor).", Ansi: true, Nulls: NullMaybe, Kind: plan.FnScalar,
			Overloads: []Overload{op(opPmod, arith(opPmod), numericP)}, Examples: []Example{{"SELECT pmod(-7, 3)", "2"}}},
		{Name: "negative", Since: "1.0.0", Group: "math_funcs", Usage: "Changes the sign.", Ansi: true, Kind: plan.FnScalar,
			Overloads: []Overload{sig(givesArg(0), negate, numberOrIntervalP)}, Examples: []Example{{"SELECT negative(1)", "-1"}}},
		{Name: "positive", Since: "1.5.0", Group: "math_funcs", Usage: "Gives its argument.", Kind: plan.FnScalar, Pretty: prefix("+"),
			Overloads: []Overload{sig(givesArg(0), identity, numberOrIntervalP)}, Examples: []Example{{"SELECT positive(1)", "1"}}},
		{Name: "abs", Since: "1.2.0", Group: "math_funcs", Usage: "Gives the absolute value of a number or an interval.", Ansi: true, Kind: plan.FnScalar,
			Overloads: []Overload{sig(givesArg(0), absolute, Accept{Name: `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`, Types: []*types.Type{types.Float64Type},
				Test: func(t *types.Type) bool { return t.IsNumeric() || t.IsAnsiInterval() }})}, Examples: []Example{{"SELECT abs(-1)", "1"}}},
		{Name: "try_add", Since: "3.2.0", Group: "math_funcs", Usage: "Adds, and gives NULL on overflow.", Nulls: NullMaybe, Kind: plan.FnScalar,
			Overloads: []Overload{op(opAdd, try(opAdd), numberOrIntervalP)}, Examples: []Example{{"SELECT try_add(1, 2)", "3"}, {"SELECT try_add(2147483647, 1)", "NULL"}}},
		{Name: "try_subtract", Since: "3.3.0", Group: "math_funcs", Usage: "Subtracts, and gives NULL on overflow.", Nulls: NullMaybe, Kind: plan.FnScalar,
			Overloads: []Overload{op(opSub, try(opSub), numberOrIntervalP)}, Examples: []Example{{"SELECT try_subtract(2, 1)", "1"}, {"SELECT try_subtract(-2147483648, 1)", "NULL"}}},
		{Name: "try_multiply", Since: "3.3.0", Group: "math_funcs", Usage: "Multiplies, and gives NULL on overflow.", Nulls: NullMaybe, Kind: plan.FnScalar,
			Overloads: []Overload{op(opMul, try(opMul), numericP), scaled(false, plan.Try, true)}, Examples: []Example{{"SELECT try_multiply(2, 3)", "6"}, {"SELECT try_multiply(-2147483648, 10)", "NULL"}}},
		{Name: "try_divide", Since: "3.2.0", Group: "math_funcs", Usage: "Divides, and gives NULL where the divisor is 0.", Nulls: NullMaybe, Kind: plan.FnScalar,
			Overloads: []Overload{op(opDiv, try(opDiv), divisibleP), scaled(true, plan.Try, true)}, Examples: []Example{{"SELECT try_divide(3, 2)", "1.5"}, {"SELECT try_divide(1, 0)", "NULL"}}},
		{Name: "try_mod", Since: "4.0.0", Group: "math_funcs", Usage: "Gives the remainder of a division, and NULL where the divisor is 0.", Nulls: NullMaybe, Kind: plan.FnScalar,
			Overloads: []Overload{op(opMod, try(opMod), numericP)}, Examples: []Example{{"SELECT try_mod(3, 2)", "1"}, {"SELECT try_mod(1, 0)", "NULL"}}},
	}
}
