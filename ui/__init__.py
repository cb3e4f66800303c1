"""The outer door: aiohttp server, accounts, live updates, and the browser app in ``web/``.

Reads views and facts, sends commands, tails topics. It never reaches into gateway or agents.
"""
