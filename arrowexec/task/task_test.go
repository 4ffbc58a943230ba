package task

import (
	"errors"
	"testing"

	"neptune/arrowexec/mem"
)

func account(t *testing.T) *mem.Account {
	a := mem.NewPool(0).NewAccount("test")
	t.Cleanup(a.Close)
	return a
}

func TestYieldCostsNothingUntilSuspended(t *testing.T) {
	var steps int
	tk := New(Info{}, &Conf{}, account(t), func(c *Ctx) error {
		for steps < 10 {
			steps++
			if steps == 5 {
				c.task.Suspend()
			}
			if err := c.Yield(); err != nil {
				return err
			}
		}
		return nil
	})
	if e := tk.Resume(); e.Kind != Yielded || steps != 5 {
		t.Fatalf("got %v after %d steps, want a yield after 5", e.Kind, steps)
	}
	tk.Arm()
	if e := tk.Resume(); e.Kind != Done || e.Err != nil || steps != 10 {
		t.Fatalf("got %+v after %d steps, want done after 10", e, steps)
	}
	if n := tk.Stats().Suspensions.Load(); n != 1 {
		t.Errorf("%d suspensions counted, want 1", n)
	}
}

func TestSuspendBetweenArmAndResumeIsKept(t *testing.T) {
	tk := New(Info{}, &Conf{}, account(t), func(c *Ctx) error { return c.Yield() })
	tk.Arm()
	tk.Suspend()
	if e := tk.Resume(); e.Kind != Yielded {
		t.Fatalf("got %v, want a yield", e.Kind)
	}
}

func TestKillUnwindsASuspendedTask(t *testing.T) {
	closed := false
	tk := New(Info{}, &Conf{}, account(t), func(c *Ctx) error {
		defer func() { closed = true }()
		for {
			if err := c.Yield(); err != nil {
				return err
			}
		}
	})
	tk.Suspend()
	tk.Resume()
	tk.Kill()
	if e := tk.Resume(); e.Kind != Done || !errors.Is(e.Err, ErrKilled) || !closed {
		t.Fatalf("got %+v, closed %v", e, closed)
	}
}

func TestAwaitGivesTheSlotBack(t *testing.T) {
	ready := make(chan struct{})
	tk := New(Info{}, &Conf{}, account(t), func(c *Ctx) error { return c.Await(ready) })
	e := tk.Resume()
	if e.Kind != Blocked {
		t.Fatalf("got %v, want blocked", e.Kind)
	}
	if e = tk.Resume(); e.Kind != Blocked {
		t.Fatalf("resumed too early: got %v, want blocked", e.Kind)
	}
	close(ready)
	<-e.Wake
	if e = tk.Resume(); e.Kind != Done || e.Err != nil {
		t.Fatalf("got %+v", e)
	}
}

func TestPanicBecomesAnError(t *testing.T) {
	err := Run(Info{}, &Conf{}, account(t), 0, func(c *Ctx) error { panic("boom") })
	if err == nil {
		t.Fatal("no error")
	}
}

func BenchmarkIdleYield(b *testing.B) {
	tk := New(Info{}, &Conf{}, nil, func(c *Ctx) error {
		for b.Loop() {
			if err := c.Yield(); err != nil {
				return err
			}
		}
		return nil
	})
	tk.Resume()
}
