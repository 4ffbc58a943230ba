"""Reading and writing files: the options of CSV, JSON, text and Parquet, partition folders, save modes. See dataframe_cases.py."""

import os

import pyspark.sql.connect.functions as F  # noqa: F401
from dataframe_cases import A, R, S, emp


def w(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(os.path.dirname(path), 0o777)


CSV='a,b,c\n1,x,2020-01-02\n2,"y ""q""",bad\n3,z\n4,w,2020-01-03,extra\nfive,v,2020-01-04\n'


def csv(name, **o):
    sch=o.pop("schema",None)
    def f(s,t):
        w(t+"/c/x.csv", CSV); r=s.read.options(**o)
        if sch: r=r.schema(sch)
        return R(r.csv(t+"/c"))
    A("csv_"+name,f)
csv("plain")
csv("header",header=True)
csv("infer",header=True,inferSchema=True)
for m in ("PERMISSIVE","DROPMALFORMED","FAILFAST"):
    csv("schema_"+m.lower(),header=True,mode=m,schema="a INT, b STRING, c DATE")
csv("corrupt",header=True,schema="a INT, b STRING, c DATE, _corrupt_record STRING")
csv("corrupt2",header=True,schema="a INT, b STRING, c DATE, bad STRING",columnNameOfCorruptRecord="bad")
csv("enforce",header=True,enforceSchema=False,schema="a INT, z STRING, c DATE")
csv("comment",comment="2",header=True)
csv("nulls",header=True,nullValue="x",inferSchema=True)
csv("badmode",mode="wat",header=True)
csv("badenc",encoding="wat")
csv("badbool",header="maybe")
csv("longsep",sep="::")
csv("void",header=True,schema="a INT, b VOID")
csv("dup",header=True,schema="a INT, A STRING")
csv("datefmt",header=True,schema="a STRING, b STRING, c DATE",dateFormat="yyyy-dd-MM")
csv("timestampinfer",inferSchema=True,header=True,timestampFormat="yyyy-MM-dd")
csv("prefer",inferSchema=True,header=True,preferDate=False)
csv("quotenone",header=True,quote="")
csv("unescaped",header=True,unescapedQuoteHandling="STOP_AT_DELIMITER")
csv("maxcol",header=True,maxColumns=2)
csv("maxchar",header=True,maxCharsPerColumn=2)
csv("modified",header=True,modifiedBefore="2000-01-01T00:00:00")
csv("modafter",header=True,modifiedAfter="2000-01-01T00:00:00")
csv("ignorecorrupt",header=True,ignoreCorruptFiles=True)
A("csv_multiline",lambda s,t:[w(t+"/m/x.csv",'a,b\n1,"x\ny"\n2,z\n'),R(s.read.csv(t+"/m",header=True,multiLine=True)),R(s.read.csv(t+"/m",header=True))])
A("csv_ws",lambda s,t:[w(t+"/m/x.csv",'a , b\n 1 ," x "\n'),[R(s.read.csv(t+"/m",header=True,ignoreLeadingWhiteSpace=l,ignoreTrailingWhiteSpace=r)) for l in(True,False) for r in (True,False)]])
A("csv_dupheader",lambda s,t:[w(t+"/m/x.csv",'a,A,a,,\n1,2,3,4,5\n'),R(s.read.csv(t+"/m",header=True))])
A("csv_empty",lambda s,t:[w(t+"/m/x.csv",''),R(s.read.csv(t+"/m",header=True))])
A("csv_types",lambda s,t:[w(t+"/m/x.csv",'1,1.5,true,2020-01-01,2020-01-01 00:00:01,99999999999,1e5,NaN,Inf\n2,2,FALSE,2020-01-02,2020-01-02T00:00:00Z,1,2,1,-Inf\n'),R(s.read.csv(t+"/m",inferSchema=True))])


def cw(name,df,**o):
    def f(s,t):
        df(s).coalesce(1).write.options(**o).csv(t+"/w"); return [sorted(x.split(".",1)[1] if "." in x else x for x in os.listdir(t+"/w") if not x.startswith((".","_"))), R(s.read.text(t+"/w"))]
    A("csvw_"+name,f)
vals=lambda s:s.createDataFrame([(1," x ",None,1.5),(2,'q"t',"",2.0),(3,"a,b","n\nl",None)],"i INT, s STRING, e STRING, d DOUBLE")
cw("plain",vals)
cw("header",vals,header=True)
cw("quoteall",vals,quoteAll=True)
cw("nullval",vals,nullValue="NULL",emptyValue="EMPTY")
cw("ws",vals,ignoreLeadingWhiteSpace=False,ignoreTrailingWhiteSpace=False)
cw("escape",vals,escape='"',sep="|")
cw("escq",vals,escapeQuotes=False)
cw("gzip",vals,compression="gzip")
cw("bad",vals,compression="wat")
cw("sep2",vals,sep="::")
cw("dates",lambda s:s.sql("select date'2020-01-02' d, timestamp'2020-01-02 03:04:05.5' t"),dateFormat="dd/MM/yyyy",timestampFormat="HH:mm")
cw("arr",lambda s:s.sql("select array(1)"))
cw("bin",lambda s:s.sql("select X'4142' b"))
cw("iv",lambda s:s.sql("select interval 1 day i"))
cw("line",vals,lineSep=";")


JS='{"a":1,"b":"x","c":[1,2]}\n{"a":"2","b":{"k":1}}\nnot json\n{"a":3.5,"d":"2020-01-01T00:00:00Z"}\n[{"a":7}]\n{"a":null}\n'


def js(name,text=JS,**o):
    sch=o.pop("schema",None)
    def f(s,t):
        w(t+"/j/x.json", text); r=s.read.options(**o)
        if sch: r=r.schema(sch)
        return R(r.json(t+"/j"))
    A("json_"+name,f)
js("plain")
js("prim",primitivesAsString=True)
js("dec",text='{"a":1.5}\n{"a":123456789012345678901234567890}',prefersDecimal=True)
js("bigint",text='{"a":123456789012345678901234567890}\n{"a":9223372036854775807}')
for m in ("PERMISSIVE","DROPMALFORMED","FAILFAST"):
    js("schema_"+m.lower(),mode=m,schema="a INT, b STRING")
    js("infer_"+m.lower(),mode=m)
js("corrupt",schema="a INT, _corrupt_record STRING")
js("ts",text='{"a":"2020-01-01T00:00:00Z","b":"2020-01-01"}',inferTimestamp=True)
js("dropnull",text='{"a":null,"b":[],"c":{}}\n{"a":null}',dropFieldIfAllNull=True)
js("allnull",text='{"a":null,"b":[],"c":{}}')
js("single",text="{'a':1}")
js("nosingle",text="{'a':1}",allowSingleQuotes=False)
js("unq",text="{a:1}",allowUnquotedFieldNames=True)
js("comments",text='{"a":/*x*/1}',allowComments=True)
js("lead0",text='{"a":01}',allowNumericLeadingZeros=True)
js("nan",text='{"a":NaN,"b":Infinity,"c":+INF}')
js("nonan",text='{"a":NaN}',allowNonNumericNumbers=False)
js("bs",text='{"a":"\\\\x"}',allowBackslashEscapingAnyCharacter=True)
js("multi",text='[{"a":1},\n{"a":2}]',multiLine=True)
js("case",text='{"a":1,"A":2}')
js("nested",text='{"a":{"b":[{"c":1},{"d":"x"}]}}')
js("mapschema",text='{"m":{"k":1,"l":null}}',schema="m MAP<STRING,INT>")
js("dates",text='{"d":"2020-01-02","t":"2020-01-02 03:04:05","x":"12:13"}',schema="d DATE, t TIMESTAMP, x STRING")
js("fmt",text='{"d":"02/01/2020"}',schema="d DATE",dateFormat="dd/MM/yyyy")
js("partial",text='{"a":"x","b":"ok"}',schema="a INT, b STRING")
js("zone",text='{"t":"2020-01-02T03:04:05"}',schema="t TIMESTAMP",timeZone="UTC")
js("linesep",text='{"a":1};{"a":2}',lineSep=";")
js("empty",text="")
js("blank",text="\n\n{\"a\":1}\n\n")
js("strnum",text='{"a":5,"b":true,"c":[1],"d":{"x":1}}',schema="a STRING, b STRING, c STRING, d STRING")
js("dec2",text='{"a":"1.25","b":1.255}',schema="a DECIMAL(5,2), b DECIMAL(5,2)")
js("bool",text='{"a":"true","b":1}',schema="a BOOLEAN, b BOOLEAN")
js("over",text='{"a":300,"b":99999999999}',schema="a TINYINT, b INT")
js("floatint",text='{"a":1.0,"b":1.5}',schema="a INT, b BIGINT")
js("bin",text='{"a":"QUI="}',schema="a BINARY")


def jw(name,sql,**o):
    A("jsonw_"+name,lambda s,t:[s.sql(sql).coalesce(1).write.options(**o).json(t+"/w"),R(s.read.text(t+"/w"))])
jw("types","select 1 a, 1.50BD b, 1.5D c, cast('nan' as double) d, date'2020-01-02' e, timestamp'2020-01-02 03:04:05.123456' f, timestamp_ntz'2020-01-02 03:04:05' g, X'4142' h, interval 1 day i, interval 1 month j, map('k',null) k, array(1,null) l, named_struct('x',null,'y',1) m, null n, 'q\"t' o, true p")
jw("nulls","select null a, named_struct('x',cast(null as int)) b",ignoreNullFields=False)
jw("fmt","select date'2020-01-02' e, timestamp'2020-01-02 03:04:05.123456' f",dateFormat="dd.MM.yy",timestampFormat="HH:mm:ss")
jw("bigdec","select 1e-10BD a, 1e10D b, 1e-7D c, 100.0F d, 1e20D e")
jw("gz","select 1 a",compression="gzip")
jw("unicode","select 'é\u2028\\t' a")
A("text_whole",lambda s,t:[w(t+"/x/a.txt","l1\nl2\n"),R(s.read.text(t+"/x",wholetext=True)),R(s.read.text(t+"/x",lineSep="2")),R(s.read.option("wholetext",True).text(t+"/x"))])
A("text_w_two",lambda s,t:emp(s).write.text(t+"/x"))
A("text_w_int",lambda s,t:s.range(1).write.text(t+"/x"))
A("part_disc",lambda s,t:[[w(t+"/p/k=%s/d=%s/x.csv"%(k,d),"1\n") for k,d in (("1","2020-01-01"),("2","__HIVE_DEFAULT_PARTITION__"))],S(s.read.csv(t+"/p"))])
A("part_types",lambda s,t:[[w(t+"/p/k=%s/x.csv"%k,"1\n") for k in ("1","x","1.5")],S(s.read.csv(t+"/p"))])
A("part_base",lambda s,t:[w(t+"/p/k=1/x.csv","1\n"),S(s.read.option("basePath",t+"/p").csv(t+"/p/k=1")),S(s.read.csv(t+"/p/k=1"))])
A("part_rec",lambda s,t:[w(t+"/p/k=1/x.csv","1\n"),S(s.read.option("recursiveFileLookup",True).csv(t+"/p"))])
A("part_glob",lambda s,t:[[w(t+"/p/%s.csv"%k,k+"\n") for k in "abc"],S(s.read.csv(t+"/p/{a,b}*.csv")),S(s.read.option("pathGlobFilter","[ac].csv").csv(t+"/p")),S(s.read.csv([t+"/p/a.csv",t+"/p/c.csv"]))])
A("part_double",lambda s,t:[[w(t+"/p/k=%s/x.csv"%k,"1\n") for k in ("1","3000000000","2.5")],S(s.read.csv(t+"/p"))])
A("nopath",lambda s,t:s.read.csv(t+"/nope").count())
A("noglob",lambda s,t:s.read.csv(t+"/nope*").count())
A("emptydir",lambda s,t:[os.makedirs(t+"/e"),s.read.parquet(t+"/e").count()])


def pq(name,f): A("pq_"+name,f)
pq("part",lambda s,t:[emp(s).write.partitionBy("dept").parquet(t+"/w"),sorted(x for x in os.listdir(t+"/w") if not x.startswith(".")),S(s.read.parquet(t+"/w"))])
pq("codecs",lambda s,t:[[s.range(1).write.option("compression",c).parquet(t+"/"+c),sorted({x.split(".",1)[1] for x in os.listdir(t+"/"+c) if x.startswith("part")})] for c in ("none","snappy","gzip","zstd","lz4_raw","uncompressed")])
pq("badcodec",lambda s,t:s.range(1).write.option("compression","wat").parquet(t+"/x"))
pq("merge",lambda s,t:[s.range(1).write.parquet(t+"/m/k=1"),s.range(1).selectExpr("id","'x' v").write.parquet(t+"/m/k=2"),S(s.read.option("mergeSchema",True).parquet(t+"/m"))])
pq("exists",lambda s,t:[s.range(1).write.parquet(t+"/m"),s.range(1).write.parquet(t+"/m")])
pq("ignore",lambda s,t:[s.range(1).write.parquet(t+"/m"),s.range(2).write.mode("ignore").parquet(t+"/m"),s.read.parquet(t+"/m").count()])
pq("append",lambda s,t:[s.range(1).write.parquet(t+"/m"),s.range(2).write.mode("append").parquet(t+"/m"),s.read.parquet(t+"/m").count()])
pq("badmode",lambda s,t:s.range(1).write.mode("wat").parquet(t+"/m"))
pq("allpart",lambda s,t:s.range(1).write.partitionBy("id").parquet(t+"/m"))
pq("nopart",lambda s,t:s.range(1).write.partitionBy("x").parquet(t+"/m"))
pq("dupcol",lambda s,t:s.sql("select 1 a, 2 A").write.parquet(t+"/m"))
pq("empty",lambda s,t:s.sql("select 1 a").drop("a").write.parquet(t+"/m"))
pq("badchars",lambda s,t:[s.sql("select 1 `a b,;{}()=`").write.parquet(t+"/m"),R(s.read.parquet(t+"/m"))])
pq("wider",lambda s,t:[s.sql("select 1 id").write.parquet(t+"/m"),R(s.read.schema("id BIGINT, x INT").parquet(t+"/m"))])
pq("notpq",lambda s,t:[w(t+"/q/a.parquet","nope"),s.read.parquet(t+"/q").count()])
pq("sortby",lambda s,t:emp(s).write.sortBy("id").parquet(t+"/m"))
pq("bucket",lambda s,t:emp(s).write.bucketBy(2,"id").parquet(t+"/m"))
pq("dynamic",lambda s,t:[emp(s).write.partitionBy("dept").parquet(t+"/m"),emp(s).filter("dept='x'").write.option("partitionOverwriteMode","dynamic").mode("overwrite").partitionBy("dept").parquet(t+"/m"),s.read.parquet(t+"/m").count()])
A("fmt_noop",lambda s,t:s.range(1).write.format("noop").mode("overwrite").save())
A("fmt_schema_bad",lambda s,t:s.read.schema("a INT,").csv(t).schema)
A("fmt_csv_interval",lambda s,t:[w(t+"/c/x.csv","1\n"),s.read.schema("a ARRAY<INT>").csv(t+"/c").count()])
