"""Golden losses of a network of one's own: python3 test/golden/own_network.py

Two dense layers learn for twenty steps by stochastic gradient descent, with their gradients clipped and whole. Weights and batches follow from formulas, which the
test has, too. Writes own-network.json beside itself.
"""
import os

import torch
import torch.nn.functional as F

from keras_conventions import write_json

ROWS, WIDTH, UNITS, CLASSES, STEPS = 16, 6, 8, 3, 20


def waves(count, pace):
    return torch.tensor([i * pace for i in range(count)], dtype=torch.float64)


def batch(step):
    x = torch.sin(waves(ROWS * WIDTH, 0.7) + step).reshape(ROWS, WIDTH)
    targets = torch.tensor([(row * row + step) % CLASSES for row in range(ROWS)])
    return x, targets


def train(clip_norm):
    kernel = (0.5 * torch.cos(waves(WIDTH * UNITS, 0.3))).reshape(WIDTH, UNITS).requires_grad_()
    bias = torch.zeros(UNITS, dtype=torch.float64, requires_grad=True)
    out = (0.5 * torch.cos(waves(UNITS * CLASSES, 1.1))).reshape(UNITS, CLASSES).requires_grad_()
    out_bias = torch.zeros(CLASSES, dtype=torch.float64, requires_grad=True)
    tensors = [kernel, bias, out, out_bias]
    optimizer = torch.optim.SGD(tensors, lr=0.1, momentum=0.9, nesterov=True)
    losses = []
    for step in range(STEPS):
        x, targets = batch(step)
        loss = F.cross_entropy(F.gelu(x @ kernel + bias) @ out + out_bias, targets)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tensors, clip_norm)
        optimizer.step()
    return losses


if __name__ == '__main__':
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'own-network.json')
    write_json(path, 'own_network.py', {'clipped': train(0.2), 'whole': train(1e9)})
