package errs

// writeConditions is what writing tables may raise.
var writeConditions = map[string]Condition{
	"XML_ROW_TAG_MISSING":                       {"42KDF", "The option <rowTag> is needed to write XML."},
	"_LEGACY_ERROR_TEMP_3238":                   {"", "The value <v> (<class>) of type <dt> cannot be written as XML."},
	"UNSUPPORTED_OVERWRITE.TABLE":               {"42902", "The table <table> can't be overwritten by a query that reads it."},
	"SORT_BY_WITHOUT_BUCKETING":                 {"42601", "sortBy only goes with bucketBy."},
	"PARTITION_BY_NOT_ALLOWED_WITH_INSERT_INTO": {"42601", "insertInto doesn't go with partitionBy: the table <tableName> says itself how it is partitioned."},
	"UNSUPPORTED_FEATURE.TABLE_OPERATION":       {"0A000", "The table <tableName> can't do <operation>."},
	// Conditions of Spark that have no name and no SQLSTATE yet.
	"_LEGACY_ERROR_TEMP_1012": {"", "The table <identifier> can't be written by writeTo: use write.insertInto or saveAsTable."},
	"_LEGACY_ERROR_TEMP_1155": {"", "The partition column <col> is not in the schema <schemaCatalog>."},
	"_LEGACY_ERROR_TEMP_1159": {"", "The table <tableName> is of format <existingProvider>, not <specifiedProvider>."},
	"_LEGACY_ERROR_TEMP_1161": {"", "The table <tableName> has the schema <existingTableSchema>, and the rows have <querySchema>."},
	"_LEGACY_ERROR_TEMP_1162": {"", "The table's column <col> is not among the rows' columns <inputColumns>."},
	"_LEGACY_ERROR_TEMP_1163": {"", "The table <tableName> is partitioned by <existingPartCols>, not by <specifiedPartCols>."},
	"_LEGACY_ERROR_TEMP_1312": {"", "<operation> doesn't go with bucketBy: only tables have buckets."},
	"_LEGACY_ERROR_TEMP_1194": {"", "The memory sink needs a query name: queryName(...)."},
	"_LEGACY_ERROR_TEMP_2048": {"", "A streaming read of files needs a schema: give one with schema(...), or set spark.sql.streaming.schemaInference to true."},
	"_LEGACY_ERROR_TEMP_2047": {"", "A write of files needs a target, and 'path' is not specified."},
}
