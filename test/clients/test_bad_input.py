"""Bad input: an error of Spark's kind to the client that sent it, and the server goes on."""

import re
import time
import urllib.request

import pytest
from conftest import condition, connect, raised, state


@pytest.fixture
def goes_on(spark):
    yield
    assert spark.range(3).count() == 3


def parquet(path, **columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize("how", ["no parquet at all", "truncated", "footer length"])
def test_corrupt_footer(spark, goes_on, tmp_path, how):
    f = parquet(tmp_path / "d" / "a.parquet", x=list(range(10_000)))
    raw = f.read_bytes()
    f.write_bytes(
        {
            "no parquet at all": b"hello, world " * 100,
            "truncated": raw[: len(raw) // 2],
            "footer length": raw[:-8] + b"\xff\xff\xff\x7f" + raw[-4:],
        }[how]
    )
    e = raised(lambda: spark.read.parquet(str(f)).collect())
    assert condition(e) == "FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER" and state(e) == "KD001"
    assert "a.parquet" in str(e)


def test_empty_file(spark, goes_on, tmp_path):
    f = parquet(tmp_path / "d" / "b.parquet", x=[1, 2])
    (tmp_path / "d" / "a.parquet").write_bytes(b"")
    assert spark.read.parquet(str(f.parent)).count() == 2
    e = raised(lambda: spark.read.parquet(str(f.parent / "a.parquet")).collect())
    assert condition(e) == "UNABLE_TO_INFER_SCHEMA" and state(e) == "42KD9"


def test_corrupt_pages(spark, goes_on, tmp_path):
    f = parquet(tmp_path / "d" / "a.parquet", x=list(range(100_000)))
    raw = bytearray(f.read_bytes())
    raw[4:2000] = b"\xff" * 1996
    f.write_bytes(raw)
    e = raised(lambda: spark.read.parquet(str(f)).selectExpr("sum(x)").collect())
    assert condition(e).startswith("FAILED_READ_FILE") and state(e) == "KD001"


def test_missing_path(spark, goes_on, tmp_path):
    for f in (
        lambda: spark.read.parquet(str(tmp_path / "nowhere")).collect(),
        lambda: spark.read.csv(str(tmp_path / "nowhere")).collect(),
        lambda: spark.sql("SELECT * FROM parquet.`%s`" % (tmp_path / "nowhere")).collect(),
    ):
        e = raised(f)
        assert type(e).__name__ == "AnalysisException"
        assert condition(e) == "PATH_NOT_FOUND" and state(e) == "42K03"


def test_schema_clash(spark, goes_on, tmp_path):
    parquet(tmp_path / "d" / "a.parquet", x=[1, 2])
    parquet(tmp_path / "d" / "b.parquet", x=["one", "two"])
    e = raised(lambda: spark.read.parquet(str(tmp_path / "d")).collect())
    assert condition(e) == "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH" and state(e) == "KD001"
    e = raised(lambda: spark.read.option("mergeSchema", "true").parquet(str(tmp_path / "d")).collect())
    assert condition(e) == "CANNOT_MERGE_SCHEMAS" and state(e) == "42KD9"


def test_sql_of_10_mb(spark, goes_on):
    assert spark.sql("SELECT 1 /* %s */" % ("x" * 10_000_000)).collect()[0][0] == 1
    e = raised(lambda: spark.sql("SELECT " + "x " * 5_000_000).collect())
    assert condition(e) == "PARSE_SYNTAX_ERROR" and state(e) == "42601"


@pytest.mark.parametrize("n", [10_000, 1_000_000])
def test_nested_parentheses(spark, goes_on, n):
    e = raised(lambda: spark.sql("SELECT " + "(" * n + "1" + ")" * n).collect())
    assert condition(e) == "FAILED_TO_PARSE_TOO_COMPLEX" and state(e) == "54001"


def plan_of(spark, df):
    return df._plan.to_proto(spark.client)


def run(spark, plan):
    def f():
        req = spark.client._execute_plan_request_with_metadata()
        req.plan.CopyFrom(plan)
        spark.client._execute(req)

    return raised(f)


def test_unknown_fields(spark, goes_on):
    import pyspark.sql.connect.proto as pb

    relation = pb.Relation()
    relation.ParseFromString(bytes([0x92, 0xBF, 0x01, 0x02, 0x08, 0x01]))  # field 3058: no kind of relation
    plan = pb.Plan(root=relation)
    e = run(spark, plan)
    assert condition(e).startswith("CONNECT_INVALID_PLAN") and state(e) == "56K00"
    e = run(spark, pb.Plan())
    assert condition(e).startswith("CONNECT_INVALID_PLAN") and state(e) == "56K00"


def test_references_in_a_cycle(spark, goes_on, version):
    import pyspark.sql.connect.proto as pb

    if not hasattr(pb, "SubqueryExpression"):
        pytest.skip("this client knows no references between plans")
    relation = plan_of(spark, spark.range(1)).root
    relation.common.plan_id = 7
    root = pb.Relation()
    root.common.plan_id = 8
    project = root.project
    project.input.CopyFrom(relation)
    x = project.expressions.add()
    x.subquery_expression.plan_id = 9
    x.subquery_expression.subquery_type = pb.SubqueryExpression.SUBQUERY_TYPE_SCALAR
    with_relations = pb.Relation()
    with_relations.with_relations.root.CopyFrom(root)
    inner = with_relations.with_relations.references.add()
    inner.CopyFrom(root)
    inner.common.plan_id = 9  # its own subquery
    e = run(spark, pb.Plan(root=with_relations))
    assert condition(e).startswith("CONNECT_INVALID_PLAN") and state(e) == "56K00"


def metrics(url):
    text = urllib.request.urlopen(url, timeout=10).read().decode()
    return {k: float(v) for k, v in re.findall(r"^(\w+) (\S+)$", text, re.M)}


def test_leaving_in_the_middle_of_a_result(remote, status):
    if status is None:
        pytest.skip("the server's status port isn't known")
    first = connect(remote)
    assert first.range(10).count() == 10
    before = metrics(status)
    for _ in range(5):
        s = connect(remote)
        rows = s.range(50_000_000).toLocalIterator()
        assert next(rows).id == 0
        s.client._channel.close()
        del rows
    assert first.range(10).count() == 10
    for _ in range(100):  # the others are gone when what they hold is given back
        after = metrics(status)
        if after["neptune_memory_reserved_bytes"] <= before["neptune_memory_reserved_bytes"] and after["neptune_tasks_running"] == 0:
            break
        time.sleep(0.2)
    assert after["neptune_memory_reserved_bytes"] <= before["neptune_memory_reserved_bytes"]
    assert after["neptune_tasks_running"] == 0


def test_session_id_of_another_user(remote):
    import uuid

    sid = str(uuid.uuid4())
    a = connect("%s/;user_id=ada;session_id=%s" % (remote, sid))
    b = connect("%s/;user_id=bob;session_id=%s" % (remote, sid))
    a.range(3).createOrReplaceTempView("mine")
    e = raised(lambda: b.table("mine").collect())
    assert condition(e) == "TABLE_OR_VIEW_NOT_FOUND" and state(e) == "42P01"
    assert a.table("mine").count() == 3


def test_unknown_job_type(spark, goes_on):
    for f in (
        lambda: spark.conf.set("neptune.job.type", "urgent"),
        lambda: spark.sql("SET neptune.job.type=urgent").collect(),
    ):
        e = raised(f)
        assert condition(e) == "INVALID_CONF_VALUE.REQUIREMENT" and state(e) == "22022"
