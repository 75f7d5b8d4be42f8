#!/usr/bin/env python3
"""Trees and forests of scikit-learn, for MLlib.Tests/TreeFitting. usage: forest.py FOLDER
Writes forest.json: versions, rows of a small data set (features of less than 255 values, so that bins cut where exact search does), and what single trees predict for them,
which must agree; and how good forests are on other rows, the mean of several seeds, which must be met within the tolerance that stands in the test."""
import json, os, sys
import numpy as np, sklearn
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import accuracy_score, log_loss, mean_squared_error
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

ROWS, TEST, FEATURES, SEEDS, TREES = 240, 400, 4, 8, 100
random = np.random.default_rng(11)


def data(rows):
    x = np.round(random.uniform(-2, 2, (rows, FEATURES)), 3)
    score = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2])
    return x, np.round(score + random.normal(0, 0.2, rows), 4), (score + random.normal(0, 0.5, rows) > 0).astype(int), np.digitize(score + random.normal(0, 0.3, rows), [-0.6, 0.6])


x, number, two, three = data(ROWS)
tx, tnumber, ttwo, tthree = data(TEST)
weights = random.integers(1, 4, ROWS)
out = {"versions": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
       "train": [[*map(float, a), float(b), int(c), int(d), int(e)] for a, b, c, d, e in zip(x, number, two, three, weights)],
       "test": [[*map(float, a), float(b), int(c), int(d)] for a, b, c, d in zip(tx, tnumber, ttwo, tthree)]}

# The rows that were learned from: between their values, where no row says anything, exact search cuts in the middle of what a node has, and bins where all rows have values.
asked = x
trees = {}
for name, criterion in (("gini", "gini"), ("entropy", "entropy"), ("log_loss", "log_loss")):
    for weighted in (False, True):
        tree = DecisionTreeClassifier(criterion=criterion, max_depth=4, min_samples_leaf=4, random_state=0).fit(x, two, weights if weighted else None)
        trees[name + (", weighted" if weighted else "")] = [float(p) for p in tree.predict_proba(asked)[:, 1]]
for weighted in (False, True):
    tree = DecisionTreeRegressor(max_depth=4, min_samples_leaf=4, random_state=0).fit(x, number, weights if weighted else None)
    trees["squared" + (", weighted" if weighted else "")] = [float(p) for p in tree.predict(asked)]
out["trees"] = trees


def mean(make, measure):
    return float(np.mean([measure(make(seed)) for seed in range(SEEDS)]))


forests = {}
for criterion in ("gini", "entropy"):
    fit = lambda seed, y: RandomForestClassifier(TREES, criterion=criterion, min_samples_leaf=2, random_state=seed).fit(x, y)
    forests[criterion] = {"accuracy": mean(lambda s: fit(s, two), lambda m: accuracy_score(ttwo, m.predict(tx))),
                          "log_loss": mean(lambda s: fit(s, two), lambda m: log_loss(ttwo, np.clip(m.predict_proba(tx), 1e-6, 1 - 1e-6))),
                          "accuracy_of_three": mean(lambda s: fit(s, three), lambda m: accuracy_score(tthree, m.predict(tx)))}
forests["squared"] = {"rmse": mean(lambda s: RandomForestRegressor(TREES, max_features=2, min_samples_leaf=2, random_state=s).fit(x, number), lambda m: mean_squared_error(tnumber, m.predict(tx)) ** 0.5)}
out["forests"] = forests
with open(os.path.join(sys.argv[1], "forest.json"), "w") as file:
    json.dump(out, file, separators=(",", ":"))
    file.write("\n")
print(json.dumps(forests, indent=1))
