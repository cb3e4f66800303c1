"""Objects from files, folders, zip archives and DICOMDIRs take the way of what comes by network."""
