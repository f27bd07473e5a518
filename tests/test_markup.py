"""Names are shown as plain text, whatever markup is in them, and however broken it is."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms_bot.lms.markup import without_markup

NAMES = {
    # As on a Moodle that was looked at.
    '<span lang="en" class="multilang">Algebra</span><span lang="es" class="multilang">Álgebra</span>': "Algebra",
    "Quadratics: x<sup>2</sup>": "Quadratics: x2",
    "Food &amp; Drink & More": "Food & Drink & More",
    "Is x < 3 and y > 2?": "Is x < 3 and y > 2?",
    "{mlang en}Algebra{mlang}{mlang es}Álgebra{mlang}": "Algebra",
    # Several languages, in all the ways in which people write them.
    '<span class="multilang" lang="en">Algebra</span> <span class="multilang" lang="es">Álgebra</span> 2': "Algebra 2",
    "<SPAN LANG=en CLASS=multilang>Algebra</SPAN><span lang=es class=multilang>Álgebra</span>": "Algebra",
    '<span lang="en" class="x multilang">A <b>b</b> <span>c</span></span><span lang="es" class="multilang">B</span>': (
        "A b c"
    ),
    '1. <span lang="en" class="multilang">A</span><span lang="es" class="multilang">B</span> - '
    '<span lang="de" class="multilang">C</span><span lang="es" class="multilang">D</span>': "1. A - C",
    '<lang lang="en">Algebra</lang><lang lang="es">Álgebra</lang> 2': "Algebra 2",
    '<span lang="es">Álgebra</span> <span class="multilang">1</span>': "Álgebra 1",
    "{mlang other}Álgebra{mlang}{mlang en}Algebra{mlang}": "Algebra",
    "{mlang other}Álgebra{mlang}": "Álgebra",
    "{ MLANG  en }A{mlang}{mlang es}B{ mlang } {mlang EN}C{mlang} 1": "A C 1",
    "{mlang en,fr}A{mlang}{mlang es}B{mlang}": "A",
    "{mlang en}<b>A</b> &amp; B{mlang}{mlang es}C{mlang}": "A & B",
    # Entities and tags.
    "&Aacute;lgebra &#49;&nbsp;&lt;b&gt;": "Álgebra 1 <b>",
    "One<br>Two<p>Three</p>": "One Two Three",
    'A<img src=x onerror="alert(1)"> <a href="javascript:alert(1)" title="a>b">here</a>': "A here",
    "A<script>alert('&amp;')</script><style>p {}</style>B": "AB",
    "A<!-- {b} -->B<!DOCTYPE html><![CDATA[x]]>": "AB",
    # Broken.
    "If x<y then z": "If x<y then z",
    "A <b": "A <b",
    "A <![if[ B": "A <![if[ B",
    "A <!-- B": "A <!-- B",
    "A </span></b> B": "A B",
    '<span lang="en" class="multilang">A': "A",
    "{mlang en}A": "{mlang en}A",
    "{mlang}A{mlang en}": "{mlang}A{mlang en}",
    "{f(x)} & co": "{f(x)} & co",
    "&#x110000;&#0;&bogus; &": "\ufffd\ufffd&bogus; &",
    # Nothing to show.
    "": None,
    " \t\n": None,
    "<b></b>": None,
    "<img src=x>": None,
}


@pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=range(len(NAMES)))
def test_a_name_is_shown_without_its_markup(name: str, shown: str | None) -> None:
    assert without_markup(name) == shown


@pytest.mark.parametrize(("value", "shown"), [(None, None), (7, "7"), (b"\xff", "b'\\xff'"), ("a\x00b", "ab")])
def test_any_value_can_stand_where_a_name_should(value: Any, shown: str | None) -> None:
    assert without_markup(value) == shown


PIECES = st.sampled_from(
    [
        *(
            "<",
            ">",
            "</",
            "<!",
            "<![",
            "<![if[",
            "]]>",
            "<!--",
            "-->",
            "<?",
            "/>",
            "&",
            "&#",
            "&#x110000;",
            "&amp",
            ";",
        ),
        *("<span lang='en' class='multilang'>", "<span class=multilang lang=es>", "<span>", "</span>", "<b>", "</b>"),
        *(
            "{mlang en}",
            "{mlang es}",
            "{mlang other}",
            "{mlang}",
            "{mlang ",
            "{",
            "}",
            "<script>",
            "</script>",
            "<style",
        ),
        *("<textarea>", "<title>", "<plaintext>", "'", '"', "=", " ", "\n", "\x00", "\ud800", "Algebra", "Гульнора"),
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
def test_no_markup_is_too_broken(name: str) -> None:
    shown = without_markup(name)
    assert shown is None or shown == " ".join(shown.split()) != ""


@given(st.text(st.characters(exclude_characters="<&{")))
def test_plain_text_stays_as_it_is_but_for_spaces(name: str) -> None:
    assert without_markup(name) == (" ".join(name.replace("\x00", "").split()) or None)


@pytest.mark.parametrize(
    "piece",
    ["{mlang ", "{mlang en}", "{mlang" + " " * 50, "<a ", "<", "<!--", "</", "<![a", "<span lang=a class=multilang>"],
)
def test_a_name_of_any_length_is_looked_through_once(piece: str) -> None:
    """A square of its length would be minutes here, and its cube years."""
    assert without_markup(piece * 100_000 + "end") is not None or piece.startswith("<span")


def test_a_long_name_without_markup_is_not_cut() -> None:
    assert without_markup("long " * 10_000) == ("long " * 10_000).strip()
