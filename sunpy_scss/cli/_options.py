"""The common parts of several commands: options, the types of their values, and printing."""

import argparse
import glob
import math
import re
import sys
from contextlib import suppress
from pathlib import Path

__all__ = [
    "add_command",
    "add_feature",
    "add_header",
    "add_hek_url",
    "add_model",
    "add_network",
    "add_overwrite",
    "add_picture",
    "add_source",
    "count",
    "expanded",
    "failure_of",
    "features_of",
    "fraction",
    "hek_server",
    "in_the_shell",
    "keyword",
    "moment",
    "positive",
    "quantity",
    "register",
    "say",
    "target_file",
    "target_folder",
    "tell",
]


def add_command(commands, name, run, help_text):
    """Add a command and return its parser."""
    command = commands.add_parser(name, help=help_text, description=help_text)
    command.set_defaults(run=run, wrong=command.error)
    return command


def add_feature(command):
    command.add_argument(
        "--feature",
        choices=("ch", "ar", "both"),
        default="both",
        help="coronal holes, active regions, or what each wavelength shows (default)",
    )


def features_of(options):
    return ("CH", "AR") if options.feature == "both" else (options.feature.upper(),)


def add_source(command):
    command.add_argument(
        "--source",
        choices=("synoptic", "vso", "helioviewer"),
        default="synoptic",
        help="archive: level 1.5 of 1024 pixels (default), full resolution, or JPEG 2000",
    )


def add_model(command):
    """Add the options that decide a mask."""
    group = command.add_argument_group("the masks")
    group.add_argument("--model", metavar="NAME", help="name or folder of a model, instead of the bundled one")
    group.add_argument(
        "--boundary",
        metavar="NAME|DEX",
        help="which outline of the model, as tight, or between the named ones in dex, as -0.05; models show lists them",
    )
    group.add_argument("--threshold", type=fraction, metavar="P", help="least probability of a mask's pixels")
    group.add_argument("--min-area", type=quantity("Mm2"), metavar="AREA", help='smallest region, as "1000 Mm2"')
    group.add_argument(
        "--disk-median",
        type=quantity("DN / s", "DN"),
        metavar="VALUE",
        help='median intensity of the disc, as "70 DN/s", for images that show too little of it',
    )
    group.add_argument(
        "--samples", type=count, default=1, metavar="N", help="average over N variants of the image (default: 1)"
    )


def add_picture(command):
    command.add_argument("--dpi", type=positive, metavar="N", help="pixels of a picture for each inch")


def add_network(command):
    command.add_argument(
        "--network",
        metavar="MODULE:FUNCTION",
        help="what builds the network that a card of your own names",
    )


def register(name):
    """Register the network that an option names."""
    from importlib import import_module

    from sunpy_scss.exceptions import ModelError
    from sunpy_scss.train._weights import register_network

    if not name:
        return
    module, _, function = name.partition(":")
    try:
        register_network(getattr(import_module(module), function), name)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"--network {name} cannot be imported ({error}); it is MODULE:FUNCTION, with the module on PYTHONPATH."
        raise ModelError(msg) from error


def add_header(command):
    command.add_argument(
        "--header",
        action="append",
        type=keyword,
        default=[],
        metavar="KEY=VALUE",
        help="replace a wrong keyword in the header of the image, as BUNIT=DN/s; can be given several times",
    )


def keyword(text):
    """Return the key and the value of a keyword of a header."""
    key, equals, value = text.partition("=")
    if not (equals and re.fullmatch(r"[A-Za-z0-9_-]{1,8}", key)):
        msg = f"{text!r} is not KEY=VALUE, with a key of at most 8 letters, digits, - and _"
        raise argparse.ArgumentTypeError(msg)
    for kind in (int, float):
        with suppress(ValueError):
            return key.upper(), kind(value)
    return key.upper(), value


def add_overwrite(command):
    command.add_argument("--overwrite", action="store_true", help="replace what is there")


def add_hek_url(command):
    command.add_argument("--hek-url", metavar="URL", help="another server of the HEK")


def hek_server(options):
    from sunpy_scss.hek._search import HEKServer

    return HEKServer(options.hek_url) if options.hek_url else HEKServer()


def expanded(names):
    """Return the mask files of names: those of segment in a folder, and those that match a pattern."""
    found = []
    for name in names:
        if Path(name).is_dir():
            found += sorted(map(str, [*Path(name).glob("*_ch.fits"), *Path(name).glob("*_ar.fits")]))
        else:
            found += sorted(glob.glob(name)) or [name]
    return found


def quantity(*units):
    """Return the type of a value in one of some units."""

    def read(text):
        from astropy import units as u

        try:
            value = u.Quantity(text)
        except (TypeError, ValueError):
            value = None
        if value is None or not any(value.unit.is_equivalent(unit) for unit in units):
            msg = f"{text!r} is no value in {' or '.join(units)}, such as '12 {units[0]}'"
            raise argparse.ArgumentTypeError(msg)
        if not (value.isscalar and math.isfinite(value.value) and value.value >= 0):
            msg = f"{text!r} must be finite and not negative"
            raise argparse.ArgumentTypeError(msg)
        return value

    return read


def _number(text):
    try:
        return float(text)
    except ValueError:
        return math.nan


def fraction(text):
    """Return the number between 0 and 1 that a text gives; raise an error otherwise."""
    value = _number(text)
    if not 0 < value < 1:
        msg = f"{text!r} is no number between 0 and 1"
        raise argparse.ArgumentTypeError(msg)
    return value


def positive(text):
    """Return the positive number that a text gives; raise an error otherwise."""
    value = _number(text)
    if not 0 < value < math.inf:
        msg = f"{text!r} is no positive number"
        raise argparse.ArgumentTypeError(msg)
    return value


def count(text):
    """Return the positive whole number that a text gives; raise an error otherwise."""
    value = _number(text)
    if not (value >= 1 and value.is_integer()):
        msg = f"{text!r} is no positive whole number"
        raise argparse.ArgumentTypeError(msg)
    return int(value)


def target_folder(text):
    """Return the folder that a text names, which exists or can be made; raise an error otherwise."""
    if Path(text).exists() and not Path(text).is_dir():
        msg = f"{text!r} is a file, no folder"
        raise argparse.ArgumentTypeError(msg)
    return text


def target_file(*ends):
    """Return the type of a file to write, whose name ends in one of these."""

    def read(text):
        if not text.endswith(ends) or Path(text).is_dir():
            msg = f"{text!r} is no name of a file that ends in {' or '.join(ends)}"
            raise argparse.ArgumentTypeError(msg)
        return text

    return read


def moment(text):
    """Return the time that a text gives; raise an error otherwise."""
    from sunpy.time import parse_time

    try:
        return parse_time(text)
    except (TypeError, ValueError) as error:
        msg = f"{text!r} is no time, such as 2017-01-03T12:00"
        raise argparse.ArgumentTypeError(msg) from error


def say(line):
    """Print a result on the standard output, without delay."""
    print(line, flush=True)


def tell(text):
    """Print a message for human readers on the standard error."""
    print(text, file=sys.stderr, flush=True)


def failure_of(path, error):
    """Return the error of a file in one line that names the file once."""
    text = " ".join(in_the_shell(error).split()) or type(error).__name__
    return text if str(path) in text else f"{path}: {text}"


def in_the_shell(error):
    """Return the message of an error or a warning, with its remedy in terms of the command."""
    from sunpy_scss.exceptions import WithRemedy

    return f"{error.problem} {error.in_shell}".strip() if isinstance(error, WithRemedy) else str(error)
