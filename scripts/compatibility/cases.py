"""What report.py asks. A case is a function of a session and an empty folder; it
gives a DataFrame, or a value, to be compared."""

# Functions of SQL's grammar, which have names in the list but no examples that parse alone.
OPERATORS = set()

# Functions whose values differ from run to run: only their types are compared.
NOT_REPEATABLE = {
    "current_timestamp", "now", "localtimestamp", "current_time", "current_date", "curdate", "unix_timestamp", "uuid", "rand", "random", "randn",
    "randstr", "uniform", "shuffle", "current_user", "user", "session_user", "version", "current_catalog", "current_database", "current_schema",
    "input_file_name", "input_file_block_start", "input_file_block_length", "monotonically_increasing_id", "spark_partition_id", "aes_encrypt",
    "java_method", "reflect", "try_reflect", "current_timezone",
}

ROWS = [(1, "a", 1.5, None), (2, "b", 2.5, "x"), (2, "b", 2.5, "x"), (3, None, float("nan"), "y"), (4, "d", -0.0, "z")]


def table(s):
    return s.createDataFrame(ROWS, "id int, name string, v double, note string")


def events(s):
    return s.sql("SELECT * FROM VALUES (1, TIMESTAMP'2024-01-01 00:00:00', 10), (2, TIMESTAMP'2024-01-01 00:05:00', 20) AS t(k, ts, v)")


