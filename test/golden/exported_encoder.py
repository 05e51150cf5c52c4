"""Writes exported-encoder.onnx: a small network in forms that exporters write and the product's own encoder does not.

Constants as nodes, weights listed as inputs too (format 3), an If whose branches use tensors outside of them, static
quantisation of a weight (int8), LayerNormalization of operator set 17, and an output that nobody asks for.

Run with Debian's Python: /usr/bin/python3 test/golden/exported_encoder.py
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

random = np.random.default_rng(7)
D, P, S = 8, 7, 28


def weight(name, shape, scale):
    return numpy_helper.from_array((scale * random.standard_normal(shape)).astype(np.float32), name)


def constant(name, array):
    return helper.make_node("Constant", [], [name], name=name + "_node", value=numpy_helper.from_array(array, name))


branch = lambda name, op: helper.make_graph(  # noqa: E731
    [helper.make_node(op, ["patches", "one"], [name])],
    name + "_graph",
    [],
    [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
)
nodes = [
    helper.make_node("Conv", ["pixel_values", "kernel"], ["maps"], kernel_shape=[P, P], strides=[P, P]),
    constant("shape", np.array([0, D, -1], np.int64)),
    helper.make_node("Reshape", ["maps", "shape"], ["columns"]),
    helper.make_node("Transpose", ["columns"], ["patches"], perm=[0, 2, 1]),
    constant("yes", np.array(True)),
    constant("one", np.array(1, np.float32)),
    helper.make_node("If", ["yes"], ["chosen"], then_branch=branch("then", "Mul"), else_branch=branch("else", "Add")),
    helper.make_node("LayerNormalization", ["chosen", "gain"], ["normal"], axis=-1),
    helper.make_node("DequantizeLinear", ["q", "q_scale", "q_zero"], ["projection"]),
    helper.make_node("MatMul", ["normal", "projection"], ["last_hidden_state"]),
    constant("axes", np.array([1], np.int64)),
    helper.make_node("ReduceMean", ["last_hidden_state", "axes"], ["pooled"], keepdims=0),
    helper.make_node("MatMul", ["pooled", "text_embeds"], ["logits_per_text"]),
]
weights = [
    weight("kernel", (D, 3, P, P), 0.1),
    numpy_helper.from_array(np.ones(D, np.float32), "gain"),
    numpy_helper.from_array(random.integers(-127, 127, (D, D)).astype(np.int8), "q"),
    numpy_helper.from_array(np.array(0.01, np.float32), "q_scale"),
    numpy_helper.from_array(np.array(0, np.int8), "q_zero"),
]
images = helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, S, S])
text = helper.make_tensor_value_info("text_embeds", TensorProto.FLOAT, [D, "texts"])
listed = [helper.make_tensor_value_info("gain", TensorProto.FLOAT, [D])]
outputs = [
    helper.make_tensor_value_info("logits_per_text", TensorProto.FLOAT, ["batch", "texts"]),
    helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", 16, D]),
]
graph = helper.make_graph(nodes, "exported", [images, text, *listed], outputs, weights)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="test", ir_version=3)
onnx.save(model, str(pathlib.Path(__file__).with_name("exported-encoder.onnx")))
