package datasource

import (
	"context"
	"errors"
	"os"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// group reads a row group.
type group struct {
	s       *scan
	left    int
	bytes   *chunks
	cols    []column      // nil where the next two say what the column is
	whole   []*vec.Vector // decoded at once
	fixed   []any         // partition values
	missing []bool
	pos     []int                  // rows passed, of whole
	tables  map[*condition][]uint8 // see table
	index   int                    // which column has the rows' numbers, from 1; 0: none
	first   int64                  // the number of the first row
}

// chunks are the stored bytes of the columns of one unit, and the reading of them.
type chunks struct {
	unit  unit
	info  fileInfo
	ft    *footer
	loads []load
	size  int64
	set   readSettings
	bufs  [][]byte
	err   error // of reading ahead
}

// ahead are the next units, whose bytes are being read.
type ahead struct {
	units  []*chunks
	done   chan struct{}
	cancel context.CancelFunc
}

// load is a column to be read; leaf is -1 where the general reader does it, by plan and from parts.
type load struct {
	col, leaf int
	pages     []chunkPage // with kept: nothing need be read
	kept      [][]byte
	plan      *readNode
	parts     []part
}

const (
	// aheadMost is the greatest size of chunks that are read ahead.
	aheadMost = 16 << 20
	// Small units are read ahead together, up to this size and this many: to wait for each would take longer than to read it.
	aheadTogether = 256 << 10
	aheadUnits    = 64
)

// stop ends reading ahead.
func (a *ahead) stop() {
	if a != nil {
		a.cancel()
		<-a.done
	}
}

// size is what the units take.
func (a *ahead) size() (n int64) {
	if a != nil {
		for _, r := range a.units {
			n += r.size
		}
	}
	return n
}

// unread says of each column that is in no file what it is, and which has the rows' numbers.
func (g *group) unread(ft *footer, u unit) {
	files := g.s.files
	for i, col := range g.s.plan.Cols {
		if col > 0 && col == files.rowIndex {
			g.index, g.first = i+1, 0
			for before := range u.rowGroup {
				g.first += ft.meta.RowGroup(before).NumRows()
			}
		} else if k := col - len(files.data.Fields); k >= 0 {
			g.fixed[i] = files.values[u.file][k]
		} else if f, err := ft.find(&files.data.Fields[col], files.reads); err == nil && f < 0 {
			if col < len(files.absent) {
				g.fixed[i] = files.absent[col]
			}
			g.missing[i] = g.fixed[i] == nil
		}
	}
}

// chunksOf finds what has to be read of a unit.
func (s *scan) chunksOf(c *task.Ctx, u unit) (*chunks, error) {
	r := &chunks{unit: u, info: s.files.files[u.file], bufs: make([][]byte, len(s.types))}
	var err error
	if r.ft, err = scannedFooter(r.info); err != nil {
		return nil, err
	}
	r.set = r.ft.settings(s.files.reads)
	if s.numbered && !r.ft.ids && !r.set.idsMissing {
		return nil, r.named(errNoIDs)
	}
	for i, col := range s.plan.Cols {
		if col >= len(s.files.data.Fields) || col > 0 && col == s.files.rowIndex {
			continue
		}
		f, err := r.ft.find(&s.files.data.Fields[col], r.set)
		if err != nil {
			return nil, r.named(err)
		}
		if f < 0 {
			continue
		}
		l := load{col: i, leaf: -1}
		if leaves := r.ft.leaves[f]; len(leaves) == 1 {
			cc, err := r.ft.chunk(u.rowGroup, leaves[0])
			if err != nil {
				return nil, err
			}
			if _, flat := r.ft.meta.Schema.Root().Field(f).(*schema.PrimitiveNode); flat && s.reader(c, i, r.ft.meta.Schema.Column(leaves[0]), r.set) != nil && ownEncodings(cc) {
				l.leaf = leaves[0]
				if p := r.ft.pagesOf(u.rowGroup, l.leaf).Load(); p != nil {
					l.pages = *p
					l.kept = inflated.all(r.ft, l.pages)
				}
				if l.kept == nil {
					r.size += cc.TotalCompressedSize()
				}
			}
		}
		if l.leaf < 0 {
			if l.plan, err = planNested(r.ft, f, s.types[i], r.set); err != nil { // it may be of another type
				return nil, r.named(err)
			}
			for _, leaf := range l.plan.leaves(nil) {
				cc, err := r.ft.chunk(u.rowGroup, leaf)
				if err != nil {
					return nil, err
				}
				l.parts = append(l.parts, part{leaf: leaf})
				r.size += cc.TotalCompressedSize()
			}
		}
		r.loads = append(r.loads, l)
	}
	for _, l := range r.loads { // memory of a group that has been read
		if l.kept != nil {
			continue
		}
		if k := len(s.spare[l.col]) - 1; k >= 0 {
			r.bufs[l.col] = s.spare[l.col][k]
			s.spare[l.col] = s.spare[l.col][:k]
		}
	}
	return r, nil
}

var errNoIDs = &unreadable{errors.New("columns of the schema have field ids, those of the file have none (spark.sql.parquet.fieldId.read.ignoreMissing reads them as nulls)")}

// named says which file a column can't be read of.
func (r *chunks) named(err error) error {
	var u *unreadable
	if errors.As(err, &u) {
		return errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+r.info.path).Because(u.cause)
	}
	var m *mismatch
	if !errors.As(err, &m) {
		return err
	}
	return errs.New(errs.Execution, "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "path", "file://"+r.info.path, "column", m.column, "expectedType", m.expected, "actualType", m.actual).Because(err)
}

// reader is what decodes output column i from leaf, nil if only the general reader can. It is kept from one row group to the
// next, in other files too where they say the same of the leaf: for small files making it would be most of the work.
func (s *scan) reader(c *task.Ctx, i int, leaf *schema.Column, set readSettings) column {
	if s.readers == nil {
		s.readers = make([]reader, len(s.types))
	}
	r := &s.readers[i]
	if r.leaf == nil || r.leaf != leaf && !sameLeaf(r.leaf, leaf) || r.set != set {
		r.column = newColumn(leaf, s.types[i], set, s.pool, c.Yield)
	}
	r.leaf, r.set = leaf, set
	return r.column
}

// sameLeaf reports whether values of both leaves are decoded in the same way.
func sameLeaf(a, b *schema.Column) bool {
	return a.PhysicalType() == b.PhysicalType() && a.TypeLength() == b.TypeLength() && a.MaxDefinitionLevel() == b.MaxDefinitionLevel() &&
		a.MaxRepetitionLevel() == b.MaxRepetitionLevel() && a.LogicalType().Equals(b.LogicalType())
}

// togetherMost is how much of a file is read at once where its chunks lie near
// each other: for a small file the calls are what takes the time.
const togetherMost = 64 << 10

var togetherBytes = sync.Pool{New: func() any { return new([togetherMost]byte) }}

// read reads the bytes. It blocks.
func (r *chunks) read(ctx context.Context) error {
	fh, err := os.Open(r.info.path)
	if err != nil {
		return err
	}
	defer fh.Close()
	type span struct {
		from int64
		to   []byte
	}
	spans := make([]span, 0, len(r.loads))
	first, last := r.info.size, int64(0)
	add := func(from int64, to []byte) {
		spans = append(spans, span{from, to})
		first, last = min(first, from), max(last, from+int64(len(to)))
	}
	for _, l := range r.loads {
		if ctx.Err() != nil {
			return task.ErrKilled
		}
		for k := range l.parts {
			if err := l.parts[k].place(r); err != nil {
				return err
			}
			add(l.parts[k].from, l.parts[k].bytes)
		}
		if l.leaf < 0 {
			continue
		}
		if l.kept != nil {
			continue
		}
		cc, err := r.ft.chunk(r.unit.rowGroup, l.leaf)
		if err != nil {
			return err
		}
		from, n, err := chunkRange(cc, r.info.size)
		if err != nil {
			return err
		}
		if int64(cap(r.bufs[l.col])) < n {
			r.bufs[l.col] = vec.Uncleared[byte](int(n + n/8))
		}
		r.bufs[l.col] = r.bufs[l.col][:n]
		add(from, r.bufs[l.col])
	}
	if len(spans) > 1 && last-first <= togetherMost {
		all := togetherBytes.Get().(*[togetherMost]byte)
		defer togetherBytes.Put(all)
		if _, err := fh.ReadAt(all[:last-first], first); err != nil {
			return err
		}
		for _, p := range spans {
			copy(p.to, all[p.from-first:])
		}
		return nil
	}
	for _, p := range spans {
		if ctx.Err() != nil {
			return task.ErrKilled
		}
		if _, err := fh.ReadAt(p.to, p.from); err != nil {
			return err
		}
	}
	return nil
}

// readAhead begins to read the next unit's bytes, or those of some small ones, if they are few and memory is there. The
// rows before them are rows.
func (s *scan) readAhead(c *task.Ctx, rows int) {
	if s.ahead != nil {
		return
	}
	a := &ahead{}
	size, left := int64(0), s.left-int64(rows)
	for k := 0; left > 0 && k < aheadUnits; k++ {
		if k == 0 {
			if more, err := s.findUnit(c); err != nil || !more {
				return
			}
		} else if k == len(s.units) || c.Yield() != nil || s.pruned(s.units[k]) {
			break
		}
		r, err := s.chunksOf(c, s.units[k])
		if err != nil || r.size > aheadMost || k > 0 && size+r.size > aheadTogether || s.mem != nil && !s.mem.Try(r.size) {
			break // an error comes again when it is the unit's turn
		}
		a.units = append(a.units, r)
		left -= r.ft.meta.RowGroup(r.unit.rowGroup).NumRows()
		if size += r.size; size >= aheadTogether {
			break
		}
	}
	if len(a.units) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(c.Stop)
	a.done, a.cancel = make(chan struct{}), cancel
	s.ahead = a
	go func() {
		defer close(a.done)
		defer cancel()
		for _, r := range a.units {
			r.err = r.tryRead(ctx)
		}
	}()
}

// tryRead is read, with panics as errors.
func (r *chunks) tryRead(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errs.Panic(p)
		}
	}()
	return r.read(ctx)
}

