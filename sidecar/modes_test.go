package sidecar

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/conf"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// Every mode with every policy gives the same answers while stream and batch jobs compete for two slots.
func TestModesAndPoliciesGiveTheSameAnswers(t *testing.T) {
	const batch = "SELECT id % 7 AS k, count(*) AS n, sum(id) AS s FROM range(0, 2000000, 1, 4) GROUP BY id % 7 ORDER BY k"
	const stream = "SELECT count(*) AS n FROM range(0, 1000, 1, 2)"
	plain := newRig(t, way{slots: 2, memory: 1 << 30})
	want := strings.Join(plain.answer(batch), "\n")
	for _, mode := range core.Modes() {
		for i, pol := range policy.Names() {
			if mode != "neptune" && mode != "kill" && i > 0 {
				continue // policies don't matter there
			}
			t.Run(mode+"/"+pol, func(t *testing.T) {
				e := testEngine(t, "neptune.scheduling.mode="+mode, "neptune.scheduling.policy="+pol, "neptune.job.latencyTarget=5ms")
				r := &rig{e, plain.session}
				end := make(chan string, 1)
				go func() { end <- strings.Join(r.answer(batch), "\n") }()
				for range 10 {
					if got, err := r.typed(session.StreamPriority, stream); err != nil || got != "1000" {
						t.Fatalf("%s: %q, %v", stream, got, err)
					}
				}
				if got := <-end; got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
				if now, _ := e.pool.Used(); now != 0 {
					t.Errorf("%d bytes still reserved", now)
				}
			})
		}
	}
}

// typed returns the first cell of a query that runs at a priority.
func (r *rig) typed(priority int, text string) (string, error) {
	c := r.engine.sessionConf(r.session)
	n, err := sqlparse.ParseStatement(text, c.parser())
	if err != nil {
		return "", err
	}
	resolved, err := r.engine.analyze(context.Background(), r.session, c, n)
	if err != nil {
		return "", err
	}
	q := &server.Query{Session: r.session, OperationID: fmt.Sprint("typed", typedNumber.Add(1)), Job: session.JobType{Priority: priority}}
	b, err := r.engine.collect(context.Background(), q, c, resolved)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(rowsOf(b)[0][0]), nil
}

var typedNumber atomic.Int64

// In mode kill batch tasks really start again from nothing, what the killed
// attempts made is dropped, and nothing is suspended.
func TestKillStartsAgain(t *testing.T) {
	e := testEngine(t, "neptune.scheduling.mode=kill")
	const total = 200 * vec.DefaultRows
	var rows [2]atomic.Int64
	var attempts [2]atomic.Int64
	var stop atomic.Bool
	q := &server.Query{OperationID: "batch", Job: session.JobType{Priority: session.BatchPriority}}
	batch := make(chan error, 1)
	go func() {
		batch <- e.job(context.Background(), q, &sessionConf{zone: time.UTC}, rangeRows(total), &payload{
			begin: func(p int) { attempts[p].Add(1); rows[p].Store(0) },
			evict: func(int) bool { return true },
			consume: func(_ *task.Ctx, p int, b *vec.Batch) error {
				rows[p].Add(int64(b.N))
				if !stop.Load() {
					time.Sleep(time.Millisecond)
				}
				return nil
			}}, nil, nil)
	}()
	for rows[0].Load() == 0 || rows[1].Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for i := range 3 {
		if err := runRows(e, session.StreamPriority, fmt.Sprint("stream", i), 100, func(*vec.Batch) {}); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	if err := <-batch; err != nil {
		t.Fatal(err)
	}
	if n := rows[0].Load() + rows[1].Load(); n != total {
		t.Errorf("%d rows, want %d", n, total)
	}
	if n := attempts[0].Load() + attempts[1].Load(); n < 4 {
		t.Errorf("%d attempts of two tasks: nobody was killed", n)
	}
}

// What a client has some rows of isn't killed; what is held back is, and forgotten.
func TestResultsOfKilledAttempts(t *testing.T) {
	r := newResults(100)
	r.hold = true
	r.open(2)
	put := func(p int, s string) {
		r.mu.Lock()
		r.parts[p].chunks = append(r.parts[p].chunks, chunk{[]byte(s), 1})
		r.bytes += int64(len(s))
		signal(&r.news)
		r.mu.Unlock()
	}
	var got []string
	drained := make(chan error, 1)
	r.begin(0)
	put(0, "killed")
	if !r.evict(0) {
		t.Error("nothing was sent, and yet it can't start again")
	}
	put(0, "killed too")
	go func() {
		drained <- r.drain(context.Background(), func(b []byte, _ int64) error { got = append(got, string(b)); return nil })
	}()
	r.begin(0)
	put(0, "kept")
	r.end(0)
	if r.evict(0) {
		t.Error("a complete partition was given up")
	}
	r.begin(1)
	put(1, strings.Repeat("x", 100)) // no room to keep it back
	for {
		r.mu.Lock()
		sent := r.parts[1].sent
		r.mu.Unlock()
		if sent {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if r.evict(1) {
		t.Error("rows that the client has were given up")
	}
	r.end(1)
	if err := <-drained; err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0] != "kept" || len(got[1]) != 100 || r.bytes != 0 {
		t.Errorf("got %q, %d bytes left", got, r.bytes)
	}
}

// Unknown names are errors that list what there is.
func TestUnknownModeAndPolicy(t *testing.T) {
	for set, want := range map[string]string{
		"neptune.scheduling.mode=best":   "neptune, fifo, fair, static, kill",
		"neptune.scheduling.policy=best": "lma, lma_fork, load_balance",
	} {
		if _, err := conf.Load(conf.Source{Set: []string{set}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
	}
}
