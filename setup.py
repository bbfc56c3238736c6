"""Builds attestcore._native; everything else stands in pyproject.toml."""

import sysconfig

from setuptools import setup

# Free-threaded builds of CPython have no limited API before 3.15.
ABI3 = not sysconfig.get_config_var("Py_GIL_DISABLED")

setup(
    cffi_modules=["csrc/ffi_build.py:ffi"],
    options={"bdist_wheel": {"py_limited_api": "cp310"}} if ABI3 else {},
)
