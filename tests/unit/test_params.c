// SPDX-License-Identifier: MIT
/* KMALLOC_OPTIONS: what is understood, and that every mistake costs one line and nothing else. */
#include "unit.h"
#include "kernel/params.h"
#include "kernel/printk.h"

static const char *parse(const char *text)
{
	catch_stderr();
	params_init(text);
	return caught_text();
}

static void assert_defaults(void)
{
	assert_int_equal(param_choice(PARAM_help), 0);
	assert_int_equal(param_choice(PARAM_verbose), 0);
	assert_int_equal(param_choice(PARAM_kmalloc_sizes), SIZES_DEFAULT);
	assert_int_equal(param_choice(PARAM_purge), PURGE_AUTO);
	assert_int_equal(param_choice(PARAM_panic), 1);
	assert_string_equal(param_text(PARAM_slabinfo), "");
	assert_string_equal(param_text(PARAM_mem), "");
	assert_int_equal(param_number(PARAM_min_free_kbytes), 0);
	assert_int_equal(param_number(PARAM_failpage_min_order), 1);
	assert_true(param_yes(PARAM_failslab_ignore_gfp_wait));
}

static void numbers_and_several_texts_are_understood(void **state)
{
	(void)state;
	assert_string_equal(parse("min_free_kbytes=4K mem=512M slabinfo=x failslab=1,2,3,-1 "
				  "failslab.ignore-gfp-wait=N fail_page_alloc.min-order=0"), "");
	assert_int_equal(param_number(PARAM_min_free_kbytes), 4096);
	assert_int_equal(param_number(PARAM_failpage_min_order), 0);
	assert_string_equal(param_text(PARAM_mem), "512M");
	assert_string_equal(param_text(PARAM_slabinfo), "x");
	assert_string_equal(param_text(PARAM_failslab), "1,2,3,-1");
	assert_false(param_yes(PARAM_failslab_ignore_gfp_wait));
	assert_string_equal(parse("mem=1 mem=123456 mem=77 min_free_kbytes=1T"), "");
	assert_string_equal(param_text(PARAM_mem), "77");
	assert_int_equal(param_number(PARAM_min_free_kbytes), 1l << 40);
	parse(NULL);
	assert_defaults();
}

static void nothing_given_means_the_defaults(void **state)
{
	static const char *const texts[] = { NULL, "", "   ", "\t\n \n" };
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_string_equal(parse(texts[i]), "");
		assert_defaults();
	}
}

static void every_value_of_every_option_is_understood(void **state)
{
	(void)state;
	assert_string_equal(parse("help verbose=1 slabinfo=exit kmalloc_sizes=classic purge=never panic=0"), "");
	assert_int_equal(param_choice(PARAM_help), 1);
	assert_int_equal(param_choice(PARAM_verbose), 1);
	assert_int_equal(param_choice(PARAM_kmalloc_sizes), SIZES_CLASSIC);
	assert_int_equal(param_choice(PARAM_purge), PURGE_NEVER);
	assert_int_equal(param_choice(PARAM_panic), 0);
	assert_string_equal(param_text(PARAM_slabinfo), "exit");
	assert_string_equal(parse("\tpurge=always\n help=0  panic=1 slabinfo=/tmp/a=b "), "");
	assert_int_equal(param_choice(PARAM_purge), PURGE_ALWAYS);
	assert_int_equal(param_choice(PARAM_help), 0);
	assert_string_equal(param_text(PARAM_slabinfo), "/tmp/a=b");
	assert_string_equal(parse("purge=auto kmalloc_sizes=default verbose=0"), "");
	assert_defaults();
}

static void the_last_of_two_values_counts(void **state)
{
	(void)state;
	assert_string_equal(parse("purge=never panic=0 purge=always panic"), "");
	assert_int_equal(param_choice(PARAM_purge), PURGE_ALWAYS);
	assert_int_equal(param_choice(PARAM_panic), 1);
}

static void a_second_parse_forgets_the_first(void **state)
{
	(void)state;
	parse("help verbose slabinfo=x kmalloc_sizes=classic purge=never panic=0");
	parse(NULL);
	assert_defaults();
}

static void every_mistake_is_one_line_and_leaves_the_default(void **state)
{
	static const char *const mistakes[] = {
		"purge=sometimes", "purge=", "purge", "purge=aut", "purge=autoo", "purge=auto|never", "purge=|",
		"panic=2", "panic=", "help=yes", "slabinfo", "slabinfo=", "kmalloc_sizes=4", "=", "=x", "==",
		"min_free_kbytes=", "min_free_kbytes=x", "min_free_kbytes=1X", "min_free_kbytes=1KK", "min_free_kbytes",
		"min_free_kbytes=-1", "min_free_kbytes=99999999999999999999", "min_free_kbytes=99999999999999999T",
		"mem=", "mem", "failslab.ignore-gfp-wait=maybe",
		"purgee=auto", "PURGE=auto", "verbos", "xyzzy", "a", "%s%s%n=1", "purge=%s%n",
		"a-key-that-is-much-longer-than-thirty-one-characters=1",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		const char *text = parse(mistakes[i]);

		if (count_lines(text) != 1 || strncmp(text, "kmalloc: WARNING: ", 18))
			fail_msg("'%s' gave '%s'", mistakes[i], text);
		assert_int_equal(text[strlen(text) - 1], '\n');
		assert_defaults();
	}
}

