// SPDX-License-Identifier: MIT
/*
 * Zones by address (kernel-semantics 5.5, 6.7), and what a request that may not block does: no system call, from the
 * reserve where one is kept (5.6, 6.7).
 */
#include "ladder.h"
#include "kmalloc/stats.h"

#include <pthread.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static bool refuse_dma32;

bool wrapped_map_at(void *p, size_t size) __asm__("__wrap_km_os_map_at");
bool real_map_at(void *p, size_t size) __asm__("__real_km_os_map_at");

bool wrapped_map_at(void *p, size_t size)
{
	return !(refuse_dma32 && (unsigned long)p >= ZONE_DMA_END) && real_map_at(p, size);
}

static void zone_addresses(void)
{
	static const gfp_t flags[] = { __GFP_DMA, __GFP_DMA32, 0, __GFP_HIGHMEM, __GFP_MOVABLE,
				       __GFP_HIGHMEM | __GFP_MOVABLE, __GFP_DMA | __GFP_MOVABLE };
	static const enum zone_type zone[] = { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, ZONE_NORMAL,
					       ZONE_NORMAL, ZONE_NORMAL, ZONE_DMA };
	struct page *page[7][MAX_PAGE_ORDER + 1];
	unsigned int i, o;

	for (i = 0; i < 7; i++) {
		for (o = 0; o <= MAX_PAGE_ORDER; o++) {
			unsigned long addr;

			page[i][o] = get_pages(GFP_KERNEL | flags[i], o);
			CHECK(page[i][o]);
			addr = page_address(page[i][o]);
			CHECK_EQ(addr_zonenum(page_address(page[i][o])), zone[i]);
			CHECK_EQ(addr_zonenum(addr + (PAGE_SIZE << o) - 1), zone[i]);
			memset((void *)addr, 1, PAGE_SIZE << o);
		}
	}
	CHECK(zone_validate());
	for (i = 0; i < 7; i++)
		for (o = 0; o <= MAX_PAGE_ORDER; o++)
			put_pages(page[i][o], o);
	CHECK(zone_validate());
	for (i = 0; i < MAX_NR_ZONES; i++)
		CHECK_EQ(zones[i].free_pages, zones[i].managed_pages);
	purge_all();
	CHECK(zone_validate());
	CHECK(zone_unmap_free() > 0);
	CHECK(zone_validate());
	for (i = 0; i < MAX_NR_ZONES; i++)
		CHECK_EQ(zones[i].managed_pages, 0);
}

static void each_zone_has_its_addresses(void **state)
{
	(void)state;
	if (UNIT_ASAN)
		skip();		/* its shadow lies on all of ZONE_DMA32 */
	in_child("", zone_addresses);
}

static void zone_walk(void)
{
	struct page *page;
	unsigned int i;

	refuse_dma32 = true;
	page = get_pages(GFP_KERNEL | __GFP_DMA32, 3);
	CHECK(page);
	CHECK_EQ(addr_zonenum(page_address(page)), ZONE_DMA);
	/* Normal requests do not come down, and DMA does not go up */
	for (i = 0; i < 2000; i++) {
		page = get_pages(GFP_KERNEL, 4);
		CHECK_EQ(addr_zonenum(page_address(page)), ZONE_NORMAL);
	}
	CHECK_EQ(zones[ZONE_DMA32].managed_pages, 0);
}

static void dma32_falls_back_to_dma_and_normal_to_nothing(void **state)
{
	(void)state;
	in_child("", zone_walk);
}

static void zone_nonblocking(void)
{
	struct page *page;

	CHECK(!get_pages(GFP_DMA | __GFP_NOWARN, 0));
	CHECK(!get_pages(GFP_DMA32 | __GFP_NOWARN, 0));
	CHECK_EQ(zones[ZONE_DMA].managed_pages, 0);
	page = get_pages(GFP_KERNEL | GFP_DMA, 0);
	CHECK(page);
	page = get_pages(GFP_DMA | __GFP_NOWARN, 0);
	CHECK(page);
	CHECK_EQ(addr_zonenum(page_address(page)), ZONE_DMA);
	page = get_pages(GFP_DMA32 | __GFP_NOWARN, 0);	/* the walk */
	CHECK(page);
	CHECK_EQ(addr_zonenum(page_address(page)), ZONE_DMA);
}

