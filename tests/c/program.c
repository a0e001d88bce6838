// The example in the comment of holdfast.h as a program in C99, without C++. Stops itself; exits with 0 on success.

#include <holdfast.h>
#include <stdio.h>
#include <string.h>

static int print(int64_t remaining_usec, void* user) {
    (void)remaining_usec;
    return puts(user) < 0 ? -1 : 0;
}

static int close_database(void* user) { return puts(user) < 0 ? -1 : 0; }

static int consume(holdfast_stop* stop, void* user) {
    (void)user;
    return holdfast_stop_wait(stop, -1) < 0 ? -1 : 0;
}

int main(void) {
    holdfast_worker* worker;
    holdfast_request* request;
    holdfast_user consumer, database;
    char drain[] = "drain", database_closed[] = "database closed";
    if (holdfast_new(NULL, &worker) < 0 || holdfast_on_drain(worker, print, drain) < 0 ||
        holdfast_start_task(worker, "consumer", consume, NULL, &consumer) < 0 ||
        holdfast_resource(worker, "database", close_database, database_closed, &database) < 0 ||
        holdfast_used_by(worker, database, consumer) < 0 ||
        holdfast_used_by(worker, database, holdfast_all_requests) < 0 || holdfast_ready(worker) < 0 ||
        holdfast_begin_request(worker, "GET /", &request) < 0 || holdfast_end_request(&request) < 0 ||
        holdfast_stop_worker(worker) < 0) {
        fprintf(stderr, "%s\n", holdfast_last_error());
        return 1;
    }
    int status = holdfast_wait(worker);
    return holdfast_free(&worker) < 0 ? 1 : status;
}
