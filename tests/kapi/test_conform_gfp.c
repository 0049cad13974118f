// SPDX-License-Identifier: MIT
/*
 * Every flag of kernel-semantics 6.7 and every row of 6.6 that is about how memory is got: what a
 * program that includes <kmalloc/kmalloc.h> sees of it. "gfp-test:" lines are read by
 * tests/check/check_gfp_man.sh.
 */
#include "conform.h"
#include <stddef.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

/* ---- 6.7: whether to wait ---- */

/*
 * gfp-test: __GFP_DIRECT_RECLAIM
 * With it the caller's own thread reclaims, without it nobody does.
 */
static void direct_reclaim(void)
{
	static const gfp_t without[] = {
		GFP_NOWAIT, __GFP_IO | __GFP_FS, GFP_KERNEL & ~__GFP_DIRECT_RECLAIM, 0,
		__GFP_KSWAPD_RECLAIM | __GFP_RETRY_MAYFAIL,
	};
	struct page *page;
	unsigned int i;

	register_counting(0);
	exhaust();
	seen.gives = 64;
	for (i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		CHECK(!alloc_page(without[i] | __GFP_NOWARN));
	CHECK_EQ(seen.passes, 0);
	page = alloc_page(__GFP_DIRECT_RECLAIM);
	CHECK(page);
	CHECK(seen.scans > 0);
	CHECK_EQ(seen.thread, syscall(SYS_gettid));
	CHECK_EQ(seen.gfp, __GFP_DIRECT_RECLAIM);
	__free_page(page);
}

static unsigned long wakes(void)
{
	struct kmalloc_vm_events e;

	kmalloc_vm_events(&e);
	return e.kswapd_wake;
}

/*
 * gfp-test: __GFP_KSWAPD_RECLAIM
 * A request below low wakes the thread, which reclaims up to high; without the flag it sleeps on.
 */
static void kswapd_reclaim(void)
{
	unsigned int i;

	register_counting(0);
	eat(__GFP_DIRECT_RECLAIM | __GFP_NORETRY);
	CHECK_EQ(mem_free(), mark_min());
	CHECK_EQ(wakes(), 0);
	seen.gives = 1000;
	CHECK(!alloc_page(GFP_NOWAIT));
	CHECK(wakes() > 0);
	for (i = 0; i < 1000 && mem_free() <= zone("Normal").high; i++)
		usleep(5000);
	CHECK(mem_free() > zone("Normal").high);
	CHECK(seen.thread != syscall(SYS_gettid));
}

static void register_plain(unsigned int flags, unsigned long (*count)(struct shrinker *,
								       struct shrink_control *))
{
	struct shrinker *s = shrinker_alloc(flags, "plain");

	CHECK(s);
	s->count_objects = count;
	s->scan_objects = scan_held;
	shrinker_register(s);
}

static unsigned int io_passes, fs_passes;

static unsigned long count_io(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	io_passes++;
	return 1ul << 20;
}

static unsigned long count_fs(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	fs_passes++;
	return 1ul << 20;
}

static void check_shrinkers(gfp_t gfp, bool io, bool fs)
{
	seen.passes = io_passes = fs_passes = 0;
	CHECK(!alloc_page(gfp | __GFP_NORETRY | __GFP_NOWARN));
	CHECK_EQ(seen.passes, 1);
	CHECK_EQ(io_passes, io);
	CHECK_EQ(fs_passes, fs);
}

/*
 * gfp-test: __GFP_IO __GFP_FS GFP_NOIO GFP_NOFS
 * Shrinkers that do I/O or call back are left out where the flag is clear, others never.
 */
static void io_and_fs(void)
{
	unsigned int scope;

	register_counting(0);
	register_plain(SHRINKER_MAY_IO, count_io);
	register_plain(SHRINKER_MAY_FS, count_fs);
	exhaust();
	check_shrinkers(GFP_KERNEL, true, true);
	check_shrinkers(GFP_NOFS, true, false);
	check_shrinkers(GFP_NOIO, false, false);
	check_shrinkers(__GFP_RECLAIM | __GFP_IO, true, false);
	scope = memalloc_nofs_save();
	check_shrinkers(GFP_KERNEL, true, false);
	memalloc_nofs_restore(scope);
	scope = memalloc_noio_save();
	check_shrinkers(GFP_KERNEL, false, false);
	memalloc_noio_restore(scope);
	check_shrinkers(GFP_KERNEL, true, true);
}

/* ---- 6.7: how hard to try ---- */

/*
 * gfp-test: __GFP_NORETRY __GFP_RETRY_MAYFAIL GFP_KERNEL
 * Something comes free in the ninth round: NORETRY does not get there, the others do; nobody is
 * notified. When nothing does: 16 rounds, and the notifiers for GFP_KERNEL alone. 13.7 #9
 */
static void retries(void)
{
	register_counting(0);
	exhaust();
	seen.gives = 64;
	seen.gives_after = 9 * ROUND;
	CHECK(!alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN));
	CHECK_EQ(seen.passes, 1);
	CHECK_EQ(seen.notified, 0);
	seen.passes = 0;
	CHECK(alloc_page(GFP_KERNEL | __GFP_RETRY_MAYFAIL));
	CHECK_EQ(seen.passes, 9 * ROUND + 1);
	exhaust();
	seen.gives = 64;
	seen.gives_after = 9 * ROUND;
	CHECK(alloc_page(GFP_KERNEL));
	CHECK_EQ(seen.passes, 9 * ROUND + 1);
	CHECK_EQ(seen.notified, 0);
	exhaust();
	CHECK(!alloc_page(GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN));
	CHECK_EQ(seen.passes, 16 * ROUND);
	CHECK_EQ(seen.notified, 0);
	seen.notify_gives = 30;
	seen.passes = 0;
	CHECK(alloc_page(GFP_KERNEL));
	CHECK_EQ(seen.passes, 16 * ROUND);
	CHECK_EQ(seen.notified, 1);
}

