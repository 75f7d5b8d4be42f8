SELECT big.k FROM big, mid WHERE (big.k = mid.k AND v = 1 AND w = 2) OR (big.k = mid.k AND v = 3 AND w = 4);
SELECT k FROM big WHERE (v = 1 AND s = 'a') OR v = 1