def relations(F):
    t = table
    return {
        "read (path)": lambda s, d: [t(s).write.parquet(str(d / "p")), s.read.parquet(str(d / "p"))][1],
        "read (table)": lambda s, d: [t(s).createOrReplaceTempView("t"), s.table("t")][1],
        "project": lambda s, d: t(s).select("id", (F.col("v") * 2).alias("w"), F.upper("name")),
        "filter": lambda s, d: t(s).where(F.col("id") > 1),
        "join": lambda s, d: t(s).alias("l").join(t(s).alias("r"), F.col("l.id") == F.col("r.id"), "full_outer").select("l.id", "r.name"),
        "join (using)": lambda s, d: t(s).join(s.range(5), "id", "left_anti"),
        "set_op": lambda s, d: t(s).unionByName(t(s).select("id", "name"), allowMissingColumns=True).exceptAll(t(s).limit(1)),
        "sort, limit, offset": lambda s, d: t(s).orderBy(F.desc("id"), "name").offset(1).limit(2),
        "sort within partitions": lambda s, d: t(s).coalesce(1).sortWithinPartitions("name"),
        "tail": lambda s, d: str(t(s).orderBy("id").tail(2)),
        "aggregate": lambda s, d: t(s).groupBy("name").agg(F.count("*"), F.sum("v"), F.collect_set("note")),
        "aggregate (rollup)": lambda s, d: t(s).rollup("name", "id").agg(F.grouping_id(), F.count("*").alias("n")),
        "aggregate (cube)": lambda s, d: t(s).cube("name", "id").count(),
        "aggregate (grouping sets)": lambda s, d: t(s).groupingSets([["name"], ["id"]], "name", "id").agg(F.count("*").alias("n")),
        "aggregate (pivot)": lambda s, d: t(s).groupBy("id").pivot("name").sum("v"),
        "sql": lambda s, d: s.sql("SELECT :a + 1 AS x, {t}.id FROM {t}", args={"a": 1}, t=t(s)),
        "local_relation": lambda s, d: t(s),
        "local_relation (cached)": lambda s, d: s.createDataFrame([(i, "x" * 1000) for i in range(3000)], "a int, b string").groupBy().agg(F.sum("a"), F.max("b")),
        "sample": lambda s, d: s.range(1000).coalesce(1).sample(0.1, seed=7),
        "sample (with replacement)": lambda s, d: s.range(1000).coalesce(1).sample(True, 0.1, seed=7),
        "randomSplit": lambda s, d: s.range(1000).coalesce(1).randomSplit([1.0, 3.0], seed=3)[0],
        "deduplicate": lambda s, d: t(s).dropDuplicates(["id", "name"]).select("id", "name"),
        "range": lambda s, d: s.range(10, 0, -3, 2),
        "subquery_alias": lambda s, d: t(s).alias("q").select("q.id"),
        "repartition": lambda s, d: t(s).repartition(3).groupBy(F.spark_partition_id()).count().groupBy().agg(F.count("*")),
        "repartition_by_expression": lambda s, d: t(s).repartition(3, "id").where(F.col("id") > 1),
        "repartitionByRange": lambda s, d: s.range(10).repartitionByRange(2, "id").select(F.col("id"), F.spark_partition_id()),
        "repartitionById": lambda s, d: s.range(10).repartitionById(4, (F.col("id") % 4).cast("int")).select("id", F.spark_partition_id()),
        "to_df": lambda s, d: t(s).toDF("a", "b", "c", "d"),
        "with_columns_renamed": lambda s, d: t(s).withColumnsRenamed({"id": "key", "none": "x"}),
        "with_columns": lambda s, d: t(s).withColumns({"id": F.col("id") + 1, "new": F.lit(1)}),
        "show_string": lambda s, d: t(s)._show_string(3, 2, False),
        "html_string": lambda s, d: t(s)._repr_html_() or "",
        "drop": lambda s, d: t(s).drop("name", "none", F.col("v")),
        "hint": lambda s, d: t(s).hint("broadcast").join(s.range(3), "id"),
        "unpivot": lambda s, d: t(s).unpivot("id", ["name", "note"], "what", "value"),
        "to_schema": lambda s, d: t(s).select("id", "name").to(s.sql("SELECT '' AS name, 1L AS id").schema),
        "collect_metrics": lambda s, d: t(s).observe("m", F.count("*").alias("n"), F.max("id")),
        "parse (json)": lambda s, d: s.read.json(s.createDataFrame([('{"a": 1}',), ("no",)], "value string").select("value")),
        "with_watermark": lambda s, d: events(s).withWatermark("ts", "1 minute").groupBy(F.window("ts", "5 minutes")).count(),
        "session_window": lambda s, d: events(s).groupBy(F.session_window("ts", "3 minutes")).count(),
        "as_of_join": lambda s, d: events(s)._joinAsOf(events(s).withColumnRenamed("v", "w").drop("ts").withColumn("ts", F.lit("2024-01-01 00:01:00").cast("timestamp")), "ts", "ts", on="k"),
        "lateral_join": lambda s, d: t(s).alias("l").lateralJoin(s.range(3).where(F.col("id") < F.col("l.id").outer()).select(F.col("id").alias("x"))),
        "transpose": lambda s, d: t(s).where("id = 1").select("id", "v").transpose(),
        "unresolved_table_valued_function": lambda s, d: s.tvf.explode(F.array(F.lit(1), F.lit(2))),
        "with_relations": lambda s, d: t(s).where(F.col("id") > s.range(3).select(F.max("id")).scalar()),
        "exists": lambda s, d: t(s).alias("o").where(s.range(3).where(F.col("id") == F.col("o.id").outer()).exists()),
        "in subquery": lambda s, d: t(s).where(F.col("id").isin(s.range(3))),
        "zip": lambda s, d: t(s).select("id").zip(t(s).select("name")),
        "fill_na": lambda s, d: t(s).na.fill({"name": "?", "v": 0.0}),
        "drop_na": lambda s, d: t(s).na.drop(thresh=3),
        "replace": lambda s, d: t(s).na.replace({"a": "A", "b": None}, subset=["name"]),
        "summary": lambda s, d: t(s).summary(),
        "describe": lambda s, d: t(s).describe("id", "name"),
        "crosstab": lambda s, d: t(s).crosstab("name", "note"),
        "cov": lambda s, d: s.range(10).selectExpr("id", "id * id AS sq").stat.cov("id", "sq"),
        "corr": lambda s, d: s.range(10).selectExpr("id", "id * id AS sq").stat.corr("id", "sq"),
        "approx_quantile": lambda s, d: s.range(101).stat.approxQuantile("id", [0.1, 0.5, 0.99], 0.0),
        "freq_items": lambda s, d: t(s).stat.freqItems(["name"], 0.4),
        "sample_by": lambda s, d: s.range(1000).coalesce(1).selectExpr("id", "id % 3 AS k").stat.sampleBy("k", {0: 0.1, 1: 0.2}, seed=5),
        "catalog": lambda s, d: sorted(str(x.name) for x in s.catalog.listDatabases()),
        "cached_remote_relation": lambda s, d: t(s).localCheckpoint().where("id > 1"),
        "map_partitions (Python)": lambda s, d: s.range(3).mapInPandas(lambda it: it, "id bigint"),
        "group_map (Python)": lambda s, d: t(s).groupBy("id").applyInPandas(lambda p: p, t(s).schema),
        "udf (Python)": lambda s, d: s.range(3).select(F.udf(lambda x: x + 1, "bigint")("id")),
        "udtf (Python)": lambda s, d: F.udtf(type("T", (), {"eval": lambda self, x: iter([(x,)])}), returnType="a int")(F.lit(1)),
        "explain": lambda s, d: "Physical Plan" in t(s)._explain_string(extended=False),
        "schema": lambda s, d: t(s).schema.jsonValue(),
        "is_local": lambda s, d: t(s).isLocal(),
        "is_streaming": lambda s, d: s.readStream.format("rate").load().isStreaming,
        "input_files": lambda s, d: [t(s).coalesce(1).write.json(str(d / "j")), len(s.read.json(str(d / "j")).inputFiles())][1],
        "same_semantics": lambda s, d: t(s).select("id").sameSemantics(t(s).select("id")),
        "to_arrow": lambda s, d: str(t(s).toArrow().schema),
        "to_local_iterator": lambda s, d: [r.id for r in s.range(5).toLocalIterator()],
    }


