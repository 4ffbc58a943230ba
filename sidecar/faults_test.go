package sidecar

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	ossignal "os/signal"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"neptune/conf"
	"neptune/internal/obs"
	"neptune/scheduler/cluster"
)

// Tests of executors in processes of their own: this test binary, started again.

const (
	envExecutor = "NEPTUNE_TEST_EXECUTOR"  // be an executor
	envVersion  = "NEPTUNE_TEST_VERSION"   // of this version
	envFileSize = "NEPTUNE_TEST_FILE_SIZE" // whose files can't be larger: a full disk
)

func TestMain(m *testing.M) {
	if os.Getenv(envExecutor) != "" {
		if err := beExecutor(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "neptune:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// beExecutor is `neptune executor`, as far as tests need it.
func beExecutor(args []string) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1) // the tests are over
	}()
	var set []string
	var driver, name string
	for i := 0; i+1 < len(args); i += 2 {
		switch v := args[i+1]; args[i] {
		case "--driver":
			driver = v
		case "--name":
			name = v
		case "--local-dir":
			set = append(set, "neptune.local.dir="+v)
		case "--conf":
			set = append(set, v)
		}
	}
	if v := os.Getenv(envVersion); v != "" {
		Version = v
	}
	if v := os.Getenv(envFileSize); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			return err
		}
		ossignal.Ignore(syscall.SIGXFSZ) // writing fails then
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return err
		}
	}
	c, err := conf.Load(conf.Source{Set: set})
	if err != nil {
		return err
	}
	ctx, stop := ossignal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	return RunExecutor(ctx, c, driver, name, obs.NewLog(os.Stderr, "info", "text"))
}

// crew is a cluster of a test, with short timeouts.
type crew struct {
	*Cluster
	t      *testing.T
	ctx    context.Context
	env    []string
	events struct {
		sync.Mutex
		retries, removed, added int
	}
}

