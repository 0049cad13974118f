# SPDX-License-Identifier: MIT
# Tests of the allocator's parts, from inside: linked with all of src/, not preloaded.

unit_tests = \
	tests/unit/test_list \
	tests/unit/test_bits \
	tests/unit/test_rbtree \
	tests/unit/test_format \
	tests/unit/test_params \
	tests/unit/test_gfp_flags \
	tests/unit/test_gfp_policy \
	tests/unit/test_gfp_scopes \
	tests/unit/test_size_classes \
	tests/unit/test_memmap \
	tests/unit/test_mempool \
	tests/unit/test_meta \
	tests/unit/test_page_alloc \
	tests/unit/test_pages \
	tests/unit/test_watermark \
	tests/unit/test_zones \
	tests/unit/test_ladder \
	tests/unit/test_slub \
	tests/unit/test_sheaf \
	tests/unit/test_slots \
	tests/unit/test_slub_age \
	tests/unit/test_kmem_cache \
	tests/unit/test_vmalloc \
	tests/unit/test_vmalloc_charge \
	tests/unit/test_area_cache \
	tests/unit/test_refused \
	tests/unit/test_purge \
	tests/unit/test_realloc \
	tests/unit/test_nolock \
	tests/unit/test_kvmalloc \
	tests/unit/test_class_start \
	tests/unit/test_fork_child \
	tests/unit/test_fault_inject \
	tests/unit/test_shrinker \
	tests/unit/test_remote_stress

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

unit_cflags = $(AM_CFLAGS) -pthread
unit_common = tests/unit/unit.h tests/unit/heap_walk.h
unit_libs = src/libkmbase.la $(CMOCKA_LIBS)

tests_unit_test_list_SOURCES = tests/unit/test_list.c $(unit_common)
tests_unit_test_list_CFLAGS = $(unit_cflags)
tests_unit_test_list_LDADD = $(unit_libs)

tests_unit_test_bits_SOURCES = tests/unit/test_bits.c $(unit_common)
tests_unit_test_bits_CFLAGS = $(unit_cflags)
tests_unit_test_bits_LDADD = $(unit_libs)

tests_unit_test_rbtree_SOURCES = tests/unit/test_rbtree.c $(unit_common)
tests_unit_test_rbtree_CFLAGS = $(unit_cflags)
tests_unit_test_rbtree_LDADD = $(unit_libs)

tests_unit_test_format_SOURCES = tests/unit/test_format.c $(unit_common)
tests_unit_test_format_CFLAGS = $(unit_cflags)
tests_unit_test_format_LDADD = $(unit_libs)

tests_unit_test_params_SOURCES = tests/unit/test_params.c $(unit_common)
tests_unit_test_params_CFLAGS = $(unit_cflags)
tests_unit_test_params_LDADD = $(unit_libs)

tests_unit_test_gfp_flags_SOURCES = tests/unit/test_gfp_flags.c $(unit_common)
tests_unit_test_gfp_flags_CFLAGS = $(unit_cflags)
tests_unit_test_gfp_flags_LDADD = $(unit_libs)

tests_unit_test_gfp_policy_SOURCES = tests/unit/test_gfp_policy.c $(unit_common)
tests_unit_test_gfp_policy_CFLAGS = $(unit_cflags)
tests_unit_test_gfp_policy_LDADD = $(unit_libs)

tests_unit_test_gfp_scopes_SOURCES = tests/unit/test_gfp_scopes.c $(unit_common)
tests_unit_test_gfp_scopes_CFLAGS = $(unit_cflags)
tests_unit_test_gfp_scopes_LDADD = $(unit_libs)

tests_unit_test_size_classes_SOURCES = tests/unit/test_size_classes.c $(unit_common)
tests_unit_test_size_classes_CFLAGS = $(unit_cflags)
tests_unit_test_size_classes_LDADD = $(unit_libs)

