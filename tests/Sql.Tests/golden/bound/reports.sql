with sales as (select s as category, a as class, b as amount, e as day from t),
     totals as (select category, class, sum(amount) as total from sales group by rollup (category, class))
select category, class, total, rank() over (partition by category order by total desc) as place
from totals where total > 10 order by category nulls last, place limit 100;
select sum(b) as total, s, a, grouping(s) + grouping(a) as level,
       rank() over (partition by grouping(s) + grouping(a), case when grouping(a) = 0 then s end order by sum(b) desc) as place
from t group by rollup (s, a) order by level desc, case when level = 0 then s end, place limit 100;
with years as (select s, extract(year from e) as y, sum(d) as total from t group by 1, 2)
select now.s, now.total, before.total, now.total - before.total as change
from years now join years before on now.s = before.s and now.y = before.y + 1
where before.total > 0 and case when before.total > 0 then abs(now.total - before.total) / before.total end > 0.1;
select k, count(*) from u
where exists (select 1 from t where t.a = u.a and e between date '2000-01-01' and date '2000-01-01' + interval '60' day)
  and (exists (select 1 from t where t.b = u.a) or exists (select 1 from t where t.b = u.v))
group by k having count(*) >= (select avg(n) from (select count(*) as n from u group by k) as counts);
select * from (select avg(d) as b1, count(d) as n1, count(distinct d) as d1 from t where a between 0 and 5) as x,
              (select avg(d) as b2, count(d) as n2, count(distinct d) as d2 from t where a between 6 and 10) as y;
select 'store' as channel, s as id, coalesce(sum(d), 0) as sales from t group by s
union all select 'web', k, sum(v) from u group by k
order by channel, id limit 10;
select s, sum(d) * 100 / sum(sum(d)) over (partition by s) as share,
       avg(sum(d)) over (partition by s order by a rows between 1 preceding and 1 following) as smooth
from t group by s, a;
select t.s from t where t.d > 1.2 * (select avg(d) from t as other where other.s = t.s)
  and t.a in (with m as (select a, k from u where u.k = t.s) select a from m)
