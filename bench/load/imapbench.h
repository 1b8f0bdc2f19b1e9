/* What the load generator's client and the upstream have in common. */
#ifndef IMAPBENCH_H
#define IMAPBENCH_H
#define _GNU_SOURCE
#include <openssl/ssl.h>
#include <stdint.h>

/* options */
extern const char *o_host, *o_cert, *o_key, *o_ca, *o_mix, *o_box, *o_user, *o_pass;
extern int o_port, o_plain, o_conns, o_count, o_repeat, o_size, o_plus, o_login, o_uid, o_random, o_busy, o_wait;
extern double o_rate;

/* imapbench.c */
double now(void);
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* bodies.c: message bodies, the same in every run but for their stamps. Message sizes and numbers are those of the boxes. */
enum { INBOX, BIG, SMALL, HUGE_BOX, BOXES };
#define POOL (4u << 20)
#define PART 65536 /* a body is made in parts of so many bytes at most */
extern char *pool_b64, *pool_txt;
extern const char *const box_names[BOXES];
extern const long box_sizes[BOXES];
extern const int box_numbers[BOXES];
void make_pools(void);
int make_head(char *head, int uid, const char *box, const char *stamp); /* up to HEAD_MAX bytes */
#define HEAD_MAX 640
void body_part(char *out, int box, int uid, long offset, long length);
void random_base64(char *out, long length, uint64_t *state);

/* A reader that takes what it likes at full speed, then pauses, so that it comes to `rate` MB/s on the whole. */
typedef struct { double began; long bytes, burst; } Pace;
void pace(Pace *p, long bytes, double rate);

int serve(void);
int run_client(const char *command);
#endif
