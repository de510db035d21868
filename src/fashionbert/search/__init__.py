"""Find products by words or pictures; nothing is here yet."""
