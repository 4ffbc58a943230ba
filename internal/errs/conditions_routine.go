package errs

// routineConditions are those of functions of SQL text.
var routineConditions = map[string]Condition{
	"CYCLIC_FUNCTION_REFERENCE":                                           {"42887", "A function can't be made of itself: <path>."},
	"DUPLICATE_ROUTINE_PARAMETER_NAMES":                                   {"42734", "The function <routineName> has parameters of the same name: <names>."},
	"DUPLICATE_ROUTINE_RETURNS_COLUMNS":                                   {"42711", "The function <routineName> returns columns of the same name: <columns>."},
	"INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_GENERATED_COLUMNS_AS_PARAMETERS": {"42000", "A parameter of a function can't be generated."},
	"INVALID_SQL_SYNTAX.CREATE_FUNC_WITH_COLUMN_CONSTRAINTS":              {"42000", "A parameter of a function can't have a constraint."},
	"INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE":    {"42000", "CREATE FUNCTION can't have both OR REPLACE and IF NOT EXISTS."},
	"INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS":              {"42000", "CREATE TEMPORARY FUNCTION can't have IF NOT EXISTS."},
	"NOT_A_SCALAR_FUNCTION":                                               {"42887", "<functionName> gives a table: use it in FROM."},
	"ROUTINE_ALREADY_EXISTS":                                              {"42723", "There is a function <routineName> already; CREATE OR REPLACE puts another in its place."},
	"ROUTINE_NOT_FOUND":                                                   {"42883", "There is no function <routineName>; DROP FUNCTION IF EXISTS tolerates that."},
	"USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS":             {"42601", "The body of a function can't have aggregate, window or generator functions outside a subquery: <queryText>."},
	"USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_EXPRESSION":               {"42601", "The default of <parameterName> in <functionName> can't have a subquery."},
	"USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION":       {"42601", "In <functionName>, <nextParameterName> needs a default, as it stands behind <parameterName>, which has one."},
	"USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS":              {"42601", "Parameters and results of functions can't be NOT NULL: <input>."},
	"USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH":                 {"42601", "The body of <name> gives <outputSize> columns, RETURNS names <returnParamSize>."},
	"USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY":           {"42601", "The body of the table function <name> must be a query."},
	"USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_MISSING_COLUMN_NAMES":           {"42601", "The columns of the table function <functionName> need names."},
}
