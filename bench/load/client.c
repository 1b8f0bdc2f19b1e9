/* The load generator: each command prints one line of JSON. */
#include "connection.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#define AT_ONCE 8 /* connections that are opened at the same time */

/* ---------- many ---------- */
static Client *clients;
static int next_client, capacity;
static const char *first_box;

static void *open_some(void *arg) {
    (void)arg;
    for (;;) {
        int i = __sync_fetch_and_add(&next_client, 1);
        if (i >= o_conns) return NULL;
        c_open(&clients[i], capacity);
        c_login(&clients[i], first_box);
    }
}

static double open_all(int buffer, const char *box) {
    pthread_t th[AT_ONCE];
    double began = now();
    clients = calloc(o_conns, sizeof *clients);
    capacity = buffer;
    first_box = box;
    for (int i = 0; i < AT_ONCE; i++) pthread_create(&th[i], NULL, open_some, NULL);
    for (int i = 0; i < AT_ONCE; i++) pthread_join(th[i], NULL);
    return now() - began;
}

static void ready(double secs) {
    printf("READY {\"setup_secs\":%.3f,\"conns\":%d}\n", secs, o_conns);
    fflush(stdout);
}

static void wait_for_line(void) { /* or for the end of stdin */
    char x = 0;
    while (x != '\n' && read(0, &x, 1) > 0) continue;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double own_cpu(void) {
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

static void tell_latencies(double secs, double *took, int n) {
    qsort(took, n, sizeof *took, ascending);
    printf("{\"secs\":%.6f,\"n\":%d,\"per_s\":%.1f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"client_cpu\":%.3f}\n",
        secs, n, n / secs, took[n / 2] * 1e6, took[(int)(n * .9)] * 1e6, took[(int)(n * .99)] * 1e6, own_cpu());
    fflush(stdout);
}

/* ---------- ping: small commands; on many connections at most o_busy of them at once, going round ---------- */
static void ping_send(Client *c, int i) {
    char b[64];
    int n;
    c->seq++;
    if (!strcmp(o_mix, "flags") || (!strcmp(o_mix, "mixed") && (c->seq & 1)))
        n = sprintf(b, "b%u UID FETCH %u (FLAGS)\r\n", c->seq, 1 + (c->seq * 7 + i) % 20);
    else n = sprintf(b, "b%u NOOP\r\n", c->seq);
    c->sent_at = now();
    c_write(c, b, n);
}

static void ping_one(Client *c, double *took) { /* blocking: the cleanest latency */
    char *l;
    long literal;
    for (int done = 0; done < o_count; done++) {
        ping_send(c, 0);
        int n;
        do n = c_line(c, &l, &literal);
        while (n < 3 || l[0] != 'b');
        took[done] = now() - c->sent_at;
    }
}

/* Take in what has come on a connection; how many answers that were (0 or 1: one command is in flight). */
static int ping_hear(Client *c) {
    int answers = 0;
    for (;;) {
        ERR_clear_error();
        int r = c_read(c, c->buf + c->len, c->cap - c->len);
        if (r <= 0) {
            if (c->ssl ? SSL_get_error(c->ssl, r) == SSL_ERROR_WANT_READ : r < 0 && errno == EAGAIN) return answers;
            die("connection lost");
        }
        c->len += r;
        char *nl;
        while ((nl = memchr(c->buf + c->pos, '\n', c->len - c->pos))) {
            answers += c->buf[c->pos] == 'b';
            c->pos = nl - c->buf + 1;
        }
        memmove(c->buf, c->buf + c->pos, c->len - c->pos);
        c->len -= c->pos;
        c->pos = 0;
    }
}

static void ping_many(double *took) {
    int e = epoll_create1(0), done = 0, sent = 0, turn = 0, *rest = malloc(sizeof *rest * (o_count + o_conns));
    struct epoll_event ev[64];
    for (int i = 0; i < o_conns; i++) {
        struct epoll_event x = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(e, EPOLL_CTL_ADD, clients[i].fd, &x);
        fcntl(clients[i].fd, F_SETFL, O_NONBLOCK);
        rest[i] = i; /* whose turn it is: whoever has rested longest */
    }
    int resting = o_conns, busy = o_busy && o_busy < o_conns ? o_busy : o_conns;
    for (; sent < busy && sent < o_count; sent++, turn++) ping_send(&clients[rest[turn]], rest[turn]);
    while (done < sent) {
        int n = epoll_wait(e, ev, 64, 20000);
        if (n <= 0) die("timeout: %d of %d answered", done, sent);
        for (int k = 0; k < n; k++) {
            Client *c = &clients[ev[k].data.u32];
            if (!ping_hear(c)) continue;
            took[done++] = now() - c->sent_at;
            rest[resting++] = ev[k].data.u32;
            if (sent < o_count) {
                ping_send(&clients[rest[turn]], rest[turn]);
                turn++;
                sent++;
            }
        }
    }
    for (int i = 0; i < o_conns; i++) fcntl(clients[i].fd, F_SETFL, 0);
}

static int ping(void) {
    double *took = malloc(sizeof *took * o_count), secs = open_all(16384, "small");
    if (o_conns == 1)
        for (int i = 0; i < 200; i++) c_cmd(&clients[0], "NOOP");
    if (o_wait) {
        ready(secs);
        wait_for_line();
    }
    double began = now();
    if (o_conns == 1) ping_one(&clients[0], took);
    else ping_many(took);
    tell_latencies(now() - began, took, o_count);
    if (o_wait) wait_for_line();
    for (int i = 0; i < o_conns; i++) c_bye(&clients[i]);
    return 0;
}

/* ---------- fetch and append: bodies ---------- */
static pthread_barrier_t start;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long all_bytes;
static double began, ended;

static void set_off(void) {
    if (pthread_barrier_wait(&start) == PTHREAD_BARRIER_SERIAL_THREAD) began = now();
}

static void account(long bytes) {
    pthread_mutex_lock(&lock);
    all_bytes += bytes;
    double t = now();
    if (t > ended) ended = t;
    pthread_mutex_unlock(&lock);
}

static void *fetch_thread(void *arg) {
    (void)arg;
    Client c;
    long bytes = 0;
    c_open(&c, 262144);
    c_login(&c, o_box);
    set_off();
    memset(&c.pace, 0, sizeof c.pace);
    for (int i = 0; i < o_repeat; i++) bytes += c_cmd(&c, "UID FETCH 1:* (UID FLAGS BODY.PEEK[])");
    account(bytes);
    c_bye(&c);
    return NULL;
}

static void append_body(Client *c, long id, int number, uint64_t *dice) {
    char head[HEAD_MAX], stamp[64], part[PART];
    sprintf(stamp, "%d.%ld.%d", getpid(), id, number);
    long done = make_head(head, id * 1000 + number, o_box, stamp);
    int kind = o_size > box_sizes[BIG] ? HUGE_BOX : o_size > 100000 ? BIG : SMALL;
    c_write(c, head, done);
    while (done < o_size) {
        long n = o_size - done < PART ? o_size - done : PART;
        if (o_random) random_base64(part, n, dice);
        else body_part(part, kind, id * o_count + number, done, n);
        c_write(c, part, n);
        done += n;
    }
    c_write(c, "\r\n", 2);
}

static void *append_thread(void *arg) {
    long id = (long)arg;
    uint64_t dice = 88172645463325252ull ^ ((uint64_t)getpid() << 20) ^ id;
    Client c;
    c_open(&c, 65536);
    c_login(&c, NULL);
    set_off();
    for (int i = 0; i < o_count; i++) {
        char h[128], tag[16];
        sprintf(tag, "a%u", ++c.seq);
        int n = sprintf(h, "%s APPEND %s {%d%s}\r\n", tag, o_box, o_size, o_plus ? "+" : "");
        c_write(&c, h, n);
        if (!o_plus) c_tagged(&c, tag, NULL, 1);
        append_body(&c, id, i, &dice);
        c_tagged(&c, tag, NULL, 0);
    }
    account((long)o_size * o_count);
    c_bye(&c);
    return NULL;
}

static int bulk(void *(*run)(void *)) {
    pthread_t th[256];
    pthread_barrier_init(&start, NULL, o_conns);
    make_pools();
    for (long i = 0; i < o_conns; i++) pthread_create(&th[i], NULL, run, (void *)i);
    for (int i = 0; i < o_conns; i++) pthread_join(th[i], NULL);
    printf("{\"secs\":%.6f,\"bytes\":%ld,\"mb_s\":%.1f,\"client_cpu\":%.3f}\n", ended - began, all_bytes,
        all_bytes / (ended - began) / 1e6, own_cpu());
    return 0;
}

/* ---------- idle, setup, verify ---------- */
static int idle(void) {
    double secs = open_all(4096, "INBOX");
    for (int i = 0; i < o_conns; i++) {
        c_write(&clients[i], "i1 IDLE\r\n", 9);
        c_tagged(&clients[i], "i1", NULL, 1);
    }
    ready(secs);
    wait_for_line();
    return 0;
}

static int left;

static void *setup_thread(void *arg) {
    double *took = arg;
    for (;;) {
        int i = __sync_sub_and_fetch(&left, 1);
        if (i < 0) return NULL;
        Client c;
        double t = now();
        c_open(&c, 4096);
        c_greeted(&c);
        if (o_login) c_cmd(&c, "LOGIN %s %s", o_user, o_pass);
        took[i] = now() - t;
        c_close(&c);
    }
}

static int setup(void) {
    pthread_t th[64];
    double *took = calloc(o_count, sizeof *took), t0 = now();
    left = o_count;
    for (int i = 0; i < o_conns; i++) pthread_create(&th[i], NULL, setup_thread, took);
    for (int i = 0; i < o_conns; i++) pthread_join(th[i], NULL);
    tell_latencies(now() - t0, took, o_count);
    return 0;
}

static int verify(void) {
    Client c;
    char b[128];
    unsigned char d[32];
    unsigned dl;
    c_open(&c, 65536);
    c_login(&c, o_box);
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    c_write(&c, b, sprintf(b, "v1 UID FETCH %d (UID BODY.PEEK[])\r\n", o_uid));
    long bytes = c_tagged(&c, "v1", digest, 0);
    EVP_DigestFinal_ex(digest, d, &dl);
    printf("{\"bytes\":%ld,\"sha256\":\"", bytes);
    for (int i = 0; i < 32; i++) printf("%02x", d[i]);
    printf("\"}\n");
    return 0;
}

int run_client(const char *m) {
    c_prepare();
    if (!strcmp(m, "ping")) return ping();
    if (!strcmp(m, "fetch")) return bulk(fetch_thread);
    if (!strcmp(m, "append")) return bulk(append_thread);
    if (!strcmp(m, "idle")) return idle();
    if (!strcmp(m, "setup")) return setup();
    if (!strcmp(m, "verify")) return verify();
    die("unknown command %s", m);
}
