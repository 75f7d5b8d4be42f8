SELECT big.k FROM big JOIN mid ON big.v = mid.w WHERE big.k IN (SELECT m FROM small WHERE n = 'x')
