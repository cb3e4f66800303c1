"""The embedded bus: topics as append-only logs in SQLite, for one machine and several processes.

A folder is a bus: ``bus.db`` holds the durable topics (WAL, every commit fsynced), ``live.db`` those that
may be dropped (never fsynced), ``inner/inner.db`` those of the inner zone, which its owner alone may open.
Any number of processes append; each app has one consuming worker.
"""
