package optimize

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

// tidy merges and removes nodes, moves limits down, and empties what can have no rows.
func (o *optimizer) tidy(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		switch x := n.(type) {
		case *plan.Project:
			return tidyProject(x), nil
		case *plan.Filter:
			if f, ok := x.Child.(*plan.Filter); ok && deterministic(x.Cond, f.Cond) {
				return filter(append(split(f.Cond), split(x.Cond)...), f.Child), nil
			}
			for _, c := range split(x.Cond) {
				if isFalse(c) || isNull(c) {
					return empty(x.Output()), nil
				}
			}
			if isEmpty(x.Child) {
				return empty(x.Output()), nil
			}
		case *plan.Limit:
			return tidyLimit(x), nil
		case *plan.Sort:
			if isEmpty(x.Child) {
				return x.Child, nil
			}
			if s, ok := x.Child.(*plan.Sort); ok && x.Global {
				return &plan.Sort{Common: x.Common, Order: x.Order, Global: true, Child: s.Child}, nil
			}
			if _, hi := rowBounds(x.Child); hi <= 1 {
				return x.Child, nil
			}
		case *plan.Join:
			return tidyJoin(x), nil
		case *plan.Aggregate:
			if isEmpty(x.Child) && len(x.Group) > 0 && !x.Live {
				return empty(x.Output()), nil
			}
			if !x.Live {
				return tidyAggregate(x), nil
			}
		case *plan.WindowNode, *plan.Generate, *plan.Expand, *plan.Sample, *plan.Repartition:
			if isEmpty(n.Children()[0]) {
				return empty(n.Output()), nil
			}
		case *plan.SetOperation:
			return tidyUnion(x), nil
		}
		return n, nil
	})
}

// empty is a relation without rows.
func empty(out []*plan.Attr) plan.Node {
	return &plan.LocalRelation{Out: out, Batches: noRows}
}

func isEmpty(n plan.Node) bool {
	l, ok := n.(*plan.LocalRelation)
	if !ok {
		return false
	}
	rows, known := localRows(l)
	return known && rows == 0
}

func tidyProject(p *plan.Project) plan.Node {
	if isEmpty(p.Child) {
		return empty(p.Output())
	}
	if c, ok := p.Child.(*plan.Project); ok && mergeable(p.List, c.List) {
		m := defs(c.List)
		list := make([]plan.Expr, len(p.List))
		for i, e := range p.List {
			list[i] = substituteNamed(e, m, c)
		}
		return tidyProject(&plan.Project{Common: p.Common, List: list, Child: c.Child})
	}
	if a, ok := p.Child.(*plan.Aggregate); ok && renamesOnly(p.List) {
		// The aggregate can name and order its columns itself.
		by := map[plan.ExprID]plan.Expr{}
		for _, e := range a.List {
			by[plan.ToAttr(e).ID] = e
		}
		seen := idSet{}
		list := make([]plan.Expr, 0, len(p.List))
		for _, e := range p.List {
			w := plan.ToAttr(e)
			src := by[unalias(e).(*plan.Attr).ID]
			if src == nil || seen.has(w.ID) {
				return p
			}
			seen.add(w.ID)
			if at, ok := src.(*plan.Attr); ok && at.ID == w.ID {
				list = append(list, named(at, w))
				continue
			}
			list = append(list, &plan.Alias{Child: unalias(src), Names: []string{w.Name}, ID: w.ID, Qualifier: w.Qualifier, Metadata: w.Metadata})
		}
		c := *a
		c.List = list
		return &c
	}
	in := p.Child.Output()
	if len(in) != len(p.List) {
		return p
	}
	for i, e := range p.List {
		a, ok := e.(*plan.Attr)
		if !ok || a.ID != in[i].ID || a.Name != in[i].Name {
			return p
		}
	}
	return p.Child
}

func renamesOnly(list []plan.Expr) bool {
	for _, e := range list {
		if _, ok := unalias(e).(*plan.Attr); !ok {
			return false
		}
	}
	return true
}

