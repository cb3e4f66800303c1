"""What the tests run against: real engines, started once a run and shared by its workers.

While developing, keep a pair running and let the tests use it: ``chips engines up --home DIR``, then
``CHIPS_TEST_ENGINES=DIR pytest ...``. Tests take topics and keyspaces of their own; one that kills engines
asks for the fixture ``own_engines``.
"""
