/* SPDX-License-Identifier: MIT */
/*
 * Loading at run time: plugins under the preload, the loader allocating their
 * thread-local memory; and, run by load_library_test.sh without the preload,
 * the library itself opened and closed. Traps C8, C20, C26, C63.
 */
#include "trap.h"

static const char *beside(const char *name)
{
	static char path[4096];
	const char *dir = getenv("abs_top_builddir");

	if (dir) {
		snprintf(path, sizeof(path), "%s/tests/traps/.libs/%s", dir, name);
	} else {
		ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);

		CHECK(n > 0);
		path[n] = '\0';
		strcpy(strrchr(path, '/'), "/.libs/");
		strcat(path, name);
	}
	if (access(path, R_OK) != 0)
		trap_skip("the plugin was not built");
	return path;
}

struct plugin {
	void *handle;
	char *(*make)(size_t n);
	char *(*thread_local_memory)(void);
};

static struct plugin open_plugin(const char *path, int flags)
{
	struct plugin pl;

	pl.handle = dlopen(path, flags);
	if (!pl.handle)
		trap_note("%s\n", dlerror());
	CHECK(pl.handle);
	pl.make = (char *(*)(size_t))dlsym(pl.handle, "plugin_make");
	pl.thread_local_memory = (char *(*)(void))dlsym(pl.handle, "plugin_thread_local");
	CHECK(pl.make && pl.thread_local_memory);
	return pl;
}

static void plugins_come_and_go(void)
{
	const char *path = beside("plugin.so");
	unsigned int i;

	trap_start_churners(2);
	for (i = 0; i < (trap_long() ? 5000u : 300u); i++) {
		struct plugin pl = open_plugin(path, RTLD_NOW);
		char *p = pl.make(100 + i);

		memset(pl.thread_local_memory(), 1, 4000);
		CHECK(p && p[99 + i] == 'p');
		free(p);
		CHECK(dlclose(pl.handle) == 0);
		CHECK(!dlopen("/nonexistent/library.so", RTLD_NOW));
		CHECK(dlerror());
	}
	trap_stop_churners();
}

static struct plugin opened;

static void *touch_thread_local(void *arg)
{
	unsigned int i;

	(void)arg;
	for (i = 0; i < 4000; i++)
		CHECK(opened.thread_local_memory()[i] == 0);
	memset(opened.thread_local_memory(), 1, 4000);
	return NULL;
}

/* The loader allocates a thread's block at its first access. */
static void thread_local_memory_of_a_plugin(void)
{
	unsigned int i;

	opened = open_plugin(beside("plugin.so"), RTLD_NOW);
	for (i = 0; i < 500; i++) {
		pthread_t t;

		CHECK(pthread_create(&t, NULL, touch_thread_local, NULL) == 0);
		CHECK(pthread_join(t, NULL) == 0);
	}
}

/* The plugin's malloc is glibc's, in the program break; free and realloc are ours. */
static void blocks_of_a_deepbind_plugin(void)
{
	static const size_t sizes[] = { 1, 24, 100, 1000, 10000, 100000 };
	struct plugin pl = open_plugin(beside("plugin.so"), RTLD_NOW | RTLD_DEEPBIND);
	unsigned int i, round;

	for (round = 0; round < 100; round++)
		for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			size_t n = sizes[i];
			char *p = pl.make(n);

			CHECK(p && p[0] == 'p' && p[n - 1] == 'p');
			/* How large it is can not be known, but it is no misuse to ask. */
			malloc_usable_size(p);
			if (round & 1) {
				p = realloc(p, n + 50);
				CHECK(p && p[0] == 'p' && p[n - 1] == 'p');
			}
			free(p);
			churn_once(round + 1, 10);
		}
}

/* Without the preload: the library is opened, used through dlsym and closed. */
struct library {
	void *handle;
	void *(*malloc)(size_t n);
	void *(*realloc)(void *p, size_t n);
	void (*free)(void *p);
};

static void use_library(const struct library *lib)
{
	static const size_t sizes[] = { 8, 100, 5000, 100000, 3 << 20 };
	void *p[5];
	unsigned int i;

	for (i = 0; i < 5; i++) {
		p[i] = lib->malloc(sizes[i]);
		CHECK(p[i]);
		block_fill(p[i], sizes[i], i);
	}
	for (i = 0; i < 5; i++) {
		p[i] = lib->realloc(p[i], sizes[i] * 2);
		CHECK(p[i] && block_intact(p[i], sizes[i], sizes[i], i));
		lib->free(p[i]);
	}
}

static void *use_in_thread(void *lib)
{
	unsigned int i;

	for (i = 0; i < 200; i++)
		use_library((const struct library *)lib);
	return NULL;
}

/* This thread was there before the library came and outlives its closing. */
static struct library shared;
static int stage;

static void *early_thread(void *arg)
{
	(void)arg;
	while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) < 1)
		usleep(100);
	use_in_thread(&shared);
	__atomic_store_n(&stage, 2, __ATOMIC_RELEASE);
	while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) < 3)
		usleep(100);
	return NULL;
}

static void open_library(struct library *lib, const char *path, int flags)
{
	lib->handle = dlopen(path, flags);
	if (!lib->handle)
		trap_note("%s\n", dlerror());
	CHECK(lib->handle);
	lib->malloc = (void *(*)(size_t))dlsym(lib->handle, "malloc");
	lib->realloc = (void *(*)(void *, size_t))dlsym(lib->handle, "realloc");
	lib->free = (void (*)(void *))dlsym(lib->handle, "free");
	CHECK(lib->malloc && lib->realloc && lib->free);
}

static int open_the_library(const char *path)
{
	pthread_t early, t[4];
	unsigned int i;
	pid_t pid;

	CHECK(pthread_create(&early, NULL, early_thread, NULL) == 0);
	open_library(&shared, path, RTLD_NOW | RTLD_LOCAL);
	CHECK((void *)shared.malloc != dlsym(RTLD_DEFAULT, "malloc"));
	use_library(&shared);
	__atomic_store_n(&stage, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, use_in_thread, &shared) == 0);
	for (i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	pid = fork();
	if (pid == 0) {
		use_library(&shared);
		_exit(0);
	}
	trap_reap(pid);
	while (__atomic_load_n(&stage, __ATOMIC_ACQUIRE) < 2)
		usleep(100);
	CHECK(dlclose(shared.handle) == 0);
	/* Its key destructor runs now, after the closing. */
	__atomic_store_n(&stage, 3, __ATOMIC_RELEASE);
	CHECK(pthread_join(early, NULL) == 0);
	for (i = 0; i < 100; i++) {
		open_library(&shared, path, i & 1 ? RTLD_LAZY : RTLD_NOW | RTLD_GLOBAL);
		use_library(&shared);
		CHECK(dlclose(shared.handle) == 0);
	}
	churn_once(1, 2000);
	puts("load_library: done");
	return 0;
}

static const struct trap_case cases[] = {
	{ .name = "plugins are opened and closed while threads allocate",
	  .run = plugins_come_and_go },
	{ .name = "the loader allocates thread-local memory of a plugin",
	  .run = thread_local_memory_of_a_plugin },
	{ .name = "blocks of a plugin with libc's own malloc are freed and grown",
	  .run = blocks_of_a_deepbind_plugin, .err = "" },
};

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--open") == 0)
		return open_the_library(argv[2]);
	return trap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
