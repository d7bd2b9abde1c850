"""The engine that segments: the same numbers as Keras, and neither Keras nor TensorFlow loaded."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from makers import CARD

from sunpy_scss import list_models, load_model
from sunpy_scss.images import example_map
from sunpy_scss.models import _engines, _store
from sunpy_scss.train import load_network, save_model, scss_net, use_keras
from sunpy_scss.train._weights import build_network

network = pytest.importorskip("sunpy_scss.train._keras")
onnx = pytest.importorskip("sunpy_scss.models._onnx")

SEGMENT = """
import sys
from sunpy_scss.cli import main
assert main(["segment", sys.argv[1], "--output", sys.argv[2]]) == 0
print(*[name for name in ("tensorflow", "keras", "jax", "torch") if name in sys.modules])
"""


def images(n=3, size=64, seed=0):
    return np.random.default_rng(seed).random((n, size, size, 1), dtype=np.float32)


def shaken(net, seed=0):
    """A network none of whose weights is a round number, as after training; variances, near 1, stay positive."""
    rng = np.random.default_rng(seed)
    net.set_weights([values + rng.normal(0, 0.05, values.shape) for values in net.get_weights()])
    return net


@pytest.mark.parametrize(
    "settings",
    [
        {"filters": 3},
        {"filters": 2, "layers": 2, "batch_norm": False},
        {"filters": 2, "layers": 1, "drop_prob": 0.5},
        {"filters": 2, "layers": 3, "drop_prob": 0.5, "outputs": 3},
        {"filters": 3, "layers": 2, "patch": 2, "outputs": 3},
        {"filters": 2, "layers": 1, "patch": 4},
    ],
    ids=str,
)
def test_same_as_keras(tmp_path, settings):
    keras.utils.set_random_seed(0)
    net = shaken(scss_net((None, None, 1), **settings))
    net.save_weights(tmp_path / "net.weights.h5")
    found = onnx.load_predict(tmp_path / "net.weights.h5")(images())
    expected = network.predict(net, images())
    assert found.shape == (3, 64, 64, settings.get("outputs", 1))
    assert found.dtype == np.float32
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_weights_with_the_state_of_training(tmp_path):
    net = scss_net((32, 32, 1), filters=2, layers=2)
    net.compile(optimizer="adam", loss="mse")
    net.fit(images(2, 32), images(2, 32, seed=1), verbose=0)
    net.save_weights(tmp_path / "net.weights.h5")
    found = onnx.load_predict(tmp_path / "net.weights.h5")(images(2, 32))
    np.testing.assert_allclose(found, network.predict(net, images(2, 32)), atol=1e-5)


@pytest.mark.parametrize(("said", "threads"), [("1", 1), ("3", 3), ("2,1", 0), (None, 0)])
def test_threads_are_those_of_the_environment(tmp_path, monkeypatch, said, threads):
    scss_net((32, 32, 1), filters=2, layers=1).save_weights(tmp_path / "net.weights.h5")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if said:
        monkeypatch.setenv("OMP_NUM_THREADS", said)
    (session,) = onnx.load_predict(tmp_path / "net.weights.h5").args
    assert session.get_session_options().intra_op_num_threads == threads


@pytest.mark.parametrize("name", list_models())
def test_bundled_models(name):
    model = load_model(name)
    size = model.card.grid_size
    # Not an image of the Sun, but of all the values of one.
    shades = np.linspace(0, 1, size, dtype=np.float32)
    image = (shades[:, np.newaxis] * np.sin(9 * shades) ** 2)[np.newaxis, ..., np.newaxis]
    np.testing.assert_allclose(model.predict(image), network.predict(load_network(name), image), atol=1e-5)


def test_keras_where_there_is_no_onnx_runtime(tmp_path, monkeypatch):
    save_model(CARD, build_network(CARD, seed=1), tmp_path / "model")
    inputs = images(2, CARD.grid_size)
    expected = load_model(tmp_path / "model").predict(inputs)
    _store._loaded.cache_clear()
    monkeypatch.setattr(_engines, "_ENGINES", {})
    monkeypatch.delitem(sys.modules, "sunpy_scss.models._onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ImportError, match=r"pip install onnxruntime.*use_keras"):
        load_model(tmp_path / "model").predict(inputs)
    use_keras()
    np.testing.assert_allclose(load_model(tmp_path / "model").predict(inputs), expected, atol=1e-5)
    _store._loaded.cache_clear()


@pytest.mark.filterwarnings("ignore")
def test_segmenting_a_file_loads_no_tensorflow(tmp_path):
    example_map(171).save(tmp_path / "sun.fits")
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SEGMENT, tmp_path / "sun.fits", tmp_path / "masks"],
        capture_output=True,
        text=True,
        check=True,
    )
    *written, loaded = run.stdout.splitlines()
    assert [line.rsplit("_", 1)[1] for line in written] == ["ar.fits"]
    assert loaded == ""


FORKED = """
import multiprocessing
import numpy as np
from sunpy_scss import load_model

images = np.zeros((1, 256, 256, 1), dtype=np.float32)
here = load_model("scss-ch-193-5").predict(images)


def there(_):
    return np.array_equal(load_model("scss-ch-193-5").predict(images), here)


with multiprocessing.get_context("fork").Pool(2) as pool:
    print(all(pool.map_async(there, range(4)).get(timeout=120)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked by default on Linux alone")
def test_forked_workers_predict_after_their_parent_did():
    run = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True, timeout=180)
    assert run.stdout.strip() == "True"
