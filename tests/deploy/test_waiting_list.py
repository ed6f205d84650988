"""A row of an old waiting list is sent under an id of its own, whatever its reference is."""

import json
from pathlib import Path

import httpx2
import pytest

from chassis.decode import is_submission_id
from deploy.desk import Desk
from deploy.waiting_list import take_over


@pytest.mark.parametrize("reference", ["GP-1042", "ABCDEF-123456789012", "Zoë's mother", ""])
def test_a_row_is_asked_for_under_the_same_id_each_time(tmp_path: Path, reference: str) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.headers["Idempotency-Key"])
        return httpx2.Response(202)

    file = tmp_path / "list.jsonl"
    file.write_text(json.dumps({"reference": reference, "received_on": "2026-01-05"}))
    with httpx2.Client(base_url="http://referrals", transport=httpx2.MockTransport(answer)) as http:
        for partner in ("p" * 40, "p" * 40, "gp-armley"):
            take_over(file, partner, "Moved here.", Desk("referrals", http, "a-key"), lambda line: None)
    assert asked[0] == asked[1] != asked[2]
    assert all(map(is_submission_id, asked))
