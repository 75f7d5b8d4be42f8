select * from u where a in (select a from t where t.s = u.k);
select * from u where a not in (select b from t);
select * from u where (a, v) in (select a, b from t);
select * from u where exists (select 1 from t where t.a = u.a) or v > 3;
select k, (select max(b) from t where t.a = u.a) as most from u;
select * from u where v > (select avg(b) from t);
select k from u group by k having sum(v) > (select sum(b) from t);
select case when exists (select * from t) then 1 else (select min(a) from t) end;
select * from u where a = (select max(a) from (select a from t where t.b = u.v) i);
with n as (select a, v from u), m (z) as (select a from n where v > 1) select * from n join m on n.a = m.z;
with n as (select 1 as a) select * from (with n as (select 2 as a) select * from n) i, n;
select * from t where a in ((select max(a) from u), 3);
select ((select 1) union (select 2))
