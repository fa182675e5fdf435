"""The archive: store and indexes together, opened, searched, changed, checked, backed up."""