// readBefore returns the chunks of u if they have been read ahead, nil if not.
func (s *scan) readBefore(c *task.Ctx, u unit) (*chunks, error) {
	a := s.ahead
	if a == nil {
		return nil, nil
	}
	if err := c.Await(a.done); err != nil {
		return nil, err
	}
	var r *chunks
	for r == nil && len(a.units) > 0 {
		if next := a.units[0]; next.unit == u {
			r = next
		} else { // it has turned out that no row of it is wanted
			s.keepBytes(next)
		}
		a.units = a.units[1:]
	}
	if len(a.units) == 0 {
		s.ahead = nil
	}
	return r, nil
}

// keepBytes keeps the memory of chunks that are no longer needed for others to come.
func (s *scan) keepBytes(r *chunks) {
	for i, b := range r.bufs {
		if b != nil && len(s.spare[i]) < 2 {
			s.spare[i] = append(s.spare[i], b)
		}
	}
}

func (s *scan) startGroup(c *task.Ctx, u unit) (rowSource, error) {
	n := len(s.types)
	g := &group{s: s, cols: make([]column, n), fixed: make([]any, n), missing: make([]bool, n), pos: make([]int, n), tables: map[*condition][]uint8{}}
	if s.spare == nil {
		s.spare = make([][][]byte, n)
	}
	r, err := s.readBefore(c, u)
	if err != nil {
		return nil, err
	}
	before := r != nil
	if !before {
		if r, err = s.chunksOf(c, u); err != nil {
			return nil, err
		}
	} else if r.err != nil {
		return nil, r.err
	}
	ft := r.ft
	g.unread(ft, u)
	rg := ft.meta.RowGroup(u.rowGroup)
	if rg.NumRows() < 0 || rg.NumRows() > 1<<31-1 {
		return nil, errCorrupt
	}
	g.left = int(rg.NumRows())
	if s.mem != nil {
		if err := s.mem.Resize(r.size + s.ahead.size()); err != nil {
			return nil, err
		}
	}
	if !before {
		if err := c.Do(r.read); err != nil {
			return nil, err
		}
	}
	c.Stats.BytesIn.Add(r.size)
	g.bytes, g.whole = r, make([]*vec.Vector, n)
	for i := range r.loads {
		l := &r.loads[i]
		if l.leaf < 0 {
			if g.whole[l.col], err = s.nested(c, r, l); err != nil {
				return nil, r.named(err)
			}
			continue
		}
		g.cols[l.col] = s.reader(c, l.col, ft.meta.Schema.Column(l.leaf), r.set)
		if l.kept != nil {
			g.cols[l.col].openKept(l.pages, l.kept)
			continue
		}
		cc, err := ft.chunk(u.rowGroup, l.leaf)
		if err != nil {
			return nil, err
		}
		from, _, err := chunkRange(cc, r.info.size)
		if err != nil {
			return nil, err
		}
		g.cols[l.col].open(r.bufs[l.col], cc.Compression(), ft, from)
		if at := ft.pagesOf(u.rowGroup, l.leaf); at.Load() == nil && cc.Compression() != compress.Codecs.Uncompressed {
			if list, ok := pagesIn(r.bufs[l.col], from); ok {
				at.Store(&list)
			}
		}
		// Vectors may point into a chunk that isn't compressed: only others are used again.
		if cc.Compression() == compress.Codecs.Uncompressed {
			r.bufs[l.col] = nil
		}
	}
	reorder(s.preds)
	s.readAhead(c, g.left)
	return g, nil
}

