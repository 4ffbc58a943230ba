package analyze

import (
	"slices"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// scriptTransform resolves SELECT TRANSFORM ... USING: the script takes strings
// (of arrays, maps and structs their JSON) and gives strings, which become what
// its columns are declared as, or null where they can't.
func (r *run) scriptTransform(n *plan.ScriptTransform, outer *scope) (*rel, error) {
	child, err := r.node(n.Child, outer)
	if err != nil {
		return nil, err
	}
	s := relScope(child, outer)
	list := make([]plan.Expr, len(child.out))
	for i, a := range child.out {
		var e plan.Expr = a
		switch {
		case a.T.IsNested():
			if e, err = r.expr(&plan.Call{At: plan.At{Origin: n.Origin}, Name: "to_json", Args: []plan.Expr{a}}, s); err != nil {
				return nil, err
			}
		case !a.T.IsString():
			e = &plan.Cast{At: plan.At{Origin: n.Origin}, Child: a, To: types.StringType, Mode: r.mode()}
		}
		list[i] = &plan.Alias{Child: unalias(e), Names: []string{a.Name}, ID: plan.NewID()}
	}
	c := *n
	c.Child = &plan.Project{Common: n.Common, List: list, Child: child.node}
	if c.Columns == nil {
		c.Columns = []types.Field{strCol("key", true), strCol("value", true)}
	}
	c.Out = make([]*plan.Attr, len(c.Columns))
	for i, f := range c.Columns {
		c.Out[i] = &plan.Attr{ID: plan.NewID(), Name: f.Name, T: types.StringType, Null: true}
	}
	c.Columns = slices.Clone(c.Columns)
	answer := &rel{node: &c, out: c.Out}
	s = relScope(answer, nil)
	typed := make([]plan.Expr, len(c.Columns))
	for i, f := range c.Columns {
		var e plan.Expr = c.Out[i]
		t := deepRead(f.Type)
		c.Columns[i].Type = t
		switch {
		case t.Kind == types.Variant || t.IsSpatial():
			name := map[types.Kind]string{types.Variant: "VariantType$", types.Geometry: "GeometryType", types.Geography: "GeographyType"}[t.Kind]
			return nil, errs.New(errs.Execution, "_LEGACY_ERROR_TEMP_2265", "nodeName", "SparkScriptTransformation", "dt", name).At(n.Origin)
		case t.IsNested():
			schema := &plan.Literal{T: types.StringType, Value: t.SQL()}
			if e, err = r.expr(&plan.Call{At: plan.At{Origin: n.Origin}, Name: "from_json", Args: []plan.Expr{c.Out[i], schema}}, s); err != nil {
				return nil, err
			}
			e = unalias(e)
		case !t.IsString():
			e = &plan.Cast{At: plan.At{Origin: n.Origin}, Child: c.Out[i], To: t, Mode: plan.Try}
		}
		typed[i] = &plan.Alias{Child: e, Names: []string{f.Name}, ID: plan.NewID()}
	}
	p := &plan.Project{Common: n.Common, List: typed, Child: &c}
	return &rel{node: p, out: p.Output()}, nil
}
