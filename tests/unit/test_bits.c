// SPDX-License-Identifier: MIT
/* Bit operations and bitmaps against their plain definitions. */
#include "unit.h"
#include "lib/bits.h"
#include "lib/overflow.h"

static void bit_numbers_match_for_every_single_bit(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(fls_long(0), 0);
	for (i = 0; i < 64; i++) {
		assert_int_equal(__ffs64(1ull << i), i);
		assert_int_equal(__ffs64(~0ull << i), i);
		assert_int_equal(fls_long(1ul << i), i + 1);
		assert_int_equal(fls_long(~0ul >> (63 - i)), i + 1);
		assert_int_equal(ilog2(1ul << i), i);
		assert_int_equal(hweight64(~0ull >> (63 - i)), i + 1);
	}
}

static void powers_of_two_are_known_and_rounded_to(void **state)
{
	unsigned long n, power;

	(void)state;
	assert_false(is_power_of_2(0));
	for (n = 1; n <= 4096; n++) {
		for (power = 1; power < n; power *= 2)
			;
		assert_int_equal(is_power_of_2(n), power == n);
		assert_int_equal(roundup_pow_of_two(n), power);
	}
	assert_int_equal(roundup_pow_of_two(0), 1);
	assert_true(roundup_pow_of_two((1ul << 62) + 1) == 1ul << 63);
	assert_true(roundup_pow_of_two(1ul << 63) == 1ul << 63);
}

static void rounding_to_an_alignment_is_exact(void **state)
{
	unsigned long x, a;

	(void)state;
	for (a = 1; a <= 64; a *= 2) {
		for (x = 0; x < 200; x++) {
			assert_int_equal(ALIGN_UP(x, a), (x + a - 1) / a * a);
			assert_int_equal(ALIGN_DOWN(x, a), x / a * a);
			assert_int_equal(IS_ALIGNED(x, a), x % a == 0);
			assert_int_equal(DIV_ROUND_UP(x, a), x / a + (x % a != 0));
		}
	}
	assert_true(ALIGN_UP(0xfffffffffffff001ul, 16) == 0xfffffffffffff010ul);
	assert_int_equal(MIN(3, 4), 3);
	assert_int_equal(MAX(3, 4), 4);
}

static void bit_range_covers_exactly_its_bits(void **state)
{
	unsigned int lo, n, i;

	(void)state;
	for (lo = 0; lo < 64; lo++)
		for (n = 1; lo + n <= 64; n++)
			for (i = 0; i < 64; i++)
				assert_int_equal(bit_range(lo, n) >> i & 1, i >= lo && i < lo + n);
}

static void filled_bitmap_has_the_first_bits_alone(void **state)
{
	unsigned int n, i;
	u64 map[4];

	(void)state;
	for (n = 1; n <= 192; n++) {
		memset(map, 0, sizeof(map));
		bitmap_fill(map, n);
		for (i = 0; i < 256; i++)
			assert_int_equal(test_bit(i, map), i < n);
	}
}

static void all_set_sees_one_clear_bit_anywhere(void **state)
{
	unsigned int from, to, hole;
	u64 map[3];

	(void)state;
	for (hole = 0; hole < 192; hole += 1 + hole % 3) {
		memset(map, 0xff, sizeof(map));
		map[hole / 64] &= ~(1ull << hole % 64);
		for (from = 0; from < 192; from += 5)
			for (to = from; to <= 192; to++)
				assert_int_equal(bitmap_all_set(map, from, to), hole < from || hole >= to);
	}
}

static void overflow_is_told(void **state)
{
	size_t r;

	(void)state;
	assert_true(check_mul_overflow((size_t)1 << 32, (size_t)1 << 32, &r));
	assert_false(check_mul_overflow((size_t)1 << 31, (size_t)1 << 32, &r));
	assert_true(r == 1ul << 63);
	assert_true(check_add_overflow(SIZE_MAX, (size_t)1, &r));
	assert_false(check_add_overflow(SIZE_MAX - 1, (size_t)1, &r));
	assert_true(r == SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bit_numbers_match_for_every_single_bit),
		cmocka_unit_test(powers_of_two_are_known_and_rounded_to),
		cmocka_unit_test(rounding_to_an_alignment_is_exact),
		cmocka_unit_test(bit_range_covers_exactly_its_bits),
		cmocka_unit_test(filled_bitmap_has_the_first_bits_alone),
		cmocka_unit_test(all_set_sees_one_clear_bit_anywhere),
		cmocka_unit_test(overflow_is_told),
	};

	return cmocka_run_group_tests_name("bits", tests, NULL, NULL);
}
