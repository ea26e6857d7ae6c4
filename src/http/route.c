/* The table of routes: which one is meant, and what stands in its query; and a problem. */
#include "http/server.h"

#include "custody/json.h"
#include "custody/text.h"

#include <stdio.h>

/* ---- matching ---- */

static bool is_hole(struct cu_span part) { return part.n > 2 && part.p[0] == '{'; }

/* The next part of a path; false at its end. */
static bool next_part(struct cu_span *rest, struct cu_span *ret)
{
    if (rest->n == 0) return false;
    *rest = cu_span_from(*rest, 1); /* the slash before it */
    if (cu_span_split(rest, '/', ret)) *rest = cu_span(rest->p - 1, rest->n + 1);
    else *ret = *rest, *rest = CU_SPAN_EMPTY;
    return true;
}

static bool fill_hole(struct cu_span part, struct cu_buf *mem, struct cu_span *ret)
{
    const size_t at = mem->n;

    if (cu_percent_read(part, false, mem, NULL) != CU_OK) return false;
    *ret = cu_span(mem->p + at, mem->n - at);
    return true;
}

/* `mem` never moves: it is as large as any path. */
static bool fits(const struct cu_http_route *route, struct cu_span path, struct cu_http_request *ret, struct cu_buf *mem)
{
    struct cu_span pattern = cu_span_str(route->path), want, have;
    size_t holes = 0;

    cu_buf_clear(mem);
    memset(ret->arg, 0, sizeof ret->arg);
    while (next_part(&pattern, &want)) {
        if (is_hole(want) && pattern.n == 0 && route->flags & CU_HTTP_TAIL) {
            ret->arg[holes] = path.n > 1 ? cu_span_from(path, 1) : CU_SPAN_EMPTY;
            return path.n > 1;
        }
        if (!next_part(&path, &have)) return false;
        if (!is_hole(want) && !cu_span_eq(want, have)) return false;
        if (is_hole(want) && !fill_hole(have, mem, &ret->arg[holes++])) return false;
    }
    return path.n == 0;
}

static bool is_method(const struct cu_http_route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(route->method, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

cu_status cu_http_match(const struct cu_http_route *routes, size_t n, const char *method, struct cu_span path,
                        struct cu_http_request *ret, struct cu_buf *mem, char allow[64])
{
    struct cu_buf list = cu_buf_over(allow, 63);
    struct cu_http_request found = *ret;

    for (size_t i = 0; i < n; i++) {
        if (!fits(&routes[i], path, &found, mem)) continue;
        found.route = &routes[i];
        if (is_method(&routes[i], method)) return *ret = found, CU_OK;
        cu_buf_addf(&list, "%s%s%s", list.n ? ", " : "", routes[i].method, strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    allow[list.n] = 0;
    return list.n ? CU_USAGE : CU_NOT_FOUND;
}

cu_status cu_http_query(const struct cu_http_request *r, const char *name, struct cu_buf *ret, bool *ret_there,
                        struct cu_err *err)
{
    struct cu_span value;

    *ret_there = cu_query_find(r->query, name, &value);
    if (!*ret_there) return CU_OK;
    const cu_status read = cu_percent_read(value, true, ret, err);
    if (read != CU_OK) return cu_fail_while(err, read, "?%s=", name);
    ENSURE(cu_utf8_ok(cu_buf_span(ret)), err, CU_MALFORMED, "?%s= is not UTF-8", name);
    return CU_OK;
}

/* ---- a problem ---- */

void cu_http_problem(unsigned http, cu_status status, const char *text, struct cu_buf *out)
{
    struct cu_json j = cu_json_on(out);
    char type[100];

    snprintf(type, sizeof type, "/v1/problems#%s", cu_status_name(status));
    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "type", type);
    cu_json_str(&j, "title", cu_status_text(status));
    cu_json_uint(&j, "status", http ? http : (unsigned)cu_status_http(status));
    cu_json_text(&j, "detail", cu_span_str(text[0] ? text : cu_status_text(status)));
    cu_json_str(&j, "code", cu_status_name(status));
    cu_json_int(&j, "exit", cu_status_exit(status));
    cu_json_bool(&j, "retry", cu_status_retry(status));
    cu_json_close(&j, '}');
    cu_buf_add_str(out, "\n");
}