def then(*steps):
    """The last of some steps' values."""
    return steps[-1]


def commands(F):
    t = table
    return {
        "create_dataframe_view": lambda s, d: then(t(s).createOrReplaceTempView("v1"), s.table("v1")),
        "create_dataframe_view (global)": lambda s, d: then(t(s).createOrReplaceGlobalTempView("g1"), s.table("global_temp.g1")),
        "write_operation (append)": lambda s, d: then(t(s).write.parquet(str(d / "p")), t(s).write.mode("append").parquet(str(d / "p")), s.read.parquet(str(d / "p"))),
        "write_operation (exists)": lambda s, d: then(t(s).write.parquet(str(d / "p")), t(s).write.parquet(str(d / "p"))),
        "write_operation (partitionBy)": lambda s, d: then(t(s).write.partitionBy("name").json(str(d / "p")), s.read.json(str(d / "p")).select("id", "name")),
        "write_operation (saveAsTable)": lambda s, d: then(s.sql("DROP TABLE IF EXISTS c1"), t(s).write.saveAsTable("c1"), s.table("c1")),
        "write_operation (insertInto)": lambda s, d: then(s.sql("DROP TABLE IF EXISTS c2"), t(s).write.saveAsTable("c2"), t(s).write.insertInto("c2", True), s.table("c2")),
        "write_operation (bucketBy)": lambda s, d: then(s.sql("DROP TABLE IF EXISTS c3"), t(s).write.bucketBy(2, "id").saveAsTable("c3"), s.table("c3")),
        "write_operation_v2 (create)": lambda s, d: then(s.sql("DROP TABLE IF EXISTS c4"), t(s).writeTo("c4").using("parquet").create(), s.table("c4")),
        "write_operation_v2 (append)": lambda s, d: then(s.sql("DROP TABLE IF EXISTS c5"), t(s).write.saveAsTable("c5"), t(s).writeTo("c5").append(), s.table("c5")),
        "sql_command": lambda s, d: s.sql("SHOW FUNCTIONS LIKE 'abs'"),
        "checkpoint_command": lambda s, d: t(s).localCheckpoint(),
        "merge_into_table_command": lambda s, d: then(s.sql("DROP TABLE IF EXISTS c6"), t(s).write.saveAsTable("c6"),
                                                      t(s).mergeInto("c6", F.col("c6.id") == 1).whenMatched().delete().merge()),
        "register_function (Python)": lambda s, d: then(s.udf.register("plus", lambda x: x + 1, "int"), s.sql("SELECT plus(1)")),
        "register_function (Java)": lambda s, d: s.udf.registerJavaFunction("j", "org.none.Such"),
        "write_stream_operation_start": lambda s, d: then(
            s.range(5).write.parquet(str(d / "in")),
            s.readStream.schema("id bigint").parquet(str(d / "in")).writeStream.format("memory").queryName("q1").trigger(availableNow=True).start().awaitTermination(60),
            s.table("q1")),
        "write_stream_operation_start (toTable)": lambda s, d: then(
            s.sql("DROP TABLE IF EXISTS c7"), s.range(5).write.parquet(str(d / "in")),
            s.readStream.schema("id bigint").parquet(str(d / "in")).writeStream.option("checkpointLocation", str(d / "cp")).trigger(availableNow=True)
            .toTable("c7").awaitTermination(60), s.table("c7")),
        "streaming_query_manager_command": lambda s, d: [q.name for q in s.streams.active],
        "tags": lambda s, d: then(s.addTag("x"), sorted(s.getTags()), s.clearTags(), sorted(s.getTags())),
        "interrupt": lambda s, d: then(s.interruptAll(), s.interruptTag("none"), s.interruptOperation("none")),
        "artifacts": lambda s, d: then((d / "a.txt").write_text("x"), s.addArtifacts(str(d / "a.txt"), file=True)),
        "catalog (tables)": lambda s, d: then(s.sql("DROP TABLE IF EXISTS c8"), s.sql("CREATE TABLE c8(a INT COMMENT 'x', b STRING) USING parquet"),
                                              [(c.name, c.dataType, c.nullable, c.isPartition) for c in s.catalog.listColumns("c8")]),
        "catalog (cache)": lambda s, d: then(t(s).createOrReplaceTempView("v2"), s.catalog.cacheTable("v2"), s.catalog.isCached("v2"), s.catalog.uncacheTable("v2"), s.catalog.isCached("v2")),
        "persist": lambda s, d: then(df := t(s).persist(), str(df.storageLevel), df.unpersist(), str(df.storageLevel)),
    }


