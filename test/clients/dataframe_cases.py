"""Everyday DataFrame calls: CASES are functions of (session, folder), whose
results are JSON. What Spark 4.3.0 gives for them is in dataframe_expected.json:
["ok", result], or ["err", class, condition, SQLSTATE, parameters]."""

import contextlib
import datetime as dt
import decimal
import io
import os

import pandas as pd
import pyarrow as pa
import pyspark.sql.connect.functions as F
from pyspark.sql import Row
from pyspark.sql import types as T
from pyspark.sql.connect.window import Window as W

D = decimal.Decimal
CASES = {}


def A(name, f):
    CASES[name] = f

def emp(s):
    return s.createDataFrame([(1,"ann","x",10.5,None),(2,"bob","y",None,3),(3,None,"x",7.25,4),(4,"dan","y",7.25,None),(5,"eve",None,100.0,3),(6,"ann","x",10.5,1)],
        "id INT, name STRING, dept STRING, pay DOUBLE, n BIGINT")
def dep(s):
    return s.createDataFrame([("x","Ex",1),("z","Zed",2),(None,"Nul",3)], "dept STRING, title STRING, k INT")
def nested(s):
    return s.createDataFrame([(1,[1,2,None],{"a":1,"b":None},(1,"p")),(2,[],{},(None,None)),(3,None,None,None)],
        "id INT, a ARRAY<INT>, m MAP<STRING,INT>, st STRUCT<p:INT,q:STRING>")
def alltypes(s):
    return s.createDataFrame([(True,1,2,3,4,1.5,2.5,D("1.25"),"s",bytearray(b"\x00\x01"),dt.date(2020,2,29),dt.datetime(2021,3,4,5,6,7,891011),dt.datetime(2021,3,4,5,6,7),dt.timedelta(days=1,seconds=2,microseconds=3)),(None,)*14],
        "b BOOLEAN, i8 TINYINT, i16 SMALLINT, i32 INT, i64 BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10,2), s STRING, bin BINARY, da DATE, ts TIMESTAMP, tn TIMESTAMP_NTZ, iv INTERVAL DAY TO SECOND")
def out(f):
    b = io.StringIO()
    with contextlib.redirect_stdout(b): f()
    return b.getvalue()
def R(df, sort=False):
    rows = [tuple(r) for r in df.collect()]
    rows = [repr(r) for r in rows]
    if sort: rows.sort()
    return [df.schema.simpleString(), [f.nullable for f in df.schema.fields], rows]
def S(df): return R(df, True)

A("select_star", lambda s, t: R(emp(s).select("*", F.lit(1))))

A("select_df_col", lambda s, t: (lambda e: R(e.select(e.id, e["name"], e["*"])))(emp(s)))

A("select_lit", lambda s, t: R(s.range(1).select(F.lit(None), F.lit(True), F.lit(1), F.lit(1.5), F.lit("a"), F.lit(D("1.20")), F.lit(dt.date(2020,1,2)), F.lit(dt.datetime(2020,1,2,3,4,5)), F.lit([1,2]), F.lit(b"ab"), F.lit(dt.timedelta(seconds=5)), F.lit(2**40))))

A("selectExpr", lambda s, t: R(emp(s).selectExpr("id + 1", "upper(name) AS u", "*")))

A("withColumn", lambda s, t: R(emp(s).withColumn("id", F.col("id")*2).withColumn("x", F.lit("a"))))

A("withColumns", lambda s, t: R(emp(s).withColumns({"a": F.col("id")+1, "b": F.col("n")})))

A("withColumnRenamed", lambda s, t: R(emp(s).withColumnRenamed("id","ID2").withColumnRenamed("nope","x").withColumnsRenamed({"name":"nm","pay":"p"})))

A("drop", lambda s, t: R(emp(s).drop("id","nope", F.col("pay"))))

A("drop_col", lambda s, t: (lambda e: R(e.drop(e.id)))(emp(s)))

A("toDF", lambda s, t: R(emp(s).toDF("a","b","c","d","e")))

