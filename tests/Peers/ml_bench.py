#!/usr/bin/env python3
"""Learners of other libraries on the same data, for the benchmark command `ml`, which starts it: one JSON line, seconds are the best of --repeat.
usage: ml_bench.py WHAT DIR [--leaves N] [--trees N] [--threads N] [--repeat N] [--k N] [--ef N]
WHAT: gbt | knn | hnsw | kmeans | linear | logistic | pca | forest.  DIR: train_X.npy train_y.npy test_X.npy test_y.npy, or base.npy query.npy.
Needs Debian's python3-sklearn, python3-xgboost and python3-faiss."""
import argparse, json, os, resource, time

parser = argparse.ArgumentParser()
parser.add_argument('what'); parser.add_argument('dir')
parser.add_argument('--leaves', type=int, default=31); parser.add_argument('--trees', type=int, default=100)
parser.add_argument('--threads', type=int, default=2); parser.add_argument('--repeat', type=int, default=2)
parser.add_argument('--k', type=int, default=10); parser.add_argument('--ef', type=int, default=64)
args = parser.parse_args()
for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
    os.environ[name] = str(args.threads)
for name in ('OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE'):
    os.environ.pop(name, None)      # an inherited setting would pin slower kernels
import numpy as np

now = time.perf_counter


def load(name):
    path = os.path.join(args.dir, name + '.npy')
    return np.load(path) if os.path.exists(path) else None


def best(work, repeat=None):
    seconds, result = float('inf'), None
    for _ in range(repeat or args.repeat):
        start = now()
        result = work()
        seconds = min(seconds, now() - start)
    return seconds, result


def current_mb():
    return int(open('/proc/self/statm').read().split()[1]) * 4096 / 2 ** 20


def auc(scores, labels):
    order = np.argsort(scores, kind='stable')
    ranks = np.empty(len(scores)); ranks[order] = np.arange(1, len(scores) + 1)
    positive = float((labels > 0).sum())
    return float((ranks[labels > 0].sum() - positive * (positive + 1) / 2) / (positive * (len(labels) - positive)))


def log_loss(probabilities, labels):
    p = np.clip(probabilities.astype(np.float64), 1e-15, 1 - 1e-15)
    return float(-np.where(labels > 0, np.log(p), np.log1p(-p)).mean())


def emit(peer, **values):
    print(json.dumps(dict(peer=peer, what=args.what, **{k: round(v, 6) if isinstance(v, float) else v for k, v in values.items()})), flush=True)


X, y, test_X, test_y = load('train_X'), load('train_y'), load('test_X'), load('test_y')
if X is not None and X.dtype != np.float32:
    X, test_X = X.astype(np.float32), test_X.astype(np.float32)

if args.what == 'gbt':
    import xgboost
    settings = dict(objective='binary:logistic', tree_method='hist', grow_policy='lossguide', max_leaves=args.leaves, max_depth=0, max_bin=256, eta=0.1,
                    nthread=args.threads, min_child_weight=1e-3, reg_lambda=1.0)
    before, result = current_mb(), None
    for _ in range(args.repeat):
        start = now(); data = xgboost.DMatrix(X, y, nthread=args.threads)
        xgboost.train(dict(settings, max_leaves=2), data, 1); binned = now()      # the first round makes the bins
        model = xgboost.train(settings, data, args.trees); trained = now()
        scores = model.inplace_predict(test_X); done = now()
        times = dict(bins=binned - start, train=trained - binned, predict=done - trained)
        result = times if result is None else {k: min(v, result[k]) for k, v in times.items()}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    emit('xgboost ' + xgboost.__version__, auc=auc(scores, test_y), log_loss=log_loss(scores, test_y), extra_mb=peak - before, **result)
elif args.what == 'forest':
    import sklearn
    from sklearn.ensemble import RandomForestClassifier
    rows = min(len(X), 100000)
    seconds, model = best(lambda: RandomForestClassifier(20, max_depth=12, n_jobs=args.threads, random_state=1).fit(X[:rows], y[:rows]), 1)
    emit('scikit-learn ' + sklearn.__version__, seconds=seconds, auc=auc(model.predict_proba(test_X)[:, 1], test_y))
elif args.what in ('kmeans', 'linear', 'logistic', 'pca'):
    import sklearn
    mean, deviation = X.mean(0, dtype=np.float64), X.std(0, dtype=np.float64)
    Z, test_Z = ((X - mean) / deviation).astype(np.float32), ((test_X - mean) / deviation).astype(np.float32)
    peer = 'scikit-learn ' + sklearn.__version__
    if args.what == 'kmeans':
        from sklearn.cluster import KMeans
        centers = Z[np.random.default_rng(3).choice(len(Z), 100, replace=False)]
        seconds, model = best(lambda: KMeans(100, init=centers, n_init=1, max_iter=10, tol=0, algorithm='lloyd').fit(Z))
        emit(peer, seconds=seconds, inertia=float(model.inertia_), iterations=int(model.n_iter_))
    elif args.what == 'linear':
        from sklearn.linear_model import LinearRegression
        seconds, model = best(lambda: LinearRegression(n_jobs=args.threads).fit(Z, y.astype(np.float32)), 3)
        emit(peer, seconds=seconds, rmse=float(np.sqrt(((model.predict(test_Z) - test_y) ** 2).mean())))
    elif args.what == 'logistic':
        from sklearn.linear_model import LogisticRegression
        seconds, model = best(lambda: LogisticRegression(C=1.0, max_iter=100, tol=1e-4).fit(Z, y))
        p = model.predict_proba(test_Z)[:, 1]
        emit(peer, seconds=seconds, auc=auc(p, test_y), log_loss=log_loss(p, test_y), iterations=int(model.n_iter_[0]))
    else:
        from sklearn.decomposition import PCA
        seconds, model = best(lambda: PCA(10, svd_solver='full').fit(Z))
        emit(peer, seconds=seconds, explained=float(model.explained_variance_ratio_.sum()))
else:
    base, query = load('base'), load('query')
    if base is None:
        base, query = X, test_X
    k = args.k
    if args.what == 'knn':
        found = []
        import sklearn
        from sklearn.neighbors import NearestNeighbors
        model = NearestNeighbors(n_neighbors=k, algorithm='brute', n_jobs=args.threads).fit(base)
        seconds, _ = best(lambda: model.kneighbors(query, return_distance=False))
        found.append((seconds, 'scikit-learn ' + sklearn.__version__))
        try:
            import faiss
            faiss.omp_set_num_threads(args.threads)
            index = faiss.IndexFlatL2(base.shape[1]); index.add(base)
            seconds, _ = best(lambda: index.search(query, k))
            found.append((seconds, 'faiss ' + faiss.__version__))
        except ImportError:
            pass
        seconds, peer = min(found)
        emit(peer, seconds=seconds, all={name: round(s, 3) for s, name in found})
    elif args.what == 'hnsw':
        import faiss
        faiss.omp_set_num_threads(args.threads)
        index = faiss.IndexHNSWFlat(base.shape[1], 32); index.hnsw.efConstruction = 200
        start = now(); index.add(base); build = now() - start
        index.hnsw.efSearch = args.ef
        seconds, (distances, _) = best(lambda: index.search(query, k))
        flat = faiss.IndexFlatL2(base.shape[1]); flat.add(base)
        exact, _ = flat.search(query, k)
        emit('faiss ' + faiss.__version__, build=build, queries_per_second=len(query) / seconds, recall=float((distances <= exact[:, -1:] * (1 + 1e-5)).mean()))
    else:
        parser.error('unknown: ' + args.what)
