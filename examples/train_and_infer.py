"""One application, two jobs on the same executors (listing 1 of the Neptune paper, as real code).

A batch job trains a fraud model (logistic regression by gradient descent, each
pass one aggregation over the history in Parquet) and appends each new version
of it. A streaming job scores live events with the newest version. Nothing but
the two lines that set neptune.job.type is special: this is plain PySpark.

    python train_and_infer.py --remote sc://localhost:15002 --seconds 30 --json result.json
"""
import argparse
import json
import os
import sys
import tempfile
import threading
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

FEATURES = ["bias", "amount", "night", "foreign", "velocity"]


def history(spark, path, rows):
    """Past payments with a label, made by the server itself."""
    u = lambda k: (F.pmod(F.xxhash64(F.col("id"), F.lit(k)), F.lit(1_000_000)) / F.lit(1e6))
    events = spark.range(rows).select(
        F.col("id"),
        F.lit(1.0).alias("bias"),
        u(1).alias("amount"),
        (u(2) < 0.25).cast("double").alias("night"),
        (u(3) < 0.1).cast("double").alias("foreign"),
        u(4).alias("velocity"),
        u(5).alias("noise"))
    score = (-4 + 3 * F.col("amount") + F.col("night") + 2 * F.col("foreign") + 2 * F.col("velocity"))
    labelled = events.withColumn("fraud", (F.col("noise") < 1 / (1 + F.exp(-score))).cast("double"))
    labelled.drop("noise").write.mode("overwrite").parquet(path)


def train(remote, data, model, stop, report):
    """Gradient descent until told to stop. Each pass reads all of the history once."""
    spark = SparkSession.builder.remote(remote).create()
    spark.conf.set("neptune.job.type", "batch")
    past = spark.read.parquet(data)
    weights, version = [0.0] * len(FEATURES), 0
    while not stop.is_set():
        started = time.time()
        z = sum((F.col(f) * F.lit(w) for f, w in zip(FEATURES, weights)), F.lit(0.0))
        p = 1 / (1 + F.exp(-z))
        row = past.select(
            F.count("*").alias("n"),
            F.avg(-(F.col("fraud") * F.log(p) + (1 - F.col("fraud")) * F.log(1 - p))).alias("loss"),
            *[F.avg((p - F.col("fraud")) * F.col(f)).alias(f) for f in FEATURES]).collect()[0]
        weights = [w - 4.0 * row[f] for w, f in zip(weights, FEATURES)]
        version += 1
        save(spark, model, version, weights)
        report(time.time() - started, row["n"], row["loss"])
    spark.stop()


def save(spark, path, version, weights):
    values = [(version, *weights)]
    spark.createDataFrame(values, ["version", *["w_" + f for f in FEATURES]]).coalesce(1).write.mode("append").parquet(path)


def infer(spark, model, rate, trigger):
    """Score a stream of payments with the newest model. The static side is read anew for each micro-batch."""
    spark.conf.set("neptune.job.type", "stream")
    newest = spark.read.parquet(model).groupBy().agg(
        *[F.max_by("w_" + f, "version").alias("w_" + f) for f in FEATURES], F.max("version").alias("version"))
    u = lambda k: (F.pmod(F.xxhash64(F.col("value"), F.lit(k)), F.lit(1_000_000)) / F.lit(1e6))
    live = spark.readStream.format("rate").option("rowsPerSecond", rate).load().select(
        "timestamp", "value", F.lit(1.0).alias("bias"), u(11).alias("amount"), (u(12) < 0.25).cast("double").alias("night"),
        (u(13) < 0.1).cast("double").alias("foreign"), u(14).alias("velocity"))
    z = sum((F.col(f) * F.col("w_" + f) for f in FEATURES), F.lit(0.0))
    scored = live.crossJoin(newest).select("timestamp", "value", "version", (1 / (1 + F.exp(-z))).alias("p_fraud"))
    return scored.writeStream.format("noop").trigger(processingTime=trigger).start()


