/* The IMAP of the upstream: as much as the load generator, and a client that looks around, will ask for. */
#include "server.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void out_room(Conn *c, int n) {
    if (c->outoff == c->outlen) c->outoff = c->outlen = 0;
    else if (c->outoff > c->outlen - c->outoff) {
        memmove(c->out, c->out + c->outoff, c->outlen - c->outoff);
        c->outlen -= c->outoff;
        c->outoff = 0;
    }
    if (c->outlen + n > c->outcap) {
        c->outcap = (c->outlen + n) * 2 > 4096 ? (c->outlen + n) * 2 : 4096;
        c->out = realloc(c->out, c->outcap);
    }
}

static void outp(Conn *c, const char *p, int n) {
    out_room(c, n);
    memcpy(c->out + c->outlen, p, n);
    c->outlen += n;
}

void outf(Conn *c, const char *fmt, ...) {
    char b[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(b, sizeof b, fmt, ap);
    va_end(ap);
    outp(c, b, n);
}

void fetch_fill(Conn *c) {
    while (c->f_active && c->outlen - c->outoff < STAGED) {
        if (c->f_uid > c->f_end) {
            outf(c, "%s OK Fetch completed.\r\n", c->tag);
            c->f_active = 0;
            return;
        }
        if (!c->f_body) {
            outf(c, "* %d FETCH (UID %d FLAGS (\\Seen))\r\n", c->f_uid, c->f_uid);
            c->f_uid++;
            continue;
        }
        if (c->f_off == 0) {
            char head[HEAD_MAX];
            c->f_size = box_sizes[c->box];
            c->f_off = make_head(head, c->f_uid, box_names[c->box], c->tag);
            outf(c, "* %d FETCH (UID %d FLAGS (\\Seen) BODY[] {%ld}\r\n", c->f_uid, c->f_uid, c->f_size);
            outp(c, head, c->f_off);
        }
        long n = c->f_size - c->f_off;
        if (n > PART) n = PART;
        out_room(c, n);
        body_part(c->out + c->outlen, c->box, c->f_uid, c->f_off, n);
        c->outlen += n;
        c->f_off += n;
        if (c->f_off == c->f_size) {
            outp(c, ")\r\n", 3);
            c->f_off = 0;
            c->f_uid++;
        }
    }
}

static void begin_fetch(Conn *c) {
    const char *a = c->arg;
    if (!strncasecmp(a, "FETCH ", 6)) a += 6;
    int lo = atoi(a), hi = lo, number = box_numbers[c->box];
    const char *col = strpbrk(a, ": ");
    if (col && *col == ':') hi = col[1] == '*' ? number : atoi(col + 1);
    c->f_uid = lo;
    c->f_end = hi > number ? number : hi;
    c->f_off = 0;
    c->f_body = strcasestr(a, "BODY") != NULL;
    c->f_active = 1;
}

static void select_box(Conn *c) {
    c->box = INBOX;
    for (int i = BIG; i < BOXES; i++)
        if (strcasestr(c->arg, box_names[i])) c->box = i;
    int n = box_numbers[c->box];
    outf(c, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n* %d EXISTS\r\n* 0 RECENT\r\n"
        "* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT %d] ok\r\n%s OK [READ-WRITE] Select completed.\r\n", n, n + 1, c->tag);
}

static int is(const Conn *c, const char *name) { return !strcasecmp(c->cmd, name); }

static void run_cmd(Conn *c) {
    if (is(c, "NOOP")) outf(c, "%s OK NOOP completed.\r\n", c->tag);
    else if (is(c, "UID") || is(c, "FETCH")) begin_fetch(c);
    else if (is(c, "CAPABILITY")) outf(c, "* CAPABILITY IMAP4rev1 LITERAL+ IDLE UIDPLUS AUTH=PLAIN\r\n%s OK done.\r\n", c->tag);
    else if (is(c, "LOGIN") || is(c, "AUTHENTICATE"))
        outf(c, "%s OK [CAPABILITY IMAP4rev1 LITERAL+ IDLE UIDPLUS] Logged in\r\n", c->tag);
    else if (is(c, "SELECT") || is(c, "EXAMINE")) select_box(c);
    else if (is(c, "APPEND")) outf(c, "%s OK [APPENDUID 1 42] Append completed.\r\n", c->tag);
    else if (is(c, "IDLE")) { outp(c, "+ idling\r\n", 10); c->idling = 1; }
    else if (is(c, "LOGOUT")) { outf(c, "* BYE Logging out\r\n%s OK Logout completed.\r\n", c->tag); c->dead = 1; }
    else if (is(c, "LIST") || is(c, "LSUB")) outf(c, "* LIST () \"/\" INBOX\r\n%s OK List completed.\r\n", c->tag);
    else outf(c, "%s BAD Unknown command.\r\n", c->tag);
}

/* Whether this line announces a literal: its bytes are then skipped, and the command goes on behind them. */
static int announces(Conn *c, const char *s, int n) {
    if (n <= 2 || s[n - 1] != '}') return 0;
    int q = n - 2, plus = s[q] == '+';
    if (plus) q--;
    int e = q;
    while (q >= 0 && s[q] >= '0' && s[q] <= '9') q--;
    if (q < 0 || s[q] != '{' || q == e) return 0;
    c->skip = atol(s + q + 1);
    c->slow = !strncasecmp(c->arg, "slow", 4);
    memset(&c->pace, 0, sizeof c->pace);
    c->cont = 1;
    if (!plus) outp(c, "+ OK\r\n", 6);
    return 1;
}

void server_parse(Conn *c) {
    int p = 0;
    while (p < c->inlen && !c->f_active) {
        if (c->skip) {
            long n = c->inlen - p;
            if (n > c->skip) n = c->skip;
            c->skip -= n;
            p += n;
            continue;
        }
        char *nl = memchr(c->in + p, '\n', c->inlen - p);
        if (!nl) break;
        char *s = c->in + p;
        int n = nl - s;
        p = nl - c->in + 1;
        if (n && s[n - 1] == '\r') n--;
        if (c->idling) {
            c->idling = 0;
            outf(c, "%s OK Idle completed.\r\n", c->tag);
            continue;
        }
        if (!c->cont) {
            char line[400];
            int k = n < 399 ? n : 399;
            memcpy(line, s, k);
            line[k] = 0;
            c->tag[0] = c->cmd[0] = c->arg[0] = 0;
            sscanf(line, "%63s %31s %255[^\n]", c->tag, c->cmd, c->arg);
        }
        c->cont = 0;
        if (!announces(c, s, n)) run_cmd(c);
    }
    if (p) {
        memmove(c->in, c->in + p, c->inlen - p);
        c->inlen -= p;
    }
    if (c->f_active) fetch_fill(c);
}
