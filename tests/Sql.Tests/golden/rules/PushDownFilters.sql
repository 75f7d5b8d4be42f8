SELECT big.k FROM big, mid WHERE big.k = mid.k AND v = 1 AND w = 2;
SELECT k FROM (SELECT k, v + 1 AS u FROM big) x WHERE u > 5;
SELECT k, n FROM (SELECT k, count(*) AS n FROM big GROUP BY k) x WHERE k = 3 AND n > 1;
SELECT k FROM (SELECT k FROM big UNION ALL SELECT k FROM mid) x WHERE k = 3;
SELECT big.k, w FROM big LEFT JOIN mid ON big.k = mid.k AND w > 1 WHERE v > 2;
SELECT big.k, w FROM big LEFT JOIN mid ON big.k = mid.k WHERE w > 1;
SELECT big.k, w FROM big FULL JOIN mid ON big.k = mid.k WHERE v > 1;
SELECT big.k, w FROM big FULL JOIN mid ON big.k = mid.k WHERE coalesce(w, 0) = 0;
SELECT k, n FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v) AS n FROM big) x WHERE k = 1 AND v = 2 AND n = 1;
SELECT k FROM (SELECT k FROM big ORDER BY v LIMIT 10) x WHERE k = 1
