package optimize

import (
	"fmt"

	"neptune/arrowexec/physical"
	"neptune/internal/errs"
	"neptune/internal/plan"
)

// An aggregate's list mixes keys and calls; the operator computes keys and
// calls, and a projection above the rest.

type aggCall struct {
	call *plan.Call
	out  *plan.Attr
}

type aggSplit struct {
	group []plan.Expr  // keys, as they are computed
	keys  []*plan.Attr // their columns
	calls []aggCall
	list  []plan.Expr // over keys and calls
	// Of a stream: which key is event time (-1: none), and the watermark's column.
	event     int
	eventName string
	live      bool // keeps state between micro-batches
}

// splitAggregate names every key and every distinct call of a list.
func splitAggregate(group, list []plan.Expr) aggSplit {
	s := aggSplit{group: group, event: -1}
	m := map[string]plan.Expr{}
	named := map[string]*plan.Attr{}
	for _, e := range list {
		if al, ok := e.(*plan.Alias); ok && al.ID != 0 {
			if k := key(al); named[k] == nil {
				named[k] = plan.ToAttr(al)
			}
		}
	}
	for i, g := range group {
		at, ok := g.(*plan.Attr)
		if !ok {
			if at = named[key(g)]; at == nil {
				at = &plan.Attr{ID: plan.NewID(), Name: fmt.Sprintf("_group%d", i), T: g.Type(), Null: g.Nullable()}
			}
		}
		s.keys = append(s.keys, at)
		m[key(g)] = at
	}
	for _, e := range list {
		plan.Walk(e, func(e plan.Expr) bool {
			k := key(e)
			if _, ok := m[k]; ok {
				return false
			}
			c, ok := e.(*plan.Call)
			if !ok || c.Kind != plan.FnAggregate {
				return true
			}
			at := named[k]
			if at == nil {
				at = &plan.Attr{ID: plan.NewID(), Name: c.Name, T: c.T, Null: c.Nullable()}
			}
			m[k] = at
			s.calls = append(s.calls, aggCall{c, at})
			return false
		})
	}
	for _, e := range list {
		if at := plan.ToAttr(e); at != nil {
			r := swap(e, m)
			if x, ok := unalias(r).(*plan.Attr); ok && x.ID == at.ID {
				s.list = append(s.list, x)
				continue
			}
			s.list = append(s.list, r)
			continue
		}
		s.list = append(s.list, swap(e, m))
	}
	return s
}

func (p *planner) aggregate(a *plan.Aggregate) (part, error) {
	for _, e := range a.List {
		if contains(e, func(e plan.Expr) bool { u, ok := e.(*plan.UDF); return ok && u.Aggregate }) {
			return part{}, errs.NotSupported("user defined aggregate functions").At(e.Pos())
		}
	}
	if low, ok := a.Child.(*plan.Aggregate); ok && p.regroups(a, low) {
		p.under[low] = a.Group
	}
	in, err := p.plan(a.Child)
	if err != nil {
		return in, err
	}
	s := splitAggregate(a.Group, a.List)
	if in, err = p.commonArguments(in, &s); err != nil {
		return in, err
	}
	inRows, groups := p.est.of(a.Child).rows, p.est.of(a).rows
	stateful := p.stream != nil && a.Live
	s.live = stateful
	if stateful {
		s.event, s.eventName = eventColumn(a.Child, a.Group)
	}
	var out part
	switch {
	case !stateful && (in.single || len(s.group) > 0 && clustered(in, s.group)):
		out, err = p.hashAggregate(in, s, physical.Complete)
	case !stateful && len(s.group) > 0 && groups > p.conf.rows(smallRows) && groups > 0.8*inRows:
		deal := s.group
		if k := p.under[a]; k != nil {
			deal = k
		}
		if in, err = p.cluster(in, deal, p.est.of(a.Child)); err != nil {
			return in, err
		}
		out, err = p.hashAggregate(in, s, physical.Complete)
	default:
		out, err = p.twoPhase(in, s, groups, p.est.of(a.Child), p.under[a])
	}
	if err != nil {
		return out, err
	}
	cols := out.node.Schema()
	same := len(cols) == len(s.list)
	for i := 0; same && i < len(cols); i++ {
		at, ok := s.list[i].(*plan.Attr)
		same = ok && at.ID == cols[i].ID
	}
	if same {
		return out, nil
	}
	list := s.list
	if pre, rest := common(list, nil); len(pre) > 0 {
		if out, err = project(out, append(passed(out, rest), pre...)); err != nil {
			return out, err
		}
		list = rest
	}
	return project(out, list)
}

// regroups reports whether the groups of low, which up groups again by some of their keys, are
// best dealt out by these keys already: there are enough of them to occupy all slots evenly.
func (p *planner) regroups(up, low *plan.Aggregate) bool {
	if up.Live || low.Live || len(up.Group) == 0 || len(up.Group) == len(low.Group) {
		return false
	}
	for _, k := range up.Group {
		if _, ok := k.(*plan.Attr); !ok || !containsKey(low.Group, k) {
			return false
		}
	}
	return p.est.of(up).rows >= p.evenly()
}

