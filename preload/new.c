// SPDX-License-Identifier: MIT
/*
 * C++ operator new and delete in every form, by mangled name, without linking a C++ library.
 * Layer: preload.
 *
 * A failing operator new runs the program's new_handler and hands over to the C++ runtime's own
 * definition, which asks malloc again, runs the handler as often as needed, and throws its
 * bad_alloc (or, in the nothrow forms, returns NULL). Where there is no handler nothing is asked
 * again, so that one injected failure is seen. The runtime is looked up only then: next in line, or, where it was loaded
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

typedef void handler_fn(void);
typedef handler_fn *get_handler_fn(void);
typedef void *new_fn(size_t size);
typedef void *new_nothrow_fn(size_t size, const void *tag);
typedef void *new_aligned_fn(size_t size, size_t align);
typedef void *new_aligned_nothrow_fn(size_t size, size_t align, const void *tag);

#define IMPOSSIBLE	((size_t)PTRDIFF_MAX + 1)

/* False: there is none, and the call has failed; a runtime without a name for it has one. */
static bool get_handler(handler_fn **handler)
{
	get_handler_fn *get = (get_handler_fn *)runtime_symbol("_ZSt15get_new_handlerv");

	*handler = get ? get() : NULL;
	return !get || *handler;
}

/* Throws where there is no handler; returns once it may be asked again. */
static void run_handler(void)
{
	handler_fn *handler;

	if (!get_handler(&handler))
		((new_fn *)required_symbol("_Znwm"))(IMPOSSIBLE);
	else if (handler)
		handler();
}

#define DEFINE_NEW(name) \
static __cold void *name##_failed(size_t size) \
{ \
	run_handler(); \
	return ((new_fn *)required_symbol(#name))(size); \
} \
export __hot void *name(size_t size); \
static __attribute__((__noinline__)) void *name##_slow(size_t size, struct pcpu *c) \
{ \
	void *p = c ? slab_alloc_slow(size, c, GFP_MALLOC) : malloc_large(size); \
	return likely(p) ? p : name##_failed(size); \
} \
export __hot void *name(size_t size) \
{ \
	struct pcpu *c; \
	void *p; \
	if (unlikely(size > SMALL_SIZE_MAX)) \
		return name##_slow(size, NULL); \
	p = slab_take(hot_data.size_cache_small[(size + 7) / 8], &c); \
	return likely(p) ? p : name##_slow(size, c); \
}

#define DEFINE_NEW_NOTHROW(name) \
static __cold void *name##_failed(size_t size, const void *tag) \
{ \
	new_nothrow_fn *fn = (new_nothrow_fn *)runtime_symbol(#name); \
	handler_fn *handler; \
	return fn && get_handler(&handler) ? fn(size, tag) : NULL; \
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
	run_handler(); \
	if (is_impossible(size, align)) \
		return ((new_fn *)required_symbol("_Znwm"))(IMPOSSIBLE); \
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
	handler_fn *handler; \
	if (is_impossible(size, align)) \
		return _ZnwmRKSt9nothrow_t_failed(IMPOSSIBLE, tag); \
	return fn && get_handler(&handler) ? fn(size, align, tag) : NULL; \
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
