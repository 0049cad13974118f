// SPDX-License-Identifier: MIT
/*
 * The kmalloc command. "kmalloc run -- CMD" finds the preload library, sets LD_PRELOAD,
 * KMALLOC_OPTIONS and KMALLOC_GFP and becomes CMD. The dynamic loader ignores a preload that it can not load with
 * one line at most, and a static or setuid program does not even say that; so the target is looked
 * at first, and where preloading can not work the command says why and runs nothing.
 *
 * Exit status where CMD was not started: 125 the command itself was at fault, 126 CMD can not be
 * run or preloaded, 127 there is no CMD.
 */
#define _GNU_SOURCE
#include <argp.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PRELOAD_NAME	"libkmalloc-preload.so"

/* As the kernel does, give up on an interpreter of an interpreter of ... at this depth. */
#define MAX_INTERPRETERS	4

enum { EXIT_KMALLOC = 125, EXIT_CANNOT_RUN = 126, EXIT_NOT_FOUND = 127 };

struct run_request {
	char *options;		/* for KMALLOC_OPTIONS, blank-separated */
	char *gfp;		/* for KMALLOC_GFP, blocks separated by "; " */
	const char *library;	/* from --library, else NULL */
	char **argv;		/* the command and its arguments, NULL-terminated */
};

/* What decides whether the loader of this process and the one of another program are alike. */
struct image {
	Elf64_Ehdr ehdr;
	char interp[PATH_MAX];	/* PT_INTERP, or "" */
	bool dynamic;		/* has PT_DYNAMIC */
};

