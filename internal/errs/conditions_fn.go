package errs

// functionConditions are those that the function table raises.
var functionConditions = map[string]Condition{
	"CANNOT_PARSE_TIMESTAMP":                                          {"22007", "<message>. Use <func> to get NULL for such a text."},
	"INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER":                      {"22007", "The date-time pattern <pattern> has the letter <c>, which means nothing."},
	"INVALID_DATETIME_PATTERN.LENGTH":                                 {"22007", "The date-time pattern <pattern> repeats a letter too often, or is malformed."},
	"INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN": {"42K0B", "Patterns by week are no longer supported, and the pattern has <c>. Use EXTRACT."},
	"COMPARATOR_RETURNS_NULL":                                         {"22004", "The comparison of <firstValue> and <secondValue> gave NULL; it must give a negative number, 0 or a positive one."},
	"INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX":                       {"22023", "Parameter <parameter> of <functionName> must be between 0 and <groupCount>, and is <groupIndex>."},
	"INVALID_PARAMETER_VALUE.CHARSET":                                 {"22023", "Parameter <parameter> of <functionName> must be one of <charsets>, and is <charset>."},
	"INVALID_PARAMETER_VALUE.START":                                   {"22023", "Parameter <parameter> of <functionName> is 0: positions count from 1, or from -1 backwards."},
	"INVALID_PARAMETER_VALUE.ZERO_INDEX":                              {"22023", "Parameter <parameter> of <functionName> has %0$: the arguments count from 1."},
	"INVALID_PARAMETER_VALUE.BINARY_FORMAT":                           {"22023", "Parameter <parameter> of <functionName> must be 'base64', 'hex' or 'utf-8', and is <invalidFormat>."},
	"CONVERSION_INVALID_INPUT":                                        {"22018", "<str> (<fmt>) cannot become <targetType>. Use <suggestion> to get NULL for such a value."},
	"MALFORMED_CHARACTER_CODING":                                      {"22000", "<function> met a value that <charset> has no place for."},
	"INVALID_URL":                                                     {"22P02", "<url> is no URL. Use `try_parse_url` to get NULL for such a text."},
	"CANNOT_DECODE_URL":                                               {"22546", "<url> cannot be decoded as part of a URL."},
	"INVALID_FORMAT.MISMATCH_INPUT":                                   {"42601", "The format is invalid: <format>. The <inputType> <input> isn't written that way."},
	"INVALID_FORMAT.UNEXPECTED_TOKEN":                                 {"42601", "The format is invalid: <format>. <token> stands at a wrong place."},
	"INVALID_FORMAT.WRONG_NUM_DIGIT":                                  {"42601", "The format is invalid: <format>. It has no digit."},
	"INVALID_FORMAT.EMPTY":                                            {"42601", "The format is empty."},
	"INVALID_JSON_SCHEMA_MAP_TYPE":                                    {"22032", "The keys of the maps of a JSON schema must be STRING: <jsonSchema>."},
	"INVALID_SCHEMA.NON_STRING_LITERAL":                               {"42K07", "<inputSchema> is no schema: it must be a constant text."},
	"_LEGACY_ERROR_TEMP_2128":                                         {"XX000", "A map needs as many values as keys."},
	"_LEGACY_ERROR_TEMP_3243":                                         {"XX000", "The step <step> does not lead from <start> to <stop>."},
	"INVALID_REGEXP_REPLACE":                                          {"22023", "regexp_replace failed on <source>: pattern <pattern>, replacement <replacement>, position <position>."},
	"DATATYPE_MISMATCH.INVALID_JSON_SCHEMA":                           {"42K09", "<sqlExpr>: the schema must be a struct, an array or a map, and is <schema>."},
}
