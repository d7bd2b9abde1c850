"""The command follow, which works hour by hour, unattended."""

import time
from datetime import UTC, datetime
from pathlib import Path

from sunpy_scss.cli._options import add_command, add_header, add_model, add_source, quantity, target_folder, tell

__all__ = ["add_follow_command"]


def add_follow_command(commands):
    """Add the command that follows a folder or an archive to the parsers of all commands."""
    command = add_command(
        commands, "follow", _follow, "Give each new image its mask of coronal holes, a row, alerts and a page."
    )
    command.add_argument("folder", nargs="?", metavar="FOLDER", help="of images; without it, the newest of the archive")
    add_source(command)
    command.add_argument("--output", required=True, type=target_folder, metavar="DIR", help="folder for all results")
    command.add_argument(
        "--every", type=quantity("s"), metavar="TIME", help='stay and look again, as "10 min"; by default look once'
    )
    command.add_argument(
        "--stale",
        type=quantity("h"),
        default="3 h",
        metavar="TIME",
        help='tell where the newest image is older (default: "3 h")',
    )
    command.add_argument("--log", metavar="FILE", help="also append each line to this file, with the time")
    command.add_argument("--quiet", action="store_true", help="write nothing on the terminal but errors")
    add_model(command)
    add_header(command)


def _follow(options):
    from sunpy_scss.batch._follow import follow, follow_once, newest_from
    from sunpy_scss.batch._options import BatchOptions

    if options.every is not None and options.every.value == 0:
        options.wrong("--every must be more than nothing")
    if options.folder and not Path(options.folder).is_dir():
        options.wrong(f"{options.folder} is not a folder")
    same = ("model", "boundary", "threshold", "min_area", "disk_median", "samples")
    settings = {
        "options": BatchOptions(**{name: getattr(options, name) for name in same}, header=dict(options.header)),
        "tell": _teller(options),
        "stale": options.stale,
    }

    def find():
        if options.folder:
            return options.folder
        return newest_from(options.source, Path(options.output, "images"), within=options.stale)

    if options.every is not None:
        follow(find, options.output, every=options.every.to_value("s"), sleep=time.sleep, **settings)
    try:
        _, failed = follow_once(find, options.output, **settings)
    except Exception as error:
        _write_log(options.log, f"ended: {error}")
        raise
    return 1 if failed else 0


def _teller(options):
    """Return a function that writes a line to the log, and to the terminal unless it is to be quiet."""

    def write(line):
        _write_log(options.log, line)
        if not options.quiet or line.startswith(("failed", "set aside")):
            tell(line)

    return write


def _write_log(path, line):
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}\n")
