"""A quote for people: every part of it by name, and an event log beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attestcore.cli.common import printable
from attestcore.cli.render import Page

if TYPE_CHECKING:
    from tdxverify import EnclaveReport, Quote
    from tdxverify.eventlog import Comparison, EventLog

_NOT_VERIFIED = "Nothing here is verified: anybody can write such bytes. `tdxverify verify` verifies."
_CERTIFICATION = {
    1: "PPID",
    2: "PPID, encrypted with RSA-2048",
    3: "PPID, encrypted with RSA-3072",
    4: "PCK certificate",
    5: "PCK certificate chain",
}
_BODIES = {1: "SGX enclave", 2: "TD 1.0", 3: "TD 1.5", 4: "TD 1.5 with service TD fields"}
_MARKS = {"payload": "checked", "digest-only": "digest only", "not-measured": "not measured"}


def _bits(word: bytes, names: dict[str, int]) -> str:
    """The names of the bits that are set, and what is left over."""
    value = int.from_bytes(word, "little")
    said = [name for name, mask in names.items() if value & mask == mask]
    rest = value & ~sum(names.values())
    return ", ".join([*said, *([f"unknown {rest:#x}"] if rest else [])]) or "none"


def show_quote(quote: Quote, log: EventLog | None, comparison: Comparison | None) -> None:
    page = Page()
    page.title(f"Intel {quote.kind.upper()} quote", f"version {quote.quote_version}, {_BODIES[quote.body_type]}")
    page.line(_NOT_VERIFIED, fg="yellow", indent=0)
    _header(page, quote)
    if quote.enclave is not None:
        page.heading("Enclave")
        _enclave(page, quote.enclave)
    else:
        _td(page, quote)
    _signature(page, quote)
    _platform(page, quote)
    if log is not None and comparison is not None:
        _event_log(page, log, comparison)
    page.show()


def _header(page: Page, quote: Quote) -> None:
    page.heading("Header")
    rows = [
        ("TEE type", f"{quote.tee_type:#x}"),
        ("attestation key", f"{quote.att_key_type} (ECDSA P-256)"),
        ("QE vendor id", quote.qe_vendor_id.hex()),
        ("user data", quote.user_data.hex()),
    ]
    if quote.qe_svn is not None:
        rows += [("QE SVN", str(quote.qe_svn)), ("PCE SVN", str(quote.qe_pce_svn))]
    page.rows(rows)


def _enclave(page: Page, report: EnclaveReport) -> None:
    page.rows(
        [
            ("MRENCLAVE", report.mr_enclave.hex()),
            ("MRSIGNER", report.mr_signer.hex()),
            ("ISVPRODID", str(report.isv_prod_id)),
            ("ISVSVN", str(report.isv_svn)),
            ("ATTRIBUTES", report.attributes.hex() + (" (DEBUG)" if report.debug else "")),
            ("MISCSELECT", f"{report.misc_select:#010x}"),
            ("CPUSVN", report.cpu_svn.hex()),
            ("REPORTDATA", report.report_data.hex()),
        ]
    )


def _td(page: Page, quote: Quote) -> None:
    from tdxverify.policy import TD_ATTRIBUTE_BITS, TD_DEBUG_BIT, XFAM_BITS

    attributes = {"debug": 1 << TD_DEBUG_BIT, **{name: 1 << bit for name, bit in TD_ATTRIBUTE_BITS.items()}}
    page.heading("TD")
    rows = []
    for name in (
        "mr_td", "rt_mr0", "rt_mr1", "rt_mr2", "rt_mr3", "report_data", "mr_config_id", "mr_owner", "mr_owner_config",
        "tee_tcb_svn", "tee_tcb_svn_2", "mr_seam", "mr_signer_seam", "seam_attributes", "mr_service_td", "td_id", "dev_info",
        "init_service_td_hash", "init_service_td_attributes", "init_cpu_svn", "init_tee_tcb_svn", "init_tee_fmspc",
        "current_service_td_hash", "current_service_td_attributes",
    ):  # fmt: skip
        value = getattr(quote, name)
        if value is not None:
            rows.append((name.upper(), value.hex()))
    page.rows(rows)
    page.heading("TDATTRIBUTES, XFAM")
    td_attributes, xfam = quote.td_attributes or b"", quote.xfam or b""
    page.rows(
        [
            ("TDATTRIBUTES", td_attributes.hex(), _bits(td_attributes, attributes)),
            ("XFAM", xfam.hex(), _bits(xfam, {"x87": 1, "sse": 2, **XFAM_BITS})),
        ],
        warn=[0] if quote.debug else [],
    )


def _signature(page: Page, quote: Quote) -> None:
    page.heading("Signature section")
    kind = _CERTIFICATION.get(quote.certification_type, "of an unknown type")
    page.rows(
        [
            ("signature", quote.signature.hex()),
            ("attestation key", quote.attestation_key.hex()),
            (
                "QE authentication data",
                quote.qe_auth_data.hex() if len(quote.qe_auth_data) <= 64 else f"{len(quote.qe_auth_data)} bytes",
            ),
            ("certification data", f"type {quote.certification_type}, {kind}, {len(quote.certification_data)} bytes"),
            ("behind the quote", f"{quote.trailing_zeros} zeros" if quote.trailing_zeros else "nothing"),
        ]
    )
    page.heading("QE report")
    _enclave(page, quote.qe_report)


def _platform(page: Page, quote: Quote) -> None:
    pck = quote.pck
    if pck is None:
        return
    page.heading("Platform, as the PCK certificate says")
    claims = quote.to_dict()
    names = ("fmspc", "pce_id", "pce_svn", "cpu_svn", "ppid", "platform_instance_id", "sgx_type", "pck_ca")
    page.rows([(name, str(claims[name])) for name in names if claims.get(name) is not None])


def _event_log(page: Page, log: EventLog, comparison: Comparison) -> None:
    page.heading(f"Event log, {len(log.events)} events")
    page.line(
        "Digests are what RTMRs hold; a text marked `checked` hashes to its digest, and means something only when its RTMR matches a "
        "quote that was verified. Types and names are the log's own word.",
    )
    rows = []
    for event in log.events:
        place = "-" if event.rtmr is None else f"RTMR{event.rtmr}"
        text = printable(event.text or "")[:48] if event.checked == "payload" else ""
        rows.append(
            (
                place,
                printable(event.type_name),
                event.digest.hex()[:16] + "…" if event.digest else "",
                _MARKS[event.checked],
                text,
            )
        )
    page.rows(rows)
    page.heading("RTMRs by the log")
    page.rows(
        [(f"RTMR{i}", outcome) for i, outcome in enumerate(comparison.outcomes)],
        warn=[i for i, outcome in enumerate(comparison.outcomes) if outcome == "mismatch"],
    )
