"""What all programs share: their arguments, their files, the clock and the one line of JSON that each prints."""
import argparse
import json
import re
import resource
import struct
import time

import numpy as np


def argument_parser(description, **options):
    """Flags of this program (name=default) and those that all programs know."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    for name, default in {'threads': 1, 'warmup': 1, 'steps': 3, **options}.items():
        parser.add_argument(f'--{name}', type=type(default), default=default)
    return parser


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


def report(version, images_per_step, step_ms, checks):
    """Prints the result: see `Sample` in bench/programs/program.ts."""
    sample = {
        'version': version,
        'imagesPerStep': images_per_step,
        'stepMs': step_ms,
        'peakMemoryBytes': peak_memory_bytes(),
        'checks': checks,
    }
    print(json.dumps(sample))
