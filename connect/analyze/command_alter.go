package analyze

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// refusedAlter are the forms of ALTER TABLE that tables of files don't have, in Spark's own catalog neither.
var refusedAlter = map[string]string{"rename_column": "RENAME COLUMN", "drop_columns": "DROP COLUMN", "replace_columns": "REPLACE COLUMNS",
	"add_constraint": "ADD CONSTRAINT", "drop_constraint": "DROP CONSTRAINT"}

func alterRefused(r *run, c *plan.Command) (plan.Node, error) {
	what := refusedAlter[c.Kind]
	title := what
	if c.Kind == "drop_columns" {
		title = "DROP COLUMNS"
	}
	t, err := r.tableOf(c, "ALTER TABLE ... "+title)
	if err != nil {
		return nil, err
	}
	for _, n := range splitNames(c.Args["column"]) {
		if n == "" || c.Flags["if_exists"] {
			continue
		}
		if err := r.columnPath(splitName(n), t.Schema.Fields, false, c); err != nil {
			return nil, err
		}
	}
	return nil, tableOperation(t.Database, t.Name, what)
}

func addColumns(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "ALTER TABLE ... ADD COLUMNS")
	if err != nil {
		return nil, err
	}
	for i, f := range c.Columns {
		parts := splitName(c.Args["column"+itoa(i)])
		if len(parts) > 1 {
			if err := r.columnPath(parts, t.Schema.Fields, true, c); err != nil {
				return nil, err
			}
			return nil, tableOperation(t.Database, t.Name, "ADD COLUMN with qualified column")
		}
		if !f.Nullable {
			return nil, aerr("_LEGACY_ERROR_TEMP_1052")
		}
		if !storable(strings.ToLower(t.Provider), f.Type) {
			return nil, aerr("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", formatTitle(strings.ToLower(t.Provider)), "columnName", errs.ID(f.Name), "columnType", errs.Quote(f.Type.SQL()))
		}
	}
	if c.Flags["generated columns"] {
		return nil, tableOperation(t.Database, t.Name, "generated columns")
	}
	fields := slices.Clone(c.Columns)
	for i := range fields {
		f := &fields[i]
		f.Type = withCollation(f.Type, t.Properties["collation"])
		if text, ok := c.Args["default."+f.Name]; ok {
			if !strings.EqualFold(t.Provider, "parquet") { // the readers of the others give null for what rows haven't
				return nil, errs.NotSupported("ADD COLUMN with a DEFAULT to a table of format " + t.Provider).At(c.Origin)
			}
			if err := r.setDefault(f, text, "ALTER TABLE ADD COLUMNS"); err != nil {
				return nil, err
			}
		}
	}
	return r.altered(t, func(t *catalog.Table) error {
		n := len(t.Schema.Fields) - len(t.Partitions)
		all := slices.Concat(t.Schema.Fields[:n], fields, t.Schema.Fields[n:])
		if err := r.uniqueFields(all); err != nil {
			return err
		}
		t.Schema = types.NewStruct(all...)
		return nil
	})
}

// altered changes a table and drops what was kept of its rows.
func (r *run) altered(t *catalog.Table, change func(*catalog.Table) error) (plan.Node, error) {
	if err := r.update(t, change); err != nil {
		return nil, err
	}
	if r.Cache != nil && t.Location != "" {
		if err := r.Cache.RefreshPath(r.ctx, t.Location); err != nil {
			return nil, err
		}
	}
	return nothing()
}

func (r *run) columnAt(t *catalog.Table, name string, c *plan.Command) (int, error) {
	at := slices.IndexFunc(t.Schema.Fields, func(f types.Field) bool { return r.eq(f.Name, name) })
	if at < 0 {
		return 0, noColumn([]string{name}, t.Schema.Fields, c)
	}
	return at, nil
}

// columnPath checks that a column, or a field within one, is there; the last part of a new one needn't be.
func (r *run) columnPath(parts []string, fields []types.Field, isNew bool, c *plan.Command) error {
	of := types.NewStruct(fields...)
	for i, p := range parts {
		if of.Kind != types.Struct {
			return aerr("INVALID_FIELD_NAME", "fieldName", errs.ID(parts...), "path", errs.ID(parts[:i]...)).At(c.Origin)
		}
		at := slices.IndexFunc(of.Fields, func(f types.Field) bool { return r.eq(f.Name, p) })
		switch {
		case at >= 0:
			of = of.Fields[at].Type
		case !isNew || i < len(parts)-1:
			if isNew {
				parts = parts[:len(parts)-1]
			}
			return noColumn(parts, fields, c)
		}
	}
	return nil
}