A("toDF_bad", lambda s, t: R(emp(s).toDF("a","b")))

A("to_schema", lambda s, t: R(emp(s).to(T.StructType([T.StructField("n",T.LongType()),T.StructField("id",T.LongType())]))))

A("getattr_bad", lambda s, t: emp(s).nope)

A("filter", lambda s, t: R(emp(s).filter(F.col("pay")>8).where("n IS NULL")))

A("filter_ops", lambda s, t: R(emp(s).filter((F.col("name").startswith("a") | F.col("name").contains("v") | F.col("name").like("%b") | F.col("name").rlike("^d")) & ~F.col("id").isin(1,2))))

A("filter_eqns", lambda s, t: R(emp(s).filter(F.col("n").eqNullSafe(None))))

A("filter_nonbool", lambda s, t: R(emp(s).filter("id")))

A("between_case", lambda s, t: R(emp(s).select(F.col("id").between(2,4), F.when(F.col("id")<2,"lo").when(F.col("id")<4,"mid").otherwise("hi"), F.when(F.col("id")>3, 1))))

A("try_cast", lambda s, t: R(emp(s).select(F.col("name").try_cast("int"), F.col("id").try_cast("string"))))

A("astype_bad", lambda s, t: R(emp(s).select(F.col("name").cast("int"))))

A("orderBy", lambda s, t: R(emp(s).orderBy(F.desc("pay"), F.col("id").asc())))

A("orderBy_nulls", lambda s, t: R(emp(s).orderBy(F.col("name").desc_nulls_first(), F.col("n").asc_nulls_last(), "id")))

A("orderBy_asc_list", lambda s, t: R(emp(s).orderBy(["dept","id"], ascending=[False,True])))

A("sortWithin", lambda s, t: R(emp(s).coalesce(1).sortWithinPartitions(F.desc("id"))))

A("limit_offset", lambda s, t: [R(emp(s).orderBy("id").limit(2)), R(emp(s).orderBy("id").offset(4)), R(emp(s).orderBy("id").offset(2).limit(2)), R(emp(s).orderBy("id").limit(4).offset(2))])

A("tail_head", lambda s, t: [repr(emp(s).tail(2)), repr(emp(s).head()), repr(emp(s).head(2)), repr(emp(s).first()), repr(emp(s).take(3)), repr(s.range(0).first()), repr(emp(s).orderBy("id").tail(2)), repr(s.range(10).tail(0))])

A("isEmpty_count", lambda s, t: [emp(s).isEmpty(), s.range(0).isEmpty(), emp(s).count(), emp(s).columns, emp(s).dtypes])

A("groupBy_dict", lambda s, t: S(emp(s).groupBy("dept").agg({"pay":"max","id":"count"})))

A("groupBy_star", lambda s, t: S(emp(s).groupBy("dept").agg({"*":"count"})))

A("groupBy_short", lambda s, t: [S(emp(s).groupBy("dept").count()), S(emp(s).groupBy("dept").sum()), S(emp(s).groupBy("dept").avg("pay")), S(emp(s).groupBy("dept").mean("pay","n")), S(emp(s).groupBy("dept").max()), S(emp(s).groupBy().min("id"))])

A("groupBy_nonnum", lambda s, t: S(emp(s).groupBy("dept").sum("name")))

A("groupBy_expr", lambda s, t: S(emp(s).groupBy(F.col("id")%2, "dept").agg(F.sum("id"))))

A("groupByAll", lambda s, t: S(s.sql("SELECT dept, count(*) c FROM VALUES ('a',1),('b',2) AS t(dept,x) GROUP BY ALL")))

A("pivot", lambda s, t: S(emp(s).groupBy("name").pivot("dept").sum("pay")))

A("pivot_nogroup", lambda s, t: S(emp(s).groupBy().pivot("dept",["x","y"]).count()))

A("rollup", lambda s, t: S(emp(s).rollup("dept","name").agg(F.sum("id"), F.grouping("dept"), F.grouping_id())))

A("cube", lambda s, t: S(emp(s).cube("dept","name").count()))

