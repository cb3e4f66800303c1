"""The embedded bus: topics as append-only logs in SQLite, for one machine and several processes.

A folder is a bus: ``bus.db`` holds the durable topics (WAL, every commit fsynced), ``live.db`` those that
may be dropped (never fsynced). Any number of processes append; each app has one consuming worker.
"""
