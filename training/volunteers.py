"""
A network for the active regions that people draw, from coarse polygons and from images without any.

    python training/volunteers.py POLYGONS OTHERS OUTPUT [--minutes 11] [--seed 0]

POLYGONS is a folder of images with masks (see README.rst), whose index parts them. OTHERS are folders of images, given
with a comma between; where they have an index with parts, only what is "train" is taken. OUTPUT keeps the images as the
network sees them and the model folder. Needs PyTorch and Keras.

The network starts from scss-ar-171-1. It learns two outputs: the polygons, and what the bundled models say of the full
regions, on all images; the second one is dropped in the end. Half-way, what the running mean of the weights says of the
images without polygons becomes their label, with little weight.
"""

import argparse
import csv
import dataclasses
import hashlib
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn.functional as tf
from scipy import ndimage
from torch import nn

import sunpy.map

import sunpy_scss
from sunpy_scss.canonical._frame import frame_of
from sunpy_scss.canonical._resample import to_canonical
from sunpy_scss.models import load_model
from sunpy_scss.models._split import SPLIT_FILE, Split, split_text
from sunpy_scss.models._store import WEIGHTS, write_card
from sunpy_scss.segment._input import maps_of_channels, network_input
from sunpy_scss.train import list_folder, make_dataset, read_configuration, save_model
from sunpy_scss.train._evaluation import scores_of, threshold_scores
from sunpy_scss.train._weights import build_network, load_network

RECIPE = Path(__file__).with_name("volunteers.toml")
START, TEACHERS = "scss-ar-171-1", (("scss-ar-171-1", None), ("scss-ar-171-3", "full"))
HUMAN, OTHER = 5, 2  # images of a batch
MARGIN = 8  # pixels at each side of the grid that show no disc
LEARNING_RATE, WARMUP, AVERAGING = 1.2e-3, 30, 0.99
EDGE, FORGOTTEN, PSEUDO = 0.5, 0.5, 0.3  # weights: beside an outline, in what nobody drew but is active, in own labels
AUXILIARY = 0.7  # of the loss of the full regions


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("polygons", type=Path)
    parser.add_argument("others", type=lambda text: [Path(one) for one in text.split(",")])
    parser.add_argument("output", type=Path)
    parser.add_argument("--minutes", type=float, default=11)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prepare", action="store_true", help="only bring the images to the grid")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    card = read_configuration(RECIPE).card
    folders = [options.polygons, *options.others]
    suns = [prepared(folder, card, options.output / f"{folder.name}.npz") for folder in folders]
    if not options.prepare:
        keras_network = build_network(card)
        train(suns, card, options).give(keras_network)
        bundle(keras_network, card, folders, options.output / card.name)


def prepared(folder, card, path):
    """Return images, masks and the teachers' answers of a folder on the grid of the card, kept in a file."""
    if not path.exists():
        with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        found = {"split": [row.get("split", "train") for row in rows], "image": [], "mask": [], "teacher": []}
        for row in rows:
            smap = sunpy.map.Map(folder / "images" / f"{row['key']}.fits")
            found["image"].append(network_input(maps_of_channels(smap, card), card).image[..., 0])
            mask = folder / "masks" / f"{row['key']}.fits"
            inside = (sunpy.map.Map(mask).data > 0).astype(np.float32) if mask.exists() else np.zeros_like(smap.data)
            found["mask"].append(to_canonical(inside.astype(np.float32), frame_of(smap), card.grid))
            found["teacher"].append(taught(smap, card.grid_size))
        np.savez(path, **found)
    with np.load(path) as kept:
        return {name: np.nan_to_num(kept[name]) if name != "split" else kept[name] for name in kept.files}


def taught(smap, size):
    """Return the mean probability of a full region by the bundled models, (size, size)."""
    answers = []
    for name, boundary in TEACHERS:
        model = load_model(name).at(boundary)
        seen = network_input(maps_of_channels(smap, model.card), model.card).image
        answers.append(model.card.calibrated(model.predict(seen[np.newaxis])[0, ..., 0]))
    share = len(answers[0]) // size
    return np.mean(answers, axis=0).reshape(size, share, size, share).mean(axis=(1, 3))


