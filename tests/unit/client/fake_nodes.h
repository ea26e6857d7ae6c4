/* Nodes that are sockets, told what to say. */
#ifndef CU_TESTS_FAKE_NODES_H
#define CU_TESTS_FAKE_NODES_H

#include "client/client.h"

#include <pthread.h>
#include <stdatomic.h>

enum { NODES_MAX = 3, SAYS = 8 };
struct fake_node {
    int listening;
    atomic_int talking; /* 0: to nobody */
    const char *says[SAYS]; /* one a request, the last again and again: "200 " and the body; "2-- ": the half of it, and then nothing more */
    const char *checkpoint; /* what it says to that question alone; NULL: as to all others */
    atomic_size_t asked, looked;
    size_t body_n[SAYS];
    char head[SAYS][1000], url[64];
    pthread_t thread;
    atomic_bool ending;
};
extern struct fake_node nodes[NODES_MAX];

void nodes_start(size_t n);
void node_end(size_t i); /* from now on nobody listens there */
void nodes_stop(void);
/* From `from` on it says that, again and again. */
void node_says(size_t i, size_t from, const char *what);

#endif
