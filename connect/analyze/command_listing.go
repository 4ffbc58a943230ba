package analyze

import (
	"maps"
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// showTableExtended is SHOW TABLE EXTENDED LIKE 'pattern' [PARTITION].
func showTableExtended(r *run, c *plan.Command) (plan.Node, error) {
	schema := []types.Field{strCol("namespace", false), strCol("tableName", false), boolCol("isTemporary"), strCol("information", false)}
	if c.Flags["partition"] {
		db, err := r.database(c.Name)
		if err != nil {
			return nil, err
		}
		t, err := r.found(&plan.Command{Common: c.Common, Name: []string{db, c.Args["pattern"]}})
		if err != nil {
			return nil, err
		}
		p, err := r.onePartition(t, c)
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		for _, e := range r.partitionEntries(t, *p) {
			b.WriteString(e.title + ": " + e.text + "\n")
		}
		return rows(schema, [][]any{{db, t.Name, false, b.String()}})
	}
	list, err := r.relations(c.Name, c.Args["pattern"])
	if err != nil {
		return nil, err
	}
	if c.Flags["json"] {
		return tablesJSON(list, true)
	}
	var data [][]any
	for _, l := range list {
		var b strings.Builder
		line := func(title, text string) { b.WriteString(title + ": " + text + "\n") }
		n := []string{l.name}
		if l.db != "" {
			n = []string{l.db, l.name}
		}
		d, err := r.described(&plan.Command{Common: c.Common, Name: n})
		if err != nil {
			return nil, err
		}
		if l.t == nil {
			_, cur := r.Catalog.Current()
			line("Table", l.name)
			line("Created Time", javaTime(r.now))
			line("Last Access", "UNKNOWN")
			line("Created By", createdBy)
			line("Type", "VIEW")
			if d.temp != nil && d.temp.Text != "" {
				line("View Text", d.temp.Text)
				line("View Schema Mode", "BINDING")
				line("View Catalog and Namespace", catalog.DefaultCatalog+"."+cur)
				line("View Query Output Columns", idText(d.query))
			}
		} else {
			for _, e := range tableEntries(l.t, d.query) {
				line(e.title, e.text)
			}
			if len(l.t.Partitions) > 0 {
				line("Partition Columns", idText(l.t.Partitions))
			}
		}
		b.WriteString("Schema: " + ReadSchema(d.schema).TreeString(-1) + "\n")
		data = append(data, []any{l.db, l.name, l.temp, b.String()})
	}
	return rows(schema, data)
}

// tablesJSON is SHOW TABLES AS JSON, and SHOW TABLE EXTENDED AS JSON.
func tablesJSON(list []listed, extended bool) (plan.Node, error) {
	var all []raw
	for _, l := range list {
		o := &ordered{}
		ns := []string{}
		if l.db != "" {
			ns = []string{l.db}
		}
		e := []entry{{"", "name", l.name, nil}}
		if extended {
			kind, cat := "VIEW", "system"
			if l.t != nil {
				kind, cat = l.t.Kind(), catalog.DefaultCatalog
			}
			e = append(e, entry{"", "catalog", cat, nil}, entry{"", "namespace", "", ns}, entry{"", "type", kind, nil})
		} else {
			e = append(e, entry{"", "namespace", "", ns})
		}
		if err := o.addAll(append(e, entry{"", "isTemporary", "", l.temp})); err != nil {
			return nil, err
		}
		all = append(all, o.text())
	}
	o := &ordered{}
	if err := o.add("tables", joinRaw(all)); err != nil {
		return nil, err
	}
	return rows([]types.Field{strCol("json_metadata", false)}, [][]any{{string(o.text())}})
}

func showPartitions(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "SHOW PARTITIONS")
	if err != nil {
		return nil, err
	}
	if len(t.Partitions) == 0 {
		return nil, aerr("INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", "name", fullName(t)).At(c.Origin)
	}
	var spec *partSpec
	if c.Flags["partition"] {
		if spec, err = r.partitionSpec(t, c); err != nil {
			return nil, err
		}
	}
	var names []string
	var all []raw
	parts := slices.SortedFunc(slices.Values(t.Parts), func(a, b catalog.Partition) int { return slices.Compare(a.Values, b.Values) })
	for _, p := range parts {
		if spec != nil && !spec.matches(p.Values) {
			continue
		}
		names = append(names, folderName(t.Partitions, p.Values))
		o := &ordered{}
		for i, v := range p.Values {
			if err := o.add(t.Partitions[i], v); err != nil {
				return nil, err
			}
		}
		all = append(all, o.text())
	}
	if c.Flags["json"] {
		o := &ordered{}
		if err := o.add("partitions", joinRaw(all)); err != nil {
			return nil, err
		}
		return rows([]types.Field{strCol("json_metadata", false)}, [][]any{{string(o.text())}})
	}
	slices.Sort(names)
	data := make([][]any, len(names))
	for i, n := range names {
		data[i] = []any{n}
	}
	return rows([]types.Field{strCol("partition", false)}, data)
}

