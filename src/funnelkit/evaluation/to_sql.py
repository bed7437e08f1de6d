"""A question as one statement of SQL: `fk.to_sql`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from funnelkit.calendar.calendar import Moment
from funnelkit.engines.sql.database import check_packages
from funnelkit.engines.supports import DIALECTS, SUPPORTS
from funnelkit.errors import UnknownNameError
from funnelkit.evaluation.arguments import Asked, ask
from funnelkit.evaluation.evaluate import plan_question
from funnelkit.evaluation.history import with_as_of
from funnelkit.evaluation.supported import check_supported
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.shop.shop import Shop

__all__ = ["to_sql"]


def to_sql(  # noqa: PLR0913  # as evaluate
    shop: Shop,
    metrics: Asked,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
    dialect: str = "duckdb",
) -> str:
    """Return one statement that gives the numbers that `evaluate` gives, in the same columns.

    Tables of a database are read where they are bound; those of frames by their canonical
    names, with canonical columns. The statement checks nothing: what makes `evaluate` raise
    an error, `shop.check()` lists. The moment up to which the data is known, and the texts
    that stand for other words, are written into it as they are now.

    The other arguments are those of `evaluate`.

    Args:
        shop: The shop.
        metrics: The metrics.
        by: The keys.
        every: The length of a period.
        start: The start of the range.
        end: The end of the range.
        where: Which rows to include.
        dialect: The dialect: duckdb, postgres, spark or clickhouse, where the tests run
            statements; or bigquery, snowflake, trino or redshift, where none was run.

    Raises:
        UnsupportedError: A metric needs more than one statement, or what the dialect does
            not have; names it.
        FunnelkitError: As for `evaluate`.

    Examples:
        >>> import funnelkit as fk
        >>> text = fk.to_sql(fk.demo(), "sessions", every="1mo", dialect="postgres")
        >>> print(text.splitlines()[0])
        WITH "sessions_prepared" AS (
    """
    check_packages()
    from funnelkit.engines.sql.dialects import (  # noqa: PLC0415  # an extra
        WITHOUT_SERIES,
        text,
    )
    from funnelkit.engines.sql.statement import statement_of  # noqa: PLC0415  # an extra
    from funnelkit.engines.sql.tables import source_of  # noqa: PLC0415  # an extra
    from funnelkit.engines.sql.translate import Translator  # noqa: PLC0415  # an extra

    if dialect not in DIALECTS:
        raise UnknownNameError("dialect", dialect, DIALECTS)
    question = ask(shop, by=by, every=every, start=start, end=end, where=where)
    made = plan_question(shop, metrics, question)
    check_supported(shop.runner, made, SUPPORTS[dialect])
    made = with_as_of(shop.runner, made)
    answers = shop.runner.lasting(made.steps)
    translator = Translator.of(dialect, partial(source_of, shop.data))
    has_series = dialect not in WITHOUT_SERIES
    statement = statement_of(made, answers, translator, has_series=has_series)
    return text(statement, dialect, pretty=True)
