"""A metric's card: its complete definition and documentation."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from funnelkit.formula.formulas import Formula, Reference
from funnelkit.formula.latex import expand, to_latex
from funnelkit.formula.properties import walk
from funnelkit.metrics.metric import Metric

__all__ = ["Card"]


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
            ("null when", metric.null_when),
            ("additivity", str(metric.additivity)),
            ("see also", ", ".join(metric.see_also)),
            ("assumes", "; ".join(self.assumptions)),
            ("caveats", metric.caveats),
            ("alternatives", "; ".join(metric.alternatives)),
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
        lines = [f"{self.metric.title} ({self.metric.name})"]
        lines += [f"  {head:<14}{text}" for head, text in self.rows()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(head)}</th><td>{escape(text)}</td></tr>" for head, text in self.rows()
        )
        return f"<table><caption>{escape(self.metric.title)}</caption>{rows}</table>"


def _in_full(formula: Formula) -> str:
    """Return a formula with the definitions of the metrics that it names, as it holds them."""
    has_names = any(isinstance(node, Reference) for node in walk(formula))
    return expand(formula) if has_names else ""
