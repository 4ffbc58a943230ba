package shuffle

import (
	"io"
	"slices"
	"sync"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// Local is the exchange inside a process. It is safe for concurrent use.
type Local struct {
	mu      sync.Mutex
	pool    *mem.Pool
	account *mem.Account
	queries map[string]*query
}

type query struct {
	mem       *mem.Reservation
	exchanges map[*physical.Exchange]*exchange
}

// exchange is what the writers of one Exchange have committed.
type exchange struct {
	parts   int
	writers map[int]*output
	shared  map[string]*shared
	bounds  [][]byte // of RangeBy, once a reader asked
	tables  int64    // reserved for shared
	spent   bool     // all readers are done, and the rows are gone
}

// output is the rows of one writer, by partition.
type output struct {
	parts []*block
	bytes int64   // reserved
	sizes []int64 // bytes of each partition, in memory or on disk
	keys  sample
	of    int  // writers in all, 0: not known
	pins  int  // readers in other processes that are being served
	dead  bool // to be dropped when pins is 0
}

// sample is what a writer of a RangeBy exchange saw of its keys.
type sample struct {
	Parts int // that the rows are dealt to
	Seen  int64
	Keys  [][]byte
}

// block is the rows of one writer for one partition: those in memory first.
type block struct {
	held []*vec.Batch
	file *op.Spill
}

type shared struct {
	done  chan struct{}
	value any
	ok    bool
}

// NewLocal returns an exchange whose memory is pool's.
func NewLocal(pool *mem.Pool) *Local {
	return &Local{pool: pool, account: pool.NewService("exchanges"), queries: map[string]*query{}}
}

var _ Service = (*Local)(nil)

// find returns the state of an exchange, made if need be. mu is held.
func (l *Local) find(name string, x *physical.Exchange) (*query, *exchange) {
	q := l.queries[name]
	if q == nil {
		q = &query{mem: l.account.Reserve("shuffle "+name, nil), exchanges: map[*physical.Exchange]*exchange{}}
		l.queries[name] = q
	}
	e := q.exchanges[x]
	if e == nil {
		e = &exchange{parts: 1, writers: map[int]*output{}, shared: map[string]*shared{}}
		q.exchanges[x] = e
	}
	return q, e
}

// reserve takes memory for a query if the pool has it.
func (l *Local) reserve(name string, x *physical.Exchange, n int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	q, _ := l.find(name, x)
	// Half of the pool is left to operators: rows here stay until the query
	// ends, and no operator can make them go to disk.
	if limit := l.pool.Limit(); limit > 0 && l.account.Used()+n > limit/2 {
		return false
	}
	return q.mem.Try(n)
}

// drop closes files and gives memory back. mu is held; the query may be gone.
func (l *Local) drop(name string, o *output) error {
	var first error
	if q := l.queries[name]; q != nil && o.bytes > 0 {
		first = q.mem.Resize(max(0, q.mem.Size()-o.bytes))
	}
	o.bytes = 0
	if o.pins > 0 {
		o.dead = true
		return first
	}
	for _, b := range o.parts {
		if b == nil {
			continue
		}
		if err := b.file.Close(); err != nil && first == nil {
			first = err
		}
	}
	o.parts = nil
	return first
}

// Spent gives back what an exchange holds: all stages that read it have ended.
// Calls come while other stages of the query run.
func (l *Local) Spent(name string, x *physical.Exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queries[name]
	if q == nil || q.exchanges[x] == nil {
		return
	}
	e := q.exchanges[x]
	for _, o := range e.writers {
		_ = l.drop(name, o)
	}
	q.mem.Try(-min(e.tables, q.mem.Size()))
	*e = exchange{parts: e.parts, spent: true}
}

// Sizes returns how many bytes a writer committed for each partition, nil if it
// hasn't: what stages that have ended tell those that are planned next.
func (l *Local) Sizes(name string, x *physical.Exchange, writer int) []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queries[name]
	if q == nil || q.exchanges[x] == nil || q.exchanges[x].writers[writer] == nil {
		return nil
	}
	return slices.Clone(q.exchanges[x].writers[writer].sizes)
}

// Release implements Service.
func (l *Local) Release(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := l.queries[name]
	if q == nil {
		return
	}
	for _, e := range q.exchanges {
		for _, o := range e.writers {
			_ = l.drop(name, o) // a temporary file without a name: nothing is left to tell of
		}
	}
	q.mem.Release()
	delete(l.queries, name)
}

// Reader implements op.Exchanges.
func (l *Local) Reader(c *task.Conf, name string, x *physical.Exchange, piece physical.Piece) (op.Operator, error) {
	piece, err := pieceOf(x, piece)
	if err != nil {
		return nil, err
	}
	r := reader{l: l, query: name, x: x, piece: piece, schema: physical.Types(x.Schema())}
	if x.Merge || x.Kind == physical.RangeBy {
		keys, order, err := op.CompileOrder(x.Order, op.NewEnv(c, piece.From))
		if err != nil {
			return nil, err
		}
		if x.Kind == physical.RangeBy {
			r.keys, r.order = keys, order
			return &r, nil
		}
		l.mu.Lock()
		_, e := l.find(name, x)
		ids := e.ids()
		l.mu.Unlock()
		var inputs []op.Operator
		for _, w := range ids {
			one := r
			one.piece.Writer, one.piece.EndWriter = w, w+1
			inputs = append(inputs, &one)
		}
		if len(inputs) > 0 {
			return op.NewMerge(inputs, keys, order), nil
		}
	}
	return &r, nil
}

