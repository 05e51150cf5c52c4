"""Times a network's forward pass with stored statistics in PyTorch, from uint8 images to logits.

A step is one batch, or with `--pass 1` all of them, one after the other. `--script 1` prepares the model first:
TorchScript folds BatchNorm into the convolutions and lays weights out for inference, which is the most that this
version of PyTorch can do on a CPU.
"""
import torch

from maps import VERSION, parse_arguments, to_maps
from networks import load_weights, network, read_batches
from program import report, time_steps


def main():
    options = {'backbone': 'rotnet', 'width': 1.0, 'classes': 10, 'script': 0, 'pass': 0}
    args = parse_arguments(__doc__, **options, weights='', batches='')
    model = network(args.backbone, args.width, args.classes)
    load_weights(model, args.weights)
    model = model.to(memory_format=args.layout).eval()
    batches = [images for images, _ in read_batches(args.batches)]
    with torch.inference_mode():
        if args.script:
            example = to_maps(batches[0], args.layout)
            model = torch.jit.optimize_for_inference(torch.jit.trace(model, example))
        logits = lambda images: model(to_maps(images, args.layout))
        if vars(args)['pass']:
            run = lambda _: torch.cat([logits(images) for images in batches])
        else:
            run = lambda i: logits(batches[i % len(batches)])
        first = run(0)
        step_ms = time_steps(args, run)
    report(VERSION, len(first), step_ms, first.flatten().tolist())


if __name__ == '__main__':
    main()