static void __attribute__((noreturn, format(printf, 2, 3))) die(int status, const char *fmt, ...)
{
	va_list args;

	fputs("kmalloc: ERROR: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static char *__attribute__((format(printf, 1, 2))) format(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		die(EXIT_KMALLOC, "out of memory");
	va_end(args);
	return text;
}

/* Finding the library */

/* The folder that holds this command, without a slash at its end. */
static char *own_folder(void)
{
	static char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	/* Without /proc the kernel still tells the name that it was started by. */
	if (len < 0) {
		const char *name = (const char *)getauxval(AT_EXECFN);

		if (!name || !realpath(name, path))
			return NULL;
	} else {
		path[len] = '\0';
	}
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	return path;
}

/*
 * The library folder of an installation that was moved as a whole (DESTDIR, a package unpacked
 * elsewhere): what bindir and libdir have in common is replaced by what is before bindir's rest
 * in the place where the command lies. NULL where the command does not lie in such a bindir.
 */
static char *moved_libdir(const char *folder)
{
	const char *bindir = KMALLOC_BINDIR, *libdir = KMALLOC_LIBDIR;
	size_t common = 0, tail, len = strlen(folder);

	for (size_t i = 0; bindir[i] && bindir[i] == libdir[i]; i++)
		if (bindir[i] == '/')
			common = i;
	tail = strlen(bindir + common);
	if (len < tail || strcmp(folder + len - tail, bindir + common) != 0)
		return NULL;
	return format("%.*s%s", (int)(len - tail), folder, libdir + common);
}

static char *library_in(const char *folder)
{
	char *path;

	if (!folder)
		return NULL;
	path = format("%s/" PRELOAD_NAME, folder);
	if (access(path, R_OK) == 0)
		return path;
	free(path);
	return NULL;
}

/*
 * The build tree comes first, so that the command which was just built never runs an older
 * installed library; then the installation that the command is part of, then the configured one.
 */
static const char *find_library(const struct run_request *req)
{
	const char *folder = own_folder();
	char *path = NULL, *real;

	if (req->library) {
		path = realpath(req->library, NULL);
		if (!path)
			die(EXIT_KMALLOC, "--library=%s: %s", req->library, strerror(errno));
	}
	if (!path && folder)
		path = library_in(format("%s/../preload/.libs", folder));
	if (!path && folder)
		path = library_in(moved_libdir(folder));
	if (!path)
		path = library_in(KMALLOC_LIBDIR);
	if (!path)
		die(EXIT_KMALLOC, "there is no " PRELOAD_NAME
		    " in %s nor beside this command; name it with --library=FILE", KMALLOC_LIBDIR);

	real = realpath(path, NULL);
	if (!real)
		die(EXIT_KMALLOC, "%s: %s", path, strerror(errno));
	if (strpbrk(real, " \t\n:"))
		die(EXIT_KMALLOC,
		    "the path of %s holds a blank or a colon, which LD_PRELOAD can not express",
		    real);
	return real;
}

/* Looking at the target */

/* Reads the ELF header and what the loader reads of a file; false where it is not ELF. */
static bool read_image(int fd, struct image *image)
{
	Elf64_Ehdr *ehdr = &image->ehdr;
	Elf64_Phdr phdr;

	memset(image, 0, sizeof(*image));
	if (pread(fd, ehdr, sizeof(*ehdr), 0) < (ssize_t)sizeof(Elf32_Ehdr) ||
	    memcmp(ehdr->e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64)
		return true;

	for (unsigned int i = 0; i < ehdr->e_phnum; i++) {
		off_t at = (off_t)ehdr->e_phoff + (off_t)i * ehdr->e_phentsize;

		if (pread(fd, &phdr, sizeof(phdr), at) != (ssize_t)sizeof(phdr))
			break;
		if (phdr.p_type == PT_DYNAMIC)
			image->dynamic = true;
		if (phdr.p_type == PT_INTERP && phdr.p_filesz < sizeof(image->interp) &&
		    pread(fd, image->interp, phdr.p_filesz, (off_t)phdr.p_offset) < 0)
			break;
	}
	return true;
}

static const char *machine_name(const Elf64_Ehdr *ehdr)
{
	switch (ehdr->e_machine) {
	case EM_386:
		return "32-bit x86";
	case EM_X86_64:
		return ehdr->e_ident[EI_CLASS] == ELFCLASS64 ? "x86-64" : "x32";
	case EM_ARM:
		return "32-bit ARM";
	case EM_AARCH64:
		return "AArch64";
	case EM_RISCV:
		return "RISC-V";
	case EM_PPC64:
		return "64-bit PowerPC";
	case EM_S390:
		return "S/390";
	default:
		return "another machine";
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	       sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void check_image(const char *path, const struct image *image, const struct image *self)
{
	const Elf64_Ehdr *ehdr = &image->ehdr;

	if (ehdr->e_ident[EI_CLASS] != self->ehdr.e_ident[EI_CLASS] ||
	    ehdr->e_ident[EI_DATA] != self->ehdr.e_ident[EI_DATA] ||
	    ehdr->e_machine != self->ehdr.e_machine)
		die(EXIT_CANNOT_RUN, "%s is a program for %s, the library is for %s: "
		    "it can not be preloaded", path, machine_name(ehdr), machine_name(&self->ehdr));

	/* The dynamic loader, run as a command, has no interpreter and obeys LD_PRELOAD. */
	if (!image->interp[0] && !same_file(path, self->interp))
		die(EXIT_CANNOT_RUN, "%s is linked statically: nothing can be preloaded into it",
		    path);
	if (image->interp[0] && !image->dynamic)
		die(EXIT_CANNOT_RUN, "%s has no dynamic section: nothing can be preloaded into it",
		    path);
	if (image->interp[0] && strcmp(base_name(image->interp), base_name(self->interp)) != 0)
		die(EXIT_CANNOT_RUN,
		    "%s is loaded by %s, the library by %s: it belongs to another C library",
		    path, image->interp, self->interp);
}

/* A program that gains rights when it starts is loaded with LD_PRELOAD ignored. */
static void check_rights(const char *path, int fd)
{
	struct statvfs fs;
	struct stat st;

	if (fstat(fd, &st) != 0)
		die(EXIT_CANNOT_RUN, "%s: %s", path, strerror(errno));
	if ((fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOSUID)) ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return;

	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		die(EXIT_CANNOT_RUN,
		    "%s is setuid and runs as another user: the loader ignores LD_PRELOAD for it",
		    path);
	if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getgid())
		die(EXIT_CANNOT_RUN,
		    "%s is setgid and runs as another group: the loader ignores LD_PRELOAD for it",
		    path);
	if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		die(EXIT_CANNOT_RUN,
		    "%s has file capabilities: the loader ignores LD_PRELOAD for it", path);
}

/* The interpreter that a script's first line names, or NULL where the file is no such script. */
static char *script_interpreter(int fd)
{
	char line[PATH_MAX + 2], *name;
	ssize_t len = pread(fd, line, sizeof(line) - 1, 0);

	if (len < 2 || line[0] != '#' || line[1] != '!')
		return NULL;
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	name = line + 2 + strspn(line + 2, " \t");
	name[strcspn(name, " \t")] = '\0';
	return format("%s", name);
}

/* Ends the command with a reason where preloading into the program at @path can not work. */
static void check_target(const char *path)
{
	struct image self, image;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !read_image(fd, &self))
		return;
	close(fd);

	for (int depth = 0; depth <= MAX_INTERPRETERS; depth++) {
		char *interpreter;

		/* A program that may be run but not read is left to the kernel to judge. */
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return;
		if (read_image(fd, &image)) {
			check_image(path, &image, &self);
			check_rights(path, fd);
			close(fd);
			return;
		}
		interpreter = script_interpreter(fd);
		close(fd);
		/* What is neither is given to the shell, as execvp() does. */
		path = interpreter ? interpreter : "/bin/sh";
		if (access(path, X_OK) != 0)
			die(EXIT_CANNOT_RUN, "%s: %s", path, strerror(errno));
	}
}

static bool is_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return false;
	}
	return access(path, X_OK) == 0;
}