static void a_low_zone_is_mapped_by_requests_that_may_block(void **state)
{
	(void)state;
	in_child("", zone_nonblocking);
}

static void zone_contradictions(void)
{
	const char *text;
	unsigned int i;

	catch_stderr();
	for (i = 0; i < 3; i++) {
		CHECK_EQ(gfp_zonenum(__GFP_DMA | __GFP_DMA32), ZONE_DMA);
		CHECK_EQ(gfp_zonenum(__GFP_DMA32 | __GFP_HIGHMEM), ZONE_DMA32);
		CHECK_EQ(gfp_zonenum(__GFP_DMA | __GFP_HIGHMEM), ZONE_DMA);
	}
	text = caught_text();
	CHECK_EQ(count_lines(text), 1);
	CHECK(strstr(text, "more than one zone"));
}

static void of_two_zones_the_lowest_is_taken_with_one_warning(void **state)
{
	(void)state;
	in_child("", zone_contradictions);
}

static void zone_strict(void)
{
	const char *text;
	unsigned int i;

	catch_stderr();
	for (i = 0; i < 3; i++)
		CHECK(!get_pages(GFP_KERNEL | __GFP_DMA | __GFP_NOWARN, 0));
	text = caught_text();
	CHECK_EQ(count_lines(text), 1);
	CHECK(strstr(text, "dma=strict"));
	CHECK(get_pages(GFP_KERNEL | __GFP_DMA32, 0));
}

static void dma_strict_refuses_with_one_line(void **state)
{
	(void)state;
	in_child("dma=strict", zone_strict);
}

static void zone_slots(void)
{
	void *p[64];
	unsigned int i, round;

	/* slabs of both kinds made and released: the slot's page list keeps them apart */
	for (round = 0; round < 20; round++) {
		gfp_t gfp = GFP_KERNEL | (round % 2 ? __GFP_DMA : 0);

		for (i = 0; i < 64; i++) {
			p[i] = slab_alloc_cache(kmalloc_slab(8000, gfp), gfp, 8000);
			CHECK(p[i]);
			CHECK_EQ(addr_zonenum((unsigned long)p[i]), round % 2 ? ZONE_DMA : ZONE_NORMAL);
		}
		for (i = 0; i < 64; i++)
			slab_free(p[i]);
		trim_memory();
	}
}

static void slabs_of_a_zone_come_from_its_pages(void **state)
{
	(void)state;
	in_child("", zone_slots);
}

static void zone_fork(void)
{
	struct page *page = get_pages(GFP_KERNEL | __GFP_DMA, 4), *page32 = get_pages(GFP_KERNEL | __GFP_DMA32, 4);
	int status = -1;
	unsigned int i;

	CHECK(page && page32);
	if (!fork()) {
		CHECK(zone_validate());
		put_pages(page, 4);
		put_pages(page32, 4);
		for (i = 0; i < 2000; i++)
			CHECK(get_pages(GFP_KERNEL | __GFP_DMA32, 0));
		CHECK(zone_validate());
		_exit(0);
	}
	wait(&status);
	CHECK_EQ(status, 0);
	/* no lock stayed behind in the parent either */
	for (i = 0; i < MAX_NR_ZONES; i++) {
		CHECK(spin_trylock(&zones[i].lock));
		spin_unlock(&zones[i].lock);
	}
	CHECK(zone_validate());
}

static void a_fork_child_has_all_zones(void **state)
{
	(void)state;
	if (UNIT_ASAN)
		skip();		/* as above */
	in_child("", zone_fork);
}

/* ---- no system call ---- */

/* Any system call but the ones of a report and of the end kills the process. */
static void forbid_syscalls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0),
		/* the address sanitizer's, before a function that does not return */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UNIT_ASAN ? SYS_sigaltstack : SYS_write, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 6, code };

	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

static void silent_requests(void)
{
	unsigned long n = 0, i;

	forbid_syscalls();
	/* until what is mapped is used up, and then NULL */
	for (i = 0; i < 2000 && slab_alloc(size_class(100 + i * 37 % 9000), 100 + i * 37 % 9000, GFP_ATOMIC | __GFP_NOWARN); i++)
		n++;
	CHECK(n > 50);
	for (i = 0; i < 2000; i++)
		slab_alloc(size_class(5000), 5000, GFP_NOWAIT);
	for (i = 0; i < 200; i++)
		get_pages(GFP_ATOMIC | __GFP_NOWARN, i % 8);
}

