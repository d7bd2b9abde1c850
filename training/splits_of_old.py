"""
The split.json of a model that was trained before trainings wrote one, from the index of the folder it was trained on.

    python training/splits_of_old.py FOLDER MODEL

FOLDER/index.csv has the columns key, date and split; MODEL is the folder of the model.
"""

import sys
from collections import defaultdict
from pathlib import Path

from sunpy_scss.annotations._index import read_index
from sunpy_scss.models._split import SPLIT_FILE, Split, split_text


def main(folder, model):
    parts = defaultdict(list)
    for row in read_index(Path(folder, "index.csv")):
        parts[row["split"]].append((row["key"], row["date"]))
    split = Split(train=tuple(parts["train"]), validation=tuple(parts["validation"]))
    Path(model, SPLIT_FILE).write_text(split_text(split), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
