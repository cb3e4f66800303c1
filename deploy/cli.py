"""``chips``: the one command.

A command imports what it needs when it runs, so that ``chips send`` does not wait for Faust.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from deploy.exits import Exit, finish, told
from deploy.replay_cli import replay
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
    """
    from deploy.send import send as work

    return work(
        paths_and_target,
        called_ae=called_ae,
        calling_ae=calling_ae,
        associations=associations,
        retries=retries,
        manifest=manifest,
    )


@app.command
def anonymize(
    source: Path,
    out: Path,
    /,
    *,
    policy: str,
    key_file: Path,
    manifest: Path,
    report: Path | None = None,
    quarantine: Path | None = None,
    workers: int | None = None,
    restart: Annotated[bool, Parameter(negative="")] = False,
    sync: Literal["end", "each"] = "end",
    project: str | None = None,
    master: Path | None = None,
    passphrase_file: Path | None = None,
) -> int:
    """Anonymize files, without any server: `chips anonymize IN OUT --policy P --key-file K --manifest M`.

    OUT gets a folder for each patient, study and series, named by pseudonyms and new UIDs. What can't be
    shown to be safe stays in quarantine, with a reason. The same command goes on where it was stopped.

    Exit status 0 when every file is accounted for: anonymized, or kept back with a reason; 1 when one is not.

    Parameters
    ----------
    source
        IN: a file or a folder. Links that lead out of it are not followed.
    out
        OUT: a folder outside of IN. Nothing in it is ever overwritten.
    policy
        A ready policy's name, or the path of a document: see `chips policy list`.
    key_file
        The key of the pseudonyms, made by `chips keys new`.
    manifest
        JSON lines, one a file: input, and output or the reason of its quarantine. It links originals to
        pseudonyms, so IT IDENTIFIES: it is made for you alone (0600) and never belongs to the output.
    report
        A folder for a report that counts what was removed, kept and replaced, and why; it has no values.
    quarantine
        Copy the originals that are kept back to this folder. They identify.
    workers
        Processes; as many as there are cores when not given.
    restart
        Remove the outputs that the manifest names, and begin anew.
    sync
        Make outputs outlive a power loss at the end, or each before it gets its name.
    project
        Whose key, when the key file has several.
    master
        Where the key file's master key lies, when it is not KEY-FILE.master.
    passphrase_file
        A file with the key file's passphrase, instead of asking.
    """
    from deploy.anonymize import KeySource
    from deploy.anonymize import anonymize as work

    return work(
        source,
        out,
        policy=policy,
        key=KeySource(key_file, master, passphrase_file, project),
        manifest=manifest,
        report=report,
        quarantine=quarantine,
        workers=workers,
        restart=restart,
        sync_each=sync == "each",
    )


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


engines = App(
    name="engines", help="Real Kafka and Cassandra on this machine, from Maven artefacts on Java 17."
)
app.command(engines)


@engines.command(name="up")
def engines_up(*, home: Path = Path("engines"), kafka_port: int = 9092, cassandra_port: int = 9042) -> int:
    """Fetch (once) and start both; prints the settings that make CHIPS use them.

    Parameters
    ----------
    home
        Folder of their data, logs and pid files.
    kafka_port, cassandra_port
        Where they listen, on 127.0.0.1.
    """
    from deploy.engines.commands import up as work

    return work(home, kafka_port, cassandra_port)


@engines.command(name="down")
def engines_down(*, home: Path = Path("engines")) -> int:
    """Stop both.

    Parameters
    ----------
    home
        Folder of their data, logs and pid files.
    """
    from deploy.engines.commands import down as work

    return work(home)


@engines.command(name="status")
def engines_status(*, home: Path = Path("engines")) -> int:
    """Tell whether they answer.

    Parameters
    ----------
    home
        Folder of their data, logs and pid files.
    """
    from deploy.engines.commands import status as work

    return work(home)


app.command(replay)
# Named by where it lies, and imported when it runs: it needs pydicom.
app.command("deploy.policy_cli:policy", name="policy", help="De-identification policies.")


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


user = App(name="user", help="Accounts.")
app.command(user)


@user.command(name="add")
def user_add(name: str, *, display_name: str | None = None) -> int:
    """Make an account. Asks for the password, or takes it from CHIPS_PASSWORD, or makes one and prints it.

    Parameters
    ----------
    name
        What to log in with.
    display_name
        What others see.
    """
    from deploy.users import add as work

    return finish(work(name, display_name or name))


@user.command(name="erase")
def user_erase(name: str, *, yes: Annotated[bool, Parameter(negative="")] = False) -> int:
    """Erase a person: nobody can read what they wrote any more, and nothing says who they were.

    Destroys the key of their comments, closes their sessions, removes credentials and display name. The
    history keeps its shape: that something was said, where and when. It can't be undone.

    Parameters
    ----------
    name
        What the person logs in with.
    yes
        Do not ask.
    """
    from deploy.users import erase as work

    return finish(work(name, yes=yes))


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


keys = App(name="keys", help="The keys of the pseudonyms.")
app.command(keys)


@keys.command(name="new")
def keys_new(
    file: Path,
    *,
    passphrase: Annotated[bool, Parameter(negative="")] = False,
    passphrase_file: Path | None = None,
    project: str = "default",
) -> int:
    """Make a key file for `chips anonymize`, readable by you alone.

    A random master key in FILE.master wraps the key in it, or a passphrase does. Nothing is overwritten.

    Parameters
    ----------
    file
        Where to put it.
    passphrase
        Ask for a passphrase instead of making FILE.master.
    passphrase_file
        Take the passphrase from this file, its only line.
    project
        Whose pseudonyms the key makes: a name for you, it changes none of them.
    """
    from deploy.keys import new as work

    return told(lambda: work(file, project=project, passphrase=passphrase, passphrase_file=passphrase_file))


@keys.command(name="rotate")
def keys_rotate(
    file: Path | None = None,
    *,
    master: Path | None = None,
    passphrase_file: Path | None = None,
    new_passphrase_file: Path | None = None,
) -> int:
    """Wrap the keys of FILE, or of the vault, with a new master key or passphrase; pseudonyms stay.

    Do it when the master key or passphrase may have been seen: by a lost backup, or somebody who left. CHIPS
    may run meanwhile. Make a backup afterwards: older backups open with the old one.

    Parameters
    ----------
    file
        A key file of `chips keys new`; none: the vault's keys (inner zone).
    master
        Where its master key lies, when it is not FILE.master.
    passphrase_file
        A file with its passphrase, instead of asking.
    new_passphrase_file
        A file with its new passphrase, instead of asking.
    """
    from deploy.keys import rotate as work

    return told(
        lambda: work(
            file,
            master=master,
            passphrase_file=passphrase_file,
            new_passphrase_file=new_passphrase_file,
        )
    )


def main() -> None:
    """Run the command of the command line."""
    try:
        status = app(exit_on_error=False)
    except CycloptsError:  # it has told what is wrong with the call
        status = Exit.USAGE
    sys.exit(status)


if __name__ == "__main__":
    main()
