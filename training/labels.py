"""
Labels that do not contradict themselves: from reviewed masks to nested ones that say where nobody can know.

    python training/labels.py DIR OUTPUT

DIR is a folder of labelled images of one feature on a common grid (512 x 512 pixels, half-width 1.25 solar radii, Sun
centred, north up): images/, masks/, perhaps rejected/, and index.csv. OUTPUT becomes a folder of the same form whose
masks count how many boundaries a pixel is inside of, and hold -1 where the label is not known. README.rst tells every
rule; all of them are in this file, and nothing is drawn by hand.
"""

import argparse
import csv
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage

from astropy.io import fits
from astropy.time import Time
from sunpy.coordinates import get_earth
from sunpy.sun.constants import radius as solar_radius

from sunpy_scss._sun.transfer import drift
from sunpy_scss._sun.view import View, longitude_latitude, view_of
from sunpy_scss.canonical._grid import CanonicalGrid

HALF_WIDTH = 1.25
UNKNOWN = -1

# Coronal holes: the boundary of the reviewed labels in x = log10(I) - 0.5 log10(median) - limb brightening, and how
# much darker or brighter the smoothed image is along the tight and the wide one.
CH_LEVEL, CH_STEP, CH_SMOOTHING = 0.665, 0.1, 2.0
CH_FLOOR = 21.0
CH_WIDEST = 8  # pixels from the middle boundary that the wide one reaches at most
# log10(I / disc median) of the quiet Sun at 193 Angstrom by distance from disc centre, medians of every 12th image.
_RADII = [0.0, 0.15, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.98, 1.0]
_LIMB = [-0.116, -0.084, -0.045, -0.031, 0.008, 0.029, 0.06, 0.108, 0.129, 0.156, 0.198, 0.251, 0.316]

# Active regions: five times the disc median, in dex, where the full regions begin at 0.38. Pictures of SUVI are clipped
# at 0.69 dex: from the level given here on they cannot tell what is core.
AR_CORE, AR_SMOOTHING = 0.70, 2.0
AR_CLIPPED = {"suvi": 0.52}

SMALLEST = 20  # pixels of a piece
POLAR = 55.0  # degrees of latitude from which on a region counts as polar
NEAR_DAYS, ROTATION_DAYS = 2.1, (25.3, 29.3)
TOUCHING = 2.5  # pixels from the limb
STRIP = 0.96  # solar radii from which on a region that touches the limb is uncertain beside itself
AGREE, CONFLICT = 0.5, 0.3  # least shares of a region that neighbouring days confirm or contradict


