"""Times whole training steps of RotNet in PyTorch.

A step is the forward pass, the loss, the backward pass, SGD with Nesterov momentum and the moving
statistics, written as PyTorch is quickest at it: fused optimizer loops, gradients set to None, batches
ready in memory. The first `frozen` blocks are not trained and run with their stored statistics.
`--double 1` computes all of it in float64: what float32 is judged by, slow as it is.
"""
import torch
from torch import nn

from rotnet import LAYERS_PER_BLOCK, load_weights, parse_arguments, read_batches, report, rotnet, time_steps, to_maps


def main():
    args = parse_arguments(
        __doc__, width=1.0, classes=4, frozen=0, rate=0.1, momentum=0.9, double=0, weights='', batches=''
    )
    model = rotnet(args.width, args.classes)
    load_weights(model, args.weights)
    dtype = torch.float64 if args.double else torch.float32
    model = model.to(dtype, memory_format=args.layout)
    batches = read_batches(args.batches)
    frozen = model[: args.frozen * LAYERS_PER_BLOCK].eval().requires_grad_(False)
    trained = model[args.frozen * LAYERS_PER_BLOCK :].train()
    takes_images = batches[0][0].dtype == torch.uint8
    optimizer = torch.optim.SGD(trained.parameters(), args.rate, args.momentum, nesterov=True, foreach=True)
    cross_entropy = nn.CrossEntropyLoss()
    losses = []

    def step(i):
        inputs, targets = batches[i % len(batches)]
        x = to_maps(inputs, args.layout, dtype)
        if takes_images:
            x = frozen(x)
        loss = cross_entropy(trained(x), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())

    step_ms = time_steps(args, step)
    report(len(batches[0][1]), step_ms, losses)


if __name__ == '__main__':
    main()
