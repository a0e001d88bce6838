// HTTP/1.1 in C99 on holdfast.h, with a thread for each connection: `GET /` answers "OK", `/?ms=250` does so after
// 250 ms; `GET /bytes?n=1000` answers that many bytes, and `POST /count` the size of its body. Listens at HELLO_ADDRESS
// or :8080.
#define _GNU_SOURCE
#include <errno.h>
#include <holdfast.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { max_head = 16384, block_size = 65536, idle_max_ms = 75000, progress_ms = 30000, linger_ms = 1000 };
static const long long max_body = 64 << 20;

struct server {
    holdfast_worker* worker;
    int64_t keep_alive_min_ms;
    int cancelled;  // an eventfd: readable from the cancel on
};

struct connection {
    struct server* server;
    holdfast_session* session;
    int fd;
    int leaving;           // an eventfd: readable from the drain on
    char input[max_head];  // the beginning of the next request
    size_t size;
};

struct request {
    char method[16], target[256];
    long long body, n, ms;
    int closes;  // this is the last request of the connection
};

static int64_t now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Waits for the events on the connection. Returns 0 after the timeout and at the cancel.
static int wait_for(struct connection* connection, short events, int timeout_ms) {
    struct pollfd fds[] = {{.fd = connection->fd, .events = events},
                           {.fd = connection->server->cancelled, .events = POLLIN}};
    return poll(fds, 2, timeout_ms) > 0 && fds[1].revents == 0;
}

// Returns the number of bytes read, 0 if there will be no more.
static size_t read_some(struct connection* connection, char* bytes, size_t size) {
    if (!wait_for(connection, POLLIN, progress_ms)) return 0;
    const ssize_t got = recv(connection->fd, bytes, size, 0);
    return got < 0 ? 0 : (size_t)got;
}

static int write_all(struct connection* connection, const char* bytes, size_t size) {
    while (size > 0) {
        if (!wait_for(connection, POLLOUT, progress_ms)) return 0;
        const ssize_t sent = send(connection->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return 0;
        if (sent > 0) bytes += sent, size -= (size_t)sent;
    }
    return 1;
}

static int on_leave(void* connection) {
    return eventfd_write(((struct connection*)connection)->leaving, 1) < 0 ? -EIO : 0;
}

// The rules of keep_alive.hpp. Returns 0 when the idle connection has to be closed.
static int wait_for_request(struct connection* connection) {
    int64_t deadline = now_ms() + idle_max_ms;
    struct pollfd fds[] = {{.fd = connection->fd, .events = POLLIN},
                           {.fd = connection->leaving, .events = POLLIN},
                           {.fd = connection->server->cancelled, .events = POLLIN}};
    while (connection->size == 0) {
        const int64_t left = deadline - now_ms();
        if (left <= 0 && !holdfast_has_bytes(connection->fd)) return 0;
        if (poll(fds, 3, left > 0 ? (int)left : 0) < 0) continue;
        if (fds[2].revents != 0) return 0;
        if (fds[0].revents != 0) break;
        if (fds[1].revents != 0) {
            deadline = now_ms() + connection->server->keep_alive_min_ms;
            fds[1].fd = -1;
        }
    }
    return !holdfast_has_ended(connection->fd);
}

// Returns the size of the head with its empty line; 0 if it is longer than the buffer, -1 if the client has gone away.
static int read_head(struct connection* connection) {
    for (;;) {
        const char* const end = memmem(connection->input, connection->size, "\r\n\r\n", 4);
        if (end != NULL) return (int)(end - connection->input) + 4;
        if (connection->size == max_head) return 0;
        const size_t got = read_some(connection, connection->input + connection->size, max_head - connection->size);
        if (got == 0) return -1;
        connection->size += got;
    }
}

// Replaces the empty line at the end of the head by a terminator.
static int parse(char* head, int size, struct request* request) {
    head[size - 2] = '\0';
    if (sscanf(head, "%15s %255s", request->method, request->target) != 2) return 0;
    const char* const length = strcasestr(head, "\r\nContent-Length:");
    const char* const n = strstr(request->target, "?n=");
    const char* const ms = strstr(request->target, "?ms=");
    request->body = length == NULL ? 0 : atoll(length + strlen("\r\nContent-Length:"));
    request->n = n == NULL ? 0 : atoll(n + 3);
    request->ms = ms == NULL ? 0 : atoll(ms + 4);
    request->closes = strcasestr(head, "\r\nConnection: close") != NULL;
    return request->body >= 0;
}

static int skip_body(struct connection* connection, long long size) {
    char bytes[block_size];
    const size_t present = connection->size < (size_t)size ? connection->size : (size_t)size;
    memmove(connection->input, connection->input + present, connection->size -= present);
    for (size -= (long long)present; size > 0;) {
        const size_t got = read_some(connection, bytes, size < block_size ? (size_t)size : block_size);
        if (got == 0) return 0;
        size -= (long long)got;
    }
    return 1;
}

static int send_head(struct connection* connection, const char* status, long long size, int closes) {
    char head[256];
    const char* const worker = getenv("HOLDFAST_WORKER");
    const int length =
        snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Length: %lld\r\nX-Worker: %s.%d\r\n%s\r\n", status, size,
                 worker == NULL ? "0.0" : worker, (int)getpid(), closes ? "Connection: close\r\n" : "");
    return write_all(connection, head, (size_t)length);
}

