package datasource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/google/uuid"

	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// WriteArgs are what DataFrameWriter gives.
type WriteArgs struct {
	Format      string
	Path        string
	Mode        string // append, overwrite, errorifexists (or error, ""), ignore
	PartitionBy []string
	Options     map[string]string
	Schema      *types.Type
	// Of tables: an overwrite replaces only what lies in the folder Below, relative to Path, and
	// the files of the partition folders in Elsewhere go to the folders it names.
	Below     string
	Elsewhere map[string]string
}

// Job is a write in progress: tasks write below Staging, and Commit moves what they wrote.
type Job struct {
	// Skip: the mode is ignore and the target exists; there is nothing to do.
	Skip bool
	// Staging is the path that physical.Write of the tasks must have.
	Staging string

	target    string
	overwrite bool
	dynamic   bool // overwrite only the partitions that get rows
	made      bool // the target folder was made by PrepareWrite
	below     string
	elsewhere map[string]string
	folders   []string        // that got files
	attempts  map[string]bool // whose files count; nil: all
}

// Keep takes the rows that the writing tasks gave (NewWrite): only files of the
// attempts that these are of are committed. Others may have been left by tasks
// that were killed, or ran twice.
func (j *Job) Keep(results []*vec.Batch) error {
	j.attempts = map[string]bool{}
	for _, b := range results {
		b = b.Compact()
		for i := range b.N {
			id, ok := b.Cols[0].Value(i).(string)
			if !ok {
				return errs.Internalf("a writing task didn't say which attempt it is")
			}
			j.attempts[id] = true
		}
	}
	return nil
}

// counts reports whether a file in the staging folder is to be committed.
func (j *Job) counts(name string) bool {
	if j.attempts == nil {
		return true
	}
	// part-00000-<attempt, a UUID>-c000.parquet
	const uuidLen = 36
	rest, ok := strings.CutPrefix(filepath.Base(name), "part-")
	if i := strings.IndexByte(rest, '-'); ok && i >= 0 && len(rest) > i+1+uuidLen {
		return j.attempts[rest[i+1:i+1+uuidLen]]
	}
	return false
}

// Folders lists the folders that Commit put files into, relative to the target: the partitions that got rows.
func (j *Job) Folders() []string { return j.folders }

// stagingPrefix begins the name of a job's folder inside the target; readers pass over it.
const stagingPrefix = "_temporary-"

// writers are the formats that are written. Options that mean nothing to a format are ignored, as Spark does.
var writers = []string{"parquet", "csv", "json", "text", "xml"}

