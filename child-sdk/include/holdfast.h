#ifndef HOLDFAST_H
#define HOLDFAST_H

/// @file
/// The C interface of the SDK, for C and for any language that can call C.

// Link with libholdfast.so.1 or load it at run time. It wraps the same implementation as <holdfast/worker.hpp>; the
// comments there explain stages, drains and reports.
//
//     holdfast_worker* worker;
//     holdfast_listener* http;
//     if (holdfast_new(NULL, &worker) < 0 || holdfast_listen(worker, "http", ":8080", &http) < 0)
//         return fprintf(stderr, "%s\n", holdfast_last_error()), 1;
//     holdfast_accepts(worker, stop_accepting, accept_again, server);
//     holdfast_close_last(worker, "database", close_database, database, NULL);
//     holdfast_ready(worker);
//     int status = holdfast_wait(worker);
//     holdfast_free(&worker);
//     return status;
//
// Errors. Functions that return int return 0 (or the value that their comment describes) on success and a negative
// errno on failure; holdfast_last_error() then returns a message that says what to do. EINVAL: an argument is invalid,
// for example NULL where a value is required. EBADF: the handle was freed before, is of another type, or is none.
// EPERM: not allowed at this time, in a callback, or in a forked child. EBUSY: in use. ENOENT: there is no such
// listener. ESHUTDOWN: the release of resources has begun and nothing new may begin. Other values come from the system.
//
// Handles. A handle is a number with a type and a generation; it points to nothing. A function that frees a handle
// takes its address and sets it to NULL, unless it fails; freeing NULL does nothing and returns 0. Using a handle that
// was freed is an error (EBADF). A handle may outlive its worker, unless its functions say otherwise.
//
// Threads. All functions may be called from any thread. A handle other than the worker may be used by only one thread
// at a time. Callbacks run on threads of the SDK (or where holdfast_options says) and receive the user pointer that was
// registered with them, which must stay valid until holdfast_free() has returned. A callback returns 0 on success and a
// negative errno on failure. A failure is written to standard error with the text of holdfast_fail(), and counts as an
// exception in a C++ callback does. In a callback or a task, functions that would wait for it fail with EPERM:
// holdfast_free(), holdfast_wait(), holdfast_dispatch(). No C++ exception leaves the library, and none may enter it. Do
// not leave a function or callback of this header by longjmp(3) or pthread_cancel(3).

#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct holdfast_worker holdfast_worker;      ///< this process, as a worker of its supervisor
typedef struct holdfast_listener holdfast_listener;  ///< a listening socket
typedef struct holdfast_acceptor holdfast_acceptor;  ///< a thread that accepts connections
typedef struct holdfast_request holdfast_request;    ///< a request in flight
typedef struct holdfast_session holdfast_session;    ///< a stream, a tunnel, a connection
typedef struct holdfast_work holdfast_work;          ///< an item of work taken from a queue
typedef struct holdfast_stop holdfast_stop;          ///< the stop token of a background task

/// Returns the version of the library, for example "0.1.0". The library is compatible with every header of the same
/// major version. The string is static.
const char* holdfast_version(void);

/// Returns the message of the last function that failed on this thread: "cannot <what>: <cause>; <what to do>". Never
/// returns NULL. The string is valid until the next call on this thread.
const char* holdfast_last_error(void);

/// For callbacks: sets `text` as the message of the error that the callback is about to return. Returns -error.
int holdfast_fail(int error, const char* text);

/// A callback for a stage. `remaining_usec` is the time until the stage's deadline, never negative; INT64_MAX if the
/// stage has no deadline.
typedef int (*holdfast_stage_callback)(int64_t remaining_usec, void* user);
/// A callback that closes a resource, hands back an item of work, or ends a session.
typedef int (*holdfast_callback)(void* user);

// ---------------------------------------------------------------------------------------------------------- the worker

/// Which thread runs the worker's event processing.
enum holdfast_drive {
    holdfast_drive_helper_thread = 0,  ///< a thread of the SDK
    holdfast_drive_dispatch = 1        ///< the program's own event loop, by holdfast_fd() and holdfast_dispatch()
};

/// What holdfast_wait() does after the last deadline of a standalone worker, if something is still held.
enum holdfast_give_up {
    holdfast_give_up_end_process = 0,   ///< writes the report and ends the process with status 3
    holdfast_give_up_return_status = 1  ///< returns 3; what the code that still runs uses must stay valid
};

