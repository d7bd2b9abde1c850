"""Models that see an exposure set of several images, and find a feature of the user's own."""

import dataclasses

import numpy as np
import pytest
from makers import CARD, disk_map, sun_with_hole

import astropy.units as u
import sunpy.map
from astropy.coordinates import SkyCoord
from sunpy.coordinates import get_earth

from sunpy_scss import load_model, predict_probability, region_table, segment_coronal_holes, segment_feature
from sunpy_scss.exceptions import InvalidMapError, MissingDataWarning, ModelError, TrainingError
from sunpy_scss.masks import iou
from sunpy_scss.models import Channel, Model, ModelCard, Network, Stretch
from sunpy_scss.train import (
    Augmentation,
    Configuration,
    LabelledMap,
    load_network,
    make_dataset,
    read_configuration,
    read_folder,
    train_model,
    write_folder,
)
from sunpy_scss.train._evaluation import scores_of

RELATIVE = Stretch(floor=1, limits=(-0.8, 1.2), exponent=1, reference_median=110)
TWO = dataclasses.replace(
    CARD,
    name="test-filaments",
    feature="FILAMENT",
    feature_name="filament",
    feature_is_dark=True,
    further_channels=(Channel(171, (171, 174), RELATIVE),),
)
# Half-way between dark, 40, and quiet Sun, 100, in either channel.
DARK = [(np.log10(63) - one.stretch.exponent * 2 - one.stretch.limits[0]) / 2 for one in TWO.channels]


def both_dark(images):
    return (images < np.array(DARK)).all(axis=-1, keepdims=True).astype(np.float32)


MODEL = Model(TWO, both_dark)


def filament(x, y, at=(-0.2, 0.3)):
    return (np.abs(x - at[0]) < 0.3) & (np.abs(y - at[1]) < 0.1)


def exposure_set(at=(-0.2, 0.3), **settings):
    """Maps of 193 and 171 Angstrom; a filament is dark in both, a hole at 193 alone."""

    def at_193(x, y):
        return np.where(filament(x, y, at), 40, sun_with_hole(x, y))

    def at_171(x, y):
        return np.where(filament(x, y, at), 40, np.where(np.hypot(x, y) <= 1, 100, 30))

    return [disk_map(values, wavelength=number, **settings) for values, number in ((at_193, 193), (at_171, 171))]


def truth(smap, at=(-0.2, 0.3)):
    return disk_map(lambda x, y: filament(x, y, at), smap.data.shape[0], radius=100 * smap.data.shape[0] / 256).data


