SELECT small.x, t.total FROM small LEFT JOIN (SELECT k, sum(v) AS total FROM big GROUP BY k) t ON small.m = t.k WHERE small.n = 'x';
SELECT x FROM small WHERE x < (SELECT avg(v) FROM big WHERE big.k = small.m)
