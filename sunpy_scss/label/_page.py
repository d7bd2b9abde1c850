"""The page: a figure with tools, the controls beside it, and what each of them does."""

from __future__ import annotations

from functools import partial
from importlib.resources import files

import numpy as np
from bokeh.events import DoubleTap, Tap
from bokeh.layouts import column, row
from bokeh.models import (
    Button,
    ColumnDataSource,
    CustomJS,
    Div,
    FreehandDrawTool,
    LinearColorMapper,
    PanTool,
    RadioButtonGroup,
    Range1d,
    RangeSlider,
    Select,
    Slider,
    TextInput,
    Toggle,
    WheelZoomTool,
)
from bokeh.plotting import figure
from jinja2 import Environment
from markupsafe import Markup, escape

from sunpy_scss.exceptions import InvalidMapError, UnreadableFileError
from sunpy_scss.label._picture import DEXES
from sunpy_scss.label._session import ACCEPTED, OPEN, OUTSIDE, REJECTED, outlines_of

__all__ = ["Page"]

# Colour, dash and word of the outlines of each verdict; told apart without colours too.
_STYLES = {
    ACCEPTED: ("#35e0ff", "solid", "accepted"),
    OPEN: ("#ffffff", [6, 4], "open"),
    REJECTED: ("#ff7ad9", [2, 4], "rejected"),
}
_GROWN, _POLYGON, _OTHER, _BOUNDARY = "#7dff6b", "#7dff6b", "#ffb000", "#c8c8c8"
_CYCLE = {OPEN: ACCEPTED, ACCEPTED: REJECTED, REJECTED: OPEN}
_TOOLS = ("Judge", "Grow", "Brush", "Polygon")
_JUDGE, _GROW, _BRUSH, _DRAW = range(4)
_TOOL_KEYS = dict(zip("vgbp", range(4), strict=True))
_BLINK = 600  # ms
# Two clicks so near to each other, in pixels of the page's image, are one corner.
_SAME_CORNER = 2
_HELP = {
    "Regions": (
        ("click", "open, accepted, rejected, in turn"),
        ("A R O", "accept, reject, leave open what is under the pointer"),
        ("Shift A", "accept all that is open"),
    ),
    "Draw": (
        ("V G B P", "judge, grow, brush, polygon"),
        ("X", "add or cut"),
        ("[ ]", "level of the grown region, size of the brush"),
        ("Enter", "add what grows, close the polygon; else: done, next image"),
        ("Esc", "drop what grows, or the polygon"),
        ("Z Y", "undo, redo"),
    ),
    "Look": (
        ("+ - 0", "zoom; or the wheel, and drag"),
        (", .", "brighter, darker; with Shift at the dark end"),
        ("1 2 3", "day before, this day, day after"),
        ("Space", "blink through the days"),
        ("H W D", "hide outlines, boundaries of the model, the other annotator"),
        ("N PgUp", "next image without done, previous image"),
    ),
}
_WIDGETS = """
    :host { color: #e8eaed; font-size: 14px; }
    .bk-btn { color: #e8eaed; background: #2a3038; border-color: #434b57; min-height: 34px; }
    .bk-btn:hover { background: #3a424d; }
    .bk-btn.bk-active { background: #1d6b86; border-color: #35e0ff; color: #fff; }
    .bk-btn-primary { background: #1d7a46; border-color: #2fae68; }
    .bk-btn-primary:hover { background: #249455; }
    .bk-input { color: #e8eaed; background: #2a3038; border-color: #434b57; }
    option { color: #e8eaed; background: #2a3038; }
    .noUi-target { background: #434b57; border: none; box-shadow: none; }
    .noUi-connect { background: #35e0ff; }
    """
_TEXTS = """
    :host { color: #e8eaed; font-size: 14px; line-height: 1.45; }
    h1 { font-size: 18px; margin: 0; font-weight: 600; } p { margin: 2px 0; color: #b6bdc7; }
    kbd { background: #2a3038; border: 1px solid #434b57; border-radius: 4px; padding: 0 5px; font-size: 12px; }
    table { border-spacing: 6px 2px; } td { vertical-align: top; } th { text-align: left; padding-top: 6px; }
    .message { min-height: 2.6em; color: #ffd479; } .error { color: #ff8f8f; }
    """


