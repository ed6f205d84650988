"""The page of messages tells all of the catalogue, can be read by everybody, and asks nothing of the internet."""

import re
from html.parser import HTMLParser
from itertools import pairwise

from contracts.asyncapi import topics
from contracts.message import MESSAGES
from services.referrals.pages import messages

PAGE = messages.render()


class Seen(HTMLParser):
    """What a page is made of: tags with their attributes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(PAGE)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def named(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in tags]


SEEN = Seen()
IDS = [attributes["id"] for _, attributes in SEEN.tags if "id" in attributes]


def test_every_message_has_an_anchor_its_facts_fields_and_example() -> None:
    for kind, model in MESSAGES.items():
        assert IDS.count(kind) == 1
        article = PAGE.split(f'id="{kind}"')[1].split("</article>")[0]
        assert f"<code>{model.spec.key}</code>" in article
        assert messages.DATA[model.spec.data_class] in article
        assert f"Fields of {model.spec.name}" in article
        for name in model.model_fields:
            assert f"<code>{name}</code>" in article
        assert "<pre" in article


def test_fields_of_what_a_message_holds_are_told_with_their_rules() -> None:
    article = PAGE.split('id="furthest.partner.ReferralSubmitted.v1"')[1].split("</article>")[0]
    row = re.search(r"<tr><th[^>]*><code>needs\[\]\.languages</code></th>(.*?)</tr>", article)
    assert row
    assert "list, at most 10 entries; each: text; pattern <code>^[a-z]{2,3}" in row[1]
    assert "<td>no</td>" in row[1]


def test_every_topic_is_told_with_its_partitions_and_retention() -> None:
    assert set(messages.WHAT_IT_HOLDS) == {topic.name for topic in topics()}
    for topic in topics():
        name = topic.name.replace("*", "&lt;your id&gt;")
        row = PAGE.split(f"<code>{name}</code></a></th>")[1].split("</tr>")[0]
        assert row.endswith(f"<td>{topic.partitions}</td><td>{topic.kept}</td>")


def test_it_asks_nothing_of_the_internet_and_runs_nothing() -> None:
    assert not SEEN.named("script", "img", "link", "iframe", "object")
    links = [attributes["href"] or "" for attributes in SEEN.named("a")]
    assert {link for link in links if not link.startswith("#")} == {"/asyncapi.json", "/docs"}
    assert "url(" not in messages.STYLE
    assert "default-src 'none'" in messages.HEADERS["Content-Security-Policy"]


def test_every_link_within_the_page_leads_somewhere_and_no_name_is_used_twice() -> None:
    assert len(IDS) == len(set(IDS))
    links = [attributes["href"] or "" for attributes in SEEN.named("a")]
    labels = [attributes["aria-labelledby"] for _, attributes in SEEN.tags if "aria-labelledby" in attributes]
    assert {link[1:] for link in links if link.startswith("#")} | set(labels) <= set(IDS)


def test_it_has_landmarks_headings_in_steps_and_captions() -> None:
    assert [len(SEEN.named(landmark)) for landmark in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    levels = [int(tag[1]) for tag, _ in SEEN.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(SEEN.named("caption")) == len(SEEN.named("table")) == len(MESSAGES) + 1
    assert all("scope" in attributes for attributes in SEEN.named("th"))
    assert SEEN.named("html") == [{"lang": "en-GB"}]
