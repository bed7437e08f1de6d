"""Run the notebooks and write what they show: `python docs/run_notebooks.py`.

A chart is written as a picture, which needs altair and vl-convert, with the fingerprint of its
rows. A test runs the notebooks without these, and compares all but the pictures.
"""

import ast
import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pictures import fingerprint

from funnelkit.charts.spec import to_chart

NOTEBOOKS = sorted((Path(__file__).parent / "notebooks").glob("*.ipynb"))
SVG = "image/svg+xml"
Json = dict[str, Any]


def outputs_of(notebook: Json) -> Iterator[tuple[Json, list[Json], Json | None]]:
    """Run the code of a notebook: yield each cell, its outputs, and the chart it ends with."""
    names: dict[str, object] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            printed, value = _run("".join(cell["source"]), names)
            is_chart = isinstance(value, dict) and bool({"layer", "facet", "vconcat"} & set(value))
            outputs = [{"name": "stdout", "output_type": "stream", "text": printed}]
            if value is not None:
                data = _chart(value) if is_chart else _view(value)
                more = {"data": data, "metadata": {}, "output_type": "display_data"}
                outputs.append(more)
            yield cell, outputs[not printed :], value if is_chart else None


def _run(code: str, names: dict[str, object]) -> tuple[str, Any]:
    """Run a cell: return what it printed, and the value of its last line; charts undrawn."""
    block = ast.parse(code.replace(".plot(", ".picture("))
    last = block.body.pop() if isinstance(block.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(block, "cell", "exec"), names)  # noqa: S102  # our own notebook
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307
    return printed.getvalue(), value


def _chart(spec: Json) -> Json:
    titles = [part["title"]["text"] for part in ([spec] if "title" in spec else spec["vconcat"])]
    return {"text/plain": f"{', '.join(titles)}: chart {fingerprint(spec)}"}


def _view(value: Any) -> Json:
    html = {"text/html": value._repr_html_()} if hasattr(value, "_repr_html_") else {}
    return {**html, "text/plain": repr(value)}


def drawn(spec: Json) -> str:
    """Return a chart as a picture."""
    svg = io.StringIO()
    to_chart(spec).save(svg, format="svg")
    return svg.getvalue()


if __name__ == "__main__":
    for file in NOTEBOOKS:
        told = json.loads(file.read_text(encoding="utf-8"))
        for one, shown, chart in outputs_of(told):
            if chart is not None:
                shown[-1]["data"][SVG] = drawn(chart)
            one["outputs"] = shown
        file.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