func newCrew(t *testing.T, set ...string) *crew {
	t.Helper()
	k := &crew{t: t}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	k.ctx = ctx
	c, err := NewCluster(func(args []string) *exec.Cmd {
		exe, err := os.Executable()
		if err != nil {
			t.Error(err)
		}
		cmd := exec.Command(exe, args...)
		cmd.Dir = os.TempDir() // not where the driver runs
		// Memory limits of tests are less than the run time itself takes.
		cmd.Env = append(append(os.Environ(), envExecutor+"=1", "GOMEMLIMIT=512MiB"), k.env...)
		return cmd
	}, append([]string{"neptune.executor.slots=2", "neptune.executor.memory=256m", "neptune.heartbeat.interval=100ms", "neptune.executor.timeout=20s"}, set...)...)
	if err != nil {
		t.Fatal(err)
	}
	k.Cluster = c
	c.Observe(func(ev cluster.Event) {
		k.events.Lock()
		defer k.events.Unlock()
		switch {
		case ev.Kind == cluster.TaskLaunched && ev.Attempt > 0:
			k.events.retries++
		case ev.Kind == cluster.ExecutorRemoved:
			k.events.removed++
		case ev.Kind == cluster.ExecutorAdded:
			k.events.added++
		}
	})
	t.Cleanup(func() {
		for _, x := range c.all {
			if t.Failed() {
				t.Logf("executor %s:\n%s", x.Name, x.Log())
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

// join adds an executor with one slot.
func (k *crew) join(name string, set ...string) *Child {
	k.t.Helper()
	args := []string{}
	for _, s := range append([]string{"neptune.executor.slots=1", "neptune.executor.memory=64m"}, set...) {
		args = append(args, "--conf", s)
	}
	x, err := k.Join(k.ctx, name, args...)
	if err != nil {
		k.t.Fatal(err)
	}
	return x
}

// answer is what a query under way gives.
type answer struct {
	digest string
	err    error
}

func (k *crew) ask(ctx context.Context, text string, stream bool) <-chan answer {
	out := make(chan answer, 1)
	go func() {
		_, digest, err := k.Run(ctx, text, stream)
		out <- answer{digest, err}
	}()
	return out
}

// wants waits for an answer and compares it.
func (k *crew) wants(got <-chan answer, want string) {
	k.t.Helper()
	select {
	case a := <-got:
		if a.err != nil || a.digest != want {
			k.t.Errorf("answer %s, %v, want %s", a.digest, a.err, want)
		}
	case <-k.ctx.Done():
		for _, x := range k.all {
			_ = x.Signal(syscall.SIGQUIT) // its log then says what it does
		}
		time.Sleep(100 * time.Millisecond)
		k.t.Fatalf("no answer came; executors %+v, stages %+v", k.engine.driver.Executors(), k.Stages())
	}
}

// until waits until f is true.
func (k *crew) until(what string, f func() bool) {
	k.t.Helper()
	for !f() {
		select {
		case <-k.ctx.Done():
			k.t.Fatalf("it never came about that %s; executors %+v", what, k.engine.driver.Executors())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// idle waits until slots and memory of executors, and of the driver, are back.
func (k *crew) idle(names ...string) {
	k.t.Helper()
	k.until("all slots and all memory are back", func() bool {
		for _, n := range names {
			s, ok := k.Find(n)
			if !ok || s.Running+s.Suspended+s.Blocked+s.Held > 0 || s.Reserved > 0 {
				return false
			}
		}
		tasks, bytes := k.Leaks()
		return tasks == 0 && bytes == 0 && k.engine.driver.Active() == 0
	})
}

func (k *crew) is(name string, f func(ExecutorState) bool) bool {
	s, ok := k.Find(name)
	return ok && f(s)
}

const (
	// slow has 8 tasks of a few 100 ms, and then an exchange.
	slow = `SELECT k, count(*) AS n, sum(length(h)) AS l, min(h) AS h FROM
		(SELECT id % 97 AS k, sha2(repeat(cast(id AS string), 40), 512) AS h FROM range(0, 160000, 1, 8)) GROUP BY k`
	// serving has a stage that is done quickly, whose rows a slow one reads.
	serving = `SELECT /*+ SHUFFLE_HASH(b) */ count(*) AS n, sum(length(sha2(repeat(a.s, 60), 512))) AS l FROM
		(SELECT id AS x, cast(id AS string) AS s FROM range(0, 120000, 1, 4)) a JOIN
		(SELECT id * 2 AS y FROM range(0, 120000, 1, 4)) b ON a.x = b.y`
	// quick is a stream's micro-batch.
	quick = `SELECT count(*) AS n, sum(length(sha2(repeat(cast(id AS string), 40), 512))) AS l FROM range(0, 40000, 1, 2)`
	// large has more groups than an executor has memory for.
	large = `SELECT count(*) AS n, sum(c) AS c, min(h) AS h FROM (SELECT h, count(*) AS c FROM
		(SELECT sha2(cast(id % 50000 AS string), 256) AS h FROM range(0, 150000, 1, 4)) GROUP BY h)`
	// wide moves more than an executor's exchange may hold in memory.
	wide = `SELECT count(*) AS n, sum(length(h)) AS l FROM (SELECT /*+ REPARTITION(4) */ sha2(cast(id AS string), 512) AS h FROM range(0, 120000, 1, 4))`
)

var answersOnce = sync.OnceValues(func() (map[string]string, error) {
	r, err := NewRig("neptune.executor.slots=2")
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := map[string]string{}
	for _, q := range []string{slow, serving, quick, large, wide} {
		if _, out[q], err = r.Run(context.Background(), q, false); err != nil {
			return nil, err
		}
	}
	return out, nil
})

// want is what the embedded executor answers.
func want(t *testing.T, q string) string {
	t.Helper()
	all, err := answersOnce()
	if err != nil {
		t.Fatal(err)
	}
	return all[q]
}

func TestExecutorKilledWhileItRuns(t *testing.T) {
	k := newCrew(t)
	x := k.join("a")
	k.join("b")
	got := k.ask(k.ctx, slow, false)
	k.until("both run", func() bool {
		run := func(s ExecutorState) bool { return s.Running > 0 }
		return k.is("a", run) && k.is("b", run)
	})
	if err := x.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	k.wants(got, want(t, slow))
	k.idle("b")
	if _, ok := k.Find("a"); ok || k.events.removed != 1 {
		t.Errorf("the dead one is still there; %d were removed", k.events.removed)
	}
	k.join("c") // and others can come
	k.wants(k.ask(k.ctx, quick, false), want(t, quick))
	k.idle("b", "c")
}

func TestExecutorKilledWhileTasksAreSuspended(t *testing.T) {
	k := newCrew(t)
	x := k.join("a")
	k.join("b")
	got := k.ask(k.ctx, slow, false)
	k.until("both run", func() bool {
		run := func(s ExecutorState) bool { return s.Running > 0 }
		return k.is("a", run) && k.is("b", run)
	})
	stream := k.ask(k.ctx, quick, true)
	k.until("a task is suspended", func() bool { return k.is("a", func(s ExecutorState) bool { return s.Suspended > 0 }) })
	if err := x.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	k.wants(stream, want(t, quick))
	k.wants(got, want(t, slow))
	k.idle("b")
}

func TestExecutorKilledWhileItServes(t *testing.T) {
	k := newCrew(t)
	if err := k.Exec(k.ctx, "SET spark.sql.adaptive.enabled = false"); err != nil {
		t.Fatal(err)
	}
	x := k.join("a")
	k.join("b")
	var repeats atomic.Int32
	k.Observe(func(ev cluster.Event) {
		if ev.Kind == cluster.StageRepeats {
			repeats.Add(1)
		}
	})
	got := k.ask(k.ctx, serving, false)
	k.until("the inputs are there and are read", func() bool {
		done, reading := 0, false
		for _, s := range k.Stages() {
			if s.Done {
				done++
			} else if s.Running > 0 && done == 2 {
				reading = true
			}
		}
		return reading
	})
	if err := x.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	k.wants(got, want(t, serving))
	k.idle("b")
	if repeats.Load() == 0 {
		t.Error("nothing was made again")
	}
}

// relay is a network between an executor and the driver that can be cut.
type relay struct {
	net.Listener
	to    string
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func newRelay(t *testing.T, to string) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, to: to}
	t.Cleanup(func() { l.Close(); r.set(true) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(c)
		}
	}()
	return r
}

func (r *relay) pass(c net.Conn) {
	d, err := net.Dial("tcp", r.to)
	r.mu.Lock()
	if err != nil || r.cut {
		r.mu.Unlock()
		c.Close()
		if err == nil {
			d.Close()
		}
		return
	}
	r.conns = append(r.conns, c, d)
	r.mu.Unlock()
	go func() { _, _ = io.Copy(c, d); c.Close() }()
	_, _ = io.Copy(d, c)
	d.Close()
}

// set cuts all connections and allows no others, or mends the network.
func (r *relay) set(cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = cut
	for _, c := range r.conns {
		c.Close()
	}
	r.conns = nil
}

// While the connection to the driver is cut tasks go on; what they have to say
// arrives afterwards. Nothing runs twice.
func TestDriverConnectionCut(t *testing.T) {
	k := newCrew(t)
	net := newRelay(t, k.Driver())
	child, err := k.Start("a", "--driver", net.Addr().String(), "--conf", "neptune.executor.slots=1", "--conf", "neptune.executor.memory=64m")
	if err != nil {
		t.Fatal(err)
	}
	k.until("it has joined", func() bool { _, ok := k.Find("a"); return ok })
	got := k.ask(k.ctx, slow, false)
	k.until("it runs", func() bool { return k.is("a", func(s ExecutorState) bool { return s.Running > 0 }) })
	before, _ := k.Find("a")
	net.set(true)
	time.Sleep(2 * time.Second) // the tasks that were sent end meanwhile
	net.set(false)
	k.wants(got, want(t, slow))
	k.idle("a")
	after, _ := k.Find("a")
	if k.events.retries > 0 || before.ID != after.ID || !strings.Contains(child.Log(), "no connection to the driver") {
		t.Errorf("%d tasks ran again; it was %s, and is %s", k.events.retries, before.ID, after.ID)
	}
}

// An executor that stops for so long that it is given up forgets its tasks when
// it goes on, and joins anew.
func TestExecutorStopsAndComesBack(t *testing.T) {
	k := newCrew(t, "neptune.executor.timeout=1s")
	x := k.join("a")
	k.join("b")
	got := k.ask(k.ctx, slow, false)
	k.until("both run", func() bool {
		run := func(s ExecutorState) bool { return s.Running > 0 }
		return k.is("a", run) && k.is("b", run)
	})
	before, _ := k.Find("a")
	if err := x.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	k.until("it is lost", func() bool { _, ok := k.Find("a"); return !ok })
	k.wants(got, want(t, slow))
	if err := x.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	k.until("it is back", func() bool { _, ok := k.Find("a"); return ok })
	after, _ := k.Find("a")
	if before.ID == after.ID || !strings.Contains(x.Log(), "forgotten") {
		t.Errorf("it was %s, and is %s", before.ID, after.ID)
	}
	k.idle("a", "b")
	k.wants(k.ask(k.ctx, quick, false), want(t, quick))
	k.idle("a", "b")
}

// A task that has no room on one executor's disk runs on another; when none has room the query fails, alone.
func TestDiskFull(t *testing.T) {
	k := newCrew(t)
	little := "neptune.executor.memory=16m"
	k.env = []string{envFileSize + "=65536"}
	k.join("a", little)
	for _, q := range []string{large, wide} {
		a := <-k.ask(k.ctx, q, false)
		if a.err == nil || !strings.Contains(a.err.Error(), "SPILL_OUT_OF_MEMORY") || !strings.Contains(a.err.Error(), "file too large") {
			t.Errorf("%s, %v", a.digest, a.err)
		}
		k.idle("a")
	}
	k.env = nil
	k.join("b", little)
	k.wants(k.ask(k.ctx, large, false), want(t, large))
	k.wants(k.ask(k.ctx, wide, false), want(t, wide))
	k.idle("a", "b")
	k.wants(k.ask(k.ctx, quick, false), want(t, quick))
}

func TestCancelWhileSuspended(t *testing.T) {
	k := newCrew(t)
	k.join("a")
	ctx, cancel := context.WithCancelCause(k.ctx)
	got := k.ask(ctx, slow, false)
	k.until("it runs", func() bool { return k.is("a", func(s ExecutorState) bool { return s.Running > 0 }) })
	stream := k.ask(k.ctx, quick, true)
	k.until("a task is suspended", func() bool { return k.is("a", func(s ExecutorState) bool { return s.Suspended > 0 }) })
	cancel(fmt.Errorf("the session was released"))
	if a := <-got; a.err == nil || !strings.Contains(a.err.Error(), "the session was released") {
		t.Errorf("%v", a.err)
	}
	k.wants(stream, want(t, quick))
	k.idle("a")
}

// An executor that is told to end while a task is suspended finishes what it
// has, its rows are read, and nothing runs again.
func TestDrainWhileSuspended(t *testing.T) {
	k := newCrew(t)
	x := k.join("a")
	k.join("b")
	got := k.ask(k.ctx, slow, false)
	k.until("both run", func() bool {
		run := func(s ExecutorState) bool { return s.Running > 0 }
		return k.is("a", run) && k.is("b", run)
	})
	stream := k.ask(k.ctx, quick, true)
	k.until("a task is suspended", func() bool { return k.is("a", func(s ExecutorState) bool { return s.Suspended > 0 }) })
	if err := x.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	k.wants(stream, want(t, quick))
	k.wants(got, want(t, slow))
	if err := x.Wait(k.ctx); err != nil {
		t.Error(err)
	}
	k.until("the driver knows", func() bool { _, ok := k.Find("a"); return !ok })
	k.idle("b")
	if k.events.retries > 0 {
		t.Errorf("%d tasks ran again", k.events.retries)
	}
}

// One that has too little time to finish leaves the rest to others.
func TestDrainTimesOut(t *testing.T) {
	k := newCrew(t)
	x := k.join("a", "neptune.executor.drainTimeout=1ms")
	k.join("b")
	got := k.ask(k.ctx, slow, false)
	k.until("it runs", func() bool { return k.is("a", func(s ExecutorState) bool { return s.Running > 0 }) })
	if err := x.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := x.Wait(k.ctx); err != nil {
		t.Error(err)
	}
	k.wants(got, want(t, slow))
	k.idle("b")
}

func TestOtherVersionIsRefused(t *testing.T) {
	k := newCrew(t)
	k.env = []string{envVersion + "=0.0.1-other"}
	x, err := k.Start("a")
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Wait(k.ctx); err == nil || !strings.Contains(x.Log(), "the executor is of version 0.0.1-other, the driver of version "+Version) {
		t.Errorf("%v\n%s", err, x.Log())
	}
}
