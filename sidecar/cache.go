package sidecar

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"neptune/arrowexec/datasource"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/internal/errs"
	"neptune/internal/obs"
	"neptune/internal/plan"
)

// cache keeps the rows of plans that sessions asked to keep (persist, CACHE
// TABLE). An entry is found again by its analyzed plan, wherever that is part of
// another plan of the session; its rows are made at its first use.
//
// Rows lie in memory, within half of the pool, and on disk beyond it, unless
// the storage level says otherwise. A level without disk whose rows don't fit
// is computed anew at each use, as Spark does.
type cache struct {
	account *mem.Account
	limit   int64 // bytes in memory, 0: no bound

	mu      sync.Mutex
	entries map[session.Key][]*cached
	memory  int64
	disk    int64
}

// cached is one entry.
type cached struct {
	canonical string
	source    plan.Node // analyzed, for what it reads
	level     server.StorageLevel
	name      string // of CACHE TABLE

	filling chan struct{} // holds one token: filling takes it
	// Of cache.mu:
	rows    *storedRows
	tooBig  bool
	version int // counts invalidations: rows made before one aren't kept
}

func newCache(pool *mem.Pool, m *obs.Metrics) *cache {
	c := &cache{account: pool.NewService("cache"), limit: pool.Limit() / 2, entries: map[session.Key][]*cached{}}
	locked := func(f func() float64) func() float64 {
		return func() float64 {
			c.mu.Lock()
			defer c.mu.Unlock()
			return f()
		}
	}
	m.Gauge("cache_memory_bytes", "Cached rows in memory.", locked(func() float64 { return float64(c.memory) }))
	m.Gauge("cache_disk_bytes", "Cached rows on disk.", locked(func() float64 { return float64(c.disk) }))
	m.Gauge("cache_entries", "Plans that sessions keep cached.", locked(func() float64 {
		n := 0
		for _, l := range c.entries {
			n += len(l)
		}
		return float64(n)
	}))
	return c
}

// find returns the session's entry of a plan; c.mu is held.
func (c *cache) find(k session.Key, canonical string) *cached {
	for _, e := range c.entries[k] {
		if e.canonical == canonical {
			return e
		}
	}
	return nil
}

