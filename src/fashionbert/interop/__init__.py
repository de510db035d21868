"""Other people's checkpoints and files; nothing is here yet."""
