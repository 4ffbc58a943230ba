package plan

import "slices"

// The methods of the nodes, kept apart from their definitions.

// Children implements Node.
func (n *UnresolvedTable) Children() []Node { return nil }

// WithChildren implements Node.
func (n *UnresolvedTable) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *UnresolvedTable) Exprs() []Expr {
	var x exprList
	x.one(n.NameExpr)
	x.one(n.Timestamp)
	return x
}

// WithExprs implements Node.
func (n *UnresolvedTable) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.NameExpr = x.one(n.NameExpr)
	c.Timestamp = x.one(n.Timestamp)
	return &c
}

// Output implements Node.
func (n *UnresolvedTable) Output() []*Attr { return nil }

// Children implements Node.
func (n *UnresolvedTVF) Children() []Node { return nil }

// WithChildren implements Node.
func (n *UnresolvedTVF) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *UnresolvedTVF) Exprs() []Expr {
	var x exprList
	x.call(n.Call)
	return x
}

// WithExprs implements Node.
func (n *UnresolvedTVF) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Call = x.call(n.Call)
	return &c
}

// Output implements Node.
func (n *UnresolvedTVF) Output() []*Attr { return nil }

// Children implements Node.
func (n *DataSource) Children() []Node { return nil }

// WithChildren implements Node.
func (n *DataSource) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *DataSource) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *DataSource) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *DataSource) Output() []*Attr { return nil }

// Children implements Node.
func (n *Relation) Children() []Node { return nil }

// WithChildren implements Node.
func (n *Relation) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *Relation) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *Relation) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *Relation) Output() []*Attr { return n.Out }

// Children implements Node.
func (n *LocalRelation) Children() []Node { return nil }

// WithChildren implements Node.
func (n *LocalRelation) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *LocalRelation) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *LocalRelation) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *LocalRelation) Output() []*Attr { return n.Out }

// Children implements Node.
func (n *InlineTable) Children() []Node { return nil }

// WithChildren implements Node.
func (n *InlineTable) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *InlineTable) Exprs() []Expr {
	var x exprList
	x.lists(n.Rows)
	return x
}

// WithExprs implements Node.
func (n *InlineTable) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Rows = x.lists(n.Rows)
	return &c
}

// Output implements Node.
func (n *InlineTable) Output() []*Attr { return nil }

// Children implements Node.
func (n *OneRow) Children() []Node { return nil }

// WithChildren implements Node.
func (n *OneRow) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *OneRow) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *OneRow) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *OneRow) Output() []*Attr { return []*Attr{} }

// Children implements Node.
func (n *Range) Children() []Node { return nil }

// WithChildren implements Node.
func (n *Range) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *Range) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *Range) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *Range) Output() []*Attr { return n.Out }

// Children implements Node.
func (n *CTERef) Children() []Node { return nil }

// WithChildren implements Node.
func (n *CTERef) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *CTERef) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *CTERef) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *CTERef) Output() []*Attr { return n.Out }

// Children implements Node.
func (n *CachedRef) Children() []Node { return nil }

// WithChildren implements Node.
func (n *CachedRef) WithChildren([]Node) Node { return n }

// Exprs implements Node.
func (n *CachedRef) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *CachedRef) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *CachedRef) Output() []*Attr { return n.Out }

// Children implements Node.
func (n *Project) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Project) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Project) Exprs() []Expr {
	var x exprList
	x.list(n.List)
	return x
}

// WithExprs implements Node.
func (n *Project) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.List = x.list(n.List)
	return &c
}

// Output implements Node.
func (n *Project) Output() []*Attr { return namedOutput(n.List) }

// Children implements Node.
func (n *Filter) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Filter) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Filter) Exprs() []Expr {
	var x exprList
	x.one(n.Cond)
	return x
}

// WithExprs implements Node.
func (n *Filter) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Cond = x.one(n.Cond)
	return &c
}

// Output implements Node.
func (n *Filter) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *Aggregate) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Aggregate) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Aggregate) Exprs() []Expr {
	var x exprList
	x.list(n.Group)
	x.list(n.List)
	return x
}

// WithExprs implements Node.
func (n *Aggregate) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Group = x.list(n.Group)
	c.List = x.list(n.List)
	return &c
}