A("groupingSets", lambda s, t: S(emp(s).groupingSets([[F.col("dept")],[F.col("name")]], "dept","name").agg(F.count("*"))))

for how in ["inner","left","right","full","outer","leftouter","left_semi","semi","anti","left_anti","cross"]:
  A("join_"+how, lambda s, t,how=how: S(emp(s).join(dep(s), "dept", how)) if how!="cross" else S(emp(s).crossJoin(dep(s))))

A("join_cond", lambda s, t: (lambda e,d: S(e.join(d, e.dept==d.dept, "left").select(e.id, d.dept, d.title)))(emp(s),dep(s)))

A("join_conds", lambda s, t: (lambda e,d: S(e.join(d, [e.dept==d.dept, e.id>d.k])))(emp(s),dep(s)))

A("join_eqns", lambda s, t: (lambda e,d: S(e.join(d, e.dept.eqNullSafe(d.dept))))(emp(s),dep(s)))

A("join_noneq", lambda s, t: (lambda e,d: S(e.join(d, e.id<d.k, "full")))(emp(s),dep(s)))

A("join_self_alias", lambda s, t: (lambda e: S(e.alias("a").join(e.alias("b"), F.col("a.id")==F.col("b.n")).select("a.id","b.name")))(emp(s)))

A("join_ambiguous", lambda s, t: (lambda e,d: S(e.join(d, e.dept==d.dept).select("dept")))(emp(s),dep(s)))

A("join_self_df", lambda s, t: (lambda e: S(e.join(e.filter("id>2"), "id")))(emp(s)))

A("join_noon", lambda s, t: emp(s).join(dep(s)).count())

A("join_bad_how", lambda s, t: emp(s).join(dep(s),"dept","sideways").count())

A("join_missing", lambda s, t: emp(s).join(dep(s),"nope").count())

A("join_using2", lambda s, t: S(emp(s).join(emp(s).select("id","dept",F.lit(9).alias("q")), ["id","dept"], "full")))

A("join_bcast", lambda s, t: S(emp(s).join(F.broadcast(dep(s)), "dept")))

A("join_hint", lambda s, t: S(emp(s).hint("merge").join(dep(s), "dept")))

A("lateralJoin", lambda s, t: S(emp(s).lateralJoin(s.range(2).select((F.col("id")+F.col("id").outer()).alias("w")))))

A("union", lambda s, t: R(emp(s).union(emp(s)).orderBy("id","n")))

A("union_types", lambda s, t: S(s.createDataFrame([(1,)],"a INT").union(s.createDataFrame([(2.5,)],"b DOUBLE"))))

A("union_bad", lambda s, t: R(emp(s).union(dep(s))))

A("unionByName", lambda s, t: S(s.createDataFrame([(1,2)],"a INT,b INT").unionByName(s.createDataFrame([(3,4)],"b INT,a INT"))))

A("unionByName_miss", lambda s, t: S(s.createDataFrame([(1,2)],"a INT,b INT").unionByName(s.createDataFrame([(3,4)],"b INT,c INT"), allowMissingColumns=True)))

A("unionByName_bad", lambda s, t: S(s.createDataFrame([(1,2)],"a INT,b INT").unionByName(s.createDataFrame([(3,4)],"b INT,c INT"))))

A("setops", lambda s, t: [S(emp(s).select("dept").intersect(dep(s).select("dept"))), S(emp(s).select("dept").subtract(dep(s).select("dept"))), S(emp(s).select("dept").exceptAll(dep(s).select("dept"))), S(emp(s).select("dept").intersectAll(emp(s).select("dept")))])

A("distinct", lambda s, t: S(emp(s).select("dept","pay").distinct()))

A("dropDuplicates", lambda s, t: [S(emp(s).dropDuplicates(["dept"]).select("dept")), S(emp(s).dropDuplicates().select("id")), emp(s).drop_duplicates(["name","dept"]).count()])

A("dropDup_bad", lambda s, t: S(emp(s).dropDuplicates(["nope"])))