static void a_fresh_program_serves_atomic_requests_without_a_system_call(void **state)
{
	(void)state;
	in_child("", silent_requests);
	in_child("mem=64M", silent_requests);
}

static void atomic_program(void)
{
	static void *p[3000];
	unsigned int i, round;

	gfp_base_nonblocking = true;
	reserve_setup();
	CHECK(slab_alloc(size_class(10), 10, GFP_ATOMIC));	/* start-up */
	reserve_init();
	forbid_syscalls();
	for (round = 0; round < 5; round++) {
		for (i = 0; i < 3000; i++) {
			p[i] = slab_alloc(size_class(i * 7 % 5000), i * 7 % 5000, GFP_ATOMIC);
			CHECK(p[i]);
			memset(p[i], 1, i * 7 % 5000);
		}
		for (i = 0; i < 3000; i++)
			slab_free(p[i]);
	}
}

static void a_program_under_an_atomic_base_policy_makes_none_either(void **state)
{
	(void)state;
	in_child("min_free_kbytes=32768 mem=1G", atomic_program);
}

/* Memory calls and waiting kill the thread's process; what starts a thread otherwise may happen. */
static void forbid_memory_syscalls(void)
{
	static const int nr[] = { SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise,
				  SYS_brk, SYS_futex, SYS_sched_yield, SYS_nanosleep };
	struct sock_filter code[12] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		[10] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		[11] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog prog = { 12, code };
	unsigned char i;

	for (i = 0; i < 9; i++)
		code[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)nr[i],
							   (unsigned char)(9 - i), 0);
	CHECK(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
}

static void *_Atomic mailbox[256];
static _Atomic unsigned int finished, refused;

static void *silent_thread(void *arg)
{
	uint64_t rnd = (uint64_t)(uintptr_t)arg;
	unsigned int i;

	forbid_memory_syscalls();
	for (i = 0; i < 100000; i++) {
		size_t size = 1 + next_random(&rnd) % 6000;
		char *p = slab_alloc(size_class(size), size, GFP_ATOMIC | __GFP_NOWARN);

		if (p)
			p[size - 1] = p[0] = 1;
		else
			refused++;
		p = atomic_exchange(&mailbox[next_random(&rnd) % 256], p);
		slab_free(p);
	}
	finished++;
	while (finished)	/* its end would be a system call */
		cpu_relax();
	return NULL;
}

/* The proof that the issue asks for, from inside. */
static void silent_threads(void)
{
	pthread_t t[2];

	gfp_base_nonblocking = true;
	reserve_setup();
	reserve_init();
	CHECK(!pthread_create(&t[0], NULL, silent_thread, (void *)1));
	CHECK(!pthread_create(&t[1], NULL, silent_thread, (void *)2));
	while (finished < 2)
		usleep(1000);
	CHECK_EQ(refused, 0);
}

static void two_threads_that_hand_objects_over_make_none(void **state)
{
	(void)state;
	if (UNIT_TSAN)
		skip();		/* its run time makes system calls of its own */
	in_child("min_free_kbytes=32768 mem=1G", silent_threads);
}

/* ---- the reserve ---- */

static unsigned long resident_free(void)
{
	struct zone *z = &zone_normal;
	unsigned char vec[16];
	unsigned long n = 0;
	struct page *page;
	unsigned int i;

	CHECK(spin_lock(&z->lock));
	list_for_each_entry(page, &z->lru, lru) {
		CHECK(!mincore((void *)page->virtual, PAGEBLOCK_SIZE, vec));
		for (i = 0; i < PAGEBLOCK_SIZE >> os_page_shift; i++)
			n += vec[i] & 1;
	}
	spin_unlock(&z->lock);
	return n;
}

static void reserve_stays(void)
{
	static void *p[4000];
	unsigned long high = mem_state.watermark[WMARK_HIGH], low = mem_state.watermark[WMARK_LOW];
	unsigned int i, round;

	CHECK_EQ(resident_free(), 0);
	reserve_init();
	CHECK(zone_populated() >= high);
	CHECK(zone_populated() <= high + (4ul << 20 >> os_page_shift));
	CHECK(resident_free() >= high);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < 4000; i++) {
			p[i] = slab_alloc(size_class(5000), 5000, GFP_KERNEL);
			memset(p[i], 1, 5000);
			CHECK(zone_populated() > low);
		}
		for (i = 0; i < 4000; i++)
			slab_free(p[i]);
		trim_memory();
		CHECK(zone_populated() >= high);
		CHECK(resident_free() >= high);
		CHECK(zone_validate());
	}
	CHECK(zone_populated() <= high + (1ul << PAGEBLOCK_ORDER));
}

