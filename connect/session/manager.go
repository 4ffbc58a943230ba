package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"neptune/internal/errs"
)

// Options of a Manager. The zero value of each field takes the default.
type Options struct {
	Base       map[string]string // spark.* and neptune.* settings of the server
	Own        map[string]OwnKey // the neptune.* keys that there are; nil: any
	Dir        string            // where artifacts go; os.TempDir() by default
	Timeout    time.Duration     // a session unused for that long is closed; 60 minutes, negative: never
	Tombstones int               // how many closed sessions are remembered; 1000
	// OnClose frees what others hold for a session. It is called once a session, outside all locks.
	OnClose func(*Session)
}

// Manager knows all sessions. It is safe for concurrent use.
type Manager struct {
	opt  Options
	root string

	mu       sync.Mutex
	sessions map[Key]*Session
	tombs    map[Key]bool
	order    []Key // of tombstones, oldest first
	closed   bool
}

// NewManager returns a manager without sessions.
func NewManager(opt Options) *Manager {
	if opt.Timeout == 0 {
		opt.Timeout = time.Hour
	}
	if opt.Tombstones == 0 {
		opt.Tombstones = 1000
	}
	if opt.Dir == "" {
		opt.Dir = os.TempDir()
	}
	return &Manager{
		opt: opt, root: filepath.Join(opt.Dir, "neptune-sessions-"+uuid.NewString()),
		sessions: map[Key]*Session{}, tombs: map[Key]bool{},
	}
}

func handleError(condition, handle string) *errs.Error {
	return errs.New(errs.Session, condition, "handle", handle)
}

// CheckID raises INVALID_HANDLE.FORMAT unless id is a UUID in its usual form.
func CheckID(id string) error {
	if u, err := uuid.Parse(id); err != nil || !strings.EqualFold(u.String(), id) {
		return handleError("INVALID_HANDLE.FORMAT", id)
	}
	return nil
}

// Open returns the session, made if it is new, and a function to call when the request is done.
// observed is the server-side id that the client last saw, "" for none.
// Its errors are INVALID_HANDLE.FORMAT, .SESSION_CLOSED and .SESSION_CHANGED.
func (m *Manager) Open(key Key, userName, observed string) (*Session, func(), error) {
	return m.get(key, userName, observed, true)
}

// Find is Open for requests that don't make a session: INVALID_HANDLE.SESSION_NOT_FOUND.
func (m *Manager) Find(key Key, observed string) (*Session, func(), error) {
	return m.get(key, "", observed, false)
}

func (m *Manager) get(key Key, userName, observed string, create bool) (*Session, func(), error) {
	if err := CheckID(key.ID); err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[key]
	switch {
	case ok:
	case m.tombs[key] || m.closed:
		return nil, nil, handleError("INVALID_HANDLE.SESSION_CLOSED", key.ID)
	case observed != "":
		// The client knows a session that this server has never seen.
		return nil, nil, handleError("INVALID_HANDLE.SESSION_CHANGED", key.ID)
	case !create:
		return nil, nil, handleError("INVALID_HANDLE.SESSION_NOT_FOUND", key.ID)
	default:
		c := NewConf(m.opt.Base)
		c.own = m.opt.Own
		s = m.add(key, userName, c)
	}
	if observed != "" && observed != s.ServerID {
		return nil, nil, handleError("INVALID_HANDLE.SESSION_CHANGED", key.ID)
	}
	return s, s.Use(time.Now()), nil
}

// add makes a session; m.mu is held.
func (m *Manager) add(key Key, userName string, conf *Conf) *Session {
	id := uuid.NewString()
	s := &Session{
		Key: key, UserName: userName, ServerID: id, Conf: conf, Started: time.Now(),
		Artifacts: newArtifacts(filepath.Join(m.root, id)),
	}
	s.lastUsed.Store(time.Now().UnixNano())
	m.sessions[key] = s
	return s
}

// Clone copies configuration and artifacts of a session to a new one, whose id is newID, or made up when that is "".
// copyState copies the rest. Errors: INVALID_CLONE_SESSION_REQUEST.*.
func (m *Manager) Clone(ctx context.Context, from *Session, newID string, copyState func(context.Context, *Session, *Session) error) (*Session, error) {
	if newID == "" {
		newID = uuid.NewString()
	} else if CheckID(newID) != nil {
		return nil, errs.New(errs.Session, "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_FORMAT", "targetSessionId", newID)
	}
	key := Key{from.User, newID}
	m.mu.Lock()
	if m.tombs[key] {
		m.mu.Unlock()
		return nil, errs.New(errs.Session, "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_CLOSED", "targetSessionId", newID)
	}
	if m.sessions[key] != nil {
		m.mu.Unlock()
		return nil, errs.New(errs.Session, "INVALID_CLONE_SESSION_REQUEST.TARGET_SESSION_ID_ALREADY_EXISTS", "targetSessionId", newID)
	}
	s := m.add(key, from.UserName, from.Conf.Clone())
	done := s.Use(time.Now())
	m.mu.Unlock()
	defer done()
	err := from.Artifacts.cloneTo(s.Artifacts)
	if err == nil {
		err = copyState(ctx, from, s)
	}
	if err != nil {
		return nil, errors.Join(err, m.close(key, false))
	}
	return s, nil
}

// Close ends a session; closing one that isn't there leaves a tombstone all the same, unless reconnect allows to open it anew.
func (m *Manager) Close(key Key, reconnect bool) error {
	if err := CheckID(key.ID); err != nil {
		return err
	}
	return m.close(key, !reconnect)
}

func (m *Manager) close(key Key, tomb bool) error {
	m.mu.Lock()
	s := m.sessions[key]
	delete(m.sessions, key)
	if tomb && !m.tombs[key] {
		m.tombs[key] = true
		m.order = append(m.order, key)
		if len(m.order) > m.opt.Tombstones {
			delete(m.tombs, m.order[0])
			m.order = m.order[1:]
		}
	}
	m.mu.Unlock()
	if s == nil {
		return nil
	}
	if m.opt.OnClose != nil {
		m.opt.OnClose(s)
	}
	return s.Artifacts.remove()
}

// Expire closes the sessions that nobody has used for Timeout before now.
func (m *Manager) Expire(now time.Time) error {
	if m.opt.Timeout < 0 {
		return nil
	}
	var old []Key
	m.mu.Lock()
	for k, s := range m.sessions {
		if last, idle := s.idleSince(); idle && now.Sub(last) > m.opt.Timeout {
			old = append(old, k)
		}
	}
	m.mu.Unlock()
	var all error
	for _, k := range old {
		all = errors.Join(all, m.close(k, true))
	}
	return all
}

// Sessions returns all open sessions, in no order.
func (m *Manager) Sessions() []*Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := make([]*Session, 0, len(m.sessions))
	for _, s := range m.sessions {
		l = append(l, s)
	}
	return l
}

// Shutdown closes all sessions; none can be opened afterwards.
func (m *Manager) Shutdown() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	var all error
	for _, s := range m.Sessions() {
		all = errors.Join(all, m.close(s.Key, true))
	}
	return errors.Join(all, os.RemoveAll(m.root))
}
