package analyze

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// defaultOf resolves the default of a column, a text of SQL, as a value of the
// column's type. Errors are INVALID_DEFAULT_VALUE.*, for the statement given.
func (r *run) defaultOf(text string, f types.Field, statement string) (plan.Expr, error) {
	bad := func(why string, kv ...string) error {
		return aerr("INVALID_DEFAULT_VALUE."+why, append([]string{"statement", statement, "colName", errs.ID(f.Name), "defaultValue", text}, kv...)...)
	}
	if r.ParseExpr == nil {
		return nil, errs.NotSupported("DEFAULT columns without a parser")
	}
	e, err := r.ParseExpr(text)
	if err != nil {
		return nil, bad("UNRESOLVED_EXPRESSION")
	}
	sub, col := false, false
	plan.Walk(e, func(x plan.Expr) bool {
		switch x.(type) {
		case *plan.Subquery:
			sub = true
		case *plan.UnresolvedAttr:
			col = true
		}
		return !sub
	})
	if sub {
		return nil, bad("SUBQUERY_EXPRESSION")
	}
	x, err := r.expr(e, &scope{})
	switch {
	case err != nil && col:
		return nil, bad("NOT_CONSTANT")
	case err != nil:
		return nil, bad("UNRESOLVED_EXPRESSION")
	case firstAggregate(x) != nil:
		return nil, bad("NOT_CONSTANT")
	}
	x = unalias(x)
	to := deepRead(f.Type)
	if !types.SameType(x.Type(), to) {
		numbers := x.Type().IsNumeric() && to.IsNumeric() && foldable(x)
		if !numbers && !r.storeAssignable(x.Type(), to) {
			return nil, bad("DATA_TYPE", "expectedType", errs.Quote(f.Type.SQL()), "actualType", errs.Quote(x.Type().SQL()))
		}
	}
	random := false
	plan.Walk(x, func(e plan.Expr) bool {
		if c, ok := e.(*plan.Call); ok && isRandom(c.Name) {
			random = true
		}
		return true
	})
	if random {
		if !types.SameType(x.Type(), to) {
			return nil, bad("DATA_TYPE", "expectedType", errs.Quote(f.Type.SQL()), "actualType", errs.Quote(x.Type().SQL()))
		}
		return nil, aerr("INVALID_DEFAULT_VALUE.NON_DETERMINISTIC", "statement", statement, "colName", errs.ID(f.Name), "defaultValue", text)
	}
	if !types.SameType(x.Type(), to) {
		x = &plan.Cast{Child: x, To: to, Mode: plan.ANSI, Implicit: true}
	}
	return r.charCall("char_write", x, f.Type)
}

// fieldDefault is what a column gets that a statement gives no value: its default, or null.
func (r *run) fieldDefault(f types.Field) (plan.Expr, error) {
	text, ok := metaGet(f.Metadata, metaDefault)
	if !ok {
		return nullLit(deepRead(f.Type)), nil
	}
	return r.defaultOf(text, f, "INSERT")
}

func isDefault(e plan.Expr) bool {
	a, ok := e.(*plan.UnresolvedAttr)
	return ok && len(a.Parts) == 1 && strings.EqualFold(a.Parts[0], "default")
}

// withDefaults puts the defaults of columns in the places of the word DEFAULT
// in the rows of an INSERT; field is the column that value i of a row goes to, false behind the last.
func (r *run) withDefaults(n plan.Node, field func(i int) (types.Field, bool)) (plan.Node, error) {
	row := func(list []plan.Expr, nested bool) ([]plan.Expr, error) {
		var out []plan.Expr
		for i, e := range list {
			inner, wrapped := e, false
			if a, ok := e.(*plan.Alias); ok {
				inner, wrapped = a.Child, true
			}
			if isDefault(inner) {
				f, ok := field(i)
				if !ok {
					continue
				}
				text, has := metaGet(f.Metadata, metaDefault)
				var x plan.Expr = nullLit(deepRead(f.Type))
				if has {
					if _, err := r.defaultOf(text, f, "INSERT"); err != nil {
						return nil, err
					}
					parsed, err := r.ParseExpr(text)
					if err != nil {
						return nil, err
					}
					x = &plan.Cast{Child: parsed, To: deepRead(f.Type), Mode: plan.ANSI}
				}
				if wrapped {
					a := *e.(*plan.Alias)
					a.Child, x = x, &a
				}
				if out == nil {
					out = slices.Clone(list)
				}
				out[i] = x
				continue
			}
			bad := false
			plan.Walk(e, func(x plan.Expr) bool {
				bad = bad || isDefault(x)
				return !bad
			})
			if bad && nested {
				return nil, aerr("DEFAULT_PLACEMENT_INVALID").At(e.Pos())
			}
		}
		if out == nil {
			return list, nil
		}
		return out, nil
	}
	switch x := n.(type) {
	case *plan.InlineTable:
		c := *x
		c.Rows = slices.Clone(x.Rows)
		for i := range c.Rows {
			var err error
			if c.Rows[i], err = row(x.Rows[i], true); err != nil {
				return nil, err
			}
		}
		return &c, nil
	case *plan.Project:
		list, err := row(x.List, false)
		if err != nil {
			return nil, err
		}
		c := *x
		c.List = list
		return &c, nil
	case *plan.SubqueryAlias:
		child, err := r.withDefaults(x.Child, field)
		if err != nil {
			return nil, err
		}
		return x.WithChildren([]plan.Node{child}), nil
	}
	return n, nil
}
