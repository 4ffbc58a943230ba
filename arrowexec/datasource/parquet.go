package datasource

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// rowMetadata is the key under which Spark keeps a file's schema as JSON.
const rowMetadata = "org.apache.spark.sql.parquet.row.metadata"

// Other keys of footers: what wrote the file, and which calendar old days and instants are in.
const (
	sparkVersion   = "org.apache.spark.version"
	writtenAs      = "4.3.0" // what the file is like
	legacyDateTime = "org.apache.spark.legacyDateTime"
	legacyInt96    = "org.apache.spark.legacyINT96"
	rebaseZone     = "org.apache.spark.timeZone"
)

// footer is a Parquet file's metadata.
type footer struct {
	meta   *metadata.FileMetaData
	kinds  sync.Map                                       // inferSettings to the schema with these
	leaves [][]int                                        // leaf columns of each field of schema
	names  map[string][]int                               // positions of columns, by name in lower case
	stats  sync.Map                                       // leafKey to leafStats
	chunks []atomic.Pointer[metadata.ColumnChunkMetaData] // by row group and leaf, made when they are asked for: that isn't cheap
	ids    bool                                           // columns have numbers
	// What the footer says of calendars, if Spark wrote it.
	spark        bool
	java         bool // Parquet's Java library wrote it
	dates, int96 rebaseMode
	zone         *time.Location

	pages []atomic.Pointer[[]chunkPage] // the same, where the chunk has been read
}

// chunk is the metadata of a leaf column in row group g.
func (ft *footer) chunk(g, leaf int) (*metadata.ColumnChunkMetaData, error) {
	at := &ft.chunks[g*ft.meta.Schema.NumColumns()+leaf]
	if cc := at.Load(); cc != nil {
		return cc, nil
	}
	cc, err := ft.meta.RowGroup(g).ColumnChunk(leaf)
	if err == nil {
		at.Store(cc)
	}
	return cc, err
}

// pagesOf are the pages of a leaf column in row group g, nil before the chunk has been read.
func (ft *footer) pagesOf(g, leaf int) *atomic.Pointer[[]chunkPage] {
	return &ft.pages[g*ft.meta.Schema.NumColumns()+leaf]
}

type footerKey struct {
	path        string
	size, mtime int64
}

// footers caches footers by path, size and time of change. It starts anew when it is full.
var footers = struct {
	sync.Mutex
	m map[footerKey]*footer
}{m: map[footerKey]*footer{}}

const maxFooters = 4096

func readFooter(f fileInfo) (ft *footer, err error) {
	key := footerKey{f.path, f.size, f.mtime}
	footers.Lock()
	ft = footers.m[key]
	footers.Unlock()
	if ft != nil {
		return ft, nil
	}
	bad := func(cause error) error {
		if os.IsNotExist(cause) {
			return errs.New(errs.FileNotFound, "FAILED_READ_FILE.FILE_NOT_EXIST", "path", "file://"+f.path).Because(cause)
		}
		return errs.New(errs.Execution, "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER", "path", "file:"+f.path).Because(cause)
	}
	defer func() { // the metadata reader panics on some broken files
		if p := recover(); p != nil {
			ft, err = nil, bad(errs.Panic(p))
		}
	}()
	fh, err := os.Open(f.path)
	if err != nil {
		return nil, bad(err)
	}
	defer fh.Close()
	r, err := file.NewParquetReader(fh)
	if err != nil {
		return nil, bad(err)
	}
	ft = &footer{meta: r.MetaData()}
	ft.chunks = make([]atomic.Pointer[metadata.ColumnChunkMetaData], ft.meta.NumRowGroups()*ft.meta.Schema.NumColumns())
	ft.pages = make([]atomic.Pointer[[]chunkPage], len(ft.chunks))
	if err := ft.convert(); err != nil {
		if _, ok := errs.As(err); ok {
			return nil, err
		}
		return nil, bad(err)
	}
	footers.Lock()
	if len(footers.m) >= maxFooters {
		clear(footers.m)
	}
	footers.m[key] = ft
	footers.Unlock()
	return ft, nil
}