// noColumn is the error of ALTER about a column that isn't there: it proposes all of them.
func noColumn(name []string, fields []types.Field, c *plan.Command) error {
	return aerr("UNRESOLVED_COLUMN.WITH_SUGGESTION", "objectName", errs.ID(name...), "proposal", fieldList(fields)).At(c.Origin)
}

func alterColumn(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "ALTER TABLE ... ALTER COLUMN")
	if err != nil {
		return nil, err
	}
	parts := splitName(c.Args["column"])
	at, err := r.columnAt(t, parts[0], c)
	if err != nil {
		return nil, err
	}
	for _, no := range []struct {
		is   bool
		what string
	}{{c.Flags["bulk"], "ALTER COLUMN in bulk"}, {len(parts) > 1, "ALTER COLUMN with qualified column"}, {c.Flags["not_null"], "ALTER COLUMN ... SET NOT NULL"}, {c.Flags["position"], "ALTER COLUMN ... FIRST | AFTER"}} {
		if no.is {
			return nil, tableOperation(t.Database, t.Name, no.what)
		}
	}
	old := t.Schema.Fields[at]
	next := old
	if len(c.Columns) > 0 {
		f := c.Columns[0]
		if !evolves(old.Type, f.Type) {
			return nil, aerr("NOT_SUPPORTED_CHANGE_COLUMN", "table", fullName(t), "originName", errs.ID(old.Name), "originType", errs.Quote(old.Type.SQL()),
				"newName", errs.ID(old.Name), "newType", errs.Quote(f.Type.SQL())).At(c.Origin)
		}
		next.Type = f.Type
		if text, ok := metaGet(f.Metadata, metaComment); ok {
			next.Metadata = metaSet(next.Metadata, metaComment, &text)
		}
	}
	if text, ok := c.Args["comment"]; ok {
		next.Metadata = metaSet(next.Metadata, metaComment, &text)
	}
	if text, ok := c.Args["default"]; ok {
		if _, err := r.defaultOf(text, next, "ALTER TABLE ALTER COLUMN"); err != nil {
			return nil, err
		}
		next.Metadata = metaSet(next.Metadata, metaDefault, &text)
	}
	if c.Flags["drop_default"] {
		next.Metadata = metaSet(next.Metadata, metaDefault, nil)
	}
	return r.altered(t, func(t *catalog.Table) error {
		at, err := r.columnAt(t, old.Name, c)
		if err != nil {
			return err
		}
		fields := slices.Clone(t.Schema.Fields)
		fields[at] = next
		t.Schema = types.NewStruct(fields...)
		return nil
	})
}

// evolves reports whether a column of type a may become one of type b: the same, or a longer VARCHAR.
func evolves(a, b *types.Type) bool {
	if a.Kind == types.Char && b.Kind == types.Varchar || a.Kind == types.Varchar && b.Kind == types.Varchar {
		return a.Length <= b.Length
	}
	return types.SameType(a, b)
}

// alterTarget finds what ALTER TABLE | VIEW names, and refuses tables for views and views for tables.
func (r *run) alterTarget(c *plan.Command, operation string) (*catalog.Table, error) {
	view := c.Flags["view"]
	what := "ALTER TABLE"
	if view {
		what = "ALTER VIEW"
	}
	if r.Catalog.TempView(c.Name) != nil {
		if view {
			return nil, aerr("EXPECT_PERMANENT_VIEW_NOT_TEMP", "viewName", errs.ID(c.Name...), "operation", what+" ... "+operation).At(c.Origin)
		}
		return nil, aerr("EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW", "viewName", errs.ID(c.Name...), "operation", what+" ... "+operation).At(c.Origin)
	}
	t, err := r.found(c)
	switch {
	case err != nil:
		return nil, err
	case view && !t.IsView:
		cond := "EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE"
		if operation == "AS" || strings.HasPrefix(operation, "WITH SCHEMA") {
			cond = "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE"
		}
		return nil, aerr(cond, "tableName", fullName(t), "operation", what+" ... "+operation).At(c.Origin)
	case !view && t.IsView:
		return nil, aerr("EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW", "viewName", fullName(t), "operation", what+" ... "+operation).At(c.Origin)
	}
	return t, nil
}

