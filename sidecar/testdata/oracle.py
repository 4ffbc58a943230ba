"""Makes answers.txt: what a real Spark (the installed pyspark) answers to queries.sql and to generated queries over tables.sql.

Run it in this folder: python oracle.py. The queries that it generates are the same in each run."""
import datetime
import decimal
import random
import re

import pyspark
from pyspark.sql import SparkSession

R = random.Random(42)


def pick(*a):
    return R.choice(a)


SOURCES = {"t": (["k", "a", "b"], ["s"]), "u": (["uk", "x", "g", "ui"], ["y"]), "v": (["vi", "p"], ["z"])}


def condition(nums, texts, depth=1):
    c, d = pick(*nums), pick(*nums)
    k = R.randrange(12)
    if k < 3:
        return f"{c} {pick('=', '<', '>=', '<>')} {R.randrange(25)}"
    if k == 3:
        return f"{c} IS {pick('', 'NOT ')}NULL"
    if k == 4:
        return f"{c} {pick('=', '<', '<=>')} {d}"
    if k == 5 and depth:
        return f"({condition(nums, texts, 0)} OR {condition(nums, texts, 0)})"
    if k == 6 and depth:
        return f"NOT ({condition(nums, texts, 0)})"
    if k == 7:
        return f"{c} {pick('', 'NOT ')}IN (SELECT p FROM v WHERE vi > {R.randrange(40)})"
    if k == 8:
        return f"{pick('', 'NOT ')}EXISTS (SELECT 1 FROM u WHERE u.uk = {c} AND u.x > {R.randrange(31)})"
    if k == 9:
        return f"{c} > (SELECT {pick('max(vi)', 'count(*)', 'min(p)')} FROM v WHERE v.p = {d})"
    if k == 10:
        return f"{pick(*texts)} {pick('<', 'LIKE', '=', '>')} 's1{pick('', '%')}'"
    return f"{c} BETWEEN {R.randrange(10)} AND {R.randrange(10, 400)}"


def query():
    names = R.sample(list(SOURCES), 2)
    one, two = names
    nums, texts = list(SOURCES[one][0]), list(SOURCES[one][1])
    frm = one
    if R.random() < 0.7:
        kind = pick("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN")
        n2, t2 = SOURCES[two]
        on = f"{pick(*nums)} = {pick(*n2)}"
        if R.random() < 0.3:
            on += f" AND {pick(*texts)} = {pick(*t2)}"
        if R.random() < 0.3:
            on += f" AND {pick(*nums)} {pick('<', '<>')} {pick(*n2)}"
        frm += f" {kind} {two} ON {on}"
        if "SEMI" not in kind and "ANTI" not in kind:
            nums += n2
            texts += t2
    where = f" WHERE {condition(nums, texts)}" if R.random() < 0.7 else ""
    if where and R.random() < 0.4:
        where += f" AND {condition(nums, texts)}"
    g = R.sample(nums + texts, 2)
    agg = [f"count({pick('*', *nums)})", f"sum({pick(*nums)})", f"{pick('min', 'max')}({pick(*nums, *texts)})", f"count(DISTINCT {pick(*nums)})", f"sum({pick(*nums)}) FILTER (WHERE {pick(*nums)} > 7)"]
    R.shuffle(agg)
    agg = ", ".join(agg[: R.randrange(1, 5)])
    k = R.randrange(8)
    if k == 0:
        return f"SELECT {agg} FROM {frm}{where}"
    if k in (1, 2):
        h = f" HAVING count(*) > {R.randrange(5)}" if R.random() < 0.4 else ""
        return f"SELECT {g[0]}, {agg} FROM {frm}{where} GROUP BY {g[0]}{h}"
    if k == 3:
        return f"SELECT {g[0]}, {g[1]}, {agg} FROM {frm}{where} GROUP BY {pick('ROLLUP', 'CUBE')} ({g[0]}, {g[1]})"
    if k == 4:
        return f"SELECT count(*), sum(h) FROM (SELECT hash({g[0]}, {g[1]}) % 1000 AS h FROM {frm}{where})"
    if k == 5:
        o = pick(*nums)
        return (f"SELECT sum(r), max(r), sum(c), count(m) FROM (SELECT rank() OVER (PARTITION BY {g[0]} ORDER BY {o}) AS r, sum({pick(*nums)}) OVER "
                f"(PARTITION BY {g[0]} ORDER BY {o}) AS c, max({g[1]}) OVER (PARTITION BY {g[0]}) AS m FROM {frm}{where})")
    if k == 6:
        return f"SELECT DISTINCT {g[0]}, {g[1]} FROM {frm}{where}"
    return f"SELECT {g[0]}, count(*) AS n FROM {frm}{where} GROUP BY {g[0]} {pick('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT')} SELECT {g[0]}, max({pick(*nums)}) FROM {frm} GROUP BY {g[0]}"


def cell(v):
    if v is None:
        return "NULL"
    if isinstance(v, bool):
        return str(v).lower()
    if isinstance(v, float):
        return f"{v:.10g}"
    if isinstance(v, decimal.Decimal):
        return f"{v:f}"
    if isinstance(v, (datetime.date, int)):
        return str(v)
    if isinstance(v, list):
        return "[" + ",".join(cell(x) for x in v) + "]"
    return v


def main():
    spark = SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for line in open("tables.sql"):
        name, sql = line.split(": ", 1)
        spark.sql(sql).cache().createOrReplaceTempView(name)
    queries, ordered = [], False
    for line in open("queries.sql"):
        if line.startswith("--"):
            ordered = True
        else:
            queries.append((line.strip(), ordered))
            ordered = False
    queries += [(query(), False) for _ in range(220)]
    kept = 0
    with open("answers.txt", "w") as out:
        out.write(f"# Spark {pyspark.__version__}; made by oracle.py\n")
        for i, (sql, ordered) in enumerate(queries):
            try:
                rows = ["|".join(cell(v) for v in r) for r in spark.sql(sql).collect()]
                if len(rows) > 60 and not ordered and i % 4:
                    sql = f"SELECT count(*), count(DISTINCT h), sum(h) FROM (SELECT hash(*) AS h FROM ({sql}))"
                    rows = ["|".join(cell(v) for v in r) for r in spark.sql(sql).collect()]
            except Exception as e:
                found = re.search(r"\[([A-Z][A-Z_0-9.]+)\].*?SQLSTATE: (\w{5})", str(e), re.S)
                if not found:
                    raise
                rows = [f"error {found[1]} {found[2]}"]
                ordered = True
            if not ordered:
                rows.sort()
            out.write(("ordered " if ordered else "") + "query\n" + sql + "\n----\n" + "".join(r + "\n" for r in rows) + "\n")
            kept += 1
    print(kept, "queries")
    spark.stop()


main()
