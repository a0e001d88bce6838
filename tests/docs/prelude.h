#ifndef HOLDFAST_DOCS_PRELUDE_H
#define HOLDFAST_DOCS_PRELUDE_H

// What the example of holdfast-sdk(3) in C takes for granted.

#include <err.h>
#include <holdfast.h>

extern void *server, *database;
int stop_accepting(int64_t remaining_usec, void* server);
int close_database(void* database);

#endif
