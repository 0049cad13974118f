// SPDX-License-Identifier: MIT
/*
 * The containers and helpers of kmalloc-linux (kernel-semantics.md 12): minmax, overflow, err,
 * atomic, math, log2, kstrtox, kref, bug. Lists are in test_linux_list.
 */
#include "linux.h"
#include <linux/kernel.h>
#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/pfn.h>
#include <linux/spinlock.h>

#include <pthread.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <linux/if.h>

static int calls;

static int counted(int value)
{
	calls++;
	return value;
}

static void types_have_the_sizes_in_their_names(void **state)
{
	(void)state;
	assert_int_equal(sizeof(u8) + sizeof(u16) + sizeof(u32) + sizeof(u64), 15);
	assert_true((s8)-1 < 0 && (s16)-1 < 0 && (s32)-1 < 0 && (s64)-1 < 0);
	assert_true((u8)-1 > 0 && (u16)-1 > 0 && (u32)-1 > 0 && (u64)-1 > 0);
	BUILD_BUG_ON(!__same_type(u64, __u64));
	BUILD_BUG_ON(!__same_type(loff_t, __loff_t));
	assert_int_equal(sizeof(bool), 1);
	assert_int_equal(U8_MAX, 255);
	assert_int_equal(S16_MIN, -32768);
	assert_true(S64_MIN < 0 && U64_MAX == ~(u64)0);
}

static void min_and_max_evaluate_once(void **state)
{
	size_t n = 5;

	(void)state;
	calls = 0;
	assert_int_equal(min(counted(3), 7), 3);
	assert_int_equal(max(counted(3), 7), 7);
	assert_int_equal(clamp(counted(9), 1, 4), 4);
	assert_int_equal(calls, 3);
	assert_int_equal(min(n, 3), 3);
	assert_int_equal(min3(4, min(2, 3), max(1, 6)), 2);
	assert_int_equal(max3(4, 2, 3), 4);
	assert_int_equal(min_t(u8, 300, 100), 44);
	assert_int_equal(max_t(int, -1, 2u), 2);
	assert_int_equal(clamp_t(long, -5, -2l, 7), -2);
	assert_int_equal(clamp_val(n, 6, 8), 6);
	assert_int_equal(min_not_zero(0, 4), 4);
	assert_int_equal(min_not_zero(3, 0), 3);
}

static void swap_exchanges(void **state)
{
	int a = 1, b = 2;

	(void)state;
	swap(a, b);
	assert_int_equal(a * 10 + b, 21);
}

static void rounding_goes_the_right_way(void **state)
{
	static const int constant[DIV_ROUND_UP(9, 4)];

	(void)state;
	assert_int_equal(ARRAY_SIZE(constant), 3);
	assert_int_equal(round_up(13, 8), 16);
	assert_int_equal(round_down(13, 8), 8);
	assert_int_equal(round_up(16u, 8), 16);
	assert_int_equal(roundup(13, 5), 15);
	assert_int_equal(rounddown(13, 5), 10);
	assert_int_equal(DIV_ROUND_CLOSEST(7, 2), 4);
	assert_int_equal(DIV_ROUND_CLOSEST(-7, 2), -4);
	assert_int_equal(ALIGN(13, 4), 16);
	assert_int_equal(ALIGN_DOWN(13, 4), 12);
	assert_true(IS_ALIGNED(16, 8) && !IS_ALIGNED(17, 8));
	assert_ptr_equal(PTR_ALIGN((char *)13, 8), (char *)16);
	assert_true(round_up(0x100000001ull, 0x1000u) == 0x100001000ull);
}

