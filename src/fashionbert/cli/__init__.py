"""The commands, one small module each; what is heavy is imported inside the command."""
