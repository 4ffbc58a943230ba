package policy

// cacheLocalBalance sends each task to its first preferred executor, free or
// not, and suspends there what stands in the way. Tasks without a preference
// are dealt round over what is left of the executors' slots.
type cacheLocalBalance struct{}

func (cacheLocalBalance) Name() string { return "cache_local_balance" }
func (cacheLocalBalance) Once() bool   { return true }

func (cacheLocalBalance) Decide(s Snapshot) []Decision {
	d := newDemand(s)
	var rest []Task
	for _, t := range s.Tasks {
		if i := d.preferred(t); i >= 0 {
			d.give(i, t)
		} else {
			rest = append(rest, t)
		}
	}
	d.deal(rest, func(int) bool { return true })
	return d.decisions()
}

// demand is how many tasks each executor is to take.
type demand struct {
	rooms []*room
	index map[ExecutorID]int
	tasks [][]Task
}

func newDemand(s Snapshot) *demand {
	d := &demand{rooms: rooms(s), index: make(map[ExecutorID]int, len(s.Executors)), tasks: make([][]Task, len(s.Executors))}
	for i, r := range d.rooms {
		d.index[r.ID] = i
	}
	return d
}

// preferred returns the first preferred executor that exists, or -1.
func (d *demand) preferred(t Task) int {
	for _, id := range t.Prefer {
		if i, ok := d.index[id]; ok {
			return i
		}
	}
	return -1
}

func (d *demand) give(i int, t Task) { d.tasks[i] = append(d.tasks[i], t) }

// left is how many more tasks executor i could take if all its slots were theirs.
func (d *demand) left(i int) int { return d.rooms[i].Slots - len(d.tasks[i]) }

// deal gives tasks one by one round the executors that may and have capacity
// left, and returns those that found none.
func (d *demand) deal(tasks []Task, may func(i int) bool) []Task {
	for len(tasks) > 0 {
		dealt := false
		for i := range d.rooms {
			if len(tasks) > 0 && may(i) && d.left(i) > 0 {
				d.give(i, tasks[0])
				tasks, dealt = tasks[1:], true
			}
		}
		if !dealt {
			break
		}
	}
	return tasks
}

// decisions takes free slots, and victims where they don't suffice. Tasks
// beyond both wait.
func (d *demand) decisions() []Decision {
	var out []Decision
	for i, r := range d.rooms {
		for _, t := range d.tasks[i] {
			if x, ok := r.take(t); ok {
				out = append(out, x)
			}
		}
	}
	return out
}
