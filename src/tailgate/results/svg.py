"""matplotlib's SVG made part of a page: no style that a Content-Security-Policy forbids, no name twice, any theme.

A page's policy forbids ``style`` attributes, so each becomes presentation attributes (SVG 2, section 6.6). Ink and
paper become the page's own, so that a picture is readable on a dark page. Text stays text.
"""

from __future__ import annotations

import io
import re
from typing import Any
from xml.etree import ElementTree as ET

from tailgate.results.pictures import GRID, INK, MUTED, PAPER

NAMESPACE = "http://www.w3.org/2000/svg"
HREF = "{http://www.w3.org/1999/xlink}href"
PAINTS = {
    INK: "currentColor", "#000000": "currentColor", MUTED: "var(--muted)", GRID: "var(--line)", PAPER: "var(--page)",
}  # fmt: skip
DROPPED = {"font-family", "font"}
"""The page's own font is used."""
PLACES = {"d", "x", "y", "transform"}
FINER = re.compile(r"(\d\.\d\d)\d+")
"""A hundredth of a point is far below what is seen, and every further digit is a third of the picture's size."""
REFERENCE = re.compile(r"url\(#([^)]+)\)")


def svg(drawn: Any, name: str, title: str, summary: str) -> str:
    """The figure as an element of a page.

    ``name``: unique in the page, of letters, digits and hyphens; ``title`` and ``summary`` are read to whoever cannot
    see it.
    """
    stream = io.BytesIO()
    drawn.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(stream.getvalue())
    _remove(root, ("metadata", "style"))
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
        _present(element)
    _rename(root, name)
    _shrink(root)
    width, height = (root.attrib.pop(side).removesuffix("pt") for side in ("width", "height"))
    root.attrib = {
        "xmlns": NAMESPACE, "viewBox": root.get("viewBox", f"0 0 {width} {height}"), "role": "img",
        "aria-labelledby": f"{name}-title {name}-text", "fill": "currentColor", "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }  # fmt: skip
    for tag, ident, text in (("desc", "text", summary), ("title", "title", title)):
        said = ET.Element(tag, {"id": f"{name}-{ident}"})
        said.text = text
        root.insert(0, said)
    return ET.tostring(root, encoding="unicode")


def _remove(root: ET.Element, tags: tuple[str, ...]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if str(child.tag).rpartition("}")[2] in tags:
                parent.remove(child)


def _present(element: ET.Element) -> None:
    """Presentation attributes in place of ``style``, the page's paints in place of ours."""
    if HREF in element.attrib:
        element.set("href", element.attrib.pop(HREF))
    for declaration in element.attrib.pop("style", "").split(";"):
        name, colon, value = declaration.partition(":")
        if colon and name.strip() not in DROPPED:
            element.set(name.strip(), value.strip())
    for name in PLACES & element.attrib.keys():
        element.set(name, FINER.sub(r"\1", element.attrib[name]))
    for name in ("fill", "stroke"):
        if element.get(name) in PAINTS:
            element.set(name, PAINTS[element.attrib[name]])


def _rename(root: ET.Element, name: str) -> None:
    """Names that something refers to begin with the picture's own; the others go."""
    used = [one.get("href", "").removeprefix("#") for one in root.iter()]
    used += [found for one in root.iter() for value in one.attrib.values() for found in REFERENCE.findall(value)]
    names = {old: f"{name}-{number}" for number, old in enumerate(dict.fromkeys(filter(None, used)), 1)}
    for element in root.iter():
        ident = element.attrib.pop("id", None)
        if ident in names:
            element.set("id", names[ident])
        for attribute, value in element.attrib.items():
            if attribute == "href":
                element.set("href", f"#{names[value.removeprefix('#')]}")
            elif value.startswith("url("):
                element.set(attribute, REFERENCE.sub(lambda match: f"url(#{names[match[1]]})", value))


def _shrink(root: ET.Element) -> None:
    """What all marks of a line share stands once, and between elements there is nothing: half of a picture's size."""
    for parent in root.iter():
        if parent.tag != "text":
            parent.text = (parent.text or "").strip() or None
        for child in parent:
            child.tail = None
        marks = [child for child in parent if child.tag == "use"]
        if len(marks) < 2 or len(marks) < len(parent):
            continue
        for name in ("fill", "stroke", "stroke-width"):
            if name not in parent.attrib and len({mark.get(name) for mark in marks}) == 1 and marks[0].get(name):
                parent.set(name, marks[0].attrib[name])
                for mark in marks:
                    del mark.attrib[name]
