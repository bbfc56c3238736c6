"""`python -m tdxverify` is the command `tdxverify`."""

from attestcore.cli.tdx import main

if __name__ == "__main__":
    main(prog_name="tdxverify")
