"""An HTML page without external files: its frame, its style, and figures inside it.

A page is white, like its figures, also in a frame of a dark page.
"""

import base64
import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from html import escape

from matplotlib.figure import Figure

_STYLE = """
html { background: #fff; color-scheme: light }
body { font: 15px/1.5 system-ui, sans-serif; color: #2b2f36; max-width: 1180px; margin: 2em auto; padding: 0 1em }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2em } .pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(400px, 1fr)); align-items: start; gap: 12px }
.pictures img { width: 100% } img { max-width: 100%; height: auto } table { border-collapse: collapse } td, th { padding: 3px 12px; text-align: right }
td:first-child, th:first-child { text-align: left } tr { border-bottom: 1px solid #dde1e6 }
.strong { background: #fbe3d3 } .some { background: #fdf3ea } iframe { width: 100%; height: 900px; border: 1px solid #dde1e6 }
"""  # noqa: E501 – a style sheet
# Scripts run only in the sandboxed frame of the table report, which cannot reach the page; nothing is fetched.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; font-src data:"


def document(title: str, parts: Iterable[str]) -> str:
    """Return a page.

    Args:
        title: as plain text.
        parts: HTML; texts from the data are escaped.
    """
    escaped, body = escape(title), "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escaped}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}"><style>{_STYLE}</style></head>'
        f"<body><h1>{escaped}</h1>\n{body}\n</body></html>\n"
    )


def pictures(figures: Mapping[str, Figure]) -> Iterator[str]:
    """Yield figures side by side, by name."""
    yield '<div class="pictures">'
    for name, figure in figures.items():
        yield picture(figure, name)
    yield "</div>"


def picture(figure: Figure, name: str) -> str:
    """Return a figure as an image inside the page; `name` is its text."""
    return f'<img alt="{escape(name)}" src="data:image/png;base64,{base64.b64encode(png(figure)).decode()}">'


def png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG; a character without a glyph is drawn as a box."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(file, format="png", dpi=86)
    return file.getvalue()
