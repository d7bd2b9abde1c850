"""Models for processes of their own: slow ones, and such that kill the process that uses them."""

import os
import signal
import time
from functools import partial
from pathlib import Path

from makers import dark_model, is_dark

from sunpy_scss.models import Model


def slow_model(seconds):
    return Model(dark_model().card, partial(_slow, seconds))


def _slow(seconds, images):
    time.sleep(seconds)
    return is_dark(images)


def deadly_model(folder, *, times):
    """Kills so many processes, then works."""
    return Model(dark_model().card, partial(_deadly, str(folder), times))


def _deadly(folder, times, images):
    for number in range(times):
        try:
            Path(folder, f"died{number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)
    return is_dark(images)


if __name__ == "__main__":
    import sys

    from sunpy_scss.batch import BatchOptions, segment_files

    jobs = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    options = BatchOptions(features=["CH"], model=slow_model(0.4), regions=True, jobs=jobs)
    segment_files(sys.argv[1], sys.argv[2], options=options)
