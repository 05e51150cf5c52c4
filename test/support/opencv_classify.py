"""Classify raw images with OpenCV's DNN module: model, file of images, N x H x W x C, counts; JSON to standard output."""

import json
import sys

import cv2
import numpy as np

model, file, shape, counts = sys.argv[1:5]
images = np.fromfile(file, np.uint8).reshape([int(n) for n in shape.split("x")])
cv2.setNumThreads(1)
network = cv2.dnn.readNetFromONNX(model)
answers = []
for count in counts.split(","):
    network.setInput(images[: int(count)])
    rows = network.forward()
    answers.append({"shape": rows.shape, "data": rows.ravel().tolist()})
json.dump(answers, sys.stdout)
