#!/usr/bin/env python3
"""Writes tests/data/sklearn/linear.json: a small data set, and what scikit-learn learns from it with linear models, k-means and PCA.

usage: python3 tests/Peers/linear.py        (from the repository's folder; numpy and scikit-learn needed)
Penalties are given as scikit-learn has them; the tests turn them into Regularization and ElasticNet.
"""
import json
import os
import warnings

import numpy as np
import sklearn
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import ElasticNet, HuberRegressor, Lasso, LinearRegression, LogisticRegression, Ridge

warnings.filterwarnings('error', category=sklearn.exceptions.ConvergenceWarning)
rng = np.random.default_rng(20)
n, p = 120, 6
mixing = np.eye(p) + 0.4 * rng.standard_normal((p, p))
X = np.round(rng.standard_normal((n, p)) @ mixing * [1, 0.1, 5, 1, 2, 1] + [0, 3, -2, 0, 10, 0.5], 6)
standard = (X - X.mean(0)) / X.std(0)
y = np.round(2 + standard @ [1.5, -2, 0.5, 0, 0, 0.25] + 0.5 * rng.standard_normal(n), 6)
y[::17] += 12
weights = np.round(rng.uniform(0.2, 3, n), 3)
binary = (standard @ [1, -1, 0.5, 0, 0.3, 0] + rng.logistic(size=n) > 0).astype(int)
three = np.argmax(standard @ rng.standard_normal((p, 3)) + rng.gumbel(size=(n, 3)), axis=1)


def linear(model, **fit):
    model.fit(X, y, **fit)
    extra = {'scale': float(model.scale_)} if hasattr(model, 'scale_') else {}
    return {'coefficients': model.coef_.tolist(), 'intercept': float(model.intercept_), **extra}


def logistic(labels, **parameters):
    # newton-cg goes on to the end; lbfgs stops where the objective falls by less than 2e-9 of it.
    weight = parameters.pop('weight', None)
    parameters.setdefault('solver', 'newton-cg')
    model = LogisticRegression(max_iter=100_000, tol=1e-12 if parameters['solver'] == 'saga' else 1e-7, **parameters).fit(X, labels, sample_weight=weight)
    return {'coefficients': model.coef_.ravel().tolist(), 'intercepts': model.intercept_.tolist(), 'first': model.predict_proba(X[:1])[0].tolist()}


start = X[[3, 50, 80, 101]]
clusters = KMeans(4, init=start, n_init=1, max_iter=100, tol=0, algorithm='lloyd').fit(X)
weighted_clusters = KMeans(4, init=start, n_init=1, max_iter=100, tol=0, algorithm='lloyd').fit(X, sample_weight=weights)
components = PCA(4, svd_solver='full').fit(X)
result = {
    'versions': {'scikit-learn': sklearn.__version__, 'numpy': np.__version__},
    'X': X.tolist(), 'y': y.tolist(), 'weights': weights.tolist(), 'binary': binary.tolist(), 'three': three.tolist(),
    'ordinary': linear(LinearRegression()),
    'ordinary_weighted': linear(LinearRegression(), sample_weight=weights),
    'ordinary_through_0': linear(LinearRegression(fit_intercept=False)),
    'ridge_7': linear(Ridge(alpha=7, solver='cholesky')),
    'ridge_7_weighted': linear(Ridge(alpha=7, solver='cholesky'), sample_weight=weights),
    'lasso_0.3': linear(Lasso(alpha=0.3, tol=1e-14, max_iter=1_000_000)),
    'elastic_0.4_0.7': linear(ElasticNet(alpha=0.4, l1_ratio=0.7, tol=1e-14, max_iter=1_000_000)),
    'elastic_0.4_0.7_weighted': linear(ElasticNet(alpha=0.4, l1_ratio=0.7, tol=1e-14, max_iter=1_000_000), sample_weight=weights),
    'huber_1.35_0.6': linear(HuberRegressor(epsilon=1.35, alpha=0.6, max_iter=100_000, tol=1e-10)),
    'logistic_2': logistic(binary, C=2),
    'logistic_2_weighted': logistic(binary, C=2, weight=weights),
    'logistic_2_through_0': logistic(binary, C=2, fit_intercept=False),
    'logistic_l1_0.5': logistic(binary, C=0.5, penalty='l1', solver='saga', random_state=1),
    'softmax_2': logistic(three, C=2, multi_class='multinomial'),
    'kmeans': {'start': start.tolist(), 'centers': clusters.cluster_centers_.tolist(), 'labels': clusters.labels_.tolist(), 'cost': float(clusters.inertia_)},
    'kmeans_weighted': {'centers': weighted_clusters.cluster_centers_.tolist(), 'cost': float(weighted_clusters.inertia_)},
    'pca': {
        'components': components.components_.tolist(), 'variances': components.explained_variance_.tolist(),
        'shares': components.explained_variance_ratio_.tolist(), 'first': components.transform(X[:1])[0].tolist(),
    },
}
folder = os.path.join(os.path.dirname(__file__), '..', 'data', 'sklearn')
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, 'linear.json'), 'w') as file:
    file.write('{\n' + ',\n'.join(f'  {json.dumps(key)}: {json.dumps(value)}' for key, value in result.items()) + '\n}\n')
