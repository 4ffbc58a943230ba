package analyze

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// sameFields reports whether two structs have the same types, whatever the names.
func sameFields(a, b *types.Type) bool {
	return b.Kind == types.Struct && slices.EqualFunc(a.Fields, b.Fields, func(x, y types.Field) bool { return types.SameType(x.Type, y.Type) })
}

// pivot turns PIVOT into an aggregation with a FILTER for each value.
func (r *run) pivot(n *plan.Pivot, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	s := relScope(child, outer)
	col, err := r.expr(n.Column, s)
	if err != nil {
		return nil, err
	}
	col = unalias(col)
	aggs := make([]plan.Expr, len(n.Aggs))
	for i, a := range n.Aggs {
		if aggs[i], err = r.selectItem(a, s); err != nil {
			return nil, err
		}
		if firstAggregate(aggs[i]) == nil {
			return nil, aerr("_LEGACY_ERROR_TEMP_1006", "sql", r.qualified(unalias(aggs[i]))).At(aggs[i].Pos())
		}
	}
	var group []plan.Expr
	if n.Implicit || n.Group == nil && len(n.Group) == 0 && n.Implicit {
		used := map[plan.ExprID]bool{}
		mark := func(e plan.Expr) {
			plan.Walk(e, func(k plan.Expr) bool {
				if a, ok := k.(*plan.Attr); ok {
					used[a.ID] = true
				}
				return true
			})
		}
		mark(col)
		for _, a := range aggs {
			mark(a)
		}
		for _, a := range child.out {
			if !used[a.ID] {
				group = append(group, a)
			}
		}
	} else {
		for _, g := range n.Group {
			e, err := r.selectItem(g, s)
			if err != nil {
				return nil, err
			}
			group = append(group, e)
		}
	}
	type value struct {
		e    plan.Expr
		name string
	}
	var values []value
	if n.Values == nil {
		rows, err := r.pivotValues(col, child)
		if err != nil {
			return nil, err
		}
		for _, v := range rows {
			l := &plan.Literal{T: col.Type(), Value: v}
			values = append(values, value{l, r.pivotName(l)})
		}
	}
	for _, v := range n.Values {
		name := ""
		if a, ok := v.(*plan.Alias); ok {
			name = a.Names[0]
			v = a.Child
		}
		e, err := r.expr(v, &scope{})
		if err != nil && isUnresolvedColumn(err) {
			if e, err2 := r.expr(v, relScope(child, nil)); err2 == nil {
				return nil, aerr("NON_LITERAL_PIVOT_VALUES", "expression", r.quoted(unalias(e))).At(e.Pos())
			}
		}
		if err != nil {
			return nil, err
		}
		e = unalias(e)
		if !foldable(e) {
			return nil, aerr("NON_LITERAL_PIVOT_VALUES", "expression", r.quoted(e)).At(e.Pos())
		}
		if name == "" {
			name = r.pivotName(e)
		}
		if e.Type().Kind == types.Struct && sameFields(e.Type(), col.Type()) { // names of fields don't matter
			e = &plan.Cast{At: plan.At{Origin: e.Pos()}, Child: e, To: col.Type(), Mode: r.mode(), Implicit: true}
		}
		if !types.SameType(e.Type(), col.Type()) {
			w := r.coercion().Wider(e.Type(), col.Type(), true)
			if w == nil {
				return nil, aerr("PIVOT_VALUE_DATA_TYPE_MISMATCH", "value", r.sql(e), "valueType", e.Type().String(), "pivotType", col.Type().String()).At(e.Pos())
			}
			e = r.implicit(e, col.Type())
		}
		values = append(values, value{e, name})
	}
	var list []plan.Expr
	var keys []plan.Expr
	for _, g := range group {
		list = append(list, g)
		keys = append(keys, unalias(g))
	}
	first := !slices.ContainsFunc(aggs, func(a plan.Expr) bool {
		t := unalias(a).Type()
		return !t.IsNumeric() && t.Kind != types.Bool
	})
	for _, v := range values {
		eq, err := r.compare(&plan.Call{Name: "<=>", Args: []plan.Expr{col, v.e}})
		if err != nil {
			return nil, err
		}
		for _, a := range aggs {
			x, err := plan.Transform(unalias(a), func(k plan.Expr) (plan.Expr, error) {
				c, ok := k.(*plan.Call)
				if !ok || c.Kind != plan.FnAggregate {
					if u, isUDF := k.(*plan.UDF); isUDF && u.Aggregate {
						return nil, errs.NotSupported("user defined aggregates in PIVOT")
					}
					return k, nil
				}
				f := *c
				f.Filter = eq
				if c.Filter != nil {
					f.Filter = boolCall("and", c.Origin, true, c.Filter, eq)
				}
				return &f, nil
			})
			if err != nil {
				return nil, err
			}
			// A group without rows of the value gives null, a count included; but beside an aggregate of a type that
			// Spark's PivotFirst doesn't hold, what the aggregate gives of no rows.
			if first && !x.Nullable() {
				cnt, err := r.function(&plan.Call{Name: "count", Args: []plan.Expr{intLit(1)}})
				if err != nil {
					return nil, err
				}
				cc := *cnt.(*plan.Call)
				cc.Filter = eq
				gt := boolCall(">", nil, false, &cc, longLit(0))
				x = &plan.Case{If: true, When: []plan.Expr{gt}, Then: []plan.Expr{x}, Else: nullLit(x.Type())}
			}
			name := v.name
			if len(aggs) > 1 {
				name += "_" + plan.ToAttr(a).Name
			}
			list = append(list, &plan.Alias{Child: x, Names: []string{name}, ID: plan.NewID()})
		}
	}
	sel := &selected{exprs: list, uses: make([][]*plan.Alias, len(list))}
	return r.finishAggregate(n.Common, keys, nil, nil, sel, child, s)
}

