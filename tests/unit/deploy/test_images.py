"""The image's requirements are the lock file's pins."""

from __future__ import annotations

import pytest

from deploy.images import ROOT, NotBuilt, build, pins
from plugins.contract.registry import load_registry

LOCK = """# made by a tool
alpha==1.0 ; python_full_version < '3.12' \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via chips
alpha==2.0 ; python_full_version >= '3.12' \\
    --hash=sha256:{c}
alpha-more==9 \\
    --hash=sha256:{c}
Beta==3.1 \\
    --hash=sha256:{b}
    # via alpha
""".format(a="a" * 64, b="b" * 64, c="c" * 64)


def test_pins_of_the_images_python():
    assert pins(LOCK, ["beta", "alpha"]) == (
        f"alpha==1.0 --hash=sha256:{'a' * 64} --hash=sha256:{'b' * 64}\nBeta==3.1 --hash=sha256:{'b' * 64}\n"
    )


def test_missing_pins_are_named():
    with pytest.raises(NotBuilt, match="gamma"):
        pins(LOCK, ["alpha", "gamma"])


def test_every_plugin_is_in_the_lock_and_has_its_dockerfile():
    lock = (ROOT / "requirements.lock").read_text()
    for name, manifest in load_registry().items():
        lines = pins(lock, manifest.requires).splitlines()
        assert len(lines) == len(manifest.requires)
        assert all("--hash=sha256:" in line for line in lines)
        assert "://" not in "".join(lines)
        assert "USER 10001" in (ROOT / "plugins" / name / "Dockerfile").read_text()


def test_unknown_plugin():
    with pytest.raises(NotBuilt, match="volumetry"):
        build("nothing", "unix:///nowhere")