static volatile bool exhausted;

/* Started while there is memory: under the preload a thread takes some of it. */
static void *free_later(void *arg)
{
	while (!exhausted)
		usleep(1000);
	usleep(50000);
	__free_pages((struct page *)arg, 7);
	return NULL;
}

static void check_nofail(gfp_t gfp, unsigned int order)
{
	struct page *big = alloc_pages(GFP_KERNEL, 7), *page;
	struct kmalloc_vm_events before, after;
	pthread_t t;

	CHECK(big);
	exhausted = false;
	CHECK(!pthread_create(&t, NULL, free_later, big));
	exhaust();
	eat(GFP_ATOMIC);
	kmalloc_vm_events(&before);
	exhausted = true;
	page = alloc_pages(GFP_KERNEL | __GFP_NOFAIL | gfp, order);
	CHECK(page);
	kmalloc_vm_events(&after);
	CHECK(after.nofail_wait > before.nofail_wait);
	CHECK(!pthread_join(t, NULL));
	__free_pages(page, order);
	give_back(nr_held);
}

/* gfp-test: __GFP_NOFAIL (6.6 row 3: with NORETRY or RETRY_MAYFAIL it waits all the same) */
static void nofail(void)
{
	check_nofail(0, 0);
	check_nofail(0, 1);
	check_nofail(__GFP_NORETRY, 0);
	check_nofail(__GFP_RETRY_MAYFAIL, 0);
}

/* 5.7 last row, 6.6 row 2: costly and NOFAIL waits too, is warned about, and nobody is notified */
static void nofail_costly(void)
{
	register_counting(0);
	check_nofail(0, 5);
	CHECK_EQ(seen.notified, 0);
	check_nofail(0, 5);
}

