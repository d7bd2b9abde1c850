"""The parts of the command that are about images."""

import os
import sys

from sunpy_scss.cli._options import _add_command, _add_hek_url, _expand, _expanded, _hek_server

__all__ = []


def _add_segment(commands):
    command = _add_command(commands, "segment", _segment, "Write the masks of images.")
    command.add_argument("files", nargs="*", metavar="FILE", help="image that sunpy reads, or a quoted pattern")
    command.add_argument(
        "--time", nargs="+", default=[], metavar="TIME", help="download AIA images of these times, compare with HEK"
    )
    _add_source(command)
    _add_hek_url(command)
    command.add_argument(
        "--feature",
        choices=("ch", "ar", "both"),
        default="both",
        help="coronal holes, active regions, or what each wavelength shows (default)",
    )
    command.add_argument("--output", required=True, metavar="DIR", help="folder for the masks")
    command.add_argument("--plot", action="store_true", help="also draw each outline on its image, as PNG")
    command.add_argument("--probability", action="store_true", help="also write the probability of each pixel")
    command.add_argument("--overwrite", action="store_true", help="replace files that are there")
    command.add_argument("--model", metavar="NAME", help="name or folder of a model, instead of the bundled one")
    command.add_argument(
        "--boundary", metavar="NAME", help="which outline of the model, as core; models show lists them"
    )
    command.add_argument("--threshold", type=float, help="least probability of a mask's pixels")
    command.add_argument("--min-area", metavar="AREA", help='smallest region, as "1000 Mm2"')
    command.add_argument("--samples", type=int, default=1, metavar="N", help="average over N variants of the image")


def _segment(options):
    from astropy.units import Quantity

    from sunpy_scss.files._images import fetch_files, segment_files

    if not (options.files or options.time):
        msg = "nothing to do: give files, or --time"
        raise ValueError(msg)
    paths = _expand(options.files)
    features = ("CH", "AR") if options.feature == "both" else (options.feature.upper(),)
    if options.time:
        folder = os.path.join(options.output, "images")
        paths += fetch_files(options.time, folder, features=features, source=options.source)
    keywords = {name: getattr(options, name) for name in ("model", "boundary", "threshold", "samples")}
    if options.min_area:
        keywords["min_area"] = Quantity(options.min_area)
    keywords |= {"plot": options.plot, "probability": options.probability, "overwrite": options.overwrite}
    outcomes = segment_files(paths, options.output, features=features, **keywords)
    for outcome in outcomes:
        for path in outcome.written:
            print(path)
        for path in outcome.kept:
            print(f"{path} was there and is kept (--overwrite replaces it)")
    failed = [outcome for outcome in outcomes if outcome.error]
    for outcome in failed:
        print(outcome.failure, file=sys.stderr)
    if options.time:
        _print_agreement(outcomes, options)
    return 1 if failed else 0


def _print_agreement(outcomes, options):
    from sunpy_scss.files._hek import compare_with_hek

    paths = [path for one in outcomes for path in (*one.written, *one.kept)]
    masks = [path for path in paths if path.name.endswith(("_ch.fits", "_ar.fits"))]
    for mask in masks:
        found = compare_with_hek(mask, client=_hek_server(options))
        if found.events:
            print(
                f"{mask.name}: {found.area:.2f} of the visible hemisphere, SPoCA in the HEK {found.area_hek:.2f} "
                f"({found.events} events), IoU {found.iou:.2f} -> {found.path}"
            )
        else:
            print(f"{mask.name}: {found.area:.2f} of the visible hemisphere; the HEK has no event of SPoCA near it")


def _add_source(command):
    command.add_argument(
        "--source",
        choices=("synoptic", "vso", "helioviewer"),
        default="synoptic",
        help="archive: level 1.5 of 1024 pixels (default), full resolution, or JPEG 2000",
    )


def _add_fetch(commands):
    command = _add_command(commands, "fetch", _fetch, "Download the AIA images nearest to some times.")
    command.add_argument("--time", nargs="+", required=True, metavar="TIME", help="times, such as 2017-01-03T12:00")
    command.add_argument("--feature", choices=("ch", "ar", "both"), default="both", help="193, 171 Angstrom, or both")
    command.add_argument("--output", required=True, metavar="DIR", help="folder; files that are there are kept")
    _add_source(command)


def _fetch(options):
    from sunpy_scss.files._images import fetch_files

    features = ("CH", "AR") if options.feature == "both" else (options.feature.upper(),)
    for path in fetch_files(options.time, options.output, features=features, source=options.source):
        print(path)
    return 0


def _add_demo(commands):
    command = _add_command(commands, "demo", _demo, "Segment two real images that come with sunpy; needs no network.")
    command.add_argument(
        "--output", default="sunpy-scss-demo", metavar="DIR", help="folder for masks and picture (default: %(default)s)"
    )


def _demo(options):
    from sunpy_scss.files._images import demo

    for line in demo(options.output):
        print(line)
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
    from sunpy_scss.files._images import report_files

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
