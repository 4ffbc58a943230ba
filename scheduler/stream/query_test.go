package stream

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neptune/internal/plan"
	"neptune/internal/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorder is a Runner that notes batches.
type recorder struct {
	mu      sync.Mutex
	batches []Batch
	fail    map[int64]error
	times   []EventTime
}

func (r *recorder) RunBatch(_ context.Context, b Batch) (Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.fail[b.ID]; err != nil {
		return Result{}, err
	}
	r.batches = append(r.batches, b)
	return Result{OutputRows: -1, EventTimes: r.times}, nil
}

func (r *recorder) ids() (out []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.batches {
		out = append(out, b.ID)
	}
	return out
}

func relation(def Def) *plan.Relation {
	r := &plan.Relation{Name: def.Format(), Handle: def, Streaming: true}
	for _, f := range def.Schema().Fields {
		r.Out = append(r.Out, &plan.Attr{ID: plan.NewID(), Name: f.Name, T: f.Type, Null: true})
	}
	return r
}

func folderDef(t *testing.T, dir string, options map[string]string) Def {
	def, err := NewFiles(Files{Name: "json", Path: dir, Columns: types.NewStruct(types.Field{Name: "a", Type: types.Int64Type}), Options: options,
		List: func(context.Context) (out []File, err error) {
			files, err := os.ReadDir(dir)
			for i, f := range files {
				out = append(out, File{Path: f.Name(), Size: 1, Modified: int64(1000 + i)})
			}
			return out, err
		},
		Open: func(_ context.Context, files []string) (plan.Source, error) { return opened(files), nil }})
	if err != nil {
		t.Fatal(err)
	}
	return def
}

type opened []string

func (o opened) Format() string        { return "json" }
func (o opened) Schema() *types.Type   { return nil }
func (o opened) PartitionColumns() int { return 0 }
func (o opened) Stats() plan.Stats     { return plan.Stats{Rows: int64(len(o))} }

