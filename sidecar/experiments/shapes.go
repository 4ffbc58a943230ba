package experiments

import (
	"context"
	"fmt"
)

// shop makes the tables of a shop: items are orders' lines, about rows of them.
func shop(ctx context.Context, r *rig, rows int) error {
	orders, buyers, goods, makers := rows/4, max(100, rows/40), max(200, rows/30), max(20, rows/600)
	for _, x := range []struct{ name, query string }{
		{"regions", `SELECT id AS rid, elt(id + 1, 'north', 'east', 'south', 'west', 'centre') AS rname FROM range(5)`},
		{"countries", `SELECT id AS cid, concat('country ', id) AS cname, id % 5 AS rid FROM range(25)`},
		{"makers", fmt.Sprintf(`SELECT id AS mid, concat('maker ', id) AS mname, id * 7 %% 25 AS cid, cast(id * 7919 %% 1000000 / 100 - 999 AS decimal(12,2)) AS credit,
			concat('remarks ', id * 31 %% 977, if(id %% 97 = 3, ' complaints', ''), ' end') AS remark FROM range(%d)`, makers)},
		{"goods", fmt.Sprintf(`SELECT id AS gid, concat(elt(id %% 5 + 1, 'red', 'green', 'blue', 'grey', 'white'), ' ', elt(id * 7 %% 4 + 1, 'chair', 'table', 'lamp', 'shelf'), ' ', id) AS gname,
			concat('brand ', id * 13 %% 25) AS brand, concat(elt(id %% 6 + 1, 'small', 'large', 'medium', 'promo', 'plain', 'fine'), ' ', elt(id * 11 %% 5 + 1, 'steel', 'brass', 'wood', 'tin', 'glass')) AS kind,
			cast(id * 17 %% 50 + 1 AS int) AS size, elt(id * 3 %% 4 + 1, 'box', 'bag', 'jar', 'case') AS pack, cast(900 + id %% 1000 AS decimal(12,2)) AS price FROM range(%d)`, goods)},
		{"offers", fmt.Sprintf(`SELECT id %% %d AS gid, (id * 37 + id DIV %d) %% %d AS mid, cast(id * 7 %% 9999 AS int) AS stock, cast(id * 91 %% 100000 / 100 AS decimal(12,2)) AS cost FROM range(%d)`, goods, goods, makers, goods*4)},
		{"buyers", fmt.Sprintf(`SELECT id AS bid, concat('buyer ', id) AS bname, id * 11 %% 25 AS cid, concat(10 + id * 11 %% 25, '-', 100 + id %% 900) AS phone,
			cast(id * 7907 %% 1100000 / 100 - 999 AS decimal(12,2)) AS credit, elt(id %% 5 + 1, 'car', 'home', 'tools', 'farm', 'toys') AS segment FROM range(%d)`, buyers)},
		{"orders", fmt.Sprintf(`SELECT id AS oid, id * 7919 %% %d AS bid, elt(id %% 3 + 1, 'F', 'O', 'P') AS status, cast(id * 104729 %% 40000000 / 100 AS decimal(12,2)) AS total,
			date_add(DATE '1992-01-01', cast(id * 31 %% 2400 AS int)) AS day, elt(id * 7 %% 5 + 1, 'urgent', 'high', 'medium', 'low', 'none') AS urgency,
			concat('note ', id * 17 %% 991, if(id %% 71 = 5, ' special requests', ''), ' x') AS note FROM range(%d)`, buyers*2/3+1, orders)},
		{"items", fmt.Sprintf(`SELECT id DIV 4 AS oid, id * 7907 %% %d AS gid, (id * 7907 %% %d * 37 + (id %% 4) * 1) %% %d AS mid, cast(id %% 4 + 1 AS int) AS line, cast(id * 13 %% 50 + 1 AS decimal(12,2)) AS quantity,
			cast(id * 104729 %% 9500000 / 100 + 900 AS decimal(12,2)) AS price, cast(id %% 11 / 100 AS decimal(12,2)) AS discount, cast(id %% 9 / 100 AS decimal(12,2)) AS tax,
			elt(id %% 3 + 1, 'A', 'N', 'R') AS returned, elt(id * 5 %% 2 + 1, 'F', 'O') AS state, date_add(DATE '1992-01-10', cast(id * 31 %% 2500 AS int)) AS shipped,
			date_add(DATE '1992-01-20', cast(id * 31 %% 2500 AS int) + cast(id %% 30 AS int)) AS promised, date_add(DATE '1992-01-22', cast(id * 31 %% 2500 AS int) + cast(id %% 23 AS int)) AS received,
			elt(id %% 7 + 1, 'air', 'mail', 'rail', 'ship', 'truck', 'pipe', 'hand') AS way, elt(id %% 4 + 1, 'in person', 'return', 'none', 'cash') AS terms FROM range(%d)`, goods, goods, makers, rows)},
	} {
		if err := r.Exec(ctx, "CREATE TABLE "+x.name+" USING parquet AS "+x.query); err != nil {
			return fmt.Errorf("table %s: %w", x.name, err)
		}
	}
	return nil
}

