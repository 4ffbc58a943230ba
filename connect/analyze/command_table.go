package analyze

import (
	"context"
	"slices"
	"strings"

	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Tables keeps the files of tables; the composition root implements it.
type Tables interface {
	// Path is the folder of a managed table of a database.
	Path(db *catalog.Database, table string) (string, error)
	// Make makes the folder of a new managed table: LOCATION_ALREADY_EXISTS where something is there.
	Make(table []string, path string) error
	// Clear removes what a folder holds, Remove the folder too.
	Clear(path string) error
	Remove(path string) error
	// Write runs a resolved relation whose columns are the table's, and adds its rows to
	// the table or, with overwrite, puts them in the place of the old ones.
	Write(ctx context.Context, t *catalog.Table, rows plan.Node, overwrite bool) error
}

// tableFormats are the formats that tables can be created in.
var tableFormats = []string{"parquet", "csv", "json", "text"}

func createTable(r *run, c *plan.Command) (plan.Node, error) {
	if r.Tables == nil {
		return nil, errs.NotSupported("statement " + c.Kind).At(c.Origin)
	}
	db, name, ok := r.Catalog.Resolve(c.Name)
	if !ok {
		return nil, errs.NotSupported("catalog " + c.Name[0])
	}
	d, err := r.Catalog.Database(db)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, noSchema(db)
	}
	old, err := r.Catalog.Table(db, name)
	if err != nil {
		return nil, err
	}
	if c.Flags["replace"] || c.Flags["or_replace"] {
		return nil, errs.NotSupported("REPLACE TABLE").At(c.Origin)
	}
	if old != nil {
		if c.Flags["if_not_exists"] {
			return nothing()
		}
		return nil, aerr("TABLE_OR_VIEW_ALREADY_EXISTS", "relationName", errs.ID(catalog.DefaultCatalog, db, name))
	}
	t := &catalog.Table{Database: db, Name: name, Comment: c.Args["comment"], Options: map[string]string{}, Properties: map[string]string{}}
	for k, v := range c.Args {
		if o, ok := strings.CutPrefix(k, "option."); ok {
			t.Options[o] = v
		} else if p, ok := strings.CutPrefix(k, "property."); ok {
			t.Properties[p] = v
		} else if strings.HasPrefix(k, "default.") {
			return nil, errs.NotSupported("CREATE TABLE with DEFAULT columns").At(c.Origin)
		}
	}
	if c.Args["bucket_by"] != "" || c.Args["cluster_by"] != "" {
		return nil, errs.NotSupported("CREATE TABLE with CLUSTERED BY or CLUSTER BY").At(c.Origin)
	}
	if t.Provider, err = r.provider(c); err != nil {
		return nil, err
	}
	var rows *rel
	fields := c.Columns
	if c.Query != nil {
		if len(fields) > 0 {
			return nil, errs.NotSupported("a schema in CREATE TABLE ... AS SELECT").At(c.Origin)
		}
		if rows, err = r.node(c.Query, nil); err != nil {
			return nil, err
		}
		if err := checkPlan(rows.node); err != nil {
			return nil, err
		}
		fields = types.AsNullable(Schema(rows.node)).Fields
	}
	if t.Location = c.Args["location"]; t.Location == "" {
		for k, v := range t.Options {
			if strings.EqualFold(k, "path") {
				t.Location = v
				delete(t.Options, k)
			}
		}
	}
	if len(fields) == 0 && t.Location != "" {
		x, err := r.dataSource(&plan.DataSource{Common: c.Common, Format: t.Provider, Paths: []string{t.Location}, Options: t.Options})
		if err != nil {
			return nil, err
		}
		fields = Schema(x.node).Fields
	}
	if fields, err = r.tableFields(t, c, fields); err != nil {
		return nil, err
	}
	t.Schema = types.NewStruct(fields...)
	if t.Location == "" {
		t.Managed = true
		if t.Location, err = r.Tables.Path(d, name); err != nil {
			return nil, err
		}
		if err := r.Tables.Make([]string{catalog.DefaultCatalog, db, name}, t.Location); err != nil {
			return nil, err
		}
	}
	if rows != nil {
		list := make([]plan.Expr, len(fields))
		for i, f := range fields {
			list[i] = rows.out[slices.IndexFunc(rows.out, func(a *plan.Attr) bool { return a.Name == f.Name })]
		}
		err = r.Tables.Write(r.ctx, t, &plan.Project{List: list, Child: rows.node}, false)
	}
	if err == nil {
		err = r.Catalog.PutTable(t)
	}
	if err != nil {
		if t.Managed {
			if e := r.Tables.Remove(t.Location); e != nil {
				return nil, errs.Internalf("%v; and its folder stays: %v", err, e)
			}
		}
		return nil, err
	}
	return nothing()
}

