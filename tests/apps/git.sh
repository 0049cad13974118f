#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# git under the preload: clone, log, gc and fsck of a generated history, and of
# the project's own repository where the sources are in one. Packs may differ
# between two runs (delta search has threads), their objects may not.

. "$(dirname "$0")/apps.sh"
need git

export GIT_CONFIG_NOSYSTEM=1
cat >"$HOME/.gitconfig" <<-END
	[user]
		name = nobody
		email = nobody@example.org
	[safe]
		directory = *
	[gc]
		auto = 0
	[pack]
		threads = 2
	[core]
		pager = cat
	[init]
		defaultBranch = main
	[advice]
		detachedHead = false
END

# 400 commits over 120 files, with growing files, renames and merges
history()
{
	awk 'BEGIN {
		for (c = 1; c <= 400; c++) {
			printf "commit refs/heads/main\nmark :%d\n", c
			printf "committer nobody <nobody@example.org> %d +0000\n", 1700000000 + 60 * c
			message = "commit " c "\n\nchange of file " c % 120 "\n"
			printf "data %d\n%s\n", length(message), message
			if (c > 1)
				printf "from :%d\n", c - 1
			if (c > 20 && c % 20 == 0)
				printf "merge :%d\n", c - 10
			file = "dir" c % 12 "/file" c % 120
			if (c > 240 && c % 7 == 0)
				printf "R %s moved/%d\n", "dir" (c - 120) % 12 "/file" (c - 120) % 120, c
			content = ""
			for (l = 0; l < 200 + c % 90; l++)
				content = content "line " l " of " (l % 50 == c % 50 ? c : l * 7919) "\n"
			printf "M 100644 inline %s\ndata %d\n%s\n", file, length(content), content
		}
	}'
}

objects()
{
	git -C "$1" cat-file --batch-all-objects --batch-check
}

check_repository()
{
	local name=$1 origin=$2 clone=$work/clone

	run_preload git clone -q --no-local "$origin" copy
	is "$preload_status" 0 "$name: git clone succeeds"
	silent "$name: git clone is silent" "$work/preload.err"
	mv "$work/preload/copy" "$clone"
	[ "$(git -C "$clone" rev-parse HEAD)" = "$(git -C "$origin" rev-parse HEAD)" ] &&
		[ -z "$(git -C "$clone" status --porcelain)" ]
	ok $? "$name: the clone has the origin's commit and a clean tree"

	same "$name: git log -p prints the same" git -C "$clone" log -p -M --stat
	same "$name: git blame prints the same" \
		git -C "$clone" blame "$(git -C "$clone" ls-files | tail -n 1)"

	objects "$clone" >"$work/before"
	run_preload git -C "$clone" gc -q --aggressive --prune=now
	objects "$clone" >"$work/after"
	[ "$preload_status" -eq 0 ] && [ -s "$work/after" ] && cmp "$work/before" "$work/after" >&2
	ok $? "$name: git gc keeps every object"
	silent "$name: git gc is silent" "$work/preload.err"
	git -C "$clone" fsck --full --strict >&2
	is $? 0 "$name: git fsck under glibc accepts the repacked clone"
	same "$name: git fsck ends as under glibc" git -C "$clone" fsck --full --no-progress
	rm -rf "$clone"
}

preloaded_ok git --version

history >"$work/in/history"
input=$work/in/history
for where in glibc preload; do
	run_$where git -c init.defaultBranch=main init -q --bare origin.git
	mv "$work/$where/origin.git" "$work/in/$where.git"
	run_$where git -C "$work/in/$where.git" fast-import --quiet
done
input=
objects "$work/in/glibc.git" >"$work/before"
objects "$work/in/preload.git" >"$work/after"
[ "$glibc_status" -eq 0 ] && [ "$preload_status" -eq 0 ] &&
	[ "$(wc -l <"$work/before")" -ge 1200 ] && cmp "$work/before" "$work/after" >&2
ok $? "git fast-import makes the same objects"
silent "git fast-import is silent" "$work/preload.err"
check_repository generated "$work/in/glibc.git"

if [ "$(git -C "$abs_top_srcdir" rev-parse --show-cdup HEAD 2>/dev/null | wc -c)" -eq 42 ]; then
	check_repository project "$abs_top_srcdir"
else
	skip "project: clone, log, gc, fsck" "the sources are not in a git repository"
fi
done_testing