/* 6.6 row 1, 14.1 #6 */
static void nofail_nonblocking(void)
{
	unsigned int i;

	exhaust();
	for (i = 0; i < 3; i++)
		CHECK(!alloc_page(GFP_NOWAIT | __GFP_NOFAIL));
}

/* gfp-test: __GFP_NOWARN */
static void nowarn(void)
{
	exhaust();
	CHECK(!alloc_pages(GFP_KERNEL | __GFP_NOWARN, 2));
	CHECK(!kmalloc(200000, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY));
	CHECK(!vmalloc_huge(20 << 20, GFP_KERNEL | __GFP_NOWARN));
	CHECK(!alloc_page(GFP_NOWAIT));
	CHECK(!alloc_pages(GFP_KERNEL, 2));
}

/* 9.2: the log of an injected failure as well */
static void nowarn_injected(void)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		CHECK(!opaque(kmalloc(100, GFP_KERNEL | __GFP_NOWARN)));
	CHECK(!opaque(kmalloc(100, GFP_KERNEL)));
}

/* ---- 6.7: the reserve ---- */

/*
 * gfp-test: __GFP_HIGH GFP_ATOMIC GFP_NOWAIT __GFP_MEMALLOC __GFP_NOMEMALLOC
 * 5.6, 13.7 #8, 14.1 #5: who fails where, with free exactly at the mark.
 */
static void reserves(void)
{
	unsigned long min = mark_min();

	register_counting(0);
	exhaust();
	CHECK_EQ(eat(GFP_NOWAIT), 0);
	CHECK_EQ(eat(GFP_KERNEL & ~__GFP_RECLAIM), 0);
	CHECK_EQ(eat(0), 0);
	CHECK_EQ(eat(GFP_KERNEL | __GFP_NORETRY | __GFP_NOMEMALLOC), 0);
	CHECK_EQ(eat(GFP_ATOMIC | __GFP_NOMEMALLOC), min - min / 2);
	CHECK_EQ(mem_free(), min / 2);
	CHECK_EQ(give_back((unsigned int)(min - min / 2)), min - min / 2);
	CHECK_EQ(eat(GFP_KERNEL | __GFP_NORETRY | __GFP_HIGH), min - min / 2);
	CHECK_EQ(mem_free(), min / 2);
	CHECK_EQ(eat(GFP_ATOMIC | __GFP_NOMEMALLOC), 0);
	CHECK_EQ(eat(GFP_ATOMIC), min / 2 - min * 3 / 8);
	CHECK_EQ(mem_free(), min * 3 / 8);
	CHECK_EQ(eat(GFP_ATOMIC), 0);
	CHECK_EQ(eat(GFP_ATOMIC | __GFP_MEMALLOC | __GFP_NOMEMALLOC), 0);
	CHECK_EQ(eat(GFP_NOWAIT | __GFP_MEMALLOC), min * 3 / 8);
	CHECK_EQ(mem_free(), 0);
}

/* 6.4: the scope gives all reserves and no reclaim; NOMEMALLOC beats it */
static void noreclaim_scope(void)
{
	unsigned int scope;

	register_counting(0);
	exhaust();
	scope = memalloc_noreclaim_save();
	CHECK_EQ(eat(GFP_KERNEL | __GFP_NOMEMALLOC), 0);
	CHECK_EQ(eat(GFP_KERNEL), mark_min());
	memalloc_noreclaim_restore(scope);
	CHECK_EQ(mem_free(), 0);
	CHECK_EQ(seen.passes, 0);
	CHECK_EQ(seen.notified, 0);
}

/* Any system call but the ones of a failure and of the end kills. */
static void forbid_syscalls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 5, code };

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

/*
 * gfp-test: GFP_ATOMIC GFP_NOWAIT GFP_DMA GFP_DMA32 GFP_TRANSHUGE_LIGHT
 * 6.7: without DIRECT_RECLAIM no system call, whatever is asked for and however much.
 */