// commonArguments computes below what several keys and arguments share.
func (p *planner) commonArguments(in part, s *aggSplit) (part, error) {
	list := append([]plan.Expr{}, s.group...)
	cond := map[int]bool{}
	for _, c := range s.calls {
		cond[len(list)] = c.call.Filter != nil
		list = append(list, c.call)
	}
	pre, rest := common(list, cond)
	if len(pre) == 0 {
		return in, nil
	}
	in, err := project(in, append(passed(in, rest), pre...))
	if err != nil {
		return in, err
	}
	s.group = rest[:len(s.group)]
	for i := range s.calls {
		s.calls[i].call = rest[len(s.group)+i].(*plan.Call)
	}
	return in, nil
}

func (p *planner) boundAggs(in part, s aggSplit) (group []plan.Expr, aggs []physical.Agg, err error) {
	cols := in.node.Schema()
	if group, err = physical.BindAll(s.group, cols); err != nil {
		return nil, nil, err
	}
	for _, c := range s.calls {
		if c.call.Distinct {
			return nil, nil, errs.Internalf("DISTINCT left in aggregate %s", c.call.Name)
		}
		b, err := physical.Bind(c.call, cols)
		if err != nil {
			return nil, nil, err
		}
		call := *b.(*plan.Call)
		f := call.Filter
		call.Filter = nil
		aggs = append(aggs, physical.Agg{Call: &call, Filter: f})
	}
	return group, aggs, nil
}

func keyColumns(s aggSplit, group []plan.Expr) []physical.Column {
	out := make([]physical.Column, len(group))
	for i, g := range group {
		out[i] = physical.Column{Name: s.keys[i].Name, Type: g.Type(), Null: g.Nullable(), ID: s.keys[i].ID}
	}
	return out
}

func (p *planner) hashAggregate(in part, s aggSplit, mode physical.AggMode) (part, error) {
	group, aggs, err := p.boundAggs(in, s)
	if err != nil {
		return in, err
	}
	out := keyColumns(s, group)
	for i := range aggs {
		aggs[i].Mode = mode
		out = append(out, column(s.calls[i].out))
	}
	r := part{node: &physical.HashAggregate{Group: group, Aggs: aggs, Mode: mode, Out: out, Input: in.node}, single: in.single, n: in.n}
	r.hash = keepHash(in, out)
	return r, nil
}

// keepHash keeps the partitionings whose columns are all in out.
func keepHash(in part, out []physical.Column) [][]plan.ExprID {
	have := idSet{}
	for _, c := range out {
		have.add(c.ID)
	}
	var res [][]plan.ExprID
	for _, alt := range in.hash {
		ok := true
		for _, id := range alt {
			ok = ok && have.has(id)
		}
		if ok {
			res = append(res, alt)
		}
	}
	return res
}

// twoPhase aggregates before and after the exchange, which deals out by the keys by, if there are any.
func (p *planner) twoPhase(in part, s aggSplit, groups float64, st *relStats, by []plan.Expr) (part, error) {
	group, aggs, err := p.boundAggs(in, s)
	if err != nil {
		return in, err
	}
	out := keyColumns(s, group)
	final := make([]physical.Agg, len(aggs))
	finalOut := keyColumns(s, group)
	for i := range aggs {
		state, err := p.conf.aggState(aggs[i].Call)
		if err != nil {
			return in, err
		}
		final[i] = aggs[i]
		final[i].Mode, final[i].StateAt, final[i].Filter = physical.Final, len(out), nil
		aggs[i].Mode = physical.Partial
		for j, t := range state {
			out = append(out, physical.Column{Name: fmt.Sprintf("%s_state%d", s.calls[i].out.Name, j), Type: t, Null: true, ID: plan.NewID()})
		}
		finalOut = append(finalOut, column(s.calls[i].out))
	}
	r := part{node: &physical.HashAggregate{Group: group, Aggs: aggs, Mode: physical.Partial, Out: out, Input: in.node}, single: in.single}
	keys := make([]plan.Expr, len(group))
	for i := range group {
		keys[i] = &plan.Bound{Index: i, T: out[i].Type, Null: out[i].Null, Name: fmt.Sprintf("%s#%d", out[i].Name, out[i].ID)}
	}
	if s.live {
		return p.stateAggregate(r, s, keys, final, finalOut)
	}
	if len(group) == 0 || groups <= p.conf.rows(smallRows) && !(st.rows >= p.conf.rows(unsureRows) && st.unsure(s.group)) {
		r = p.exchange(r, &physical.Exchange{Kind: physical.Single, N: 1})
	} else {
		if by == nil {
			by = s.group
		}
		var deal []plan.Expr
		for _, k := range p.dealBy(by, st) {
			for j, g := range s.group {
				if key(k) == key(g) {
					deal = append(deal, keys[j])
					break
				}
			}
		}
		if len(deal) == 0 {
			deal = keys
		}
		r = p.exchange(r, &physical.Exchange{Kind: physical.Hash, Keys: deal, N: p.partitions(groups)})
	}
	r.sorted = nil
	r.node = &physical.HashAggregate{Group: keys, Aggs: final, Mode: physical.Final, Out: finalOut, Input: r.node}
	return r, nil
}
