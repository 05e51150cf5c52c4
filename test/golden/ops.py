"""Golden forward values and gradients of single operators: python3 test/golden/ops.py

Writes ops.json beside itself. Each case holds its `inputs`, its `outputs`, the `upstream` gradient of the
first output where that is no scalar, and the `gradients` of the inputs that have one. Sizes of the axes
differ from each other wherever they can, so that a swap of two shows.
"""
import os

import torch
import torch.nn.functional as F

from keras_conventions import average_pool, batch_norm_train, conv, max_pool, normalise, stored, write_json

SEED = 20180321
random = torch.Generator().manual_seed(SEED)


def normal(*shape, mean=0.0, deviation=1.0):
    """Float32 values held as float64, so that the reader starts from the very same numbers."""
    return (mean + deviation * torch.randn(shape, generator=random)).double()


def positive(*shape):
    return (0.5 + torch.rand(shape, generator=random)).double()


def small_integers(*shape):
    """0 to 3: in every window of a pool several maxima tie."""
    return torch.randint(0, 4, shape, generator=random).double()


def make_case(function, differentiable, constants=None):
    """`function(**inputs)` gives one tensor, or a dict of them whose first is differentiated."""
    constants = constants or {}
    leaves = {name: t.clone().requires_grad_() for name, t in differentiable.items()}
    outputs = function(**leaves, **constants)
    if not isinstance(outputs, dict):
        outputs = {'y': outputs}
    first = next(iter(outputs.values()))
    upstream = normal(*first.shape) if first.dim() > 0 else torch.ones(()).double()
    first.backward(upstream)
    each_stored = lambda tensors: {name: stored(t) for name, t in tensors.items()}
    return {
        'inputs': each_stored({**differentiable, **constants}),
        'outputs': each_stored(outputs),
        **({'upstream': stored(upstream)} if first.dim() > 0 else {}),
        'gradients': each_stored({name: leaf.grad for name, leaf in leaves.items()}),
    }


def train_norm(x, scale, shift, movingMean, movingVariance):
    y, new_mean, new_variance = batch_norm_train(x, scale, shift, movingMean, movingVariance)
    return {
        'y': y,
        'mean': x.mean((0, 2, 3)),
        'variance': x.var((0, 2, 3), unbiased=False),
        'movingMean': new_mean,
        'movingVariance': new_variance,
    }


def inference_norm(x, scale, shift, mean, variance):
    return normalise(x, scale, shift, mean, variance)


def cross_entropy(logits, targets):
    return {'loss': F.cross_entropy(logits, targets), 'logProbabilities': F.log_softmax(logits, 1)}


def dense(x, kernel, bias):
    return x @ kernel + bias


cases = {
    'conv5x5': make_case(conv, {'x': normal(2, 3, 7, 6), 'kernel': normal(4, 3, 5, 5)}),
    'conv3x3': make_case(conv, {'x': normal(2, 3, 5, 4), 'kernel': normal(4, 3, 3, 3)}),
    'conv1x1': make_case(conv, {'x': normal(2, 3, 4, 5), 'kernel': normal(6, 3, 1, 1)}),
    'maxPoolEven': make_case(max_pool, {'x': normal(2, 3, 6, 8)}),
    'maxPoolOdd': make_case(max_pool, {'x': normal(2, 3, 7, 5)}),
    'maxPoolEvenOddNegative': make_case(max_pool, {'x': -positive(2, 1, 6, 5)}),
    'maxPoolEvenTies': make_case(max_pool, {'x': small_integers(2, 2, 6, 8)}),
    'maxPoolOddTies': make_case(max_pool, {'x': small_integers(2, 2, 7, 5)}),
    'averagePoolEven': make_case(average_pool, {'x': normal(2, 3, 6, 8)}),
    'averagePoolOdd': make_case(average_pool, {'x': normal(2, 3, 7, 5)}),
    'batchNormTrain': make_case(
        train_norm,
        {'x': normal(3, 4, 5, 2, mean=1, deviation=3), 'scale': positive(4), 'shift': normal(4)},
        {'movingMean': normal(4), 'movingVariance': positive(4)},
    ),
    'batchNormInference': make_case(
        inference_norm,
        {'x': normal(3, 4, 5, 2), 'scale': positive(4), 'shift': normal(4)},
        {'mean': normal(4), 'variance': positive(4)},
    ),
    'crossEntropy': make_case(
        cross_entropy,
        {'logits': normal(5, 4, deviation=3)},
        {'targets': torch.tensor([2, 0, 3, 3, 1])},
    ),
    'crossEntropyLargeLogits': make_case(
        cross_entropy,
        {'logits': torch.tensor([[1000.0, 0.0, -1000.0], [-500.0, -501.0, -502.0]]).double()},
        {'targets': torch.tensor([0, 2])},
    ),
    'dense': make_case(dense, {'x': normal(5, 6), 'kernel': normal(6, 4), 'bias': normal(4)}),
    'sigmoid': make_case(lambda x: torch.sigmoid(x), {'x': normal(3, 4, deviation=3)}),
    'tanh': make_case(lambda x: torch.tanh(x), {'x': normal(3, 4, deviation=3)}),
    'erf': make_case(lambda x: torch.erf(x), {'x': normal(3, 4, deviation=3)}),
    'gelu': make_case(lambda x: F.gelu(x), {'x': normal(3, 4, deviation=3)}),
}

if __name__ == '__main__':
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'ops.json')
    write_json(path, 'ops.py', {'seed': SEED, 'cases': cases})
