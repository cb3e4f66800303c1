"""The plugins that this installation has, read from the ``plugin.json`` of each folder."""

from __future__ import annotations

from importlib import resources

import msgspec

from plugins.contract.errors import UnknownPlugin
from plugins.contract.types import Manifest


def load_registry() -> dict[str, Manifest]:
    """Read every plugin's manifest, by name.

    Raises
    ------
    msgspec.ValidationError
        If a manifest is broken.
    ValueError
        If a manifest does not carry the name of its folder.
    """
    found: dict[str, Manifest] = {}
    for folder in sorted(resources.files("plugins").iterdir(), key=lambda entry: entry.name):
        declaration = folder / "plugin.json"
        if not declaration.is_file():
            continue
        manifest = msgspec.json.decode(declaration.read_bytes(), type=Manifest)
        if manifest.name != folder.name:
            raise ValueError(
                f"plugins/{folder.name}/plugin.json is named {manifest.name}: make them the same"
            )
        found[manifest.name] = manifest
    return found


def find_plugin(registry: dict[str, Manifest], name: str, version: str) -> Manifest:
    """Give the plugin of exactly this version.

    Raises
    ------
    UnknownPlugin
        If the registry has no such name, or another version of it.
    """
    manifest = registry.get(name)
    if manifest is None or manifest.version != version:
        raise UnknownPlugin(f"plugin {name} {version} is not installed here; `chips status` lists what is")
    return manifest


def plugins_for(registry: dict[str, Manifest], modality: str) -> list[Manifest]:
    """List the plugins that accept `modality`, by name."""
    return [manifest for _, manifest in sorted(registry.items()) if manifest.accepts(modality)]
