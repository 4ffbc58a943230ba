package analyze

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// createdBy is what tables say of who made them: the version of Spark whose behaviour they have.
const createdBy = "Spark 4.3.0"

// entry is a line of a table's description.
type entry struct {
	title string // as DESCRIBE EXTENDED and SHOW TABLE EXTENDED have it
	key   string // as AS JSON has it
	text  string
	value any // of AS JSON; nil is text
}

var secret = regexp.MustCompile(`(?i)secret|password|token|access[.]?key`)

const redacted = "*********(redacted)"

// redact hides the values of properties whose names, or whose values, say that they are secret (spark.redaction.regex).
func redact(props map[string]string) map[string]string {
	out := maps.Clone(props)
	for k := range out {
		if secret.MatchString(k) {
			out[k] = redacted
		}
	}
	return out
}

// propertyText lists properties as [a=1, b=2].
func propertyText(props map[string]string) string {
	parts := make([]string, 0, len(props))
	for _, k := range slices.Sorted(maps.Keys(props)) {
		parts = append(parts, k+"="+props[k])
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func idText(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = errs.ID(n)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// location is a path as descriptions have it.
func location(path string) string {
	if strings.Contains(path, ":/") || path == "" {
		return path
	}
	return "file:" + path
}

func javaTime(t time.Time) string { return t.UTC().Format("Mon Jan 02 15:04:05 MST 2006") }

func timeEntry(t time.Time) entry {
	return entry{"Created Time", "created_time", javaTime(t), t.UTC().Format("2006-01-02T15:04:05Z")}
}

func statsText(s *catalog.Stats) string {
	text := strconv.FormatInt(s.Bytes, 10) + " bytes"
	if s.Rows >= 0 {
		text += ", " + strconv.FormatInt(s.Rows, 10) + " rows"
	}
	return text
}

func bucketEntries(t *catalog.Table) []entry {
	if t.Buckets == 0 {
		return nil
	}
	return []entry{{"Num Buckets", "num_buckets", itoa(t.Buckets), t.Buckets}, {"Bucket Columns", "bucket_columns", idText(t.BucketBy), t.BucketBy}, {"Sort Columns", "sort_columns", idText(t.SortBy), t.SortBy}}
}

func storageEntries(t *catalog.Table, where string) []entry {
	var out []entry
	if where != "" {
		out = append(out, entry{"Location", "location", location(where), nil})
	}
	if len(t.Options) > 0 {
		o := redact(t.Options)
		out = append(out, entry{"Storage Properties", "storage_properties", propertyText(o), o})
	}
	return out
}

// tableEntries describes a table or a view.
func tableEntries(t *catalog.Table, query []string) []entry {
	out := []entry{{"Catalog", "catalog_name", catalog.DefaultCatalog, nil}, {"Database", "schema_name", t.Database, nil}, {"Table", "table_name", t.Name, nil},
		timeEntry(t.Created), {"Last Access", "last_access", "UNKNOWN", nil}, {"Created By", "created_by", createdBy, nil}, {"Type", "type", t.Kind(), nil}}
	add := func(title, key, text string, value any) { out = append(out, entry{title, key, text, value}) }
	if !t.IsView {
		add("Provider", "provider", t.Provider, nil)
		out = append(out, bucketEntries(t)...)
	}
	if t.Comment != "" {
		add("Comment", "comment", t.Comment, nil)
	}
	if c := t.Properties["collation"]; c != "" {
		add("Collation", "collation", c, nil)
	}
	if t.IsView {
		add("View Text", "view_text", t.View, nil)
		add("View Original Text", "view_original_text", t.View, nil)
		add("View Schema Mode", "view_schema_mode", t.SchemaMode, nil)
		add("View Catalog and Namespace", "view_catalog_and_namespace", catalog.DefaultCatalog+"."+t.Current, nil)
		add("View Query Output Columns", "view_query_output_columns", idText(query), query)
	}
	props := redact(t.Properties)
	delete(props, "collation")
	if len(props) > 0 {
		add("Table Properties", "table_properties", propertyText(props), props)
	}
	if t.Stats != nil {
		v := map[string]int64{"size_in_bytes": t.Stats.Bytes}
		if t.Stats.Rows >= 0 {
			v["num_rows"] = t.Stats.Rows
		}
		add("Statistics", "statistics", statsText(t.Stats), v)
	}
	if !t.IsView {
		out = append(out, storageEntries(t, t.Location)...)
		if len(t.Partitions) > 0 {
			add("Partition Provider", "partition_provider", "Catalog", nil)
		}
	}
	return out
}

// partitionEntries describes a partition, without the names of its table.
func (r *run) partitionEntries(t *catalog.Table, p catalog.Partition) []entry {
	values, parts := make([]string, len(p.Values)), map[string]string{}
	for i, v := range p.Values {
		values[i] = t.Partitions[i] + "=" + v
		parts[t.Partitions[i]] = v
	}
	where := p.Location
	if where == "" && r.Tables != nil {
		where = r.Tables.Folder(t, p)
	}
	out := []entry{{"Partition Values", "partition_values", "[" + strings.Join(values, ", ") + "]", parts}}
	out = append(out, storageEntries(t, where)...)
	if len(p.Properties) > 0 {
		out = append(out, entry{"Partition Parameters", "partition_parameters", propertyText(p.Properties), p.Properties})
	}
	out = append(out, timeEntry(p.Created), entry{"Last Access", "last_access", "UNKNOWN", nil})
	if p.Stats != nil {
		out = append(out, entry{"Partition Statistics", "partition_statistics", statsText(p.Stats), nil})
	}
	return out
}

// described is what DESCRIBE TABLE and its kin are about.
type described struct {
	table  *catalog.Table // nil of a temporary view
	temp   *catalog.View
	schema *types.Type // with CHAR and VARCHAR
	query  []string    // the columns of a view's query
}

func (r *run) described(c *plan.Command) (*described, error) {
	if v := r.Catalog.TempView(c.Name); v != nil {
		schema := v.Types
		if schema == nil {
			schema = Schema(v.Plan)
		}
		return &described{temp: v, schema: types.NewStruct(r.rawFields(schema)...), query: fieldsOf(schema)}, nil
	}
	t, err := r.found(c)
	if err != nil {
		if len(c.Name) == 2 && fileFormats[strings.ToLower(c.Name[0])] && c.Kind == "describe_table" {
			schema, err := r.columnsOf(c)
			return &described{schema: schema}, err
		}
		return nil, err
	}
	d := &described{table: t, schema: t.Schema, query: t.QueryColumns}
	if t.IsView {
		d.schema = types.NewStruct(r.rawFields(t.Schema)...)
		if strings.HasSuffix(t.SchemaMode, "EVOLUTION") { // what the query gives now
			if x, err := r.catalogTable(t, &plan.UnresolvedTable{Common: c.Common, Parts: c.Name}); err == nil {
				d.schema = types.NewStruct(r.rawFields(Schema(x.node))...)
				if t.SchemaMode == "EVOLUTION" {
					d.query = fieldsOf(d.schema)
				}
			}
		}
	}
	return d, nil
}

func fieldsOf(t *types.Type) []string {
	out := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		out[i] = f.Name
	}
	return out
}

var describeColumns = []types.Field{strCol("col_name", false), strCol("data_type", false), strCol("comment", true)}

func describeTable(r *run, c *plan.Command) (plan.Node, error) {
	d, err := r.described(c)
	if err != nil {
		if e, ok := errs.As(err); ok && e.Condition == "TABLE_OR_VIEW_NOT_FOUND" {
			e.Params["searchPath"] = r.searchPath()
		}
		return nil, err
	}
	if col := c.Args["column"]; col != "" {
		return r.describeColumn(c, d, splitName(col))
	}
	var part *catalog.Partition
	if c.Flags["partition"] {
		if d.table == nil || d.table.IsView {
			kind := "VIEW"
			if d.table == nil {
				kind = "TEMPORARY VIEW"
			}
			return nil, aerr("FORBIDDEN_OPERATION", "statement", "DESC PARTITION", "objectType", kind, "objectName", errs.ID(c.Name[len(c.Name)-1]))
		}
		if part, err = r.onePartition(d.table, c); err != nil {
			return nil, err
		}
	}
	if c.Flags["json"] {
		return r.describeJSON(d, part)
	}
	data := describeRows(d.schema)
	head := func(title string) { data = append(data, []any{title, "", ""}) }
	list := func(entries []entry) {
		for _, e := range entries {
			data = append(data, []any{e.title, e.text, ""})
		}
	}
	t := d.table
	if t != nil && !t.IsView {
		columns := func(title string, names []string) {
			head("# " + title)
			data = append(data, []any{"# col_name", "data_type", "comment"})
			for _, n := range names {
				for i, f := range d.schema.Fields {
					if f.Name == n {
						data = append(data, data[i])
					}
				}
			}
		}
		if len(t.Partitions) > 0 {
			columns("Partition Information", t.Partitions)
		}
		if by, ok := t.Properties[clusteringColumns]; ok {
			var parts [][]string
			var names []string
			if json.Unmarshal([]byte(by), &parts) == nil {
				for _, p := range parts {
					names = append(names, strings.Join(p, "."))
				}
			}
			columns("Clustering Information", names)
		}
	}
	switch {
	case part != nil && c.Flags["extended"]:
		head("")
		head("# Detailed Partition Information")
		list([]entry{{"Database", "", t.Database, nil}, {"Table", "", t.Name, nil}})
		list(r.partitionEntries(t, *part))
		head("")
		head("# Storage Information")
		list(bucketEntries(t))
		list(storageEntries(t, t.Location))
	case c.Flags["extended"] && t != nil && part == nil:
		head("")
		head("# Detailed Table Information")
		list(tableEntries(t, d.query))
	}
	if defaults := defaultRows(d.schema); len(defaults) > 0 {
		head("")
		head("# Column Default Values")
		data = append(data, defaults...)
	}
	return rows(describeColumns, data)
}

func defaultRows(t *types.Type) [][]any {
	var out [][]any
	for _, f := range t.Fields {
		if text, ok := metaGet(f.Metadata, metaDefault); ok {
			out = append(out, []any{f.Name, f.Type.String(), text})
		}
	}
	return out
}

// onePartition is the partition that a statement names in full.
func (r *run) onePartition(t *catalog.Table, c *plan.Command) (*catalog.Partition, error) {
	if len(t.Partitions) == 0 {
		return nil, aerr("_LEGACY_ERROR_TEMP_1251", "action", "DESC PARTITION", "tableName", t.Name)
	}
	s, err := r.partitionSpec(t, c)
	if err != nil {
		return nil, err
	}
	if !s.complete() {
		return nil, r.incomplete(t, s)
	}
	for _, p := range t.Parts {
		if s.matches(p.Values) {
			return &p, nil
		}
	}
	return nil, r.noPartition(t, s)
}

func (r *run) describeColumn(c *plan.Command, d *described, name []string) (plan.Node, error) {
	at := slices.IndexFunc(d.schema.Fields, func(f types.Field) bool { return r.eq(f.Name, name[0]) })
	if at < 0 {
		return nil, aerr("COLUMN_NOT_FOUND", "colName", errs.ID(name...), "caseSensitiveConfig", `"spark.sql.caseSensitive"`)
	}
	f := d.schema.Fields[at]
	if len(name) > 1 {
		if f.Type.Kind != types.Struct {
			return nil, aerr("INVALID_EXTRACT_BASE_FIELD_TYPE", "base", errs.Quote(f.Name), "other", errs.Quote(f.Type.SQL()))
		}
		return nil, errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1060", "command", "DESC TABLE COLUMN", "column", strings.Join(name, "."))
	}
	null := func(v *string) any {
		if v == nil {
			return "NULL"
		}
		return *v
	}
	comment := "NULL"
	if text, ok := metaGet(f.Metadata, metaComment); ok {
		comment = text
	}
	data := [][]any{{"col_name", f.Name}, {"data_type", f.Type.String()}, {"comment", comment}}
	if c.Flags["extended"] {
		stats := make([]any, 6)
		for i := range stats {
			stats[i] = "NULL"
		}
		if d.table != nil && d.table.Stats != nil {
			if s, ok := d.table.Stats.Columns[f.Name]; ok {
				num := func(n int64) any { return strconv.FormatInt(n, 10) }
				stats = []any{null(s.Min), null(s.Max), num(s.Nulls), num(s.Distinct), num(s.AvgLen), num(s.MaxLen)}
			}
		}
		for i, k := range []string{"min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len"} {
			data = append(data, []any{k, stats[i]})
		}
		data = append(data, []any{"histogram", "NULL"})
		if text, ok := metaGet(f.Metadata, metaDefault); ok {
			data = append(data, []any{"default", text})
		}
	}
	return rows([]types.Field{strCol("info_name", false), strCol("info_value", false)}, data)
}

// ordered is a JSON object that keeps its keys in order; the first value of a key stays.
type ordered struct {
	b    strings.Builder
	seen map[string]bool
}

func (o *ordered) add(key string, v any) error {
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	if o.seen[key] {
		return nil
	}
	o.seen[key] = true
	text, ok := v.(raw)
	if !ok {
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return err
		}
		text = raw(strings.TrimSpace(b.String()))
	}
	if o.b.Len() > 0 {
		o.b.WriteByte(',')
	}
	o.b.WriteString(strconv.Quote(key) + ":" + string(text))
	return nil
}

func (o *ordered) addAll(l []entry) error {
	for _, e := range l {
		v := e.value
		if v == nil {
			v = e.text
		}
		if err := o.add(e.key, v); err != nil {
			return err
		}
	}
	return nil
}

func (o *ordered) text() raw { return raw("{" + o.b.String() + "}") }

// raw is text that is JSON already.
type raw string

// describeJSON is DESCRIBE EXTENDED ... AS JSON.
func (r *run) describeJSON(d *described, part *catalog.Partition) (plan.Node, error) {
	o := &ordered{}
	db, name, cat := "session", "", "system"
	t := d.table
	if t != nil {
		db, name, cat = t.Database, t.Name, catalog.DefaultCatalog
	} else if d.temp != nil {
		name = d.temp.Name
	}
	cols := make([]raw, len(d.schema.Fields))
	for i, f := range d.schema.Fields {
		c, err := fieldJSON(f)
		if err != nil {
			return nil, err
		}
		cols[i] = c
	}
	err := o.addAll([]entry{{"", "table_name", name, nil}, {"", "catalog_name", cat, nil}, {"", "namespace", "", []string{db}}, {"", "schema_name", db, nil}, {"", "columns", "", joinRaw(cols)}})
	switch {
	case err != nil:
	case t == nil:
		_, cur := r.Catalog.Current()
		l := []entry{timeEntry(r.now), {"", "last_access", "UNKNOWN", nil}, {"", "created_by", createdBy, nil}, {"", "type", "VIEW", nil}}
		if d.temp != nil && d.temp.Text != "" {
			l = append(l, entry{"", "view_text", d.temp.Text, nil}, entry{"", "view_schema_mode", "BINDING", nil},
				entry{"", "view_catalog_and_namespace", catalog.DefaultCatalog + "." + cur, nil}, entry{"", "view_query_output_columns", "", d.query})
		}
		err = o.addAll(l)
	default:
		if part != nil {
			err = o.addAll(r.partitionEntries(t, *part))
		} else {
			err = o.addAll(append(bucketEntries(t), storageEntries(t, t.Location)...))
		}
		if err == nil {
			err = o.addAll(tableEntries(t, d.query))
		}
		if err == nil && len(t.Partitions) > 0 {
			err = o.add("partition_columns", t.Partitions)
		}
	}
	if err == nil {
		err = o.add("collation", "UTF8_BINARY")
	}
	if err != nil {
		return nil, err
	}
	return rows([]types.Field{strCol("json_metadata", true)}, [][]any{{string(o.text())}})
}

func joinRaw(l []raw) raw {
	parts := make([]string, len(l))
	for i, x := range l {
		parts[i] = string(x)
	}
	return raw("[" + strings.Join(parts, ",") + "]")
}

func fieldJSON(f types.Field) (raw, error) {
	t, err := typeJSON(f.Type)
	if err != nil {
		return "", err
	}
	o := &ordered{}
	l := []entry{{"", "name", f.Name, nil}, {"", "type", "", t}, {"", "nullable", "", f.Nullable}}
	if text, ok := metaGet(f.Metadata, metaComment); ok {
		l = append(l, entry{"", "comment", text, nil})
	}
	if text, ok := metaGet(f.Metadata, metaDefault); ok {
		l = append(l, entry{"", "default", text, nil})
	}
	err = o.addAll(l)
	return o.text(), err
}

// typeJSON is a type as AS JSON has it.
func typeJSON(t *types.Type) (raw, error) {
	o := &ordered{}
	l := []entry{{"", "name", t.String(), nil}}
	sub := func(key string, t *types.Type) error {
		x, err := typeJSON(t)
		l = append(l, entry{"", key, "", x})
		return err
	}
	var err error
	switch t.Kind {
	case types.String, types.Char, types.Varchar:
		name := t.Collation
		if name == "" {
			name = "UTF8_BINARY"
		}
		l = []entry{{"", "name", "string", nil}, {"", "collation", name, nil}}
	case types.Decimal:
		l = []entry{{"", "name", "decimal", nil}, {"", "precision", "", t.Precision}, {"", "scale", "", t.Scale}}
	case types.Timestamp:
		l[0].text = "timestamp_ltz"
	case types.YearMonthInterval, types.DayTimeInterval:
		names := []string{"year", "month"}
		if t.Kind == types.DayTimeInterval {
			names = []string{"day", "hour", "minute", "second"}
		}
		l = []entry{{"", "name", "interval", nil}, {"", "start_unit", names[t.Start], nil}, {"", "end_unit", names[t.End], nil}}
	case types.Array:
		l[0].text = "array"
		err = sub("element_type", t.Elem)
		l = append(l, entry{"", "element_nullable", "", t.ElemNulls})
	case types.Map:
		l[0].text = "map"
		if err = sub("key_type", t.Key); err == nil {
			err = sub("value_type", t.Elem)
		}
		l = append(l, entry{"", "value_nullable", "", t.ElemNulls})
	case types.Struct:
		l[0].text = "struct"
		fields := make([]raw, len(t.Fields))
		for i, f := range t.Fields {
			if fields[i], err = fieldJSON(f); err != nil {
				return "", err
			}
		}
		l = append(l, entry{"", "fields", "", joinRaw(fields)})
	}
	if err != nil {
		return "", err
	}
	err = o.addAll(l)
	return o.text(), err
}

// commentOf is a column's comment, nil if there is none.
func commentOf(f types.Field) any {
	if text, ok := metaGet(f.Metadata, metaComment); ok {
		return text
	}
	return nil
}

func describeRows(t *types.Type) [][]any {
	var data [][]any
	for _, f := range t.Fields {
		data = append(data, []any{f.Name, f.Type.String(), commentOf(f)})
	}
	return data
}

func describeQuery(r *run, c *plan.Command) (plan.Node, error) {
	x, err := r.node(c.Query, nil)
	if err != nil {
		return nil, err
	}
	return rows(describeColumns, describeRows(Schema(x.node)))
}

func describeDatabase(r *run, c *plan.Command) (plan.Node, error) {
	name, err := r.database(c.Name)
	if err != nil {
		return nil, err
	}
	d, err := r.Catalog.Database(name)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, noSchema(name)
	}
	data := [][]any{{"Catalog Name", catalog.DefaultCatalog}, {"Namespace Name", d.Name}}
	props := redact(d.Properties)
	if v := props["collation"]; v != "" {
		data = append(data, []any{"Collation", v})
		delete(props, "collation")
	}
	data = append(data, []any{"Comment", d.Comment}, []any{"Location", r.folderOf(d)}, []any{"Owner", r.Conf.User})
	if c.Flags["extended"] {
		var list []string
		for _, k := range slices.Sorted(maps.Keys(props)) {
			list = append(list, "("+k+","+props[k]+")")
		}
		text := ""
		if len(list) > 0 {
			text = "(" + strings.Join(list, ", ") + ")"
		}
		data = append(data, []any{"Properties", text})
	}
	return rows([]types.Field{strCol("info_name", false), strCol("info_value", false)}, data)
}

// folderOf is where a database's tables are.
func (r *run) folderOf(d *catalog.Database) string {
	if r.Tables == nil {
		return location(d.Location)
	}
	p, err := r.Tables.Path(d, "")
	if err != nil {
		return location(d.Location)
	}
	return location(p)
}