# Statements, each with those that come before it; what the last one shows is compared.
SQL = {
    "CREATE DATABASE": ["DROP DATABASE IF EXISTS d1 CASCADE", "CREATE DATABASE d1 COMMENT 'x'", "SHOW DATABASES LIKE 'd1'"],
    "CREATE TABLE": ["DROP TABLE IF EXISTS s1", "CREATE TABLE s1(a INT NOT NULL, b STRING DEFAULT 'x') USING parquet", "INSERT INTO s1(a) VALUES (1)", "SELECT * FROM s1"],
    "CREATE TABLE AS SELECT": ["DROP TABLE IF EXISTS s2", "CREATE TABLE s2 USING json AS SELECT 1 AS a", "SELECT * FROM s2"],
    "CREATE TABLE LIKE": ["DROP TABLE IF EXISTS s3", "DROP TABLE IF EXISTS s4", "CREATE TABLE s3(a INT) USING parquet", "CREATE TABLE s4 LIKE s3", "DESCRIBE s4"],
    "CREATE VIEW": ["CREATE OR REPLACE VIEW w1 AS SELECT 1 AS a", "SELECT * FROM w1"],
    "CREATE TEMPORARY VIEW": ["CREATE OR REPLACE TEMP VIEW w2 AS SELECT 1 AS a", "SELECT * FROM w2"],
    "CREATE TEMPORARY VIEW USING": ["CREATE OR REPLACE TEMP VIEW w3(a INT) USING csv OPTIONS (path '/dev/null')", "SELECT * FROM w3"],
    "CREATE FUNCTION (SQL)": ["CREATE OR REPLACE FUNCTION f1(x INT) RETURNS INT RETURN x + 1", "SELECT f1(1)"],
    "CREATE FUNCTION (SQL table)": ["CREATE OR REPLACE FUNCTION f2(x INT) RETURNS TABLE(a INT) RETURN SELECT x", "SELECT * FROM f2(1)"],
    "DECLARE VARIABLE": ["DECLARE OR REPLACE x INT DEFAULT 1", "SET VAR x = x + 1", "SELECT x"],
    "EXECUTE IMMEDIATE": ["EXECUTE IMMEDIATE 'SELECT ? + 1' USING 1"],
    "BEGIN ... END": ["BEGIN DECLARE i INT = 0; WHILE i < 3 DO SET i = i + 1; END WHILE; SELECT i; END"],
    "ALTER TABLE ADD COLUMNS": ["DROP TABLE IF EXISTS s5", "CREATE TABLE s5(a INT) USING parquet", "ALTER TABLE s5 ADD COLUMNS (b INT)", "DESCRIBE s5"],
    "ALTER TABLE RENAME": ["DROP TABLE IF EXISTS s6", "DROP TABLE IF EXISTS s7", "CREATE TABLE s6(a INT) USING parquet", "ALTER TABLE s6 RENAME TO s7", "SHOW TABLES LIKE 's7'"],
    "ALTER TABLE DROP COLUMN": ["DROP TABLE IF EXISTS s8", "CREATE TABLE s8(a INT, b INT) USING parquet", "ALTER TABLE s8 DROP COLUMN b"],
    "ALTER TABLE SET TBLPROPERTIES": ["DROP TABLE IF EXISTS s9", "CREATE TABLE s9(a INT) USING parquet", "ALTER TABLE s9 SET TBLPROPERTIES('k' = 'v')", "SHOW TBLPROPERTIES s9('k')"],
    "ALTER TABLE ADD PARTITION": ["DROP TABLE IF EXISTS p1", "CREATE TABLE p1(a INT, p INT) USING parquet PARTITIONED BY (p)", "ALTER TABLE p1 ADD PARTITION (p = 1)", "SHOW PARTITIONS p1"],
    "INSERT INTO PARTITION": ["DROP TABLE IF EXISTS p2", "CREATE TABLE p2(a INT, p INT) USING parquet PARTITIONED BY (p)", "INSERT INTO p2 PARTITION (p = 1) SELECT 5", "SELECT * FROM p2"],
    "INSERT OVERWRITE": ["DROP TABLE IF EXISTS s10", "CREATE TABLE s10 USING parquet AS SELECT 1 AS a", "INSERT OVERWRITE s10 VALUES (2)", "SELECT * FROM s10"],
    "INSERT REPLACE WHERE": ["DROP TABLE IF EXISTS s11", "CREATE TABLE s11 USING parquet AS SELECT 1 AS a", "INSERT INTO s11 REPLACE WHERE a = 1 VALUES (2)"],
    "UPDATE": ["DROP TABLE IF EXISTS s12", "CREATE TABLE s12 USING parquet AS SELECT 1 AS a", "UPDATE s12 SET a = 2"],
    "DELETE": ["DROP TABLE IF EXISTS s13", "CREATE TABLE s13 USING parquet AS SELECT 1 AS a", "DELETE FROM s13 WHERE a = 1"],
    "MERGE": ["DROP TABLE IF EXISTS s14", "CREATE TABLE s14 USING parquet AS SELECT 1 AS a", "MERGE INTO s14 USING (SELECT 1 AS a) u ON s14.a = u.a WHEN MATCHED THEN DELETE"],
    "TRUNCATE TABLE": ["DROP TABLE IF EXISTS s15", "CREATE TABLE s15 USING parquet AS SELECT 1 AS a", "TRUNCATE TABLE s15", "SELECT * FROM s15"],
    "ANALYZE TABLE": ["DROP TABLE IF EXISTS s16", "CREATE TABLE s16 USING parquet AS SELECT 1 AS a", "ANALYZE TABLE s16 COMPUTE STATISTICS FOR ALL COLUMNS"],
    "CACHE TABLE": ["CACHE TABLE k1 AS SELECT 1 AS a", "SELECT * FROM k1"],
    "COMMENT ON": ["DROP TABLE IF EXISTS s17", "CREATE TABLE s17(a INT) USING parquet", "COMMENT ON TABLE s17 IS 'x'"],
    "MSCK REPAIR TABLE": ["DROP TABLE IF EXISTS p3", "CREATE TABLE p3(a INT, p INT) USING parquet PARTITIONED BY (p)", "MSCK REPAIR TABLE p3"],
    "REFRESH TABLE": ["DROP TABLE IF EXISTS s18", "CREATE TABLE s18(a INT) USING parquet", "REFRESH TABLE s18"],
    "DESCRIBE QUERY": ["DESCRIBE QUERY SELECT 1 AS a, 'x' AS b"],
    "DESCRIBE FUNCTION": ["DESCRIBE FUNCTION no_such_function"],
    "SHOW COLUMNS": ["DROP TABLE IF EXISTS s19", "CREATE TABLE s19(a INT, b INT) USING parquet", "SHOW COLUMNS IN s19"],
    "SHOW CREATE TABLE": ["DROP TABLE IF EXISTS s20", "CREATE TABLE s20(a INT) USING parquet COMMENT 'x'", "SHOW CREATE TABLE s20"],
    "SHOW VIEWS": ["CREATE OR REPLACE TEMP VIEW w9 AS SELECT 1", "SHOW VIEWS LIKE 'w9'"],
    "SHOW CATALOGS": ["SHOW CATALOGS"],
    "SET, RESET": ["SET spark.sql.shuffle.partitions=3", "RESET spark.sql.shuffle.partitions", "SET spark.sql.shuffle.partitions"],
    "SET TIME ZONE": ["SET TIME ZONE 'Asia/Tokyo'", "SET TIME ZONE 'UTC'"],
    "USE": ["USE default", "SELECT current_database()"],
    "PIVOT": ["SELECT * FROM VALUES (1, 'a', 2), (1, 'b', 3) AS t(k, c, v) PIVOT (sum(v) FOR c IN ('a', 'b'))"],
    "UNPIVOT": ["SELECT * FROM VALUES (1, 2, 3) AS t(k, a, b) UNPIVOT (v FOR c IN (a, b))"],
    "LATERAL VIEW": ["SELECT * FROM VALUES (array(1, 2)) AS t(a) LATERAL VIEW OUTER posexplode(a) e AS p, x"],
    "WITH RECURSIVE": ["WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r"],
    "pipe operators": ["FROM VALUES (1, 2), (3, 4) AS t(a, b) |> WHERE a > 1 |> EXTEND a + b AS c |> AGGREGATE sum(c) GROUP BY a"],
    "TABLESAMPLE": ["SELECT * FROM range(10) TABLESAMPLE (3 ROWS)"],
    "TRANSFORM": ["SELECT TRANSFORM(a) USING 'cat' AS (b) FROM VALUES ('x') AS t(a)"],
    "QUALIFY": ["SELECT a FROM VALUES (1), (2) AS t(a) QUALIFY row_number() OVER (ORDER BY a) = 1"],
    "MATCH_RECOGNIZE": ["SELECT * FROM VALUES (1) AS t(a) MATCH_RECOGNIZE (ORDER BY a MEASURES A.a AS m PATTERN (A) DEFINE A AS TRUE)"],
    "COLLATE": ["SELECT 'a' COLLATE UTF8_LCASE = 'A'"],
    "INSERT OVERWRITE DIRECTORY": ["INSERT OVERWRITE DIRECTORY '{folder}/out' USING json SELECT 1 AS a", "SELECT * FROM json.`{folder}/out`"],
    "LOAD DATA": ["DROP TABLE IF EXISTS s21", "CREATE TABLE s21(a INT) USING parquet", "LOAD DATA LOCAL INPATH '{folder}' INTO TABLE s21"],
    "EXPLAIN": ["EXPLAIN SELECT no_such_column"],
}


