"""Every group that a table has rows of has a row, though what is asked lies in another period."""

import datetime as dt

import polars as pl

import funnelkit as fk

VISITS = pl.DataFrame(
    {
        "session_id": [1, 2, 3],
        "started_at": [dt.datetime(2024, month, 5) for month in (1, 2, 2)],
        "channel": ["Email", "Email", "Direct"],
    }
)


def test_a_period_without_an_earlier_one_has_a_row_in_every_group():
    shop = fk.Shop(sessions=VISITS)
    earlier = fk.Metric(name="earlier", formula=fk.Shift(fk.Count(fk.Sessions), 1))
    found = fk.evaluate(shop, earlier, by="channel", every="1mo").frame
    january, february = dt.date(2024, 1, 1), dt.date(2024, 2, 1)
    assert found.select("period", "channel").rows() == [
        (january, "Email"),
        (february, "Direct"),
        (february, "Email"),
    ]
    assert found.filter(channel="Email", period=february).item(0, "earlier") == 1
