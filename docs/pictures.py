"""Draw the pictures of the pages: `python docs/pictures.py`, which needs altair and vl-convert.

A picture stands below the block of code that draws it. Each file holds the fingerprint of its
rows, by which a test sees whether it still shows what the code gives.
"""

import ast
import contextlib
import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from funnelkit.charts.spec import Spec, to_chart

ROOT = Path(__file__).resolve().parents[1]
PAGES = tuple(
    ROOT / page for page in ("README.md", "docs/index.md", "docs/how-to/draw-a-result.md")
)
BLOCK = re.compile(r"```(py|python)\n(.*?)```(?:\s*!\[[^\]]*\]\(([^)]+\.svg)\))?", re.DOTALL)
DIGITS = 9
"""More than amounts in cents have, fewer than those that the order of adding up changes."""
TEXTS = ("label", "short")


def pictures_of(page: Path) -> Iterator[tuple[Path, Spec]]:
    """Run the code of a page, and yield the file of each picture with its specification."""
    names: dict[str, object] = {}
    for language, code, image in BLOCK.findall(page.read_text()):
        if language == "py" and not image:
            continue  # it changes a chart of altair
        block = ast.parse(code.replace(".plot(", ".picture("))
        last = block.body.pop() if image else None
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block, str(page), "exec"), names)  # noqa: S102  # our own page
        if isinstance(last, ast.Expr):
            code_of = compile(ast.Expression(last.value), str(page), "eval")
            yield page.parent / image, eval(code_of, names)  # noqa: S307  # our own page


def fingerprint(spec: Spec) -> str:
    """Return the hash of the rows of a picture, their numbers rounded."""
    rows = [part["data"]["values"] for part in spec.get("vconcat", [spec])]
    text = json.dumps(_rounded(rows), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _rounded(part: Any) -> Any:
    match part:
        case dict():
            return {name: _rounded(part[name]) for name in part if name not in TEXTS}
        case list():
            return [_rounded(value) for value in part]
        case float():
            return f"{part:.{DIGITS}g}"
        case _:
            return part


def draw(file: Path, spec: Spec) -> None:
    """Write a picture, with the fingerprint of its rows."""
    svg = io.StringIO()
    to_chart(spec).save(svg, format="svg")
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{svg.getvalue()}\n<!-- {fingerprint(spec)} -->\n")


if __name__ == "__main__":
    for one in PAGES:
        for target, picture in pictures_of(one):
            draw(target, picture)
