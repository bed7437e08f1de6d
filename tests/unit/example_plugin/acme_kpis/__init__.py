"""The KPIs of Acme, on top of the built-in ones."""

import funnelkit as fk

FEE = fk.Orders.column("gift_wrap_fee", fk.Money)
METRICS = [
    fk.Metric(
        name="gift_wrap_rate",
        title="Gift-wrap rate",
        formula=fk.Count(fk.Orders, where=fk.Orders.is_counted & (FEE > 0))
        / fk.Count(fk.Orders, where=fk.Orders.is_counted),
        unit=fk.RATIO,
        bounds=(0, 1),
    ),
    fk.Metric(name="margin_per_order", formula="gross_profit / orders"),
]