// add makes an entry unless there is one.
func (c *cache) add(k session.Key, n plan.Node, level server.StorageLevel, name string) *cached {
	canonical := plan.Canonical(n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.find(k, canonical); e != nil {
		return e
	}
	e := &cached{canonical: canonical, source: n, level: level, name: name, filling: make(chan struct{}, 1)}
	c.entries[k] = append(c.entries[k], e)
	return e
}

// remove forgets the entries that drop picks.
func (c *cache) remove(k session.Key, drop func(*cached) bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := false
	c.entries[k] = slices.DeleteFunc(c.entries[k], func(e *cached) bool {
		if !drop(e) {
			return false
		}
		found = true
		c.clear(e)
		return true
	})
	if len(c.entries[k]) == 0 {
		delete(c.entries, k)
	}
	return found
}

// clear gives an entry's rows back: the next use makes them anew. c.mu is held.
func (c *cache) clear(e *cached) {
	e.version++
	e.tooBig = false
	if e.rows != nil {
		c.release(e.rows)
		e.rows = nil
	}
}

// release drops one holder of rows; c.mu is held.
func (c *cache) release(r *storedRows) {
	if r.holders--; r.holders > 0 {
		return
	}
	c.memory -= r.memory
	c.disk -= r.disk
	r.close()
}

// changed makes all sessions forget rows that were read from a path.
func (c *cache) changed(path string) {
	if p, err := datasource.LocalPath(path); err == nil {
		path = p
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.entries {
		for _, e := range l {
			if reads(e.source, path) {
				c.clear(e)
			}
		}
	}
}

// reads reports whether a plan reads files at, below or above path.
func reads(n plan.Node, path string) (found bool) {
	plan.WalkNodes(n, func(n plan.Node) bool {
		if r, ok := n.(*plan.Relation); ok {
			if f, ok := r.Handle.(*datasource.Files); ok && f.Reads(path) {
				found = true
			}
		}
		return !found
	})
	return found
}

// contains reports whether a plan has a part that reads the same as canonical.
func contains(n plan.Node, canonical string) (found bool) {
	plan.WalkNodes(n, func(n plan.Node) bool {
		found = found || plan.Canonical(n) == canonical
		return !found
	})
	return found
}

// use is what a query has taken from the cache.
type use struct {
	cache *cache
	held  []*storedRows
}

func (u *use) done() {
	u.cache.mu.Lock()
	defer u.cache.mu.Unlock()
	for _, r := range u.held {
		u.cache.release(r)
	}
	u.held = nil
}

// withCache puts the session's cached rows in the place of the parts of a plan
// that they are the rows of, making them if need be. done must be called when
// the query has ended. With peek, nothing is made: that is for EXPLAIN.
func (e *Engine) withCache(ctx context.Context, q *server.Query, c *sessionConf, n plan.Node, peek bool) (out plan.Node, done func(), err error) {
	u := &use{cache: e.cache}
	k := q.Session.Key
	e.cache.mu.Lock()
	any := len(e.cache.entries[k]) > 0
	e.cache.mu.Unlock()
	u.hold(n)
	if any {
		if n, err = e.replace(ctx, q, c, n, u, peek, false); err != nil {
			u.done()
			return nil, func() {}, err
		}
	}
	return n, u.done, nil
}

// hold keeps the rows of checkpoints that a plan reads.
func (u *use) hold(n plan.Node) {
	plan.WalkNodes(n, func(n plan.Node) bool {
		if r, ok := n.(*plan.Relation); ok {
			if s, ok := r.Handle.(*cachedSource); ok {
				u.cache.mu.Lock()
				if s.rows.holders > 0 {
					s.rows.holders++
					u.held = append(u.held, s.rows)
				}
				u.cache.mu.Unlock()
			}
		}
		return true
	})
}

// replace goes from the root down, so that the largest cached part is taken. below says that n itself is not to be replaced.
func (e *Engine) replace(ctx context.Context, q *server.Query, c *sessionConf, n plan.Node, u *use, peek, below bool) (plan.Node, error) {
	if !below {
		switch n.(type) {
		case *plan.Command, *plan.Write, *plan.Hint, *plan.SubqueryAlias:
		default:
			canonical := plan.Canonical(n)
			e.cache.mu.Lock()
			entry := e.cache.find(q.Session.Key, canonical)
			e.cache.mu.Unlock()
			if entry != nil {
				return e.cachedRows(ctx, q, c, entry, n, u, peek)
			}
		}
	}
	kids := n.Children()
	var fresh []plan.Node
	for i, k := range kids {
		r, err := e.replace(ctx, q, c, k, u, peek, false)
		if err != nil {
			return nil, err
		}
		if r != k && fresh == nil {
			fresh = slices.Clone(kids)
		}
		if fresh != nil {
			fresh[i] = r
		}
	}
	if fresh != nil {
		n = n.WithChildren(fresh)
	}
	return plan.TransformExprs(n, func(x plan.Expr) (plan.Expr, error) {
		s, ok := x.(*plan.Subquery)
		if !ok || s.Plan == nil {
			return x, nil
		}
		inner, err := e.replace(ctx, q, c, s.Plan, u, peek, false)
		if err != nil || inner == s.Plan {
			return x, err
		}
		with := *s
		with.Plan = inner
		return &with, nil
	})
}

// cachedRows is the relation of an entry's rows, or n where they don't fit.
func (e *Engine) cachedRows(ctx context.Context, q *server.Query, c *sessionConf, entry *cached, n plan.Node, u *use, peek bool) (plan.Node, error) {
	for {
		e.cache.mu.Lock()
		rows, tooBig, version := entry.rows, entry.tooBig, entry.version
		if rows != nil {
			rows.holders++
			u.held = append(u.held, rows)
		}
		e.cache.mu.Unlock()
		switch {
		case rows != nil:
			return rows.relation(n, entry, e.inner(ctx, c, n, peek)), nil
		case tooBig:
			return e.replace(ctx, q, c, n, u, peek, true)
		case peek:
			return (&storedRows{types: physical.Types(columnsOf(n.Output()))}).relation(n, entry, e.inner(ctx, c, n, true)), nil
		}
		select {
		case entry.filling <- struct{}{}:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		err := e.fill(ctx, q, c, entry, n, version)
		<-entry.filling
		if err != nil {
			return nil, err
		}
	}
}

// inner is the physical plan below cached rows, for EXPLAIN only.
func (e *Engine) inner(ctx context.Context, c *sessionConf, n plan.Node, wanted bool) physical.Node {
	if !wanted {
		return nil
	}
	root, err := e.physical(ctx, c, n)
	if err != nil {
		return nil // the query itself says why, when it runs
	}
	return root
}

// fill makes an entry's rows, unless somebody did so meanwhile.
func (e *Engine) fill(ctx context.Context, q *server.Query, c *sessionConf, entry *cached, n plan.Node, version int) error {
	e.cache.mu.Lock()
	have := entry.rows != nil || entry.tooBig
	e.cache.mu.Unlock()
	if have {
		return nil
	}
	u := &use{cache: e.cache}
	defer u.done()
	inner, err := e.replace(ctx, q, c, n, u, false, true)
	if err != nil {
		return err
	}
	rows, fits, err := e.keep(ctx, q, c, inner, entry.level)
	if err != nil {
		return err
	}
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	if !fits {
		entry.tooBig = true
		return nil
	}
	if entry.version != version || e.cache.find(q.Session.Key, entry.canonical) != entry {
		// The source changed, or the entry was dropped, while the rows were made: this query may use them, nobody else.
		e.cache.release(rows)
		if e.cache.find(q.Session.Key, entry.canonical) != entry {
			entry.tooBig = true
		}
		return nil
	}
	entry.rows = rows
	return nil
}

// Persist implements server.Engine. A plan that is cached already stays as it is.
func (e *Engine) Persist(ctx context.Context, s *session.Session, n plan.Node, level server.StorageLevel) error {
	resolved, err := e.Analyze(ctx, s, n)
	if err != nil {
		return err
	}
	e.cache.add(s.Key, resolved, level, "")
	return nil
}

// Unpersist implements server.Engine. Other cached plans that contain this one stay.
func (e *Engine) Unpersist(ctx context.Context, s *session.Session, n plan.Node, _ bool) error {
	resolved, err := e.Analyze(ctx, s, n)
	if err != nil {
		return err
	}
	canonical := plan.Canonical(resolved)
	e.cache.remove(s.Key, func(x *cached) bool { return x.canonical == canonical })
	return nil
}

// StorageLevel implements server.Engine.
func (e *Engine) StorageLevel(ctx context.Context, s *session.Session, n plan.Node) (server.StorageLevel, error) {
	resolved, err := e.Analyze(ctx, s, n)
	if err != nil {
		return server.StorageLevel{}, err
	}
	canonical := plan.Canonical(resolved)
	e.cache.mu.Lock()
	defer e.cache.mu.Unlock()
	if x := e.cache.find(s.Key, canonical); x != nil {
		return x.level, nil
	}
	return server.StorageLevel{}, nil
}

// cacheTables carries out CACHE, UNCACHE and REFRESH for one query.
type cacheTables struct {
	engine *Engine
	query  *server.Query
	conf   *sessionConf
}

// Cache implements analyze.CacheManager.
func (t *cacheTables) Cache(ctx context.Context, name []string, n plan.Node, lazy bool, options map[string]string) error {
	level := server.StorageLevel{Disk: true, Memory: true, Deserialized: true, Replication: 1}
	for k, v := range options {
		if !strings.EqualFold(k, "storageLevel") {
			continue // as in Spark: only a warning in its log
		}
		l, ok := levels[strings.ToUpper(v)]
		if !ok {
			e := errs.New(errs.IllegalArgument, "")
			e.Text = fmt.Sprintf("Invalid StorageLevel: %s", v)
			return e
		}
		level = l
	}
	t.engine.cache.add(t.query.Session.Key, n, level, strings.Join(name, "."))
	if lazy {
		return nil
	}
	_, done, err := t.engine.withCache(ctx, t.query, t.conf, n, false)
	done()
	return err
}

// levels are the storage levels by name.
var levels = map[string]server.StorageLevel{
	"NONE":                  {Replication: 1},
	"DISK_ONLY":             {Disk: true, Replication: 1},
	"DISK_ONLY_2":           {Disk: true, Replication: 2},
	"DISK_ONLY_3":           {Disk: true, Replication: 3},
	"MEMORY_ONLY":           {Memory: true, Deserialized: true, Replication: 1},
	"MEMORY_ONLY_2":         {Memory: true, Deserialized: true, Replication: 2},
	"MEMORY_ONLY_SER":       {Memory: true, Replication: 1},
	"MEMORY_ONLY_SER_2":     {Memory: true, Replication: 2},
	"MEMORY_AND_DISK":       {Disk: true, Memory: true, Deserialized: true, Replication: 1},
	"MEMORY_AND_DISK_2":     {Disk: true, Memory: true, Deserialized: true, Replication: 2},
	"MEMORY_AND_DISK_SER":   {Disk: true, Memory: true, Replication: 1},
	"MEMORY_AND_DISK_SER_2": {Disk: true, Memory: true, Replication: 2},
	"OFF_HEAP":              {Disk: true, Memory: true, OffHeap: true, Replication: 1},
}

// Uncache implements analyze.CacheManager. What was made of a table goes with it; what was made of a view stays.
func (t *cacheTables) Uncache(_ context.Context, n plan.Node, cascade bool) (bool, error) {
	canonical := plan.Canonical(n)
	return t.engine.cache.remove(t.query.Session.Key, func(x *cached) bool {
		return x.canonical == canonical || cascade && contains(x.source, canonical)
	}), nil
}

// Cached implements analyze.CacheManager.
func (t *cacheTables) Cached(_ context.Context, n plan.Node) bool {
	canonical := plan.Canonical(n)
	t.engine.cache.mu.Lock()
	defer t.engine.cache.mu.Unlock()
	return t.engine.cache.find(t.query.Session.Key, canonical) != nil
}

// Clear implements analyze.CacheManager.
func (t *cacheTables) Clear(context.Context) error {
	t.engine.cache.remove(t.query.Session.Key, func(*cached) bool { return true })
	return nil
}

// Refresh implements analyze.CacheManager: rows that contain n's are made anew at their next use.
func (t *cacheTables) Refresh(_ context.Context, n plan.Node) error {
	canonical := plan.Canonical(n)
	c := t.engine.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.entries[t.query.Session.Key] {
		if x.canonical == canonical || contains(x.source, canonical) {
			c.clear(x)
		}
	}
	return nil
}

// RefreshPath implements analyze.CacheManager.
func (t *cacheTables) RefreshPath(_ context.Context, path string) error {
	t.engine.cache.changed(path)
	return nil
}