def learned(suns, disk):
    """Return the images to learn from, with targets: polygons, full regions, and the weights of both."""
    images, targets, n_human = [], [], 0
    for number, sun in enumerate(suns):
        for at in np.flatnonzero(sun["split"] == "train"):
            human = number == 0
            mask, teacher = sun["mask"][at], sun["teacher"][at]
            soft = ndimage.gaussian_filter(mask, 0.8) * 0.96 + 0.02
            weight = trusted(mask, teacher, disk) if human else np.zeros(disk.shape)
            images.append(sun["image"][at])
            targets.append(np.stack([soft, teacher.clip(0, 1), weight, disk]).astype(np.float32))
            n_human += human
    return np.array(images), np.array(targets), n_human


def trusted(mask, teacher, disk):
    """Return the weight of each pixel of a label drawn with few corners."""
    weight = disk.astype(float)
    inside = mask >= 0.5
    weight[ndimage.binary_dilation(inside) & ~ndimage.binary_erosion(inside)] *= EDGE
    regions, count = ndimage.label((teacher > 0.5) & disk)
    for number in range(1, count + 1):
        region = regions == number
        if not (region & (mask > 0.2)).any():
            weight[ndimage.binary_dilation(region)] *= FORGOTTEN
    return weight


def changed(image, target, radius, rng):
    """Return an image and its target with another contrast and another limb, mirrored and turned."""
    shown = 0.4 + np.exp(rng.uniform(-0.25, 0.25)) * (image - 0.4) + rng.uniform(-0.06, 0.06)
    shown = ndimage.gaussian_filter(shown, rng.choice([0, rng.uniform(0.3, 0.8)]))
    shown += rng.normal(0, rng.uniform(0, 0.02), shown.shape)
    shown = np.where(image > 0, shown.clip(0, 1), 0)
    if rng.random() < 0.3:  # some archives fill with zeros from the limb on
        shown = np.where(radius > rng.uniform(1, 1.05), 0, shown)
    angle, scale = np.deg2rad(rng.uniform(-30, 30)), 1 + rng.uniform(-0.03, 0.03)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = scale * turn @ np.diag(rng.choice([-1, 1], 2))
    middle = np.full(2, (len(image) - 1) / 2)
    offset = middle - matrix @ middle + rng.uniform(-1, 1, 2)
    moved = [ndimage.affine_transform(plane, matrix, offset, order=1) for plane in (shown, *target)]
    moved = np.stack(moved).astype(np.float32)[:, MARGIN:-MARGIN, MARGIN:-MARGIN]
    return moved[:1], moved[1:]


def loss_of(logits, target):
    """Return the loss: cross entropy and Dice of the polygons, and cross entropy of the full regions."""
    label, full, weight, everywhere = target.unbind(1)
    right = tf.binary_cross_entropy_with_logits(logits[:, 0], label, reduction="none")
    claimed, counts = torch.sigmoid(logits[:HUMAN, 0]), weight[:HUMAN]
    both = (counts * claimed * label[:HUMAN]).sum((1, 2))
    either = (counts * (claimed + label[:HUMAN])).sum((1, 2))
    auxiliary = tf.binary_cross_entropy_with_logits(logits[:, 1], full, reduction="none") * everywhere
    dice = 1 - (2 * both + 1) / (either + 1)
    return 2 * (right * weight).sum() / weight.sum() + 0.7 * dice.mean() + AUXILIARY * auxiliary.mean()


