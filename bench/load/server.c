/* The upstream: an IMAP server that answers from memory, one thread, epoll. */
#include "server.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MOST (1 << 17)

static int ep;

static void set_events(Conn *c, int w) {
    if (w == c->want_write) return;
    c->want_write = w;
    struct epoll_event e = {.events = EPOLLIN | (w ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
}

static void conn_close(Conn *c) {
    epoll_ctl(ep, EPOLL_CTL_DEL, c->fd, NULL);
    if (c->ssl) {
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    close(c->fd);
    free(c->in);
    free(c->out);
    free(c);
}

/* Bytes read or written; 0 when that has to wait; -1 when the connection is gone. */
static int result(Conn *c, int r) {
    if (r > 0) return r;
    if (!c->ssl) return r < 0 && errno == EAGAIN ? 0 : -1;
    int e = SSL_get_error(c->ssl, r);
    return e == SSL_ERROR_WANT_WRITE || e == SSL_ERROR_WANT_READ ? 0 : -1;
}

static int conn_read(Conn *c, char *p) {
    ERR_clear_error();
    return result(c, c->ssl ? SSL_read(c->ssl, p, READ_MOST) : read(c->fd, p, READ_MOST));
}

static int conn_flush(Conn *c) { /* -1 gone, 0 has to wait, 1 all out */
    for (;;) {
        if (c->f_active) fetch_fill(c);
        int n = c->outlen - c->outoff;
        if (!n) {
            if (c->inlen && !c->f_active) {
                server_parse(c);
                if (c->outlen - c->outoff) continue;
            }
            return 1;
        }
        ERR_clear_error();
        int w = result(c, c->ssl ? SSL_write(c->ssl, c->out + c->outoff, n) : write(c->fd, c->out + c->outoff, n));
        if (w <= 0) return w;
        c->outoff += w;
        if (c->outoff == c->outlen) c->outoff = c->outlen = 0;
    }
}

static void accept_all(int ls, SSL_CTX *ctx) {
    for (int k = 0; k < 64; k++) {
        int fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK), one = 1;
        if (fd < 0) return;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        Conn *c = calloc(1, sizeof *c);
        c->fd = fd;
        c->handshaking = ctx != NULL;
        if (ctx) {
            c->ssl = SSL_new(ctx);
            SSL_set_fd(c->ssl, fd);
            SSL_set_accept_state(c->ssl);
        } else {
            outf(c, "* OK imapbench ready.\r\n");
            conn_flush(c);
        }
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    }
}

/* Read, parse, answer a few times. Returns 0 when the connection is gone. */
static int hear(Conn *c, char *buffer) {
    for (int k = 0; k < 16; k++) {
        if (c->outlen - c->outoff > 4 * STAGED || c->f_active) return 1;
        int r = conn_read(c, buffer);
        if (r <= 0) return r == 0;
        char *src = buffer;
        if (c->skip && !c->inlen) {
            long q = r < c->skip ? r : c->skip;
            c->skip -= q;
            src += q;
            r -= q;
            if (c->slow) pace(&c->pace, q, o_rate); /* all others wait too, which is no matter: there are none */
        }
        if (!r) continue;
        if (c->inlen + r > c->incap) {
            c->incap = c->inlen + r + 1024;
            c->in = realloc(c->in, c->incap);
        }
        memcpy(c->in + c->inlen, src, r);
        c->inlen += r;
        server_parse(c);
    }
    return 1;
}

static void shrink(Conn *c) {
    if (!c->inlen && c->incap > 8192) {
        free(c->in);
        c->in = NULL;
        c->incap = 0;
    }
    if (c->outcap > 16384) {
        free(c->out);
        c->out = NULL;
        c->outcap = c->outlen = c->outoff = 0;
    }
}

static void attend(Conn *c, char *buffer) {
    if (c->handshaking) {
        ERR_clear_error();
        int r = SSL_do_handshake(c->ssl), e = r == 1 ? 0 : SSL_get_error(c->ssl, r);
        if (e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE) return set_events(c, e == SSL_ERROR_WANT_WRITE);
        if (r != 1) return conn_close(c);
        c->handshaking = 0;
        outf(c, "* OK imapbench ready.\r\n");
    }
    if (!hear(c, buffer)) return conn_close(c);
    int f = conn_flush(c);
    if (f < 0 || (f == 1 && c->dead)) return conn_close(c);
    set_events(c, f == 0);
    if (f == 1) shrink(c);
}

static int listen_on(int port) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, o_host, &a.sin_addr);
    if (bind(s, (void *)&a, sizeof a) || listen(s, 4096)) die("cannot listen on %d: %s", port, strerror(errno));
    fcntl(s, F_SETFL, O_NONBLOCK);
    return s;
}

int serve(void) {
    make_pools();
    SSL_CTX *ctx = NULL;
    if (!o_plain) {
        ctx = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(ctx, o_cert) != 1) die("certificate");
        if (SSL_CTX_use_PrivateKey_file(ctx, o_key, SSL_FILETYPE_PEM) != 1) die("key");
        SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    }
    int ls = listen_on(o_port);
    ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = NULL}, ev[256];
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &e);
    char *buffer = malloc(READ_MOST);
    for (;;) {
        int n = epoll_wait(ep, ev, 256, -1);
        for (int i = 0; i < n; i++) {
            if (ev[i].data.ptr) attend(ev[i].data.ptr, buffer);
            else accept_all(ls, ctx);
        }
    }
}
