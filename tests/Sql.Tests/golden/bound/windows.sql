select a, row_number() over (partition by s order by b desc) as n, sum(b) over (partition by s) from t;
select sum(c) over w, rank() over (w order by a), max(c) over (w rows between 2 preceding and current row) from t window w as (partition by s);
select sum(sum(b)) over (order by s), s from t group by s;
select a from t qualify row_number() over (partition by s order by b) = 1;
select a, sum(b) over (order by a range between 3 preceding and 1 following) from t;
select a, sum(b) over (order by e range between interval '7' day preceding and current row) from t;
select a, sum(b) over (rows unbounded preceding) as r from t order by r;
select first_value(a) ignore nulls over (order by b) from t;
select s, rank() over (order by sum(b) desc) as place from t group by s order by place;
select rank() over (order by a) as r, sum(r) over (order by a), r + 1, max(b) over (order by a rows 2 preceding) from t order by rank() over (order by r)