def train(suns, card, options):

    began = time.monotonic()
    rng = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    radius = card.grid.radius
    images, targets, n_human = learned(suns, radius <= 1)
    test = suns[0]["split"] == "validation"
    network, mean = Net(card.network.filters, card.network.layers, outputs=2), None
    network.take(load_network(START))
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    step, labelled_itself = 0, False
    while (part := (time.monotonic() - began) / 60 / options.minutes) < 1:
        rate = LEARNING_RATE * min(1, (step + 1) / WARMUP) * (0.51 + 0.49 * np.cos(np.pi * part))
        for group in optimiser.param_groups:
            group["lr"] = rate
        if part > 0.5 and not labelled_itself:
            own = answers(mean, images[n_human:])[:, 0]
            targets[n_human:, 0], targets[n_human:, 2] = own, PSEUDO * (radius <= 1)
            labelled_itself = True
        chosen = [*rng.choice(n_human, HUMAN, replace=False), *rng.integers(n_human, len(images), OTHER)]
        batch = [changed(images[at], targets[at], radius, rng) for at in chosen]
        image, target = (torch.from_numpy(np.stack(planes)) for planes in zip(*batch, strict=True))
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            logits = network(image)
        loss = loss_of(logits.float(), target)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2)
        optimiser.step()
        step += 1
        mean = averaged(mean, network, min(AVERAGING, step / (step + 10)))
        if step % 100 == 0:
            scores = iou(answers(mean, suns[0]["image"][test])[:, 0], suns[0]["mask"][test], radius <= 1)
            print(f"{time.monotonic() - began:.0f} s, step {step}, loss {loss:.3f}, IoU {scores}", flush=True)
    torch.save(mean.state_dict(), options.output / f"weights_{options.seed}.pt")
    scores = iou(answers(mean, suns[0]["image"][test])[:, 0], suns[0]["mask"][test], radius <= 1)
    print(f"{step} steps, IoU {scores}", flush=True)
    return mean


