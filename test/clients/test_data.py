"""Rows to and from a real client."""

import pytest


def test_create_data_frame(spark):
    df = spark.createDataFrame([(1, "a", None), (2, None, 2.5)], "x INT, y STRING, z DOUBLE")
    assert [tuple(r) for r in df.collect()] == [(1, "a", None), (2, None, 2.5)]
    assert df.schema.simpleString() == "struct<x:int,y:string,z:double>"


def test_large_local_relation_goes_through_the_cache(spark):
    import pandas as pd

    n = 400_000
    df = spark.createDataFrame(pd.DataFrame({"x": range(n)}))
    assert df.selectExpr("count(*)", "sum(x)").collect()[0] == (n, n * (n - 1) // 2)
    assert df.selectExpr("max(x)").collect()[0][0] == n - 1


def test_results_in_all_forms(spark, version):
    df = spark.range(100_000)
    assert len(df.toPandas()) == 100_000
    assert [r.id for r in df.toLocalIterator()] == list(range(100_000))
    if version >= (4, 0):
        assert df.toArrow().num_rows == 100_000
    assert df.limit(0).toPandas().columns.tolist() == ["id"]


def test_iterating_slowly_and_leaving(spark):
    it = spark.range(5_000_000).toLocalIterator()
    assert [next(it).id for _ in range(3)] == [0, 1, 2]
    it.close()
    assert spark.range(2).count() == 2


def test_temp_views(spark):
    spark.range(3).createOrReplaceTempView("three")
    assert spark.sql("SELECT sum(id) FROM three").collect()[0][0] == 3
    assert spark.catalog.dropTempView("three")
    assert not spark.catalog.dropTempView("three")


def test_sql_parameters(spark):
    assert spark.sql("SELECT :a + 1", args={"a": 41}).collect()[0][0] == 42
    assert spark.sql("SELECT ? - ?", args=[5, 3]).collect()[0][0] == 2


def test_sql_names_a_data_frame(spark, version):
    if version < (4, 0):
        pytest.skip("this client can't")
    assert spark.sql("SELECT count(*) FROM {df}", df=spark.range(7)).collect()[0][0] == 7


def test_tree_and_schema(spark, capsys):
    spark.range(1).printSchema()
    assert capsys.readouterr().out == "root\n |-- id: long (nullable = false)\n\n"


def test_show(spark, capsys):
    spark.range(2).show()
    assert capsys.readouterr().out == "+---+\n| id|\n+---+\n|  0|\n|  1|\n+---+\n\n"


def test_same_semantics(spark):
    a, b = spark.range(5), spark.range(5)
    assert a.select("id").sameSemantics(b.select("id"))
    assert not a.sameSemantics(spark.range(6))
    assert a.semanticHash() == b.semanticHash()


@pytest.mark.parametrize("n", [2, 40])
def test_deep_plans(spark, n):
    from pyspark.sql.connect import functions as F

    df = spark.range(1)
    x = F.col("id")
    for i in range(n // 2):
        x = x + 1
    assert df.select(x).collect()[0][0] == n // 2


@pytest.mark.parametrize("codec,level", [("lz4", None), ("zstd", None), ("zstd", "9"), ("ZSTD", "-1"), ("none", None)])
def test_compressed_results(spark, version, codec, level):
    """Compressed results read as plain ones do, and are smaller on the wire."""
    query = "SELECT id, repeat('abc', 20) AS s, IF(id % 3 = 0, NULL, id % 5) AS n, array(id, 1) AS a FROM range(20000)"
    plain = received(spark, query)
    spark.conf.set("spark.sql.execution.arrow.compression.codec", codec)
    if level:
        spark.conf.set("spark.sql.execution.arrow.compression.zstd.level", level)
    small = received(spark, query)
    assert small < plain / 4 if codec != "none" else small == plain
    rows = spark.sql(query).collect()
    assert len(rows) == 20000
    assert tuple(rows[7]) == (7, "abc" * 20, 2, [7, 1]) and rows[9].n is None


def received(spark, query):
    """How many bytes of Arrow data a query's answer has."""
    c = spark.client
    req = c._execute_plan_request_with_metadata()
    req.plan.CopyFrom(spark.sql(query)._plan.to_proto(c))
    return sum(len(r.arrow_batch.data) for r in c._stub.ExecutePlan(req, metadata=c._builder.metadata()) if r.HasField("arrow_batch"))


def test_large_strings(spark):
    spark.conf.set("spark.sql.execution.arrow.useLargeVarTypes", "true")
    assert [tuple(r) for r in spark.sql("SELECT 'x' AS a, X'01' AS b, array('y') AS c").collect()] == [("x", b"\x01", ["y"])]
