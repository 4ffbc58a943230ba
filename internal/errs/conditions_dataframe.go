package errs

// dataframeConditions are those that only the DataFrame API can raise.
var dataframeConditions = map[string]Condition{
	"AS_OF_JOIN.TOLERANCE_IS_NON_NEGATIVE": {"42604", "The as-of join is not valid: its tolerance must not be negative."},
	"AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE":   {"42604", "The as-of join is not valid: its tolerance has to be a constant."},
	"AS_OF_JOIN.UNSUPPORTED_DIRECTION":     {"42604", "The as-of join is not valid: there is no direction '<direction>'; the directions are <supported>."},

	"CODEC_NOT_AVAILABLE.WITH_AVAILABLE_CODECS_SUGGESTION": {"56038", "The codec <codecName> is not available; those that are: <availableCodecs>."},
	"UNSUPPORTED_FEATURE.QUERY_ONLY_CORRUPT_RECORD_COLUMN": {"0A000", "The feature is not supported: a query of CSV or JSON files that reads the column of corrupt records alone. Cache or save the parsed rows, and query these."},

	"MALFORMED_CSV_RECORD":    {"KD000", "The CSV record is malformed: <badRecord>"},
	"_LEGACY_ERROR_TEMP_1294": {"", "The option '<strategy>' takes a time of the form YYYY-MM-DDTHH:mm:ss, and not <timeString>."},
	"_LEGACY_ERROR_TEMP_2146": {"", "The option <paramName> should be an integer. Found <value>, which is none."},
	"_LEGACY_ERROR_TEMP_2147": {"", "The <paramName> flag can be true or false, and nothing else."},

	"PARTITION_TRANSFORM_EXPRESSION_NOT_IN_PARTITIONED_BY": {"42S23", "<expression> is a way to partition a table: it can stand in PARTITIONED BY alone."},

	"_LEGACY_ERROR_TEMP_1047": {"", "The hint <hintName> takes a number of partitions, columns, or both; <invalidParams> is neither."},
	"_LEGACY_ERROR_TEMP_1048": {"", "The hint <hintName> takes a number of partitions."},

	"DATAFRAME_INPUT_NOT_SINGLE_COLUMN": {"42K09", "The texts to read have to be the one column of a DataFrame, and it has <numColumns>."},

	"_LEGACY_ERROR_TEMP_1211": {"", "The <joinType> join of <leftPlan> and <rightPlan> has no condition over both sides. Write CROSS JOIN if that is meant, or set spark.sql.crossJoin.enabled to true."},
	"_LEGACY_ERROR_TEMP_3102": {"", "<msg>"},
}