// provider is the format of a new table.
func (r *run) provider(c *plan.Command) (string, error) {
	p := strings.ToLower(c.Args["provider"])
	if p == "" {
		p = c.Args["stored_as"]
	}
	if p == "" {
		p = strings.ToLower(r.Conf.text("spark.sql.sources.default", "parquet"))
	}
	switch {
	case slices.Contains(tableFormats, p):
		return p, nil
	case fileFormats[p] || p == "hive" || p == "jdbc" || strings.Contains(p, "."):
		return "", errs.NotSupported("tables of format " + p).At(c.Origin)
	}
	return "", aerr("DATA_SOURCE_NOT_FOUND", "provider", p)
}

// tableFields checks the columns of a new table, and puts those that it is partitioned by last.
func (r *run) tableFields(t *catalog.Table, c *plan.Command, fields []types.Field) ([]types.Field, error) {
	if len(fields) == 0 {
		return nil, errs.NotSupported("a table without columns").At(c.Origin)
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[r.fold(f.Name)] {
			return nil, aerr("COLUMN_ALREADY_EXISTS", "columnName", errs.ID(r.fold(f.Name)))
		}
		seen[r.fold(f.Name)] = true
		switch {
		case !types.Equal(readType(f.Type), f.Type):
			return nil, errs.NotSupported("CHAR and VARCHAR columns of tables").At(c.Origin)
		case !f.Nullable:
			return nil, errs.NotSupported("NOT NULL columns of tables").At(c.Origin)
		}
	}
	var parts []types.Field
	if by := c.Args["partition_by"]; by != "" {
		for _, p := range strings.Split(by, ",") {
			n := splitName(p)
			i := slices.IndexFunc(fields, func(f types.Field) bool { return r.eq(f.Name, n[len(n)-1]) })
			if len(n) > 1 || i < 0 {
				return nil, r.unresolvedIn(&plan.UnresolvedAttr{At: plan.At{Origin: c.Origin}, Parts: n}, attrsOf(fields))
			}
			parts = append(parts, fields[i])
			t.Partitions = append(t.Partitions, fields[i].Name)
		}
		if len(parts) == len(fields) {
			return nil, aerr("ALL_PARTITION_COLUMNS_NOT_ALLOWED")
		}
	}
	var out []types.Field
	for _, f := range fields {
		if !slices.Contains(t.Partitions, f.Name) {
			out = append(out, f)
		}
	}
	return append(out, parts...), nil
}

func attrsOf(fields []types.Field) []*plan.Attr {
	out := make([]*plan.Attr, len(fields))
	for i, f := range fields {
		out[i] = &plan.Attr{ID: plan.NewID(), Name: f.Name, T: f.Type, Null: true}
	}
	return out
}

// tableOf is the table that a statement changes.
func (r *run) tableOf(c *plan.Command) (*catalog.Table, error) {
	if r.Tables == nil {
		return nil, errs.NotSupported("statement " + c.Kind).At(c.Origin)
	}
	if r.Catalog.TempView(c.Name) != nil {
		return nil, errs.NotSupported("statement " + c.Kind + " of a view").At(c.Origin)
	}
	if db, name, ok := r.Catalog.Resolve(c.Name); ok {
		t, err := r.Catalog.Table(db, name)
		if err != nil {
			return nil, err
		}
		if t != nil && t.IsView {
			return nil, errs.NotSupported("statement " + c.Kind + " of a view").At(c.Origin)
		}
		if t != nil {
			return t, nil
		}
	}
	return nil, aerr("TABLE_OR_VIEW_NOT_FOUND", "relationName", errs.ID(c.Name...), "searchPath", r.searchPath()).At(c.Origin)
}

func truncateTable(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c)
	if err != nil {
		return nil, err
	}
	switch {
	case c.Flags["partition"]:
		return nil, errs.NotSupported("TRUNCATE TABLE ... PARTITION").At(c.Origin)
	case !t.Managed:
		return nil, errs.NotSupported("TRUNCATE TABLE of an external table").At(c.Origin)
	}
	if err := r.Tables.Clear(t.Location); err != nil {
		return nil, err
	}
	return nothing()
}