// scannedFooter is readFooter for a scan, where Spark doesn't tell a broken footer from anything else that breaks a file.
func scannedFooter(f fileInfo) (*footer, error) {
	ft, err := readFooter(f)
	if e, ok := errs.As(err); ok && e.Condition == "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER" {
		return nil, errs.New(errs.Execution, "FAILED_READ_FILE.NO_HINT", "path", "file://"+f.path).Because(e.Cause)
	}
	return ft, err
}

// convert finds the SQL types of the file's columns.
func (ft *footer) convert() error {
	sc := ft.meta.Schema
	root := sc.Root()
	ft.leaves = make([][]int, root.NumFields())
	for i := range sc.NumColumns() {
		k := root.FieldIndexByField(sc.ColumnRoot(i))
		if k < 0 {
			return errCorrupt
		}
		ft.leaves[k] = append(ft.leaves[k], i)
	}
	ft.names = map[string][]int{}
	for i := range root.NumFields() {
		name := strings.ToLower(root.Field(i).Name())
		ft.names[name] = append(ft.names[name], i)
	}
	for i := range root.NumFields() {
		ft.ids = ft.ids || nodeHasIDs(root.Field(i))
	}
	ft.marks()
	return nil
}

// schemaOf is the schema of the file's columns: as Spark wrote it down, or by their Parquet types.
func (ft *footer) schemaOf(s inferSettings) (*types.Type, error) {
	if t, ok := ft.kinds.Load(s); ok {
		return t.(*types.Type), nil
	}
	sc := ft.meta.Schema
	if kv := ft.meta.KeyValueMetadata(); kv != nil {
		if text := kv.FindValue(rowMetadata); text != nil {
			if t, err := types.ParseJSON(*text); err == nil && t.Kind == types.Struct {
				ft.kinds.Store(s, t)
				return t, nil
			}
		}
	}
	out := types.NewStruct()
	root := sc.Root()
	for i := range root.NumFields() {
		t, err := typeOfNode(sc, root.Field(i), s)
		if err != nil {
			return nil, err
		}
		out.Fields = append(out.Fields, types.Field{Name: root.Field(i).Name(), Type: t, Nullable: root.Field(i).RepetitionType() == parquet.Repetitions.Optional})
	}
	ft.kinds.Store(s, out)
	return out, nil
}