/// Options of a worker; holdfast::WorkerOptions documents each. Initialise the struct with holdfast_init_options():
/// later versions may add fields at its end, and `size` tells the library which ones the program knows. Environment
/// variables override the periods, keep_alive_min_ms and health.
typedef struct holdfast_options {
    size_t size;                ///< size of this struct in the program's header
    int64_t lame_duck_ms;       ///< default 0
    int64_t grace_period_ms;    ///< default 30000
    int64_t cancel_period_ms;   ///< default 5000
    int64_t keep_alive_min_ms;  ///< default 1000
    const char* health;         ///< address of the health endpoint, "127.0.0.1:9901"; NULL (default): none
    int drive;                  ///< one of holdfast_drive

    /// Posts callbacks and closes to a thread of the program's choice, which must call `run(argument)` exactly once.
    /// Called from any thread. NULL: callbacks run on a thread of the SDK. If it returns an error, the function must
    /// not run. Cannot be combined with holdfast_drive_dispatch.
    int (*post)(void (*run)(void* argument), void* argument, void* user);
    void* post_user;  ///< the `user` argument of `post`
    int give_up;      ///< one of holdfast_give_up; default: holdfast_give_up_end_process
} holdfast_options;

/// Sets every field to its default. Call as `holdfast_init_options(&options, sizeof options)`.
int holdfast_init_options(holdfast_options* options, size_t size);

/// Creates the worker. Connects to the supervisor that started this process, or runs standalone if there is none. Call
/// it first in main: it removes this process's variables from the environment and handles SIGTERM and SIGINT until
/// holdfast_free(). If `options` is NULL, the defaults apply.
int holdfast_new(const holdfast_options* options, holdfast_worker** worker);

/// Asks the tasks to stop and joins them. Does not close resources that holdfast_wait() has not closed. If
/// holdfast_wait() gave up and a task or callback still runs, the process exits here with status 3. EPERM in a callback
/// or a task, EBUSY during holdfast_wait() and before holdfast_free_acceptor(). Does nothing in a forked child.
int holdfast_free(holdfast_worker** worker);

