"""One table of the regions of many masks, as Parquet, that grows by whole row groups."""

import json
from itertools import count
from pathlib import Path

import numpy as np

from astropy.time import Time

from sunpy_scss._save import save_whole

__all__ = ["Catalogue"]

# Of masks in memory at once; a run that is killed measures so many again.
_ROW_GROUP = 256
# Where the metadata of a file lists its masks: those without a region have no row.
_MASKS = b"sunpy_scss.masks"


class Catalogue:
    """
    The rows of `sunpy_scss.masks.region_table` of many masks in one Parquet file.

    While masks are added their rows are kept in small files beside it, each whole; closing puts them together.

    Parameters
    ----------
    path : path-like
        What is there is added to.
    """

    def __init__(self, path):
        self.path = Path(path)
        self._waiting = {}
        self.masks = {name for part in self._parts() for name in _masks_in(part)}

    def add(self, name, rows):
        """Add the rows of a mask; those that it has from before go when the table is closed."""
        self._waiting[name] = rows
        self.masks.add(name)
        if len(self._waiting) >= _ROW_GROUP:
            self._flush()

    def close(self):
        """Put all rows together."""
        self._flush()
        new = self._parts()[1:] if self.path.exists() else self._parts()
        if new:
            save_whole(self.path, self._put_together)
            for part in new:
                part.unlink()

    def _parts(self):
        """The table and what is to be added to it, from the oldest to the newest."""
        added = sorted(self.path.parent.glob(f"{self.path.stem}.part*.parquet"))
        return [self.path, *added] if self.path.exists() else added

    def _flush(self):
        if self._waiting:
            names = (self.path.with_name(f"{self.path.stem}.part{number:06d}.parquet") for number in count())
            path = next(name for name in names if not name.exists())
            table = _to_arrow(list(self._waiting.values()), list(self._waiting))
            save_whole(path, lambda scratch: _write([table], table.schema, scratch))
            self._waiting = {}

    def _put_together(self, scratch):
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        parts = self._parts()
        newest = {name: part for part in parts for name in _masks_in(part)}
        schema = pa.unify_schemas([pq.read_schema(part).remove_metadata() for part in parts], promote_options="default")
        schema = schema.with_metadata({_MASKS: json.dumps(sorted(newest)).encode()})

        def groups():
            for part in parts:
                stale = pa.array([name for name in _masks_in(part) if newest[name] != part], pa.string())
                file = pq.ParquetFile(part)
                for number in range(file.num_row_groups):
                    rows = file.read_row_group(number)
                    yield rows.filter(pc.invert(pc.is_in(rows["file"], stale))) if len(stale) else rows

        _write((_with_columns(rows, schema) for rows in groups()), schema, scratch)


def _masks_in(path):
    import pyarrow.parquet as pq

    return json.loads(pq.read_schema(path).metadata[_MASKS])


def _write(tables, schema, path):
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            if len(table):
                writer.write_table(table.cast(schema))


def _with_columns(rows, schema):
    """Rows with all columns of a schema, empty where they have none of that name."""
    import pyarrow as pa

    columns = [
        rows[field.name] if field.name in rows.column_names else pa.nulls(len(rows), field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _to_arrow(tables, names):
    """Tables of astropy as one of Arrow; the unit of a column is in the metadata of its field."""
    import pyarrow as pa

    parts = []
    for table in tables:
        arrays = {name: _plain(table[name]) for name in table.colnames}
        units = {name: str(getattr(table[name], "unit", None) or "") for name in table.colnames}
        columns = {name: pa.array(values) for name, values in arrays.items()}
        fields = [pa.field(name, column.type, metadata={"unit": units[name]}) for name, column in columns.items()]
        parts.append(pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields)))
    whole = pa.concat_tables(parts, promote_options="default")
    return whole.replace_schema_metadata({_MASKS: json.dumps(names).encode()})


def _plain(column):
    """A column as an array that Arrow knows; times as UTC."""
    if isinstance(column, Time):
        return column.utc.datetime64.astype("datetime64[ms]")
    values = np.asarray(getattr(column, "value", column))
    return values.astype(object) if values.dtype.kind == "U" else values
