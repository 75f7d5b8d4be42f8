select a, sum(b) from t group by a;
select a + 1 as k, max(c) from t group by k;
select a + 1, (a + 1) * 2, sum(d) / count(*) from t group by 1;
select s, a, count(distinct b), count(distinct b, c), sum(c) filter (where x) from t group by all;
select count(*), count(1), count(a), min(distinct a) from t;
select s, sum(b) as total from t group by s having total > 10 and count(*) > 1;
select 1 from t having count(*) > 3;
select s, a, sum(b), grouping(s), grouping_id(), grouping_id(s, a) from t group by rollup (s, a);
select s, a, count(*) from t group by cube (s, a) order by grouping(s);
select s, a, count(*) from t group by grouping sets ((s, a), s, ());
select s, a, e, count(*) from t group by s, rollup (a, e);
select s, a, count(*) from t group by s, a with rollup;
select s, count(*) from t group by grouping sets (s, s);
select a, (select max(v) from u where u.a = t.a) from t group by a;
select a, (select max(v) from u where u.a = t.a) from t group by rollup (a)
