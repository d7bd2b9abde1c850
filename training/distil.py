"""
A small network taught by a larger one and by the labels: weights for bundle.py. Needs PyTorch (pip install torch).

    python training/distil.py TEACHER RECIPE LABELS OUTPUT [--minutes N] [--cache DIR]

LABELS is the folder written by labels.py; the network learns from its part train. TEACHER draws the boundaries of the
recipe's card on the same grid. Where a label is known, the target is the mean of the label and the teacher's answer. In
regions that the review rejected it is the label alone. Where no label is known it is the teacher's answer alone, with
less weight. `varied` changes the images. The learning rate falls over the given minutes. OUTPUT becomes the weights, a
running mean over the last steps, in the form of Keras. Every 400 steps the scores on the part validation are printed.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from sunpy_scss import load_model
from sunpy_scss.models import Model
from sunpy_scss.train import list_folder, make_dataset, read_configuration
from sunpy_scss.train._evaluation import scores_of
from sunpy_scss.train._weights import build_network

# The weight of pixels without a known label.
UNKNOWN_WEIGHT = 0.3
# The share of images that are turned, shifted and zoomed, and the share that gets noise.
TURNED, NOISY = 0.5, 0.5
# The share of images with one value beyond a radius near the limb: the least one in six of ten, else the median of the
# disc. The last two are the limits of that radius.
CUT, LEAST, CUT_RADII = 0.25, 0.6, (1.0, 1.05)
WARMUP_STEPS = 50


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("teacher")
    for name in ("recipe", "labels", "output"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--cache", type=Path, help="folder that keeps the images as the network sees them")
    options = parser.parse_args()
    configuration = read_configuration(options.recipe)
    card = configuration.card
    training, validation = (
        make_dataset(list_folder(options.labels, part), card, cache=options.cache) for part in ("train", "validation")
    )
    teacher = load_model(options.teacher)
    pairs = [pair(training, at, teacher, configuration.rejected_weight) for at in range(len(training))]
    torch.manual_seed(configuration.seed)
    rng = np.random.default_rng(configuration.seed)
    network = PatchNet(card.network.filters, card.network.layers, len(card.levels)).to(
        memory_format=torch.channels_last
    )
    mean = {name: values.clone() for name, values in network.state_dict().items()}
    optimiser = torch.optim.Adam(network.parameters())
    begin, step, order = time.monotonic(), 0, []
    while (done := (time.monotonic() - begin) / (60 * options.minutes)) < 1:
        if len(order) < configuration.batch_size:
            order = list(rng.permutation(len(pairs)))
        rate = min(1, (step + 1) / WARMUP_STEPS) * (0.01 + 0.99 * (1 + np.cos(np.pi * done)) / 2)
        optimiser.param_groups[0]["lr"] = configuration.learning_rate * rate
        batch = [
            varied(pairs[order.pop()], card, configuration.augmentation, rng) for _ in range(configuration.batch_size)
        ]
        loss = loss_of(network, *(torch.stack(planes) for planes in zip(*batch, strict=True)), configuration.loss)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
        remember(mean, network, min(configuration.averaging, step / (step + 10)))
        if step % 400 == 0:
            print(step, round(time.monotonic() - begin), *scores(mean, card, validation), flush=True)
    keras_network(mean, card).save_weights(options.output)
    print(step, "steps", *scores(mean, card, validation))


class Block(nn.Module):
    """Two convolutions, each with batch normalisation and ReLU."""

    def __init__(self, channels, filters, kernel=3, step=1):
        super().__init__()
        self.conv_a, self.conv_b = nn.Conv2d(channels, filters, kernel, step, 1), nn.Conv2d(filters, filters, 3, 1, 1)
        self.norm_a, self.norm_b = (nn.BatchNorm2d(filters, eps=1e-3, momentum=0.1) for _ in "ab")

    def forward(self, x):
        return F.relu(self.norm_b(self.conv_b(F.relu(self.norm_a(self.conv_a(x))))))


class PatchNet(nn.Module):
    """`sunpy_scss.models.scss_net` with ``patch=2``, up to the logits."""

    def __init__(self, filters, layers, outputs):
        super().__init__()
        widths = [filters * 2**level for level in range(layers + 1)]
        self.encoder = nn.ModuleList(
            [Block(1, filters, 4, 2), *(Block(widths[level - 1], widths[level]) for level in range(1, layers))]
        )
        self.bottleneck = Block(widths[-2], widths[-1])
        self.decoder = nn.ModuleList(
            [Block(widths[level + 1] + widths[level], widths[level]) for level in range(layers)]
        )
        self.probability = nn.ConvTranspose2d(filters, outputs, 2, 2)

    def forward(self, x):
        skips = []
        for block in self.encoder:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottleneck(x)
        for block, skip in zip(reversed(self.decoder), reversed(skips), strict=True):
            x = block(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skip], 1))
        return self.probability(x)


def pair(dataset, position, teacher, rejected_weight):
    """Return image, target and weight of each pixel in half precision, (boundaries + 2, size, size)."""
    image = np.asarray(dataset.images[position])
    labels = np.stack([plane[position] for plane in dataset.nested.values()])
    known = np.where(dataset.counted(position), dataset.known[position], 0)
    rejected = np.asarray(dataset.rejected[position])
    said = np.moveaxis(teacher.predict(image[np.newaxis, ..., np.newaxis])[0], -1, 0)
    both = np.where(rejected > 0, labels, (labels + said) / 2)
    weight = dataset.disk * (known * (1 + rejected_weight * rejected) + UNKNOWN_WEIGHT * (1 - known))
    planes = np.concatenate([image[np.newaxis], known * both + (1 - known) * said, weight[np.newaxis]])
    return torch.from_numpy(planes.astype(np.float16))


def varied(planes, card, augmentation, rng):
    """
    Return image, target and weight, changed for the whole solar cycle and for images that others prepared.

    They are mirrored, turned, shifted and zoomed. The contrast about the pivot becomes that of a brighter or darker
    quiet Sun, with the clipping of an image with that disc median. Some get one value beyond a radius near the limb.
    """
    planes = planes.float()
    for axis in (1, 2):
        if rng.random() < 0.5:
            planes = planes.flip(axis)
    if rng.random() < TURNED:
        planes = turned(planes, augmentation, rng)
    image, target, weight = planes[:1], planes[1:-1], planes[-1:]
    seen, stretch = image > 0, card.stretch
    contrast = np.exp(rng.uniform(-augmentation.contrast, augmentation.contrast))
    image = augmentation.pivot + contrast * (image - augmentation.pivot)
    image = image + rng.uniform(-augmentation.gain, augmentation.gain)
    if rng.random() < NOISY:
        image = image + torch.randn(image.shape) * rng.uniform(0, augmentation.noise)
    radius = torch.from_numpy(card.grid.radius)
    low, high = stretch.limits
    quiet = float(image[0][radius < 0.9].clip(0, 1).median())
    # The logarithm of the disc median, and where the floor of the stretch is in an image that has it.
    median = (low + quiet * (high - low)) / (1 - stretch.exponent)
    floor = max(0.0, (np.log10(stretch.floor) - stretch.exponent * median - low) / (high - low))
    image = image.clip(floor, 1)
    if rng.random() < CUT:
        value = max(1e-3, floor if rng.random() < LEAST else quiet)
        image = torch.where(radius > rng.uniform(*CUT_RADII), value, image)
    return torch.where(seen, image, 0.0).float(), target, weight


def turned(planes, augmentation, rng):
    angle = np.deg2rad(rng.uniform(-augmentation.rotation, augmentation.rotation))
    zoom = 1 + rng.uniform(-augmentation.zoom, augmentation.zoom)
    x, y = rng.uniform(-augmentation.shift, augmentation.shift, 2) * 2 / planes.shape[-1]
    cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
    matrix = torch.tensor([[[cos, -sin, x], [sin, cos, y]]], dtype=torch.float32)
    grid = F.affine_grid(matrix, (1, *planes.shape), align_corners=False)
    return F.grid_sample(planes[np.newaxis], grid, align_corners=False)[0]


def loss_of(network, images, targets, weights, loss):
    """Return the weighted sum of binary cross-entropy and Dice of a batch, the mean over the boundaries."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(images.to(memory_format=torch.channels_last))
    logits = logits.float()
    wrong = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    probability, over = torch.sigmoid(logits), (0, 2, 3)
    both, either = (weights * targets * probability).sum(over), (weights * (targets + probability)).sum(over)
    dice = (1 - (2 * both + 1) / (either + 1)).mean()
    return loss.bce * (weights * wrong).sum() / weights.sum() / targets.shape[1] + loss.dice * dice


