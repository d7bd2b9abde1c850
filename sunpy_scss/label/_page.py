"""The page: a figure with tools, the controls beside it, and their actions."""

from __future__ import annotations

from functools import partial

import numpy as np
from bokeh.events import DoubleTap, Tap
from bokeh.models import CustomJS
from jinja2 import Environment
from markupsafe import Markup, escape

from sunpy_scss.exceptions import InvalidMapError, UnreadableFileError
from sunpy_scss.label._controls import BRUSH, GROW, POLYGON, TOOL_KEYS, Controls, read_text
from sunpy_scss.label._picture import DEXES
from sunpy_scss.label._session import ACCEPTED, OPEN, OUTSIDE, REJECTED, outlines_of
from sunpy_scss.label._view import STYLES, View

__all__ = ["Page"]

_CYCLE = {OPEN: ACCEPTED, ACCEPTED: REJECTED, REJECTED: OPEN}
_BLINK = 600  # ms
# Two clicks nearer than this, in pixels of the page's image, are one corner.
_SAME_CORNER = 2


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
        self.corners, self.pointer = [], None
        self._blinking = self._days_of = None
        self._shown = self._retired = False
        self.view = View()
        self.controls = Controls(desk.annotator, compares=desk.other is not None)
        self._connect()
        self._put_together()

    def _connect(self):
        """Connect clicks, moves and keys with their actions."""
        controls, view = self.controls, self.view
        view.plot.on_event(Tap, self._on_tap)
        view.plot.on_event(DoubleTap, self._on_double_tap)
        _on_change(view.stroke.data_source, "data", self._on_stroke)
        _on_change(view.keys, "data", self._on_key)
        _on_change(controls.queue, "value", lambda new: self._open(int(new)))
        _on_change(controls.annotator, "value", lambda new: setattr(self.desk, "annotator", new.strip() or "unknown"))
        _on_change(controls.tools, "active", self._use_tool)
        _on_change(controls.level, "value", self._grow)
        _on_change(controls.day, "active", self._show_day)
        _on_change(controls.blink, "active", self._blink)
        _on_change(controls.shows_boundaries, "active", self._show_boundaries)
        _on_change(controls.shows_other, "active", self._show_other)
        for key, button in controls.buttons.items():
            button.on_click(self._finish if key == "done" else partial(self.act, key))

    def _put_together(self):
        view, controls, document = self.view, self.controls, self.document
        parts = {
            "plot": view.plot,
            "mapper": view.mapper,
            "stretch": controls.stretch,
            "radius": controls.radius,
            "stroke": view.stroke,
            "ring": view.ring,
            "outlines": [*view.lines.values(), view.boundary_lines, view.other_lines, view.differs],
            "tools": controls.tools,
            "keys": view.keys,
            "known": [*self._actions(), *TOOL_KEYS],
            "dexes": list(DEXES),
        }
        script = f"const args = {{{', '.join(parts)}}};\n(() => {{\n{read_text('page.js')}\n}})()"
        document.js_on_event("document_ready", CustomJS(args=parts, code=script))
        document.template = Environment(autoescape=True).from_string(read_text("page.html"))
        document.template_variables["css"] = Markup(read_text("page.css"))
        document.title = "Labels"
        document.config.notify_connection_status = False  # page.js shows its own message
        document.add_root(view.plot)
        document.add_root(controls.layout)

    # The actions of keys and buttons

    def _actions(self):
        return {
            "a": partial(self._judge, ACCEPTED),
            "r": partial(self._judge, REJECTED),
            "o": partial(self._judge, OPEN),
            "A": lambda: self._change(self.session.judge_open(ACCEPTED), "No region is open."),
            "z": self._undo,
            "y": lambda: self._change(self.session.redo(), "There is nothing to redo."),
            "Z": lambda: self._change(self.session.redo(), "There is nothing to redo."),
            "x": lambda: setattr(self.controls.adds, "active", 1 - self.controls.adds.active),
            "[": partial(self._nudge, -1),
            "]": partial(self._nudge, 1),
            "Enter": self._enter,
            "Escape": self._drop,
            "1": partial(setattr, self.controls.day, "active", 0),
            "2": partial(setattr, self.controls.day, "active", 1),
            "3": partial(setattr, self.controls.day, "active", 2),
            " ": lambda: setattr(self.controls.blink, "active", not self.controls.blink.active),
            "w": lambda: setattr(self.controls.shows_boundaries, "active", not self.controls.shows_boundaries.active),
            "d": lambda: setattr(self.controls.shows_other, "active", not self.controls.shows_other.active),
            "n": partial(self._go, 1),
            "PageDown": partial(self._go, 1),
            "PageUp": partial(self._go, -1),
        }

    def act(self, key, position=None):
        """
        Run the action of a key.

        Parameters
        ----------
        key : str
        position : tuple, optional
            (row, column) of the pointer; None where it is not on the image.
        """
        if self._retired:
            return
        self.pointer = position
        if key in TOOL_KEYS:
            self.controls.tools.active = TOOL_KEYS[key]
        elif self.desk.work or key in ("n", "PageDown", "PageUp"):
            self._actions()[key]()

    def _on_key(self, data):
        inside = data["inside"][0]
        self.act(data["key"][0], (data["y"][0] - 0.5, data["x"][0] - 0.5) if inside else None)

    def _on_tap(self, event):
        if self._retired or self.desk.work is None or event.x is None:
            return
        self.pointer = event.y - 0.5, event.x - 0.5
        [self._cycle, self._plant, self._dab, self._corner][self.controls.tools.active]()

    def _on_double_tap(self, event):
        """Handle the second of two quick clicks, which is not a tap by itself; in one place, it closes a polygon."""
        corners = len(self.corners)
        self._on_tap(event)
        if self.controls.tools.active == POLYGON and corners and corners == len(self.corners):
            self._close_polygon()

    @property
    def session(self):
        return self.desk.work.session

    @property
    def _verdict(self):
        """Return the verdict that drawing gives to pixels."""
        return OUTSIDE if self.controls.adds.active else ACCEPTED

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
            self._show_pending()
        else:
            self._change(self.session.undo(), "There is nothing to undo.")

    def _plant(self):
        if not self.session.plant(self.pointer):
            self._tell("There is no image here.")
            return
        dark = self.session.level < 1
        level = float(np.log10(self.session.level))
        # The range is set first, so that the value is inside it.
        self.controls.level.update(start=-1.3 if dark else -0.1, end=0.1 if dark else 1.3)
        self.controls.level.value = level
        self._grow(level)
        self._tell("Set the level; Enter adds the region, Esc drops it.")

    def _grow(self, dex):
        if self.desk.work and self.session.grown is not None:
            self.session.grow(10**dex)
            self._show_pending()

    def _dab(self):
        self._change(self.session.stroke([self.pointer], self.controls.radius.value, self._verdict))

    def _on_stroke(self, data):
        if not len(data["xs"]) or self._retired:
            return
        line = np.column_stack([data["ys"][-1], data["xs"][-1]]).astype(float) - 0.5
        self.view.stroke.data_source.data = {"xs": [], "ys": []}
        if self.desk.work and len(line):
            self._change(self.session.stroke(line, self.controls.radius.value, self._verdict))

    def _corner(self):
        if not self.corners or np.hypot(*np.subtract(self.pointer, self.corners[-1])) > _SAME_CORNER:
            self.corners.append(self.pointer)
            self._show_pending()

    def _close_polygon(self):
        corners, self.corners = self.corners, []
        self._show_pending()
        if len(corners) > 2:
            self._change(self.session.polygon(corners, self._verdict))
        else:
            self._tell("A polygon needs three corners.")

    def _nudge(self, step):
        slider, by = (self.controls.level, 0.02) if self.controls.tools.active == GROW else (self.controls.radius, 2)
        slider.value = round(min(max(slider.value + step * by, slider.start), slider.end), 2)

    def _enter(self):
        if self.session.grown is not None:
            self._change(self.session.add_grown(self._verdict))
            self._show_pending()
        elif self.corners:
            self._close_polygon()
        else:
            self._finish()

    def _drop(self):
        self.corners = []
        self.session.drop_grown()
        self._show_pending()

    def _use_tool(self, tool):
        self.controls.level.visible, self.controls.radius.visible = tool == GROW, tool == BRUSH
        self.view.plot.toolbar.active_drag = self.view.brush if tool == BRUSH else self.view.pan
        if self.desk.work:
            self._drop()

    def _change(self, changed, otherwise="Nothing changed."):
        """Save and show the change of a step."""
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
        self.controls.blink.active = False
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
        self._shown = True
        self.corners, self.pointer, self._days_of = [], None, None
        self.controls.blink.active, self.controls.day.active = False, 1
        self.desk.work, self.desk.position = None, position % len(self.desk.items)
        self._tell("Opening …")
        # The work begins afterwards, so that the message is seen first.
        self.document.add_next_tick_callback(self._opened)

    def _opened(self):
        if self._retired or self.desk.work:
            return
        try:
            self.desk.open(self.desk.position)
        except (InvalidMapError, UnreadableFileError, ValueError) as error:
            self.view.blank()
            self._tell(str(error), error=True)
        else:
            self._show_picture()
            labels = self.desk.work.labels
            moved = ", brought to the pixels of this image" if labels.moved else ""
            self._tell(f"Begun from {labels.origin}{moved}.")
        self._show_title()

    # The display

    def _tell(self, text, error=False):
        kind = "message error" if error else "message"
        self.controls.message.text = f'<div class="{kind}" role="status">{escape(text)}</div>'

    def _show_title(self):
        desk = self.desk
        marks = [self._mark(item) for item in desk.items]
        self.controls.queue.update(
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
        self.controls.title.text = (
            f"<h1>{escape(name)} {_when(desk.item)}</h1>"
            f"<p>image {desk.position + 1} of {len(marks)} · {state} · {done} done{_doubt(desk.item)}</p>"
        )

    def _mark(self, item):
        if self.desk.folder.draft_of(item.key).exists():
            return "✎"
        return "✓" if self.desk.folder.is_done(item.key) else "·"

    def _show_picture(self):
        picture = self.desk.work.picture
        self.view.show(picture)
        low, high = np.percentile(picture.shown[picture.disk], (0.5, 99.7)) / 65535 * (DEXES[1] - DEXES[0]) + DEXES[0]
        self.controls.stretch.value = (float(low), float(high))
        self._show_regions()
        self._show_pending()
        self._show_boundaries(self.controls.shows_boundaries.active)
        self._show_day(1)

    def _show_regions(self):
        for verdict, lines in self.view.lines.items():
            self.view.draw(lines, self.session.outlines(verdict))
        words = [
            f'<span style="color:{color}">{_stroke_of(dash)} {self.session.count(verdict)} {word}</span>'
            for verdict, (color, dash, word) in STYLES.items()
        ]
        self.controls.legend.text = f"<p>{' &nbsp; '.join(words)}</p>"
        self._show_other(self.controls.shows_other.active)

    def _show_pending(self):
        """Show the growing region, or the unfinished polygon."""
        grown = self.session.grown
        self.view.draw(self.view.grown_lines, [] if grown is None else outlines_of(grown))
        self.controls.pending.visible = grown is not None or bool(self.corners)
        self.view.draw_polygon(self.corners)

    def _show_boundaries(self, active):
        masks = self.desk.boundaries().values() if active and self.desk.work else ()
        self.view.draw(self.view.boundary_lines, [line for mask in masks for line in outlines_of(mask)])

    def _show_other(self, active):
        others = self.desk.others() if active and self.desk.work else None
        if others is None:
            self.view.draw(self.view.other_lines, [])
            self.view.fill(self.view.differs)
            if active:
                self._tell("The other annotator has no label of this image.")
            return
        where, agreement = self.desk.disagreement(others)
        self.view.draw(self.view.other_lines, outlines_of(others == ACCEPTED))
        self.view.fill(self.view.differs, where)
        self._tell(f"IoU {agreement:.3f} with {self.desk.other.name} (orange: only there, blue: only here).")

    def _show_day(self, day):
        if day != 1 and self.desk.work and self._days_of is not self.desk.work:
            self._days = self.desk.days()
            self._days_of = self.desk.work
            for image, found in zip(self.view.images[::2], self._days, strict=True):
                self.view.fill(image, *([] if found is None else found[1:]))
        for at, image in enumerate(self.view.images):
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
            self._blinking, self.controls.day.active = None, 1

    def _next_day(self):
        self.controls.day.active = (self.controls.day.active + 1) % 3


def _on_change(model, name, do):
    """Call a function with the new value of a property; Bokeh needs three arguments with these names."""
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