@dataclass
class Labelled:
    """One image with its labels in the folder, and the results of these rules."""

    row: dict
    date: Time
    view: View
    points: np.ndarray
    kept: np.ndarray
    rejected: np.ndarray
    image: np.ndarray
    changes: dict = field(default_factory=lambda: defaultdict(int))

    @property
    def days(self):
        return self.date.mjd

    @property
    def latitude(self):
        """Return the latitude in radians; NaN off the disc."""
        return longitude_latitude(self.points)[1]

    @property
    def manual_boxes(self):
        return "boxes" in self.row["labels"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    with (options.folder / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    dark = float(rows[0]["wavelength"]) == 193
    everything = [read(options.folder, row) for row in rows]
    for one, label, rejected in coronal_holes(everything) if dark else active_regions(everything):
        write(options.folder, options.output, one, label, rejected)
    parts = part(everything, HELD_OUT["CH" if dark else "AR"])
    write_index(options.output, everything, parts)
    report(everything, parts)


def read(folder, row):
    key = row["key"]
    image = fits.getdata(folder / "images" / f"{key}.fits").astype(np.float32)
    kept = fits.getdata(folder / "masks" / f"{key}.fits") > 0
    path = folder / "rejected" / f"{key}.fits"
    rejected = fits.getdata(path) > 0 if path.exists() else np.zeros_like(kept)
    date = Time(row["date"])
    view = view_of(get_earth(date), solar_radius)
    return Labelled(row, date, view, surface_of(view, len(image)), kept, rejected & ~kept, image)


def radius(size):
    return CanonicalGrid(size, HALF_WIDTH).radius


def surface_of(view, size):
    """Return the points of the Sun on the grid, (3, size, size); NaN off the disc."""
    grid = CanonicalGrid(size, HALF_WIDTH)
    points = np.full((3, *grid.shape), np.nan, dtype=np.float32)
    points[:, grid.disk] = view.surface_at(np.stack(grid.points)[:, grid.disk])
    return points


def where_in(other, points, date):
    """Return rows and columns, in another image, of points of the Sun at a date, and True where it sees them."""
    there = drift(points, date, other.date)
    x, y = other.view.sky(there) / other.view.limb
    return *CanonicalGrid(len(other.image), HALF_WIDTH).nearest(x, y), other.view.is_visible(there)


def others(one, everything, low, high, where):
    """Return the kept and rejected areas of images ``low`` to ``high`` days later, on the pixels ``where``."""
    kept, rejected = np.zeros((2, *where.shape), dtype=bool)
    for other in everything:
        days = other.days - one.days
        if other is not one and low <= days <= high:
            rows, columns, seen = where_in(other, one.points[:, where], one.date)
            kept[where] |= other.kept[rows, columns] & seen
            rejected[where] |= other.rejected[rows, columns] & seen
    return kept, rejected


def kept_a_rotation_away(one, everything, where):
    low, high = ROTATION_DAYS
    return others(one, everything, low, high, where)[0] | others(one, everything, -high, -low, where)[0]


def pieces(mask):
    numbers, count = ndimage.label(mask, np.ones((3, 3)))
    return [numbers == number for number in range(1, count + 1)]


def without_small(mask, least=SMALLEST):
    numbers, _ = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(numbers.ravel())
    return mask & (sizes >= least)[numbers]


def coronal_holes(everything):
    """Yield each image with its label and the remaining rejected area."""
    everything = sorted(everything, key=lambda one: one.days)
    for one in everything:
        kept, rejected, unknown = settle(one, everything)
        kept, at_limb = to_the_limb(one, kept)
        yield one, finish(one, holes_by_level(one, kept, rejected), unknown | at_limb, kept), rejected & ~kept


def settle(one, everything):
    """Return the kept, rejected and unknown pixels after a comparison with the neighbouring days."""
    disk = np.isfinite(one.latitude)
    (before, not_before), (after, not_after) = (
        others(one, everything, *span, disk) for span in ((-NEAR_DAYS, -1e-3), (1e-3, NEAR_DAYS))
    )
    kept, rejected, unknown = one.kept.copy(), one.rejected.copy(), np.zeros_like(one.kept)
    for piece in pieces(one.rejected):
        earlier, later = before[piece].mean(), after[piece].mean()
        polar = np.nanmean(np.abs(one.latitude[piece])) > np.deg2rad(POLAR)
        if min(earlier, later) >= AGREE:
            kept |= piece
            rejected &= ~piece
            one.changes["mended"] += piece.sum()
        elif (
            max(earlier, later) >= CONFLICT
            or (polar and one.manual_boxes)
            or (polar and kept_a_rotation_away(one, everything, piece)[piece].mean() >= CONFLICT)
        ):
            unknown |= piece
            rejected &= ~piece
            one.changes["rejected, now unknown"] += piece.sum()
    for piece in pieces(one.kept):
        if min((not_before & ~before)[piece].mean(), (not_after & ~after)[piece].mean()) >= AGREE:
            unknown |= piece
            kept &= ~piece
            one.changes["kept, now unknown"] += piece.sum()
    # A hole the day before and the day after, and hardly brighter today.
    beside = ndimage.binary_dilation(kept | rejected | unknown, iterations=3)
    gap = without_small(before & after & ~beside & (darkness(one) < CH_LEVEL + 1.5 * CH_STEP))
    one.changes["missed for a day, now unknown"] += gap.sum()
    unjudged = small_and_dark(one, beside | gap)
    one.changes["too small to be judged, now unknown"] += unjudged.sum()
    return kept, rejected, unknown | gap | unjudged


def small_and_dark(one, taken):
    """Return regions as dark as a hole that were left out before the review."""
    dark = ndimage.binary_closing(ndimage.binary_opening(darkness(one) < CH_LEVEL)) & (radius(len(taken)) < STRIP)
    dark = without_small(dark)
    return dark & ~ndimage.binary_propagation(dark & taken, mask=dark)


def to_the_limb(one, kept):
    """Extend polar regions near the limb to it; return them, and the unknown pixels beside regions at the limb."""
    distance = radius(len(kept))
    disk, one_pixel = distance <= 1, 2 * HALF_WIDTH / len(kept)
    reaching, unknown = kept.copy(), np.zeros_like(kept)
    for piece in pieces(kept):
        if distance[piece].max() < 1 - TOUCHING * one_pixel:
            continue
        outer = piece & (distance > 1 - 2 * TOUCHING * one_pixel)
        polar = np.nanmean(np.abs(one.latitude[piece])) > np.deg2rad(POLAR)
        rim = ndimage.binary_dilation(outer, iterations=2) & disk & (distance > 1 - TOUCHING * one_pixel)
        if polar:
            reaching |= rim
        unknown |= ndimage.binary_dilation(outer, iterations=4) & disk & (distance > STRIP)
    one.changes["extended to the limb"] += (reaching & ~kept).sum()
    one.changes["strip at the limb, now unknown"] += (unknown & ~reaching).sum()
    return reaching, unknown & ~reaching


def darkness(one):
    """Return the quantity whose threshold gave the reviewed labels."""
    distance = radius(len(one.image))
    values = np.log10(np.maximum(one.image, CH_FLOOR)) - np.interp(distance, _RADII, _LIMB)
    return ndimage.gaussian_filter(values - 0.5 * np.log10(np.median(one.image[distance < 0.9])), CH_SMOOTHING)


def holes_by_level(one, kept, rejected):
    """Return the number of boundaries, of wide, middle and tight, around each pixel."""
    values = darkness(one)
    disk = radius(len(kept)) <= 1
    tight = without_small(kept & (values < CH_LEVEL - CH_STEP))
    # As close to the limb as the image cannot tell, all three end together.
    room = ndimage.binary_dilation(kept, iterations=CH_WIDEST) & disk & ~ndimage.binary_dilation(rejected, iterations=2)
    wide = ndimage.binary_propagation(kept, mask=kept | (room & (values < CH_LEVEL + CH_STEP)))
    return wide.astype(np.int16) + kept + tight


def active_regions(everything):
    """Yield each image with its label: 1 in a region, 2 in its core."""
    for one in everything:
        median = np.median(one.image[radius(len(one.image)) < 0.9])
        contrast = ndimage.gaussian_filter(np.log10(np.maximum(one.image, 1) / median), AR_SMOOTHING)
        clipped = AR_CLIPPED.get(one.row["source"], np.inf)
        core = without_small(one.kept & ndimage.binary_fill_holes(contrast >= AR_CORE)) & (clipped > AR_CORE)
        unknown = one.kept & (contrast >= clipped)
        yield one, finish(one, one.kept.astype(np.int16) + core, unknown, one.kept & ~unknown), one.rejected


def finish(one, levels, unknown, kept):
    label = np.where(unknown & ~kept, UNKNOWN, levels).astype(np.int16)
    disk = radius(len(label)) <= 1
    for level in range(1, label.max() + 1):
        one.changes[f"share of the disc at level {level}, percent"] = 100 * (label[disk] >= level).mean()
    one.changes["unknown, percent of the disc"] = 100 * (label[disk] == UNKNOWN).mean()
    return label


def write(folder, output, one, label, rejected):
    key = one.row["key"]
    for name in ("images", "masks", "rejected"):
        (output / name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "images" / f"{key}.fits", output / "images" / f"{key}.fits")
    header = fits.getheader(folder / "masks" / f"{key}.fits", 1)
    for name, values in (("masks", label), ("rejected", rejected.astype(np.int16))):
        if name == "masks" or values.any():
            hdu = fits.CompImageHDU(values, wcs_only(header), compression_type="RICE_1")
            fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(output / name / f"{key}.fits", overwrite=True)


def wcs_only(header):
    header = header.copy()
    for name in ("BSCALE", "BZERO", "BLANK"):
        header.remove(name, ignore_missing=True)
    return header


# Parts of the training images that choose epochs, thresholds and temperatures: the last ones before a gap that was
# there already, so that little is lost, and 14 days before them. What was called validation is the test.
HELD_OUT = {
    "CH": [("2011-05-20", "2011-06-09"), ("2017-10-01", "2017-11-08"), ("2021-10-25", "2022-01-01")],
    "AR": [("2021-06-01", "2021-08-16"), ("2022-10-01", "2022-11-01")],
}
GAP_DAYS = 14


def part(everything, held_out):
    """Return train, validation, test or gap for each image."""
    days = np.array([one.days for one in everything])
    given = np.array([one.row["split"] for one in everything])
    chosen = np.zeros(len(days), dtype=bool)
    for start, end in held_out:
        chosen |= (days >= Time(start).mjd) & (days < Time(end).mjd) & (given == "train")
    nearest = np.abs(days[:, np.newaxis] - days[chosen]).min(axis=1)
    parts = np.where(given == "validation", "test", given)
    parts[(given == "train") & (nearest < GAP_DAYS)] = "gap"
    parts[chosen] = "validation"
    return parts


def write_index(output, everything, parts):
    with (output / "index.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("key", "date", "source", "split"))
        writer.writerows(
            (one.row["key"], one.row["date"], one.row["source"], name)
            for one, name in zip(everything, parts, strict=True)
        )


def report(everything, parts):
    names = list(dict.fromkeys(name for one in everything for name in one.changes))
    print(
        "parts:", {str(name): int(number) for name, number in zip(*np.unique(parts, return_counts=True), strict=True)}
    )
    for year in sorted({one.row["date"][:4] for one in everything}):
        those = [one for one in everything if one.row["date"].startswith(year)]
        print(
            f"{year}: {len(those)} images, kept {sum(one.kept.sum() for one in those)} pixels, rejected "
            f"{sum(one.rejected.sum() for one in those)}"
        )
        for name in names:
            values = [one.changes[name] for one in those]
            print(f"  {name}: {np.mean(values):.2f}" if "percent" in name else f"  {name}: {sum(values)}")


if __name__ == "__main__":
    main()
