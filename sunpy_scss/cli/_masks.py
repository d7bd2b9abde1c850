"""The commands that measure masks: properties, filaments, compare, export, track and carrington."""

from pathlib import Path

from sunpy_scss.cli._options import (
    add_command,
    add_overwrite,
    expanded,
    say,
    target_file,
    target_folder,
    tell,
)

__all__ = ["add_mask_commands"]

# Columns to read at a glance; the file has all of them.
_GLANCE = (
    *("file", "id", "area", "area_percent", "area_low", "area_high", "lon", "lat", "carrington_lon", "beyond_60"),
    *("touches_limb", "confidence", "intensity_median", "flux_signed", "flux_unsigned", "unipolarity"),
)
_FORMATS = {
    **dict.fromkeys(("area", "area_low", "area_high", "intensity_median"), ".0f"),
    **dict.fromkeys(("area_first", "area_second", "overlap"), ".0f"),
    **dict.fromkeys(("lon", "lat", "carrington_lon"), ".1f"),
    **dict.fromkeys(("area_percent", "beyond_60", "confidence", "unipolarity", "score"), ".2f"),
    **dict.fromkeys(("iou", "dice", "area_ratio"), ".3f"),
    **dict.fromkeys(("flux_signed", "flux_unsigned"), ".2e"),
}


_TABLES = (".ecsv", ".fits", ".csv")


def add_mask_commands(commands):
    """Add the commands that measure masks to the parsers of all commands."""
    _add_properties(commands)
    _add_filaments(commands)
    _add_compare(commands)
    _add_export(commands)
    _add_track(commands)
    _add_carrington(commands)


def _add_masks(command, name="masks", **settings):
    settings = {"nargs": "+", "metavar": "MASK", "help": "mask file, a folder of them, or a quoted pattern"} | settings
    command.add_argument(name, **settings)


