"""Writes attestcore/schemas/policy.schema.json from the policies' own definitions. Run it when a policy field changes.

python tools/gen_schema.py            writes it
python tools/gen_schema.py --check    exit status 1 when it is out of date
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "attestcore" / "schemas" / "policy.schema.json"


def document() -> dict[str, Any]:
    sys.path.append(str(ROOT))  # where the package is not installed
    from snpverify.policy import Policy as SnpPolicy
    from tdxverify.policy import Policy as TdxPolicy

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:attestcore:policy",
        "title": "attestcore policy",
        "description": "What a relying party asks of evidence, one table per technology. docs/policy.md says the rest.",
        "type": "object",
        "properties": {
            "snp": {"description": "AMD SEV-SNP reports.", **SnpPolicy.schema()},
            "tdx": {"description": "Intel TDX and SGX quotes.", **TdxPolicy.schema()},
        },
        "additionalProperties": False,
    }


def text() -> str:
    return json.dumps(document(), indent=2, ensure_ascii=True) + "\n"


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    if arguments:
        fresh = SCHEMA.exists() and SCHEMA.read_text(encoding="ascii") == text()
        if not fresh:
            print(f"{SCHEMA.relative_to(ROOT)} is out of date; run tools/gen_schema.py", file=sys.stderr)
        return 0 if fresh else 1
    SCHEMA.write_text(text(), encoding="ascii")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
