"""The commands `snpverify`, `tdxverify` and `attestcore`. Nothing below this layer knows of them."""
