"""What people change by commands. Whose data it is was decided before, by the report that an action is given from."""
