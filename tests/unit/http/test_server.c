/* The server by itself: what answers together may take of memory, and what happens when there is none. */
#include "custody/limits.h"
#include "http/server.h"

#include "../../one_of.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE (24U << 20)

/* ---- the n-th allocation of the process fails, whoever asks (where no sanitizer owns the allocator) ---- */
static _Atomic long left; /* 0: none fails */

#if !SANITIZED
extern void *__libc_malloc(size_t n), *__libc_calloc(size_t n, size_t size),
    *__libc_realloc(void *p, size_t n); // NOLINT: glibc's own names
static bool fails(void)
{
    long now = left;

    while (now > 0 && !atomic_compare_exchange_weak(&left, &now, now - 1)) continue;
    return now == 1;
}
void *malloc(size_t n) { return fails() ? NULL : __libc_malloc(n); }
void *calloc(size_t n, size_t size) { return fails() ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t n) { return fails() ? NULL : __libc_realloc(p, n); }
#endif

/* ---- a server of two routes ---- */

static cu_status give(void *context, struct cu_http_request *r, struct cu_http_answer *a, struct cu_err *err)
{
    (void)context, (void)err;
    if (r->body.n) cu_buf_add(&a->body, r->body);
    else memset(cu_buf_grow(&a->body, strcmp(r->route->path, "/large") == 0 ? LARGE : 5), 'x', 5);
    return CU_OK;
}

static const struct cu_http_route routes[] = {
    { "GET", "/large", give, "much", .act = CU_ASK_PUBLIC, .gives = "text/plain" },
    { "GET", "/small", give, "little", .act = CU_ASK_PUBLIC, .gives = "text/plain" },
    { "POST", "/echo", give, "the same", .act = CU_ASK_PUBLIC, .takes = { "text/plain" }, .takes_max = 100000,
      .gives = "text/plain" },
    { "GET", "/nobodys", give, "a row that names no act", .gives = "text/plain" },
};
static struct cu_http_server *server;
static struct cu_err err;

static int start(void **state)
{
    static void *const contexts[2];
    const struct cu_http_config config = {
        .address = "127.0.0.1", .routes = routes, .routes_n = 4, .workers = 2, .contexts = contexts
    };

    (void)state;
    assert_int_equal(cu_http_start(&config, &server, &err), CU_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    cu_http_stop(server, 1000);
    return 0;
}

static int ask(const char *method, const char *path, const char *body)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)cu_http_port(server)),
                                    .sin_addr = { htonl(INADDR_LOOPBACK) } };
    const struct timeval patience = { 20, 0 };
    char text[2000];
    const int fd = socket(AF_INET, SOCK_STREAM, 0), little = 4096;

    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    const int n = snprintf(text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n%s%s%s", method, path,
                           cu_http_port(server),
                           body[0] ? "Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n" : "\r\n", body,
                           body[0] ? "\r\n0\r\n\r\n" : "");
    (void)!send(fd, text, (size_t)n, MSG_NOSIGNAL);
    return fd;
}

/* The status, 0 when the connection was closed without one; with `whole` the end is waited for, and counted. */
static int status_of(int fd, size_t *ret_whole)
{
    char text[4096];
    ssize_t n = 0, more;

    while (n < 12 && (more = recv(fd, text + n, sizeof text - 1 - (size_t)n, 0)) > 0) n += more;
    text[n] = 0;
    *ret_whole = (size_t)n;
    const int status = n >= 12 ? atoi(text + 9) : 0;
    return status;
}

static int get(const char *method, const char *path, const char *body)
{
    size_t whole;
    const int fd = ask(method, path, body), status = status_of(fd, &whole);

    close(fd);
    return status;
}

static void answers_that_nobody_takes_are_bounded_together(void **state)
{
    enum { ALL = 12, MOST = CU_HTTP_ANSWERS / LARGE + 1 }; /* the last one let in may go beyond */
    int open[ALL], n = 0, served = 0;
    size_t whole;

    (void)state;
    for (; n < ALL; n++) {
        open[n] = ask("GET", "/large", "");
        const int status = status_of(open[n], &whole);
        assert_true(status == 200 || status == 503);
        served += status == 200;
    }
    assert_in_range(served, 2, MOST);
    assert_int_equal(get("GET", "/small", ""), 503);
    for (int i = 0; i < n; i++) close(open[i]);
    for (int i = 0; i < 100 && get("GET", "/small", "") != 200; i++) usleep(50000);
    assert_int_equal(get("GET", "/small", ""), 200);
    assert_int_equal(get("GET", "/large", ""), 200);
}

static void a_route_that_names_no_act_is_nobodys(void **state)
{
    (void)state;
    assert_int_equal(get("GET", "/nobodys", ""), 403);
}

/* Each allocation from the connection's first to its answer's last fails once: an answer, a refusal that says to come again, or no answer; and then
 * all is as before. */
static void without_memory_a_request_is_refused_and_the_next_is_served(void **state)
{
    bool reached = true;
    long n = 0;

    (void)state;
    if (SANITIZED) skip();
    while (reached) {
        left = ++n;
        const int status = get("POST", "/echo", "5\r\nhello");
        usleep(1000); /* what ends it may allocate, too */
        reached = left == 0;
        left = 0;
        if (status != 0 && status != 200 && status != 503 && status != 500) fail_msg("allocation %ld: %d", n, status);
        assert_int_equal(get("POST", "/echo", "5\r\nhello"), 200);
    }
    assert_true(n > 8);
    printf("# %ld allocations failed\n", n - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_that_names_no_act_is_nobodys),
        cmocka_unit_test(answers_that_nobody_takes_are_bounded_together),
        cmocka_unit_test(without_memory_a_request_is_refused_and_the_next_is_served),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
