"""HTML of text, tables and pictures; all but `Markup` is escaped."""

import base64
import re
from html import escape

__all__ = ["Markup", "document", "element", "picture", "table"]

# Neither control characters nor halves of surrogate pairs may stand in a page.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_STYLE = """
:root { color-scheme: light; }
body { font: 1rem/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; max-width: 70rem; margin: 0 auto;
  padding: 1rem; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 2px solid #ccc; padding-bottom: 0.2rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { flex: 1 1 19rem; max-width: 34rem; margin: 0; }
figure img { width: 100%; height: auto; }
figure.wide { max-width: none; }
figcaption, caption, footer { color: #444; font-size: 0.9rem; }
caption { text-align: left; padding-bottom: 0.4rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #ccc; padding: 0.3rem 0.6rem; text-align: left; vertical-align: top; }
thead th { background: #f0f0f0; }
td.number { text-align: right; }
td.lines { white-space: pre-line; }
.caveats { border-left: 0.4rem solid #c77700; background: #fff6e5; padding: 0.5rem 1rem; }
.caveats ul { margin: 0; padding-left: 1.2rem; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  .scroll { overflow: visible; }
  figure, tr, .caveats { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
"""
_VOID = {"img", "meta"}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def element(tag, *content, **attributes):
    """
    Return an element.

    Parameters
    ----------
    tag : str
    *content
        Text and numbers, which are escaped, and `Markup`, which is not.
    **attributes
        Escaped; an underscore at the end of a name is left out, as in ``class_``, others become hyphens.

    Returns
    -------
    Markup
    """
    described = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_escaped(value)}"' for name, value in attributes.items()
    )
    start = f"<{tag}{described}>"
    return Markup(start if tag in _VOID else f"{start}{_joined(content)}</{tag}>")


def _joined(content):
    return "".join(part if isinstance(part, Markup) else _escaped(part) for part in content)


def _escaped(value):
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def table(head, rows, *, caption):
    """
    Return a table that scrolls sideways where it is too wide.

    Parameters
    ----------
    head : list of str
    rows : list of list
        The first cell of each is its heading. Cells with a number alone are aligned to the right, and line breaks in
        others are kept.
    caption : str

    Returns
    -------
    Markup
    """
    headings = element("tr", *(element("th", cell, scope="col") for cell in head))
    body = [element("tr", element("th", row[0], scope="row"), *map(_cell, row[1:])) for row in rows]
    parts = element("caption", caption), element("thead", headings), element("tbody", *body)
    # An element that scrolls must be reached by the keyboard too.
    return element("div", element("table", *parts), class_="scroll", tabindex=0, role="region", aria_label=caption)


def _cell(value):
    text = str(value)
    if re.fullmatch(r"[-+]?[\d.,]+(e[-+]?\d+)?( ?%)?", text):
        return element("td", value, class_="number")
    return element("td", value, class_="lines") if "\n" in text else element("td", value)


def picture(png, *, text, caption, wide=False):
    """
    Return a figure with its picture inside the page.

    Parameters
    ----------
    png : bytes
    text : str
        A description of the picture for people who do not see it.
    caption : str
    wide : bool, optional

    Returns
    -------
    Markup
    """
    source = "data:image/png;base64," + base64.b64encode(png).decode("ascii")
    parts = element("img", src=source, alt=text), element("figcaption", caption)
    return element("figure", *parts, **({"class_": "wide"} if wide else {}))


def document(title, *body):
    """
    Return a page that loads nothing from elsewhere.

    Parameters
    ----------
    title : str
    *body : Markup

    Returns
    -------
    str
    """
    head = (
        element("meta", charset="utf-8"),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        ),
        element("title", title),
        Markup(f"<style>{_STYLE}</style>"),
    )
    page = element("html", element("head", *head), element("body", *body), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"
