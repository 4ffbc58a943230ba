package analyze

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// commandNames are Spark's names of statements in EXPLAIN: those with Command
// are run by "Execute", the others are operators of their own.
var commandNames = map[string]string{
	"describe_query": "DescribeQueryCommand", "describe_table": "DescribeTableCommand", "describe_function": "DescribeFunctionCommand",
	"describe_database": "DescribeNamespace", "show_tables": "ShowTables", "show_views": "ShowViewsCommand", "show_databases": "ShowNamespacesCommand",
	"show_functions": "ShowFunctionsCommand", "show_catalogs": "ShowCatalogsCommand", "show_collations": "ShowCollationsCommand",
	"show_current_database": "ShowCurrentNamespaceCommand", "show_columns": "ShowColumnsCommand", "show_partitions": "ShowPartitionsCommand",
	"show_tblproperties": "ShowTablePropertiesCommand", "show_create_table": "ShowCreateTableCommand", "show_table_extended": "ShowTablesCommand",
	"create_table": "CreateDataSourceTableCommand", "create_table_like": "CreateTableLikeCommand", "create_view": "CreateViewCommand",
	"create_database": "CreateNamespace", "create_function": "CreateSQLFunctionCommand", "drop_table": "DropTable", "drop_view": "DropTableCommand",
	"drop_database": "DropNamespace", "drop_function": "DropFunctionCommand", "set": "SetCommand", "set_timezone": "SetCommand", "reset": "ResetCommand",
	"use": "SetCatalogAndNamespace", "set_catalog": "SetCatalogCommand", "clear_cache": "ClearCacheCommand$", "cache": "CacheTable", "uncache": "UncacheTable",
	"refresh": "RefreshTableCommand", "explain": "ExplainCommand", "declare_variable": "CreateVariable", "set_variable": "SetVariable", "drop_variable": "DropVariable",
	"insert": "InsertIntoHadoopFsRelationCommand", "truncate": "TruncateTableCommand", "analyze_table": "AnalyzeTableCommand", "comment": "CommentOnTable",
	"repair": "RepairTableCommand", "load": "LoadDataCommand", "insert_directory": "InsertIntoDataSourceDirCommand",
}

// ExplainCommand is the text of EXPLAIN for a statement that is no query. The statement isn't run, nor are its names looked up.
func ExplainCommand(c *plan.Command, mode string) string {
	name, args := commandNames[c.Kind], ""
	switch {
	case c.Kind == "list_resources":
		name = map[string]string{"jar": "ListJarsCommand", "file": "ListFilesCommand", "archive": "ListArchivesCommand"}[c.Args["type"]]
	case c.Kind == "create_table" && c.Query != nil:
		name = "CreateDataSourceTableAsSelectCommand"
	case name == "": // in words of the parser's kinds: alter_table is AlterTableCommand
		for w := range strings.SplitSeq(c.Kind, "_") {
			name += strings.ToUpper(w[:1]) + w[1:]
		}
		name += "Command"
	}
	switch {
	case c.Kind == "describe_query":
		args = c.Text
	case c.Kind == "set" && c.Args["key"] != "":
		args = "(" + c.Args["key"] + ",None)"
		if v, ok := c.Args["value"]; ok {
			args = "(" + c.Args["key"] + ",Some(" + v + "))"
		}
	case len(c.Name) > 0:
		args = errs.ID(c.Name...)
	}
	line := strings.TrimSuffix(name+" "+args, " ")
	physical := "== Physical Plan ==\n" + line + "\n\n"
	if strings.Contains(name, "Command") {
		physical = "== Physical Plan ==\nExecute " + name + "\n   +- " + line + "\n\n"
	}
	switch mode {
	case "codegen":
		return "Found 0 WholeStageCodegen subtrees.\n"
	case "cost":
		return "== Optimized Logical Plan ==\n" + line + "\n\n" + physical
	case "extended":
		columns := ""
		if c.Kind == "describe_query" || c.Kind == "describe_table" {
			columns = "col_name: string, data_type: string, comment: string\n"
		}
		return "== Parsed Logical Plan ==\n" + line + "\n\n== Analyzed Logical Plan ==\n" + columns + line + "\n\n== Optimized Logical Plan ==\n" + line + "\n\n" + physical
	}
	return physical
}
