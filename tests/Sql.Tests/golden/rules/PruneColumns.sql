SELECT big.k FROM big JOIN mid ON big.v = mid.w WHERE s = 'a';
SELECT k FROM (SELECT k, sum(v) AS a, max(s) AS b FROM big GROUP BY k, d) x;
SELECT k FROM (SELECT k, v FROM big UNION ALL SELECT k, w FROM mid) x;
SELECT k FROM (SELECT k, rank() OVER (ORDER BY v) AS n FROM big) x;
SELECT k FROM (SELECT k, v FROM big UNION SELECT k, w FROM mid) x;
SELECT count(*) FROM big