def statements(F):
    def run(sql):
        def f(s, d):
            for text in sql:
                df = s.sql(text.replace("{folder}", str(d)))
            return df
        return f
    return {name: run(sql) for name, sql in SQL.items()}


CSV = "id,name,when\n1,'a b',2024-01-02\n2,,x\n\n#3,c,\n4, d ,2024-13-01,9\n"
JSON = '{"id": 1, "name": "a", "v": 1.5}\n{"id": "2", "name": null, "extra": [1]}\n{broken\n{"id": 03, \'name\': \'q\'}\n'
TEXT = "one\ntwo\r\n\nthree"


def content(s, folder, fmt, text):
    folder.joinpath("in").mkdir()
    if fmt == "parquet":
        table(s).coalesce(1).write.mode("overwrite").parquet(str(folder / "in"))
    else:
        (folder / "in" / ("a." + fmt)).write_text(text)


def rows(s, F, fmt):
    df = s.sql("SELECT * FROM VALUES (1, 'a,\"b', TIMESTAMP'2024-01-02 03:04:05', DATE'2024-01-02'), (2, NULL, NULL, NULL), (3, '', TIMESTAMP'1970-01-01 00:00:00', DATE'1970-01-01') AS t(id, name, ts, day)")
    return df.select(F.coalesce("name", F.lit("-")).alias("value")) if fmt == "text" else df


