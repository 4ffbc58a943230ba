package sidecar

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/connect/server"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// storedRows are the rows of a plan in blocks, in order, in memory or in one
// unnamed file. They don't change once made.
type storedRows struct {
	types   []*types.Type
	blocks  []block
	rows    int64
	memory  int64
	disk    int64
	held    *mem.Reservation
	file    *os.File
	made    bool // false in EXPLAIN of what nobody has used yet
	holders int  // of cache.mu
}

// block is a batch in the form of vec.AppendBatch: data, or size bytes of the file at off.
type block struct {
	data []byte
	off  int64
	size int64
	rows int
}

func (r *storedRows) close() {
	if r.held != nil {
		r.held.Release()
	}
	if r.file != nil {
		r.file.Close() //nolint:errcheck // it has no name, and nobody reads it any more
	}
	r.blocks = nil
}

func columnsOf(out []*plan.Attr) []physical.Column {
	cols := make([]physical.Column, len(out))
	for i, a := range out {
		cols[i] = physical.Column{ID: a.ID, Name: a.Name, Type: a.T, Null: a.Null}
	}
	return cols
}

// keeper collects the rows of a plan's tasks.
type keeper struct {
	cache *cache
	level server.StorageLevel
	dir   string

	mu      sync.Mutex
	rows    *storedRows
	parts   [][]block
	pending []*pendingBlock
	tooBig  atomic.Bool
}

type pendingBlock struct {
	held []*vec.Batch
	rows int
}

// keep runs a plan and stores its rows. fits is false when the level has no room for them.
func (e *Engine) keep(ctx context.Context, q *server.Query, c *sessionConf, resolved plan.Node, level server.StorageLevel) (rows *storedRows, fits bool, err error) {
	root, err := e.physical(ctx, c, resolved)
	if err != nil {
		return nil, false, err
	}
	k := &keeper{cache: e.cache, level: level, dir: e.conf.LocalDir, rows: &storedRows{types: physical.Types(root.Schema()), holders: 1}}
	e.cache.mu.Lock()
	k.rows.held = e.cache.account.Reserve("cached rows", nil)
	e.cache.mu.Unlock()
	fail := func() {
		e.cache.mu.Lock()
		defer e.cache.mu.Unlock()
		e.cache.release(k.rows)
	}
	p := &payload{consume: k.add, end: k.flush}
	open := func(n int) { k.parts, k.pending = make([][]block, n), make([]*pendingBlock, n) }
	if err := e.job(ctx, q, c, root, p, open, nil); err != nil {
		fail()
		return nil, false, err
	}
	if k.tooBig.Load() {
		fail()
		return nil, false, nil
	}
	for _, part := range k.parts {
		for _, b := range part {
			k.rows.blocks = append(k.rows.blocks, b)
			k.rows.rows += int64(b.rows)
		}
	}
	k.rows.made = true
	return k.rows, true, nil
}

func (k *keeper) add(c *task.Ctx, p int, b *vec.Batch) error {
	if k.tooBig.Load() {
		return nil
	}
	w := k.pending[p]
	if w == nil {
		w = &pendingBlock{}
		k.pending[p] = w
	}
	w.held = append(w.held, b)
	if w.rows += b.N; w.rows < vec.DefaultRows {
		return nil
	}
	return k.flush(c, p)
}

