"""To be written: one line for the package, one for each module."""
