"""Writes to tables, and caching, with a real client. The expected conditions are those of Spark 4.3.0."""

import uuid

import pytest
from conftest import condition as condition_of
from conftest import raised, state


def condition(e):
    """Conditions without a name don't stand in messages, which is all that PySpark 3.5 has."""
    import pyspark

    c = condition_of(e)
    return ANY_LEGACY if c is None and pyspark.__version__ < "4" else c


class AnyLegacy:
    def __eq__(self, other):
        return str(other).startswith("_LEGACY_")


ANY_LEGACY = AnyLegacy()


@pytest.fixture
def table(spark):
    name = "t_" + uuid.uuid4().hex
    yield name
    spark.sql("DROP TABLE IF EXISTS " + name)


def rows(spark, table):
    return sorted(tuple(r) for r in spark.table(table).collect())


def test_save_as_table(spark, table):
    df = spark.range(3).selectExpr("id", "id % 2 AS p")
    df.write.saveAsTable(table)
    assert rows(spark, table) == [(0, 0), (1, 1), (2, 0)]
    assert condition(raised(lambda: df.write.saveAsTable(table))) == "TABLE_OR_VIEW_ALREADY_EXISTS"
    df.write.mode("ignore").saveAsTable(table)
    df.select("p", "id").write.mode("append").saveAsTable(table)  # by name
    assert rows(spark, table) == [(0, 0), (0, 0), (1, 1), (1, 1), (2, 0), (2, 0)]
    assert condition(raised(lambda: df.selectExpr("p AS z", "id").write.mode("append").saveAsTable(table))) == "_LEGACY_ERROR_TEMP_1162"
    assert condition(raised(lambda: df.write.format("json").mode("append").saveAsTable(table))) == "_LEGACY_ERROR_TEMP_1159"
    df.limit(1).write.mode("overwrite").saveAsTable(table)
    assert rows(spark, table) == [(0, 0)]
    e = raised(lambda: spark.table(table).write.mode("overwrite").saveAsTable(table))
    assert condition(e) == "UNSUPPORTED_OVERWRITE.TABLE" and state(e) == "42902"
    assert rows(spark, table) == [(0, 0)]


def test_insert_into(spark, table):
    df = spark.range(3).selectExpr("id", "id % 2 AS p")
    assert condition(raised(lambda: df.write.insertInto(table))) == "TABLE_OR_VIEW_NOT_FOUND"
    df.write.saveAsTable(table)
    df.select("p", "id").write.insertInto(table)  # by position
    assert rows(spark, table) == [(0, 0), (0, 0), (0, 2), (1, 1), (1, 1), (2, 0)]
    df.limit(2).write.insertInto(table, overwrite=True)
    assert rows(spark, table) == [(0, 0), (1, 1)]
    for bad, want in [
        (lambda: df.select("id").write.insertInto(table), "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"),
        (lambda: spark.table(table).write.insertInto(table, overwrite=True), "UNSUPPORTED_OVERWRITE.TABLE"),
        (lambda: df.write.partitionBy("p").insertInto(table), "PARTITION_BY_NOT_ALLOWED_WITH_INSERT_INTO"),
    ]:
        assert condition(raised(bad)) == want


def test_write_to(spark, table):
    df = spark.range(3).selectExpr("id", "id % 2 AS p")
    df.writeTo(table).using("parquet").partitionedBy("p").create()
    assert rows(spark, table) == [(0, 0), (1, 1), (2, 0)]
    for bad, want in [
        (lambda: df.writeTo(table).create(), "TABLE_OR_VIEW_ALREADY_EXISTS"),
        (lambda: df.writeTo(table).append(), "_LEGACY_ERROR_TEMP_1012"),
        (lambda: df.writeTo(table).using("parquet").replace(), "UNSUPPORTED_FEATURE.TABLE_OPERATION"),
        (lambda: df.writeTo(table + "_no").append(), "TABLE_OR_VIEW_NOT_FOUND"),
    ]:
        assert condition(raised(bad)) == want


