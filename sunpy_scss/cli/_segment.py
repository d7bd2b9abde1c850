"""The commands segment and fetch: from images or times to masks."""

import sys
from functools import partial
from pathlib import Path

from sunpy_scss.cli._options import (
    add_command,
    add_feature,
    add_header,
    add_hek_url,
    add_model,
    add_network,
    add_overwrite,
    add_picture,
    add_source,
    count,
    failure_of,
    features_of,
    hek_server,
    moment,
    quantity,
    register,
    say,
    target_folder,
    tell,
)

__all__ = ["add_segment_commands"]


def add_segment_commands(commands):
    """Add the commands that segment and fetch images to the parsers of all commands."""
    _add_segment(commands)
    _add_fetch(commands)


def _add_segment(commands):
    command = add_command(commands, "segment", _segment, "Write the masks of images, however many.")
    command.add_argument(
        "files", nargs="*", metavar="FILE", help="image that sunpy reads, a folder of them, or a quoted pattern"
    )
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
    add_network(command)
    add_header(command)
    command.add_argument(
        "--jobs", type=count, metavar="N", help="processes to work in; by default as many as there are processors"
    )
    command.add_argument("--scheduler", metavar="ADDRESS", help="work on the workers of this scheduler of dask")


def _segment(options):
    from sunpy_scss.batch._options import BatchOptions
    from sunpy_scss.batch._segment import segment_files

    if bool(options.files) == bool(options.time):
        options.wrong("give files, or --time")
    if options.cadence is not None and len(options.time or ()) != 2:
        options.wrong("--cadence needs two times, --time FROM TO")
    outcomes = []

    def notify(outcome):
        outcomes.append(outcome)
        _print_outcome(outcome)

    same = ("model", "boundary", "threshold", "min_area", "disk_median", "samples", "dpi", "probability", "regions")
    batch = BatchOptions(
        **{name: getattr(options, name) for name in (*same, "flagged", "overwrite", "jobs")},
        features=features_of(options),
        plot=options.plot_format if options.plot else None,
        client=_client(options),
        notify=notify,
        header=dict(options.header),
        prepare=partial(register, options.network) if options.network else None,
    )
    try:
        segment_files(options.files or _fetched(options), options.output, options=batch)
    finally:
        _print_summary(outcomes)
    if options.time and options.cadence is None:
        _print_agreement(outcomes, options)
    return 1 if any(outcome.error for outcome in outcomes) else 0


def _client(options):
    if options.scheduler is None:
        return None
    from distributed import Client

    return Client(options.scheduler)


def _fetched(options):
    """Download the images of the requested times. If there are many times, some images may be missing."""
    output = Path(options.output)
    folder = output.with_name(f"{output.stem}_images") if output.suffix == ".zarr" else output / "images"
    if options.cadence is None:
        return _fetch_images(options.time, folder, options)
    first, last = options.time
    if last < first or options.cadence.value == 0:
        options.wrong("--time FROM TO must go forwards, and --cadence must be more than nothing")
    steps = int(((last - first) / options.cadence).to_value(""))
    return _fetch_images([first + step * options.cadence for step in range(steps + 1)], folder, options, some=True)


def _fetch_images(times, folder, options, *, some=False):
    """
    Download the AIA images nearest to some times.

    With ``some``, images that cannot be downloaded are named, and found missing when they are read.
    """
    import astropy.units as u

    from sunpy_scss._features import FEATURES
    from sunpy_scss._warn import warn_caller
    from sunpy_scss.exceptions import ArchiveError, MissingImageWarning
    from sunpy_scss.images._search import fetch, search_aia

    wavelengths = [FEATURES[feature].wavelength for feature in features_of(options)] * u.AA
    found = search_aia(times, wavelengths, source=options.source)
    if not len(found):
        msg = f"The archive has no image near {', '.join(map(str, times))}."
        raise ArchiveError(msg)
    try:
        return fetch(found, folder)
    except ArchiveError as error:
        paths = [folder / str(name) for name in found["file"]]
        if not some or not any(path.exists() for path in paths):
            raise
        warn_caller(f"Some images could not be downloaded: {error}", MissingImageWarning)
        return paths


def _print_outcome(outcome):
    from tqdm.auto import tqdm

    with tqdm.external_write_mode(file=sys.stdout):
        for path in dict.fromkeys((*outcome.written, *outcome.kept)):
            say(path)
        for caveat in outcome.caveats:
            tell(f"{outcome.path}: warning: {caveat}")
        if outcome.error:
            tell(failure_of(outcome.path, outcome.error))


def _print_summary(outcomes):
    """Print the number of images of each status; the last words also if the work was stopped."""
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
    from sunpy_scss.cli._hek import agreement_with_hek

    paths = [path for one in outcomes for path in (*one.written, *one.kept)]
    for path in paths:
        if path.name.endswith(("_ch.fits", "_ar.fits")):
            said, drawn = agreement_with_hek(path, hek_server(options))
            tell(said)
            say(drawn)


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
    for path in _fetch_images(options.time, Path(options.output), options):
        say(path)
    return 0
