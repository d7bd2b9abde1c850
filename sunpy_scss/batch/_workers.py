"""Work on many items in this process, in several, or on workers of dask; items of a dead worker are retried."""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import takewhile
from multiprocessing.connection import wait as wait_for_end

__all__ = ["WorkerError", "processors", "work_on"]

# The number of items that go to a worker at once. Their results travel together; few, so that few are lost or late.
_AT_ONCE = 8
# The items of a worker that died are tried again one by one, after a while; the second time with no other work.
_ATTEMPTS = 3


class WorkerError(RuntimeError):
    """The processes that worked on a file died, for instance because memory ran out."""


def work_on(items, work, *, jobs=1, client=None):
    """
    Do the same work on many items; yield each result when it is done, in any order.

    Parameters
    ----------
    items : list
    work : sunpy_scss.batch._work.Job
        It and its results can be pickled. It raises no error that concerns a single item only.
    jobs : int, optional
        The number of processes; 1 means this process.
    client : distributed.Client, optional
        Use its workers instead.

    Yields
    ------
    (item, result)
        The result is a `WorkerError` if no worker survived the item.

    Raises
    ------
    WorkerError
        If the scheduler of the client is lost.
    """
    if client is not None:
        start, in_flight = _on_dask(client, work), 4 * max(1, len(client.nthreads()))
    elif jobs > 1 and len(items) > 1:
        start, in_flight = _in_processes(jobs, work), 2 * jobs
    else:
        yield from zip(items, work.each(items), strict=True)
        return
    # Fewer at once if there are not enough for all workers.
    size = min(_AT_ONCE, -(-len(items) // in_flight))
    waiting = deque((items[first : first + size], 0) for first in range(0, len(items), size))
    while waiting:
        with start() as submit:
            yield from _until_one_dies(submit, waiting, in_flight)
        if client is not None and client.status != "running":
            msg = "The scheduler of the workers is lost; what is finished stays, and the same call does the rest."
            raise WorkerError(msg)
        if waiting:
            time.sleep(2 ** waiting[0][1] / 2)


def _until_one_dies(submit, waiting, in_flight):
    """Yield results and remove their batches from the waiting ones; put back the batches of a dead worker."""
    running, alive = {}, True
    while running or (alive and waiting):
        while alive and waiting and len(running) < in_flight and not _must_be_alone(waiting[0], running):
            try:
                future = submit(waiting[0][0])
            except BrokenExecutor:
                alive = False
            else:
                running[future] = waiting.popleft()
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            batch, deaths = running.pop(future)
            if not _is_death(future):
                yield from zip(batch, future.result(), strict=True)
                continue
            alive = False
            if deaths + 1 < _ATTEMPTS:
                waiting.extendleft(([item], deaths + 1) for item in reversed(batch))
            else:
                msg = f"the process that worked on it died {_ATTEMPTS} times; it may need more memory than there is"
                yield from ((item, WorkerError(msg)) for item in batch)


def _must_be_alone(batch, running):
    """Return True if a batch, or one of those under way, is suspected of killing workers."""
    return bool(running) and any(deaths + 1 == _ATTEMPTS for _, deaths in (batch, *running.values()))


def _is_death(future):
    try:
        error = future.exception()
    except CancelledError:  # cancelled by dask, which has lost the work of a dead worker
        return True
    return isinstance(error, BrokenExecutor | CancelledError) or type(error).__name__ == "KilledWorker"


def _on_dask(client, work):
    """Return a function that opens the workers of dask; all that the items need travels to each worker once."""

    @contextmanager
    def start():
        everywhere = client.scatter(work, broadcast=True, hash=False)
        executor = client.get_executor(pure=False)
        try:
            yield lambda batch: executor.submit(_do, everywhere, batch)
        finally:
            executor.shutdown(wait=False)

    return start


def _do(work, batch):
    return list(work.each(batch))


def _in_processes(jobs, work):
    """Return a function that starts processes on this machine."""
    # Not forked: network engines hang in a fork of a process that has used them.
    context = multiprocessing.get_context("spawn")

    @contextmanager
    def start():
        stop = context.Event()
        arguments = (max(1, processors() // jobs), work, stop)
        executor = ProcessPoolExecutor(jobs, context, initializer=_begin_process, initargs=arguments)
        try:
            yield lambda batch: executor.submit(_do_here, batch)
        finally:
            # An image under way is finished; no other is begun.
            stop.set()
            executor.shutdown(cancel_futures=True)

    return start


# In a worker process: its work, and the signal to begin no other item.
_process = {}


def _begin_process(threads, work, stop):
    # Ctrl-C in a shell reaches all processes; the first one stops the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    _process.update(work=work, stop=stop)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    """End this process when its parent has ended, for whatever reason."""
    wait_for_end([multiprocessing.parent_process().sentinel])
    os._exit(1)


def _do_here(batch):
    return list(takewhile(lambda _: not _process["stop"].is_set(), _process["work"].each(batch)))


def processors():
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
