"""Dates as people write them to dates as ``sources.tsv`` has them; nothing is guessed.

``dateutil`` reads more, but it fills in from today what a text does not say and picks a reading
where there are two.
"""

from __future__ import annotations

import re
from datetime import date as day
from pathlib import Path

from framing.common.problems import InputError, Problem

_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTHS = {
    **{name: number for number, name in enumerate(_NAMES, 1)},
    **{name[:3]: number for number, name in enumerate(_NAMES, 1)},
    "sept": 9,
}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_MONTH = rf"(?P<name>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4})"
_ZONE = r"(?: ?(?:z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}))?"
_CLOCK = re.compile(
    rf"(?:t|,? (?:at )?)[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:[.,][0-9]+)?)?"
    rf"(?: ?[ap]\.?m\.?)?{_ZONE}$"
)
_WEEKDAY = re.compile(r"(?P<weekday>mon|tue|wed|thu|fri|sat|sun)(?P<rest>[a-z]*)\.?,? ")
_ABOUT = re.compile(r"(?:c\.|ca\.?|circa|about|approximately|approx\.?|~) ?")
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"{_YEAR}",
        rf"{_YEAR}-(?P<month>[0-9]{{1,2}})",
        rf"(?P<month>[0-9]{{1,2}})[/.-]{_YEAR}",
        rf"{_YEAR}(?P<sign>[-/.])(?P<month>[0-9]{{1,2}})(?P=sign)(?P<day>[0-9]{{1,2}})",
        rf"{_YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})",
        rf"{_DAY}(?: of)? {_MONTH},? {_YEAR}",
        rf"{_DAY}-{_MONTH}-{_YEAR}",
        rf"{_MONTH} {_DAY},? {_YEAR}",
        rf"{_MONTH},? {_YEAR}",
        rf"{_YEAR},? {_MONTH}(?: {_DAY})?",
        rf"(?P<day>[0-9]{{1,2}})\.(?P<month>[0-9]{{1,2}})\.{_YEAR}",
    )
)
_SLASHED = re.compile(rf"(?P<a>[0-9]{{1,2}})(?P<sign>[/-])(?P<b>[0-9]{{1,2}})(?P=sign){_YEAR}")
_YEAR_SLASH = re.compile(rf"{_YEAR}/(?P<month>[0-9]{{1,2}})")
_SHORT = re.compile(r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2}")

REMEDY = "Write YYYY-MM-DD, YYYY-MM or YYYY, or leave it empty."


class _NoDateError(ValueError):
    """Says why a text is no date."""


def parse_date(
    text: str, *, place: str | Path = "date", row: int | None = None, today: day | None = None
) -> tuple[str, str]:
    """Return a date as ``sources.tsv`` has it, and its precision.

    The date is YYYY-MM-DD, YYYY-MM or YYYY, the precision ``day``, ``month``, ``year``, or
    ``approximate`` where the text says so ("c. 1990", "1990?"); an empty text gives ``""`` and
    ``unknown``. Months are in English or numbers; a time of day is passed over, the day is the one
    written. With points the day comes first (29.07.2011); with slashes only what can be read in
    one way is taken.

    Raises :class:`InputError` (with ``place`` and ``row``) on anything else: days that never were,
    dates that could be two days, years of two digits, weekdays that do not fit, and dates later
    than ``today`` where that is given.
    """
    try:
        return _parsed(text, today)
    except _NoDateError as error:
        raise InputError(Problem(place, str(error), REMEDY, row)) from None


def _parsed(text: str, today: day | None) -> tuple[str, str]:
    shown = text.strip()
    if len(shown) > 100:
        raise _NoDateError(f"the date {shown[:40]!r}… is too long for one")
    said = re.sub(r"\s+", " ", shown).lower()
    if not said:
        return "", "unknown"
    said = _CLOCK.sub("", said)
    about = _ABOUT.match(said)
    if about:
        said = said[about.end() :]
    elif said.endswith(("?", "~")):
        about, said = re.match("", said), said[:-1].rstrip()
    weekday = _WEEKDAY.match(said)
    if weekday:
        said = said[weekday.end() :]
    year, month, number = _numbers(said, shown)
    date, precision = _checked(year, month, number, shown)
    if weekday:
        _check_weekday(weekday, date, precision, shown)
    # Compared at the precision that is known: this year is not later than today.
    if today is not None and date > today.isoformat()[: len(date)]:
        raise _NoDateError(f"the date {shown!r} lies in the future")
    return date, "approximate" if about else precision


def _numbers(said: str, shown: str) -> tuple[int, int | None, int | None]:
    for form in _FORMS:
        if found := form.fullmatch(said):
            parts = found.groupdict()
            month = _MONTHS[parts["name"]] if parts.get("name") else _number(parts.get("month"))
            return int(parts["year"]), month, _number(parts.get("day"))
    if found := _SLASHED.fullmatch(said):
        return _slashed(int(found["a"]), int(found["b"]), int(found["year"]), shown)
    if found := _YEAR_SLASH.fullmatch(said):
        year, month = int(found["year"]), int(found["month"])
        if month == (year + 1) % 100:
            raise _NoDateError(f"the date {shown!r} can be a month or two years")
        return year, month, None
    if _SHORT.fullmatch(said):
        raise _NoDateError(f"the date {shown!r} has a year of two digits")
    raise _NoDateError(f"the date {shown!r} cannot be read")


def _slashed(a: int, b: int, year: int, shown: str) -> tuple[int, int, int]:
    """Return the one date that ``a/b/year`` can be."""
    orders = {(year, a, b), (year, b, a)}
    readings = sorted(reading for reading in orders if _exists(*reading))
    if not readings:
        raise _NoDateError(f"the date {shown!r} never was")
    if len(readings) > 1:
        both = " or ".join(day(*reading).isoformat() for reading in readings)
        raise _NoDateError(f"the date {shown!r} can be {both}")
    return readings[0]


def _checked(year: int, month: int | None, number: int | None, shown: str) -> tuple[str, str]:
    if not _exists(year, 1 if month is None else month, 1 if number is None else number):
        raise _NoDateError(f"the date {shown!r} never was")
    if month is None:
        return f"{year:04}", "year"
    if number is None:
        return f"{year:04}-{month:02}", "month"
    return f"{year:04}-{month:02}-{number:02}", "day"


def _check_weekday(weekday: re.Match[str], date: str, precision: str, shown: str) -> None:
    name = weekday["weekday"] + weekday["rest"]
    full = next(one for one in _WEEKDAYS if one.startswith(weekday["weekday"]))
    if not full.startswith(name) and name not in ("tues", "thur", "thurs"):
        raise _NoDateError(f"the date {shown!r} cannot be read")
    if precision != "day":
        raise _NoDateError(f"the date {shown!r} names a weekday without a day")
    was = _WEEKDAYS[day.fromisoformat(date).weekday()]
    if was != full:
        raise _NoDateError(f"the date {shown!r} was a {was.capitalize()}")


def _exists(year: int, month: int, number: int) -> bool:
    try:
        day(year, month, number)
    except ValueError:
        return False
    return True


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
