package datasource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// NewScan returns the operator by which task partition of partitions reads its
// share of s: contiguous, balanced by bytes, so that the tasks' rows one after
// the other are in file order. All of s.Filters are applied exactly. The
// source must come from Open.
func NewScan(s *physical.Scan, partition, partitions int) (op.Operator, error) {
	f, ok := s.Source.(*Files)
	if !ok {
		return nil, errs.Internalf("a scan of a %T", s.Source)
	}
	sc := &scan{plan: s, files: f, partition: partition, partitions: max(1, partitions), left: s.Limit}
	if s.Limit < 0 {
		sc.left = 1<<63 - 1
	}
	sc.types = make([]*types.Type, len(s.Cols))
	sc.filtered = make([]bool, len(s.Cols))
	for i, c := range s.Cols {
		sc.types[i] = f.schema.Fields[c].Type
	}
	for _, e := range s.Filters {
		plan.Walk(e, func(e plan.Expr) bool {
			if b, ok := e.(*plan.Bound); ok && b.Index >= 0 && b.Index < len(sc.filtered) {
				sc.filtered[b.Index] = true
			}
			return true
		})
	}
	return sc, nil
}

// rowSource gives the columns of one unit, window by window.
type rowSource interface {
	// rows is how many rows the next window has, at most limit; 0 at the end. It may block inside c.Do.
	rows(c *task.Ctx, limit int) (int, error)
	// column returns output column i of the current window.
	column(c *task.Ctx, i, n int) (*vec.Vector, error)
	skip(c *task.Ctx, i, n int) error
	close()
}

type scan struct {
	plan                  *physical.Scan
	files                 *Files
	partition, partitions int
	types                 []*types.Type
	filtered              []bool
	preds                 []expr.Predicate
	keys                  []*op.KeyFilter // of joins above
	units                 []unit
	src                   rowSource
	at                    int // file of src
	left                  int64
	mem                   *mem.Reservation
	opened                bool
	// Of Parquet, kept from one row group to the next of a file.
	footer  *footer
	readers []column
	chunks  [][]byte
}

func (s *scan) Schema() []*types.Type { return s.types }
func (s *scan) Inputs() []op.Operator { return nil }

// Restrict implements op.Restricted.
func (s *scan) Restrict(keys []*op.KeyFilter) { s.keys = keys }

func (s *scan) Open(c *task.Ctx) error {
	s.opened = true
	if c.Mem != nil {
		s.mem = c.Mem.Reserve("scan "+s.files.format, nil)
	}
	conf := &fn.Conf{}
	if c.Conf != nil {
		conf = &fn.Conf{TimeZone: c.Conf.TimeZone, ANSI: c.Conf.ANSI, Keys: c.Conf.Keys}
	}
	env := expr.NewEnv(conf, s.partition, c.Yield)
	for _, e := range s.plan.Filters {
		p, err := expr.CompilePredicate(e, env)
		if err != nil {
			return err
		}
		s.preds = append(s.preds, p)
	}
	var all []unit
	if err := c.Do(func(context.Context) (err error) {
		all, err = s.files.units(s.plan.Cols)
		return err
	}); err != nil {
		return err
	}
	if len(all) > 0 {
		s.units = share(all, s.partition, s.partitions, s.files.splittable)
	}
	return nil
}

func (s *scan) Close() error {
	s.end()
	if s.mem != nil {
		s.mem.Release()
		s.mem = nil
	}
	return nil
}

func (s *scan) end() {
	if s.src != nil {
		s.src.close()
		s.src = nil
	}
}

