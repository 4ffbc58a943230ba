package sidecar

import (
	"crypto/sha256"
	"slices"

	"neptune/arrowexec/arrowio"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// decodeLocal turns the Arrow data of local relations into vectors, in the
// whole plan, subqueries included. Data of another type than declared is cast.
func decodeLocal(n plan.Node) (plan.Node, error) {
	if c, ok := n.(*plan.Command); ok && c.Query != nil {
		q, err := decodeLocal(c.Query)
		if err != nil || q == c.Query {
			return n, err
		}
		copied := *c
		copied.Query = q
		return &copied, nil
	}
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		if l, ok := n.(*plan.LocalRelation); ok && l.Batches == nil && l.Out == nil {
			return decodeOne(l)
		}
		return plan.TransformExprs(n, func(e plan.Expr) (plan.Expr, error) {
			s, ok := e.(*plan.Subquery)
			if !ok || s.Plan == nil {
				return e, nil
			}
			inner, err := decodeLocal(s.Plan)
			if err != nil || inner == s.Plan {
				return e, err
			}
			c := *s
			c.Plan = inner
			return &c, nil
		})
	})
}

// digest tells rows apart by their Arrow data.
func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return string(sum[:])
}

func decodeOne(l *plan.LocalRelation) (plan.Node, error) {
	var batches []*vec.Batch
	have := l.Schema
	if len(l.Data) > 0 {
		var err error
		if batches, have, err = arrowio.Decode(l.Data); err != nil {
			return nil, err
		}
	}
	if have == nil {
		return nil, errs.New(errs.InvalidPlan, "CONNECT_INVALID_PLAN.INPUT_DATA_NO_SCHEMA")
	}
	out := *l
	out.Data, out.Batches, out.Schema = nil, batches, have
	out.Digest = digest(l.Data)
	if batches == nil {
		out.Batches = []*vec.Batch{}
	}
	want := l.Schema
	if want == nil {
		return &out, nil
	}
	if len(want.Fields) != len(have.Fields) {
		return nil, errs.Refused(errs.InvalidPlan, "The schema of a local relation has %d columns, and its data %d.", len(want.Fields), len(have.Fields))
	}
	have, err := decodeSpatial(batches, have, want)
	if err != nil {
		return nil, err
	}
	out.Schema = have
	// Columns whose types differ in names and nullability only are what they are, and the schema says what they are called.
	same := true
	for i, f := range want.Fields {
		if !types.SameType(types.Bare(f.Type), have.Fields[i].Type) {
			same = false
			continue
		}
		for _, b := range batches {
			if c := b.Cols[i]; c.Type != f.Type {
				v := *c
				v.Type = f.Type
				b.Cols[i] = &v
			}
		}
	}
	if same {
		out.Schema = want
		return &out, nil
	}
	// The positions have unique names for the while, so that the casts find them.
	tmp := &types.Type{Kind: types.Struct}
	list := make([]plan.Expr, len(want.Fields))
	for i, f := range have.Fields {
		w := want.Fields[i]
		if types.SameType(types.Bare(w.Type), f.Type) {
			f.Type = w.Type
		}
		f.Name = "_" + string(rune('a'+i%26)) + types.I128(int64(i)).Big().String()
		tmp.Fields = append(tmp.Fields, f)
		list[i] = &plan.Alias{Child: &plan.Cast{Child: &plan.UnresolvedAttr{Parts: []string{f.Name}}, To: w.Type, Mode: plan.ANSI}, Names: []string{w.Name}, Metadata: w.Metadata}
	}
	out.Schema = tmp
	return &plan.Project{Common: plan.Common{PlanID: l.PlanID, Origin: l.Origin}, List: list, Child: &out}, nil
}

// decodeSpatial gives the columns of batches their spatial types, and returns the schema that they have then.
func decodeSpatial(batches []*vec.Batch, have, want *types.Type) (*types.Type, error) {
	fields := slices.Clone(have.Fields)
	for i := range fields {
		none, err := spatial(vec.NewBuilder(fields[i].Type, 0).Finish(), want.Fields[i].Type)
		if err != nil {
			return nil, err
		}
		fields[i].Type = none.Type
		for _, b := range batches {
			v, err := spatial(b.Cols[i], want.Fields[i].Type)
			if err != nil {
				return nil, err
			}
			b.Cols[i] = v
		}
	}
	return types.NewStruct(fields...), nil
}

// spatial gives v the type t where they differ by GEOMETRY and GEOGRAPHY, which come as structs of an SRID and a well-known
// binary. Other differences stay.
func spatial(v *vec.Vector, t *types.Type) (*vec.Vector, error) {
	f := v.Type
	switch {
	case t.IsSpatial() && f.Kind == types.Struct && len(f.Fields) == 2 && f.Fields[0].Type.Kind == types.Int32 && f.Fields[1].Type.Kind == types.Binary:
		b := vec.NewBuilder(t, v.N)
		srid := vec.Of[int32](v.Child[0])
		var value []byte
		for i := range v.N {
			if v.IsNull(i) {
				b.AppendNull()
				continue
			}
			var err error
			if value, err = fn.SpatialFromWKB(value[:0], v.Child[1].Bytes(i), t, int(srid[i])); err != nil {
				return nil, err
			}
			b.AppendBytes(value)
		}
		return b.Finish(), nil
	case (t.Has(types.Geometry) || t.Has(types.Geography)) && f.Kind == t.Kind:
		var want, have []*types.Type
		switch t.Kind {
		case types.Array:
			want, have = []*types.Type{t.Elem}, []*types.Type{f.Elem}
		case types.Map:
			want, have = []*types.Type{t.Key, t.Elem}, []*types.Type{f.Key, f.Elem}
		case types.Struct:
			if len(t.Fields) != len(f.Fields) {
				return v, nil
			}
			for i := range t.Fields {
				want, have = append(want, t.Fields[i].Type), append(have, f.Fields[i].Type)
			}
		}
		out := *v
		out.Child = slices.Clone(v.Child)
		for i, c := range out.Child {
			x, err := spatial(c, want[i])
			if err != nil {
				return nil, err
			}
			out.Child[i], have[i] = x, x.Type
		}
		switch t.Kind {
		case types.Array:
			out.Type = types.NewArray(have[0], f.ElemNulls)
		case types.Map:
			out.Type = types.NewMap(have[0], have[1], f.ElemNulls)
		case types.Struct:
			fields := slices.Clone(f.Fields)
			for i := range fields {
				fields[i].Type = have[i]
			}
			out.Type = types.NewStruct(fields...)
		}
		return &out, nil
	}
	return v, nil
}
