"""The backbone: bus, event store, facts, deadlines, leases, blobs, aggregates, projections and replay.

Knows nothing of Faust, aiohttp, Docker or DICOM.
"""
