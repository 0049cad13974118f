// SPDX-License-Identifier: MIT
/*
 * C++ operator new and delete in every form, by mangled name, without linking a C++ library.
 * Layer: preload.
 *
 * A failing operator new hands over to the C++ runtime's own definition, which runs the
 * program's new_handler, asks malloc again and throws its bad_alloc (or, in the nothrow forms,
 * returns NULL). The runtime is looked up only then: next in line, or, where it was loaded
 * privately by a plugin, under its usual names.
 */
#define _GNU_SOURCE
#include "mm/util.h"
#include "kernel/printk.h"
#include "os/os.h"

#include <dlfcn.h>

#define export __attribute__((visibility("default")))

static void *runtime_symbol(const char *name)
{
	static const char *const runtimes[] = { "libstdc++.so.6", "libc++.so.1" };
	void *sym = dlsym(RTLD_NEXT, name), *lib;
	unsigned int i;

	for (i = 0; !sym && i < ARRAY_SIZE(runtimes); i++) {
		lib = dlopen(runtimes[i], RTLD_LAZY | RTLD_NOLOAD);
		if (lib)
			sym = dlsym(lib, name);
	}
	return sym;
}

static void *required_symbol(const char *name)
{
	void *sym = runtime_symbol(name);

	if (!sym) {
		pr_warn("operator new is out of memory and no C++ runtime is there to say so");
		os_abort();
	}
	return sym;
}

typedef void *new_fn(size_t size);
typedef void *new_nothrow_fn(size_t size, const void *tag);
typedef void *new_aligned_fn(size_t size, size_t align);
typedef void *new_aligned_nothrow_fn(size_t size, size_t align, const void *tag);

#define DEFINE_NEW(name) \
static __cold void *name##_failed(size_t size) \
{ \
	return ((new_fn *)required_symbol(#name))(size); \
} \
export __hot void *name(size_t size); \
export __hot void *name(size_t size) \
{ \
	void *p = kvmalloc_size(size); \
	return likely(p) ? p : name##_failed(size); \
}

#define DEFINE_NEW_NOTHROW(name) \
static __cold void *name##_failed(size_t size, const void *tag) \
{ \
	new_nothrow_fn *fn = (new_nothrow_fn *)runtime_symbol(#name); \
	return fn ? fn(size, tag) : NULL; \
} \
export void *name(size_t size, const void *tag); \
export void *name(size_t size, const void *tag) \
{ \
	void *p = kvmalloc_size(size); \
	return likely(p) ? p : name##_failed(size, tag); \
}

/*
 * The runtime's aligned forms round the size up and may overflow: what is impossible goes to
 * the plain forms.
 */
static bool is_impossible(size_t size, size_t align)
{
	return size > PTRDIFF_MAX || align > PTRDIFF_MAX || size + align > PTRDIFF_MAX;
}

#define DEFINE_NEW_ALIGNED(name) \
static __cold void *name##_failed(size_t size, size_t align) \
{ \
	if (is_impossible(size, align)) \
		return ((new_fn *)required_symbol("_Znwm"))((size_t)PTRDIFF_MAX + 1); \
	return ((new_aligned_fn *)required_symbol(#name))(size, align); \
} \
export void *name(size_t size, size_t align); \
export void *name(size_t size, size_t align) \
{ \
	void *p = kvmalloc_aligned(align, size); \
	return likely(p) ? p : name##_failed(size, align); \
}

#define DEFINE_NEW_ALIGNED_NOTHROW(name) \
static __cold void *name##_failed(size_t size, size_t align, const void *tag) \
{ \
	new_aligned_nothrow_fn *fn = (new_aligned_nothrow_fn *)runtime_symbol(#name); \
	if (is_impossible(size, align)) \
		return _ZnwmRKSt9nothrow_t_failed((size_t)PTRDIFF_MAX + 1, tag); \
	return fn ? fn(size, align, tag) : NULL; \
} \
export void *name(size_t size, size_t align, const void *tag); \
export void *name(size_t size, size_t align, const void *tag) \
{ \
	void *p = kvmalloc_aligned(align, size); \
	return likely(p) ? p : name##_failed(size, align, tag); \
}

#define DEFINE_DELETE(name, ...) \
export void name(__VA_ARGS__); \
export void name(__VA_ARGS__) \
{ \
	slab_free(p); \
}

DEFINE_NEW(_Znwm)
DEFINE_NEW(_Znam)
DEFINE_NEW_NOTHROW(_ZnwmRKSt9nothrow_t)
DEFINE_NEW_NOTHROW(_ZnamRKSt9nothrow_t)
DEFINE_NEW_ALIGNED(_ZnwmSt11align_val_t)
DEFINE_NEW_ALIGNED(_ZnamSt11align_val_t)
DEFINE_NEW_ALIGNED_NOTHROW(_ZnwmSt11align_val_tRKSt9nothrow_t)
DEFINE_NEW_ALIGNED_NOTHROW(_ZnamSt11align_val_tRKSt9nothrow_t)

DEFINE_DELETE(_ZdlPv, void *p)
DEFINE_DELETE(_ZdaPv, void *p)
DEFINE_DELETE(_ZdlPvm, void *p, size_t size __maybe_unused)
DEFINE_DELETE(_ZdaPvm, void *p, size_t size __maybe_unused)
DEFINE_DELETE(_ZdlPvSt11align_val_t, void *p, size_t align __maybe_unused)
DEFINE_DELETE(_ZdaPvSt11align_val_t, void *p, size_t align __maybe_unused)
DEFINE_DELETE(_ZdlPvmSt11align_val_t, void *p, size_t size __maybe_unused,
	      size_t align __maybe_unused)
DEFINE_DELETE(_ZdaPvmSt11align_val_t, void *p, size_t size __maybe_unused,
	      size_t align __maybe_unused)
DEFINE_DELETE(_ZdlPvRKSt9nothrow_t, void *p, const void *tag __maybe_unused)
DEFINE_DELETE(_ZdaPvRKSt9nothrow_t, void *p, const void *tag __maybe_unused)
DEFINE_DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, void *p, size_t align __maybe_unused,
	      const void *tag __maybe_unused)
DEFINE_DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, void *p, size_t align __maybe_unused,
	      const void *tag __maybe_unused)