READ_OPTIONS = [("csv", o, v, CSV) for o, v in [
    ("header", "true"), ("sep", ";"), ("quote", "'"), ("escape", "!"), ("comment", "#"), ("inferSchema", "true"), ("ignoreLeadingWhiteSpace", "true"),
    ("ignoreTrailingWhiteSpace", "true"), ("nullValue", "x"), ("nanValue", "x"), ("positiveInf", "x"), ("negativeInf", "x"), ("emptyValue", "e"), ("dateFormat", "yyyy-MM-dd"),
    ("timestampFormat", "yyyy"), ("timestampNTZFormat", "yyyy"), ("maxColumns", "2"), ("maxCharsPerColumn", "3"), ("mode", "DROPMALFORMED"), ("mode", "FAILFAST"), ("multiLine", "true"),
    ("lineSep", "\n"), ("encoding", "ISO-8859-1"), ("charToEscapeQuoteEscaping", "!"), ("samplingRatio", "0.5"), ("enforceSchema", "false"), ("locale", "de"),
    ("columnNameOfCorruptRecord", "bad"), ("unescapedQuoteHandling", "STOP_AT_CLOSING_QUOTE"), ("preferDate", "false"), ("pathGlobFilter", "*.csv"), ("recursiveFileLookup", "true"),
    ("modifiedAfter", "2050-01-01T00:00:00"), ("modifiedBefore", "2050-01-01T00:00:00"), ("ignoreCorruptFiles", "true"), ("ignoreMissingFiles", "true"), ("enableDateTimeParsingFallback", "true")]]