def _others(paths, files, name):
    """Return for each mask its file of another kind. There is one for all, one for each, or none."""
    if not files:
        return [None] * len(paths)
    if len(files) not in (1, len(paths)):
        msg = f"There must be one {name} for all masks, or one for each (got {len(files)} for {len(paths)} masks)."
        raise ValueError(msg)
    return list(files) * (len(paths) // len(files))


def _add_properties(commands):
    command = add_command(commands, "properties", _properties, "Measure the regions of masks.")
    _add_masks(command)
    for name, what in (
        ("image", "intensities"),
        ("magnetogram", "magnetic fluxes"),
        ("probability", "intervals of area; on the pixels of the mask"),
    ):
        command.add_argument(
            f"--{name}", nargs="+", default=[], metavar="FILE", help=f"for {what}: one file, or one for each mask"
        )
    command.add_argument("--output", metavar="FILE", help="also write all columns, as .ecsv, .fits or .csv")
    add_overwrite(command)


def _properties(options):
    from astropy.table import vstack

    from sunpy_scss._provenance import said_by_all
    from sunpy_scss.batch._table import region_rows
    from sunpy_scss.images._read import read_map
    from sunpy_scss.masks._read import read_mask

    _check_table(options)
    paths = expanded(options.masks)
    others = {
        name: _others(paths, expanded(getattr(options, name)), name) for name in ("image", "magnetogram", "probability")
    }
    tables = []
    for number, path in enumerate(paths):
        maps = {name: read_map(files[number]) for name, files in others.items() if files[number]}
        tables.append(region_rows(read_mask(path), path, **maps))
    table = vstack(tables, metadata_conflicts="silent")
    table.meta = said_by_all([one.meta for one in tables])
    _write_table(table, options.output)
    _print_rows(table[[name for name in _GLANCE if name in table.colnames]], options.output)
    return 0


def _check_table(options):
    """Raise an error now if a table could not be written later."""
    from sunpy_scss._save import refuse_existing

    if not options.output:
        return
    if not options.output.endswith(_TABLES):
        msg = f"The name of the table must end with {', '.join(_TABLES)} (got {options.output})."
        raise ValueError(msg)
    refuse_existing(options.output, overwrite=options.overwrite)


def _write_table(table, path):
    """Write a table. In FITS times are text; in CSV units are in the names of the columns."""
    import warnings

    from astropy.utils.exceptions import AstropyUserWarning

    from sunpy_scss._save import save_table

    if not path:
        return
    plain = table.copy()
    if path.endswith(".fits") and "time" in table.colnames:
        # Otherwise they would be two parts of a Julian date, which only astropy puts together.
        plain["time"] = table["time"].isot
    if path.endswith(".csv"):
        for name in table.colnames:
            if getattr(table[name], "unit", None):
                plain.rename_column(name, f"{name} [{table[name].unit}]")
    with warnings.catch_warnings():
        # FITS does not know DN, the unit of AIA's counts; astropy does, and reads it back.
        warnings.filterwarnings("ignore", "The unit .* could not be saved", AstropyUserWarning)
        save_table(plain, path)


def _print_rows(table, path):
    """Print a table, or that it is empty, and the file to which it was written."""
    if len(table):
        _print_table(table)
    else:
        tell("no regions")
    if path:
        say(path)


def _print_table(table):
    for name in table.colnames:
        table[name].info.format = _FORMATS.get(name)
    say("\n".join(table.pformat(max_lines=-1, max_width=-1)))


def _add_filaments(commands):
    command = add_command(
        commands, "filaments", _filaments, "Tell how much each coronal hole of masks looks like a filament."
    )
    _add_masks(command)
    command.add_argument("--image", nargs="+", required=True, metavar="FILE", help="one, or one for each mask")
    command.add_argument("--magnetogram", nargs="+", default=[], metavar="FILE", help="one, or one for each mask")
    command.add_argument("--output", metavar="FILE", help="also write all columns, as .ecsv, .fits or .csv")
    add_overwrite(command)


def _filaments(options):
    import numpy as np

    from astropy.table import vstack

    from sunpy_scss.images._read import read_map
    from sunpy_scss.masks._filaments import filament_score
    from sunpy_scss.masks._read import read_mask

    _check_table(options)
    paths = expanded(options.masks)
    images = _others(paths, expanded(options.image), "image")
    magnetograms = _others(paths, expanded(options.magnetogram), "magnetogram")
    tables = []
    for path, image, magnetogram in zip(paths, images, magnetograms, strict=True):
        field = magnetogram and read_map(magnetogram)
        scores = filament_score(read_mask(path), read_map(image), magnetogram=field)
        scores.add_column(np.full(len(scores), str(path)), index=0, name="file")
        tables.append(scores)
    table = vstack(tables, metadata_conflicts="silent")
    _write_table(table, options.output)
    _print_rows(table[["file", "id", "score", "filament", "reasons"]], options.output)
    return 0


def _add_compare(commands):
    command = add_command(commands, "compare", _compare, "Tell how far masks agree, each with each.")
    _add_masks(command, help="mask file; two or more")
    command.add_argument("--names", nargs="+", metavar="NAME", help="what to call them; by default as the files")
    command.add_argument(
        "--output",
        type=target_folder,
        metavar="DIR",
        help="also write the table, and Maps of consensus and disagreement",
    )
    add_overwrite(command)


def _compare(options):
    from sunpy.util.exceptions import SunpyUserWarning

    from sunpy_scss._save import refuse_existing, save_map, save_table
    from sunpy_scss._warn import warn_caller
    from sunpy_scss.masks._compare import compare_masks, consensus, disagreement
    from sunpy_scss.masks._read import read_mask
    from sunpy_scss.report._caveats import comparison_caveats

    folder = Path(options.output or ".")
    targets = [folder / name for name in ("agreement.ecsv", "consensus.fits", "disagreement.fits")]
    if options.output:
        refuse_existing(*targets, overwrite=options.overwrite)
    paths = expanded(options.masks)
    masks = [read_mask(path) for path in paths]
    table = compare_masks(masks, names=options.names or _short(paths))
    for caveat in comparison_caveats(masks):
        warn_caller(caveat, SunpyUserWarning)
    if options.output:
        save_table(table, targets[0])
        save_map(consensus(masks), targets[1])
        save_map(disagreement(masks), targets[2])
    _print_table(table)
    if options.output:
        say(options.output)
    return 0


def _short(paths):
    """Return names of files without folder and suffix, if these still tell them apart."""
    stems = [Path(path).stem for path in paths]
    return stems if len(set(stems)) == len(stems) else paths


def _add_export(commands):
    command = add_command(commands, "export", _export, "Write the regions of masks for other programs.")
    _add_masks(command)
    command.add_argument(
        "--format",
        choices=("geojson", "hek"),
        default="geojson",
        help="outlines as GeoJSON (default), or records like the HEK's as CSV",
    )
    command.add_argument(
        "--frame",
        choices=("heliographic_stonyhurst", "heliographic_carrington", "helioprojective"),
        default="heliographic_stonyhurst",
        help="of the coordinates of GeoJSON (default: %(default)s)",
    )
    command.add_argument(
        "--output", required=True, type=target_folder, metavar="DIR", help="folder for a file for each mask"
    )
    add_overwrite(command)


def _export(options):
    from sunpy_scss._save import refuse_existing, save_table
    from sunpy_scss.hek._write import hek_records
    from sunpy_scss.masks._export import write_geojson
    from sunpy_scss.masks._read import read_mask

    folder, paths = Path(options.output), expanded(options.masks)
    ending = {"geojson": ".geojson", "hek": ".csv"}[options.format]
    targets = [folder / (Path(path).stem + ending) for path in paths]
    refuse_existing(*targets, overwrite=options.overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    for path, target in zip(paths, targets, strict=True):
        mask = read_mask(path)
        if options.format == "geojson":
            write_geojson(mask, target, frame=options.frame, overwrite=options.overwrite)
        else:
            save_table(hek_records(mask), target)
        say(target)
    return 0


def _add_track(commands):
    command = add_command(commands, "track", _track, "Follow the regions of masks from one to the next.")
    _add_masks(command)
    command.add_argument(
        "--output", required=True, type=target_folder, metavar="DIR", help="folder for the tables and the picture"
    )
    add_overwrite(command)


def _track(options):
    from tqdm.auto import tqdm

    from astropy.table import vstack

    from sunpy_scss._save import refuse_existing, save_figure, save_table
    from sunpy_scss.evolution._meridian import central_meridian_fraction
    from sunpy_scss.evolution._tracks import track_regions
    from sunpy_scss.images._read import read_map
    from sunpy_scss.plotting._evolution import plot_tracks

    names = ("regions.ecsv", "events.ecsv", "meridian.ecsv", "tracks.png")
    targets = [Path(options.output, name) for name in names]
    refuse_existing(*targets, overwrite=options.overwrite)
    meridian = []

    def masks():
        """Yield the masks in order of time; each is read once for all uses."""
        paths = sorted(expanded(options.masks), key=lambda path: read_map(path).coordinate_frame.obstime)
        for path in tqdm(paths, unit="mask", disable=None):
            mask = read_map(path)
            meridian.append(central_meridian_fraction([mask]))
            yield mask

    tracks = track_regions(masks())
    save_table(tracks.regions, targets[0])
    save_table(tracks.events, targets[1])
    save_table(vstack(meridian, metadata_conflicts="silent"), targets[2])
    save_figure(plot_tracks(tracks), targets[3])
    for target in targets:
        say(target)
    return 0


def _add_carrington(commands):
    command = add_command(commands, "carrington", _carrington, "Write the Carrington map of masks of a rotation.")
    _add_masks(command)
    command.add_argument("--output", required=True, type=target_file(".fits"), metavar="FILE", help="the map, as FITS")
    command.add_argument("--projection", choices=("CEA", "CAR"), default="CEA", help="default: CEA, equal areas")
    command.add_argument("--rotation", type=int, metavar="N", help="of this Carrington rotation; all by default")
    add_overwrite(command)


def _carrington(options):
    from tqdm.auto import tqdm

    from sunpy_scss._save import refuse_existing, save_map
    from sunpy_scss.evolution._carrington import carrington_map
    from sunpy_scss.images._read import read_map

    refuse_existing(options.output, overwrite=options.overwrite)
    masks = (read_map(path) for path in tqdm(expanded(options.masks), unit="mask", disable=None))
    smap = carrington_map(masks, projection=options.projection, rotation=options.rotation)
    save_map(smap, options.output)
    tell(smap.meta["parent"])
    say(options.output)
    return 0
