package plan

import "slices"

// What nodes put out, and walking over trees of nodes.

// ToAttr is the column that a resolved named expression (Attr, Alias) makes; nil for others.
func ToAttr(e Expr) *Attr {
	switch e := e.(type) {
	case *Attr:
		return e
	case *Alias:
		if e.ID == 0 || len(e.Names) != 1 || e.Child.Type() == nil {
			return nil
		}
		meta := e.Metadata
		if meta == "" {
			switch c := e.Child.(type) {
			case *Attr:
				meta = c.Metadata
			}
		}
		return &Attr{At: e.At, ID: e.ID, Name: e.Names[0], T: e.Child.Type(), Null: e.Child.Nullable(), Qualifier: e.Qualifier, Metadata: meta}
	}
	return nil
}

func namedOutput(l []Expr) []*Attr {
	out := make([]*Attr, 0, len(l))
	for _, e := range l {
		a := ToAttr(e)
		if a == nil {
			return nil
		}
		out = append(out, a)
	}
	return out
}

func aliasOutput(n *SubqueryAlias) []*Attr {
	in := n.Child.Output()
	if in == nil {
		return nil
	}
	out := make([]*Attr, len(in))
	for i, a := range in {
		c := *a
		c.Qualifier = append(append([]string{}, n.Path...), n.Name)
		if i < len(n.Columns) {
			c.Name = n.Columns[i]
		}
		out[i] = &c
	}
	return out
}

func generateOutput(n *Generate) []*Attr {
	in := n.Required
	if in == nil {
		in = n.Child.Output()
	}
	if in == nil || n.Out == nil {
		return nil
	}
	return append(slices.Clip(in), n.Out...)
}

func watermarkOutput(n *WithWatermark) []*Attr {
	if n.Out != nil {
		return n.Out
	}
	return n.Child.Output()
}

func nullable(in []*Attr) []*Attr {
	out := make([]*Attr, len(in))
	for i, a := range in {
		c := *a
		c.Null = true
		out[i] = &c
	}
	return out
}

func joinOutput(n *Join) []*Attr {
	l := n.Left.Output()
	if l == nil {
		return nil
	}
	switch n.Kind {
	case LeftSemi, LeftAnti, NullAwareAnti:
		return l
	case Existence:
		return append(slices.Clip(l), n.Exists)
	}
	r := n.Right.Output()
	if r == nil {
		return nil
	}
	switch n.Kind {
	case LeftOuter, LeftSingle:
		r = nullable(r)
	case RightOuter:
		l = nullable(l)
	case FullOuter:
		l, r = nullable(l), nullable(r)
	}
	return append(slices.Clip(l), r...)
}

func setOutput(n *SetOperation) []*Attr {
	if n.Out != nil {
		return n.Out
	}
	if n.Op != UnionOp && len(n.Inputs) > 0 {
		return n.Inputs[0].Output()
	}
	return nil
}

// TransformUp rewrites the tree of relations bottom-up; subqueries inside expressions are left alone.
func TransformUp(n Node, f func(Node) (Node, error)) (Node, error) {
	kids := n.Children()
	var fresh []Node
	for i, k := range kids {
		c, err := TransformUp(k, f)
		if err != nil {
			return nil, err
		}
		if c != k && fresh == nil {
			fresh = slices.Clone(kids)
		}
		if fresh != nil {
			fresh[i] = c
		}
	}
	if fresh != nil {
		n = n.WithChildren(fresh)
	}
	return f(n)
}

// TransformExprs rewrites the expressions of one node, bottom-up.
func TransformExprs(n Node, f func(Expr) (Expr, error)) (Node, error) {
	old := n.Exprs()
	var fresh []Expr
	for i, e := range old {
		c, err := Transform(e, f)
		if err != nil {
			return nil, err
		}
		if c != e && fresh == nil {
			fresh = slices.Clone(old)
		}
		if fresh != nil {
			fresh[i] = c
		}
	}
	if fresh == nil {
		return n, nil
	}
	return n.WithExprs(fresh), nil
}

// WalkNodes visits the tree top-down; f returning false skips the children.
func WalkNodes(n Node, f func(Node) bool) {
	if !f(n) {
		return
	}
	for _, k := range n.Children() {
		WalkNodes(k, f)
	}
}