// shapes are 22 queries of the kinds that decision support asks: scans with
// large aggregates, joins of up to eight tables, subqueries of all sorts.
var shapes = []struct{ name, text string }{
	{"S1 one large aggregate", `SELECT returned, state, sum(quantity), sum(price), sum(price * (1 - discount)), sum(price * (1 - discount) * (1 + tax)), avg(quantity), avg(price), avg(discount), count(*)
		FROM items WHERE shipped <= DATE '1998-08-01' GROUP BY returned, state ORDER BY returned, state`},
	{"S2 the cheapest offer", `SELECT credit, mname, cname, g.gid, brand FROM goods g JOIN offers o ON g.gid = o.gid JOIN makers m ON m.mid = o.mid JOIN countries c ON c.cid = m.cid JOIN regions r ON r.rid = c.rid
		WHERE size < 25 AND kind LIKE '%brass' AND rname = 'east' AND cost = (SELECT min(cost) FROM offers p JOIN makers n ON n.mid = p.mid JOIN countries d ON d.cid = n.cid JOIN regions s ON s.rid = d.rid WHERE p.gid = g.gid AND rname = 'east')
		ORDER BY credit DESC, cname, mname, g.gid LIMIT 100`},
	{"S3 open orders of a segment", `SELECT i.oid, sum(price * (1 - discount)) AS worth, day FROM buyers b JOIN orders o ON b.bid = o.bid JOIN items i ON i.oid = o.oid
		WHERE segment = 'home' AND day < DATE '1995-03-15' AND shipped > DATE '1995-03-15' GROUP BY i.oid, day ORDER BY worth DESC, day, i.oid LIMIT 10`},
	{"S4 late orders by urgency", `SELECT urgency, count(*) FROM orders o WHERE day >= DATE '1993-07-01' AND day < DATE '1994-07-01' AND EXISTS (SELECT 1 FROM items i WHERE i.oid = o.oid AND promised < received) GROUP BY urgency ORDER BY urgency`},
	{"S5 sales within a region", `SELECT cname, sum(i.price * (1 - discount)) AS worth FROM buyers b JOIN orders o ON b.bid = o.bid JOIN items i ON i.oid = o.oid JOIN makers m ON i.mid = m.mid AND b.cid = m.cid
		JOIN countries c ON c.cid = m.cid JOIN regions r ON r.rid = c.rid WHERE rname = 'south' AND day >= DATE '1994-01-01' AND day < DATE '1996-01-01' GROUP BY cname ORDER BY worth DESC`},
	{"S6 a filter and a sum", `SELECT sum(price * discount) FROM items WHERE shipped >= DATE '1994-01-01' AND shipped < DATE '1995-01-01' AND discount BETWEEN 0.05 AND 0.07 AND quantity < 24`},
	{"S7 trade of two countries", `SELECT f, t, y, sum(v) FROM (SELECT a.cname AS f, z.cname AS t, year(shipped) AS y, i.price * (1 - discount) AS v FROM makers m JOIN items i ON m.mid = i.mid JOIN orders o ON o.oid = i.oid
		JOIN buyers b ON b.bid = o.bid JOIN countries a ON m.cid = a.cid JOIN countries z ON b.cid = z.cid WHERE (a.cname = 'country 3' AND z.cname = 'country 7' OR a.cname = 'country 7' AND z.cname = 'country 3')
		AND shipped BETWEEN DATE '1993-01-01' AND DATE '1996-12-31') x GROUP BY f, t, y ORDER BY f, t, y`},
	{"S8 a country's share", `SELECT y, sum(CASE WHEN n = 'country 4' THEN v ELSE 0 END) / sum(v) FROM (SELECT year(day) AS y, i.price * (1 - discount) AS v, z.cname AS n FROM goods g JOIN items i ON g.gid = i.gid JOIN makers m ON m.mid = i.mid
		JOIN orders o ON o.oid = i.oid JOIN buyers b ON b.bid = o.bid JOIN countries a ON b.cid = a.cid JOIN regions r ON a.rid = r.rid JOIN countries z ON m.cid = z.cid
		WHERE rname = 'centre' AND kind LIKE '%steel') x GROUP BY y ORDER BY y`},
	{"S9 profit by country and year", `SELECT n, y, sum(p) FROM (SELECT cname AS n, year(day) AS y, i.price * (1 - discount) - cost * quantity AS p FROM goods g JOIN items i ON g.gid = i.gid JOIN makers m ON m.mid = i.mid
		JOIN offers f ON f.mid = i.mid AND f.gid = i.gid JOIN orders o ON o.oid = i.oid JOIN countries c ON m.cid = c.cid WHERE gname LIKE '%green%') x GROUP BY n, y ORDER BY n, y DESC`},
	{"S10 buyers who return", `SELECT b.bid, bname, sum(price * (1 - discount)) AS lost, credit, cname FROM buyers b JOIN orders o ON b.bid = o.bid JOIN items i ON i.oid = o.oid JOIN countries c ON b.cid = c.cid
		WHERE day >= DATE '1993-10-01' AND day < DATE '1994-10-01' AND returned = 'R' GROUP BY b.bid, bname, credit, cname ORDER BY lost DESC, b.bid LIMIT 20`},
	{"S11 stock that matters", `SELECT gid, sum(cost * stock) AS v FROM offers o JOIN makers m ON o.mid = m.mid JOIN countries c ON c.cid = m.cid WHERE cname = 'country 14' GROUP BY gid
		HAVING sum(cost * stock) > (SELECT sum(cost * stock) * 0.0005 FROM offers p JOIN makers n ON p.mid = n.mid JOIN countries d ON d.cid = n.cid WHERE d.cname = 'country 14') ORDER BY v DESC, gid LIMIT 100`},
	{"S12 urgent orders by way", `SELECT way, sum(CASE WHEN urgency IN ('urgent', 'high') THEN 1 ELSE 0 END), sum(CASE WHEN urgency NOT IN ('urgent', 'high') THEN 1 ELSE 0 END) FROM orders o JOIN items i ON o.oid = i.oid
		WHERE way IN ('mail', 'ship') AND promised < received AND shipped < promised GROUP BY way ORDER BY way`},
	{"S13 how many orders buyers have", `SELECT n, count(*) AS c FROM (SELECT b.bid, count(oid) AS n FROM buyers b LEFT JOIN orders o ON b.bid = o.bid AND note NOT LIKE '%special%requests%' GROUP BY b.bid) x GROUP BY n ORDER BY c DESC, n DESC`},
	{"S14 the effect of promotion", `SELECT 100 * sum(CASE WHEN kind LIKE 'promo%' THEN i.price * (1 - discount) ELSE 0 END) / sum(i.price * (1 - discount)) FROM items i JOIN goods g ON i.gid = g.gid WHERE shipped >= DATE '1995-01-01' AND shipped < DATE '1996-01-01'`},
	{"S15 the best maker", `WITH w AS (SELECT mid, sum(price * (1 - discount)) AS total FROM items WHERE shipped >= DATE '1996-01-01' AND shipped < DATE '1996-07-01' GROUP BY mid)
		SELECT m.mid, mname, total FROM makers m JOIN w ON m.mid = w.mid WHERE total = (SELECT max(total) FROM w) ORDER BY m.mid`},
	{"S16 makers by kind of goods", `SELECT brand, kind, size, count(DISTINCT mid) AS n FROM offers o JOIN goods g ON g.gid = o.gid WHERE brand <> 'brand 5' AND kind NOT LIKE 'medium%' AND size IN (3, 9, 14, 19, 23, 36, 45, 49)
		AND mid NOT IN (SELECT mid FROM makers WHERE remark LIKE '%complaints%') GROUP BY brand, kind, size ORDER BY n DESC, brand, kind, size LIMIT 100`},
	{"S17 small quantities", `SELECT sum(i.price) / 7 FROM items i JOIN goods g ON g.gid = i.gid WHERE brand = 'brand 3' AND pack = 'box' AND quantity < (SELECT 0.5 * avg(quantity) FROM items j WHERE j.gid = g.gid)`},
	{"S18 large orders", `SELECT bname, b.bid, o.oid, day, total, sum(quantity) FROM buyers b JOIN orders o ON b.bid = o.bid JOIN items i ON o.oid = i.oid
		WHERE o.oid IN (SELECT oid FROM items GROUP BY oid HAVING sum(quantity) > 140) GROUP BY bname, b.bid, o.oid, day, total ORDER BY total DESC, day, o.oid LIMIT 100`},
	{"S19 alternatives", `SELECT sum(i.price * (1 - discount)) FROM items i JOIN goods g ON g.gid = i.gid WHERE way IN ('air', 'hand') AND (brand = 'brand 12' AND pack IN ('box', 'bag') AND quantity BETWEEN 1 AND 21 AND size BETWEEN 1 AND 25
		OR brand = 'brand 23' AND pack IN ('jar', 'bag') AND quantity BETWEEN 10 AND 30 AND size BETWEEN 1 AND 30 OR brand = 'brand 4' AND pack IN ('case', 'box') AND quantity BETWEEN 20 AND 40 AND size BETWEEN 1 AND 45)`},
	{"S20 makers with much stock", `SELECT mname FROM makers m JOIN countries c ON m.cid = c.cid WHERE cname = 'country 21' AND mid IN (SELECT mid FROM offers o WHERE gid IN (SELECT gid FROM goods WHERE gname LIKE 'blue%')
		AND stock > (SELECT 0.5 * sum(quantity) FROM items i WHERE i.gid = o.gid AND i.mid = o.mid AND shipped >= DATE '1994-01-01')) ORDER BY mname`},
	{"S21 makers who alone were late", `SELECT mname, count(*) AS n FROM makers m JOIN items i ON m.mid = i.mid JOIN orders o ON o.oid = i.oid JOIN countries c ON m.cid = c.cid WHERE status = 'F' AND received > promised AND cname IN ('country 0', 'country 20')
		AND EXISTS (SELECT 1 FROM items j WHERE j.oid = i.oid AND j.mid <> i.mid) AND NOT EXISTS (SELECT 1 FROM items k WHERE k.oid = i.oid AND k.mid <> i.mid AND k.received > k.promised) GROUP BY mname ORDER BY n DESC, mname LIMIT 100`},
	{"S22 buyers without orders", `SELECT p, count(*), sum(credit) FROM (SELECT substring(phone, 1, 2) AS p, credit FROM buyers b WHERE substring(phone, 1, 2) IN ('13', '31', '23', '29', '30', '18', '17')
		AND credit > (SELECT avg(credit) FROM buyers WHERE credit > 0) AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.bid = b.bid)) x GROUP BY p ORDER BY p`},
}