def percentile(values, p):
    v = sorted(values)
    return v[min(len(v) - 1, int(round(p / 100 * (len(v) - 1))))] if v else None


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--remote", default=os.environ.get("SPARK_REMOTE", "sc://localhost:15002"))
    ap.add_argument("--seconds", type=float, default=30, help="how long both jobs run together")
    ap.add_argument("--alone", type=float, default=None, help="how long the stream then runs alone, for comparison (default: as long)")
    ap.add_argument("--rows", type=int, default=12_000_000, help="rows of history")
    ap.add_argument("--rate", type=int, default=1000, help="live events a second")
    ap.add_argument("--trigger", default="250 milliseconds")
    ap.add_argument("--trainers", type=int, default=2, help="models trained at once")
    ap.add_argument("--folder", default=None, help="where history and models go; kept if given")
    ap.add_argument("--json", help="write the figures here")
    ap.add_argument("--label", default="", help="name of this run in what is printed")
    a = ap.parse_args()

    scratch = None if a.folder else tempfile.TemporaryDirectory(prefix="train-and-infer-")
    folder = a.folder or scratch.name
    data, model = os.path.join(folder, "history"), os.path.join(folder, f"model-{os.getpid()}")
    spark = SparkSession.builder.remote(a.remote).create()
    if not os.path.exists(os.path.join(data, "_SUCCESS")):
        print(f"writing {a.rows:,} past events to Parquet ...", flush=True)
        history(spark, data, a.rows)
    save(spark, model, 0, [0.0] * len(FEATURES))

    latencies, passes, failures, stop, lock = {}, [], [], threading.Event(), threading.Lock()

    def watch(query):
        for p in query.recentProgress:
            p = json.loads(p.json) if hasattr(p, "json") else p
            if p["numInputRows"] > 0:
                latencies[p["batchId"]] = p["durationMs"]["triggerExecution"] / 1000

    def since(seen):
        return [v for k, v in latencies.items() if k not in seen]

    query = infer(spark, model, a.rate, a.trigger)
    first = time.time()
    while not latencies and time.time() < first + 30 and query.isActive:
        time.sleep(1)
        watch(query)
    warm = set(latencies)

    def work(k):
        def report(seconds, rows, loss):
            with lock:
                passes.append({"at": time.time(), "seconds": seconds, "rows": rows, "loss": loss})
        try:
            train(a.remote, data, model + (f"-{k}" if k else ""), stop, report)
        except Exception as e:                       # shown below, and the exit code
            failures.append(f"training: {type(e).__name__}: {e}")

    threads = [threading.Thread(target=work, args=(k,)) for k in range(a.trainers)]
    begun = time.time()
    for t in threads:
        t.start()
    while time.time() < begun + a.seconds and query.isActive and not failures:
        time.sleep(1)
        watch(query)
        both = since(warm)
        with lock:
            last = passes[-1] if passes else None
            rows = sum(p["rows"] for p in passes)
        ms = lambda p: "-" if not both else f"{percentile(both, p) * 1000:,.0f}"
        print(f"{a.label:>8} {time.time() - begun:4.0f} s | stream: {len(both):3} batches, p50 {ms(50)} p95 {ms(95)} p99 {ms(99)} ms"
              f" | training: {len(passes):3} passes, {rows / (time.time() - begun) / 1e6:.1f} M rows/s"
              + (f", loss {last['loss']:.4f}" if last else ""), flush=True)
    stop.set()
    for t in threads:
        t.join()
    elapsed = time.time() - begun
    watch(query)
    both = since(warm)

    # Alone: the same query over the same versions of the model, as long as both ran together.
    quiet = a.seconds if a.alone is None else a.alone
    if quiet:
        print(f"{a.label:>8} the stream alone, for comparison ...", flush=True)
        time.sleep(1)
    watch(query)
    seen, begun_alone = set(latencies), time.time()
    while time.time() < begun_alone + quiet and query.isActive and not failures:
        time.sleep(1)
        watch(query)
    alone = since(seen)
    if query.exception():
        failures.append(f"stream: {query.exception()}")
    query.stop()
    spark.stop()
    result = {"label": a.label, "alone": alone, "latency": both, "passes": passes, "begun": begun,
              "rows_per_second": sum(p["rows"] for p in passes) / elapsed, "failures": failures}
    if a.json:
        with open(a.json, "w") as f:
            json.dump(result, f)
    for f in failures:
        print(f, file=sys.stderr)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
