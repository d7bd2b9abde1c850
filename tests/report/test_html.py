"""Elements of pages: what is not Markup is escaped."""

import pytest

from sunpy_scss.report._html import Markup, document, element, picture, table


def test_text_is_escaped():
    assert element("p", "a < b & c", 3) == "<p>a &lt; b &amp; c3</p>"


def test_elements_are_not_escaped_again():
    assert element("p", element("em", "1 < 2")) == "<p><em>1 &lt; 2</em></p>"


def test_attributes_are_escaped():
    made = element("img", alt='"><script>', class_="wide", aria_label="a")
    assert made == '<img alt="&quot;&gt;&lt;script&gt;" class="wide" aria-label="a">'


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x9f", "\ud800"])
def test_what_no_page_may_hold_is_replaced(character):
    made = element("p", f"a{character}b")
    assert made == "<p>a\N{REPLACEMENT CHARACTER}b</p>"
    made.encode("utf-8")


def test_table_aligns_numbers_and_keeps_lines():
    made = table(["Name", "Value"], [["a", "1,234"], ["b", "one\ntwo"], ["c", "12 px"], ["d", 5]], caption="Values")
    assert '<td class="number">1,234</td>' in made
    assert '<td class="number">5</td>' in made
    assert '<td class="lines">one\ntwo</td>' in made
    assert "<td>12 px</td>" in made
    assert made.count('<th scope="row">') == 4


def test_picture_is_inside():
    made = picture(b"\x89PNG", text="what it shows", caption="A picture")
    assert 'src="data:image/png;base64,iVBORw=="' in made
    assert 'alt="what it shows"' in made


def test_document_lets_nothing_in():
    page = document("A & B", Markup("<p>text</p>"))
    assert page.startswith("<!DOCTYPE html>")
    assert "<title>A &amp; B</title>" in page
    assert "default-src 'none'" in page
    assert "http://" not in page
    assert "https://" not in page
