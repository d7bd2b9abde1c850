"""
The cards of the bundled models in the documentation, so that their figures stand in one place: the package.

Adds a page's worth of reStructuredText by the directive ``model-cards``, pictures of what the models do on images that
come with sunpy, and substitutions such as ``|ch_iou|`` for the figures of the default model of each feature.
"""

import json
import warnings
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from matplotlib.figure import Figure

from astropy import units as u

PICTURES = Path(__file__).parent / "generated" / "models"
FEATURES = {"CH": "Coronal holes", "AR": "Active regions"}
ROWS = {
    "model": "the model",
    "model on the labels before correction": "the model, on the labels before they were mended",
    "without_review": "the rule that made the labels, without the review",
    "threshold": "one plain threshold, tuned on other images",
}
DEFAULTS = {"CH": "coronal-holes", "AR": "active-regions"}
EUI = "2022_04_01__00_00_45__SOLO-EUI-FSI_EUI_FSI_174.jp2"


def cards():
    """Return the cards of the bundled models as dictionaries, by name."""
    from sunpy_scss import list_models

    found = files("sunpy_scss").joinpath("data")
    return {name: json.loads(found.joinpath(name, "card.json").read_text("utf-8")) for name in list_models()}


def default_cards():
    """Return the card of each feature's default model, by feature: the masks say which that is."""
    every = cards()
    return {feature: every[drawn()[picture][1].meta["SCSSMOD"]] for feature, picture in DEFAULTS.items()}


def percent(share):
    """Return a share in words; none where no hard negatives are marked in the data."""
    return "not measured" if share is None else f"{100 * share:.0f} %"


def substitutions():
    """Return the definitions of ``|ch_iou|`` and its like."""
    lines = []
    for feature, card in default_cards().items():
        scores = card["scores"]
        values = {
            "model": f"``{card['name']}``",
            "labels": f"``{card['labels']}``",
            "images": scores["model"]["images"],
        }
        for row, name in {"model": "", "without_review": "rule_", "threshold": "threshold_"}.items():
            if row in scores:
                values[f"{name}iou"] = f"{scores[row]['iou']:.3f}"
                values[f"{name}lookalikes"] = percent(scores[row].get("hard_negative_fraction"))
        lines += [f".. |{feature.lower()}_{key}| replace:: {value}" for key, value in values.items()]
    return "\n".join(lines)


def write_card(card):
    """Return one card as lines of reStructuredText."""
    name, scores, training = card["name"], card["scores"], card["training"]
    title = f"{FEATURES[card['feature']]}: ``{name}``"
    lines = [f".. _card-{name}:", "", title, "-" * len(title), ""]
    facts = {
        "Channels": ", ".join(f"{wavelength} Å" for wavelength in card["wavelengths"]),
        "Images": training["data"],
        "Labels": training["labels"],
        "Split": f"{training['training images']} images to train, {training['validation images']} to validate, "
        f"{training['split']}",
        "Threshold": f"{card['threshold']:.3g}",
        "Limits": card["limits"],
        "Licence": card["licence"],
        "SHA-256 of the weights": f"``{card['sha256'][:12]}…``",
    }
    if card.get("default_boundary") is not None:
        facts["Drawn by default"] = (
            f"the boundary at {card['default_boundary']:+g} dex; scores are of the first one below"
        )
    lines += [f":{key}: {text}" for key, text in facts.items()]
    for one in card.get("boundaries", ()):
        share = f"threshold {one['threshold']:.3g}, {one['share']:.3g} % of the disc, IoU {one['scores']['iou']:.3f}"
        lines.append(f":Boundary ``{one['name']}``: {one['meaning']}; {share}")
    part = "test" if "test images" in training else "validation"
    lines += ["", f"On the {scores['model']['images']} images of the {part} part:", ""]
    lines += [".. list-table::", "    :header-rows: 1", ""]
    head = ["", "IoU, pooled", "IoU, mean", "Dice, pooled", "hard negatives' area predicted"]
    body = [
        [
            ROWS[row],
            *(f"{scores[row][score]:.3f}" for score in ("iou", "mean_iou", "dice")),
            percent(scores[row].get("hard_negative_fraction")),
        ]
        for row in ROWS
        if row in scores
    ]
    for row in (head, *body):
        lines += [f"    {'*' if i == 0 else ' '} - {cell}" for i, cell in enumerate(row)]
    return [*lines, ""]


class ModelCards(Directive):
    """All cards, as sections of the page that asks for them."""

    def run(self):
        lines = [line for card in cards().values() for line in write_card(card)]
        parent = nodes.section()
        parent.document = self.state.document
        self.state.nested_parse(StringList(lines, "card.json"), 0, parent, match_titles=True)
        return parent.children


@cache
def drawn():
    """Return images that come with sunpy and their masks, by the name of the picture."""
    from sunpy_scss import segment_active_regions, segment_coronal_holes
    from sunpy_scss.images import example_map, read_map

    with as_file(files("sunpy") / "data" / "test" / EUI) as path, warnings.catch_warnings():
        # That its calibration is unknown is what the picture is to show.
        warnings.simplefilter("ignore")
        eui = read_map(path).resample([768, 760] * u.pix)
        return {
            "coronal-holes": (example_map(193), segment_coronal_holes(example_map(193))),
            "active-regions": (example_map(171), segment_active_regions(example_map(171))),
            "active-regions-missed": (eui, segment_active_regions(eui)),
        }


def draw_pictures(app):
    """Draw what the models find on these images."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, (smap, mask) in drawn().items():
        figure = Figure(figsize=(4.5, 4.5), layout="constrained")
        axes = figure.add_subplot(projection=smap)
        smap.plot(axes=axes)
        mask.draw_contours([0.5] * u.dimensionless_unscaled, axes=axes, colors="white", linewidths=1.2)
        axes.grid(False)
        figure.savefig(PICTURES / f"{name}.png", dpi=120)


def define_substitutions(app, config):
    """Let every page use the figures of the cards."""
    config.rst_epilog = substitutions()


def setup(app):
    app.add_directive("model-cards", ModelCards)
    app.connect("builder-inited", draw_pictures)
    app.connect("config-inited", define_substitutions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
