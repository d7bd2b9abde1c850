"""Images with their masks and the regions in these."""

from dataclasses import dataclass

import astropy.units as u
from astropy.table import QTable
from sunpy.map import GenericMap

from sunpy_scss._features import FEATURES, feature_name
from sunpy_scss._provenance import Provenance
from sunpy_scss._sun.surface import surface_of
from sunpy_scss.masks._compare import reproject_mask
from sunpy_scss.masks._regions import find_regions
from sunpy_scss.masks._table import label_regions, region_table

__all__ = ["Finding", "Scene", "scenes_of"]


@dataclass(frozen=True)
class Finding:
    """A mask of an image with its name, its regions, and their numbers on the pixels of the image."""

    mask: GenericMap
    name: str
    regions: QTable
    labels: GenericMap

    @property
    def feature(self):
        feature = Provenance.of(self.mask).feature
        return f"{feature_name(feature)}s" if feature in FEATURES else "regions"

    @property
    def area(self):
        return u.Quantity(self.regions["area"].sum(), u.Mm**2)

    @property
    def percent(self):
        return u.Quantity(self.regions["area_percent"].sum(), u.percent)


@dataclass(frozen=True)
class Scene:
    """An image with its findings and its place on the page."""

    smap: GenericMap
    findings: list
    place: str

    @property
    def instrument(self):
        wavelength = self.smap.wavelength
        described = "" if wavelength is None else f" {wavelength.value:g} {wavelength.unit:unicode}"
        return f"{self.smap.detector or self.smap.instrument or self.smap.observatory or 'Map'}{described}"

    @property
    def time(self):
        return self.smap.date.strftime("%Y-%m-%d %H:%M")

    @property
    def name(self):
        return f"{self.instrument}, {self.time}"


def scenes_of(smaps, masks):
    """
    Return the scenes of Maps and their masks, in order of time.

    Parameters
    ----------
    smaps, masks
        As for `sunpy_scss.report.write_report`.

    Returns
    -------
    list of Scene
    """
    if isinstance(smaps, GenericMap):
        smaps, masks = [smaps], [masks]
    if not len(smaps) or len(smaps) != len(masks):
        msg = f"There must be a Map or more, and masks for each (got {len(smaps)} Maps, masks for {len(masks)})."
        raise ValueError(msg)
    pairs = [
        (smap, [some] if isinstance(some, GenericMap) else list(some)) for smap, some in zip(smaps, masks, strict=True)
    ]
    for smap, _ in pairs:
        surface_of(smap)
    pairs.sort(key=lambda pair: pair[0].date)
    return [
        Scene(smap, [_finding(smap, mask, name) for mask, name in zip(some, _names(some), strict=True)], f"map{number}")
        for number, (smap, some) in enumerate(pairs, start=1)
    ]


def _finding(smap, mask, name):
    regions = find_regions(mask)
    table = region_table(regions, image=smap)
    return Finding(mask, name, table, reproject_mask(label_regions(regions), smap))


def _names(masks):
    """Return the methods that made the masks, numbered where one method made several for one feature."""
    made = [(told.feature, told.method or "unknown method") for told in map(Provenance.of, masks)]
    return [f"{one[1]} ({made[: n + 1].count(one)})" if made.count(one) > 1 else one[1] for n, one in enumerate(made)]
