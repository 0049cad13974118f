// SPDX-License-Identifier: MIT
/*
 * The address space of the process as the kernel sees it. Layer: mm. Leads in: mm_snapshot. Leads
 * down: /proc/self, own_ranges.c. Takes no lock and touches no allocator.
 *
 * Two mappings make a snapshot: the text of /proc/self/maps, into which names point, and, mapped
 * after that was read and so not in it, mm_struct and areas. The kernel writes the text piece by
 * piece while other threads go on: pieces never overlap, but the whole may be of no one moment. It
 * is read again until the pages add up to what the system counts before and after.
 */
#include "lib/small.h"
#include "mm/mm_snapshot.h"
#include "mm/mm_types.h"
#include "mm/pcpu.h"

#define FIRST_TEXT	(128ul << 10)
#define MAX_TEXT	(1ul << 30)
#define TRIES		10u
#define MAX_USER	(1ul << 63)	/* from here on: the vsyscall page, which is in no mm */

#if defined(__x86_64__)
#define TASK_SIZE	((1ul << USER_ADDRESS_BITS) - PAGE_SIZE)
#else
#define TASK_SIZE	(1ul << USER_ADDRESS_BITS)
#endif

/* ---- text ---- */

struct text {
	char *start;
	size_t bytes;		/* of the mapping */
	char *end;		/* a NUL */
};

/* False: not there. What does not fit is cut off. */
static bool read_file(const char *path, char *buf, size_t size, size_t *len)
{
	int fd = os_open_read(path);
	long n;

	*len = 0;
	if (fd < 0)
		return false;
	while (*len < size - 1 && (n = os_read(fd, buf + *len, size - 1 - *len)) > 0)
		*len += (size_t)n;
	os_close(fd);
	buf[*len] = '\0';
	return *len > 0;
}

/* The whole file, in a mapping that grows as it must. */
static bool read_text(const char *path, struct text *t)
{
	size_t len;

	for (;;) {
		if (!t->start) {
			t->start = os_map(NULL, t->bytes);
			if (!t->start)
				return false;
		}
		if (!read_file(path, t->start, t->bytes, &len))
			return false;
		if (len < t->bytes - 1)
			break;
		os_unmap(t->start, t->bytes);
		t->start = NULL;
		t->bytes *= 2;
		if (t->bytes > MAX_TEXT)
			return false;
	}
	t->end = t->start + len;
	return true;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a') + 10 : 16;
}

static unsigned long scan_number(char **p, unsigned int base)
{
	unsigned long n = 0;

	for (; digit(**p) < base; ++*p)
		n = n * base + digit(**p);
	return n;
}

static bool starts_with(const char *text, const char *prefix)
{
	while (*prefix && *text == *prefix) {
		text++;
		prefix++;
	}
	return !*prefix;
}

static void skip(char **p, char c)
{
	while (**p == c)
		++*p;
}

/* ---- status and stat ---- */

/* "VmSize:	    3760 kB" in pages; 0 where there is no such line. */
static unsigned long status_pages(const char *status, const char *key)
{
	size_t len = strlen(key);
	char *p;

	for (p = (char *)(uintptr_t)status; *p; p++) {
		if ((p == status || p[-1] == '\n') && starts_with(p, key) && p[len] == ':') {
			p += len + 1;
			while (*p == '\t' || *p == ' ')
				p++;
			return scan_number(&p, 10) >> (os_page_shift - 10);
		}
	}
	return 0;
}

static bool fill_from_status(struct mm_struct *mm)
{
	char text[4096];
	size_t len;

	if (!read_file("/proc/self/status", text, sizeof(text), &len))
		return false;
	mm->total_vm = status_pages(text, "VmSize");
	mm->locked_vm = status_pages(text, "VmLck");
	mm->pinned_vm = status_pages(text, "VmPin");
	mm->data_vm = status_pages(text, "VmData");
	mm->stack_vm = status_pages(text, "VmStk");
	mm->exec_vm = status_pages(text, "VmExe") + status_pages(text, "VmLib");
	mm->hiwater_vm = status_pages(text, "VmPeak");
	mm->hiwater_rss = status_pages(text, "VmHWM");
	mm->rss = status_pages(text, "VmRSS");
	return mm->total_vm != 0;
}

/* Numbers of the fields in proc(5). */
static bool fill_from_stat(struct mm_struct *mm)
{
	char text[2048], *p;
	unsigned long field[52] = { 0 };
	unsigned int i;
	size_t len;

	if (!read_file("/proc/self/stat", text, sizeof(text), &len))
		return false;
	for (p = text + len; p > text && *p != ')'; p--)
		;	/* the name of the program may hold anything */
	for (i = 3; i < ARRAY_SIZE(field) && *p; i++) {
		while (*p && *p != ' ')
			p++;
		skip(&p, ' ');
		skip(&p, '-');
		field[i] = scan_number(&p, 10);
	}
	mm->start_code = field[26];
	mm->end_code = field[27];
	mm->start_stack = field[28];
	mm->start_data = field[45];
	mm->end_data = field[46];
	mm->start_brk = field[47];
	mm->arg_start = field[48];
	mm->arg_end = field[49];
	mm->env_start = field[50];
	mm->env_end = field[51];
	mm->brk = os_brk();
	return true;
}

