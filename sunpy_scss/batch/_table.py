"""The regions of many masks: as rows that name their mask, and as a Parquet table that a batch fills."""

import json
import shutil
from collections import defaultdict
from pathlib import Path

import numpy as np

import astropy.units as u
from astropy.table import QTable, Table, meta
from astropy.time import Time

from sunpy_scss._save import save_whole
from sunpy_scss.masks._table import region_table

__all__ = ["RegionTable", "region_rows"]

# The number of masks in memory at once; a killed run measures so many again.
_AT_ONCE = 256
# In the metadata of a file: its masks, in order, each with its origin. A mask without a region has no row.
_MASKS = b"sunpy_scss.masks"


def region_rows(mask, file, **others):
    """
    Return the regions of a mask as rows of a table of many masks.

    Parameters
    ----------
    mask : sunpy.map.GenericMap
    file : path-like
        The name of the mask in the rows.
    **others
        Arguments of `~sunpy_scss.masks.region_table`.

    Returns
    -------
    astropy.table.QTable
        ``file``, ``time``, ``feature`` and ``method`` of the mask, and the columns of the region table, in which
        ``lon`` and ``lat`` stand for ``centroid``.
    """
    table = region_table(mask, **others)
    origin = {
        "file": str(file),
        "time": table.meta["DATE-OBS"],
        "feature": mask.meta.get("SCSSFEAT", ""),
        "method": mask.meta.get("SCSSMOD", ""),
    }
    columns = {name: np.full(len(table), value) for name, value in origin.items()}
    columns["time"] = Time(columns["time"], format="isot")
    for name in table.colnames:
        if name == "centroid":
            columns |= {"lon": u.Quantity(table[name].lon, u.deg), "lat": u.Quantity(table[name].lat, u.deg)}
        else:
            columns[name] = table[name]
    return QTable(columns, meta=table.meta)


class RegionTable:
    """
    The rows of many masks in one Parquet file, in the order of the input.

    While masks are added, each batch of them is a file of its own beside it. Closing puts them together.

    Parameters
    ----------
    path : path-like
        An existing table is continued.

    Attributes
    ----------
    origins : dict
        The masks in the table, in order, each with its origin: a text that differs for another mask.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._batches = self.path.with_suffix(".batches")
        self.origins, self._homes, self._waiting = {}, {}, {}
        for file in [self.path] * self.path.exists() + sorted(self._batches.glob("*.parquet")):
            self._enter(file, _origins_in(file))

    def _enter(self, file, origins):
        self.origins |= origins
        self._homes |= dict.fromkeys(origins, file)

    def keep_only(self, still_true):
        """Forget the masks for which a function of name and origin is no longer true."""
        self.origins = {name: origin for name, origin in self.origins.items() if still_true(name, origin)}

    def add(self, name, origin, rows):
        """Add the rows of a mask; they replace its earlier rows."""
        self._waiting[name] = origin, rows
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def _flush(self):
        if not self._waiting:
            return
        number = max((int(file.stem) for file in self._batches.glob("*.parquet")), default=-1) + 1
        file = self._batches / f"{number:06d}.parquet"
        origins = {name: origin for name, (origin, _) in self._waiting.items()}
        rows = _to_arrow([rows for _, rows in self._waiting.values()])
        _write(file, rows.schema, [rows], origins)
        self._enter(file, origins)
        self._waiting = {}

    def close(self, order):
        """
        Put all batches together.

        Parameters
        ----------
        order : list of str
            The names of masks. Masks of the table that are not among them come first.
        """
        import pyarrow.parquet as pq

        self._flush()
        if not self._homes:
            return
        named = set(order)
        names = [name for name in self.origins if name not in named] + [name for name in order if name in self.origins]
        schema = _common_schema([pq.read_schema(file) for file in dict.fromkeys(self._homes.values())])
        groups = (self._rows_of(names[first : first + _AT_ONCE], schema) for first in range(0, len(names), _AT_ONCE))
        _write(self.path, schema, groups, {name: self.origins[name] for name in names})
        shutil.rmtree(self._batches, ignore_errors=True)

    def _rows_of(self, names, schema):
        """Return the rows of some masks, in their order."""
        import pyarrow as pa
        import pyarrow.dataset as ds

        homes = defaultdict(list)
        for name in names:
            homes[self._homes[name]].append(name)
        parts = [
            ds.dataset(file, schema=schema).to_table(filter=ds.field("file").isin(some)) for file, some in homes.items()
        ]
        rows = pa.concat_tables(parts).combine_chunks()
        place = {name: number for number, name in enumerate(names)}
        return rows.take(np.argsort([place[name] for name in rows["file"].to_pylist()], kind="stable"))


def _origins_in(file):
    import pyarrow.parquet as pq

    return json.loads((pq.read_schema(file).metadata or {}).get(_MASKS, b"{}"))


def _to_arrow(tables):
    """Return tables of astropy as one table of Arrow."""
    import pyarrow as pa

    columns = {name: np.concatenate([_plain(table[name]) for table in tables]) for name in tables[0].colnames}
    schema = _schema(
        {name: pa.from_numpy_dtype(values.dtype) for name, values in columns.items()},
        {name: {str(getattr(table[name], "unit", None) or "") for table in tables} for name in columns},
    )
    return pa.table(list(columns.values()), schema=schema)


def _common_schema(schemas):
    """Return a schema for rows from several files."""
    types, units = {}, defaultdict(set)
    for field in (field for schema in schemas for field in schema):
        types[field.name] = field.type
        units[field.name].add(field.metadata[b"unit"].decode())
    return _schema(types, units)


def _schema(types, units):
    """Return a schema that tells pandas, pyarrow and astropy types and units; no unit if there are several."""
    import pyarrow as pa

    units = {name: "".join(some) if len(some) == 1 else "" for name, some in units.items()}
    described = Table(
        {name: np.zeros(0, "U1" if kind == "string" else kind.to_pandas_dtype()) for name, kind in types.items()}
    )
    for name, unit in units.items():
        described[name].unit = unit or None
    # astropy warns if it has to find the longest text itself; no file name is longer than this.
    lengths = {f"table::len::{name}": "256" for name, kind in types.items() if kind == "string"}
    fields = [pa.field(name, kind, metadata={"unit": units[name]}) for name, kind in types.items()]
    return pa.schema(fields, metadata=lengths | {"table_meta_yaml": "\n".join(meta.get_yaml_from_table(described))})


def _write(path, schema, groups, origins):
    """Write groups of rows as a file, whole or not at all."""
    import pyarrow.parquet as pq

    schema = schema.with_metadata({**schema.metadata, _MASKS: json.dumps(origins).encode()})

    def write(scratch):
        with pq.ParquetWriter(scratch, schema) as writer:
            for rows in groups:
                writer.write_table(rows.cast(schema))

    save_whole(path, write)


def _plain(column):
    """Return a column as an array that Arrow knows; times are in UTC."""
    if isinstance(column, Time):
        return column.utc.datetime64.astype("datetime64[ms]")
    return np.asarray(getattr(column, "value", column))