static int send_block(struct connection* connection, long long size) {
    static char block[block_size];  // zeros
    for (; size > 0; size -= block_size)
        if (!write_all(connection, block, size < block_size ? (size_t)size : block_size)) return 0;
    return 1;
}

// Returns whether the connection stays open.
static int answer(struct connection* connection, const struct request* request) {
    char body[32] = "OK\n";
    if (request->body > max_body) {
        send_head(connection, "413 Content Too Large", 0, 1);
        return 0;
    }
    if (!skip_body(connection, request->body)) return 0;
    struct pollfd cancelled = {.fd = connection->server->cancelled, .events = POLLIN};
    if (request->ms > 0 && poll(&cancelled, 1, (int)request->ms) != 0) return 0;  // stands for work
    const int closes = request->closes || holdfast_draining(connection->server->worker);
    if (strncmp(request->target, "/bytes?", 7) == 0)
        return send_head(connection, "200 OK", request->n, closes) && send_block(connection, request->n) && !closes;
    if (strcmp(request->target, "/count") == 0) snprintf(body, sizeof body, "%lld", request->body);
    return send_head(connection, "200 OK", (long long)strlen(body), closes) &&
           write_all(connection, body, strlen(body)) && !closes;
}

// Returns whether the connection stays open.
static int serve_request(struct connection* connection) {
    struct request request;
    holdfast_request* counted;
    char name[280];
    const int head_size = read_head(connection);
    if (head_size == 0) send_head(connection, "431 Request Header Fields Too Large", 0, 1);
    if (head_size <= 0 || !parse(connection->input, head_size, &request)) return 0;
    memmove(connection->input, connection->input + head_size, connection->size -= (size_t)head_size);
    snprintf(name, sizeof name, "%s %s", request.method, request.target);
    if (holdfast_begin_request(connection->server->worker, name, &counted) < 0) return 0;
    const int stays = answer(connection, &request);
    holdfast_end_request(&counted);
    return stays;
}

static void* serve(void* argument) {
    struct connection* const connection = argument;
    char rest[block_size];
    while (wait_for_request(connection) && serve_request(connection)) continue;
    holdfast_half_close(connection->fd);
    const int64_t deadline = now_ms() + linger_ms;  // closing with unread bytes would reset the connection
    while (now_ms() < deadline && wait_for(connection, POLLIN, (int)(deadline - now_ms())) &&
           recv(connection->fd, rest, sizeof rest, 0) > 0)
        continue;
    close(connection->fd);
    holdfast_end_session(&connection->session);
    close(connection->leaving);
    free(connection);
    return NULL;
}

static int accepted(int fd, holdfast_session* session, void* user) {
    struct connection* const connection = calloc(1, sizeof *connection);
    pthread_t thread;
    if (connection != NULL) {
        *connection = (struct connection){.server = user, .session = session, .fd = fd};
        connection->leaving = eventfd(0, EFD_CLOEXEC);
        holdfast_session_on_leave(session, on_leave, connection);
        if (connection->leaving >= 0 && pthread_create(&thread, NULL, serve, connection) == 0)
            return pthread_detach(thread);
    }
    close(fd);
    holdfast_end_session(&session);
    if (connection != NULL && connection->leaving >= 0) close(connection->leaving);
    free(connection);
    return holdfast_fail(ENOMEM, "cannot serve a client: no thread can be started");
}

static int on_cancel(int64_t remaining_usec, void* server) {
    (void)remaining_usec;
    return eventfd_write(((struct server*)server)->cancelled, 1) < 0 ? -EIO : 0;
}

int main(void) {
    struct server server = {.cancelled = eventfd(0, EFD_CLOEXEC)};
    const char* const address = getenv("HELLO_ADDRESS");
    holdfast_listener* listener;
    holdfast_acceptor* acceptor;
    if (holdfast_new(NULL, &server.worker) < 0 ||
        holdfast_listen(server.worker, "http", address == NULL ? ":8080" : address, &listener) < 0 ||
        holdfast_keep_alive_min(server.worker, &server.keep_alive_min_ms) < 0 ||
        holdfast_on_cancel(server.worker, on_cancel, &server) < 0 ||
        holdfast_start_acceptor(server.worker, &listener, accepted, &server, &acceptor) < 0 ||
        holdfast_ready(server.worker) < 0) {
        fprintf(stderr, "c-http: %s\n", holdfast_last_error());
        return 1;
    }
    const int status = holdfast_wait(server.worker);
    holdfast_free_acceptor(&acceptor);
    holdfast_free(&server.worker);
    return status;
}
