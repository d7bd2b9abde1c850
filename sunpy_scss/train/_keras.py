"""
SCSS-Net in Keras: the network, its loss and the batches it learns from.

This is the only module that imports Keras. Targets have a channel for each boundary, with the label in [0, 1], and a
last one with the weight of each pixel: 0 off the disc and where the label is unknown, over 1 in hard negatives.
"""

from contextlib import contextmanager
from functools import partial

import numpy as np

try:
    import keras
    from keras import layers as kl
    from keras import ops
except ModuleNotFoundError as error:
    msg = f'Networks are built and trained with Keras ({error}): pip install "sunpy_scss[train]".'
    raise ModuleNotFoundError(msg) from error

__all__ = [
    "Batches",
    "RunningMean",
    "StopAtNaN",
    "compile_network",
    "device",
    "freeze_encoder",
    "precision",
    "predict",
    "scss_net",
    "seed_dropout",
    "set_seed",
]

set_seed = keras.utils.set_random_seed


def _double_block(x, convolution, filters, norm, name, patch=1):
    for half in "ab":
        # The first convolution of the network may take patches; all others take every pixel of their level.
        kernel, step = (2 * patch, patch) if patch > 1 and half == "a" else (3, 1)
        x = convolution(filters, kernel, strides=step, padding="same", name=f"{name}_conv_{half}")(x)
        if norm:
            x = norm(name=f"{name}_norm_{half}")(x)
        x = kl.ReLU(name=f"{name}_relu_{half}")(x)
    return x


def scss_net(
    input_shape: tuple[int, int, int] = (256, 256, 1),
    filters: int = 32,
    layers: int = 4,
    batch_norm: bool = True,
    drop_prob: float = 0.0,
    *,
    momentum: float = 0.8,
    patch: int = 1,
    outputs: int = 1,
) -> keras.Model:
    """
    Build the U-Net of Mackovjak et al. (2021).

    Parameters
    ----------
    input_shape : tuple of int
        (ny, nx, channels); ny and nx must divide by ``patch * 2**layers``, or be None.
    filters : int
        Filters of the first level; they double from level to level.
    layers : int
        Levels of the encoder and of the decoder.
    batch_norm : bool
        Batch normalisation after each convolution.
    drop_prob : float
        Dropout before the deeper levels; 0 for none.
    momentum : float
        Momentum of the running statistics of batch normalisation. Keras's own 0.99 needs thousands of steps
        until they are right.
    patch : int
        1 for the published network. With 2, the first convolution takes steps of two pixels and the last one gives
        back two by two pixels for each step: with the same filters and one layer less, the network sees as far at a
        fifth of the multiplications.
    outputs : int
        Boundaries that are drawn at once, from the outermost to the innermost.

    Returns
    -------
    keras.Model
        A network from (n, ny, nx, channels) to (n, ny, nx, outputs), probabilities in [0, 1].

    Raises
    ------
    ValueError
        If the size does not divide by ``patch * 2**layers``.

    References
    ----------
    * Mackovjak et al. 2021, MNRAS 508, 3111, https://doi.org/10.1093/mnras/stab2536

    Examples
    --------
    >>> from sunpy_scss.train import scss_net
    >>> network = scss_net(
    ...     (256, 256, 1), filters=32, layers=4, batch_norm=True, drop_prob=0.5
    ... )
    >>> network.count_params()
    7857857
    """
    unit = patch * 2**layers
    if any(n is not None and n % unit for n in input_shape[:2]):
        msg = f"Height and width must divide by {unit} for {layers} layers (got {tuple(input_shape)})."
        raise ValueError(msg)
    norm = partial(kl.BatchNormalization, momentum=momentum) if batch_norm else None
    # The layers have names of our own: those of Keras count on from one network to the next, and get into the weights.
    inputs = x = keras.Input(input_shape, name="image")
    skips = []
    for level in range(layers):
        if drop_prob and level >= 2:
            x = kl.Dropout(drop_prob, name=f"encoder_{level}_dropout")(x)
        x = _double_block(x, kl.Conv2D, filters * 2**level, norm, f"encoder_{level}", patch if level == 0 else 1)
        skips.append(x)
        x = kl.MaxPooling2D(name=f"encoder_{level}_pool")(x)
    if drop_prob:
        x = kl.Dropout(drop_prob, name="bottleneck_dropout")(x)
    x = _double_block(x, kl.Conv2D, filters * 2**layers, norm, "bottleneck")
    for step, level in enumerate(reversed(range(layers))):
        if drop_prob and step < 2:
            x = kl.Dropout(drop_prob, name=f"decoder_{level}_dropout")(x)
        x = kl.UpSampling2D(name=f"decoder_{level}_up")(x)
        x = kl.Concatenate(name=f"decoder_{level}_skip")([x, skips[level]])
        x = _double_block(x, kl.Conv2DTranspose, filters * 2**level, norm, f"decoder_{level}")
    # The output is in single precision, so that probabilities near 0 and 1 are told apart.
    last = kl.Conv2DTranspose if patch > 1 else kl.Conv2D
    last = last(outputs, patch, strides=patch, activation="sigmoid", name="probability", dtype="float32")
    return keras.Model(inputs, last(x), name="scss_net")


