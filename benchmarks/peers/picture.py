"""Two panels of lines, drawn as SVG by hand: how often each tool says GO as the true loss grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

# Okabe and Ito's colours, told apart by most colour-blind readers; dashes tell them apart in print.
STYLES = (
    ("#0072B2", "", 3.0),
    ("#0072B2", "6 3", 2.0),
    ("#D55E00", "", 2.0),
    ("#CC79A7", "", 2.0),
    ("#000000", "2 3", 1.6),
    ("#E69F00", "8 3 2 3", 1.6),
    ("#009E73", "5 4", 1.6),
    ("#56B4E9", "3 2", 1.6),
)
HALO = 'stroke="#ffffff" stroke-width="4" paint-order="stroke"'  # keeps words readable on top of lines
WIDTH, HEIGHT = 960, 430
PANEL, TOP, LEFT, GAP = 400, 60, 58, 74
TALL = 260


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """lines: name -> shares of GO at each of `x`. margin: where the agreed margin lies, in the units of x, as ticks."""

    title: str
    axis: str
    x: Sequence[float]
    ticks: Sequence[float]
    margin: float
    lines: Mapping[str, Sequence[float]]


def draw(panels: Sequence[Panel], *, title: str, description: str) -> str:
    """An SVG document with its title and description for readers who cannot see it."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'aria-labelledby="title description" font-family="system-ui, sans-serif" font-size="12">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(description)}</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, left=LEFT + number * (PANEL + GAP))
    parts += _legend(list(panels[0].lines))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, *, left: float) -> list[str]:
    end = max(panel.x)

    def at(x: float, y: float) -> tuple[float, float]:
        return left + PANEL * x / end, TOP + TALL * (1 - y)

    parts = [f'<text x="{left}" y="{TOP - 16}" font-size="14" font-weight="600">{escape(panel.title)}</text>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        _, y = at(0, share)
        parts.append(f'<line x1="{left}" x2="{left + PANEL}" y1="{y:g}" y2="{y:g}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:g}" text-anchor="end">{100 * share:.0f} %</text>')
    for name, shares, style in zip(panel.lines, panel.lines.values(), STYLES, strict=False):
        points = " ".join(f"{px:.1f},{py:.1f}" for px, py in (at(*pair) for pair in zip(panel.x, shares, strict=True)))
        parts.append(
            f'<polyline points="{points}" fill="none" {_stroke(style)}><title>{escape(name)}</title></polyline>'
        )
    _, y = at(0, 0.05)
    parts.append(
        f'<line x1="{left}" x2="{left + PANEL}" y1="{y:g}" y2="{y:g}" stroke="#a00000" stroke-dasharray="2 2"/>'
    )
    parts.append(
        f'<text x="{left + PANEL}" y="{y - 4:g}" text-anchor="end" fill="#a00000" {HALO}>5 %, the stated risk</text>'
    )
    x, y = at(panel.margin, 1)
    parts.append(f'<line x1="{x:g}" x2="{x:g}" y1="{TOP}" y2="{TOP + TALL}" stroke="#a00000"/>')
    parts.append(f'<text x="{x + 5:g}" y="{y + 14:g}" fill="#a00000" {HALO}>the agreed margin</text>')
    for tick in panel.ticks:
        x, _ = at(tick, 0)
        parts.append(f'<text x="{x:g}" y="{TOP + TALL + 18}" text-anchor="middle">{tick:g}</text>')
    parts.append(f'<text x="{left + PANEL / 2}" y="{TOP + TALL + 38}" text-anchor="middle">{escape(panel.axis)}</text>')
    return parts


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for number, (name, style) in enumerate(zip(names, STYLES, strict=False)):
        x, y = LEFT + number % 4 * 226, TOP + TALL + 68 + number // 4 * 22
        parts.append(f'<line x1="{x}" x2="{x + 34}" y1="{y}" y2="{y}" {_stroke(style)}/>')
        parts.append(f'<text x="{x + 42}" y="{y + 4}">{escape(name)}</text>')
    return parts


def _stroke(style: tuple[str, str, float]) -> str:
    colour, dashes, width = style
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'stroke="{colour}" stroke-width="{width:g}"{dashed}'
