"""The DICOM Upper Layer (PS3.8) and DIMSE commands (PS3.7), as far as an acceptor of objects needs them."""
