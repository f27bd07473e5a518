"""What people change by commands, once a report has decided whose it is."""
