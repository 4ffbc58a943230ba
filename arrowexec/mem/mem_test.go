package mem

import (
	"testing"

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