func touch(t *testing.T, dir string, names ...string) {
	for _, n := range names {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func start(t *testing.T, c Config) *Query {
	t.Helper()
	if c.FreshID == "" {
		c.FreshID = "fresh"
	}
	q, err := Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return q
}

func files(b Batch) string {
	var names []string
	plan.WalkNodes(b.Plan, func(n plan.Node) bool {
		if r, ok := n.(*plan.Relation); ok {
			names = append(names, r.Handle.(opened)...)
		}
		return true
	})
	return fmt.Sprint(names)
}

func TestAvailableNowReadsWhatIsThereInSteps(t *testing.T) {
	dir, cp := t.TempDir(), t.TempDir()
	touch(t, dir, "a", "b", "c")
	r := &recorder{}
	run := func() {
		q := start(t, Config{Plan: relation(folderDef(t, dir, map[string]string{"maxFilesPerTrigger": "2"})), Runner: r, Checkpoint: cp, Trigger: Available})
		<-q.Done()
		if q.Err() != nil {
			t.Fatal(q.Err())
		}
		if q.ID != "fresh" {
			t.Errorf("id %s", q.ID)
		}
	}
	run()
	if len(r.batches) != 2 || files(r.batches[0]) != "[a b]" || files(r.batches[1]) != "[c]" {
		t.Fatalf("%v", r.batches)
	}
	run() // nothing new
	if len(r.batches) != 2 {
		t.Fatalf("a restart repeated work: %v", r.ids())
	}
	touch(t, dir, "d")
	run()
	if len(r.batches) != 3 || files(r.batches[2]) != "[d]" || r.batches[2].ID != 2 {
		t.Fatalf("%v", r.batches)
	}
}

func TestFailedBatchIsRepeatedWithTheSameOffsets(t *testing.T) {
	dir, cp := t.TempDir(), t.TempDir()
	touch(t, dir, "a")
	boom := errors.New("boom")
	r := &recorder{fail: map[int64]error{0: boom}}
	q := start(t, Config{Plan: relation(folderDef(t, dir, nil)), Runner: r, Checkpoint: cp, Trigger: Available})
	<-q.Done()
	if !errors.Is(q.Err(), boom) || q.Status().Message != "Terminated with exception: boom" {
		t.Fatalf("%v, %+v", q.Err(), q.Status())
	}
	touch(t, dir, "b")
	r.fail = nil
	q = start(t, Config{Plan: relation(folderDef(t, dir, nil)), Runner: r, Checkpoint: cp, Trigger: Available})
	<-q.Done()
	if len(r.batches) != 2 || files(r.batches[0]) != "[a]" || files(r.batches[1]) != "[b]" {
		t.Fatalf("%v", r.batches)
	}
}

func TestWatermarkMovesAndSurvives(t *testing.T) {
	dir, cp := t.TempDir(), t.TempDir()
	touch(t, dir, "a")
	r := &recorder{times: []EventTime{{Max: 50_000, Min: 1, Avg: 2, Count: 3, DelayMs: 10_000}}}
	for range 2 {
		q := start(t, Config{Plan: relation(folderDef(t, dir, nil)), Runner: r, Checkpoint: cp, Trigger: Available, Stateful: true})
		<-q.Done()
		touch(t, dir, "b")
	}
	// batch 0 sees the rows, batch 1 has none but the watermark, batch 2 is the second file
	var marks []int64
	for _, b := range r.batches {
		marks = append(marks, b.WatermarkMs)
	}
	if fmt.Sprint(marks) != "[0 40000 40000]" {
		t.Fatalf("watermarks %v", marks)
	}
}

func TestRateGivesEachRowOnce(t *testing.T) {
	def, err := NewRate(map[string]string{"rowsPerSecond": "5"}, 2)
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	q := start(t, Config{Plan: relation(def), Runner: r, Checkpoint: t.TempDir(), Trigger: Periodic, Interval: 50 * time.Millisecond})
	for len(r.ids()) < 2 {
		time.Sleep(10 * time.Millisecond)
	}
	if err := q.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	at := int64(0)
	for _, b := range r.batches {
		rows := b.Plan.(*plan.Project).Child.(*plan.Range)
		if rows.Start != at || b.ID > 0 && rows.End <= rows.Start || rows.End%5 != 0 {
			t.Fatalf("batch %d has values %d to %d, want from %d", b.ID, rows.Start, rows.End, at)
		}
		at = rows.End
	}
	p := q.Recent()
	if len(p) != len(r.batches) || p[0].NumInputRows != r.batches[0].Plan.(*plan.Project).Child.(*plan.Range).End || p[0].Sources[0].StartOffset == nil {
		t.Errorf("%+v", p)
	}
}

func TestRampUp(t *testing.T) {
	r := &rate{perSecond: 10, rampUp: 4}
	var got []int64
	for s := range int64(7) {
		got = append(got, r.before(s))
	}
	// 2 rows more each second until 10 a second (Spark: valueAtSecond)
	if fmt.Sprint(got) != "[0 2 6 12 20 30 40]" {
		t.Error(got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []map[string]string{{"rowsPerSecond": "0"}, {"rowsPerSecond": "x"}, {"numPartitions": "-1"}, {"nonsense": "1"}} {
		if _, err := NewRate(o, 1); err == nil {
			t.Errorf("%v was taken", o)
		}
	}
	if _, err := NewRateMicroBatch(nil, 1); err == nil {
		t.Error("rowsPerBatch is required")
	}
}

func TestProcessAllAvailable(t *testing.T) {
	dir := t.TempDir()
	r := &recorder{}
	q := start(t, Config{Plan: relation(folderDef(t, dir, nil)), Runner: r, Checkpoint: t.TempDir()})
	touch(t, dir, "a", "b")
	if err := q.ProcessAllAvailable(context.Background()); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, b := range r.batches {
		n += len(files(b))
	}
	if n == 0 {
		t.Error("returned before the files were read")
	}
}

func TestCorruptCheckpoint(t *testing.T) {
	cp := t.TempDir()
	if err := os.WriteFile(filepath.Join(cp, "metadata"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(Config{Plan: relation(folderDef(t, t.TempDir(), nil)), Runner: &recorder{}, Checkpoint: cp}); err == nil {
		t.Error("a broken checkpoint was taken")
	}
}