// leafType is the SQL type of a primitive column (Spark: ParquetToSparkSchemaConverter).
func leafType(c *schema.Column, s inferSettings) (*types.Type, error) {
	refuse := func() (*types.Type, error) {
		name := physicalTypeName(c.PhysicalType())
		if a := annotation(c.LogicalType()); a != "" {
			name += " (" + a + ")"
		}
		return nil, errs.New(errs.Analysis, "PARQUET_TYPE_ILLEGAL", "parquetType", name)
	}
	switch lt := c.LogicalType().(type) {
	case schema.DecimalLogicalType:
		if lt.Precision() > types.MaxPrecision {
			return nil, errs.New(errs.Arithmetic, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", strconv.Itoa(int(lt.Precision())), "maxPrecision", strconv.Itoa(types.MaxPrecision))
		}
		if lt.Precision() < 1 || lt.Scale() < 0 || lt.Scale() > lt.Precision() {
			return refuse()
		}
		return types.NewDecimal(int(lt.Precision()), int(lt.Scale())), nil
	case schema.StringLogicalType, schema.EnumLogicalType, schema.JSONLogicalType:
		return types.StringType, nil
	case schema.DateLogicalType:
		return types.DateType, nil
	case schema.TimestampLogicalType:
		if lt.TimeUnit() == schema.TimeUnitNanos {
			if s.nanosAsLong {
				return types.Int64Type, nil
			}
			return refuse()
		}
		if lt.IsAdjustedToUTC() {
			return types.TimestampType, nil
		}
		if s.ntzAsLTZ {
			return types.TimestampType, nil
		}
		return types.TimestampNTZType, nil
	case schema.NullLogicalType:
		return types.NullType, nil
	case schema.TimeLogicalType:
		if lt.TimeUnit() == schema.TimeUnitMicros && !lt.IsAdjustedToUTC() {
			return types.TimeType, nil
		}
		if lt.TimeUnit() == schema.TimeUnitNanos && !lt.IsAdjustedToUTC() {
			return &types.Type{Kind: types.Time, Precision: 9}, nil
		}
		return refuse()
	case schema.Float16LogicalType, schema.UUIDLogicalType, schema.IntervalLogicalType:
		return refuse()
	case schema.BSONLogicalType:
		return types.BinaryType, nil
	case schema.IntLogicalType:
		switch w := lt.BitWidth(); {
		case lt.IsSigned() && w == 8:
			return types.Int8Type, nil
		case lt.IsSigned() && w == 16, !lt.IsSigned() && w == 8:
			return types.Int16Type, nil
		case lt.IsSigned() && w == 32, !lt.IsSigned() && w == 16:
			return types.Int32Type, nil
		case lt.IsSigned() && w == 64, !lt.IsSigned() && w == 32:
			return types.Int64Type, nil
		}
		return types.NewDecimal(20, 0), nil
	}
	switch c.PhysicalType() {
	case parquet.Types.Boolean:
		return types.BoolType, nil
	case parquet.Types.Int32:
		return types.Int32Type, nil
	case parquet.Types.Int64:
		return types.Int64Type, nil
	case parquet.Types.Int96:
		if s.int96AsOther {
			return nil, errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_3071", "msg", "INT96 is read as a timestamp only: set spark.sql.parquet.int96AsTimestamp to true.")
		}
		return types.TimestampType, nil
	case parquet.Types.Float:
		return types.Float32Type, nil
	case parquet.Types.Double:
		return types.Float64Type, nil
	case parquet.Types.ByteArray:
		if s.binaryAsString {
			return types.StringType, nil
		}
		return types.BinaryType, nil
	case parquet.Types.FixedLenByteArray:
		return types.BinaryType, nil
	}
	return refuse()
}

// find is the position of a column in the file, by its name or number; -1 when it has none.
func (ft *footer) find(f *types.Field, s readSettings) (int, error) {
	root := ft.meta.Schema.Root()
	if id, ok := s.id(f); ok {
		return numbered(root, id)
	}
	return one(root, f.Name, ft.names[strings.ToLower(f.Name)], s)
}

// id is the number by which a field is to be found, if it isn't by its name.
func (s readSettings) id(f *types.Field) (int32, bool) {
	if !s.ids {
		return 0, false
	}
	return fieldID(f.Metadata)
}

// numbered is the position of the field of g with that number; -1 when there is none.
func numbered(g *schema.GroupNode, id int32) (int, error) {
	at := -1
	for k := range g.NumFields() {
		if g.Field(k).FieldID() != id {
			continue
		}
		if at >= 0 {
			return -1, ambiguous(g, strconv.Itoa(int(id)), []int{at, k})
		}
		at = k
	}
	return at, nil
}

// hasIDs reports whether a field of t, at any depth, has a number in files.
func hasIDs(t *types.Type) bool {
	for i := range t.Fields {
		if _, ok := fieldID(t.Fields[i].Metadata); ok || hasIDs(t.Fields[i].Type) {
			return true
		}
	}
	return t.Key != nil && hasIDs(t.Key) || t.Elem != nil && hasIDs(t.Elem)
}

// nodeHasIDs is hasIDs of what a file has.
func nodeHasIDs(n schema.Node) bool {
	if n.FieldID() >= 0 {
		return true
	}
	if g, ok := n.(*schema.GroupNode); ok {
		for k := range g.NumFields() {
			if nodeHasIDs(g.Field(k)) {
				return true
			}
		}
	}
	return false
}

// annotation is a logical type as Parquet's Java library writes it, "" if it is none that readers refuse.
func annotation(t schema.LogicalType) string {
	utc := func(on bool) string { return "," + strconv.FormatBool(on) + ")" }
	unit := func(u schema.TimeUnitType) string {
		return map[schema.TimeUnitType]string{schema.TimeUnitMillis: "MILLIS", schema.TimeUnitMicros: "MICROS", schema.TimeUnitNanos: "NANOS"}[u]
	}
	switch t := t.(type) {
	case schema.TimeLogicalType:
		return "TIME(" + unit(t.TimeUnit()) + utc(t.IsAdjustedToUTC())
	case schema.TimestampLogicalType:
		return "TIMESTAMP(" + unit(t.TimeUnit()) + utc(t.IsAdjustedToUTC())
	case schema.DecimalLogicalType:
		return "DECIMAL(" + strconv.Itoa(int(t.Precision())) + "," + strconv.Itoa(int(t.Scale())) + ")"
	case schema.IntLogicalType:
		return "INTEGER(" + strconv.Itoa(int(t.BitWidth())) + utc(t.IsSigned())
	case schema.Float16LogicalType:
		return "FLOAT16"
	case schema.UUIDLogicalType:
		return "UUID"
	case schema.IntervalLogicalType:
		return "INTERVAL"
	}
	return ""
}

// one is that of the fields of g, which have the name but for its case, that is meant; -1 if it is none of them.
func one(g *schema.GroupNode, name string, fields []int, s readSettings) (int, error) {
	if s.exact {
		for _, k := range fields {
			if g.Field(k).Name() == name {
				return k, nil
			}
		}
		return -1, nil
	}
	switch len(fields) {
	case 0:
		return -1, nil
	case 1:
		return fields[0], nil
	}
	return -1, ambiguous(g, name, fields)
}

// ambiguous is the error of a column whose number, or name whatever the case of its letters, is that of several in the file.
func ambiguous(g *schema.GroupNode, name string, fields []int) error {
	found := make([]string, len(fields))
	for i, k := range fields {
		found[i] = g.Field(k).Name()
	}
	return &unreadable{fmt.Errorf("more than one field is %q for readers: %q", name, found)}
}

// unreadable is what keeps a file from being read; chunks.named names the file.
type unreadable struct{ cause error }

func (u *unreadable) Error() string { return u.cause.Error() }
func (u *unreadable) Unwrap() error { return u.cause }

// bytes is the stored size of the columns of row group g that a scan of cols reads.
func (ft *footer) bytes(g int, f *Files, cols []int) int64 {
	n := int64(0)
	for _, c := range cols {
		if c >= len(f.data.Fields) {
			continue
		}
		if i, err := ft.find(&f.data.Fields[c], f.reads); err == nil && i >= 0 {
			for _, leaf := range ft.leaves[i] {
				if cc, err := ft.chunk(g, leaf); err == nil {
					n += max(0, cc.TotalCompressedSize())
				}
			}
		}
	}
	return n
}

// chunkRange is where a column chunk lies in its file.
func chunkRange(cc *metadata.ColumnChunkMetaData, size int64) (from, n int64, err error) {
	from = cc.DataPageOffset()
	if cc.HasDictionaryPage() {
		if d := cc.DictionaryPageOffset(); d > 0 && d < from {
			from = d
		}
	}
	n = cc.TotalCompressedSize()
	if from < 0 || n < 0 || from > size || n > size-from {
		return 0, 0, errCorrupt
	}
	return from, n, nil
}

// ownEncodings reports whether column reads all pages of the chunk.
func ownEncodings(cc *metadata.ColumnChunkMetaData) bool {
	for _, e := range cc.Encodings() {
		switch e {
		case parquet.Encodings.Plain, parquet.Encodings.PlainDict, parquet.Encodings.RLE, parquet.Encodings.RLEDict:
		default:
			return false
		}
	}
	return true
}

// statValues gives a chunk's smallest and greatest value in the form of literals; nil when unknown.
func statValues(cc *metadata.ColumnChunkMetaData, leaf *schema.Column, t *types.Type) (lo, hi any, nulls int64) {
	nulls = -1
	defer func() {
		if recover() != nil { // broken statistics are no statistics
			lo, hi, nulls = nil, nil, -1
		}
	}()
	if ok, err := cc.StatsSet(); err != nil || !ok {
		return
	}
	st, err := cc.Statistics()
	if err != nil || st == nil {
		return
	}
	if st.HasNullCount() {
		nulls = st.NullCount()
	}
	if !st.HasMinMax() {
		return
	}
	if it, ok := leaf.LogicalType().(schema.IntLogicalType); ok && !it.IsSigned() {
		return
	}
	num := func(x int64) any {
		switch t.Kind {
		case types.Int8:
			if x == int64(int8(x)) { // else values have lost bits, and their order
				return int8(x)
			}
		case types.Int16:
			if x == int64(int16(x)) {
				return int16(x)
			}
		case types.Int32, types.Date:
			if x == int64(int32(x)) {
				return int32(x)
			}
		case types.Int64:
			return x
		case types.Decimal:
			if d, ok := leaf.LogicalType().(schema.DecimalLogicalType); ok && int(d.Scale()) == t.Scale {
				return types.I128(x)
			}
		case types.Timestamp, types.TimestampNTZ:
			if ts, ok := leaf.LogicalType().(schema.TimestampLogicalType); ok && ts.TimeUnit() == schema.TimeUnitMicros {
				return x
			}
		}
		return nil
	}
	switch s := st.(type) {
	case *metadata.Int32Statistics:
		return num(int64(s.Min())), num(int64(s.Max())), nulls
	case *metadata.Int64Statistics:
		return num(s.Min()), num(s.Max()), nulls
	case *metadata.Float64Statistics:
		if t.Kind == types.Float64 {
			return s.Min(), s.Max(), nulls
		}
	case *metadata.ByteArrayStatistics:
		if t.Kind == types.String {
			return string(s.Min()), string(s.Max()), nulls
		}
	}
	return
}

// leafStats is what the row groups' statistics say of a column: nulls is -1
// and known false where one of them doesn't tell.
type leafStats struct {
	lo, hi any
	nulls  int64
	bytes  int
	known  bool
}

type leafKey struct {
	leaf int
	as   string // the type that it is read as
}

// leafStats are worked out once a file: every query that is planned asks. as is t's name.
func (ft *footer) leafStats(leaf int, t *types.Type, as string, set readSettings) leafStats {
	if ft.settings(set).rebased(t) {
		return leafStats{nulls: -1, bytes: ft.leafBytes(leaf)}
	}
	key := leafKey{leaf, as}
	if v, ok := ft.stats.Load(key); ok {
		return v.(leafStats)
	}
	r := leafStats{known: true}
	col := ft.meta.Schema.Column(leaf)
	for g := range ft.meta.NumRowGroups() {
		cc, err := ft.chunk(g, leaf)
		if err != nil {
			r.known = false
			break
		}
		r.bytes += int(cc.TotalUncompressedSize())
		lo, hi, nulls := statValues(cc, col, t)
		if r.nulls >= 0 {
			if r.nulls += nulls; nulls < 0 {
				r.nulls = -1
			}
		}
		if lo == nil || hi == nil {
			r.known = false
		}
		if !r.known {
			continue
		}
		if r.lo == nil || compareValues(lo, r.lo) < 0 {
			r.lo = lo
		}
		if r.hi == nil || compareValues(hi, r.hi) > 0 {
			r.hi = hi
		}
	}
	ft.stats.Store(key, r)
	return r
}

// leafBytes is what the column's values take before compression.
func (ft *footer) leafBytes(leaf int) (n int) {
	for g := range ft.meta.NumRowGroups() {
		if cc, err := ft.chunk(g, leaf); err == nil {
			n += int(cc.TotalUncompressedSize())
		}
	}
	return n
}

func (f *Files) parquetStats(st *plan.Stats) {
	st.Rows = 0
	st.Cols = make([]plan.ColStats, len(f.data.Fields)+f.parts)
	known := make([]bool, len(st.Cols))
	as := make([]string, len(f.data.Fields))
	for i := range as {
		as[i] = f.data.Fields[i].Type.SQL()
	}
	for i := range st.Cols {
		st.Cols[i] = plan.ColStats{Distinct: -1}
		known[i] = i < len(f.data.Fields)
		if !known[i] {
			st.Cols[i].Nulls = -1
		}
	}
	for _, file := range f.files {
		ft, err := readFooter(file)
		if err != nil {
			st.Rows, st.Cols = -1, nil // reading will say why
			return
		}
		st.Rows += ft.meta.NumRows
		for c := range f.data.Fields {
			field := &f.data.Fields[c]
			i, err := ft.find(field, f.reads)
			cs := &st.Cols[c]
			if err != nil || i < 0 || len(ft.leaves[i]) != 1 || ft.meta.Schema.Column(ft.leaves[i][0]).MaxRepetitionLevel() > 0 {
				known[c] = false
				cs.Nulls, cs.Min, cs.Max = -1, nil, nil
				continue
			}
			r := ft.leafStats(ft.leaves[i][0], field.Type, as[c], f.reads)
			cs.AvgBytes += r.bytes
			if cs.Nulls >= 0 {
				if cs.Nulls += r.nulls; r.nulls < 0 {
					cs.Nulls = -1
				}
			}
			if !r.known {
				known[c] = false
			}
			if !known[c] {
				cs.Min, cs.Max = nil, nil
				continue
			}
			if r.lo != nil && (cs.Min == nil || compareValues(r.lo, cs.Min) < 0) {
				cs.Min = r.lo
			}
			if r.hi != nil && (cs.Max == nil || compareValues(r.hi, cs.Max) > 0) {
				cs.Max = r.hi
			}
		}
	}
	for c := range st.Cols {
		cs := &st.Cols[c]
		if st.Rows > 0 {
			cs.AvgBytes = int(int64(cs.AvgBytes) / st.Rows)
		}
		lo, okLo := asInt(cs.Min)
		hi, okHi := asInt(cs.Max)
		if okLo && okHi && hi >= lo && hi-lo >= 0 {
			cs.Distinct = min(hi-lo+1, st.Rows)
		}
	}
	if f.order != nil {
		inner := st.Cols
		st.Cols = make([]plan.ColStats, len(f.order))
		for i, at := range f.order {
			st.Cols[i] = inner[at]
		}
	}
}

func asInt(x any) (int64, bool) {
	switch v := x.(type) {
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case types.Int128:
		return int64(v.Lo), v.IsInt64()
	}
	return 0, false
}

// compareValues orders two values of one type in the form of literals.
func compareValues(a, b any) int {
	if x, ok := asInt(a); ok {
		if y, ok := asInt(b); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		}
	}
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y)
		}
	case float64:
		if y, ok := b.(float64); ok {
			switch {
			case x < y:
				return -1
			case x > y:
				return 1
			}
		}
	case types.Int128:
		if y, ok := b.(types.Int128); ok {
			return x.Cmp(y)
		}
	}
	return 0
}

