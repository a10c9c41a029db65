// SPDX-License-Identifier: MIT

//go:build tools

// Package runsc pins the version of gVisor that the tests run in.
package runsc

import _ "gvisor.dev/gvisor/runsc"
