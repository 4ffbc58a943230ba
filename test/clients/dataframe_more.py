"""More DataFrame calls, rarer than those of dataframe_cases.py: see there."""

import os

import dataframe_io  # noqa: F401
import pyspark.sql.connect.functions as F
from dataframe_cases import CASES, A, R, S, emp
from pyspark.sql import types as T

__all__ = ["CASES"]


def ticks(s):
    left = s.createDataFrame([(1, 5, "a"), (2, 10, "b"), (3, 15, "a"), (4, 1, "z")], "id INT, t INT, k STRING")
    right = s.createDataFrame([(1, "a", 100), (3, "a", 101), (6, "b", 102), (7, "a", 103), (15, "a", 105)], "t INT, k STRING, v INT")
    return left, right


def asof(**kw):
    return lambda s, t: (lambda l, r: S(l._joinAsOf(r, "t", "t", **kw)))(*ticks(s))


for d in ("backward", "forward", "nearest"):
    A("asof_" + d, asof(on="k", how="left", direction=d))
    A("asof_inner_" + d, asof(direction=d))
    A("asof_inexact_" + d, asof(how="left", direction=d, allowExactMatches=False))
    A("asof_tolerance_" + d, asof(how="left", direction=d, tolerance=F.lit(1)))
A("asof_condition", lambda s, t: (lambda l, r: S(l._joinAsOf(r, l.t, r.t, on=l.k == r.k).select(l.id, r.v, r.t)))(*ticks(s)))
A("asof_bad_tolerance", asof(tolerance=F.lit(-1)))
A("asof_bad_direction", asof(direction="sideways"))

A("repartition_by_id", lambda s, t: R(s.range(0, 20, 1, 2).repartitionById(4, (F.col("id") % 7 - 3).cast("int")).select("id", F.spark_partition_id().alias("p")).orderBy("id")))
A("read_json_rows", lambda s, t: R(s.read.json(s.createDataFrame([('{"a":1,"b":"x"}',), ('{"a":2}',), ("",), ("bad",), ('[{"a":3},{"a":4}]',)], "v STRING"))))
A("read_json_rows_schema", lambda s, t: R(s.read.schema("a INT").json(s.createDataFrame([('{"a":1,"b":"x"}',), ("bad",), (None,)], "v STRING"))))
A("read_json_rows_dropped", lambda s, t: R(s.read.option("mode", "DROPMALFORMED").json(s.createDataFrame([('{"a":1}',), ("bad",)], "v STRING"))))
A("read_csv_rows", lambda s, t: R(s.read.csv(s.createDataFrame([("a,b",), ('1,"x"',), ("3,4",)], "v STRING"), header=True, inferSchema=True)))
A("read_csv_rows_two_columns", lambda s, t: R(s.read.csv(s.createDataFrame([("a", "b")], "v STRING, w STRING"))))

A("input_file_name", lambda s, t: [s.range(4).write.parquet(t + "/f f"), [os.path.dirname(r[0]) for r in s.read.parquet(t + "/f f").filter("id > 2").select(F.input_file_name()).collect()]])
A("input_file_name_grouped", lambda s, t: [s.range(4).write.parquet(t + "/f"), R(s.read.parquet(t + "/f").groupBy(F.input_file_name() != "").count())])
A("input_file_name_sorted", lambda s, t: [s.range(4).write.parquet(t + "/f"), R(s.read.parquet(t + "/f").orderBy("id").select(F.input_file_name()))])
A("input_file_name_none", lambda s, t: R(s.range(2).select(F.input_file_name())))

A("star_of_join", lambda s, t: (lambda a, b: [a.join(b).select(b["*"]).columns, a.join(b, "id").withColumn("c", F.lit(0)).select(b["*"]).columns])(emp(s), s.range(2)))
A("star_gone", lambda s, t: (lambda e: e.select(e.id).select(e["*"]).columns)(emp(s)))
A("star_replaced", lambda s, t: (lambda e: e.withColumn("id", F.lit(0)).select(e["*"]).columns)(emp(s)))
A("star_twice", lambda s, t: (lambda e: e.join(e).select(e["*"]).columns)(emp(s)))
A("order_as_column", lambda s, t: [f(F.col("id")) and s.range(1).select(f(F.col("id"))).schema.simpleString() for f in (F.asc, F.desc, F.asc_nulls_last, F.desc_nulls_first)])
A("dedup_within_watermark_batch", lambda s, t: s.createDataFrame([(1,)], "a INT").dropDuplicatesWithinWatermark().collect())


def no_cross(s, f):
    s.conf.set("spark.sql.crossJoin.enabled", "false")
    try:
        return f(s)
    finally:
        s.conf.unset("spark.sql.crossJoin.enabled")


A("no_cross_join", lambda s, t: no_cross(s, lambda s: [s.range(2).crossJoin(s.range(3)).count(), s.range(2).join(s.range(3), "id").count()]))
A("cross_joined_by_where", lambda s, t: no_cross(s, lambda s: s.range(2).alias("a").join(s.range(3).alias("b")).where("a.id = b.id").count()))

A("sample", lambda s, t: R(s.range(0, 100, 1, 3).sample(0.1, 7)))
A("sample_replacing", lambda s, t: R(s.range(0, 60, 1, 3).sample(True, 0.5, 7)))
A("sample_replacing_much", lambda s, t: R(s.range(0, 10, 1, 2).sample(True, 2.5, -3)))
A("random_split", lambda s, t: [R(x) for x in s.range(20, 0, -1, 2).randomSplit([0.3, 0.7], 11)])

A("drop_fields", lambda s, t: R(s.range(1).select(F.struct("id", F.lit(1).alias("b"), F.lit(2).alias("c")).alias("x")).select(F.col("x").dropFields("b", "c"), F.col("x").withField("d", F.lit(1)))))
A("duplicate_fields", lambda s, t: R(s.sql("SELECT struct(1 AS a, 2 AS a, 3 AS b) AS s")))
A("shown_names", lambda s, t: s.sql("SELECT now()").select(
    F.log(2.0, F.lit(4)), F.mask(F.lit("a"), F.lit("Y")), F.position(F.lit("a"), F.lit("ba")), F.array_agg(F.lit(1))).columns)
A("shown_windows", lambda s, t: (lambda w: s.range(3).select(F.lag("id", 1, None).over(w), F.nth_value("id", 2, True).over(w)).columns)(
    __import__("pyspark.sql.connect.window", fromlist=["Window"]).Window.orderBy("id")))
A("metadata_of_rows", lambda s, t: s.createDataFrame([([1, 2],)], T.StructType([T.StructField("a", T.ArrayType(T.LongType()), metadata={"k": 1})])).schema.json())
A("list_functions", lambda s, t: sorted(f.name for f in s.catalog.listFunctions(pattern="current_da*")))


def partitioning(name, *args):
    from pyspark.sql.connect.functions import partitioning as p

    return lambda s, t: [
        R(s.sql("SELECT timestamp'2020-01-01' t, 1 a").filter("a > 1").select(getattr(p, name)(*args))),
        s.sql("SELECT timestamp'2020-01-01' t, 1 a").select(getattr(p, name)(*args)).schema.simpleString(),
    ]


for unit in ("years", "months", "days", "hours"):
    A("partitioning_" + unit, partitioning(unit, "t"))
A("partitioning_bucket", partitioning("bucket", 3, "a"))