static void no_system_call(void)
{
	static const gfp_t masks[] = { GFP_ATOMIC, GFP_NOWAIT, 0, GFP_DMA, GFP_DMA32,
				       GFP_TRANSHUGE_LIGHT, GFP_KERNEL & ~__GFP_DIRECT_RECLAIM };
	struct kmem_cache *s = kmem_cache_create("conform", 300, 0, SLAB_NO_MERGE, NULL);
	unsigned int i, k, n = 0;

	CHECK(s);
	kmem_cache_free(s, kmem_cache_alloc(s, GFP_KERNEL));
	forbid_syscalls();
	for (k = 0; k < sizeof(masks) / sizeof(masks[0]); k++) {
		gfp_t gfp = masks[k] | __GFP_NOWARN;

		for (i = 0; i < 300; i++) {
			n += !!opaque(kmalloc(100 + i * 37 % 9000,
					      gfp & ~(GFP_DMA32 | __GFP_HIGHMEM)));
			n += !!opaque(kmem_cache_alloc(s, gfp & ~(GFP_DMA32 | __GFP_HIGHMEM)));
			opaque(alloc_pages(gfp, i % 11));
		}
	}
	for (i = 0; i < 50; i++) {
		vfree(__vmalloc((i + 1) * 100000ul, GFP_ATOMIC | __GFP_NOWARN));
		kvfree(kvmalloc((i + 1) * 100000ul, GFP_NOWAIT));
	}
	CHECK(!opaque(__vmalloc(1ul << 46, GFP_NOWAIT)));
	CHECK(!opaque(__vmalloc((size_t)opaque((void *)(SIZE_MAX - 100)), GFP_NOWAIT)));
	CHECK(n > 300);
	syscall(SYS_exit_group, 0);
}

/* ---- 6.7: where the memory is ---- */

static bool below(const void *p, unsigned long end)
{
	return p && (unsigned long)p < end;
}

/*
 * gfp-test: __GFP_DMA __GFP_DMA32 GFP_DMA GFP_DMA32
 * Virtual addresses below 2 and 4 GiB; for kmalloc DMA32 is a bit that it takes off.
 */
static void low_addresses(void)
{
	static const unsigned int orders[] = { 0, 3, 9 };
	struct page *page;
	unsigned int i;
	char *p;

	for (i = 0; i < 3; i++) {
		page = alloc_pages(GFP_KERNEL | GFP_DMA, orders[i]);
		CHECK(page);
		CHECK(below((char *)page_address(page) + (4096ul << orders[i]) - 1, 2ul << 30));
		CHECK_EQ(page_zonenum(page), ZONE_DMA);
		__free_pages(page, orders[i]);
		page = alloc_pages(GFP_KERNEL | GFP_DMA32, orders[i]);
		CHECK(page);
		CHECK(below((char *)page_address(page) + (4096ul << orders[i]) - 1, 4ul << 30));
		CHECK(page_zonenum(page) <= ZONE_DMA32);
		__free_pages(page, orders[i]);
	}
	CHECK(__get_dma_pages(GFP_KERNEL, 1) < 2ul << 30);
	for (i = 8; i <= 131072; i *= 4) {
		p = (char *)kmalloc(i, GFP_KERNEL | GFP_DMA);
		CHECK(below(p, 2ul << 30));
		memset(p, 1, i);
		kfree(p);
	}
	p = (char *)kmalloc(300000, GFP_KERNEL | GFP_DMA);	/* a block of pages */
	CHECK(below(p, 2ul << 30));
	kfree(p);
	p = (char *)__vmalloc(300000, GFP_KERNEL | GFP_DMA);
	CHECK(below(p, 2ul << 30));
	vfree(p);
	p = (char *)vmalloc_32(100000);
	CHECK(below(p, 4ul << 30));
	vfree(p);
}

