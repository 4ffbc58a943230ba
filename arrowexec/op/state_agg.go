package op

import (
	"context"
	"io"
	"time"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/state"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// StateStats are what one task of a stateful operator did in a micro-batch.
type StateStats struct {
	Name                   string // as Spark's progress reports call the operator
	Total, Bytes           int64  // keys kept, and the memory they take
	Updated, Removed, Late int64  // keys written and evicted; rows dropped for being late
	Update, Evict, Commit  time.Duration
}

// commitState notes the statistics and makes the state durable.
func commitState(c *task.Ctx, store *state.Store, info physical.StateInfo, st StateStats, note func(int, StateStats)) error {
	st.Total, st.Bytes = int64(store.Len()), store.Size()
	st.Updated, st.Removed = store.Changes()
	began := time.Now()
	if err := c.Do(func(context.Context) error { return store.Commit(info.Version + 1) }); err != nil {
		return err
	}
	st.Commit = time.Since(began)
	if note != nil {
		note(info.Operator, st)
	}
	return nil
}

// stateAggregate merges a batch's partial states with those of earlier batches
// (physical.StateAggregate). Late rows are dropped. The new version of the state is durable before the last batch is out.
type stateAggregate struct {
	unary
	node   *physical.StateAggregate
	env    *fn.Env
	aggs   []aggCall
	eval   *aggEval
	keys   []*types.Type
	schema []*types.Type
	core   *aggCore
	store  *state.Store
	held   *mem.Reservation // of store
	out    *aggPart
	at     int
	done   bool
	stats  StateStats
	note   func(int, StateStats)
}

// NewStateAggregate makes the streaming aggregation of in, whose rows are group keys and states.
// note hears what became of the state, if it isn't nil.
func NewStateAggregate(in Operator, n *physical.StateAggregate, env *fn.Env, note func(int, StateStats)) (Operator, error) {
	list := append([]physical.Agg{}, n.Aggs...)
	for i := range list {
		list[i].Mode = physical.Final
	}
	aggs, err := newAggCalls(list)
	if err != nil {
		return nil, err
	}
	eval, err := newAggEval(n.Group, aggs, env)
	if err != nil {
		return nil, err
	}
	s := &stateAggregate{unary: unary{in}, node: n, env: env, aggs: aggs, eval: eval, stats: StateStats{Name: "stateStoreSave"}, note: note}
	for _, k := range n.Group {
		s.keys = append(s.keys, k.Type())
	}
	s.schema = append(s.schema, s.keys...)
	for i := range aggs {
		s.schema = append(s.schema, aggs[i].Call.T)
	}
	switch n.Mode {
	case "append", "update", "complete":
		return s, nil
	}
	return nil, errs.NotSupported("output mode " + n.Mode)
}

func (s *stateAggregate) Schema() []*types.Type { return s.schema }

func (s *stateAggregate) Open(c *task.Ctx) error {
	s.env.Yield = c.Yield
	var err error
	if s.core, err = newAggCore(c, s.env, s.keys, s.aggs); err != nil {
		return err
	}
	s.core.fixed = true // groups are found again by number
	if err := s.input.Open(c); err != nil {
		return err
	}
	s.held = c.Mem.Reserve("state", nil)
	s.store, err = openState(c, s.node.State, s.held)
	return err
}

// openState loads a task's state, and reserves its memory.
func openState(c *task.Ctx, info physical.StateInfo, held *mem.Reservation) (store *state.Store, err error) {
	err = c.Do(func(context.Context) error {
		var err error
		store, err = state.Open(state.Dir(info.Checkpoint, info.Operator, c.Info.Partition), info.Version)
		return err
	})
	if err != nil {
		return nil, err
	}
	return store, held.Resize(store.Memory())
}

func (s *stateAggregate) Close() error {
	s.store, s.out = nil, nil
	if s.held != nil {
		s.held.Release()
		s.held = nil
	}
	var first error
	if s.core != nil {
		first = s.core.close()
		s.core = nil
	}
	if err := s.input.Close(); err != nil {
		return err
	}
	return first
}

func (s *stateAggregate) Next(c *task.Ctx) (*vec.Batch, error) {
	if !s.done {
		if err := s.run(c); err != nil {
			return nil, err
		}
		s.done = true
	}
	if s.out == nil || s.at >= s.out.table.n {
		return nil, io.EOF
	}
	from, to := s.at, min(s.at+batchRows(c.Conf), s.out.table.n)
	s.at = to
	return s.core.output(s.out, from, to)
}

// run does the whole micro-batch but for the output.
func (s *stateAggregate) run(c *task.Ctx) error {
	p := s.core.parts[0]
	for {
		b, err := s.input.Next(c)
		if eof(err) {
			break
		}
		if err != nil {
			return err
		}
		eb, err := s.eval.eval(b)
		if err != nil {
			return err
		}
		if eb = s.onTime(eb); eb.n > 0 {
			if err := s.merge(p, eb); err != nil {
				return err
			}
		}
	}
	touched, began := p.table.n, time.Now()
	names := s.names(p, touched)
	// What earlier batches know of these groups.
	for g := range touched {
		if old := s.store.Get(names[g]); old != nil {
			if err := s.recall(p, old); err != nil {
				return err
			}
		}
		if g%512 == 511 {
			if err := c.Yield(); err != nil {
				return err
			}
		}
	}
	for g := range touched {
		b, err := s.core.states(p, g, g+1)
		if err != nil {
			return err
		}
		row := &vec.Batch{N: 1, Cols: append([]*vec.Vector{}, b.keys...)}
		for _, st := range b.args {
			row.Cols = append(row.Cols, st...)
		}
		s.store.Put(names[g], vec.AppendBatch(nil, row))
		if g%512 == 511 || g == touched-1 {
			if err := s.held.Resize(s.store.Memory()); err != nil {
				return err
			}
			if err := c.Yield(); err != nil {
				return err
			}
		}
	}
	s.out = p
	s.stats.Update, began = time.Since(began), time.Now()
	if err := s.rest(c, p); err != nil {
		return err
	}
	s.stats.Evict = time.Since(began)
	return commitState(c, s.store, s.node.State, s.stats, s.note)
}

// rest evicts what the watermark has passed, and finds the output that isn't the touched groups.
func (s *stateAggregate) rest(c *task.Ctx, p *aggPart) error {
	complete, appends := s.node.Mode == "complete", s.node.Mode == "append"
	evicts := s.node.EventCol >= 0 && !complete
	if !complete && !appends && !evicts {
		return nil
	}
	out, err := s.core.newPart()
	if err != nil {
		return err
	}
	n := 0
	err = s.store.Each(func(k, old []byte) error {
		if n++; n%512 == 0 {
			if err := c.Yield(); err != nil {
				return err
			}
		}
		if complete {
			return s.recall(out, old)
		}
		if !evicts {
			return nil
		}
		row, err := s.decode(old)
		if err != nil {
			return err
		}
		if t, ok := eventTime(row.Cols[s.node.EventCol], 0); !ok || t > s.node.Watermark {
			return nil
		}
		s.store.Remove(k)
		if appends {
			return s.recall(out, old)
		}
		return nil
	})
	if complete || appends {
		s.out = out
	}
	return err
}

func (s *stateAggregate) merge(p *aggPart, b *aggBatch) error {
	hash, err := p.table.hashes(b.keys, b.n)
	if err != nil {
		return err
	}
	if err := s.core.update(p, b, hash, 0, b.n); err != nil {
		return err
	}
	return s.core.mem.Resize(max(s.core.mem.Size(), p.size()))
}

func (s *stateAggregate) recall(p *aggPart, old []byte) error {
	row, err := s.decode(old)
	if err != nil {
		return err
	}
	return s.merge(p, s.core.fromSpill(row))
}

func (s *stateAggregate) decode(old []byte) (*vec.Batch, error) {
	b := vec.Aligned(len(old))
	copy(b, old)
	row, err := vec.DecodeBatch(s.core.spillSchema(), b)
	if err != nil || row.N != 1 {
		e := errs.New(errs.Execution, "CANNOT_LOAD_STATE_STORE.UNCATEGORIZED")
		e.State, e.Text = "58030", "The streaming state was written by an aggregation of other columns; start from a new checkpoint."
		return nil, e.Because(err)
	}
	return row, nil
}

// names are the groups' keys in the store.
func (s *stateAggregate) names(p *aggPart, n int) [][]byte {
	out := make([][]byte, n)
	if len(s.keys) == 0 {
		for i := range out {
			out[i] = []byte("all")
		}
		return out
	}
	keys := vec.EncodeSortKeys(p.table.keyCols(0, n), make([]vec.KeyOrder, len(s.keys)), nil, n)
	for i := range out {
		out[i] = append([]byte{}, keys.Key(i)...)
	}
	return out
}

// onTime drops late rows.
func (s *stateAggregate) onTime(b *aggBatch) *aggBatch {
	if s.node.EventCol < 0 || s.node.Mode == "complete" {
		return b
	}
	var idx []int32
	for i := range b.n {
		if t, ok := eventTime(b.keys[s.node.EventCol], i); !ok || t > s.node.Late {
			idx = append(idx, int32(i))
		}
	}
	if len(idx) == b.n {
		return b
	}
	s.stats.Late += int64(b.n - len(idx))
	out := &aggBatch{n: len(idx), keys: gatherAll(b.keys, idx), keep: b.keep}
	for _, a := range b.args {
		out.args = append(out.args, gatherAll(a, idx))
	}
	return out
}

// stateDedup passes rows whose keys no earlier batch has had.
type stateDedup struct {
	unary
	node  *physical.StateDedup
	store *state.Store
	held  *mem.Reservation // of store
	done  bool
	stats StateStats
	note  func(int, StateStats)
}

// NewStateDedup drops the rows of in whose keys were seen, in this batch or before.
// note hears what became of the state, if it isn't nil.
func NewStateDedup(in Operator, n *physical.StateDedup, note func(int, StateStats)) Operator {
	return &stateDedup{unary: unary{in}, node: n, stats: StateStats{Name: "dedupe"}, note: note}
}

func (s *stateDedup) Schema() []*types.Type { return s.input.Schema() }

func (s *stateDedup) Close() error {
	s.store = nil
	if s.held != nil {
		s.held.Release()
		s.held = nil
	}
	return s.input.Close()
}

func (s *stateDedup) Open(c *task.Ctx) error {
	if err := s.input.Open(c); err != nil {
		return err
	}
	s.held = c.Mem.Reserve("state", nil)
	var err error
	s.store, err = openState(c, s.node.State, s.held)
	return err
}

func (s *stateDedup) Next(c *task.Ctx) (*vec.Batch, error) {
	for !s.done {
		b, err := s.input.Next(c)
		if eof(err) {
			s.done = true
			return nil, s.commit(c)
		}
		if err != nil {
			return nil, err
		}
		d := b.Compact()
		var cols []*vec.Vector
		for _, k := range s.node.Keys {
			cols = append(cols, normalFloats(d.Cols[k]))
		}
		keys := vec.EncodeSortKeys(cols, make([]vec.KeyOrder, len(cols)), nil, d.N)
		var sel []int32
		for i := range d.N {
			var stamp []byte // the event time, for eviction
			if s.node.EventCol >= 0 {
				if t, ok := eventTime(d.Cols[s.node.EventCol], i); ok {
					if t <= s.node.Late {
						s.stats.Late++
						continue
					}
					for k := range 8 {
						stamp = append(stamp, byte(t>>(8*k)))
					}
				}
			}
			if k := keys.Key(i); s.store.Get(k) == nil {
				s.store.Put(k, stamp)
				sel = append(sel, int32(i))
			}
		}
		if err := s.held.Resize(s.store.Memory()); err != nil {
			return nil, err
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
		if len(sel) > 0 {
			return &vec.Batch{N: len(sel), Cols: d.Cols, Sel: sel}, nil
		}
	}
	return nil, io.EOF
}

// commit evicts the keys that the watermark has passed, and makes the state durable.
func (s *stateDedup) commit(c *task.Ctx) error {
	began, n := time.Now(), 0
	err := s.store.Each(func(k, v []byte) error {
		if n++; n%512 == 0 {
			if err := c.Yield(); err != nil {
				return err
			}
		}
		if len(v) == 8 {
			var t int64
			for i := range 8 {
				t |= int64(v[i]) << (8 * i)
			}
			if t <= s.node.Watermark {
				s.store.Remove(k)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.stats.Evict = time.Since(began)
	if err := commitState(c, s.store, s.node.State, s.stats, s.note); err != nil {
		return err
	}
	return io.EOF
}
