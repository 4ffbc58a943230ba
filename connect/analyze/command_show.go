package analyze

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"neptune/arrowexec/fn"
	"neptune/connect/catalog"
	"neptune/internal/collation"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

type listed struct {
	db, name string
	view     bool
	temp     bool
	t        *catalog.Table
}

// relations lists the tables and views of a database, and the temporary views beside them.
func (r *run) relations(parts []string, pattern string) ([]listed, error) {
	db, err := r.database(parts)
	if err != nil {
		return nil, err
	}
	ok := like(pattern)
	var out []listed
	tabs, err := r.Catalog.Tables(db)
	if err != nil {
		return nil, err
	}
	for _, t := range tabs {
		if ok(t.Name) {
			out = append(out, listed{db, t.Name, t.IsView, false, t})
		}
	}
	if db == catalog.GlobalTemp {
		for _, v := range r.Catalog.TempViews(true) {
			if ok(v.Name) {
				out = append(out, listed{db, v.Name, true, true, nil})
			}
		}
	}
	for _, v := range r.Catalog.TempViews(false) {
		if ok(v.Name) {
			out = append(out, listed{"", v.Name, true, true, nil})
		}
	}
	return out, nil
}

func showTables(r *run, c *plan.Command) (plan.Node, error) {
	list, err := r.relations(c.Name, c.Args["pattern"])
	if err != nil {
		return nil, err
	}
	views := strings.HasSuffix(c.Kind, "views")
	var data [][]any
	if strings.HasPrefix(c.Kind, "catalog_") {
		for _, l := range list {
			if views && !l.view {
				continue
			}
			data = append(data, tableRow(l))
		}
		return rows(tableColumns, data)
	}
	if c.Flags["json"] {
		return tablesJSON(list, false)
	}
	schema := []types.Field{strCol("namespace", false), strCol("tableName", false), boolCol("isTemporary")}
	if !views && r.Conf.flag("spark.sql.legacy.keepCommandOutputSchema", false) {
		schema[0].Name = "database"
	}
	if views {
		schema[1].Name = "viewName"
	}
	for _, l := range list {
		if !views || l.view {
			data = append(data, []any{l.db, l.name, l.temp})
		}
	}
	return rows(schema, data)
}

var tableColumns = []types.Field{strCol("name", false), strCol("catalog", true), {Name: "namespace", Type: types.NewArray(types.StringType, false), Nullable: true},
	strCol("description", true), strCol("tableType", false), boolCol("isTemporary")}

func tableRow(l listed) []any {
	if l.temp {
		var ns any = []any{}
		if l.db != "" {
			ns = []any{l.db}
		}
		return []any{l.name, nil, ns, nil, "TEMPORARY", true}
	}
	kind := "EXTERNAL"
	switch {
	case l.view:
		kind = "VIEW"
	case l.t.Managed:
		kind = "MANAGED"
	}
	var comment any
	if l.t.Comment != "" {
		comment = l.t.Comment
	}
	return []any{l.name, catalog.DefaultCatalog, []any{l.db}, comment, kind, false}
}

func showDatabases(r *run, c *plan.Command) (plan.Node, error) {
	dbs, err := r.Catalog.Databases()
	if err != nil {
		return nil, err
	}
	ok := like(c.Args["pattern"])
	var data [][]any
	for _, d := range dbs {
		if !ok(d.Name) {
			continue
		}
		if strings.HasPrefix(c.Kind, "catalog_") {
			data = append(data, r.databaseRow(d))
		} else {
			data = append(data, []any{d.Name})
		}
	}
	if strings.HasPrefix(c.Kind, "catalog_") {
		return rows(databaseColumns, data)
	}
	return rows([]types.Field{strCol("namespace", false)}, data)
}

var databaseColumns = []types.Field{strCol("name", false), strCol("catalog", true), strCol("description", true), strCol("locationUri", false)}

func (r *run) databaseRow(d catalog.Database) []any {
	return []any{d.Name, catalog.DefaultCatalog, d.Comment, r.folderOf(&d)}
}

func showCatalogs(_ *run, c *plan.Command) (plan.Node, error) {
	var data [][]any
	listing := strings.HasPrefix(c.Kind, "catalog_")
	if like(c.Args["pattern"])(catalog.DefaultCatalog) {
		if listing {
			data = [][]any{{catalog.DefaultCatalog, nil}}
		} else {
			data = [][]any{{catalog.DefaultCatalog}}
		}
	}
	if listing {
		return rows([]types.Field{strCol("name", false), strCol("description", true)}, data)
	}
	return rows([]types.Field{strCol("catalog", false)}, data)
}