A("fillna", lambda s, t: [R(emp(s).fillna(0)), R(emp(s).na.fill("?")), R(emp(s).fillna({"name":"?","n":-1})), R(emp(s).fillna(1.7)), R(emp(s).fillna(0, subset=["pay"])), R(s.createDataFrame([(True,),(None,)],"b BOOLEAN").fillna(False))])

A("dropna", lambda s, t: [R(emp(s).dropna()), R(emp(s).na.drop("all")), R(emp(s).dropna(thresh=4)), R(emp(s).dropna(subset=["name","n"]))])

A("replace", lambda s, t: [R(emp(s).replace("ann","ANN")), R(emp(s).replace([7.25,10.5],[1.0,2.0])), R(emp(s).replace({"x":"xx","y":None}, subset=["dept"])), R(emp(s).replace(3, 33)), R(emp(s).na.replace(["bob","eve"], "Q", "name"))])

A("summary_bad", lambda s, t: R(emp(s).summary("wat")))

A("sample_all", lambda s, t: [s.range(100).sample(1.0).count(), s.range(100).sample(0.0).count(), s.range(1000,numPartitions=1).sample(False,0.1,seed=42).count(), R(s.range(0,30,1,1).sample(fraction=0.3, seed=7))])

A("sampleBy", lambda s, t: R(s.range(0,100,1,1).select((F.col("id")%3).alias("k"),"id").sampleBy("k", {0:0.1,1:0.2}, seed=0)))

A("randomSplit", lambda s, t: [R(d) for d in s.range(0,30,1,1).randomSplit([1.0,2.0], 24)])

A("explode", lambda s, t: [R(nested(s).select("id", F.explode("a"))), R(nested(s).select("id", F.explode_outer("m"))), R(nested(s).select("id", F.posexplode("a").alias("p","v"))), R(nested(s).select("id", F.posexplode_outer("a"))), R(nested(s).select(F.inline(F.array("st"))))])

A("nested_star", lambda s, t: R(nested(s).select("st.*")))

A("nested_index_err", lambda s, t: R(nested(s).select(F.col("a")[5])))

A("hof", lambda s, t: R(nested(s).select(F.transform("a", lambda x: x+1), F.filter("a", lambda x: x>1), F.exists("a", lambda x: x==2), F.forall("a", lambda x: x>0), F.aggregate("a", F.lit(0), lambda a,x: a+F.coalesce(x,F.lit(0))), F.zip_with("a","a",lambda x,y: x*y), F.map_filter("m", lambda k,v: v.isNotNull()), F.transform_values("m", lambda k,v: v+1), F.transform_keys("m", lambda k,v: F.upper(k)), F.array_sort("a"), F.sort_array("a", False))))

A("window_bad", lambda s, t: R(emp(s).select(F.row_number().over(W.partitionBy("dept")))))

A("create_all", lambda s, t: R(alltypes(s)))

A("create_nested", lambda s, t: R(nested(s)))

A("create_arrow", lambda s, t: R(s.createDataFrame(pa.table({"i":pa.array([1,None],pa.int32()),"s":["a","b"],"l":[[1],None],"d":pa.array([dt.date(2020,1,1),None]), "dc":pa.array([D("1.10"),None],pa.decimal128(9,3))}))))

A("create_notnull", lambda s, t: R(s.createDataFrame([(1,)], T.StructType([T.StructField("a",T.IntegerType(),False)]))))

A("create_more_types", lambda s, t: R(s.createDataFrame([("x","y",dt.time(1,2,3))], "c CHAR(3), v VARCHAR(4), t TIME")))

A("to_arrow", lambda s, t: [str(alltypes(s).toArrow().schema), str(emp(s).toArrow().to_pydict()), str(nested(s).toArrow().schema), str(nested(s).toArrow().to_pylist())])

A("collect_types", lambda s, t: R(s.sql("select interval 1 year, interval '1-2' year to month, interval 3 days, timestamp'2020-01-01 00:00:00', timestamp_ntz'2020-01-01', date'0001-01-01', cast(1 as decimal(38,10)), x'00ff', array(struct(1 as a)), map(1,array('x')), named_struct('x',null), float('nan'), double('inf'), -0.0D, void_col from (select null void_col)")))

