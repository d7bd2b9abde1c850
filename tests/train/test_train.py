"""A tiny network learns, goes on, repeats and is saved."""

import csv
import dataclasses

import numpy as np
import pytest
from makers import BOUNDARY, CARD, disk_map, sun_with_hole

import sunpy.map

from sunpy_scss import list_models, load_model, segment_coronal_holes
from sunpy_scss.exceptions import ModelError, SplitWarning, TrainingError
from sunpy_scss.masks import iou
from sunpy_scss.models import Model, Network
from sunpy_scss.train import (
    Augmentation,
    Configuration,
    LabelledMap,
    Loss,
    calibrate,
    evaluate,
    load_network,
    make_dataset,
    read_configuration,
    read_folder,
    register_network,
    save_model,
    train_model,
)
from sunpy_scss.train._evaluation import scores_of, threshold_scores
from sunpy_scss.train._parts import checked_split

SMALL = dataclasses.replace(CARD, name="test-small", grid_size=32, network=Network(filters=4, layers=1, momentum=0.8))


TUNED = dataclasses.replace(SMALL, name="test-tuned", labels="others")


def labelled(seed):
    """A Sun with a hole, and a filament-like hard negative: as dark, but thin. One for each month."""
    rng = np.random.default_rng(seed)
    at, radius = rng.uniform(-0.4, 0.4, 2), rng.uniform(0.2, 0.35)

    def hard_negative(x, y):
        return (np.abs(y - 0.75) < 0.06) & (np.abs(x) < 0.4)

    def image(x, y):
        return np.where(hard_negative(x, y), 40, sun_with_hole(x, y, at=at, radius=radius))

    def hole(x, y):
        return np.hypot(x - at[0], y - at[1]) <= radius

    small = {"size": 64, "radius": 25, "date": f"{2010 + seed // 12}-{seed % 12 + 1:02d}-03"}
    suns = [disk_map(values, **small) for values in (image, hole, hard_negative)]
    masks = [sunpy.map.Map(sun.data.astype(np.int16), sun.meta) for sun in suns[1:]]
    return LabelledMap(f"sun{seed}", suns[0], *masks)


@pytest.fixture(scope="module")
def datasets():
    return make_dataset(map(labelled, range(8)), SMALL), make_dataset(map(labelled, range(8, 12)), SMALL)


def configuration(**changes):
    augmentation = Augmentation(rotation=20, shift=1, contrast=0.05, pivot=BOUNDARY, blur=0.3, noise=0.01)
    settings = {"epochs": 12, "batch_size": 4, "learning_rate": 3e-2, "patience": 20, "augmentation": augmentation}
    return Configuration(card=SMALL, **{**settings, **changes})