/* Looks @name up as the shell does. */
static const char *find_program(const char *name)
{
	const char *dirs = getenv("PATH");
	int why = ENOENT;

	if (strchr(name, '/')) {
		if (is_program(name))
			return name;
		die(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "%s: %s", name,
		    strerror(errno));
	}

	if (!dirs)
		dirs = "/bin:/usr/bin";
	for (bool last = false; !last && *name;) {
		size_t len = strcspn(dirs, ":");
		char *path = format("%.*s%s%s", (int)len, dirs, len ? "/" : "./", name);

		if (is_program(path))
			return path;
		if (errno == EACCES)
			why = EACCES;
		free(path);
		last = dirs[len] == '\0';
		dirs += len + 1;
	}
	if (why == EACCES)
		die(EXIT_CANNOT_RUN, "%s: %s", name, strerror(EACCES));
	die(EXIT_NOT_FOUND, "%s: there is no such command", name);
}

/* Running it */

/* Puts @value in front of what the variable holds already; @value may be in front of it already. */
static void prepend_env(const char *name, const char *value, char separator)
{
	const char *old = getenv(name);
	size_t len = strlen(value);
	char *text;

	if (old && strncmp(old, value, len) == 0 &&
	    (old[len] == '\0' || old[len] == ' ' || old[len] == separator))
		return;
	text = old && *old ? format("%s%c%s", value, separator, old) : format("%s", value);
	if (setenv(name, text, 1) != 0)
		die(EXIT_KMALLOC, "out of memory");
	free(text);
}

/* Adds @item to the @list, which it replaces. */
static void append(char **list, const char *separator, const char *item)
{
	char *text = *list ? format("%s%s%s", *list, separator, item) : format("%s", item);

	free(*list);
	*list = text;
}

static void add_option(struct run_request *req, const char *option)
{
	append(&req->options, " ", option);
}

/*
 * The program may change its folder before it ends, so that a relative FILE would end up elsewhere.
 */
static char *slabinfo_option(const char *where)
{
	char *folder, *option;

	if (!where || strcmp(where, "exit") == 0 || where[0] == '/')
		return format("slabinfo=%s", where ? where : "exit");
	folder = getcwd(NULL, 0);
	if (!folder)
		die(EXIT_KMALLOC, "the current folder: %s", strerror(errno));
	option = format("slabinfo=%s/%s", folder, where);
	free(folder);
	return option;
}

/*
 * Options of the command come after those of the environment, so that they win; a policy stands in
 * the place of the environment's.
 */
static void set_options(const struct run_request *req)
{
	const char *old = getenv("KMALLOC_OPTIONS");
	char *text;

	if (req->gfp && setenv("KMALLOC_GFP", req->gfp, 1) != 0)
		die(EXIT_KMALLOC, "out of memory");
	if (!req->options)
		return;
	text = old && *old ? format("%s %s", old, req->options) : format("%s", req->options);
	if (setenv("KMALLOC_OPTIONS", text, 1) != 0)
		die(EXIT_KMALLOC, "out of memory");
	free(text);
}

static void __attribute__((noreturn)) exec_program(const char *path, char **argv)
{
	execv(path, argv);
	if (errno == ENOEXEC) {
		size_t argc = 0;
		const char **shell_argv;

		while (argv[argc])
			argc++;
		shell_argv = calloc(argc + 2, sizeof(*shell_argv));
		if (!shell_argv)
			die(EXIT_KMALLOC, "out of memory");
		shell_argv[0] = "/bin/sh";
		shell_argv[1] = path;
		for (size_t i = 1; i < argc; i++)
			shell_argv[i + 1] = argv[i];
		execv("/bin/sh", (char **)shell_argv);
	}
	die(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "%s: %s", path, strerror(errno));
}

