package vec

import "testing"

func TestZeroed(t *testing.T) {
	type slot [2]uint64
	for _, n := range []int{0, 1, 1000, 1 << 20} {
		dirty := Uncleared[uint64](n)
		for i := range dirty {
			dirty[i] = ^uint64(0)
		}
		yields := 0
		got, err := Zeroed[slot](n, func() error { yields++; return nil })
		if err != nil || len(got) != n {
			t.Fatal(len(got), err)
		}
		for i, s := range got {
			if s != (slot{}) {
				t.Fatal("not clear at ", i)
			}
		}
		if yields < n*16/(2*clearStep) {
			t.Errorf("%d yield points for %d slots", yields, n)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("memory with pointers isn't for Uncleared")
		}
	}()
	Uncleared[struct{ p *int }](1 << 20)
}
