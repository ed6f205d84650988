"""What tables say, in a sentence each: no more than they tell, and of what is hidden nothing."""

from collections.abc import Mapping
from math import inf
from typing import Final

from chassis.disclosure import SMALL, percentage
from contracts.reporting import TableCell
from services.reporting.domain.measure import Codes
from services.reporting.pages import words
from services.reporting.pages.figures import OF_SHOWN, Finding, Numbers, over

ALIKE: Final = ", about as many each"


def most(word: str, sentence: str, otherwise: str, at: int = -1) -> Finding:
    """Names what there is most of."""

    def find(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
        told = {code: n for code, n in over(cells, at).items() if n and code not in words.UNSAID}
        if not told:
            return otherwise
        largest = max(told.values())
        those = [code for code, number in told.items() if number == largest]
        others = {codes: cell for codes, cell in cells.items() if codes[at] not in {*those, *words.UNSAID}}
        could_be_more = any(number > largest for number in _at_most(others, at).values())
        named = sentence.format(words.some([numbers.said(word, code) for code in those]))
        return named + (ALIKE if len(those) > 1 else "") + (OF_SHOWN if could_be_more else "")

    return find


def _at_most(cells: Mapping[Codes, TableCell], at: int) -> dict[str, float]:
    sums: dict[str, float] = {}
    for codes, cell in cells.items():
        hidden = SMALL[-1] if cell.hidden == "small" else inf
        sums[codes[at]] = sums.get(codes[at], 0) + (hidden if cell.value is None else cell.value)
    return sums


WHOEVER: Final = {"band": "whatever their score", "decile": "wherever they live"}


def within(word: str, half: str) -> Finding:
    """For whom it took least and most days."""

    def find(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
        told = {codes[0]: cell.value for codes, cell in cells.items() if cell.value is not None}
        if len(told) < 2:
            return f"{half}: of too few people to compare how long it took"
        short, long = min(told.values()), max(told.values())
        if short == long:
            return f"{half} {words.within(short)}, {WHOEVER[word]}"
        who = {
            days: words.some([numbers.said(word, code) for code in told if told[code] == days])
            for days in (short, long)
        }
        return f"{half} {words.within(short)} ({who[short]}), but {words.within(long)} ({who[long]})"

    return find


def monitored(word: str, what: str) -> Finding:
    """Of how many it is not known, before what is: nobody is to read it as if it were all."""

    def find(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
        silent = [cell for codes, cell in cells.items() if codes[0] in words.UNSAID]
        share = percentage(sum(cell.value or 0 for cell in silent), sum(over(cells, 0).values()))
        if any(cell.hidden == "kept-back" for cell in silent) or share is None:
            unknown = f"Of how many we do not know {what} is not shown"
        else:
            unknown = f"Of {f'{share}%' if share else 'hardly anybody'} we do not know {what}"
        return most(
            word, f"{unknown}; of the others most often: {{}}", f"{unknown}; nothing can be said of the others"
        )(numbers, cells)

    return find


def granted(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
    """How much of the budgets was awarded, and what was asked for."""
    pounds = {word: f"£{pence / 100:,.0f}" for word, pence in over(cells, 1).items()}
    budget, asked, awarded = (pounds.get(word, "£0") for word in ("budget", "asked", "awarded"))
    return f"{awarded} of {budget} was awarded, and {asked} was asked for"


def awarded(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
    states = over(cells, 1)
    return f"Applications that were awarded money: {states.get('awarded', 0):,} of {sum(states.values()):,}"


def for_wards(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
    """How much is for single wards, and how much for the whole city."""
    of_wards = {codes: cell for codes, cell in cells.items() if codes != ("city-wide",)}
    pounds = [f"£{sum(over(those, 0).values()) / 100:,.0f}" for those in (of_wards, cells)]
    if not sum(over(cells, 0).values()):
        return "No grant money was awarded yet"
    whole = f"{pounds[0]} of {pounds[1]} is for single wards"
    return most("ward", f"{whole}, most of all for {{}}", "All that was awarded is for the whole city")(
        numbers, of_wards
    )


def handed_over(numbers: Numbers, cells: Mapping[Codes, TableCell]) -> str:
    times = sum(over(cells, 0).values())
    if not times:
        return "Too few devices and SIMs to tell"
    more = " or more" if any(cell.hidden for cell in cells.values()) else ""
    return f"A device or mobile data was handed over about {times:,} times{more}"
