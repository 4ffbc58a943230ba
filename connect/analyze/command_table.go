package analyze

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Tables keeps the files of tables; the composition root implements it.
type Tables interface {
	// Path is the folder of a managed table of a database; of "", the folder of the database's tables.
	Path(db *catalog.Database, table string) (string, error)
	// Make makes the folder of a new managed table: LOCATION_ALREADY_EXISTS where something is there.
	Make(table []string, path string) error
	// MakeFolder makes a folder, unless it is there.
	MakeFolder(path string) error
	// Clear removes what a folder holds, Remove the folder too.
	Clear(path string) error
	Remove(path string) error
	// Move renames a folder; one that isn't there is passed over.
	Move(from, to string) error
	// Size is the bytes and the number of the files right in a folder, or with deep below it too.
	Size(path string, deep bool) (bytes int64, files int, err error)
	// Write runs a resolved relation whose columns are the table's, and puts its rows into
	// the table. It returns the partitions that got rows: their values as Partition.Values.
	Write(ctx context.Context, t *catalog.Table, rows plan.Node, w TableWrite) ([][]string, error)
	// WriteFiles carries out a write to a path; its relation isn't resolved yet.
	WriteFiles(ctx context.Context, w *plan.Write) error
	// Find lists the partitions that lie below a table's folder, by the folders' names.
	Find(t *catalog.Table) ([]catalog.Partition, error)
	// Folder is where a partition's files are.
	Folder(t *catalog.Table, p catalog.Partition) string
}

// TableWrite says what a write replaces.
type TableWrite struct {
	// Overwrite replaces all rows; with Dynamic those of the partitions that get
	// rows; with Static those of the partitions whose values begin so.
	Overwrite, Dynamic bool
	Static             []string
	Options            map[string]string
}

// TableSources opens the files of tables; Sources that don't implement it open their folders.
type TableSources interface {
	OpenTable(ctx context.Context, t *catalog.Table, options, conf map[string]string) (plan.Source, error)
}

// tableFormats are the formats that tables can be created in.
var tableFormats = []string{"parquet", "csv", "json", "text"}

// fullName is a table's name as errors have it.
func fullName(t *catalog.Table) string { return errs.ID(catalog.DefaultCatalog, t.Database, t.Name) }

// place resolves the name of a new table or view to a database that exists.
func (r *run) place(c *plan.Command) (*catalog.Database, string, error) {
	db, name, ok := r.Catalog.Resolve(c.Name)
	if !ok {
		return nil, "", aerr("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", catalog.DefaultCatalog, "identifier", errs.ID(c.Name...)).At(c.Origin)
	}
	d, err := r.Catalog.Database(db)
	if err != nil {
		return nil, "", err
	}
	if d == nil {
		return nil, "", noSchema(db)
	}
	return d, name, checkName(name)
}

// checkName refuses names of tables and schemas that have more than letters, digits and _ in them.
func checkName(name string) error {
	parts := strings.Split(name, ".")
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return aerr("INVALID_SCHEMA_OR_RELATION_NAME", "name", errs.ID(parts...))
		}
	}
	if name == "" {
		return aerr("INVALID_SCHEMA_OR_RELATION_NAME", "name", errs.ID(name))
	}
	return nil
}

// inDatabase is a location that a statement gives: relative ones are in the database's folder.
func (r *run) inDatabase(d *catalog.Database, where string) (string, error) {
	if where == "" || strings.Contains(where, ":/") || strings.HasPrefix(where, "/") {
		return where, nil
	}
	base, err := r.Tables.Path(d, "")
	return base + "/" + where, err
}

func tableOperation(db, name, operation string) *errs.Error {
	return aerr("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", errs.ID(catalog.DefaultCatalog, db, name), "operation", operation)
}

// reservedProperties have clauses of their own.
var reservedProperties = map[string]string{"provider": "please use the USING clause to specify it", "location": "please use the LOCATION clause to specify it",
	"owner": "it will be set to the current user", "external": "please use CREATE EXTERNAL TABLE", "is_managed_location": "please use the LOCATION clause to specify it", "table_type": "it is set by the system"}