@torch.no_grad()
def remember(mean, network, decay):
    """Move the running mean of weights and statistics on by a step, in place."""
    for name, values in network.state_dict().items():
        if values.dtype.is_floating_point:
            mean[name].mul_(decay).add_(values, alpha=1 - decay)


def scores(state, card, validation):
    """Return the IoU of each boundary at one half, and the share of the rejected area in the first one."""
    network = keras_network(state, card)
    model = Model(card, lambda images: np.asarray(network(images, training=False)))
    found = {one.name: scores_of(model.at(one.name), validation) for one in card.boundaries}
    first = found[card.scored]
    return [f"{name} {one['iou']:.4f}" for name, one in found.items()], f"rejected {first['hard_negative_fraction']}"


def keras_network(state, card):
    """Return the network of a card with the weights of a `PatchNet`."""
    network = build_network(card)
    blocks = {"bottleneck": "bottleneck"}
    blocks |= {
        f"{part}.{level}": f"{part}_{level}" for part in ("encoder", "decoder") for level in range(card.network.layers)
    }
    values = {name: array.numpy() for name, array in state.items()}
    for ours, theirs in blocks.items():
        for half in "ab":
            kernel = values[f"{ours}.conv_{half}.weight"].transpose(2, 3, 1, 0)
            if ours.startswith("decoder"):  # a transposed convolution there: turned around, its channels exchanged
                kernel = kernel[::-1, ::-1].swapaxes(2, 3)
            network.get_layer(f"{theirs}_conv_{half}").set_weights([kernel, values[f"{ours}.conv_{half}.bias"]])
            norm = [values[f"{ours}.norm_{half}.{name}"] for name in ("weight", "bias", "running_mean", "running_var")]
            network.get_layer(f"{theirs}_norm_{half}").set_weights(norm)
    kernel = values["probability.weight"].transpose(2, 3, 1, 0)
    network.get_layer("probability").set_weights([kernel, values["probability.bias"]])
    return network


if __name__ == "__main__":
    main()
