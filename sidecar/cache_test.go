package sidecar

import (
	"context"
	"sync"
	"testing"

	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/plan"
)

func (r *rig) parsed(t *testing.T, text string) plan.Node {
	t.Helper()
	n, err := sqlparse.ParseStatement(text, r.engine.sessionConf(r.session).parser())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (r *rig) count(t *testing.T, text string) (rows int) {
	t.Helper()
	batches, _, err := r.run(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		rows += b.N
	}
	return rows
}

// held is what the cache says it has, and whether the pool knows of it.
func (r *rig) held(t *testing.T) (memory, disk int64, entries int) {
	t.Helper()
	c := r.engine.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if now, _ := r.engine.pool.Used(); now != c.memory {
		t.Errorf("the pool has %d bytes, the cache %d", now, c.memory)
	}
	return c.memory, c.disk, len(c.entries[r.session.Key])
}

const cachedQuery = "SELECT id, repeat('x', 50) AS s FROM range(40000) WHERE id % 3 = 0"

func TestCacheKeepsRowsByLevel(t *testing.T) {
	const rows = 13334
	for _, x := range []struct {
		level          string
		memory         int64 // of the pool
		inMemory, disk bool
	}{
		{"MEMORY_AND_DISK", 64 << 20, true, false},
		{"MEMORY_AND_DISK", 1 << 20, true, true}, // half of the pool, then the disk
		{"MEMORY_ONLY", 64 << 20, true, false},
		{"MEMORY_ONLY", 1 << 20, false, false}, // too big: computed at each use
		{"DISK_ONLY", 64 << 20, false, true},
	} {
		t.Run(x.level, func(t *testing.T) {
			r := newRig(t, way{slots: 2, memory: x.memory})
			n := r.parsed(t, cachedQuery)
			ctx := context.Background()
			if err := r.engine.Persist(ctx, r.session, n, levels[x.level]); err != nil {
				t.Fatal(err)
			}
			if m, d, e := r.held(t); m != 0 || d != 0 || e != 1 {
				t.Errorf("rows were made before they were used: %d and %d bytes, %d entries", m, d, e)
			}
			for range 2 {
				if got := r.count(t, cachedQuery); got != rows {
					t.Fatalf("%d rows, want %d", got, rows)
				}
				if got := r.count(t, "SELECT * FROM ("+cachedQuery+") WHERE id < 300 AND s LIKE 'x%'"); got != 100 {
					t.Fatalf("%d rows of a part, want 100", got)
				}
			}
			if m, d, _ := r.held(t); m > 0 != x.inMemory || d > 0 != x.disk {
				t.Errorf("%d bytes in memory, %d on disk", m, d)
			}
			if l, err := r.engine.StorageLevel(ctx, r.session, n); err != nil || l != levels[x.level] {
				t.Errorf("%+v, %v", l, err)
			}
			if err := r.engine.Unpersist(ctx, r.session, n, true); err != nil {
				t.Fatal(err)
			}
			if m, d, e := r.held(t); m != 0 || d != 0 || e != 0 {
				t.Errorf("after unpersist %d and %d bytes, %d entries", m, d, e)
			}
		})
	}
}

// Queries that use a cached plan for the first time at once fill it once, and
// what they read stays until they have ended, whatever happens to the entry.
func TestCacheIsSafeForManyQueries(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 1 << 20})
	n := r.parsed(t, cachedQuery)
	ctx := context.Background()
	var wg sync.WaitGroup
	for i := range 8 {
		if i%3 == 0 {
			if err := r.engine.Persist(ctx, r.session, n, levels["MEMORY_AND_DISK"]); err != nil {
				t.Fatal(err)
			}
		}
		wg.Go(func() {
			c := r.engine.sessionConf(r.session)
			resolved, err := r.engine.analyze(ctx, r.session, c, n)
			if err != nil {
				t.Error(err)
				return
			}
			q := &server.Query{Session: r.session, OperationID: "many" + string(rune('0'+i)), Job: session.JobType{Priority: session.BatchPriority}}
			batches, err := r.engine.collect(ctx, q, c, resolved)
			if err != nil {
				t.Error(err)
			}
			rows := 0
			for _, b := range batches {
				rows += b.N
			}
			if rows != 13334 {
				t.Errorf("%d rows", rows)
			}
		})
		if i%3 == 2 {
			if err := r.engine.Unpersist(ctx, r.session, n, false); err != nil {
				t.Fatal(err)
			}
		}
	}
	wg.Wait()
	r.engine.CloseSession(r.session)
	if m, d, e := r.held(t); m != 0 || d != 0 || e != 0 {
		t.Errorf("after the session's end %d and %d bytes, %d entries", m, d, e)
	}
}

func TestCheckpointIsGivenBack(t *testing.T) {
	r := newRig(t, way{slots: 2, memory: 1 << 20})
	key, err := r.engine.Checkpoint(context.Background(), &server.Query{Session: r.session, OperationID: "c", Plan: r.parsed(t, cachedQuery)}, true, true)
	if err != nil {
		t.Fatal(err)
	}
	if m, d, _ := r.held(t); m == 0 || d == 0 {
		t.Errorf("%d bytes in memory, %d on disk", m, d)
	}
	r.engine.DropCheckpoint(r.session, key)
	r.engine.DropCheckpoint(r.session, key)
	if m, d, _ := r.held(t); m != 0 || d != 0 {
		t.Errorf("%d bytes in memory, %d on disk", m, d)
	}
}
