"""The networks in PyTorch: how they are built, and the files of their weights and batches."""
import numpy as np
import torch
from torch import nn

from program import read_safetensors

# Of each backbone: the side of the patches that images are cut into, then its blocks: (kernel size, channels at width
# 1) of each convolution, and the pool behind them.
BACKBONES = {
    'rotnet': (
        1,
        [
            ([(5, 192), (1, 160), (1, 96)], 'max'),
            ([(5, 192), (1, 192), (1, 192)], 'average'),
            ([(3, 192), (1, 192), (1, 192)], 'global'),
        ],
    ),
    'compact': (
        2,
        [
            ([(3, 128), (3, 128), (3, 128)], 'max'),
            ([(3, 256), (3, 256)], 'max'),
            ([(3, 384), (3, 384)], 'global'),
        ],
    ),
}
IMAGE_SIZE = 28


def pool_layers(kind, size):
    """The mean of whole maps, or 3x3, stride 2, padding as Keras's "same": 0 before and 1 after an even size, else 1 and 1."""
    if kind == 'global':
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    ends = {'ceil_mode': True} if size % 2 == 0 else {'padding': 1}
    if kind == 'max':
        return [nn.MaxPool2d(3, 2, **ends)]
    return [nn.AvgPool2d(3, 2, count_include_pad=False, **ends)]


def network(backbone, width, classes, norm_momentum=0.99):
    """A network for grey 28 x 28 images: its blocks, then the head. `norm_momentum`: what moving statistics keep, as in Keras."""
    patch, blocks = BACKBONES[backbone]
    inputs, size = patch**2, IMAGE_SIZE // patch
    parts = []
    for convs, pool in blocks:
        layers = [nn.PixelUnshuffle(patch)] if patch > 1 and not parts else []
        for kernel, full_width in convs:
            outputs = max(1, int(full_width * width + 0.5))
            layers += [
                nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(outputs, eps=1e-3, momentum=1 - norm_momentum),
                nn.ReLU(inplace=True),
            ]
            inputs = outputs
        parts.append(nn.Sequential(*layers, *pool_layers(pool, size)))
        size = -(-size // 2)
    return nn.Sequential(*parts, nn.Linear(inputs, classes))


def load_weights(model, path):
    """Sets params and moving statistics by Quarterturn's names, `block1.conv1.kernel` ... `head.bias`."""
    tensors = read_safetensors(path)
    copy = lambda target, name: target.data.copy_(torch.from_numpy(tensors[name].copy()))
    *blocks, head = model
    for b, block in enumerate(blocks, 1):
        convs = (layer for layer in block if isinstance(layer, nn.Conv2d))
        norms = (layer for layer in block if isinstance(layer, nn.BatchNorm2d))
        for c, (conv, norm) in enumerate(zip(convs, norms), 1):
            copy(conv.weight, f'block{b}.conv{c}.kernel')
            copy(norm.weight, f'block{b}.conv{c}.norm.scale')
            copy(norm.bias, f'block{b}.conv{c}.norm.shift')
            copy(norm.running_mean, f'block{b}.conv{c}.norm.movingMean')
            copy(norm.running_var, f'block{b}.conv{c}.norm.movingVariance')
    head.weight.data.copy_(torch.from_numpy(tensors['head.kernel'].T.copy()))
    copy(head.bias, 'head.bias')


def read_batches(path):
    """[(inputs, targets)] of `images` uint8 [batches, N, H, W, C] or `features` float32 [batches, N, C, H, W]."""
    tensors = read_safetensors(path)
    if 'features' in tensors:
        inputs = torch.from_numpy(tensors['features'].copy())
    else:
        inputs = torch.from_numpy(tensors['images'].copy()).permute(0, 1, 4, 2, 3).contiguous()
    targets = torch.from_numpy(tensors['targets'].astype(np.int64))
    return list(zip(inputs, targets))
