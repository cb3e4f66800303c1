"""A Docker Engine of our own beside the machine's, and the base image that plugin images are built from.

For tests and CI: Debian's ``dockerd`` without any network set-up, with its data in one folder and its
socket where we say. Nothing need be pulled from a registry, and a build needs no network: a plugin's wheels
are fetched outside by ``pip download`` and come in by ``pip install --no-index --find-links`` inside it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.docker_host import engine_answers
from deploy.engines.artefacts import cache_root, exclusively
from deploy.engines.process import DetachedProcess
from streams.errors import Unavailable

BASE_IMAGE = "chips-base:bookworm"

_PACKAGES = ("ca-certificates", "python3", "python3-pip", "python3-venv")
_START_SECONDS = 60
_STOP_SECONDS = 30
_ASK_SECONDS = 20
_BUILD_SECONDS = 900
# What no image needs, a third of the root; and Debian's mark against `pip install` beside its own packages:
# in an image of one plugin there is nothing else to protect.
_LEFT_OUT = (
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
    "./usr/share/doc/*",
    "./usr/share/locale/*",
    "./dev/*",
    "./usr/lib/python3*/EXTERNALLY-MANAGED",
)
# Another recipe is another tarball.
_RECIPE = hashlib.sha256(repr((_PACKAGES, _LEFT_OUT)).encode()).hexdigest()[:12]


class DockerEngine:
    """A ``dockerd`` whose data, log and process id live in one folder.

    Parameters
    ----------
    home
        The folder; made when missing, reused with its images when not. Not on an overlay or a tmpfs: there
        the engine copies every layer whole.
    socket
        Where it listens. None: ``docker.sock`` in ``home``. A path above 100 bytes is refused.
    """

    def __init__(self, home: Path, socket: Path | None = None) -> None:
        self._home = home.absolute()
        self._socket = (socket or self._home / "docker.sock").absolute()
        self._process = DetachedProcess("dockerd", self._home / "dockerd.lock", self._home / "dockerd.log")

    @property
    def url(self) -> str:
        """The engine's address, as ``DOCKER_HOST`` takes it."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid()

    def start(self) -> None:
        """Start it and wait until it answers; nothing happens when it runs.

        Raises
        ------
        Unavailable
            ``dockerd`` is missing, we are not root, or it did not come up; the message says what to do.
        """
        program = shutil.which("dockerd", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if program is None:
            raise Unavailable(
                "`dockerd` was not found. Install Docker Engine (Debian: apt-get install docker.io)."
            )
        if os.geteuid() != 0:
            raise Unavailable("`dockerd` needs root: run as root, or start the machine's Docker Engine.")
        self._process.start(
            [
                program,
                "--iptables=false",
                "--ip6tables=false",
                "--bridge=none",
                f"--data-root={self._home / 'data'}",
                f"--exec-root={self._home / 'exec'}",
                f"--pidfile={self._home / 'dockerd.pid'}",
                f"--host={self.url}",
            ]
        )
        self._process.wait_until(self.answers, _START_SECONDS)

    def stop(self) -> None:
        """End it; its containers end with it, its images stay."""
        self._process.stop(_STOP_SECONDS)

    def kill(self) -> None:
        """End it as kill -9 does; `start` takes it up again."""
        self._process.kill()

    def answers(self) -> bool:
        """Tell whether it answers."""
        return engine_answers(self.url)

    def ensure_base_image(self) -> str:
        """Make `BASE_IMAGE` exist in this engine and return its name; see `ensure_base_image`."""
        return ensure_base_image(self.url)


def ensure_base_image(url: str, cache: Path | None = None) -> str:
    """Make `BASE_IMAGE` (Debian 12, Python 3.11, pip) exist in the engine at ``url``; return its name.

    Its root is made by debootstrap, once a machine (about 90 s), and kept as a tarball in the cache.

    Parameters
    ----------
    url
        The engine, as ``DOCKER_HOST`` takes it.
    cache
        Where the tarball is kept. None: `deploy.engines.artefacts.cache_root`.

    Raises
    ------
    Unavailable
        debootstrap is missing or failed, we are not root, or the engine refused; the message says what to do.
    """
    if _docker(url, "image", "inspect", BASE_IMAGE).returncode == 0:
        return BASE_IMAGE
    root = base_tarball(cache)
    imported = _docker(
        url, "import", "--change", "ENV LANG=C.UTF-8", "--change", 'CMD ["python3"]', str(root), BASE_IMAGE
    )
    if imported.returncode != 0:
        raise Unavailable(f"The Docker Engine at {url} did not take {BASE_IMAGE}: {imported.stdout[-2000:]}")
    return BASE_IMAGE


def base_tarball(cache: Path | None = None) -> Path:
    """Return the tarball that `BASE_IMAGE` is imported from, made on the first call.

    Raises
    ------
    Unavailable
        debootstrap is missing or failed, or we are not root; the message says what to do.
    """
    cache = cache or cache_root()
    tarball = cache / f"base-bookworm-{_RECIPE}.tar.gz"
    with exclusively(cache / "base-bookworm.lock"):
        if tarball.exists():
            return tarball
        if shutil.which("debootstrap") is None:
            raise Unavailable(
                f"{BASE_IMAGE} is made by debootstrap. Install it: apt-get install debootstrap."
            )
        if os.geteuid() != 0:
            raise Unavailable(f"debootstrap needs root, to make {tarball}: run it once as root.")
        with tempfile.TemporaryDirectory(dir=cache, prefix="base-") as scratch:
            root, packed = Path(scratch) / "root", Path(scratch) / tarball.name
            _checked(
                [
                    "debootstrap",
                    "--variant=minbase",
                    f"--include={','.join(_PACKAGES)}",
                    "bookworm",
                    str(root),
                ]
            )
            left_out = [f"--exclude={pattern}" for pattern in _LEFT_OUT]
            _checked(["tar", "-C", str(root), *left_out, "-I", "gzip -1", "-cf", str(packed), "."])
            packed.rename(tarball)
    return tarball


def _docker(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    seconds = _BUILD_SECONDS if arguments[0] == "import" else _ASK_SECONDS
    return _run(["docker", "--host", url, *arguments], seconds)


def _checked(command: list[str]) -> None:
    done = _run(command, _BUILD_SECONDS)
    if done.returncode != 0:
        raise Unavailable(f"{command[0]} failed while making {BASE_IMAGE}. It said:\n{done.stdout[-2000:]}")


def _run(command: list[str], seconds: int) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603  # fixed programs, our own arguments
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise Unavailable(f"`{command[0]}` did not finish within {seconds} s.") from late
    except FileNotFoundError as missing:
        raise Unavailable(
            f"`{command[0]}` was not found: install it (Debian: docker.io, debootstrap)."
        ) from missing