func (r *run) reserved(props map[string]string, c *plan.Command) error {
	for _, k := range slices.Sorted(maps.Keys(props)) {
		if msg, ok := reservedProperties[k]; ok && !r.Conf.flag("spark.sql.legacy.notReserveProperties", false) {
			return errs.New(errs.Parse, "UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", "property", k, "msg", msg).At(c.Origin)
		}
	}
	return nil
}

func createTable(r *run, c *plan.Command) (plan.Node, error) {
	if r.Tables == nil {
		return nil, errs.NotSupported("statement " + c.Kind).At(c.Origin)
	}
	if c.Kind == "catalog_create_table" { // spark.catalog.createTable has other names for the same
		n := *c
		n.Kind, n.Args = "create_table", maps.Clone(c.Args)
		for from, to := range map[string]string{"path": "location", "source": "provider", "description": "comment"} {
			if v := c.Args[from]; v != "" {
				n.Args[to] = v
			}
		}
		c = &n
	}
	d, name, err := r.place(c)
	if err != nil {
		return nil, err
	}
	db := d.Name
	if c.Flags["replace"] || c.Flags["or_replace"] {
		what := "REPLACE TABLE"
		if c.Query != nil {
			what += " AS SELECT"
		}
		return nil, tableOperation(db, name, what)
	}
	for _, refused := range []string{"generated columns", "identity columns", "CONSTRAINT"} {
		if c.Flags[refused] {
			return nil, tableOperation(db, name, refused)
		}
	}
	if t := c.Args["transform"]; t != "" {
		return nil, aerr("UNSUPPORTED_PARTITION_TRANSFORM", "transform", errs.ID(t))
	}
	t := &catalog.Table{Database: db, Name: name, Comment: c.Args["comment"], Options: map[string]string{}, Properties: map[string]string{}, Created: r.now}
	for k, v := range c.Args {
		if o, ok := strings.CutPrefix(k, "option."); ok {
			t.Options[o] = v
		} else if p, ok := strings.CutPrefix(k, "property."); ok {
			t.Properties[p] = v
		}
	}
	if err := r.reserved(t.Properties, c); err != nil {
		return nil, err
	}
	if v, ok := t.Properties["comment"]; ok {
		t.Comment = v
		delete(t.Properties, "comment")
	}
	if c.Args["collation"] == "" && d.Properties["collation"] != "" { // the schema's
		n := *c
		n.Args = maps.Clone(c.Args)
		n.Args["collation"] = d.Properties["collation"]
		c = &n
	}
	if v := c.Args["collation"]; v != "" {
		t.Properties["collation"] = v
	}
	if t.Provider, err = r.provider(c); err != nil {
		return nil, err
	}
	if text, given := c.Args["location"]; given && text == "" {
		return nil, &errs.Error{Class: errs.IllegalArgument, Text: "The location of a table must not be empty."}
	}
	if t.Location = c.Args["location"]; t.Location == "" {
		for k, v := range t.Options {
			if strings.EqualFold(k, "path") {
				t.Location = v
				delete(t.Options, k)
			}
		}
	}
	if t.Location, err = r.inDatabase(d, t.Location); err != nil {
		return nil, err
	}
	if c.Flags["external"] && t.Location == "" {
		return nil, errs.New(errs.Parse, "CREATE_EXTERNAL_TABLE_WITHOUT_LOCATION").At(c.Origin)
	}
	var rows *rel
	fields := slices.Clone(c.Columns)
	if c.Query != nil {
		if len(fields) > 0 {
			return nil, errs.New(errs.Parse, "_LEGACY_ERROR_TEMP_0035", "message", "Schema may not be specified in a Create Table As Select (CTAS) statement").At(c.Origin)
		}
		if rows, err = r.node(c.Query, nil); err != nil {
			return nil, err
		}
		if err := checkPlan(rows.node); err != nil {
			return nil, err
		}
		fields = r.rawFields(types.AsNullable(Schema(rows.node)))
		for i := range fields {
			fields[i].Metadata = metaSet(metaSet(fields[i].Metadata, metaDefault, nil), metaExisting, nil)
		}
	}
	if v := c.Args["collation"]; v != "" && c.Query == nil {
		for i := range fields {
			fields[i].Type = withCollation(fields[i].Type, v)
		}
	}
	if err := r.columnDefaults(c, fields); err != nil {
		return nil, err
	}
	old, err := r.Catalog.Table(db, name)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 && (old == nil || !c.Flags["if_not_exists"]) {
		if fields, err = r.inferTable(t, c); err != nil {
			return nil, err
		}
	}
	if fields, err = r.tableFields(t, c, fields); err != nil {
		return nil, err
	}
	t.Schema = types.NewStruct(fields...)
	if old != nil {
		return r.taken(c, db, name)
	}
	if t.Location == "" {
		t.Managed = true
		if t.Location, err = r.Tables.Path(d, name); err != nil {
			return nil, err
		}
		if err := r.Tables.Make([]string{catalog.DefaultCatalog, db, name}, t.Location); err != nil {
			return nil, err
		}
	}
	made := false
	if rows != nil {
		list := make([]plan.Expr, len(fields))
		for i, f := range fields {
			a := rows.out[slices.IndexFunc(rows.out, func(a *plan.Attr) bool { return a.Name == f.Name })]
			list[i] = a
			if f.Type.Kind == types.Null { // no format has it, and Spark neither: a column of nothing
				return nil, r.undo(t, aerr("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", formatTitle(t.Provider), "columnName", errs.ID(f.Name), "columnType", errs.Quote(f.Type.SQL())))
			}
		}
		var parts [][]string
		parts, err = r.Tables.Write(r.ctx, t, &plan.Project{List: list, Child: rows.node}, TableWrite{})
		t.Parts = r.newPartitions(parts)
		for i := range t.Parts {
			if err == nil {
				err = r.fastStats(t, &t.Parts[i])
			}
		}
	}
	if err == nil {
		made, err = r.Catalog.CreateTable(t)
	}
	if err != nil {
		return nil, r.undo(t, err)
	}
	if !made {
		return r.taken(c, db, name)
	}
	return nothing()
}

