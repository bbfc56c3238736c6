# SPDX-License-Identifier: Apache-2.0
"""ID blocks and their authentication (56860, SNP_LAUNCH_FINISH), valid or wrong.

    auth = IdAuth(block=IdBlock(measurement=digest), id_key=ec_key("owner"), author_key=ec_key("author"))
    block, info = auth.block.build(), auth.build()            # 96 and 4096 bytes
    fields = ReportFields.fitting(vcek, **auth.report_fields())   # what firmware reports for a guest launched with them

Firmware checks both signatures before it starts the guest; the report carries only the digests of the two keys.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Any, Final

from .keys import EcKey
from .x509 import Patches, patch

ID_BLOCK_LEN: Final = 96
ID_AUTH_LEN: Final = 4096
KEY_LEN: Final = 0x404
SIGNATURE_LEN: Final = 0x200
CURVE_P384: Final = 2
ALGORITHM_P384_SHA384: Final = 1

#: Field of ID_AUTH_INFO: offset and size.
ID_AUTH_LAYOUT: Final[dict[str, tuple[int, int]]] = {
    "id_key_algo": (0x000, 4),
    "auth_key_algo": (0x004, 4),
    "reserved_008": (0x008, 0x38),
    "id_block_sig": (0x040, SIGNATURE_LEN),
    "id_key": (0x240, KEY_LEN),
    "reserved_644": (0x644, 0x3C),
    "id_key_sig": (0x680, SIGNATURE_LEN),
    "author_key": (0x880, KEY_LEN),
    "reserved_c84": (0xC84, 0x37C),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IdBlock:
    """What the owner of an image vouches for."""

    measurement: bytes = bytes(48)
    family_id: bytes = bytes(16)
    image_id: bytes = bytes(16)
    version: int = 1
    guest_svn: int = 0
    policy: int = 0x30000

    def replace(self, **changes: Any) -> IdBlock:
        return dataclasses.replace(self, **changes)

    def build(self, patches: Patches = ()) -> bytes:
        """The 96 bytes."""
        whole = (
            self.measurement
            + self.family_id
            + self.image_id
            + self.version.to_bytes(4, "little")
            + self.guest_svn.to_bytes(4, "little")
            + self.policy.to_bytes(8, "little")
        )
        if len(whole) != ID_BLOCK_LEN:
            raise ValueError(f"an ID block has {ID_BLOCK_LEN} bytes, not {len(whole)}")
        return patch(whole, patches)


def key_structure(key: EcKey | tuple[int, int], *, curve: int = CURVE_P384, patches: Patches = ()) -> bytes:
    """The 0x404 bytes in which firmware takes a public key: the curve's number, X and Y, little-endian in 72 bytes
    each. The key may be a point that is on no curve."""
    x, y = key.public if isinstance(key, EcKey) else key
    whole = curve.to_bytes(4, "little") + x.to_bytes(72, "little") + y.to_bytes(72, "little")
    return patch(whole.ljust(KEY_LEN, b"\0"), patches)


def id_key_digest(structure: bytes | EcKey) -> bytes:
    """ID_KEY_DIGEST or AUTHOR_KEY_DIGEST of a report: SHA-384 of the key structure."""
    return hashlib.sha384(key_structure(structure) if isinstance(structure, EcKey) else structure).digest()


def signature_structure(r: int, s: int) -> bytes:
    """The 0x200 bytes of a signature: R and S, little-endian in 72 bytes each."""
    return (r.to_bytes(72, "little") + s.to_bytes(72, "little")).ljust(SIGNATURE_LEN, b"\0")


def _sign(key: EcKey, message: bytes, hash_name: str) -> bytes:
    return signature_structure(*key.sign(message, hash_name=hash_name))


@dataclass(frozen=True, slots=True, kw_only=True)
class IdAuth:
    """An ID block with the signature of the ID key, and (with an author key) the author's signature of that key."""

    block: IdBlock
    id_key: EcKey
    author_key: EcKey | None = None  # None: not enabled, zeros
    id_key_algo: int = ALGORITHM_P384_SHA384
    auth_key_algo: int = ALGORITHM_P384_SHA384
    id_key_bytes: bytes | None = None  # the key structures, instead of those of the keys that sign
    author_key_bytes: bytes | None = None
    id_block_sig: bytes | None = None  # instead of signing
    id_key_sig: bytes | None = None
    hash_name: str = "sha384"

    def replace(self, **changes: Any) -> IdAuth:
        return dataclasses.replace(self, **changes)

    @property
    def id_key_structure(self) -> bytes:
        return key_structure(self.id_key) if self.id_key_bytes is None else self.id_key_bytes

    @property
    def author_key_structure(self) -> bytes:
        """Zeros when there is no author key."""
        if self.author_key_bytes is not None:
            return self.author_key_bytes
        return bytes(KEY_LEN) if self.author_key is None else key_structure(self.author_key)

    @property
    def id_key_digest(self) -> bytes:
        return id_key_digest(self.id_key_structure)

    @property
    def author_key_digest(self) -> bytes:
        """Zeros when there is no author key."""
        return bytes(48) if self.author_key is None else id_key_digest(self.author_key_structure)

    def build(self, patches: Patches = ()) -> bytes:
        """ID_AUTH_INFO, 4096 bytes."""
        block_sig, key_sig = self.id_block_sig, self.id_key_sig
        if block_sig is None:
            block_sig = _sign(self.id_key, self.block.build(), self.hash_name)
        if key_sig is None:
            key_sig = bytes(SIGNATURE_LEN)
            if self.author_key is not None:
                key_sig = _sign(self.author_key, self.id_key_structure, self.hash_name)
        parts: dict[str, bytes] = {
            "id_key_algo": self.id_key_algo.to_bytes(4, "little"),
            "auth_key_algo": self.auth_key_algo.to_bytes(4, "little"),
            "id_block_sig": block_sig,
            "id_key": self.id_key_structure,
            "id_key_sig": key_sig,
            "author_key": self.author_key_structure,
        }
        out = bytearray(ID_AUTH_LEN)
        for name, value in parts.items():
            at, size = ID_AUTH_LAYOUT[name]
            if len(value) != size:
                raise ValueError(f"{name} has {size} bytes, not {len(value)}")
            out[at : at + size] = value
        return patch(bytes(out), patches)

    def report_fields(self) -> dict[str, Any]:
        """The fields of a report of a guest that was launched with this ID block."""
        return {
            "measurement": self.block.measurement,
            "family_id": self.block.family_id,
            "image_id": self.block.image_id,
            "guest_svn": self.block.guest_svn,
            "policy": self.block.policy,
            "id_key_digest": self.id_key_digest,
            "author_key_digest": self.author_key_digest,
            "author_key_en": 0 if self.author_key is None else 1,
        }
