"""The recipes of the bundled models can be run again on the images that these were trained on."""

from types import SimpleNamespace

import pytest

from astropy.time import Time

from sunpy_scss import list_models, load_model
from sunpy_scss.exceptions import SplitWarning, TrainingError
from sunpy_scss.train import read_configuration
from sunpy_scss.train._parts import check_start

# Those whose start is in the package, too; others are in the history of its repository.
TUNED = [name for name in list_models() if read_configuration(name).start in list_models()]


def parts_of(name):
    split = load_model(name).split
    pairs = {part: getattr(split, part) for part in ("train", "validation", "test")}
    return {
        part: SimpleNamespace(keys=[key for key, _ in images], dates=Time([date for _, date in images]))
        for part, images in pairs.items()
    }


@pytest.mark.parametrize("name", TUNED)
def test_each_says_which_of_its_parts_its_start_has_seen(name):
    recipe = read_configuration(name)
    with pytest.warns(SplitWarning, match="has seen these images"):
        check_start(load_model(recipe.start), parts_of(name), allowed=recipe.start_has_seen)
    with pytest.raises(TrainingError, match="has seen these images"):
        check_start(load_model(recipe.start), parts_of(name), allowed=())