// mergeable: two projections may become one when that repeats no work and moves no randomness.
func mergeable(upper, lower []plan.Expr) bool {
	m := defs(lower)
	for _, e := range m {
		if !deterministic(e) || hasGenerator(e) {
			return false
		}
	}
	uses := map[plan.ExprID]int{}
	for _, e := range upper {
		plan.Walk(e, func(x plan.Expr) bool {
			if a, ok := x.(*plan.Attr); ok {
				uses[a.ID]++
			}
			return true
		})
		if contains(e, func(x plan.Expr) bool { _, ok := x.(*plan.Lambda); return ok }) {
			for id := range refs(e) {
				uses[id]++ // a lambda body runs many times a row
			}
		}
	}
	for id, e := range m {
		if uses[id] > 1 && !cheap(e) {
			if _, ok := made(unalias(e), "named_struct"); ok && onlyFields(upper, id) {
				continue
			}
			return false
		}
	}
	return true
}

// substituteNamed resolves an item of the upper list against the lower one, keeping its id and name.
func substituteNamed(e plan.Expr, m map[plan.ExprID]plan.Expr, _ *plan.Project) plan.Expr {
	switch x := e.(type) {
	case *plan.Attr:
		d, ok := m[x.ID]
		if !ok {
			return x
		}
		return &plan.Alias{At: x.At, Child: d, Names: []string{x.Name}, ID: x.ID, Qualifier: x.Qualifier, Metadata: x.Metadata}
	case *plan.Alias:
		c := *x
		c.Child = replace(x.Child, m)
		if c.Metadata == "" {
			if a := plan.ToAttr(x); a != nil {
				c.Metadata = a.Metadata
			}
		}
		return &c
	}
	return replace(e, m)
}

func tidyJoin(j *plan.Join) plan.Node {
	le, re := isEmpty(j.Left), isEmpty(j.Right)
	condFalse := false
	for _, c := range split(j.Cond) {
		condFalse = condFalse || isFalse(c) || isNull(c)
	}
	switch j.Kind {
	case plan.Inner, plan.Cross:
		if le || re || condFalse {
			return empty(j.Output())
		}
		// A relation of one row without columns adds nothing.
		if _, ok := j.Left.(*plan.OneRow); ok {
			return filter(split(j.Cond), j.Right)
		}
		if _, ok := j.Right.(*plan.OneRow); ok {
			return filter(split(j.Cond), j.Left)
		}
	case plan.LeftSemi:
		if le || re || condFalse {
			return empty(j.Output())
		}
	case plan.LeftAnti, plan.NullAwareAnti:
		if le || re {
			return j.Left
		}
	case plan.LeftOuter, plan.LeftSingle:
		if le {
			return empty(j.Output())
		}
		if re || condFalse {
			list := asExprs(j.Left.Output())
			for _, a := range j.Right.Output() {
				list = append(list, &plan.Alias{Child: nullLit(a.T), Names: []string{a.Name}, ID: a.ID, Qualifier: a.Qualifier})
			}
			return &plan.Project{List: list, Child: j.Left}
		}
	}
	return j
}

func tidyUnion(u *plan.SetOperation) plan.Node {
	var inputs []plan.Node
	for _, in := range u.Inputs {
		if isEmpty(in) {
			continue
		}
		inputs = append(inputs, in)
	}
	switch len(inputs) {
	case len(u.Inputs):
		return u
	case 0:
		return empty(u.Output())
	case 1:
		in := inputs[0].Output()
		list := make([]plan.Expr, len(in))
		for i, a := range in {
			w := u.Out[i]
			list[i] = &plan.Alias{Child: a, Names: []string{w.Name}, ID: w.ID, Qualifier: w.Qualifier, Metadata: w.Metadata}
		}
		return &plan.Project{List: list, Child: inputs[0]}
	}
	c := *u
	c.Inputs = inputs
	return &c
}

