package fn

import (
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// generators are the functions that make rows of one value.
func generators() []Def {
	one := func(name, usage, arg string, want string, g *GenDef, test func(*types.Type) bool, accept string) Def {
		return Def{Name: name, Since: "1.0.0", Group: "generator_funcs", Usage: usage, Kind: plan.FnGenerator, Nulls: NullKernel, Gen: g,
			Overloads: []Overload{{Params: []Accept{{Name: accept, Test: test}}, Ret: retSame}},
			Examples:  []Example{{"SELECT " + name + "(" + arg + ")", want}}}
	}
	list := func(t *types.Type) bool { return t.Kind == types.Array || t.Kind == types.Map }
	structs := func(t *types.Type) bool { return t.Kind == types.Array && t.Elem.Kind == types.Struct }
	lists, rows := `("ARRAY" or "MAP")`, "ARRAY<STRUCT>"
	inlineOf := func(outer bool) *GenDef {
		return &GenDef{Columns: inlineColumns(outer), Run: func(a *Args, o bool) ([]*vec.Vector, []int32, error) { return runInline(a, o || outer) }}
	}
	explodeOf := func(pos, outer bool) *GenDef {
		return &GenDef{Columns: explodeColumns(pos, outer), Run: func(a *Args, o bool) ([]*vec.Vector, []int32, error) { return runExplode(a, pos, o || outer) }}
	}
	return []Def{
		one("explode", "Makes a row of each element of an array, or of each entry of a map.", "array(10, 20)", "10\n20", explodeOf(false, false), list, lists),
		one("explode_outer", "Is explode with a row of nulls for a value that is null or empty.", "array(10, 20)", "10\n20", explodeOf(false, true), list, lists),
		one("posexplode", "Is explode with the position, from 0, in front.", "array(10, 20)", "0	10\n1	20", explodeOf(true, false), list, lists),
		one("posexplode_outer", "Is posexplode with a row of nulls for a value that is null or empty.", "array(10, 20)", "0	10\n1	20", explodeOf(true, true), list, lists),
		one("inline", "Makes a row of each struct of an array.", "array(struct(1, 'a'), struct(2, 'b'))", "1	a\n2	b", inlineOf(false), structs, rows),
		one("inline_outer", "Is inline with a row of nulls for an array that is null or empty.", "array(struct(1, 'a'), struct(2, 'b'))", "1	a\n2	b", inlineOf(true), structs, rows),
		{Name: "stack", Since: "2.0.0", Group: "generator_funcs", Usage: "Makes `n` rows of the expressions that follow, filled row by row.",
			Kind: plan.FnGenerator, Nulls: NullKernel, Gen: &GenDef{Columns: stackColumns, Run: runStack},
			Overloads: []Overload{{Params: []Accept{onlyInt32P, aggAny}, Variadic: true, Ret: retSame}},
			Examples:  []Example{{"SELECT stack(2, 1, 2, 3)", "1	2\n3	NULL"}}},
	}
}

func explodeColumns(pos, outer bool) func(*plan.Call) ([]types.Field, error) {
	return func(c *plan.Call) ([]types.Field, error) {
		t := c.Args[0].Type()
		var out []types.Field
		if pos {
			out = append(out, types.Field{Name: "pos", Type: types.Int32Type, Nullable: outer})
		}
		if t.Kind == types.Map {
			return append(out, types.Field{Name: "key", Type: t.Key, Nullable: outer},
				types.Field{Name: "value", Type: t.Elem, Nullable: outer || t.ElemNulls}), nil
		}
		if t.Kind != types.Array {
			return nil, errs.Internalf("%s of %s", c.Name, t)
		}
		return append(out, types.Field{Name: "col", Type: t.Elem, Nullable: outer || t.ElemNulls}), nil
	}
}

func inlineColumns(outer bool) func(*plan.Call) ([]types.Field, error) {
	return func(c *plan.Call) ([]types.Field, error) {
		t := c.Args[0].Type()
		if t.Kind != types.Array || t.Elem.Kind != types.Struct {
			return nil, errs.Internalf("%s of %s", c.Name, t)
		}
		out := append([]types.Field{}, t.Elem.Fields...)
		for i := range out {
			out[i].Nullable = out[i].Nullable || outer || t.ElemNulls
		}
		return out, nil
	}
}

// spread lists, for each element of the lists of v, the element and its row;
// element -1 is the row of nulls that outer adds.
func spread(v *vec.Vector, n int, outer bool) (elem, row []int32) {
	if v.Layout != vec.List {
		if outer {
			for i := 0; i < n; i++ {
				elem, row = append(elem, -1), append(row, int32(i))
			}
		}
		return elem, row
	}
	total := 0
	refs := vec.Refs(v)
	for i := 0; i < n; i++ {
		if !v.IsNull(i) {
			total += refs[i].Len()
		}
	}
	elem, row = make([]int32, 0, total), make([]int32, 0, total)
	for i := 0; i < n; i++ {
		k := 0
		if !v.IsNull(i) {
			k = refs[i].Len()
		}
		if k == 0 && outer {
			elem, row = append(elem, -1), append(row, int32(i))
		}
		for j := 0; j < k; j++ {
			elem, row = append(elem, int32(refs[i].Start()+j)), append(row, int32(i))
		}
	}
	return elem, row
}

func runExplode(a *Args, pos, outer bool) ([]*vec.Vector, []int32, error) {
	v := a.V[0]
	elem, row := spread(v, a.N, outer)
	var cols []*vec.Vector
	if pos {
		p := make([]int32, len(row))
		var null []bool
		for i := range p {
			switch {
			case elem[i] < 0:
				if null == nil {
					null = make([]bool, len(row))
				}
				null[i] = true
			case i > 0 && row[i] == row[i-1]:
				p[i] = p[i-1] + 1
			}
		}
		cols = append(cols, vec.FromSlice(types.Int32Type, p, null))
	}
	if v.Layout != vec.List {
		return nil, nil, errs.Internalf("explode of %s", v.Type)
	}
	for _, c := range v.Child {
		cols = append(cols, c.GatherNulls(elem))
	}
	return cols, row, nil
}

func runInline(a *Args, outer bool) ([]*vec.Vector, []int32, error) {
	v := a.V[0]
	elem, row := spread(v, a.N, outer)
	s := v.Child[0]
	if s.Null != nil { // a null struct gives a row of nulls
		for i, e := range elem {
			if e >= 0 && s.Null[e] {
				elem[i] = -1
			}
		}
	}
	cols := make([]*vec.Vector, len(s.Child))
	for i, c := range s.Child {
		cols[i] = c.GatherNulls(elem)
	}
	return cols, row, nil
}

// stackRows is the constant number of rows of a stack call.
func stackRows(c *plan.Call) (int, error) {
	v, ok := constant(c.Args[0])
	n, isInt := v.(int32)
	if !ok || !isInt {
		return 0, foldable(c, "n", types.Int32Type, c.Args[0])
	}
	if n < 1 {
		e := errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "exprName", errs.ID("n"), "valueRange", "(0, 2147483647]",
			"currentValue", strconv.Itoa(int(n)), "sqlExpr", errs.Quote("stack"))
		e.State, e.Text = "42K09", "The number of rows of stack must be positive."
		return 0, e.At(c.Pos())
	}
	return int(n), nil
}