@pytest.mark.parametrize(
    "write,want",
    [
        (lambda df, to: df.select("id", "id").write.parquet(to), "COLUMN_ALREADY_EXISTS"),
        (lambda df, to: df.selectExpr("id", "id AS ID").write.parquet(to), "COLUMN_ALREADY_EXISTS"),
        (lambda df, to: df.write.partitionBy("p", "p").parquet(to), "COLUMN_ALREADY_EXISTS"),
        (lambda df, to: df.write.partitionBy("id", "p").parquet(to), "ALL_PARTITION_COLUMNS_NOT_ALLOWED"),
        (lambda df, to: df.write.partitionBy("zz").parquet(to), "_LEGACY_ERROR_TEMP_1155"),
        (lambda df, to: df.write.bucketBy(2, "id").save(to), "_LEGACY_ERROR_TEMP_1312"),
        (lambda df, to: df.write.sortBy("id").save(to), "SORT_BY_WITHOUT_BUCKETING"),
        (lambda df, to: df.write.save(), "_LEGACY_ERROR_TEMP_2047"),
        (lambda df, to: df.write.format("nope").save(to), "DATA_SOURCE_NOT_FOUND"),
        (lambda df, to: df.write.text(to), "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE"),
    ],
)
def test_refused_writes_leave_nothing(spark, tmp_path, write, want):
    df = spark.range(3).selectExpr("id", "id % 2 AS p")
    assert condition(raised(lambda: write(df, str(tmp_path / "out")))) == want
    assert not (tmp_path / "out").exists()


def test_dynamic_partition_overwrite(spark, tmp_path):
    to = str(tmp_path / "d")
    df = spark.range(3).selectExpr("id", "id % 2 AS p")
    df.write.partitionBy("p").parquet(to)
    odd = df.where("p = 1").selectExpr("id + 100 AS id", "p")
    odd.write.mode("overwrite").option("partitionOverwriteMode", "dynamic").partitionBy("p").parquet(to)
    assert sorted(tuple(r) for r in spark.read.parquet(to).collect()) == [(0, 0), (2, 0), (101, 1)]
    assert not [f for f in (tmp_path / "d").rglob("_temporary*")]


def plan(df, capsys):
    df.explain()
    return capsys.readouterr().out


def test_persist(spark, tmp_path, capsys):
    src = str(tmp_path / "src")
    spark.range(5).write.parquet(src)
    df = spark.read.parquet(src).where("id > 1").cache()
    level = df.storageLevel
    assert level.useMemory and level.useDisk and df.is_cached
    assert "InMemoryTableScan" in plan(df.groupBy().count(), capsys)
    assert df.count() == 3
    # The rows are kept: what happens to the files behind the server's back isn't seen ...
    for f in (tmp_path / "src").glob("*.parquet"):
        f.rename(f.with_suffix(".gone"))
    assert df.count() == 3 and df.selectExpr("sum(id)").collect()[0][0] == 9
    for f in (tmp_path / "src").glob("*.gone"):
        f.rename(f.with_suffix(".parquet"))
    # ... but writes through it are.
    spark.range(10, 12).write.mode("append").parquet(src)
    assert spark.read.parquet(src).where("id > 1").count() == 5
    df.unpersist()
    assert not df.storageLevel.useMemory and "InMemoryTableScan" not in plan(df, capsys)


def test_cache_table(spark, capsys):
    spark.range(1000).selectExpr("id", "id % 7 AS k").createOrReplaceTempView("v")
    spark.sql("CACHE TABLE v")
    assert spark.catalog.isCached("v")
    by_k = spark.table("v").groupBy("k").count()
    assert "InMemoryRelation" in plan(by_k, capsys)
    assert sorted(tuple(r) for r in by_k.collect())[0] == (0, 143)
    spark.sql("UNCACHE TABLE v")
    assert not spark.catalog.isCached("v")
    spark.sql("CACHE LAZY TABLE w OPTIONS ('storageLevel' 'DISK_ONLY') AS SELECT id, id AS id2 FROM v")
    level = spark.table("w").storageLevel
    assert level.useDisk and not level.useMemory
    assert spark.sql("SELECT max(id), min(id2) FROM w WHERE id > 10").collect()[0] == (999, 11)
    spark.catalog.clearCache()
    assert not spark.catalog.isCached("w")
    assert condition(raised(lambda: spark.catalog.isCached("no_such_view"))) == "TABLE_OR_VIEW_NOT_FOUND"


def test_same_semantics(spark):
    from pyspark.sql.connect.functions import col

    a = spark.range(10).select((col("id") * 2).alias("a"))
    b = spark.range(10).select((col("id") * 2).alias("b"))
    assert a.sameSemantics(b) and a.semanticHash() == b.semanticHash()
    left, right = spark.range(3).alias("l"), spark.range(3).alias("r")
    both = left.join(right, col("l.id") == col("r.id"))
    assert not both.select("l.id").sameSemantics(both.select("r.id"))
    assert not a.sameSemantics(spark.range(11).select((col("id") * 2).alias("a")))