// --- limits

// constInt is a limit's number; -1 for none, ok false when it isn't constant.
func constInt(e plan.Expr) (int64, bool) {
	if e == nil {
		return -1, true
	}
	for {
		c, ok := e.(*plan.Cast)
		if !ok {
			break
		}
		e = c.Child
	}
	l, ok := e.(*plan.Literal)
	if !ok {
		return 0, false
	}
	return asInt(l.Value)
}

func limitNode(n int64, child plan.Node) plan.Node {
	if l, ok := child.(*plan.Limit); ok && !l.Tail && l.Offset == nil {
		if have, ok := constInt(l.N); ok && have <= n {
			return child
		}
	}
	if _, hi := rowBounds(child); hi <= n {
		return child
	}
	return &plan.Limit{N: &plan.Literal{T: types.Int64Type, Value: n}, Child: child}
}

func tidyLimit(l *plan.Limit) plan.Node {
	n, ok := constInt(l.N)
	off, ok2 := constInt(l.Offset)
	if !ok || !ok2 || l.Tail {
		return l
	}
	off = max(off, 0)
	if n == 0 || isEmpty(l.Child) {
		return empty(l.Output())
	}
	switch c := l.Child.(type) {
	case *plan.Project:
		// Evaluate expressions only for the rows that remain.
		m := *l
		m.Child = c.Child
		return &plan.Project{Common: c.Common, List: c.List, Child: tidyLimit(&m)}
	case *plan.Limit:
		in, ok := constInt(c.N)
		inOff, ok2 := constInt(c.Offset)
		if !ok || !ok2 || c.Tail {
			return l
		}
		inOff = max(inOff, 0)
		// Rows inOff+off .. of the inner's child, at most in-off of them.
		total := n
		if in >= 0 {
			rest := max(in-off, 0)
			if total < 0 || rest < total {
				total = rest
			}
		}
		out := &plan.Limit{Common: l.Common, Child: c.Child}
		if total >= 0 {
			out.N = &plan.Literal{T: types.Int64Type, Value: total}
		}
		if inOff+off > 0 {
			out.Offset = &plan.Literal{T: types.Int64Type, Value: inOff + off}
		}
		return tidyLimit(out)
	case *plan.SetOperation:
		if n < 0 {
			return l
		}
		changed := false
		m := *c
		m.Inputs = make([]plan.Node, len(c.Inputs))
		for i, in := range c.Inputs {
			m.Inputs[i] = limitNode(n+off, in)
			changed = changed || m.Inputs[i] != in
		}
		if changed {
			k := *l
			k.Child = &m
			return &k
		}
	case *plan.Join:
		if n < 0 {
			return l
		}
		m := *c
		switch {
		case c.Kind == plan.LeftOuter || c.Kind == plan.LeftSingle || c.Kind == plan.Existence:
			m.Left = limitNode(n+off, c.Left)
		case c.Kind == plan.RightOuter:
			m.Right = limitNode(n+off, c.Right)
		case c.Kind == plan.Cross || c.Kind == plan.Inner && c.Cond == nil:
			m.Left, m.Right = limitNode(n+off, c.Left), limitNode(n+off, c.Right)
		}
		if m.Left != c.Left || m.Right != c.Right {
			k := *l
			k.Child = &m
			return &k
		}
	}
	if _, hi := rowBounds(l.Child); off == 0 && n >= 0 && hi <= n {
		return l.Child
	}
	return l
}

// tidyAggregate drops constants and repetitions from the keys, and DISTINCT over what is distinct already.
func tidyAggregate(a *plan.Aggregate) plan.Node {
	seen := map[string]bool{}
	var group []plan.Expr
	for _, g := range a.Group {
		k := key(g)
		if seen[k] {
			continue
		}
		seen[k] = true
		group = append(group, g)
	}
	if len(group) == len(a.Group) {
		return a
	}
	c := *a
	c.Group = group
	return &c
}