// Output implements Node.
func (n *Aggregate) Output() []*Attr { return namedOutput(n.List) }

// Children implements Node.
func (n *Sort) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Sort) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Sort) Exprs() []Expr {
	var x exprList
	x.order(n.Order)
	return x
}

// WithExprs implements Node.
func (n *Sort) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Order = x.order(n.Order)
	return &c
}

// Output implements Node.
func (n *Sort) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *Limit) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Limit) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Limit) Exprs() []Expr {
	var x exprList
	x.one(n.N)
	x.one(n.Offset)
	return x
}

// WithExprs implements Node.
func (n *Limit) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.N = x.one(n.N)
	c.Offset = x.one(n.Offset)
	return &c
}

// Output implements Node.
func (n *Limit) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *Distinct) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Distinct) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Distinct) Exprs() []Expr {
	var x exprList
	x.attrs(n.Keys)
	return x
}

// WithExprs implements Node.
func (n *Distinct) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Keys = x.attrs(n.Keys)
	return &c
}

// Output implements Node.
func (n *Distinct) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *PipeInput) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *PipeInput) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *PipeInput) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *PipeInput) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *PipeInput) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *SubqueryAlias) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *SubqueryAlias) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *SubqueryAlias) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *SubqueryAlias) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *SubqueryAlias) Output() []*Attr { return aliasOutput(n) }

// Children implements Node.
func (n *Generate) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Generate) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Generate) Exprs() []Expr {
	var x exprList
	x.one(n.Gen)
	return x
}

// WithExprs implements Node.
func (n *Generate) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Gen = x.one(n.Gen)
	return &c
}

// Output implements Node.
func (n *Generate) Output() []*Attr { return generateOutput(n) }

// Children implements Node.
func (n *WindowNode) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *WindowNode) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *WindowNode) Exprs() []Expr {
	var x exprList
	x.list(n.List)
	x.list(n.Partition)
	x.order(n.Order)
	return x
}

// WithExprs implements Node.
func (n *WindowNode) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.List = x.list(n.List)
	c.Partition = x.list(n.Partition)
	c.Order = x.order(n.Order)
	return &c
}

// Output implements Node.
func (n *WindowNode) Output() []*Attr {
	return append(slices.Clip(n.Child.Output()), namedOutput(n.List)...)
}

// Children implements Node.
func (n *Expand) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Expand) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Expand) Exprs() []Expr {
	var x exprList
	x.lists(n.Projections)
	return x
}

// WithExprs implements Node.
func (n *Expand) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Projections = x.lists(n.Projections)
	return &c
}

// Output implements Node.
func (n *Expand) Output() []*Attr { return n.Out }

// Children implements Node.
func (n *Sample) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Sample) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Sample) Exprs() []Expr {
	var x exprList
	x.one(n.Rows)
	return x
}

// WithExprs implements Node.
func (n *Sample) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Rows = x.one(n.Rows)
	return &c
}

// Output implements Node.
func (n *Sample) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *ScriptTransform) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *ScriptTransform) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *ScriptTransform) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *ScriptTransform) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *ScriptTransform) Output() []*Attr { return n.Out }

// Children implements Node.
func (n *Hint) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Hint) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Hint) Exprs() []Expr {
	var x exprList
	x.list(n.Args)
	return x
}

// WithExprs implements Node.
func (n *Hint) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Args = x.list(n.Args)
	return &c
}

// Output implements Node.
func (n *Hint) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *Repartition) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Repartition) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Repartition) Exprs() []Expr {
	var x exprList
	x.order(n.By)
	return x
}

// WithExprs implements Node.
func (n *Repartition) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.By = x.order(n.By)
	return &c
}

// Output implements Node.
func (n *Repartition) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *ToDF) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *ToDF) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *ToDF) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *ToDF) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *ToDF) Output() []*Attr { return nil }

// Children implements Node.
func (n *WithColumns) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *WithColumns) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *WithColumns) Exprs() []Expr {
	var x exprList
	x.aliases(n.Cols)
	return x
}

// WithExprs implements Node.
func (n *WithColumns) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Cols = x.aliases(n.Cols)
	return &c
}

// Output implements Node.
func (n *WithColumns) Output() []*Attr { return nil }