static void logarithms_and_bits(void **state)
{
	DECLARE_BITMAP(map, 130) = { 0 };
	static const int constant[ilog2(1ul << 9)];

	(void)state;
	assert_int_equal(ARRAY_SIZE(constant), 9);
	assert_int_equal(ilog2(1u), 0);
	assert_int_equal(ilog2(1ull << 40), 40);
	assert_true(is_power_of_2(64) && !is_power_of_2(0) && !is_power_of_2(65));
	assert_int_equal(roundup_pow_of_two(65), 128);
	assert_int_equal(roundup_pow_of_two(1), 1);
	assert_int_equal(rounddown_pow_of_two(65), 64);
	assert_int_equal(order_base_2(5), 3);
	assert_int_equal(fls(0), 0);
	assert_int_equal(fls(0x80000000u), 32);
	assert_int_equal(__ffs(8), 3);
	assert_int_equal(ffz(7), 3);
	assert_int_equal(BIT(5) | GENMASK(3, 1), 0x2e);
	assert_int_equal(ARRAY_SIZE(map), 3);
	set_bit(129, map);
	assert_true(test_bit(129, map) && !test_bit(128, map));
	assert_true(test_and_clear_bit(129, map) && !test_and_set_bit(64, map));
	assert_int_equal(map[1], 1);
	assert_int_equal(map[2], 0);
	assert_int_equal(hweight64(~0ull), 64);
}

static void sums_that_overflow_are_told(void **state)
{
	size_t z;
	u8 small;
	int i;

	(void)state;
	assert_false(check_add_overflow(200, 55, &small));
	assert_int_equal(small, 255);
	assert_true(check_add_overflow(200, 56, &small));
	assert_true(check_sub_overflow((size_t)1, (size_t)2, &z));
	assert_true(check_mul_overflow(S32_MAX, 2, &i));
	assert_false(check_mul_overflow((size_t)3, (size_t)4, &z));
	assert_int_equal(z, 12);
}

static void sizes_that_overflow_saturate(void **state)
{
	struct flex {
		u32 n;
		u64 items[];
	} *p = NULL;

	(void)state;
	assert_true(size_add(SIZE_MAX, 1) == SIZE_MAX);
	assert_true(size_mul(SIZE_MAX / 2, 3) == SIZE_MAX);
	assert_true(size_sub(1, 2) == SIZE_MAX && size_sub(SIZE_MAX, 2) == SIZE_MAX);
	assert_int_equal(size_sub(5, 2), 3);
	assert_true(array3_size(SIZE_MAX, 2, 0) == 0);
	assert_true(array_size(1ul << 40, 1ul << 40) == SIZE_MAX);
	assert_int_equal(struct_size(p, items, 3), sizeof(*p) + 24);
	assert_int_equal(struct_size_t(struct flex, items, 1), sizeof(*p) + 8);
	assert_true(struct_size(p, items, SIZE_MAX / 8) == SIZE_MAX);
	assert_int_equal(flex_array_size(p, items, 4), 32);
}

/* 12: ZERO_SIZE_PTR is not an error pointer; MAX_ERRNO is 4095. */
static void errors_travel_in_pointers(void **state)
{
	int here;

	(void)state;
	assert_true(IS_ERR(ERR_PTR(-ENOMEM)));
	assert_int_equal(PTR_ERR(ERR_PTR(-ENOMEM)), -ENOMEM);
	assert_true(IS_ERR(ERR_PTR(-MAX_ERRNO)) && !IS_ERR(ERR_PTR(-MAX_ERRNO - 1)));
	assert_false(IS_ERR(NULL) || IS_ERR(&here) || IS_ERR((void *)16));
	assert_true(IS_ERR_OR_NULL(NULL) && !IS_ERR_OR_NULL(&here));
	assert_int_equal(PTR_ERR_OR_ZERO(&here), 0);
	assert_int_equal(PTR_ERR_OR_ZERO(ERR_CAST(ERR_PTR(-EINVAL))), -EINVAL);
	assert_int_equal(ERESTARTSYS, 512);
}