/* 14.1 #13, 6.2: GFP_DMA alone is non-blocking: no low zone is mapped for it, nothing is said. */
static void bare_dma(void)
{
	CHECK(!alloc_page(GFP_DMA | __GFP_NOWARN));
	CHECK(!alloc_page(GFP_DMA32 | __GFP_NOWARN));
	CHECK(!opaque(kmalloc(100, GFP_DMA | __GFP_NOWARN)));
	CHECK_EQ(zone("DMA").present, 0);
	CHECK_EQ(zone("DMA32").present, 0);
	CHECK(alloc_page(GFP_KERNEL | GFP_DMA));
	CHECK(alloc_page(GFP_DMA));
}

/* Verdict R of 6.7 */
static void dma_strict(void)
{
	CHECK(!alloc_page(GFP_KERNEL | GFP_DMA | __GFP_NOWARN));
	CHECK(!opaque(kmalloc(100, GFP_KERNEL | GFP_DMA | __GFP_NOWARN)));
	CHECK(alloc_page(GFP_KERNEL | GFP_DMA32));
}

/*
 * gfp-test: __GFP_HIGHMEM __GFP_MOVABLE GFP_HIGHUSER GFP_HIGHUSER_MOVABLE GFP_USER
 * Every page has an address and may be used.
 */
static void high_and_movable(void)
{
	static const gfp_t masks[] = { GFP_KERNEL | __GFP_HIGHMEM, GFP_KERNEL | __GFP_MOVABLE,
				       GFP_USER, GFP_HIGHUSER, GFP_HIGHUSER_MOVABLE };
	struct page *page[5];
	unsigned int i;

	for (i = 0; i < 5; i++) {
		page[i] = alloc_pages(masks[i], i);
		CHECK(page[i] && page_address(page[i]));
		CHECK_EQ(page_zonenum(page[i]), ZONE_NORMAL);
		memset(page_address(page[i]), (int)i, 4096ul << i);
	}
	for (i = 0; i < 5; i++) {
		CHECK(kapi_all(page_address(page[i]), (unsigned char)i, 4096ul << i));
		__free_pages(page[i], i);
	}
}

static unsigned long active(const char *name)
{
	struct kmalloc_cache_stats st;

	return kmalloc_cache_get_stats(name, &st) ? 0 : st.active_objs - st.sheaf_objs;
}

/*
 * gfp-test: __GFP_RECLAIMABLE GFP_TEMPORARY
 * Such objects have caches of their own, and share no pageblock (64 KiB) with others.
 */
static void reclaimable(void)
{
	enum { NR = 5000 };
	static unsigned long a[NR], b[NR];
	unsigned int i, k;

	for (i = 0; i < NR; i++) {
		a[i] = (unsigned long)opaque(kmalloc(64, i % 2 ? GFP_TEMPORARY :
						     GFP_KERNEL | __GFP_RECLAIMABLE));
		b[i] = (unsigned long)opaque(kmalloc(64, GFP_KERNEL));
		CHECK(a[i] && b[i]);
	}
	CHECK_EQ(active("kmalloc-rcl-64"), NR);
	for (i = 0; i < NR; i += 50)
		for (k = 0; k < NR; k++)
			CHECK(a[i] >> 16 != b[k] >> 16);
	for (i = 0; i < NR; i++)
		kfree((void *)a[i]);
	CHECK_EQ(active("kmalloc-rcl-64"), 0);
}

/*
 * gfp-test: __GFP_ACCOUNT GFP_KERNEL_ACCOUNT
 * Counted apart. 1.2: DMA wins over RECLAIMABLE, which wins over ACCOUNT.
 */
