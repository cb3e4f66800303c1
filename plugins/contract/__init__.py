"""The contract between the system and a plugin, and a small SDK to write one in Python.

A plugin runs as ``python -m plugins.<name> --input DIR --output DIR [--parameters FILE]``; in a container the
input is read-only and there is no network. It reads `PluginInput` from ``input.json`` and DICOM files beside
it, writes files, then `PluginResult` as ``result.json``, last and atomically. Exit status 0 says that
``result.json`` is valid; anything else is a failure whose cause is the last line on standard error. Lines on
standard output are `Progress` as JSON.
"""