tests_unit_test_memmap_SOURCES = tests/unit/test_memmap.c $(unit_common)
tests_unit_test_memmap_CFLAGS = $(unit_cflags)
tests_unit_test_memmap_LDADD = $(unit_libs)

tests_unit_test_mempool_SOURCES = tests/unit/test_mempool.c $(unit_common)
tests_unit_test_mempool_CFLAGS = $(unit_cflags)
tests_unit_test_mempool_LDADD = $(unit_libs)
tests_unit_test_mempool_LDFLAGS = -Wl,--wrap=km_os_futex_wait

tests_unit_test_meta_SOURCES = tests/unit/test_meta.c $(unit_common)
tests_unit_test_meta_CFLAGS = $(unit_cflags)
tests_unit_test_meta_LDADD = $(unit_libs)

tests_unit_test_page_alloc_SOURCES = tests/unit/test_page_alloc.c $(unit_common)
tests_unit_test_page_alloc_CFLAGS = $(unit_cflags)
tests_unit_test_page_alloc_LDADD = $(unit_libs)

tests_unit_test_pages_SOURCES = tests/unit/test_pages.c $(unit_common)
tests_unit_test_pages_CFLAGS = $(unit_cflags)
tests_unit_test_pages_LDADD = $(unit_libs)

tests_unit_test_slub_SOURCES = tests/unit/test_slub.c $(unit_common)
tests_unit_test_slub_CFLAGS = $(unit_cflags)
tests_unit_test_slub_LDADD = $(unit_libs)

tests_unit_test_kmem_cache_SOURCES = tests/unit/test_kmem_cache.c $(unit_common)
tests_unit_test_kmem_cache_CFLAGS = $(unit_cflags)
tests_unit_test_kmem_cache_LDADD = $(unit_libs)

tests_unit_test_slots_SOURCES = tests/unit/test_slots.c $(unit_common)
tests_unit_test_slots_CFLAGS = $(unit_cflags)
tests_unit_test_slots_LDADD = $(unit_libs)

tests_unit_test_slub_age_SOURCES = tests/unit/test_slub_age.c $(unit_common)
tests_unit_test_slub_age_CFLAGS = $(unit_cflags)
tests_unit_test_slub_age_LDADD = $(unit_libs)

tests_unit_test_sheaf_SOURCES = tests/unit/test_sheaf.c $(unit_common)
tests_unit_test_sheaf_CFLAGS = $(unit_cflags)
tests_unit_test_sheaf_LDADD = $(unit_libs)

tests_unit_test_vmalloc_SOURCES = tests/unit/test_vmalloc.c $(unit_common)
tests_unit_test_vmalloc_CFLAGS = $(unit_cflags)
tests_unit_test_vmalloc_LDADD = $(unit_libs)

tests_unit_test_vmalloc_charge_SOURCES = tests/unit/test_vmalloc_charge.c $(unit_common)
tests_unit_test_vmalloc_charge_CFLAGS = $(unit_cflags)
tests_unit_test_vmalloc_charge_LDADD = $(unit_libs)
tests_unit_test_vmalloc_charge_LDFLAGS = -Wl,--wrap=km_mem_charge,--wrap=km_mem_uncharge \
	-Wl,--wrap=km_alloc_block,--wrap=km_free_block,--wrap=km_alloc_slowpath \
	-Wl,--wrap=km_alloc_blocks,--wrap=km_free_blocks \
	-Wl,--wrap=km_os_map,--wrap=km_os_map_aligned,--wrap=km_os_map_over \
	-Wl,--wrap=km_os_unmap,--wrap=km_os_dontneed,--wrap=km_os_remap

tests_unit_test_refused_SOURCES = tests/unit/test_refused.c $(unit_common)
tests_unit_test_refused_CFLAGS = $(unit_cflags)
tests_unit_test_refused_LDADD = $(unit_libs)
tests_unit_test_refused_LDFLAGS = -Wl,--wrap=km_os_remap,--wrap=km_os_dontneed,--wrap=km_os_unmap \
	-Wl,--wrap=km_os_map,--wrap=km_os_map_aligned

