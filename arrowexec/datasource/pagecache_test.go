package datasource

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"

	"neptune/arrowexec/physical"
)

// ask is a reading of a page of n bytes; it reports whether the page was there.
func ask(k *pageCache, id pageID, n int) bool {
	page, keep := k.get(id, n)
	if keep {
		k.put(id, make([]byte, n))
	}
	return page != nil
}

func TestPagesAreKeptFromTheSecondReading(t *testing.T) {
	k := newPageCache(1000)
	id := pageID{&footer{}, 4}
	var got []bool
	for range 4 {
		got = append(got, ask(k, id, 100))
	}
	if want := []bool{false, false, true, true}; !slices.Equal(got, want) {
		t.Errorf("was there: %v, want %v", got, want)
	}
	if ask(k, pageID{&footer{}, 4}, 100) {
		t.Error("another file's page was taken for it")
	}
	for range 3 {
		if ask(k, pageID{id.file, 200}, 126) {
			t.Error("a page of more than an eighth of the bound was kept")
		}
	}
	k.setLimit(0)
	if ask(k, id, 100) || k.size != 0 {
		t.Error("pages stayed without a bound")
	}
}

// Scans of twice as much as fits must not chase each other's pages away, and
// pages asked for more often must find room.
func TestPagesAreReplacedByThoseAskedForMoreOften(t *testing.T) {
	k := newPageCache(1000)
	f := &footer{}
	hits := 0
	for range 20 {
		for i := range 20 {
			if ask(k, pageID{f, int64(i)}, 100) {
				hits++
			}
		}
	}
	if hits < 150 || k.size > 1000 { // half of the pages, but for the first two rounds: 180
		t.Errorf("%d hits of 400, %d bytes kept", hits, k.size)
	}
	hot := pageID{f, 1000}
	for range 30 {
		ask(k, hot, 100)
	}
	if !ask(k, hot, 100) {
		t.Error("a page asked for more often than others was not kept")
	}
	n := int64(0)
	for e := k.recent.Front(); e != nil; e = e.Next() {
		n += int64(len(e.Value.(*keptPage).bytes))
	}
	if n != k.size || len(k.pages) != k.recent.Len() || n > k.limit {
		t.Errorf("%d bytes are kept, %d counted", n, k.size)
	}
}

func TestKeptPagesOfAFileThatChangedAreNotUsed(t *testing.T) {
	SetPageCache(1 << 20)
	defer SetPageCache(0)
	path := filepath.Join(t.TempDir(), "a.parquet")
	for i, n := range []int{2000, 2500} {
		b := sampleBatch(n, i == 1)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		writeSample(t, path, b, parquet.WithCompression(compress.Codecs.Snappy))
		var s *physical.Scan
		for range 3 {
			s = openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}})
			if got, err := scanAll(t, s, 1, 0); err != nil || !reflect.DeepEqual(got, rowsOf(b)) {
				t.Fatal("other rows", err)
			}
		}
	}
}

func TestTasksOfAScan(t *testing.T) {
	f := &Files{format: "text", files: []fileInfo{{size: 100 << 10}}}
	for size, want := range map[int64]int{100 << 10: 1, 600 << 10: 1, 1 << 20: 2, 1600 << 10: 3, 30 << 20: 4, 40 << 20: 8, 4 << 30: 32} {
		f.files[0].size = size
		if got := Partitions(&physical.Scan{Source: f}, 4); got != want {
			t.Errorf("%d bytes: %d tasks, want %d", size, got, want)
		}
	}
}
