"""``python -m fashionbert`` is the command ``fashionbert``."""

from fashionbert.cli.main import main

if __name__ == "__main__":
    main()
