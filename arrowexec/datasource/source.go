// Package datasource reads and writes files: it opens a source by format and
// paths (Open), divides it among tasks (Partitions), and makes the operators
// that scan and write (NewScan, NewWrite).
//
// A scan applies all its filters exactly: no filter is needed above it.
package datasource

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/physical"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// OpenArgs are what DataFrameReader gives. Option names are case-insensitive.
type OpenArgs struct {
	Format    string
	Options   map[string]string
	Paths     []string
	Schema    *types.Type // nil: infer
	Streaming bool
	Conf      map[string]string // the session's settings
	// Table, of a table of the catalog: Paths is its folder, which need not exist, and Schema is given.
	Table *TableFiles

	inline []byte // of OpenRows
}

// Files is an opened folder or list of files; it implements plan.Source.
type Files struct {
	format string
	opts   map[string]string // names in lower case
	paths  []string
	roots  []string // paths without globs
	files  []fileInfo
	data   *types.Type // columns in the files
	schema *types.Type // data, then the partition columns, or as order has it
	order  []int       // of schema's columns: where they are in data or, behind these, among the partition columns; nil: in that order
	parts  int         // partition columns
	zone   *time.Location
	text   *textOptions  // of text formats
	kinds  inferSettings // of Parquet
	reads  readSettings
	values [][]any     // of files: the partition columns' values
	known  *plan.Stats // from the catalog
	table  *TableFiles // nil: no table of the catalog
	inline []byte      // the content of the one file of OpenRows
	// rowIndex is the inner place of the rows' numbers within their files; 0: there is none
	rowIndex int
	absent   []any // of data columns: the value in files that haven't the column
}

// Canonical says what the source reads: sources that say the same read the same
// folders in the same way, though maybe not the same files, as these come and go.
func (f *Files) Canonical() string {
	corrupt := ""
	if f.text != nil {
		corrupt = f.text.corrupt
	}
	return fmt.Sprintf("%s %q %q %v %s %s %q %s%s", f.format, f.paths, f.roots, f.opts, f.zone, f.reads, corrupt, f.schema.SQL(), digest(f.inline))
}

// Reads reports whether the source reads path, a folder or a file, or anything below or above it.
func (f *Files) Reads(path string) bool {
	path = strings.TrimSuffix(path, "/") + "/"
	for _, r := range f.roots {
		if r = strings.TrimSuffix(r, "/") + "/"; strings.HasPrefix(r, path) || strings.HasPrefix(path, r) {
			return true
		}
	}
	return false
}

// formats lists the options that each format reads. Options of all file sources are in common.
var formats = map[string][]string{
	"parquet": {"mergeschema", "datetimerebasemode", "int96rebasemode"},
	"text":    {"wholetext", "linesep"},
	"csv": {"columnpruning", "header", "sep", "delimiter", "quote", "escape", "chartoescapequoteescaping", "nullvalue", "emptyvalue", "nanvalue", "positiveinf", "negativeinf", "inferschema", "preferdate", "mode",
		"columnnameofcorruptrecord", "ignoreleadingwhitespace", "ignoretrailingwhitespace", "comment", "encoding", "charset", "linesep", "multiline", "samplingratio", "enforceschema",
		"maxcolumns", "maxcharspercolumn", "unescapedquotehandling", "dateformat", "timestampformat", "timestampntzformat", "timezone", "locale"},
	"json": {"mode", "columnnameofcorruptrecord", "primitivesasstring", "prefersdecimal", "infertimestamp", "multiline", "encoding", "charset", "linesep", "samplingratio", "dropfieldifallnull",
		"allowcomments", "allowunquotedfieldnames", "allowsinglequotes", "allownumericleadingzeros", "allownonnumericnumbers", "allowbackslashescapinganycharacter", "allowunquotedcontrolchars",
		"dateformat", "timestampformat", "timestampntzformat", "timezone", "locale"},
}

var common = []string{"path", "paths", "basepath", "pathglobfilter", "recursivefilelookup", "header", "ignorecorruptfiles", "ignoremissingfiles", "modifiedbefore", "modifiedafter"}

// refused are options of Spark's that change what is read, and aren't supported.
var refused = []string{"singlevariantcolumn", "maxnestingdepth", "maxnumlen", "maxstringlen"}

// streaming are options that the micro-batch driver handles, not the reader.
var streaming = []string{"maxfilespertrigger", "maxbytespertrigger", "latestfirst", "filenameonly", "maxfileage", "maxcachedfiles", "discardcachedinputratio", "cleansource", "sourcearchivedir"}

// known are Spark's formats that are not read here.
var known = []string{"orc", "avro", "xml", "jdbc", "binaryfile", "libsvm", "image", "delta", "iceberg", "kafka", "hive"}

