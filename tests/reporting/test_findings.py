"""What a figure says above its table is no more than the table tells."""

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from contracts.reporting import MetricPublished, TableCell
from services.reporting import events_out
from services.reporting.domain.measure import By
from services.reporting.domain.measures import BY_NAME
from services.reporting.pages import page
from services.reporting.pages.equity import equity, reach
from services.reporting.pages.figures import Figure, Maker, Numbers, simple
from services.reporting.pages.findings import monitored
from services.reporting.pages.page import PAGES
from services.reporting.pages.waits import areas, capacity, waiting
from tests.reporting.city import AT, LEEDS, MONTH, NAMES, published

SEX = simple("people", ("sex",), monitored("sex", "their sex"))
Told = Mapping[str, int | str]
"""What is told by codes, joined with a comma: a number, or why it is hidden."""


def table(measure: str, by: By, told: Told) -> MetricPublished:
    cells = [
        TableCell(codes=codes.split(","), value=each)
        if isinstance(each, int)
        else TableCell.model_validate({"codes": codes.split(","), "value": None, "hidden": each})
        for codes, each in told.items()
    ]
    return events_out.metric(BY_NAME[measure], MONTH, by, cells, AT)


def figure(maker: Maker, *tables: MetricPublished) -> Figure:
    made = maker(Numbers({each.name: each for each in tables}, NAMES, [MONTH.name]))
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ({"device": 30, "skills": 20, "champion": "small"}, "Most often needed: a device"),
        (
            {"device": 30, "skills": 30},
            "Most often needed: a device and a course in digital skills, about as many each",
        ),
        ({"device": 30, "skills": "kept-back"}, "Most often needed: a device (of what is shown)"),
        ({"device": "small", "skills": 0}, "Too few referrals to say what is needed"),
    ],
)
def test_what_there_is_most_of_is_said_only_as_far_as_it_is_known(told: Told, title: str) -> None:
    assert figure(page.NEEDS, table("needs", ("kind",), told)).title == title


def test_of_all_kinds_of_help_the_sum_counts() -> None:
    """More ended with help in all, although most of one kind did not."""
    told: Told = {"device,helped": 30, "skills,helped": 30, "champion,failed": 40, "device,failed": "small"}
    made = figure(page.OUTCOMES, table("outcomes", ("kind", "outcome"), told))
    assert made.title == "How help most often ended: helped"
    assert made.head == ["How it ended", "Device", "Course", "Champion"]
    assert made.rows == [("Helped", "30", "30", "0"), ("Could not be reached or helped", "1 to 7", "0", "40")]
    assert "40+" in made.chart


def test_who_is_not_known_is_no_part_of_the_city() -> None:
    told = {"device,Inner South": 10, "device,not-known": 60}
    made = figure(page.GAPS_BY_COMMITTEE, table("gaps", ("kind", "committee"), told))
    assert made.title == "Help is missing most in Inner South"
    wards = table("waiting", ("kind", "ward"), {"device,E05011400": 10, "device,no-fixed-address": 60})
    made = figure(areas, wards)
    assert made.title == "More people wait than there are places for their ward in Killingbeck & Seacroft"
    assert [row[0] for row in made.rows] == ["Killingbeck & Seacroft", "No fixed address"]


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ({"0-20": 0, "61-and-more": 0}, "Nine in ten were taken on the same day, whatever their score"),
        (
            {"0-20": 0, "21-40": 3, "41-60": "too-few", "61-and-more": 1},
            "Nine in ten were taken on the same day (0 to 20 points), but within 3 days (21 to 40 points)",
        ),
        ({"0-20": 3, "21-40": "too-few"}, "Nine in ten were taken on: of too few people to compare how long it took"),
    ],
)
def test_days_are_compared_where_they_are_told(told: Told, title: str) -> None:
    assert figure(page.MOST_BY_BAND, table("wait-most", ("band",), told)).title == title


