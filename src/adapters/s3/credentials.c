/* Who we are to the store: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), else the file that the address names. */
#include "adapters/s3/inside.h"
#include "custody/text.h"

#include <stdio.h>
#include <stdlib.h>

static bool keep(const char *text, size_t n, char *ret, size_t max)
{
    if (n == 0 || n >= max) return false;
    memcpy(ret, text, n);
    ret[n] = 0;
    return true;
}

static bool from_environment(struct s3 *s)
{
    const char *key = getenv("AWS_ACCESS_KEY_ID"), *secret = getenv("AWS_SECRET_ACCESS_KEY"),
               *token = getenv("AWS_SESSION_TOKEN");

    if (!key || !secret || !keep(key, strlen(key), s->key, sizeof s->key) ||
        !keep(secret, strlen(secret), s->secret, sizeof s->secret))
        return false;
    return !token || !*token || keep(token, strlen(token), s->token, sizeof s->token);
}

/* "name = value" of the first section. */
static bool take_line(struct s3 *s, struct cu_span line)
{
    static const char blanks[] = " \t\r\n";
    char text[5000];
    const struct {
        const char *name;
        char *to;
        size_t max;
    } rows[] = { { "aws_access_key_id", s->key, sizeof s->key },
                 { "aws_secret_access_key", s->secret, sizeof s->secret },
                 { "aws_session_token", s->token, sizeof s->token } };
    bool good = true;

    if (!keep((const char *)line.p, line.n, text, sizeof text)) return line.n == 0;
    const char *name = text + strspn(text, blanks), *value = strchr(name, '=');
    for (size_t i = 0; value && i < sizeof rows / sizeof *rows; i++) {
        const size_t n = strlen(rows[i].name);
        if (strncmp(name, rows[i].name, n) != 0 || name[n + strspn(name + n, blanks)] != '=' || rows[i].to[0]) continue;
        const char *begin = value + 1 + strspn(value + 1, blanks);
        good = keep(begin, strcspn(begin, blanks), rows[i].to, rows[i].max);
    }
    cu_wipe(text, sizeof text);
    return good;
}

static bool from_file(struct s3 *s)
{
    uint8_t bytes[16384];
    FILE *f = fopen(s->address.credentials, "re");
    struct cu_span text, line;
    bool good = f != NULL;

    text = cu_span(bytes, f ? fread(bytes, 1, sizeof bytes, f) : 0);
    if (f) (void)fclose(f);
    while (good && text.n) {
        if (!cu_span_split(&text, '\n', &line)) line = text, text = CU_SPAN_EMPTY;
        good = take_line(s, line);
    }
    cu_wipe(bytes, sizeof bytes);
    return good && s->key[0] && s->secret[0];
}

cu_status s3_credentials(struct s3 *s, struct cu_err *err)
{
    if (from_environment(s)) return CU_OK;
    ENSURE(s->address.credentials[0], err, CU_NOT_ALLOWED,
           "the bucket %s asks who we are: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a file in its address "
           "(credentials=/PATH)",
           s->address.bucket);
    s->key[0] = s->secret[0] = s->token[0] = 0;
    ENSURE(from_file(s), err, CU_NOT_ALLOWED,
           "%s: it has no lines aws_access_key_id = … and aws_secret_access_key = …, so the bucket %s cannot be asked",
           s->address.credentials, s->address.bucket);
    return CU_OK;
}
