package mem

import (
	"testing"

	"pgregory.net/rapid"

	"neptune/internal/errs"
)

// spillable gives all it holds back when asked.
type spillable struct {
	r      *Reservation
	spills int
}

func (s *spillable) Spill() (int64, error) {
	s.spills++
	n := s.r.Size()
	return n, s.r.Resize(0)
}

func open(a *Account, name string) *spillable {
	s := &spillable{}
	s.r = a.Reserve(name, s)
	return s
}

func TestLargestOtherSpillsFirst(t *testing.T) {
	p := NewPool(100)
	a := p.NewAccount("task")
	small, large, asker := open(a, "small"), open(a, "large"), open(a, "asker")
	for r, n := range map[*Reservation]int64{small.r: 20, large.r: 60, asker.r: 10} {
		if err := r.Grow(n); err != nil {
			t.Fatal(err)
		}
	}
	if err := asker.r.Grow(30); err != nil {
		t.Fatal(err)
	}
	if large.spills != 1 || small.spills != 0 || asker.spills != 0 {
		t.Errorf("spills: large %d, small %d, asker %d; want only the largest", large.spills, small.spills, asker.spills)
	}
	if now, peak := p.Used(); now != 60 || peak != 90 {
		t.Errorf("used %d, peak %d; want 60 and 90", now, peak)
	}
}

func TestAskerSpillsLastAndThenFails(t *testing.T) {
	p := NewPool(100)
	a := p.NewAccount("task")
	s := open(a, "only")
	if err := s.r.Grow(90); err != nil {
		t.Fatal(err)
	}
	if err := s.r.Grow(50); err != nil || s.spills != 1 || s.r.Size() != 50 {
		t.Fatalf("%v, %d spills, size %d", err, s.spills, s.r.Size())
	}
	err := s.r.Grow(101)
	e, ok := errs.As(err)
	if !ok || e.Condition != "UNABLE_TO_ACQUIRE_MEMORY" || e.SQLState() != "53200" {
		t.Fatalf("got %v", err)
	}
}

func TestTasksShareThePool(t *testing.T) {
	p := NewPool(100)
	a, b := p.NewAccount("a"), p.NewAccount("b")
	x, y := a.Reserve("x", nil), b.Reserve("y", nil)
	if !x.Try(40) || !y.Try(40) {
		t.Fatal("two tasks can't hold 40 of 100 each")
	}
	if y.Try(15) {
		t.Error("one of two tasks got more than half")
	}
	a.Close()
	if !y.Try(60) {
		t.Error("what a closed account held isn't free")
	}
	x.Release() // after Close: harmless
	b.Close()
	b.Close()
	if now, _ := p.Used(); now != 0 {
		t.Errorf("%d bytes left over", now)
	}
}

func TestUnboundedPoolOnlyCounts(t *testing.T) {
	a := NewPool(0).NewAccount("a")
	defer a.Close()
	r := a.Reserve("r", nil)
	if err := r.Grow(1 << 40); err != nil {
		t.Fatal(err)
	}
	if a.Used() != 1<<40 {
		t.Error(a.Used())
	}
}

func TestGuaranteedShareIsWaitedFor(t *testing.T) {
	p := NewPool(100)
	a, b := p.NewAccount("a"), p.NewAccount("b")
	x, y := a.Reserve("x", nil), b.Reserve("y", nil)
	if !x.Try(100) {
		t.Fatal("one task alone can't have all")
	}
	// b is guaranteed a quarter. It holds nothing, has nothing to spill, and waits.
	waits := 0
	b.Wait = func(freed <-chan struct{}) error {
		waits++
		if err := x.Resize(60); err != nil { // now 40 are free, and b's share is 50
			t.Error(err)
		}
		<-freed
		return nil
	}
	if err := y.Grow(25); err != nil || waits != 1 {
		t.Fatalf("%v after %d waits", err, waits)
	}
	// Beyond the guarantee it doesn't wait.
	if err := y.Grow(30); err == nil || waits != 1 {
		t.Errorf("%v after %d waits", err, waits)
	}
	b.Wait = func(<-chan struct{}) error { return ErrLate }
	if err := y.Resize(0); err != nil {
		t.Fatal(err)
	}
	if !x.Try(-60) || !x.Try(60) {
		t.Fatal("can't move")
	}
	s := p.NewService("exchanges").Reserve("rows", nil)
	if !s.Try(40) {
		t.Fatal("no room for a service")
	}
	if e, ok := errs.As(y.Grow(10)); !ok || e.Condition != "UNABLE_TO_ACQUIRE_MEMORY" {
		t.Errorf("waited in vain: %v", e)
	}
	a.Close()
	b.Close()
}

