SELECT count(*), sum(b), min(s), max(dt), avg(f), sum(d) FROM t
SELECT a, count(*), count(f), sum(b), min(s), max(s), avg(d) FROM t GROUP BY a
SELECT a, s, count(*) FROM t GROUP BY a, s
SELECT s, count(DISTINCT a), sum(DISTINCT b), count(*) FROM t GROUP BY s
SELECT count(DISTINCT a), count(DISTINCT s), count(DISTINCT a, s), sum(DISTINCT f) FROM t
SELECT a, count(*) FILTER (WHERE b > 500), sum(b) FILTER (WHERE s IS NOT NULL) FROM t GROUP BY a HAVING count(*) > 25
SELECT a % 3, count(DISTINCT s) FILTER (WHERE b > 300), max(d) FROM t GROUP BY a % 3
SELECT DISTINCT a, dt FROM t WHERE b < 300
SELECT a, s, sum(b), grouping(a), grouping_id(a, s) FROM t GROUP BY GROUPING SETS ((a, s), (a), ())
SELECT a, x, count(*) FROM t JOIN u ON k = uk GROUP BY CUBE (a, x)
SELECT s, month(dt), sum(d) FROM t GROUP BY ROLLUP (s, month(dt))
SELECT s, g, sum(b), count(DISTINCT a) FROM t JOIN u ON k = uk GROUP BY s, g WITH ROLLUP
SELECT k, x, y FROM t JOIN u ON k = uk
SELECT k, x, y FROM t LEFT JOIN u ON k = uk AND x > 10
SELECT k, x, ui FROM t RIGHT JOIN u ON k = uk AND b > 300
SELECT k, x, ui FROM t FULL JOIN u ON k = uk AND b > x * 20
SELECT k, s FROM t LEFT SEMI JOIN u ON k = uk AND a < x
SELECT k, s FROM t LEFT ANTI JOIN u ON k = uk AND a < x
SELECT count(*), sum(k), sum(ui) FROM t JOIN u ON s = y
SELECT count(*), sum(k), sum(ui) FROM t FULL JOIN u ON s = y AND a = x
SELECT k, vi FROM t CROSS JOIN v WHERE k < 8
SELECT count(*), sum(vi), sum(k) FROM t JOIN v ON k < vi
SELECT count(*), sum(vi), sum(k) FROM t LEFT JOIN v ON b < vi * 3
SELECT count(*), count(k), count(vi), sum(vi), sum(k) FROM t FULL JOIN v ON b < vi
SELECT count(*), count(k), sum(vi) FROM t RIGHT JOIN v ON b = vi AND a <> p
SELECT k, vi FROM t JOIN v ON a <=> p WHERE k % 50 = 0
SELECT t.k, u.ui, v.vi FROM t JOIN u ON t.k = u.uk JOIN v ON u.x = v.vi
SELECT t.k, u.ui, v.vi, wk FROM t LEFT JOIN u ON t.k = u.uk LEFT JOIN v ON u.x = v.vi LEFT JOIN w ON v.vi = wk WHERE t.k < 200
SELECT k, wk FROM t LEFT JOIN w ON k = wk WHERE k < 10
SELECT k, wk FROM t FULL JOIN w ON k = wk WHERE k < 10
SELECT count(*) FROM w
SELECT wg, count(*) FROM w GROUP BY wg
SELECT max(wk) OVER (PARTITION BY wg) FROM w
SELECT k FROM t WHERE a IN (SELECT x FROM u WHERE g = 2)
SELECT k FROM t WHERE a NOT IN (SELECT x FROM u WHERE x > 12)
SELECT k FROM t WHERE a NOT IN (SELECT uk FROM u)
SELECT k FROM t WHERE a NOT IN (SELECT wk FROM w)
SELECT k FROM t WHERE EXISTS (SELECT 1 FROM u WHERE uk = k AND x > a)
SELECT k FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE uk = k AND x > a)
SELECT k FROM t WHERE b > (SELECT avg(b) FROM t) AND k < 100
SELECT k, (SELECT max(x) FROM u WHERE uk = k) FROM t WHERE k < 150
SELECT k, (SELECT count(*) FROM u WHERE uk = k) FROM t WHERE k < 150
SELECT k FROM t WHERE b > (SELECT sum(x) FROM u WHERE u.y = t.s)
SELECT k FROM t WHERE k < 200 AND (a IN (SELECT x FROM u WHERE g = 1) OR b < 100)
SELECT k, a IN (SELECT p FROM v) FROM t WHERE k < 60
SELECT k, EXISTS (SELECT 1 FROM v WHERE vi = a) FROM t WHERE k < 60
SELECT k, m FROM t, LATERAL (SELECT max(x) AS m FROM u WHERE uk = t.k) WHERE k < 60
SELECT k, ui FROM t JOIN LATERAL (SELECT ui FROM u WHERE uk = t.k AND x > 5) ON true
SELECT a FROM t UNION SELECT x FROM u
SELECT a FROM t UNION ALL SELECT x FROM u
SELECT a FROM t INTERSECT SELECT x FROM u
SELECT a FROM t INTERSECT ALL SELECT x FROM u
SELECT a FROM t EXCEPT SELECT p FROM v
SELECT a FROM t EXCEPT ALL SELECT x FROM u
SELECT x, y FROM u EXCEPT SELECT a, s FROM t
SELECT x, y FROM u INTERSECT SELECT a, s FROM t
SELECT s, sum(n) FROM (SELECT s, b AS n FROM t UNION ALL SELECT y, x FROM u UNION ALL SELECT z, p FROM v) GROUP BY s
SELECT k, row_number() OVER (PARTITION BY a ORDER BY b, k) FROM t
SELECT k, rank() OVER (PARTITION BY s ORDER BY a), dense_rank() OVER (PARTITION BY s ORDER BY a DESC) FROM t
SELECT k, sum(b) OVER (PARTITION BY s ORDER BY k), count(*) OVER (PARTITION BY s) FROM t
SELECT k, sum(b) OVER (PARTITION BY s ORDER BY k ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING) FROM t
SELECT k, sum(b) OVER (PARTITION BY s ORDER BY a RANGE BETWEEN 3 PRECEDING AND 2 FOLLOWING) FROM t
SELECT k, lag(k, 2) OVER (PARTITION BY a ORDER BY k), lead(s, 1, 'none') OVER (PARTITION BY a ORDER BY k) FROM t
SELECT k, first_value(k) OVER (PARTITION BY a ORDER BY b, k), last_value(k) OVER (PARTITION BY a ORDER BY b, k ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), nth_value(k, 3) OVER (PARTITION BY a ORDER BY b, k) FROM t
SELECT k, ntile(4) OVER (PARTITION BY g ORDER BY k, ui), percent_rank() OVER (PARTITION BY g ORDER BY k), cume_dist() OVER (PARTITION BY g ORDER BY k) FROM t JOIN u ON k = uk
SELECT k, avg(f) OVER (ORDER BY k ROWS BETWEEN 5 PRECEDING AND CURRENT ROW), max(b) OVER (ORDER BY dt) FROM t WHERE k < 200
SELECT a, sum(b), rank() OVER (ORDER BY sum(b) DESC, a) FROM t GROUP BY a
SELECT * FROM (SELECT k, a, row_number() OVER (PARTITION BY a ORDER BY b DESC, k) AS rn FROM t) WHERE rn <= 2
SELECT k, min(dt) OVER (PARTITION BY a ORDER BY dt RANGE BETWEEN INTERVAL '5' DAY PRECEDING AND CURRENT ROW) FROM t
-- ordered
SELECT k, a, s FROM t ORDER BY a DESC NULLS LAST, s, k LIMIT 50
-- ordered
SELECT k, a FROM t ORDER BY a NULLS FIRST, k DESC
-- ordered
SELECT k, d, f FROM t ORDER BY f DESC, d, k LIMIT 20 OFFSET 13
-- ordered
SELECT s, sum(d) FROM t GROUP BY s ORDER BY 2 DESC, 1 LIMIT 5
-- ordered
SELECT dt, k FROM t ORDER BY dt, b DESC, k LIMIT 400
-- ordered
SELECT s, k FROM t ORDER BY length(s), s, k
SELECT count(*) FROM (SELECT * FROM t LIMIT 77)
SELECT count(*) FROM (SELECT * FROM t LIMIT 100 OFFSET 650)
WITH c AS (SELECT a, sum(b) AS sb FROM t GROUP BY a) SELECT c1.a, c2.sb FROM c c1 JOIN c c2 ON c1.a = c2.a + 1
WITH c AS (SELECT uk, max(x) AS mx FROM u GROUP BY uk), d AS (SELECT c.uk, t.s FROM c JOIN t ON c.uk = t.k) SELECT s, count(*) FROM d GROUP BY s
SELECT t1.k, t2.k FROM t t1 JOIN t t2 ON t1.b = t2.b WHERE t1.k < 100
SELECT * FROM (SELECT a, g, b FROM t JOIN u ON k = uk) PIVOT (sum(b) FOR g IN (0, 1, 2))
SELECT n, val FROM v UNPIVOT (val FOR n IN (vi AS one, p AS two)) WHERE val > 5
SELECT vi, e FROM v LATERAL VIEW explode(array(vi, p)) AS e WHERE vi < 10
SELECT k, CASE WHEN a > 10 THEN 'big' WHEN a IS NULL THEN 'none' ELSE s END FROM t WHERE k < 100
SELECT substr(s, 1, 2), count(*) FROM t GROUP BY substr(s, 1, 2)
SELECT s, collect_n FROM (SELECT s, size(collect_set(a)) AS collect_n FROM t GROUP BY s)
SELECT s, sort_array(collect_list(a)) FROM t WHERE k < 200 GROUP BY s
SELECT s, stddev(b), variance(a), corr(a, b) FROM t WHERE k < 10 GROUP BY s
SELECT max_by(k, b * 1000 + k), min_by(k, b * 1000 + k) FROM t
SELECT a, first(s), any_value(s) FROM (SELECT 1 AS a, 'x' AS s FROM t) GROUP BY a
SELECT bool_and(b > 10), bool_or(b > 990), bit_xor(k), bit_or(b) FROM t
SELECT x, sum(CASE WHEN y = 's3' THEN 1 ELSE 0 END) FROM u GROUP BY x ORDER BY x
SELECT /*+ BROADCAST(u) */ count(*), sum(x) FROM t JOIN u ON k = uk
SELECT /*+ MERGE(t, u) */ count(*), sum(x) FROM t JOIN u ON k = uk
SELECT /*+ SHUFFLE_HASH(u) */ count(*), sum(x) FROM t JOIN u ON k = uk
SELECT /*+ SHUFFLE_REPLICATE_NL(u) */ count(*), sum(x) FROM t JOIN u ON k = uk
SELECT /*+ REPARTITION(5) */ count(*) FROM t
SELECT /*+ REPARTITION(3, a, s) */ k, a, s FROM t WHERE k < 30
SELECT /*+ COALESCE(2) */ k FROM t WHERE k < 30
SELECT /*+ REPARTITION_BY_RANGE(3, k) */ k FROM t WHERE k < 30
SELECT /*+ REBALANCE(k) */ k FROM t WHERE k < 30
SELECT /*+ REBALANCE */ k FROM t WHERE k < 30
SELECT /*+ MAPJOIN(x1), NONSENSE(a, 3), SKEW('t') */ count(*) FROM t JOIN u x1 ON k = uk
SELECT /*+ BROADCASTJOIN(nosuch) */ count(*) FROM t JOIN u ON k = uk
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 20) SELECT * FROM r
WITH RECURSIVE r(n, m) AS (SELECT vi, 0 FROM v WHERE vi < 3 UNION ALL SELECT v.vi, m + 1 FROM r JOIN v ON v.p = r.n + 1 WHERE m < 5) SELECT n, m, count(*) FROM r GROUP BY n, m
WITH RECURSIVE f(a, b) AS (SELECT 0, 1 UNION ALL SELECT b, a + b FROM f WHERE b < 1000) SELECT a FROM f
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r LIMIT 10
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT * FROM r
WITH RECURSIVE r(n) MAX RECURSION LEVEL 5 AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 20) SELECT * FROM r
WITH RECURSIVE r(n) MAX RECURSION LEVEL 200 AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 150) SELECT count(*), sum(n) FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n % 5 + 1 FROM r) SELECT * FROM r
WITH RECURSIVE r(n, s) AS (SELECT 1, CAST('a' AS STRING) UNION ALL SELECT n + 1, concat(s, 'b') FROM r WHERE n < 6) SELECT r.n, s, u.ui FROM r LEFT JOIN u ON r.n = u.uk
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n IN (SELECT vi FROM v)) SELECT max(n) FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT max(n) + 1 FROM r) SELECT * FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT v.vi FROM v LEFT JOIN r ON v.vi = r.n + 1 WHERE r.n < 3) SELECT * FROM r
WITH RECURSIVE r(n) AS (VALUES (1), (2) UNION ALL SELECT 2 * n FROM r WHERE n < 300) SELECT a.n, b.n FROM r a JOIN r b ON a.n = b.n * 2
SELECT count(DISTINCT a) OVER (PARTITION BY s) FROM t
SELECT sum(DISTINCT b) OVER (ORDER BY k) FROM t
SELECT k / (a - a) FROM t WHERE k = 5
SELECT CAST(s AS INT) FROM t WHERE k = 3
SELECT sum(CAST(b AS BIGINT) + 9223372036854775000) FROM t
SELECT nosuch FROM t
SELECT (SELECT x FROM u) FROM t