A("collect_cal_interval", lambda s, t: R(s.sql("select make_interval(1,2,3,4,5,6,7.5)")))

A("iterator", lambda s, t: [repr(r) for r in emp(s).toLocalIterator(True)])

A("toJSON", lambda s, t: R(emp(s).select(F.to_json(F.struct("*")))))

A("show_long", lambda s, t: [out(lambda: s.createDataFrame([("a"*30,1),("日本",2),("t\ta\nb",3)],"s STRING, i INT").show()), out(lambda: s.createDataFrame([("a"*30,1)],"s STRING, i INT").show(truncate=10))])

A("show_types", lambda s, t: [out(lambda: alltypes(s).show(truncate=False)), out(lambda: nested(s).show(truncate=False)), out(lambda: alltypes(s).show(vertical=True)), out(lambda: s.sql("select float(1e10), 1e20D, 1e-5D, 0.1D, float(0.1), 100D, cast(1e7 as double), double('NaN'), decimal(1), interval 1 year 2 month, interval '1 02:03:04.5' day to second, timestamp'2020-01-01 00:00:00.100', null, array(null,'a'), map('k',1.0D), struct(1,'x',null)").show(truncate=False))])

A("repr", lambda s, t: repr(emp(s)))

A("schema", lambda s, t: [alltypes(s).schema.json(), nested(s).schema.json(), out(lambda: alltypes(s).printSchema()), out(lambda: nested(s).printSchema()), out(lambda: nested(s).printSchema(1)), out(lambda: emp(s).select(F.sum("pay"),F.count("*"),F.array("id","n"),F.lit(1)).printSchema())])

A("metadata", lambda s, t: [emp(s).withMetadata("id",{"k":"v"}).schema.json(), emp(s).select(F.col("id").alias("z",metadata={"a":1})).schema.json()])

A("explain", lambda s, t: [len(out(lambda: emp(s).filter("id>1").explain()))>10, len(out(lambda: emp(s).explain(True)))>10, out(lambda: emp(s).explain("formatted")).startswith("== Physical Plan =="), "Logical" in out(lambda: emp(s).explain("extended")), len(out(lambda: emp(s).explain("cost")))>0, len(out(lambda: emp(s).explain("codegen")))>0])

A("checkpoint", lambda s, t: [R(emp(s).localCheckpoint()), R(emp(s).localCheckpoint(False)), S(emp(s).localCheckpoint().groupBy("dept").count())])

def obs(s,t):
  from pyspark.sql.connect.observation import Observation
  o = Observation("m1"); d = emp(s).observe(o, F.count(F.lit(1)).alias("c"), F.max("pay").alias("mx"), F.sum("n").alias("sn")); n = len(d.collect())
  o2 = Observation(); s.range(10).observe(o2, F.min("id").alias("mi")).count()
  return [n, str(o.get), str(o2.get)]

A("observe", obs)

def obs2(s,t):
  from pyspark.sql.connect.observation import Observation
  o = Observation("w"); s.range(10).observe(o, F.count(F.lit(1)).alias("c"), F.sum("id").alias("s")).write.mode("overwrite").parquet(t+"/obs")
  o3 = Observation("p"); s.range(5).observe(o3, F.count(F.lit(1)).alias("c")).toPandas()
  o4 = Observation("lim"); s.range(100).observe(o4, F.count(F.lit(1)).alias("c"), F.lit(5).alias("five")).filter("id%2=0").groupBy().sum("id").collect()
  o5 = Observation("empty"); s.range(0).observe(o5, F.count(F.lit(1)).alias("c"), F.max("id").alias("m")).collect()
  return [str(o.get), str(o3.get), str(o4.get), str(o5.get)]

A("observe_write", obs2)

A("observe_name", lambda s, t: (lambda d: [d.collect() and None, str(d.executionInfo is not None)])(emp(s).observe("nm", F.count(F.lit(1)).alias("c"))))

