/* A connection of the upstream, and the IMAP that is spoken on it. */
#ifndef SERVER_H
#define SERVER_H
#include "imapbench.h"

#define STAGED 65536 /* bytes of a FETCH that are made ahead */

typedef struct {
    int fd, want_write, handshaking, dead;
    SSL *ssl;
    char *in; int inlen, incap;
    char *out; int outlen, outoff, outcap;
    int box;
    long skip;        /* literal bytes still to be skipped */
    int slow;         /* whether they are read slowly */
    Pace pace;
    int cont;         /* the line being read continues a command with literals */
    char tag[64], cmd[32], arg[256];
    int idling;
    int f_uid, f_end, f_body, f_active; long f_off, f_size;
} Conn;

void outf(Conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3))); /* say it */
void server_parse(Conn *c); /* read what has come in, and answer */
void fetch_fill(Conn *c);   /* go on with a FETCH as there is room */
#endif