@pytest.mark.parametrize(
    ("told", "unknown", "others"),
    [
        ({"male": 30, "female": 45, "not-told": 25}, "25%", "of the others most often: female"),
        ({"male": 30, "not-told": 60, "prefer-not-to-say": 10}, "70%", "of the others most often: male"),
        ({"male": 30, "not-told": 0}, "hardly anybody", "of the others most often: male"),
        ({"male": "small", "not-told": 90}, "100%", "nothing can be said of the others"),
    ],
)
def test_of_how_many_it_is_not_known_comes_first(told: Told, unknown: str, others: str) -> None:
    made = figure(SEX, table("people", ("sex",), told))
    assert made.title == f"Of {unknown} we do not know their sex; {others}"


def test_a_share_that_is_hidden_is_not_told() -> None:
    made = figure(SEX, table("people", ("sex",), {"male": 30, "female": "kept-back", "not-told": "kept-back"}))
    said = "Of how many we do not know their sex is not shown; of the others most often: male (of what is shown)"
    assert made.title == said


def test_peoples_keep_their_capital() -> None:
    ethnicity = simple("people", ("ethnicity",), monitored("ethnicity", "it"))
    made = figure(ethnicity, table("people", ("ethnicity",), {"asian": 30, "not-told": 30}))
    assert made.title == "Of 50% we do not know it; of the others most often: Asian or Asian British"


def test_a_ward_is_low_where_few_are_referred_not_where_it_is_not_shown() -> None:
    few, unknown, *others = [code for code in LEEDS.wards if NAMES[f"decile of {code}"] in {"1", "2", "3"}]
    told: Told = {few: "small", unknown: "kept-back"} | dict.fromkeys(others, 40)
    made = figure(reach, table("referrals", ("ward",), told))
    assert made.title == f"Few are referred from {NAMES[few]}"
    assert len(made.rows) == len(told)


def test_of_none_it_is_not_said_that_all_is_well() -> None:
    told: Told = dict.fromkeys(LEEDS.wards, "small")
    title = figure(reach, table("referrals", ("ward",), told)).title
    assert title == "Too few numbers of the most deprived wards are shown to compare them"


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ({"device": 30, "skills": 20}, "About 50 waits for help are open"),
        ({"device": 30, "skills": "small"}, "About 30 waits for help are open (of what is shown)"),
        ({"device": "small"}, "How many waits for help are open is not shown"),
        ({"device": 0}, "No waits for help are open"),
    ],
)
def test_a_list_that_is_partly_hidden_is_not_told_as_whole(told: Told, title: str) -> None:
    assert figure(waiting, table("waiting", ("kind",), told)).title == title


@pytest.mark.parametrize(
    ("helped", "title", "used"),
    [
        (
            {"device,on-offer": 10, "device,being-helped": 20, "device,waiting": 90, "device,taken-on": "small"},
            "12 places are open, and about 30 people or more use one or are offered one",
            "30+",
        ),
        ({"device,on-offer": "small"}, "12 places are open; how many people use them is not shown", "some"),
        ({"device,helped": 30}, "12 places are open, and nobody uses one", "0"),
    ],
)
def test_beside_places_stand_those_who_use_them(helped: Told, title: str, used: str) -> None:
    made = figure(capacity, table("capacity", ("kind",), {"device": 12}), table("stages", ("kind", "stage"), helped))
    assert made.title == title
    assert made.rows[0] == ("A device", "12", used)


def test_of_three_words_two_are_crossed_and_the_third_is_added_up() -> None:
    told: Told = {"email,1,sent": 20, "email,2,sent": "small", "phone,2,sent": 30, "phone,2,failed": 10}
    notifications = table("notifications", ("channel", "rung", "told"), told)
    by_channel, by_rung = figure(page.NOTIFICATIONS, notifications), figure(page.RUNGS, notifications)
    assert by_channel.title == "People hear from us most often by phone"
    assert by_channel.rows == [("By phone", "30", "10"), ("By email", "20+", "0")]
    assert by_rung.rows == [("The first way", "20", "0"), ("The second way", "30+", "10")]


def test_at_most_three_are_named() -> None:
    told: Told = {
        f"device,{part}": 10 for part in ("Inner West", "Inner East", "Outer East", "Outer West", "Inner South")
    }
    made = figure(page.GAPS_BY_COMMITTEE, table("gaps", ("kind", "committee"), told))
    assert made.title == "Help is missing most in Inner West, Inner East, Outer East and 2 more, about as many each"