// showCollations lists the collations of strings, as the function collations does.
func showCollations(_ *run, c *plan.Command) (plan.Node, error) {
	matches := like(c.Args["pattern"])
	var data [][]any
	for _, k := range collation.All() {
		if !matches(k.Name) {
			continue
		}
		var row []any
		for _, s := range k.Row() {
			if s == "" {
				row = append(row, nil)
			} else {
				row = append(row, s)
			}
		}
		data = append(data, row)
	}
	return rows([]types.Field{strCol("NAME", false), strCol("LANGUAGE", true), strCol("COUNTRY", true), strCol("ACCENT_SENSITIVITY", false),
		strCol("CASE_SENSITIVITY", false), strCol("PAD_ATTRIBUTE", false), strCol("ICU_VERSION", true)}, data)
}

func showCurrent(r *run, _ *plan.Command) (plan.Node, error) {
	cat, db := r.Catalog.Current()
	return rows([]types.Field{strCol("catalog", false), strCol("namespace", false)}, [][]any{{cat, db}})
}

// columnsOf resolves a table and returns its schema.
func (r *run) columnsOf(c *plan.Command) (*types.Type, error) {
	x, err := r.table(&plan.UnresolvedTable{Common: c.Common, Parts: c.Name}, nil)
	if err != nil {
		return nil, err
	}
	return Schema(x.node), nil
}

func showColumns(r *run, c *plan.Command) (plan.Node, error) {
	if db := c.Args["database"]; db != "" {
		ns := splitName(db)
		if len(c.Name) > 1 && !r.eq(c.Name[len(c.Name)-2], ns[len(ns)-1]) {
			return nil, aerr("SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE", "namespaceA", errs.ID(ns...), "namespaceB", errs.ID(c.Name[:len(c.Name)-1]...))
		}
		n := *c
		n.Name = append(ns, c.Name[len(c.Name)-1])
		c = &n
	}
	d, err := r.described(c)
	if err != nil {
		return nil, err
	}
	var data [][]any
	if c.Kind == "show_columns" {
		for _, f := range d.schema.Fields {
			data = append(data, []any{f.Name})
		}
		return rows([]types.Field{strCol("col_name", false)}, data)
	}
	for _, f := range d.schema.Fields {
		part, bucket := false, false
		if d.table != nil {
			part, bucket = slices.Contains(d.table.Partitions, f.Name), slices.Contains(d.table.BucketBy, f.Name)
		}
		data = append(data, []any{f.Name, commentOf(f), deepRead(f.Type).String(), f.Nullable, part, bucket, false})
	}
	return rows([]types.Field{strCol("name", false), strCol("description", true), strCol("dataType", false), boolCol("nullable"), boolCol("isPartition"), boolCol("isBucket"), boolCol("isCluster")}, data)
}

