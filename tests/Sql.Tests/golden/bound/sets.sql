select a from t union all select v from u union all select b from t;
select a from t union select v from u;
select a, s from t intersect select a, k from u order by 1;
select a from t except all select a from u;
select a from t union select a from u except select v from u intersect select 1;
(select a from t order by b limit 3) union all (select a from u) limit 5;
select a as first from t union all select d from t order by first desc;
select null union all select 'a'
