/* Deadlines. The library's own timeout is about silence: one byte a second would hold a connection for ever. So every connection stands in a
 * table with the moment by which something must be done: the end of the headers, the next piece of a body at a lowest rate, the taking
 * of an answer at the same. Who misses it is shut down. While we ourselves are at work there is none. */
#include "http/inside.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

int64_t cu_http_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t cu_http_wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int64_t time_for(uint64_t bytes) { return (int64_t)(bytes / (CU_HTTP_RATE / 1000)); }

void cu_http_deadline(struct cu_http_conn *c, uint64_t bytes)
{
    if (c) c->deadline = cu_http_now_ms() + CU_HTTP_GRACE_MS + time_for(bytes);
}

void cu_http_no_deadline(struct cu_http_conn *c)
{
    if (c) c->deadline = 0;
}

void cu_http_idle(struct cu_http_conn *c)
{
    if (c) c->deadline = cu_http_now_ms() + CU_HTTP_IDLE_MS;
}

void cu_http_moved(struct cu_http_conn *c, uint64_t bytes)
{
    if (!c) return;
    const int64_t latest = cu_http_now_ms() + CU_HTTP_GRACE_MS, next = c->deadline + time_for(bytes);
    c->deadline = next < latest ? next : latest;
    c->unsent = 0;
}

/* ---- the table ---- */

static void enter(struct cu_http_server *s, struct cu_http_conn *c)
{
    pthread_mutex_lock(&s->table);
    c->next = s->conns;
    c->at = &s->conns;
    if (c->next) c->next->at = &c->next;
    s->conns = c;
    s->conns_n++;
    pthread_mutex_unlock(&s->table);
}

static void leave(struct cu_http_server *s, struct cu_http_conn *c)
{
    pthread_mutex_lock(&s->table);
    *c->at = c->next;
    if (c->next) c->next->at = c->at;
    s->conns_n--;
    pthread_mutex_unlock(&s->table);
    cu_http_creds_drop(c->creds);
    free(c);
}

static void name_peer(struct cu_http_conn *c)
{
    struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
    socklen_t n = sizeof a;

    if (getpeername(c->fd, (struct sockaddr *)&a, &n) != 0) return;
    inet_ntop(a.ss_family,
              a.ss_family == AF_INET6 ? (void *)&((struct sockaddr_in6 *)&a)->sin6_addr
                                      : (void *)&((struct sockaddr_in *)&a)->sin_addr,
              c->from, sizeof c->from);
}

void cu_http_connected(void *server, struct MHD_Connection *connection, void **context, enum MHD_ConnectionNotificationCode what)
{
    struct cu_http_server *s = server;
    struct cu_http_conn *c = *context;

    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (c) leave(s, c);
        *context = NULL;
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    c = info ? calloc(1, sizeof *c) : NULL;
    if (!c) return; /* without a place in the table its requests are refused */
    c->fd = info->connect_fd;
    name_peer(c);
    c->creds = cu_http_creds_take(s);
    cu_http_deadline(c, 0);
    enter(s, c);
    *context = c;
}

/* Each address has one place, which another may take over when it asked for nothing lately: then nothing is owed there. In time that its requests
 * are worth, it may be two seconds ahead. */
bool cu_http_within_rate(struct cu_http_server *s, const char *from, unsigned weight)
{
    const int64_t now = cu_http_now_ms() * 1000;
    uint64_t at = 1469598103934665603ULL;

    if (!s->config.rate) return true;
    for (const char *c = from; *c; c++) at = (at ^ (uint8_t)*c) * 1099511628211ULL;
    pthread_mutex_lock(&s->table);
    struct cu_http_pace *p = &s->paces[at % CU_HTTP_PEERS];
    if (strcmp(p->from, from) != 0 && p->empty_at <= now) snprintf(p->from, sizeof p->from, "%s", from);
    if (p->empty_at < now) p->empty_at = now;
    const bool within = p->empty_at - now < 2000000;
    if (within) p->empty_at += INT64_C(1000000) * (weight ? weight : 1) / s->config.rate;
    pthread_mutex_unlock(&s->table);
    return within;
}

static void cut(struct cu_http_server *s, struct cu_http_conn *c)
{
    c->deadline = 0;
    s->cut++;
    shutdown(c->fd, SHUT_RDWR);
}

void cu_http_cut_all(struct cu_http_server *s)
{
    pthread_mutex_lock(&s->table);
    for (struct cu_http_conn *c = s->conns; c; c = c->next) cut(s, c);
    pthread_mutex_unlock(&s->table);
}

/* Megabytes of an answer may lie in the kernel: as long as they go out at the rate, it is being taken. */
static bool is_taken(struct cu_http_conn *c, int64_t now)
{
    int left = 0;

    if (ioctl(c->fd, SIOCOUTQ, &left) != 0 || left <= 0) return false;
    if (c->unsent && c->unsent - left < CU_HTTP_RATE / 1000 * CU_HTTP_GRACE_MS) return false;
    c->unsent = left;
    c->deadline = now + CU_HTTP_GRACE_MS;
    return true;
}

static void cut_late(struct cu_http_server *s, int64_t now)
{
    pthread_mutex_lock(&s->table);
    for (struct cu_http_conn *c = s->conns; c; c = c->next)
        if (c->deadline && c->deadline < now && !is_taken(c, now)) cut(s, c);
    pthread_mutex_unlock(&s->table);
}

void *cu_http_watch(void *server)
{
    struct cu_http_server *s = server;
    const struct timespec pause = { 0, CU_HTTP_TICK_MS * 1000000L };
    bool ending = false;

    while (!ending) {
        nanosleep(&pause, NULL);
        cut_late(s, cu_http_now_ms());
        pthread_mutex_lock(&s->lock);
        cu_http_unpark(s, false);
        ending = s->ending;
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}
