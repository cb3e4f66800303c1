"""``chips``: the one command.

A command imports what it needs when it runs, so that ``chips send`` does not wait for Faust. Commands with
many parameters, and groups of commands, are modules of their own; groups are named by where they lie, and
imported when they run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from deploy.anonymize_cli import anonymize
from deploy.exits import Exit, finish, told
from deploy.replay_cli import replay
from streams import logs
from streams.version import version

app = App(
    name="chips",
    help=(
        "Collect medical images from hospital archives, take out who the patient is, measure them in "
        "containers, and look at the results together, live.\n\n"
        "Begin with `chips up`, then send images to the address it prints. "
        "`chips config show` lists every setting."
    ),
    help_format="markdown",
    version=version,
    version_flags=["--version"],
)

# -- the product


@app.command
def up() -> int:
    """Start CHIPS on this machine: gateway, agents, runner and page; Ctrl-C stops all.

    Engines are embedded unless CHIPS_BUS and CHIPS_STORE name real ones. A process that dies is started
    again. Needs no study: send some with `chips send`, dcmtk's storescu or your PACS.
    """
    from deploy.up import up as work

    return work()


@app.command
def demo(
    *,
    once: Annotated[bool, Parameter(negative="")] = False,
    keep: Path | None = None,
) -> int:
    """Start CHIPS, send it real studies and a phantom over DICOM, and tell what arrived.

    Parameters
    ----------
    once
        Stop by itself; exit status 0 only if every series is measured, or has its reason not to be.
    keep
        Keep the data in this folder instead of a temporary one.
    """
    from deploy.demo.run import demo as work

    return work(once=once, keep=keep)


@app.command
def send(
    *paths_and_target: str,
    called_ae: str = "CHIPS",
    calling_ae: str = "CHIPS-SEND",
    associations: int = 1,
    retries: int = 5,
    manifest: Path = Path("chips-send.jsonl"),
    tls_ca: Path | None = None,
    tls_certificate: Path | None = None,
    tls_key: Path | None = None,
) -> int:
    """Send files and folders: `chips send PATH… HOST:PORT`.

    Shows progress, tries again what was not acknowledged, and goes on where it stopped: what the other side
    acknowledged stands in the manifest.

    Parameters
    ----------
    paths_and_target
        Files or folders, and last the HOST:PORT to send to.
    called_ae, calling_ae
        AE titles, theirs and ours.
    associations
        How many associations to send on side by side.
    retries
        How often an image is tried again.
    manifest
        JSON lines of what was acknowledged.
    tls_ca
        Send over TLS, to a receiver whose certificate one of these authorities (PEM) signed.
    tls_certificate, tls_key
        Our certificate (PEM) and its key, where the receiver asks for one.
    """
    from deploy.send import Tls
    from deploy.send import send as work

    return work(
        paths_and_target,
        called_ae=called_ae,
        calling_ae=calling_ae,
        associations=associations,
        retries=retries,
        manifest=manifest,
        tls=Tls(tls_ca, tls_certificate, tls_key),
    )


app.command(anonymize)


@app.command(name="import")
def bring_in(
    *paths: Path,
    manifest: Path = Path("chips-import.jsonl"),
    origin: str = "import",
    watch: Annotated[bool, Parameter(negative="")] = False,
    quiet_s: float = 5.0,
) -> int:
    """Import files, folders, zip archives and DICOMDIRs: `chips import PATH…`. Inner zone.

    The gateway must be running; what is imported takes the way of what comes over the network. The same call
    goes on where it was stopped: what was stored stands in the manifest.

    Parameters
    ----------
    paths
        Files, folders at any depth, zip archives, DICOMDIRs.
    manifest
        JSON lines of what was stored. It has UIDs of originals, so IT IDENTIFIES.
    origin
        The source's name on cards, at most 64 characters.
    watch
        Go on until stopped, with what comes into the folders.
    quiet_s
        How long a file of a watched folder must stand still, s.
    """
    from deploy.importing import bring_in as work

    return work(paths, manifest=manifest, origin=origin, watch=watch, quiet_s=quiet_s)


@app.command
def announce(
    series_uid: str,
    *,
    instances: int | None = None,
    listed: Annotated[Path | None, Parameter(name="--list")] = None,
) -> int:
    """Say how many images a series has, or which, so that CHIPS can tell when it is whole (inner zone).

    Before they are sent or after; the last count that was told holds, lists add up. UIDs turn into pseudonyms
    here, so that nothing else sees them.

    Parameters
    ----------
    series_uid
        Series Instance UID.
    instances
        How many images it has.
    listed
        A file of its SOP Instance UIDs, one a line.
    """
    from deploy.announce import announce as work

    return finish(work(series_uid, instances=instances, listed=listed))


# -- single processes, for machines and clusters


@app.command
def gateway() -> int:
    """Run the hospital's door alone: DICOM storage, journal, vault. Inner zone."""
    from deploy import process
    from deploy.gateway import work

    return process.run("gateway", work)


