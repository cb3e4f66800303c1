"""Folders of files: found, anonymized by several processes, accounted for. Needs no server."""
