"""Times whole training steps in PyTorch.

A step is the forward pass, the loss, the backward pass, SGD with Nesterov momentum, the moving statistics and, with
`--averageDecay`, a moving average of all of it, written as PyTorch is quickest at it: fused loops over all tensors,
gradients set to None, batches ready in memory. The first `frozen` blocks are not trained and run with their stored
statistics. `--double 1` computes all of it in float64: what float32 is judged by, slow as it is.
"""
import torch
from torch import nn

from maps import VERSION, parse_arguments, to_maps
from networks import load_weights, network, read_batches
from program import report, time_steps


def main():
    args = parse_arguments(
        __doc__,
        backbone='rotnet',
        width=1.0,
        classes=4,
        frozen=0,
        rate=0.1,
        momentum=0.9,
        weightDecay=0.0,
        labelSmoothing=0.0,
        batchNormMomentum=0.99,
        averageDecay=0.0,
        double=0,
        weights='',
        batches='',
    )
    model = network(args.backbone, args.width, args.classes, args.batchNormMomentum)
    load_weights(model, args.weights)
    dtype = torch.float64 if args.double else torch.float32
    model = model.to(dtype, memory_format=args.layout)
    batches = read_batches(args.batches)
    frozen = model[: args.frozen].eval().requires_grad_(False)
    trained = model[args.frozen :].train()
    takes_images = batches[0][0].dtype == torch.uint8
    params = list(trained.parameters())
    kernels = {'params': [p for p in params if p.dim() > 1], 'weight_decay': args.weightDecay}
    others = {'params': [p for p in params if p.dim() == 1]}
    optimizer = torch.optim.SGD([kernels, others], args.rate, args.momentum, nesterov=True, foreach=True)
    cross_entropy = nn.CrossEntropyLoss(label_smoothing=args.labelSmoothing)
    averaged = [t.detach() for t in [*params, *trained.buffers()] if t.is_floating_point()]
    averages = [t.clone() for t in averaged]
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
        if args.averageDecay:
            torch._foreach_mul_(averages, args.averageDecay)
            torch._foreach_add_(averages, averaged, alpha=1 - args.averageDecay)
        losses.append(loss.item())

    step_ms = time_steps(args, step)
    report(VERSION, len(batches[0][1]), step_ms, losses)


if __name__ == '__main__':
    main()
