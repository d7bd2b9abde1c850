"""
Regions followed over the Sun: where each was last seen, and which regions of the next mask those are.

What is known of all regions is a cloud of points on the sphere, the middles of pixels with their areas, that turns
with the Sun. A mask renews it where the Sun is in clear sight; behind the limb and near it, it stays. A second, even
cloud knows when each place on the Sun was last in clear sight.

Near the limb regions fall to pieces and flow together by foreshortening alone. There pieces keep the number of the
region, and regions that flow together are remembered apart. What was never in clear sight is no region of its own: when
it turns out to be a part of another one, it has been this all the time.
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
_BEGINS = ("start", "birth", "rotated on", "split")
# Degrees between the points that know when a place was in sight.
_SPACING = 2


@dataclass(frozen=True)
class Settings:
    """
    The settings of `sunpy_scss.evolution.track_regions` as plain numbers.

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
    """
    When a region was last seen, and when it was first not seen though its place was in sight, in days; and whether it
    ever was in clear sight itself.
    """

    last: float
    missing: float | None = None
    clear: bool = False


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
        self._same = {}
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
            (regions,) integers from 1 on; see `names`.
        """
        self._turn(regions.surface.obstime)
        here = _regions_at(regions, self._cloud.points)
        clear = (here >= 0) & self._near(regions.surface, self._cloud.points)
        near = regions.solid_angles * self._near(regions.surface, regions.points)
        in_sight = regions.sum(near) >= regions.sum(regions.solid_angles) / 2
        tracks = self._match(regions, here, clear, in_sight)
        self._miss(tracks, clear)
        self._renew(regions, tracks, here, clear)
        clear = self._near(regions.surface, self._places) & (regions.surface.nearest(self._places) >= 0)
        self._looked[clear] = self._day
        return tracks

    @property
    def names(self):
        """Return the final number, from 1 on, of each number of `follow`, without those of parts."""
        roots = [self._root(number) for number in range(self._count + 1)]
        return np.unique(roots, return_inverse=True)[1]

    def finish(self):
        """
        End, after the last mask, the tracks that were not seen in it.

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
        """Return the points that are so near disc centre that a region there would be seen."""
        return surface.cosine(points) >= np.cos(self.settings.max_angle)

    def _match(self, regions, here, clear, in_sight):
        """
        The track of each region: the old one that it overlaps most, if no other has it, or a new one.

        A piece that is not in sight has that of the region of which it is a piece.
        """
        numbers, index = np.unique(self._cloud.tracks, return_inverse=True)
        areas = regions.sum(regions.solid_angles)
        # Position 0 is for what is in sight, but in no region.
        shape = len(numbers), len(areas) + 1
        seen = here >= 0
        flat = np.ravel_multi_index((index[seen], here[seen]), shape)
        shared = np.bincount(flat, self._cloud.areas[seen], minlength=shape[0] * shape[1]).reshape(shape)
        overlaps = shared[:, 1:]
        smaller = np.minimum(shared.sum(axis=1)[:, np.newaxis], areas)
        overlaps = np.where(overlaps >= self.settings.min_overlap * smaller, overlaps, 0)
        tracks = self._continue(numbers, overlaps)
        known = [np.bincount(index, self._cloud.areas * part, minlength=len(numbers)) for part in (clear, 1)]
        told_apart = in_sight | (known[0] >= known[1] / 2)[:, np.newaxis]
        lives_on = self._merge(numbers, overlaps, tracks, told_apart)
        for region in np.flatnonzero(tracks == 0):
            parent = lives_on[overlaps[:, region].argmax()] if overlaps[:, region].any() else 0
            if parent and not in_sight[region]:
                tracks[region] = parent
            else:
                tracks[region] = self._begin(regions, region, parent, in_sight[region])
        for number in tracks[in_sight]:
            self._tracks[number].clear = True
        return tracks

    def _continue(self, numbers, overlaps):
        """Regions take tracks that were in clear sight before others, and each the one that it overlaps most."""
        tracks = np.zeros(overlaps.shape[1], dtype=int)
        clear = np.array([self._tracks[number].clear for number in numbers], dtype=bool)
        rows, places = overlaps.nonzero()
        for first in np.lexsort([-overlaps[rows, places], ~clear[rows]]):
            row, region = rows[first], places[first]
            if tracks[region] == 0 and numbers[row] not in tracks:
                tracks[region] = numbers[row]
                self._see(numbers[row])
        return tracks

    def _see(self, number):
        if self._was_behind(number):
            self.events.append((self._day, "return", number, 0))
        self._tracks[number] = _Track(self._day, clear=self._tracks[number].clear)

    def _was_behind(self, number):
        """Return True if a region was behind the Sun since it was last seen, and add an event for that."""
        last = self._tracks[number].last
        behind = self._day - last > _HALF_ROTATION
        if behind:
            self.events.append((last, "rotated off", number, 0))
        return behind

    def _merge(self, numbers, overlaps, tracks, told_apart):
        """
        Give up those whose regions all went to others; the tracks in which each lives on.

        Unless a region or what it took over, ``told_apart`` of (tracks, regions), is in sight: then it stays in memory.
        """
        lives_on = numbers.copy()
        for place, (number, row) in enumerate(zip(numbers, overlaps, strict=True)):
            if not row.any() or number in tracks:
                continue
            # A free region would have gone to this track.
            region = row.argmax()
            into = tracks[region]
            if not self._tracks[number].clear:
                self._be_part(number, into)
            elif told_apart[place, region]:
                self._was_behind(number)
                self.events.append((self._day, "merge", number, into))
            else:
                continue
            lives_on[place] = into
            del self._tracks[number]
            self._cloud.tracks[self._cloud.tracks == number] = into
        return lives_on

    def _be_part(self, number, into):
        """A track has been a part of another one all the time, which is seen since the first of them."""
        first, last = sorted(self._root(one) for one in (number, into))
        self._same[last] = first
        begins = {event[2]: event for event in self.events if event[1] in _BEGINS}
        begin = min(begins[number], begins[into])
        others = [event for event in self.events if event[2] != number and event is not begins[into]]
        self.events = [*others, (*begin[:2], into, begin[3])]

    def _root(self, number):
        """The first number of a track that may have several."""
        while number in self._same:
            number = self._same[number]
        return number

    def _begin(self, regions, region, parent, in_sight):
        self._count += 1
        self._tracks[self._count] = _Track(self._day)
        event = "split" if parent else self._first_sight(regions, region, in_sight)
        self.events.append((self._day, event, self._count, parent))
        return self._count

    def _first_sight(self, regions, region, in_sight):
        """Return how a new region appeared: it was born, or it came into sight."""
        looked = self._day - self._looked <= _HALF_ROTATION
        if not looked.any():
            return "start"
        chosen = regions.number == region
        _, places = cKDTree(self._places.T).query(regions.points[:, chosen].T)
        return "birth" if in_sight and _mostly(looked[places], regions.solid_angles[chosen]) else "rotated on"

    def _miss(self, seen, clear):
        """End the tracks that were not found for too long although their place was in sight."""
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
        found = np.isin(self._cloud.tracks, tracks)
        left = found & clear
        # What flows together near the limb stays apart in memory.
        covered = (here > 0) & (found | clear)
        days = np.full(regions.solid_angles.shape, float(self._day))
        seen = _Cloud(regions.points, regions.solid_angles, tracks[regions.number], days)
        self._cloud = self._cloud[known & ~left & ~covered] + seen


def _even_points():
    """Return points (3, n) on circles of latitude, where rotation keeps them evenly spaced."""
    lat = np.radians(np.arange(_SPACING / 2, 180, _SPACING) - 90)
    counts = np.ceil(360 / _SPACING * np.cos(lat)).astype(int)
    lon = np.concatenate([np.linspace(0, 2 * np.pi, count, endpoint=False) for count in counts])
    return unit_vectors(lon, np.repeat(lat, counts))


def _mostly(chosen, areas):
    """Return True if at least half of an area is chosen."""
    return areas @ chosen >= areas.sum() / 2


def _regions_at(regions, points):
    """The region at each point, from 1 on; 0 in none, -1 out of sight."""
    pixels = regions.surface.nearest(points)
    return np.where(pixels >= 0, regions.labels.ravel()[pixels], -1)