func stackColumns(c *plan.Call) ([]types.Field, error) {
	n, err := stackRows(c)
	if err != nil {
		return nil, err
	}
	vals := c.Args[1:]
	width := (len(vals) + n - 1) / n
	out := make([]types.Field, width)
	for k := range out {
		f := types.Field{Name: "col" + strconv.Itoa(k), Type: types.NullType, Nullable: len(vals) < n*width}
		for i := k; i < len(vals); i += width {
			t := vals[i].Type()
			f.Nullable = f.Nullable || vals[i].Nullable()
			switch {
			case f.Type.Kind == types.Null:
				f.Type = t
			case t.Kind != types.Null && !types.SameType(t, f.Type):
				return nil, errs.New(errs.Analysis, "DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES", "columnIndex", strconv.Itoa(k),
					"leftParamIndex", strconv.Itoa(k+1), "leftType", errs.Quote(f.Type.SQL()),
					"rightParamIndex", strconv.Itoa(i+1), "rightType", errs.Quote(t.SQL()), "sqlExpr", "").At(c.Pos())
			}
		}
		out[k] = f
	}
	return out, nil
}

func runStack(a *Args, outer bool) ([]*vec.Vector, []int32, error) {
	fields, err := stackColumns(a.Call)
	if err != nil {
		return nil, nil, err
	}
	n, err := stackRows(a.Call)
	if err != nil {
		return nil, nil, err
	}
	vals := a.V[1:]
	width := len(fields)
	row := make([]int32, 0, a.N*n)
	for i := 0; i < a.N; i++ {
		for r := 0; r < n; r++ {
			row = append(row, int32(i))
		}
	}
	cols := make([]*vec.Vector, width)
	for k, f := range fields {
		// The values of the column one after another, then transposed.
		b := vec.NewBuilder(f.Type, a.N*n)
		for r := 0; r < n; r++ {
			i := r*width + k
			if i < len(vals) && vals[i].Layout != vec.None {
				b.AppendVector(vals[i].Slice(0, a.N))
				continue
			}
			b.AppendVector(vec.MakeNull(f.Type, a.N))
		}
		idx := make([]int32, 0, a.N*n)
		for i := 0; i < a.N; i++ {
			for r := 0; r < n; r++ {
				idx = append(idx, int32(r*a.N+i))
			}
		}
		cols[k] = b.Finish().Gather(idx)
	}
	return cols, row, nil
}
