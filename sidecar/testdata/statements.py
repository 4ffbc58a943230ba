"""Writes Spark's answers into statements/*.txt, in place.

A file is blocks of one statement, ----, and the answer: "ok" for a command, "error CONDITION SQLSTATE", or a
query's columns and its rows, sorted. In a file that begins with "# params:" an error's parameters follow it. Run it in this folder against a Connect server of Spark 4.3:
SPARK_REMOTE=sc://HOST:PORT python statements.py [FILE]... A file begins with a session of its own; lines that begin with # are comments."""
import datetime
import decimal
import glob
import os
import sys

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession


def cell(v):
    if v is None:
        return "NULL"
    if isinstance(v, bool):
        return str(v).lower()
    if isinstance(v, float):
        return f"{v:.10g}"
    if isinstance(v, decimal.Decimal):
        return f"{v:f}"
    if isinstance(v, (bytes, bytearray)):
        return v.hex()
    if isinstance(v, (datetime.date, int)):
        return str(v)
    if isinstance(v, dict):
        return "{" + ",".join(sorted(cell(k) + ":" + cell(x) for k, x in v.items())) + "}"
    if isinstance(v, (list, tuple)):
        return "[" + ",".join(cell(x) for x in v) + "]"
    return v


def answer(spark, sql, params):
    try:
        df = spark.sql(sql)
        if not df.columns or sql.lower().startswith("set "):
            return ["ok"]
        rows = ["|".join(cell(v) for v in r) for r in df.collect()]
        head = ", ".join(f"{f.name} {f.dataType.simpleString()}" for f in df.schema.fields)
        return "\n".join([head] + sorted(rows)).replace("\n\n", "\n \n").split("\n")
    except PySparkException as e:
        out = [f"error {e.getCondition()} {e.getSqlState()}"]
        if params and e.getCondition() != "PARSE_SYNTAX_ERROR":
            out += ["  " + k + ": " + v.replace("\n", "\\n") for k, v in sorted((e.getMessageParameters() or {}).items())]
        return out


def main():
    for path in sys.argv[1:] or sorted(glob.glob("statements/*.txt")):
        spark = SparkSession.builder.remote(os.environ["SPARK_REMOTE"]).create()
        out = []
        params = open(path).read().startswith("# params:")
        for block in open(path).read().strip().split("\n\n"):
            head = block.split("\n----")[0].split("\n")
            sql = "\n".join(line for line in head if not line.startswith("#"))
            out.append("\n".join(head + ["----"] + answer(spark, sql, params)))
        with open(path, "w") as f:
            f.write("\n\n".join(out) + "\n")


main()
