#!/usr/bin/env python3
"""Writes tests/data/xgboost: small models that XGBoost trained and saved as JSON, rows, and what it predicts for them (margins; SHAP values for one).
usage: xgboost_models.py FOLDER      needs xgboost (written with 1.7.4) and numpy; the numbers depend on their versions, which versions.txt notes."""
import os, sys
import numpy as np
import xgboost as xgb

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
r = np.random.default_rng(20261122)
X = r.normal(size=(900, 6)).astype(np.float32)
X[:, 3] = r.integers(0, 8, 900)
X[:, 4] = r.integers(-2, 3, 900)
X[r.random(X.shape) < 0.06] = np.nan
z = np.nan_to_num(X)
s = 1.5 * z[:, 0] - z[:, 1] * z[:, 2] + np.isin(z[:, 3], [1, 4, 6]) * 2.0 + z[:, 4] * 0.5 + np.sin(3 * z[:, 5])
test = X[:80]


def number(v):
    return 'nan' if np.isnan(v) else repr(float(v))


def save(name, rows):
    with open(os.path.join(folder, name), 'w') as f:
        for row in rows:
            f.write('\t'.join(number(v) for v in np.atleast_1d(row)) + '\n')


def train(name, parameters, label, rounds=6, categories=False, shap=False, **more):
    kinds = dict(feature_types=['float', 'float', 'float', 'c', 'float', 'float'], enable_categorical=True) if categories else {}
    data = xgb.DMatrix(X, label=label, **kinds, **more)
    booster = xgb.train(dict(dict(tree_method='hist', max_depth=4, eta=0.3, seed=7, nthread=1), **parameters), data, rounds)
    booster.save_model(os.path.join(folder, name + '.json'))
    rows = xgb.DMatrix(test, **kinds)
    all_trees = dict(iteration_range=(0, rounds))
    save(name + '.margins.tsv', booster.predict(rows, output_margin=True, **all_trees))
    save(name + '.predictions.tsv', booster.predict(rows, **all_trees))
    if shap:
        save(name + '.shap.tsv', booster.predict(rows, pred_contribs=True, **all_trees))


save('rows.tsv', test)
train('regression', dict(objective='reg:squarederror', base_score=1.25), s, shap=True)
train('binary', dict(objective='binary:logistic', base_score=0.3), (s > 0.5) * 1.0, shap=True)
train('lossguide', dict(objective='binary:logistic', grow_policy='lossguide', max_leaves=20, max_depth=0), (s > 0.5) * 1.0, 3)
train('multiclass', dict(objective='multi:softprob', num_class=3, num_parallel_tree=2, subsample=0.7, max_depth=3), np.digitize(s, [-1, 1]) * 1.0, 3)
train('poisson', dict(objective='count:poisson', base_score=2.0, max_depth=3), r.poisson(np.exp(np.clip(s / 3, -2, 2))) * 1.0)
train('dart', dict(objective='reg:squarederror', booster='dart', rate_drop=0.4, max_depth=3), s)
train('categorical', dict(objective='reg:squarederror', max_cat_to_onehot=1, max_depth=3), s, categories=True)
train('onehot', dict(objective='reg:squarederror', max_cat_to_onehot=20, max_depth=3), s, categories=True)
train('pruned', dict(objective='reg:squarederror', tree_method='exact', gamma=60), s, 3)
with open(os.path.join(folder, 'versions.txt'), 'w') as f:
    f.write(f'xgboost {xgb.__version__}, numpy {np.__version__}, tests/Peers/xgboost_models.py\n')