static void atomics_count(void **state)
{
	atomic_t v = ATOMIC_INIT(1);
	atomic64_t w = ATOMIC64_INIT(0);
	int old = 5;

	(void)state;
	atomic_inc(&v);
	assert_int_equal(atomic_read(&v), 2);
	assert_false(atomic_dec_and_test(&v));
	assert_true(atomic_dec_and_test(&v));
	assert_int_equal(atomic_add_return(5, &v), 5);
	assert_int_equal(atomic_fetch_add(2, &v), 5);
	assert_int_equal(atomic_cmpxchg(&v, 6, 9), 7);
	assert_int_equal(atomic_cmpxchg(&v, 7, 9), 7);
	assert_false(atomic_try_cmpxchg(&v, &old, 1));
	assert_int_equal(old, 9);
	assert_int_equal(atomic_xchg(&v, 0), 9);
	assert_false(atomic_inc_not_zero(&v));
	assert_true(atomic_add_unless(&v, 3, 1));
	assert_int_equal(atomic_dec_if_positive(&v), 2);
	atomic_set(&v, 6);
	atomic_andnot(2, &v);
	assert_int_equal(atomic_read(&v), 4);
	atomic_set(&v, 0);
	assert_int_equal(atomic_dec_if_positive(&v), -1);
	assert_int_equal(atomic_read(&v), 0);
	atomic64_add(1ll << 40, &w);
	assert_true(atomic64_read(&w) == 1ll << 40);
	assert_true(atomic64_sub_and_test(1ll << 40, &w));
}

enum { THREADS = 3, ROUNDS = 20000 };
static atomic_t shared = ATOMIC_INIT(0);
static unsigned long plain;
static DEFINE_SPINLOCK(plain_lock);
static DEFINE_MUTEX(other_lock);
static unsigned long other;

static void *count(void *arg)
{
	unsigned long flags;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		atomic_inc(&shared);
		spin_lock_irqsave(&plain_lock, flags);
		plain++;
		spin_unlock_irqrestore(&plain_lock, flags);
		mutex_lock(&other_lock);
		other++;
		mutex_unlock(&other_lock);
	}
	return arg;
}

static void threads_lose_no_count(void **state)
{
	pthread_t threads[THREADS];
	unsigned int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count, NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_read(&shared), THREADS * ROUNDS);
	assert_int_equal(plain, THREADS * ROUNDS);
	assert_int_equal(other, THREADS * ROUNDS);
}

struct object {
	int nr;
	struct kref kref;
};

static int released;

static void release(struct kref *kref)
{
	released = container_of(kref, struct object, kref)->nr;
}

static void the_last_reference_releases(void **state)
{
	struct object object = { .nr = 42 };

	(void)state;
	kref_init(&object.kref);
	kref_get(&object.kref);
	assert_int_equal(kref_read(&object.kref), 2);
	assert_int_equal(kref_put(&object.kref, release), 0);
	assert_int_equal(released, 0);
	assert_int_equal(kref_put(&object.kref, release), 1);
	assert_int_equal(released, 42);
	assert_int_equal(kref_get_unless_zero(&object.kref), 0);
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
	unsigned long ul = 1;
	bool yes = false;
	u8 byte = 9;
	int i;

	(void)state;
	assert_int_equal(kstrtoint("-12\n", 10, &i), 0);
	assert_int_equal(i, -12);
	assert_int_equal(kstrtoul("0x1f", 0, &ul), 0);
	assert_int_equal(ul, 31);
	assert_int_equal(kstrtoul("-1", 0, &ul), -EINVAL);
	assert_int_equal(kstrtoul(" 1", 0, &ul), -EINVAL);
	assert_int_equal(kstrtoul("1x", 0, &ul), -EINVAL);
	assert_int_equal(kstrtoul("", 0, &ul), -EINVAL);
	assert_int_equal(kstrtoul("99999999999999999999", 0, &ul), -ERANGE);
	assert_int_equal(ul, 31);
	assert_int_equal(kstrtou8("256", 0, &byte), -ERANGE);
	assert_int_equal(byte, 9);
	assert_int_equal(kstrtobool("on", &yes), 0);
	assert_true(yes);
	assert_int_equal(kstrtobool("maybe", &yes), -EINVAL);
}