// folderName is a partition as its folder is named: a=1/b=x, with characters that file systems don't take as %XX.
func folderName(by, values []string) string {
	var b strings.Builder
	esc := func(s string) {
		for i := range len(s) {
			if c := s[i]; c < 0x20 || c == 0x7f || strings.IndexByte("\"#%'*/:=?\\{[]^", c) >= 0 {
				b.WriteString("%" + string("0123456789ABCDEF"[c>>4]) + string("0123456789ABCDEF"[c&15]))
			} else {
				b.WriteByte(c)
			}
		}
	}
	for i, v := range values {
		if i > 0 {
			b.WriteByte('/')
		}
		esc(by[i])
		b.WriteByte('=')
		if v == nullPartition {
			b.WriteString(v)
			continue
		}
		esc(v)
	}
	return b.String()
}

func showTblProperties(r *run, c *plan.Command) (plan.Node, error) {
	schema := []types.Field{strCol("key", false), strCol("value", false)}
	if r.Catalog.TempView(c.Name) != nil {
		return rows(schema, nil)
	}
	t, err := r.found(c)
	if err != nil {
		return nil, err
	}
	props := maps.Clone(t.Properties)
	if props == nil {
		props = map[string]string{}
	}
	delete(props, "collation")
	for k, v := range t.Options {
		props["option."+k] = v
	}
	props = redact(props)
	if key := c.Args["key"]; key != "" {
		v, ok := props[key]
		if !ok {
			v = "Table " + catalog.DefaultCatalog + "." + t.Database + "." + t.Name + " does not have property: " + key
		}
		return rows(schema, [][]any{{key, v}})
	}
	var data [][]any
	for _, k := range slices.Sorted(maps.Keys(props)) {
		data = append(data, []any{k, props[k]})
	}
	return rows(schema, data)
}

