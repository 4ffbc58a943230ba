package policy

// loadBalance orders executors by free slots, descending. If the free slots
// of all suffice, nobody is suspended; else it suspends executor by executor
// in that order until they do (the fork's LoadBalanceScheduling).
type loadBalance struct{}

func (loadBalance) Name() string { return "load_balance" }
func (loadBalance) Once() bool   { return true }

func (loadBalance) Decide(s Snapshot) []Decision {
	order := sorted(rooms(s), byFree)
	free := 0
	for _, r := range order {
		free += r.free
	}
	if free >= len(s.Tasks) {
		return fill(order, s.Tasks)
	}
	// Not enough: executor by executor, its free slots and then its victims, so
	// that as few executors as possible are disturbed.
	var out []Decision
	tasks := s.Tasks
	for _, r := range order {
		for len(tasks) > 0 {
			d, ok := r.take(tasks[0])
			if !ok {
				break
			}
			out = append(out, d)
			tasks = tasks[1:]
		}
	}
	return out
}
