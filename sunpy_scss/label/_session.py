"""The labels of one image while somebody draws them. Pure arrays."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage import draw, measure

__all__ = ["ACCEPTED", "OPEN", "OUTSIDE", "REJECTED", "Session", "labels_of", "verdicts_of"]

# The verdict on each pixel. A region is a connected set of pixels of one verdict.
OUTSIDE, ACCEPTED, OPEN, REJECTED = range(4)

_WITH_CORNERS = np.ones((3, 3))
# A click this near to a region, in pixels, means the region.
_REACH = 4


@dataclass(frozen=True)
class _Change:
    """The verdicts inside a box of the image before and after a step."""

    box: tuple
    before: np.ndarray
    after: np.ndarray


class Session:
    """
    The verdicts on the pixels of one image, and the steps that led to them.

    Positions are (row, column) in pixels, and may be fractions.

    Parameters
    ----------
    brightness : numpy.ndarray
        (ny, nx), in units of the quiet Sun at the same distance from disc centre; NaN where there are no data.
    disk : numpy.ndarray
        (ny, nx), bool: the pixels that can be labelled.
    verdicts : numpy.ndarray, optional
        (ny, nx), the state to begin with; all pixels OUTSIDE by default.

    Attributes
    ----------
    verdicts : numpy.ndarray
        (ny, nx) uint8: OUTSIDE, ACCEPTED, OPEN or REJECTED.
    grown : numpy.ndarray or None
        (ny, nx), bool: the region that grows from a seed and is not added yet.
    level : float
        The brightness up to which it grows.
    """

    def __init__(self, brightness, disk, verdicts=None):
        self.brightness = np.where(disk, brightness, np.nan)
        self.disk = disk
        self.verdicts = np.zeros(disk.shape, dtype=np.uint8) if verdicts is None else np.where(disk, verdicts, OUTSIDE)
        self.grown = None
        self.level = 1.0
        self._seed = None
        self._done, self._undone = [], []

    def region_at(self, position):
        """
        Return the region at a position, or the nearest one within a few pixels.

        Returns
        -------
        numpy.ndarray or None
            (ny, nx), bool; None where there is no region.
        """
        box = tuple(slice(max(0, round(at) - _REACH), max(0, round(at) + _REACH + 1)) for at in position)
        near = np.argwhere(self.verdicts[box] != OUTSIDE) + [part.start for part in box]
        if not len(near):
            return None
        pixel = tuple(near[np.argmin(((near - position) ** 2).sum(axis=1))])
        return _connected(self.verdicts == self.verdicts[pixel], pixel, _WITH_CORNERS)

    def verdict_at(self, position):
        """Return the verdict on the region at a position; OUTSIDE where there is none."""
        region = self.region_at(position)
        return OUTSIDE if region is None else int(self.verdicts[region][0])

    def judge(self, position, verdict):
        """Give the region at a position a verdict. Return False where there is no region."""
        region = self.region_at(position)
        return region is not None and self._set(region, verdict)

    def judge_open(self, verdict):
        """Give all open regions a verdict. Return False if none is open."""
        return self._set(self.verdicts == OPEN, verdict)

    def stroke(self, positions, radius, verdict):
        """Give all pixels within a radius of a line through positions (n, 2) a verdict: a stroke of a brush."""
        positions = np.rint(np.atleast_2d(positions)).astype(int)
        reach = int(np.ceil(radius)) + 1
        low = positions.min(axis=0) - reach
        canvas = np.ones(positions.max(axis=0) + reach + 1 - low, dtype=bool)
        for start, stop in zip(positions, positions[[*range(1, len(positions)), -1]], strict=True):
            canvas[draw.line(*(start - low), *(stop - low))] = False
        rows, columns = np.nonzero(ndimage.distance_transform_edt(canvas) <= radius)
        return self._set_pixels(rows + low[0], columns + low[1], verdict)

    def polygon(self, positions, verdict):
        """Give all pixels inside a polygon with vertices (n, 2) a verdict."""
        rows, columns = np.transpose(positions)
        return self._set_pixels(*draw.polygon(rows, columns, self.disk.shape), verdict)

    def plant(self, position):
        """
        Put a seed from which a region grows, at the level half-way in log between the seed and the quiet Sun.

        Returns
        -------
        bool
            False where there is no image.
        """
        row, column = np.rint(position).astype(int)
        inside = 0 <= row < self.disk.shape[0] and 0 <= column < self.disk.shape[1]
        if not inside or not self.brightness[row, column] > 0:
            return False
        self._seed = row, column
        self.grow(float(np.sqrt(self.brightness[row, column])))
        return True

    def grow(self, level):
        """
        Let the region from the seed grow up to a level of brightness.

        It holds the pixels connected with the seed that are darker than the level, or brighter where the seed is
        brighter than the quiet Sun.
        """
        self.level = level
        if self._seed is None:
            return
        with np.errstate(invalid="ignore"):
            side = self.brightness <= level if self.brightness[self._seed] < 1 else self.brightness >= level
        self.grown = _connected(side, self._seed) if side[self._seed] else np.zeros_like(side)

    def add_grown(self, verdict=ACCEPTED):
        """
        Give the region that grows a verdict. Return False where there is none.

        It takes the place of the regions that it touches and that are not accepted.
        """
        grown = self.grown
        self.drop_grown()
        if grown is None or not grown.any():
            return False
        new = self.verdicts.copy()
        for other in (OPEN, REJECTED):
            labels, _ = ndimage.label(self.verdicts == other, _WITH_CORNERS)
            touched = np.unique(labels[grown])
            new[np.isin(labels, touched[touched > 0])] = OUTSIDE
        new[grown] = verdict
        return self._become(new)

    def drop_grown(self):
        """Forget the seed and its region."""
        self.grown = self._seed = None

    def undo(self):
        """Take the last step back. Return False where there is none."""
        return self._step(self._done, self._undone, "before")

    def redo(self):
        """Take the step that was taken back. Return False where there is none."""
        return self._step(self._undone, self._done, "after")

    def outlines(self, verdict):
        """Return the outlines of the regions of a verdict: a list of closed lines (n, 2) of (row, column)."""
        return outlines_of(self.verdicts == verdict)

    def count(self, verdict):
        """Return the number of regions of a verdict."""
        return ndimage.label(self.verdicts == verdict, _WITH_CORNERS)[1]

    def _set_pixels(self, rows, columns, verdict):
        ny, nx = self.disk.shape
        inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
        where = np.zeros(self.disk.shape, dtype=bool)
        where[rows[inside], columns[inside]] = True
        return self._set(where, verdict)

    def _set(self, where, verdict):
        return self._become(np.where(where, np.uint8(verdict), self.verdicts))

    def _become(self, new):
        changed = self.disk & (new != self.verdicts)
        if not changed.any():
            return False
        box = _box(changed)
        before = self.verdicts[box].copy()
        self.verdicts[changed] = new[changed]
        self._done.append(_Change(box, before, self.verdicts[box].copy()))
        self._undone.clear()
        return True

    def _step(self, taken_from, put_to, which):
        if not taken_from:
            return False
        change = taken_from.pop()
        self.verdicts[change.box] = getattr(change, which)
        put_to.append(change)
        return True


def outlines_of(inside):
    """Return the outlines of the True pixels of an array: a list of closed lines (n, 2) of (row, column)."""
    if not inside.any():
        return []
    box = _box(inside)
    lines = measure.find_contours(np.pad(inside[box], 1).astype(float), 0.5)
    return [line + np.array([part.start - 1 for part in box]) for line in lines]


def _box(inside):
    """Return the slices of the smallest box around the True pixels."""
    return ndimage.find_objects(inside.astype(np.uint8))[0]


def _connected(inside, pixel, structure=None):
    labels, _ = ndimage.label(inside, structure)
    return labels == labels[pixel]


def labels_of(verdicts):
    """
    Return verdicts in the form of a folder of labels.

    Returns
    -------
    mask : numpy.ndarray
        int16: 1 where a region was accepted, -1 where it was left open and nothing is known, 0 elsewhere.
    rejected : numpy.ndarray
        int16: 1 where a region was rejected.
    """
    mask = np.where(verdicts == OPEN, -1, verdicts == ACCEPTED).astype(np.int16)
    return mask, (verdicts == REJECTED).astype(np.int16)


def verdicts_of(mask, rejected=None):
    """Return the verdicts of a mask and a map of rejected regions, the reverse of `labels_of`."""
    verdicts = np.select([mask < 0, mask > 0], [OPEN, ACCEPTED], OUTSIDE)
    if rejected is not None:
        verdicts[(rejected > 0) & (verdicts == OUTSIDE)] = REJECTED
    return verdicts.astype(np.uint8)
