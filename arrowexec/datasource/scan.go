package datasource

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"

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
	inner := *s
	inner.Cols = f.inner(s.Cols)
	sc := &scan{plan: &inner, files: f, partition: partition, partitions: max(1, partitions), left: s.Limit}
	if s.Limit < 0 {
		sc.left = 1<<63 - 1
	}
	sc.types = make([]*types.Type, len(s.Cols))
	sc.filtered = make([]bool, len(s.Cols))
	for i, c := range s.Cols {
		sc.types[i] = f.schema.Fields[c].Type
		if _, ok := fieldID(f.schema.Fields[c].Metadata); ok || hasIDs(sc.types[i]) {
			sc.numbered = f.format == "parquet"
		}
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
	// pick returns the values of the current window at positions at, which rise.
	pick(c *task.Ctx, i, n int, at []int32) (*vec.Vector, error)
	skip(c *task.Ctx, i, n int) error
	close()
}

// reader is the decoder of a column, nil if the general reader has to do it, and the leaf it was made for.
type reader struct {
	column
	leaf *schema.Column
	set  readSettings
}

type scan struct {
	plan                  *physical.Scan
	files                 *Files
	partition, partitions int
	types                 []*types.Type
	filtered              []bool
	numbered              bool // a column has a number in files
	preds                 []*condition
	judged                map[int]bool    // what filesOut said of files
	keys                  []*op.KeyFilter // of joins above
	pool                  *vec.Pool
	units                 []unit
	src                   rowSource
	at                    int // file of src
	left                  int64
	mem                   *mem.Reservation
	opened                bool
	// Of Parquet, kept from one row group to the next.
	readers []reader   // by column, see reader
	spare   [][][]byte // by column: memory of chunks that have been read
	ahead   *ahead     // being read for the next units
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
	s.pool = &vec.Pool{}
	env := expr.NewEnv(conf, s.partition, c.Yield)
	env.Pool = s.pool
	for _, e := range s.plan.Filters {
		p, err := newCondition(e, env)
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
	s.ahead.stop()
	s.ahead = nil
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
			if more, err := s.findUnit(c); err != nil {
				return nil, s.fail(err)
			} else if !more {
				return nil, io.EOF
			}
			u := s.units[0]
			s.units = s.units[1:]
			s.at = u.file
			src, err := s.start(c, u)
			if err != nil {
				if s.files.passes(err) {
					s.skipFile()
					continue
				}
				return nil, s.fail(err)
			}
			s.src = src
		}
		b, more, err := s.window(c, limit)
		if err != nil {
			if s.files.passes(err) {
				s.skipFile()
				continue
			}
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

// skipFile passes over what is left of the current file.
func (s *scan) skipFile() {
	s.end()
	for len(s.units) > 0 && s.units[0].file == s.at {
		s.units = s.units[1:]
	}
}

// findUnit drops units that can be passed over, and reports whether one is left.
func (s *scan) findUnit(c *task.Ctx) (bool, error) {
	for len(s.units) > 0 {
		skip := s.pruned(s.units[0])
		if !skip {
			var err error
			if skip, err = s.keysMiss(c, s.units[0]); err != nil {
				return false, err
			}
		}
		if !skip {
			return true, nil
		}
		s.units = s.units[1:]
	}
	return false, nil
}

// keysMiss reports whether no row of u can have a key of the joins above.
func (s *scan) keysMiss(c *task.Ctx, u unit) (bool, error) {
	for _, k := range s.keys {
		set, err := k.Set(c)
		if err != nil {
			return false, err
		}
		if set == nil {
			continue
		}
		if set.Empty() {
			return true, nil
		}
		if lo, hi, _ := s.bounds(u, k.Col); lo != nil && hi != nil {
			x, okX := asInt(lo)
			y, okY := asInt(hi)
			if from, to := set.Range(); okX && okY && (y < from || x > to) {
				return true, nil
			}
		}
	}
	return false, nil
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
	if s.filesOut(u.file) {
		return true
	}
	for i := range s.plan.Cols {
		if !s.filtered[i] {
			continue
		}
		lo, hi, ok := s.bounds(u, i)
		if !ok {
			return false
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

// filesOut reports whether a filter over partition columns alone drops all rows of a file; one that fails doesn't: the
// rows will tell. Files that are left out in this way are never opened.
func (s *scan) filesOut(file int) bool {
	if s.files.parts == 0 {
		return false
	}
	if s.judged == nil {
		s.judged = map[int]bool{}
	}
	out, ok := s.judged[file]
	if ok {
		return out
	}
	first := len(s.files.data.Fields)
	for _, k := range s.preds {
		if !k.again || len(k.cols) == 0 || slices.ContainsFunc(k.cols, func(i int) bool { return s.plan.Cols[i] < first }) {
			continue
		}
		b := &vec.Batch{N: 1, Cols: make([]*vec.Vector, len(s.plan.Cols))}
		failed := false
		for _, i := range k.cols {
			v, err := vec.Repeat(s.types[i], s.files.values[file][s.plan.Cols[i]-first], 1)
			if failed = err != nil; failed {
				break
			}
			b.Cols[i] = v
		}
		if failed {
			continue
		}
		if kept, err := k.Select(b); err == nil && kept.N == 0 {
			out = true
			break
		}
	}
	s.judged[file] = out
	return out
}

// bounds are the least and the greatest value of output column i in u, nil when
// they aren't known; ok is false for files that start will fail with.
func (s *scan) bounds(u unit, i int) (lo, hi any, ok bool) {
	col := s.plan.Cols[i]
	if k := col - len(s.files.data.Fields); k >= 0 {
		lo = s.files.values[u.file][k]
		return lo, lo, true
	}
	if s.files.format != "parquet" {
		return nil, nil, true
	}
	ft, err := readFooter(s.files.files[u.file])
	if err != nil {
		return nil, nil, false
	}
	f, err := ft.find(&s.files.data.Fields[col], s.files.reads)
	if err != nil || f < 0 || len(ft.leaves[f]) != 1 {
		return nil, nil, true
	}
	cc, err := ft.chunk(u.rowGroup, ft.leaves[f][0])
	if err != nil {
		return nil, nil, false
	}
	if ft.settings(s.files.reads).rebased(s.types[i]) {
		return nil, nil, true
	}
	lo, hi, _ = statValues(cc, ft.meta.Schema.Column(ft.leaves[f][0]), s.types[i])
	return lo, hi, true
}

func (s *scan) start(c *task.Ctx, u unit) (rowSource, error) {
	if s.files.format == "parquet" {
		return s.startGroup(c, u)
	}
	return s.startText(c, u)
}
