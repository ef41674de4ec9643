"""A matplotlib figure as SVG that may stand inside a page with a strict content security policy.

The policy forbids inline styles, so every style declaration becomes a presentation attribute; ids get a
prefix of their own, since one page holds many figures; fonts are inherited from the page.
"""

import io
import re
import warnings
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.figure import Figure

from audit.reports.words import printable

__all__ = ["embedded"]

_NO_METADATA = {"Date": None, "Creator": None, "Type": None, "Format": None}
_DROPPED = {"font-family", "stroke-dashoffset"}
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"url\(#")
_NAMESPACE = re.compile(r"^\{[^}]*\}")


def embedded(figure: Figure, *, key: str, title: str, description: str, variant: str) -> str:
    """The figure as an `svg` element with a text alternative.

    Args:
        figure: What to embed.
        key: Unique in the page; prefix of every id.
        title: Short name of the figure.
        description: What it shows, in words.
        variant: `wide` or `narrow`: the class that decides at which width it is seen.

    Returns:
        Markup without style attributes, scripts, dates and references to anything outside.
    """
    buffer = io.StringIO()
    # The page's own font draws the labels, so a glyph that matplotlib's font lacks is no loss.
    with (
        mpl.rc_context({"svg.fonttype": "none", "hatch.linewidth": 1.2, "svg.hashsalt": key}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata=_NO_METADATA, transparent=True)
    root = ET.fromstring(buffer.getvalue())  # noqa: S314 - parses only what matplotlib has just drawn
    _clean(root, key)
    size = root.attrib["viewBox"].split()
    root.attrib = {
        "class": f"figure {variant}",
        "role": "img",
        "aria-labelledby": f"{key}-t {key}-d",
        "viewBox": root.attrib["viewBox"],
        "width": size[2],
        "height": size[3],
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
    }
    named = ET.Element("title", {"id": f"{key}-t"})
    named.text = printable(title)
    described = ET.Element("desc", {"id": f"{key}-d"})
    described.text = printable(description)
    root[:0] = [named, described]
    return ET.tostring(root, encoding="unicode")


def _clean(element: ET.Element, key: str) -> None:
    element.tag = _NAMESPACE.sub("", element.tag)
    element.attrib = dict(_attributes(element, key))
    element.text = (element.text or "").strip() if element.tag != "text" else element.text
    element.tail = None
    for child in list(element):
        if child.tag.endswith(("}style", "}metadata")):
            element.remove(child)
        else:
            _clean(child, key)


def _attributes(element: ET.Element, key: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in element.attrib.items():
        local = _NAMESPACE.sub("", name)
        if local == "style":
            found.extend(_declarations(value, key))
        elif local == "id":
            # Groups are never referred to; only paths, clips and patterns are.
            if element.tag != "g":
                found.append(("id", f"{key}-{value}"))
        elif local == "d" or local in {"x", "y", "transform"}:
            found.append((local, _LONG_NUMBER.sub(_rounded, value.replace("\n", "").strip())))
        elif local == "href":
            found.append(("href", f"#{key}-{value.removeprefix('#')}"))
        else:
            found.append((local, _REFERENCE.sub(f"url(#{key}-", value)))
    return found


def _declarations(style: str, key: str) -> list[tuple[str, str]]:
    pairs = [declaration.split(":", 1) for declaration in style.split(";") if ":" in declaration]
    return [
        (name.strip(), _REFERENCE.sub(f"url(#{key}-", value.strip()))
        for name, value in pairs
        if name.strip() not in _DROPPED
    ]


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match.group()):.2f}"
