package physical

import "neptune/internal/types"

// The methods of the nodes, kept apart from their definitions.

var writeSchema = []Column{{Name: "path", Type: types.StringType}, {Name: "rows", Type: types.Int64Type}, {Name: "bytes", Type: types.Int64Type}}

// Schema implements Node.
func (n *Scan) Schema() []Column { return n.Out }

// Name implements Node.
func (n *Scan) Name() string { return "Scan" }

// Children implements Node.
func (n *Local) Children() []Node { return nil }

// WithChildren implements Node.
func (n *Local) WithChildren([]Node) Node { return n }

// Schema implements Node.
func (n *Local) Schema() []Column { return n.Out }

// Name implements Node.
func (n *Local) Name() string { return "LocalTableScan" }

// Children implements Node.
func (n *Range) Children() []Node { return nil }

// WithChildren implements Node.
func (n *Range) WithChildren([]Node) Node { return n }

// Schema implements Node.
func (n *Range) Schema() []Column { return n.Out }

// Name implements Node.
func (n *Range) Name() string { return "Range" }

// Children implements Node.
func (n *Filter) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Filter) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Filter) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Filter) Name() string { return "Filter" }

// Children implements Node.
func (n *Project) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Project) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Project) Schema() []Column { return n.Out }

// Name implements Node.
func (n *Project) Name() string { return "Project" }

// Children implements Node.
func (n *HashAggregate) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *HashAggregate) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *HashAggregate) Schema() []Column { return n.Out }

// Name implements Node.
func (n *HashAggregate) Name() string { return "HashAggregate" }

// Children implements Node.
func (n *HashJoin) Children() []Node { return []Node{n.Left, n.Right} }

// WithChildren implements Node.
func (n *HashJoin) WithChildren(k []Node) Node {
	c := *n
	c.Left = k[0]
	c.Right = k[1]
	return &c
}

// Schema implements Node.
func (n *HashJoin) Schema() []Column { return n.Out }

// Name implements Node.
func (n *HashJoin) Name() string { return "HashJoin" }

// Children implements Node.
func (n *NestedLoopJoin) Children() []Node { return []Node{n.Left, n.Right} }

// WithChildren implements Node.
func (n *NestedLoopJoin) WithChildren(k []Node) Node {
	c := *n
	c.Left = k[0]
	c.Right = k[1]
	return &c
}

// Schema implements Node.
func (n *NestedLoopJoin) Schema() []Column { return n.Out }

// Name implements Node.
func (n *NestedLoopJoin) Name() string { return "NestedLoopJoin" }

// Children implements Node.
func (n *Sort) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Sort) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Sort) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Sort) Name() string { return "Sort" }

// Children implements Node.
func (n *TopK) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *TopK) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *TopK) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *TopK) Name() string { return "TakeOrderedAndProject" }

// Children implements Node.
func (n *Limit) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Limit) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Limit) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Limit) Name() string { return "Limit" }

// Children implements Node.
func (n *Window) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Window) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Window) Schema() []Column { return n.Out }

// Name implements Node.
func (n *Window) Name() string { return "Window" }

// Children implements Node.
func (n *Union) Children() []Node { return n.Inputs }

// WithChildren implements Node.
func (n *Union) WithChildren(k []Node) Node {
	c := *n
	c.Inputs = k
	return &c
}

// Schema implements Node.
func (n *Union) Schema() []Column { return n.Out }

// Name implements Node.
func (n *Union) Name() string { return "Union" }

// Children implements Node.
func (n *Expand) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Expand) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Expand) Schema() []Column { return n.Out }

// Name implements Node.
func (n *Expand) Name() string { return "Expand" }

// Children implements Node.
func (n *Generate) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Generate) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Generate) Schema() []Column { return n.Out }

// Name implements Node.
func (n *Generate) Name() string { return "Generate" }

// Children implements Node.
func (n *Sample) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Sample) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Sample) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Sample) Name() string { return "Sample" }

// Children implements Node.
func (n *ScriptTransform) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *ScriptTransform) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *ScriptTransform) Schema() []Column { return n.Out }

// Name implements Node.
func (n *ScriptTransform) Name() string { return "ScriptTransformation" }

// Children implements Node.
func (n *Exchange) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Exchange) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Exchange) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Exchange) Name() string { return "Exchange" }

// Children implements Node.
func (n *Coalesce) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Coalesce) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Coalesce) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Coalesce) Name() string { return "Coalesce" }

// Children implements Node.
func (n *RecursiveLoop) Children() []Node { return []Node{n.Anchor, n.Step} }

// WithChildren implements Node.
func (n *RecursiveLoop) WithChildren(k []Node) Node {
	c := *n
	c.Anchor = k[0]
	c.Step = k[1]
	return &c
}

// Schema implements Node.
func (n *RecursiveLoop) Schema() []Column { return n.Out }

// Name implements Node.
func (n *RecursiveLoop) Name() string { return "UnionLoop" }

// Children implements Node.
func (n *LoopRef) Children() []Node { return nil }

// WithChildren implements Node.
func (n *LoopRef) WithChildren([]Node) Node { return n }

// Schema implements Node.
func (n *LoopRef) Schema() []Column { return n.Out }

// Name implements Node.
func (n *LoopRef) Name() string { return "UnionLoopRef" }

// Children implements Node.
func (n *Write) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Write) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Write) Schema() []Column { return writeSchema }

// Name implements Node.
func (n *Write) Name() string { return "WriteFiles" }

// Children implements Node.
func (n *StateAggregate) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *StateAggregate) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *StateAggregate) Schema() []Column { return n.Out }

// Name implements Node.
func (n *StateAggregate) Name() string { return "StateStoreSave" }

// Children implements Node.
func (n *StateDedup) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *StateDedup) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *StateDedup) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *StateDedup) Name() string { return "StreamingDeduplicate" }

// Children implements Node.
func (n *Watermark) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Watermark) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Watermark) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Watermark) Name() string { return "EventTimeWatermark" }

// Children implements Node.
func (n *Observe) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Observe) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Observe) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Observe) Name() string { return "CollectMetrics" }

// Children implements Node.
func (n *Read) Children() []Node { return []Node{n.Input} }

// WithChildren implements Node.
func (n *Read) WithChildren(k []Node) Node {
	c := *n
	c.Input = k[0]
	return &c
}

// Schema implements Node.
func (n *Read) Schema() []Column { return n.Input.Schema() }

// Name implements Node.
func (n *Read) Name() string { return "AQEShuffleRead" }
