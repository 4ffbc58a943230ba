package translate

import (
	"fmt"

	"neptune/connect/pb"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func itoa(n int) string { return fmt.Sprint(n) }

func integerText(v any) (string, bool) {
	switch v.(type) {
	case int8, int16, int32, int64:
		return fmt.Sprint(v), true
	}
	return "", false
}

// catalog translates spark.catalog's calls to plan.Command. Kinds, what they hold, and the columns of their result:
//
//	catalog_current_database          -> value STRING
//	catalog_set_current_database      Name
//	catalog_list_databases            Args pattern -> name, catalog, description, locationUri
//	catalog_list_tables               Name: the database or nothing; Args pattern -> name, catalog, namespace ARRAY<STRING>, description, tableType, isTemporary BOOLEAN
//	catalog_list_views                as catalog_list_tables
//	catalog_list_functions            Name: the database or nothing; Args pattern -> name, catalog, namespace, description, className, isTemporary
//	catalog_list_columns              Name: the table -> name, description, dataType, nullable, isPartition, isBucket, isCluster
//	catalog_get_database, _table, _function   Name -> one row of the list's columns
//	catalog_database_exists, _table_exists, _function_exists  Name -> value BOOLEAN
//	catalog_create_table              Name, Columns, Args path, source, description and "option."+key -> nothing
//	catalog_drop_temp_view, catalog_drop_global_temp_view  Name -> value BOOLEAN: whether there was one
//	catalog_recover_partitions, catalog_refresh_table, catalog_refresh_by_path (Args path)
//	catalog_is_cached                 Name -> value BOOLEAN
//	catalog_cache_table, catalog_uncache_table, catalog_clear_cache
//	catalog_current_catalog           -> value STRING
//	catalog_set_current_catalog       Name
//	catalog_list_catalogs             Args pattern -> name, description
//	catalog_list_partitions           Name -> partition STRING
//	catalog_get_table_properties      Name -> key, value
//	catalog_get_create_table_string   Name; Flags as_serde -> value STRING
//	drop_table, drop_view, create_database, drop_database, truncate, analyze_table   as SQL's statements
func (t *Translator) catalog(c *pb.Catalog) (plan.Node, error) {
	out := &plan.Command{Flags: map[string]bool{}, Args: map[string]string{}}
	var err error
	name := func(parts ...string) {
		if len(parts) == 2 && parts[0] == "" {
			parts = parts[1:]
		}
		for _, p := range parts {
			var l []string
			if l, err = splitTable(p); err != nil {
				return
			}
			out.Name = append(out.Name, l...)
		}
	}
	list := func(kind string, db, pattern *string) {
		out.Kind = kind
		if db != nil {
			name(*db)
		}
		if pattern != nil {
			out.Args["pattern"] = *pattern
		}
	}
	table := func(tbl string, path, source, description *string, schema *pb.DataType, options map[string]string) {
		out.Kind = "catalog_create_table"
		name(tbl)
		for k, v := range map[string]*string{"path": path, "source": source, "description": description} {
			if v != nil {
				out.Args[k] = *v
			}
		}
		for k, v := range options {
			out.Args["option."+k] = v
		}
		if schema != nil && err == nil {
			var s *types.Type
			if s, err = t.Type(schema); err == nil {
				out.Columns = s.Fields
			}
		}
	}
	switch k := c.GetCatType().(type) {
	case *pb.Catalog_CurrentDatabase:
		out.Kind = "catalog_current_database"
	case *pb.Catalog_SetCurrentDatabase:
		out.Kind = "catalog_set_current_database"
		name(k.SetCurrentDatabase.GetDbName())
	case *pb.Catalog_ListDatabases:
		list("catalog_list_databases", nil, k.ListDatabases.Pattern)
	case *pb.Catalog_ListTables:
		list("catalog_list_tables", k.ListTables.DbName, k.ListTables.Pattern)
	case *pb.Catalog_ListViews:
		list("catalog_list_views", k.ListViews.DbName, k.ListViews.Pattern)
	case *pb.Catalog_ListFunctions:
		list("catalog_list_functions", k.ListFunctions.DbName, k.ListFunctions.Pattern)
	case *pb.Catalog_ListColumns:
		out.Kind = "catalog_list_columns"
		name(k.ListColumns.GetDbName(), k.ListColumns.GetTableName())
	case *pb.Catalog_GetDatabase:
		out.Kind = "catalog_get_database"
		name(k.GetDatabase.GetDbName())
	case *pb.Catalog_GetTable:
		out.Kind = "catalog_get_table"
		name(k.GetTable.GetDbName(), k.GetTable.GetTableName())
	case *pb.Catalog_GetFunction:
		out.Kind = "catalog_get_function"
		name(k.GetFunction.GetDbName(), k.GetFunction.GetFunctionName())
	case *pb.Catalog_DatabaseExists:
		out.Kind = "catalog_database_exists"
		name(k.DatabaseExists.GetDbName())
	case *pb.Catalog_TableExists:
		out.Kind = "catalog_table_exists"
		name(k.TableExists.GetDbName(), k.TableExists.GetTableName())
	case *pb.Catalog_FunctionExists:
		out.Kind = "catalog_function_exists"
		name(k.FunctionExists.GetDbName(), k.FunctionExists.GetFunctionName())
	case *pb.Catalog_CreateExternalTable:
		x := k.CreateExternalTable
		table(x.GetTableName(), x.Path, x.Source, nil, x.GetSchema(), x.GetOptions())
	case *pb.Catalog_CreateTable:
		x := k.CreateTable
		table(x.GetTableName(), x.Path, x.Source, x.Description, x.GetSchema(), x.GetOptions())
	case *pb.Catalog_DropTempView:
		out.Kind = "catalog_drop_temp_view"
		name(k.DropTempView.GetViewName())
	case *pb.Catalog_DropGlobalTempView:
		out.Kind = "catalog_drop_global_temp_view"
		name(k.DropGlobalTempView.GetViewName())
	case *pb.Catalog_RecoverPartitions:
		out.Kind = "catalog_recover_partitions"
		name(k.RecoverPartitions.GetTableName())
	case *pb.Catalog_IsCached:
		out.Kind = "catalog_is_cached"
		name(k.IsCached.GetTableName())
	case *pb.Catalog_CacheTable:
		out.Kind = "catalog_cache_table"
		name(k.CacheTable.GetTableName())
	case *pb.Catalog_UncacheTable:
		out.Kind = "catalog_uncache_table"
		name(k.UncacheTable.GetTableName())
	case *pb.Catalog_ClearCache:
		out.Kind = "catalog_clear_cache"
	case *pb.Catalog_RefreshTable:
		out.Kind = "catalog_refresh_table"
		name(k.RefreshTable.GetTableName())
	case *pb.Catalog_RefreshByPath:
		out.Kind = "catalog_refresh_by_path"
		out.Args["path"] = k.RefreshByPath.GetPath()
	case *pb.Catalog_CurrentCatalog:
		out.Kind = "catalog_current_catalog"
	case *pb.Catalog_SetCurrentCatalog:
		out.Kind = "catalog_set_current_catalog"
		out.Name = []string{k.SetCurrentCatalog.GetCatalogName()}
	case *pb.Catalog_ListCatalogs:
		list("catalog_list_catalogs", nil, k.ListCatalogs.Pattern)
	case *pb.Catalog_ListPartitions:
		out.Kind = "catalog_list_partitions"
		name(k.ListPartitions.GetTableName())
	case *pb.Catalog_GetTableProperties:
		out.Kind = "catalog_get_table_properties"
		name(k.GetTableProperties.GetTableName())
	case *pb.Catalog_GetCreateTableString:
		out.Kind = "catalog_get_create_table_string"
		out.Flags["as_serde"] = k.GetCreateTableString.GetAsSerde()
		name(k.GetCreateTableString.GetTableName())
	case *pb.Catalog_DropTable:
		out.Kind = "drop_table"
		out.Flags["if_exists"], out.Flags["purge"] = k.DropTable.GetIfExists(), k.DropTable.GetPurge()
		name(k.DropTable.GetTableName())
	case *pb.Catalog_DropView:
		out.Kind = "drop_view"
		out.Flags["if_exists"] = k.DropView.GetIfExists()
		name(k.DropView.GetViewName())
	case *pb.Catalog_CreateDatabase:
		out.Kind = "create_database"
		out.Flags["if_not_exists"] = k.CreateDatabase.GetIfNotExists()
		for p, v := range k.CreateDatabase.GetProperties() {
			out.Args["property."+p] = v
		}
		name(k.CreateDatabase.GetDbName())
	case *pb.Catalog_DropDatabase:
		out.Kind = "drop_database"
		out.Flags["if_exists"], out.Flags["cascade"] = k.DropDatabase.GetIfExists(), k.DropDatabase.GetCascade()
		name(k.DropDatabase.GetDbName())
	case *pb.Catalog_TruncateTable:
		out.Kind = "truncate"
		name(k.TruncateTable.GetTableName())
	case *pb.Catalog_AnalyzeTable:
		out.Kind = "analyze_table"
		out.Flags["noscan"] = k.AnalyzeTable.GetNoScan()
		name(k.AnalyzeTable.GetTableName())
	default:
		if c == nil {
			c = &pb.Catalog{}
		}
		return nil, noOneof(c, "cat_type")
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}