@pytest.fixture(scope="module")
def trained(datasets, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "model"
    return train_model(configuration(), *datasets, folder), folder


def weights(folder):
    return load_model(folder).card.sha256


class TestDataset:
    def test_form(self, datasets):
        training, _ = datasets
        assert len(training) == 8
        assert training.images.shape == training.labels.shape == (8, 32, 32)
        assert training.images.dtype == np.float32
        assert 0 <= training.labels.min() < training.labels.max() <= 1

    def test_labels_lie_where_it_is_dark(self, datasets):
        training, _ = datasets
        dark = training.images[training.labels == 1]
        assert dark.max() < BOUNDARY

    def test_weights(self, datasets):
        training, _ = datasets
        weight = np.stack([training.target(at, 2.0)[..., 1] for at in range(8)])
        assert (weight[:, ~training.disk] == 0).all()
        assert weight[training.rejected == 1].min() == 3
        assert weight[:, 16, 16].min() == 1

    def test_nothing_to_train_on(self):
        with pytest.raises(TrainingError, match="nothing to train on"):
            make_dataset([], SMALL)

    @pytest.mark.parametrize("value", [-2, 0.5, np.nan])
    def test_mask_is_of_whole_numbers(self, value):
        good = labelled(0)
        mask = sunpy.map.Map(good.mask.data * np.float32(value), good.mask.meta)
        with pytest.raises(TrainingError, match="sun0: a mask holds 0, 1 inside the feature"):
            make_dataset([dataclasses.replace(good, mask=mask)], SMALL)

    def test_mask_is_of_the_same_shape(self):
        mask = disk_map(lambda x, y: (x > 2).astype(np.int16), size=32, radius=12, date="2010-01-03")
        with pytest.raises(TrainingError, match="pixels of its image"):
            make_dataset([dataclasses.replace(labelled(0), mask=mask)], SMALL)

    def test_mask_is_of_the_same_coordinates(self):
        mask = disk_map(lambda x, y: (x > 2).astype(np.int16), size=64, radius=25, centre=(20, 20), date="2010-01-03")
        with pytest.raises(TrainingError, match="different coordinates"):
            make_dataset([dataclasses.replace(labelled(0), mask=mask)], SMALL)


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        with (tmp_path / "index.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerows([["key", "split"], ["sun0", "train"], ["sun1", "train"], ["sun2", "validation"]])
        for part in ("images", "masks", "rejected"):
            (tmp_path / part).mkdir()
        for seed in range(3):
            one = labelled(seed)
            one.image.save(tmp_path / "images" / f"{one.key}.fits")
            one.mask.save(tmp_path / "masks" / f"{one.key}.fits")
        labelled(1).rejected.save(tmp_path / "rejected" / "sun1.fits")
        return tmp_path

    def test_parts(self, folder):
        training = list(read_folder(folder, "train"))
        assert [one.key for one in training] == ["sun0", "sun1"]
        assert training[0].rejected is None
        assert training[1].rejected.data.any()
        assert [one.key for one in read_folder(folder, "validation")] == ["sun2"]

    def test_as_from_memory(self, folder):
        read = make_dataset(read_folder(folder, "train"), SMALL)
        made = make_dataset(map(labelled, range(2)), SMALL)
        np.testing.assert_allclose(read.images, made.images, atol=1e-5)
        np.testing.assert_array_equal(read.labels, made.labels)

    def test_empty_part(self, folder):
        with pytest.raises(TrainingError, match="'test'"):
            list(read_folder(folder, "test"))

    def test_missing_file(self, folder):
        (folder / "masks" / "sun2.fits").unlink()
        with pytest.raises(FileNotFoundError, match="sun2"):
            list(read_folder(folder, "validation"))


class TestTraining:
    def test_it_learns(self, trained, datasets):
        model, _ = trained
        assert scores_of(model, datasets[1])["iou"] > 0.6

    def test_the_folder_is_a_model(self, trained):
        _, folder = trained
        one = labelled(20)
        mask = segment_coronal_holes(one.image, model=folder)
        assert iou(one.mask.data, mask.data) > 0.4
        assert mask.meta["SCSSMOD"] == "test-small"

    def test_card(self, trained, datasets):
        model, folder = trained
        assert model.card.training["training images"] == 8
        assert model.card.scores["model"]["images"] == 4
        assert model.card.temperature != 1
        assert model.card.scores["model"] == pytest.approx(scores_of(model, datasets[1]), rel=1e-5)
        assert load_model(folder).card == model.card

    def test_going_on_after_a_kill_is_as_if_unbroken(self, trained, datasets, tmp_path, monkeypatch):
        """Nor would its first epochs have ended with the weights of the unbroken one, had they another seed."""
        from sunpy_scss.train import _run

        saved = _run._Run._write_history

        def killed(run):
            if len(run.history) == 6:  # the weights of that epoch are there, its line in the history is not
                raise KeyboardInterrupt
            saved(run)

        folder = tmp_path / "model"
        with monkeypatch.context() as patch:
            patch.setattr(_run._Run, "_write_history", killed)
            with pytest.raises(KeyboardInterrupt):
                train_model(configuration(), *datasets, folder)
        train_model(configuration(), *datasets, folder)
        assert (folder / "history.csv").read_text() == (trained[1] / "history.csv").read_text()
        assert weights(folder) == weights(trained[1])
        assert not list(folder.glob("*epoch*")) + list(folder.glob("partial*"))

    def test_a_kill_does_not_change_what_dropout_draws(self, datasets, tmp_path, monkeypatch):
        """Keras keeps the state of its random numbers nowhere; a real training with dropout went on differently."""
        from sunpy_scss.train import _run

        card = dataclasses.replace(SMALL, network=Network(filters=2, layers=1, drop_prob=0.4))
        settings = dataclasses.replace(configuration(epochs=3), card=card)
        train_model(settings, *datasets, tmp_path / "unbroken")
        saved = _run._Run._write_history

        def killed(run):
            saved(run)
            if len(run.history) == 2:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(_run._Run, "_write_history", killed)
            with pytest.raises(KeyboardInterrupt):
                train_model(settings, *datasets, tmp_path / "broken")
        train_model(settings, *datasets, tmp_path / "broken")
        names = ("model.weights.h5", "history.csv", "split.json")
        one, other = ([(tmp_path / run / name).read_bytes() for name in names] for run in ("unbroken", "broken"))
        assert one == other
        assert {path.name for path in (tmp_path / "broken").iterdir()} == {*names, "card.json", "configuration.json"}

    def test_changed_data_are_noticed(self, datasets, tmp_path, monkeypatch):
        from sunpy_scss.train import _run

        def killed(run):
            raise KeyboardInterrupt

        training, validation = datasets
        with monkeypatch.context() as patch:
            patch.setattr(_run._Run, "_write_history", killed)
            with pytest.raises(KeyboardInterrupt):
                train_model(configuration(), *datasets, tmp_path / "model")
        labels = training.labels.copy()
        labels[3, 16, 16] = 1 - labels[3, 16, 16]
        relabelled = dataclasses.replace(training, nested={1: labels})
        for changed in ((training[:7], validation), (relabelled, validation), (training, validation[1:])):
            with pytest.raises(TrainingError, match=r"another images or labels \(split.json differs\)"):
                train_model(configuration(), *changed, tmp_path / "model")

    def test_the_model_knows_what_it_has_seen(self, trained, datasets):
        model, folder = trained
        training, validation = datasets
        assert [key for key, _ in model.split.train] == list(training.keys)
        assert [date for _, date in model.split.validation] == validation.dates.isot.tolist()
        with pytest.raises(TrainingError, match="test-small has seen these images"):
            scores_of(load_model(folder), training)
        with pytest.raises(TrainingError, match="has seen"):
            evaluate(load_model(folder), training)
        with pytest.raises(TrainingError, match="has seen"):
            calibrate(load_model(folder), training)

    @pytest.mark.filterwarnings("ignore:.* finds no coronal hole")
    def test_a_third_part_chooses_nothing(self, datasets, tmp_path):
        training, validation = datasets
        parts = training, validation[:2], tmp_path / "one"
        settings = configuration(epochs=2)
        train_model(settings, *parts[:2], tmp_path / "two")
        model = train_model(settings, *parts, test=validation[2:])
        assert [key for key, _ in model.split.test] == ["sun10", "sun11"]
        assert model.card.training["test images"] == model.card.scores["test"]["images"] == 2
        assert weights(tmp_path / "one") == weights(tmp_path / "two")
        assert load_model(tmp_path / "two").card.threshold == model.card.threshold
        with pytest.raises(TrainingError, match="leak into each other"):
            train_model(settings, *parts[:2], tmp_path / "three", test=validation[1:])

    def test_fine_tuned_on_what_the_start_has_seen(self, trained, datasets, tmp_path):
        """The validation part of the new training was in the training part of the old one."""
        settings = dataclasses.replace(configuration(start=str(trained[1]), epochs=1), card=TUNED)
        training, validation = datasets
        with pytest.raises(TrainingError, match=r"test-small has seen .*sun0 "):
            train_model(settings, validation, training[:2], tmp_path / "model")
        # What chose the start's epoch may choose again, but it is no test.
        with pytest.raises(TrainingError, match=r"test-small has seen .*sun8 "):
            train_model(settings, training, validation[2:], tmp_path / "model", test=validation[:2])
        model = train_model(settings, training[:4], validation, tmp_path / "model")
        assert model.split.earlier == trained[0].split.train
        # Said aloud, it may choose. That says nothing of the test.
        allowed = dataclasses.replace(settings, start_has_seen=("validation",))
        with pytest.warns(SplitWarning, match="test-small has seen .*flatters"):
            split = checked_split(allowed, {"train": validation, "validation": training[:2]})
        assert split.earlier == trained[0].split.train
        with (
            pytest.warns(SplitWarning, match="flatters"),
            pytest.raises(TrainingError, match="test-small has seen"),
        ):
            checked_split(allowed, {"train": validation[:1], "validation": training[:2], "test": training[2:4]})
        both = dataclasses.replace(settings, start_has_seen=("validation", "test"))
        with pytest.warns(SplitWarning, match="flatters"):
            checked_split(both, {"train": validation[:1], "validation": training[:2], "test": training[2:4]})

    def test_a_start_that_says_not_what_it_has_seen(self, trained, datasets, tmp_path):
        folder = tmp_path / "start"
        save_model(trained[0].card, load_network(trained[1]), folder)
        settings = dataclasses.replace(configuration(start=str(folder), epochs=1), card=TUNED)
        with pytest.warns(SplitWarning, match="not known which images test-small was trained on"):
            train_model(settings, *datasets, tmp_path / "model")

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"name": "test-small"}, "the name of test-small"),
            ({"limits": "draws too much"}, "the limits of"),
            ({"training": {"labels": "by hand"}}, "the training.labels of"),
        ],
    )
    def test_fine_tuned_cards_say_what_is_true_of_them(self, trained, datasets, tmp_path, changes, named):
        words = {"limits": "draws too much", "training": {"labels": "by hand"}}
        start = dataclasses.replace(trained[0].card, **words)
        save_model(start, load_network(trained[1]), tmp_path / "start")
        card = dataclasses.replace(TUNED, **changes)
        settings = dataclasses.replace(configuration(start=str(tmp_path / "start")), card=card)
        with pytest.raises(TrainingError, match=named):
            train_model(settings, *datasets, tmp_path / "model")
        assert not (tmp_path / "model").exists()

    @pytest.mark.parametrize("part", ["train", "validation"])
    def test_a_part_without_the_feature(self, datasets, tmp_path, part):
        bare = dict(zip(("train", "validation"), datasets, strict=True))
        bare[part] = dataclasses.replace(bare[part], nested={1: bare[part].labels * 0.4})
        with pytest.raises(TrainingError, match=f"The part '{part}' has no coronal hole in any"):
            train_model(configuration(), *bare.values(), tmp_path / "model")

    def test_another_grid(self, datasets, tmp_path):
        card = dataclasses.replace(SMALL, grid_size=64)
        with pytest.raises(TrainingError, match=r"is on a grid of \(32, 32\), the card wants \(64, 64\)"):
            train_model(dataclasses.replace(configuration(), card=card), *datasets, tmp_path / "model")

    @pytest.mark.filterwarnings("ignore:.* finds no coronal hole")
    def test_callbacks(self, datasets, tmp_path):
        import keras

        epochs = []

        class Stop(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                epochs.append(epoch)
                self.model.stop_training = epoch == 1

        model = train_model(configuration(), *datasets, tmp_path / "model", callbacks=[Stop()])
        assert epochs == [0, 1]
        assert model.card.training["epochs"] == 2

    @pytest.mark.filterwarnings("ignore:.* finds no coronal hole")
    def test_another_network(self, datasets, tmp_path, monkeypatch):
        import keras

        def shallow(input_shape, outputs=1, width=8):
            image = keras.Input(input_shape)
            x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name="only")(image)
            return keras.Model(image, keras.layers.Conv2D(outputs, 1, activation="sigmoid", name="probability")(x))

        monkeypatch.setattr("sunpy_scss.train._weights._BUILDERS", {})
        monkeypatch.setattr("sunpy_scss.models._engines._ENGINES", {})
        network = Network(architecture=register_network(shallow, "mine:shallow"), arguments={"width": 3})
        settings = dataclasses.replace(configuration(epochs=1), card=dataclasses.replace(SMALL, network=network))
        train_model(settings, *datasets, tmp_path / "model")
        model = load_model(tmp_path / "model")
        assert model.card.network == network
        images = datasets[1].images[..., np.newaxis]
        expected = load_network(tmp_path / "model")(images, training=False)
        np.testing.assert_allclose(model.predict(images), expected, atol=1e-6)
        with pytest.raises(ValueError, match="another network called"):
            register_network(lambda: None, "mine:shallow")
        monkeypatch.setattr("sunpy_scss.models._engines._ENGINES", {})
        with pytest.raises(ModelError, match=r"'mine:shallow' is not known .*register_network"):
            load_model(tmp_path / "model")

    def test_a_finished_model_is_kept(self, trained, datasets):
        before = weights(trained[1])
        with pytest.raises(FileExistsError):
            train_model(configuration(), *datasets, trained[1])
        assert weights(trained[1]) == before

    def test_from_another_model_with_its_encoder(self, trained, datasets, tmp_path):
        again = dataclasses.replace(configuration(start=str(trained[1]), freeze_encoder=True, epochs=1), card=TUNED)
        train_model(again, *datasets, tmp_path / "model")
        before, after = (load_network(folder) for folder in (trained[1], tmp_path / "model"))
        for old, new in zip(before.layers, after.layers, strict=True):
            same = all(np.array_equal(a, b) for a, b in zip(old.get_weights(), new.get_weights(), strict=True))
            assert same == (old.name.startswith("encoder") or not old.get_weights()), old.name

    def test_from_a_model_of_another_network(self, trained, datasets, tmp_path):
        wide = dataclasses.replace(TUNED, network=Network(filters=8, layers=1))
        with pytest.raises(TrainingError, match="another one"):
            train_model(
                dataclasses.replace(configuration(start=str(trained[1])), card=wide), *datasets, tmp_path / "model"
            )

    def test_nan_names_the_image_and_keeps_what_was(self, datasets, tmp_path):
        images = datasets[0].images.copy()
        images[5, 10, 10] = np.nan
        folder = tmp_path / "model"
        with pytest.raises(TrainingError, match="epoch 0: sun5 hold NaN or infinity"):
            train_model(configuration(), dataclasses.replace(datasets[0], images=images), datasets[1], folder)
        assert not (folder / "card.json").exists()
        with pytest.raises(TrainingError, match="another configuration"):
            train_model(configuration(seed=9), *datasets, folder)

    def test_nan_of_no_image(self, datasets, tmp_path):
        """It starts from nothing good, and says so."""
        with pytest.raises(TrainingError, match=r"epoch \d: it happened at sun.*lower the learning rate"):
            train_model(configuration(learning_rate=1e30, warmup_epochs=0), *datasets, tmp_path / "model")

    def test_full_disk(self, datasets, tmp_path):
        """A limit on the size of files fails as a full disk does."""
        resource = pytest.importorskip("resource")
        folder = tmp_path / "model"
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        try:
            with pytest.raises(TrainingError, match=r"could not be written .* Free some space"):
                train_model(configuration(), *datasets, folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert sorted(path.name for path in folder.iterdir()) == ["configuration.json", "split.json"]

    def test_parts_too_near_in_time(self, datasets, tmp_path):
        with pytest.raises(TrainingError, match="leak into each other"):
            train_model(configuration(), datasets[0], datasets[0][:2], tmp_path / "model")
        assert not (tmp_path / "model").exists()

    def test_from_a_cache_with_other_losses(self, tmp_path):
        training, validation = (
            make_dataset(map(labelled, numbers), SMALL, cache=tmp_path / "cache")
            for numbers in (range(8), range(8, 12))
        )
        loss = Loss(bce=0, dice=0, tversky=1, focal=2)
        model = train_model(configuration(loss=loss), training, validation, tmp_path / "model")
        assert scores_of(model, validation)["iou"] > 0.5

    def test_stops_when_it_no_longer_pays(self, datasets, tmp_path):
        model = train_model(configuration(learning_rate=1e-9, epochs=30, patience=2), *datasets, tmp_path / "model")
        assert model.card.training["epochs"] < 30


class TestScores:
    def test_by_hand(self, datasets):
        _, validation = datasets
        truth = iter(validation.labels)
        perfect = Model(SMALL, lambda images: np.stack([next(truth) for _ in images])[..., np.newaxis])
        scores = scores_of(perfect, validation)
        assert scores["iou"] == scores["dice"] == scores["mean_iou"] == scores["mean_dice"] == 1
        assert scores["hard_negative_fraction"] == 0

    def test_a_threshold_takes_the_hard_negatives(self, datasets):
        scores = threshold_scores(*datasets, SMALL)
        assert scores["threshold"]["hard_negative_fraction"] > 0.9
        assert scores["without_review"]["hard_negative_fraction"] == 1
        assert scores["without_review"]["iou"] < 1

    def test_none_where_there_are_no_hard_negatives(self):
        bare = make_dataset([dataclasses.replace(labelled(0), rejected=None)], SMALL)
        assert scores_of(Model(SMALL, lambda images: images), bare)["hard_negative_fraction"] is None
        assert "without_review" not in threshold_scores(bare, bare, SMALL)


class TestConfiguration:
    TEXT = """
[card]
name = "mine"
feature = "CH"
wavelength = 193
wavelengths = [193, 195]
grid_size = 64
half_width = 1.25
stretch = {floor = 21, limits = [0.2, 2.2], exponent = 0.5, reference_median = 70}
network = {filters = 4}
[training]
epochs = 3
[augmentation]
rotation = 10
"""

    def read(self, tmp_path, text):
        path = tmp_path / "config.toml"
        path.write_text(text)
        return read_configuration(path)

    def test_read(self, tmp_path):
        found = self.read(tmp_path, self.TEXT)
        assert (found.card.name, found.epochs, found.augmentation.rotation) == ("mine", 3, 10)
        assert found.card.network.filters == 4

    @pytest.mark.parametrize(
        ("old", "new", "named"),
        [
            ("epochs", "epoch", r"\[training\] has the unknown key 'epoch'; the nearest known one is 'epochs'"),
            ("filters", "filtres", r"\[card.network\] has the unknown key 'filtres'; .* 'filters'"),
            ("exponent", "expon", r"\[card.stretch\] .* 'exponent'"),
            ("grid_size", "gridsize", r"\[card\] .* 'grid_size'"),
            ("rotation", "rotate", r"\[augmentation\] .* 'rotation'"),
            ("[augmentation]", "[augment]", "the unknown key 'augment'; the nearest known one is 'augmentation'"),
            ("[training]", "[loss]\ndise = 1\n[training]", r"\[loss\] .* 'dice'"),
        ],
    )
    def test_unknown_keys_are_named_with_the_nearest(self, tmp_path, old, new, named):
        with pytest.raises(TrainingError, match=named):
            self.read(tmp_path, self.TEXT.replace(old, new))

    @pytest.mark.parametrize(
        ("setting", "rule"),
        [
            ("epochs = 0", "epochs and batch_size must be 1 or more"),
            ("learning_rate = -1", "learning_rate must be positive"),
            ("schedule = 'step'", "schedule must be 'cosine' or 'constant'"),
            ("epochs = '3'", r"\[training\] needs int for epochs \(got '3'\)"),
            ("freeze_encoder = 1", r"needs bool for freeze_encoder"),
            ("learning_rate = inf", "a finite number for learning_rate"),
            ("gap_days = nan", "a finite number for gap_days"),
            ("seed = -1", "seed must not be negative"),
            ("test_share = 0.9", "test_share must be between"),
            ("start_has_seen = ['train']", "start_has_seen lists 'validation' or 'test'"),
            ("start_has_seen = 'test'", "start_has_seen lists 'validation' or 'test'"),
        ],
    )
    def test_values_out_of_range(self, tmp_path, setting, rule):
        with pytest.raises(TrainingError, match=rule):
            self.read(tmp_path, self.TEXT.replace("epochs = 3", setting))

    @pytest.mark.parametrize(
        ("old", "new", "rule"),
        [
            ("grid_size = 64", "grid_size = 72", "grid_size must divide by 16 for 4 layers"),
            ("grid_size = 64", "grid_size = 1000000", "grid_size is a whole number"),
            ("half_width = 1.25", "half_width = -1", "half_width is a number"),
            ("limits = [0.2, 2.2]", "limits = [0, 0]", "stretch.limits"),
            ("filters = 4", "filters = 0", "network.filters"),
            ("wavelength = 193", "wavelength = '193'", "wavelength"),
            ("rotation = 10", "rotation = nan", "rotation"),
            ("rotation = 10", "blur = -1", "blur"),
        ],
    )
    def test_what_no_training_can_have(self, tmp_path, old, new, rule):
        with pytest.raises(TrainingError, match=rule):
            self.read(tmp_path, self.TEXT.replace(old, new))

    def test_a_table_is_missing(self, tmp_path):
        with pytest.raises(TrainingError, match="'card' is missing"):
            self.read(tmp_path, "[training]\nepochs = 3\n")

    def test_losses(self, tmp_path):
        found = self.read(tmp_path, self.TEXT + "[loss]\nbce = 0\ntversky = 1\n")
        assert found.loss == Loss(bce=0, tversky=1)
        with pytest.raises(TrainingError, match="nor all be 0"):
            self.read(tmp_path, self.TEXT + "[loss]\nbce = 0\ndice = 0\n")

    @pytest.mark.parametrize("name", list_models())
    def test_of_the_bundled_models(self, name):
        made, card = read_configuration(name).card, load_model(name).card
        for part in ("name", "feature", "grid_size", "half_width", "stretch", "network", "labels"):
            assert getattr(made, part) == getattr(card, part)

    def test_as_published(self):
        found = read_configuration("scss-net-2021")
        assert (found.card.network.filters, found.card.network.layers, found.card.network.drop_prob) == (32, 4, 0.5)
        assert (found.loss, found.schedule) == (Loss(bce=1, dice=0), "constant")

    def test_neither_file_nor_name(self):
        with pytest.raises(FileNotFoundError, match="scss-net-2021, scss-ar-171-1"):
            read_configuration("scss-net-2022")

    def test_not_toml(self, tmp_path):
        with pytest.raises(TrainingError, match="not a training configuration"):
            self.read(tmp_path, "a = = b")
