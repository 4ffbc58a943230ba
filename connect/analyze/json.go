package analyze

import (
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// variantGetCall puts the type that variant_get gives into the form that the
// function table reads: JSON. The default is VARIANT.
func variantGetCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if c.Infix && c.Args[0].Type().Kind != types.Variant {
		return nil, aerr("COLUMN_IS_NOT_VARIANT_TYPE").At(c.Origin)
	}
	if len(c.Args) != 3 {
		return nil, nil
	}
	text, ok := foldString(c.Args[2])
	if !ok {
		return nil, aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "inputName", errs.ID("type"), "inputType", errs.Quote(c.Args[2].Type().SQL()), "inputExpr", r.quoted(c.Args[2]), "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	t, err := r.ResolveType(text)
	if err != nil {
		return nil, err
	}
	if !castable(types.VariantType, t, true) {
		return nil, aerr("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "srcType", errs.Quote("VARIANT"), "targetType", errs.Quote(t.SQL()), "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	c.Args[2] = strLit(t.JSON())
	return nil, nil
}
