// SPDX-License-Identifier: MIT
/* Text formatting against libc's. */
#include "unit.h"
#include "lib/format.h"

/* The formats of libc that ours knows give the same text. */
#define SAME(...) do { \
	char ours[128], libcs[128]; \
	size_t n = scnprintf(ours, sizeof(ours), __VA_ARGS__); \
	snprintf(libcs, sizeof(libcs), __VA_ARGS__); \
	assert_string_equal(ours, libcs); \
	assert_int_equal(n, strlen(libcs)); \
} while (0)

static void numbers_are_written_as_libc_writes_them(void **state)
{
	static const long values[] = { 0, 1, -1, 9, 10, -10, 12345, -99999, 2147483647, -2147483647 - 1,
				       LONG_MAX, LONG_MIN };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		long v = values[i];

		SAME("%d|%u|%x", (int)v, (unsigned int)v, (unsigned int)v);
		SAME("%ld|%lu|%lx", v, (unsigned long)v, (unsigned long)v);
		SAME("%zu|%zx", (size_t)v, (size_t)v);
		SAME("[%8d][%-8d][%3d][%-3d]", (int)v, (int)v, (int)v, (int)v);
		SAME("[%24lu][%-24lu]", (unsigned long)v, (unsigned long)v);
		SAME("[%016lx][%08x]", (unsigned long)v, (unsigned int)v);
	}
	SAME("%p", (void *)(uintptr_t)0x7fff12345678);
	SAME("%c%c%%%s", 'a', 'z', "");
}

static void zero_padding_stands_behind_the_sign(void **state)
{
	(void)state;
	SAME("[%06d][%02d][%08ld]", -5, -7, -123456l);
}

static void texts_are_padded_to_their_width(void **state)
{
	(void)state;
	SAME("[%s][%10s][%-10s][%2s]", "kmalloc", "kmalloc", "kmalloc", "kmalloc");
	SAME("%-17s %6lu %6lu %6u %4u %4lu", "kmalloc-64", 1ul, 1234567ul, 64u, 1024u, 16ul);
}

static void text_is_cut_at_the_size_and_ended(void **state)
{
	char buf[16];
	size_t size;

	(void)state;
	for (size = 1; size <= 12; size++) {
		memset(buf, '#', sizeof(buf));
		assert_int_equal(scnprintf(buf, size, "%s", "1234567890"), size - 1 < 10 ? size - 1 : 10);
		assert_int_equal(strlen(buf), size - 1 < 10 ? size - 1 : 10);
		assert_memory_equal(buf, "1234567890", strlen(buf));
		assert_true(buf[size] == '#' || size > 10);
	}
	memset(buf, '#', sizeof(buf));
	assert_int_equal(scnprintf(buf, 0, "%s", "x"), 0);
	assert_int_equal(buf[0], '#');
}

static void nothing_is_read_behind_a_lone_percent(void **state)
{
	char buf[32];
	const char *fmt = "50 %", *wide = "%-08l";	/* not literals: the compiler would refuse them */

	(void)state;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	assert_int_equal(scnprintf(buf, sizeof(buf), fmt), 3);
	assert_string_equal(buf, "50 ");
	assert_int_equal(scnprintf(buf, sizeof(buf), wide), 0);
#pragma GCC diagnostic pop
}

static void null_is_written_as_a_word(void **state)
{
	char buf[32];
	const char *volatile none = NULL;

	(void)state;
	scnprintf(buf, sizeof(buf), "<%s>", none);
	assert_string_equal(buf, "<(null)>");
	scnprintf(buf, sizeof(buf), "%p", (void *)(uintptr_t)none);
	assert_string_equal(buf, "0x0");
}

static void texts_are_equal_to_the_last_character(void **state)
{
	(void)state;
	assert_true(text_equals("", ""));
	assert_true(text_equals("exit", "exit"));
	assert_false(text_equals("exit", "exi"));
	assert_false(text_equals("exi", "exit"));
	assert_false(text_equals("", "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_written_as_libc_writes_them),
		cmocka_unit_test(zero_padding_stands_behind_the_sign),
		cmocka_unit_test(texts_are_padded_to_their_width),
		cmocka_unit_test(text_is_cut_at_the_size_and_ended),
		cmocka_unit_test(nothing_is_read_behind_a_lone_percent),
		cmocka_unit_test(null_is_written_as_a_word),
		cmocka_unit_test(texts_are_equal_to_the_last_character),
	};

	return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
