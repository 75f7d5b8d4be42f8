select a + b, a + c, a / b, a div 2, b % 3, a + d, d * 2, d / 3, d + 0.5, c * 0.5, -a, -1, 2147483648, 1.50, 1e3, 2L, 3S, 4Y, 5F, 6D, 7BD from t;
select a = 3L, a = 3000000000, b = 3, d > 1, d > 0.005, c > 0.5, a > 5.5, s = 1, e > '2024-01-31', e > 'soon', w > e, x = 'true', null = a from t;
select a in (1, 2L, 3), b in (1, null), d in (1, 2.50), s in ('a', 'b'), e in ('2024-01-01'), a in (b, 3), a not in (1) from t;
select a between 1 and 5, a not between b and 7, a is distinct from b, a is not distinct from 3, a <=> null, x is true, x is not false, x is unknown from t;
select s like 'a%', s not like 'a!_' escape '!', s ilike 'A', s rlike '^a', s like any ('a%', 'b%'), s not like all ('a', 'b') from t;
select case when x then 1 else 2.5 end, case a when 1 then 'a' when 2 then null end, if(x, a, b), nullif(a, 1), nvl2(a, 1, 2) from t;
select date '2024-01-31' + interval '1' month, e - interval 90 days, e + 3, e - e, e + interval '1' hour, interval '1-2' year to month, interval '1 2:03:04.5' day to second, interval 1 week 2 days from t;
select cast(s as int), s::decimal(12,2), try_cast(s as date), cast(a as string), a::int from t;
select extract(year from e), substring(s from 2 for 3), substr(s, 2), trim(both 'x' from s), trim(leading from s), trim(s), s || 'a' || 'b', current_date from t;
select timestamp '2024-01-31 10:00:00', timestamp '2024-01-31T10:00:00+02:00', timestamp_ntz '2024-01-31 10:00', X'0aff', 'it''s' ' one' as text, r'\n' as raw from t
