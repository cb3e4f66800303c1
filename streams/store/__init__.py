"""The store: truth in events, facts, views made from them, and the tables that drive the work.

`api` says what it is; `memory`, `sqlite` and `cassandra` are it. One contract suite runs over all three.
"""
