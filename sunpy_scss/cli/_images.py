"""The parts of the command that are about images."""

import sys
from pathlib import Path

from sunpy_scss.cli._options import (
    add_command,
    add_feature,
    add_hek_url,
    add_model,
    add_overwrite,
    add_picture,
    add_source,
    count,
    expanded,
    features_of,
    hek_server,
    in_the_shell,
    moment,
    quantity,
    say,
    target_folder,
    tell,
)

__all__ = ["add_image_commands"]

_FILE = "image that sunpy reads, a folder of them, or a quoted pattern"


def add_image_commands(commands):
    """Add the commands that read images to the parsers of all."""
    _add_segment(commands)
    _add_report(commands)
    _add_fetch(commands)
    _add_demo(commands)


def _add_segment(commands):
    command = add_command(commands, "segment", _segment, "Write the masks of images, however many.")
    command.add_argument("files", nargs="*", metavar="FILE", help=_FILE)
    command.add_argument(
        "--time", nargs="+", type=moment, metavar="TIME", help="download AIA images of these times, compare with HEK"
    )
    command.add_argument(
        "--cadence", type=quantity("h"), metavar="STEP", help='all images between two times, as "12 h" apart'
    )
    add_source(command)
    add_hek_url(command)
    add_feature(command)
    command.add_argument(
        "--output", required=True, type=target_folder, metavar="DIR", help="folder for the masks, or NAME.zarr"
    )
    command.add_argument("--plot", action="store_true", help="also draw each outline on its image")
    command.add_argument(
        "--plot-format", choices=("png", "pdf", "svg"), default="png", help="of these pictures (default: png)"
    )
    add_picture(command)
    command.add_argument("--probability", action="store_true", help="also write the probability of each pixel")
    command.add_argument("--regions", action="store_true", help="also write the regions of all masks, as Parquet")
    command.add_argument("--flagged", action="store_true", help="also segment what its header flags as bad")
    add_overwrite(command)
    add_model(command)
    command.add_argument(
        "--jobs", type=count, metavar="N", help="processes to work in; by default as many as there are processors"
    )
    command.add_argument("--scheduler", metavar="ADDRESS", help="work on the workers of this scheduler of dask")


def _segment(options):
    from sunpy_scss.files._segment import segment_files

    if bool(options.files) == bool(options.time):
        options.wrong("give files, or --time")
    if options.cadence is not None and len(options.time or ()) != 2:
        options.wrong("--cadence needs two times, --time FROM TO")
    outcomes = []

    def notify(outcome):
        outcomes.append(outcome)
        _print_outcome(outcome)

    given = ("model", "boundary", "threshold", "min_area", "disk_median", "samples")
    keywords = {name: value for name in given if (value := getattr(options, name)) is not None}
    try:
        segment_files(
            _inputs(options),
            options.output,
            features=features_of(options),
            cadence=options.cadence,
            source=options.source,
            plot=options.plot_format if options.plot else None,
            dpi=options.dpi,
            probability=options.probability,
            regions=options.regions,
            flagged=options.flagged,
            overwrite=options.overwrite,
            jobs=options.jobs,
            client=_client(options),
            notify=notify,
            **keywords,
        )
    finally:
        _print_summary(outcomes)
    if options.time and options.cadence is None:
        _print_agreement(outcomes, options)
    return 1 if any(outcome.error for outcome in outcomes) else 0


def _inputs(options):
    if options.files:
        return options.files
    if options.cadence is not None:
        from sunpy.time import TimeRange

        return TimeRange(*options.time)
    from sunpy_scss.files._inputs import fetch_files

    folder = Path(options.output, "images")
    return fetch_files(options.time, folder, features=features_of(options), source=options.source)


def _client(options):
    if options.scheduler is None:
        return None
    from distributed import Client

    return Client(options.scheduler)


