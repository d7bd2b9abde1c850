"""Bounds in time and memory, within which a test must end."""

import time
from contextlib import contextmanager
from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@contextmanager
def bounds(*, seconds, megabytes):
    """
    Fail where what is done inside takes longer, or more memory than was taken before.

    Seconds are of the processor: what else runs on the machine does not count. Memory is measured on Linux only.
    """
    before, start = _peak(), time.process_time()
    yield
    took, grown = time.process_time() - start, _peak(since=False) - before
    assert took < seconds, f"{took:.1f} s of the processor"
    assert grown < megabytes, f"{grown:.0f} MB"


def _peak(*, since=True):
    """The most memory of this process in MB: from now on, or since that was asked for."""
    if not _RESET.exists():
        return 0
    if since:
        _RESET.write_text("5")
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
