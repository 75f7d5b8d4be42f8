SELECT k FROM big WHERE v > 1 AND v <= 9 AND 3 < k AND s IN ('a', 'b') AND d IS NOT NULL;
SELECT k FROM big WHERE v + 1 > 5 AND s LIKE 'a%'
