#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian package: built a second time it is the same, lintian finds nothing, and inside.sh uses and
# purges it in a root of this machine's Debian in which nothing is installed.
# Usage: tests/deb/run.sh DIRECTORY   (that scripts/deb.sh has made)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../.." && pwd)
suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
package=$(echo "$1"/*.deb)

fail() { echo "test-deb: FAILED: $*" >&2; exit 1; }

directory=$(mktemp -d "${TMPDIR:-/tmp}/fcg-deb.XXXXXX")
trap 'rm -rf --one-file-system "$directory"' EXIT
trap 'exit 130' INT TERM

"$project/scripts/deb.sh" "$directory/again" >/dev/null
cmp "$package" "$directory"/again/*.deb || fail "a second build gives another package"
echo "test-deb: a second build in another place gives the same package"

said=$(lintian --allow-root --info --display-info --pedantic "$1"/*.changes)
[ -z "$said" ] || fail "lintian: $said"
echo "test-deb: lintian finds nothing"

skip() { echo "test-deb: SKIPPED: installing the package: $*" >&2; exit 0; }
[ "$(id -u)" = 0 ] || skip "needs root: it makes a root of its own"
[ -c /dev/fuse ] || skip "needs /dev/fuse (modprobe fuse)"

chmod 755 "$directory" # apt-get reads the package as a user of its own
"$project/tests/fresh/root.sh" "$suite" "$directory/root"
cp "$package" "$here/inside.sh" "$directory/root/srv/"
git clone -q --bare "$project" "$directory/root/srv/project.git"
# A pid namespace of its own: a daemon that a failed run leaves ends with it.
unshare --pid --fork --kill-child "$project/tests/fresh/enter.sh" machine "$directory/root" \
	/srv/inside.sh "/srv/${package##*/}" /srv/project.git
