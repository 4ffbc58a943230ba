"""TPC-H on neptune and its peers, query by query in turn, through the same client.

    python scripts/bench/tpch.py --neptune bin/neptune --sail .../sail --data build/tpch/sf1

Each query runs on each target, then again, so that a machine whose speed drifts does so for all of
them. What counts are the ratios. The queries are those of the optimizer's tests. The table and the
plot of docs/performance.md are written with --write.
"""
import argparse
import decimal
import json
import math
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
SLOTS = 2


def queries(scale):
    """the SQL of each query, by number"""
    with open(os.path.join(ROOT, "connect/optimize/testdata/tpch")) as f:
        found = re.findall(r"^# Q(\d+)\nphysical\n(.*?)\n----$", f.read(), re.M | re.S)
    # Query 11 compares with a share of the whole that shrinks with the scale.
    return {int(n): sql.replace("0.0001 from", f"{0.0001 / scale:.10f} from") for n, sql in found}


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Connect:
    """a Spark Connect server, started for the run"""

    def __init__(self, name, command):
        self.name, self.port = name, free_port()
        self.place = tempfile.TemporaryDirectory(prefix="bench-")
        args = [a.replace("{port}", str(self.port)) for a in command]
        self.process = subprocess.Popen(args, cwd=self.place.name, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.spark = self.connect()

    def connect(self):
        from pyspark.sql import SparkSession
        until = time.monotonic() + 60
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} has ended with code {self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return SparkSession.builder.remote(f"sc://127.0.0.1:{self.port}").create()
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def load(self, files):
        for table, path in files.items():
            self.spark.read.parquet(path).createOrReplaceTempView(table)

    def run(self, sql):
        return self.spark.sql(sql).toArrow()

    def peak(self):
        """MiB that the process held at most"""
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1)) // 1024

    def stop(self):
        self.spark.stop()  # when Python ends it would look for the server for minutes
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.place.cleanup()


class Duck:
    """DuckDB inside this process: no server, no network"""
    name = "duckdb"

    def __init__(self):
        import duckdb
        self.db = duckdb.connect(config={"threads": SLOTS})

    def load(self, files):
        for table, path in files.items():
            self.db.execute(f"create view {table} as select * from read_parquet('{path}')")

    def run(self, sql):
        return self.db.sql(sql).to_arrow_table()

    def peak(self):
        return None

    def stop(self):
        self.db.close()


def rows(table):
    def plain(v):
        if isinstance(v, (decimal.Decimal, float)):
            return float(v)
        return v if isinstance(v, int) else str(v)
    return sorted(([plain(v) for v in r] for r in zip(*(c.to_pylist() for c in table.columns))), key=str)


def same(a, b):
    def equal(x, y):
        if isinstance(x, float) or isinstance(y, float):
            return math.isclose(float(x), float(y), rel_tol=1e-6, abs_tol=0.01)
        return x == y
    a, b = rows(a), rows(b)
    return len(a) == len(b) and all(len(r) == len(s) and all(map(equal, r, s)) for r, s in zip(a, b))


def measure(targets, todo, runs):
    seconds = {t.name: {} for t in targets}
    for q, sql in todo.items():
        answers = {}
        for t in targets:
            answers[t.name] = t.run(sql)  # warms up as well
        first = targets[0].name
        for t in targets[1:]:
            if not same(answers[first], answers[t.name]):
                sys.exit(f"Q{q}: {t.name} answers differently from {first}")
        for _ in range(runs):
            for t in targets:
                start = time.perf_counter()
                t.run(sql)
                seconds[t.name].setdefault(q, []).append(time.perf_counter() - start)
        print(f"Q{q}", *(f"{t.name} {statistics.median(seconds[t.name][q]):.3f}" for t in targets), flush=True)
    return {n: {q: statistics.median(s) for q, s in by.items()} for n, by in seconds.items()}


