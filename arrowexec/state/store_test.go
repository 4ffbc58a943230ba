package state

import (
	"os"
	"path/filepath"
	"testing"
)

func TestVersionsSurviveAndRollBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	restart := func() {
		mu.Lock()
		defer mu.Unlock()
		for dir := range kept {
			forget(dir)
		}
	}
	for v := int64(0); v < 25; v++ {
		s, err := Open(dir, v)
		if err != nil {
			t.Fatal(err)
		}
		s.Put([]byte("n"), []byte{byte(v)})
		s.Put([]byte{byte(v)}, nil)
		if v > 2 {
			s.Remove([]byte{byte(v - 3)})
		}
		if v == 7 {
			if s, err = Open(dir, v); err != nil { // given up: as if the task had died
				t.Fatal(err)
			}
			s.Put([]byte("n"), []byte{byte(v)})
			s.Put([]byte{byte(v)}, nil)
			s.Remove([]byte{byte(v - 3)})
		}
		if err := s.Commit(v + 1); err != nil {
			t.Fatal(err)
		}
		if v%4 == 0 {
			restart()
		}
	}
	restart()
	for _, v := range []int64{25, 12, 10, 3} {
		s, err := Open(dir, v)
		if err != nil {
			t.Fatal(err)
		}
		if s.Len() != 4 || s.Get([]byte("n"))[0] != byte(v-1) || s.Get([]byte{byte(v - 1)}) == nil {
			t.Errorf("version %d has %d keys", v, s.Len())
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "25.delta"))
	if err != nil {
		t.Fatal(err)
	}
	b[20] ^= 1
	if err := os.WriteFile(filepath.Join(dir, "25.delta"), b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, 25); err == nil {
		t.Error("a damaged file was read")
	}
}

// TestKeptStoresAreBounded: what was used longest ago is read from disk again.
func TestKeptStoresAreBounded(t *testing.T) {
	root := t.TempDir()
	t.Cleanup(func() { SetKeepLimit(0); Forget(root) })
	before := Kept()
	dirs := make([]string, 4)
	value := make([]byte, 1000)
	for i := range dirs {
		dirs[i] = Dir(root, 0, i)
		s, err := Open(dirs[i], 0)
		if err != nil {
			t.Fatal(err)
		}
		s.Put([]byte{byte(i)}, value)
		if err := s.Commit(1); err != nil {
			t.Fatal(err)
		}
	}
	if got := Kept() - before; got < 4000 || got > 8000 {
		t.Errorf("four stores of a kilobyte take %d bytes", got)
	}
	SetKeepLimit(before + 2500)
	if got := Kept() - before; got > 2500 {
		t.Errorf("%d bytes are kept", got)
	}
	mu.Lock()
	if kept[dirs[0]] != nil || kept[dirs[3]] == nil {
		t.Error("not the oldest were dropped")
	}
	mu.Unlock()
	for i, d := range dirs {
		s, err := Open(d, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Get([]byte{byte(i)})) != 1000 {
			t.Errorf("store %d lost its value", i)
		}
	}
}
