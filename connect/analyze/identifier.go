package analyze

import (
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// identifier evaluates what stands in IDENTIFIER(...) and reads it as a name.
func (r *run) identifier(e plan.Expr, s *scope, o *errs.Origin) ([]string, error) {
	text, err := r.constantText(e, s, o)
	if err != nil {
		return nil, err
	}
	if r.ParseName == nil {
		return splitName(text), nil
	}
	return r.ParseName(text)
}

func (r *run) constantText(e plan.Expr, s *scope, o *errs.Origin) (string, error) {
	if l, ok := e.(*plan.Literal); ok && l.T.IsString() {
		if v, ok := l.Value.(string); ok {
			return v, nil
		}
	}
	bad := func(kind string, x plan.Expr, kv ...string) error {
		return aerr("NOT_A_CONSTANT_STRING."+kind, append([]string{"name", "IDENTIFIER", "expr", r.sql(x)}, kv...)...).At(o)
	}
	x, err := r.expr(e, s)
	if err != nil {
		return "", err
	}
	x = unalias(x)
	if !foldable(x) || random(x) {
		return "", bad("NOT_CONSTANT", x)
	}
	if t := x.Type(); !t.IsString() && t.Kind != types.Null {
		return "", bad("WRONG_TYPE", x, "dataType", t.String())
	}
	if v, ok := foldString(x); ok {
		return v, nil
	}
	_, vals, err := r.values([]plan.Expr{x})
	if err != nil {
		return "", err
	}
	v, ok := vals[0].(string)
	if !ok {
		return "", bad("NULL", x)
	}
	return v, nil
}
