"""What type checkers must see; checked by mypy, never run."""

from typing import assert_type

import polars as pl

import funnelkit as fk
from funnelkit.formula.formulas import Arithmetic
from funnelkit.formula.values import And, Comparison, IsIn, Operation

assert_type(fk.Orders.gross_amount, fk.Money)
assert_type(fk.Orders.is_counted, fk.Flag)
assert_type(fk.Orders.order_id, fk.Key)
assert_type(fk.Orders.column("gift_wrap_fee", fk.Money), fk.Money)
assert_type(fk.Orders.gross_amount - fk.Orders.discount_amount, Operation)
assert_type(fk.Orders.gross_amount > 0, Comparison)
assert_type(fk.Orders.status.is_in(["paid"]), IsIn)
assert_type(fk.Orders.is_counted & fk.Orders.is_online, And)
assert_type(fk.Sum(fk.Orders.gross_amount) / fk.Count(fk.Orders), Arithmetic)
assert_type(fk.registry()["aov"], fk.Metric)
assert_type(fk.registry()["aov"] / fk.registry()["cac"], Arithmetic)
assert_type(fk.evaluate(fk.demo(), "aov"), fk.Result)
assert_type(fk.evaluate(fk.demo(), ["aov", fk.registry()["cr"]], by="channel").frame, pl.DataFrame)
assert_type(fk.describe("aov"), fk.Card)
assert_type(fk.MONEY / fk.ORDER, fk.Unit)
assert_type(fk.demo().metrics(), pl.DataFrame)

# What must not pass. An ignore that is not needed is an error, so each line must fail.
fk.Orders.gros_amount  # type: ignore[attr-defined]
fk.Sum("gross_amount")  # type: ignore[arg-type]
fk.Sum(fk.Orders.gross_amount, fk.Orders.is_counted)  # type: ignore[call-arg]
fk.Count(fk.Orders, where="is_counted")  # type: ignore[arg-type]
fk.Orders.status == "paid" & fk.Orders.is_counted  # type: ignore[operator]
fk.Metric(formula=fk.Count(fk.Orders))  # type: ignore[call-arg]
fk.Metric("orders", fk.Count(fk.Orders))  # type: ignore[call-arg]
fk.evaluate(fk.demo(), "aov", every=30)  # type: ignore[arg-type]
fk.evaluate(fk.demo(), "aov", "channel")  # type: ignore[call-arg]
fk.Shop(orders=3)  # type: ignore[arg-type]