static void account(void)
{
	void *p = opaque(kmalloc(100, GFP_KERNEL_ACCOUNT));
	void *q = opaque(kmalloc(100, GFP_KERNEL | __GFP_ACCOUNT));

	CHECK(p && q);
	CHECK_EQ(active("kmalloc-cg-112"), 2);
	kfree(p);
	kfree(q);
	CHECK_EQ(active("kmalloc-cg-112"), 0);
	CHECK(opaque(kmalloc(100, GFP_KERNEL | __GFP_ACCOUNT | __GFP_RECLAIMABLE)));
	CHECK_EQ(active("kmalloc-rcl-112"), 1);
	CHECK(opaque(kmalloc(100, GFP_KERNEL | __GFP_ACCOUNT | __GFP_RECLAIMABLE | __GFP_DMA)));
	CHECK_EQ(active("dma-kmalloc-112"), 1);
	CHECK_EQ(active("kmalloc-cg-112"), 0);
	/* for pages nothing follows */
	CHECK(alloc_page(GFP_KERNEL_ACCOUNT));
}

/* gfp-test: __GFP_THISNODE GFP_THISNODE (a machine with more nodes has one as well: 77) */
static void thisnode(void)
{
	CHECK(alloc_pages_node(77, GFP_KERNEL, 0));
	CHECK(!alloc_pages_node(77, GFP_KERNEL | __GFP_THISNODE | __GFP_NOWARN, 0));
	CHECK(!alloc_pages_node(77, GFP_KERNEL | GFP_THISNODE, 0));
	CHECK(alloc_pages_node(0, GFP_KERNEL | __GFP_THISNODE, 0));
	CHECK(opaque(kmalloc_node(100, GFP_KERNEL, 77)));
	CHECK(!opaque(kmalloc_node(100, GFP_KERNEL | __GFP_THISNODE, 77)));
	CHECK(opaque(kmalloc_node(100, GFP_KERNEL | __GFP_THISNODE, 0)));
}

/* ---- 6.7: what the memory is ---- */

/*
 * gfp-test: __GFP_COMP GFP_TRANSHUGE GFP_TRANSHUGE_LIGHT
 * A transparent huge page: a compound block of 2 MiB aligned to its size. No reserve, no word.
 */
static void transhuge(void)
{
	struct page *page, *light;
	unsigned long passes;

	page = alloc_pages(GFP_TRANSHUGE, 9);
	CHECK(page && PageHead(page) && !PageTail(page));
	CHECK_EQ(compound_order(page), 9);
	CHECK(kapi_aligned(page_address(page), 2 << 20));
	memset(page_address(page), 1, 2 << 20);
	get_page(page);
	__free_pages(page, 9);
	CHECK(kapi_all(page_address(page), 1, 2 << 20));
	put_page(page);
	light = alloc_pages(GFP_TRANSHUGE_LIGHT, 9);	/* that one is there */
	CHECK(light && compound_order(light) == 9);
	__free_pages(light, 9);
	register_counting(0);
	exhaust();
	CHECK(!alloc_pages(GFP_TRANSHUGE_LIGHT, 9));
	CHECK_EQ(seen.passes, 0);
	CHECK(!alloc_pages(GFP_TRANSHUGE, 9));
	passes = seen.passes;
	CHECK(passes > 0 && passes <= ROUND);
	CHECK_EQ(seen.notified, 0);
	CHECK_EQ(eat(GFP_TRANSHUGE_LIGHT & ~__GFP_COMP), 0);
}

/* 6.7, last row: unknown bits are taken off with one line, and the call goes on */
static void unknown_bits(void)
{
	CHECK(alloc_page(GFP_KERNEL | 0xfe000000u));
	CHECK(alloc_page(GFP_KERNEL | 0x80000000u));
}

/* ---- 6.6 ---- */

static void check_refused(gfp_t gfp, unsigned int passes, unsigned int notified)
{
	exhaust();
	CHECK(!alloc_page(gfp | __GFP_NOWARN));
	CHECK_EQ(seen.passes, passes);
	CHECK_EQ(seen.notified, notified);
	CHECK_EQ(mem_free(), mark_min());
}

