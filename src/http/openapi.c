/* The table of routes as OpenAPI 3.1: what may be asked, by whom, in which form, and what comes back. */
#include "http/server.h"

#include "custody/json.h"
#include "custody/limits.h"
#include "custody/text.h"

#include <stdio.h>

/* What stands for a name wherever it is asked for: in a path, a query or a header. JSON Schema. */
#define NAME(max)                                             \
    "\"type\":\"string\",\"minLength\":1,\"maxLength\":" #max \
    ",\"pattern\":\"^[^\\\\u0000-\\\\u0020\\\\u007f./\\\\\\\\][^\\\\u0000-\\\\u001f\\\\u007f/\\\\\\\\]*$\""
#define WORDS "\"type\":\"string\",\"pattern\":\"^[^\\\\u0000-\\\\u001f\\\\u007f]*$\""
#define TEXT "\"type\":\"string\",\"minLength\":1,\"pattern\":\"^[^\\\\u0000-\\\\u001f\\\\u007f]*$\""
#define HEX64 "\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\""
#define NUMBER(min, max) "\"type\":\"integer\",\"minimum\":" #min ",\"maximum\":" #max
#define POSITION NUMBER(0, 9223372036854775807)
static const struct form {
    const char *name, *schema;
} forms[] = {
    { "id", NAME(256) },
    { "case", NAME(100) },
    { "number", NUMBER(1, 999999999999999) },
    { "claim", HEX64 },
    { "root", HEX64 },
    { "kid", HEX64 },
    { "size", POSITION },
    { "name", "\"type\":\"string\",\"pattern\":\"^[0-9A-Za-z][0-9A-Za-z.-]{0,99}$\"" },
    { "tile", "\"type\":\"string\",\"pattern\":\"^[0-9]{3}$\",\"description\":\"what stands there in C2SP tlog-tiles, its "
              "slashes as they are: x001/234, 0/000.p/7\"" },
    { "limit", NUMBER(0, 1000) },
    { "after", POSITION },
    { "entry", POSITION },
    { "wait", NUMBER(0, 60) },
    { "from", POSITION },
    { "path", TEXT },
    { "without", "\"const\":\"content\"" },
    { "reason", WORDS },
    { "authority", WORDS },
    { "q", TEXT },
    { "Tus-Resumable", "\"const\":\"1.0.0\"" },
    { "Upload-Offset", POSITION },
    { "Upload-Length", POSITION },
    { "Upload-Metadata", "\"type\":\"string\",\"pattern\":\"^claim [0-9A-Za-z+/]{85}[0-9A-Za-z+/=]{3}$\"" },
    { "Upload-Checksum", "\"type\":\"string\",\"anyOf\":[{\"pattern\":\"^sha256 [0-9A-Za-z+/]{43}=$\"},{\"pattern\":\"^sha1 "
                         "[0-9A-Za-z+/]{27}=$\"}]" },
    { "Location", "\"type\":\"string\",\"pattern\":\"^/v1/\"" },
};

static void put_raw(struct cu_json *j, const char *key, const char *inside)
{
    cu_json_open(j, key, '{');
    cu_buf_add_str(j->out, inside);
    cu_json_close(j, '}');
}

static const char *form_of(struct cu_span name)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (cu_span_is(name, forms[i].name)) return forms[i].schema;
    return "\"type\":\"string\"";
}

static bool next_word(struct cu_span *rest, struct cu_span *ret)
{
    while (rest->n && rest->p[0] == ' ') *rest = cu_span_from(*rest, 1);
    if (!cu_span_split(rest, ' ', ret)) *ret = *rest, *rest = CU_SPAN_EMPTY;
    return ret->n > 0;
}

/* ---- what is asked with ---- */

static void put_parameter(struct cu_json *j, struct cu_span name, struct cu_span form, const char *in, bool required,
                          const char *what)
{
    cu_json_open(j, NULL, '{');
    cu_json_text(j, "name", name);
    cu_json_str(j, "in", in);
    cu_json_bool(j, "required", required);
    if (what) cu_json_str(j, "description", what);
    put_raw(j, "schema", form_of(form));
    cu_json_close(j, '}');
}

static void put_parameters(struct cu_json *j, const struct cu_http_route *route)
{
    const bool tail = route->flags & CU_HTTP_TAIL;
    struct cu_span rest = cu_span_str(route->path), part, wants = cu_span_str(route->wants ? route->wants : "");

    cu_json_open(j, "parameters", '[');
    for (bool more = true; more;) {
        more = cu_span_split(&rest, '/', &part);
        if (!more) part = rest;
        if (part.n < 3 || part.p[0] != '{') continue;
        const struct cu_span name = cu_span(part.p + 1, part.n - 2);
        put_parameter(j, name, tail && !more ? cu_span_str("tile") : name, "path", true, NULL);
    }
    for (size_t i = 0; i < 4 && route->query[i].name; i++) {
        const struct cu_span name = cu_span_str(route->query[i].name);
        put_parameter(j, name, name, "query", cu_span_is(name, "q"), route->query[i].what);
    }
    while (next_word(&wants, &part)) {
        const bool optional = part.p[0] == '?';
        const struct cu_span name = cu_span_from(part, optional);
        put_parameter(j, name, name, "header", !optional, NULL);
    }
    cu_json_close(j, ']');
}

