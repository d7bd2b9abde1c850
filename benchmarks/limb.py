"""
The errors of areas and perimeters from disc centre to the limb, on spherical caps seen from 1 au.

    python benchmarks/limb.py [--sizes 256 512 1024] [--radius 10] [--directions 60]

A pixel is in a mask if its middle is in the cap. For the visible part of a cap, the area on the sphere, the perimeter
with the limb, and the area on the sky are known. It prints the errors over several directions from disc centre, in
percent: their mean, their standard deviation and the largest.
"""

import argparse
from types import SimpleNamespace

import numpy as np

from sunpy_scss._sun.surface import canonical_surface
from sunpy_scss.masks._outlines import perimeters
from sunpy_scss.masks._regions import regions_of

ANGLES = [0, 30, 50, 60, 65, 70, 74, 76, 78, 80, 82, 85, 90]
DIRECTIONS = np.radians([3, 17, 31, 46, 62, 88])
DISTANCE, HALF_WIDTH = 214.9, 1.3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--radius", type=float, default=10, help="of the caps, in degrees")
    parser.add_argument("--directions", type=int, help="so many random ones in place of six that are always the same")
    options = parser.parse_args()
    directions = DIRECTIONS
    if options.directions:
        directions = np.random.default_rng(0).uniform(0, 2 * np.pi, options.directions)
    print("pixels   end |    area                 | perimeter               | area on the sky")
    for size in options.sizes:
        grid = pixels(size)
        for angle in ANGLES:
            found = [errors(grid, np.radians(angle), direction, np.radians(options.radius)) for direction in directions]
            cells = " | ".join(
                f"{each.mean():+7.1f} {each.std():7.1f} {each[np.abs(each).argmax()]:+7.1f}"
                for each in np.transpose(found)
            )
            print(f"{size:6d} {angle + options.radius:5.0f} | {cells}", flush=True)


def pixels(size):
    """Return the surface on a grid, and the points in the middle of its pixels, NaN off the disc."""
    surface = canonical_surface(size, HALF_WIDTH, DISTANCE)
    rows, columns = np.indices((size, size)).reshape(2, -1)
    shown = surface.on_sun(rows, columns)
    points = np.full((3, size**2), np.nan)
    points[:, shown] = surface.points(rows[shown], columns[shown])
    return SimpleNamespace(surface=surface, points=points)


def errors(grid, angle, direction, radius):
    """Return the errors of the area, the perimeter and the area on the sky of a cap, in percent."""
    across = np.sin(angle) * np.array([np.cos(direction), np.sin(direction)])
    centre = np.array([np.cos(angle), *across])
    inside = (centre @ grid.points > np.cos(radius)).reshape(grid.surface.shape)
    regions = regions_of(inside, grid.surface)
    sky = regions.solid_angles @ np.maximum(grid.surface.foreshortening(regions.points), 0)
    found = np.array([regions.solid_angles.sum(), perimeters(regions).sum(), sky])
    return 100 * (found / of_a_cap(angle, radius, DISTANCE) - 1)


def of_a_cap(angle, radius, distance, count=2000):
    """Return area, perimeter and area on the sky of the visible part of a cap, in (squares of) the solar radius."""
    limb = np.arccos(1 / distance)
    # Rings around disc centre, and the extent of each in the cap to both sides.
    inner, outer = max(0, angle - radius), min(angle + radius, limb)
    if angle < radius:
        inner = 0
    edges = np.linspace(inner, outer, count + 1)
    rings = (edges[:-1] + edges[1:]) / 2
    cosine = (np.cos(radius) - np.cos(rings) * np.cos(angle)) / np.maximum(np.sin(rings) * np.sin(angle), 1e-12)
    widths = 2 * np.arccos(np.clip(cosine, -1, 1)) * -np.diff(np.cos(edges))
    foreshortening = (distance * np.cos(rings) - 1) / np.sqrt(distance**2 - 2 * distance * np.cos(rings) + 1)
    # The perimeter around the cap, and along the limb in it.
    around = np.linspace(0, 2 * np.pi, 100 * count, endpoint=False)
    visible = np.cos(angle) * np.cos(radius) + np.sin(angle) * np.sin(radius) * np.cos(around) >= 1 / distance
    on_limb = (np.cos(radius) - np.cos(limb) * np.cos(angle)) / np.maximum(np.sin(limb) * np.sin(angle), 1e-12)
    along = 2 * np.arccos(np.clip(on_limb, -1, 1)) * np.sin(limb)
    return widths.sum(), 2 * np.pi * np.sin(radius) * visible.mean() + along, widths @ foreshortening


if __name__ == "__main__":
    main()
