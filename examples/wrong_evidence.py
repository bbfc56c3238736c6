# SPDX-License-Identifier: Apache-2.0
"""Five reports, each wrong in exactly one way, and all but the last with a signature that verifies.

Damage to captured evidence rarely gets past the signature. A test of any other check needs evidence that is validly
signed and wrong, and for that it needs the key: hence a certification authority of its own.
"""

import snpverify
from snpverify.testing import AT, AmdCa, ReportFields, Tcb

ca = AmdCa("Genoa")
verifier = snpverify.Verifier(roots=ca.roots)
vcek = ca.vcek(tcb=Tcb(boot_loader=10, snp=0x17, microcode=0x54))
fields = ReportFields.fitting(vcek, version=5)

other_chip = bytes([fields.chip_id[0] ^ 1]) + fields.chip_id[1:] if fields.chip_id else b""
newer = Tcb(boot_loader=10, snp=0x1B, microcode=0x54)

wrong = {
    "made on another chip than the certificate's": fields.replace(chip_id=other_chip).sign(vcek),
    "claims a newer TCB than the certificate's": fields.replace(reported_tcb=newer).sign(vcek),
    "from a guest that the host may debug": fields.replace(policy=0xB0000).sign(vcek),
    "has a reserved byte set, inside what is signed": fields.sign(vcek, patches={0x18B: b"\x01"}),
    "has the signature's bytes in the wrong order": fields.sign(vcek, byteorder="big"),
}

for what, report in wrong.items():
    verdict = verifier.verify(report, certs=[vcek.der, *ca.certs], at=AT)
    print(f"{len(report)} bytes, {what}: {', '.join(verdict.codes)}")
