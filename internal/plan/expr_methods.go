package plan

import (
	"neptune/internal/errs"
	"neptune/internal/types"
)

// The methods of the expressions, kept apart from their definitions.

// Children implements Expr.
func (e *Literal) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *Literal) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *Literal) Type() *types.Type { return e.T }

// Nullable implements Expr.
func (e *Literal) Nullable() bool { return e.Value == nil }

// Children implements Expr.
func (e *UnresolvedAttr) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *UnresolvedAttr) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *UnresolvedAttr) Type() *types.Type { return nil }

// Nullable implements Expr.
func (e *UnresolvedAttr) Nullable() bool { return true }

// Children implements Expr.
func (e *UnresolvedStar) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *UnresolvedStar) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *UnresolvedStar) Type() *types.Type { return nil }

// Nullable implements Expr.
func (e *UnresolvedStar) Nullable() bool { return true }

// Children implements Expr.
func (e *UnresolvedRegex) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *UnresolvedRegex) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *UnresolvedRegex) Type() *types.Type { return nil }

// Nullable implements Expr.
func (e *UnresolvedRegex) Nullable() bool { return true }

// Children implements Expr.
func (e *UnresolvedOrdinal) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *UnresolvedOrdinal) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *UnresolvedOrdinal) Type() *types.Type { return nil }

// Nullable implements Expr.
func (e *UnresolvedOrdinal) Nullable() bool { return true }

// Children implements Expr.
func (e *Parameter) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *Parameter) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *Parameter) Type() *types.Type { return nil }

// Nullable implements Expr.
func (e *Parameter) Nullable() bool { return true }

// Children implements Expr.
func (e *Attr) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *Attr) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *Attr) Type() *types.Type { return e.T }

// Nullable implements Expr.
func (e *Attr) Nullable() bool { return e.Null }

// Children implements Expr.
func (e *OuterRef) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *OuterRef) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *OuterRef) Type() *types.Type { return e.Attr.T }

// Nullable implements Expr.
func (e *OuterRef) Nullable() bool { return e.Attr.Null }

// Children implements Expr.
func (e *Bound) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *Bound) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *Bound) Type() *types.Type { return e.T }

// Nullable implements Expr.
func (e *Bound) Nullable() bool { return e.Null }

// Children implements Expr.
func (e *LambdaVar) Children() []Expr { return nil }

// WithChildren implements Expr.
func (e *LambdaVar) WithChildren([]Expr) Expr { return e }

// Type implements Expr.
func (e *LambdaVar) Type() *types.Type { return e.T }

// Nullable implements Expr.
func (e *LambdaVar) Nullable() bool { return e.Null }

// Children implements Expr.
func (e *Alias) Children() []Expr { return []Expr{e.Child} }

// WithChildren implements Expr.
func (e *Alias) WithChildren(k []Expr) Expr {
	c := *e
	c.Child = k[0]
	return &c
}

// Type implements Expr.
func (e *Alias) Type() *types.Type { return e.Child.Type() }

// Nullable implements Expr.
func (e *Alias) Nullable() bool { return e.Child.Nullable() }

// Children implements Expr.
func (e *Cast) Children() []Expr { return []Expr{e.Child} }

// WithChildren implements Expr.
func (e *Cast) WithChildren(k []Expr) Expr {
	c := *e
	c.Child = k[0]
	return &c
}

// Type implements Expr.
func (e *Cast) Type() *types.Type { return e.To }

// Nullable implements Expr.
func (e *Cast) Nullable() bool { return e.Child.Nullable() || castNullable(e) }

// Children implements Expr.
func (e *Extract) Children() []Expr { return []Expr{e.Child, e.Key} }

// WithChildren implements Expr.
func (e *Extract) WithChildren(k []Expr) Expr {
	c := *e
	c.Child = k[0]
	c.Key = k[1]
	return &c
}

// Type implements Expr.
func (e *Extract) Type() *types.Type { return nil }

// Nullable implements Expr.
func (e *Extract) Nullable() bool { return true }

// Children implements Expr.
func (e *GetField) Children() []Expr { return []Expr{e.Child} }

// WithChildren implements Expr.
func (e *GetField) WithChildren(k []Expr) Expr {
	c := *e
	c.Child = k[0]
	return &c
}

