#include "connection.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *ctx;

void c_prepare(void) {
    ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (o_ca) {
        if (SSL_CTX_load_verify_locations(ctx, o_ca, NULL) != 1) die("CA file");
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    }
}

int c_read(Client *c, char *p, int n) { return c->ssl ? SSL_read(c->ssl, p, n) : read(c->fd, p, n); }

void c_write(Client *c, const char *p, long n) {
    while (n) {
        int k = n > 262144 ? 262144 : n, w = c->ssl ? SSL_write(c->ssl, p, k) : write(c->fd, p, k);
        if (w <= 0) die("write failed: %s", strerror(errno));
        p += w;
        n -= w;
    }
}

void c_open(Client *c, int capacity) {
    memset(c, 0, sizeof *c);
    int one = 1;
    struct timeval patience = {.tv_sec = 60};
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(o_port)};
    inet_pton(AF_INET, o_host, &a.sin_addr);
    if (connect(c->fd, (void *)&a, sizeof a)) die("cannot connect to port %d: %s", o_port, strerror(errno));
    if (!o_plain) {
        c->ssl = SSL_new(ctx);
        SSL_set_fd(c->ssl, c->fd);
        SSL_set_tlsext_host_name(c->ssl, "localhost");
        if (o_ca) SSL_set1_host(c->ssl, "localhost");
        if (SSL_connect(c->ssl) != 1) die("no TLS with port %d: %s", o_port, strerror(errno));
    }
    c->cap = capacity;
    c->buf = malloc(capacity);
}

void c_close(Client *c) {
    if (c->ssl) {
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    close(c->fd);
    free(c->buf);
}

static void c_fill(Client *c) {
    int r = c_read(c, c->buf + c->len, c->cap - c->len);
    if (r <= 0) die("connection lost: %s", strerror(errno));
    c->len += r;
    pace(&c->pace, r, o_rate);
}

int c_line(Client *c, char **line, long *literal) {
    int scan = c->pos;
    for (;;) {
        char *nl = memchr(c->buf + scan, '\n', c->len - scan);
        if (nl) {
            *line = c->buf + c->pos;
            int n = nl - *line;
            c->pos = nl - c->buf + 1;
            if (n && (*line)[n - 1] == '\r') n--;
            *literal = -1;
            if (n > 2 && (*line)[n - 1] == '}') {
                int q = n - 2;
                while (q > 0 && (*line)[q] >= '0' && (*line)[q] <= '9') q--;
                if ((*line)[q] == '{') *literal = atol(*line + q + 1);
            }
            return n;
        }
        if (c->pos) {
            memmove(c->buf, c->buf + c->pos, c->len - c->pos);
            c->len -= c->pos;
            c->pos = 0;
        }
        scan = c->len;
        if (c->len == c->cap) die("line too long");
        c_fill(c);
    }
}

static void c_skip(Client *c, long n, EVP_MD_CTX *digest) {
    while (n) {
        if (c->pos == c->len) {
            c->pos = c->len = 0;
            c_fill(c);
        }
        long k = c->len - c->pos < n ? c->len - c->pos : n;
        if (digest) EVP_DigestUpdate(digest, c->buf + c->pos, k);
        c->pos += k;
        n -= k;
    }
}

long c_tagged(Client *c, const char *tag, EVP_MD_CTX *digest, int go_on) {
    long total = 0, literal;
    char *l;
    int tl = strlen(tag), mid = 0;
    for (;;) {
        int n = c_line(c, &l, &literal), within = mid;
        mid = literal >= 0;
        /* not the tagged line: it may tell times */
        if (digest && (within || n < tl + 1 || memcmp(l, tag, tl))) EVP_DigestUpdate(digest, l, n);
        if (literal >= 0) {
            total += literal;
            c_skip(c, literal, digest);
            continue;
        }
        if (within) continue;
        if (go_on && n && l[0] == '+') return total;
        if (n > tl && !memcmp(l, tag, tl) && l[tl] == ' ') {
            if (strncmp(l + tl + 1, "OK", 2)) die("server said: %.*s", n, l);
            return total;
        }
    }
}

long c_cmd(Client *c, const char *fmt, ...) {
    char b[1024], tag[64];
    int n = sprintf(tag, "a%d.%d.%u", getpid(), c->fd, ++c->seq);
    memcpy(b, tag, n);
    b[n++] = ' ';
    va_list ap;
    va_start(ap, fmt);
    n += vsnprintf(b + n, sizeof b - n - 2, fmt, ap);
    va_end(ap);
    memcpy(b + n, "\r\n", 2);
    c_write(c, b, n + 2);
    return c_tagged(c, tag, NULL, 0);
}

void c_bye(Client *c) {
    c_cmd(c, "LOGOUT");
    c_close(c);
}

void c_greeted(Client *c) {
    char *l;
    long literal;
    c_line(c, &l, &literal);
}

void c_login(Client *c, const char *box) {
    c_greeted(c);
    c_cmd(c, "LOGIN %s %s", o_user, o_pass);
    if (box) c_cmd(c, "SELECT %s", box);
}
