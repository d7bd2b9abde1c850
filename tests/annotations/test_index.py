"""The index of a folder, from this package, from Excel, and broken."""

import pytest

from sunpy_scss.annotations._index import append_row, read_index
from sunpy_scss.exceptions import EmptyPartError, TrainingError
from sunpy_scss.models import Split
from sunpy_scss.train import list_folder

ROWS = [
    {"key": "sun1", "split": "train", "date": "2017-01-01"},
    {"key": "sun2", "split": "validation", "date": ""},
]


def written(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_as_spreadsheets_write_it(tmp_path, encoding, separator, end):
    lines = ["key,split,date", "sun1,train,2017-01-01", "sun2 , validation,", ",,"]
    text = end.join(lines).replace(",", separator) + end
    assert read_index(written(tmp_path / "index.csv", text, encoding)) == ROWS


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", r"a column 'key' in its first line \(got nothing\)"),
        ("name,split\nsun1,train\n", r"a column 'key' .* \(got 'name', 'split'\)"),
        ("key\nsun1\nsun1\n", "'sun1' is there twice"),
        ("key,split\n,train\n", "a line has no key"),
        ('key\n"sun1\n', "cannot be read as a table"),
    ],
)
def test_broken(tmp_path, text, named):
    with pytest.raises(TrainingError, match=named):
        read_index(written(tmp_path / "index.csv", text))


def test_another_encoding(tmp_path):
    with pytest.raises(TrainingError, match="UTF-8"):
        read_index(written(tmp_path / "index.csv", "key\nsun-ü\n", "latin-1"))


def test_lines_are_added_in_its_own_form(tmp_path):
    path = written(tmp_path / "index.csv", "split;key\r\ntrain;sun1", "utf-8-sig")
    append_row(path, {"key": "sun2", "date": "2017-01-01", "split": "validation"})
    assert read_index(path) == [{"key": "sun1", "split": "train"}, {"key": "sun2", "split": "validation"}]
    append_row(tmp_path / "new.csv", {"key": "sun2", "date": "2017-01-01", "split": ""})
    assert (tmp_path / "new.csv").read_text() == "key,date,split\nsun2,2017-01-01,\n"


class TestFolder:
    @pytest.fixture
    def folder(self, tmp_path):
        for part in ("images", "masks"):
            (tmp_path / part).mkdir()
            for number in range(4):
                (tmp_path / part / f"sun{number}.fits").touch()
        return tmp_path

    def listed(self, folder, part, lines, **settings):
        written(folder / "index.csv", "key,date,split\n" + "\n".join(lines))
        return [files.key for files in list_folder(folder, part, **settings)]

    def test_parts_of_a_model(self, folder):
        """What came later is in none of them, however the seed would draw now."""
        split = Split((("sun0", "2017-01-01T00:00:00.000"),), (("sun1", "2017-03-01T06:00:00.000"),))
        lines = [f"sun{number},2017-0{2 * number + 1}-01," for number in range(4)]
        assert self.listed(folder, "train", lines, known=split) == ["sun0"]
        assert self.listed(folder, "validation", lines, known=split) == ["sun1"]
        with pytest.raises(EmptyPartError, match="that the model was given as its part 'test'"):
            self.listed(folder, "test", lines, known=split)

    def test_the_same_key_of_another_image(self, folder):
        split = Split((), (("sun1", "2012-03-01T00:00:00.000"),))
        with pytest.raises(EmptyPartError):
            self.listed(folder, "validation", ["sun1,2017-03-01,"], known=split)

    def test_a_part_that_is_spelt_otherwise(self, folder):
        with pytest.raises(EmptyPartError, match=r"no image of the part 'validation' \(only 'train', 'val'\)"):
            self.listed(folder, "validation", ["sun0,,train", "sun1,,val"])

    def test_dates_that_are_none(self, folder):
        with pytest.raises(TrainingError, match="must be ISO"):
            self.listed(folder, "train", ["sun0,01/02/2017,"])
