package plan

// The methods of nodes with several inputs.

// Children implements Node.
func (n *WithRelations) Children() []Node { return append([]Node{n.Root}, n.Refs...) }

// WithChildren implements Node.
func (n *WithRelations) WithChildren(k []Node) Node {
	c := *n
	c.Root = k[0]
	c.Refs = k[1:]
	return &c
}

// Exprs implements Node.
func (n *WithRelations) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *WithRelations) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *WithRelations) Output() []*Attr { return n.Root.Output() }

// Children implements Node.
func (n *Join) Children() []Node { return []Node{n.Left, n.Right} }

// WithChildren implements Node.
func (n *Join) WithChildren(k []Node) Node {
	c := *n
	c.Left = k[0]
	c.Right = k[1]
	return &c
}

// Exprs implements Node.
func (n *Join) Exprs() []Expr {
	var x exprList
	x.one(n.Cond)
	return x
}

// WithExprs implements Node.
func (n *Join) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Cond = x.one(n.Cond)
	return &c
}

// Output implements Node.
func (n *Join) Output() []*Attr { return joinOutput(n) }

// Children implements Node.
func (n *AsOfJoin) Children() []Node { return []Node{n.Left, n.Right} }

// WithChildren implements Node.
func (n *AsOfJoin) WithChildren(k []Node) Node {
	c := *n
	c.Left = k[0]
	c.Right = k[1]
	return &c
}

// Exprs implements Node.
func (n *AsOfJoin) Exprs() []Expr {
	var x exprList
	x.one(n.LeftAsOf)
	x.one(n.RightAsOf)
	x.one(n.Cond)
	x.one(n.Tolerance)
	return x
}

// WithExprs implements Node.
func (n *AsOfJoin) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.LeftAsOf = x.one(n.LeftAsOf)
	c.RightAsOf = x.one(n.RightAsOf)
	c.Cond = x.one(n.Cond)
	c.Tolerance = x.one(n.Tolerance)
	return &c
}

// Output implements Node.
func (n *AsOfJoin) Output() []*Attr { return nil }

// Children implements Node.
func (n *SetOperation) Children() []Node { return n.Inputs }

// WithChildren implements Node.
func (n *SetOperation) WithChildren(k []Node) Node {
	c := *n
	c.Inputs = k[0:]
	return &c
}

// Exprs implements Node.
func (n *SetOperation) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *SetOperation) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *SetOperation) Output() []*Attr { return setOutput(n) }

// Children implements Node.
func (n *RecursiveLoop) Children() []Node { return []Node{n.Anchor, n.Step} }

// WithChildren implements Node.
func (n *RecursiveLoop) WithChildren(k []Node) Node {
	c := *n
	c.Anchor = k[0]
	c.Step = k[1]
	return &c
}

// Exprs implements Node.
func (n *RecursiveLoop) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *RecursiveLoop) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *RecursiveLoop) Output() []*Attr { return n.Out }
