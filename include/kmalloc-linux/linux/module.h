/* SPDX-License-Identifier: MIT */
/*
 * Modules as programs. A source with module_init() has a main(), weak, so that a program's own
 * wins, and only one where several sources are linked: it reads parameters from name=value
 * arguments, calls the init functions (by level, in link order), then the exit functions of the
 * modules that started, last first. Where an init function fails, no later one is called, and the
 * program ends with the number of its error. A source that has both module_init() and a main()
 * of its own defines KMALLOC_NO_MODULE_MAIN before the first header, and may call
 * kmalloc_module_main().
 */
#if defined(__has_include_next)
#if __has_include_next(<linux/module.h>)
#include_next <linux/module.h>
#endif
#endif

#if !defined(KMALLOC_LINUX_MODULE_H) && !defined(__cplusplus) && !defined(__ASSEMBLY__)
#define KMALLOC_LINUX_MODULE_H

#include <string.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>

enum module_state {
	MODULE_STATE_UNFORMED,
	MODULE_STATE_LIVE,
	MODULE_STATE_GOING,
};

/* One for each source file that includes this header. */
struct module {
	const char *name;
	enum module_state state;
	int to_init;		/* init functions that have not succeeded yet */
};

#ifndef KBUILD_MODNAME
#define KBUILD_MODNAME	__BASE_FILE__
#endif
static struct module __this_module __maybe_unused = { .name = KBUILD_MODNAME };
#define THIS_MODULE	(&__this_module)

static inline bool try_module_get(struct module *module)
{
	return !module || module->state != MODULE_STATE_GOING;
}

static inline void __module_get(struct module *module)
{
	(void)module;
}

static inline void module_put(struct module *module)
{
	(void)module;
}

/* The tables: one section each, whose ends the linker names. */
struct __initcall {
	struct module *module;
	int level;
	initcall_t init;
	exitcall_t exit;
};

#define __TABLE_END	__weak __attribute__((__visibility__("hidden")))
extern const struct __initcall __start_km_initcalls[] __TABLE_END;
extern const struct __initcall __stop_km_initcalls[] __TABLE_END;
extern const struct kernel_param __start_km_params[] __TABLE_END;
extern const struct kernel_param __stop_km_params[] __TABLE_END;
#undef __TABLE_END

static inline int __module_set_param(char *arg)
{
	const struct kernel_param *param;
	char *value = strchr(arg, '=');
	size_t n = value ? (size_t)(value - arg) : strlen(arg);
	int error;

	value = value ? value + 1 : arg + n;
	for (param = __start_km_params; param < __stop_km_params; param++) {
		if (strncmp(param->name, arg, n) || param->name[n])
			continue;
		error = param->set(value, param->variable);
		if (error)
			printk(KERN_ERR "parameter %s: the value \"%s\" is not accepted\n",
			       param->name, value);
		return error;
	}
	printk(KERN_WARNING "there is no parameter \"%s\"; ignored\n", arg);
	return 0;
}

static inline int __module_start(void)
{
	const struct __initcall *call;
	int level, error;

	for (call = __start_km_initcalls; call < __stop_km_initcalls; call++)
		call->module->to_init += call->init != NULL;
	for (level = 0; level < 8; level++) {
		for (call = __start_km_initcalls; call < __stop_km_initcalls; call++) {
			if (!call->init || call->level != level)
				continue;
			error = call->init();
			if (error < 0) {
				printk(KERN_ERR "%s: init failed: %s\n", call->module->name,
				       strerror(-error));
				return error;
			}
			call->module->to_init--;
			call->module->state = MODULE_STATE_LIVE;
		}
	}
	return 0;
}

/** kmalloc_module_main - what the main() of a program made of modules does. */
static inline int kmalloc_module_main(int argc, char **argv)
{
	const struct __initcall *call;
	int i, error;

	for (i = 1; i < argc; i++) {
		error = __module_set_param(argv[i]);
		if (error)
			return -error;
	}
	error = __module_start();
	for (call = __stop_km_initcalls; call-- > __start_km_initcalls;) {
		struct module *module = call->module;

		if (!call->exit || module->to_init)
			continue;
		module->state = MODULE_STATE_GOING;
		call->exit();
	}
	return -error;
}

#define __INITCALL(fn, nr, as_init, as_exit)							\
	static const struct __initcall __PASTE(__initcall_, fn)					\
	__attribute__((__used__, __section__("km_initcalls"), __aligned__(sizeof(long)))) =	\
		{ THIS_MODULE, nr, as_init, as_exit }

#ifdef KMALLOC_NO_MODULE_MAIN
#define __MODULE_MAIN
#else
#define __MODULE_MAIN										\
	__weak int main(int argc, char **argv)							\
	{											\
		return kmalloc_module_main(argc, argv);						\
	}
#endif

#define core_initcall(fn)	__INITCALL(fn, 1, fn, NULL)
#define postcore_initcall(fn)	__INITCALL(fn, 2, fn, NULL)
#define arch_initcall(fn)	__INITCALL(fn, 3, fn, NULL)
#define subsys_initcall(fn)	__INITCALL(fn, 4, fn, NULL)
#define fs_initcall(fn)		__INITCALL(fn, 5, fn, NULL)
#define device_initcall(fn)	__INITCALL(fn, 6, fn, NULL)
#define late_initcall(fn)	__INITCALL(fn, 7, fn, NULL)
#define module_init(fn)		__MODULE_MAIN __INITCALL(fn, 6, fn, NULL)
#define module_exit(fn)		__INITCALL(fn, 6, NULL, fn)

/* What modinfo(8) would print: checked to be strings, and dropped. */
#define MODULE_INFO(tag, text)		_Static_assert(sizeof(text) > 0, "")
#define MODULE_LICENSE(text)		MODULE_INFO(license, text)
#define MODULE_AUTHOR(text)		MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text)	MODULE_INFO(description, text)
#define MODULE_VERSION(text)		MODULE_INFO(version, text)
#define MODULE_ALIAS(text)		MODULE_INFO(alias, text)
#define MODULE_SUPPORTED_DEVICE(text)	MODULE_INFO(device, text)
#define MODULE_SOFTDEP(text)		MODULE_INFO(softdep, text)
#define MODULE_IMPORT_NS(ns)		_Static_assert(1, "")

#endif
