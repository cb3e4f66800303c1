"""Anonymization: a pure core over DICOM PS3.15 Annex E, and the agent that applies it to each instance."""
