"""The server of the page, on this machine and for it alone."""

from __future__ import annotations

import getpass
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sunpy_scss._features import default_model, feature_at
from sunpy_scss.canonical._intensity import angstroms
from sunpy_scss.exceptions import AnnotationError, InvalidMapError, ModelError
from sunpy_scss.images._read import read_map
from sunpy_scss.label._desk import Desk
from sunpy_scss.label._folder import LabelFolder
from sunpy_scss.label._queue import ORDERS, make_queue
from sunpy_scss.models._card import Model
from sunpy_scss.models._store import load_model

__all__ = ["label_images"]

_HERE = "127.0.0.1"


def label_images(
    images: Sequence[str | os.PathLike],
    folder: str | os.PathLike,
    *,
    model: str | os.PathLike | Model | None = None,
    masks: Sequence[str | os.PathLike] = (),
    other: str | os.PathLike | None = None,
    order: str = "doubt",
    annotator: str | None = None,
    port: int = 0,
    notify: Callable[[str], Any] | None = None,
) -> None:
    """
    Serve a page to draw and correct labels, until the program is interrupted.

    The page needs the extra ``label``. It is served on this machine and for it alone, and uses no network. Each step is
    saved at once in a draft. The labels for training are written when an image is done. :ref:`how-to-label` shows how
    to use the page.

    Parameters
    ----------
    images : list of path-like
        Files that `sunpy_scss.images.read_map` reads. Their names, without endings, are the keys of the labels.
    folder : path-like
        The folder for the labels, as `sunpy_scss.train.read_folder` reads them. Work in an existing folder continues.
    model : str, path-like or sunpy_scss.models.Model, optional
        The model whose regions one begins from. By default the bundled one for the wavelength of the first image.
    masks : list of path-like, optional
        Masks to begin from instead. Each belongs to the image with the same file name, and is brought to its pixels.
    other : path-like, optional
        The folder of another annotator, whose labels are shown for comparison.
    order : str, optional
        ``"doubt"`` begins with images where the tightest and the widest boundary of the model differ most. The others
        are ``"date"`` and ``"given"``.
    annotator : str, optional
        The person who draws, for the headers of the masks; the name of the user by default.
    port : int, optional
        The port of the page; any free one by default.
    notify : callable, optional
        A function that is called with the address of the page when it is ready.

    Raises
    ------
    ImportError
        If bokeh is not installed.
    ValueError
        If there is no image, two have the same name, or the order is unknown.
    `~sunpy_scss.exceptions.AnnotationError`
        If another program is writing to the folder, or a mask has no image.
    `~sunpy_scss.exceptions.ModelError`
        If the model needs images of several wavelengths.
    `~sunpy_scss.exceptions.UnreadableFileError`
        If no file holds an image.

    Warns
    -----
    `~sunpy_scss.exceptions.MissingImageWarning`
        If a file holds no image that can be labelled; once for each file.

    Examples
    --------
    >>> from sunpy_scss.label import label_images
    >>> label_images(["AIA20170128_2300_0193.fits"], "labels")  # doctest: +SKIP
    """
    if order not in ORDERS:
        msg = f"order must be one of {', '.join(map(repr, ORDERS))} (got {order!r})."
        raise ValueError(msg)
    paths = [Path(path) for path in images]
    if not paths:
        msg = "There is no image to label."
        raise ValueError(msg)
    serve = _bokeh()
    model = load_model(_default_model(paths) if model is None else model)
    if len(model.card.channels) > 1:
        msg = f"{model.card.name} sees several images of a moment; the page shows one. Take a model of one channel."
        raise ModelError(msg)
    label_folder = LabelFolder(folder)
    try:
        items = make_queue(paths, model, label_folder.path, order=order)
        of_key = _masks_of(items, masks)
        name = annotator or getpass.getuser()
        serve(Desk(items, label_folder, model, name, masks=of_key, other=other), port, notify)
    finally:
        label_folder.close()


def _bokeh():
    """Return the function that serves a desk; raise an error if bokeh is not installed."""
    try:
        import bokeh  # noqa: F401
    except ImportError as error:
        msg = "The page needs bokeh, which comes with the extra label: pip install 'sunpy_scss[label]'."
        raise ImportError(msg) from error
    return _serve


def _default_model(paths):
    """Return the name of the bundled model for the wavelength of the first image that can be read."""
    for path in paths:
        try:
            feature = feature_at(angstroms(read_map(path)))
        except OSError:
            continue
        if feature:
            return default_model(feature)
    msg = "The wavelengths do not tell which feature to label; give the model, one of sunpy_scss.list_models()."
    raise InvalidMapError(msg)


def _masks_of(items, masks):
    """Return the mask file of each image: the one with its name, alone or followed by _ch or _ar."""
    of_key = {}
    for mask in map(Path, masks):
        names = [item.key for item in items if mask.name.startswith((f"{item.key}.", f"{item.key}_"))]
        if not names:
            msg = f"{mask} begins like the name of no image; name masks like their images."
            raise AnnotationError(msg)
        of_key[max(names, key=len)] = mask
    return of_key


def _serve(desk, port, notify):
    from bokeh.server.server import Server
    from tornado.ioloop import IOLoop

    from sunpy_scss.label._page import Page

    open_page = []

    def open_tab(document):
        for earlier in open_page:
            earlier.document.add_next_tick_callback(earlier.retire)
        page = Page(document, desk)
        open_page[:] = [page]
        page.start()

    port = port or _free_port()
    # Other users of this machine do not know this part of the address.
    path = f"/{secrets.token_urlsafe(12)}"
    loop = IOLoop()
    server = Server(
        {path: open_tab},
        address=_HERE,
        port=port,
        io_loop=loop,
        allow_websocket_origin=[f"{_HERE}:{port}", f"localhost:{port}"],
    )
    server.start()
    try:
        if notify:
            notify(f"http://{_HERE}:{port}{path}")
        loop.start()
    finally:
        server.stop()
        loop.close(all_fds=True)  # open tabs then see that the server has ended


def _free_port():
    with socket.socket() as free:
        free.bind((_HERE, 0))
        return free.getsockname()[1]
