"""`python -m snpverify` is the command `snpverify`."""

from attestcore.cli.snp import main

if __name__ == "__main__":
    main(prog_name="snpverify")
