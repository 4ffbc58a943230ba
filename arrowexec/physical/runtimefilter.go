package physical

// RuntimeFilter restricts a scan to rows whose value of a column is among those
// that From, an exchange made before, has in its column Key. It is a necessary
// condition that a join above asks for anyway: a scan may let other rows
// through, and should when the filter turns out not to drop many.
type RuntimeFilter struct {
	Col  int       // output column of the scan: a 4 or 8 byte integer, date, timestamp or small decimal
	From *Exchange // Broadcast, Single, or Hash with N partitions
	Key  int       // column of From, of the same type
}

// Children are the exchanges that runtime filters are made of, each once: they are to end before the scan begins.
func (n *Scan) Children() []Node {
	var out []Node
	seen := map[*Exchange]bool{}
	for _, f := range n.RuntimeFilters {
		if !seen[f.From] {
			seen[f.From] = true
			out = append(out, f.From)
		}
	}
	return out
}

// WithChildren implements Node.
func (n *Scan) WithChildren(kids []Node) Node {
	if len(kids) == 0 {
		return n
	}
	to := map[*Exchange]*Exchange{}
	for i, k := range n.Children() {
		to[k.(*Exchange)] = kids[i].(*Exchange)
	}
	c := *n
	c.RuntimeFilters = make([]RuntimeFilter, len(n.RuntimeFilters))
	for i, f := range n.RuntimeFilters {
		c.RuntimeFilters[i] = f
		c.RuntimeFilters[i].From = to[f.From]
	}
	return &c
}

// shown are the inputs that plans are drawn with: a scan's filters are part of its line.
func shown(n Node) []Node {
	if _, ok := n.(*Scan); ok {
		return nil
	}
	return n.Children()
}
