#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Everyday tools under the preload: sort with threads, xz with threads, gzip, tar,
# awk, bash with many forks, and make with two jobs.

. "$(dirname "$0")/apps.sh"
need sort xz gzip tar awk bash make

awk 'BEGIN {
	x = 7
	for (i = 0; i < 200000; i++) {
		x = (x * 16807) % 2147483647
		printf "%d line-%d %s\n", x % 1000003, i, substr("the quick brown fox jumps", x % 20)
	}
}' >"$work/in/lines"
mkdir "$work/in/tree"
split -l 2000 -a 3 "$work/in/lines" "$work/in/tree/part."
ln -s part.aaa "$work/in/tree/link"
truncate -s 1M "$work/in/tree/hole"
bytes=$(wc -c <"$work/in/lines")

for program in sort xz gzip tar awk bash make; do
	preloaded_ok "$(command -v $program)" --version
done

same "sort --parallel=2 sorts the same" sort --parallel=2 -S 4M -k2,2 "$work/in/lines"
same "sort -n -u with many short runs sorts the same" \
	sort --parallel=2 -S 200k --batch-size=8 -n -u "$work/in/lines"

same "xz -T2 compresses the same" \
	xz -T2 -1 --block-size=512KiB -c "$work/in/lines"
cp "$work/preload.out" "$work/in/lines.xz"
is "$(xz -dc "$work/in/lines.xz" | cmp - "$work/in/lines" 2>&1)" "" \
	"xz without the preload restores the bytes"
same "xz -d -T2 restores the same" xz -d -T2 -c "$work/in/lines.xz"
is "$(wc -c <"$work/preload.out")" "$bytes" "xz -d restores every byte"

same "gzip compresses the same" gzip -n -6 -c "$work/in/lines"
cp "$work/preload.out" "$work/in/lines.gz"
same "gzip -d restores the same" gzip -d -c "$work/in/lines.gz"
is "$(wc -c <"$work/preload.out")" "$bytes" "gzip -d restores every byte"

same "tar -c packs the same" tar -C "$work/in" --sort=name -S -cf - tree
cp "$work/preload.out" "$work/in/tree.tar"
same "tar -x ends as under glibc" tar -xf "$work/in/tree.tar"
same_files "tar -x restores the same files"
diff -r "$work/in/tree" "$work/preload/tree" >&2
ok $? "tar -x restores what was packed"
same "tar -cJ with xz as a child packs the same" \
	tar -C "$work/in" --sort=name -I 'xz -0 -T1' -cf - tree

same "awk counts the same" awk '
	{ count[$1 % 5000]++; text[$3 $4] = text[$3 $4] substr($2, 6) }
	END {
		for (i = 0; i < 5000; i++)
			printf "%d %d\n", i, count[i]
		for (t in text)
			total += length(text[t])
		print total
	}' "$work/in/lines"

cat >"$work/in/forks.sh" <<'END'
declare -A table
for ((i = 0; i < 400; i++)); do
	value=$(echo "$i" | { read -r n; echo $((n * n)); })
	table[key-$i]=$value
	text+=$(printf '%s,' "${table[key-$((i / 2))]}")
done
echo "${#table[@]} $text"
for ((i = 0; i < 20; i++)); do
	(
		mapfile -t lines < <(seq $((i * 300)))
		printf '%s ' "${lines[@]}" | tr 0-9 a-j | cksum
		exit $((i % 3))
	)
	echo "$?"
done
for ((i = 0; i < 20; i++)); do
	(sleep 0.01; exit $i) &
	pids[i]=$!
done
for ((i = 0; i < 20; i++)); do
	wait "${pids[i]}"
	echo "$?"
done
END
same "a bash script with many forks prints the same" bash "$work/in/forks.sh"

cat >"$work/in/Makefile" <<'END'
parts := $(foreach a,1 2 3 4 5 6,$(foreach b,a b c d e f g h,part-$(a)$(b)))
all: total
part-%:
	@awk -v p='$*' 'BEGIN { for (i = 0; i < 2000; i++) print p, i * i }' >$@
total: $(parts)
	@cat $(sort $(parts)) >$@
	@echo $(words $(parts)) $(shell seq 2000 | cksum)
END
same "make -j2 prints the same" make -j2 -f "$work/in/Makefile"
same_files "make -j2 makes the same files"
done_testing
