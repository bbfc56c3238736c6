module peer

go 1.24

require github.com/google/go-sev-guest v0.15.0
