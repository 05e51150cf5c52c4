"""Times RotNet's forward pass with stored statistics in PyTorch, from uint8 images to logits.

`--script 1` prepares the model first: TorchScript folds BatchNorm into the convolutions and lays weights out
for inference, which is the most that this version of PyTorch can do on a CPU.
"""
import torch

from rotnet import load_weights, parse_arguments, read_batches, report, rotnet, time_steps, to_maps


def main():
    args = parse_arguments(__doc__, width=1.0, classes=10, script=0, weights='', batches='')
    model = rotnet(args.width, args.classes)
    load_weights(model, args.weights)
    model = model.to(memory_format=args.layout).eval()
    batches = read_batches(args.batches)
    with torch.inference_mode():
        if args.script:
            example = to_maps(batches[0][0], args.layout)
            model = torch.jit.optimize_for_inference(torch.jit.trace(model, example))
        run = lambda i: model(to_maps(batches[i % len(batches)][0], args.layout))
        checks = run(0).flatten().tolist()
        step_ms = time_steps(args, run)
    report(len(batches[0][1]), step_ms, checks)


if __name__ == '__main__':
    main()