// withCollation gives the plain strings in a type the default collation of a table.
func withCollation(t *types.Type, name string) *types.Type {
	if strings.EqualFold(name, "UTF8_BINARY") {
		return t
	}
	switch t.Kind {
	case types.String, types.Char, types.Varchar:
		if t.Collation == "" {
			c := *t
			c.Collation = name
			return &c
		}
	case types.Array:
		return types.NewArray(withCollation(t.Elem, name), t.ElemNulls)
	case types.Map:
		return types.NewMap(withCollation(t.Key, name), withCollation(t.Elem, name), t.ElemNulls)
	case types.Struct:
		c := *t
		c.Fields = slices.Clone(t.Fields)
		for i := range c.Fields {
			c.Fields[i].Type = withCollation(c.Fields[i].Type, name)
		}
		return &c
	}
	return t
}

// taken answers a CREATE of what is there already.
func (r *run) taken(c *plan.Command, db, name string) (plan.Node, error) {
	if c.Flags["if_not_exists"] {
		return nothing()
	}
	return nil, aerr("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", errs.ID(catalog.DefaultCatalog, db, name))
}

// undo removes the folder of a table that could not be made, and returns err.
func (r *run) undo(t *catalog.Table, err error) error {
	if t.Managed {
		if e := r.Tables.Remove(t.Location); e != nil {
			return errs.Internalf("%v; and its folder stays: %v", err, e)
		}
	}
	return err
}

func (r *run) newPartitions(values [][]string) []catalog.Partition {
	var out []catalog.Partition
	for _, v := range values {
		out = append(out, catalog.Partition{Values: v, Created: r.now})
	}
	return out
}

// columnDefaults checks the DEFAULTs of CREATE TABLE and notes them in the columns' metadata.
func (r *run) columnDefaults(c *plan.Command, fields []types.Field) error {
	for i := range fields {
		f := &fields[i]
		text, ok := c.Args["default."+f.Name]
		if !ok {
			continue
		}
		if err := r.setDefault(f, text, "CREATE TABLE"); err != nil {
			return err
		}
	}
	return nil
}

