#!/usr/bin/env python3
"""Neighbours as scikit-learn finds them, for MLlib.Tests/Neighbors. usage: neighbors.py FOLDER
Writes neighbors.csv: versions in the first line; then for each metric and query the ids and distances of the 4 nearest rows, and votes and means of learners.
Rows and queries are made by a formula that the test has too, in single precision."""
import os, sys
import numpy as np, sklearn
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestNeighbors

ROWS, QUERIES, FEATURES, K = 60, 8, 5, 4


def values(rows, shift):
    return np.array([[np.float32(((r * 37 + c * 101 + shift * 53 + r * c * 7) % 97) / 8.0 - 4) for c in range(FEATURES)] for r in range(rows)], np.float32)


rows, queries = values(ROWS, 0).astype(np.float64), values(QUERIES, 1).astype(np.float64)
labels = np.array([(r * 5 + r // 7) % 3 for r in range(ROWS)])
lines = [f"# scikit-learn {sklearn.__version__}, numpy {np.__version__}; case,query,values"]


def add(case, q, items):
    lines.append(",".join([case, str(q)] + [repr(float(i)) if isinstance(i, (float, np.floating)) else str(int(i)) for i in items]))


for case, metric, extra in (("Euclidean", "euclidean", {}), ("SquaredEuclidean", "sqeuclidean", {}), ("Cosine", "cosine", {}), ("Manhattan", "manhattan", {}),
                            ("Chebyshev", "chebyshev", {}), ("Minkowski:3", "minkowski", {"p": 3}), ("Minkowski:1.5", "minkowski", {"p": 1.5})):
    found = NearestNeighbors(n_neighbors=K, metric=metric, algorithm="brute", **extra).fit(rows)
    distances, ids = found.kneighbors(queries)
    for q in range(QUERIES):
        add(case, q, [x for i, d in zip(ids[q], distances[q]) for x in (int(i), float(d))])

# Few values, so that features agree; ties are broken by id here, since scikit-learn leaves their order open.
few, asked = np.floor(rows / 3), np.floor(queries / 3)
for case, metric, a, b in (("Hamming", "hamming", few, asked), ("Jaccard", "jaccard", few > 0, asked > 0)):
    from sklearn.metrics import pairwise_distances
    d = pairwise_distances(b, a, metric=metric)
    for q in range(QUERIES):
        ids = np.lexsort((np.arange(ROWS), np.round(d[q], 12)))[:K]
        add(case, q, [x for i in ids for x in (int(i), float(d[q][i]))])

for weights in ("uniform", "distance"):
    c = KNeighborsClassifier(5, weights=weights, algorithm="brute").fit(rows, labels)
    r = KNeighborsRegressor(5, weights=weights, algorithm="brute").fit(rows, labels * 1.5 + rows[:, 0])
    p, m = c.predict_proba(queries), r.predict(queries)
    for q in range(QUERIES):
        add("votes:" + weights, q, [float(x) for x in p[q]])
        add("mean:" + weights, q, [float(m[q])])
open(os.path.join(sys.argv[1], "neighbors.csv"), "w").write("\n".join(lines) + "\n")
