package stagegraph

import "neptune/arrowexec/physical"

// Sizer tells what only the run time knows.
type Sizer interface {
	// ScanTasks is how many tasks the source of a scan is divided among.
	ScanTasks(*physical.Scan) int
	// LocalTasks is how many tasks share rows that came with the plan.
	LocalTasks(*physical.Local) int
	// ExchangeTasks is how many partitions the exchange was given, or is to be
	// given, when it doesn't say so itself.
	ExchangeTasks(*physical.Exchange) int
}

// Tasks returns the number of tasks of a stage rooted at n: the partitions
// that its leaves have. Leaves of joins agree by construction; a broadcast is
// read whole by each task and doesn't count. At least 1.
func Tasks(n physical.Node, s Sizer) int {
	switch n := n.(type) {
	case *physical.Scan:
		return max(1, s.ScanTasks(n))
	case *physical.Local:
		return max(1, s.LocalTasks(n))
	case *physical.Range:
		return max(1, n.Partitions)
	case *physical.Exchange:
		switch {
		case n.Kind == physical.Broadcast:
			return 0
		case n.Kind == physical.Single:
			return 1
		case n.N > 0:
			return n.N
		}
		return max(1, s.ExchangeTasks(n))
	case *physical.Read:
		return len(n.Pieces)
	case *physical.Coalesce:
		return max(1, min(n.N, Tasks(n.Input, s)))
	case *physical.Union:
		total := 0
		for _, k := range n.Inputs {
			total += max(1, Tasks(k, s))
		}
		return total
	}
	most := 0
	for _, k := range n.Children() {
		most = max(most, Tasks(k, s))
	}
	return most
}
