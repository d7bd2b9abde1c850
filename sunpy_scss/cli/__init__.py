"""The ``sunpy-scss`` command, from arguments to text and exit status. The work is done elsewhere."""

import argparse
import io
import logging
import os
import sys
import warnings
from contextlib import contextmanager

import sunpy_scss
from sunpy_scss.cli._follow import add_follow_command
from sunpy_scss.cli._hek import add_hek_command
from sunpy_scss.cli._label import add_label_command
from sunpy_scss.cli._masks import add_mask_commands
from sunpy_scss.cli._models import add_model_commands
from sunpy_scss.cli._options import in_the_shell, tell
from sunpy_scss.cli._pictures import add_picture_commands
from sunpy_scss.cli._segment import add_segment_commands

__all__ = ["main", "parser"]

_NOTHING_TO_DO, _IN_USE = 3, 4
# The exit status of a program that the system stops because nobody reads its output.
_NOBODY_READS = 141


def main(arguments: list[str] | None = None) -> int:
    """
    Run the command.

    Parameters
    ----------
    arguments : list of str, optional
        The default is the arguments of the process.

    Returns
    -------
    int
        0 if all was done, 1 if something failed, 2 for wrong arguments, 3 if there was no image to work on, 4 if
        another run holds the output, 130 if it was interrupted.
    """
    options = parser().parse_args(arguments)
    # TensorFlow reads this at its import, which comes later. A machine without a GPU is no error.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _for_readers():
        try:
            return options.run(options)
        except BrokenPipeError:
            _write_no_more()
            return _NOBODY_READS
        except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
            tell(f"sunpy-scss: {in_the_shell(error)}")
            return _status(error)
        except KeyboardInterrupt:
            tell("sunpy-scss: interrupted")
            return 130


def _status(error):
    """Return the exit status of an error."""
    from sunpy_scss.exceptions import NoImageError, OutputInUseError

    statuses = {NoImageError: _NOTHING_TO_DO, OutputInUseError: _IN_USE}
    return next((status for kind, status in statuses.items() if isinstance(error, kind)), 1)


def parser() -> argparse.ArgumentParser:
    """
    Return the parser of all commands. Their reference is made from it.

    Returns
    -------
    argparse.ArgumentParser
    """
    whole = argparse.ArgumentParser(
        prog="sunpy-scss",
        description="Coronal holes and active regions in full-disc EUV images.",
        epilog="Exit status: 0 if all was done, 1 if something failed, such as some of the images, "
        "2 for wrong arguments, 3 if there was no image to work on, 4 if another run holds the output.",
    )
    whole.add_argument("--version", action="version", version=f"%(prog)s {sunpy_scss.__version__}")
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    add_segment_commands(commands)
    add_follow_command(commands)
    add_picture_commands(commands)
    add_mask_commands(commands)
    add_label_command(commands)
    add_hek_command(commands)
    add_model_commands(commands)
    return whole


@contextmanager
def _for_readers():
    """Show warnings as lines without their code, and print nothing but results on the standard output."""
    # First, because it changes the display of warnings when it is loaded.
    import sunpy

    show = warnings.showwarning
    warnings.showwarning = lambda message, *_, **__: tell(f"sunpy-scss: warning: {in_the_shell(message)}")
    # These loggers print messages below warnings on the standard output.
    levels = {name: logging.getLogger(name).level for name in ("astropy", sunpy.__name__)}
    for name in levels:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        warnings.showwarning = show
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def _write_no_more():
    """Send the rest of the output to the null device, so that the interpreter ends without a complaint."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, io.UnsupportedOperation):
        sys.stdout = io.StringIO()
