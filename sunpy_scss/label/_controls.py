"""The controls of the page: texts, buttons and sliders, without their actions."""

from importlib.resources import files

from bokeh.layouts import column, row
from bokeh.models import Button, Div, RadioButtonGroup, RangeSlider, Select, Slider, TextInput, Toggle

from sunpy_scss.label._picture import DEXES

__all__ = ["BRUSH", "GROW", "JUDGE", "POLYGON", "TOOL_KEYS", "Controls", "read_text"]

JUDGE, GROW, BRUSH, POLYGON = range(4)
TOOL_KEYS = {"v": JUDGE, "g": GROW, "b": BRUSH, "p": POLYGON}

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

# The buttons, by the keys with the same action.
_BUTTONS = {
    "PageUp": "‹ Previous",
    "n": "Next › · N",
    "done": "Done, next · ⏎",
    "z": "Undo · Z",
    "y": "Redo · Y",
    "Enter": "Add it · ⏎",
    "Escape": "Drop it · Esc",
    "A": "Accept all open · ⇧A",
}
_WIDE = {"sizing_mode": "stretch_width"}


def read_text(name):
    """Return the text of a file of the page."""
    return (files("sunpy_scss.label") / name).read_text(encoding="utf-8")


class Controls:
    """
    The widgets and their layout; each is an attribute, and has the same name in the document.

    Parameters
    ----------
    annotator : str
    compares : bool
        True if there is another annotator to compare with.
    """

    def __init__(self, annotator, compares):
        styled = {"stylesheets": [read_text("widgets.css")], **_WIDE}
        self._texts = {"stylesheets": [read_text("texts.css")], **_WIDE}
        self.title, self.message, self.legend = (
            Div(name=name, **self._texts) for name in ("title", "message", "legend")
        )
        self.queue = Select(name="queue", title="Image", **styled)
        self.annotator = TextInput(name="annotator", title="Drawn by", value=annotator, **styled)
        tools = ["Judge · V", "Grow · G", "Brush · B", "Polygon · P"]
        self.tools = RadioButtonGroup(name="tools", labels=tools, active=JUDGE, **styled)
        self.adds = RadioButtonGroup(name="adds", labels=["Add", "Cut · X"], active=0, **styled)
        level = {"title": "Level, log10 of the quiet Sun · [ ]", "start": -1.3, "end": 1.3, "step": 0.01}
        self.level = Slider(name="level", value=0, visible=False, **level, **styled)
        radius = {"title": "Radius, pixels · [ ]", "start": 1, "end": 80, "step": 1}
        self.radius = Slider(name="radius", value=12, visible=False, **radius, **styled)
        stretch = {"title": "Stretch, log10 of the disc median · , .", "start": DEXES[0], "end": DEXES[1], "step": 0.01}
        self.stretch = RangeSlider(name="stretch", value=(-1, 1), show_value=False, **stretch, **styled)
        days = ["Day before · 1", "This day · 2", "Day after · 3"]
        self.day = RadioButtonGroup(name="day", labels=days, active=1, **styled)
        self.blink = Toggle(label="Blink · Space", **styled)
        self.shows_boundaries = Toggle(label="Model's boundaries · W", **styled)
        self.shows_other = Toggle(label="Other annotator · D", visible=compares, **styled)
        kinds = dict.fromkeys(("done", "Enter"), "primary")
        self.buttons = {
            key: Button(label=label, button_type=kinds.get(key, "default"), **styled) for key, label in _BUTTONS.items()
        }
        self.pending = row(self.buttons["Enter"], self.buttons["Escape"], visible=False, **_WIDE)
        self.layout = self._laid_out()

    def _laid_out(self):
        buttons = self.buttons
        return column(
            self.title,
            row(buttons["PageUp"], buttons["n"], buttons["done"], **_WIDE),
            self.message,
            self.legend,
            self.tools,
            row(self.adds, buttons["z"], buttons["y"], **_WIDE),
            self.level,
            self.radius,
            self.pending,
            buttons["A"],
            self.stretch,
            self.day,
            row(self.blink, self.shows_boundaries, self.shows_other, **_WIDE),
            row(self.queue, self.annotator, **_WIDE),
            Div(text=_help_text(), **self._texts),
            name="controls",
            **_WIDE,
        )


def _help_text():
    rows = []
    for heading, lines in _HELP.items():
        rows.append(f"<tr><th colspan=2>{heading}</th></tr>")
        rows += [
            f"<tr><td>{' '.join(f'<kbd>{key}</kbd>' for key in keys.split())}</td><td>{text}</td></tr>"
            for keys, text in lines
        ]
    return f"<table>{''.join(rows)}</table>"
