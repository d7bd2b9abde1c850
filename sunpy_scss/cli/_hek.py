"""The command hek-mask, and the agreement of masks with the HEK."""

from pathlib import Path

from sunpy_scss.cli._options import (
    add_command,
    add_header,
    add_hek_url,
    add_overwrite,
    hek_server,
    moment,
    quantity,
    say,
    target_file,
    tell,
)

__all__ = ["add_hek_command", "agreement_with_hek"]


def add_hek_command(commands):
    """Add the command that draws events of the HEK to the parsers of all commands."""
    command = add_command(commands, "hek-mask", _hek_mask, "Draw events of the HEK on the pixels of an image.")
    command.add_argument("--map", required=True, metavar="FILE", help="the image")
    command.add_argument(
        "--events", metavar="FILE", help="an answer of the HEK, saved as JSON, instead of a new search"
    )
    command.add_argument("--feature", choices=("ch", "ar"), required=True, help="coronal holes or active regions")
    command.add_argument("--output", required=True, type=target_file(".fits"), metavar="FILE", help="the mask, as FITS")
    command.add_argument(
        "--time",
        nargs=2,
        type=moment,
        metavar=("FROM", "TO"),
        help="events of this time; six hours about the image by default",
    )
    command.add_argument("--method", nargs="+", default=["SPoCA"], metavar="NAME", help="default: SPoCA")
    command.add_argument(
        "--max-gap", type=quantity("h"), default="6 h", metavar="TIME", help="draw nothing farther off (default: 6 h)"
    )
    command.add_argument("--labels", action="store_true", help="number the events instead of setting 1")
    add_header(command)
    add_overwrite(command)
    add_hek_url(command)


def _hek_mask(options):
    from sunpy_scss._provenance import Provenance
    from sunpy_scss._save import refuse_existing, save_map
    from sunpy_scss.hek._masks import hek_to_mask
    from sunpy_scss.images._image import read_image

    if options.events and options.time:
        options.wrong("--events are no search: --time has nothing to choose from")
    refuse_existing(options.output, overwrite=options.overwrite)
    smap, feature = read_image(options.map, dict(options.header)), options.feature.upper()
    if options.events:
        events = _saved_events(options.events, feature, options.method)
    else:
        events = _search(smap, feature, hek_server(options), options.max_gap, options.time, options.method)
    mask = hek_to_mask(events, smap, labels=options.labels, max_gap=options.max_gap)
    save_map(mask, options.output)
    told = Provenance.of(mask)
    tell(f"{told.hek_drawn} events drawn, {told.hek_left} left out")
    say(options.output)
    return 0


def _search(smap, feature, server, max_gap, time_range=None, method="SPoCA"):
    """Return the events of the HEK around the time of a Map."""
    from sunpy_scss.hek._search import search_hek

    around = time_range or (smap.date - max_gap, smap.date + max_gap)
    return search_hek(around, feature, frm_name=method, client=server)


def _saved_events(path, feature, methods):
    """Return the events of a feature, by some methods, from a saved answer of the HEK."""
    import json

    import numpy as np

    from sunpy_scss.exceptions import UnreadableFileError
    from sunpy_scss.hek._records import hek_table

    try:
        answer = json.loads(Path(path).read_text(encoding="utf-8"))
        events = hek_table(answer)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError, TypeError) as error:
        msg = f"{path} is not an answer of the HEK, saved as JSON: {error}"
        raise UnreadableFileError(msg) from error
    chosen = (events["event_type"] == feature) & np.isin(events["frm_name"], methods)
    if len(events) and not chosen.any():
        pairs = zip(events["event_type"], events["frm_name"], strict=True)
        there = ", ".join(sorted({f"{kind} by {method}" for kind, method in pairs}))
        msg = f"{path} has no {feature} by {', '.join(methods)} (it has {there}): choose by --feature and --method."
        raise ValueError(msg)
    return events[chosen]


def agreement_with_hek(path, server):
    """
    Draw SPoCA's events of the HEK as a file beside a mask file, and measure their agreement.

    Parameters
    ----------
    path : pathlib.Path
        ``NAME_ch.fits`` gets ``NAME_ch_hek.fits`` beside it; an existing file is replaced.
    server : sunpy_scss.hek.HEKServer

    Returns
    -------
    str, pathlib.Path
        A sentence about the agreement, and the mask file of the events.
    """
    import astropy.units as u

    from sunpy_scss._mask_map import feature_of
    from sunpy_scss._provenance import Provenance
    from sunpy_scss._save import save_map
    from sunpy_scss.hek._masks import hek_to_mask
    from sunpy_scss.masks._metrics import iou
    from sunpy_scss.masks._read import read_mask
    from sunpy_scss.masks._table import area_fraction

    mask = read_mask(path)
    drawn = hek_to_mask(_search(mask, feature_of(mask), server, 6 * u.hour), mask)
    target = path.with_name(f"{path.stem}_hek.fits")
    save_map(drawn, target)
    here = f"{path.name}: {area_fraction(mask):.2f} of the visible hemisphere"
    told = Provenance.of(drawn)
    events, left = told.hek_drawn, told.hek_left
    if not events:
        why = f"of {left} events none can be drawn" if left else "no event"
        return f"{here}; SPoCA in the HEK: {why} near it", target
    area, overlap = area_fraction(drawn), iou(drawn.data, mask.data == 1)
    return f"{here}, SPoCA in the HEK {area:.2f} ({events} events), IoU {overlap:.2f}", target
