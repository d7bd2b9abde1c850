"""One Map, a day or a week with their masks, as a page for any browser."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import astropy.units as u

import sunpy_scss
from sunpy_scss._provenance import Provenance
from sunpy_scss._save import refuse_existing, save_text
from sunpy_scss.canonical._intensity import as_rate
from sunpy_scss.masks._compare import compare_masks
from sunpy_scss.report._caveats import card_of, comparison_caveats, mask_caveats
from sunpy_scss.report._html import document, element, table
from sunpy_scss.report._pictures import area_over_time, image, outlines
from sunpy_scss.report._scenes import scenes_of

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from sunpy.map import GenericMap

__all__ = ["write_report"]

_NOTES = (
    "Areas are those on the sphere, corrected for foreshortening; the hemisphere is half of the solar surface. "
    "Longitudes and latitudes are heliographic, of the middle of a region's area; west and north are positive. "
    "Outlines more than 60 degrees from disc centre are unsafe."
)


def write_report(
    smaps: GenericMap | Sequence[GenericMap],
    masks: GenericMap | Sequence,
    path: str | os.PathLike,
    *,
    title: str | None = None,
    overwrite: bool = False,
) -> Path:
    """
    Write a page on Maps and their masks.

    The page is one HTML file with pictures, tables, agreement, caveats and provenance. Any browser shows it without
    a network.

    Parameters
    ----------
    smaps : sunpy.map.GenericMap or list of sunpy.map.GenericMap
        The images, helioprojective.
    masks : sunpy.map.GenericMap or list
        1 inside the feature. For one Map, its mask or a list of masks, which may show several features or come from
        several methods. For a list of Maps, a list that has this for each of them. A mask need not be on the pixels
        of its image.
    path : path-like
        The file of the page. It is written whole or not at all. Missing folders are made.
    title : str, optional
        The features and the time by default.
    overwrite : bool, optional
        Replace a file that is there.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    TypeError
        If an image or a mask is not a Map.
    `~sunpy_scss.exceptions.InvalidMapError`
        If a Map cannot be measured by `~sunpy_scss.masks.region_table`, for example because it is not helioprojective,
        or a mask and its image are more than a solar rotation apart.
    ValueError
        If there are no Maps, or the number of items in ``masks`` is not the number of Maps.
    FileExistsError
        If the file exists and ``overwrite`` is not set.

    Examples
    --------
    >>> from sunpy_scss.report import write_report
    >>> from sunpy_scss.synthetic import synthetic_sun
    >>> sun = synthetic_sun(size=128)
    >>> path = write_report(sun.image, [sun.coronal_holes, sun.active_regions], "sun.html")  # doctest: +SKIP
    """
    path = Path(path)
    refuse_existing(path, overwrite=overwrite)
    scenes = scenes_of(smaps, masks)
    title = title or _title(scenes)
    page = document(
        title,
        element("header", element("h1", title)),
        element("main", *_overview(scenes), *map(_section, scenes), *_cards(scenes)),
        element("footer", element("p", _NOTES), element("p", f"Written by sunpy_scss {sunpy_scss.__version__}.")),
    )
    save_text(page, path)
    return path


def _title(scenes):
    features = sorted({finding.feature for scene in scenes for finding in scene.findings}, reverse=True)
    days = sorted({scene.time[:10] for scene in scenes})
    subject = " and ".join(features).capitalize() or "The Sun"
    return f"{subject}, {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "")


def _overview(scenes):
    rows = [row for scene in scenes for row in _summary(scene)]
    head = ["Time (UTC)", "Image", "Feature", "Method", "Regions", "Area in Mm²", "Area in % of the hemisphere"]
    yield table(head, rows, caption="What the masks hold")
    yield from area_over_time(scenes)


def _summary(scene):
    """Return a row for each mask of an image, or one row that says that there is none."""
    image = [element("a", scene.time, href=f"#{scene.place}"), scene.instrument]
    for finding in scene.findings:
        areas = f"{finding.area.value:,.0f}", f"{finding.percent.value:.2f}"
        yield [*image, finding.feature, finding.name, len(finding.regions), *areas]
    if not scene.findings:
        yield [*image, "no mask", *"––––"]


def _section(scene):
    pictures = [
        image(scene),
        *(outlines(scene, finding) for finding in scene.findings),
    ]
    return element(
        "section",
        element("h2", scene.name),
        element("div", *pictures, class_="pictures"),
        *(part for finding in scene.findings for part in _regions(scene, finding)),
        *_agreement(scene),
        *_provenance(scene),
        id=scene.place,
    )


def _regions(scene, finding):
    yield element("h3", f"{finding.feature.capitalize()} by {finding.name}")
    regions = finding.regions
    if len(regions):
        head = [
            *("Region", "Area in Mm²", "Area in % of the hemisphere", "of it beyond 60°"),
            *("Longitude in °", "Latitude in °", "Carrington longitude in °"),
            *("Perimeter in Mm", f"Median intensity ({_unit(as_rate(scene.smap))})", "Cut by"),
        ]
        yield table(head, [_row(row) for row in regions], caption=f"Regions: {finding.feature} by {finding.name}")
    else:
        yield element("p", f"The mask holds no {finding.feature}.")
    yield from _caveat_box(mask_caveats(scene.smap, finding.mask, regions))


def _unit(smap):
    if smap.data.dtype == np.uint8:
        return "display values of 8 bits"  # even if the header says otherwise
    return "unit not in the header" if smap.unit is None else str(smap.unit)


def _row(region):
    cuts = [name for name, column in (("limb", "touches_limb"), ("edge", "touches_edge")) if region[column]]
    return [
        region["id"],
        _number(region["area"], ",.0f"),
        _number(region["area_percent"], ".2f"),
        _number(region["beyond_60"], ".0%"),
        _number(region["centroid"].lon, "z.1f"),
        _number(region["centroid"].lat, "z.1f"),
        _number(region["carrington_lon"], ".1f"),
        _number(region["perimeter"], ",.0f"),
        _number(region["intensity_median"], ".4g"),
        " and ".join(cuts) or "–",
    ]


def _number(value, form):
    value = float(getattr(value, "value", value))
    return format(value, form) if np.isfinite(value) else "unknown"


def _caveat_box(caveats):
    items = [element("li", caveat) for caveat in caveats]
    if items:
        yield element("div", element("ul", *items), class_="caveats", role="note")


def _agreement(scene):
    """Yield the agreement of the masks of each feature that has several."""
    groups = defaultdict(list)
    for finding in scene.findings:
        groups[finding.feature].append(finding)
    for feature, findings in groups.items():
        if len(findings) > 1:
            masks = [finding.mask for finding in findings]
            yield element("h3", f"Agreement on {feature}")
            yield _agreement_table(compare_masks(masks, names=[finding.name for finding in findings]))
            yield from _caveat_box(comparison_caveats(masks))


def _agreement_table(pairs):
    head = ["First", "Second", "IoU", "Dice", "First in Mm²", "Second in Mm²", "Both in Mm²", "Second over first"]
    rows = [
        [
            pair["first"],
            pair["second"],
            *(_number(pair[name], ".3f") for name in ("iou", "dice")),
            *(_number(pair[name], ",.0f") for name in ("area_first", "area_second", "overlap")),
            _number(pair["area_ratio"], ".2f"),
        ]
        for pair in pairs
    ]
    return table(head, rows, caption="Overlap by area on the Sun: 0 is none, 1 full agreement")


def _provenance(scene):
    yield element("h3", "Where this comes from")
    yield table(["Property", "Value"], _image_facts(scene.smap), caption=f"The image: {scene.name}")
    origins = [_origin(finding.mask) for finding in scene.findings]
    rows = [
        [*entry, *(_keyword(origin.get(entry, "–")) for origin in origins)]
        for entry in dict.fromkeys(entry for origin in origins for entry in origin)
    ]
    names = [f"{finding.feature.capitalize()} by {finding.name}" for finding in scene.findings]
    if rows:
        yield table(["Keyword", "Meaning", *names], rows, caption="The masks, by the keywords of their headers")


def _origin(mask):
    """Return the provenance of a mask: from pairs of keyword and meaning to values."""
    history = {("HISTORY", "history"): str(mask.meta.get("history", ""))}
    return {(keyword, meaning): value for keyword, meaning, value in Provenance.of(mask).rows()} | history


def _keyword(value):
    return f"{value:.6g}" if isinstance(value, float) else value


def _image_facts(smap):
    observer = smap.observer_coordinate
    ny, nx = smap.data.shape
    facts = {
        "File": smap.meta.get("filename"),
        "Time (UTC)": smap.date.isot,
        "Observatory, instrument": ", ".join(filter(None, (smap.observatory, smap.instrument))),
        "Wavelength": smap.wavelength,
        "Exposure time": smap.exposure_time,
        "Unit": _unit(smap),
        "Pixels": f"{nx} × {ny}",
        "Observer": f"Stonyhurst {observer.lon:.2f}, {observer.lat:.2f}, {observer.radius.to(u.AU):.4f} from the Sun",
        "QUALITY": smap.meta.get("quality"),
    }
    return [[name, str(value)] for name, value in facts.items() if value not in (None, "")]


def _cards(scenes):
    """Return the facts in the cards of the models, once for each model."""
    cards = {card.name: card for scene in scenes for finding in scene.findings if (card := card_of(finding.mask))}
    if cards:
        yield element("h2", "What the models are known to get wrong")
    for card in cards.values():
        yield element("h3", card.name)
        yield element("p", card.limits)
        iou = card.scores.get("model", {}).get("iou")
        rows = [
            *(
                [what.capitalize(), str(card.training[what])]
                for what in ("data", "labels", "split")
                if what in card.training
            ),
            *([["Score", f"IoU {iou:.3f} with the labels of its validation part"]] if iou is not None else []),
            ["Licence", card.licence],
            ["Reference", card.reference],
        ]
        yield table(["Property", "Value"], rows, caption=f"The card of {card.name}")