// Type implements Expr.
func (e *GetField) Type() *types.Type { return fieldType(e) }

// Nullable implements Expr.
func (e *GetField) Nullable() bool { return fieldNullable(e) }

// Children implements Expr.
func (e *Lambda) Children() []Expr { return []Expr{e.Body} }

// WithChildren implements Expr.
func (e *Lambda) WithChildren(k []Expr) Expr {
	c := *e
	c.Body = k[0]
	return &c
}

// Type implements Expr.
func (e *Lambda) Type() *types.Type { return e.Body.Type() }

// Nullable implements Expr.
func (e *Lambda) Nullable() bool { return e.Body.Nullable() }

// Pos implements Expr.
func (e *Bound) Pos() *errs.Origin { return nil }

func castNullable(e *Cast) bool {
	from := e.Child.Type()
	if from == nil || e.To == nil {
		return true
	}
	if e.Mode != Try {
		return types.ForcesNulls(from, e.To)
	}
	return !types.Equal(from, e.To) && !types.UpCasts(from, e.To)
}

func fieldType(e *GetField) *types.Type {
	if t := e.Child.Type(); t != nil && e.Index < len(t.Fields) {
		return t.Fields[e.Index].Type
	}
	return nil
}

func fieldNullable(e *GetField) bool {
	if t := e.Child.Type(); t != nil && e.Index < len(t.Fields) {
		return e.Child.Nullable() || t.Fields[e.Index].Nullable
	}
	return true
}

// Children implements Expr: the arguments, then the filter, then the order keys.
func (e *Call) Children() []Expr {
	if e.Filter == nil && len(e.Order) == 0 {
		return e.Args
	}
	k := append([]Expr{}, e.Args...)
	if e.Filter != nil {
		k = append(k, e.Filter)
	}
	for _, o := range e.Order {
		k = append(k, o.Child)
	}
	return k
}

// WithChildren implements Expr.
func (e *Call) WithChildren(k []Expr) Expr {
	c := *e
	n := len(e.Args)
	c.Args = k[:n:n]
	if e.Filter != nil {
		c.Filter = k[n]
		n++
	}
	c.Order = withOrder(e.Order, k[n:])
	return &c
}

func withOrder(o []SortOrder, k []Expr) []SortOrder {
	if len(o) == 0 {
		return nil
	}
	out := make([]SortOrder, len(o))
	for i := range o {
		out[i] = o[i]
		out[i].Child = k[i]
	}
	return out
}

// Type implements Expr.
func (e *Call) Type() *types.Type { return e.T }

// Nullable implements Expr.
func (e *Call) Nullable() bool { return e.T == nil || e.Null }

// Children implements Expr: when, then in turn, and the else.
func (e *Case) Children() []Expr {
	k := make([]Expr, 0, 2*len(e.When)+1)
	for i := range e.When {
		k = append(k, e.When[i], e.Then[i])
	}
	if e.Else != nil {
		k = append(k, e.Else)
	}
	return k
}

// WithChildren implements Expr.
func (e *Case) WithChildren(k []Expr) Expr {
	c := *e
	c.When, c.Then = make([]Expr, len(e.When)), make([]Expr, len(e.When))
	for i := range e.When {
		c.When[i], c.Then[i] = k[2*i], k[2*i+1]
	}
	if e.Else != nil {
		c.Else = k[len(k)-1]
	}
	return &c
}

// Type implements Expr: the type of the branches, which the analyzer made equal.
func (e *Case) Type() *types.Type { return e.Then[0].Type() }

// Nullable implements Expr.
func (e *Case) Nullable() bool {
	for i, t := range e.Then {
		if t.Nullable() {
			return true
		}
		if l, ok := e.When[i].(*Literal); ok && !e.If && l.Value == true {
			return false // the branches behind are never taken
		}
	}
	return e.Else == nil || e.Else.Nullable()
}

// Children implements Expr.
func (e *UpdateFields) Children() []Expr {
	if e.Value == nil {
		return []Expr{e.Child}
	}
	return []Expr{e.Child, e.Value}
}

