// What the pages take for granted in C.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <holdfast.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

// One thread, one connection at a time, one response per connection; see examples/minimal/my_server.hpp.
struct server {
    int listener, wake;
    pthread_t thread;
};

static struct server the_server, *server = &the_server;
static void* database;

static const char* address(void) { return getenv("HELLO_ADDRESS"); }

static int close_database(void* user) {
    (void)user;
    return 0;
}

static void serve(int fd) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n";
    char request[4096] = {0};
    size_t size = 0;
    struct pollfd bytes = {.fd = fd, .events = POLLIN};
    while (size < sizeof request - 1 && strstr(request, "\r\n\r\n") == NULL && poll(&bytes, 1, 5000) > 0) {
        const ssize_t got = recv(fd, request + size, sizeof request - 1 - size, 0);
        if (got <= 0) break;
        size += (size_t)got;
    }
    if (strstr(request, "\r\n\r\n") != NULL) send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
    shutdown(fd, SHUT_WR);  // then read to the end: closing with unread bytes would reset the connection
    while (poll(&bytes, 1, 5000) > 0 && recv(fd, request, sizeof request, 0) > 0) continue;
    close(fd);
}

static void* accept_until_stopped(void* user) {
    const struct server* const self = user;
    for (;;) {
        struct pollfd fds[] = {{.fd = self->listener, .events = POLLIN}, {.fd = self->wake, .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[0].revents == 0 && fds[1].revents != 0) return NULL;
        fcntl(self->listener, F_SETFL, fcntl(self->listener, F_GETFL) | O_NONBLOCK);
        const int client = fds[0].revents == 0 ? -1 : accept(self->listener, NULL, NULL);
        if (client >= 0) serve(client);
    }
}

static int accept_again(int64_t remaining_usec, void* user) {
    struct server* const self = user;
    (void)remaining_usec;
    return -pthread_create(&self->thread, NULL, accept_until_stopped, self);
}

static int stop_accepting(int64_t remaining_usec, void* user) {
    struct server* const self = user;
    eventfd_t ignored;
    (void)remaining_usec;
    eventfd_write(self->wake, 1);
    pthread_join(self->thread, NULL);
    return eventfd_read(self->wake, &ignored);
}

static void start_server(struct server* self, int listener) {
    *self = (struct server){.listener = listener, .wake = eventfd(0, EFD_CLOEXEC)};
    accept_again(-1, self);
}
