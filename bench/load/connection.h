/* One connection of the load generator, blocking. */
#ifndef CONNECTION_H
#define CONNECTION_H
#include "imapbench.h"
#include <openssl/evp.h>

typedef struct {
    int fd;
    SSL *ssl;
    char *buf; int cap, len, pos;
    unsigned seq;
    double sent_at;
    Pace pace;
} Client;

void c_prepare(void); /* once, before all others */
void c_open(Client *c, int capacity);
void c_close(Client *c);
int c_read(Client *c, char *p, int n);
void c_write(Client *c, const char *p, long n);

/* One line, without literal bytes: its length; *literal is the size of the one that it announces, or -1. */
int c_line(Client *c, char **line, long *literal);

/* Wait for the tagged answer, or (with `go_on`) for a continuation: the literal bytes seen. Dies on NO and BAD. */
long c_tagged(Client *c, const char *tag, EVP_MD_CTX *digest, int go_on);
long c_cmd(Client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void c_greeted(Client *c);
void c_login(Client *c, const char *box); /* and select the box, if there is one */
void c_bye(Client *c);
#endif