// setDefault notes the default of a new column: its text, and the value that rows have that are older than the column.
func (r *run) setDefault(f *types.Field, text, statement string) error {
	x, err := r.defaultOf(text, *f, statement)
	if err != nil {
		return err
	}
	f.Metadata = metaSet(f.Metadata, metaDefault, &text)
	if f.Type.IsNested() || f.Type.Kind == types.CalendarInterval || f.Type.IsAnsiInterval() || f.Type.Kind == types.Variant || f.Type.Kind == types.Time {
		if statement == "CREATE TABLE" {
			return nil // there are no rows yet
		}
		return errs.NotSupported("ADD COLUMN with a DEFAULT of type " + f.Type.String())
	}
	if r.RunScalar == nil && statement == "CREATE TABLE" {
		return nil
	}
	value, err := r.constant(x)
	if err != nil {
		return err
	}
	f.Metadata = metaSet(f.Metadata, metaExisting, value)
	return nil
}

// inferTable reads the columns of a table that is created without any from the files at its location.
func (r *run) inferTable(t *catalog.Table, c *plan.Command) ([]types.Field, error) {
	if t.Location == "" {
		return nil, aerr("UNABLE_TO_INFER_SCHEMA", "format", formatTitle(t.Provider))
	}
	x, err := r.dataSource(&plan.DataSource{Common: c.Common, Format: t.Provider, Paths: []string{t.Location}, Options: t.Options})
	if err != nil {
		return nil, err
	}
	fields := Schema(x.node).Fields
	if src, ok := x.node.(*plan.Relation); ok && c.Args["partition_by"] == "" {
		if p, ok := src.Handle.(interface{ PartitionNames() []string }); ok && len(p.PartitionNames()) > 0 {
			names := p.PartitionNames()
			last := make([]types.Field, len(names)) // in files that have them too they are among the others
			var first []types.Field
			for _, f := range fields {
				if k := slices.Index(names, f.Name); k >= 0 {
					last[k] = f
				} else {
					first = append(first, f)
				}
			}
			fields = append(first, last...)
			for i, n := range names {
				names[i] = errs.ID(n)
			}
			c.Args["partition_by"] = strings.Join(names, ",")
		}
	}
	return fields, nil
}

// formatTitle is a format as errors name it.
func formatTitle(format string) string {
	switch format = strings.ToLower(format); format {
	case "parquet":
		return "Parquet"
	case "text":
		return "Text"
	}
	return strings.ToUpper(format)
}

// provider is the format of a new table, as written.
func (r *run) provider(c *plan.Command) (string, error) {
	written := c.Args["provider"]
	p := strings.ToLower(written)
	if c.Args["stored_as"] != "" || p == "hive" {
		return "", aerr("NOT_SUPPORTED_COMMAND_WITHOUT_HIVE_SUPPORT", "cmd", "CREATE Hive TABLE (AS SELECT)")
	}
	if p == "" {
		written = r.Conf.text("spark.sql.sources.default", "parquet")
		p = strings.ToLower(written)
	}
	if i := strings.LastIndexByte(p, '.'); i >= 0 && strings.HasPrefix(p, "org.apache.spark.sql") && slices.Contains(tableFormats, p[i+1:]) {
		p = p[i+1:]
		written = p
	}
	switch {
	case slices.Contains(tableFormats, p):
		return written, nil
	case p == "avro":
		return "", aerr("AVRO_DATA_SOURCE_NOT_ENABLED", "provider", p)
	case fileFormats[p] || p == "jdbc" || strings.Contains(p, "."):
		return "", errs.NotSupported("tables of format " + p).At(c.Origin)
	}
	return "", aerr("DATA_SOURCE_NOT_FOUND", "provider", p)
}

// storable reports whether files of a format can have a column of a type.
func storable(format string, t *types.Type) bool {
	if t.UDT != "" {
		return format == "parquet" || format == "json"
	}
	switch format {
	case "text":
		return t.IsString()
	case "csv":
		return !t.IsNested() && t.Kind != types.CalendarInterval && t.Kind != types.Variant && t.Kind != types.Object && t.Kind != types.Null
	}
	switch t.Kind {
	case types.CalendarInterval, types.Object:
		return false
	case types.Array:
		return storable(format, t.Elem)
	case types.Map:
		return storable(format, t.Key) && storable(format, t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if !storable(format, f.Type) {
				return false
			}
		}
	}
	return true
}

