"""Plots with intervals, as Plotly figures in JSON: Gradio's page brings Plotly, so nothing is needed here.

Colours and sizes suit light and dark; the texts' colour is the page's (`.zs-plot` in the style sheet).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradio.components.plot import PlotData

TEAL, SLATE, ORANGE, VIOLET = "#0d9488", "#7c8a9e", "#d97706", "#8b7cf6"

_ROW_PX, _FRAME_PX = 27, 112
_GRID = "rgba(128,128,128,.22)"


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of a plot: a point with its interval. `group` is its entry in the legend."""

    label: str
    value: float
    low: float
    high: float
    group: str
    colour: str


def forest_plot(marks: Sequence[Mark], axis: str, *, zero: bool = False) -> PlotData | None:
    """Rows from top to bottom in the order of `marks`; `axis` names the numbers. With `zero` a line is drawn
    there. None without marks."""
    if not marks:
        return None
    traces = []
    for group in dict.fromkeys(mark.group for mark in marks):
        mine = [mark for mark in marks if mark.group == group]
        traces.append(_trace(group, mine))
    figure = {"data": traces, "layout": _layout(marks, axis, zero), "config": {"displayModeBar": False}}
    return PlotData(type="plotly", plot=json.dumps(figure))


def _trace(group: str, marks: Sequence[Mark]) -> dict[str, Any]:
    colour = marks[0].colour
    return {
        "type": "scatter",
        "mode": "markers",
        "name": group,
        "x": [mark.value for mark in marks],
        "y": [mark.label for mark in marks],
        "customdata": [[mark.low, mark.high] for mark in marks],
        "hovertemplate": "%{y}<br>%{x:.4f} [%{customdata[0]:.4f}, %{customdata[1]:.4f}]<extra></extra>",
        "marker": {"size": 9, "color": colour},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [mark.high - mark.value for mark in marks],
            "arrayminus": [mark.value - mark.low for mark in marks],
            "color": colour,
            "thickness": 2,
            "width": 0,
        },
    }


def _layout(marks: Sequence[Mark], axis: str, zero: bool) -> dict[str, Any]:
    plain = {"fixedrange": True, "gridcolor": _GRID, "linecolor": _GRID, "tickfont": {"size": 12}}
    return {
        "height": _FRAME_PX + _ROW_PX * len(marks),
        "margin": {"l": 8, "r": 16, "t": 36, "b": 64},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "inherit", "size": 12},
        "dragmode": False,
        "showlegend": len({mark.group for mark in marks}) > 1,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xref": "container",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        "xaxis": {
            **plain,
            "title": {"text": axis, "font": {"size": 12}, "standoff": 4},
            "automargin": True,
            "zeroline": zero,
            "zerolinewidth": 2,
            "zerolinecolor": "rgba(128,128,128,.7)",
            "rangemode": "normal" if zero else "tozero",
        },
        "yaxis": {
            **plain,
            "automargin": True,
            "categoryorder": "array",
            "categoryarray": [mark.label for mark in reversed(marks)],
            "showgrid": False,
        },
    }
