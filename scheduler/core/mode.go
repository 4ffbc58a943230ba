package core

import "cmp"

// Mode is how stream and batch share slots (neptune.scheduling.mode).
type Mode string

// The modes, each in a file of its own.
const (
	Neptune Mode = "neptune"
	FIFO    Mode = "fifo"
	FAIR    Mode = "fair"
	Static  Mode = "static"
	KILL    Mode = "kill"
)

// Modes lists the modes, the default first.
func Modes() []string {
	return []string{string(Neptune), string(FIFO), string(FAIR), string(Static), string(KILL)}
}

// mode is what the modes differ in.
type mode interface {
	// offer gives slots to pending tasks.
	offer(c *Core)
	// compare orders sets of pending tasks.
	compare(c *Core, a, b *stage) int
	// free is how many slots of e a task of s could take without harm to anybody.
	free(c *Core, e *executor, s *stage) int
	// count hears that a task of s took (1) or gave back (-1) a slot.
	count(t *task, n int)
	preempts() bool // less critical tasks give way
	kills() bool    // by being killed
}

func modeOf(m Mode) mode {
	switch m {
	case FIFO:
		return fifo{}
	case FAIR:
		return &fair{running: map[string]int{}}
	case Static:
		return static{}
	case KILL:
		return kill{}
	}
	return neptune{}
}

// plain is what most modes have in common.
type plain struct{}

func (plain) offer(c *Core)    { c.inOrder() }
func (plain) count(*task, int) {}
func (plain) preempts() bool   { return false }
func (plain) kills() bool      { return false }

// free leaves room for suspended tasks, which go on before anything new starts.
func (plain) free(_ *Core, e *executor, _ *stage) int {
	if e.draining {
		return 0
	}
	return max(0, e.slots-e.running-e.suspended)
}

// byOrder is the order of submission: job, then stage.
func byOrder(a, b *stage) int {
	return cmp.Or(cmp.Compare(a.job.id, b.job.id), cmp.Compare(a.id, b.id))
}
