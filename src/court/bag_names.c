/* Names in a bag: what can be written on Windows, on a Mac and by any zip program, and stands for one file wherever case is ignored. */
#include "court/bag.h"

#include "custody/text.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 80, EXTENSION_MAX = 16 };

/* ---- letters without their case ---- */

/* Lower case of Latin, Greek and Cyrillic: the alphabets that file systems fold. */
static uint32_t lower(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3AB) || (c >= 0x410 && c <= 0x42F)) return c + 32;
    if (c >= 0x400 && c <= 0x40F) return c + 80;
    if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177) || (c >= 0x1E00 && c <= 0x1EFF) || (c >= 0x460 && c <= 0x52F))
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1);
    return c >= 0xFF21 && c <= 0xFF3A ? c + 32 : c;
}

uint64_t cu_bag_fold(struct cu_span path)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    uint32_t c;

    for (size_t n; path.n > 0; path = cu_span(path.p + n, path.n - n)) {
        n = cu_utf8_next(path, &c);
        if (n == 0) n = 1, c = *path.p;
        h = (h ^ lower(c)) * UINT64_C(0x100000001b3);
    }
    return h ? h : 1; /* 0 is an empty slot */
}

/* ---- names that are taken ---- */

void cu_bag_names_free(struct cu_bag_names *names)
{
    free(names->slot);
    *names = (struct cu_bag_names){ 0 };
}

static bool enter(uint64_t *slot, size_t cap, uint64_t h)
{
    size_t at = (size_t)h & (cap - 1);

    while (slot[at] && slot[at] != h) at = (at + 1) & (cap - 1);
    bool new = slot[at] == 0;
    slot[at] = h;
    return new;
}

cu_status cu_bag_take(struct cu_bag_names *names, struct cu_span path, bool *ret_free, struct cu_err *err)
{
    if (2 * (names->n + 1) > names->cap) {
        size_t cap = names->cap ? 2 * names->cap : 1024;
        uint64_t *slot = calloc(cap, sizeof *slot);
        ENSURE(slot, err, CU_NO_MEMORY, "no memory for the names in a package");
        for (size_t i = 0; i < names->cap; i++)
            if (names->slot[i]) enter(slot, cap, names->slot[i]);
        free(names->slot);
        names->slot = slot;
        names->cap = cap;
    }
    *ret_free = enter(names->slot, names->cap, cu_bag_fold(path));
    names->n += *ret_free;
    return CU_OK;
}

/* ---- one name made safe ---- */

static size_t extension_of(struct cu_span name)
{
    size_t at = name.n;

    while (at > 0 && name.n - at < EXTENSION_MAX && name.p[at - 1] != '.') at--;
    return at > 1 && name.p[at - 1] == '.' ? name.n - at + 1 : 0;
}

/* Cut between characters. */
static size_t cut(struct cu_span text, size_t max)
{
    if (text.n <= max) return text.n;
    while (max > 0 && (text.p[max] & 0xC0) == 0x80) max--;
    return max;
}

static bool is_reserved(struct cu_span name)
{
    static const char *const words[] = { "con", "prn", "aux", "nul" };
    char word[6] = "";
    size_t n = 0;

    while (n < name.n && name.p[n] != '.') n++;
    while (n > 0 && name.p[n - 1] == ' ') n--;
    if (n < 3 || n > 4) return false;
    for (size_t i = 0; i < n; i++) word[i] = (char)lower(name.p[i]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0) return true;
    return n == 4 && (memcmp(word, "com", 3) == 0 || memcmp(word, "lpt", 3) == 0) && word[3] >= '0' && word[3] <= '9';
}

/* Does it show as itself, nothing hidden in it? Its length in bytes. */
static bool is_plain(struct cu_span text, size_t *ret_n)
{
    uint8_t mem[32];
    struct cu_buf shown = cu_buf_over(mem, sizeof mem);
    uint32_t c;

    *ret_n = cu_utf8_next(text, &c);
    if (*ret_n == 0) return *ret_n = 1, false;
    cu_text_printable(&shown, cu_span(text.p, *ret_n));
    return cu_span_eq(cu_buf_span(&shown), cu_span(text.p, *ret_n));
}

/* Rules 1 and 2 of the page. */
static void put_characters(struct cu_span name, struct cu_buf *ret)
{
    const size_t before = ret->n;

    for (size_t n; name.n > 0; name = cu_span(name.p + n, name.n - n))
        if (is_plain(name, &n) && !strchr("<>:\"/|?*%", name.p[0])) cu_buf_add(ret, cu_span(name.p, n));
        else cu_buf_add_byte(ret, '_');
    for (size_t i = ret->n; i > before && (ret->p[i - 1] == '.' || ret->p[i - 1] == ' '); i--) ret->p[i - 1] = '_';
}

void cu_bag_safe(struct cu_span component, struct cu_buf *ret)
{
    CU_BUF name = cu_buf_heap((size_t)CU_PATH_MAX_BYTES + 2);

    put_characters(component, &name);
    ret->no_memory |= name.no_memory;
    struct cu_span safe = cu_buf_span(&name);
    if (is_reserved(safe) || (safe.n > 0 && safe.p[0] == ' ') || safe.n == 0) cu_buf_add_byte(ret, '_');
    const size_t extension = safe.n > NAME_MAX_BYTES ? extension_of(safe) : 0;
    cu_buf_add(ret, cu_span(safe.p, cut(cu_span(safe.p, safe.n - extension), NAME_MAX_BYTES - extension)));
    cu_buf_add(ret, cu_span(safe.p + safe.n - extension, extension));
}

cu_status cu_bag_name(struct cu_bag_names *names, const char *dir, struct cu_span component, struct cu_buf *ret, bool *ret_same,
                      struct cu_err *err)
{
    CU_BUF safe = cu_buf_heap(256);
    bool is_free = false;

    cu_bag_safe(component, &safe);
    TRY(cu_buf_ok(&safe, err));
    *ret_same = cu_span_eq(cu_buf_span(&safe), component);
    cu_buf_clear(ret);
    cu_buf_addf(ret, "%s%s%.*s", dir, dir[0] ? "/" : "", (int)safe.n, (const char *)safe.p);
    TRY(cu_buf_ok(ret, err));
    TRY(cu_bag_take(names, cu_buf_span(ret), &is_free, err));
    while (!is_free) {
        const size_t extension = extension_of(cu_buf_span(&safe));
        *ret_same = false;
        cu_buf_clear(ret);
        cu_buf_addf(ret, "%s%s%.*s~%llu%.*s", dir, dir[0] ? "/" : "", (int)(safe.n - extension), (const char *)safe.p,
                    LLU(++names->renamed + 1), (int)extension, (const char *)safe.p + safe.n - extension);
        TRY(cu_buf_ok(ret, err));
        TRY(cu_bag_take(names, cu_buf_span(ret), &is_free, err));
    }
    return CU_OK;
}

void cu_bag_original(struct cu_span name, struct cu_buf *ret)
{
    for (size_t n; name.n > 0; name = cu_span(name.p + n, name.n - n)) {
        const bool plain = is_plain(name, &n) && name.p[0] != '%';
        for (size_t i = 0; i < n; i++)
            if (plain) cu_buf_add_byte(ret, name.p[i]);
            else cu_buf_addf(ret, "%%%02X", name.p[i]);
    }
}