// mayMatch reports whether a conjunct can be true for a value between lo and hi.
// Only comparisons of a column with a literal of its type are looked at.
func mayMatch(e plan.Expr, col int, lo, hi any, t *types.Type) bool {
	call, ok := e.(*plan.Call)
	if !ok {
		return true
	}
	if call.Name == "and" {
		for _, a := range call.Args {
			if !mayMatch(a, col, lo, hi, t) {
				return false
			}
		}
		return true
	}
	if len(call.Args) != 2 {
		return true
	}
	name := call.Name
	b, okB := call.Args[0].(*plan.Bound)
	l, okL := call.Args[1].(*plan.Literal)
	if !okB || !okL {
		b, okB = call.Args[1].(*plan.Bound)
		l, okL = call.Args[0].(*plan.Literal)
		name = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}[name]
	}
	if !okB || !okL || b.Index != col || l.Value == nil || !types.SameType(l.T, t) {
		return true
	}
	switch t.Kind {
	case types.Float64, types.Float32: // NaN isn't in the statistics
		return true
	case types.String:
		if t.Collation != "" {
			return true
		}
	}
	switch name {
	case "=":
		return compareValues(l.Value, lo) >= 0 && compareValues(l.Value, hi) <= 0
	case "<":
		return compareValues(lo, l.Value) < 0
	case "<=":
		return compareValues(lo, l.Value) <= 0
	case ">":
		return compareValues(hi, l.Value) > 0
	case ">=":
		return compareValues(hi, l.Value) >= 0
	}
	return true
}