// Children implements Node.
func (n *WithColumnsRenamed) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *WithColumnsRenamed) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *WithColumnsRenamed) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *WithColumnsRenamed) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *WithColumnsRenamed) Output() []*Attr { return nil }

// Children implements Node.
func (n *Drop) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Drop) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Drop) Exprs() []Expr {
	var x exprList
	x.list(n.Cols)
	return x
}

// WithExprs implements Node.
func (n *Drop) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Cols = x.list(n.Cols)
	return &c
}

// Output implements Node.
func (n *Drop) Output() []*Attr { return nil }

// Children implements Node.
func (n *ToSchema) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *ToSchema) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *ToSchema) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *ToSchema) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *ToSchema) Output() []*Attr { return nil }

// Children implements Node.
func (n *Pivot) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Pivot) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Pivot) Exprs() []Expr {
	var x exprList
	x.list(n.Group)
	x.one(n.Column)
	x.list(n.Values)
	x.list(n.Aggs)
	return x
}

// WithExprs implements Node.
func (n *Pivot) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Group = x.list(n.Group)
	c.Column = x.one(n.Column)
	c.Values = x.list(n.Values)
	c.Aggs = x.list(n.Aggs)
	return &c
}

// Output implements Node.
func (n *Pivot) Output() []*Attr { return nil }

// Children implements Node.
func (n *Unpivot) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Unpivot) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Unpivot) Exprs() []Expr {
	var x exprList
	x.list(n.IDs)
	x.lists(n.Values)
	return x
}

// WithExprs implements Node.
func (n *Unpivot) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.IDs = x.list(n.IDs)
	c.Values = x.lists(n.Values)
	return &c
}

// Output implements Node.
func (n *Unpivot) Output() []*Attr { return nil }

// Children implements Node.
func (n *NA) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *NA) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *NA) Exprs() []Expr {
	var x exprList
	x.list(n.Exprs_)
	return x
}

// WithExprs implements Node.
func (n *NA) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Exprs_ = x.list(n.Exprs_)
	return &c
}

// Output implements Node.
func (n *NA) Output() []*Attr { return n.Out }

// Children implements Node.
func (n *WithWatermark) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *WithWatermark) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *WithWatermark) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *WithWatermark) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *WithWatermark) Output() []*Attr { return watermarkOutput(n) }

// Children implements Node.
func (n *Observe) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Observe) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Observe) Exprs() []Expr {
	var x exprList
	x.list(n.Metrics)
	return x
}

// WithExprs implements Node.
func (n *Observe) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Metrics = x.list(n.Metrics)
	return &c
}

// Output implements Node.
func (n *Observe) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *With) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *With) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *With) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *With) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *With) Output() []*Attr { return n.Child.Output() }

// Children implements Node.
func (n *Parsed) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Parsed) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Parsed) Exprs() []Expr { return nil }

// WithExprs implements Node.
func (n *Parsed) WithExprs([]Expr) Node { return n }

// Output implements Node.
func (n *Parsed) Output() []*Attr { return nil }

// Children implements Node.
func (n *UDFRelation) Children() []Node { return n.Inputs }

// WithChildren implements Node.
func (n *UDFRelation) WithChildren(k []Node) Node {
	c := *n
	c.Inputs = k[0:]
	return &c
}

// Exprs implements Node.
func (n *UDFRelation) Exprs() []Expr {
	var x exprList
	x.list(n.Group)
	x.list(n.Group2)
	return x
}

// WithExprs implements Node.
func (n *UDFRelation) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Group = x.list(n.Group)
	c.Group2 = x.list(n.Group2)
	return &c
}

// Output implements Node.
func (n *UDFRelation) Output() []*Attr { return nil }

// Children implements Node.
func (n *Write) Children() []Node { return []Node{n.Child} }

// WithChildren implements Node.
func (n *Write) WithChildren(k []Node) Node {
	c := *n
	c.Child = k[0]
	return &c
}

// Exprs implements Node.
func (n *Write) Exprs() []Expr {
	var x exprList
	x.one(n.Condition)
	return x
}

// WithExprs implements Node.
func (n *Write) WithExprs(k []Expr) Node {
	c := *n
	x := exprTaker(k)
	c.Condition = x.one(n.Condition)
	return &c
}

// Output implements Node.
func (n *Write) Output() []*Attr { return nil }
