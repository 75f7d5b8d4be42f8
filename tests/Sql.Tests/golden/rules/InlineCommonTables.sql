WITH s AS (SELECT k, v FROM big WHERE v > 1) SELECT k FROM s WHERE k < 10;
WITH s AS (SELECT k, v FROM big WHERE v > 1) SELECT a.k FROM s a JOIN s b ON a.k = b.v;
WITH s AS (SELECT k FROM big), u AS (SELECT k FROM s) SELECT a.k FROM u a JOIN u b ON a.k = b.k
