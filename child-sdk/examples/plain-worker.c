// A worker in C99 without the SDK: implements PROTOCOL.md. Answers every connection with one line.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { listener = 3, io_timeout_ms = 5000 };

static int control = -1;

static void report(const char* message) {
    if (control >= 0) send(control, message, strlen(message), MSG_NOSIGNAL);
}

// The listener is shared: another process may clear O_NONBLOCK before accept() is called, or take the connection. A
// timer therefore interrupts a blocking accept(); no connection is lost by that.
static int accept_one(void) {
    struct pollfd queue = {.fd = listener, .events = POLLIN};
    if (poll(&queue, 1, 0) <= 0) return -1;
    alarm(1);
    const int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    alarm(0);
    return client;
}

static void serve(int client) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n";
    char request[4096];
    size_t size = 0;
    struct pollfd bytes = {.fd = client, .events = POLLIN};
    while (size < sizeof request - 1 && poll(&bytes, 1, io_timeout_ms) > 0) {
        const ssize_t got = recv(client, request + size, sizeof request - 1 - size, 0);
        if (got <= 0) break;
        size += (size_t)got;
        request[size] = '\0';
        if (strstr(request, "\r\n\r\n") == NULL) continue;
        send(client, answer, sizeof answer - 1, MSG_NOSIGNAL);
        shutdown(client, SHUT_WR);  // then read to the end: closing with unread bytes would reset the connection
        while (poll(&bytes, 1, io_timeout_ms) > 0 && recv(client, request, sizeof request, 0) > 0) continue;
        break;
    }
    close(client);
}

static void serve_all_waiting(void) {
    for (int client; (client = accept_one()) >= 0;) serve(client);
}

static void on_alarm(int number) { (void)number; }

int main(void) {
    const struct sigaction interrupt = {.sa_handler = on_alarm};  // without SA_RESTART
    const char* number = getenv("HOLDFAST_CONTROL_FD");
    char message[4097];
    int accepting = 1;
    sigaction(SIGALRM, &interrupt, NULL);
    if (number != NULL) {
        control = atoi(number);
        fcntl(control, F_SETFD, FD_CLOEXEC);
        signal(SIGTERM, SIG_IGN);  // the supervisor sends stages instead
        signal(SIGINT, SIG_IGN);
    }
    report("HELLO=1\nSDK=plain/1\nX_HOLDFAST_STAGES=lame-duck,pause,run,drain,cancel");
    report("READY=1\nX_HOLDFAST_ACCEPTING=1");
    for (;;) {
        struct pollfd events[] = {{.fd = accepting ? listener : -1, .events = POLLIN},
                                  {.fd = control, .events = POLLIN}};
        if (poll(events, 2, -1) < 0) continue;
        if (events[0].revents) serve_all_waiting();
        if (!events[1].revents) continue;
        const ssize_t size = recv(control, message, sizeof message - 1, MSG_DONTWAIT);
        message[size > 0 ? size : 0] = '\0';
        const int gone = size <= 0;
        if (strncmp(message, "STAGE=run", 9) == 0) {
            accepting = 1;
            report("X_HOLDFAST_ACCEPTING=1");
        } else if (gone || strncmp(message, "STAGE=lame-duck", 15) != 0) {
            if (accepting) serve_all_waiting();  // answers every client that is already in the queue
            accepting = 0;
            report("X_HOLDFAST_ACCEPTING=0\nX_HOLDFAST_IN_FLIGHT=0");
            if (gone || strncmp(message, "STAGE=pause", 11) != 0) break;
        }
    }
    report("X_HOLDFAST_RELEASING=1\nX_HOLDFAST_DRAINED=1\nX_HOLDFAST_IN_FLIGHT=0");
    return 0;
}
