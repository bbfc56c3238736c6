# SPDX-License-Identifier: Apache-2.0
"""Collateral as its users hold it: a bundle, and the forms in which it is stored and served.

collateral = ca.collateral(quote)
collateral.json()                      # QuoteCollateralV3, as the tools of dcap-qvl write it
collateral.flattened()                 # sgx_ql_qve_collateral_t, flattened as on x86-64, version 4
collateral.pcs()                       # what the provisioning certification service answers, headers and bodies
collateral.platform_collaterals()      # platform_collaterals.json of PcsClientTool
collateral.replace(pck_crl=other)      # any part exchanged
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal
from urllib.parse import quote as percent

from .documents import Raw, SignedDocument, to_json
from .pck import CaName, PckCertificate
from .quotes import TEE_TDX
from .x509 import Crl, pem

PCS: Final = "https://api.trustedservices.intel.com"
ROOT_CRL_URL: Final = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"

#: The parts of sgx_ql_qve_collateral_t, in their order.
FLAT_PARTS: Final = (
    "pck_crl_issuer_chain",
    "root_ca_crl",
    "pck_crl",
    "tcb_info_issuer_chain",
    "tcb_info",
    "qe_identity_issuer_chain",
    "qe_identity",
)


@dataclass(frozen=True, slots=True)
class PcsResponse:
    """An answer of the service: where from, its headers, its body."""

    name: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Collateral:
    """All that it takes to judge a quote. CRLs are DER, chains PEM, leaf first."""

    pck: PckCertificate
    pck_crl_issuer_chain: str
    root_ca_crl: bytes
    pck_crl: bytes
    tcb_info: SignedDocument
    qe_identity: SignedDocument
    tcb_info_issuer_chain: str
    qe_identity_issuer_chain: str
    pck_certificate_chain: str | None = None
    tee_type: int = TEE_TDX

    def replace(self, **changes: Any) -> Collateral:
        """Other parts: CRLs as Crl or DER, signed documents (with their chains unless those are given), PEM."""
        for name in ("root_ca_crl", "pck_crl"):
            if isinstance(changes.get(name), Crl):
                changes[name] = changes[name].der
        for name in ("tcb_info", "qe_identity"):
            if name in changes:
                changes.setdefault(f"{name}_issuer_chain", changes[name].chain_pem)
        return replace(self, **changes)

    @property
    def ca(self) -> CaName:
        return self.pck.ca

    # forms

    def members(self) -> dict[str, Any]:
        """The members of QuoteCollateralV3."""
        out: dict[str, Any] = {
            "pck_crl_issuer_chain": self.pck_crl_issuer_chain,
            "root_ca_crl": self.root_ca_crl.hex(),
            "pck_crl": self.pck_crl.hex(),
            "tcb_info_issuer_chain": self.tcb_info_issuer_chain,
            "tcb_info": self.tcb_info.text,
            "tcb_info_signature": self.tcb_info.signature_hex,
            "qe_identity_issuer_chain": self.qe_identity_issuer_chain,
            "qe_identity": self.qe_identity.text,
            "qe_identity_signature": self.qe_identity.signature_hex,
        }
        if self.pck_certificate_chain is not None:
            out["pck_certificate_chain"] = self.pck_certificate_chain
        return out

    def json(self, **overrides: Any) -> str:
        """QuoteCollateralV3. overrides: other JSON for members, or members more; None leaves one out."""
        members = {**self.members(), **overrides}
        return to_json({name: value for name, value in members.items() if value is not None})

    def flattened(
        self,
        *,
        version: int = 4,
        crl_form: Literal["hex", "der", "pem"] = "hex",
        terminated: bool = True,
        parts: Mapping[str, bytes] | None = None,
        sizes: Mapping[str, int] | None = None,
        pointer: int = 0x7F0000000000,
        trailing: bytes = b"",
    ) -> bytes:
        """sgx_ql_qve_collateral_t with what its pointers point at behind it: version, TEE type, seven times pointer,
        size and padding, then the seven parts. The pointers are stale. terminated: texts end in NUL, which their sizes
        count. parts: other bytes for some of FLAT_PARTS; sizes: what is said of their size."""
        texts = {
            "pck_crl_issuer_chain": self.pck_crl_issuer_chain.encode(),
            "tcb_info_issuer_chain": self.tcb_info_issuer_chain.encode(),
            "tcb_info": self.tcb_info.response,
            "qe_identity_issuer_chain": self.qe_identity_issuer_chain.encode(),
            "qe_identity": self.qe_identity.response,
        }
        crls = {"root_ca_crl": self.root_ca_crl, "pck_crl": self.pck_crl}
        if crl_form == "hex":
            texts |= {name: crl.hex().encode() for name, crl in crls.items()}
        elif crl_form == "pem":
            texts |= {name: pem(crl, "X509 CRL") for name, crl in crls.items()}
        end = b"\0" if terminated else b""
        blobs = {**crls, **{name: text + end for name, text in texts.items()}, **(parts or {})}
        head = version.to_bytes(4, "little") + self.tee_type.to_bytes(4, "little")
        for name in FLAT_PARTS:
            size = (sizes or {}).get(name, len(blobs[name]))
            head += pointer.to_bytes(8, "little") + size.to_bytes(4, "little") + bytes(4)
            pointer += len(blobs[name])
        return head + b"".join(blobs[name] for name in FLAT_PARTS) + trailing

    def pcs(self, *, api: Literal["v3", "v4"] = "v4") -> dict[str, PcsResponse]:
        """What the service answers, under tcb_info, qe_identity, pck_crl, root_ca_crl and pck_certificate."""
        tee = "tdx" if self.tee_type == TEE_TDX else "sgx"
        sgx, base = self.pck.sgx, f"{PCS}/sgx/certification/{api}"
        tcb_header = "TCB-Info-Issuer-Chain" if api == "v4" else "SGX-TCB-Info-Issuer-Chain"
        cpu_svn = bytes(svn & 0xFF for svn in sgx.components) if sgx.cpu_svn is None else sgx.cpu_svn
        responses = (
            PcsResponse(
                "tcb_info",
                f"{PCS}/{tee}/certification/{api}/tcb?fmspc={sgx.fmspc.hex().upper()}",
                {tcb_header: percent(self.tcb_info_issuer_chain, safe="")},
                self.tcb_info.response,
            ),
            PcsResponse(
                "qe_identity",
                f"{PCS}/{tee}/certification/{api}/qe/identity",
                {"SGX-Enclave-Identity-Issuer-Chain": percent(self.qe_identity_issuer_chain, safe="")},
                self.qe_identity.response,
            ),
            PcsResponse(
                "pck_crl",
                f"{base}/pckcrl?ca={self.ca}&encoding=der",
                {"SGX-PCK-CRL-Issuer-Chain": percent(self.pck_crl_issuer_chain, safe="")},
                self.pck_crl,
            ),
            PcsResponse("root_ca_crl", ROOT_CRL_URL, {}, self.root_ca_crl),
            PcsResponse(
                "pck_certificate",
                f"{base}/pckcert",
                {
                    "SGX-PCK-Certificate-Issuer-Chain": percent(self.pck_crl_issuer_chain, safe=""),
                    "SGX-TCBm": (cpu_svn + sgx.pce_svn.to_bytes(2, "little")).hex(),
                    "SGX-FMSPC": sgx.fmspc.hex().upper(),
                    "SGX-PCK-Certificate-CA-Type": self.ca,
                },
                self.pck.pem,
            ),
        )
        return {response.name: response for response in responses}

    def platform_collaterals(
        self, *, others: tuple[Collateral, ...] = (), early: bool = False, spaced: bool = True
    ) -> str:
        """platform_collaterals.json of PcsClientTool, which holds the collateral of many platforms: this one's, and that
        of others (other FMSPCs, the other CA, SGX beside TDX). The tool takes TCB infos apart and writes them anew with
        spaces; spaced=False keeps the bytes that were signed."""
        every = (self, *others)
        suffix = "_early" if early else ""
        infos: dict[str, dict[str, Any]] = {}
        collaterals: dict[str, Any] = {
            "version": 4,
            "pck_certs": [],
            "tcbinfos": [],
            "pckcacrl": {},
            "qeidentity": "",
            "tdqeidentity": "",
            "qveidentity": "",
            "certificates": {},
            "rootcacrl": self.root_ca_crl.hex(),
        }
        chains: dict[str, str] = {}
        for one in every:
            tdx = one.tee_type == TEE_TDX
            fmspc = one.pck.sgx.fmspc.hex().upper()
            text = one.tcb_info.response.decode("utf-8", "surrogatepass")
            document = Raw(_rewritten(text) if spaced else text)
            infos.setdefault(fmspc, {"fmspc": fmspc})[f"{'tdx' if tdx else 'sgx'}_tcbinfo{suffix}"] = document
            collaterals[("tdqeidentity" if tdx else "qeidentity") + suffix] = one.qe_identity.response.decode(
                "utf-8", "surrogatepass"
            )
            collaterals["pckcacrl"][f"{one.ca}Crl"] = one.pck_crl.hex()
            chains[one.ca.upper()] = percent(one.pck_crl_issuer_chain, safe="")
        collaterals["tcbinfos"] = list(infos.values())
        collaterals["certificates"] = {
            "SGX-PCK-Certificate-Issuer-Chain": chains,
            "TCB-Info-Issuer-Chain": percent(self.tcb_info_issuer_chain, safe=""),
            "SGX-Enclave-Identity-Issuer-Chain": percent(self.qe_identity_issuer_chain, safe=""),
        }
        return to_json({"platforms": [], "collaterals": collaterals}, spaced=spaced)


def _rewritten(text: str) -> str:
    """JSON as Python writes it; what is none stays as it is."""
    try:
        return json.dumps(json.loads(text))
    except (ValueError, RecursionError):
        return text


__all__ = ["FLAT_PARTS", "Collateral", "PcsResponse"]
