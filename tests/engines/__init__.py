"""What the tests run against: real engines, started once a run and shared by its workers."""