READ_OPTIONS += [("json", o, v, JSON) for o, v in [
    ("primitivesAsString", "true"), ("prefersDecimal", "true"), ("allowComments", "true"), ("allowUnquotedFieldNames", "true"), ("allowSingleQuotes", "false"), ("allowNumericLeadingZeros", "true"),
    ("allowBackslashEscapingAnyCharacter", "true"), ("allowUnquotedControlChars", "true"), ("allowNonNumericNumbers", "false"), ("mode", "DROPMALFORMED"), ("mode", "FAILFAST"),
    ("columnNameOfCorruptRecord", "bad"), ("dateFormat", "yyyy"), ("timestampFormat", "yyyy"), ("multiLine", "true"), ("lineSep", "\n"), ("encoding", "UTF-8"), ("samplingRatio", "0.5"),
    ("dropFieldIfAllNull", "true"), ("locale", "de"), ("inferTimestamp", "true"), ("singleVariantColumn", "v"), ("maxNestingDepth", "1"), ("maxStringLen", "1")]]
READ_OPTIONS += [("text", o, v, TEXT) for o, v in [("wholetext", "true"), ("lineSep", "o"), ("encoding", "UTF-8")]]
READ_OPTIONS += [("parquet", o, v, "") for o, v in [("mergeSchema", "true"), ("datetimeRebaseMode", "CORRECTED"), ("int96RebaseMode", "CORRECTED"), ("pathGlobFilter", "*.none")]]
WRITE_OPTIONS = [("csv", o, v) for o, v in [
    ("header", "true"), ("sep", ";"), ("quote", "'"), ("quoteAll", "true"), ("escape", "!"), ("escapeQuotes", "false"), ("nullValue", "NULL"), ("emptyValue", "E"), ("dateFormat", "dd/MM/yyyy"),
    ("timestampFormat", "yyyy-MM-dd HH:mm"), ("lineSep", "\r\n"), ("encoding", "UTF-16"), ("ignoreLeadingWhiteSpace", "false"), ("charToEscapeQuoteEscaping", "!"), ("compression", "gzip"), ("compression", "zstd"), ("compression", "odd")]]
WRITE_OPTIONS += [("json", o, v) for o, v in [("ignoreNullFields", "false"), ("dateFormat", "dd/MM/yyyy"), ("timestampFormat", "yyyy"), ("lineSep", "\r\n"), ("encoding", "UTF-8"), ("compression", "gzip"), ("writeNonAsciiCharacterAsCodePoint", "true"), ("pretty", "true")]]
WRITE_OPTIONS += [("text", o, v) for o, v in [("lineSep", ";"), ("compression", "deflate")]]
WRITE_OPTIONS += [("parquet", "compression", c) for c in ("none", "snappy", "gzip", "lz4", "lz4_raw", "zstd", "brotli", "odd")]
