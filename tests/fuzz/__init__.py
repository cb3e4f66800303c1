"""A coverage-guided fuzzer (atheris) over what reads a stranger's bytes; see docs/fuzzing.md."""