func (g *group) rows(_ *task.Ctx, limit int) (int, error) {
	n := min(limit, g.left)
	g.left -= n
	return n, nil
}

func (g *group) column(_ *task.Ctx, i, n int) (*vec.Vector, error) {
	switch {
	case i+1 == g.index:
		v := make([]int64, n)
		for k := range v {
			v[k] = g.first + int64(g.pos[i]+k)
		}
		g.pos[i] += n
		return vec.FromSlice(types.Int64Type, v, nil), nil
	case g.cols[i] != nil:
		return g.cols[i].read(n)
	case g.missing[i]:
		return vec.MakeNull(g.s.types[i], n), nil
	case g.whole[i] != nil:
		v := g.whole[i].Slice(g.pos[i], g.pos[i]+n)
		g.pos[i] += n
		return v, nil
	}
	return vec.Repeat(g.s.types[i], g.fixed[i], n)
}

func (g *group) pick(c *task.Ctx, i, n int, at []int32) (*vec.Vector, error) {
	switch {
	case g.cols[i] != nil:
		return g.cols[i].pick(n, at)
	case g.whole[i] != nil, i+1 == g.index:
		v, err := g.column(c, i, n)
		if err != nil {
			return nil, err
		}
		return v.Gather(at), nil
	}
	return g.column(c, i, len(at))
}

func (g *group) skip(_ *task.Ctx, i, n int) error {
	if g.cols[i] != nil {
		return g.cols[i].skip(n)
	}
	g.pos[i] += n
	return nil
}

// close keeps the bytes' memory for a group to come.
func (g *group) close() {
	g.s.keepBytes(g.bytes)
}