static void printing_says_how_much_fits(void **state)
{
	char buf[8];

	(void)state;
	assert_int_equal(scnprintf(buf, sizeof(buf), "%d", 123), 3);
	assert_int_equal(scnprintf(buf, sizeof(buf), "%s", "0123456789"), 7);
	assert_string_equal(buf, "0123456");
	assert_int_equal(scnprintf(buf, 0, "x"), 0);
}

/* What printk() printed meanwhile, in a static buffer. */
static const char *said(void (*speak)(void))
{
	static char text[1024];
	int saved = dup(2), fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	dup2(fds[1], 2);
	speak();
	dup2(saved, 2);
	close(saved);
	close(fds[1]);
	n = read(fds[0], text, sizeof(text) - 1);
	close(fds[0]);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static int warned;

static void speak_levels(void)
{
	printk(KERN_INFO "a %d\n", 1);
	printk("b\n");
	pr_err("c\n");
	pr_debug("not said %d\n", 1);
}

static void warn(void)
{
	int i;

	warned = 0;
	for (i = 0; i < 3; i++) {
		warned += WARN_ON_ONCE(i > 0);
		warned += WARN(i == 5, "never");
	}
	if (WARN_ON(1 + 1 == 2))
		warned += 10;
}

static void messages_lose_their_level(void **state)
{
	(void)state;
	assert_string_equal(said(speak_levels), "a 1\nb\nc\n");
}

static void warnings_have_the_truth_as_value(void **state)
{
	const char *text = said(warn), *first = strstr(text, "WARNING");

	(void)state;
	assert_int_equal(warned, 12);
	assert_non_null(first);
	assert_non_null(strstr(first, "test_linux_lib.c"));
	assert_non_null(strstr(first, "warn()"));
	first = strstr(first + 1, "WARNING");
	assert_non_null(first);
	assert_null(strstr(first + 1, "WARNING"));
}

static void pages_are_those_of_the_system(void **state)
{
	(void)state;
	assert_int_equal(PAGE_SIZE, sysconf(_SC_PAGESIZE));
	assert_int_equal(1ul << PAGE_SHIFT, PAGE_SIZE);
	assert_int_equal(PAGE_ALIGN(PAGE_SIZE + 1), 2 * PAGE_SIZE);
	assert_int_equal(offset_in_page(PAGE_SIZE + 5), 5);
	assert_int_equal(PFN_UP(PAGE_SIZE + 1), 2);
	assert_int_equal(PFN_DOWN(PAGE_SIZE + 1), 1);
	assert_true(PFN_PHYS(3) == 3 * PAGE_SIZE);
}

/* The system's headers of the same names still say what they said. */
static void system_headers_keep_their_content(void **state)
{
	struct sysinfo info;
	struct ifreq request;

	(void)state;
	assert_int_equal(sysinfo(&info), 0);
	assert_true(sizeof(request) > IFNAMSIZ);
	assert_int_equal(EINVAL, 22);
	assert_true(PATH_MAX == 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_have_the_sizes_in_their_names),
		cmocka_unit_test(min_and_max_evaluate_once),
		cmocka_unit_test(swap_exchanges),
		cmocka_unit_test(rounding_goes_the_right_way),
		cmocka_unit_test(logarithms_and_bits),
		cmocka_unit_test(sums_that_overflow_are_told),
		cmocka_unit_test(sizes_that_overflow_saturate),
		cmocka_unit_test(errors_travel_in_pointers),
		cmocka_unit_test(atomics_count),
		cmocka_unit_test(threads_lose_no_count),
		cmocka_unit_test(the_last_reference_releases),
		cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
		cmocka_unit_test(printing_says_how_much_fits),
		cmocka_unit_test(messages_lose_their_level),
		cmocka_unit_test(warnings_have_the_truth_as_value),
		cmocka_unit_test(pages_are_those_of_the_system),
		cmocka_unit_test(system_headers_keep_their_content),
	};

	return cmocka_run_group_tests_name("linux_lib", tests, NULL, NULL);
}
