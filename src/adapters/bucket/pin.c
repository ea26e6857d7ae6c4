/* A pin: a type line, "version <id>" unless the object was moved away, "known <id>" for each version that was. */
#include "adapters/bucket/pin.h"

#include "custody/text.h"

void cu_pin_free(struct cu_pin *pin) { cu_buf_free(&pin->known); }

bool cu_bucket_version_ok(struct cu_span version)
{
    for (size_t i = 0; i < version.n; i++)
        if (version.p[i] <= ' ' || version.p[i] > '~') return false;
    return version.n > 0 && version.n < CU_BUCKET_VERSION_MAX;
}

static bool known(struct cu_span text, struct cu_span version)
{
    struct cu_lines lines = cu_lines_on(text);
    struct cu_span line;

    while (cu_lines_next(&lines, &line))
        if (cu_span_take(&line, "known ") && cu_span_eq(line, version)) return true;
    return false;
}

bool cu_pin_knows(const struct cu_pin *pin, const char *version) { return known(cu_buf_span(&pin->known), cu_span_str(version)); }

void cu_pin_know(struct cu_pin *pin, const char *version)
{
    if (!cu_pin_knows(pin, version)) cu_buf_addf(&pin->known, "known %s\n", version);
}

cu_status cu_pin_read(struct cu_span text, struct cu_pin *ret, struct cu_err *err)
{
    struct cu_lines lines;
    struct cu_span line, id;
    bool good = cu_span_take(&text, CU_PIN_TYPE);

    ret->known = cu_buf_heap(CU_PIN_MAX);
    ret->there = true;
    lines = cu_lines_on(text);
    while (good && cu_lines_next(&lines, &line)) {
        id = line;
        const bool version = lines.line == 1 && cu_span_take(&id, "version ");
        good = (version || cu_span_take(&id, "known ")) && cu_bucket_version_ok(id);
        if (version && good) memcpy(ret->version, id.p, id.n);
        if (version || !good) continue;
        good = !known(cu_buf_span(&ret->known), id);
        cu_buf_addf(&ret->known, "%.*s\n", (int)line.n, (const char *)line.p);
    }
    ENSURE(good && !lines.bad, err, CU_MALFORMED, "it is not in the one form that a pin has");
    return cu_buf_ok(&ret->known, err);
}

cu_status cu_pin_write(const struct cu_pin *pin, struct cu_buf *out, struct cu_err *err)
{
    cu_buf_add_str(out, CU_PIN_TYPE);
    if (pin->version[0]) cu_buf_addf(out, "version %s\n", pin->version);
    cu_buf_add(out, cu_buf_span(&pin->known));
    return cu_buf_ok(out, err);
}
