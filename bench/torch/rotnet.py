"""What PyTorch's programs share: RotNet, its files, the clock and the one line of JSON that each prints."""
import argparse
import json
import re
import resource
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
# Convolution, norm and ReLU three times, then the pool.
LAYERS_PER_BLOCK = 10
IMAGE_SIZE = 28


def same_pool(kind, size):
    """3x3, stride 2, padding as Keras's "same": 0 before and 1 after an even size, 1 and 1 around an odd one."""
    ends = {'ceil_mode': True} if size % 2 == 0 else {'padding': 1}
    if kind == 'max':
        return nn.MaxPool2d(3, 2, **ends)
    return nn.AvgPool2d(3, 2, count_include_pad=False, **ends)


def rotnet(width, classes):
    """RotNet for grey 28 x 28 images, as a flat list of layers."""
    layers = []
    inputs, size = 1, IMAGE_SIZE
    for block, pool in zip(BLOCKS, ('max', 'average', None)):
        for kernel, full_width in block:
            outputs = max(1, int(full_width * width + 0.5))
            layers += [
                nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01),
                nn.ReLU(inplace=True),
            ]
            inputs = outputs
        if pool:
            layers.append(same_pool(pool, size))
            size = -(-size // 2)
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)]
    return nn.Sequential(*layers)


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


def load_weights(model, path):
    """Sets params and moving statistics by Quarterturn's names, `block1.conv1.kernel` ... `head.bias`."""
    tensors = read_safetensors(path)
    copy = lambda target, name: target.data.copy_(torch.from_numpy(tensors[name].copy()))
    convs = (layer for layer in model if isinstance(layer, nn.Conv2d))
    norms = (layer for layer in model if isinstance(layer, nn.BatchNorm2d))
    for b, block in enumerate(BLOCKS, 1):
        for c in range(1, len(block) + 1):
            norm = next(norms)
            copy(next(convs).weight, f'block{b}.conv{c}.kernel')
            copy(norm.weight, f'block{b}.conv{c}.norm.scale')
            copy(norm.bias, f'block{b}.conv{c}.norm.shift')
            copy(norm.running_mean, f'block{b}.conv{c}.norm.movingMean')
            copy(norm.running_var, f'block{b}.conv{c}.norm.movingVariance')
    model[-1].weight.data.copy_(torch.from_numpy(tensors['head.kernel'].T.copy()))
    copy(model[-1].bias, 'head.bias')


def read_batches(path):
    """[(inputs, targets)] of `images` uint8 [batches, N, H, W, C] or `features` float32 [batches, N, C, H, W]."""
    tensors = read_safetensors(path)
    if 'features' in tensors:
        inputs = torch.from_numpy(tensors['features'].copy())
    else:
        inputs = torch.from_numpy(tensors['images'].copy()).permute(0, 1, 4, 2, 3).contiguous()
    targets = torch.from_numpy(tensors['targets'].astype(np.int64))
    return list(zip(inputs, targets))


def to_maps(inputs, layout, dtype=torch.float32):
    """uint8 images as maps in 0-1, features as they are, in the number type and the layout asked for."""
    if inputs.dtype != torch.uint8:
        return inputs.to(dtype).contiguous(memory_format=layout)
    # Maps of one channel count as being in either layout, so that contiguous() would leave them in the file's, and
    # convolutions go by the strides: only a new tensor has those of the layout asked for.
    return torch.empty(inputs.shape, dtype=dtype, memory_format=layout).copy_(inputs).div_(255)


def parse_arguments(description, **options):
    """Flags of this program (name=default) and those that all programs know; sets the number of threads."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    for name, default in {'threads': 1, 'warmup': 1, 'steps': 3, **options}.items():
        parser.add_argument(f'--{name}', type=type(default), default=default)
    parser.add_argument('--layout', choices=['channels_last', 'contiguous'], default='channels_last')
    args = parser.parse_args()
    args.layout = torch.channels_last if args.layout == 'channels_last' else torch.contiguous_format
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    return args


def time_steps(args, step):
    """Wall clock of each timed step in milliseconds; `step` is given its number."""
    step_ms = []
    for i in range(args.warmup + args.steps):
        start = time.perf_counter()
        step(i)
        step_ms.append((time.perf_counter() - start) * 1000)
    return step_ms[args.warmup :]


def peak_memory_bytes():
    """Of this process; not by ru_maxrss where it can be helped: a child begins with its parent's."""
    try:
        with open('/proc/self/status') as file:
            return int(re.search(r'^VmHWM:\s+(\d+) kB$', file.read(), re.M)[1]) * 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def report(images_per_step, step_ms, checks):
    """Prints the result: see `Sample` in bench/programs/program.ts."""
    sample = {
        'version': f'PyTorch {torch.__version__}',
        'imagesPerStep': images_per_step,
        'stepMs': step_ms,
        'peakMemoryBytes': peak_memory_bytes(),
        'checks': checks,
    }
    print(json.dumps(sample))
