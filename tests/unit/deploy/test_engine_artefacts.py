"""Jars are fetched once, never seen half, and a missing tool says what to install."""

from __future__ import annotations

import pytest

from deploy.engines import artefacts, java
from streams.errors import Unavailable

JAVA = """#!/bin/sh
echo 'openjdk version "{version}" 2025-01-01' >&2
"""
MAVEN = """#!/bin/sh
echo run >> "{folder}/runs"
for word in "$@"; do case "$word" in -DoutputDirectory=*) out="${{word#*=}}";; esac; done
{then}
"""


def tool(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with a Java 17 and no Maven yet."""
    tool(tmp_path / "jdk/bin/java", JAVA.format(version="17.0.9"))
    monkeypatch.setenv("CHIPS_JAVA_HOME", str(tmp_path / "jdk"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (tmp_path / "engine.pom.xml").write_text("<project/>")
    return tmp_path


def maven(machine, then):
    tool(machine / "bin/mvn", MAVEN.format(folder=machine, then=then))


def runs(machine):
    return (machine / "runs").read_text().count("run")


def test_fetched_once(machine):
    maven(machine, 'mkdir -p "$out"; touch "$out/a.jar"')
    first = artefacts.fetch(machine / "engine.pom.xml", machine / "cache")
    assert (first / "a.jar").exists()
    assert artefacts.fetch(machine / "engine.pom.xml", machine / "cache") == first
    assert runs(machine) == 1


def test_another_version_is_another_folder(machine):
    maven(machine, 'mkdir -p "$out"; touch "$out/a.jar"')
    first = artefacts.fetch(machine / "engine.pom.xml", machine / "cache")
    (machine / "engine.pom.xml").write_text("<project>2</project>")
    assert artefacts.fetch(machine / "engine.pom.xml", machine / "cache") != first
    assert first.exists()


def test_what_was_cut_off_is_fetched_again(machine):
    maven(machine, 'mkdir -p "$out"; touch "$out/a.jar"')
    lib = artefacts.fetch(machine / "engine.pom.xml", machine / "cache")
    (lib / "complete").unlink()
    (lib / "half.jar").touch()
    assert artefacts.fetch(machine / "engine.pom.xml", machine / "cache") == lib
    assert not (lib / "half.jar").exists()
    assert runs(machine) == 2


def test_a_failure_is_tried_again_then_told(machine):
    maven(machine, "echo the mirror is asleep; exit 1")
    with pytest.raises(Unavailable, match="the mirror is asleep"):
        artefacts.fetch(machine / "engine.pom.xml", machine / "cache")
    assert runs(machine) == 3
    assert not list((machine / "cache").glob("*/a.jar"))


def test_a_newer_default_java_is_passed_over(machine, monkeypatch):
    tool(machine / "newer/bin/java", JAVA.format(version="25"))
    monkeypatch.setenv("CHIPS_JAVA_HOME", str(machine / "newer"))
    monkeypatch.setenv("JAVA_HOME", str(machine / "jdk"))
    assert java.find_java() == machine / "jdk/bin/java"


def test_no_java_says_what_to_install(machine, monkeypatch):
    monkeypatch.setattr(
        java, "_candidates", lambda: [tool(machine / "old/bin/java", JAVA.format(version="11.0.2"))]
    )
    with pytest.raises(Unavailable, match="openjdk-17-jre-headless"):
        java.find_java()


def test_no_maven_says_what_to_install(machine, monkeypatch):
    monkeypatch.setenv("PATH", str(machine / "bin"))
    with pytest.raises(Unavailable, match="apt-get install maven"):
        artefacts.fetch(machine / "engine.pom.xml", machine / "cache")
