#ifndef HOLDFAST_H
#define HOLDFAST_H

/// @file
/// The SDK for C, and for every language that can call C.

// The SDK for C, and for every language that can call C: link libholdfast.so.1, or load it while running. It is the
// same library as <holdfast/worker.hpp>, whose comments say what a stage, a drain and a report are.
//
//     holdfast_worker* worker;
//     holdfast_listener* http;
//     if (holdfast_new(NULL, &worker) < 0 || holdfast_listen(worker, "http", ":8080", &http) < 0) {
//         fprintf(stderr, "%s\n", holdfast_last_error());
//         return 1;
//     }
//     holdfast_on_drain(worker, stop_accepting, server);
//     holdfast_close_last(worker, "database", close_database, database, NULL);
//     holdfast_ready(worker);
//     int status = holdfast_wait(worker);
//     holdfast_free(&worker);
//     return status;
//
// Errors. Functions that return int return 0, or what their comment says, if all went well, and a negative errno if
// not; holdfast_last_error() says in words what to do. EINVAL: an argument is wrong (NULL where something is needed
// included). EPERM: not now, or not in a forked child. ENOENT: there is no such listener. ESHUTDOWN: resources are
// released, nothing new may begin. Others come from the system.
//
// Handles. A function that ends a handle takes its address and sets it to NULL; NULL ends nothing and returns 0. A
// handle may outlive its worker, unless said otherwise.
//
// Threads. Every function may be called from any thread; one handle by one thread at a time, the worker excepted.
// Callbacks run on threads of the SDK (or where holdfast_options says), and get the pointer that was given with them.
// It has to stay valid until holdfast_free() returned. A callback returns 0, or a negative errno: that is reported on
// standard error, with the text of holdfast_fail(), and counts like an exception of a C++ callback. No C++ exception
// leaves the library, and none may enter it; nothing here may be left by longjmp(3) or pthread_cancel(3).

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct holdfast_worker holdfast_worker;      ///< this process, as its supervisor knows it
typedef struct holdfast_listener holdfast_listener;  ///< a listening socket
typedef struct holdfast_acceptor holdfast_acceptor;  ///< a thread that accepts
typedef struct holdfast_request holdfast_request;    ///< a request in flight
typedef struct holdfast_session holdfast_session;    ///< a stream, a tunnel, a connection
typedef struct holdfast_work holdfast_work;          ///< an item of work
typedef struct holdfast_stop holdfast_stop;          ///< by which a task learns that it has to end

/// "0.1.0": of the library, which is compatible with every header of the same major version. Static.
const char* holdfast_version(void);

/// Why the last function that failed on this thread did, and what to do: "cannot <what>: <cause>; <what to do>". Never
/// NULL. Valid until the next call on this thread.
const char* holdfast_last_error(void);

/// For callbacks: makes `text` the reason of the error that the callback returns next. Returns -error.
int holdfast_fail(int error, const char* text);

/// A callback for a stage. `remaining_usec`: until the stage's deadline, never negative; INT64_MAX: there is none.
typedef int (*holdfast_stage_callback)(int64_t remaining_usec, void* user);
/// A callback that closes, hands back or tells to leave.
typedef int (*holdfast_callback)(void* user);

// ---------------------------------------------------------------------------------------------------------- the worker

/// Who drives the worker.
enum holdfast_drive {
    holdfast_drive_helper_thread = 0,  ///< a thread of the SDK
    holdfast_drive_dispatch = 1        ///< the program's own event loop: holdfast_fd(), holdfast_dispatch()
};

/// What a worker is made with; holdfast::WorkerOptions explains each. Fill it by holdfast_init_options() first: the
/// struct may grow at its end, and `size` tells the library what it knows. The environment wins over the periods,
/// keep_alive_min_ms and health.
typedef struct holdfast_options {
    size_t size;                ///< of this struct, as the program knows it
    int64_t lame_duck_ms;       ///< 0
    int64_t grace_period_ms;    ///< 30000
    int64_t cancel_period_ms;   ///< 5000
    int64_t keep_alive_min_ms;  ///< 1000
    const char* health;         ///< "127.0.0.1:9901"; NULL: nowhere
    int drive;                  ///< one of holdfast_drive

    /// Where callbacks and closes run: called with a function that has to be run once, with its argument, on the thread
    /// of the program's choice. Called from any thread. NULL: on a thread of the SDK. An error means that the function
    /// will not be run. Not with holdfast_drive_dispatch.
    int (*post)(void (*run)(void* argument), void* argument, void* user);
    void* post_user;  ///< for `post`, as `user`
} holdfast_options;