static void put_body(struct cu_json *j, const struct cu_http_route *route)
{
    if (!route->takes[0]) return;
    cu_json_open(j, "requestBody", '{');
    cu_json_bool(j, "required", true);
    cu_json_open(j, "content", '{');
    for (size_t i = 0; i < 2 && route->takes[i]; i++) put_raw(j, route->takes[i], "");
    cu_json_close(j, '}');
    cu_json_close(j, '}');
}

static void put_who(struct cu_json *j, const struct cu_http_route *route)
{
    cu_json_open(j, "security", '[');
    if (route->act != CU_ASK_PUBLIC) {
        cu_json_open(j, NULL, '{');
        cu_json_open(j, "certificate", '[');
        for (enum cu_peer_role role = CU_PEER_OPERATOR; role < CU_PEER_LOCAL; role++)
            if (cu_peer_may(role, route->act)) cu_json_str(j, NULL, cu_peer_role_name(role));
        cu_json_close(j, ']');
        cu_json_close(j, '}');
    }
    cu_json_close(j, ']');
}

/* ---- what comes back ---- */

/* One field of a shape: "entry", with '#' a number, '=' yes or no, '{}' an object, '[]' a list of objects, '[$]' of texts; "~" it may be null. */
static void put_field(struct cu_json *j, struct cu_span name, struct cu_span kind)
{
    const bool nullable = kind.n && kind.p[kind.n - 1] == '~';
    const uint8_t c = kind.n ? kind.p[0] : 0;
    const char *type = c == '#' ? "integer" : c == '=' ? "boolean" : c == '{' ? "object" : c == '[' ? "array" : "string";
    char key[64];

    snprintf(key, sizeof key, "%.*s", (int)name.n, (const char *)name.p);
    cu_json_open(j, key, '{');
    cu_json_open(j, "type", '[');
    cu_json_str(j, NULL, type);
    if (nullable) cu_json_str(j, NULL, "null");
    cu_json_close(j, ']');
    if (c == '[') put_raw(j, "items", cu_span_starts(kind, cu_span_str("[$]")) ? "\"type\":\"string\"" : "\"type\":\"object\"");
    cu_json_close(j, '}');
}

static struct cu_span field_name(struct cu_span word)
{
    size_t n = 0;

    while (n < word.n && !strchr("#={[~", word.p[n])) n++;
    return cu_span(word.p, n);
}

/* "entry# id ?reason": an object with these, more may come; what begins with '?' may be missing. */
static void put_object(struct cu_json *j, const char *key, const char *shape)
{
    struct cu_span rest = cu_span_str(shape), word;

    cu_json_open(j, key, '{');
    cu_json_str(j, "type", "object");
    cu_json_open(j, "properties", '{');
    while (next_word(&rest, &word)) {
        const struct cu_span name = field_name(cu_span_from(word, word.p[0] == '?'));
        put_field(j, name, cu_span_from(word, (size_t)(name.p - word.p) + name.n));
    }
    cu_json_close(j, '}');
    cu_json_open(j, "required", '[');
    for (rest = cu_span_str(shape); next_word(&rest, &word);)
        if (word.p[0] != '?') cu_json_text(j, NULL, field_name(word));
    cu_json_close(j, ']');
    cu_json_close(j, '}');
}

/* '*' before a shape: a list of these; '+': one, or a list. */
static void put_shape(struct cu_json *j, const char *shape)
{
    if (shape[0] == '*' || shape[0] == '+') {
        cu_json_open(j, "schema", '{');
        if (shape[0] == '+') {
            cu_json_open(j, "anyOf", '[');
            put_object(j, NULL, shape + 1);
            cu_json_open(j, NULL, '{');
        }
        cu_json_str(j, "type", "array");
        put_object(j, "items", shape + 1);
        if (shape[0] == '+') cu_json_close(j, '}'), cu_json_close(j, ']');
        cu_json_close(j, '}');
    } else put_object(j, "schema", shape);
}

static void put_heads(struct cu_json *j, const struct cu_http_route *route)
{
    struct cu_span rest = cu_span_str(route->heads ? route->heads : ""), name;

    if (!route->heads && !(route->flags & CU_HTTP_TUS)) return;
    cu_json_open(j, "headers", '{');
    for (bool tus = route->flags & CU_HTTP_TUS; tus || next_word(&rest, &name); tus = false) {
        char key[64];
        if (tus) name = cu_span_str("Tus-Resumable");
        snprintf(key, sizeof key, "%.*s", (int)name.n, (const char *)name.p);
        cu_json_open(j, key, '{');
        cu_json_bool(j, "required", true);
        put_raw(j, "schema", form_of(name));
        cu_json_close(j, '}');
    }
    cu_json_close(j, '}');
}