func renameRelation(r *run, c *plan.Command) (plan.Node, error) {
	to := splitName(c.Args["to"])
	if v := r.Catalog.TempView(c.Name); v != nil {
		if len(c.Name) == 1 && len(to) > 1 {
			return nil, aerr("TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS", "actualName", errs.ID(to...))
		}
		global := len(c.Name) == 2
		next := *v
		next.Name = to[len(to)-1]
		if err := r.Catalog.CreateTempView(&next, global, false); err != nil {
			return nil, err
		}
		r.dropTemp(c.Name)
		return nothing()
	}
	t, err := r.found(c)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Kind == "rename_view" && !t.IsView:
		return nil, aerr("EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE", "tableName", errs.ID(c.Name...), "operation", "ALTER VIEW").At(c.Origin)
	case c.Kind == "rename_table" && t.IsView:
		return nil, aerr("EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW", "viewName", errs.ID(c.Name...), "operation", "ALTER TABLE").At(c.Origin)
	}
	if len(to) > 2 {
		return nil, errs.New(errs.Parse, "IDENTIFIER_TOO_MANY_NAME_PARTS", "identifier", errs.ID(to...), "limit", "2").At(c.Origin)
	}
	db, name := t.Database, strings.ToLower(to[len(to)-1])
	if err := checkName(name); err != nil {
		return nil, err
	}
	if len(to) > 1 {
		if db = strings.ToLower(to[len(to)-2]); db != t.Database {
			return nil, aerr("RENAME_TABLE_SOURCE_DESTINATION_DATABASE_MISMATCH", "db", errs.ID(t.Database), "newDb", errs.ID(db))
		}
	}
	ok, err := r.Catalog.RenameTable(t.Database, t.Name, name)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, aerr("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", errs.ID(db, name))
	}
	if t.IsView || !t.Managed || r.Tables == nil {
		return nothing()
	}
	// The folder of a managed table is named like it, unless SET LOCATION gave it another.
	d, err := r.Catalog.Database(t.Database)
	if err != nil || d == nil {
		return nothing()
	}
	was, err := r.Tables.Path(d, t.Name)
	if err != nil || was != t.Location {
		return nothing()
	}
	becomes, err := r.Tables.Path(d, name)
	if err == nil {
		err = r.Tables.Move(was, becomes)
	}
	if err != nil {
		if _, e := r.Catalog.RenameTable(t.Database, name, t.Name); e != nil {
			return nil, errs.Internalf("%v; and the table has its new name: %v", err, e)
		}
		return nil, err
	}
	moved := *t
	moved.Name = name
	return r.altered(&moved, func(t *catalog.Table) error {
		t.Location = becomes
		return nil
	})
}

func setProperties(r *run, c *plan.Command) (plan.Node, error) {
	set := map[string]string{}
	for k, v := range c.Args {
		if p, ok := strings.CutPrefix(k, "property."); ok {
			set[p] = v
		}
	}
	what := "SET TBLPROPERTIES"
	if c.Kind == "unset_properties" {
		what = "UNSET TBLPROPERTIES"
	}
	if err := r.reserved(set, c); err != nil {
		return nil, err
	}
	t, err := r.alterTarget(c, what)
	if err != nil {
		return nil, err
	}
	return r.altered(t, func(t *catalog.Table) error {
		for k, v := range set {
			if k == "comment" {
				t.Comment = v
				continue
			}
			t.Properties[k] = v
		}
		for i := 0; c.Kind == "unset_properties"; i++ {
			k, ok := c.Args["property"+itoa(i)]
			if !ok {
				break
			}
			if k == "comment" {
				t.Comment = ""
			}
			delete(t.Properties, k)
		}
		return nil
	})
}

