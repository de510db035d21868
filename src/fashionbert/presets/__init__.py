"""Settings by name, each a YAML file that says what it is for and the command that uses it."""
