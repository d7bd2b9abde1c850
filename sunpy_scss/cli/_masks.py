"""The parts of the command that are about masks."""

from sunpy_scss.cli._images import _add_report
from sunpy_scss.cli._options import _add_command, _add_hek_url, _expand, _expanded, _hek_server

__all__ = ["add_mask_commands"]

# What is read at a glance; the file has all of it.
_GLANCE = (
    *("file", "id", "area", "area_percent", "area_low", "area_high", "lon", "lat", "carrington_lon", "beyond_60"),
    *("touches_limb", "confidence", "intensity_median", "flux_signed", "flux_unsigned", "unipolarity"),
)
_FORMATS = {
    **dict.fromkeys(("area", "area_low", "area_high", "intensity_median"), ".0f"),
    **dict.fromkeys(("area_first", "area_second", "overlap"), ".0f"),
    **dict.fromkeys(("lon", "lat", "carrington_lon"), ".1f"),
    **dict.fromkeys(("area_percent", "beyond_60", "confidence", "unipolarity"), ".2f"),
    **dict.fromkeys(("iou", "dice", "area_ratio"), ".3f"),
    **dict.fromkeys(("flux_signed", "flux_unsigned"), ".2e"),
}


def add_mask_commands(add):
    """
    Add the commands.

    Parameters
    ----------
    add : callable
        Of name, function to run and help; gives the parser of a new command.
    """
    _add_properties(add)
    _add_compare(add)
    _add_report(add)


def _add_properties(add):
    command = add("properties", _properties, "Measure the regions of masks.")
    command.add_argument("masks", nargs="+", metavar="MASK", help="mask file")
    for name, what in (
        ("image", "intensities"),
        ("magnetogram", "magnetic fluxes"),
        ("probability", "intervals of area; on the pixels of the mask"),
    ):
        command.add_argument(
            f"--{name}", nargs="+", default=[], metavar="FILE", help=f"for {what}: one file, or one for each mask"
        )
    command.add_argument("--output", metavar="FILE", help="also write all columns, as .ecsv, .fits or .csv")
    command.add_argument("--overwrite", action="store_true", help="replace the file if it is there")


def _properties(options):
    from sunpy_scss.files._masks import measure_files

    table = measure_files(
        _expanded(options.masks),
        images=_expanded(options.image),
        magnetograms=_expanded(options.magnetogram),
        probabilities=_expanded(options.probability),
        target=options.output,
        overwrite=options.overwrite,
    )
    names = [name for name in _GLANCE if name in table.colnames]
    if len(table):
        _print_table(table[names])
    else:
        print("no regions")
    if options.output:
        print(options.output)
    return 0


def _print_table(table):
    for name in table.colnames:
        table[name].info.format = _FORMATS.get(name)
    print("\n".join(table.pformat(max_lines=-1, max_width=-1)))


def _add_compare(add):
    command = add("compare", _compare, "Tell how far masks agree, each with each.")
    command.add_argument("masks", nargs="+", metavar="MASK", help="mask file; two or more")
    command.add_argument("--names", nargs="+", metavar="NAME", help="what to call them; by default as the files")
    command.add_argument("--output", metavar="DIR", help="also write the table, and Maps of consensus and disagreement")
    command.add_argument("--overwrite", action="store_true", help="replace files that are there")


def _compare(options):
    from sunpy_scss.files._masks import compare_files

    table = compare_files(
        _expanded(options.masks), names=options.names, folder=options.output, overwrite=options.overwrite
    )
    _print_table(table)
    if options.output:
        print(options.output)
    return 0


def _add_hek_mask(commands):
    command = _add_command(commands, "hek-mask", _hek_mask, "Draw events of the HEK on the pixels of an image.")
    command.add_argument("--map", required=True, metavar="FILE", help="the image")
    command.add_argument("--feature", choices=("ch", "ar"), required=True, help="coronal holes or active regions")
    command.add_argument("--output", required=True, metavar="FILE", help="the mask, as FITS")
    command.add_argument(
        "--time", nargs=2, metavar=("FROM", "TO"), help="events of this time; six hours about the image by default"
    )
    command.add_argument("--method", nargs="+", default=["SPoCA"], metavar="NAME", help="default: SPoCA")
    command.add_argument("--max-gap", default="6 h", metavar="TIME", help="draw nothing farther off (default: 6 h)")
    command.add_argument("--labels", action="store_true", help="number the events instead of setting 1")
    command.add_argument("--overwrite", action="store_true", help="replace the mask if it is there")
    _add_hek_url(command)


def _hek_mask(options):
    from astropy.units import Quantity

    from sunpy_scss.files._hek import hek_mask_file

    mask = hek_mask_file(
        options.map,
        options.feature.upper(),
        options.output,
        time_range=options.time,
        frm_name=options.method,
        max_gap=Quantity(options.max_gap),
        labels=options.labels,
        overwrite=options.overwrite,
        client=_hek_server(options),
    )
    print(f"{mask.meta['HEKDRAWN']} events drawn, {mask.meta['HEKLEFT']} left out -> {options.output}")
    return 0


def _add_track(commands):
    command = _add_command(commands, "track", _track, "Follow the regions of masks from one to the next.")
    command.add_argument("files", nargs="+", metavar="MASK", help="mask that segment wrote, or a quoted pattern")
    command.add_argument("--output", required=True, metavar="DIR", help="folder for the tables and the picture")
    command.add_argument("--overwrite", action="store_true", help="replace files that are there")


def _track(options):
    from sunpy_scss.files._evolution import track_files

    for path in track_files(_expand(options.files), options.output, overwrite=options.overwrite):
        print(path)
    return 0


def _add_carrington(commands):
    command = _add_command(commands, "carrington", _carrington, "Write the Carrington map of masks of a rotation.")
    command.add_argument("files", nargs="+", metavar="MASK", help="mask that segment wrote, or a quoted pattern")
    command.add_argument("--output", required=True, metavar="FILE", help="the map, as FITS")
    command.add_argument("--projection", choices=("CEA", "CAR"), default="CEA", help="default: CEA, equal areas")
    command.add_argument("--rotation", type=int, metavar="N", help="of this Carrington rotation; all by default")
    command.add_argument("--overwrite", action="store_true", help="replace the map if it is there")


def _carrington(options):
    from sunpy_scss.files._evolution import carrington_file

    keywords = {"projection": options.projection, "rotation": options.rotation, "overwrite": options.overwrite}
    smap = carrington_file(_expand(options.files), options.output, **keywords)
    print(f"{smap.meta['parent']} -> {options.output}")
    return 0
