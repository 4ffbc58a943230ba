package sidecar

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/internal/plan"
)

// store holds what sessions asked to keep: checkpoints, and how plans are cached.
type store struct {
	mu     sync.Mutex
	rows   map[session.Key]map[string]plan.Node
	levels map[session.Key]map[string]server.StorageLevel
}

func newStore() *store {
	return &store{rows: map[session.Key]map[string]plan.Node{}, levels: map[session.Key]map[string]server.StorageLevel{}}
}

func (s *store) checkpoint(k session.Key, key string) plan.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows[k][key]
}

func (s *store) dropSession(k session.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, k)
	delete(s.levels, k)
}

// Checkpoint implements server.Engine: the rows are kept in memory until
// DropCheckpoint or the end of the session. A lazy checkpoint is taken at once too.
func (e *Engine) Checkpoint(ctx context.Context, q *server.Query, _, _ bool) (string, error) {
	c := e.sessionConf(q.Session)
	resolved, err := e.analyze(ctx, q.Session, c, q.Plan)
	if err != nil {
		return "", err
	}
	batches, err := e.collect(ctx, q, c, resolved)
	if err != nil {
		return "", err
	}
	key := uuid.NewString()
	e.stored.mu.Lock()
	defer e.stored.mu.Unlock()
	m := e.stored.rows[q.Session.Key]
	if m == nil {
		m = map[string]plan.Node{}
		e.stored.rows[q.Session.Key] = m
	}
	m[key] = &plan.LocalRelation{Out: resolved.Output(), Batches: batches}
	return key, nil
}

// DropCheckpoint implements server.Engine.
func (e *Engine) DropCheckpoint(s *session.Session, key string) {
	e.stored.mu.Lock()
	defer e.stored.mu.Unlock()
	delete(e.stored.rows[s.Key], key)
}

// Persist implements server.Engine. The level is kept; the rows are computed
// anew at each use, which gives the same answers.
func (e *Engine) Persist(_ context.Context, s *session.Session, n plan.Node, level server.StorageLevel) error {
	e.stored.mu.Lock()
	defer e.stored.mu.Unlock()
	m := e.stored.levels[s.Key]
	if m == nil {
		m = map[string]server.StorageLevel{}
		e.stored.levels[s.Key] = m
	}
	m[server.Canonical(n)] = level
	return nil
}

// Unpersist implements server.Engine.
func (e *Engine) Unpersist(_ context.Context, s *session.Session, n plan.Node, _ bool) error {
	e.stored.mu.Lock()
	defer e.stored.mu.Unlock()
	delete(e.stored.levels[s.Key], server.Canonical(n))
	return nil
}

// StorageLevel implements server.Engine.
func (e *Engine) StorageLevel(_ context.Context, s *session.Session, n plan.Node) (server.StorageLevel, error) {
	e.stored.mu.Lock()
	defer e.stored.mu.Unlock()
	return e.stored.levels[s.Key][server.Canonical(n)], nil
}
