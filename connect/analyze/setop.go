package analyze

import (
	"slices"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

var setNames = map[plan.SetOp]string{plan.UnionOp: "UNION", plan.IntersectOp: "INTERSECT", plan.ExceptOp: "EXCEPT"}

// setOperation brings the inputs to the same types, by position or by name.
func (r *run) setOperation(n *plan.SetOperation, outer *scope) (*rel, error) {
	ins := make([]*rel, len(n.Inputs))
	var dfs []dfRef
	for i, k := range n.Inputs {
		x, err := r.node(k, outer)
		if err != nil {
			return nil, err
		}
		for _, prev := range ins[:i] {
			x = r.dedup(prev, x)
		}
		ins[i] = x
	}
	name := setNames[n.Op]
	if n.All && n.Op != plan.UnionOp {
		name += " ALL"
	}
	if n.ByName {
		var err error
		if ins, err = r.byName(n, ins); err != nil {
			return nil, err
		}
	}
	first := ins[0]
	for i, x := range ins[1:] {
		if len(x.out) != len(first.out) {
			return nil, aerr("NUM_COLUMNS_MISMATCH", "operator", name, "firstNumColumns", itoa(len(first.out)), "invalidOrdinalNum", ordinal(i+2), "invalidNumColumns", itoa(len(x.out))).At(n.Origin)
		}
	}
	cols := make([]*types.Type, len(first.out))
	nulls := make([]bool, len(first.out))
	for c := range cols {
		t := first.out[c].T
		for i, x := range ins[1:] {
			w := r.coercion().Wider(t, x.out[c].T, true)
			if w == nil {
				return nil, aerr("INCOMPATIBLE_COLUMN_TYPE", "tableOrdinalNumber", ordinal(i+2), "columnOrdinalNumber", ordinal(c+1), "dataType2", shownType(t), "operator", name, "hint", "", "dataType1", shownType(x.out[c].T)).At(n.Origin)
			}
			t = w
		}
		cols[c] = t
		if t.Has(types.Map) && (n.Op != plan.UnionOp || !n.All) {
			return nil, aerr("UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE", "colName", errs.ID(first.out[c].Name), "dataType", errs.Quote(t.SQL())).At(n.Origin)
		}
	}
	s := *n
	s.ByName, s.AllowMissing = false, false
	s.Inputs = make([]plan.Node, len(ins))
	for i, x := range ins {
		s.Inputs[i] = r.castColumns(x, cols)
		for c, a := range s.Inputs[i].Output() {
			nulls[c] = nulls[c] || a.Null
		}
	}
	if n.Op == plan.UnionOp {
		s.All = true
		s.Out = make([]*plan.Attr, len(cols))
		for c, a := range first.out {
			s.Out[c] = &plan.Attr{ID: plan.NewID(), Name: a.Name, T: cols[c], Null: nulls[c], Metadata: a.Metadata}
			if !types.SameType(a.T, cols[c]) { // a cast column isn't the one that the metadata is about
				s.Out[c].Metadata = ""
			}
		}
		if first.dfs != nil { // df.union(other): df's columns are the union's by position
			for _, d := range first.dfs {
				m := map[plan.ExprID]int{}
				for c, a := range first.out {
					m[a.ID] = c
				}
				out := make([]*plan.Attr, 0, len(d.out))
				for _, a := range d.out {
					if c, ok := m[a.ID]; ok {
						u := *s.Out[c]
						u.Name = a.Name
						out = append(out, &u)
					}
				}
				dfs = append(dfs, dfRef{d.id, out, nil, d.depth})
			}
		}
		var node plan.Node = &s
		if !n.All {
			node = &plan.Distinct{Common: n.Common, AllCols: true, Child: &s}
		}
		return &rel{node: node, out: s.Out, dfs: dfs}, nil
	}
	out := s.Inputs[0].Output()
	for c, a := range out {
		if n.Op == plan.IntersectOp && a.Null {
			b := *a
			for _, k := range s.Inputs[1:] {
				b.Null = b.Null && k.Output()[c].Null
			}
			if !b.Null {
				out = slices.Clone(out)
				out[c] = &b
			}
		}
	}
	s.Out = out
	return &rel{node: &s, out: out, dfs: first.dfs}, nil
}

// castColumns projects x to those types; x.node itself when nothing changes.
func (r *run) castColumns(x *rel, cols []*types.Type) plan.Node {
	same := true
	list := make([]plan.Expr, len(x.out))
	for i, a := range x.out {
		list[i] = a
		if !types.SameType(a.T, cols[i]) {
			same = false
			list[i] = &plan.Alias{Child: r.implicit(a, cols[i]), Names: []string{a.Name}, ID: plan.NewID(), Auto: true}
		}
	}
	if same {
		return x.node
	}
	return &plan.Project{List: list, Child: x.node}
}

// byName reorders the other inputs' columns to those of the first.
func (r *run) byName(n *plan.SetOperation, ins []*rel) ([]*rel, error) {
	out := slices.Clone(ins)
	first := ins[0]
	for i := 1; i < len(ins); i++ {
		x := ins[i]
		var list []plan.Expr
		var taken []*plan.Attr
		find := func(l []*plan.Attr, name string) *plan.Attr {
			for _, a := range l {
				if r.eq(a.Name, name) {
					return a
				}
			}
			return nil
		}
		for _, a := range first.out {
			b := find(x.out, a.Name)
			if b != nil {
				list, taken = append(list, b), append(taken, b)
				continue
			}
			if !n.AllowMissing {
				names := make([]string, len(x.out))
				for k, c := range x.out {
					names[k] = c.Name
				}
				return nil, aerr("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "colName", a.Name, "fieldNames", fieldNames(x.out)).At(n.Origin)
			}
			list = append(list, &plan.Alias{Child: nullLit(a.T), Names: []string{a.Name}, ID: plan.NewID()})
		}
		var add []plan.Expr
		for _, b := range x.out {
			if hasID(taken, b.ID) {
				continue
			}
			if !n.AllowMissing {
				if len(x.out) != len(first.out) {
					return nil, aerr("NUM_COLUMNS_MISMATCH", "operator", "UNION", "firstNumColumns", itoa(len(first.out)), "invalidOrdinalNum", ordinal(i+1), "invalidNumColumns", itoa(len(x.out))).At(n.Origin)
				}
				return nil, aerr("UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "colName", b.Name, "fieldNames", fieldNames(first.out)).At(n.Origin)
			}
			list = append(list, b)
			add = append(add, &plan.Alias{Child: nullLit(b.T), Names: []string{b.Name}, ID: plan.NewID()})
		}
		p := &plan.Project{List: list, Child: x.node}
		out[i] = &rel{node: p, out: p.Output(), dfs: x.dfs}
		if len(add) > 0 {
			for k := range i {
				var l []plan.Expr
				for _, a := range out[k].out {
					l = append(l, a)
				}
				for _, e := range add { // each input its own ids
					c := *e.(*plan.Alias)
					c.ID = plan.NewID()
					l = append(l, &c)
				}
				q := &plan.Project{List: l, Child: out[k].node}
				out[k] = &rel{node: q, out: q.Output(), dfs: out[k].dfs}
			}
			first = out[0]
		}
	}
	return out, nil
}
