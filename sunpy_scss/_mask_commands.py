"""The commands of ``sunpy-scss`` for masks that are there: what is in them, whether they agree, a report."""

import glob
import sys

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
    from sunpy_scss.mask_files import measure_files

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
    from sunpy_scss.mask_files import compare_files

    table = compare_files(
        _expanded(options.masks), names=options.names, folder=options.output, overwrite=options.overwrite
    )
    _print_table(table)
    if options.output:
        print(options.output)
    return 0


def _add_report(add):
    command = add("report", _report, "Write a page on images and their masks that any browser shows without a network.")
    command.add_argument("files", nargs="+", metavar="FILE", help="image that sunpy reads, or a quoted pattern")
    command.add_argument(
        "--mask",
        nargs="+",
        default=[],
        metavar="FILE",
        help="masks that are there, each for the image nearest in time; without them, the images are segmented",
    )
    command.add_argument(
        "--feature",
        choices=("ch", "ar", "both"),
        default="both",
        help="coronal holes, active regions, or what each wavelength shows (default)",
    )
    command.add_argument("--output", required=True, metavar="FILE", help="the page, such as report.html")
    command.add_argument("--title", help="heading of the page")
    command.add_argument("--overwrite", action="store_true", help="replace the page if it is there")


def _report(options):
    from sunpy_scss.pipeline import report_files

    outcomes = report_files(
        _expanded(options.files),
        options.output,
        masks=_expanded(options.mask),
        features=("CH", "AR") if options.feature == "both" else (options.feature.upper(),),
        title=options.title,
        overwrite=options.overwrite,
    )
    for outcome in outcomes:
        if outcome.error:
            print(outcome.failure, file=sys.stderr)
    if any(outcome.written for outcome in outcomes):
        print(options.output)
    return 1 if any(outcome.error for outcome in outcomes) else 0


def _expanded(patterns):
    """Files of patterns that the shell has left as they are."""
    return [path for pattern in patterns for path in sorted(glob.glob(pattern)) or [pattern]]
