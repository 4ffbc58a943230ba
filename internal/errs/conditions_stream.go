package errs

// streamConditions has what streaming queries raise.
var streamConditions = map[string]Condition{
	"CALL_ON_STREAMING_DATASET_UNSUPPORTED":            {"42KDE", "<methodName> is not for a streaming DataFrame."},
	"CANNOT_LOAD_STATE_STORE.UNCATEGORIZED":            {"58030", "The streaming state can't be loaded."},
	"CONCURRENT_QUERY":                                 {"0A000", "A streaming query with this checkpoint location is running."},
	"CONCURRENT_STREAM_LOG_UPDATE":                     {"40000", "Batch <batchId> is in the checkpoint's log already: another run of the query writes there too. A checkpoint location serves one query at a time."},
	"MALFORMED_LOG_FILE":                               {"KD002", "<text>"},
	"INVALID_LOG_VERSION.EXACT_MATCH_VERSION":          {"KD002", "A log entry has version <version>; only version v<matchVersion> can be read."},
	"STREAMING_CHECKPOINT_MISSING_METADATA_FILE":       {"42K03", "The checkpoint location <checkpointLocation> has offsets or commits, but no metadata file. Put the file back, or take a new checkpoint location."},
	"STREAMING_OUTPUT_MODE.INVALID":                    {"42KDE", "There is no output mode <outputMode>: it is append, complete or update."},
	"STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE":     {"42KDE", "A sink of format <className> doesn't take output mode <outputMode>."},
	"STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION":      {"42KDE", "Output mode <outputMode> doesn't go with <operation> on streaming DataFrames."},
	"STREAM_FAILED":                                    {"XXKST", "The streaming query [id = <id>, runId = <runId>] ended with an error: <message>"},
	"UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK": {"0A000", "Output mode <outputMode> needs a watermark for <statefulOperator> on a streaming DataFrame."},
	"_LEGACY_ERROR_TEMP_1298":                          {"", "This sink needs a checkpoint location: option(\"checkpointLocation\", ...), or <config> for all queries."},
	"_LEGACY_ERROR_TEMP_1299":                          {"", "The memory sink has lost the rows of earlier runs: it can go on from a checkpoint in output mode complete only. Delete <checkpointPath> to begin anew."},
	"WRITE_STREAM_NOT_ALLOWED":                         {"42601", "`writeStream` is for streaming DataFrames only."},
}