func setSerde(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "ALTER TABLE ... SET [SERDE|SERDEPROPERTIES]")
	if err != nil {
		return nil, err
	}
	if c.Flags["serde"] {
		return nil, aerr("UNSUPPORTED_FEATURE.ALTER_TABLE_SERDE_FOR_DATASOURCE_TABLE", "tableName", fullName(t))
	}
	if c.Flags["partition"] {
		return nil, aerr("_LEGACY_ERROR_TEMP_1247")
	}
	return r.altered(t, func(t *catalog.Table) error {
		for k, v := range c.Args {
			if p, ok := strings.CutPrefix(k, "property."); ok {
				t.Options[p] = v
			}
		}
		return nil
	})
}

func setLocation(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "ALTER TABLE ... SET LOCATION ...")
	if err != nil {
		return nil, err
	}
	d, err := r.Catalog.Database(t.Database)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, noSchema(t.Database)
	}
	where, err := r.inDatabase(d, c.Args["location"])
	if c.Flags["partition"] {
		where, err = r.absolute(t, c.Args["location"])
	}
	if err != nil {
		return nil, err
	}
	if !c.Flags["partition"] {
		return r.altered(t, func(t *catalog.Table) error {
			t.Location = where
			return nil
		})
	}
	spec, err := r.fullSpec(t, c, "0.")
	if err != nil {
		return nil, err
	}
	return r.altered(t, func(t *catalog.Table) error {
		for i, p := range t.Parts {
			if spec.matches(p.Values) {
				t.Parts[i].Location = where
				return nil
			}
		}
		return r.noPartition(t, spec)
	})
}

// absolute is a location that a statement about a table gives: relative ones are below the table's.
func (r *run) absolute(t *catalog.Table, location string) (string, error) {
	if strings.Contains(location, ":/") || strings.HasPrefix(location, "/") {
		return location, nil
	}
	return strings.TrimSuffix(t.Location, "/") + "/" + location, nil
}

// specAt is one of several PARTITION clauses.
func (r *run) specAt(t *catalog.Table, c *plan.Command, key string) (*partSpec, error) {
	at, err := strconv.Atoi(c.Args[key+"at"])
	if err != nil || at > len(c.Exprs_) {
		return nil, errs.Internalf("PARTITION clause %s is not there", key)
	}
	return r.partitionSpecAt(t, c, key, c.Exprs_[at:])
}

// fullSpec is a PARTITION clause that must name all partition columns.
func (r *run) fullSpec(t *catalog.Table, c *plan.Command, key string) (*partSpec, error) {
	s, err := r.specAt(t, c, key)
	if err != nil {
		return nil, err
	}
	if !s.complete() {
		return nil, r.incomplete(t, s)
	}
	return s, nil
}

func (r *run) incomplete(t *catalog.Table, s *partSpec) error {
	return aerr("_LEGACY_ERROR_TEMP_1232", "specKeys", strings.Join(s.keys, ", "), "partitionColumnNames", strings.Join(t.Partitions, ", "), "tableName", fullName(t))
}

// partitioned is the table of a statement about partitions.
func (r *run) partitioned(c *plan.Command, operation string) (*catalog.Table, error) {
	t, err := r.tableOf(c, operation+" ...")
	if err != nil {
		return nil, err
	}
	if len(t.Partitions) == 0 {
		return nil, aerr("_LEGACY_ERROR_TEMP_1251", "action", strings.ReplaceAll(operation, " ...", ""), "tableName", t.Name)
	}
	return t, nil
}

func addPartitions(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.partitioned(c, "ALTER TABLE ... ADD PARTITION")
	if err != nil {
		return nil, err
	}
	var add []catalog.Partition
	for i := 0; c.Args[itoa(i)+".at"] != ""; i++ {
		s, err := r.fullSpec(t, c, itoa(i)+".")
		if err != nil {
			return nil, err
		}
		p := catalog.Partition{Values: s.list(), Created: r.now}
		if where := c.Args["location"+itoa(i)]; where != "" {
			if p.Location, err = r.absolute(t, where); err != nil {
				return nil, err
			}
		}
		add = append(add, p)
	}
	for _, p := range add {
		if err := r.Tables.MakeFolder(r.Tables.Folder(t, p)); err != nil {
			return nil, err
		}
	}
	return r.altered(t, func(t *catalog.Table) error {
		var there []string
		for _, p := range add {
			if slices.ContainsFunc(t.Parts, func(o catalog.Partition) bool { return slices.Equal(o.Values, p.Values) }) {
				there = append(there, specText(t.Partitions, p.Values))
				continue
			}
			t.Parts = append(t.Parts, p)
		}
		if len(there) > 0 && !c.Flags["if_not_exists"] {
			return aerr("PARTITIONS_ALREADY_EXIST", "partitionList", strings.Join(there, ", "), "tableName", errs.ID(t.Database, t.Name))
		}
		return nil
	})
}