// Open lists the files of a source and finds its schema.
func Open(ctx context.Context, a OpenArgs) (plan.Source, error) {
	var err error
	f := &Files{format: strings.ToLower(a.Format), opts: map[string]string{}}
	if i := strings.LastIndexByte(f.format, '.'); i >= 0 && strings.HasPrefix(f.format, "org.apache.spark.sql") {
		f.format = f.format[i+1:]
	}
	optionNames, ok := formats[f.format]
	if !ok {
		if slices.Contains(known, f.format) {
			return nil, errs.NotSupported("data source " + a.Format)
		}
		return nil, errs.New(errs.Analysis, "DATA_SOURCE_NOT_FOUND", "provider", a.Format)
	}
	for k, v := range a.Options {
		k = strings.ToLower(k)
		if slices.Contains(refused, k) {
			return nil, errs.NotSupported("option " + k + " of " + f.format)
		}
		if slices.Contains(optionNames, k) || slices.Contains(common, k) || a.Streaming && slices.Contains(streaming, k) {
			f.opts[k] = v // others mean nothing to the format, in Spark too
		}
	}
	if err := tolerance(f.opts, a.Conf); err != nil {
		return nil, err
	}
	if f.zone, err = sessionZone(a.Conf, f.opts); err != nil {
		return nil, err
	}
	if f.text, err = newTextOptions(f.format, f.opts, a.Conf, f.zone); err != nil {
		return nil, err
	}
	f.reads.exact = boolConf(a.Conf, "spark.sql.caseSensitive")
	if f.format == "parquet" {
		f.kinds = newInferSettings(a.Conf)
		if f.reads, err = newReadSettings(f.opts, a.Conf, f.zone); err != nil {
			return nil, err
		}
	}
	paths := a.Paths
	if p := f.opts["path"]; p != "" && len(paths) == 0 {
		paths = []string{p}
	}
	if len(paths) == 0 && a.inline == nil {
		return nil, errs.New(errs.Analysis, "UNABLE_TO_INFER_SCHEMA", "format", formatName(f.format))
	}
	l := &listing{files: []fileInfo{{path: "(rows)", size: int64(len(a.inline))}}}
	if f.inline = a.inline; f.inline == nil {
		if l, err = a.Table.list(paths, f.opts, f.reads.exact); err != nil {
			return nil, err
		}
	}
	if l.files, err = between(l.files, f.opts, f.zone); err != nil {
		return nil, err
	}
	f.files, f.paths, f.roots = l.files, paths, l.roots
	if f.format == "parquet" { // Spark's readers pass over files without a byte, which hold no rows in other formats
		f.files = slices.DeleteFunc(f.files, func(i fileInfo) bool { return i.size == 0 })
	}
	if a.Table != nil {
		f.known, f.table = a.Table.Stats, a.Table
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.data = a.Schema; f.data == nil {
		if f.data, err = f.infer(ctx, a, l.summaries); err != nil {
			return nil, err
		}
	}
	if a.Schema != nil {
		if err := f.readable(); err != nil {
			return nil, err
		}
	}
	if err := sameNames(f.data, !f.reads.exact); err != nil {
		return nil, err
	}
	infer := !strings.EqualFold(a.Conf["spark.sql.sources.partitionColumnTypeInference.enabled"], "false")
	if err := f.setPartitions(l.names, partitionTypes(l.files, l.names, infer), a.Schema != nil); err != nil {
		return nil, err
	}
	return f, f.setAbsent()
}

// readable refuses columns of a given schema that the format can't hold, even if nobody reads them.
func (f *Files) readable() error {
	if f.format == "text" {
		for _, c := range f.data.Fields {
			if !c.Type.IsString() {
				return errs.New(errs.Analysis, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", formatName(f.format), "columnName", errs.ID(c.Name), "columnType", errs.Quote(c.Type.SQL()))
			}
		}
		return oneColumn(len(f.data.Fields))
	}
	for _, c := range f.data.Fields {
		var err error
		switch f.format {
		case "csv":
			_, err = f.text.csvConvert(c.Name, c.Type)
		case "json":
			err = jsonReads(c.Type)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setAbsent finds, in the metadata of a table's columns, the values of rows that are older than the column.
func (f *Files) setAbsent() error {
	f.absent = make([]any, len(f.data.Fields))
	for i, c := range f.data.Fields {
		if !strings.Contains(c.Metadata, "EXISTS_DEFAULT") {
			continue
		}
		var meta struct {
			Value *string `json:"EXISTS_DEFAULT"`
		}
		if err := json.Unmarshal([]byte(c.Metadata), &meta); err != nil || meta.Value == nil {
			continue
		}
		v, err := partitionValue(*meta.Value, c.Name, c.Type, f.zone)
		if err != nil {
			return err
		}
		f.absent[i] = v
	}
	return nil
}

// sessionZone is the zone that times without one are in.
func sessionZone(conf, opts map[string]string) (*time.Location, error) {
	id := opts["timezone"]
	if id == "" {
		if id = conf["spark.sql.session.timeZone"]; id == "" {
			return time.UTC, nil
		}
	}
	zone, err := types.LoadZone(id)
	if err != nil {
		return nil, errs.New(errs.DateTime, "INVALID_TIMEZONE", "timeZone", id).Because(err)
	}
	return zone, nil
}

func formatName(f string) string {
	switch f {
	case "parquet":
		return "Parquet"
	case "text":
		return "Text"
	}
	return strings.ToUpper(f)
}

// setPartitions adds the partition columns, of types ts. Those that a given schema has are of its type, and last. Those that
// the files have too stay where they are there, but have the folders' values.
func (f *Files) setPartitions(names []string, ts []*types.Type, given bool) error {
	same := func(a, b string) bool { return a == b || !f.reads.exact && strings.EqualFold(a, b) }
	partOf := func(name string) int { return slices.IndexFunc(names, func(n string) bool { return same(n, name) }) }
	parts := make([]types.Field, len(names))
	for i, n := range names {
		parts[i] = types.Field{Name: n, Type: ts[i], Nullable: true}
	}
	var data, all []types.Field
	var order []int
	mixed := make([]bool, len(names))
	for _, c := range f.data.Fields {
		k := partOf(c.Name)
		if k >= 0 && given {
			parts[k] = types.Field{Name: c.Name, Type: c.Type, Nullable: true}
			continue
		}
		c = types.Field{Name: c.Name, Type: nullable(c.Type), Nullable: true, Metadata: c.Metadata}
		data = append(data, c)
		if k >= 0 {
			mixed[k] = true
			all, order = append(all, parts[k]), append(order, len(f.data.Fields)+k)
		} else {
			all, order = append(all, c), append(order, len(data)-1)
		}
	}
	for k, p := range parts {
		if !mixed[k] {
			all, order = append(all, p), append(order, len(data)+k)
		}
	}
	f.data = types.NewStruct(data...)
	f.schema = types.NewStruct(all...)
	if slices.Contains(mixed, true) {
		f.order = order
	}
	f.parts = len(parts)
	f.values = make([][]any, len(f.files))
	for i, file := range f.files {
		for k, s := range file.parts {
			v, err := partitionValue(s, names[k], parts[k].Type, f.zone)
			if err != nil {
				return err
			}
			f.values[i] = append(f.values[i], v)
		}
	}
	return nil
}

// inner is where columns of the schema are: of data, or behind these, of the folders.
func (f *Files) inner(cols []int) []int {
	if f.order == nil {
		return cols
	}
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = f.order[c]
	}
	return out
}

// partition is column k of the folders.
func (f *Files) partition(k int) *types.Field {
	at := len(f.data.Fields) + k
	if f.order != nil {
		at = slices.Index(f.order, at)
	}
	return &f.schema.Fields[at]
}

// addColumn adds a column to the schema, the last, that is constant within a file: f.values must have it. It returns its inner place.
func (f *Files) addColumn(x types.Field) int {
	f.schema = types.NewStruct(append(slices.Clone(f.schema.Fields), x)...)
	at := len(f.data.Fields) + f.parts
	if f.order != nil {
		f.order = append(slices.Clone(f.order), at)
	}
	f.parts++
	return at
}

// PartitionNames are the columns whose values come from paths.
func (f *Files) PartitionNames() []string {
	out := make([]string, f.parts)
	for k := range out {
		out[k] = f.partition(k).Name
	}
	return out
}

// oneColumn refuses text of more or fewer columns than one: it holds lines.
func oneColumn(n int) error {
	if n == 1 {
		return nil
	}
	return errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1290", "schemaSize", strconv.Itoa(n))
}

// nullable makes all of a type nullable, as file sources do.
func nullable(t *types.Type) *types.Type {
	switch t.Kind {
	case types.Array:
		return types.NewArray(nullable(t.Elem), true)
	case types.Map:
		return types.NewMap(nullable(t.Key), nullable(t.Elem), true)
	case types.Struct:
		c := *t
		c.Fields = slices.Clone(t.Fields)
		for i := range c.Fields {
			c.Fields[i].Nullable = true
			c.Fields[i].Type = nullable(c.Fields[i].Type)
		}
		return &c
	}
	return t
}

// infer finds the columns of the files; those of Parquet may have summaries.
func (f *Files) infer(ctx context.Context, a OpenArgs, summaries []fileInfo) (*types.Type, error) {
	switch f.format {
	case "text":
		return types.NewStruct(types.Field{Name: "value", Type: types.StringType, Nullable: true}), nil
	case "parquet":
		return f.inferParquet(summaries, a.Conf)
	}
	if len(f.files) == 0 {
		return nil, errs.New(errs.Analysis, "UNABLE_TO_INFER_SCHEMA", "format", formatName(f.format))
	}
	return f.inferText(ctx)
}

// Format implements plan.Source.
func (f *Files) Format() string { return f.format }

// Schema implements plan.Source.
func (f *Files) Schema() *types.Type { return f.schema }

// PartitionColumns implements plan.Source.
func (f *Files) PartitionColumns() int { return f.parts }

// Paths are the files, in the order in which they are read.
func (f *Files) Paths() []string {
	out := make([]string, len(f.files))
	for i := range f.files {
		out[i] = f.files[i].path
	}
	return out
}

// Options are the reader's options, names in lower case.
func (f *Files) Options() map[string]string { return maps.Clone(f.opts) }

// Stats implements plan.Source: rows, sizes and column statistics from
// Parquet footers, sizes alone of other formats.
func (f *Files) Stats() plan.Stats {
	st := plan.Stats{Rows: -1}
	for _, file := range f.files {
		st.Bytes += file.size
	}
	if f.format == "parquet" {
		f.parquetStats(&st)
	}
	if f.known != nil {
		if st.Rows < 0 {
			st.Rows = f.known.Rows
		}
		for i := range f.known.Cols {
			if len(st.Cols) < len(f.known.Cols) {
				st.Cols = append(st.Cols, f.known.Cols[len(st.Cols):]...)
				break
			}
			if c := &st.Cols[i]; c.Distinct < 0 {
				c.Distinct = f.known.Cols[i].Distinct
			}
		}
	}
	return st
}

// maxTaskBytes is what one task reads at most (Spark: spark.sql.files.maxPartitionBytes).
const maxTaskBytes = 128 << 20

// minTaskBytes is what is worth a task of its own: some milliseconds of work, while a task costs 0.1.
const minTaskBytes = 512 << 10

// Partitions is how many tasks a scan should have where slots tasks run at
// once: one for small data, at least two a slot from 32 MiB on.
func Partitions(s *physical.Scan, slots int) int {
	f, ok := s.Source.(*Files)
	if !ok {
		return 1
	}
	us, err := f.units(f.inner(s.Cols))
	if err != nil {
		return 1 // the task will say why
	}
	total := int64(0)
	for _, u := range us {
		total += u.bytes
	}
	slots = max(slots, 1)
	n := int(min(total/minTaskBytes, int64(slots)))
	if total > 32<<20 {
		n = 2 * slots
	}
	n = max(n, int((total+maxTaskBytes-1)/maxTaskBytes), 1)
	if f.format == "parquet" {
		n = min(n, max(1, len(us)))
	}
	return n
}

// unit is what is read in one go: a row group, or a range of bytes of a file.
type unit struct {
	file     int
	rowGroup int
	bytes    int64
	from, to int64 // of text formats
}

// units lists what a scan of those columns reads, in file order.
func (f *Files) units(cols []int) ([]unit, error) {
	var out []unit
	for i, file := range f.files {
		if f.format != "parquet" {
			if file.size > 0 {
				out = append(out, unit{file: i, bytes: file.size, to: file.size})
			}
			continue
		}
		ft, err := scannedFooter(file)
		if err != nil {
			if f.passes(err) {
				continue
			}
			return nil, err
		}
		for g := range ft.meta.NumRowGroups() {
			out = append(out, unit{file: i, rowGroup: g, bytes: ft.bytes(g, f, cols)})
		}
	}
	return out, nil
}

// share is the units of partition p of n: contiguous, balanced by bytes. Text
// files that aren't compressed are cut anywhere; the reader goes by whole lines.
func share(us []unit, p, n int, cut func(u unit) bool) []unit {
	total := int64(0)
	for _, u := range us {
		total += u.bytes
	}
	lo, hi := mulDiv(total, p, n), mulDiv(total, p+1, n)
	var out []unit
	at := int64(0)
	for i, u := range us {
		from, to := at, at+u.bytes
		at = to
		if cut(u) {
			a, b := max(from, lo), min(to, hi)
			if a < b {
				out = append(out, unit{file: u.file, bytes: b - a, from: a - from, to: b - from})
			}
			continue
		}
		// An empty row group has no middle of its own: it goes by its place.
		mid := from + u.bytes/2
		if total == 0 {
			if i*n/len(us) == p {
				out = append(out, u)
			}
		} else if mid >= lo && (mid < hi || p == n-1) {
			out = append(out, u)
		}
	}
	return out
}

func mulDiv(total int64, p, n int) int64 {
	return total/int64(n)*int64(p) + total%int64(n)*int64(p)/int64(n)
}
