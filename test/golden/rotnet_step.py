"""Golden values of whole RotNet training steps: python3 test/golden/rotnet_step.py

Writes rotnet-step.json beside itself. The network is the full RotNet at width 1/16, on two image sizes:
12 (pools 12 -> 6 -> 3, both even: padding 0 before, 1 after) and 14 (14 -> 7 -> 4: the second pool has an
odd size, padding 1 before, 1 after). Each optimizer makes two steps on the same batch, the second of which
shows its momentum. Every update is written out by Keras's rule; torch.optim is not used.
"""
import os

import torch
import torch.nn.functional as F

from keras_conventions import (
    average_pool,
    batch_norm_train,
    conv,
    max_pool,
    normalise,
    pad_same,
    stored,
    write_json,
)

WIDTH = 1 / 16
BATCH = 8
CLASSES = 4
# (name, kernel size, channels at width 1) of each convolution; pools stand between the blocks.
BLOCKS = [
    [('conv1', 5, 192), ('conv2', 1, 160), ('conv3', 1, 96)],
    [('conv1', 5, 192), ('conv2', 1, 192), ('conv3', 1, 192)],
    [('conv1', 3, 192), ('conv2', 1, 192), ('conv3', 1, 192)],
]
SGD = {'learningRate': 0.1, 'momentum': 0.9}
ADAM = {'learningRate': 0.0005, 'beta1': 0.9, 'beta2': 0.999, 'epsilon': 1e-7, 'decay': 1e-5}
# A rounding error of float32 must not flip a ReLU or a pool's maximum: see `nearest_kink`.
KINK_DISTANCE = 2e-5


def glorot_uniform(shape, fan_in, fan_out, random):
    limit = (6 / (fan_in + fan_out)) ** 0.5
    return (torch.rand(shape, generator=random) * 2 - 1) * limit


def initial_params(random):
    """(params, buffers), float32 values held as float64.

    Scales, shifts and the bias start at random rather than at Keras's 1 and 0, so that a mistake in
    them shows.
    """
    params, buffers = {}, {}
    inputs = 1
    for b, block in enumerate(BLOCKS, 1):
        for name, size, channels in block:
            outputs = round(channels * WIDTH)
            key = f'block{b}.{name}'
            area = size * size
            shape = (outputs, inputs, size, size)
            params[f'{key}.kernel'] = glorot_uniform(shape, inputs * area, outputs * area, random)
            params[f'{key}.norm.scale'] = 0.5 + torch.rand(outputs, generator=random)
            params[f'{key}.norm.shift'] = 0.2 * torch.randn(outputs, generator=random)
            buffers[f'{key}.norm.movingMean'] = torch.zeros(outputs)
            buffers[f'{key}.norm.movingVariance'] = torch.ones(outputs)
            inputs = outputs
    params['head.kernel'] = glorot_uniform((inputs, CLASSES), inputs, CLASSES, random)
    params['head.bias'] = 0.1 * torch.randn(CLASSES, generator=random)
    widen = lambda tensors: {name: t.double() for name, t in tensors.items()}
    return widen(params), widen(buffers)


def forward(params, buffers, images, training):
    """(logits, new buffers, inputs of each ReLU, inputs of the max-pool)."""
    x = images.double() / 255
    new_buffers, relu_inputs = {}, []
    for b, block in enumerate(BLOCKS, 1):
        for name, _, _ in block:
            key = f'block{b}.{name}'
            x = conv(x, params[f'{key}.kernel'])
            scale, shift = params[f'{key}.norm.scale'], params[f'{key}.norm.shift']
            mean, variance = buffers[f'{key}.norm.movingMean'], buffers[f'{key}.norm.movingVariance']
            if training:
                x, mean, variance = batch_norm_train(x, scale, shift, mean, variance)
            else:
                x = normalise(x, scale, shift, mean, variance)
            new_buffers[f'{key}.norm.movingMean'] = mean
            new_buffers[f'{key}.norm.movingVariance'] = variance
            relu_inputs.append(x)
            x = F.relu(x)
        if b == 1:
            pool_inputs = x
            x = max_pool(x)
        if b == 2:
            x = average_pool(x)
    features = x.mean((2, 3))
    return features @ params['head.kernel'] + params['head.bias'], new_buffers, relu_inputs, pool_inputs


def nearest_kink(relu_inputs, pool_inputs):
    """How far the closest number is from where a ReLU or the max-pool's choice would flip."""
    to_zero = min(x.abs().min().item() for x in relu_inputs)
    one_channel_each = pad_same(pool_inputs, 3, 2, 0).flatten(0, 1)[:, None]
    largest, second = F.unfold(one_channel_each, 3, stride=2).topk(2, dim=1).values.unbind(1)
    # A window of zeros ties, but the ReLU before it passes no gradient on.
    to_tie = (largest - second)[largest > 0].min().item()
    return min(to_zero, to_tie)