func showFunctions(r *run, c *plan.Command) (plan.Node, error) {
	ok := like(c.Args["pattern"])
	_, db := r.Catalog.Current()
	if n := len(c.Name); n > 0 {
		var err error
		if db, err = r.database(c.Name); err != nil {
			return nil, err
		}
		if d, err := r.Catalog.Database(db); err != nil || d == nil {
			return nil, noSchema(db)
		}
	}
	var names []string
	own := map[string]*catalog.Function{} // those of the catalog by what they are listed as
	scope := c.Args["scope"]
	if scope != "user" {
		for _, d := range fn.All() {
			if d.Group == "internal" {
				continue
			}
			for _, n := range append([]string{d.Name}, d.Aliases...) {
				if ok(n) && !unlisted[n] {
					names = append(names, n)
				}
			}
		}
	}
	if scope != "user" {
		for n := range specials() {
			if ok(n) && !unlisted[n] {
				names = append(names, n)
			}
		}
	}
	if scope != "system" {
		for _, n := range r.Catalog.Functions() {
			if ok(n) {
				names = append(names, n)
			}
		}
		for _, f := range r.Catalog.SQLFunctions(db) {
			n := strings.ToLower(f.Name)
			if !ok(n) {
				continue
			}
			if f.Database != "" {
				n = catalog.DefaultCatalog + "." + f.Database + "." + n
			}
			own[n] = f
			names = append(names, n)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	var data [][]any
	if c.Kind == "show_functions" {
		for _, n := range names {
			data = append(data, []any{n})
		}
		return rows([]types.Field{strCol("function", false)}, data)
	}
	for _, n := range names {
		if f := own[n]; f != nil {
			data = append(data, catalogFunctionRow(f))
		} else {
			data = append(data, functionRow(n))
		}
	}
	return rows(functionColumns, data)
}

// unlisted are functions of the analyzer's own that no list of functions names, and that SQL cannot call.
var unlisted = map[string]bool{"distributed_sequence_id": true, "iff": true, "timestampadd": true, "timestampdiff": true, "istrue": true, "isfalse": true, "product": true}

var functionColumns = []types.Field{strCol("name", false), strCol("catalog", true), {Name: "namespace", Type: types.NewArray(types.StringType, false), Nullable: true},
	strCol("description", true), strCol("className", true), boolCol("isTemporary")}

func functionRow(name string) []any {
	var usage any
	if d := fn.Lookup(name); d != nil {
		usage = d.Usage
	}
	return []any{name, nil, nil, usage, "", true}
}

// noUsage is what Spark has of a function that comes without a description.
const noUsage = "N/A."

func catalogFunctionRow(f *catalog.Function) []any {
	usage := f.Comment
	if usage == "" {
		usage = noUsage
	}
	if f.Database == "" {
		return []any{f.Name, nil, nil, usage, f.Class, true}
	}
	return []any{f.Name, catalog.DefaultCatalog, []any{f.Database}, usage, f.Class, false}
}

// callProcedure refuses CALL and DESCRIBE PROCEDURE: the session catalog has no procedures, nor is there another.
func callProcedure(r *run, c *plan.Command) (plan.Node, error) {
	return nil, r.unknownRoutine(&plan.Call{At: plan.At{Origin: c.Origin}, Name: c.Name[len(c.Name)-1], Path: c.Name[:len(c.Name)-1]})
}

func showProcedures(*run, *plan.Command) (plan.Node, error) {
	return nil, aerr("MISSING_CATALOG_ABILITY.PROCEDURES", "plugin", catalog.DefaultCatalog)
}

// tableIndex refuses CREATE INDEX and DROP INDEX: tables of files have none.
func tableIndex(r *run, c *plan.Command) (plan.Node, error) {
	t, err := r.tableOf(c, "INDEX")
	if err != nil {
		return nil, err
	}
	what := "DropIndex"
	if c.Flags["create"] {
		what = "CreateIndex"
	}
	return nil, aerr("_LEGACY_ERROR_TEMP_1332", "errorMessage", what+" is not supported in this table "+t.Database+"."+t.Name+".")
}

// describeSQLFunction describes a function of SQL text.
func describeSQLFunction(f *catalog.Function, extended bool) (plan.Node, error) {
	width := len("Function: ")
	if extended {
		width = len("Deterministic: ")
	}
	var data [][]any
	line := func(label string, values ...string) {
		for i, v := range values {
			if i == 0 {
				label += ":"
			} else {
				label = ""
			}
			data = append(data, []any{fmt.Sprintf("%-*s%s", width, label, v)})
		}
	}
	columns := func(fields []types.Field) []string {
		names, kinds := 0, 0
		for _, x := range fields {
			names, kinds = max(names, len(x.Name)), max(kinds, len(x.Type.SQL()))
		}
		out := make([]string, len(fields))
		for i, x := range fields {
			out[i] = fmt.Sprintf("%-*s %-*s", names, x.Name, kinds, x.Type.SQL())
			if !extended {
				continue
			}
			if text, ok := f.Defaults[x.Name]; ok {
				out[i] += " DEFAULT " + text
			}
			if text, ok := metaGet(x.Metadata, metaComment); ok {
				out[i] += " '" + text + "'"
			}
		}
		return out
	}
	kind, name := "SCALAR", f.Name
	if f.Table {
		kind = "TABLE"
	}
	if f.Database != "" {
		name = strings.Join(functionName(f), ".")
	}
	line("Function", name)
	line("Type", kind)
	if len(f.Params) == 0 {
		line("Input", "()")
	} else {
		line("Input", columns(f.Params)...)
	}
	if f.Table {
		line("Returns", columns(f.Columns)...)
	} else {
		line("Returns", f.Returns.SQL())
	}
	if extended {
		if f.Comment != "" {
			line("Comment", f.Comment)
		}
		line("Deterministic", strconv.FormatBool(!f.Random))
		access := "CONTAINS SQL"
		if f.Data == "reads" {
			access = "READS SQL DATA"
		}
		line("Data Access", access)
		if f.ANSI != nil {
			line("Configs", "spark.sql.ansi.enabled="+strconv.FormatBool(*f.ANSI))
		}
		line("Create Time", f.Created.Format("Mon Jan 02 15:04:05 MST 2006"))
		line("Body", f.Body)
	}
	return rows([]types.Field{strCol("function_desc", false)}, data)
}

func describeFunction(r *run, c *plan.Command) (plan.Node, error) {
	name := strings.ToLower(c.Name[len(c.Name)-1])
	d := fn.Lookup(name)
	if n := len(c.Name); n > 1 && !isSchema(c.Name[:n-1], builtinSchema) && !(n == 2 && strings.EqualFold(c.Name[0], "builtin")) {
		d = nil
	}
	if f := r.Catalog.SQLFunction(c.Name); d == nil && f != nil && f.Class == "" {
		return describeSQLFunction(f, c.Flags["extended"])
	}
	if f := r.Catalog.SQLFunction(c.Name); d == nil && f != nil {
		data := [][]any{{"Function: " + catalog.DefaultCatalog + "." + f.Database + "." + f.Name}, {"Class: " + f.Class}, {"Usage: " + noUsage}}
		if c.Flags["extended"] {
			data = append(data, []any{"Extended Usage:\n    No example/argument for " + f.Name + ".\n"})
		}
		return rows([]types.Field{strCol("function_desc", false)}, data)
	}
	if d == nil {
		return nil, r.unknownRoutine(&plan.Call{Name: name, Path: c.Name[:len(c.Name)-1]})
	}
	data := [][]any{{"Function: " + d.Name}, {"Usage: " + d.Usage}}
	if c.Flags["extended"] {
		var b strings.Builder
		for _, e := range d.Examples {
			b.WriteString("\n      > " + e.SQL + ";\n       " + e.Want)
		}
		data = append(data, []any{"Extended Usage:\n    Examples:" + b.String() + "\n\n    Since: " + d.Since + "\n"})
	}
	return rows([]types.Field{strCol("function_desc", false)}, data)
}

// catalogValue has the calls of spark.catalog that answer with one value.
func catalogValue(r *run, c *plan.Command) (plan.Node, error) {
	cat, db := r.Catalog.Current()
	str := func(v string) (plan.Node, error) {
		return rows([]types.Field{strCol("value", false)}, [][]any{{v}})
	}
	yes := func(v bool) (plan.Node, error) { return rows([]types.Field{boolCol("value")}, [][]any{{v}}) }
	switch c.Kind {
	case "catalog_current_database":
		return str(db)
	case "catalog_current_catalog":
		return str(cat)
	case "catalog_database_exists":
		d, err := r.Catalog.Database(strings.ToLower(c.Name[len(c.Name)-1]))
		if err != nil {
			return nil, err
		}
		return yes(d != nil)
	case "catalog_table_exists":
		if r.Catalog.TempView(c.Name) != nil {
			return yes(true)
		}
		d, n, ok := r.Catalog.Resolve(c.Name)
		if !ok {
			return nil, aerr("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", catalog.DefaultCatalog, "identifier", errs.ID(c.Name...))
		}
		t, err := r.Catalog.Table(d, n)
		if err != nil {
			return nil, err
		}
		return yes(t != nil)
	case "catalog_function_exists":
		d := fn.Lookup(strings.ToLower(c.Name[len(c.Name)-1]))
		return yes(d != nil && d.Group != "internal" || r.Catalog.Function(c.Name) != nil || r.Catalog.SQLFunction(c.Name) != nil)
	}
	return yes(r.Catalog.DropTempView(c.Name[len(c.Name)-1], c.Kind == "catalog_drop_global_temp_view"))
}

// catalogGet has getDatabase, getTable and getFunction.
func catalogGet(r *run, c *plan.Command) (plan.Node, error) {
	switch c.Kind {
	case "catalog_get_database":
		name, err := r.database(c.Name)
		if err != nil {
			return nil, err
		}
		d, err := r.Catalog.Database(name)
		if err != nil || d == nil {
			return nil, noSchema(name)
		}
		return rows(databaseColumns, [][]any{r.databaseRow(*d)})
	case "catalog_get_function":
		name := strings.ToLower(c.Name[len(c.Name)-1])
		if f := r.Catalog.SQLFunction(c.Name); f != nil && (len(c.Name) > 1 || fn.Lookup(name) == nil) {
			return rows(functionColumns, [][]any{catalogFunctionRow(f)})
		}
		if fn.Lookup(name) == nil && r.Catalog.Function(c.Name) == nil {
			return nil, r.unknownRoutine(&plan.Call{Name: name, Path: c.Name[:len(c.Name)-1]})
		}
		return rows(functionColumns, [][]any{functionRow(name)})
	}
	if v := r.Catalog.TempView(c.Name); v != nil {
		l := listed{name: v.Name, view: true, temp: true}
		if len(c.Name) == 2 {
			l.db = catalog.GlobalTemp
		}
		return rows(tableColumns, [][]any{tableRow(l)})
	}
	if d, n, ok := r.Catalog.Resolve(c.Name); ok {
		t, err := r.Catalog.Table(d, n)
		if err != nil {
			return nil, err
		}
		if t != nil {
			return rows(tableColumns, [][]any{tableRow(listed{d, t.Name, t.IsView, false, t})})
		}
	}
	return nil, aerr("TABLE_OR_VIEW_NOT_FOUND", "relationName", errs.ID(c.Name...), "searchPath", r.objectPath())
}