A("observe_bad", lambda s, t: emp(s).observe("nm", F.col("id")).collect())

A("approxQuantile", lambda s, t: [s.range(101).approxQuantile("id",[0.0,0.5,1.0],0.0), emp(s).approxQuantile(["id","pay"],[0.25,0.5],0.0), emp(s).stat.approxQuantile("pay",[0.5],0.1), s.range(0).approxQuantile("id",[0.5],0.0), s.range(10000).approxQuantile("id",[0.1,0.9],0.0)])

A("transpose", lambda s, t: [R(emp(s).select("id","pay","n").transpose()), R(s.createDataFrame([("a",1,2),("b",3,4)],"k STRING,x INT,y INT").transpose("k"))])

A("transpose_bad", lambda s, t: R(emp(s).transpose()))

A("unpivot_bad", lambda s, t: R(emp(s).unpivot("id",["pay","name"],"var","val")))

A("watermark", lambda s, t: R(alltypes(s).select("ts").withWatermark("ts","10 minutes")))

A("meta", lambda s, t: [emp(s).isLocal(), s.range(3).isLocal(), emp(s).isStreaming, emp(s).inputFiles(), emp(s).sameSemantics(emp(s)), s.range(3).sameSemantics(s.range(3)), s.range(3).sameSemantics(s.range(4)), s.sql("show tables").isLocal()])

A("hash", lambda s, t: R(alltypes(s).select(F.hash("b","i8","i32","i64","f","d","dc","s","bin","da","ts"), F.xxhash64("b","i32","s","d","dc","ts"), F.crc32("bin"), F.md5("s"), F.sha2("s",256), F.sha1("s"))))

A("strfns", lambda s, t: R(emp(s).select(F.concat_ws("-","name","dept"), F.upper("name"), F.length("name"), F.lpad("name",5,"*"), F.regexp_replace("name","[aeiou]","_"), F.regexp_extract("name","(.)n",1), F.split("name","n"), F.substring("name",2,2), F.instr("name","n"), F.locate("n","name"), F.translate("name","an","12"), F.initcap("name"), F.format_number("pay",1), F.format_string("%s-%d","name","id"), F.trim(F.lit(" a ")), F.ascii("name"), F.base64(F.col("name")), F.levenshtein("name","dept"), F.soundex("name"), F.repeat("name",2), F.reverse("name"), F.overlay("name",F.lit("ZZ"),1,1), F.hex("id"), F.bin("id"), F.conv(F.lit("ff"),16,10), F.greatest("id","n"), F.least("id","n"), F.nvl("name","dept"), F.round("pay",1), F.bround("pay"), F.floor("pay"), F.ceil("pay"))))

A("jsonfns", lambda s, t: R(s.createDataFrame([('{"a":1,"b":[1,2],"c":{"d":"x"}}',),('bad',),(None,)],"j STRING").select(F.get_json_object("j","$.c.d"), F.from_json("j","a INT, b ARRAY<INT>"), F.json_tuple("j","a","c"))))

A("view_exists", lambda s, t: [s.range(1).createOrReplaceTempView("ve"), s.range(1).createTempView("ve")])

A("createTable", lambda s, t: [s.sql("DROP TABLE IF EXISTS ctt"), s.catalog.createTable("ctt", schema=T.StructType().add("a","int"), source="parquet").columns, s.table("ctt").count()])

A("sql_args", lambda s, t: [R(s.sql("SELECT :a, :b", args={"a":1,"b":"x"})), R(s.sql("SELECT ?, ?", args=[1,None])), R(s.sql("SELECT * FROM {t} WHERE id > {n}", t=s.range(5), n=2)), R(s.sql("SELECT :d, :l", args={"d":dt.date(2020,1,1),"l":F.array(F.lit(1))}))])

A("sql_args_bad", lambda s, t: R(s.sql("SELECT :a", args={"b":1})))

A("sql_error", lambda s, t: s.sql("SELECT FROM WHERE"))

