"""Who may apply, with what, and who looks like somebody else."""

from io import BytesIO
from uuid import UUID
from zipfile import ZipFile

import pytest

from contracts.grants import Question, RoundRules
from contracts.refusal import FieldError
from services.grants.domain.attachments import AT_MOST_BYTES, media_type_of
from services.grants.domain.duplicates import Seen, duplicates
from services.grants.domain.eligibility import Standing, eligibility_errors
from services.grants.domain.organisation import OrganisationId, organisation_id

CHARITY = organisation_id("GB-CHC-1110522")
GROUP = organisation_id("armley-knitters")
RULES = RoundRules(
    questions=[
        Question(code="leeds", text="Is the project in Leeds?", must="yes"),
        Question(code="profit", text="Does it make a profit?", must="no"),
        Question(code="new", text="Is it new?"),
    ]
)


def errors(organisation: OrganisationId, standing: Standing, **answers: str) -> list[tuple[str, str]]:
    found = eligibility_errors(RULES, {"leeds": "yes", "profit": "no", "new": "no", **answers}, organisation, standing)
    return [(error.field, error.rule) for error in found]


def test_who_answers_as_the_fund_needs_is_eligible() -> None:
    assert errors(CHARITY, Standing()) == []


def test_every_reason_is_told_at_once() -> None:
    assert errors(GROUP, Standing(), leeds="no", profit="yes", colour="yes") == [
        ("answers", "unknown-question"),
        ("answers.leeds", "not-eligible"),
        ("answers.profit", "not-eligible"),
        ("standing", "unregistered-group"),
    ]


def test_a_question_that_is_not_answered_is_asked_again() -> None:
    (error,) = eligibility_errors(
        RoundRules(questions=[Question(code="new", text="Is it new?")]), {}, CHARITY, Standing()
    )
    assert (error.rule, error.message) == ("missing", "This is not answered: Is it new?")


@pytest.mark.parametrize(
    "standing", [Standing(host="GB-CHC-1110522"), Standing(two_signatories=True), Standing(in_kind=True)]
)
def test_a_group_on_no_register_is_welcome_where_the_money_is_safe(standing: Standing) -> None:
    assert errors(GROUP, standing) == []


def seen(n: int, organisation: str, name: str, title: str) -> Seen:
    return Seen(UUID(int=n), organisation, name, title)


def test_organisations_that_go_by_one_name_number_or_title_are_flagged() -> None:
    found = duplicates(
        [
            seen(1, "GB-CHC-1110522", "The Armley Helping Hands Trust", "Tablets"),
            seen(2, "GB-COH-07132758", "Armley helping hands Ltd.", "Courses"),
            seen(3, "360G-furthest-first-1110522", "Somebody", "Champions"),
            seen(4, "GB-CHC-1151621", "Holbeck Together", "COURSES!"),
            seen(5, "GB-CHC-1151622", "Holbeck Alone", "Nothing alike"),
        ]
    )
    assert {key.int: [each.int for each in those] for key, those in found.items()} == {
        1: [2, 3],
        2: [1, 4],
        3: [1],
        4: [2],
    }


def zipped(member: str) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr(member, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("accounts 2025.pdf", b"%PDF-1.7 ...", "application/pdf"),
        ("room.png", b"\x89PNG\r\n\x1a\n...", "image/png"),
        ("room.jpeg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("budget.csv", b"what,cost\n", "text/csv"),
        ("plan.odt", zipped("content.xml"), "application/vnd.oasis.opendocument.text"),
    ],
)
def test_a_file_that_is_what_it_says_is_taken(name: str, content: bytes, media_type: str) -> None:
    assert media_type_of(name, content) == media_type


@pytest.mark.parametrize(
    ("name", "content", "rule"),
    [
        ("accounts.pdf", b"MZ\x90 a program", "file-content"),
        ("accounts.pdf", b" %PDF-1.7", "file-content"),
        ("plan.docx", zipped("evil.bin"), "file-content"),
        ("plan.docx", b"PK\x03\x04 broken", "file-content"),
        ("budget.csv", b"\xff\xfe\x00", "file-content"),
        ("page.html", b"<script>", "file-type"),
        ("../../etc.pdf", b"%PDF-", "file-name"),
        ('a".pdf', b"%PDF-", "file-name"),
        ("accounts.pdf", b"", "file-size"),
        ("accounts.pdf", b"%PDF-" + b" " * AT_MOST_BYTES, "file-size"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(name: str, content: bytes, rule: str) -> None:
    refused = media_type_of(name, content)
    assert isinstance(refused, FieldError)
    assert refused.rule == rule
