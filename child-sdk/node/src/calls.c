#include "calls.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "values.h"

enum call_kind { kind_waits, kind_task_begins, kind_task_stops, kind_posted, kind_connection };

// On the stack of a waiting thread, or (posted) on the heap until JavaScript has handled it.
struct call {
    enum call_kind kind;
    void* key;
    double argument;
    holdfast_session* session;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_done;
    int done_fd;  // readable when the task is done
    char error[256];
};

// The queue to JavaScript's thread. One per process, as there is one worker. Set before any thread of the SDK uses it.
static napi_threadsafe_function javascript_queue;
static pthread_t javascript_thread;

static void finish(struct call* call, const char* error) {
    pthread_mutex_lock(&call->mutex);
    strncpy(call->error, error, sizeof call->error - 1);
    call->is_done = true;
    if (call->done_fd >= 0) eventfd_write(call->done_fd, 1);
    pthread_cond_signal(&call->changed);
    pthread_mutex_unlock(&call->mutex);
}

static bool waits(const struct call* call) { return call->kind == kind_waits || call->kind == kind_task_begins; }

// Runs on JavaScript's thread. `env` is NULL if the event loop has ended; waiting threads are released then.
static void call_javascript(napi_env env, napi_value dispatcher, void* context, void* data) {
    (void)context;
    struct call* call = data;
    const bool is_waited_for = waits(call);  // read it now: a completed call is freed
    if (env == NULL) {
        if (is_waited_for) finish(call, "the event loop has ended");
    } else {
        napi_value undefined = NULL, external = NULL;
        napi_get_undefined(env, &undefined);
        if (is_waited_for) napi_create_external(env, call, NULL, NULL, &external);
        if (call->kind == kind_connection) external = keep_handle(env, kind_session, call->session);
        napi_value values[] = {to_number(env, (double)(uintptr_t)call->key), to_number(env, call->argument),
                               external == NULL ? undefined : external};
        napi_call_function(env, undefined, dispatcher, 3, values, NULL);
    }
    if (!is_waited_for) free(call);
}

napi_status begin_calls(napi_env env, napi_value dispatcher) {
    javascript_thread = pthread_self();
    return napi_create_threadsafe_function(env, dispatcher, NULL, to_text(env, "holdfast"), 0, 1, NULL, NULL, NULL,
                                           call_javascript, &javascript_queue);
}

void let_process_end(napi_env env) { napi_unref_threadsafe_function(env, javascript_queue); }

static struct call new_call(enum call_kind kind, void* key) {
    return (struct call){.kind = kind,
                         .key = key,
                         .mutex = PTHREAD_MUTEX_INITIALIZER,
                         .changed = PTHREAD_COND_INITIALIZER,
                         .done_fd = -1};
}

static int send(struct call* call) {
    if (napi_call_threadsafe_function(javascript_queue, call, napi_tsfn_nonblocking) == napi_ok) return 0;
    return holdfast_fail(ECANCELED, "cannot call JavaScript: its event loop has ended");
}

static int result_of(const struct call* call) {
    return call->error[0] == '\0' ? 0 : holdfast_fail(ECANCELED, call->error);
}

static int call_and_wait(struct call* call) {
    const int sent = send(call);
    if (sent < 0) return sent;
    pthread_mutex_lock(&call->mutex);
    while (!call->is_done) pthread_cond_wait(&call->changed, &call->mutex);
    pthread_mutex_unlock(&call->mutex);
    return result_of(call);
}

static int post(struct call call) {
    struct call* posted = malloc(sizeof *posted);
    if (posted == NULL) return -ENOMEM;
    *posted = call;
    const int sent = send(posted);
    if (sent < 0) free(posted);
    return sent;
}

int call_stage(int64_t remaining_usec, void* key) {
    struct call call = new_call(kind_waits, key);
    call.argument = remaining_usec == INT64_MAX ? -1 : (double)remaining_usec / 1000;
    return call_and_wait(&call);
}

