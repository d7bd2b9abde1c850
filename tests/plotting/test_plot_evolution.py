"""What is in figures of what changes, and movies of figures."""

import stat
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D
from PIL import Image

import astropy.units as u
from astropy.table import QTable
from astropy.time import Time
from astropy.visualization.wcsaxes import WCSAxes

from sunpy_scss.evolution import Tracks, carrington_coverage, carrington_map, track_regions
from sunpy_scss.plotting import plot_carrington_map, plot_tracked_regions, plot_tracks, save_movie
from sunpy_scss.synthetic import Cap, synthetic_sun

figure_test = pytest.mark.mpl_image_compare(savefig_kwargs={"dpi": 40}, tolerance=5, style="default")


@pytest.fixture(scope="module")
def sun():
    holes = [Cap(20 * u.deg, 35 * u.deg, 18 * u.deg), Cap(-30 * u.deg, -20 * u.deg, 14 * u.deg)]
    return synthetic_sun("2016-03-01", coronal_holes=holes, active_regions=[], size=128)


@pytest.fixture(scope="module")
def tracks():
    """Track 1 is away for 18 days, track 2 dies."""
    start = Time("2016-03-01")
    regions = QTable(
        {
            "mask": [0, 0, 1, 1, 2],
            "time": start + [0, 0, 2, 2, 20] * u.day,
            "track": [1, 2, 1, 2, 1],
            "area": [5e4, 2e4, 6e4, 1e4, 4e4] * u.Mm**2,
            "area_msh": [16400.0, 6600, 19700, 3300, 13100],
        }
    )
    events = QTable(
        {
            "time": start + [0, 0, 2, 4, 20] * u.day,
            "event": ["start", "start", "rotated off", "death", "return"],
            "track": [1, 2, 1, 2, 1],
            "other": [0, 0, 0, 0, 0],
        }
    )
    return Tracks(regions, events, start + [0, 2, 20] * u.day)


class TestTrackChart:
    def test_lines_and_events(self, tracks):
        (axes,) = plot_tracks(tracks).axes
        lines = [line.get_xdata() for line in axes.lines]
        # The first track in two parts, the second, and a sign for each of two kinds of event.
        assert [len(line) for line in lines] == [2, 1, 2, 1, 1]
        assert axes.get_ylabel() == "area (Mm2)"
        assert [text.get_text() for text in axes.texts] == ["1", "2"]
        assert axes.get_legend_handles_labels()[1] == ["death", "return"]
        # What has died is marked where it was last.
        assert lines[3][0] == tracks.times[1].datetime64

    def test_pieces_of_a_track_are_one_point(self, tracks):
        regions = tracks.regions.copy()
        regions["track"] = 1
        (axes,) = plot_tracks(Tracks(regions, tracks.events[:0], tracks.times)).axes
        assert [line.get_ydata().tolist() for line in axes.lines] == [[7e4, 7e4], [4e4]]

    def test_column_without_unit(self, tracks):
        (axes,) = plot_tracks(tracks, column="area_msh").axes
        assert axes.get_ylabel() == "area_msh"

    def test_no_region(self, tracks):
        none = Tracks(tracks.regions[:0], tracks.events[:0], tracks.times)
        plot_tracks(none).canvas.draw()

    def test_no_such_column(self, tracks):
        with pytest.raises(ValueError, match="no column 'size'; the columns are mask, time, track, area, area_msh"):
            plot_tracks(tracks, column="size")

    @figure_test
    def test_figure_track_chart(self, tracks):
        return plot_tracks(tracks)


class TestCarringtonChart:
    def test_with_and_without_coverage(self, sun):
        masks = [sun.coronal_holes]
        share, coverage = carrington_map(masks, shape=(45, 90)), carrington_coverage(masks, shape=(45, 90))
        for figure, count in ((plot_carrington_map(share), 1), (plot_carrington_map(share, coverage), 2)):
            charts = [axes for axes in figure.axes if isinstance(axes, WCSAxes)]
            assert len(charts) == count
            assert np.isnan(charts[0].images[0].get_array().filled(np.nan)).any()

    @figure_test
    def test_figure_carrington_chart(self, sun):
        masks = [sun.coronal_holes]
        return plot_carrington_map(carrington_map(masks, shape=(45, 90)), carrington_coverage(masks, shape=(45, 90)))


class TestTrackOverlay:
    def test_numbers_are_in_their_regions(self, sun):
        tracks = track_regions([sun.coronal_holes])
        axes = plot_tracked_regions(sun.image, sun.coronal_holes, tracks.regions)
        assert [text.get_text() for text in axes.texts] == ["1", "2"]
        for text in axes.texts:
            column, row = np.rint(text.get_position()).astype(int)
            assert sun.coronal_holes.data[row, column] == 1
        assert plot_tracked_regions(sun.image, sun.coronal_holes, tracks.regions[:0], axes=axes) is axes

    def test_colour_of_a_track_stays(self, sun):
        rows = track_regions([sun.coronal_holes]).regions
        rows["track"] += 6
        both, one = (plot_tracked_regions(sun.image, sun.coronal_holes, some) for some in (rows, rows[1:]))
        assert [text.get_text() for text in both.texts] == ["7", "8"]
        assert both.texts[1].get_color() == one.texts[0].get_color() != both.texts[0].get_color()
        assert len(one.collections) == 1

    def test_mask_of_another_image(self, sun):
        rows = track_regions([sun.coronal_holes]).regions
        with pytest.raises(ValueError, match="reproject_mask"):
            plot_tracked_regions(sun.image.submap([0, 0] * u.pix, top_right=[60, 60] * u.pix), sun.coronal_holes, rows)

    @figure_test
    def test_figure_track_overlay(self, sun):
        return plot_tracked_regions(sun.image, sun.coronal_holes, track_regions([sun.coronal_holes]).regions).figure