// pivotName is how a value becomes a column's name.
// qualified is an expression as errors show it with the place of its column.
func (r *run) qualified(e plan.Expr) string {
	if a, ok := e.(*plan.Attr); ok {
		parts := append(slices.Clone(a.Qualifier), a.Name)
		for i := range parts {
			parts[i] = types.QuoteIfNeeded(parts[i])
		}
		return strings.Join(parts, ".")
	}
	return strings.Trim(r.quoted(e), `"`)
}

func (r *run) pivotName(e plan.Expr) string {
	if l, ok := e.(*plan.Literal); ok {
		if l.Value == nil {
			return "null"
		}
		switch v := l.Value.(type) {
		case int32:
			if l.T.Kind == types.Date {
				return dateText(v)
			}
		case types.StructValue:
			var out []string
			for i, x := range v {
				out = append(out, r.pivotName(&plan.Literal{T: l.T.Fields[i].Type, Value: x}))
			}
			return "{" + strings.Join(out, ", ") + "}"
		case int64:
			if isTS(l.T) {
				s := r.literal(l)
				return strings.TrimSuffix(s[strings.IndexByte(s, '\'')+1:], "'")
			}
		}
		return r.literal(l)
	}
	if c, ok := e.(*plan.Call); ok && c.Name == "named_struct" {
		var out []string
		for i := 1; i < len(c.Args); i += 2 {
			out = append(out, r.pivotName(c.Args[i]))
		}
		return "{" + strings.Join(out, ", ") + "}"
	}
	return r.sql(e)
}

// pivotValues asks for the distinct values of the pivot column, in order.
func (r *run) pivotValues(col plan.Expr, child *rel) ([]any, error) {
	if r.RunScalar == nil {
		return nil, errs.NotSupported("PIVOT without a list of values")
	}
	al := &plan.Alias{Child: col, Names: []string{"v"}, ID: plan.NewID()}
	const most = 10000
	var node plan.Node = &plan.Distinct{AllCols: true, Child: &plan.Project{List: []plan.Expr{al}, Child: child.node}}
	node = &plan.Sort{Global: true, Order: []plan.SortOrder{{Child: plan.ToAttr(al)}}, Child: node}
	node = &plan.Limit{N: intLit(most + 1), Child: node}
	rows, err := r.RunScalar(r.ctx, fresh(&rel{node: node, out: node.Output()}).node)
	if err != nil {
		return nil, err
	}
	if len(rows) > most {
		return nil, aerr("_LEGACY_ERROR_TEMP_1324", "pivotColumn", r.sql(col), "maxValues", itoa(most))
	}
	out := make([]any, len(rows))
	for i, row := range rows {
		out[i] = row[0]
	}
	return out, nil
}