func specText(by, values []string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = errs.ID(by[i]) + " = " + v
	}
	return "PARTITION (" + strings.Join(parts, ", ") + ")"
}

func dropPartitions(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.partitioned(c, "ALTER TABLE ... DROP PARTITION")
	if err != nil {
		return nil, err
	}
	var specs []*partSpec
	for i := 0; c.Args[itoa(i)+".at"] != ""; i++ {
		s, err := r.specAt(t, c, itoa(i)+".")
		if err != nil {
			return nil, err
		}
		specs = append(specs, s)
	}
	var gone []catalog.Partition
	err = r.update(t, func(t *catalog.Table) error {
		gone = nil
		for _, s := range specs {
			n := len(gone)
			t.Parts = slices.DeleteFunc(t.Parts, func(p catalog.Partition) bool {
				if !s.complete() || !s.matches(p.Values) { // a part of the columns' values is no partition's name
					return false
				}
				gone = append(gone, p)
				return true
			})
			if len(gone) == n && !c.Flags["if_exists"] {
				return r.noPartition(t, s)
			}
		}
		t.Stats = nil
		return nil
	})
	if err != nil {
		return nil, err
	}
	if t.Managed {
		for _, p := range gone {
			if err := r.Tables.Remove(r.Tables.Folder(t, p)); err != nil {
				return nil, err
			}
		}
	}
	if err := r.changed(t); err != nil {
		return nil, err
	}
	return nothing()
}

