/* Details as the lines of a form, both ways, driven by the profile's table of fields alone.
 *
 *     place: Shenzhen, Nanshan, Keyuan Rd 2
 *     device make: Huawei                              a map within: one line a field
 *     collectors: Zhang San; inspector; Nanshan branch  a list: one line an element, the values of one in order
 *     original: yes
 */
#include "details.h"

#include <stdio.h>

#define KEY_MAX 128
#define SEPARATOR "; "

static bool is_digest(const struct cu_field *field) { return field->type == CU_FIELD_BYTES && field->min == field->max; }

/* ---- details to lines ---------------------------------------------------------------------------------------------- */

struct lines {
    cu_details_line *line;
    void *self;
    struct cu_buf value; /* of the line in the making */
};

static bool there(const struct cu_field *field, const uint8_t *message)
{
    return field->has_at == CU_REQUIRED || *(const bool *)(message + field->has_at);
}

static struct cu_span span_at(const uint8_t *at) { return *(const struct cu_span *)(const void *)at; }
static uint64_t uint_at(const uint8_t *at) { return *(const uint64_t *)(const void *)at; }

static void put_uint(const struct cu_field *field, uint64_t v, struct cu_buf *out)
{
    char time[32];

    if (strcmp(field->name, "time") != 0) {
        cu_buf_addf(out, "%llu", LLU(v));
        return;
    }
    cu_time_text((cu_unix_ms){ v }, time);
    cu_buf_add_str(out, time);
}

/* One value that is neither map nor list. */
static void put_value(const struct cu_field *field, const uint8_t *at, struct cu_buf *out)
{
    switch (field->type) {
    case CU_FIELD_UINT: put_uint(field, uint_at(at), out); return;
    case CU_FIELD_INT: cu_buf_addf(out, "%lld", (long long)uint_at(at)); return;
    case CU_FIELD_BOOL: cu_buf_add_str(out, *(const bool *)at ? "yes" : "no"); return;
    case CU_FIELD_FIXED: cu_hex_put(out, cu_span(at, field->min)); return;
    case CU_FIELD_BYTES:
        if (is_digest(field)) cu_hex_put(out, span_at(at));
        else if (field->max > 1024) cu_buf_addf(out, "%zu bytes", span_at(at).n); /* longer than any name */
        else cu_text_printable(out, span_at(at));
        return;
    case CU_FIELD_TEXT: cu_text_printable(out, span_at(at)); return;
    case CU_FIELD_CONST:
    case CU_FIELD_MAP:
    case CU_FIELD_LIST: return;
    }
}

/* "Zhang San; inspector; Nanshan branch": a value that is not there leaves its place empty, none are left at the end. */
static void put_element(const struct cu_schema *schema, const uint8_t *element, struct cu_buf *out)
{
    size_t skipped = 0;

    for (size_t i = 0; i < schema->n; i++, skipped++) {
        if (!there(&schema->fields[i], element)) continue;
        for (; skipped > 0; skipped--) cu_buf_add_str(out, SEPARATOR);
        put_value(&schema->fields[i], element + schema->fields[i].at, out);
    }
}

/* The one element whose numbers people know by name. */
static void put_digest(const struct cu_detail_digest *digest, struct cu_buf *out)
{
    cu_buf_addf(out, "%s ", cu_digest_name((enum cu_digest_alg)digest->alg));
    cu_hex_put(out, digest->value);
}

static cu_status emit(struct lines *to, const char *key, struct cu_err *err)
{
    TRY(cu_buf_ok(&to->value, err));
    to->line(to->self, cu_span_str(key), cu_buf_span(&to->value));
    cu_buf_clear(&to->value);
    return CU_OK;
}

static cu_status each_element(const struct cu_field *field, const struct cu_list *list, struct lines *to, struct cu_err *err)
{
    union {
        uint8_t bytes[CU_SCHEMA_STRUCT_MAX];
        struct cu_detail_digest digest;
    } element;
    size_t at = 0;

    while (cu_list_next(list, field->child, &at, &element)) {
        if (field->child == &cu_detail_digest_schema) put_digest(&element.digest, &to->value);
        else put_element(field->child, element.bytes, &to->value);
        TRY(emit(to, field->name, err));
    }
    return CU_OK;
}

static cu_status each_field(const struct cu_schema *schema, const uint8_t *message, const char *prefix, struct lines *to,
                            struct cu_err *err)
{
    char key[KEY_MAX];

