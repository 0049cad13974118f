// SPDX-License-Identifier: MIT
/* Records: zeroed, aligned, apart, whoever asks at the same moment. */
#include "unit.h"
#include "mm/meta.h"
#include "mm/mm_types.h"

#include <pthread.h>

#define RECORDS	3000
#define THREADS	4

static void records_are_zeroed_aligned_and_apart(void **state)
{
	static unsigned char *record[RECORDS];
	static size_t size[RECORDS];
	unsigned int i;

	(void)state;
	for (i = 0; i < RECORDS; i++) {
		size_t align = 1ul << random_below(13);

		size[i] = 1 + random_below(i % 100 ? 1000 : 20000);
		record[i] = meta_alloc(size[i], align);
		assert_non_null(record[i]);
		assert_true(IS_ALIGNED((unsigned long)record[i], align));
		assert_true(all_bytes(record[i], 0, size[i]));
		memset(record[i], (int)(i % 255 + 1), size[i]);
	}
	for (i = 0; i < RECORDS; i++)
		assert_true(all_bytes(record[i], (unsigned char)(i % 255 + 1), size[i]));
}

static void large_records_get_a_mapping_of_their_own(void **state)
{
	unsigned long before = meta_bytes();
	unsigned char *p = meta_alloc(1 << 20, 64);

	(void)state;
	assert_non_null(p);
	assert_int_equal(meta_bytes() - before, 1 << 20);
	assert_true(IS_ALIGNED((unsigned long)p, PAGE_SIZE));
	assert_true(all_bytes(p, 0, 1 << 20));
}

static void bytes_are_counted_where_they_are_taken(void **state)
{
	unsigned long before = meta_bytes(), sum = 0;

	(void)state;
	while (sum < 2 << 20) {
		assert_non_null(meta_alloc(1024, 64));
		sum += 1024;
	}
	assert_true(meta_bytes() - before >= sum - (256 << 10));
	assert_true(meta_bytes() - before <= sum + (512 << 10));
}

static void impossible_records_are_refused(void **state)
{
	unsigned long before = meta_bytes();

	(void)state;
	assert_null(meta_alloc(1ul << 50, 64));
	assert_int_equal(meta_bytes(), before);
}

static void *take_records(void *arg)
{
	unsigned char **record = arg;
	unsigned int i;

	for (i = 0; i < RECORDS; i++) {
		record[i] = meta_alloc(300, 16);
		if (!record[i] || !all_bytes(record[i], 0, 300))
			return record;
		memset(record[i], (int)(uintptr_t)record / 8 | 1, 300);
	}
	return NULL;
}

static void threads_never_share_a_record(void **state)
{
	static unsigned char *record[THREADS][RECORDS];
	pthread_t thread[THREADS];
	unsigned int i, k;
	void *failed;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, take_records, record[i]), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], &failed);
		assert_null(failed);
	}
	/* each was zero when taken and holds one byte value now: so it was never given out twice */
	for (i = 0; i < THREADS; i++)
		for (k = 0; k < RECORDS; k++)
			assert_true(all_bytes(record[i][k], (unsigned char)((int)(uintptr_t)record[i] / 8 | 1), 300));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_zeroed_aligned_and_apart),
		cmocka_unit_test(large_records_get_a_mapping_of_their_own),
		cmocka_unit_test(bytes_are_counted_where_they_are_taken),
		cmocka_unit_test(impossible_records_are_refused),
		cmocka_unit_test(threads_never_share_a_record),
	};

	return cmocka_run_group_tests_name("meta", tests, NULL, NULL);
}
