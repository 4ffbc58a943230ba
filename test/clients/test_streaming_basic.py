"""A streaming query through every version of the client."""

import time


def field(progress, name):
    return progress[name] if isinstance(progress, dict) else getattr(progress, name)


def test_rate_to_memory(spark):
    rows = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 10).load()
    q = rows.selectExpr("value", "value % 2 as odd").writeStream.format("memory").queryName("basic").outputMode("append")
    # Only the last hundred progress reports are kept: without a pause, the first are gone before they are asked for.
    q = q.trigger(processingTime="200 milliseconds").start()
    try:
        end = time.time() + 30
        while len(q.recentProgress) < 3 and time.time() < end:
            time.sleep(0.05)
        assert q.isActive and q.exception() is None
        seen = q.recentProgress
        assert [field(p, "batchId") for p in seen[:3]] == [0, 1, 2]
        assert [field(p, "numInputRows") for p in seen[:3]] == [10, 10, 10]
    finally:
        q.stop()
    assert not q.isActive
    got = [tuple(r) for r in spark.sql("select value, odd from basic order by value limit 30").collect()]
    assert got == [(i, i % 2) for i in range(30)]
