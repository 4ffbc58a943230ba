//go:build yieldgaps && linux

package task

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// This file is for finding sections without a yield point: a binary built with
// the tag yieldgaps prints every ten seconds, to standard error, where batch
// tasks used more than gapLimit of their thread's CPU time between two yield
// points. CPU time, since other processes would spoil the clock's; it means
// something on threads of one task at a time only, which batch slots have.

const gapsOn = true

const gapLimit = 250 * time.Microsecond

type gapSite struct {
	where      string
	n          int
	max, total time.Duration
}

var gaps struct {
	sync.Mutex
	sites map[string]*gapSite
	once  sync.Once
	all   int64
}

func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// gapState is when the last yield point was, in the thread's CPU time.
type gapState struct{ gapAt time.Duration }

func (c *Ctx) gapStart() { c.gapAt = threadTime() }

func (c *Ctx) gap() {
	if c.Info.Priority < 2 || c.beside {
		return
	}
	now := threadTime()
	d := now - c.gapAt
	c.gapAt = now
	if d < gapLimit || d > time.Minute {
		return
	}
	var pcs [12]uintptr
	n := runtime.Callers(3, pcs[:])
	frames := runtime.CallersFrames(pcs[:n])
	var b strings.Builder
	for {
		f, more := frames.Next()
		name := f.Function[strings.LastIndexByte(f.Function, '/')+1:]
		fmt.Fprintf(&b, " < %s:%d", name, f.Line)
		if !more {
			break
		}
	}
	gaps.once.Do(func() { go printGaps() })
	gaps.Lock()
	defer gaps.Unlock()
	if gaps.sites == nil {
		gaps.sites = map[string]*gapSite{}
	}
	s := gaps.sites[b.String()]
	if s == nil {
		s = &gapSite{where: b.String()}
		gaps.sites[s.where] = s
	}
	s.n++
	s.total += d
	s.max = max(s.max, d)
}

func printGaps() {
	for range time.Tick(10 * time.Second) {
		gaps.Lock()
		var list []*gapSite
		for _, s := range gaps.sites {
			list = append(list, s)
		}
		slices.SortFunc(list, func(a, b *gapSite) int { return cmp.Compare(b.total, a.total) })
		for _, s := range list[:min(len(list), 40)] {
			fmt.Fprintf(os.Stderr, "gap %6d times, max %8v, total %8v%s\n", s.n, s.max, s.total, s.where)
		}
		gaps.sites = nil
		gaps.Unlock()
	}
}
