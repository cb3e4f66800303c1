"""Volumetry: an oriented NIfTI, pictures and measures of a series that is a volume."""
