/* Message bodies: text and base64 out of two pools that are the same in every run. */
#include "imapbench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BURST (8L << 20)

static const char A[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const char *const box_names[BOXES] = {"inbox", "big", "small", "huge"};
const long box_sizes[BOXES] = {2000, 1048576, 30000, 1L << 30};
const int box_numbers[BOXES] = {1000, 25, 834, 1};
char *pool_b64, *pool_txt;

static uint64_t step(uint64_t *s) {
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

void make_pools(void) {
    uint64_t s = 88172645463325252ull;
    char words[2000][12];
    pool_b64 = malloc(POOL + 256);
    pool_txt = malloc(POOL + 256);
    for (unsigned i = 0; i < POOL; i++) {
        unsigned c = i % 78;
        pool_b64[i] = c < 76 ? A[step(&s) & 63] : c == 76 ? '\r' : '\n';
    }
    for (int w = 0; w < 2000; w++) {
        int n = 2 + step(&s) % 9;
        for (int k = 0; k < n; k++) words[w][k] = 'a' + step(&s) % 26;
        words[w][n] = 0;
    }
    for (unsigned i = 0, col = 0; i < POOL;) {
        unsigned r = step(&s) % 2000;
        r = r * (step(&s) % 2000) / 2000; /* skewed, so that it compresses like text */
        int n = strlen(words[r]);
        if (col + n + 1 > 74) {
            pool_txt[i++] = '\r';
            pool_txt[i++] = '\n';
            col = 0;
        }
        memcpy(pool_txt + i, words[r], n);
        i += n;
        pool_txt[i++] = ' ';
        col += n + 1;
    }
}

int make_head(char *h, int uid, const char *box, const char *stamp) {
    /* The stamp makes every body another one: a recorder that stores equal bodies once would have little to do. */
    return snprintf(h, HEAD_MAX,
        "Return-Path: <sender%d@example.org>\r\nDate: Mon, 02 Feb 2026 10:00:00 +0000\r\n"
        "From: Sender %d <sender%d@example.org>\r\nTo: user@example.org\r\nSubject: Message %d of %s\r\n"
        "Message-ID: <%d.%s.%s@bench.example.org>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n\r\n", uid, uid, uid, uid, box, uid, box, stamp);
}

void body_part(char *out, int box, int uid, long offset, long length) {
    const char *pool = box == BIG || box == HUGE_BOX ? pool_b64 : pool_txt;
    long start = ((long)uid * 78 * 131 + offset) % (POOL - PART);
    memcpy(out, pool + start, length);
    if (box == HUGE_BOX && length >= 20) { /* or it would repeat itself */
        char mark[24];
        memcpy(out, mark, snprintf(mark, sizeof mark, "%018lx", offset));
    }
}

void random_base64(char *out, long length, uint64_t *state) {
    for (long i = 0; i < length; i++) {
        int c = i % 78;
        out[i] = c < 76 ? A[step(state) & 63] : c == 76 ? '\r' : '\n';
    }
}

void pace(Pace *p, long bytes, double rate) {
    if (!p->began) p->began = now();
    p->bytes += bytes;
    p->burst += bytes;
    if (rate <= 0 || p->burst < BURST) return;
    p->burst = 0;
    double ahead = p->bytes / (rate * 1e6) - (now() - p->began);
    if (ahead > 0) {
        struct timespec t = {.tv_sec = (time_t)ahead, .tv_nsec = (long)((ahead - (time_t)ahead) * 1e9)};
        nanosleep(&t, NULL);
    }
}
