"""
SCSS-Net without Keras: from a weights file to a function that predicts, by ONNX Runtime.

The graph is made in memory from the verified weights, which stay the one truth; a network starts in a tenth of the
time that TensorFlow takes, and runs as fast on one image as on many.
"""

import os
from functools import partial

import h5py
import numpy as np
from onnx import TensorProto, helper, numpy_helper

try:
    import onnxruntime
except ImportError as error:
    msg = (
        f"Networks run in ONNX Runtime, which cannot be imported ({error}): pip install onnxruntime. Where there is "
        'none for your machine: pip install "sunpy_scss[train]", and call sunpy_scss.train.use_keras() first.'
    )
    raise ImportError(msg) from error

__all__ = ["load_predict"]

# Keras's own, which batch normalisation adds to the variance.
_EPSILON = 1e-3
# Of the format of the graph: of 2023, so that no version of ONNX Runtime that is in use is too old for it.
_OPERATORS, _FORMAT = 17, 8


def load_predict(weights):
    """
    Load the function of a network.

    Parameters
    ----------
    weights : path-like
        Written by Keras for a network of `sunpy_scss.train.scss_net`, of any size and number of channels.

    Returns
    -------
    callable
        From images (n, ny, nx, channels) to probabilities (n, ny, nx, boundaries), float32, as those of
        `sunpy_scss.train._keras.predict`; safe in threads.
    """
    options = onnxruntime.SessionOptions()
    # Threads that wait for work would take the processor from reading and writing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # As other numerical libraries have it, and workers of dask set it; 0 is one thread for each processor.
    threads = os.environ.get("OMP_NUM_THREADS", "")
    options.intra_op_num_threads = int(threads) if threads.isdecimal() else 0
    graph = _graph(_arrays(weights)).SerializeToString()
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return partial(_predict, session)


def _predict(session, images):
    # One by one: as fast as many at once, and in the memory of one.
    channels_first = np.ascontiguousarray(np.moveaxis(images, -1, 1), dtype=np.float32)
    found = [session.run(None, {"image": image[np.newaxis]})[0] for image in channels_first]
    # Nested: no pixel is likelier inside a boundary than inside the next one outwards.
    return np.minimum.accumulate(np.moveaxis(np.concatenate(found), 1, -1), axis=-1)


def _arrays(weights):
    """The arrays of each layer that has any, by its name."""
    with h5py.File(weights) as file:
        layers = [layer["vars"] for layer in file["layers"].values()]
        return {
            layer.attrs["name"]: [layer[key][()] for key in sorted(layer, key=int)] for layer in layers if len(layer)
        }


def _graph(arrays):
    """The network as an ONNX model, batch normalisation folded into the convolutions before it."""
    kernels = {name: _folded(name, arrays) for name in arrays if "_norm_" not in name}
    levels = sum(name.startswith("encoder_") and name.endswith("_conv_a") for name in kernels)
    steps = _Steps(kernels)
    x, skips = "image", []
    for level in range(levels):
        x = steps.double_block(x, f"encoder_{level}")
        skips.append(x)
        x = steps.add("MaxPool", x, f"encoder_{level}_pool", kernel_shape=[2, 2], strides=[2, 2])
    x = steps.double_block(x, "bottleneck")
    for level in reversed(range(levels)):
        x = steps.add(
            "Resize",
            [x, "", "twice"],
            f"decoder_{level}_up",
            mode="nearest",
            nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )
        x = steps.add("Concat", [x, skips[level]], f"decoder_{level}_skip", axis=1)
        x = steps.double_block(x, f"decoder_{level}")
    x = steps.add("Sigmoid", steps.last(x, "probability"), "found")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, "ny", "nx"])
        for name, channels in (("image", kernels["encoder_0_conv_a"][0].shape[1]), (x, len(kernels["probability"][1])))
    ]
    graph = helper.make_graph(steps.nodes, "scss_net", ends[:1], ends[1:], steps.constants())
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPERATORS)], ir_version=_FORMAT)


def _folded(name, arrays):
    """The kernel (out, in, ny, nx) and bias of a convolution, with the batch normalisation that follows it, float32."""
    kernel, bias = arrays[name]
    if name.startswith("decoder_"):
        # A transposed convolution of stride 1 is one with the kernel turned around.
        kernel = kernel[::-1, ::-1].swapaxes(2, 3)
    if name == "probability" and kernel.shape[0] > 1:
        # One that is transposed in ONNX, too: (in, out, ny, nx).
        return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1), np.float32), bias.astype(np.float32)
    norm = name.replace("_conv_", "_norm_")
    if norm != name and norm in arrays:
        scale, offset, mean, variance = (values.astype(float) for values in arrays[norm])
        factor = scale / np.sqrt(variance + _EPSILON)
        kernel, bias = kernel * factor, (bias - mean) * factor + offset
    return np.ascontiguousarray(kernel.transpose(3, 2, 0, 1), np.float32), bias.astype(np.float32)


class _Steps:
    """Nodes of a graph as they are added; each method returns the name of its result."""

    def __init__(self, kernels):
        self.kernels, self.nodes = kernels, []

    def add(self, kind, inputs, result, **settings):
        inputs = [inputs] if isinstance(inputs, str) else inputs
        self.nodes.append(helper.make_node(kind, inputs, [result], **settings))
        return result

    def convolution(self, x, name):
        width = self.kernels[name][0].shape[-1]
        # A kernel of even width belongs to patches, twice as wide as its step; as Keras has it, the end is padded more.
        step = 1 if width % 2 else width // 2
        before, after = (width - step) // 2, -(-(width - step) // 2)
        pads, strides = [before, before, after, after], [step, step]
        return self.add("Conv", [x, f"{name}_kernel", f"{name}_bias"], name, pads=pads, strides=strides)

    def last(self, x, name):
        patch = self.kernels[name][0].shape[-1]
        if patch == 1:
            return self.convolution(x, name)
        return self.add("ConvTranspose", [x, f"{name}_kernel", f"{name}_bias"], name, strides=[patch] * 2)

    def double_block(self, x, name):
        for half in "ab":
            x = self.add("Relu", self.convolution(x, f"{name}_conv_{half}"), f"{name}_relu_{half}")
        return x

    def constants(self):
        held = {"twice": np.array([1, 1, 2, 2], np.float32)}
        for name, (kernel, bias) in self.kernels.items():
            held |= {f"{name}_kernel": kernel, f"{name}_bias": bias}
        return [numpy_helper.from_array(array, name) for name, array in held.items()]