static void the_reserve_is_populated_and_blocking_requests_leave_it(void **state)
{
	(void)state;
	in_child("min_free_kbytes=8192 mem=1G", reserve_stays);
}

static void reserve_marks(void)
{
	unsigned long min = mem_state.watermark[WMARK_MIN], n;
	void *p;

	reserve_init();
	eat(GFP_NOWAIT);
	n = zone_populated();
	CHECK(n <= min && n + (1ul << PAGEBLOCK_ORDER) > min);
	eat(GFP_ATOMIC);
	n = zone_populated();
	CHECK(n <= min * 3 / 8 && n + (1ul << PAGEBLOCK_ORDER) > min * 3 / 8);
	eat(GFP_NOWAIT | __GFP_MEMALLOC);
	CHECK_EQ(zone_populated(), 0);
	/* a caller that may block fills it up again */
	p = slab_alloc(size_class(20000), 20000, GFP_KERNEL);
	CHECK(p);
	CHECK(zone_populated() >= mem_state.watermark[WMARK_HIGH]);
}

static void from_the_reserve_each_flag_reaches_its_mark(void **state)
{
	(void)state;
	in_child("min_free_kbytes=8192 mem=1G", reserve_marks);
}

static void nothing_ahead(void)
{
	reserve_init();
	CHECK_EQ(zone_populated(), 0);
	CHECK_EQ(atomic_load(&vm_events[RESERVE_FILL]), 0);
}

static void without_the_options_nothing_is_touched_ahead(void **state)
{
	(void)state;
	in_child("mem=64M", nothing_ahead);
	in_child("", nothing_ahead);
}

static void numbers(void)
{
	struct kmalloc_zone_stats z;
	struct kmalloc_vm_events e;
	struct page *page;

	CHECK_EQ(kmalloc_zone_stats("Swamp", &z), -22);
	CHECK_EQ(kmalloc_zone_stats(NULL, &z), -22);
	CHECK_EQ(kmalloc_zone_stats("DMA", &z), 0);
	CHECK_EQ(z.present, 0);
	page = get_pages(GFP_KERNEL | __GFP_DMA, 0);
	CHECK(page);
	CHECK_EQ(kmalloc_zone_stats("DMA", &z), 0);
	CHECK_EQ(z.present - z.free_listed, 1);
	CHECK_EQ(kmalloc_zone_stats("Normal", &z), 0);
	CHECK_EQ(z.managed << os_page_shift, 64ul << 20);
	CHECK_EQ(z.min << os_page_shift, 1ul << 20);
	CHECK_EQ(z.free, z.managed - z.committed);
	CHECK(z.committed >= 1);
	eat(GFP_NOWAIT);
	kmalloc_vm_events(&e);
	CHECK(e.alloc_fail > 0);
}

static void statistics_name_the_marks_and_what_is_committed(void **state)
{
	(void)state;
	in_child("mem=64M", numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_zone_has_its_addresses),
		cmocka_unit_test(dma32_falls_back_to_dma_and_normal_to_nothing),
		cmocka_unit_test(a_low_zone_is_mapped_by_requests_that_may_block),
		cmocka_unit_test(of_two_zones_the_lowest_is_taken_with_one_warning),
		cmocka_unit_test(dma_strict_refuses_with_one_line),
		cmocka_unit_test(slabs_of_a_zone_come_from_its_pages),
		cmocka_unit_test(a_fork_child_has_all_zones),
		cmocka_unit_test(a_fresh_program_serves_atomic_requests_without_a_system_call),
		cmocka_unit_test(a_program_under_an_atomic_base_policy_makes_none_either),
		cmocka_unit_test(two_threads_that_hand_objects_over_make_none),
		cmocka_unit_test(the_reserve_is_populated_and_blocking_requests_leave_it),
		cmocka_unit_test(from_the_reserve_each_flag_reaches_its_mark),
		cmocka_unit_test(without_the_options_nothing_is_touched_ahead),
		cmocka_unit_test(statistics_name_the_marks_and_what_is_committed),
	};

	return cmocka_run_group_tests_name("zones", tests, NULL, NULL);
}
