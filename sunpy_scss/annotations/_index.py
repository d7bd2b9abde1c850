"""The index of a folder of labelled images, as this package or a spreadsheet writes it."""

import csv

from sunpy_scss.exceptions import TrainingError

__all__ = ["append_row", "read_index"]

_COLUMNS = ("key", "date", "split")


def read_index(path):
    """
    Return the rows of an index.

    Parameters
    ----------
    path : pathlib.Path
        CSV in UTF-8, with or without a byte order mark, its columns separated by commas, semicolons or tabs.

    Returns
    -------
    list of dict
        One for each row, from the name of a column to its cell; a missing cell is an empty text.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    `~sunpy_scss.exceptions.TrainingError`
        If it is not such a file, if it has no column ``key``, or if a key is missing or occurs twice.
    """
    if not path.exists():
        msg = f"{path} is not there: a folder of labels has an index beside its images and masks."
        raise FileNotFoundError(msg)
    lines, separator = _lines(path)
    try:
        reader = csv.DictReader(lines, delimiter=separator, restval="", strict=True)
        rows = [{str(name).strip(): _cell(value) for name, value in row.items()} for row in reader]
    except csv.Error as error:
        msg = f"{path} cannot be read as a table: {error}."
        raise TrainingError(msg) from error
    columns = [name.strip() for name in reader.fieldnames or ()]
    if "key" not in columns:
        msg = f"{path} needs a column 'key' in its first line (got {', '.join(map(repr, columns)) or 'nothing'})."
        raise TrainingError(msg)
    rows = [row for row in rows if any(row.values())]  # spreadsheets write lines of separators at the end
    keys = [row["key"] for row in rows]
    twice = (
        next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if len(set(keys)) < len(keys)
        else None
    )
    if "" in keys or twice is not None:
        msg = (
            f"{path}: each line needs a key of its own ({twice!r} is there twice)."
            if twice
            else f"{path}: a line has no key."
        )
        raise TrainingError(msg)
    return rows


def append_row(path, row):
    """
    Add a line to an index, in its own columns; make the index if there is none.

    Parameters
    ----------
    path : pathlib.Path
    row : dict
        ``key``, ``date`` and ``split``. Values for which the index has no column are left out.
    """
    if not path.exists():
        path.write_text(",".join(_COLUMNS) + "\r\n", encoding="utf-8", newline="")
    lines, separator = _lines(path)
    columns = [name.strip() for name in next(csv.reader(lines[:1], delimiter=separator))]
    with path.open("a", newline="", encoding="utf-8") as file:
        if not lines[-1].endswith(("\n", "\r")):
            file.write("\r\n")
        csv.DictWriter(file, columns, delimiter=separator, extrasaction="ignore", restval="").writerow(row)


def _lines(path):
    """Return the lines of an index with their ends, and the separator of its columns."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(file) or [""]
    except UnicodeDecodeError as error:
        msg = f"{path} is not a text in UTF-8; save it as CSV with that encoding."
        raise TrainingError(msg) from error
    return lines, max(",;\t", key=lines[0].count)


def _cell(value):
    return value.strip() if isinstance(value, str) else ""
