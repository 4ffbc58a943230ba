"""Structured Streaming: sources, sinks, state, restarts, and what queries tell of themselves."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pyspark
import pytest

from conftest import connect, free_port

if pyspark.__version__ < "4":
    pytest.skip("written for the progress objects of PySpark 4; test_streaming_basic.py is for all", allow_module_level=True)


@pytest.fixture
def F(spark):
    from pyspark.sql.connect import functions

    return functions


def put(spark, path, low, high, fmt="parquet"):
    spark.range(low, high).selectExpr("id", "'x' || id as t").coalesce(1).write.mode("append").format(fmt).save(str(path))


def files(spark, path, fmt="parquet", per_trigger=1):
    r = spark.readStream.format(fmt).schema("id bigint, t string")
    if per_trigger:
        r = r.option("maxFilesPerTrigger", per_trigger)
    return r.load(str(path))


def finish(writer, *path):
    q = writer.trigger(availableNow=True).start(*path)
    assert q.awaitTermination(60)
    assert q.exception() is None
    return q


def rows(df):
    return sorted(tuple(r) for r in df.collect())


def reports(q):
    return [json.loads(p.json) for p in q.recentProgress]


@pytest.mark.parametrize("fmt", ["parquet", "csv", "json"])
def test_files_in_and_out_exactly_once_over_restarts(spark, tmp_path, fmt):
    def run():
        return finish(
            files(spark, tmp_path / "in", fmt).where("id % 2 = 0").writeStream.format(fmt)
            .option("checkpointLocation", str(tmp_path / "cp")), str(tmp_path / "out"))

    def out():
        return [r[0] for r in rows(spark.read.schema("id bigint, t string").format(fmt).load(str(tmp_path / "out")))]

    for i in range(3):
        put(spark, tmp_path / "in", 10 * i, 10 * i + 10, fmt)
    first = run()
    assert out() == list(range(0, 30, 2))
    assert [p["numInputRows"] for p in reports(first)] == [10, 10, 10]
    put(spark, tmp_path / "in", 30, 40, fmt)
    second = run()
    assert (second.id, len(reports(second))) == (first.id, 1) and second.runId != first.runId
    assert out() == list(range(0, 40, 2))
    # A batch whose commit was lost is repeated, and written once.
    os.remove(tmp_path / "cp" / "commits" / "3")
    run()
    assert out() == list(range(0, 40, 2))
    # What a batch left that never was committed to the sink's log is no part of the folder.
    part = next(p for p in (tmp_path / "out").iterdir() if p.name.startswith("part-"))
    shutil.copy(part, part.with_name("part-left-over" + part.name[part.name.index("."):]))
    assert out() == list(range(0, 40, 2))
    log = (tmp_path / "out" / "_spark_metadata" / "0").read_text().split("\n")
    assert log[0] == "v1" and json.loads(log[1])["action"] == "add"


def windowed(spark, F, path):
    return (spark.readStream.schema("ts timestamp, v bigint").option("maxFilesPerTrigger", 1).json(str(path))
            .withWatermark("ts", "10 seconds").groupBy(F.window("ts", "10 seconds")).agg(F.count("*").alias("n"), F.sum("v").alias("s")))


def events(path, name, *times):
    path.mkdir(exist_ok=True)
    tmp = path / ("." + name)
    tmp.write_text("".join('{"ts": "2024-01-01T00:%02d:%02d.000Z", "v": 1}\n' % (s // 60, s % 60) for s in times))
    n = len(list(path.iterdir()))
    os.utime(tmp, (1_700_000_000 + n, 1_700_000_000 + n))
    tmp.rename(path / (name + ".json"))


def counts(df, F):
    return rows(df.select(F.unix_timestamp("window.start") % 3600, "n", "s"))


def test_windows_with_watermark(spark, F, tmp_path):
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    src = tmp_path / "in"
    events(src, "a", 1, 2, 11)
    events(src, "b", 25)      # watermark to 15: [0, 10) is over
    events(src, "c", 3, 16)   # 3 is in time: [0, 10) is given out at the end of this batch
    events(src, "d", 4, 17)   # 4 is late
    q = finish(windowed(spark, F, src).writeStream.outputMode("append").format("memory").queryName("w_append"))
    assert counts(spark.table("w_append"), F) == [(0, 3, 3)]
    progress = reports(q)
    assert [sum(s["numInputRows"] for s in p["sources"]) for p in progress] == [3, 1, 2, 2]
    assert progress[0]["eventTime"] == {
        "min": "2024-01-01T00:00:01.000Z", "max": "2024-01-01T00:00:11.000Z", "avg": "2024-01-01T00:00:04.666Z",
        "watermark": "1970-01-01T00:00:00.000Z"}
    assert progress[-1]["eventTime"]["watermark"] == "2024-01-01T00:00:15.000Z"
    state = progress[-1]["stateOperators"][0]
    assert state["operatorName"] == "stateStoreSave"
    assert (state["numRowsTotal"], state["numRowsDroppedByWatermark"]) == (2, 1)
    assert sum(p["stateOperators"][0]["numRowsRemoved"] for p in progress) == 1

    finish(windowed(spark, F, src).writeStream.outputMode("update").format("memory").queryName("w_update"))
    assert counts(spark.table("w_update"), F) == [(0, 2, 2), (0, 3, 3), (10, 1, 1), (10, 2, 2), (10, 3, 3), (20, 1, 1)]
    finish(windowed(spark, F, src).writeStream.outputMode("complete").format("memory").queryName("w_complete"))
    assert counts(spark.table("w_complete"), F) == [(0, 4, 4), (10, 3, 3), (20, 1, 1)]


def test_batches_without_data(spark, F, tmp_path):
    events(tmp_path / "in", "a", 1)
    events(tmp_path / "in", "b", 40)
    q = finish(windowed(spark, F, tmp_path / "in").writeStream.outputMode("append").format("memory").queryName("loud"))
    assert [p["numInputRows"] for p in reports(q)] == [1, 1, 0]  # the watermark has moved
    assert spark.table("loud").count() == 1
    spark.conf.set("spark.sql.streaming.noDataMicroBatches.enabled", "false")
    q = finish(windowed(spark, F, tmp_path / "in").writeStream.outputMode("append").format("memory").queryName("quiet"))
    assert [p["numInputRows"] for p in reports(q)] == [1, 1]
    assert spark.table("quiet").count() == 0


def test_state_goes_on_after_a_restart(spark, F, tmp_path):
    def run(name):
        finish(files(spark, tmp_path / "in").groupBy((F.col("id") % 2).alias("k")).count().writeStream.outputMode("complete")
               .format("memory").queryName(name).option("checkpointLocation", str(tmp_path / "cp")))
        return rows(spark.table(name))

    put(spark, tmp_path / "in", 0, 10)
    assert run("st1") == [(0, 5), (1, 5)]
    put(spark, tmp_path / "in", 10, 15)
    spark.conf.set("spark.sql.shuffle.partitions", "1")  # the state stays divided as it was
    assert run("st2") == [(0, 8), (1, 7)]
    os.remove(tmp_path / "cp" / "commits" / "1")
    put(spark, tmp_path / "in", 15, 16)
    assert run("st3") == [(0, 8), (1, 8)]


def test_drop_duplicates(spark, F, tmp_path):
    for _ in range(2):
        put(spark, tmp_path / "in", 0, 10)
    q = finish(files(spark, tmp_path / "in").selectExpr("id % 4 as k").dropDuplicates(["k"]).writeStream.format("memory").queryName("dd"))
    assert rows(spark.table("dd")) == [(0,), (1,), (2,), (3,)]
    assert reports(q)[-1]["stateOperators"][0]["operatorName"] == "dedupe"


def test_static_side_is_read_anew(spark, F, tmp_path):
    spark.createDataFrame([(0, "a"), (1, "b")], "k bigint, n string").write.parquet(str(tmp_path / "dim"))
    put(spark, tmp_path / "in", 0, 6)
    dim = spark.read.parquet(str(tmp_path / "dim")).groupBy("k").agg(F.max("n").alias("n"))
    q = (files(spark, tmp_path / "in").selectExpr("id % 3 as k").join(dim, "k").groupBy("n").count()
         .writeStream.outputMode("complete").format("memory").queryName("joined").start())
    q.processAllAvailable()
    assert rows(spark.table("joined")) == [("a", 2), ("b", 2)]
    spark.createDataFrame([(2, "c")], "k bigint, n string").write.mode("append").parquet(str(tmp_path / "dim"))
    put(spark, tmp_path / "in", 6, 9)
    q.processAllAvailable()
    assert rows(spark.table("joined")) == [("a", 3), ("b", 3), ("c", 1)]
    assert len(reports(q)[-1]["stateOperators"]) == 1
    q.stop()


def test_rate_sources_triggers_and_sinks(spark, F):
    src = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 5).option("startTimestamp", 1000).load()
    once = src.writeStream.format("console").trigger(once=True).start()
    assert once.awaitTermination(60) and len(reports(once)) == 1
    q = src.writeStream.format("memory").queryName("rmb").trigger(processingTime="50 milliseconds").start()
    while not q.lastProgress:
        time.sleep(0.02)
    q.stop()
    got = spark.table("rmb").orderBy("value").limit(5)
    assert [r[0] for r in got.select("value").collect()] == [0, 1, 2, 3, 4]
    assert got.select(F.max(F.unix_millis("timestamp"))).first()[0] == 1000
    q = spark.readStream.format("rate").option("rowsPerSecond", 100).load().writeStream.format("noop").start()
    assert q.status["message"] and not q.awaitTermination(1)
    while not (q.lastProgress and q.lastProgress.numInputRows):
        time.sleep(0.05)
    p = json.loads(q.lastProgress.json)
    q.stop()
    assert p["sink"]["numOutputRows"] == p["numInputRows"]
    assert {"addBatch", "commitOffsets", "getBatch", "latestOffset", "queryPlanning", "triggerExecution", "walCommit"} <= set(p["durationMs"])
    assert not q.isActive and q.status["message"] == "Stopped"


def rate(spark):
    return spark.readStream.format("rate").load()


def test_names_and_the_manager(spark):
    q = rate(spark).writeStream.format("noop").queryName("one").start()
    with pytest.raises(Exception, match="one"):
        rate(spark).writeStream.format("noop").queryName("one").start()
    assert [x.name for x in spark.streams.active] == ["one"]
    assert spark.streams.get(q.id).runId == q.runId
    assert not spark.streams.awaitAnyTermination(1)
    q.stop()
    assert spark.streams.active == []
    assert spark.streams.awaitAnyTermination(10)
    spark.streams.resetTerminated()
    assert not spark.streams.awaitAnyTermination(1)


def test_an_error_ends_the_query(spark):
    from pyspark.errors.exceptions.connect import StreamingQueryException

    q = (spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 5).load().selectExpr("1 div (value - 7)")
         .writeStream.format("noop").start())
    with pytest.raises(StreamingQueryException) as e:
        q.awaitTermination(30)
    assert e.value.getCondition() == "STREAM_FAILED"
    assert "DIVIDE_BY_ZERO" in str(q.exception()) and not q.isActive
    with pytest.raises(StreamingQueryException):
        spark.streams.awaitAnyTermination(10)


def test_listener(spark, tmp_path):
    from pyspark.sql.streaming import StreamingQueryListener

    got = []

    class Listener(StreamingQueryListener):
        def onQueryStarted(self, event):
            got.append(("start", event.name))

        def onQueryProgress(self, event):
            got.append(("progress", event.progress.batchId, event.progress.numInputRows))

        def onQueryIdle(self, event):
            pass

        def onQueryTerminated(self, event):
            got.append(("end", event.exception))

    put(spark, tmp_path / "in", 0, 10)
    spark.streams.addListener(listener := Listener())
    finish(files(spark, tmp_path / "in").writeStream.format("noop").queryName("heard"))
    for _ in range(200):
        if got and got[-1][0] == "end":
            break
        time.sleep(0.02)
    spark.streams.removeListener(listener)
    assert got == [("start", "heard"), ("progress", 0, 10), ("end", None)]


REFUSED = {
    "foreachBatch": lambda s, d: rate(s).writeStream.foreachBatch(lambda df, i: None).start(),
    "foreach": lambda s, d: rate(s).writeStream.foreach(lambda r: None).start(),
    "continuous": lambda s, d: rate(s).writeStream.format("noop").trigger(continuous="1 second").start(),
    "writeStream": lambda s, d: rate(s).collect(),
    "watermark": lambda s, d: rate(s).groupBy("value").count().writeStream.format("noop").start(),
    "complete": lambda s, d: rate(s).writeStream.format("noop").outputMode("complete").start(),
    "odd": lambda s, d: rate(s).writeStream.format("noop").outputMode("odd").start(),
    "WRITE_STREAM_NOT_ALLOWED": lambda s, d: s.range(3).writeStream.format("noop").start(),
    "stream-stream join": lambda s, d: rate(s).join(rate(s), "value").writeStream.format("noop").start(),
    "kafka": lambda s, d: rate(s).writeStream.format("kafka").start(),
    "query name": lambda s, d: rate(s).writeStream.format("memory").start(),
    "limit": lambda s, d: rate(s).limit(3).writeStream.format("noop").start(),
    "rowsPerSecond": lambda s, d: s.readStream.format("rate").option("rowsPerSecond", "x").load().writeStream.format("noop").start(),
    "update": lambda s, d: rate(s).writeStream.outputMode("update").format("parquet").start(d),
    "checkpoint location": lambda s, d: rate(s).writeStream.format("parquet").start(d),
    "schema": lambda s, d: s.readStream.parquet(d).schema,
    "PATH_NOT_FOUND": lambda s, d: s.readStream.schema("a int").parquet(d + "/none").writeStream.format("noop").start(),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_by_name(spark, tmp_path, what):
    spark.range(1).write.mode("append").parquet(str(tmp_path / "d"))
    with pytest.raises(Exception) as e:
        REFUSED[what](spark, str(tmp_path / "d"))
    assert what in str(e.value)


@pytest.mark.parametrize("which", ["offsets/0", "commits/0", "metadata", "no metadata"])
def test_a_damaged_checkpoint(spark, tmp_path, which):
    put(spark, tmp_path / "in", 0, 10)

    def writer():
        return files(spark, tmp_path / "in").writeStream.format("noop").option("checkpointLocation", str(tmp_path / "cp"))

    finish(writer())
    if which == "no metadata":
        os.remove(tmp_path / "cp" / "metadata")
    else:
        (tmp_path / "cp" / which).write_text("v1\n{garbage")
    with pytest.raises(Exception) as e:
        finish(writer())
    assert str(tmp_path / "cp") in str(e.value)
    assert "MALFORMED_LOG_FILE" in str(e.value) or "STREAMING_CHECKPOINT_MISSING_METADATA_FILE" in str(e.value)


def test_damaged_state(spark, tmp_path):
    put(spark, tmp_path / "in", 0, 10)

    def writer():
        return (files(spark, tmp_path / "in").groupBy().count().writeStream.outputMode("complete").format("noop")
                .option("checkpointLocation", str(tmp_path / "cp")))

    finish(writer())
    put(spark, tmp_path / "in", 10, 20)
    for p in (tmp_path / "cp" / "state").rglob("*.delta"):
        p.write_bytes(p.read_bytes()[:-3])
    q = writer().trigger(availableNow=True).start()
    with pytest.raises(Exception, match="CANNOT_LOAD_STATE_STORE"):
        q.awaitTermination(30)


def test_a_checkpoint_serves_one_query_at_a_time(spark, tmp_path):
    def start():
        return rate(spark).writeStream.format("noop").option("checkpointLocation", str(tmp_path / "cp")).start()

    first = start()
    second = start()  # as Spark does by default, the new run ends the old one
    assert second.id == first.id and second.isActive and not first.isActive
    spark.conf.set("spark.sql.streaming.stopActiveRunOnRestart", "false")
    with pytest.raises(Exception, match="CONCURRENT_QUERY"):
        start()
    second.stop()


def test_the_end_of_a_session_ends_its_queries(remote, tmp_path):
    s = connect(remote)
    out = tmp_path / "out"
    (s.readStream.format("rate-micro-batch").option("rowsPerBatch", 1).load().writeStream.format("parquet")
     .option("checkpointLocation", str(tmp_path / "cp")).trigger(processingTime="20 milliseconds").start(str(out)))
    s.client.release_session()
    log = tmp_path / "cp" / "commits"
    before = sorted(os.listdir(log)) if log.exists() else []
    time.sleep(0.2)
    assert (sorted(os.listdir(log)) if log.exists() else []) == before


@pytest.mark.skipif("NEPTUNE" not in os.environ, reason="needs a server of its own")
def test_killed_in_the_middle(tmp_path, F):
    """A server that is killed again and again, and a stream whose answers are right all the same."""

    def server():
        port = free_port()
        log = open(tmp_path / "log", "a")
        p = subprocess.Popen([os.path.abspath(os.environ["NEPTUNE"]), "server", "--host", "127.0.0.1", "--port", str(port), "--ui-port", "-1"],
                             cwd=tmp_path, stdout=log, stderr=log)
        for _ in range(200):
            with socket.socket() as c:
                if c.connect_ex(("127.0.0.1", port)) == 0:
                    return p, connect("sc://127.0.0.1:%d" % port)
            time.sleep(0.05)
        raise AssertionError("no server")

    def writers(s):
        df = files(s, tmp_path / "in")
        yield df.writeStream.format("parquet").option("checkpointLocation", str(tmp_path / "cp1")).option("path", str(tmp_path / "out"))
        yield (df.groupBy((F.col("id") % 3).alias("k")).agg(F.count("*").alias("n"), F.sum("id").alias("s")).writeStream.outputMode("complete")
               .format("memory").queryName("sums").option("checkpointLocation", str(tmp_path / "cp2")))

    p, s = server()
    for i in range(30):
        put(s, tmp_path / "in", 10 * i, 10 * i + 10)
    for pause in (0.05, 0.11, 0.17):
        for w in writers(s):
            w.start()
        time.sleep(pause)
        p.send_signal(signal.SIGKILL)
        p.wait()
        p, s = server()
    try:
        for w in writers(s):
            finish(w)
        put(s, tmp_path / "in", 300, 303)
        for w in writers(s):
            finish(w)
        assert [r[0] for r in rows(s.read.parquet(str(tmp_path / "out")))] == list(range(303))
        assert rows(s.table("sums")) == [(k, 101, sum(range(k, 303, 3))) for k in range(3)]
    finally:
        s.client.close()
        p.terminate()
        p.wait(20)
