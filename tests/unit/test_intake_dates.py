"""Dates as people write them: known answers, what is refused, and what no text may do."""

from __future__ import annotations

from datetime import date as day

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.acquire.dates import parse_date
from framing.common.problems import InputError
from framing.corpus.tables import DATE_PRECISIONS, _is_date


@pytest.mark.parametrize(
    "text",
    [
        "2011-07-29", " 2011-07-29 ", "2011/07/29", "2011.7.29", "20110729", "29 July 2011",
        "29th of July, 2011", "29 Jul. 2011", "29-Jul-2011", "July 29, 2011", "JULY 29 2011",
        "Friday, July 29, 2011", "Fri, 29 Jul 2011 10:00:00 +0000", "29.07.2011", "29/07/2011",
        "07/29/2011", "2011-07-29T10:00:00Z", "2011-07-29 10:00:00.123+02:00",
        "July 29, 2011, 10:30 a.m.", "July 29, 2011 at 10:30", "2011 July 29",
    ],
)  # fmt: skip
def test_one_day_in_many_ways(text: str) -> None:
    assert parse_date(text) == ("2011-07-29", "day")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "unknown")),
        ("  \n", ("", "unknown")),
        ("2011", ("2011", "year")),
        ("2011-07", ("2011-07", "month")),
        ("2011/7", ("2011-07", "month")),
        ("7/2011", ("2011-07", "month")),
        ("July 2011", ("2011-07", "month")),
        ("Sept. 2011", ("2011-09", "month")),
        ("c. 1990", ("1990", "approximate")),
        ("circa July 1990", ("1990-07", "approximate")),
        ("1990?", ("1990", "approximate")),
        ("2011-07-29~", ("2011-07-29", "approximate")),
        ("07/07/2011", ("2011-07-07", "day")),  # the same either way
        ("29/02/2012", ("2012-02-29", "day")),
    ],
)
def test_what_is_known_stays_as_known(text: str, expected: tuple[str, str]) -> None:
    assert parse_date(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("31 February 2011", "never was"),
        ("2011-02-29", "never was"),
        ("2011-13", "never was"),
        ("2011-00", "never was"),
        ("2011-07-00", "never was"),
        ("0000", "never was"),
        ("31/02/2011", "never was"),
        ("13/07/11", "two digits"),
        ("29.07.11", "two digits"),
        ("07/08/2011", "2011-07-08 or 2011-08-07"),
        ("07-08-2011", "2011-07-08 or 2011-08-07"),
        ("2011/12", "a month or two years"),
        ("Monday, July 29, 2011", "was a Friday"),
        ("Frogday, July 29, 2011", "cannot be read"),
        ("Friday, July 2011", "without a day"),
        ("spring 2011", "cannot be read"),
        ("2011.5", "cannot be read"),
        ("2011-07-29/2011-08-02", "cannot be read"),
        ("٢٠١١", "cannot be read"),
        ("x" * 5000, "too long"),
    ],
)
def test_what_could_be_wrong_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse_date(text, place="table.csv", row=7)
    assert (caught.value.problems[0].place, caught.value.problems[0].row) == ("table.csv", 7)


def test_the_future_is_refused_only_where_today_is_given() -> None:
    today = day(2011, 7, 29)
    assert parse_date("2011-07-30") == ("2011-07-30", "day")
    assert parse_date("2011-07-29", today=today) == ("2011-07-29", "day")
    assert parse_date("2011", today=today) == ("2011", "year")
    for later in ("2011-07-30", "2011-08", "2012"):
        with pytest.raises(InputError, match="future"):
            parse_date(later, today=today)


@pytest.mark.slow
@given(st.dates())
def test_every_day_is_read_back(one: day) -> None:
    assert parse_date(one.isoformat()) == (one.isoformat(), "day")
    assert parse_date(f"{one.isoformat()}T00:00:00") == (one.isoformat(), "day")


@given(
    st.text(max_size=30)
    | st.from_regex(r"[0-9]{1,4}[-/. ][a-zA-Z0-9]{1,9}[-/., ]{1,2}[0-9]{1,4}", fullmatch=True)
)
def test_any_text_is_a_date_or_refused(text: str) -> None:
    try:
        date, precision = parse_date(text)
    except InputError:
        return
    assert _is_date(date)
    assert precision in DATE_PRECISIONS
    assert (date == "") == (precision == "unknown")