def step(params, buffers, images, targets):
    """One forward and backward pass in training mode."""
    leaves = {name: t.clone().requires_grad_() for name, t in params.items()}
    logits, new_buffers, relu_inputs, pool_inputs = forward(leaves, buffers, images, training=True)
    loss = F.cross_entropy(logits, targets)
    loss.backward()
    return {
        'loss': loss.detach(),
        'accuracy': (logits.argmax(1) == targets).double().mean(),
        'logits': logits.detach(),
        'gradients': {name: leaf.grad for name, leaf in leaves.items()},
        'buffers': new_buffers,
        'kink': nearest_kink([x.detach() for x in relu_inputs], pool_inputs.detach()),
    }


def sgd_update(params, state, gradients, _):
    """v <- m v - lr g; w <- w + m v - lr g (Nesterov)."""
    lr, m = SGD['learningRate'], SGD['momentum']
    for name, g in gradients.items():
        v = m * state.get(name, 0) - lr * g
        state[name] = v
        params[name] = params[name] + m * v - lr * g


def adam_update(params, state, gradients, steps_done):
    """lr_t = lr / (1 + decay steps_done); w <- w - lr_t sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)."""
    b1, b2, t = ADAM['beta1'], ADAM['beta2'], steps_done + 1
    decayed = ADAM['learningRate'] / (1 + ADAM['decay'] * steps_done)
    alpha = decayed * (1 - b2**t) ** 0.5 / (1 - b1**t)
    for name, g in gradients.items():
        m, v = state.get(name, (0, 0))
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        state[name] = (m, v)
        params[name] = params[name] - alpha * m / (v.sqrt() + ADAM['epsilon'])


def train(update, params, buffers, images, targets):
    """Two steps; what each gave, and the params after it."""
    params, state, steps = dict(params), {}, []
    for steps_done in range(2):
        result = step(params, buffers, images, targets)
        buffers = result['buffers']
        update(params, state, result['gradients'], steps_done)
        steps.append({**result, 'params': dict(params)})
    return steps


def make_case(size, seed):
    random = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (BATCH, 1, size, size), generator=random, dtype=torch.uint8)
    targets = torch.randint(0, CLASSES, (BATCH,), generator=random)
    params, buffers = initial_params(random)
    sgd = train(sgd_update, params, buffers, images, targets)
    adam = train(adam_update, params, buffers, images, targets)
    evaluated, *_ = forward(sgd[1]['params'], sgd[1]['buffers'], images, training=False)
    return {
        'seed': seed,
        'nearestKink': min(result['kink'] for result in sgd + adam),
        'images': images,
        'targets': targets,
        'params': params,
        'buffers': buffers,
        'sgd': sgd,
        'adam': adam,
        'evaluatedAfterSgd': evaluated,
    }


def find_case(size):
    """The first seed whose steps keep away from every kink."""
    seed = 0
    while True:
        case = make_case(size, seed)
        if case['nearestKink'] >= KINK_DISTANCE:
            return case
        seed += 1


def in_full(tensors):
    return {name: stored(t) for name, t in tensors.items()}


def in_brief(tensors):
    """Euclidean norm and first eight values."""
    brief = lambda t: {'norm': stored(t.norm())['data'][0], 'first': stored(t.flatten()[:8])['data']}
    return {name: brief(t) for name, t in tensors.items()}


def case_to_json(case, tensors):
    """`tensors` says how much of each gradient and update is kept; the starting point is always in full."""
    number = lambda t: stored(t)['data'][0]

    def steps(results):
        return {
            f'step{i}': {
                'loss': number(r['loss']),
                'accuracy': number(r['accuracy']),
                'logits': stored(r['logits']),
                'gradients': tensors(r['gradients']),
                'params': tensors(r['params']),
                'buffers': tensors(r['buffers']),
            }
            for i, r in enumerate(results, 1)
        }

    return {
        'seed': case['seed'],
        'nearestKink': float(f'{case["nearestKink"]:.3g}'),
        'images': stored(case['images']),
        'targets': stored(case['targets']),
        'params': in_full(case['params']),
        'buffers': in_full(case['buffers']),
        'sgd': steps(case['sgd']),
        'adam': steps(case['adam']),
        'evaluatedAfterSgd': {'logits': stored(case['evaluatedAfterSgd'])},
    }


if __name__ == '__main__':
    content = {
        'width': WIDTH,
        'sgd': SGD,
        'adam': ADAM,
        'cases': {
            'size12': case_to_json(find_case(12), in_full),
            'size14': case_to_json(find_case(14), in_brief),
        },
    }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'rotnet-step.json')
    write_json(path, 'rotnet_step.py', content)
