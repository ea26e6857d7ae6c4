/* Processes that share a folder and are killed without warning: one writes at a time, and what one of them acknowledged the next one has. */
#include "../toy_machine.h"

#include "adapters/posix/posix.h"
#include "engine/embedded/embedded.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { RECORDS = 4000, ROUNDS = 40 };

static struct toy_records records;
static struct cu_private_key log_key;
static char root[512];
static struct cu_err error;
#define OK(call)                                                                          \
    do {                                                                                  \
        cu_status ok_ = (call);                                                           \
        if (ok_ != CU_OK) fail_msg("%s: %s: %s", #call, cu_status_name(ok_), error.text); \
    } while (0)

struct place {
    struct cu_fs fs;
    struct toy *toy;
    struct cu_embedded_config config;
    struct cu_engine engine;
};

static void configure(struct place *p, unsigned workers)
{
    OK(cu_posix_fs(root, &p->fs, &error));
    p->config = (struct cu_embedded_config){
        .fs = &p->fs,
        .lock = "node/lock",
        .journal = "node/journal",
        .log = { "node/log", "cloud/log" },
        .journal_bytes = 262144,
        .clock = cu_posix_clock(),
        .origin = cu_span_str("toy"),
        .log_key = &log_key,
        .workers = workers,
    };
}

static cu_status open_place(struct place *p)
{
    cu_status status = p->fs.ops->lock(p->fs.self, p->config.lock, 0, &p->config.held, &error);
    if (status != CU_OK) return status;
    p->toy = toy_open(&p->fs); /* under the lock: the other process may be saving it */
    p->config.machine = toy_machine(p->toy);
    status = cu_embedded_open(&p->config, &p->engine, &error);
    if (status != CU_OK) toy_close(p->toy);
    return status;
}

struct word {
    uint32_t record, seq;
};

/* A child: waits for its turn, submits from `first` on, tells each acknowledgement, until it is killed. Never returns. */
static void live(uint32_t first, int tell, unsigned workers)
{
    struct place p;
    cu_status status;

    configure(&p, workers);
    while ((status = open_place(&p)) == CU_BUSY) usleep(500);
    if (status != CU_OK) fprintf(stderr, "opening: %s: %s\n", cu_status_name(status), error.text), _exit(2);
    for (uint32_t i = first; i < RECORDS; i++) {
        struct cu_span span = cu_buf_span(&records.bytes[i]);
        struct cu_outcome out;
        if (p.engine.submit(p.engine.self, &span, 1, &out, &error) != CU_OK) _exit(3);
        struct word word = { i, (uint32_t)out.seq.v };
        if (write(tell, &word, sizeof word) != sizeof word) _exit(4);
        if (i % 7 == 0 && p.engine.drain(p.engine.self, &error) != CU_OK) _exit(5);
    }
    _exit(p.engine.close(p.engine.self, &error) == CU_OK ? 0 : 6);
}

static void what_a_killed_process_acknowledged_the_next_one_has(void **state)
{
    static uint64_t seq[RECORDS];
    static bool acknowledged[RECORDS];
    struct place p;
    int told[2];
    uint32_t met = 0;
    (void)state;

    configure(&p, 0);
    OK(cu_embedded_create(&p.config, &error));
    for (int round = 0; round < ROUNDS; round++) {
        pid_t child[2];
        struct word word;
        assert_int_equal(pipe(told), 0);
        for (uint32_t i = 0; i < 2; i++)
            if ((child[i] = fork()) == 0) live((uint32_t)(round * 50) % (RECORDS / 2) + i * RECORDS / 2, told[1], round % 3);
        close(told[1]);
        usleep((useconds_t)(20000 + round * 7777 % 150000));
        for (int i = 0; i < 2; i++) {
            int how = 0;
            kill(child[i], SIGKILL);
            waitpid(child[i], &how, 0);
            if (WIFEXITED(how) && WEXITSTATUS(how) != 0) fail_msg("round %d: a child ended with %d", round, WEXITSTATUS(how));
        }
        while (read(told[0], &word, sizeof word) == sizeof word) {
            assert_true(!acknowledged[word.record] || seq[word.record] == word.seq);
            acknowledged[word.record] = true;
            seq[word.record] = word.seq;
        }
        close(told[0]);
    }

    OK(open_place(&p));
    for (uint32_t i = 0; i < RECORDS; i++) {
        struct cu_span span = cu_buf_span(&records.bytes[i]);
        struct cu_outcome out;
        if (!acknowledged[i]) continue;
        OK(p.engine.submit(p.engine.self, &span, 1, &out, &error));
        assert_int_equal(out.status, CU_DUPLICATE);
        assert_int_equal(out.seq.v, seq[i]);
        met++;
    }
    print_message("%u records acknowledged by %d killed processes\n", met, 2 * ROUNDS);
    assert_true(met > 100);
    OK(p.engine.close(p.engine.self, &error));
    toy_close(p.toy);
    p.fs.ops->close(p.fs.self);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "%s/kill-XXXXXX", TEST_BINARY_DIR);
    records = toy_records(RECORDS, 300, 0);
    return mkdtemp(root) == NULL || cu_private_generate(CU_ALG_EDDSA, &log_key, &error) != CU_OK;
}

static int tear_down(void **state)
{
    char command[600];
    (void)state;
    toy_records_free(&records);
    cu_private_free(&log_key);
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_a_killed_process_acknowledged_the_next_one_has) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