// flush stores what is pending of a partition.
func (k *keeper) flush(c *task.Ctx, p int) error {
	w := k.pending[p]
	if w == nil || w.rows == 0 {
		return nil
	}
	b := w.held[0].Compact()
	if len(w.held) > 1 {
		b = vec.Concat(k.rows.types, w.held)
	}
	k.pending[p] = nil
	data := vec.AppendBatch(vec.Aligned(int(b.LiveSize()) + 64*(len(b.Cols)+1))[:0], b)
	if err := c.Yield(); err != nil {
		return err
	}
	bl := block{size: int64(len(data)), rows: b.N}
	switch {
	case k.level.Memory && k.reserve(int64(cap(data))):
		bl.data = data
	case k.level.Disk:
		off, err := k.space(bl.size)
		if err != nil {
			return err
		}
		bl.off = off
		if err := c.Do(func(context.Context) error {
			_, err := k.rows.file.WriteAt(data, off)
			return err
		}); err != nil {
			return storageFailed(err)
		}
		c.Stats.Spilled.Add(bl.size)
	default:
		k.tooBig.Store(true)
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.parts[p] = append(k.parts[p], bl)
	return nil
}

// reserve takes memory for a block, if the cache may have it.
func (k *keeper) reserve(n int64) bool {
	c := k.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit > 0 && c.memory+n > c.limit || !k.rows.held.Try(n) {
		return false
	}
	c.memory += n
	k.rows.memory += n
	return true
}

// space finds room for a block in the file, which it makes when there is none.
func (k *keeper) space(n int64) (int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.rows.file == nil {
		f, err := os.CreateTemp(k.dir, "neptune-cache-")
		if err != nil {
			return 0, storageFailed(err)
		}
		if err := os.Remove(f.Name()); err != nil {
			f.Close() //nolint:errcheck // the error below says enough
			return 0, storageFailed(err)
		}
		k.rows.file = f
	}
	c := k.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	off := k.rows.disk
	k.rows.disk += n
	c.disk += n
	return off, nil
}

func storageFailed(err error) error {
	return errs.New(errs.Execution, "INTERNAL_ERROR_MEMORY", "message", "Cached rows could not be written to disk or read back: "+err.Error()+".").Because(err)
}

// relation is a relation of the rows with n's columns.
func (r *storedRows) relation(n plan.Node, entry *cached, inner physical.Node) plan.Node {
	src := &cachedSource{rows: r, level: entry.level, inner: inner, table: entry.name}
	return src.relation(n.Output())
}

// cachedSource makes stored rows a source; it implements plan.Source.
type cachedSource struct {
	rows   *storedRows
	schema *types.Type
	level  server.StorageLevel
	table  string
	inner  physical.Node // for EXPLAIN

	checkpoint bool
}

// relation gives the source's columns the ids and names of out. Where names
// are not unique, as sources need them, the columns get others below a projection.
func (s *cachedSource) relation(out []*plan.Attr) plan.Node {
	s.schema = &types.Type{Kind: types.Struct}
	seen := map[string]bool{}
	unique := true
	for _, a := range out {
		unique = unique && !seen[strings.ToLower(a.Name)]
		seen[strings.ToLower(a.Name)] = true
	}
	rel := &plan.Relation{Name: "cached", Handle: s, Out: []*plan.Attr{}}
	var list []plan.Expr
	for i, a := range out {
		b := *a
		if !unique {
			b.Name, b.ID = fmt.Sprintf("%d", i), plan.NewID()
			list = append(list, &plan.Alias{Child: &b, Names: []string{a.Name}, ID: a.ID, Metadata: a.Metadata, Qualifier: a.Qualifier})
		}
		rel.Out = append(rel.Out, &b)
		s.schema.Fields = append(s.schema.Fields, types.Field{Name: b.Name, Type: a.T, Nullable: a.Null})
	}
	if unique {
		return rel
	}
	return &plan.Project{List: list, Child: rel}
}

// Format implements plan.Source.
func (s *cachedSource) Format() string { return "cached" }

// Schema implements plan.Source.
func (s *cachedSource) Schema() *types.Type { return s.schema }

// PartitionColumns implements plan.Source.
func (s *cachedSource) PartitionColumns() int { return 0 }

// Stats implements plan.Source.
func (s *cachedSource) Stats() plan.Stats {
	if !s.rows.made {
		return plan.Stats{Rows: -1, Bytes: -1}
	}
	return plan.Stats{Rows: s.rows.rows, Bytes: s.rows.memory + s.rows.disk}
}

// Canonical tells the rows of one entry from those of others.
func (s *cachedSource) Canonical() string { return fmt.Sprintf("cached(%p)", s.rows) }

// Title is the name of a scan of the rows in EXPLAIN.
func (s *cachedSource) Title() string {
	if s.checkpoint {
		return "Scan ExistingRDD"
	}
	return strings.TrimSpace("InMemoryTableScan " + s.table)
}

// Inner is what EXPLAIN shows below the scan.
func (s *cachedSource) Inner() (string, physical.Node) {
	if s.checkpoint {
		return "", nil
	}
	var where []string
	for _, x := range []struct {
		on   bool
		name string
	}{{s.level.Disk, "disk"}, {s.level.Memory, "memory"}, {s.level.OffHeap, "offheap"}, {s.level.Deserialized, "deserialized"}} {
		if x.on {
			where = append(where, x.name)
		}
	}
	return fmt.Sprintf("StorageLevel(%s, %d replicas)", strings.Join(where, ", "), max(1, s.level.Replication)), s.inner
}

// partitions is how many tasks read the rows.
func (s *cachedSource) partitions(slots int) int {
	bytes := s.rows.memory + s.rows.disk
	n := int(min(bytes/(4<<20), int64(slots)))
	if bytes > 32<<20 {
		n = 2 * slots
	}
	return max(1, min(n, len(s.rows.blocks)))
}

// scan is the operator that reads a task's share of the rows.
func (s *cachedSource) scan(n *physical.Scan, partition, partitions int) (op.Operator, error) {
	all := s.rows.blocks
	from, to := len(all)*partition/max(1, partitions), len(all)*(partition+1)/max(1, partitions)
	sc := &cachedScan{plan: n, rows: s.rows, blocks: all[from:to], left: n.Limit}
	if n.Limit < 0 {
		sc.left = 1<<63 - 1
	}
	for _, c := range n.Cols {
		sc.types = append(sc.types, s.rows.types[c])
	}
	return sc, nil
}

type cachedScan struct {
	plan   *physical.Scan
	rows   *storedRows
	types  []*types.Type
	blocks []block
	preds  []expr.Predicate
	left   int64
	cur    *vec.Batch // not yet handed out
}

func (s *cachedScan) Open(c *task.Ctx) error {
	env := expr.NewEnv(&fn.Conf{TimeZone: c.Conf.TimeZone, ANSI: c.Conf.ANSI, Keys: c.Conf.Keys}, 0, c.Yield)
	for _, f := range s.plan.Filters {
		p, err := expr.CompilePredicate(f, env)
		if err != nil {
			return err
		}
		s.preds = append(s.preds, p)
	}
	return nil
}

// Next implements op.Operator.
func (s *cachedScan) Next(c *task.Ctx) (*vec.Batch, error) {
	limit := vec.DefaultRows
	if c.Conf.BatchRows > 0 {
		limit = c.Conf.BatchRows
	}
	for s.left > 0 {
		if err := c.Yield(); err != nil {
			return nil, err
		}
		if s.cur == nil {
			b, err := s.read(c)
			if err != nil {
				return nil, err
			}
			s.cur = b
		}
		b := s.cur
		if s.cur = nil; b.N > limit {
			s.cur, b = b.Slice(limit, b.N), b.Slice(0, limit)
		}
		for _, p := range s.preds {
			var err error
			if b, err = p.Select(b); err != nil {
				return nil, err
			}
			if b == nil || b.N == 0 {
				break
			}
		}
		if b == nil || b.N == 0 {
			continue
		}
		if int64(b.N) > s.left {
			b = b.Slice(0, int(s.left))
		}
		s.left -= int64(b.N)
		return b, nil
	}
	return nil, io.EOF
}

// read decodes the next block; io.EOF after the last one.
func (s *cachedScan) read(c *task.Ctx) (*vec.Batch, error) {
	if len(s.blocks) == 0 {
		return nil, io.EOF
	}
	bl := s.blocks[0]
	s.blocks = s.blocks[1:]
	data := bl.data
	if data == nil {
		data = vec.Aligned(int(bl.size))
		if err := c.Do(func(context.Context) error {
			_, err := s.rows.file.ReadAt(data, bl.off)
			return err
		}); err != nil {
			return nil, storageFailed(err)
		}
	}
	b, err := vec.DecodeBatch(s.rows.types, data)
	if err != nil {
		return nil, storageFailed(err)
	}
	out := &vec.Batch{N: b.N, Cols: make([]*vec.Vector, len(s.plan.Cols))}
	for i, col := range s.plan.Cols {
		out.Cols[i] = b.Cols[col]
	}
	return out, nil
}

// Close implements op.Operator.
func (s *cachedScan) Close() error {
	s.blocks, s.cur = nil, nil
	return nil
}

// Schema implements op.Operator.
func (s *cachedScan) Schema() []*types.Type { return s.types }

// Inputs implements op.Operator.
func (s *cachedScan) Inputs() []op.Operator { return nil }