class TestSegment:
    def test_what_both_show(self):
        maps = exposure_set()
        mask = segment_feature(maps, model=MODEL)
        assert iou(truth(maps[0]), mask.data) > 0.85
        assert (mask.meta["SCSSFEAT"], mask.meta["CONTENT"]) == ("FILAMENT", "filament mask")
        assert (mask.meta["WAVELNTH"], mask.meta["SCSSWAV2"]) == (193, 171)
        assert (mask.meta["SCSSMED"], mask.meta["SCSSMED2"]) == (pytest.approx(100), pytest.approx(100))
        assert "filaments by test-filaments" in mask.meta["HISTORY"]
        assert len(region_table(mask)) == 1

    def test_in_any_order_and_among_others(self):
        maps = exposure_set()
        found = segment_feature([disk_map(sun_with_hole, wavelength=304), *maps[::-1]], model=MODEL)
        np.testing.assert_array_equal(found.data, segment_feature(maps, model=MODEL).data)
        assert found.meta["WAVELNTH"] == 193

    def test_many_moments(self):
        places = [(-0.2, 0.3), (0.1, -0.5)]
        masks = segment_feature([exposure_set(at) for at in places], model=MODEL)
        for at, mask in zip(places, masks, strict=True):
            assert iou(truth(mask, at), mask.data) > 0.85

    def test_on_other_pixels(self):
        """The second channel is of another size, turned and off-centre."""
        first = exposure_set()[0]
        second = exposure_set(size=300, radius=130, rotation=30 * u.deg, centre=(140, 155))[1]
        mask = segment_feature([first, second], model=MODEL)
        assert mask.data.shape == first.data.shape
        assert iou(truth(first), mask.data) > 0.85

    def test_what_one_channel_does_not_show(self):
        first, second = exposure_set()
        data = second.data.astype(float)
        data[140:175, 70:100] = np.nan  # west of it goes on
        with pytest.warns(MissingDataWarning):
            mask = segment_feature([first, sunpy.map.Map(data, second.meta)], model=MODEL)
        whole = segment_feature([first, second], model=MODEL).data
        assert whole[145:170, 75:95].any()
        assert not mask.data[145:170, 75:95].any()
        assert 0.9 < mask.meta["SCSSSEEN"] < 0.98
        np.testing.assert_array_equal(mask.data[:, 105:], whole[:, 105:])

    def test_probability(self):
        maps = exposure_set()
        probability = predict_probability(maps, model=MODEL)
        assert probability.meta["CONTENT"] == "filament probability"
        np.testing.assert_array_equal(probability.data >= 0.5, segment_feature(maps, model=MODEL).data == 1)

    def test_cutouts_take_a_median_for_each(self):
        cut = [smap.submap([40, 90] * u.pix, top_right=[150, 200] * u.pix) for smap in exposure_set()]
        mask = segment_feature(cut, model=MODEL, disk_median=[100, 100] * u.DN / u.s)
        np.testing.assert_array_equal(mask.data, segment_feature(exposure_set(), model=MODEL).data[90:201, 40:151])
        with pytest.raises(ValueError, match="a list of 2 values"):
            segment_feature(cut, model=MODEL, disk_median=100 * u.DN / u.s)

    @pytest.mark.parametrize(
        ("chosen", "got"), [([0], "193"), ([1], "171"), ([0, 0, 1], "193, 193, 171"), ([], "nothing")]
    )
    def test_each_channel_needs_one(self, chosen, got):
        maps = exposure_set()
        if not chosen:
            assert segment_feature([], model=MODEL) == []
            return
        with pytest.raises(InvalidMapError, match=f"Maps of 193/195, 171/174 Angstrom .* .got {got}"):
            segment_feature([maps[at] for at in chosen], model=MODEL)

    def test_one_map_alone(self):
        with pytest.raises(InvalidMapError, match="needs one of each"):
            segment_feature(exposure_set()[0], model=MODEL)
        with pytest.raises(TypeError, match="Map"):
            segment_feature([exposure_set(), 7], model=MODEL)

    def test_of_one_time_and_place(self):
        first = exposure_set()[0]
        later = exposure_set(date="2017-06-01T12:11")[1]
        with pytest.raises(InvalidMapError, match="are 11 min apart"):
            segment_feature([first, later], model=MODEL)
        earth = get_earth(first.date)
        there = SkyCoord(earth.lon + 5 * u.deg, earth.lat, earth.radius, frame=earth.frame.replicate_without_data())
        with pytest.raises(InvalidMapError, match=r"places 5\.0 deg apart"):
            segment_feature([first, exposure_set(observer=there)[1]], model=MODEL)

    def test_the_others_are_callers_of_it(self):
        smap = exposure_set()[0]
        own = segment_feature(smap, model="scss-ch-193-5", min_area=1000 * u.Mm**2)
        np.testing.assert_array_equal(own.data, segment_coronal_holes(smap).data)
        with pytest.raises(ModelError, match="test-filaments finds filaments, not coronal holes"):
            segment_coronal_holes(smap, model=MODEL)


