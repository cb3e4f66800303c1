"""Structured logs: one JSON line an event, with correlation ids, without what identifies a patient."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog
from structlog.types import EventDict, WrappedLogger

FORBIDDEN = frozenset(
    {
        "patient_name",
        "patient_id",
        "patient_birth_date",
        "accession_number",
        "study_instance_uid",
        "series_instance_uid",
        "sop_instance_uid",
        "password",
        "token",
        "cookie",
    }
)
"""Keys that never reach a log, whoever passes them: a second line of defence, not the first."""


def configure(level: str, process: str) -> None:
    """Send structlog and the standard library's logging to standard error as JSON lines."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_forbidden,
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            lambda _, __, line: {"process": process, **line},
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                lambda _, __, line: {"process": process, **line},
                structlog.processors.JSONRenderer(serializer=_dumps),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def _dumps(line: Any, **_: Any) -> str:
    return orjson.dumps(line, default=str).decode()


def _drop_forbidden(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    for key in FORBIDDEN & line.keys():
        del line[key]
    return line
