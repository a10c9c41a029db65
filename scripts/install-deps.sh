#!/bin/sh
# SPDX-License-Identifier: MIT
# Looks for what a target needs (the table in scripts/dependencies), with pkg-config and the compiler,
# and installs what is missing where that is apt-get's and we are root. Else, and with --check, it
# says what to install.
# Usage: scripts/install-deps.sh [--check] SET...
set -eu

table=$(dirname "$0")/dependencies
CC=${CC:-gcc}
PATH=$PATH:/usr/sbin:/sbin
check=
if [ "${1-}" = --check ]; then
	check=1
	shift
fi

compiles() { # compiles OPTION...: the program on standard input
	# shellcheck disable=SC2086 # $CC may have options of its own
	$CC ${CPPFLAGS-} ${CFLAGS-} "$@" -x c -
}

# links COMPILER OPTION...: a program that does nothing
links() {
	scratch=$(mktemp -d) || return 1
	# shellcheck disable=SC2086
	echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' | ${1:-$CC} "$2" -x c - -o "$scratch/program"
	links=$?
	rm -rf "$scratch"
	return "$links"
}

is_there() { # is_there KIND:WHAT
	what=${1#*:}
	# shellcheck disable=SC2086 # $PKG_CONFIG may have options
	case $1 in
	compiler) echo '#include <stdio.h>' | compiles -c -o /dev/null ;;
	header:*) echo "#include <$what>" | compiles -E -o /dev/null ;;
	pkg:*) ${PKG_CONFIG:-pkg-config} --exists "$(echo "$what" | sed 's/>=/ >= /')" ;;
	library:*) [ -e "$($CC -print-file-name="lib$what.a")" ] ;;
	program:*) command -v "$what" ;;
	static:*) command -v "$what" && ! readelf -l "$(command -v "$what")" | grep -q INTERP ;;
	clang:*) links clang "$what" ;;
	python:*) "${PYTHON:-/usr/bin/python3}" -c "import $what" ;;
	file:*) [ -e "$what" ] ;;
	*) echo "$table: unknown probe $1" >&3; exit 2 ;;
	esac >/dev/null 2>&1
} 3>&2

in_sets() { # in_sets NAME,NAME SET...: whether one of the sets is named
	names=,$1,
	shift
	for set in "$@"; do
		case $names in *",$set,"*) return 0 ;; esac
	done
	return 1
}

for set in "$@"; do
	grep -v '^#' "$table" | cut -d ' ' -f 1 | tr ',' '\n' | grep -qx -e "$set" ||
		{ echo "install-deps.sh: unknown set '$set'" >&2; exit 2; }
done

# Sums and scales of 64-bit figures are of 128 bits (number.h).
if echo | compiles -dM -E 2>/dev/null | grep -q '__SIZEOF_POINTER__ 4'; then
	echo "fuse_cgroupfs is for 64-bit machines: $CC has no __int128 for this one" >&2
	exit 1
fi

# The launcher mounts by fsopen(2) and its kin, and the daemon waits by sem_clockwait(3): musl has neither.
refuse_other_libraries() {
	in_sets build "$@" && is_there compiler </dev/null || return 0
	printf '%s\n' '#include <semaphore.h>' '#include <sys/mount.h>' \
		'void *needed[] = {(void *)fsopen, (void *)sem_clockwait};' |
		compiles -D_GNU_SOURCE -w -c -o /dev/null 2>/dev/null || {
		echo "fuse_cgroupfs needs glibc 2.36 or newer, as of Debian 12: $CC has another C library." \
			"What \`make static\` builds on such a machine runs on any Linux, Alpine too" >&2
		exit 1
	}
}
refuse_other_libraries "$@"

missing='' apt='' dnf='' apk='' pacman=''
while read -r sets probe for_apt for_dnf for_apk for_pacman; do
	case $sets in '' | '#'*) continue ;; esac
	in_sets "$sets" "$@" || continue
	! is_there "$probe" </dev/null || continue
	missing="$missing ${probe#*:}"
	apt="$apt $for_apt" dnf="$dnf $for_dnf" apk="$apk $for_apk" pacman="$pacman $for_pacman"
done <"$table"
[ -n "$missing" ] || exit 0

# packages NAME,NAME -...: each once
packages() {
	echo "$*" | tr ', ' '\n\n' | grep -vx -e - -e '' | sort -u | tr '\n' ' ' | sed 's/ $//'
}

manager=
for manager in apt-get dnf apk pacman none; do
	! command -v "$manager" >/dev/null 2>&1 || break
done

# what to type, for one package manager
advice() {
	case $1 in
	apt-get) echo "    apt-get install -y $(packages "$apt")" ;;
	dnf) echo "    dnf install -y $(packages "$dnf")" ;;
	apk) echo "    apk add $(packages "$apk")" ;;
	pacman) echo "    pacman -S --needed $(packages "$pacman")" ;;
	esac
}

if [ -n "$check" ] || [ "$manager" != apt-get ] || [ "$(id -u)" != 0 ]; then
	{
		echo "fuse_cgroupfs needs what is not here:$missing. To install that, as root:"
		for each in apt-get dnf apk pacman; do
			[ "$manager" != none ] && [ "$manager" != "$each" ] || advice "$each"
		done
	} >&2
	exit 1
fi
# The programs are wanted, not the services that Debian would start with them.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
install() {
	# shellcheck disable=SC2046 # a list of words
	apt-get install -y -qq --no-install-recommends $(packages "$apt") >/dev/null
}
echo "installing: $(packages "$apt")"
install 2>/dev/null || { apt-get update -qq; install; }
case "$apt " in # nor at the next start of the machine
*" prometheus "*) update-rc.d prometheus disable ;;
*" systemd-oomd "*) systemctl --quiet disable systemd-oomd ;;
esac
refuse_other_libraries "$@" # which the compiler that is there now may have
