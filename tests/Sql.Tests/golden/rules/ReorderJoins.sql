SELECT s FROM big, mid, small WHERE big.k = mid.k AND mid.m = small.m AND n = 'x';
SELECT s FROM big JOIN mid ON big.k = mid.k JOIN small ON mid.m = small.m JOIN mid other ON other.k = big.v;
SELECT s FROM big, small, mid WHERE big.k = mid.k;
SELECT s FROM big, mid, small WHERE big.k = mid.k AND mid.k = small.m;
SELECT s FROM big JOIN mid ON big.k = mid.k AND big.v = mid.m JOIN small ON small.m = big.v
