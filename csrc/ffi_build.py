"""Declares attestcore._native to cffi: the marked parts of attest.h and attest_tdx.h are the whole interface, csrc/*.c the source."""

import os
import re
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def version() -> str:
    found = re.search(r'^version = "([^"]+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise SystemExit("pyproject.toml names no version")
    return found.group(1)


def cdef() -> str:
    """The text between the marks. cffi's parser cannot read every constant's value, and wants plain numbers as array lengths: the
    compiler supplies the former, the latter are written out here."""
    texts = [(HERE / name).read_text(encoding="utf-8") for name in ("attest.h", "attest_tdx.h")]
    region = "".join(text.split("/* cffi:begin */")[1].split("/* cffi:end */")[0] for text in texts)
    numbers = dict(re.findall(r"^#define (\w+) (\d+)\b", region, flags=re.MULTILINE))
    region = re.sub(r"\[(ATT_\w+)\]", lambda length: f"[{numbers[length[1]]}]", region)
    return re.sub(r"^(#define \w+) .*$", r"\1 ...", region, flags=re.MULTILINE)


WARNINGS = ["-Wall", "-Wextra", "-Werror"] if os.environ.get("ATTESTCORE_WERROR") == "1" else ["-Wall", "-Wextra"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g"]
SANITIZE = SANITIZE if os.environ.get("ATTESTCORE_SANITIZE") == "1" else []

ffi = FFI()
ffi.cdef(cdef())
ffi.set_source(
    "attestcore._native",
    '#include "attest.h"\n',
    sources=sorted(path.relative_to(ROOT).as_posix() for path in HERE.glob("*.c")),
    depends=sorted(path.relative_to(ROOT).as_posix() for path in [*HERE.glob("*.h"), *HERE.glob("*.def")]),
    include_dirs=["csrc"],
    define_macros=[("ATT_VERSION", f'"{version()}"')],
    extra_compile_args=["-std=c11", "-O2", "-fvisibility=hidden", *WARNINGS, *SANITIZE],
    extra_link_args=["-Wl,-z,relro,-z,now", *SANITIZE],
)
