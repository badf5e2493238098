"""The operators, one file a family. An operator polls and calls; the work is done elsewhere."""
