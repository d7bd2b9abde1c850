"""The ``sunpy-scss`` command: arguments in, text and exit status out; the work is done elsewhere."""

import argparse
import os
import sys
from functools import partial

from sunpy_scss.cli._images import _add_demo, _add_fetch, _add_segment
from sunpy_scss.cli._masks import _add_carrington, _add_hek_mask, _add_track, add_mask_commands
from sunpy_scss.cli._models import _add_calibrate, _add_evaluate, _add_models, _add_train
from sunpy_scss.cli._options import _add_command

__all__ = ["main"]


def main(arguments=None):
    """
    Run the command.

    Parameters
    ----------
    arguments : list of str, optional
        Those of the process by default.

    Returns
    -------
    int
        0 if all went well, 1 if something failed, 2 for wrong arguments.
    """
    options = _parser().parse_args(arguments)
    # Read by TensorFlow when it is imported, which nothing above does: a machine without a GPU is no error.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        return options.run(options)
    except (ImportError, OSError, ValueError) as error:
        print(f"sunpy-scss: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser():
    parser = argparse.ArgumentParser(
        prog="sunpy-scss", description="Coronal holes and active regions in full-disc EUV images."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_segment(commands)
    add_mask_commands(partial(_add_command, commands))
    _add_demo(commands)
    _add_hek_mask(commands)
    _add_fetch(commands)
    _add_track(commands)
    _add_carrington(commands)
    _add_models(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_calibrate(commands)
    return parser
