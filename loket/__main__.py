"""`python -m loket` is the command `loket`."""

from loket.cli import main

if __name__ == "__main__":
    main()
