# SPDX-License-Identifier: MIT
"""Plots of figures over time, as one SVG: a panel for each figure, with a line for each run."""

import html
import textwrap

COLUMNS, WIDTH, HEIGHT = 2, 460, 150
LEFT, TOP, RIGHT, BOTTOM = 64, 30, 14, 24
COLOURS = ("#1b5e9e", "#c2410c", "#3f7d20")
STYLE = "text{font:11px sans-serif;fill:#333} .t{font-weight:bold} polyline{fill:none;stroke-width:1.3}"


def top_of(values):
    """The axis' end: a round number that is not below any of them."""
    most, step = max([*values, 1]), 1
    while step * 10 < most:
        step *= 10
    return next(step * times for times in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * times >= most)


def text(x, y, words, more=""):
    return f'<text x="{x:.0f}" y="{y:.0f}" {more}>{html.escape(words)}</text>'


def panel(x, y, title, lines, end):
    """One figure: {run: [(minute, value)]}, up to the minute `end`."""
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    top = top_of([value for points in lines.values() for _, value in points])
    bottom = y + TOP + height
    parts = [text(x + LEFT, y + TOP - 8, title, 'class="t"')]
    for part in (0, 0.5, 1):
        at = bottom - part * height
        parts += [f'<path d="M{x + LEFT} {at:.1f}h{width}" stroke="#ddd"/>',
                  text(x + LEFT - 6, at + 4, f"{top * part:g}", 'text-anchor="end"'),
                  text(x + LEFT + part * width, bottom + 16, f"{end * part:.3g}", 'text-anchor="middle"')]
    for colour, points in zip(COLOURS, lines.values()):
        places = " ".join(f"{x + LEFT + width * minute / end:.1f},{bottom - height * value / top:.1f}"
                          for minute, value in points)
        parts.append(f'<polyline stroke="{colour}" points="\n{textwrap.fill(places, 100)}"/>')
    return parts


def draw(heading, figures, end):
    """The SVG of [(title, {run: [(minute, value)]})] up to the minute `end`; all have the same runs."""
    rows = -(-len(figures) // COLUMNS)
    width, height = COLUMNS * WIDTH, rows * HEIGHT + 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}">', f"<style>{STYLE}</style>",
             '<rect width="100%" height="100%" fill="#fff"/>', text(LEFT, 22, heading, 'class="t"')]
    for number, (colour, run) in enumerate(zip(COLOURS, figures[0][1])):
        parts.append(text(width - 80 * (number + 1), 22, run, f'style="fill:{colour};font-weight:bold"'))
    for number, (title, lines) in enumerate(figures):
        parts += panel(number % COLUMNS * WIDTH, 40 + number // COLUMNS * HEIGHT, title, lines, end)
    return "\n".join([*parts, "</svg>"]) + "\n"