// insert is INSERT INTO and INSERT OVERWRITE of a table.
func insert(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c)
	if err != nil {
		return nil, err
	}
	if c.Flags["partition"] || c.Flags["replace_where"] {
		return nil, errs.NotSupported("INSERT with PARTITION or REPLACE WHERE").At(c.Origin)
	}
	x, err := r.node(c.Query, nil)
	if err != nil {
		return nil, err
	}
	if err := checkPlan(x.node); err != nil {
		return nil, err
	}
	names, err := r.insertColumns(t, c, x)
	if err != nil {
		return nil, err
	}
	full := errs.ID(catalog.DefaultCatalog, t.Database, t.Name)
	list := make([]plan.Expr, len(t.Schema.Fields))
	for i, f := range t.Schema.Fields {
		var e plan.Expr = nullLit(f.Type)
		if at := slices.IndexFunc(names, func(n string) bool { return r.eq(n, f.Name) }); at >= 0 {
			if e, err = r.assign(x.out[at], f, full); err != nil {
				return nil, err
			}
		}
		list[i] = &plan.Alias{Child: e, Names: []string{f.Name}, ID: plan.NewID()}
	}
	if c.Flags["overwrite"] && readsTable(x.node, t) {
		return nil, aerr("UNSUPPORTED_OVERWRITE.TABLE", "table", full).At(c.Origin)
	}
	if err := r.Tables.Write(r.ctx, t, &plan.Project{Common: c.Common, List: list, Child: x.node}, c.Flags["overwrite"]); err != nil {
		return nil, err
	}
	return nothing()
}

// insertColumns names the table's column that each column of the query goes to.
func (r *run) insertColumns(t *catalog.Table, c *plan.Command, x *rel) ([]string, error) {
	fields := t.Schema.Fields
	var names []string
	switch {
	case c.Flags["by_name"]:
		for _, a := range x.out {
			names = append(names, a.Name)
		}
	case len(c.Columns) > 0:
		for _, f := range c.Columns {
			names = append(names, f.Name)
		}
	default:
		for _, f := range fields {
			names = append(names, f.Name)
		}
	}
	seen := map[string]bool{}
	for _, n := range names {
		if seen[r.fold(n)] {
			return nil, aerr("COLUMN_ALREADY_EXISTS", "columnName", errs.ID(r.fold(n)))
		}
		seen[r.fold(n)] = true
		if !slices.ContainsFunc(fields, func(f types.Field) bool { return r.eq(f.Name, n) }) {
			if c.Flags["by_name"] {
				return nil, aerr("INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS", "tableName", errs.ID(catalog.DefaultCatalog, t.Database, t.Name), "extraColumns", errs.ID(n))
			}
			return nil, r.unresolvedIn(&plan.UnresolvedAttr{At: plan.At{Origin: c.Origin}, Parts: []string{n}}, attrsOf(fields))
		}
	}
	cond := ""
	switch {
	case len(x.out) > len(names):
		cond = "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
	case len(x.out) < len(names) && len(c.Columns) > 0:
		cond = "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
	}
	if cond != "" {
		cols := fields
		if len(c.Columns) > 0 {
			cols = c.Columns
		}
		return nil, aerr(cond, "tableName", errs.ID(catalog.DefaultCatalog, t.Database, t.Name), "tableColumns", fieldList(cols), "dataColumns", idList(x.out))
	}
	return names[:len(x.out)], nil
}

// assign casts a column of a query to the type of a table's column, by the rules of spark.sql.storeAssignmentPolicy.
func (r *run) assign(a *plan.Attr, f types.Field, table string) (plan.Expr, error) {
	if types.SameType(a.T, f.Type) {
		return a, nil
	}
	mode := plan.ANSI
	switch strings.ToUpper(r.Conf.text("spark.sql.storeAssignmentPolicy", "ANSI")) {
	case "LEGACY":
		mode = plan.Legacy
		if !castable(a.T, f.Type, false) {
			return nil, aerr("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "tableName", table, "colName", errs.ID(f.Name), "srcType", errs.Quote(a.T.SQL()), "targetType", errs.Quote(f.Type.SQL()))
		}
	case "STRICT":
		return nil, errs.NotSupported("spark.sql.storeAssignmentPolicy STRICT")
	default:
		if !r.storeAssignable(a.T, f.Type) {
			return nil, aerr("INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "tableName", table, "colName", errs.ID(f.Name), "srcType", errs.Quote(a.T.SQL()), "targetType", errs.Quote(f.Type.SQL()))
		}
	}
	return &plan.Cast{Child: a, To: f.Type, Mode: mode, Implicit: true}, nil
}
