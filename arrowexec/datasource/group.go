package datasource

import (
	"context"
	"os"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/compress"

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
	own   bool // all columns have their own reader
	bufs  [][]byte
	whole []*vec.Vector

	done   chan struct{} // of those that are read ahead
	cancel context.CancelFunc
	err    error
}

// load is a column to be read: field of the file; leaf is -1 where the general reader does it.
type load struct {
	col, field, leaf int
	pages            []chunkPage // with kept: nothing need be read
	kept             [][]byte
}

// aheadMost is the greatest size of chunks that are read ahead.
const aheadMost = 16 << 20

// stop ends reading ahead.
func (r *chunks) stop() {
	if r != nil && r.done != nil {
		r.cancel()
		<-r.done
	}
}

// chunksOf finds what has to be read of a unit. g, if not nil, takes what needs no reading.
func (s *scan) chunksOf(c *task.Ctx, u unit, g *group) (*chunks, error) {
	r := &chunks{unit: u, info: s.files.files[u.file], own: true, bufs: make([][]byte, len(s.types)), whole: make([]*vec.Vector, len(s.types))}
	var err error
	if r.ft, err = readFooter(r.info); err != nil {
		return nil, err
	}
	for i, col := range s.plan.Cols {
		if col > 0 && col == s.files.rowIndex {
			if g != nil {
				g.index, g.first = i+1, 0
				for before := range u.rowGroup {
					g.first += r.ft.meta.RowGroup(before).NumRows()
				}
			}
			continue
		}
		if k := col - len(s.files.data.Fields); k >= 0 {
			if g != nil {
				g.fixed[i] = s.files.values[u.file][k]
			}
			continue
		}
		f := r.ft.find(s.files.data.Fields[col].Name)
		if f < 0 {
			if g != nil {
				if col < len(s.files.absent) {
					g.fixed[i] = s.files.absent[col]
				}
				g.missing[i] = g.fixed[i] == nil
			}
			continue
		}
		l := load{col: i, field: f, leaf: -1}
		have := r.ft.schema.Fields[f].Type
		if len(r.ft.leaves[f]) != 1 && !sameShape(have, s.types[i]) {
			return nil, errs.NotSupported("reading the Parquet column " + errs.ID(s.files.data.Fields[col].Name) + " of type " + have.String() + " as " + s.types[i].String())
		}
		if len(r.ft.leaves[f]) == 1 {
			cc, err := r.ft.chunk(u.rowGroup, r.ft.leaves[f][0])
			if err != nil {
				return nil, err
			}
			if cc.Compression() == compress.Codecs.Lz4 {
				return nil, errs.NotSupported("the Parquet compression LZ4 in Hadoop's framing (LZ4_RAW is read)")
			}
			leaf := r.ft.meta.Schema.Column(r.ft.leaves[f][0])
			if !sameShape(have, s.types[i]) && newColumn(leaf, s.types[i], nil, c.Yield) == nil {
				return nil, errs.New(errs.Execution, "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "path", "file://"+r.info.path, "column", "["+strings.Join(leaf.ColumnPath(), ", ")+"]",
					"expectedType", strings.ToLower(s.types[i].SQL()), "actualType", physicalName(leaf))
			}
			if ownEncodings(cc) {
				if s.footer == r.ft && s.readers[i] != nil || newColumn(leaf, s.types[i], nil, c.Yield) != nil {
					l.leaf = r.ft.leaves[f][0]
				}
			}
			if p := r.ft.pagesOf(u.rowGroup, r.ft.leaves[f][0]).Load(); l.leaf >= 0 && p != nil {
				l.pages = *p
				l.kept = inflated.all(r.ft, l.pages)
			}
			if l.kept == nil {
				r.size += cc.TotalCompressedSize()
			}
		}
		r.own = r.own && l.leaf >= 0
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

// togetherMost is how much of a file is read at once where its chunks lie near
// each other: for a small file the calls are what takes the time.
const togetherMost = 64 << 10

var togetherBytes = sync.Pool{New: func() any { return new([togetherMost]byte) }}

// read reads the bytes. It blocks.
func (r *chunks) read(ctx context.Context, ts []*types.Type) error {
	fh, err := os.Open(r.info.path)
	if err != nil {
		return err
	}
	defer fh.Close()
	type span struct {
		from, n int64
		col     int
	}
	spans := make([]span, 0, len(r.loads))
	first, last := r.info.size, int64(0)
	for _, l := range r.loads {
		if ctx.Err() != nil {
			return task.ErrKilled
		}
		if l.leaf < 0 {
			if r.whole[l.col], err = readGeneral(ctx, fh, r.ft, l.field, r.unit.rowGroup, ts[l.col]); err != nil {
				return err
			}
			if int64(r.whole[l.col].N) != r.ft.meta.RowGroup(r.unit.rowGroup).NumRows() {
				return errCorrupt
			}
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
		spans = append(spans, span{from, n, l.col})
		first, last = min(first, from), max(last, from+n)
		if int64(cap(r.bufs[l.col])) < n {
			r.bufs[l.col] = vec.Uncleared[byte](int(n + n/8))
		}
		r.bufs[l.col] = r.bufs[l.col][:n]
	}
	if len(spans) > 1 && last-first <= togetherMost {
		all := togetherBytes.Get().(*[togetherMost]byte)
		defer togetherBytes.Put(all)
		if _, err := fh.ReadAt(all[:last-first], first); err != nil {
			return err
		}
		for _, p := range spans {
			copy(r.bufs[p.col], all[p.from-first:])
		}
		return nil
	}
	for _, p := range spans {
		if ctx.Err() != nil {
			return task.ErrKilled
		}
		if _, err := fh.ReadAt(r.bufs[p.col], p.from); err != nil {
			return err
		}
	}
	return nil
}

// readAhead begins to read the next unit's bytes, if they are few and memory is there.
func (s *scan) readAhead(c *task.Ctx, rows int) {
	if s.left <= int64(rows) {
		return
	}
	if more, err := s.findUnit(c); err != nil || !more {
		return
	}
	r, err := s.chunksOf(c, s.units[0], nil)
	if err != nil || !r.own || r.size > aheadMost || s.mem != nil && !s.mem.Try(r.size) {
		return // an error comes again when it is the unit's turn
	}
	ctx, cancel := context.WithCancel(c.Stop)
	r.done, r.cancel = make(chan struct{}), cancel
	s.ahead = r
	go func() {
		defer close(r.done)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				r.err = errs.Panic(p)
			}
		}()
		r.err = r.read(ctx, s.types)
	}()
}

func (s *scan) startGroup(c *task.Ctx, u unit) (rowSource, error) {
	n := len(s.types)
	g := &group{s: s, cols: make([]column, n), fixed: make([]any, n), missing: make([]bool, n), pos: make([]int, n), tables: map[*condition][]uint8{}}
	if s.spare == nil {
		s.spare = make([][][]byte, n)
	}
	r, err := s.chunksOf(c, u, g)
	if err != nil {
		return nil, err
	}
	ft := r.ft
	if s.footer != ft {
		s.footer, s.readers = ft, make([]column, n)
	}
	rg := ft.meta.RowGroup(u.rowGroup)
	if rg.NumRows() < 0 || rg.NumRows() > 1<<31-1 {
		return nil, errCorrupt
	}
	g.left = int(rg.NumRows())
	if a := s.ahead; a != nil && a.unit == u {
		for i, b := range r.bufs {
			if b != nil {
				s.spare[i] = append(s.spare[i], b)
			}
		}
		if err := c.Await(a.done); err != nil {
			return nil, err
		}
		s.ahead = nil
		if a.err != nil {
			return nil, a.err
		}
		r = a
		if s.mem != nil {
			if err := s.mem.Resize(r.size); err != nil {
				return nil, err
			}
		}
	} else {
		s.ahead.stop()
		s.ahead = nil
		if s.mem != nil {
			if err := s.mem.Resize(r.size); err != nil {
				return nil, err
			}
		}
		if err := c.Do(func(ctx context.Context) error { return r.read(ctx, s.types) }); err != nil {
			return nil, err
		}
	}
	c.Stats.BytesIn.Add(r.size)
	g.bytes, g.whole = r, r.whole
	for _, l := range r.loads {
		if l.leaf < 0 {
			continue
		}
		if s.readers[l.col] == nil {
			s.readers[l.col] = newColumn(ft.meta.Schema.Column(l.leaf), s.types[l.col], s.pool, c.Yield)
		}
		g.cols[l.col] = s.readers[l.col]
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
	for i, b := range g.bytes.bufs {
		if b != nil && len(g.s.spare[i]) < 2 {
			g.s.spare[i] = append(g.s.spare[i], b)
		}
	}
}