/// Sets every field to its default: `holdfast_init_options(&options, sizeof options)`.
int holdfast_init_options(holdfast_options* options, size_t size);

/// Joins the supervisor that started this process, or stands alone. First in main: it takes what was meant for this
/// process out of the environment, and handles SIGTERM and SIGINT until holdfast_free(). `options` NULL: the defaults.
int holdfast_new(const holdfast_options* options, holdfast_worker** worker);

/// Asks tasks to stop and joins them; closes nothing that holdfast_wait() has not closed. If holdfast_wait() gave up
/// and something still runs, the process ends here with status 3. In a forked child nothing happens.
int holdfast_free(holdfast_worker** worker);

/// @name Callbacks, in the order in which they were added. Add them before holdfast_ready().
/// @{
/// Still serve and accept, but look unready to health probes.
int holdfast_on_lame_duck(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// Stop accepting, and return when the accept queue has been emptied. Serve what is open; keep everything.
int holdfast_on_pause(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// As for a pause; then finish what is in flight, and close idle connections.
int holdfast_on_drain(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// Accept again: the pause or the drain is taken back.
int holdfast_on_run(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// The grace period is over: abandon what is left.
int holdfast_on_cancel(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// Everything is released; holdfast_wait() returns next.
int holdfast_on_released(holdfast_worker* worker, holdfast_stage_callback callback, void* user);
/// @}

/// Serving from now on. Once; EPERM the second time.
int holdfast_ready(holdfast_worker* worker);

/// The program's own wish to stop: the same as SIGTERM.
int holdfast_stop_worker(holdfast_worker* worker);

/// Waits until everything is released. Returns the exit status: 0, or 3 if something was still held at the end.
int holdfast_wait(holdfast_worker* worker);

/// @name For holdfast_drive_dispatch, instead of holdfast_wait().
/// @{
/// Returns a descriptor that is readable when there is something to dispatch. Level-triggered; owned by the worker.
int holdfast_fd(holdfast_worker* worker);
/// Does what there is to do, callbacks included, and returns.
int holdfast_dispatch(holdfast_worker* worker);
/// Returns what holdfast_wait() would return, or -EAGAIN as long as it would wait.
int holdfast_result(holdfast_worker* worker);
/// @}

/// Returns 1 if this process is to leave (answer with "Connection: close"), else 0. Costs one load.
int holdfast_draining(const holdfast_worker* worker);

/// When the present stage ends, in microseconds of CLOCK_MONOTONIC; -1 while serving.
int holdfast_deadline(holdfast_worker* worker, int64_t* deadline_usec);

/// How long until then, never negative; -1 while serving.
int holdfast_remaining(holdfast_worker* worker, int64_t* remaining_usec);

/// Returns 1 if a supervisor gives the commands, 0 if the worker stands alone.
int holdfast_is_supervised(holdfast_worker* worker);

/// How long an idle keep-alive connection stays readable after the worker began to leave, in milliseconds.
int holdfast_keep_alive_min(holdfast_worker* worker, int64_t* milliseconds);

// ----------------------------------------------------------------------------------------------------------- listeners

/// The inherited listener of that name; else the one bound to that address; else the only one. Where none was
/// inherited, binds `address` here: ":8080", "127.0.0.1:8080", "[::1]:8080", "unix:/run/app.sock", "unix:@abstract".
int holdfast_listen(holdfast_worker* worker, const char* name, const char* address, holdfast_listener** listener);

/// An inherited listener, by its name or its address; NULL: the only one. Never binds.
int holdfast_take_listener(holdfast_worker* worker, const char* name_or_address, holdfast_listener** listener);

/// Returns the descriptor. It is shared with other processes, and so are its flags: do not shut it down, and do not
/// rely on O_NONBLOCK.
int holdfast_listener_fd(const holdfast_listener* listener);
/// Returns 1 if it was handed over, 0 if it was bound here.
int holdfast_listener_is_inherited(const holdfast_listener* listener);
const char* holdfast_listener_name(const holdfast_listener* listener);     ///< valid as long as the listener
const char* holdfast_listener_address(const holdfast_listener* listener);  ///< "127.0.0.1:8080", "unix:/run/app.sock"

/// Ends the handle; returns the descriptor, which is the caller's now.
int holdfast_release_listener(holdfast_listener** listener);
/// Ends the handle and closes the descriptor: of an inherited listener, for this process alone.
int holdfast_close_listener(holdfast_listener** listener);

/// One connection, for a loop that was told by poll(2) that there is one. Counted as the session "connection" from
/// before accept(2) on. Returns its descriptor (non-blocking, close-on-exec), or -EAGAIN if there was none, or what
/// accept4(2) says. If a sibling clears O_NONBLOCK in the same instant it can block: an acceptor cannot.
int holdfast_accept(holdfast_worker* worker, int listener_fd, holdfast_session** connection);

/// Returns 1 if accepting failed with this errno (positive or negative) for a reason that comes back at once, such as
/// no descriptor left: wait a little then; else 0.
int holdfast_accept_failed_for_long(int error);

/// Called on the accepting thread for each connection. `fd` (non-blocking, close-on-exec) and `connection` are the
/// callee's, also if it returns an error; the session ends with the connection.
typedef int (*holdfast_accepted)(int fd, holdfast_session* connection, void* user);

/// Accepts on a thread of its own, at once; rests at pause and drain when the queue is empty, and goes on at run. Takes
/// the listener over (NULL then, also after an error). Before holdfast_ready().
int holdfast_start_acceptor(holdfast_worker* worker, holdfast_listener** listener, holdfast_accepted accepted,
                            void* user, holdfast_acceptor** acceptor);
/// Rests and closes the listener. After holdfast_wait() returned, before holdfast_free().
int holdfast_free_acceptor(holdfast_acceptor** acceptor);

// ------------------------------------------------------------------------------------------------------- what is held

/// Counts a request. `name` is for people ("GET /report"), cut at 64 bytes. ESHUTDOWN once resources are released. In a
/// forked child nothing is counted, and the handle may be NULL. No allocation.
int holdfast_begin_request(holdfast_worker* worker, const char* name, holdfast_request** request);
/// On any thread. The drain waits for this.
int holdfast_end_request(holdfast_request** request);

/// Something longer than a request. It is told to leave when the drain begins, and is to have left `leave_within_ms`
/// later; -1: by the end of the stage.
int holdfast_begin_session(holdfast_worker* worker, const char* name, int64_t leave_within_ms,
                           holdfast_session** session);
/// On any thread. Waits for a callback of holdfast_session_on_leave() that runs on another one.
int holdfast_end_session(holdfast_session** session);

/// Returns 1 once the session was told to leave, else 0.
int holdfast_session_has_to_leave(const holdfast_session* session);
/// Has `callback` called once when the session is told to leave; at once if it was already. It may end the session.
/// Ends with the session: holdfast_end_session() waits for a callback that runs on another thread. One for a session.
int holdfast_session_on_leave(holdfast_session* session, holdfast_callback callback, void* user);
/// When it is to have left, in microseconds of CLOCK_MONOTONIC; -1 until it is told.
int holdfast_session_deadline(const holdfast_session* session, int64_t* deadline_usec);

/// Takes charge of an item of work until it is finished. `hand_back` is called once, on any thread, if the item is
/// dropped or still held at the cancel.
int holdfast_hold_work(holdfast_worker* worker, const char* name, holdfast_callback hand_back, void* user,
                       holdfast_work** work);
/// Before what cannot be done twice: returns 1 if the item is ours to commit, and will not be handed back any more; 0
/// if it was handed back meanwhile: do not commit. It is held on, and so is what work uses.
int holdfast_claim_work(holdfast_work* work);
/// The same, and lets go of it: when all is done.
int holdfast_finish_work(holdfast_work** work);
/// Lets go of it; hands it back unless it was claimed.
int holdfast_drop_work(holdfast_work** work);

// --------------------------------------------------------------------------------------------------- tasks, resources

/// Who may use a resource: one of holdfast_all, a task, or another resource. A value, valid for its worker; 0 is
/// nobody.
typedef uint64_t holdfast_user;

/// Everything of a kind, now and later.
enum holdfast_all {
    holdfast_all_requests = 1,
    holdfast_all_sessions = 2,
    holdfast_all_work = 3,
    holdfast_all_tasks = 4
};

/// A background task. `stop` is valid until it returns. An error ends the process, as an exception does in C++.
typedef int (*holdfast_task)(holdfast_stop* stop, void* user);

/// Runs `function` on a thread of its own, which the drain asks to stop and joins. `task` may be NULL.
int holdfast_start_task(holdfast_worker* worker, const char* name, holdfast_task function, void* user,
                        holdfast_user* task);

/// Returns 1 if the task has to end, else 0.
int holdfast_stop_requested(const holdfast_stop* stop);
/// Waits for that; returns 1 if the task has to end, 0 if `timeout_ms` passed before. -1: waits for ever.
int holdfast_stop_wait(holdfast_stop* stop, int64_t timeout_ms);
/// Returns a descriptor that becomes and stays readable when the task has to end: for poll(2), not for read(2). Owned
/// by `stop`.
int holdfast_stop_fd(holdfast_stop* stop);

/// Has `close` called in the drain, after everything that uses the resource was released. `resource` may be NULL.
int holdfast_resource(holdfast_worker* worker, const char* name, holdfast_callback close, void* user,
                      holdfast_user* resource);
/// The short form: a resource that requests, sessions, work and tasks use, closed after all that was added later.
int holdfast_close_last(holdfast_worker* worker, const char* name, holdfast_callback close, void* user,
                        holdfast_user* resource);
/// The resource is closed only after `user` was released. EPERM, and no change, if that makes a circle (it is named) or
/// if the resource is being closed already.
int holdfast_used_by(holdfast_worker* worker, holdfast_user resource, holdfast_user user);
/// How long its close may take before it is named and the drain goes on: 5000 unless told otherwise.
int holdfast_close_within(holdfast_worker* worker, holdfast_user resource, int64_t milliseconds);

// ---------------------------------------------------------------------------------------------------------- the report

/// What the worker was told last.
enum holdfast_stage {
    holdfast_stage_run = 0,
    holdfast_stage_lame_duck = 1,
    holdfast_stage_pause = 2,
    holdfast_stage_drain = 3,
    holdfast_stage_cancel = 4
};

/// One thing that is still held. Will not grow.
typedef struct holdfast_waiting {
    const char* kind;  ///< "request", "session", "task", "work", "resource"
    const char* name;  ///< for people: "GET /report"
    int64_t age_usec;  ///< microseconds since it began to be held
} holdfast_waiting;

/// What a worker holds at one moment. Made by the library; may grow at its end: a field is there if `size` reaches it.
typedef struct holdfast_report {
    size_t size;                      ///< of this struct, as the library knows it
    int stage;                        ///< one of holdfast_stage: the last one that was told
    int64_t remaining_usec;           ///< until the stage's deadline; -1 while serving
    uint64_t requests;                ///< in flight
    uint64_t sessions;                ///< that are held, overdue ones too
    uint64_t tasks;                   ///< that still run
    uint64_t work;                    ///< items
    uint64_t resources;               ///< that are not closed
    uint64_t served;                  ///< requests that ended since the start
    uint64_t handed_back;             ///< items of work since the start
    const char* text;                 ///< all of it for a person, a line each; ends with a newline
    size_t waiting_count;             ///< entries behind `waiting`
    const holdfast_waiting* waiting;  ///< the 16 oldest of each kind
} holdfast_report;

/// What is held now. To be freed.
int holdfast_make_report(holdfast_worker* worker, const holdfast_report** report);
/// Ends the report, its texts included.
int holdfast_free_report(const holdfast_report** report);

// --------------------------------------------------------------------------------------- connections (keep_alive.hpp)

/// Returns 1 if the kernel holds bytes of the client that nobody has read, else 0. Never blocks.
int holdfast_has_bytes(int fd);
/// Returns 1 if the client has closed or reset its side, with nothing left to read, else 0. Never blocks.
int holdfast_has_ended(int fd);
/// Closes the sending half: the client sees the end of the stream, and its last bytes are still accepted.
int holdfast_half_close(int fd);

#ifdef __cplusplus
}
#endif

#endif