    for (const struct cu_field *field = schema->fields; field < schema->fields + schema->n; field++) {
        const uint8_t *at = message + field->at;
        if (!there(field, message)) continue;
        snprintf(key, sizeof key, "%s%s%s", prefix, field->name, field->type == CU_FIELD_MAP ? " " : "");
        if (field->type == CU_FIELD_LIST) {
            TRY(each_element(field, (const struct cu_list *)(const void *)at, to, err));
        } else if (field->type == CU_FIELD_MAP) {
            TRY(each_field(field->child, at, key, to, err));
        } else {
            put_value(field, at, &to->value);
            TRY(emit(to, key, err));
        }
    }
    return CU_OK;
}

/* A profile of a later version: its own keys, its values in CBOR's diagnostic notation. */
static cu_status each_unknown(struct cu_span details, struct lines *to, struct cu_err *err)
{
    struct cu_cbor_reader in = cu_cbor_read(details);

    for (uint64_t n = cu_cbor_enter_map(&in, CU_DETAILS_MAX); n > 0 && cu_cbor_good(&in); n--) {
        char key_mem[KEY_MAX + 1];
        struct cu_buf key = cu_buf_over(key_mem, KEY_MAX);
        cu_text_printable(&key, cu_cbor_text(&in, 0, KEY_MAX / 4));
        key_mem[key.n] = 0;
        if (cu_cbor_peek(&in) == CU_CBOR_TEXT) cu_text_printable(&to->value, cu_cbor_text(&in, 0, CU_DETAILS_MAX));
        else cu_cbor_diagnose(cu_cbor_item(&in), &to->value);
        if (cu_cbor_good(&in)) TRY(emit(to, key_mem, err));
    }
    cu_cbor_leave(&in);
    return cu_cbor_done(&in, "details", err);
}

cu_status cu_details_each(struct cu_span details, cu_details_line *line, void *self, struct cu_err *err)
{
    uint8_t value[4 * CU_DETAILS_MAX]; /* every byte may need an escape, \xNN */
    struct lines to = { line, self, cu_buf_over(value, sizeof value) };
    const struct cu_schema *schema = cu_profile_schema(cu_details_profile(details));
    union cu_details message;

    TRY(cu_cbor_check(details, "details", err));
    if (!schema || cu_schema_read(schema, details, &message, NULL) != CU_OK) return each_unknown(details, &to, err);
    return each_field(schema, (const uint8_t *)&message, "", &to, err);
}

/* ---- lines to details ---------------------------------------------------------------------------------------------- */

/* What the program fills in itself. */
static const char *const own_fields[] = { "profile", "name", "tool", "media", "digests", "earlier" };

struct form {
    struct cu_buf *scratch;
    size_t line;
    uint64_t given; /* bit i: field i of the profile was on a line */
};

static struct cu_span trim(struct cu_span s)
{
    while (s.n && strchr(" \t\r", s.p[0])) s = cu_span(s.p + 1, s.n - 1);
    while (s.n && strchr(" \t\r", s.p[s.n - 1])) s.n--;
    return s;
}

static cu_status take_bool(struct cu_span value, bool *ret, struct cu_err *err)
{
    ENSURE(cu_span_is(value, "yes") || cu_span_is(value, "no"), err, CU_MALFORMED, "write yes or no");
    *ret = cu_span_is(value, "yes");
    return CU_OK;
}

static cu_status take_digest(struct cu_span value, size_t n, struct cu_buf *scratch, struct cu_span *ret, struct cu_err *err)
{
    uint8_t *place = cu_buf_grow(scratch, n);

    TRY(cu_buf_ok(scratch, err));
    TRY(cu_hex_read(value, place, n, err));
    *ret = cu_span(place, n);
    return CU_OK;
}

static cu_status take_value(const struct cu_field *field, uint8_t *message, struct cu_span value, struct cu_buf *scratch,
                            struct cu_err *err)
{
    void *at = message + field->at;

    if (field->has_at != CU_REQUIRED) *(bool *)(message + field->has_at) = true;
    if (field->type == CU_FIELD_BOOL) return take_bool(value, at, err);
    if (field->type == CU_FIELD_UINT) return cu_decimal_read(value, field->max, at, err);
    if (is_digest(field)) return take_digest(value, field->min, scratch, at, err);
    ENSURE(field->type == CU_FIELD_TEXT || field->type == CU_FIELD_BYTES, err, CU_MALFORMED, "it cannot be given in a form");
    ENSURE(value.n <= field->max, err, CU_MALFORMED, "%zu bytes, more than %llu", value.n, LLU(field->max));
    *(struct cu_span *)at = value;
    return CU_OK;
}

/* "name; title; organisation" into one more element at the end of the list, whose elements lie together in the scratch. */
static cu_status take_element(const struct cu_field *field, struct cu_list *list, struct cu_span value, struct form *form,
                              struct cu_err *err)
{
    uint64_t element[CU_SCHEMA_STRUCT_MAX / 8] = { 0 };
    uint8_t digests_mem[2 * CU_DIGEST_LEN_MAX];
    struct cu_buf digests = cu_buf_over(digests_mem, sizeof digests_mem);
    size_t before = form->scratch->n;

