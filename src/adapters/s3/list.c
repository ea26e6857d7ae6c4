/* Every version in a folder of the bucket: pages of XML, in the order that callers rely on. */
#include "adapters/bucket/pin.h"
#include "adapters/s3/inside.h"
#include "codec/xml.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { VERSIONS_MAX = 1 << 20 };

struct item {
    char *key; /* and its version behind it */
    const char *version;
    uint64_t size;
    size_t order;
    bool marker;
};

struct items {
    struct item *item;
    size_t n, cap;
};

static void free_items(struct items *l)
{
    for (size_t i = 0; i < l->n; i++) free(l->item[i].key);
    free(l->item);
}

static cu_status add_item(struct items *l, const char *key, const char *version, uint64_t size, bool marker, struct cu_err *err)
{
    const size_t key_n = strlen(key) + 1, version_n = version ? strlen(version) + 1 : 0;

    ENSURE(l->n < VERSIONS_MAX, err, CU_TOO_LARGE, "the bucket holds more than %d versions in one folder", VERSIONS_MAX);
    if (l->n == l->cap) {
        const size_t cap = l->cap ? 2 * l->cap : 64;
        struct item *more = realloc(l->item, cap * sizeof *more);
        ENSURE(more, err, CU_NO_MEMORY, "no memory to list a bucket");
        l->item = more;
        l->cap = cap;
    }
    char *text = malloc(key_n + version_n);
    ENSURE(text, err, CU_NO_MEMORY, "no memory to list a bucket");
    memcpy(text, key, key_n);
    if (version) memcpy(text + key_n, version, version_n);
    l->item[l->n] = (struct item){ text, version ? text + key_n : NULL, size, l->n, marker };
    l->n++;
    return CU_OK;
}

/* One page: what is being read of it. */
struct page {
    const struct s3 *s;
    struct items *items;
    char key[CU_BUCKET_KEY_MAX + 256], version[CU_BUCKET_VERSION_MAX], size[32];
    char next_key[CU_BUCKET_KEY_MAX + 256], next_version[CU_BUCKET_VERSION_MAX];
    bool more, bad;
};

static void keep_text(struct page *p, const struct cu_xml *x, char *ret, size_t max)
{
    if (x->text_n >= max) p->bad = true;
    else snprintf(ret, max, "%.*s", (int)x->text_n, (const char *)x->text);
}

static cu_status take_entry(struct page *p, bool folder, bool marker, struct cu_err *err)
{
    const size_t below = strlen(p->s->address.prefix);
    uint64_t size = 0;

    if (!folder && !marker && cu_decimal_read(cu_span_str(p->size), UINT64_MAX, &size, NULL) != CU_OK) p->bad = true;
    if (!folder && !cu_bucket_version_ok(cu_span_str(p->version))) p->bad = true;
    if (strncmp(p->key, p->s->address.prefix, below) != 0 || strlen(p->key + below) >= CU_BUCKET_KEY_MAX) p->bad = true;
    if (p->bad) return s3_malformed("a list of versions", err);
    return add_item(p->items, p->key + below, folder ? NULL : p->version, size, marker, err);
}

#define TOP "ListVersionsResult/"
static cu_status take_end(struct page *p, const struct cu_xml *x, struct cu_err *err)
{
    const bool marker = cu_xml_at(x, TOP "DeleteMarker"), folder = cu_xml_at(x, TOP "CommonPrefixes");

    if (cu_xml_at(x, TOP "Version/Key") || cu_xml_at(x, TOP "DeleteMarker/Key") || cu_xml_at(x, TOP "CommonPrefixes/Prefix"))
        keep_text(p, x, p->key, sizeof p->key);
    else if (cu_xml_at(x, TOP "Version/VersionId") || cu_xml_at(x, TOP "DeleteMarker/VersionId"))
        keep_text(p, x, p->version, sizeof p->version);
    else if (cu_xml_at(x, TOP "Version/Size")) keep_text(p, x, p->size, sizeof p->size);
    else if (cu_xml_at(x, TOP "IsTruncated")) p->more = cu_span_is(cu_xml_text(x), "true");
    else if (cu_xml_at(x, TOP "NextKeyMarker")) keep_text(p, x, p->next_key, sizeof p->next_key);
    else if (cu_xml_at(x, TOP "NextVersionIdMarker")) keep_text(p, x, p->next_version, sizeof p->next_version);
    if (!marker && !folder && !cu_xml_at(x, TOP "Version")) return CU_OK;
    TRY(take_entry(p, folder, marker, err));
    p->key[0] = p->size[0] = 0;
    snprintf(p->version, sizeof p->version, "null");
    return CU_OK;
}

static cu_status read_page(struct page *p, struct cu_span text, struct cu_err *err)
{
    struct cu_xml x = cu_xml_on(text);
    enum cu_xml_event e;

    p->more = false;
    p->next_key[0] = p->next_version[0] = p->key[0] = p->size[0] = 0;
    snprintf(p->version, sizeof p->version, "null");
    while ((e = cu_xml_next(&x)) == CU_XML_BEGIN || e == CU_XML_END)
        if (e == CU_XML_END) TRY(take_end(p, &x, err));
    return e == CU_XML_DONE && cu_span_is(x.name, "ListVersionsResult") && !p->bad ? CU_OK
                                                                                   : s3_malformed("a list of versions", err);
}

static cu_status ask_page(struct s3 *s, const char *prefix, bool deep, struct page *p, struct cu_err *err)
{
    char whole[CU_BUCKET_KEY_MAX + 256];
    CALL c;

    snprintf(whole, sizeof whole, "%s%s", s->address.prefix, prefix);
    s3_call_on(s, "GET", NULL, &c);
    if (!deep) s3_query(&c, "delimiter", "/");
    if (p->more) s3_query(&c, "key-marker", p->next_key);
    s3_query(&c, "prefix", whole);
    if (p->more && p->next_version[0]) s3_query(&c, "version-id-marker", p->next_version);
    s3_query(&c, "versions", "");
    TRY(s3_not_there(s, s3_ask(s, &c, err), err));
    return read_page(p, cu_buf_span(&c.text), err);
}

static int in_order(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    const int keys = strcmp(x->key, y->key);

    return keys != 0 ? keys : (x->order > y->order) - (x->order < y->order);
}

/* Whole pages first: some stores tell a page's versions, then its markers, then its folders. */
cu_status s3_list(void *self, const char *prefix, bool deep,
                  cu_status (*each)(void *arg, const struct cu_bucket_version *v, struct cu_err *err), void *arg,
                  struct cu_err *err)
{
    CU_CLEANUP(free_items) struct items items = { .n = 0 };
    struct page page = { .s = self, .items = &items };
    char before[sizeof page.next_key + sizeof page.next_version] = "", now[sizeof before];

    do {
        TRY(ask_page(self, prefix, deep, &page, err));
        snprintf(now, sizeof now, "%s %s", page.next_key, page.next_version);
        if (page.more && (!page.next_key[0] || strcmp(now, before) == 0)) return s3_malformed("a list that goes on", err);
        memcpy(before, now, sizeof now);
    } while (page.more);
    if (items.n) qsort(items.item, items.n, sizeof *items.item, in_order);
    for (size_t i = 0; i < items.n; i++) {
        const struct item *it = &items.item[i];
        const struct cu_bucket_version v = { it->key, it->version, it->size, it->marker };
        TRY(each(arg, &v, err));
    }
    return CU_OK;
}
