# shellcheck shell=sh
# shellcheck disable=SC2154 # scratch, cache, work, lib: of the hook
# SPDX-License-Identifier: Apache-2.0
#
# The steps of fetch/git. What a repository holds is a stranger's: no setting, hook, filter or protocol of its own counts.
#
# Sourced after common.sh.
need git

# All settings are in one file, which submodules and the far side of a local path read too; nobody else's count.
git_settings() { # SOURCE
	protocols=https:ssh path=
	case $1 in
	-*) die "\"$1\" is not the address of a repository" ;;
	https://* | ssh://*) ;;
	http://*) protocols=https:ssh:http ;;
	file://*) path=${1#file://} ;;
	/*) path=$1 ;;
	*::*) die "\"$1\": addresses of that kind run programs" ;;
	*:*) ;; # git@host:owner/name
	*) die "\"$1\" is not the address of a repository" ;;
	esac
	cat >"$scratch/config" <<-END
		[core]
			hooksPath = /dev/null
			fsmonitor = false
			symlinks = $(if is_off "${DEPLOY_OPTION_SYMLINKS:-}"; then echo false; else echo true; fi)
			protectHFS = true
			protectNTFS = true
			attributesFile = /dev/null
		[advice]
			detachedHead = false
		[gc]
			auto = 0
		[http]
			lowSpeedLimit = 1000
			lowSpeedTime = 60
		[init]
			defaultBranch = main
	END
	# The agent is root, a repository for pushes is often of the user git.
	if [ -n "$path" ]; then git config --file "$scratch/config" safe.directory "$path"; fi
	export GIT_CONFIG_GLOBAL="$scratch/config" GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
	export GIT_ALLOW_PROTOCOL=$protocols
	git_ssh
	if secret git-token >/dev/null; then
		export GIT_ASKPASS="$lib/askpass" GIT_ASKPASS_FOR="$1"
	fi
}

# Only the key of this app, only hosts that are known: nobody is there to say yes.
git_ssh() {
	hosts=${DEPLOY_OPTION_KNOWN_HOSTS:-} key=
	case $hosts in *[\'\"\ ]*) die "the path of known_hosts has a blank or a quote" ;; esac
	if secret deploy-key >/dev/null; then
		# ssh refuses a key that others can read, and one without a line end.
		{ cat -- "$(secret deploy-key)" && echo; } >"$scratch/key"
		key="-i '$scratch/key' -o IdentitiesOnly=yes -o IdentityAgent=none"
	fi
	export GIT_SSH_COMMAND="ssh -F /dev/null $key -o BatchMode=yes -o StrictHostKeyChecking=yes ${hosts:+-o UserKnownHostsFile=$hosts} -o ConnectTimeout=20 -o ServerAliveInterval=15 -o ForwardAgent=no -o PermitLocalCommand=no"
	export GIT_SSH_VARIANT=ssh
}

cached() { git --git-dir="$cache" "$@"; }

# What is kept between deploys. One deploy of an app at a time: a lock found here is one of a fetch that was killed.
git_cache() {
	if [ -d "$cache" ]; then
		find "$cache" -name '*.lock' -delete
		find "$cache/objects/pack" -name 'tmp_*' -delete 2>/dev/null || true
		if cached rev-parse --git-dir >/dev/null 2>&1; then
			# Each fetch leaves a pack. Now, while no folder of a deploy borrows what may go.
			if [ "$(find "$cache/objects/pack" -name '*.pack' | wc -l)" -gt 20 ]; then cached gc --quiet --prune=now; fi
			return
		fi
		say "the cache is broken and begun anew"
		rm -rf -- "$cache"
	fi
	git init --quiet --bare -- "$cache"
}

# For a local path the protocol is allowed for this one command, and not for submodules.
git_fetch() { # SOURCE OPTION... REFSPEC
	from=$1
	shift
	case $from in
	/* | file://*) env GIT_ALLOW_PROTOCOL=file git --git-dir="$cache" fetch --quiet --no-tags --no-recurse-submodules --no-write-fetch-head "$@" ;;
	*) cached fetch --quiet --no-tags --no-recurse-submodules --no-write-fetch-head "$@" ;;
	esac
}

# Prints the commit. That it is on the ref is proven by the history from there, as deep as it takes: git hosts hand out the
# commits of anybody's fork by their number, and a request may name one of those.
git_proven() { # SOURCE REF COMMIT
	here=refs/agent/ref
	git_fetch "$1" --depth=1 -- "$1" "+$2:$here" || git_failed "$1" "$2"
	head=$(cached rev-parse --verify --quiet "$here^{commit}") || die "$2 is not a commit"
	if [ -z "$3" ] || [ "$3" = "$head" ]; then echo "$head" && return; fi
	case $3 in *[!0-9a-f]*) die "\"$3\" is not a commit" ;; esac
	if [ "$3" = "$(cached rev-parse --verify --quiet "$here")" ]; then echo "$head" && return; fi # an annotated tag
	for depth in 50 1000 2147483647; do # the last one: all
		git_fetch "$1" --depth="$depth" -- "$1" "+$2:$here" || git_failed "$1" "$2"
		if cached cat-file -e "$3^{commit}" 2>/dev/null && cached merge-base --is-ancestor "$3" "$here"; then
			echo "$3" && return
		fi
		[ "$(cached rev-parse --is-shallow-repository)" = true ] || break
	done
	die "commit $3 is not on $2: another branch's, or pushed over since"
}

# A fetch failed: the ref is not there (for good), or something else (for now).
git_failed() { # SOURCE REF
	if cached fsck --connectivity-only >/dev/null 2>&1; then
		status=0
		GIT_ALLOW_PROTOCOL="$GIT_ALLOW_PROTOCOL:file" git ls-remote --exit-code -- "$1" "$2" >/dev/null 2>&1 || status=$?
		[ "$status" != 2 ] || die "the repository has no $2"
	else
		rm -rf -- "$cache"
	fi
	again "the fetch failed"
}

# A repository in the folder of the deploy that borrows the cache's objects. Files are as git would make them for anybody: what
# is 0600 here would be 0600 in an image, whose user is another one. The folder itself is the agent's alone.
git_check_out() ( # COMMIT
	umask 022
	rm -rf -- "$work/.git"
	git init --quiet -- "$work"
	printf '%s\n' "$cache/objects" >"$work/.git/objects/info/alternates"
	if [ -f "$cache/shallow" ]; then cp -- "$cache/shallow" "$work/.git/shallow"; fi
	git -C "$work" checkout --quiet --force --detach "$1" --
	git -C "$work" clean --quiet -ffdx
	if is_off "${DEPLOY_OPTION_SUBMODULES:-}"; then exit 0; fi
	[ -f "$work/.gitmodules" ] || exit 0
	# Addresses such as ../other.git are told from the repository's own.
	git -C "$work" remote add origin "$source"
	git -C "$work" submodule --quiet update --init --recursive --depth 1 ||
		git -C "$work" submodule --quiet update --init --recursive ||
		die "a submodule cannot be had; only https and ssh are allowed for them"
)

# A link in the tree may lead anywhere in the tree. One that leads out of it would have a build read, or a later step write,
# the files of this server.
git_check_links() {
	root=$(realpath -- "$work")
	find "$root" -path "$root/.git" -prune -o -type l -exec sh -c '
		root=$1
		shift
		for link in "$@"; do
			case $(realpath -m -- "$link") in
			"$root"/.git | "$root"/.git/*) ;;
			"$root" | "$root"/*) continue ;;
			esac
			printf "%s\0" "$link"
		done' sh "$root" {} + >"$scratch/links"
	[ -s "$scratch/links" ] || return 0
	tr '\n\0' '?\n' <"$scratch/links" | tr -d '\001-\011\013-\037\177' | head -n 20 >&2
	die "these links lead out of the source; the option symlinks = false makes plain files of them"
}

# Which paths differ from the version before, for the patterns of the app. The commit before may be unknown to the server,
# or out of reach: then nobody knows.
git_changed() { # SOURCE BEFORE COMMIT
	case $2 in '' | *[!0-9a-f]* | 0000000000000000000000000000000000000000*) return 1 ;; esac
	cached cat-file -e "$2^{commit}" 2>/dev/null || git_fetch "$1" --depth=1 -- "$1" "+$2:refs/agent/before" 2>/dev/null || return 1
	cached diff --name-only -z --no-renames --no-ext-diff "$2" "$3" -- | head -c 4194304 >"$DEPLOY_CACHE/changed"
}
