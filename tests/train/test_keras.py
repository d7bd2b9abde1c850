"""SCSS-Net as published, its loss, and batches that repeat."""

import numpy as np
import pytest

from sunpy_scss.train import Loss

network = pytest.importorskip("sunpy_scss.train._keras")


def count(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)


def test_published_configuration():
    net = network.scss_net((256, 256, 1), filters=32, layers=4, batch_norm=True, drop_prob=0.5)
    assert net.count_params() == 7_857_857
    assert count(net.trainable_weights) == 7_851_969


@pytest.mark.parametrize(("filters", "parameters"), [(16, 1_968_225), (8, 493_937)])
def test_smaller_ones(filters, parameters):
    assert network.scss_net((256, 256, 1), filters=filters).count_params() == parameters


def kinds(net, name):
    return [layer for layer in net.layers if type(layer).__name__ == name]


def test_parts():
    net = network.scss_net((64, 64, 1), filters=4, layers=4, drop_prob=0.5)
    assert [layer.filters for layer in kinds(net, "Conv2DTranspose")] == [32, 32, 16, 16, 8, 8, 4, 4]
    assert [layer.filters for layer in kinds(net, "Conv2D")] == [4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 1]
    # Levels 2 and 3 of the encoder, the bottleneck, and the first two of the decoder.
    assert len(kinds(net, "Dropout")) == 5
    assert not kinds(network.scss_net((64, 64, 1), filters=2), "Dropout")
    assert not kinds(network.scss_net((64, 64, 1), filters=2, batch_norm=False), "BatchNormalization")


def test_any_size_that_divides():
    net = network.scss_net((None, None, 1), filters=2, layers=2)
    assert network.predict(net, np.zeros((3, 16, 24, 1), np.float32)).shape == (3, 16, 24, 1)
    with pytest.raises(ValueError, match="divide by 16"):
        network.scss_net((100, 256, 1))


def test_predictions_are_probabilities():
    net = network.scss_net((16, 16, 1), filters=2, layers=2)
    found = network.predict(net, np.random.default_rng(0).random((5, 16, 16, 1), dtype=np.float32), batch_size=2)
    assert 0 <= found.min() < found.max() <= 1


def loss(label, weight, prediction, **shares):
    target = np.stack([label, weight], axis=-1).astype(np.float32)[np.newaxis]
    prediction = np.asarray(prediction, np.float32)[np.newaxis, ..., np.newaxis]
    only = {"bce": 0, "dice": 0, **shares}
    return float(network._weighted_loss(target, prediction, loss=Loss(**only)))


def test_cross_entropy_by_hand():
    found = loss(np.array([[1, 0]]), np.array([[1, 3]]), [[0.8, 0.4]], bce=1)
    assert found == pytest.approx(-(np.log(0.8) + 3 * np.log(0.6)) / 4, rel=1e-5)


def test_focal_by_hand():
    found = loss(np.array([[1, 0]]), np.array([[1, 3]]), [[0.8, 0.4]], focal=1)
    assert found == pytest.approx(-(0.2**2 * np.log(0.8) + 3 * 0.4**2 * np.log(0.6)) / 4, rel=1e-5)


def test_focal_without_gamma_is_cross_entropy():
    label, prediction = np.array([[1, 0]]), [[0.3, 0.6]]
    flat = loss(label, np.ones((1, 2)), prediction, focal=1, focal_gamma=0)
    assert flat == pytest.approx(loss(label, np.ones((1, 2)), prediction, bce=1), rel=1e-5)


def test_dice_by_hand():
    found = loss(np.array([[1, 0]]), np.ones((1, 2)), [[0.8, 0.4]], dice=1)
    assert found == pytest.approx(1 - (1.6 + 1) / (2.2 + 1), rel=1e-5)


def test_tversky_by_hand():
    found = loss(np.array([[1, 0]]), np.ones((1, 2)), [[0.8, 0.4]], tversky=1, tversky_alpha=0.7)
    assert found == pytest.approx(1 - (0.8 + 1) / (0.8 + 0.7 * 0.4 + 0.3 * 0.2 + 1), rel=1e-5)


def test_a_sum_of_losses():
    label, weight, prediction = np.array([[1, 0, 1]]), np.ones((1, 3)), [[0.8, 0.4, 0.3]]
    shares = {"bce": 2, "dice": 0.5, "tversky": 0.7, "focal": 3}
    parts = sum(share * loss(label, weight, prediction, **{name: 1}) for name, share in shares.items())
    assert loss(label, weight, prediction, **shares) == pytest.approx(parts, rel=1e-5)


def test_pixels_without_weight_do_not_count():
    everything = {"bce": 1, "dice": 1, "tversky": 1, "focal": 1}
    one, other = (loss(np.array([[1, 0]]), np.array([[1, 0]]), [[0.8, x]], **everything) for x in (0.1, 0.9))
    assert one == pytest.approx(other)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [1e-3, 1e-3, 1e-3]),
        ({"warmup_steps": 10}, [1e-4, 1e-3, 1e-3]),
        ({"warmup_steps": 10, "decay_steps": 90}, [1e-4, 1e-3, 1e-5]),
    ],
)
def test_learning_rate(settings, expected):
    net = network.scss_net((16, 16, 1), filters=2, layers=1)
    network.compile_network(net, Loss(), learning_rate=1e-3, **settings)
    schedule = net.optimizer._learning_rate
    assert [float(schedule(step)) for step in (0, 10, 100)] == pytest.approx(expected, rel=1e-4)


def test_training_metric_is_the_pooled_iou():
    rng = np.random.default_rng(3)
    label, prediction = (rng.random((2, 4, 8, 8)) < 0.4).astype(np.float32)
    weight = (rng.random((4, 8, 8)) < 0.7).astype(np.float32)
    metric = network._PooledIoU()
    for half in (slice(2), slice(2, 4)):
        metric.update_state(np.stack([label[half], weight[half]], axis=-1), prediction[half][..., np.newaxis])
    from sunpy_scss.masks import iou

    assert float(metric.result()) == pytest.approx(iou(label, prediction, where=weight > 0), rel=1e-6)


def test_batches_repeat_and_differ():
    from sunpy_scss.train import Augmentation

    images = np.random.default_rng(0).random((5, 16, 16, 1), dtype=np.float32)

    def pair(position):
        return images[position], np.ones((16, 16, 2), np.float32)

    def batch(seed):
        return network.Batches(pair, 2, [4, 1, 0], augment=Augmentation(), seed=seed)[0][0]

    np.testing.assert_array_equal(batch([1, 2]), batch([1, 2]))
    assert not np.array_equal(batch([1, 2]), batch([1, 3]))
    assert len(network.Batches(pair, 2, [4, 1, 0])) == 2