/// @name Stage callbacks. They run in the order in which they were added. Add them before holdfast_ready().
/// @{
/// All that pause, run and drain need of a program that accepts connections. `stop` is called at a pause, and at a
/// drain unless it was called before: stop accepting, and return when the accept queue is empty. `start` is called when
/// that is taken back. Pause and run are announced only after this, or after holdfast_on_pause() and holdfast_on_run().
int holdfast_accepts(holdfast_worker* worker, holdfast_stage_callback stop, holdfast_stage_callback start, void* user);
/// Called at the lame-duck stage: keep serving and accepting, but fail health probes.
int holdfast_on_lame_duck(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// Called at the pause stage: stop accepting, and return when the accept queue is empty. Keep serving open connections
/// and release nothing.
int holdfast_on_pause(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// Called at the drain stage: stop accepting as for a pause, finish requests in flight, close idle connections.
int holdfast_on_drain(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// Called when a pause or a drain is taken back: accept again.
int holdfast_on_run(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// Called at the cancel stage: the grace period is over, abandon what is left.
int holdfast_on_cancel(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// Called when everything is released, just before holdfast_wait() returns.
int holdfast_on_released(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// @}

/// Reports that the worker is serving. A second call fails with EPERM.
int holdfast_ready(holdfast_worker* worker);

/// Requests a stop from within the program; the same as SIGTERM.
int holdfast_stop_worker(holdfast_worker* worker);

/// Blocks until everything is released. Returns the exit status: 0, or 3 if something was held, failed or was lost.
int holdfast_wait(holdfast_worker* worker);

/// @name For holdfast_drive_dispatch, instead of holdfast_wait().
/// @{
/// Returns a file descriptor that is readable while there is something to dispatch. Level-triggered; owned by the
/// worker.
int holdfast_fd(holdfast_worker* worker);
/// Does all pending work, including callbacks, and returns.
int holdfast_dispatch(holdfast_worker* worker);
/// Returns the result of holdfast_wait(), or -EAGAIN while holdfast_wait() would block.
int holdfast_result(holdfast_worker* worker);
/// @}

/// Returns 1 if this process is leaving (answer requests with "Connection: close"), else 0. Costs a few nanoseconds.
int holdfast_draining(const holdfast_worker* worker);

/// Stores the deadline of the current stage, in microseconds of CLOCK_MONOTONIC; -1 while the worker is serving.
int holdfast_deadline(holdfast_worker* worker, int64_t* deadline_usec);

/// Stores the time until that deadline in microseconds, never negative; -1 while the worker is serving.
int holdfast_remaining(holdfast_worker* worker, int64_t* remaining_usec);

/// Returns 1 if the worker has a supervisor, 0 if it runs standalone.
int holdfast_is_supervised(holdfast_worker* worker);

/// Stores how long an idle keep-alive connection stays readable after the drain begins, in milliseconds.
int holdfast_keep_alive_min(holdfast_worker* worker, int64_t* milliseconds);

// ----------------------------------------------------------------------------------------------------------- listeners

/// Returns the inherited listener with that name, never one that was given another name. One without a name is returned
/// if it is bound to `address`, or if it is the only one and cannot be reached from further away than `address`. A
/// process that inherited nothing and has no supervisor binds `address`: ":8080", "127.0.0.1:8080", "[::1]:8080",
/// "unix:/run/app.sock", "unix:@abstract". In any other process a missing listener is an error (-ENOENT).
int holdfast_listen(holdfast_worker* worker, const char* name, const char* address, holdfast_listener** listener);

/// Returns an inherited listener by its name or its address; with NULL, the only one. Never binds.
int holdfast_take_listener(holdfast_worker* worker, const char* name_or_address, holdfast_listener** listener);

/// Returns the file descriptor. The socket and its flags are shared with other processes: do not shut it down, and do
/// not rely on O_NONBLOCK.
int holdfast_listener_fd(const holdfast_listener* listener);
/// Returns 1 if the listener was inherited, 0 if it was bound by this process.
int holdfast_listener_is_inherited(const holdfast_listener* listener);
const char* holdfast_listener_name(const holdfast_listener* listener);     ///< valid as long as the listener
const char* holdfast_listener_address(const holdfast_listener* listener);  ///< "127.0.0.1:8080", "unix:/run/app.sock"

/// Frees the handle and returns the file descriptor, which the caller then owns.
int holdfast_release_listener(holdfast_listener** listener);
/// Frees the handle and closes the file descriptor. An inherited listener is closed in this process only.
int holdfast_close_listener(holdfast_listener** listener);

/// Accepts one connection, for an event loop in which poll(2) has reported the listener readable. The connection is
/// counted as a session named "connection" from before accept(2). Returns its file descriptor (non-blocking,
/// close-on-exec), -EAGAIN if the queue was empty, or the negative errno of accept4(2). It can block if another process
/// clears O_NONBLOCK at the same instant; an acceptor cannot.
int holdfast_accept(holdfast_worker* worker, int listener_fd, holdfast_session** connection);

/// Returns 1 if accepting failed with an errno (positive or negative) that an immediate retry would meet again, such as
/// EMFILE: wait a little before the retry. Else returns 0.
int holdfast_accept_failed_for_long(int error);

/// Called on the accepting thread for each connection. The callback owns `fd` (non-blocking, close-on-exec) and
/// `connection`, also if it returns an error. End the session when the connection ends.
typedef int (*holdfast_accepted)(int fd, holdfast_session* connection, void* user);

/// Starts a thread that accepts connections at once. At pause and drain it empties the accept queue and stops
/// accepting; at run it resumes. Takes ownership of the listener and sets the handle to NULL, also on failure. Call it
/// before holdfast_ready().
int holdfast_start_acceptor(holdfast_worker* worker, holdfast_listener** listener, holdfast_accepted accepted,
                            void* user, holdfast_acceptor** acceptor);
/// Stops accepting and closes the listener. Call it after holdfast_wait() has returned and before holdfast_free().
/// Fails with EPERM in the callback of an acceptor.
int holdfast_free_acceptor(holdfast_acceptor** acceptor);

// ----------------------------------------------------------------------------------- requests, sessions, items of work

/// Counts a request as in flight. `name` is shown to people ("GET /report") and cut after 64 bytes. Fails with
/// ESHUTDOWN once the release of resources has begun. In a forked child nothing is counted and the handle may be NULL.
/// Does not allocate.
int holdfast_begin_request(holdfast_worker* worker, const char* name, holdfast_request** request);
/// Ends the request. May be called on any thread. The drain waits for it.
int holdfast_end_request(holdfast_request** request);

/// Begins a session: something that lasts longer than a request. It is asked to leave when the drain begins and must
/// have left `leave_within_ms` later; -1: by the end of the stage.
int holdfast_begin_session(holdfast_worker* worker, const char* name, int64_t leave_within_ms,
                           holdfast_session** session);
/// Ends the session. May be called on any thread. Waits for a callback of holdfast_session_on_leave() that is running
/// on another thread.
int holdfast_end_session(holdfast_session** session);

/// Returns 1 if the session has been asked to leave, else 0.
int holdfast_session_has_to_leave(const holdfast_session* session);
/// Registers the only callback of a session. It is called once, when the session is asked to leave; immediately if it
/// already has been. It may end the session. holdfast_end_session() waits for one that is running on another thread.
int holdfast_session_on_leave(holdfast_session* session, holdfast_callback callback, void* user);
/// Changes the name that people see, for example once the request line of a connection has been read.
int holdfast_session_set_name(holdfast_session* session, const char* name);
/// Changes the time that the session has from when it is asked to leave, or was.
int holdfast_session_set_leave_within(holdfast_session* session, int64_t leave_within_ms);
/// Stores the time by which the session must have left, in microseconds of CLOCK_MONOTONIC; -1 until it is asked to
/// leave.
int holdfast_session_deadline(const holdfast_session* session, int64_t* deadline_usec);

/// Holds an item of work until it is finished. `hand_back` is called once, on any thread, if the item is dropped or is
/// still held at the cancel stage. Fails with -ESHUTDOWN once a resource that items of work use is being closed.
int holdfast_hold_work(holdfast_worker* worker, const char* name, holdfast_callback hand_back, void* user,
                       holdfast_work** work);
/// Claims the item; call it before a step that must not happen twice. Returns 1 if the caller may commit: the item will
/// no longer be handed back. Returns 0 if the item has been handed back: do not commit. The item and the resources that
/// items of work use stay held.
int holdfast_claim_work(holdfast_work* work);
/// Claims the item as holdfast_claim_work() does, and releases it. Call it when the item is done.
int holdfast_finish_work(holdfast_work** work);
/// Releases the item, and hands it back unless it was claimed.
int holdfast_drop_work(holdfast_work** work);

// ---------------------------------------------------------------------------------------------------- tasks, resources

/// A user of a resource: one of holdfast_all, a task, or another resource. A plain value, valid for its worker only; 0
/// means no user.
typedef uint64_t holdfast_user;

/// All users of one kind, present and future.
enum holdfast_all {
    holdfast_all_requests = 1,
    holdfast_all_sessions = 2,
    holdfast_all_work = 3,
    holdfast_all_tasks = 4
};

/// The function of a background task. `stop` is valid until it returns. An error is logged and reported by the name of
/// the task, with the text of holdfast_fail(); holdfast_task_options.on_error says what happens then.
typedef int (*holdfast_task)(holdfast_stop* stop, void* user);

/// When a task starts.
enum holdfast_task_start {
    holdfast_task_start_at_ready = 0,  ///< at holdfast_ready(), or holdfast_wait(); at once if called afterwards
    holdfast_task_start_now = 1        ///< at once, for a warm-up that holdfast_ready() has to wait for
};

/// What an error of a task leads to.
enum holdfast_task_on_error {
    holdfast_task_on_error_stop = 0,    ///< a graceful stop of the worker, as by holdfast_stop_worker()
    holdfast_task_on_error_ignore = 1,  ///< the worker goes on; its exit status is 3 in the end
    holdfast_task_on_error_abort = 2    ///< the process ends at once, by SIGABRT
};

/// Whether the worker can do without a task.
enum holdfast_task_need {
    holdfast_task_need_optional = 0,  ///< a return before the stop is only logged
    holdfast_task_need_required = 1,  ///< a return before the stop leads to a graceful stop of the worker
    holdfast_task_need_finite = 2     ///< the task is meant to return by itself
};

/// Options of a task. Initialise the struct with holdfast_init_task_options(): later versions may add fields at its
/// end.
typedef struct holdfast_task_options {
    size_t size;   ///< size of this struct in the program's header
    int start;     ///< one of holdfast_task_start; default: holdfast_task_start_at_ready
    int on_error;  ///< one of holdfast_task_on_error; default: holdfast_task_on_error_stop
    int need;      ///< one of holdfast_task_need; default: holdfast_task_need_optional
} holdfast_task_options;

/// Sets every field to its default. Call as `holdfast_init_task_options(&options, sizeof options)`.
int holdfast_init_task_options(holdfast_task_options* options, size_t size);

/// Runs `function` on its own thread, with the default options. The drain asks it to stop and joins it. `task` may be
/// NULL.
int holdfast_start_task(holdfast_worker* worker, const char* name, holdfast_task function, void* user,
                        holdfast_user* task);
/// The same with options; NULL: the defaults.
int holdfast_start_task_with(holdfast_worker* worker, const char* name, holdfast_task function, void* user,
                             const holdfast_task_options* options, holdfast_user* task);

/// Returns 1 if the task has been asked to stop, else 0.
int holdfast_stop_requested(const holdfast_stop* stop);
/// Waits until the task is asked to stop. Returns 1 if it was, 0 after the timeout of `timeout_ms`; -1: no timeout.
int holdfast_stop_wait(holdfast_stop* stop, int64_t timeout_ms);
/// Returns a file descriptor that becomes readable, and stays so, when the task is asked to stop. Poll it; do not read
/// from it. Owned by `stop`.
int holdfast_stop_fd(holdfast_stop* stop);

/// Registers a resource. The drain calls `close` after all users of the resource have been released. `resource` may be
/// NULL.
int holdfast_resource(holdfast_worker* worker, const char* name, holdfast_callback close, void* user,
                      holdfast_user* resource);
/// Registers a resource that requests, sessions, items of work and tasks use, and that is closed after all resources
/// added later.
int holdfast_close_last(holdfast_worker* worker, const char* name, holdfast_callback close, void* user,
                        holdfast_user* resource);
/// Declares that `user` uses `resource`: the resource is closed only after `user` has been released. Fails with EPERM
/// and changes nothing if this would create a dependency cycle (the message names it) or if the close of the resource
/// has begun.
int holdfast_used_by(holdfast_worker* worker, holdfast_user resource, holdfast_user user);
/// Sets the timeout of the resource's close in milliseconds; 5000 by default. After it, the drain reports the resource
/// by name and continues.
int holdfast_close_within(holdfast_worker* worker, holdfast_user resource, int64_t milliseconds);

// ---------------------------------------------------------------------------------------------------------- the report

/// The stages of a worker.
enum holdfast_stage {
    holdfast_stage_run = 0,
    holdfast_stage_lame_duck = 1,
    holdfast_stage_pause = 2,
    holdfast_stage_drain = 3,
    holdfast_stage_cancel = 4
};

/// One thing that is still held. This struct will not grow.
typedef struct holdfast_waiting {
    const char* kind;  ///< "request", "session", "task", "work", "resource"
    const char* name;  ///< the name shown to people, "GET /report"
    int64_t age_usec;  ///< microseconds since it began
} holdfast_waiting;

/// What a worker holds at one moment. Allocated by the library. Later versions may add fields at the end: a field is
/// present if `size` covers it.
typedef struct holdfast_report {
    size_t size;                      ///< size of this struct in the library
    int stage;                        ///< the last stage that was received, one of holdfast_stage
    int64_t remaining_usec;           ///< time until the stage's deadline; -1 while serving
    uint64_t requests;                ///< requests in flight
    uint64_t sessions;                ///< open sessions, including overdue ones
    uint64_t tasks;                   ///< running tasks
    uint64_t work;                    ///< items of work that are held
    uint64_t resources;               ///< resources that are not closed
    uint64_t served;                  ///< requests ended since the start
    uint64_t handed_back;             ///< items of work handed back since the start, without those that are lost
    const char* text;                 ///< the report as text, several lines; ends with a newline
    size_t waiting_count;             ///< number of entries in `waiting`
    const holdfast_waiting* waiting;  ///< the 16 oldest of each kind
    uint64_t lost;                    ///< items of work whose hand-back failed; the exit status is then 3
    size_t failed_count;              ///< number of entries in `failed`
    const char* const* failed;        ///< texts of what failed: tasks that returned an error, hand-backs
} holdfast_report;

/// Creates a report of what is held now. Free it with holdfast_free_report().
int holdfast_make_report(holdfast_worker* worker, const holdfast_report** report);
/// Frees the report and its strings.
int holdfast_free_report(const holdfast_report** report);

// --------------------------------------------------------------------------------------- connections (keep_alive.hpp)

/// Returns 1 if the socket's receive buffer holds unread bytes, else 0. Never blocks.
int holdfast_has_bytes(int fd);
/// Returns 1 if the client has closed or reset the connection and no bytes are left to read, else 0. Never blocks.
int holdfast_has_ended(int fd);
/// Closes the sending half: the client sees the end of the stream, and its last bytes can still be read.
int holdfast_half_close(int fd);
#ifdef __cplusplus
}
#endif
#endif
