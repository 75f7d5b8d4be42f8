"""Writes tests/data/sklearn/features.json: small data, and what scikit-learn's feature transformers make of it.

Run from the repository's root: python3 tests/Peers/features.py
"""
import json
import platform
from pathlib import Path

import numpy as np
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import KBinsDiscretizer, MaxAbsScaler, MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

random = np.random.default_rng(7)
whole = np.column_stack([
    random.normal(1000, 3, 97),
    random.exponential(2, 97) - 1,
    random.integers(0, 6, 97).astype(float),
    np.full(97, 2.5),
])
missing = whole.copy()
missing[random.random(missing.shape) < 0.2] = np.nan
categories = random.integers(0, 5, 97)


def listed(array):
    return [[None if np.isnan(value) else float(value) for value in row] for row in np.atleast_2d(array)]


# Spark gives a constant feature the middle of the range, scikit-learn its lower end: left out here.
varied = missing[:, :3]
bins = {n: KBinsDiscretizer(n_bins=n, encode="ordinal", strategy="quantile").fit(whole[:, :2]) for n in (2, 5, 10)}
result = {
    "made by": f"tests/Peers/features.py with scikit-learn {sklearn.__version__}, numpy {np.__version__}, Python {platform.python_version()}",
    "whole": listed(whole),
    "missing": listed(missing),
    "categories": categories.tolist(),
    "mean": SimpleImputer(strategy="mean").fit(missing).statistics_.tolist(),
    "median": SimpleImputer(strategy="median").fit(missing).statistics_.tolist(),
    "mostFrequent": SimpleImputer(strategy="most_frequent").fit(missing).statistics_.tolist(),
    "minMax": listed(MinMaxScaler(feature_range=(-1, 2)).fit_transform(varied)),
    "maxAbs": listed(MaxAbsScaler().fit_transform(missing)),
    "robust": listed(RobustScaler(quantile_range=(10, 90)).fit_transform(missing)),
    # scikit-learn divides by the deviation of all (n), Dataflow and Spark by that of a sample (n - 1).
    "standard": listed(StandardScaler().fit_transform(whole) * np.sqrt(96 / 97)),
    "edges": {str(n): [edges.tolist() for edges in each.bin_edges_] for n, each in bins.items()},
    "buckets": {str(n): each.transform(whole[:, :2]).astype(int).tolist() for n, each in bins.items()},
    "oneHot": OneHotEncoder(sparse_output=False).fit_transform(categories.reshape(-1, 1)).astype(int).tolist(),
}
path = Path(__file__).resolve().parents[1] / "data" / "sklearn" / "features.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(result) + "\n")
print(path, path.stat().st_size, "bytes")
