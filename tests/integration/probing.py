"""A plugin for tests: it does what the bytes of its first instance say. As an image and as a package."""

from __future__ import annotations

import io
import tarfile

from plugins.contract.types import Manifest, Resources

RESOURCES = Resources(
    memory_bytes=256 * 2**20, pids=32, seconds=60, output_bytes=8 * 2**20, tmp_bytes=16 * 2**20
)


def manifest(name="probe", **limits):
    given = {field: getattr(RESOURCES, field) for field in RESOURCES.__struct_fields__} | limits
    return Manifest(
        name=name, version="1.0", title="P", description="d", modalities=[], resources=Resources(**given)
    )


PROGRAM = """
import errno, json, os, pathlib, signal, socket, sys, time

source, target = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[4])
given = json.loads((source / "input.json").read_text())
said = (source / given["instances"][0]["path"]).read_text()
verb, _, argument = said.partition(" ")
print(json.dumps({"progress": 0.25, "step": "begun"}), flush=True)


def refusal(action):
    try:
        action()
    except OSError as refused:
        return float(refused.errno or -1)  # -1: a time-out
    return 0.0


def network():
    with socket.create_connection(("192.0.2.1", 80), timeout=2):
        pass


def status():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def forks(limit):
    made = []
    try:
        while len(made) < limit:
            child = os.fork()
            if child == 0:
                signal.pause()
            made.append(child)
    except OSError as refused:
        return float(len(made)), float(refused.errno)
    finally:
        for child in made:
            os.kill(child, signal.SIGKILL)
    return float(len(made)), 0.0


measures = {}
if verb == "crash":
    sys.exit("the input is a teapot")
elif verb == "garbage":
    (target / "result.json").write_text("{}")
    sys.exit(0)
elif verb == "silent":
    sys.exit(0)
elif verb == "memory":
    # Far beyond every limit; were there none, it ends well, and the machine lives.
    hoard = [bytearray(2**20) for _ in range(2048)]
elif verb == "sleep":
    print("not progress", flush=True)
    time.sleep(float(argument))
elif verb == "flood":
    for number in range(1000):
        (target / f"f{number}").write_bytes(bytes(2**20))
        time.sleep(0.02)
    time.sleep(30)
elif verb == "escape":
    given_file = source / given["instances"][0]["path"]
    said_of_us = status()
    made, refused = forks(256)
    measures = {
        "network_errno": refusal(network),
        "interfaces_beside_lo": float(sum(name != "lo" for _, name in socket.if_nameindex())),
        # Opened to be cut to nothing: a read-only mount refuses that before anybody asks for permissions.
        "input_errno": refusal(lambda: given_file.write_text("changed")),
        "root_errno": refusal(lambda: pathlib.Path("/etc/passwd").write_text("changed")),
        "new_in_root_errno": refusal(lambda: pathlib.Path("/probe").write_text("x")),
        **{
            f"read_only_{name}": float(bool(os.statvfs(path).f_flag & os.ST_RDONLY))
            for name, path in (("root", "/"), ("input", "/input"), ("output", "/output"), ("tmp", "/tmp"))
            if os.path.isdir(path)
        },
        "uid": float(os.getuid()),
        **{
            f"capabilities_{kind.lower()}": float(int(said_of_us[f"Cap{kind}"], 16))
            for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")
        },
        "no_new_privileges": float(said_of_us["NoNewPrivs"]),
        "seccomp": float(said_of_us.get("Seccomp", 0)),
        "forks": made,
        "forks_errno": refused,
        "secrets": float(sum(name.startswith(("CHIPS", "SECRET")) for name in os.environ)),
    }
elif verb == "wait":
    (target / "waiting").write_text("x")
    while not (target / "go").exists():
        time.sleep(0.05)

(target / "volume.nii.gz").write_bytes(b"volume of " + said.encode())
print(json.dumps({"progress": 1.0, "step": "done"}), flush=True)
result = {
    "plugin": "probe",
    "version": "1.0",
    "outcome": "measured",
    "artefacts": [
        {"name": "volume", "path": "volume.nii.gz", "media_type": "application/gzip", "role": "volume"}
    ],
    "measures": [{"name": name, "value": value, "unit": "1"} for name, value in measures.items()],
    "findings": [],
    "tools": {},
}
(target / ".part").write_text(json.dumps(result))
(target / ".part").rename(target / "result.json")
"""

DOCKERFILE = """
FROM chips-base:bookworm
COPY program.py /program.py
ENTRYPOINT ["python3", "/program.py"]
"""


def build_image(client, tag):
    """Build the plugin's image on an engine; nothing is fetched."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, text in (("Dockerfile", DOCKERFILE), ("program.py", PROGRAM)):
            body = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    archive.seek(0)
    client.images.build(fileobj=archive, custom_context=True, tag=tag, network_mode="none", rm=True)


def write_package(folder):
    """Write the plugin as ``plugins.probe`` below a folder."""
    package = folder / "plugins" / "probe"
    package.mkdir(parents=True)
    (folder / "plugins" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(PROGRAM)
