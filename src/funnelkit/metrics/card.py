"""A metric's card: its complete definition and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from textwrap import fill

from funnelkit.formula.formulas import Formula, Reference
from funnelkit.formula.latex import expand, to_latex
from funnelkit.formula.properties import walk
from funnelkit.metrics.listing import terminal_width
from funnelkit.metrics.metric import Metric

__all__ = ["Card"]

NARROWEST, INDENT = 60, 16
CODE = ("formula", "in full", "latex")
FOLDED = ("area", "needs", "latex", "sources", "definition")
"""What a notebook folds away."""


@dataclass(frozen=True, slots=True)
class Card:
    """A metric's card: its complete definition and documentation.

    Attributes:
        metric: The metric.
        assumptions: What it takes for granted of columns that were not supplied.
    """

    metric: Metric
    assumptions: tuple[str, ...] = ()

    def rows(self) -> list[tuple[str, str]]:
        """Return the lines of the card as heading and text, without empty ones."""
        metric = self.metric
        low, high = ("…" if bound is None else f"{bound:g}" for bound in metric.bounds)
        needs = "; ".join(
            f"{table}: {', '.join(columns) or 'its rows'}"
            for table, columns in metric.inputs.items()
        )
        rows = [
            ("formula", str(metric.formula)),
            ("in full", _in_full(metric.formula)),
            ("meaning", metric.description),
            ("includes", metric.includes),
            ("excludes", metric.excludes),
            ("caveats", metric.caveats),
            ("null when", metric.null_when),
            ("additivity", str(metric.additivity)),
            ("see also", ", ".join(metric.see_also)),
            ("assumes", "; ".join(self.assumptions)),
            ("alternatives", "; ".join(each.removesuffix(".") for each in metric.alternatives)),
            ("unit", f"{metric.unit} ({metric.unit.display}), better {metric.direction}"),
            ("bounds", f"{low} to {high}"),
            ("funnel", " / ".join(filter(None, (metric.stage, metric.aida)))),
            ("requires", metric.required_dimension),
            ("area", metric.area),
            ("aliases", ", ".join(metric.aliases)),
            ("needs", needs),
            ("latex", to_latex(metric.formula)),
            ("sources", "; ".join(metric.references)),
            ("definition", f"{metric.fingerprint}, version {metric.version}"),
        ]
        return [(head, text) for head, text in rows if text]

    def __str__(self) -> str:
        width = max(NARROWEST, terminal_width())
        lines = [fill(f"{self.metric.title} ({self.metric.name})", width, subsequent_indent="  ")]
        lines += [_wrapped(head, text, width) for head, text in self.rows() if head != "latex"]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = self.rows()
        first = "".join(_row(head, text) for head, text in rows if head not in FOLDED)
        more = "".join(_row(head, text) for head, text in rows if head in FOLDED)
        caption = f'<caption style="text-align:left">{escape(self.metric.title)}</caption>'
        return (
            f'<div class="funnelkit"><table>{caption}<tbody>{first}</tbody></table>'
            f"<details><summary>inputs, sources, LaTeX and fingerprint</summary>"
            f"<table><tbody>{more}</tbody></table></details></div>"
        )


def _wrapped(head: str, text: str, width: int) -> str:
    return fill(
        text,
        width,
        initial_indent=f"  {head:<{INDENT - 2}}",
        subsequent_indent=" " * INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _row(head: str, text: str) -> str:
    shown = f"<code>{escape(text)}</code>" if head in CODE else escape(text)
    look = "text-align:left;vertical-align:top;padding-right:1em"
    return (
        f'<tr><th scope="row" style="{look}">{escape(head)}</th>'
        f'<td style="{look};white-space:normal">{shown}</td></tr>'
    )


def _in_full(formula: Formula) -> str:
    """Return a formula with the definitions of the metrics that it names, as it holds them."""
    has_names = any(isinstance(node, Reference) for node in walk(formula))
    return expand(formula) if has_names else ""
