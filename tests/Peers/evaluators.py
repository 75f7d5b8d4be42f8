"""Writes tests/data/sklearn/evaluators.json: small data, and what scikit-learn's metrics say of it.

Run from the repository's root: python3 tests/Peers/evaluators.py
"""
import json
import platform
from pathlib import Path

import numpy as np
import sklearn
from sklearn import metrics

random = np.random.default_rng(11)


def binary(ties, weighted):
    n = 250
    labels = random.integers(0, 2, n)
    scores = np.clip(random.normal(0.35 + 0.25 * labels, 0.2), 0.001, 0.999)
    if ties:
        scores = np.round(scores, 1).clip(0.1, 0.9)
    weights = random.integers(1, 5, n) / 4 if weighted else np.ones(n)
    rates = metrics.roc_curve(labels, scores, sample_weight=weights, drop_intermediate=False)
    precision, recall, _ = metrics.precision_recall_curve(labels, scores, sample_weight=weights)
    # Spark's curve begins at recall 0 with the precision of the first threshold, scikit-learn's with 1.
    precision[-1] = precision[-2]
    return {
        "labels": labels.tolist(), "scores": scores.tolist(), "weights": weights.tolist(),
        "areaUnderRoc": metrics.roc_auc_score(labels, scores, sample_weight=weights),
        "areaUnderPrecisionRecall": metrics.auc(recall, precision),
        "averagePrecision": metrics.average_precision_score(labels, scores, sample_weight=weights),
        "logLoss": metrics.log_loss(labels, scores, sample_weight=weights, eps=1e-15),
        "falsePositiveRate": rates[0].tolist(), "truePositiveRate": rates[1].tolist(),
        "precision": precision[::-1].tolist(), "recall": recall[::-1].tolist(),
    }


def multiclass(weighted):
    n = 300
    labels = random.integers(0, 4, n)
    raw = random.normal(0, 1, (n, 4))
    raw[np.arange(n), labels] += 1.2
    probabilities = np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True)
    predictions = probabilities.argmax(axis=1)
    weights = random.integers(1, 9, n) / 8 if weighted else np.ones(n)
    each = metrics.precision_recall_fscore_support(labels, predictions, sample_weight=weights)
    average = metrics.precision_recall_fscore_support(labels, predictions, sample_weight=weights, average="weighted")
    return {
        "labels": labels.tolist(), "predictions": predictions.tolist(), "probabilities": probabilities.tolist(), "weights": weights.tolist(),
        "accuracy": metrics.accuracy_score(labels, predictions, sample_weight=weights),
        "weightedPrecision": average[0], "weightedRecall": average[1], "f1": average[2],
        "precision": each[0].tolist(), "recall": each[1].tolist(), "fMeasure": each[2].tolist(),
        "hammingLoss": metrics.hamming_loss(labels, predictions, sample_weight=weights),
        "logLoss": metrics.log_loss(labels, probabilities, sample_weight=weights),
        "confusion": metrics.confusion_matrix(labels, predictions, sample_weight=weights).tolist(),
    }


def regression(weighted):
    n = 200
    labels = random.normal(500, 20, n)
    predictions = labels + random.normal(0.5, 5, n)
    weights = random.integers(0, 5, n) / 3 if weighted else np.ones(n)
    mean = np.average(labels, weights=weights)
    return {
        "labels": labels.tolist(), "predictions": predictions.tolist(), "weights": weights.tolist(),
        "mse": metrics.mean_squared_error(labels, predictions, sample_weight=weights),
        "rmse": metrics.mean_squared_error(labels, predictions, sample_weight=weights, squared=False),
        "mae": metrics.mean_absolute_error(labels, predictions, sample_weight=weights),
        "r2": metrics.r2_score(labels, predictions, sample_weight=weights),
        # As Spark defines it: how far predictions lie from the mean of the labels.
        "explainedVariance": float(np.average((predictions - mean) ** 2, weights=weights)),
    }


def ranking():
    groups, labels, scores, expected = [], [], [], {}
    for group in range(12):
        n = int(random.integers(3, 15))
        relevance = random.integers(0, 4, n)
        if group == 5:
            relevance[:] = 0
        score = np.round(random.normal(relevance * 0.5, 1), 1 if group % 2 else 6)
        groups += [f"q{group}"] * n
        labels += relevance.tolist()
        scores += score.tolist()
        if group != 5:
            for k in (1, 3, 10, 100):
                expected.setdefault(f"ndcg@{k}", []).append(metrics.ndcg_score([2.0 ** relevance - 1], [score], k=k))
    return {"groups": groups, "labels": labels, "scores": scores, **{name: float(np.mean(values)) for name, values in expected.items()}}


def clustering():
    points = np.vstack([random.normal(center, 1, (40, 3)) for center in ([0, 0, 5], [4, 4, 1], [-3, 6, 2])])
    clusters = np.repeat([0, 1, 2], 40)
    clusters[random.integers(0, 120, 10)] = 1
    return {
        "points": points.tolist(), "clusters": clusters.tolist(),
        "squaredEuclidean": metrics.silhouette_score(points, clusters, metric="sqeuclidean"),
        "cosine": metrics.silhouette_score(points, clusters, metric="cosine"),
    }


result = {
    "made by": f"tests/Peers/evaluators.py with scikit-learn {sklearn.__version__}, numpy {np.__version__}, Python {platform.python_version()}",
    "binary": [binary(ties, weighted) for ties in (False, True) for weighted in (False, True)],
    "multiclass": [multiclass(False), multiclass(True)],
    "regression": [regression(False), regression(True)],
    "ranking": ranking(),
    "clustering": clustering(),
}
path = Path(__file__).resolve().parents[1] / "data" / "sklearn" / "evaluators.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(result) + "\n")
print(path, path.stat().st_size, "bytes")