func TestSuspendedTasksAreApart(t *testing.T) {
	p := NewPool(100)
	p.SetParkLimit(50)
	a, b := p.NewAccount("a"), p.NewAccount("b")
	x, y := open(a, "x"), open(b, "y")
	if !x.r.Try(40) {
		t.Fatal("no room")
	}
	if !a.Park() {
		t.Fatal("40 of 50 don't fit")
	}
	if now, limit := p.Parked(); now != 40 || limit != 50 {
		t.Errorf("parked %d of %d", now, limit)
	}
	if !y.r.Try(100) { // a doesn't count: neither its memory nor as one of two
		t.Error("the pool isn't b's alone")
	}
	if b.Park() {
		t.Error("140 of 50 fit")
	}
	if err := b.SpillAll(); err != nil || y.spills != 1 {
		t.Errorf("%v, %d spills", err, y.spills)
	}
	if !b.Park() {
		t.Error("what holds nothing doesn't fit")
	}
	a.Unpark()
	if now, _ := p.Used(); now != 40 {
		t.Errorf("%d bytes used", now)
	}
	if now, _ := p.Parked(); now != 0 {
		t.Errorf("%d bytes still parked", now)
	}
	a.Close()
	b.Close()
	if now, _ := p.Used(); now != 0 {
		t.Errorf("%d bytes left over", now)
	}
}

// TestRandomSharing moves reservations of tasks that come, go, are suspended
// and resumed at random, and checks the sums.
func TestRandomSharing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := NewPool(1000)
		p.SetParkLimit(300)
		service := p.NewService("service").Reserve("s", nil)
		type member struct {
			a      *Account
			s      *spillable
			asleep bool
		}
		var tasks []*member
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch k := rapid.IntRange(0, 6).Draw(rt, "step"); {
			case k == 0 || len(tasks) == 0:
				a := p.NewAccount("task")
				tasks = append(tasks, &member{a: a, s: open(a, "r")})
			case k == 1:
				if n := rapid.Int64Range(-200, 400).Draw(rt, "service"); n+service.Size() >= 0 {
					service.Try(n)
				}
			default:
				i := rapid.IntRange(0, len(tasks)-1).Draw(rt, "task")
				m := tasks[i]
				switch {
				case m.asleep:
					m.a.Unpark()
					m.asleep = false
				case k == 2:
					if !m.a.Park() {
						if err := m.a.SpillAll(); err != nil {
							rt.Fatal(err)
						}
						m.a.Park()
					}
					m.asleep = true
				case k == 3:
					m.a.Close()
					tasks = append(tasks[:i], tasks[i+1:]...)
				default:
					if err := m.s.r.Grow(rapid.Int64Range(1, 500).Draw(rt, "grow")); err != nil && m.s.r.Size() != 0 {
						rt.Fatalf("refused with %d bytes unspilled", m.s.r.Size())
					}
				}
			}
			sum, parked := service.Size(), int64(0)
			for _, m := range tasks {
				if m.a.apart {
					parked += m.s.r.Size()
				} else {
					sum += m.s.r.Size()
				}
			}
			if now, _ := p.Used(); now != sum {
				rt.Fatalf("%d bytes used, %d held", now, sum)
			}
			if now, limit := p.Parked(); now != parked || now > limit {
				rt.Fatalf("%d bytes parked of %d, %d held", now, limit, parked)
			}
		}
	})
}