    for (size_t i = 0; value.n; i++) {
        struct cu_span part = value;
        ENSURE(i < field->child->n, err, CU_MALFORMED, "more than %zu values between semicolons", field->child->n);
        if (!cu_span_split(&value, ';', &part)) value = CU_SPAN_EMPTY;
        if (trim(part).n) TRY(take_value(&field->child->fields[i], (uint8_t *)element, trim(part), &digests, err));
    }
    TRY(cu_schema_write(field->child, element, form->scratch, err));
    TRY(cu_buf_ok(form->scratch, err));
    if (list->n++ == 0) list->bytes = cu_span(form->scratch->p + before, 0);
    ENSURE(list->bytes.p + list->bytes.n == form->scratch->p + before, err, CU_MALFORMED, "the lines of one list stand together");
    list->bytes.n += form->scratch->n - before;
    return CU_OK;
}

static const struct cu_field *field_named(const struct cu_schema *schema, struct cu_span name)
{
    for (size_t i = 0; i < schema->n; i++)
        if (cu_span_is(name, schema->fields[i].name)) return &schema->fields[i];
    return NULL;
}

static cu_status take_in_map(const struct cu_field *map, uint8_t *message, struct cu_span key, struct cu_span value,
                             struct form *form, struct cu_err *err)
{
    const struct cu_field *field = field_named(map->child, trim(key));
    uint8_t *inner = message + map->at;

    ENSURE(field, err, CU_MALFORMED, "\"%s\" has no field of that name", map->name);
    ENSURE(span_at(inner + field->at).n == 0, err, CU_MALFORMED, "it is given twice");
    if (map->has_at != CU_REQUIRED) *(bool *)(message + map->has_at) = true;
    return take_value(field, inner, value, form->scratch, err);
}

static cu_status take_line(const struct cu_schema *schema, uint8_t *message, struct cu_span key, struct cu_span value,
                           struct form *form, struct cu_err *err)
{
    struct cu_span rest = key, first = key;
    const struct cu_field *field = cu_span_split(&rest, ' ', &first) ? field_named(schema, first) : NULL;

    for (size_t i = 0; i < sizeof own_fields / sizeof *own_fields; i++)
        ENSURE(!cu_span_is(first, own_fields[i]), err, CU_MALFORMED, "the program fills this in by itself");
    if (field && field->type == CU_FIELD_MAP) return take_in_map(field, message, rest, value, form, err);
    field = field_named(schema, key);
    ENSURE(field && field->type != CU_FIELD_MAP, err, CU_MALFORMED, "%s have no such field", schema->name);
    if (field->type == CU_FIELD_LIST)
        return take_element(field, (struct cu_list *)(void *)(message + field->at), value, form, err);

    uint64_t bit = UINT64_C(1) << (field - schema->fields);
    bool filled = field->type == CU_FIELD_TEXT && span_at(message + field->at).n > 0;
    ENSURE(!(form->given & bit) && !filled, err, CU_MALFORMED, "it is given twice");
    form->given |= bit;
    return take_value(field, message, value, form->scratch, err);
}

cu_status cu_details_from_text(enum cu_profile profile, struct cu_span text, struct cu_buf *scratch,
                               struct cu_details_deposit *message, struct cu_err *err)
{
    const struct cu_schema *schema = cu_profile_schema(profile);
    struct cu_details_deposit out = *message;
    struct form form = { .scratch = scratch };

    CU_ASSERT(!scratch->on_heap); /* spans into it must stay where they are */
    ENSURE(profile == CU_PROFILE_PLAIN || profile == CU_PROFILE_POLICE_COLLECTION, err, CU_WRONG_KIND,
           "this profile is not one of a deposit");
    cu_span_take(&text, "\xef\xbb\xbf");
    while (text.n) {
        struct cu_span line = text, key;
        if (!cu_span_split(&text, '\n', &line)) text = CU_SPAN_EMPTY;
        form.line++;
        line = trim(line);
        if (line.n == 0 || line.p[0] == '#') continue;
        ENSURE(cu_span_split(&line, ':', &key), err, CU_MALFORMED, "line %zu: not \"key: value\"", form.line);
        if (trim(line).n == 0) continue; /* a blank in the form */
        cu_status status = take_line(schema, (uint8_t *)&out, trim(key), trim(line), &form, err);
        if (status != CU_OK)
            return cu_fail_while(err, status, "line %zu, \"%.*s\"", form.line, (int)trim(key).n, (const char *)trim(key).p);
    }
    *message = out;
    return CU_OK;
}