// columnLists resolves a clause that names columns of a new table: PARTITIONED BY, CLUSTERED BY, SORTED BY.
func (r *run) columnList(t *catalog.Table, kind, by string, fields []types.Field) ([]string, error) {
	if by == "" {
		return nil, nil
	}
	var out []string
	for _, p := range splitNames(by) {
		n := splitName(p)
		i := slices.IndexFunc(fields, func(f types.Field) bool { return r.eq(f.Name, n[len(n)-1]) })
		if len(n) > 1 || i < 0 {
			return nil, aerr("COLUMN_NOT_DEFINED_IN_TABLE", "colType", kind, "colName", errs.ID(n...), "tableName", fullName(t), "tableCols", fieldList(fields))
		}
		if slices.Contains(out, fields[i].Name) {
			return nil, aerr("COLUMN_ALREADY_EXISTS", "columnName", errs.ID(r.fold(fields[i].Name)))
		}
		out = append(out, fields[i].Name)
	}
	return out, nil
}

// splitNames splits a list of names at its commas, but for those in backquotes.
func splitNames(list string) []string {
	var out []string
	from, quoted := 0, false
	for i := range len(list) {
		switch {
		case list[i] == '`':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			out = append(out, strings.TrimSpace(list[from:i]))
			from = i + 1
		}
	}
	return append(out, strings.TrimSpace(list[from:]))
}

// tableFields checks the columns of a new table, and puts those that it is
// partitioned by last. Like Spark's, tables of files forget NOT NULL.
func (r *run) tableFields(t *catalog.Table, c *plan.Command, fields []types.Field) ([]types.Field, error) {
	if err := r.uniqueFields(fields); err != nil {
		return nil, err
	}
	fields = types.AsNullable(types.NewStruct(fields...)).Fields
	var err error
	if t.Partitions, err = r.columnList(t, "partition", c.Args["partition_by"], fields); err != nil {
		return nil, err
	}
	if t.BucketBy, err = r.columnList(t, "bucket", c.Args["bucket_by"], fields); err != nil {
		return nil, err
	}
	if t.SortBy, err = r.columnList(t, "sort", c.Args["sort_by"], fields); err != nil {
		return nil, err
	}
	if len(t.BucketBy) > 0 {
		n, ok := types.ParseInt(c.Args["buckets"], 32, false)
		limit, okLimit := types.ParseInt(r.Conf.text("spark.sql.sources.bucketing.maxBuckets", "100000"), 32, false)
		if !ok || !okLimit || n <= 0 || n > limit {
			return nil, aerr("INVALID_BUCKET_COUNT", "bucketingMaxBuckets", r.Conf.text("spark.sql.sources.bucketing.maxBuckets", "100000"), "numBuckets", c.Args["buckets"])
		}
		t.Buckets = int(n)
		for _, b := range t.BucketBy {
			if slices.Contains(t.Partitions, b) {
				return nil, aerr("_LEGACY_ERROR_TEMP_1166", "bucketCol", b, "normalizedPartCols", strings.Join(t.Partitions, ", "))
			}
		}
	}
	if by, ok := c.Args["cluster_by"]; ok {
		var err error
		if t.Properties[clusteringColumns], err = r.clustering(by, fields); err != nil {
			return nil, err
		}
	}
	var out, parts []types.Field
	for _, f := range fields {
		switch {
		case slices.Contains(t.Partitions, f.Name):
			if f.Type.IsNested() || f.Type.Kind == types.Variant || f.Type.Kind == types.CalendarInterval {
				return nil, aerr("INVALID_PARTITION_COLUMN_DATA_TYPE", "type", errs.Quote(f.Type.SQL()))
			}
		case !storable(strings.ToLower(t.Provider), f.Type):
			return nil, aerr("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", formatTitle(t.Provider), "columnName", errs.ID(f.Name), "columnType", errs.Quote(f.Type.SQL()))
		default:
			out = append(out, f)
		}
	}
	for _, p := range t.Partitions {
		parts = append(parts, fields[slices.IndexFunc(fields, func(f types.Field) bool { return f.Name == p })])
	}
	if len(parts) > 0 && len(out) == 0 {
		return nil, aerr("ALL_PARTITION_COLUMNS_NOT_ALLOWED")
	}
	return append(out, parts...), nil
}

