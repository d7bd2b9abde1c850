"""Work on many items here, in processes of this machine, or in workers of dask; a worker that dies costs nothing."""

import multiprocessing
import os
import signal
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, ProcessPoolExecutor, wait
from functools import partial

__all__ = ["WorkerError", "processors", "work_on"]

# Items that go to a worker at once: their results travel together, so that few are lost or late.
_BATCH = 8
# A batch whose worker died is tried again item by item, after a while; the second time with nothing beside it.
_ATTEMPTS = 3


class WorkerError(RuntimeError):
    """The processes that worked on a file died, of too little memory for instance."""


def work_on(items, work, *, jobs=1, client=None):
    """
    Do the same with many items; results come as they are done, in any order.

    Parameters
    ----------
    items : list
    work : callable
        Of an item; it can be pickled as what it returns can, and raises nothing that is about a single item.
    jobs : int, optional
        Processes; 1 works in this one.
    client : distributed.Client, optional
        Whose workers to use instead.

    Yields
    ------
    (item, result)
        The result is a `WorkerError` where no worker survived the item.

    Raises
    ------
    WorkerError
        If the scheduler of the client is lost.
    """
    if client is not None:
        # What all items need travels to each worker once.
        work = client.scatter(work, broadcast=True, hash=False)
        start, in_flight = partial(client.get_executor, pure=False), 4 * max(1, len(client.nthreads()))
    elif jobs > 1 and len(items) > 1:
        start, in_flight = partial(_processes, jobs), 2 * jobs
    else:
        yield from ((item, work(item)) for item in items)
        return
    # Fewer at once where there is not enough for all workers.
    size = min(_BATCH, -(-len(items) // in_flight))
    waiting = deque((items[first : first + size], 0) for first in range(0, len(items), size))
    while waiting:
        executor = start()
        try:
            yield from _until_one_dies(executor, work, waiting, in_flight)
        except CancelledError as error:
            msg = (
                "The scheduler of the workers is lost; what is finished stays, and the same call goes on with the rest."
            )
            raise WorkerError(msg) from error
        finally:
            _stop(executor)
        if waiting:
            time.sleep(2 ** waiting[0][1] / 2)


def _until_one_dies(executor, work, waiting, in_flight):
    """Yield results and take batches off those that wait; the ones that a dead worker had are put back."""
    running, alive = {}, True
    while running or (alive and waiting):
        while alive and waiting and len(running) < in_flight and not _must_be_alone(waiting[0], running):
            batch, deaths = waiting.popleft()
            running[executor.submit(_do, work, batch)] = batch, deaths
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            batch, deaths = running.pop(future)
            if not _is_death(future.exception()):
                yield from zip(batch, future.result(), strict=True)
                continue
            alive = False
            if deaths + 1 < _ATTEMPTS:
                waiting.extendleft(([item], deaths + 1) for item in reversed(batch))
            else:
                msg = f"the process that worked on it died {_ATTEMPTS} times; it may need more memory than there is"
                yield from ((item, WorkerError(msg)) for item in batch)


def _must_be_alone(batch, running):
    """Whether a batch, or one of those that are under way, is suspected of killing workers."""
    return bool(running) and any(deaths + 1 == _ATTEMPTS for _, deaths in (batch, *running.values()))


def _is_death(error):
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def _do(work, batch):
    return [work(item) for item in batch]


def _processes(jobs):
    # Not forked: the engines of networks hang in copies of a process that has used them.
    threads = max(1, processors() // jobs)
    return ProcessPoolExecutor(
        jobs, multiprocessing.get_context("spawn"), initializer=_begin_process, initargs=(threads,)
    )


def processors():
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _begin_process(threads):
    # Ctrl-C in a shell reaches all processes; the first one stops the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))


def _stop(executor):
    """Let what is under way finish, and begin nothing else."""
    if isinstance(executor, ProcessPoolExecutor):
        executor.shutdown(cancel_futures=True)
    else:
        executor.shutdown(wait=False)
