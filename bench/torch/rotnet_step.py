"""Times whole training steps of RotNet in PyTorch: the yardstick for Quarterturn's own.

A step is the forward pass, the loss, the backward pass, SGD with Nesterov momentum and the moving
statistics, written as PyTorch is quickest at it: fused optimizer loops, gradients set to None, batches
ready in memory. Prints one JSON object on one line. Times are wall clock, in milliseconds.

    python3 bench/torch/rotnet_step.py --width 1 --batch 128 --threads 2 --layout channels_last
"""
import argparse
import json
import resource
import statistics
import struct
import time

import numpy as np
import torch
from torch import nn

# (kernel size, channels at width 1) of each convolution; a pool stands after blocks 1 and 2.
BLOCKS = [
    [(5, 192), (1, 160), (1, 96)],
    [(5, 192), (1, 192), (1, 192)],
    [(3, 192), (1, 192), (1, 192)],
]
CLASSES = 4


def same_pool(kind, size):
    """3x3, stride 2, padding as Keras's "same": 0 before and 1 after an even size, 1 and 1 around an odd one."""
    ends = {'ceil_mode': True} if size % 2 == 0 else {'padding': 1}
    if kind == 'max':
        return nn.MaxPool2d(3, 2, **ends)
    return nn.AvgPool2d(3, 2, count_include_pad=False, **ends)


def rotnet(width, channels, size):
    """RotNet for `size` x `size` images, as a flat list of layers."""
    layers = []
    inputs = channels
    for block, pool in zip(BLOCKS, ('max', 'average', None)):
        for kernel, full_width in block:
            outputs = max(1, round(full_width * width))
            layers += [
                nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01),
                nn.ReLU(inplace=True),
            ]
            inputs = outputs
        if pool:
            layers.append(same_pool(pool, size))
            size = -(-size // 2)
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, CLASSES)]
    model = nn.Sequential(*layers)
    for layer in model:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(model[-1].bias)
    return model


def read_safetensors(path):
    """{name: array}: eight bytes of header length, a JSON header, then the data."""
    dtypes = {'F32': '<f4', 'U8': 'u1', 'I32': '<i4', 'I64': '<i8'}
    with open(path, 'rb') as file:
        (header_bytes,) = struct.unpack('<Q', file.read(8))
        header = json.loads(file.read(header_bytes))
        data = file.read()
    header.pop('__metadata__', None)
    return {
        name: np.frombuffer(data[slice(*entry['data_offsets'])], dtypes[entry['dtype']]).reshape(entry['shape'])
        for name, entry in header.items()
    }


def load_params(model, tensors):
    """Sets the params by Quarterturn's names, `block1.conv1.kernel` ... `head.bias`."""
    copy = lambda target, name: target.data.copy_(torch.from_numpy(tensors[name].copy()))
    convs = (layer for layer in model if isinstance(layer, nn.Conv2d))
    norms = (layer for layer in model if isinstance(layer, nn.BatchNorm2d))
    for b, block in enumerate(BLOCKS, 1):
        for c in range(1, len(block) + 1):
            norm = next(norms)
            copy(next(convs).weight, f'block{b}.conv{c}.kernel')
            copy(norm.weight, f'block{b}.conv{c}.norm.scale')
            copy(norm.bias, f'block{b}.conv{c}.norm.shift')
    model[-1].weight.data.copy_(torch.from_numpy(tensors['head.kernel'].T.copy()))
    copy(model[-1].bias, 'head.bias')


def random_batches(args):
    """One batch of noise, used again and again: the time of a step does not depend on what it sees."""
    images = torch.randint(0, 256, (args.batch, args.channels, args.size, args.size), dtype=torch.uint8)
    return [(images, torch.randint(0, CLASSES, (args.batch,)))]


def batches_from(tensors):
    """`images`: uint8 [steps, batch, C, H, W] and `targets`: [steps, batch]."""
    images = torch.from_numpy(tensors['images'].copy())
    targets = torch.from_numpy(tensors['targets'].astype(np.int64))
    return list(zip(images, targets))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--width', type=float, default=1.0)
    parser.add_argument('--batch', type=int, default=128)
    parser.add_argument('--size', type=int, default=28)
    parser.add_argument('--channels', type=int, default=1)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--layout', choices=['channels_last', 'contiguous'], default='channels_last')
    parser.add_argument('--steps', type=int, default=10, help='timed steps')
    parser.add_argument('--warmup', type=int, default=3, help='steps before them, trained but not timed')
    parser.add_argument('--learning-rate', type=float, default=0.1)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--weights', help='safetensors file with the initial params')
    parser.add_argument('--batches', help='safetensors file with images and targets, taken in turn')
    return parser.parse_args()


def main():
    args = parse_arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    layout = torch.channels_last if args.layout == 'channels_last' else torch.contiguous_format
    model = rotnet(args.width, args.channels, args.size)
    if args.weights:
        load_params(model, read_safetensors(args.weights))
    model = model.to(memory_format=layout).train()
    batches = batches_from(read_safetensors(args.batches)) if args.batches else random_batches(args)
    optimizer = torch.optim.SGD(
        model.parameters(), args.learning_rate, momentum=0.9, nesterov=True, foreach=True
    )
    cross_entropy = nn.CrossEntropyLoss()

    def step(images, targets):
        x = (images.float() / 255).contiguous(memory_format=layout)
        loss = cross_entropy(model(x), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    step_ms, losses = [], []
    for i in range(args.warmup + args.steps):
        start = time.perf_counter()
        losses.append(step(*batches[i % len(batches)]))
        step_ms.append((time.perf_counter() - start) * 1000)
    timed = step_ms[args.warmup :]
    batch = batches[0][0].shape[0]
    print(
        json.dumps(
            {
                'name': f'PyTorch {torch.__version__}, {args.layout}',
                'width': args.width,
                'batch': batch,
                'threads': args.threads,
                'trainableParams': sum(p.numel() for p in model.parameters()),
                'imagesPerSecond': round(batch / statistics.median(timed) * 1000, 2),
                'stepMs': [round(ms, 2) for ms in timed],
                # Linux counts in KiB.
                'peakRssBytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
                'losses': losses,
            }
        )
    )


if __name__ == '__main__':
    main()