@app.command
def agents(*names: str) -> int:
    """Run agents alone; all of them when none is named.

    Parameters
    ----------
    names
        arrivals, anonymization (inner zone), dispatch, feeds (outer zone).
    """
    from deploy.agents import run_agents

    return run_agents(names)


@app.command
def runner() -> int:
    """Run work orders in containers on this machine."""
    from deploy import process
    from deploy.runner import work

    return process.run("runner", work)


@app.command
def ui() -> int:
    """Serve the page alone."""
    from deploy import process
    from ui.run import run

    return process.run("ui", run)


# -- keeping it


@app.command
def migrate() -> int:
    """Make or upgrade topics and tables; the only command that does."""
    from deploy.migrate import migrate as work

    return finish(work())


@app.command
def status(*, json: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Tell how CHIPS is: processes, what waits, dead letters, room on disk, versions.

    Exit status 0 when nothing needs a person, 1 when something does.

    Parameters
    ----------
    json
        As one JSON object, for scripts.
    """
    from deploy.status.command import status as work

    return finish(work(as_json=json))


app.command(replay)
app.command(
    "deploy.engines_cli:engines",
    name="engines",
    help="Real Kafka and Cassandra on this machine, from Maven artefacts on Java 17.",
)
app.command("deploy.keys_cli:keys", name="keys", help="The keys of the pseudonyms.")
app.command("deploy.sources:sources", name="sources", help="Who may send.")
app.command("deploy.policy_cli:policy", name="policy", help="De-identification policies.")
app.command("deploy.users_cli:user", name="user", help="Accounts.")

plugins = App(name="plugins", help="The library of plugins.")
app.command(plugins)


@plugins.command(name="build")
def plugins_build(*, base: str | None = None) -> int:
    """Build the plugins' container images that are missing or old.

    Parameters
    ----------
    base
        Base image with Python 3.11 and pip.
    """
    from deploy.isolation import build_images

    return build_images(base)


config = App(name="config", help="Settings.")
app.command(config)


@config.command(name="show")
def config_show() -> int:
    """Print each setting, its value and where it comes from. No secret is a setting."""
    from agents.anonymization.policy.choosing import described
    from deploy.process import settings_here
    from deploy.terminal import say

    def work() -> int:
        for line in settings_here().show():
            value = described(line.value) if line.name == "policy" else line.value
            say(f"{line.name:<32} {value:<44} {line.source}")
        return Exit.OK

    return told(work)


def main() -> None:
    """Run the command of the command line; a service has more to log, as its settings say."""
    logs.configure("warning", "chips")
    try:
        status = app(exit_on_error=False)
    except CycloptsError:  # it has told what is wrong with the call
        status = Exit.USAGE
    sys.exit(status)


if __name__ == "__main__":
    main()
