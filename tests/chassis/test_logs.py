import logging

from chassis.logs import Sparse


def said(name: str, text: str, at: float) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.WARNING, "file", 1, text, (), None)
    record.created = at
    return record


def test_a_library_that_repeats_itself_is_heard_once_in_a_while() -> None:
    sparse = Sparse()
    heard = [at for at in range(100, 125) if sparse.filter(said("aiokafka", "Unable to connect", at))]
    assert heard == [100, 110, 120]


def test_another_sentence_is_heard_at_once() -> None:
    sparse = Sparse()
    assert [sparse.filter(said("aiokafka", text, 100)) for text in ("one", "two", "one")] == [True, True, False]


def test_what_we_say_ourselves_always_passes() -> None:
    sparse = Sparse()
    assert all(sparse.filter(said("furthest.relay", "relay_rebuilt", 100)) for _ in range(3))
