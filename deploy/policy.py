"""De-identification policies: the ready ones, documents of your own, and what they do to a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Group
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from agents.anonymization.installed import installed_tools
from agents.anonymization.policy import schema as schemas
from agents.anonymization.policy.cautions import cautions
from agents.anonymization.policy.choosing import chosen, is_path
from agents.anonymization.policy.describing import OPTIONS, outcomes, title
from agents.anonymization.policy.document import Policy
from agents.anonymization.policy.problems import WrongPolicy
from agents.anonymization.policy.reading import read_file
from agents.anonymization.policy.ready import NAMES, document_named, policy_named
from agents.anonymization.showing import printable
from agents.anonymization.trial import trial
from deploy.exits import Exit
from deploy.terminal import console, say
from deploy.trial_table import counted, print_trial
from gateway.identity import SECRET_BYTES, ProjectKey
from streams.errors import Rejected, Unavailable

TEST_KEY = ProjectKey(project="test", secret=bytes(SECRET_BYTES))


def show_all(*, as_json: bool) -> int:
    """Print the ready policies."""
    if as_json:
        return _json([_summary(policy_named(name)) for name in NAMES])
    for name in NAMES:
        policy = policy_named(name)
        options = f"Options: {', '.join(sorted(policy.options)) or 'none'}."
        console.print(Text(f"{name:<10} {policy.label}", style="bold"))
        console.print(Padding(Group(_plain(policy.description), options), (0, 0, 1, 2)))
    return Exit.OK


def show(name: str, *, document: bool, as_json: bool) -> int:
    """Print one policy.

    Raises
    ------
    streams.errors.Rejected
        When there is none, or it can't be followed.
    """
    policy = chosen(name)
    if document:
        sys.stdout.write((Path(name).read_bytes() if is_path(name) else document_named(name)).decode())
        return Exit.OK
    if as_json:
        return _json({**_summary(policy), "document": policy.document(), "digest": policy.digest})
    say(f"{policy.label}   digest {policy.digest}")
    if policy.description:
        say(str(_plain(policy.description)))
    console.print(_options(policy))
    if policy.attributes:
        table = Table("attribute", "action", "value", "why", title="Exceptions", title_justify="left")
        for attribute, override in sorted(policy.attributes.items()):
            table.add_row(attribute, override.action, _plain(override.value or "-"), _plain(override.why))
        console.print(table)
    for line in _others(policy):
        say(line)
    say(f"Of the {sum(outcomes(policy).values())} attributes of Table E.1-1: {counted(outcomes(policy))}.")
    return Exit.OK


def check(file: Path) -> int:
    """Print whether a document can be followed; `Exit.NO` when not.

    Raises
    ------
    streams.errors.Rejected
        When there is no such file, or it can't be read.
    """
    try:
        policy = read_file(file)
    except WrongPolicy as wrong:
        for problem in wrong.problems:
            say(f"{file}: {wrong.told(problem)}")
        return Exit.NO
    for caution in cautions(policy):
        say(f"Mind: {f'{caution.path}: ' if caution.path else ''}{caution.says}")
    say(f"{file} can be followed: {policy.label}")
    return Exit.OK


def schema() -> int:
    """Print the JSON Schema."""
    sys.stdout.write(schemas.encoded().decode())
    return Exit.OK


def test(file: Path, *, policy: str, key: ProjectKey | None, values: bool, as_json: bool) -> int:
    """Print what a policy does to a file; `Exit.NO` when it stays in quarantine.

    Parameters
    ----------
    key
        The project's; None: one for tests.

    Raises
    ------
    streams.errors.Rejected
        When there is no such file or policy, or a tool that the policy asks for is not installed.
    streams.errors.Unavailable
        When the file can't be read.
    """
    followed = chosen(policy)
    if not file.is_file():
        raise Rejected(f"There is no file {file}: name a DICOM file.")
    try:
        tools = installed_tools(followed)
        found = trial(file, key=key or TEST_KEY, policy=followed, values=values, tools=tools)
    except OSError as error:
        raise Unavailable(f"{file} can't be read: {error.strerror}.") from error
    if as_json:
        _json(msgspec.to_builtins(found))
    else:
        print_trial(found, values=values)
        if key is None and found.lines:
            say("Pseudonyms, UIDs and moved dates are of a key for tests: give yours with --key-file.")
    return Exit.OK if found.outcome == "anonymized" else Exit.NO


def _options(policy: Policy) -> Table:
    option_names = Column("option", no_wrap=True)
    table = Table(option_names, "", "PS3.15", "what it does", title="Options", title_justify="left")
    for option, words in OPTIONS.items():
        on = option in policy.options
        table.add_row(
            Text(option, style="bold" if on else "dim"),
            Text("on" if on else "off", style="green" if on else "dim"),
            words.section,
            Text(f"{title(option)}. {words.says}", style="" if on else "dim"),
        )
    return table


def _plain(text: str) -> Text:
    """Give a document's text as it stands: no markup, nothing that a terminal acts on."""
    return Text(printable(" ".join(text.split())))


def _others(policy: Policy) -> list[str]:
    """Say what is set beside options and exceptions, a line each."""
    found = []
    if "retain_longitudinal_modified_dates" in policy.options:
        found.append(f"Dates move back by 1 to {policy.dates.at_most_days} days.")
    if policy.pseudonyms.prefix:
        found.append(f"Pseudonyms of patients begin with {policy.pseudonyms.prefix}.")
    if policy.regions:
        found.append(f"{len(policy.regions)} rules say where devices draw text.")
    for name, why in sorted(policy.safe_private.items()):
        found.append(f"Private {name} stays: {_plain(why)}")
    held = [*policy.quarantine.modalities, *policy.quarantine.sop_classes]
    if held:
        found.append(f"These stay in, whatever else is decided: {', '.join(held)}.")
    if policy.encrypt_for:
        found.append(f"Original attributes are encrypted for {len(policy.encrypt_for)} certificates.")
    return found


def _summary(policy: Policy) -> dict[str, Any]:
    return {
        "name": policy.name,
        "version": policy.version,
        "label": policy.label,
        "description": policy.description,
        "options": {
            option: {"section": words.section, "title": title(option), "on": option in policy.options}
            for option, words in OPTIONS.items()
        },
        "table": outcomes(policy),
    }


def _json(value: object) -> int:
    say(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    return Exit.OK
