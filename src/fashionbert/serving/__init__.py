"""The HTTP service and its page; nothing is here yet."""
