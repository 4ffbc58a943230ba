"""Sessions, configuration, errors and artifacts with a real client."""

import threading
import time

import pytest
from conftest import condition, connect, raised, state
from pyspark.errors import AnalysisException, ParseException, PySparkException


def test_version(spark):
    assert spark.version == "4.3.0"


def test_select(spark):
    assert [tuple(r) for r in spark.sql("SELECT 1 AS a, 'x' AS b").collect()] == [(1, "x")]


def test_conf(spark):
    spark.conf.set("my.some.key", "v")
    assert spark.conf.get("my.some.key") == "v"
    spark.conf.unset("my.some.key")
    assert spark.conf.get("my.some.key", "d") == "d"
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    assert spark.conf.isModifiable("spark.sql.shuffle.partitions")
    assert not spark.conf.isModifiable("spark.sql.warehouse.dir")


@pytest.mark.parametrize(
    "key,value,want,sqlstate",
    [
        ("spark.sql.warehouse.dir", "x", "CANNOT_MODIFY_STATIC_CONFIG", "46110"),
        ("spark.sql.ansi.enabled", "maybe", "INVALID_CONF_VALUE.TYPE_MISMATCH", "22022"),
        ("spark.sql.session.timeZone", "Moon/Sea", "INVALID_CONF_VALUE.TIME_ZONE", "22022"),
        ("neptune.job.type", "urgent", "INVALID_CONF_VALUE.REQUIREMENT", "22022"),
        ("neptune.job.tipe", "stream", "SQL_CONF_NOT_FOUND", "42K0I"),
        ("neptune.executor.slots", "7", "CANNOT_MODIFY_STATIC_CONFIG", "46110"),
        ("spark.sql.sources.partitionOverwriteMode", "both", "INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS", "22022"),
        ("spark.sql.shuffle.partitions", "-7", "INVALID_CONF_VALUE.REQUIREMENT", "22022"),
        ("spark.sql.ui.explainMode", "x", "INVALID_CONF_VALUE.REQUIREMENT", "22022"),
    ],
)
def test_conf_refused(spark, key, value, want, sqlstate):
    e = raised(lambda: spark.conf.set(key, value))
    assert condition(e) == want and state(e) == sqlstate
    assert spark.version  # the session lives on


@pytest.mark.parametrize("key", ["neptune.job.type", "spark.neptune.job.type", "spark.sql.neptune.job.type"])
def test_job_type_by_conf_and_sql(spark, key):
    spark.conf.set(key, "stream")
    assert spark.conf.get("neptune.job.type") == "stream"
    spark.sql("SET %s=batch" % key).collect()
    assert spark.conf.get(key) == "batch"


def test_job_type_in_the_connection(remote):
    s = connect(remote + "/;neptune.job.type=stream")
    assert s.range(3).count() == 3
    s.client.close()
    s = connect(remote + "/;neptune.job.type=urgent")
    assert condition(raised(lambda: s.range(3).collect())) == "INVALID_CONF_VALUE.REQUIREMENT"
    s.client.close()


def test_errors_have_condition_state_and_class(spark):
    e = raised(lambda: spark.sql("SELECT 1/0").collect())
    assert type(e).__name__ == "ArithmeticException"
    assert condition(e) == "DIVIDE_BY_ZERO" and state(e) == "22012"
    e = raised(lambda: spark.sql("SELEC 1").collect())
    assert isinstance(e, ParseException) and condition(e) == "PARSE_SYNTAX_ERROR" and state(e) == "42601"
    e = raised(lambda: spark.sql("SELECT nope FROM range(1)").collect())
    assert isinstance(e, AnalysisException) and condition(e).startswith("UNRESOLVED_COLUMN") and state(e) == "42703"
    e = raised(lambda: spark.table("no_such_table").collect())
    assert isinstance(e, AnalysisException) and condition(e) == "TABLE_OR_VIEW_NOT_FOUND" and state(e) == "42P01"


def test_interrupt(spark, version):
    if version < (3, 5):
        pytest.skip("tags came with 3.5")
    got = []

    def long():
        spark.addTag("slow")
        try:
            spark.range(10**12).selectExpr("sum(id % 7)").collect()
        except PySparkException as e:
            got.append(condition(e))

    t = threading.Thread(target=long)
    t.start()
    ids = []
    for _ in range(100):
        ids = spark.interruptTag("slow")
        if ids:
            break
        time.sleep(0.1)
    t.join(30)
    assert len(ids) == 1 and got == ["OPERATION_CANCELED"]
    assert spark.range(3).count() == 3


def test_artifacts(spark, tmp_path, version):
    f = tmp_path / "a.txt"
    f.write_text("one")
    spark.addArtifacts(str(f), file=True)
    f.write_text("two")
    if version < (4, 0):  # it raises gRPC's own error
        with pytest.raises(Exception, match="ARTIFACT_ALREADY_EXISTS"):
            spark.addArtifacts(str(f), file=True)
        return
    e = raised(lambda: spark.addArtifacts(str(f), file=True))
    assert condition(e) == "ARTIFACT_ALREADY_EXISTS" and state(e) == "42713"
    assert e.getMessageParameters() == {"normalizedRemoteRelativePath": "files/a.txt"}


def test_clone(spark):
    if not hasattr(spark, "cloneSession"):
        pytest.skip("this client can't clone sessions")
    spark.conf.set("my.k", "1")
    spark.range(5).createOrReplaceTempView("five")
    c = spark.cloneSession()
    assert c.conf.get("my.k") == "1" and c.table("five").count() == 5
    c.conf.set("my.k", "2")
    assert spark.conf.get("my.k") == "1"


def test_closed_session(remote):
    s = connect(remote)
    if not hasattr(s.client, "release_session"):
        pytest.skip("this client can't release sessions")
    assert s.range(1).count() == 1
    s.client.release_session()
    e = raised(lambda: s.range(1).count())
    assert "INVALID_HANDLE.SESSION_CLOSED" in str(e)


def test_two_users_with_one_session_id(remote):
    import uuid

    sid = str(uuid.uuid4())
    a = connect("%s/;user_id=ada;session_id=%s" % (remote, sid))
    b = connect("%s/;user_id=bob;session_id=%s" % (remote, sid))
    a.conf.set("my.key", "a")
    assert b.conf.get("my.key", "none") == "none"
    a.client.close()
    b.client.close()
