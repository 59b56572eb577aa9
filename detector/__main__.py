"""`python -m detector` is the same command as `detector`."""

from detector.cli import main

if __name__ == "__main__":
    main()
