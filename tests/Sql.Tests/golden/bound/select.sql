select 1 as one, 'a' as letter;
select * from t where x and a is not null;
select t.*, a + 1, b as a from t;
select * except (c, d, e, w) from t;
select a, a from t;
select a + 1 as b2, b2 * 2 as c2, abs(c2) from t;
select distinct a, s from t order by s desc, a;
select a from t order by b, 1 desc nulls last, c + 1;
select a as k from t order by k + 1, a;
select a, count(*) from t group by a order by count(*) desc, sum(b);
select s from t order by all;
select a from t limit 10 offset 5;
select a from t limit all;
from t select a where b > 1;
table u;
values (1, 'x'), (2, null) order by col2 limit 1;
select * from (values (1, 'x'), (2L, 'y')) as v (n, l) where n > 1
