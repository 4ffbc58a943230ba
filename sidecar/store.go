package sidecar

import (
	"context"
	"sync"

	"github.com/google/uuid"

	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/internal/plan"
)

// store holds the checkpoints of sessions.
type store struct {
	cache *cache
	mu    sync.Mutex
	rows  map[session.Key]map[string]checkpoint
}

type checkpoint struct {
	node plan.Node
	rows *storedRows
}

func newStore(c *cache) *store {
	return &store{cache: c, rows: map[session.Key]map[string]checkpoint{}}
}

func (s *store) checkpoint(k session.Key, key string) plan.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rows[k][key].node
}

func (s *store) dropSession(k session.Key) {
	s.mu.Lock()
	dropped := s.rows[k]
	delete(s.rows, k)
	s.mu.Unlock()
	for _, c := range dropped {
		s.drop(c)
	}
}

func (s *store) drop(c checkpoint) {
	s.cache.mu.Lock()
	defer s.cache.mu.Unlock()
	s.cache.release(c.rows)
}

// Checkpoint implements server.Engine: the rows are kept in memory, and on
// disk beyond it, until DropCheckpoint or the end of the session. A lazy
// checkpoint is taken at once too.
func (e *Engine) Checkpoint(ctx context.Context, q *server.Query, _, _ bool) (string, error) {
	c := e.sessionConf(q.Session)
	resolved, err := e.analyze(ctx, q.Session, c, q.Plan)
	if err != nil {
		return "", err
	}
	n, done, err := e.withCache(ctx, q, c, resolved, false)
	defer done()
	if err != nil {
		return "", err
	}
	level := levels["MEMORY_AND_DISK"]
	rows, _, err := e.keep(ctx, q, c, n, level)
	if err != nil {
		return "", err
	}
	out := resolved.Output()
	if out == nil {
		out = []*plan.Attr{}
	}
	key := uuid.NewString()
	e.stored.mu.Lock()
	defer e.stored.mu.Unlock()
	m := e.stored.rows[q.Session.Key]
	if m == nil {
		m = map[string]checkpoint{}
		e.stored.rows[q.Session.Key] = m
	}
	m[key] = checkpoint{(&cachedSource{rows: rows, level: level, checkpoint: true}).relation(out), rows}
	return key, nil
}

// DropCheckpoint implements server.Engine.
func (e *Engine) DropCheckpoint(s *session.Session, key string) {
	e.stored.mu.Lock()
	c, ok := e.stored.rows[s.Key][key]
	delete(e.stored.rows[s.Key], key)
	e.stored.mu.Unlock()
	if ok {
		e.stored.drop(c)
	}
}