struct accepting {
    void *stop, *start;
};

void* accepting_keys(void* stop, void* start) {
    struct accepting* keys = malloc(sizeof *keys);
    if (keys != NULL) *keys = (struct accepting){.stop = stop, .start = start};
    return keys;
}

int call_stop_accepting(int64_t remaining_usec, void* keys) {
    return call_stage(remaining_usec, ((struct accepting*)keys)->stop);
}

int call_start_accepting(int64_t remaining_usec, void* keys) {
    return call_stage(remaining_usec, ((struct accepting*)keys)->start);
}

// Work that is taken after the cancel is handed back on JavaScript's thread, which cannot wait for itself.
int call_plain(void* key) {
    if (pthread_equal(javascript_thread, pthread_self())) return call_leave(key);
    struct call call = new_call(kind_waits, key);
    return call_and_wait(&call);
}

int call_leave(void* key) { return post(new_call(kind_posted, key)); }

int call_accepted(int fd, holdfast_session* connection, void* key) {
    struct call call = new_call(kind_connection, key);
    call.argument = fd;
    call.session = connection;
    const int sent = post(call);
    if (sent == 0) return 0;
    close(fd);
    holdfast_end_session(&connection);
    return sent;
}

int call_task(holdfast_stop* stop, void* key) {
    struct call call = new_call(kind_task_begins, key);
    call.done_fd = eventfd(0, EFD_CLOEXEC);
    const int stop_fd = holdfast_stop_fd(stop);
    const int sent = call.done_fd < 0 ? -errno : stop_fd < 0 ? stop_fd : send(&call);
    struct pollfd events[] = {{.fd = call.done_fd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
    while (sent == 0 && events[0].revents == 0) {
        if (poll(events, 2, -1) < 0 || events[1].revents == 0) continue;
        events[1].fd = -1;
        events[1].revents = 0;
        struct call asked = new_call(kind_task_stops, key);
        asked.argument = 1;
        post(asked);
    }
    pthread_mutex_lock(&call.mutex);  // JavaScript's thread may still be in finish()
    pthread_mutex_unlock(&call.mutex);
    if (call.done_fd >= 0) close(call.done_fd);
    return sent < 0 ? sent : result_of(&call);
}

struct waiter {
    holdfast_worker* worker;
    void* key;
};

static void* wait_until_over(void* data) {
    struct waiter* waiter = data;
    struct call call = new_call(kind_posted, waiter->key);
    call.argument = holdfast_wait(waiter->worker);
    post(call);
    free(waiter);
    return NULL;
}

static int start_thread(void* (*run)(void*), void* data) {
    pthread_t thread;
    const int error = pthread_create(&thread, NULL, run, data);
    return error == 0 ? pthread_detach(thread) : error;
}

int call_when_over(holdfast_worker* worker, void* key) {
    struct waiter* waiter = malloc(sizeof *waiter);
    if (waiter == NULL) return -ENOMEM;
    *waiter = (struct waiter){.worker = worker, .key = key};
    const int error = start_thread(wait_until_over, waiter);
    if (error == 0) return 0;
    free(waiter);
    return holdfast_fail(error, "cannot wait: cannot create a thread; raise the thread limit (ulimit -u)");
}

static void* drop(void* work) {
    holdfast_work* dropped = work;
    holdfast_drop_work(&dropped);
    return NULL;
}

int drop_on_thread(holdfast_work* work) {
    const int error = start_thread(drop, work);
    return error == 0
               ? 0
               : holdfast_fail(error, "cannot drop work: cannot create a thread; raise the thread limit (ulimit -u)");
}

napi_value complete(napi_env env, napi_callback_info info) {
    const struct arguments given = arguments_of(env, info);
    char error[sizeof((struct call*)NULL)->error];
    void* call = NULL;
    if (napi_get_value_external(env, given.values[0], &call) != napi_ok) return NULL;
    finish(call, text_at(&given, 1, error, sizeof error));
    return NULL;
}
