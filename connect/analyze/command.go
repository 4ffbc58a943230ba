package analyze

import (
	"context"
	"regexp"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/connect/catalog"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

type commandRule func(*run, *plan.Command) (plan.Node, error)

// commands has the statements that are carried out against the catalog and the session.
func commands(kind string) commandRule {
	switch kind {
	case "create_view":
		return createView
	case "drop_view":
		return dropView
	case "drop_table":
		return dropTable
	case "create_table", "catalog_create_table":
		return createTable
	case "create_table_like":
		return createTableLike
	case "insert":
		return insert
	case "multi_insert":
		return multiInsert
	case "insert_directory":
		return insertDirectory
	case "truncate":
		return truncateTable
	case "create_database":
		return createDatabase
	case "drop_database":
		return dropDatabase
	case "use", "catalog_set_current_database":
		return use
	case "set_catalog", "catalog_set_current_catalog":
		return useCatalog
	case "set":
		return set
	case "set_path":
		return setPath
	case "set_timezone":
		return setTimeZone
	case "reset":
		return reset
	case "show_tables", "show_views", "catalog_list_tables", "catalog_list_views":
		return showTables
	case "show_databases", "catalog_list_databases":
		return showDatabases
	case "call":
		return callProcedure
	case "show_procedures":
		return showProcedures
	case "index":
		return tableIndex
	case "show_catalogs", "catalog_list_catalogs":
		return showCatalogs
	case "show_columns", "catalog_list_columns":
		return showColumns
	case "show_functions", "catalog_list_functions":
		return showFunctions
	case "show_collations":
		return showCollations
	case "show_current_database":
		return showCurrent
	case "describe_table":
		return describeTable
	case "show_table_extended":
		return showTableExtended
	case "show_partitions", "catalog_list_partitions":
		return showPartitions
	case "show_tblproperties", "catalog_get_table_properties":
		return showTblProperties
	case "show_create_table":
		return showCreateTable
	case "catalog_get_create_table_string":
		return catalogString
	case "add_columns":
		return addColumns
	case "alter_column":
		return alterColumn
	case "rename_column", "drop_columns", "replace_columns", "add_constraint", "drop_constraint":
		return alterRefused
	case "rename_table", "rename_view":
		return renameRelation
	case "set_properties", "unset_properties":
		return setProperties
	case "set_serde":
		return setSerde
	case "set_location":
		return setLocation
	case "add_partitions":
		return addPartitions
	case "drop_partitions":
		return dropPartitions
	case "rename_partition":
		return renamePartition
	case "recover_partitions", "repair", "catalog_recover_partitions":
		return recoverPartitions
	case "cluster_by":
		return clusterBy
	case "default_collation":
		return defaultCollation
	case "alter_view":
		return alterView
	case "view_schema":
		return viewSchema
	case "alter_database":
		return alterDatabase
	case "comment":
		return commentOn
	case "load":
		return loadData
	case "delete", "update", "merge":
		return changeRows
	case "create_function":
		return createFunction
	case "drop_function":
		return dropFunction
	case "declare_variable":
		return declareVariable
	case "set_variable":
		return setVariable
	case "drop_variable":
		return dropVariable
	case "execute_immediate":
		return executeImmediate
	case "script":
		return script
	case "analyze_table", "analyze_tables":
		return analyzeTable
	case "describe_query":
		return describeQuery
	case "describe_function":
		return describeFunction
	case "describe_database":
		return describeDatabase
	case "cache", "uncache", "clear_cache", "refresh", "catalog_cache_table", "catalog_uncache_table", "catalog_clear_cache", "catalog_refresh_table",
		"catalog_refresh_by_path", "catalog_is_cached":
		return cacheCommand
	case "catalog_current_database", "catalog_current_catalog", "catalog_database_exists", "catalog_table_exists", "catalog_function_exists",
		"catalog_drop_temp_view", "catalog_drop_global_temp_view":
		return catalogValue
	case "catalog_get_database", "catalog_get_table", "catalog_get_function":
		return catalogGet
	}
	return nil
}

// RunCommand carries out a command and returns its rows, a LocalRelation with
// Spark's columns. handled is false for commands that aren't the analyzer's
// (EXPLAIN, INSERT OVERWRITE DIRECTORY ...).
func (a *Analyzer) RunCommand(ctx context.Context, c *plan.Command) (out plan.Node, handled bool, err error) {
	rule := commands(c.Kind)
	if rule == nil {
		return nil, false, nil
	}
	defer func() {
		if p := recover(); p != nil {
			out, handled, err = nil, true, errs.Panic(p)
		}
	}()
	if a.Catalog == nil {
		return nil, true, errs.NotSupported("commands without a catalog")
	}
	r := a.newRun(ctx)
	if c.Flags["identifier"] && len(c.Exprs_) > 0 {
		parts, err := r.identifier(c.Exprs_[0], &scope{}, c.Origin)
		if err != nil {
			return nil, true, err
		}
		n := *c
		n.Name, n.Exprs_ = parts, c.Exprs_[1:]
		c = &n
	}
	out, err = rule(r, c)
	return out, true, err
}

func strCol(name string, null bool) types.Field {
	return types.Field{Name: name, Type: types.StringType, Nullable: null}
}

func boolCol(name string) types.Field { return types.Field{Name: name, Type: types.BoolType} }

// rows is a relation of values, in the Go form of literals.
func rows(schema []types.Field, data [][]any) (plan.Node, error) {
	out := make([]*plan.Attr, len(schema))
	b := &vec.Batch{}
	for i, f := range schema {
		out[i] = &plan.Attr{ID: plan.NewID(), Name: f.Name, T: f.Type, Null: f.Nullable}
		col := vec.NewBuilder(f.Type, len(data))
		for _, row := range data {
			if err := col.AppendValue(row[i]); err != nil {
				return nil, err
			}
		}
		b.Cols = append(b.Cols, col.Finish())
	}
	b.N = len(data)
	return &plan.LocalRelation{Out: out, Schema: types.NewStruct(schema...), Batches: []*vec.Batch{b}}, nil
}

func nothing() (plan.Node, error) {
	return &plan.LocalRelation{Out: []*plan.Attr{}, Schema: types.EmptyStruct, Batches: []*vec.Batch{}}, nil
}

// like compiles a SHOW pattern: * is anything, | is or, case is ignored.
func like(pattern string) func(string) bool {
	if pattern == "" {
		return func(string) bool { return true }
	}
	var alts []*regexp.Regexp
	for _, p := range strings.Split(pattern, "|") {
		p = strings.ReplaceAll(strings.TrimSpace(p), "*", ".*")
		re, err := regexp.Compile("(?i)^(?:" + p + ")$")
		if err != nil {
			continue
		}
		alts = append(alts, re)
	}
	return func(s string) bool {
		for _, re := range alts {
			if re.MatchString(s) {
				return true
			}
		}
		return false
	}
}

func noSchema(db string) error {
	return errs.New(errs.NoSuchDatabase, "SCHEMA_NOT_FOUND", "schemaName", errs.ID(catalog.DefaultCatalog, db))
}

// database is the last part of a name, which must exist; none is the current one.
func (r *run) database(parts []string) (string, error) {
	_, db := r.Catalog.Current()
	if len(parts) == 0 {
		return db, nil
	}
	db = strings.ToLower(parts[len(parts)-1])
	if db == catalog.GlobalTemp {
		return db, nil
	}
	d, err := r.Catalog.Database(db)
	if err != nil {
		return "", err
	}
	if d == nil {
		return "", noSchema(parts[len(parts)-1])
	}
	return db, nil
}

func use(r *run, c *plan.Command) (plan.Node, error) {
	if len(c.Name) == 0 {
		return nothing()
	}
	if len(c.Name) == 1 && strings.EqualFold(c.Name[0], catalog.DefaultCatalog) {
		return nothing()
	}
	if len(c.Name) > 1 && !strings.EqualFold(c.Name[0], catalog.DefaultCatalog) {
		return nil, aerr("SCHEMA_NOT_FOUND", "schemaName", errs.ID(append([]string{catalog.DefaultCatalog}, c.Name...)...))
	}
	if err := r.Catalog.Use(c.Name[len(c.Name)-1]); err != nil {
		return nil, err
	}
	return nothing()
}

func useCatalog(_ *run, c *plan.Command) (plan.Node, error) {
	if len(c.Name) == 1 && strings.EqualFold(c.Name[0], catalog.DefaultCatalog) {
		return nothing()
	}
	name := strings.Join(c.Name, ".")
	return nil, errs.New(errs.Execution, "CATALOG_NOT_FOUND", "catalogName", errs.ID(name), "config", errs.Quote("spark.sql.catalog."+name))
}

// databaseName is the name of a database to be made or dropped.
func databaseName(c *plan.Command) (string, error) {
	if len(c.Name) > 2 || len(c.Name) == 2 && !strings.EqualFold(c.Name[0], catalog.DefaultCatalog) {
		return "", aerr("REQUIRES_SINGLE_PART_NAMESPACE", "sessionCatalog", catalog.DefaultCatalog, "identifier", errs.ID(c.Name...))
	}
	return strings.ToLower(c.Name[len(c.Name)-1]), nil
}

func createDatabase(r *run, c *plan.Command) (plan.Node, error) {
	name, err := databaseName(c)
	if err != nil {
		return nil, err
	}
	if name == catalog.GlobalTemp {
		return nil, aerr("RESERVED_DATABASE_NAME", "database", errs.ID(name))
	}
	d, err := r.Catalog.Database(name)
	if err != nil {
		return nil, err
	}
	if d != nil {
		if c.Flags["if_not_exists"] {
			return nothing()
		}
		return nil, aerr("SCHEMA_ALREADY_EXISTS", "schemaName", errs.ID(name))
	}
	props := map[string]string{}
	for k, v := range c.Args {
		if p, ok := strings.CutPrefix(k, "property."); ok {
			if err := r.reservedDatabase(p, c); err != nil {
				return nil, err
			}
			props[p] = v
		}
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	if v := c.Args["collation"]; v != "" {
		if err := r.schemaCollations(); err != nil {
			return nil, err
		}
		props["collation"] = v
	}
	if err := r.Catalog.PutDatabase(catalog.Database{Name: name, Comment: c.Args["comment"], Location: c.Args["location"], Properties: props}); err != nil {
		return nil, err
	}
	return nothing()
}

func dropDatabase(r *run, c *plan.Command) (plan.Node, error) {
	name, err := databaseName(c)
	if err != nil {
		return nil, err
	}
	d, err := r.Catalog.Database(name)
	if err != nil {
		return nil, err
	}
	if d == nil {
		if c.Flags["if_exists"] {
			return nothing()
		}
		return nil, noSchema(name)
	}
	if name == catalog.DefaultDatabase {
		return nil, aerr("UNSUPPORTED_FEATURE.DROP_DATABASE", "database", errs.ID(catalog.DefaultCatalog, name))
	}
	tabs, err := r.Catalog.Tables(name)
	if err != nil {
		return nil, err
	}
	if len(tabs) > 0 && !c.Flags["cascade"] {
		return nil, aerr("SCHEMA_NOT_EMPTY", "schemaName", errs.ID(name))
	}
	if err := r.Catalog.DropDatabase(name); err != nil {
		return nil, err
	}
	for _, t := range tabs {
		if t.Managed && r.Tables != nil {
			if err := r.Tables.Remove(t.Location); err != nil {
				return nil, err
			}
		}
	}
	return nothing()
}