def _print_outcome(outcome):
    from tqdm.auto import tqdm

    with tqdm.external_write_mode(file=sys.stdout):
        for path in dict.fromkeys((*outcome.written, *outcome.kept)):
            say(path)
        for caveat in outcome.caveats:
            tell(f"{outcome.path}: warning: {caveat}")
        if outcome.error:
            tell(outcome.failure)


def _print_summary(outcomes):
    """How many of each; the last words also where the work was broken off."""
    statuses = [outcome.status for outcome in outcomes]
    words = {"kept": "kept as they were (--overwrite replaces them)", "flagged": "flagged as bad and left out"}
    counts = [
        f"{statuses.count(status)} {words.get(status, status)}"
        for status in ("written", "kept", "flagged", "failed")
        if status in statuses
    ]
    if counts:
        tell(f"images: {', '.join(counts)}")


def _print_agreement(outcomes, options):
    from sunpy_scss.files._hek import compare_with_hek

    paths = [path for one in outcomes for path in (*one.written, *one.kept)]
    masks = [path for path in paths if path.name.endswith(("_ch.fits", "_ar.fits"))]
    for mask in masks:
        found = compare_with_hek(mask, client=hek_server(options))
        if found.events:
            tell(
                f"{mask.name}: {found.area:.2f} of the visible hemisphere, SPoCA in the HEK {found.area_hek:.2f} "
                f"({found.events} events), IoU {found.iou:.2f}"
            )
        else:
            events = f"of {found.left_out} events none can be drawn" if found.left_out else "no event"
            tell(f"{mask.name}: {found.area:.2f} of the visible hemisphere; SPoCA in the HEK: {events} near it")
        say(found.path)


def _add_fetch(commands):
    command = add_command(commands, "fetch", _fetch, "Download the AIA images nearest to some times.")
    command.add_argument(
        "--time", nargs="+", type=moment, required=True, metavar="TIME", help="times, such as 2017-01-03T12:00"
    )
    command.add_argument(
        "--feature", choices=("ch", "ar", "both"), default="both", help="193, 171 Angstrom, or both (default)"
    )
    command.add_argument(
        "--output", required=True, type=target_folder, metavar="DIR", help="folder; files that are there are kept"
    )
    add_source(command)


def _fetch(options):
    from sunpy_scss.files._inputs import fetch_files

    for path in fetch_files(options.time, options.output, features=features_of(options), source=options.source):
        say(path)
    return 0


def _add_demo(commands):
    command = add_command(commands, "demo", _demo, "Segment two real images that come with sunpy; needs no network.")
    command.add_argument(
        "--output",
        default="sunpy-scss-demo",
        type=target_folder,
        metavar="DIR",
        help="folder for masks and picture (default: %(default)s)",
    )


def _demo(options):
    from sunpy_scss.files._images import demo

    for line in demo(options.output):
        say(line)
    return 0


def _add_report(commands):
    command = add_command(
        commands, "report", _report, "Write a page on images and their masks that any browser shows without a network."
    )
    command.add_argument("files", nargs="+", metavar="FILE", help=_FILE)
    command.add_argument(
        "--mask",
        nargs="+",
        default=[],
        metavar="FILE",
        help="masks that are there, each for the image nearest in time; without them, the images are segmented",
    )
    add_feature(command)
    command.add_argument("--output", required=True, metavar="FILE", help="the page, such as report.html")
    command.add_argument("--title", help="heading of the page")
    add_overwrite(command)


def _report(options):
    from sunpy_scss.files._images import report_files
    from sunpy_scss.files._inputs import find_images

    outcomes = report_files(
        find_images(options.files, Path(options.output).parent),
        options.output,
        masks=expanded(options.mask),
        features=features_of(options),
        title=options.title,
        overwrite=options.overwrite,
    )
    for outcome in outcomes:
        if outcome.error:
            tell(in_the_shell(outcome.failure))
    if any(outcome.written for outcome in outcomes):
        say(options.output)
    return 1 if any(outcome.error for outcome in outcomes) else 0
