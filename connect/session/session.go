// Package session holds what the server knows of each client session: its
// identity, configuration, artifacts and temporary state, and its life from
// the first request to the tombstone.
package session

import (
	"sync"
	"sync/atomic"
	"time"
)

// Key identifies a session: the same id of two users is two sessions.
type Key struct{ User, ID string }

// Session is one client session. Its exported fields don't change.
type Session struct {
	Key
	UserName string
	// ServerID is the server's own id of the session; clients check that it never changes.
	ServerID  string
	Conf      *Conf
	Artifacts *Artifacts
	Started   time.Time

	lastUsed atomic.Int64 // Unix nanoseconds
	busy     atomic.Int32 // requests and executions under way

	mu     sync.Mutex
	values map[any]any
}

// Value returns the session's value under key, made by create if there is
// none: a place for what other packages keep for a session (temporary views,
// user functions). Keys are of the caller's own unexported type.
func (s *Session) Value(key any, create func() any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	if !ok && create != nil {
		v = create()
		if s.values == nil {
			s.values = map[any]any{}
		}
		s.values[key] = v
	}
	return v
}

// Use says that the session is in use until the function that it returns is called.
func (s *Session) Use(now time.Time) (done func()) {
	s.busy.Add(1)
	s.lastUsed.Store(now.UnixNano())
	var once sync.Once
	return func() {
		once.Do(func() {
			s.lastUsed.Store(time.Now().UnixNano())
			s.busy.Add(-1)
		})
	}
}

// idleSince returns when the session was last used, and false while it is in use.
func (s *Session) idleSince() (time.Time, bool) {
	return time.Unix(0, s.lastUsed.Load()), s.busy.Load() == 0
}