// WithChildren implements Expr.
func (e *UpdateFields) WithChildren(k []Expr) Expr {
	c := *e
	c.Child = k[0]
	if e.Value != nil {
		c.Value = k[1]
	}
	return &c
}

// Type implements Expr: the analyzer replaces it by a named_struct.
func (e *UpdateFields) Type() *types.Type { return nil }

// Nullable implements Expr.
func (e *UpdateFields) Nullable() bool { return true }

// Children implements Expr: the function, partition keys, order keys, then the frame's offsets.
func (e *Window) Children() []Expr {
	k := append([]Expr{e.Func}, e.Partition...)
	for _, o := range e.Order {
		k = append(k, o.Child)
	}
	if e.Frame != nil {
		if e.Frame.Lower.Offset != nil {
			k = append(k, e.Frame.Lower.Offset)
		}
		if e.Frame.Upper.Offset != nil {
			k = append(k, e.Frame.Upper.Offset)
		}
	}
	return k
}

// WithChildren implements Expr.
func (e *Window) WithChildren(k []Expr) Expr {
	c := *e
	c.Func = k[0]
	n := 1 + len(e.Partition)
	c.Partition = k[1:n:n]
	c.Order = withOrder(e.Order, k[n:])
	n += len(e.Order)
	if e.Frame != nil {
		f := *e.Frame
		if f.Lower.Offset != nil {
			f.Lower.Offset = k[n]
			n++
		}
		if f.Upper.Offset != nil {
			f.Upper.Offset = k[n]
		}
		c.Frame = &f
	}
	return &c
}

// Type implements Expr.
func (e *Window) Type() *types.Type { return e.Func.Type() }

// Nullable implements Expr.
func (e *Window) Nullable() bool { return e.Func.Nullable() }

// Children implements Expr: the left side of IN. The plan is not an expression.
func (e *Subquery) Children() []Expr { return e.Values }

// WithChildren implements Expr.
func (e *Subquery) WithChildren(k []Expr) Expr {
	c := *e
	c.Values = k
	return &c
}

// Type implements Expr.
func (e *Subquery) Type() *types.Type {
	if e.Kind == ExistsSubquery || e.Kind == InSubquery {
		return types.BoolType
	}
	return e.T
}

// Nullable implements Expr.
func (e *Subquery) Nullable() bool {
	if e.Kind != InSubquery || e.Plan == nil {
		return e.Kind != ExistsSubquery
	}
	for _, v := range e.Values {
		if v.Nullable() {
			return true
		}
	}
	for _, a := range e.Plan.Output() {
		if a.Null {
			return true
		}
	}
	return false
}

// Children implements Expr.
func (e *NamedExprList) Children() []Expr { return e.List }

// WithChildren implements Expr.
func (e *NamedExprList) WithChildren(k []Expr) Expr {
	c := *e
	c.List = k
	return &c
}

// Type implements Expr.
func (e *NamedExprList) Type() *types.Type { return nil }

// Nullable implements Expr.
func (e *NamedExprList) Nullable() bool { return true }

// Children implements Expr.
func (e *UDF) Children() []Expr { return e.Args }

// WithChildren implements Expr.
func (e *UDF) WithChildren(k []Expr) Expr {
	c := *e
	c.Args = k
	return &c
}

// Type implements Expr.
func (e *UDF) Type() *types.Type { return e.T }

// Nullable implements Expr.
func (e *UDF) Nullable() bool { return e.Null }

// Transform rewrites e bottom-up: f gets each node with its children already
// rewritten and returns its replacement (or the node itself).
func Transform(e Expr, f func(Expr) (Expr, error)) (Expr, error) {
	kids := e.Children()
	if len(kids) > 0 {
		var fresh []Expr
		for i, k := range kids {
			n, err := Transform(k, f)
			if err != nil {
				return nil, err
			}
			if n != k && fresh == nil {
				fresh = append([]Expr{}, kids...)
			}
			if fresh != nil {
				fresh[i] = n
			}
		}
		if fresh != nil {
			e = e.WithChildren(fresh)
		}
	}
	return f(e)
}

// Walk visits e and its sub-expressions top-down; f returning false skips the children.
func Walk(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	for _, k := range e.Children() {
		Walk(k, f)
	}
}