def device():
    """Return the device on which networks are trained, in words."""
    names = keras.distribution.list_devices()
    return f"{', '.join(names) or 'an unknown device'} by Keras on {keras.backend.backend()}"


@contextmanager
def precision(name):
    """Let networks that are built inside compute in this precision, with weights in single precision."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _weighted_loss(target, prediction, *, loss):
    """Return the sum of losses that a `sunpy_scss.train.Loss` describes, the mean over the boundaries."""
    label, weight = target[..., :-1], target[..., -1:]
    probability = ops.clip(prediction, 1e-6, 1 - 1e-6)
    right = label * ops.log(probability) + (1 - label) * ops.log(1 - probability)
    hard = label * (1 - probability) ** loss.focal_gamma * ops.log(probability)
    hard += (1 - label) * probability**loss.focal_gamma * ops.log(1 - probability)

    def total(values):
        return ops.sum(weight * values, axis=(0, 1, 2))

    both = total(label * probability)
    beyond, missed = total((1 - label) * probability), total(label * (1 - probability))
    surplus = loss.tversky_alpha * beyond + (1 - loss.tversky_alpha) * missed
    pixels = ops.maximum(ops.sum(weight), 1e-6)
    terms = [
        (loss.bce, -total(right) / pixels),
        (loss.focal, -total(hard) / pixels),
        # The ones avoid a division by 0 in images without the feature.
        (loss.dice, 1 - (2 * both + 1) / (2 * both + beyond + missed + 1)),
        (loss.tversky, 1 - (both + 1) / (both + surplus + 1)),
    ]
    return sum(share * ops.mean(term) for share, term in terms if share)


class _PooledIoU(keras.metrics.Metric):
    """Intersection over union of thresholded labels and predictions, pooled over the epoch and all boundaries."""

    def __init__(self, threshold=0.5):
        super().__init__(name="iou")
        self.threshold = threshold
        self.both = self.add_weight(name="both", initializer="zeros")
        self.either = self.add_weight(name="either", initializer="zeros")

    def update_state(self, target, prediction, sample_weight=None):
        counts = target[..., -1:] > 0
        label = (target[..., :-1] >= 0.5) & counts
        prediction = (prediction >= self.threshold) & counts
        self.both.assign_add(ops.sum(ops.cast(label & prediction, "float32")))
        self.either.assign_add(ops.sum(ops.cast(label | prediction, "float32")))

    def result(self):
        return ops.where(self.either > 0, self.both / ops.maximum(self.either, 1), 1.0)


def compile_network(network, loss, *, learning_rate, warmup_steps=0, decay_steps=None, compiled=False):
    """
    Compile a network for training, in place.

    The optimiser is Adam. Its learning rate rises from a tenth over ``warmup_steps``. Then it falls as a cosine over
    ``decay_steps``, or stays if there are none.

    Parameters
    ----------
    network : keras.Model
    loss : sunpy_scss.train.Loss
    learning_rate : float
    warmup_steps : float, optional
    decay_steps : float, optional
    compiled : bool, optional
        Compile the steps by XLA, which Keras does not do on CPUs by itself. It takes as long as some hundred steps, and
        each step then takes 0.6 of the time.
    """
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate / 10 if warmup_steps else learning_rate,
        decay_steps or 1,
        alpha=0.01 if decay_steps else 1,
        warmup_target=learning_rate if warmup_steps else None,
        warmup_steps=warmup_steps,
    )
    network.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=partial(_weighted_loss, loss=loss),
        metrics=[_PooledIoU()],
        jit_compile=compiled and keras.backend.backend() != "torch",  # PyTorch would need a compiler
    )
    network.optimizer.build(network.trainable_variables)  # so that a saved state can be loaded before the first step


class StopAtNaN(keras.callbacks.Callback):
    """
    End an epoch at the first batch whose loss is not finite.

    Attributes
    ----------
    batch : int or None
        The number of that batch.
    """

    batch = None

    def on_train_batch_end(self, batch, logs=None):
        """Handle the end of a batch, called by Keras."""
        if not np.isfinite(logs["loss"]):
            self.batch, self.model.stop_training = batch, True


def seed_dropout(network, seed):
    """
    Set the seeds of a network's dropout layers, in place.

    Keras does not save them with the weights. They are set for each epoch, so that a training that was interrupted
    draws the same random numbers.

    Parameters
    ----------
    network : keras.Model
    seed : sequence of int
    """
    states = [variable for variable in network.variables if "seed_generator" in variable.path]
    for number, state in enumerate(states):
        drawn = np.random.default_rng([*seed, number]).integers(2**31, size=2)
        state.assign(ops.convert_to_tensor(drawn, dtype=state.dtype))


class RunningMean(keras.callbacks.Callback):
    """
    The mean of all weights over the last steps, the statistics of batch normalisation among them.

    Weights at the end of a training still jump from batch to batch; their mean is better than any of them (Izmailov
    et al. 2018, https://arxiv.org/abs/1803.05407).

    Attributes
    ----------
    decay : float
        The factor by which the old mean counts after each step; 0.98 averages over some 50 steps.
    weights : list of numpy.ndarray or None
        The mean, in the order of ``keras.Model.get_weights``; None before the first step.
    """

    def __init__(self, decay, weights=None, steps=0):
        super().__init__()
        self.decay, self.weights, self.steps = decay, weights, steps

    def on_train_batch_end(self, batch, logs=None):
        """Handle the end of a batch, called by Keras."""
        self.steps += 1
        new = self.model.get_weights()
        if self.weights is None:
            self.weights = new
            return
        # The first steps have equal weights, so that the very first one does not stay in the mean for long.
        decay = min(self.decay, self.steps / (self.steps + 10))
        self.weights = [decay * old + (1 - decay) * one for old, one in zip(self.weights, new, strict=True)]


def freeze_encoder(network):
    """Freeze the weights of the encoder, in place; call it before `compile_network`."""
    for layer in network.layers:
        if layer.name.startswith("encoder_"):
            layer.trainable = False


class Batches(keras.utils.PyDataset):
    """
    The batches of one epoch, the same for the same ``seed``.

    Parameters
    ----------
    pair : callable
        ``pair(position)`` gives image (ny, nx, channels) in [0, 1] and target (ny, nx, boundaries + 1), labels and
        weight.
    batch_size : int
    indices : sequence of int
        Positions of the images, in the order in which they are taken.
    augment : callable, optional
        ``augment(image, target, rng)`` gives a new image (ny, nx) and target.
    seed : sequence of int, optional
        The seed of the random numbers of ``augment``.
    """

    def __init__(self, pair, batch_size, indices, *, augment=None, seed=()):
        super().__init__(workers=2, max_queue_size=4)
        self.pair, self.batch_size, self.indices = pair, batch_size, indices
        self.augment, self.seed = augment, seed

    def __len__(self):
        return -(-len(self.indices) // self.batch_size)

    def __getitem__(self, index):
        chosen = self.indices[index * self.batch_size : (index + 1) * self.batch_size]
        pairs = [self._pair(position, index) for position in chosen]
        images, targets = zip(*pairs, strict=True)
        return np.stack(images), np.stack(targets)

    def _pair(self, position, index):
        image, target = self.pair(position)
        if self.augment is None:
            return image, target
        # With the same random numbers, all channels move together.
        changed = [
            self.augment(channel, target, np.random.default_rng([*self.seed, index, position]))
            for channel in np.moveaxis(image, -1, 0)
        ]
        channels, targets = zip(*changed, strict=True)
        return np.stack(channels, axis=-1), targets[0]


def predict(network, images, *, batch_size=4):
    """
    Return the probabilities (n, ny, nx, boundaries) of images (n, ny, nx, channels), as numpy.

    Batches of ``batch_size`` limit the memory. The probability inside a boundary is never higher than that inside the
    next one outwards, so that at any threshold each region lies within that of all outer boundaries.
    """
    starts = range(0, len(images), batch_size)
    found = [ops.convert_to_numpy(network(images[i : i + batch_size], training=False)) for i in starts]
    return np.minimum.accumulate(np.concatenate(found), axis=-1)