// clusteringColumns is the property that keeps CLUSTER BY: a JSON array of the columns' name parts.
const clusteringColumns = "clusteringColumns"

func (r *run) clustering(by string, fields []types.Field) (string, error) {
	cols := [][]string{}
	if by != "" {
		for _, p := range splitNames(by) {
			n := splitName(p)
			if !slices.ContainsFunc(fields, func(f types.Field) bool { return r.eq(f.Name, n[0]) }) {
				return "", aerr("_LEGACY_ERROR_TEMP_3060", "i", strings.Join(n, "."), "schema", types.NewStruct(fields...).TreeString(-1))
			}
			cols = append(cols, n)
		}
	}
	b, err := json.Marshal(cols)
	return string(b), err
}

func (r *run) uniqueFields(fields []types.Field) error {
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[r.fold(f.Name)] {
			return aerr("COLUMN_ALREADY_EXISTS", "columnName", errs.ID(r.fold(f.Name)))
		}
		seen[r.fold(f.Name)] = true
	}
	return nil
}

// createTableLike is CREATE TABLE a LIKE b: the columns of b, and what else it says, but neither its rows nor its properties.
func createTableLike(r *run, c *plan.Command) (plan.Node, error) {
	if r.Tables == nil {
		return nil, errs.NotSupported("statement " + c.Kind).At(c.Origin)
	}
	d, name, err := r.place(c)
	if err != nil {
		return nil, err
	}
	source := splitName(c.Args["source"])
	t := &catalog.Table{Database: d.Name, Name: name, Options: map[string]string{}, Properties: map[string]string{}, Created: r.now}
	if r.Catalog.TempView(source) != nil {
		schema, err := r.columnsOf(&plan.Command{Name: source})
		if err != nil {
			return nil, err
		}
		t.Schema = types.NewStruct(r.rawFields(types.AsNullable(schema))...)
	} else {
		from, err := r.found(&plan.Command{Common: c.Common, Name: source})
		if err != nil {
			return nil, err
		}
		t.Schema, t.Partitions, t.Provider = from.Schema, from.Partitions, from.Provider
		if from.IsView {
			t.Schema, t.Partitions = types.NewStruct(r.rawFields(types.AsNullable(from.Schema))...), nil
		} else {
			t.BucketBy, t.SortBy, t.Buckets, t.Options = from.BucketBy, from.SortBy, from.Buckets, maps.Clone(from.Options)
		}
	}
	if c.Args["provider"] != "" || c.Args["stored_as"] != "" || t.Provider == "" {
		if t.Provider, err = r.provider(c); err != nil {
			return nil, err
		}
	}
	for k, v := range c.Args {
		if p, ok := strings.CutPrefix(k, "property."); ok {
			t.Properties[p] = v
		}
	}
	old, err := r.Catalog.Table(d.Name, name)
	if err != nil {
		return nil, err
	}
	taken := func() (plan.Node, error) {
		if c.Flags["if_not_exists"] {
			return nothing()
		}
		return nil, aerr("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", errs.ID(d.Name, name))
	}
	if old != nil {
		return taken()
	}
	if t.Location, err = r.inDatabase(d, c.Args["location"]); err != nil {
		return nil, err
	}
	if t.Location == "" {
		t.Managed = true
		if t.Location, err = r.Tables.Path(d, name); err != nil {
			return nil, err
		}
		if err := r.Tables.Make([]string{catalog.DefaultCatalog, d.Name, name}, t.Location); err != nil {
			return nil, err
		}
	}
	made, err := r.Catalog.CreateTable(t)
	if err != nil {
		return nil, r.undo(t, err)
	}
	if !made {
		return taken()
	}
	return nothing()
}

func attrsOf(fields []types.Field) []*plan.Attr {
	out := make([]*plan.Attr, len(fields))
	for i, f := range fields {
		out[i] = &plan.Attr{ID: plan.NewID(), Name: f.Name, T: f.Type, Null: true}
	}
	return out
}