A("io_part_infer", lambda s, t: [emp(s).write.mode("overwrite").partitionBy("id").parquet(t+"/pi"), S(s.read.parquet(t+"/pi")), S(s.read.parquet(t+"/pi/id=1")), S(s.read.option("basePath",t+"/pi").parquet(t+"/pi/id=1"))])

A("io_nested_parquet", lambda s, t: [nested(s).write.mode("overwrite").parquet(t+"/n"), S(s.read.parquet(t+"/n")), S(s.read.parquet(t+"/n").select("st.p","a"))])

A("io_nested_csv", lambda s, t: nested(s).write.mode("overwrite").csv(t+"/nc"))

A("io_csv_opts", lambda s, t: [emp(s).coalesce(1).write.mode("overwrite").option("header",True).option("sep",";").option("nullValue","NA").csv(t+"/co"), R(s.read.option("header",True).option("sep",";").option("nullValue","NA").csv(t+"/co")), R(s.read.csv(t+"/co",header=True,sep=";",nullValue="NA",inferSchema=True)), open([t+"/co/"+x for x in os.listdir(t+"/co") if x.endswith(".csv")][0]).read()])

def csvf(s,t):
  os.makedirs(t+"/cf",exist_ok=True); open(t+"/cf/a.csv","w").write('a,b,c\n1,"x,y",2.5\n2,"q""z",\nbad,,3\n4,e,5,6\n')
  p=t+"/cf"; r=[R(s.read.csv(p)), R(s.read.csv(p,header=True)), R(s.read.csv(p,header=True,inferSchema=True)), R(s.read.schema("a INT,b STRING,c DOUBLE").csv(p,header=True)), R(s.read.schema("a INT,b STRING,c DOUBLE,_corrupt_record STRING").csv(p,header=True)), R(s.read.schema("a INT,b STRING,c DOUBLE").option("mode","DROPMALFORMED").csv(p,header=True))]
  return r

A("io_csv_file", csvf)

A("io_csv_failfast", lambda s, t: [os.makedirs(t+"/cff",exist_ok=True), open(t+"/cff/a.csv","w").write('a\nx\n') and None, R(s.read.schema("a INT").option("mode","FAILFAST").csv(t+"/cff",header=True))])

def jsonf(s,t):
  os.makedirs(t+"/jf",exist_ok=True); open(t+"/jf/a.json","w").write('{"a":1,"b":"x","c":[1,2],"d":{"e":1.5}}\n{"a":2.5,"f":true,"d":{"g":"2020-01-01"}}\n{bad\n'); open(t+"/ml.json","w").write('[{"a":1},\n{"a":2}]')
  return [R(s.read.json(t+"/jf")), R(s.read.json(t+"/ml.json",multiLine=True)), R(s.read.schema("a DOUBLE, b STRING").json(t+"/jf")), R(s.read.option("primitivesAsString",True).option("mode","DROPMALFORMED").json(t+"/jf")), R(s.read.schema("a DOUBLE, _corrupt_record STRING").json(t+"/jf"))]

A("io_json_file", jsonf)

A("io_text", lambda s, t: [emp(s).select("name").filter("name is not null").coalesce(1).write.mode("overwrite").text(t+"/tx"), R(s.read.text(t+"/tx")), R(s.read.text(t+"/tx",wholetext=True)), R(s.read.text(t+"/tx",lineSep="n"))])

A("io_exists", lambda s, t: [s.range(1).write.mode("overwrite").parquet(t+"/ex"), s.range(1).write.parquet(t+"/ex")])

A("io_modes", lambda s, t: [s.range(1).write.mode("overwrite").parquet(t+"/mo"), s.range(2).write.mode("append").parquet(t+"/mo"), s.range(9).write.mode("ignore").parquet(t+"/mo"), s.read.parquet(t+"/mo").count(), s.range(1).write.mode("overwrite").parquet(t+"/mo"), s.read.parquet(t+"/mo").count()])

A("io_mode_bad", lambda s, t: s.range(1).write.mode("sideways").parquet(t+"/mb"))