def table_of(result, peaks):
    names = list(result)
    peers = [n for n in names if n != "neptune"]
    out = ["| query | " + " | ".join(f"{n} s" for n in names) + "".join(f" | neptune/{p}" for p in peers) + " |", "|---" * (1 + len(names) + len(peers)) + "|"]

    def line(label, values):
        ratios = [f"{values['neptune'] / values[p]:.2f}" if "neptune" in values else "-" for p in peers]
        out.append("| " + " | ".join([label] + [f"{values[n]:.3f}" for n in names] + ratios) + " |")
    for q in result[names[0]]:
        line(f"Q{q}", {n: result[n][q] for n in names})
    line("total", {n: sum(result[n].values()) for n in names})
    out.append("| peak MiB | " + " | ".join("-" if peaks[n] is None else str(peaks[n]) for n in names) + " | -" * len(peers) + " |")
    return "\n".join(out)


def plot(result, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "neptune"
    import matplotlib.pyplot as plt
    fig, ax = plt.subplots(figsize=(10, 3.5))
    names = list(result)
    numbers = list(result[names[0]])
    width = 0.8 / len(names)
    for i, n in enumerate(names):
        ax.bar([k + i * width for k in range(len(numbers))], [result[n][q] for q in numbers], width, label=n)
    ax.set_xticks([k + 0.4 - width / 2 for k in range(len(numbers))], [f"Q{q}" for q in numbers], fontsize=8)
    ax.set_ylabel("seconds")
    ax.legend()
    fig.tight_layout()
    fig.savefig(path, metadata={"Date": None})


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("--neptune", default=os.path.join(ROOT, "bin/neptune"), help="the binary")
    ap.add_argument("--sail", help="Sail's command; without it Sail is left out")
    ap.add_argument("--data", required=True, help="folder with a Parquet file for each table")
    ap.add_argument("--scale", type=float, default=1)
    ap.add_argument("--queries", help="numbers with commas between; all by default")
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--write", action="store_true", help="put table and plot into docs/performance.md")
    a = ap.parse_args()
    todo = queries(a.scale)
    if a.queries:
        todo = {int(q): todo[int(q)] for q in a.queries.split(",")}
    files = {t: os.path.abspath(os.path.join(a.data, t + ".parquet")) for t in TABLES}
    targets = []
    try:
        targets.append(Duck())
        if a.sail:
            targets.append(Connect("sail", [os.path.abspath(a.sail), "spark", "server", "--ip", "127.0.0.1", "--port", "{port}"]))
        targets.append(Connect("neptune", [os.path.abspath(a.neptune), "server", "--port", "{port}", "--ui-port", "-1"]))
        for t in targets:
            t.load(files)
        result = measure(targets, todo, a.runs)
        text = table_of(result, {t.name: t.peak() for t in targets})
    finally:
        for t in targets:
            t.stop()
    print(text)
    os.makedirs(os.path.join(ROOT, "build"), exist_ok=True)
    with open(os.path.join(ROOT, "build/tpch.json"), "w") as f:
        json.dump(result, f, indent=1)
    if a.write:
        versions = subprocess.run([os.path.abspath(a.neptune), "version"], capture_output=True, text=True).stdout.split("\n")[0]
        about = f"Scale factor {a.scale:g}, median of {a.runs} after one to warm up, {os.cpu_count()} CPUs, {platform.machine()}; neptune: {versions}."
        path = os.path.join(ROOT, "docs/performance.md")
        with open(path) as f:
            doc = f.read()
        block = f"<!-- tpch -->\n{about}\n\n{text}\n\n![seconds by query](performance/tpch.svg)\n<!-- /tpch -->"
        with open(path, "w") as f:
            f.write(re.sub(r"<!-- tpch -->.*?<!-- /tpch -->", lambda _: block, doc, flags=re.S))
        os.makedirs(os.path.join(ROOT, "docs/performance"), exist_ok=True)
        plot(result, os.path.join(ROOT, "docs/performance/tpch.svg"))


if __name__ == "__main__":
    main()