// foreignRelation refuses a name that is in no database of the session catalog, of which there is no other; nil where it is.
func foreignRelation(parts []string) *errs.Error {
	if strings.EqualFold(parts[0], catalog.DefaultCatalog) {
		parts = parts[1:]
	}
	if len(parts) < 3 || strings.EqualFold(parts[0], "system") {
		return nil
	}
	return aerr("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", catalog.DefaultCatalog, "identifier", errs.ID(parts...))
}

// found is the table or the permanent view of a name: TABLE_OR_VIEW_NOT_FOUND.
func (r *run) found(c *plan.Command) (*catalog.Table, error) {
	if db, name, ok := r.Catalog.Resolve(c.Name); ok {
		t, err := r.Catalog.Table(db, name)
		if err != nil || t != nil {
			return t, err
		}
	} else if err := foreignRelation(c.Name); err != nil {
		return nil, err.At(c.Origin)
	}
	return nil, aerr("TABLE_OR_VIEW_NOT_FOUND", "relationName", errs.ID(c.Name...), "searchPath", r.objectPath()).At(c.Origin)
}

// objectPath is the search path of statements about tables, as errors have it.
func (r *run) objectPath() string {
	cat, db := r.Catalog.Current()
	return "[`system`.`session`, " + errs.ID(cat, db) + "]"
}

// tableOf is the table that a statement changes; operation names the statement in errors about views.
func (r *run) tableOf(c *plan.Command, operation string) (*catalog.Table, error) {
	if r.Tables == nil {
		return nil, errs.NotSupported("statement " + c.Kind).At(c.Origin)
	}
	if r.Catalog.TempView(c.Name) != nil {
		return nil, aerr("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", errs.ID(c.Name...), "operation", operation).At(c.Origin)
	}
	t, err := r.found(c)
	if err != nil {
		return nil, err
	}
	if t.IsView {
		return nil, aerr("EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "viewName", fullName(t), "operation", operation).At(c.Origin)
	}
	return t, nil
}

// update changes a table of the catalog in one step: it is as change finds it, whatever others did meanwhile.
func (r *run) update(t *catalog.Table, change func(*catalog.Table) error) error {
	return r.Catalog.UpdateTable(t.Database, t.Name, func(now *catalog.Table) (*catalog.Table, error) {
		if now == nil {
			return nil, aerr("TABLE_OR_VIEW_NOT_FOUND", "relationName", errs.ID(t.Database, t.Name), "searchPath", r.objectPath())
		}
		next := now.Clone()
		return next, change(next)
	})
}

func truncateTable(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "TRUNCATE TABLE")
	if err != nil {
		return nil, err
	}
	if !t.Managed {
		return nil, aerr("CANNOT_TRUNCATE_EXTERNAL_TABLE", "tableName", fullName(t)).At(c.Origin)
	}
	var spec *partSpec
	if c.Flags["partition"] {
		if len(t.Partitions) == 0 {
			return nil, aerr("_LEGACY_ERROR_TEMP_1267", "tableIdentWithDB", fullName(t)).At(c.Origin)
		}
		if spec, err = r.partitionSpec(t, c); err != nil {
			return nil, err
		}
	}
	if len(t.Partitions) == 0 {
		err = r.Tables.Clear(t.Location)
	}
	n := 0
	for _, p := range t.Parts {
		if spec == nil || spec.matches(p.Values) {
			n++
			if err == nil {
				err = r.Tables.Clear(r.Tables.Folder(t, p))
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if spec != nil && n == 0 && spec.complete() {
		return nil, r.noPartition(t, spec)
	}
	if err := r.changed(t); err != nil {
		return nil, err
	}
	return nothing()
}

// changed drops what was kept of a table's rows and its statistics.
func (r *run) changed(t *catalog.Table) error {
	if r.Cache != nil {
		if err := r.Cache.RefreshPath(r.ctx, t.Location); err != nil {
			return err
		}
	}
	if t.Stats == nil {
		return nil
	}
	return r.update(t, func(t *catalog.Table) error {
		t.Stats = nil
		return nil
	})
}
