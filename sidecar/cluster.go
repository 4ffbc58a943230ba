package sidecar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"neptune/scheduler/cluster"
)

// Cluster is a Rig whose tasks run in executors in processes of their own, for
// experiments and tests of what can befall them.
type Cluster struct {
	*Rig
	// Command makes the process of an executor; args are those of `neptune executor`.
	command func(args []string) *exec.Cmd
	mu      sync.Mutex
	all     []*Child
}

// Child is an executor that a Cluster started.
type Child struct {
	Name    string // how its executor's name begins
	Process *os.Process
	stdin   io.Closer
	log     *lockedBuffer
	ended   chan struct{}
	err     error
}

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Self starts the program that runs now, as `neptune executor`.
func Self(args []string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return exec.Command(exe, append([]string{"executor", "--until-stdin-ends"}, args...)...)
}

// NewCluster starts an engine without an executor for ordinary tasks, see
// NewRig, and opens its port for executors. command makes their processes: Self,
// where the program is neptune.
func NewCluster(command func(args []string) *exec.Cmd, set ...string) (*Cluster, error) {
	r, err := NewRig(append([]string{"neptune.driver.port=0", "neptune.executor.embedded=false"}, set...)...) // the last counts
	if err != nil {
		return nil, err
	}
	return &Cluster{Rig: r, command: command}, nil
}

// Driver is the address for executors.
func (c *Cluster) Driver() string { return c.engine.executors.server.Addr().String() }

// Start starts an executor; it doesn't wait until it has joined.
func (c *Cluster) Start(name string, args ...string) (*Child, error) {
	cmd := c.command(append([]string{"--name", name, "--local-dir", c.dir, "--driver", c.Driver()}, args...))
	x := &Child{Name: name, log: &lockedBuffer{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = x.log, x.log
	var err error
	if x.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	x.Process = cmd.Process
	go func() {
		x.err = cmd.Wait()
		close(x.ended)
	}()
	c.mu.Lock()
	c.all = append(c.all, x)
	c.mu.Unlock()
	return x, nil
}

// Join starts an executor and waits until it has joined.
func (c *Cluster) Join(ctx context.Context, name string, args ...string) (*Child, error) {
	x, err := c.Start(name, args...)
	if err != nil {
		return nil, err
	}
	for {
		if _, ok := c.Find(name); ok {
			return x, nil
		}
		select {
		case <-x.ended:
			return nil, fmt.Errorf("executor %s ended: %v\n%s", name, x.err, x.Log())
		case <-ctx.Done():
			return nil, fmt.Errorf("executor %s didn't join: %w\n%s", name, ctx.Err(), x.Log())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ExecutorState is an executor as the driver has last heard of it.
type ExecutorState struct {
	ID                          string
	Running, Suspended, Blocked int   // tasks, as their statuses said
	Held                        int   // tasks that the executor itself says it has
	Reserved                    int64 // bytes, suspended tasks' included
}

// Find returns the state of the executor of a child.
func (c *Cluster) Find(name string) (ExecutorState, bool) {
	for _, x := range c.engine.driver.Executors() {
		if !strings.HasPrefix(string(x.ID), name+"-") {
			continue
		}
		s := ExecutorState{ID: string(x.ID), Running: x.Running, Suspended: x.Suspended, Blocked: x.Blocked}
		if r := c.engine.executors.get(s.ID); r != nil {
			if h := r.pressure.latest(); h != nil {
				s.Held, s.Reserved = int(h.Running+h.Waiting+h.Blocked+h.Queued), h.Reserved+h.Suspended
			}
		}
		return s, true
	}
	return ExecutorState{}, false
}

// Observe has f called with what jobs and tasks do from now on.
func (c *Cluster) Observe(f func(cluster.Event)) { c.engine.driver.Observe(f) }

// Stages returns the progress of the stages of all jobs under way.
func (c *Cluster) Stages() (out []cluster.StageProgress) {
	for _, j := range c.engine.driver.Jobs() {
		out = append(out, j.Stages...)
	}
	return out
}

// Log is what an executor has printed.
func (x *Child) Log() string { return x.log.String() }

// Wait waits until the process has ended.
func (x *Child) Wait(ctx context.Context) error {
	select {
	case <-x.ended:
		return x.err
	case <-ctx.Done():
		return fmt.Errorf("executor %s hasn't ended: %w\n%s", x.Name, ctx.Err(), x.Log())
	}
}

// Signal sends a signal to the process.
func (x *Child) Signal(s syscall.Signal) error { return x.Process.Signal(s) }

// Close ends all executors and the engine.
func (c *Cluster) Close() error {
	c.mu.Lock()
	all := c.all
	c.mu.Unlock()
	for _, x := range all {
		_ = x.Process.Kill() // it may have ended
		<-x.ended
		_ = x.stdin.Close()
	}
	return errors.Join(c.Rig.Close())
}
