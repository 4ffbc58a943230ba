"""Asks Neptune and Spark the same things and writes docs/compatibility.md.

    python report.py --neptune bin/neptune --out docs/compatibility.md [--only functions,relations,...]

Run by `make compatibility` with the Python of scripts/requirements/pyspark-4.3.txt,
whose pyspark has a whole Spark in it: both servers are started, each case is
run on both through the same client, and what differs is written down.
"""

import argparse
import contextlib
import logging
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

import pyspark
from pyspark.errors import PySparkException
from pyspark.sql.connect import functions as F
from pyspark.sql.connect.session import SparkSession

import cases

ROOT = pathlib.Path(__file__).resolve().parents[2]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def serving(command, home, **env):
    """Starts a server, gives its address, and ends it."""
    port = free_port()
    home.mkdir()
    with open(home / "log", "w") as log:
        p = subprocess.Popen([a.format(port=port, home=home) for a in command], cwd=home, stdout=log, stderr=log, env={**os.environ, **env})
    try:
        end = time.time() + 300
        while time.time() < end:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if p.poll() is not None:
                sys.exit("%s ended:\n%s" % (command[0], (home / "log").read_text()[-2000:]))
            time.sleep(0.1)
        yield "sc://127.0.0.1:%d" % port
    finally:
        p.terminate()
        try:
            p.wait(30)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()


def neptune(binary):
    return [os.path.abspath(binary), "server", "--port", "{port}", "--ui-port", "-1", "--conf", "spark.sql.session.timeZone=UTC",
            "--conf", "spark.sql.shuffle.partitions=2"]


def spark_server():
    home = os.path.dirname(pyspark.__file__)
    conf = {
        "spark.connect.grpc.binding.port": "{port}", "spark.connect.grpc.binding.address": "127.0.0.1", "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": "{home}/warehouse", "spark.sql.shuffle.partitions": "2", "spark.sql.session.timeZone": "UTC",
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
    }
    return [home + "/bin/spark-submit", "--master", "local[2]", "--driver-memory", "2g", "--class",
            "org.apache.spark.sql.connect.service.SparkConnectServer", *[x for k, v in conf.items() for x in ("--conf", k + "=" + v)], "spark-internal"]


def plain(v):
    """A value that compares as its text: NaN equals NaN, order of maps doesn't count."""
    if isinstance(v, dict):
        return sorted((str(plain(k)), plain(x)) for k, x in v.items())
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, float):
        return "%.10g" % v
    return repr(v)


def condition(e):
    c = e.getCondition() if isinstance(e, PySparkException) else None
    return c or (re.search(r"\[([A-Z][A-Z0-9_.]+)\]", str(e)) or [None, type(e).__name__])[1]


def ask(f, values=True):
    """What a case gives: ("ok", schema, rows) or ("error", condition)."""
    try:
        df = f()
        if df is None or not hasattr(df, "collect"):
            return ("ok", "", plain(df) if values else None)
        return ("ok", df.schema.simpleString(), sorted(map(str, (plain(r) for r in df.collect()))) if values else None)
    except Exception as e:  # whatever the client raises is the answer
        return ("error", condition(e))


