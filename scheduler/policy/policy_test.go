package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// cluster makes executors e0, e1 ... with so many slots each, of which low[i] run less critical tasks.
func cluster(slots int, low ...int) []Executor {
	var out []Executor
	for i, n := range low {
		out = append(out, Executor{ID: ExecutorID(fmt.Sprint("e", i)), Slots: slots, Running: n, Victims: n})
	}
	return out
}

func tasks(n int, prefer ...ExecutorID) (out []Task) {
	for i := range n {
		out = append(out, Task{ID: TaskID(i + 1), Prefer: prefer})
	}
	return out
}

// count says how many tasks were placed on each executor, and how many suspend someone.
func count(ds []Decision) (suspended int, on map[ExecutorID]int) {
	on = map[ExecutorID]int{}
	for _, d := range ds {
		on[d.Executor]++
		if d.Suspend {
			suspended++
		}
	}
	return suspended, on
}

// The rows of the oracle table for load_balance, and where lma differs on purpose.
func TestOracle(t *testing.T) {
	for _, c := range []struct {
		name      string
		executors []Executor
		tasks     []Task
		policy    string
		suspended int
		on        string
	}{
		{"1x1: 1 low; 1 high", cluster(1, 1), tasks(1), "load_balance", 1, "map[e0:1]"},
		{"1x4: 2 low; 4 high", cluster(4, 2), tasks(4), "load_balance", 2, "map[e0:4]"},
		{"1x4: 4 low; 2 high", cluster(4, 4), tasks(2), "load_balance", 2, "map[e0:2]"},
		{"2x4: 7 low; 4 high: all on the executor with the free slot", cluster(4, 4, 3), tasks(4), "load_balance", 3, "map[e1:4]"},
		{"4x4: 12 low; 4 high", cluster(4, 3, 3, 3, 3), tasks(4), "load_balance", 0, "map[e0:1 e1:1 e2:1 e3:1]"},
		{"4x4: 12 low; 4 high", cluster(4, 3, 3, 3, 3), tasks(4), "lma", 0, "map[e0:1 e1:1 e2:1 e3:1]"},
		{"lma: a free slot elsewhere rather than a victim at the preferred place", cluster(4, 4, 3), tasks(1, "e0"), "lma", 0, "map[e1:1]"},
		{"lma: the preferred place when all must suspend", cluster(4, 4, 4), tasks(2, "e1"), "lma", 2, "map[e1:2]"},
		{"lma: nothing to take", cluster(1, 0), nil, "lma", 0, "map[]"},
		{"random: free slots first", cluster(2, 2, 1), tasks(1), "random", 0, "map[e1:1]"},
	} {
		p, err := ByName(c.policy)
		if err != nil {
			t.Fatal(err)
		}
		suspended, on := count(p.Decide(Snapshot{Executors: c.executors, Tasks: c.tasks}))
		if suspended != c.suspended || fmt.Sprint(on) != c.on {
			t.Errorf("%s, %s: %d suspended, %v; want %d, %s", c.policy, c.name, suspended, on, c.suspended, c.on)
		}
	}
}

func TestLmaAvoidsPressure(t *testing.T) {
	ex := cluster(2, 1, 1, 1)
	ex[0].Pressure.SpilledMB.Mean = 5
	ex[1].Pressure.MemoryPct.Mean = 90
	ex[2].Pressure.MemoryPct.Mean = 80
	d := lma{Buckets{1, 1}}.Decide(Snapshot{Executors: ex, Tasks: tasks(1)})
	if len(d) != 1 || d[0].Executor != "e2" {
		t.Errorf("got %v: spill outranks memory, and less memory wins", d)
	}
}

// TestNoPolicyOverbooks: whatever the snapshot, no slot is given twice, no task
// placed twice, and lma suspends nobody while a slot is free.
func TestNoPolicyOverbooks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		var s Snapshot
		for i := range 1 + r.IntN(5) {
			e := Executor{ID: ExecutorID(fmt.Sprint("e", i)), Slots: 1 + r.IntN(4)}
			e.Running = r.IntN(e.Slots + 1)
			e.Victims = r.IntN(e.Running + 1)
			s.Executors = append(s.Executors, e)
		}
		for i := range r.IntN(12) {
			tk := Task{ID: TaskID(i)}
			if r.IntN(2) == 0 {
				tk.Prefer = []ExecutorID{ExecutorID(fmt.Sprint("e", r.IntN(6)))}
			}
			s.Tasks = append(s.Tasks, tk)
		}
		s.Seed = r.Uint64()
		room := 0
		for i := range s.Executors {
			room += s.Executors[i].Free() + s.Executors[i].Victims
		}
		for _, p := range all(Buckets{1, 1}) {
			seen, free, victims := map[TaskID]bool{}, map[ExecutorID]int{}, map[ExecutorID]int{}
			left := 0
			for i := range s.Executors {
				e := &s.Executors[i]
				free[e.ID], victims[e.ID] = e.Free(), e.Victims
				left += e.Free()
			}
			ds := p.Decide(s)
			greedy := p.Name() == "lma" || p.Name() == "load_balance" || p.Name() == "random" || p.Name() == "deadline"
			if greedy && len(ds) != min(room, len(s.Tasks)) {
				t.Fatalf("%s placed %d of %d tasks in room for %d: %+v", p.Name(), len(ds), len(s.Tasks), room, s)
			}
			for _, d := range ds {
				if seen[d.Task] {
					t.Fatalf("%s placed task %d twice", p.Name(), d.Task)
				}
				seen[d.Task] = true
				if d.Suspend {
					victims[d.Executor]--
					if (p.Name() == "lma" || p.Name() == "deadline") && left > 0 {
						t.Fatalf("%s suspended somebody with %d slots free: %+v", p.Name(), left, s)
					}
				} else {
					free[d.Executor]--
					left--
				}
				if free[d.Executor] < 0 || victims[d.Executor] < 0 {
					t.Fatalf("%s overbooked %s: %+v", p.Name(), d.Executor, s)
				}
			}
		}
	}
}

func TestNames(t *testing.T) {
	if _, err := ByName("nonsense"); err == nil {
		t.Error("an unknown policy was taken")
	}
	if p, err := ByName("LB"); err != nil || p.Name() != "load_balance" {
		t.Error("lb is load_balance")
	}
}
