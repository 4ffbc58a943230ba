package datasource

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestSinkLogListsTheFilesOfCommittedBatches(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b%c")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := OpenSinkLog(dir).Files(); ok || err != nil {
		t.Fatal(ok, err)
	}
	for b := range int64(45) {
		l := OpenSinkLog(dir)
		last, err := l.Last()
		if err != nil || last != b-1 {
			t.Fatalf("batch %d: last is %d, %v", b, last, err)
		}
		name := fmt.Sprintf("part-%d", b)
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := l.Add(b, []string{name}); err != nil {
			t.Fatal(err)
		}
		files, ok, err := l.Files()
		if err != nil || !ok || len(files) != int(b)+1 || !files[filepath.Join(dir, name)] {
			t.Fatalf("batch %d: %v %v %v", b, files, ok, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "left-over"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(filepath.Join(dir, sinkLogDir))
	if err != nil || len(list) > 30 {
		t.Fatalf("%d entries are kept, %v", len(list), err)
	}
	if err := os.WriteFile(filepath.Join(dir, sinkLogDir, "44"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenSinkLog(dir).Files(); err == nil {
		t.Fatal("a damaged entry must be an error")
	}
}
