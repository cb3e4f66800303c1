"""Faces taken out of head CT and MR (DICOM PS3.15, E.3.2 Clean Recognizable Visual Features)."""

from agents.anonymization.faces.defacing import deface
from agents.anonymization.faces.writing import TOOL

__all__ = ["TOOL", "deface"]
