package policy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// TestTranscripts holds a transcript for each policy. A line is an executor
// (slots, running, victims; spill, memory, gc: pressure; victim=id:MB:ran:remaining)
// or a task (prefer=a,b).
func TestTranscripts(t *testing.T) {
	seen := map[string]bool{}
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p, err := ByName(d.Cmd)
			if err != nil {
				return err.Error() + "\n"
			}
			seen[p.Name()] = true
			s := Snapshot{}
			for _, a := range d.CmdArgs {
				v, err := time.ParseDuration(a.Vals[0])
				if err != nil {
					t.Fatal(err)
				}
				switch a.Key {
				case "laxity":
					s.Laxity = v
				case "tasktime":
					s.TaskTime = v
				}
			}
			for _, line := range strings.Split(d.Input, "\n") {
				f := strings.Fields(line)
				num := func(x string) (n float64) {
					if _, err := fmt.Sscan(x, &n); err != nil {
						t.Fatal(err)
					}
					return n
				}
				if f[0] == "task" {
					tk := Task{ID: TaskID(num(f[1]))}
					if len(f) > 2 {
						for _, id := range strings.Split(strings.TrimPrefix(f[2], "prefer="), ",") {
							tk.Prefer = append(tk.Prefer, ExecutorID(id))
						}
					}
					s.Tasks = append(s.Tasks, tk)
					continue
				}
				e := Executor{ID: ExecutorID(f[0])}
				for _, kv := range f[1:] {
					k, v, _ := strings.Cut(kv, "=")
					switch k {
					case "slots":
						e.Slots = int(num(v))
					case "running":
						e.Running = int(num(v))
						e.Victims = e.Running
					case "victims":
						e.Victims = int(num(v))
					case "spill":
						e.Pressure.SpilledMB.Mean = num(v)
					case "memory":
						e.Pressure.MemoryPct.Mean = num(v)
					case "gc":
						e.Pressure.GCPct.Mean = num(v)
					case "victim":
						x := strings.Split(v, ":")
						e.VictimTasks = append(e.VictimTasks, Victim{ID: TaskID(num(x[0])), RetainedMB: num(x[1]),
							Ran: time.Duration(num(x[2]) * 1e9), Remaining: time.Duration(num(x[3]) * 1e9)})
					}
				}
				s.Executors = append(s.Executors, e)
			}
			var b strings.Builder
			for _, x := range p.Decide(s) {
				fmt.Fprintf(&b, "%d on %s", x.Task, x.Executor)
				if x.Suspend {
					b.WriteString(", suspending")
				}
				if x.Victim != 0 {
					fmt.Fprintf(&b, " %d", x.Victim)
				}
				b.WriteString("\n")
			}
			if b.Len() == 0 {
				return "nothing\n"
			}
			return b.String()
		})
	})
	for _, n := range Names() {
		if !seen[n] {
			t.Errorf("policy %s has no transcript", n)
		}
	}
}

func TestWindow(t *testing.T) {
	w := Window{Size: 2}
	w.Add(Sample{SpilledMB: 100})
	w.Add(Sample{SpilledMB: 2, MemoryPct: 50})
	p := w.Add(Sample{SpilledMB: 4, MemoryPct: 70, SuspendedMB: 3})
	if p.SpilledMB != (Signal{3, 1}) || p.MemoryPct != (Signal{60, 10}) || p.SuspendedMB != 3 {
		t.Errorf("got %+v", p)
	}
	if (Buckets{MB: 10, Percentage: 10}).compare(Pressure{SpilledMB: Signal{Mean: 3}, MemoryPct: Signal{Mean: 71}}, Pressure{SpilledMB: Signal{Mean: 8}, MemoryPct: Signal{Mean: 69}}) != 1 {
		t.Error("what is in one bucket is the same, and the next signal decides")
	}
}