// Next implements op.Operator.
func (s *scan) Next(c *task.Ctx) (*vec.Batch, error) {
	if !s.opened {
		return nil, errs.Internalf("a scan that isn't open")
	}
	limit := vec.DefaultRows
	if c.Conf != nil && c.Conf.BatchRows > 0 {
		limit = c.Conf.BatchRows
	}
	for s.left > 0 {
		if err := c.Yield(); err != nil {
			return nil, err
		}
		if s.src == nil {
			if len(s.units) == 0 {
				return nil, io.EOF
			}
			u := s.units[0]
			s.units = s.units[1:]
			s.at = u.file
			if s.pruned(u) {
				continue
			}
			src, err := s.start(c, u)
			if err != nil {
				return nil, s.fail(err)
			}
			s.src = src
		}
		b, more, err := s.window(c, limit)
		if err != nil {
			return nil, s.fail(err)
		}
		if !more {
			s.end()
			continue
		}
		if b == nil {
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

// window reads the next rows: the columns that filters need first, the others
// only if a row is left. more is false at the unit's end; b is nil when no row is left.
func (s *scan) window(c *task.Ctx, limit int) (b *vec.Batch, more bool, err error) {
	defer func() { // arrow-go's codecs panic on broken input
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("%w: %v", errCorrupt, p)
		}
	}()
	n, err := s.src.rows(c, limit)
	if err != nil || n == 0 {
		return nil, false, err
	}
	c.Stats.RowsIn.Add(int64(n))
	b = &vec.Batch{N: n, Cols: make([]*vec.Vector, len(s.types))}
	for i := range b.Cols {
		if s.filtered[i] {
			if b.Cols[i], err = s.src.column(c, i, n); err != nil {
				return nil, false, err
			}
		}
	}
	for _, p := range s.preds {
		if b, err = p.Select(b); err != nil {
			return nil, false, err
		}
		if b.N == 0 {
			break
		}
	}
	for _, k := range s.keys {
		if b.N == 0 {
			break
		}
		if set, err := k.Set(c); err != nil {
			return nil, false, err
		} else if set == nil {
			continue
		}
		if b.Cols[k.Col] == nil {
			if b.Cols[k.Col], err = s.src.column(c, k.Col, n); err != nil {
				return nil, false, err
			}
		}
		if b, err = k.Select(c, b); err != nil {
			return nil, false, err
		}
	}
	none := b.N == 0
	for i := range b.Cols {
		if b.Cols[i] != nil {
			continue
		}
		if none {
			err = s.src.skip(c, i, n)
		} else {
			b.Cols[i], err = s.src.column(c, i, n)
		}
		if err != nil {
			return nil, false, err
		}
	}
	if none {
		return nil, true, nil
	}
	// A few rows of many: let go of the rest.
	if b.Sel != nil && b.N < n/8 {
		b = b.Compact()
	}
	return b, true, nil
}

// fail gives an error the file's name.
func (s *scan) fail(err error) error {
	if errors.Is(err, task.ErrKilled) {
		return err
	}
	path := "file://" + s.files.files[s.at].path
	if m := asMalformed(err); m != nil {
		return errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", path).Because(m)
	}
	if e, ok := errs.As(err); ok {
		if e.Condition == "UNSUPPORTED_ARROWTYPE" {
			return errs.New(errs.Execution, "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "path", path, "column", "", "expectedType", "", "actualType", e.Params["typeName"]).Because(err)
		}
		return err
	}
	if errors.Is(err, os.ErrNotExist) {
		return errs.New(errs.FileNotFound, "FAILED_READ_FILE.FILE_NOT_EXIST", "path", path).Because(err)
	}
	return errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", path).Because(err)
}

// pruned reports whether statistics or partition values show that no row of u can pass the filters.
func (s *scan) pruned(u unit) bool {
	if len(s.plan.Filters) == 0 {
		return false
	}
	for i, c := range s.plan.Cols {
		if !s.filtered[i] {
			continue
		}
		var lo, hi any
		if k := c - len(s.files.data.Fields); k >= 0 {
			lo = s.files.values[u.file][k]
			hi = lo
		} else if s.files.format == "parquet" {
			ft, err := readFooter(s.files.files[u.file])
			if err != nil {
				return false // start will fail with it
			}
			f := ft.find(s.files.data.Fields[c].Name)
			if f < 0 || len(ft.leaves[f]) != 1 {
				continue
			}
			cc, err := ft.meta.RowGroup(u.rowGroup).ColumnChunk(ft.leaves[f][0])
			if err != nil {
				return false
			}
			lo, hi, _ = statValues(cc, ft.meta.Schema.Column(ft.leaves[f][0]), s.types[i])
		}
		if lo == nil || hi == nil {
			continue
		}
		for _, e := range s.plan.Filters {
			if !mayMatch(e, i, lo, hi, s.types[i]) {
				return true
			}
		}
	}
	return false
}

func (s *scan) start(c *task.Ctx, u unit) (rowSource, error) {
	if s.files.format == "parquet" {
		return s.startGroup(c, u)
	}
	return s.startText(c, u)
}

// sameShape reports whether values of one type are those of the other, nullability and the case of names aside.
func sameShape(a, b *types.Type) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case types.Decimal:
		return a.Precision == b.Precision && a.Scale == b.Scale
	case types.Array:
		return sameShape(a.Elem, b.Elem)
	case types.Map:
		return sameShape(a.Key, b.Key) && sameShape(a.Elem, b.Elem)
	case types.Struct:
		return slices.EqualFunc(a.Fields, b.Fields, func(x, y types.Field) bool { return strings.EqualFold(x.Name, y.Name) && sameShape(x.Type, y.Type) })
	}
	return true
}

// physicalName is a column's type as Parquet's own writers call it.
func physicalName(leaf *schema.Column) string {
	if t := leaf.PhysicalType(); t != parquet.Types.ByteArray {
		return t.String()
	}
	return "BINARY"
}

// group reads a row group.
type group struct {
	s       *scan
	left    int
	cols    []column      // nil where the next two say what the column is
	whole   []*vec.Vector // decoded at once
	fixed   []any         // partition values
	missing []bool
	pos     []int // rows passed, of whole
}

func (s *scan) startGroup(c *task.Ctx, u unit) (rowSource, error) {
	info := s.files.files[u.file]
	ft, err := readFooter(info)
	if err != nil {
		return nil, err
	}
	rg := ft.meta.RowGroup(u.rowGroup)
	n := len(s.types)
	if rg.NumRows() < 0 || rg.NumRows() > 1<<31-1 {
		return nil, errCorrupt
	}
	g := &group{s: s, left: int(rg.NumRows()), cols: make([]column, n), whole: make([]*vec.Vector, n), fixed: make([]any, n), missing: make([]bool, n), pos: make([]int, n)}
	if s.footer != ft {
		s.footer, s.readers = ft, make([]column, n)
	}
	if s.chunks == nil {
		s.chunks = make([][]byte, n)
	}
	type load struct{ col, field, leaf int }
	var loads []load
	bytes := int64(0)
	for i, col := range s.plan.Cols {
		if k := col - len(s.files.data.Fields); k >= 0 {
			g.fixed[i] = s.files.values[u.file][k]
			continue
		}
		f := ft.find(s.files.data.Fields[col].Name)
		if f < 0 {
			if col < len(s.files.absent) {
				g.fixed[i] = s.files.absent[col]
			}
			g.missing[i] = g.fixed[i] == nil
			continue
		}
		l := load{i, f, -1}
		have := ft.schema.Fields[f].Type
		if len(ft.leaves[f]) != 1 && !sameShape(have, s.types[i]) {
			return nil, errs.NotSupported("reading the Parquet column " + errs.ID(s.files.data.Fields[col].Name) + " of type " + have.String() + " as " + s.types[i].String())
		}
		if len(ft.leaves[f]) == 1 {
			cc, err := rg.ColumnChunk(ft.leaves[f][0])
			if err != nil {
				return nil, err
			}
			if cc.Compression() == compress.Codecs.Lz4 {
				return nil, errs.NotSupported("the Parquet compression LZ4 in Hadoop's framing (LZ4_RAW is read)")
			}
			leaf := ft.meta.Schema.Column(ft.leaves[f][0])
			if !sameShape(have, s.types[i]) && newColumn(leaf, s.types[i], c.Yield) == nil {
				return nil, errs.New(errs.Execution, "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "path", "file://"+info.path, "column", "["+strings.Join(leaf.ColumnPath(), ", ")+"]",
					"expectedType", strings.ToLower(s.types[i].SQL()), "actualType", physicalName(leaf))
			}
			if ownEncodings(cc) {
				if s.readers[i] == nil {
					s.readers[i] = newColumn(ft.meta.Schema.Column(ft.leaves[f][0]), s.types[i], c.Yield)
				}
				if g.cols[i] = s.readers[i]; g.cols[i] != nil {
					l.leaf = ft.leaves[f][0]
				}
			}
			bytes += cc.TotalCompressedSize()
		}
		loads = append(loads, l)
	}
	if s.mem != nil {
		if err := s.mem.Resize(bytes); err != nil {
			return nil, err
		}
	}
	c.Stats.BytesIn.Add(bytes)
	err = c.Do(func(ctx context.Context) error {
		fh, err := os.Open(info.path)
		if err != nil {
			return err
		}
		defer fh.Close()
		for _, l := range loads {
			if err := ctx.Err(); err != nil {
				return task.ErrKilled
			}
			if l.leaf < 0 {
				if g.whole[l.col], err = readGeneral(ctx, fh, ft, l.field, u.rowGroup, s.types[l.col]); err != nil {
					return err
				}
				if g.whole[l.col].N != g.left {
					return errCorrupt
				}
				continue
			}
			cc, err := rg.ColumnChunk(l.leaf)
			if err != nil {
				return err
			}
			from, n, err := chunkRange(cc, info.size)
			if err != nil {
				return err
			}
			// Vectors may point into a chunk that isn't compressed: only others are used again.
			var buf []byte
			if cc.Compression() != compress.Codecs.Uncompressed && int64(cap(s.chunks[l.col])) >= n {
				buf = s.chunks[l.col][:n]
			} else {
				buf = make([]byte, n, n+n/4)
			}
			if s.chunks[l.col] = buf; cc.Compression() == compress.Codecs.Uncompressed {
				s.chunks[l.col] = nil
			}
			if _, err := fh.ReadAt(buf, from); err != nil {
				return err
			}
			g.cols[l.col].open(buf, cc.Compression(), g.left)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (g *group) rows(_ *task.Ctx, limit int) (int, error) {
	n := min(limit, g.left)
	g.left -= n
	return n, nil
}

func (g *group) column(_ *task.Ctx, i, n int) (*vec.Vector, error) {
	switch {
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

func (g *group) skip(_ *task.Ctx, i, n int) error {
	if g.cols[i] != nil {
		return g.cols[i].skip(n)
	}
	g.pos[i] += n
	return nil
}

func (g *group) close() {}
