"""
How true areas and perimeters are from disc centre to the limb, on spherical caps seen by SDO.

    python benchmarks/limb.py [--sizes 256 512 1024] [--radius 10]

A cap is moved away from disc centre in several directions. Of what can be seen of it, the area on the sphere, the
perimeter, the limb included, and the area on the sky are known. Printed are the mean errors and the largest ones, in
percent.
"""

import argparse

import numpy as np

import astropy.units as u

from sunpy_scss.hek import hek_records
from sunpy_scss.masks import region_table
from sunpy_scss.synthetic import Cap, synthetic_sun

ANGLES = [0, 30, 50, 60, 65, 70, 74, 76, 78, 80, 82, 85, 90, 95]
DIRECTIONS = [3, 17, 31, 46, 62, 88]
RADIUS = 695.7  # Mm


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--radius", type=float, default=10, help="of the caps, in degrees")
    options = parser.parse_args()
    print("pixels centre   end |    area %        | perimeter %      | area on the sky %")
    for size in options.sizes:
        for angle in ANGLES:
            errors = [error(size, angle, direction, options.radius) for direction in DIRECTIONS]
            cells = " | ".join(f"{mean:+7.1f} {most:+7.1f}" for mean, most in map(summary, np.transpose(errors)))
            print(f"{size:6d} {angle:6d} {angle + options.radius:5.0f} | {cells}")


def summary(errors):
    errors = errors[np.isfinite(errors)]
    return errors.mean(), errors[np.abs(errors).argmax()]


def error(size, angle, direction, radius):
    """Of the area, the perimeter and the area on the sky of a cap, in percent."""
    sun = synthetic_sun(size=size, coronal_holes=[], active_regions=[]).image
    observer = sun.observer_coordinate
    tilt = observer.lat.to_value(u.rad)
    centre = _turned(np.radians(angle), np.radians(direction), tilt)
    lat, lon = np.degrees(np.arcsin(centre[2])), np.degrees(np.arctan2(centre[1], centre[0]))
    cap = Cap((lon + observer.lon.deg) * u.deg, lat * u.deg, radius * u.deg)
    mask = synthetic_sun(size=size, coronal_holes=[cap], active_regions=[]).coronal_holes
    table = region_table(mask)
    sky = hek_records(mask)["area_raw"].sum() / 1e6
    distance = (observer.radius / sun.rsun_meters).to_value(u.one)
    truth = np.array(of_a_cap(np.radians(angle), np.radians(radius), distance)) * [RADIUS**2, RADIUS, RADIUS**2]
    found = np.array([table["area"].to_value(u.Mm**2).sum(), table["perimeter"].to_value(u.Mm).sum(), sky])
    return 100 * (found / truth - 1)


def _turned(angle, direction, tilt):
    """A place so far from disc centre in a direction from west over north, in the frame of the observer's meridian."""
    towards, west, north = np.cos(angle), np.sin(angle) * np.cos(direction), np.sin(angle) * np.sin(direction)
    return towards * np.cos(tilt) - north * np.sin(tilt), west, towards * np.sin(tilt) + north * np.cos(tilt)


def of_a_cap(angle, radius, distance, count=2000):
    """Area, perimeter and area on the sky of what is visible of a cap, in (squares of) the solar radius."""
    limb = np.arccos(1 / distance)
    # Rings around disc centre, and how far each is in the cap to both sides.
    inner, outer = max(0, angle - radius), min(angle + radius, limb)
    if angle < radius:
        inner = 0
    edges = np.linspace(inner, outer, count + 1)
    rings = (edges[:-1] + edges[1:]) / 2
    cosine = (np.cos(radius) - np.cos(rings) * np.cos(angle)) / np.maximum(np.sin(rings) * np.sin(angle), 1e-12)
    widths = 2 * np.arccos(np.clip(cosine, -1, 1)) * -np.diff(np.cos(edges))
    foreshortening = (distance * np.cos(rings) - 1) / np.sqrt(distance**2 - 2 * distance * np.cos(rings) + 1)
    # Around the cap, and along the limb in it.
    around = np.linspace(0, 2 * np.pi, 100 * count, endpoint=False)
    visible = np.cos(angle) * np.cos(radius) + np.sin(angle) * np.sin(radius) * np.cos(around) >= 1 / distance
    on_limb = (np.cos(radius) - np.cos(limb) * np.cos(angle)) / np.maximum(np.sin(limb) * np.sin(angle), 1e-12)
    along = 2 * np.arccos(np.clip(on_limb, -1, 1)) * np.sin(limb)
    return widths.sum(), 2 * np.pi * np.sin(radius) * visible.mean() + along, widths @ foreshortening


if __name__ == "__main__":
    main()
