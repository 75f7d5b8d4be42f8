select t.s, u.k from t join u on t.a = u.a and v > 3;
select t.s, u.k from t left join u on t.a = u.a right outer join t as t2 on t2.a = u.a full join u u2 on u2.v = t2.b;
select * from t natural join u;
select a, t.a, u.a from t join u using (a);
select a, t.a, u.a from t right join u using (a);
select a, t.a, u.a from t full outer join u using (a);
select s from t left semi join u on t.a = u.a;
select s from t anti join u using (a);
select count(*) from t cross join u, t as t3 where t.a = t3.b;
select * from (select a, max(v) as m from u group by a) as g (key, most) join t on key = t.a;
select x.a from (t as x join u as y on x.a = y.a) join t on x.b = t.b;
select p.a, q.a from t p, t q where p.a = q.b;
select * from t join u on t.b = u.a where t.d = u.v and t.s > u.v