def test_awards_are_told_as_they_are() -> None:
    told = {"winter-2026,awarded": 3, "winter-2026,declined": 4, "winter-2026,withdrawn": 1}
    made = figure(page.APPLICATIONS, table("applications", ("round", "state"), told))
    assert made.title == "Applications that were awarded money: 3 of 8"
    assert made.rows == [("Digital inclusion fund 2026: winter-2026", "3", "4", "1")]
    assert "winter-2026" not in made.chart


def test_of_what_was_handed_over_no_more_is_said_than_is_known() -> None:
    made = figure(page.HANDED_OVER, table("handed-over", ("kind",), {"device": 30, "connectivity": "small"}))
    assert made.title == "A device or mobile data was handed over about 30 times or more"


@pytest.mark.parametrize(
    ("told", "title"),
    [
        (
            {"E05011400": 1_000_00, "city-wide": 3_000_00},
            "£1,000 of £4,000 is for single wards, most of all for Killingbeck & Seacroft",
        ),
        ({"city-wide": 3_000_00}, "All that was awarded is for the whole city"),
        ({"E05011400": 0}, "No grant money was awarded yet"),
    ],
)
def test_money_for_the_whole_city_is_for_no_ward(told: Told, title: str) -> None:
    assert figure(page.BY_WARD, table("grants-by-ward", ("ward",), told)).title == title


def test_there_is_no_figure_of_nothing() -> None:
    nowhere = table("grants-by-ward", ("ward",), {f"W{n}": 0 for n in range(9)})
    assert page.BY_WARD(Numbers({nowhere.name: nowhere}, NAMES, [MONTH.name])) is None


def test_what_is_hidden_is_no_share_of_nothing() -> None:
    need = table("needs", ("kind", "decile"), {"device,1": "kept-back", "device,2": 20, "device,3": 0})
    served = table("served", ("kind", "decile"), {"device,1": "small", "device,2": 10, "device,3": 0})
    made = figure(equity, need, served)
    assert made.rows[0] == ("Decile 1, the most deprived", "not shown", "not shown")
    assert made.rows[2] == ("Decile 3", "0%", "0%")


@pytest.mark.parametrize("path", ["/funders", "/scrutiny"])
def test_who_is_referred_is_where_funders_and_scrutiny_look_once_it_is_published(path: str) -> None:
    (shown,) = (each for each in PAGES if each.path == path)
    tables = published()
    wanted = {f"people-{word}" for word in ("circumstance", "age", "sex", "ethnicity", "disability")}
    for of, there in ((tables, wanted), ([each for each in tables if each.measure != "people"], set[str]())):
        html = page.render(shown, of, NAMES)
        made = re.findall(r'<section class="ff-figure[^>]*aria-labelledby="([^"]+)"', html)
        assert set(made) & wanted == there
        assert re.findall(r'href="#([^"]+)">', html) == made, "each is listed"


def test_each_month_of_a_list_has_a_name_of_its_own() -> None:
    waits = [each for each in published() if (each.measure, each.by) == ("waiting", ["kind"])]
    html = page.render(PAGES[-1], waits, NAMES)
    assert html.count(">as it stands") == 1
    assert ">end of September 2026<" in html


def test_what_was_corrected_is_named_as_people_name_months() -> None:
    metric = table("needs", ("kind",), {"device": 30})
    cells = [each.model_copy(update={"corrected": True, "was": 25}) for each in metric.cells]
    html = page.render(PAGES[0], [metric.model_copy(update={"cells": cells, "as_of": AT + timedelta(days=1)})], NAMES)
    assert "Corrected since they were first published: October 2026." in html


def test_what_tells_nothing_has_no_chart() -> None:
    same_day = figure(page.WAIT_BY_BAND, table("wait-half", ("band",), {"0-20": 0, "61-and-more": 0}))
    now = figure(waiting, table("waiting", ("kind",), {"device": 30}))
    assert (same_day.chart, now.chart) == ("", "")
    assert (len(same_day.rows), len(now.rows)) == (2, 1)