static void the_rest_counts_beside_mistakes(void **state)
{
	const char *text = parse("panic=7 purge=never bogus=1 verbose kmalloc_sizes=odd");

	(void)state;
	assert_int_equal(count_lines(text), 3);
	assert_int_equal(param_choice(PARAM_purge), PURGE_NEVER);
	assert_int_equal(param_choice(PARAM_verbose), 1);
	assert_int_equal(param_choice(PARAM_panic), 1);
}

static void a_wrong_value_is_told_with_what_was_expected(void **state)
{
	const char *text = parse("purge=sometimes");

	(void)state;
	assert_non_null(strstr(text, "'purge'"));
	assert_non_null(strstr(text, "'sometimes'"));
	assert_non_null(strstr(text, "auto, never or always"));
	assert_non_null(strstr(text, "using 'auto'"));
}

static void a_misspelt_key_is_told_with_the_nearest(void **state)
{
	static const char *const pairs[][2] = {
		{ "purg=never", "'purge'" }, { "verbos", "'verbose'" }, { "slab_info=exit", "'slabinfo'" },
		{ "kmallocsizes=classic", "'kmalloc_sizes'" }, { "panik=0", "'panic'" }, { "hlep", "'help'" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_non_null(strstr(parse(pairs[i][0]), pairs[i][1]));
	assert_null(strstr(parse("something_else_entirely"), "nearest"));
}

static void long_words_are_cut_in_the_message(void **state)
{
	static char word[5000];
	const char *text;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	text = parse(word);
	assert_int_equal(count_lines(text), 1);
	assert_true(strlen(text) < 320);
	memcpy(word, "purge=", 6);
	text = parse(word);
	assert_int_equal(count_lines(text), 1);
	assert_true(strlen(text) < 320);
	memcpy(word, "slabinfo=", 9);
	text = parse(word);
	assert_int_equal(count_lines(text), 1);
	assert_string_equal(param_text(PARAM_slabinfo), "");
	word[9 + 511] = '\0';
	assert_string_equal(parse(word), "");
	assert_int_equal(strlen(param_text(PARAM_slabinfo)), 511);
}

static void help_names_every_option_on_a_line(void **state)
{
	static const char *const keys[] = {
#define PARAM(id, key, choices, dflt, range, help) key,
#include "kernel/params.def"
#undef PARAM
	};
	const char *text, *line;
	unsigned int i;

	(void)state;
	assert_int_equal(ARRAY_SIZE(keys), NR_PARAMS);
	catch_stderr();
	params_help();
	text = caught_text();
	assert_int_equal(count_lines(text), NR_PARAMS + 1);
	for (i = 0; i < NR_PARAMS; i++) {
		char start[32];

		snprintf(start, sizeof(start), "\n  %s ", keys[i]);
		line = strstr(text, start);
		assert_non_null(line);
		assert_non_null(strstr(line, "default "));
	}
}

static void description_names_what_differs_and_fits(void **state)
{
	char buf[200], small[20];
	size_t n;

	(void)state;
	parse(NULL);
	assert_int_equal(params_describe(buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	parse("purge=never slabinfo=/tmp/x panic=0 help=0");
	n = params_describe(buf, sizeof(buf));
	assert_string_equal(buf, "slabinfo=/tmp/x purge=never panic=0");
	assert_int_equal(n, strlen(buf));
	memset(small, '#', sizeof(small));
	assert_int_equal(params_describe(small, 10), 9);
	assert_string_equal(small, "slabinfo=");
	assert_int_equal(small[10], '#');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_given_means_the_defaults),
		cmocka_unit_test(numbers_and_several_texts_are_understood),
		cmocka_unit_test(every_value_of_every_option_is_understood),
		cmocka_unit_test(the_last_of_two_values_counts),
		cmocka_unit_test(a_second_parse_forgets_the_first),
		cmocka_unit_test(every_mistake_is_one_line_and_leaves_the_default),
		cmocka_unit_test(the_rest_counts_beside_mistakes),
		cmocka_unit_test(a_wrong_value_is_told_with_what_was_expected),
		cmocka_unit_test(a_misspelt_key_is_told_with_the_nearest),
		cmocka_unit_test(long_words_are_cut_in_the_message),
		cmocka_unit_test(help_names_every_option_on_a_line),
		cmocka_unit_test(description_names_what_differs_and_fits),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
