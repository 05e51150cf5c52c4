"""Times the 5x5 convolution and both its gradients in PyTorch; maps stay in the layout that is asked for."""
import torch
from torch.nn.functional import conv2d

from maps import VERSION, parse_arguments
from program import read_safetensors, report, time_steps

CHECKED_COUNT = 16


def main():
    args = parse_arguments(__doc__, operands='', batch=128)
    tensors = {name: torch.from_numpy(array.copy()) for name, array in read_safetensors(args.operands).items()}
    # One image's x and dy, repeated: see bench/programs/conv-operands.ts.
    repeated = lambda t: t.repeat(args.batch, 1, 1, 1).contiguous(memory_format=args.layout)
    x = repeated(tensors['x']).requires_grad_()
    w = tensors['w'].contiguous(memory_format=args.layout).requires_grad_()
    dy = repeated(tensors['dy'])

    def step(_):
        x.grad = w.grad = None
        y = conv2d(x, w, padding='same')
        y.backward(dy)
        return y

    y = step(0).detach()
    first = lambda t: t.contiguous().flatten()[:CHECKED_COUNT].tolist()
    checks = first(y) + first(x.grad) + [value / args.batch for value in first(w.grad)]
    report(VERSION, args.batch, time_steps(args, step), checks)


if __name__ == '__main__':
    main()