class Page:
    """
    One tab of the browser.

    Parameters
    ----------
    document : bokeh.document.Document
    desk : Desk
    """

    def __init__(self, document, desk):
        self.document = document
        self.desk = desk
        self.corners = []
        self._blinking = None
        self._days_of = None
        self._retired = False
        self._make_figure()
        self._make_controls()
        self._use_tool(_JUDGE)
        self._lay_out()

    # What is on the page

    def _make_figure(self):
        self.plot = plot = figure(
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
        )
        plot.axis.visible = plot.grid.visible = False
        self.mapper = LinearColorMapper(palette=["#000000", "#ffffff"], low=0, high=65535)
        self.images = [self._image(self.mapper) for _ in range(3)]
        veil = LinearColorMapper(palette=["#00000000", "#35e0ff90", "#ffb00090"], low=0, high=2)
        self.differs = self._image(veil)
        self.lines = {verdict: self._lines(color, dash, 2.2) for verdict, (color, dash, _) in _STYLES.items()}
        self.boundary_lines = self._lines(_BOUNDARY, "dotdash", 1.2)
        self.other_lines = self._lines(_OTHER, "dashed", 1.8)
        self.grown_lines = self._lines(_GROWN, "dashed", 2.6)
        self.polygon_lines = self._lines(_POLYGON, "solid", 2)
        self.polygon_corners = plot.scatter([], [], size=8, color=_POLYGON)
        self.stroke = plot.multi_line([], [], line_color=_GROWN, line_alpha=0.45, line_cap="round", line_join="round")
        self.ring = ColumnDataSource({"x": [], "y": [], "radius": []}, syncable=False)
        plot.circle("x", "y", radius="radius", source=self.ring, fill_color=None, line_color=_GROWN)
        self.pan, self.brush = PanTool(), FreehandDrawTool(renderers=[self.stroke], num_objects=1)
        wheel = WheelZoomTool()
        plot.add_tools(self.pan, self.brush, wheel)
        plot.toolbar.active_scroll, plot.toolbar.active_drag = wheel, self.pan
        plot.on_event(Tap, self._on_tap)
        plot.on_event(DoubleTap, self._on_double_tap)
        _on_change(self.stroke.data_source, "data", self._on_stroke)

    def _image(self, mapper):
        pixels = np.zeros((1, 1), dtype=np.uint16)
        return self.plot.image(image=[pixels], x=0, y=0, dw=1, dh=1, color_mapper=mapper, level="image")

    def _lines(self, color, dash, width):
        return self.plot.multi_line([], [], line_color=color, line_dash=dash, line_width=width)

    def _make_controls(self):
        act = self.act
        self.title, self.message, self.legend = (
            Div(name=name, stylesheets=[_TEXTS]) for name in ("title", "message", "legend")
        )
        self.queue = Select(title="Image", stylesheets=[_WIDGETS])
        _on_change(self.queue, "value", lambda new: self._open(int(new)))
        self.annotator = TextInput(title="Drawn by", value=self.desk.annotator, stylesheets=[_WIDGETS])
        _on_change(self.annotator, "value", lambda new: setattr(self.desk, "annotator", new.strip() or "unknown"))
        self.tools = RadioButtonGroup(
            labels=[f"{name} · {key.upper()}" for name, key in zip(_TOOLS, _TOOL_KEYS, strict=True)],
            active=_JUDGE,
            stylesheets=[_WIDGETS],
        )
        _on_change(self.tools, "active", self._use_tool)
        self.adds = RadioButtonGroup(labels=["Add", "Cut · X"], active=0, stylesheets=[_WIDGETS])
        self.level = self._slider("Level, log10 of the quiet Sun · [ ]", -1.3, 1.3, 0, 0.01)
        _on_change(self.level, "value", self._grow)
        self.radius = self._slider("Radius, pixels · [ ]", 1, 80, 12, 1)
        self.stretch = RangeSlider(
            title="Stretch, log10 of the disc median · , .",
            start=DEXES[0],
            end=DEXES[1],
            value=(-1, 1),
            step=0.01,
            show_value=False,
            sizing_mode="stretch_width",
            stylesheets=[_WIDGETS],
        )
        self.day = RadioButtonGroup(
            labels=["Day before · 1", "This day · 2", "Day after · 3"], active=1, stylesheets=[_WIDGETS]
        )
        _on_change(self.day, "active", self._show_day)
        self.blink = self._toggle("Blink · Space", self._blink)
        self.shows_boundaries = self._toggle("Model's boundaries · W", self._show_boundaries)
        self.shows_other = self._toggle("Other annotator · D", self._show_other)
        self.shows_other.visible = self.desk.other is not None
        self.buttons = {
            "z": self._button("Undo · Z", partial(act, "z")),
            "y": self._button("Redo · Y", partial(act, "y")),
            "A": self._button("Accept all open · ⇧A", partial(act, "A")),
            "PageUp": self._button("‹ Previous", partial(act, "PageUp")),
            "n": self._button("Next › · N", partial(act, "n")),
            "done": self._button("Done, next · ⏎", self._finish, "primary"),
        }

    def _slider(self, title, start, end, value, step):
        return Slider(
            title=title,
            start=start,
            end=end,
            value=value,
            step=step,
            sizing_mode="stretch_width",
            stylesheets=[_WIDGETS],
        )

    def _button(self, label, click, kind="default"):
        button = Button(label=label, button_type=kind, sizing_mode="stretch_width", stylesheets=[_WIDGETS])
        button.on_click(lambda: click())
        return button

    def _toggle(self, label, change):
        toggle = Toggle(label=label, sizing_mode="stretch_width", stylesheets=[_WIDGETS])
        _on_change(toggle, "active", change)
        return toggle

    def _lay_out(self):
        wide = {"sizing_mode": "stretch_width"}
        for one in (self.title, self.message, self.legend, self.queue, self.annotator, self.tools, self.adds, self.day):
            one.sizing_mode = "stretch_width"
        buttons = self.buttons
        controls = column(
            self.title,
            row(buttons["PageUp"], buttons["n"], buttons["done"], **wide),
            self.message,
            self.legend,
            self.tools,
            row(self.adds, buttons["z"], buttons["y"], **wide),
            self.level,
            self.radius,
            buttons["A"],
            self.stretch,
            self.day,
            row(self.blink, self.shows_boundaries, self.shows_other, **wide),
            row(self.queue, self.annotator, **wide),
            Div(text=_help_text(), stylesheets=[_TEXTS]),
            name="controls",
            **wide,
        )
        self.keys = ColumnDataSource({"key": [""], "x": [0], "y": [0], "inside": [False], "n": [0]})
        # In the figure, as changes of what is in no root of the document are not sent to the server.
        self.plot.scatter("x", "y", source=self.keys, visible=False)
        _on_change(self.keys, "data", self._on_key)
        drawn = [*self.lines.values(), self.boundary_lines, self.other_lines, self.differs]
        for name in ("tools", "adds", "level", "radius", "stretch", "day", "queue", "annotator"):
            getattr(self, name).name = name
        parts = {
            "plot": self.plot,
            "mapper": self.mapper,
            "stretch": self.stretch,
            "radius": self.radius,
            "stroke": self.stroke,
            "ring": self.ring,
            "outlines": drawn,
            "tools": self.tools,
            "keys": self.keys,
            "known": [*self._actions(), *_TOOL_KEYS],
            "dexes": list(DEXES),
        }
        script = (files("sunpy_scss.label") / "page.js").read_text(encoding="utf-8")
        names = ", ".join(parts)
        script = f"const args = {{{names}}};\n(() => {{\n{script}\n}})()"
        self.document.js_on_event("document_ready", CustomJS(args=parts, code=script))
        template = (files("sunpy_scss.label") / "page.html").read_text(encoding="utf-8")
        css = (files("sunpy_scss.label") / "page.css").read_text(encoding="utf-8")
        self.document.template = Environment(autoescape=True).from_string(template)
        self.document.template_variables["css"] = Markup(css)
        self.document.title = "Labels"
        self.document.config.notify_connection_status = False  # page.js says what that means here
        self.document.add_root(self.plot)
        self.document.add_root(controls)

    # What keys and buttons do

    def _actions(self):
        return {
            "a": partial(self._judge, ACCEPTED),
            "r": partial(self._judge, REJECTED),
            "o": partial(self._judge, OPEN),
            "A": lambda: self._change(self.session.judge_open(ACCEPTED), "No region is open."),
            "z": self._undo,
            "y": lambda: self._change(self.session.redo(), "There is nothing to redo."),
            "Z": lambda: self._change(self.session.redo(), "There is nothing to redo."),
            "x": lambda: setattr(self.adds, "active", 1 - self.adds.active),
            "[": partial(self._nudge, -1),
            "]": partial(self._nudge, 1),
            "Enter": self._enter,
            "Escape": self._drop,
            "1": partial(setattr, self.day, "active", 0),
            "2": partial(setattr, self.day, "active", 1),
            "3": partial(setattr, self.day, "active", 2),
            " ": lambda: setattr(self.blink, "active", not self.blink.active),
            "w": lambda: setattr(self.shows_boundaries, "active", not self.shows_boundaries.active),
            "d": lambda: setattr(self.shows_other, "active", not self.shows_other.active),
            "n": partial(self._go, 1),
            "PageDown": partial(self._go, 1),
            "PageUp": partial(self._go, -1),
        }

    def act(self, key, position=None):
        """
        Do what a key means.

        Parameters
        ----------
        key : str
        position : tuple, optional
            (row, column) of the pointer; None where it is not on the image.
        """
        if self._retired:
            return
        self.pointer = position
        if key in _TOOL_KEYS:
            self.tools.active = _TOOL_KEYS[key]
        elif self.desk.work or key in ("n", "PageDown", "PageUp"):
            self._actions()[key]()

    def _on_key(self, data):
        inside = data["inside"][0]
        self.act(data["key"][0], (data["y"][0] - 0.5, data["x"][0] - 0.5) if inside else None)

    def _on_tap(self, event):
        if self._retired or self.desk.work is None or event.x is None:
            return
        self.pointer = event.y - 0.5, event.x - 0.5
        [self._cycle, self._plant, self._dab, self._corner][self.tools.active]()

    def _on_double_tap(self, event):
        """The second of two quick clicks, which is no tap by itself; in one place, it closes a polygon."""
        corners = len(self.corners)
        self._on_tap(event)
        if self.tools.active == _DRAW and corners and corners == len(self.corners):
            self._close_polygon()

    @property
    def session(self):
        return self.desk.work.session

    @property
    def _verdict(self):
        """What drawing gives to pixels."""
        return OUTSIDE if self.adds.active else ACCEPTED

    def _cycle(self):
        verdict = self.session.verdict_at(self.pointer)
        self._judge(_CYCLE.get(verdict, ACCEPTED))

    def _judge(self, verdict):
        if self.pointer is None:
            self._tell("Put the pointer on a region first.")
        else:
            self._change(self.session.judge(self.pointer, verdict), "There is no region here, or it is so already.")

    def _undo(self):
        if self.corners:
            self.corners.pop()
            self._show_polygon()
        else:
            self._change(self.session.undo(), "There is nothing to undo.")

    def _plant(self):
        if not self.session.plant(self.pointer):
            self._tell("There is no image here.")
            return
        dark = self.session.level < 1
        level = float(np.log10(self.session.level))
        # First the range, so that the value is inside it.
        self.level.update(start=-1.3 if dark else -0.1, end=0.1 if dark else 1.3)
        self.level.value = level
        self._grow(level)
        self._tell("Set the level; Enter adds the region, Esc drops it.")

    def _grow(self, dex):
        if self.desk.work and self.session.grown is not None:
            self.session.grow(10**dex)
            self._draw(self.grown_lines, outlines_of(self.session.grown))

    def _dab(self):
        self._change(self.session.stroke([self.pointer], self.radius.value, self._verdict))

    def _on_stroke(self, data):
        if not len(data["xs"]) or self._retired:
            return
        line = np.column_stack([data["ys"][-1], data["xs"][-1]]).astype(float) - 0.5
        self.stroke.data_source.data = {"xs": [], "ys": []}
        if self.desk.work and len(line):
            self._change(self.session.stroke(line, self.radius.value, self._verdict))

    def _corner(self):
        if not self.corners or np.hypot(*np.subtract(self.pointer, self.corners[-1])) > _SAME_CORNER:
            self.corners.append(self.pointer)
            self._show_polygon()

    def _close_polygon(self):
        corners, self.corners = self.corners, []
        self._show_polygon()
        if len(corners) > 2:
            self._change(self.session.polygon(corners, self._verdict))
        else:
            self._tell("A polygon needs three corners.")

    def _nudge(self, step):
        slider, by = (self.level, 0.02) if self.tools.active == _GROW else (self.radius, 2)
        slider.value = round(min(max(slider.value + step * by, slider.start), slider.end), 2)

    def _enter(self):
        if self.session.grown is not None:
            self._change(self.session.add_grown(self._verdict))
            self._draw(self.grown_lines, [])
        elif self.corners:
            self._close_polygon()
        else:
            self._finish()

    def _drop(self):
        self.corners = []
        self.session.drop_grown()
        self._draw(self.grown_lines, [])
        self._show_polygon()

    def _use_tool(self, tool):
        self.level.visible, self.radius.visible = tool == _GROW, tool == _BRUSH
        self.plot.toolbar.active_drag = self.brush if tool == _BRUSH else self.pan
        if self.desk.work:
            self._drop()

    def _change(self, changed, otherwise="Nothing changed."):
        """Save and show what a step has changed."""
        if not changed:
            self._tell(otherwise)
            return
        try:
            self.desk.keep()
        except OSError as error:
            self._tell(f"This cannot be saved: {error}", error=True)
        else:
            self._tell("")
        self._show_regions()
        self._show_title()

    # From image to image

    def start(self):
        """Show the first image that is not done."""
        self._open(self.desk.position)

    def retire(self):
        """Leave the work to another tab."""
        self._retired = True
        self.blink.active = False
        self._tell(
            "This page was opened in another tab, which has all that was drawn. Reload to go on here.", error=True
        )

    def _finish(self):
        if self._retired or self.desk.work is None:
            return
        if self.session.grown is not None or self.corners:
            self._tell("Something is not added yet: Enter adds it, Esc drops it.")
            return
        try:
            self.desk.finish()
        except OSError as error:
            self._tell(f"This cannot be saved: {error}", error=True)
            return
        left = [at for at, item in enumerate(self.desk.items) if not self.desk.folder.is_done(item.key)]
        after = [at for at in left if at > self.desk.position]
        if left:
            self._open((after or left)[0])
        else:
            self._show_title()
            self._tell("All images are done.")

    def _go(self, step):
        self._open(self.desk.position + step)

    def _open(self, position):
        if self._retired or (position == self.desk.position and self._shown):
            return
        self.corners, self.pointer, self._days_of = [], None, None
        self.blink.active, self.day.active = False, 1
        try:
            self.desk.open(position)
        except (InvalidMapError, UnreadableFileError, ValueError) as error:
            self._blank()
            self._tell(str(error), error=True)
        else:
            self._show_picture()
            labels = self.desk.work.labels
            moved = ", brought to the pixels of this image" if labels.moved else ""
            self._tell(f"Begun from {labels.origin}{moved}.")
        self._shown = True
        self._show_title()

    _shown = False

    # What is seen

    def _tell(self, text, error=False):
        kind = "message error" if error else "message"
        self.message.text = f'<div class="{kind}" role="status">{escape(text)}</div>'

    def _show_title(self):
        desk = self.desk
        marks = [self._mark(item) for item in desk.items]
        self.queue.update(
            options=[
                (str(at), f"{mark} {_when(item)}{_doubt(item)}")
                for at, (item, mark) in enumerate(zip(desk.items, marks, strict=True))
            ],
            value=str(desk.position),
        )
        work = desk.work
        name = desk.item.key if work is None else _instrument(work.smap)
        state = {"✓": "done", "✎": "draft saved", "·": "untouched"}[marks[desk.position]]
        done = marks.count("✓")
        self.title.text = (
            f"<h1>{escape(name)} {_when(desk.item)}</h1>"
            f"<p>image {desk.position + 1} of {len(marks)} · {state} · {done} done{_doubt(desk.item)}</p>"
        )

    def _mark(self, item):
        if self.desk.folder.draft_of(item.key).exists():
            return "✎"
        return "✓" if self.desk.folder.is_done(item.key) else "·"

    def _blank(self):
        for lines in (*self.lines.values(), self.grown_lines, self.boundary_lines, self.other_lines):
            self._draw(lines, [])
        self._fill(self.images[1], np.zeros((1, 1), dtype=np.uint16))

    def _show_picture(self):
        picture = self.desk.work.picture
        ny, nx = picture.shown.shape
        self.mapper.palette = picture.colors
        low, high = np.percentile(picture.shown[picture.disk], (0.5, 99.7)) / 65535 * (DEXES[1] - DEXES[0]) + DEXES[0]
        self.stretch.value = (float(low), float(high))
        self._fill(self.images[1], picture.shown)
        side = max(ny, nx)
        for dimension, size in ((self.plot.x_range, nx), (self.plot.y_range, ny)):
            start, end = (size - side) / 2, (size + side) / 2
            dimension.update(start=start, end=end, reset_start=start, reset_end=end)
        self._show_regions()
        self._show_polygon()
        self._draw(self.grown_lines, [])
        self._show_boundaries(self.shows_boundaries.active)
        self._show_day(1)

    def _fill(self, image, pixels):
        ny, nx = pixels.shape
        image.data_source.data = {"image": [pixels]}
        image.glyph.update(dw=nx, dh=ny)

    def _show_regions(self):
        for verdict, lines in self.lines.items():
            self._draw(lines, self.session.outlines(verdict))
        words = [
            f'<span style="color:{color}">{_stroke_of(dash)} {self.session.count(verdict)} {word}</span>'
            for verdict, (color, dash, word) in _STYLES.items()
        ]
        self.legend.text = f"<p>{' &nbsp; '.join(words)}</p>"
        self._show_other(self.shows_other.active)

    def _draw(self, renderer, lines):
        # The middle of a pixel of the array is half a pixel from its corner, from which the figure counts.
        xs, ys = ([line[:, axis] + 0.5 for line in lines] for axis in (1, 0))
        renderer.data_source.data = {"xs": xs, "ys": ys}

    def _show_polygon(self):
        corners = np.array(self.corners).reshape(-1, 2)
        self._draw(self.polygon_lines, [corners] if len(corners) else [])
        self.polygon_corners.data_source.data = {"x": corners[:, 1] + 0.5, "y": corners[:, 0] + 0.5}

    def _show_boundaries(self, active):
        masks = self.desk.boundaries().values() if active and self.desk.work else ()
        self._draw(self.boundary_lines, [line for mask in masks for line in outlines_of(mask)])

    def _show_other(self, active):
        others = self.desk.others() if active and self.desk.work else None
        if others is None:
            self._draw(self.other_lines, [])
            self._fill(self.differs, np.zeros((1, 1), dtype=np.uint8))
            if active:
                self._tell("The other annotator has no label of this image.")
            return
        where, agreement = self.desk.disagreement(others)
        self._draw(self.other_lines, outlines_of(others == ACCEPTED))
        self._fill(self.differs, where)
        self._tell(f"IoU {agreement:.3f} with {self.desk.other.name} (orange: only there, blue: only here).")

    def _show_day(self, day):
        if day != 1 and self.desk.work and self._days_of is not self.desk.work:
            self._days = self.desk.days()
            self._days_of = self.desk.work
            for image, found in zip(self.images[::2], self._days, strict=True):
                self._fill(image, np.zeros((1, 1), dtype=np.uint16) if found is None else found[1])
        for at, image in enumerate(self.images):
            image.visible = at == day
        if day != 1 and self.desk.work:
            found = self._days[day // 2]
            which = "before" if day == 0 else "after"
            self._tell(f"The day {which}: {_when(found[0])}" if found else f"No image of the day {which} was given.")

    def _blink(self, active):
        if active:
            self._blinking = self.document.add_periodic_callback(self._next_day, _BLINK)
        elif self._blinking:
            self.document.remove_periodic_callback(self._blinking)
            self._blinking, self.day.active = None, 1

    def _next_day(self):
        self.day.active = (self.day.active + 1) % 3


def _on_change(model, name, do):
    """Call a function with the new value of a property; Bokeh wants three arguments, by these names."""
    model.on_change(name, lambda attr, old, new: do(new))


def _when(item):
    return item.date.strftime("%Y-%m-%d %H:%M")


def _doubt(item):
    return "" if np.isnan(item.doubt) else f" · doubt {100 * item.doubt:.1f} % of the disc"


def _instrument(smap):
    wavelength = "" if smap.wavelength is None else f" {smap.wavelength.value:g} {smap.wavelength.unit:unicode}"
    return f"{smap.detector or smap.instrument or smap.observatory}{wavelength}"


def _stroke_of(dash):
    return {"solid": "━━", 6: "╍╍", 2: "┅┅"}[dash if isinstance(dash, str) else dash[0]]


def _help_text():
    rows = []
    for heading, lines in _HELP.items():
        rows.append(f"<tr><th colspan=2>{heading}</th></tr>")
        rows += [
            f"<tr><td>{' '.join(f'<kbd>{key}</kbd>' for key in keys.split())}</td><td>{text}</td></tr>"
            for keys, text in lines
        ]
    return f"<table>{''.join(rows)}</table>"
