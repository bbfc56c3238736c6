"""`python -m attestcore` is the command `attestcore`."""

from attestcore.cli.main import main

if __name__ == "__main__":
    main(prog_name="attestcore")
