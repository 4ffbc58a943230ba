package optimize

import (
	"math/big"

	"neptune/internal/plan"
	"neptune/internal/types"
)

var flipped = map[string]string{"=": "=", "<=>": "<=>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

// comparison puts the constant on the right and takes casts off the column, so
// that sources can compare with their statistics.
func (s *simplifier) comparison(c *plan.Call) plan.Expr {
	a, b := c.Args[0], c.Args[1]
	name := c.Name
	if _, ok := a.(*plan.Literal); ok {
		if _, both := b.(*plan.Literal); !both {
			a, b = b, a
			name = flipped[name]
		}
	}
	lit, ok := b.(*plan.Literal)
	if !ok {
		if c.Name == "<=>" && deterministic(a, b) && key(a) == key(b) {
			return trueLit
		}
		return c
	}
	if name == "=" && lit.Value != nil && types.Equal(a.Type(), types.BoolType) {
		if lit.Value == true {
			return a
		}
		return pushNot(not(a))
	}
	if x, l, ok := unwrap(a, lit); ok {
		a, lit = x, l
	}
	if a == c.Args[0] && plan.Expr(lit) == c.Args[1] {
		return c
	}
	n := boolCall(name, a, lit)
	n.At, n.Mode, n.Null = c.At, c.Mode, c.Null
	return n
}

func unwrapAll(x plan.Expr, vals []plan.Expr) (plan.Expr, []plan.Expr, bool) {
	var out []plan.Expr
	var y plan.Expr
	for _, v := range vals {
		e, l, ok := unwrap(x, v.(*plan.Literal))
		if !ok {
			return nil, nil, false
		}
		y = e
		out = append(out, l)
	}
	return y, out, y != nil
}

// unwrap takes a widening cast off x when the literal has an exact counterpart
// in the narrower type: comparing there gives the same for every value.
func unwrap(x plan.Expr, lit *plan.Literal) (plan.Expr, *plan.Literal, bool) {
	c, ok := x.(*plan.Cast)
	if !ok || lit.Value == nil {
		return nil, nil, false
	}
	from, to := c.Child.Type(), c.To
	if from == nil || !types.SameType(to, lit.T) {
		return nil, nil, false
	}
	mk := func(v any) (plan.Expr, *plan.Literal, bool) {
		return c.Child, &plan.Literal{At: lit.At, T: from, Value: v}, true
	}
	switch {
	case from.IsIntegral():
		var v int64
		switch {
		case to.IsIntegral() && to.Kind > from.Kind:
			v, _ = asInt(lit.Value)
		case to.Kind == types.Decimal:
			d, ok := lit.Value.(types.Int128)
			if !ok {
				return nil, nil, false
			}
			q, r := new(big.Int).QuoRem(d.Big(), pow10(to.Scale), new(big.Int))
			if r.Sign() != 0 || !q.IsInt64() || to.Precision-to.Scale < digits(from.Kind) {
				return nil, nil, false
			}
			v = q.Int64()
		case to.Kind == types.Float64 && from.Kind <= types.Int32:
			f, ok := lit.Value.(float64)
			if !ok || f != float64(int64(f)) || f > 1<<52 || f < -1<<52 {
				return nil, nil, false
			}
			v = int64(f)
		default:
			return nil, nil, false
		}
		n, ok := intValue(from.Kind, v)
		if !ok {
			return nil, nil, false
		}
		return mk(n)
	case from.Kind == types.Decimal && to.Kind == types.Decimal && types.UpCasts(from, to):
		d, ok := lit.Value.(types.Int128)
		if !ok {
			return nil, nil, false
		}
		q, r := new(big.Int).QuoRem(d.Big(), pow10(to.Scale-from.Scale), new(big.Int))
		if r.Sign() != 0 || new(big.Int).Abs(q).Cmp(pow10(from.Precision)) >= 0 {
			return nil, nil, false
		}
		v, ok := types.FromBig(q)
		if !ok {
			return nil, nil, false
		}
		return mk(v)
	case from.Kind == types.Date && to.Kind == types.TimestampNTZ:
		v, ok := lit.Value.(int64)
		const day = 24 * 3600 * 1000000
		if !ok || v%day != 0 {
			return nil, nil, false
		}
		return mk(int32(v / day))
	}
	return nil, nil, false
}

func digits(k types.Kind) int {
	switch k {
	case types.Int8:
		return 3
	case types.Int16:
		return 5
	case types.Int32:
		return 10
	}
	return 19
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func intValue(k types.Kind, v int64) (any, bool) {
	switch k {
	case types.Int8:
		return int8(v), v == int64(int8(v))
	case types.Int16:
		return int16(v), v == int64(int16(v))
	case types.Int32:
		return int32(v), v == int64(int32(v))
	}
	return v, true
}