def bundle(network, card, folders, output):
    """Write the model folder with the threshold of the best mean IoU of the validation part and its scores."""
    parts = {part: make_dataset(list_folder(folders[0], part), card) for part in ("train", "validation")}
    training, validation = parts.values()
    model = in_half_precision(save_model(card, network, output, overwrite=True).card, output)
    tried = [with_threshold(model, threshold) for threshold in np.arange(0.3, 0.66, 0.05)]
    scores = [scores_of(one, validation)["mean_iou"] for one in tried]
    good = np.flatnonzero(np.array(scores) > max(scores) - 0.003)
    model = tried[good[len(good) // 2]]
    found = scores_of(model, validation)
    share = 100 * np.mean([(validation.labels[at] >= 0.5)[validation.disk].mean() for at in range(len(validation))])
    boundary = dataclasses.replace(model.card.boundaries[0], share=round(float(share), 2), scores=found)
    facts = {
        "boundaries": (boundary,),
        "scores": {"model": found, **threshold_scores(training, validation, card)},
        "training": {**card.training, "training images": len(training), "validation images": len(validation)},
        "version": sunpy_scss.__version__,
    }
    write_card(output, dataclasses.replace(model.card, **facts))
    shutil.copyfile(RECIPE, output / "train.toml")
    seen = {part: tuple(zip(those.keys, those.dates.isot, strict=True)) for part, those in parts.items()}
    earlier = tuple((row["key"], row["date"]) for folder in folders[1:] for row in rows_of(folder))
    (output / SPLIT_FILE).write_text(split_text(Split(**seen, earlier=earlier)), encoding="utf-8")
    print({"at": boundary.threshold} | facts["scores"])
    for name, other in TEACHERS:
        teacher = load_model(name).at(other)
        print(name, scores_of(teacher, make_dataset(list_folder(folders[0], "validation"), teacher.card)))


def in_half_precision(card, folder):
    """Store a model with kernels of 16 bits, exact enough and half as large; return it."""
    (path,) = folder.glob("model*.weights.h5")
    halved = folder / "halved.h5"
    with h5py.File(path) as old, h5py.File(halved, "w") as new:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                new.require_group(name).attrs.update(item.attrs)
            else:
                new[name] = item[()].astype(np.float16 if item.ndim == 4 else item.dtype)
                new[name].attrs.update(item.attrs)

        old.visititems(copy)
    path.unlink()
    halved.rename(folder / WEIGHTS)
    write_card(folder, dataclasses.replace(card, sha256=hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()))
    return load_model(folder)


def rows_of(folder):
    """Return the index rows of the training images of a folder, or all rows if it has no parts."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row.get("split", "train") == "train"]


def with_threshold(model, threshold):
    boundary = dataclasses.replace(model.card.boundaries[0], threshold=round(float(threshold), 2))
    return dataclasses.replace(model, card=dataclasses.replace(model.card, boundaries=(boundary,)))


def averaged(mean, network, decay):
    """Return the running mean of the weights, updated in place after the first step."""
    if mean is None:
        mean = Net(network.filters, network.layers, outputs=2)
        mean.load_state_dict(network.state_dict())
        return mean.eval()
    with torch.no_grad():
        for old, new in zip(mean.state_dict().values(), network.state_dict().values(), strict=True):
            if old.is_floating_point():
                old.lerp_(new, 1 - decay)
    return mean


def answers(network, images):
    with torch.inference_mode():
        parts = [
            torch.sigmoid(network(torch.from_numpy(images[at : at + 8, np.newaxis]))) for at in range(0, len(images), 8)
        ]
    return torch.cat(parts).numpy()


def iou(probability, mask, disk):
    """Return the mean IoU over images by threshold."""
    inside, scores = mask >= 0.5, {}
    for threshold in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6):
        claimed = probability >= threshold
        both, either = (inside & claimed)[:, disk].sum(1), (inside | claimed)[:, disk].sum(1)
        scores[threshold] = round(float((both / either).mean()), 3)
    return scores


class Net(nn.Module):
    """SCSS-Net as `sunpy_scss.models.scss_net` has it, which trains twice as fast in bfloat16; logits come out."""

    def __init__(self, filters, layers, *, outputs):
        super().__init__()
        self.filters, self.layers = filters, layers
        self.parts = nn.ModuleDict()
        channels = 1
        for level in range(layers):
            channels = self._add(f"encoder_{level}", channels, filters * 2**level)
        channels = self._add("bottleneck", channels, filters * 2**layers)
        for level in reversed(range(layers)):
            channels = self._add(f"decoder_{level}", channels + filters * 2**level, filters * 2**level)
        self.parts["probability"] = nn.Conv2d(channels, outputs, 1)

    def _add(self, name, channels, filters):
        for half in "ab":
            self.parts[f"{name}_conv_{half}"] = nn.Conv2d(channels, filters, 3, padding=1)
            self.parts[f"{name}_norm_{half}"] = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.1)
            channels = filters
        return channels

    def _block(self, name, x):
        for half in "ab":
            x = tf.relu(self.parts[f"{name}_norm_{half}"](self.parts[f"{name}_conv_{half}"](x)))
        return x

    def forward(self, x):
        skips = []
        for level in range(self.layers):
            x = self._block(f"encoder_{level}", x)
            skips.append(x)
            x = tf.max_pool2d(x, 2)
        x = self._block("bottleneck", x)
        for level in reversed(range(self.layers)):
            x = tf.interpolate(x, scale_factor=2, mode="nearest")
            x = self._block(f"decoder_{level}", torch.cat([x, skips[level]], dim=1))
        return self.parts["probability"](x)

    def take(self, keras_network):
        """Take the weights of the Keras network; each output gets those of its one output."""
        with torch.no_grad():
            for name, part in self.parts.items():
                own = [part.weight, part.bias]
                given = [torch.from_numpy(values) for values in keras_network.get_layer(name).get_weights()]
                if isinstance(part, nn.BatchNorm2d):
                    own += [part.running_mean, part.running_var]
                else:
                    given[0] = turned(given[0], name)
                for values, new in zip(own, given, strict=True):
                    values.copy_(new.expand(values.shape))

    def give(self, keras_network):
        """Give these weights to the Keras network, which has the first output alone."""
        for name, part in self.parts.items():
            given = [part.weight, part.bias]
            if isinstance(part, nn.BatchNorm2d):
                given += [part.running_mean, part.running_var]
            else:
                given[0] = turned(given[0][:1] if name == "probability" else given[0], name, back=True)
                given[1] = given[1][:1] if name == "probability" else given[1]
            keras_network.get_layer(name).set_weights([values.detach().numpy() for values in given])


def turned(kernel, name, *, back=False):
    """
    Return the kernel of a convolution turned from (ny, nx, from, to) to (to, from, ny, nx), or back.

    Those of the decoder are transposed ones: (ny, nx, to, from), and mirrored.
    """
    transposed = name.startswith("decoder")
    if back:
        kernel = kernel.permute(2, 3, 0, 1) if transposed else kernel.permute(2, 3, 1, 0)
        return kernel.flip(0, 1) if transposed else kernel
    kernel = kernel.permute(2, 3, 0, 1) if transposed else kernel.permute(3, 2, 0, 1)
    return kernel.flip(2, 3) if transposed else kernel


if __name__ == "__main__":
    main()