/* Rows 4, 5, 6, 9 */
static void combinations(void)
{
	register_counting(0);
	check_refused(GFP_KERNEL | __GFP_NORETRY | __GFP_RETRY_MAYFAIL, 1, 0);
	check_refused(GFP_NOWAIT | __GFP_NORETRY, 0, 0);
	check_refused(GFP_NOWAIT | __GFP_RETRY_MAYFAIL, 0, 0);
	check_refused(GFP_NOWAIT | __GFP_MEMALLOC | __GFP_NOMEMALLOC, 0, 0);
	check_refused(__GFP_RECLAIM | __GFP_FS, 16 * ROUND, 1);
}

static const struct trap_case cases[] = {
	{ .name = "DIRECT_RECLAIM: the caller reclaims, without it nobody does",
	  .run = direct_reclaim, .options = LIMIT, SILENT },
	{ .name = "KSWAPD_RECLAIM: the thread is woken below low and reclaims up to high",
	  .run = kswapd_reclaim, .options = LIMIT " kswapd", SILENT },
	{ .name = "IO, FS, NOIO, NOFS: which shrinkers run", .run = io_and_fs,
	  .options = LIMIT, SILENT },
	{ .name = "NORETRY, RETRY_MAYFAIL, KERNEL: how long is tried", .run = retries,
	  .options = LIMIT, SILENT },
	{ .name = "NOFAIL waits until another thread frees", .run = nofail,
	  .options = LIMIT, SILENT },
	{ .name = "NOFAIL above order 1 waits too, is warned about once and notifies nobody",
	  .run = nofail_costly, .options = LIMIT, WARNS(1, "__GFP_NOFAIL with order 5") },
	{ .name = "NOFAIL without DIRECT_RECLAIM is NULL, warned about once",
	  .run = nofail_nonblocking, .options = LIMIT,
	  WARNS(1, "__GFP_NOFAIL.*without __GFP_DIRECT_RECLAIM") },
	{ .name = "NOWARN: no report of a failure", .run = nowarn, .options = LIMIT,
	  WARNS(1, "page allocation failure: order:2") },
	{ .name = "NOWARN: no report of an injected failure", .run = nowarn_injected,
	  .options = "failslab=1,100,0,-1 failslab.ignore-gfp-wait=N fail_verbose=1",
	  .err = "forcing a failure" },
	{ .name = "HIGH, ATOMIC, NOWAIT, MEMALLOC, NOMEMALLOC: each has its mark", .run = reserves,
	  .options = LIMIT, SILENT },
	{ .name = "memalloc_noreclaim: all of the reserve and no reclaim", .run = noreclaim_scope,
	  .options = LIMIT, SILENT },
	{ .name = "without DIRECT_RECLAIM no system call", .run = no_system_call, SILENT },
	{ .name = "without DIRECT_RECLAIM no system call at a limit", .run = no_system_call,
	  .options = LIMIT, SILENT },
	{ .name = "DMA and DMA32: addresses below 2 and 4 GiB", .run = low_addresses, SILENT },
	{ .name = "GFP_DMA alone does not wait", .run = bare_dma, SILENT },
	{ .name = "dma=strict: GFP_DMA is refused with one line", .run = dma_strict,
	  .options = "dma=strict", WARNS(1, "dma=strict") },
	{ .name = "HIGHMEM, MOVABLE and their combinations are pages with an address",
	  .run = high_and_movable, SILENT },
	{ .name = "RECLAIMABLE: objects of their own pageblocks", .run = reclaimable, SILENT },
	{ .name = "ACCOUNT: counted apart, after DMA and RECLAIMABLE", .run = account, SILENT },
	{ .name = "THISNODE: that node or NULL", .run = thisnode, SILENT },
	{ .name = "TRANSHUGE: a compound block of 2 MiB, in silence", .run = transhuge,
	  .options = LIMIT, SILENT },
	{ .name = "unknown bits are taken off with one line", .run = unknown_bits,
	  WARNS(1, "unknown flag bits 0xfe000000") },
	{ .name = "6.6: which of two flags wins", .run = combinations, .options = LIMIT, SILENT },
};

TRAP_MAIN(cases)