tests_unit_test_purge_SOURCES = tests/unit/test_purge.c $(unit_common)
tests_unit_test_purge_CFLAGS = $(unit_cflags)
tests_unit_test_purge_LDADD = $(unit_libs)

tests_unit_test_area_cache_SOURCES = tests/unit/test_area_cache.c $(unit_common)
tests_unit_test_area_cache_CFLAGS = $(unit_cflags)
tests_unit_test_area_cache_LDADD = $(unit_libs)

tests_unit_test_class_start_SOURCES = tests/unit/test_class_start.c $(unit_common)
tests_unit_test_class_start_CFLAGS = $(unit_cflags)
tests_unit_test_class_start_LDADD = $(unit_libs)
tests_unit_test_realloc_SOURCES = tests/unit/test_realloc.c $(unit_common)
tests_unit_test_realloc_CFLAGS = $(unit_cflags)
tests_unit_test_realloc_LDADD = $(unit_libs)

tests_unit_test_nolock_SOURCES = tests/unit/test_nolock.c $(unit_common)
tests_unit_test_nolock_CFLAGS = $(unit_cflags)
tests_unit_test_nolock_LDADD = $(unit_libs)

tests_unit_test_kvmalloc_SOURCES = tests/unit/test_kvmalloc.c $(unit_common)
tests_unit_test_kvmalloc_CFLAGS = $(unit_cflags)
tests_unit_test_kvmalloc_LDADD = $(unit_libs)
tests_unit_test_kvmalloc_LDFLAGS = -Wl,--wrap=km_alloc_large_kmalloc,--wrap=km___vmalloc_node \
	-Wl,--wrap=km_kmalloc_slab,--wrap=km_slab_alloc_slow

tests_unit_test_fork_child_SOURCES = tests/unit/test_fork_child.c $(unit_common)
tests_unit_test_fork_child_CFLAGS = $(unit_cflags)
tests_unit_test_fork_child_LDADD = $(unit_libs)

tests_unit_test_remote_stress_SOURCES = tests/unit/test_remote_stress.c $(unit_common)
tests_unit_test_remote_stress_CFLAGS = $(unit_cflags)
tests_unit_test_remote_stress_LDADD = $(unit_libs)

tests_unit_test_shrinker_SOURCES = tests/unit/test_shrinker.c $(unit_common)
tests_unit_test_shrinker_CFLAGS = $(unit_cflags)
tests_unit_test_shrinker_LDADD = $(unit_libs)

tests_unit_test_fault_inject_SOURCES = tests/unit/test_fault_inject.c $(unit_common)
tests_unit_test_fault_inject_CFLAGS = $(unit_cflags)
tests_unit_test_fault_inject_LDADD = $(unit_libs)
tests_unit_test_watermark_SOURCES = tests/unit/test_watermark.c tests/unit/ladder.h $(unit_common)
tests_unit_test_watermark_CFLAGS = $(unit_cflags)
tests_unit_test_watermark_LDADD = $(unit_libs)

tests_unit_test_zones_SOURCES = tests/unit/test_zones.c tests/unit/ladder.h $(unit_common)
tests_unit_test_zones_CFLAGS = $(unit_cflags)
tests_unit_test_zones_LDADD = $(unit_libs)
tests_unit_test_zones_LDFLAGS = -Wl,--wrap=km_os_map_at

tests_unit_test_ladder_SOURCES = tests/unit/test_ladder.c tests/unit/ladder.h $(unit_common)
tests_unit_test_ladder_CFLAGS = $(unit_cflags)
tests_unit_test_ladder_LDADD = $(unit_libs)
tests_unit_test_ladder_LDFLAGS = -Wl,--wrap=km_shrink_slab,--wrap=km_have_shrinkers,--wrap=km_oom_notify