func renamePartition(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.partitioned(c, "ALTER TABLE ... RENAME PARTITION")
	if err != nil {
		return nil, err
	}
	from, err := r.fullSpec(t, c, "0.")
	if err != nil {
		return nil, err
	}
	to, err := r.fullSpec(t, c, "1.")
	if err != nil {
		return nil, err
	}
	var move [2]string
	err = r.update(t, func(t *catalog.Table) error {
		at := slices.IndexFunc(t.Parts, func(p catalog.Partition) bool { return from.matches(p.Values) })
		if at < 0 {
			return r.noPartition(t, from)
		}
		if slices.ContainsFunc(t.Parts, func(p catalog.Partition) bool { return to.matches(p.Values) }) {
			return aerr("PARTITIONS_ALREADY_EXIST", "partitionList", to.text(), "tableName", errs.ID(t.Database, t.Name))
		}
		old := t.Parts[at]
		t.Parts[at].Values = to.list()
		if old.Location == "" {
			move = [2]string{r.Tables.Folder(t, old), r.Tables.Folder(t, t.Parts[at])}
			if !t.Managed { // its files stay where they are
				t.Parts[at].Location, move = move[0], [2]string{}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if move[0] != "" {
		if err := r.Tables.MakeFolder(strings.TrimSuffix(move[1], "/"+lastPart(move[1]))); err != nil {
			return nil, err
		}
		if err := r.Tables.Move(move[0], move[1]); err != nil {
			return nil, err
		}
	}
	if err := r.changed(t); err != nil {
		return nil, err
	}
	return nothing()
}

func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// recoverPartitions is ALTER TABLE ... RECOVER PARTITIONS and MSCK REPAIR TABLE: the catalog learns what lies below the table's folder.
func recoverPartitions(r *run, c *plan.Command) (plan.Node, error) {
	operation := "MSCK REPAIR TABLE"
	if c.Kind == "recover_partitions" || c.Kind == "catalog_recover_partitions" {
		operation = "ALTER TABLE RECOVER PARTITIONS"
	}
	t, err := r.tableOf(c, operation)
	if err != nil {
		return nil, err
	}
	if len(t.Partitions) == 0 {
		return nil, aerr("NOT_A_PARTITIONED_TABLE", "operation", operation, "tableIdentWithDB", fullName(t))
	}
	there, err := r.Tables.Find(t)
	if err != nil {
		return nil, err
	}
	for i := range there {
		if err := r.fastStats(t, &there[i]); err != nil {
			return nil, err
		}
	}
	mode := c.Args["mode"]
	return r.altered(t, func(t *catalog.Table) error {
		if mode == "DROP" || mode == "SYNC" {
			t.Parts = slices.DeleteFunc(t.Parts, func(p catalog.Partition) bool {
				return p.Location == "" && !slices.ContainsFunc(there, func(o catalog.Partition) bool { return slices.Equal(o.Values, p.Values) })
			})
		}
		for _, p := range there {
			if mode != "DROP" && !slices.ContainsFunc(t.Parts, func(o catalog.Partition) bool { return slices.Equal(o.Values, p.Values) }) {
				t.Parts = append(t.Parts, p)
			}
		}
		return nil
	})
}

// fastStats notes the number and the size of a partition's files (spark.sql.hive.gatherFastStats).
func (r *run) fastStats(t *catalog.Table, p *catalog.Partition) error {
	if !r.Conf.flag("spark.sql.hive.gatherFastStats", true) {
		return nil
	}
	size, files, err := r.Tables.Size(r.Tables.Folder(t, *p), false)
	if err != nil {
		return err
	}
	p.Properties = map[string]string{"numFiles": itoa(files), "totalSize": strconv.FormatInt(size, 10), "transient_lastDdlTime": strconv.FormatInt(r.now.Unix(), 10)}
	return nil
}

func clusterBy(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "ALTER TABLE ... CLUSTER BY")
	if err != nil {
		return nil, err
	}
	by, err := r.clustering(c.Args["cluster_by"], t.Schema.Fields)
	if err != nil {
		return nil, err
	}
	return r.altered(t, func(t *catalog.Table) error {
		t.Properties[clusteringColumns] = by
		return nil
	})
}

func defaultCollation(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.alterTarget(c, "DEFAULT COLLATION")
	if err != nil {
		return nil, err
	}
	return r.altered(t, func(t *catalog.Table) error {
		t.Properties["collation"] = c.Args["collation"]
		return nil
	})
}

func alterView(r *run, c *plan.Command) (plan.Node, error) {
	if v := r.Catalog.TempView(c.Name); v != nil {
		n := *c
		n.Args = map[string]string{"collation": v.Collation}
		n.Kind, n.Flags = "create_view", map[string]bool{"temporary": len(c.Name) == 1, "global": len(c.Name) == 2, "or_replace": true}
		return createView(r, &n)
	}
	t, err := r.alterTarget(c, "AS")
	if err != nil {
		return nil, err
	}
	n := *c
	n.Kind, n.Flags, n.Args = "create_view", map[string]bool{"or_replace": true}, map[string]string{"schema_mode": t.SchemaMode}
	if t.Comment != "" {
		n.Args["comment"] = t.Comment
	}
	for k, v := range t.Properties {
		n.Args["property."+k] = v
	}
	if v := t.Properties["collation"]; v != "" {
		delete(n.Args, "property.collation")
		n.Args["collation"] = v
	}
	return createView(r, &n)
}

func viewSchema(r *run, c *plan.Command) (plan.Node, error) {
	if r.Catalog.TempView(c.Name) != nil {
		return nil, errs.New(errs.Analysis, "UNSUPPORTED_FEATURE.TEMPORARY_VIEW_WITH_SCHEMA_BINDING_MODE").At(c.Origin)
	}
	t, err := r.alterTarget(c, "WITH SCHEMA")
	if err != nil {
		return nil, err
	}
	return r.altered(t, func(t *catalog.Table) error {
		t.SchemaMode = c.Args["schema_mode"]
		return nil
	})
}

func alterDatabase(r *run, c *plan.Command) (plan.Node, error) {
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
	n := *d
	if n.Properties = maps.Clone(d.Properties); n.Properties == nil {
		n.Properties = map[string]string{}
	}
	for k, v := range c.Args {
		p, ok := strings.CutPrefix(k, "property.")
		if !ok {
			continue
		}
		if err := r.reservedDatabase(p, c); err != nil {
			return nil, err
		}
		n.Properties[p] = v
	}
	for i := 0; ; i++ {
		k, ok := c.Args["property"+itoa(i)]
		if !ok {
			break
		}
		delete(n.Properties, k)
	}
	if v, ok := n.Properties["comment"]; ok {
		n.Comment = v
		delete(n.Properties, "comment")
	}
	if v, ok := c.Args["location"]; ok {
		if n.Location = v; v == "" {
			return nil, errs.New(errs.Analysis, "INVALID_EMPTY_LOCATION", "location", v)
		}
		if !strings.Contains(v, ":/") && !strings.HasPrefix(v, "/") && r.Tables != nil {
			base, err := r.Tables.Path(&catalog.Database{Name: catalog.DefaultDatabase}, "")
			if err != nil {
				return nil, err
			}
			n.Location = base + "/" + v
		}
	}
	if v := c.Args["collation"]; v != "" {
		if err := r.schemaCollations(); err != nil {
			return nil, err
		}
		n.Properties["collation"] = v
	}
	return answer(r.Catalog.PutDatabase(n))
}

// reservedDatabase refuses properties of databases that have clauses of their own.
func (r *run) reservedDatabase(key string, c *plan.Command) error {
	msg := map[string]string{"owner": "it will be set to the current user", "location": "please use the LOCATION clause to specify it"}[key]
	if msg == "" || r.Conf.flag("spark.sql.legacy.notReserveProperties", false) {
		return nil
	}
	return errs.New(errs.Parse, "UNSUPPORTED_FEATURE.SET_NAMESPACE_PROPERTY", "property", key, "msg", msg).At(c.Origin)
}

// schemaCollations refuses collations of schemas unless they are allowed.
func (r *run) schemaCollations() error {
	if r.Conf.flag("spark.sql.collation.schemaLevel.enabled", false) {
		return nil
	}
	return aerr("UNSUPPORTED_FEATURE.SCHEMA_LEVEL_COLLATIONS")
}

// answer is that of a statement without rows.
func answer(err error) (plan.Node, error) {
	if err != nil {
		return nil, err
	}
	return nothing()
}

func commentOn(r *run, c *plan.Command) (plan.Node, error) {
	text := c.Args["comment"]
	switch c.Args["type"] {
	case "database":
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
		n := *d
		n.Comment = text
		return answer(r.Catalog.PutDatabase(n))
	case "column":
		if len(c.Name) < 2 {
			return nil, errs.New(errs.Parse, "PARSE_SYNTAX_ERROR", "error", "'IS'", "hint", "").At(c.Origin)
		}
		n := *c
		n.Name = c.Name[:len(c.Name)-1]
		n.Args = map[string]string{"column": errs.ID(c.Name[len(c.Name)-1]), "comment": text}
		n.Flags = map[string]bool{}
		return alterColumn(r, &n)
	}
	if len(c.Name) > 3 || len(c.Name) == 3 && !strings.EqualFold(c.Name[0], catalog.DefaultCatalog) {
		return nil, aerr("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", catalog.DefaultCatalog, "identifier", errs.ID(c.Name...))
	}
	t, err := r.tableOf(c, "COMMENT ON TABLE")
	if err != nil {
		return nil, err
	}
	return r.altered(t, func(t *catalog.Table) error {
		t.Comment = text
		return nil
	})
}

func loadData(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "LOAD DATA")
	if err != nil {
		return nil, err
	}
	return nil, aerr("_LEGACY_ERROR_TEMP_1261", "tableIdentWithDB", fullName(t))
}

// changeRows is DELETE, UPDATE and MERGE, which tables of files don't have: their names are resolved, and then they are refused.
func changeRows(r *run, c *plan.Command) (plan.Node, error) {
	x, err := r.node(c.Query, nil)
	if err != nil {
		return nil, err
	}
	s := &scope{out: x.out}
	for _, e := range c.Exprs_ {
		if c.Flags["identifier"] && e == c.Exprs_[0] {
			continue
		}
		if _, err := r.expr(e, s); err != nil {
			return nil, err
		}
	}
	name := errs.ID("unknown")
	if r.Catalog.TempView(c.Name) == nil {
		t, err := r.found(c)
		if err != nil {
			return nil, err
		}
		name = fullName(t)
	}
	what := map[string]string{"delete": "DELETE", "update": "UPDATE TABLE", "merge": "MERGE INTO TABLE"}[c.Kind]
	return nil, aerr("UNSUPPORTED_FEATURE.TABLE_OPERATION", "tableName", name, "operation", what)
}
