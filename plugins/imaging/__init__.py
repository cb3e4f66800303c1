"""Pure functions on images: geometry, assembling, measures, pictures. No files, no network, no clock.

Coordinates are DICOM patient coordinates: LPS, mm. Volumes are arrays indexed (slice k, row j, column i).
"""
