"""A verdict for people: the answer first, then why, then what nobody asked for."""

from __future__ import annotations

import re
from typing import Any

from attestcore.cli.common import ACCEPTED, LACKING
from attestcore.cli.render import Page
from attestcore.cli.verdicts import Said, status_of

_KINDS = {"sev-snp": "AMD SEV-SNP report", "tdx": "Intel TDX quote", "sgx": "Intel SGX quote"}

_URL = re.compile(r"(https://\S+[^\s.,;)])")  # on a line of its own, to be copied whole

_OMISSIONS = {
    "measurement": "no expected MEASUREMENT: any guest software passes (--measurement)",
    "report-data": "no expected REPORT_DATA: an old report passes as well as a fresh one (--report-data)",
    "mr-td": "no expected MRTD: any guest software passes (--mr-td)",
    "tcb-floor": "no lowest TCB: outdated firmware passes (min_reported_tcb and others of the policy)",
    "crl": "no CRL: a revoked certificate passes (--crl, require_crl of the policy)",
    "chip-id": "CHIP_ID is masked: which chip made the report is not known (allow_masked_chip_id of the policy)",
}


def show_verdict(said: Said, name: str | None = None) -> None:
    """Prints it; name is the file's, when there are several."""
    page = Page()
    status = status_of(said)
    word, color = {ACCEPTED: ("ACCEPTED", "green"), LACKING: ("NOT DECIDED", "yellow")}.get(status, ("REFUSED", "red"))
    codes = ", ".join(dict.fromkeys(said["codes"]))
    page.title(word, ": ".join(text for text in (name, codes) if text), fg=color)
    page.line(_subject(said), indent=0)
    checks = said["checks"]
    _troubles(page, "Failed", [check for check in checks if check["outcome"] == "fail"], "red")
    _troubles(page, "Missing", [check for check in checks if check["outcome"] == "not-run" and check["code"]], "yellow")
    _names(page, "Passed", [check["check"] for check in checks if check["outcome"] == "pass"])
    _names(
        page,
        "Not asked for, or not reached",
        [check["check"] for check in checks if check["outcome"] == "not-run" and not check["code"]],
    )
    if said["omissions"]:
        page.heading("What should be asked for")
        page.rows([(omission, _OMISSIONS.get(omission, "")) for omission in said["omissions"]])
    _foot(page, said)
    page.show()


def _subject(said: Said) -> str:
    kind = said["kind"] or "evidence of unknown kind"
    subject = _KINDS.get(kind, kind)
    claims: dict[str, Any] = said["claims"] or {}
    if claims.get("product"):
        subject += f" of {claims['product'].capitalize()}"
    version = claims.get("version") or claims.get("quote_version")
    if version:
        subject += f", version {version}"
    return f"{subject}, judged at {said['evaluated_at'] or 'no time'}"


def _troubles(page: Page, heading: str, checks: list[dict[str, Any]], color: str) -> None:
    if not checks:
        return
    page.heading(heading)
    for check in checks:
        place = ""
        if check["field"] and check["outcome"] == "fail":
            place = f" in {check['field']}" + (f" at byte {check['offset']}" if check["offset"] is not None else "")
        page.line(f"{check['check']}: {check['code']} ({check['category']}){place}", fg=color)
        for part in _URL.split(check["detail"] or ""):
            if part.strip(" :"):
                page.line(part, indent=4)


def _names(page: Page, heading: str, names: list[str]) -> None:
    if names:
        page.heading(f"{heading} ({len(names)})")
        page.line(", ".join(names))


def _tcb(said: Said) -> list[tuple[str, str]]:
    """Status, date and advisories, as Intel's documents say."""
    rows = [("TCB status", said["tcb_status"] or "none: no level fits, or it was not reached")]
    if said["tcb_date"]:
        rows.append(("TCB date", said["tcb_date"]))
    if said["tcb_evaluation_data_number"] is not None:
        rows.append(("TCB evaluation", f"data number {said['tcb_evaluation_data_number']}"))
    if said["advisory_ids"]:
        rows.append(("advisories", ", ".join(said["advisory_ids"])))
    return rows


def _foot(page: Page, said: Said) -> None:
    page.heading("Basis")
    rows = []
    if said["claims"]:
        held = "verified" if said["claims_verified"] else "NOT verified: signature, chain or binding do not hold"
        rows.append(("claims", held))
    if said["valid_until"]:
        rows.append(("valid until", f"{said['valid_until']} (earliest end of all that was used)"))
    if "tcb_status" in said:
        rows += _tcb(said)
    rows.append(("evidence", f"sha256 {said['evidence_sha256'] or 'unknown'}"))
    if said["used"]:
        rows.append(("used", ", ".join(f"{digest[:16]}…" for digest in said["used"])))
    rows.append(("policy", f"digest {said['policy_digest'][:16]}…"))
    rows.append(("engine", f"{said['engine']}, {said['library']}"))
    page.rows(rows)
