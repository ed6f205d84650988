"""Why somebody waits: asked by the referrer, looked at again by staff."""

from services.referrals.handlers.reviews import AnswerReview, AskForReview
from tests.referrals.acting import BY_STAFF, refer, rules
from tests.support import Stage


async def test_a_review_is_asked_once_answered_by_staff_and_kept(on_stage: Stage) -> None:
    need = (await refer(on_stage)).needs[0].need_id
    ask, answer = AskForReview(need_id=need, why="Two barriers were left out."), {**BY_STAFF, "need_id": need}
    assert not rules(await on_stage.receive("gp-armley", ask))
    assert rules(await on_stage.receive("gp-armley", ask)) == ["illegal-move"]
    assert rules(await on_stage.receive("food-bank", ask)) == ["not-found"]
    found = AnswerReview.model_validate({**answer, "answer": "Corrected."})
    assert not rules(await on_stage.result(found))
    assert rules(await on_stage.result(found)) == ["not-found"]
    (row,) = await on_stage.rows("select asked_by, answered_by, answer from review")
    assert row == {"asked_by": "gp-armley", "answered_by": "ann", "answer": "Corrected."}
    assert not rules(await on_stage.receive("gp-armley", ask))
