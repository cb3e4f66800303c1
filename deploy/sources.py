"""``chips sources``: the file of those who may send."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from cyclopts import App

from deploy.exits import Exit, finish, told
from deploy.process import settings_here
from deploy.terminal import say
from deploy.trying_source import try_source
from gateway.sources.loading import load
from gateway.sources.passcodes import Passcode
from gateway.sources.rules import Rule
from streams.errors import Misconfigured, Rejected
from streams.settings import Settings

sources = App(name="sources", help="Who may send.")


@sources.command
def check(file: Path | None = None) -> int:
    """Read a file of sources as the gateway would, and tell what it says.

    Parameters
    ----------
    file
        CHIPS_SOURCES_FILE when not given.
    """
    return told(lambda: _check(file))


@sources.command
def test(name: str) -> int:
    """Ask a source for a C-ECHO where its `reply` says, and tell what stands in the way; pages show it, too.

    Run it where the gateway runs. Ends with 0 when the source answered, with 1 when not.

    Parameters
    ----------
    name
        Of a source in the file of sources.
    """
    return finish(try_source(name))


@sources.command
def passcode() -> int:
    """Ask for a passcode and print what stands for it in the file of sources.

    Without a terminal it is the first line of the standard input.
    """
    return told(_passcode)


def _check(file: Path | None) -> int:
    settings = settings_here().settings
    named = file or Path(settings.sources_file)
    if named == Path():
        raise Misconfigured("There is no file of sources: name one, or set CHIPS_SOURCES_FILE.")
    rules = load(named)
    for rule in rules.sources:
        say(_told(rule))
        if rule.certificates and not _asks_certificates(settings):
            say(f"  Nobody is {rule.source.name}: it names certificates, and no port asks for them (TLS).")
    say(f"Others: {'come in' if rules.unknown else 'are sent away'}.")
    return Exit.OK


def _asks_certificates(settings: Settings) -> bool:
    return bool(settings.dicom_tls_certificate_file) and settings.dicom_tls_client_certificate != "none"


def _passcode() -> int:
    if sys.stdin.isatty():
        text = getpass.getpass("Passcode: ")
        if getpass.getpass("Again: ") != text:
            raise Rejected("The two passcodes differ.")
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    if not text:
        raise Rejected("A passcode has at least one character; without one leave it out of the file.")
    say(str(Passcode.new(text.encode())))
    return Exit.OK


def _told(rule: Rule) -> str:
    source = rule.source
    who = [
        *(f"AE {title}" for title in sorted(rule.calling_ae)),
        *(f"to {title}" for title in sorted(rule.called_ae)),
        *map(str, rule.networks),
        *(f"certificate {digest[:16]}…" for digest in sorted(rule.certificates)),
        *(["one of its users"] if rule.users else []),
    ]
    may = [
        word
        for word, is_so in (
            ("store", source.may_store),
            ("commit", source.may_commit),
            ("echo", source.may_echo),
        )
        if is_so
    ]
    limits = [f"{name} {value:g}" for name, value in source.allowance._asdict().items() if value is not None]
    said = [f"{source.name}: {', '.join(who)}", f"may {', '.join(may) or 'nothing'}"]
    said += [f"project {source.project}"] if source.project else []
    said += [f"at most {', '.join(limits)}"] if limits else []
    return "; ".join(said)
