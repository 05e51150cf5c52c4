"""What Keras means by each layer of RotNet, spelled out in PyTorch. Shared by the golden scripts.

Everything is computed in float64, so that a golden value is exact to the nine digits it is written with.
Layouts: images [N, C, H, W]; convolution kernels [out, in, height, width]; dense kernels [in, out].
"""
import json

import torch
import torch.nn.functional as F

BATCH_NORM_EPSILON = 1e-3
BATCH_NORM_MOMENTUM = 0.99


def same_padding(size, window, stride):
    """(before, after) on one axis: output = ceil(size / stride), the odd one goes after."""
    output = -(-size // stride)
    total = max((output - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def pad_same(x, window, stride, value):
    top, bottom = same_padding(x.shape[2], window, stride)
    left, right = same_padding(x.shape[3], window, stride)
    return F.pad(x, (left, right, top, bottom), value=value)


def conv(x, kernel):
    """Stride 1, no bias, zero padding "same"; kernel sizes are odd, so both sides get as much."""
    return F.conv2d(x, kernel, padding=(kernel.shape[2] // 2, kernel.shape[3] // 2))


def max_pool(x):
    """3x3, stride 2, "same"; padding never wins. On ties PyTorch's gradient goes to the first maximum."""
    return F.max_pool2d(pad_same(x, 3, 2, float('-inf')), 3, 2)


def average_pool(x):
    """3x3, stride 2, "same"; padding is left out of the count."""
    total = F.avg_pool2d(pad_same(x, 3, 2, 0), 3, 2, divisor_override=1)
    count = F.avg_pool2d(pad_same(torch.ones_like(x), 3, 2, 0), 3, 2, divisor_override=1)
    return total / count


def batch_norm_train(x, scale, shift, moving_mean, moving_variance):
    """(output, new moving mean, new moving variance).

    Normalises with the biased variance; the moving variance takes in the unbiased one (Bessel's
    correction, n / (n - 1)), as Keras's fused kernel and cuDNN do.
    """
    n = x.numel() // x.shape[1]
    mean = x.mean((0, 2, 3))
    variance = x.var((0, 2, 3), unbiased=False)
    with torch.no_grad():
        keep, take = BATCH_NORM_MOMENTUM, 1 - BATCH_NORM_MOMENTUM
        new_mean = keep * moving_mean + take * mean
        new_variance = keep * moving_variance + take * variance * n / (n - 1)
    return normalise(x, scale, shift, mean, variance), new_mean, new_variance


def normalise(x, scale, shift, mean, variance):
    """(x - mean) / sqrt(variance + epsilon) * scale + shift, one number a channel."""
    per_channel = [t[None, :, None, None] for t in (scale, shift, mean, variance)]
    scale, shift, mean, variance = per_channel
    return (x - mean) / torch.sqrt(variance + BATCH_NORM_EPSILON) * scale + shift


def stored(t):
    """A tensor as {shape, data}: nine significant digits, integers as they are."""
    flat = t.detach().flatten().tolist()
    data = [float(f'{v:.9g}') for v in flat] if t.is_floating_point() else [int(v) for v in flat]
    return {'shape': list(t.shape), 'data': data}


def write_json(path, script, content):
    """One tensor a line, so that a change of the file can be read."""
    head = {'script': script, 'torch': torch.__version__, 'precision': 'float64'}

    def lines(value, indent):
        if not any(isinstance(v, dict) for v in getattr(value, 'values', list)()):
            return json.dumps(value, separators=(',', ':'))
        inner = ',\n'.join(f'{indent}  {json.dumps(k)}: {lines(v, indent + "  ")}' for k, v in value.items())
        return '{\n' + inner + '\n' + indent + '}'

    with open(path, 'w') as file:
        file.write(lines({**head, **content}, '') + '\n')
