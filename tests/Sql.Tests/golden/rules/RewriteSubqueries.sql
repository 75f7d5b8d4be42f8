SELECT k FROM big WHERE EXISTS (SELECT 1 FROM mid WHERE mid.k = big.k AND mid.w > big.v);
SELECT k FROM big WHERE NOT EXISTS (SELECT 1 FROM mid WHERE mid.k = big.k);
SELECT k FROM big WHERE k IN (SELECT k FROM mid WHERE w = 1);
SELECT k FROM big WHERE k NOT IN (SELECT k FROM mid);
SELECT k FROM big WHERE k NOT IN (SELECT k FROM mid WHERE mid.m = big.v);
SELECT k FROM big WHERE v = 1 OR k IN (SELECT k FROM mid);
SELECT k, v IN (SELECT w FROM mid WHERE mid.k = big.k) FROM big;
SELECT k FROM big WHERE v = (SELECT max(w) FROM mid);
SELECT k, (SELECT max(w) FROM mid WHERE mid.k = big.k) FROM big;
SELECT k, (SELECT count(*) FROM mid WHERE mid.k = big.k) FROM big;
SELECT k, (SELECT count(*) FROM mid WHERE mid.k > big.k) FROM big;
SELECT k, (SELECT w FROM mid WHERE mid.k = big.k ORDER BY m LIMIT 1) FROM big;
SELECT k, (SELECT max(x) FROM (SELECT w AS x FROM mid WHERE mid.k = big.k UNION ALL SELECT x FROM small WHERE small.m = big.v) u) FROM big;
SELECT big.k, w FROM big LEFT JOIN mid ON big.k = mid.k AND EXISTS (SELECT 1 FROM small WHERE small.m = mid.m);
SELECT big.k, w FROM big LEFT JOIN mid ON big.k = mid.k AND EXISTS (SELECT 1 FROM small WHERE small.m = mid.m AND small.x = big.v)
