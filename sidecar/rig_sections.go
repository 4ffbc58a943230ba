package sidecar

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
)

// Sections are the stretches of a query's tasks between two yield points, in CPU
// time of the thread that ran them, so that it says nothing of who else uses the machine.
type Sections struct {
	Points  int           // yield points passed
	CPU     time.Duration // of all sections
	Longest time.Duration
	Over    int           // how many took more than the limit
	Sites   []SectionSite // of those, the most time first
	all     []time.Duration
}

// SectionSite is a yield point that ended sections over the limit.
type SectionSite struct {
	Where string // the functions that it was called from, innermost first
	N     int
	Max   time.Duration
	Total time.Duration
}

// Rest is the q-quantile of the CPU time until the next yield point, at a moment
// of the tasks' work that is chosen by chance: what a request to suspend waits for.
func (s *Sections) Rest(q float64) time.Duration {
	all := slices.Clone(s.all)
	slices.Sort(all)
	most := time.Duration((1 - q) * float64(s.CPU)) // of all moments, those with a longer rest
	var sum time.Duration                           // of the sections longer than the next one
	for i := len(all) - 1; i >= 0; i-- {
		n := time.Duration(len(all) - i)
		sum += all[i]
		if i == 0 || sum-n*all[i-1] >= most {
			return max(0, (sum-most)/n)
		}
	}
	return 0
}

// Sections runs a query as Alone does, runs times, and measures its sections.
func (r *Rig) Sections(ctx context.Context, text string, runs int, limit time.Duration) (*Sections, error) {
	s := &Sections{}
	sites := map[[16]uintptr]*SectionSite{}
	var last time.Duration
	end := func() {
		now := threadTime()
		d := now - last
		s.Points++
		s.CPU += d
		s.all = append(s.all, d)
		s.Longest = max(s.Longest, d)
		if d > limit {
			s.Over++
			var pcs [16]uintptr
			runtime.Callers(2, pcs[:])
			at := sites[pcs]
			if at == nil {
				at = &SectionSite{Where: whereOf(pcs[:])}
				sites[pcs] = at
			}
			at.N++
			at.Total += d
			at.Max = max(at.Max, d)
		}
		last = threadTime()
	}
	for range runs {
		if _, _, err := r.each(ctx, text, func(info task.Info, conf *task.Conf, account *mem.Account, body func(*task.Ctx) error) error {
			last = threadTime()
			return task.Direct(info, conf, account, end, func(c *task.Ctx) error {
				err := body(c)
				end()
				return err
			})
		}); err != nil {
			return nil, err
		}
	}
	for _, x := range sites {
		s.Sites = append(s.Sites, *x)
	}
	slices.SortFunc(s.Sites, func(a, b SectionSite) int { return cmp.Compare(b.Total, a.Total) })
	return s, nil
}

// whereOf leaves out the yield point itself and what all tasks are called from.
func whereOf(pcs []uintptr) string {
	var b strings.Builder
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
		switch {
		case strings.HasPrefix(name, "sidecar.(*launch)"), !more:
			return b.String()
		case !strings.HasPrefix(name, "task.") && !strings.HasPrefix(name, "sidecar.(*Rig)"):
			if b.Len() > 0 {
				b.WriteString(" < ")
			}
			fmt.Fprintf(&b, "%s:%d", name, f.Line)
		}
	}
}
