package errs

// variableConditions are those of session variables and EXECUTE IMMEDIATE.
var variableConditions = map[string]Condition{
	"ALL_PARAMETERS_MUST_BE_NAMED":                               {"07001", "The statement has named parameters, so that each argument needs a name; these have none: <exprs>."},
	"DUPLICATE_ASSIGNMENTS":                                      {"42701", "More than one value is assigned to <nameList>."},
	"DUPLICATE_VARIABLE_NAME_INSIDE_DECLARE":                     {"42734", "DECLARE names the variable <variableName> more than once."},
	"INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE":              {"42K09", "EXECUTE IMMEDIATE takes a text; this is of type <exprType>."},
	"INVALID_QUERY_MIXED_QUERY_PARAMETERS":                       {"42613", "A statement can have parameters by name or by position, not both."},
	"INVALID_STATEMENT_FOR_EXECUTE_INTO":                         {"07501", "EXECUTE IMMEDIATE ... INTO takes a query; this is none: <sqlString>."},
	"INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED":       {"42000", "DECLARE needs a type or a default, to know the type of the variable."},
	"MULTI_ALIAS_WITHOUT_GENERATOR":                              {"42K0E", "<expr> is one value: it can't have the names <names>."},
	"NULL_QUERY_STRING_EXECUTE_IMMEDIATE":                        {"22004", "The statement to execute, <varName>, is null."},
	"ROW_SUBQUERY_TOO_MANY_ROWS":                                 {"21000", "The query gave more than one row where one is assigned."},
	"UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC": {"0A000", "The aggregate function <aggFunc> can't refer to <lca>, an alias of the same SELECT."},
	"UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW":         {"0A000", "The window expression <windowExpr> can't refer to <lca>, an alias of the same SELECT."},
	"UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GROUP_BY":       {"0A000", "GROUP BY can't have an alias that refers to another of the same SELECT."},
	"UNRESOLVED_VARIABLE":                                        {"42883", "There is no variable <variableName> on the path <searchPath>."},
	"UNSUPPORTED_EXPR_FOR_PARAMETER":                             {"42K0E", "A parameter can't be <invalidExprSql>: assign it to a variable first."},
	"VARIABLE_ALREADY_EXISTS":                                    {"42723", "There is a variable <variableName> already: DECLARE OR REPLACE puts another in its place."},
	"VARIABLE_NOT_FOUND":                                         {"42883", "There is no variable <variableName>; DROP TEMPORARY VARIABLE IF EXISTS tolerates that."},
}