static void put_answer(struct cu_json *j, const struct cu_http_route *route, const char *http, bool body)
{
    cu_json_open(j, http, '{');
    cu_json_str(j, "description", route->summary);
    put_heads(j, route);
    if (body) {
        cu_json_open(j, "content", '{');
        cu_json_open(j, route->gives, '{');
        if (route->shape) put_shape(j, route->shape);
        cu_json_close(j, '}');
        cu_json_close(j, '}');
    }
    cu_json_close(j, '}');
}

static void put_answers(struct cu_json *j, const struct cu_http_route *route)
{
    char success[8];

    snprintf(success, sizeof success, "%u", route->success ? route->success : 200);
    cu_json_open(j, "responses", '{');
    put_answer(j, route, success, route->success != 204 && route->gives);
    if (route->also) {
        snprintf(success, sizeof success, "%u", route->also);
        put_answer(j, route, success, true);
    }
    if (route->flags & CU_HTTP_PARTS) put_answer(j, route, "206", true);
    put_raw(j, "304", "\"description\":\"as it was: the ETag that was shown is the newest\"");
    put_raw(j, "default", "\"$ref\":\"#/components/responses/problem\"");
    cu_json_close(j, '}');
}

static void put_route(struct cu_json *j, const struct cu_http_route *route)
{
    char method[8];
    size_t n = 0;

    for (const char *c = route->method; *c && n < sizeof method - 1; c++) method[n++] = (char)(*c | 0x20);
    method[n] = 0;
    cu_json_open(j, method, '{');
    cu_json_str(j, "summary", route->summary);
    put_who(j, route);
    put_parameters(j, route);
    put_body(j, route);
    put_answers(j, route);
    cu_json_close(j, '}');
}

/* ---- what all share ---- */

static void put_problem(struct cu_json *j)
{
#define NAME_OF(num, name, http, code, retry, text, zh) cu_json_str(j, NULL, #name);
    cu_json_open(j, "problem", '{');
    cu_json_str(j, "description", "RFC 9457; GET /v1/problems has what each code means");
    cu_json_open(j, "content", '{');
    cu_json_open(j, "application/problem+json", '{');
    cu_json_open(j, "schema", '{');
    cu_json_open(j, "allOf", '[');
    put_object(j, NULL, "type title status# detail code exit# retry=");
    cu_json_open(j, NULL, '{');
    cu_json_open(j, "properties", '{');
    cu_json_open(j, "code", '{');
    cu_json_open(j, "enum", '[');
    CU_STATUS_TABLE(NAME_OF)
    cu_json_close(j, ']');
    cu_json_close(j, '}');
    cu_json_close(j, '}');
    cu_json_close(j, '}');
    cu_json_close(j, ']');
    cu_json_close(j, '}');
    cu_json_close(j, '}');
    cu_json_close(j, '}');
    cu_json_close(j, '}');
#undef NAME_OF
}

cu_status cu_http_openapi(const struct cu_http_route *routes, size_t n, const char *title, const char *version,
                          struct cu_buf *out, struct cu_err *err)
{
    struct cu_json j = cu_json_on(out);

    cu_json_open(&j, NULL, '{');
    cu_json_str(&j, "openapi", "3.1.0");
    cu_json_open(&j, "info", '{');
    cu_json_str(&j, "title", title);
    cu_json_str(&j, "version", version);
    cu_json_close(&j, '}');
    cu_json_open(&j, "paths", '{');
    for (size_t i = 0; i < n; i++) { /* the methods of one path stand one after another in the table */
        if (i == 0 || strcmp(routes[i].path, routes[i - 1].path) != 0) cu_json_open(&j, routes[i].path, '{');
        put_route(&j, &routes[i]);
        if (i + 1 == n || strcmp(routes[i].path, routes[i + 1].path) != 0) cu_json_close(&j, '}');
    }
    cu_json_close(&j, '}');
    cu_json_open(&j, "components", '{');
    cu_json_open(&j, "responses", '{');
    put_problem(&j);
    cu_json_close(&j, '}');
    cu_json_open(&j, "securitySchemes", '{');
    put_raw(&j, "certificate",
            "\"type\":\"mutualTLS\",\"description\":\"a client certificate that a member's key vouches for; over plain HTTP from "
            "the same machine none is asked for. Readers of the log that cannot show one send a token (Authorization: Bearer)\"");
    cu_json_close(&j, '}');
    cu_json_close(&j, '}');
    cu_json_close(&j, '}');
    cu_buf_add_str(out, "\n");
    return cu_buf_ok(out, err);
}
