"""The report as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from rich.table import Table
from rich.text import Text

from deploy.status.report import MOST_JOBS, MOST_LETTERS, Agent, Disk, Process, Report, counted
from deploy.terminal import console, say

STYLES = {"ok": "green", "waiting": "yellow", "away": "dim", "unknown": "dim"}
GIB = 2**30


def show(report: Report, wrong: Sequence[str]) -> None:
    """Print it: processes, what waits, room, versions, and last what needs a person."""
    console.print(_processes(report.processes))
    console.print(_agents(report.agents))
    console.print(_work(report))
    console.print(_disks(report.disks))
    console.print(_versions(report))
    for line in wrong:
        say(f"! {line}")
    if not wrong:
        say("Nothing needs a person.")


def _table(title: str, *columns: str) -> Table:
    return Table(*columns, title=title, title_justify="left", title_style="bold")


def _processes(processes: Sequence[Process]) -> Table:
    table = _table("Processes on this machine", "process", "port", "state", "says")
    for one in processes:
        state = Text(one.state, style=STYLES[one.state])
        table.add_row(one.name, str(one.port or "-"), state, Text("; ".join(one.says)))
    return table


def _agents(agents: Sequence[Agent]) -> Table:
    table = _table("Agents", "agent", "waiting", "by topic", "dead letters", "parked keys")
    for one in agents:
        topics = ", ".join(f"{topic} {count}" for topic, count in sorted(one.waiting.items()))
        letters = "?" if one.letters is None else counted(one.letters, MOST_LETTERS)
        parked = "?" if one.parked is None else str(one.parked)
        waiting = str(sum(one.waiting.values())) if one.waiting else "?"
        table.add_row(one.name, waiting, topics, letters, parked)
    return table


def _work(report: Report) -> Table:
    table = _table("Work", "what", "how many", "")
    journal, jobs = report.journal, report.jobs
    if journal is None or journal.backlog is None:
        backlog, says = "?", "not visible here: the vault is the inner zone's"
    else:
        backlog, says = str(journal.backlog), "acknowledged, not yet on the bus"
    table.add_row("images in the gateway's journal", backlog, says)
    oldest = ""
    if jobs and jobs.oldest:
        oldest = f"the oldest for {timedelta(seconds=int((report.at - jobs.oldest).total_seconds()))}"
    table.add_row("open jobs", counted(jobs.open, MOST_JOBS) if jobs else "?", oldest)
    return table


def _disks(disks: Sequence[Disk]) -> Table:
    table = _table("Room", "of", "at", "free GiB", "of GiB", "")
    for one in disks:
        low = Text("below the reserve" if one.low else "", style="red")
        table.add_row(
            ", ".join(one.what), one.path, f"{one.free_bytes / GIB:.1f}", f"{one.total_bytes / GIB:.1f}", low
        )
    return table


def _versions(report: Report) -> Table:
    table = _table("Versions", "what", "version")
    table.add_row("bus", report.bus)
    table.add_row("store", report.store)
    if report.format:
        written = f", written by CHIPS {report.format.written_by}" if report.format.written_by else ""
        found = "none" if report.format.found is None else str(report.format.found)
        table.add_row("data format", f"{found} (this CHIPS: {report.format.ours}){written}")
    for name, version in report.versions.items():
        table.add_row(name, version)
    return table