A("io_missing", lambda s, t: s.read.parquet("/nope/none").count())

A("io_missing_csv", lambda s, t: s.read.schema("a INT").csv("/nope/none").count())

A("io_empty_dir", lambda s, t: [os.makedirs(t+"/emp",exist_ok=True), s.read.parquet(t+"/emp").count()])

A("io_mergeSchema", lambda s, t: [s.range(1).write.mode("overwrite").parquet(t+"/ms/k=1"), s.range(1).selectExpr("id","'x' as b").write.mode("overwrite").parquet(t+"/ms/k=2"), S(s.read.option("mergeSchema",True).parquet(t+"/ms"))])

A("io_success", lambda s, t: [s.range(0,3,1,1).write.mode("overwrite").parquet(t+"/su"), "_SUCCESS" in os.listdir(t+"/su")])

A("io_dynamic", lambda s, t: [emp(s).write.mode("overwrite").partitionBy("dept").parquet(t+"/dy"), s.conf.set("spark.sql.sources.partitionOverwriteMode","dynamic"), emp(s).filter("id=1").write.mode("overwrite").partitionBy("dept").parquet(t+"/dy"), s.conf.unset("spark.sql.sources.partitionOverwriteMode"), s.read.parquet(t+"/dy").count()])

A("err_agg", lambda s, t: emp(s).groupBy("dept").agg(F.col("id")).collect())

A("err_type", lambda s, t: emp(s).select(F.col("name")+F.array(F.lit(1))).collect())

A("err_div", lambda s, t: emp(s).select(F.col("id")/0).collect())

A("err_raise", lambda s, t: emp(s).select(F.raise_error(F.lit("boo"))).collect())

A("err_args", lambda s, t: emp(s).select(F.expr("upper()")).collect())

A("err_where_agg", lambda s, t: emp(s).where(F.sum("id")>1).collect())

A("err_nested_agg", lambda s, t: emp(s).agg(F.sum(F.max("id"))).collect())

A("err_elem", lambda s, t: nested(s).select(F.element_at("a",7)).collect())

A("err_date", lambda s, t: s.range(1).select(F.lit("2020-13-01").cast("date")).collect())

A("err_explode2", lambda s, t: nested(s).select(F.explode("a"),F.explode("a")).collect())

A("err_window_where", lambda s, t: emp(s).where(F.row_number().over(W.orderBy("id"))==1).collect())

A("transform", lambda s, t: R(emp(s).transform(lambda d: d.filter("id=1"))))

A("hint_unknown", lambda s, t: emp(s).hint("wat",1).count())

A("tvf", lambda s, t: [R(s.tvf.range(3)), R(s.tvf.explode(F.array(F.lit(1),F.lit(2))))])

A("conf_bad", lambda s, t: s.conf.get("nope"))

A("version", lambda s, t: s.version)

A("groupby_having", lambda s, t: S(emp(s).groupBy("dept").agg(F.count("*").alias("c")).filter("c>1")))

A("monotonic", lambda s, t: S(s.range(0,4,1,2).select("id",F.monotonically_increasing_id())))

A("dup_alias", lambda s, t: R(s.range(1).select(F.col("id").alias("a"),F.col("id").alias("a"))))

A("dots", lambda s, t: R(s.createDataFrame([(1,)],["a.b"]).select("`a.b`", F.col("`a.b`")+1)))

A("case_insens", lambda s, t: R(emp(s).select("ID","NAME").withColumn("Id", F.lit(1))))

A("agg_filter", lambda s, t: R(emp(s).selectExpr("count(*) filter (where id>2)","sum(id) filter (where dept='x')","count(distinct dept, name)")))

A("histogram", lambda s, t: R(emp(s).agg(F.histogram_numeric("pay",F.lit(2)))))

A("asTable", lambda s, t: s.range(2).asTable() is not None)

A("dfwriter_json_ignore_null", lambda s, t: [emp(s).coalesce(1).write.mode("overwrite").option("ignoreNullFields",False).json(t+"/jn"), R(s.read.text(t+"/jn"))])