// unpivot turns columns into rows.
func (r *run) unpivot(n *plan.Unpivot, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	s := relScope(child, outer)
	// Of a DataFrame, what isn't a column gets its text for a name, and is computed below.
	below := make([]plan.Expr, 0, len(child.out))
	for _, a := range child.out {
		below = append(below, a)
	}
	attrs := func(l []plan.Expr) ([]plan.Expr, error) {
		var out []plan.Expr
		l, err := r.expandList(l, s)
		if err != nil {
			return nil, err
		}
		for _, e := range l {
			x, err := r.expr(e, s)
			if err != nil {
				return nil, err
			}
			al, named := x.(*plan.Alias)
			x = unalias(x)
			_, isAttr := x.(*plan.Attr)
			switch {
			case isAttr:
			case n.HasIDs:
				if q := first(x, func(x plan.Expr) bool { q, ok := x.(*plan.Subquery); return ok && q.Kind != plan.ScalarSubquery }, always); q != nil {
					return nil, aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "treeNode", "Expand "+r.sql(x)).At(q.Pos())
				}
				if !named {
					al = &plan.Alias{Child: x, Names: []string{r.sql(x)}, ID: plan.NewID(), Auto: true}
				}
				below = append(below, al)
				x = plan.ToAttr(al)
			default:
				return nil, aerr("UNPIVOT_REQUIRES_ATTRIBUTES", "given", "value", "expressions", r.quoted(x), "empty", "id").At(e.Pos())
			}
			out = append(out, x)
		}
		return out, nil
	}
	ids, err := attrs(n.IDs)
	if err != nil {
		return nil, err
	}
	var values [][]plan.Expr
	flat := len(n.ValueNames) <= 1
	for _, set := range n.Values {
		x, err := attrs(set)
		if err != nil {
			return nil, err
		}
		if flat && len(x) > 1 { // a star among plain columns
			for _, e := range x {
				values = append(values, []plan.Expr{e})
			}
			continue
		}
		values = append(values, x)
	}
	hasIDs := n.HasIDs || len(n.IDs) > 0
	if !hasIDs {
		used := map[plan.ExprID]bool{}
		for _, set := range values {
			for _, e := range set {
				used[e.(*plan.Attr).ID] = true
			}
		}
		for _, a := range child.out {
			if !used[a.ID] {
				ids = append(ids, a)
			}
		}
	} else if len(values) == 0 {
		used := map[plan.ExprID]bool{}
		for _, e := range ids {
			used[e.(*plan.Attr).ID] = true
		}
		for _, a := range child.out {
			if !used[a.ID] {
				values = append(values, []plan.Expr{a})
			}
		}
	}
	if len(values) == 0 {
		return nil, aerr("UNPIVOT_REQUIRES_VALUE_COLUMNS").At(n.Origin)
	}
	width := len(n.ValueNames)
	cols := make([]*types.Type, width)
	nulls := make([]bool, width)
	for _, set := range values {
		if len(set) != width {
			return nil, aerr("UNPIVOT_VALUE_SIZE_MISMATCH", "names", itoa(width)).At(n.Origin)
		}
	}
	for k := range cols {
		var l []plan.Expr
		for _, set := range values {
			l = append(l, set[k])
			nulls[k] = nulls[k] || set[k].Nullable()
		}
		t := types.NullType
		for _, e := range l {
			w := r.coercion().Wider(t, e.Type(), false)
			if w == nil {
				var parts []string
				for _, x := range l {
					parts = append(parts, errs.Quote(x.Type().SQL())+" ("+errs.ID(x.(*plan.Attr).Name)+")")
				}
				return nil, aerr("UNPIVOT_VALUE_DATA_TYPE_MISMATCH", "types", strings.Join(parts, ", ")).At(n.Origin)
			}
			t = w
		}
		cols[k] = t
	}
	var out []*plan.Attr
	for _, e := range ids {
		a := *e.(*plan.Attr)
		a.ID, a.Qualifier = plan.NewID(), nil
		out = append(out, &a)
	}
	out = append(out, &plan.Attr{ID: plan.NewID(), Name: n.VarName, T: types.StringType})
	for k, name := range n.ValueNames {
		out = append(out, &plan.Attr{ID: plan.NewID(), Name: name, T: cols[k], Null: nulls[k]})
	}
	var rows [][]plan.Expr
	for i, set := range values {
		row := append([]plan.Expr{}, ids...)
		name := ""
		if i < len(n.Aliases) {
			name = n.Aliases[i]
		}
		if name == "" {
			parts := make([]string, len(set))
			for k, e := range set {
				parts[k] = e.(*plan.Attr).Name
			}
			name = strings.Join(parts, "_")
		}
		row = append(row, strLit(name))
		for k, e := range set {
			row = append(row, r.implicit(e, cols[k]))
		}
		rows = append(rows, row)
	}
	in := child.node
	if len(below) > len(child.out) {
		if in, err = r.buildProject(below, in, plan.Common{}); err != nil {
			return nil, err
		}
	}
	var node plan.Node = &plan.Expand{Common: n.Common, ByRow: true, Projections: rows, Out: out, Child: in}
	if !n.IncludeNulls {
		var cond plan.Expr
		for _, a := range out[len(ids)+1:] {
			c := boolCall("isnotnull", nil, false, a)
			if cond == nil {
				cond = c
			} else {
				cond = boolCall("or", nil, false, cond, c)
			}
		}
		node = &plan.Filter{Cond: cond, Child: node}
	}
	return &rel{node: node, out: out, dfs: child.dfs}, nil
}
