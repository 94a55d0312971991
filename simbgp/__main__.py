"""``python -m simbgp`` is ``simbgp``."""

from simbgp.cli import main

if __name__ == "__main__":
    main()