/* ---- maps, or smaps where flags are wanted ---- */

static unsigned long flag_named(const char *name)
{
	static const struct {
		char name[3];
		unsigned long flag;
	} flags[] = {
		{ "rd", VM_READ }, { "wr", VM_WRITE }, { "ex", VM_EXEC }, { "sh", VM_SHARED },
		{ "mr", VM_MAYREAD }, { "mw", VM_MAYWRITE }, { "me", VM_MAYEXEC },
		{ "ms", VM_MAYSHARE }, { "gd", VM_GROWSDOWN }, { "lo", VM_LOCKED },
		{ "io", VM_IO }, { "dc", VM_DONTCOPY }, { "de", VM_DONTEXPAND },
		{ "nr", VM_NORESERVE }, { "ht", VM_HUGETLB },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (starts_with(name, flags[i].name))
			return flags[i].flag;
	return 0;
}

static unsigned long scan_permissions(const char *p)
{
	unsigned long flags = 0;

	flags |= p[0] == 'r' ? VM_READ : 0;
	flags |= p[1] == 'w' ? VM_WRITE : 0;
	flags |= p[2] == 'x' ? VM_EXEC : 0;
	if (p[3] == 's')
		return flags | flags << 4 | VM_SHARED | VM_MAYSHARE;
	return flags | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC;
}

/*
 * The next line of one area; *p is behind it then. False: not such a line. The name is ended with
 * a NUL only where cut is set.
 */
static bool scan_area(char **p, struct vm_area_struct *v, bool cut)
{
	char *name;

	memset(v, 0, sizeof(*v));
	if (digit(**p) >= 16)
		return false;
	v->vm_start = scan_number(p, 16);
	if (**p != '-')
		return false;
	++*p;
	v->vm_end = scan_number(p, 16);
	if (v->vm_end <= v->vm_start || **p != ' ' || !*++*p || !(*p)[1] || !(*p)[2] ||
	    !(*p)[3] || (*p)[4] != ' ')
		return false;
	v->vm_flags = scan_permissions(*p);
	*p += 5;
	v->vm_pgoff = scan_number(p, 16) >> os_page_shift;
	skip(p, ' ');
	v->vm_dev = scan_number(p, 16) << 20;
	skip(p, ':');
	v->vm_dev |= scan_number(p, 16);
	skip(p, ' ');
	v->vm_ino = scan_number(p, 10);
	skip(p, ' ');
	name = *p;
	while (**p && **p != '\n')
		++*p;
	if (*p == name)
		return true;
	if (*name == '[' || !v->vm_ino)
		v->vm_name = name;
	else
		v->vm_file = name;
	if (starts_with(name, "[stack]"))
		v->vm_flags |= VM_GROWSDOWN;
	if (cut && **p)
		*(*p)++ = '\0';
	return true;
}

static void scan_vm_flags(char *p, struct vm_area_struct *v)
{
	unsigned long flags = 0;

	for (p += sizeof("VmFlags:") - 1; *p && *p != '\n'; p++)
		if (p[0] == ' ' && p[1] && p[1] != '\n' && p[2])
			flags |= flag_named(p + 1);
	v->vm_flags = flags;
}

static void next_line(char **p)
{
	while (**p && **p != '\n')
		++*p;
	skip(p, '\n');
}

/* Up to the line of the next area; those of smaps between are read. */
static bool next_area(char **p, struct vm_area_struct *v, bool cut)
{
	while (**p) {
		if (digit(**p) < 16 && scan_area(p, v, cut)) {
			skip(p, '\n');
			while (**p && digit(**p) >= 16) {	/* "Size:", never a hex digit */
				if (starts_with(*p, "VmFlags:"))
					scan_vm_flags(*p, v);
				next_line(p);
			}
			if (v->vm_start < MAX_USER)
				return true;
		} else {
			next_line(p);
		}
	}
	return false;
}

/* How many areas, and pages in all. */
static unsigned int count_areas(const struct text *t, unsigned long *pages)
{
	struct vm_area_struct v;
	char *p = t->start;
	unsigned int n = 0;

	for (*pages = 0; next_area(&p, &v, false); n++)
		*pages += (v.vm_end - v.vm_start) >> os_page_shift;
	return n;
}

/* Text and counts of one moment, as far as they can be had; how many areas, 0 without /proc. */
static unsigned int read_maps(struct text *t, struct mm_struct *mm)
{
	unsigned long pages;
	unsigned int i, n = 0;

	if (!fill_from_status(mm))
		return 0;
	for (i = 0; i < TRIES; i++) {
		/* smaps takes long: it counts every page */
		if (!read_text(mm->locked_vm ? "/proc/self/smaps" : "/proc/self/maps", t))
			return 0;
		n = count_areas(t, &pages);
		if (!fill_from_status(mm))
			return 0;
		if (pages == mm->total_vm)
			break;
	}
	return n;
}

/* ---- the list ---- */

static bool may_be_ours(const struct vm_area_struct *v)
{
	return !v->vm_file && !v->vm_name && !v->vm_ino;
}

static void collect_own_ranges(struct own_ranges *r, const struct text *t)
{
	struct vm_area_struct v;
	char *p = t->start;

	while (next_area(&p, &v, false))
		if (may_be_ours(&v))
			own_ranges_add(r, v.vm_start, v.vm_end);
	own_ranges_add_metadata(r);
	own_ranges_sort(r);
}

struct list_builder {
	struct mm_struct *mm;
	unsigned int max;
	const struct own_ranges *own;
	size_t next;		/* of own */
};

/* The part of v from start to end, which own describes (NULL: nobody). */
static void emit(struct list_builder *b, const struct vm_area_struct *v, unsigned long start,
		 unsigned long end, const struct own_range *own)
{
	struct vm_area_struct *areas = b->mm->kmalloc_private.areas, *new;

	if (start >= end || b->mm->nr_areas == b->max)
		return;
	new = &areas[b->mm->nr_areas++];
	*new = *v;
	new->vm_start = start;
	new->vm_end = end;
	new->vm_mm = b->mm;
	if (own) {
		new->vm_kind = own->kind;
		new->vm_caller = own->caller;
		new->vm_size = own->size;
	}
	if (new > areas)
		new[-1].vm_next = new;
	else
		b->mm->mmap = new;
}

static void emit_pieces(struct list_builder *b, const struct vm_area_struct *v)
{
	const struct own_range *r, *end = b->own->range + b->own->nr;
	unsigned long pos = v->vm_start;

	for (r = b->own->range + b->next; r < end && r->start < v->vm_end; r++) {
		unsigned long stop = MIN(r->end, v->vm_end);

		if (stop > pos && r->end > r->start) {
			emit(b, v, pos, MIN(MAX(pos, r->start), stop), NULL);
			emit(b, v, MAX(pos, r->start), stop, r);
			pos = stop;
		}
		if (r->end > v->vm_end)
			break;
	}
	b->next = (size_t)(r - b->own->range);
	emit(b, v, pos, v->vm_end, NULL);
}

static void build_list(struct mm_struct *mm, const struct text *t, const struct own_ranges *own,
		       unsigned int max)
{
	struct list_builder b = { .mm = mm, .max = max, .own = own };
	struct vm_area_struct v;
	char *p = t->start;

	while (next_area(&p, &v, true)) {
		mm->map_count++;
		if (may_be_ours(&v))
			emit_pieces(&b, &v);
		else
			emit(&b, &v, v.vm_start, v.vm_end, NULL);
	}
}

static unsigned long guess_mmap_base(struct mm_struct *mm)
{
	struct vm_area_struct *vma, *stack = find_vma(mm, mm->start_stack);
	unsigned long base = 0;

	KMALLOC_FOR_EACH_VMA(mm, vma)
		if (stack && vma->vm_end <= stack->vm_start)
			base = vma->vm_end;
	return base;
}

__km_export struct mm_struct *mm_snapshot(void)
{
	struct text t = { .bytes = FIRST_TEXT };
	struct own_ranges own = { .nr = 0 };
	struct mm_struct found = { .nr_areas = 0 }, *mm = NULL;
	unsigned int n, max;
	size_t bytes;

	if (unlikely(!atomic_load_explicit(&mm_ready, memory_order_acquire)))
		mm_init();	/* the page size */
	n = read_maps(&t, &found);
	if (n && fill_from_stat(&found)) {
		collect_own_ranges(&own, &t);
		max = 2 * (n + (unsigned int)own.nr) + 1;
		bytes = ALIGN_UP(sizeof(*mm) + max * sizeof(struct vm_area_struct), PAGE_SIZE);
		mm = os_map(NULL, bytes);
		if (mm) {
			*mm = found;
			mm->page_shift = os_page_shift;
			mm->task_size = TASK_SIZE;
			mm->kmalloc_private.areas = (struct vm_area_struct *)(void *)(mm + 1);
			mm->kmalloc_private.text = t.start;
			mm->kmalloc_private.text_bytes = t.bytes;
			mm->kmalloc_private.bytes = bytes;
			build_list(mm, &t, &own, max);
			mm->mmap_base = guess_mmap_base(mm);
		}
	}
	own_ranges_free(&own);
	if (!mm && t.start)
		os_unmap(t.start, t.bytes);
	return mm;
}

__km_export void mmput(struct mm_struct *mm)
{
	if (!mm)
		return;
	os_unmap(mm->kmalloc_private.text, mm->kmalloc_private.text_bytes);
	os_unmap(mm, mm->kmalloc_private.bytes);
}

__km_export struct vm_area_struct *find_vma(struct mm_struct *mm, unsigned long addr)
{
	struct vm_area_struct *areas = mm->kmalloc_private.areas;
	unsigned int low = 0, high = mm->nr_areas;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;

		if (areas[mid].vm_end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low < mm->nr_areas ? &areas[low] : NULL;
}