// pieceOf checks a piece. Single and broadcast exchanges are read whole.
func pieceOf(x *physical.Exchange, p physical.Piece) (physical.Piece, error) {
	if x.Kind == physical.Single || x.Kind == physical.Broadcast {
		return physical.One(0), nil
	}
	if p.From < 0 || p.To <= p.From || p.Writer < 0 || p.EndWriter != 0 && p.EndWriter <= p.Writer || p.EndWriter != 0 && x.Kind == physical.RangeBy {
		return p, errs.Internalf("a piece %v of an exchange", p)
	}
	return p, nil
}

// within reports whether a piece has the rows of a writer.
func within(p physical.Piece, writer int) bool {
	return p.EndWriter == 0 || writer >= p.Writer && writer < p.EndWriter
}

// blocksOf are the rows of a piece that a writer dealt; of a RangeBy exchange, all of the writer's.
func (o *output) blocksOf(p physical.Piece, ranged bool) (out []*block) {
	if ranged {
		p = physical.One(0)
	}
	for i := p.From; i < min(p.To, len(o.parts)); i++ {
		if o.parts[i] != nil {
			out = append(out, o.parts[i])
		}
	}
	return out
}

func (e *exchange) ids() []int {
	var ids []int
	for w := range e.writers {
		ids = append(ids, w)
	}
	slices.Sort(ids)
	return ids
}

// Shared implements op.Exchanges.
func (l *Local) Shared(c *task.Ctx, name string, x *physical.Exchange, what string, build func(*task.Ctx) (any, int64, error)) (any, error) {
	for {
		l.mu.Lock()
		_, e := l.find(name, x)
		s := e.shared[what]
		if s == nil {
			s = &shared{done: make(chan struct{})}
			e.shared[what] = s
			l.mu.Unlock()
			return l.buildShared(c, name, x, what, e, s, build)
		}
		l.mu.Unlock()
		if err := c.Await(s.done); err != nil {
			return nil, err
		}
		if s.ok {
			return s.value, nil
		} // its builder failed or was killed: try it here
	}
}

func (l *Local) buildShared(c *task.Ctx, name string, x *physical.Exchange, what string, e *exchange, s *shared, build func(*task.Ctx) (any, int64, error)) (any, error) {
	defer func() {
		l.mu.Lock()
		if !s.ok {
			delete(e.shared, what)
		}
		l.mu.Unlock()
		close(s.done)
	}()
	v, size, err := build(c)
	if err != nil {
		return nil, err
	}
	if !l.reserve(name, x, size) {
		return nil, errs.New(errs.OutOfMemory, "INTERNAL_ERROR_MEMORY", "message", "The broadcast side of a join doesn't fit in memory. Lower spark.sql.autoBroadcastJoinThreshold, or raise the server's memory limit.")
	}
	s.value, s.ok = v, true
	l.mu.Lock()
	e.tables += size
	l.mu.Unlock()
	return v, nil
}

// reader emits the rows of a piece, writer by writer.
type reader struct {
	l      *Local
	query  string
	x      *physical.Exchange
	piece  physical.Piece
	schema []*types.Type
	keys   []expr.Evaluator // of RangeBy
	order  []vec.KeyOrder

	blocks []*block
	bounds [][]byte
	at     int // block
	held   int // batch in it
	file   *op.SpillReader
	rest   *vec.Batch // not emitted yet
	open   bool
	remote *fetch // where the rows come from, when not all are in this process
}

func (r *reader) Schema() []*types.Type { return r.schema }

func (r *reader) Inputs() []op.Operator { return nil }

func (r *reader) Open(c *task.Ctx) error {
	if r.remote != nil {
		if err := r.remote.start(c, r); err != nil {
			return err
		}
	}
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	_, e := r.l.find(r.query, r.x)
	if e.spent && r.remote == nil {
		return errs.Internalf("an exchange is read after its last reader ended")
	}
	if r.keys != nil {
		if r.remote == nil {
			if e.bounds == nil {
				e.bounds = rangeBounds(e.samples())
			}
			r.bounds = e.bounds
		}
	}
	if r.remote != nil {
		r.open = true
		return nil
	}
	for _, w := range e.ids() {
		if within(r.piece, w) {
			r.blocks = append(r.blocks, e.writers[w].blocksOf(r.piece, r.keys != nil)...)
		}
	}
	r.open = true
	return nil
}

func (r *reader) Next(c *task.Ctx) (*vec.Batch, error) {
	size := vec.DefaultRows
	if c.Conf != nil && c.Conf.BatchRows > 0 {
		size = c.Conf.BatchRows
	}
	for {
		if b := r.rest; b != nil {
			r.rest = nil
			if b.N > size {
				r.rest = b.Slice(size, b.N)
				b = b.Slice(0, size)
			}
			return b, c.Yield()
		}
		b, err := r.block(c)
		if err != nil {
			return nil, err
		}
		if r.keys != nil {
			if b, err = r.inRange(b); err != nil {
				return nil, err
			}
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
		if b.N > 0 {
			r.rest = b
		}
	}
}

// block returns the next batch that was written.
func (r *reader) block(c *task.Ctx) (*vec.Batch, error) {
	if r.remote != nil {
		return r.remote.next(c)
	}
	for r.at < len(r.blocks) {
		k := r.blocks[r.at]
		if r.held < len(k.held) {
			r.held++
			return k.held[r.held-1], nil
		}
		if k.file != nil {
			if r.file == nil {
				r.file = k.file.Reader()
			}
			b, err := r.file.Next(c)
			if err != io.EOF {
				return b, err
			}
		}
		r.at, r.held, r.file = r.at+1, 0, nil
	}
	return nil, io.EOF
}

func (r *reader) Close() error {
	if r.remote != nil {
		r.remote.close()
	}
	r.blocks, r.rest, r.file = nil, nil, nil
	return nil
}
