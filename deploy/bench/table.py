"""The table for people: each figure, beside what it is to be held against."""

from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Column, Table


def show_table(console: Console, document: dict[str, Any]) -> None:
    table = Table("", "figure", Column("measured", justify="right"), "baseline", box=None)
    for row in _rows(document):
        table.add_row(*row)
    machine = document["machine"]
    console.print(table)
    console.print(
        f"\nMedians of {document['rounds']} rounds on {machine['cpus']} processors shared by everything, "
        f"{machine['memory_gb']} GB, Python {machine['python']}."
    )


def _rows(document: dict[str, Any]) -> list[tuple[str, ...]]:
    per_s, raw = document["per_s"], document["raw"]
    rows = [
        ("a", "the raw line", _speed(per_s.get("raw")), "is one"),
        ("b", "the naive line", _speed(per_s.get("naive")), "is one"),
        ("c", "our hop", _speed(per_s.get("hop")), _hop(document)),
        ("d", "our relay", _speed(per_s.get("relay")), _relay(document)),
        ("e", "whole pipeline, by Kafka", _speed(document.get("pipeline_per_s")), _processor(raw, "pipeline")),
        *_steady(raw),
        ("f", "whole pipeline, by HTTP", _speed(document.get("http_per_s")), _processor(raw, "http")),
        *_latency(document),
        *_cost(document),
        *_memory(document),
        ("j", "facts into reporting", _speed(per_s.get("projection")), _projection(document)),
        *_page(document),
        *_telling(document),
        *_burst(document),
        *_next_up(document),
        *_matches(document),
    ]
    return [row for row in rows if row[2]]


def _speed(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}/s"


def _hop(document: dict[str, Any]) -> str:
    if "hop_vs_raw" not in document:
        return ""
    return f"{document['hop_vs_raw']:.2f} of the raw line, {document['hop_vs_naive']:.0f} times the naive line"


def _relay(document: dict[str, Any]) -> str:
    if "relay_vs_producer" not in document:
        return ""
    return (
        f"{document['relay_vs_producer']:.2f} of a bare idempotent producer ({_speed(document['per_s']['producer'])})"
    )


def _processor(raw: dict[str, Any], name: str) -> str:
    """The processor time of a referral, of all processes together: two processors have 2,000 ms a second."""
    if f"{name}_cpu_ms" not in raw:
        return ""
    used = [sum(of_round.values()) for of_round in raw[f"{name}_cpu_ms"]]
    return f"{median(used):.1f} ms of processor time a referral, servers included"


def _steady(raw: dict[str, Any]) -> list[tuple[str, ...]]:
    if "steady" not in raw:
        return []
    seen = raw["steady"]
    lag = f"lag {seen['lag_first_half']:,.0f} then {seen['lag_second_half']:,.0f} records, at most {seen['lag_most']:,}"
    return [("", f"steadily for {seen['seconds']:.0f} s", _speed(seen["per_s"]), lag)]


def _latency(document: dict[str, Any]) -> list[tuple[str, ...]]:
    if "latency_ms" not in document:
        return []
    p50, p99 = (document["latency_ms"][name] for name in ("p50", "p99"))
    of = f"of {len(document['raw']['latency_ms'])}, from HTTP request to visible in reporting"
    return [("g", "one referral, idle system", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms", of)]


def _cost(document: dict[str, Any]) -> list[tuple[str, ...]]:
    if "cost_1m_vs_10k" not in document:
        return []
    few, many = (f"{document['raw']['cost'][size]['stored']:,}" for size in ("few", "many"))
    cost = document["cost_1m_vs_10k"]
    measured = f"time {cost['time']:.2f}, WAL {cost['wal']:.2f}, buffers {cost['buffers']:.2f}"
    return [("h", "cost of a referral", measured, f"with {many} stored, of that with {few}")]


def _projection(document: dict[str, Any]) -> str:
    return f"{document['projection_vs_raw']:.2f} of the raw line" if "projection_vs_raw" in document else ""


def _page(document: dict[str, Any]) -> list[tuple[str, ...]]:
    if "page_ms" not in document:
        return []
    p50, p99, page = document["page_ms"]["p50"], document["page_ms"]["p99"], document["raw"]["cost"]["page"]
    of = f"over {page['stored']:,} referrals; to publish them all took {page['publish_s']:.1f} s"
    return [("k", "the page of numbers", f"p50 {p50:.0f} ms, p99 {p99:.0f} ms", of)]


def _telling(document: dict[str, Any]) -> list[tuple[str, ...]]:
    if "telling" not in document:
        return []
    seen = document["telling"]
    meanwhile = f"meanwhile {_speed(seen['sent_per_s'])} left, {seen['at_once']:.0f} at once, 50 ms each"
    return [("l", "messages planned", _speed(seen["planned_per_s"]), meanwhile)]


def _burst(document: dict[str, Any]) -> list[tuple[str, ...]]:
    if "burst" not in document:
        return []
    seen = document["burst"]
    taken = f"{seen['applications']:,} in {seen['seconds']:.0f} s"
    told = f"none lost; about the deadline {seen['in_time']} were in time and {seen['late']} late, to the second"
    return [("m", "applications in a burst", taken, told)]


def _next_up(document: dict[str, Any]) -> list[tuple[str, ...]]:
    if "next_up_ms" not in document:
        return []
    slowest, took = max(document["next_up_ms"].items(), key=lambda item: item[1])
    each = ", ".join(f"{sort} {ms:.1f}" for sort, ms in document["next_up_ms"].items() if sort != slowest)
    of = f"of PostgreSQL's time for a place {slowest}, {document['waiting']:,} wait; {each}"
    return [("n", "who is next", f"{took:.1f} ms", of)]


def _matches(document: dict[str, Any]) -> list[tuple[str, ...]]:
    if "matches" not in document:
        return []
    seen = document["matches"]
    of = f"of processor time for {seen['needs']:,} needs and as many places; {seen['served']:,} are served"
    return [("o", "all of a city at once", f"{seen['seconds']:.2f} s", of)]


def _memory(document: dict[str, Any]) -> list[tuple[str, ...]]:
    if "rss_mb" not in document:
        return []
    return [
        ("i", f"memory of {service}", f"{used:.0f} MB", "resident, after the load")
        for service, used in document["rss_mb"].items()
    ]
