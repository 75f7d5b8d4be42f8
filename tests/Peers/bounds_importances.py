#!/usr/bin/env python3
"""Writes tests/data/sklearn/bounds_importances.json: linear models with bounds on their coefficients (scikit-learn, scipy), and permutation importances (scikit-learn), of the rows of
linear.json, which linear.py writes.

usage: python3 tests/Peers/bounds_importances.py        (from the repository's folder)
"""
import json
import os

import numpy as np
import scipy
import sklearn
from scipy.optimize import lsq_linear, minimize
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression

folder = os.path.join(os.path.dirname(__file__), '..', 'data', 'sklearn')
data = json.load(open(os.path.join(folder, 'linear.json')))
X, y, binary, three = (np.array(data[name]) for name in ('X', 'y', 'binary', 'three'))
n, p = X.shape
inf = np.inf


def linear(lower, upper, penalty, lower_intercept=-inf, upper_intercept=inf):
    """1 / (2 n) sum of squares + penalty / 2 x sum of squared coefficients, as a least squares problem with rows for the penalty."""
    A = np.vstack([np.hstack([X, np.ones((n, 1))]), np.hstack([np.sqrt(n * penalty) * np.eye(p), np.zeros((p, 1))])])
    end = lsq_linear(A, np.append(y, np.zeros(p)), (np.append(lower, lower_intercept), np.append(upper, upper_intercept)), method='bvls', tol=1e-15, max_iter=10_000)
    return {'coefficients': end.x[:p].tolist(), 'intercept': float(end.x[p])}


def logistic(labels, classes, lower, upper, penalty, lower_intercept=-inf, upper_intercept=inf):
    """Mean of -log(probability) + penalty / 2 x sum of squared coefficients, in units of the deviations so that the minimum is found to many digits."""
    margins = 1 if classes == 2 else classes
    deviations = X.std(0)
    Z = X / deviations

    def value(point):
        B, c = point[:margins * p].reshape(margins, p), point[margins * p:]
        M = Z @ B.T + c
        if margins == 1:
            M = np.hstack([np.zeros((n, 1)), M])
        top = M.max(1, keepdims=True)
        P = np.exp(M - top)
        P /= P.sum(1, keepdims=True)
        loss = -np.log(P[np.arange(n), labels]).mean() + penalty / 2 * ((B / deviations) ** 2).sum()
        D = (P - np.eye(max(2, margins))[labels])[:, -margins:] / n
        return loss, np.concatenate([(D.T @ Z + penalty * B / deviations ** 2).ravel(), D.sum(0)])

    box = [(l * d if l > -inf else None, u * d if u < inf else None) for l, u, d in zip(np.tile(lower, margins), np.tile(upper, margins), np.tile(deviations, margins))]
    box += [(lower_intercept if lower_intercept > -inf else None, upper_intercept if upper_intercept < inf else None)] * margins
    start = np.array([min(max(0, -inf if l is None else l), inf if u is None else u) for l, u in box])
    end = minimize(value, start, jac=True, method='L-BFGS-B', bounds=box, options={'maxiter': 100_000, 'maxfun': 1_000_000, 'ftol': 1e-16, 'gtol': 1e-11, 'maxcor': 30})
    B = end.x[:margins * p].reshape(margins, p) / deviations
    return {'coefficients': B.ravel().tolist(), 'intercepts': end.x[margins * p:].tolist(), 'value': float(end.fun)}


def importance(model, labels, scoring):
    found = permutation_importance(model, X, labels, scoring=scoring, n_repeats=300, random_state=1)
    return {'means': found.importances_mean.tolist(), 'deviations': found.importances_std.tolist()}


positive = LinearRegression(positive=True).fit(X, y)
least, most = np.full(p, -0.4), np.full(p, 0.5)
result = {
    'versions': {'scikit-learn': sklearn.__version__, 'scipy': scipy.__version__, 'numpy': np.__version__},
    'linear_positive': {'coefficients': positive.coef_.tolist(), 'intercept': float(positive.intercept_)},
    'linear_box': linear(least, most, 0),
    'linear_box_ridge': linear(least, most, 0.3),
    'linear_intercept': linear(least, np.full(p, inf), 0.1, 1, 2),
    'logistic_box': logistic(binary, 2, least, most, 0.01),
    'logistic_positive': logistic(binary, 2, np.zeros(p), np.full(p, inf), 0),
    'logistic_intercept': logistic(binary, 2, least, most, 0.01, 0.25, 0.5),
    'softmax_box': logistic(three, 3, least, most, 0.02),
    'importance_linear': importance(LinearRegression().fit(X, y), y, 'r2'),
    'importance_logistic': importance(LogisticRegression(C=1, max_iter=10_000, tol=1e-10).fit(X, binary), binary, 'roc_auc'),
}
json.dump(result, open(os.path.join(folder, 'bounds_importances.json'), 'w'), indent=1)