static void __attribute__((noreturn)) run(const struct run_request *req)
{
	const char *library, *program = find_program(req->argv[0]);

	check_target(program);
	library = find_library(req);
	prepend_env("LD_PRELOAD", library, ':');
	set_options(req);
	exec_program(program, req->argv);
}

/* The command line */

enum { OPT_SLABINFO = 0x100, OPT_CLASSIC, OPT_GFP, OPT_PURGE, OPT_NO_PANIC, OPT_OPTIONS };

static const struct argp_option run_options[] = {
	{ "option", 'o', "KEY[=VALUE]", 0, "Set an option of the library; may be repeated", 0 },
	{ "options", OPT_OPTIONS, "LIST", 0, "Set several, separated by blanks", 0 },
	{ "gfp", OPT_GFP, "POLICY", 0,
	  "What allocations may do, as GFP_ATOMIC or vmalloc:__GFP_NORETRY; may be repeated", 0 },
	{ "slabinfo", OPT_SLABINFO, "FILE", OPTION_ARG_OPTIONAL,
	  "Write the slab table when the program ends, to FILE or else to its standard error", 0 },
	{ "purge", OPT_PURGE, "WHEN", 0, "Give free memory back: auto, never or always", 0 },
	{ "classic", OPT_CLASSIC, NULL, 0, "Use the kernel's own size classes", 0 },
	{ "no-panic", OPT_NO_PANIC, NULL, 0, "Report misuse of the heap and go on", 0 },
	{ "verbose", 'v', NULL, 0, "Print the version and the options when the program starts", 0 },
	{ "library", 'l', "FILE", 0, "Preload this " PRELOAD_NAME, 0 },
	{ 0 }
};

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
	struct run_request *req = state->input;
	char *option;

	switch (key) {
	case 'o':
		if (strpbrk(arg, " \t\n"))
			argp_error(state, "--option=%s: an option can not hold a blank", arg);
		add_option(req, arg);
		return 0;
	case OPT_OPTIONS:
		add_option(req, arg);
		return 0;
	case OPT_GFP:
		append(&req->gfp, "; ", arg);
		return 0;
	case OPT_SLABINFO:
		option = slabinfo_option(arg);
		if (strpbrk(option, " \t\n"))
			argp_error(state, "%s: an option can not hold a blank", option);
		add_option(req, option);
		free(option);
		return 0;
	case OPT_PURGE:
		if (strcmp(arg, "auto") != 0 && strcmp(arg, "never") != 0 &&
		    strcmp(arg, "always") != 0)
			argp_error(state, "--purge=%s: it is auto, never or always", arg);
		option = format("purge=%s", arg);
		add_option(req, option);
		free(option);
		return 0;
	case OPT_CLASSIC:
		add_option(req, "kmalloc_sizes=classic");
		return 0;
	case OPT_NO_PANIC:
		add_option(req, "panic=0");
		return 0;
	case 'v':
		add_option(req, "verbose");
		return 0;
	case 'l':
		req->library = arg;
		return 0;
	case ARGP_KEY_ARGS:
		req->argv = state->argv + state->next;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "it needs a command to run");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp run_argp = {
	run_options,
	parse_run,
	"-- COMMAND [ARGUMENT...]",
	"Run a command with libkmalloc in the place of its malloc."
	"\vThe options of the library are in libkmalloc(7); \"kmalloc run -o help true\" lists them. "
	"The flags of a POLICY are in gfp(7).",
	NULL,
	NULL,
	NULL
};

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	struct run_request req = { 0 };

	switch (key) {
	case ARGP_KEY_ARG:
		if (strcmp(arg, "run") != 0)
			argp_error(state, "unknown command \"%s\"; there is: run", arg);
		/* The rest is run's: argp names the program after argv[0] in its messages. */
		state->argv[state->next - 1] = format("%s run", state->name);
		argp_parse(&run_argp, state->argc - state->next + 1, state->argv + state->next - 1,
			   ARGP_IN_ORDER, NULL, &req);
		run(&req);
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "it needs a command; there is: run");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp command_argp = {
	NULL, parse_command, "run [OPTION...] -- COMMAND [ARGUMENT...]",
	"Run programs with libkmalloc in the place of their malloc."
	"\vSee \"kmalloc run --help\", kmalloc(1) and libkmalloc(7).",
	NULL, NULL, NULL
};

int main(int argc, char **argv)
{
	argp_program_version = "kmalloc " PACKAGE_VERSION;
	argp_err_exit_status = EXIT_KMALLOC;
	argp_parse(&command_argp, argc, argv, ARGP_IN_ORDER, NULL, NULL);
	return 0;
}