// columnSQL is a type as SHOW CREATE TABLE writes it: with the collation of each string.
func columnSQL(t *types.Type) string {
	switch t.Kind {
	case types.String, types.Char, types.Varchar:
		plain := *t
		plain.Collation = ""
		name := t.Collation
		if name == "" {
			name = "UTF8_BINARY"
		}
		return plain.SQL() + " COLLATE " + name
	case types.Array:
		return "ARRAY<" + columnSQL(t.Elem) + ">"
	case types.Map:
		return "MAP<" + columnSQL(t.Key) + ", " + columnSQL(t.Elem) + ">"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = types.QuoteIfNeeded(f.Name) + ": " + columnSQL(f.Type)
			if !f.Nullable {
				parts[i] += " NOT NULL"
			}
			if text, ok := metaGet(f.Metadata, metaComment); ok {
				parts[i] += " COMMENT '" + escapeSQL(text) + "'"
			}
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	return t.SQL()
}

func escapeSQL(s string) string {
	return strings.NewReplacer(`\`, `\\`, "'", `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s)
}

func showCreateTable(r *run, c *plan.Command) (plan.Node, error) {
	if r.Catalog.TempView(c.Name) != nil {
		return nil, aerr("EXPECT_PERMANENT_VIEW_NOT_TEMP", "viewName", errs.ID(c.Name...), "operation", "SHOW CREATE TABLE").At(c.Origin)
	}
	if c.Flags["as_serde"] {
		t, err := r.tableOf(c, "SHOW CREATE TABLE ... AS SERDE")
		if err != nil {
			return nil, err
		}
		return nil, aerr("UNSUPPORTED_SHOW_CREATE_TABLE.ON_DATA_SOURCE_TABLE_WITH_AS_SERDE", "tableName", errs.ID(catalog.DefaultCatalog, t.Database, t.Name))
	}
	d, err := r.described(c)
	if err != nil {
		return nil, err
	}
	t := d.table
	var b strings.Builder
	quote := func(s string) string { return "'" + escapeSQL(s) + "'" }
	list := func(title string, m map[string]string) {
		if len(m) == 0 {
			return
		}
		var l []string
		for _, k := range slices.Sorted(maps.Keys(m)) {
			l = append(l, "  "+quote(k)+" = "+quote(m[k]))
		}
		b.WriteString(title + " (\n" + strings.Join(l, ",\n") + ")\n")
	}
	names := func(l []string) string {
		out := make([]string, len(l))
		for i, n := range l {
			out[i] = types.QuoteIfNeeded(n)
		}
		return strings.Join(out, ", ")
	}
	cols := make([]string, len(d.schema.Fields))
	for i, f := range d.schema.Fields {
		cols[i] = "  " + types.QuoteIfNeeded(f.Name)
		if !t.IsView {
			cols[i] += " " + columnSQL(f.Type)
			if text, ok := metaGet(f.Metadata, metaDefault); ok {
				cols[i] += " DEFAULT " + text
			}
		}
		if text, ok := metaGet(f.Metadata, metaComment); ok {
			cols[i] += " COMMENT " + quote(text)
		}
	}
	props := redact(t.Properties)
	collation := props["collation"]
	delete(props, "collation")
	if t.IsView {
		b.WriteString("CREATE VIEW " + types.QuoteIfNeeded(t.Database) + "." + types.QuoteIfNeeded(t.Name) + " (\n" + strings.Join(cols, ",\n") + ")\n")
		if collation != "" {
			b.WriteString("DEFAULT COLLATION " + collation + "\n")
		}
		if t.Comment != "" {
			b.WriteString("COMMENT " + quote(t.Comment) + "\n")
		}
		list("TBLPROPERTIES", props)
		if t.SchemaMode != "" {
			b.WriteString("WITH SCHEMA " + t.SchemaMode + "\n")
		}
		b.WriteString("AS " + t.View + "\n")
		return rows([]types.Field{strCol("createtab_stmt", false)}, [][]any{{b.String()}})
	}
	b.WriteString("CREATE TABLE " + catalog.DefaultCatalog + "." + types.QuoteIfNeeded(t.Database) + "." + types.QuoteIfNeeded(t.Name) + " (\n" + strings.Join(cols, ",\n") + ")\n")
	b.WriteString("USING " + t.Provider + "\n")
	list("OPTIONS", redact(t.Options))
	by := names(t.Partitions)
	if cl, ok := t.Properties[clusteringColumns]; ok && cl != "[]" {
		by = "cluster_by(" + strings.NewReplacer(`"`, "", "],[", ", ", "[", "", "]", "", ",", ".").Replace(strings.ReplaceAll(cl, "],[", "\x00")) + ")"
		by = strings.ReplaceAll(by, "\x00", ", ")
	}
	if by != "" {
		b.WriteString("PARTITIONED BY (" + by + ")\n")
	}
	if t.Buckets > 0 {
		b.WriteString("CLUSTERED BY (" + names(t.BucketBy) + ")\n")
		if len(t.SortBy) > 0 {
			b.WriteString("SORTED BY (" + names(t.SortBy) + ")\n")
		}
		b.WriteString("INTO " + itoa(t.Buckets) + " BUCKETS\n")
	}
	if t.Comment != "" {
		b.WriteString("COMMENT " + quote(t.Comment) + "\n")
	}
	if collation != "" {
		b.WriteString("DEFAULT COLLATION " + collation + "\n")
	}
	if !t.Managed {
		b.WriteString("LOCATION " + quote(location(t.Location)) + "\n")
	}
	list("TBLPROPERTIES", props)
	return rows([]types.Field{strCol("createtab_stmt", false)}, [][]any{{b.String()}})
}

// catalogString is spark.catalog's getCreateTableString, which has the text in a column named value.
func catalogString(r *run, c *plan.Command) (plan.Node, error) {
	n, err := showCreateTable(r, c)
	if err != nil {
		return nil, err
	}
	l, ok := n.(*plan.LocalRelation)
	if !ok {
		return nil, errs.Internalf("SHOW CREATE TABLE gave %T", n)
	}
	out := *l
	out.Out = []*plan.Attr{{ID: plan.NewID(), Name: "value", T: types.StringType}}
	out.Schema = types.NewStruct(strCol("value", false))
	return &out, nil
}
