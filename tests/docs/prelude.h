#ifndef HOLDFAST_DOCS_PRELUDE_H
#define HOLDFAST_DOCS_PRELUDE_H

// Declarations that the C example of holdfast-sdk(3) uses.

#include <err.h>
#include <holdfast.h>

extern void *server, *database;
void start_server(void* server, int listener_fd);
int stop_accepting(int64_t remaining_usec, void* server);
int accept_again(int64_t remaining_usec, void* server);
int close_database(void* database);

#endif
