package datasource

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/google/go-cmp/cmp"

	"neptune/arrowexec/physical"
	"neptune/internal/plan"
	"neptune/internal/types"
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
	// A new set of pages displaces one that is asked for no more.
	for range 6 * countAge {
		ask(k, hot, 100)
	}
	for range 2 {
		for i := range 8 {
			ask(k, pageID{f, int64(2000 + i)}, 100)
		}
	}
	for i := range 8 {
		if !ask(k, pageID{f, int64(2000 + i)}, 100) {
			t.Errorf("page %d of the new set was not kept", i)
		}
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

// A chunk whose pages are all kept isn't read; its filters see its dictionary as ever, and a file that is gone is missed.
func TestChunksOfKeptPagesAreNotRead(t *testing.T) {
	SetPageCache(16 << 20)
	defer SetPageCache(0)
	for _, nulls := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "a.parquet")
		b := sampleBatch(6000, nulls)
		writeSample(t, path, b, parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDataPageSize(4000))
		s := openAll(t, OpenArgs{Format: "parquet", Paths: []string{path}})
		s.Cols = s.Cols[:11] // the others are read by the general reader
		bound := func(i int) plan.Expr { return &plan.Bound{Index: i, T: sample.Fields[i].Type, Null: true} }
		s.Filters = []plan.Expr{
			&plan.Call{Name: "in", T: types.BoolType, Kind: plan.FnScalar, Null: true, Args: []plan.Expr{bound(7), &plan.Literal{T: types.StringType, Value: "s3"}, &plan.Literal{T: types.StringType, Value: "s17"}}},
			&plan.Call{Name: "<", T: types.BoolType, Kind: plan.FnScalar, Null: true, Args: []plan.Expr{bound(4), &plan.Literal{T: types.Float64Type, Value: 9.0}}},
		}
		var want [][]any
		for _, row := range rowsOf(b) {
			f, ok := row[4].(float64)
			if x := row[7]; ok && f < 9 && (x == "s3" || x == "s17") {
				want = append(want, row[:11])
			}
		}
		for i := range 6 {
			got, err := scanAll(t, s, 1+i%2, i%2)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatalf("scan %d: %.2000s", i, d)
			}
		}
		ft, err := readFooter(s.Source.(*Files).files[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, col := range s.Cols {
			if list := ft.pagesOf(0, ft.leaves[col][0]).Load(); list == nil || inflated.all(ft, *list) == nil {
				t.Errorf("column %s would be read again", sample.Fields[col].Name)
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := scanAll(t, s, 1, 0); err == nil {
			t.Error("a file that is gone was read")
		}
	}
}