REFUSALS = ("UNSUPPORTED", "UNRESOLVED_ROUTINE", "NOT_SUPPORTED", "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "DATA_SOURCE_NOT_FOUND")


def verdict(want, got):
    if want == got:
        return "same", ""
    if got[0] == "error":
        kind = "refused" if want[0] == "ok" and any(r in got[1] for r in REFUSALS) else "differs"
        return kind, got[1] + ("" if want[0] == "ok" else " for " + want[1])
    if want[0] == "error":
        return "differs", "no error where Spark raises " + want[1]
    if want[1] != got[1]:
        return "differs", "type %s for %s" % (got[1], want[1])
    return "differs", "values"


class Pair:
    """The two servers, with a session each."""

    def __init__(self, ours, theirs, scratch):
        self.remotes, self.scratch = (theirs, ours), scratch
        self.spark, self.neptune = (SparkSession.builder.remote(r).create() for r in self.remotes)

    def compare(self, f, values=True):
        """f(session, folder) on both."""
        out = []
        for name, s in (("spark", self.spark), ("neptune", self.neptune)):
            folder = pathlib.Path(tempfile.mkdtemp(prefix=name, dir=self.scratch))
            out.append(ask(lambda: f(s, folder), values))
        return verdict(*out)


def examples(spark, name):
    """The statements that Spark documents a function with."""
    text = "\n".join(r[0] for r in spark.sql("DESCRIBE FUNCTION EXTENDED `%s`" % name).collect())
    if "Examples:" not in text:
        return []
    text = text.split("Examples:", 1)[1]
    return [re.sub(r"\n\s+", " ", m.strip()) for m in re.findall(r"^\s*> (.*?);\s*$", text, re.M | re.S)]


def functions(pair):
    names = sorted({r[0].split(".")[-1] for r in pair.spark.sql("SHOW SYSTEM FUNCTIONS").collect()})
    rows = []
    for name in names:
        statements = [] if name in cases.OPERATORS else examples(pair.spark, name)
        result = ("not tried", "Spark documents no example")
        for sql in statements:
            result = pair.compare(lambda s, _: s.sql(sql), name not in cases.NOT_REPEATABLE)
            if result[0] != "same":
                result = (result[0], result[1] + ": " + sql)
                break
        rows.append((name, *result))
    return rows


def labelled(table):
    return lambda pair: [(name, *pair.compare(f)) for name, f in table(F).items()]


def options(pair):
    rows = []
    for fmt, option, value, content in cases.READ_OPTIONS:
        def read(s, folder):
            cases.content(s, folder, fmt, content)
            return s.read.format(fmt).option(option, value).load(str(folder / "in"))
        rows.append(("%s, read: %s=%s" % (fmt, option, value), *pair.compare(read)))
    for fmt, option, value in cases.WRITE_OPTIONS:
        def write(s, folder):
            cases.rows(s, F, fmt).coalesce(1).write.format(fmt).option(option, value).save(str(folder / "out"))
            files = sorted(folder.joinpath("out").glob("part-*"))
            if fmt == "parquet" or option == "compression":
                kinds = sorted({"".join(p.suffixes) for p in files})
                return str((kinds, sorted(map(str, s.read.format(fmt).load(str(folder / "out")).collect()))))
            return "".join(p.read_text() for p in files)
        rows.append(("%s, write: %s=%s" % (fmt, option, value), *pair.compare(write)))
    return rows


def configuration(pair):
    code = "\n".join(p.read_text() for room in ("arrowexec", "connect", "scheduler", "sidecar", "conf") for p in (ROOT / room).rglob("*.go")
                     if not p.name.endswith("_test.go"))
    used = set(re.findall(r'"(spark\.[\w.]+)"', code))
    rows = []
    for key in sorted(r[0] for r in pair.spark.sql("SET -v").collect()):
        def get(s, _):
            return s.conf.get(key), s.conf.isModifiable(key)
        status, why = pair.compare(get)
        if status == "same":
            status, why = ("same", "") if key in used else ("kept", "default as Spark's; changes nothing")
        rows.append((key, status, why))
    return rows


SECTIONS = {
    "functions": ("Functions", "the examples that Spark documents a function with give the same types and values", functions),
    "relations": ("Relations", "a plan with that relation gives the same columns and rows", labelled(cases.relations)),
    "commands": ("Commands", "the command, and what is seen of it afterwards, are the same", labelled(cases.commands)),
    "statements": ("Statements", "the statement gives the same output, or what is seen of it afterwards is the same", labelled(cases.statements)),
    "options": ("Options of sources", "a file read with the option has the same rows, or one written with it the same text", options),
    "configuration": ("Configuration", "the key has Spark's default and can be set in the same places, and it is looked at", configuration),
}


def cell(s):
    return re.sub(r"\s+", " ", s).replace("|", "\\|")


def document(results):
    lines = ["# Compatibility with Spark %s" % pyspark.__version__, "",
             "Written by `make compatibility`, which runs each case on Neptune and on Spark, through the same client, and compares.", "",
             "| | same | differs | refused | not tried, or kept |", "|---|---|---|---|---|"]
    for key, rows in results.items():
        n = lambda *kinds: sum(r[1] in kinds for r in rows)
        lines.append("| [%s](#%s) | %d | %d | %d | %d |" % (SECTIONS[key][0], SECTIONS[key][0].lower().replace(" ", "-"), n("same"), n("differs"), n("refused"), n("kept", "not tried")))
    for key, rows in results.items():
        title, same, _ = SECTIONS[key]
        lines += ["", "## " + title, "", "Same: " + same + ".", ""]
        for kind in ("same", "kept", "not tried"):
            names = [cell(r[0]) for r in rows if r[1] == kind]
            if names:
                lines += ["%s: %s" % (kind.capitalize() if kind != "kept" else "Kept (Spark's default is known, and nothing changes with the value)", ", ".join("`%s`" % n for n in names)), ""]
        others = [r for r in rows if r[1] in ("differs", "refused")]
        if others:
            lines += ["| | | how |", "|---|---|---|"] + ["| `%s` | %s | %s |" % (cell(a), b, cell(c)) for a, b, c in others]
    return "\n".join(lines).rstrip() + "\n"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--neptune", default="bin/neptune")
    ap.add_argument("--out", default="docs/compatibility.md")
    ap.add_argument("--only", default=",".join(SECTIONS), help="sections, comma-separated")
    a = ap.parse_args()
    logging.disable(logging.CRITICAL)  # the client logs each error that a server gives
    with tempfile.TemporaryDirectory(prefix="compatibility-") as tmp:
        tmp = pathlib.Path(tmp)
        with serving(neptune(a.neptune), tmp / "neptune") as ours, serving(spark_server(), tmp / "spark", PYSPARK_PYTHON=sys.executable) as theirs:
            pair = Pair(ours, theirs, tmp)
            results = {}
            for key in a.only.split(","):
                results[key] = SECTIONS[key][2](pair)
                print("%s: %s" % (key, {k: sum(r[1] == k for r in results[key]) for k in ("same", "differs", "refused", "kept", "not tried")}), flush=True)
        pathlib.Path(a.out).write_text(document(results))
    sys.stdout.flush()
    os._exit(0)  # the client's exit handlers would ask servers that have ended


main()
