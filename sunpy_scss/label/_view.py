"""The figure of the page: the image, the outlines of regions, and the drawing in progress."""

import numpy as np
from bokeh.models import (
    ColumnDataSource,
    FreehandDrawTool,
    LinearColorMapper,
    PanTool,
    Range1d,
    WheelZoomTool,
)
from bokeh.plotting import figure

from sunpy_scss.label._session import ACCEPTED, OPEN, REJECTED

__all__ = ["STYLES", "View"]

# Colour, dash and word of the outlines of each verdict; they differ without colours too.
STYLES = {
    ACCEPTED: ("#35e0ff", "solid", "accepted"),
    OPEN: ("#ffffff", [6, 4], "open"),
    REJECTED: ("#ff7ad9", [2, 4], "rejected"),
}
_GROWN, _OTHER, _BOUNDARY = "#7dff6b", "#ffb000", "#c8c8c8"
_NOTHING = np.zeros((1, 1), dtype=np.uint16)


class View:
    """
    The figure, without its actions.

    Attributes
    ----------
    plot : bokeh.plotting.figure
    images : list of bokeh.models.GlyphRenderer
        The day before, this day and the day after.
    lines : dict
        The outlines of each verdict.
    """

    def __init__(self):
        self.plot = figure(
            name="picture",
            x_range=Range1d(0, 1),
            y_range=Range1d(0, 1),
            sizing_mode="stretch_both",
            toolbar_location=None,
            tools=[],
            background_fill_color="#000000",
            border_fill_color="#14171c",
            outline_line_color=None,
            min_border=0,
            stylesheets=[":host(:focus) { outline: none; }"],
        )
        self.plot.axis.visible = self.plot.grid.visible = False
        self.mapper = LinearColorMapper(palette=["#000000", "#ffffff"], low=0, high=65535)
        self.images = [self._image(self.mapper) for _ in range(3)]
        veil = LinearColorMapper(palette=["#00000000", "#35e0ff90", "#ffb00090"], low=0, high=2)
        self.differs = self._image(veil)
        self.lines = {verdict: self._lines(color, dash, 2.2) for verdict, (color, dash, _) in STYLES.items()}
        self.boundary_lines = self._lines(_BOUNDARY, "dotdash", 1.2)
        self.other_lines = self._lines(_OTHER, "dashed", 1.8)
        self.grown_lines = self._lines(_GROWN, "dashed", 2.6)
        self.polygon_lines = self._lines(_GROWN, "solid", 2)
        self.polygon_corners = self.plot.scatter([], [], size=8, color=_GROWN)
        self.stroke = self._lines(_GROWN, "solid", 2)
        self.stroke.glyph.update(line_alpha=0.45, line_cap="round", line_join="round")
        self.ring = ColumnDataSource({"x": [], "y": [], "radius": []}, syncable=False)
        self.plot.circle("x", "y", radius="radius", source=self.ring, fill_color=None, line_color=_GROWN)
        self.keys = ColumnDataSource({"key": [""], "x": [0], "y": [0], "inside": [False], "n": [0]})
        # It is in the figure, as changes of models outside the roots of the document are not sent to the server.
        self.plot.scatter("x", "y", source=self.keys, visible=False)
        self._add_tools()

    def _add_tools(self):
        self.pan, self.brush = PanTool(), FreehandDrawTool(renderers=[self.stroke], num_objects=1)
        wheel = WheelZoomTool()
        self.plot.add_tools(self.pan, self.brush, wheel)
        self.plot.toolbar.active_scroll, self.plot.toolbar.active_drag = wheel, self.pan

    def _image(self, mapper):
        return self.plot.image(image=[_NOTHING], x=0, y=0, dw=1, dh=1, color_mapper=mapper, level="image")

    def _lines(self, color, dash, width):
        return self.plot.multi_line([], [], line_color=color, line_dash=dash, line_width=width)

    def fill(self, image, pixels=_NOTHING):
        """Show an array (ny, nx) as an image; none by default."""
        ny, nx = pixels.shape
        image.data_source.data = {"image": [pixels]}
        image.glyph.update(dw=nx, dh=ny)

    def draw(self, renderer, lines=()):
        """Draw lines (n, 2) of (row, column); none by default."""
        # The middle of a pixel of the array is half a pixel from its corner, from which the figure counts.
        xs, ys = ([line[:, axis] + 0.5 for line in lines] for axis in (1, 0))
        renderer.data_source.data = {"xs": xs, "ys": ys}

    def draw_polygon(self, corners):
        """Draw the corners (row, column) of an unfinished polygon, and the lines between them."""
        corners = np.array(corners).reshape(-1, 2)
        self.draw(self.polygon_lines, [corners] if len(corners) else [])
        self.polygon_corners.data_source.data = {"x": corners[:, 1] + 0.5, "y": corners[:, 0] + 0.5}

    def show(self, picture):
        """Show a picture, all of it."""
        self.mapper.palette = picture.colors
        self.fill(self.images[1], picture.shown)
        ny, nx = picture.shown.shape
        side = max(ny, nx)
        for dimension, size in ((self.plot.x_range, nx), (self.plot.y_range, ny)):
            start, end = (size - side) / 2, (size + side) / 2
            dimension.update(start=start, end=end, reset_start=start, reset_end=end)

    def blank(self):
        """Show nothing."""
        self.fill(self.images[1])
        for lines in (*self.lines.values(), self.grown_lines, self.boundary_lines, self.other_lines):
            self.draw(lines)
