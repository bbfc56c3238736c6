# SPDX-License-Identifier: Apache-2.0
"""What the test authorities of snpverify.testing and tdxverify.testing are made of.

der        a DER writer, and a reader for surgery on what it wrote
keys       EC and RSA keys that sign with full control
x509       certificates and CRLs as values
mutations  a hypothesis strategy that damages bytes (needs the extra "testing")
"""