class TestCard:
    def test_of_known_features_the_words_are_known(self):
        assert (CARD.feature_in_words, TWO.feature_in_words) == ("coronal hole", "filament")
        assert dataclasses.replace(CARD, feature="AR").feature_in_words == "active region"

    def test_round_trip(self):
        assert ModelCard.from_dict(TWO.to_dict()) == TWO

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"feature": "filament"}, "feature is CH, AR or a code"),
            ({"feature": 7}, "feature is CH, AR or a code"),
            ({"feature_name": ""}, "says in words, of ASCII letters, what FILAMENT is"),
            ({"feature_name": "Protuberanz \N{DEGREE SIGN}"}, "of ASCII letters"),
            ({"feature_is_dark": None}, "whether a filament is darker"),
            ({"feature": "CH"}, "feature_name of CH is 'coronal hole', or left out"),
            ({"further_channels": 7}, "further_channels is a list"),
            ({"further_channels": (Channel(171, (), RELATIVE),)}, "wavelengths is a list"),
            ({"further_channels": (Channel(193, (193,), RELATIVE),)}, "no two channels have a wavelength in common"),
            (
                {"further_channels": (Channel(171, (171,), dataclasses.replace(RELATIVE, floor=-1)),)},
                "stretch.floor is a positive",
            ),
        ],
    )
    def test_refused(self, changes, message):
        with pytest.raises(ModelError, match=message):
            dataclasses.replace(TWO, **changes)

    def test_recipe(self, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text(
            """
            [card]
            name = "mine"
            feature = "FILAMENT"
            feature_name = "filament"
            feature_is_dark = true
            wavelength = 193
            wavelengths = [193, 195]
            grid_size = 128
            half_width = 1.25
            stretch = {floor = 21, limits = [0.2, 2.2], exponent = 0.5, reference_median = 70}
            network = {filters = 2, layers = 2}
            [[card.further_channels]]
            wavelength = 171
            wavelengths = [171, 174]
            stretch = {floor = 1, limits = [-0.8, 1.2], exponent = 1, reference_median = 110}
            [training]
            precision = "mixed_float16"
            """
        )
        read = read_configuration(path)
        assert read.card.channels == TWO.channels
        assert read.precision == "mixed_float16"
        path.write_text(path.read_text().replace("mixed_float16", "half"))
        with pytest.raises(TrainingError, match="precision must be one of float32, mixed_float16"):
            read_configuration(path)


SMALL = dataclasses.replace(TWO, grid_size=32, network=Network(filters=2, layers=1, momentum=0.8))


def labelled(number):
    at = np.random.default_rng(number).uniform(-0.3, 0.3, 2)
    first, second = exposure_set(at, size=64, radius=25, date=f"2010-{number + 1:02d}-03")
    mask = disk_map(lambda x, y: filament(x, y, at), 64, radius=25, date=f"2010-{number + 1:02d}-03")
    mask = sunpy.map.Map(mask.data.astype(np.int16), mask.meta)
    return LabelledMap(f"sun{number}", first, mask, further_images=(second,))


class TestTraining:
    def test_folder_and_cache(self, tmp_path):
        """The same from memory, from a folder and from a cache; and a model of one channel takes what it knows."""
        write_folder(map(labelled, range(3)), tmp_path / "labels")
        assert (tmp_path / "labels" / "images_171" / "sun0.fits").is_file()
        made = make_dataset(map(labelled, range(3)), SMALL)
        assert made.images.shape == (3, 32, 32, 2)
        for cache in (None, tmp_path / "cache", tmp_path / "cache"):
            read = make_dataset(read_folder(tmp_path / "labels"), SMALL, cache=cache)
            np.testing.assert_allclose(read.images, made.images, atol=1e-5)
            np.testing.assert_allclose(read[[2]].images, made.images[[2]], atol=1e-5)
            np.testing.assert_allclose(read.labels, made.labels, atol=1e-5)
        alone = make_dataset(read_folder(tmp_path / "labels"), dataclasses.replace(SMALL, further_channels=()))
        np.testing.assert_allclose(alone.images, made.images[..., 0], atol=1e-5)

    def test_a_channel_is_missing(self):
        with pytest.raises(InvalidMapError, match="needs one of each"):
            make_dataset([dataclasses.replace(labelled(0), further_images=())], SMALL)

    @pytest.mark.filterwarnings("ignore:.* finds no ")
    def test_from_labels_to_regions(self, tmp_path):
        """A step of training in half precision, saved, loaded, run without Keras."""
        import keras

        training, validation = (make_dataset(map(labelled, part), SMALL) for part in (range(4), range(6, 8)))
        settings = Configuration(
            card=SMALL,
            epochs=1,
            batch_size=4,
            warmup_epochs=0,
            precision="mixed_bfloat16",
            augmentation=Augmentation(rotation=10, shift=0, blur=0, noise=0),
        )
        one = dataclasses.replace(settings, card=dataclasses.replace(SMALL, further_channels=()))
        with pytest.raises(TrainingError, match="other channels than the card's 1"):
            train_model(one, training, validation, tmp_path / "one")
        train_model(settings, training, validation, tmp_path / "model")
        assert keras.config.dtype_policy().name == "float32"
        model = load_model(tmp_path / "model")
        assert model.card.channels == SMALL.channels
        assert model.card.scores["threshold"]["iou"] > 0.3  # dark at 193, which holes are too
        assert scores_of(model, validation)["images"] == 2
        network = load_network(tmp_path / "model")
        assert {variable.dtype for variable in network.variables} == {"float32"}
        by_keras = np.asarray(network(validation.images))
        np.testing.assert_allclose(model.predict(validation.images), by_keras, atol=1e-5)
        maps = labelled(9).image, *labelled(9).further_images
        probability = predict_probability(maps, model=model).data
        # After one step most pixels may share one value, which is no threshold: rounding decides on which side it is.
        shown = probability[probability > 0]
        threshold = float((shown.min() + shown.max()) / 2)
        mask = segment_feature(maps, model=tmp_path / "model", threshold=threshold)
        assert mask.meta["SCSSFEAT"] == "FILAMENT"
        regions = region_table(mask)
        assert len(regions) > 0
        assert regions.meta["SCSSFEAT"] == "FILAMENT"

    def test_channels_move_together(self):
        from sunpy_scss.train import _keras

        image = np.repeat(np.random.default_rng(0).random((16, 16, 1), dtype=np.float32), 2, axis=-1)
        target = np.ones((16, 16, 2), np.float32)
        batches = _keras.Batches(lambda position: (image, target), 2, [0, 1], augment=Augmentation(), seed=[1])
        images, targets = batches[0]
        assert images.shape == (2, 16, 16, 2)
        assert targets.shape == (2, 16, 16, 2)
        np.testing.assert_array_equal(images[..., 0], images[..., 1])
        assert not np.array_equal(images[0], images[1])
