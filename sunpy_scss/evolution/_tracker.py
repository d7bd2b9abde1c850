"""
Regions followed over the Sun: where each was last seen, and which regions of the next mask those are.

What is known of all regions is a cloud of points on the sphere, the middles of pixels with their areas, that turns
with the Sun. A mask renews it where the Sun is in clear sight; behind the limb and near it, it stays. A second, even
cloud knows when each place on the Sun was last in clear sight.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

import astropy.units as u

from sunpy_scss._sun.transfer import drift
from sunpy_scss._sun.view import unit_vectors

__all__ = ["Settings", "Tracker"]

# In days. What is so near disc centre that it is in sight cannot leave and come back in less, not even seen from
# different places: half a rotation.
_HALF_ROTATION = 13
# Degrees between the points that know when a place was in sight.
_SPACING = 2


@dataclass(frozen=True)
class Settings:
    """
    What `sunpy_scss.evolution.track_regions` is told, as plain numbers.

    Attributes
    ----------
    min_overlap : float
        Share of the smaller of two regions.
    max_angle : float
        Angle from disc centre in radians.
    patience, memory : float
        In days.
    """

    min_overlap: float
    max_angle: float
    patience: float
    memory: float


@dataclass
class _Track:
    """When a region was last seen, and when it was first not seen though its place was in sight; days."""

    last: float
    missing: float | None = None


@dataclass(frozen=True)
class _Cloud:
    """Points on the sphere (3, n) with their areas, tracks and the days when they were seen, each (n,)."""

    points: np.ndarray
    areas: np.ndarray
    tracks: np.ndarray
    days: np.ndarray

    def __getitem__(self, chosen):
        return _Cloud(self.points[:, chosen], self.areas[chosen], self.tracks[chosen], self.days[chosen])

    def __add__(self, other):
        parts = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Cloud(*(np.concatenate(pair, axis=-1) for pair in parts))


_NOTHING = _Cloud(np.empty((3, 0)), np.empty(0), np.empty(0, dtype=int), np.empty(0))


class Tracker:
    """
    Numbers for the regions of one mask after the other.

    Attributes
    ----------
    events : list of tuple
        (day, event, track, other track or 0); days count from ``start``.
    """

    def __init__(self, settings):
        self.settings = settings
        self.events = []
        self.start = self._time = None
        self._cloud = _NOTHING
        self._tracks = {}
        self._count = 0
        self._places = _even_points()
        self._looked = np.full(self._places.shape[1], -np.inf)

    def follow(self, regions):
        """
        The tracks of the regions of the next mask.

        Parameters
        ----------
        regions : sunpy_scss.masks._regions.Regions

        Returns
        -------
        numpy.ndarray
            (regions,) integers from 1 on.
        """
        self._turn(regions.surface.obstime)
        here = _regions_at(regions, self._cloud.points)
        clear = (here >= 0) & self._near(regions.surface, self._cloud.points)
        tracks = self._match(regions, here)
        self._miss(tracks, clear)
        self._renew(regions, tracks, here, clear)
        clear = self._near(regions.surface, self._places) & (regions.surface.nearest(self._places) >= 0)
        self._looked[clear] = self._day
        return tracks

    def finish(self):
        """
        After the last mask: what became of those not seen in it.

        One that is missing in sight for less than ``patience`` may come back: there is no event of its death.
        """
        for number, track in list(self._tracks.items()):
            if track.missing is not None and self._day - track.missing < self.settings.patience:
                self._was_behind(number)
            elif track.last < self._day:
                self._end(number)

    def _turn(self, time):
        """Carry what is known to a time, and forget what is too old."""
        if self.start is None:
            self.start = self._time = time
        self._day = (time - self.start).to_value(u.day)
        self._cloud = self._cloud[self._day - self._cloud.days <= self.settings.memory]
        if (time - self._time).to_value(u.day) > self.settings.memory:
            self._looked[:] = -np.inf
        else:
            points = np.concatenate([self._places, self._cloud.points], axis=1)
            self._places, points = np.split(drift(points, self._time, time), [self._places.shape[1]], axis=1)
            self._cloud = replace(self._cloud, points=points)
        for number in set(self._tracks).difference(self._cloud.tracks.tolist()):
            self._end(number)
        self._time = time

    def _near(self, surface, points):
        """Which points are so near disc centre that a region there would be seen."""
        return surface.cosine(points) >= np.cos(self.settings.max_angle)

    def _match(self, regions, here):
        """The track of each region: the old one that it overlaps most, if no other has it, or a new one."""
        numbers, index = np.unique(self._cloud.tracks, return_inverse=True)
        areas = regions.sum(regions.areas)
        # Position 0 is for what is in sight, but in no region.
        shape = len(numbers), len(areas) + 1
        seen = here >= 0
        flat = np.ravel_multi_index((index[seen], here[seen]), shape)
        shared = np.bincount(flat, self._cloud.areas[seen], minlength=shape[0] * shape[1]).reshape(shape)
        overlaps = shared[:, 1:]
        smaller = np.minimum(shared.sum(axis=1)[:, np.newaxis], areas)
        overlaps = np.where(overlaps >= self.settings.min_overlap * smaller, overlaps, 0)
        tracks = self._continue(numbers, overlaps)
        lives_on = self._merge(numbers, overlaps, tracks)
        for region in np.flatnonzero(tracks == 0):
            parent = lives_on[overlaps[:, region].argmax()] if overlaps[:, region].any() else 0
            tracks[region] = self._begin(regions, region, parent)
        return tracks

    def _continue(self, numbers, overlaps):
        tracks = np.zeros(overlaps.shape[1], dtype=int)
        for flat in np.argsort(-overlaps, axis=None, kind="stable")[: np.count_nonzero(overlaps)]:
            row, region = np.unravel_index(flat, overlaps.shape)
            if tracks[region] == 0 and numbers[row] not in tracks:
                tracks[region] = numbers[row]
                self._see(numbers[row])
        return tracks

    def _see(self, number):
        if self._was_behind(number):
            self.events.append((self._day, "return", number, 0))
        self._tracks[number] = _Track(self._day)

    def _was_behind(self, number):
        """Whether a region has been behind the Sun since it was last seen; if so, when it went there is an event."""
        last = self._tracks[number].last
        behind = self._day - last > _HALF_ROTATION
        if behind:
            self.events.append((last, "rotated off", number, 0))
        return behind

    def _merge(self, numbers, overlaps, tracks):
        """Give up those whose regions all went to others; the tracks in which each lives on."""
        lives_on = numbers.copy()
        for place, (number, row) in enumerate(zip(numbers, overlaps, strict=True)):
            if row.any() and number not in tracks:
                # A free region would have gone to this track.
                into = lives_on[place] = tracks[row.argmax()]
                self._was_behind(number)
                self.events.append((self._day, "merge", number, into))
                del self._tracks[number]
                self._cloud.tracks[self._cloud.tracks == number] = into
        return lives_on

    def _begin(self, regions, region, parent):
        self._count += 1
        self._tracks[self._count] = _Track(self._day)
        event = "split" if parent else self._first_sight(regions, region)
        self.events.append((self._day, event, self._count, parent))
        return self._count

    def _first_sight(self, regions, region):
        """Whether a new region is born, or has come into sight."""
        looked = self._day - self._looked <= _HALF_ROTATION
        if not looked.any():
            return "start"
        chosen = regions.number == region
        _, places = cKDTree(self._places.T).query(regions.points[:, chosen].T)
        return "birth" if _mostly(looked[places], regions.areas[chosen]) else "rotated on"

    def _miss(self, seen, clear):
        """What was not found in a mask though its place was in sight, and that for too long, is dead."""
        for number in set(self._tracks).difference(seen.tolist()):
            own = self._cloud.tracks == number
            if not _mostly(clear[own], self._cloud.areas[own]):
                continue
            track = self._tracks[number]
            track.missing = self._day if track.missing is None else track.missing
            if self._day - track.missing >= self.settings.patience:
                self._end(number)

    def _end(self, number):
        track = self._tracks.pop(number)
        if track.missing is None or track.missing - track.last > _HALF_ROTATION:
            self.events.append((track.last, "rotated off", number, 0))
        if track.missing is not None:
            self.events.append((track.missing, "death", number, 0))

    def _renew(self, regions, tracks, here, clear):
        """Put what is seen in place of what was known of the same places."""
        known = np.isin(self._cloud.tracks, list(self._tracks))
        left = np.isin(self._cloud.tracks, tracks) & clear
        days = np.full(regions.areas.shape, float(self._day))
        seen = _Cloud(regions.points, regions.areas, tracks[regions.number], days)
        self._cloud = self._cloud[known & ~left & (here <= 0)] + seen


def _even_points():
    """(3, n), on circles of latitude, where they stay evenly spaced however fast each of these turns."""
    lat = np.radians(np.arange(_SPACING / 2, 180, _SPACING) - 90)
    counts = np.ceil(360 / _SPACING * np.cos(lat)).astype(int)
    lon = np.concatenate([np.linspace(0, 2 * np.pi, count, endpoint=False) for count in counts])
    return unit_vectors(lon, np.repeat(lat, counts))


def _mostly(chosen, areas):
    """Whether at least half of an area is chosen."""
    return areas @ chosen >= areas.sum() / 2


def _regions_at(regions, points):
    """The region at each point, from 1 on; 0 in none, -1 out of sight."""
    pixels = regions.surface.nearest(points)
    return np.where(pixels >= 0, regions.labels.ravel()[pixels], -1)