def figures(count=3):
    for number in range(count):
        figure, axes = plt.subplots(figsize=(2, 1.5), dpi=50)
        axes.plot([0, number])
        yield figure


@pytest.fixture
def encoder(tmp_path, monkeypatch):
    """In place of ffmpeg, a program that writes its arguments to the file that it should write."""
    path = tmp_path / "bin" / "encoder"
    path.parent.mkdir()
    path.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[-1], 'w').write(' '.join(sys.argv[1:-1]))\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setitem(plt.rcParams, "animation.ffmpeg_path", str(path))


class TestMovie:
    def test_gif(self, tmp_path):
        path = save_movie(figures(), tmp_path / "holes.gif", rate=5)
        with Image.open(path) as image:
            assert image.n_frames == 3
            assert image.size == (100, 75)
            assert image.info["duration"] == 200
        assert not plt.get_fignums()
        assert list(tmp_path.iterdir()) == [path]

    def test_gif_keeps_colors_from_frame_to_frame(self, tmp_path):
        """A thin line of its colour before backgrounds that use up all colours of a frame."""
        colors = ["deepskyblue", "magenta"]

        def frames():
            for number in range(3):
                figure = plt.figure(figsize=(2, 2), dpi=50)
                figure.figimage(
                    np.linspace(0, 1, 10_000).reshape(100, 100), cmap=["viridis", "inferno", "gray"][number]
                )
                for column, color in zip((20, 80), colors, strict=True):
                    figure.add_artist(Line2D([column / 100] * 2, [0, 1], color=color, antialiased=False))
                yield figure

        with Image.open(save_movie(frames(), tmp_path / "tracks.gif")) as image:
            seen = []
            for number in range(image.n_frames):
                image.seek(number)
                pixels = np.asarray(image.convert("RGB"))
                seen.append(pixels[50, [20, 80]])
        assert (np.array(seen) == seen[0]).all()
        expected = 255 * np.array([to_rgb(color) for color in colors])
        assert np.abs(seen[0] - expected).max() <= 8

    def test_folder(self, tmp_path):
        path = save_movie(figures(), tmp_path / "holes")
        assert sorted(file.name for file in path.iterdir()) == ["0001.png", "0002.png", "0003.png"]
        save_movie(figures(2), path, overwrite=True)
        assert sorted(file.name for file in path.iterdir()) == ["0001.png", "0002.png"]

    def test_folder_comes_back(self, tmp_path, monkeypatch):
        path = save_movie(figures(), tmp_path / "holes")
        rename = Path.replace

        def replace(source, target):
            if source.name == "new":
                raise KeyboardInterrupt
            return rename(source, target)

        monkeypatch.setattr(Path, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            save_movie(figures(2), path, overwrite=True)
        assert len(list(path.iterdir())) == 3
        assert list(tmp_path.iterdir()) == [path]

    def test_in_a_new_folder(self, tmp_path):
        assert save_movie(figures(1), tmp_path / "of" / "june" / "holes.gif").exists()

    def test_mp4(self, tmp_path, encoder):
        path = save_movie(figures(), tmp_path / "holes.mp4", rate=7)
        assert path.name == "holes.mp4"
        assert "-framerate 7" in path.read_text()
        assert "yuv420p" in path.read_text()

    def test_mp4_without_ffmpeg(self, tmp_path, monkeypatch):
        monkeypatch.setitem(plt.rcParams, "animation.ffmpeg_path", "no such program")
        assert save_movie(figures(), tmp_path / "holes.mp4") == tmp_path / "holes.gif"

    def test_one_figure(self, tmp_path):
        with Image.open(save_movie(figures(1), tmp_path / "holes.gif")) as image:
            assert image.n_frames == 1

    def test_what_is_there_is_kept(self, tmp_path):
        path = tmp_path / "holes.gif"
        path.write_text("mine")
        with pytest.raises(FileExistsError, match="overwrite=True"):
            save_movie(figures(), path)
        assert path.read_text() == "mine"
        save_movie(figures(), path, overwrite=True)
        assert path.read_bytes().startswith(b"GIF")

    def test_folder_of_other_files_is_kept(self, tmp_path):
        (tmp_path / "holes").mkdir()
        (tmp_path / "holes" / "thesis.txt").write_text("mine")
        with pytest.raises(FileExistsError, match="choose a new folder"):
            save_movie(figures(), tmp_path / "holes", overwrite=True)

    def test_whole_or_not_at_all(self, tmp_path):
        def broken():
            yield from figures(1)
            raise KeyError

        with pytest.raises(KeyError):
            save_movie(broken(), tmp_path / "holes.gif")
        assert not list(tmp_path.iterdir())

    def test_errors(self, tmp_path):
        with pytest.raises(ValueError, match="no figure"):
            save_movie([], tmp_path / "holes.gif")
        with pytest.raises(ValueError, match=r"got holes\.avi"):
            save_movie(figures(), tmp_path / "holes.avi")