// PrepareWrite checks a write and makes its staging folder. Errors are
// PATH_ALREADY_EXISTS, DATA_SOURCE_NOT_FOUND, ALL_PARTITION_COLUMNS_NOT_ALLOWED,
// UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE and refusals by name.
func PrepareWrite(ctx context.Context, a WriteArgs) (*Job, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	format := strings.ToLower(a.Format)
	if format == "" {
		format = "parquet"
	}
	if !slices.Contains(writers, format) {
		if slices.Contains(known, format) {
			return nil, errs.NotSupported("writing the data source " + a.Format)
		}
		return nil, errs.New(errs.Analysis, "DATA_SOURCE_NOT_FOUND", "provider", a.Format)
	}
	dynamic := false
	lower := map[string]string{}
	for k, v := range a.Options {
		k = strings.ToLower(k)
		if k == "partitionoverwritemode" {
			switch strings.ToLower(v) {
			case "static":
			case "dynamic":
				dynamic = len(a.PartitionBy) > 0
			default:
				return nil, errs.New(errs.IllegalArgument, "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE", "optionName", k, "message", "it must be static or dynamic, not "+v+".")
			}
			continue
		}
		lower[k] = v
	}
	if format == "parquet" {
		if _, err := newParquetSettings(lower, nil, nil); err != nil {
			return nil, err
		}
	} else {
		if err := checkTextWrite(format, lower); err != nil {
			return nil, err
		}
	}
	if emptySchema(a.Schema) {
		return nil, errs.New(errs.Analysis, "EMPTY_SCHEMA_NOT_SUPPORTED_FOR_DATASOURCE", "format", formatName(format))
	}
	if len(a.PartitionBy) > 0 && len(a.PartitionBy) >= len(a.Schema.Fields) {
		return nil, errs.New(errs.Analysis, "ALL_PARTITION_COLUMNS_NOT_ALLOWED")
	}
	for i := range a.Schema.Fields {
		f := &a.Schema.Fields[i]
		part := slices.ContainsFunc(a.PartitionBy, func(n string) bool { return strings.EqualFold(n, f.Name) })
		bad := !part && !writable(format, f.Type)
		if part && (f.Type.IsNested() || f.Type.Kind == types.Variant || f.Type.Kind == types.Null) {
			return nil, errs.New(errs.Analysis, "INVALID_PARTITION_COLUMN_DATA_TYPE", "type", errs.Quote(f.Type.SQL()))
		}
		if bad {
			return nil, errs.New(errs.Analysis, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", formatName(format), "columnName", errs.ID(f.Name), "columnType", errs.Quote(f.Type.SQL()))
		}
	}
	if n := len(a.Schema.Fields) - len(a.PartitionBy); format == "text" {
		if err := oneColumn(n); err != nil {
			return nil, err
		}
	}
	target, err := LocalPath(a.Path)
	if err != nil {
		return nil, err
	}
	if a.Path == "" {
		return nil, errs.New(errs.IllegalArgument, "STDS_INVALID_OPTION_VALUE.IS_EMPTY", "optionName", "path")
	}
	job := &Job{target: target, below: a.Below, elsewhere: a.Elsewhere}
	_, err = os.Stat(target)
	switch {
	case err == nil:
		switch strings.ToLower(a.Mode) {
		case "append":
		case "overwrite":
			job.overwrite, job.dynamic = true, dynamic
		case "ignore":
			job.Skip = true
			return job, nil
		default:
			return nil, errs.New(errs.Analysis, "PATH_ALREADY_EXISTS", "outputPath", "file:"+target)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return nil, errs.New(errs.Execution, "TASK_WRITE_FAILED", "path", target).Because(err)
	default:
		job.made = true
	}
	if _, ok := lower["rowtag"]; format == "xml" && !ok {
		return nil, errs.New(errs.Analysis, "XML_ROW_TAG_MISSING", "rowTag", errs.ID("rowTag"))
	}
	job.Staging = filepath.Join(target, stagingPrefix+uuid.NewString())
	if st, err := os.Stat(target); err == nil && !st.IsDir() {
		if !job.overwrite {
			return nil, errs.New(errs.Execution, "TASK_WRITE_FAILED", "path", target).Because(syscall.ENOTDIR)
		}
		job.Staging = filepath.Join(filepath.Dir(target), stagingPrefix+uuid.NewString())
	}
	// Tasks may run in processes with another working folder.
	if job.Staging, err = filepath.Abs(job.Staging); err != nil {
		return nil, errs.New(errs.Execution, "TASK_WRITE_FAILED", "path", target).Because(err)
	}
	if err := os.MkdirAll(job.Staging, 0o755); err != nil {
		return nil, errs.New(errs.Execution, "TASK_WRITE_FAILED", "path", target).Because(err)
	}
	return job, nil
}

// emptySchema reports whether a struct without fields is among the columns' types.
func emptySchema(t *types.Type) bool {
	switch t.Kind {
	case types.Struct:
		for _, f := range t.Fields {
			if emptySchema(f.Type) {
				return true
			}
		}
		return len(t.Fields) == 0
	case types.Array:
		return emptySchema(t.Elem)
	case types.Map:
		return emptySchema(t.Key) || emptySchema(t.Elem)
	}
	return false
}

func writable(format string, t *types.Type) bool {
	switch format {
	case "text":
		return t.Kind == types.String
	case "csv", "json", "xml":
		switch t.Kind {
		case types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Float32, types.Float64, types.Decimal, types.String, types.Date, types.Timestamp, types.TimestampNTZ,
			types.Binary, types.YearMonthInterval, types.DayTimeInterval:
			return true
		case types.Null, types.Variant:
			return format != "csv"
		case types.Map:
			return format != "csv" && writable(format, t.Key) && writable(format, t.Elem)
		case types.Array:
			return format != "csv" && writable(format, t.Elem)
		case types.Struct:
			for _, f := range t.Fields {
				if !writable(format, f.Type) {
					return false
				}
			}
			return format != "csv"
		}
		return false
	}
	switch t.Kind {
	case types.CalendarInterval, types.Object, types.Geometry, types.Geography:
		return false
	case types.Array:
		return writable(format, t.Elem)
	case types.Map:
		return writable(format, t.Key) && writable(format, t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if !writable(format, f.Type) {
				return false
			}
		}
		return len(t.Fields) > 0
	}
	return true
}

func codecOf(format, name string) (compress.Compression, error) {
	name = strings.ToLower(name)
	if format != "parquet" {
		return compress.Codecs.Uncompressed, nil // of the pages of a file; those of text are packed as a whole
	}
	switch name {
	case "", "snappy":
		return compress.Codecs.Snappy, nil
	case "none", "uncompressed":
		return compress.Codecs.Uncompressed, nil
	case "zstd":
		return compress.Codecs.Zstd, nil
	case "gzip":
		return compress.Codecs.Gzip, nil
	case "brotli":
		return compress.Codecs.Brotli, nil
	case "lz4_raw", "lz4raw":
		return compress.Codecs.Lz4Raw, nil
	}
	return 0, unknownCodec(format, name)
}

// NewWrite returns the operator by which one task writes its input below
// w.Path, a Job's staging folder. It gives one row: the attempt's name, the rows and the bytes written.
func NewWrite(w *physical.Write, in op.Operator, partition int) (op.Operator, error) {
	o := &write{plan: w, in: in, format: strings.ToLower(w.Format), partition: partition, id: uuid.NewString(), opts: map[string]string{}, sinks: map[string]sink{}, files: map[string]int{}, filled: map[string]int64{}}
	if o.format == "" {
		o.format = "parquet"
	}
	for k, v := range w.Options {
		o.opts[strings.ToLower(k)] = v
	}
	o.cols = types.NewStruct()
	for i, c := range w.Cols {
		if !slices.Contains(w.PartitionBy, i) {
			o.keep = append(o.keep, i)
			o.cols.Fields = append(o.cols.Fields, types.Field{Name: c.Name, Type: c.Type, Nullable: true})
			if len(w.Metadata) > i {
				o.cols.Fields[len(o.keep)-1].Metadata = w.Metadata[i]
			}
		}
	}
	return o, nil
}

// sink is an open file of one format.
type sink interface {
	// write and close yield and wait by c, or, where that is nil, block.
	write(c *task.Ctx, b *vec.Batch) error
	close(c *task.Ctx) error
	// abort closes the file, which the job removes.
	abort()
}

type write struct {
	plan      *physical.Write
	in        op.Operator
	format    string
	partition int
	id        string
	opts      map[string]string
	cols      *types.Type
	keep      []int
	parquet   *parquetSettings
	sinks     map[string]sink
	slabs     slabs
	mem       *mem.Reservation
	busy      bool // sinks are in use, and can't be made to write what they hold
	paths     []string
	files     map[string]int   // how many files a folder has got
	filled    map[string]int64 // rows in the folder's file
	most      int64            // rows of a file; 0: any
	rows      int64
	done      bool
}

func (w *write) Schema() []*types.Type {
	return []*types.Type{types.StringType, types.Int64Type, types.Int64Type}
}
func (w *write) Inputs() []op.Operator { return []op.Operator{w.in} }

func (w *write) Open(c *task.Ctx) error {
	w.mem = c.Mem.Reserve("write", w)
	return w.in.Open(c)
}

// step runs f, which may call methods of sinks with the context that it is given:
// those of text block, and do so beside the task's slot.
func (w *write) step(c *task.Ctx, f func(c *task.Ctx) error) error {
	w.busy = true
	defer func() { w.busy = false }()
	if w.format == "parquet" {
		return f(c)
	}
	return c.Do(func(context.Context) error { return f(nil) })
}

// account reserves what the files that are open hold. Where there is no room for it, row groups end early.
func (w *write) account() error {
	n := w.slabs.held
	for _, s := range w.sinks {
		if p, ok := s.(*parquetSink); ok {
			n += p.memory()
		}
	}
	return w.mem.Resize(n)
}

// Spill implements mem.Spiller: the row groups that are open end.
func (w *write) Spill() (int64, error) {
	if w.busy {
		return 0, nil
	}
	w.busy = true
	defer func() { w.busy = false }()
	for _, s := range w.sinks {
		if p, ok := s.(*parquetSink); ok {
			if err := p.endGroup(nil); err != nil {
				return 0, w.fail(err)
			}
		}
	}
	w.slabs.drop()
	freed := w.mem.Size()
	return freed, w.mem.Resize(0)
}

func (w *write) Close() error {
	for _, s := range w.sinks {
		s.abort()
	}
	clear(w.sinks)
	w.slabs.drop()
	if w.mem != nil {
		w.mem.Release()
	}
	return w.in.Close()
}

func (w *write) fail(err error) error {
	if e, ok := errs.As(err); ok && e.Class == errs.Upgrade {
		return errs.New(errs.Execution, "TASK_WRITE_FAILED", "path", "file:"+w.plan.Path).Because(err)
	}
	if _, ok := errs.As(err); ok || errors.Is(err, task.ErrKilled) {
		return err
	}
	return errs.New(errs.Execution, "TASK_WRITE_FAILED", "path", "file:"+w.plan.Path).Because(err)
}

// maxOpen is how many partition folders a task has open at once.
const maxOpen = 128

func (w *write) Next(c *task.Ctx) (*vec.Batch, error) {
	if w.done {
		return nil, io.EOF
	}
	conf := c.Conf
	if conf == nil {
		conf = &task.Conf{}
	}
	most, ok := w.opts["maxrecordsperfile"]
	if !ok {
		most = conf.Keys["spark.sql.files.maxRecordsPerFile"]
	}
	if most != "" {
		var err error
		if w.most, err = strconv.ParseInt(most, 10, 64); err != nil {
			return nil, errs.Refused(errs.NumberFormat, "For input string: %q", most).Because(err)
		}
	}
	if w.format == "parquet" {
		var err error
		if w.parquet, err = newParquetSettings(w.opts, conf.Keys, conf.TimeZone); err != nil {
			return nil, err
		}
	}
	for {
		b, err := w.in.Next(c)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		read := b
		b = b.Compact()
		w.rows += int64(b.N)
		groups := map[string][]int32{"": nil}
		if len(w.plan.PartitionBy) > 0 {
			if groups, err = w.folders(c, b, conf); err != nil {
				return nil, err
			}
		}
		data := &vec.Batch{N: b.N}
		for _, k := range w.keep {
			data.Cols = append(data.Cols, b.Cols[k])
		}
		if err := w.step(c, func(c *task.Ctx) error {
			for folder, sel := range groups {
				part := data
				if sel != nil {
					part = (&vec.Batch{N: len(sel), Cols: data.Cols, Sel: sel}).Compact()
				}
				if err := w.put(c, folder, part, conf); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return nil, w.fail(err)
		}
		read.Free()
		if err := w.account(); err != nil {
			return nil, err
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
	}
	var bytes int64
	err := w.step(c, func(c *task.Ctx) error {
		if len(w.paths) == 0 && w.partition == 0 && len(w.plan.PartitionBy) == 0 {
			if _, err := w.sink(c, "", conf); err != nil { // a file with the schema, though there are no rows
				return err
			}
		}
		for k, s := range w.sinks {
			delete(w.sinks, k)
			if err := s.close(c); err != nil {
				return err
			}
		}
		for _, p := range w.paths {
			st, err := os.Stat(p)
			if err != nil {
				return err
			}
			bytes += st.Size()
		}
		return nil
	})
	if err != nil {
		return nil, w.fail(err)
	}
	w.done = true
	out := &vec.Batch{N: 1}
	for i, x := range []any{w.id, w.rows, bytes} {
		v, err := vec.Repeat(w.Schema()[i], x, 1)
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, v)
	}
	return out, nil
}

// put writes rows to the file of a folder, or to several if one takes only so many.
func (w *write) put(c *task.Ctx, folder string, b *vec.Batch, conf *task.Conf) error {
	for at := 0; at < b.N; {
		if s := w.sinks[folder]; s != nil && w.most > 0 && w.filled[folder] >= w.most {
			delete(w.sinks, folder)
			if err := s.close(c); err != nil {
				return err
			}
		}
		s, err := w.sink(c, folder, conf)
		if err != nil {
			return err
		}
		part := b
		if w.most > 0 {
			end := int(min(int64(b.N), int64(at)+w.most-w.filled[folder]))
			part = &vec.Batch{N: end - at}
			for _, v := range b.Cols {
				part.Cols = append(part.Cols, v.Slice(at, end))
			}
			w.filled[folder] += int64(part.N)
		}
		if err := s.write(c, part); err != nil {
			return err
		}
		at += part.N
	}
	return nil
}

// folders deals the rows of b to their partition folders.
func (w *write) folders(c *task.Ctx, b *vec.Batch, conf *task.Conf) (map[string][]int32, error) {
	out := map[string][]int32{}
	zone := conf.TimeZone
	if zone == nil {
		zone = time.UTC
	}
	var text []byte
	for i := range b.N {
		if i&1023 == 1023 {
			if err := c.Yield(); err != nil {
				return nil, err
			}
		}
		var path strings.Builder
		for k, col := range w.plan.PartitionBy {
			if k > 0 {
				path.WriteByte('/')
			}
			path.WriteString(escapeFolder(w.plan.Cols[col].Name))
			path.WriteByte('=')
			text = text[:0]
			if !b.Cols[col].IsNull(i) {
				text = fn.AppendCast(text, b.Cols[col], i, zone, conf.ANSI)
			}
			if len(text) == 0 {
				path.WriteString(nullPartition)
			} else {
				path.WriteString(escapeFolder(string(text)))
			}
		}
		out[path.String()] = append(out[path.String()], int32(i))
	}
	return out, nil
}

// escapeFolder writes the characters that file systems don't take as %XX (as Hive does).
func escapeFolder(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func (w *write) sink(c *task.Ctx, folder string, conf *task.Conf) (sink, error) {
	if s := w.sinks[folder]; s != nil {
		return s, nil
	}
	for k, s := range w.sinks { // one of the open ones has to go
		if len(w.sinks) < maxOpen {
			break
		}
		delete(w.sinks, k)
		if err := s.close(c); err != nil {
			return nil, err
		}
	}
	ext := map[string]string{"parquet": ".parquet", "json": ".json", "text": ".txt", "xml": ".xml"}[w.format]
	if w.format == "csv" {
		var err error
		if ext, err = csvExtension(w.opts); err != nil {
			return nil, err
		}
	}
	if w.format != "parquet" {
		ext += textCodecs[codecName(w.format, w.opts)]
	} else {
		switch w.parquet.codec {
		case compress.Codecs.Snappy:
			ext = ".snappy" + ext
		case compress.Codecs.Gzip:
			ext = ".gz" + ext
		case compress.Codecs.Zstd:
			ext = ".zstd" + ext
		case compress.Codecs.Brotli:
			ext = ".br" + ext
		case compress.Codecs.Lz4Raw:
			ext = ".lz4raw" + ext
		}
	}
	mark := "-c"
	if len(w.plan.PartitionBy) > 0 {
		mark = ".c"
	}
	path := filepath.Join(w.plan.Path, folder, fmt.Sprintf("part-%05d-%s%s%03d%s", w.partition, w.id, mark, w.files[folder], ext))
	w.files[folder]++
	w.filled[folder] = 0
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	fh, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w.paths = append(w.paths, path)
	var s sink
	if w.format == "parquet" {
		s, err = newParquetSink(fh, w.cols, w.parquet, &w.slabs)
	} else {
		s, err = newTextSink(fh, w.format, w.cols, w.opts, conf)
	}
	if err != nil {
		fh.Close()
		return nil, err
	}
	w.sinks[folder] = s
	return s, nil
}
