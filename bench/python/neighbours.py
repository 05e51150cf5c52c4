"""Times the exact nearest neighbours of each row among the others by cosine, with one of several libraries.

Rows have length 1, so that the largest inner product and the smallest distance are the largest cosine.
"""
import numpy as np

from program import argument_parser, read_safetensors, report, time_steps


def with_faiss(rows, count, threads):
    import faiss

    faiss.omp_set_num_threads(threads)

    def search(_):
        index = faiss.IndexFlatIP(rows.shape[1])
        index.add(rows)
        return without_self(index.search(rows, count + 1)[1])

    return f'faiss {faiss.__version__}', search


def with_sklearn(rows, count, threads):
    import sklearn
    from sklearn.neighbors import NearestNeighbors

    def search(_):
        # Of its ways the quickest: for the cosine itself it computes all distances and sorts them afterwards.
        model = NearestNeighbors(n_neighbors=count, algorithm='brute', metric='sqeuclidean').fit(rows)
        # Without rows to ask about it leaves each row itself out.
        return model.kneighbors(return_distance=False)

    return f'scikit-learn {sklearn.__version__}', search


def with_torch(rows, count, threads):
    import torch

    torch.set_num_threads(threads)
    x = torch.from_numpy(rows)

    def search(_):
        found = []
        for start in range(0, len(x), BLOCK):
            products = x[start : start + BLOCK] @ x.T
            # A row is no neighbour of its own.
            products.diagonal(start).fill_(-2)
            found.append(products.topk(count).indices)
        return torch.cat(found).numpy()

    return f'PyTorch {torch.__version__}', search


LIBRARIES = {'faiss': with_faiss, 'sklearn': with_sklearn, 'torch': with_torch}

# Rows whose products with all others are made and looked through at once: 512 of 20,000 are 40 MB.
BLOCK = 512


def without_self(found):
    """Leaves each row itself out of its neighbours, or the last one where equal rows stand before it."""
    own = found == np.arange(len(found))[:, None]
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(len(found), -1)


def cosines(rows, found):
    """In float64, of each row and those found for it: the same for all who name the same rows, or others just as near."""
    exact = lambda part: part.astype(np.float64)
    return [float(value) for row, near in zip(rows, found) for value in exact(rows[near]) @ exact(row)]


def main():
    args = argument_parser(__doc__, library='torch', count=10, rows='').parse_args()
    rows = read_safetensors(args.rows)['rows'].copy()
    version, search = LIBRARIES[args.library](rows, args.count, args.threads)
    checks = cosines(rows, search(0))
    report(version, len(rows), time_steps(args, search), checks)


if __name__ == '__main__':
    main()
