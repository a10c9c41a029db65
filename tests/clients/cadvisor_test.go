// SPDX-License-Identifier: MIT

package clients

// run.sh runs this package's own tests beside ours; importing it keeps the version pinned.
import _ "github.com/google/cadvisor/fs"
