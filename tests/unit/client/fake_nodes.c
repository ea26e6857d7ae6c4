#include "fake_nodes.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct fake_node nodes[NODES_MAX];

static bool take_request(struct fake_node *node, int fd, char bytes[1 << 16])
{
    size_t n = 0, want = SIZE_MAX;
    ssize_t more;

    while (n < want && (more = recv(fd, bytes + n, (1 << 16) - 1 - n, 0)) > 0) {
        n += (size_t)more;
        bytes[n] = 0;
        const char *end = strstr(bytes, "\r\n\r\n"), *length = strstr(bytes, "Content-Length: ");
        if (end) want = (size_t)(end + 4 - bytes) + (length ? strtoul(length + 16, NULL, 10) : 0);
    }
    if (n < want) return false;
    const size_t at = node->asked < SAYS ? node->asked : SAYS - 1;
    snprintf(node->head[at], sizeof *node->head, "%.999s", bytes);
    node->body_n[at] = n - (size_t)(strstr(bytes, "\r\n\r\n") + 4 - bytes);
    return true;
}

static void answer(struct fake_node *node, int fd, const char *bytes)
{
    const bool looks = node->checkpoint && strncmp(bytes, "GET /checkpoint ", 16) == 0;
    const char *say = looks ? node->checkpoint : node->says[node->asked < SAYS ? node->asked : SAYS - 1];
    const bool half = strncmp(say, "2--", 3) == 0;
    const size_t n = strlen(say + 4);
    char head[200];

    atomic_fetch_add(looks ? &node->looked : &node->asked, 1);
    const int head_n = snprintf(head, sizeof head, "HTTP/1.1 %.3s x\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
                                half ? "206" : say, n);
    (void)!send(fd, head, (size_t)head_n, MSG_NOSIGNAL);
    (void)!send(fd, say + 4, half ? n / 2 : n, MSG_NOSIGNAL);
}

static void *serve(void *arg)
{
    struct fake_node *node = arg;
    char *bytes = malloc(1 << 16);
    int fd;

    while (bytes && (fd = accept(node->listening, NULL, NULL)) >= 0) {
        node->talking = fd;
        if (!node->ending && take_request(node, fd, bytes)) answer(node, fd, bytes);
        node->talking = 0;
        close(fd);
    }
    free(bytes);
    return NULL;
}

void nodes_start(size_t n)
{
    memset(nodes, 0, sizeof nodes);
    for (size_t i = 0; i < n; i++) {
        struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        socklen_t size = sizeof at;
        nodes[i].listening = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(nodes[i].listening, (struct sockaddr *)&at, size), 0);
        assert_int_equal(listen(nodes[i].listening, 8), 0);
        assert_int_equal(getsockname(nodes[i].listening, (struct sockaddr *)&at, &size), 0);
        snprintf(nodes[i].url, sizeof nodes[i].url, "http://127.0.0.1:%u", ntohs(at.sin_port));
        assert_int_equal(pthread_create(&nodes[i].thread, NULL, serve, &nodes[i]), 0);
    }
}

void node_end(size_t i)
{
    nodes[i].ending = true;
    shutdown(nodes[i].listening, SHUT_RDWR);
    if (nodes[i].talking) shutdown(nodes[i].talking, SHUT_RDWR);
    pthread_join(nodes[i].thread, NULL);
    close(nodes[i].listening);
    nodes[i].url[0] = 0;
}

void nodes_stop(void)
{
    for (size_t i = 0; i < NODES_MAX; i++)
        if (nodes[i].url[0]) node_end(i);
}

void node_says(size_t i, size_t from, const char *what)
{
    while (from < SAYS) nodes[i].says[from++] = what;
}
