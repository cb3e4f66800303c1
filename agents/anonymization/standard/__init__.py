"""DICOM as data: Table E.1-1, types of attributes in IODs, codes. No decisions."""
