"""One JSON line for each event: ids and codes only, never a payload, a value or a name."""

import logging
import sys
import traceback
from pathlib import Path
from typing import TextIO

import structlog

AGAIN_AFTER = 10.0
SENTENCES_AT_MOST = 1000


def configure(service: str, to: TextIO | None = None) -> None:
    """Sends our log and those of the libraries to a stream, else to standard output. Libraries speak from warning on.

    An exception is told by its type and its place in the code. Its text can repeat a value that came in,
    so it is left out.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _exception_without_text,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(to or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    handler.addFilter(Sparse())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("furthest").setLevel(logging.INFO)
    logging.getLogger("faststream").setLevel(logging.ERROR)
    structlog.contextvars.bind_contextvars(service=service)


class Sparse(logging.Filter):
    """Lets a sentence of a library through once in 10 seconds: without Kafka, aiokafka says the same one a hundred
    times a second. What we say ourselves always passes."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("furthest"):
            return True
        sentence = record.name, str(record.msg)
        if record.created - self._said.get(sentence, 0.0) < AGAIN_AFTER:
            return False
        if len(self._said) >= SENTENCES_AT_MOST:
            self._said.clear()
        self._said[sentence] = record.created
        return True


def logger(name: str) -> structlog.stdlib.BoundLogger:
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(f"furthest.{name}")
    return bound


def _exception_without_text(
    _logger: structlog.typing.WrappedLogger, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["at"] = where(error)
    return event


def where(error: BaseException) -> str:
    """File and line where an error was raised, last call of ours first; none of its text."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    ours = [(code, line) for code, line in frames if "/lib/python" not in code.co_filename]
    places = [f"{Path(code.co_filename).name}:{line}:{code.co_name}" for code, line in (ours or frames)[-5:]]
    return " < ".join(reversed(places))


def rule_of(error: BaseException) -> str:
    """What a dead letter says of an error of ours: its type and its place, at most 300 characters."""
    return f"{type(error).__name__} at {where(error)}"[:300]
