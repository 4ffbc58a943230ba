package sidecar

import (
	"crypto/sha256"

	"neptune/arrowexec/arrowio"
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
	same := true
	for i := range want.Fields {
		same = same && types.SameType(types.Bare(want.Fields[i].Type), have.Fields[i].Type)
	}
	if same { // names and nullability only: the data is what it is, the schema as declared
		for _, b := range batches {
			for i, c := range b.Cols {
				if c.Type != want.Fields[i].Type {
					v := *c
					v.Type = want.Fields[i].Type
					b.Cols[i] = &v
				}
			}
		}
		out.Schema = want
		return &out, nil
	}
	// The positions have unique names for the while, so that the casts find them.
	tmp := &types.Type{Kind: types.Struct}
	list := make([]plan.Expr, len(want.Fields))
	for i, f := range have.Fields {
		f.Name = "_" + string(rune('a'+i%26)) + types.I128(int64(i)).Big().String()
		tmp.Fields = append(tmp.Fields, f)
		w := want.Fields[i]
		list[i] = &plan.Alias{Child: &plan.Cast{Child: &plan.UnresolvedAttr{Parts: []string{f.Name}}, To: w.Type, Mode: plan.ANSI}, Names: []string{w.Name}, Metadata: w.Metadata}
	}
	out.Schema = tmp
	return &plan.Project{Common: plan.Common{PlanID: l.PlanID, Origin: l.Origin}, List: list, Child: &out}, nil
}
